//! The state file, version 1.

use super::record_v1::{OutputV1, PlaceV1, ResourceV1, Stored, StoredOutput, StoredPlace, Words, read_outputs, write_outputs};
use super::{MESHPLAN_VERSION, NotStorable, Unreadable};
use engine::state::State;
use engine::value::hex;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The version of this format.
pub(crate) const VERSION: u64 = 1;

/// How many lines stand before what makes two states differ: the brace, the two versions and the serial.
const LINES_BEFORE_CONTENT: usize = 4;

/// Bytes as hexadecimal digits.
pub(crate) struct Hex(pub(crate) Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit()) && digits.len().is_multiple_of(2);
        let bytes = if plain { digits.as_bytes().chunks(2).map(byte).collect::<Option<Vec<_>>>() } else { None };
        bytes.map(Self).ok_or_else(|| de::Error::custom("an even number of hexadecimal digits is expected"))
    }
}

/// The file. The order of the first fields is part of the format: see [`content`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateV1<Output, Resource, Place> {
    version: u64,
    meshplan_version: String,
    serial: u64,
    lineage: String,
    outputs: BTreeMap<Words, Output>,
    resources: Vec<Resource>,
    places: Vec<Place>,
    secret_key: Hex,
}

/// What every version of the file says.
#[derive(Deserialize)]
struct AnyVersion {
    version: u64,
    #[serde(default)]
    meshplan_version: String,
}

/// The text of a state under this serial, lineage and key.
pub(crate) fn write(state: &State, serial: u64, lineage: &str, secret_key: &[u8]) -> Result<Vec<u8>, NotStorable> {
    let resources = state.records().map(|(address, deposed, record)| ResourceV1::of(address, deposed, record));
    let file = StateV1 {
        version: VERSION,
        meshplan_version: MESHPLAN_VERSION.to_owned(),
        serial,
        lineage: lineage.to_owned(),
        outputs: write_outputs(&state.outputs)?,
        resources: resources.collect::<Result<Vec<_>, _>>()?,
        places: state.places.iter().map(|(address, place)| PlaceV1::of(address, place)).collect::<Result<Vec<_>, _>>()?,
        secret_key: Hex(secret_key.to_vec()),
    };
    write_file(&file).map_err(|_| NotStorable { what: "the state".to_owned(), why: "it has no JSON form" })
}

fn write_file(file: &StateV1<OutputV1, ResourceV1, PlaceV1>) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = serde_json::to_vec_pretty(file)?;
    text.push(b'\n');
    Ok(text)
}

/// The state that a text writes.
pub(crate) fn read(text: &str) -> Result<State, Unreadable> {
    let read = serde_json::from_str::<StateV1<StoredOutput, Stored, StoredPlace>>(text);
    let version = match &read {
        Ok(file) if file.version == VERSION => None,
        Ok(_) | Err(_) => serde_json::from_str::<AnyVersion>(text).ok(),
    };
    if let Some(newer) = version
        && newer.version != VERSION
    {
        return Err(Unreadable::Newer { version: newer.version, by: newer.meshplan_version });
    }
    let file = read?;
    let mut state = State { lineage: file.lineage, serial: file.serial, secret_key: file.secret_key.0, ..State::default() };
    state.outputs = read_outputs(file.outputs);
    for Stored { address, deposed, record } in file.resources {
        let twice = || Unreadable::Corrupt { line: 0, column: 0, why: format!("`{address}` stands in it twice") };
        let objects = state.resources.entry(address.clone()).or_default();
        match deposed {
            None if objects.current.is_some() => return Err(twice()),
            None => objects.current = Some(record),
            Some(key) => match objects.deposed.entry(key) {
                Entry::Vacant(free) => {
                    free.insert(record);
                }
                Entry::Occupied(_) => return Err(twice()),
            },
        }
    }
    for StoredPlace { address, place } in file.places {
        if state.places.insert(address.clone(), place).is_some() {
            let why = format!("the place `{address}` stands in it twice");
            return Err(Unreadable::Corrupt { line: 0, column: 0, why });
        }
    }
    Ok(state)
}

/// The part of a written state that says what is remembered: all but who wrote it and how often. Two states are the same if this is.
pub(crate) fn content(text: &[u8]) -> &[u8] {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(LINES_BEFORE_CONTENT - 1).map_or(text, |from| &text[from..])
}
