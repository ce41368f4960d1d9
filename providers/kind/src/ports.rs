//! Ports of the host that a description leaves to kind, which chooses them once: it may say later which they are, or leave them to kind again.

use crate::naming;
use crate::node::is_every;
use crate::rendering;
use engine::value::Value;
use serde_json::Value as Json;

/// Whether two descriptions of networking are of the same cluster as it was found.
pub(crate) fn same_networking(desired: &Value, was: &Value, observed: Option<&Value>) -> bool {
    const PORT: &str = "apiServerPort";
    let (mut desired, mut was) = (rendering::networking(desired), rendering::networking(was));
    let wanted = take(&mut desired, PORT);
    let had = take(&mut was, PORT);
    let found = || observed?.text("server")?.rsplit_once(':')?.1.parse().ok();
    desired == was && is_same_port((wanted, had), |port| found() == Some(port))
}

/// Whether two lists of nodes are of the same cluster as it was found.
pub(crate) fn same_nodes(desired: &Value, was: &Value, (name, observed): (Option<&str>, Option<&Value>)) -> bool {
    let (desired, was) = (rendering::described(desired), rendering::described(was));
    let roles = desired.iter().map(|node| node["role"].as_str().unwrap_or_default());
    let names = naming::nodes(name.unwrap_or_default(), roles);
    let containers = observed.and_then(|observed| observed.get("containers")?.to_json().ok()).unwrap_or_default();
    let is_same = |(at, (desired, was)): (usize, (Json, Json))| {
        let ports = names.get(at).and_then(|name| containers.get(name)?.get("ports")?.as_array().cloned()).unwrap_or_default();
        same_node(desired, was, &ports)
    };
    desired.len() == was.len() && desired.into_iter().zip(was).enumerate().all(is_same)
}

fn same_node(mut desired: Json, mut was: Json, ports: &[Json]) -> bool {
    let mappings = |node: &mut Json| node["extraPortMappings"].take().as_array().cloned().unwrap_or_default();
    let (wanted, had) = (mappings(&mut desired), mappings(&mut was));
    let is_same = |(mut wanted, mut had): (Json, Json)| {
        let numbers = (take(&mut wanted, "hostPort"), take(&mut had, "hostPort"));
        wanted == had && is_same_port(numbers, |port| ports.iter().any(|there| is_published(there, &wanted, port)))
    };
    desired == was && wanted.len() == had.len() && wanted.into_iter().zip(had).all(is_same)
}

/// Whether a mapping is at this port of the host.
fn is_published(there: &Json, mapping: &Json, port: i64) -> bool {
    let address = |of: &Json, name: &str| of.get(name).and_then(Json::as_str).filter(|address| !is_every(address)).map(str::to_owned);
    there["host_port"].as_i64() == Some(port)
        && there["container_port"] == mapping["containerPort"]
        && there["protocol"] == mapping["protocol"]
        && address(there, "listen_address") == address(mapping, "listenAddress")
}

/// Whether a port that is wanted is the one that there was: 0 is whichever kind chose, -1 one that the Engine chooses anew at each start.
fn is_same_port((wanted, had): (i64, i64), is_there: impl Fn(i64) -> bool) -> bool {
    match (wanted, had) {
        (0, had) => had >= 0,
        (wanted, 0) => wanted > 0 && is_there(wanted),
        (wanted, had) => wanted == had,
    }
}

/// Takes a number out of an object; 0 if it is not there.
fn take(object: &mut Json, key: &str) -> i64 {
    object.as_object_mut().and_then(|object| object.remove(key)?.as_i64()).unwrap_or_default()
}
