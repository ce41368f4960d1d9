//! The object that says what counts.

use super::objects::{Reach, SEGMENTS, Version};
use crate::error::Error;
use crate::format::head_v1;
use std::collections::BTreeMap;

/// Its name.
pub(crate) const NAME: &str = "head";

/// What counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// The number of the last taking of the lock.
    pub(crate) fence: u64,
    /// The number of the first segment that counts.
    pub(crate) journal_from: u64,
    /// The parts of the state, in order; nothing before the first write.
    pub(crate) state: Option<Vec<String>>,
    /// The parts of the state before the last write.
    pub(crate) previous: Option<Vec<String>>,
}

impl Head {
    /// The head, if there is one.
    pub(crate) fn read(reach: &Reach) -> Result<Option<(Self, Version)>, Error> {
        let Some(object) = reach.get(NAME)? else { return Ok(None) };
        let help = "bring back a copy of it: it names the parts of the state".to_owned();
        let head = head_v1::read(&object.text).map_err(Error::unreadable(&reach.0.name(NAME), head_v1::VERSION, help))?;
        Ok(Some((head, object.version)))
    }

    /// Makes the head, or replaces this version of it; nothing if somebody else did.
    pub(crate) fn write(&self, reach: &Reach, version: Option<&Version>) -> Result<Option<Version>, Error> {
        reach.write(NAME, &head_v1::write(self), version)
    }

    /// The text of the journal that these segments make; or what is missing, as a fragment.
    pub(crate) fn journal(&self, segments: &BTreeMap<String, Vec<u8>>) -> Result<Option<Vec<u8>>, String> {
        let mut text = Vec::new();
        let numbered = segments.iter().filter_map(|(name, text)| Some((number(name)?, text)));
        for ((number, segment), expected) in numbered.filter(|(number, _)| *number >= self.journal_from).zip(self.journal_from..) {
            if number != expected {
                return Err(format!("`{}` is missing, and a later one is there", segment_name(expected)));
            }
            text.extend(segment);
        }
        Ok(if text.is_empty() { None } else { Some(text) })
    }

    /// The text of the state.
    pub(crate) fn state(&self, reach: &Reach) -> Result<Option<Vec<u8>>, Error> {
        let Some(parts) = &self.state else { return Ok(None) };
        let mut text = Vec::new();
        for part in parts {
            let Some(object) = reach.get(part)? else {
                let help = "bring it back, or a copy of the whole state".to_owned();
                let why = "it is part of the state, and is not there".to_owned();
                return Err(Error::Corrupt { path: reach.0.name(part), line: 0, column: 0, why, help });
            };
            text.extend(object.text);
        }
        Ok(Some(text))
    }

    /// Whether this counts: a part of the state or of the one before, or a segment of the journal.
    pub(crate) fn names(&self, object: &str) -> bool {
        match number(object) {
            Some(number) => number >= self.journal_from,
            None => self.state.iter().chain(&self.previous).flatten().any(|part| part == object),
        }
    }
}

/// The name of a segment: names are in the order of numbers.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{SEGMENTS}{number:012}")
}

/// The number of a segment.
pub(crate) fn number(name: &str) -> Option<u64> {
    name.strip_prefix(SEGMENTS)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(all: &[(u64, &str)]) -> BTreeMap<String, Vec<u8>> {
        all.iter().map(|(number, text)| (segment_name(*number), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn the_journal_is_what_the_segments_from_the_first_on_make() {
        let head = Head { journal_from: 9, ..Head::default() };
        for (all, expected) in [
            (&[][..], Ok(None)),
            (&[(8, "old")], Ok(None)),
            (&[(9, "")], Ok(None)),
            (&[(7, "old"), (9, "a"), (10, ""), (11, "b")], Ok(Some("ab"))),
            (&[(9, "a"), (11, "b")], Err("`journal-000000000010` is missing, and a later one is there")),
            (&[(10, "b")], Err("`journal-000000000009` is missing, and a later one is there")),
        ] {
            let expected = expected.map(|text| text.map(|text: &str| text.as_bytes().to_vec())).map_err(str::to_owned);
            assert_eq!(head.journal(&segments(all)), expected, "{all:?}");
        }
    }

    #[test]
    fn only_what_the_head_names_is_kept() {
        let parts = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let head = Head { fence: 3, journal_from: 5, state: parts(&["state-3-1-0", "state-3-1-1"]), previous: parts(&["state-2-1-0"]) };
        for (name, kept) in [
            ("state-3-1-1", true),
            ("state-2-1-0", true),
            ("state-1-1-0", false),
            (segment_name(5).as_str(), true),
            (segment_name(4).as_str(), false),
        ] {
            assert_eq!(head.names(name), kept, "{name}");
        }
    }
}
