//! What was changed or deleted outside since it was written down.

use super::Layout;
use crate::notation::printable;
use crate::style::Paint;
use engine::plan::{Change, Plan, Reason};
use std::fmt::Write;

/// Writes the section, if there is anything to say: each thing with what happened to it, by whom and when as far as that is known.
pub(super) fn write(text: &mut String, plan: &Plan, layout: Layout) {
    let label = |change: &Change| match &change.deposed {
        Some(_) => format!("{} (deposed)", change.address),
        None => change.address.to_string(),
    };
    let all: Vec<(String, &Change)> = plan.drift().map(|change| (label(change), change)).collect();
    if all.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", layout.style.paint(Paint::Strong, "Changed outside"));
    let column = all.iter().map(|(label, _)| label.chars().count()).filter(|width| *width <= layout.widest_address()).max().unwrap_or(0);
    for (label, change) in &all {
        let _ = writeln!(text, "      {label:<column$}  {}", what(change));
    }
    text.push('\n');
}

fn what(change: &Change) -> String {
    let Reason::Drift(drift) = &change.reason else { return "deleted".to_owned() };
    let paths: Vec<_> = drift.paths.iter().map(|path| format!("`{path}`")).collect();
    let by = if drift.by.is_empty() { String::new() } else { format!(" {}", drift.by.join(" and ")) };
    printable(&format!("{}{by}", paths.join(", ")))
}
