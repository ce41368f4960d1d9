//! Objects as YAML text, in the order and indentation that `kubectl` prints them in.

use serde_json::Value as Json;
use std::fmt::Write;

/// One document: keys in order of their bytes, lists no deeper than their key, text of several lines as a block.
pub fn document(object: &Json) -> String {
    let mut text = String::new();
    write(&mut text, object, 0);
    text
}

fn write(text: &mut String, value: &Json, indent: usize) {
    match value {
        Json::Object(entries) => {
            for (key, value) in entries {
                write!(text, "{:indent$}{}:", "", scalar(key)).unwrap();
                write_value(text, value, indent);
            }
        }
        Json::Array(items) => {
            for item in items {
                write_item(text, item, indent);
            }
        }
        _ => writeln!(text, "{:indent$}{}", "", plain(value)).unwrap(),
    }
}

/// What stands behind a key.
fn write_value(text: &mut String, value: &Json, indent: usize) {
    match value {
        Json::Object(entries) if !entries.is_empty() => {
            text.push('\n');
            write(text, value, indent + 2);
        }
        Json::Array(items) if !items.is_empty() => {
            text.push('\n');
            write(text, value, indent);
        }
        Json::String(lines) if lines.contains('\n') => {
            text.push_str(if lines.ends_with('\n') { " |\n" } else { " |-\n" });
            for line in lines.lines() {
                let indent = if line.is_empty() { 0 } else { indent + 2 };
                writeln!(text, "{:indent$}{line}", "").unwrap();
            }
        }
        _ => writeln!(text, " {}", plain(value)).unwrap(),
    }
}

/// An element of a list: its first line behind a dash.
fn write_item(text: &mut String, item: &Json, indent: usize) {
    let mut within = String::new();
    write(&mut within, item, indent + 2);
    write!(text, "{:indent$}- {}", "", within.trim_start_matches(' ')).unwrap();
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => scalar(text),
        other => other.to_string(),
    }
}

fn scalar(text: &str) -> String {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if word { text.to_owned() } else { Json::String(text.to_owned()).to_string() }
}
