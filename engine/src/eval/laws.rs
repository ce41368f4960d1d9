//! Laws that hold over all constructs: what is left for later gives what would have been computed at once, and what is not known is
//! never taken for known.

mod functions;
mod messages;

use super::order::set_without_origins;
use super::scene::{Scene, show};
use super::{convert, instance, type_of};
use crate::address::Address;
use crate::config::{Expr, Node};
use crate::source::{FileId, Span};
use crate::value::{Data, Entry, Mapping, Sequence, SequenceKind, Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Expressions over the variables of [`variables`], the resource `k.i` and the file `f`.
const EXPRESSIONS: &[&str] = &[
    "var.n + 1",
    "-var.n * (var.n - 2) / 4 % 3",
    "var.n > 2 ? \"big\" : \"small\"",
    "var.s == \"text\"",
    "var.s != var.t",
    "var.object == { a = 1, b = { c = \"x\" } }",
    "var.list == var.tuple",
    "var.object == null",
    "!var.yes",
    "var.yes && var.no",
    "var.no && var.object.missing",
    "var.no || var.yes",
    "var.yes ? var.s : var.object.missing",
    "var.yes ? var.n : var.s",
    "var.no ? var.tuple : []",
    "var.yes ? var.map : {}",
    "var.yes ? (var.no ? 1 : var.n) : (var.yes ? 3 : 4)",
    "var.yes ? null : var.list",
    "\"a-${var.s}-${var.n}-${var.yes}\"",
    "\"${var.s}\"",
    "\"%{ if var.yes }yes ${var.s}%{ else }no ${var.n}%{ endif }.\"",
    "\"%{ for i, x in var.list }${i}=${x},%{ endfor }\"",
    "\"%{ for x in var.tuple }%{ if x == 1 }${var.s}%{ else }${x}%{ endif };%{ endfor }\"",
    "[var.s, var.n, { k = var.yes }]",
    "{ (var.s) = var.n, b = var.yes }",
    "var.object.b.c",
    "var.object[\"b\"][\"c\"]",
    "var.object[var.key]",
    "var.map[var.key]",
    "var.list[var.index]",
    "var.tuple[\"1\"]",
    "var.objects[*].name",
    "var.objects[*].tags[0]",
    "var.s[*]",
    "var.nothing[*]",
    "[for x in var.list : \"${x}!\"]",
    "[for i, x in var.tuple : i if x != null]",
    "[for x in var.list : \"${x}${var.s}\" if x != var.key]",
    "{ for k, v in var.map : k => v }",
    "{ for k, v in var.map : v => k }",
    "{ for x in var.objects : x.name => x.tags[*] }",
    "{ for x in var.list : (x == var.key ? \"same\" : \"other\") => x... }",
    "[for o in var.objects : [for t in o.tags : \"${o.name}/${t}\" if t != var.s]]",
    "[for k in var.set : k]",
    "[for k, v in var.set : \"${k}${v}\"]",
    "[for x in [for y in var.list : y if y != var.key] : x]",
    "try(var.object.missing, var.s)",
    "try(var.object.b.c, \"none\")",
    "try(var.s.x, var.n / 0, var.tuple[5], \"end\")",
    "try(var.n + 1, 0)",
    "can(var.object.b.c)",
    "can(var.s.x)",
    "can(var.list[var.index]) ? var.list[var.index] : \"none\"",
    "templatestring(\"$${a} and $${b}\", { a = var.s, b = var.n })",
    "templatestring(\"%%{ for x in list }<$${x}>%%{ endfor }\", { list = var.list })",
    "templatestring(var.template, var.object)",
    "templatefile(\"f\", { name = var.s, items = var.list })",
    "templatefile(\"f\", var.arguments)",
    "k.i.id",
    "\"${k.i.id}/${k.i.status.ip}\"",
    "k.i.list[1]",
    "[for k, v in k.i.status : \"${k}=${v}\"]",
    "k.i[var.id]",
    "[k.i, k.i.name]",
    "var.yes ? k.i : null",
    "{ for name, x in { one = k.i } : name => x.status }",
    "k.i.status",
    "k.i == null",
    // Through functions.
    "upper(var.s)",
    "join(\",\", var.list)",
    "length(var.list)",
    "length(var.tuple) > 2 ? var.s : \"short\"",
    "merge(var.object, { z = var.s })",
    "merge(k.i, { name = var.s })",
    "keys(var.map)",
    "keys(k.i)",
    "values(var.map)",
    "lookup(var.map, var.key, \"none\")",
    "element(var.list, var.index)",
    "contains(var.list, var.s)",
    "concat(var.list, [var.s])",
    "flatten([[var.s], var.list, var.tuple])",
    "coalesce(var.nothing, var.s)",
    "distinct([var.s, var.t, var.s])",
    "toset([var.s, \"text\", var.t])",
    "tolist(var.set)",
    "tostring(var.n)",
    "setproduct(var.list, [var.s])",
    "zipmap(var.list, [1, var.n, 3])",
    "format(\"%s-%d\", var.s, var.n)",
    "jsonencode({ s = var.s, o = var.object, status = k.i.status })",
    "jsonencode(k.i)",
    "one([k.i]).status",
    "max(var.n, var.index)",
    "split(var.key, var.s)[0]",
    "[for x in toset(var.list) : upper(x) if x != lower(var.key)]",
    "{ for k in sort(keys(var.map)) : k => var.map[k] }",
    // Sets whose unknown element may come to equal another one, and has no place before.
    "length(toset([var.s, \"text\"]))",
    "[for x in toset([var.s, \"text\"]) : x]",
    "[for x in toset([var.s, \"u\", \"a\"]) : x]",
    "{ for x in toset([var.s, \"text\"]) : x => x... }",
    "\"%{ for x in toset([var.s, \"text\", \"z\"]) }${x}%{ endfor }\"",
    "tolist(toset([var.s, var.t, \"p\"]))",
    "toset([var.s, \"text\"])[*]",
    "setproduct(toset([var.s, \"text\"]), [1])",
    "join(\",\", toset([var.s, \"p\"]))",
    "flatten([toset([var.s, \"text\"])])",
    "toset([var.s, \"text\"]) == toset([\"text\"])",
    "[var.s, toset([var.s, \"text\"])]",
    "toset([[var.s], [\"text\"]])",
    "one(toset([var.s, \"text\"]))",
    "contains(toset([var.s, \"a\"]), \"text\")",
    "nonsensitive(var.s)",
    "ephemeralasnull(var.s)",
    "coalesce(1, var.s)",
    "try(tonumber(var.s), var.n)",
    "can(tonumber(var.s))",
    "try(length(var.object.missing), length(var.list))",
];

/// Expressions that fail, now or later.
const FAILURES: &[&str] = &[
    "tonumber(var.s)",
    "element([], var.index)",
    "var.yes ? var.object : {}",
    "var.n / var.zero",
    "var.object.missing",
    "var.nothing.x",
    "var.list[7]",
    "var.list[var.n]",
    "var.tuple + 1",
    "\"x${var.nothing}\"",
    "{ (var.nothing) = 1 }",
    "{ for x in var.objects : \"same\" => x }",
    "[for x in var.n : x]",
    "var.nothing ? 1 : 2",
    "var.yes ? var.object.missing : 1",
    "k.i.missing",
    "try(var.object.missing, var.s.x)",
    "var.map[var.s]",
];

fn every() -> impl Iterator<Item = &'static str> {
    EXPRESSIONS.iter().chain(FAILURES).copied()
}

fn converted(value: Value, ty: &Type) -> Value {
    convert(value, ty, &mut super::Arena::default()).unwrap()
}

fn variables() -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::string(text);
    let tuple = |items: &[&str]| Value::tuple(items.iter().map(|item| text(item)).collect());
    let list = |items: &[&str]| converted(tuple(items), &Type::list(Type::String));
    let object = Value::object([("a", Value::number(1)), ("b", Value::object([("c", text("x"))]))]);
    let thing = |name: &str, tags: &[&str]| Value::object([("name", text(name)), ("tags", list(tags))]);
    vec![
        ("s", text("text")),
        ("t", text("other")),
        ("n", Value::number(3)),
        ("zero", Value::number(0)),
        ("index", Value::number(1)),
        ("key", text("b")),
        ("id", text("id")),
        ("yes", Value::bool(true)),
        ("no", Value::bool(false)),
        ("nothing", Value::null()),
        ("object", object),
        ("tuple", Value::tuple(vec![Value::number(1), text("two"), Value::number(3)])),
        ("list", list(&["a", "b", "c"])),
        ("set", converted(tuple(&["b", "a"]), &Type::set(Type::String))),
        ("map", converted(Value::object([("a", text("1")), ("b", text("2"))]), &Type::map(Type::String))),
        ("objects", Value::tuple(vec![thing("one", &["x", "text"]), thing("two", &["y"])])),
        ("template", text("${a} ${b.c}")),
        ("arguments", Value::object([("items", list(&["i", "j"])), ("name", text("n"))])),
    ]
}

fn attributes() -> Value {
    Value::object([
        ("id", Value::string("i-1")),
        ("list", Value::tuple(vec![Value::number(1), Value::string("two")])),
        ("name", Value::string("i")),
        ("status", Value::object([("ip", Value::string("10.0.0.1")), ("ready", Value::bool(true))])),
    ])
}

fn address() -> Address {
    Address::managed("k", "i")
}

/// A scene in which everything is known and every variable comes from an instance of its own name.
fn known() -> Scene {
    let mut scene = Scene::default();
    for (name, value) in variables() {
        let origin = scene.from(name);
        scene.names.variables.insert(name.to_owned(), value.with_origin(origin));
    }
    let made = instance(&address(), &["thing"], attributes(), &mut scene.arena);
    scene.names.resources.insert("i".to_owned(), made.clone());
    scene.instances.insert(address(), made);
    scene.names.files.insert("f".to_owned(), super::FileAnswer::Text("${name}:%{ for x in items } ${x}%{ endfor }".into()));
    scene
}

/// All the ways in which a value may be partly or wholly replaced: the whole, and each part alone.
fn holes(value: &Value, hole: &mut dyn FnMut(&Value) -> Value) -> Vec<Value> {
    let mut made = vec![hole(value)];
    match value.data() {
        Data::Sequence(sequence) => {
            for (at, item) in sequence.items().iter().enumerate() {
                for part in holes(item, hole) {
                    let mut items = sequence.items().to_vec();
                    items[at] = part;
                    made.push(Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items)))));
                }
            }
        }
        Data::Mapping(mapping) => {
            for (at, entry) in mapping.entries().iter().enumerate() {
                for part in holes(&entry.value, hole) {
                    let mut entries = mapping.entries().to_vec();
                    entries[at] = Entry { value: part, ..entry.clone() };
                    made.push(Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries)))));
                }
            }
        }
        _ => {}
    }
    made
}

/// The value with its sets as sets are made: in order, each element once, marked as a whole.
fn settled(value: &Value) -> Value {
    let made = match value.data() {
        Data::Sequence(sequence) => {
            let items = sequence.items().iter().map(settled).collect();
            match sequence.kind() {
                SequenceKind::Set(element) => set_without_origins(element.clone(), items),
                kind => Value::new(Data::Sequence(Arc::new(Sequence::new(kind.clone(), items)))),
            }
        }
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().map(|entry| Entry { value: settled(&entry.value), ..entry.clone() });
            Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
        }
        _ => return value.clone(),
    };
    made.with_origin(value.origin()).marked(value.marks())
}

/// Every scene that differs from [`known`] in one variable, or in the attributes of `k.i`, by one hole. The text says where.
fn each_scene(hole: fn(&Value, &mut Scene) -> Value, visit: &mut dyn FnMut(&str, &str, Scene)) {
    let count = |value: &Value| holes(value, &mut Value::clone).len();
    for (name, value) in variables() {
        for at in 0..count(&value) {
            let mut scene = known();
            let origin = scene.from(name);
            let with = settled(&holes(&value, &mut |part| hole(part, &mut scene).with_origin(origin)).swap_remove(at));
            scene.names.variables.insert(name.to_owned(), with.with_origin(origin));
            visit(&format!("var.{name}"), &format!("hole {at} of var.{name}"), scene);
        }
    }
    for at in 0..count(&attributes()) {
        let mut scene = known();
        // The kind's own unknowns have no computation: the instance is looked at.
        let with = holes(&attributes(), &mut |part| match hole(part, &mut scene).data() {
            Data::Unknown(ty, _) => Value::unknown((**ty).clone()),
            data => Value::new(data.clone()),
        });
        let made = instance(&address(), &["thing"], with[at].clone(), &mut scene.arena);
        scene.names.resources.insert("i".to_owned(), made);
        visit("k.i", &format!("hole {at} of k.i"), scene);
    }
}

fn deferred(part: &Value, scene: &mut Scene) -> Value {
    let expression = Expr::new(Node::Literal(part.clone()), Span::new(FileId(9), 0..0));
    Value::deferred(type_of(part), scene.arena.thunks.add(expression))
}

fn sources(scene: &mut Scene, value: &Value) -> Vec<String> {
    scene.sources(value).split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_examples_are_what_they_are_said_to_be() {
    for text in EXPRESSIONS {
        let value = known().evaluate(text);
        assert!(value.as_ref().is_ok_and(Value::is_known), "{text}: {value:?}");
    }
    for text in FAILURES {
        assert!(known().evaluate(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_left_for_later_gives_what_would_have_been_computed_at_once() {
    let mut later = 0;
    each_scene(deferred, &mut |place, hole, mut scene| {
        for text in every().filter(|text| text.contains(place)) {
            let now = known().evaluate(text);
            let partly = scene.evaluate(text);
            let filled = partly.clone().and_then(|value| scene.filled(&value));
            match (&now, &filled) {
                (Ok(now), Ok(filled)) => assert_eq!(show(now), show(filled), "{text} with {hole}"),
                (Err(_), Err(_)) => {}
                _ => panic!("{text} with {hole}: {now:?} at once, {filled:?} later, {partly:?} between"),
            }
            later += usize::from(partly.is_ok_and(|value| !value.is_known()));
        }
    });
    assert!(later > 300, "{later} values were left for later");
}

#[test]
fn two_unknowns_give_what_would_have_been_computed_at_once() {
    let mut later = 0;
    let variables = variables();
    for text in every() {
        let used = || variables.iter().filter(|(name, _)| text.contains(&format!("var.{name}")));
        for (one, first) in used() {
            for (other, second) in used().filter(|(other, _)| one < other) {
                let mut scene = known();
                for (name, value) in [(one, first), (other, second)] {
                    let origin = scene.from(name);
                    let hole = deferred(value, &mut scene).with_origin(origin);
                    scene.names.variables.insert((*name).to_owned(), hole);
                }
                let now = known().evaluate(text);
                let partly = scene.evaluate(text);
                let filled = partly.clone().and_then(|value| scene.filled(&value));
                match (&now, &filled) {
                    (Ok(now), Ok(filled)) => assert_eq!(show(now), show(filled), "{text} without {one} and {other}"),
                    (Err(_), Err(_)) => {}
                    _ => panic!("{text} without {one} and {other}: {now:?} at once, {filled:?} later, {partly:?} between"),
                }
                later += usize::from(partly.is_ok_and(|value| !value.is_known()));
            }
        }
    }
    assert!(later > 50, "{later} values were left for later");
}

#[test]
fn nesting_costs_no_more_than_its_square() {
    let chain = |open: &str, close: &str| format!("{}1{}", open.repeat(20), close.repeat(20));
    for text in [
        chain("var.yes ? 0 : (", ")"),
        chain("(var.yes ? ", " : 0)"),
        chain("try(var.object.x + ", ", 0)"),
        chain("(var.yes || 1 == ", ")"),
        chain("[for x in var.list : ", "]"),
    ] {
        let mut scene = known();
        for name in ["yes", "object", "list"] {
            scene.names.variables.insert(name.to_owned(), Value::unknown(Type::Any));
        }
        assert!(scene.evaluate(&text).is_ok_and(|value| !value.is_known()), "{text}");
        assert!(scene.arena.thunks.len() < 10_000, "{text} left {} computations", scene.arena.thunks.len());
    }
}

#[test]
fn what_waits_says_for_what_and_what_was_chosen_keeps_its_sources() {
    each_scene(deferred, &mut |place, hole, mut scene| {
        for text in every().filter(|text| text.contains(place)) {
            let mut known = known();
            let (Ok(now), Ok(partly)) = (known.evaluate(text), scene.evaluate(text)) else { continue };
            let (now, partly_from) = (sources(&mut known, &now), sources(&mut scene, &partly));
            if !partly.is_known() {
                let name = place.split('.').next_back().unwrap().to_owned();
                assert!(partly_from.contains(&name), "{text} with {hole} comes from {partly_from:?}");
                for source in now {
                    assert!(partly_from.contains(&source), "{text} with {hole} comes from {partly_from:?}, not from {source}");
                }
            }
        }
    });
}

#[test]
fn what_is_pending_or_blocked_is_never_taken_for_known() {
    let pending: fn(&Value, &mut Scene) -> Value = |part, _| Value::pending(type_of(part));
    let blocked: fn(&Value, &mut Scene) -> Value = |_, _| Value::blocked("why");
    // What is blocked has no type, so a branch of a conditional that is not taken cannot say what the other one becomes.
    let loosely = |value: &Value| show(value).replace(['"'], "").replace("list[", "[").replace("map{", "{");
    for (hole, said) in [(pending, show as fn(&Value) -> String), (blocked, loosely)] {
        each_scene(hole, &mut |place, hole, mut scene| {
            for text in every().filter(|text| text.contains(place)) {
                let now = known().evaluate(text);
                match (now, scene.evaluate(text)) {
                    (Ok(now), Ok(value)) if value.is_known() => assert_eq!(said(&now), said(&value), "{text} with {hole}"),
                    (Err(problems), Ok(value)) if value.is_known() => panic!("{text} with {hole}: {value:?}, then {problems:?}"),
                    (Ok(now), Err(problems)) => panic!("{text} with {hole}: {problems:?}, then {now:?}"),
                    (_, Ok(value)) => assert!(!value.flags().has(crate::value::Flags::UNKNOWN), "{text} with {hole}: {value:?}"),
                    (Err(_), Err(_)) => {}
                }
            }
        });
    }
}

#[test]
fn pending_comes_before_unknown_in_every_construct() {
    for text in every() {
        let used: Vec<_> = variables().into_iter().map(|(name, _)| name).filter(|name| text.contains(&format!("var.{name}"))).collect();
        for one in &used {
            for other in used.iter().filter(|other| *other != one) {
                let mut scene = known();
                scene.names.variables.insert((*one).to_owned(), Value::pending(Type::Any));
                let only = scene.evaluate(text);
                scene.names.variables.insert((*other).to_owned(), Value::unknown(Type::Any));
                let (Ok(only), Ok(value)) = (only, scene.evaluate(text)) else { continue };
                let whole = matches!(only.data(), Data::Pending(_)) && matches!(value.data(), Data::Unknown(..));
                assert!(!whole, "{text} with {one} pending and {other} unknown: {value:?}");
            }
        }
    }
}

#[test]
fn a_secret_stays_one_later() {
    each_scene(deferred, &mut |place, hole, mut scene| {
        let Some(name) = place.strip_prefix("var.") else { return };
        for text in every().filter(|text| text.contains(place)) {
            let mut now = known();
            for scene in [&mut now, &mut scene] {
                let value = scene.names.variables.get_mut(name).unwrap();
                *value = value.clone().sensitive();
            }
            let (Ok(now), Ok(partly)) = (now.evaluate(text), scene.evaluate(text)) else { continue };
            let Ok(filled) = scene.filled(&partly) else { continue };
            if now.is_marked_sensitive() {
                assert!(partly.is_marked_sensitive() && filled.is_marked_sensitive(), "{text} with {hole}: {partly:?}, {filled:?}");
            }
            if now.holds_sensitive() {
                assert!(partly.holds_sensitive() && filled.holds_sensitive(), "{text} with {hole}: {partly:?}, {filled:?}");
            }
        }
    });
}

#[test]
fn what_is_shown_of_a_value_is_the_same_whatever_the_secret_in_it_is() {
    let shown = |hole: fn(&Value, &mut Scene) -> Value| {
        let mut all = BTreeMap::new();
        each_scene(hole, &mut |place, hole, mut scene| {
            for text in every().filter(|text| place != "k.i" && text.contains(place) && !text.contains("nonsensitive")) {
                all.insert((text, hole.to_owned()), scene.evaluate(text).ok().map(|value| functions::visible(&value)));
            }
        });
        all
    };
    let one = shown(|part, _| part.clone().sensitive());
    let other = shown(|part, _| functions::another(part).unwrap_or_else(|| part.clone()).sensitive());
    let mut compared = 0;
    for (place, one) in one {
        if let (Some(one), Some(other)) = (one, &other[&place]) {
            assert_eq!(one, *other, "{place:?}");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared} values were compared");
}
