//! What of an object that exists a configuration would say: not what only servers write, nor what controllers have made of it.

use crate::object::canonical;
use crate::object_kind::{Json, ObjectName};
use crate::observation::value_of;
use crate::ownership::entries;
use crate::rules::rewritten;

/// What API servers and controllers write into objects although a configuration could: group (`*` for any), kind, path with `*` for all items of a
/// list.
const GIVEN: &[(&str, &str, &[&str])] = &[
    ("*", "*", &["metadata", "finalizers"]),
    ("*", "*", &["metadata", "generateName"]),
    ("*", "*", &["metadata", "ownerReferences"]),
    ("*", "*", &["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]),
    ("", "Namespace", &["metadata", "labels", "kubernetes.io/metadata.name"]),
    ("", "Namespace", &["spec", "finalizers"]),
    ("", "PersistentVolumeClaim", &["spec", "volumeName"]),
    ("", "Pod", &["spec", "nodeName"]),
    ("", "Service", &["spec", "clusterIP"]),
    ("", "Service", &["spec", "clusterIPs"]),
    ("", "Service", &["spec", "healthCheckNodePort"]),
    ("", "Service", &["spec", "ports", "*", "nodePort"]),
    ("", "ServiceAccount", &["secrets"]),
    ("apps", "DaemonSet", &["metadata", "annotations", "deprecated.daemonset.template.generation"]),
    ("apps", "Deployment", &["metadata", "annotations", "deployment.kubernetes.io/revision"]),
];

/// What a Job has of the controller that made its pods, unless it says itself which pods are its own.
const OF_JOBS: &[&[&str]] = &[
    &["spec", "selector"],
    &["metadata", "labels", "controller-uid"],
    &["metadata", "labels", "job-name"],
    &["metadata", "labels", "batch.kubernetes.io/controller-uid"],
    &["metadata", "labels", "batch.kubernetes.io/job-name"],
    &["spec", "template", "metadata", "labels", "controller-uid"],
    &["spec", "template", "metadata", "labels", "job-name"],
    &["spec", "template", "metadata", "labels", "batch.kubernetes.io/controller-uid"],
    &["spec", "template", "metadata", "labels", "batch.kubernetes.io/job-name"],
];

/// What of a live object people, or programs for them, have said; defaults of the server among it.
pub(crate) fn said(name: &ObjectName, live: &Json) -> Json {
    let Ok(mut said) = canonical(&value_of(live)).to_json() else { return Json::Null };
    let is_headless = live.pointer("/spec/clusterIP").and_then(Json::as_str) == Some("None");
    let given = GIVEN.iter().filter(|(group, kind, _)| matches!(*group, "*") || (*group, *kind) == (name.group(), name.kind.as_str()));
    for (_, _, path) in given {
        if !(is_headless && path.ends_with(&["clusterIP"])) {
            take(&mut said, path);
        }
    }
    if (name.group(), name.kind.as_str()) == ("batch", "Job") && live.pointer("/spec/manualSelector") != Some(&Json::Bool(true)) {
        for path in OF_JOBS {
            take(&mut said, path);
        }
    }
    // Of what has no address a dry run does not tell the families.
    if is_headless && live.pointer("/spec/ipFamilyPolicy").and_then(Json::as_str) == Some("SingleStack") {
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            take(&mut said, &["spec", field]);
        }
    }
    for pod in ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        let pod = said.pointer_mut(pod).and_then(Json::as_object_mut);
        // The same under its former name, which servers write beside.
        if let Some(pod) = pod.filter(|pod| pod.get("serviceAccount") == pod.get("serviceAccountName")) {
            pod.remove("serviceAccount");
        }
    }
    for path in rewritten(name, live, "") {
        take(&mut said, &path.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for map in ["labels", "annotations"] {
        for key in of_controllers(live, map) {
            take(&mut said, &["metadata", map, &key]);
        }
    }
    said
}

/// The controller that makes an object, and would set it back.
pub(crate) fn maker(live: &Json) -> Option<String> {
    let owners = live.pointer("/metadata/ownerReferences").and_then(Json::as_array)?;
    let maker = owners.iter().find(|owner| owner.get("controller") == Some(&Json::Bool(true)))?;
    Some(format!("{}/{}", maker.get("kind")?.as_str()?, maker.get("name")?.as_str()?))
}

/// The labels or annotations that nobody wrote but Kubernetes' own controllers.
fn of_controllers(live: &Json, map: &str) -> Vec<String> {
    let keys = live.pointer(&format!("/metadata/{map}")).and_then(Json::as_object).into_iter().flatten().map(|(key, _)| key);
    let (within, text) = (format!("f:{map}"), |entry: &Json, key: &str| entry.get(key).and_then(Json::as_str).map(str::to_owned));
    let is_theirs = |key: &&String| {
        let field = format!("f:{key}");
        let owns = |entry: &&Json| ["fieldsV1", "f:metadata", &within, &field].iter().try_fold(*entry, |at, step| at.get(*step)).is_some();
        let mut owners = entries(live).iter().filter(owns).peekable();
        owners.peek().is_some()
            && owners.all(|entry| {
                let manager = text(entry, "manager").unwrap_or_default();
                manager.starts_with("kube-") || text(entry, "subresource").is_some_and(|part| part == "status")
            })
    };
    keys.filter(is_theirs).cloned().collect()
}

/// Takes out a field, and what holds nothing else.
fn take(from: &mut Json, path: &[&str]) {
    let Some((step, rest)) = path.split_first() else { return };
    match from {
        Json::Object(fields) if rest.is_empty() => drop(fields.remove(*step)),
        Json::Object(fields) => {
            let Some(next) = fields.get_mut(*step) else { return };
            take(next, rest);
            if next.as_object().is_some_and(serde_json::Map::is_empty) {
                fields.remove(*step);
            }
        }
        Json::Array(items) if *step == "*" => items.iter_mut().for_each(|item| take(item, rest)),
        Json::Array(items) => {
            let named = |item: &&mut Json| item.get("name").and_then(Json::as_str) == Some(step);
            items.iter_mut().filter(named).for_each(|item| take(item, rest));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(api_version: &str, kind: &str, live: &Json, expected: &Json) {
        let mut live = live.clone();
        (live["apiVersion"], live["kind"]) = (json!(api_version), json!(kind));
        let name = ObjectName::within(api_version, kind, "n", "a");
        let mut said = said(&name, &live);
        if let Some(fields) = said.as_object_mut() {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
        assert_eq!(said, *expected, "{kind}");
    }

    #[test]
    fn what_only_servers_write_is_not_said() {
        let metadata = json!({ "name": "a", "namespace": "n", "uid": "u", "resourceVersion": "1", "generation": 2, "creationTimestamp": "t",
            "finalizers": ["x"], "ownerReferences": [{ "kind": "K", "name": "o" }], "labels": { "l": "1" },
            "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{}" } });
        check(
            "v1",
            "ConfigMap",
            &json!({ "metadata": metadata, "data": { "x": "1" }, "status": { "y": 1 } }),
            &json!({ "metadata": { "name": "a", "namespace": "n", "labels": { "l": "1" } }, "data": { "x": "1" } }),
        );
        let plain = json!({ "name": "a", "namespace": "n" });
        let port = |node: bool| if node { json!([{ "port": 80, "nodePort": 30080 }]) } else { json!([{ "port": 80 }]) };
        for (address, said) in
            [("10.0.0.7", json!({ "ports": port(false) })), ("None", json!({ "ports": port(false), "clusterIP": "None" }))]
        {
            check(
                "v1",
                "Service",
                &json!({ "metadata": plain, "spec": { "ports": port(true), "clusterIP": address, "clusterIPs": [address] } }),
                &json!({ "metadata": plain, "spec": said }),
            );
        }
        let labels = json!({ "app": "a", "controller-uid": "u", "batch.kubernetes.io/job-name": "a" });
        let template = |labels: Json| json!({ "metadata": { "labels": labels }, "spec": { "x": 1 } });
        check(
            "batch/v1",
            "Job",
            &json!({ "metadata": { "name": "a", "namespace": "n", "labels": labels }, "spec": { "selector": { "matchLabels": {} }, "template": template(labels.clone()) } }),
            &json!({ "metadata": { "name": "a", "namespace": "n", "labels": { "app": "a" } }, "spec": { "template": template(json!({ "app": "a" })) } }),
        );
        let pods = |spec: Json| json!({ "metadata": plain, "spec": { "template": { "spec": spec } } });
        check(
            "apps/v1",
            "Deployment",
            &pods(json!({ "serviceAccount": "a", "serviceAccountName": "a" })),
            &pods(json!({ "serviceAccountName": "a" })),
        );
        // Others' kinds of the same name are not Kubernetes' own.
        check(
            "example.org/v1",
            "Service",
            &json!({ "metadata": plain, "spec": { "clusterIP": "x" } }),
            &json!({ "metadata": plain, "spec": { "clusterIP": "x" } }),
        );
    }

    #[test]
    fn what_controllers_made_of_it_is_not_said() {
        let entry = |manager: &str, part: Json, fields: Json| json!({ "manager": manager, "operation": "Update", "subresource": part, "fieldsV1": fields });
        let annotation = |name: &str| json!({ "f:metadata": { "f:annotations": { format!("f:{name}"): {} } } });
        let managed = json!([
            entry("kubectl", Json::Null, annotation("mine")),
            entry("kube-controller-manager", Json::Null, annotation("theirs")),
            entry("operator", json!("status"), annotation("reported")),
            entry("kube-controller-manager", json!("scale"), json!({ "f:spec": { "f:replicas": {} } })),
        ]);
        let live = json!({ "metadata": { "name": "a", "namespace": "n", "managedFields": managed, "annotations": { "mine": "1", "theirs": "1", "reported": "1", "nobodys": "1" } },
            "spec": { "replicas": 5, "paused": true } });
        check(
            "apps/v1",
            "Deployment",
            &live,
            &json!({ "metadata": { "name": "a", "namespace": "n", "annotations": { "mine": "1", "nobodys": "1" } },
            "spec": { "paused": true } }),
        );
    }

    #[test]
    fn who_makes_it_is_told() {
        let owned = |controller: bool| json!({ "metadata": { "ownerReferences": [{ "kind": "ReplicaSet", "name": "a-1", "controller": controller }] } });
        assert_eq!((maker(&owned(true)).as_deref(), maker(&owned(false)), maker(&json!({}))), (Some("ReplicaSet/a-1"), None, None));
    }
}
