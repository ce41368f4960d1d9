//! How much a value is when it is written out, and how deep it is nested: kept by each collection, so that asking costs nothing.

use super::{Data, Value};

/// How far a value goes, with what it shares counted as often as it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    bytes: u32,
    depth: u16,
}

impl Extent {
    /// Bytes that every value counts for, beside those of its text: what one takes in memory.
    pub const VALUE: usize = size_of::<Value>();

    /// Of text, or of what is no collection: as many bytes.
    fn flat(text: usize) -> Self {
        Self { bytes: u32::try_from(text.saturating_add(Self::VALUE)).unwrap_or(u32::MAX), depth: 0 }
    }

    /// Of a collection of such values.
    pub(super) fn around(parts: impl Iterator<Item = Self>) -> Self {
        let within =
            parts.fold(Self::flat(0), |all, part| Self { bytes: all.bytes.saturating_add(part.bytes), depth: all.depth.max(part.depth) });
        Self { depth: within.depth.saturating_add(1), ..within }
    }

    /// With the bytes of its key.
    pub(super) fn beside(self, key: &str) -> Self {
        Self { bytes: self.bytes.saturating_add(u32::try_from(key.len()).unwrap_or(u32::MAX)), ..self }
    }

    /// Bytes of all text and keys within, and [`Extent::VALUE`] for each value; 4 GiB stand for more as well.
    pub fn bytes(self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    /// Collections within each other: 0 of text, 1 of a list of texts. The attributes of an instance count.
    pub fn depth(self) -> usize {
        usize::from(self.depth)
    }
}

impl Value {
    /// How far it goes. What a reference leads to does not count.
    pub fn extent(&self) -> Extent {
        match &self.data {
            Data::String(text) => Extent::flat(text.len()),
            Data::Sequence(sequence) => sequence.extent(),
            Data::Mapping(mapping) => mapping.extent(),
            Data::Instance(instance) => instance.attributes.extent(),
            _ => Extent::flat(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_counts_as_often_as_it_stands_there() {
        let one = || Value::string("four");
        for (value, bytes, depth) in [
            (Value::null(), 32, 0),
            (one(), 36, 0),
            (Value::tuple(vec![]), 32, 1),
            (Value::tuple(vec![one(), one()]), 32 + 72, 1),
            (Value::object([("key", Value::tuple(vec![one()])), ("k", Value::null())]), 32 + 3 + 32 + 36 + 1 + 32, 2),
        ] {
            assert_eq!((value.extent().bytes(), value.extent().depth()), (bytes, depth), "{value:?}");
        }
        let doubled = (0..40).fold(one(), |value, _| Value::tuple(vec![value.clone(), value]));
        assert_eq!((doubled.extent().bytes(), doubled.extent().depth()), (u32::MAX as usize, 40));
    }
}
