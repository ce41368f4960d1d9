//! Deletes, with what holds them up.

use super::super::sequence::{Sequence, controlled, create, delete, delete_with, get, merge, sequence};
use super::{config_map, labelled};
use serde_json::json;

pub(super) fn sequences() -> Vec<Sequence> {
    vec![finalizers(), preconditions(), collections(), namespaces(), owners()]
}

fn finalizers() -> Sequence {
    let mut map = config_map("a", &json!({ "x": "1" }));
    map["metadata"]["finalizers"] = json!(["example.org/hold"]);
    sequence(
        "finalizers",
        vec![
            create("configmaps", &map),
            delete("configmaps/a"),
            delete("configmaps/a"),
            get("configmaps/a"),
            create("configmaps", &map),
            merge("configmaps/a", &json!({ "metadata": { "finalizers": ["example.org/hold", "example.org/more"] } })),
            merge("configmaps/a", &json!({ "data": { "x": "2" } })),
            merge("configmaps/a", &json!({ "metadata": { "finalizers": null } })),
            get("configmaps/a"),
            delete("configmaps/a"),
        ],
    )
}

fn preconditions() -> Sequence {
    let uid = |uid: &str| json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
    let version = |version: &str| json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "resourceVersion": version } });
    sequence(
        "delete-preconditions",
        vec![
            create("configmaps", &config_map("a", &json!({}))),
            delete_with("configmaps/a", &uid("11111111-1111-4111-8111-111111111111")),
            merge("configmaps/a", &json!({ "data": { "x": "1" } })),
            delete_with("configmaps/a", &version("${1/metadata/resourceVersion}")),
            delete_with("configmaps/a", &uid("${1/metadata/uid}")),
            delete_with("configmaps/a", &uid("${1/metadata/uid}")),
            delete_with("configmaps/a", &json!({ "propagationPolicy": "Nonsense" })),
        ],
    )
}

fn collections() -> Sequence {
    sequence(
        "delete-collection",
        vec![
            create("configmaps", &labelled("ConfigMap", "a", &json!({ "l": "1" }))),
            create("configmaps", &labelled("ConfigMap", "b", &json!({ "l": "2" }))),
            create("configmaps", &labelled("ConfigMap", "c", &json!({ "l": "1" }))),
            delete("configmaps?labelSelector=l%3D1"),
            get("configmaps?labelSelector=l"),
            delete("configmaps?labelSelector=none"),
        ],
    )
}

fn namespaces() -> Sequence {
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "${ns}-inner" } });
    let map = config_map("a", &json!({}));
    let maps = "/api/v1/namespaces/${ns}-inner/configmaps";
    let mut held = map.clone();
    held["metadata"]["finalizers"] = json!(["example.org/hold"]);
    controlled(
        "namespaces",
        vec![
            create("/api/v1/namespaces", &namespace),
            create(maps, &held),
            delete("/api/v1/namespaces/${ns}-inner"),
            create(maps, &config_map("b", &json!({}))),
            get(&format!("{maps}/a")).until_there("/metadata/deletionTimestamp"),
            merge(&format!("{maps}/a"), &json!({ "metadata": { "finalizers": null } })),
            get("/api/v1/namespaces/${ns}-inner").until(404),
            get(&format!("{maps}/a")),
            get(maps),
            delete("/api/v1/namespaces/default"),
        ],
    )
}

fn owners() -> Sequence {
    let mut owned = config_map("b", &json!({}));
    owned["metadata"]["ownerReferences"] =
        json!([{ "apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "${1/metadata/uid}", "blockOwnerDeletion": true }]);
    controlled(
        "owner-references",
        vec![
            create("configmaps", &config_map("a", &json!({}))),
            create("configmaps", &owned),
            delete("configmaps/a"),
            get("configmaps/b").until(404),
            create("configmaps", &config_map("a", &json!({}))),
            create("configmaps", &{
                owned["metadata"]["ownerReferences"][0]["uid"] = "${5/metadata/uid}".into();
                owned
            }),
            delete_with("configmaps/a", &json!({ "propagationPolicy": "Orphan" })),
            get("configmaps/a").until(404),
            get("configmaps/b"),
        ],
    )
}
