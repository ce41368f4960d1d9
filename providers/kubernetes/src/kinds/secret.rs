//! `kubernetes_secret`.

use super::manifest::on_exists;
use super::namespace::{described_metadata, metadata};
use super::schema;
use crate::object_kind::ObjectKind;
use crate::observation::sealed;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};

/// `kubernetes_secret`.
pub struct Secret {
    schema: Schema,
}

impl Default for Secret {
    fn default() -> Self {
        let data = "The contents as plain text, by key; base64 is ours to do. The state keeps fingerprints of them.";
        let own = vec![
            Attribute::required("name", Type::String, "`metadata.name`.").replaces(),
            Attribute::optional("namespace", Type::String, "`metadata.namespace`.").default(Value::string("default")).replaces(),
            Attribute::optional("type", Type::String, "`type`, which cannot change in place.").default(Value::string("Opaque")).replaces(),
            Attribute::optional("data", Type::map(Type::String), data).sensitive(),
            Attribute::optional("labels", Type::map(Type::String), "`metadata.labels`."),
            Attribute::optional("annotations", Type::map(Type::String), "`metadata.annotations`."),
        ];
        Self { schema: schema("kubernetes_secret", "A Secret.", own) }
    }
}

impl ObjectKind for Secret {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let key = |key: &str| {
            !key.is_empty() && key.len() <= 253 && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        let keys = arguments.get("data").map(Value::entries).unwrap_or_default().iter().filter(|entry| !key(&entry.key));
        let keys = keys.map(|entry| {
            let detail = format!("`data` has a key `{}`: letters, digits, `-`, `_` and `.` are allowed, at most 253", entry.key);
            Problem::with("data", "invalid key", detail)
        });
        keys.chain(on_exists(arguments)).collect()
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        let metadata = metadata(arguments, &["name", "namespace", "labels", "annotations"]);
        let mut entries = vec![("apiVersion", Value::string("v1")), ("kind", Value::string("Secret")), ("metadata", metadata)];
        entries.extend(arguments.present("type").map(|kind| ("type", kind.clone())));
        entries.extend(arguments.present("data").map(|data| ("stringData", data.clone())));
        Some(Ok(Value::object(entries)))
    }

    fn imported(&self) -> Option<&'static [(&'static str, &'static [&'static str])]> {
        Some(&[
            ("type", &["type"]),
            ("data", &["stringData"]),
            ("labels", &["metadata", "labels"]),
            ("annotations", &["metadata", "annotations"]),
        ])
    }

    fn writes(&self) -> Option<(&'static str, &'static str)> {
        Some(("v1", "Secret"))
    }

    fn described(&self, object: &Value) -> Vec<(&'static str, Value)> {
        let own = ["type", "data"].into_iter().filter_map(|name| Some((name, object.get(name)?.clone())));
        own.chain(described_metadata(object, &["name", "namespace", "labels", "annotations"])).collect()
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        Value::object(attributes.entries().iter().map(|entry| {
            let kept = if &*entry.key == "data" { sealed(&entry.value, secret_key) } else { entry.value.clone() };
            (entry.key.clone(), kept)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::canonical;
    use serde_json::json;

    #[test]
    fn text_becomes_base64_and_a_fingerprint_in_the_record() {
        let arguments =
            Value::from_json(&json!({ "name": "a", "namespace": "n", "type": "Opaque", "data": { "k": "hunter2" }, "labels": null }));
        let object = Secret::default().object(&arguments).expect("an object").expect("no problem");
        let expected = json!({ "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": { "name": "a", "namespace": "n" },
            "data": { "k": "aHVudGVyMg==" } });
        assert_eq!(canonical(&object).to_json().ok(), Some(expected));
        let kept = Secret::default().remembered(&arguments, b"key");
        assert!(kept.get("data").and_then(|data| data.text("k")).is_some_and(|text| text.starts_with("hmac-sha256:")));
    }

    #[test]
    fn keys_of_data_are_looked_at() {
        let problems = |key: &str| Secret::default().validate(&Value::object([("data", Value::object([(key, Value::string("x"))]))])).len();
        assert_eq!((problems("ca-cert.pem"), problems("a/b"), problems("")), (0, 1, 1));
    }
}
