//! What an effect is about: the kind, the cluster, the object and our manager of it.

use super::ObjectProvider;
use super::masking::masked_with_live;
use crate::client::{Apply, CallError, Cluster, Reply};
use crate::kind::Adapter;
use crate::object::{canonical, name_of, name_of_id, name_of_identity};
use crate::object_kind::{Json, ObjectName};
use crate::ownership::manager;
use engine::port::{Connected, Failure, Request};
use engine::state::{Record, RecordId};
use engine::value::Value;
use std::sync::Arc;

/// An object on its way to a cluster.
pub(super) struct Target {
    /// Its cluster.
    pub(super) cluster: Arc<Cluster>,
    /// Its name.
    pub(super) name: ObjectName,
    /// Our manager of it.
    pub(super) manager: String,
    /// As desired, canonical.
    pub(super) desired: Value,
    /// The same as it is sent.
    pub(super) body: Json,
}

/// The object that arguments write, canonical and with its name.
pub(super) fn desired(adapter: &Adapter, arguments: &Value) -> Result<(ObjectName, Value), String> {
    let object = adapter.kind.object(arguments).ok_or("the kind says of no object what it should be")?;
    let object = canonical(&object.map_err(|problem| problem.detail)?);
    let name = name_of(&object).ok_or("the object's name is not known")?;
    Ok((name, object))
}

/// The name of a recorded object, from its record alone.
pub(super) fn recorded_name(record: &Record) -> Option<ObjectName> {
    let id = record.attributes.text("id").and_then(name_of_id);
    // A create that was interrupted before its name was known has an identity all the same.
    id.or_else(|| name_of_identity(record.identity.as_deref()?))
}

impl ObjectProvider {
    /// The cluster of a request, if it is the one that was planned for.
    pub(super) async fn cluster(&self, place: Option<&Connected>) -> Result<Arc<Cluster>, Failure> {
        crate::reach::reached(&self.clusters, place).await
    }

    /// What a create or update of a single object is about.
    pub(super) async fn target(&self, adapter: &Adapter, request: &Request) -> Result<Target, Failure> {
        let (name, desired) = desired(adapter, &request.arguments).map_err(|why| Failure::new("no object", why))?;
        let body = desired.to_json().map_err(|error| Failure::new("no object", format!("`{name}`: {error}")))?;
        let cluster = self.cluster(request.place.as_ref()).await?;
        Ok(Target { cluster, name, manager: manager_of(&request.id), desired, body })
    }
}

/// The field manager of a record.
pub(super) fn manager_of(id: &RecordId) -> String {
    manager(id.as_str())
}

impl Target {
    /// The object as it is now.
    pub(super) async fn live(&self) -> Result<Option<Json>, CallError> {
        self.cluster.get(&self.name).await
    }

    /// Applies this as the object. What is secret in the object is hidden in the error.
    pub(super) async fn apply(&self, body: &Json, force: bool) -> Result<Reply, CallError> {
        let how = Apply { manager: &self.manager, force, dry_run: false };
        match self.cluster.apply(&self.name, body, how).await {
            Err(error) => Err(masked_with_live(error, &self.cluster, (&self.name, &self.desired)).await),
            done => done,
        }
    }
}

/// The object's body with the uid that it has to have.
pub(super) fn with_uid(body: &Json, uid: Option<&str>) -> Json {
    let mut body = body.clone();
    if let (Some(uid), Some(metadata)) = (uid, body.get_mut("metadata").and_then(Json::as_object_mut)) {
        metadata.insert("uid".into(), uid.into());
    }
    body
}

/// An apply of nothing: gives back every field that the manager owns.
pub(super) fn nothing(name: &ObjectName, uid: Option<&str>) -> Json {
    let mut metadata = serde_json::json!({ "name": name.name });
    if let Some(namespace) = &name.namespace {
        metadata["namespace"] = namespace.as_str().into();
    }
    with_uid(&serde_json::json!({ "apiVersion": name.api_version, "kind": name.kind, "metadata": metadata }), uid)
}

/// The body without a field, given by steps as [`crate::difference`] names them.
pub(super) fn without(body: &mut Json, path: &[String]) {
    let Some((step, rest)) = path.split_first() else { return };
    match body {
        Json::Object(entries) if rest.is_empty() => {
            entries.remove(step);
        }
        Json::Object(entries) => {
            if let Some(next) = entries.get_mut(step) {
                without(next, rest);
            }
        }
        Json::Array(items) => {
            let named = |item: &&mut Json| item.get("name").and_then(Json::as_str) == Some(step);
            if let Some(next) = items.iter_mut().find(named) {
                without(next, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_is_taken_out_wherever_it_stands() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let mut body = json!({ "spec": { "replicas": 1, "x": 2 }, "webhooks": [{ "name": "a", "failurePolicy": "Fail" }, { "name": "b", "failurePolicy": "Fail" }] });
        without(&mut body, &path("spec.replicas"));
        without(&mut body, &path("webhooks.b.failurePolicy"));
        without(&mut body, &path("not.there"));
        assert_eq!(body, json!({ "spec": { "x": 2 }, "webhooks": [{ "name": "a", "failurePolicy": "Fail" }, { "name": "b" }] }));
    }

    #[test]
    fn an_apply_of_nothing_names_the_object_and_no_more() {
        let name = ObjectName::within("v1", "Secret", "n", "a");
        let expected = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a", "namespace": "n", "uid": "u" } });
        assert_eq!(nothing(&name, Some("u")), expected);
    }
}
