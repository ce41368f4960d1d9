//! One object, several owners of its parts: none takes from the others, and all come to rest together.

use meshplan_tests::cluster::Cluster;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};

const NAMESPACE: &str = "/api/v1/namespaces/shop";

const OWNERS: &str = r#"
resource "sandbox_cluster" "c" {
  name = "c"
}
resource "kubernetes_namespace" "shop" {
  cluster = sandbox_cluster.c
  name    = "shop"
  labels  = { "istio-injection" = "enabled" }
}
resource "kubernetes_labels" "network" {
  cluster     = sandbox_cluster.c
  api_version = "v1"
  kind        = "Namespace"
  name        = kubernetes_namespace.shop.name
  labels      = { "topology.istio.io/network" = "network1" }
}
"#;

const THIRD: &str = r#"
resource "kubernetes_labels" "team" {
  cluster     = sandbox_cluster.c
  api_version = "v1"
  kind        = "Namespace"
  name        = kubernetes_namespace.shop.name
  labels      = { "team" = "mesh", "tier" = "front" }
}
"#;

/// Applies, looks again, and gives the labels that are there then, without the one every namespace has.
fn labels(scenario: &Scenario) -> Value {
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    let mut labels = Cluster::of(scenario, "c").get(NAMESPACE).unwrap()["metadata"]["labels"].take();
    labels.as_object_mut().unwrap().remove("kubernetes.io/metadata.name");
    labels
}

#[test]
fn owners_of_one_namespace_come_to_rest_together() {
    let scenario = Scenario::with(OWNERS);
    scenario.write("team.mesh.hcl", THIRD);
    let all = json!({ "istio-injection": "enabled", "topology.istio.io/network": "network1", "team": "mesh", "tier": "front" });
    assert_eq!(labels(&scenario), all);

    // Each of them changes once, and the others keep what is theirs.
    scenario.replace("main.mesh.hcl", "\"enabled\"", "\"disabled\"");
    scenario.replace("main.mesh.hcl", "\"network1\"", "\"network2\"");
    scenario.replace("team.mesh.hcl", "\"tier\" = \"front\"", "\"stage\" = \"test\"");
    let changed = json!({ "istio-injection": "disabled", "topology.istio.io/network": "network2", "team": "mesh", "stage": "test" });
    assert_eq!(labels(&scenario), changed);

    // One goes, with what was its own.
    std::fs::remove_file(scenario.path().join("team.mesh.hcl")).unwrap();
    assert_eq!(labels(&scenario), json!({ "istio-injection": "disabled", "topology.istio.io/network": "network2" }));
}

#[test]
fn what_is_edited_by_hand_comes_back_to_its_owner_alone() {
    let scenario = Scenario::with(OWNERS);
    scenario.write("team.mesh.hcl", THIRD);
    labels(&scenario);
    let edits = json!({ "metadata": { "labels": { "team": "other", "topology.istio.io/network": null, "by-hand": "yes" } } });
    Cluster::of(&scenario, "c").edit(NAMESPACE, &edits);
    let plan = scenario.run(&["plan"]).expect_code(0);
    for address in ["kubernetes_labels.team ", "kubernetes_labels.network "] {
        assert!(plan.stdout.lines().any(|line| line.contains(address) && line.contains("changed outside")), "{}", plan.all());
    }
    assert!(!plan.stdout.contains("kubernetes_namespace.shop"), "{}", plan.all());
    let mended =
        json!({ "istio-injection": "enabled", "topology.istio.io/network": "network1", "team": "mesh", "tier": "front", "by-hand": "yes" });
    assert_eq!(labels(&scenario), mended);

    // The owner gone from outside: everything is made again, and in order.
    Cluster::of(&scenario, "c").delete(NAMESPACE);
    let made = json!({ "istio-injection": "enabled", "topology.istio.io/network": "network1", "team": "mesh", "tier": "front" });
    assert_eq!(labels(&scenario), made);

    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(scenario.state()["resources"], json!([]));
}

#[test]
fn two_that_want_one_label_are_told_of_each_other() {
    let scenario = Scenario::with(OWNERS);
    scenario.write("team.mesh.hcl", &THIRD.replace("\"team\" = \"mesh\"", "\"topology.istio.io/network\" = \"network9\""));
    let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert!(output.stderr.contains("topology.istio.io/network"), "{}", output.all());
}
