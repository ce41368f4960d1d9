//! The journal, version 1: a line that says what it belongs to, then one line of JSON for each entry.

use super::output_v1::{OutputV1, StoredOutput, read_outputs, write_outputs};
use super::place_v1::{PlaceV1, StoredPlace};
use super::record_v1::{ResourceV1, Stored};
use super::sealing_v1::{Sealing, StoredKey};
use super::words_v1::{Text, Words};
use super::{MESHPLAN_VERSION, NotStorable, Unreadable};
use engine::address::Address;
use engine::state::{self, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of this format.
pub(crate) const VERSION: u64 = 1;
const FORMAT: &str = "meshplan journal";

/// What a journal belongs to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The lineage of the state.
    pub(crate) lineage: String,
    /// The serial that the entries follow on; 0 before the first write.
    pub(crate) serial: u64,
    /// The key of the HMACs, where no state file holds it yet.
    pub(crate) secret_key: Option<Vec<u8>>,
}

/// What a journal's first line says of sealing, and the key as it stands there.
pub(crate) type Sealed = (Sealing, Option<StoredKey>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderV1 {
    format: String,
    version: u64,
    meshplan_version: String,
    lineage: String,
    serial: u64,
    #[serde(default, skip_serializing_if = "Sealing::is_unsaid")]
    sealing: Sealing,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_key: Option<StoredKey>,
}

#[derive(Deserialize)]
struct AnyVersion {
    version: u64,
    #[serde(default)]
    meshplan_version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum EntryV1<Output, Resource, Place> {
    Intent(Resource),
    Put(Resource),
    Remove(RemoveV1),
    Depose(DeposeV1),
    Move(MoveV1),
    PutPlace(Place),
    RemovePlace(RemovePlaceV1),
    Outputs(BTreeMap<Words, Output>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveV1 {
    address: Text<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Words>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeposeV1 {
    address: Text<Address>,
    key: Words,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveV1 {
    from: Text<Address>,
    to: Text<Address>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemovePlaceV1 {
    address: Text<Address>,
}

/// The first line, with its end, of a journal with its secrets as they are.
pub(crate) fn write_header(header: &Header) -> Result<Vec<u8>, NotStorable> {
    write_sealed_header(header, (Sealing::Unsaid, header.secret_key.clone().map(StoredKey::Plain)))
}

/// The first line, with its end, of a journal in whose entries what is sensitive was sealed already, with this key in place of its own.
pub(crate) fn write_sealed_header(header: &Header, (sealing, secret_key): Sealed) -> Result<Vec<u8>, NotStorable> {
    let header = HeaderV1 {
        format: FORMAT.to_owned(),
        version: VERSION,
        meshplan_version: MESHPLAN_VERSION.to_owned(),
        lineage: header.lineage.clone(),
        serial: header.serial,
        sealing,
        secret_key,
    };
    let mut text = Vec::new();
    write_line(&header, &mut text)?;
    Ok(text)
}

/// The line of an entry, with its end.
fn write_entry(entry: &state::Entry, to: &mut Vec<u8>) -> Result<(), NotStorable> {
    let entry: EntryV1<OutputV1, ResourceV1, PlaceV1> = match entry {
        state::Entry::Intent { address, deposed, record } => EntryV1::Intent(ResourceV1::of(address, deposed.as_ref(), record)?),
        state::Entry::Put { address, deposed, record } => EntryV1::Put(ResourceV1::of(address, deposed.as_ref(), record)?),
        state::Entry::Remove { address, deposed } => {
            EntryV1::Remove(RemoveV1 { address: Text(address.clone()), deposed: deposed.clone().map(Words) })
        }
        state::Entry::Depose { address, key } => EntryV1::Depose(DeposeV1 { address: Text(address.clone()), key: Words(key.clone()) }),
        state::Entry::Move { from, to } => EntryV1::Move(MoveV1 { from: Text(from.clone()), to: Text(to.clone()) }),
        state::Entry::PutPlace { address, place } => EntryV1::PutPlace(PlaceV1::of(address, place)?),
        state::Entry::RemovePlace { address } => EntryV1::RemovePlace(RemovePlaceV1 { address: Text(address.clone()) }),
        state::Entry::Outputs(outputs) => EntryV1::Outputs(write_outputs(outputs)?),
    };
    write_line(&entry, to)
}

fn write_line<T: Serialize>(value: &T, to: &mut Vec<u8>) -> Result<(), NotStorable> {
    serde_json::to_writer(&mut *to, value).map_err(|_| NotStorable { what: "an entry".to_owned(), why: "it has no JSON form" })?;
    to.push(b'\n');
    Ok(())
}

/// What a first line says.
fn read_header(text: &str) -> Result<(Header, Sealed), Unreadable> {
    let read = serde_json::from_str::<HeaderV1>(text);
    let newer = serde_json::from_str::<AnyVersion>(text).ok().filter(|any| any.version != VERSION);
    if let Some(newer) = newer {
        return Err(Unreadable::Newer { version: newer.version, by: newer.meshplan_version });
    }
    let header = read?;
    if header.format != FORMAT {
        return Err(Unreadable::Corrupt { line: 1, column: 0, why: format!("its first line does not say `{FORMAT}`") });
    }
    let plain = match &header.secret_key {
        Some(StoredKey::Plain(key)) => Some(key.clone()),
        Some(StoredKey::Sealed(_)) | None => None,
    };
    Ok((Header { lineage: header.lineage, serial: header.serial, secret_key: plain }, (header.sealing, header.secret_key)))
}

/// The entry of a line.
fn read_entry(text: &str) -> Result<state::Entry, serde_json::Error> {
    let read = serde_json::from_str::<EntryV1<StoredOutput, Stored, StoredPlace>>(text)?;
    Ok(match read {
        EntryV1::Intent(Stored { address, deposed, record }) => state::Entry::Intent { address, deposed, record },
        EntryV1::Put(Stored { address, deposed, record }) => state::Entry::Put { address, deposed, record },
        EntryV1::Remove(remove) => state::Entry::Remove { address: remove.address.0, deposed: remove.deposed.map(|key| key.0) },
        EntryV1::Depose(depose) => state::Entry::Depose { address: depose.address.0, key: depose.key.0 },
        EntryV1::Move(moved) => state::Entry::Move { from: moved.from.0, to: moved.to.0 },
        EntryV1::PutPlace(StoredPlace { address, place }) => state::Entry::PutPlace { address, place },
        EntryV1::RemovePlace(place) => state::Entry::RemovePlace { address: place.address.0 },
        EntryV1::Outputs(outputs) => state::Entry::Outputs(read_outputs(outputs)),
    })
}

/// A journal that was read.
pub(crate) struct Journal {
    /// What it belongs to, without its key if that is sealed.
    pub(crate) header: Header,
    /// What its first line says of sealing.
    pub(crate) sealed: Sealed,
    /// Its entries, in order.
    pub(crate) entries: Vec<state::Entry>,
}

impl Journal {
    /// The state after all entries.
    pub(crate) fn replay(&self, state: &mut State) {
        for entry in &self.entries {
            state.apply(entry);
        }
    }
}

/// The journal that these bytes hold, or nothing if not even the first line is whole.
///
/// What follows the last line's end was being written when the machine or the process stopped: nobody was told that it is durable,
/// and it is not counted. So are zeros at the end, which some file systems leave of a write that did not happen.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Journal>, Unreadable> {
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[..bytes.len() - zeros];
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return Ok(None) };
    let mut lines = bytes[..end].split(|byte| *byte == b'\n').enumerate();
    let mut header = None;
    if let Some((_, first)) = lines.next() {
        header = Some(read_header(text(first, 1)?)?);
    }
    let Some((header, sealed)) = header else { return Ok(None) };
    let mut entries = Vec::new();
    for (before, line) in lines {
        let number = before + 1;
        let entry = read_entry(text(line, number)?).map_err(|error| match Unreadable::from(error) {
            Unreadable::Corrupt { column, why, .. } => Unreadable::Corrupt { line: number, column, why },
            newer @ Unreadable::Newer { .. } => newer,
        })?;
        entries.push(entry);
    }
    Ok(Some(Journal { header, sealed, entries }))
}

fn text(line: &[u8], number: usize) -> Result<&str, Unreadable> {
    std::str::from_utf8(line).map_err(|_| Unreadable::Corrupt { line: number, column: 0, why: "it is not UTF-8".to_owned() })
}

/// Entries as the lines that hold them.
pub(crate) fn write_entries(entries: &[state::Entry]) -> Result<Vec<u8>, NotStorable> {
    let mut lines = Vec::new();
    for entry in entries {
        write_entry(entry, &mut lines)?;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::every_entry;

    fn header() -> Header {
        Header { lineage: "9f2c".to_owned(), serial: 12, secret_key: Some(vec![1, 255]) }
    }

    #[test]
    fn every_entry_comes_back_from_one_line() {
        let entries = every_entry();
        let mut text = write_header(&header()).unwrap();
        for entry in &entries {
            let mut line = Vec::new();
            write_entry(entry, &mut line).unwrap();
            assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
            text.extend(line);
        }
        let journal = read(&text).ok().flatten().unwrap();
        assert!(journal.header == header());
        assert_eq!(journal.entries, entries);
    }

    #[test]
    fn every_sort_of_entry_is_sampled() {
        let name = |entry: &state::Entry| match entry {
            state::Entry::Intent { .. } => 0,
            state::Entry::Put { .. } => 1,
            state::Entry::Remove { .. } => 2,
            state::Entry::Depose { .. } => 3,
            state::Entry::Move { .. } => 4,
            state::Entry::PutPlace { .. } => 5,
            state::Entry::RemovePlace { .. } => 6,
            state::Entry::Outputs(_) => 7,
        };
        let sampled: std::collections::BTreeSet<_> = every_entry().iter().map(name).collect();
        assert_eq!(sampled, (0..8).collect());
    }

    #[test]
    fn cut_at_any_byte_what_is_left_is_the_whole_lines() {
        let entries = every_entry().split_off(9);
        let mut text = write_header(&header()).unwrap();
        text.extend(write_entries(&entries).unwrap());
        for cut in 0..=text.len() {
            let whole = text[..cut].split(|byte| *byte == b'\n').count() - 1;
            match read(&text[..cut]).ok().unwrap() {
                None => assert_eq!(whole, 0),
                Some(journal) => assert_eq!(journal.entries, entries[..whole - 1], "cut at {cut}"),
            }
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        let first = String::from_utf8(write_header(&header()).unwrap()).unwrap();
        let good = "{\"remove_place\":{\"address\":\"kind_cluster.c1\"}}";
        let corrupt = |line, column, why: &str| Unreadable::Corrupt { line, column, why: why.to_owned() };
        for (text, expected) in [
            (format!("{first}{good}\n}}\n{good}\n"), corrupt(3, 1, "expected value")),
            (format!("{first}\n{good}\n"), corrupt(2, 0, "EOF while parsing a value")),
            (
                format!("{first}{{\"remove\":{{\"address\":\"x\"}}}}\n"),
                corrupt(2, 24, "`x` is no address: expected a `.` and a name after the kind"),
            ),
            (
                format!("{first}{{\"renew\":1}}\n"),
                corrupt(
                    2,
                    8,
                    "unknown variant `renew`, expected one of `intent`, `put`, `remove`, `depose`, `move`, `put_place`, `remove_place`, `outputs`",
                ),
            ),
            ("{}\n".to_owned(), corrupt(1, 2, "missing field `format`")),
            (first.replace("meshplan journal", "diary"), corrupt(1, 0, "its first line does not say `meshplan journal`")),
            (first.replace("\"version\":1", "\"version\":2"), Unreadable::Newer { version: 2, by: MESHPLAN_VERSION.to_owned() }),
        ] {
            assert_eq!(read(text.as_bytes()).err(), Some(expected), "{text}");
        }
        let mut binary = first.into_bytes();
        binary.extend(b"\xff\n");
        assert_eq!(read(&binary).err(), Some(corrupt(2, 0, "it is not UTF-8")));
    }
}
