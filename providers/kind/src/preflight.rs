//! What clusters take of the machine that they are made on, and what stands in their way there.

use crate::cluster::{api_address, api_port};
use crate::kubeconfig::{self, Owner};
use crate::provider::KindProvider;
use crate::seen::Cluster;
use docker::Endpoint;
use docker::preflight::{Ground, claimed, cluster_identity};
use engine::question::Proposal;
use engine::schema::{Claim, Obstacle, Problem, Transport};
use engine::value::Value;
use serde_json::Value as Json;
use std::net::IpAddr;
use std::path::Path;

/// The ports of the host that a description names, as far as they are known.
pub(crate) fn claims(arguments: &Value) -> Vec<Claim> {
    let nodes = arguments.get("nodes").map(Value::items).unwrap_or_default();
    let mappings = nodes.iter().flat_map(|node| node.get("extra_port_mappings").map(Value::items).unwrap_or_default());
    api_server(arguments).into_iter().chain(mappings.filter_map(|mapping| claimed(mapping, "listen_address"))).collect()
}

fn api_server(arguments: &Value) -> Option<Claim> {
    let port = u16::try_from(api_port(arguments)?).ok()?;
    let address = api_address(arguments)?.parse().ok()?;
    Some(Claim::Port { transport: Transport::Tcp, address: Some(address), port })
}

impl KindProvider {
    /// What stands in the way of a cluster: kind itself, who has its name, its file or its ports, and limits of the machine.
    pub(crate) async fn in_the_way(&self, found: Option<&Cluster>, ground: &Ground<'_>, proposal: &Proposal) -> Vec<Obstacle> {
        let arguments = &proposal.arguments;
        let unusable = self.program.usable().await.err().map(|why| Problem::new("kind not usable", why).into());
        let is_own = |cluster: &&Cluster| {
            let own = proposal.id.as_ref().map(engine::state::RecordId::as_str);
            own.is_some() && cluster.nodes.iter().any(|node| node.record() == own)
        };
        let there = found.filter(|cluster| !is_own(cluster)).map(|cluster| {
            let holder = Some(cluster_identity(&cluster.name));
            Obstacle { holder, ..exists(cluster).into() }
        });
        let file = arguments.text("name").and_then(|name| file_taken(&self.files().kubeconfig(name, arguments), name));
        // Of another machine nothing is known.
        let limits = ground.machine.and_then(|_| host::preflight::inotify_limits());
        let away = self.endpoint().filter(|_| ground.machine.is_none()).and_then(|endpoint| out_of_reach(endpoint, arguments));
        let problems = file.into_iter().chain(limits).chain(away).map(Obstacle::from);
        let without = without_ipv6(ground.networks, arguments);
        // Who has its name is told as that.
        let own = arguments.text("name").map(cluster_identity);
        let ports = ground.obstacles(&claims(arguments)).into_iter().filter(|obstacle| obstacle.holder.is_none() || obstacle.holder != own);
        unusable.into_iter().chain(there).chain(problems).chain(without).chain(ports).collect()
    }
}

/// What keeps this machine from an API server that another one publishes. That the Engine is on another machine is taken as said by an
/// address of TCP only: behind a socket it may be in a virtual machine that hands ports on.
fn out_of_reach(endpoint: &Endpoint, arguments: &Value) -> Option<Problem> {
    if endpoint.host.starts_with("unix:") {
        return None;
    }
    let host = &endpoint.host;
    let address: IpAddr = api_address(arguments)?.parse().ok()?;
    let problem = |detail: String, help: &str| Problem::with("networking", "API server out of reach", detail).help(help).warning();
    if address.is_loopback() {
        let detail = format!("the Docker Engine at `{host}` is on another machine, at whose own `{address}` the API server would be");
        return Some(problem(detail, "Set `api_server_address` to an address of that machine, and `api_server_port`."));
    }
    let port = arguments.present("networking").and_then(|networking| networking.get("api_server_port"));
    let is_picked = port.is_none_or(|port| port.is_null() || port.as_u64() == Some(0));
    let detail =
        || format!("the Docker Engine at `{host}` is on another machine than `kind`, which would look for a free port at `{address}`");
    is_picked.then(|| problem(detail(), "Set `api_server_port`, to -1 for one that the Engine chooses at each start."))
}

/// A docker network that is there and gives no addresses of the family that the nodes are to have. One that kind makes does.
fn without_ipv6(networks: &[Json], arguments: &Value) -> Option<Obstacle> {
    let family = arguments.present("networking")?.text("ip_family").filter(|family| matches!(*family, "ipv6" | "dual"))?;
    let name = arguments.text("network")?;
    let of = |network: &Json, key: &str| network.get(key).and_then(Json::as_str).map(str::to_owned);
    let network = networks.iter().find(|network| of(network, "Name").as_deref() == Some(name))?;
    if network.get("EnableIPv6").and_then(Json::as_bool) == Some(true) {
        return None;
    }
    let detail = format!("the docker network `{name}` has no IPv6, and `ip_family` is `{family}`");
    let help =
        "Name another `network`, as of a `docker_network` with `ipv6 = true`, or remove it with `docker network rm` if nobody needs it.";
    Some(Obstacle { holder: of(network, "Id"), ..Problem::with("network", "network without IPv6", detail).help(help).into() })
}

/// Why a cluster of this name cannot be made.
pub(crate) fn exists(cluster: &Cluster) -> Problem {
    let nodes: Vec<_> = cluster.nodes.iter().map(|node| format!("`{}`", node.name())).collect();
    let detail = format!("a cluster `{}` is there already ({}), and it was not made for this resource", cluster.name, nodes.join(", "));
    let help = format!(
        "Choose another name, take it over with an `import` block, or remove it with `kind delete cluster --name {}`.",
        cluster.name
    );
    Problem::new("kind cluster exists", detail).help(help)
}

/// Why the kubeconfig of a cluster of this name cannot be written there, if it cannot.
pub(crate) fn file_taken(file: &Path, name: &str) -> Option<Problem> {
    if kubeconfig::owner(file, name) != Owner::Somebody {
        return None;
    }
    let detail = format!("`{}` holds something else than the kubeconfig of the cluster `{name}`", file.display());
    let help = "Give `kubeconfig_path` a file of its own; a `kubeconfig_merged` puts the contexts of several clusters into one file.";
    Some(Problem::new("kubeconfig taken", detail).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_engine_on_another_machine_publishes_where_nobody_gets_from_here() {
        for (host, networking, expected) in [
            ("unix:///run/docker.sock", json!(null), None),
            ("tcp://lab:2376", json!(null), Some("at whose own `127.0.0.1`")),
            ("tcp://lab:2376", json!({ "ip_family": "ipv6", "api_server_port": 6443 }), Some("at whose own `::1`")),
            ("tcp://lab:2376", json!({ "api_server_address": "10.0.0.7" }), Some("a free port at `10.0.0.7`")),
            ("tcp://lab:2376", json!({ "api_server_address": "10.0.0.7", "api_server_port": 0 }), Some("a free port at `10.0.0.7`")),
            ("tcp://lab:2376", json!({ "api_server_address": "10.0.0.7", "api_server_port": -1 }), None),
            ("tcp://lab:2376", json!({ "api_server_address": "10.0.0.7", "api_server_port": 6443 }), None),
        ] {
            let endpoint = Endpoint { host: host.to_owned(), certificates: None };
            let told = out_of_reach(&endpoint, &Value::from_json(&json!({ "networking": networking })));
            assert!(told.as_ref().is_none_or(|problem| problem.warning && problem.summary == "API server out of reach"));
            let detail = told.map(|problem| problem.detail);
            match expected {
                None => assert_eq!(detail, None, "{host} {networking}"),
                Some(words) => assert!(detail.as_deref().is_some_and(|detail| detail.contains(words)), "{networking}: {detail:?}"),
            }
        }
    }

    #[test]
    fn nodes_with_ipv6_need_a_network_that_has_it() {
        let networks =
            [json!({ "Id": "n1", "Name": "old", "EnableIPv6": false }), json!({ "Id": "n2", "Name": "kind", "EnableIPv6": true })];
        for (network, family, expected) in [
            ("old", json!("ipv6"), Some("n1")),
            ("old", json!("dual"), Some("n1")),
            ("old", json!("ipv4"), None),
            ("old", json!(null), None),
            ("kind", json!("ipv6"), None),
            ("yet to come", json!("ipv6"), None),
        ] {
            let arguments = Value::from_json(&json!({ "network": network, "networking": { "ip_family": family } }));
            let told = without_ipv6(&networks, &arguments);
            assert_eq!(told.as_ref().and_then(|told| told.holder.as_deref()), expected, "{network} {family}");
            assert!(told.is_none_or(|told| told.problem.summary == "network without IPv6" && !told.problem.warning));
        }
    }

    #[test]
    fn ports_that_are_chosen_and_known_are_claimed() {
        let mapping = |port: i64, address: Option<&str>| json!({ "container_port": 80, "host_port": port, "listen_address": address });
        let worker = |mappings: &[serde_json::Value]| json!({ "role": "worker", "extra_port_mappings": mappings });
        for (arguments, expected) in [
            (json!({}), &[][..]),
            (json!({ "networking": { "api_server_address": "10.2.1.40" } }), &[]),
            (json!({ "networking": { "api_server_port": -1 } }), &[]),
            (json!({ "networking": { "api_server_port": 6443 } }), &["127.0.0.1:6443/tcp"]),
            (json!({ "networking": { "api_server_port": 6443, "ip_family": "ipv6" } }), &["[::1]:6443/tcp"]),
            (
                json!({ "networking": { "api_server_address": "10.2.1.40", "api_server_port": 6443 },
                    "nodes": [{}, worker(&[mapping(80, Some("10.2.1.40")), mapping(0, None), mapping(-1, None)]), worker(&[mapping(53, None)])] }),
                &["10.2.1.40:6443/tcp", "10.2.1.40:80/tcp", "port 53/tcp of every address"],
            ),
        ] {
            let told: Vec<_> = claims(&Value::from_json(&arguments)).iter().map(ToString::to_string).collect();
            assert_eq!(told, expected, "{arguments}");
        }
    }
}
