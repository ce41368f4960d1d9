//! The table of sequences, a file a topic.

mod apply;
pub(super) mod definitions;
mod deletes;
mod found;
mod kinds;
mod lists;
mod writes;

use super::sequence::Sequence;
use serde_json::{Value, json};

/// All of them; each has a name of its own.
pub(super) fn sequences() -> Vec<Sequence> {
    [
        writes::sequences(),
        apply::sequences(),
        definitions::sequences(),
        deletes::sequences(),
        found::sequences(),
        kinds::sequences(),
        lists::sequences(),
    ]
    .concat()
}

/// A `ConfigMap` with this data.
fn config_map(name: &str, data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": data })
}

/// An object of a kind of the core group with these labels, and nothing else.
fn labelled(kind: &str, name: &str, labels: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name, "labels": labels } })
}

/// A Service with one port.
fn service(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "selector": { "app": "a" }, "ports": [{ "name": "http", "port": 80 }] } })
}

/// A Deployment with one container.
fn deployment(name: &str) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": { "selector": { "matchLabels": { "app": name } }, "template": { "metadata": { "labels": { "app": name } },
            "spec": { "containers": [{ "name": "main", "image": "example.org/a:1", "ports": [{ "containerPort": 8080 }] }] } } } })
}
