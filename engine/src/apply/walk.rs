//! The order of an apply, without effects: which slot may start, and what follows when one ends.

use crate::address::Address;
use crate::config::SlotId;
use crate::plan::{Op, Program};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How a slot stands.
#[derive(Debug, Clone, PartialEq)]
enum Standing {
    /// It waits for others.
    Waiting,
    /// It was handed out.
    Started,
    /// It is done, with this value.
    Done(Value),
    /// It failed.
    Failed,
    /// It never starts, because of a failure of this instance.
    Skipped,
}

/// A walk over a program. Each slot is handed out once, after all it needs is done.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    program: &'a Program,
    standings: Vec<Standing>,
    missing: Vec<u32>,
    dependents: Vec<Vec<SlotId>>,
    ready: BTreeSet<SlotId>,
    /// What is handed out once more until a check passes, with the check: what waits for more than that has counted it already.
    again: BTreeMap<SlotId, SlotId>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        let count = program.slots.len();
        let mut dependents = vec![Vec::new(); count];
        let mut missing = vec![0; count];
        let mut ready = BTreeSet::new();
        for (at, slot) in program.slots.iter().enumerate() {
            let id = SlotId(u32::try_from(at).unwrap_or(u32::MAX));
            for needed in &slot.needs {
                dependents[needed.0 as usize].push(id);
            }
            missing[at] = u32::try_from(slot.needs.len()).unwrap_or(u32::MAX);
            if slot.needs.is_empty() {
                ready.insert(id);
            }
        }
        Self { program, standings: vec![Standing::Waiting; count], missing, dependents, ready, again: BTreeMap::new() }
    }

    /// The slots that may start, lowest first.
    pub(super) fn ready(&self) -> &BTreeSet<SlotId> {
        &self.ready
    }

    /// What a slot does.
    pub(super) fn op(&self, slot: SlotId) -> &'a Op {
        &self.program.slots[slot.0 as usize].op
    }

    /// Hands a ready slot out.
    pub(super) fn start(&mut self, slot: SlotId) {
        self.ready.remove(&slot);
        self.standings[slot.0 as usize] = Standing::Started;
    }

    /// A slot is done; those that waited only for it become ready.
    pub(super) fn finish(&mut self, slot: SlotId, value: Value) {
        self.ready.remove(&slot);
        self.standings[slot.0 as usize] = Standing::Done(value);
        let check = self.again.get(&slot);
        for dependent in &self.dependents[slot.0 as usize] {
            if check.is_some_and(|check| dependent != check && self.again.get(dependent) != Some(check)) {
                continue;
            }
            let missing = &mut self.missing[dependent.0 as usize];
            *missing = missing.saturating_sub(1);
            if *missing == 0 && self.standings[dependent.0 as usize] == Standing::Waiting {
                self.ready.insert(*dependent);
            }
        }
    }

    /// A slot failed; all that needs it, directly or not, is skipped. Returns the instances among them.
    pub(super) fn fail(&mut self, slot: SlotId) -> Vec<SlotId> {
        self.ready.remove(&slot);
        self.standings[slot.0 as usize] = Standing::Failed;
        let mut skipped = Vec::new();
        let mut open = self.dependents[slot.0 as usize].clone();
        while let Some(next) = open.pop() {
            let standing = &mut self.standings[next.0 as usize];
            if *standing != Standing::Waiting {
                continue;
            }
            *standing = Standing::Skipped;
            skipped.push(next);
            open.extend(&self.dependents[next.0 as usize]);
        }
        skipped.sort_unstable();
        skipped
    }

    /// What a check looks at that may say something else a moment later: its own data sources, and what is computed from them.
    pub(super) fn probed_for(&self, check: SlotId) -> Vec<SlotId> {
        let needs = |slot: SlotId| self.program.slots[slot.0 as usize].needs.iter().copied();
        let (mut seen, mut open) = (BTreeSet::new(), needs(check).collect::<Vec<_>>());
        while let Some(slot) = open.pop() {
            if matches!(self.op(slot), Op::Probe { .. } | Op::Eval(_) | Op::Join) && seen.insert(slot) {
                open.extend(needs(slot));
            }
        }
        let mut found: BTreeSet<SlotId> = seen.iter().copied().filter(|slot| matches!(self.op(*slot), Op::Probe { .. })).collect();
        loop {
            let more: Vec<_> =
                seen.iter().copied().filter(|slot| !found.contains(slot) && needs(*slot).any(|need| found.contains(&need))).collect();
            if more.is_empty() {
                return found.into_iter().collect();
            }
            found.extend(more);
        }
    }

    /// Lets a check be handed out once more, after these that it looks at, which are handed out once more themselves.
    pub(super) fn again(&mut self, check: SlotId, looks_at: &[SlotId]) {
        self.again.extend(looks_at.iter().map(|slot| (*slot, check)));
        for slot in looks_at.iter().chain([&check]) {
            let needs = &self.program.slots[slot.0 as usize].needs;
            let missing = needs.iter().filter(|need| looks_at.contains(need)).count();
            self.standings[slot.0 as usize] = Standing::Waiting;
            self.missing[slot.0 as usize] = u32::try_from(missing).unwrap_or(u32::MAX);
            if missing == 0 {
                self.ready.insert(*slot);
            }
        }
    }

    /// Whether a slot was handed out before.
    pub(super) fn is_again(&self, slot: SlotId) -> bool {
        self.again.contains_key(&slot)
    }

    /// Whether a slot computes something for checks and for nobody else.
    pub(super) fn is_for_checks(&self, slot: SlotId) -> bool {
        let dependents = &self.dependents[slot.0 as usize];
        let computes = matches!(self.op(slot), Op::Eval(_));
        computes
            && !dependents.is_empty()
            && dependents.iter().all(|by| matches!(self.op(*by), Op::Check { .. }) || self.is_for_checks(*by))
    }

    /// Whether anything needs this slot.
    pub(super) fn is_needed(&self, slot: SlotId) -> bool {
        !self.dependents[slot.0 as usize].is_empty()
    }

    /// The value of a slot that is done.
    pub(super) fn value(&self, slot: SlotId) -> Option<&Value> {
        match self.standings.get(slot.0 as usize)? {
            Standing::Done(value) => Some(value),
            _ => None,
        }
    }

    /// The value of an instance's slot, if that is done.
    pub(super) fn instance(&self, address: &Address) -> Option<&Value> {
        self.value(*self.program.instances.get(address)?)
    }

    /// Slots that were never started, lowest first.
    pub(super) fn unstarted(&self) -> impl Iterator<Item = SlotId> {
        let waiting = self.standings.iter().enumerate().filter(|(_, standing)| **standing == Standing::Waiting);
        waiting.map(|(at, _)| SlotId(u32::try_from(at).unwrap_or(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Slot;

    fn program(needs: &[&[u32]]) -> Program {
        let slots = needs.iter().map(|needs| Slot { op: Op::Join, needs: needs.iter().map(|need| SlotId(*need)).collect() });
        Program { slots: slots.collect(), ..Program::default() }
    }

    const DIAMOND: [&[u32]; 5] = [&[], &[0], &[0], &[1, 2], &[]];

    #[test]
    fn a_slot_is_ready_after_all_it_needs() {
        let program = program(&DIAMOND);
        let mut walk = Walk::new(&program);
        let mut order = Vec::new();
        while let Some(slot) = walk.ready().first().copied() {
            walk.start(slot);
            order.push(slot.0);
            walk.finish(slot, Value::null());
        }
        assert_eq!(order, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_check_is_handed_out_again_with_what_it_looks_at_and_with_nothing_else() {
        let target = || std::sync::Arc::new(crate::plan::Target::of(Address::managed("k", "a")));
        let probe = || Op::Probe { target: target(), arguments: Value::null() };
        let check = Op::Check { name: "c".into(), assertions: Vec::new(), timeout: 1 };
        // A step; a data source of the check; what is computed from it and from the step; the check; what waits for it, and also for the data.
        let ops = [Op::Create { target: target(), arguments: Value::null(), planned: Value::null() }, probe(), Op::Join, check, Op::Join];
        let needs: [&[u32]; 5] = [&[], &[0], &[0, 1], &[2], &[1, 3]];
        let slots = ops.into_iter().zip(needs).map(|(op, needs)| Slot { op, needs: needs.iter().map(|need| SlotId(*need)).collect() });
        let program = Program { slots: slots.collect(), ..Program::default() };
        let mut walk = Walk::new(&program);
        let mut order = Vec::new();
        let mut looks = 3;
        while let Some(slot) = walk.ready().first().copied() {
            walk.start(slot);
            order.push(slot.0);
            if slot == SlotId(3) && looks > 1 {
                looks -= 1;
                let looks_at = walk.probed_for(slot);
                assert_eq!(looks_at, [SlotId(1), SlotId(2)]);
                walk.again(slot, &looks_at);
            } else {
                walk.finish(slot, Value::null());
            }
        }
        assert_eq!(order, [0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 4]);
    }

    #[test]
    fn failing_each_slot_skips_exactly_its_followers() {
        for (failing, followers) in [(0, vec![1, 2, 3]), (1, vec![3]), (2, vec![3]), (3, vec![]), (4, vec![])] {
            let program = program(&DIAMOND);
            let mut walk = Walk::new(&program);
            let mut skipped = None;
            while let Some(slot) = walk.ready().first().copied() {
                walk.start(slot);
                if slot.0 == failing {
                    skipped = Some(walk.fail(slot));
                } else {
                    walk.finish(slot, Value::null());
                }
            }
            let skipped: Option<Vec<u32>> = skipped.map(|slots| slots.into_iter().map(|slot| slot.0).collect());
            assert_eq!(skipped, Some(followers));
        }
    }
}
