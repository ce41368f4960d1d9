//! Which lines a plan has: every change but those that go without saying.

use super::previews::Unseen;
use super::waits::{Unknowns, Waits};
use crate::Difference;
use engine::address::Address;
use engine::plan::{Action, Change, Plan, Reason};
use engine::value::{Data, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One change on its line.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) action: Action,
    /// The address, or a member's name below its parent.
    pub(super) label: String,
    pub(super) reason: String,
    /// How deep it stands: members stand below their set.
    pub(super) depth: usize,
    pub(super) details: Vec<Detail<'a>>,
    /// What stands for the unknown parts of its arguments.
    pub(super) unknowns: Unknowns,
}

impl Row<'_> {
    /// Why, and how much beside what differs is the same.
    pub(super) fn why(&self) -> String {
        let unchanged = self.details.iter().map(|detail| match detail {
            Detail::Leaves(difference, _) if !difference.leaves.is_empty() => difference.unchanged,
            _ => 0,
        });
        match (unchanged.sum::<usize>(), self.reason.is_empty()) {
            (0, _) => self.reason.clone(),
            (unchanged, true) => format!("{unchanged} unchanged"),
            (unchanged, false) => format!("{}, {unchanged} unchanged", self.reason),
        }
    }
}

/// What stands below a row.
#[derive(Debug)]
pub(super) enum Detail<'a> {
    /// A phrase.
    Note(String),
    /// What differs, and the paths that force a replacement.
    Leaves(Difference, &'a [String]),
    /// Attributes of a new thing.
    Attributes(Vec<(String, &'a Value)>),
}

/// The rows of a plan, in its own order. Each is made when it is written: all at once would be several times the plan.
pub(super) struct Rows<'a> {
    plan: &'a Plan,
    folded: Folded<'a>,
    waits: Waits<'a>,
    unseen: Unseen<'a>,
    /// Sets that a member changes of: they have a line also when they are kept.
    heads: BTreeSet<Address>,
    /// Sets in the plan.
    sets: BTreeSet<&'a Address>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let folded = Folded::of(plan);
        let changing = plan.changes.iter().filter(|change| change.action.is_change() && !folded.hides(change));
        let heads = changing.filter_map(|change| change.address.parent()).collect();
        let parents: BTreeSet<Address> = plan.changes.iter().filter_map(|change| change.address.parent()).collect();
        let sets = plan.changes.iter().map(|change| &change.address).filter(|address| parents.contains(address)).collect();
        Self { plan, folded, waits: Waits::of(plan), unseen: Unseen::of(plan), heads, sets }
    }

    /// How many columns each row takes up to its reason.
    pub(super) fn widths(&self) -> impl Iterator<Item = usize> {
        self.changes().map(|change| {
            let (label, depth) = self.label(change);
            depth * 2 + label.chars().count()
        })
    }

    pub(super) fn each(&self) -> impl Iterator<Item = Row<'a>> {
        self.changes().map(|change| self.row(change))
    }

    fn changes(&self) -> impl Iterator<Item = &'a Change> {
        let wanted = |change: &&Change| !self.folded.hides(change) && (change.action.is_change() || self.heads.contains(&change.address));
        self.plan.changes.iter().filter(wanted)
    }

    fn label(&self, change: &Change) -> (String, usize) {
        let parent = change.address.parent().filter(|parent| self.sets.contains(parent));
        let (mut label, depth) = match (&parent, &change.address.member) {
            (Some(_), Some(member)) => (member.replacen('/', " ", 1), 1),
            _ => (change.address.to_string(), 0),
        };
        if let Some(key) = &change.deposed {
            label.extend([" (deposed ", key, ")"]);
        }
        (label, depth)
    }

    fn row(&self, change: &'a Change) -> Row<'a> {
        let (label, depth) = self.label(change);
        let reason = if change.action == Action::Keep { String::new() } else { change.reason.to_string() };
        let unknowns = self.waits.unknowns(&change.address);
        let mut details = details(change, depth, &unknowns);
        details.extend(change.causes.iter().cloned().chain(self.folded.phrase(change)).map(Detail::Note));
        details.extend(self.unseen.note(change).map(Detail::Note));
        Row { action: change.action, label, reason, depth, details, unknowns }
    }
}

fn details<'a>(change: &'a Change, depth: usize, unknowns: &Unknowns) -> Vec<Detail<'a>> {
    match (&change.before, &change.after) {
        // What a set renders follows from the set's own attributes: its members are named, not spelled out.
        (None, Some(after)) if depth == 0 && change.action == Action::Create => attributes(after, &change.defaults, unknowns),
        (Some(_), Some(_)) if change.action == Action::Import && !change.reason.changes_what_is_imported() => Vec::new(),
        (Some(before), Some(after)) if changes_in_place_or_anew(change.action) => {
            let replacing: &[String] = match &change.reason {
                Reason::CannotUpdate(paths) => paths,
                _ => &[],
            };
            vec![Detail::Leaves(Difference::between(before, after), replacing)]
        }
        _ => Vec::new(),
    }
}

fn changes_in_place_or_anew(action: Action) -> bool {
    matches!(action, Action::Update | Action::Import | Action::Replace | Action::ReplaceCreateFirst)
}

/// The attributes of a new thing that say something: no nulls, no defaults, and those that only apply makes known together at the end.
fn attributes<'a>(after: &'a Value, defaults: &[&str], unknowns: &Unknowns) -> Vec<Detail<'a>> {
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for entry in after.entries() {
        match entry.value.data() {
            Data::Null => {}
            _ if defaults.contains(&&*entry.key) => {}
            Data::Unknown(..) if !unknowns.tells(&entry.key) => unknown.push(entry.key.to_string()),
            _ => known.push((entry.key.to_string(), &entry.value)),
        }
    }
    let mut details = Vec::new();
    if !known.is_empty() {
        details.push(Detail::Attributes(known));
    }
    if !unknown.is_empty() {
        details.push(Detail::Note(format!("known after apply: {}", unknown.join(", "))));
    }
    details
}

/// What goes with its place: counted there, not listed.
struct Folded<'a> {
    within: BTreeMap<&'a Address, usize>,
}

impl<'a> Folded<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut within = BTreeMap::new();
        for place in plan.changes.iter().filter_map(place_of) {
            *within.entry(place).or_default() += 1;
        }
        if !within.is_empty() {
            let changing: BTreeSet<&Address> =
                plan.changes.iter().filter(|change| change.action.is_change()).map(|change| &change.address).collect();
            within.retain(|place, _| changing.contains(place));
        }
        Self { within }
    }

    fn hides(&self, change: &Change) -> bool {
        place_of(change).is_some_and(|place| self.within.contains_key(place))
    }

    /// What the place's own row says of it, unless the plan says so itself.
    fn phrase(&self, change: &Change) -> Option<String> {
        let count = self.within.get(&change.address).filter(|_| change.causes.is_empty())?;
        let (resources, verb) = if *count == 1 { ("resource", "goes") } else { ("resources", "go") };
        Some(match change.action {
            Action::Replace | Action::ReplaceCreateFirst if *count == 1 => "1 resource within it is created again".to_owned(),
            Action::Replace | Action::ReplaceCreateFirst => format!("{count} resources within it are created again"),
            _ => format!("{count} {resources} within it {verb} with it"),
        })
    }
}

fn place_of(change: &Change) -> Option<&Address> {
    match &change.reason {
        Reason::PlaceReplaced(place) | Reason::PlaceDestroyed(place) => Some(place),
        _ => None,
    }
}
