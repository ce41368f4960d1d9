//! Values that the API server fills in for built-in kinds.

use super::{definition, job, namespace, pod, schema};
use crate::object::{Json, at, items, list_at, remove, set, set_default, text};
use crate::resource::Resource;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

/// Fills in what is not set.
pub(super) fn fill(resource: &Resource, object: &mut Json) {
    if let Some(schema) = &resource.schema {
        schema::fill(object, schema.json());
        return;
    }
    match resource.kind.as_str() {
        "Namespace" => label(object),
        "Secret" => secret(object),
        "Service" => service(object),
        "Pod" => {
            set_default(object, &["spec", "enableServiceLinks"], true);
            pod::spec(object, &["spec"]);
            pod::requests(object);
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => {
            workload(&resource.kind, object);
            if resource.kind == "DaemonSet" {
                set_default(object, &["metadata", "annotations", "deprecated.daemonset.template.generation"], "1");
            }
        }
        "Job" => job::fill(object),
        "CronJob" => {
            set_default(object, &["spec", "concurrencyPolicy"], "Allow");
            set_default(object, &["spec", "suspend"], false);
            set_default(object, &["spec", "successfulJobsHistoryLimit"], 3);
            set_default(object, &["spec", "failedJobsHistoryLimit"], 1);
            set_default(object, &["spec", "jobTemplate", "metadata"], json!({}));
            pod::template(object, &["spec", "jobTemplate", "spec", "template"]);
        }
        "HorizontalPodAutoscaler" => {
            set_default(object, &["spec", "minReplicas"], 1);
            let cpu = json!([{ "type": "Resource", "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 } } }]);
            set_default(object, &["spec", "metrics"], cpu);
        }
        // They are written also where there are none.
        "Role" | "ClusterRole" => set_default(object, &["rules"], Json::Null),
        "RoleBinding" | "ClusterRoleBinding" => binding(object),
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => webhooks(&resource.kind, object),
        "CustomResourceDefinition" => definition::fill(object),
        "PersistentVolumeClaim" => set_default(object, &["spec", "volumeMode"], "Filesystem"),
        "NetworkPolicy" => network_policy(object),
        "PriorityClass" => set_default(object, &["preemptionPolicy"], "PreemptLowerPriority"),
        "EndpointSlice" => slice(object),
        _ => {}
    }
}

/// Fills in the part that the server writes, which for some kinds is there from the start.
pub(super) fn fill_status(resource: &Resource, object: &mut Json) {
    if resource.schema.is_some() {
        return;
    }
    match resource.kind.as_str() {
        "Namespace" => namespace::hold(object),
        "Job" => job::select(object),
        // An admission plugin of every API server.
        "PersistentVolumeClaim" => set_default(object, &["metadata", "finalizers"], json!(["kubernetes.io/pvc-protection"])),
        _ => {}
    }
    let status = match resource.kind.as_str() {
        "Namespace" => json!({ "phase": "Active" }),
        "Service" | "Ingress" => json!({ "loadBalancer": {} }),
        "Deployment" | "Job" | "CronJob" => json!({}),
        "DaemonSet" => json!({ "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0 }),
        "StatefulSet" => json!({ "availableReplicas": 0, "replicas": 0 }),
        "ReplicaSet" => json!({ "replicas": 0 }),
        "HorizontalPodAutoscaler" => json!({ "currentMetrics": null, "desiredReplicas": 0 }),
        "PodDisruptionBudget" => json!({ "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0 }),
        "PersistentVolumeClaim" => json!({ "phase": "Pending" }),
        "CustomResourceDefinition" => {
            let versions = items(object, &["spec", "versions"]).iter();
            let stored: Vec<_> = versions.filter(|version| version["storage"] == true).map(|version| version["name"].clone()).collect();
            json!({ "acceptedNames": { "kind": "", "plural": "" }, "conditions": null, "storedVersions": stored })
        }
        _ => return,
    };
    set_default(object, &["status"], status);
}

/// Writes what is stored: of a list of no rules nothing is.
pub(super) fn settle(resource: &Resource, object: &mut Json) {
    let is_role = resource.schema.is_none() && ["Role", "ClusterRole"].contains(&resource.kind.as_str());
    if is_role && items(object, &["rules"]).is_empty() {
        set(object, &["rules"], Json::Null);
    }
}

fn label(object: &mut Json) {
    let name = crate::object::name(object).to_owned();
    set(object, &["metadata", "labels", "kubernetes.io/metadata.name"], name);
}

fn network_policy(object: &mut Json) {
    for direction in ["ingress", "egress"] {
        for rule in list_at(object, &["spec", direction]).into_iter().flatten() {
            for port in list_at(rule, &["ports"]).into_iter().flatten() {
                set_default(port, &["protocol"], "TCP");
            }
        }
    }
    let types = if at(object, &["spec", "egress"]).is_some() { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    set_default(object, &["spec", "policyTypes"], types);
}

fn slice(object: &mut Json) {
    for endpoint in list_at(object, &["endpoints"]).into_iter().flatten() {
        set_default(endpoint, &["conditions"], json!({}));
    }
    for port in list_at(object, &["ports"]).into_iter().flatten() {
        set_default(port, &["name"], "");
        set_default(port, &["protocol"], "TCP");
    }
}

fn secret(object: &mut Json) {
    set_default(object, &["type"], "Opaque");
    let Some(Json::Object(texts)) = remove(object, &["stringData"]) else { return };
    for (key, value) in texts {
        let text = value.as_str().unwrap_or_default();
        set(object, &["data", &key], BASE64_STANDARD.encode(text));
    }
}

fn service(object: &mut Json) {
    set_default(object, &["spec", "type"], "ClusterIP");
    set_default(object, &["spec", "sessionAffinity"], "None");
    let ty = text(object, &["spec", "type"]).unwrap_or_default().to_owned();
    for port in list_at(object, &["spec", "ports"]).into_iter().flatten() {
        set_default(port, &["protocol"], "TCP");
        if let Some(number) = port.get("port").cloned() {
            set_default(port, &["targetPort"], number);
        }
    }
    if ty == "ExternalName" {
        return;
    }
    set_default(object, &["spec", "internalTrafficPolicy"], "Cluster");
    if ty == "LoadBalancer" || ty == "NodePort" {
        set_default(object, &["spec", "externalTrafficPolicy"], "Cluster");
    }
    if ty == "LoadBalancer" {
        set_default(object, &["spec", "allocateLoadBalancerNodePorts"], true);
    }
}

fn workload(kind: &str, object: &mut Json) {
    if kind != "DaemonSet" {
        set_default(object, &["spec", "replicas"], 1);
    }
    match kind {
        "Deployment" => {
            set_default(object, &["spec", "strategy", "type"], "RollingUpdate");
            if text(object, &["spec", "strategy", "type"]) == Some("RollingUpdate") {
                set_default(object, &["spec", "strategy", "rollingUpdate", "maxUnavailable"], "25%");
                set_default(object, &["spec", "strategy", "rollingUpdate", "maxSurge"], "25%");
            }
            set_default(object, &["spec", "revisionHistoryLimit"], 10);
            set_default(object, &["spec", "progressDeadlineSeconds"], 600);
        }
        "StatefulSet" => {
            set_default(object, &["spec", "podManagementPolicy"], "OrderedReady");
            set_default(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
            if text(object, &["spec", "updateStrategy", "type"]) == Some("RollingUpdate") {
                set_default(object, &["spec", "updateStrategy", "rollingUpdate", "partition"], 0);
            }
            set_default(object, &["spec", "revisionHistoryLimit"], 10);
            set_default(
                object,
                &["spec", "persistentVolumeClaimRetentionPolicy"],
                json!({ "whenDeleted": "Retain", "whenScaled": "Retain" }),
            );
        }
        "DaemonSet" => {
            set_default(object, &["spec", "updateStrategy", "type"], "RollingUpdate");
            if text(object, &["spec", "updateStrategy", "type"]) == Some("RollingUpdate") {
                set_default(object, &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"], 1);
                set_default(object, &["spec", "updateStrategy", "rollingUpdate", "maxSurge"], 0);
            }
            set_default(object, &["spec", "revisionHistoryLimit"], 10);
        }
        _ => {}
    }
    pod::template(object, &["spec", "template"]);
}

fn binding(object: &mut Json) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    set_default(object, &["roleRef", "apiGroup"], GROUP);
    if at(object, &["subjects"]).is_none() {
        return;
    }
    for subject in list_at(object, &["subjects"]).into_iter().flatten() {
        if matches!(text(subject, &["kind"]), Some("User" | "Group")) {
            set_default(subject, &["apiGroup"], GROUP);
        }
    }
}

fn webhooks(kind: &str, object: &mut Json) {
    if at(object, &["webhooks"]).is_none() {
        return;
    }
    for webhook in list_at(object, &["webhooks"]).into_iter().flatten() {
        for (field, value) in [
            ("failurePolicy", json!("Fail")),
            ("matchPolicy", json!("Equivalent")),
            ("namespaceSelector", json!({})),
            ("objectSelector", json!({})),
            ("timeoutSeconds", json!(10)),
        ] {
            set_default(webhook, &[field], value);
        }
        if kind == "MutatingWebhookConfiguration" {
            set_default(webhook, &["reinvocationPolicy"], "Never");
        }
        if at(webhook, &["clientConfig", "service"]).is_some() {
            set_default(webhook, &["clientConfig", "service", "port"], 443);
        }
        if at(webhook, &["rules"]).is_some() {
            for rule in list_at(webhook, &["rules"]).into_iter().flatten() {
                set_default(rule, &["scope"], "*");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;

    fn filled(group: &str, version: &str, plural: &str, mut object: Json) -> Json {
        fill(&builtin(group, version, plural).expect(plural), &mut object);
        object
    }

    #[test]
    fn string_data_becomes_data() {
        let secret = filled("", "v1", "secrets", json!({ "data": { "a": "eA==" }, "stringData": { "b": "hello" } }));
        assert_eq!(secret, json!({ "type": "Opaque", "data": { "a": "eA==", "b": "aGVsbG8=" } }));
    }

    #[test]
    fn a_namespace_has_its_label_and_finalizer() {
        let mut namespace = filled("", "v1", "namespaces", json!({ "metadata": { "name": "n" } }));
        assert!(namespace.get("status").is_none());
        fill_status(&builtin("", "v1", "namespaces").expect("namespaces"), &mut namespace);
        assert_eq!(namespace["metadata"]["labels"], json!({ "kubernetes.io/metadata.name": "n" }));
        assert_eq!((&namespace["spec"]["finalizers"], &namespace["status"]["phase"]), (&json!(["kubernetes"]), &json!("Active")));
    }

    #[test]
    fn services_and_workloads_are_filled_in() {
        let service = filled("", "v1", "services", json!({ "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] } }));
        assert_eq!(service["spec"]["ports"], json!([{ "port": 80, "protocol": "TCP", "targetPort": 80 }]));
        assert_eq!(service["spec"]["externalTrafficPolicy"], json!("Cluster"));
        let deployment = filled("apps", "v1", "deployments", json!({ "spec": {} }));
        assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"], json!({ "maxSurge": "25%", "maxUnavailable": "25%" }));
        let recreate = filled("apps", "v1", "deployments", json!({ "spec": { "strategy": { "type": "Recreate" } } }));
        assert_eq!(recreate["spec"]["strategy"], json!({ "type": "Recreate" }));
    }

    #[test]
    fn webhooks_bindings_and_definitions_are_filled_in() {
        let config = json!({ "webhooks": [{ "name": "w", "clientConfig": { "service": { "name": "istiod" } }, "rules": [{}] }] });
        let webhook = filled("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", config)["webhooks"][0].clone();
        assert_eq!(
            (&webhook["clientConfig"]["service"]["port"], &webhook["rules"][0]["scope"], &webhook["reinvocationPolicy"]),
            (&json!(443), &json!("*"), &json!("Never"))
        );
        let binding = json!({ "roleRef": { "kind": "Role", "name": "r" }, "subjects": [{ "kind": "User", "name": "u" }, { "kind": "ServiceAccount", "name": "s" }] });
        let binding = filled("rbac.authorization.k8s.io", "v1", "rolebindings", binding);
        assert_eq!(binding["subjects"][0]["apiGroup"], json!("rbac.authorization.k8s.io"));
        assert_eq!(binding["subjects"][1].get("apiGroup"), None);
        let definition =
            filled("apiextensions.k8s.io", "v1", "customresourcedefinitions", json!({ "spec": { "names": { "kind": "Thing" } } }));
        assert_eq!(definition["spec"]["names"], json!({ "kind": "Thing", "listKind": "ThingList", "singular": "thing" }));
    }
}
