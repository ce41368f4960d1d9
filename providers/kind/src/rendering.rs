//! What kind is told: its configuration, `kind.x-k8s.io/v1alpha4`. JSON, which is YAML.

use crate::mark;
use crate::naming;
use engine::state::RecordId;
use engine::value::Value;
use serde_json::{Map, Value as Json, json};
use std::path::{Component, Path, PathBuf};

/// The configuration of a cluster whose nodes bear the mark of a record. Host paths are made absolute from a directory; nodes without an image
/// of their own get the given one.
pub(crate) fn rendered(arguments: &Value, image: Option<&str>, (id, directory): (&RecordId, &Path)) -> Json {
    let name = arguments.text("name").unwrap_or_default();
    let mut config = Map::from_iter([
        ("kind".to_owned(), json!("Cluster")),
        ("apiVersion".to_owned(), json!("kind.x-k8s.io/v1alpha4")),
        ("name".to_owned(), json!(name)),
    ]);
    let nodes = described(arguments.get("nodes").unwrap_or(&Value::null())).into_iter().map(|mut node| {
        for mount in node["extraMounts"].as_array_mut().into_iter().flatten() {
            let path = absolute(directory, mount["hostPath"].as_str().unwrap_or_default());
            mount["hostPath"] = json!(path.display().to_string());
        }
        if let Some(mounts) = node["extraMounts"].as_array_mut() {
            mounts.push(mark::mount(id));
        }
        if node.get("image").is_none()
            && let Some(image) = image
        {
            node["image"] = json!(image);
        }
        node
    });
    config.insert("nodes".to_owned(), nodes.collect());
    if let Some(networking) = arguments.present("networking") {
        config.insert("networking".to_owned(), self::networking(networking));
    }
    for (from, to) in [
        ("feature_gates", "featureGates"),
        ("runtime_config", "runtimeConfig"),
        ("kubeadm_config_patches", "kubeadmConfigPatches"),
        ("kubeadm_config_patches_json6902", "kubeadmConfigPatchesJSON6902"),
        ("containerd_config_patches", "containerdConfigPatches"),
        ("containerd_config_patches_json6902", "containerdConfigPatchesJSON6902"),
    ] {
        put(&mut config, arguments, (from, to));
    }
    Json::Object(config)
}

/// Nodes as kind reads them, with what they are by default: two lists that come to the same here are of one cluster.
pub(crate) fn described(nodes: &Value) -> Vec<Json> {
    if nodes.is_null() {
        return vec![node(&Value::null())];
    }
    nodes.items().iter().map(node).collect()
}

fn node(node: &Value) -> Json {
    let mut made = Map::from_iter([("role".to_owned(), json!(naming::role(node).unwrap_or(naming::CONTROL_PLANE)))]);
    put(&mut made, node, ("image", "image"));
    put(&mut made, node, ("labels", "labels"));
    let each =
        |name: &str, render: fn(&Value) -> Json| node.present(name).map(Value::items).unwrap_or_default().iter().map(render).collect();
    made.insert("extraMounts".to_owned(), each("extra_mounts", mount));
    made.insert("extraPortMappings".to_owned(), each("extra_port_mappings", port));
    put(&mut made, node, ("kubeadm_config_patches", "kubeadmConfigPatches"));
    put(&mut made, node, ("kubeadm_config_patches_json6902", "kubeadmConfigPatchesJSON6902"));
    Json::Object(made)
}

fn mount(mount: &Value) -> Json {
    let flag = |name: &str| mount.get(name).and_then(Value::as_bool).unwrap_or_default();
    json!({
        "hostPath": mount.text("host_path"),
        "containerPath": mount.text("container_path"),
        "readOnly": flag("read_only"),
        "selinuxRelabel": flag("selinux_relabel"),
        "propagation": mount.text("propagation").unwrap_or("None"),
    })
}

fn port(port: &Value) -> Json {
    json!({
        "containerPort": whole(port.get("container_port")),
        "hostPort": whole(port.get("host_port")),
        "listenAddress": port.text("listen_address").unwrap_or_default(),
        "protocol": port.text("protocol").unwrap_or("TCP"),
    })
}

/// Networking as kind reads it.
pub(crate) fn networking(networking: &Value) -> Json {
    let mut made = Map::new();
    for (from, to) in [
        ("ip_family", "ipFamily"),
        ("api_server_address", "apiServerAddress"),
        ("pod_subnet", "podSubnet"),
        ("service_subnet", "serviceSubnet"),
        ("disable_default_cni", "disableDefaultCNI"),
        ("kube_proxy_mode", "kubeProxyMode"),
        ("dns_search", "dnsSearch"),
    ] {
        put(&mut made, networking, (from, to));
    }
    if let Some(port) = networking.present("api_server_port") {
        made.insert("apiServerPort".to_owned(), whole(Some(port)));
    }
    Json::Object(made)
}

/// A whole number, 0 where there is none.
pub(crate) fn whole(number: Option<&Value>) -> Json {
    let number = number.and_then(|number| number.to_json().ok()).and_then(|number| number.as_f64());
    // Validation lets through whole numbers within the range of ports only.
    json!(number.and_then(|number| format!("{number:.0}").parse::<i64>().ok()).unwrap_or_default())
}

fn put(config: &mut Map<String, Json>, arguments: &Value, (from, to): (&str, &str)) {
    if let Some(given) = arguments.present(from).and_then(|given| given.to_json().ok()) {
        config.insert(to.to_owned(), given);
    }
}

/// A path without `.` and `..`, from a directory if it is relative.
pub(crate) fn absolute(directory: &Path, path: &str) -> PathBuf {
    let mut absolute = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                absolute.pop();
            }
            other => absolute.push(other),
        }
    }
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_written_as_kind_reads_it() {
        let arguments = json!({
            "name": "c1",
            "nodes": [
                { "role": "control-plane", "labels": { "zone": "a" }, "kubeadm_config_patches": ["kind: InitConfiguration"] },
                { "role": "worker", "image": "mine:1",
                  "extra_mounts": [{ "host_path": "./data/../certs", "container_path": "/certs", "read_only": true, "propagation": "HostToContainer" }],
                  "extra_port_mappings": [{ "container_port": 80, "host_port": 80, "listen_address": "10.2.1.40" }, { "container_port": 53, "host_port": -1, "protocol": "UDP" }] },
            ],
            "networking": { "ip_family": "dual", "api_server_address": "10.2.1.40", "api_server_port": 6443, "pod_subnet": "10.244.0.0/16,fd00:10:244::/56",
                "service_subnet": null, "disable_default_cni": true, "kube_proxy_mode": "nftables", "dns_search": [] },
            "feature_gates": { "InPlacePodVerticalScaling": true },
            "runtime_config": { "api/alpha": "false" },
            "kubeadm_config_patches": null,
            "kubeadm_config_patches_json6902": [{ "group": "kubeadm.k8s.io", "version": "v1beta4", "kind": "ClusterConfiguration", "patch": "[]" }],
            "containerd_config_patches": ["[plugins]"],
            "containerd_config_patches_json6902": ["[]"],
        });
        let mark = json!({ "hostPath": "/dev/null", "containerPath": "/etc/meshplan.io/record/r1", "readOnly": true });
        let expected = json!({
            "kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": "c1",
            "nodes": [
                { "role": "control-plane", "image": "kindest/node:v1", "labels": { "zone": "a" }, "extraMounts": [mark], "extraPortMappings": [],
                  "kubeadmConfigPatches": ["kind: InitConfiguration"] },
                { "role": "worker", "image": "mine:1",
                  "extraMounts": [{ "hostPath": "/mesh/certs", "containerPath": "/certs", "readOnly": true, "selinuxRelabel": false, "propagation": "HostToContainer" }, mark],
                  "extraPortMappings": [{ "containerPort": 80, "hostPort": 80, "listenAddress": "10.2.1.40", "protocol": "TCP" },
                    { "containerPort": 53, "hostPort": -1, "listenAddress": "", "protocol": "UDP" }] },
            ],
            "networking": { "ipFamily": "dual", "apiServerAddress": "10.2.1.40", "apiServerPort": 6443, "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
                "disableDefaultCNI": true, "kubeProxyMode": "nftables", "dnsSearch": [] },
            "featureGates": { "InPlacePodVerticalScaling": true },
            "runtimeConfig": { "api/alpha": "false" },
            "kubeadmConfigPatchesJSON6902": [{ "group": "kubeadm.k8s.io", "version": "v1beta4", "kind": "ClusterConfiguration", "patch": "[]" }],
            "containerdConfigPatches": ["[plugins]"],
            "containerdConfigPatchesJSON6902": ["[]"],
        });
        let made = rendered(&Value::from_json(&arguments), Some("kindest/node:v1"), (&RecordId::new("r1"), Path::new("/mesh")));
        assert_eq!(made, expected);
    }

    #[test]
    fn what_is_said_and_what_is_so_by_default_come_to_the_same() {
        let same = |one: Json, other: Json| described(&Value::from_json(&one)) == described(&Value::from_json(&other));
        let mount = |more: Json| {
            let mut mount = json!({ "host_path": "/a", "container_path": "/b" });
            mount.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!([{ "extra_mounts": [mount] }])
        };
        assert!(same(json!(null), json!([{ "role": "control-plane", "extra_mounts": [], "image": null }])));
        assert!(same(mount(json!({})), mount(json!({ "read_only": false, "propagation": "None" }))));
        assert!(!same(mount(json!({})), mount(json!({ "read_only": true }))));
        assert!(!same(json!([{ "role": "control-plane" }]), json!([{ "role": "control-plane" }, { "role": "worker" }])));
    }
}
