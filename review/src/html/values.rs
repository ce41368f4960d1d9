//! Values that come or go as a whole: on one line if they are short, part by part if they are long, long texts folded.

use super::markup::Markup;
use crate::notation::KNOWN_AFTER_APPLY;
use crate::notation::{brief, cut, quoted, step};
use crate::pem::legible;
use crate::terminal::Unknowns;
use engine::value::{Data, Marks, Value};

/// Most characters of a value on one line.
const SHORT: usize = 110;
/// Longest line.
const LONGEST: usize = 400;
/// Most parts of one value.
const MOST: usize = 80;
/// Most lines of a text.
const MOST_LINES: usize = 400;

/// One part of a value.
enum Part {
    /// On one line.
    Line(String),
    /// A text of several lines.
    Text(String),
}

/// Writes a value that stands at a path.
pub(super) fn write(markup: &mut Markup, tag: &'static str, (path, value): (&str, &Value), unknowns: Option<&Unknowns>) {
    let unknown = |path: &str| unknowns.map_or_else(|| KNOWN_AFTER_APPLY.to_owned(), |unknowns| unknowns.words(path));
    let mut parts = Vec::new();
    spread(path, &legible(value), &unknown, &mut parts);
    if let [(_, part)] = parts.as_slice() {
        return write_part(markup, tag, part);
    }
    let more = parts.len().saturating_sub(MOST);
    parts.truncate(MOST);
    markup.within("ul", &[("class", "leaves")], |markup| {
        for (path, part) in &parts {
            markup.within("li", &[], |markup| {
                markup.element("code", &[("class", "path")], path);
                markup.text(" ");
                write_part(markup, tag, part);
            });
        }
        if more > 0 {
            markup.element("li", &[("class", "note")], &format!("and {more} more"));
        }
    });
}

fn write_part(markup: &mut Markup, tag: &'static str, part: &Part) {
    match part {
        Part::Line(line) => markup.element(tag, &[], &cut(line, LONGEST)),
        Part::Text(text) => {
            let first = text.lines().next().unwrap_or_default();
            let lines = text.lines().count();
            markup.within("details", &[("class", "text")], |markup| {
                markup.within("summary", &[], |markup| {
                    markup.element(tag, &[], &cut(first, SHORT));
                    markup.element("span", &[("class", "note")], &format!(" … {lines} lines"));
                });
                let mut shown: Vec<String> = text.lines().take(MOST_LINES).map(|line| cut(line, LONGEST)).collect();
                if lines > MOST_LINES {
                    shown.push(format!("… {} more lines", lines - MOST_LINES));
                }
                markup.element("pre", &[("tabindex", "0")], &shown.join("\n"));
            });
        }
    }
}

/// The parts of a value: itself if it is short or may not be shown, otherwise those within.
fn spread(path: &str, value: &Value, unknown: &dyn Fn(&str) -> String, parts: &mut Vec<(String, Part)>) {
    let words = brief(path, value, unknown);
    let masked = value.is_marked_sensitive() || value.marks().has(Marks::EPHEMERAL);
    match value.data() {
        // What is masked does not read as the text itself does.
        Data::String(text) if text.trim_end().contains('\n') && words == quoted(text) => {
            parts.push((path.to_owned(), Part::Text(text.to_string())));
        }
        Data::Mapping(mapping) if !masked && words.chars().count() > SHORT => {
            for entry in mapping.entries().iter().filter(|entry| !entry.value.is_null()) {
                spread(&step(path, &entry.key), &entry.value, unknown, parts);
            }
        }
        Data::Sequence(sequence) if !masked && words.chars().count() > SHORT => {
            for (at, item) in sequence.items().iter().enumerate() {
                spread(&format!("{path}[{at}]"), item, unknown, parts);
            }
        }
        _ => parts.push((path.to_owned(), Part::Line(words))),
    }
}
