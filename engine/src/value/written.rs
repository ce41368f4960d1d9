//! Values written out: what outlives the instances that it tells of.

use super::{Data, Entry, Mapping, Sequence, Value};
use std::sync::Arc;

impl Value {
    /// The same value as data alone: an instance as the object of its attributes, a reference as the address that it leads to. What is not
    /// known stays so.
    #[must_use]
    pub fn written_out(&self) -> Self {
        let written = match self.data() {
            Data::Instance(instance) => instance.attributes.written_out(),
            Data::Reference(instance) => Self::string(instance.address.to_string()),
            Data::Sequence(sequence) if self.holds_instance() => {
                let items = sequence.items().iter().map(Self::written_out).collect();
                Self::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items))))
            }
            Data::Mapping(mapping) if self.holds_instance() => {
                let entries = mapping.entries().iter().map(|entry| Entry { value: entry.value.written_out(), ..entry.clone() });
                Self::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
            }
            _ => return self.clone(),
        };
        written.marked(self.marks()).with_origin(self.origin())
    }

    fn holds_instance(&self) -> bool {
        matches!(self.data(), Data::Instance(_) | Data::Reference(_)) || self.parts().any(Self::holds_instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::value::{Instance, Type};

    #[test]
    fn instances_become_objects_and_references_addresses() {
        let instance = |name: &str, attributes| Arc::new(Instance { address: Address::managed("k", name), classes: &[], attributes });
        let reference = Value::new(Data::Reference(instance("c", Value::object([("uid", Value::string("u"))]))));
        let attributes = [("cluster", reference), ("key", Value::string("s").sensitive()), ("uid", Value::unknown(Type::String))];
        let whole = Value::new(Data::Instance(instance("a", Value::object(attributes))));
        let plain = Value::object([
            ("cluster", Value::string("k.c")),
            ("key", Value::string("s").sensitive()),
            ("uid", Value::unknown(Type::String)),
        ]);
        let rows = [
            (Value::number(1), Value::number(1)),
            (whole.clone(), plain.clone()),
            (whole.clone().sensitive(), plain.clone().sensitive()),
            (Value::tuple(vec![whole.clone(), Value::null()]), Value::tuple(vec![plain.clone(), Value::null()])),
            (Value::object([("a", whole)]), Value::object([("a", plain)])),
        ];
        for (value, expected) in rows {
            let written = value.written_out();
            assert_eq!(written, expected);
            assert_eq!(written.holds_sensitive(), value.holds_sensitive());
        }
    }
}
