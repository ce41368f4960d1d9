//! How far the pods of a workload follow its template, told from the object alone.

use crate::object_kind::Json;
use crate::readiness::Readiness::{self, Never, NotYet, Ready};

/// Why pods would not follow a new template by themselves, as a fragment; nothing if they do.
pub(super) fn stuck(live: &Json) -> Option<&'static str> {
    if live.pointer("/spec/paused").and_then(Json::as_bool) == Some(true) {
        return Some("its rollout is paused");
    }
    let strategy = live.pointer("/spec/updateStrategy/type").and_then(Json::as_str);
    (strategy == Some("OnDelete")).then_some("its update strategy is `OnDelete`: pods follow when somebody deletes them")
}

/// Whether all pods are of the latest template and available, by the rules of `kubectl rollout status`.
pub(super) fn rollout(kind: &str, live: &Json) -> Readiness {
    if count(live, "/status/observedGeneration") < count(live, "/metadata/generation") {
        return NotYet("its controller has not seen it yet".into());
    }
    match kind {
        "Deployment" => deployment(live),
        "StatefulSet" => stateful_set(live),
        _ => {
            let wanted = count(live, "/status/desiredNumberScheduled");
            reached(wanted, [("updated", "/status/updatedNumberScheduled"), ("available", "/status/numberAvailable")], live)
        }
    }
}

fn deployment(live: &Json) -> Readiness {
    let conditions = live.pointer("/status/conditions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let late = conditions.iter().find(|condition| condition["type"] == "Progressing" && condition["reason"] == "ProgressDeadlineExceeded");
    if let Some(late) = late {
        return Never(late["message"].as_str().unwrap_or("it has exceeded its progress deadline").to_owned());
    }
    let old = count(live, "/status/replicas").saturating_sub(count(live, "/status/updatedReplicas"));
    match reached(wanted(live), [("updated", "/status/updatedReplicas"), ("available", "/status/availableReplicas")], live) {
        Ready if old > 0 => NotYet(format!("{old} old replicas are still there")),
        other => other,
    }
}

fn stateful_set(live: &Json) -> Readiness {
    // Pods below the partition keep the old template on purpose.
    let kept = count(live, "/spec/updateStrategy/rollingUpdate/partition");
    let updated = count(live, "/status/updatedReplicas");
    let new = wanted(live).saturating_sub(kept);
    let revision = |at: &str| live.pointer(at).and_then(Json::as_str);
    if kept == 0 && revision("/status/updateRevision") == revision("/status/currentRevision") {
        // Where the rollout is complete, the controller may have set the count of updated ones back.
        return reached(wanted(live), [("ready", "/status/readyReplicas")], live);
    }
    if updated < new {
        return NotYet(format!("{updated} of {new} replicas are updated"));
    }
    reached(wanted(live), [("ready", "/status/readyReplicas")], live)
}

fn reached<const N: usize>(wanted: u64, counts: [(&str, &str); N], live: &Json) -> Readiness {
    let short = counts.into_iter().map(|(what, at)| (what, count(live, at))).find(|(_, now)| *now < wanted);
    short.map_or(Ready, |(what, now)| NotYet(format!("{now} of {wanted} replicas are {what}")))
}

fn wanted(live: &Json) -> u64 {
    live.pointer("/spec/replicas").and_then(Json::as_u64).unwrap_or(1)
}

fn count(live: &Json, at: &str) -> u64 {
    live.pointer(at).and_then(Json::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rollout_is_done_when_all_pods_are_new_and_available() {
        let late = json!([{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "no progress" }]);
        let rows = [
            ("Deployment", json!({}), json!({ "observedGeneration": 1 }), NotYet("its controller has not seen it yet".into())),
            ("Deployment", json!({ "replicas": 2 }), json!({ "updatedReplicas": 1 }), NotYet("1 of 2 replicas are updated".into())),
            (
                "Deployment",
                json!({ "replicas": 2 }),
                json!({ "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2 }),
                NotYet("1 old replicas are still there".into()),
            ),
            (
                "Deployment",
                json!({}),
                json!({ "replicas": 1, "updatedReplicas": 1, "availableReplicas": 0 }),
                NotYet("0 of 1 replicas are available".into()),
            ),
            ("Deployment", json!({}), json!({ "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 }), Ready),
            ("Deployment", json!({ "replicas": 0 }), json!({}), Ready),
            ("Deployment", json!({}), json!({ "conditions": late }), Never("no progress".into())),
            (
                "DaemonSet",
                json!({}),
                json!({ "desiredNumberScheduled": 3, "numberAvailable": 3, "updatedNumberScheduled": 2 }),
                NotYet("2 of 3 replicas are updated".into()),
            ),
            ("DaemonSet", json!({}), json!({ "desiredNumberScheduled": 3, "numberAvailable": 3, "updatedNumberScheduled": 3 }), Ready),
            (
                "StatefulSet",
                json!({ "replicas": 2 }),
                json!({ "updateRevision": "b", "currentRevision": "a", "updatedReplicas": 1, "readyReplicas": 2 }),
                NotYet("1 of 2 replicas are updated".into()),
            ),
            (
                "StatefulSet",
                json!({ "replicas": 2, "updateStrategy": { "rollingUpdate": { "partition": 1 } } }),
                json!({ "updateRevision": "b", "currentRevision": "a", "updatedReplicas": 1, "readyReplicas": 2 }),
                Ready,
            ),
            (
                "StatefulSet",
                json!({ "replicas": 2 }),
                json!({ "updateRevision": "b", "currentRevision": "b", "readyReplicas": 1 }),
                NotYet("1 of 2 replicas are ready".into()),
            ),
        ];
        for (kind, spec, mut status, expected) in rows {
            let seen = status.get("observedGeneration").cloned().unwrap_or_else(|| json!(2));
            status["observedGeneration"] = seen;
            let live = json!({ "metadata": { "generation": 2 }, "spec": spec, "status": status });
            assert_eq!(rollout(kind, &live), expected, "{kind} {live}");
        }
    }

    #[test]
    fn pods_that_nobody_replaces_are_told() {
        assert!(stuck(&json!({ "spec": { "paused": true } })).is_some_and(|why| why.contains("paused")));
        assert!(stuck(&json!({ "spec": { "updateStrategy": { "type": "OnDelete" } } })).is_some_and(|why| why.contains("OnDelete")));
        assert_eq!(stuck(&json!({ "spec": { "updateStrategy": { "type": "RollingUpdate" }, "paused": false } })), None);
    }
}
