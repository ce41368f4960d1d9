//! Sequences and mappings.

use super::{Extent, Flags, Origin, Origins, Type, Value};
use std::sync::{Arc, OnceLock};

/// Which of HCL's three sequences.
#[derive(Debug, Clone, PartialEq)]
pub enum SequenceKind {
    /// `[…]`: any element may have its own type.
    Tuple,
    /// Elements of one type, in order.
    List(Type),
    /// Elements of one type, each once, in the order of [`crate::eval`]'s set ordering.
    Set(Type),
}

/// A list, tuple or set.
#[derive(Debug)]
pub struct Sequence {
    kind: SequenceKind,
    items: Box<[Value]>,
    flags: Flags,
    extent: Extent,
    deep: OnceLock<Origin>,
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.items == other.items
    }
}

impl Sequence {
    /// A sequence of these elements. Whoever makes a list or set has converted the elements, and sorted a set's.
    pub fn new(kind: SequenceKind, items: Vec<Value>) -> Self {
        let flags = items.iter().fold(Flags::default(), |flags, item| flags.with(item.flags().within()));
        let extent = Extent::around(items.iter().map(Value::extent));
        Self { kind, items: items.into(), flags, extent, deep: OnceLock::new() }
    }

    /// Tuple, list or set.
    pub fn kind(&self) -> &SequenceKind {
        &self.kind
    }

    /// The elements.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    pub(super) fn flags(&self) -> Flags {
        self.flags
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    pub(super) fn deep_origin(&self, origins: &mut Origins) -> Origin {
        *self.deep.get_or_init(|| {
            let all: Vec<_> = self.items.iter().map(|item| item.deep_origin(origins)).collect();
            origins.join(&all)
        })
    }
}

/// A map or an object.
#[derive(Debug, Clone, PartialEq)]
pub enum MappingKind {
    /// `{…}`: each attribute has its own type.
    Object,
    /// Values of one type.
    Map(Type),
}

/// A key and its value, each with an origin of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Where the key came from. The keys of a resource group carry their instance.
    pub key_origin: Origin,
    /// The value.
    pub value: Value,
}

impl Entry {
    /// An entry whose key came from nowhere.
    pub fn new(key: impl Into<Arc<str>>, value: Value) -> Self {
        Self { key: key.into(), key_origin: Origin::NONE, value }
    }
}

/// A map or object: entries sorted by key, each key once.
#[derive(Debug)]
pub struct Mapping {
    kind: MappingKind,
    entries: Box<[Entry]>,
    flags: Flags,
    extent: Extent,
    deep: OnceLock<Origin>,
}

impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        let entries = || self.entries.iter().zip(other.entries.iter());
        self.kind == other.kind && self.entries.len() == other.entries.len() && entries().all(|(a, b)| a.key == b.key && a.value == b.value)
    }
}

impl Mapping {
    /// A mapping of these entries; of two with one key the later counts.
    pub fn new(kind: MappingKind, mut entries: Vec<Entry>) -> Self {
        entries.reverse();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        entries.dedup_by(|later, first| later.key == first.key);
        let flags = entries.iter().fold(Flags::default(), |flags, entry| flags.with(entry.value.flags().within()));
        let extent = Extent::around(entries.iter().map(|entry| entry.value.extent().beside(&entry.key)));
        Self { kind, entries: entries.into(), flags, extent, deep: OnceLock::new() }
    }

    /// Map or object.
    pub fn kind(&self) -> &MappingKind {
        &self.kind
    }

    /// The entries, sorted by key.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry under a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.binary_search_by(|entry| (*entry.key).cmp(key)).ok().map(|at| &self.entries[at])
    }

    pub(super) fn flags(&self) -> Flags {
        self.flags
    }

    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    pub(super) fn deep_origin(&self, origins: &mut Origins) -> Origin {
        *self.deep.get_or_init(|| {
            let mut all = Vec::with_capacity(self.entries.len() * 2);
            for entry in &self.entries {
                all.push(entry.key_origin);
                all.push(entry.value.deep_origin(origins));
            }
            origins.join(&all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_entries_with_one_key_the_later_counts() {
        let object = Value::object([("b", Value::number(1)), ("a", Value::number(2)), ("b", Value::number(3))]);
        let keys: Vec<_> = object.entries().iter().map(|entry| &*entry.key).collect();
        assert_eq!(keys, ["a", "b"]);
        assert_eq!(object.get("b"), Some(&Value::number(3)));
    }

    #[test]
    fn a_collection_knows_what_is_within() {
        let inner = Value::tuple(vec![Value::string("s").sensitive(), Value::unknown(Type::String)]);
        let outer = Value::object([("a", inner)]);
        assert!(!outer.is_known());
        assert!(outer.holds_sensitive());
        assert!(!outer.is_marked_sensitive());
    }
}
