//! How much changes where: a line for each place.

use super::Layout;
use crate::clusters::Tally;
use crate::review::Review;
use crate::style::Paint;
use engine::plan::Plan;
use std::fmt::Write;

/// A column: what it counts, and how it is painted.
pub(crate) type Column = (&'static str, fn(&Tally) -> usize, Paint);

pub(crate) const COLUMNS: [Column; 9] = [
    ("blocked", |tally| tally.blocked, Paint::Warning),
    ("import", |tally| tally.planned.import, Paint::Change),
    ("add", |tally| tally.planned.add, Paint::Add),
    ("change", |tally| tally.planned.change, Paint::Change),
    ("replace", |tally| tally.planned.replace, Paint::Remove),
    ("destroy", |tally| tally.planned.destroy, Paint::Remove),
    ("forget", |tally| tally.planned.forget, Paint::Dim),
    ("move", |tally| tally.planned.moved, Paint::Change),
    ("read", |tally| tally.planned.read, Paint::Read),
];

/// The columns of what occurs.
pub(crate) fn columns(tallies: &[(Option<String>, Tally)]) -> Vec<&'static Column> {
    let occurs = |(_, count, _): &&Column| tallies.iter().any(|(_, tally)| count(tally) > 0);
    COLUMNS.iter().filter(occurs).collect()
}

/// Writes the table, if changes lie in several places: columns of what occurs.
pub(super) fn write(text: &mut String, plan: &Plan, review: &Review<'_>, layout: Layout) {
    let counts = review.clusters().tallies(plan);
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
