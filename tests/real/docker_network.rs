//! `docker_network` on a real Engine.

use meshplan_tests::docker::{self, Engine, IMAGE, TlsWay};
use meshplan_tests::scenario::Scenario;
use serde_json::json;

/// A block of the resource `n`.
fn network(arguments: &str) -> String {
    format!(
        "resource \"docker_network\" \"n\" {{\n  {arguments}\n}}\noutput \"n\" {{\n  value = {{ id = docker_network.n.id, subnet = docker_network.n.subnet }}\n}}\n"
    )
}

fn apply(scenario: &Scenario) -> String {
    scenario.run(&["apply", "--auto-approve"]).expect_code(0).stdout
}

/// Nothing is left to do.
fn converged(scenario: &Scenario) {
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

fn id(engine: &Engine, name: &str) -> Option<String> {
    engine.inspect("network", name).map(|network| network["Id"].as_str().unwrap().to_owned())
}

#[test]
fn a_network_is_made_kept_repaired_replaced_and_removed() {
    let Some(engine) = docker::shared() else { return };
    let whole = r#"name     = "whole"
  subnet   = "10.77.0.0/20"
  ip_range = "10.77.0.0/21"
  gateway  = "10.77.0.1"
  internal = true
  options  = { "com.docker.network.driver.mtu" = "1400" }
  labels   = { team = "mesh" }"#;
    let scenario = engine.scenario(&network(whole));
    apply(&scenario);
    let made = engine.inspect("network", "whole").unwrap();
    assert_eq!(made["IPAM"]["Config"], json!([{ "Subnet": "10.77.0.0/20", "IPRange": "10.77.0.0/21", "Gateway": "10.77.0.1" }]));
    assert_eq!((&made["Internal"], &made["Options"]["com.docker.network.driver.mtu"]), (&json!(true), &json!("1400")));
    assert_eq!(made["Labels"]["team"], "mesh");
    converged(&scenario);
    scenario.run(&["plan", "--refresh-only"]).expect_code(0);

    // Made again by somebody else, it is not ours: another is not made beside it.
    engine.docker(&["network", "rm", "whole"]);
    engine.docker(&["network", "create", "whole"]);
    let told = scenario.run(&["plan"]).expect_code(1).all();
    assert!(told.contains("docker network exists") && told.contains("on_exists = \"adopt\""), "{told}");
    engine.docker(&["network", "rm", "whole"]);
    let told = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(told.contains("docker_network.n  deleted outside"), "{told}");
    apply(&scenario);
    converged(&scenario);

    let before = id(engine, "whole");
    for (from, to) in [("10.77.0.0/21", "10.77.8.0/21"), ("1400", "1450"), ("team = \"mesh\"", "team = \"other\""), ("= true", "= false")] {
        scenario.replace("main.mesh.hcl", from, to);
        let told = scenario.run(&["plan"]).expect_code(0).stdout;
        assert!(told.contains("1 to replace"), "{to}: {told}");
    }
    apply(&scenario);
    converged(&scenario);
    assert!(id(engine, "whole") != before);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(id(engine, "whole"), None);
}

#[test]
fn what_the_engine_chooses_is_exported() {
    let Some(engine) = docker::shared() else { return };
    let scenario = engine.scenario(&format!(
        "{}\ndata \"docker_network\" \"n\" {{\n  name = docker_network.n.name\n}}\noutput \"same\" {{\n  value = data.docker_network.n.id == docker_network.n.id\n}}\n",
        network("name = \"chosen\"")
    ));
    apply(&scenario);
    converged(&scenario);
    let outputs: serde_json::Value = serde_json::from_str(&scenario.run(&["output", "--json"]).expect_code(0).stdout).unwrap();
    let made = engine.inspect("network", "chosen").unwrap();
    assert_eq!(outputs["n"]["value"]["subnet"], made["IPAM"]["Config"][0]["Subnet"], "{outputs:#}");
    assert_eq!((&outputs["n"]["value"]["id"], &outputs["same"]["value"]), (&made["Id"], &json!(true)), "{outputs:#}");
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
}

#[test]
fn a_network_with_containers_in_it_is_not_removed() {
    let Some(engine) = docker::shared() else { return };
    let scenario = engine.scenario(&network("name = \"used\""));
    apply(&scenario);
    engine.docker(&["run", "--detach", "--name", "user-of-used", "--network", "used", IMAGE, "sleep", "1000"]);
    let told = scenario.run(&["destroy", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("docker network in use") && told.contains("`user-of-used`"), "{told}");
    engine.docker(&["rm", "--force", "user-of-used"]);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(id(engine, "used"), None);
}

#[test]
fn a_network_of_others_is_adopted_or_imported_as_it_is() {
    let Some(engine) = docker::shared() else { return };
    for (name, way) in [("adopted", "on_exists = \"adopt\""), ("imported", "")] {
        engine.docker(&["network", "create", "--label", "whose=theirs", name]);
        let before = id(engine, name);
        let import = if way.is_empty() { format!("import {{\n  to = docker_network.n\n  id = \"{name}\"\n}}\n") } else { String::new() };
        let scenario = engine.scenario(&format!("{import}{}", network(&format!("name = \"{name}\"\n  {way}"))));
        let told = apply(&scenario);
        assert!(told.contains("1 imported") || told.contains("import"), "{told}");
        converged(&scenario);
        assert_eq!(id(engine, name), before);
        scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
        assert_eq!(id(engine, name), None);
    }
    let scenario = engine.scenario(&format!("import {{\n  to = docker_network.n\n  id = \"absent\"\n}}\n{}", network("name = \"absent\"")));
    let told = scenario.run(&["plan"]).expect_code(1).all();
    assert!(told.contains("nothing to import"), "{told}");
}

#[test]
fn two_networks_of_one_name_are_noticed() {
    let Some(engine) = docker::shared() else { return };
    let made = || engine.post("/v1.41/networks/create", &json!({ "Name": "twins", "CheckDuplicate": false }));
    assert!(made().contains("201"));
    if !made().contains("201") {
        // Engines from version 25 on refuse a second one themselves.
        return;
    }
    let data = "data \"docker_network\" \"n\" {\n  name = \"twins\"\n}\noutput \"id\" {\n  value = data.docker_network.n.id\n}\n";
    let told = engine.scenario(data).run(&["plan"]).expect_code(1).all();
    assert!(told.contains("docker network ambiguous") && told.contains("2 networks have the name `twins`"), "{told}");
    let told = engine.scenario(&network("name = \"twins\"\n  on_exists = \"adopt\"")).run(&["plan"]).expect_code(1).all();
    assert!(told.contains("docker network ambiguous"), "{told}");
    let data = data.replace("twins", "nobody");
    let told = engine.scenario(&data).run(&["plan"]).expect_code(1).all();
    assert!(told.contains("docker network not found") && told.contains("`docker network ls` shows what is there"), "{told}");
    let told = engine.scenario(&network("name = \"twins\"")).run(&["plan"]).expect_code(1).all();
    assert!(told.contains("docker network exists"), "{told}");
}

#[test]
fn addresses_that_are_taken_are_told_with_what_helps() {
    let Some(engine) = docker::shared() else { return };
    engine.docker(&["network", "create", "--subnet", "10.78.0.0/24", "holder"]);
    let scenario = engine.scenario(&network("name = \"late\"\n  subnet = \"10.78.0.0/24\""));
    let told = scenario.run(&["plan"]).expect_code(1).all();
    assert!(told.contains("subnet taken") && told.contains("`docker network rm holder`"), "{told}");
    let told = scenario.run(&["apply", "--auto-approve", "--preview=offline"]).expect_code(1).all();
    assert!(told.contains("docker network not changed") && told.contains("`subnet` chooses other addresses"), "{told}");
    assert_eq!(id(engine, "late"), None);
    assert!(scenario.addresses().is_empty());
}

#[test]
fn an_engine_that_does_not_answer_blocks_and_is_never_taken_for_empty() {
    let Some(engine) = docker::shared() else { return };
    let mut scenario = engine.scenario(&network("name = \"blocked\""));
    apply(&scenario);
    scenario.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let told = scenario.run(&["plan"]).all();
    assert!(
        told.contains("no Docker Engine answers at `unix:///nowhere/docker.sock`") && told.contains("systemctl start docker"),
        "{told}"
    );
    assert!(!told.contains("to create"), "{told}");
    scenario.run(&["destroy", "--auto-approve"]);
    assert_eq!(scenario.addresses(), ["docker_network.n"]);
    // Nothing made yet: the plan stands, and the apply says what is missing.
    let mut fresh = engine.scenario(&network("name = \"fresh\""));
    fresh.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let told = fresh.run(&["plan"]).expect_code(0).all();
    assert!(told.contains("warning: Docker Engine not reached") && told.contains("sudo systemctl start docker"), "{told}");
    let told = fresh.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("Docker Engine not reached"), "{told}");
    // A setting of the provider leads there all the same.
    let setting = format!("provider \"docker\" {{\n  host = \"{}\"\n}}\n", engine.host());
    scenario.write("provider.mesh.hcl", &setting);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(id(engine, "blocked"), None);
}

#[test]
fn the_current_docker_context_leads_to_the_engine() {
    let Some(engine) = docker::shared() else { return };
    let mut scenario = engine.scenario(&network("name = \"by-context\""));
    let configuration = scenario.path().join("docker").display().to_string();
    let docker = |arguments: &[&str]| {
        let mut command = std::process::Command::new("docker");
        let status = command.arg("--config").arg(&configuration).args(arguments).env_remove("DOCKER_HOST").output().unwrap();
        assert!(status.status.success(), "{status:?}");
    };
    docker(&["context", "create", "lab", "--docker", &format!("host={}", engine.host())]);
    docker(&["context", "use", "lab"]);
    scenario.set("DOCKER_HOST", "");
    scenario.set("DOCKER_CONFIG", &configuration);
    apply(&scenario);
    assert!(id(engine, "by-context").is_some());
    scenario.set("DOCKER_CONTEXT", "default");
    let told = scenario.run(&["plan"]).all();
    assert!(told.contains("`unix:///var/run/docker.sock`") || std::path::Path::new("/var/run/docker.sock").exists(), "{told}");
    scenario.set("DOCKER_CONTEXT", "lab");
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(id(engine, "by-context"), None);
}

#[test]
fn the_examples_of_the_reference_run() {
    // One without networks of other tests, whose addresses the Engine chose.
    let Some(engine) = Engine::start() else { return };
    engine.docker(&["network", "create", "kind"]);
    let directory = meshplan_tests::scenario::project().join("docs/reference/examples");
    for name in ["docker_network", "data.docker_network"] {
        let scenario = engine.scenario(&std::fs::read_to_string(directory.join(format!("{name}.mesh.hcl"))).unwrap());
        apply(&scenario);
        converged(&scenario);
        scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
        assert_eq!(scenario.addresses(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn an_engine_is_reached_over_tls_by_those_who_show_a_certificate() {
    let Some(engine) = docker::shared() else { return };
    let way = TlsWay::to(engine);
    let mut scenario = engine.scenario(&network("name = \"over-tls\""));
    scenario.set("DOCKER_HOST", &way.host());
    scenario.set("DOCKER_TLS_VERIFY", "1");
    scenario.set("DOCKER_CERT_PATH", &way.certificates().display().to_string());
    apply(&scenario);
    converged(&scenario);
    assert!(id(engine, "over-tls").is_some());
    // Another authority's certificate opens nothing, and neither does none.
    let stranger = TlsWay::to(engine);
    for (variable, value) in [("DOCKER_CERT_PATH", stranger.certificates().display().to_string()), ("DOCKER_TLS_VERIFY", String::new())] {
        scenario.set(variable, &value);
        let told = scenario.run(&["plan"]).all();
        assert!(told.contains(&format!("no Docker Engine answers at `{}`", way.host())), "{variable}: {told}");
    }
    let setting =
        format!("provider \"docker\" {{\n  host = \"{}\"\n  certificates = \"{}\"\n}}\n", way.host(), way.certificates().display());
    scenario.write("provider.mesh.hcl", &setting);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(id(engine, "over-tls"), None);
}
