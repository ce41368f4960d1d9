//! An object as desired: its name, its canonical form, and what is wrong with it. Nothing here knows a cluster.

use crate::client::{builtin, builtin_version};
use crate::object_kind::ObjectName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::value::{Data, Type, Value};
use std::collections::BTreeMap;

/// The name of an object; nothing while a part of it is unknown or missing.
pub(crate) fn name_of(object: &Value) -> Option<ObjectName> {
    let metadata = object.get("metadata")?;
    let api_version = object.text("apiVersion")?.to_owned();
    let kind = object.text("kind")?.to_owned();
    let namespace = match metadata.present("namespace") {
        Some(namespace) => Some(namespace.as_str()?.to_owned()),
        None => builtin(&api_version, &kind).filter(|served| served.namespaced).map(|_| "default".to_owned()),
    };
    let namespace = namespace.filter(|_| builtin(&api_version, &kind).is_none_or(|served| served.namespaced));
    Some(ObjectName { name: metadata.text("name")?.to_owned(), api_version, kind, namespace })
}

/// `apiVersion/Kind/namespace/name` and back.
pub(crate) fn id_of(name: &ObjectName) -> String {
    format!("{}/{name}", name.api_version)
}

/// The name behind an id.
pub(crate) fn name_of_id(id: &str) -> Option<ObjectName> {
    // Kinds are written in capitals and versions are not, which tells `v1/Kind/…` from `group/v1/Kind/…`.
    let steps: Vec<_> = id.split('/').collect();
    let kind = steps.iter().position(|step| step.starts_with(|c: char| c.is_ascii_uppercase()))?;
    let api_version = steps.get(..kind).filter(|version| matches!(version.len(), 1 | 2))?.join("/");
    match steps.get(kind..)? {
        [kind, name] => Some(ObjectName::global(&api_version, kind, name)),
        [kind, namespace, name] => Some(ObjectName::within(&api_version, kind, namespace, name)),
        _ => None,
    }
}

/// The identity of an object in its cluster: as its name, with the group, without the version.
pub(crate) fn identity_of(name: &ObjectName) -> String {
    match name.group() {
        "" => name.to_string(),
        group => name.to_string().replacen('/', &format!(".{group}/"), 1),
    }
}

/// What an object cannot be without: its namespace, and what defines its kind, as [`defined_by`] names that.
pub(crate) fn required_by(name: &ObjectName) -> Vec<String> {
    let namespace = name.namespace.as_ref().map(|namespace| identity_of(&ObjectName::global("v1", "Namespace", namespace)));
    let defined = builtin(&name.api_version, &name.kind).is_none().then(|| format!("{}.{}", name.kind, name.group()));
    namespace.into_iter().chain(defined).collect()
}

/// The kind that an object defines, if it is a definition: `Widget.example.com`.
pub(crate) fn defined_by(object: &Value) -> Option<String> {
    if object.text("kind") != Some("CustomResourceDefinition") {
        return None;
    }
    let spec = object.get("spec")?;
    Some(format!("{}.{}", spec.get("names")?.text("kind")?, spec.text("group")?))
}

/// The name behind an identity, for kinds that every server has: only of these the version is known.
pub(crate) fn name_of_identity(identity: &str) -> Option<ObjectName> {
    let (kind, rest) = identity.split_once('/')?;
    let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
    let api_version = builtin_version(group, kind)?;
    name_of_id(&format!("{api_version}/{kind}/{rest}"))
}

/// What is applied for an object: without nulls, status and what only servers write, with its namespace said, and a Secret's text as
/// base64 `data`. Unknown leaves stay unknown; only of those that base64 would change the computation is lost.
pub(crate) fn canonical(object: &Value) -> Value {
    const SERVERS: [&str; 6] = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];
    let named = name_of(object);
    let secret = is_secret(object);
    let top = object.entries().iter().filter(|entry| {
        let left_out = &*entry.key == "status" || (secret && &*entry.key == "stringData");
        !left_out && !entry.value.is_null()
    });
    let mut entries: BTreeMap<String, Value> = top.map(|entry| (entry.key.to_string(), without_nulls(&entry.value))).collect();
    if let Some(metadata) = entries.get("metadata") {
        let kept = metadata.entries().iter().filter(|entry| !SERVERS.contains(&&*entry.key));
        let mut metadata: BTreeMap<String, Value> = kept.map(|entry| (entry.key.to_string(), entry.value.clone())).collect();
        if let Some(name) = named {
            metadata.remove("namespace");
            metadata.extend(name.namespace.map(|namespace| ("namespace".to_owned(), Value::string(namespace))));
        }
        entries.insert("metadata".into(), Value::object(metadata));
    }
    if secret {
        entries.extend(secret_data(object).map(|data| ("data".to_owned(), data)));
    }
    Value::object(entries).sensitive_if(object.is_marked_sensitive())
}

/// Whether it is a core Secret.
pub(crate) fn is_secret(object: &Value) -> bool {
    object.text("kind") == Some("Secret") && object.text("apiVersion") == Some("v1")
}

/// A Secret's `data`, with `stringData` in it; always sensitive.
fn secret_data(secret: &Value) -> Option<Value> {
    if secret.present("data").is_none() && secret.present("stringData").is_none() {
        return None;
    }
    for part in ["data", "stringData"] {
        if let Some(Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_)) = secret.get(part).map(Value::data) {
            return secret.get(part).map(|value| value.clone().sensitive());
        }
    }
    let entries = |part| secret.get(part).map(Value::entries).unwrap_or_default().iter().filter(|entry| !entry.value.is_null());
    let data = entries("data").map(|entry| (entry.key.clone(), entry.value.clone().sensitive()));
    let text = entries("stringData").map(|entry| {
        let value = match entry.value.data() {
            Data::String(text) => Value::string(STANDARD.encode(text.as_bytes())),
            Data::Unknown(..) => Value::unknown(Type::String),
            _ => entry.value.clone(),
        };
        (entry.key.clone(), value.sensitive())
    });
    Some(Value::object(data.chain(text)))
}

fn without_nulls(value: &Value) -> Value {
    let rebuilt = match value.data() {
        Data::Sequence(_) => Value::tuple(value.items().iter().map(without_nulls).collect()),
        Data::Mapping(_) | Data::Instance(_) => {
            let entries = value.entries().iter().filter(|entry| !entry.value.is_null());
            Value::object(entries.map(|entry| (entry.key.clone(), without_nulls(&entry.value))))
        }
        _ => return value.clone(),
    };
    rebuilt.sensitive_if(value.is_marked_sensitive())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn name(object: &Json) -> Option<String> {
        name_of(&Value::from_json(object)).map(|name| id_of(&name))
    }

    #[test]
    fn an_object_says_its_name_once_it_is_known() {
        let rows = [
            (json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a" } }), Some("v1/Secret/default/a")),
            (json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a", "namespace": "n" } }), Some("v1/Secret/n/a")),
            (json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "a", "namespace": "n" } }), Some("v1/Namespace/a")),
            (json!({ "apiVersion": "x.io/v1", "kind": "Thing", "metadata": { "name": "a" } }), Some("x.io/v1/Thing/a")),
            (json!({ "apiVersion": "x.io/v1", "kind": "Thing", "metadata": { "name": "a", "namespace": "n" } }), Some("x.io/v1/Thing/n/a")),
            (json!({ "kind": "Secret", "metadata": { "name": "a" } }), None),
            (json!({ "apiVersion": "v1", "kind": "Secret", "metadata": {} }), None),
        ];
        for (object, id) in rows {
            assert_eq!(name(&object).as_deref(), id, "{object}");
        }
        let metadata = Value::object([("name", Value::unknown(Type::String))]);
        let object = Value::object([("apiVersion", Value::string("v1")), ("kind", Value::string("Secret")), ("metadata", metadata)]);
        assert_eq!(name_of(&object), None);
    }

    #[test]
    fn ids_lead_back_to_names() {
        for (id, identity) in [
            ("v1/Secret/n/a", "Secret/n/a"),
            ("v1/Namespace/a", "Namespace/a"),
            ("apps/v1/Deployment/n/a", "Deployment.apps/n/a"),
            ("rbac.authorization.k8s.io/v1/ClusterRole/system:x", "ClusterRole.rbac.authorization.k8s.io/system:x"),
        ] {
            let name = name_of_id(id).expect(id);
            assert_eq!((id_of(&name).as_str(), identity_of(&name).as_str()), (id, identity));
            assert_eq!(name_of_identity(identity), Some(name));
        }
        for id in ["", "v1", "v1/Secret", "a/b/c/Kind/name", "v1/Secret/a/b/c"] {
            assert_eq!(name_of_id(id), None, "{id}");
        }
        assert_eq!(name_of_identity("Gateway.networking.istio.io/n/a"), None);
    }

    #[test]
    fn the_canonical_form_holds_what_is_applied_and_nothing_else() {
        let object = json!({ "apiVersion": "v1", "kind": "Secret", "status": {}, "type": null,
            "metadata": { "name": "a", "uid": "u", "resourceVersion": "7", "labels": { "x": "y", "z": null } },
            "data": { "one": "MQ==", "two": "MQ==" }, "stringData": { "two": "2" } });
        let canonical = canonical(&Value::from_json(&object));
        let expected = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a", "namespace": "default", "labels": { "x": "y" } },
            "data": { "one": "MQ==", "two": "Mg==" } });
        assert_eq!(canonical.to_json().ok(), Some(expected));
        assert!(canonical.get("data").and_then(|data| data.get("one")).is_some_and(Value::is_marked_sensitive));
    }

    #[test]
    fn an_unknown_text_of_a_secret_is_unknown_data() {
        let text = Value::object([("k", Value::unknown(Type::String)), ("l", Value::string("x"))]);
        let metadata = Value::object([("name", Value::string("a"))]);
        let object = [("apiVersion", Value::string("v1")), ("kind", Value::string("Secret")), ("metadata", metadata), ("stringData", text)];
        let canonical = canonical(&Value::object(object));
        let data = canonical.get("data").expect("data");
        assert!(data.get("k").is_some_and(|value| !value.is_known()));
        assert_eq!(data.get("l"), Some(&Value::string("eA==").sensitive()));
        assert_eq!(canonical.get("stringData"), None);
    }
}
