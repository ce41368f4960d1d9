//! What a run is aimed at, if not at everything.

use crate::address::Address;
use crate::config::Subject;
use std::collections::BTreeSet;

/// A choice of what is planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aims {
    /// These, what they depend on, and what has to go or change before them; everything if there are none.
    pub targets: Vec<Subject>,
    /// All but these and what depends on them.
    pub excludes: Vec<Subject>,
    /// Instances that are replaced though they could stay.
    pub replace: BTreeSet<Address>,
    /// Places that cannot be reached and are forgotten with all within.
    pub abandon: BTreeSet<Address>,
    /// Nothing but the state and outputs: what is there now, and what is not any more.
    pub refresh_only: bool,
}

impl Aims {
    /// Whether something may be left out.
    pub fn is_partial(&self) -> bool {
        !self.targets.is_empty() || !self.excludes.is_empty()
    }

    /// Whether this very instance is a target.
    pub fn targets(&self, address: &Address) -> bool {
        self.targets.iter().any(|target| target.covers(address))
    }

    /// Whether this very instance is excluded.
    pub fn excludes(&self, address: &Address) -> bool {
        self.excludes.iter().any(|excluded| excluded.covers(address))
    }
}
