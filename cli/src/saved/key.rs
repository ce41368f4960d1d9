//! The keys that the secrets of plans are sealed with: that of the `encryption` block; without one, one that follows from the state's own key,
//! or while there is no state the one in a file.

use crate::failure::Failure;
use crate::session::Session;
use engine::state::State;
use state::{PlanKeys, PlanSeal, draw_plan_key, plan_key_in, plan_key_of};
use std::fmt::Display;

/// The file, in the directory of the configuration.
const FILE: &str = ".meshplan/plan-key";
/// Where keys are, for people.
pub(super) const WHERE: &str = "A plan is opened with the key of the `encryption` block it was sealed with; without one where its state is; and one \
                                made before there is a state with `.meshplan/plan-key`, which has to go along.";

fn none(error: impl Display) -> Failure {
    Failure::one("no key for the plan", error.to_string())
}

/// The key for a plan from this state.
pub(super) fn to_seal(session: &Session, state: &State) -> Result<PlanSeal, Failure> {
    if let Some(seal) = PlanSeal::of(&session.writable()?).map_err(none)? {
        return Ok(seal);
    }
    if let Some(key) = plan_key_of(state) {
        return key.map(PlanSeal::from).map_err(none);
    }
    let path = session.workplace.home.join(FILE);
    let failed = |error: std::io::Error| none(format!("`{}`: {error}", path.display()));
    let key = match plan_key_in(&path) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => draw_plan_key(&path).map_err(failed),
        Err(error) => Err(failed(error).help("Remove the file; plans that were made with it can then not be applied.")),
    };
    key.map(PlanSeal::from)
}

/// All keys that a plan may have been sealed with.
pub(super) fn to_open(session: &Session, state: &State) -> PlanKeys {
    let file = plan_key_in(&session.workplace.home.join(FILE)).ok().flatten();
    PlanKeys::new(Some(session.store()), plan_key_of(state).and_then(Result::ok).into_iter().chain(file).collect())
}
