//! From an address of the machine to the secrets of a mesh, in one plan and one apply: the example `kind-dnsmasq` with a mesh in its clusters.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use meshplan_tests::killed::Counting;
use meshplan_tests::kind::{DEVICE, IMAGE, Kind};
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));
pub(crate) const APPLY: [&str; 2] = ["apply", "--auto-approve"];
pub(crate) const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];
pub(crate) const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];
const DNS_IMAGE: &str = "dnsmasq:test";

/// A mesh without gateways in the clusters `kind_cluster.this`: control planes, a reader of each cluster, whose API server the others are told
/// to find at `SERVER`, and its secret in the other.
const MESH: &str = r#"
locals {
  pairs = {
    for pair in setproduct(keys(local.clusters), keys(local.clusters)) :
    "${pair[0]}-in-${pair[1]}" => { reader = pair[0], peer = pair[1] } if pair[0] != pair[1]
  }
}
resource "kubernetes_namespace" "system" {
  for_each = local.clusters
  cluster  = kind_cluster.this[each.key]
  name     = "istio-system"
  labels   = { "topology.istio.io/network" = "network-${each.key}" }
}
resource "istio_operator" "primary" {
  for_each     = local.clusters
  cluster      = kind_cluster.this[each.key]
  namespace    = kubernetes_namespace.system[each.key].name
  installer    = "operator"
  tag          = "1.23.6"
  mesh_id      = "mesh1"
  cluster_name = each.key
  network      = "network-${each.key}"
}
resource "istio_remote_reader" "this" {
  for_each      = local.clusters
  control_plane = istio_operator.primary[each.key]
  server        = SERVER
}
resource "istio_remote_secret" "this" {
  for_each  = local.pairs
  cluster   = kind_cluster.this[each.value.peer]
  namespace = kubernetes_namespace.system[each.value.peer].name
  reader    = istio_remote_reader.this[each.value.reader]
}
"#;

/// That mesh, with the address of the API servers that peers are told.
pub(crate) fn mesh(server: &str) -> String {
    MESH.replace("SERVER", server)
}

/// Runs a command line, which must end with this code; what it says.
pub(crate) fn run(scenario: &Scenario, args: &[&str], code: i32) -> String {
    let output = COUNTING.run(scenario, args, None);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    said
}

/// By the cluster that holds it: the resource version of the secret about a cluster, and the URL in it.
pub(crate) fn secrets(kind: &Kind, clusters: [&str; 2]) -> BTreeMap<String, (String, String)> {
    let [one, other] = clusters;
    let secret = |holder: &str, about: &str| {
        let secret = kind.object(holder, &["secret", &format!("istio-remote-secret-{about}"), "--namespace=istio-system"]).unwrap();
        let kubeconfig = BASE64_STANDARD.decode(secret["data"][about].as_str().unwrap()).unwrap();
        let kubeconfig = String::from_utf8(kubeconfig).unwrap();
        let server = kubeconfig.lines().find_map(|line| line.trim().strip_prefix("server: ")).unwrap().trim_matches('"').to_owned();
        (holder.to_owned(), (secret["metadata"]["resourceVersion"].as_str().unwrap().to_owned(), server))
    };
    [secret(one, other), secret(other, one)].into()
}

const CLUSTERS: [&str; 2] = ["test-cluster01", "test-cluster02"];

/// The example on a machine, with a mesh in its clusters.
fn example(kind: &Kind) -> Option<Scenario> {
    let mut missing = Missing::default();
    if missing.any_of(["dnsmasq"]) {
        missing.close();
        return None;
    }
    kind.engine().import_program("dnsmasq", DNS_IMAGE);
    let scenario = kind.furnish(Scenario::example("kind-dnsmasq"));
    scenario.write("machine.auto.vars.hcl", &format!("device = \"{DEVICE}\"\nnode_image = \"{IMAGE}\"\ndns_image = \"{DNS_IMAGE}\"\n"));
    scenario.write("mesh.mesh.hcl", &mesh("kind_cluster.this[each.key].peer_server"));
    Some(scenario)
}

/// What the plan of the whole example makes, instances of one resource in one entry, and what is in it of what is not known before.
const WHOLE: &[&str] = &[
    "+   host_vip.dns ",
    "+   host_vip.cluster[\"test-cluster01\"] ",
    "+   host_vip.cluster[\"test-cluster02\"] ",
    "+   docker_network.this ",
    "+   kind_cluster.this[*] ",
    "+   module.dns.docker_container.this ",
    "+   host_resolver.this ",
    "+   kubernetes_namespace.system[*] ",
    "+   istio_operator.primary[*] ",
    "15 CustomResourceDefinition: authorizationpolicies.security.istio.io",
    "1 Deployment in istio-operator: istio-operator",
    "1 IstioOperator in istio-system: control-plane",
    "+   istio_remote_reader.this[*] ",
    "+     ClusterRole istio-reader-clusterrole-istio-system ",
    "+     ClusterRoleBinding istio-reader-clusterrole-istio-system ",
    "+     Secret istio-system/istio-reader-service-account-istio-remote-secret-token ",
    "+     ServiceAccount istio-system/istio-reader-service-account ",
    "+   istio_remote_secret.this[*] ",
    "istio_remote_secret.this[\"test-cluster01-in-test-cluster02\"]",
    "(known after apply of module.dns.docker_image.this[0])",
    "read after `host_vip.dns`, `module.dns.docker_container.this` changes",
    "Plan: 69 to add, 0 to change, 0 to replace, 0 to destroy, 1 to read.",
];

/// Each thing that happens to a machine, and what of it is mended.
const DAMAGE: &[(&str, &str)] = &[
    ("docker stop --time 1 test-cluster01-worker", "kind_cluster.this[\"test-cluster01\"]"),
    ("docker stop --time 1 test-cluster02-control-plane", "kind_cluster.this[\"test-cluster02\"]"),
    ("docker stop --time 1 dnsmasq", "module.dns.docker_container.this"),
    ("ip address del 10.2.1.41/24 dev lan0", "host_vip.cluster[\"test-cluster02\"]"),
    ("echo address=/istio-cls1.com/10.2.1.99 >edited && docker cp edited dnsmasq:/etc/dnsmasq.conf", "module.dns.docker_container.this"),
];

/// How many parts of a run's points are passed between two kills.
const PARTS: u64 = 6;

#[test]
fn stand_in_from_addresses_to_remote_secrets_in_one_plan_and_one_apply() {
    let Some(kind) = Kind::start() else { return };
    let Some(scenario) = example(&kind) else { return };
    let (_attended, before) = (kind.attended(), kind.traces());
    let plan = run(&scenario, &["plan"], 0);
    for part in WHOLE {
        assert!(plan.contains(part), "`{part}` is not in the plan: {plan}");
    }
    let points = COUNTING.finish(&scenario, &APPLY, None);
    run(&scenario, &SETTLED, 0);
    assert_eq!(kind.clusters(), CLUSTERS);
    let servers: Vec<_> = secrets(&kind, CLUSTERS).into_values().map(|(_, server)| server).collect();
    assert_eq!(servers, ["https://10.2.1.41:6443", "https://10.2.1.40:6443"]);

    for (damage, mended) in DAMAGE {
        kind.shell(damage);
        let plan = run(&scenario, &SETTLED, 2);
        assert!(plan.contains(mended), "{damage}: {plan}");
        run(&scenario, &APPLY, 0);
        let settled = run(&scenario, &SETTLED, 0);
        assert!(!settled.contains("does not lead"), "{damage}: {settled}");
    }
    let to_destroy = COUNTING.finish(&scenario, &DESTROY, None);
    is_gone(&kind, &scenario, &before);

    // Killed over and over, each time a part of the way further: while addresses are added, clusters made, and objects in them.
    let killed = killed_on_the_way(&scenario, &APPLY, points);
    run(&scenario, &SETTLED, 0);
    let servers: Vec<_> = secrets(&kind, CLUSTERS).into_values().map(|(_, server)| server).collect();
    assert_eq!(servers, ["https://10.2.1.41:6443", "https://10.2.1.40:6443"]);
    let killed = killed + killed_on_the_way(&scenario, &DESTROY, to_destroy);
    is_gone(&kind, &scenario, &before);
    assert!(killed >= 8, "{killed} runs were killed");
}

/// Runs a command line that passes about so many points again and again, killed after each further part of them, until one ends well; how many
/// did not.
pub(crate) fn killed_on_the_way(scenario: &Scenario, args: &[&str], points: u64) -> u64 {
    let mut killed = 0;
    // What is begun anew passes points once more, and where only a few are left these may be all: each run may pass one more.
    while COUNTING.is_killed(scenario, args, points / (PARTS + 1) + killed, points) {
        killed += 1;
        assert!(killed < 4 * PARTS, "{args:?} comes no further");
    }
    killed
}

/// Nothing is left of a machine's example.
fn is_gone(kind: &Kind, scenario: &Scenario, before: &BTreeSet<String>) {
    assert_eq!(&kind.traces(), before);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
    assert!(!scenario.path().join(".meshplan/kind/test-cluster01.kubeconfig").exists());
}
