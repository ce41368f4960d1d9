//! Definitions, and the kinds that they define.

use super::super::sequence::{Sequence, apply, controlled, create, delete, force, get, merge, operations, replace, sequence, strategic};
use serde_json::{Value, json};

pub(super) fn sequences() -> Vec<Sequence> {
    vec![defined(), validated(), applied(), status(), versions(), refused()]
}

pub(in super::super) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const THINGS: &str = "${ns}.example.org/v1:things";

/// A definition of things, in a group that has the sequence's name.
pub(in super::super) fn definition() -> Value {
    let schema = json!({ "type": "object", "properties": {
        "spec": { "type": "object", "required": ["size"], "properties": {
            "size": { "type": "integer", "minimum": 1, "maximum": 9 },
            "mode": { "type": "string", "enum": ["slow", "fast"], "default": "slow" },
            "name": { "type": "string", "maxLength": 5, "pattern": "^[a-z]*$" },
            "list": { "type": "array", "items": { "type": "string" } },
            "set": { "type": "array", "items": { "type": "string" }, "x-kubernetes-list-type": "set" },
            "rows": { "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"], "items": {
                "type": "object", "required": ["id"], "properties": { "id": { "type": "string" }, "text": { "type": "string" } } } },
            "map": { "type": "object", "additionalProperties": { "type": "string" } },
            "free": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            "port": { "x-kubernetes-int-or-string": true },
        } },
        "status": { "type": "object", "properties": { "ready": { "type": "boolean" }, "replicas": { "type": "integer" } } },
    } });
    json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "things.${ns}.example.org" },
        "spec": { "group": "${ns}.example.org", "scope": "Namespaced", "names": { "plural": "things", "singular": "thing", "kind": "Thing" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "subresources": { "status": {},
                "scale": { "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.replicas" } }, "schema": { "openAPIV3Schema": schema } }] } })
}

fn thing(spec: &Value) -> Value {
    json!({ "apiVersion": "${ns}.example.org/v1", "kind": "Thing", "metadata": { "name": "a" }, "spec": spec })
}

/// A sequence about things, once they are served.
fn about_things(name: &str, steps: Vec<super::super::sequence::Step>) -> Sequence {
    let list = get(THINGS).until(200);
    sequence(name, [vec![create(DEFINITIONS, &definition()), list], steps].concat())
}

fn defined() -> Sequence {
    let path = format!("{DEFINITIONS}/things.${{ns}}.example.org");
    sequence(
        "definition",
        vec![
            get(THINGS),
            create(&format!("{DEFINITIONS}?dryRun=All"), &definition()),
            create(DEFINITIONS, &definition()),
            get(&path).until_condition("Established").passed(),
            get(THINGS).until(200),
            get(&path),
            get("/apis/${ns}.example.org/v1"),
            get("/apis/${ns}.example.org"),
            create(THINGS, &thing(&json!({ "size": 1 }))),
            merge(&path, &json!({ "spec": { "scope": "Cluster" } })),
            delete(&path),
            get(&path).until(404),
            get(THINGS).until(404),
        ],
    )
}

fn validated() -> Sequence {
    let wrong = |spec: Value| create(THINGS, &thing(&spec));
    let mut unknown = thing(&json!({ "size": 1, "unknown": { "x": 1 }, "free": { "any": [1, "two"] } }));
    unknown["metadata"]["name"] = "unknown".into();
    about_things(
        "definition-schema",
        vec![
            wrong(json!({})),
            wrong(json!({ "size": 0 })),
            wrong(json!({ "size": 10 })),
            wrong(json!({ "size": 1, "mode": 5 })),
            wrong(json!({ "size": 1, "mode": "other" })),
            wrong(json!({ "size": 1, "name": "toolong" })),
            wrong(json!({ "size": 1, "name": "A" })),
            wrong(json!({ "size": 1, "list": "x" })),
            wrong(json!({ "size": 1, "set": ["a", "a"] })),
            wrong(json!({ "size": 1, "rows": [{ "id": "a" }, { "id": "a" }] })),
            wrong(json!({ "size": 1, "rows": [{ "text": "a" }] })),
            wrong(json!({ "size": 1, "map": { "a": 1 } })),
            wrong(json!({ "size": 1, "port": true })),
            create(&format!("{THINGS}?fieldValidation=Strict"), &unknown),
            create(THINGS, &unknown),
            create(THINGS, &thing(&json!({ "size": 1, "port": "http", "list": [], "map": {} }))),
            merge(&format!("{THINGS}/a"), &json!({ "spec": { "size": 0 } })),
            merge(&format!("{THINGS}/a"), &json!({ "spec": { "mode": null, "list": ["x"] } })),
            operations(&format!("{THINGS}/a"), &json!([{ "op": "remove", "path": "/spec/size" }])),
            strategic(&format!("{THINGS}/a"), &json!({ "spec": { "size": 2 } })),
            replace(&format!("{THINGS}/a"), &thing(&json!({ "size": 3 }))),
            get(THINGS),
        ],
    )
}

fn applied() -> Sequence {
    let path = format!("{THINGS}/a");
    about_things(
        "definition-apply",
        vec![
            apply(&path, "one", &thing(&json!({ "size": 1, "rows": [{ "id": "a", "text": "x" }], "set": ["a"], "map": { "k": "1" } }))),
            apply(&path, "two", &thing(&json!({ "size": 1, "rows": [{ "id": "b" }], "set": ["b"], "map": { "l": "1" } }))),
            apply(&path, "two", &thing(&json!({ "size": 2, "rows": [{ "id": "a", "text": "y" }], "list": ["x"] }))),
            force(&path, "two", &thing(&json!({ "size": 2, "rows": [{ "id": "a", "text": "y" }], "list": ["x"] }))),
            apply(&path, "one", &thing(&json!({ "size": 2, "free": { "x": { "y": 1 } } }))),
            apply(&path, "one", &thing(&json!({ "size": 2, "unknown": true }))),
            apply(&path, "one", &thing(&json!({ "size": "two" }))),
            apply(&path, "one", &thing(&json!({ "size": 10 }))),
            apply(&path, "one", &thing(&json!({ "size": 2, "rows": [{ "id": "a" }, { "id": "a" }] }))),
            get(&path),
        ],
    )
}

fn status() -> Sequence {
    let path = format!("{THINGS}/a");
    let mut whole = thing(&json!({ "size": 1 }));
    whole["status"] = json!({ "ready": true });
    let scale = json!({ "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": { "name": "a", "namespace": "${ns}" }, "spec": { "replicas": 5 } });
    about_things(
        "definition-status",
        vec![
            create(THINGS, &whole),
            merge(&path, &json!({ "status": { "ready": true } })),
            merge(
                &format!("{path}/status"),
                &json!({ "status": { "ready": true }, "spec": { "size": 3 }, "metadata": { "labels": { "l": "1" } } }),
            ),
            replace(&format!("{path}/status"), &whole),
            apply(
                &format!("{path}/status"),
                "one",
                &json!({ "apiVersion": "${ns}.example.org/v1", "kind": "Thing", "metadata": { "name": "a" },
                "status": { "replicas": 2 } }),
            ),
            get(&format!("{path}/status")),
            get(&format!("{path}/scale")),
            replace(&format!("{path}/scale"), &scale),
            merge(&format!("{path}/scale"), &json!({ "spec": { "replicas": 6 } })),
            get(&path),
            create(&format!("{path}/status"), &whole),
            get(&format!("{path}/nonsense")),
        ],
    )
}

fn versions() -> Sequence {
    let mut both = definition();
    let mut second = both["spec"]["versions"][0].clone();
    second["name"] = "v2".into();
    second["storage"] = false.into();
    both["spec"]["versions"].as_array_mut().unwrap().push(second);
    let mut other = thing(&json!({ "size": 1 }));
    other["apiVersion"] = "${ns}.example.org/v2".into();
    sequence(
        "definition-versions",
        vec![
            create(DEFINITIONS, &both),
            get("${ns}.example.org/v2:things").until(200),
            get(THINGS).until(200),
            create("${ns}.example.org/v2:things", &other),
            get(&format!("{THINGS}/a")),
            get("${ns}.example.org/v2:things"),
            create(THINGS, &other),
            get("/apis/${ns}.example.org"),
            get("/apis/${ns}.example.org/v3"),
        ],
    )
}

fn refused() -> Sequence {
    let mut named = definition();
    named["metadata"]["name"] = "other.${ns}.example.org".into();
    let mut bare = definition();
    bare["spec"]["versions"][0].as_object_mut().unwrap().remove("schema");
    let mut unstored = definition();
    unstored["spec"]["versions"][0]["storage"] = false.into();
    let mut scope = definition();
    scope["spec"]["scope"] = "Nowhere".into();
    let mut empty = definition();
    empty["spec"]["versions"] = json!([]);
    controlled(
        "definition-refused",
        [named, bare, unstored, scope, empty].iter().map(|definition| create(DEFINITIONS, definition)).collect(),
    )
}
