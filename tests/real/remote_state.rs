//! Whole command lines over a state in a cluster, and in a bucket: two directories share it, a killed apply is taken on.

use meshplan_tests::apiserver;
use meshplan_tests::bucket::{ACCESS_KEY, BUCKET, SECRET_KEY, Server};
use meshplan_tests::killed::Counting;
use meshplan_tests::scenario::{Scenario, project};
use serde_json::{Value as Json, json};
use std::os::unix::process::ExitStatusExt as _;

const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));
const APPLY: [&str; 2] = ["apply", "--auto-approve"];

const THINGS: &str = r#"
variable "names" {
  type    = set(string)
  default = ["a", "b", "c"]
}
resource "meshplan_data" "first" {
  for_each = var.names
  input    = each.key
}
resource "meshplan_data" "second" {
  for_each = var.names
  input    = "${meshplan_data.first[each.key].output}-again"
}
output "all" {
  value = [for it in meshplan_data.second : it.output]
}
"#;

/// A directory whose state is where this block says.
fn directory(backend: &str, environment: &[(&str, &str)]) -> Scenario {
    let mut scenario = Scenario::with(&format!("meshplan {{\n{backend}\n}}\n{THINGS}"));
    for (name, value) in environment {
        scenario.set(name, value);
    }
    scenario
}

/// What must hold wherever a state is.
fn holds(make: &dyn Fn() -> Scenario) {
    let (mine, theirs) = (make(), make());
    let points = COUNTING.finish(&mine, &APPLY, None);
    assert_eq!(mine.read("meshplan.state.json"), "", "nothing of it lies here");
    theirs.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    assert_eq!(theirs.addresses().len(), 6);

    // Killed half way through a change, with the lock held.
    mine.replace("main.mesh.hcl", "-again", "-once-more");
    theirs.replace("main.mesh.hcl", "-again", "-once-more");
    let killed = COUNTING.run(&mine, &APPLY, Some(points / 2));
    assert_eq!(killed.status.signal(), Some(9), "{}", String::from_utf8_lossy(&killed.stderr));
    let refused = theirs.run(&APPLY).expect_code(1);
    assert!(refused.stderr.contains("(lock "), "{}", refused.all());
    let (_, id) = refused.stderr.split_once("(lock ").unwrap();
    let (id, _) = id.split_once(')').unwrap();
    theirs.run(&["state", "unlock", "--force", id]).expect_code(0);
    let taken_on = theirs.run(&APPLY).expect_code(0);
    assert!(taken_on.stderr.contains("of its journal replayed"), "{}", taken_on.all());
    mine.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    has_one_history(&mine, &theirs);
    let outputs = mine.run(&["output", "--json"]).expect_code(0).stdout;
    assert!(outputs.contains("a-once-more") && outputs.contains("c-once-more"), "{outputs}");

    mine.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(theirs.addresses(), Vec::<String>::new());
}

/// What each revision was left by.
fn operations(of: &Scenario) -> Vec<String> {
    let heads: Vec<Json> = serde_json::from_str(&of.run(&["state", "history", "--json"]).expect_code(0).stdout).unwrap();
    heads.iter().map(|head| head["operation"].as_str().unwrap().to_owned()).collect()
}

/// An example of the reference does what its page says, with these arguments on the command line.
fn example(name: &str, scenario: &Scenario, arguments: &[String]) {
    let path = project().join("docs/reference/examples").join(format!("{name}.mesh.hcl"));
    scenario.write("main.mesh.hcl", &std::fs::read_to_string(path).unwrap());
    let given: Vec<String> = arguments.iter().map(|argument| format!("--backend-config={argument}")).collect();
    let run = |args: &[&str]| {
        let all: Vec<&str> = args.iter().copied().chain(given.iter().map(String::as_str)).collect();
        scenario.run(&all).expect_code(0)
    };
    run(&APPLY);
    run(&["plan", "--detailed-exitcode"]);
    assert_eq!(run(&["state", "list"]).stdout, "meshplan_data.motd\n");
    scenario.replace("main.mesh.hcl", "hello", "hello again");
    run(&APPLY);
    let listed = run(&["state", "history"]).stdout;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    run(&["destroy", "--auto-approve"]);
}

#[test]
fn the_example_of_a_cluster_needs_the_rights_that_its_page_names() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let rules = [
        json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "create", "update", "delete"] }),
        json!({ "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"] }),
    ];
    let mut scenario = Scenario::empty();
    scenario.reach(&[cluster.user(&cluster.name("keeper"), &rules).named("ops")]);
    example("backend.kubernetes", &scenario, &[format!("namespace={}", cluster.namespace())]);
}

#[test]
fn the_example_of_a_bucket_does_what_its_page_says() {
    let Some(server) = Server::start() else { return };
    assert_eq!(BUCKET, "states", "as in the example");
    let mut scenario = Scenario::empty();
    for (name, value) in [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)] {
        scenario.set(name, value);
    }
    let endpoint = format!("endpoint={}", server.endpoint());
    example("backend.s3", &scenario, &[endpoint, "region=us-east-1".to_owned(), "use_path_style=true".to_owned()]);
}

/// What one did is known to the other by the same number, and can be compared, planned back to and brought back by both.
fn has_one_history(mine: &Scenario, theirs: &Scenario) {
    let listed = |of: &Scenario| of.run(&["state", "history"]).expect_code(0).stdout;
    assert_eq!(listed(mine), listed(theirs));
    assert_eq!(
        operations(mine),
        ["apply", "found"],
        "the first, and what the killed one had done when its lock was taken: {}",
        listed(mine)
    );
    for of in [mine, theirs] {
        let between = of.run(&["state", "diff", "@1", "@2"]).expect_code(0).stdout;
        assert!(between.contains("-once-more") && between.ends_with("From @1 to @2: 3 changed.\n"), "{between}");
        let back = of.run(&["plan", "--to", "@1", "--detailed-exitcode"]).expect_code(2).stdout;
        assert!(back.contains("a-again"), "{back}");
        let restored = of.run(&["state", "restore", "--dry-run", "@1"]).expect_code(0).stdout;
        assert!(restored.ends_with("From the state to @1: 3 changed.\n"), "{restored}");
        assert_eq!(of.read(".meshplan/history/1.json.gz"), "", "nothing of it lies here");
    }
}

/// A state that becomes shared takes its history along.
fn takes_its_history_along(block: &str, environment: &[(&str, &str)]) {
    let mine = directory("history = 20", environment);
    mine.run(&APPLY).expect_code(0);
    mine.replace("main.mesh.hcl", "-again", "-once-more");
    mine.run(&APPLY).expect_code(0);
    mine.replace("main.mesh.hcl", "history = 20", block);
    mine.run(&["state", "migrate"]).expect_code(0);
    mine.run(&["state", "rm", "meshplan_data.second"]).expect_code(0);
    let theirs = directory(block, environment);
    assert_eq!(operations(&theirs), ["apply", "apply", "state migrate", "state rm"]);
    theirs.run(&["plan", "--to", "@1", "--detailed-exitcode"]).expect_code(2);
}

#[test]
fn a_state_in_a_cluster_is_shared_and_taken_on() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (namespace, kubeconfig) = (cluster.namespace(), cluster.admin().named("c").kubeconfig());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), kubeconfig).unwrap();
    let block = format!(
        "backend \"kubernetes\" {{\n kubeconfig = \"{}\"\n context = \"c\"\n namespace = \"{namespace}\"\n name = \"prod\"\n}}",
        file.path().display()
    );
    holds(&|| directory(&block, &[]));
    takes_its_history_along(&block.replace("prod", "later"), &[]);
}

#[test]
fn a_state_in_a_bucket_is_shared_and_taken_on() {
    let Some(server) = Server::start() else { return };
    let block = format!(
        "backend \"s3\" {{\n bucket = \"{BUCKET}\"\n key = \"prod\"\n region = \"us-east-1\"\n endpoint = \"{}\"\n use_path_style = true\n}}",
        server.endpoint()
    );
    let environment = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
    holds(&|| directory(&block, &environment));
    takes_its_history_along(&block.replace("prod", "later"), &environment);
}
