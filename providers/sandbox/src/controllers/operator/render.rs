//! What an `IstioOperator` resource asks for, as far as the stand-in goes.

use crate::object::{self, Json, at, items, text};
use crate::resource::Key;
use serde_json::json;
use std::collections::BTreeMap;

/// The label that names the resource an object was made for.
pub(super) const OWNER: &str = "install.operator.istio.io/owning-resource";
/// The label that names that resource's namespace.
pub(super) const OWNER_NAMESPACE: &str = "install.operator.istio.io/owning-resource-namespace";

/// One object that is to be there.
pub(super) struct Wanted {
    /// Where.
    pub(super) key: Key,
    /// What is applied.
    pub(super) object: Json,
}

/// What the resource says about all components.
struct Installation<'a> {
    resource: &'a Json,
    namespace: String,
    revision: &'a str,
    hub: String,
    tag: String,
}

/// Ports of a gateway that names none: name, port, target port.
const INGRESS_PORTS: &[(&str, u64, u64)] = &[("status-port", 15021, 15021), ("http2", 80, 8080), ("https", 443, 8443)];
/// Ports of istiod's Service.
const ISTIOD_PORTS: &[(&str, u64, u64)] =
    &[("grpc-xds", 15010, 15010), ("https-dns", 15012, 15012), ("https-webhook", 443, 15017), ("http-monitoring", 15014, 15014)];

/// The objects of a resource, for an operator of this image.
pub(super) fn render(resource: &Json, operator_image: &str) -> Vec<Wanted> {
    let installation = Installation::of(resource, operator_image);
    let profile = text(resource, &["spec", "profile"]).unwrap_or("default");
    let mut wanted = Vec::new();
    let runs_istiod = !matches!(profile, "empty" | "remote");
    if at(resource, &["spec", "components", "pilot", "enabled"]).and_then(Json::as_bool).unwrap_or(runs_istiod) {
        wanted.extend(installation.istiod());
    }
    for (list, of_profile, name) in [
        ("ingressGateways", matches!(profile, "default" | "demo" | "preview" | "stable"), "istio-ingressgateway"),
        ("egressGateways", profile == "demo", "istio-egressgateway"),
    ] {
        let mut gateways: BTreeMap<&str, Option<&Json>> = BTreeMap::new();
        if of_profile {
            gateways.insert(name, None);
        }
        for gateway in items(resource, &["spec", "components", list]) {
            let name = text(gateway, &["name"]).unwrap_or(name);
            if gateway["enabled"] == json!(false) {
                gateways.remove(name);
            } else {
                gateways.insert(name, Some(gateway));
            }
        }
        for (name, gateway) in gateways {
            wanted.extend(installation.gateway(name, gateway.unwrap_or(&Json::Null), list));
        }
    }
    wanted
}

impl<'a> Installation<'a> {
    fn of(resource: &'a Json, operator_image: &str) -> Self {
        let word = |path: &[&str]| text(resource, path).map(str::to_owned);
        let (own_hub, own) = operator_image.rsplit_once('/').unwrap_or(("docker.io/istio", operator_image));
        let own_tag = own.split_once(':').map_or("latest", |(_, tag)| tag);
        // A version such as 1.9 may be written as a number.
        let tag = at(resource, &["spec", "tag"]).map(|tag| tag.as_str().map_or_else(|| tag.to_string(), str::to_owned));
        Self {
            resource,
            namespace: word(&["spec", "namespace"])
                .or_else(|| word(&["spec", "values", "global", "istioNamespace"]))
                .unwrap_or_else(|| "istio-system".to_owned()),
            revision: text(resource, &["spec", "revision"]).unwrap_or("default"),
            hub: word(&["spec", "hub"]).unwrap_or_else(|| own_hub.to_owned()),
            tag: tag.unwrap_or_else(|| own_tag.to_owned()),
        }
    }

    fn global(&self, path: &[&str]) -> Option<&str> {
        text(at(self.resource, &["spec", "values", "global"])?, path)
    }

    fn labels(&self, component: &str, own: &Json) -> Json {
        let mut labels = json!({
            OWNER: object::name(self.resource), OWNER_NAMESPACE: object::namespace(self.resource),
            "operator.istio.io/component": component, "operator.istio.io/managed": "Reconcile", "istio.io/rev": self.revision,
        });
        for (key, value) in own.as_object().into_iter().flatten() {
            labels[key] = value.clone();
        }
        labels
    }

    fn istiod(&self) -> [Wanted; 2] {
        let name = if self.revision == "default" { "istiod".to_owned() } else { format!("istiod-{}", self.revision) };
        let own = json!({ "app": "istiod", "istio": "pilot" });
        let selector = if self.revision == "default" { own.clone() } else { json!({ "app": "istiod", "istio.io/rev": self.revision }) };
        let labels = self.labels("Pilot", &own);
        let mut env = vec![
            json!({ "name": "CLUSTER_ID", "value": self.global(&["multiCluster", "clusterName"]).unwrap_or("Kubernetes") }),
            json!({ "name": "POD_NAMESPACE", "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } } }),
            json!({ "name": "REVISION", "value": self.revision }),
        ];
        merge_env(&mut env, items(self.resource, &["spec", "components", "pilot", "k8s", "env"]));
        let container = json!({
            "name": "discovery", "image": format!("{}/pilot:{}", self.hub, self.tag), "args": ["discovery"], "env": env,
            "ports": [{ "containerPort": 8080, "protocol": "TCP" }, { "containerPort": 15010, "protocol": "TCP" }, { "containerPort": 15017, "protocol": "TCP" }],
            "readinessProbe": { "httpGet": { "path": "/ready", "port": 8080 } },
        });
        [
            self.deployment(&name, &labels, &selector, &json!({ "containers": [container], "serviceAccountName": "istiod" })),
            self.service(&name, &labels, &selector, &json!({ "ports": ports(ISTIOD_PORTS) })),
        ]
    }

    fn gateway(&self, name: &str, gateway: &Json, list: &str) -> [Wanted; 2] {
        let (component, short) =
            if list == "egressGateways" { ("EgressGateways", "egressgateway") } else { ("IngressGateways", "ingressgateway") };
        let own = at(gateway, &["label"]).cloned().unwrap_or_else(|| json!({ "app": name, "istio": short }));
        let labels = self.labels(component, &own);
        let selector = json!({ "app": own.get("app").cloned().unwrap_or_else(|| json!(name)), "istio": own.get("istio").cloned().unwrap_or_else(|| json!(short)) });
        let mut env = vec![
            json!({ "name": "ISTIO_META_CLUSTER_ID", "value": self.global(&["multiCluster", "clusterName"]).unwrap_or("Kubernetes") }),
        ];
        if let Some(network) = self.global(&["network"]) {
            env.push(json!({ "name": "ISTIO_META_NETWORK", "value": network }));
        }
        merge_env(&mut env, items(gateway, &["k8s", "env"]));
        let container = json!({
            "name": "istio-proxy", "image": format!("{}/proxyv2:{}", self.hub, self.tag), "args": ["proxy", "router"], "env": env,
            "ports": [{ "containerPort": 15090, "protocol": "TCP", "name": "http-envoy-prom" }],
            "readinessProbe": { "httpGet": { "path": "/healthz/ready", "port": 15021 } },
        });
        let ty = if list == "egressGateways" { "ClusterIP" } else { "LoadBalancer" };
        let ty = text(gateway, &["k8s", "service", "type"]).unwrap_or(ty);
        let given = items(gateway, &["k8s", "service", "ports"]);
        let listed = if given.is_empty() { ports(INGRESS_PORTS) } else { given.iter().map(port).collect() };
        let pod = json!({ "containers": [container], "serviceAccountName": format!("{name}-service-account") });
        let mut wanted = [
            self.deployment(name, &labels, &selector, &pod),
            self.service(name, &labels, &selector, &json!({ "type": ty, "ports": listed })),
        ];
        if let Some(namespace) = text(gateway, &["namespace"]) {
            for Wanted { key, object } in &mut wanted {
                key.namespace = namespace.into();
                object["metadata"]["namespace"] = namespace.into();
            }
        }
        wanted
    }

    fn deployment(&self, name: &str, labels: &Json, selector: &Json, pod: &Json) -> Wanted {
        let mut template_labels = labels.clone();
        // The operator writes its mark onto objects; what a chart writes into their templates does not name the resource.
        if let Some(mark) = template_labels.get_mut(OWNER) {
            *mark = json!("unknown");
        }
        for (key, value) in selector.as_object().into_iter().flatten() {
            template_labels[key] = value.clone();
        }
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": self.namespace, "labels": labels },
            "spec": { "selector": { "matchLabels": selector }, "template": { "metadata": { "labels": template_labels }, "spec": pod } },
        });
        Wanted { key: Key::new("deployments.apps", &self.namespace, name), object }
    }

    fn service(&self, name: &str, labels: &Json, selector: &Json, spec: &Json) -> Wanted {
        let mut object = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": self.namespace, "labels": labels }, "spec": spec,
        });
        object["spec"]["selector"] = selector.clone();
        Wanted { key: Key::new("services", &self.namespace, name), object }
    }
}

fn ports(rows: &[(&str, u64, u64)]) -> Json {
    rows.iter().map(|(name, port, target)| json!({ "name": name, "port": port, "targetPort": target, "protocol": "TCP" })).collect()
}

fn port(given: &Json) -> Json {
    let mut port = given.clone();
    object::set_default(&mut port, &["protocol"], "TCP");
    port
}

/// Adds variables; of two with one name the later counts.
fn merge_env(env: &mut Vec<Json>, more: &[Json]) {
    for variable in more {
        env.retain(|known| known["name"] != variable["name"]);
        env.push(variable.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(spec: &Json) -> Vec<String> {
        let resource = json!({ "metadata": { "name": "r", "namespace": "istio-system" }, "spec": spec });
        render(&resource, "gcr.io/istio-release/operator:1.9.0").iter().map(|wanted| wanted.key.to_string()).collect()
    }

    #[test]
    fn profiles_say_what_there_is() {
        for (spec, expected) in [
            (
                json!({}),
                vec![
                    "deployments.apps/istio-system/istiod",
                    "services/istio-system/istiod",
                    "deployments.apps/istio-system/istio-ingressgateway",
                    "services/istio-system/istio-ingressgateway",
                ],
            ),
            (json!({ "profile": "minimal" }), vec!["deployments.apps/istio-system/istiod", "services/istio-system/istiod"]),
            (json!({ "profile": "empty" }), vec![]),
            (
                json!({ "profile": "minimal", "revision": "1-9-0" }),
                vec!["deployments.apps/istio-system/istiod-1-9-0", "services/istio-system/istiod-1-9-0"],
            ),
            (
                json!({ "profile": "empty", "components": { "ingressGateways": [{ "name": "g", "namespace": "edge" }, { "name": "off", "enabled": false }] } }),
                vec!["deployments.apps/edge/g", "services/edge/g"],
            ),
            (
                json!({ "components": { "pilot": { "enabled": false }, "ingressGateways": [{ "name": "istio-ingressgateway", "enabled": false }] } }),
                vec![],
            ),
        ] {
            assert_eq!(names(&spec), expected, "{spec}");
        }
    }

    #[test]
    fn hub_and_tag_are_the_operators_unless_given() {
        let image = |spec: Json| {
            let resource = json!({ "metadata": { "name": "r", "namespace": "n" }, "spec": spec });
            let wanted = render(&resource, "gcr.io/istio-release/operator:1.9.0");
            wanted[0].object["spec"]["template"]["spec"]["containers"][0]["image"].clone()
        };
        assert_eq!(image(json!({})), json!("gcr.io/istio-release/pilot:1.9.0"));
        assert_eq!(image(json!({ "hub": "h", "tag": 1.9 })), json!("h/pilot:1.9"));
    }

    #[test]
    fn what_the_mesh_needs_to_know_is_in_the_environment() {
        let spec = json!({ "values": { "global": { "network": "network1", "multiCluster": { "clusterName": "cluster1" } } },
            "components": { "ingressGateways": [{ "name": "g", "k8s": { "env": [{ "name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": "network1" }] } }] } });
        let resource = json!({ "metadata": { "name": "r", "namespace": "n" }, "spec": spec });
        let wanted = render(&resource, "operator");
        let gateway = wanted.iter().find(|wanted| wanted.key.to_string() == "deployments.apps/istio-system/g").expect("a gateway");
        let env = items(&gateway.object, &["spec", "template", "spec", "containers"])[0]["env"].clone();
        let names: Vec<_> = env.as_array().into_iter().flatten().filter_map(|variable| variable["name"].as_str()).collect();
        assert_eq!(names, ["ISTIO_META_CLUSTER_ID", "ISTIO_META_NETWORK", "ISTIO_META_REQUESTED_NETWORK_VIEW"]);
        assert_eq!(env[0]["value"], json!("cluster1"));
    }
}
