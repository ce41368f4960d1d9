//! How a file says what is sealed in it, and what stands inside of a seal.

use super::natural_v1::Natural;
use super::state_v1::Hex;
use super::value_v1::Beside;
use crate::sealing::{KeyId, SealedBy, Stretching};
use engine::value::Value;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a file says of sealing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Sealing {
    /// Nothing: there was no secret in it yet.
    #[default]
    Unsaid,
    /// Secrets stand in it as they are, and the user was told so.
    None,
    /// Everything sensitive is sealed.
    By(SealedBy),
}

impl Sealing {
    /// Whether it says nothing.
    pub(super) fn is_unsaid(&self) -> bool {
        *self == Self::Unsaid
    }
}

/// How a file says that secrets stand in it as they are.
const NONE: &str = "none";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByV1 {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rounds: Option<u32>,
}

impl Serialize for Sealing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unsaid => serializer.serialize_none(),
            Self::None => serializer.serialize_str(NONE),
            Self::By(SealedBy { key, stretching }) => {
                let (salt, rounds) = (stretching.as_ref().map(Stretching::salt), stretching.as_ref().map(Stretching::rounds));
                ByV1 { key: key.to_string(), salt, rounds }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Sealing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Said)
    }
}

struct Said;

impl<'de> Visitor<'de> for Said {
    type Value = Sealing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{NONE}` or an object with a `key`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Sealing, E> {
        if text == NONE { Ok(Sealing::None) } else { Err(E::invalid_value(de::Unexpected::Str(text), &self)) }
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Sealing, A::Error> {
        let by = ByV1::deserialize(MapAccessDeserializer::new(fields))?;
        let key = KeyId::parse(&by.key).ok_or_else(|| de::Error::custom("16 hexadecimal digits in lower case are expected"))?;
        let stretching = match (by.salt, by.rounds) {
            (None, None) => None,
            (Some(salt), Some(rounds)) => Some(Stretching::stored(&salt, rounds).map_err(de::Error::custom)?),
            (Some(_), None) | (None, Some(_)) => return Err(de::Error::custom("`salt` and `rounds` stand together")),
        };
        Ok(Sealing::By(SealedBy { key, stretching }))
    }
}

/// The state's own key as a file holds it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoredKey {
    /// As it is.
    Plain(Vec<u8>),
    /// Sealed.
    Sealed(String),
}

impl Serialize for StoredKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(bytes) => Hex(bytes.clone()).serialize(serializer),
            Self::Sealed(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for StoredKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyText)
    }
}

struct KeyText;

impl Visitor<'_> for KeyText {
    type Value = StoredKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<StoredKey, E> {
        if crate::sealing::sealed_with(text).is_ok() {
            return Ok(StoredKey::Sealed(text.to_owned()));
        }
        Hex::of_digits(text).map(|hex| StoredKey::Plain(hex.0))
    }
}

/// A value alone, with all that JSON does not show of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InsideV1 {
    value: Natural,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    types: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    sensitive: BTreeSet<String>,
}

/// The bytes that stand for a value inside of a seal, or why it cannot be stored.
pub(crate) fn write_inside(value: &Value) -> Result<Vec<u8>, &'static str> {
    let beside = Beside::of(value)?;
    let inside = InsideV1 { value: Natural(value.clone()), types: beside.types, sensitive: beside.sensitive };
    serde_json::to_vec(&inside).map_err(|_| "it has no JSON form")
}

/// The value that bytes inside of a seal stand for.
pub(crate) fn read_inside(bytes: &[u8]) -> Result<Value, String> {
    // What the parser says may quote what it read.
    let inside: InsideV1 = serde_json::from_slice(bytes).map_err(|_| "what is sealed is no value".to_owned())?;
    Beside { types: inside.types, sensitive: inside.sensitive }.restore(inside.value.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(stretching: Option<Stretching>) -> Sealing {
        Sealing::By(SealedBy { key: KeyId::parse("0123456789abcdef").unwrap(), stretching })
    }

    #[test]
    fn what_is_said_of_sealing_comes_back() {
        let stretching = Stretching::stored(&"0a".repeat(16), 600_000).unwrap();
        let stretched = "{\"key\":\"0123456789abcdef\",\"salt\":\"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\",\"rounds\":600000}";
        let cases = [(Sealing::None, "\"none\""), (by(None), "{\"key\":\"0123456789abcdef\"}"), (by(Some(stretching)), stretched)];
        for (sealing, text) in cases {
            assert_eq!(serde_json::to_string(&sealing).unwrap(), text);
            assert_eq!(serde_json::from_str::<Sealing>(text).unwrap(), sealing);
        }
    }

    #[test]
    fn what_was_edited_wrongly_is_refused() {
        for (text, error) in [
            ("\"some\"", "invalid value: string \"some\", expected `none` or an object with a `key`"),
            ("1", "invalid type: integer `1`, expected `none` or an object with a `key`"),
            ("{}", "missing field `key`"),
            ("{\"key\":\"01\"}", "16 hexadecimal digits in lower case are expected"),
            ("{\"key\":\"0123456789abcdef\",\"salt\":\"00\"}", "`salt` and `rounds` stand together"),
            ("{\"key\":\"0123456789abcdef\",\"salt\":\"00\",\"rounds\":1}", "what is stored of how to derive the key is damaged"),
            ("{\"key\":\"0123456789abcdef\",\"lock\":1}", "unknown field `lock`, expected one of `key`, `salt`, `rounds`"),
        ] {
            let found = serde_json::from_str::<Sealing>(text).unwrap_err().to_string();
            assert!(found.starts_with(error), "{found}");
        }
    }

    #[test]
    fn the_key_of_a_state_is_told_from_a_sealed_one() {
        let sealed = crate::sealing::SealingKey::from_bytes(&[1; 32]).unwrap().seal(b"x", b"").unwrap();
        for key in [StoredKey::Plain(vec![]), StoredKey::Plain(vec![0, 255]), StoredKey::Sealed(sealed)] {
            let text = serde_json::to_string(&key).unwrap();
            assert!(serde_json::from_str::<StoredKey>(&text).unwrap() == key, "{text}");
        }
        assert!(serde_json::from_str::<StoredKey>("\"sealed:v1:00\"").is_err());
    }

    #[test]
    fn what_is_inside_of_a_seal_is_quoted_in_no_error() {
        for bytes in [&b"hunter2"[..], b"{\"hunter2\":1}", b"{\"value\":hunter2}", b"{\"value\":1,\"types\":{\"hunter2\":1}}", b"\xff"] {
            assert_eq!(read_inside(bytes), Err("what is sealed is no value".to_owned()));
        }
    }
}
