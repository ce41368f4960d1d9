//! JSON, exactly: numbers keep all their digits both ways.

use super::argument::{Arguments, Fault};
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::convert::number_text;
use crate::value::{Data, Value, parse_number};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "jsondecode",
        group: Group::Encoding,
        parameters: &[Parameter::new("text", Takes::Text)],
        gives: Gives::Any,
        doc: "The value that the JSON text writes: objects become objects, arrays tuples.",
        example: Example { call: r#"jsondecode("{\"a\": [1, 2.50, null]}")"#, result: "{ a = [1, 2.5, null] }" },
        body: Body::Plain(decode),
    },
    Function {
        name: "jsonencode",
        group: Group::Encoding,
        parameters: &[Parameter::new("value", Takes::Value)],
        gives: Gives::Text,
        doc: "The value as JSON in one line, keys sorted, with `<`, `>` and `&` escaped.",
        example: Example { call: r#"jsonencode({ b = ["<", 1.50], a = null })"#, result: r#""{\"a\":null,\"b\":[\"\\u003c\",1.5]}""# },
        body: Body::Plain(|given| Ok(Value::string(given.get(0).map(json).unwrap_or_default()))),
    },
];

/// A known value as JSON in one line. References are written as the address they lead to.
pub(super) fn json(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value.data() {
        Data::Null | Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => out.push_str("null"),
        Data::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Data::Number(number) => out.push_str(&number_text(*number)),
        Data::String(text) => write_text(text, out),
        Data::Sequence(sequence) => {
            out.push('[');
            for (at, item) in sequence.items().iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write_value(item, out);
            }
            out.push(']');
        }
        Data::Mapping(mapping) => {
            out.push('{');
            for (at, entry) in mapping.entries().iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write_text(&entry.key, out);
                out.push(':');
                write_value(&entry.value, out);
            }
            out.push('}');
        }
        Data::Instance(instance) => write_value(&instance.attributes, out),
        Data::Reference(instance) => write_text(&instance.address.to_string(), out),
    }
}

/// A string as Terraform writes it in JSON: safe to stand in HTML and in a script.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string does not fail.
                write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Deeper texts would exhaust the stack of whoever reads the value.
const DEEPEST: usize = 128;

fn decode(given: Arguments<'_>) -> Result<Value, Fault> {
    let malformed = |error: serde_json::Error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "ends too early",
            _ => "is no JSON",
        };
        Fault::at(0, format!("{what}, at line {} column {}", error.line(), error.column()))
    };
    // Parsed once as a whole, so that the places of errors are those in the text.
    let raw: &RawValue = serde_json::from_str(given.text(0)).map_err(malformed)?;
    read(raw, DEEPEST)
}

fn read(raw: &RawValue, depth: usize) -> Result<Value, Fault> {
    let text = raw.get();
    let malformed = |_| Fault::at(0, "is no JSON");
    if depth == 0 {
        return Err(Fault::at(0, format!("is nested more than {DEEPEST} deep")));
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let entries: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(malformed)?;
            let entries = entries.into_iter().map(|(key, raw)| Ok((key, read(raw, depth - 1)?)));
            Ok(Value::object(entries.collect::<Result<Vec<_>, Fault>>()?))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(malformed)?;
            Ok(Value::tuple(items.into_iter().map(|raw| read(raw, depth - 1)).collect::<Result<_, _>>()?))
        }
        Some(b'"') => Ok(Value::string(serde_json::from_str::<String>(text).map_err(malformed)?)),
        Some(b't') => Ok(Value::bool(true)),
        Some(b'f') => Ok(Value::bool(false)),
        Some(b'n') => Ok(Value::null()),
        _ => parse_number(text).map(Value::number).map_err(|error| Fault::at(0, format!("holds a number that is none here: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn values_become_json_as_in_terraform() {
        check(&[
            (
                r#"jsonencode({ a = "<&>\u2028\"\\\n\t\u0001é😀", b = 1.50, c = [1, null, true], e = toset(["b", "a"]) })"#,
                r#""{\"a\":\"\\u003c\\u0026\\u003e\\u2028\\\"\\\\\\n\\t\\u0001é😀\",\"b\":1.5,\"c\":[1,null,true],\"e\":[\"a\",\"b\"]}""#,
            ),
            ("jsonencode(null)", r#""null""#),
            (r#"jsonencode("a")"#, r#""\"a\"""#),
            ("jsonencode(0.1)", r#""0.1""#),
            ("jsonencode(12345678901234567890123.5)", r#""12345678901234567890123.5""#),
            (r#"jsonencode({ "b" = 1, "a" = 2 })"#, r#""{\"a\":2,\"b\":1}""#),
            ("jsonencode([[], {}])", r#""[[],{}]""#),
            ("jsonencode()", "wrong number of arguments: `jsonencode` takes 1 argument, 0 are given"),
        ]);
        check_states(&[
            ("jsonencode({ a = var.unknown })", "?string", "u"),
            ("jsonencode({ a = var.secret })", "*\"{\\\"a\\\":\\\"s\\\"}\"", "s"),
            ("jsonencode([var.a, var.b])", "\"[\\\"a\\\",\\\"b\\\"]\"", "a b"),
            ("jsonencode([var.blocked, var.pending])", "…string", "p x"),
        ]);
    }

    #[test]
    fn json_is_read_exactly() {
        check(&[
            (r#"jsondecode("{\"a\": [1, 2.50, null, true], \"b\": {\"c\": \"d\"}}")"#, r#"{a=[1, 2.5, null, true], b={c="d"}}"#),
            (r#"jsondecode("12345678901234567890123")"#, "12345678901234567890123"),
            (r#"jsondecode("{\"a\":1,\"a\":2}")"#, "{a=2}"),
            (r#"jsondecode(" null ")"#, "null"),
            ("jsondecode(5)", "5"),
            (r#"jsondecode("1e3")"#, "1000"),
            (r#"jsondecode("\"\\u00e9\\n\"")"#, r#""é\n""#),
            (r#"jsondecode("{")"#, "unsuitable argument: the `text` of `jsondecode` ends too early, at line 1 column 1"),
            (r#"jsondecode("")"#, "unsuitable argument: the `text` of `jsondecode` ends too early, at line 1 column 0"),
            (r#"jsondecode("1 2")"#, "unsuitable argument: the `text` of `jsondecode` is no JSON, at line 1 column 3"),
            (r#"jsondecode("[1,]")"#, "unsuitable argument: the `text` of `jsondecode` is no JSON, at line 1 column 4"),
            (
                r#"jsondecode("1e400")"#,
                "unsuitable argument: the `text` of `jsondecode` holds a number that is none here: numbers hold at most 28 digits here",
            ),
            (
                r#"jsondecode(join("", concat([for i in range(1000) : "["], [for i in range(1000) : "]"])))"#,
                "unsuitable argument: the `text` of `jsondecode` is nested more than 128 deep",
            ),
            (r#"jsondecode(jsonencode({ a = [1.25, "x", null] }))"#, r#"{a=[1.25, "x", null]}"#),
        ]);
    }
}
