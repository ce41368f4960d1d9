//! `metallb_pool`: addresses that a MetalLB gives to Services, and that it announces.

mod between;
mod objects;
mod spans;

pub(crate) use spans::{given, lost};

use crate::version::{WITH_OBJECTS, below};
use engine::address::Address;
use engine::schema::{Attribute, Member, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::arguments::{address, referring, text, through};
use kubernetes::{ObjectKind, handed_on, members, usual};

/// The kind's name.
pub(crate) const NAME: &str = "metallb_pool";

/// `metallb_pool`.
pub struct Pool {
    schema: Schema,
}

impl Default for Pool {
    fn default() -> Self {
        let metallb = "The MetalLB: a resource `metallb`, or a `data.metallb` that somebody else installed. Cluster, namespace and version follow from it.";
        let addresses = "Its addresses, each a range `first-last` or a CIDR.";
        let buggy = "Leave out addresses that end in `.0` or `.255`, which old equipment takes for those of networks.";
        let protocol = "How its addresses are announced: `layer2`, which needs no router that takes part.";
        let network = "Name of the network that its addresses belong to, where several are of no concern to each other. Pools of one network \
            must not share addresses, in whichever cluster they are.";
        let taken = "Addresses, ranges and CIDRs of the network that are in use otherwise: gateways, nodes, addresses of API servers.";
        let mut attributes = vec![
            Attribute::required("metallb", Type::Reference("metallb"), metallb),
            Attribute::required("name", Type::String, "Its name."),
            Attribute::required("addresses", Type::list(Type::String), addresses),
            Attribute::optional("auto_assign", Type::Bool, "Whether Services that ask for no pool get addresses of it.")
                .default(Value::bool(true)),
            Attribute::optional("avoid_buggy_ips", Type::Bool, buggy).default(Value::bool(false)),
            Attribute::optional("protocol", Type::String, protocol).default(Value::string("layer2")),
            Attribute::optional("network", Type::String, network),
            Attribute::optional("subnet", Type::String, "The network's addresses, as a CIDR; a pool outside of them is an error."),
            Attribute::optional("taken", Type::set(Type::String), taken),
        ];
        attributes.extend(usual());
        let doc = "Addresses that a MetalLB gives to Services of type `LoadBalancer`, and announces. They are written as its version needs: in the ConfigMap \
            `config` up to 0.12, as an `IPAddressPool` with an `L2Advertisement` from 0.13 on. A change moves no address that a Service has; one \
            that would leave such an address outside is an error.";
        let schema = Schema {
            kind: NAME,
            doc,
            version: 1,
            attributes,
            classes: &["address_pool"],
            place: Some("metallb"),
            outside: true,
            settles: false,
        };
        Self { schema }
    }
}

impl ObjectKind for Pool {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        address(arguments, &["metallb", "cluster"])
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        protocol_problem(arguments).into_iter().chain(spans::problems(arguments)).collect()
    }

    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        between::problems(instances)
    }

    fn object(&self, _: &Value) -> Option<Result<Value, Problem>> {
        None
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        Some(referring(arguments, "metallb").and_then(|()| {
            let objects = if is_text(arguments)? { vec![objects::config(arguments)] } else { objects::resources(arguments) };
            let null = Value::null();
            members(through(arguments, &["metallb", "cluster"]).unwrap_or(&null), objects, &handed_on(arguments))
        }))
    }
}

/// Whether the version takes its pools from a text in a `ConfigMap`.
fn is_text(arguments: &Value) -> Result<bool, Problem> {
    match through(arguments, &["metallb", "version"]) {
        Some(version) if version.is_null() => Ok(false),
        Some(version) if version.is_known() => Ok(version.as_str().is_some_and(|version| below(version, WITH_OBJECTS))),
        _ => {
            let detail = "which version of MetalLB there is, is known only after apply, but how pools are written hangs on it";
            let help = "Let its `manifests` come from what is read when planning; say the `version` there.";
            Err(Problem::with("metallb", "version not known", detail).help(help))
        }
    }
}

/// The pool's namespace.
fn namespace(arguments: &Value) -> &str {
    text(arguments, &["metallb", "namespace"]).unwrap_or("metallb-system")
}

fn protocol_problem(arguments: &Value) -> Option<Problem> {
    match arguments.text("protocol")? {
        "layer2" => None,
        "bgp" => {
            let detail = "`bgp` needs routers that peer with the nodes, and meshplan writes no peers";
            let help = "Write `BGPPeer`, `IPAddressPool` and `BGPAdvertisement` with `kubernetes_manifests`, or use `layer2`.";
            Some(Problem::with("protocol", "protocol not supported", detail).help(help))
        }
        other => Some(Problem::with("protocol", "invalid value", format!("`protocol` is `{other}`; it is `layer2`"))),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::fixtures::{cluster, reference};
    use serde_json::{Value as Json, json};

    /// A pool of a cluster's MetalLB of this version.
    pub(crate) fn pool(of: &str, version: &str, changes: &Json) -> Value {
        let installed =
            Value::object([("cluster", cluster(of)), ("version", Value::string(version)), ("namespace", Value::string("metallb-system"))]);
        let base = [
            ("metallb", reference(&["metallb"], of, installed)),
            ("name", Value::string("lab")),
            ("addresses", Value::from_json(&json!(["172.30.128.1-172.30.128.254"]))),
        ];
        let base = Pool::default().schema().defaults().with_entries(base);
        let changes: Vec<_> = changes.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), Value::from_json(value))).collect();
        base.with_entries(changes)
    }

    fn members(arguments: &Value) -> Vec<(String, Json)> {
        let members = Pool::default().members(arguments).unwrap().unwrap();
        members.into_iter().map(|member| (member.key, member.arguments.get("manifest").unwrap().to_json().unwrap())).collect()
    }

    #[test]
    fn pools_are_written_as_the_version_needs() {
        let changes =
            json!({ "auto_assign": false, "avoid_buggy_ips": true, "addresses": ["172.30.128.0/24", "172.30.200.1-172.30.200.9"] });
        for version in ["0.13.12", "0.16.2", "main"] {
            let members = members(&pool("c1", version, &changes));
            let keys: Vec<_> = members.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, ["IPAddressPool/metallb-system/lab", "L2Advertisement/metallb-system/lab"], "{version}");
            let expected =
                json!({ "addresses": ["172.30.128.0/24", "172.30.200.1-172.30.200.9"], "autoAssign": false, "avoidBuggyIPs": true });
            assert_eq!((&members[0].1["apiVersion"], &members[0].1["spec"]), (&json!("metallb.io/v1beta1"), &expected));
            assert_eq!(members[1].1["spec"], json!({ "ipAddressPools": ["lab"] }));
        }
        for version in ["0.11.0", "0.12.1"] {
            let members = members(&pool("c1", version, &changes));
            assert_eq!(members.len(), 1, "{version}");
            assert_eq!(members[0].0, "ConfigMap/metallb-system/config");
            let config: Json = serde_saphyr::from_str(members[0].1["data"]["config"].as_str().unwrap()).unwrap();
            let expected = json!({ "name": "lab", "protocol": "layer2", "auto-assign": false, "avoid-buggy-ips": true,
                "addresses": ["172.30.128.0/24", "172.30.200.1-172.30.200.9"] });
            assert_eq!(config, json!({ "address-pools": [expected] }));
        }
        let usual = members(&pool("c1", "0.12.1", &json!({})));
        let text = "address-pools:\n- name: \"lab\"\n  protocol: layer2\n  addresses:\n  - \"172.30.128.1-172.30.128.254\"\n";
        assert_eq!(usual[0].1["data"]["config"], text);
    }

    #[test]
    fn addresses_may_come_later_and_versions_may_not() {
        let later = pool("c1", "0.16.2", &json!({})).with_entries([("addresses", Value::unknown(Type::list(Type::String)))]);
        assert!(Pool::default().validate(&later).is_empty());
        for version in ["0.16.2", "0.12.1"] {
            let later = pool("c1", version, &json!({})).with_entries([("addresses", Value::tuple(vec![Value::unknown(Type::String)]))]);
            let members = Pool::default().members(&later).unwrap().unwrap();
            assert!(members.iter().any(|member| !member.arguments.get("manifest").unwrap().is_known()), "{version}");
        }
        let installed = Value::object([("cluster", cluster("c1")), ("version", Value::unknown(Type::String))]);
        let later = pool("c1", "0.16.2", &json!({})).with_entries([("metallb", reference(&["metallb"], "c1", installed))]);
        assert_eq!(Pool::default().members(&later).unwrap().unwrap_err().summary, "version not known");
        assert_eq!(Pool::default().place(&later), Some(Address::managed("k_cluster", "c1")));
    }

    #[test]
    fn protocols_are_layer_2() {
        for (protocol, told) in [("layer2", ""), ("bgp", "protocol not supported"), ("rip", "invalid value")] {
            let problems = Pool::default().validate(&pool("c1", "0.16.2", &json!({ "protocol": protocol })));
            assert_eq!(problems.first().map_or("", |problem| problem.summary.as_str()), told, "{protocol}");
        }
    }
}
