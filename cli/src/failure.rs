//! Why a command ended early: every library's error as problems to show.

use engine::diagnostic::Diagnostic;
use engine::port::StoreError;

/// The problems that ended a command. Exit code 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) Vec<Diagnostic>);

impl Failure {
    /// One problem.
    pub(crate) fn one(summary: &str, detail: impl Into<String>) -> Self {
        Self(vec![Diagnostic::error(summary, detail)])
    }

    /// The same, with what to do.
    pub(crate) fn help(mut self, help: &str) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.help = Some(help.to_owned());
        }
        self
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::one("state not available", error.0)
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl From<state::Error> for Failure {
    fn from(error: state::Error) -> Self {
        Diagnostic::from(error).into()
    }
}
