//! Spans of IP addresses, as pools of load balancers are written.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of one family from a first to a last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    is_v6: bool,
    first: u128,
    last: u128,
}

impl Span {
    /// Reads `first-last`, a CIDR, of which all addresses count and bits behind the prefix do not, or one address. The error is a fragment that
    /// says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let address = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| format!("`{}` is no IP address", text.trim()));
        if text.contains('/') {
            return Self::around(text).map(|(_, network)| network).ok_or_else(|| format!("`{text}` is no CIDR such as `172.30.0.0/16`"));
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (address(first)?, address(last)?);
        if first.is_ipv6() != last.is_ipv6() {
            return Err(format!("`{first}` and `{last}` are of different families"));
        }
        if first > last {
            return Err(format!("`{first}` comes after `{last}`"));
        }
        Ok(Self { is_v6: first.is_ipv6(), first: bits(first), last: bits(last) })
    }

    /// The network that a CIDR means. The error is a fragment that says what is wrong, such as bits behind the prefix.
    pub(crate) fn network(text: &str) -> Result<Self, String> {
        let (address, network) = Self::around(text).ok_or_else(|| format!("`{text}` is no CIDR such as `172.30.0.0/16`"))?;
        if address == network.first {
            return Ok(network);
        }
        Err(format!("`{text}` has bits set after the prefix; the network is `{}`", network.cidr()))
    }

    /// The bits of the address that a CIDR names, and all addresses of its network.
    fn around(text: &str) -> Option<(u128, Self)> {
        let (address, length) = text.trim().split_once('/')?;
        let (address, length): (IpAddr, u32) = (address.parse().ok()?, length.parse().ok()?);
        let host = width(address.is_ipv6()).checked_sub(length)?;
        let rest = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
        let first = bits(address) & !rest;
        Some((bits(address), Self { is_v6: address.is_ipv6(), first, last: first | rest }))
    }

    /// Addresses of the family of `like`, by their bits.
    pub(crate) fn between(like: Self, first: u128, last: u128) -> Self {
        Self { first, last, ..like }
    }

    /// Whether its addresses are those of IPv6.
    pub fn is_v6(self) -> bool {
        self.is_v6
    }

    /// The bits of the first address.
    pub(crate) fn first(self) -> u128 {
        self.first
    }

    /// The bits of the last address.
    pub(crate) fn last(self) -> u128 {
        self.last
    }

    /// Whether both hold an address.
    pub fn meets(self, other: Self) -> bool {
        self.is_v6 == other.is_v6 && self.first <= other.last && other.first <= self.last
    }

    /// Whether it holds all addresses of another.
    pub fn holds(self, other: Self) -> bool {
        self.is_v6 == other.is_v6 && self.first <= other.first && other.last <= self.last
    }

    /// Without addresses at its ends that end in `.0` or `.255`, which old equipment takes for those of networks; nothing if none is left. IPv6
    /// has none of them.
    pub(crate) fn trimmed(self) -> Option<Self> {
        if self.is_v6 {
            return Some(self);
        }
        let is_odd = |bits: u128| matches!(bits & 0xff, 0 | 0xff);
        // Two of them may stand side by side, but no three.
        let inner = |bits: u128, step: fn(u128) -> u128| (0..2).fold(bits, |at, _| if is_odd(at) { step(at) } else { at });
        let (first, last) = (inner(self.first, |at| at + 1), inner(self.last, |at| at.saturating_sub(1)));
        (first <= last && !is_odd(first) && !is_odd(last)).then_some(Self { first, last, ..self })
    }

    /// The prefix length of the smallest network that holds it.
    pub(crate) fn prefix_length(self) -> u32 {
        (self.first ^ self.last).leading_zeros() + width(self.is_v6) - u128::BITS
    }

    /// The smallest network that holds it, as a CIDR.
    pub(crate) fn cidr(self) -> String {
        let host = width(self.is_v6) - self.prefix_length();
        let rest = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
        format!("{}/{}", self.address(self.first & !rest), self.prefix_length())
    }

    fn address(self, bits: u128) -> IpAddr {
        if self.is_v6 { Ipv6Addr::from_bits(bits).into() } else { Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(u32::MAX)).into() }
    }
}

/// `first-last`, or one address.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address(self.first))?;
        if self.first == self.last { Ok(()) } else { write!(f, "-{}", self.address(self.last)) }
    }
}

/// How many bits an address has.
fn width(is_v6: bool) -> u32 {
    if is_v6 { 128 } else { 32 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_or_told_what_is_wrong() {
        for (text, expected) in [
            ("10.0.0.1-10.0.0.9", Ok("10.0.0.1-10.0.0.9")),
            ("10.0.0.5 - 10.0.0.5", Ok("10.0.0.5")),
            ("10.0.0.6/30", Ok("10.0.0.4-10.0.0.7")),
            ("10.0.0.6", Ok("10.0.0.6")),
            ("fd00::1-fd00::f", Ok("fd00::1-fd00::f")),
            ("fd00::/126", Ok("fd00::-fd00::3")),
            ("0.0.0.0/0", Ok("0.0.0.0-255.255.255.255")),
            ("10.0.0.9-10.0.0.1", Err("`10.0.0.9` comes after `10.0.0.1`")),
            ("10.0.0.9-fd00::1", Err("`10.0.0.9` and `fd00::1` are of different families")),
            ("10.0.0-10.0.0.9", Err("`10.0.0` is no IP address")),
            ("10.0.0.0/33", Err("`10.0.0.0/33` is no CIDR such as `172.30.0.0/16`")),
            ("", Err("`` is no IP address")),
        ] {
            let parsed = Span::parse(text).map(|span| span.to_string());
            assert_eq!(parsed.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn spans_meet_and_hold_within_a_family() {
        let span = |text: &str| Span::parse(text).unwrap();
        for (one, other, meets, holds) in [
            ("10.0.0.0/24", "10.0.0.255-10.0.1.1", true, false),
            ("10.0.0.0/24", "10.0.0.7", true, true),
            ("10.0.0.0/24", "10.0.1.0", false, false),
            ("::/0", "10.0.0.1", false, false),
        ] {
            assert_eq!((span(one).meets(span(other)), span(one).holds(span(other))), (meets, holds), "{one} {other}");
        }
    }

    #[test]
    fn ends_in_0_and_255_go_and_networks_are_the_smallest() {
        for (text, trimmed, network) in [
            ("10.0.1.0/24", Some("10.0.1.1-10.0.1.254"), "10.0.1.0/24"),
            ("10.0.1.0/25", Some("10.0.1.1-10.0.1.127"), "10.0.1.0/25"),
            ("10.0.0.255-10.0.1.9", Some("10.0.1.1-10.0.1.9"), "10.0.0.0/23"),
            ("10.0.0.255-10.0.1.0", None, "10.0.0.0/23"),
            ("10.0.0.0", None, "10.0.0.0/32"),
            ("fd00::/112", Some("fd00::-fd00::ffff"), "fd00::/112"),
            ("::/0", Some("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "::/0"),
            ("0.0.0.0/0", Some("0.0.0.1-255.255.255.254"), "0.0.0.0/0"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!(Span::network(network).map(Span::cidr).as_deref(), Ok(network));
            assert_eq!(span.trimmed().map(|span| span.to_string()).as_deref(), trimmed, "{text}");
            assert_eq!(span.cidr(), network, "{text}");
        }
    }
}
