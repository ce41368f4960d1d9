//! A machine after a reboot: its addresses are gone, its containers do not run or have other addresses. One approval
//! repairs it, with the secrets that hold addresses of containers.

use super::kind_mesh::{APPLY, COUNTING, DESTROY, SETTLED, mesh, run, secrets};
use meshplan_tests::kind::{Attended, DEVICE, IMAGE, Kind};
use meshplan_tests::scenario::Scenario;
use std::io::Write as _;
use std::process::Stdio;

const CLUSTERS: [&str; 2] = ["c1", "c2"];

/// Clusters that are reached at addresses of the machine.
const AT_ADDRESSES: &str = r#"
locals {
  clusters = { c1 = "10.2.1.40", c2 = "10.2.1.41" }
}
resource "host_vip" "this" {
  for_each = local.clusters
  device   = "lan0"
  address  = each.value
}
resource "docker_network" "this" {
  name   = "lab"
  subnet = "172.30.0.0/16"
}
resource "kind_cluster" "this" {
  for_each   = local.clusters
  name       = each.key
  node_image = "stand-in.test/node:1"
  network    = docker_network.this.name
  networking = { api_server_address = host_vip.this[each.key].address, api_server_port = 6443 }
}
"#;

/// Clusters that their peers reach at addresses of containers.
const IN_CONTAINERS: &str = r#"
locals {
  clusters = { c1 = "a", c2 = "b" }
}
resource "docker_network" "this" {
  name   = "lab"
  subnet = "172.30.0.0/16"
}
resource "kind_cluster" "this" {
  for_each   = local.clusters
  name       = each.key
  node_image = "stand-in.test/node:1"
  network    = docker_network.this.name
}
"#;

fn made(configuration: &str, server: &str) -> Option<(Attended, Kind, Scenario)> {
    assert!(configuration.contains(IMAGE));
    let kind = Kind::start()?;
    let attended = kind.attended();
    let scenario = kind.scenario(&format!("{configuration}{}", mesh(server)));
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);
    Some((attended, kind, scenario))
}

fn of_containers(kind: &Kind) -> [String; 2] {
    ["c2-control-plane", "c1-control-plane"].map(|node| format!("https://{}:6443", kind.address(node)))
}

fn told(kind: &Kind) -> [String; 2] {
    CLUSTERS.map(|holder| secrets(kind, CLUSTERS)[holder].1.clone())
}

/// Applies with so many answers, each of which has to be asked for: one question more would get none.
fn approved(scenario: &Scenario, answers: usize) {
    let mut command = COUNTING.command(scenario, &["apply"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("yes\n".repeat(answers).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), said.matches("Enter a value:").count()), (Some(0), answers), "{said}");
}

#[test]
fn stand_in_a_reboot_takes_addresses_and_one_approval_brings_everything_back() {
    let Some((_attended, kind, scenario)) = made(AT_ADDRESSES, "kind_cluster.this[each.key].peer_server") else { return };
    let before = secrets(&kind, CLUSTERS);
    assert_eq!(told(&kind), ["https://10.2.1.41:6443", "https://10.2.1.40:6443"]);

    kind.engine().stop();
    kind.shell(&format!("for address in 10.2.1.40 10.2.1.41; do ip address del $address/32 dev {DEVICE}; done"));
    kind.engine().start_again();
    let plan = run(&scenario, &SETTLED, 2);
    for repaired in
        ["host_vip.this[\"c1\"]", "host_vip.this[\"c2\"]", "kind_cluster.this[\"c1\"]", "kind_cluster.this[\"c2\"]", "read after"]
    {
        assert!(plan.contains(repaired), "{repaired}: {plan}");
    }
    approved(&scenario, 1);
    assert_eq!(secrets(&kind, CLUSTERS), before);
    run(&scenario, &SETTLED, 0);
    run(&scenario, &DESTROY, 0);
    assert_eq!(kind.clusters(), Vec::<String>::new());
}

#[test]
fn stand_in_secrets_follow_the_addresses_of_containers() {
    let server = "\"https://${kind_cluster.this[each.key].control_plane_address}:6443\"";
    let Some((_attended, kind, scenario)) = made(IN_CONTAINERS, server) else { return };
    assert_eq!(told(&kind), of_containers(&kind));
    let nodes = CLUSTERS.map(|cluster| format!("{cluster}-control-plane"));
    let stop = || {
        for node in &nodes {
            kind.stop_node(node);
        }
    };

    // They run, and have each other's addresses.
    let was = of_containers(&kind);
    kind.restart_engine();
    stop();
    let first = usize::from(was[0] > was[1]);
    for node in [&nodes[1 - first], &nodes[first]] {
        kind.start_node(node);
    }
    for cluster in CLUSTERS {
        kind.wait_for(cluster);
    }
    if of_containers(&kind) == was {
        stop();
        for node in [&nodes[first], &nodes[1 - first]] {
            kind.start_node(node);
        }
    }
    assert_eq!(of_containers(&kind), [was[1].clone(), was[0].clone()]);
    run(&scenario, &APPLY, 0);
    assert_eq!(told(&kind), of_containers(&kind));
    run(&scenario, &SETTLED, 0);

    // They do not run, and somebody else has taken an address: one approval starts them, and tells their peers which addresses they have.
    let was = told(&kind);
    kind.restart_engine();
    stop();
    kind.engine().docker(&["run", "--detach", "--network", "lab", "--name", "other", "--entrypoint", "sleep", IMAGE, "1000"]);
    let plan = run(&scenario, &SETTLED, 2);
    for changed in
        ["kind_cluster.this[*]", "istio_remote_reader.this[*]", "istio_remote_secret.this[\"c1-in-c2\"]", "known after apply", "read after"]
    {
        assert!(plan.contains(changed), "{changed}: {plan}");
    }
    approved(&scenario, 1);
    assert_ne!(of_containers(&kind), was);
    assert_eq!(told(&kind), of_containers(&kind));
    run(&scenario, &SETTLED, 0);
    kind.engine().docker(&["rm", "--force", "other"]);

    // Meanwhile somebody took a secret away: what was approved is done but for that, and the rest is asked for.
    stop();
    kind.engine().docker(&["run", "--detach", "--network", "lab", "--name", "other", "--entrypoint", "sleep", IMAGE, "1000"]);
    for cluster in CLUSTERS {
        kind.start_node(&format!("{cluster}-control-plane"));
        kind.wait_for(cluster);
    }
    kind.kubectl("c2", &["delete", "secret", "istio-remote-secret-c1", "--namespace=istio-system"]);
    stop();
    approved(&scenario, 2);
    assert_eq!(told(&kind), of_containers(&kind));
    run(&scenario, &SETTLED, 0);
    kind.engine().docker(&["rm", "--force", "other"]);
    run(&scenario, &DESTROY, 0);
}
