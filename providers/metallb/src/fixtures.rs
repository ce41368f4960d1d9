//! Arguments that tests are made of.

use engine::address::Address;
use engine::value::{Class, Value};

/// A reference to an instance with these attributes.
pub(crate) fn reference(class: &'static [Class], name: &str, attributes: Value) -> Value {
    Value::reference(Address::managed(&format!("k_{}", class.first().unwrap_or(&"any")), name), class, attributes)
}

/// A cluster of this name.
pub(crate) fn cluster(name: &str) -> Value {
    reference(&["cluster"], name, Value::object([("server", Value::string(format!("https://{name}.example:6443")))]))
}
