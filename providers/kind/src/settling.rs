//! Waiting for a cluster: until its API server answers and its nodes are ready.

use crate::clock::Deadline;
use crate::effects::{done, found, gone};
use crate::kubeconfig;
use crate::node::Node;
use crate::provider::KindProvider;
use crate::seen::Cluster;
use docker::Client;
use engine::port::{Done, Failure, Request};
use engine::value::Value;
use kubernetes::{Answered, Cluster as Api, Clusters, Plain};
use serde_json::Value as Json;
use std::sync::Arc;

/// Longest wait for a cluster, in seconds, where the configuration says nothing.
const USUAL_WAIT: u64 = 300;

impl KindProvider {
    /// Waits until a cluster is ready, and reads it.
    pub(crate) async fn wait(&self, request: &Request) -> Result<Done, Failure> {
        let (client, _) = self.reached().await?;
        let deadline = Deadline::after(request.timeout.unwrap_or(USUAL_WAIT));
        let mut last = "nothing of it answered".to_owned();
        loop {
            let Ok(looked) = tokio::time::timeout(deadline.left(), self.looked_at(client, request)).await else { break };
            match looked? {
                (cluster, Ok(uid)) => return Ok(done(&cluster, request, (self.files(), Some(uid.as_str())))),
                (_, Err(why)) => last = why,
            }
            request.activity.waits_for(last.clone());
            if !deadline.pause().await {
                break;
            }
        }
        Err(late(request.arguments.text("name").unwrap_or_default(), deadline, &last))
    }

    /// A cluster with its uid if it is ready, or with why it is not.
    async fn looked_at(&self, client: &Client, request: &Request) -> Result<(Cluster, Result<String, String>), Failure> {
        let cluster = found(client, request).await?.ok_or_else(|| gone(request))?;
        if let Some(node) = cluster.stopped().first() {
            return Err(stopped(node));
        }
        let Some(text) = cluster.kubeconfig() else {
            return Ok((cluster, Err("its control plane has no kubeconfig yet".to_owned())));
        };
        let why = match api(&self.clusters, &cluster.name, &text).await {
            Ok(api) => match identified(&api).await {
                Ok(uid) => nodes_ready(&api, &cluster, has_network(&request.arguments)).await.map(|()| uid),
                Err(why) => Err(why),
            },
            Err(why) => Err(why),
        };
        Ok((cluster, why))
    }
}

/// A node ended while it was waited for.
fn stopped(node: &Node) -> Failure {
    let detail = format!("the node `{}` {}; `docker logs {0}` tells more", node.name(), node.stands());
    Failure::new("kind node stopped", detail)
}

/// It was waited for long enough; what was seen last.
fn late(name: &str, deadline: Deadline, last: &str) -> Failure {
    Failure::new("kind cluster not ready", format!("the cluster `{name}` was waited for {} s, and {last}", deadline.seconds))
}

/// Whether nodes can become ready by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    /// kind brings what connects pods.
    Own,
    /// Somebody installs it afterwards.
    Later,
}

fn has_network(arguments: &Value) -> Network {
    let disabled = arguments.present("networking").and_then(|networking| networking.get("disable_default_cni")).and_then(Value::as_bool);
    if disabled == Some(true) { Network::Later } else { Network::Own }
}

async fn api(clusters: &Clusters, name: &str, kubeconfig: &str) -> Result<Arc<Api>, String> {
    clusters.cluster(&Value::from_json(&kubeconfig::connection(name, kubeconfig)).sensitive()).await
}

/// The uid of a cluster; or why it cannot be told, as a fragment.
pub(crate) async fn uid(clusters: &Clusters, name: &str, kubeconfig: &str) -> Result<String, String> {
    identified(&*api(clusters, name, kubeconfig).await?).await
}

async fn identified(api: &Api) -> Result<String, String> {
    match api.plain(Plain::Get("/api/v1/namespaces/kube-system")).await {
        Ok(Answered::Done(namespace)) => {
            let uid = namespace.pointer("/metadata/uid").and_then(Json::as_str).map(str::to_owned);
            uid.ok_or_else(|| "its API server tells no uid of `kube-system`".to_owned())
        }
        Ok(_) => Err("its API server has no namespace `kube-system` yet".to_owned()),
        Err(why) => Err(format!("its API server does not answer: {why}")),
    }
}

/// Whether the nodes are ready, or why they are not. Where none has registered no kubelet runs, and nothing is waited for: kind itself ends
/// only when each one has.
async fn nodes_ready(api: &Api, cluster: &Cluster, network: Network) -> Result<(), String> {
    match api.plain(Plain::Get("/api/v1/nodes")).await? {
        Answered::Done(list) => {
            let registered = list.get("items").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            missing(&cluster.nodes, registered, network).map_or(Ok(()), Err)
        }
        _ => Err("its API server lists no nodes".to_owned()),
    }
}

/// What is missing of the nodes of a cluster.
fn missing(containers: &[Node], registered: &[Json], network: Network) -> Option<String> {
    let name = |node: &Json| node.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default().to_owned();
    let conditions = |node: &Json| node.pointer("/status/conditions").and_then(Json::as_array).cloned().unwrap_or_default();
    let expected = containers.iter().filter(|node| node.role() != crate::naming::LOAD_BALANCER);
    let missing = expected.filter(|node| !registered.is_empty() && !registered.iter().any(|other| name(other) == node.name()));
    if let Some(node) = missing.map(Node::name).next() {
        return Some(format!("the node `{node}` has not registered"));
    }
    let unready = registered.iter().filter(|_| network == Network::Own).find_map(|node| {
        let conditions = conditions(node);
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
        let text = |key: &str| ready.and_then(|ready| ready.get(key)).and_then(Json::as_str).unwrap_or_default();
        (text("status") != "True").then(|| format!("the node `{}` is not ready: {}", name(node), text("message")))
    });
    unready.map(|why| why.trim_end_matches([':', ' ']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::tests::inspected;
    use serde_json::json;

    #[test]
    fn nodes_are_waited_for_where_kubelets_run() {
        let containers =
            ["control-plane", "worker", "external-load-balancer"].map(|role| Node(inspected(&format!("c-{role}"), role, &json!({}))));
        let node = |name: &str, ready: &str| {
            json!({ "metadata": { "name": name }, "status": { "conditions": [{ "type": "MemoryPressure", "status": "False" },
                { "type": "Ready", "status": ready, "message": "cni plugin not initialized" }] } })
        };
        let (first, second) = (|ready| node("c-control-plane", ready), |ready| node("c-worker", ready));
        for (registered, network, expected) in [
            (vec![], Network::Own, None),
            (vec![first("True")], Network::Own, Some("the node `c-worker` has not registered")),
            (vec![first("True"), second("False")], Network::Own, Some("the node `c-worker` is not ready: cni plugin not initialized")),
            (vec![first("True"), second("False")], Network::Later, None),
            (vec![first("True")], Network::Later, Some("the node `c-worker` has not registered")),
            (vec![first("True"), second("True")], Network::Own, None),
            (vec![first("True"), json!({ "metadata": { "name": "c-worker" } })], Network::Own, Some("the node `c-worker` is not ready")),
        ] {
            assert_eq!(missing(&containers, &registered, network).as_deref(), expected, "{registered:?}");
        }
    }

    #[tokio::test]
    async fn a_wait_that_ends_badly_says_what_was_seen_last() {
        let node = Node(inspected("c-worker", "worker", &json!({ "/State/Running": false, "/State/Status": "exited" })));
        for (failure, summary, detail) in [
            (stopped(&node), "kind node stopped", "the node `c-worker` is exited; `docker logs c-worker` tells more"),
            (
                late("c", Deadline::after(5), "the node `c-worker` has not registered"),
                "kind cluster not ready",
                "the cluster `c` was waited for 5 s, and the node `c-worker` has not registered",
            ),
        ] {
            assert_eq!((failure.summary.as_str(), failure.detail.as_str()), (summary, detail));
        }
    }

    #[test]
    fn without_the_default_cni_somebody_installs_one_afterwards() {
        for (arguments, expected) in [
            (json!({ "networking": null }), Network::Own),
            (json!({ "networking": { "disable_default_cni": false } }), Network::Own),
            (json!({ "networking": { "disable_default_cni": true } }), Network::Later),
        ] {
            assert_eq!(has_network(&Value::from_json(&arguments)), expected);
        }
    }
}
