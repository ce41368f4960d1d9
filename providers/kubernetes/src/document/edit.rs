//! Changing one key of a YAML or JSON text where it stands.

use super::Change;
use super::outline::{Entry, Mapping, Node, outline};
use crate::object_kind::Json;
use std::ops::Range;

/// The text with one key changed; nothing if that cannot be done in place. What comes out is to be held against what is wanted.
pub(super) fn edited(text: &str, path: &[String], change: &Change) -> Option<String> {
    let editor = Editor { text };
    match (outline(text), change) {
        (None, Change::Set(value)) => Some(editor.begun(path, value)),
        (None, Change::Remove) => None,
        (Some(top), Change::Set(value)) => editor.set(&top, path, value),
        (Some(top), Change::Remove) => editor.remove(&top, path),
    }
}

struct Editor<'a> {
    text: &'a str,
}

impl Editor<'_> {
    /// A text of nothing but comments, with its first key.
    fn begun(&self, path: &[String], value: &Json) -> String {
        let gap = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { "\n" };
        format!("{}{gap}{}", self.text, block(path, value, 0))
    }

    fn set(&self, node: &Node, path: &[String], value: &Json) -> Option<String> {
        let mapping = node.mapping.as_ref()?;
        let (step, rest) = path.split_first()?;
        let Some(entry) = mapping.entries.iter().find(|entry| entry.key == *step) else {
            return Some(self.add(node, mapping, path, value));
        };
        match &entry.value.mapping {
            Some(_) if !rest.is_empty() => self.set(&entry.value, rest, value),
            _ => self.put(entry, &nested(rest, value), if mapping.flow { Style::Flow } else { Style::Block }),
        }
    }

    /// Another value for a key that is there.
    fn put(&self, entry: &Entry, value: &Json, style: Style) -> Option<String> {
        let range = entry.value.range.clone();
        let was = &self.text[range.clone()];
        if was.is_empty() {
            // A key without a value: it goes behind the colon.
            let colon = entry.key_range.end + self.text.get(entry.key_range.end..)?.find(':')? + 1;
            return Some(self.replaced(colon..colon, &format!(" {}", inline(value, style))));
        }
        let style = if was.starts_with(['"', '\'']) { Style::Flow } else { style };
        Some(self.replaced(range, &inline(value, style)))
    }

    /// A key that is not there.
    fn add(&self, node: &Node, mapping: &Mapping, path: &[String], value: &Json) -> String {
        let Some(last) = mapping.entries.last() else {
            return self.replaced(node.range.clone(), &inline(&nested(path, value), Style::Flow));
        };
        if mapping.flow {
            let pair = inline(&nested(path, value), Style::Flow);
            let pair = pair.strip_prefix('{').and_then(|pair| pair.strip_suffix('}')).unwrap_or_default().to_owned();
            let end = last.value.range.end.max(last.key_range.end);
            let line = self.line_start(last.key_range.start);
            let before = &self.text[line..last.key_range.start];
            let gap = if before.trim().is_empty() && line > 0 { format!(",\n{before}") } else { ", ".to_owned() };
            return self.replaced(end..end, &format!("{gap}{pair}"));
        }
        let first = mapping.entries.first().map_or(0, |entry| entry.key_range.start);
        let indent = self.text[self.line_start(first)..first].chars().count();
        let end = self.line_end(last.value.range.end.max(last.key_range.end));
        let gap = if self.text[..end].ends_with('\n') { "" } else { "\n" };
        self.replaced(end..end, &format!("{gap}{}", block(path, value, indent)))
    }

    fn remove(&self, node: &Node, path: &[String]) -> Option<String> {
        let mapping = node.mapping.as_ref()?;
        let (step, rest) = path.split_first()?;
        let entry = mapping.entries.iter().find(|entry| entry.key == *step)?;
        if !rest.is_empty() {
            return self.remove(&entry.value, rest);
        }
        if mapping.entries.len() == 1 {
            return Some(self.replaced(node.range.clone(), "{}"));
        }
        if mapping.flow {
            return None;
        }
        let end = self.line_end(entry.value.range.end.max(entry.key_range.end));
        Some(self.replaced(self.line_start(entry.key_range.start)..end, ""))
    }

    fn replaced(&self, range: Range<usize>, with: &str) -> String {
        format!("{}{with}{}", &self.text[..range.start], &self.text[range.end..])
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Behind the newline that ends the line; a value that ended with its own has no line left.
    fn line_end(&self, at: usize) -> usize {
        if self.text[..at].ends_with('\n') {
            return at;
        }
        self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }
}

/// Where a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// In a block: words need no quotes.
    Block,
    /// In braces, or in place of what was quoted.
    Flow,
}

/// A value under keys of its own.
fn nested(path: &[String], value: &Json) -> Json {
    path.iter().rev().fold(value.clone(), |value, step| Json::Object([(step.clone(), value)].into_iter().collect()))
}

/// A key path with its value as lines of a block, the first at this indentation.
fn block(path: &[String], value: &Json, indent: usize) -> String {
    let mut lines = String::new();
    for (depth, step) in path.iter().enumerate() {
        let key = word(step).map_or_else(|| quoted(step), str::to_owned);
        lines.push_str(&" ".repeat(indent + 2 * depth));
        lines.push_str(&key);
        lines.push(':');
        if depth + 1 == path.len() {
            lines.push(' ');
            lines.push_str(&inline(value, Style::Block));
        }
        lines.push('\n');
    }
    lines
}

/// A value in one line. JSON is YAML, with a space behind colons and commas.
fn inline(value: &Json, style: Style) -> String {
    match value {
        Json::String(text) => word(text).filter(|_| style == Style::Block).map_or_else(|| quoted(text), str::to_owned),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| inline(item, Style::Flow)).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(entries) => {
            let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{}: {}", quoted(key), inline(value, Style::Flow))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}

/// The text if it needs no quotes in any YAML.
fn word(text: &str) -> Option<&str> {
    const OTHERS: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    (plain && !OTHERS.contains(&text.to_ascii_lowercase().as_str())).then_some(text)
}
