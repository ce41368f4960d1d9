//! The keys that the secrets of plans are sealed with: one that follows from the state's own key, or while there is no state the one in a
//! file.

use crate::failure::Failure;
use crate::session::Session;
use engine::state::State;
use state::sealing::SealingKey;
use state::{draw_plan_key, plan_key_in, plan_key_of};

/// The file, in the directory of the configuration.
const FILE: &str = ".meshplan/plan-key";
/// Where keys are, for people.
pub(super) const WHERE: &str =
    "A plan is opened where its state is; one made before there is a state with `.meshplan/plan-key`, which has to go along.";

/// The key for a plan from this state.
pub(super) fn to_seal(session: &Session, state: &State) -> Result<SealingKey, Failure> {
    if let Some(key) = plan_key_of(state) {
        return key.map_err(|error| Failure::one("no key for the plan", error.to_string()));
    }
    let path = session.home.join(FILE);
    let failed = |error: std::io::Error| Failure::one("no key for the plan", format!("`{}`: {error}", path.display()));
    match plan_key_in(&path) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => draw_plan_key(&path).map_err(failed),
        Err(error) => Err(failed(error).help("Remove the file; plans that were made with it can then not be applied.")),
    }
}

/// All keys that a plan may have been sealed with.
pub(super) fn to_open(session: &Session, state: &State) -> Vec<SealingKey> {
    let file = plan_key_in(&session.home.join(FILE)).ok().flatten();
    plan_key_of(state).and_then(Result::ok).into_iter().chain(file).collect()
}
