//! What a running MetalLB does: its webhook can be called, and load balancers get addresses of its pools and of no other.

use crate::admission::Pool;
use crate::object::{Json, items, list_at, set, text};
use crate::resource::Key;
use crate::store::{Event, Transaction};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

const MANAGER: &str = "controller";
const VALIDATING: &str = "validatingwebhookconfigurations.admissionregistration.k8s.io";
const POOLS: &str = "ipaddresspools.metallb.io";

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    let is_config = &*event.key.resource == "configmaps" && &*event.key.name == "config";
    let is_controller = event.key.plural() == "deployments" && event.new.as_ref().is_some_and(|object| is_controller(object));
    if is_controller || &*event.key.resource == VALIDATING {
        for (key, configuration) in transaction.list(VALIDATING, None) {
            if items(&configuration, &["webhooks"]).iter().any(|webhook| backend(transaction, webhook).is_some()) {
                admit(transaction, &key);
            }
        }
    }
    if is_controller || is_config || &*event.key.resource == POOLS {
        super::load_balancer::serve_waiting(transaction);
    }
}

fn is_controller(object: &Json) -> bool {
    let label = |name| text(object, &["metadata", "labels", name]);
    (label("app"), label("component")) == (Some("metallb"), Some("controller"))
}

/// The controller, if there is one.
fn controller(transaction: &Transaction<'_>) -> Option<(Key, std::sync::Arc<Json>)> {
    transaction.list("deployments.apps", None).into_iter().find(|(_, object)| is_controller(object))
}

/// Namespace and name of the Service by which a webhook calls a controller that runs there.
fn backend(transaction: &Transaction<'_>, webhook: &Json) -> Option<(String, String)> {
    let service = |field| text(webhook, &["clientConfig", "service", field]);
    let name = service("name").filter(|name| matches!(*name, "metallb-webhook-service" | "webhook-service"))?;
    let namespace =
        service("namespace").filter(|namespace| controller(transaction).is_some_and(|(key, _)| &*key.namespace == *namespace))?;
    Some((namespace.to_owned(), name.to_owned()))
}

/// Lets a webhook be called: with an authority, and with a pod behind its Service. Nobody calls it in a sandbox.
fn admit(transaction: &mut Transaction<'_>, key: &Key) {
    let Some(configuration) = transaction.get(key) else { return };
    let backends: Vec<_> = items(&configuration, &["webhooks"]).iter().map(|webhook| backend(transaction, webhook)).collect();
    let authority = BASE64_STANDARD.encode(&transaction.facts().certificate_authority);
    transaction.control(key, MANAGER, "", |configuration| {
        for (webhook, backend) in list_at(configuration, &["webhooks"]).into_iter().flatten().zip(&backends) {
            if backend.is_some() {
                set(webhook, &["clientConfig", "caBundle"], authority.clone());
            }
        }
    });
    for (namespace, name) in backends.into_iter().flatten() {
        let subsets = json!([{ "addresses": [{ "ip": "198.19.255.254" }], "ports": [{ "port": 9443 }] }]);
        let object =
            json!({ "apiVersion": "v1", "kind": "Endpoints", "metadata": { "name": name, "namespace": namespace }, "subsets": subsets });
        super::make(transaction, &Key::new("endpoints", &namespace, &name), object, "kube-controller-manager");
    }
}

/// The pools that addresses are given from without being asked for by name; nothing where no MetalLB runs.
pub(super) fn pools(transaction: &Transaction<'_>) -> Option<Vec<Pool>> {
    let (key, deployment) = controller(transaction)?;
    let image = items(&deployment, &["spec", "template", "spec", "containers"]).first().and_then(|container| text(container, &["image"]));
    if image.is_some_and(reads_text) {
        let config = transaction.get(&Key::new("configmaps", &key.namespace, "config"));
        return Some(config.as_deref().and_then(|config| text(config, &["data", "config"])).map(of_text).unwrap_or_default());
    }
    let pools = transaction.list(POOLS, Some(&key.namespace));
    let is_given = |pool: &Json| pool.pointer("/spec/autoAssign").and_then(Json::as_bool) != Some(false);
    let given = pools.iter().filter(|(_, pool)| is_given(pool));
    Some(given.flat_map(|(_, pool)| parsed(items(pool, &["spec", "addresses"]))).collect())
}

/// Whether a controller of this image takes its pools from a text: up to 0.12.
fn reads_text(image: &str) -> bool {
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let minor = tag.trim_start_matches('v').strip_prefix("0.").and_then(|rest| rest.split('.').next());
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor < 13)
}

fn of_text(config: &str) -> Vec<Pool> {
    let documents = kubernetes::parse_yaml(config).unwrap_or_default();
    let config = documents.first().and_then(|document| document.to_json().ok()).unwrap_or_default();
    let is_given = |pool: &&Json| pool.get("auto-assign").and_then(Json::as_bool) != Some(false);
    items(&config, &["address-pools"]).iter().filter(is_given).flat_map(|pool| parsed(items(pool, &["addresses"]))).collect()
}

/// The ranges of IPv4 among these: a sandbox has no other.
fn parsed(addresses: &[Json]) -> Vec<Pool> {
    addresses.iter().filter_map(|range| Pool::parse(range.as_str()?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use super::*;

    const SERVICES: &str = "/api/v1/namespaces/default/services";
    const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

    fn install(cluster: &Cluster, version: &str) {
        let labels = json!({ "app": "metallb", "component": "controller" });
        let image = format!("quay.io/metallb/controller:v{version}");
        let deployment = json!({ "metadata": { "name": "controller", "labels": labels }, "spec": { "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "controller", "image": image }] } } } });
        cluster.create("/apis/apps/v1/namespaces/default/deployments", &deployment);
    }

    fn address(cluster: &Cluster, name: &str) -> Json {
        cluster.get(&format!("{SERVICES}/{name}")).expect("there")["status"]["loadBalancer"]["ingress"][0]["ip"].clone()
    }

    fn service(cluster: &Cluster, name: &str) {
        let spec = json!({ "type": "LoadBalancer", "ports": [{ "port": 80 }] });
        cluster.create(SERVICES, &json!({ "metadata": { "name": name }, "spec": spec }));
    }

    #[test]
    fn addresses_come_from_pools_in_both_forms() {
        let cluster = Cluster::new();
        service(&cluster, "before");
        install(&cluster, "0.12.1");
        service(&cluster, "a");
        assert_eq!((address(&cluster, "before"), address(&cluster, "a")), (json!("198.18.0.0"), Json::Null));
        let text = "address-pools:\n- name: kept\n  auto-assign: false\n  addresses: [10.9.0.1-10.9.0.9]\n- name: lab\n  addresses:\n  - \"10.0.0.5-10.0.0.6\"\n";
        cluster.create("/api/v1/namespaces/default/configmaps", &json!({ "metadata": { "name": "config" }, "data": { "config": text } }));
        assert_eq!(address(&cluster, "a"), json!("10.0.0.5"));

        let newer = Cluster::new();
        install(&newer, "0.16.2");
        service(&newer, "a");
        newer.create("/api/v1/namespaces/default/configmaps", &json!({ "metadata": { "name": "config" }, "data": { "config": text } }));
        assert_eq!(address(&newer, "a"), Json::Null);
        let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
        newer.create(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &json!({ "metadata": { "name": "ipaddresspools.metallb.io" }, "spec": { "group": "metallb.io", "scope": "Namespaced",
                "names": { "kind": "IPAddressPool", "plural": "ipaddresspools" },
                "versions": [{ "name": "v1beta1", "served": true, "storage": true, "schema": schema }] } }),
        );
        let pools = "/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools";
        newer.create(pools, &json!({ "metadata": { "name": "lab" }, "spec": { "addresses": ["fd00::/112", "10.0.0.8/30"] } }));
        assert_eq!(address(&newer, "a"), json!("10.0.0.8"));
    }

    #[test]
    fn the_webhook_can_be_called_once_the_controller_runs() {
        let cluster = Cluster::new();
        let service = json!({ "name": "metallb-webhook-service", "namespace": "default", "path": "/validate" });
        let webhook = json!({ "name": "a.metallb.io", "clientConfig": { "service": service }, "sideEffects": "None", "admissionReviewVersions": ["v1"] });
        cluster.create(WEBHOOKS, &json!({ "metadata": { "name": "metallb-webhook-configuration" }, "webhooks": [webhook] }));
        let bundle = || {
            cluster.get(&format!("{WEBHOOKS}/metallb-webhook-configuration")).expect("there")["webhooks"][0]["clientConfig"]["caBundle"]
                .clone()
        };
        assert_eq!(bundle(), Json::Null);
        install(&cluster, "0.16.2");
        assert!(bundle().is_string());
        let endpoints = cluster.get("/api/v1/namespaces/default/endpoints/metallb-webhook-service").expect("there");
        assert!(endpoints["subsets"][0]["addresses"][0]["ip"].is_string());
    }
}
