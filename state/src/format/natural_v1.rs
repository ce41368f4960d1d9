//! Values in their JSON form, and no more of them than JSON shows.

use engine::value::{Data, Number, Value, parse_number};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A value in its JSON form. What it reads has no types and no marks yet: see [`Beside::restore`](super::value_v1::Beside::restore).
pub(crate) struct Natural(pub(crate) Value);

/// Whether every reader of JSON gets this very number back, this crate's among them.
pub(super) fn is_natural(number: Number) -> bool {
    if number.is_integer() {
        return i64::try_from(number).is_ok() || u64::try_from(number).is_ok();
    }
    let text = as_fraction(number).map(|fraction| fraction.to_string());
    text.is_some_and(|text| serde_json::from_str(&text).is_ok_and(|Natural(back)| back.as_number() == Some(number)))
}

fn as_fraction(number: Number) -> Option<serde_json::Number> {
    serde_json::Number::from_f64(f64::try_from(number).ok()?)
}

impl Serialize for Natural {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Borrowed(&self.0).serialize(serializer)
    }
}

struct Borrowed<'a>(&'a Value);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.data() {
            Data::Null => serializer.serialize_unit(),
            Data::Bool(value) => serializer.serialize_bool(*value),
            Data::Number(number) => write_number(*number, serializer),
            Data::String(text) => serializer.serialize_str(text),
            Data::Reference(instance) => serializer.collect_str(&instance.address),
            Data::Instance(instance) => Self(&instance.attributes).serialize(serializer),
            Data::Sequence(sequence) => {
                let mut items = serializer.serialize_seq(Some(sequence.items().len()))?;
                for item in sequence.items() {
                    items.serialize_element(&Self(item))?;
                }
                items.end()
            }
            Data::Mapping(mapping) => {
                let mut entries = serializer.serialize_map(Some(mapping.entries().len()))?;
                for entry in mapping.entries() {
                    entries.serialize_entry(&*entry.key, &Self(&entry.value))?;
                }
                entries.end()
            }
            Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => Err(serde::ser::Error::custom("a value is not known")),
        }
    }
}

fn write_number<S: Serializer>(number: Number, serializer: S) -> Result<S::Ok, S::Error> {
    if number.is_integer() {
        if let Ok(integer) = i64::try_from(number) {
            return serializer.serialize_i64(integer);
        }
        if let Ok(integer) = u64::try_from(number) {
            return serializer.serialize_u64(integer);
        }
    } else if is_natural(number)
        && let Some(fraction) = as_fraction(number)
    {
        return fraction.serialize(serializer);
    }
    serializer.collect_str(&number.normalize())
}

impl<'de> Deserialize<'de> for Natural {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading).map(Self)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::null())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::number(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::number(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(value).and_then(|number| parse_number(&number.to_string()).ok());
        number.map(Value::number).ok_or_else(|| E::custom("the number has more digits, or is larger, than can be kept"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Natural(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::tuple(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some((key, Natural(value))) = entries.next_entry::<String, Natural>()? {
            all.push((key, value));
        }
        Ok(Value::object(all))
    }
}
