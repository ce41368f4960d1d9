//! The scale of an object: how many replicas are wanted, and how many there are.

use super::Answer;
use super::call::Call;
use super::write::{Writing, check_identity, update};
use crate::object::{Json, at, set};
use crate::refusal::{About, Refusal};
use crate::resource::Resource;
use crate::store::Transaction;
use serde_json::json;

/// The scale of an object.
pub(crate) fn scale_of(resource: &Resource, object: &Json) -> Result<Json, Refusal> {
    let scale = resource.scale.as_ref().ok_or_else(Refusal::no_such_path)?;
    let number = |path: &[String]| at(object, &path.iter().map(String::as_str).collect::<Vec<_>>()).cloned().unwrap_or_else(|| json!(0));
    let metadata = |field: &str| at(object, &["metadata", field]).cloned().unwrap_or_default();
    let mut status = json!({ "replicas": number(&scale.present) });
    if resource.schema.is_none() {
        let labels = at(object, &["spec", "selector", "matchLabels"]).and_then(Json::as_object);
        let terms = labels.into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
        status["selector"] = terms.collect::<Vec<_>>().join(",").into();
    }
    let wanted = number(&scale.wanted);
    // None wanted is not written.
    let spec = if wanted == 0 { json!({}) } else { json!({ "replicas": wanted }) };
    Ok(json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": { "name": metadata("name"), "namespace": metadata("namespace"), "uid": metadata("uid"),
            "resourceVersion": metadata("resourceVersion"), "creationTimestamp": metadata("creationTimestamp") },
        "spec": spec,
        "status": status,
    }))
}

/// Changes the wanted replicas of an object. An apply is taken as any other write.
pub(crate) fn scale(transaction: &mut Transaction<'_>, writing: &Writing<'_>, call: &Call) -> Result<Answer, Refusal> {
    let scale = writing.resource.scale.as_ref().ok_or_else(Refusal::no_such_path)?;
    let live = writing.live(transaction).ok_or_else(|| writing.missing())?;
    let body = call.json()?;
    let replicas = at(&body, &["spec", "replicas"]).and_then(Json::as_i64).unwrap_or_default();
    if replicas < 0 {
        let about = About { group: "autoscaling", kind: "Scale", name: &writing.name };
        let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        return Err(Refusal::invalid(about, &[("spec.replicas".to_owned(), why)]));
    }
    check_identity(writing, &live, &body)?;
    let mut object = (*live).clone();
    set(&mut object, &scale.wanted.iter().map(String::as_str).collect::<Vec<_>>(), replicas);
    update(transaction, writing, &live, object)?;
    let stored = writing.live(transaction).ok_or_else(|| writing.missing())?;
    Ok(Answer::Object(200, scale_of(writing.resource, &stored)?))
}
