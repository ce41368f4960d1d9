//! What a plan that is to be saved stands on.

use super::super::Walk;
use crate::address::{Address, Mode};
use crate::plan::{Basis, When};
use crate::question::Answer;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Walk<'_> {
    /// What was seen of each remembered thing; nothing for what was proven not to be there. What could not be observed is missing, as is
    /// all if the plan is not to be saved.
    pub(super) fn basis(&self) -> BTreeMap<(Address, Option<Arc<str>>), Option<Basis>> {
        let mut found = BTreeMap::new();
        if self.inputs.when == When::AtOnce {
            return found;
        }
        for (address, deposed, record) in self.prior.records() {
            let key = match deposed {
                None => format!("read {address}"),
                Some(deposed) => format!("read {address} deposed {deposed}"),
            };
            let Some(kind) = self.catalogue.get(Mode::Managed, &record.kind) else { continue };
            let basis = match self.answers.get(key.as_str()) {
                Some(Answer::Present(observed)) => Some(Basis::of(&**kind, observed, &self.prior.secret_key)),
                Some(Answer::Absent) => None,
                _ => continue,
            };
            found.insert((address.clone(), deposed.cloned()), basis);
        }
        found
    }
}
