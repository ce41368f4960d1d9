//! `docker_network`: what it takes, and what becomes of it.

mod between;
mod data;
mod effects;

pub use between::MadeWithoutIpv6;
pub(crate) use between::NetworkLint;
pub(crate) use data::NetworkData;
pub(crate) use effects::{create, delete, found_by_name, of_record, taken, update};

use crate::facts::Facts;
use crate::mark;
use crate::naming::{name_problem, on_exists, on_exists_problem};
use crate::planning::Comparable;
use crate::subnet::Subnet;
use crate::thing::{Thing, plain};
use engine::schema::{Attribute, Claim, Problem, Schema};
use engine::value::{Type, Value};
use serde_json::{Map, Value as Json, json};
use std::net::IpAddr;

/// The kind's name.
pub(crate) const NAME: &str = "docker_network";

/// `docker_network`.
pub(crate) struct NetworkKind {
    schema: Schema,
}

impl Default for NetworkKind {
    fn default() -> Self {
        let text = |name, doc| Attribute::optional(name, Type::String, doc).replaces();
        let either = |name, doc| Attribute::optional_computed(name, Type::String, doc).replaces();
        let yes_or_no = |name, doc| Attribute::optional(name, Type::Bool, doc).default(Value::bool(false)).replaces();
        let attributes = vec![
            Attribute::required("name", Type::String, "Name of the network at the Engine.").replaces(),
            text("driver", "Its driver; `bridge` without it.").default(Value::string("bridge")),
            either("subnet", "Its IPv4 addresses, as a CIDR such as `172.30.0.0/16`. Without it the Engine takes one of its pools."),
            text(
                "ip_range",
                "The part of `subnet` that containers get their addresses of; the rest is free for addresses given by hand or by MetalLB.",
            ),
            either("gateway", "The host's address in `subnet`; null where the Engine chooses and does not say."),
            yes_or_no("ipv6", "Whether containers get IPv6 addresses as well."),
            either("ipv6_subnet", "Its IPv6 addresses, as a CIDR. Engines before version 27 have no pool of their own and need it."),
            either("ipv6_gateway", "The host's address in `ipv6_subnet`."),
            yes_or_no("internal", "Whether nothing leads out of the network."),
            yes_or_no("attachable", "Whether containers may join a network of a swarm by hand."),
            Attribute::optional(
                "options",
                Type::map(Type::String),
                "Options of the driver, such as `com.docker.network.driver.mtu`. Others may be there beside them.",
            )
            .replaces(),
            Attribute::optional("labels", Type::map(Type::String), "Labels. Others may be there beside them.").replaces(),
            on_exists(),
            Attribute::computed(
                "id",
                Type::String,
                "The Engine's id. Containers that name the network by it are replaced with the network, and leave it before it goes.",
            ),
            crate::planning::engine_attribute(),
        ];
        let doc = "A network of the Docker Engine. Engines cannot change a network: every change replaces it.";
        let schema = Schema { kind: NAME, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl Comparable for NetworkKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }
}

impl Thing for NetworkKind {
    const NOUN: &'static str = "network";

    fn problems(&self, arguments: &Value) -> Vec<Problem> {
        let family = |(subnet, members): (&str, &[&str]), is_v6| ranges(arguments, subnet, members, is_v6);
        let of_v4 = family(("subnet", &["ip_range", "gateway"]), false);
        let of_v6 = family(("ipv6_subnet", &["ipv6_gateway"]), true);
        name_problem(arguments)
            .into_iter()
            .chain(on_exists_problem(arguments))
            .chain(of_v4)
            .chain(of_v6)
            .chain(without_ipv6(arguments))
            .collect()
    }

    fn claims(&self, arguments: &Value) -> Vec<Claim> {
        // Networks of a swarm have addresses of their own.
        if arguments.text("driver") == Some("overlay") {
            return Vec::new();
        }
        let given = ["subnet", "ipv6_subnet"].into_iter().filter_map(|name| Subnet::parse(plain(arguments.get(name)?)?).ok());
        given.map(Subnet::claim).collect()
    }
}

/// What is wrong with a range and what lies in it.
fn ranges(arguments: &Value, subnet: &str, members: &[&str], is_v6: bool) -> Vec<Problem> {
    let invalid = |name: &str, why: String| Problem::with(name, "invalid address range", format!("`{name}`: {why}"));
    let parsed = match arguments.text(subnet).map(Subnet::parse) {
        None => None,
        Some(Err(why)) => return vec![invalid(subnet, why)],
        Some(Ok(range)) if range.is_v6() != is_v6 => {
            return vec![invalid(subnet, format!("it holds addresses of IPv{}", if range.is_v6() { 6 } else { 4 }))];
        }
        Some(Ok(range)) => Some(range),
    };
    let is_open = arguments.get(subnet).is_some_and(|range| !range.is_known());
    let given = members.iter().filter_map(|name| Some((*name, arguments.text(name)?)));
    let found = given.filter_map(|(name, text)| {
        let within = if name == "ip_range" {
            Subnet::parse(text).map(|range| parsed.map(|outer| outer.holds(range)))
        } else {
            text.parse::<IpAddr>()
                .map(|address| parsed.map(|outer| outer.contains(address)))
                .map_err(|_| format!("`{text}` is no IP address"))
        };
        match within {
            Err(why) => Some(invalid(name, why)),
            Ok(Some(true)) => None,
            Ok(None) if is_open => None,
            Ok(None) => Some(invalid(name, format!("it needs `{subnet}`, which is not given"))),
            Ok(Some(false)) => {
                Some(invalid(name, format!("`{text}` does not lie in `{subnet}`, `{}`", arguments.text(subnet).unwrap_or_default())))
            }
        }
    });
    found.collect()
}

fn without_ipv6(arguments: &Value) -> Option<Problem> {
    let is_off = arguments.get("ipv6").and_then(Value::as_bool) == Some(false);
    let detail = "`ipv6_subnet` gives addresses of IPv6, and `ipv6` is not set: the network would have none";
    let problem = || Problem::with("ipv6_subnet", "invalid address range", detail).help("Set `ipv6 = true`.");
    (is_off && arguments.present("ipv6_subnet").is_some()).then(problem)
}

/// The network as the API has it: of `GET /networks` or of one alone.
fn facts(network: &Json) -> Facts {
    let pools = network.pointer("/IPAM/Config").and_then(Json::as_array).cloned().unwrap_or_default();
    let pool = |is_v6: bool| {
        let is_meant = |pool: &&Json| pool.get("Subnet").and_then(Json::as_str).is_some_and(|subnet| subnet.contains(':') == is_v6);
        pools.iter().find(is_meant).cloned().unwrap_or_default()
    };
    // An empty text is what old engines say of what they do not know. A gateway may come with the prefix length of its subnet.
    let part = |pool: &Json, name: &str| {
        let text = pool.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let address = text.map(|text| if name == "Gateway" { text.split('/').next().unwrap_or(text) } else { text });
        address.map_or(Json::Null, |text| json!(text))
    };
    let (v4, v6) = (pool(false), pool(true));
    let flag = |name: &str| network.get(name).and_then(Json::as_bool).unwrap_or_default();
    let parts = json!({
        "name": network.get("Name"),
        "driver": network.get("Driver"),
        "subnet": part(&v4, "Subnet"),
        "ip_range": part(&v4, "IPRange"),
        "gateway": part(&v4, "Gateway"),
        "ipv6": flag("EnableIPv6"),
        "ipv6_subnet": part(&v6, "Subnet"),
        "ipv6_gateway": part(&v6, "Gateway"),
        "internal": flag("Internal"),
        "attachable": flag("Attachable"),
        "options": network.get("Options").filter(|options| options.is_object()).cloned().unwrap_or_else(|| json!({})),
        "labels": mark::unmarked(network.get("Labels")),
        "id": id(network),
    });
    Facts { id: id(network).to_owned(), parts: parts.as_object().cloned().unwrap_or_default() }
}

fn id(network: &Json) -> &str {
    network.get("Id").and_then(Json::as_str).unwrap_or_default()
}

/// The body of `POST /networks/create`, but for the labels.
fn body(arguments: &Value) -> Map<String, Json> {
    let given = |name: &str| arguments.present(name).and_then(|value| value.to_json().ok());
    let pool = |parts: [(&str, &str); 3]| {
        let pool: Map<String, Json> = parts.into_iter().filter_map(|(key, name)| Some((key.to_owned(), given(name)?))).collect();
        (!pool.is_empty()).then_some(Json::Object(pool))
    };
    let pools = [
        pool([("Subnet", "subnet"), ("IPRange", "ip_range"), ("Gateway", "gateway")]),
        pool([("Subnet", "ipv6_subnet"), ("Gateway", "ipv6_gateway"), ("IPRange", "")]),
    ];
    let pools: Vec<Json> = pools.into_iter().flatten().collect();
    let mut body = Map::new();
    for (key, name) in [
        ("Name", "name"),
        ("Driver", "driver"),
        ("EnableIPv6", "ipv6"),
        ("Internal", "internal"),
        ("Attachable", "attachable"),
        ("Options", "options"),
    ] {
        body.extend(given(name).map(|value| (key.to_owned(), value)));
    }
    if !pools.is_empty() {
        body.insert("IPAM".to_owned(), json!({ "Driver": "default", "Config": pools }));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(given: &Json) -> Value {
        let mut all =
            json!({ "name": "mesh", "driver": "bridge", "ipv6": false, "internal": false, "attachable": false, "on_exists": "error" });
        all.as_object_mut().zip(given.as_object()).map(|(all, given)| all.extend(given.clone())).expect("objects");
        Value::from_json(&all)
    }

    #[test]
    fn arguments_are_checked_before_anything_is_asked() {
        for (given, expected) in [
            (json!({}), None),
            (json!({ "subnet": "172.30.0.0/16", "ip_range": "172.30.0.0/17", "gateway": "172.30.0.1" }), None),
            (json!({ "ipv6": true, "ipv6_subnet": "fd00::/64", "ipv6_gateway": "fd00::1" }), None),
            (json!({ "name": "-x" }), Some("invalid name")),
            (json!({ "name": "x" }), Some("invalid name")),
            (json!({ "on_exists": "take" }), Some("invalid value")),
            (json!({ "subnet": "172.30.0.1/16" }), Some("invalid address range")),
            (json!({ "subnet": "fd00::/64" }), Some("invalid address range")),
            (json!({ "subnet": "172.30.0.0/16", "ip_range": "172.31.0.0/17" }), Some("invalid address range")),
            (json!({ "subnet": "172.30.0.0/16", "gateway": "172.31.0.1" }), Some("invalid address range")),
            (json!({ "subnet": "172.30.0.0/16", "gateway": "me" }), Some("invalid address range")),
            (json!({ "gateway": "172.31.0.1" }), Some("invalid address range")),
            (json!({ "ipv6_subnet": "fd00::/64" }), Some("invalid address range")),
        ] {
            let problems = NetworkKind::default().problems(&arguments(&given));
            assert_eq!(problems.first().map(|problem| problem.summary.as_str()), expected, "{given}: {problems:?}");
        }
        let open = Value::object([("subnet", Value::unknown(Type::String)), ("gateway", Value::string("172.30.0.1"))]);
        assert!(NetworkKind::default().problems(&open).is_empty());
    }

    #[test]
    fn what_is_asked_for_is_what_is_found() {
        let arguments = arguments(&json!({ "subnet": "172.30.0.0/16", "ip_range": "172.30.0.0/17", "options": { "mtu": "1400" },
            "ipv6": true, "ipv6_subnet": "fd00::/64" }));
        let body = body(&arguments);
        let expected = json!({ "Name": "mesh", "Driver": "bridge", "EnableIPv6": true, "Internal": false, "Attachable": false,
            "Options": { "mtu": "1400" }, "IPAM": { "Driver": "default",
                "Config": [{ "Subnet": "172.30.0.0/16", "IPRange": "172.30.0.0/17" }, { "Subnet": "fd00::/64" }] } });
        assert_eq!(Json::Object(body.clone()), expected);
        let mut live = Json::Object(body);
        live["Id"] = json!("n1");
        live["Labels"] = json!({ mark::RECORD: "r", "team": "mesh" });
        live["IPAM"]["Config"][0]["Gateway"] = json!("172.30.0.1");
        live["IPAM"]["Config"][1]["Gateway"] = json!("fd00::1/64");
        let found = Json::Object(facts(&live).parts);
        assert_eq!(
            (&found["gateway"], &found["ipv6_gateway"], &found["labels"]),
            (&json!("172.30.0.1"), &json!("fd00::1"), &json!({ "team": "mesh" }))
        );
        let wanted = arguments.to_json().expect("known");
        for (name, wanted) in wanted.as_object().expect("an object").iter().filter(|(name, _)| *name != "on_exists") {
            assert!(crate::planning::holds(&found[name], wanted), "{name}: {found}");
        }
    }
}
