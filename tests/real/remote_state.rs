//! Whole command lines over a state in a cluster, and in a bucket: two directories share it, a killed apply is taken on.

use meshplan_tests::apiserver;
use meshplan_tests::bucket::{ACCESS_KEY, BUCKET, SECRET_KEY, Server};
use meshplan_tests::killed::Counting;
use meshplan_tests::scenario::Scenario;
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
    let outputs = mine.run(&["output", "--json"]).expect_code(0).stdout;
    assert!(outputs.contains("a-once-more") && outputs.contains("c-once-more"), "{outputs}");

    mine.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(theirs.addresses(), Vec::<String>::new());
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
}

#[test]
fn a_state_in_a_bucket_is_shared_and_taken_on() {
    let Some(server) = Server::start() else { return };
    let block = format!(
        "backend \"s3\" {{\n bucket = \"{BUCKET}\"\n key = \"prod\"\n region = \"us-east-1\"\n endpoint = \"{}\"\n use_path_style = true\n}}",
        server.endpoint()
    );
    holds(&|| directory(&block, &[("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]));
}
