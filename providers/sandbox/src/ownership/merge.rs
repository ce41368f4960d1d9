//! Laying an applied configuration over what is there, and taking out what is no longer applied.

use super::compare::by_step;
use super::field_set::FieldSet;
use super::shape::{Relation, Shape, element};
use crate::object::Json;

/// The object that a configuration makes of what is there.
pub(crate) fn merge(live: &Json, config: &Json, shape: Shape<'_>) -> Json {
    let mut merged = live.as_object().cloned().unwrap_or_default();
    for (name, value) in config.as_object().into_iter().flatten() {
        let value = over(merged.get(name), value, shape.top(name));
        merged.insert(name.clone(), value);
    }
    Json::Object(merged)
}

fn over(live: Option<&Json>, config: &Json, shape: Shape<'_>) -> Json {
    let relation = shape.relation();
    match (live, config) {
        (Some(Json::Object(live)), Json::Object(config)) if relation != Relation::Atomic => {
            let mut merged = live.clone();
            for (name, value) in config {
                let value = over(merged.get(name), value, shape.field(name));
                merged.insert(name.clone(), value);
            }
            Json::Object(merged)
        }
        (Some(Json::Array(live)), Json::Array(config)) if matches!(relation, Relation::Set | Relation::Keyed(_)) => {
            Json::Array(items_over(live, config, shape))
        }
        (_, config) => config.clone(),
    }
}

/// The configuration's items in its order; what only the live list has comes as early as the items that both have allow.
fn items_over(live: &[Json], config: &[Json], shape: Shape<'_>) -> Vec<Json> {
    let relation = shape.relation();
    let wanted = by_step(config, relation);
    let there = by_step(live, relation);
    let mut merged = Vec::with_capacity(live.len() + config.len());
    let mut rest = live.iter().map(|item| (element(relation, item).unwrap_or_default(), item)).peekable();
    let steps: Vec<_> = config.iter().map(|item| element(relation, item).unwrap_or_default()).collect();
    for (at, item) in config.iter().enumerate() {
        let step = steps[at].clone();
        let next_of_both = steps[at..].iter().find(|step| there.contains_key(*step));
        while let Some((other, kept)) = rest.next_if(|(other, _)| Some(other) != next_of_both) {
            if !wanted.contains_key(&other) {
                merged.push(kept.clone());
            }
        }
        rest.next_if(|(other, _)| *other == step);
        merged.push(over(there.get(&step).copied(), item, shape.item()));
    }
    merged.extend(rest.filter(|(step, _)| !wanted.contains_key(step)).map(|(_, item)| item.clone()));
    merged
}

/// Takes out what is in `last` and in nobody's `kept`. A map or item whose last owner leaves goes with all within, also what no one owned.
pub(crate) fn prune(object: &mut Json, last: &FieldSet, kept: &FieldSet, shape: Shape<'_>) {
    for (step, below) in &last.children {
        let Some(name) = step.strip_prefix("f:") else { continue };
        match kept.children.get(step) {
            Some(kept) => {
                if let Some(value) = object.get_mut(name) {
                    prune_within(value, below, kept, shape.top(name));
                }
            }
            // The server's own metadata is nobody's to give up.
            None if name == "metadata" => {}
            None => {
                object.as_object_mut().map(|fields| fields.remove(name));
            }
        }
    }
}

fn prune_within(value: &mut Json, last: &FieldSet, kept: &FieldSet, shape: Shape<'_>) {
    let relation = shape.relation();
    let was_empty = is_empty(value);
    match value {
        Json::Object(fields) if relation != Relation::Atomic => {
            for (step, below) in &last.children {
                let Some(name) = step.strip_prefix("f:") else { continue };
                match kept.children.get(step) {
                    Some(kept) => {
                        if let Some(value) = fields.get_mut(name) {
                            prune_within(value, below, kept, shape.field(name));
                        }
                    }
                    None => {
                        fields.remove(name);
                    }
                }
            }
        }
        Json::Array(items) => {
            items.retain_mut(|item| {
                let Some(step) = element(relation, item) else { return true };
                match (last.children.get(&step), kept.children.get(&step)) {
                    (Some(_), None) => false,
                    (Some(below), Some(kept)) => {
                        prune_within(item, below, kept, shape.item());
                        true
                    }
                    (None, _) => true,
                }
            });
        }
        _ => {}
    }
    // What lost all that was in it is null, which built-in kinds do not tell from nothing.
    if !was_empty && is_empty(value) && !shape.is_built_in() {
        *value = Json::Null;
    }
}

fn is_empty(value: &Json) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;
    use serde_json::json;

    fn merged(live: &Json, config: &Json) -> Json {
        let resource = builtin("", "v1", "services").expect("services");
        merge(live, config, Shape::of(&resource))
    }

    #[test]
    fn maps_merge_by_field_and_atomic_ones_as_a_whole() {
        let live = json!({ "metadata": { "labels": { "a": "1" } }, "spec": { "selector": { "app": "x" }, "type": "ClusterIP" } });
        let config = json!({ "metadata": { "labels": { "b": "2" } }, "spec": { "selector": { "other": "y" } } });
        let expected =
            json!({ "metadata": { "labels": { "a": "1", "b": "2" } }, "spec": { "selector": { "other": "y" }, "type": "ClusterIP" } });
        assert_eq!(merged(&live, &config), expected);
    }

    #[test]
    fn keyed_lists_merge_by_item_in_the_order_of_the_configuration() {
        let live = json!({ "spec": { "ports": [
            { "port": 1, "protocol": "TCP", "nodePort": 30001 }, { "port": 9, "protocol": "TCP" }, { "port": 2, "protocol": "TCP" }] } });
        let config = json!({ "spec": { "ports": [{ "port": 2, "name": "two" }, { "port": 3 }, { "port": 1, "name": "one" }] } });
        let expected = json!([
            { "port": 9, "protocol": "TCP" }, { "port": 2, "protocol": "TCP", "name": "two" }, { "port": 3 },
            { "port": 1, "protocol": "TCP", "nodePort": 30001, "name": "one" }]);
        assert_eq!(merged(&live, &config)["spec"]["ports"], expected);
    }

    #[test]
    fn what_no_one_keeps_is_taken_out() {
        let resource = builtin("", "v1", "services").expect("services");
        let mut object = json!({ "metadata": { "name": "s", "labels": { "a": "1", "b": "2" } },
            "spec": { "ports": [{ "port": 1, "nodePort": 3 }, { "port": 2 }], "type": "NodePort" } });
        let last = FieldSet::from_json(&json!({ "f:metadata": { "f:labels": { "f:a": {}, "f:b": {} } },
            "f:spec": { "f:ports": { "k:{\"port\":1,\"protocol\":\"TCP\"}": { ".": {}, "f:port": {} } }, "f:type": {} } }));
        let kept = FieldSet::from_json(&json!({ "f:metadata": { "f:name": {}, "f:labels": { "f:b": {} } },
            "f:spec": { "f:ports": { "k:{\"port\":2,\"protocol\":\"TCP\"}": { ".": {} } } } }));
        prune(&mut object, &last, &kept, Shape::of(&resource));
        assert_eq!(object, json!({ "metadata": { "name": "s", "labels": { "b": "2" } }, "spec": { "ports": [{ "port": 2 }] } }));
        prune(&mut object, &last, &FieldSet::default(), Shape::of(&resource));
        assert_eq!(object, json!({ "metadata": { "name": "s", "labels": { "b": "2" } } }));
    }
}
