//! Addresses as they stand in plans: as text, and where the text would not be read again, as those of data sources within checks, their
//! name apart.

use engine::address::{Address, AddressParts};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// An address.
#[derive(Clone)]
pub(super) struct Named(pub(super) Address);

/// What stands for a name that stands apart.
const APART: &str = "_";

fn with_name(address: &Address, name: &str) -> Address {
    AddressParts { name: name.into(), ..AddressParts::clone(address) }.into()
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.name.contains('.') {
            return serializer.collect_str(&self.0);
        }
        let mut parts = serializer.serialize_tuple(2)?;
        parts.serialize_element(&with_name(&self.0, APART).to_string())?;
        parts.serialize_element(&*self.0.name)?;
        parts.end()
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading).map(Self)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Address;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Address, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Address, A::Error> {
        let (Some(text), Some(name)) = (parts.next_element::<String>()?, parts.next_element::<String>()?) else {
            return Err(de::Error::custom("an address and a name are expected"));
        };
        let address: Address = text.parse().map_err(de::Error::custom)?;
        Ok(with_name(&address, &name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::longest_address;

    #[test]
    fn every_address_comes_back() {
        for address in [longest_address(), with_name(&longest_address(), "gate.d"), Address::managed("a", "b")] {
            let text = serde_json::to_string(&Named(address.clone())).unwrap();
            assert_eq!(serde_json::from_str::<Named>(&text).unwrap().0, address, "{text}");
        }
        for text in ["\"a\"", "[\"a.b\"]", "[\"a\",\"b\"]", "1"] {
            assert!(serde_json::from_str::<Named>(text).is_err(), "{text}");
        }
    }
}
