//! What there is of a cluster: its containers, and what its control plane keeps in files, which can be read while it is stopped.

use crate::cluster::seen_from_outside;
use crate::kubeconfig::{self, Keys};
use crate::naming::{self, CONTROL_PLANE, LOAD_BALANCER};
use crate::node::{self, Node};
use crate::rendering::absolute;
use docker::{Called, Client};
use engine::schema::{Presence, Schema};
use engine::state::{Record, RecordId};
use engine::value::Value;
use kubernetes::parse_yaml;
use serde_json::{Map, Value as Json, json};
use std::path::Path;

/// What kubeadm was told, as kind wrote it.
const KUBEADM: &str = "/kind/kubeadm.conf";
/// The version of Kubernetes in a node image.
const VERSION: &str = "/kind/version";

/// A cluster of which at least one container is there.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// Its name.
    pub(crate) name: String,
    /// Its containers, in the order of their names.
    pub(crate) nodes: Vec<Node>,
    /// What opens it; nothing before kubeadm has made that.
    pub(crate) keys: Option<Keys>,
    /// The version of Kubernetes.
    pub(crate) version: Option<String>,
    /// What kubeadm was told of the whole, as documents.
    pub(crate) told: Vec<Value>,
    /// The Engine that it is at.
    pub(crate) engine: Json,
}

/// How deep a cluster is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// As far as the configuration is compared with.
    Usual,
    /// Also what kubeadm was told, for imports.
    Whole,
}

/// The cluster of a name, if any of it is there.
pub(crate) async fn cluster(client: &Client, (listed, name): (&[Json], &str), depth: Depth) -> Called<Option<Cluster>> {
    let nodes = node::of_cluster(client, listed, name).await?;
    if nodes.is_empty() {
        return Ok(None);
    }
    let mut cluster =
        Cluster { name: name.to_owned(), nodes, keys: None, version: None, told: Vec::new(), engine: client.identity().told() };
    let first = cluster.node(&naming::first_node(name, CONTROL_PLANE)).cloned();
    if let Some(first) = first {
        let text = async |path| node::file(client, &first, path).await;
        cluster.keys = text(kubeconfig::ADMIN).await?.as_deref().and_then(Keys::read);
        cluster.version = text(VERSION).await?.map(|version| version.trim().to_owned());
        if depth == Depth::Whole {
            cluster.told = text(KUBEADM).await?.and_then(|text| parse_yaml(&text).ok()).unwrap_or_default();
        }
    }
    Ok(Some(cluster))
}

impl Cluster {
    fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name() == name)
    }

    /// The container that answers for the API server.
    fn front(&self) -> Option<&Node> {
        let of = |role: &str| self.nodes.iter().find(|node| node.role() == role);
        of(LOAD_BALANCER).or_else(|| self.node(&naming::first_node(&self.name, CONTROL_PLANE)))
    }

    /// Whether it is the one that a record means: by its containers, or by the mark while those were not written down.
    pub(crate) fn is_of(&self, record: &Record) -> bool {
        let known = record.attributes.present("containers").map(Value::entries).unwrap_or_default();
        let is_known = |node: &Node| known.iter().any(|container| container.value.text("id") == Some(node.id()));
        self.nodes.iter().any(|node| is_known(node) || node.record() == Some(record.id.as_str()))
    }

    /// Whether it bears the mark of a record.
    pub(crate) fn is_made_for(&self, id: &RecordId) -> bool {
        self.nodes.iter().any(|node| node.record() == Some(id.as_str()))
    }

    /// Whether all there is of it is what stands before control planes, which bears no mark and is of no use alone.
    pub(crate) fn is_remains(&self) -> bool {
        self.nodes.iter().all(|node| node.role() == LOAD_BALANCER)
    }

    /// The containers that do not run, control planes first, as nothing else comes up without them.
    pub(crate) fn stopped(&self) -> Vec<&Node> {
        let mut stopped: Vec<&Node> = self.nodes.iter().filter(|node| !node.runs()).collect();
        stopped.sort_by_key(|node| (node.role() != CONTROL_PLANE, node.role() != LOAD_BALANCER));
        stopped
    }

    /// The URL of the API server; nothing while its port is not known.
    fn server(&self) -> Option<String> {
        let (address, port) = self.front()?.api_server()?;
        // As kind writes it where every address is published.
        Some(naming::url(if address.is_empty() { "0.0.0.0" } else { &address }, port?))
    }

    /// Its kubeconfig, once it can be told.
    pub(crate) fn kubeconfig(&self) -> Option<String> {
        Some(self.keys.as_ref()?.kubeconfig(&self.name, &self.server()?))
    }

    /// Whether all is there that a finished create leaves: kind writes the kubeconfig last. One of an earlier cluster of the name has other
    /// keys.
    pub(crate) fn is_whole(&self, file: &Path) -> bool {
        self.keys.as_ref().is_some_and(|keys| kubeconfig::opens(file, keys))
            && kubeconfig::owner(file, &self.name) == kubeconfig::Owner::Cluster
    }

    /// What there is, by the names of attributes; of what cannot be seen from outside what is `told`: arguments or a record's attributes.
    /// `uid` is what the cluster is known by.
    pub(crate) fn parts(&self, told: &Value, files: Files<'_>, uid: Option<&str>) -> Map<String, Json> {
        let roles: Vec<&str> = self.nodes.iter().map(Node::role).collect();
        let (kubeconfig, server) = (self.kubeconfig(), self.server());
        let internal = naming::url(&naming::front(&self.name, &roles), naming::API_PORT);
        let leads = |(address, _): (String, Option<u64>)| naming::leads_from_elsewhere(&address);
        let peer = if self.front().and_then(Node::api_server).is_some_and(leads) { server.clone() } else { Some(internal.clone()) };
        let given = told.text("kubeconfig_path").map_or_else(|| naming::kubeconfig_path(&self.name), str::to_owned);
        let is_written = kubeconfig.as_deref().is_some_and(|text| kubeconfig::holds(&files.kubeconfig(&self.name, told), text));
        let parts = json!({
            "name": self.name,
            "node_image": self.common_image(told),
            "nodes": self.compared(told, files.working_directory),
            "networking": networking_as_told(told, self.networking(told)),
            "network": told.text("network"),
            "kubeconfig_path": is_written.then_some(given),
            "connection": kubeconfig.as_deref().map(|text| kubeconfig::connection(&self.name, text)),
            "kubeconfig": kubeconfig,
            "context": naming::context(&self.name),
            "server": server,
            "internal_server": internal,
            "peer_server": peer,
            "certificate_authority": self.keys.as_ref().and_then(Keys::authority),
            "uid": uid,
            "kubernetes_version": self.version,
            "containers": node::described(&self.nodes),
            "control_plane_address": self.front().map(|front| {
                let (four, six) = front.addresses();
                if four.is_empty() { six } else { four }
            }),
            "running": self.nodes.iter().all(Node::runs),
            (docker::ENGINE): self.engine,
        });
        parts.as_object().cloned().unwrap_or_default()
    }

    /// The nodes that are told of, each with what of it can be seen; without those that are gone, and with those that nobody told of.
    fn nodes_told<'a>(&'a self, told: &'a Value) -> Vec<(Option<&'a Value>, &'a Node)> {
        let roles = naming::roles(told).unwrap_or_default();
        let names = naming::nodes(&self.name, roles.iter().copied());
        let items = told.get("nodes").map(Value::items).unwrap_or_default();
        let front = naming::front(&self.name, &roles);
        if self.node(&front).is_none() && front.ends_with(LOAD_BALANCER) {
            // Nothing reaches its control planes.
            return Vec::new();
        }
        let known = names.iter().enumerate().filter_map(|(at, name)| Some((items.get(at), self.node(name)?)));
        let others = self.nodes.iter().filter(|node| node.name() != front && !names.iter().any(|name| name == node.name()));
        known.chain(others.map(|node| (None, node))).collect()
    }

    /// Nodes in the shape that is compared.
    fn compared(&self, told: &Value, directory: &Path) -> Vec<Json> {
        let nodes = self.nodes_told(told).into_iter().map(|(told, node)| {
            let image = told.and_then(|told| told.text("image")).map(|_| node.image());
            let mut mounts = node.extra_mounts();
            let written = told.and_then(|told| told.present("extra_mounts")).map(Value::items).unwrap_or_default();
            for mount in &mut mounts {
                // A path is told as it is written.
                let is_it = |other: &&Value| {
                    let path = other.text("host_path").map(|path| absolute(directory, path).display().to_string());
                    other.text("container_path") == mount["container_path"].as_str() && path.as_deref() == mount["host_path"].as_str()
                };
                if let Some(path) = written.iter().find(is_it).and_then(|other| other.text("host_path")) {
                    mount["host_path"] = json!(path);
                }
            }
            let found =
                json!({ "role": node.role(), "image": image, "extra_mounts": mounts, "extra_port_mappings": node.extra_port_mappings() });
            // Each is shown as it is written, if that comes to the same.
            let written = told.and_then(|told| told.to_json().ok());
            let outside = |node: &Json| seen_from_outside("nodes", &json!([node]));
            written.filter(|written| docker::holds(&outside(&found), &outside(written))).unwrap_or(found)
        });
        nodes.collect()
    }

    /// The image of the nodes that name none of their own; one that is not as told, if there is such a one.
    fn common_image<'a>(&'a self, told: &'a Value) -> Option<&'a str> {
        let told_of = self.nodes_told(told);
        let common =
            told_of.iter().filter(|(told, _)| told.is_none_or(|told| told.present("image").is_none())).map(|(_, node)| node.image());
        let images: Vec<&str> = common.collect();
        let wanted = told.text("node_image");
        images.iter().find(|image| wanted.is_some_and(|wanted| wanted != **image)).or(images.first()).copied().or(wanted)
    }

    /// The networking in the shape that is compared.
    fn networking(&self, told: &Value) -> Json {
        let mut found = told.get("networking").and_then(|told| told.to_json().ok()?.as_object().cloned()).unwrap_or_default();
        for name in ["disable_default_cni", "dns_search", "ip_family"] {
            found.remove(name);
        }
        let api = self.front().and_then(Node::api_binding);
        found.insert("api_server_address".to_owned(), json!(api.as_ref().map(|api| api.address.as_str())));
        found.insert("api_server_port".to_owned(), json!(api.as_ref().and_then(|api| api.port)));
        let of = |kind: &str| self.told.iter().find(|document| document.text("kind") == Some(kind));
        if let Some(networking) = of("ClusterConfiguration").and_then(|document| document.get("networking")) {
            for (name, path) in [("pod_subnet", "podSubnet"), ("service_subnet", "serviceSubnet")] {
                found.insert(name.to_owned(), json!(networking.text(path)));
            }
        }
        if let Some(proxy) = of("KubeProxyConfiguration") {
            found.insert("kube_proxy_mode".to_owned(), json!(proxy.text("mode")));
        }
        Json::Object(found)
    }
}

/// The networking that was found as it was told, if that comes to the same.
fn networking_as_told(told: &Value, found: Json) -> Json {
    let told = told.present("networking").and_then(|told| told.to_json().ok());
    let outside = |networking: &Json| seen_from_outside("networking", networking);
    told.filter(|told| docker::holds(&outside(&found), &outside(told))).unwrap_or(found)
}

/// Where files are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Files<'a> {
    /// What paths that are given are relative to.
    pub(crate) working_directory: &'a Path,
    /// What paths that are not given are relative to.
    pub(crate) directory: &'a Path,
}

impl Files<'_> {
    /// The file of a cluster's kubeconfig.
    pub(crate) fn kubeconfig(&self, name: &str, told: &Value) -> std::path::PathBuf {
        let usual = naming::kubeconfig_path(name);
        match told.text("kubeconfig_path") {
            Some(path) if path != usual => self.working_directory.join(path),
            _ => self.directory.join(usual),
        }
    }
}

/// What was found as an observation: what is secret of it is so.
pub(crate) fn observed(schema: &Schema, parts: &Map<String, Json>, told: &Value) -> Value {
    Value::object(parts.iter().map(|(name, part)| {
        let is_secret = schema.attribute(name).is_some_and(|attribute| attribute.sensitive);
        let is_told_so = told.get(name).is_some_and(Value::holds_sensitive);
        (name.as_str(), Value::from_json(part).sensitive_if(is_secret || is_told_so))
    }))
}

/// An observation with what is remembered of arguments that cannot be seen: nobody else can change them. Of secrets only a hash is.
pub(crate) fn remembering(schema: &Schema, observed: &Value, remembered: &Value) -> Value {
    let unseen =
        schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed && observed.get(attribute.name).is_none());
    let kept = unseen.filter_map(|attribute| {
        let value = remembered.present(attribute.name).filter(|value| value.is_known() && !value.holds_sensitive())?;
        Some((attribute.name.to_owned(), value.clone()))
    });
    Value::object(observed.entries().iter().map(|entry| (entry.key.to_string(), entry.value.clone())).chain(kept))
}

/// All attributes of the schema: what the arguments say, and what is there of the rest.
pub(crate) fn attributes(schema: &Schema, arguments: &Value, parts: &Map<String, Json>) -> Value {
    Value::object(schema.attributes.iter().map(|attribute| {
        let given = arguments.get(attribute.name).filter(|given| match attribute.presence {
            Presence::Computed => false,
            Presence::OptionalComputed => !given.is_null(),
            Presence::Required | Presence::Optional => true,
        });
        let found = || parts.get(attribute.name).filter(|_| attribute.presence != Presence::Optional).map(Value::from_json);
        let value = given.cloned().or_else(found).unwrap_or_else(Value::null);
        (attribute.name, value.sensitive_if(attribute.sensitive))
    }))
}
