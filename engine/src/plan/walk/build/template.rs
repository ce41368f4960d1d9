//! From values of the walk to templates of the program.

use super::Builder;
use crate::address::Address;
use crate::config::SlotId;
use crate::eval::each_literal;
use crate::plan::{Action, Op, Slot};
use crate::value::{Data, Entry, Instance, Mapping, Sequence, Thunk, Type, Value};
use std::sync::Arc;

/// Computations that are followed on the stack, each within the next one.
const FEW_STEPS: u32 = 64;

impl Builder<'_, '_> {
    /// The template of a value; the slots it reads are appended to `needs`.
    pub(super) fn template(&mut self, value: &Value, needs: &mut Vec<SlotId>) -> Value {
        if value.is_constant() {
            return value.clone();
        }
        let made = match value.data() {
            Data::Unknown(ty, thunk) => match self.thunk_slot(*thunk) {
                None => Value::unknown((**ty).clone()),
                Some(slot) => {
                    needs.push(slot);
                    Value::deferred((**ty).clone(), Thunk(slot.0))
                }
            },
            Data::Sequence(sequence) => {
                let items = sequence.items().iter().map(|item| self.template(item, needs)).collect();
                Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items))))
            }
            Data::Mapping(mapping) => {
                let entries = mapping.entries().iter().map(|entry| Entry::new(entry.key.clone(), self.template(&entry.value, needs)));
                Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
            }
            Data::Instance(instance) => {
                needs.push(self.instance_slot(&instance.address));
                Value::new(Data::Instance(bare(instance)))
            }
            Data::Reference(instance) => {
                needs.push(self.instance_slot(&instance.address));
                Value::new(Data::Reference(bare(instance)))
            }
            _ => value.clone(),
        };
        made.marked(value.marks())
    }

    fn thunk_slot(&mut self, thunk: Thunk) -> Option<SlotId> {
        if let Some(slot) = self.thunks.get(&thunk.0) {
            return Some(*slot);
        }
        for below in self.landings(thunk) {
            if !self.thunks.contains_key(&below.0) {
                self.computed(below);
            }
        }
        match self.thunks.get(&thunk.0) {
            Some(slot) => Some(*slot),
            None => self.computed(thunk),
        }
    }

    fn computed(&mut self, thunk: Thunk) -> Option<SlotId> {
        let expression = self.walk.arena.thunks.get(thunk)?.clone();
        let mut needs = Vec::new();
        let expression = expression.map_literals(&mut |value| self.template(value, &mut needs));
        let slot = self.push(Op::Eval(expression), needs);
        self.thunks.insert(thunk.0, slot);
        Some(slot)
    }

    /// Computations that wait for each other in a long row would be followed on the stack, each within the next one. These are some of
    /// those that this one waits for, in an order in which each is reached from the one before by few steps.
    fn landings(&mut self, thunk: Thunk) -> Vec<Thunk> {
        let mut found = Vec::new();
        let mut open = Vec::new();
        if !self.heights.contains_key(&thunk.0) {
            open.push((thunk.0, self.waits_for(thunk), 0));
        }
        while let Some((at, waits, height)) = open.last_mut() {
            match waits.last().map(|below| (*below, self.heights.get(below))) {
                Some((_, Some(below))) => {
                    *height = (*height).max(below + 1);
                    waits.pop();
                }
                Some((below, None)) => {
                    let waits = self.waits_for(Thunk(below));
                    open.push((below, waits, 0));
                }
                None => {
                    if *height % FEW_STEPS == FEW_STEPS - 1 {
                        found.push(Thunk(*at));
                    }
                    self.heights.insert(*at, *height);
                    open.pop();
                }
            }
        }
        found
    }

    /// The computations whose values this one takes.
    fn waits_for(&self, thunk: Thunk) -> Vec<u32> {
        let mut found = Vec::new();
        if let Some(expression) = self.walk.arena.thunks.get(thunk) {
            each_literal(expression, &mut |value| collect(value, &mut found));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The slot whose value is an instance: that of its last effect, or a constant for what is kept.
    pub(super) fn instance_slot(&mut self, address: &Address) -> SlotId {
        if let Some(slot) = self.instances.get(address) {
            return *slot;
        }
        // It has its slot before its attributes are looked at: one that leads back to itself is a circle, which is told later.
        let slot = self.push(Op::Join, Vec::new());
        self.instances.insert(address.clone(), slot);
        let mut needs = Vec::new();
        let kept = self.walk.tables.planned(address).filter(|planned| planned.action == Action::Keep);
        let attributes = match kept.map(|planned| planned.attributes.clone()) {
            Some(attributes) => self.template(&attributes, &mut needs),
            None => Value::null(),
        };
        needs.sort_unstable();
        needs.dedup();
        let instance = Value::new(Data::Instance(Arc::new(Instance { address: address.clone(), classes: &[], attributes })));
        self.slots[slot.0 as usize] = Slot { op: Op::Const(instance), needs };
        slot
    }
}

/// The computations within a value.
fn collect(value: &Value, found: &mut Vec<u32>) {
    match value.data() {
        Data::Unknown(_, thunk) if !thunk.is_none() => found.push(thunk.0),
        Data::Sequence(_) | Data::Mapping(_) if !value.is_constant() => value.parts().for_each(|part| collect(part, found)),
        _ => {}
    }
}

/// An instance without its attributes: they are filled in by address.
fn bare(instance: &Instance) -> Arc<Instance> {
    Arc::new(Instance { address: instance.address.clone(), classes: instance.classes, attributes: Value::unknown(Type::Any) })
}
