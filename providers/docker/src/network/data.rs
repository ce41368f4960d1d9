//! `data "docker_network"`.

use super::{facts, found_by_name};
use crate::client::{CallError, Client};
use engine::diagnostic::Diagnostic;
use engine::question::Answer;
use engine::schema::{Attribute, Kind, Problem, Schema};
use engine::value::{Type, Value};
use serde_json::{Map, Value as Json, json};

/// `data "docker_network"`.
pub(crate) struct NetworkData {
    schema: Schema,
}

impl Default for NetworkData {
    fn default() -> Self {
        let text = |name, doc| Attribute::computed(name, Type::String, doc);
        let attributes = vec![
            Attribute::required("name", Type::String, "Name of the network, such as `kind`."),
            text("id", "The Engine's id."),
            text("driver", "Its driver, such as `bridge`."),
            text("subnet", "Its IPv4 addresses, as a CIDR; null if it has none."),
            text("ip_range", "The part of `subnet` that containers get their addresses of; null if that is all."),
            text("gateway", "The host's address in `subnet`; null where the Engine does not say."),
            Attribute::computed("ipv6", Type::Bool, "Whether containers get IPv6 addresses as well."),
            text("ipv6_subnet", "Its IPv6 addresses, as a CIDR; null if it has none."),
            text("ipv6_gateway", "The host's address in `ipv6_subnet`."),
            Attribute::computed("internal", Type::Bool, "Whether nothing leads out of the network."),
            Attribute::computed("attachable", Type::Bool, "Whether containers may join a network of a swarm by hand."),
            Attribute::computed("options", Type::map(Type::String), "Options of the driver."),
            Attribute::computed("labels", Type::map(Type::String), "Labels."),
            Attribute::computed(
                "containers",
                Type::map(Type::object([("ipv4_address", Type::String, true), ("ipv6_address", Type::String, true)])),
                "The running containers in it by name, with their addresses; null where they have none.",
            ),
        ];
        let doc = "A network of the Docker Engine that somebody else made, with its addresses and who has them.";
        let schema = Schema { kind: super::NAME, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl Kind for NetworkData {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        crate::naming::name_problem(arguments).into_iter().collect()
    }
}

impl NetworkData {
    /// What there is of the network that the arguments name.
    pub(crate) async fn read(client: &Client, networks: &[Json], arguments: &Value) -> Answer {
        let name = arguments.text("name").unwrap_or_default();
        let id = match found_by_name(networks, name) {
            Ok(Some(found)) => found.id,
            Ok(None) => return Answer::Refused(absent(name)),
            Err(problem) => return Answer::Refused(*problem),
        };
        match client.network(&id).await {
            Ok(network) => Answer::Present(attributes(&network, arguments)),
            Err(error) if error.is_absent() => Answer::Refused(absent(name)),
            Err(CallError { message, .. }) => Answer::Unreachable(message.into()),
        }
    }
}

fn absent(name: &str) -> Diagnostic {
    let detail = format!("the Engine has no network `{name}`");
    Diagnostic::error("docker network not found", detail).help("Correct the name; `docker network ls` shows what is there.")
}

fn attributes(network: &Json, arguments: &Value) -> Value {
    let mut found = facts(network);
    found.parts.insert("containers".to_owned(), containers(network));
    found.attributes(NetworkData::default().schema(), arguments)
}

/// The containers in a network, by name.
fn containers(network: &Json) -> Json {
    let within = network.get("Containers").and_then(Json::as_object).into_iter().flatten();
    let entries = within.filter_map(|(_, container)| {
        let address = |name: &str| container.get(name).and_then(Json::as_str)?.split('/').next().filter(|address| !address.is_empty());
        let entry = json!({ "ipv4_address": address("IPv4Address"), "ipv6_address": address("IPv6Address") });
        Some((container.get("Name")?.as_str()?.to_owned(), entry))
    });
    Json::Object(entries.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_listed_with_their_addresses() {
        let network = json!({ "Name": "kind", "Id": "n1", "Driver": "bridge", "IPAM": { "Config": [{ "Subnet": "172.18.0.0/16" }] },
            "Containers": { "c1": { "Name": "c1-control-plane", "IPv4Address": "172.18.0.2/16", "IPv6Address": "" } } });
        let all = attributes(&network, &Value::from_json(&json!({ "name": "kind" }))).to_json().expect("known");
        assert_eq!(all["containers"], json!({ "c1-control-plane": { "ipv4_address": "172.18.0.2", "ipv6_address": null } }));
        assert_eq!((&all["subnet"], &all["gateway"], &all["id"]), (&json!("172.18.0.0/16"), &Json::Null, &json!("n1")));
    }
}
