//! Changes as people review them.

use super::super::Walk;
use super::super::tables::{Fate, Planned};
use super::basis::Fingerprints;
use crate::address::{Address, Mode};
use crate::plan::{Action, Change, Counted, Reason};
use crate::schema::Attribute;
use crate::state::{Record, State};
use crate::value::{Data, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Walk<'_> {
    /// One change for every instance of the configuration and of the state, in order of addresses. Data sources read while planning are
    /// no change of anything and have none.
    pub(super) fn changes(
        fates: BTreeMap<Address, Fate>,
        prior: &State,
        (deposed, mut owned): (&BTreeMap<(Address, Arc<str>), Action>, Fingerprints),
    ) -> Vec<Change> {
        let mut changes = Vec::with_capacity(fates.len());
        for (address, fate) in fates {
            let Fate::Planned(planned) = fate else { continue };
            if planned.is_only_read() {
                continue;
            }
            if address.mode == Mode::Managed || planned.action == Action::Read {
                let thing = (address, None);
                let before = owned.remove(&thing);
                changes.push(change(thing.0, *planned, (prior, before)));
            }
        }
        for ((address, key), action) in deposed {
            if let Some(record) = prior.resources.get(address).and_then(|objects| objects.deposed.get(key)) {
                let before = owned.remove(&(address.clone(), Some(key.clone())));
                changes.push(leftover((address, key), *action, record, before));
            }
        }
        if !deposed.is_empty() {
            changes.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
        }
        changes
    }
}

/// What becomes of a deposed object.
fn leftover((address, key): (&Address, &Arc<str>), action: Action, record: &Record, before: Option<Arc<str>>) -> Change {
    let reason = if action == Action::Forget { Reason::Gone } else { Reason::Deposed };
    Change {
        deposed: Some(key.clone()),
        kind: record.kind.clone(),
        place: record.place.clone(),
        before: Some(record.attributes.clone()),
        counted: Counted { before, unpreviewed: None },
        ..Change::of(address.clone(), action, reason)
    }
}

fn change(address: Address, planned: Planned, (prior, owned): (&State, Option<Arc<str>>)) -> Change {
    let observed = planned.observed.as_ref();
    let imported = observed.filter(|_| planned.action == Action::Import).and_then(|observed| observed.get("attributes"));
    let observed = imported.or(observed).filter(|observed| is_attributes(&planned, observed));
    let before = observed.or_else(|| Some(&planned.prior.as_ref()?.attributes)).map(|before| marked(&planned, before));
    let before = before.map(|before| recognised(&planned, before, prior));
    let notes = observed_notes(&planned);
    let goes = matches!(planned.action, Action::Delete | Action::Forget);
    Change {
        deposed: None,
        kind: planned.kind.schema().kind.into(),
        action: planned.action,
        causes: causes(&address, planned.action, prior).into_iter().chain(notes).collect(),
        defaults: defaults(&planned),
        address,
        reason: planned.reason,
        place: planned.place,
        before,
        after: (!goes).then_some(planned.attributes),
        not_previewed: planned.not_previewed,
        counted: Counted { before: owned, unpreviewed: planned.unpreviewed },
    }
}

/// The attributes of a new thing that are as the schema has them by default, written in the configuration or not.
fn defaults(planned: &Planned) -> Vec<&'static str> {
    if planned.action != Action::Create {
        return Vec::new();
    }
    let is_default = |attribute: &&Attribute| {
        let default = attribute.default.as_ref().map(Value::data);
        default.is_some() && planned.attributes.get(attribute.name).map(Value::data) == default
    };
    planned.kind.schema().attributes.iter().filter(is_default).map(|attribute| attribute.name).collect()
}

/// What a provider says of what is to be imported.
fn observed_notes(planned: &Planned) -> Vec<String> {
    let observed = planned.observed.as_ref().filter(|_| planned.action == Action::Import);
    let notes = observed.and_then(|observed| observed.get("notes")).map(Value::items).unwrap_or_default();
    notes.iter().filter_map(|note| note.as_str().map(str::to_owned)).collect()
}

fn causes(address: &Address, action: Action, prior: &State) -> Vec<String> {
    let ends = matches!(action, Action::Delete | Action::Replace | Action::ReplaceCreateFirst);
    let within = if ends && prior.places.contains_key(address) { prior.within(address).len() } else { 0 };
    let what = if action == Action::Delete { "destroyed with it" } else { "created again" };
    match within {
        0 => Vec::new(),
        1 => vec![format!("1 resource within it is {what}")],
        more => vec![format!("{more} resources within it are {what}")],
    }
}

/// Whether an observation has the shape of attributes.
fn is_attributes(planned: &Planned, observed: &Value) -> bool {
    let schema = planned.kind.schema();
    !observed.entries().is_empty() && observed.entries().iter().all(|entry| schema.attribute(&entry.key).is_some())
}

/// What is remembered, with what is to be again in the place of its fingerprints: a secret that stays is not shown as changing.
fn recognised(planned: &Planned, before: Value, prior: &State) -> Value {
    if !matches!(planned.action, Action::Update | Action::Replace | Action::ReplaceCreateFirst) {
        return before;
    }
    let remembered = planned.kind.remembered(&planned.attributes, &prior.secret_key);
    unveiled(&before, &remembered, &planned.attributes)
}

fn unveiled(before: &Value, remembered: &Value, after: &Value) -> Value {
    if before.data() == remembered.data() {
        return after.clone();
    }
    match (before.data(), remembered.data()) {
        (Data::Mapping(_), Data::Mapping(_)) => {
            let within = before.entries().iter().map(|entry| {
                let beside = remembered.get(&entry.key).zip(after.get(&entry.key));
                let value = beside.map_or_else(|| entry.value.clone(), |(remembered, after)| unveiled(&entry.value, remembered, after));
                (entry.key.clone(), value)
            });
            Value::object(within).sensitive_if(before.is_marked_sensitive())
        }
        _ => before.clone(),
    }
}

/// What is remembered, with the marks that the schema gives.
fn marked(planned: &Planned, before: &Value) -> Value {
    let schema = planned.kind.schema();
    Value::object(before.entries().iter().map(|entry| {
        let sensitive = schema.attribute(&entry.key).is_some_and(|attribute| attribute.sensitive);
        (entry.key.clone(), entry.value.clone().sensitive_if(sensitive))
    }))
}
