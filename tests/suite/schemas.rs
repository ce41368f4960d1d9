//! What programs read is as `docs/schemas` says: every line of `--json`, plans and states as documents.

use crate::laws::CLUSTERS;
use jsonschema::{Registry, Validator};
use meshplan_tests::fake::{Fails, Fake};
use meshplan_tests::scenario::{Scenario, project};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The schema's text in `docs/schemas`, with nothing allowed that it does not name: readers ignore what they do not know, and no test
/// should.
fn closed(name: &str) -> Value {
    let file = project().join(format!("docs/schemas/{name}.schema.json"));
    let mut schema = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut() {
        let describes = members.contains_key("properties") && members.get("type") == Some(&json!("object"));
        if describes && !members.contains_key("additionalProperties") {
            members.insert("additionalProperties".to_owned(), json!(false));
        }
        // A reference with members beside it, as the events of the common shapes are.
        if members.contains_key("allOf") {
            members.insert("unevaluatedProperties".to_owned(), json!(false));
        }
        members.values_mut().for_each(close);
    } else if let Some(items) = schema.as_array_mut() {
        items.iter_mut().for_each(close);
    }
}

/// What validates documents of a kind.
fn validator(name: &str) -> Validator {
    // What is joined with other members is closed where they are joined.
    let mut common = closed("common");
    for joined in ["change", "output_change", "drift", "blocked", "check", "diagnostic"] {
        common["$defs"][joined].as_object_mut().unwrap().remove("additionalProperties");
    }
    let resources = [("urn:meshplan:common:1", common), ("urn:meshplan:state:1", closed("state"))];
    let registry = resources.into_iter().fold(Registry::new(), |registry, (id, schema)| registry.add(id, schema).unwrap());
    let registry = registry.prepare().unwrap();
    jsonschema::options().with_registry(&registry).build(&closed(name)).unwrap()
}

fn holds(validator: &Validator, document: &Value) {
    let problems: Vec<_> = validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?}\n{document:#}");
}

/// The names of the events of a run, each of which is as the schema says.
fn events(validator: &Validator, scenario: &Scenario, args: &[&str]) -> BTreeSet<String> {
    let output = scenario.run(args);
    assert_eq!(output.stderr, "", "{args:?}");
    let lines = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.inspect(|line| holds(validator, line)).map(|line| line["event"].as_str().unwrap().to_owned()).collect()
}

const SMALL: &str = r#"
resource "fake_place" "p" {
  name = "p"
}
resource "fake_inner" "a" {
  cluster = fake_place.p
  name    = "a"
  value   = fake_place.p.uid
}
resource "meshplan_data" "secret" {
  input = sensitive("hunter2")
}
check "named" {
  assert {
    condition     = fake_inner.a.name != "a"
    error_message = "it has the name of another"
  }
}
output "uid" {
  value = fake_place.p.uid
}
output "secret" {
  value     = meshplan_data.secret.output
  sensitive = true
}
"#;

const TESTS: &str = r#"
run "passes" {
  assert {
    condition     = output.uid != ""
    error_message = "no uid"
  }
  expect_failures = [check.named]
}
run "fails" {
  assert {
    condition     = output.uid == ""
    error_message = "a uid"
  }
}
"#;

/// Runs that between them say everything but what only an interruption, or a test that cannot clean up, says.
fn all_events(validator: &Validator) -> BTreeSet<String> {
    let (mut scenario, fake) = (Scenario::with(SMALL), Fake::default());
    scenario.beside(&fake);
    let apply = ["apply", "--auto-approve", "--json"];
    let mut seen = BTreeSet::new();
    let mut run = |scenario: &Scenario, args: &[&str]| seen.extend(events(validator, scenario, args));
    fake.fail("create fake_place.p", Fails::Always);
    run(&scenario, &apply);
    fake.fail("create fake_place.p", Fails::Never);
    for args in [&["plan", "--json"][..], &["plan", "--json", "--steps"], &apply, &apply] {
        run(&scenario, args);
    }
    fake.meddle("fake_place.p/fake_inner/a", None);
    run(&scenario, &["plan", "--json"]);
    fake.silence("fake_place.p");
    run(&scenario, &["plan", "--json"]);
    fake.answer_again("fake_place.p");
    scenario.replace("main.mesh.hcl", "name    = \"a\"", "name    = \"b\"");
    run(&scenario, &apply);
    scenario.write("main.meshtest.hcl", TESTS);
    run(&scenario, &["test", "--json", "--verbose"]);
    scenario.write("wrong.mesh.hcl", "locals {\n  a = b\n}\n");
    run(&scenario, &["plan", "--json"]);
    std::fs::remove_file(scenario.path().join("wrong.mesh.hcl")).unwrap();
    run(&scenario, &["destroy", "--auto-approve", "--json"]);
    seen
}

#[test]
fn every_event_is_as_its_schema_says() {
    let described: BTreeSet<String> = closed("event")["$defs"].as_object().unwrap().keys().cloned().collect();
    let seen = all_events(&validator("event"));
    let unseen: Vec<_> = described.difference(&seen).map(String::as_str).collect();
    assert_eq!(unseen, ["stopping", "test_cleanup"], "they are held to the letter beside the view");
}

/// Things of every sort.
const EVERY_SORT: &str = r#"
resource "fake_place" "p" {
  name = "p"
}
resource "fake_inner" "in" {
  cluster = fake_place.p
  name    = "in"
}
resource "fake_thing" "kept" {
  name = "kept"
}
resource "fake_thing" "value" {
  name  = "value"
  value = "one"
}
resource "fake_thing" "name" {
  name = "name"
}
resource "fake_thing" "successor" {
  name = "successor"
  lifecycle {
    create_before_destroy = true
  }
}
resource "fake_thing" "slow" {
  name = "slow"
  slow = true
}
resource "fake_thing" "triggered" {
  name = "triggered"
  lifecycle {
    replace_triggered_by = [fake_thing.value]
  }
}
resource "fake_thing" "keyed" {
  for_each = toset(["a", "b"])
  name     = each.key
}
resource "fake_thing" "from" {
  name = "from"
}
resource "fake_thing" "removed" {
  name = "removed"
}
resource "fake_thing" "left" {
  name = "left"
}
resource "fake_set" "set" {
  cluster = fake_place.p
  names   = ["x"]
}
data "fake_data" "later" {
  name = fake_thing.name.uid == "" ? "b" : "a"
}
data "fake_data" "after" {
  name       = "a"
  depends_on = [fake_thing.left]
}
"#;

/// The same but for these.
fn things(replaced: &[(&str, &str)]) -> String {
    replaced.iter().fold(EVERY_SORT.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// The actions and the codes of reasons in a plan, as events and as a document, which are both as their schemas say.
fn planned(scenario: &Scenario, args: &[&str], seen: &mut (BTreeSet<String>, BTreeSet<String>)) {
    let run = |more: &[&str]| scenario.run(&[&["plan"], args, more].concat()).expect_code(0).stdout;
    let lines: Vec<Value> = run(&["--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        holds(&validator("event"), line);
    }
    run(&["--out", "saved"]);
    let document: Value = serde_json::from_str(&scenario.run(&["show", "--json", "saved"]).expect_code(0).stdout).unwrap();
    holds(&validator("plan"), &document);
    let events = lines.iter().filter(|line| line["event"] == "planned_change");
    for change in document["changes"].as_array().unwrap().iter().chain(events) {
        seen.0.insert(change["action"].as_str().unwrap().to_owned());
        seen.1.insert(change["reason"]["code"].as_str().unwrap().to_owned());
    }
}

#[test]
fn every_action_and_almost_every_reason_is_as_the_schemas_say() {
    let (mut scenario, fake) = (Scenario::with(&things(&[])), Fake::default());
    scenario.beside(&fake);
    fake.meddle("data/a", Some(json_thing("a", "one")));
    let mut seen = Default::default();
    let apply = |scenario: &Scenario, code: u8| drop(scenario.run(&["apply", "--auto-approve"]).expect_code(code));
    planned(&scenario, &[], &mut seen);
    fake.fail("settle fake_thing.slow", Fails::Always);
    apply(&scenario, 1);
    planned(&scenario, &[], &mut seen);
    fake.fail("settle fake_thing.slow", Fails::Never);
    apply(&scenario, 0);
    planned(&scenario, &["--destroy"], &mut seen);
    planned(&scenario, &["--replace", "fake_thing.kept"], &mut seen);
    fake.meddle("fake_thing/left", None);
    fake.meddle("fake_thing/kept", Some(json_thing("kept", "meddled")));
    fake.meddle("fake_thing/there", Some(json_thing("there", "one")));
    let blocks = "moved {\n  from = fake_thing.from\n  to   = fake_thing.to\n}\nremoved {\n  from = fake_thing.removed\n  lifecycle {\n    destroy = false\n  }\n}\n\
                  import {\n  to = fake_thing.there\n  id = \"there\"\n}\nresource \"fake_thing\" \"there\" {\n  name  = \"there\"\n  value = \"two\"\n}\n";
    let changed = [
        ("\"one\"", "\"two\""),
        ("name = \"name\"", "name = \"other\""),
        ("name = \"successor\"", "name = \"successor2\""),
        ("[\"a\", \"b\"]", "[\"a\"]"),
        ("\"fake_thing\" \"from\"", "\"fake_thing\" \"to\""),
        ("resource \"fake_thing\" \"removed\" {\n  name = \"removed\"\n}\n", ""),
        ("resource \"fake_thing\" \"slow\" {\n  name = \"slow\"\n  slow = true\n}\n", ""),
        ("names   = [\"x\"]", "names   = [\"x\", \"y\"]"),
    ];
    scenario.write("main.mesh.hcl", &(things(&changed) + blocks));
    planned(&scenario, &[], &mut seen);
    fake.fail("delete fake_thing.successor", Fails::Always);
    apply(&scenario, 1);
    planned(&scenario, &[], &mut seen);
    fake.fail("delete fake_thing.successor", Fails::Never);
    apply(&scenario, 0);
    scenario.replace("main.mesh.hcl", "name = \"p\"", "name = \"p2\"");
    planned(&scenario, &[], &mut seen);
    scenario.write("main.mesh.hcl", "resource \"fake_thing\" \"kept\" {\n  name = \"kept\"\n}\n");
    planned(&scenario, &[], &mut seen);
    fake.silence("fake_place.p");
    planned(&scenario, &["--abandon", "fake_place.p"], &mut seen);
    let common = closed("common");
    let named = |at: &str| -> BTreeSet<String> {
        let words = common.pointer(at).and_then(Value::as_array).unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named("/$defs/action/enum"), seen.0);
    let unseen: Vec<_> = named("/$defs/reason/properties/code/enum").difference(&seen.1).cloned().collect();
    assert_eq!(unseen, ["another_place", "interrupted", "members_change", "tainted"], "they stand beside actions that are seen");
}

fn json_thing(name: &str, value: &str) -> engine::value::Value {
    let text = |text: &str| engine::value::Value::string(text);
    let slow = engine::value::Value::bool(false);
    engine::value::Value::object([("name", text(name)), ("value", text(value)), ("slow", slow), ("uid", text("u")), ("token", text("t"))])
}

#[test]
fn plans_and_states_are_as_their_schemas_say() {
    for scenario in [Scenario::with(CLUSTERS), Scenario::example("quickstart")] {
        scenario.run(&["plan", "--out", "plan.json"]).expect_code(0);
        let shown = scenario.run(&["show", "--json", "plan.json"]).expect_code(0).stdout;
        holds(&validator("plan"), &serde_json::from_str(&shown).unwrap());
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        let shown = scenario.run(&["show", "--json"]).expect_code(0).stdout;
        holds(&validator("state"), &serde_json::from_str(&shown).unwrap());
    }
}

#[test]
fn explanations_are_as_their_schema_says() {
    let scenario = Scenario::example("quickstart");
    let explained = |args: &[&str]| {
        let shown = scenario.run(&[&["explain", "--json"], args].concat()).expect_code(0).stdout;
        holds(&validator("explanation"), &serde_json::from_str(&shown).unwrap());
    };
    let operator = "module.mesh.istio_operator.primary[\"cluster1\"]";
    explained(&[operator]);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.replace("main.mesh.hcl", "mesh1", "mesh9");
    explained(&[operator]);
    explained(&[operator, "--var", "clusters=[\"cluster2\"]"]);
}

#[test]
fn what_is_not_as_a_schema_says_is_found() {
    let (event, state) = (validator("event"), validator("state"));
    for wrong in [
        json!({ "event": "stopping" }),
        json!({ "event": "stopping", "time": "now" }),
        json!({ "event": "stopping", "time": 1, "more": 2 }),
        json!({ "event": "check", "name": "a", "status": "passed", "messages": [], "more": 2 }),
        json!({ "event": "unheard", "time": 1 }),
        json!({ "time": 1 }),
    ] {
        assert!(!event.is_valid(&wrong), "{wrong}");
    }
    assert!(event.is_valid(&json!({ "event": "stopping", "time": 1 })));
    assert!(!state.is_valid(&json!({ "format": 2 })));
}
