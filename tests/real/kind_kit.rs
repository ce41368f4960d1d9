//! The clusters that other topics make with `kind` are what they are taken for.

use meshplan_tests::kind::{DEVICE, IMAGE, Kind};
use serde_json::{Value, json};

const CONFIGURATION: &str = r"kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: { apiServerAddress: 10.2.1.40, apiServerPort: 6443, serviceSubnet: 10.111.0.0/16 }
nodes:
- role: control-plane
- role: worker
  labels: { zone: a }
  extraPortMappings: [{ containerPort: 80, hostPort: 80, listenAddress: 10.2.1.40 }]
";

fn create(kind: &Kind, name: &str, configuration: &str) {
    let file = kind.home().join(format!("{name}.yaml")).display().to_string();
    std::fs::write(&file, configuration).unwrap();
    kind.tell("kind", &["create", "cluster", "--name", name, "--image", IMAGE, "--config", &file]);
}

/// The nodes of a cluster by what a user sees of them through its kubeconfig: whether each is ready, and its address.
fn nodes(kind: &Kind, name: &str) -> Value {
    let listed = kind.tell("kubectl", &["--context", &format!("kind-{name}"), "get", "nodes", "--output=json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let node = |node: &Value| {
        let addresses = node["status"]["addresses"].as_array().unwrap();
        let address = addresses.iter().find(|address| address["type"] == "InternalIP").unwrap();
        (node["metadata"]["name"].as_str().unwrap().to_owned(), json!([node["status"]["conditions"][0]["status"], address["address"]]))
    };
    listed["items"].as_array().unwrap().iter().map(node).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn kind_makes_clusters_that_stand_up_again_and_go() {
    let Some(kind) = Kind::start() else { return };
    let before = kind.traces();
    kind.shell(&format!("ip address add 10.2.1.40/32 dev {DEVICE}"));
    create(&kind, "c1", CONFIGURATION);
    create(&kind, "c2", "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n");
    assert_eq!(kind.clusters(), ["c1", "c2"]);
    let ready = |node: &str| json!(["True", kind.address(node)]);
    let seen = || (nodes(&kind, "c1"), nodes(&kind, "c2"));
    let expected = || {
        let two = json!({ "c1-control-plane": ready("c1-control-plane"), "c1-worker": ready("c1-worker") });
        (two, json!({ "c2-control-plane": ready("c2-control-plane") }))
    };
    assert_eq!(seen(), expected());
    let worker = kind.object("c1", &["node", "c1-worker"]).unwrap();
    assert_eq!((&worker["metadata"]["labels"]["zone"], &worker["spec"]["providerID"]), (&json!("a"), &json!("kind://docker/c1/c1-worker")));
    let service = kind.object("c1", &["service", "kubernetes"]).unwrap();
    assert_eq!(service["spec"]["clusterIP"], "10.111.0.1");
    // Pods have nodes and are said to run, but on a control plane only where that is all there is.
    for (cluster, node) in [("c1", "c1-worker"), ("c2", "c2-control-plane")] {
        kind.kubectl(cluster, &["create", "deployment", "d", "--image=none"]);
        kind.kubectl(cluster, &["rollout", "status", "deployment/d", "--timeout=30s"]);
        let pods = kind.object(cluster, &["pods"]).unwrap();
        assert_eq!(pods["items"][0]["spec"]["nodeName"], node);
    }

    // Nodes that come up in another order have each other's addresses, and what is in the clusters stays.
    let (one, other) = (kind.address("c1-control-plane"), kind.address("c2-control-plane"));
    for node in ["c1-control-plane", "c1-worker", "c2-control-plane"] {
        kind.stop_node(node);
    }
    for node in ["c2-control-plane", "c1-worker", "c1-control-plane"] {
        kind.start_node(node);
    }
    for cluster in ["c1", "c2"] {
        kind.wait_for(cluster);
        assert!(kind.object(cluster, &["deployment", "d"]).is_some());
    }
    assert_ne!((kind.address("c1-control-plane"), kind.address("c2-control-plane")), (one, other));
    kind.shell("for i in $(seq 1 50); do sleep 0.2; kubectl --context kind-c1 get nodes >/dev/null 2>&1 && break; done");

    // After a power cut the Engine starts them by itself, if their addresses are there.
    kind.restart_engine();
    for cluster in ["c1", "c2"] {
        kind.wait_for(cluster);
    }
    kind.shell(&format!("ip address del 10.2.1.40/32 dev {DEVICE}"));
    kind.restart_engine();
    kind.wait_for("c2");
    assert!(!kind.engine().inspect("container", "c1-control-plane").unwrap()["State"]["Running"].as_bool().unwrap());

    kind.tell("kind", &["delete", "clusters", "--all"]);
    kind.tell("docker", &["network", "rm", "kind"]);
    assert_eq!(kind.traces(), before);
}
