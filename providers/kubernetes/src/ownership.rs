//! Who owns which fields of a live object, as its `managedFields` say.

use crate::object_kind::Json;
use serde_json::Map;
use std::collections::BTreeMap;

/// What the field managers of records begin with.
const RECORDS: &str = "meshplan/";

/// The field manager of a record.
pub(crate) fn manager(id: &str) -> String {
    format!("{RECORDS}{id}")
}

/// The part of a live object that a manager owns by applying, with the object's name; only that if it owns none.
pub(crate) fn owned(live: &Json, manager: &str) -> Json {
    let fields = applied_fields(live, manager).filter(|fields| fields.as_object().is_some_and(|fields| !fields.is_empty()));
    let mut part = fields.map_or_else(|| Json::Object(Map::new()), |fields| project(live, fields));
    if let Json::Object(part) = &mut part {
        for key in ["apiVersion", "kind"] {
            part.insert(key.to_owned(), live.get(key).cloned().unwrap_or_default());
        }
        let metadata = part.entry("metadata").or_insert_with(|| Json::Object(Map::new()));
        for key in ["name", "namespace"] {
            if let (Some(metadata), Some(value)) = (metadata.as_object_mut(), live.pointer(&format!("/metadata/{key}"))) {
                metadata.insert(key.to_owned(), value.clone());
            }
        }
    }
    part
}

/// Whether a manager has applied anything to the object.
pub(crate) fn is_applied_by(live: &Json, manager: &str) -> bool {
    applied_fields(live, manager).is_some()
}

/// Whether nobody but this manager has written the object itself; its status does not count. Who applies no more than a name is
/// not listed by servers: an object without any writer is one that nobody made more of.
pub(crate) fn is_made_by(live: &Json, manager: &str) -> bool {
    let mut writers = entries(live).iter().filter(|entry| text(entry, "subresource").is_none()).map(|entry| text(entry, "manager"));
    writers.all(|writer| writer == Some(manager))
}

/// Whether an object that a create of ours was to make is that one: it bears our mark, or is as bare as what bears none.
pub(crate) fn is_ours(live: &Json, manager: &str) -> bool {
    is_applied_by(live, manager) || is_made_by(live, manager)
}

/// The managers other than this one that own a field, given as steps such as `["f:spec", "f:replicas"]`, by any operation.
pub(crate) fn other_owners<'a>(live: &'a Json, manager: &str, field: &[&str]) -> Vec<&'a str> {
    let owns = |entry: &&Json| {
        let fields = entry.get("fieldsV1");
        field.iter().try_fold(fields, |fields, step| fields.map(|fields| fields.get(*step))).flatten().is_some()
    };
    let others = entries(live).iter().filter(|entry| text(entry, "manager") != Some(manager));
    others.filter(owns).filter_map(|entry| text(entry, "manager")).collect()
}

/// The managers that own a field by applying, given as for [`other_owners`].
pub(crate) fn appliers<'a>(live: &'a Json, field: &[&str]) -> Vec<&'a str> {
    let owns = |entry: &&Json| {
        let fields = entry.get("fieldsV1");
        field.iter().try_fold(fields, |fields, step| fields.map(|fields| fields.get(*step))).flatten().is_some()
    };
    let applied = entries(live).iter().filter(|entry| text(entry, "operation") == Some("Apply"));
    applied.filter(owns).filter_map(|entry| text(entry, "manager")).collect()
}

/// When a manager last wrote the object, if it did.
pub(crate) fn last_write<'a>(live: &'a Json, manager: &str) -> Option<&'a str> {
    entries(live).iter().filter(|entry| text(entry, "manager") == Some(manager)).filter_map(|entry| text(entry, "time")).max()
}

/// The first of other records' managers among those of the object.
pub(crate) fn other_record<'a>(live: &'a Json, manager: &str) -> Option<&'a str> {
    other_records(live, manager).into_iter().next().map(|(_, other)| other)
}

/// The managers of other records among those of the object, by the ids of these records.
pub(crate) fn other_records<'a>(live: &'a Json, manager: &str) -> BTreeMap<&'a str, &'a str> {
    let managers = entries(live).iter().filter_map(|entry| text(entry, "manager"));
    let others = managers.filter(|other| *other != manager);
    others.filter_map(|other| Some((other.strip_prefix(RECORDS)?, other))).collect()
}

/// What the server says of who wrote what.
pub(crate) fn entries(live: &Json) -> &[Json] {
    live.pointer("/metadata/managedFields").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(entry: &'a Json, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}

fn applied_fields<'a>(live: &'a Json, manager: &str) -> Option<&'a Json> {
    let mut ours = entries(live).iter().filter(|entry| text(entry, "manager") == Some(manager));
    ours.find(|entry| text(entry, "operation") == Some("Apply") && text(entry, "subresource").is_none())?.get("fieldsV1")
}

/// The part of a value that a set of fields covers. An empty set is a leaf: the value as a whole.
fn project(live: &Json, fields: &Json) -> Json {
    let Some(fields) = fields.as_object().filter(|fields| !fields.is_empty()) else { return live.clone() };
    match live {
        Json::Object(entries) => {
            let within = fields.iter().filter_map(|(step, fields)| {
                let key = step.strip_prefix("f:")?;
                Some((key.to_owned(), project(entries.get(key)?, fields)))
            });
            Json::Object(within.collect())
        }
        Json::Array(items) => {
            let within = items.iter().enumerate().filter_map(|(at, item)| {
                let (_, fields) = fields.iter().find(|(step, _)| selects(step, at, item))?;
                Some(project(item, fields))
            });
            Json::Array(within.collect())
        }
        leaf => leaf.clone(),
    }
}

/// Whether a step such as `k:{"name":"http"}`, `v:"text"` or `i:0` means this element.
pub(crate) fn selects(step: &str, at: usize, item: &Json) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Json>(text).ok();
    match step.split_once(':') {
        Some(("k", keys)) => match parsed(keys) {
            Some(Json::Object(keys)) => keys.iter().all(|(key, value)| item.get(key) == Some(value)),
            _ => false,
        },
        Some(("v", value)) => parsed(value).as_ref() == Some(item),
        Some(("i", index)) => index.parse() == Ok(at),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live() -> Json {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "a", "namespace": "n", "uid": "u", "labels": { "ours": "1", "theirs": "2" }, "finalizers": ["x", "y"],
                "managedFields": [
                    { "manager": "meshplan/r1", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": {
                        "f:metadata": { "f:labels": { "f:ours": {} }, "f:finalizers": { "v:\"y\"": {} } },
                        "f:spec": { "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"app\"}": {
                            ".": {}, "f:name": {}, "f:image": {}, "f:ports": { "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} } } } },
                            "f:volumes": {} } } } } },
                    { "manager": "meshplan/r1", "operation": "Update", "subresource": "status", "fieldsV1": { "f:status": {} } },
                    { "manager": "kube-controller-manager", "operation": "Update", "subresource": "scale", "time": "2026-01-02T00:00:00Z",
                        "fieldsV1": { "f:spec": { "f:replicas": {} } } },
                ] },
            "spec": { "replicas": 3, "template": { "spec": {
                "volumes": [{ "name": "v", "emptyDir": {} }],
                "containers": [
                    { "name": "sidecar", "image": "s" },
                    { "name": "app", "image": "a", "imagePullPolicy": "Always", "ports": [{ "containerPort": 80, "protocol": "TCP" }] }] } } },
            "status": { "replicas": 3 },
        })
    }

    #[test]
    fn the_owned_part_is_what_was_applied() {
        let expected = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "a", "namespace": "n", "labels": { "ours": "1" }, "finalizers": ["y"] },
            "spec": { "template": { "spec": {
                "volumes": [{ "name": "v", "emptyDir": {} }],
                "containers": [{ "name": "app", "image": "a", "ports": [{ "containerPort": 80 }] }] } } },
        });
        assert_eq!(owned(&live(), "meshplan/r1"), expected);
        let name = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a", "namespace": "n" } });
        assert_eq!(owned(&live(), "meshplan/r2"), name);
    }

    #[test]
    fn owners_are_told_apart() {
        let live = live();
        assert_eq!(other_owners(&live, "meshplan/r1", &["f:spec", "f:replicas"]), ["kube-controller-manager"]);
        assert!(other_owners(&live, "meshplan/r1", &["f:spec", "f:template"]).is_empty());
        assert_eq!(last_write(&live, "kube-controller-manager"), Some("2026-01-02T00:00:00Z"));
        assert_eq!(other_record(&live, "meshplan/r1"), None);
        assert_eq!(other_record(&live, "meshplan/r2"), Some("meshplan/r1"));
        assert!(is_applied_by(&live, "meshplan/r1") && !is_applied_by(&live, "kube-controller-manager"));
        assert!(is_made_by(&live, "meshplan/r1") && !is_made_by(&live, "meshplan/r2"));
        assert!(is_ours(&live, "meshplan/r1") && !is_ours(&live, "meshplan/r2"));
        let written = |by: Json| json!({ "metadata": { "managedFields": by } });
        let status = json!({ "manager": "istiod", "operation": "Update", "subresource": "status" });
        let hand = json!({ "manager": "kubectl-create", "operation": "Update" });
        assert!(is_ours(&json!({}), "meshplan/r1") && is_ours(&written(json!([status])), "meshplan/r1"));
        assert!(!is_ours(&written(json!([status, hand])), "meshplan/r1"));
    }

    #[test]
    fn elements_are_found_by_key_value_or_index() {
        let item = json!({ "name": "http", "port": 80 });
        for (step, selected) in [
            ("k:{\"name\":\"http\"}", true),
            ("k:{\"name\":\"https\"}", false),
            ("k:no", false),
            ("i:2", true),
            ("i:1", false),
            (".", false),
        ] {
            assert_eq!(selects(step, 2, &item), selected, "{step}");
        }
        assert!(selects("v:\"x\"", 0, &json!("x")));
    }
}
