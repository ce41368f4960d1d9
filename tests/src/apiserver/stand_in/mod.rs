//! What plays the programs that do not run beside the API servers: nodes and their pods (kwok, with the real scheduler), `MetalLB`'s load
//! balancer and webhook, Istio's in-cluster operator, and istiod as far as its webhooks go.
//!
//! What a test shows with their help it shows of the objects alone: no container runs, no address answers. Such a test is named
//! `stand_in_…`.

mod definitions;
mod istiod;
pub mod kubelet;
mod load_balancer;
mod nodes;
mod operator;
pub mod proxies;
pub mod runner;
mod webhook;

use super::{Api, ApiServer};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::api::{Api as Objects, ApiResource, DynamicObject, GroupVersionKind, WatchParams};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::task::AbortHandle;

/// What the stand-ins of a cluster are to play.
#[derive(Debug, Clone)]
pub struct Cast<'a> {
    /// The names of its nodes.
    pub nodes: &'a [&'a str],
    /// The addresses that load balancers get where the cluster has no `IPAddressPool`, as `198.18.0.0/28` or `198.18.0.1-198.18.0.9`.
    pub pool: &'a str,
}

/// Stand-ins at work, until they are dropped. Nodes and pods go on until the cluster ends.
pub struct StandIns {
    watching: Vec<AbortHandle>,
}

impl StandIns {
    /// Starts them, and waits until the nodes are ready.
    pub fn start(cluster: &ApiServer, cast: &Cast<'_>) -> Self {
        nodes::start(cluster, cast.nodes, None);
        Self::attend(cluster.api(), load_balancer::addresses(cast.pool), true)
    }

    /// Starts them for a cluster whose istiods are real: [`crate::istiod`] runs their pods.
    pub fn start_beside_istiods(cluster: &ApiServer, cast: &Cast<'_>) -> Self {
        nodes::start(cluster, cast.nodes, Some("istiod"));
        Self::attend(cluster.api(), load_balancer::addresses(cast.pool), false)
    }

    /// Starts them for a cluster that has nodes, whose pods run. Its load balancers get addresses of `IPAddressPool`s alone.
    pub fn beside_nodes(api: &Api) -> Self {
        Self::attend(api, Vec::new(), true)
    }

    fn attend(api: &Api, pool: Vec<Ipv4Addr>, plays_istiod: bool) -> Self {
        let (wake, woken) = channel();
        let kinds = [
            ("", "v1", "Service", "services"),
            ("apps", "v1", "Deployment", "deployments"),
            ("metallb.io", "v1beta1", "IPAddressPool", "ipaddresspools"),
            ("install.istio.io", "v1alpha1", "IstioOperator", "istiooperators"),
            ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
            ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
        ];
        let watch = |(group, version, kind, plural): (&str, &str, &str, &str)| {
            let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
            let objects = Objects::all_with(api.client(), &resource);
            api.on().spawn(watch(objects, wake.clone())).abort_handle()
        };
        let watching = kinds.map(watch).into();
        let api = api.clone();
        std::thread::spawn(move || work(&api, &pool, plays_istiod, &woken));
        Self { watching }
    }
}

impl Drop for StandIns {
    fn drop(&mut self) {
        for watch in &self.watching {
            watch.abort();
        }
    }
}

/// Wakes the work with every change of a kind, also of one that is not there yet.
async fn watch(objects: Objects<DynamicObject>, wake: Sender<()>) {
    loop {
        if let Ok(events) = objects.watch(&WatchParams::default(), "0").await {
            let mut events = events.boxed();
            while let Ok(Some(_)) = events.try_next().await {
                if wake.send(()).is_err() {
                    return;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Does what is to be done after every change, until nobody watches any more. What fails is done with the next change, or after a pause.
fn work(api: &Api, pool: &[Ipv4Addr], plays_istiod: bool, woken: &Receiver<()>) {
    let cluster = Cluster(api);
    loop {
        match woken.recv_timeout(Duration::from_secs(5)) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => drop(definitions::remind(&cluster).err()),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // Changes come in flocks.
        std::thread::sleep(Duration::from_millis(20));
        while woken.try_recv().is_ok() {}
        // A server that answers nothing now answers later.
        drop(webhook::trust(&cluster).err());
        if plays_istiod {
            drop(istiod::trust(&cluster).err());
        }
        drop(load_balancer::assign(&cluster, pool).err());
        drop(operator::reconcile(&cluster).err());
    }
}

/// A cluster as the stand-ins see it: nothing that goes wrong is worth more than another try.
struct Cluster<'a>(&'a Api);

impl Cluster<'_> {
    /// The objects of a collection; none where the kind is not there.
    fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        let mut list = match self.send("GET", path, "application/json", &Value::Null) {
            Err(why) if why.starts_with("404") => return Ok(Vec::new()),
            answered => answered?,
        };
        Ok(list["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// Changes an object by a merge patch, under a manager's name.
    fn merge(&self, path: &str, manager: &str, changes: &Value) -> Result<(), String> {
        self.send("PATCH", &format!("{path}?fieldManager={manager}"), "application/merge-patch+json", changes).map(drop)
    }

    /// Applies an object under a manager's name, by force.
    fn apply(&self, path: &str, manager: &str, object: &Value) -> Result<(), String> {
        self.send("PATCH", &format!("{path}?fieldManager={manager}&force=true"), "application/apply-patch+yaml", object).map(drop)
    }

    /// Deletes an object.
    fn delete(&self, path: &str) -> Result<(), String> {
        self.send("DELETE", path, "application/json", &Value::Null).map(drop)
    }

    fn send(&self, method: &str, path: &str, content: &str, body: &Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.0.try_send(method, path, content, body)?;
        if answer.code.is_success() { Ok(answer.body) } else { Err(format!("{} {method} {path}: {}", answer.code.as_u16(), answer.body)) }
    }
}

/// A text within an object; empty without one.
fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    path.iter().fold(object, |object, key| &object[*key]).as_str().unwrap_or_default()
}

/// Name and namespace of an object.
fn name(object: &Value) -> (&str, &str) {
    (text(object, &["metadata", "name"]), text(object, &["metadata", "namespace"]))
}

fn is_terminating(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}
