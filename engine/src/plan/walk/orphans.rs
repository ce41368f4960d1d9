//! What the state remembers and the configuration no longer desires.

use super::range::is_left_out;
use super::skeleton::Item;
use super::tables::{Fate, Instances, Keys, Planned, Terms};
use super::world::Seen;
use super::{FAILED, LEFT_OUT, Walk};
use crate::address::{Address, Mode};
use crate::config::ResourceName;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Reason};
use crate::state::Record;
use crate::value::{Origin, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Why a record has no instance.
enum Orphan {
    /// It is not desired.
    Unwanted(Reason),
    /// What would tell could not be observed.
    Blocked(Arc<str>),
    /// What would tell is in error.
    Failed,
}

impl Walk<'_> {
    /// Gives every record without an instance its fate. A group that could not expand has no orphans: its records are blocked.
    pub(super) fn plan_orphans(&mut self) {
        let addresses: Vec<_> = self.prior.resources.keys().filter(|address| !self.tables.fates.contains_key(address)).cloned().collect();
        let mut unwanted = Vec::new();
        for address in addresses {
            if !self.range.reads(&address) {
                self.tables.fates.insert(address, Fate::Blocked(LEFT_OUT.into()));
                continue;
            }
            match self.orphan(&address) {
                Orphan::Unwanted(reason) => unwanted.push((address, reason)),
                Orphan::Blocked(why) => {
                    self.tables.fates.insert(address, Fate::Blocked(why));
                }
                Orphan::Failed => {
                    self.tables.fates.insert(address, Fate::Failed);
                }
            }
        }
        // Places before what lies within them: a place that cannot be deleted takes nothing with it.
        unwanted.sort_by_cached_key(|(address, _)| (!self.prior.places.contains_key(address), self.depth(address)));
        let (mut dying, mut given_up) = (self.replaced_places(), BTreeSet::new());
        let partial = self.inputs.aims.is_partial();
        let may_die = partial.then(|| self.may_die(&unwanted.iter().map(|(address, _)| address.clone()).collect()));
        for (address, reason) in unwanted {
            let Some(record) = self.prior.record(&address).cloned() else { continue };
            if self.moves.gives_up(&address) || record.place.as_ref().is_some_and(|place| given_up.contains(place)) {
                given_up.insert(address.clone());
                let fate = self.gone(&address, &record, (Action::Forget, Reason::Removed), false);
                self.tables.fates.insert(address, fate);
                continue;
            }
            let fate = self.unwanted(&address, &record, reason, &dying);
            let dies = may_die.as_ref().is_none_or(|places| places.contains(&address));
            if dies && matches!(fate, Fate::Planned(_)) && self.prior.places.contains_key(&address) {
                dying.insert(address.clone());
            }
            self.tables.fates.insert(address, fate);
        }
        self.hold_back_members();
        self.plan_deposed(&dying);
    }

    /// What a set renders no more stays while somebody who reads the set cannot be changed to do without it: whoever holds a token still
    /// needs it.
    fn hold_back_members(&mut self) {
        let goes = |fate: Option<&Fate>| matches!(fate, Some(Fate::Planned(it)) if matches!(it.action, Action::Delete | Action::Forget));
        let fates = &self.tables.fates;
        let given_up = |address: &Address| goes(fates.get(address)) && address.parent().is_some_and(|set| !goes(fates.get(&set)));
        let members: Vec<Address> = self.prior.resources.keys().filter(|address| given_up(address)).cloned().collect();
        let sets: BTreeSet<Address> = members.iter().filter_map(Address::parent).collect();
        let mut held = BTreeMap::new();
        for (dependent, _, record) in self.prior.records() {
            let Some(Fate::Blocked(why)) = fates.get(dependent) else { continue };
            for set in record.depends_on.intersection(&sets).filter(|set| dependent.parent().as_ref() != Some(set)) {
                let because = || format!("`{dependent}` may still use it, and could not be observed: {why}");
                held.entry(set.clone()).or_insert_with(|| if is_left_out(why) { why.clone() } else { because().into() });
            }
        }
        for member in members {
            if let Some(why) = member.parent().and_then(|set| held.get(&set)) {
                self.tables.fates.insert(member, Fate::Blocked(why.clone()));
            }
        }
    }

    /// How many places lie around a record.
    fn depth(&self, address: &Address) -> usize {
        let outer = |address: &Address| self.prior.record(address)?.place.clone();
        // A state that somebody wrote by hand may hold a circle.
        std::iter::successors(outer(address), outer).take(self.prior.places.len()).count()
    }

    /// The places that this plan replaces.
    fn replaced_places(&self) -> BTreeSet<Address> {
        let replaced = self.prior.places.keys().filter(|place| {
            self.tables.planned(place).is_some_and(|planned| matches!(planned.action, Action::Replace | Action::ReplaceCreateFirst))
        });
        replaced.cloned().collect()
    }

    /// Deposed objects are deleted whatever becomes of the current ones.
    fn plan_deposed(&mut self, dying: &BTreeSet<Address>) {
        let deposed: Vec<_> =
            self.prior.records().filter_map(|(address, key, record)| Some((address.clone(), key?.clone(), record.clone()))).collect();
        for (address, key, record) in deposed {
            if !self.range.reads(&address) || record.place.as_ref().is_some_and(|place| dying.contains(place)) {
                continue;
            }
            let action = match self.seen(&address, Some(&key), &record) {
                Seen::Present(_) | Seen::Remembered => Action::Delete,
                Seen::Absent => Action::Forget,
                Seen::Unreachable(why) => {
                    let sources: Vec<_> = record.depends_on.iter().cloned().collect();
                    let why = self.unobserved_because(why, record.place.as_ref(), &sources);
                    self.unobserved.push(Self::not_planned(&self.repairs, address, why));
                    continue;
                }
                Seen::Refused(problem) => {
                    self.tables.diagnostics.push(problem.about(&address));
                    continue;
                }
                Seen::Pending => continue,
            };
            self.deposed.insert((address, key), action);
        }
    }

    fn orphan(&self, address: &Address) -> Orphan {
        if self.inputs.destroy {
            return Orphan::Unwanted(Reason::Destroy);
        }
        if let Some(parent) = address.parent() {
            return match self.tables.fates.get(&parent) {
                Some(Fate::Planned(_)) => Orphan::Unwanted(Reason::NotInConfiguration),
                Some(Fate::Blocked(why)) => Orphan::Blocked(why.clone()),
                Some(Fate::Failed) => Orphan::Failed,
                None => self.orphan(&parent),
            };
        }
        let Some(module) = self.tables.static_module(&address.module) else { return Orphan::Unwanted(Reason::NotInConfiguration) };
        let name = ResourceName { mode: Mode::Managed, kind: address.kind.clone(), name: address.name.clone() };
        let Some(node) = self.tables.skeleton.find(module, &Item::Resource(name)) else {
            return Orphan::Unwanted(Reason::NotInConfiguration);
        };
        match &self.tables.modules[module] {
            Instances::Blocked(why) => return Orphan::Blocked(why.clone()),
            Instances::Failed | Instances::Open => return Orphan::Failed,
            Instances::Known(_) => {}
        }
        match self.tables.group(node, &address.module).map(|group| &group.keys) {
            Some(Keys::Blocked(why)) => Orphan::Blocked(why.clone()),
            Some(Keys::Failed | Keys::Open) => Orphan::Failed,
            Some(Keys::Known(_)) | None => Orphan::Unwanted(Reason::KeyGone),
        }
    }

    fn unwanted(&mut self, address: &Address, record: &Record, reason: Reason, dying: &BTreeSet<Address>) -> Fate {
        let with_place = record.place.clone().filter(|place| dying.contains(place));
        let seen = match self.seen(address, None, record) {
            Seen::Present(value) if self.is_another(address, record, &value) => Seen::Absent,
            seen => seen,
        };
        let (action, reason) = match (seen, &with_place) {
            (_, Some(place)) => (Action::Delete, Reason::PlaceDestroyed(place.clone())),
            (Seen::Unreachable(why), None) => {
                let sources: Vec<_> = record.depends_on.iter().cloned().collect();
                return Fate::Blocked(self.unobserved_because(why, record.place.as_ref(), &sources));
            }
            (Seen::Refused(problem), None) => {
                self.tables.diagnostics.push(problem.about(address));
                return Fate::Failed;
            }
            (Seen::Pending, None) => return Fate::Blocked(FAILED.into()),
            (Seen::Absent, None) => (Action::Forget, Reason::Gone),
            (Seen::Present(_) | Seen::Remembered, None) => (Action::Delete, reason),
        };
        if record.prevent_destroy && action == Action::Delete {
            let detail = format!("`{address}` has `prevent_destroy`, and this plan would destroy it");
            let help = "Apply a configuration that keeps it and sets `prevent_destroy = false` first.";
            self.tables.diagnostics.push(Diagnostic::error("protected resource", detail).about(address).help(help));
            return Fate::Failed;
        }
        self.gone(address, record, (action, reason), with_place.is_some())
    }

    pub(super) fn gone(&mut self, address: &Address, record: &Record, (action, reason): (Action, Reason), dies_with_place: bool) -> Fate {
        let Some(kind) = self.catalogue.get(Mode::Managed, &record.kind).cloned() else {
            let detail = format!("the state holds `{address}` of the kind `{}`, which this meshplan does not know", record.kind);
            let help = format!("Use a meshplan that knows the kind, or let `meshplan state rm '{address}'` forget it.");
            self.tables.diagnostics.push(Diagnostic::error("unknown kind in state", detail).about(address).help(help));
            return Fate::Failed;
        };
        Fate::Planned(Box::new(Planned {
            kind,
            action,
            reason,
            arguments: Value::null(),
            attributes: Value::null(),
            prior: Some(Box::new(record.clone())),
            observed: None,
            edges: Origin::NONE,
            place: record.place.clone(),
            settles: false,
            dies_with_place,
            not_previewed: None,
            terms: Terms::default(),
            members: None,
        }))
    }
}
