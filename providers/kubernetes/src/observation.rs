//! What a read of an object says to planning: the part that is ours, and what kinds compute from the rest.

use crate::difference::dotted;
use crate::held::held;
use crate::kinds::parse_yaml;
use crate::object::is_secret;
use crate::object_kind::{Json, ObjectKind, ObjectName};
use crate::ownership::owned;
use crate::rules::rewritten;
use crate::writers::{Writer, writers};
use engine::state::Fingerprint;
use engine::value::{Data, Entry, Mapping, Sequence, Value, keyed_fingerprint};
use std::sync::Arc;

/// A live object as planning sees it: `object` (the fields our manager owns, with the name; a Secret's contents sensitive), `uid`,
/// `rewritten` (paths that controllers took over), `writers` (other managers, when each last wrote, and what), `computed` (the kind's
/// attributes), and where there are other managers `held` (`object` with what is there of the fields that others took from us).
pub(crate) fn observation(kind: &dyn ObjectKind, arguments: &Value, name: &ObjectName, live: &Json, manager: &str) -> Value {
    let part = owned(live, manager);
    let rewritten = rewritten(name, live, manager);
    let taken = rewritten.iter().map(|path| Value::string(dotted(path))).collect();
    let uid = live.pointer("/metadata/uid").map_or_else(Value::null, Value::from_json);
    let others = writers(live, manager);
    let held = if others.is_empty() { None } else { held(kind, arguments, (&part, live), &rewritten) };
    let seen = [
        ("object", value_of(&part)),
        ("uid", uid),
        ("rewritten", Value::tuple(taken)),
        ("writers", Value::tuple(others.iter().map(Writer::value).collect())),
        ("computed", Value::object(kind.attributes(arguments, Some(live)))),
    ];
    Value::object(seen.into_iter().chain(held.map(|held| ("held", value_of(&held)))))
}

/// An object of the server's as a value; a Secret's contents are sensitive.
pub(crate) fn value_of(object: &Json) -> Value {
    let value = Value::from_json(object);
    if !is_secret(&value) {
        return value;
    }
    Value::object(value.entries().iter().map(|entry| {
        let within = if &*entry.key == "data" {
            Value::object(entry.value.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone().sensitive()))).sensitive()
        } else {
            entry.value.clone()
        };
        (entry.key.clone(), within)
    }))
}

/// An argument as plans and records show it: the contents of every Secret within are sensitive, whatever they came from, and so is YAML text
/// that holds one.
pub(crate) fn veiled(value: &Value) -> Value {
    match value.data() {
        Data::String(text) if text.contains("Secret") => {
            let holds = parse_yaml(text).is_ok_and(|objects| objects.iter().any(is_secret));
            value.clone().sensitive_if(holds)
        }
        Data::Mapping(mapping) => {
            let secret = is_secret(value);
            let entries = mapping.entries().iter().map(|entry| {
                let contents = secret && matches!(&*entry.key, "data" | "stringData");
                Entry { value: veiled(&entry.value).sensitive_if(contents), ..entry.clone() }
            });
            let made = Mapping::new(mapping.kind().clone(), entries.collect());
            Value::new(Data::Mapping(Arc::new(made))).with_origin(value.origin()).sensitive_if(value.is_marked_sensitive())
        }
        Data::Sequence(sequence) => {
            let made = Sequence::new(sequence.kind().clone(), sequence.items().iter().map(veiled).collect());
            Value::new(Data::Sequence(Arc::new(made))).with_origin(value.origin()).sensitive_if(value.is_marked_sensitive())
        }
        _ => value.clone(),
    }
}

/// The fingerprint of an object that may hold secrets; nothing while it is not wholly known.
pub(crate) fn fingerprint_of(object: &Value, secret_key: &[u8]) -> Option<Fingerprint> {
    object.is_known().then(|| Fingerprint(format!("hmac-sha256:{}", keyed_fingerprint(object, secret_key)).into()))
}

/// What a record has in place of the fingerprint of what was applied, if the server refused that because it never changes in place.
pub(crate) fn refused_fingerprint_of(object: &Value, secret_key: &[u8]) -> Option<Fingerprint> {
    fingerprint_of(object, secret_key).map(|Fingerprint(text)| Fingerprint(format!("immutable:{text}").into()))
}

/// A value with every leaf replaced by its fingerprint; unknown ones stay. What a record keeps of a secret.
pub(crate) fn sealed(value: &Value, secret_key: &[u8]) -> Value {
    if value.is_null() {
        return value.clone();
    }
    if value.items().is_empty() && value.entries().is_empty() {
        return fingerprint_of(value, secret_key).map_or_else(|| value.clone(), |fingerprint| Value::string(fingerprint.0));
    }
    if value.items().is_empty() {
        Value::object(value.entries().iter().map(|entry| (entry.key.clone(), sealed(&entry.value, secret_key))))
    } else {
        Value::tuple(value.items().iter().map(|item| sealed(item, secret_key)).collect())
    }
}

/// A manifest as a record keeps it: a Secret's contents as fingerprints.
pub(crate) fn sealed_manifest(manifest: &Value, secret_key: &[u8]) -> Value {
    if !is_secret(manifest) {
        return manifest.clone();
    }
    Value::object(manifest.entries().iter().map(|entry| {
        let kept = match &*entry.key {
            "data" | "stringData" => sealed(&entry.value, secret_key),
            _ => entry.value.clone(),
        };
        (entry.key.clone(), kept)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::json;

    #[test]
    fn a_secrets_contents_never_reach_a_record() {
        let manifest = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a" }, "data": { "k": "hunter2" }, "stringData": { "l": "hunter3" } });
        let sealed = sealed_manifest(&Value::from_json(&manifest), b"key").to_json().expect("known");
        assert!(!sealed.to_string().contains("hunter"), "{sealed}");
        assert_eq!(sealed["metadata"], manifest["metadata"]);
        assert!(sealed["data"]["k"].as_str().is_some_and(|text| text.starts_with("hmac-sha256:")));
        let other = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "k": "v" } });
        assert_eq!(sealed_manifest(&Value::from_json(&other), b"key").to_json().ok(), Some(other));
    }

    #[test]
    fn sealing_keeps_shape_null_and_the_unknown() {
        let value =
            Value::object([("a", Value::null()), ("b", Value::unknown(Type::String)), ("c", Value::tuple(vec![Value::string("x")]))]);
        let sealed = super::sealed(&value, b"key");
        assert_eq!(sealed.get("a"), Some(&Value::null()));
        assert!(sealed.get("b").is_some_and(|value| !value.is_known()));
        assert!(sealed.get("c").is_some_and(|items| items.items()[0].as_str().is_some_and(|text| text.len() == 76)));
    }

    #[test]
    fn secrets_are_sensitive_wherever_they_stand() {
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "stringData": { "k": "v" }, "metadata": { "name": "a" } });
        for (value, sensitive) in [
            (secret.clone(), true),
            (json!({ "objects": [secret] }), true),
            (json!(secret.to_string()), true),
            (json!("kind: ConfigMap # no Secret"), false),
            (json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "k": "v" } }), false),
        ] {
            let veiled = veiled(&Value::from_json(&value));
            assert_eq!(veiled.holds_sensitive(), sensitive, "{value}");
            assert_eq!(veiled.to_json().ok(), Some(value));
        }
    }

    #[test]
    fn live_secrets_are_sensitive() {
        let value = value_of(&json!({ "apiVersion": "v1", "kind": "Secret", "data": { "k": "v" } }));
        assert!(value.get("data").and_then(|data| data.get("k")).is_some_and(Value::is_marked_sensitive));
        assert!(!value_of(&json!({ "kind": "ConfigMap", "apiVersion": "v1", "data": { "k": "v" } })).holds_sensitive());
    }

    #[test]
    fn a_fingerprint_needs_a_known_object() {
        assert_eq!(fingerprint_of(&Value::unknown(Type::String), b"key"), None);
        assert!(fingerprint_of(&Value::string("x"), b"key").is_some());
    }
}
