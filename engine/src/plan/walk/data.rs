//! Data sources: read while planning if nothing they came from changes, else at apply.

use super::Walk;
use super::instance::{Found, Subject};
use super::standing::Touch;
use super::tables::{Fate, Planned, Terms};
use crate::diagnostic::{Diagnostic, Problems};
use crate::plan::{Action, Reason};
use crate::question::{Answer, Ask};
use crate::value::{Origin, Secrets, Value};

impl Walk<'_> {
    /// Plans a data source whose arguments are settled.
    pub(super) fn plan_data(&mut self, subject: &Subject<'_>, dependencies: Origin, terms: Terms) -> Result<Found, Problems> {
        let waits_for = self.standing(subject.edges).remade;
        let place = subject.kind.place(subject.arguments);
        let deferred = if !subject.arguments.is_known() {
            Some(Reason::ReadWhenKnown)
        } else if !waits_for.is_empty() {
            Some(Reason::ReadAfter(waits_for))
        } else if self.standing(dependencies).changes() {
            let all = self.arena.origins.instances(dependencies).into_iter().take(3).cloned().collect();
            Some(Reason::ReadAfter(all))
        } else {
            None
        };
        let (action, reason, attributes) = if let Some(reason) = deferred {
            (Action::Read, reason, unread(subject))
        } else {
            let ask = Ask::Data {
                address: subject.address.clone(),
                kind: subject.kind.schema().kind.into(),
                place: place.clone(),
                arguments: subject.arguments.clone(),
            };
            // What is said of it may repeat what it was asked with.
            match self.ask(ask).map(|answer| answer.without(&Secrets::of([subject.arguments]))) {
                None => return Ok(Found::Open),
                Some(Answer::Present(value)) => (Action::Keep, Reason::Unchanged, read(subject, &value)),
                Some(Answer::Unreachable(why)) => {
                    let sources = self.made_from(subject.edges, subject.address);
                    return Ok(Found::Fate(Fate::Blocked(self.unobserved_because(why, place.as_ref(), &sources))));
                }
                Some(Answer::Refused(problem)) => return Err(vec![problem.at(subject.span)]),
                Some(Answer::Absent | Answer::Conflict(_)) => return Err(vec![missing(subject)]),
            }
        };
        // What it reads changes in place: what it said must still hold when that is done.
        let again = action == Action::Keep && self.standing(subject.edges).touch == Touch::Update;
        let observed = again.then(|| attributes.clone());
        Ok(Found::Fate(Fate::Planned(Box::new(Planned {
            kind: subject.kind.clone(),
            action,
            reason,
            arguments: subject.arguments.clone(),
            attributes,
            prior: None,
            observed,
            edges: subject.edges,
            place,
            settles: false,
            dies_with_place: false,
            not_previewed: None,
            unpreviewed: None,
            terms,
            members: None,
            unread: None,
        }))))
    }
}

/// The attributes of a data source that was read: what was answered, with the arguments as configured.
pub(super) fn read(subject: &Subject<'_>, answered: &Value) -> Value {
    Value::object(subject.kind.schema().attributes.iter().map(|attribute| {
        let argument = subject.arguments.get(attribute.name).filter(|value| !value.is_null());
        let value = argument.or_else(|| answered.get(attribute.name)).cloned().unwrap_or_else(Value::null);
        (attribute.key.clone(), value.sensitive_if(attribute.sensitive))
    }))
}

/// The attributes of a data source that is read at apply: the arguments as configured, the rest unknown.
pub(super) fn unread(subject: &Subject<'_>) -> Value {
    Value::object(subject.kind.schema().attributes.iter().map(|attribute| {
        let argument = subject.arguments.get(attribute.name).filter(|value| !value.is_null());
        let value = argument.cloned().unwrap_or_else(|| Value::unknown(attribute.ty.clone()));
        (attribute.key.clone(), value.sensitive_if(attribute.sensitive))
    }))
}

pub(super) fn missing(subject: &Subject<'_>) -> Diagnostic {
    let detail = format!("what `{}` reads does not exist", subject.address);
    Diagnostic::error("nothing to read", detail).at(subject.span)
}
