//! Plans in files: written to be looked at and applied later, by the same version of meshplan.

use crate::format::plan_v1::{self, Written};
use crate::history::Snapshot;
use crate::paths::{make_private, open_private};
use crate::plan_key::{PlanKeys, PlanSeal};
use crate::sealing::{KeyId, SealError};
use engine::diagnostic::Diagnostic;
use engine::plan::Plan;
use engine::schema::Catalogue;
use engine::source::SourceTree;
use engine::value::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A plan and what goes with it into a file.
#[derive(Debug, Clone)]
pub struct PlanFile {
    /// The plan. One that was read says nothing of how its places are reached, and has the digest that it was written with.
    pub plan: Plan,
    /// The text that its problems point at.
    pub sources: SourceTree,
    /// The variables that were given values; what is declared sensitive is marked so.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// What it was made from, if that is to be kept. One that was read has it only where the key is that it is sealed with.
    pub configuration: Option<Snapshot>,
    /// The revision of the history that this is of, if it is not the configuration in the directory.
    pub revision: Option<u64>,
    /// When it was made, in seconds since the Unix epoch.
    pub made_at: u64,
    /// The key that its secrets are sealed with, if it was read without that: what is secret in it is then another text, and it
    /// can be shown and not applied.
    pub closed: Option<KeyId>,
}

impl PlanFile {
    /// The text of the file. The key is asked for if there is a secret in the plan, or a configuration beside it. Without one the latter is
    /// left out.
    pub fn text<E>(&self, key: impl FnOnce() -> Result<PlanSeal, E>) -> Result<Vec<u8>, NotWritten<E>> {
        plan_v1::write(self, key).map_err(|why| match why {
            Written::NoKey(error) => NotWritten::NoKey(error),
            Written::NotSealed(error) => NotWritten::Sealing(error),
            Written::NotStorable(not) => NotWritten::Io(io::Error::other(format!("{}: {}", not.what, not.why))),
        })
    }

    /// Writes the file, readable by its owner alone.
    pub fn write<E>(&self, path: &Path, key: impl FnOnce() -> Result<PlanSeal, E>) -> Result<(), NotWritten<E>> {
        let text = self.text(key)?;
        let write = || {
            let mut file = open_private(OpenOptions::new().write(true).create(true).truncate(true), path)?;
            make_private(path)?;
            file.write_all(&text)?;
            file.sync_all()
        };
        write().map_err(NotWritten::Io)
    }

    /// When it was made, in UTC (RFC 3339).
    pub fn made(&self) -> String {
        crate::holder::utc(self.made_at)
    }

    /// Whether a text is that of a plan file.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(plan_v1::BEGINNING)
    }

    /// The plan that a file's text writes, with the key of these that it was sealed with. `path` names it in errors.
    pub fn read(path: &Path, text: &str, catalogue: &Catalogue, keys: &PlanKeys) -> Result<Self, PlanError> {
        plan_v1::read(text, catalogue, keys).map_err(|refused| PlanError { path: path.to_owned(), refused })
    }
}

/// Why a plan was not written.
#[derive(Debug)]
pub enum NotWritten<E> {
    /// There is no key for its secrets.
    NoKey(E),
    /// Its secrets could not be sealed.
    Sealing(SealError),
    /// It could not be written down.
    Io(io::Error),
}

/// Why a text is no plan that this meshplan takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is something else.
    NotAPlan,
    /// Another version of meshplan wrote it.
    OtherVersion(String),
    /// It is damaged, or was edited.
    Corrupt(String),
}

/// Why a plan file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    path: PathBuf,
    refused: Refused,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.refused {
            Refused::NotAPlan => write!(f, "`{path}` is not a file that `meshplan plan --out` has written"),
            Refused::OtherVersion(by) => {
                let version = crate::format::MESHPLAN_VERSION;
                write!(f, "`{path}` was made by meshplan {by}, and this is {version}: what a plan says holds for one version")
            }
            Refused::Corrupt(why) => write!(f, "`{path}` is damaged: {why}"),
        }
    }
}

impl std::error::Error for PlanError {}

impl PlanError {
    /// A few constant words.
    fn summary(&self) -> &'static str {
        match &self.refused {
            Refused::NotAPlan => "not a plan",
            Refused::OtherVersion(_) => "plan of another version",
            Refused::Corrupt(_) => "corrupt plan",
        }
    }
}

impl From<PlanError> for Diagnostic {
    fn from(error: PlanError) -> Self {
        let help = match &error.refused {
            Refused::NotAPlan => "Make one with `meshplan plan --out FILE`.".to_owned(),
            Refused::OtherVersion(by) => format!("Use meshplan {by}, or plan again."),
            Refused::Corrupt(_) => "Plan again.".to_owned(),
        };
        Self::error(error.summary(), error.to_string()).help(help)
    }
}
