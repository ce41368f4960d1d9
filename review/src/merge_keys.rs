//! What names the elements of lists, as Kubernetes' own types and Istio's have it.

use crate::definitions::Shape;
use crate::notation::inline;
use engine::value::{Data, Value};
use std::collections::BTreeMap;

/// A field that names elements, dotted if it lies deeper, and what it is where it is left out; without that it has to be there.
type Key<'a> = (&'a str, Option<&'a str>);

const NAME: &[Key<'_>] = &[("name", None)];
const PORT: &[Key<'_>] = &[("port", None), ("protocol", Some("TCP"))];
const CONTAINER_PORT: &[Key<'_>] = &[("containerPort", None), ("protocol", Some("TCP"))];
const REFERENCE: &[Key<'_>] =
    &[("group", Some("")), ("kind", Some("")), ("namespace", Some("")), ("name", None), ("sectionName", Some("")), ("port", Some(""))];

/// Lists by the field that holds them. A list is matched by the first keys that tell all its elements apart, before and after.
const FIELDS: &[(&str, &[&[Key<'_>]])] = &[
    ("ports", &[CONTAINER_PORT, PORT, &[("number", None), ("protocol", Some(""))]]),
    ("volumeMounts", &[&[("mountPath", None)]]),
    ("volumeDevices", &[&[("devicePath", None)]]),
    ("hostAliases", &[&[("ip", None)]]),
    ("topologySpreadConstraints", &[&[("topologyKey", None), ("whenUnsatisfiable", None)]]),
    ("tolerations", &[&[("key", Some("")), ("operator", Some("Equal")), ("value", Some("")), ("effect", Some(""))]]),
    ("taints", &[&[("key", None), ("effect", None)]]),
    ("conditions", &[&[("type", None)]]),
    ("ownerReferences", &[&[("uid", None)]]),
    ("subjects", &[&[("kind", None), ("namespace", Some("")), ("name", None)]]),
    ("items", &[&[("key", None)], &[("apiVersion", None), ("kind", None), ("metadata.namespace", Some("")), ("metadata.name", None)]]),
    ("servers", &[&[("port.name", None)], &[("port.number", None)]]),
    ("parentRefs", &[REFERENCE]),
    ("backendRefs", &[REFERENCE]),
];

/// What names the elements of any other list.
const ANY: &[&[Key<'_>]] = &[
    NAME,
    CONTAINER_PORT,
    PORT,
    &[("mountPath", None)],
    &[("topologyKey", None)],
    &[("key", None)],
    &[("type", None)],
    &[("ip", None)],
    &[("host", None)],
    &[("rule", None)],
];

/// The elements of a list by name: `name=http` with each position.
pub(crate) struct Named(Vec<String>);

impl Named {
    /// The positions by name.
    pub(crate) fn positions(&self) -> BTreeMap<&str, usize> {
        self.0.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect()
    }

    /// The names in order.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }
}

/// How the elements of both sides are called, if anything tells all of them apart.
pub(crate) fn named(field: &str, shape: Option<Shape<'_>>, before: &[Value], after: &[Value]) -> Option<(Named, Named)> {
    let by = |keys: &[Key<'_>]| Some((names(before, keys)?, names(after, keys)?));
    if let Some(keys) = shape.and_then(Shape::keys) {
        let keys: Vec<Key<'_>> = keys.iter().map(|(key, default)| (*key, default.as_deref())).collect();
        if let Some(named) = by(&keys) {
            return Some(named);
        }
    }
    let of_field = FIELDS.iter().filter(|(name, _)| *name == field).flat_map(|(_, all)| *all);
    of_field.chain(ANY).find_map(|keys| by(keys))
}

/// The elements' names, if every one has all that is needed and no two have the same.
fn names(items: &[Value], keys: &[Key<'_>]) -> Option<Named> {
    let mut names = Vec::new();
    for item in items {
        names.push(name(item, keys)?);
    }
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    (distinct.len() == names.len()).then_some(Named(names))
}

/// What an element is called; fields that may be left out and are do not show, unless nothing else does.
fn name(item: &Value, keys: &[Key<'_>]) -> Option<String> {
    let mut parts = Vec::new();
    if !matches!(item.data(), Data::Mapping(_)) {
        return None;
    }
    for (key, default) in keys {
        let found = key.split('.').try_fold(item, |value, step| value.present(step));
        match (found, default) {
            (Some(value), _) => parts.push(format!("{key}={}", scalar(value)?)),
            (None, Some("")) => {}
            (None, Some(default)) => parts.push(format!("{key}={default}")),
            (None, None) => return None,
        }
    }
    Some(parts.join(","))
}

fn scalar(value: &Value) -> Option<String> {
    if value.is_marked_sensitive() {
        return None;
    }
    match value.data() {
        Data::String(text) if !text.contains(['\n', ']', ',']) => Some(text.to_string()),
        Data::Number(_) | Data::Bool(_) => Some(inline(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_matched_as_kubernetes_merges_them() {
        for (field, items, expected) in [
            ("containers", json!([{ "name": "a" }, { "name": "b" }]), Some("name=a name=b")),
            ("initContainers", json!([{ "name": "a" }]), Some("name=a")),
            ("env", json!([{ "name": "A", "value": "1" }]), Some("name=A")),
            ("volumes", json!([{ "name": "v" }]), Some("name=v")),
            ("imagePullSecrets", json!([{ "name": "v" }]), Some("name=v")),
            ("webhooks", json!([{ "name": "v.x.io" }]), Some("name=v.x.io")),
            (
                "ports",
                json!([{ "containerPort": 80 }, { "containerPort": 80, "protocol": "UDP" }]),
                Some("containerPort=80,protocol=TCP containerPort=80,protocol=UDP"),
            ),
            (
                "ports",
                json!([{ "port": 53, "protocol": "UDP", "name": "d" }, { "port": 53, "protocol": "TCP", "name": "e" }]),
                Some("port=53,protocol=UDP port=53,protocol=TCP"),
            ),
            ("ports", json!([{ "number": 443, "name": "tls", "protocol": "TLS" }]), Some("number=443,protocol=TLS")),
            (
                "volumeMounts",
                json!([{ "name": "v", "mountPath": "/a" }, { "name": "v", "mountPath": "/b" }]),
                Some("mountPath=/a mountPath=/b"),
            ),
            ("volumeDevices", json!([{ "name": "v", "devicePath": "/dev/a" }]), Some("devicePath=/dev/a")),
            (
                "tolerations",
                json!([{ "operator": "Exists" }, { "key": "a", "operator": "Exists", "effect": "NoSchedule" }]),
                Some("operator=Exists key=a,operator=Exists,effect=NoSchedule"),
            ),
            (
                "topologySpreadConstraints",
                json!([{ "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule" }]),
                Some("topologyKey=zone,whenUnsatisfiable=DoNotSchedule"),
            ),
            ("hostAliases", json!([{ "ip": "10.0.0.1", "hostnames": [] }]), Some("ip=10.0.0.1")),
            ("conditions", json!([{ "type": "Ready", "status": "True" }]), Some("type=Ready")),
            ("ownerReferences", json!([{ "uid": "u", "name": "n" }]), Some("uid=u")),
            (
                "subjects",
                json!([{ "kind": "User", "name": "a" }, { "kind": "ServiceAccount", "namespace": "n", "name": "a" }]),
                Some("kind=User,name=a kind=ServiceAccount,namespace=n,name=a"),
            ),
            ("servers", json!([{ "port": { "name": "tls", "number": 15443 } }]), Some("port.name=tls")),
            ("parentRefs", json!([{ "name": "g", "port": 80 }, { "name": "g", "port": 81 }]), Some("name=g,port=80 name=g,port=81")),
            ("metrics", json!([{ "type": "Resource" }]), Some("type=Resource")),
            ("matchExpressions", json!([{ "key": "a", "operator": "Exists" }]), Some("key=a")),
            ("x-kubernetes-validations", json!([{ "rule": "self.a > 0" }]), Some("rule=self.a > 0")),
            ("rules", json!([{ "verbs": ["get"] }]), None),
            ("args", json!(["a"]), None),
            ("containers", json!([{ "name": "a" }, { "name": "a" }]), None),
            ("containers", json!([{ "name": "a" }, {}]), None),
        ] {
            let items = Value::from_json(&items);
            let found = named(field, None, items.items(), items.items()).map(|(names, _)| names.names().join(" "));
            assert_eq!(found.as_deref(), expected, "{field}");
        }
    }
}
