//! What is wrong between clusters and the networks that are made for them.

use crate::schema;
use docker::MadeWithoutIpv6;
use engine::address::Address;
use engine::schema::{Lint, LintInput, LintInstance, Problem, Rule};

/// The lint of the provider `kind`.
pub(crate) struct ClusterLint;

impl Lint for ClusterLint {
    fn rules(&self) -> &'static [&'static Rule] {
        &[]
    }

    fn look(&self, input: &LintInput<'_>) -> Vec<(Address, Problem)> {
        let made = MadeWithoutIpv6::of(input);
        let clusters = input.instances.iter().filter(|at| at.is_managed() && at.kind == schema::NAME);
        clusters.filter_map(|at| Some((at.address.clone(), without_ipv6(at, &made)?))).collect()
    }
}

/// What is wrong with the network of nodes that are to have addresses of IPv6.
fn without_ipv6(cluster: &LintInstance<'_>, made: &MadeWithoutIpv6<'_>) -> Option<Problem> {
    let family = cluster.arguments.present("networking")?.text("ip_family").filter(|family| matches!(*family, "ipv6" | "dual"))?;
    made.problem(cluster.arguments.text("network")?, ("network", &format!("`ip_family` is `{family}`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::{Type, Value};
    use serde_json::json;

    #[test]
    fn nodes_with_ipv6_need_a_network_that_is_made_with_it() {
        let (network, cluster) = (Address::managed("docker_network", "n"), Address::managed(schema::NAME, "c"));
        for (ipv6, family, expected) in [
            (false, json!("ipv6"), Some("the docker network `mesh` has no IPv6, and `ip_family` is `ipv6`")),
            (false, json!("dual"), Some("the docker network `mesh` has no IPv6, and `ip_family` is `dual`")),
            (false, json!("ipv4"), None),
            (true, json!("ipv6"), None),
        ] {
            let arguments = Value::from_json(&json!({ "name": "mesh", "ipv6": ipv6 }));
            let attributes = arguments.with_entries([("id", Value::unknown(Type::String))]);
            let asked = Value::from_json(&json!({ "network": "mesh", "networking": { "ip_family": family } }));
            let of =
                |address, kind, arguments, attributes| LintInstance { address, kind, arguments, attributes, written: None, place: None };
            let instances = vec![of(&network, "docker_network", &arguments, &attributes), of(&cluster, schema::NAME, &asked, &asked)];
            let told = ClusterLint.look(&LintInput { instances, complete: true, now: 0 });
            assert_eq!(told.first().map(|(_, problem)| problem.detail.as_str()), expected, "{family}");
        }
    }
}
