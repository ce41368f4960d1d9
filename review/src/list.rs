//! Lists, tuples and sets: elements are matched by what names them, as far as anything does.

use crate::definitions::Shape;
use crate::difference::{At, Mark, Walk, What, same};
use crate::merge_keys::{Named, named};
use crate::moves::moved;
use crate::ordered;
use crate::pem::legible;
use engine::value::{Sequence, SequenceKind, Value};
use std::collections::BTreeMap;

pub(crate) fn compare(walk: &mut Walk<'_>, at: At<'_>, before: &Sequence, after: &Sequence) {
    let is_set = |sequence: &Sequence| matches!(sequence.kind(), SequenceKind::Set(_));
    if is_set(before) || is_set(after) {
        compare_sets(walk, at.path, before.items(), after.items());
        return;
    }
    let names = named(at.field, at.shape, before.items(), after.items());
    let at = At { shape: at.shape.and_then(Shape::element), ..at };
    match names {
        Some(names) => compare_named(walk, at, (before.items(), &names.0), (after.items(), &names.1)),
        None => ordered::compare(walk, at, before.items(), after.items()),
    }
}

/// One side of a list: its elements, and what they are called.
type Side<'a> = (&'a [Value], &'a Named);

fn compare_named(walk: &mut Walk<'_>, at: At<'_>, before: Side<'_>, after: Side<'_>) {
    let (old, new) = (before.1.positions(), after.1.positions());
    // Elements whose key changes may still have a name: a port that gets another number.
    let renamed = renamed(before, after);
    for (from, name) in before.1.names().iter().enumerate() {
        let path = format!("{}[{name}]", at.path);
        match (new.get(name.as_str()), renamed.get(&from)) {
            (Some(to), _) => walk.compare(At { path: &path, ..at }, &before.0[from], &after.0[*to]),
            (None, Some((to, name))) => {
                let path = format!("{}[name={name}]", at.path);
                walk.compare(At { path: &path, ..at }, &before.0[from], &after.0[*to]);
            }
            (None, None) => walk.compare(At { path: &path, ..at }, &before.0[from], &Value::null()),
        }
    }
    for (to, name) in after.1.names().iter().enumerate() {
        if !old.contains_key(name.as_str()) && !renamed.values().any(|(at, _)| *at == to) {
            walk.compare(At { path: &format!("{}[{name}]", at.path), ..at }, &Value::null(), &after.0[to]);
        }
    }
    push_moves(walk, at.path, &old, after.1);
}

/// Elements of both sides that stand in another order than before.
fn push_moves(walk: &mut Walk<'_>, path: &str, old: &BTreeMap<&str, usize>, after: &Named) {
    let common: Vec<(usize, usize, &String)> =
        after.names().iter().enumerate().filter_map(|(to, name)| Some((*old.get(name.as_str())?, to, name))).collect();
    let from: Vec<usize> = common.iter().map(|(from, _, _)| *from).collect();
    for ((from, to, name), _) in common.iter().zip(moved(&from)).filter(|(_, moved)| *moved) {
        walk.push(Mark::Move, &format!("{path}[{name}]"), What::Moved(*from, *to));
    }
}

/// By its position before, where an element went whose key is another one while its `name` is the same.
fn renamed<'a>(before: Side<'a>, after: Side<'a>) -> BTreeMap<usize, (usize, &'a str)> {
    let left = |(items, names): Side<'a>, (_, others): Side<'a>| {
        let others = others.positions();
        let alone = names.names().iter().enumerate().filter(move |(_, name)| !others.contains_key(name.as_str()));
        alone.filter_map(|(at, _)| items[at].text("name").map(|name| (name, at))).collect::<Vec<_>>()
    };
    let (gone, came) = (left(before, after), left(after, before));
    let once = |side: &[(&str, usize)], name: &str| side.iter().filter(|(other, _)| *other == name).count() == 1;
    let pair = |(name, from): &(&'a str, usize)| {
        let (_, to) = came.iter().find(|(other, _)| other == name)?;
        (once(&gone, name) && once(&came, name)).then_some((*from, (*to, *name)))
    };
    gone.iter().filter_map(pair).collect()
}

fn compare_sets(walk: &mut Walk<'_>, path: &str, before: &[Value], after: &[Value]) {
    let missing = |item: &Value, others: &[Value]| !others.iter().any(|other| same(item, other));
    let path = format!("{path}[]");
    for item in before {
        if missing(item, after) {
            walk.push(Mark::Remove, &path, What::One(legible(item)));
        } else {
            walk.found.unchanged += 1;
        }
    }
    for item in after.iter().filter(|item| missing(item, before)) {
        walk.push(Mark::Add, &path, What::One(legible(item)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::difference::tests::lines;
    use super::*;
    use crate::Difference;
    use engine::value::{Data, Type};
    use serde_json::json;
    use std::sync::Arc;

    fn check(before: &serde_json::Value, after: &serde_json::Value, expected: &[&str]) {
        let object = |list: &serde_json::Value| Value::object([("l", Value::from_json(list))]);
        assert_eq!(lines(&Difference::between(&object(before), &object(after))), expected);
    }

    #[test]
    fn elements_are_matched_by_what_names_them() {
        check(
            &json!([{"name": "a", "v": 1}, {"name": "b", "v": 1}]),
            &json!([{"name": "b", "v": 2}, {"name": "a", "v": 1}]),
            &["~ l[name=b].v 1 -> 2", "> l[name=b] 1 -> 0"],
        );
        check(
            &json!([{"port": 80, "protocol": "TCP", "t": 1}, {"port": 80, "protocol": "UDP"}]),
            &json!([{"port": 80, "protocol": "TCP", "t": 2}, {"port": 53, "protocol": "UDP"}]),
            &[
                "~ l[port=80,protocol=TCP].t 1 -> 2",
                "- l[port=80,protocol=UDP] { port = 80, protocol = \"UDP\" }",
                "+ l[port=53,protocol=UDP] { port = 53, protocol = \"UDP\" }",
            ],
        );
        check(
            &json!([{"name": "a", "v": 1}, {"name": "a", "v": 2}]),
            &json!([{"name": "a", "v": 1}, {"name": "a", "v": 3}]),
            &["~ l[1].v 2 -> 3"],
        );
    }

    #[test]
    fn other_lists_are_compared_in_order() {
        check(&json!(["a", "b", "c"]), &json!(["a", "c", "d"]), &["- l[1] \"b\"", "+ l[2] \"d\""]);
        check(&json!(["a", "b"]), &json!(["a", "x"]), &["~ l[1] \"b\" -> \"x\""]);
        check(&json!([]), &json!(["a"]), &["+ l[0] \"a\""]);
    }

    #[test]
    fn sets_have_no_order() {
        let set = |items: &[&str]| {
            let items = items.iter().map(|item| Value::string(*item)).collect();
            Value::object([("s", Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::Set(Type::String), items)))))])
        };
        assert_eq!(lines(&Difference::between(&set(&["a", "b"]), &set(&["b", "c"]))), ["- s[] \"a\"", "+ s[] \"c\""]);
    }
}
