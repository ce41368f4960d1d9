//! Rules of variables that only an apply can decide: what is made from the variable waits until they hold.

use super::super::skeleton::Item;
use super::Builder;
use crate::address::{Address, ModulePath};
use crate::config::SlotId;
use crate::graph;
use crate::plan::Op;
use std::collections::BTreeSet;

/// The open rules of one variable.
pub(super) struct Rules {
    /// The instance of the module that the variable is in.
    path: ModulePath,
    /// The blocks that are made from it, also by way of others.
    dependents: BTreeSet<usize>,
    slots: Vec<SlotId>,
}

impl Builder<'_, '_> {
    /// Adds the rules, and makes wait for them what is created, changed, imported or read.
    pub(super) fn wait_for_rules(&mut self) {
        let open = std::mem::take(&mut self.walk.tables.variable_conditions);
        if open.is_empty() {
            return;
        }
        let edges = self.walk.tables.skeleton.edges();
        for ((path, name), conditions) in open {
            let slots = self.asserts(&conditions, None);
            let skeleton = &self.walk.tables.skeleton;
            let variable = skeleton.module_of(&path).and_then(|module| skeleton.find(module, &Item::Variable(name)));
            let mut dependents = BTreeSet::new();
            let mut next: Vec<usize> = variable.into_iter().collect();
            while let Some(at) = next.pop() {
                let more = edges.iter().filter(|(_, needed)| *needed == at).map(|(node, _)| *node);
                next.extend(more.filter(|node| dependents.insert(*node)));
            }
            self.rules.push(Rules { path, dependents, slots });
        }
        let mut held: Vec<(SlotId, SlotId)> = Vec::new();
        for (at, slot) in self.slots.iter().enumerate() {
            let (Op::Create { target, .. } | Op::Update { target, .. } | Op::Import { target, .. } | Op::Read { target, .. }) = &slot.op
            else {
                continue;
            };
            let id = SlotId(u32::try_from(at).unwrap_or(u32::MAX));
            held.extend(
                self.rules
                    .iter()
                    .filter(|rules| self.is_under(&target.address, rules))
                    .flat_map(|rules| &rules.slots)
                    .map(|rule| (id, *rule)),
            );
        }
        // What a rule looks at may need, by an order that stands in no expression, what is made from its variable.
        let needs = self.slots.iter().enumerate().flat_map(|(at, slot)| slot.needs.iter().map(move |needed| (at, needed.0 as usize)));
        let all: Vec<_> = needs.chain(held.iter().map(|(slot, rule)| (slot.0 as usize, rule.0 as usize))).collect();
        if graph::order(self.slots.len(), &all).is_ok() {
            self.add_needs(held);
        }
    }

    /// The rules of the variables that a block of the root module is made from.
    pub(super) fn rules_of(&self, node: usize) -> impl Iterator<Item = SlotId> {
        self.rules.iter().filter(move |rules| rules.dependents.contains(&node)).flat_map(|rules| rules.slots.iter().copied())
    }

    /// Whether an instance is made from this variable of this instance of its module.
    fn is_under(&self, address: &Address, rules: &Rules) -> bool {
        let (of, steps) = (rules.path.steps(), address.module.steps());
        let is_called = steps.len() >= of.len() && of.iter().zip(steps).all(|(of, step)| of.name == step.name);
        let is_in_another = is_called && !steps.starts_with(of);
        !is_in_another && self.walk.tables.skeleton.node_of(address).is_some_and(|node| rules.dependents.contains(&node))
    }
}
