//! What a configuration says of a thing is not always followed: what is there counts in its place.

use super::Schema;
use crate::state::Record;
use crate::value::{Data, Entry, Mapping, Sequence, Value};
use std::sync::Arc;

/// What a kind is asked for `ignore_changes`.
#[derive(Debug, Clone, Copy)]
pub struct Ignored<'a> {
    /// The arguments as configured.
    pub arguments: &'a Value,
    /// The ignored parts of them, step by step: the argument's name, then names, keys and indexes.
    pub paths: &'a [Vec<Arc<str>>],
    /// What the state remembers.
    pub prior: &'a Record,
    /// What a read found, in the kind's own shape; nothing when refresh is off.
    pub observed: Option<&'a Value>,
}

/// The arguments with what was found in the place of ignored parts; what was not found, or not looked at, is as the state remembers it.
pub fn ignoring(schema: &Schema, asked: Ignored<'_>) -> Value {
    let is_attributes = |value: &&Value| value.entries().iter().all(|entry| schema.attribute(&entry.key).is_some());
    let found = asked.observed.filter(is_attributes);
    asked.paths.iter().fold(asked.arguments.clone(), |arguments, path| {
        let head = path.first().map_or("", |name| name);
        let from = found.filter(|found| found.get(head).is_some()).unwrap_or(&asked.prior.attributes);
        let there = path.iter().try_fold(from, |at, step| step_into(at, step));
        replaced(&arguments, path, there)
    })
}

/// What lies one step below a value.
fn step_into<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value.data() {
        Data::Sequence(sequence) => sequence.items().get(step.parse::<usize>().ok()?),
        _ => value.get(step),
    }
}

/// A value with another one at a path; without one nothing stands there: an argument is null, an entry gone, an element as it was. What the
/// path does not lead into stays.
pub fn replaced(value: &Value, path: &[Arc<str>], by: Option<&Value>) -> Value {
    let Some((step, rest)) = path.split_first() else { return by.cloned().unwrap_or_else(Value::null) };
    let below = |at: &Value| if rest.is_empty() { by.cloned() } else { Some(replaced(at, rest, by)) };
    let made = match value.data() {
        Data::Mapping(mapping) => {
            let known = mapping.entries().iter().any(|entry| entry.key == *step);
            let new = by.filter(|_| !known && rest.is_empty()).map(|by| Entry::new(step.clone(), by.clone()));
            let kept = mapping.entries().iter().filter_map(|entry| {
                if entry.key != *step {
                    return Some(entry.clone());
                }
                below(&entry.value).map(|value| Entry { value, ..entry.clone() })
            });
            let mut entries: Vec<Entry> = kept.chain(new).collect();
            entries.sort_by(|one, other| one.key.cmp(&other.key));
            Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries)))
        }
        Data::Sequence(sequence) => {
            let items = sequence
                .items()
                .iter()
                .enumerate()
                .map(|(at, item)| if at.to_string() == **step { below(item).unwrap_or_else(|| item.clone()) } else { item.clone() });
            Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items.collect())))
        }
        _ => return value.clone(),
    };
    Value::new(made).with_origin(value.origin()).sensitive_if(value.is_marked_sensitive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn a_part_is_replaced_added_or_removed_where_its_path_leads() {
        let value = json!({ "a": { "x.y/z": 1, "b": [{ "c": 1 }, { "c": 2 }] }, "n": null });
        for (path, by, expected) in [
            (vec!["a", "x.y/z"], Some(json!(7)), json!({ "a": { "x.y/z": 7, "b": [{ "c": 1 }, { "c": 2 }] }, "n": null })),
            (vec!["a", "x.y/z"], None, json!({ "a": { "b": [{ "c": 1 }, { "c": 2 }] }, "n": null })),
            (vec!["a", "b", "1", "c"], Some(json!(7)), json!({ "a": { "x.y/z": 1, "b": [{ "c": 1 }, { "c": 7 }] }, "n": null })),
            (vec!["a", "b", "5", "c"], Some(json!(7)), value.clone()),
            (vec!["a", "b", "0"], None, value.clone()),
            (vec!["a", "new"], Some(json!("v")), json!({ "a": { "new": "v", "x.y/z": 1, "b": [{ "c": 1 }, { "c": 2 }] }, "n": null })),
            (vec!["n", "deep", "er"], Some(json!(1)), value.clone()),
            (vec!["a"], Some(json!([])), json!({ "a": [], "n": null })),
        ] {
            let path: Vec<Arc<str>> = path.into_iter().map(Arc::from).collect();
            let by: Option<Json> = by;
            let made = replaced(&Value::from_json(&value), &path, by.as_ref().map(Value::from_json).as_ref());
            assert_eq!(made.to_json().ok(), Some(expected), "{path:?}");
        }
    }
}
