//! What cannot be reached before this plan repairs what it is reached through. It is planned from what is remembered as far as that comes to
//! an update in place, which reads it first; everything else is read, and planned, after the apply.

use super::Walk;
use super::range::is_left_out;
use super::tables::{Fate, Planned};
use super::world::Seen;
use crate::address::{Address, Mode};
use crate::plan::{Action, Blocked, Reason};
use crate::state::{Record, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is repaired, as far as somebody asked.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// What repairs the way to a place, if anything does.
    places: BTreeMap<Address, Option<Address>>,
    /// What is waited for, by the words that say so. Whatever depends on a thing that is not planned is not planned for the same words.
    reasons: BTreeMap<Arc<str>, Address>,
}

impl Repairs {
    /// Words about what waits for something that could not be observed for this reason: it is planned after the same repair, if there is one.
    pub(super) fn said_of(&mut self, why: &Arc<str>, words: String) -> Arc<str> {
        let words: Arc<str> = words.into();
        if let Some(repair) = self.reasons.get(why).cloned() {
            self.reasons.insert(words.clone(), repair);
        }
        words
    }
}

impl Walk<'_> {
    /// Why a thing is not planned that could not be observed. If this plan changes the place that does not answer, something that place
    /// came from, or, where the place does answer, something the thing came from, the words say so and [`Walk::not_planned`] knows them.
    pub(super) fn unobserved_because(&mut self, why: Arc<str>, place: Option<&Address>, sources: &[Address]) -> Arc<str> {
        if is_left_out(&why) {
            return why;
        }
        let silent = place.filter(|place| matches!(self.recorded_place(place), Seen::Unreachable(_)));
        let repair = match silent {
            Some(place) => self.repair_of(place),
            None => self.first_changed(sources),
        };
        let Some(repair) = repair else { return why };
        let words: Arc<str> = format!("cannot be read before `{repair}` has changed: {why}").into();
        self.repairs.reasons.insert(words.clone(), repair);
        words
    }

    /// Whether a thing that cannot be read for this reason can be once this plan has repaired the way to its place, which stays the same
    /// one: until then it is as it is remembered.
    pub(super) fn comes_into_reach(&self, record: &Record, place: Option<&Address>, why: &Arc<str>) -> bool {
        let Some(place) = place.filter(|place| record.place.as_ref() == Some(place) && place.mode == Mode::Managed) else { return false };
        let stays =
            self.tables.planned(place).is_some_and(|planned| matches!(planned.action, Action::Keep | Action::Update | Action::Settle));
        let silent = matches!(self.recorded_place(place), Seen::Unreachable(_));
        stays && silent && record.status == Status::Ready && self.repairs.reasons.contains_key(why)
    }

    /// What becomes of an instance that was planned from what is remembered: it is kept or changed in place, with all its members, or it
    /// waits until it can be read.
    pub(super) fn judge_unread(&mut self, planned: Planned) -> Fate {
        let members = planned.members.iter().flatten();
        let mut members = members.map(|member| self.tables.planned(&member.address));
        if planned.unread.is_none() || (is_mild(&planned) && members.all(|member| member.is_some_and(is_mild))) {
            return Fate::Planned(Box::new(planned));
        }
        self.put_off(planned)
    }

    /// Leaves an instance that was planned from what is remembered, and its members, for when it can be read.
    pub(super) fn put_off(&mut self, planned: Planned) -> Fate {
        let Some(why) = planned.unread else { return Fate::Planned(Box::new(planned)) };
        for member in planned.members.iter().flatten() {
            if self.tables.planned(&member.address).is_some() {
                self.tables.fates.insert(member.address.clone(), Fate::Blocked(why.clone()));
            }
        }
        Fate::Blocked(why)
    }

    /// An instance that is not planned, for review.
    pub(super) fn not_planned(repairs: &Repairs, address: Address, why: Arc<str>) -> Blocked {
        let after = repairs.reasons.get(&why).cloned();
        Blocked { address, why, after }
    }

    fn repair_of(&mut self, place: &Address) -> Option<Address> {
        if let Some(known) = self.repairs.places.get(place) {
            return known.clone();
        }
        let found = self.first_changed(std::slice::from_ref(place));
        self.repairs.places.insert(place.clone(), found.clone());
        found
    }

    /// The nearest of these, and of what they came from, that this plan makes or changes.
    fn first_changed(&self, sources: &[Address]) -> Option<Address> {
        let mut seen = BTreeSet::new();
        let mut level: Vec<Address> = sources.to_vec();
        while !level.is_empty() {
            level.retain(|address| seen.insert(address.clone()));
            if let Some(changed) = level.iter().find(|address| self.is_made_or_changed(address)) {
                return Some(changed.clone());
            }
            level = level.iter().flat_map(|address| self.sources_of(address)).collect();
        }
        None
    }

    fn is_made_or_changed(&self, address: &Address) -> bool {
        let changes = |action| {
            let makes = matches!(action, Action::Create | Action::Replace | Action::ReplaceCreateFirst);
            makes || matches!(action, Action::Update | Action::Import | Action::Settle)
        };
        address.mode == Mode::Managed && self.tables.planned(address).is_some_and(|planned| changes(planned.action))
    }

    fn sources_of(&self, address: &Address) -> Vec<Address> {
        if let Some(planned) = self.tables.planned(address).filter(|planned| !planned.arguments.is_null()) {
            return self.made_from(planned.edges, address);
        }
        self.prior.record(address).map_or_else(Vec::new, |record| record.depends_on.iter().chain(&record.place).cloned().collect())
    }
}

/// Whether an instance is kept or changed in place, and nothing else. Of what was not seen it has to be known which parts change: what else
/// differs from what is remembered stops the change.
fn is_mild(planned: &Planned) -> bool {
    match planned.action {
        Action::Keep => true,
        Action::Update => planned.observed.is_some() || matches!(&planned.reason, Reason::Configuration(paths) if !paths.is_empty()),
        Action::Settle => planned.reason == Reason::MembersChange,
        _ => false,
    }
}
