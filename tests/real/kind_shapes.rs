//! Clusters of other shapes than one control plane on IPv4: several control planes, IPv6, both families, ports that others choose.

use super::kind_cluster::{APPLY, DESTROY, SETTLED, has, outputs, run, text};
use meshplan_tests::kind::{DEVICE, IMAGE, Kind};
use meshplan_tests::scenario::Scenario;
use serde_json::Value as Json;

/// A cluster with something in it, and what is told of it.
fn cluster(name: &str, more: &str) -> String {
    format!(
        r#"
resource "kind_cluster" "this" {{
  name       = "{name}"
  node_image = "{IMAGE}"
  {more}
}}
resource "kubernetes_namespace" "mesh" {{
  cluster = kind_cluster.this
  name    = "mesh"
}}
output "server" {{ value = kind_cluster.this.server }}
output "internal" {{ value = kind_cluster.this.internal_server }}
output "peer" {{ value = kind_cluster.this.peer_server }}
output "address" {{ value = kind_cluster.this.control_plane_address }}
output "containers" {{ value = kind_cluster.this.containers }}
"#
    )
}

fn applied(scenario: &Scenario) -> Json {
    run(scenario, &APPLY, 0);
    run(scenario, &SETTLED, 0);
    outputs(scenario)
}

fn restart(kind: &Kind, node: &str) {
    kind.stop_node(node);
    kind.start_node(node);
}

fn inspected(kind: &Kind, node: &str) -> Json {
    kind.engine().inspect("container", node).unwrap()
}

/// The port of the host that a port of a node is published at today.
fn published(kind: &Kind, node: &str, port: &str) -> String {
    inspected(kind, node)["NetworkSettings"]["Ports"][port][0]["HostPort"].as_str().unwrap().to_owned()
}

#[test]
fn several_control_planes_stand_behind_one_that_balances() {
    let Some(kind) = Kind::start() else { return };
    kind.tell("docker", &["network", "create", "kind"]);
    let before = kind.traces();
    kind.shell(&format!("ip address add 10.2.1.40/32 dev {DEVICE}"));
    let networking = "networking = { api_server_address = \"10.2.1.40\", api_server_port = 6443 }";
    let scenario = kind.scenario(&cluster("ha", &format!("{networking}\n  nodes = [{{}}, {{}}, {{ role = \"worker\" }}]")));
    has(&run(&scenario, &["plan"], 0), &["https://10.2.1.40:6443", "https://ha-external-load-balancer:6443"]);
    let made = applied(&scenario);
    for (name, expected) in [
        ("server", "https://10.2.1.40:6443"),
        ("internal", "https://ha-external-load-balancer:6443"),
        ("peer", "https://10.2.1.40:6443"),
        ("address", &kind.address("ha-external-load-balancer")),
    ] {
        assert_eq!(text(&made, name), expected);
    }
    let roles = |made: &Json| -> Vec<(String, String)> {
        let containers = made["containers"]["value"].as_object().unwrap();
        containers.iter().map(|(name, one)| (name.clone(), one["role"].as_str().unwrap().to_owned())).collect()
    };
    let expected = [
        ("ha-control-plane", "control-plane"),
        ("ha-control-plane2", "control-plane"),
        ("ha-external-load-balancer", "external-load-balancer"),
        ("ha-worker", "worker"),
    ];
    assert_eq!(roles(&made), expected.map(|(name, role)| (name.to_owned(), role.to_owned())));
    let through = |words: &[&str]| {
        let file = scenario.path().join(".meshplan/kind/ha.kubeconfig").display().to_string();
        kind.tell("kubectl", &[&["--kubeconfig", &file], words].concat())
    };
    assert_eq!(through(&["get", "nodes", "--output=name", "--selector=node-role.kubernetes.io/control-plane"]).lines().count(), 2);

    // One that stops is started again; meanwhile the other answers.
    kind.stop_node("ha-control-plane2");
    assert!(through(&["get", "namespace", "mesh", "--output=name"]).contains("namespace/mesh"));
    has(&run(&scenario, &SETTLED, 2), &["~   kind_cluster.this", "`running` changed outside"]);
    applied(&scenario);
    // Without what balances nobody gets in.
    kind.stop_node("ha-external-load-balancer");
    has(&run(&scenario, &SETTLED, 2), &["`running` changed outside", "kubernetes_namespace.mesh is read after"]);
    assert_eq!(text(&applied(&scenario), "address"), kind.address("ha-external-load-balancer"));

    // With one node less, or without what balances, it is another cluster.
    let nodes = || kind.engine().docker(&["ps", "--all", "--quiet"]).lines().count();
    for gone in ["ha-control-plane2", "ha-external-load-balancer"] {
        kind.engine().docker(&["rm", "--force", "--volumes", gone]);
        has(&run(&scenario, &SETTLED, 2), &["-/+ kind_cluster.this", "cannot change in place"]);
    }
    assert_eq!(nodes(), 2);
    applied(&scenario);
    assert_eq!(nodes(), 4);

    // One that somebody else made is taken over as it is.
    run(&scenario, &DESTROY, 0);
    assert_eq!((nodes(), scenario.addresses()), (0, Vec::new()));
    let file = kind.home().join("theirs.yaml").display().to_string();
    std::fs::write(&file, "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{}, {}]\n").unwrap();
    let kubeconfig = kind.home().join("theirs.kubeconfig").display().to_string();
    kind.tell("kind", &["create", "cluster", "--name", "theirs", "--image", IMAGE, "--config", &file, "--kubeconfig", &kubeconfig]);
    let import = "import {\n  to = kind_cluster.this\n  id = \"theirs\"\n}\n";
    let scenario = kind.scenario(&(cluster("theirs", "nodes = [{}, {}]") + import));
    let made = applied(&scenario);
    assert_eq!(text(&made, "peer"), "https://theirs-external-load-balancer:6443");
    run(&scenario, &DESTROY, 0);
    kind.shell(&format!("ip address del 10.2.1.40/32 dev {DEVICE}"));
    assert_eq!(kind.traces(), before);
}

#[test]
fn clusters_have_addresses_of_ipv6_where_their_network_has() {
    let Some(kind) = Kind::start() else { return };
    let before = kind.traces();
    // A network of somebody who did not think of it.
    kind.tell("docker", &["network", "create", "kind"]);
    let six = "networking = { ip_family = \"ipv6\", api_server_port = -1 }\n  nodes = [{}, { role = \"worker\" }]";
    let scenario = kind.scenario(&cluster("six", six));
    has(&run(&scenario, &["plan"], 1), &["error: network without IPv6", "the docker network `kind` has no IPv6", "a `docker_network`"]);
    // Without looking it is met by kind.
    let unseen = [&APPLY[..], &["--preview=offline"]].concat();
    has(&run(&scenario, &unseen, 1), &["kind cluster not created", "docker network has no IPv6", "a `docker_network`"]);
    assert_eq!((kind.clusters(), scenario.addresses()), (Vec::new(), Vec::new()));
    // The one that kind makes has it.
    kind.tell("docker", &["network", "rm", "kind"]);
    let made = applied(&scenario);
    let port = || published(&kind, "six-control-plane", "6443/tcp");
    assert_eq!(
        (text(&made, "server"), text(&made, "internal")),
        (format!("https://[::1]:{}", port()), "https://six-control-plane:6443".into())
    );
    let network = kind.engine().inspect("network", "kind").unwrap();
    let ranges = network["IPAM"]["Config"].to_string();
    let address = made["containers"]["value"]["six-worker"]["ipv6_address"].as_str().unwrap().to_owned();
    assert!(network["EnableIPv6"] == true && ranges.contains(&address.split("::").next().unwrap().to_owned()), "{address}: {ranges}");
    let node = kind.object("six", &["node", "six-worker"]).unwrap();
    assert_eq!(node["status"]["addresses"][0]["address"], address.as_str());
    assert_eq!(kind.object("six", &["service", "kubernetes"]).unwrap()["spec"]["clusterIP"], "fd00:10:96::1");

    // A port that the Engine chose anew is written down by one apply, and replaces nothing.
    let old = port();
    for _ in 0..5 {
        if port() == old {
            restart(&kind, "six-control-plane");
        }
    }
    assert_ne!(port(), old);
    kind.wait_for("six");
    let planned = run(&scenario, &SETTLED, 2);
    has(&planned, &["~   kind_cluster.this", "`kubeconfig_path` changed outside", "0 to replace"]);
    let made = applied(&scenario);
    assert_eq!(text(&made, "server"), format!("https://[::1]:{}", port()));
    run(&scenario, &DESTROY, 0);
    kind.tell("docker", &["network", "rm", "kind"]);
    assert_eq!(kind.traces(), before);
}

/// A cluster of both families in a network of its own, with all that can be seen of what it is told.
const BOTH: &str = r#"network = docker_network.this.name
  networking = {
    ip_family          = "dual"
    api_server_address = "10.2.1.40"
    api_server_port    = 6443
    dns_search         = ["mesh.test", "corp.test"]
  }
  nodes = [{ extra_port_mappings = [{ container_port = 80 }, { container_port = 81, host_port = 0, listen_address = "127.0.0.1" }, { container_port = 82, host_port = -1 }] }]
  feature_gates  = { StorageVersionHash = false, APIServingWithRoutine = true }
  runtime_config = { "api/alpha" = "false" }"#;

/// Its network.
const LAB: &str = r#"
resource "docker_network" "this" {
  name        = "lab"
  subnet      = "172.31.0.0/16"
  ipv6        = true
  ipv6_subnet = "fd77:1::/64"
}
"#;

#[test]
fn both_families_chosen_ports_and_gates_are_as_told() {
    let Some(kind) = Kind::start() else { return };
    let before = kind.traces();
    kind.shell(&format!("ip address add 10.2.1.40/32 dev {DEVICE}"));
    let scenario = kind.scenario(&(cluster("both", BOTH) + LAB));
    has(&run(&scenario, &["plan"], 0), &["https://10.2.1.40:6443"]);
    let made = applied(&scenario);
    let node = "both-control-plane";
    let container = &made["containers"]["value"][node];
    let has_prefix = |key: &str, prefix: &str| assert!(container[key].as_str().unwrap().starts_with(prefix), "{container}");
    has_prefix("ipv4_address", "172.31.");
    has_prefix("ipv6_address", "fd77:1::");
    assert_eq!(text(&made, "address"), kind.address(node));
    let addresses = kind.object("both", &["node", node]).unwrap()["status"]["addresses"].clone();
    assert_eq!((&addresses[0]["address"], &addresses[1]["address"]), (&container["ipv4_address"], &container["ipv6_address"]));
    let seen = inspected(&kind, node);
    assert_eq!(seen["NetworkSettings"]["Networks"].as_object().unwrap().keys().collect::<Vec<_>>(), ["lab"]);
    let environment = seen["Config"]["Env"].to_string();
    assert!(environment.contains("\"KIND_DNS_SEARCH=mesh.test corp.test\""), "{environment}");
    assert!(kind.engine().inspect("network", "kind").is_none(), "kind makes no other network");
    // The gates are those that the API server tells of.
    let metrics = kind.kubectl("both", &["get", "--raw=/metrics"]);
    let gate = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(&format!("kubernetes_feature_enabled{{name=\"{name}\"")));
        line.unwrap_or_default().ends_with(" 1")
    };
    assert_eq!((gate("StorageVersionHash"), gate("APIServingWithRoutine"), gate("CBORServingAndStorage")), (false, true, false));
    assert!(kind.engine().docker(&["exec", node, "ps", "-o", "args"]).contains("--runtime-config=api/alpha=false"));

    // What kind chose stays, what the Engine chooses does not, and neither is a change.
    let ports = || ["80/tcp", "81/tcp", "82/tcp"].map(|port| published(&kind, node, port));
    let old = ports();
    for _ in 0..5 {
        if ports()[2] == old[2] {
            restart(&kind, node);
        }
    }
    let fresh = ports();
    assert!(fresh[..2] == old[..2] && fresh[2] != old[2], "{old:?} {fresh:?}");
    kind.wait_for("both");
    run(&scenario, &SETTLED, 0);
    run(&scenario, &["plan", "--refresh-only"], 0);
    scenario.replace("main.mesh.hcl", "{ container_port = 80 }", "{ container_port = 80, host_port = 8099 }");
    let planned = run(&scenario, &["plan"], 0);
    has(&planned, &["-/+ kind_cluster.this", "host_port  8099  forces replacement"]);
    assert!(!planned.contains("feature_gates"), "what cannot be seen is as it was told: {planned}");
    run(&scenario, &DESTROY, 0);
    kind.shell(&format!("ip address del 10.2.1.40/32 dev {DEVICE}"));
    assert_eq!(kind.traces(), before);
}
