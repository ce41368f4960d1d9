//! A plan as it is reviewed: which places, which changes, what is the same about them.

use crate::clusters::Clusters;
use crate::definitions::Definitions;
use crate::entry::{Detail, Entry, Grouping};
use engine::address::Address;
use engine::plan::{Action, Change, Plan, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// What of a plan has a line: every change but those that go without saying.
pub struct Review<'a> {
    changes: Vec<&'a Change>,
    folded: Folded<'a>,
    clusters: Clusters<'a>,
    definitions: Definitions,
    /// Sets of which something is in the plan.
    sets: BTreeSet<Address>,
}

impl<'a> Review<'a> {
    /// Looks at a plan.
    pub fn of(plan: &'a Plan) -> Self {
        let folded = Folded::of(plan);
        let shown = |change: &&Change| change.action.is_change() && !folded.hides(change);
        let heads: BTreeSet<Address> = plan.changes.iter().filter(shown).filter_map(|change| change.address.parent()).collect();
        let wanted = |change: &&Change| !folded.hides(change) && (change.action.is_change() || heads.contains(&change.address));
        let changes: Vec<&Change> = plan.changes.iter().filter(wanted).collect();
        let parents: BTreeSet<Address> = changes.iter().filter_map(|change| change.address.parent()).collect();
        let sets = changes.iter().map(|change| &change.address).filter(|address| parents.contains(address)).cloned().collect();
        let mut definitions = Definitions::default();
        for change in plan.changes.iter().filter(|change| change.address.member.is_some()) {
            for side in [&change.before, &change.after].into_iter().flatten() {
                side.present("manifest").into_iter().for_each(|object| definitions.learn(object));
            }
        }
        Self { changes, folded, clusters: Clusters::of(plan), definitions, sets }
    }

    /// The places.
    pub fn clusters(&self) -> &Clusters<'a> {
        &self.clusters
    }

    /// What changes, replacements and deletions first, otherwise in the order of the plan.
    pub fn entries(&'a self, detail: Detail) -> Vec<Entry<'a>> {
        let mut members: BTreeMap<Address, Vec<&'a Change>> = BTreeMap::new();
        let mut heads = Vec::new();
        for change in &self.changes {
            match change.address.parent().filter(|parent| self.sets.contains(parent)) {
                Some(parent) => members.entry(parent).or_default().push(change),
                None => heads.push(*change),
            }
        }
        Grouping { clusters: &self.clusters, definitions: &self.definitions, detail }.entries(&heads, &members)
    }

    /// What goes with a place and has no line of its own.
    pub fn within(&self, change: &Change) -> &[&'a Change] {
        self.folded.within.get(&change.address).map(Vec::as_slice).unwrap_or_default()
    }

    /// What goes with a place and has no line of its own, counted at the place.
    pub fn goes_with(&self, change: &Change) -> Option<String> {
        self.folded.phrase(change)
    }
}

/// What goes with its place: counted there, not listed.
struct Folded<'a> {
    within: BTreeMap<&'a Address, Vec<&'a Change>>,
}

impl<'a> Folded<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut within: BTreeMap<&Address, Vec<&Change>> = BTreeMap::new();
        for change in &plan.changes {
            if let Some(place) = place_of(change) {
                within.entry(place).or_default().push(change);
            }
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
        let count = self.within.get(&change.address).filter(|_| change.causes.is_empty())?.len();
        let (resources, verb) = if count == 1 { ("resource", "goes") } else { ("resources", "go") };
        Some(match change.action {
            Action::Replace | Action::ReplaceCreateFirst if count == 1 => "1 resource within it is created again".to_owned(),
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
