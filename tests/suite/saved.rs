//! Plans in files: what an apply of one refuses because it is not as it was, and what is none of its business.

use engine::plan::{Inputs, Plan, When};
use engine::value::Value;
use meshplan_tests::cluster::Cluster;
use meshplan_tests::planning::Bench;
use meshplan_tests::scenario::Scenario;
use serde_json::json;

const CONFIGURATION: &str = r#"
variable "greeting" {
  default = "hello"
}
variable "token" {
  sensitive = true
  default   = "t0ken"
}
resource "sandbox_cluster" "c" {
  name = "c"
}
resource "kubernetes_manifest" "settings" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "default" }
    data       = { greeting = var.greeting, kept = "as it is" }
  }
}
resource "kubernetes_secret" "token" {
  cluster   = sandbox_cluster.c
  namespace = "default"
  name      = "token"
  data      = { token = var.token }
}
output "greeting" {
  value = "${kubernetes_manifest.settings.manifest.data.greeting} from ${sandbox_cluster.c.server}"
}
"#;

const SETTINGS: &str = "/api/v1/namespaces/default/configmaps/settings";

fn changed(variable: &str) -> Scenario {
    let scenario = Scenario::with(CONFIGURATION);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--var", variable, "--out", "saved"]).expect_code(0);
    scenario
}

#[test]
fn a_saved_plan_ends_where_the_same_plan_would_have() {
    let (saved, fresh) = (Scenario::with(CONFIGURATION), Scenario::with(CONFIGURATION));
    let apply = |arguments: &[&str], change: &[&str]| {
        saved.run(&[&["plan", "--out", "saved"], arguments].concat()).expect_code(0);
        let ran = saved.run(&["apply", "saved"]).expect_code(0);
        assert!(!ran.all().contains("Enter a value"), "{}", ran.all());
        fresh.run(&[&["apply", "--auto-approve"], change].concat()).expect_code(0);
        let state = |scenario: &Scenario| meshplan_tests::redact::state(&scenario.state());
        assert_eq!(state(&saved), state(&fresh));
    };
    apply(&[], &[]);
    apply(&["--var", "greeting=bye", "--var", "token=0ther"], &["--var", "greeting=bye", "--var", "token=0ther"]);
    saved.run(&["plan", "--detailed-exitcode", "--var", "greeting=bye", "--var", "token=0ther"]).expect_code(0);
    saved.run(&["plan", "--destroy", "--out", "saved"]).expect_code(0);
    saved.run(&["apply", "saved"]).expect_code(0);
    assert_eq!(saved.addresses(), Vec::<String>::new());
}

#[test]
fn no_secret_stands_in_a_plan_file() {
    let scenario = Scenario::with(CONFIGURATION);
    for change in ["token=planted-one", "token=planted-two"] {
        scenario.run(&["plan", "--var", change, "--out", "saved"]).expect_code(0);
        let text = scenario.read("saved");
        assert!(!text.contains("planted") && text.contains("\"sealed\":\"sealed:v1:"), "{text}");
        for shown in [&["show", "saved"][..], &["show", "--json", "saved"]] {
            assert!(!scenario.run(shown).expect_code(0).all().contains("planted"));
        }
        scenario.run(&["apply", "saved"]).expect_code(0);
    }
}

#[test]
fn what_others_do_to_what_is_theirs_leaves_a_plan_as_it_is() {
    let scenario = changed("greeting=bye");
    let cluster = Cluster::of(&scenario, "c");
    cluster.edit(
        SETTINGS,
        &json!({ "metadata": { "labels": { "team": "a" }, "annotations": { "heartbeat": "1" } }, "data": { "theirs": "1" } }),
    );
    scenario.run(&["apply", "saved"]).expect_code(0);
    let there = cluster.get(SETTINGS).unwrap();
    assert_eq!((&there["data"]["greeting"], &there["data"]["theirs"]), (&json!("bye"), &json!("1")));
}

#[test]
fn an_edit_of_an_owned_field_makes_a_plan_stale() {
    let scenario = changed("greeting=bye");
    let before = scenario.state();
    let cluster = Cluster::of(&scenario, "c");
    cluster.edit(SETTINGS, &json!({ "data": { "kept": "edited" } }));
    let said = scenario.run(&["apply", "saved"]).expect_code(1).all();
    assert!(said.contains("error: stale plan") && said.contains("`kubernetes_manifest.settings` was changed: `data.kept`"), "{said}");
    cluster.delete(SETTINGS);
    let said = scenario.run(&["apply", "saved"]).expect_code(1).all();
    assert!(said.contains("`kubernetes_manifest.settings` was deleted"), "{said}");
    let again = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" }, "data": { "greeting": "hello" } });
    cluster.make("/api/v1/namespaces/default/configmaps", &again);
    let said = scenario.run(&["apply", "saved"]).expect_code(1).all();
    assert!(said.contains("`kubernetes_manifest.settings` was deleted"), "{said}");
    assert_eq!(scenario.state(), before, "a plan that was refused did something");
    assert_eq!(cluster.get(SETTINGS).unwrap()["data"], json!({ "greeting": "hello" }));
}

fn thing(name: &str, value: u64) -> String {
    format!("resource \"fake_thing\" \"{name}\" {{\n name = \"{name}\"\n value = {value}\n}}\n")
}

fn saved(bench: &Bench, text: &str) -> Plan {
    bench.plan_with(text, Inputs { when: When::Later, ..Inputs::default() })
}

fn moved(bench: &Bench, plan: &Plan) -> Vec<String> {
    bench.look_again(&mut plan.clone()).into_iter().map(|moved| format!("{} {}", moved.address, moved.how)).collect()
}

#[test]
fn a_plan_stands_on_all_that_was_seen_and_on_nothing_else() {
    let mut bench = Bench::default();
    let text = thing("a", 1) + &thing("b", 1) + &thing("gone", 1);
    bench.apply(&text);
    bench.fake.meddle("fake_thing/gone", None);
    let plan = saved(&bench, &(thing("a", 2) + &thing("b", 1) + &thing("gone", 1)));
    assert_eq!(moved(&bench, &plan), Vec::<String>::new());
    let there = bench.fake.things();
    let edited = |key: &str, name: &str, value: Value| {
        let entries = there[key].entries().iter().filter(|entry| &*entry.key != name).map(|entry| (entry.key.clone(), entry.value.clone()));
        Some(Value::object(entries.chain([(name.into(), value)])))
    };
    for (key, value, expected) in [
        ("fake_thing/b", edited("fake_thing/b", "value", Value::number(7)), "fake_thing.b was changed: `value`"),
        ("fake_thing/a", None, "fake_thing.a was deleted"),
        ("fake_thing/a", edited("fake_thing/a", "uid", Value::string("other")), "fake_thing.a was deleted, and another has its name now"),
        ("fake_thing/gone", edited("fake_thing/a", "value", Value::number(1)), "fake_thing.gone was not there and is now"),
    ] {
        bench.fake.meddle(key, value);
        assert_eq!(moved(&bench, &plan), [expected]);
        bench.fake.meddle(key, there.get(key).cloned());
    }
    assert_eq!(moved(&bench, &plan), Vec::<String>::new());
}

#[test]
fn what_a_plan_does_not_reach_any_more_is_said() {
    let mut bench = Bench::default();
    let text = "resource \"fake_place\" \"p\" {\n name = \"p\"\n}\n".to_owned()
        + "resource \"fake_inner\" \"x\" {\n cluster = fake_place.p\n name = \"x\"\n}\n";
    bench.apply(&text);
    let plan = saved(&bench, &text.replace("\"x\"\n}", "\"x\"\n value = 1\n}"));
    bench.fake.silence("fake_place.p");
    assert_eq!(moved(&bench, &plan), ["fake_place.p cannot be reached: the test says so"]);
    bench.fake.answer_again("fake_place.p");
    let mut again = plan.clone();
    again.connections.clear();
    assert_eq!(bench.look_again(&mut again), []);
    assert_eq!(again.connections, plan.connections);
}
