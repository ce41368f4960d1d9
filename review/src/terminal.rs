//! A plan as text: the glyph, the address, why; below it what differs.

mod attributes;
mod blocked;
mod leaves;
mod outside;
mod previews;
mod rows;
mod states;
pub(crate) mod table;
mod waits;

pub use states::between;

use crate::Difference;
use crate::entry::{Detail, Entry};
use crate::notation::{cut, inline, key};
use crate::pem::legible;
use crate::review::Review;
use crate::style::{Paint, Style, paint_of};
use engine::plan::{Action, Change, CheckStatus, Counts, OutputChange, Plan};
use engine::value::Value;
use leaves::{Leaves, WIDEST_PATH};
pub(crate) use previews::Unseen;
use rows::{Row, Rows};
use std::fmt::Write;
pub(crate) use waits::{Unknowns, Waits};

/// How text is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// Whether it is coloured.
    pub style: Style,
    /// Columns there are.
    pub width: usize,
    /// How far what is the same is put together, and what is long is shortened.
    pub detail: Detail,
}

impl Layout {
    /// Widest column of addresses; a longer address pushes its reason to the right.
    fn widest_address(self) -> usize {
        self.width / 2
    }

    /// So many lines at most, unless all are wanted.
    fn most(self, lines: usize) -> usize {
        if self.detail == Detail::Full { usize::MAX } else { lines }
    }
}

/// Bytes of text that are shown together.
const TOGETHER: usize = 64 * 1024;

/// The whole plan, part by part, as soon as there is enough of it to be shown. Problems are not part of it: they come after.
pub fn render(plan: &Plan, layout: Layout, show: &mut dyn FnMut(&str)) {
    let mut text = String::with_capacity(TOGETHER + 4096);
    let review = Review::of(plan);
    table::write(&mut text, plan, &review, layout);
    blocked::write(&mut text, plan, layout);
    outside::write(&mut text, plan, layout);
    write_rows(&mut text, (plan, &review), layout, show);
    previews::write(&mut text, plan, layout);
    write_outputs(&mut text, &plan.outputs, layout);
    write_checks(&mut text, plan, layout);
    text.push_str(&summary(plan, layout.style));
    show(&text);
}

/// How much of entries is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Each with what differs.
    Everything,
    /// Each on its line.
    Lines,
}

/// Some of a plan's entries.
pub(crate) fn entries_text<'a>((plan, review): (&'a Plan, &'a Review<'a>), entries: &[&Entry<'a>], layout: Layout, part: Part) -> String {
    let mut text = String::new();
    let rows = Rows::of(plan, review, layout.detail);
    for row in entries.iter().flat_map(|entry| rows.each(entry)) {
        write_row(&mut text, &row, 0, layout);
        for detail in row.details.iter().filter(|_| part == Part::Everything) {
            write_detail(&mut text, &row, detail, layout);
        }
    }
    text
}

/// What could not be planned.
pub(crate) fn blocked_text(plan: &Plan, layout: Layout) -> String {
    let mut text = String::new();
    blocked::write(&mut text, plan, layout);
    text
}

/// Outputs, checks and what was not previewed.
pub(crate) fn rest_text(plan: &Plan, layout: Layout) -> String {
    let mut text = String::new();
    previews::write(&mut text, plan, layout);
    write_outputs(&mut text, &plan.outputs, layout);
    write_checks(&mut text, plan, layout);
    text
}

/// One change on its line.
pub fn change_line(text: &mut String, change: &Change, layout: Layout) {
    let row = Row {
        action: change.action,
        label: change.address.to_string(),
        reasons: vec![change.reason.to_string()],
        depth: 0,
        details: Vec::new(),
        unknowns: Unknowns::default(),
    };
    write_row(text, &row, 0, layout);
}

/// Differences, each leaf on a line behind so many columns.
pub fn difference_lines(text: &mut String, difference: &Difference, indent: usize, layout: Layout) {
    Leaves { layout, indent, replacing: &[], unknowns: &Unknowns::default() }.write(text, difference);
}

fn write_rows<'a>(text: &mut String, (plan, review): (&'a Plan, &'a Review<'a>), layout: Layout, show: &mut dyn FnMut(&str)) {
    let rows = Rows::of(plan, review, layout.detail);
    let entries = review.entries(layout.detail);
    let widths = entries.iter().flat_map(rows::widths);
    let Some(widest) = widths.map(|width| if width <= layout.widest_address() { width } else { 0 }).max() else { return };
    for row in entries.iter().flat_map(|entry| rows.each(entry)) {
        write_row(text, &row, widest, layout);
        for detail in &row.details {
            write_detail(text, &row, detail, layout);
        }
        if text.len() >= TOGETHER {
            show(text);
            text.clear();
        }
    }
    text.push('\n');
}

fn write_row(text: &mut String, row: &Row<'_>, column: usize, layout: Layout) {
    let glyph = layout.style.paint(paint_of(row.action), &format!("{:<3}", row.action.glyph()));
    let indent = row.depth * 2;
    let width = column.saturating_sub(indent).max(row.label.chars().count());
    let start = 6 + indent + width + 2;
    let behind = layout.width.saturating_sub(start);
    // A reason is never cut: where even the shortest has no room behind the address it stands below.
    let below = row.reasons.last().is_some_and(|shortest| shortest.chars().count() > behind);
    let space = if below { layout.width.saturating_sub(10 + indent) } else { behind };
    let fits = |reason: &&String| reason.chars().count() <= space;
    let reason = row.reasons.iter().find(fits).or(row.reasons.last()).cloned().unwrap_or_default();
    let reason = layout.style.paint(Paint::Dim, &reason);
    let _ = if below {
        write!(text, "  {glyph} {:indent$}{}\n          {:indent$}{reason}", "", row.label, "")
    } else {
        write!(text, "  {glyph} {:indent$}{:<width$}  {reason}", "", row.label)
    };
    text.truncate(text.trim_end().len());
    text.push('\n');
}

fn write_detail(text: &mut String, row: &Row<'_>, detail: &rows::Detail<'_>, layout: Layout) {
    let indent = 8 + row.depth * 2;
    match detail {
        rows::Detail::Note(note) => {
            for line in wrapped(note, layout.width.saturating_sub(indent)) {
                let _ = writeln!(text, "{:indent$}{line}", "");
            }
        }
        rows::Detail::Names(title, names) => write_names(text, (title, names), indent, layout),
        rows::Detail::Leaves(difference, replacing) => {
            Leaves { layout, indent, replacing, unknowns: &row.unknowns }.write(text, difference);
        }
        rows::Detail::Attributes(attributes) => {
            let space = (layout.width.saturating_sub(indent), layout.most(attributes::MOST));
            let spread = |(name, value): &(String, Value)| attributes::lines(name, &legible(value), &row.unknowns, space);
            let lines: Vec<_> = attributes.iter().flat_map(spread).collect();
            let column = lines.iter().map(|(path, _)| path.chars().count()).filter(|width| *width <= WIDEST_PATH).max().unwrap_or(0);
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

/// Most lines of names that have something in common.
const LINES_OF_NAMES: usize = 3;

/// Words in lines of so many columns, those after the first indented; a word that is longer stands alone.
fn wrapped(words: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => line.extend([" ", word]),
            Some(_) => lines.push(format!("  {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines
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

fn write_outputs(text: &mut String, outputs: &[OutputChange], layout: Layout) {
    if outputs.is_empty() {
        return;
    }
    let column = outputs.iter().map(|output| key(&output.name).chars().count()).max().unwrap_or(0).min(32);
    let _ = writeln!(text, "{}", layout.style.paint(Paint::Strong, "Outputs"));
    for output in outputs {
        let shown = |value: &Value| inline(&value.clone().sensitive_if(output.sensitive));
        let (action, what) = match (&output.before, &output.after) {
            (None, Some(after)) => (Action::Create, shown(after)),
            (Some(before), Some(after)) => (Action::Update, changed(&shown(before), &shown(after))),
            (Some(before), None) => (Action::Delete, shown(before)),
            (None, None) => continue,
        };
        let glyph = layout.style.paint(paint_of(action), &format!("{:<3}", action.glyph()));
        let line = format!("{:<column$}  {what}", key(&output.name));
        let space = layout.width.saturating_sub(6);
        match (&output.before, &output.after) {
            (Some(before), Some(after)) if line.chars().count() > space && !output.sensitive => {
                let _ = writeln!(text, "  {glyph} {}", key(&output.name));
                let unknowns = Unknowns::default();
                let leaves = Leaves { layout, indent: 8, replacing: &[], unknowns: &unknowns };
                leaves.write(text, &Difference::between(before, after));
            }
            _ => {
                let _ = writeln!(text, "  {glyph} {}", cut(&line, space));
            }
        }
    }
    text.push('\n');
}

fn changed(before: &str, after: &str) -> String {
    if before == after { format!("{after} changes") } else { format!("{before} -> {after}") }
}

fn write_checks(text: &mut String, plan: &Plan, layout: Layout) {
    let shown: Vec<_> = plan.checks.iter().filter(|check| check.status != CheckStatus::Passed).collect();
    if shown.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", layout.style.paint(Paint::Strong, "Checks"));
    for check in shown {
        let (paint, words) = match check.status {
            CheckStatus::Passed => (Paint::Success, "passed"),
            CheckStatus::Failed => (Paint::Warning, "failed"),
            CheckStatus::Unknown => (Paint::Read, "known after apply"),
            CheckStatus::NotRun => (Paint::Dim, "not run"),
        };
        let _ = writeln!(text, "      check.{}  {}", check.name, layout.style.paint(paint, words));
        for message in &check.messages {
            let _ = writeln!(text, "        {}", crate::notation::printable(message));
        }
    }
    text.push('\n');
}

/// The last line: how many of each, or that there is nothing to do.
pub fn summary(plan: &Plan, style: Style) -> String {
    let mut text = match (plan.has_changes(), plan.refresh_only) {
        (false, _) => no_changes(plan),
        (true, true) => refreshed(plan),
        (true, false) => counted(&plan.counts()),
    };
    text.push_str(&blocked::counted(plan));
    let mut line = style.paint(Paint::Strong, &text);
    line.push('\n');
    if plan.has_changes() {
        let _ = writeln!(line, "Plan digest: {}", plan.digest());
    }
    line
}

fn no_changes(plan: &Plan) -> String {
    let why = match (plan.destroy, plan.changes.is_empty() && plan.blocked.is_empty()) {
        (true, _) => "there is nothing to destroy",
        (false, _) if plan.refresh_only => "the state remembers what exists",
        (false, _) if plan.partial => "the part that is aimed at is as configured",
        (false, true) => "the configuration has no resources, and nothing is remembered",
        (false, false) => "what exists is as configured",
    };
    format!("No changes: {why}.")
}

fn refreshed(plan: &Plan) -> String {
    let counts = plan.counts();
    let parts = [(counts.change, "to write down"), (counts.forget, "to forget"), (plan.outputs.len(), "outputs to change")];
    let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}")).collect();
    format!("State: {}; nothing that exists is changed.", parts.join(", "))
}

fn counted(counts: &Counts) -> String {
    let always = [(counts.add, "to add"), (counts.change, "to change"), (counts.replace, "to replace"), (counts.destroy, "to destroy")];
    let sometimes = [(counts.forget, "to forget"), (counts.moved, "to move"), (counts.read, "to read")];
    let first = [(counts.import, "to import")].into_iter().filter(|(count, _)| *count > 0);
    let shown = first.chain(always).chain(sometimes.into_iter().filter(|(count, _)| *count > 0));
    let parts: Vec<String> = shown.map(|(count, words)| format!("{count} {words}")).collect();
    format!("Plan: {}.", parts.join(", "))
}

#[cfg(test)]
mod tests;
