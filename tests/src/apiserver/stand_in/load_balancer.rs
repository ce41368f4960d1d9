//! Gives Services of type `LoadBalancer` an address, as `MetalLB` does: from its `IPAddressPool`s, whose status then counts, or from the pool of
//! the test.

use super::{Cluster, is_terminating, name, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// `MetalLB`'s controller.
const MANAGER: &str = "controller";
const POOLS: &str = "/apis/metallb.io/v1beta1/ipaddresspools";

/// The addresses of a range `a-b`, or of a network `a/n` but for its first and last.
pub(super) fn addresses(range: &str) -> Vec<Ipv4Addr> {
    let address = |text: &str| u32::from(text.trim().parse::<Ipv4Addr>().unwrap_or_else(|error| panic!("`{range}`: {error}")));
    let (first, last) = match (range.split_once('-'), range.split_once('/')) {
        (Some((first, last)), _) => (address(first), address(last)),
        (None, Some((network, bits))) => {
            let size = 1_u32 << (32 - bits.trim().parse::<u32>().unwrap());
            let first = address(network) & !(size - 1);
            if size > 2 { (first + 1, first + size - 2) } else { (first, first + size - 1) }
        }
        (None, None) => (address(range), address(range)),
    };
    (first..=last).map(Ipv4Addr::from).collect()
}

/// Gives an address to every Service that waits for one, and takes it from those that want none any more.
pub(super) fn assign(cluster: &Cluster<'_>, pool: &[Ipv4Addr]) -> Result<(), String> {
    let services = cluster.list("/api/v1/services")?;
    let pools = cluster.list(POOLS)?;
    let of_pools: Vec<_> = pools.iter().flat_map(addresses_of).collect();
    let offered = if pools.is_empty() { pool } else { &of_pools };
    let mut used: BTreeSet<String> = services.iter().filter(|service| wants(service)).map(|service| address(service).to_owned()).collect();
    for service in &services {
        let ingress = match (wants(service), address(service)) {
            (true, "") => {
                let wished = text(service, &["spec", "loadBalancerIP"]);
                let free = offered.iter().map(Ipv4Addr::to_string);
                let free = free.filter(|address| wished.is_empty() || wished == address).find(|address| !used.contains(address));
                let Some(free) = free else { continue };
                used.insert(free.clone());
                json!([{ "ip": free, "ipMode": "VIP" }])
            }
            (true, _) | (false, "") => continue,
            (false, _) => Value::Null,
        };
        let (name, namespace) = name(service);
        let path = format!("/api/v1/namespaces/{namespace}/services/{name}/status");
        cluster.merge(&path, MANAGER, &json!({ "status": { "loadBalancer": { "ingress": ingress } } }))?;
    }
    pools.iter().try_for_each(|pool| count(cluster, pool, &used))
}

/// What the status of a pool says of it.
fn count(cluster: &Cluster<'_>, pool: &Value, used: &BTreeSet<String>) -> Result<(), String> {
    let own = addresses_of(pool);
    let assigned = own.iter().filter(|address| used.contains(&address.to_string())).count();
    let status = json!({ "assignedIPv4": assigned, "assignedIPv6": 0, "availableIPv4": own.len() - assigned, "availableIPv6": 0 });
    if pool["status"] == status {
        return Ok(());
    }
    let (name, namespace) = name(pool);
    let path = format!("/apis/metallb.io/v1beta1/namespaces/{namespace}/ipaddresspools/{name}/status");
    match cluster.merge(&path, MANAGER, &json!({ "status": status })) {
        // Definitions of pools before 0.15 have no status.
        Err(why) if why.starts_with("404") => Ok(()),
        done => done,
    }
}

fn addresses_of(pool: &Value) -> Vec<Ipv4Addr> {
    let ranges = pool["spec"]["addresses"].as_array().into_iter().flatten();
    ranges.filter_map(Value::as_str).filter(|range| !range.contains(':')).flat_map(addresses).collect()
}

fn wants(service: &Value) -> bool {
    service["spec"]["type"] == "LoadBalancer" && service["spec"]["loadBalancerClass"].is_null() && !is_terminating(service)
}

fn address(service: &Value) -> &str {
    service["status"]["loadBalancer"]["ingress"][0]["ip"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_networks_are_read() {
        for (range, first, last, count) in [
            ("198.18.0.0/28", "198.18.0.1", "198.18.0.14", 14),
            ("198.18.0.7/30", "198.18.0.5", "198.18.0.6", 2),
            ("198.18.0.7/32", "198.18.0.7", "198.18.0.7", 1),
            ("198.18.0.250-198.18.1.4", "198.18.0.250", "198.18.1.4", 11),
            ("198.18.0.9", "198.18.0.9", "198.18.0.9", 1),
        ] {
            let all = addresses(range);
            let ends = (all[0].to_string(), all[all.len() - 1].to_string(), all.len());
            assert_eq!(ends, (first.to_owned(), last.to_owned(), count), "{range}");
        }
    }
}
