//! What follows from the name of a cluster and its description: names of nodes, and URLs.

use engine::value::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The role of a node that runs the control plane, which is also what a node is that says nothing.
pub(crate) const CONTROL_PLANE: &str = "control-plane";
/// The role of a node that only runs pods.
pub(crate) const WORKER: &str = "worker";
/// The role of what stands before several control planes.
pub(crate) const LOAD_BALANCER: &str = "external-load-balancer";
/// The port of the API server within nodes.
pub(crate) const API_PORT: u64 = 6443;

/// The name of the kubeconfig context, and of its cluster and its user.
pub(crate) fn context(cluster: &str) -> String {
    format!("kind-{cluster}")
}

/// Where the kubeconfig is unless somebody says so: relative to the directory of the configuration.
pub(crate) fn kubeconfig_path(cluster: &str) -> String {
    format!(".meshplan/kind/{cluster}.kubeconfig")
}

/// The name of the first node of a role.
pub(crate) fn first_node(cluster: &str, role: &str) -> String {
    format!("{cluster}-{role}")
}

/// The names of the nodes with these roles, in their order, as kind gives them.
pub(crate) fn nodes<'a>(cluster: &str, roles: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let names = roles.into_iter().map(|role| {
        let count = counts.entry(role).or_default();
        *count += 1;
        let number = if *count == 1 { String::new() } else { count.to_string() };
        format!("{}{number}", first_node(cluster, role))
    });
    names.collect()
}

/// The roles of the nodes of a description; nothing if one of them is not known yet.
pub(crate) fn roles(described: &Value) -> Option<Vec<&str>> {
    let Some(nodes) = described.get("nodes").filter(|nodes| !nodes.is_null()) else { return Some(vec![CONTROL_PLANE]) };
    if nodes.items().is_empty() {
        return None;
    }
    nodes.items().iter().map(role).collect()
}

/// The role of a node; nothing if it is not known yet.
pub(crate) fn role(node: &Value) -> Option<&str> {
    match node.get("role") {
        None => node.is_known().then_some(CONTROL_PLANE),
        Some(role) if role.is_null() => Some(CONTROL_PLANE),
        Some(role) => role.as_str(),
    }
}

/// The name of the container that the API server is reached through from other containers.
pub(crate) fn front(cluster: &str, roles: &[&str]) -> String {
    let several = roles.iter().filter(|role| **role == CONTROL_PLANE).count() > 1;
    first_node(cluster, if several { LOAD_BALANCER } else { CONTROL_PLANE })
}

/// The URL of an API server.
pub(crate) fn url(host: &str, port: u64) -> String {
    if host.contains(':') { format!("https://[{host}]:{port}") } else { format!("https://{host}:{port}") }
}

/// Whether an address leads to the API server from elsewhere too: it is neither the loopback nor every address.
pub(crate) fn leads_from_elsewhere(address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| !address.is_loopback() && !address.is_unspecified())
}

/// The address that the API server is published at unless somebody says so.
pub(crate) fn usual_address(ip_family: Option<&str>) -> &'static str {
    if ip_family == Some("ipv6") { "::1" } else { "127.0.0.1" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nodes_are_counted_by_role() {
        let roles = [CONTROL_PLANE, WORKER, CONTROL_PLANE, WORKER, WORKER];
        assert_eq!(nodes("c.1", roles), ["c.1-control-plane", "c.1-worker", "c.1-control-plane2", "c.1-worker2", "c.1-worker3"]);
        assert_eq!(front("c", &roles), "c-external-load-balancer");
        assert_eq!(front("c", &[CONTROL_PLANE, WORKER]), "c-control-plane");
    }

    #[test]
    fn a_node_is_a_control_plane_unless_it_says_otherwise() {
        for (nodes, expected) in [
            (json!(null), Some(vec![CONTROL_PLANE])),
            (json!([]), None),
            (json!([{}, { "role": "worker" }, { "role": null }]), Some(vec![CONTROL_PLANE, WORKER, CONTROL_PLANE])),
        ] {
            assert_eq!(roles(&Value::from_json(&json!({ "nodes": nodes }))), expected, "{nodes}");
        }
        let open = Value::object([("role", Value::unknown(engine::value::Type::String))]);
        assert_eq!(roles(&Value::object([("nodes", Value::tuple(vec![open]))])), None);
    }

    #[test]
    fn urls_have_their_addresses_as_urls_write_them() {
        assert_eq!(url("10.2.1.40", 6443), "https://10.2.1.40:6443");
        assert_eq!(url("fd00::1", 6443), "https://[fd00::1]:6443");
        for (address, expected) in
            [("10.2.1.40", true), ("127.0.0.1", false), ("0.0.0.0", false), ("::1", false), ("::", false), ("fd00::1", true), ("x", false)]
        {
            assert_eq!(leads_from_elsewhere(address), expected, "{address}");
        }
    }
}
