//! The head of a state in a store of objects, version 1.

use super::{MESHPLAN_VERSION, Unreadable};
use crate::remote::Head;
use serde::{Deserialize, Serialize};

/// The version of this format.
pub(crate) const VERSION: u64 = 1;
const FORMAT: &str = "meshplan head";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadV1 {
    format: String,
    version: u64,
    meshplan_version: String,
    fence: u64,
    journal_from: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct AnyVersion {
    version: u64,
    #[serde(default)]
    meshplan_version: String,
}

/// The text of a head.
pub(crate) fn write(head: &Head) -> Vec<u8> {
    let Head { fence, journal_from, state, previous } = head.clone();
    let (format, version, meshplan_version) = (FORMAT.to_owned(), VERSION, MESHPLAN_VERSION.to_owned());
    let mut text =
        serde_json::to_vec_pretty(&HeadV1 { format, version, meshplan_version, fence, journal_from, state, previous }).unwrap_or_default();
    text.push(b'\n');
    text
}

/// The head in a text.
pub(crate) fn read(text: &[u8]) -> Result<Head, Unreadable> {
    let AnyVersion { version, meshplan_version: by } = serde_json::from_slice(text)?;
    if version > VERSION {
        return Err(Unreadable::Newer { version, by });
    }
    let HeadV1 { fence, journal_from, state, previous, .. } = serde_json::from_slice(text)?;
    Ok(Head { fence, journal_from, state, previous })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let parts = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        for head in [
            Head::default(),
            Head { fence: 7, journal_from: 12, state: parts(&["state-7-1-0"]), previous: None },
            Head { fence: 8, journal_from: 12, state: parts(&[]), previous: parts(&["a", "b"]) },
        ] {
            assert_eq!(read(&write(&head)), Ok(head));
        }
    }

    #[test]
    fn what_is_no_head_or_a_newer_one_is_refused() {
        let newer = br#"{"version": 2, "meshplan_version": "3.1.4", "other": 1}"#;
        assert_eq!(read(newer), Err(Unreadable::Newer { version: 2, by: "3.1.4".to_owned() }));
        for text in [&b""[..], b"{", b"{}", br#"{"version": 1}"#, b"\xff"] {
            assert!(matches!(read(text), Err(Unreadable::Corrupt { .. })));
        }
    }
}
