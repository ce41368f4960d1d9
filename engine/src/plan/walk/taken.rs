//! What goes with something that is replaced without lying in it as in a place: the objects of a namespace, those that a definition
//! defines, labels of an object. Whoever requires a thing does not outlive it.

use super::Walk;
use super::imports::Imports;
use super::repair::Repairs;
use super::tables::{Fate, ModuleInstance, Planned, Tables};
use crate::address::Address;
use crate::plan::{Action, Reason};

impl Walk<'_> {
    /// Finds what goes with things that this plan deletes first and makes again; whether there is more of it than was known. Only a walk
    /// that has planned everything can tell who brings what: it starts over then, with all answers at hand, and replaces these as well.
    pub(super) fn takes_more_along(&mut self) -> bool {
        let is_replaced = |planned: &Planned| planned.action == Action::Replace && planned.prior.is_some();
        let any = self.tables.fates.values().any(|fate| matches!(fate, Fate::Planned(planned) if is_replaced(planned)));
        if !any || self.inputs.aims.refresh_only {
            return false;
        }
        let known = self.taken.len();
        for (address, bringers) in self.bringers() {
            let stays =
                |planned: &Planned| planned.prior.is_some() && matches!(planned.action, Action::Keep | Action::Update | Action::Settle);
            if !self.tables.planned(&address).is_some_and(stays) {
                continue;
            }
            let replaced = bringers.into_iter().find(|bringer| self.tables.planned(bringer).is_some_and(is_replaced));
            if let Some(bringer) = replaced {
                self.taken.insert(address, bringer);
            }
        }
        self.taken.len() > known
    }

    /// Forgets what was planned, and keeps what was answered.
    pub(super) fn start_over(&mut self) {
        let skeleton = std::mem::take(&mut self.tables.skeleton);
        self.open = skeleton.order.iter().copied().filter(|node| self.range.visits(*node)).collect();
        self.tables = Tables::new(skeleton, ModuleInstance::root());
        self.tables.diagnostics.clone_from(&self.said_first);
        self.standings.clear();
        self.refusals.clear();
        self.obstacles.clear();
        self.unread.clear();
        self.repairs = Repairs::default();
        self.imports = Imports::asked_for(&self.inputs);
    }

    /// Why an instance is replaced beside what its own block says, and with what it goes.
    pub(super) fn taken_along(&self, address: &Address) -> Option<Reason> {
        self.taken.get(address).cloned().map(Reason::PlaceReplaced)
    }

    /// Replaces what goes with something else: it cannot stand beside its successor.
    pub(super) fn take_along(planned: &mut Planned, because: Reason) {
        Self::trigger(planned, because);
        if planned.action == Action::ReplaceCreateFirst {
            planned.action = Action::Replace;
        }
    }
}
