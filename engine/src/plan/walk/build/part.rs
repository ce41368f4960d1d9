//! What is left of a program that is aimed at a part.
//!
//! All steps of one object are a *unit*: a replacement is made wholly or not at all. Of targets, they and all that their steps wait for are
//! kept. Of what is excluded nothing is planned in the first place; what would break it, and all that waits for that, is dropped.

use super::super::range::{LEFT_OUT, UNSEEN, is_left_out, outwards};
use super::super::tables::{Fate, Tables};
use super::{Builder, Checked};
use crate::address::{Address, Mode};
use crate::config::SlotId;
use crate::plan::{Action, CheckStatus, Op, Reason, Slot};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An object with steps: an address, and the key of an object that was deposed before.
type Unit = (Address, Option<Arc<str>>);

/// Which slots make up which unit.
struct Units {
    of: Vec<Option<Unit>>,
    slots: BTreeMap<Unit, Vec<usize>>,
}

impl Builder<'_, '_> {
    /// Drops what the run is not aimed at: from the program, from the changes, from what is said.
    pub(super) fn keep_part(&mut self, checks: &mut Vec<Checked>) {
        if !self.walk.inputs.aims.is_partial() {
            return;
        }
        let units = self.units();
        let dropped = self.dropped(&units, checks);
        for slot in &dropped {
            self.slots[*slot] = Slot { op: Op::Join, needs: Vec::new() };
        }
        let kept: BTreeSet<Unit> =
            units.slots.into_iter().filter(|(_, slots)| !dropped.contains(&slots[0])).map(|(unit, _)| unit).collect();
        self.keep_changes(&kept, &dropped);
        self.keep_checks(checks);
        self.keep_problems(&kept);
    }

    /// Whether an output's value cannot be planned in this run.
    pub(super) fn is_out_of_reach(&mut self, value: &Value) -> bool {
        value.blocked_why().is_some()
            || value.holds_pending()
            || self.comes_from_what_is_left_out(value)
            || self.walk.inputs.aims.refresh_only && !value.is_known()
    }

    /// Whether something that a value came from changes, and not in this run.
    fn comes_from_what_is_left_out(&mut self, value: &Value) -> bool {
        if !self.walk.inputs.aims.is_partial() && !self.walk.inputs.aims.refresh_only {
            return false;
        }
        let origin = value.deep_origin(&mut self.walk.arena.origins);
        let fates = &self.walk.tables.fates;
        self.walk.arena.origins.instances(origin).into_iter().any(|address| !matches!(fates.get(address), Some(Fate::Planned(_))))
    }

    fn units(&self) -> Units {
        let leftovers: BTreeMap<SlotId, &Arc<str>> = self.leftovers.iter().map(|((_, key), slot)| (*slot, key)).collect();
        let mut units = Units { of: Vec::with_capacity(self.slots.len()), slots: BTreeMap::new() };
        for (at, slot) in self.slots.iter().enumerate() {
            // What a check reads is no step of anybody.
            let target = slot.op.target().filter(|_| !matches!(slot.op, Op::Probe { .. }));
            let deposed = leftovers.get(&SlotId(u32::try_from(at).unwrap_or(u32::MAX))).map(|key| (*key).clone());
            let unit = target.map(|target| (target.address.clone(), deposed));
            if let Some(unit) = &unit {
                units.slots.entry(unit.clone()).or_default().push(at);
            }
            units.of.push(unit);
        }
        units
    }

    /// The slots that are dropped, each with all that waits for it.
    fn dropped(&self, units: &Units, checks: &[Checked]) -> BTreeSet<usize> {
        let aims = &self.walk.inputs.aims;
        let mut first: Vec<usize> = if aims.targets.is_empty() {
            self.broken().iter().filter_map(|unit| units.slots.get(unit)).flatten().copied().collect()
        } else {
            let kept = self.needed_for_targets(units);
            units.slots.values().flatten().copied().filter(|slot| !kept.contains(slot)).collect()
        };
        // What waits for a check that looks at what is left out is not planned either.
        let not_run = checks.iter().filter(|checked| checked.result.messages.iter().any(|message| message == UNSEEN));
        first.extend(not_run.filter_map(|checked| self.gates.get(&checked.result.name)).map(|gate| gate.0 as usize));
        let mut dependents = vec![Vec::new(); self.slots.len()];
        for (at, slot) in self.slots.iter().enumerate() {
            slot.needs.iter().for_each(|needed| dependents[needed.0 as usize].push(at));
        }
        let (mut open, mut dropped) = (first, BTreeSet::new());
        while let Some(slot) = open.pop() {
            if dropped.insert(slot) {
                open.extend(&dependents[slot]);
                open.extend(units.of[slot].iter().flat_map(|unit| &units.slots[unit]));
            }
        }
        dropped
    }

    /// The slots of targets and all that these wait for, each with the rest of its unit.
    fn needed_for_targets(&self, units: &Units) -> BTreeSet<usize> {
        let aims = &self.walk.inputs.aims;
        let own = units.slots.iter().filter(|((address, _), _)| aims.targets(address)).flat_map(|(_, slots)| slots.iter().copied());
        // What is kept has no step, and may depend on what has.
        let before = self.finals.iter().filter(|(address, _)| aims.targets(address)).map(|(_, slot)| slot.0 as usize);
        let mut open: Vec<usize> = own.chain(before).collect();
        let mut kept = BTreeSet::new();
        while let Some(slot) = open.pop() {
            if kept.insert(slot) {
                open.extend(self.slots[slot].needs.iter().map(|needed| needed.0 as usize));
                open.extend(units.of[slot].iter().flat_map(|unit| &units.slots[unit]));
            }
        }
        kept
    }

    /// The units whose steps would break what is left out: what it was made from must not be deleted, and no place around it.
    fn broken(&self) -> BTreeSet<Unit> {
        let walk = &*self.walk;
        let removed = |address: &Address| walk.tables.planned(address).is_some_and(|planned| matches!(planned.action, Action::Delete));
        let ends = |address: &Address| {
            walk.prior.places.contains_key(address)
                && walk.tables.planned(address).is_some_and(|planned| {
                    matches!(planned.action, Action::Delete | Action::Forget | Action::Replace | Action::ReplaceCreateFirst)
                })
        };
        let mut broken = BTreeSet::new();
        for (address, _, record) in walk.prior.records() {
            if !matches!(walk.tables.fates.get(address), Some(Fate::Blocked(why)) if is_left_out(why)) {
                continue;
            }
            for needed in &record.depends_on {
                broken.extend(removed(needed).then(|| (needed.clone(), None)));
                let leftovers = self.leftovers.range((needed.clone(), Arc::from(""))..).take_while(|((of, _), _)| of == needed);
                broken.extend(leftovers.map(|((of, key), _)| (of.clone(), Some(key.clone()))));
            }
            let around = outwards(&walk.prior, address).filter(|place| place != address);
            // A data source has steps of its own only where it is read, or where its address leads to another place now.
            broken.extend(around.filter(|place| ends(place) || self.is_left(place)).map(|place| (place, None)));
        }
        broken
    }

    /// What has no step in this run does not change, save what goes with its place.
    fn keep_changes(&mut self, kept: &BTreeSet<Unit>, dropped: &BTreeSet<usize>) {
        let walk = &mut *self.walk;
        let instances = &self.instances;
        let is_read = |address: &Address| {
            address.mode == Mode::Data && instances.get(address).is_some_and(|slot| !dropped.contains(&(slot.0 as usize)))
        };
        let mut left_out = Vec::new();
        let mut taken = Vec::new();
        for (address, fate) in &walk.tables.fates {
            let Fate::Planned(planned) = fate else { continue };
            let unit = (address.clone(), None);
            if planned.action == Action::Keep || kept.contains(&unit) || is_read(address) {
                continue;
            }
            let around = outwards(&walk.prior, address).filter(|place| place != address);
            match around.filter(|_| planned.dies_with_place).find(|place| kept.contains(&(place.clone(), None))) {
                Some(place) => taken.push((address.clone(), place)),
                None => left_out.push(address.clone()),
            }
        }
        for address in left_out {
            walk.tables.fates.insert(address, Fate::Blocked(LEFT_OUT.into()));
        }
        for (address, place) in taken {
            // It goes with its place, and what was to come after it does not come now.
            if let Some(Fate::Planned(planned)) = walk.tables.fates.get_mut(&address) {
                planned.action = Action::Delete;
                planned.reason = Reason::PlaceDestroyed(place);
            }
        }
        walk.deposed.retain(|(address, key), _| kept.contains(&(address.clone(), Some(key.clone()))));
    }

    /// A check that looks at what is left out says nothing: what it would say may come from values that do not come about.
    fn keep_checks(&mut self, checks: &mut Vec<Checked>) {
        let Tables { skeleton, fates, .. } = &self.walk.tables;
        let left_out = |(address, fate): (&Address, &Fate)| match fate {
            Fate::Blocked(why) if is_left_out(why) => skeleton.node_of(address),
            _ => None,
        };
        let mut open: Vec<usize> = fates.iter().filter_map(left_out).collect();
        let mut users = vec![Vec::new(); skeleton.nodes.len()];
        // Resources say of themselves whether they are left out.
        for (node, needed) in skeleton.edges().into_iter().filter(|(node, _)| skeleton.nodes[*node].block.is_none()) {
            users[needed].push(node);
        }
        let mut unseen = BTreeSet::new();
        while let Some(node) = open.pop() {
            if unseen.insert(node) {
                open.extend(&users[node]);
            }
        }
        for checked in checks.iter_mut().filter(|checked| unseen.contains(&checked.node)) {
            checked.result.status = CheckStatus::NotRun;
            checked.result.messages = vec![UNSEEN.to_owned()];
        }
        if !self.walk.inputs.aims.targets.is_empty() {
            checks.retain(|checked| !unseen.contains(&checked.node));
        }
    }

    /// What is wrong with others is not said, unless a target could not be planned: then it may be why.
    fn keep_problems(&mut self, kept: &BTreeSet<Unit>) {
        let walk = &mut *self.walk;
        let aims = &walk.inputs.aims;
        if aims.targets.is_empty() {
            return;
        }
        let failed = walk.tables.fates.iter().any(|(address, fate)| aims.targets(address) && matches!(fate, Fate::Failed));
        let about = |address: &Address| {
            let used = |(unit, _): &Unit| walk.prior.record(unit).is_some_and(|record| record.place.as_ref() == Some(address));
            let around = || outwards(&walk.prior, address).any(|around| kept.contains(&(around, None)));
            aims.targets(address) || kept.contains(&(address.clone(), None)) || around() || kept.iter().any(used)
        };
        if !failed {
            walk.tables.diagnostics.retain(|problem| problem.address.as_ref().is_none_or(about));
        }
        walk.unobserved.retain(|blocked| aims.targets(&blocked.address));
        for (address, fate) in &mut walk.tables.fates {
            let unplanned = match fate {
                Fate::Planned(planned) => planned.is_only_read(),
                Fate::Blocked(_) => true,
                Fate::Failed => false,
            };
            if unplanned && !aims.targets(address) {
                *fate = Fate::Blocked(LEFT_OUT.into());
            }
        }
    }
}
