//! Lists as tables, for `kubectl get`.

use super::Answer;
use super::call::Call;
use crate::object::{Json, at, items, text};
use crate::resource::Resource;
use serde_json::json;

/// A column: its name, and what it says of an object.
type Column = (&'static str, fn(&Json) -> Json);

/// Whether a call asks for a table.
pub(crate) fn is_asked(call: &Call) -> bool {
    let first = call.accept().split(',').next().unwrap_or_default();
    first.contains("as=Table") && first.contains("g=meta.k8s.io") && first.contains("v=v1")
}

/// The table of one object.
pub(crate) fn one(resource: &Resource, object: &Json) -> Answer {
    many(resource, std::slice::from_ref(object), &json!({ "resourceVersion": at(object, &["metadata", "resourceVersion"]) }))
}

/// The table of a list.
pub(crate) fn many(resource: &Resource, objects: &[Json], metadata: &Json) -> Answer {
    let columns = columns(resource);
    let definitions: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(at, (name, _))| {
            let (ty, format) = if *name == "Age" { ("date", "") } else { ("string", if at == 0 { "name" } else { "" }) };
            json!({ "name": name, "type": ty, "format": format, "description": "", "priority": 0 })
        })
        .collect();
    let rows: Vec<_> = objects
        .iter()
        .map(|object| {
            let cells: Vec<_> = columns.iter().map(|(_, cell)| cell(object)).collect();
            let partial = json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata") });
            json!({ "cells": cells, "object": partial })
        })
        .collect();
    Answer::Object(
        200,
        json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions, "rows": rows }),
    )
}

fn columns(resource: &Resource) -> Vec<Column> {
    let mut columns: Vec<Column> = vec![("Name", |object| json!(crate::object::name(object)))];
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Secret") => {
            columns.extend::<[Column; 2]>([("Type", |object| word(object, &["type"])), ("Data", |object| count(object, "data"))]);
        }
        ("", "ConfigMap") => columns.push(("Data", |object| count(object, "data"))),
        ("", "Namespace") => columns.push(("Status", |object| word(object, &["status", "phase"]))),
        ("", "Node") => columns.extend::<[Column; 2]>([
            ("Status", |object| ready(object)),
            ("Version", |object| word(object, &["status", "nodeInfo", "kubeletVersion"])),
        ]),
        ("", "Service") => columns.extend::<[Column; 4]>([
            ("Type", |object| word(object, &["spec", "type"])),
            ("Cluster-IP", |object| word(object, &["spec", "clusterIP"])),
            ("External-IP", external),
            ("Port(s)", ports),
        ]),
        ("apps", "Deployment" | "StatefulSet") => columns.push(("Ready", |object| {
            let number = |path: &[&str]| at(object, path).and_then(Json::as_u64).unwrap_or(0);
            json!(format!("{}/{}", number(&["status", "readyReplicas"]), number(&["spec", "replicas"])))
        })),
        ("install.istio.io", "IstioOperator") => columns.extend::<[Column; 2]>([
            ("Revision", |object| word(object, &["spec", "revision"])),
            ("Status", |object| word(object, &["status", "status"])),
        ]),
        ("apiextensions.k8s.io", _) => columns.push(("Created At", |object| word(object, &["metadata", "creationTimestamp"]))),
        _ => {}
    }
    if resource.group != "apiextensions.k8s.io" {
        columns.push(("Age", |object| word(object, &["metadata", "creationTimestamp"])));
    }
    columns
}

fn word(object: &Json, path: &[&str]) -> Json {
    text(object, path).unwrap_or_default().into()
}

fn count(object: &Json, field: &str) -> Json {
    object.get(field).and_then(Json::as_object).map_or(0, serde_json::Map::len).into()
}

fn ready(node: &Json) -> Json {
    let is_ready =
        items(node, &["status", "conditions"]).iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    if is_ready { "Ready" } else { "NotReady" }.into()
}

fn external(service: &Json) -> Json {
    let ingress = items(service, &["status", "loadBalancer", "ingress"]);
    let addresses: Vec<_> = ingress.iter().filter_map(|ingress| text(ingress, &["ip"])).collect();
    match text(service, &["spec", "type"]) {
        Some("LoadBalancer") if addresses.is_empty() => "<pending>".into(),
        _ if addresses.is_empty() => "<none>".into(),
        _ => addresses.join(",").into(),
    }
}

fn ports(service: &Json) -> Json {
    let ports = items(service, &["spec", "ports"]).iter().map(|port| {
        let node = port["nodePort"].as_u64().map(|node| format!(":{node}")).unwrap_or_default();
        format!("{}{node}/{}", port["port"], port["protocol"].as_str().unwrap_or_default())
    });
    ports.collect::<Vec<_>>().join(",").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;

    fn cells(group: &str, plural: &str, object: &Json) -> Json {
        let resource = builtin(group, "v1", plural).expect(plural);
        match one(&resource, object) {
            Answer::Object(200, table) => table["rows"][0]["cells"].clone(),
            _ => panic!("no table"),
        }
    }

    #[test]
    fn kinds_have_their_columns() {
        let metadata = json!({ "name": "n", "creationTimestamp": "2024-01-01T00:00:00Z" });
        assert_eq!(
            cells("", "secrets", &json!({ "metadata": metadata, "type": "Opaque", "data": { "a": "" } })),
            json!(["n", "Opaque", 1, "2024-01-01T00:00:00Z"])
        );
        let mut service = json!({ "metadata": metadata, "spec": { "type": "LoadBalancer", "clusterIP": "10.96.0.9", "ports": [{ "port": 80, "nodePort": 30000, "protocol": "TCP" }] } });
        assert_eq!(
            cells("", "services", &service),
            json!(["n", "LoadBalancer", "10.96.0.9", "<pending>", "80:30000/TCP", "2024-01-01T00:00:00Z"])
        );
        service["status"] = json!({ "loadBalancer": { "ingress": [{ "ip": "198.18.0.1" }] } });
        assert_eq!(cells("", "services", &service)[3], json!("198.18.0.1"));
        let deployment = json!({ "metadata": metadata, "spec": { "replicas": 2 }, "status": { "readyReplicas": 2 } });
        assert_eq!(cells("apps", "deployments", &deployment)[1], json!("2/2"));
    }
}
