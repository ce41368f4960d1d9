//! Resource instances as values, and how the language sees them.

use super::Arena;
use super::strict::{Open, from_also, literal, opened};
use crate::address::Address;
use crate::config::{Expr, Node};
use crate::source::{FileId, Span};
use crate::value::{Class, Data, Entry, Flags, Instance, Made, Mapping, Origin, Sequence, SequenceKind, Thunk, Value};
use std::sync::Arc;

/// A resource instance as the walk hands it to expressions: its origin is its own address. An unknown within its attributes that nobody
/// computes otherwise is computed by looking at that attribute once the instance is there; see `looked_at`.
pub fn instance(address: &Address, classes: &'static [Class], attributes: Value, arena: &mut Arena) -> Value {
    let origin = arena.origins.instance(address);
    Value::new(Data::Instance(Arc::new(Instance { address: address.clone(), classes, attributes }))).with_origin(origin)
}

/// What was found by looking at an attribute of an instance.
#[derive(Debug)]
pub(super) enum Looked {
    /// Nothing known: its computation.
    Unknown(Thunk),
    /// Something with unknown parts: as it stands in the instance, and with their computations.
    Within(Box<(Value, Value)>),
}

/// What was taken from an attribute of an instance, with every unknown in it that nobody computes computed by looking there. Computations
/// are made when somebody looks, and once however many do.
pub(super) fn looked_at(base: &Value, name: &Arc<str>, value: Value, arena: &mut Arena) -> Value {
    let Some(instance) = base.instance().filter(|_| has_loose(&value)) else { return value };
    let at = match arena.origins.made(base.origin()) {
        Made::Instance(address) if *address == instance.address => base.origin(),
        _ => arena.origins.instance(&instance.address),
    };
    let key = (at, name.clone());
    let known = match (arena.looked.get(&key), value.data()) {
        (Some(Looked::Unknown(thunk)), Data::Unknown(ty, _)) => Some(Value::deferred((**ty).clone(), *thunk)),
        (Some(Looked::Within(known)), data) if shares(known.0.data(), data) => Some(known.1.clone()),
        _ => None,
    };
    if let Some(known) = known {
        return known.with_origin(value.origin()).marked(value.marks());
    }
    let nowhere = Span::new(FileId(u32::MAX), 0..0);
    let path = Expr::new(Node::Attribute(Box::new(literal(base.clone().unmarked(), nowhere)), name.clone()), nowhere);
    let made = anchored(value.clone(), &path, arena);
    let looked = match made.data() {
        Data::Unknown(_, thunk) => Looked::Unknown(*thunk),
        _ => Looked::Within(Box::new((value, made.clone().unmarked()))),
    };
    arena.looked.insert(key, looked);
    made
}

/// Whether two collections are one in memory.
fn shares(one: &Data, other: &Data) -> bool {
    match (one, other) {
        (Data::Sequence(one), Data::Sequence(other)) => Arc::ptr_eq(one, other),
        (Data::Mapping(one), Data::Mapping(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

/// The origin of what is reached through an instance: the instance, and whatever the value itself came from.
pub(super) fn instance_origin(value: &Value, instance: &Instance, arena: &mut Arena) -> Origin {
    let own = value.origin();
    if let Made::Instance(address) = arena.origins.made(own)
        && *address == instance.address
    {
        return own;
    }
    let at = arena.origins.instance(&instance.address);
    if own == Origin::NONE { at } else { arena.origins.join(&[own, at]) }
}

/// An instance as a plain object, or as one value that is pending, blocked or unknown as a whole; anything else as it is. Functions
/// that treat their arguments as objects look at them through this.
pub(crate) fn as_object(value: &Value, span: Span, arena: &mut Arena) -> Value {
    let Data::Instance(instance) = value.data() else { return value.clone() };
    let origin = instance_origin(value, instance, arena);
    let marks = value.marks();
    let attributes = from_also(instance.attributes.clone(), origin, arena).marked(marks);
    match Open::of(&attributes) {
        Some(Open::Unknown) => {
            let ty = super::type_of(&attributes);
            opened(Open::Unknown, ty, &[attributes], arena, || literal(value.clone(), span))
        }
        Some(_) => attributes,
        None => all_looked_at(value, attributes, arena),
    }
}

/// The attributes of an instance, each looked at.
pub(super) fn all_looked_at(base: &Value, attributes: Value, arena: &mut Arena) -> Value {
    let Data::Mapping(mapping) = attributes.data() else { return attributes };
    if !has_loose(&attributes) {
        return attributes;
    }
    let entries = mapping.entries().iter().map(|entry| {
        let value = looked_at(base, &entry.key, entry.value.clone(), arena);
        Entry { value, ..entry.clone() }
    });
    let made = Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))));
    made.with_origin(attributes.origin()).marked(attributes.marks())
}

/// The value with every unknown that nobody computes computed by looking at `path` and below.
fn anchored(value: Value, path: &Expr, arena: &mut Arena) -> Value {
    if !has_loose(&value) {
        return value;
    }
    let (origin, marks) = (value.origin(), value.marks());
    let below = |node| Expr::new(node, path.span);
    let made = match value.data() {
        Data::Unknown(ty, _) => Value::deferred((**ty).clone(), arena.thunks.add(path.clone())),
        Data::Sequence(sequence) if matches!(sequence.kind(), SequenceKind::Set(_)) => {
            // An element of a set has no place of its own, so the set is looked at as a whole.
            Value::deferred(super::type_of(&value), arena.thunks.add(path.clone()))
        }
        Data::Sequence(sequence) => {
            let items = sequence.items().iter().enumerate().map(|(at, item)| {
                let at = literal(Value::number(at as u64), path.span);
                anchored(item.clone(), &below(Node::Index(Box::new(path.clone()), Box::new(at))), arena)
            });
            let items = items.collect();
            Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items))))
        }
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().map(|entry| {
                let path = below(Node::Attribute(Box::new(path.clone()), entry.key.clone()));
                Entry { value: anchored(entry.value.clone(), &path, arena), ..entry.clone() }
            });
            let entries = entries.collect();
            Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries))))
        }
        _ => return value,
    };
    made.with_origin(origin).marked(marks)
}

/// Whether an unknown within has no computation. Instances within answer for themselves.
fn has_loose(value: &Value) -> bool {
    match value.data() {
        Data::Unknown(_, thunk) => thunk.0 == Thunk::NONE.0,
        Data::Sequence(_) | Data::Mapping(_) if value.flags().has(Flags::UNKNOWN) => value.parts().any(has_loose),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Type;

    fn attributes() -> Value {
        let status = Value::object([("ip", Value::unknown(Type::String)), ("ready", Value::bool(true))]);
        Value::object([
            ("id", Value::unknown(Type::String)),
            ("list", Value::tuple(vec![Value::number(1), Value::unknown(Type::Number)])),
            ("name", Value::string("x")),
            ("status", status),
        ])
    }

    fn thunk_of(value: &Value, arena: &Arena) -> Node {
        let Data::Unknown(_, thunk) = value.data() else { panic!("{value:?}") };
        arena.thunks.get(*thunk).unwrap().node.clone()
    }

    #[test]
    fn unknowns_within_an_instance_are_computed_by_looking_there() {
        let mut arena = Arena::default();
        let address = Address::managed("k", "x");
        let value = instance(&address, &[], attributes(), &mut arena);
        assert_eq!(arena.origins.instances(value.origin()).into_iter().collect::<Vec<_>>(), [&address]);
        assert!(arena.thunks.is_empty());
        let mut look = |name: &str| {
            let entry = value.entries().iter().find(|entry| *entry.key == *name).unwrap();
            looked_at(&value, &entry.key, entry.value.clone(), &mut arena)
        };
        let [id, status, list, name] = ["id", "status", "list", "name"].map(&mut look);
        assert_eq!(name, Value::string("x"));
        let [again, within] = ["id", "status"].map(look);
        assert_eq!(arena.thunks.len(), 3);
        for (one, other) in [(&id, &again), (status.get("ip").unwrap(), within.get("ip").unwrap())] {
            assert!(matches!((one.data(), other.data()), (Data::Unknown(_, one), Data::Unknown(_, other)) if one.0 == other.0));
        }
        let Node::Attribute(base, name) = thunk_of(&id, &arena) else { panic!() };
        assert_eq!(&*name, "id");
        assert!(matches!(base.node, Node::Literal(literal) if literal.instance().unwrap().address == address));
        let Node::Attribute(base, name) = thunk_of(status.get("ip").unwrap(), &arena) else { panic!() };
        assert_eq!(&*name, "ip");
        assert!(matches!(base.node, Node::Attribute(_, name) if &*name == "status"));
        let Node::Index(_, key) = thunk_of(&list.items()[1], &arena) else { panic!() };
        assert_eq!(key.node, Node::Literal(Value::number(1)));
    }

    #[test]
    fn what_is_looked_at_keeps_its_own_origin_and_mark() {
        let mut arena = Arena::default();
        let base = instance(&Address::managed("k", "x"), &[], attributes(), &mut arena);
        let elsewhere = arena.origins.instance(&Address::managed("k", "y"));
        for name in ["id", "status"] {
            let entry = base.entries().iter().find(|entry| *entry.key == *name).unwrap();
            let marked = looked_at(&base, &entry.key, entry.value.clone().with_origin(elsewhere).sensitive(), &mut arena);
            let plain = looked_at(&base, &entry.key, entry.value.clone(), &mut arena);
            assert_eq!((marked.origin(), marked.is_marked_sensitive()), (elsewhere, true), "{name}");
            assert_eq!((plain.origin(), plain.is_marked_sensitive()), (Origin::NONE, false), "{name}");
        }
    }

    #[test]
    fn an_instance_seen_as_an_object_carries_its_address_as_origin() {
        let mut arena = Arena::default();
        let span = Span::new(FileId(0), 0..1);
        let address = Address::managed("k", "x");
        let plain = Value::new(Data::Instance(Arc::new(Instance { address: address.clone(), classes: &[], attributes: attributes() })));
        let object = as_object(&plain, span, &mut arena);
        assert_eq!(object.origin(), arena.origins.instance(&address));
        assert!(matches!(object.data(), Data::Mapping(_)));
        let whole = instance(&address, &[], Value::unknown(Type::Any), &mut arena);
        let object = as_object(&whole, span, &mut arena);
        assert_eq!(thunk_of(&object, &arena), Node::Literal(whole));
        let pending = instance(&address, &[], Value::pending(Type::Any), &mut arena);
        assert_eq!(as_object(&pending, span, &mut arena).data(), &Data::Pending(Type::Any.into()));
        assert_eq!(as_object(&Value::number(1), span, &mut arena), Value::number(1));
    }
}
