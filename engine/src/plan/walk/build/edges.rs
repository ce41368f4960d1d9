//! From origins to what a step waits for, and to what a record depends on.

use super::super::Walk;
use super::Builder;
use crate::address::{Address, Mode};
use crate::config::SlotId;
use crate::plan::Op;
use crate::value::{Made, Origin};
use std::collections::BTreeSet;

impl Builder<'_, '_> {
    /// What everything that came from an origin waits for: one slot for each instance with a step, a shared one for each join.
    pub(super) fn edge(&mut self, origin: Origin) -> Option<SlotId> {
        let members = match self.walk.arena.origins.made(origin) {
            Made::Nothing => return None,
            Made::Instance(address) => return self.finals.get(address).copied(),
            Made::Join(members) => members.to_vec(),
        };
        if let Some(known) = self.joins.get(&origin) {
            return *known;
        }
        let mut needs: Vec<_> = members.into_iter().filter_map(|member| self.edge(member)).collect();
        needs.sort_unstable();
        needs.dedup();
        let slot = match needs.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => Some(self.push(Op::Join, needs)),
        };
        self.joins.insert(origin, slot);
        slot
    }
}

impl Walk<'_> {
    /// The managed instances behind an origin, data sources contracted to what they came from.
    pub(in super::super) fn made_from(&self, origin: Origin, of: &Address) -> Vec<Address> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![origin];
        while let Some(origin) = open.pop() {
            if !seen.insert(origin) {
                continue;
            }
            match self.arena.origins.made(origin) {
                Made::Nothing => {}
                Made::Join(members) => open.extend(members),
                Made::Instance(address) if address.mode == Mode::Managed => {
                    if address != of {
                        found.insert(address.clone());
                    }
                }
                Made::Instance(address) => open.extend(self.tables.planned(address).map(|planned| planned.edges)),
            }
        }
        found.into_iter().collect()
    }
}
