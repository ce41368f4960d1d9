//! Values as JSON without anything secret or unknown in them, and where such parts were.

use engine::value::{Data, Marks, Value};
use review::notation::step;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

/// A value with its secret and unknown parts replaced by null.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Masked {
    /// What may be shown.
    pub json: Json,
    /// Paths of what is sensitive or ephemeral.
    pub sensitive: Vec<String>,
    /// Paths of what is known after apply.
    pub unknown: Vec<String>,
}

impl Masked {
    /// The value as far as it may be shown.
    pub fn of(value: &Value) -> Self {
        let Hidden { sensitive, unknown } = Hidden::of(value);
        Self { json: json!(Shown(value)), sensitive, unknown }
    }
}

/// Whether and why null stands for a part of a value.
enum Veil {
    /// It is sensitive or ephemeral.
    Marked,
    /// It is known after apply.
    Unknown,
    /// It is shown.
    None,
}

fn veil(value: &Value) -> Veil {
    if value.marks() != Marks::NONE {
        return Veil::Marked;
    }
    match value.data() {
        Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => Veil::Unknown,
        _ => Veil::None,
    }
}

/// What may be shown of a value, written as it is read.
pub(super) struct Shown<'a>(pub(super) &'a Value);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value) = self;
        let (Veil::None, data) = (veil(value), value.data()) else { return serializer.serialize_unit() };
        match data {
            Data::Sequence(sequence) => {
                let mut items = serializer.serialize_seq(Some(sequence.items().len()))?;
                sequence.items().iter().try_for_each(|item| items.serialize_element(&Self(item)))?;
                items.end()
            }
            Data::Mapping(mapping) => {
                let mut entries = serializer.serialize_map(Some(mapping.entries().len()))?;
                mapping.entries().iter().try_for_each(|entry| entries.serialize_entry(&*entry.key, &Self(&entry.value)))?;
                entries.end()
            }
            Data::Instance(instance) | Data::Reference(instance) => serializer.collect_str(&instance.address),
            Data::String(text) => serializer.serialize_str(text),
            _ => value.to_json().unwrap_or(Json::Null).serialize(serializer),
        }
    }
}

/// Where something of a value is not shown.
#[derive(Default)]
pub(super) struct Hidden {
    /// Paths of what is sensitive or ephemeral.
    pub(super) sensitive: Vec<String>,
    /// Paths of what is known after apply.
    pub(super) unknown: Vec<String>,
}

impl Hidden {
    pub(super) fn of(value: &Value) -> Self {
        let mut hidden = Self::default();
        hidden.look("", value);
        hidden
    }

    fn look(&mut self, path: &str, value: &Value) {
        match veil(value) {
            Veil::Marked => self.sensitive.push(path.to_owned()),
            Veil::Unknown => self.unknown.push(path.to_owned()),
            // Most values hide nothing, and no path is made for them.
            Veil::None if value.is_known() && !value.is_hidden() => {}
            Veil::None => match value.data() {
                Data::Sequence(sequence) => {
                    sequence.items().iter().enumerate().for_each(|(at, item)| self.look(&format!("{path}[{at}]"), item));
                }
                Data::Mapping(mapping) => mapping.entries().iter().for_each(|entry| self.look(&step(path, &entry.key), &entry.value)),
                _ => {}
            },
        }
    }
}
