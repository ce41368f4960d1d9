//! What stands in the way of things at an Engine: who has their name, their ports or their addresses already.

use crate::client::{Client, Unusable};
use crate::subnet::Subnet;
use crate::thing::plain;
use engine::schema::{Claim, Obstacle, Problem, Transport};
use engine::value::Value;
use host::preflight::Machine;
use serde_json::Value as Json;

/// The label of kind's nodes with the name of their cluster.
pub const CLUSTER: &str = "io.x-k8s.kind.cluster";

/// What an Engine has already, and the machine that it is on where that can be looked at.
#[derive(Debug, Default)]
pub struct Ground<'a> {
    /// As `GET /containers/json` tells of them.
    pub containers: &'a [Json],
    /// As `GET /networks` tells of them.
    pub networks: &'a [Json],
    /// The machine, if it is this one.
    pub machine: Option<&'a Machine>,
}

/// The machine that meshplan runs on, if the Engine is on it and publishes ports in the same network: an address of its usual network is
/// then one of this machine's. Of another machine nothing is known.
pub async fn machine(client: &Client, networks: &[Json]) -> Option<Machine> {
    let usual = networks.iter().find(|network| network.get("Name").and_then(Json::as_str) == Some("bridge"))?;
    // Old engines do not tell the gateway of this one.
    let subnet = Subnet::parse(usual.pointer("/IPAM/Config/0/Subnet")?.as_str()?).ok()?;
    let machine = Machine::look().await.filter(|machine| machine.addresses().iter().any(|address| subnet.contains(*address)))?;
    (client.identity().machine == machine.name()).then_some(machine)
}

impl Ground<'_> {
    /// What stands in the way of what is claimed, in the order of the claims.
    pub fn obstacles(&self, claims: &[Claim]) -> Vec<Obstacle> {
        claims.iter().filter_map(|claim| self.obstacle(claim)).collect()
    }

    fn obstacle(&self, claim: &Claim) -> Option<Obstacle> {
        match *claim {
            Claim::Port { transport, address, port } => {
                let published = self.containers.iter().find_map(|container| publisher(container, claim));
                published.or_else(|| self.machine?.obstacle(transport, address, port))
            }
            Claim::Subnet { .. } => self.networks.iter().find_map(|network| owner(network, claim)),
        }
    }
}

/// A container that publishes what is claimed.
fn publisher(container: &Json, claim: &Claim) -> Option<Obstacle> {
    let ports = container.get("Ports").and_then(Json::as_array)?.iter().filter_map(published);
    let there = ports.into_iter().find(|there| there.excludes(claim))?;
    let name = crate::container::name(container);
    let detail = format!("the container `{name}` publishes `{there}` already, so that nobody else can listen on `{claim}`");
    let help = format!("Stop it with `docker stop {name}`, or use another address or port.");
    Some(Obstacle { holder: holder(container), ..Problem::new("port taken", detail).help(help).into() })
}

/// Whose a container is: a node is its cluster's, which comes and goes as a whole and is known by its name.
fn holder(container: &Json) -> Option<String> {
    let cluster = container.get("Labels").and_then(|labels| labels.get(CLUSTER)).and_then(Json::as_str);
    cluster.map(cluster_identity).or_else(|| container.get("Id").and_then(Json::as_str).map(str::to_owned))
}

/// The identity of a cluster of kind.
pub fn cluster_identity(name: &str) -> String {
    format!("kind/{name}")
}

/// The place of the host that a port is to be published at, if it is known and the Engine does not choose it: `host_port` and `protocol` of
/// an argument, and the attribute with this name for the address.
pub fn claimed(port: &Value, address: &str) -> Option<Claim> {
    let number =
        port.get("host_port").and_then(Value::as_u64).and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0)?;
    let address = match port.get(address) {
        Some(address) if !address.is_null() => Some(plain(address)?).filter(|address| !address.is_empty()),
        _ => None,
    };
    let transport = match port.get("protocol") {
        Some(name) if !name.is_null() => Transport::named(plain(name)?)?,
        _ => Transport::Tcp,
    };
    let address = address.map(str::parse).transpose().ok()?;
    Some(Claim::Port { transport, address, port: number })
}

/// What is said of an Engine that cannot be used while a plan is made. One that does not answer may do so when the plan is applied.
pub fn unusable(why: &Unusable) -> Obstacle {
    let problem = Problem::new(why.summary(), why.to_string());
    match why {
        Unusable::Unreached(_) => problem.warning().into(),
        Unusable::TooOld(_) => problem.into(),
    }
}

/// A port of a container that runs, where it is published.
fn published(port: &Json) -> Option<Claim> {
    let number = port.get("PublicPort").and_then(Json::as_u64).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)?;
    let transport = Transport::named(port.get("Type").and_then(Json::as_str)?)?;
    let address = port.get("IP").and_then(Json::as_str).and_then(|address| address.parse().ok());
    Some(Claim::Port { transport, address, port: number })
}

/// A network that has addresses of what is claimed.
fn owner(network: &Json, claim: &Claim) -> Option<Obstacle> {
    let text = |name: &str| network.get(name).and_then(Json::as_str);
    // Networks of a swarm have addresses of their own.
    if text("Driver") == Some("overlay") {
        return None;
    }
    let pools = network.pointer("/IPAM/Config").and_then(Json::as_array)?;
    let ranges = pools.iter().filter_map(|pool| Subnet::parse(pool.get("Subnet")?.as_str()?).ok());
    let there = ranges.map(Subnet::claim).find(|there| there.excludes(claim))?;
    let name = text("Name").unwrap_or_default();
    let detail = format!("the network `{name}` has `{there}` already, which shares addresses with `{claim}`");
    let help = format!("Use another range, or remove it with `docker network rm {name}` if nobody needs it.");
    Some(Obstacle { holder: text("Id").map(str::to_owned), ..Problem::new("subnet taken", detail).help(help).into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ports_of_a_node_are_held_by_its_cluster() {
        let node = json!({ "Id": "n1", "Names": ["/c1-worker"], "Labels": { CLUSTER: "c1" },
            "Ports": [{ "IP": "10.0.0.1", "PrivatePort": 80, "PublicPort": 80, "Type": "tcp" }] });
        let containers = [node];
        let ground = Ground { containers: &containers, ..Ground::default() };
        let wanted = json!({ "host_port": 80, "address": "10.0.0.1" });
        let found = ground.obstacles(&[claimed(&Value::from_json(&wanted), "address").unwrap()]);
        assert_eq!(found[0].holder.as_deref(), Some("kind/c1"));
    }

    #[test]
    fn what_the_engine_has_stands_in_the_way_of_the_same() {
        let containers = [json!({ "Id": "c1", "Names": ["/web"], "Ports": [
            { "PrivatePort": 80 },
            { "IP": "10.0.0.1", "PrivatePort": 80, "PublicPort": 443, "Type": "tcp" },
            { "IP": "::", "PrivatePort": 53, "PublicPort": 53, "Type": "udp" },
        ] })];
        let networks = [
            json!({ "Id": "n1", "Name": "kind", "Driver": "bridge", "IPAM": { "Config": [{ "Subnet": "172.18.0.0/16" }] } }),
            json!({ "Id": "n2", "Name": "ingress", "Driver": "overlay", "IPAM": { "Config": [{ "Subnet": "10.0.0.0/24" }] } }),
            json!({ "Id": "n3", "Name": "host", "Driver": "host", "IPAM": { "Config": null } }),
        ];
        let ground = Ground { containers: &containers, networks: &networks, machine: None };
        let port = |transport, address: &str, port| Claim::Port { transport, address: address.parse().ok(), port };
        let subnet = |text| Subnet::parse(text).unwrap().claim();
        for (claim, expected) in [
            (port(Transport::Tcp, "10.0.0.1", 443), Some(("port taken", "c1"))),
            (port(Transport::Tcp, "", 443), Some(("port taken", "c1"))),
            (port(Transport::Tcp, "10.0.0.2", 443), None),
            (port(Transport::Tcp, "10.0.0.1", 80), None),
            (port(Transport::Udp, "10.0.0.1", 443), None),
            (port(Transport::Udp, "fd00::1", 53), Some(("port taken", "c1"))),
            (subnet("172.18.4.0/24"), Some(("subnet taken", "n1"))),
            (subnet("172.19.0.0/16"), None),
            (subnet("10.0.0.0/24"), None),
        ] {
            let found = ground.obstacles(&[claim]);
            let told = found.first().map(|found| (found.problem.summary.as_str(), found.holder.as_deref().unwrap_or_default()));
            assert_eq!(told, expected, "{claim}");
        }
    }
}
