//! What the API server refuses: names that are none, required fields, fields that cannot change.

use super::{access, definition, namespace, schema, service, workload};
use crate::object::{self, Json, at, items, text};
use crate::refusal::Refusal;
use crate::resource::Resource;

const IMMUTABLE: &str = "field is immutable";
const POD_FIXED: &str = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
    `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)";

/// Refuses a new object that its kind does not allow.
pub(super) fn create(resource: &Resource, object: &Json) -> Result<(), Refusal> {
    let mut causes = Vec::new();
    let name = object::name(object);
    if name.is_empty() {
        causes.push(("metadata.name".to_owned(), "Required value: name or generateName is required".to_owned()));
    } else if let Some(why) = wrong_name(resource, name) {
        causes.push(("metadata.name".to_owned(), format!("Invalid value: {name:?}: {why}")));
    }
    content(resource, None, object, &mut causes);
    finish(resource, name, &causes)
}

/// Refuses a changed object that its kind does not allow.
pub(super) fn update(resource: &Resource, live: &Json, object: &Json) -> Result<(), Refusal> {
    let mut causes = Vec::new();
    if is_binding(resource) && live.get("roleRef") != object.get("roleRef") {
        let part = |field: &str| text(object, &["roleRef", field]).unwrap_or_default();
        let given = format!("{{\"APIGroup\":{:?},\"Kind\":{:?},\"Name\":{:?}}}", part("apiGroup"), part("kind"), part("name"));
        causes.push(("roleRef".to_owned(), format!("Invalid value: {given}: cannot change roleRef")));
    }
    for path in immutable(resource) {
        let (old, new) = (at(live, &path), at(object, &path));
        if old != new && old.is_some_and(|old| !old.is_null()) {
            // Of a definition these are texts, which are there also where nothing is said.
            let nothing = if resource.kind == "CustomResourceDefinition" { Json::from("") } else { Json::Null };
            let new = new.filter(|new| !new.is_null()).cloned().unwrap_or(nothing);
            causes.push((path.join("."), format!("Invalid value: {new}: {IMMUTABLE}")));
        }
    }
    if resource.group.is_empty() && resource.kind == "Pod" && changes_what_is_fixed(live, object) {
        causes.push(("spec".to_owned(), POD_FIXED.to_owned()));
    }
    if resource.kind == "Service" && resource.group.is_empty() {
        service::update(live, object, &mut causes);
    }
    if resource.group.is_empty() && live.get("immutable") == Some(&Json::Bool(true)) {
        for field in ["data", "binaryData", "immutable"].into_iter().filter(|field| live.get(field) != object.get(field)) {
            causes.push((field.to_owned(), "Forbidden: field is immutable when `immutable` is set".to_owned()));
        }
    }
    more_finalizers(live, object, &mut causes);
    content(resource, Some(live), object, &mut causes);
    finish(resource, object::name(object), &causes)
}

fn is_binding(resource: &Resource) -> bool {
    ["RoleBinding", "ClusterRoleBinding"].contains(&resource.kind.as_str()) && resource.schema.is_none()
}

/// Whether more of a Pod changes than its images, its deadline, and tolerations that are added.
fn changes_what_is_fixed(live: &Json, object: &Json) -> bool {
    let tolerations = |pod| items(pod, &["spec", "tolerations"]);
    let lost = tolerations(live).iter().any(|toleration| !tolerations(object).contains(toleration));
    let fixed = |pod: &Json| {
        let mut spec = at(pod, &["spec"]).cloned().unwrap_or_default();
        for field in ["activeDeadlineSeconds", "tolerations"] {
            object::remove(&mut spec, &[field]);
        }
        for field in ["containers", "initContainers"] {
            let containers = spec.get_mut(field).and_then(Json::as_array_mut).map(Vec::as_mut_slice).unwrap_or_default();
            for container in containers {
                object::remove(container, &["image"]);
            }
        }
        spec
    };
    lost || fixed(live) != fixed(object)
}

fn finish(resource: &Resource, name: &str, causes: &[(String, String)]) -> Result<(), Refusal> {
    if causes.is_empty() { Ok(()) } else { Err(Refusal::invalid(resource.about_kind(name), causes)) }
}

/// What is being deleted is held by no more than what holds it.
fn more_finalizers(live: &Json, object: &Json, causes: &mut Vec<(String, String)>) {
    if !object::is_terminating(live) {
        return;
    }
    let held = items(live, &["metadata", "finalizers"]);
    let more: Vec<_> = items(object, &["metadata", "finalizers"]).iter().filter(|finalizer| !held.contains(finalizer)).collect();
    if !more.is_empty() {
        let listed: Vec<_> = more.iter().map(ToString::to_string).collect();
        let why = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers";
        let cause = ("metadata.finalizers".to_owned(), format!("{why} []string{{{}}}", listed.join(", ")));
        // It is looked at for all kinds, and again for each.
        causes.extend([cause.clone(), cause]);
    }
}

/// Keys that no file name could be.
fn wrong_keys(object: &Json, causes: &mut Vec<(String, String)>) {
    const WHY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or \
        'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    let other = object.get("binaryData").and_then(Json::as_object);
    for key in object.get("data").and_then(Json::as_object).into_iter().flatten().map(|(key, _)| key) {
        if other.is_some_and(|other| other.contains_key(key)) {
            causes.push((format!("data[{key}]"), format!("Invalid value: {key:?}: duplicate of key present in binaryData")));
        }
    }
    for field in ["data", "binaryData"] {
        let keys = object.get(field).and_then(Json::as_object).into_iter().flatten().map(|(key, _)| key);
        for key in keys.filter(|key| key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))) {
            causes.push((format!("{field}[{key}]"), format!("Invalid value: {key:?}: {WHY}")));
        }
    }
}

/// Paths that never change.
fn immutable(resource: &Resource) -> Vec<Vec<&'static str>> {
    match resource.kind.as_str() {
        "Deployment" | "DaemonSet" | "ReplicaSet" if resource.group == "apps" => vec![vec!["spec", "selector"]],
        "StatefulSet" => vec![vec!["spec", "selector"], vec!["spec", "serviceName"], vec!["spec", "podManagementPolicy"]],
        "Job" => vec![vec!["spec", "selector"], vec!["spec", "template"]],
        "Secret" => vec![vec!["type"]],
        "CustomResourceDefinition" => {
            vec![vec!["spec", "scope"], vec!["spec", "group"], vec!["spec", "names", "kind"], vec!["spec", "names", "plural"]]
        }
        _ => Vec::new(),
    }
}

fn content(resource: &Resource, live: Option<&Json>, object: &Json, causes: &mut Vec<(String, String)>) {
    if let Some(schema) = &resource.schema {
        schema::check(object, schema.json(), "", causes);
        return;
    }
    let mut require = |path: &[&str]| {
        let missing = at(object, path)
            .is_none_or(|value| value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty));
        if missing {
            causes.push((path.join("."), "Required value".to_owned()));
        }
    };
    match resource.kind.as_str() {
        "ConfigMap" | "Secret" => wrong_keys(object, causes),
        "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet" => {
            require(&["spec", "selector"]);
            require(&["spec", "template", "spec", "containers"]);
            workload::template(object, causes);
            if resource.kind == "Deployment" {
                workload::selector(object, causes);
                workload::strategy(object, causes);
            }
        }
        "Pod" => {
            require(&["spec", "containers"]);
            workload::containers(object, &["spec"], causes);
        }
        "Service" if text(object, &["spec", "clusterIP"]) == Some("None") => {
            service::ports(object, causes);
            service::address(object, causes);
        }
        "Service" if text(object, &["spec", "type"]) != Some("ExternalName") => {
            require(&["spec", "ports"]);
            service::ports(object, causes);
        }
        "Namespace" => namespace::finalizers(object, causes),
        "Role" => access::rules(object, causes),
        "ClusterRole" => {
            access::rules(object, causes);
            access::aggregation(object, causes);
        }
        "RoleBinding" | "ClusterRoleBinding" => access::binding(resource, object, causes),
        "CustomResourceDefinition" => {
            definition::check(live, object, causes);
        }
        _ => {}
    }
}

/// Why a name is none for its kind.
fn wrong_name(resource: &Resource, name: &str) -> Option<&'static str> {
    const SEGMENT: &str = "may not contain '/' or '%', and may not be '.' or '..'";
    const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
        validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation \
        is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    match resource.kind.as_str() {
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => {
            (name.contains(['/', '%']) || [".", ".."].contains(&name) || name.is_empty()).then_some(SEGMENT)
        }
        "Namespace" | "Service" => (!is_label(name)).then_some(LABEL),
        _ => (name.len() > 253 || !name.split('.').all(is_part)).then_some(SUBDOMAIN),
    }
}

/// Whether a text is an RFC 1123 label.
pub(super) fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

fn is_part(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().copied().is_some_and(plain) && bytes.last().copied().is_some_and(plain);
    ends && bytes.iter().all(|byte| plain(*byte) || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;
    use serde_json::json;

    #[test]
    fn names_follow_their_kind() {
        for (group, version, plural, name, accepted) in [
            ("", "v1", "namespaces", "istio-system", true),
            ("", "v1", "namespaces", "a.b", false),
            ("", "v1", "configmaps", "a.b-c", true),
            ("", "v1", "configmaps", "A", false),
            ("", "v1", "configmaps", "", false),
            ("", "v1", "configmaps", "-a", false),
            ("rbac.authorization.k8s.io", "v1", "clusterroles", "system:Node", true),
            ("rbac.authorization.k8s.io", "v1", "clusterroles", "a/b", false),
        ] {
            let resource = builtin(group, version, plural).expect(plural);
            assert_eq!(
                create(&resource, &json!({ "metadata": { "name": name } , "roleRef": { "name": "r" } })).is_ok(),
                accepted,
                "{plural} {name}"
            );
        }
    }

    #[test]
    fn of_a_pod_little_can_change() {
        let pods = builtin("", "v1", "pods").expect("pods");
        let pod = |changes: &Json| {
            let mut spec = json!({ "containers": [{ "name": "a", "image": "a:1" }], "nodeSelector": { "zone": "z1" }, "tolerations": [{ "key": "a" }] });
            json_patch(&mut spec, changes);
            json!({ "metadata": { "name": "p" }, "spec": spec })
        };
        for (changes, accepted) in [
            (json!({ "containers": [{ "name": "a", "image": "a:2" }] }), true),
            (json!({ "tolerations": [{ "key": "a" }, { "key": "b" }] }), true),
            (json!({ "activeDeadlineSeconds": 5 }), true),
            (json!({ "tolerations": [{ "key": "b" }] }), false),
            (json!({ "nodeSelector": { "zone": "z2" } }), false),
            (json!({ "containers": [{ "name": "b", "image": "a:1" }] }), false),
        ] {
            let outcome = update(&pods, &pod(&json!({})), &pod(&changes));
            assert_eq!(outcome.is_ok(), accepted, "{changes}");
        }
    }

    fn json_patch(spec: &mut Json, changes: &Json) {
        for (field, value) in changes.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
    }

    #[test]
    fn what_cannot_change_is_refused() {
        let secret = builtin("", "v1", "secrets").expect("secrets");
        let refusal = update(
            &secret,
            &json!({ "metadata": { "name": "s" }, "type": "Opaque" }),
            &json!({ "metadata": { "name": "s" }, "type": "kubernetes.io/tls" }),
        )
        .expect_err("refused");
        assert_eq!(refusal.message, "Secret \"s\" is invalid: type: Invalid value: \"kubernetes.io/tls\": field is immutable");
        let binding = builtin("rbac.authorization.k8s.io", "v1", "rolebindings").expect("bindings");
        let of = |role: &str| json!({ "metadata": { "name": "b" }, "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role } });
        assert_eq!(update(&binding, &of("a"), &of("b")).map_err(|refusal| refusal.code), Err(422));
        assert_eq!(update(&binding, &of("a"), &of("a")), Ok(()));
    }
}
