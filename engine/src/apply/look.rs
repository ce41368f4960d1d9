//! Looks at what could not be reached when the plan was made: it has to be as it was remembered, but for what the plan changes.

use super::request::Task;
use super::run::{Run, instance, recorded};
use crate::address::Address;
use crate::config::SlotId;
use crate::plan::Op;
use crate::port::{Asked, Done, Failure, Request};
use crate::question::{Answer, Ask, Question};
use crate::schema::{Comparison, Planned};
use crate::value::Value;

/// What a look that finds something else is called.
const UNLIKE: &str = "not as remembered";

/// The question that a look asks.
pub(super) fn asked(request: Request) -> Result<Asked, Failure> {
    let address = request.address;
    let Some(record) = request.prior.map(Box::new) else {
        return Err(Failure::new("not read", format!("there is no record of `{address}`")));
    };
    let ask = Ask::Read { address, deposed: None, record };
    Ok(Asked { question: Question::new(ask), place: request.place })
}

/// What its answer says of the thing.
pub(super) fn told(address: &Address, answer: Option<Answer>) -> Result<Done, Failure> {
    match answer {
        Some(Answer::Present(found)) => Ok(Done::new(found)),
        Some(Answer::Absent) => Err(Failure::new(UNLIKE, format!("`{address}` is not there any more"))),
        Some(Answer::Unreachable(why)) => Err(Failure::new("not read", why.to_string())),
        Some(Answer::Refused(problem)) => Err(Failure::new(problem.summary, problem.detail)),
        Some(Answer::Conflict(_)) | None => Err(Failure::new("not read", format!("nobody says what there is of `{address}`"))),
    }
}

/// Whether a failure says that something is not as it was remembered.
pub(super) fn is_unlike(failure: &Failure) -> bool {
    failure.summary == UNLIKE
}

impl Run<'_> {
    /// What a look gives to those that wait for it, if what it found agrees with the plan.
    pub(super) fn looked(&self, slot: SlotId, task: &Task, found: Value) -> Result<Value, Failure> {
        let Op::Look { changes, .. } = self.walk.op(slot) else { return Ok(found) };
        let verdict = task.kind.planned(Comparison {
            desired: &task.arguments,
            prior: recorded(&self.state, &task.target),
            observed: Some(&found),
            preview: None,
            previewable: false,
            secret_key: &self.plan.prior.secret_key,
        });
        let address = &task.target.address;
        let unlike = |what: &str| Failure::new(UNLIKE, format!("`{address}` was changed while it could not be reached: {what}"));
        let others = match verdict {
            Planned::Keep(_) if !changes.is_empty() => return Ok(found),
            Planned::Keep(attributes) => match task.contradiction(&attributes) {
                None => return Ok(instance(address, &attributes)),
                Some(path) => vec![path],
            },
            Planned::Update { changed, drifted, .. } => {
                let mut others: Vec<_> = changed.into_iter().chain(drifted.paths).filter(|path| !is_within(path, changes)).collect();
                others.dedup();
                if others.is_empty() && !changes.is_empty() {
                    return Ok(found);
                }
                others
            }
            Planned::Replace { because, .. } => because,
            Planned::Refused(problem) => return Err(unlike(&problem.detail)),
            Planned::Create(_) | Planned::Ask => Vec::new(),
        };
        let named: Vec<_> = others.iter().take(3).map(|path| format!("`{path}`")).collect();
        Err(unlike(&if named.is_empty() { "it is another one".to_owned() } else { named.join(", ") }))
    }
}

/// Whether a path is one of these, or lies below one.
fn is_within(path: &str, changes: &[String]) -> bool {
    let below = |change: &String| path.strip_prefix(change.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    changes.iter().any(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_change_may_differ_and_what_lies_beside_it_may_not() {
        let changes = ["data".to_owned(), "spec.ports[0]".to_owned()];
        for (path, expected) in
            [("data", true), ("data.c1", true), ("data[0]", true), ("database", false), ("spec", false), ("spec.ports[0].port", true)]
        {
            assert_eq!(is_within(path, &changes), expected, "{path}");
        }
        assert!(!is_within("data", &[]));
    }
}
