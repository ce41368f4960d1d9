//! What no server was asked about: said below the change it is about, or once for all that have the same reason.

use super::Layout;
use crate::notation::{printable, wrapped};
use crate::style::Paint;
use engine::address::Address;
use engine::plan::{Change, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Most places or changes that are named.
const NAMED: usize = 3;

/// The changes that each reason holds for.
pub(crate) struct Unseen<'a>(BTreeMap<&'a str, Vec<&'a Change>>);

impl<'a> Unseen<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Self {
        let mut changes: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for change in plan.changes.iter().filter(|change| change.action.is_change()) {
            if let Some(why) = change.not_previewed.as_deref() {
                changes.entry(why).or_default().push(change);
            }
        }
        Self(changes)
    }

    /// What a change's own lines say of it.
    pub(crate) fn note(&self, change: &Change) -> Option<String> {
        let why = change.not_previewed.as_deref()?;
        let alone = self.0.get(why).is_none_or(|changes| changes.len() == 1);
        alone.then(|| format!("not previewed: {}", printable(why)))
    }

    /// For each reason that several changes have how many those are, and where, or which.
    pub(crate) fn shared(&self) -> impl Iterator<Item = String> {
        let several = self.0.iter().filter(|(_, changes)| changes.len() > 1);
        several.map(|(why, changes)| format!("{} changes{}: {}", changes.len(), whereabouts(changes), printable(why)))
    }
}

/// The places that changes are in, or themselves where they are few and lie in none.
fn whereabouts(changes: &[&Change]) -> String {
    let places: Option<BTreeSet<&Address>> = changes.iter().map(|change| change.place.as_ref()).collect();
    let (words, named): (_, BTreeSet<&Address>) = match places {
        Some(places) => (" in ", places),
        None => (" of ", changes.iter().map(|change| &change.address).collect()),
    };
    let list: Vec<_> = named.iter().take(NAMED).map(ToString::to_string).collect();
    let more = named.len().saturating_sub(NAMED);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{words}{}{rest}", list.join(", "))
}

/// Writes the reasons that several changes have.
pub(super) fn write(text: &mut String, plan: &Plan, layout: Layout) {
    let unseen = Unseen::of(plan);
    let shared: Vec<_> = unseen.shared().collect();
    if shared.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", layout.style.paint(Paint::Strong, "Not previewed"));
    for reason in shared {
        for line in wrapped(&reason, layout.width.saturating_sub(6)) {
            let _ = writeln!(text, "      {line}");
        }
    }
    text.push('\n');
}
