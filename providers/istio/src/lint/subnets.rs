//! Addresses of pods that clusters of one network have in common.

use crate::arguments::{address, through};
use engine::value::Value;
use std::net::IpAddr;

/// What kind gives the pods of a cluster that says nothing of it (`kind.x-k8s.io/v1alpha4`, `networking.podSubnet`).
const OF_KIND: &str = "10.244.0.0/16";

/// The subnets of the pods of a control plane's cluster, as far as they are known: those of clusters that kind makes.
pub(super) fn of(arguments: &Value) -> Vec<String> {
    if address(arguments, &["cluster"]).is_none_or(|cluster| &*cluster.kind != "kind_cluster") {
        return Vec::new();
    }
    let given = through(arguments, &["cluster", "networking"]);
    if given.is_some_and(|given| !given.is_known()) {
        return Vec::new();
    }
    let networking = |name: &str| given.and_then(|given| given.present(name));
    match networking("pod_subnet") {
        // Of two families each has one.
        Some(given) => given.as_str().into_iter().flat_map(|given| given.split(',')).map(|subnet| subnet.trim().to_owned()).collect(),
        None if networking("ip_family").is_none_or(|family| family.as_str() == Some("ipv4")) => vec![OF_KIND.to_owned()],
        None => Vec::new(),
    }
}

/// Whether two subnets have addresses in common. What is none has not.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let (Some((one, one_length)), Some((other, other_length))) = (parsed(one), parsed(other)) else { return false };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    };
    let differing = (bits(one) ^ bits(other)).leading_zeros();
    one.is_ipv4() == other.is_ipv4() && differing >= one_length.min(other_length)
}

fn parsed(subnet: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = subnet.split_once('/')?;
    let (address, length): (IpAddr, u32) = (address.parse().ok()?, length.parse().ok()?);
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_overlap_where_one_is_within_the_other() {
        for (one, other, expected) in [
            ("10.244.0.0/16", "10.244.0.0/16", true),
            ("10.244.0.0/16", "10.245.0.0/16", false),
            ("10.0.0.0/8", "10.245.0.0/16", true),
            ("10.245.128.0/17", "10.245.0.0/17", false),
            ("0.0.0.0/0", "192.168.0.0/24", true),
            ("fd00:10:244::/56", "fd00:10:244:1::/64", true),
            ("fd00:10:244::/56", "fd00:10:245::/56", false),
            ("::/0", "10.0.0.0/8", false),
            ("10.0.0.0/33", "10.0.0.0/8", false),
            ("10.0.0.0", "10.0.0.0/8", false),
        ] {
            assert_eq!((overlap(one, other), overlap(other, one)), (expected, expected), "{one} {other}");
        }
    }
}
