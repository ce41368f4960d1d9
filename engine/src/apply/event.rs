//! What an apply tells while it runs.

use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, CheckResult};
use crate::port::Activity;
use crate::state::State;
use std::fmt;
use std::sync::Arc;

/// One thing that happened. Views turn these into progress.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An effect starts.
    Started {
        /// The instance.
        address: Address,
        /// The deposed object that is meant, or the current one.
        deposed: Option<Arc<str>>,
        /// What is done; [`Action::Settle`] for a wait.
        action: Action,
        /// What it is at while it runs.
        activity: Activity,
    },
    /// An effect ended well.
    Finished {
        /// The instance.
        address: Address,
        /// The deposed object that is meant, or the current one.
        deposed: Option<Arc<str>>,
        /// What was done.
        action: Action,
        /// Lines worth showing.
        notes: Vec<String>,
        /// How many requests were made once more.
        retried: usize,
    },
    /// An effect failed.
    Failed {
        /// The instance.
        address: Address,
        /// What was tried.
        action: Action,
        /// Why.
        diagnostic: Diagnostic,
    },
    /// An effect was not started because of one that failed.
    Skipped {
        /// The instance.
        address: Address,
        /// What would have been done.
        action: Action,
        /// The instance it waited for, if one failure is to blame.
        because: Option<Address>,
    },
    /// A check that something waits for does not pass yet: what it looks at by itself is read again until it does.
    Waits {
        /// The check's name, with the module's path before it.
        check: Arc<str>,
        /// What its failed assertions say.
        messages: Vec<String>,
        /// How long it is waited for at most, in seconds from now.
        left: u64,
    },
    /// A check was evaluated.
    Checked(CheckResult),
    /// The first interruption arrived: nothing new starts.
    Stopping,
}

/// What an apply came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// Created, replacements included.
    pub added: usize,
    /// Changed in place.
    pub changed: usize,
    /// Imported, changed with that or not.
    pub imported: usize,
    /// Deleted, replacements and what lay within dead places included.
    pub destroyed: usize,
    /// Failed.
    pub failed: usize,
    /// How many of these failed because something that could not be read before is not as it was remembered: another plan is needed.
    pub unlike: usize,
    /// Not started because of a failure or an interruption.
    pub skipped: usize,
    /// Why it failed: the effects' failures, in order of arrival.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// How an apply ended.
#[derive(Clone)]
pub struct Driven {
    /// What it came to.
    pub summary: Summary,
    /// What is remembered after it, under its serial. Nothing where it could not be written down, or where nothing was to be.
    pub state: Option<State>,
}

/// What it came to, and nothing of what is in the state: that may be secret.
impl fmt::Debug for Driven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven").field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl Summary {
    /// Whether everything was done.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.skipped == 0 && !self.interrupted
    }

    /// Whether nothing is left undone but for what was found to be other than it was remembered.
    pub fn needs_another_plan(&self) -> bool {
        self.unlike > 0 && self.failed == self.unlike && !self.interrupted
    }
}
