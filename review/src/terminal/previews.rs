//! What no server was asked about: said below the change it is about, or once for all that have the same reason.

use super::Layout;
use crate::notation::{printable, wrapped};
use crate::style::Paint;
use engine::plan::{Change, Plan};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many changes have each reason.
pub(crate) struct Unseen<'a>(BTreeMap<&'a str, usize>);

impl<'a> Unseen<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Self {
        let mut counts = BTreeMap::new();
        for why in plan.changes.iter().filter(|change| change.action.is_change()).filter_map(|change| change.not_previewed.as_deref()) {
            *counts.entry(why).or_default() += 1;
        }
        Self(counts)
    }

    /// What a change's own lines say of it.
    pub(crate) fn note(&self, change: &Change) -> Option<String> {
        let why = change.not_previewed.as_deref()?;
        let alone = self.0.get(why).is_none_or(|count| *count == 1);
        alone.then(|| format!("not previewed: {}", printable(why)))
    }

    /// Reasons that several changes have, with how many.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (&'a str, usize)> {
        self.0.iter().filter(|(_, count)| **count > 1).map(|(why, count)| (*why, *count))
    }
}

/// Writes the reasons that several changes have.
pub(super) fn write(text: &mut String, plan: &Plan, layout: Layout) {
    let unseen = Unseen::of(plan);
    let shared: Vec<_> = unseen.shared().collect();
    if shared.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", layout.style.paint(Paint::Strong, "Not previewed"));
    for (why, count) in shared {
        for line in wrapped(&format!("{count} changes: {}", printable(why)), layout.width.saturating_sub(6)) {
            let _ = writeln!(text, "      {line}");
        }
    }
    text.push('\n');
}
