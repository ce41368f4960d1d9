//! `kubernetes_namespace`.

use super::manifest::on_exists;
use super::schema;
use crate::object_kind::ObjectKind;
use crate::validation;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};

/// `kubernetes_namespace`.
pub struct Namespace {
    schema: Schema,
}

impl Default for Namespace {
    fn default() -> Self {
        let doc = "A namespace. What lies in it should take its name from `name`, so that it is made after it.";
        let own = vec![
            Attribute::required("name", Type::String, "`metadata.name`.").replaces(),
            Attribute::optional("labels", Type::map(Type::String), "`metadata.labels`, such as `topology.istio.io/network`."),
            Attribute::optional("annotations", Type::map(Type::String), "`metadata.annotations`."),
        ];
        Self { schema: schema("kubernetes_namespace", doc, own) }
    }
}

impl ObjectKind for Namespace {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let name = arguments.text("name").and_then(|name| validation::label_name("name", name));
        let name = name.map(|problem| Problem { attribute: Some("name".into()), ..problem });
        name.into_iter().chain(on_exists(arguments)).collect()
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        let metadata = metadata(arguments, &["name", "labels", "annotations"]);
        Some(Ok(Value::object([("apiVersion", Value::string("v1")), ("kind", Value::string("Namespace")), ("metadata", metadata)])))
    }

    fn writes(&self) -> Option<(&'static str, &'static str)> {
        Some(("v1", "Namespace"))
    }

    fn described(&self, object: &Value) -> Vec<(&'static str, Value)> {
        described_metadata(object, &["name", "labels", "annotations"])
    }

    fn imported(&self) -> Option<&'static [(&'static str, &'static [&'static str])]> {
        Some(&[("labels", &["metadata", "labels"]), ("annotations", &["metadata", "annotations"])])
    }
}

/// `metadata` with those of these parts that the arguments give.
pub(super) fn metadata(arguments: &Value, parts: &[&'static str]) -> Value {
    Value::object(parts.iter().filter_map(|part| Some((*part, arguments.present(part)?.clone()))))
}

/// Arguments that an object's metadata has under their names.
pub(super) fn described_metadata(object: &Value, names: &[&'static str]) -> Vec<(&'static str, Value)> {
    let metadata = object.get("metadata");
    names.iter().filter_map(|name| Some((*name, metadata?.get(name)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_become_metadata() {
        let arguments =
            Value::from_json(&json!({ "name": "istio-system", "labels": { "topology.istio.io/network": "n1" }, "annotations": null }));
        let object = Namespace::default().object(&arguments).expect("an object").expect("no problem");
        let expected = json!({ "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": "istio-system", "labels": { "topology.istio.io/network": "n1" } } });
        assert_eq!(object.to_json().ok(), Some(expected));
    }

    #[test]
    fn a_bad_name_is_about_the_argument() {
        let problems = Namespace::default().validate(&Value::object([("name", Value::string("Istio"))]));
        assert_eq!(problems.first().and_then(|problem| problem.attribute.as_deref()), Some("name"));
        assert!(Namespace::default().validate(&Value::object([("name", Value::unknown(Type::String))])).is_empty());
    }
}
