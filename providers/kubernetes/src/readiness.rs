//! When an object is ready, told from the object alone, and how long that is waited for.

use crate::object_kind::{Json, ObjectName, Until};

/// How an object stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Ready.
    Ready,
    /// Not yet, and why, as a fragment.
    NotYet(String),
    /// Not ever, whatever is waited for, and why, as a fragment.
    Never(String),
}

use Readiness::{Never, NotYet, Ready};

/// Seconds that objects of a kind usually need at most; nothing for objects that are ready when they exist.
pub(crate) fn usual_seconds(name: &ObjectName) -> Option<u64> {
    match (name.group(), name.kind.as_str()) {
        ("", "Namespace" | "Secret") => Some(30),
        ("apiextensions.k8s.io", "CustomResourceDefinition") | ("apiregistration.k8s.io", "APIService") => Some(60),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet") | ("", "Service" | "Pod") | ("batch", "Job") => Some(300),
        _ => None,
    }
}

/// Seconds that objects of a kind usually need at most to go once they are deleted.
///
/// An API server that cannot end a definition at once may lose sight of it, because a conflict in its cleanup counts as "I am called
/// again". It then sees it when it looks at all definitions anew, every five minutes.
pub(crate) fn usual_seconds_to_go(name: &ObjectName) -> u64 {
    match (name.group(), name.kind.as_str()) {
        ("apiextensions.k8s.io", "CustomResourceDefinition") => 660,
        _ => 300,
    }
}

/// How an object stands with what is waited for.
pub(crate) fn readiness(name: &ObjectName, live: &Json, until: &Until) -> Readiness {
    match until {
        Until::Nothing => Ready,
        Until::Ready => usual(name, live),
        Until::Condition(kind) => observed_if_told(live).unwrap_or_else(|| condition(live, kind)),
        Until::Field { path, equals } => field(live, path, equals.as_deref()),
        Until::Present(paths) => {
            let filled =
                |path: &&[&str]| path.iter().try_fold(live, |at, step| at.get(*step)).is_some_and(|value| value.as_str() != Some(""));
            match paths.iter().find(|path| !filled(path)) {
                Some(missing) => NotYet(format!("`{}` is not filled yet", missing.join("."))),
                None => Ready,
            }
        }
    }
}

/// How a field stands with the text that it is to have; without one it is to be there and not empty.
fn field(live: &Json, path: &str, equals: Option<&str>) -> Readiness {
    let now = steps(path).iter().try_fold(live, |at, step| match at {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => at.get(step),
    });
    let now = now.filter(|now| !now.is_null()).map(|now| now.as_str().map_or_else(|| now.to_string(), str::to_owned));
    match (now, equals) {
        (None, _) => NotYet(format!("`{path}` is not there yet")),
        (Some(now), Some(equals)) if now != equals => NotYet(format!("`{path}` is `{now}`, not yet `{equals}`")),
        (Some(now), None) if matches!(&*now, "" | "[]" | "{}") => NotYet(format!("`{path}` is not filled yet")),
        _ => Ready,
    }
}

/// The steps of a dotted path.
fn steps(path: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    for (number, part) in path.split('.').enumerate() {
        match steps.last_mut() {
            // A dot after a backslash is part of the name.
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('.');
                last.push_str(part);
            }
            Some(last) if number == 0 => last.push_str(part),
            _ => steps.push(part.to_owned()),
        }
    }
    steps
}

fn usual(name: &ObjectName, live: &Json) -> Readiness {
    match (name.group(), name.kind.as_str()) {
        ("", "Namespace") => match live.pointer("/status/phase").and_then(Json::as_str) {
            Some("Terminating") => NotYet("it is being deleted".into()),
            _ => Ready,
        },
        ("", "Secret") => token(live),
        ("", "Service") => load_balancer(live),
        ("", "Pod") => match live.pointer("/status/phase").and_then(Json::as_str) {
            Some("Succeeded") => Ready,
            Some("Failed") => Never(format!("it has failed{}", said(live.get("status")))),
            _ => condition(live, "Ready"),
        },
        ("apiextensions.k8s.io", "CustomResourceDefinition") => condition(live, "Established"),
        ("apiregistration.k8s.io", "APIService") => condition(live, "Available"),
        ("batch", "Job") => match failed(live) {
            Some(condition) => Never(format!("it has failed{}", said(Some(condition)))),
            // What was told to rest is as desired: nothing more comes of it before it is told to go on.
            None if is_set(live, "/spec/suspend") => Ready,
            None => condition(live, "Complete"),
        },
        ("apps", "Deployment") if is_set(live, "/spec/paused") => observed(live).unwrap_or(Ready),
        ("apps", "Deployment") => observed(live).unwrap_or_else(|| {
            let replicas = count(live, "/spec/replicas").unwrap_or(1);
            let updated = count(live, "/status/updatedReplicas").unwrap_or(0);
            if replicas > 0 && updated < replicas {
                return NotYet(with_conditions(live, format!("{updated} of {replicas} replicas are updated")));
            }
            condition(live, "Available")
        }),
        ("apps", "StatefulSet") => observed(live).unwrap_or_else(|| counted(live, "/spec/replicas", "/status/readyReplicas")),
        ("apps", "DaemonSet") => {
            observed(live).unwrap_or_else(|| counted(live, "/status/desiredNumberScheduled", "/status/numberAvailable"))
        }
        _ => Ready,
    }
}

/// A secret of a service account, which the token controller fills.
fn token(live: &Json) -> Readiness {
    if live.get("type").and_then(Json::as_str) != Some("kubernetes.io/service-account-token") {
        return Ready;
    }
    let filled = |key: &str| live.get("data").and_then(|data| data.get(key)).and_then(Json::as_str).is_some_and(|text| !text.is_empty());
    if filled("token") && filled("ca.crt") { Ready } else { NotYet("the token controller has not filled it yet".into()) }
}

fn load_balancer(live: &Json) -> Readiness {
    if live.pointer("/spec/type").and_then(Json::as_str) != Some("LoadBalancer") {
        return Ready;
    }
    let ingress = live.pointer("/status/loadBalancer/ingress").and_then(Json::as_array);
    let addressed = ingress.is_some_and(|ingress| ingress.iter().any(|at| at.get("ip").or(at.get("hostname")).is_some()));
    if addressed { Ready } else { NotYet("it has no load-balancer address: no free pool, or nobody hands out addresses".into()) }
}

/// Whether the controller has not even seen the latest spec.
fn observed(live: &Json) -> Option<Readiness> {
    let seen = count(live, "/status/observedGeneration").unwrap_or(0);
    let generation = count(live, "/metadata/generation").unwrap_or(0);
    (seen < generation).then(|| NotYet("its controller has not seen it yet".into()))
}

/// The same of objects that say what their controller has seen; not all do.
fn observed_if_told(live: &Json) -> Option<Readiness> {
    count(live, "/status/observedGeneration").and_then(|_| observed(live))
}

fn counted(live: &Json, wanted: &str, ready: &str) -> Readiness {
    let wanted = count(live, wanted).unwrap_or(1);
    let ready = count(live, ready).unwrap_or(0);
    if ready >= wanted { Ready } else { NotYet(with_conditions(live, format!("{ready} of {wanted} replicas are ready"))) }
}

fn is_set(live: &Json, pointer: &str) -> bool {
    live.pointer(pointer).and_then(Json::as_bool).unwrap_or_default()
}

fn count(live: &Json, pointer: &str) -> Option<u64> {
    live.pointer(pointer)?.as_u64()
}

fn conditions(live: &Json) -> &[Json] {
    live.pointer("/status/conditions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn condition(live: &Json, kind: &str) -> Readiness {
    let text = |condition: &Json, key: &str| condition.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let Some(condition) = conditions(live).iter().find(|condition| text(condition, "type") == kind) else {
        return NotYet(format!("condition `{kind}` is not set yet"));
    };
    if text(condition, "status") == "True" {
        return Ready;
    }
    let why = said(Some(condition));
    NotYet(if why.is_empty() { format!("condition `{kind}` is not true yet") } else { format!("condition `{kind}` is not true{why}") })
}

/// The condition of a job that will run no more pods although it is not complete.
fn failed(job: &Json) -> Option<&Json> {
    let text = |condition: &Json, key: &str| condition.get(key).and_then(Json::as_str).map(str::to_owned);
    let is =
        |condition: &&Json| text(condition, "type").as_deref() == Some("Failed") && text(condition, "status").as_deref() == Some("True");
    conditions(job).iter().find(is)
}

/// Reason and message of a status or a condition, after a colon.
fn said(status: Option<&Json>) -> String {
    let parts = ["reason", "message"].iter().filter_map(|key| status?.get(key)?.as_str().filter(|text| !text.is_empty()));
    parts.fold(String::new(), |all, part| format!("{all}: {part}"))
}

/// What failing conditions add to a reason.
fn with_conditions(live: &Json, reason: String) -> String {
    let failing = conditions(live).iter().find(|condition| {
        let text = |key: &str| condition.get(key).and_then(Json::as_str);
        matches!((text("type"), text("status")), (Some("ReplicaFailure"), Some("True")) | (Some("Progressing"), Some("False")))
    });
    match failing.and_then(|condition| condition.get("message")?.as_str()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason,
    }
}

/// Why an object that is being deleted is still there, as a fragment.
pub(crate) fn why_not_gone(live: &Json) -> String {
    let finalizers = live.pointer("/metadata/finalizers").or_else(|| live.pointer("/spec/finalizers")).and_then(Json::as_array);
    let finalizers: Vec<_> = finalizers.into_iter().flatten().filter_map(Json::as_str).map(|name| format!("`{name}`")).collect();
    let remaining = conditions(live).iter().find(|condition| {
        let text = |key: &str| condition.get(key).and_then(Json::as_str);
        text("status") == Some("True")
            && matches!(
                text("type"),
                Some("NamespaceContentRemaining" | "NamespaceFinalizersRemaining" | "NamespaceDeletionContentFailure")
            )
    });
    if let Some(message) = remaining.and_then(|condition| condition.get("message")?.as_str()) {
        return message.to_owned();
    }
    if finalizers.is_empty() { "it is still there".to_owned() } else { format!("it waits for its finalizers {}", finalizers.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ready(api_version: &str, kind: &str, live: &Json) -> Option<String> {
        match readiness(&ObjectName::global(api_version, kind, "a"), live, &Until::Ready) {
            Ready => None,
            NotYet(why) => Some(why),
            Never(why) => Some(format!("never: {why}")),
        }
    }

    #[test]
    fn a_definition_may_outlast_the_servers_look_at_all_of_them() {
        let definition = ObjectName::global("apiextensions.k8s.io/v1", "CustomResourceDefinition", "a.b");
        assert!(usual_seconds_to_go(&definition) > 2 * 5 * 60);
        assert_eq!(usual_seconds_to_go(&ObjectName::within("v1", "ConfigMap", "a", "b")), 300);
    }

    #[test]
    fn kinds_have_their_own_idea_of_ready() {
        let token = "kubernetes.io/service-account-token";
        let available = json!([{ "type": "Available", "status": "True" }]);
        let failing = json!([{ "type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable", "message": "no" },
            { "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" }]);
        let rows = [
            ("v1", "ConfigMap", json!({}), None),
            ("v1", "Namespace", json!({ "status": { "phase": "Active" } }), None),
            ("v1", "Namespace", json!({ "status": { "phase": "Terminating" } }), Some("it is being deleted")),
            ("v1", "Secret", json!({ "type": "Opaque" }), None),
            ("v1", "Secret", json!({ "type": token }), Some("the token controller has not filled it yet")),
            ("v1", "Secret", json!({ "type": token, "data": { "token": "eA==", "ca.crt": "eA==" } }), None),
            ("v1", "Service", json!({ "spec": { "type": "ClusterIP" } }), None),
            (
                "v1",
                "Service",
                json!({ "spec": { "type": "LoadBalancer" } }),
                Some("it has no load-balancer address: no free pool, or nobody hands out addresses"),
            ),
            (
                "v1",
                "Service",
                json!({ "spec": { "type": "LoadBalancer" }, "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }] } } }),
                None,
            ),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({}), Some("condition `Established` is not set yet")),
            (
                "apps/v1",
                "Deployment",
                json!({ "metadata": { "generation": 2 }, "status": { "observedGeneration": 1 } }),
                Some("its controller has not seen it yet"),
            ),
            ("apps/v1", "Deployment", json!({ "status": { "conditions": failing } }), Some("0 of 1 replicas are updated: exceeded quota")),
            (
                "apps/v1",
                "Deployment",
                json!({ "status": { "updatedReplicas": 1, "conditions": failing } }),
                Some("condition `Available` is not true: MinimumReplicasUnavailable: no"),
            ),
            (
                "apps/v1",
                "Deployment",
                json!({ "spec": { "replicas": 1 }, "status": { "updatedReplicas": 1, "conditions": available } }),
                None,
            ),
            (
                "apps/v1",
                "StatefulSet",
                json!({ "spec": { "replicas": 2 }, "status": { "readyReplicas": 1 } }),
                Some("1 of 2 replicas are ready"),
            ),
            ("apps/v1", "DaemonSet", json!({ "status": { "desiredNumberScheduled": 0 } }), None),
        ];
        for (api_version, kind, live, expected) in rows {
            assert_eq!(ready(api_version, kind, &live).as_deref(), expected, "{kind} {live}");
        }
    }

    #[test]
    fn what_is_to_rest_or_to_run_nowhere_is_ready_as_it_is() {
        let available = json!([{ "type": "Available", "status": "True" }]);
        let rows = [
            ("batch/v1", "Job", json!({ "spec": { "suspend": false } }), Some("condition `Complete` is not set yet")),
            ("batch/v1", "Job", json!({ "spec": { "suspend": true } }), None),
            (
                "batch/v1",
                "Job",
                json!({ "spec": { "suspend": true }, "status": { "conditions": [{ "type": "Suspended", "status": "True" }] } }),
                None,
            ),
            ("apps/v1", "Deployment", json!({ "spec": { "paused": true, "replicas": 2 }, "status": { "updatedReplicas": 0 } }), None),
            (
                "apps/v1",
                "Deployment",
                json!({ "metadata": { "generation": 2 }, "spec": { "paused": true }, "status": { "observedGeneration": 1 } }),
                Some("its controller has not seen it yet"),
            ),
            ("apps/v1", "Deployment", json!({ "spec": { "replicas": 0 }, "status": { "conditions": available } }), None),
            ("apps/v1", "StatefulSet", json!({ "spec": { "replicas": 0 } }), None),
        ];
        for (api_version, kind, live, expected) in rows {
            assert_eq!(ready(api_version, kind, &live).as_deref(), expected, "{kind} {live}");
        }
    }

    #[test]
    fn what_has_failed_for_good_is_not_waited_for() {
        let over = json!([{ "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "tried often enough" }]);
        let rows = [
            ("batch/v1", "Job", json!({ "status": { "active": 1 } }), Some("condition `Complete` is not set yet")),
            (
                "batch/v1",
                "Job",
                json!({ "status": { "conditions": over } }),
                Some("never: it has failed: BackoffLimitExceeded: tried often enough"),
            ),
            ("v1", "Pod", json!({ "status": { "phase": "Failed", "reason": "Evicted" } }), Some("never: it has failed: Evicted")),
            ("batch/v1", "Job", json!({ "status": { "conditions": [{ "type": "Complete", "status": "True" }] } }), None),
            ("v1", "Pod", json!({ "status": { "phase": "Succeeded" } }), None),
        ];
        for (api_version, kind, live, expected) in rows {
            assert_eq!(ready(api_version, kind, &live).as_deref(), expected, "{kind} {live}");
        }
    }

    #[test]
    fn a_field_is_waited_for_by_its_text() {
        let name = ObjectName::within("install.istio.io/v1alpha1", "IstioOperator", "istio-system", "a");
        let until = Until::Field { path: "status.status".into(), equals: Some("HEALTHY".into()) };
        let at = |live: Json| readiness(&name, &live, &until);
        assert_eq!(at(json!({ "status": { "status": "HEALTHY" } })), Ready);
        assert_eq!(
            at(json!({ "status": { "status": "RECONCILING" } })),
            NotYet("`status.status` is `RECONCILING`, not yet `HEALTHY`".into())
        );
        assert_eq!(at(json!({})), NotYet("`status.status` is not there yet".into()));
        let until = Until::Present(&[&["data", "ca.crt"]]);
        assert_eq!(readiness(&name, &json!({ "data": { "ca.crt": "x" } }), &until), Ready);
        assert_eq!(readiness(&name, &json!({ "data": { "ca.crt": "" } }), &until), NotYet("`data.ca.crt` is not filled yet".into()));
    }

    #[test]
    fn any_field_and_any_condition_can_be_waited_for() {
        let name = ObjectName::within("v1", "ConfigMap", "n", "a");
        let live = json!({ "metadata": { "generation": 2 }, "data": { "ca.crt": "x", "none": "" }, "status": { "count": 3, "ingress": [{ "ip": "10.0.0.1" }],
            "conditions": [{ "type": "Synced", "status": "True" }, { "type": "Healthy", "status": "False", "reason": "NoPeers" }] } });
        let at = |until: Until| match readiness(&name, &live, &until) {
            Ready => None,
            NotYet(why) | Never(why) => Some(why),
        };
        let field = |path: &str, equals: Option<&str>| at(Until::Field { path: path.into(), equals: equals.map(Into::into) });
        for (path, equals, why) in [
            ("data.ca\\.crt", None, None),
            ("data.ca\\.crt", Some("x"), None),
            ("data.none", None, Some("`data.none` is not filled yet")),
            ("data.other", None, Some("`data.other` is not there yet")),
            ("status.count", Some("3"), None),
            ("status.count", Some("4"), Some("`status.count` is `3`, not yet `4`")),
            ("status.ingress.0.ip", None, None),
            ("status.ingress.1.ip", None, Some("`status.ingress.1.ip` is not there yet")),
        ] {
            assert_eq!(field(path, equals).as_deref(), why, "{path}");
        }
        assert_eq!(at(Until::Condition("Synced".into())), None);
        assert_eq!(at(Until::Condition("Healthy".into())).as_deref(), Some("condition `Healthy` is not true: NoPeers"));
        let old = json!({ "metadata": { "generation": 2 }, "status": { "observedGeneration": 1, "conditions": [{ "type": "Synced", "status": "True" }] } });
        assert_eq!(readiness(&name, &old, &Until::Condition("Synced".into())), NotYet("its controller has not seen it yet".into()));
    }

    #[test]
    fn what_keeps_an_object_is_named() {
        let rows = [
            (json!({}), "it is still there"),
            (json!({ "metadata": { "finalizers": ["a/b"] } }), "it waits for its finalizers `a/b`"),
            (
                json!({ "spec": { "finalizers": ["kubernetes"] }, "status": { "conditions": [
                { "type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: pods. has 1 resource instances" }] } }),
                "Some resources are remaining: pods. has 1 resource instances",
            ),
        ];
        for (live, why) in rows {
            assert_eq!(why_not_gone(&live), why);
        }
    }
}
