//! `meshplan plan --steps`: the order of an apply before it starts.

use meshplan_tests::fake::Fake;
use meshplan_tests::scenario::Scenario;
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn a_mesh_is_shown_in_waves_with_what_each_cluster_is_asked() {
    let scenario = Scenario::example("quickstart");
    let steps = scenario.run(&["plan", "--steps"]).expect_code(0).stdout;
    assert!(steps.starts_with(
        "Wave 1 of 22: 3 steps\n  +   sandbox_cluster.this[…] × 2\n  +   module.mesh.ca_root.mesh\n\nWave 2 of 22: 4 steps, about 1 request in each of 2 \
         places\n"
    ), "{steps}");
    for line in [
        "Wave 7 of 22: 30 steps, about 15 requests in each of 2 places\n  +   CustomResourceDefinition of module.mesh.istio_operator.primary[…] × 30\n",
        "  +   module.mesh.istio_operator.primary[…]/ClusterRole/istio-operator × 2\n",
        "Wave 22 of 22: 2 steps, about 1 request in each of 2 places\n  +   module.mesh.istio_remote_secret.this[…] × 2\n",
        "\nSteps: 117 in 22 waves.\n      outside of all places: 5 steps, about 5 requests\n      in sandbox_cluster.this[\"cluster1\"]: 56 steps,",
        "\nPlan: 71 to add, 0 to change, 0 to replace, 0 to destroy.\nPlan digest: sha256:",
    ] {
        assert!(steps.contains(line), "{line}\n{steps}");
    }
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(scenario.run(&["plan", "--steps"]).expect_code(0).stdout, "No changes: what exists is as configured.\n");
}

const CHAIN: &str = r#"
resource "fake_place" "p" {
  name = "p"
}
resource "fake_inner" "a" {
  for_each = toset(["x", "y"])
  cluster  = fake_place.p
  name     = each.key
}
resource "meshplan_data" "after" {
  input = fake_inner.a["x"].name
  depends_on = [fake_inner.a]
}
"#;

/// An apply starts steps in an order that the waves allow: what it starts needs nothing of a later wave that has not ended.
#[test]
fn an_apply_keeps_to_the_waves() {
    let mut scenario = Scenario::with(CHAIN);
    scenario.beside(&Fake::default());
    let lines = |args: &[&str]| -> Vec<Value> {
        scenario.run(args).expect_code(0).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let planned = lines(&["plan", "--steps", "--json"]);
    let steps = planned.iter().filter(|line| line["event"] == "planned_step");
    let waves: BTreeMap<(String, String), u64> =
        steps.map(|step| ((step["address"].to_string(), step["action"].to_string()), step["wave"].as_u64().unwrap())).collect();
    assert_eq!(waves.values().max(), Some(&waves[&("\"meshplan_data.after\"".to_owned(), "\"create\"".to_owned())]));
    let mut last = 0;
    let started: Vec<Value> = lines(&["apply", "--auto-approve", "--json"]).into_iter().filter(|line| line["event"] == "started").collect();
    assert_eq!(started.len(), waves.len(), "{waves:?} {started:#?}");
    for event in started {
        let wave = waves[&(event["address"].to_string(), event["action"].to_string())];
        assert!(wave >= last, "the chain has steps of equal length alone: {event}");
        last = wave;
    }
}

/// Also where what it depends on is not observed yet when it is called.
#[test]
fn a_module_comes_after_what_the_outputs_of_one_that_it_depends_on_are_made_of() {
    let scenario = Scenario::with(
        "resource \"sandbox_cluster\" \"this\" {\n  for_each = toset([\"c1\", \"c2\"])\n  name     = each.key\n}\n\
         module \"mesh\" {\n  source   = \"builtin:multi-primary\"\n  clusters = { for name, cluster in sandbox_cluster.this : name => { cluster = cluster, network = name } }\n}\n\
         module \"sample\" {\n  source     = \"builtin:helloworld\"\n  clusters   = { for name, cluster in sandbox_cluster.this : name => { cluster = cluster } }\n  depends_on = [module.mesh]\n}\n",
    );
    let waves = |module: &str| -> Vec<u64> {
        let told = scenario.run(&["plan", "--steps", "--json"]).expect_code(0).stdout;
        let events = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let steps = events.filter(|event| event["event"] == "planned_step" && event["address"].as_str().unwrap().starts_with(module));
        steps.map(|step| step["wave"].as_u64().unwrap()).collect()
    };
    let sample = waves("module.sample.");
    for given in ["module.mesh.istio_operator.primary[", "module.mesh.istio_eastwest_gateway.this["] {
        let before = waves(given);
        assert!(!before.is_empty() && before.iter().max() < sample.iter().min(), "{given} {before:?} {sample:?}");
    }
}
