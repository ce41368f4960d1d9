//! The gateway as plain objects, for control planes that no in-cluster operator installs. The pod's contents are injected by istiod, as its
//! template `gateway` says.

use super::{environment, labels, namespace, ports};
use crate::arguments::{leaf, merged, object};
use engine::value::Value;
use serde_json::json;

/// Account, rights, Deployment and Service.
pub(super) fn objects(arguments: &Value) -> Vec<Value> {
    vec![account(arguments), role(arguments), binding(arguments), service(arguments), deployment(arguments)]
}

fn named(arguments: &Value, suffix: &str) -> Value {
    let name = arguments.text("name").map_or_else(|| leaf(arguments, &["name"]), |name| Value::string(format!("{name}{suffix}")));
    object([("name", name), ("namespace", Value::string(namespace(arguments))), ("labels", labels(arguments))])
}

fn of_kind(api_version: &str, kind: &str, entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let head = [("apiVersion", Value::string(api_version)), ("kind", Value::string(kind))];
    object(head.into_iter().chain(entries))
}

fn account(arguments: &Value) -> Value {
    of_kind("v1", "ServiceAccount", [("metadata", named(arguments, "-service-account"))])
}

/// The gateway reads the certificates that Gateways name.
fn role(arguments: &Value) -> Value {
    let rules = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "watch", "list"] }]);
    let rules = Value::from_json(&rules);
    of_kind("rbac.authorization.k8s.io/v1", "Role", [("metadata", named(arguments, "-sds")), ("rules", rules)])
}

fn binding(arguments: &Value) -> Value {
    let name = |suffix| named(arguments, suffix).get("name").cloned().unwrap_or_else(Value::null);
    let role =
        Value::object([("apiGroup", Value::string("rbac.authorization.k8s.io")), ("kind", Value::string("Role")), ("name", name("-sds"))]);
    let subject = Value::object([
        ("kind", Value::string("ServiceAccount")),
        ("name", name("-service-account")),
        ("namespace", Value::string(namespace(arguments))),
    ]);
    let entries = [("metadata", named(arguments, "-sds")), ("roleRef", role), ("subjects", Value::tuple(vec![subject]))];
    of_kind("rbac.authorization.k8s.io/v1", "RoleBinding", entries)
}

/// The labels that pods of the gateway have and its Service and Gateways select; none of them may change.
fn selected(arguments: &Value) -> Value {
    let labels = labels(arguments);
    object(["istio", "app"].map(|name| (name, labels.get(name).cloned().unwrap_or_else(Value::null))))
}

fn service(arguments: &Value) -> Value {
    let spec =
        Value::object([("type", Value::string("LoadBalancer")), ("selector", selected(arguments)), ("ports", Value::from_json(&ports()))]);
    of_kind("v1", "Service", [("metadata", named(arguments, "")), ("spec", spec)])
}

fn deployment(arguments: &Value) -> Value {
    let revision = leaf(arguments, &["control_plane", "revision"]);
    let injection = object([("sidecar.istio.io/inject", Value::string("true")), ("istio.io/rev", revision)]);
    let metadata = Value::object([
        ("labels", merged(&labels(arguments), &injection)),
        ("annotations", Value::from_json(&json!({ "inject.istio.io/templates": "gateway" }))),
    ]);
    let container =
        Value::object([("name", Value::string("istio-proxy")), ("image", Value::string("auto")), ("env", environment(arguments))]);
    let account = named(arguments, "-service-account").get("name").cloned().unwrap_or_else(Value::null);
    let pod = Value::object([("serviceAccountName", account), ("containers", Value::tuple(vec![container]))]);
    let spec = Value::object([
        ("selector", Value::object([("matchLabels", selected(arguments))])),
        ("template", Value::object([("metadata", metadata), ("spec", pod)])),
    ]);
    of_kind("apps/v1", "Deployment", [("metadata", named(arguments, "")), ("spec", spec)])
}

#[cfg(test)]
mod tests {
    use super::super::EastWestGateway;
    use super::super::tests::arguments;
    use super::*;
    use kubernetes::ObjectKind as _;

    #[test]
    fn account_rights_service_and_deployment_belong_together() {
        let arguments = arguments(&[("installer", json!("manifests")), ("tag", json!("1.25.0")), ("revision", json!("r1"))], &[]);
        let members = EastWestGateway::default().members(&arguments).unwrap().unwrap();
        let keys: Vec<_> = members.iter().map(|member| member.key.as_str()).collect();
        let expected = [
            "ServiceAccount/istio-system/istio-eastwestgateway-service-account",
            "Role/istio-system/istio-eastwestgateway-sds",
            "RoleBinding/istio-system/istio-eastwestgateway-sds",
            "Service/istio-system/istio-eastwestgateway",
            "Deployment/istio-system/istio-eastwestgateway",
        ];
        assert_eq!(keys, expected);
        assert!(EastWestGateway::default().object(&arguments).is_none());
        let objects: Vec<_> = objects(&arguments).iter().map(|object| object.to_json().unwrap()).collect();
        let labels = json!({ "istio": "eastwestgateway", "app": "istio-eastwestgateway", "topology.istio.io/network": "network1" });
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "istio-eastwestgateway", "namespace": "istio-system", "labels": labels },
            "spec": {
                "type": "LoadBalancer",
                "selector": { "istio": "eastwestgateway", "app": "istio-eastwestgateway" },
                "ports": [
                    { "name": "status-port", "port": 15021, "targetPort": 15021 },
                    { "name": "tls", "port": 15443, "targetPort": 15443 },
                    { "name": "tls-istiod", "port": 15012, "targetPort": 15012 },
                    { "name": "tls-webhook", "port": 15017, "targetPort": 15017 },
                ],
            },
        });
        assert_eq!(objects[3], service);
        let pod = &objects[4]["spec"]["template"];
        let pod_labels = json!({ "istio": "eastwestgateway", "app": "istio-eastwestgateway", "topology.istio.io/network": "network1",
            "sidecar.istio.io/inject": "true", "istio.io/rev": "r1" });
        assert_eq!(pod["metadata"], json!({ "labels": pod_labels, "annotations": { "inject.istio.io/templates": "gateway" } }));
        assert_eq!(pod["spec"]["containers"][0]["env"], json!([{ "name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": "network1" }]));
        assert_eq!(pod["spec"]["serviceAccountName"], objects[0]["metadata"]["name"]);
        assert_eq!(objects[2]["roleRef"]["name"], objects[1]["metadata"]["name"]);
    }
}
