//! Ranges of IPv4 addresses.

use std::net::Ipv4Addr;

/// A range of addresses, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pool {
    /// The first address.
    pub(crate) first: Ipv4Addr,
    /// The last address.
    pub(crate) last: Ipv4Addr,
}

impl Pool {
    /// Reads `first-last` or a CIDR; of a CIDR every address counts. An error is a fragment.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let address = |text: &str| text.trim().parse::<Ipv4Addr>().map_err(|_| format!("`{}` is no IPv4 address", text.trim()));
        if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (address(first)?, address(last)?);
            return if first <= last { Ok(Self { first, last }) } else { Err(format!("`{first}` comes after `{last}`")) };
        }
        let Some((first, bits)) = text.split_once('/') else {
            return Err(format!("`{text}` is neither `first-last` nor a CIDR such as `198.18.0.0/27`"));
        };
        let bits: u32 =
            bits.trim().parse().ok().filter(|bits| *bits <= 32).ok_or_else(|| format!("`{}` is no prefix length", bits.trim()))?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let first = u32::from(address(first)?) & mask;
        Ok(Self { first: Ipv4Addr::from(first), last: Ipv4Addr::from(first | !mask) })
    }

    /// The pool that a cluster of this name has unless it is given one: 32 addresses of 198.18.0.0/15, which RFC 2544 sets aside for
    /// benchmarks. Names that differ only in a number at their end never share one.
    pub(crate) fn of_name(name: &str) -> Self {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number: u32 =
            name[stem.len()..].chars().filter_map(|c| c.to_digit(10)).fold(0, |sum, digit| sum.wrapping_mul(10).wrapping_add(digit));
        let hash = stem.bytes().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
        let block = hash.wrapping_add(number) % 4096;
        let first = u32::from(Ipv4Addr::new(198, 18, 0, 0)) + block * 32;
        Self { first: Ipv4Addr::from(first), last: Ipv4Addr::from(first + 31) }
    }

    /// Every address of it, in order.
    pub(crate) fn addresses(self) -> impl Iterator<Item = Ipv4Addr> {
        (u32::from(self.first)..=u32::from(self.last)).map(Ipv4Addr::from)
    }
}

impl std::fmt::Display for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_ranges_or_networks() {
        for (text, expected) in [
            ("10.0.0.1-10.0.0.9", Ok("10.0.0.1-10.0.0.9")),
            ("10.0.0.5 - 10.0.0.5", Ok("10.0.0.5-10.0.0.5")),
            ("10.0.0.6/30", Ok("10.0.0.4-10.0.0.7")),
            ("10.0.0.6/32", Ok("10.0.0.6-10.0.0.6")),
            ("10.0.0.9-10.0.0.1", Err("`10.0.0.9` comes after `10.0.0.1`")),
            ("10.0.0/8", Err("`10.0.0` is no IPv4 address")),
            ("10.0.0.0/33", Err("`33` is no prefix length")),
            ("many", Err("`many` is neither `first-last` nor a CIDR such as `198.18.0.0/27`")),
        ] {
            let parsed = Pool::parse(text).map(|pool| pool.to_string());
            assert_eq!(parsed.as_deref().map_err(String::as_str), expected, "{text}");
        }
        assert_eq!(Pool::parse("10.0.0.6/30").map(|pool| pool.addresses().count()), Ok(4));
    }

    #[test]
    fn clusters_that_are_numbered_have_pools_apart() {
        let pools: std::collections::BTreeSet<_> = (0..100).map(|at| Pool::of_name(&format!("cluster{at}")).to_string()).collect();
        assert_eq!(pools.len(), 100);
        assert_eq!(Pool::of_name("east"), Pool::of_name("east"));
        assert_ne!(Pool::of_name("east"), Pool::of_name("west"));
    }
}
