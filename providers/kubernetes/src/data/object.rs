//! `kubernetes_object`: any object of a cluster, as it is.

use crate::data_source::{DataSource, Source};
use crate::object::is_secret;
use crate::object_kind::{Json, ObjectName, Reader as _};
use crate::observation::value_of;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Schema};
use engine::value::{Type, Value};

/// Where `kubectl apply` keeps what it was given.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// `data.kubernetes_object`.
pub struct Object {
    schema: Schema,
}

impl Default for Object {
    fn default() -> Self {
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster it lies in."),
            Attribute::required("api_version", Type::String, "`apiVersion`, such as `apps/v1`."),
            Attribute::required("kind", Type::String, "`kind`, such as `Deployment`."),
            Attribute::required("name", Type::String, "`metadata.name`."),
            Attribute::optional("namespace", Type::String, "`metadata.namespace`; `default` without it where a namespace is needed."),
            Attribute::computed("exists", Type::Bool, "Whether it is there."),
            Attribute::computed(
                "object",
                Type::Any,
                "The object without `managedFields`, null if it is not there. A Secret's `data` is sensitive.",
            ),
        ];
        let doc = "Any object of a cluster, as it is.";
        let place = Some("cluster");
        let schema = Schema { kind: "kubernetes_object", doc, version: 1, attributes, classes: &[], place, outside: true, settles: false };
        Self { schema }
    }
}

impl DataSource for Object {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let text = |name| arguments.text(name).unwrap_or_default().to_owned();
            let namespace = arguments.text("namespace").map(str::to_owned);
            let name = ObjectName { api_version: text("api_version"), kind: text("kind"), namespace, name: text("name") };
            let Some(place) = source.place else { return Answer::Unreachable("its cluster is not known".into()) };
            let found = match source.clusters.cluster(&place.connection).await {
                Ok(cluster) => cluster.read(&name).await,
                Err(why) => Err(why),
            };
            match found {
                Ok(found) => Answer::Present(attributes(arguments, found)),
                Err(why) => Answer::Unreachable(why.into()),
            }
        })
    }
}

/// An object as data sources show it: without who manages its fields. A Secret's contents are sensitive, and so is its copy that `kubectl apply`
/// keeps in an annotation.
pub(super) fn shown(mut live: Json) -> Value {
    let mut applied = None;
    if let Some(metadata) = live.get_mut("metadata").and_then(Json::as_object_mut) {
        metadata.remove("managedFields");
        applied = metadata
            .get("annotations")
            .and_then(|annotations| annotations.get(LAST_APPLIED))
            .map(|_| ["metadata", "annotations", LAST_APPLIED]);
    }
    let value = value_of(&live);
    match applied {
        Some(path) if is_secret(&value) => veiled_at(&value, &path),
        _ => value,
    }
}

fn veiled_at(value: &Value, path: &[&str]) -> Value {
    let Some((step, rest)) = path.split_first() else { return value.clone().sensitive() };
    Value::object(value.entries().iter().map(|entry| {
        let within = if *entry.key == **step { veiled_at(&entry.value, rest) } else { entry.value.clone() };
        (entry.key.clone(), within)
    }))
}

fn attributes(arguments: &Value, found: Option<Json>) -> Value {
    let exists = Value::bool(found.is_some());
    arguments.with_entries([("exists", exists), ("object", found.map_or_else(Value::null, shown))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_there_is_said_and_what_is_there_shown() {
        let arguments = Value::object([("name", Value::string("a"))]);
        let missing = attributes(&arguments, None);
        assert_eq!((missing.get("exists"), missing.get("object")), (Some(&Value::bool(false)), Some(&Value::null())));
        let live = json!({ "kind": "Secret", "apiVersion": "v1", "metadata": { "name": "a", "managedFields": [] }, "data": { "k": "v" } });
        let there = attributes(&arguments, Some(live));
        let object = there.get("object").expect("an object");
        assert!(object.holds_sensitive());
        assert_eq!(object.get("metadata"), Some(&Value::object([("name", Value::string("a"))])));
        assert_eq!(there.text("name"), Some("a"));

        let metadata = json!({ "name": "a", "annotations": { LAST_APPLIED: "{\"data\":{}}", "other": "o" } });
        for (kind, hidden) in [("Secret", true), ("ConfigMap", false)] {
            let value = shown(json!({ "kind": kind, "apiVersion": "v1", "metadata": metadata }));
            let annotations = value.get("metadata").and_then(|metadata| metadata.get("annotations")).expect("annotations");
            let is_sensitive = |name: &str| annotations.get(name).expect("there").is_marked_sensitive();
            assert_eq!((is_sensitive(LAST_APPLIED), is_sensitive("other")), (hidden, false), "{kind}");
        }
    }
}
