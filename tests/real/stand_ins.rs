//! The stand-ins beside the API servers do what the tests that lean on them count on.

use meshplan_tests::apiserver::{self, Api};
use serde_json::{Value, json};

fn workload(kind: &str, name: &str, spec: &Value) -> Value {
    let labels = json!({ "app": name });
    let pod = json!({ "containers": [{ "name": "c", "image": "docker.io/library/none:1" }] });
    let mut object = json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name }, "spec": {
        "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels }, "spec": pod } } });
    for (key, value) in spec.as_object().unwrap() {
        object["spec"][key] = value.clone();
    }
    object
}

#[test]
fn stand_in_pods_run_so_that_workloads_are_available() {
    let Some(cluster) = apiserver::shared_with_stand_ins(0) else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace());
    let apps = format!("/apis/apps/v1/namespaces/{namespace}");
    api.make(&format!("{apps}/deployments"), &workload("Deployment", "d", &json!({ "replicas": 3 })));
    api.make(&format!("{apps}/statefulsets"), &workload("StatefulSet", "s", &json!({ "replicas": 2, "serviceName": "s" })));
    api.make(&format!("{apps}/daemonsets"), &workload("DaemonSet", "n", &json!({})));
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "j" }, "spec": { "template": { "spec": {
        "restartPolicy": "Never", "containers": [{ "name": "c", "image": "docker.io/library/none:1" }] } } } });
    api.make(&format!("/apis/batch/v1/namespaces/{namespace}/jobs"), &job);
    api.make(
        &format!("/api/v1/namespaces/{namespace}/services"),
        &json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "d" },
        "spec": { "selector": { "app": "d" }, "ports": [{ "port": 80 }] } }),
    );

    api.wait(&format!("{apps}/deployments/d"), |object| object["status"]["availableReplicas"] == 3);
    api.wait(&format!("{apps}/statefulsets/s"), |object| object["status"]["readyReplicas"] == 2);
    api.wait(&format!("{apps}/daemonsets/n"), |object| object["status"]["numberReady"] == 2);
    api.wait(&format!("/apis/batch/v1/namespaces/{namespace}/jobs/j"), |object| object["status"]["succeeded"] == 1);
    let slices = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector=kubernetes.io/service-name=d");
    api.wait(&slices, |list| list["items"][0]["endpoints"].as_array().is_some_and(|endpoints| endpoints.len() == 3));

    // Pods go when they are deleted, as where there is a kubelet.
    api.delete(&format!("{apps}/deployments/d"));
    api.wait(&format!("/api/v1/namespaces/{namespace}/pods?labelSelector=app=d"), |list| {
        list["items"].as_array().is_some_and(Vec::is_empty)
    });
}

#[test]
fn stand_in_pods_stay_unready_where_they_are_told_to() {
    let Some(cluster) = apiserver::shared_with_stand_ins(0) else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace());
    let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    let mut slow = workload("Deployment", "slow", &json!({ "progressDeadlineSeconds": 1 }));
    slow["spec"]["template"]["metadata"]["annotations"] = json!({ "meshplan.test/never-ready": "true" });
    api.make(&deployments, &slow);
    let deployment = api.wait(&format!("{deployments}/slow"), |object| {
        object["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(|one| one["reason"] == "ProgressDeadlineExceeded"))
    });
    assert_eq!(deployment["status"]["unavailableReplicas"], 1);
}

#[test]
fn stand_in_load_balancers_have_addresses_of_the_pool() {
    let Some(cluster) = apiserver::shared_with_stand_ins(0) else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace());
    let services = format!("/api/v1/namespaces/{namespace}/services");
    let service = |name: &str| json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": name }, "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] } });
    let address = |name: &str| {
        let service = api.wait(&format!("{services}/{name}"), |service| service["status"]["loadBalancer"]["ingress"].is_array());
        service["status"]["loadBalancer"]["ingress"][0].clone()
    };
    api.make(&services, &service("a"));
    api.make(&services, &service("b"));
    let (one, other) = (address("a"), address("b"));
    assert!(one != other && one["ipMode"] == "VIP" && one["ip"].as_str().unwrap().starts_with("198.18.0."), "{one} {other}");
    api.edit(&format!("{services}/a"), &json!({ "spec": { "type": "ClusterIP" } }));
    api.wait(&format!("{services}/a"), |service| service["status"]["loadBalancer"]["ingress"].is_null());
}

fn definition(group: &str, kind: &str, plural: &str, version: &str) -> Value {
    let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
    let version = json!({ "name": version, "served": true, "storage": true, "subresources": { "status": {} }, "schema": schema });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": format!("{plural}.{group}") },
        "spec": { "group": group, "scope": "Namespaced", "names": { "kind": kind, "plural": plural }, "versions": [version] },
    })
}

/// Makes a definition, and waits until its kind is served.
fn define(api: &Api, group: &str, kind: &str, plural: &str, version: &str) {
    api.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition(group, kind, plural, version));
    api.wait(&format!("/apis/{group}/{version}/{plural}"), |list| !list.is_null());
}

#[test]
fn stand_in_operators_make_a_control_plane_and_take_it_away() {
    let Some(cluster) = apiserver::shared_with_stand_ins(1) else { return };
    let (api, namespace, home) = (cluster.api(), cluster.namespace(), cluster.namespace());
    define(api, "install.istio.io", "IstioOperator", "istiooperators", "v1alpha1");
    let resources = format!("/apis/install.istio.io/v1alpha1/namespaces/{namespace}/istiooperators");
    let resource = json!({ "apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "metadata": { "name": "main" },
        "spec": { "tag": "1.9.0", "hub": "hub.test", "namespace": namespace } });
    api.make(&resources, &resource);

    let mut operator = workload("Deployment", "istio-operator", &json!({}));
    operator["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{ "name": "WATCH_NAMESPACE", "value": namespace }]);
    api.make(&format!("/apis/apps/v1/namespaces/{home}/deployments"), &operator);
    api.wait(&format!("{resources}/main"), |resource| resource["status"]["status"] == "HEALTHY");
    let istiod = api.get(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/istiod")).unwrap();
    assert_eq!(istiod["spec"]["template"]["spec"]["containers"][0]["image"], "hub.test/pilot:1.9.0");
    assert_eq!(istiod["status"]["availableReplicas"], 1);
    let gateway = format!("/api/v1/namespaces/{namespace}/services/istio-ingressgateway");
    api.wait(&gateway, |service| service["status"]["loadBalancer"]["ingress"][0]["ip"].is_string());

    let gateways = json!({ "spec": { "components": { "ingressGateways": [{ "name": "istio-ingressgateway", "enabled": false }] } } });
    api.edit(&format!("{resources}/main"), &gateways);
    api.wait(&gateway, Value::is_null);
    api.delete(&format!("{resources}/main"));
    api.wait(&format!("{resources}/main"), Value::is_null);
    api.wait(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/istiod"), Value::is_null);
}

#[test]
fn stand_in_load_balancers_use_the_pools_of_metallb() {
    let Some(cluster) = apiserver::shared_with_stand_ins(2) else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace());
    define(api, "metallb.io", "IPAddressPool", "ipaddresspools", "v1beta1");
    let pools = format!("/apis/metallb.io/v1beta1/namespaces/{namespace}/ipaddresspools");
    let pool = json!({ "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": { "name": "p" },
        "spec": { "addresses": ["192.0.2.10-192.0.2.12"] } });
    api.make(&pools, &pool);
    api.wait(&format!("{pools}/p"), |pool| pool["status"]["availableIPv4"] == 3);
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "a" },
        "spec": { "type": "LoadBalancer", "loadBalancerIP": "192.0.2.11", "ports": [{ "port": 80 }] } });
    api.make(&format!("/api/v1/namespaces/{namespace}/services"), &service);
    let service =
        api.wait(&format!("/api/v1/namespaces/{namespace}/services/a"), |service| service["status"]["loadBalancer"]["ingress"].is_array());
    assert_eq!(service["status"]["loadBalancer"]["ingress"][0]["ip"], "192.0.2.11");
    api.wait(&format!("{pools}/p"), |pool| pool["status"]["assignedIPv4"] == 1 && pool["status"]["availableIPv4"] == 2);
}
