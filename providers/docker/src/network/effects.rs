//! Making, finding and removing networks.

use super::{NetworkKind, body, facts, id};
use crate::client::{CallError, Called, Client};
use crate::facts::Facts;
use crate::mark;
use crate::naming::refusal;
use crate::planning::Comparable as _;
use engine::diagnostic::Diagnostic;
use engine::port::{Done, Failure, Request};
use engine::schema::{Obstacle, Problem};
use engine::state::{Record, RecordId};
use engine::value::Value;
use serde_json::{Value as Json, json};

/// The network of a record, among all.
pub(crate) fn of_record(networks: &[Json], record: &Record) -> Option<Facts> {
    networks.iter().find(|network| mark::is_of(record, (id(network), name(network)), network.get("Labels"))).map(facts)
}

/// The networks of exactly this name: engines before version 25 may have several.
pub(crate) fn named<'a>(networks: &'a [Json], name: &str) -> Vec<&'a Json> {
    networks.iter().filter(|network| self::name(network) == name).collect()
}

fn name(network: &Json) -> &str {
    network.get("Name").and_then(Json::as_str).unwrap_or_default()
}

/// The one network of a name, if there is one; several are a problem.
pub(crate) fn found_by_name(networks: &[Json], name: &str) -> Result<Option<Facts>, Box<Diagnostic>> {
    match named(networks, name)[..] {
        [] => Ok(None),
        [network] => Ok(Some(facts(network))),
        ref several => {
            let ids: Vec<_> = several.iter().map(|network| format!("`{}`", short(id(network)))).collect();
            let detail = format!("{} networks have the name `{name}`: {}", several.len(), ids.join(", "));
            let help = "Remove all but one by id with `docker network rm ID`.";
            Err(Box::new(Diagnostic::error("docker network ambiguous", detail).help(help)))
        }
    }
}

/// The network that has a name already, unless it was made for the record of this id.
pub(crate) fn taken(networks: &[Json], name: &str, own: Option<&RecordId>) -> Option<Obstacle> {
    let network = *named(networks, name).first()?;
    if own.is_some_and(|own| mark::is_marked(network.get("Labels"), own)) {
        return None;
    }
    let detail = format!("a network `{name}` is there already (`{}`)", short(id(network)));
    let help =
        "Choose another name, write `on_exists = \"adopt\"` to take it over, or remove it with `docker network rm` if nobody needs it.";
    Some(Obstacle { holder: Some(id(network).to_owned()), ..Problem::new("docker network exists", detail).help(help).into() })
}

/// Makes a network, or finds the one that an interrupted create made.
pub(crate) async fn create(client: &Client, request: &Request) -> Result<Done, Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let failed = |error: CallError| failed("made", name, &error);
    let networks = client.networks().await.map_err(failed)?;
    if let Some(made) = named(&networks, name).into_iter().find(|network| mark::is_marked(network.get("Labels"), &request.id)) {
        return Ok(done(&facts(made), &request.arguments));
    }
    if let Some(obstacle) = taken(&networks, name, None) {
        return Err(refusal(obstacle.problem));
    }
    let mut body = body(&request.arguments);
    let labels = request.arguments.present("labels").and_then(|labels| labels.to_json().ok());
    body.insert("Labels".to_owned(), mark::marked(labels.as_ref(), &request.id));
    body.insert("CheckDuplicate".to_owned(), json!(true));
    let made = client.create_network(Json::Object(body)).await.map_err(failed)?;
    // Somebody else may have made one of the same name at the same time, and old engines take both.
    let networks = client.networks().await.map_err(failed)?;
    if let Some(other) = named(&networks, name).into_iter().find(|network| id(network) != made) {
        client.remove_network(&made).await.map_err(failed)?;
        let detail = format!("another network `{name}` (`{}`) was made at the same time; this one was removed again", short(id(other)));
        return Err(Failure::new("docker network exists", detail));
    }
    let network = client.network(&made).await.map_err(failed)?;
    Ok(done(&facts(&network), &request.arguments))
}

/// Takes over a network as it is: there is nothing that an engine could change.
pub(crate) async fn update(client: &Client, request: &Request) -> Result<Done, Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let found = lookup(client, request).await.map_err(|error| failed("read", name, &error))?;
    let found = found.ok_or_else(|| Failure::new("docker network not changed", format!("the network `{name}` is not there any more")))?;
    Ok(done(&facts(&found), &request.arguments))
}

/// Removes a network.
pub(crate) async fn delete(client: &Client, request: &Request) -> Result<(), Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let Some(network) = lookup(client, request).await.map_err(|error| failed("removed", name, &error))? else { return Ok(()) };
    match client.remove_network(id(&network)).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_absent() => Ok(()),
        Err(error) if error.status == Some(403) => Err(in_use(client, name, id(&network), &error).await),
        Err(error) => Err(failed("removed", name, &error)),
    }
}

/// The network of a request's record.
async fn lookup(client: &Client, request: &Request) -> Called<Option<Json>> {
    let Some(record) = &request.prior else { return Ok(None) };
    let networks = client.networks().await?;
    Ok(networks.into_iter().find(|network| mark::is_of(record, (id(network), name(network)), network.get("Labels"))))
}

async fn in_use(client: &Client, name: &str, id: &str, error: &CallError) -> Failure {
    let network = client.network(id).await.unwrap_or_default();
    let within = network.get("Containers").and_then(Json::as_object).into_iter().flatten();
    let names: Vec<_> = within.filter_map(|(_, container)| container.get("Name")?.as_str()).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return failed("removed", name, error);
    }
    let detail = format!(
        "containers are connected to `{name}`: {}; remove them, or take them out with `docker network disconnect {name} CONTAINER`",
        names.join(", ")
    );
    Failure::new("docker network in use", detail)
}

fn done(found: &Facts, arguments: &Value) -> Done {
    let attributes = found.attributes(NetworkKind::default().schema(), arguments);
    Done { uid: Some(found.id.as_str().into()), ..Done::new(attributes) }
}

fn failed(what: &str, name: &str, error: &CallError) -> Failure {
    let detail = format!("the network `{name}` was not {what}: {error}");
    let overlaps = error.message.contains("overlaps") || error.message.contains("non-overlapping");
    let hint = if overlaps { "; `docker network ls` shows what is there, and `subnet` chooses other addresses" } else { "" };
    Failure::new("docker network not changed", format!("{detail}{hint}"))
}

/// An id as people see it.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(name: &str, id: &str) -> Json {
        json!({ "Name": name, "Id": id })
    }

    #[test]
    fn networks_of_one_name_are_told_apart_by_id() {
        let networks = [network("mesh", "0123456789abcdef"), network("mesh2", "b"), network("twice", "c"), network("twice", "d")];
        let found = |name: &str| found_by_name(&networks, name).map(|facts| facts.map(|facts| facts.id)).map_err(|problem| problem.detail);
        assert_eq!(found("mesh"), Ok(Some("0123456789abcdef".to_owned())));
        assert_eq!(found("other"), Ok(None));
        assert_eq!(found("twice"), Err("2 networks have the name `twice`: `c`, `d`".to_owned()));
        let problem = taken(&networks, "mesh", None).expect("taken").problem;
        assert!(problem.detail.contains("`0123456789ab`") && taken(&networks, "free", None).is_none(), "{problem:?}");
    }

    #[test]
    fn overlapping_addresses_come_with_a_hint() {
        let error = CallError { status: Some(403), message: "Pool overlaps with other one on this address space".into() };
        assert!(failed("made", "mesh", &error).detail.ends_with("and `subnet` chooses other addresses"));
    }
}
