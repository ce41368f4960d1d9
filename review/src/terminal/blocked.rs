//! What a plan leaves out because it could not be observed.

use super::Layout;
use crate::entry::Detail;
use crate::notation::printable;
use crate::style::Paint;
use engine::address::Address;
use engine::plan::{Action, Blocked, Plan};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Writes what no apply of this plan brings into reach, each with its reason, and what one does, counted by what it waits for.
pub(super) fn write(text: &mut String, plan: &Plan, layout: Layout) {
    let glyph = layout.style.paint(Paint::Warning, "?  ");
    let lasting = lasting(plan, layout);
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

/// What no apply brings into reach: what it is called, and one of those that it stands for. Members are counted at a set that stands there
/// for the same reason, unless all are wanted.
fn lasting(plan: &Plan, layout: Layout) -> Vec<(String, &Blocked)> {
    let lasting = || plan.blocked.iter().filter(|blocked| blocked.after.is_none());
    let reasons: BTreeMap<&Address, &str> = lasting().map(|blocked| (&blocked.address, &*blocked.why)).collect();
    let mut members: BTreeMap<Address, usize> = BTreeMap::new();
    let mut shown = Vec::new();
    for blocked in lasting() {
        match blocked.address.parent().filter(|parent| reasons.get(parent) == Some(&&*blocked.why)) {
            Some(parent) if layout.detail == Detail::Folded => *members.entry(parent).or_default() += 1,
            _ => shown.push(blocked),
        }
    }
    let named = |blocked: &'_ Blocked| match members.get(&blocked.address) {
        Some(1) => format!("{} and its member", blocked.address),
        Some(count) => format!("{} and its {count} members", blocked.address),
        None => blocked.address.to_string(),
    };
    shown.into_iter().map(|blocked| (named(blocked), blocked)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_counted_at_a_set_that_is_blocked_for_the_same_reason() {
        let blocked = |address: Address, why: &str| Blocked { address, why: why.into(), after: None };
        let [one, two] = ["one", "two"].map(|name| Address::managed("k", name));
        let refused = |address: Address| blocked(address, "connection refused");
        let mut all = vec![refused(one.clone()), refused(one.with_member("Role/a")), refused(one.with_member("Role/b"))];
        all.extend([refused(two.clone()), refused(two.with_member("Role/a")), blocked(two.with_member("Role/b"), "no answer")]);
        let plan = Plan { blocked: all, ..Plan::default() };
        let named = |detail| {
            let layout = Layout { width: 120, detail, ..Layout::default() };
            lasting(&plan, layout).into_iter().map(|(name, blocked)| format!("{name}: {}", blocked.why)).collect::<Vec<_>>()
        };
        let expected = ["k.one and its 2 members: connection refused", "k.two and its member: connection refused"];
        assert_eq!(named(Detail::Folded), [expected[0], expected[1], "k.two/Role/b: no answer"]);
        assert_eq!(named(Detail::Full).len(), 6);
    }
}
