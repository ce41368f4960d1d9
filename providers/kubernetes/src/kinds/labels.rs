//! `kubernetes_labels`: some labels of an object that somebody else makes.

use super::namespace::metadata;
use crate::object_kind::{ObjectKind, Ownership, Until, Wait};
use crate::validation;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};

/// `kubernetes_labels`.
pub struct Labels {
    schema: Schema,
}

impl Default for Labels {
    fn default() -> Self {
        let doc = "Labels of an object that is there already, such as a Node. Only the keys given here are owned; they are given back on destroy.";
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster it lies in."),
            Attribute::required("api_version", Type::String, "The object's `apiVersion`.").replaces(),
            Attribute::required("kind", Type::String, "The object's `kind`.").replaces(),
            Attribute::required("name", Type::String, "The object's `metadata.name`.").replaces(),
            Attribute::optional("namespace", Type::String, "The object's `metadata.namespace`.").replaces(),
            Attribute::required("labels", Type::map(Type::String), "The labels."),
            super::force(),
        ];
        let place = Some("cluster");
        let schema = Schema { kind: "kubernetes_labels", doc, version: 1, attributes, classes: &[], place, outside: true, settles: false };
        Self { schema }
    }
}

impl ObjectKind for Labels {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let problems = arguments.get("labels").into_iter().flat_map(|labels| validation::keys("labels", labels));
        problems.map(|problem| Problem { attribute: Some("labels".into()), ..problem }).collect()
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        let part = |name| arguments.get(name).cloned().unwrap_or_else(Value::null);
        let metadata = metadata(arguments, &["name", "namespace", "labels"]);
        Some(Ok(Value::object([("apiVersion", part("api_version")), ("kind", part("kind")), ("metadata", metadata)])))
    }

    fn wait(&self, _: &Value) -> Wait {
        Wait { until: Until::Nothing, seconds: None }
    }

    fn ownership(&self) -> Ownership {
        Ownership::Fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_labels_are_applied() {
        let arguments = json!({ "api_version": "v1", "kind": "Node", "name": "c1n1", "namespace": null, "labels": { "topology.kubernetes.io/zone": "zone1" } });
        let object = Labels::default().object(&Value::from_json(&arguments)).expect("an object").expect("no problem");
        let expected = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "c1n1", "labels": { "topology.kubernetes.io/zone": "zone1" } } });
        assert_eq!(object.to_json().ok(), Some(expected));
    }

    #[test]
    fn labels_are_looked_at() {
        let arguments = Value::object([("labels", Value::object([("a b", Value::string("x"))]))]);
        assert_eq!(Labels::default().validate(&arguments).len(), 1);
    }
}
