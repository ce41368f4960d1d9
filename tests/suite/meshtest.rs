//! `meshplan test` through the whole command line: what runs say, what they leave, and what is told of it.

mod sealed;

use meshplan_tests::fake::{Fails, Fake};
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

const MODULE: &str = r#"
variable "region" {
  default = "eu"
  validation {
    condition     = length(var.region) == 2
    error_message = "a region has two letters"
  }
}
variable "password" {
  default   = "hunter2"
  sensitive = true
}
resource "meshplan_data" "a" {
  input = var.region
  lifecycle {
    precondition {
      condition     = var.region != "xx"
      error_message = "no such region"
    }
  }
}
resource "meshplan_data" "b" {
  input = "${meshplan_data.a.output}-b"
}
check "near" {
  assert {
    condition     = var.region != "au"
    error_message = "that is far away"
  }
}
output "name" {
  value = meshplan_data.b.output
}
output "password" {
  value     = var.password
  sensitive = true
}
"#;

/// A scenario whose temporary files are its own.
struct Bench {
    scenario: Scenario,
    fake: Fake,
}

impl Bench {
    fn new(module: &str, test: &str) -> Self {
        let (mut scenario, fake) = (Scenario::with(module), Fake::default());
        scenario.beside(&fake);
        scenario.write("main.meshtest.hcl", test);
        scenario.write("tmp/.keep", "");
        Self { scenario, fake }
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut world = self.scenario.world("");
        world.environment.insert("TMPDIR".to_owned(), self.scenario.path().join("tmp").display().to_string());
        let args: Vec<&str> = [&["test"], args].concat();
        let output = Scenario::run_in(world, &args);
        for file in ["meshplan.state.json", "meshplan.state.journal", "meshplan.state.lock"] {
            assert_eq!(self.scenario.read(file), "", "the state of the configuration is none of a test's business");
        }
        output
    }

    /// The directories that tests left.
    fn kept(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.scenario.path().join("tmp")).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    }
}

/// What a test of one run says on both streams, of which nothing is left.
fn outcome(module: &str, test: &str, code: u8) -> Output {
    let bench = Bench::new(module, test);
    let output = bench.run(&[]).expect_code(code);
    assert_eq!(bench.kept(), Vec::<PathBuf>::new(), "{}", output.all());
    output
}

/// A run with an assertion.
fn asserting(lines: &str, condition: &str) -> String {
    format!(
        "run \"only\" {{\n{lines}\n  assert {{\n    condition     = {condition}\n    error_message = \"it is ${{var.region}}\"\n  }}\n}}\n"
    )
}

#[test]
fn runs_pass_in_order_and_see_what_came_before() {
    let test = r#"
variables {
  region = "us"
}
run "planned" {
  command = plan
  assert {
    condition     = meshplan_data.a.input == "us" && var.region == "us"
    error_message = "the variables of the file count"
  }
}
run "first" {
  assert {
    condition     = output.name == "us-b" && meshplan_data.a.output == "us"
    error_message = "outputs and resources are known after an apply"
  }
}
run "second" {
  variables {
    region = upper(substr(run.first.name, 0, 2))
  }
  assert {
    condition     = output.name == "US-b" && run.first.name != output.name && output.password == run.first.password
    error_message = "a run sees the one before"
  }
}
"#;
    let output = outcome(MODULE, test, 0);
    let shown = "main.meshtest.hcl... in progress
  run \"planned\"... pass
  run \"first\"... pass
  run \"second\"... pass
main.meshtest.hcl... tearing down
main.meshtest.hcl... pass

Success! 3 passed, 0 failed.
";
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), (shown, ""));
}

#[test]
fn a_failed_assertion_shows_its_place_and_both_sides() {
    let output = outcome(MODULE, &asserting("", "output.name == \"us-b\""), 1);
    assert!(output.stdout.ends_with("main.meshtest.hcl... fail\n\nFailure! 0 passed, 1 failed.\n"), "{}", output.all());
    for said in ["error: test assertion failed", "main.meshtest.hcl:4:", "this is \"eu-b\"", "it is eu"] {
        assert!(output.stderr.contains(said), "no `{said}` in\n{}", output.all());
    }
    let output = outcome(MODULE, &asserting("", "output.password == \"x\""), 1);
    assert!(output.stderr.contains("(sensitive value)") && !output.all().contains("hunter2"), "{}", output.all());
}

#[test]
fn a_failed_run_stops_nothing_and_an_error_skips_what_follows() {
    let after = "run \"after\" {}\n";
    let output = outcome(MODULE, &format!("{}{after}", asserting("", "var.region == \"\"")), 1);
    assert!(output.stdout.contains("run \"only\"... fail\n  run \"after\"... pass\n"), "{}", output.all());
    for (lines, condition, summary) in [
        ("  variables {\n    region = \"toolong\"\n  }", "var.region != \"\"", "invalid value"),
        ("  command = plan", "meshplan_data.a.id != \"\"", "condition not known"),
        ("", "var.region == \"eu\" ? null : true", "null condition"),
        ("", "var.region", "unsuitable value"),
        ("", "meshplan_data.a.output.x", "unsupported attribute"),
    ] {
        let output = outcome(MODULE, &format!("{}{after}", asserting(lines, condition)), 1);
        assert!(output.stdout.contains("run \"only\"... error\n  run \"after\"... skip\n"), "{condition}: {}", output.all());
        assert!(output.stdout.ends_with("Failure! 0 passed, 1 failed, 1 skipped.\n"), "{}", output.all());
        assert!(output.stderr.contains(&format!("error: {summary}\n")), "{summary}: {}", output.all());
    }
}

#[test]
fn expected_failures_pass_and_missing_ones_fail() {
    let run = |command: &str, region: &str, expected: &str| {
        format!(
            "run \"only\" {{\n  command = {command}\n  variables {{\n    region = \"{region}\"\n  }}\n  expect_failures = [{expected}]\n}}\n"
        )
    };
    for command in ["plan", "apply"] {
        for (region, expected, summary) in [
            ("toolong", "var.region", None),
            ("xx", "meshplan_data.a", None),
            ("au", "check.near", None),
            ("eu", "var.region", Some("missing expected failure")),
            ("eu", "check.near", Some("missing expected failure")),
            ("xx", "var.region", Some("precondition failed")),
            ("au", "", Some("check failed")),
        ] {
            let output = outcome(MODULE, &run(command, region, expected), u8::from(summary.is_some()));
            match summary {
                None => assert_eq!(output.stderr, "", "{command} {region}"),
                Some(summary) => assert!(output.stderr.contains(&format!("error: {summary}\n")), "{region}: {}", output.all()),
            }
        }
    }
    // What only an apply can decide.
    let module = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name = "b"
  lifecycle {
    precondition {
      condition     = fake_thing.a.uid == ""
      error_message = "it has one"
    }
  }
}
"#;
    let output = outcome(module, "run \"only\" {\n  expect_failures = [fake_thing.b]\n}\n", 0);
    assert_eq!(output.stderr, "");
}

const THINGS: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name  = "b"
  value = fake_thing.a.uid
}
"#;

#[test]
fn everything_is_destroyed_in_reverse_also_after_a_failure() {
    for (test, code) in [("run \"only\" {}\n", 0), (asserting("", "path.root == \"\"").replace("${var.region}", "").as_str(), 1)] {
        let bench = Bench::new(THINGS, test);
        bench.run(&[]).expect_code(code);
        let calls = bench.fake.calls();
        assert_eq!(calls, ["create fake_thing.a", "create fake_thing.b", "delete fake_thing.b", "delete fake_thing.a"]);
        assert_eq!(bench.kept(), Vec::<PathBuf>::new());
    }
    let bench = Bench::new(THINGS, "run \"only\" {}\nrun \"after\" {}\n");
    bench.fake.fail("fake_thing.b", Fails::Always);
    let output = bench.run(&[]).expect_code(1);
    assert!(output.stdout.contains("run \"only\"... error\n  run \"after\"... skip\n"), "{}", output.all());
    assert!(output.stderr.contains("error: it failed"), "{}", output.all());
    assert_eq!(bench.fake.things().len(), 0, "{:?}", bench.fake.calls());
    assert_eq!(bench.kept(), Vec::<PathBuf>::new());
}

#[test]
fn without_a_directory_for_its_state_nothing_is_run() {
    let bench = Bench::new(THINGS, "run \"only\" {}\n");
    let mut world = bench.scenario.world("");
    world.environment.insert("TMPDIR".to_owned(), bench.scenario.path().join("missing").display().to_string());
    let output = Scenario::run_in(world, &["test"]).expect_code(1);
    assert!(output.stderr.contains("error: no temporary directory"), "{}", output.all());
    assert_eq!(bench.fake.calls(), [""; 0]);
}

#[test]
fn what_is_left_is_named_and_its_state_kept() {
    let bench = Bench::new(THINGS, "run \"only\" {}\n");
    bench.fake.fail("delete fake_thing.a", Fails::Always);
    let output = bench.run(&[]).expect_code(1);
    let [kept] = bench.kept().try_into().unwrap();
    assert!(output.stdout.contains("run \"only\"... pass\n"), "{}", output.all());
    assert!(output.stdout.ends_with("main.meshtest.hcl... error\n\nFailure! 1 passed, 0 failed.\n"), "{}", output.all());
    let left = format!("`main.meshtest.hcl` left `fake_thing.a`; its state is kept in `{}`", kept.display());
    assert!(output.stderr.contains("error: it failed") && output.stderr.contains(&left), "{}", output.all());
    assert!(output.stderr.contains("error: not everything was destroyed"), "{}", output.all());
    // The help is as good as its word.
    assert!(output.stderr.contains(&format!("Run `meshplan -C {} destroy`.", kept.display())), "{}", output.all());
    bench.fake.fail("delete fake_thing.a", Fails::Never);
    let kept = kept.display().to_string();
    Scenario::run_in(bench.scenario.world(""), &["-C", &kept, "destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(bench.fake.things().len(), 0);
}

#[test]
fn an_interruption_destroys_what_was_made() {
    let waiting =
        "run \"only\" {\n  retry_until {\n    condition = fake_thing.a.uid == \"\"\n    timeout   = \"10m\"\n  }\n}\nrun \"after\" {}\n";
    let bench = Bench::new(THINGS, waiting);
    let mut world = bench.scenario.world("");
    world.environment.insert("TMPDIR".to_owned(), bench.scenario.path().join("tmp").display().to_string());
    let (fake, mut times) = (bench.fake.clone(), 0);
    world.interrupt = Box::new(move || {
        let fake = fake.clone();
        times += 1;
        Box::pin(async move {
            // Once, while the run waits.
            while times > 1 || fake.asked().len() < 8 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    });
    let output = Scenario::run_in(world, &["test"]).expect_code(1);
    assert!(output.stdout.contains("run \"only\"... error\n  run \"after\"... skip\n"), "{}", output.all());
    assert!(output.stderr.contains("Interrupted: what was made is destroyed."), "{}", output.all());
    assert_eq!(bench.fake.things().len(), 0, "{:?}", bench.fake.calls());
    assert_eq!(bench.kept(), Vec::<PathBuf>::new());
}

#[test]
fn a_run_waits_for_what_takes_time() {
    let module = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n";
    let test = |timeout: &str| {
        let condition = "condition = data.fake_data.x.value == \"ready\"";
        format!(
            "run \"only\" {{\n  data \"fake_data\" \"x\" {{\n    name = \"x\"\n  }}\n  retry_until {{\n    {condition}\n    timeout   = \"{timeout}\"\n    interval  = \"0s\"\n  }}\n  assert {{\n    {condition}\n    error_message = \"never\"\n  }}\n}}\n"
        )
    };
    let value = |value: &str| Some(engine::value::Value::object([("name", text("x")), ("value", text(value))]));
    let bench = Bench::new(module, &test("10m"));
    let fake = bench.fake.clone();
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        fake.meddle("data/x", value("not yet"));
        std::thread::sleep(Duration::from_millis(300));
        fake.meddle("data/x", value("ready"));
    });
    bench.run(&[]).expect_code(0);
    later.join().unwrap();
    let output = Bench::new(module, &test("0s")).run(&[]).expect_code(1);
    assert!(output.stderr.contains("error: waited in vain"), "{}", output.all());
}

#[test]
fn what_needs_running_pods_is_skipped_where_none_run() {
    let module = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n";
    let data = "data \"fake_data\" \"x\" {\n    name = \"x\"\n  }";
    let check = format!(
        "check \"moves\" {{\n  {data}\n  assert {{\n    condition = data.fake_data.x.value == 1\n    error_message = \"no\"\n  }}\n}}\n"
    );
    let asserting = |condition: &str| format!("assert {{\n    condition = {condition}\n    error_message = \"never\"\n  }}");
    let moves = asserting("data.fake_data.x.value == 1");
    let retry = "retry_until {\n    condition = data.fake_data.x.value == 1\n    timeout = \"10m\"\n  }";
    let fails = asserting("fake_thing.a.uid == \"\"");
    for (within, status, code) in [
        (format!("{data}\n  {moves}"), "skip", 0),
        (format!("{data}\n  {retry}"), "skip", 0),
        (format!("{data}\n  {moves}\n  {fails}"), "fail", 1),
        ("expect_failures = [check.moves]".to_owned(), "skip", 0),
        (String::new(), "pass", 0),
    ] {
        let bench = Bench::new(&(module.to_owned() + &check), &format!("run \"only\" {{\n  {within}\n}}\n"));
        bench.fake.still("x");
        let output = bench.run(&[]).expect_code(code);
        assert!(output.stdout.contains(&format!("run \"only\"... {status}\n")), "{within}: {}", output.all());
        let told = "warning: assertions not run";
        assert_eq!(output.stderr.contains(told), status == "skip", "{within}: {}", output.all());
        assert_eq!(output.stderr.contains("no data plane: the test says so"), status == "skip", "{within}: {}", output.all());
    }
}

fn text(text: &str) -> engine::value::Value {
    engine::value::Value::string(text)
}

#[test]
fn files_are_found_filtered_and_told_apart() {
    let bench = Bench::new(MODULE, "run \"here\" {}\n");
    bench.scenario.write("tests/b.meshtest.hcl", "run \"there\" {}\n");
    bench.scenario.write("other/c.meshtest.hcl", "run \"elsewhere\" {}\n");
    let runs = |args: &[&str]| {
        let output = bench.run(args).expect_code(0);
        output.stdout.lines().filter_map(|line| line.trim().strip_suffix("... pass").map(str::to_owned)).collect::<Vec<_>>()
    };
    let (here, there) = (["run \"here\"", "main.meshtest.hcl"], ["run \"there\"", "tests/b.meshtest.hcl"]);
    assert_eq!(runs(&[]), [here, there].concat());
    assert_eq!(runs(&["--filter", "tests/b.meshtest.hcl"]), there);
    assert_eq!(runs(&["-filter=./main.meshtest.hcl"]), here);
    assert_eq!(runs(&["--test-directory", "other"]), [&here[..], &["run \"elsewhere\"", "other/c.meshtest.hcl"]].concat());
    let output = bench.run(&["--filter", "b.meshtest.hcl"]).expect_code(1);
    assert!(output.stderr.contains("error: unknown test file") && output.stderr.contains("`tests/b.meshtest.hcl`"), "{}", output.all());
}

#[test]
fn each_file_has_a_state_of_its_own() {
    let bench = Bench::new(MODULE, &asserting("", "output.name == \"eu-b\""));
    bench.scenario.write("tests/b.meshtest.hcl", "variables {\n  region = \"us\"\n}\nrun \"b\" {\n  command = plan\n  assert {\n    condition     = meshplan_data.a.input == var.region\n    error_message = \"no\"\n  }\n}\n");
    let output = bench.run(&["--var", "region=eu", "--verbose"]).expect_code(0);
    assert!(output.stdout.contains("Plan: 2 to add, 0 to change, 0 to replace, 0 to destroy."), "nothing of the first: {}", output.all());
    for shown in ["# meshplan_data.a", "name     = \"eu-b\"", "password = (sensitive value)"] {
        assert!(output.stdout.contains(shown), "no `{shown}` in\n{}", output.all());
    }
    assert!(!output.stdout.contains("assert 0"), "what is asked is no output: {}", output.all());
}

#[test]
fn events_tell_programs_the_same() {
    let bench = Bench::new(
        THINGS,
        "run \"one\" {}\nrun \"two\" {\n  assert {\n    condition     = path.root == \"\"\n    error_message = \"no\"\n  }\n}\n",
    );
    bench.fake.fail("delete fake_thing.a", Fails::Always);
    let output = bench.run(&["--json"]).expect_code(1);
    assert_eq!(output.stderr, "");
    let events: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let progress: Vec<_> = named("test_file").iter().map(|event| (event["progress"].clone(), event["status"].clone())).collect();
    assert_eq!(progress, [(json!("starting"), Value::Null), (json!("teardown"), Value::Null), (json!("complete"), json!("error"))]);
    let runs: Vec<_> = named("test_run").iter().map(|event| (event["run"].clone(), event["status"].clone())).collect();
    assert_eq!(runs, [(json!("one"), json!("pass")), (json!("two"), json!("fail"))]);
    assert_eq!(named("test_cleanup")[0]["left"], json!(["fake_thing.a"]));
    assert_eq!(PathBuf::from(named("test_cleanup")[0]["kept"].as_str().unwrap()), bench.kept()[0]);
    let failed = named("diagnostic").into_iter().find(|event| event["summary"] == "test assertion failed").unwrap();
    assert_eq!((&failed["at"]["file"], &failed["at"]["line"]), (&json!("main.meshtest.hcl"), &json!(4)));
    let summary = json!({ "event": "test_summary", "status": "error", "passed": 1, "failed": 1, "errored": 0, "skipped": 0 });
    assert_eq!(events.last(), Some(&summary));
}

#[test]
fn sandbox_clusters_of_a_test_are_its_own() {
    let module = r#"
variable "labels" {
  default = {}
}
resource "sandbox_cluster" "c" {
  name = "one"
}
resource "kubernetes_namespace" "n" {
  cluster = sandbox_cluster.c
  name    = "sample"
  labels  = var.labels
}
"#;
    let test = r#"
run "made" {
  data "kubernetes_object" "n" {
    cluster     = sandbox_cluster.c
    api_version = "v1"
    kind        = "Namespace"
    name        = "sample"
  }
  assert {
    condition     = data.kubernetes_object.n.object.status.phase == "Active"
    error_message = "it is there"
  }
}
run "changed" {
  variables {
    labels = { tier = "gold" }
  }
  data "kubernetes_object" "n" {
    cluster     = sandbox_cluster.c
    api_version = "v1"
    kind        = "Namespace"
    name        = "sample"
  }
  assert {
    condition     = data.kubernetes_object.n.object.metadata.labels.tier == "gold"
    error_message = "it has the label"
  }
}
"#;
    let bench = Bench::new(module, test);
    bench.run(&[]).expect_code(0);
    assert!(!bench.scenario.path().join(".meshplan").exists());
    assert_eq!(bench.kept(), Vec::<PathBuf>::new());
}

#[test]
fn test_files_are_validated_and_laid_out_with_the_module() {
    let bench = Bench::new(MODULE, &asserting("", "output.nmae == \"\""));
    let run = |args: &[&str]| bench.scenario.run(args);
    let output = run(&["validate"]).expect_code(1);
    assert!(output.stderr.contains("main.meshtest.hcl:4:") && output.stderr.contains("Did you mean `output.name`?"), "{}", output.all());
    bench.scenario.write("main.meshtest.hcl", "run \"a\" {\n  data \"fake_dat\" \"x\" {}\n}\n");
    let output = run(&["validate"]).expect_code(1);
    assert!(output.stderr.contains("error: unknown data source kind"), "{}", output.all());
    bench.scenario.write("main.meshtest.hcl", "run \"a\" {\n command=plan\n}\n");
    run(&["validate"]).expect_code(0);
    let output = run(&["fmt"]).expect_code(0);
    assert!(output.stdout.contains("main.meshtest.hcl\n"), "{}", output.all());
    assert_eq!(bench.scenario.read("main.meshtest.hcl"), "run \"a\" {\n  command = plan\n}\n");
}
