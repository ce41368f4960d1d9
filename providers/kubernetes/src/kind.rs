//! The engine's view of a kind that is an object or a set: one adapter for all of them.

use crate::object::{defined_by, identity_of, name_of, required_by};
use crate::object_kind::{ObjectKind, Ownership, Until};
use crate::observation::veiled;
use crate::planning;
use crate::readiness::usual_seconds;
use crate::validation;
use engine::address::Address;
use engine::schema::{Attribute, Comparison, Ignored, Kind, Member, Planned, Presence, Problem, Rendering, Schema, compare};
use engine::value::{Type, Value};
use std::sync::Arc;

/// An [`ObjectKind`] as the engine sees it.
pub(crate) struct Adapter {
    pub(crate) kind: Arc<dyn ObjectKind>,
    schema: Schema,
}

impl Adapter {
    /// The engine's view of a kind.
    pub(crate) fn new(kind: Arc<dyn ObjectKind>) -> Self {
        let mut schema = kind.schema().clone();
        if schema.attribute("id").is_none() {
            let doc = "`apiVersion/Kind/namespace/name` of the object; null for kinds that are a set of objects.";
            schema.attributes.push(Attribute::computed("id", Type::String, doc));
        }
        Self { kind, schema }
    }

    /// Whether these arguments write a set of objects.
    pub(crate) fn is_set(&self, arguments: &Value) -> bool {
        self.kind.object(arguments).is_none()
    }

    /// A set's record holds its inputs: compared by what it keeps of them, planned with what they are.
    fn planned_set(&self, asked: Comparison<'_>) -> Planned {
        let sealed = self.kind.remembered(asked.desired, asked.secret_key);
        let known: Vec<_> = self.kind.attributes(asked.desired, None);
        let restore = |attributes: Value| {
            Value::object(self.schema.attributes.iter().map(|attribute| {
                let given = asked.desired.get(attribute.name).filter(|_| attribute.presence != Presence::Computed);
                let known = known.iter().find(|(name, _)| *name == attribute.name).map(|(_, value)| value);
                let id = (attribute.name == "id").then(Value::null);
                let value = given.filter(|value| !value.is_null() || attribute.presence != Presence::OptionalComputed).or(known).cloned();
                let value =
                    value.or(id).or_else(|| attributes.get(attribute.name).cloned()).map_or_else(Value::null, |value| veiled(&value));
                (attribute.name, value.sensitive_if(attribute.sensitive))
            }))
        };
        match compare(&self.schema, Comparison { desired: &sealed, observed: None, ..asked }) {
            Planned::Keep(attributes) => Planned::Keep(restore(attributes)),
            Planned::Create(attributes) => Planned::Create(restore(attributes)),
            Planned::Update { attributes, changed, drifted } => Planned::Update { attributes: restore(attributes), changed, drifted },
            Planned::Replace { attributes, because } => Planned::Replace { attributes: restore(attributes), because },
            other => other,
        }
    }
}

impl Kind for Adapter {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = self.kind.validate(arguments);
        if problems.iter().all(|problem| problem.warning) {
            match self.kind.object(arguments) {
                Some(Ok(object)) => problems.extend(validation::object(&object)),
                Some(Err(problem)) => problems.push(problem),
                None => {}
            }
        }
        problems
    }

    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        self.kind.lint(instances)
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        self.kind.place(arguments)
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        if self.kind.ownership() == Ownership::Fields {
            return None;
        }
        let object = self.kind.object(arguments)?.ok()?;
        Some(identity_of(&name_of(&object)?))
    }

    fn requires(&self, arguments: &Value) -> Vec<String> {
        let Some(Ok(object)) = self.kind.object(arguments) else { return Vec::new() };
        let Some(name) = name_of(&object) else { return Vec::new() };
        match self.kind.ownership() {
            Ownership::Fields => vec![identity_of(&name)],
            Ownership::Object => required_by(&name),
        }
    }

    fn brings(&self, arguments: &Value) -> Vec<String> {
        let Some(Ok(object)) = self.kind.object(arguments) else { return Vec::new() };
        defined_by(&object).into_iter().collect()
    }

    fn writes(&self, arguments: &Value) -> Option<Value> {
        self.kind.object(arguments)?.ok()
    }

    fn stands_on(&self, observed: &Value) -> Value {
        observed.present("held").or_else(|| observed.get("object")).cloned().unwrap_or_else(Value::null)
    }

    fn yielded(&self, observed: &Value) -> Vec<String> {
        let rewritten = observed.get("rewritten").map(Value::items).unwrap_or_default();
        rewritten.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()
    }

    fn import(&self, id: &str, arguments: &Value) -> Result<(), Problem> {
        crate::import::agrees(&*self.kind, id, arguments)
    }

    fn describes(&self) -> bool {
        self.kind.imported().is_some()
    }

    fn adopts(&self, arguments: &Value) -> bool {
        self.kind.imported().is_some() && arguments.text("on_exists") == Some("adopt")
    }

    fn ignoring(&self, asked: Ignored<'_>) -> Value {
        crate::ignored::ignoring(&*self.kind, asked)
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        if self.is_set(asked.desired) {
            return self.planned_set(asked);
        }
        planning::planned(&*self.kind, &self.schema, asked)
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        self.kind.members(arguments)
    }

    fn rendering(&self, arguments: &Value) -> Option<Result<Rendering, Problem>> {
        self.kind.rendering(arguments)
    }

    fn rendered(&self, arguments: &Value, rendered: &Value) -> Result<Vec<Member>, Problem> {
        self.kind.rendered(arguments, rendered)
    }

    fn settles(&self, arguments: &Value) -> bool {
        if !self.schema.settles || self.is_set(arguments) {
            return self.schema.settles;
        }
        match self.kind.wait(arguments).until {
            Until::Nothing => false,
            Until::Condition(_) | Until::Field { .. } | Until::Present(_) => true,
            Until::Ready => {
                let object = self.kind.object(arguments).and_then(Result::ok);
                object.and_then(|object| name_of(&object)).is_none_or(|name| usual_seconds(&name).is_some())
            }
        }
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        self.kind.remembered(attributes, secret_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{Labels, Manifest, Manifests, Secret};
    use serde_json::{Value as Json, json};

    fn manifest(api_version: &str, kind: &str) -> Json {
        json!({ "manifest": { "apiVersion": api_version, "kind": kind, "metadata": { "name": "a", "namespace": "n" } }, "wait": true })
    }

    #[test]
    fn objects_require_their_namespace_and_what_defines_their_kind() {
        let adapter = Adapter::new(Arc::new(Manifest::default()));
        let requires = |api_version: &str, kind: &str| adapter.requires(&Value::from_json(&manifest(api_version, kind)));
        assert_eq!(requires("v1", "Secret"), ["Namespace/n"]);
        assert_eq!(requires("example.org/v1", "Thing"), ["Namespace/n", "Thing.example.org"]);
        assert!(requires("v1", "Namespace").is_empty());
        let definition = json!({ "manifest": { "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "things.example.org" }, "spec": { "group": "example.org", "names": { "kind": "Thing" } } } });
        assert_eq!(adapter.brings(&Value::from_json(&definition)), ["Thing.example.org"]);
        assert!(adapter.requires(&Value::from_json(&definition)).is_empty());
        let labels = Adapter::new(Arc::new(Labels::default()));
        let of = json!({ "api_version": "apps/v1", "kind": "Deployment", "namespace": "n", "name": "a", "labels": { "a": "1" } });
        assert_eq!(labels.requires(&Value::from_json(&of)), ["Deployment.apps/n/a"]);
    }

    #[test]
    fn every_kind_has_an_id() {
        for kind in crate::kinds() {
            let adapter = Adapter::new(kind);
            assert_eq!(adapter.schema().attribute("id").map(|id| id.presence), Some(Presence::Computed), "{}", adapter.schema().kind);
        }
    }

    #[test]
    fn objects_have_an_identity_and_parts_of_objects_have_none() {
        let identity = |kind: Arc<dyn ObjectKind>, arguments: Json| Adapter::new(kind).identity(&Value::from_json(&arguments));
        let deployment = identity(Arc::new(Manifest::default()), manifest("apps/v1", "Deployment"));
        assert_eq!(deployment.as_deref(), Some("Deployment.apps/n/a"));
        let secret = identity(Arc::new(Secret::default()), json!({ "name": "a", "namespace": "n" }));
        assert_eq!(secret.as_deref(), Some("Secret/n/a"));
        let labels = json!({ "api_version": "v1", "kind": "Node", "name": "a", "labels": {} });
        assert_eq!(identity(Arc::new(Labels::default()), labels), None);
        assert_eq!(identity(Arc::new(Manifests::default()), json!({ "content": "" })), None);
    }

    #[test]
    fn only_what_has_something_to_wait_for_is_waited_for() {
        let adapter = Adapter::new(Arc::new(Manifest::default()));
        let rows = [("v1", "ConfigMap", false), ("apps/v1", "Deployment", true), ("v1", "Service", true), ("x.io/v1", "Thing", false)];
        for (api_version, kind, settles) in rows {
            assert_eq!(adapter.settles(&Value::from_json(&manifest(api_version, kind))), settles, "{kind}");
        }
        assert!(!Adapter::new(Arc::new(Manifests::default())).settles(&Value::from_json(&json!({ "content": "" }))));
    }

    #[test]
    fn problems_of_object_and_arguments_are_both_found() {
        let adapter = Adapter::new(Arc::new(Manifest::default()));
        let problems = |arguments: Json| {
            adapter.validate(&Value::from_json(&arguments)).into_iter().map(|problem| problem.summary).collect::<Vec<_>>()
        };
        assert!(problems(manifest("v1", "ConfigMap")).is_empty());
        assert_eq!(problems(json!({ "manifest": {} })), ["incomplete object", "incomplete object", "incomplete object"]);
        assert_eq!(problems(json!({ "yaml": "a: [" })), ["invalid YAML"]);
        assert_eq!(problems(json!({ "yaml": "", "on_exists": "x" })), ["invalid value"]);
    }
}
