//! The example `locality`: its scenarios by `meshplan test`, its weights and its addons. What its mesh comes to stands in `mesh.rs`.

use meshplan_tests::cluster::Cluster;
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::json;
use std::collections::BTreeMap;

const APPLY: [&str; 2] = ["apply", "--auto-approve"];

/// The last word on each run of each file.
fn runs(output: &Output) -> BTreeMap<String, Vec<String>> {
    let mut runs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut file = String::new();
    for line in output.stdout.lines() {
        if let Some(path) = line.strip_suffix("... in progress") {
            path.trim_start_matches("tests/").trim_end_matches(".meshtest.hcl").clone_into(&mut file);
        } else if line.starts_with("  run ") {
            runs.entry(file.clone()).or_default().push(line.trim().to_owned());
        }
    }
    runs
}

#[test]
fn each_scenario_is_applied_and_destroyed_and_asks_nothing_where_no_pods_run() {
    let scenario = Scenario::example("locality");
    let output = scenario.run(&["test"]).expect_code(0);
    let named = |names: &[&str]| names.iter().map(|name| format!("run \"{name}\"... skip")).collect::<Vec<_>>();
    let expected = [
        ("CC1", named(&["answered_by_all_clusters"])),
        ("CC2", named(&["all_zones_answer", "own_zone_answers", "other_zones_take_over", "own_zone_answers_again"])),
        ("CC3", named(&["shares_by_origin"])),
        ("CC4", named(&["region4_answers_too", "own_zone_answers", "own_region_answers", "region3_answers", "own_zone_answers_again"])),
        ("DNSP1", named(&["address_is_allocated"])),
        ("DNSP2", named(&["listener_for_each_host"])),
        ("weights", named(&["half_each", "one_in_ten"])),
    ];
    assert_eq!(runs(&output), expected.map(|(name, runs)| (name.to_owned(), runs)).into(), "{}", output.all());
    assert!(output.stdout.ends_with("Success! 0 passed, 0 failed, 15 skipped.\n"), "{}", output.all());
    // Two scenarios have runs that drain, and say in place of that what they lack.
    let drains = output.stderr.matches("`istio_listener_drain.version[\"").count();
    assert_eq!((drains, output.stderr.matches("warning: assertions not run").count()), (3, 15), "{}", output.stderr);
    assert!(!scenario.path().join(".meshplan").exists() && scenario.read("meshplan.state.json").is_empty());

    // What needs no traffic is asked all the same.
    scenario.replace("scenarios/CC4.yaml", "to: region3", "to: region2");
    let output = scenario.run(&["test", "--filter", "tests/CC4.meshtest.hcl"]).expect_code(1);
    assert!(output.stderr.contains("region4 fails over to region3") && output.stderr.contains("this is \"region2\""), "{}", output.all());
    assert_eq!(runs(&output)["CC4"][1], "run \"own_zone_answers\"... fail");
}

#[test]
fn a_drain_needs_pods_that_run() {
    let scenario = Scenario::example("locality");
    let output = scenario.run(&[&APPLY[..], &["--var", "drained=[\"c1z2\"]"]].concat()).expect_code(1);
    assert!(output.stderr.contains("error: no data plane"), "{}", output.all());
    assert!(output.stderr.contains("a sandbox runs no pods"), "{}", output.all());
    assert!(!scenario.addresses().iter().any(|address| address.contains("drain")), "{:?}", scenario.addresses());
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    for (variable, told) in [
        ("drained=[\"c1z9\"]", "a version is named after its node"),
        ("weights={ c9z1 = 100 }", "a version is named after its node"),
        ("scenario=CC1", "scenarios with rules are CC2, CC3, CC4, DNSP1 and DNSP2"),
        ("standing=true", "name the contexts of all clusters"),
        ("addons={ a = { path = \"addons\", clusters = [\"c9\"] } }", "an addon names a cluster that is none"),
    ] {
        let output = scenario.run(&["plan", "--var", variable]).expect_code(1);
        assert!(output.stderr.contains(told), "{variable}: {}", output.all());
    }
    let both = scenario.run(&["plan", "--var", "scenario=CC2", "--var", "weights={ c1z1 = 100 }"]).expect_code(1);
    assert!(both.stderr.contains("weights and a scenario both write the rules"), "{}", both.all());
}

#[test]
fn weights_are_shares_of_a_hundred() {
    let scenario = Scenario::example("locality");
    let weights = |weights: &str| format!("weights={weights}");
    let odd = scenario.run(&["plan", "--var", &weights("{ c1z1 = 50, c2z1 = 60 }")]);
    assert!(odd.stderr.contains("[route-weights]") && odd.stderr.contains("has the weights 50, 60, together 110"), "{}", odd.all());
    scenario.run(&[&APPLY[..], &["--var", &weights("{ c1z1 = 50, c2z1 = 50 }")]].concat()).expect_code(0);
    let rule = |cluster: &str, plural: &str, name: &str| {
        let path = format!("/apis/networking.istio.io/v1beta1/namespaces/sample/{plural}/{name}");
        Cluster::of(&scenario, cluster).get(&path).map(|object| object["spec"].clone())
    };
    for cluster in ["cluster1", "cluster2", "cluster3"] {
        let subsets = rule(cluster, "destinationrules", "helloworld2-versions").unwrap()["subsets"].clone();
        assert_eq!(subsets[1], json!({ "name": "c2z1", "labels": { "version": "c2z1" } }), "{cluster}");
    }
    let told = scenario.run(&["plan", "--var", &weights("{ c1z1 = 90, c2z1 = 10 }")]).expect_code(0).stdout;
    assert!(told.contains("0 to add, 6 to change, 0 to replace, 0 to destroy"), "{told}");
    scenario.run(&[&APPLY[..], &["--var", &weights("{ c1z1 = 90, c2z1 = 10 }")]].concat()).expect_code(0);
    let routes = rule("cluster3", "virtualservices", "helloworld2").unwrap()["http"][0]["route"].clone();
    assert_eq!((&routes[0]["weight"], &routes[1]["weight"], &routes[1]["destination"]["subset"]), (&json!(90), &json!(10), &json!("c2z1")));
    scenario.run(&APPLY).expect_code(0);
    assert_eq!(rule("cluster1", "virtualservices", "helloworld2"), None);
}

const DASHBOARDS: &str = "\
apiVersion: monitoring.example/v1
kind: Dashboard
metadata: { name: envoy }
spec: { title: Envoy }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: dashboards.monitoring.example }
spec:
  group: monitoring.example
  names: { kind: Dashboard, plural: dashboards }
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
";

#[test]
fn addons_come_where_they_are_wanted_and_definitions_before_what_they_define() {
    let scenario = Scenario::example("locality");
    scenario.write("addons/dashboards.yaml", DASHBOARDS);
    scenario.write(
        "addons.auto.vars.hcl",
        "addons = {\n  prometheus = { path = \"addons/prometheus.yaml\" }\n  kiali = { path = \"addons/kiali.yaml\", clusters = [\"cluster1\"] }\n  dashboards = { path = \"addons/dashboards.yaml\", clusters = [\"cluster2\"] }\n}\n",
    );
    scenario.run(&["validate"]).expect_code(0);
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    let there = |cluster: &str, path: &str| Cluster::of(&scenario, cluster).get(path).is_some();
    let deployment = |name: &str| format!("/apis/apps/v1/namespaces/istio-system/deployments/{name}");
    for (cluster, expected) in [("cluster1", [true, true, false]), ("cluster2", [true, false, true]), ("cluster3", [true, false, false])] {
        let dashboard = "/apis/monitoring.example/v1/namespaces/istio-system/dashboards/envoy";
        let found = [there(cluster, &deployment("prometheus")), there(cluster, &deployment("kiali")), there(cluster, dashboard)];
        assert_eq!(found, expected, "{cluster}");
    }
    // Without its add-ons the mesh is what it was.
    std::fs::remove_file(scenario.path().join("addons.auto.vars.hcl")).unwrap();
    let output = scenario.run(&APPLY).expect_code(0);
    assert!(!there("cluster1", &deployment("kiali")) && !there("cluster2", &deployment("prometheus")), "{}", output.all());
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
}
