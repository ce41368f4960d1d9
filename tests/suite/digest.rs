//! One digest for those who may ask servers what would become of a change, and those who may not.

use meshplan_tests::cluster::Cluster;
use meshplan_tests::fake::Fake;
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::json;

const SETTINGS: &str = "/api/v1/namespaces/default/configmaps/settings";

fn configuration(more: &str) -> String {
    let text = r#"
resource "sandbox_cluster" "c" {
  name = "c"
}
resource "kubernetes_manifest" "settings" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "default" }
    data       = { greeting = "hello" }
  }
}
resource "kubernetes_manifest" "fixed" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "fixed", namespace = "default" }
    immutable  = true
    data       = { size = "small" }
  }
}
resource "kubernetes_manifest" "web" {
  cluster = sandbox_cluster.c
  wait    = false
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = "default" }
    spec = {
      replicas = 1
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = { labels = { app = "web" } }
        spec = { containers = [{ name = "web", image = "web:1", resources = { requests = { cpu = "1" } } }] }
      }
    }
  }
}
resource "kubernetes_secret" "token" {
  cluster   = sandbox_cluster.c
  namespace = "default"
  name      = "token"
  data      = { token = "t0ken" }
}
resource "kubernetes_manifest" "copy" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "copy", namespace = "default" }
    data       = { uid = upper(kubernetes_manifest.settings.id) }
  }
}
"#;
    format!("{text}{more}")
}

fn applied() -> Scenario {
    let scenario = Scenario::with(&configuration(""));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario
}

/// The digest that a plan ends with; nothing if there is nothing to do.
fn digest(scenario: &Scenario, args: &[&str]) -> Option<String> {
    let said = scenario.run(&[&["plan"], args].concat()).expect_code(0).stdout;
    said.find("sha256:").map(|at| said[at..at + 71].to_owned())
}

#[test]
fn who_may_not_ask_a_server_plans_the_same() {
    let more = "resource \"kubernetes_namespace\" \"n\" {\n  cluster = sandbox_cluster.c\n  name    = \"n\"\n}\n";
    let rows: [(&str, &str, &str); 6] = [
        ("a field", "\"hello\"", "\"bye\""),
        ("a secret", "\"t0ken\"", "\"0ther\""),
        ("what a server writes in another way", "cpu = \"1\"", "cpu = \"1000m\""),
        ("something new", "resource \"kubernetes_secret\"", &format!("{more}resource \"kubernetes_secret\"")),
        (
            "what cannot change in place, as everybody knows",
            "matchLabels = { app = \"web\" }",
            "matchLabels = { app = \"web\", tier = \"a\" }",
        ),
        ("where nothing changes", "\"hello\"", "\"hello\""),
    ];
    let mut seen = Vec::new();
    for (what, from, to) in rows {
        let scenario = applied();
        // Beside the change that is looked at there is always one.
        for (from, to) in [
            (from, to),
            ("\"web:1\"", "\"web:2\""),
            ("template = {\n        metadata = { labels = { app", "template = {\n        metadata = { labels = { tier = \"a\", app"),
        ] {
            scenario.replace("main.mesh.hcl", from, to);
        }
        let [laptop, ci] = [&[][..], &["--preview=offline"]].map(|args| digest(&scenario, args).unwrap());
        assert_eq!(laptop, ci, "{what}");
        assert!(!seen.contains(&laptop), "{what}");
        scenario.run(&["apply", "--preview=offline", "--approve", &laptop]).expect_code(0);
        scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
        seen.push(laptop);
    }
}

#[test]
fn what_only_a_server_replaces_is_another_plan() {
    let scenario = applied();
    scenario.replace("main.mesh.hcl", "\"small\"", "\"large\"");
    let [asked, unasked] = [&[][..], &["--preview=offline"]].map(|args| digest(&scenario, args).unwrap());
    let said = scenario.run(&["apply", "--approve", &unasked]).expect_code(1).all();
    assert!(asked != unasked && said.contains("another plan than approved") && said.contains("-/+"), "{said}");
    scenario.run(&["apply", "--approve", &asked]).expect_code(0);
}

#[test]
fn what_is_there_of_ours_counts_and_what_others_have_does_not() {
    let scenario = applied();
    let cluster = Cluster::of(&scenario, "c");
    let edited = |greeting: &str, heartbeat: &str| {
        let metadata = json!({ "annotations": { "heartbeat": heartbeat }, "labels": { "team": heartbeat } });
        cluster.edit(SETTINGS, &json!({ "metadata": metadata, "data": { "greeting": greeting, "theirs": heartbeat } }));
        let [laptop, ci] = [&[][..], &["--preview=offline"]].map(|args| digest(&scenario, args).unwrap());
        assert_eq!(laptop, ci);
        laptop
    };
    let first = edited("edited", "1");
    assert_eq!(edited("edited", "2"), first);
    let other = edited("edited again", "2");
    assert_ne!(other, first);
    let said = scenario.run(&["apply", "--approve", &first]).expect_code(1).all();
    assert!(said.contains("another plan than approved"), "{said}");
    scenario.run(&["apply", "--approve", &other]).expect_code(0);
    assert_eq!(cluster.get(SETTINGS).unwrap()["data"], json!({ "greeting": "hello", "theirs": "2" }));
}

#[test]
fn how_a_value_is_computed_later_counts() {
    let scenario = Scenario::with(&configuration(""));
    let first = digest(&scenario, &[]).unwrap();
    scenario.replace("main.mesh.hcl", "upper(kubernetes_manifest.settings.id)", "sandbox_cluster.c.server");
    let second = digest(&scenario, &[]).unwrap();
    scenario.replace("main.mesh.hcl", "sandbox_cluster.c.server", "upper(sandbox_cluster.c.server)");
    let third = digest(&scenario, &[]).unwrap();
    scenario.replace("main.mesh.hcl", "upper(sandbox_cluster.c.server)", "(upper(\n      sandbox_cluster.c.server # a place\n    ))");
    assert_eq!(digest(&scenario, &[]).unwrap(), third);
    assert!(first != second && second != third, "{first} {second} {third}");
    scenario.run(&["plan", "--out", "saved"]).expect_code(0);
    let shown: serde_json::Value = serde_json::from_str(&scenario.run(&["show", "--json", "saved"]).stdout).unwrap();
    assert_eq!(shown["digest"], third);
    scenario.run(&["apply", "saved"]).expect_code(0);
}

/// The digest that stands in what a run said.
fn shown(output: &Output) -> String {
    let at = output.stdout.find("sha256:").unwrap();
    output.stdout[at..at + 71].to_owned()
}

const THINGS: &str = "resource \"fake_thing\" \"a\" {\n  name  = \"a\"\n  value = \"1\"\n}\nresource \"fake_thing\" \"b\" {\n  name  = \"b\"\n  value = \"1\"\n}\n";

/// Two things of which `a` is applied, and `b` exists, if it does, without anybody managing it.
fn things(exists: bool) -> (Scenario, Fake) {
    let (mut scenario, fake) = (Scenario::with(THINGS), Fake::default());
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["state", "rm", "fake_thing.b"]).expect_code(0);
    if !exists {
        fake.meddle("fake_thing/b", None);
    }
    fake.clear_calls();
    (scenario, fake)
}

#[test]
fn an_import_is_approved_by_its_digest() {
    let (scenario, fake) = things(true);
    let import = ["import", "fake_thing.b", "b"];
    let digest = shown(&scenario.run_with(&import, "no\n").expect_code(1));
    scenario.replace("main.mesh.hcl", "name  = \"b\"\n  value = \"1\"", "name  = \"b\"\n  value = \"2\"");
    let said = scenario.run(&[&import[..], &["--approve", &digest]].concat()).expect_code(1).all();
    assert!(said.contains("another plan than approved") && fake.calls().is_empty(), "{said}");
    let digest = shown(&scenario.run_with(&import, "no\n").expect_code(1));
    scenario.run(&[&import[..], &["--approve", &digest]].concat()).expect_code(0);
    assert_eq!(scenario.addresses(), ["fake_thing.a", "fake_thing.b"]);
}

#[test]
fn what_changes_the_state_alone_is_approved_by_its_digest() {
    let (scenario, fake) = things(false);
    fake.meddle("fake_thing/a", None);
    let refresh = ["--refresh-only"];
    let digest = shown(&scenario.run(&["plan", "--refresh-only"]).expect_code(0));
    let whole = shown(&scenario.run(&["plan"]).expect_code(0));
    assert_ne!(digest, whole);
    let apply = |digest: &str, code: u8| scenario.run(&[&["apply", "--approve", digest][..], &refresh].concat()).expect_code(code);
    apply(&whole, 1);
    apply(&digest, 0);
    assert_eq!((scenario.addresses(), fake.calls()), (Vec::new(), Vec::new()));
    apply(&digest, 1);
}

#[test]
fn a_destroy_and_a_part_are_approved_by_their_digests() {
    let (scenario, fake) = things(false);
    let part = ["--target", "fake_thing.b"];
    let digest = shown(&scenario.run(&[&["plan"][..], &part].concat()).expect_code(0));
    scenario.replace("main.mesh.hcl", "name  = \"a\"\n  value = \"1\"", "name  = \"a\"\n  value = \"2\"");
    scenario.run(&["apply", "--approve", &digest]).expect_code(1);
    scenario.run(&[&["apply", "--approve", &digest][..], &part].concat()).expect_code(0);
    assert_eq!(fake.calls(), ["create fake_thing.b"]);
    let digest = shown(&scenario.run(&["plan", "--destroy"]).expect_code(0));
    scenario.run(&["apply", "--approve", &digest]).expect_code(1);
    scenario.run(&["destroy", "--approve", &digest]).expect_code(0);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
}
