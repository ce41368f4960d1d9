//! What becomes of clusters.

use super::*;
use crate::kubeconfig::{Keys, tests::OF_KUBEADM};
use crate::node::{Node, tests::inspected};
use crate::seen::{Cluster, Files, observed};
use engine::state::{Record, RecordId};
use std::path::Path;

/// The arguments of a cluster with one worker on a VIP.
fn arguments(more: &Json) -> Json {
    let mut all = json!({
        "name": "c", "node_image": null, "kubeconfig_path": null, "network": "kind", "feature_gates": null, "runtime_config": null,
        "kubeadm_config_patches": null, "kubeadm_config_patches_json6902": null, "containerd_config_patches": null,
        "containerd_config_patches_json6902": null,
        "nodes": [{ "role": "control-plane" }, { "role": "worker", "extra_port_mappings": [{ "container_port": 80, "host_port": 80, "listen_address": "10.2.1.40" }] }],
        "networking": { "api_server_address": "10.2.1.40", "api_server_port": 6443 },
    });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

fn worker() -> Json {
    json!({ "/HostConfig/PortBindings": { "80/tcp": [{ "HostIp": "10.2.1.40", "HostPort": "80" }] } })
}

fn cluster(nodes: Vec<Json>) -> Cluster {
    let keys = Keys::read(OF_KUBEADM);
    Cluster {
        name: "c".to_owned(),
        nodes: nodes.into_iter().map(Node).collect(),
        keys,
        version: Some("v1.37.0".to_owned()),
        told: Vec::new(),
        engine: Json::Null,
    }
}

fn both(first: &Json, second: &Json) -> Vec<Json> {
    let mut worker = worker();
    worker.as_object_mut().unwrap().extend(second.as_object().unwrap().clone());
    vec![inspected("c-control-plane", "control-plane", first), inspected("c-worker", "worker", &worker)]
}

struct World {
    directory: tempfile::TempDir,
    record: Record,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cluster = cluster(both(&json!({}), &json!({})));
        let file = directory.path().join(naming::kubeconfig_path("c"));
        crate::kubeconfig::write(&file, &cluster.kubeconfig().unwrap()).unwrap();
        let mut record = Record::new(RecordId::new("r1"), schema::NAME);
        let told = Value::from_json(&arguments(&json!({})));
        let parts = cluster.parts(&told, Self::files(directory.path()), Some("uid-1"));
        record.attributes = crate::seen::attributes(&schema::cluster(), &told, &parts);
        Self { directory, record }
    }

    fn files(directory: &Path) -> Files<'_> {
        Files { working_directory: Path::new("/mesh"), directory }
    }

    fn observed(&self, nodes: Vec<Json>) -> Value {
        let parts = cluster(nodes).parts(&self.record.attributes, Self::files(self.directory.path()), Some("uid-1"));
        observed(&schema::cluster(), &parts, &self.record.attributes)
    }

    fn becomes(&self, desired: &Json, found: &Value) -> Planned {
        let desired = Value::from_json(desired);
        let asked = Comparison {
            desired: &desired,
            prior: Some(&self.record),
            observed: Some(found),
            preview: None,
            previewable: true,
            secret_key: b"k",
        };
        ClusterKind::default().planned(asked)
    }
}

fn summed(planned: Planned) -> (&'static str, String) {
    match planned {
        Planned::Keep(_) => ("keep", String::new()),
        Planned::Create(_) => ("create", String::new()),
        Planned::Update { changed, .. } => ("update", changed.join(",")),
        Planned::Replace { because, .. } => ("replace", because.join(",")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_found_is_held_against_what_is_wanted() {
    let world = World::new();
    let same = || both(&json!({}), &json!({}));
    let stopped = json!({ "/State/Running": false, "/State/Status": "exited", "/NetworkSettings/Ports": {}, "/NetworkSettings/Networks": { "kind": { "IPAddress": "" } } });
    let moved = json!({ "/NetworkSettings/Networks": { "kind": { "IPAddress": "172.18.0.9" } } });
    let elsewhere = json!({ "/HostConfig/PortBindings": { "80/tcp": [{ "HostIp": "10.2.1.41", "HostPort": "80" }] } });
    let mounted = json!({ "/HostConfig/Binds": ["/srv:/srv"] });
    let api = json!({ "/HostConfig/PortBindings": { "6443/tcp": [{ "HostIp": "10.2.1.40", "HostPort": "7443" }] } });
    let other = json!({ "/Config/Image": "kindest/node:v2" });
    for (nodes, expected) in [
        (same(), ("keep", "")),
        (both(&moved, &json!({})), ("keep", "")),
        (both(&json!({}), &stopped), ("update", "running")),
        (both(&stopped, &stopped), ("update", "running")),
        (both(&json!({ "/State/Paused": true }), &json!({})), ("update", "running")),
        (same()[..1].to_vec(), ("replace", "nodes")),
        (same()[1..].to_vec(), ("replace", "nodes,networking,kubeconfig_path")),
        (same().into_iter().chain([inspected("c-worker2", "worker", &json!({}))]).collect(), ("replace", "nodes")),
        (both(&json!({}), &elsewhere), ("replace", "nodes")),
        (both(&json!({}), &mounted), ("replace", "nodes")),
        (both(&api, &json!({})), ("replace", "networking,kubeconfig_path")),
        (both(&json!({}), &other), ("replace", "node_image")),
        (both(&other, &stopped), ("replace", "node_image")),
    ] {
        let found = world.observed(nodes.clone());
        let (what, paths) = summed(world.becomes(&arguments(&json!({})), &found));
        // A kubeconfig that would be another is no reason of its own.
        let expected = (expected.0, expected.1.trim_end_matches(",kubeconfig_path"));
        assert_eq!((what, paths.as_str()), expected, "{nodes:#?}");
    }
}

#[test]
fn a_kubeconfig_that_is_gone_is_written_again() {
    let world = World::new();
    std::fs::remove_file(world.directory.path().join(naming::kubeconfig_path("c"))).unwrap();
    let found = world.observed(both(&json!({}), &json!({})));
    assert_eq!(summed(world.becomes(&arguments(&json!({})), &found)), ("update", "kubeconfig_path".to_owned()));
}

#[test]
fn whatever_is_configured_otherwise_makes_another_cluster() {
    let world = World::new();
    let found = world.observed(both(&json!({}), &json!({})));
    for (more, expected) in [
        (json!({}), ("keep", "")),
        (json!({ "node_image": "kindest/node:v1" }), ("keep", "")),
        (json!({ "node_image": "kindest/node:v2" }), ("replace", "node_image")),
        (json!({ "name": "d" }), ("replace", "name")),
        (json!({ "network": "mesh" }), ("replace", "network")),
        (json!({ "feature_gates": { "A": true } }), ("replace", "feature_gates")),
        (json!({ "containerd_config_patches": ["x"] }), ("replace", "containerd_config_patches")),
        (json!({ "kubeconfig_path": "mine.yaml" }), ("update", "kubeconfig_path")),
        (
            json!({ "networking": { "api_server_address": "10.2.1.40", "api_server_port": 6443, "pod_subnet": "10.1.0.0/16" } }),
            ("replace", "networking"),
        ),
        // What is so anyway may be said.
        (
            json!({ "nodes": [{}, { "role": "worker", "extra_mounts": [], "extra_port_mappings":
                [{ "container_port": 80, "host_port": 80, "listen_address": "10.2.1.40", "protocol": "TCP" }] }] }),
            ("update", "nodes"),
        ),
        (json!({ "nodes": [{ "role": "control-plane" }] }), ("replace", "nodes")),
    ] {
        let (what, paths) = summed(world.becomes(&arguments(&more), &found));
        let because: Vec<_> = paths.split(',').filter(|path| *path != "kubeconfig_path" || what != "replace").collect();
        assert_eq!((what, because.join(",").as_str()), expected, "{more}");
    }
}

#[test]
fn a_port_that_kind_chose_may_be_written_down_and_left_to_it_again() {
    let mapping = |host_port: i64, address: &str| json!({ "container_port": 80, "host_port": host_port, "listen_address": address });
    let described = |api: &Json, mapping: &Json| {
        let nodes = json!([{ "role": "control-plane" }, { "role": "worker", "extra_port_mappings": [mapping] }]);
        arguments(&json!({ "networking": api, "nodes": nodes }))
    };
    let api = |port: i64| json!({ "api_server_address": "10.2.1.40", "api_server_port": port });
    // What it was, what it is to be: the API server is at 10.2.1.40:6443, and port 80 of the worker at 10.2.1.40:80.
    let usual = mapping(80, "10.2.1.40");
    let rows = [
        ((api(0), usual.clone()), (api(6443), usual.clone()), ("update", "networking")),
        ((json!({ "api_server_address": "10.2.1.40" }), usual.clone()), (api(6443), usual.clone()), ("update", "networking")),
        ((api(6443), usual.clone()), (api(0), usual.clone()), ("update", "networking")),
        ((api(0), usual.clone()), (json!({ "api_server_address": "10.2.1.40" }), usual.clone()), ("update", "networking")),
        ((api(0), usual.clone()), (api(7443), usual.clone()), ("replace", "networking")),
        ((api(0), usual.clone()), (api(-1), usual.clone()), ("replace", "networking")),
        ((api(-1), usual.clone()), (api(0), usual.clone()), ("replace", "networking")),
        ((api(6443), mapping(0, "10.2.1.40")), (api(6443), usual.clone()), ("update", "nodes")),
        ((api(6443), usual.clone()), (api(6443), mapping(0, "10.2.1.40")), ("update", "nodes")),
        ((api(6443), mapping(0, "10.2.1.40")), (api(6443), mapping(81, "10.2.1.40")), ("replace", "nodes")),
        ((api(6443), mapping(0, "10.2.1.40")), (api(6443), mapping(80, "0.0.0.0")), ("replace", "nodes")),
        ((api(6443), mapping(-1, "10.2.1.40")), (api(6443), usual.clone()), ("replace", "nodes")),
    ];
    for (was, becomes, expected) in rows {
        let mut world = World::new();
        let told = Value::from_json(&described(&was.0, &was.1));
        let nodes = || both(&json!({}), &json!({}));
        let parts = cluster(nodes()).parts(&told, World::files(world.directory.path()), Some("uid-1"));
        world.record.attributes = crate::seen::attributes(&schema::cluster(), &told, &parts);
        let found = world.observed(nodes());
        let (what, paths) = summed(world.becomes(&described(&becomes.0, &becomes.1), &found));
        assert_eq!((what, paths.trim_end_matches(",kubeconfig_path")), expected, "{was:?} {becomes:?}");
    }
}

#[test]
fn what_an_interrupted_create_left_is_kept_if_it_is_whole() {
    let mut world = World::new();
    world.record.status = Status::Interrupted(Operation::Create);
    let found = world.observed(both(&json!({}), &json!({})));
    let with = |whole: bool| found.with_entries([("whole", Value::bool(whole))]);
    assert_eq!(summed(world.becomes(&arguments(&json!({})), &with(true))), ("keep", String::new()));
    assert_eq!(summed(world.becomes(&arguments(&json!({})), &with(false))), ("replace", String::new()));
}

#[test]
fn what_follows_from_the_description_is_known_before() {
    let created = |more: &Json| {
        let desired = Value::from_json(&arguments(more));
        let preview = Preview::Accepted(previewed(&desired, Some("kindest/node:v1@sha256:00")));
        let asked =
            Comparison { desired: &desired, prior: None, observed: None, preview: Some(&preview), previewable: false, secret_key: b"k" };
        match ClusterKind::default().planned(asked) {
            Planned::Create(attributes) => attributes,
            other => panic!("{other:?}"),
        }
    };
    let internal = "https://c-control-plane:6443";
    let three = json!([{}, {}, {}, { "role": "worker" }]);
    for (more, expected) in [
        (json!({}), [Some("https://10.2.1.40:6443"), Some(internal), Some("https://10.2.1.40:6443")]),
        (json!({ "networking": null }), [None, Some(internal), Some(internal)]),
        (json!({ "networking": { "api_server_port": 7000 } }), [Some("https://127.0.0.1:7000"), Some(internal), Some(internal)]),
        (
            json!({ "networking": { "ip_family": "ipv6", "api_server_port": 7000 }, "nodes": three }),
            [Some("https://[::1]:7000"), Some("https://c-external-load-balancer:6443"), Some("https://c-external-load-balancer:6443")],
        ),
        (json!({ "networking": { "api_server_address": "10.2.1.40" } }), [None, Some(internal), None]),
    ] {
        let attributes = created(&more);
        assert_eq!(["server", "internal_server", "peer_server"].map(|name| attributes.text(name)), expected, "{more}");
        assert_eq!((attributes.text("context"), attributes.text("kubeconfig_path")), (Some("kind-c"), Some(".meshplan/kind/c.kubeconfig")));
        assert_eq!(attributes.text("node_image"), Some("kindest/node:v1@sha256:00"));
    }
    assert_eq!(created(&json!({ "node_image": "mine:1" })).text("node_image"), Some("mine:1"));
}

#[test]
fn a_restart_makes_unknown_what_it_may_change() {
    let world = World::new();
    let stopped = json!({ "/State/Running": false, "/State/Status": "exited" });
    let found = world.observed(both(&json!({}), &stopped));
    let known = |planned: Planned, name: &str| match planned {
        Planned::Update { attributes, .. } => attributes.get(name).is_some_and(Value::is_known),
        other => panic!("{other:?}"),
    };
    for (name, expected) in
        [("containers", false), ("control_plane_address", false), ("server", true), ("connection", true), ("running", true)]
    {
        assert_eq!(known(world.becomes(&arguments(&json!({})), &found), name), expected, "{name}");
    }
}

#[test]
fn a_tag_is_remarked_upon() {
    let remarks = |image: &str| {
        let preview = previewed(&Value::from_json(&arguments(&json!({ "node_image": image }))), None);
        ClusterKind::default().remarks(&preview).into_iter().map(|problem| (problem.summary, problem.warning)).collect::<Vec<_>>()
    };
    assert_eq!(remarks("kindest/node:v1"), [("image not pinned".to_owned(), true)]);
    assert_eq!(remarks("kindest/node:v1@sha256:00"), []);
}

#[test]
fn an_import_is_named_by_the_name() {
    let kind = ClusterKind::default();
    let open = Value::object([("name", Value::unknown(Type::String))]);
    for (id, arguments, expected) in [
        ("c", Value::from_json(&arguments(&json!({}))), None),
        ("d", Value::from_json(&arguments(&json!({}))), Some("id of another object")),
        ("c", open, Some("import not known yet")),
    ] {
        let summary = kind.import(id, &arguments).map_err(|problem| problem.summary).err();
        assert_eq!(summary.as_deref(), expected, "{id}");
    }
}

#[test]
fn an_import_is_held_against_what_kubeadm_was_told() {
    let mut cluster = cluster(both(&json!({}), &json!({})));
    let conf = "kind: ClusterConfiguration\nnetworking: { podSubnet: 10.1.0.0/16, serviceSubnet: 10.96.0.0/16 }\n---\nkind: KubeProxyConfiguration\nmode: ipvs\n";
    cluster.told = kubernetes::parse_yaml(conf).unwrap();
    let becomes = |more: Json| {
        let desired = Value::from_json(&arguments(&json!({ "networking": more })));
        let parts = cluster.parts(&desired, World::files(Path::new("/nowhere")), Some("uid-1"));
        let found = observed(&schema::cluster(), &parts, &desired);
        let asked =
            Comparison { desired: &desired, prior: None, observed: Some(&found), preview: None, previewable: true, secret_key: b"k" };
        summed(ClusterKind::default().planned(asked))
    };
    for (more, expected) in [
        (json!({ "pod_subnet": "10.1.0.0/16", "kube_proxy_mode": "ipvs" }), ("update", "kubeconfig_path")),
        (json!({ "ip_family": "ipv4", "disable_default_cni": true }), ("update", "kubeconfig_path")),
        (json!({ "pod_subnet": "10.244.0.0/16" }), ("replace", "networking")),
        (json!({ "kube_proxy_mode": "iptables" }), ("replace", "networking")),
        (json!({ "api_server_port": 7443 }), ("replace", "networking")),
    ] {
        let (what, paths) = becomes(more.clone());
        assert_eq!((what, paths.as_str()), expected, "{more}");
    }
}
