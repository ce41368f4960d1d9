//! What is known of particular kinds: fields that never change in place, fields that controllers rewrite, the order in which sets are made.

use crate::object_kind::{Json, ObjectName};
use crate::ownership::other_owners;

/// Fields that the API server refuses to change, by group and kind. A step that is a prefix covers all below it.
const IMMUTABLE: &[(&str, &str, &[&str])] = &[
    ("", "Secret", &["type"]),
    ("", "Service", &["spec.clusterIP", "spec.clusterIPs"]),
    ("", "PersistentVolumeClaim", &["spec.storageClassName", "spec.accessModes", "spec.volumeName", "spec.selector"]),
    ("apps", "Deployment", &["spec.selector"]),
    ("apps", "DaemonSet", &["spec.selector"]),
    ("apps", "ReplicaSet", &["spec.selector"]),
    ("apps", "StatefulSet", &["spec.selector", "spec.serviceName", "spec.volumeClaimTemplates", "spec.podManagementPolicy"]),
    ("batch", "Job", &["spec.selector", "spec.template", "spec.completionMode"]),
    ("rbac.authorization.k8s.io", "RoleBinding", &["roleRef"]),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", &["roleRef"]),
    ("storage.k8s.io", "StorageClass", &["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"]),
    ("storage.k8s.io", "CSIDriver", &["spec.attachRequired"]),
    ("scheduling.k8s.io", "PriorityClass", &["value", "preemptionPolicy"]),
    ("networking.k8s.io", "IngressClass", &["spec.controller"]),
    ("node.k8s.io", "RuntimeClass", &["handler"]),
    ("discovery.k8s.io", "EndpointSlice", &["addressType"]),
    ("", "ResourceQuota", &["spec.scopes", "spec.scopeSelector"]),
    ("apiextensions.k8s.io", "CustomResourceDefinition", &["spec.group", "spec.scope", "spec.names.kind", "spec.names.plural"]),
];

/// What of a Pod's `spec` may change all the same; `*` is any container.
const CHANGEABLE_OF_POD: &[&[&str]] =
    &[&["activeDeadlineSeconds"], &["tolerations"], &["containers", "*", "image"], &["initContainers", "*", "image"]];

/// Whether a change of this field needs a new object.
pub(crate) fn is_immutable(name: &ObjectName, path: &[String]) -> bool {
    if (name.group(), name.kind.as_str()) == ("", "Pod") {
        return path.split_first().is_some_and(|(first, rest)| first == "spec" && !is_changeable_of_pod(rest));
    }
    let fields = IMMUTABLE.iter().filter(|(group, kind, _)| *group == name.group() && *kind == name.kind);
    fields
        .flat_map(|(_, _, fields)| *fields)
        .any(|field| field.split('.').enumerate().all(|(at, step)| path.get(at).is_some_and(|is| is == step)))
}

fn is_changeable_of_pod(path: &[String]) -> bool {
    let covers = |field: &&[&str]| field.iter().enumerate().all(|(at, step)| path.get(at).is_some_and(|is| *step == "*" || is == step));
    CHANGEABLE_OF_POD.iter().any(covers)
}

/// Fields that a controller rewrites after an apply, which then are the controller's: group, kind, path (`*` is any element of a list) and
/// the start of the writer's name, empty for any.
const REWRITTEN: &[(&str, &str, &[&str], &str)] = &[
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", &["webhooks", "*", "clientConfig", "caBundle"], ""),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", &["webhooks", "*", "namespaceSelector"], "admissionsenforcer"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", &["webhooks", "*", "clientConfig", "caBundle"], ""),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", &["webhooks", "*", "namespaceSelector"], "admissionsenforcer"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", &["webhooks", "*", "failurePolicy"], ""),
    ("apiextensions.k8s.io", "CustomResourceDefinition", &["spec", "conversion", "webhook", "clientConfig", "caBundle"], ""),
    ("apiregistration.k8s.io", "APIService", &["spec", "caBundle"], ""),
    ("rbac.authorization.k8s.io", "ClusterRole", &["rules"], "clusterrole-aggregation-controller"),
    ("apps", "Deployment", &["spec", "replicas"], "kube-controller-manager"),
    ("apps", "StatefulSet", &["spec", "replicas"], "kube-controller-manager"),
];

/// The paths of fields in a live object that a controller has made its own: not ours to set any more, and no drift.
pub(crate) fn rewritten(name: &ObjectName, live: &Json, manager: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (group, kind, path, writer) in REWRITTEN {
        if *group == name.group() && *kind == name.kind {
            let mut walk = Walk { live, manager, writer, steps: Vec::new(), fields: Vec::new(), found: &mut found };
            walk.down(live, path);
        }
    }
    found
}

struct Walk<'a> {
    live: &'a Json,
    manager: &'a str,
    writer: &'a str,
    /// As [`crate::difference`] names them.
    steps: Vec<String>,
    /// As `managedFields` names them.
    fields: Vec<String>,
    found: &'a mut Vec<Vec<String>>,
}

impl Walk<'_> {
    fn down(&mut self, at: &Json, path: &[&str]) {
        let Some((step, rest)) = path.split_first() else { return self.leaf() };
        if *step != "*" {
            if let Some(next) = at.get(*step) {
                self.enter((*step).to_owned(), format!("f:{step}"), next, rest);
            }
            return;
        }
        for item in at.as_array().map(Vec::as_slice).unwrap_or_default() {
            if let Some(name) = item.get("name").and_then(Json::as_str) {
                self.enter(name.to_owned(), format!("k:{}", serde_json::json!({ "name": name })), item, rest);
            }
        }
    }

    fn enter(&mut self, step: String, field: String, next: &Json, rest: &[&str]) {
        self.steps.push(step);
        self.fields.push(field);
        self.down(next, rest);
        self.steps.pop();
        self.fields.pop();
    }

    fn leaf(&mut self) {
        let fields: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        let theirs = other_owners(self.live, self.manager, &fields);
        if theirs.iter().any(|other| other.starts_with(self.writer) && !other.starts_with("kubectl")) {
            self.found.push(self.steps.clone());
        }
    }
}

/// The place of an object in its set: made in this order, deleted in reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Namespace,
    Definition,
    Account,
    Access,
    Content,
    Service,
    Workload,
    Webhook,
    Custom,
}

/// Where an object stands in its set.
pub(crate) fn rank(name: &ObjectName) -> Rank {
    match (name.group(), name.kind.as_str()) {
        ("", "Namespace") => Rank::Namespace,
        ("apiextensions.k8s.io", _) => Rank::Definition,
        ("", "ServiceAccount") => Rank::Account,
        ("rbac.authorization.k8s.io", _) => Rank::Access,
        ("", "Service" | "Endpoints") => Rank::Service,
        ("", "Pod" | "ReplicationController") | ("apps" | "batch" | "autoscaling", _) => Rank::Workload,
        ("admissionregistration.k8s.io" | "apiregistration.k8s.io", _) => Rank::Webhook,
        ("" | "networking.k8s.io" | "policy" | "scheduling.k8s.io" | "storage.k8s.io" | "coordination.k8s.io", _) => Rank::Content,
        _ => Rank::Custom,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn steps(path: &str) -> Vec<String> {
        path.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn some_fields_never_change_in_place() {
        let role = ObjectName::global("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "a");
        let rows = [
            (ObjectName::within("v1", "Secret", "n", "a"), "type", true),
            (ObjectName::within("v1", "Secret", "n", "a"), "data.type", false),
            (ObjectName::within("apps/v1", "Deployment", "n", "a"), "spec.selector.matchLabels.app", true),
            (ObjectName::within("apps/v1", "Deployment", "n", "a"), "spec.template", false),
            (ObjectName::within("x.io/v1", "Deployment", "n", "a"), "spec.selector", false),
            (ObjectName::within("v1", "Service", "n", "a"), "spec.clusterIP", true),
            (role, "roleRef.name", true),
            (ObjectName::within("v1", "Pod", "n", "a"), "spec.nodeSelector.zone", true),
            (ObjectName::within("v1", "Pod", "n", "a"), "spec.containers.app.env.a.value", true),
            (ObjectName::within("v1", "Pod", "n", "a"), "spec.containers.app.image", false),
            (ObjectName::within("v1", "Pod", "n", "a"), "spec.tolerations", false),
            (ObjectName::within("v1", "Pod", "n", "a"), "metadata.labels.app", false),
        ];
        for (name, path, immutable) in rows {
            assert_eq!(is_immutable(&name, &steps(path)), immutable, "{name} {path}");
        }
    }

    #[test]
    fn what_a_controller_took_over_is_its_own() {
        let name = ObjectName::global("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "istio");
        let fields =
            json!({ "f:webhooks": { "k:{\"name\":\"v.istio.io\"}": { "f:clientConfig": { "f:caBundle": {} }, "f:failurePolicy": {} } } });
        let live = |manager: &str| {
            json!({ "metadata": { "managedFields": [{ "manager": manager, "operation": "Update", "fieldsV1": fields }] },
                "webhooks": [{ "name": "v.istio.io", "clientConfig": { "caBundle": "x" }, "failurePolicy": "Fail" }] })
        };
        let mut taken = rewritten(&name, &live("pilot-discovery"), "meshplan/r1");
        taken.sort();
        assert_eq!(taken, [vec!["webhooks", "v.istio.io", "clientConfig", "caBundle"], vec!["webhooks", "v.istio.io", "failurePolicy"]]);
        assert!(rewritten(&name, &live("meshplan/r1"), "meshplan/r1").is_empty());
        assert!(rewritten(&name, &live("kubectl-edit"), "meshplan/r1").is_empty());
    }

    #[test]
    fn replicas_are_the_autoscalers_and_nobody_elses() {
        let name = ObjectName::within("apps/v1", "Deployment", "n", "a");
        for (manager, taken) in [("kube-controller-manager", 1), ("kubectl", 0), ("argocd", 0)] {
            let live = json!({ "spec": { "replicas": 3 }, "metadata": { "managedFields": [
                { "manager": manager, "operation": "Update", "subresource": "scale", "fieldsV1": { "f:spec": { "f:replicas": {} } } }] } });
            assert_eq!(rewritten(&name, &live, "meshplan/r1").len(), taken, "{manager}");
        }
    }

    #[test]
    fn sets_are_made_in_order() {
        let rank = |api_version: &str, kind: &str| super::rank(&ObjectName::global(api_version, kind, "a"));
        let order = [
            rank("v1", "Namespace"),
            rank("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
            rank("v1", "ServiceAccount"),
            rank("rbac.authorization.k8s.io/v1", "Role"),
            rank("v1", "ConfigMap"),
            rank("v1", "Service"),
            rank("apps/v1", "Deployment"),
            rank("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
            rank("networking.istio.io/v1", "Gateway"),
        ];
        assert!(order.is_sorted());
        assert_eq!(rank("policy/v1", "PodDisruptionBudget"), rank("v1", "Secret"));
    }
}
