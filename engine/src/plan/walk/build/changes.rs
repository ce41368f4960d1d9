//! Changes as people review them.

use super::super::Walk;
use super::super::tables::{Fate, Planned};
use crate::address::Address;
use crate::plan::{Action, Change};
use crate::value::Value;

impl Walk<'_> {
    /// One change for every instance of the configuration and of the state, in order of addresses. Data sources read while planning are
    /// no change of anything and have none.
    pub(super) fn changes(&self) -> Vec<Change> {
        let planned = self.tables.fates.iter().filter_map(|(address, fate)| match fate {
            Fate::Planned(planned) => Some((address, planned)),
            Fate::Blocked(_) | Fate::Failed => None,
        });
        planned
            .filter(|(address, planned)| address.mode == crate::address::Mode::Managed || planned.action == Action::Read)
            .map(|(address, planned)| self.change(address, planned))
            .collect()
    }

    fn change(&self, address: &Address, planned: &Planned) -> Change {
        let before = planned.observed.clone().filter(|observed| is_attributes(planned, observed));
        let before = before.or_else(|| planned.prior.as_ref().map(|prior| prior.attributes.clone()));
        let goes = matches!(planned.action, Action::Delete | Action::Forget);
        Change {
            address: address.clone(),
            deposed: None,
            kind: planned.kind.schema().kind.into(),
            action: planned.action,
            reason: planned.reason.clone(),
            place: planned.place.clone(),
            before: before.map(|before| marked(planned, &before)),
            after: (!goes).then(|| planned.attributes.clone()),
            not_previewed: planned.not_previewed.clone(),
            causes: self.causes(address, planned),
        }
    }

    fn causes(&self, address: &Address, planned: &Planned) -> Vec<String> {
        let within = match planned.action {
            Action::Delete | Action::Replace | Action::ReplaceCreateFirst => self.prior.within(address).len(),
            _ => 0,
        };
        let what = if planned.action == Action::Delete { "destroyed with it" } else { "created again" };
        match within {
            0 => Vec::new(),
            1 => vec![format!("1 resource within it is {what}")],
            more => vec![format!("{more} resources within it are {what}")],
        }
    }
}

/// Whether an observation has the shape of attributes.
fn is_attributes(planned: &Planned, observed: &Value) -> bool {
    let schema = planned.kind.schema();
    observed.entries().iter().all(|entry| schema.attribute(&entry.key).is_some())
}

/// What is remembered, with the marks that the schema gives.
fn marked(planned: &Planned, before: &Value) -> Value {
    let schema = planned.kind.schema();
    Value::object(before.entries().iter().map(|entry| {
        let sensitive = schema.attribute(&entry.key).is_some_and(|attribute| attribute.sensitive);
        (entry.key.clone(), entry.value.clone().sensitive_if(sensitive))
    }))
}
