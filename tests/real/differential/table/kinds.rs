//! The built-in kinds that configurations of a mesh use: each made, applied by another manager, and deleted.

use super::super::sequence::{Sequence, Step, apply, create, delete, get, replace, sequence};
use super::deployment;
use serde_json::{Value, json};

pub(super) fn sequences() -> Vec<Sequence> {
    vec![workloads(), accounts(), roles(), policies(), webhooks(), others()]
}

/// What is done with each kind: it is made, labelled by another manager, read, and deleted.
fn life(collection: &str, object: &Value) -> Vec<Step> {
    let name = object["metadata"]["name"].as_str().unwrap();
    let path = format!("{collection}/{name}");
    let label = json!({ "apiVersion": object["apiVersion"], "kind": object["kind"],
        "metadata": { "name": name, "labels": { "l": "1" } } });
    vec![
        create(&format!("{collection}?fieldManager=maker&dryRun=All"), object),
        create(&format!("{collection}?fieldManager=maker"), object),
        apply(&path, "labeller", &label),
        apply(&path, "applier", object),
        replace(&format!("{path}?fieldManager=replacer"), object),
        get(&path),
        delete(&path),
    ]
}

fn lives(name: &str, objects: &[(&str, Value)]) -> Sequence {
    sequence(name, objects.iter().flat_map(|(collection, object)| life(collection, object)).collect())
}

fn workloads() -> Sequence {
    let mut daemons = deployment("a");
    daemons["kind"] = "DaemonSet".into();
    let mut stateful = deployment("a");
    stateful["kind"] = "StatefulSet".into();
    stateful["spec"]["serviceName"] = "a".into();
    let pods = json!({ "restartPolicy": "Never", "containers": [{ "name": "main", "image": "example.org/a:1" }] });
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "a" }, "spec": { "template": { "spec": pods } } });
    let cron = json!({ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": "a" },
        "spec": { "schedule": "* * * * *", "jobTemplate": { "spec": { "template": { "spec": pods } } } } });
    let kinds = [
        ("apps/v1:deployments", deployment("a")),
        ("apps/v1:daemonsets", daemons),
        ("apps/v1:statefulsets", stateful),
        ("batch/v1:jobs", job),
        ("batch/v1:cronjobs", cron),
    ];
    let made = |(collection, object): &(&str, Value)| {
        [
            create(&format!("{collection}?fieldManager=maker&dryRun=All"), object),
            apply(&format!("{collection}/a?dryRun=All"), "applier", object),
            create(&format!("{collection}?fieldManager=maker"), object),
            delete(&format!("{collection}/a")),
        ]
    };
    let mut labelled = kinds[3].1.clone();
    labelled["metadata"]["name"] = "b".into();
    labelled["spec"]["parallelism"] = 2.into();
    labelled["spec"]["template"]["metadata"] = json!({ "labels": { "l": "1" } });
    // Controllers work on them from then on.
    let mut steps: Vec<_> = kinds.iter().flat_map(made).collect();
    steps.push(create("batch/v1:jobs?dryRun=All", &labelled));
    sequence("kinds-workloads", steps)
}

fn accounts() -> Sequence {
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a", "annotations": { "x": "y" } },
        "type": "kubernetes.io/tls", "data": { "tls.crt": "YQ==", "tls.key": "YQ==" } });
    let token = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "b", "annotations": { "kubernetes.io/service-account.name": "a" } },
        "type": "kubernetes.io/service-account-token" });
    lives(
        "kinds-accounts",
        &[
            ("serviceaccounts", json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "a" } })),
            ("secrets", secret),
            ("secrets", token),
        ],
    )
}

fn roles() -> Sequence {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let rules = json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }]);
    let subjects = json!([{ "kind": "ServiceAccount", "name": "a", "namespace": "${ns}" }, { "kind": "User", "name": "u" }]);
    let all = "/apis/rbac.authorization.k8s.io/v1";
    let object = |kind: &str, name: &str| json!({ "apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": { "name": name } });
    let with = |mut object: Value, fields: &[(&str, Value)]| {
        for (name, value) in fields {
            object[*name] = value.clone();
        }
        object
    };
    let role = |kind: &str| json!({ "apiGroup": GROUP, "kind": kind, "name": "a" });
    lives(
        "kinds-roles",
        &[
            ("rbac.authorization.k8s.io/v1:roles", with(object("Role", "a"), &[("rules", rules.clone())])),
            (
                "rbac.authorization.k8s.io/v1:rolebindings",
                with(object("RoleBinding", "a"), &[("roleRef", role("Role")), ("subjects", subjects.clone())]),
            ),
            (&format!("{all}/clusterroles"), with(object("ClusterRole", "${ns}-a"), &[("rules", rules)])),
            (
                &format!("{all}/clusterrolebindings"),
                with(object("ClusterRoleBinding", "${ns}-a"), &[("roleRef", role("ClusterRole")), ("subjects", subjects)]),
            ),
        ],
    )
}

fn policies() -> Sequence {
    let scaler = json!({ "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "a" },
        "spec": { "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "a" }, "maxReplicas": 3 } });
    let budget = json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "a" },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "a": "b" } } } });
    let policy = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": "a" },
        "spec": { "podSelector": {}, "ingress": [{ "ports": [{ "port": 80 }] }] } });
    let ingress = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "a" },
        "spec": { "defaultBackend": { "service": { "name": "a", "port": { "number": 80 } } } } });
    lives(
        "kinds-policies",
        &[
            ("autoscaling/v2:horizontalpodautoscalers", scaler),
            ("policy/v1:poddisruptionbudgets", budget),
            ("networking.k8s.io/v1:networkpolicies", policy),
            ("networking.k8s.io/v1:ingresses", ingress),
        ],
    )
}

fn webhooks() -> Sequence {
    let hook = json!({ "name": "a.example.org", "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Ignore",
        "clientConfig": { "service": { "name": "a", "namespace": "none", "path": "/x" } },
        "rules": [{ "operations": ["CREATE"], "apiGroups": ["none.example.org"], "apiVersions": ["v1"], "resources": ["nones"] }] });
    let object = |kind: &str| json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": "${ns}-a" }, "webhooks": [hook] });
    lives(
        "kinds-webhooks",
        &[
            ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", object("MutatingWebhookConfiguration")),
            ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", object("ValidatingWebhookConfiguration")),
        ],
    )
}

fn others() -> Sequence {
    let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "a" },
        "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } } });
    let lease =
        json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "a" }, "spec": { "holderIdentity": "x" } });
    let priority = json!({ "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": { "name": "${ns}-a" }, "value": 5 });
    let slice = json!({ "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": { "name": "a" }, "addressType": "IPv4",
        "endpoints": [{ "addresses": ["192.0.2.1"] }], "ports": [{ "name": "http", "port": 80 }] });
    lives(
        "kinds-others",
        &[
            ("persistentvolumeclaims", claim),
            ("coordination.k8s.io/v1:leases", lease),
            ("/apis/scheduling.k8s.io/v1/priorityclasses", priority),
            ("discovery.k8s.io/v1:endpointslices", slice),
        ],
    )
}
