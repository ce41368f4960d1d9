//! The configuration in a directory, and the values of its variables.

use crate::args::Planning;
use crate::failure::Failure;
use crate::session::Session;
use engine::config::Config;
use engine::plan::Inputs;
use engine::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a plan aims at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// What the configuration says.
    Configuration,
    /// That nothing is left.
    Nothing,
}

impl Aim {
    /// The verb, as the lock's holder is described.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Configuration => "apply",
            Self::Nothing => "destroy",
        }
    }
}

/// A configuration that was read without an error.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) config: Config,
    variables: BTreeMap<Arc<str>, Value>,
    skip_refresh: bool,
}

impl Project {
    /// The configuration with the values of its variables.
    pub(crate) fn load(session: &mut Session, planning: &Planning) -> Result<Self, Failure> {
        let config = Self::read(session)?;
        let variables = BTreeMap::new();
        Ok(Self { config, variables, skip_refresh: !planning.refresh })
    }

    /// The configuration alone.
    pub(crate) fn read(session: &mut Session) -> Result<Config, Failure> {
        Err(Failure::one("no configuration", format!("`{}` holds no `*.mesh.hcl` file", session.shown_directory)))
    }

    /// What a plan is made with.
    pub(crate) fn inputs(&self, session: &Session, aim: Aim) -> Inputs {
        Inputs {
            variables: self.variables.clone(),
            destroy: aim == Aim::Nothing,
            skip_refresh: self.skip_refresh,
            root_directory: session.shown_directory.clone(),
            working_directory: session.working_directory.display().to_string(),
        }
    }
}
