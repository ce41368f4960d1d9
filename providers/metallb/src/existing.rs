//! `data.metallb`: a MetalLB that somebody else installed.

use crate::version::tag;
use engine::diagnostic::Diagnostic;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Schema};
use engine::value::{Type, Value};
use kubernetes::{DataSource, Json, ObjectName, Reader as _, Source};

/// `data.metallb`.
pub struct Existing {
    schema: Schema,
}

impl Default for Existing {
    fn default() -> Self {
        let controller =
            "Name of its controller's Deployment: `controller` in MetalLB's own manifests, `metallb-controller` in those of its chart.";
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster it runs in."),
            Attribute::optional("namespace", Type::String, "The namespace it runs in.").default(Value::string("metallb-system")),
            Attribute::optional("controller", Type::String, controller).default(Value::string("controller")),
            Attribute::computed("version", Type::String, "Its version, as the controller's image says; null if that says none."),
        ];
        let doc = "A MetalLB that somebody else installed, for pools of its own.";
        let (kind, classes) = ("metallb", &["metallb"]);
        Self { schema: Schema { kind, doc, version: 1, attributes, classes, place: Some("cluster"), outside: true, settles: false } }
    }
}

impl DataSource for Existing {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let text = |name| arguments.text(name).unwrap_or_default();
            let name = ObjectName::within("apps/v1", "Deployment", text("namespace"), text("controller"));
            let Some(place) = source.place else { return Answer::Unreachable("its cluster is not known".into()) };
            let found = match source.clusters.cluster(&place.connection).await {
                Ok(cluster) => cluster.read(&name).await,
                Err(why) => Err(why),
            };
            match found {
                Ok(Some(live)) => Answer::Present(attributes(arguments, &live)),
                Ok(None) => {
                    let problem = Diagnostic::error("MetalLB not found", format!("there is no `{name}` in `{}`", place.address));
                    Answer::Refused(problem.help("Correct `namespace` and `controller`, or let a resource `metallb` install it."))
                }
                Err(why) => Answer::Unreachable(why.into()),
            }
        })
    }
}

fn attributes(arguments: &Value, live: &Json) -> Value {
    let image = live.pointer("/spec/template/spec/containers/0/image").and_then(Json::as_str);
    let version = image.and_then(tag).map_or_else(Value::null, Value::string);
    arguments.with_entries([("version", version)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_controllers_image_says_the_version() {
        let arguments = Value::object([("namespace", Value::string("metallb-system"))]);
        for (image, version) in [("quay.io/metallb/controller:v0.12.1", json!("0.12.1")), ("controller", json!(null))] {
            let live = json!({ "spec": { "template": { "spec": { "containers": [{ "image": image }] } } } });
            let read = attributes(&arguments, &live).to_json().unwrap();
            assert_eq!(read, json!({ "namespace": "metallb-system", "version": version }));
        }
    }
}
