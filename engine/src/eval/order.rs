//! Which values are the same, and the order that sets keep their elements in.

use super::strict::{Open, first};
use crate::value::{Data, Mapping, MappingKind, Marks, Origin, Origins, Sequence, SequenceKind, Type, Value};
use std::cmp::Ordering;
use std::sync::Arc;

/// Whether two values are equal as `==` means it: deep, a tuple is no list, an object no map, and nothing is converted. Instances and
/// references are equal when they lead to the same resource. A difference that is certain makes them different whatever is open
/// elsewhere; else the first open state is the answer.
pub(crate) fn same(one: &Value, other: &Value) -> Result<bool, Open> {
    if let Some(open) = first(Open::of(one), Open::of(other)) {
        return Err(open);
    }
    match (one.data(), other.data()) {
        (Data::Instance(a) | Data::Reference(a), Data::Instance(b) | Data::Reference(b)) => Ok(a.address == b.address),
        (Data::Instance(instance), Data::Mapping(_)) => same(&instance.attributes, other),
        (Data::Mapping(_), Data::Instance(instance)) => same(one, &instance.attributes),
        (Data::Sequence(a), Data::Sequence(b)) => same_sequences(a, b),
        (Data::Mapping(a), Data::Mapping(b)) => same_mappings(a, b),
        (Data::Null, Data::Null) => Ok(true),
        (Data::Bool(a), Data::Bool(b)) => Ok(a == b),
        (Data::Number(a), Data::Number(b)) => Ok(a == b),
        (Data::String(a), Data::String(b)) => Ok(a == b),
        _ => Ok(false),
    }
}

fn same_sequences(one: &Sequence, other: &Sequence) -> Result<bool, Open> {
    let alike = match (one.kind(), other.kind()) {
        (SequenceKind::Set(_), SequenceKind::Set(_)) => {
            // An unknown element of a set may turn out to equal another one, so neither place nor number says anything yet.
            if let Some(open) = super::strict::strict(one.items().iter().chain(other.items())) {
                return Err(open);
            }
            true
        }
        (SequenceKind::Tuple, SequenceKind::Tuple) | (SequenceKind::List(_), SequenceKind::List(_)) => true,
        _ => false,
    };
    if !alike || one.items().len() != other.items().len() {
        return Ok(false);
    }
    all_same(one.items().iter().zip(other.items()))
}

fn same_mappings(one: &Mapping, other: &Mapping) -> Result<bool, Open> {
    let alike = matches!(one.kind(), MappingKind::Object) == matches!(other.kind(), MappingKind::Object);
    let (one, other) = (one.entries(), other.entries());
    if !alike || one.len() != other.len() || one.iter().zip(other).any(|(a, b)| a.key != b.key) {
        return Ok(false);
    }
    all_same(one.iter().zip(other).map(|(a, b)| (&a.value, &b.value)))
}

fn all_same<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Result<bool, Open> {
    let mut open = None;
    for (one, other) in pairs {
        match same(one, other) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(found) => open = first(open, Some(found)),
        }
    }
    open.map_or(Ok(true), Err)
}

/// The order of a set's elements: false before true, numbers by size, text by bytes, collections element by element. Nulls
/// come after all others, and what is not known last.
pub(crate) fn set_order(one: &Value, other: &Value) -> Ordering {
    match (one.data(), other.data()) {
        (Data::Bool(a), Data::Bool(b)) => a.cmp(b),
        (Data::Number(a), Data::Number(b)) => a.cmp(b),
        (Data::String(a), Data::String(b)) => a.cmp(b),
        (Data::Sequence(a), Data::Sequence(b)) => by_parts(a.items().iter(), b.items().iter(), |a, b| set_order(a, b)),
        (Data::Mapping(a), Data::Mapping(b)) => {
            by_parts(a.entries().iter(), b.entries().iter(), |a, b| a.key.cmp(&b.key).then_with(|| set_order(&a.value, &b.value)))
        }
        (Data::Instance(a) | Data::Reference(a), Data::Instance(b) | Data::Reference(b)) => a.address.cmp(&b.address),
        _ => rank(one).cmp(&rank(other)),
    }
}

fn by_parts<T>(one: impl Iterator<Item = T>, other: impl Iterator<Item = T>, order: impl Fn(&T, &T) -> Ordering) -> Ordering {
    let (one, other): (Vec<T>, Vec<T>) = (one.collect(), other.collect());
    let parts = one.iter().zip(&other).map(|(a, b)| order(a, b));
    parts.fold(Ordering::Equal, Ordering::then).then(one.len().cmp(&other.len()))
}

fn rank(value: &Value) -> u8 {
    match value.data() {
        Data::Bool(_) => 1,
        Data::Number(_) => 2,
        Data::String(_) => 3,
        Data::Sequence(_) => 4,
        Data::Mapping(_) => 5,
        Data::Instance(_) | Data::Reference(_) => 6,
        Data::Null => 7,
        Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => 8,
    }
}

/// A set of elements that have the element type already: sorted, each known one once. Of equal elements one is kept, with the origins
/// of all. A set cannot say which of its elements is sensitive, so one sensitive element makes it sensitive as a whole.
pub(crate) fn set_of(element: Type, items: Vec<Value>, origins: &mut Origins) -> Value {
    normalised(element, items, &mut |one, other| origins.join(&[one, other]))
}

/// As [`set_of`], for where origins do not count any more.
pub(super) fn set_without_origins(element: Type, items: Vec<Value>) -> Value {
    normalised(element, items, &mut |one, _| one)
}

fn normalised(element: Type, mut items: Vec<Value>, join: &mut dyn FnMut(Origin, Origin) -> Origin) -> Value {
    let marks = Marks::within(&items);
    items.sort_by(set_order);
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        match kept.last_mut() {
            Some(last) if last.is_known() && item.is_known() && same(last, &item) == Ok(true) => {
                let origin = if last.origin() == item.origin() { last.origin() } else { join(last.origin(), item.origin()) };
                *last = last.clone().with_origin(origin);
            }
            _ => kept.push(item),
        }
    }
    Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::Set(element), kept)))).marked(marks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::value::{Entry, Instance};

    fn list(items: Vec<Value>) -> Value {
        Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::List(Type::Any), items))))
    }

    fn map(key: &str, value: Value) -> Value {
        Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Map(Type::Any), vec![Entry::new(key, value)]))))
    }

    fn set(items: Vec<Value>) -> Value {
        set_without_origins(Type::Any, items)
    }

    fn instance(name: &str, attributes: Value) -> Value {
        Value::new(Data::Instance(Arc::new(Instance { address: Address::managed("k", name), classes: &[], attributes })))
    }

    #[test]
    fn equality_is_deep_and_converts_nothing() {
        let one = || Value::number(1);
        let unknown = || Value::unknown(Type::String);
        let open = Err(Open::Unknown);
        for (a, b, expected) in [
            (one(), one(), Ok(true)),
            (one(), Value::string("1"), Ok(false)),
            (Value::null(), Value::null(), Ok(true)),
            (Value::null(), Value::string(""), Ok(false)),
            (Value::number(rust_decimal::Decimal::new(10, 1)), one(), Ok(true)),
            (Value::tuple(vec![one()]), Value::tuple(vec![one()]), Ok(true)),
            (Value::tuple(vec![one()]), list(vec![one()]), Ok(false)),
            (list(vec![one()]), list(vec![one(), one()]), Ok(false)),
            (set(vec![one(), Value::number(0)]), set(vec![Value::number(0), one(), one()]), Ok(true)),
            (Value::object([("a", one())]), Value::object([("a", one())]), Ok(true)),
            (Value::object([("a", one())]), map("a", one()), Ok(false)),
            (Value::object([("a", one())]), Value::object([("b", one())]), Ok(false)),
            (unknown(), one(), open.clone()),
            (Value::tuple(vec![unknown(), one()]), Value::tuple(vec![one(), one()]), open.clone()),
            (Value::tuple(vec![unknown(), one()]), Value::tuple(vec![one(), Value::number(2)]), Ok(false)),
            (Value::tuple(vec![unknown()]), Value::null(), Ok(false)),
            (set(vec![unknown(), one()]), set(vec![one()]), open.clone()),
            (Value::tuple(vec![unknown(), Value::pending(Type::Any)]), Value::tuple(vec![one(), one()]), Err(Open::Pending)),
            (instance("a", unknown()), instance("a", unknown()), Ok(true)),
            (instance("a", unknown()), instance("b", unknown()), Ok(false)),
            (instance("a", Value::object([("x", one())])), Value::object([("x", one())]), Ok(true)),
            (instance("a", unknown()), Value::null(), Ok(false)),
        ] {
            assert_eq!(same(&a, &b), expected, "{a:?} == {b:?}");
            assert_eq!(same(&b, &a), expected, "{b:?} == {a:?}");
        }
    }

    #[test]
    fn sets_sort_by_size_and_by_bytes_and_hold_each_element_once() {
        let numbers = set([10, 9, 2, 9].map(Value::number).to_vec());
        assert_eq!(numbers.items(), [2, 9, 10].map(Value::number));
        let texts = set(["b", "a", "10", "9", "a"].map(Value::string).to_vec());
        assert_eq!(texts.items(), ["10", "9", "a", "b"].map(Value::string));
        let flags = set([true, false].map(Value::bool).to_vec());
        assert_eq!(flags.items(), [false, true].map(Value::bool));
        let tuples = set([vec![2], vec![1, 5], vec![1]].map(|row| Value::tuple(row.into_iter().map(Value::number).collect())).to_vec());
        assert_eq!(tuples.items()[0].items().len(), 1);
        assert_eq!(tuples.items()[2].items(), [Value::number(2)]);
        let objects = set([2, 1].map(|n| Value::object([("a", Value::number(n))])).to_vec());
        assert_eq!(objects.items()[0].get("a"), Some(&Value::number(1)));
    }

    #[test]
    fn unknown_elements_stay_apart_and_come_last() {
        let made = set(vec![Value::unknown(Type::String), Value::string("a"), Value::unknown(Type::String), Value::string("a")]);
        assert_eq!(made.items().len(), 3);
        assert_eq!(made.items()[0], Value::string("a"));
    }

    #[test]
    fn equal_elements_share_their_origins_and_a_sensitive_one_marks_the_set() {
        let mut origins = Origins::default();
        let [a, b] = ["a", "b"].map(|name| origins.instance(&Address::managed("k", name)));
        let items = vec![Value::string("x").with_origin(a), Value::string("x").with_origin(b).sensitive()];
        let made = set_of(Type::String, items, &mut origins);
        assert_eq!(made.items()[0].origin(), origins.join(&[a, b]));
        assert!(made.is_marked_sensitive());
    }
}
