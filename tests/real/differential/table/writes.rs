//! Creates, replaces and patches.

use super::super::sequence::{Sequence, apply, create, delete, get, merge, operations, replace, sequence, strategic};
use super::{config_map, deployment, service};
use serde_json::json;

pub(super) fn sequences() -> Vec<Sequence> {
    vec![creates(), replaces(), merges(), json_patches(), strategic_patches(), dry_runs(), refusals(), scales(), services()]
}

fn creates() -> Sequence {
    let map = config_map("a", &json!({ "x": "1" }));
    let mut elsewhere = map.clone();
    elsewhere["metadata"]["namespace"] = "elsewhere".into();
    let mut kind = map.clone();
    kind["kind"] = "Secret".into();
    sequence(
        "create",
        vec![
            create("configmaps", &map),
            get("configmaps/a"),
            create("configmaps", &map),
            get("configmaps/none"),
            create("configmaps?fieldManager=someone", &config_map("b", &json!({}))),
            create("configmaps", &elsewhere),
            create("configmaps", &kind),
            create("configmaps", &config_map("Not_A_Name", &json!({}))),
            create("configmaps", &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": {} })),
            create("secrets", &json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "stringData": { "k": "v" } })),
            create("/api/v1/namespaces/no-such-namespace/configmaps", &map),
            create("configmaps", &json!({ "metadata": { "name": "bare" } })),
        ],
    )
}

fn replaces() -> Sequence {
    let mut versioned = config_map("a", &json!({ "x": "2" }));
    versioned["metadata"]["resourceVersion"] = "${1/metadata/resourceVersion}".into();
    let mut other = config_map("a", &json!({ "x": "2" }));
    other["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111".into();
    sequence(
        "replace",
        vec![
            create("configmaps", &config_map("a", &json!({ "x": "1" }))),
            replace("configmaps/a", &versioned),
            replace("configmaps/a", &versioned),
            replace("configmaps/a", &config_map("a", &json!({ "x": "2" }))),
            replace("configmaps/a", &config_map("a", &json!({ "y": "2" }))),
            replace("configmaps/a", &other),
            replace("configmaps/a", &config_map("b", &json!({}))),
            replace("configmaps/none", &config_map("none", &json!({}))),
            replace("configmaps/none", &versioned),
        ],
    )
}

fn merges() -> Sequence {
    sequence(
        "merge-patch",
        vec![
            create("configmaps", &config_map("a", &json!({ "x": "1", "y": "1" }))),
            merge("configmaps/a?fieldManager=one", &json!({ "data": { "x": null, "z": "2" } })),
            merge("configmaps/a?fieldManager=two", &json!({ "metadata": { "labels": { "l": "1" } } })),
            merge("configmaps/a?fieldManager=two", &json!({ "metadata": { "labels": { "l": "1" } } })),
            merge("configmaps/a", &json!({ "metadata": { "resourceVersion": "1" } })),
            merge("configmaps/a", &json!({ "metadata": { "name": "b" } })),
            merge("configmaps/a", &json!({ "data": { "x": 1 } })),
            merge("configmaps/a", &json!([])),
            merge("configmaps/none", &json!({ "data": {} })),
            merge("configmaps/a?fieldValidation=Strict", &json!({ "dta": {} })),
            merge("configmaps/a", &json!({ "dta": {} })),
            get("configmaps/a"),
        ],
    )
}

fn json_patches() -> Sequence {
    let op = |op: &str, path: &str, value: &str| json!([{ "op": op, "path": path, "value": value }]);
    sequence(
        "json-patch",
        vec![
            create("configmaps", &config_map("a/b", &json!({}))),
            create("configmaps", &config_map("b", &json!({ "a/b": "1" }))),
            create("configmaps", &config_map("a", &json!({ "x": "1" }))),
            operations("configmaps/a", &op("add", "/data/y", "2")),
            operations("configmaps/a", &op("test", "/data/y", "2")),
            operations("configmaps/a", &op("test", "/data/y", "3")),
            operations("configmaps/a", &json!([{ "op": "add", "path": "/metadata/annotations", "value": { "a/b": "1" } }])),
            operations("configmaps/a", &op("replace", "/metadata/annotations/a~1b", "2")),
            operations("configmaps/a", &op("replace", "/data/none", "2")),
            operations("configmaps/a", &json!([{ "op": "remove", "path": "/data/x" }])),
            operations("configmaps/a", &json!([{ "op": "remove", "path": "/data/x" }])),
            operations("configmaps/a", &json!([{ "op": "move", "from": "/data/y", "path": "/data/z" }])),
            operations("configmaps/a", &json!([{ "op": "copy", "from": "/data/z", "path": "/data/w" }])),
            operations("configmaps/a", &op("nonsense", "/data/w", "2")),
            operations("configmaps/a", &json!({ "data": {} })),
            get("configmaps/a"),
        ],
    )
}

fn strategic_patches() -> Sequence {
    let ports = |ports: &serde_json::Value| json!({ "spec": { "ports": ports } });
    sequence(
        "strategic-merge-patch",
        vec![
            create("services", &service("s")),
            strategic("services/s", &ports(&json!([{ "port": 443, "name": "https" }]))),
            strategic("services/s", &ports(&json!([{ "port": 443, "targetPort": 8443 }]))),
            strategic("services/s", &ports(&json!([{ "port": 443, "$patch": "delete" }]))),
            strategic("services/s", &json!({ "spec": { "selector": { "$patch": "replace", "b": "c" } } })),
            strategic("services/s", &json!({ "metadata": { "finalizers": ["example.org/a"] } })),
            strategic("services/s", &json!({ "metadata": { "finalizers": ["example.org/b"] } })),
            strategic("services/s", &json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["example.org/a", "example.org/b"] } })),
            strategic("services/s", &json!({ "spec": { "selector": null } })),
        ],
    )
}

fn dry_runs() -> Sequence {
    let map = config_map("a", &json!({ "x": "1" }));
    sequence(
        "dry-run",
        vec![
            create("configmaps?dryRun=All", &map),
            get("configmaps/a"),
            create("configmaps?dryRun=Some", &map),
            create("configmaps", &map),
            create("configmaps?dryRun=All", &map),
            merge("configmaps/a?dryRun=All", &json!({ "data": { "y": "1" } })),
            replace("configmaps/a?dryRun=All", &config_map("a", &json!({ "z": "1" }))),
            delete("configmaps/a?dryRun=All"),
            get("configmaps/a"),
        ],
    )
}

fn refusals() -> Sequence {
    let mut unknown = config_map("b", &json!({}));
    unknown["dta"] = json!({ "x": "1" });
    let mut empty = deployment("d");
    empty["spec"]["template"]["spec"]["containers"] = json!([]);
    let mut wrong = deployment("d");
    wrong["spec"]["template"]["metadata"]["labels"] = json!({ "other": "x" });
    let mut text = deployment("d");
    text["spec"]["replicas"] = "three".into();
    sequence(
        "refusals",
        vec![
            create("configmaps?fieldValidation=Strict", &unknown),
            create("configmaps?fieldValidation=Ignore", &unknown),
            create("apps/v1:deployments", &empty),
            create("apps/v1:deployments", &wrong),
            create("apps/v1:deployments", &text),
            create("services", &json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s" }, "spec": { "ports": [] } })),
            get("/api/v1/namespaces/${ns}/nonsense"),
            get("/apis/example.org/v1/namespaces/${ns}/things"),
            get("/nonsense"),
            replace("configmaps", &unknown),
            create("configmaps/a", &unknown),
        ],
    )
}

fn scales() -> Sequence {
    let path = "apps/v1:deployments/d/scale";
    let scale = |replicas: u32| json!({ "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": { "name": "d" }, "spec": { "replicas": replicas } });
    sequence(
        "scale",
        vec![
            create("apps/v1:deployments", &deployment("d")),
            get(path),
            merge(path, &json!({ "spec": { "replicas": -1 } })),
            merge(path, &json!({ "spec": { "replicas": null } })),
            get("configmaps/d/scale"),
            get("apps/v1:deployments/none/scale"),
            apply(path, "one", &scale(5)),
            apply(path, "two", &scale(6)),
        ],
    )
}

fn services() -> Sequence {
    let mut balanced = service("balanced");
    balanced["spec"]["type"] = "NodePort".into();
    let mut outer = service("outer");
    outer["spec"]["type"] = "LoadBalancer".into();
    let headless = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "headless" },
        "spec": { "clusterIP": "None", "selector": { "a": "b" } } });
    let external = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "external" },
        "spec": { "type": "ExternalName", "externalName": "example.org" } });
    sequence(
        "services",
        vec![
            create("services", &service("plain")),
            create("services", &balanced),
            create("services", &outer),
            create("services", &headless),
            create("services", &external),
            merge("services/plain", &json!({ "spec": { "clusterIP": "10.96.9.9" } })),
            merge("services/plain", &json!({ "spec": { "type": "NodePort" } })),
            merge("services/plain", &json!({ "spec": { "type": "ClusterIP" } })),
            merge("services/plain", &json!({ "spec": { "ports": [{ "port": 80 }, { "port": 80 }] } })),
        ],
    )
}
