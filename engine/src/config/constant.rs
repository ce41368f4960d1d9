//! Expressions that must not refer to anything: defaults, files of variable values.

use super::expression::{Expr, Node, Unary};
use crate::diagnostic::{Diagnostic, Problems};
use crate::value::{Data, Value};

/// The value of an expression of literals, lists, objects, negative numbers and negations. Everything else in it is a problem.
pub(super) fn constant(expression: &Expr) -> Result<Value, Problems> {
    let mut problems = Problems::new();
    let value = fold(expression, &mut problems);
    if problems.is_empty() { Ok(value) } else { Err(problems) }
}

fn fold(expression: &Expr, problems: &mut Problems) -> Value {
    match &expression.node {
        Node::Literal(value) => value.clone(),
        Node::Parenthesis(inner) | Node::Wrap(inner) => fold(inner, problems),
        Node::Tuple(items) => Value::tuple(items.iter().map(|item| fold(item, problems)).collect()),
        Node::Object(entries) => {
            let mut object = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let name = fold(key, problems);
                let value = fold(value, problems);
                match key_text(&name) {
                    Some(name) => object.push((name, value)),
                    None => problems.push(Diagnostic::error("invalid key", "a key must be text").at(key.span)),
                }
            }
            Value::object(object)
        }
        Node::Unary(Unary::Negate, inner) => match fold(inner, problems).as_number() {
            Some(number) => Value::number(-number),
            None => refuse(expression, "only a number can be negative", problems),
        },
        Node::Unary(Unary::Not, inner) => match fold(inner, problems).as_bool() {
            Some(value) => Value::bool(!value),
            None => refuse(expression, "only `true` and `false` can be negated", problems),
        },
        Node::Root(_) | Node::Attribute(..) | Node::Index(..) | Node::Splat(..) => {
            refuse(expression, "a reference cannot stand here, only a value that is written out", problems)
        }
        Node::Call(call) => refuse(expression, &format!("the function `{}` cannot be called here", call.name), problems),
        _ => refuse(expression, "only a value that is written out can stand here", problems),
    }
}

fn refuse(expression: &Expr, detail: &str, problems: &mut Problems) -> Value {
    problems.push(
        Diagnostic::error("not a constant", detail)
            .at(expression.span)
            .help("Values that are computed belong in `locals`; defaults and files of variable values are read before anything else."),
    );
    Value::null()
}

fn key_text(key: &Value) -> Option<String> {
    match key.data() {
        Data::String(text) => Some(text.to_string()),
        Data::Number(number) => Some(number.to_string()),
        Data::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_expression;
    use crate::source::FileId;

    #[test]
    fn what_is_written_out_is_a_constant() {
        for (text, json) in [
            ("null", "null"),
            ("-1.50", "-1.5"),
            ("-(2)", "-2"),
            ("!true", "false"),
            ("\"${1}\"", "1"),
            ("(\"a\")", "\"a\""),
            ("[1, [\"b\"]]", "[1,[\"b\"]]"),
            ("{ b = 1, (\"a\") = { 2 = true } }", "{\"a\":{\"2\":true},\"b\":1}"),
        ] {
            let value = constant(&parse_expression(text, FileId(0)).unwrap()).unwrap();
            assert_eq!(value.to_json().unwrap().to_string(), json, "{text}");
        }
    }

    #[test]
    fn every_part_that_is_none_is_told() {
        for (text, details) in [
            ("[var.a, f(1), 1 + 1]", 3),
            ("{ a = var.b, (null) = 1 }", 2),
            ("-true", 1),
            ("!1", 1),
            ("[for x in [1] : x]", 1),
            ("\"a${var.b}\"", 1),
            ("[1][0]", 1),
        ] {
            assert_eq!(constant(&parse_expression(text, FileId(0)).unwrap()).unwrap_err().len(), details, "{text}");
        }
    }
}
