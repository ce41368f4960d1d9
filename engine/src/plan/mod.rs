//! A plan: what is to change and why, and the program that does it.
//!
//! Making one is a pure walk; see `walk`. What stands here is what the walk leaves: changes for people, slots for `apply`.

mod aims;
mod basis;
mod body;
mod by_hand;
mod canonical;
mod cause;
mod change;
mod digest;
mod exceptions;
mod foreseen;
mod holes;
mod inputs;
mod moves;
mod only;
mod program;
mod providers;
mod walk;
mod waves;

pub use aims::Aims;
pub use basis::Basis;
pub use body::{misnamed, misplaced, unknown_kind};
pub use by_hand::{forget, rename};
pub use cause::{Cause, Written, steps};
pub use change::{Action, Blocked, Change, CheckResult, CheckStatus, Counted, Counts, OutputChange, Reason, Unpreviewed};
pub use digest::Digested;
pub use exceptions::{reported, unknown_rules};
pub use foreseen::foreseen;
pub use holes::{Hole, Holes};
pub use inputs::{Inputs, Looking, Undescribed, When};
pub use program::{Op, Program, Slot, Target};
pub use providers::{Providers, elsewhere, unsuited};
pub use walk::{Described, Walk, mistyped};
pub(crate) use walk::{is_forced, marks, other_states};
pub use waves::Step;

use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::state::{Place, State};
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A reviewed set of changes and the program that makes them.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Every instance of the configuration and of the state, also those kept, in order of their addresses.
    pub changes: Vec<Change>,
    /// Root outputs that change.
    pub outputs: Vec<OutputChange>,
    /// Root outputs that stay as they are because what they need is out of reach or out of the part that is aimed at, each with what is
    /// known of what it would become. Never saved.
    pub unplanned_outputs: BTreeMap<Arc<str>, Value>,
    /// Checks and what they say so far.
    pub checks: Vec<CheckResult>,
    /// What could not be planned because it could not be observed.
    pub blocked: Vec<Blocked>,
    /// Errors and warnings. A plan with errors is shown and never applied.
    pub diagnostics: Vec<Diagnostic>,
    /// What apply does.
    pub program: Program,
    /// The state that was planned from, moves and upgrades applied.
    pub prior: State,
    /// How many records of the prior state were brought to today's shape of their kinds.
    pub upgraded: usize,
    /// How each place of the plan is reached, as far as that is known: the value of its attribute `connection`. Never saved.
    pub connections: BTreeMap<Address, Value>,
    /// How the places are reached that the state remembers under addresses that lead elsewhere now. Never saved.
    pub left: BTreeMap<Address, Value>,
    /// How providers are configured.
    pub providers: Providers,
    /// Addresses that are renamed, old and new.
    pub renamed: Vec<(Address, Address)>,
    /// Whether this plan destroys everything.
    pub destroy: bool,
    /// Whether it was aimed at a part, and may leave something out.
    pub partial: bool,
    /// Whether it changes the state and outputs alone. Its updates write down what was found.
    pub refresh_only: bool,
    /// What a plan that is to be saved stands on, by address and deposed key; nothing for what was not there.
    pub basis: BTreeMap<(Address, Option<Arc<str>>), Option<Basis>>,
    /// What a plan that is to be saved leaves open.
    pub holes: Holes,
    /// What was given for that. Never saved.
    pub supplied: BTreeMap<Arc<str>, Value>,
    /// The digest that a plan which was read from a file was written with: what it is computed from is not in the file as it was.
    pub pinned: Option<Arc<str>>,
    /// Its digest, once it was asked for: nothing that it is computed from may be changed from then on, but in a clone.
    pub digested: Digested,
}

impl Plan {
    /// Whether there is anything to apply.
    pub fn has_changes(&self) -> bool {
        !self.outputs.is_empty() || self.changes.iter().any(|change| change.action.is_change())
    }

    /// Whether it changes what is remembered without changing anything that is there.
    pub fn keeps_books(&self) -> bool {
        let moved = |(address, place): (&Address, &Place)| self.prior.places.get(address).is_some_and(|known| !known.is_same(place));
        self.upgraded > 0
            || self.program.slots.iter().any(|slot| matches!(slot.op, Op::Record { .. }))
            || self.program.places.iter().any(moved)
    }

    /// Whether it may not be applied.
    pub fn is_errored(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// What was changed or deleted outside, as far as that was looked at.
    pub fn drift(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| matches!(change.reason, Reason::Drift(_) | Reason::Gone))
    }

    /// How many of each action.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.changes)
    }

    /// The change of an address's current object.
    pub fn change(&self, address: &Address) -> Option<&Change> {
        let at = self.changes.binary_search_by(|change| (&change.address, &change.deposed).cmp(&(address, &None))).ok()?;
        self.changes.get(at)
    }
}
