//! The kinds that this crate brings itself.

mod labels;
mod manifest;
mod manifests;
mod namespace;
mod secret;
mod yaml;

pub use labels::Labels;
pub use manifest::Manifest;
pub use manifests::{Manifests, members};
pub use namespace::Namespace;
pub use secret::Secret;
pub use yaml::parse_yaml;
pub(crate) use yaml::{Written, parse_documents};

use crate::object_kind::ObjectKind;
use engine::schema::{Attribute, Schema};
use engine::value::{Type, Value};
use std::sync::Arc;

/// All kinds of this crate.
pub fn kinds() -> Vec<Arc<dyn ObjectKind>> {
    vec![
        Arc::new(Labels::default()),
        Arc::new(Manifest::default()),
        Arc::new(Manifests::default()),
        Arc::new(Namespace::default()),
        Arc::new(Secret::default()),
    ]
}

/// The arguments that all kinds of objects and of sets have beside their own: `force` and `on_exists`.
pub fn usual() -> [Attribute; 2] {
    [force(), on_exists()]
}

/// What of these a set hands on to its members.
pub fn handed_on(arguments: &Value) -> Vec<(&'static str, Value)> {
    ["force", "on_exists"].into_iter().filter_map(|name| Some((name, arguments.present(name)?.clone()))).collect()
}

/// A schema of a kind whose instances lie in a cluster: `cluster`, the kind's own attributes, and those that all have.
fn schema(kind: &'static str, doc: &'static str, own: Vec<Attribute>) -> Schema {
    let mut attributes = vec![Attribute::required("cluster", Type::Reference("cluster"), "The cluster it lies in.")];
    attributes.extend(own);
    attributes.extend(usual());
    Schema { kind, doc, version: 1, attributes, classes: &[], place: Some("cluster"), outside: true, settles: true }
}

fn force() -> Attribute {
    let doc = "Take over fields that other field managers own, as `kubectl apply --server-side --force-conflicts` does.";
    Attribute::optional("force", Type::Bool, doc).default(Value::bool(false))
}

fn on_exists() -> Attribute {
    let doc = "What to do about an object that is there already and is not ours: `error`, or `adopt` to manage it from now on, and delete \
               it with the resource.";
    Attribute::optional("on_exists", Type::String, doc).default(Value::string("error"))
}
