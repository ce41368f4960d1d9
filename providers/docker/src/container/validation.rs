//! What is wrong with the arguments of a container, as far as they alone tell.

use super::files::decoded;
use super::shape;
use crate::naming::{name_problem, on_exists_problem};
use engine::config::seconds;
use engine::schema::Problem;
use engine::value::Value;
use std::net::{IpAddr, SocketAddr};

/// Every problem that the arguments show.
pub(super) fn problems(arguments: &Value) -> Vec<Problem> {
    let each = |name: &'static str, check: fn(&Value) -> Option<String>| {
        let items = arguments.get(name).map(Value::items).unwrap_or_default();
        items.iter().filter_map(check).map(move |why| invalid(name, &why)).collect::<Vec<_>>()
    };
    let mut found: Vec<_> = name_problem(arguments).into_iter().chain(on_exists_problem(arguments)).collect();
    found.extend(each("ports", port));
    found.extend(each("networks", network));
    found.extend(each("mounts", mount));
    found.extend(each("forwards_to", forwarded));
    found.extend(arguments.get("files").map(Value::entries).unwrap_or_default().iter().filter_map(|entry| {
        let why = file(&entry.key, &entry.value)?;
        Some(invalid("files", &why))
    }));
    found.extend(twice(arguments));
    found.extend(texts(arguments));
    found
}

fn invalid(name: &str, why: &str) -> Problem {
    Problem::with(name, "invalid container", format!("`{name}`: {why}"))
}

fn texts(arguments: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    if arguments.text("image") == Some("") {
        found.push(invalid("image", "it names no image"));
    }
    if let Some(policy) = arguments.text("restart").filter(|policy| !is_policy(policy)) {
        let why = format!("`{policy}` is none of `no`, `on-failure`, `on-failure:5`, `unless-stopped`, `always`");
        found.push(invalid("restart", &why));
    }
    if arguments.present("network_mode").is_some() && arguments.get("networks").is_some_and(|networks| !networks.items().is_empty()) {
        found.push(invalid("network_mode", "it stands in place of `networks`, and both are given"));
    }
    let health = arguments.present("health");
    for name in ["interval", "timeout", "start_period"] {
        if let Some(text) = health.and_then(|health| health.text(name)).filter(|text| seconds(text).is_none()) {
            found.push(invalid("health", &format!("`{name}` is a time such as `10s` or `2m`, and not `{text}`")));
        }
    }
    let test = health.and_then(|health| health.get("test")).filter(|test| test.is_known());
    let first = test.map(|test| test.items().first().and_then(Value::as_str).unwrap_or_default());
    if let Some(first) = first.filter(|first| !matches!(*first, "CMD" | "CMD-SHELL" | "NONE")) {
        found.push(invalid("health", &format!("`test` begins with `CMD`, `CMD-SHELL` or `NONE`, and not with `{first}`")));
    }
    found
}

fn is_policy(policy: &str) -> bool {
    let count = |text: &str| text.parse::<u32>().is_ok();
    matches!(policy, "no" | "on-failure" | "unless-stopped" | "always") || policy.strip_prefix("on-failure:").is_some_and(count)
}

fn is_port(value: &Value) -> bool {
    !value.is_known() || value.is_null() || value.as_u64().is_some_and(|port| (1..=65_535).contains(&port))
}

fn port(port: &Value) -> Option<String> {
    for name in ["container_port", "host_port"] {
        if port.get(name).is_some_and(|number| !is_port(number)) {
            return Some(format!("`{name}` is a number from 1 to 65535"));
        }
    }
    if let Some(address) = port.text("host_address").filter(|address| !address.is_empty() && address.parse::<IpAddr>().is_err()) {
        return Some(format!("`host_address` is an IP address, and not `{address}`"));
    }
    let protocol = port.text("protocol").filter(|protocol| !matches!(*protocol, "tcp" | "udp" | "sctp"));
    protocol.map(|protocol| format!("`protocol` is `tcp`, `udp` or `sctp`, and not `{protocol}`"))
}

fn forwarded(socket: &Value) -> Option<String> {
    let text = crate::thing::plain(socket).filter(|text| text.parse::<SocketAddr>().is_err())?;
    Some(format!("`{text}` is no address with a port, such as `10.2.1.39:53` or `[fd00::39]:53`"))
}

/// A place of the host that two ports are published at.
fn twice(arguments: &Value) -> Option<Problem> {
    let mut seen: Vec<(IpAddr, u64, &str)> = Vec::new();
    for port in arguments.get("ports").map(Value::items).unwrap_or_default() {
        let Some(number) = port.get("host_port").and_then(Value::as_u64) else { continue };
        let address = port.text("host_address").filter(|address| !address.is_empty()).unwrap_or("0.0.0.0");
        let Ok(address) = address.parse::<IpAddr>() else { continue };
        let place = (address, number, port.text("protocol").unwrap_or("tcp"));
        let overlaps = |other: &&(IpAddr, u64, &str)| {
            (other.1, other.2) == (place.1, place.2) && (other.0 == address || other.0.is_unspecified() || address.is_unspecified())
        };
        if seen.iter().any(|other| overlaps(&other)) {
            return Some(invalid("ports", &format!("`{address}` port {number}/{} is given twice", place.2)));
        }
        seen.push(place);
    }
    None
}

fn network(network: &Value) -> Option<String> {
    if network.text("network") == Some("") {
        return Some("`network` names no network".to_owned());
    }
    for (name, is_v6) in [("ipv4_address", false), ("ipv6_address", true)] {
        let text = network.text(name).filter(|text| text.parse::<IpAddr>().ok().is_none_or(|address| address.is_ipv6() != is_v6));
        if let Some(text) = text {
            return Some(format!("`{name}` is an address of IPv{}, and not `{text}`", if is_v6 { 6 } else { 4 }));
        }
    }
    None
}

fn mount(mount: &Value) -> Option<String> {
    if let Some(target) = mount.text("target").filter(|target| !target.starts_with('/')) {
        return Some(format!("`target` is a path in the container that starts with `/`, and not `{target}`"));
    }
    let source = mount.get("source").filter(|source| source.is_null() || source.is_known());
    let is_missing = source.is_none_or(|source| source.as_str().unwrap_or_default().is_empty());
    let is_open = mount.get("source").is_some_and(|source| !source.is_known());
    match mount.text("type").unwrap_or("bind") {
        _ if is_open => None,
        "bind" => match mount.text("source") {
            Some(path) if path.starts_with('/') => None,
            Some(path) => Some(format!("`source` of a `bind` is a path of the host that starts with `/`, and not `{path}`")),
            None => Some("a `bind` needs a `source`".to_owned()),
        },
        "volume" if is_missing => Some("a `volume` needs a `source`: its name".to_owned()),
        "tmpfs" if !is_missing => Some("a `tmpfs` has no `source`".to_owned()),
        "volume" | "tmpfs" => None,
        other => Some(format!("`type` is `bind`, `volume` or `tmpfs`, and not `{other}`")),
    }
}

fn file(path: &str, file: &Value) -> Option<String> {
    if !path.starts_with('/') || path.ends_with('/') || path.split('/').any(|part| part == "..") {
        return Some(format!("`{path}` is no path of a file in the container: it starts with `/`, ends with a name, and has no `..`"));
    }
    if !file.is_known() {
        return None;
    }
    let is_given = |name: &str| file.get(name).is_some_and(|value| !value.is_null());
    match (is_given("content"), is_given("content_base64")) {
        (true, true) => return Some(format!("`{path}` has both `content` and `content_base64`")),
        (false, false) => return Some(format!("`{path}` has neither `content` nor `content_base64`")),
        _ => {}
    }
    if file.text("content_base64").is_some_and(|base64| decoded(base64).is_none()) {
        return Some(format!("`content_base64` of `{path}` is no base64"));
    }
    let mode = file.text("mode").filter(|mode| shape::mode(mode).is_none());
    mode.map(|mode| format!("`mode` of `{path}` is of three or four octal digits, such as `0644`, and not `{mode}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::json;

    #[test]
    fn arguments_are_checked_before_anything_is_asked() {
        for (arguments, words) in [
            (json!({ "ports": [{ "container_port": 53, "host_port": 53, "host_address": "10.0.0.1", "protocol": "udp" }] }), None),
            (json!({ "ports": [{ "container_port": 0 }] }), Some("`container_port` is a number")),
            (json!({ "ports": [{ "container_port": 1, "host_port": 65536 }] }), Some("`host_port` is a number")),
            (json!({ "ports": [{ "container_port": 1, "host_address": "host" }] }), Some("`host_address` is an IP address")),
            (json!({ "ports": [{ "container_port": 1, "protocol": "icmp" }] }), Some("and not `icmp`")),
            (
                json!({ "ports": [{ "container_port": 1, "host_port": 9 }, { "container_port": 2, "host_port": 9, "host_address": "10.0.0.1" }] }),
                Some("given twice"),
            ),
            (
                json!({ "ports": [{ "container_port": 1, "host_port": 9 }, { "container_port": 2, "host_port": 9, "protocol": "udp" }] }),
                None,
            ),
            (json!({ "networks": [{ "network": "" }] }), Some("names no network")),
            (json!({ "networks": [{ "network": "n", "ipv4_address": "fd00::1" }] }), Some("is an address of IPv4")),
            (json!({ "networks": [{ "network": "n", "ipv6_address": "x" }] }), Some("is an address of IPv6")),
            (json!({ "networks": [{ "network": "n" }], "network_mode": "host" }), Some("both are given")),
            (json!({ "networks": [], "network_mode": "host" }), None),
            (json!({ "mounts": [{ "target": "b", "source": "/a" }] }), Some("starts with `/`, and not `b`")),
            (json!({ "mounts": [{ "target": "/b", "source": "a" }] }), Some("and not `a`")),
            (json!({ "mounts": [{ "target": "/b" }] }), Some("a `bind` needs a `source`")),
            (json!({ "mounts": [{ "target": "/b", "type": "volume" }] }), Some("a `volume` needs a `source`")),
            (json!({ "mounts": [{ "target": "/b", "type": "tmpfs", "source": "/a" }] }), Some("has no `source`")),
            (json!({ "mounts": [{ "target": "/b", "type": "disk", "source": "/a" }] }), Some("and not `disk`")),
            (json!({ "mounts": [{ "target": "/b", "type": "tmpfs", "source": null }] }), None),
            (json!({ "files": { "a": { "content": "" } } }), Some("no path of a file")),
            (json!({ "files": { "/a/../b": { "content": "" } } }), Some("no path of a file")),
            (json!({ "files": { "/a": {} } }), Some("neither")),
            (json!({ "files": { "/a": { "content": "", "content_base64": "" } } }), Some("both")),
            (json!({ "files": { "/a": { "content_base64": "?" } } }), Some("no base64")),
            (json!({ "files": { "/a": { "content": "", "mode": "9" } } }), Some("octal digits")),
            (json!({ "restart": "sometimes" }), Some("`sometimes` is none of")),
            (json!({ "restart": "on-failure:3" }), None),
            (json!({ "health": { "test": ["curl"] } }), Some("begins with `CMD`")),
            (json!({ "health": { "test": ["CMD", "true"], "interval": "soon" } }), Some("`interval` is a time")),
            (json!({ "image": "" }), Some("names no image")),
            (json!({ "name": "?" }), Some("no name of a Docker Engine")),
            (json!({ "on_exists": "?" }), Some("either `error` or `adopt`")),
        ] {
            let found = problems(&Value::from_json(&arguments));
            match words {
                None => assert!(found.is_empty(), "{arguments}: {found:?}"),
                Some(words) => assert!(found.len() == 1 && found[0].detail.contains(words), "{arguments}: {found:?}"),
            }
        }
        let open = || Value::unknown(Type::String);
        let mounts = Value::tuple(vec![Value::object([("target", open()), ("source", open())])]);
        let files = Value::object([("/a", Value::object([("content", open()), ("mode", open())]))]);
        assert!(problems(&Value::object([("mounts", mounts), ("files", files), ("image", open())])).is_empty());
    }
}
