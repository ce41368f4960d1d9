//! The in-cluster operator: its namespace, account, rights, Deployment and Service, as `istioctl operator init` brings them.

use engine::value::Value;
use serde_json::{Value as Json, json};

/// The namespace of the operator itself.
const NAMESPACE: &str = "istio-operator";
/// The name of all that belongs to it.
const NAME: &str = "istio-operator";

/// Where the operator's image comes from, and which namespace it watches.
pub(crate) struct Controller {
    /// The whole image, `<hub>/operator:<tag>`; may be unknown.
    pub(crate) image: Value,
    /// The namespace of the control plane; may be unknown.
    pub(crate) watched: Value,
}

impl Controller {
    /// The operator's objects.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE,
            "labels": { "istio-operator-managed": "Reconcile", "istio-injection": "disabled" } } });
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": NAME, "namespace": NAMESPACE } });
        let mut objects: Vec<_> = [namespace, account, role(), binding(), service()].iter().map(Value::from_json).collect();
        objects.push(self.deployment());
        objects
    }

    fn deployment(&self) -> Value {
        let variable = |name: &str, value: Value| Value::object([("name", Value::string(name)), ("value", value)]);
        let text = |name: &str, value: &str| variable(name, Value::string(value));
        let pod_name = json!({ "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } });
        let container = Value::object([
            ("name", Value::string(NAME)),
            ("image", self.image.clone()),
            ("command", Value::from_json(&json!(["operator", "server"]))),
            ("imagePullPolicy", Value::string("IfNotPresent")),
            (
                "env",
                Value::tuple(vec![
                    variable("WATCH_NAMESPACE", self.watched.clone()),
                    text("LEADER_ELECTION_NAMESPACE", NAMESPACE),
                    Value::from_json(&pod_name),
                    text("OPERATOR_NAME", NAME),
                    text("WAIT_FOR_RESOURCES_TIMEOUT", "300s"),
                    text("REVISION", ""),
                ]),
            ),
            (
                "resources",
                Value::from_json(
                    &json!({ "limits": { "cpu": "200m", "memory": "256Mi" }, "requests": { "cpu": "50m", "memory": "128Mi" } }),
                ),
            ),
            (
                "securityContext",
                Value::from_json(&json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] }, "privileged": false,
                    "readOnlyRootFilesystem": true, "runAsGroup": 1337, "runAsNonRoot": true, "runAsUser": 1337 })),
            ),
        ]);
        let pod = Value::object([("serviceAccountName", Value::string(NAME)), ("containers", Value::tuple(vec![container]))]);
        let template = Value::object([("metadata", Value::from_json(&json!({ "labels": { "name": NAME } }))), ("spec", pod)]);
        let spec = Value::object([
            ("replicas", Value::number(1)),
            ("selector", Value::from_json(&json!({ "matchLabels": { "name": NAME } }))),
            ("template", template),
        ]);
        Value::object([
            ("apiVersion", Value::string("apps/v1")),
            ("kind", Value::string("Deployment")),
            ("metadata", Value::from_json(&json!({ "name": NAME, "namespace": NAMESPACE }))),
            ("spec", spec),
        ])
    }
}

/// What the operator may do: all that the charts it installs hold, and to grant the rights that they grant.
fn role() -> Json {
    let all = json!(["*"]);
    let istio = ["authentication", "config", "extensions", "install", "networking", "security", "telemetry"]
        .map(|group| format!("{group}.istio.io"));
    let core = [
        "configmaps",
        "endpoints",
        "events",
        "namespaces",
        "persistentvolumeclaims",
        "pods",
        "pods/portforward",
        "pods/proxy",
        "resourcequotas",
        "secrets",
        "serviceaccounts",
        "services",
    ];
    let rule = |groups: Json, resources: Json| json!({ "apiGroups": groups, "resources": resources, "verbs": all });
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": { "name": NAME },
        "rules": [
            rule(json!(istio), all.clone()),
            rule(json!(["gateway.networking.k8s.io"]), all.clone()),
            rule(json!(["admissionregistration.k8s.io"]), json!(["mutatingwebhookconfigurations", "validatingwebhookconfigurations"])),
            rule(json!(["apiextensions.k8s.io"]), json!(["customresourcedefinitions", "customresourcedefinitions/status"])),
            rule(json!(["apps", "extensions"]), json!(["daemonsets", "deployments", "deployments/finalizers", "replicasets"])),
            rule(json!(["autoscaling"]), json!(["horizontalpodautoscalers"])),
            rule(json!(["monitoring.coreos.com"]), json!(["servicemonitors"])),
            rule(json!(["policy"]), json!(["poddisruptionbudgets"])),
            rule(json!(["rbac.authorization.k8s.io"]), json!(["clusterrolebindings", "clusterroles", "rolebindings", "roles"])),
            rule(json!(["coordination.k8s.io"]), json!(["leases"])),
            rule(json!([""]), json!(core)),
        ],
    })
}

fn binding() -> Json {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": NAME },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME },
        "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE }],
    })
}

fn service() -> Json {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": NAME, "namespace": NAMESPACE, "labels": { "name": NAME } },
        "spec": { "ports": [{ "name": "http-metrics", "port": 8383, "targetPort": 8383, "protocol": "TCP" }], "selector": { "name": NAME } },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;

    fn controller() -> Controller {
        Controller { image: Value::string("gcr.io/istio-release/operator:1.9.0"), watched: Value::string("istio-system") }
    }

    #[test]
    fn the_operator_is_six_objects_that_belong_together() {
        let names: Vec<_> = controller()
            .objects()
            .iter()
            .map(|object| format!("{} {}", object.text("kind").unwrap(), object.get("metadata").unwrap().text("name").unwrap()))
            .collect();
        let expected = ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Service", "Deployment"]
            .map(|kind| format!("{kind} istio-operator"));
        assert_eq!(names, expected);
    }

    #[test]
    fn the_deployment_runs_the_image_and_watches_the_control_planes_namespace() {
        let deployment = controller().deployment().to_json().unwrap();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "gcr.io/istio-release/operator:1.9.0");
        assert_eq!(container["command"], json!(["operator", "server"]));
        assert_eq!(container["env"][0], json!({ "name": "WATCH_NAMESPACE", "value": "istio-system" }));
        assert_eq!(deployment["spec"]["selector"]["matchLabels"], deployment["spec"]["template"]["metadata"]["labels"]);
        assert_eq!(binding()["subjects"][0]["name"], deployment["spec"]["template"]["spec"]["serviceAccountName"]);
    }

    #[test]
    fn it_may_grant_what_it_installs() {
        let rules = role()["rules"].as_array().unwrap().clone();
        let rights = rules.iter().find(|rule| rule["apiGroups"] == json!(["rbac.authorization.k8s.io"])).unwrap();
        assert_eq!(rights["verbs"], json!(["*"]), "`*` holds `escalate` and `bind`");
    }

    #[test]
    fn an_unknown_image_leaves_the_rest_known() {
        let controller = Controller { image: Value::unknown(Type::String), ..controller() };
        let unknown: Vec<_> = controller.objects().into_iter().filter(|object| !object.is_known()).collect();
        assert_eq!(unknown.len(), 1);
        assert_eq!(unknown[0].get("metadata").unwrap().text("name"), Some("istio-operator"));
    }
}
