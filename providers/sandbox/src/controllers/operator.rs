//! Stands in for Istio's in-cluster operator: an `IstioOperator` becomes istiod's and its gateways' Deployments and Services, and nothing
//! else. It works only where the operator's own Deployment is, and without it nobody takes the finalizer away.

mod render;

use crate::api::remove;
use crate::object::{self, Json, has_finalizer, is_terminating, items, set, text};
use crate::resource::Key;
use crate::store::{Event, Transaction};
use render::{OWNER, OWNER_NAMESPACE, Wanted};
use serde_json::json;

const MANAGER: &str = "istio-operator";
const FINALIZER: &str = "istio-finalizer.install.istio.io";
const OPERATORS: &str = "istiooperators.install.istio.io";
/// What a rendering consists of.
const RENDERED: &[&str] = &["deployments.apps", "services"];

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    match &*event.key.resource {
        OPERATORS if event.new.is_some() => reconcile(transaction, &event.key),
        "deployments.apps" if event.key.name.starts_with("istio-operator") => reconcile_all(transaction),
        // What the operator made comes back when somebody deletes it.
        resource if RENDERED.contains(&resource) && event.new.is_none() => {
            let owner = event.old.as_ref().and_then(|old| {
                let label = |key| text(old, &["metadata", "labels", key]);
                Some(Key::new(OPERATORS, label(OWNER_NAMESPACE)?, label(OWNER)?))
            });
            if let Some(owner) = owner.filter(|owner| transaction.get(owner).is_some()) {
                reconcile(transaction, &owner);
            }
        }
        _ => {}
    }
}

fn reconcile_all(transaction: &mut Transaction<'_>) {
    for (key, _) in transaction.list(OPERATORS, None) {
        reconcile(transaction, &key);
    }
}

/// The image of the operator, if it runs and looks at this namespace.
fn operator(transaction: &Transaction<'_>, namespace: &str) -> Option<String> {
    let deployments = transaction.list("deployments.apps", None);
    let mut operators =
        deployments.iter().filter(|(key, deployment)| key.name.starts_with("istio-operator") && !is_terminating(deployment));
    operators.find_map(|(_, deployment)| {
        let container = items(deployment, &["spec", "template", "spec", "containers"]).first()?;
        let watched = items(container, &["env"])
            .iter()
            .find(|variable| variable["name"] == "WATCH_NAMESPACE")
            .and_then(|variable| text(variable, &["value"]));
        let looks = watched.is_none_or(|watched| watched.is_empty() || watched.split(',').any(|watched| watched.trim() == namespace));
        looks.then(|| text(container, &["image"]).unwrap_or_default().to_owned())
    })
}

fn reconcile(transaction: &mut Transaction<'_>, key: &Key) {
    let Some(image) = operator(transaction, &key.namespace) else { return };
    let Some(resource) = transaction.get(key) else { return };
    if is_terminating(&resource) {
        if has_finalizer(&resource, FINALIZER) {
            prune(transaction, key, &[]);
            finish(transaction, key);
        }
        return;
    }
    transaction.control(key, MANAGER, "", |resource| {
        if !has_finalizer(resource, FINALIZER) {
            let mut finalizers = items(resource, &["metadata", "finalizers"]).to_vec();
            finalizers.push(json!(FINALIZER));
            set(resource, &["metadata", "finalizers"], finalizers);
        }
    });
    let wanted = render::render(&resource, &image);
    for Wanted { key, object } in &wanted {
        super::apply(transaction, key, object, MANAGER);
    }
    prune(transaction, key, &wanted);
    let missing: Vec<_> =
        wanted.iter().filter(|wanted| transaction.get(&wanted.key).is_none()).map(|wanted| wanted.key.to_string()).collect();
    transaction.control(key, MANAGER, "status", |resource| set(resource, &["status"], status(&missing)));
}

/// What the stand-in for an operator of this image makes of an `IstioOperator` in a cluster, as objects to apply. Beside real API servers another
/// stand-in makes the same.
pub fn operator_makes(resource: &Json, image: &str) -> Vec<Json> {
    render::render(resource, image).into_iter().map(|wanted| wanted.object).collect()
}

fn status(missing: &[String]) -> Json {
    if missing.is_empty() {
        return json!({ "status": "HEALTHY", "message": "no control plane runs in a sandbox (simulated)" });
    }
    json!({ "status": "ERROR", "message": format!("could not be made: {}", missing.join(", ")) })
}

/// Deletes what was made for a resource and is not wanted any more.
fn prune(transaction: &mut Transaction<'_>, owner: &Key, wanted: &[Wanted]) {
    let made = transaction.select(|key, object| {
        let label = |name| text(object, &["metadata", "labels", name]);
        RENDERED.contains(&&*key.resource) && label(OWNER) == Some(&*owner.name) && label(OWNER_NAMESPACE) == Some(&*owner.namespace)
    });
    for (key, _) in made.iter().filter(|(key, _)| wanted.iter().all(|wanted| wanted.key != *key)) {
        remove(transaction, key);
    }
}

fn finish(transaction: &mut Transaction<'_>, key: &Key) {
    transaction.control(key, MANAGER, "", |resource| {
        let left: Vec<_> =
            items(resource, &["metadata", "finalizers"]).iter().filter(|finalizer| *finalizer != FINALIZER).cloned().collect();
        if left.is_empty() {
            object::remove(resource, &["metadata", "finalizers"]);
        } else {
            set(resource, &["metadata", "finalizers"], left);
        }
    });
    if transaction.get(key).is_some_and(|resource| items(&resource, &["metadata", "finalizers"]).is_empty()) {
        transaction.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use super::*;

    const CONTROL_PLANE: &str = "/apis/install.istio.io/v1alpha1/namespaces/istio-system/istiooperators";
    const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/istio-system/deployments";
    const SERVICES: &str = "/api/v1/namespaces/istio-system/services";
    const OPERATOR: &str = "/apis/apps/v1/namespaces/istio-operator/deployments";

    fn cluster() -> Cluster {
        let cluster = Cluster::new();
        for name in ["istio-system", "istio-operator"] {
            cluster.create("/api/v1/namespaces", &json!({ "metadata": { "name": name } }));
        }
        let names = json!({ "kind": "IstioOperator", "plural": "istiooperators" });
        let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
        let version = json!({ "name": "v1alpha1", "served": true, "storage": true, "subresources": { "status": {} }, "schema": schema });
        cluster.create(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            &json!({ "metadata": { "name": OPERATORS }, "spec": { "group": "install.istio.io", "scope": "Namespaced", "names": names, "versions": [version] } }),
        );
        cluster
    }

    fn start(cluster: &Cluster) {
        let labels = json!({ "name": "istio-operator" });
        let container = json!({ "name": "istio-operator", "image": "gcr.io/istio-release/operator:1.9.0", "env": [{ "name": "WATCH_NAMESPACE", "value": "istio-system" }] });
        let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [container] } });
        cluster.create(
            OPERATOR,
            &json!({ "metadata": { "name": "istio-operator" }, "spec": { "selector": { "matchLabels": labels }, "template": template } }),
        );
    }

    fn gateway() -> Json {
        let ports: Vec<_> = [("status-port", 15021), ("tls", 15443), ("tls-istiod", 15012), ("tls-webhook", 15017)]
            .iter()
            .map(|(name, port)| json!({ "name": name, "port": port, "targetPort": port }))
            .collect();
        let labels = json!({ "istio": "eastwestgateway", "app": "istio-eastwestgateway", "topology.istio.io/network": "network1" });
        json!({ "metadata": { "name": "eastwest" }, "spec": { "profile": "empty", "components": { "ingressGateways": [
            { "name": "istio-eastwestgateway", "label": labels, "enabled": true, "k8s": { "service": { "ports": ports } } }] } } })
    }

    #[test]
    fn an_operator_makes_the_control_plane_and_says_it_is_not_real() {
        let cluster = cluster();
        cluster.create(CONTROL_PLANE, &json!({ "metadata": { "name": "main" }, "spec": { "tag": "1.9.0", "hub": "h" } }));
        assert!(cluster.get(&format!("{CONTROL_PLANE}/main")).is_some_and(|resource| resource.get("status").is_none()));
        start(&cluster);
        let resource = cluster.get(&format!("{CONTROL_PLANE}/main")).expect("there");
        assert_eq!(resource["status"]["status"], json!("HEALTHY"));
        assert!(resource["status"]["message"].as_str().is_some_and(|message| message.ends_with("(simulated)")));
        let istiod = cluster.get(&format!("{DEPLOYMENTS}/istiod")).expect("istiod");
        assert_eq!(istiod["spec"]["template"]["spec"]["containers"][0]["image"], json!("h/pilot:1.9.0"));
        assert!(cluster.get(&format!("{SERVICES}/istiod")).is_some() && cluster.get(&format!("{SERVICES}/istio-ingressgateway")).is_some());
    }

    #[test]
    fn a_gateway_has_its_ports_label_and_address() {
        let cluster = cluster();
        start(&cluster);
        cluster.create(CONTROL_PLANE, &gateway());
        let service = cluster.get(&format!("{SERVICES}/istio-eastwestgateway")).expect("a gateway");
        let ports: Vec<_> = items(&service, &["spec", "ports"]).iter().filter_map(|port| port["port"].as_u64()).collect();
        assert_eq!(ports, [15021, 15443, 15012, 15017]);
        assert_eq!(service["metadata"]["labels"]["topology.istio.io/network"], json!("network1"));
        assert!(service["status"]["loadBalancer"]["ingress"][0]["ip"].is_string());
        assert!(cluster.get(&format!("{SERVICES}/istiod")).is_none());
    }

    #[test]
    fn what_was_made_goes_with_its_resource_and_comes_back_before() {
        let cluster = cluster();
        start(&cluster);
        cluster.create(CONTROL_PLANE, &gateway());
        cluster.call("DELETE", &format!("{SERVICES}/istio-eastwestgateway"), &Json::Null);
        assert!(cluster.get(&format!("{SERVICES}/istio-eastwestgateway")).is_some());
        cluster.call("DELETE", &format!("{CONTROL_PLANE}/eastwest"), &Json::Null);
        for path in [
            format!("{CONTROL_PLANE}/eastwest"),
            format!("{SERVICES}/istio-eastwestgateway"),
            format!("{DEPLOYMENTS}/istio-eastwestgateway"),
        ] {
            assert!(cluster.get(&path).is_none(), "{path}");
        }
    }

    #[test]
    fn without_its_operator_a_resource_cannot_go() {
        let cluster = cluster();
        start(&cluster);
        cluster.create(CONTROL_PLANE, &gateway());
        cluster.call("DELETE", &format!("{OPERATOR}/istio-operator"), &Json::Null);
        cluster.call("DELETE", &format!("{CONTROL_PLANE}/eastwest"), &Json::Null);
        assert!(cluster.get(&format!("{CONTROL_PLANE}/eastwest")).is_some_and(|resource| is_terminating(&resource)));
        start(&cluster);
        assert!(cluster.get(&format!("{CONTROL_PLANE}/eastwest")).is_none());
    }

    #[test]
    fn a_changed_resource_changes_what_was_made() {
        let cluster = cluster();
        start(&cluster);
        cluster.create(CONTROL_PLANE, &json!({ "metadata": { "name": "main" }, "spec": { "tag": "1.9.0" } }));
        cluster.merge(&format!("{CONTROL_PLANE}/main"), &json!({ "spec": { "tag": "1.9.1", "components": { "ingressGateways": [{ "name": "istio-ingressgateway", "enabled": false }] } } }));
        let istiod = cluster.get(&format!("{DEPLOYMENTS}/istiod")).expect("istiod");
        assert!(istiod["spec"]["template"]["spec"]["containers"][0]["image"].as_str().is_some_and(|image| image.ends_with(":1.9.1")));
        assert!(cluster.get(&format!("{SERVICES}/istio-ingressgateway")).is_none());
    }
}
