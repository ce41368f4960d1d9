//! One change out of a plan.

use super::{Digested, Op, Plan, Program, Slot};
use crate::address::Address;
use crate::config::SlotId;
use crate::diagnostic::Diagnostic;
use std::collections::BTreeSet;

impl Plan {
    /// The part of a plan that makes the change of one address, and nothing else but what it computes and reads. That it waits for the
    /// change of another is an error of the plan. What is wrong with others is left out, unless the address has no change for it.
    #[must_use]
    pub fn only(mut self, address: &Address) -> Self {
        if self.change(address).is_none() {
            return self;
        }
        let needed = self.program.needed_for(address);
        let waits: BTreeSet<_> = needed.iter().filter_map(|slot| self.program.changes_other(*slot, address)).collect();
        self.changes.retain(|change| change.address == *address && change.deposed.is_none());
        self.blocked.retain(|blocked| blocked.address == *address);
        self.diagnostics.retain(|problem| problem.address.as_ref().is_none_or(|about| about == address));
        self.outputs.clear();
        self.digested = Digested::default();
        self.checks.clear();
        if !waits.is_empty() {
            let names: Vec<_> = waits.iter().map(|other| format!("`{other}`")).collect();
            let detail = format!("`{address}` waits for changes of {}", names.join(", "));
            let problem = Diagnostic::error("other changes first", detail).about(address);
            self.diagnostics.push(problem.help("Apply the configuration; an `import` block imports with the rest."));
        }
        for (at, slot) in self.program.slots.iter_mut().enumerate() {
            if !needed.iter().any(|needed| needed.0 as usize == at) {
                *slot = Slot { op: Op::Join, needs: Vec::new() };
            }
        }
        self
    }
}

impl Program {
    /// The slots with an effect on an address, and all that these need.
    fn needed_for(&self, address: &Address) -> BTreeSet<SlotId> {
        let numbered = self.slots.iter().enumerate().filter_map(|(at, slot)| Some((SlotId(u32::try_from(at).ok()?), slot)));
        let about =
            numbered.filter(|(_, slot)| slot.op.target().is_some_and(|target| target.address == *address && target.deposed.is_none()));
        let mut open: Vec<SlotId> = about.map(|(at, _)| at).collect();
        let mut found = BTreeSet::new();
        while let Some(slot) = open.pop() {
            if found.insert(slot) {
                open.extend(self.slots.get(slot.0 as usize).map(|slot| slot.needs.as_slice()).unwrap_or_default());
            }
        }
        found
    }

    /// The other address that a slot changes, if it does.
    fn changes_other(&self, slot: SlotId, address: &Address) -> Option<Address> {
        let op = &self.slots.get(slot.0 as usize)?.op;
        let changes = !matches!(op, Op::Read { .. } | Op::Probe { .. } | Op::Record { .. });
        op.target().filter(|target| changes && target.address != *address).map(|target| target.address.clone())
    }
}
