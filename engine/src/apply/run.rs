//! The bookkeeping of an apply under way: what each slot computes, what each effect is asked, and what its end writes down.

use super::drive::Effects;
use super::gate::{Gate, Pause};
use super::look::is_unlike;
use super::request::{Starting, Task};
use super::walk::Walk;
use super::{Driven, Event, Summary};
use crate::address::Address;
use crate::config::SlotId;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Change, Op, Plan, Target};
use crate::port::{Done, Failure, StoreError};
use crate::state::{Entry, Output, Record, State};
use crate::value::{Data, Instance, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An effect that came to its end.
pub(super) struct Ended {
    pub(super) slot: SlotId,
    pub(super) result: Result<Done, Failure>,
}

/// An apply under way.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) effects: Effects<'a>,
    pub(super) walk: Walk<'a>,
    pub(super) state: State,
    /// The key of the state, which each request has.
    pub(super) secret_key: Arc<[u8]>,
    tell: &'a mut (dyn FnMut(Event) + Send),
    /// What is to be written down with the next append.
    pub(super) entries: Vec<Entry>,
    /// Effects that count against the limit.
    busy: usize,
    /// What is ready and waits for the limit, lowest first. Kept apart: looking through it for each slot would be quadratic.
    queued: BTreeSet<SlotId>,
    /// Things that are replaced create first: what is current becomes deposed when the new one is made.
    deposing: BTreeMap<Address, Arc<str>>,
    /// What runs: the task behind each slot.
    tasks: BTreeMap<SlotId, Arc<Task>>,
    outputs: BTreeMap<Arc<str>, Output>,
    /// Who depends on whom among the records, built when first needed.
    dependents: Option<BTreeMap<Address, BTreeSet<Address>>>,
    /// Why something could not be computed that checks alone look at.
    pub(super) misread: BTreeSet<Arc<str>>,
    /// Checks that are waited for, by their slots, and the pauses that are to begin.
    pub(super) gates: BTreeMap<SlotId, Gate>,
    pub(super) pauses: Vec<Pause>,
    summary: Summary,
    stopping: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(plan: &'a Plan, effects: Effects<'a>, tell: &'a mut (dyn FnMut(Event) + Send)) -> Self {
        Self {
            plan,
            effects,
            walk: Walk::new(&plan.program),
            state: plan.prior.clone(),
            secret_key: plan.prior.secret_key.as_slice().into(),
            tell,
            entries: plan.renamed.iter().map(|(from, to)| Entry::Move { from: from.clone(), to: to.clone() }).collect(),
            busy: 0,
            queued: BTreeSet::new(),
            deposing: plan.changes.iter().filter_map(|change| deposes(change, &plan.prior)).collect(),
            tasks: BTreeMap::new(),
            outputs: plan.prior.outputs.clone(),
            dependents: None,
            misread: BTreeSet::new(),
            gates: BTreeMap::new(),
            pauses: Vec::new(),
            summary: Summary::default(),
            stopping: false,
        }
    }

    /// Computes what needs no effect and prepares the effects that may start now, their intents among the entries.
    pub(super) fn advance(&mut self) -> Vec<Starting> {
        let mut starting = Vec::new();
        while !self.stopping {
            let Some(slot) = self.next_slot() else { break };
            match self.prepare(slot) {
                Ok(Some(start)) => {
                    if let Some(task) = start.task().cloned() {
                        if let Some((address, action)) = task.shown() {
                            let (deposed, activity) = (task.target.deposed.clone(), task.activity.clone());
                            self.say(Event::Started { address, deposed, action, activity });
                        }
                        self.busy += usize::from(task.counts());
                        self.tasks.insert(slot, task);
                    }
                    starting.push(start);
                }
                Ok(None) => {}
                // What is wrong with what a check says makes the check fail, as it does while planning.
                Err(failure) if self.walk.is_for_checks(slot) => {
                    let why: Arc<str> = failure.detail.into();
                    self.misread.insert(why.clone());
                    self.walk.finish(slot, Value::blocked(why));
                }
                Err(failure) => self.failed(slot, &failure),
            }
        }
        starting
    }

    /// Takes the next slot that may start: first what does not count against the limit, then as many of the rest as it leaves room for.
    fn next_slot(&mut self) -> Option<SlotId> {
        while let Some(slot) = self.walk.ready().first().copied() {
            self.walk.start(slot);
            if !self.counts(slot) {
                return Some(slot);
            }
            self.queued.insert(slot);
        }
        if self.busy < self.effects.parallelism.max(1) { self.queued.pop_first() } else { None }
    }

    fn counts(&self, slot: SlotId) -> bool {
        match self.walk.op(slot) {
            Op::Create { target, .. } | Op::Update { target, .. } | Op::Import { target, .. } | Op::Delete { target } => {
                self.is_outside(target)
            }
            Op::Read { .. } | Op::Probe { .. } | Op::Look { .. } => true,
            _ => false,
        }
    }

    /// The key that the current object of an address gets when its successor is made first; nothing for all others.
    pub(super) fn deposed_key(&self, address: &Address) -> Option<Arc<str>> {
        let key = self.deposing.get(address)?;
        self.state.record(address).filter(|record| record.id.deposed_key() == *key).map(|_| key.clone())
    }

    /// Whether a target's kind has effects outside the state.
    pub(super) fn is_outside(&self, target: &Target) -> bool {
        self.effects.registry.kind(target.address.mode, &target.kind).is_some_and(|kind| kind.schema().outside)
    }

    pub(super) fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Whether nothing is left that could start.
    pub(super) fn is_idle(&self) -> bool {
        self.stopping || (self.walk.ready().is_empty() && self.queued.is_empty())
    }

    pub(super) fn interrupt(&mut self) {
        if !self.stopping {
            self.stopping = true;
            self.summary.interrupted = true;
            self.say(Event::Stopping);
        }
    }

    /// Entries whose append failed are written with the next one: a later entry may mean nothing without them.
    pub(super) fn keep(&mut self, entries: Vec<Entry>) {
        self.entries.splice(0..0, entries);
    }

    /// The journal could not be written: nothing new starts.
    pub(super) fn lost(&mut self, error: &StoreError) {
        self.stopping = true;
        self.summary.failed += 1;
        self.summary.diagnostics.push(Diagnostic::error("state not written", error.to_string()));
    }

    /// An effect ended.
    pub(super) fn end(&mut self, ended: Ended) {
        let Some(task) = self.tasks.remove(&ended.slot) else {
            return if matches!(self.walk.op(ended.slot), Op::Render { .. }) { self.rendered(ended) } else { self.look_again(ended.slot) };
        };
        self.busy -= usize::from(task.counts());
        match ended.result {
            Ok(done) if matches!(self.walk.op(ended.slot), Op::Look { .. }) => match self.looked(ended.slot, &task, done.attributes) {
                Ok(value) => self.finished(ended.slot, &task, Vec::new(), value),
                Err(failure) => self.failed(ended.slot, &failure),
            },
            Ok(done) => self.succeeded(ended.slot, &task, done),
            Err(failure) if matches!(self.walk.op(ended.slot), Op::Probe { .. }) => {
                if let Some((address, action)) = task.shown() {
                    let notes = vec![failure.to_string()];
                    self.say(Event::Finished { address, deposed: None, action, notes, retried: task.activity.retried() });
                }
                self.walk.finish(ended.slot, Value::blocked(failure.detail));
            }
            Err(failure) => {
                self.record_failure(&task, &failure);
                self.failed(ended.slot, &failure);
            }
        }
    }

    fn succeeded(&mut self, slot: SlotId, task: &Task, done: Done) {
        let notes = done.notes.clone();
        let contradiction = task.contradiction(&done.attributes);
        let value = instance(&task.target.address, &done.attributes);
        self.commit(task, done);
        if let Some(path) = contradiction {
            let detail = format!("`{}` of `{}` is not what the plan said it would be", path, task.target.address);
            self.failed(slot, &Failure::new("unexpected result", detail));
            return;
        }
        self.finished(slot, task, notes, value);
    }

    fn finished(&mut self, slot: SlotId, task: &Task, notes: Vec<String>, value: Value) {
        if let Some((address, action)) = task.shown() {
            let (deposed, retried) = (task.target.deposed.clone(), task.activity.retried());
            self.say(Event::Finished { address, deposed, action, notes, retried });
        }
        self.walk.finish(slot, value);
    }

    /// A slot failed: says so, and skips what needs it.
    pub(super) fn failed(&mut self, slot: SlotId, failure: &Failure) {
        let target = self.walk.op(slot).target().cloned();
        let about = match self.walk.op(slot) {
            Op::Assert { address, .. } => address.as_ref(),
            _ => target.as_ref().map(|target| &target.address),
        };
        let mut diagnostic = Diagnostic::error(failure.summary.clone(), failure.detail.clone());
        if let Some(about) = about {
            diagnostic = diagnostic.about(about);
        }
        let action = action_of(self.walk.op(slot));
        self.summary.failed += 1;
        self.summary.unlike += usize::from(is_unlike(failure));
        self.summary.diagnostics.push(diagnostic.clone());
        if let Some(target) = &target {
            self.say(Event::Failed { address: target.address.clone(), action, diagnostic });
        }
        for skipped in self.walk.fail(slot) {
            let op = self.walk.op(skipped);
            if let (Some(skipped), true) = (op.target(), is_step(op)) {
                self.summary.skipped += 1;
                let because = target.as_ref().map(|target| target.address.clone());
                self.say(Event::Skipped { address: skipped.address.clone(), action: action_of(op), because });
            }
        }
    }

    /// Writes an entry down: into the state at hand now, into the journal with the next append.
    pub(super) fn write(&mut self, entry: Entry) {
        if let Entry::Remove { address, deposed: None } = &entry {
            self.hand_on(&address.clone());
        }
        self.state.apply(&entry);
        self.entries.push(entry);
    }

    /// Records that depend on one about to be removed take over its edges, so that what is left keeps its order.
    fn hand_on(&mut self, removed: &Address) {
        let prior = &self.plan.prior;
        let dependents = self.dependents.get_or_insert_with(|| {
            let mut dependents: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
            for (address, _, record) in prior.records() {
                for needed in &record.depends_on {
                    dependents.entry(needed.clone()).or_default().insert(address.clone());
                }
            }
            dependents
        });
        // Most are removed before what they depend on.
        let (state, found) = (&self.state, dependents.get(removed).into_iter().flatten());
        let left: Vec<_> = found.filter(|address| state.record(address).is_some()).cloned().collect();
        let Some(edges) = state.record(removed).filter(|_| !left.is_empty()).map(|record| record.depends_on.clone()) else { return };
        for address in left {
            let Some(mut record) = self.state.record(&address).cloned() else { continue };
            if record.depends_on.remove(removed) {
                record.depends_on.extend(edges.iter().cloned());
                for edge in &edges {
                    self.dependents.get_or_insert_default().entry(edge.clone()).or_default().insert(address.clone());
                }
                self.write(Entry::Put { address, deposed: None, record });
            }
        }
    }

    /// Remembers an output.
    pub(super) fn output(&mut self, name: &Arc<str>, value: Value, sensitive: bool) {
        self.outputs.insert(name.clone(), Output { value, sensitive });
    }

    /// The last entries: outputs, and places in which nothing lies any more.
    pub(super) fn conclude(&mut self) -> Vec<Entry> {
        // What was made ready for an effect and never began counts as well.
        let unstarted: Vec<_> = self.walk.unstarted().chain(self.queued.iter().copied()).chain(self.tasks.keys().copied()).collect();
        for slot in unstarted {
            if is_step(self.walk.op(slot)) {
                self.summary.skipped += 1;
            }
        }
        for change in self.plan.outputs.iter().filter(|change| change.after.is_none()) {
            self.outputs.remove(&change.name);
        }
        if self.outputs != self.state.outputs {
            self.write(Entry::Outputs(self.outputs.clone()));
        }
        self.keep_places();
        let empty = self.state.places.keys().filter(|place| self.state.record(place).is_none() && self.state.within(place).is_empty());
        for address in empty.cloned().collect::<Vec<_>>() {
            self.write(Entry::RemovePlace { address });
        }
        self.take_entries()
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// How it ended, with the state if that is kept under a serial.
    pub(super) fn driven(self, serial: Option<u64>) -> Driven {
        let serial = serial.filter(|serial| *serial > 0);
        Driven { summary: self.summary, state: serial.map(|serial| State { serial, ..self.state }) }
    }

    pub(super) fn count(&mut self, action: Action, how_many: usize) {
        match action {
            Action::Create | Action::Replace | Action::ReplaceCreateFirst => self.summary.added += how_many,
            Action::Update => self.summary.changed += how_many,
            Action::Import => self.summary.imported += how_many,
            Action::Delete | Action::Forget => self.summary.destroyed += how_many,
            Action::Keep | Action::Settle | Action::Read | Action::Move => {}
        }
    }

    pub(super) fn say(&mut self, event: Event) {
        (self.tell)(event);
    }
}

/// An instance with its attributes, as slots hold it.
pub(super) fn instance(address: &Address, attributes: &Value) -> Value {
    Value::new(Data::Instance(Arc::new(Instance { address: address.clone(), classes: &[], attributes: attributes.clone() })))
}

/// What a slot does, as events say it.
pub(super) fn action_of(op: &Op) -> Action {
    match op {
        Op::Create { .. } => Action::Create,
        Op::Settle { .. } => Action::Settle,
        Op::Update { .. } => Action::Update,
        Op::Import { .. } => Action::Import,
        Op::Delete { .. } => Action::Delete,
        Op::Forget { .. } => Action::Forget,
        Op::Read { .. } | Op::Probe { .. } | Op::Look { .. } => Action::Read,
        _ => Action::Keep,
    }
}

/// Whether a slot is a step that people count.
fn is_step(op: &Op) -> bool {
    let makes = matches!(op, Op::Create { .. } | Op::Update { .. } | Op::Import { .. } | Op::Settle { .. });
    makes || matches!(op, Op::Delete { .. } | Op::Forget { .. } | Op::Read { .. })
}

/// A record as it is written down: references as their addresses.
pub(super) fn stored(attributes: &Value) -> Value {
    match attributes.data() {
        Data::Instance(instance) | Data::Reference(instance) => Value::string(instance.address.to_string()),
        Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => Value::null().marked(attributes.marks()),
        Data::Sequence(sequence) if !attributes.is_constant() || holds_reference(attributes) => {
            let items = sequence.items().iter().map(stored).collect();
            let made = crate::value::Sequence::new(sequence.kind().clone(), items);
            Value::new(Data::Sequence(Arc::new(made))).marked(attributes.marks())
        }
        Data::Mapping(mapping) if !attributes.is_constant() || holds_reference(attributes) => {
            let entries = mapping.entries().iter().map(|entry| crate::value::Entry::new(entry.key.clone(), stored(&entry.value)));
            let made = crate::value::Mapping::new(mapping.kind().clone(), entries.collect());
            Value::new(Data::Mapping(Arc::new(made))).marked(attributes.marks())
        }
        _ => attributes.clone(),
    }
}

fn holds_reference(value: &Value) -> bool {
    matches!(value.data(), Data::Reference(_) | Data::Instance(_)) || value.parts().any(holds_reference)
}

/// The key under which the current object of a change is deposed: whether this plan deletes it in the end or leaves it for now.
fn deposes(change: &Change, prior: &State) -> Option<(Address, Arc<str>)> {
    let current = prior.record(&change.address).filter(|_| change.action == Action::ReplaceCreateFirst)?;
    Some((change.address.clone(), current.id.deposed_key()))
}

/// The record that an effect continues, if there is one.
pub(super) fn recorded<'s>(state: &'s State, target: &Target) -> Option<&'s Record> {
    match &target.deposed {
        None => state.record(&target.address),
        Some(key) => state.resources.get(&target.address)?.deposed.get(key),
    }
}
