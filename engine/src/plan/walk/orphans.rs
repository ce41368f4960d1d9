//! What the state remembers and the configuration no longer desires.

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
pub(super) enum Orphan {
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
        let partial = self.inputs.aims.is_partial();
        let may_die = partial.then(|| self.may_die(&unwanted.iter().map(|(address, _)| address.clone()).collect()));
        let (mut held, said) = (BTreeMap::new(), self.tables.diagnostics.len());
        let dying = loop {
            let dying = self.plan_unwanted(&unwanted, may_die.as_ref(), &held);
            let more = self.still_used(&dying, &held);
            if more.is_empty() {
                break dying;
            }
            held.extend(more);
            // What was said of what stays after all is not so.
            self.tables.diagnostics.truncate(said);
        };
        self.former_kept = self.former_still_used(&dying);
        self.plan_deposed(&dying);
    }

    /// Gives what is not desired its fate, save what is held back; the places that die.
    fn plan_unwanted(
        &mut self,
        unwanted: &[(Address, Reason)],
        may_die: Option<&BTreeSet<Address>>,
        held: &BTreeMap<Address, Arc<str>>,
    ) -> BTreeSet<Address> {
        let (mut dying, mut given_up) = (self.replaced_places(), BTreeSet::new());
        for (address, reason) in unwanted {
            let Some(record) = self.prior.record(address).cloned() else { continue };
            let fate = if let Some(why) = held.get(address) {
                Fate::Blocked(why.clone())
            } else if self.moves.gives_up(address) || record.place.as_ref().is_some_and(|place| given_up.contains(place)) {
                given_up.insert(address.clone());
                self.gone(address, &record, (Action::Forget, Reason::Removed), false)
            } else {
                let fate = self.unwanted(address, &record, reason.clone(), &dying);
                let dies = may_die.is_none_or(|places| places.contains(address));
                if dies && matches!(fate, Fate::Planned(_)) && self.prior.places.contains_key(address) {
                    dying.insert(address.clone());
                }
                fate
            };
            self.tables.fates.insert(address.clone(), fate);
        }
        dying
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
                Seen::Present(_) | Seen::Remembered => match self.former_kept.get(&address).cloned() {
                    None => Action::Delete,
                    Some(why) => {
                        self.unobserved.push(Self::not_planned(&self.repairs, address, why));
                        continue;
                    }
                },
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

    pub(super) fn orphan(&self, address: &Address) -> Orphan {
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
            unpreviewed: None,
            terms: Terms::default(),
            members: None,
            unread: None,
        }))
    }
}
