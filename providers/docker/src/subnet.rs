//! Ranges of addresses, as networks are given them.

use engine::schema::Claim;
use std::net::IpAddr;

/// A range such as `172.30.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subnet {
    first: IpAddr,
    prefix: u32,
}

impl Subnet {
    /// Reads a CIDR; the error is a fragment that says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').ok_or_else(|| format!("`{text}` has no prefix length"))?;
        let first: IpAddr = address.parse().map_err(|_| format!("`{address}` is no IP address"))?;
        let prefix: u32 = prefix.parse().map_err(|_| format!("`{prefix}` is no prefix length"))?;
        if prefix > width(first) {
            return Err(format!("`{text}` has a prefix length above {}", width(first)));
        }
        let subnet = Self { first, prefix };
        let (bits, mask) = (bits(first), subnet.mask());
        if bits & mask != bits {
            return Err(format!("`{text}` has bits set after the prefix; the range starts at `{}`", address_of(bits & mask, first)));
        }
        Ok(subnet)
    }

    /// Whether its addresses are those of IPv6.
    pub(crate) fn is_v6(self) -> bool {
        self.first.is_ipv6()
    }

    /// What a network of this range takes.
    pub(crate) fn claim(self) -> Claim {
        Claim::Subnet { first: self.first, prefix_length: u8::try_from(self.prefix).unwrap_or(u8::MAX) }
    }

    /// Whether an address lies in it.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        address.is_ipv6() == self.is_v6() && bits(address) & self.mask() == bits(self.first)
    }

    /// Whether all of another range lies in it.
    pub(crate) fn holds(self, other: Self) -> bool {
        other.prefix >= self.prefix && self.contains(other.first)
    }

    fn mask(self) -> u128 {
        let host = width(self.first) - self.prefix;
        let all = if self.is_v6() { u128::MAX } else { u128::from(u32::MAX) };
        all & u128::MAX.checked_shl(host).unwrap_or(0)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv6() { 128 } else { 32 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn address_of(bits: u128, like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(bits).unwrap_or_default().into()),
        IpAddr::V6(_) => IpAddr::V6(bits.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_or_told_what_is_wrong() {
        for (text, problem) in [
            ("172.30.0.0/16", None),
            ("0.0.0.0/0", None),
            ("10.0.0.1/32", None),
            ("fd00::/64", None),
            ("::/0", None),
            ("172.30.0.0", Some("`172.30.0.0` has no prefix length")),
            ("172.30.0/16", Some("`172.30.0` is no IP address")),
            ("172.30.0.0/x", Some("`x` is no prefix length")),
            ("172.30.0.0/33", Some("`172.30.0.0/33` has a prefix length above 32")),
            ("172.30.0.9/16", Some("`172.30.0.9/16` has bits set after the prefix; the range starts at `172.30.0.0`")),
            ("fd00::1/64", Some("`fd00::1/64` has bits set after the prefix; the range starts at `fd00::`")),
        ] {
            assert_eq!(Subnet::parse(text).err().as_deref(), problem, "{text}");
        }
    }

    #[test]
    fn what_lies_within() {
        let subnet = |text: &str| Subnet::parse(text).expect("a range");
        for (outer, inner, expected) in [
            ("172.30.0.0/16", "172.30.128.0/17", true),
            ("172.30.0.0/16", "172.30.0.0/15", false),
            ("172.30.0.0/16", "172.31.0.0/17", false),
            ("0.0.0.0/0", "fd00::/64", false),
            ("fd00::/8", "fd00::/64", true),
        ] {
            assert_eq!(subnet(outer).holds(subnet(inner)), expected, "{outer} {inner}");
        }
        assert!(subnet("172.30.0.0/16").contains([172, 30, 1, 2].into()) && !subnet("172.30.0.0/16").contains([172, 31, 0, 1].into()));
    }
}
