//! Defaults of Jobs, and the selector that the server makes for one.

use super::pod;
use crate::object::{Json, at, name, set, set_default, text, uid};
use serde_json::json;

const UID: &str = "batch.kubernetes.io/controller-uid";

/// Fills in what is not set.
pub(super) fn fill(object: &mut Json) {
    if at(object, &["spec", "completions"]).is_none() && at(object, &["spec", "parallelism"]).is_none() {
        set(object, &["spec", "completions"], 1);
    }
    let replacement = if at(object, &["spec", "podFailurePolicy"]).is_some() { "Failed" } else { "TerminatingOrFailed" };
    for (field, value) in [
        ("backoffLimit", json!(6)),
        ("completionMode", json!("NonIndexed")),
        ("manualSelector", json!(false)),
        ("parallelism", json!(1)),
        ("podReplacementPolicy", json!(replacement)),
        ("suspend", json!(false)),
    ] {
        set_default(object, &["spec", field], value);
    }
    label(object);
    pod::template(object, &["spec", "template"]);
}

/// A Job without labels has those of its pods.
fn label(object: &mut Json) {
    if let Some(labels) = at(object, &["spec", "template", "metadata", "labels"]).cloned() {
        set_default(object, &["metadata", "labels"], labels);
    }
}

/// Selects the pods of a new Job by its identity, unless the writer selects them.
pub(super) fn select(object: &mut Json) {
    if at(object, &["spec", "manualSelector"]) == Some(&json!(true)) || text(object, &["metadata", "uid"]).is_none() {
        return;
    }
    // Labels that were taken from the pods' stay theirs.
    let labels = |object: &Json, path: &[&str]| at(object, path).cloned();
    let shared = labels(object, &["metadata", "labels"]) == labels(object, &["spec", "template", "metadata", "labels"]);
    let (name, uid) = (name(object).to_owned(), uid(object).to_owned());
    for (key, value) in [(UID, &uid), ("batch.kubernetes.io/job-name", &name), ("controller-uid", &uid), ("job-name", &name)] {
        set_default(object, &["spec", "template", "metadata", "labels", key], value.as_str());
    }
    set_default(object, &["spec", "selector", "matchLabels", UID], uid);
    if shared {
        let labels = labels(object, &["spec", "template", "metadata", "labels"]);
        set(object, &["metadata", "labels"], labels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_selects_its_pods_by_its_identity() {
        let mut job = json!({ "metadata": { "name": "j", "uid": "u" }, "spec": { "template": { "spec": { "containers": [] } } } });
        fill(&mut job);
        assert_eq!((&job["spec"]["completions"], &job["metadata"].get("labels")), (&json!(1), &None));
        select(&mut job);
        assert_eq!(job["spec"]["selector"], json!({ "matchLabels": { UID: "u" } }));
        assert_eq!(job["metadata"]["labels"], job["spec"]["template"]["metadata"]["labels"]);
        let mut manual =
            json!({ "metadata": { "uid": "u" }, "spec": { "manualSelector": true, "parallelism": 2, "podFailurePolicy": {} } });
        fill(&mut manual);
        select(&mut manual);
        assert_eq!((manual["spec"].get("selector"), manual["spec"].get("completions")), (None, None));
        assert_eq!(manual["spec"]["podReplacementPolicy"], json!("Failed"));
    }
}
