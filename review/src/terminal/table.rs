//! How much changes where: a line for each place.

use super::Layout;
use crate::review::Review;
use crate::style::Paint;
use engine::plan::{Counts, Plan};
use std::fmt::Write;

/// A column: what it counts, and how it is painted.
pub(crate) type Column = (&'static str, fn(&Counts) -> usize, Paint);

pub(crate) const COLUMNS: [Column; 8] = [
    ("import", |counts| counts.import, Paint::Change),
    ("add", |counts| counts.add, Paint::Add),
    ("change", |counts| counts.change, Paint::Change),
    ("replace", |counts| counts.replace, Paint::Remove),
    ("destroy", |counts| counts.destroy, Paint::Remove),
    ("forget", |counts| counts.forget, Paint::Dim),
    ("move", |counts| counts.moved, Paint::Change),
    ("read", |counts| counts.read, Paint::Read),
];

/// The columns of what occurs.
pub(crate) fn columns(counts: &[(Option<String>, Counts)]) -> Vec<&'static Column> {
    let occurs = |(_, count, _): &&Column| counts.iter().any(|(_, counts)| count(counts) > 0);
    COLUMNS.iter().filter(occurs).collect()
}

/// Writes the table, if changes lie in several places: columns of what occurs.
pub(super) fn write(text: &mut String, plan: &Plan, review: &Review<'_>, layout: Layout) {
    let counts = review.clusters().counts(plan);
    let columns = columns(&counts);
    if counts.is_empty() || columns.is_empty() {
        return;
    }
    let label = |label: &Option<String>| label.clone().unwrap_or_else(|| "in no cluster".to_owned());
    let width = counts.iter().map(|(name, _)| label(name).chars().count()).max().unwrap_or(0).max(8);
    let mut head = format!("{:<width$}", "Clusters");
    for (name, _, _) in &columns {
        let _ = write!(head, "  {name:>7}");
    }
    let _ = writeln!(text, "{}", layout.style.paint(Paint::Strong, &head));
    for (name, counts) in &counts {
        let _ = write!(text, "{:<width$}", label(name));
        for (_, count, paint) in &columns {
            let count = count(counts);
            let paint = if count == 0 { Paint::Dim } else { *paint };
            let _ = write!(text, "  {}", layout.style.paint(paint, &format!("{count:>7}")));
        }
        text.push('\n');
    }
    text.push('\n');
}
