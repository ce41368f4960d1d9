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

/// A configuration that is applied, and then another.
fn changed(from: &str, to: &str) -> Scenario {
    let scenario = Scenario::with(from);
    scenario.run(&APPLY).expect_code(0);
    scenario.write("main.mesh.hcl", to);
    scenario
}

/// An object with a successor that is made first, another that knows it by name, and one that is told apart from it by its identity.
const SUCCESSION: &str = r#"
resource "sandbox_cluster" "this" {
  name = "c"
}
resource "kubernetes_secret" "keys" {
  cluster   = sandbox_cluster.this
  namespace = "default"
  name      = "keys-one"
  data      = { key = "x" }
  lifecycle {
    create_before_destroy = true
  }
}
resource "kubernetes_secret" "user" {
  cluster   = sandbox_cluster.this
  namespace = "default"
  name      = "user"
  data      = { of = kubernetes_secret.keys.name }
}
"#;

#[test]
fn a_replacement_created_first_and_killed_anywhere_is_completed_and_leaves_nothing_behind() {
    let successor = SUCCESSION.replace("keys-one", "keys-two");
    any_prefix(&|| changed(SUCCESSION, &successor), 1);
    // Between the create and the delete of what it replaces the state has both, and the next plan says so.
    let points = COUNTING.finish(&changed(SUCCESSION, &successor), &APPLY, None);
    let secrets = |scenario: &Scenario| {
        let listed = Cluster::of(scenario, "c").get("/api/v1/namespaces/default/secrets").unwrap();
        let names = listed["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned());
        names.filter(|name| name.starts_with("keys-")).collect::<Vec<_>>()
    };
    let mut left = 0;
    for point in 0..points {
        let scenario = changed(SUCCESSION, &successor);
        if !COUNTING.is_killed(&scenario, &APPLY, point, points) {
            continue;
        }
        let known = state::Store::new(scenario.path().join("meshplan.state.json")).read().unwrap().state;
        let keys = &known.resources[&"kubernetes_secret.keys".parse().unwrap()];
        if keys.deposed.is_empty() || secrets(&scenario).len() < 2 {
            continue;
        }
        left += 1;
        let plan = COUNTING.run(&scenario, &["plan"], None);
        let shown = String::from_utf8_lossy(&plan.stdout).into_owned();
        assert!(shown.contains("replaced before, not deleted yet"), "point {point}: {shown}");
        COUNTING.finish(&scenario, &APPLY, Some(point));
        assert_eq!(secrets(&scenario), ["keys-two"], "point {point}");
    }
    assert!(left > 3, "only {left} of {points} points lie between create and delete");
}

#[test]
fn a_cluster_that_is_replaced_or_leaves_is_left_whole_or_not_at_all_wherever_it_is_killed() {
    let leaves = CLUSTERS.replace(", cluster2 = \"network2\" }", " }").replace("key == \"cluster1\" ? \"cluster2\" : \"cluster1\"", "key");
    let replaced = CLUSTERS.replace("cluster2 = \"network2\"", "cluster3 = \"network2\"").replace("\"cluster2\"", "\"cluster3\"");
    for after in [&leaves, &replaced] {
        any_prefix(&|| changed(CLUSTERS, after), 2);
    }
}

#[test]
fn a_destroy_killed_anywhere_forgets_each_cluster_with_all_within_or_nothing_of_it() {
    let destroy = ["destroy", "--auto-approve"];
    let points = COUNTING.finish(&changed(CLUSTERS, CLUSTERS), &destroy, None);
    let (mut all, mut none) = (0, 0);
    for point in 0..points {
        let scenario = changed(CLUSTERS, CLUSTERS);
        if !COUNTING.is_killed(&scenario, &destroy, point, points) {
            continue;
        }
        let known = state::Store::new(scenario.path().join("meshplan.state.json")).read().unwrap().state;
        for key in ["cluster1", "cluster2"] {
            let kinds = ["sandbox_cluster.this", "kubernetes_namespace.system", "kubernetes_secret.token"];
            let there = kinds.map(|kind| known.resources.contains_key(&format!("{kind}[\"{key}\"]").parse().unwrap()));
            assert!(there == [true; 3] || there == [false; 3], "killed at point {point}: {key}: {there:?}");
            let place = known.places.contains_key(&format!("sandbox_cluster.this[\"{key}\"]").parse().unwrap());
            assert_eq!(place, there[0], "killed at point {point}: {key}");
            *(if there[0] { &mut all } else { &mut none }) += 1;
        }
        COUNTING.finish(&scenario, &destroy, Some(point));
        assert!(scenario.addresses().is_empty() && sandbox::Sandboxes::new(scenario.path().join(".meshplan/sandbox")).names().is_empty());
    }
    assert!(all > 3 && none > 1, "{all} and {none} of {points} points");
}
