//! What is wrong with `nodes`.

use super::{invalid, is_within};
use crate::naming::{self, API_PORT, CONTROL_PLANE, WORKER};
use crate::node::is_every;
use engine::schema::Problem;
use engine::value::Value;
use serde_json::Value as Json;
use std::net::IpAddr;

pub(super) fn problems(arguments: &Value) -> Vec<Problem> {
    let Some(nodes) = arguments.present("nodes").filter(|nodes| !matches!(nodes.data(), engine::value::Data::Unknown(..))) else {
        return Vec::new();
    };
    let mut whys: Vec<String> = Vec::new();
    let is_open = nodes.items().iter().any(|node| naming::role(node).is_none());
    if !is_open && !nodes.items().iter().any(|node| naming::role(node) == Some(CONTROL_PLANE)) {
        whys.push("no node is a `control-plane`".to_owned());
    }
    for (at, node) in nodes.items().iter().enumerate() {
        whys.extend(self::node(node).into_iter().map(|why| format!("node {at}: {why}")));
    }
    whys.extend(twice(arguments, nodes));
    whys.iter().map(|why| invalid("nodes", why)).collect()
}

fn node(node: &Value) -> Vec<String> {
    let mut whys = Vec::new();
    if let Some(role) = node.text("role").filter(|role| ![CONTROL_PLANE, WORKER].contains(role)) {
        let near = engine::diagnostic::did_you_mean(role, [CONTROL_PLANE, WORKER]).map(|near| format!("; did you mean `{near}`?"));
        whys.push(format!("`role` is `{CONTROL_PLANE}` or `{WORKER}`, and not `{role}`{}", near.unwrap_or_default()));
    }
    if node.text("image") == Some("") {
        whys.push("`image` names no image".to_owned());
    }
    let items = |name: &str| node.get(name).map(Value::items).unwrap_or_default();
    whys.extend(
        node.get("labels").map(Value::entries).unwrap_or_default().iter().filter_map(|label| self::label(&label.key, label.value.as_str())),
    );
    whys.extend(items("extra_mounts").iter().filter_map(mount));
    whys.extend(items("extra_port_mappings").iter().filter_map(port));
    let targets: Vec<&str> = items("extra_mounts").iter().filter_map(|mount| mount.text("container_path")).collect();
    if let Some(twice) = targets.iter().enumerate().find_map(|(at, target)| targets[..at].contains(target).then_some(target)) {
        whys.push(format!("`extra_mounts` has the `container_path` `{twice}` twice"));
    }
    whys
}

fn mount(mount: &Value) -> Option<String> {
    if mount.text("host_path") == Some("") {
        return Some("`host_path` names nothing".to_owned());
    }
    let with_colon = ["host_path", "container_path"].into_iter().find(|name| mount.text(name).is_some_and(|path| path.contains(':')));
    if let Some(name) = with_colon {
        return Some(format!("`{name}` holds a `:`, which docker cannot tell from what stands between the two paths"));
    }
    if let Some(path) = mount.text("container_path").filter(|path| !path.starts_with('/') || *path == "/") {
        return Some(format!("`container_path` is a path in the node that starts with `/`, and not `{path}`"));
    }
    let propagation = mount.text("propagation").filter(|word| !["None", "HostToContainer", "Bidirectional"].contains(word));
    propagation.map(|word| format!("`propagation` is `None`, `HostToContainer` or `Bidirectional`, and not `{word}`"))
}

fn port(port: &Value) -> Option<String> {
    if !is_within(port.get("container_port"), 1..=65_535) {
        return Some("`container_port` is a whole number from 1 to 65535".to_owned());
    }
    if !is_within(port.get("host_port"), -1..=65_535) {
        return Some("`host_port` is a whole number from -1 to 65535".to_owned());
    }
    if let Some(address) = port.text("listen_address").filter(|address| !address.is_empty() && address.parse::<IpAddr>().is_err()) {
        return Some(format!("`listen_address` is an IP address, and not `{address}`"));
    }
    let protocol = port.text("protocol").filter(|protocol| !["TCP", "UDP", "SCTP"].contains(protocol));
    protocol.map(|protocol| format!("`protocol` is `TCP`, `UDP` or `SCTP`, and not `{protocol}`"))
}

/// What is wrong with a label of a node, as Kubernetes has it. Kubelets may not set those of `kubernetes.io`, save some, for themselves.
fn label(key: &str, value: Option<&str>) -> Option<String> {
    let is_word = |text: &str| {
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let within = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        text.len() <= 63 && text.bytes().all(within) && ends(text.as_bytes().first()) && ends(text.as_bytes().last())
    };
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_domain = |prefix: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        prefix.len() <= 253 && prefix.split('.').all(|part| !part.is_empty() && part.bytes().all(fits) && is_word(part))
    };
    if !is_word(name) || !prefix.is_none_or(is_domain) {
        return Some(format!("`labels`: `{key}` is no name of a label, such as `topology.kubernetes.io/zone`"));
    }
    let value = value.filter(|value| !value.is_empty() && !is_word(value))?;
    Some(format!("`labels`: `{value}` of `{key}` is no value of a label: at most 63 letters, digits, `-`, `_` and `.`"))
}

/// A place of the host that two ports would be published at, of one node or of two, or of a node and the API server.
fn twice(arguments: &Value, nodes: &Value) -> Option<String> {
    let mut seen: Vec<(String, i64, String)> = Vec::new();
    let published = nodes.items().iter().flat_map(|node| node.get("extra_port_mappings").map(Value::items).unwrap_or_default());
    let text = |port: &Value, name: &str, usual: &str| match port.get(name) {
        Some(value) if !value.is_known() => None,
        value => Some(value.and_then(Value::as_str).unwrap_or(usual).to_owned()),
    };
    let mut places: Vec<(String, i64, String)> = published
        .filter_map(|port| Some((text(port, "listen_address", "")?, number(port.get("host_port")), text(port, "protocol", "TCP")?)))
        .collect();
    if let Some(networking) = arguments.present("networking")
        && networking.get("api_server_address").is_none_or(Value::is_known)
    {
        let usual = naming::usual_address(networking.text("ip_family"));
        let address = networking.text("api_server_address").unwrap_or(usual).to_owned();
        places.push((address, number(networking.get("api_server_port")), "TCP".to_owned()));
    }
    for place in places.into_iter().filter(|place| place.1 > 0) {
        let is_same = |one: &str, other: &str| one == other || is_every(one) || is_every(other);
        let overlaps = |other: &&(String, i64, String)| (other.1, &other.2) == (place.1, &place.2) && is_same(&other.0, &place.0);
        if seen.iter().any(|other| overlaps(&other)) {
            let address = if is_every(&place.0) { "every address".to_owned() } else { format!("`{}`", place.0) };
            let what = if place.1.unsigned_abs() == API_PORT { ", which may be the API server's" } else { "" };
            return Some(format!("port {}/{} of {address} is published twice{what}", place.1, place.2));
        }
        seen.push(place);
    }
    None
}

fn number(port: Option<&Value>) -> i64 {
    port.and_then(|port| port.to_json().ok()).as_ref().and_then(Json::as_i64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::json;

    fn check(arguments: &Value, expected: Option<&str>) {
        let found = problems(arguments);
        match expected {
            None => assert!(found.is_empty(), "{arguments:?}: {found:?}"),
            Some(words) => assert!(found.len() == 1 && found[0].detail.contains(words), "{arguments:?}: {found:?}"),
        }
    }

    #[test]
    fn nodes_are_what_kind_takes() {
        let mount = |mount: Json| json!([{ "extra_mounts": [mount] }]);
        for (nodes, expected) in [
            (json!(null), None),
            (json!([{}]), None),
            (json!([{ "role": "control-plane" }, { "role": "worker" }]), None),
            (json!([]), Some("no node is a `control-plane`")),
            (json!([{ "role": "worker" }]), Some("no node is a `control-plane`")),
            (
                json!([{}, { "role": "workr" }]),
                Some("node 1: `role` is `control-plane` or `worker`, and not `workr`; did you mean `worker`?"),
            ),
            (json!([{ "image": "" }]), Some("`image` names no image")),
            (json!([{ "labels": { "topology.kubernetes.io/zone": "a", "x": "" } }]), None),
            (json!([{ "labels": { "a b": "1" } }]), Some("`a b` is no name of a label")),
            (json!([{ "labels": { "Example.io/x": "1" } }]), Some("`Example.io/x` is no name")),
            (json!([{ "labels": { "zone": "a/b" } }]), Some("`a/b` of `zone` is no value")),
            (mount(json!({ "host_path": "./a", "container_path": "/b" })), None),
            (mount(json!({ "host_path": "", "container_path": "/b" })), Some("`host_path` names nothing")),
            (mount(json!({ "host_path": "/a:b", "container_path": "/b" })), Some("`host_path` holds a `:`")),
            (mount(json!({ "host_path": "/a", "container_path": "b" })), Some("starts with `/`, and not `b`")),
            (mount(json!({ "host_path": "/a", "container_path": "/" })), Some("and not `/`")),
            (mount(json!({ "host_path": "/a", "container_path": "/b", "propagation": "rshared" })), Some("and not `rshared`")),
            (
                json!([{ "extra_mounts": [{ "host_path": "/a", "container_path": "/b" }, { "host_path": "/c", "container_path": "/b" }] }]),
                Some("the `container_path` `/b` twice"),
            ),
        ] {
            check(&Value::from_json(&json!({ "nodes": nodes })), expected);
        }
        let open = Value::object([("role", Value::unknown(Type::String))]);
        check(&Value::object([("nodes", Value::tuple(vec![open]))]), None);
        check(&Value::object([("nodes", Value::unknown(Type::list(Type::Any)))]), None);
    }

    #[test]
    fn ports_are_published_once() {
        let port = |within: Json, host: Json, address: &str, protocol: Json| json!({ "container_port": within, "host_port": host, "listen_address": address, "protocol": protocol });
        let one = |address: &str| port(json!(80), json!(80), address, json!(null));
        let api = json!({ "api_server_address": "10.2.1.40", "api_server_port": 6443 });
        for (first, second, networking, expected) in [
            (one("10.2.1.40"), one("10.2.1.41"), api.clone(), None),
            (one("10.2.1.40"), one("10.2.1.40"), json!(null), Some("port 80/TCP of `10.2.1.40` is published twice")),
            (one("10.2.1.40"), one("0.0.0.0"), json!(null), Some("port 80/TCP of every address is published twice")),
            (one(""), one("10.2.1.40"), json!(null), Some("port 80/TCP of `10.2.1.40`")),
            (one("10.2.1.40"), port(json!(80), json!(80), "10.2.1.40", json!("UDP")), json!(null), None),
            (port(json!(80), json!(0), "", json!(null)), port(json!(80), json!(-1), "", json!(null)), json!(null), None),
            (one(""), port(json!(6443), json!(6443), "10.2.1.40", json!(null)), api, Some("may be the API server's")),
            (one(""), port(json!(0), json!(1), "", json!(null)), json!(null), Some("`container_port` is a whole number")),
            (one(""), port(json!(1), json!(65_536), "", json!(null)), json!(null), Some("`host_port` is a whole number")),
            (one(""), port(json!(1), json!(1.5), "", json!(null)), json!(null), Some("`host_port` is a whole number")),
            (one(""), port(json!(1), json!(1), "lo", json!(null)), json!(null), Some("`listen_address` is an IP address, and not `lo`")),
            (one(""), port(json!(1), json!(1), "", json!("tcp")), json!(null), Some("and not `tcp`")),
        ] {
            let nodes = json!([{ "extra_port_mappings": [first] }, { "role": "worker", "extra_port_mappings": [second] }]);
            check(&Value::from_json(&json!({ "nodes": nodes, "networking": networking })), expected);
        }
    }
}
