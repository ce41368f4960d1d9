//! What there is of a container, in the shape that is compared.

use super::body::{NANOSECONDS, network_of};
use super::files;
use super::shape::{capability, sorted, written};
use crate::client::{Called, Client};
use crate::facts::Facts;
use crate::mark;
use engine::question::Answer;
use engine::state::Record;
use engine::value::Value;
use serde_json::{Map, Value as Json, json};

/// The container of a record, among all; with its files as they are.
pub(crate) async fn read(client: &Client, containers: &[Json], record: &Record) -> Answer {
    let listed =
        containers.iter().find(|container| mark::is_of(record, (text(container, "/Id"), name(container)), container.get("Labels")));
    let Some(listed) = listed else { return Answer::Absent };
    match whole(client, text(listed, "/Id"), &record.attributes).await {
        Ok(Some(found)) => Answer::Present(found.observed(&record.attributes)),
        Ok(None) => Answer::Absent,
        Err(error) => Answer::Unreachable(error.message.into()),
    }
}

/// The name of a container in a list.
pub(crate) fn name(listed: &Json) -> &str {
    // With the names that others have for it, which have a second slash.
    let names = listed.get("Names").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    names.map(|name| name.trim_start_matches('/')).find(|name| !name.contains('/')).unwrap_or_default()
}

/// The container of a name, if there is one, compared with these arguments.
pub(crate) async fn by_name(client: &Client, name: &str, told: &Value) -> Called<Option<Facts>> {
    whole(client, name, told).await
}

/// A container by id or name with the files that are told of; nothing if it is not there.
pub(super) async fn whole(client: &Client, id: &str, told: &Value) -> Called<Option<Facts>> {
    let inspected = match client.container(id).await {
        Ok(inspected) => inspected,
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut found = facts(&inspected, told);
    if let Some(told) = told.present("files") {
        found.parts.insert("files".to_owned(), files::found(client, &found.id, told).await?);
    }
    Ok(Some(found))
}

/// What is to be seen at a path of what the Engine says, as text; empty if there is none.
pub(super) fn text<'a>(inspected: &'a Json, path: &str) -> &'a str {
    inspected.pointer(path).and_then(Json::as_str).unwrap_or_default()
}

/// A container as `GET /containers/ID/json` tells. What may be said in several ways is said as in the arguments that are told of.
pub(super) fn facts(inspected: &Json, told: &Value) -> Facts {
    let list = |path: &str| inspected.pointer(path).and_then(Json::as_array).cloned().unwrap_or_default();
    let map = |path: &str| inspected.pointer(path).and_then(Json::as_object).cloned().unwrap_or_default();
    let flag = |path: &str| inspected.pointer(path).and_then(Json::as_bool).unwrap_or_default();
    let at = |path: &str| text(inspected, path);
    let id = at("/Id").to_owned();
    let capabilities = |path: &str| sorted(list(path).iter().map(|name| json!(capability(name.as_str().unwrap_or_default()))).collect());
    let is_its_id = told.text("image").is_some_and(|image| image == at("/Image"));
    let parts = json!({
        "name": at("/Name").trim_start_matches('/'),
        "image": if is_its_id { at("/Image") } else { at("/Config/Image") },
        "entrypoint": list("/Config/Entrypoint"),
        "command": list("/Config/Cmd"),
        "env": split(&list("/Config/Env"), '='),
        "user": at("/Config/User"),
        "working_dir": at("/Config/WorkingDir"),
        "labels": mark::unmarked(inspected.pointer("/Config/Labels")),
        "ports": sorted(bindings(&map("/HostConfig/PortBindings"))),
        "networks": networks(&map("/NetworkSettings/Networks"), told),
        "network_mode": at("/HostConfig/NetworkMode"),
        "hostname": at("/Config/Hostname"),
        "hosts": split(&list("/HostConfig/ExtraHosts"), ':'),
        "dns": list("/HostConfig/Dns"),
        "dns_search": list("/HostConfig/DnsSearch"),
        "mounts": sorted(mounts(&list("/HostConfig/Mounts"), &list("/HostConfig/Binds"))),
        "capabilities_add": capabilities("/HostConfig/CapAdd"),
        "capabilities_drop": capabilities("/HostConfig/CapDrop"),
        "privileged": flag("/HostConfig/Privileged"),
        "security_options": sorted(list("/HostConfig/SecurityOpt").into()),
        "sysctls": map("/HostConfig/Sysctls"),
        "read_only": flag("/HostConfig/ReadonlyRootfs"),
        "init": flag("/HostConfig/Init"),
        "log_driver": at("/HostConfig/LogConfig/Type"),
        "log_options": map("/HostConfig/LogConfig/Config"),
        "health": health(inspected.pointer("/Config/Healthcheck")),
        "stop_signal": at("/Config/StopSignal"),
        "stop_timeout": inspected.pointer("/Config/StopTimeout"),
        "restart": restart(inspected.pointer("/HostConfig/RestartPolicy")),
        "running": flag("/State/Running") && !flag("/State/Paused"),
        "id": id,
        "image_id": at("/Image"),
        "ip_addresses": addresses(&map("/NetworkSettings/Networks"), "IPAddress"),
        "ipv6_addresses": addresses(&map("/NetworkSettings/Networks"), "GlobalIPv6Address"),
        "published_ports": published(&map("/NetworkSettings/Ports")),
    });
    Facts { id, parts: parts.as_object().cloned().unwrap_or_default() }
}

/// Texts such as `A=1` as a map.
fn split(texts: &[Json], between: char) -> Json {
    let pairs = texts.iter().filter_map(Json::as_str).map(|text| text.split_once(between).unwrap_or((text, "")));
    Json::Object(pairs.map(|(key, value)| (key.to_owned(), json!(value))).collect::<Map<_, _>>())
}

/// Ports by the Engine's key for them, such as `53/udp`, each with the places of the host it is published at.
fn bindings(bindings: &Map<String, Json>) -> Json {
    let each = bindings.iter().flat_map(|(key, places)| places.as_array().into_iter().flatten().map(move |place| (key, place)));
    let ports = each.map(|(key, place)| {
        let (number, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
        let host_port = text(place, "/HostPort").parse::<u64>().ok().filter(|port| *port > 0);
        let address = Some(text(place, "/HostIp")).filter(|address| *address != "0.0.0.0").unwrap_or_default();
        json!({ "container_port": number.parse::<u64>().ok(), "protocol": protocol, "host_address": address, "host_port": host_port })
    });
    Json::Array(ports.collect())
}

/// Ports as they are published: every address is named.
fn published(ports: &Map<String, Json>) -> Json {
    let mut all = sorted(bindings(ports));
    for port in all.as_array_mut().into_iter().flatten().filter(|port| text(port, "/host_address").is_empty()) {
        port["host_address"] = json!("0.0.0.0");
    }
    all
}

/// The networks that are told of, as far as the container is in them; all where none are.
fn networks(there: &Map<String, Json>, told: &Value) -> Json {
    let told: Vec<Json> = told.present("networks").and_then(|told| told.to_json().ok()?.as_array().cloned()).unwrap_or_default();
    let described = |name: &str, endpoint: &Json, aliases: Option<&Json>| {
        let address = |key: &str| Some(text(endpoint, &format!("/IPAMConfig/{key}"))).filter(|address| !address.is_empty());
        let is_there = |alias: &&Json| endpoint.get("Aliases").and_then(Json::as_array).is_some_and(|all| all.contains(alias));
        let aliases: Option<Vec<_>> = aliases.and_then(Json::as_array).map(|told| told.iter().filter(is_there).collect());
        json!({ "network": name, "ipv4_address": address("IPv4Address"), "ipv6_address": address("IPv6Address"), "aliases": aliases })
    };
    if told.is_empty() {
        return there.iter().map(|(name, endpoint)| described(name, endpoint, None)).collect();
    }
    let found = told.iter().filter_map(|entry| {
        let wanted = network_of(entry);
        let (_, endpoint) = there.iter().find(|(name, endpoint)| *name == wanted || text(endpoint, "/NetworkID") == wanted)?;
        Some(described(wanted, endpoint, entry.get("aliases")))
    });
    found.collect()
}

/// Addresses by the names of networks, of those that have one.
fn addresses(networks: &Map<String, Json>, key: &str) -> Json {
    let found = networks.iter().filter_map(|(name, endpoint)| {
        let address = endpoint.get(key).and_then(Json::as_str).filter(|address| !address.is_empty())?;
        Some((name.clone(), json!(address)))
    });
    Json::Object(found.collect::<Map<_, _>>())
}

/// Mounts, as they were asked for in either way that the API has.
fn mounts(mounts: &[Json], binds: &[Json]) -> Json {
    let mounted = mounts.iter().map(|mount| {
        let source = Some(text(mount, "/Source")).filter(|source| !source.is_empty());
        let read_only = mount.get("ReadOnly").and_then(Json::as_bool).unwrap_or_default();
        json!({ "target": text(mount, "/Target"), "source": source, "type": text(mount, "/Type"), "read_only": read_only })
    });
    let bound = binds.iter().filter_map(|bind| {
        let mut parts = bind.as_str()?.split(':');
        let (source, target) = (parts.next()?, parts.next()?);
        let read_only = parts.next().is_some_and(|options| options.split(',').any(|option| option == "ro"));
        let kind = if source.starts_with('/') { "bind" } else { "volume" };
        Some(json!({ "target": target, "source": source, "type": kind, "read_only": read_only }))
    });
    mounted.chain(bound).collect()
}

fn health(check: Option<&Json>) -> Json {
    let Some(check) = check.filter(|check| check.is_object()) else { return Json::Null };
    let time = |key: &str| check.get(key).and_then(Json::as_u64).filter(|time| *time > 0).map(|time| format!("{}s", time / NANOSECONDS));
    json!({
        "test": check.get("Test"),
        "interval": time("Interval"),
        "timeout": time("Timeout"),
        "start_period": time("StartPeriod"),
        "retries": check.get("Retries"),
    })
}

fn restart(policy: Option<&Json>) -> String {
    let name = policy.map(|policy| text(policy, "/Name")).filter(|name| !name.is_empty()).unwrap_or("no");
    match policy.and_then(|policy| policy.get("MaximumRetryCount")?.as_u64()).filter(|count| *count > 0) {
        Some(count) => format!("{name}:{count}"),
        None => name.to_owned(),
    }
}

/// The mode of a file, as it is written.
pub(super) fn mode(bits: u32) -> String {
    written(bits)
}

#[cfg(test)]
mod tests {
    use super::super::body::body;
    use super::super::shape::canonical;
    use super::*;
    use crate::planning::holds;

    /// What the Engine would say of a container that was made with this body.
    fn inspected(arguments: &Value) -> Json {
        let mut config = Json::Object(body(arguments));
        let mut host = config["HostConfig"].take();
        let endpoints = config["NetworkingConfig"]["EndpointsConfig"].take();
        host["CapAdd"] = json!(["CAP_NET_ADMIN"]);
        config["Env"].as_array_mut().unwrap().push(json!("PATH=/bin"));
        config["Labels"] = json!({ mark::RECORD: "r" });
        json!({ "Id": "c1", "Name": "/c", "Image": "sha256:1", "Config": config, "HostConfig": host, "State": { "Running": true, "Paused": false },
            "NetworkSettings": { "Networks": endpoints, "Ports": { "53/udp": [{ "HostIp": "0.0.0.0", "HostPort": "53" }], "80/tcp": null } } })
    }

    #[test]
    fn what_is_asked_for_is_what_is_found() {
        let arguments = json!({
            "name": "c", "image": "box:1", "entrypoint": ["sh"], "command": ["-c", "x"], "env": { "A": "1=2" }, "user": "1:1", "working_dir": "/w",
            "ports": [{ "container_port": 80 }, { "container_port": 53, "host_port": 53, "host_address": "10.0.0.1", "protocol": "udp" }],
            "networks": [{ "network": "mesh", "ipv4_address": "172.30.0.9", "aliases": ["a"] }],
            "hostname": "h", "hosts": { "db": "10.0.0.2", "six": "fd00::1" }, "dns": ["1.1.1.1"], "dns_search": ["mesh.test"],
            "mounts": [{ "target": "/b", "source": "/a", "read_only": true }, { "target": "/a", "type": "tmpfs" }],
            "capabilities_add": ["NET_ADMIN"], "capabilities_drop": ["ALL"], "privileged": false, "security_options": ["seccomp=unconfined"],
            "sysctls": { "net.ipv4.ip_forward": "1" }, "read_only": true, "init": false, "log_driver": "json-file", "log_options": { "max-size": "1m" },
            "health": { "test": ["CMD", "true"], "interval": "10s", "retries": 3 }, "stop_signal": "KILL", "stop_timeout": 3,
            "restart": "on-failure:5", "running": true,
        });
        let told = Value::from_json(&arguments);
        let found = facts(&inspected(&told), &told).parts;
        for (name, argument) in arguments.as_object().unwrap() {
            assert!(holds(&found[name], &canonical(name, argument)), "{name}: {} for {argument}", found[name]);
        }
        assert_eq!((&found["labels"], &found["id"]), (&json!({}), &json!("c1")));
        assert_eq!(
            found["published_ports"],
            json!([{ "container_port": 53, "protocol": "udp", "host_address": "0.0.0.0", "host_port": 53 }])
        );
        let by_id = Value::from_json(&json!({ "image": "sha256:1" }));
        assert_eq!(facts(&inspected(&told), &by_id).parts["image"], "sha256:1");
    }

    #[test]
    fn differences_are_seen() {
        let told = Value::from_json(&json!({ "networks": [{ "network": "n1", "aliases": ["a", "b"] }, { "network": "other" }] }));
        let endpoint = json!({ "NetworkID": "n1", "Aliases": ["a", "c1"], "IPAddress": "172.30.0.2", "GlobalIPv6Address": "" });
        let inspected = json!({ "State": { "Running": true, "Paused": true }, "NetworkSettings": { "Networks": { "mesh": endpoint } },
            "HostConfig": { "Binds": ["/a:/b:ro,z", "data:/c"], "RestartPolicy": { "Name": "" } } });
        let found = facts(&inspected, &told).parts;
        assert_eq!(found["networks"], json!([{ "network": "n1", "ipv4_address": null, "ipv6_address": null, "aliases": ["a"] }]));
        assert_eq!((&found["running"], &found["restart"]), (&json!(false), &json!("no")));
        assert_eq!((&found["ip_addresses"], &found["ipv6_addresses"]), (&json!({ "mesh": "172.30.0.2" }), &json!({})));
        let bound = json!([
            { "target": "/b", "source": "/a", "type": "bind", "read_only": true },
            { "target": "/c", "source": "data", "type": "volume", "read_only": false },
        ]);
        assert_eq!(found["mounts"], bound);
    }
}
