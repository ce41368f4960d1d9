//! The one shape in which arguments and what the Engine says of a container are compared.

use crate::planning::holds;
use engine::config::seconds;
use serde_json::{Map, Value as Json, json};

/// An argument in that shape.
pub(super) fn canonical(name: &str, argument: &Json) -> Json {
    let each = |change: &dyn Fn(&Json) -> Json| Json::Array(argument.as_array().into_iter().flatten().map(change).collect());
    match name {
        "ports" => sorted(each(&port)),
        "mounts" => sorted(each(&mount)),
        "capabilities_add" | "capabilities_drop" => sorted(each(&|name| json!(capability(name.as_str().unwrap_or_default())))),
        "security_options" => sorted(argument.clone()),
        "health" => health(argument),
        "files" => {
            let files = argument.as_object().into_iter().flatten().map(|(path, file)| (path.clone(), file_of(file)));
            Json::Object(files.collect::<Map<_, _>>())
        }
        _ => argument.clone(),
    }
}

/// A list in the order of its texts.
pub(super) fn sorted(list: Json) -> Json {
    let Json::Array(mut items) = list else { return list };
    items.sort_by_cached_key(order);
    Json::Array(items)
}

/// What a list is ordered by: of ports and mounts what is given in every case, with numbers of one length.
fn order(item: &Json) -> String {
    let part = |name: &str| match item.get(name) {
        Some(Json::Number(number)) => format!("{:>5}", number.to_string()),
        Some(Json::String(text)) => text.clone(),
        _ => String::new(),
    };
    match item.as_str() {
        Some(text) => text.to_owned(),
        None => ["target", "container_port", "protocol", "host_address", "host_port"].map(part).join(" "),
    }
}

fn port(port: &Json) -> Json {
    let protocol = port.get("protocol").and_then(Json::as_str).unwrap_or("tcp").to_lowercase();
    // Every address is the same as none.
    let address = port.get("host_address").and_then(Json::as_str).filter(|address| !matches!(*address, "" | "0.0.0.0"));
    json!({ "container_port": port.get("container_port"), "protocol": protocol, "host_address": address.unwrap_or_default(), "host_port": port.get("host_port") })
}

fn mount(mount: &Json) -> Json {
    let kind = mount.get("type").and_then(Json::as_str).unwrap_or("bind");
    let read_only = mount.get("read_only").and_then(Json::as_bool).unwrap_or_default();
    json!({ "target": mount.get("target"), "source": mount.get("source"), "type": kind, "read_only": read_only })
}

/// A capability without the prefix that some engines add.
pub(super) fn capability(name: &str) -> String {
    let name = name.to_uppercase();
    name.strip_prefix("CAP_").map_or_else(|| name.clone(), str::to_owned)
}

fn health(health: &Json) -> Json {
    let time = |name: &str| health.get(name).and_then(Json::as_str).and_then(seconds).map(|time| format!("{time}s"));
    json!({
        "test": health.get("test"),
        "interval": time("interval"),
        "timeout": time("timeout"),
        "start_period": time("start_period"),
        "retries": health.get("retries"),
    })
}

fn file_of(file: &Json) -> Json {
    let mode = file.get("mode").and_then(Json::as_str).and_then(mode).unwrap_or(USUAL_MODE);
    json!({ "content": file.get("content"), "content_base64": file.get("content_base64"), "mode": written(mode) })
}

/// The mode of a file that says none.
const USUAL_MODE: u32 = 0o644;

/// A mode as it is written: four octal digits.
pub(super) fn written(mode: u32) -> String {
    format!("{mode:04o}")
}

/// Reads a mode of at most four octal digits.
pub(super) fn mode(text: &str) -> Option<u32> {
    let fits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    u32::from_str_radix(text, 8).ok().filter(|_| fits)
}

/// Whether a file is as it is to be, both in this shape.
pub(super) fn is_same_file(found: Option<&Json>, wanted: &Json) -> bool {
    found.is_some_and(|found| holds(found, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_take_one_shape() {
        for (name, argument, expected) in [
            (
                "ports",
                json!([{ "container_port": 443, "host_port": 443, "host_address": "10.0.0.1" }, { "container_port": 53, "protocol": "UDP", "host_address": "0.0.0.0" }]),
                json!([
                    { "container_port": 53, "protocol": "udp", "host_address": "", "host_port": null },
                    { "container_port": 443, "protocol": "tcp", "host_address": "10.0.0.1", "host_port": 443 },
                ]),
            ),
            (
                "mounts",
                json!([{ "target": "/a", "source": "/b" }]),
                json!([{ "target": "/a", "source": "/b", "type": "bind", "read_only": false }]),
            ),
            ("capabilities_add", json!(["net_raw", "CAP_NET_ADMIN"]), json!(["NET_ADMIN", "NET_RAW"])),
            ("security_options", json!(["b", "a"]), json!(["a", "b"])),
            (
                "health",
                json!({ "test": ["CMD", "true"], "interval": "1m", "retries": 3 }),
                json!({ "test": ["CMD", "true"], "interval": "60s", "timeout": null, "start_period": null, "retries": 3 }),
            ),
            ("files", json!({ "/a": { "content": "x" } }), json!({ "/a": { "content": "x", "content_base64": null, "mode": "0644" } })),
            ("command", json!(["b", "a"]), json!(["b", "a"])),
        ] {
            assert_eq!(canonical(name, &argument), expected, "{name}");
        }
    }

    #[test]
    fn modes_are_octal() {
        for (text, expected) in
            [("644", Some(0o644)), ("4755", Some(0o4755)), ("08", None), ("0899", None), ("+644", None), ("07777", None)]
        {
            assert_eq!(mode(text), expected, "{text}");
        }
        assert_eq!(written(0o44), "0044");
    }
}
