//! Lists as tables, for `kubectl get`.

use super::call::Call;
use crate::object::{Json, at, items, text};
use crate::resource::Resource;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A column: its name, and what it says of an object.
type Column = (&'static str, fn(&Json) -> Json);

/// Whether a call asks for a table.
pub(crate) fn is_asked(call: &Call) -> bool {
    let first = call.accept().split(',').next().unwrap_or_default();
    first.contains("as=Table") && first.contains("g=meta.k8s.io") && first.contains("v=v1")
}

/// Whether a table says what its columns are; of a watch only the first does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Headings {
    /// It does.
    Told,
    /// The one before did.
    Known,
}

/// The table of one object.
pub(crate) fn one(resource: &Resource, object: &Json, headings: Headings) -> Json {
    let metadata = json!({ "resourceVersion": at(object, &["metadata", "resourceVersion"]) });
    let mut table = many(resource, std::slice::from_ref(object), &metadata);
    if headings == Headings::Known {
        table["columnDefinitions"] = json!([]);
    }
    table
}

/// The table of a list.
pub(crate) fn many(resource: &Resource, objects: &[Json], metadata: &Json) -> Json {
    let columns = columns(resource);
    let definitions = columns.iter().enumerate().map(|(at, (name, _))| {
        let format = if at == 0 { "name" } else { "" };
        json!({ "name": name, "type": "string", "format": format, "description": "", "priority": 0 })
    });
    let rows = objects.iter().map(|object| {
        let cells: Vec<_> = columns.iter().map(|(_, cell)| cell(object)).collect();
        let partial = json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata") });
        json!({ "cells": cells, "object": partial })
    });
    let (definitions, rows): (Json, Json) = (definitions.collect(), rows.collect());
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions, "rows": rows })
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
        columns.push(("Age", age));
    }
    columns
}

/// How long an object has been there, as `kubectl` writes it.
fn age(object: &Json) -> Json {
    let created = text(object, &["metadata", "creationTimestamp"]).and_then(|created| OffsetDateTime::parse(created, &Rfc3339).ok());
    created.map_or_else(|| "<unknown>".into(), |created| duration((OffsetDateTime::now_utc() - created).whole_seconds().max(0)).into())
}

fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let with = |whole: i64, unit: &str, rest: i64, small: &str| {
        if rest == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit}{rest}{small}") }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => with(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => with(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => with(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => with(days / 365, "y", days % 365, "d"),
    }
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
        one(&resource, object, Headings::Told)["rows"][0]["cells"].clone()
    }

    #[test]
    fn ages_are_short() {
        for (seconds, expected) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (305, "5m5s"),
            (3600, "60m"),
            (10_860, "3h1m"),
            (50_000, "13h"),
            (180_000, "2d2h"),
            (900_000, "10d"),
            (63_158_400, "2y1d"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn kinds_have_their_columns() {
        let metadata = json!({ "name": "n" });
        assert_eq!(
            cells("", "secrets", &json!({ "metadata": metadata, "type": "Opaque", "data": { "a": "" } })),
            json!(["n", "Opaque", 1, "<unknown>"])
        );
        let mut service = json!({ "metadata": metadata, "spec": { "type": "LoadBalancer", "clusterIP": "10.96.0.9", "ports": [{ "port": 80, "nodePort": 30000, "protocol": "TCP" }] } });
        assert_eq!(cells("", "services", &service), json!(["n", "LoadBalancer", "10.96.0.9", "<pending>", "80:30000/TCP", "<unknown>"]));
        service["status"] = json!({ "loadBalancer": { "ingress": [{ "ip": "198.18.0.1" }] } });
        assert_eq!(cells("", "services", &service)[3], json!("198.18.0.1"));
        let deployment = json!({ "metadata": metadata, "spec": { "replicas": 2 }, "status": { "readyReplicas": 2 } });
        assert_eq!(cells("apps", "deployments", &deployment)[1], json!("2/2"));
    }
}
