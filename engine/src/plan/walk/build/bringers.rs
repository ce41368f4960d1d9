//! What instances require of their place, and which others bring it: an order between things that do not refer to each other.

use super::super::Walk;
use super::super::tables::{Fate, Planned};
use super::Builder;
use crate::address::{Address, Mode};
use crate::config::SlotId;
use crate::plan::Op;
use crate::value::Made;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who brings what an instance requires, by the address of who requires it.
pub(in super::super) type Bringers = BTreeMap<Address, Vec<Address>>;

/// What tells a requirement from all others: where, and what.
type Requirement = (Option<Arc<str>>, String);

impl Walk<'_> {
    /// Finds who brings what instances require. Whoever is made from what it would bring something for has no such duty.
    pub(in super::super) fn bringers(&self) -> Bringers {
        let required: Vec<(&Address, Requirement)> = self
            .desired()
            .flat_map(|(address, planned)| {
                let requires = planned.kind.requires(&planned.arguments);
                let at = if requires.is_empty() { None } else { self.place_name(planned.place.as_ref()) };
                requires.into_iter().map(move |what| (address, (at.clone(), what)))
            })
            .collect();
        if required.is_empty() {
            return Bringers::new();
        }
        let wanted: BTreeSet<&Requirement> = required.iter().map(|(_, requirement)| requirement).collect();
        let mut brought: BTreeMap<Requirement, &Address> = BTreeMap::new();
        for (address, planned) in self.desired() {
            let brings = planned.kind.identity(&planned.arguments).into_iter().chain(planned.kind.brings(&planned.arguments));
            for what in brings {
                let requirement = (self.place_name(planned.place.as_ref()), what);
                if wanted.contains(&requirement) {
                    brought.insert(requirement, address);
                }
            }
        }
        let mut bringers = Bringers::new();
        for (address, requirement) in &required {
            if let Some(bringer) = brought.get(requirement).filter(|bringer| *bringer != address) {
                bringers.entry((*address).clone()).or_default().push((*bringer).clone());
            }
        }
        self.without_circles(&mut bringers);
        bringers
    }

    /// The managed instances that the configuration desires.
    pub(in super::super) fn desired(&self) -> impl Iterator<Item = (&Address, &Planned)> {
        self.tables.fates.iter().filter_map(|(address, fate)| match fate {
            Fate::Planned(planned) if address.mode == Mode::Managed && !planned.arguments.is_null() => Some((address, &**planned)),
            _ => None,
        })
    }

    /// Takes those away that are made from who requires something of them.
    fn without_circles(&self, bringers: &mut Bringers) {
        let all = self.sources(bringers.values().flatten(), bringers);
        if !bringers.keys().any(|address| all.contains(address)) {
            return;
        }
        let sound: Bringers = bringers
            .iter()
            .map(|(address, of)| {
                let comes_first = |bringer: &&Address| !self.sources([*bringer], bringers).contains(address);
                (address.clone(), of.iter().filter(|bringer| !all.contains(address) || comes_first(bringer)).cloned().collect())
            })
            .collect();
        *bringers = sound;
    }

    /// Everything that instances were made from, what brings what that requires among it.
    fn sources<'w>(&'w self, of: impl IntoIterator<Item = &'w Address>, bringers: &'w Bringers) -> BTreeSet<&'w Address> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Address> = of.into_iter().collect();
        while let Some(address) = open.pop() {
            let mut origins: Vec<_> = self.tables.planned(address).map(|planned| planned.edges).into_iter().collect();
            open.extend(bringers.get(address).into_iter().flatten().filter(|bringer| found.insert(*bringer)));
            while let Some(origin) = origins.pop() {
                match self.arena.origins.made(origin) {
                    _ if !seen.insert(origin) => {}
                    Made::Nothing => {}
                    Made::Join(members) => origins.extend(members),
                    Made::Instance(source) => open.extend(Some(source).filter(|source| found.insert(*source))),
                }
            }
        }
        found
    }

    /// Settles what servers refused of instances while something may have changed that yet: it is an error if nothing does.
    pub(super) fn judge_refusals(&mut self, bringers: &Bringers) {
        for (address, problem) in std::mem::take(&mut self.refusals) {
            let of = bringers.get(&address).into_iter().flatten();
            if of.filter_map(|bringer| self.tables.planned(bringer)).any(|bringer| bringer.action.is_change()) {
                continue;
            }
            self.tables.diagnostics.push(problem.about(&address));
            self.tables.fates.insert(address, Fate::Failed);
        }
    }
}

impl Builder<'_, '_> {
    /// What is made or changed waits for who brings what it requires.
    pub(super) fn wait_for_bringers(&mut self) {
        let mut needs: Vec<(SlotId, SlotId)> = Vec::new();
        for (at, slot) in self.slots.iter().enumerate().filter(|_| !self.bringers.is_empty()) {
            let (Op::Create { target, .. } | Op::Update { target, .. }) = &slot.op else { continue };
            let finals = self.bringers.get(&target.address).into_iter().flatten().filter_map(|bringer| self.finals.get(bringer));
            needs.extend(finals.map(|last| (SlotId(u32::try_from(at).unwrap_or(u32::MAX)), *last)));
        }
        self.add_needs(needs);
    }
}
