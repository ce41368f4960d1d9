//! Values as JSON and back: what state files, providers and `jsonencode` share.

use super::{Data, Value, parse_number};
use crate::value::number::Number;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Number as JsonNumber, Value as Json};
use std::fmt;

/// Why a value has no JSON form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotJson {
    /// Something in it is pending, unknown or blocked.
    NotKnown,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is not wholly known")
    }
}

impl std::error::Error for NotJson {}

impl Value {
    /// The JSON form of a known value. References become their address; marks and types are lost; numbers that JSON's readers would
    /// round (more than 64 bits, more digits than a double holds) become strings.
    pub fn to_json(&self) -> Result<Json, NotJson> {
        Ok(match self.data() {
            Data::Null => Json::Null,
            Data::Bool(value) => Json::Bool(*value),
            Data::Number(number) => json_number(*number),
            Data::String(text) => Json::String(text.to_string()),
            Data::Sequence(sequence) => Json::Array(sequence.items().iter().map(Self::to_json).collect::<Result<_, _>>()?),
            Data::Mapping(mapping) => {
                let entries = mapping.entries().iter().map(|entry| Ok((entry.key.to_string(), entry.value.to_json()?)));
                Json::Object(entries.collect::<Result<Map<_, _>, NotJson>>()?)
            }
            Data::Instance(instance) => instance.attributes.to_json()?,
            Data::Reference(instance) => Json::String(instance.address.to_string()),
            Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => return Err(NotJson::NotKnown),
        })
    }

    /// The value that JSON writes: arrays become tuples, objects objects.
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::null(),
            Json::Bool(value) => Self::bool(*value),
            Json::Number(number) => parse_number(&number.to_string()).map_or_else(|_| Self::string(number.to_string()), Self::number),
            Json::String(text) => Self::string(text.as_str()),
            Json::Array(items) => Self::tuple(items.iter().map(Self::from_json).collect()),
            Json::Object(entries) => Self::object(entries.iter().map(|(key, value)| (key.as_str(), Self::from_json(value)))),
        }
    }
}

/// A JSON number if every reader gets the same number back from it, else its text.
fn json_number(number: Number) -> Json {
    if number.is_integer() {
        if let Some(integer) = number.to_i64() {
            return Json::Number(integer.into());
        }
        if let Some(integer) = number.to_u64() {
            return Json::Number(integer.into());
        }
    } else if let Some(json) = number.to_f64().and_then(JsonNumber::from_f64)
        && parse_number(&json.to_string()) == Ok(number.normalize())
    {
        return Json::Number(json);
    }
    Json::String(number.normalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Type;

    #[test]
    fn known_values_survive_json() {
        let value =
            Value::object([("a", Value::tuple(vec![Value::number(1), Value::null(), Value::bool(true)])), ("b", Value::string("text"))]);
        assert_eq!(value.to_json().map(|json| Value::from_json(&json)), Ok(value));
        assert_eq!(Value::unknown(Type::String).to_json(), Err(NotJson::NotKnown));
    }

    #[test]
    fn a_number_is_a_json_number_only_if_nothing_is_lost() {
        for (text, json) in
            [("0.1", "0.1"), ("18446744073709551615", "18446744073709551615"), ("18446744073709551616", "\"18446744073709551616\"")]
        {
            let number = parse_number(text).map(json_number).map(|json| json.to_string());
            assert_eq!(number, Ok(json.to_owned()));
        }
    }
}
