//! Things at one Docker Engine that are to be at another one.

use meshplan_tests::docker::{self, Engine, IMAGE};
use meshplan_tests::scenario::Scenario;

fn provider(engine: &Engine) -> String {
    format!("provider \"docker\" {{\n  alias = \"lab\"\n  host  = \"{}\"\n}}\n", engine.host())
}

/// A container in a network, at the Engine of a provider.
fn things(name: &str, provider: &str) -> String {
    format!(
        "resource \"docker_network\" \"n\" {{\n  provider = {provider}\n  name = \"{name}\"\n}}\n\
         resource \"docker_container\" \"c\" {{\n  provider = {provider}\n  name = \"{name}\"\n  image = \"{IMAGE}\"\n  command = [\"sleep\", \"1000\"]\n  \
         stop_signal = \"KILL\"\n  networks = [{{ network = docker_network.n.id }}]\n}}\n"
    )
}

fn run(scenario: &Scenario, arguments: &[&str], code: u8) -> String {
    scenario.run(arguments).expect_code(code).all()
}

/// Whether the Engine has the network and the container.
fn has(engine: &Engine, name: &str) -> (bool, bool) {
    (engine.inspect("network", name).is_some(), engine.inspect("container", name).is_some())
}

const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];

#[test]
fn what_moves_to_another_engine_leaves_nothing_at_the_former() {
    let (Some(near), Some(far)) = (docker::shared(), Engine::start()) else { return };
    let scenario = near.scenario(&(provider(&far) + &things("moves", "docker")));
    run(&scenario, &APPLY, 0);
    assert_eq!((has(near, "moves"), has(&far, "moves")), ((true, true), (false, false)));
    run(&scenario, &SETTLED, 0);

    // There and back again.
    for (from, to, before, after) in [("docker", "docker.lab", near, &far), ("docker.lab", "docker", &far, near)] {
        let (from, to) = (things("moves", from), things("moves", to));
        scenario.replace("main.mesh.hcl", &from, &to);
        let told = run(&scenario, &["plan"], 0);
        assert!(told.contains("2 to replace") && told.contains("`engine` cannot change in place"), "{told}");
        run(&scenario, &APPLY, 0);
        assert_eq!((has(before, "moves"), has(after, "moves")), ((false, false), (true, true)));
        run(&scenario, &SETTLED, 0);
    }
    run(&scenario, &["destroy", "--auto-approve"], 0);
    assert_eq!((has(near, "moves"), scenario.addresses()), ((false, false), Vec::new()));
}

#[test]
fn what_no_block_describes_goes_from_the_engine_where_it_is_or_stays_remembered() {
    let (Some(near), Some(far)) = (docker::shared(), Engine::start()) else { return };
    let scenario = near.scenario(&(provider(&far) + &things("stays", "docker.lab")));
    run(&scenario, &APPLY, 0);
    assert_eq!((has(near, "stays"), has(&far, "stays")), ((false, false), (true, true)));

    // Nothing leads there: it is not taken for gone, and what to do is said.
    scenario.write("main.mesh.hcl", "");
    let told = run(&scenario, &["plan"], 0);
    let words = format!("at `{}`, and no provider leads there: write a `provider \"docker\"` block", far.host());
    assert!(told.contains("2 could not be observed") && told.contains(&words), "{told}");
    run(&scenario, &APPLY, 1);
    assert_eq!((has(&far, "stays"), scenario.addresses().len()), ((true, true), 2));

    // Somebody leads there, though nothing uses it.
    scenario.write("main.mesh.hcl", &provider(&far));
    let told = run(&scenario, &["plan"], 0);
    assert!(told.contains("2 to destroy"), "{told}");

    // One that does not answer keeps what it has, too.
    far.stop();
    let told = run(&scenario, &["plan"], 0);
    assert!(told.contains("no Docker Engine answers at") && told.contains("2 could not be observed"), "{told}");
    scenario.write("main.mesh.hcl", &(provider(&far) + &things("stays", "docker")));
    let told = run(&scenario, &["plan"], 0);
    assert!(told.contains("2 could not be observed"), "{told}");
    far.start_again();
    let told = run(&scenario, &["plan"], 0);
    assert!(told.contains("2 to replace"), "{told}");
    // Nor is anything deleted for one that does not answer.
    let mut scenario = scenario;
    scenario.set("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let told = run(&scenario, &["plan"], 1);
    assert!(told.contains("Docker Engine not reached") && told.contains("it moves to another Docker Engine"), "{told}");
    scenario.write("main.mesh.hcl", &provider(&far));
    run(&scenario, &APPLY, 0);
    assert_eq!((has(&far, "stays"), scenario.addresses()), ((false, false), Vec::new()));
}
