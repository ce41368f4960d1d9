//! Where a run takes place: its directories, its environment, and what the command line says of where its state is kept.

use crate::args::{BackendArgument, Global};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where a run takes place.
pub(crate) struct Workplace {
    /// The working directory.
    pub(crate) working_directory: PathBuf,
    /// The directory of the configuration.
    pub(crate) directory: PathBuf,
    /// That directory as a user would name it, relative to the working directory.
    pub(crate) shown_directory: String,
    /// Where the state is, and the clusters of the sandbox: the directory of the configuration, but for tests.
    pub(crate) home: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    /// `--backend-config`.
    pub(crate) backend_config: Vec<BackendArgument>,
}

impl Workplace {
    /// What the options of a command line make of a working directory.
    pub(crate) fn new(working_directory: PathBuf, environment: BTreeMap<String, String>, global: &Global) -> Self {
        let typed = global.directory.as_ref().filter(|typed| !typed.as_os_str().is_empty());
        let directory = typed.map_or_else(|| working_directory.clone(), |typed| working_directory.join(typed));
        Self {
            shown_directory: typed.map_or_else(|| ".".to_owned(), |typed| typed.display().to_string()),
            home: directory.clone(),
            directory,
            working_directory,
            environment,
            backend_config: global.backend_config.clone(),
        }
    }

    /// Whether this is the run of a test, which has a state of its own for as long as it takes, sealed with the
    /// keys of the configuration.
    pub(crate) fn is_tested(&self) -> bool {
        self.home != self.directory
    }
}
