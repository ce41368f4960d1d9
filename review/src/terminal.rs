//! A plan as text: the glyph, the address, why; below it what differs.

mod attributes;
mod blocked;
mod leaves;
mod lines;
mod outside;
mod previews;
mod rows;
mod states;
pub(crate) mod table;
mod waits;

pub use states::between;

use crate::Difference;
use crate::entry::{Detail, Entry};
use crate::keyed;
use crate::notation::{cut, inline, key};
use crate::review::Review;
use crate::style::{Paint, Style, paint_of};
use engine::plan::{Action, Change, CheckStatus, Counts, OutputChange, Plan};
use engine::value::Value;
use leaves::Leaves;
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
    write_outputs(&mut text, &plan.outputs, &|name| Waits::of(plan).of_output(name), layout);
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
        match part {
            Part::Everything => lines::write(&mut text, &row, 0, layout),
            Part::Lines => lines::write_row(&mut text, &row, 0, layout),
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
    write_outputs(&mut text, &plan.outputs, &|name| Waits::of(plan).of_output(name), layout);
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
    lines::write_row(text, &row, 0, layout);
}

/// Differences, each leaf on a line behind so many columns.
pub fn difference_lines(text: &mut String, difference: &Difference, indent: usize, layout: Layout) {
    Leaves::of(layout, indent, &Unknowns::default()).write(text, difference);
}

fn write_rows<'a>(text: &mut String, (plan, review): (&'a Plan, &'a Review<'a>), layout: Layout, show: &mut dyn FnMut(&str)) {
    let rows = Rows::of(plan, review, layout.detail);
    let entries = review.entries(layout.detail);
    let entries = if layout.detail == Detail::Folded { keyed::together(entries) } else { entries };
    let widths = entries.iter().flat_map(rows::widths);
    let Some(widest) = widths.map(|width| if width <= layout.widest_address() { width } else { 0 }).max() else { return };
    for row in entries.iter().flat_map(|entry| rows.each(entry)) {
        lines::write(text, &row, widest, layout);
        if text.len() >= TOGETHER {
            show(text);
            text.clear();
        }
    }
    text.push('\n');
}

fn write_outputs(text: &mut String, outputs: &[OutputChange], waits: &dyn Fn(&str) -> Unknowns, layout: Layout) {
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
                Leaves::of(layout, 8, &Unknowns::default()).write(text, &Difference::between(before, after));
            }
            (None, Some(after)) if !after.is_known() && !output.sensitive => {
                let lines = attributes::lines(&key(&output.name), after, &waits(&output.name), (space, layout.most(attributes::MOST)));
                for (at, (path, words)) in lines.iter().enumerate() {
                    let glyph = if at == 0 { &*glyph } else { "   " };
                    let _ = writeln!(text, "  {glyph} {}", cut(&format!("{path:<column$}  {words}"), space));
                }
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
pub(crate) mod tests;
