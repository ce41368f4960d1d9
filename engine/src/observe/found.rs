//! What a plan imports, looked at once more before it is applied: nothing remembers it, so it stands in no basis but in the program.

use super::{Edge, Moved};
use crate::address::Mode;
use crate::plan::{Basis, Op, Plan, Target, is_forced, marks, other_states};
use crate::question::{Answer, Answers, Ask, Proposal, Question};
use crate::value::Value;

/// One thing that is imported: the question for it, as it was asked when the plan was made, and what was answered then.
pub(super) struct Import<'a> {
    target: &'a Target,
    pub(super) question: Question,
    observed: &'a Value,
}

/// All that a plan imports.
pub(super) fn imports(plan: &Plan) -> Vec<Import<'_>> {
    let imports = plan.program.slots.iter().filter_map(|slot| {
        let Op::Import { target, arguments, observed, .. } = &slot.op else { return None };
        // One that was interrupted has its id already.
        let record = plan.prior.record(&target.address);
        let proposal = Proposal {
            address: target.address.clone(),
            kind: target.kind.clone(),
            place: target.place.clone(),
            id: record.map(|record| record.id.clone()),
            uid: record.and_then(|record| record.uid.clone()),
            arguments: arguments.clone(),
        };
        Some(Import { target, question: Question::new(Ask::Import(Box::new(proposal))), observed })
    });
    imports.collect()
}

/// How what is imported is not as it was, if it is not.
pub(super) fn moved(plan: &Plan, import: &Import<'_>, answers: &Answers, edge: Edge<'_>) -> Option<Moved> {
    let how = match answers.get(import.question.key())? {
        Answer::Present(found) => differs(plan, import, found, edge)?,
        Answer::Absent => "was to be imported and was deleted".to_owned(),
        Answer::Unreachable(why) => format!("cannot be observed: {why}"),
        Answer::Refused(problem) => format!("cannot be imported any more: {}", problem.detail),
        Answer::Conflict(managers) => format!("is owned by {} now", managers.join(", ")),
    };
    Some(Moved { address: import.target.address.clone(), how })
}

fn differs(plan: &Plan, import: &Import<'_>, found: &Value, edge: Edge<'_>) -> Option<String> {
    let kind = edge.registry.kind(Mode::Managed, &import.target.kind)?;
    let [before, now] = [import.observed, found].map(|found| Basis::of_found(&**kind, found));
    if let Some(how) = before.differs(&now, &[]) {
        return Some(how);
    }
    let others = other_states(found, &plan.prior);
    let new = !is_forced(found) && !others.is_empty();
    new.then(|| format!("is managed by another state now, as {}", marks(&others)))
}
