//! Laws held by exhaustion: whatever happens to an apply, running it again ends where a straight run ends.

use meshplan_tests::cluster::Cluster;
use meshplan_tests::killed::{Counting, authorities, replayed};
use meshplan_tests::redact;
use meshplan_tests::scenario::Scenario;
use serde_json::json;

pub(crate) const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));
pub(crate) const APPLY: [&str; 2] = ["apply", "--auto-approve"];

/// Everything an apply can be killed at, every `step`th point: afterwards a plain apply ends as the straight run did.
fn any_prefix(example: &dyn Fn() -> Scenario, step: usize) {
    let straight = example();
    let points = COUNTING.finish(&straight, &APPLY, None);
    assert!(points > 3, "only {points} points");
    let expected = redact::state(&straight.state());
    for point in (0..points).step_by(step) {
        let scenario = example();
        if !COUNTING.is_killed(&scenario, &APPLY, point, points) {
            continue;
        }
        let before = authorities(&replayed(&scenario));
        COUNTING.finish(&scenario, &APPLY, Some(point));
        let state = scenario.state();
        let left = redact::state(&state);
        assert!(left == expected, "killed at point {point}:\n{}", redact::difference(&expected, &left));
        let after = authorities(&state);
        for (address, fingerprint) in before {
            assert_eq!(after.get(&address), Some(&fingerprint), "`{address}` was made again after point {point}");
        }
        assert_eq!(made_twice(&scenario), Vec::<String>::new(), "killed at point {point}");
        let again = COUNTING.run(&scenario, &["plan", "--detailed-exitcode"], None);
        assert_eq!(again.status.code(), Some(0), "killed at point {point}: {}", String::from_utf8_lossy(&again.stdout));
    }
}

/// What the sandbox clusters of a scenario saw created more than once.
pub(crate) fn made_twice(scenario: &Scenario) -> Vec<String> {
    let sandboxes = sandbox::Sandboxes::new(scenario.path().join(".meshplan/sandbox"));
    let made = |name: &String| sandboxes.audit(name).unwrap().into_iter().filter(|made| made.created > 1);
    sandboxes.names().iter().flat_map(made).map(|made| format!("{} {}/{}", made.kind, made.namespace, made.name)).collect()
}

const AUTHORITIES: &str = r#"
resource "ca_root" "mesh" {
  subject = { organization = "Istio", common_name = "Root CA" }
}
resource "ca_intermediate" "this" {
  for_each = { cluster1 = 1, cluster2 = 2 }
  issuer   = ca_root.mesh
  subject  = { organization = "Istio", common_name = "Intermediate CA", locality = each.key }
}
resource "meshplan_data" "roots" {
  input = { for name, it in ca_intermediate.this : name => it.root_certificate == ca_root.mesh.certificate }
}
output "roots" {
  value = meshplan_data.roots.output
}
"#;

#[test]
fn an_apply_killed_anywhere_is_completed_by_the_next() {
    any_prefix(&|| Scenario::with(AUTHORITIES), 1);
}

pub(crate) const CLUSTERS: &str = r#"
variable "networks" {
  type    = map(string)
  default = { cluster1 = "network1", cluster2 = "network2" }
}
resource "sandbox_cluster" "this" {
  for_each = var.networks
  name     = each.key
}
resource "kubernetes_namespace" "system" {
  for_each = var.networks
  cluster  = sandbox_cluster.this[each.key]
  name     = "istio-system"
  labels   = { "topology.istio.io/network" = each.value }
}
resource "kubernetes_secret" "token" {
  for_each  = var.networks
  cluster   = sandbox_cluster.this[each.key]
  namespace = kubernetes_namespace.system[each.key].name
  name      = "uid-of-the-other"
  data      = { uid = sandbox_cluster.this[each.key == "cluster1" ? "cluster2" : "cluster1"].uid }
}
"#;

#[test]
fn an_apply_onto_clusters_killed_anywhere_makes_nothing_twice() {
    any_prefix(&|| Scenario::with(CLUSTERS), 1);
}

const IMPORTS: &str = r#"
resource "sandbox_cluster" "this" {
  name = "c"
}
resource "kubernetes_namespace" "shop" {
  cluster = sandbox_cluster.this
  name    = "shop"
  labels  = { "istio-injection" = "enabled" }
}
resource "kubernetes_secret" "keys" {
  cluster   = sandbox_cluster.this
  namespace = kubernetes_namespace.shop.name
  name      = "keys"
  data      = { key = "x" }
}
import {
  to = kubernetes_namespace.shop
  id = "shop"
}
import {
  to = kubernetes_secret.keys
  id = "shop/keys"
}
"#;

/// A cluster with objects that somebody made by hand, and what imports them.
fn imports() -> Scenario {
    let scenario = Scenario::with("resource \"sandbox_cluster\" \"this\" {\n  name = \"c\"\n}\n");
    scenario.run(&APPLY).expect_code(0);
    let cluster = Cluster::of(&scenario, "c");
    let object = |kind: &str, name: &str| json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name } });
    cluster.make("/api/v1/namespaces", &object("Namespace", "shop"));
    cluster.make("/api/v1/namespaces/shop/secrets", &object("Secret", "keys"));
    scenario.write("main.mesh.hcl", IMPORTS);
    scenario
}

#[test]
fn an_import_killed_anywhere_is_completed_by_the_next_apply() {
    any_prefix(&imports, 1);
}

#[test]
fn the_quickstart_killed_anywhere_is_completed_by_the_next_apply() {
    any_prefix(&|| Scenario::example("quickstart"), 1);
}

#[test]
fn the_three_clusters_killed_at_every_fifth_point_are_completed_by_the_next_apply() {
    any_prefix(&|| Scenario::example("locality"), 5);
}
