//! What is wrong with `networking`.

use super::{invalid, is_within};
use engine::schema::Problem;
use engine::value::Value;
use ipnet::IpNet;
use std::net::IpAddr;

pub(super) fn problems(arguments: &Value) -> Vec<Problem> {
    let Some(networking) = arguments.present("networking") else { return Vec::new() };
    let mut whys: Vec<String> = Vec::new();
    for (name, allowed) in
        [("ip_family", &["ipv4", "ipv6", "dual"][..]), ("kube_proxy_mode", &["iptables", "ipvs", "nftables", "none"][..])]
    {
        if let Some(text) = networking.text(name).filter(|text| !allowed.contains(text)) {
            let allowed: Vec<_> = allowed.iter().map(|word| format!("`{word}`")).collect();
            whys.push(format!("`{name}` is `{text}`, which is none of {}", allowed.join(", ")));
        }
    }
    if !is_within(networking.get("api_server_port"), -1..=65_535) {
        whys.push("`api_server_port` is a whole number from -1 to 65535".to_owned());
    }
    whys.extend(api_address(networking));
    for name in ["pod_subnet", "service_subnet"] {
        whys.extend(networking.text(name).and_then(|text| subnet(name, text, networking)));
    }
    whys.extend(overlap(networking));
    whys.iter().map(|why| invalid("networking", why)).collect()
}

fn api_address(networking: &Value) -> Option<String> {
    let text = networking.text("api_server_address")?;
    let Ok(address) = text.parse::<IpAddr>() else {
        return Some(format!("`api_server_address` is an IP address of the host, and not `{text}`"));
    };
    let expected = networking.text("ip_family");
    let is_other = matches!((expected, address), (Some("ipv6"), IpAddr::V4(_)));
    is_other.then(|| format!("`api_server_address` is `{text}`, an address of IPv4, and `ip_family` is `ipv6`"))
}

/// What is wrong with the subnets of pods or Services: one, or for both families one of each, with a comma between.
fn subnet(name: &str, text: &str, networking: &Value) -> Option<String> {
    let mut nets = Vec::new();
    for part in text.split(',') {
        match part.parse::<IpNet>() {
            Ok(net) => nets.push(net),
            Err(_) => return Some(format!("`{name}`: `{part}` is no CIDR such as `10.244.0.0/16`")),
        }
    }
    let is_open = networking.get("ip_family").is_some_and(|family| !family.is_known());
    let family = networking.text("ip_family").unwrap_or("ipv4");
    let is_six = |net: &IpNet| matches!(net, IpNet::V6(_));
    match (family, nets.as_slice()) {
        _ if is_open => None,
        ("dual", [one, other]) if is_six(one) == is_six(other) => Some(format!("`{name}`: `{text}` has two subnets of one family")),
        ("dual", [_] | [_, _]) => None,
        ("dual", _) => Some(format!("`{name}`: `{text}` has more than one subnet of a family")),
        (_, [_, _, ..]) => Some(format!("`{name}`: `{text}` has several subnets, and `ip_family` is not `dual`")),
        ("ipv4", [net]) if is_six(net) => Some(format!("`{name}`: `{text}` is of IPv6, and `ip_family` is `ipv4`")),
        ("ipv6", [net]) if !is_six(net) => Some(format!("`{name}`: `{text}` is of IPv4, and `ip_family` is `ipv6`")),
        _ => None,
    }
}

/// Addresses that pods and Services would share.
fn overlap(networking: &Value) -> Option<String> {
    let nets = |name: &str| -> Vec<IpNet> {
        let text = networking.text(name).unwrap_or_default();
        text.split(',').filter_map(|part| part.parse().ok()).collect()
    };
    let (pods, services) = (nets("pod_subnet"), nets("service_subnet"));
    let overlapping = pods.iter().find_map(|pod| {
        let other = services.iter().find(|service| pod.contains(&service.network()) || service.contains(&pod.network()))?;
        Some((*pod, *other))
    });
    overlapping.map(|(pod, service)| format!("`pod_subnet` `{pod}` and `service_subnet` `{service}` overlap"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::json;

    #[test]
    fn networking_is_what_kind_takes() {
        for (networking, expected) in [
            (json!({}), None),
            (json!({ "ip_family": "dual", "pod_subnet": "10.1.0.0/16,fd00:1::/56", "service_subnet": "10.2.0.0/16" }), None),
            (json!({ "ip_family": "ipv6", "api_server_address": "::1", "pod_subnet": "fd00:1::/56" }), None),
            (json!({ "ip_family": "IPv4" }), Some("none of `ipv4`, `ipv6`, `dual`")),
            (json!({ "kube_proxy_mode": "ebpf" }), Some("none of `iptables`, `ipvs`, `nftables`, `none`")),
            (json!({ "api_server_port": 65_536 }), Some("from -1 to 65535")),
            (json!({ "api_server_port": -1 }), None),
            (json!({ "api_server_address": "localhost" }), Some("an IP address of the host, and not `localhost`")),
            (json!({ "ip_family": "ipv6", "api_server_address": "10.2.1.40" }), Some("an address of IPv4")),
            (json!({ "pod_subnet": "10.1.0.0" }), Some("`10.1.0.0` is no CIDR")),
            (json!({ "pod_subnet": "10.1.0.0/16,10.3.0.0/16" }), Some("`ip_family` is not `dual`")),
            (json!({ "ip_family": "dual", "pod_subnet": "10.1.0.0/16,10.3.0.0/16" }), Some("two subnets of one family")),
            (json!({ "ip_family": "dual", "pod_subnet": "10.1.0.0/16,fd00::/56,fd01::/56" }), Some("more than one subnet")),
            (json!({ "service_subnet": "fd00::/112" }), Some("is of IPv6, and `ip_family` is `ipv4`")),
            (json!({ "ip_family": "ipv6", "service_subnet": "10.0.0.0/16" }), Some("is of IPv4, and `ip_family` is `ipv6`")),
            (
                json!({ "pod_subnet": "10.0.0.0/8", "service_subnet": "10.96.0.0/16" }),
                Some("`10.0.0.0/8` and `service_subnet` `10.96.0.0/16` overlap"),
            ),
        ] {
            let found = problems(&Value::from_json(&json!({ "networking": networking })));
            match expected {
                None => assert!(found.is_empty(), "{networking}: {found:?}"),
                Some(words) => assert!(found.len() == 1 && found[0].detail.contains(words), "{networking}: {found:?}"),
            }
        }
        let open = Value::object([("pod_subnet", Value::string("fd00::/56")), ("ip_family", Value::unknown(Type::String))]);
        assert!(problems(&Value::object([("networking", open)])).is_empty());
    }
}
