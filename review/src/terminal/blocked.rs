//! What a plan leaves out because it could not be observed.

use super::Layout;
use crate::notation::printable;
use crate::style::Paint;
use engine::address::Address;
use engine::plan::{Action, Blocked, Plan};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Writes what no apply of this plan brings into reach, each with its reason, and what one does, counted by what it waits for.
pub(super) fn write(text: &mut String, plan: &Plan, layout: Layout) {
    let glyph = layout.style.paint(Paint::Warning, "?  ");
    let lasting: Vec<(String, &Blocked)> =
        plan.blocked.iter().filter(|blocked| blocked.after.is_none()).map(|blocked| (blocked.address.to_string(), blocked)).collect();
    if !lasting.is_empty() {
        let _ = writeln!(text, "{}", layout.style.paint(Paint::Strong, "Not planned, because it could not be observed"));
        let widths = lasting.iter().map(|(address, _)| address.chars().count()).filter(|width| *width <= layout.widest_address());
        let column = widths.max().unwrap_or(0);
        for (address, blocked) in &lasting {
            let _ = writeln!(text, "  {glyph} {address:<column$}  {}", printable(&blocked.why));
        }
        text.push('\n');
    }
    let mut waiting: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for blocked in &plan.blocked {
        if let Some(after) = &blocked.after {
            waiting.entry(after).or_default().push(&blocked.address);
        }
    }
    if waiting.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", layout.style.paint(Paint::Strong, "Read and planned afterwards, because it cannot be reached before"));
    for (after, addresses) in waiting {
        let what = match addresses.as_slice() {
            [only] => format!("{only} is"),
            more => format!("{} resources are", more.len()),
        };
        let _ = writeln!(text, "  {glyph} {what} read after {after} is {}", done(plan, after));
    }
    text.push('\n');
}

/// What stands behind the counts of a plan.
pub(super) fn counted(plan: &Plan) -> String {
    let waiting = plan.blocked.iter().filter(|blocked| blocked.after.is_some()).count();
    let mut text = String::new();
    for (count, words) in [(waiting, "read and planned afterwards"), (plan.blocked.len() - waiting, "could not be observed")] {
        let is = match (count, words.starts_with("read")) {
            (0, _) => continue,
            (_, false) => "",
            (1, true) => "is ",
            (_, true) => "are ",
        };
        let _ = write!(text, " {count} {is}{words}.");
    }
    text
}

/// The word for what is done to a repair.
fn done(plan: &Plan, address: &Address) -> &'static str {
    match plan.change(address).map(|change| change.action) {
        Some(Action::Create) => "created",
        Some(Action::Replace | Action::ReplaceCreateFirst) => "replaced",
        Some(Action::Settle) => "ready",
        _ => "changed",
    }
}
