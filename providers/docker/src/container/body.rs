//! The body of `POST /containers/create`.

use super::shape::canonical;
use engine::config::seconds;
use engine::value::Value;
use serde_json::{Map, Value as Json, json};

/// An argument in the shape that is compared; nothing if it is null.
pub(super) fn shaped(arguments: &Value, name: &str) -> Option<Json> {
    let argument = arguments.present(name)?.to_json().ok()?;
    Some(canonical(name, &argument))
}

/// The whole body, but for the labels.
pub(super) fn body(arguments: &Value) -> Map<String, Json> {
    let mut body = Map::new();
    let plain = [
        ("Image", "image"),
        ("Entrypoint", "entrypoint"),
        ("Cmd", "command"),
        ("User", "user"),
        ("WorkingDir", "working_dir"),
        ("Hostname", "hostname"),
        ("StopSignal", "stop_signal"),
        ("StopTimeout", "stop_timeout"),
    ];
    body.extend(plain.into_iter().filter_map(|(key, name)| Some((key.to_owned(), shaped(arguments, name)?))));
    if let Some(env) = shaped(arguments, "env") {
        body.insert("Env".to_owned(), Json::Array(pairs(&env, "=")));
    }
    if let Some(health) = shaped(arguments, "health") {
        body.insert("Healthcheck".to_owned(), healthcheck(&health));
    }
    let exposed: Map<String, Json> = ports(arguments).iter().map(|port| (port_key(port), json!({}))).collect();
    body.insert("ExposedPorts".to_owned(), Json::Object(exposed));
    body.insert("HostConfig".to_owned(), Json::Object(host(arguments)));
    if let Some(first) = networks(arguments).first() {
        body.insert("NetworkingConfig".to_owned(), json!({ "EndpointsConfig": { network_of(first): endpoint(first) } }));
    }
    body
}

fn host(arguments: &Value) -> Map<String, Json> {
    let mut host = Map::new();
    let plain = [
        ("Dns", "dns"),
        ("DnsSearch", "dns_search"),
        ("CapAdd", "capabilities_add"),
        ("CapDrop", "capabilities_drop"),
        ("Privileged", "privileged"),
        ("SecurityOpt", "security_options"),
        ("Sysctls", "sysctls"),
        ("ReadonlyRootfs", "read_only"),
        ("Init", "init"),
    ];
    host.extend(plain.into_iter().filter_map(|(key, name)| Some((key.to_owned(), shaped(arguments, name)?))));
    // No init is not the same as the Engine's own choice, but that is what everybody means by it.
    if host.get("Init") == Some(&json!(false)) {
        host.remove("Init");
    }
    if let Some(hosts) = shaped(arguments, "hosts") {
        host.insert("ExtraHosts".to_owned(), Json::Array(pairs(&hosts, ":")));
    }
    if let Some(mounts) = shaped(arguments, "mounts") {
        host.insert("Mounts".to_owned(), Json::Array(mounts.as_array().into_iter().flatten().map(mount).collect()));
    }
    let driver = arguments.text("log_driver").unwrap_or_default();
    if !driver.is_empty() || arguments.present("log_options").is_some() {
        host.insert(
            "LogConfig".to_owned(),
            json!({ "Type": driver, "Config": shaped(arguments, "log_options").unwrap_or_else(|| json!({})) }),
        );
    }
    let mut bindings: Map<String, Json> = Map::new();
    for port in ports(arguments) {
        let at = port.get("host_port").and_then(Json::as_u64).map(|port| port.to_string()).unwrap_or_default();
        let binding = json!({ "HostIp": port.get("host_address"), "HostPort": at });
        if let Some(list) = bindings.entry(port_key(&port)).or_insert_with(|| json!([])).as_array_mut() {
            list.push(binding);
        }
    }
    host.insert("PortBindings".to_owned(), Json::Object(bindings));
    let mode = networks(arguments).first().map(|first| network_of(first).to_owned());
    if let Some(mode) = mode.or_else(|| arguments.text("network_mode").map(str::to_owned)) {
        host.insert("NetworkMode".to_owned(), json!(mode));
    }
    host.insert("RestartPolicy".to_owned(), restart(arguments));
    host
}

/// The restart policy as the API has it.
pub(super) fn restart(arguments: &Value) -> Json {
    let text = arguments.text("restart").unwrap_or("no");
    let (name, count) = text.split_once(':').unwrap_or((text, "0"));
    json!({ "Name": name, "MaximumRetryCount": count.parse::<u64>().unwrap_or_default() })
}

/// The networks of the arguments, as they are given.
pub(super) fn networks(arguments: &Value) -> Vec<Json> {
    shaped(arguments, "networks").and_then(|networks| networks.as_array().cloned()).unwrap_or_default()
}

/// What names the network of an entry: its name or id.
pub(super) fn network_of(entry: &Json) -> &str {
    entry.get("network").and_then(Json::as_str).unwrap_or_default()
}

/// How a container is in a network.
pub(super) fn endpoint(entry: &Json) -> Json {
    let part = |name: &str| entry.get(name).filter(|part| !part.is_null()).cloned();
    let mut addresses = Map::new();
    for (key, name) in [("IPv4Address", "ipv4_address"), ("IPv6Address", "ipv6_address")] {
        addresses.extend(part(name).map(|address| (key.to_owned(), address)));
    }
    let mut endpoint = Map::new();
    if !addresses.is_empty() {
        endpoint.insert("IPAMConfig".to_owned(), Json::Object(addresses));
    }
    endpoint.extend(part("aliases").map(|aliases| ("Aliases".to_owned(), aliases)));
    Json::Object(endpoint)
}

fn ports(arguments: &Value) -> Vec<Json> {
    shaped(arguments, "ports").and_then(|ports| ports.as_array().cloned()).unwrap_or_default()
}

fn port_key(port: &Json) -> String {
    let number = port.get("container_port").and_then(Json::as_u64).unwrap_or_default();
    format!("{number}/{}", port.get("protocol").and_then(Json::as_str).unwrap_or("tcp"))
}

fn mount(mount: &Json) -> Json {
    let kind = mount.get("type").and_then(Json::as_str).unwrap_or_default();
    let mut body = json!({ "Type": kind, "Target": mount.get("target"), "ReadOnly": mount.get("read_only") });
    if kind != "tmpfs" {
        body["Source"] = mount.get("source").cloned().unwrap_or_default();
    }
    body
}

fn healthcheck(health: &Json) -> Json {
    let mut body = Map::new();
    for (key, name) in [("Test", "test"), ("Retries", "retries")] {
        body.extend(health.get(name).filter(|part| !part.is_null()).map(|part| (key.to_owned(), part.clone())));
    }
    for (key, name) in [("Interval", "interval"), ("Timeout", "timeout"), ("StartPeriod", "start_period")] {
        let time = health.get(name).and_then(Json::as_str).and_then(seconds);
        body.extend(time.map(|time| (key.to_owned(), json!(time.saturating_mul(NANOSECONDS)))));
    }
    Json::Object(body)
}

/// How many of them are a second: the API's unit of time.
pub(super) const NANOSECONDS: u64 = 1_000_000_000;

/// A map as texts, such as `A=1`.
fn pairs(map: &Json, between: &str) -> Vec<Json> {
    let entries = map.as_object().into_iter().flatten();
    entries.map(|(key, value)| json!(format!("{key}{between}{}", value.as_str().unwrap_or_default()))).collect()
}
