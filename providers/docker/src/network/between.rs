//! Networks that a plan makes, and what is asked of them: told before anything is made.

use crate::container;
use crate::thing::plain;
use engine::address::Address;
use engine::schema::{Lint, LintInput, LintInstance, Problem, Rule};
use engine::value::Value;
use std::collections::BTreeMap;

/// The networks that a plan makes without IPv6, by their names. Those that are there are looked at where they are.
#[derive(Debug)]
pub struct MadeWithoutIpv6<'a>(BTreeMap<&'a str, &'a Address>);

impl<'a> MadeWithoutIpv6<'a> {
    /// Those among everything that is planned. Of one name at several Engines all have to be without.
    pub fn of(input: &'a LintInput<'a>) -> Self {
        let (mut without, mut with) = (BTreeMap::new(), Vec::new());
        for network in input.instances.iter().filter(|at| at.is_managed() && at.kind == super::NAME) {
            let Some(name) = network.arguments.get("name").and_then(plain) else { continue };
            let is_made = network.attributes.get("id").is_some_and(|id| !id.is_known());
            if is_made && network.arguments.get("ipv6").and_then(Value::as_bool) == Some(false) {
                without.insert(name, network.address);
            } else {
                with.push(name);
            }
        }
        without.retain(|name, _| !with.contains(name));
        Self(without)
    }

    /// What is wrong with asking one of them for IPv6, as `asked` says.
    pub fn problem(&self, network: &str, (attribute, asked): (&str, &str)) -> Option<Problem> {
        let address = self.0.get(network)?;
        let detail = format!("the docker network `{network}` has no IPv6, and {asked}");
        Some(Problem::with(attribute, "network without IPv6", detail).help(format!("Set `ipv6 = true` in `{address}`.")))
    }
}

/// The lint of the provider `docker`.
pub(crate) struct NetworkLint;

impl Lint for NetworkLint {
    fn rules(&self) -> &'static [&'static Rule] {
        &[]
    }

    fn look(&self, input: &LintInput<'_>) -> Vec<(Address, Problem)> {
        let made = MadeWithoutIpv6::of(input);
        let containers = input.instances.iter().filter(|at| at.is_managed() && at.kind == container::NAME);
        containers.filter_map(|at| Some((at.address.clone(), asked(at, &made)?))).collect()
    }
}

/// What is wrong with an address of IPv6 that a container is to have.
fn asked(container: &LintInstance<'_>, made: &MadeWithoutIpv6<'_>) -> Option<Problem> {
    let networks = container.arguments.get("networks").map(Value::items).unwrap_or_default();
    networks.iter().find_map(|entry| {
        let address = plain(entry.present("ipv6_address")?)?;
        made.problem(plain(entry.get("network")?)?, ("networks", &format!("`{address}` is an address of IPv6")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::{Value as Json, json};

    /// What is told of a network with this id, and a container that is to have an address in it.
    fn told(ipv6: bool, id: Value, entry: &Json) -> Vec<String> {
        let (network, container) = (Address::managed("docker_network", "n"), Address::managed("docker_container", "c"));
        let arguments = Value::from_json(&json!({ "name": "mesh", "ipv6": ipv6 }));
        let attributes = arguments.with_entries([("id", id)]);
        let asked = Value::from_json(&json!({ "networks": [entry] }));
        let of = |address, kind, arguments, attributes| LintInstance { address, kind, arguments, attributes, written: None, place: None };
        let instances = vec![of(&network, "docker_network", &arguments, &attributes), of(&container, "docker_container", &asked, &asked)];
        let found = NetworkLint.look(&LintInput { instances, complete: true, now: 0 });
        found.into_iter().map(|(address, problem)| format!("{address}: {}: {}", problem.summary, problem.detail)).collect()
    }

    #[test]
    fn addresses_of_ipv6_need_a_network_that_is_made_with_it() {
        let open = || Value::unknown(Type::String);
        let wanted = json!({ "network": "mesh", "ipv6_address": "fd00::5" });
        let problem =
            "docker_container.c: network without IPv6: the docker network `mesh` has no IPv6, and `fd00::5` is an address of IPv6";
        for (ipv6, id, entry, expected) in [
            (false, open(), wanted.clone(), vec![problem.to_owned()]),
            (true, open(), wanted.clone(), vec![]),
            (false, Value::string("n1"), wanted, vec![]),
            (false, open(), json!({ "network": "mesh", "ipv6_address": null }), vec![]),
            (false, open(), json!({ "network": "other", "ipv6_address": "fd00::5" }), vec![]),
        ] {
            assert_eq!(told(ipv6, id, &entry), expected, "{entry}");
        }
    }
}
