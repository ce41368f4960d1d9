//! One container of a cluster, as the Engine tells of it.

use crate::mark;
use crate::naming::API_PORT;
use docker::{CallError, Called, Client};
use serde_json::{Map, Value as Json, json};

/// The label of every container of kind, with the name of its cluster.
pub(crate) const CLUSTER: &str = "io.x-k8s.kind.cluster";
/// The label with its role.
const ROLE: &str = "io.x-k8s.kind.role";
/// Mounts that kind adds by itself.
const KINDS_OWN: [&str; 2] = ["/lib/modules", "/dev/mapper"];

/// A container, by `GET /containers/ID/json`.
#[derive(Debug, Clone)]
pub(crate) struct Node(pub(crate) Json);

/// A place of the host that something is published at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The port within, such as `6443/tcp`.
    pub(crate) within: String,
    /// The address; empty for every one.
    pub(crate) address: String,
    /// The port, unless the Engine chooses it at each start.
    pub(crate) port: Option<u64>,
}

impl Node {
    fn text(&self, path: &str) -> &str {
        self.0.pointer(path).and_then(Json::as_str).unwrap_or_default()
    }

    fn label(&self, name: &str) -> &str {
        self.0.pointer("/Config/Labels").and_then(|labels| labels.get(name)).and_then(Json::as_str).unwrap_or_default()
    }

    /// The id at the Engine.
    pub(crate) fn id(&self) -> &str {
        self.text("/Id")
    }

    /// The name of the container, and of the node.
    pub(crate) fn name(&self) -> &str {
        self.text("/Name").trim_start_matches('/')
    }

    /// `control-plane`, `worker` or `external-load-balancer`.
    pub(crate) fn role(&self) -> &str {
        self.label(ROLE)
    }

    /// The image as it was asked for.
    pub(crate) fn image(&self) -> &str {
        self.text("/Config/Image")
    }

    /// Whether it runs and is not paused.
    pub(crate) fn runs(&self) -> bool {
        let flag = |path: &str| self.0.pointer(path).and_then(Json::as_bool).unwrap_or_default();
        flag("/State/Running") && !flag("/State/Paused")
    }

    /// Whether it is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.0.pointer("/State/Paused").and_then(Json::as_bool).unwrap_or_default()
    }

    /// Why it does not run, as a fragment after its name.
    pub(crate) fn stands(&self) -> String {
        let (state, error) = (self.text("/State/Status"), self.text("/State/Error"));
        if error.is_empty() { format!("is {state}") } else { format!("is {state} ({error})") }
    }

    /// The record that it was made for, if it was made here.
    pub(crate) fn record(&self) -> Option<&str> {
        mark::record(self.binds())
    }

    fn binds(&self) -> impl Iterator<Item = &str> {
        self.0.pointer("/HostConfig/Binds").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
    }

    /// The mounts that the configuration asked for, in the order of their targets.
    pub(crate) fn extra_mounts(&self) -> Vec<Json> {
        let mut mounts: Vec<Json> = self
            .binds()
            .filter_map(|bind| {
                let mut parts = bind.split(':');
                let (source, target) = (parts.next()?, parts.next()?);
                if !source.starts_with('/') || KINDS_OWN.contains(&target) || mark::is_mark(target) {
                    return None;
                }
                let options: Vec<&str> = parts.next().unwrap_or_default().split(',').collect();
                let propagation = match () {
                    () if options.contains(&"rshared") => "Bidirectional",
                    () if options.contains(&"rslave") => "HostToContainer",
                    () => "None",
                };
                let is = |option: &str| options.contains(&option);
                Some(json!({ "host_path": source, "container_path": target, "read_only": is("ro"),
                    "selinux_relabel": is("Z"), "propagation": propagation }))
            })
            .collect();
        mounts.sort_by_cached_key(|mount| mount["container_path"].to_string());
        mounts
    }

    /// Where it is published, in the order in which it was asked for.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        self.published("/HostConfig/PortBindings")
    }

    fn published(&self, path: &str) -> Vec<Binding> {
        let all = self.0.pointer(path).and_then(Json::as_object).cloned().unwrap_or_default();
        let each = all.iter().flat_map(|(within, places)| places.as_array().into_iter().flatten().map(move |place| (within, place)));
        let bindings = each.map(|(within, place)| {
            let text = |key: &str| place.get(key).and_then(Json::as_str).unwrap_or_default();
            let address = Some(text("HostIp")).filter(|address| !is_every(address)).unwrap_or_default();
            let port = text("HostPort").parse().ok().filter(|port| *port > 0);
            Binding { within: within.clone(), address: address.to_owned(), port }
        });
        bindings.collect()
    }

    /// Where the API server is asked to be published: what kind adds after all that the configuration asks for.
    pub(crate) fn api_binding(&self) -> Option<Binding> {
        self.bindings().into_iter().rfind(|binding| binding.within == api_port())
    }

    /// Where it is published now: the address, and the port unless it is not to be known while the node is stopped.
    pub(crate) fn api_server(&self) -> Option<(String, Option<u64>)> {
        let asked = self.api_binding()?;
        // Docker Desktop forwards ports by itself, and says where.
        let forwarded = self.label(&format!("desktop.docker.io/ports/{}", api_port())).trim_start_matches(':');
        if let Some((address, port)) = forwarded.rsplit_once(':').or(Some(("", forwarded))).filter(|(_, port)| !port.is_empty()) {
            let address = if address.is_empty() { asked.address.as_str() } else { address };
            return Some((address.to_owned(), port.parse().ok()));
        }
        let given = || self.published("/NetworkSettings/Ports").into_iter().find(|binding| binding.within == api_port());
        let port = asked.port.or_else(|| given()?.port);
        Some((asked.address, port))
    }

    /// The ports that the configuration asked for, in the order of what is within.
    pub(crate) fn extra_port_mappings(&self) -> Vec<Json> {
        let mut bindings = self.bindings();
        if let Some(at) = bindings.iter().rposition(|binding| binding.within == api_port()).filter(|_| self.role() != crate::naming::WORKER)
        {
            bindings.remove(at);
        }
        let mut ports: Vec<Json> = bindings.iter().map(Binding::mapping).collect();
        ports.sort_by_cached_key(port_order);
        ports
    }

    /// Its addresses of both families in the first network that gives it one; empty while it is stopped.
    pub(crate) fn addresses(&self) -> (String, String) {
        let networks = self.0.pointer("/NetworkSettings/Networks").and_then(Json::as_object).cloned().unwrap_or_default();
        let of = |network: &Json, key: &str| network.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut each = networks.values().map(|network| (of(network, "IPAddress"), of(network, "GlobalIPv6Address")));
        each.find(|(four, six)| !four.is_empty() || !six.is_empty()).unwrap_or_default()
    }

    /// What is told of it as one of the containers.
    pub(crate) fn described(&self) -> Json {
        let (four, six) = self.addresses();
        json!({ "id": self.id(), "role": self.role(), "image": self.image(), "ipv4_address": four, "ipv6_address": six,
            "ports": self.extra_port_mappings() })
    }
}

impl Binding {
    fn mapping(&self) -> Json {
        let (number, protocol) = self.within.split_once('/').unwrap_or((&self.within, "tcp"));
        json!({ "container_port": number.parse::<u64>().ok(), "host_port": self.port, "listen_address": self.address,
            "protocol": protocol.to_uppercase() })
    }
}

/// What published ports are ordered by.
pub(crate) fn port_order(port: &Json) -> String {
    let number = |name: &str| format!("{:>5}", port.get(name).and_then(Json::as_u64).unwrap_or_default());
    let text = |name: &str| port.get(name).and_then(Json::as_str).unwrap_or_default();
    format!("{} {} {} {}", number("container_port"), text("protocol"), text("listen_address"), number("host_port"))
}

/// Whether an address stands for every one.
pub(crate) fn is_every(address: &str) -> bool {
    matches!(address, "" | "0.0.0.0" | "::")
}

fn api_port() -> String {
    format!("{API_PORT}/tcp")
}

/// The containers of a cluster, by their names, among all that the Engine lists.
pub(crate) async fn of_cluster(client: &Client, listed: &[Json], cluster: &str) -> Called<Vec<Node>> {
    let is_of = |container: &&Json| container.get("Labels").and_then(|labels| labels.get(CLUSTER)).and_then(Json::as_str) == Some(cluster);
    let mut nodes = Vec::new();
    for container in listed.iter().filter(is_of) {
        let id = container.get("Id").and_then(Json::as_str).unwrap_or_default();
        match client.container(id).await {
            Ok(inspected) => nodes.push(Node(inspected)),
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error),
        }
    }
    nodes.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(nodes)
}

/// A text file of a container, running or not; nothing if it is not there.
pub(crate) async fn file(client: &Client, node: &Node, path: &str) -> Called<Option<String>> {
    match client.download(node.id(), path).await {
        Ok(archive) => Ok(docker::first_file(&archive).and_then(|file| String::from_utf8(file.content).ok())),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(CallError { message: format!("`{path}` of `{}`: {}", node.name(), error.message), ..error }),
    }
}

/// All containers as one map by their names.
pub(crate) fn described(nodes: &[Node]) -> Json {
    Json::Object(nodes.iter().map(|node| (node.name().to_owned(), node.described())).collect::<Map<_, _>>())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A node as an Engine tells of it.
    pub(crate) fn inspected(name: &str, role: &str, more: &Json) -> Json {
        let mut node = json!({
            "Id": format!("id-of-{name}"),
            "Name": format!("/{name}"),
            "Config": { "Image": "kindest/node:v1", "Labels": { CLUSTER: "c", ROLE: role } },
            "State": { "Status": "running", "Running": true, "Paused": false, "Error": "" },
            "HostConfig": { "Binds": ["/lib/modules:/lib/modules:ro", "/dev/null:/etc/meshplan.io/record/r1:ro"], "PortBindings": {} },
            "NetworkSettings": { "Ports": {}, "Networks": { "kind": { "IPAddress": "172.18.0.2", "GlobalIPv6Address": "" } } },
        });
        if role == "control-plane" {
            node["HostConfig"]["PortBindings"] = json!({ "6443/tcp": [{ "HostIp": "10.2.1.40", "HostPort": "6443" }] });
        }
        for (path, value) in more.as_object().into_iter().flatten() {
            let (parent, key) = path.rsplit_once('/').unwrap();
            node.pointer_mut(parent).unwrap()[key] = value.clone();
        }
        node
    }

    #[test]
    fn mounts_are_those_that_were_asked_for() {
        let binds = json!([
            "/srv/b:/b:ro,Z,rslave",
            "/lib/modules:/lib/modules:ro",
            "/dev/null:/etc/meshplan.io/record/r1:ro",
            "/srv/a:/a",
            "volume:/v"
        ]);
        let node = Node(inspected("c-worker", "worker", &json!({ "/HostConfig/Binds": binds })));
        let mount = |source: &str, target: &str, options: bool, propagation: &str| json!({ "host_path": source, "container_path": target, "read_only": options, "selinux_relabel": options, "propagation": propagation });
        assert_eq!(node.extra_mounts(), [mount("/srv/a", "/a", false, "None"), mount("/srv/b", "/b", true, "HostToContainer")]);
        assert_eq!(node.record(), Some("r1"));
    }

    #[test]
    fn the_api_server_is_published_where_the_engine_says() {
        let node = |more: Json| Node(inspected("c-control-plane", "control-plane", &more)).api_server();
        let asked = |address: &str, port: &str| json!({ "6443/tcp": [{ "HostIp": address, "HostPort": port }] });
        for (more, expected) in [
            (json!({}), Some(("10.2.1.40", Some(6443)))),
            (json!({ "/HostConfig/PortBindings": asked("0.0.0.0", "7000") }), Some(("", Some(7000)))),
            (
                json!({ "/HostConfig/PortBindings": asked("127.0.0.1", "0"), "/NetworkSettings/Ports": asked("127.0.0.1", "32768") }),
                Some(("127.0.0.1", Some(32768))),
            ),
            (json!({ "/HostConfig/PortBindings": asked("127.0.0.1", "") }), Some(("127.0.0.1", None))),
            (json!({ "/Config/Labels/desktop.docker.io~1ports~16443~1tcp": ":7001" }), Some(("10.2.1.40", Some(7001)))),
            (json!({ "/HostConfig/PortBindings": {} }), None),
        ] {
            let mut more = more;
            if let Some(forwarded) = more.as_object_mut().unwrap().remove("/Config/Labels/desktop.docker.io~1ports~16443~1tcp") {
                more["/Config/Labels"] = json!({ ROLE: "control-plane", "desktop.docker.io/ports/6443/tcp": forwarded });
            }
            let found = node(more.clone());
            assert_eq!(found.as_ref().map(|(address, port)| (address.as_str(), *port)), expected, "{more}");
        }
    }

    #[test]
    fn ports_are_those_that_were_asked_for() {
        let bindings = json!({
            "6443/tcp": [{ "HostIp": "10.2.1.40", "HostPort": "7443" }, { "HostIp": "10.2.1.40", "HostPort": "6443" }],
            "443/tcp": [{ "HostIp": "10.2.1.40", "HostPort": "443" }],
            "53/udp": [{ "HostIp": "0.0.0.0", "HostPort": "53" }, { "HostIp": "", "HostPort": "0" }],
        });
        let node = |role: &str| Node(inspected("c", role, &json!({ "/HostConfig/PortBindings": bindings })));
        let port = |within: u64, port: Option<u64>, address: &str, protocol: &str| json!({ "container_port": within, "host_port": port, "listen_address": address, "protocol": protocol });
        let expected = [
            port(53, None, "", "UDP"),
            port(53, Some(53), "", "UDP"),
            port(443, Some(443), "10.2.1.40", "TCP"),
            port(6443, Some(7443), "10.2.1.40", "TCP"),
        ];
        assert_eq!(node("control-plane").extra_port_mappings(), expected);
        assert_eq!(node("worker").extra_port_mappings().len(), 5);
        assert_eq!(node("control-plane").api_binding().map(|binding| binding.port), Some(Some(6443)));
    }

    #[test]
    fn a_node_says_how_it_stands() {
        for (more, runs, words) in [
            (json!({}), true, "is running"),
            (json!({ "/State/Paused": true, "/State/Status": "paused" }), false, "is paused"),
            (
                json!({ "/State/Running": false, "/State/Status": "exited", "/State/Error": "bind: cannot assign requested address" }),
                false,
                "is exited (bind: cannot assign requested address)",
            ),
        ] {
            let node = Node(inspected("c-worker", "worker", &more));
            assert_eq!((node.runs(), node.stands().as_str()), (runs, words));
        }
    }
}
