//! Values that the API server fills in within a pod's specification.

use crate::object::{Json, at, list_at, set, set_default, text};
use serde_json::json;

/// The containers of a Pod, though not of a template, request what they are limited to.
pub(super) fn requests(pod: &mut Json) {
    for field in ["initContainers", "containers"] {
        for container in existing(pod, &["spec", field]) {
            let limits = at(container, &["resources", "limits"]).and_then(Json::as_object).cloned();
            for (resource, limit) in limits.into_iter().flatten() {
                set_default(container, &["resources", "requests", &resource], limit);
            }
        }
    }
}

/// Fills in the template of pods at a path, if there is one.
pub(super) fn template(object: &mut Json, path: &[&str]) {
    if at(object, path).is_some_and(Json::is_object) {
        set_default(object, &[path, &["metadata"]].concat(), json!({}));
        spec(object, &[path, &["spec"]].concat());
    }
}

/// Fills in the pod specification at a path, if there is one.
pub(super) fn spec(object: &mut Json, path: &[&str]) {
    let pointer: String = path.iter().flat_map(|field| ["/", field]).collect();
    let Some(spec) = object.pointer_mut(&pointer).filter(|spec| spec.is_object()) else { return };
    for (field, value) in [
        ("restartPolicy", json!("Always")),
        ("dnsPolicy", json!("ClusterFirst")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
    ] {
        set_default(spec, &[field], value);
    }
    if let Some(account) = text(spec, &["serviceAccountName"]).map(str::to_owned) {
        set(spec, &["serviceAccount"], account);
    }
    for field in ["initContainers", "containers"] {
        for container in existing(spec, &[field]) {
            fill_container(container);
        }
    }
    for volume in existing(spec, &["volumes"]) {
        fill_volume(volume);
    }
}

fn existing<'a>(object: &'a mut Json, path: &[&str]) -> &'a mut [Json] {
    if at(object, path).is_none_or(|list| !list.is_array()) {
        return &mut [];
    }
    list_at(object, path).map(Vec::as_mut_slice).unwrap_or_default()
}

fn fill_container(container: &mut Json) {
    let image = text(container, &["image"]).unwrap_or_default();
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    let policy = match tag {
        _ if image.contains('@') => "IfNotPresent",
        None | Some("latest") => "Always",
        Some(_) => "IfNotPresent",
    };
    for (field, value) in [
        ("imagePullPolicy", json!(policy)),
        ("resources", json!({})),
        ("terminationMessagePath", json!("/dev/termination-log")),
        ("terminationMessagePolicy", json!("File")),
    ] {
        set_default(container, &[field], value);
    }
    for port in existing(container, &["ports"]) {
        set_default(port, &["protocol"], "TCP");
    }
    for variable in existing(container, &["env"]) {
        if at(variable, &["valueFrom", "fieldRef"]).is_some() {
            set_default(variable, &["valueFrom", "fieldRef", "apiVersion"], "v1");
        }
        if at(variable, &["valueFrom", "resourceFieldRef"]).is_some() {
            set_default(variable, &["valueFrom", "resourceFieldRef", "divisor"], "0");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if at(container, &[probe]).is_none() {
            continue;
        }
        for (field, value) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)] {
            set_default(container, &[probe, field], value);
        }
        if at(container, &[probe, "httpGet"]).is_some() {
            set_default(container, &[probe, "httpGet", "scheme"], "HTTP");
            set_default(container, &[probe, "httpGet", "path"], "/");
        }
    }
}

fn fill_volume(volume: &mut Json) {
    const MODE: u32 = 0o644;
    for source in ["secret", "configMap", "projected", "downwardAPI"] {
        if at(volume, &[source]).is_some() {
            set_default(volume, &[source, "defaultMode"], MODE);
        }
    }
    if at(volume, &["hostPath"]).is_some() {
        set_default(volume, &["hostPath", "type"], "");
    }
    for source in existing(volume, &["projected", "sources"]) {
        if at(source, &["serviceAccountToken"]).is_some() {
            set_default(source, &["serviceAccountToken", "expirationSeconds"], 3600);
        }
        fill_field_references(source, &["downwardAPI", "items"]);
    }
    fill_field_references(volume, &["downwardAPI", "items"]);
    if volume.as_object().is_some_and(|fields| fields.len() == 1) {
        set(volume, &["emptyDir"], json!({}));
    }
}

fn fill_field_references(object: &mut Json, path: &[&str]) {
    for item in existing(object, path) {
        if at(item, &["fieldRef"]).is_some() {
            set_default(item, &["fieldRef", "apiVersion"], "v1");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pod: &Json) -> Json {
        let mut object = json!({ "spec": pod });
        spec(&mut object, &["spec"]);
        object["spec"].take()
    }

    #[test]
    fn images_say_when_they_are_pulled() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.27", "IfNotPresent"),
            ("registry:5000/nginx", "Always"),
            ("registry:5000/nginx:1", "IfNotPresent"),
            ("nginx@sha256:00", "IfNotPresent"),
        ] {
            let pod = filled(&json!({ "containers": [{ "name": "c", "image": image }] }));
            assert_eq!(pod["containers"][0]["imagePullPolicy"], json!(policy), "{image}");
        }
    }

    #[test]
    fn containers_and_volumes_are_filled_in() {
        let pod = filled(&json!({ "serviceAccountName": "s",
            "containers": [{ "name": "c", "image": "i:1", "ports": [{ "containerPort": 1 }], "readinessProbe": { "httpGet": { "port": 1 } },
                "resources": { "limits": { "cpu": "1" } }, "env": [{ "name": "e", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }] }],
            "volumes": [{ "name": "a", "secret": { "secretName": "s" } }, { "name": "b" }] }));
        let container = &pod["containers"][0];
        assert_eq!(container["ports"], json!([{ "containerPort": 1, "protocol": "TCP" }]));
        assert_eq!(container["readinessProbe"]["httpGet"], json!({ "port": 1, "scheme": "HTTP", "path": "/" }));
        assert_eq!(container["resources"].get("requests"), None);
        let mut requesting = json!({ "spec": pod });
        requests(&mut requesting);
        assert_eq!(requesting["spec"]["containers"][0]["resources"]["requests"], json!({ "cpu": "1" }));
        assert_eq!(container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"], json!("v1"));
        assert_eq!(
            pod["volumes"],
            json!([{ "name": "a", "secret": { "secretName": "s", "defaultMode": 420 } }, { "name": "b", "emptyDir": {} }])
        );
        assert_eq!((&pod["serviceAccount"], &pod["restartPolicy"]), (&json!("s"), &json!("Always")));
    }

    #[test]
    fn what_is_set_stays_and_nothing_becomes_something() {
        let pod = filled(&json!({ "dnsPolicy": "None", "containers": [] }));
        assert_eq!((&pod["dnsPolicy"], &pod["containers"], pod.get("volumes")), (&json!("None"), &json!([]), None));
        let mut nothing = json!({ "spec": {} });
        spec(&mut nothing, &["spec", "template", "spec"]);
        assert_eq!(nothing, json!({ "spec": {} }));
    }
}
