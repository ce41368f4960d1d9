//! Expressions as short text, for tests.

use super::expression::{Binary, Expr, ForResult, Node, Part, Root, Unary};
use crate::address::Mode;

/// An expression, every operation in parentheses.
pub(super) fn written(expression: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(written).collect::<Vec<_>>().join(", ");
    match &expression.node {
        Node::Literal(value) => value.to_json().unwrap().to_string(),
        Node::Template(parts) => format!("T{}", parts_written(parts)),
        Node::Wrap(inner) => format!("W({})", written(inner)),
        Node::Parenthesis(inner) => format!("P({})", written(inner)),
        Node::Tuple(items) => format!("[{}]", list(items)),
        Node::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{} = {}", written(key), written(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Node::Root(root) => root_written(root),
        Node::Attribute(base, name) => format!("{}.{name}", written(base)),
        Node::Index(base, key) => format!("{}[{}]", written(base), written(key)),
        Node::Splat(base, each) => format!("({} each {})", written(base), written(each)),
        Node::Call(call) => format!("{}({}{})", call.name, list(&call.arguments), if call.expand { "..." } else { "" }),
        Node::Conditional(a, b, c) => format!("({} ? {} : {})", written(a), written(b), written(c)),
        Node::Unary(operator, inner) => format!("{}{}", if *operator == Unary::Not { "!" } else { "-" }, written(inner)),
        Node::Binary(operator, a, b) => format!("({} {} {})", written(a), sign(*operator), written(b)),
        Node::For(body) => {
            let key = body.key.as_ref().map(|key| format!("{key}, ")).unwrap_or_default();
            let condition = body.condition.as_ref().map(|condition| format!(" if {}", written(condition))).unwrap_or_default();
            let result = match &body.result {
                ForResult::Tuple(value) => written(value),
                ForResult::Object { key, value, group } => {
                    format!("{} => {}{}", written(key), written(value), if *group { "..." } else { "" })
                }
            };
            format!("(for {key}{} in {}: {result}{condition})", body.value, written(&body.collection))
        }
        other => format!("{other:?}"),
    }
}

fn parts_written(parts: &[Part]) -> String {
    let parts = parts.iter().map(|part| match part {
        Part::Text(text) => format!("{text:?}"),
        Part::Interpolation(inner) => written(inner),
        Part::If(condition, then, otherwise) => {
            format!("if {} {} else {}", written(condition), parts_written(then), parts_written(otherwise))
        }
        Part::For { key, value, collection, body } => {
            let key = key.as_ref().map(|key| format!("{key}, ")).unwrap_or_default();
            format!("for {key}{value} in {} {}", written(collection), parts_written(body))
        }
    });
    format!("<{}>", parts.collect::<Vec<_>>().join(" "))
}

fn root_written(root: &Root) -> String {
    match root {
        Root::Variable(name) => format!("var:{name}"),
        Root::Local(name) => format!("local:{name}"),
        Root::Resource(Mode::Managed, kind, name) => format!("resource:{kind}:{name}"),
        Root::Resource(Mode::Data, kind, name) => format!("data:{kind}:{name}"),
        Root::Module(name) => format!("module:{name}"),
        Root::Bound(name) => format!("${name}"),
        other => format!("{other:?}"),
    }
}

fn sign(operator: Binary) -> &'static str {
    match operator {
        Binary::Add => "+",
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        Binary::Modulo => "%",
        Binary::Equal => "==",
        Binary::NotEqual => "!=",
        Binary::Less => "<",
        Binary::LessOrEqual => "<=",
        Binary::Greater => ">",
        Binary::GreaterOrEqual => ">=",
        Binary::And => "&&",
        Binary::Or => "||",
    }
}
