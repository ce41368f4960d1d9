//! Things that are there already and that another state manages: nobody takes them over unasked.

use super::Walk;
use super::tables::Fate;
use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::plan::Action;
use crate::state::State;
use crate::value::Value;

/// The marks that records of other states have left on a thing which was found.
pub(crate) fn other_states<'a>(found: &'a Value, prior: &State) -> Vec<&'a str> {
    let owners = found.get("owners").map(Value::entries).unwrap_or_default();
    let ours = |id: &str| prior.records().any(|(_, _, record)| record.id.as_str() == id);
    owners.iter().filter(|owner| !ours(&owner.key)).filter_map(|owner| owner.value.as_str()).collect()
}

/// Whether what was found is to be ours whoever has it.
pub(crate) fn is_forced(found: &Value) -> bool {
    found.get("forced").and_then(Value::as_bool) == Some(true)
}

impl Walk<'_> {
    /// Why a thing that was found is not taken over: another state manages it, and nobody has said that it is to be ours all the same.
    pub(super) fn managed_elsewhere(&self, found: &Value, (id, address): (&str, &Address)) -> Option<Diagnostic> {
        let others = other_states(found, &self.prior);
        if others.is_empty() || is_forced(found) {
            return None;
        }
        let detail = format!("what `{id}` names is managed by another state, as {}", marks(&others));
        let help = "Let one state manage it: give it up there, with a `removed` block or `meshplan state rm`, and set `force = true` here.";
        Some(Diagnostic::error("managed by another state", detail).help(help).about(address))
    }

    /// Says what is taken over by force, and from whom.
    pub(super) fn warn_of_other_states(&mut self) {
        let taken = |(address, fate): (&Address, &Fate)| {
            let Fate::Planned(planned) = fate else { return None };
            let found = planned.observed.as_ref().filter(|_| planned.action == Action::Import)?;
            let others = other_states(found, &self.prior);
            (!others.is_empty()).then(|| {
                let detail = format!("`{address}` takes over by force what another state manages, as {}", marks(&others));
                let help = "Give it up there before this is applied: otherwise each of the two undoes what the other does.";
                Diagnostic::warning("taken from another state", detail).about(address).help(help)
            })
        };
        let warnings: Vec<_> = self.tables.fates.iter().filter_map(taken).collect();
        self.report(warnings);
    }
}

/// Marks one after the other, as they read in a sentence.
pub(crate) fn marks(others: &[&str]) -> String {
    others.iter().map(|mark| format!("`{mark}`")).collect::<Vec<_>>().join(" and ")
}
