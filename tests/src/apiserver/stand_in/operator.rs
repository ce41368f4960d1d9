//! Istio's in-cluster operator: where its Deployment is available, an `IstioOperator` becomes what the sandbox's operator makes of it, and is
//! `HEALTHY` when those Deployments are.

use super::{Cluster, is_terminating, name, text};
use serde_json::{Value, json};

const MANAGER: &str = "istio-operator";
const FINALIZER: &str = "istio-finalizer.install.istio.io";
/// Labels of what it makes: the name and the namespace of the resource it is made for.
const OWNER: &str = "install.operator.istio.io/owning-resource";
const OWNER_NAMESPACE: &str = "install.operator.istio.io/owning-resource-namespace";

/// Brings every resource and what is made for it together.
pub(super) fn reconcile(cluster: &Cluster<'_>) -> Result<(), String> {
    let resources = cluster.list("/apis/install.istio.io/v1alpha1/istiooperators")?;
    if resources.is_empty() {
        return Ok(());
    }
    let deployments = cluster.list("/apis/apps/v1/deployments")?;
    let services = cluster.list("/api/v1/services")?;
    for resource in &resources {
        let (own, namespace) = name(resource);
        let Some(image) = operator(&deployments, namespace) else { continue };
        let made = deployments.iter().map(|made| ("deployments", made)).chain(services.iter().map(|made| ("services", made)));
        let made: Vec<_> = made
            .filter(|(_, made)| {
                let labels = &made["metadata"]["labels"];
                labels[OWNER] == own && labels[OWNER_NAMESPACE] == namespace
            })
            .collect();
        let path = format!("/apis/install.istio.io/v1alpha1/namespaces/{namespace}/istiooperators/{own}");
        let finalizers: Vec<&str> = resource["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if is_terminating(resource) {
            if finalizers.contains(&FINALIZER) {
                made.iter().try_for_each(|(plural, made)| cluster.delete(&place(plural, made)))?;
                let left: Vec<_> = finalizers.into_iter().filter(|finalizer| *finalizer != FINALIZER).collect();
                cluster.merge(&path, MANAGER, &json!({ "metadata": { "finalizers": left } }))?;
            }
            continue;
        }
        if !finalizers.contains(&FINALIZER) {
            let all: Vec<_> = finalizers.into_iter().chain([FINALIZER]).collect();
            cluster.merge(&path, MANAGER, &json!({ "metadata": { "finalizers": all } }))?;
        }
        let wanted = sandbox::operator_makes(resource, &image);
        make(cluster, &wanted)?;
        for (plural, made) in
            made.iter().filter(|(plural, made)| wanted.iter().all(|wanted| place(plural_of(wanted), wanted) != place(plural, made)))
        {
            cluster.delete(&place(plural, made))?;
        }
        tell(cluster, &path, resource, &health(&wanted, &deployments))?;
    }
    Ok(())
}

/// The image of an operator that runs and looks at this namespace.
fn operator(deployments: &[Value], namespace: &str) -> Option<String> {
    let mut running = deployments
        .iter()
        .filter(|deployment| name(deployment).0.starts_with("istio-operator") && !is_terminating(deployment) && is_available(deployment));
    running.find_map(|deployment| {
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let watched = container["env"].as_array().into_iter().flatten().find(|variable| variable["name"] == "WATCH_NAMESPACE");
        let watched = watched.map(|variable| text(variable, &["value"])).unwrap_or_default();
        let looks = watched.is_empty() || watched.split(',').any(|watched| watched.trim() == namespace);
        looks.then(|| text(container, &["image"]).to_owned())
    })
}

fn is_available(deployment: &Value) -> bool {
    deployment["status"]["availableReplicas"].as_u64().is_some_and(|available| available > 0)
}

/// Applies what is wanted, each Deployment with its service account, without which its pods are refused.
fn make(cluster: &Cluster<'_>, wanted: &[Value]) -> Result<(), String> {
    for object in wanted {
        let namespace = name(object).1;
        let account = text(object, &["spec", "template", "spec", "serviceAccountName"]);
        if !account.is_empty() {
            let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}");
            cluster.apply(&path, MANAGER, &json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": account } }))?;
        }
        cluster.apply(&place(plural_of(object), object), MANAGER, object)?;
    }
    Ok(())
}

fn plural_of(object: &Value) -> &'static str {
    if object["kind"] == "Service" { "services" } else { "deployments" }
}

/// The path of an object.
fn place(plural: &str, object: &Value) -> String {
    let (name, namespace) = name(object);
    let version = if plural == "services" { "/api/v1" } else { "/apis/apps/v1" };
    format!("{version}/namespaces/{namespace}/{plural}/{name}")
}

/// The status of a resource whose Deployments are as they are.
fn health(wanted: &[Value], deployments: &[Value]) -> Value {
    let mut components = json!({});
    let mut all = "HEALTHY";
    for wanted in wanted.iter().filter(|wanted| wanted["kind"] == "Deployment") {
        let now = deployments.iter().find(|deployment| name(deployment) == name(wanted));
        let status = if now.is_some_and(is_available) { "HEALTHY" } else { "RECONCILING" };
        if status != "HEALTHY" {
            all = status;
        }
        components[text(wanted, &["metadata", "labels", "operator.istio.io/component"])] = json!({ "status": status });
    }
    json!({ "status": all, "componentStatus": components })
}

fn tell(cluster: &Cluster<'_>, path: &str, resource: &Value, status: &Value) -> Result<(), String> {
    if resource["status"] == *status {
        return Ok(());
    }
    let told = json!({ "status": status });
    match cluster.merge(&format!("{path}/status"), MANAGER, &told) {
        Err(why) if why.starts_with("404") => cluster.merge(path, MANAGER, &told),
        done => done,
    }
}
