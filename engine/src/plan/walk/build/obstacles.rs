//! Two instances that want the same of a machine, and the order in which what stands in the way is cleared.

use super::super::Walk;
use super::super::obstacles::Clearing;
use super::Builder;
use crate::address::Address;
use crate::config::SlotId;
use crate::diagnostic::Diagnostic;
use crate::plan::Op;
use crate::schema::Claim;
use std::collections::{BTreeMap, BTreeSet};

/// Claims that can exclude each other: those on one machine, and of one port or of subnets.
type Rivals<'w> = BTreeMap<(Vec<(&'static str, String)>, Option<u16>), Vec<(&'w Address, Claim)>>;

impl Walk<'_> {
    /// Two planned instances of which only one can have what it takes of the machine are an error that names both. Those that are in the
    /// way of another.
    pub(super) fn conflicting_claims(&mut self) -> BTreeSet<Address> {
        let mut conflicts = Vec::new();
        for rivals in self.rivals().into_values() {
            for (at, (second, claim)) in rivals.iter().enumerate() {
                let mut before = rivals.iter().take(at);
                if let Some((first, taken)) = before.find(|(first, taken)| first != second && taken.excludes(claim)) {
                    conflicts.push(((*first).clone(), *taken, (*second).clone(), *claim));
                }
            }
        }
        let mut conflicting = BTreeSet::new();
        for (first, taken, second, claim) in conflicts {
            let problem = self.placed(conflict((&first, taken), (&second, claim)), &second);
            self.tables.diagnostics.push(problem);
            conflicting.extend([first, second]);
        }
        conflicting
    }

    /// What all planned instances claim.
    fn rivals(&self) -> Rivals<'_> {
        let mut rivals = Rivals::new();
        for (address, planned) in self.desired() {
            let claims = planned.kind.claims(&planned.arguments).unwrap_or_default();
            if claims.is_empty() {
                continue;
            }
            let machine = self.providers.machine(address, self.catalogue);
            for claim in claims {
                let port = match claim {
                    Claim::Port { port, .. } => Some(port),
                    Claim::Subnet { .. } => None,
                };
                rivals.entry((machine.clone(), port)).or_default().push((address, claim));
            }
        }
        rivals
    }
}

fn conflict((first, taken): (&Address, Claim), (second, claim): (&Address, Claim)) -> Diagnostic {
    let both = if taken == claim {
        format!("`{first}` and `{second}` both take `{claim}`")
    } else {
        format!("`{first}` takes `{taken}`, `{second}` takes `{claim}`")
    };
    match claim {
        Claim::Port { .. } => {
            let detail = format!("{both}, and only one of them can listen there");
            Diagnostic::error("port claimed twice", detail).help("Give one of them another port, or an address of its own.")
        }
        Claim::Subnet { .. } => {
            let detail = format!("{both}, and an address belongs to one network alone");
            Diagnostic::error("overlapping subnets", detail).help("Give one of them a range that no other has.")
        }
    }
}

impl Builder<'_, '_> {
    /// What is made or changed waits for what clears its way.
    pub(super) fn wait_for_clearings(&mut self) {
        let clearings = std::mem::take(&mut self.walk.clearings);
        if clearings.is_empty() {
            return;
        }
        let mut steps: BTreeMap<&Address, Vec<SlotId>> = BTreeMap::new();
        for (at, slot) in self.slots.iter().enumerate() {
            if let Op::Create { target, .. } | Op::Update { target, .. } = &slot.op {
                steps.entry(&target.address).or_default().push(SlotId(u32::try_from(at).unwrap_or(u32::MAX)));
            }
        }
        for (address, clearing) in &clearings {
            let first = match clearing {
                Clearing::Removed(of) => self.removals.get(of),
                Clearing::Deposed(of, key) => self.leftovers.get(&(of.clone(), key.clone())),
                Clearing::Made(bringer) => self.finals.get(bringer),
            };
            let Some(first) = first else { continue };
            self.wishes.extend(steps.get(address).into_iter().flatten().map(|step| (*step, *first)));
        }
    }
}
