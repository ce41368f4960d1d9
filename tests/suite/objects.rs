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

#[test]
fn what_is_to_rest_is_not_waited_for() {
    let template = "template = {\n metadata = { labels = { app = \"a\" } }\n spec = { restartPolicy = \"RESTART\", containers = [{ name = \"c\", image = \"i\" }] }\n }";
    let manifest = |label: &str, head: &str, more: &str, restart: &str| {
        let spec = format!("spec = {{\n {more}\n {}\n }}", template.replace("RESTART", restart));
        format!(
            "resource \"kubernetes_manifest\" \"{label}\" {{\n cluster = sandbox_cluster.c\n manifest = {{\n {head}\n metadata = {{ name = \"{label}\" }}\n {spec}\n }}\n}}\n"
        )
    };
    let selector = "selector = { matchLabels = { app = \"a\" } }";
    let job = manifest("job", "apiVersion = \"batch/v1\"\n kind = \"Job\"", "suspend = true", "Never");
    let deployment = |label: &str, more: &str| {
        manifest(label, "apiVersion = \"apps/v1\"\n kind = \"Deployment\"", &format!("{more}\n {selector}"), "Always")
    };
    let text = "resource \"sandbox_cluster\" \"c\" {\n name = \"c\"\n}\n".to_owned()
        + &job
        + &deployment("paused", "paused = true")
        + &deployment("none", "replicas = 0");
    let scenario = Scenario::with(&text);
    let started = std::time::Instant::now();
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    assert!(started.elapsed().as_secs() < 100, "{:?}", started.elapsed());
    let states = scenario.state();
    assert!(states["resources"].as_array().unwrap().iter().all(|resource| resource["status"] == "ready"), "{states:#}");
}
