//! What clusters take and give.

use engine::schema::{Attribute, Schema};
use engine::value::{Type, Value};

/// The kind's name.
pub(crate) const NAME: &str = "kind_cluster";

/// The data of `kind_cluster`.
pub(crate) fn cluster() -> Schema {
    let attributes = [identity(), description(), patches(), surroundings(), access(), there()].concat();
    let doc = "A Kubernetes cluster in containers of the Docker Engine, made by `kind`, 0.32 or newer. Nodes that stopped are started in place; \
               whatever else changes replaces the cluster, as kind changes none.";
    Schema { kind: NAME, doc, version: 1, attributes, classes: &["cluster"], place: None, outside: true, settles: true }
}

fn patch() -> Type {
    Type::object([
        ("group", Type::String, false),
        ("version", Type::String, false),
        ("kind", Type::String, false),
        ("patch", Type::String, false),
    ])
}

fn texts() -> Type {
    Type::list(Type::String)
}

fn identity() -> Vec<Attribute> {
    let node_image = "Image of all nodes that name none of their own, best with its digest: `kindest/node:v1.37.0@sha256:…`. Without it the one \
                      that the installed kind ships with when the cluster is made; a newer kind alone replaces nothing.";
    vec![
        Attribute::required("name", Type::String, "Name of the cluster: small letters, digits, `.` and `-`. Nodes are named after it.")
            .replaces(),
        Attribute::optional_computed("node_image", Type::String, node_image).replaces(),
    ]
}

fn description() -> Vec<Attribute> {
    let mount = [
        ("host_path", Type::String, false),
        ("container_path", Type::String, false),
        ("read_only", Type::Bool, true),
        ("selinux_relabel", Type::Bool, true),
        ("propagation", Type::String, true),
    ];
    let port = [
        ("container_port", Type::Number, false),
        ("host_port", Type::Number, true),
        ("listen_address", Type::String, true),
        ("protocol", Type::String, true),
    ];
    let node = [
        ("role", Type::String, true),
        ("image", Type::String, true),
        ("labels", Type::map(Type::String), true),
        ("extra_mounts", Type::list(Type::object(mount)), true),
        ("extra_port_mappings", Type::list(Type::object(port)), true),
        ("kubeadm_config_patches", texts(), true),
        ("kubeadm_config_patches_json6902", Type::list(patch()), true),
    ];
    let networking = [
        ("ip_family", Type::String, true),
        ("api_server_address", Type::String, true),
        ("api_server_port", Type::Number, true),
        ("pod_subnet", Type::String, true),
        ("service_subnet", Type::String, true),
        ("disable_default_cni", Type::Bool, true),
        ("kube_proxy_mode", Type::String, true),
        ("dns_search", texts(), true),
    ];
    let nodes = "Nodes, each with its `role`, `control-plane` (the default) or `worker`. `extra_mounts` are directories of the host of the Engine, \
                 relative ones from the working directory. `extra_port_mappings` publish ports at `listen_address` (every address without it): \
                 `host_port` 0 is one that kind chooses once, -1 one that the Engine chooses at every start; `protocol` is `TCP`, `UDP` or `SCTP`.";
    let network = "`ip_family` is `ipv4` (the default), `ipv6` or `dual`. The API server is published at `api_server_address`, 127.0.0.1 without \
                   it, and `api_server_port`, where 0 and -1 mean what they mean for ports of nodes. On an address of the host that others reach, \
                   it has the same URL for everybody. `kube_proxy_mode` is `iptables` (the default), `ipvs`, `nftables` or `none`. Without \
                   the default CNI the cluster counts as ready while its nodes are not: what makes them so is installed afterwards.";
    let one = Value::tuple(vec![Value::object([("role", Value::string(crate::naming::CONTROL_PLANE))])]);
    vec![
        Attribute::optional("nodes", Type::list(Type::object(node)), nodes).default(one).replaces(),
        Attribute::optional("networking", Type::object(networking), network).replaces(),
        Attribute::optional("feature_gates", Type::map(Type::Bool), "Feature gates of all Kubernetes components.").replaces(),
        Attribute::optional("runtime_config", Type::map(Type::String), "What `--runtime-config` of the API server is given.").replaces(),
    ]
}

fn patches() -> Vec<Attribute> {
    let replaced = |name, ty, doc| Attribute::optional(name, ty, doc).replaces();
    vec![
        replaced("kubeadm_config_patches", texts(), "Merge patches of what kubeadm is told, as YAML with `kind`, for all nodes."),
        replaced("kubeadm_config_patches_json6902", Type::list(patch()), "JSON patches (RFC 6902) of the same, `patch` as YAML or JSON."),
        replaced("containerd_config_patches", texts(), "Merge patches of the configuration of containerd, as TOML."),
        replaced("containerd_config_patches_json6902", texts(), "JSON patches (RFC 6902) of the same."),
    ]
}

fn surroundings() -> Vec<Attribute> {
    let network = "The docker network that the nodes are in; where it is not there kind makes it, and nobody removes it. One of a `docker_network` \
                   has a subnet of your choice.";
    let path = "The file that the kubeconfig is written to, for its owner's eyes alone; it is this cluster's own. Without it \
                `.meshplan/kind/<name>.kubeconfig` in the directory of the configuration. `kubeconfig_merged` puts several into one file.";
    vec![
        Attribute::optional("network", Type::String, network).default(Value::string("kind")).replaces(),
        Attribute::optional_computed("kubeconfig_path", Type::String, path),
    ]
}

fn access() -> Vec<Attribute> {
    vec![
        Attribute::computed("connection", Type::Any, "How other kinds reach the cluster.").sensitive(),
        Attribute::computed("kubeconfig", Type::String, "The kubeconfig itself.").sensitive(),
        Attribute::computed("context", Type::String, "Its only context: `kind-<name>`."),
        Attribute::computed("server", Type::String, "URL of the API server from the host."),
        Attribute::computed("internal_server", Type::String, "Its URL from containers in the same docker network, by a container's name."),
        Attribute::computed(
            "peer_server",
            Type::String,
            "Its URL from other clusters: `server` where that is at an address of the host that they reach, `internal_server` otherwise.",
        ),
        Attribute::computed("certificate_authority", Type::String, "PEM of the authority that it is known by."),
    ]
}

fn there() -> Vec<Attribute> {
    let port = Type::object([
        ("container_port", Type::Number, false),
        ("host_port", Type::Number, true),
        ("listen_address", Type::String, false),
        ("protocol", Type::String, false),
    ]);
    let container = Type::object([
        ("id", Type::String, false),
        ("role", Type::String, false),
        ("image", Type::String, false),
        ("ipv4_address", Type::String, false),
        ("ipv6_address", Type::String, false),
        ("ports", Type::list(port), false),
    ]);
    vec![
        Attribute::computed("uid", Type::String, "UID of the namespace `kube-system`, which stands for the cluster."),
        Attribute::computed("kubernetes_version", Type::String, "The version of Kubernetes that its first node has."),
        Attribute::computed(
            "containers",
            Type::map(container),
            "Its containers by their names, which for nodes are those of Kubernetes, with the ports of `extra_port_mappings` as they are \
             published: those that kind chose, and null for those that the Engine chooses. A restart may give them other addresses.",
        )
        .volatile(),
        Attribute::computed("control_plane_address", Type::String, "Address of the container that answers for the API server.").volatile(),
        Attribute::computed("running", Type::Bool, "Whether all its containers run.").volatile(),
        docker::engine_attribute(),
    ]
}
