//! `docker_image` by digest, from a registry of the test's own.

use meshplan_tests::docker::{self, Registry};
use meshplan_tests::scenario::Scenario;

fn image(name: &str, more: &str) -> String {
    format!(
        "resource \"docker_image\" \"i\" {{\n  name = \"{name}\"\n  {more}\n}}\noutput \"digest\" {{\n  value = docker_image.i.digest\n}}\n"
    )
}

fn apply(scenario: &Scenario) -> String {
    scenario.run(&["apply", "--auto-approve"]).expect_code(0).all()
}

fn converged(scenario: &Scenario) {
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn an_image_is_pulled_by_its_digest_and_is_always_the_same() {
    let Some(engine) = docker::shared() else { return };
    let registry = Registry::beside(engine);
    let root = std::fs::read(engine.tarball()).unwrap();
    let (first, second) = (registry.offer("mesh/box", &root, "MARK=1"), registry.offer("mesh/box", &root, "MARK=2"));
    let name = registry.image("mesh/box", &first);
    let container =
        "resource \"docker_container\" \"c\" {\n  name = \"by-digest\"\n  image = docker_image.i.id\n  stop_signal = \"KILL\"\n}\n";
    let scenario = engine.scenario(&(image(&name, "") + container));
    apply(&scenario);
    converged(&scenario);
    let there = engine.inspect("image", &name).unwrap();
    assert_eq!(there["Config"]["Env"][0], "MARK=1", "{there}");
    let outputs: serde_json::Value = serde_json::from_str(&scenario.run(&["output", "--json"]).expect_code(0).stdout).unwrap();
    assert_eq!(outputs["digest"]["value"], first.as_str());
    assert_eq!(engine.docker(&["exec", "by-digest", "sh", "-c", "echo $MARK"]), "1");

    // Another digest is another image, and takes the container along; nothing is asked of the registry for what is there.
    scenario.replace("main.mesh.hcl", &first, &second);
    let asked = registry.asked();
    let told = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(told.contains("2 to replace") && registry.asked() == asked, "{told}");
    apply(&scenario);
    assert!(registry.asked() > asked);
    let asked = registry.asked();
    converged(&scenario);
    assert_eq!((engine.docker(&["exec", "by-digest", "sh", "-c", "echo $MARK"]), registry.asked()), ("2".to_owned(), asked));
    assert_eq!(engine.inspect("image", &name), None, "the one before went with its last name");

    // One that somebody removed is pulled again.
    engine.docker(&["rm", "--force", "by-digest"]);
    let name = registry.image("mesh/box", &second);
    engine.docker(&["rmi", &name]);
    apply(&scenario);
    converged(&scenario);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!((engine.inspect("image", &name), engine.inspect("container", "by-digest"), scenario.addresses()), (None, None, Vec::new()));
}

#[test]
fn a_digest_that_the_registry_does_not_serve_or_serves_wrongly_leaves_nothing() {
    let Some(engine) = docker::shared() else { return };
    let registry = Registry::beside(engine);
    let there = registry.offer("mesh/other", &std::fs::read(engine.tarball()).unwrap(), "MARK=3");
    let swapped = format!("sha256:{}", "ab".repeat(32));
    registry.swap("mesh/other", (&there, &swapped));
    for (digest, words) in [(swapped, "verification failed"), (format!("sha256:{}", "cd".repeat(32)), "manifest unknown")] {
        let name = registry.image("mesh/other", &digest);
        let scenario = engine.scenario(&image(&name, ""));
        let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
        assert!(told.contains("docker image not changed") && told.contains(words) && told.contains(&name), "{told}");
        assert_eq!((engine.inspect("image", &name), scenario.addresses()), (None, Vec::new()));
    }
    // What is said wrongly is told before anything is asked.
    let asked = registry.asked();
    let scenario = engine.scenario(&image(&format!("{}x", registry.image("mesh/other", &there)), ""));
    let told = scenario.run(&["plan"]).expect_code(1).all();
    assert!(told.contains("invalid image name") && registry.asked() == asked, "{told}");
}

#[test]
fn an_image_that_several_bring_goes_with_the_last_of_them() {
    let Some(engine) = docker::shared() else { return };
    let registry = Registry::beside(engine);
    let name = registry.image("mesh/shared", &registry.offer("mesh/shared", &std::fs::read(engine.tarball()).unwrap(), "MARK=4"));
    let both = |labels: &[&str]| -> String {
        let one = |label: &&str| {
            format!(
                "resource \"docker_image\" \"{label}\" {{\n  name = \"{name}\"\n}}\n\
                 resource \"docker_container\" \"{label}\" {{\n  name = \"shared-{label}\"\n  image = docker_image.{label}.id\n  stop_signal = \"KILL\"\n}}\n"
            )
        };
        labels.iter().map(one).collect()
    };
    let scenario = engine.scenario(&both(&["a", "b"]));
    apply(&scenario);
    converged(&scenario);
    let marks = || {
        let there = engine.inspect("image", &name);
        let tags = there.as_ref().and_then(|there| there["RepoTags"].as_array()).cloned().unwrap_or_default();
        tags.iter().filter(|tag| tag.as_str().unwrap().starts_with("meshplan.io/record/")).count()
    };
    assert_eq!(marks(), 2);
    // Whoever comes later finds it, and is not left without it by those before.
    scenario.write("main.mesh.hcl", &both(&["b", "c"]));
    let told = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(told.contains("2 to add") && told.contains("2 to destroy"), "{told}");
    let asked = registry.asked();
    apply(&scenario);
    converged(&scenario);
    assert_eq!((marks(), registry.asked()), (2, asked), "nothing is pulled again");
    scenario.write("main.mesh.hcl", &both(&["c"]));
    apply(&scenario);
    converged(&scenario);
    assert_eq!(marks(), 1);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!((engine.inspect("image", &name), scenario.addresses()), (None, Vec::new()));

    // One that was there before is nobody's.
    engine.docker(&["pull", &name]);
    scenario.write("main.mesh.hcl", &both(&["a", "b"]));
    apply(&scenario);
    converged(&scenario);
    assert_eq!(marks(), 0);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert!(engine.inspect("image", &name).is_some());
    engine.docker(&["rmi", &name]);
}
