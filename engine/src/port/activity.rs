//! What effects tell of themselves before they end.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an effect is at while it runs, for whoever watches. Clones share it.
#[derive(Clone, Default)]
pub struct Activity(Arc<Mutex<Doing>>);

#[derive(Debug, Default)]
struct Doing {
    waits: Option<Arc<str>>,
    retries: usize,
}

impl Activity {
    /// Says what is waited for, as a fragment: `1 of 3 replicas are available`. Never a secret.
    pub fn waits_for(&self, what: impl Into<Arc<str>>) {
        self.doing().waits = Some(what.into());
    }

    /// Counts a request that is made once more.
    pub fn retries(&self) {
        self.doing().retries += 1;
    }

    /// What is waited for, if that was said.
    pub fn waiting(&self) -> Option<Arc<str>> {
        self.doing().waits.clone()
    }

    /// How many requests were made once more.
    pub fn retried(&self) -> usize {
        self.doing().retries
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.doing().fmt(f)
    }
}

/// What is shown of an effect does not tell two of them apart.
impl PartialEq for Activity {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
