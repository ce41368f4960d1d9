//! `kind_cluster`: what can be told of a cluster before anything is done.

use crate::naming::{self, CONTROL_PLANE};
use crate::node::{is_every, port_order};
use crate::{pinning, ports, preflight, schema, validation};
use docker::{Comparable, Difference};
use engine::schema::{Claim, Comparison, Kind, OnChange, Planned, Preview, Problem, Schema, created};
use engine::state::{Operation, Status};
use engine::value::{Type, Value};
use serde_json::{Value as Json, json};

/// `kind_cluster`.
pub(crate) struct ClusterKind {
    schema: Schema,
}

impl Default for ClusterKind {
    fn default() -> Self {
        Self { schema: schema::cluster() }
    }
}

/// A description that is held against what was found.
struct Against<'a> {
    schema: &'a Schema,
    name: Option<&'a str>,
    observed: Option<&'a Value>,
}

impl Comparable for Against<'_> {
    fn schema(&self) -> &Schema {
        self.schema
    }

    fn canonical(&self, name: &str, argument: &Json) -> Json {
        seen_from_outside(name, argument)
    }

    fn is_mended_in_place(&self, difference: &Difference<'_>) -> bool {
        let (desired, was) = (difference.desired, difference.remembered);
        // What only says what is so anyway is written down.
        let comes_to_the_same = difference.is_configured && desired.is_known();
        match difference.attribute.name {
            "nodes" if comes_to_the_same => ports::same_nodes(desired, was, (self.name, self.observed)),
            "networking" if comes_to_the_same => ports::same_networking(desired, was, self.observed),
            _ => difference.attribute.on_change == OnChange::Update,
        }
    }
}

/// An argument in the shape that is compared: with what of it can be seen, and with what it is by default.
pub(crate) fn seen_from_outside(name: &str, argument: &Json) -> Json {
    match name {
        "nodes" => argument.as_array().into_iter().flatten().map(node).collect(),
        "networking" => networking(argument),
        _ => argument.clone(),
    }
}

/// An observation in that shape.
fn compared(observed: &Value) -> Value {
    Value::object(observed.entries().iter().map(|entry| {
        let is_seen = matches!(&*entry.key, "nodes" | "networking");
        let shaped = if is_seen { entry.value.to_json().ok() } else { None };
        let shaped = shaped.map(|found| Value::from_json(&seen_from_outside(&entry.key, &found)));
        (entry.key.clone(), shaped.unwrap_or_else(|| entry.value.clone()))
    }))
}

/// A node as it is seen from outside.
fn node(node: &Json) -> Json {
    let list = |name: &str| node.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
    let flag = |mount: &Json, name: &str| mount.get(name).and_then(Json::as_bool).unwrap_or_default();
    let text = |of: &Json, name: &str, usual: &str| of.get(name).and_then(Json::as_str).unwrap_or(usual).to_owned();
    let mut mounts: Vec<Json> = list("extra_mounts")
        .iter()
        .map(|mount| {
            json!({ "host_path": mount.get("host_path"), "container_path": mount.get("container_path"), "read_only": flag(mount, "read_only"),
                "selinux_relabel": flag(mount, "selinux_relabel"), "propagation": text(mount, "propagation", "None") })
        })
        .collect();
    mounts.sort_by_cached_key(|mount| mount["container_path"].to_string());
    let mut ports: Vec<Json> = list("extra_port_mappings")
        .iter()
        .map(|port| {
            let address = text(port, "listen_address", "");
            json!({ "container_port": port.get("container_port"), "host_port": chosen(port.get("host_port")),
                "listen_address": if is_every(&address) { "" } else { address.as_str() }, "protocol": text(port, "protocol", "TCP") })
        })
        .collect();
    ports.sort_by_cached_key(port_order);
    json!({ "role": text(node, "role", CONTROL_PLANE), "image": node.get("image"), "extra_mounts": mounts, "extra_port_mappings": ports })
}

/// Networking as it is seen from outside.
fn networking(networking: &Json) -> Json {
    let text = |name: &str| networking.get(name).and_then(Json::as_str);
    let address = text("api_server_address").map(|address| if is_every(address) { "" } else { address });
    json!({ "api_server_address": address, "api_server_port": chosen(networking.get("api_server_port")), "pod_subnet": text("pod_subnet"),
        "service_subnet": text("service_subnet"), "kube_proxy_mode": text("kube_proxy_mode") })
}

/// A port that the configuration chose: 0 and -1 leave that to others.
fn chosen(port: Option<&Json>) -> Option<u64> {
    port.and_then(Json::as_u64).filter(|port| *port > 0)
}

/// The arguments with what they leave to the kind filled in, as far as it is known.
fn pinned(asked: &Comparison<'_>) -> Value {
    let remembered = |name: &str| asked.prior?.attributes.present(name).filter(|was| was.is_known()).cloned();
    Value::object(asked.desired.entries().iter().map(|entry| {
        let filled = match &*entry.key {
            "node_image" if entry.value.is_null() => remembered("node_image"),
            "kubeconfig_path" if entry.value.is_null() => {
                asked.desired.text("name").map(|name| Value::string(naming::kubeconfig_path(name)))
            }
            _ => None,
        };
        (entry.key.clone(), filled.unwrap_or_else(|| entry.value.clone()))
    }))
}

/// The attributes of a cluster that is to be made, with what follows from its description.
fn foreseen(attributes: &Value, asked: &Comparison<'_>) -> Value {
    let desired = asked.desired;
    let Some(name) = desired.text("name") else { return attributes.clone() };
    let roles = naming::roles(desired);
    let internal = roles.map(|roles| naming::url(&naming::front(name, &roles), naming::API_PORT));
    let address = api_address(desired);
    let server = address.zip(api_port(desired)).map(|(address, port)| naming::url(address, port));
    let peer = address.and_then(|address| if naming::leads_from_elsewhere(address) { server.clone() } else { internal.clone() });
    let previewed = match asked.preview {
        Some(Preview::Accepted(answer)) => answer.text("node_image"),
        _ => None,
    };
    Value::object(attributes.entries().iter().map(|entry| {
        let known = match &*entry.key {
            "context" => Some(naming::context(name)),
            "server" => server.clone(),
            "internal_server" => internal.clone(),
            "peer_server" => peer.clone(),
            "node_image" if desired.get("node_image").is_none_or(Value::is_null) => previewed.map(str::to_owned),
            _ => None,
        };
        let value = match (&*entry.key, known) {
            ("running", _) => Value::bool(true),
            (_, Some(known)) => Value::string(known),
            (_, None) => entry.value.clone(),
        };
        (entry.key.clone(), value)
    }))
}

/// Where the API server is to be published, if that is known.
pub(crate) fn api_address(desired: &Value) -> Option<&str> {
    let networking = desired.get("networking").filter(|networking| !networking.is_null());
    let Some(networking) = networking else { return Some(naming::usual_address(None)) };
    match networking.get("api_server_address") {
        Some(address) if !address.is_null() => address.as_str(),
        _ if !networking.get("ip_family").is_none_or(Value::is_known) => None,
        _ => Some(naming::usual_address(networking.text("ip_family"))),
    }
}

/// The port that the API server is to be published at, if it is chosen and known.
pub(crate) fn api_port(desired: &Value) -> Option<u64> {
    desired.present("networking")?.get("api_server_port")?.as_u64().filter(|port| *port > 0)
}

/// What an update that starts nodes leaves: what the Engine chooses anew at each start is not known before.
fn started(attributes: &Value, desired: &Value) -> Value {
    let is_chosen_anew = desired.present("networking").and_then(|networking| networking.get("api_server_port")).is_some_and(|port| {
        let port = port.to_json().ok().and_then(|port| port.as_f64());
        port.is_some_and(|port| port < 0.0)
    });
    Value::object(attributes.entries().iter().map(|entry| {
        let value = match &*entry.key {
            "running" => Value::bool(true),
            "containers" | "control_plane_address" => Value::unknown(Type::Any),
            "server" | "connection" | "kubeconfig" if is_chosen_anew => Value::unknown(Type::Any).sensitive_if(&*entry.key != "server"),
            _ => entry.value.clone(),
        };
        (entry.key.clone(), value)
    }))
}

/// Whether nodes of what was found do not run.
fn is_stopped(asked: &Comparison<'_>) -> bool {
    asked.observed.and_then(|observed| observed.get("running")).and_then(Value::as_bool) == Some(false)
}

/// Whether an interrupted create left something that it did not finish.
fn is_half(asked: &Comparison<'_>) -> bool {
    let begun = asked.prior.is_some_and(|prior| prior.status == Status::Interrupted(Operation::Create));
    begun && asked.observed.and_then(|observed| observed.get("whole")).and_then(Value::as_bool) == Some(false)
}

impl Kind for ClusterKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        validation::problems(arguments)
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        arguments.text("name").map(docker::preflight::cluster_identity)
    }

    fn claims(&self, arguments: &Value) -> Option<Vec<Claim>> {
        Some(preflight::claims(arguments))
    }

    fn import(&self, id: &str, arguments: &Value) -> Result<(), Problem> {
        match arguments.text("name") {
            Some(name) if name == id => Ok(()),
            Some(name) => {
                let detail = format!("`id` names `{id}`, and the configuration describes `{name}`");
                Err(Problem::new("id of another object", detail).help("Let both name the same cluster: the id is its name."))
            }
            None => {
                let detail = "its name is known only after apply, and what is imported is looked at when the plan is made";
                Err(Problem::new("import not known yet", detail)
                    .help("Let it come from variables, locals or a data source that is read now."))
            }
        }
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let desired = pinned(&asked);
        let observed = asked.observed.map(compared);
        let asked = Comparison { desired: &desired, observed: observed.as_ref(), ..asked };
        if is_half(&asked) {
            return Planned::Replace { attributes: foreseen(&created(&self.schema, &desired), &asked), because: Vec::new() };
        }
        let against = Against { schema: &self.schema, name: desired.text("name"), observed: asked.observed };
        match docker::planned(&against, asked) {
            Planned::Create(attributes) => Planned::Create(foreseen(&attributes, &asked)),
            Planned::Replace { attributes, because } => Planned::Replace { attributes: foreseen(&attributes, &asked), because },
            Planned::Keep(attributes) if is_stopped(&asked) => {
                let running = || vec!["running".to_owned()];
                let drifted = engine::schema::Drift { paths: running(), by: Vec::new() };
                Planned::Update { attributes: started(&attributes, &desired), changed: running(), drifted }
            }
            Planned::Update { attributes, mut changed, mut drifted } if is_stopped(&asked) => {
                changed.push("running".to_owned());
                drifted.paths.push("running".to_owned());
                Planned::Update { attributes: started(&attributes, &desired), changed, drifted }
            }
            other => other,
        }
    }

    fn remarks(&self, preview: &Value) -> Vec<Problem> {
        let images: Vec<&str> = preview.get("unpinned").map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str).collect();
        let problem = |image: &&str| {
            let detail = format!("`{image}` is a tag, which may lead to another image tomorrow, or to one that was made for another kind");
            let help = "Write it with the digest that the release notes of kind give: `kindest/node:v1.37.0@sha256:…`.";
            Problem::with("node_image", "image not pinned", detail).help(help).warning()
        };
        images.iter().map(problem).collect()
    }

    fn stands_on(&self, observed: &Value) -> Value {
        // Addresses are given anew at each start; a plan does not stand on them.
        let is_ours = |key: &str| !matches!(key, "containers" | "control_plane_address" | docker::ENGINE);
        let entries = observed.entries().iter().filter(|entry| is_ours(&entry.key));
        Value::object(entries.map(|entry| (entry.key.clone(), entry.value.clone())))
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        docker::remembered(&self.schema, attributes, secret_key)
    }
}

/// What a preview answers: the image of the nodes, and the images that may change under their names.
pub(crate) fn previewed(arguments: &Value, usual_image: Option<&str>) -> Value {
    let image = arguments.text("node_image").or(usual_image);
    Value::from_json(&json!({ "node_image": image, "unpinned": pinning::unpinned(arguments) }))
}

#[cfg(test)]
mod tests;
