//! What a walk looks at when it is aimed at a part: the rest is neither asked about nor planned.

use super::Walk;
use super::skeleton::{Item, Skeleton};
use crate::address::{Address, Mode};
use crate::plan::{Action, Aims};
use crate::question::wants_data_plane;
use crate::state::{Record, State};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Stands as the reason of what is not planned because nobody aims at it. It is no problem, and not shown.
pub(super) const LEFT_OUT: &str = "left out";

/// Why a check is not run.
pub(super) const UNSEEN: &str = "it looks at what is left out";

/// The same where nothing but what exists is looked at.
const UNAPPLIED: &str = "it looks at what is not applied";

/// Why a check is not run that only something made for it could decide.
pub(super) const UNTOUCHED: &str = "a plan makes nothing to look with: `meshplan check` does";

/// Whether this is why a check is not run, rather than failed.
pub(super) fn is_not_run(why: &str) -> bool {
    [UNSEEN, UNAPPLIED, UNTOUCHED].contains(&why) || wants_data_plane(why)
}

/// Nodes and records that are looked at.
#[derive(Debug, Default)]
pub(super) struct Range {
    /// The nodes that are visited; all if nothing stands here.
    nodes: Option<BTreeSet<usize>>,
    /// Records that are not looked at.
    unread: BTreeSet<Address>,
    /// Places that are not asked, since nothing within is looked at.
    unasked: BTreeSet<Address>,
}

impl Range {
    /// What has to be looked at for aims. More than what is planned in the end: which of many clusters in one variable something lies in
    /// is known only when that is evaluated.
    pub(super) fn new(skeleton: &Skeleton, prior: &State, aims: &Aims, destroy: bool) -> Self {
        if !aims.is_partial() {
            return Self::default();
        }
        let dependents = dependents(prior, |address| aims.targets(address));
        let nodes = (!aims.targets.is_empty()).then(|| visited(skeleton, prior, (aims, &dependents)));
        let looked_at = |address: &Address| {
            let reached = match (&nodes, skeleton.node_of(address)) {
                (None, _) => true,
                (Some(nodes), Some(node)) => nodes.contains(&node),
                // What has no block any more may have to go before something that is aimed at comes.
                (Some(_), None) => !destroy || dependents.contains(address),
            };
            reached && !outwards(prior, address).any(|around| aims.excludes(&around))
        };
        let (read, unread): (BTreeSet<_>, BTreeSet<_>) = prior.resources.keys().cloned().partition(|address| looked_at(address));
        let around: BTreeSet<_> = read.iter().flat_map(|address| outwards(prior, address)).collect();
        let is_used = |place: &Address| {
            let described = skeleton.node_of(place).is_some_and(|node| nodes.as_ref().is_some_and(|nodes| nodes.contains(&node)));
            (described || around.contains(place)) && !aims.excludes(place)
        };
        let unasked = prior.places.keys().filter(|place| !is_used(place)).cloned().collect();
        Self { nodes, unread, unasked }
    }

    /// Whether a node is visited.
    pub(super) fn visits(&self, node: usize) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.contains(&node))
    }

    /// Whether the world is asked about a record.
    pub(super) fn reads(&self, address: &Address) -> bool {
        !self.unread.contains(address)
    }

    /// Whether a place is asked.
    pub(super) fn asks(&self, place: &Address) -> bool {
        !self.unasked.contains(place)
    }
}

/// An address, the place that its object lies in, the one around that, and so on; each of all its objects.
pub(super) fn outwards(prior: &State, address: &Address) -> impl Iterator<Item = Address> {
    let mut found = BTreeSet::new();
    let mut open = vec![address.clone()];
    while let Some(next) = open.pop() {
        let objects = prior.resources.get(&next);
        let records = objects.into_iter().flat_map(|objects| objects.current.iter().chain(objects.deposed.values()));
        if found.insert(next) {
            open.extend(records.filter_map(|record| record.place.clone()));
        }
    }
    found.into_iter()
}

/// The records that are chosen, and all that were made from them or lie within them, over however many others.
pub(super) fn dependents(prior: &State, chosen: impl Fn(&Address) -> bool) -> BTreeSet<Address> {
    let mut made_from: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for (address, _, record) in prior.records() {
        for needed in needed(record) {
            made_from.entry(needed).or_default().push(address);
        }
    }
    let known = prior.resources.keys().chain(prior.places.keys());
    let mut open: Vec<&Address> = known.filter(|address| chosen(address)).collect();
    let mut found = BTreeSet::new();
    while let Some(address) = open.pop() {
        if found.insert(address.clone()) {
            open.extend(made_from.get(address).into_iter().flatten());
        }
    }
    found
}

/// What a record was made from and lies in.
pub(super) fn needed(record: &Record) -> impl Iterator<Item = &Address> {
    record.depends_on.iter().chain(&record.place)
}

/// The nodes of what is aimed at and of all that these refer to; of the records that depend on it, since some of them may have to go or
/// change before it does; and of what lies in a place among these, since it goes with the place.
fn visited(skeleton: &Skeleton, prior: &State, (aims, dependents): (&Aims, &BTreeSet<Address>)) -> BTreeSet<usize> {
    let needs = skeleton.needs();
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> =
        (0..skeleton.nodes.len()).filter(|node| aims.targets.iter().any(|of| skeleton.is_meant(*node, of))).collect();
    open.extend(dependents.iter().filter_map(|address| skeleton.node_of(address)));
    while !open.is_empty() {
        while let Some(node) = open.pop() {
            if found.insert(node) {
                open.extend(&needs[node]);
            }
        }
        let managed = prior.places.keys().filter(|place| place.mode == Mode::Managed);
        let taken = managed.filter(|place| skeleton.node_of(place).is_some_and(|node| found.contains(&node)));
        let within = taken.flat_map(|place| prior.within(place)).filter_map(|address| skeleton.node_of(&address));
        open.extend(within.filter(|node| !found.contains(node)));
    }
    // Outputs and checks that say something of these alone.
    let mut outside = vec![false; skeleton.nodes.len()];
    for node in &skeleton.order {
        let is_resource = matches!(skeleton.nodes[*node].item, Item::Resource(_));
        outside[*node] = (is_resource && !found.contains(node)) || needs[*node].iter().any(|needed| outside[*needed]);
    }
    let says = |node: &usize| match skeleton.nodes[*node].item {
        Item::Output(_) => skeleton.nodes[*node].module == 0,
        Item::Check(_) => true,
        _ => false,
    };
    let mut open: Vec<usize> = (0..skeleton.nodes.len()).filter(|node| says(node) && !outside[*node]).collect();
    while let Some(node) = open.pop() {
        if found.insert(node) {
            open.extend(&needs[node]);
        }
    }
    found
}

impl Walk<'_> {
    /// Why a check is not run that looks at what is not planned.
    pub(super) fn unseen(&self) -> &'static str {
        if self.inputs.aims.refresh_only { UNAPPLIED } else { UNSEEN }
    }

    /// Places that are destroyed take what lies within along only if nobody keeps them: of a part, those that are aimed at or have to go
    /// before what is; without what is excluded, those that nothing of it lies in or needs.
    pub(super) fn may_die(&self, unwanted: &BTreeSet<Address>) -> BTreeSet<Address> {
        let aims = &self.inputs.aims;
        let places = self.prior.places.keys().cloned();
        if !aims.targets.is_empty() {
            let ends = |address: &Address| {
                let replaced = |action| matches!(action, Action::Replace | Action::ReplaceCreateFirst);
                unwanted.contains(address) || self.tables.planned(address).is_some_and(|planned| replaced(planned.action))
            };
            return dependents(&self.prior, |address| aims.targets(address) && ends(address));
        }
        let excluded: Vec<_> = self.prior.resources.keys().filter(|address| aims.excludes(address)).cloned().collect();
        let (mut kept, mut open) = (BTreeSet::new(), excluded);
        while let Some(address) = open.pop() {
            let objects = self.prior.resources.get(&address);
            let records = objects.into_iter().flat_map(|objects| objects.current.iter().chain(objects.deposed.values()));
            if kept.insert(address) {
                open.extend(records.flat_map(needed).cloned());
            }
        }
        places.filter(|place| !kept.contains(place)).collect()
    }
}

/// Whether this is said of what nobody aims at.
pub(super) fn is_left_out(why: &Arc<str>) -> bool {
    &**why == LEFT_OUT
}
