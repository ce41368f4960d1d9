//! The first object of a revision in a store of objects, version 1: a line of JSON, and as much of the revision as fits.

use super::Unreadable;
use serde::{Deserialize, Serialize};

/// The version of this format.
pub(crate) const VERSION: u64 = 1;

/// The longest line, with its end: an id of 32 digits and a number of parts that no store holds.
pub(crate) const LONGEST: usize = 90;

/// What a revision consists of beside its first object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    /// What the names of its further parts have in common, and those of no other write.
    pub(crate) id: String,
    /// How many those are.
    pub(crate) further: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartsV1 {
    version: u64,
    id: String,
    further: usize,
}

#[derive(Deserialize)]
struct AnyVersion {
    version: u64,
    #[serde(default)]
    meshplan_version: String,
}

/// The text of the first object.
pub(crate) fn write(parts: &Parts, first: &[u8]) -> Vec<u8> {
    let Parts { id, further } = parts.clone();
    let mut text = serde_json::to_vec(&PartsV1 { version: VERSION, id, further }).unwrap_or_default();
    text.push(b'\n');
    text.extend(first);
    text
}

/// What a first object says, and what it holds of the revision.
pub(crate) fn read(text: &[u8]) -> Result<(Parts, &[u8]), Unreadable> {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (line, first) = text.split_at(end);
    let AnyVersion { version, meshplan_version: by } = serde_json::from_slice(line)?;
    if version > VERSION {
        return Err(Unreadable::Newer { version, by });
    }
    let PartsV1 { id, further, .. } = serde_json::from_slice(line)?;
    Ok((Parts { id, further }, first.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_line_is_the_revision() {
        let id = "0".repeat(32);
        for (further, first) in [(0, &b"\n\x1f\x8b\n"[..]), (usize::MAX, b"")] {
            let parts = Parts { id: id.clone(), further };
            let text = write(&parts, first);
            assert_eq!(read(&text), Ok((parts, first)));
            assert!(text.len() - first.len() <= LONGEST, "{}", text.len());
        }
    }

    #[test]
    fn what_is_no_first_object_or_a_newer_one_is_refused() {
        let newer = read(b"{\"version\":2,\"meshplan_version\":\"3.1.4\",\"more\":1}\nx");
        assert_eq!(newer, Err(Unreadable::Newer { version: 2, by: "3.1.4".to_owned() }));
        for text in [&b""[..], b"\n", b"{}\n", b"{\"version\":1}\n", b"{\"version\":1,\"id\":\"a\",\"further\":0,\"x\":1}\n", b"\xff"] {
            assert!(matches!(read(text), Err(Unreadable::Corrupt { .. })), "{text:?}");
        }
    }
}
