//! Server-side apply.

use super::super::sequence::{Sequence, apply, create, force, get, merge, raw, sequence};
use super::{config_map, deployment};
use serde_json::json;

pub(super) fn sequences() -> Vec<Sequence> {
    vec![two_managers(), conflicts(), applied_workload(), refused()]
}

fn two_managers() -> Sequence {
    let map = |data| config_map("a", &data);
    sequence(
        "apply-by-two",
        vec![
            apply("configmaps/a", "one", &map(json!({ "x": "1", "shared": "1" }))),
            apply("configmaps/a", "two", &map(json!({ "y": "1", "shared": "1" }))),
            apply("configmaps/a", "one", &map(json!({ "x": "1" }))),
            apply("configmaps/a", "one", &map(json!({ "x": "1" }))),
            apply("configmaps/a", "two", &map(json!({}))),
            apply("configmaps/a", "one", &config_map("a", &json!(null))),
            get("configmaps/a"),
        ],
    )
}

fn conflicts() -> Sequence {
    let map = |value: &str| config_map("a", &json!({ "x": value, "y": value }));
    sequence(
        "apply-conflict",
        vec![
            apply("configmaps/a", "one", &map("1")),
            apply("configmaps/a", "two", &map("2")),
            apply("configmaps/a?dryRun=All", "two", &map("2")),
            force("configmaps/a", "two", &map("2")),
            apply("configmaps/a", "one", &map("3")),
            merge("configmaps/a?fieldManager=three", &json!({ "data": { "x": "4" } })),
            apply("configmaps/a", "two", &map("5")),
            force("configmaps/a", "two", &map("5")),
            get("configmaps/a"),
        ],
    )
}

fn applied_workload() -> Sequence {
    let path = "apps/v1:deployments/d?dryRun=All";
    let mut two = deployment("d");
    two["spec"]["template"]["spec"]["containers"] =
        json!([{ "name": "main", "env": [{ "name": "A", "value": "1" }] }, { "name": "side", "image": "example.org/b:1" }]);
    let mut typed = deployment("d");
    typed["spec"]["replicas"] = "three".into();
    let mut unknown = deployment("d");
    unknown["spec"]["nonsense"] = true.into();
    let mut twice = deployment("d");
    let container = twice["spec"]["template"]["spec"]["containers"][0].clone();
    twice["spec"]["template"]["spec"]["containers"] = json!([container, container]);
    sequence(
        "apply-workload",
        vec![
            apply(path, "one", &deployment("d")),
            apply(path, "one", &two),
            apply(path, "one", &typed),
            apply(path, "one", &unknown),
            apply(path, "one", &twice),
        ],
    )
}

fn refused() -> Sequence {
    let map = config_map("a", &json!({ "x": "1" }));
    let mut managed = map.clone();
    managed["metadata"]["managedFields"] = json!([{ "manager": "m", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": {} }]);
    let mut other = map.clone();
    other["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111".into();
    let content = "application/apply-patch+yaml";
    sequence(
        "apply-refused",
        vec![
            raw("PATCH", "configmaps/a", content, &map.to_string()),
            apply("configmaps/a", "m", &managed),
            apply("configmaps/a", "m", &other),
            create("configmaps", &map),
            apply("configmaps/a", "m", &other),
            apply("configmaps/a", "m", &config_map("b", &json!({}))),
            apply("configmaps/a", "m", &json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a" } })),
            apply("configmaps/a", "m", &json!({ "metadata": { "name": "a" } })),
            raw("PATCH", "configmaps/a?fieldManager=m", content, "data: [\n"),
            raw("PATCH", "configmaps/a?fieldManager=m", "application/nonsense", "{}"),
            raw("PATCH", "configmaps/a?fieldManager=m", content, "apiVersion: v1\nkind: ConfigMap\ndata: { z: \"1\" }\n"),
        ],
    )
}
