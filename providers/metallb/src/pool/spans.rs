//! The addresses of a pool: what is wrong with them, and which that Services have it would lose.

use crate::lint::{POOL_HOLDS_AN_ADDRESS_IN_USE, POOLS_SHARE_ADDRESSES};
use core_provider::Span;
use engine::schema::Problem;
use engine::value::Value;
use std::net::IpAddr;

/// The addresses of a pool, as far as they are known and addresses.
pub(crate) fn given(attributes: &Value) -> Vec<Span> {
    texts(attributes, "addresses").filter_map(|text| span(text).ok()).collect()
}

fn texts<'a>(attributes: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    attributes.present(name).map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str)
}

/// The addresses that a text of a pool means. MetalLB takes ranges and CIDRs, and no single address.
fn span(text: &str) -> Result<Span, String> {
    if text.contains(['-', '/']) {
        return Span::parse(text);
    }
    let length = if text.contains(':') { 128 } else { 32 };
    Err(format!("`{text}` is neither a range `first-last` nor a CIDR; one address is `{text}/{length}`"))
}

/// What is wrong with the addresses of one pool.
pub(super) fn problems(arguments: &Value) -> Vec<Problem> {
    let invalid = |name: &str, why: String| Problem::with(name, "invalid address range", format!("`{name}`: {why}"));
    let mut problems: Vec<_> = texts(arguments, "addresses").filter_map(|text| Some(invalid("addresses", span(text).err()?))).collect();
    problems.extend(texts(arguments, "taken").filter_map(|text| Some(invalid("taken", Span::parse(text).err()?))));
    if arguments.get("addresses").is_some_and(|addresses| addresses.is_known() && addresses.items().is_empty()) {
        problems.push(invalid("addresses", "a pool without addresses is refused by MetalLB".to_owned()));
    }
    let own = given(arguments);
    for (at, one) in own.iter().enumerate() {
        if let Some(other) = own.iter().take(at).find(|other| other.meets(*one)) {
            let detail = format!("`{other}` and `{one}` of the same pool share addresses");
            problems.push(POOLS_SHARE_ADDRESSES.broken_by("addresses", detail));
        }
    }
    problems.extend(outside(arguments, &own));
    problems.extend(in_use(arguments, &own));
    problems
}

fn outside(arguments: &Value, own: &[Span]) -> Option<Problem> {
    let text = arguments.text("subnet")?;
    let subnet = match Span::parse(text) {
        Ok(subnet) => subnet,
        Err(why) => return Some(Problem::with("subnet", "invalid address range", format!("`subnet`: {why}"))),
    };
    // A network of two families says the other one elsewhere.
    let stray = own.iter().find(|span| span.is_v6() == subnet.is_v6() && !subnet.holds(**span))?;
    let detail = format!("`{stray}` does not lie in the network `{text}`: nobody there would ask for its addresses");
    Some(
        Problem::with("addresses", "pool outside the network", detail)
            .help("Take a range of the network, such as one of `address_ranges`."),
    )
}

fn in_use(arguments: &Value, own: &[Span]) -> Option<Problem> {
    let taken = texts(arguments, "taken").filter_map(|text| Span::parse(text).ok());
    let (taken, span) = taken.flat_map(|taken| own.iter().map(move |span| (taken, *span))).find(|(taken, span)| taken.meets(*span))?;
    let detail = format!("`{span}` holds `{taken}`, which is in use otherwise: two would answer for one address");
    Some(POOL_HOLDS_AN_ADDRESS_IN_USE.broken_by("addresses", detail))
}

/// The assigned addresses that a pool had and would have no more.
pub(crate) fn lost<'a>(before: &Value, after: &Value, assigned: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (had, has) = (given(before), given(after));
    let holds = |spans: &[Span], address: &str| {
        let address = address.parse::<IpAddr>().ok().and_then(|address| Span::parse(&address.to_string()).ok());
        address.is_some_and(|address| spans.iter().any(|span| span.holds(address)))
    };
    assigned.filter(|address| holds(&had, address) && !holds(&has, address)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::pool;
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_with_addresses_is_told() {
        for (changes, told) in [
            (json!({}), ""),
            (
                json!({ "addresses": ["172.30.128.1"] }),
                "invalid address range: `addresses`: `172.30.128.1` is neither a range `first-last` nor a CIDR; one address is `172.30.128.1/32`",
            ),
            (
                json!({ "addresses": ["172.30.128.9-172.30.128.1"] }),
                "invalid address range: `addresses`: `172.30.128.9` comes after `172.30.128.1`",
            ),
            (json!({ "addresses": [] }), "invalid address range: `addresses`: a pool without addresses is refused by MetalLB"),
            (
                json!({ "addresses": ["10.0.0.0/24", "10.0.0.9-10.0.1.2"] }),
                "pools share addresses: `10.0.0.0-10.0.0.255` and `10.0.0.9-10.0.1.2` of the same pool share addresses",
            ),
            (json!({ "subnet": "172.30.0.0/16" }), ""),
            (
                json!({ "subnet": "172.18.0.0/16" }),
                "pool outside the network: `172.30.128.1-172.30.128.254` does not lie in the network `172.18.0.0/16`: nobody there would ask for its addresses",
            ),
            (json!({ "subnet": "fd00::/64" }), ""),
            (json!({ "subnet": "x" }), "invalid address range: `subnet`: `x` is no IP address"),
            (json!({ "taken": ["172.30.0.1", "fd00::1"] }), ""),
            (
                json!({ "taken": ["172.30.0.1", "172.30.128.7"] }),
                "pool holds an address in use: `172.30.128.1-172.30.128.254` holds `172.30.128.7`, which is in use otherwise: two would answer for one address",
            ),
            (json!({ "taken": ["x"] }), "invalid address range: `taken`: `x` is no IP address"),
        ] {
            let problems = problems(&pool("c1", "0.16.2", &changes));
            let first = problems.first().map(|problem| format!("{}: {}", problem.summary, problem.detail));
            assert_eq!(first.unwrap_or_default(), told, "{changes}");
        }
    }

    #[test]
    fn only_addresses_that_the_pool_had_are_lost() {
        let of = |addresses: serde_json::Value| pool("c1", "0.16.2", &json!({ "addresses": addresses }));
        let before = of(json!(["172.30.128.0/24", "fd00::/112"]));
        let assigned = ["172.30.128.7", "172.30.128.200", "198.18.0.1", "fd00::1", "lb.example"];
        for (after, expected) in [
            (json!(["172.30.128.0/24", "fd00::/112"]), vec![]),
            (json!(["172.30.128.1-172.30.128.199", "fd00::/112"]), vec!["172.30.128.200"]),
            (json!(["172.30.129.0/24"]), vec!["172.30.128.7", "172.30.128.200", "fd00::1"]),
        ] {
            assert_eq!(lost(&before, &of(after.clone()), assigned.into_iter()), expected, "{after}");
        }
    }
}
