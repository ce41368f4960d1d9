//! What is read at apply before something changes that was planned from what is remembered.

use super::super::Walk;
use super::super::tables::{Fate, Planned};
use super::Builder;
use crate::address::Address;
use crate::config::SlotId;
use crate::plan::{Action, Op, Reason, Target};
use crate::value::{Thunk, Type, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Walk<'_> {
    /// What is only read, and what changes that was planned from it: that takes values of it, which have to be as they are remembered.
    pub(super) fn looked_at(&self) -> BTreeSet<Address> {
        let changing = self.tables.fates.values().filter_map(|fate| match fate {
            Fate::Planned(planned) if planned.unread.is_some() && planned.action != Action::Keep => Some(planned.edges),
            _ => None,
        });
        let (mut open, mut found): (Vec<_>, _) = (changing.collect(), BTreeSet::new());
        while let Some(edges) = open.pop() {
            for address in self.arena.origins.instances(edges) {
                let Some(planned) = self.tables.planned(address).filter(|planned| planned.is_only_read()) else { continue };
                // What is nowhere outside the state is as what it was made from.
                if found.insert(address.clone()) && !planned.kind.schema().outside {
                    open.push(planned.edges);
                }
            }
        }
        found
    }
}

impl Builder<'_, '_> {
    /// Adds the look at what is only read, if something changes that was made from it. What nothing needs is read with the next plan.
    pub(super) fn add_look(&mut self, (address, planned): (&Address, &Planned), target: Arc<Target>, mut needs: Vec<SlotId>) {
        if !self.looked_at.contains(address) || !planned.kind.schema().outside {
            if let Some(first) = needs.first() {
                self.finals.insert(address.clone(), *first);
            }
            return;
        }
        let arguments = self.template(&planned.arguments, &mut needs);
        self.reach(&target, &mut needs);
        let look = Op::Look { target, arguments, planned: planned.attributes.clone(), changes: Vec::new() };
        let slot = self.push(look, needs);
        self.instances.insert(address.clone(), slot);
        self.finals.insert(address.clone(), slot);
    }

    /// What a look finds of an instance that is about to change and was not seen when that was planned.
    pub(super) fn looked_up(
        &mut self,
        planned: &Planned,
        (target, arguments): (&Arc<Target>, &Value),
        needs: &mut Vec<SlotId>,
    ) -> Option<Value> {
        let unseen = planned.unread.is_some() && planned.observed.is_none() && planned.kind.schema().outside;
        let Reason::Configuration(changes) = &planned.reason else { return None };
        if !unseen {
            return None;
        }
        self.reach(target, needs);
        let (arguments, changes) = (arguments.clone(), changes.clone());
        let look = Op::Look { target: target.clone(), arguments, planned: planned.attributes.clone(), changes };
        let slot = self.push(look, needs.clone());
        needs.push(slot);
        Some(Value::deferred(Type::Any, Thunk(slot.0)))
    }

    /// Waits until the place of a target can be reached.
    fn reach(&mut self, target: &Target, needs: &mut Vec<SlotId>) {
        let Some(place) = &target.place else { return };
        needs.push(self.instance_slot(place));
        needs.extend(self.finals.get(place));
    }
}
