//! `kubernetes_objects`: all objects of a kind in a cluster, as they are.

use super::object::shown;
use crate::client::{CallError, Cluster, Selection};
use crate::data_source::{DataSource, Source};
use crate::object_kind::Json;
use engine::diagnostic::Diagnostic;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Schema};
use engine::value::{Type, Value};

/// `data.kubernetes_objects`.
pub(crate) struct Objects {
    schema: Schema,
}

impl Default for Objects {
    fn default() -> Self {
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster they lie in."),
            Attribute::required("api_version", Type::String, "`apiVersion`, such as `apps/v1`."),
            Attribute::required("kind", Type::String, "`kind`, such as `Deployment`."),
            Attribute::optional("namespace", Type::String, "The namespace they lie in; all namespaces without it."),
            Attribute::optional(
                "label_selector",
                Type::String,
                "Conditions on labels that must all hold, as `kubectl` takes them: `app=web,tier in (a, b),!old`.",
            ),
            Attribute::optional(
                "field_selector",
                Type::String,
                "Conditions on fields that must all hold, such as `status.phase=Running`; which fields, the API server decides.",
            ),
            Attribute::computed(
                "objects",
                Type::list(Type::Any),
                "The objects without `managedFields`, by namespace and name. A Secret's `data` is sensitive.",
            ),
        ];
        let doc = "All objects of a kind in a cluster, as they are.";
        let place = Some("cluster");
        let schema = Schema { kind: "kubernetes_objects", doc, version: 1, attributes, classes: &[], place, outside: true, settles: false };
        Self { schema }
    }
}

impl DataSource for Objects {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let Some(place) = source.place else { return Answer::Unreachable("its cluster is not known".into()) };
            match source.clusters.cluster(&place.connection).await {
                Ok(cluster) => answer(&cluster, arguments).await.unwrap_or_else(|answer| answer),
                Err(why) => Answer::Unreachable(why.into()),
            }
        })
    }
}

async fn answer(cluster: &Cluster, arguments: &Value) -> Result<Answer, Answer> {
    let text = |name| arguments.text(name).unwrap_or_default();
    let (api_version, kind, namespace) = (text("api_version"), text("kind"), arguments.text("namespace"));
    let served = cluster.served(api_version, kind).await.map_err(|error| refused(kind, &error))?;
    let Some(served) = served else {
        let problem = Diagnostic::error("unknown kind of object", format!("the API server knows no kind `{kind}` of `{api_version}`"));
        let help = "Correct `api_version` and `kind`, or let `depends_on` name what brings the definition.";
        return Err(Answer::Refused(problem.help(help)));
    };
    if let Some(namespace) = namespace.filter(|_| !served.namespaced) {
        let problem =
            Diagnostic::error("namespace not used", format!("no namespace holds objects of kind `{kind}`, nor does `{namespace}`"));
        return Err(Answer::Refused(problem.help("Leave `namespace` out.")));
    }
    let selection = Selection { labels: text("label_selector"), fields: text("field_selector") };
    let found = cluster.selected(&served.collection(api_version, namespace), selection).await;
    let mut found = found.map_err(|error| refused(kind, &error))?;
    let part = |object: &Json, at: &str| object.pointer(at).and_then(Json::as_str).unwrap_or_default().to_owned();
    found.sort_by_cached_key(|object| (part(object, "/metadata/namespace"), part(object, "/metadata/name")));
    let objects = found.into_iter().map(|object| shown(typed(object, api_version, kind))).collect();
    Ok(Answer::Present(arguments.with_entries([("objects", Value::tuple(objects))])))
}

/// Lists leave out of each object what all of them have in common.
fn typed(mut object: Json, api_version: &str, kind: &str) -> Json {
    if let Some(entries) = object.as_object_mut() {
        entries.insert("apiVersion".to_owned(), api_version.into());
        entries.insert("kind".to_owned(), kind.into());
    }
    object
}

fn refused(kind: &str, error: &CallError) -> Answer {
    if error.is_unreachable() {
        return Answer::Unreachable(error.to_string().into());
    }
    let problem = Diagnostic::error("objects not listed", format!("objects of kind `{kind}`: {error}"));
    let help = if error.is_unauthorised() {
        "Let somebody allow the verb `list`, or name a `namespace` in which it is allowed."
    } else {
        "Correct the selectors as the detail says."
    };
    Answer::Refused(problem.help(help))
}
