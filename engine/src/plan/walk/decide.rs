//! What is done to one instance, and why: what its kind says of it, with a server's preview where there is one.

use super::Walk;
use super::instance::{Subject, diagnosed};
use super::tables::Planned as PlannedInstance;
use crate::address::Address;
use crate::diagnostic::{Diagnostic, Problems};
use crate::plan::{Action, Reason, Unpreviewed};
use crate::question::{Answer, Ask, Proposal};
use crate::schema::{Attribute, Comparison, Kind, Planned, Presence, Preview};
use crate::state::{Operation, Status};
use crate::value::{Secrets, Value};
use std::sync::Arc;

impl Walk<'_> {
    /// Chooses action and reason; true while a preview is awaited.
    pub(super) fn decide(&mut self, subject: &Subject<'_>, planned: &mut PlannedInstance, gone: Option<Reason>) -> Result<bool, Problems> {
        let moves = self.moves_place(planned);
        let mut preview = None;
        let verdict = loop {
            let previewable = preview.is_none() && !self.inputs.skip_refresh;
            match self.asked_of_kind(subject, planned, (moves.is_some(), preview.as_ref(), previewable)) {
                Planned::Ask if preview.is_none() => match self.preview(subject, planned)? {
                    Some(answer) => preview = Some(answer),
                    None => return Ok(true),
                },
                other => break other,
            }
        };
        if let Some(Preview::Accepted(seen)) = &preview {
            self.remark(subject, seen);
        }
        let why = (gone, moves);
        let without = match preview {
            Some(Preview::NotPreviewed(why)) => {
                planned.not_previewed = Some(why);
                None
            }
            // What is made anew is the same whatever a server says of it.
            Some(Preview::Accepted(_)) if planned.prior.is_some() || planned.observed.is_some() => {
                let mut without = planned.clone();
                let verdict = self.asked_of_kind(subject, planned, (why.1.is_some(), None, false));
                Self::conclude(subject, &mut without, verdict, why.clone()).is_ok().then_some(without)
            }
            _ => None,
        };
        Self::conclude(subject, planned, verdict, why)?;
        planned.unpreviewed = without.and_then(|without| unpreviewed(planned, without));
        Ok(!self.look_for_obstacles(subject, planned))
    }

    /// Tells what is worth a look of what a preview showed. What holds for many instances alike is told at the first.
    fn remark(&mut self, subject: &Subject<'_>, seen: &Value) {
        for problem in subject.kind.remarks(seen) {
            let remark = diagnosed(problem.warning(), subject.span);
            let said = |told: &Diagnostic| told.summary == remark.summary && told.detail == remark.detail;
            if !self.tables.diagnostics.iter().any(said) {
                self.tables.diagnostics.push(remark);
            }
        }
    }

    /// What the kind says.
    fn asked_of_kind(
        &self,
        subject: &Subject<'_>,
        planned: &PlannedInstance,
        (moves, preview, previewable): (bool, Option<&Preview>, bool),
    ) -> Planned {
        subject.kind.planned(Comparison {
            desired: subject.arguments,
            prior: planned.prior.as_deref().filter(|_| !moves),
            observed: planned.observed.as_ref().filter(|_| !moves),
            preview,
            previewable,
            secret_key: &self.prior.secret_key,
        })
    }

    /// What follows from what the kind says; `gone` is why there is nothing any more, `moves` why it moves to another place.
    fn conclude(
        subject: &Subject<'_>,
        planned: &mut PlannedInstance,
        verdict: Planned,
        (gone, moves): (Option<Reason>, Option<Reason>),
    ) -> Result<(), Problems> {
        if planned.action == Action::Import {
            return Self::imported(subject, planned, verdict);
        }
        let status = planned.prior.as_ref().map(|prior| prior.status);
        (planned.action, planned.reason, planned.attributes) = match verdict {
            Planned::Refused(problem) => return Err(vec![diagnosed(problem, subject.span)]),
            Planned::Ask => {
                return Err(vec![Diagnostic::error("no answer", "its kind asks for a preview again and again").at(subject.span)]);
            }
            Planned::Create(attributes) if moves.is_some() => {
                // Two places that had one address do not stand beside each other: the former is left before the latter is entered.
                let leaves = matches!(moves, Some(Reason::AnotherPlace(_)));
                let action = if leaves { Action::Replace } else { Self::replacement(planned) };
                (action, moves.unwrap_or(Reason::Unchanged), attributes)
            }
            Planned::Create(attributes) => {
                let again = gone.unwrap_or(Reason::NotInState);
                let action = if planned.dies_with_place && again != Reason::NotInState { Action::Replace } else { Action::Create };
                (action, again, attributes)
            }
            Planned::Replace { attributes, because } if because.is_empty() && status == Some(Status::Interrupted(Operation::Create)) => {
                (Action::Replace, Reason::Interrupted, attributes)
            }
            Planned::Replace { attributes, because } => (Self::replacement(planned), Reason::CannotUpdate(because), attributes),
            Planned::Keep(attributes) | Planned::Update { attributes, .. } if status == Some(Status::Tainted) => {
                // Nothing depends on what was never whole: it goes before its successor comes, which may have its name.
                (Action::Replace, Reason::Tainted, attributes)
            }
            Planned::Keep(_) | Planned::Update { .. }
                if status == Some(Status::Interrupted(Operation::Delete))
                    // What has users is deleted after a last look at them, which ends most such deletes: it is there, and stays.
                    && !planned.prior.as_ref().is_some_and(|prior| subject.kind.has_users(&prior.attributes)) =>
            {
                // Whether the delete had begun cannot be told: it is done again.
                let attributes = crate::schema::created(subject.kind.schema(), subject.arguments);
                (Action::Replace, Reason::Interrupted, attributes)
            }
            Planned::Update { attributes, changed, drifted } => {
                let reason = if drifted.paths.is_empty() { Reason::Configuration(changed) } else { Reason::Drift(drifted) };
                (Action::Update, reason, attributes)
            }
            Planned::Keep(attributes) => {
                let (action, reason) = kept(status);
                let attributes = if action == Action::Settle { unsettled(&planned.kind, &attributes) } else { attributes };
                (action, reason, attributes)
            }
        };
        Ok(())
    }

    fn replacement(planned: &PlannedInstance) -> Action {
        if planned.terms.create_before_destroy { Action::ReplaceCreateFirst } else { Action::Replace }
    }

    /// Why no server can be asked: the place has to be there, nothing the thing comes from is made by this plan, and all of it is known.
    pub(super) fn unpreviewable(&mut self, subject: &Subject<'_>, place: Option<&Address>) -> Option<&'static str> {
        if self.inputs.skip_preview {
            return Some("servers were not to be asked");
        }
        if place.is_some_and(|place| self.connection(place).is_none()) {
            return Some("the place is not there yet");
        }
        if !self.standing(subject.edges).remade.is_empty() {
            return Some("made from what this plan makes");
        }
        (!subject.arguments.is_constant()).then_some("part of it is known only after the apply")
    }

    /// An instance as it is to become.
    pub(super) fn proposal(&self, subject: &Subject<'_>, planned: &PlannedInstance) -> Proposal {
        let there = planned.prior.as_ref().filter(|_| self.moves_place(planned).is_none());
        let found = planned.observed.as_ref().filter(|_| planned.action == Action::Import);
        Proposal {
            address: subject.address.clone(),
            kind: subject.kind.schema().kind.into(),
            place: planned.place.clone(),
            id: there.map(|prior| prior.id.clone()),
            uid: there.and_then(|prior| prior.uid.clone()).or_else(|| found?.text("uid").map(Arc::from)),
            arguments: subject.arguments.clone(),
        }
    }

    fn preview(&mut self, subject: &Subject<'_>, planned: &PlannedInstance) -> Result<Option<Preview>, Problems> {
        if planned.unread.is_some() {
            return Ok(Some(Preview::NotPreviewed("it, or what it is made from, cannot be read yet".into())));
        }
        if let Some(why) = self.unpreviewable(subject, planned.place.as_ref()) {
            return Ok(Some(Preview::NotPreviewed(why.into())));
        }
        let Some(answer) = self.ask(Ask::Preview(Box::new(self.proposal(subject, planned)))) else { return Ok(None) };
        // What refuses it sees what it is and what it was, and may repeat either.
        let was = planned.prior.as_ref().map(|prior| &prior.attributes);
        Ok(Some(match answer.without(&Secrets::of(std::iter::once(subject.arguments).chain(was).chain(&planned.observed))) {
            Answer::Present(value) => Preview::Accepted(value),
            Answer::Absent => Preview::NotPreviewed("what it needs is not there yet".into()),
            Answer::Unreachable(why) => Preview::NotPreviewed(why),
            // What the server says today may be different once what the thing comes from has changed.
            Answer::Refused(_) | Answer::Conflict(_) if self.standing(subject.edges).changes() => {
                Preview::NotPreviewed("the server refuses it today, and what it comes from changes in this plan".into())
            }
            Answer::Refused(problem) if !subject.kind.requires(subject.arguments).is_empty() => {
                self.refusals.insert(subject.address.clone(), problem.at(subject.span));
                Preview::NotPreviewed("the server refuses it today, and what it requires changes in this plan".into())
            }
            Answer::Refused(problem) => return Err(vec![problem.at(subject.span)]),
            Answer::Conflict(managers) => {
                let detail = format!("other managers own fields of it: {}", managers.join("; "));
                let help = "Set `force = true` to take them over, or leave these fields out.";
                return Err(vec![Diagnostic::error("field conflict", detail).at(subject.span).help(help)]);
            }
        }))
    }
}

/// What would be planned without the preview, if that differs. What only a server's answer replaces, or keeps from being replaced, is another
/// plan: nobody approves of that unseen.
fn unpreviewed(planned: &PlannedInstance, without: PlannedInstance) -> Option<Box<Unpreviewed>> {
    let same = (planned.action, planned.reason.code(), &planned.attributes) == (without.action, without.reason.code(), &without.attributes);
    let PlannedInstance { action, reason, attributes: after, .. } = without;
    (!same && !planned.action.is_replacement() && !action.is_replacement()).then(|| Box::new(Unpreviewed { action, reason, after }))
}

/// What is left to do for a thing that is as desired.
fn kept(status: Option<Status>) -> (Action, Reason) {
    match status {
        Some(Status::Unready) => (Action::Settle, Reason::NotReady),
        Some(Status::Interrupted(_)) => (Action::Settle, Reason::Interrupted),
        Some(Status::Ready | Status::Tainted) | None => (Action::Keep, Reason::Unchanged),
    }
}

/// The attributes of a thing that is yet to be waited for: what its kind gives and nobody has seen so far is not known.
fn unsettled(kind: &Arc<dyn Kind>, attributes: &Value) -> Value {
    let schema = kind.schema();
    Value::object(attributes.entries().iter().map(|entry| {
        let computed = |attribute: &&Attribute| matches!(attribute.presence, Presence::Computed | Presence::OptionalComputed);
        let unseen = schema.attribute(&entry.key).filter(computed).filter(|_| entry.value.is_null());
        let value = unseen.map(|attribute| Value::unknown(attribute.ty.clone()).sensitive_if(attribute.sensitive));
        (entry.key.clone(), value.unwrap_or_else(|| entry.value.clone()))
    }))
}
