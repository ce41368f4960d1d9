//! An entry as lines: its own with the reason, and below it what differs, what it is, and what it brings about.

use super::leaves::{Leaves, WIDEST_PATH};
use super::rows::{Detail, Row};
use super::{Layout, attributes};
use crate::entry::Detail as Depth;
use crate::notation::{cut, wrapped};
use crate::pem::legible;
use crate::style::{Paint, paint_of, visible_width};
use engine::value::Value;
use std::fmt::Write;

/// Most lines of names that have something in common.
const LINES_OF_NAMES: usize = 3;

impl Row<'_> {
    /// Columns before what stands below it.
    fn indent(&self) -> usize {
        8 + self.depth * 2
    }
}

/// Writes a row and what stands below it.
pub(super) fn write(text: &mut String, row: &Row<'_>, column: usize, layout: Layout) {
    let below = match below(row, column, layout) {
        None => Below { leaves: String::new(), reason: None, rest: &row.details },
        Some(below) => below,
    };
    write_head(text, row, (column, below.reason), layout);
    text.push_str(&below.leaves);
    for detail in below.rest {
        write_detail(text, row, detail, layout);
    }
}

/// Writes a row with its reason.
pub(super) fn write_row(text: &mut String, row: &Row<'_>, column: usize, layout: Layout) {
    write_head(text, row, (column, None), layout);
}

/// What stands below a row, where a part of it takes the end of a line that is there anyway.
struct Below<'r, 'a> {
    /// What differs.
    leaves: String,
    /// The reason, if it stands there.
    reason: Option<&'r str>,
    /// What is not written yet.
    rest: &'r [Detail<'a>],
}

/// What has no room on the row itself, such as a reason behind a long address, at the end of the first line below it; and what a single
/// difference brings about at the end of its line.
fn below<'r, 'a>(row: &'r Row<'a>, column: usize, layout: Layout) -> Option<Below<'r, 'a>> {
    let [Detail::Leaves(difference, replacing), after @ ..] = row.details.as_slice() else { return None };
    if layout.detail == Depth::Full {
        return None;
    }
    let note = match after {
        [Detail::Note(only)] if difference.leaves.len() == 1 => Some(only.as_str()),
        _ => None,
    };
    let crowded = reason_behind(row, column, layout).is_none();
    let reasons: Vec<Option<&str>> = if crowded { row.reasons.iter().map(|reason| Some(reason.as_str())).collect() } else { vec![None] };
    let tails = [note, None].into_iter().flat_map(|note| reasons.iter().map(move |reason| (*reason, note)));
    for (reason, note) in tails.filter(|(reason, note)| reason.is_some() || note.is_some()) {
        let words: Vec<&str> = [reason, note].into_iter().flatten().collect();
        let tail = words.join(", ");
        let kept = tail.chars().count() + 2;
        let mut leaves = String::new();
        Leaves { replacing, kept, ..Leaves::of(layout, row.indent(), &row.unknowns) }.write(&mut leaves, difference);
        let Some((first, others)) = leaves.split_once('\n') else { continue };
        if visible_width(first) + kept <= layout.width && (note.is_none() || others.is_empty()) {
            let leaves = format!("{first}  {}\n{others}", layout.style.paint(Paint::Dim, &tail));
            return Some(Below { leaves, reason, rest: if note.is_some() { &[] } else { after } });
        }
    }
    None
}

/// Where the reason stands that fits behind the address, if one does: the column, how wide the address is filled up, and the reason.
fn reason_behind<'r>(row: &'r Row<'_>, column: usize, layout: Layout) -> Option<&'r str> {
    let width = filled(row, column);
    let space = layout.width.saturating_sub(6 + row.depth * 2 + width + 2);
    if row.reasons.is_empty() { Some("") } else { row.reasons.iter().find(|reason| reason.chars().count() <= space).map(String::as_str) }
}

/// How wide the address of a row is filled up.
fn filled(row: &Row<'_>, column: usize) -> usize {
    column.saturating_sub(row.depth * 2).max(row.label.chars().count())
}

/// Writes a row's own line. A reason is never cut: where even the shortest has no room behind the address, and it does not stand `elsewhere`,
/// it stands on the next line.
fn write_head(text: &mut String, row: &Row<'_>, (column, elsewhere): (usize, Option<&str>), layout: Layout) {
    let glyph = layout.style.paint(paint_of(row.action), &format!("{:<3}", row.action.glyph()));
    let (indent, width) = (row.depth * 2, filled(row, column));
    let behind = reason_behind(row, column, layout);
    let space = layout.width.saturating_sub(10 + indent);
    let fits = |reason: &&String| reason.chars().count() <= space;
    let _ = match (behind, elsewhere) {
        (Some(reason), _) => write!(text, "  {glyph} {:indent$}{:<width$}  {}", "", row.label, layout.style.paint(Paint::Dim, reason)),
        (None, Some(_)) => write!(text, "  {glyph} {:indent$}{}", "", row.label),
        (None, None) => {
            let reason = row.reasons.iter().find(fits).or(row.reasons.last()).map_or("", String::as_str);
            let mut lines = String::new();
            for line in wrapped(reason, space) {
                let _ = write!(lines, "\n{:at$}{}", "", layout.style.paint(Paint::Dim, &line), at = 10 + indent);
            }
            write!(text, "  {glyph} {:indent$}{}{lines}", "", row.label)
        }
    };
    text.truncate(text.trim_end().len());
    text.push('\n');
}

fn write_detail(text: &mut String, row: &Row<'_>, detail: &Detail<'_>, layout: Layout) {
    let indent = row.indent();
    match detail {
        Detail::Note(note) => {
            for line in wrapped(note, layout.width.saturating_sub(indent)) {
                let _ = writeln!(text, "{:indent$}{line}", "");
            }
        }
        Detail::Names(title, names) => write_names(text, (title, names), indent, layout),
        Detail::Leaves(difference, replacing) => {
            Leaves { replacing, ..Leaves::of(layout, indent, &row.unknowns) }.write(text, difference);
        }
        Detail::Attributes(attributes) => {
            let space = (layout.width.saturating_sub(indent), layout.most(attributes::MOST));
            let spread = |(name, value): &(String, Value)| attributes::lines(name, &legible(value), &row.unknowns, space);
            let lines: Vec<_> = attributes.iter().flat_map(spread).collect();
            let widest = WIDEST_PATH.min(space.0 / 2);
            let column = lines.iter().map(|(path, _)| path.chars().count()).filter(|width| *width <= widest).max().unwrap_or(0);
            for (path, value) in lines {
                let start = text.len();
                let _ = write!(text, "{:indent$}{path:<column$}  {value}", "");
                if text[start..].chars().count() > layout.width {
                    let line = cut(&text[start..], layout.width);
                    text.replace_range(start.., &line);
                }
                text.push('\n');
            }
        }
    }
}

/// A list of names in as many lines as it takes, or as may be.
fn write_names(text: &mut String, (title, names): (&str, &[String]), indent: usize, layout: Layout) {
    let space = layout.width.saturating_sub(indent);
    let mut lines = vec![format!("{title}:")];
    let mut left = names.len();
    for name in names {
        let more = format!(" and {left} more");
        let comma = if left > 1 { "," } else { "" };
        let last = lines.len() == layout.most(LINES_OF_NAMES);
        let Some(line) = lines.last_mut() else { break };
        let room = space.saturating_sub(line.chars().count() + if last && left > 1 { more.chars().count() } else { 0 });
        if name.chars().count() + 2 <= room {
            line.extend([" ", name, comma]);
        } else if last {
            line.truncate(line.trim_end_matches(',').len());
            line.push_str(&more);
            break;
        } else {
            lines.push(format!("  {name}{comma}"));
        }
        left -= 1;
    }
    for line in lines {
        let _ = writeln!(text, "{:indent$}{}", "", layout.style.paint(Paint::Dim, &line));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::rendered;
    use super::*;
    use crate::style::Style;
    use engine::address::Address;
    use engine::plan::{Action, Change, Plan, Reason};
    use serde_json::json;

    /// What has no room behind a long address stands behind what differs, where there is room.
    #[test]
    fn a_reason_and_a_consequence_stand_on_lines_that_are_there() {
        let deployment = |image: &str, replicas: u32| {
            let object = json!({ "kind": "Deployment", "metadata": { "name": "web" }, "spec": { "replicas": replicas, "template": { "image": image } } });
            Some(Value::object([("manifest", Value::from_json(&object))]))
        };
        let of = |name: &str, after: Option<Value>, paths: &[&str]| Change {
            before: deployment("a:1", 1),
            after,
            ..Change::of(
                Address::managed("k", name),
                Action::Update,
                Reason::Configuration(paths.iter().map(ToString::to_string).collect()),
            )
        };
        let long = "a".repeat(64);
        for (plan, expected) in [
            (
                of("a", deployment("a:2", 1), &["spec.template.image"]),
                "  ~   k.a  `spec.template.image` changed in configuration, 3 unchanged
        ~ manifest.spec.template.image  \"a:1\" -> \"a:2\"  web restarts
",
            ),
            (
                of(&long, deployment("a:2", 1), &["spec.template.image"]),
                "  ~   k.LONG
        ~ manifest.….template.image  \"a:1\" -> \"a:2\"  changed, web restarts
",
            ),
            (
                of(&long, deployment("a:2", 2), &["spec.replicas", "spec.template.image"]),
                "  ~   k.LONG
        ~ manifest.spec.replicas        1 -> 2  2 fields changed
        ~ manifest.spec.template.image  \"a:1\" -> \"a:2\"
        web restarts
",
            ),
        ] {
            let plan = Plan { changes: vec![plan], ..Plan::default() };
            for style in [Style::Plain, Style::Coloured] {
                let text = rendered(&plan, Layout { style, width: 76, detail: Depth::Folded });
                let mut pieces = text.split('\u{1b}');
                let bare: String = pieces.next().into_iter().chain(pieces.filter_map(|piece| Some(piece.split_once('m')?.1))).collect();
                let shown = bare.split("\n\n").next().unwrap().replace(&long, "LONG") + "\n";
                assert_eq!(shown, expected);
            }
        }
    }
}
