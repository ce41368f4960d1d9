//! Functions of maps and objects: each value keeps its state, origin and mark, each key its origin.

use super::argument::{Fault, Work, shown};
use super::result::{list, map, object};
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::instance::as_object;
use crate::eval::strict::{Open, first};
use crate::eval::words;
use crate::value::{Data, Entry, MappingKind, Marks, Origin, SequenceKind, Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

const MAP: Parameter = Parameter::new("map", Takes::Mapping);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "keys",
        group: Group::Collections,
        parameters: &[MAP],
        gives: Gives::Any,
        doc: "The keys in order: a list of strings, or of an object a tuple.",
        example: Example { call: "keys({ b = 1, a = 2 })", result: r#"["a", "b"]"# },
        body: Body::Parts(|work| Ok(keys(work))),
    },
    Function {
        name: "lookup",
        group: Group::Collections,
        parameters: &[MAP, Parameter::new("key", Takes::Text), Parameter::optional("default", Takes::Anything)],
        gives: Gives::Any,
        doc: "The value under the key, or the default if there is none. Without a default the key must be there.",
        example: Example { call: r#"lookup({ a = 1 }, "b", 5)"#, result: "5" },
        body: Body::Parts(lookup),
    },
    Function {
        name: "merge",
        group: Group::Collections,
        parameters: &[Parameter::repeated("maps", Takes::Anything)],
        gives: Gives::Any,
        doc: "All the entries of the maps and objects; of those under one key the last. Nulls are passed over.",
        example: Example { call: "merge({ a = 1 }, { a = 2, b = 3 })", result: "{ a = 2, b = 3 }" },
        body: Body::Parts(merge),
    },
    Function {
        name: "transpose",
        group: Group::Collections,
        parameters: &[Parameter::new("map", Takes::Value)],
        gives: Gives::Map,
        doc: "Of a map of lists of strings the map from each such string to the keys under which it stands.",
        example: Example {
            call: r#"transpose({ a = ["1", "2"], b = ["2"] })"#,
            result: r#"tomap({ "1" = tolist(["a"]), "2" = tolist(["a", "b"]) })"#,
        },
        body: Body::Parts(transpose),
    },
    Function {
        name: "values",
        group: Group::Collections,
        parameters: &[MAP],
        gives: Gives::Any,
        doc: "The values in the order of their keys: a list, or of an object a tuple.",
        example: Example { call: r#"values({ b = 1, a = "x" })"#, result: r#"["x", 1]"# },
        body: Body::Parts(|work| Ok(values(work))),
    },
    Function {
        name: "zipmap",
        group: Group::Collections,
        parameters: &[Parameter::new("keys", Takes::Texts), Parameter::new("values", Takes::List)],
        gives: Gives::Any,
        doc: "Each key with the value at the same index: a map, or with a tuple of values an object.",
        example: Example { call: r#"zipmap(["a", "b"], [1, 2])"#, result: "{ a = 1, b = 2 }" },
        body: Body::Parts(zip),
    },
];

/// The type of a map's values; nothing for an object.
fn element(value: &Value) -> Option<Type> {
    match value.data() {
        Data::Mapping(mapping) => match mapping.kind() {
            MappingKind::Map(element) => Some(element.clone()),
            MappingKind::Object => None,
        },
        _ => None,
    }
}

fn keys(work: &mut Work<'_>) -> Value {
    let keys = work.entries(0).into_iter().map(|entry| Value::string(entry.key).with_origin(entry.key_origin)).collect();
    let made = if element(&work.values[0]).is_some() { list(Type::String, keys) } else { Value::tuple(keys) };
    made.marked(work.marks())
}

fn values(work: &mut Work<'_>) -> Value {
    let values = work.entries(0).into_iter().map(|entry| entry.value).collect();
    let made = match element(&work.values[0]) {
        Some(element) => list(element, values),
        None => Value::tuple(values),
    };
    made.marked(work.marks())
}

fn lookup(work: &mut Work<'_>) -> Result<Value, Fault> {
    let key: Arc<str> = work.given().text(1).into();
    let marks = Marks::of(&work.values[..2]);
    let found = work.entries(0).into_iter().find(|entry| entry.key == key).map(|entry| entry.value);
    let value = match (found, work.values.get(2).cloned()) {
        (Some(value), _) => value,
        (None, Some(default)) => match element(&work.values[0]) {
            Some(element) => {
                let origin = work.values[0].origin();
                let default = work.convert(2, default, &element)?;
                work.with_source(default, origin)
            }
            None => default,
        },
        (None, None) => {
            let detail = format!("must be a key that is there unless a default is given, found {}", shown(&work.values[1]));
            return Err(Fault::at(1, detail));
        }
    };
    Ok(value.marked(marks))
}

fn merge(work: &mut Work<'_>) -> Result<Value, Fault> {
    let mut open = None;
    for (at, (value, span)) in work.arguments.iter().enumerate() {
        let value = as_object(value, *span, work.arena);
        open = first(open, Open::of(&value));
        if !matches!(value.data(), Data::Mapping(_) | Data::Null) && Open::of(&value).is_none() {
            return Err(Fault::at(at, format!("must be a map or object, found {}", words(&value))));
        }
        work.values[at] = value;
    }
    if let Some(open) = open {
        return Ok(work.later(open, Type::Any));
    }
    let types: Vec<_> = work.values.iter().filter(|value| !value.is_null()).map(element).collect();
    let mut entries = Vec::new();
    for at in 0..work.values.len() {
        entries.extend(work.entries(at));
    }
    let made = match types.split_first() {
        Some((Some(first), rest)) if rest.iter().all(|other| other.as_ref() == Some(first)) => map(first.clone(), entries),
        _ => object(entries),
    };
    Ok(made.marked(work.marks()))
}

fn transpose(work: &mut Work<'_>) -> Result<Value, Fault> {
    if work.values[0].is_null() {
        return Err(Fault::at(0, "is null here"));
    }
    let marks = work.values[0].marks_within();
    let converted = work.convert(0, work.values[0].clone(), &Type::map(Type::list(Type::String)))?;
    work.values[0] = converted;
    let mut turned: BTreeMap<Arc<str>, (Origin, Vec<Value>)> = BTreeMap::new();
    for entry in work.entries(0) {
        let (key, within) = (Value::string(entry.key).with_origin(entry.key_origin), entry.value.origin());
        for item in entry.value.items() {
            let Data::String(text) = item.data() else { return Err(Fault::at(0, "holds a list with null in it")) };
            let origin = work.arena.origins.join(&[item.origin(), within]);
            let slot = turned.entry(text.clone()).or_default();
            slot.0 = work.arena.origins.join(&[slot.0, origin]);
            slot.1.push(key.clone());
        }
    }
    let entries = turned.into_iter().map(|(key, (key_origin, keys))| Entry { key, key_origin, value: list(Type::String, keys) });
    Ok(map(Type::list(Type::String), entries.collect()).marked(marks))
}

fn zip(work: &mut Work<'_>) -> Result<Value, Fault> {
    let (keys, values) = (work.items(0), work.items(1));
    if keys.len() != values.len() {
        return Err(Fault::call(format!("needs one key for each value, found {} and {}", keys.len(), values.len())));
    }
    let marks = work.marks() | Marks::within(&keys);
    let mut entries = Vec::with_capacity(keys.len());
    for (index, (key, value)) in keys.into_iter().zip(values).enumerate() {
        let Data::String(text) = key.data() else { return Err(Fault::at(0, format!("holds null at index {index}"))) };
        entries.push(Entry { key: text.clone(), key_origin: key.origin(), value });
    }
    let made = match work.values[1].data() {
        Data::Sequence(sequence) => match sequence.kind() {
            SequenceKind::List(element) => map(element.clone(), entries),
            SequenceKind::Tuple | SequenceKind::Set(_) => object(entries),
        },
        _ => object(entries),
    };
    Ok(made.marked(marks))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn maps_and_objects_are_read_and_made_as_in_terraform() {
        check(&[
            ("keys(tomap({ b = 1 }))", r#"list["b"]"#),
            ("keys({})", "[]"),
            ("keys([1])", "unsuitable argument: the `map` of `keys` must be a map or object, found a tuple"),
            ("keys(null)", "unsuitable argument: the `map` of `keys` is null here"),
            ("values(tomap({ b = 1 }))", "list[1]"),
            ("values({})", "[]"),
            ("values([])", "unsuitable argument: the `map` of `values` must be a map or object, found a tuple"),
            (r#"lookup({ a = 1 }, "a", 5)"#, "1"),
            (r#"lookup({ a = null }, "a", 1)"#, "null"),
            (r#"lookup({ a = "x" }, "b", 1)"#, "1"),
            (r#"lookup(tomap({ a = 1 }), "b", "5")"#, "5"),
            (
                r#"lookup(tomap({ a = 1 }), "b", "x")"#,
                "unsuitable argument: the `default` of `lookup` does not fit: a number is required, found the string `x`",
            ),
            (
                r#"lookup({ a = 1 }, "b")"#,
                "unsuitable argument: the `key` of `lookup` must be a key that is there unless a default is given, found `b`",
            ),
            ("lookup({ a = 1 }, null, 3)", "unsuitable argument: the `key` of `lookup` is null here"),
            (r#"lookup([1], "a", 2)"#, "unsuitable argument: the `map` of `lookup` must be a map or object, found a tuple"),
            ("merge()", "{}"),
            ("merge(null)", "{}"),
            ("merge({ a = 1 }, null)", "{a=1}"),
            ("merge(tomap({ a = 1 }), tomap({ b = 3 }))", "map{a=1, b=3}"),
            (r#"merge(tomap({ a = 1 }), tomap({ b = "x" }))"#, r#"{a=1, b="x"}"#),
            ("merge({ a = { b = 1 } }, { a = { c = 2 } })", "{a={c=2}}"),
            ("merge({}, [1])", "unsuitable argument: the `maps` of `merge`, argument 2, must be a map or object, found a tuple"),
            ("transpose({})", "map{}"),
            ("transpose({ a = [1], b = toset([1]) })", r#"map{1=list["a", "b"]}"#),
            (
                r#"transpose({ a = "x" })"#,
                "unsuitable argument: the `map` of `transpose` does not fit: at `.a`: a list(string) is required, found a string",
            ),
            (r#"transpose({ a = ["x", null] })"#, "unsuitable argument: the `map` of `transpose` holds a list with null in it"),
            (r#"zipmap(["a", "b"], tolist([1, 2]))"#, "map{a=1, b=2}"),
            (r#"zipmap(["a", "a"], [1, 2])"#, "{a=2}"),
            (r#"zipmap([1], ["x"])"#, r#"{1="x"}"#),
            (r#"zipmap(["a"], [1, 2])"#, "unsuitable arguments: `zipmap` needs one key for each value, found 1 and 2"),
            (r#"zipmap([null], ["x"])"#, "unsuitable argument: the `keys` of `zipmap` holds null at index 0"),
            (
                r#"zipmap(["a"], toset(["x"]))"#,
                "unsuitable argument: the `values` of `zipmap` must be a list or tuple, found a set(string)",
            ),
        ]);
    }

    #[test]
    fn values_keep_their_state_mark_and_origin() {
        check_states(&[
            ("merge({ a = var.unknown }, { b = var.a })", "{a=?string, b=\"a\"}", "a u"),
            ("merge({ a = var.unknown }, { b = var.a }).b", "\"a\"", "a"),
            ("merge({ a = var.unknown }, { a = var.a })", "{a=\"a\"}", "a"),
            ("merge({ a = var.a }, var.map)", "?any", "a m"),
            ("merge({ a = var.a }, var.map, var.pending)", "…any", "a m p"),
            ("merge({ a = var.secret }, { b = 2 }).b", "2", ""),
            ("merge(sensitive({ a = 1 }), { b = 2 })", "*{a=*1, b=2}", ""),
            ("values({ x = var.unknown, y = var.a })[1]", "\"a\"", "a"),
            ("values(var.map)", "?any", "m"),
            ("keys({ x = var.unknown, y = var.secret })", "[\"x\", \"y\"]", ""),
            ("keys({ (var.a) = var.unknown })", "[\"a\"]", "a"),
            ("lookup({ x = var.unknown, y = var.a }, \"y\", 1)", "\"a\"", "a"),
            ("lookup({ x = var.unknown, y = var.a }, \"z\", var.b)", "\"b\"", "b"),
            ("lookup({ x = var.unknown, y = var.a }, var.unknown, var.b)", "?any", "a b u"),
            ("lookup({ a = var.b }, var.a, 1)", "\"b\"", "b"),
            ("zipmap([var.a, var.b], [var.unknown, 1])", "{a=?string, b=1}", "a b u"),
            ("zipmap([var.a, var.b], [var.unknown, 1]).b", "1", ""),
            ("zipmap([var.a, var.unknown], [1, 2])", "?any", "a u"),
            ("zipmap([var.secret], [1])", "*{s=1}", "s"),
            ("transpose({ x = [var.a], y = [var.b] }).a", "list[\"x\"]", ""),
            ("transpose({ x = [var.a, var.unknown] })", "?map(any)", "a u"),
        ]);
    }
}
