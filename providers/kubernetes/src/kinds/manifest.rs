//! `kubernetes_manifest`: one object, written out. Also what the members of all sets are.

use super::{parse_yaml, schema};
use crate::object_kind::{ObjectKind, Until, Wait};
use crate::observation::{sealed, sealed_manifest};
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};

/// `kubernetes_manifest`.
pub struct Manifest {
    schema: Schema,
}

impl Default for Manifest {
    fn default() -> Self {
        let doc = "One Kubernetes object of any kind, written as an object or as YAML text.";
        let own = vec![
            Attribute::optional("manifest", Type::Any, "The object, with `apiVersion`, `kind` and `metadata`."),
            Attribute::optional("yaml", Type::String, "The object as YAML text, instead of `manifest`."),
            Attribute::optional("wait", Type::Bool, "Whether to wait until the object is ready.").default(Value::bool(true)),
        ];
        Self { schema: schema("kubernetes_manifest", doc, own) }
    }
}

impl ObjectKind for Manifest {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        on_exists(arguments).into_iter().collect()
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        Some(match (arguments.present("manifest"), arguments.present("yaml")) {
            (Some(manifest), None) => Ok(manifest.clone()),
            (None, Some(yaml)) => single(yaml),
            (None, None) => {
                Err(Problem::with("manifest", "missing manifest", "one of `manifest` and `yaml` has to say what the object is"))
            }
            (Some(_), Some(_)) => {
                Err(Problem::with("yaml", "two manifests", "`manifest` and `yaml` are both given; one of them is enough"))
            }
        })
    }

    fn wait(&self, arguments: &Value) -> Wait {
        let until = if arguments.get("wait").and_then(Value::as_bool) == Some(false) { Until::Nothing } else { Until::Ready };
        Wait { until, seconds: None }
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        let secret_text =
            attributes.present("yaml").map(single).is_some_and(|object| object.is_ok_and(|object| crate::object::is_secret(&object)));
        Value::object(attributes.entries().iter().map(|entry| {
            let kept = match &*entry.key {
                "manifest" => sealed_manifest(&entry.value, secret_key),
                "yaml" if secret_text => sealed(&entry.value, secret_key),
                _ => entry.value.clone(),
            };
            (entry.key.clone(), kept)
        }))
    }
}

/// The one object of a YAML text.
fn single(yaml: &Value) -> Result<Value, Problem> {
    let Some(text) = yaml.as_str() else { return Ok(Value::unknown(Type::Any).sensitive_if(yaml.is_marked_sensitive())) };
    let mut objects = parse_yaml(text).map_err(|problem| Problem { attribute: Some("yaml".into()), ..problem })?;
    match (objects.pop(), objects.len()) {
        (Some(object), 0) => Ok(object.sensitive_if(yaml.is_marked_sensitive())),
        (_, more) => {
            let detail = format!("`yaml` holds {} objects; `kubernetes_manifest` is one", if more == 0 { 0 } else { more + 1 });
            Err(Problem::with("yaml", "not one object", detail).help("use `kubernetes_manifests` for several"))
        }
    }
}

/// What is wrong with an argument `on_exists`.
pub(super) fn on_exists(arguments: &Value) -> Option<Problem> {
    let text = arguments.text("on_exists")?;
    let detail = || format!("`on_exists` is `{text}`; it is either `error` or `adopt`");
    (!matches!(text, "error" | "adopt")).then(|| Problem::with("on_exists", "invalid value", detail()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn object(arguments: &Json) -> Result<Json, String> {
        let object = Manifest::default().object(&Value::from_json(arguments)).expect("an object");
        object.map(|object| object.to_json().expect("known")).map_err(|problem| problem.detail)
    }

    #[test]
    fn an_object_or_its_text_is_the_manifest() {
        let expected = json!({ "kind": "ConfigMap" });
        assert_eq!(object(&json!({ "manifest": { "kind": "ConfigMap" } })), Ok(expected.clone()));
        assert_eq!(object(&json!({ "yaml": "kind: ConfigMap" })), Ok(expected));
        for (arguments, detail) in [
            (json!({ "manifest": null, "yaml": null }), "one of `manifest` and `yaml` has to say what the object is"),
            (json!({ "manifest": {}, "yaml": "a: 1" }), "`manifest` and `yaml` are both given; one of them is enough"),
            (json!({ "yaml": "" }), "`yaml` holds 0 objects; `kubernetes_manifest` is one"),
            (json!({ "yaml": "a: 1\n---\nb: 2" }), "`yaml` holds 2 objects; `kubernetes_manifest` is one"),
        ] {
            assert_eq!(object(&arguments), Err(detail.to_owned()), "{arguments}");
        }
    }

    #[test]
    fn text_that_is_not_known_yet_is_an_object_that_is_not_known_yet() {
        let arguments = Value::object([("manifest", Value::null()), ("yaml", Value::unknown(Type::String))]);
        assert!(Manifest::default().object(&arguments).is_some_and(|object| object.is_ok_and(|object| !object.is_known())));
    }

    #[test]
    fn a_record_keeps_no_secret() {
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a" }, "stringData": { "k": "hunter2" } });
        for arguments in [json!({ "manifest": secret }), json!({ "yaml": secret.to_string() })] {
            let kept = Manifest::default().remembered(&Value::from_json(&arguments), b"key");
            assert!(kept.to_json().is_ok_and(|kept| !kept.to_string().contains("hunter2")), "{arguments}");
        }
    }

    #[test]
    fn on_exists_takes_two_words() {
        let problems = |word: &str| Manifest::default().validate(&Value::object([("on_exists", Value::string(word))])).len();
        assert_eq!((problems("error"), problems("adopt"), problems("ignore")), (0, 0, 1));
    }
}
