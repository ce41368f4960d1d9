//! Where the values stand that may be sealed.

use engine::address::Address;
use engine::state::{Connect, Entry, Output, Place, Record, State};
use engine::value::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What holds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder<'a> {
    /// The record of an address, the current one or the deposed one with a key.
    Record(&'a str, Option<&'a Arc<str>>),
    /// A place.
    Place(&'a str),
    /// An output, and whether all of it is sensitive.
    Output(&'a str, bool),
    /// The state itself: its own key.
    State,
}

impl fmt::Display for Holder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(address, None) => write!(f, "attributes of `{address}`"),
            Self::Record(address, Some(key)) => write!(f, "attributes of `{address}` (deposed `{key}`)"),
            Self::Place(address) => write!(f, "arguments of `{address}`"),
            Self::Output(name, _) => write!(f, "output `{name}`"),
            Self::State => f.write_str("`secret_key`"),
        }
    }
}

impl Holder<'_> {
    /// The bytes that a value with this path is sealed for, in the state of a lineage. No two values have the same.
    pub(super) fn associated(self, lineage: &str, path: &str) -> Vec<u8> {
        let (what, name, key) = match self {
            Self::Record(address, deposed) => ("record", address, deposed.map_or("", |key| key)),
            Self::Place(address) => ("place", address, ""),
            Self::Output(name, _) => ("output", name, ""),
            Self::State => ("state", "", ""),
        };
        let mut bytes = Vec::new();
        for part in [lineage, what, name, key, path] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }
}

/// What is done to each value that may hold something sensitive.
pub(super) type Visit<'a, E> = &'a mut dyn FnMut(Holder<'_>, &mut Value) -> Result<(), E>;

/// Visits every value of a state.
pub(super) fn each_in_state<E>(state: &mut State, visit: Visit<'_, E>) -> Result<(), E> {
    for (address, objects) in &mut state.resources {
        if let Some(record) = &mut objects.current {
            in_record(address, None, record, visit)?;
        }
        for (key, record) in &mut objects.deposed {
            in_record(address, Some(key), record, visit)?;
        }
    }
    for (address, place) in &mut state.places {
        in_place(address, place, visit)?;
    }
    in_outputs(&mut state.outputs, visit)
}

/// Whether there is anything to visit in a state.
pub(super) fn holds_secrets(state: &State) -> bool {
    let in_place = |place: &Place| matches!(&place.connect, Connect::Source { arguments, .. } if arguments.holds_sensitive());
    state.records().any(|(_, _, record)| record.attributes.holds_sensitive())
        || state.places.values().any(in_place)
        || state.outputs.values().any(|output| output.sensitive || output.value.holds_sensitive())
}

/// Visits every value of an entry of the journal.
pub(super) fn each_in_entry<E>(entry: &mut Entry, visit: Visit<'_, E>) -> Result<(), E> {
    match entry {
        Entry::Intent { address, deposed, record } | Entry::Put { address, deposed, record } => {
            in_record(address, deposed.as_ref(), record, visit)
        }
        Entry::PutPlace { address, place } => in_place(address, place, visit),
        Entry::Outputs(outputs) => in_outputs(outputs, visit),
        Entry::Remove { .. } | Entry::Depose { .. } | Entry::Move { .. } | Entry::RemovePlace { .. } => Ok(()),
    }
}

fn in_record<E>(address: &Address, deposed: Option<&Arc<str>>, record: &mut Record, visit: Visit<'_, E>) -> Result<(), E> {
    if record.attributes.holds_sensitive() { visit(Holder::Record(&address.to_string(), deposed), &mut record.attributes) } else { Ok(()) }
}

fn in_place<E>(address: &Address, place: &mut Place, visit: Visit<'_, E>) -> Result<(), E> {
    match &mut place.connect {
        Connect::Source { arguments, .. } if arguments.holds_sensitive() => visit(Holder::Place(&address.to_string()), arguments),
        Connect::Source { .. } | Connect::Record => Ok(()),
    }
}

fn in_outputs<E>(outputs: &mut BTreeMap<Arc<str>, Output>, visit: Visit<'_, E>) -> Result<(), E> {
    for (name, output) in outputs {
        if output.sensitive || output.value.holds_sensitive() {
            visit(Holder::Output(name, output.sensitive), &mut output.value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{every_entry, state_of_everything};
    use std::collections::BTreeSet;

    #[test]
    fn every_sensitive_value_of_a_state_and_of_its_entries_is_visited_under_a_name_of_its_own() {
        let mut names = Vec::new();
        let mut note = |holder: Holder<'_>, _: &mut Value| {
            names.push((holder.to_string(), holder.associated("l", ".")));
            Ok::<_, ()>(())
        };
        each_in_state(&mut state_of_everything(), &mut note).unwrap();
        let own: BTreeSet<_> = names.iter().map(|(_, associated)| associated).collect();
        assert_eq!(own.len(), names.len());
        let shown: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
        let address = crate::sample::longest_address();
        let deposed = format!("attributes of `{address}` (deposed `d-1`)");
        let current = format!("attributes of `{address}`");
        assert_eq!(shown, [current.as_str(), &deposed, "arguments of `kind_cluster.c2`", "output `secret`"]);
        let mut in_entries = BTreeSet::new();
        for mut entry in every_entry() {
            each_in_entry(&mut entry, &mut |holder, _| {
                in_entries.insert(holder.to_string());
                Ok::<_, ()>(())
            })
            .unwrap();
        }
        assert_eq!(in_entries, shown.iter().map(|name| (*name).to_owned()).collect());
    }

    #[test]
    fn whether_a_state_holds_secrets_is_told_without_visiting_them() {
        let all = state_of_everything();
        let part = |state: State| State { secret_key: all.secret_key.clone(), ..state };
        for state in [
            part(State { resources: all.resources.clone(), ..State::default() }),
            part(State { places: all.places.clone(), ..State::default() }),
            part(State { outputs: all.outputs.clone(), ..State::default() }),
            part(State::default()),
            all.clone(),
        ] {
            let visited = each_in_state(&mut state.clone(), &mut |_, _| Err(())).is_err();
            assert_eq!(holds_secrets(&state), visited);
            assert_eq!(visited, state != part(State::default()));
        }
    }

    #[test]
    fn no_two_places_are_sealed_for_the_same_bytes() {
        let key: Arc<str> = "k".into();
        let holders = [
            Holder::Record("a", None),
            Holder::Record("a", Some(&key)),
            Holder::Record("ak", None),
            Holder::Place("a"),
            Holder::Output("a", false),
            Holder::State,
        ];
        let all: BTreeSet<_> = holders
            .iter()
            .flat_map(|holder| [("l", "p"), ("lp", ""), ("", "lp")].map(|(lineage, path)| holder.associated(lineage, path)))
            .collect();
        assert_eq!(all.len(), holders.len() * 3);
        assert_eq!(Holder::Output("a", true).associated("l", "p"), Holder::Output("a", false).associated("l", "p"));
    }
}
