//! Which fields an object sets, and which differ between two objects.

use super::field_set::FieldSet;
use super::shape::{Relation, Shape, element};
use crate::object::Json;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// How an object differs from what it was.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Differences {
    /// In the new object only.
    pub(crate) added: FieldSet,
    /// In both, with other values.
    pub(crate) modified: FieldSet,
    /// In the old object only.
    pub(crate) removed: FieldSet,
}

/// The fields that an applied configuration sets: leaves, items of keyed lists, maps that are empty, and what a schema does not name.
pub(crate) fn fields_of(config: &Json, shape: Shape<'_>) -> FieldSet {
    let mut set = FieldSet::default();
    let Some(fields) = config.as_object() else { return set };
    for (name, value) in fields {
        set.children.insert(format!("f:{name}"), applied(value, shape.top(name)));
    }
    set.children.retain(|_, below| !below.is_empty());
    set
}

fn applied(value: &Json, shape: Shape<'_>) -> FieldSet {
    let relation = shape.relation();
    let mut set = FieldSet::default();
    match value {
        Json::Object(fields) if !fields.is_empty() && relation != Relation::Atomic => {
            set.member = shape.is_untyped();
            for (name, value) in fields {
                let mut below = applied(value, shape.field(name));
                below.member |= !shape.declares(name);
                set.children.insert(format!("f:{name}"), below);
            }
            set.children.retain(|_, below| !below.is_empty());
        }
        // A list of no items sets none.
        Json::Array(items) if is_by_item(relation) => {
            for item in items {
                let mut below = applied(item, shape.item());
                below.member = true;
                set.children.insert(element(relation, item).unwrap_or_default(), below);
            }
        }
        _ => set.member = true,
    }
    set
}

fn is_by_item(relation: Relation<'_>) -> bool {
    matches!(relation, Relation::Set | Relation::Keyed(_))
}

/// How `new` differs from `old`. What is added or removed counts with every map, list and item on the way that comes or goes with it.
pub(crate) fn compare(old: &Json, new: &Json, shape: Shape<'_>) -> Differences {
    let mut differences = Differences::default();
    let empty = serde_json::Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
        differences.put(&format!("f:{name}"), between(old.get(name), new.get(name), shape.top(name)));
    }
    differences
}

impl Differences {
    fn put(&mut self, step: &str, below: Self) {
        for (set, child) in [(&mut self.added, below.added), (&mut self.modified, below.modified), (&mut self.removed, below.removed)] {
            if !child.is_empty() {
                set.children.insert(step.to_owned(), child);
            }
        }
    }
}

fn between(old: Option<&Json>, new: Option<&Json>, shape: Shape<'_>) -> Differences {
    let mut differences = Differences::default();
    let relation = shape.relation();
    match (old, new) {
        (None, None) => {}
        (None, Some(new)) => differences.added = all_of(new, shape),
        (Some(old), None) => differences.removed = all_of(old, shape),
        (Some(Json::Object(old)), Some(Json::Object(new))) if relation != Relation::Atomic => {
            for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
                differences.put(&format!("f:{name}"), between(old.get(name), new.get(name), shape.field(name)));
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) if is_by_item(relation) => {
            let (old, new) = (by_step(old, relation), by_step(new, relation));
            for step in old.keys().chain(new.keys().filter(|step| !old.contains_key(*step))) {
                let below = between(old.get(step).copied(), new.get(step).copied(), shape.item());
                differences.put(step, below);
            }
        }
        // What is written as null has nothing in it.
        (Some(Json::Null), Some(Json::Array(_))) if is_by_item(relation) => return between(Some(&json!([])), new, shape),
        (Some(Json::Array(_)), Some(Json::Null)) if is_by_item(relation) => return between(old, Some(&json!([])), shape),
        (Some(old), Some(new)) => {
            differences.modified.member = old != new;
            // What became a map has its fields added, and what was one has them removed.
            if relation != Relation::Atomic {
                let fields = |value: &Json| if value.is_object() { all_of(value, shape).children } else { BTreeMap::new() };
                (differences.added.children, differences.removed.children) = (fields(new), fields(old));
            }
        }
    }
    differences
}

pub(super) fn by_step<'a>(items: &'a [Json], relation: Relation<'_>) -> BTreeMap<String, &'a Json> {
    items.iter().map(|item| (element(relation, item).unwrap_or_default(), item)).collect()
}

fn all_of(value: &Json, shape: Shape<'_>) -> FieldSet {
    let relation = shape.relation();
    let mut set = FieldSet::leaf();
    match value {
        Json::Object(fields) if relation != Relation::Atomic => {
            for (name, value) in fields {
                set.children.insert(format!("f:{name}"), all_of(value, shape.field(name)));
            }
        }
        Json::Array(items) if is_by_item(relation) => {
            for item in items {
                set.children.insert(element(relation, item).unwrap_or_default(), all_of(item, shape.item()));
            }
        }
        _ => {}
    }
    set
}

/// Which item of a keyed list or a set stands there twice, as the server says it; nothing if none does.
pub(crate) fn duplicate(object: &Json, shape: Shape<'_>) -> Option<String> {
    object.as_object()?.iter().find_map(|(name, value)| twice(value, shape.top(name), &format!(".{name}")))
}

fn twice(value: &Json, shape: Shape<'_>, path: &str) -> Option<String> {
    let relation = shape.relation();
    match value {
        Json::Object(fields) => fields.iter().find_map(|(name, value)| twice(value, shape.field(name), &format!("{path}.{name}"))),
        Json::Array(items) if is_by_item(relation) => {
            let mut seen = BTreeSet::new();
            for item in items {
                let step = element(relation, item).unwrap_or_default();
                if !seen.insert(step.clone()) {
                    return Some(format!("{path}: duplicate entries for key {}", key(&step)));
                }
            }
            items.iter().find_map(|item| twice(item, shape.item(), &format!("{path}{}", key(&element(relation, item).unwrap_or_default()))))
        }
        _ => None,
    }
}

/// A step such as `k:{"name":"a"}` as paths have it: `[name="a"]`.
fn key(step: &str) -> String {
    let Some(keys) = step.strip_prefix("k:").and_then(|keys| serde_json::from_str::<Json>(keys).ok()) else {
        return format!("[={}]", step.trim_start_matches("v:"));
    };
    let keys = keys.as_object().into_iter().flatten().map(|(name, value)| format!("{name}={value}"));
    format!("[{}]", keys.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;
    use serde_json::json;

    #[test]
    fn a_configuration_sets_its_leaves_and_items() {
        let resource = builtin("apps", "v1", "deployments").expect("deployments");
        let config = json!({
            "metadata": { "labels": { "a": "1" }, "annotations": {} },
            "spec": { "selector": { "matchLabels": { "a": "1" } }, "template": { "spec": { "containers": [{ "name": "c", "args": ["x"] }] } } },
        });
        let expected = json!({
            "f:metadata": { "f:labels": { "f:a": {} }, "f:annotations": {} },
            "f:spec": { "f:selector": {}, "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"c\"}": { ".": {}, "f:name": {}, "f:args": {} } } } } },
        });
        assert_eq!(fields_of(&config, Shape::of(&resource)).to_json(), expected);
    }

    #[test]
    fn differences_are_by_field_item_and_whole_list() {
        let resource = builtin("apps", "v1", "deployments").expect("deployments");
        let pod = |containers: Json| json!({ "spec": { "template": { "spec": { "containers": containers } } } });
        let old = pod(json!([{ "name": "a", "args": ["x"], "image": "1" }, { "name": "gone" }]));
        let new = pod(json!([{ "name": "new", "image": "2" }, { "name": "a", "args": ["x", "y"], "image": "1" }]));
        let differences = compare(&old, &new, Shape::of(&resource));
        let within = |set: &FieldSet| set.to_json().pointer("/f:spec/f:template/f:spec/f:containers").cloned().unwrap_or_default();
        assert_eq!(within(&differences.added), json!({ "k:{\"name\":\"new\"}": { ".": {}, "f:image": {}, "f:name": {} } }));
        assert_eq!(within(&differences.modified), json!({ "k:{\"name\":\"a\"}": { "f:args": {} } }));
        assert_eq!(within(&differences.removed), json!({ "k:{\"name\":\"gone\"}": { ".": {}, "f:name": {} } }));
        assert_eq!(compare(&old, &old, Shape::of(&resource)), Differences::default());
    }

    #[test]
    fn items_are_there_once() {
        let resource = builtin("", "v1", "pods").expect("pods");
        let pod = |containers: Json| json!({ "spec": { "containers": containers } });
        for (object, expected) in [
            (pod(json!([{ "name": "a" }, { "name": "b" }])), None),
            (pod(json!([{ "name": "a" }, { "name": "a" }])), Some(".spec.containers: duplicate entries for key [name=\"a\"]")),
            (
                pod(json!([{ "name": "a", "env": [{ "name": "E" }, { "name": "E" }] }])),
                Some(".spec.containers[name=\"a\"].env: duplicate entries for key [name=\"E\"]"),
            ),
        ] {
            assert_eq!(duplicate(&object, Shape::of(&resource)).as_deref(), expected);
        }
    }

    #[test]
    fn without_a_schema_the_maps_on_the_way_are_fields_too() {
        let mut resource = (*builtin("", "v1", "configmaps").expect("configmaps")).clone();
        resource.schema = Some(crate::resource::Schema::of(&json!({ "x-kubernetes-preserve-unknown-fields": true })));
        let fields = fields_of(&json!({ "spec": { "values": { "x": 1 } } }), Shape::of(&resource));
        assert_eq!(fields.to_json(), json!({ "f:spec": { ".": {}, "f:values": { ".": {}, "f:x": {} } } }));
    }
}
