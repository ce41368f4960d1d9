//! Functions of types and marks.

use super::argument::{Fault, Work};
use super::result::sequence;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::config::{Node, Root};
use crate::eval::strict::Open;
use crate::eval::type_of;
use crate::value::{Data, Entry, Mapping, Marks, Type, Value};
use std::sync::Arc;

const VALUE: &[Parameter] = &[Parameter::new("value", Takes::Anything)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "ephemeralasnull",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Any,
        doc: "The value with null in place of everything ephemeral in it, so that the rest may stand where values are stored.",
        example: Example { call: "ephemeralasnull({ a = 1 })", result: "{ a = 1 }" },
        body: Body::Parts(|work| Ok(ephemeral_as_null(work))),
    },
    Function {
        name: "issensitive",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Bool,
        doc: "Whether the value itself is sensitive; what is within does not count.",
        example: Example { call: r#"issensitive(sensitive("a"))"#, result: "true" },
        body: Body::Parts(|work| Ok(is_sensitive(work))),
    },
    Function {
        name: "nonsensitive",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Any,
        doc: "The value without its own mark. Only for what is certainly no secret.",
        example: Example { call: r#"nonsensitive(sensitive("a"))"#, result: r#""a""# },
        body: Body::Parts(|work| Ok(shown(work))),
    },
    Function {
        name: "sensitive",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Any,
        doc: "The value, marked so that it is never shown.",
        example: Example { call: r#"sensitive("a")"#, result: r#"sensitive("a")"# },
        body: Body::Parts(|work| Ok(work.values[0].clone().sensitive())),
    },
    Function {
        name: "tobool",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Bool,
        doc: "The value as `true` or `false`.",
        example: Example { call: r#"tobool("true")"#, result: "true" },
        body: Body::Parts(|work| converted(work, &Type::Bool)),
    },
    Function {
        name: "tolist",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::List,
        doc: "The set or tuple as a list, its elements as the one type that all of them convert to.",
        example: Example { call: r#"tolist(toset(["b", "a"]))"#, result: r#"tolist(["a", "b"])"# },
        body: Body::Parts(|work| converted(work, &Type::list(Type::Any))),
    },
    Function {
        name: "tomap",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Map,
        doc: "The object as a map, its values as the one type that all of them convert to.",
        example: Example { call: r#"tomap({ a = 1, b = "x" })"#, result: r#"tomap({ a = "1", b = "x" })"# },
        body: Body::Parts(|work| converted(work, &Type::map(Type::Any))),
    },
    Function {
        name: "tonumber",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Number,
        doc: "The value as a number.",
        example: Example { call: r#"tonumber("1.5")"#, result: "1.5" },
        body: Body::Parts(|work| converted(work, &Type::Number)),
    },
    Function {
        name: "toset",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Set,
        doc: "The list or tuple as a set, its elements as the one type that all of them convert to, each once.",
        example: Example { call: r#"toset(["b", "a", "b"])"#, result: r#"toset(["a", "b"])"# },
        body: Body::Parts(|work| converted(work, &Type::set(Type::Any))),
    },
    Function {
        name: "tostring",
        group: Group::Types,
        parameters: VALUE,
        gives: Gives::Text,
        doc: "The value as a string.",
        example: Example { call: "tostring(1.50)", result: r#""1.5""# },
        body: Body::Parts(|work| converted(work, &Type::String)),
    },
];

fn converted(work: &mut Work<'_>, ty: &Type) -> Result<Value, Fault> {
    work.convert(0, work.values[0].clone(), ty)
}

fn shown(work: &mut Work<'_>) -> Value {
    let value = work.values[0].clone();
    let left = match Open::of(&value) {
        // It may be marked only when it is known.
        Some(open) => work.later(open, type_of(&value)),
        // A set is marked as a whole, so the marks of its elements go with it.
        None if matches!(type_of(&value), Type::Set(_)) => bare(&value),
        None => value,
    };
    left.without(Marks::SENSITIVE)
}

/// The value with nothing marked sensitive in it.
fn bare(value: &Value) -> Value {
    if !value.holds_sensitive() {
        return value.clone();
    }
    let left = match value.data() {
        Data::Sequence(of) => sequence(of.kind().clone(), of.items().iter().map(bare).collect()),
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().map(|entry| Entry { value: bare(&entry.value), ..entry.clone() });
            Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
        }
        _ => value.clone(),
    };
    left.with_origin(value.origin()).marked(value.marks()).without(Marks::SENSITIVE)
}

fn ephemeral_as_null(work: &mut Work<'_>) -> Value {
    let value = work.values[0].clone();
    match Open::of(&value) {
        Some(_) if is_input(&value, work) => kept(&value),
        // What of it will be ephemeral shows when it is known.
        Some(open) if value.holds_ephemeral() => work.later(open, Type::Any).without(Marks::EPHEMERAL),
        _ => kept(&value),
    }
}

/// Whether a value is an ephemeral input that is given later: it is ephemeral whatever it will be.
fn is_input(value: &Value, work: &Work<'_>) -> bool {
    let Data::Unknown(_, thunk) = value.data() else { return false };
    let expression = work.arena.thunks.get(*thunk).filter(|_| value.marks().has(Marks::EPHEMERAL));
    expression.is_some_and(|expression| matches!(expression.node, Node::Root(Root::Variable(_))))
}

/// The value with null in place of everything ephemeral.
fn kept(value: &Value) -> Value {
    if !value.holds_ephemeral() {
        return value.clone();
    }
    let left = match value.data() {
        _ if value.marks().has(Marks::EPHEMERAL) => Value::null().marked(value.clone().without(Marks::EPHEMERAL).marks()),
        Data::Sequence(of) => sequence(of.kind().clone(), of.items().iter().map(kept).collect()),
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().map(|entry| Entry { value: kept(&entry.value), ..entry.clone() });
            Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
        }
        _ => value.clone(),
    };
    left.with_origin(value.origin()).marked(value.clone().without(Marks::EPHEMERAL).marks())
}

fn is_sensitive(work: &mut Work<'_>) -> Value {
    let value = work.values[0].clone();
    if value.is_marked_sensitive() {
        return Value::bool(true);
    }
    // What is not known yet may still turn out to be sensitive.
    match Open::of(&value) {
        Some(open) => work.later(open, Type::Bool),
        None => Value::bool(false),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn values_convert_as_in_terraform() {
        check(&[
            ("tostring(true)", r#""true""#),
            ("tostring(null)", "null"),
            (r#"tostring("a")"#, r#""a""#),
            ("tostring([])", "unsuitable argument: the `value` of `tostring` does not fit: a string is required, found a tuple"),
            (r#"tonumber("1e3")"#, "1000"),
            (r#"tonumber("-5")"#, "-5"),
            ("tonumber(null)", "null"),
            (r#"tonumber("a")"#, "unsuitable argument: the `value` of `tonumber` does not fit: a number is required, found the string `a`"),
            ("tonumber(true)", "unsuitable argument: the `value` of `tonumber` does not fit: a number is required, found a bool"),
            (
                r#"tonumber(sensitive("hunter2"))"#,
                "unsuitable argument: the `value` of `tonumber` does not fit: a number is required, found a string",
            ),
            (r#"tobool("1")"#, "true"),
            (r#"tobool("false")"#, "false"),
            ("tobool(null)", "null"),
            (
                r#"tobool("True")"#,
                "unsuitable argument: the `value` of `tobool` does not fit: `true` or `false` is required, found the string `True`",
            ),
            ("tobool(1)", "unsuitable argument: the `value` of `tobool` does not fit: a bool is required, found a number"),
            (r#"tolist(["a", 1])"#, r#"list["a", "1"]"#),
            ("tolist([])", "list[]"),
            ("tolist(null)", "null"),
            (
                "tolist([1, [2]])",
                "unsuitable argument: the `value` of `tolist` does not fit: one type for all elements is required, found several that do not agree",
            ),
            (r#"tolist("a")"#, "unsuitable argument: the `value` of `tolist` does not fit: a list(any) is required, found a string"),
            (r#"toset([1, "1"])"#, r#"set["1"]"#),
            ("toset([])", "set[]"),
            ("toset([null])", "set[null]"),
            (r#"toset([[1], ["a"]])"#, r#"set[["1"], ["a"]]"#),
            ("toset({ a = 1 })", "unsuitable argument: the `value` of `toset` does not fit: a set(any) is required, found an object"),
            ("tomap({})", "map{}"),
            ("tomap(null)", "null"),
            ("tomap({ a = true })", "map{a=true}"),
            ("tomap([1])", "unsuitable argument: the `value` of `tomap` does not fit: a map(any) is required, found a tuple"),
        ]);
    }

    #[test]
    fn marks_are_set_taken_and_asked_for() {
        check(&[
            ("sensitive(null)", "*null"),
            ("sensitive([1])", "*[1]"),
            ("sensitive()", "wrong number of arguments: `sensitive` takes 1 argument, 0 are given"),
            (r#"nonsensitive("a")"#, r#""a""#),
            ("nonsensitive(null)", "null"),
            (r#"nonsensitive([sensitive("a")])"#, r#"[*"a"]"#),
            (r#"nonsensitive(toset([sensitive("a")]))"#, r#"set["a"]"#),
            (r#"nonsensitive(toset([{ a = sensitive("b") }]))"#, r#"set[{a="b"}]"#),
            (r#"nonsensitive(toset([ephemeralasnull("a"), sensitive("b")]))"#, r#"set["a", "b"]"#),
            ("nonsensitive(1, 2)", "wrong number of arguments: `nonsensitive` takes 1 argument, 2 are given"),
            (r#"issensitive("a")"#, "false"),
            (r#"issensitive([sensitive("a")])"#, "false"),
            (r#"issensitive(nonsensitive(sensitive("a")))"#, "false"),
            ("issensitive()", "wrong number of arguments: `issensitive` takes 1 argument, 0 are given"),
        ]);
        check_states(&[
            ("sensitive(var.unknown)", "*?string", "u"),
            ("nonsensitive(var.secret)", "\"s\"", "s"),
            ("issensitive(var.unknown)", "?bool", "u"),
            ("issensitive(sensitive(var.unknown))", "true", ""),
            ("tonumber(var.unknown)", "?number", "u"),
            ("tostring(var.unknown)", "?string", "u"),
            ("tolist([var.unknown, var.a])", "list[?string, \"a\"]", "a u"),
            ("tolist([var.unknown, var.a])[1]", "\"a\"", "a"),
            ("toset([var.secret, \"a\"])", "*set[\"a\", *\"s\"]", "s"),
            ("tomap({ x = var.unknown, y = var.a })[\"y\"]", "\"a\"", "a"),
            ("toset(var.pending)", "…set(any)", "p"),
        ]);
    }
}
