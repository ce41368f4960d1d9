//! What a plan that is to be saved stands on.

use super::super::Walk;
use super::super::tables::Fate;
use crate::address::{Address, Mode};
use crate::plan::basis::{owned, remembered};
use crate::plan::digest::digest_key;
use crate::plan::{Action, Basis, When};
use crate::question::Answer;
use crate::schema::Kind;
use crate::state::Record;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An object that the state remembers: its address, and its key if it is deposed.
pub(super) type Thing = (Address, Option<Arc<str>>);

/// A fingerprint of each of some things.
pub(super) type Fingerprints = BTreeMap<Thing, Arc<str>>;

impl Walk<'_> {
    /// A fingerprint of what was there of ours, of each thing that changes or may.
    pub(super) fn owned_before(&self) -> Fingerprints {
        let mut found = Fingerprints::new();
        for (address, fate) in &self.tables.fates {
            let Fate::Planned(planned) = fate else { continue };
            if address.mode == Mode::Data || (planned.action == Action::Keep && planned.unpreviewed.is_none()) {
                continue;
            }
            let observed = planned.observed.as_ref();
            if let Some(hash) = self.owned_of((address, None), &*planned.kind, (observed, self.prior.record(address))) {
                found.insert((address.clone(), None), hash);
            }
        }
        for (address, key) in self.deposed.keys() {
            let record = self.prior.resources.get(address).and_then(|objects| objects.deposed.get(key));
            let kind = record.and_then(|record| self.catalogue.get(Mode::Managed, &record.kind));
            if let Some(hash) = kind.and_then(|kind| self.owned_of((address, Some(key)), &**kind, (None, record))) {
                found.insert((address.clone(), Some(key.clone())), hash);
            }
        }
        found
    }

    fn owned_of(
        &self,
        (address, deposed): (&Address, Option<&Arc<str>>),
        kind: &dyn Kind,
        (observed, record): (Option<&Value>, Option<&Record>),
    ) -> Option<Arc<str>> {
        let answered = || self.answers.get(question(address, deposed).as_str());
        let secret_key = digest_key(&self.prior);
        match (observed, answered()) {
            (Some(observed), _) | (None, Some(Answer::Present(observed))) => Some(owned(kind, observed, secret_key).into()),
            (None, Some(Answer::Absent)) => None,
            (None, _) => Some(remembered(&record?.attributes, secret_key).into()),
        }
    }

    /// What was seen of each remembered thing; nothing for what was proven not to be there. What could not be observed is missing, as is
    /// all if the plan is not to be saved.
    pub(super) fn basis(&self) -> BTreeMap<(Address, Option<Arc<str>>), Option<Basis>> {
        let mut found = BTreeMap::new();
        if self.inputs.when == When::AtOnce {
            return found;
        }
        for (address, deposed, record) in self.prior.records() {
            let Some(kind) = self.catalogue.get(Mode::Managed, &record.kind) else { continue };
            let basis = match self.answers.get(question(address, deposed).as_str()) {
                Some(Answer::Present(observed)) => Some(Basis::of(&**kind, observed, &self.prior.secret_key)),
                Some(Answer::Absent) => None,
                _ => continue,
            };
            found.insert((address.clone(), deposed.cloned()), basis);
        }
        found
    }
}

/// The key of the question for what is there of a thing.
fn question(address: &Address, deposed: Option<&Arc<str>>) -> String {
    match deposed {
        None => format!("read {address}"),
        Some(deposed) => format!("read {address} deposed {deposed}"),
    }
}
