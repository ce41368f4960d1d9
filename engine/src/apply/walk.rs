//! The order of an apply, without effects: which slot may start, and what follows when one ends.

use crate::address::Address;
use crate::config::SlotId;
use crate::plan::{Op, Program};
use crate::value::Value;
use std::collections::BTreeSet;

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
        Self { program, standings: vec![Standing::Waiting; count], missing, dependents, ready }
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
        for dependent in &self.dependents[slot.0 as usize] {
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
