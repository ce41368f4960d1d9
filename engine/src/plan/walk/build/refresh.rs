//! The steps of a plan that changes the state alone: entries of the journal, and no call of a provider.

use super::super::tables::Fate;
use super::Builder;
use super::removals::recorded;
use crate::address::Address;
use crate::config::SlotId;
use crate::plan::{Action, Op};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Builder<'_, '_> {
    /// Adds what is written down and what is forgotten, a place after all that lay within it.
    pub(super) fn add_refreshes(&mut self) {
        let mut forgotten: BTreeMap<Address, Vec<SlotId>> = BTreeMap::new();
        let fates = self.walk.tables.fates.iter().filter_map(|(address, fate)| match fate {
            Fate::Planned(planned) => Some((address.clone(), planned.action, planned.attributes.clone(), planned.prior.clone()?)),
            Fate::Blocked(_) | Fate::Failed => None,
        });
        let mut places = Vec::new();
        for (address, action, attributes, record) in fates.collect::<Vec<_>>() {
            let target = Arc::new(recorded(&address, &record));
            match action {
                Action::Update => {
                    let slot = self.push(Op::Record { target, attributes, uid: record.uid.clone() }, Vec::new());
                    self.instances.insert(address, slot);
                }
                Action::Forget if self.walk.prior.places.contains_key(&address) => places.push((address, target)),
                Action::Forget => {
                    let slot = self.push(Op::Forget { target, place: false }, Vec::new());
                    forgotten.entry(address).or_default().push(slot);
                }
                _ => {}
            }
        }
        let leftovers: Vec<_> = self.walk.deposed.keys().cloned().collect();
        for (address, key) in leftovers {
            let record = self.walk.prior.resources.get(&address).and_then(|objects| objects.deposed.get(&key)).cloned();
            if let Some(record) = record {
                let target = Arc::new(crate::plan::Target { deposed: Some(key), ..recorded(&address, &record) });
                let slot = self.push(Op::Forget { target, place: false }, Vec::new());
                forgotten.entry(address).or_default().push(slot);
            }
        }
        let mut forgets: BTreeMap<Address, SlotId> = BTreeMap::new();
        // Inner places first.
        places.sort_by_cached_key(|(address, _)| self.walk.prior.within(address).len());
        for (address, target) in places {
            let within = self.walk.prior.within(&address);
            let inner = within.iter().filter_map(|inner| forgets.get(inner)).copied();
            let needs = within.iter().filter_map(|inner| forgotten.get(inner)).flatten().copied().chain(inner).collect();
            let slot = self.push(Op::Forget { target, place: true }, needs);
            forgets.insert(address, slot);
        }
    }
}
