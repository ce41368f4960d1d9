//! What containers take and give.

use crate::naming::on_exists;
use engine::schema::{Attribute, Schema};
use engine::value::{Type, Value};

/// The data of `docker_container`.
pub(super) fn container() -> Schema {
    let attributes = [identity(), surroundings(), process(), life(), computed(), vec![crate::planning::engine_attribute()]].concat();
    let doc = "A container of the Docker Engine. Files, the restart policy and whether it runs change in place; whatever else changes replaces it.";
    Schema { kind: super::NAME, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: true }
}

fn text(name: &'static str, doc: &'static str) -> Attribute {
    Attribute::optional(name, Type::String, doc).replaces()
}

fn texts(name: &'static str, doc: &'static str) -> Attribute {
    Attribute::optional(name, Type::list(Type::String), doc).replaces()
}

fn text_map(name: &'static str, doc: &'static str) -> Attribute {
    Attribute::optional(name, Type::map(Type::String), doc).replaces()
}

fn yes_or_no(name: &'static str, default: bool, doc: &'static str) -> Attribute {
    Attribute::optional(name, Type::Bool, doc).default(Value::bool(default))
}

fn identity() -> Vec<Attribute> {
    vec![
        Attribute::required("name", Type::String, "Name of the container at the Engine.").replaces(),
        Attribute::required(
            "image",
            Type::String,
            "Its image: a name, or an id such as `docker_image.x.id`. It has to be at the Engine; a `docker_image` brings it.",
        )
        .replaces(),
        texts("entrypoint", "The program and its first arguments, instead of the image's."),
        texts("command", "The arguments after the entrypoint, instead of the image's."),
        text_map("env", "Environment variables beside the image's. Secret ones stand in the state as hashes."),
        text("user", "User, or `user:group`, that the program runs as, instead of the image's."),
        text("working_dir", "Where the program starts, instead of the image's."),
        text_map("labels", "Labels. Others may be there beside them."),
    ]
}

fn surroundings() -> Vec<Attribute> {
    let port = [
        ("container_port", Type::Number, false),
        ("host_port", Type::Number, true),
        ("host_address", Type::String, true),
        ("protocol", Type::String, true),
    ];
    let mount =
        [("target", Type::String, false), ("source", Type::String, true), ("type", Type::String, true), ("read_only", Type::Bool, true)];
    let network = [
        ("network", Type::String, false),
        ("ipv4_address", Type::String, true),
        ("ipv6_address", Type::String, true),
        ("aliases", Type::list(Type::String), true),
    ];
    let file = [("content", Type::String, true), ("content_base64", Type::String, true), ("mode", Type::String, true)];
    vec![
        Attribute::optional(
            "ports",
            Type::list(Type::object(port)),
            "Ports that are published on the host, at `host_address` (every one without it) and `host_port` (one that the Engine chooses without it; \
             see `published_ports`); `protocol` is `tcp`, `udp` or `sctp`.",
        )
        .replaces(),
        Attribute::optional(
            "networks",
            Type::list(Type::object(network)),
            "Networks that it is connected to: each by its `network`, a name or `docker_network.x.id`, with fixed addresses and further names. \
             By its id a container is replaced together with its network.",
        )
        .replaces(),
        text("network_mode", "Instead of `networks`: `host`, `none`, `bridge` or `container:NAME`."),
        text("hostname", "Its own host name; the first digits of its id without it."),
        text_map("hosts", "Lines for its `/etc/hosts`: addresses by name."),
        texts("dns", "Name servers, instead of the Engine's."),
        texts("dns_search", "Domains that short names are looked up in."),
        Attribute::optional(
            "mounts",
            Type::list(Type::object(mount)),
            "What is mounted at `target`: with `type` `bind` (the default) the host's `source`, with `volume` the volume `source`, with `tmpfs` memory.",
        )
        .replaces(),
        Attribute::optional(
            "files",
            Type::map(Type::object(file)),
            "Files by their path in the container, put in place before it starts: `content`, or `content_base64` for what is no text, and `mode` \
             (`0644` without it). When one changes, the container is stopped, given the file, and started again.",
        ),
    ]
}

fn process() -> Vec<Attribute> {
    let health = [
        ("test", Type::list(Type::String), false),
        ("interval", Type::String, true),
        ("timeout", Type::String, true),
        ("start_period", Type::String, true),
        ("retries", Type::Number, true),
    ];
    vec![
        texts("capabilities_add", "Capabilities beside the usual ones, such as `NET_ADMIN`."),
        texts("capabilities_drop", "Usual capabilities that it does without; `ALL` is every one."),
        yes_or_no("privileged", false, "Whether it may do all that the host may.").replaces(),
        texts("security_options", "Options for the security modules, such as `seccomp=unconfined`."),
        text_map("sysctls", "Kernel parameters of its namespaces."),
        yes_or_no("read_only", false, "Whether its root file system is read-only.").replaces(),
        yes_or_no("init", false, "Whether a small init reaps processes and passes signals on.").replaces(),
        text("log_driver", "Where its output goes, such as `json-file`; the Engine's own driver without it."),
        text_map("log_options", "Options of the log driver, such as `max-size`."),
        Attribute::optional(
            "health",
            Type::object(health),
            "How it is checked: `test` as in a Dockerfile (`[\"CMD\", …]` or `[\"CMD-SHELL\", \"…\"]`), and how often, as in `10s`.",
        )
        .replaces(),
        text("stop_signal", "The signal that asks it to end, instead of the image's."),
        Attribute::optional("stop_timeout", Type::Number, "How long it may take to end before it is killed, in seconds; 10 without it.")
            .replaces(),
    ]
}

fn life() -> Vec<Attribute> {
    vec![
        Attribute::optional(
            "restart",
            Type::String,
            "When the Engine starts it again: `no`, `on-failure`, `on-failure:5`, `unless-stopped`, `always`.",
        )
        .default(Value::string("no")),
        yes_or_no("running", true, "Whether it runs. One that has stopped is started again."),
        Attribute::optional(
            "restart_triggers",
            Type::Any,
            "Anything; when it changes the container is restarted. Such as hashes of files that it mounts.",
        ),
        Attribute::optional(
            "forwards_to",
            Type::list(Type::String),
            "Where the program in it passes requests on to, as `address:port`. It says so to meshplan alone: containers that would pass a request \
             round in a circle are an error.",
        ),
        yes_or_no(
            "wait",
            true,
            "Whether an apply waits until it runs steadily, and is healthy if it has a `health`: for 60 s, or as long as `timeouts` says. Without \
             `timeouts` it gives up as soon as the Engine has started the container again five times.",
        ),
        on_exists(),
    ]
}

fn computed() -> Vec<Attribute> {
    let port = [
        ("container_port", Type::Number, false),
        ("protocol", Type::String, false),
        ("host_address", Type::String, false),
        ("host_port", Type::Number, false),
    ];
    let addresses = "Its IPv4 addresses by the names of its networks. They may change whenever it starts, unless they are fixed.";
    vec![
        Attribute::computed("id", Type::String, "The Engine's id."),
        Attribute::computed("image_id", Type::String, "The id of its image."),
        Attribute::computed("ip_addresses", Type::map(Type::String), addresses).volatile(),
        Attribute::computed("ipv6_addresses", Type::map(Type::String), "The same of IPv6.").volatile(),
        Attribute::computed("published_ports", Type::list(Type::object(port)), "Its published ports as they are, one for each address.")
            .volatile(),
    ]
}

/// The data of `data "docker_container"`.
pub(super) fn data() -> Schema {
    let mut attributes = vec![
        Attribute::required("name", Type::String, "Name of the container, such as `cluster1-control-plane`."),
        Attribute::computed("image", Type::String, "Its image, as it was named."),
        Attribute::computed("labels", Type::map(Type::String), "Labels."),
        Attribute::computed("running", Type::Bool, "Whether it runs."),
    ];
    attributes.extend(computed().into_iter().map(|attribute| Attribute { volatile: false, ..attribute }));
    let doc = "A container of the Docker Engine that somebody else made, such as a node of kind, with its addresses.";
    Schema { kind: super::NAME, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false }
}
