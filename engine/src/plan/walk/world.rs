//! What the world says: places first, what lies within them next.

use super::{LEFT_OUT, Walk};
use crate::address::{Address, Mode};
use crate::diagnostic::Diagnostic;
use crate::plan::Action;
use crate::question::{Answer, Ask, Question};
use crate::state::{Connect, Operation, Place, Record, Status};
use crate::value::Value;
use std::sync::Arc;

/// What is known of a thing that the state remembers.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    /// Not answered yet.
    Pending,
    /// Not looked at: no refresh, or nothing of it is outside the state.
    Remembered,
    /// There, like this.
    Present(Value),
    /// Proven not to be there.
    Absent,
    /// Not to be told, and why.
    Unreachable(Arc<str>),
    /// An error.
    Refused(Diagnostic),
}

impl Walk<'_> {
    /// Asks for everything that the state remembers, as far as the places answer so far.
    pub(super) fn ask_reads(&mut self) {
        if self.inputs.skip_refresh {
            return;
        }
        for (address, place) in &self.prior.places {
            if !self.range.asks(address) || self.closed_place(address, place).is_some() {
                continue;
            }
            let record = self.prior.record(address).cloned().map(Box::new);
            let ask = Ask::Place { address: address.clone(), place: Box::new(place.clone()), record };
            let question = Question::new(ask);
            if !self.answers.contains_key(question.key()) {
                self.questions.insert(question.key().clone(), question);
            }
        }
        for (address, deposed, record) in self.prior.records() {
            if !self.range.reads(address)
                || !self.is_outside(record)
                || record.attributes.blocked_why().is_some()
                || !matches!(self.place_seen(record), Seen::Present(_) | Seen::Remembered)
            {
                continue;
            }
            let ask = Ask::Read { address: address.clone(), deposed: deposed.cloned(), record: Box::new(record.clone()) };
            let question = Question::new(ask);
            if !self.answers.contains_key(question.key()) {
                self.questions.insert(question.key().clone(), question);
            }
        }
    }

    /// What is known of a remembered thing.
    pub(super) fn seen(&self, address: &Address, deposed: Option<&Arc<str>>, record: &Record) -> Seen {
        if !self.range.reads(address) {
            return Seen::Unreachable(LEFT_OUT.into());
        }
        if let Some(why) = record.attributes.blocked_why() {
            return Seen::Unreachable(why);
        }
        let place = self.place_seen(record);
        match place {
            Seen::Present(_) | Seen::Remembered => {}
            other => return other,
        }
        if self.inputs.skip_refresh || !self.is_outside(record) {
            return Seen::Remembered;
        }
        let key = match deposed {
            None => format!("read {address}"),
            Some(deposed) => format!("read {address} deposed {deposed}"),
        };
        heard(self.answers.get(key.as_str()))
    }

    /// Why nobody can ask a place: what the state remembers of the way there is sealed, and the key is not at hand.
    pub(super) fn closed_place(&self, address: &Address, place: &Place) -> Option<Arc<str>> {
        match &place.connect {
            Connect::Source { arguments, .. } => arguments.blocked_why(),
            Connect::Record => self.prior.record(address)?.attributes.blocked_why(),
        }
    }

    /// Whether what was found under the name of a thing whose delete was interrupted is another thing, which is not ours. Says so.
    pub(super) fn is_another(&mut self, address: &Address, record: &Record, found: &Value) -> bool {
        let deleting = record.status == Status::Interrupted(Operation::Delete);
        let another = deleting
            && match (&record.uid, found.text("uid")) {
                (Some(recorded), Some(found)) => **recorded != *found,
                _ => false,
            };
        if another {
            let detail = format!("the delete of `{address}` was interrupted; it is gone, and what has its name now is not ours");
            self.tables.diagnostics.push(Diagnostic::warning("another of the same name", detail).about(address));
        }
        another
    }

    fn is_outside(&self, record: &Record) -> bool {
        self.catalogue.get(Mode::Managed, &record.kind).is_some_and(|kind| kind.schema().outside)
    }

    /// How a place is reached: the value of its attribute `connection`, from this plan, from its answer or from its record. Nothing if
    /// none of them has it, as of a cluster that is yet to be created.
    pub(super) fn connection(&self, place: &Address) -> Option<Value> {
        let usable = |value: &Value| value.is_known() && !value.is_null();
        let planned = self
            .tables
            .planned(place)
            .filter(|planned| !matches!(planned.action, Action::Create | Action::Replace | Action::ReplaceCreateFirst));
        let planned = planned.and_then(|planned| planned.attributes.get("connection")).filter(|value| usable(value));
        let answered = || match self.answers.get(format!("place {place}").as_str()) {
            Some(Answer::Present(value)) => value.get("connection").filter(|value| usable(value)),
            _ => None,
        };
        let recorded = || self.prior.record(place)?.attributes.get("connection").filter(|value| usable(value));
        planned.or_else(answered).or_else(recorded).cloned()
    }

    /// How a place is reached, and its uid if that is known.
    pub fn reached(&self, place: &Address) -> Option<(Value, Option<Arc<str>>)> {
        Some((self.connection(place)?, self.place_uid(place)))
    }

    /// The uid that a place is known by.
    pub(super) fn place_uid(&self, place: &Address) -> Option<Arc<str>> {
        let planned = self.tables.planned(place).and_then(|planned| planned.attributes.text("uid"));
        planned.map(Arc::from).or_else(|| self.prior.places.get(place)?.uid.clone())
    }

    /// Asks unless it is answered; the answer if it is.
    pub(super) fn ask(&mut self, ask: Ask) -> Option<Answer> {
        let question = Question::new(ask);
        let answer = self.answers.get(question.key()).cloned();
        if answer.is_none() {
            self.questions.insert(question.key().clone(), question);
        }
        answer
    }
}

/// What an answer tells of a thing.
pub(super) fn heard(answer: Option<&Answer>) -> Seen {
    match answer {
        None => Seen::Pending,
        Some(Answer::Present(value)) => Seen::Present(value.clone()),
        Some(Answer::Absent) => Seen::Absent,
        Some(Answer::Unreachable(why)) => Seen::Unreachable(why.clone()),
        Some(Answer::Refused(problem)) => Seen::Refused(problem.clone()),
        Some(Answer::Conflict(managers)) => Seen::Unreachable(format!("owned by {}", managers.join(", ")).into()),
    }
}
