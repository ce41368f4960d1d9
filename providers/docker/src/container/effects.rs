//! Making, changing and removing containers.

use super::body::{body, endpoint, network_of, networks, restart};
use super::seen::{facts, name, text, whole};
use super::{ContainerKind, files, log};
use crate::client::{CallError, Called, Client};
use crate::facts::Facts;
use crate::mark;
use crate::naming::refusal;
use crate::planning::Comparable as _;
use engine::port::{Done, Failure, Request};
use engine::schema::{Obstacle, Problem};
use engine::state::RecordId;
use engine::value::Value;
use serde_json::{Value as Json, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Longest wait for a container, in seconds, where the configuration says nothing.
const USUAL_WAIT: u64 = 60;

/// How long a container without a check has to run to count as running steadily.
const STEADY: Duration = Duration::from_millis(700);

/// How many restarts are a loop: the Engine waits twice as long before each, so that these take some three seconds.
const LOOP: u64 = 5;

/// How often a container is looked at.
const PAUSE: Duration = Duration::from_millis(150);

/// The container that has a name already, unless it was made for the record of this id.
pub(crate) fn taken(containers: &[Json], name: &str, own: Option<&RecordId>) -> Option<Obstacle> {
    let container = containers.iter().find(|container| self::name(container) == name)?;
    if own.is_some_and(|own| mark::is_marked(container.get("Labels"), own)) {
        return None;
    }
    let id = text(container, "/Id");
    let detail = format!("a container `{name}` is there already (`{}`)", id.get(..12).unwrap_or(id));
    let help = "Choose another name, write `on_exists = \"adopt\"` to take it over, or remove it with `docker rm` if nobody needs it.";
    Some(Obstacle { holder: Some(id.to_owned()), ..Problem::new("docker container exists", detail).help(help).into() })
}

/// Makes a container. If a step fails, nothing is left of it.
pub(crate) async fn create(client: &Client, request: &Request) -> Result<Done, Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let containers = client.containers().await.map_err(|error| failed("made", name, &error))?;
    let is_left = |container: &&Json| self::name(container) == name && mark::is_marked(container.get("Labels"), &request.id);
    for left in containers.iter().filter(is_left) {
        client.remove_container(text(left, "/Id")).await.map_err(|error| failed("made", name, &error))?;
    }
    let mut body = body(&request.arguments);
    let labels = request.arguments.present("labels").and_then(|labels| labels.to_json().ok());
    body.insert("Labels".to_owned(), mark::marked(labels.as_ref(), &request.id));
    let id = match client.create_container(name, Json::Object(body)).await {
        Ok(id) => id,
        Err(error) => return Err(refused(client, name, request.arguments.text("image").unwrap_or_default(), error).await),
    };
    match brought_up(client, &id, &request.arguments).await {
        Ok(()) => looked_at(client, &id, &request.arguments).await,
        Err(error) => {
            // It is of no use, and would hold the name and its addresses.
            let gone = client.remove_container(&id).await.is_ok();
            let rest = if gone { "; it was removed again" } else { "; it is still there" };
            Err(started(name, &error, rest))
        }
    }
}

/// What follows the making of a container.
async fn brought_up(client: &Client, id: &str, arguments: &Value) -> Called<()> {
    for entry in networks(arguments).iter().skip(1) {
        connect(client, id, entry).await?;
    }
    if let Some(archive) = files::missing(arguments, &Json::Null) {
        client.upload(id, archive).await?;
    }
    if is_to_run(arguments) {
        client.start_container(id).await?;
    }
    Ok(())
}

async fn connect(client: &Client, id: &str, entry: &Json) -> Called<()> {
    let body = json!({ "Container": id, "EndpointConfig": endpoint(entry) });
    match client.connect_container(network_of(entry), body).await {
        // A container that never ran does not tell the ids of its networks.
        Err(error) if error.message.contains("already exists in network") => Ok(()),
        connected => connected,
    }
}

fn is_to_run(arguments: &Value) -> bool {
    arguments.get("running").and_then(Value::as_bool) != Some(false)
}

/// Changes a container in place, or takes over what an import found.
pub(crate) async fn update(client: &Client, request: &Request) -> Result<Done, Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let id = sought(client, request).await.map_err(|error| failed("changed", name, &error))?;
    let found = match &id {
        Some(id) => whole(client, id, &request.arguments).await.map_err(|error| failed("changed", name, &error))?,
        None => None,
    };
    let found = found.ok_or_else(|| gone(name))?;
    let before = request.prior.as_ref().and_then(|prior| prior.attributes.present("restart_triggers")).and_then(|was| was.to_json().ok());
    let now = request.arguments.present("restart_triggers").and_then(|now| now.to_json().ok());
    let is_triggered = before.is_some() && before != now;
    changed(client, &found, &request.arguments, is_triggered).await.map_err(|error| started(name, &error, ""))?;
    looked_at(client, &found.id, &request.arguments).await
}

/// Makes what differs as it is to be. A container that gets files is stopped before, so that one that runs has always read what it has.
async fn changed(client: &Client, found: &Facts, arguments: &Value, is_triggered: bool) -> Called<()> {
    let id = found.id.as_str();
    let there = |name: &str| found.parts.get(name).unwrap_or(&Json::Null);
    if there("restart").as_str() != arguments.text("restart") {
        client.update_container(id, json!({ "RestartPolicy": restart(arguments) })).await?;
    }
    let connected = there("networks").as_array().cloned().unwrap_or_default();
    for entry in networks(arguments) {
        let is_same = |other: &&Json| network_of(other) == network_of(&entry);
        match connected.iter().find(is_same) {
            Some(other) if crate::planning::holds(other, &entry) => {}
            Some(_) => {
                client.disconnect_container(network_of(&entry), id).await?;
                connect(client, id, &entry).await?;
            }
            None => connect(client, id, &entry).await?,
        }
    }
    let archive = files::missing(arguments, there("files"));
    if archive.is_some() || is_triggered || !is_to_run(arguments) {
        client.stop_container(id).await?;
    }
    if let Some(archive) = archive {
        client.upload(id, archive).await?;
    }
    if is_to_run(arguments) {
        let state = client.container(id).await?;
        if state.pointer("/State/Paused").and_then(Json::as_bool) == Some(true) {
            client.resume_container(id).await?;
        }
        client.start_container(id).await?;
    }
    Ok(())
}

/// Waits until a container runs steadily, or is healthy. One that is started again and again is waited for only as long as the configuration says.
pub(crate) async fn settle(client: &Client, request: &Request) -> Result<Done, Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let unread = |error: CallError| failed("read", name, &error);
    let id = sought(client, request).await.map_err(unread)?.ok_or_else(|| gone(name))?;
    let wait = request.timeout.unwrap_or(USUAL_WAIT);
    let deadline = Instant::now() + Duration::from_secs(wait);
    let mut steady: Option<(String, Instant)> = None;
    let mut restarts = Restarts::default();
    loop {
        let inspected = match client.container(&id).await {
            Ok(inspected) => inspected,
            Err(error) if error.is_absent() => return Err(gone(name)),
            Err(error) => return Err(unread(error)),
        };
        let at = |path: &str| text(&inspected, path);
        let why = match (at("/State/Status"), at("/State/Health/Status")) {
            ("running", "" | "none") => {
                let since = at("/State/StartedAt").to_owned();
                match &steady {
                    Some((before, seen)) if *before == since && seen.elapsed() >= STEADY => break,
                    Some((before, _)) if *before == since => {}
                    _ => steady = Some((since, Instant::now())),
                }
                "it has just started".to_owned()
            }
            ("running", "healthy") => break,
            ("running", health) => format!("its check says `{health}`"),
            ("exited" | "dead", _) => {
                let detail = format!("the container `{name}` has ended with {}; `docker logs {name}` tells more", code(&inspected));
                return Err(stopped(detail + &log::told(client, &id, &request.arguments).await));
            }
            (state, _) => format!("it is `{state}`"),
        };
        restarts.look(&inspected);
        if restarts.counted() >= LOOP && request.timeout.is_none() {
            let (times, last) = (restarts.counted(), &restarts.last);
            let detail = format!(
                "the container `{name}` ends as soon as it runs: it was started again {times} times, and ended with {last}; `docker logs {name}` tells more"
            );
            return Err(stopped(detail + &log::told(client, &id, &request.arguments).await));
        }
        if Instant::now() >= deadline {
            let detail = format!("the container `{name}` was waited for {wait} s, and {why}; `docker logs {name}` tells more");
            let detail = detail + &log::told(client, &id, &request.arguments).await;
            return Err(Failure::new("docker container not ready", detail));
        }
        request.activity.waits_for(why);
        sleep(PAUSE).await;
    }
    looked_at(client, &id, &request.arguments).await
}

/// Removes a container: stops it with its own grace, then takes it away with its anonymous volumes.
pub(crate) async fn delete(client: &Client, request: &Request) -> Result<(), Failure> {
    let name = request.arguments.text("name").unwrap_or_default();
    let Some(id) = sought(client, request).await.map_err(|error| failed("removed", name, &error))? else { return Ok(()) };
    let stopped = client.stop_container(&id).await;
    match stopped.and(client.remove_container(&id).await) {
        Ok(()) => Ok(()),
        Err(error) if error.is_absent() => Ok(()),
        Err(error) => Err(failed("removed", name, &error)),
    }
}

/// The id of the container that a request is about.
async fn sought(client: &Client, request: &Request) -> Called<Option<String>> {
    let Some(record) = &request.prior else { return Ok(None) };
    if let Some(uid) = &record.uid {
        return match client.container(uid).await {
            Ok(_) => Ok(Some(uid.to_string())),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        };
    }
    let containers = client.containers().await?;
    let ours = containers.iter().find(|container| mark::is_of(record, (text(container, "/Id"), name(container)), container.get("Labels")));
    Ok(ours.map(|container| text(container, "/Id").to_owned()))
}

async fn looked_at(client: &Client, id: &str, arguments: &Value) -> Result<Done, Failure> {
    let inspected = client.container(id).await.map_err(|error| failed("read", arguments.text("name").unwrap_or_default(), &error))?;
    let attributes = facts(&inspected, arguments).attributes(ContainerKind::default().schema(), arguments);
    Ok(Done { uid: Some(id.into()), ..Done::new(attributes) })
}

/// Why a container was not made.
async fn refused(client: &Client, name: &str, image: &str, error: CallError) -> Failure {
    if error.status == Some(409) {
        let containers = client.containers().await.unwrap_or_default();
        if let Some(obstacle) = taken(&containers, name, None) {
            return refusal(obstacle.problem);
        }
    }
    if error.is_absent() && error.message.to_lowercase().contains("no such image") {
        let detail =
            format!("the image `{image}` of the container `{name}` is not at the Engine; let a `docker_image` bring it, and name its `id`");
        return Failure::new("docker image not found", detail);
    }
    failed("made", name, &error)
}

/// How often a container was started again while it was looked at.
#[derive(Debug, Default)]
struct Restarts {
    first: Option<u64>,
    now: u64,
    /// With what it ended at last.
    last: String,
}

impl Restarts {
    fn look(&mut self, inspected: &Json) {
        self.now = inspected.get("RestartCount").and_then(Json::as_u64).unwrap_or_default();
        self.first.get_or_insert(self.now);
        // While it runs, the Engine does not tell how it ended before.
        if text(inspected, "/State/Status") != "running" || self.last.is_empty() {
            self.last = code(inspected);
        }
    }

    fn counted(&self) -> u64 {
        self.now.saturating_sub(self.first.unwrap_or_default())
    }
}

/// With what a container ended, in words.
fn code(inspected: &Json) -> String {
    let code = inspected.pointer("/State/ExitCode").and_then(Json::as_i64).unwrap_or_default();
    let said = Some(text(inspected, "/State/Error")).filter(|said| !said.is_empty()).map(|said| format!(" ({said})")).unwrap_or_default();
    format!("code {code}{said}")
}

fn stopped(detail: String) -> Failure {
    Failure::new("docker container stopped", detail)
}

fn gone(name: &str) -> Failure {
    Failure::new("docker container not changed", format!("the container `{name}` is not there any more"))
}

fn failed(what: &str, name: &str, error: &CallError) -> Failure {
    Failure::new("docker container not changed", format!("the container `{name}` was not {what}: {error}"))
}

/// Why a container does not start, with what helps.
fn started(name: &str, error: &CallError, rest: &str) -> Failure {
    let says = |words: &str| error.message.contains(words);
    let hint = if says("cannot assign requested address") {
        "; the host does not have the address of `host_address`: a `host_vip` gives it one"
    } else if says("port is already allocated") || says("address already in use") {
        "; another program or container holds the port: `ss -tulpn` and `docker ps` show which"
    } else {
        ""
    };
    Failure::new("docker container not started", format!("the container `{name}` did not start: {error}{hint}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_told() {
        let containers = [json!({ "Id": "0123456789abcdef", "Names": ["/dns"] })];
        let told = taken(&containers, "dns", None).map(|obstacle| obstacle.problem.detail).unwrap_or_default();
        assert!(told.contains("`0123456789ab`") && taken(&containers, "dn", None).is_none(), "{told}");
    }

    #[test]
    fn what_keeps_a_container_from_starting_comes_with_a_hint() {
        for (message, hint) in [
            ("listen tcp4 10.2.1.9:53: bind: cannot assign requested address", "a `host_vip` gives it one; it was removed again"),
            ("Bind for 0.0.0.0:80 failed: port is already allocated", "`docker ps` show which; it was removed again"),
            ("exec: no such file", "no such file; it was removed again"),
        ] {
            let error = CallError { status: Some(500), message: message.to_owned() };
            let told = started("dns", &error, "; it was removed again").detail;
            assert!(told.ends_with(hint), "{told}");
        }
    }
}
