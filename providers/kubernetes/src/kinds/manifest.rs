//! `kubernetes_manifest`: one object, written out. Also what the members of all sets are.

use super::{parse_yaml, schema};
use crate::object_kind::{ObjectKind, Until, Wait};
use crate::observation::{sealed, sealed_manifest};
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};

const WAIT_FOR: &str = "What to wait for instead: `condition`, the type of a condition that becomes true; or `field`, the dotted path of a \
    field that is filled, or has the text `equals`. List items are numbered from 0; a dot within a name is written `\\.`.";

/// `kubernetes_manifest`.
pub struct Manifest {
    schema: Schema,
}

impl Default for Manifest {
    fn default() -> Self {
        let doc = "One Kubernetes object of any kind, written as an object or as YAML text.";
        let wait_for = Type::object([("condition", Type::String, true), ("field", Type::String, true), ("equals", Type::String, true)]);
        let own = vec![
            Attribute::optional("manifest", Type::Any, "The object, with `apiVersion`, `kind` and `metadata`."),
            Attribute::optional("yaml", Type::String, "The object as YAML text, instead of `manifest`."),
            Attribute::optional("wait", Type::Bool, "Whether to wait until the object is ready.").default(Value::bool(true)),
            Attribute::optional("wait_for", wait_for, WAIT_FOR),
        ];
        Self { schema: schema("kubernetes_manifest", doc, own) }
    }
}

impl ObjectKind for Manifest {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        on_exists(arguments).into_iter().chain(wait_for(arguments).err()).collect()
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

    fn imported(&self) -> Option<&'static [(&'static str, &'static [&'static str])]> {
        Some(&[("manifest", &[])])
    }

    fn described(&self, object: &Value) -> Vec<(&'static str, Value)> {
        vec![("manifest", object.clone())]
    }

    fn wait(&self, arguments: &Value) -> Wait {
        let usual = if arguments.get("wait").and_then(Value::as_bool) == Some(false) { Until::Nothing } else { Until::Ready };
        Wait { until: wait_for(arguments).ok().flatten().unwrap_or(usual), seconds: None }
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

/// What an argument `wait_for` waits for, or what is wrong with it.
fn wait_for(arguments: &Value) -> Result<Option<Until>, Problem> {
    let Some(wait_for) = arguments.present("wait_for") else { return Ok(None) };
    if !wait_for.is_known() {
        // Something, and by the time that it is waited for it is known what.
        return Ok(Some(Until::Present(&[])));
    }
    let text = |name| wait_for.text(name).map(str::to_owned);
    let invalid = |detail: &str| Err(Problem::with("wait_for", "invalid value", detail));
    match (text("condition"), text("field"), text("equals")) {
        (_, None, Some(_)) => invalid("`equals` is the text of a `field`, which is not given"),
        (None, None, None) => invalid("one of `condition` and `field` has to say what is waited for"),
        (Some(_), Some(_), _) => invalid("`condition` and `field` are both given; one of them is enough"),
        (Some(condition), None, None) => Ok(Some(Until::Condition(condition))),
        (None, Some(path), equals) => Ok(Some(Until::Field { path, equals })),
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
    fn a_condition_or_a_field_is_waited_for() {
        let wait = |wait_for: Json| {
            let arguments = Value::from_json(&json!({ "wait": true, "wait_for": wait_for }));
            let problems = Manifest::default().validate(&arguments).into_iter().map(|problem| problem.detail).collect::<Vec<_>>();
            problems.first().map_or_else(|| Ok(Manifest::default().wait(&arguments).until), |detail| Err(detail.clone()))
        };
        let field = |equals: Option<&str>| Until::Field { path: "status.phase".into(), equals: equals.map(Into::into) };
        for (given, expected) in [
            (Json::Null, Ok(Until::Ready)),
            (json!({ "condition": "Synced" }), Ok(Until::Condition("Synced".into()))),
            (json!({ "field": "status.phase" }), Ok(field(None))),
            (json!({ "field": "status.phase", "equals": "Bound" }), Ok(field(Some("Bound")))),
            (json!({}), Err("one of `condition` and `field` has to say what is waited for")),
            (json!({ "condition": "A", "field": "b" }), Err("`condition` and `field` are both given; one of them is enough")),
            (json!({ "condition": "A", "equals": "b" }), Err("`equals` is the text of a `field`, which is not given")),
        ] {
            assert_eq!(wait(given.clone()), expected.map_err(str::to_owned), "{given}");
        }
    }

    #[test]
    fn on_exists_takes_two_words() {
        let problems = |word: &str| Manifest::default().validate(&Value::object([("on_exists", Value::string(word))])).len();
        assert_eq!((problems("error"), problems("adopt"), problems("ignore")), (0, 0, 1));
    }
}
