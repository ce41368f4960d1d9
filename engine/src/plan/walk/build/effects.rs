//! The steps of one instance.

use super::super::tables::Planned;
use super::Builder;
use crate::address::{Address, Mode};
use crate::config::SlotId;
use crate::plan::{Action, Op, Reason, Target};
use crate::state::{Record, Status};
use crate::value::{Thunk, Type, Value};
use std::sync::Arc;

/// The rendering of a set at apply, which comes before the steps of the set and of its members.
pub(super) struct Rendering {
    pub(super) slot: SlotId,
    /// The member whose arguments come from there.
    pub(super) member: Option<Arc<str>>,
}

impl Builder<'_, '_> {
    /// Adds the steps of an instance, after the rendering of its set if there is one.
    pub(super) fn add_effects(&mut self, address: &Address, planned: &Planned, rendering: Option<Rendering>) {
        let needs: Vec<_> = self.edge(planned.edges).into_iter().collect();
        let target = Arc::new(self.target(address, planned));
        if planned.is_only_read() {
            return self.add_look((address, planned), target, needs);
        }
        match planned.action {
            Action::Keep | Action::Move => self.add_kept(address, planned, target, needs),
            Action::Delete | Action::Forget => self.add_removal(address, planned),
            action => {
                let mut needs = needs;
                needs.extend(rendering.as_ref().map(|rendering| rendering.slot));
                let arguments = match rendering {
                    Some(Rendering { slot: render, member: Some(key) }) => {
                        let slot = self.push(Op::Member { render, key }, vec![render]);
                        needs.push(slot);
                        Value::deferred(Type::Any, Thunk(slot.0))
                    }
                    _ => self.template(&planned.arguments, &mut needs),
                };
                match self.held {
                    Some(held) => needs.push(held),
                    None => needs.extend(self.holds(address, planned)),
                }
                needs.extend(target.place.as_ref().filter(|_| !matches!(action, Action::Read)).map(|place| self.instance_slot(place)));
                self.add_steps((address, planned), target, arguments, needs);
            }
        }
    }

    /// What must hold before anything is done to an instance: conditions that are decided at apply, and gates.
    fn holds(&mut self, address: &Address, planned: &Planned) -> Vec<SlotId> {
        let Some(waits) = &planned.terms.waits else { return Vec::new() };
        let mut holds = self.asserts(&waits.preconditions, Some(address));
        holds.extend(waits.gates.iter().filter_map(|gate| self.gates.get(gate)));
        holds
    }

    /// The step that a set and all of its members wait for, if something must hold before.
    pub(super) fn held(&mut self, address: &Address, planned: &Planned) -> Option<SlotId> {
        planned.members.as_ref()?;
        let holds = self.holds(address, planned);
        (!holds.is_empty()).then(|| self.push(Op::Join, holds))
    }

    fn add_steps(&mut self, (address, planned): (&Address, &Planned), target: Arc<Target>, arguments: Value, mut needs: Vec<SlotId>) {
        let attributes = planned.attributes.clone();
        let mut last = match planned.action {
            Action::Read => self.push(Op::Read { target: target.clone(), arguments: arguments.clone(), known: None }, needs),
            Action::Update => {
                let observed = self.looked_up(planned, (&target, &arguments), &mut needs).or_else(|| planned.observed.clone());
                let op = Op::Update { target: target.clone(), arguments: arguments.clone(), observed, planned: attributes };
                self.push(op, needs)
            }
            Action::Import => {
                let observed = planned.observed.clone().unwrap_or_else(Value::null);
                let op = Op::Import { target: target.clone(), arguments: arguments.clone(), observed, planned: attributes };
                self.push(op, needs)
            }
            // After an interruption the provider says what it left: uid and fingerprints are in no journal.
            Action::Settle if planned.settles || planned.reason == Reason::Interrupted => {
                self.push(Op::Settle { target: target.clone(), arguments: arguments.clone() }, needs)
            }
            Action::Settle => self.push(Op::Record { target: target.clone(), attributes, uid: observed_uid(planned) }, needs),
            _ => {
                if planned.action == Action::Replace && !planned.dies_with_place {
                    let delete = self.push(Op::Delete { target: Arc::new(self.removal_target(address, planned)) }, Vec::new());
                    self.removals.insert(address.clone(), delete);
                    needs.push(delete);
                }
                let op = Op::Create { target: target.clone(), arguments: arguments.clone(), planned: attributes };
                self.push(op, needs)
            }
        };
        if planned.settles && planned.action != Action::Settle && planned.action != Action::Read {
            last = self.push(Op::Settle { target, arguments }, vec![last]);
        }
        self.instances.insert(address.clone(), last);
        let after = planned.terms.waits.as_ref().map_or_else(Vec::new, |waits| self.asserts(&waits.postconditions, Some(address)));
        if !after.is_empty() {
            for assert in &after {
                self.slots[assert.0 as usize].needs.push(last);
            }
            let mut needs = after;
            needs.push(last);
            last = self.push(Op::Join, needs);
        }
        self.finals.insert(address.clone(), last);
        if planned.action == Action::ReplaceCreateFirst && !self.walk.former_kept.contains_key(address) {
            self.add_deposal(address, planned, last);
        }
    }

    /// The step of a data source within a check, if it is read at apply.
    pub(super) fn add_probe(&mut self, address: &Address) {
        let Some(planned) = self.walk.tables.planned(address).filter(|planned| planned.action == Action::Read).cloned() else { return };
        let mut needs: Vec<_> = self.edge(planned.edges).into_iter().collect();
        let arguments = self.template(&planned.arguments, &mut needs);
        let target = Arc::new(self.target(address, &planned));
        let slot = self.push(Op::Probe { target, arguments }, needs);
        self.instances.insert(address.clone(), slot);
        self.finals.insert(address.clone(), slot);
    }

    /// What is kept has a step only if what is written down about it changes. Those after it wait for what it waits for, and for what must
    /// hold of it.
    fn add_kept(&mut self, address: &Address, planned: &Planned, target: Arc<Target>, needs: Vec<SlotId>) {
        self.add_kept_alone(address, planned, target, needs);
        let Some(waits) = planned.terms.waits.as_ref() else { return };
        let mut held = match self.held {
            Some(held) => vec![held],
            None => self.asserts(&waits.preconditions, Some(address)),
        };
        held.extend(self.asserts(&waits.postconditions, Some(address)));
        if !held.is_empty() {
            held.extend(self.finals.get(address));
            let last = self.push(Op::Join, held);
            self.finals.insert(address.clone(), last);
        }
    }

    fn add_kept_alone(&mut self, address: &Address, planned: &Planned, target: Arc<Target>, needs: Vec<SlotId>) {
        let first = needs.first().copied();
        if let (Mode::Data, Some(known)) = (address.mode, &planned.observed) {
            let op = Op::Read { target, arguments: planned.arguments.clone(), known: Some(known.clone()) };
            let slot = self.push(op, needs);
            self.finals.insert(address.clone(), slot);
            self.instances.insert(address.clone(), slot);
            return;
        }
        if let Some(prior) = &planned.prior
            && (outdated(prior, &target, &planned.attributes) || self.loses_edges(&target))
        {
            let slot = self.push(Op::Record { target, attributes: planned.attributes.clone(), uid: observed_uid(planned) }, needs);
            self.finals.insert(address.clone(), slot);
            self.instances.insert(address.clone(), slot);
            return;
        }
        if let Some(first) = first {
            self.finals.insert(address.clone(), first);
        }
    }

    /// Whether something it came from is deleted and created again: with the delete its record loses that edge.
    fn loses_edges(&self, target: &Target) -> bool {
        let replaced = |address: &Address| self.walk.tables.planned(address).is_some_and(|planned| planned.action == Action::Replace);
        target.depends_on.iter().any(replaced)
    }

    pub(super) fn asserts(&mut self, open: &[(Value, Value)], address: Option<&Address>) -> Vec<SlotId> {
        let mut slots = Vec::new();
        for (condition, message) in open {
            let mut needs = Vec::new();
            let condition = self.template(condition, &mut needs);
            let message = self.template(message, &mut needs);
            slots.push(self.push(Op::Assert { condition, message, address: address.cloned() }, needs));
        }
        slots
    }

    pub(super) fn target(&self, address: &Address, planned: &Planned) -> Target {
        let mut depends_on = self.walk.made_from(planned.edges, address);
        if let Some(bringers) = self.bringers.get(address) {
            depends_on.extend(bringers.iter().cloned());
            depends_on.sort_unstable();
            depends_on.dedup();
        }
        Target {
            address: address.clone(),
            deposed: None,
            kind: planned.kind.schema().kind.into(),
            place: planned.place.clone(),
            place_slot: planned.place.as_ref().and_then(|place| self.instances.get(place)).copied(),
            depends_on,
            create_before_destroy: planned.terms.create_before_destroy,
            prevent_destroy: planned.terms.prevent_destroy,
            timeout: planned.terms.timeout(match planned.action {
                Action::Update => "update",
                Action::Read => "read",
                _ => "create",
            }),
        }
    }
}

fn observed_uid(planned: &Planned) -> Option<Arc<str>> {
    planned.observed.as_ref()?.text("uid").map(Arc::from)
}

/// Whether what is written down about a kept thing differs from what the plan says of it.
fn outdated(prior: &Record, target: &Target, attributes: &Value) -> bool {
    let edges_differ = !prior.depends_on.iter().eq(target.depends_on.iter());
    let terms_differ = (prior.create_before_destroy, prior.prevent_destroy) != (target.create_before_destroy, target.prevent_destroy);
    // Most are the very same, which is told without writing them out.
    let differ = prior.attributes.data() != attributes.data()
        && match (prior.attributes.to_json(), attributes.to_json()) {
            (Ok(prior), Ok(attributes)) => prior != attributes,
            _ => false,
        };
    edges_differ || terms_differ || differ || prior.place != target.place || prior.status != Status::Ready
}
