//! Who is to reach whom, and where.

use engine::value::{Entry, Value};
use std::collections::BTreeMap;

/// A cluster of the mesh.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer<'a> {
    pub(super) name: &'a str,
    /// The reference to it.
    pub(super) cluster: &'a Value,
    network: Option<&'a str>,
    /// URL of the API server as the others reach it.
    server: Option<&'a Value>,
    /// PEM of what its certificate is issued by, if that is known.
    pub(super) authority: Option<&'a str>,
    gateway: Option<&'a Value>,
}

impl<'a> Peer<'a> {
    /// As it stands among the peers.
    pub(super) fn of(entry: &'a Entry) -> Option<Self> {
        let cluster = entry.value.get("cluster")?;
        let known = |name: &str| cluster.referent(name).filter(|value| value.as_str().is_some());
        let given = |name: &str| entry.value.present(name).filter(|value| value.as_str().is_some());
        Some(Self {
            name: &entry.key,
            cluster,
            network: entry.value.text("network"),
            server: given("server").or_else(|| known("peer_server")).or_else(|| known("server")),
            authority: known("certificate_authority").and_then(Value::as_str),
            gateway: given("gateway"),
        })
    }
}

/// What of a cluster others reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    ApiServer,
    Gateway,
}

impl Target {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::ApiServer => "API server",
            Self::Gateway => "gateway",
        }
    }
}

/// One way that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// The name of the other cluster.
    pub(super) to: String,
    pub(super) target: Target,
    /// As people read it.
    pub(super) address: String,
    /// As curl takes it.
    pub(super) url: String,
}

/// Where all that is to be reached of a peer by another: nobody in particular is one on each network but its own.
pub(super) fn ways(from: Option<&Peer<'_>>, peers: &[Peer<'_>], port: u64) -> Vec<Way> {
    let mut ways = Vec::new();
    for peer in peers.iter().filter(|peer| from.is_none_or(|from| from.name != peer.name)) {
        let way = |target, (address, url): (String, String), given: &Value| {
            // What is sensitive in the configuration is not shown here either.
            let address = if given.holds_sensitive() { "(sensitive)".to_owned() } else { address };
            Way { to: peer.name.to_owned(), target, address, url }
        };
        if let Some((given, server)) = peer.server.and_then(|given| Some((given, given.as_str()?))) {
            let server = server.trim_end_matches('/');
            ways.push(way(Target::ApiServer, (server.to_owned(), format!("{server}/readyz")), given));
        }
        let is_beyond = match from {
            Some(from) => from.network != peer.network,
            None => peers.iter().any(|other| other.network != peer.network),
        };
        if let Some((given, host)) = peer.gateway.filter(|_| is_beyond).and_then(|given| Some((given, given.as_str()?))) {
            let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
            ways.push(way(Target::Gateway, (format!("{host}:{port}"), format!("https://{host}:{port}/")), given));
        }
    }
    ways
}

/// The arguments of the script: three for each way, whose number is its place. Of a gateway's certificate there is nothing to know.
pub(super) fn arguments(ways: &[Way], peers: &[Peer<'_>]) -> Vec<String> {
    let authority = |way: &Way| {
        let place = peers.iter().position(|peer| peer.name == way.to && peer.authority.is_some());
        place.filter(|_| way.target == Target::ApiServer).map_or_else(|| "-".to_owned(), |place| place.to_string())
    };
    ways.iter().enumerate().flat_map(|(number, way)| [number.to_string(), way.url.clone(), authority(way)]).collect()
}

/// The variables of the script: how long each connection is waited for, in seconds, and the authorities by the place of their peers.
pub(super) fn environment(peers: &[Peer<'_>], seconds: u64) -> BTreeMap<String, String> {
    let authority = |(place, peer): (usize, &Peer<'_>)| Some((format!("AUTHORITY_{place}"), peer.authority?.to_owned()));
    let limit = ("LIMIT".to_owned(), seconds.to_string());
    peers.iter().enumerate().filter_map(authority).chain([limit]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::reference;
    use serde_json::json;

    fn peers(text: &serde_json::Value) -> Value {
        let peer = |(name, json): (&String, &serde_json::Value)| {
            let attributes = Value::from_json(&json["cluster"]);
            (name.clone(), Value::from_json(json).with_entries([("cluster", reference(&["cluster"], name, attributes))]))
        };
        Value::object(text.as_object().unwrap().iter().map(peer))
    }

    #[test]
    fn a_gateway_is_asked_for_from_other_networks_alone() {
        let given = peers(&json!({
            "c1": { "cluster": { "server": "https://c1.example", "certificate_authority": "CA 1" }, "network": "n1", "gateway": "10.0.0.1" },
            "c2": { "cluster": { "server": "https://127.0.0.1:1", "peer_server": "https://10.9.0.2:6443/" }, "network": "n1", "gateway": null },
            "c3": { "cluster": { "server": "https://c3" }, "server": "https://other:6443/k8s", "network": "n2", "gateway": "fd00::3" },
        }));
        let peers: Vec<_> = given.entries().iter().map(|entry| Peer::of(entry).unwrap()).collect();
        let told = |from: Option<usize>| {
            let ways = ways(from.map(|at| &peers[at]), &peers, 15443);
            ways.iter().map(|way| format!("{} {} {}", way.to, way.address, way.url)).collect::<Vec<_>>()
        };
        let second = "c2 https://10.9.0.2:6443 https://10.9.0.2:6443/readyz";
        let third = ["c3 https://other:6443/k8s https://other:6443/k8s/readyz", "c3 [fd00::3]:15443 https://[fd00::3]:15443/"];
        assert_eq!(told(Some(0)), [second, third[0], third[1]]);
        let first = ["c1 https://c1.example https://c1.example/readyz", "c1 10.0.0.1:15443 https://10.0.0.1:15443/"];
        assert_eq!(told(Some(1)), [first[0], third[0], third[1]]);
        assert_eq!(told(Some(2)), [first[0], first[1], second]);
        assert_eq!(told(None), [first[0], first[1], second, third[0], third[1]]);
        let from_third = ways(Some(&peers[2]), &peers, 15443);
        let words = arguments(&from_third, &peers);
        assert_eq!(words.chunks(3).map(|words| format!("{} {}", words[0], words[2])).collect::<Vec<_>>(), ["0 0", "1 -", "2 -"]);
        let expected = [("AUTHORITY_0", "CA 1"), ("LIMIT", "5")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(environment(&peers, 5), BTreeMap::from(expected));
    }

    #[test]
    fn clusters_of_one_network_have_no_gateways_between_them() {
        let given = peers(&json!({
            "c1": { "cluster": {}, "gateway": "10.0.0.1" },
            "c2": { "cluster": { "server": "https://c2" }, "gateway": "10.0.0.2" },
        }));
        let peers: Vec<_> = given.entries().iter().map(|entry| Peer::of(entry).unwrap()).collect();
        let to = |from| ways(from, &peers, 15443).into_iter().map(|way| (way.to, way.target)).collect::<Vec<_>>();
        assert_eq!(to(Some(&peers[0])), [("c2".to_owned(), Target::ApiServer)]);
        assert_eq!(to(Some(&peers[1])), []);
        assert_eq!(to(None), [("c2".to_owned(), Target::ApiServer)]);
    }
}
