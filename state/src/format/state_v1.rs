//! The state file, version 1.

use super::output_v1::{OutputV1, StoredOutput, read_outputs, write_outputs};
use super::place_v1::{PlaceV1, StoredPlace};
use super::record_v1::{ResourceV1, Stored};
use super::sealing_v1::{Sealing, StoredKey};
use super::words_v1::Words;
use super::{MESHPLAN_VERSION, NotStorable, Unreadable};
use engine::state::State;
use engine::value::hex;
use serde::de::{self, Deserializer, Visitor};
use serde::ser::{self, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::io::Write;

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
        deserializer.deserialize_str(Digits)
    }
}

struct Digits;

impl Visitor<'_> for Digits {
    type Value = Hex;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, digits: &str) -> Result<Hex, E> {
        Hex::of_digits(digits)
    }
}

impl Hex {
    /// The bytes that these digits stand for.
    pub(super) fn of_digits<E: de::Error>(digits: &str) -> Result<Self, E> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit()) && digits.len().is_multiple_of(2);
        let bytes = if plain { digits.as_bytes().chunks(2).map(byte).collect::<Option<Vec<_>>>() } else { None };
        bytes.map(Self).ok_or_else(|| E::custom("an even number of hexadecimal digits is expected"))
    }
}

/// The file. The order of the first fields is part of the format: see [`content`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateV1<Output, Resources, Place> {
    version: u64,
    meshplan_version: String,
    serial: u64,
    lineage: String,
    #[serde(default, skip_serializing_if = "Sealing::is_unsaid")]
    sealing: Sealing,
    outputs: BTreeMap<Words, Output>,
    resources: Resources,
    places: Vec<Place>,
    secret_key: StoredKey,
}

/// What a state's text says of sealing, and its own key as it stands there.
pub(crate) type Sealed = (Sealing, StoredKey);

/// What every version of the file says.
#[derive(Deserialize)]
struct AnyVersion {
    version: u64,
    #[serde(default)]
    meshplan_version: String,
}

/// The text of a state under this serial, lineage and key, with its secrets as they are.
#[cfg(test)]
pub(crate) fn write(state: &State, serial: u64, lineage: &str, secret_key: &[u8]) -> Result<Vec<u8>, NotStorable> {
    write_sealed(state, serial, lineage, (Sealing::Unsaid, StoredKey::Plain(secret_key.to_vec())))
}

/// The text of a state in which what is sensitive was sealed already.
pub(crate) fn write_sealed(state: &State, serial: u64, lineage: &str, sealed: Sealed) -> Result<Vec<u8>, NotStorable> {
    let file = Written { lineage: lineage.to_owned(), serial, ..of(state, sealed)? };
    let mut text = Vec::new();
    file.resources.or_why(serde_json::to_writer_pretty(&mut text, &file))?;
    text.push(b'\n');
    Ok(text)
}

/// The same under its own serial and lineage, in one line.
pub(crate) fn write_line(state: &State, sealed: Sealed, to: &mut dyn Write) -> Result<(), NotStorable> {
    let file = of(state, sealed)?;
    file.resources.or_why(serde_json::to_writer(&mut *to, &file))?;
    file.resources.or_why(to.write_all(b"\n"))
}

type Written<'a> = StateV1<OutputV1, Records<'a>, PlaceV1>;

fn of(state: &State, (sealing, secret_key): Sealed) -> Result<Written<'_>, NotStorable> {
    Ok(StateV1 {
        version: VERSION,
        meshplan_version: MESHPLAN_VERSION.to_owned(),
        serial: state.serial,
        lineage: state.lineage.clone(),
        sealing,
        outputs: write_outputs(&state.outputs)?,
        resources: Records { state, unfit: Cell::new(None) },
        places: state.places.iter().map(|(address, place)| PlaceV1::of(address, place)).collect::<Result<Vec<_>, _>>()?,
        secret_key,
    })
}

/// The records of a state. Each has its stored form only while it is written.
struct Records<'a> {
    state: &'a State,
    /// The first that could not be.
    unfit: Cell<Option<NotStorable>>,
}

impl Records<'_> {
    /// Why nothing was written, if it was not.
    fn or_why<E>(&self, written: Result<(), E>) -> Result<(), NotStorable> {
        let unsaid = || NotStorable { what: "the state".to_owned(), why: "it has no JSON form" };
        written.map_err(|_| self.unfit.take().unwrap_or_else(unsaid))
    }
}

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(None)?;
        for (address, deposed, record) in self.state.records() {
            let stored = ResourceV1::of(address, deposed, record).map_err(|unfit| {
                self.unfit.set(Some(unfit));
                ser::Error::custom("a record has no stored form")
            })?;
            all.serialize_element(&stored)?;
        }
        all.end()
    }
}

/// The state that a text writes, if its secrets stand in it as they are.
#[cfg(test)]
pub(crate) fn read(text: &str) -> Result<State, Unreadable> {
    match read_sealed(text)? {
        (state, (_, StoredKey::Plain(secret_key))) => Ok(State { secret_key, ..state }),
        (_, (_, StoredKey::Sealed(_))) => Err(Unreadable::Corrupt { line: 0, column: 0, why: "it is sealed".to_owned() }),
    }
}

/// The state that a text writes, with what is sealed in it as it stands there and without its key.
pub(crate) fn read_sealed(text: &str) -> Result<(State, Sealed), Unreadable> {
    let read = serde_json::from_str::<StateV1<StoredOutput, Vec<Stored>, StoredPlace>>(text);
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
    let mut state = State { lineage: file.lineage, serial: file.serial, ..State::default() };
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
    Ok((state, (file.sealing, file.secret_key)))
}

/// The part of a written state that says what is remembered: all but who wrote it and how often. Two states are the same if this is.
pub(crate) fn content(text: &[u8]) -> &[u8] {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at + 1).nth(LINES_BEFORE_CONTENT - 1).map_or(text, |from| &text[from..])
}

/// How the key begins that stands last in a text, and how it ends.
const KEY: [&str; 2] = ["\n  \"secret_key\": \"", "\"\n}\n"];

/// What stands before the key in the text of the state of this serial and lineage, if this is that, as this version writes it, with its
/// secrets as they are.
pub(crate) fn without_key<'a>(text: &'a str, serial: u64, lineage: &str) -> Option<&'a str> {
    let head = format!(
        "{{\n  \"version\": {VERSION},\n  \"meshplan_version\": \"{MESHPLAN_VERSION}\",\n  \"serial\": {serial},\n  \"lineage\": \"{lineage}\",\n"
    );
    let (before, key) = text.strip_suffix(KEY[1])?.rsplit_once(KEY[0])?;
    let plain = key.bytes().all(|digit| digit.is_ascii_hexdigit()) && !lineage.contains(['"', '\\']);
    (plain && before.starts_with(&head)).then_some(before)
}

/// Writes a text without its key as the line that [`write_line`] writes, but for spaces.
pub(crate) fn copy_as_line(text: &str, to: &mut dyn Write) -> Result<(), NotStorable> {
    // Texts in JSON have no line breaks: what follows one is a margin.
    let copied = text.split('\n').try_for_each(|line| to.write_all(line.trim_start().as_bytes()));
    let written = copied.and_then(|()| to.write_all(b"\"secret_key\": \"\"}\n"));
    written.map_err(|_| NotStorable { what: "the state".to_owned(), why: "it has no JSON form" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{longest_address, state_of_everything};
    use engine::state::{Objects, Record, RecordId};

    fn written(state: &State) -> String {
        String::from_utf8(write(state, state.serial, &state.lineage, &state.secret_key).unwrap()).unwrap()
    }

    #[test]
    fn everything_comes_back_and_is_written_as_the_same_bytes() {
        let state = state_of_everything();
        let text = written(&state);
        assert_eq!(read(&text).as_ref(), Ok(&state));
        assert_eq!(written(&read(&text).unwrap()), text);
        assert_eq!(read(&written(&State::default())), Ok(State::default()));
    }

    #[test]
    fn an_address_without_objects_leaves_no_trace() {
        let mut state = State::default();
        state.resources.insert(longest_address(), Objects::default());
        assert_eq!(read(&written(&state)), Ok(State::default()));
    }

    #[test]
    fn the_content_is_all_but_version_and_serial() {
        let mut state = state_of_everything();
        let text = written(&state);
        state.serial += 1;
        let later = written(&state).replace(MESHPLAN_VERSION, "99.0.0");
        assert_ne!(later, text);
        assert_eq!(content(later.as_bytes()), content(text.as_bytes()));
        assert!(content(text.as_bytes()).starts_with(b"  \"lineage\": \"l\",\n  \"outputs\": {"));
        state.secret_key.push(1);
        assert_ne!(content(written(&state).as_bytes()), content(text.as_bytes()));
        assert_eq!(content(b"{}"), b"{}");
    }

    #[test]
    fn a_text_is_copied_as_one_line_without_its_key() {
        let state = State { serial: 7, lineage: "l".to_owned(), secret_key: vec![7; 32], ..state_of_everything() };
        let text = written(&state);
        let mut line = Vec::new();
        copy_as_line(without_key(&text, 7, "l").unwrap(), &mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line.find('\n'), Some(line.len() - 1));
        assert!(!line.contains("0707"), "{line}");
        assert_eq!(read(&line), Ok(State { secret_key: Vec::new(), ..state.clone() }));
        let mut anew = Vec::new();
        write_line(&state, (Sealing::Unsaid, StoredKey::Plain(Vec::new())), &mut anew).unwrap();
        let json = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
        assert_eq!(json(line.as_bytes()), json(&anew));
        let sealed = text.replace("\"secret_key\": \"0707", "\"secret_key\": \"sealed:0707");
        for (other, serial, lineage) in [
            (text.as_str(), 6, "l"),
            (&text, 7, "k"),
            (&text, 7, ""),
            (&text.replace(MESHPLAN_VERSION, "99.0.0"), 7, "l"),
            (&sealed, 7, "l"),
            (&text[..text.len() - 1], 7, "l"),
            ("", 7, "l"),
        ] {
            assert_eq!(without_key(other, serial, lineage), None, "{serial} {lineage} {other}");
        }
    }

    #[test]
    fn a_damaged_file_says_where_and_what() {
        let mut small = State { lineage: "l".to_owned(), secret_key: vec![7], ..State::default() };
        let record = Record::new(RecordId::new("r"), "thing");
        small.resources.insert("thing.a".parse().unwrap(), Objects { current: Some(record), ..Objects::default() });
        let good = written(&small);
        let corrupt = |line, column, why: &str| Unreadable::Corrupt { line, column, why: why.to_owned() };
        for (from, to, expected) in [
            ("\"lineage\": \"l\",", "\"lineage\": \"l\"", corrupt(6, 3, "expected `,` or `}`")),
            ("\"serial\": 0", "\"serial\": -1", corrupt(4, 14, "invalid value: integer `-1`, expected u64")),
            (
                "\"outputs\": {}",
                "\"outputs\": {}, \"extra\": 1",
                corrupt(
                    6,
                    24,
                    "unknown field `extra`, expected one of `version`, `meshplan_version`, `serial`, `lineage`, `sealing`, `outputs`, `resources`, `places`, `secret_key`",
                ),
            ),
            ("thing.a", "thing", corrupt(9, 24, "`thing` is no address: expected a `.` and a name after the kind")),
            (
                "\"ready\"",
                "\"fine\"",
                corrupt(12, 22, "unknown variant `fine`, expected one of `ready`, `unready`, `tainted`, `interrupted`"),
            ),
            ("\"ready\"", "\"interrupted\"", corrupt(16, 3, "`thing.a` is interrupted and has no `operation`")),
            ("\"ready\"", "\"ready\", \"operation\": \"create\"", corrupt(16, 3, "`thing.a` has an `operation` and is not interrupted")),
            ("\"attributes\": {}", "\"attributes\": []", corrupt(16, 3, "attributes of `thing.a`: an object is expected")),
            (
                "\"attributes\": {}",
                "\"attributes\": {}, \"types\": {\"x\": \"any\"}",
                corrupt(16, 3, "attributes of `thing.a`: the path `x` leads to nothing"),
            ),
            ("\"07\"", "\"7\"", corrupt(18, 19, "an even number of hexadecimal digits is expected")),
            ("\"07\"", "\"+7\"", corrupt(18, 20, "an even number of hexadecimal digits is expected")),
        ] {
            assert!(good.contains(from), "{from} in {good}");
            assert_eq!(read(&good.replacen(from, to, 1)), Err(expected), "{to}");
        }
        assert_eq!(read(""), Err(corrupt(1, 0, "EOF while parsing a value")));
        assert!(read("[]").is_err());
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let mut small = state_of_everything();
        small.resources.clear();
        let text = written(&small);
        let whole = text.trim_end().len();
        for cut in (0..whole).filter(|cut| text.is_char_boundary(*cut)) {
            assert!(matches!(read(&text[..cut]), Err(Unreadable::Corrupt { .. })), "cut at {cut}");
        }
    }

    #[test]
    fn nothing_stands_in_it_twice() {
        let text = written(&state_of_everything());
        for list in ["resources", "places"] {
            let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
            let items = json[list].as_array_mut().unwrap();
            items.push(items[0].clone());
            let Err(Unreadable::Corrupt { why, .. }) = read(&json.to_string()) else { panic!("{list}") };
            assert!(why.ends_with("stands in it twice"), "{why}");
        }
    }

    #[test]
    fn another_version_is_refused_whatever_else_it_holds() {
        let text = written(&State::default()).replace("\"version\": 1", "\"version\": 2");
        let newer = Err(Unreadable::Newer { version: 2, by: MESHPLAN_VERSION.to_owned() });
        assert_eq!(read(&text), newer);
        assert_eq!(read(&text.replace("\"places\": []", "\"somewhere\": 7")), newer);
        assert_eq!(read("{\"version\": 3}"), Err(Unreadable::Newer { version: 3, by: String::new() }));
    }
}
