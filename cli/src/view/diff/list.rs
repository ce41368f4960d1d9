//! Lists, tuples and sets: elements are matched by what names them, as far as anything does.

use super::{Difference, Mark, What, same};
use crate::view::value::inline;
use engine::value::{Data, Sequence, SequenceKind, Value, fingerprint};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::BTreeMap;

/// What names the elements of Kubernetes' lists, the most telling first. A list is matched by the first that all elements of both
/// sides have, each value once.
const MERGE_KEYS: &[&[&str]] = &[
    &["name"],
    &["containerPort", "protocol"],
    &["port", "protocol"],
    &["containerPort"],
    &["port"],
    &["mountPath"],
    &["devicePath"],
    &["topologyKey"],
    &["key"],
    &["type"],
    &["ip"],
    &["host"],
];

pub(super) fn compare(difference: &mut Difference, path: &str, before: &Sequence, after: &Sequence) {
    let is_set = |sequence: &Sequence| matches!(sequence.kind(), SequenceKind::Set(_));
    if is_set(before) || is_set(after) {
        compare_sets(difference, path, before.items(), after.items());
    } else if let Some((before, after)) =
        MERGE_KEYS.iter().find_map(|keys| Some((named(before.items(), keys)?, named(after.items(), keys)?)))
    {
        compare_named(difference, path, &before, &after);
    } else {
        compare_ordered(difference, path, before.items(), after.items());
    }
}

/// The elements by the text of their key, if every one has it and no two have the same.
fn named<'a>(items: &'a [Value], keys: &[&str]) -> Option<BTreeMap<String, &'a Value>> {
    let mut named = BTreeMap::new();
    for item in items {
        let mut parts = Vec::new();
        for key in keys {
            parts.push(format!("{key}={}", scalar(item.present(key)?)?));
        }
        if named.insert(parts.join(","), item).is_some() {
            return None;
        }
    }
    Some(named)
}

fn scalar(value: &Value) -> Option<String> {
    if value.is_marked_sensitive() {
        return None;
    }
    match value.data() {
        Data::String(text) if !text.contains(['\n', ']', ',']) => Some(text.to_string()),
        Data::Number(_) | Data::Bool(_) => Some(inline(value)),
        _ => None,
    }
}

fn compare_named(difference: &mut Difference, path: &str, before: &BTreeMap<String, &Value>, after: &BTreeMap<String, &Value>) {
    let null = Value::null();
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of = |side: &BTreeMap<String, &Value>| side.get(name).map_or_else(|| null.clone(), |value| (*value).clone());
        difference.compare(&format!("{path}[{name}]"), &of(before), &of(after));
    }
}

fn compare_sets(difference: &mut Difference, path: &str, before: &[Value], after: &[Value]) {
    let missing = |item: &Value, others: &[Value]| !others.iter().any(|other| same(item, other));
    let path = format!("{path}[]");
    for item in before {
        if missing(item, after) {
            difference.push(Mark::Remove, &path, What::One(item.clone()));
        } else {
            difference.unchanged += 1;
        }
    }
    for item in after.iter().filter(|item| missing(item, before)) {
        difference.push(Mark::Add, &path, What::One(item.clone()));
    }
}

fn compare_ordered(difference: &mut Difference, path: &str, before: &[Value], after: &[Value]) {
    let prints = |items: &[Value]| items.iter().map(fingerprint).collect::<Vec<_>>();
    for op in capture_diff_slices(Algorithm::Myers, &prints(before), &prints(after)) {
        let (_, old, new) = op.as_tag_tuple();
        if let DiffOp::Equal { len, .. } = op {
            difference.unchanged += len;
            continue;
        }
        let paired = old.len().min(new.len());
        for at in 0..paired {
            difference.compare(&format!("{path}[{}]", new.start + at), &before[old.start + at], &after[new.start + at]);
        }
        for (at, item) in before.iter().enumerate().take(old.end).skip(old.start + paired) {
            difference.push(Mark::Remove, &format!("{path}[{at}]"), What::One(item.clone()));
        }
        for (at, item) in after.iter().enumerate().take(new.end).skip(new.start + paired) {
            difference.push(Mark::Add, &format!("{path}[{at}]"), What::One(item.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::lines;
    use super::*;
    use engine::value::Type;
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
            &["~ l[name=b].v 1 -> 2"],
        );
        check(
            &json!([{"port": 80, "protocol": "TCP", "t": 1}, {"port": 80, "protocol": "UDP"}]),
            &json!([{"port": 80, "protocol": "TCP", "t": 2}, {"port": 53, "protocol": "UDP"}]),
            &[
                "+ l[port=53,protocol=UDP] { port = 53, protocol = \"UDP\" }",
                "~ l[port=80,protocol=TCP].t 1 -> 2",
                "- l[port=80,protocol=UDP] { port = 80, protocol = \"UDP\" }",
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
