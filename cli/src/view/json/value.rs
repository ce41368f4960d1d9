//! Values as JSON without anything secret or unknown in them, and where such parts were.

use engine::value::{Data, Marks, Value};
use review::notation::step;
use serde_json::{Map, Value as Json};

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
        let mut masked = Self::default();
        masked.json = masked.mask("", value);
        masked
    }

    fn mask(&mut self, path: &str, value: &Value) -> Json {
        if value.marks() != Marks::NONE {
            self.sensitive.push(path.to_owned());
            return Json::Null;
        }
        match value.data() {
            Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => {
                self.unknown.push(path.to_owned());
                Json::Null
            }
            Data::Sequence(sequence) => {
                let items = sequence.items().iter().enumerate();
                Json::Array(items.map(|(at, item)| self.mask(&format!("{path}[{at}]"), item)).collect())
            }
            Data::Mapping(mapping) => {
                let entries = mapping.entries().iter();
                let masked = entries.map(|entry| (entry.key.to_string(), self.mask(&step(path, &entry.key), &entry.value)));
                Json::Object(masked.collect::<Map<_, _>>())
            }
            Data::Instance(instance) | Data::Reference(instance) => Json::String(instance.address.to_string()),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => value.to_json().unwrap_or(Json::Null),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::json;

    #[test]
    fn secrets_and_unknowns_are_null_and_their_places_are_told() {
        let inner = Value::tuple(vec![Value::number(1), Value::unknown(Type::Number)]);
        let value = Value::object([("key", Value::string("s3cret").sensitive()), ("a/b", inner), ("c", Value::bool(true))]);
        let masked = Masked::of(&value);
        assert_eq!(masked.json, json!({ "key": null, "a/b": [1, null], "c": true }));
        assert_eq!(masked.sensitive, ["key"]);
        assert_eq!(masked.unknown, ["[\"a/b\"][1]"]);
    }
}
