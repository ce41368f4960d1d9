//! Objects of many kinds, written in ways that servers write otherwise.

use serde_json::{Value, json};

/// An object of a kind, with this name and these other fields.
pub(crate) fn object(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name } });
    merge(&mut object, rest);
    object
}

pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            from.into_iter().for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value));
        }
        (into, from) => *into = from,
    }
}

/// A pod's template, written in ways that the server writes otherwise.
fn template(name: &str, restart: &str) -> Value {
    let container = json!({
        "name": "app", "image": "docker.io/library/none:1", "args": [], "command": ["sleep", "1"],
        "env": [{ "name": "EMPTY", "value": "" }, { "name": "LATER", "value": "$(EMPTY)x" },
            { "name": "POD", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }],
        "ports": [{ "containerPort": 8080 }, { "containerPort": 8080, "protocol": "UDP" }, { "containerPort": 9090, "name": "more" }],
        "resources": { "requests": { "cpu": "0.5", "memory": "1024Mi" }, "limits": { "cpu": 1, "memory": "1.5Gi" } },
        "readinessProbe": { "httpGet": { "port": 8080 } }, "securityContext": {},
        "volumeMounts": [{ "name": "data", "mountPath": "/data" }, { "name": "conf", "mountPath": "/conf", "readOnly": true }],
    });
    json!({ "metadata": { "labels": { "app": name }, "creationTimestamp": null }, "spec": {
        "containers": [container], "restartPolicy": restart, "securityContext": {}, "nodeSelector": {}, "tolerations": [],
        "volumes": [{ "name": "data", "emptyDir": {} }, { "name": "conf", "configMap": { "name": "none", "optional": true } }] } })
}

/// The workloads of a name.
pub(crate) fn workloads(name: &str) -> Vec<Value> {
    let labels = json!({ "app": name });
    let spec = |more: Value| {
        let mut spec = json!({ "selector": { "matchLabels": labels }, "template": template(name, "Always") });
        merge(&mut spec, more);
        json!({ "spec": spec, "status": {} })
    };
    let claim = json!([{ "metadata": { "name": "data" }, "spec": { "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": "1024Mi" } } } }]);
    let job = json!({ "template": template(name, "Never"), "backoffLimit": 2 });
    vec![
        object("apps/v1", "Deployment", name, spec(json!({ "replicas": 2, "strategy": {} }))),
        object("apps/v1", "StatefulSet", name, spec(json!({ "serviceName": name, "volumeClaimTemplates": claim }))),
        object("apps/v1", "DaemonSet", name, spec(json!({ "updateStrategy": { "rollingUpdate": { "maxUnavailable": "50%" } } }))),
        object("batch/v1", "Job", name, json!({ "spec": job })),
        object("batch/v1", "CronJob", name, json!({ "spec": { "schedule": "*/5 * * * *", "jobTemplate": { "spec": job } } })),
        object("v1", "Pod", &format!("{name}-alone"), json!({ "spec": template(name, "Always")["spec"] })),
    ]
}

/// The object of this kind, the first where there are several.
pub(crate) fn one(objects: Vec<Value>, kind: &str) -> Value {
    objects.into_iter().find(|object| object["kind"] == kind).unwrap()
}

/// Services, configuration and access of a name.
pub(crate) fn plain(name: &str) -> Vec<Value> {
    let rules = json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"] }]);
    let subject = json!([{ "kind": "ServiceAccount", "name": name, "namespace": "default" }]);
    let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name });
    let service = |suffix: &str, spec: Value| object("v1", "Service", &format!("{name}{suffix}"), json!({ "spec": spec }));
    let two = json!([{ "name": "a", "port": 53 }, { "name": "b", "port": 53, "protocol": "UDP" }]);
    let balanced = json!([{ "port": 443, "appProtocol": "https" }]);
    let slice = json!({ "addressType": "IPv4", "ports": [{ "port": 80 }], "endpoints": [{ "addresses": ["192.0.2.1"] }] });
    let account = json!({ "automountServiceAccountToken": false, "imagePullSecrets": [{ "name": "none" }] });
    vec![
        object("v1", "ConfigMap", name, json!({ "data": { "a": "b", "multi": "x\ny\n" }, "binaryData": { "b": "eA==" } })),
        object("v1", "Secret", name, json!({ "stringData": { "a": "b" }, "data": { "c": "ZA==" } })),
        object("v1", "ServiceAccount", name, account),
        service("", json!({ "selector": { "app": name }, "ports": [{ "port": 80, "targetPort": 8080 }] })),
        service("-node", json!({ "type": "NodePort", "selector": {}, "ports": two })),
        service("-headless", json!({ "clusterIP": "None", "ports": [{ "port": 80, "targetPort": "http" }] })),
        service("-balanced", json!({ "type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": balanced })),
        object("rbac.authorization.k8s.io/v1", "Role", name, json!({ "rules": rules })),
        object("rbac.authorization.k8s.io/v1", "RoleBinding", name, json!({ "roleRef": role, "subjects": subject })),
        object("discovery.k8s.io/v1", "EndpointSlice", name, slice),
    ]
}

/// What is said of other objects of a name.
pub(crate) fn about(name: &str) -> Vec<Value> {
    let cpu = json!({ "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 } });
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "other" });
    let scaler = json!({ "maxReplicas": 5, "scaleTargetRef": target, "metrics": [{ "type": "Resource", "resource": cpu }] });
    let allowed = json!([{ "ports": [{ "port": 80 }], "from": [{ "namespaceSelector": {} }] }]);
    let backend = json!({ "service": { "name": name, "port": { "number": 80 } } });
    let claim = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "0.5Gi" } } });
    let lease = json!({ "holderIdentity": "x", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z" });
    let specs = [
        ("autoscaling/v2", "HorizontalPodAutoscaler", scaler),
        ("policy/v1", "PodDisruptionBudget", json!({ "minAvailable": 1, "selector": { "matchLabels": { "app": name } } })),
        ("networking.k8s.io/v1", "NetworkPolicy", json!({ "podSelector": {}, "ingress": allowed })),
        ("networking.k8s.io/v1", "Ingress", json!({ "defaultBackend": backend })),
        ("v1", "PersistentVolumeClaim", claim),
        ("v1", "LimitRange", json!({ "limits": [{ "type": "Container", "max": { "cpu": "64000m" } }] })),
        ("v1", "ResourceQuota", json!({ "hard": { "pods": "100", "requests.cpu": "100000m" } })),
        ("coordination.k8s.io/v1", "Lease", lease),
    ];
    specs.into_iter().map(|(version, kind, spec)| object(version, kind, name, json!({ "spec": spec }))).collect()
}

/// Objects that no namespace holds.
pub(crate) fn global(name: &str) -> Vec<Value> {
    let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name });
    let client = json!({ "service": { "name": "none", "namespace": "none" }, "caBundle": "" });
    let hook = json!([{ "name": "a.none.test", "clientConfig": client, "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "failurePolicy": "Ignore", "objectSelector": { "matchLabels": { "none": "none" } },
        "rules": [{ "apiGroups": ["none.test"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nones"] }] }]);
    let aggregated = json!({ "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": { "none": name } }] }, "rules": [] });
    vec![
        object("rbac.authorization.k8s.io/v1", "ClusterRole", name, aggregated),
        object(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            name,
            json!({ "roleRef": role, "subjects": [{ "kind": "User", "name": "nobody" }] }),
        ),
        object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", name, json!({ "webhooks": hook })),
        object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", name, json!({ "webhooks": hook })),
        object("scheduling.k8s.io/v1", "PriorityClass", name, json!({ "value": 1000 })),
        object("storage.k8s.io/v1", "StorageClass", name, json!({ "provisioner": "none.test/none" })),
        object(
            "v1",
            "Namespace",
            name,
            json!({ "metadata": { "labels": { "istio-injection": "enabled" }, "creationTimestamp": null }, "spec": {}, "status": {} }),
        ),
        object(
            "v1",
            "PersistentVolume",
            name,
            json!({ "spec": { "capacity": { "storage": "1024Mi" }, "accessModes": ["ReadWriteOnce"], "storageClassName": name, "hostPath": { "path": "/none" } } }),
        ),
        definition(name),
    ]
}

/// A definition, as generators write them.
pub(crate) fn definition(name: &str) -> Value {
    let plural = format!("{}s", name.replace('-', ""));
    let schema = json!({ "openAPIV3Schema": { "type": "object", "properties": { "spec": { "type": "object", "properties": {
        "mode": { "type": "string", "default": "strict" }, "ports": { "type": "array", "items": { "type": "object", "properties": { "number": { "type": "integer" } } } } } } } } });
    object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &format!("{plural}.noise.test"),
        json!({
        "metadata": { "creationTimestamp": null },
        "spec": { "group": "noise.test", "scope": "Namespaced", "names": { "kind": plural, "plural": plural, "shortNames": [] },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }] },
        "status": { "acceptedNames": { "kind": "", "plural": "" }, "conditions": [], "storedVersions": [] } }),
    )
}
