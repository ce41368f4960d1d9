//! What is written down of an effect: before it, after it, and of what needs none.

use super::request::Task;
use super::run::{Run, recorded, stored};
use crate::plan::{Action, Target};
use crate::port::{Done, Failure};
use crate::state::{Entry, Operation, Record, Status};
use crate::value::Value;
use std::sync::Arc;

impl Run<'_> {
    /// The record as the next run finds it if no outcome follows.
    pub(super) fn intended(&self, task: &Task, operation: Operation, prior: Option<&Record>) -> Record {
        if let (Some(prior), Operation::Update | Operation::Delete) = (prior, operation) {
            return Record { status: Status::Interrupted(operation), ..prior.clone() };
        }
        let planned = task.planned.clone().unwrap_or_else(Value::null);
        let attributes = task.kind.remembered(&planned, &self.plan.prior.secret_key);
        let mut record = Self::record(task, &attributes);
        record.status = Status::Interrupted(operation);
        record
    }

    fn record(task: &Task, attributes: &Value) -> Record {
        let target = &task.target;
        Record {
            id: task.id.clone(),
            kind: target.kind.clone(),
            uid: None,
            place: target.place.clone(),
            status: Status::Ready,
            identity: task.kind.identity(&task.arguments).map(Arc::from),
            attributes: stored(attributes),
            applied: None,
            observed: None,
            depends_on: target.depends_on.iter().cloned().collect(),
            create_before_destroy: target.create_before_destroy,
            prevent_destroy: target.prevent_destroy,
            schema_version: task.kind.schema().version,
        }
    }

    /// Writes down what an effect left.
    pub(super) fn commit(&mut self, task: &Task, done: Done) {
        let address = task.target.address.clone();
        match task.action {
            Action::Create | Action::Update | Action::Import => {
                let ready = !task.kind.settles(&task.arguments);
                self.put(task, done, if ready { Status::Ready } else { Status::Unready });
                self.count(task.action, 1);
                if self.plan.change(&address).is_some_and(|change| change.reason.changes_what_is_imported()) {
                    self.count(Action::Update, 1);
                }
            }
            Action::Settle => self.put(task, done, Status::Ready),
            Action::Delete => {
                let mut removed = 1;
                if task.target.deposed.is_none() && self.state.places.contains_key(&address) {
                    removed += self.state.within(&address).len();
                    self.write(Entry::RemovePlace { address: address.clone() });
                }
                self.write(Entry::Remove { address, deposed: task.target.deposed.clone() });
                self.count(Action::Delete, removed);
            }
            _ => {}
        }
    }

    /// Writes down what a failed effect left all the same.
    pub(super) fn record_failure(&mut self, task: &Task, failure: &Failure) {
        let address = task.target.address.clone();
        match (&failure.partial, task.action) {
            (Some(done), Action::Create | Action::Update | Action::Import) => {
                self.put(task, (**done).clone(), if failure.tainted { Status::Tainted } else { Status::Unready });
            }
            (None, Action::Create) if task.intended => self.write(Entry::Remove { address, deposed: task.target.deposed.clone() }),
            (None, Action::Update | Action::Delete | Action::Import) if task.intended => {
                // The intent marked it interrupted; whatever the failed effect did, the next plan must look.
            }
            _ => {}
        }
    }

    fn put(&mut self, task: &Task, done: Done, status: Status) {
        let attributes = task.kind.remembered(&done.attributes, &self.plan.prior.secret_key);
        let mut record = Self::record(task, &attributes);
        let before = recorded(&self.state, &task.target);
        record.status = status;
        record.uid = done.uid.or_else(|| before.and_then(|before| before.uid.clone()));
        record.applied = done.applied.or_else(|| before.and_then(|before| before.applied.clone()));
        record.observed = done.observed.or_else(|| before.and_then(|before| before.observed.clone()));
        self.write(Entry::Put { address: task.target.address.clone(), deposed: task.target.deposed.clone(), record });
    }

    /// Refreshes what is written down about a kept thing, and about the place it lies in.
    pub(super) fn put_again(&mut self, target: &Target, attributes: &Value, uid: Option<Arc<str>>) -> Result<(), Failure> {
        let Some(mut record) = self.state.record(&target.address).cloned() else { return Ok(()) };
        self.put_place(target)?;
        if let Ok(kind) = self.kind(target) {
            record.attributes = stored(&kind.remembered(attributes, &self.plan.prior.secret_key));
        }
        record.status = Status::Ready;
        record.uid = uid.or(record.uid);
        record.place.clone_from(&target.place);
        record.depends_on = target.depends_on.iter().cloned().collect();
        record.create_before_destroy = target.create_before_destroy;
        record.prevent_destroy = target.prevent_destroy;
        self.write(Entry::Put { address: target.address.clone(), deposed: None, record });
        Ok(())
    }
}
