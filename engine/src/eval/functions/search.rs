//! Functions that look through collections and decide.

use super::argument::{Arguments, Fault, Work};
use super::list::of_one_type;
use super::result::list;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::convert::primitive;
use crate::eval::order::same;
use crate::eval::strict::{Open, first, strict};
use crate::eval::unify;
use crate::eval::unify::element_type;
use crate::value::{Data, Marks, SequenceKind, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

const LIST: Parameter = Parameter::new("list", Takes::Elements);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "alltrue",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Sequence)],
        gives: Gives::Bool,
        doc: "Whether all elements are true; null counts as false. An empty list gives true.",
        example: Example { call: r#"alltrue([true, "true"])"#, result: "true" },
        body: Body::Parts(|work| decide(work, false)),
    },
    Function {
        name: "anytrue",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Sequence)],
        gives: Gives::Bool,
        doc: "Whether at least one element is true; null counts as false. An empty list gives false.",
        example: Example { call: "anytrue([false, true])", result: "true" },
        body: Body::Parts(|work| decide(work, true)),
    },
    Function {
        name: "coalesce",
        group: Group::Collections,
        parameters: &[Parameter::new("value", Takes::Anything), Parameter::repeated("more", Takes::Anything)],
        gives: Gives::Any,
        doc: "The first of the values that is neither null nor an empty string, as the one type that all of them convert to.",
        example: Example { call: r#"coalesce(null, "", "b")"#, result: r#""b""# },
        body: Body::Parts(coalesce),
    },
    Function {
        name: "contains",
        group: Group::Collections,
        parameters: &[LIST, Parameter::new("value", Takes::Value)],
        gives: Gives::Bool,
        doc: "Whether an element equals the value.",
        example: Example { call: r#"contains(["a", "b"], "a")"#, result: "true" },
        body: Body::Plain(contains),
    },
    Function {
        name: "index",
        group: Group::Collections,
        parameters: &[LIST, Parameter::new("value", Takes::Value)],
        gives: Gives::Number,
        doc: "The index of the first element that equals the value, which must be among them.",
        example: Example { call: r#"index(["a", "b"], "b")"#, result: "1" },
        body: Body::Plain(index),
    },
    Function {
        name: "length",
        group: Group::Collections,
        parameters: &[Parameter::new("value", Takes::Collection)],
        gives: Gives::Number,
        doc: "How many elements a collection has, or how many characters a string.",
        example: Example { call: r#"length(["a", "b"])"#, result: "2" },
        body: Body::Plain(|given| Ok(length(given))),
    },
    Function {
        name: "matchkeys",
        group: Group::Collections,
        parameters: &[
            Parameter::new("values", Takes::Sequence),
            Parameter::new("keys", Takes::Elements),
            Parameter::new("searched", Takes::Elements),
        ],
        gives: Gives::List,
        doc: "The values for which the key at the same index is among the searched ones.",
        example: Example { call: r#"matchkeys(["i1", "i2", "i3"], ["a", "b", "a"], ["a"])"#, result: r#"tolist(["i1", "i3"])"# },
        body: Body::Parts(match_keys),
    },
];

/// Whether an element is `decisive`. One that is decides whatever is unknown beside it.
fn decide(work: &mut Work<'_>, decisive: bool) -> Result<Value, Fault> {
    let items = work.items(0);
    let mut found = false;
    for item in &items {
        if Open::of(item).is_some() {
            continue;
        }
        let truth = if item.is_null() {
            false
        } else {
            primitive(item, &Type::Bool).map_err(|mismatch| Fault::mismatch(0, &mismatch))?.as_bool() == Some(true)
        };
        found |= truth == decisive;
    }
    match strict(&items) {
        None => {}
        Some(Open::Unknown) if found => {}
        Some(open) => return Ok(work.later(open, Type::Bool)),
    }
    let marks = work.marks() | Marks::within(&items);
    let origin = work.values[0].deep_origin(&mut work.arena.origins);
    Ok(Value::bool(found == decisive).with_origin(origin).marked(marks))
}

fn coalesce(work: &mut Work<'_>) -> Result<Value, Fault> {
    let values = work.values.clone();
    // Null has no type of its own, and what is not known may have any that its type leaves open.
    let typed: Vec<_> = values.iter().filter(|value| !value.is_null()).cloned().collect();
    let settled: Vec<_> = typed.iter().filter(|value| !is_loose(value)).cloned().collect();
    let several = || Fault::call("needs values that one type takes in; these have several");
    let ty = element_type(&settled).ok_or_else(several)?;
    // Whatever a text can be of one type with becomes text; but what is asked for may still turn out to be something else.
    let is_asked = typed.iter().any(|value| is_loose(value) && matches!(value.data(), Data::Pending(_)));
    if settled.len() < typed.len() && (ty != Type::String || is_asked) {
        let open = values.iter().fold(None, |open, value| first(open, Open::of(value)));
        return Ok(work.later(open.unwrap_or(Open::Unknown), Type::Any));
    }
    let mut marks = Marks::NONE;
    for (at, value) in values.into_iter().enumerate() {
        marks |= value.marks();
        if Open::of(&value).is_some() {
            let open = work.values[at..].iter().fold(None, |open, value| first(open, Open::of(value)));
            return Ok(work.later(open.unwrap_or(Open::Unknown), ty));
        }
        if !value.is_null() && value.as_str() != Some("") {
            let value = work.convert(at, value, &ty)?;
            return Ok(value.marked(marks));
        }
    }
    Err(Fault::call("needs a value; all that are given are null or empty strings"))
}

/// Whether the type that a value will have is open. What is blocked will have none.
fn is_loose(value: &Value) -> bool {
    matches!(value.data(), Data::Unknown(ty, _) | Data::Pending(ty) if holds_any(ty))
}

fn holds_any(ty: &Type) -> bool {
    match ty {
        Type::Any => true,
        Type::List(element) | Type::Set(element) | Type::Map(element) => holds_any(element),
        Type::Tuple(elements) => elements.iter().any(holds_any),
        Type::Object(object) => object.fields.values().any(|field| holds_any(&field.ty)),
        _ => false,
    }
}

fn contains(given: Arguments<'_>) -> Result<Value, Fault> {
    let value = given.get(1).cloned().unwrap_or_else(Value::null);
    if value.is_null() {
        return Err(Fault::at(1, "is null here"));
    }
    Ok(Value::bool(given.items(0).iter().any(|item| same(item, &value) == Ok(true))))
}

fn index(given: Arguments<'_>) -> Result<Value, Fault> {
    let (items, value) = (given.items(0), given.get(1).cloned().unwrap_or_else(Value::null));
    if let Some(Data::Sequence(sequence)) = given.get(0).map(Value::data)
        && matches!(sequence.kind(), SequenceKind::Set(_))
    {
        return Err(Fault::at(0, "must be a list or tuple, found a set, whose elements have no indices"));
    }
    match items.iter().position(|item| same(item, &value) == Ok(true)) {
        Some(at) => Ok(Value::number(at as u64)),
        None => Err(Fault::at(1, format!("is not among the {} elements", items.len()))),
    }
}

fn length(given: Arguments<'_>) -> Value {
    let length = match given.get(0).map(Value::data) {
        Some(Data::String(text)) => text.graphemes(true).count(),
        Some(Data::Mapping(mapping)) => mapping.entries().len(),
        _ => given.items(0).len(),
    };
    Value::number(length as u64)
}

fn match_keys(work: &mut Work<'_>) -> Result<Value, Fault> {
    let (keys, searched) = (work.items(1), work.items(2));
    let (Some(key_type), Some(searched_type)) = (element_type(&keys), element_type(&searched)) else {
        return Err(Fault::call("needs keys of one type"));
    };
    let Some(ty) = unify(&[key_type, searched_type]) else {
        return Err(Fault::call("needs keys and searched ones that one type takes in"));
    };
    let items = work.items(0);
    if items.len() != keys.len() {
        return Err(Fault::call(format!("needs one key for each value, found {} and {}", keys.len(), items.len())));
    }
    let marks = work.marks() | Marks::within(keys.iter().chain(&searched));
    let searched = searched.into_iter().map(|item| work.convert(2, item, &ty)).collect::<Result<Vec<_>, _>>()?;
    let (element, items) = of_one_type(work, 0, items)?;
    let mut kept = Vec::new();
    for (item, key) in items.into_iter().zip(keys) {
        let key = work.convert(1, key, &ty)?;
        if searched.iter().any(|one| same(one, &key) == Ok(true)) {
            kept.push(item);
        }
    }
    Ok(list(element, kept).marked(marks))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn collections_are_searched_as_in_terraform() {
        check(&[
            ("alltrue([])", "true"),
            ("alltrue([true, false])", "false"),
            ("alltrue([null])", "false"),
            (
                r#"alltrue(["x"])"#,
                "unsuitable argument: the `list` of `alltrue` does not fit: `true` or `false` is required, found the string `x`",
            ),
            ("alltrue(true)", "unsuitable argument: the `list` of `alltrue` must be a list, set or tuple, found a bool"),
            ("anytrue([])", "false"),
            ("anytrue([null, true])", "true"),
            ("anytrue([false])", "false"),
            ("anytrue([[]])", "unsuitable argument: the `list` of `anytrue` does not fit: a bool is required, found a tuple"),
            (r#"contains([1, 2], "1")"#, "false"),
            (r#"contains(toset(["a"]), "a")"#, "true"),
            (r#"contains([1, "a", true], true)"#, "true"),
            ("contains([[1]], [1])", "true"),
            ("contains([], 1)", "false"),
            (r#"contains({ a = 1 }, "a")"#, "unsuitable argument: the `list` of `contains` must be a list, set or tuple, found an object"),
            ("contains([null], null)", "unsuitable argument: the `value` of `contains` is null here"),
            (r#"index(["a", "b"], "c")"#, "unsuitable argument: the `value` of `index` is not among the 2 elements"),
            (r#"index([1], "1")"#, "unsuitable argument: the `value` of `index` is not among the 1 elements"),
            ("index([[1], [2]], [2])", "1"),
            (r#"index(["a", "b", "a"], "a")"#, "0"),
            (
                r#"index(toset(["a"]), "a")"#,
                "unsuitable argument: the `list` of `index` must be a list or tuple, found a set, whose elements have no indices",
            ),
            ("length({ a = 1 })", "1"),
            (r#"length("héllo")"#, "5"),
            (r#"length("👨‍👩‍👧")"#, "1"),
            ("length(toset([1, 1]))", "1"),
            (r#"length("")"#, "0"),
            ("length(5)", "unsuitable argument: the `value` of `length` must be a string or collection, found a number"),
            ("length(null)", "unsuitable argument: the `value` of `length` is null here"),
            (r#"matchkeys(["i1"], [1], ["1"])"#, r#"list["i1"]"#),
            ("matchkeys([], [], [])", "list[]"),
            (r#"matchkeys(["a"], ["x"], [])"#, "list[]"),
            (r#"matchkeys(["i1"], ["a", "b"], ["a"])"#, "unsuitable arguments: `matchkeys` needs one key for each value, found 2 and 1"),
            (
                r#"matchkeys(["a"], ["a"], "a")"#,
                "unsuitable argument: the `searched` of `matchkeys` must be a list, set or tuple, found a string",
            ),
        ]);
    }

    #[test]
    fn the_first_value_is_chosen_as_in_terraform() {
        check(&[
            (r#"coalesce(1, "a")"#, r#""1""#),
            ("coalesce(0, 1)", "0"),
            ("coalesce(false, true)", "false"),
            (r#"coalesce("", 0)"#, r#""0""#),
            ("coalesce(null, { a = 1 })", "{a=1}"),
            (r#"coalesce([], ["a"])"#, "list[]"),
            ("coalesce(null, null)", "unsuitable arguments: `coalesce` needs a value; all that are given are null or empty strings"),
            (r#"coalesce([1], "a")"#, "unsuitable arguments: `coalesce` needs values that one type takes in; these have several"),
            ("coalesce()", "wrong number of arguments: `coalesce` takes at least 1 argument, 0 are given"),
        ]);
    }

    #[test]
    fn decisions_follow_states_and_marks_and_choices_carry_their_own_origin() {
        check_states(&[
            ("alltrue([var.flag, false])", "false", "f"),
            ("alltrue([var.flag, true])", "?bool", "f"),
            ("anytrue([var.flag, true])", "true", "f"),
            ("anytrue([var.flag, var.pending, true])", "…bool", "f p"),
            ("coalesce(var.a, var.unknown)", "\"a\"", "a"),
            ("coalesce(var.a, var.open)", "\"a\"", "a"),
            ("coalesce(\"\", var.a, var.open)", "\"a\"", "a"),
            ("coalesce(var.open, var.a)", "?string", "a o"),
            ("coalesce(1, var.open)", "?any", "o"),
            ("coalesce(1, var.open, \"a\")", "\"1\"", ""),
            ("coalesce([1], var.open)", "?any", "o"),
            ("coalesce(var.a, var.pending)", "…any", "a p"),
            ("coalesce(null, var.unknown, var.a)", "?string", "a u"),
            ("coalesce(var.unknown, var.blocked)", "!why", "u x"),
            ("coalesce(null, var.secret)", "*\"s\"", "s"),
            ("coalesce(var.a, var.secret)", "\"a\"", "a"),
            ("contains([var.a, var.unknown], \"a\")", "?bool", "a u"),
            ("contains([var.a, var.secret], \"b\")", "*false", "a s"),
            ("length([var.a, var.unknown])", "2", ""),
            ("length(var.list)", "?number", "l"),
            ("length([var.secret])", "1", ""),
            ("length(toset([var.unknown]))", "?number", "u"),
            ("index([var.a, var.b], \"b\")", "1", "a b"),
            ("matchkeys([var.unknown, var.a], [\"x\", \"y\"], [\"y\"])", "list[\"a\"]", "a"),
            ("matchkeys([var.a], [var.unknown], [\"y\"])", "?list(any)", "a u"),
        ]);
    }
}
