//! `data.kubernetes_objects` in the sandbox: unknown until the cluster is there, and then what is in it.

use meshplan_tests::scenario::{Scenario, project};
use serde_json::{Value, json};

#[test]
fn objects_are_known_once_their_cluster_is_there() {
    let example = std::fs::read_to_string(project().join("docs/reference/examples/data.kubernetes_objects.mesh.hcl")).unwrap();
    let scenario = Scenario::with(&example);
    let injected = || -> Value { serde_json::from_str(&scenario.run(&["output", "--json", "injected"]).expect_code(0).stdout).unwrap() };
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(plan.contains("data.kubernetes_objects.injected") && plan.contains("known after"), "{plan}");
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(injected(), json!(["team-a", "team-b"]));
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);

    scenario.replace("main.mesh.hcl", "[\"a\", \"b\"]", "[\"b\", \"c\"]");
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(injected(), json!(["team-b", "team-c"]));
    for (from, to, words) in [
        ("istio-injection=enabled\"\n  depends", "a in\"\n  depends", "objects not listed"),
        ("\"Namespace\"", "\"Nothing\"", "unknown kind of object"),
    ] {
        scenario.replace("main.mesh.hcl", from, to);
        let told = scenario.run(&["plan"]).expect_code(1).all();
        assert!(told.contains(words), "{told}");
    }
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
}
