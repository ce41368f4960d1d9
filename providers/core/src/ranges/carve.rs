//! Which range each name gets: those that have one keep it, the others get the lowest that are free.

use crate::span::Span;
use engine::schema::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// Where an IPv6 network's ranges begin: `::ff:0:0` behind the prefix, far from where addresses are handed out upwards.
const V6_START: u128 = 0xff << 32;
/// The longest prefix of an IPv6 network in which that begins a part with `::ff:ffff:ffff` in it.
const V6_WIDE: u32 = 88;

/// A network, and what of it is not to be carved.
#[derive(Debug, Clone)]
pub(super) struct Network {
    /// Its addresses.
    pub(super) subnet: Span,
    /// The part that whoever runs the network hands out.
    pub(super) handed_out: Option<Span>,
    /// What else is in use.
    pub(super) taken: Vec<Span>,
    /// The prefix length of new ranges, if it is given.
    pub(super) prefix_length: Option<u32>,
}

impl Network {
    /// The range of each name. `earlier` are those that names have already.
    ///
    /// Errors: a range that is kept is not free, or none is left.
    pub(super) fn carve(&self, names: &BTreeSet<String>, earlier: &BTreeMap<String, Span>) -> Result<BTreeMap<String, Span>, Problem> {
        let mut ranges: BTreeMap<String, Span> = BTreeMap::new();
        for (name, span) in earlier.iter().filter(|(name, _)| names.contains(*name)) {
            self.kept(name, *span, &ranges)?;
            ranges.insert(name.clone(), *span);
        }
        let length = self.length()?;
        for name in names.iter().filter(|name| !earlier.contains_key(*name)) {
            let used: Vec<Span> = ranges.values().chain(&self.taken).chain(&self.handed_out).copied().collect();
            let free = self.areas().into_iter().find_map(|area| self.first_free(area, length, &used));
            ranges.insert(name.clone(), free.ok_or_else(|| self.full(name, length, ranges.len()))?);
        }
        Ok(ranges)
    }

    /// An error unless a range that a name has can stay its.
    fn kept(&self, name: &str, span: Span, others: &BTreeMap<String, Span>) -> Result<(), Problem> {
        if !self.subnet.holds(span) {
            let detail = format!("`{name}` has `{span}`, which does not lie in the network `{}`", self.subnet.cidr());
            return Err(Problem::with("subnet", "range outside the network", detail));
        }
        let in_use = |what: String| {
            let detail = format!("`{name}` has `{span}`, and {what}: an address in both would belong to two");
            let help = "Let the other go elsewhere; or take the name out, apply, and put it in again: it then gets a free range.";
            Problem::with("names", "range in use", detail).help(help)
        };
        if let Some(part) = self.handed_out.filter(|part| part.meets(span)) {
            return Err(in_use(format!("`ip_range` hands out `{part}`")));
        }
        if let Some(taken) = self.taken.iter().find(|taken| taken.meets(span)) {
            return Err(in_use(format!("`taken` says that `{taken}` is in use")));
        }
        match others.iter().find(|(_, other)| other.meets(span)) {
            Some((whose, other)) => Err(in_use(format!("`{whose}` has `{other}`"))),
            None => Ok(()),
        }
    }

    fn full(&self, name: &str, length: u32, found: usize) -> Problem {
        let detail = format!("`{}` has no free range of /{length} for `{name}`, with {found} in use", self.subnet.cidr());
        let help = "Give a longer `prefix_length`, a larger network, a smaller `ip_range`, or fewer `names`.";
        Problem::with("names", "no range left", detail).help(help)
    }

    /// Where ranges are looked for, first choice first.
    fn areas(&self) -> Vec<Span> {
        let whole = self.subnet;
        if let Some(part) = self.handed_out {
            let above = (part.last() < whole.last()).then(|| Span::between(whole, part.last() + 1, whole.last()));
            let below = (part.first() > whole.first()).then(|| Span::between(whole, whole.first(), part.first() - 1));
            return above.into_iter().chain(below).collect();
        }
        let upper_half = || Span::between(whole, whole.first() + (whole.last() - whole.first()).div_ceil(2), whole.last());
        vec![match self.subnet.prefix_length() {
            length if whole.is_v6() && length <= V6_WIDE => {
                Span::between(whole, whole.first() + V6_START, whole.first() + V6_START + u128::from(u32::MAX))
            }
            // The engine hands addresses out upwards from the start, so that the last ones are the last to be met.
            length if !whole.is_v6() && length < 20 => Span::between(whole, whole.last() - 0xfff, whole.last()),
            _ => upper_half(),
        }]
    }

    /// The prefix length of new ranges.
    fn length(&self) -> Result<u32, Problem> {
        let widest = self.areas().iter().map(|area| area.prefix_length()).min();
        let (usual, most) = if self.subnet.is_v6() { (112, 128) } else { (24, 32) };
        let Some(given) = self.prefix_length else {
            return Ok(usual.max(widest.unwrap_or(most).saturating_add(3)).min(most - 2));
        };
        let least = widest.unwrap_or(most);
        if (least..=most).contains(&given) {
            return Ok(given);
        }
        let detail = format!("`prefix_length` is {given}; in what `{}` leaves free it is {least} to {most}", self.subnet.cidr());
        Err(Problem::with("prefix_length", "invalid prefix length", detail))
    }

    /// The lowest range of a prefix length in an area that meets nothing in use.
    fn first_free(&self, area: Span, length: u32, used: &[Span]) -> Option<Span> {
        let whole = self.subnet;
        let host = if whole.is_v6() { 128 } else { 32 } - length;
        let size = 1_u128.checked_shl(host)?;
        let aligned = |at: u128| at.checked_next_multiple_of(size);
        let mut at = aligned(area.first())?;
        loop {
            let slot = Span::between(whole, at, at.checked_add(size - 1)?);
            if !area.holds(slot) {
                return None;
            }
            // The first range holds the network's own address and as a rule its gateway, the last one the broadcast address.
            let is_end = !whole.is_v6() && (slot.first() == whole.first() || slot.last() == whole.last());
            let met = used.iter().filter(|used| used.meets(slot)).map(|used| used.last()).max();
            at = match (met, slot.trimmed()) {
                (None, Some(free)) if !is_end => return Some(free),
                (Some(last), _) => aligned(last.checked_add(1)?)?,
                (None, _) => at.checked_add(size)?,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(subnet: &str, handed_out: &str, taken: &str, prefix_length: Option<u32>) -> Network {
        let spans = |text: &str| text.split_whitespace().map(|text| Span::parse(text).unwrap()).collect::<Vec<_>>();
        Network { subnet: Span::network(subnet).unwrap(), handed_out: spans(handed_out).pop(), taken: spans(taken), prefix_length }
    }

    /// What `a=… b=…` becomes, written in the same way.
    fn carved(network: &Network, names: &str, earlier: &str) -> String {
        let names = names.split_whitespace().map(str::to_owned).collect();
        let earlier = earlier.split_whitespace().filter_map(|pair| pair.split_once('='));
        let earlier = earlier.map(|(name, span)| (name.to_owned(), Span::parse(span).unwrap())).collect();
        match network.carve(&names, &earlier) {
            Ok(ranges) => ranges.iter().map(|(name, span)| format!("{name}={span}")).collect::<Vec<_>>().join(" "),
            Err(problem) => format!("{}: {}", problem.summary, problem.detail),
        }
    }

    #[test]
    fn ranges_lie_outside_what_is_handed_out() {
        for (subnet, handed_out, length, expected) in [
            ("172.30.0.0/16", "172.30.0.0/17", None, "a=172.30.128.1-172.30.128.254 b=172.30.129.1-172.30.129.254"),
            ("172.30.0.0/16", "172.30.128.0/17", None, "a=172.30.1.1-172.30.1.254 b=172.30.2.1-172.30.2.254"),
            ("172.18.0.0/16", "", None, "a=172.18.240.1-172.18.240.254 b=172.18.241.1-172.18.241.254"),
            ("172.18.0.0/16", "", Some(26), "a=172.18.240.1-172.18.240.63 b=172.18.240.64-172.18.240.127"),
            ("172.18.0.0/20", "", None, "a=172.18.8.1-172.18.8.254 b=172.18.9.1-172.18.9.254"),
            ("192.168.7.0/24", "", None, "a=192.168.7.128-192.168.7.143 b=192.168.7.144-192.168.7.159"),
            ("192.168.7.0/28", "", None, "a=192.168.7.8-192.168.7.11 b=no"),
            (
                "fc00:f853:ccd:e793::/64",
                "",
                None,
                "a=fc00:f853:ccd:e793:0:ff::-fc00:f853:ccd:e793:0:ff:0:ffff b=fc00:f853:ccd:e793:0:ff:1:0-fc00:f853:ccd:e793:0:ff:1:ffff",
            ),
            ("fd00::/112", "", None, "a=fd00::8000-fd00::8fff b=fd00::9000-fd00::9fff"),
        ] {
            let network = network(subnet, handed_out, "", length);
            let expected = expected.strip_suffix(" b=no").map_or_else(|| (expected, "a b"), |one| (one, "a"));
            assert_eq!(carved(&network, expected.1, ""), expected.0, "{subnet}");
        }
    }

    #[test]
    fn nobody_moves_when_others_come_and_go() {
        let network = network("172.18.0.0/16", "", "", None);
        let at = |number: u8| format!("172.18.{number}.1-172.18.{number}.254");
        let (first, second, third) = (at(240), at(241), at(242));
        let three = format!("a={first} b={second} c={third}");
        assert_eq!(carved(&network, "a b c", ""), three);
        let without_b = format!("a={first} c={third}");
        assert_eq!(carved(&network, "a c", &three), without_b);
        assert_eq!(carved(&network, "a c e d", &without_b), format!("{without_b} d={second} e={}", at(243)));
        // A range that was not carved here stays as it is, and what it holds is free for nobody.
        let own = "x=172.18.240.200-172.18.241.20";
        assert_eq!(carved(&network, "a x", own), format!("a={third} {own}"));
    }

    #[test]
    fn what_is_taken_is_left_out() {
        let taken = network("172.18.0.0/16", "", "172.18.240.9 172.18.241.0-172.18.244.3", None);
        assert_eq!(carved(&taken, "a", ""), "a=172.18.245.1-172.18.245.254");
        // However much of it there is.
        let most = network("fd00::/64", "", "fd00::ff:0:0-fd00::ff:ffff:fffe", Some(128));
        assert_eq!(carved(&most, "a", ""), "a=fd00::ff:ffff:ffff");
    }

    #[test]
    fn the_last_range_is_never_given() {
        let own = network("172.30.0.0/16", "172.30.0.0/17", "", None);
        let names = (0..128).map(|at| format!("c{at:03}")).collect::<Vec<_>>();
        let all = carved(&own, &names[..127].join(" "), "");
        assert!(all.ends_with("c126=172.30.254.1-172.30.254.254"), "{all}");
        let full = "no range left: `172.30.0.0/16` has no free range of /24 for `c127`, with 127 in use";
        assert_eq!(carved(&own, &names.join(" "), ""), full);
    }

    #[test]
    fn ranges_that_cannot_stay_are_told() {
        let row = |subnet: &str, handed_out: &str, taken: &str, length, earlier: &str| {
            carved(&network(subnet, handed_out, taken, length), "a b", earlier)
        };
        let (a, b) = ("a=172.30.128.1-172.30.128.254", "b=172.30.128.250-172.30.129.3");
        for (seen, told) in [
            (
                row("172.31.0.0/16", "", "", None, a),
                "range outside the network: `a` has `172.30.128.1-172.30.128.254`, which does not lie in the network `172.31.0.0/16`",
            ),
            (
                row("172.30.0.0/16", "172.30.128.0/17", "", None, a),
                "range in use: `a` has `172.30.128.1-172.30.128.254`, and `ip_range` hands out `172.30.128.0-172.30.255.255`: an address in both would belong to two",
            ),
            (
                row("172.30.0.0/16", "", "172.30.128.7", None, a),
                "range in use: `a` has `172.30.128.1-172.30.128.254`, and `taken` says that `172.30.128.7` is in use: an address in both would belong to two",
            ),
            (
                row("172.30.0.0/16", "", "", None, &format!("{a} {b}")),
                "range in use: `b` has `172.30.128.250-172.30.129.3`, and `a` has `172.30.128.1-172.30.128.254`: an address in both would belong to two",
            ),
            (
                row("172.30.0.0/16", "", "", Some(19), ""),
                "invalid prefix length: `prefix_length` is 19; in what `172.30.0.0/16` leaves free it is 20 to 32",
            ),
            (
                row("172.30.0.0/16", "172.30.0.0/16", "", None, ""),
                "no range left: `172.30.0.0/16` has no free range of /30 for `a`, with 0 in use",
            ),
        ] {
            assert_eq!(seen, told);
        }
    }
}
