//! Base64, URLs and CSV.

use super::argument::{Arguments, Fault};
use super::result::{list, object};
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::type_of;
use crate::value::{Entry, Type, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

const TEXT: &[Parameter] = &[Parameter::new("text", Takes::Text)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "base64decode",
        group: Group::Encoding,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The text whose UTF-8 bytes are written in base64.",
        example: Example { call: r#"base64decode("aMOpbGxv")"#, result: r#""héllo""# },
        body: Body::Plain(decode),
    },
    Function {
        name: "base64encode",
        group: Group::Encoding,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The text's UTF-8 bytes in base64.",
        example: Example { call: r#"base64encode("héllo")"#, result: r#""aMOpbGxv""# },
        body: Body::Plain(|given| Ok(Value::string(base64(given.text(0).as_bytes())))),
    },
    Function {
        name: "csvdecode",
        group: Group::Encoding,
        parameters: TEXT,
        gives: Gives::List,
        doc: "The rows of comma-separated values as objects of strings, with the names in the first row as attributes.",
        example: Example { call: r#"csvdecode("a,b\n1,2\n")"#, result: r#"tolist([{ a = "1", b = "2" }])"# },
        body: Body::Plain(csv),
    },
    Function {
        name: "urlencode",
        group: Group::Encoding,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The text as a part of a URL's query: letters, digits, `-_.~` stay, a space becomes `+`, all else `%XX`.",
        example: Example { call: r#"urlencode("a b&c=é")"#, result: r#""a+b%26c%3D%C3%A9""# },
        body: Body::Plain(|given| Ok(Value::string(url_encoded(given.text(0))))),
    },
];

/// Bytes in base64, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes that the first argument writes in base64.
pub(super) fn bytes(given: Arguments<'_>) -> Result<Vec<u8>, Fault> {
    // Line breaks are allowed anywhere, as in what `base64` and PEM write.
    let text = given.text(0).replace(['\r', '\n'], "");
    STANDARD.decode(text).map_err(|_| Fault::at(0, format!("must be base64 with padding, found {}", given.shown(0))))
}

fn decode(given: Arguments<'_>) -> Result<Value, Fault> {
    let text = String::from_utf8(bytes(given)?).map_err(|_| Fault::at(0, "decodes to bytes that are no UTF-8 text"))?;
    Ok(Value::string(text))
}

fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            // Writing to a string does not fail.
            other => write!(out, "%{other:02X}").unwrap_or_default(),
        }
    }
    out
}

fn csv(given: Arguments<'_>) -> Result<Value, Fault> {
    let mut rows = rows(given.text(0))?.into_iter();
    let Some((_, names)) = rows.next() else { return Err(Fault::at(0, "has no line with the names of columns")) };
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(Fault::at(0, format!("names column {} like an earlier one", at + 1)));
        }
    }
    let mut items = Vec::new();
    for (line, row) in rows {
        if row.len() != names.len() {
            return Err(Fault::at(0, format!("has {} fields in line {line}, but {} columns", row.len(), names.len())));
        }
        let entries = names.iter().zip(row).map(|(name, field)| Entry::new(name.as_str(), Value::string(field)));
        items.push(object(entries.collect()));
    }
    let element = match items.first() {
        Some(first) => type_of(first),
        None => Type::object(names.iter().map(|name| (name.as_str(), Type::String, false))),
    };
    Ok(list(element, items))
}

/// The rows of CSV (RFC 4180) with the line each starts in. Empty lines are none.
fn rows(text: &str) -> Result<Vec<(usize, Vec<String>)>, Fault> {
    let mut rows = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let start = line;
        let mut row = Vec::new();
        loop {
            let (field, after) = field(rest, line)?;
            line += field.matches('\n').count();
            row.push(field);
            if let Some(next) = after.strip_prefix(',') {
                rest = next;
                continue;
            }
            rest = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n')).unwrap_or(after);
            line += 1;
            break;
        }
        if row != [""] {
            rows.push((start, row));
        }
    }
    Ok(rows)
}

/// The field at the start of a text, and what follows it.
fn field(text: &str, line: usize) -> Result<(String, &str), Fault> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let (field, after) = text.split_at(end);
        let plain = if after.starts_with(',') { field } else { field.strip_suffix('\r').unwrap_or(field) };
        if plain.contains('"') {
            return Err(Fault::at(0, format!("has a quote within an unquoted field in line {line}")));
        }
        return Ok((plain.to_owned(), if plain.len() == field.len() { after } else { &text[plain.len()..] }));
    };
    let mut field = String::new();
    loop {
        let Some((part, after)) = rest.split_once('"') else {
            return Err(Fault::at(0, format!("has a quoted field in line {line} that does not end")));
        };
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None if after.is_empty() || after.starts_with([',', '\n']) || after.starts_with("\r\n") => return Ok((field, after)),
            None => return Err(Fault::at(0, format!("has text after the closing quote of a field in line {line}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn base64_and_urls_are_as_in_terraform() {
        check(&[
            ("base64encode(5)", r#""NQ==""#),
            (r#"base64encode("")"#, r#""""#),
            (r#"base64encode("hello\n")"#, r#""aGVsbG8K""#),
            ("base64encode(null)", "unsuitable argument: the `text` of `base64encode` is null here"),
            (r#"base64decode("")"#, r#""""#),
            (r#"base64decode("aGk=\n")"#, r#""hi""#),
            (r#"base64decode("aGk")"#, "unsuitable argument: the `text` of `base64decode` must be base64 with padding, found `aGk`"),
            (r#"base64decode("aG k=")"#, "unsuitable argument: the `text` of `base64decode` must be base64 with padding, found `aG k=`"),
            (r#"base64decode("/w==")"#, "unsuitable argument: the `text` of `base64decode` decodes to bytes that are no UTF-8 text"),
            (
                r#"base64decode(sensitive("hunter2"))"#,
                "unsuitable argument: the `text` of `base64decode` must be base64 with padding, found a sensitive value",
            ),
            (r#"urlencode("a b&c=/é?*~")"#, r#""a+b%26c%3D%2F%C3%A9%3F%2A~""#),
            (r#"urlencode("a+b")"#, r#""a%2Bb""#),
            (r#"urlencode("")"#, r#""""#),
            ("urlencode([])", "unsuitable argument: the `text` of `urlencode` does not fit: a string is required, found a tuple"),
        ]);
    }

    #[test]
    fn csv_is_read_as_in_terraform() {
        check(&[
            (r#"csvdecode("a,b\n1,2\n3,4\n")"#, r#"list[{a="1", b="2"}, {a="3", b="4"}]"#),
            (r#"csvdecode("a,b\n\"x,\"\"y\",2\n")"#, r#"list[{a="x,\"y", b="2"}]"#),
            (r#"csvdecode("a,b\n 1,\"x\ny\"\n")"#, r#"list[{a=" 1", b="x\ny"}]"#),
            (r#"csvdecode("\"a\"\r\n1\r\n")"#, r#"list[{a="1"}]"#),
            (r#"csvdecode("a\n\n1\n")"#, r#"list[{a="1"}]"#),
            (r#"csvdecode("a,b\n1,")"#, r#"list[{a="1", b=""}]"#),
            (r#"csvdecode("a,b\n")"#, "list[]"),
            (r#"csvdecode("a,b\n1\n")"#, "unsuitable argument: the `text` of `csvdecode` has 1 fields in line 2, but 2 columns"),
            (r#"csvdecode("a,a\n1,2\n")"#, "unsuitable argument: the `text` of `csvdecode` names column 2 like an earlier one"),
            (r#"csvdecode("")"#, "unsuitable argument: the `text` of `csvdecode` has no line with the names of columns"),
            (
                r#"csvdecode("a,b\n1,\"x\n")"#,
                "unsuitable argument: the `text` of `csvdecode` has a quoted field in line 2 that does not end",
            ),
            (r#"csvdecode("a\n1\"2\n")"#, "unsuitable argument: the `text` of `csvdecode` has a quote within an unquoted field in line 2"),
            (
                r#"csvdecode("a\n\"1\"2\n")"#,
                "unsuitable argument: the `text` of `csvdecode` has text after the closing quote of a field in line 2",
            ),
        ]);
    }
}
