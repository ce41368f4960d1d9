//! Short text in and out, for tests.

use super::expression::{Binary, Expr, ForResult, Node, Part, Root, Unary};
use super::model::Module;
use super::parse::parse;
use crate::address::Mode;
use crate::source::{ModuleKey, ModuleSource, SourceTree};

/// Modules of one file each, the first of them the root, which calls the others by their keys; and every problem: its summary, the text
/// at its place, its help.
pub(super) fn read_all(modules: &[(&str, &str)]) -> (Vec<Module>, Vec<(String, String, String)>) {
    let mut tree = SourceTree::new(".");
    tree.modules.clear();
    for (key, text) in modules {
        let file = tree.add(&format!("{key}/main.mesh.hcl"), text);
        let calls = modules.iter().map(|(key, _)| ((*key).into(), ModuleKey((*key).into()))).collect();
        tree.modules.insert(ModuleKey((*key).into()), ModuleSource { directory: String::new(), files: vec![file], calls });
    }
    let (config, problems) = parse(&tree, &["cluster", "issuer"]);
    let told = problems.into_iter().map(|problem| {
        let at = problem.at.map(|span| tree.file(span.file).unwrap().text[span.start as usize..span.end as usize].to_owned());
        (problem.summary, at.unwrap_or_default(), problem.help.unwrap_or_default())
    });
    let lowered = modules.iter().map(|(key, _)| (*config.modules[&ModuleKey((*key).into())]).clone());
    (lowered.collect(), told.collect())
}

/// One module, and the summary and place of every problem.
pub(super) fn read(text: &str) -> (Module, Vec<(String, String)>) {
    let (mut modules, problems) = read_all(&[(".", text)]);
    (modules.remove(0), problems.into_iter().map(|(summary, at, _)| (summary, at)).collect())
}

/// Holds the problems of each text against what is expected of it.
pub(super) fn check_problems(rows: &[(&str, &[(&str, &str)])]) {
    for (text, expected) in rows {
        let (_, found) = read(text);
        let found: Vec<_> = found.iter().map(|(summary, at)| (summary.as_str(), at.as_str())).collect();
        assert_eq!(found, *expected, "{text}");
    }
}

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
