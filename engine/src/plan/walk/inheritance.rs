//! `create_before_destroy` of what others depend on: what must be there before it goes needs all that it is made from there as well.

use super::Walk;
use super::tables::{Fate, Planned};
use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Reason};

impl Walk<'_> {
    /// Hands `create_before_destroy` on to all that an instance with it depends on, and turns their replacements around. A place does
    /// not inherit it from what lies within: that dies with the place and never stands beside its successor.
    pub(super) fn inherit_create_before_destroy(&mut self) {
        let own = self.tables.fates.iter().filter_map(|(address, fate)| match fate {
            Fate::Planned(planned) if planned.terms.create_before_destroy => Some(address.clone()),
            _ => None,
        });
        let mut open: Vec<(Address, Address)> = own.map(|address| (address.clone(), address)).collect();
        while let Some((heir, from)) = open.pop() {
            let Some(edges) = self.tables.planned(&heir).map(|planned| planned.edges) else { continue };
            for needed in self.made_from(edges, &heir) {
                if !self.lies_within(&heir, &needed) && self.inherit(&needed, &from) {
                    open.push((needed, from.clone()));
                }
            }
        }
    }

    /// Lets one instance inherit; false if it has it already or is not planned.
    fn inherit(&mut self, heir: &Address, from: &Address) -> bool {
        let Some(Fate::Planned(planned)) = self.tables.fates.get_mut(heir) else { return false };
        if planned.terms.create_before_destroy {
            return false;
        }
        planned.terms.create_before_destroy = true;
        // Every other replacement leaves a place or something broken, and goes first whatever the block says.
        let turns = planned.action == Action::Replace
            && !planned.dies_with_place
            && matches!(planned.reason, Reason::CannotUpdate(_) | Reason::Triggered(_) | Reason::Requested);
        if !turns {
            return true;
        }
        planned.action = Action::ReplaceCreateFirst;
        if let Some(identity) = twice(planned) {
            let detail = format!(
                "`{heir}` has `create_before_destroy` because `{from}` depends on it and has it, and both the old and the new `{heir}` would be `{identity}`"
            );
            let help = format!("Give it a name that changes with it, or leave `create_before_destroy` out of `{from}`.");
            let problem = self.placed(Diagnostic::error("same name twice", detail).help(help), heir);
            self.tables.diagnostics.push(problem);
        }
        true
    }

    /// Whether an instance lies in a place, or in one within it.
    fn lies_within(&self, address: &Address, place: &Address) -> bool {
        let outer = |address: &Address| self.tables.planned(address)?.place.clone();
        // Places lie in each other a few deep; a circle would be an error of its own.
        std::iter::successors(outer(address), outer).take(8).any(|outer| outer == *place)
    }
}

/// The identity that a replacement created first would give to two things of one place.
pub(super) fn twice(planned: &Planned) -> Option<String> {
    let prior = planned.prior.as_ref().filter(|_| planned.action == Action::ReplaceCreateFirst)?;
    let identity = planned.kind.identity(&planned.arguments)?;
    (Some(&*identity) == prior.identity.as_deref() && prior.place == planned.place).then_some(identity)
}
