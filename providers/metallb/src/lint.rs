//! What is wrong with pools of addresses, and with what announces them, told from everything that is to be.

use crate::pool::given;
use crate::version::{Version, WITH_OBJECTS, is_controller, of_objects};
use core_provider::Span;
use engine::address::Address;
use engine::schema::{Lint, LintInput, LintInstance, Problem, Rule};
use engine::value::Value;
use kubernetes::arguments::{entry, text};
use kubernetes::parse_yaml;
use std::sync::LazyLock;

/// Two pools with an address in both.
pub(crate) static POOLS_SHARE_ADDRESSES: Rule = Rule {
    id: "pools-share-addresses",
    summary: "pools share addresses",
    warning: false,
    finds: "Two pools of one network, of the same cluster or of different ones, have an address in common.",
    why: "Two Services get one address, and the nodes of two clusters answer for it.",
    help: "Give each a range of its own, such as those of `address_ranges`; pools of networks that do not meet have `network` with different names.",
};
/// A pool with an address of something else.
pub(crate) static POOL_HOLDS_AN_ADDRESS_IN_USE: Rule = Rule {
    id: "pool-holds-an-address-in-use",
    summary: "pool holds an address in use",
    warning: false,
    finds: "A pool holds what its `taken` names, an address that a `host_vip` sets, or that of a container or a Docker network's gateway.",
    why: "Two answer for one address, and which of them is reached changes from one moment to the next.",
    help: "Take a range without it.",
};
/// Addresses of others.
pub(crate) static PUBLIC_ADDRESS_POOL: Rule = Rule {
    id: "public-address-pool",
    summary: "pool of public addresses",
    warning: true,
    finds: "A pool has addresses that are not kept free for private networks, documentation or tests (RFC 1918, 6598, 5737, 2544, 4193 and the like).",
    why: "Where they are not the operator's own, whoever owns them cannot be reached from the network any more.",
    help: "Take private addresses, such as a part of 10.0.0.0/8, or silence the rule where the addresses are yours.",
};
/// Pools that nobody reads.
pub(crate) static METALLB_CONFIG_MAP: Rule = Rule {
    id: "metallb-config-map",
    summary: "pools that MetalLB does not read",
    warning: true,
    finds: "The ConfigMap `config` of MetalLB stands beside a MetalLB of 0.13 or newer.",
    why: "From 0.13 on pools are objects of their own, and the ConfigMap counts for nothing: Services wait for an address for good.",
    help: "Use `metallb_pool`, or write an `IPAddressPool` with an `L2Advertisement`.",
};
/// Nodes that answer for every address.
pub(crate) static IPVS_WITHOUT_STRICT_ARP: Rule = Rule {
    id: "ipvs-without-strict-arp",
    summary: "IPVS without strict ARP",
    warning: true,
    finds: "The configuration sets kube-proxy to `mode: ipvs` without `ipvs.strictARP: true`, in a cluster with MetalLB.",
    why: "Every node answers for the addresses of load balancers, also those that MetalLB does not let announce them.",
    help: "Set `ipvs.strictARP` to `true`.",
};

/// The lint of the provider `metallb`.
pub(crate) struct PoolLint;

impl Lint for PoolLint {
    fn rules(&self) -> &'static [&'static Rule] {
        static ALL: &[&Rule] =
            &[&POOLS_SHARE_ADDRESSES, &POOL_HOLDS_AN_ADDRESS_IN_USE, &PUBLIC_ADDRESS_POOL, &METALLB_CONFIG_MAP, &IPVS_WITHOUT_STRICT_ARP];
        ALL
    }

    fn look(&self, input: &LintInput<'_>) -> Vec<(Address, Problem)> {
        let pools: Vec<_> = input.instances.iter().filter_map(Pool::of).collect();
        let mut found = shared(&pools);
        found.extend(in_use(&pools, &addresses(input)));
        found.extend(pools.iter().filter_map(|pool| Some((pool.address.clone(), public(pool)?))));
        found.extend(unread(input));
        found.extend(loose(input));
        found
    }
}

/// A pool, however it is written.
struct Pool<'a> {
    address: &'a Address,
    network: Option<&'a Value>,
    spans: Vec<Span>,
}

impl<'a> Pool<'a> {
    fn of(at: &'a LintInstance<'a>) -> Option<Self> {
        if at.is_managed() && at.kind == crate::pool::NAME {
            let network = at.arguments.get("network").filter(|network| !network.is_null());
            return Some(Self { address: at.address, network, spans: given(at.arguments) });
        }
        // Objects of our own pools say the same again.
        let object = at.written.as_ref().filter(|_| *at.address.kind != *crate::pool::NAME)?;
        let is_pool = object.text("kind") == Some("IPAddressPool") && object.text("apiVersion")?.starts_with("metallb.io/");
        let spec = object.get("spec").filter(|_| is_pool)?;
        Some(Self { address: at.address, network: None, spans: given(spec) })
    }

    /// Whether it is known to be of another network than another one.
    fn is_elsewhere(&self, other: &Self) -> bool {
        let named = |network: Option<&Value>| network.map(Value::to_json);
        named(self.network) != named(other.network)
    }
}

/// Pools of one network with an address in both, each told at the later of the two.
fn shared(pools: &[Pool<'_>]) -> Vec<(Address, Problem)> {
    let mut found = Vec::new();
    for (at, later) in pools.iter().enumerate() {
        for earlier in pools.iter().take(at).filter(|earlier| !earlier.is_elsewhere(later)) {
            let meeting = |a: &Span| Some((*a, *later.spans.iter().find(|b| a.meets(**b))?));
            let Some((a, b)) = earlier.spans.iter().find_map(meeting) else { continue };
            let (first, second) = (earlier.address, later.address);
            let detail = format!(
                "`{first}` has `{a}` and `{second}` has `{b}`: two Services would get one address, and two nodes would answer for it"
            );
            found.push((second.clone(), POOLS_SHARE_ADDRESSES.broken_by("addresses", detail)));
        }
    }
    found
}

/// Addresses that something else of the configuration has, as far as they are known, each with what has it.
fn addresses<'a>(input: &'a LintInput<'a>) -> Vec<(&'a Address, Span)> {
    let mut found = Vec::new();
    for at in input.instances.iter().filter(|at| at.is_managed()) {
        let texts: Vec<&str> = match at.kind {
            "host_vip" => at.arguments.text("address").into_iter().collect(),
            "docker_network" => ["gateway", "ipv6_gateway"].into_iter().filter_map(|name| at.attributes.text(name)).collect(),
            "docker_container" => {
                let networks = at.arguments.get("networks").map(Value::items).unwrap_or_default();
                networks
                    .iter()
                    .flat_map(|network| ["ipv4_address", "ipv6_address"].into_iter().filter_map(|name| network.text(name)))
                    .collect()
            }
            _ => Vec::new(),
        };
        found.extend(texts.into_iter().filter_map(|text| Some((at.address, Span::parse(text).ok()?))));
    }
    found
}

/// Pools with an address of something else. One that names its network is of no concern to the machine's.
fn in_use(pools: &[Pool<'_>], taken: &[(&Address, Span)]) -> Vec<(Address, Problem)> {
    let mut found = Vec::new();
    for pool in pools.iter().filter(|pool| pool.network.is_none()) {
        for (holder, address) in taken {
            if let Some(span) = pool.spans.iter().find(|span| span.meets(*address)) {
                let detail = format!("`{span}` of `{}` holds `{address}`, which is that of `{holder}`", pool.address);
                found.push((pool.address.clone(), POOL_HOLDS_AN_ADDRESS_IN_USE.broken_by("addresses", detail)));
            }
        }
    }
    found
}

/// What the registries keep free for networks of one's own, for documentation and for tests.
static PRIVATE: LazyLock<Vec<Span>> = LazyLock::new(|| {
    let networks = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "198.18.0.0/15",
        "fc00::/7",
        "fe80::/10",
        "2001:db8::/32",
    ];
    networks.into_iter().filter_map(|network| Span::parse(network).ok()).collect()
});

fn public(pool: &Pool<'_>) -> Option<Problem> {
    let span = pool.spans.iter().find(|span| !PRIVATE.iter().any(|private| private.holds(**span)))?;
    let detail = format!("`{}` has `{span}`, which is not of the addresses that are kept free for private networks", pool.address);
    Some(PUBLIC_ADDRESS_POOL.broken_by("addresses", detail))
}

/// The text at a path of an object.
fn words<'a>(object: &'a Value, path: &[&str]) -> Option<&'a str> {
    entry(object, path)?.as_str()
}

/// The namespace of a MetalLB, and its version once that is known.
struct Installed<'a> {
    place: Option<&'a str>,
    namespace: &'a str,
    version: Option<Version>,
}

/// Every MetalLB of the configuration.
fn installed<'a>(input: &'a LintInput<'a>) -> Vec<Installed<'a>> {
    let of = |at: &'a LintInstance<'a>| {
        let place = at.place.as_deref();
        if at.is_managed() && at.kind == "metallb" {
            let namespace = at.attributes.text("namespace").unwrap_or("metallb-system");
            let version = text(at.arguments, &["manifests", "version"]).and_then(Version::of);
            return Some(Installed { place, namespace, version });
        }
        let object = at.written.as_ref().filter(|object| *at.address.kind != *"metallb" && is_controller(object))?;
        let version = of_objects(std::slice::from_ref(object)).as_deref().and_then(Version::of);
        Some(Installed { place, namespace: words(object, &["metadata", "namespace"]).unwrap_or("metallb-system"), version })
    };
    input.instances.iter().filter_map(of).collect()
}

/// What older releases read, beside a newer one.
fn unread(input: &LintInput<'_>) -> Vec<(Address, Problem)> {
    let installed = installed(input);
    let mut found = Vec::new();
    for at in &input.instances {
        let Some(object) = at.written.as_ref().filter(|object| object.text("kind") == Some("ConfigMap")) else { continue };
        let metadata = |name| words(object, &["metadata", name]);
        let here = |of: &&Installed<'_>| {
            of.place == at.place.as_deref()
                && Some(of.namespace) == metadata("namespace")
                && of.version.is_some_and(|version| version >= WITH_OBJECTS)
        };
        if metadata("name") == Some("config") && entry(object, &["data", "config"]).is_some() && installed.iter().any(|of| here(&of)) {
            let namespace = metadata("namespace").unwrap_or_default();
            let detail = format!("`ConfigMap/{namespace}/config` holds pools of MetalLB, and the MetalLB of the cluster is 0.13 or newer");
            found.push((at.address.clone(), METALLB_CONFIG_MAP.broken(detail)));
        }
    }
    found
}

/// What kube-proxy is told in clusters with MetalLB: IPVS, and nowhere strict ARP.
fn loose(input: &LintInput<'_>) -> Vec<(Address, Problem)> {
    let installed = installed(input);
    let told: Vec<_> = input.instances.iter().filter_map(|at| Some((at, proxied(at)?))).collect();
    let strict =
        |values: &Value| entry(values, &["ipvs", "strictARP"]).is_some_and(|strict| !strict.is_known() || strict.as_bool() == Some(true));
    let mut found = Vec::new();
    for (at, values) in &told {
        let has_pools = installed.iter().any(|of| of.place == at.place.as_deref());
        let is_strict = told.iter().any(|(other, values)| other.place == at.place && strict(values));
        if has_pools && !is_strict && values.text("mode") == Some("ipvs") {
            let detail = format!("`{}` sets kube-proxy to `mode: ipvs`, and nothing sets `ipvs.strictARP` to `true`", at.address);
            found.push((at.address.clone(), IPVS_WITHOUT_STRICT_ARP.broken(detail)));
        }
    }
    found
}

/// What an instance sets of kube-proxy's configuration.
fn proxied(at: &LintInstance<'_>) -> Option<Value> {
    if at.kind == "kubernetes_config_patch" {
        return at.arguments.get("values").filter(|_| at.arguments.text("name") == Some("kube-proxy")).cloned();
    }
    let object = at.written.as_ref().filter(|object| object.text("kind") == Some("ConfigMap"))?;
    words(object, &["metadata", "name"]).filter(|name| *name == "kube-proxy")?;
    parse_yaml(words(object, &["data", "config.conf"])?).ok()?.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::tests::pool;
    use serde_json::{Value as Json, json};

    /// A resource of a kind in a cluster: its arguments, and what it writes.
    struct Row(&'static str, &'static str, Value, Option<Json>);

    fn row(kind: &'static str, place: &'static str, arguments: &Json) -> Row {
        Row(kind, place, Value::from_json(arguments), None)
    }

    fn object(place: &'static str, object: Json) -> Row {
        Row("kubernetes_manifest", place, Value::object::<&str>([]), Some(object))
    }

    fn found(rows: &[Row]) -> Vec<String> {
        let addresses: Vec<_> = rows.iter().enumerate().map(|(at, row)| Address::managed(row.0, &format!("r{at}"))).collect();
        let instances = rows.iter().zip(&addresses).map(|(Row(kind, place, arguments, written), address)| LintInstance {
            address,
            kind,
            arguments,
            attributes: arguments,
            written: written.as_ref().map(Value::from_json),
            place: Some((*place).into()),
        });
        let input = LintInput { instances: instances.collect(), complete: true, now: 0 };
        let told = PoolLint.look(&input).into_iter();
        told.map(|(at, problem)| format!("{} {}: {}", problem.rule.unwrap_or_default(), at.name, problem.detail)).collect()
    }

    fn ours(place: &'static str, changes: &Json) -> Row {
        Row("metallb_pool", place, pool(place, "0.16.2", changes), None)
    }

    fn theirs(place: &'static str, addresses: &Json) -> Row {
        object(
            place,
            json!({ "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": { "name": "p" }, "spec": { "addresses": addresses } }),
        )
    }

    #[test]
    fn addresses_are_given_once() {
        let shares = "pools-share-addresses r1: `metallb_pool.r0` has `172.30.128.1-172.30.128.254` and `metallb_pool.r1` has `172.30.128.200`: two Services would get one address, and two nodes would answer for it";
        let same = json!({ "addresses": ["172.30.129.0/24", "172.30.128.200/32"] });
        let elsewhere = json!({ "addresses": ["172.30.128.200/32"], "network": "site-b" });
        assert_eq!(found(&[ours("c1", &json!({})), ours("c2", &json!({ "addresses": ["172.30.129.0/24"] }))]), [""; 0]);
        assert_eq!(found(&[ours("c1", &json!({})), ours("c2", &same)]), [shares]);
        assert_eq!(found(&[ours("c1", &json!({})), ours("c2", &elsewhere)]), [""; 0]);
        let by_hand = found(&[ours("c1", &json!({})), theirs("c2", &json!(["172.30.128.0/30"]))]);
        assert!(by_hand.len() == 1 && by_hand[0].starts_with("pools-share-addresses r1: "), "{by_hand:?}");
    }

    #[test]
    fn what_is_used_otherwise_is_in_no_pool() {
        let vip = || row("host_vip", "m", &json!({ "address": "172.30.128.7" }));
        let container = row("docker_container", "m", &json!({ "networks": [{ "network": "kind", "ipv4_address": "172.30.128.9" }] }));
        let network = row("docker_network", "m", &json!({ "gateway": "172.30.0.1" }));
        let told = found(&[vip(), container, network, ours("c1", &json!({}))]);
        let holds = |address: &str, holder: &str| {
            format!(
                "pool-holds-an-address-in-use r3: `172.30.128.1-172.30.128.254` of `metallb_pool.r3` holds `{address}`, which is that of `{holder}`"
            )
        };
        assert_eq!(told, [holds("172.30.128.7", "host_vip.r0"), holds("172.30.128.9", "docker_container.r1")]);
        assert_eq!(found(&[vip(), ours("c1", &json!({ "network": "other" }))]), [""; 0]);
    }

    #[test]
    fn addresses_of_others_are_told_of() {
        for (addresses, is_public) in [
            (json!(["194.89.64.81/24 - 194.89.64.100/24"]), false),
            (json!(["194.89.64.81-194.89.64.100"]), true),
            (json!(["172.31.255.250-172.32.0.5"]), true),
            (json!(["192.168.1.0/24", "fd00::/120"]), false),
            (json!(["2600::/120"]), true),
        ] {
            let told = found(&[theirs("c1", &addresses)]);
            assert_eq!(told.iter().any(|told| told.starts_with("public-address-pool r0: ")), is_public, "{addresses}");
        }
    }

    #[test]
    fn pools_stand_where_the_version_reads_them() {
        let controller = |place: &'static str, tag: &str| {
            let labels = json!({ "app": "metallb", "component": "controller" });
            let template =
                json!({ "spec": { "containers": [{ "name": "controller", "image": format!("quay.io/metallb/controller:{tag}") }] } });
            object(
                place,
                json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "controller", "namespace": "metallb-system", "labels": labels }, "spec": { "template": template } }),
            )
        };
        let config = || {
            let metadata = json!({ "name": "config", "namespace": "metallb-system" });
            object(
                "c1",
                json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "config": "address-pools: []" } }),
            )
        };
        for (rows, expected) in [
            (vec![controller("c1", "v0.16.2"), config()], 1),
            (vec![controller("c1", "v0.12.1"), config()], 0),
            (vec![controller("c2", "v0.16.2"), config()], 0),
            (vec![config()], 0),
        ] {
            let told = found(&rows);
            assert_eq!(told.iter().filter(|told| told.starts_with("metallb-config-map r")).count(), expected, "{told:?}");
        }
        let patch = |values: &Json| row("kubernetes_config_patch", "c1", &json!({ "name": "kube-proxy", "values": values }));
        let (ipvs, strict) = (json!({ "mode": "ipvs" }), json!({ "ipvs": { "strictARP": true } }));
        let text = "mode: ipvs\nipvs:\n  strictARP: false\n";
        let whole = object(
            "c1",
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-proxy", "namespace": "kube-system" }, "data": { "config.conf": text } }),
        );
        for (rows, expected) in [
            (vec![controller("c1", "v0.16.2"), patch(&ipvs)], 1),
            (vec![controller("c1", "v0.16.2"), patch(&ipvs), patch(&strict)], 0),
            (vec![controller("c2", "v0.16.2"), patch(&ipvs)], 0),
            (vec![controller("c1", "v0.16.2"), patch(&json!({ "mode": "nftables" }))], 0),
            (vec![controller("c1", "v0.16.2"), whole], 1),
        ] {
            let told = found(&rows);
            assert_eq!(told.iter().filter(|told| told.starts_with("ipvs-without-strict-arp r")).count(), expected, "{told:?}");
        }
    }
}
