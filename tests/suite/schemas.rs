//! What programs read is as `docs/schemas` says: every line of `--json`, plans and states as documents.

use crate::laws::CLUSTERS;
use jsonschema::{Registry, Validator};
use meshplan_tests::fake::{Fails, Fake};
use meshplan_tests::scenario::{Scenario, project};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

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
    validator_with(name, ("", &Value::Null))
}

/// The same with another text of one of the schemas.
fn validator_with(name: &str, (changed, text): (&str, &Value)) -> Validator {
    let schema = |name: &str| if name == changed { text.clone() } else { closed(name) };
    // What is joined with other members is closed where they are joined.
    let mut common = schema("common");
    for joined in ["change", "output_change", "drift", "blocked", "check", "diagnostic"] {
        common["$defs"][joined].as_object_mut().unwrap().remove("additionalProperties");
    }
    let resources = [("urn:meshplan:common:1", common), ("urn:meshplan:state:1", schema("state"))];
    let registry = resources.into_iter().fold(Registry::new(), |registry, (id, schema)| registry.add(id, schema).unwrap());
    let registry = registry.prepare().unwrap();
    jsonschema::options().with_registry(&registry).build(&schema(name)).unwrap()
}

fn holds(validator: &Validator, document: &Value) {
    let problems: Vec<_> = validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?}\n{document:#}");
}

/// Documents, each with the name of its schema, and what they show of themselves.
type Samples = Vec<(&'static str, Value)>;

/// The lines of a run.
fn events(scenario: &Scenario, args: &[&str]) -> Samples {
    let output = scenario.run(args);
    assert_eq!(output.stderr, "", "{args:?}");
    output.stdout.lines().map(|line| ("event", serde_json::from_str(line).unwrap())).collect()
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

/// Tests that pass, of which nothing is run, and that come to an error as long as places are not made.
const MORE_TESTS: [(&str, &str); 3] = [("passes", "run \"passes\" {}\n"), ("nothing", ""), ("ends", "run \"ends\" {}\nrun \"after\" {}\n")];

/// A gate that does not open, and what waits for it.
const GATE: &str = r#"
check "gate" {
  timeout = "2s"
  data "fake_data" "d" {
    name = "nothing"
  }
  assert {
    condition     = data.fake_data.d.value == 1
    error_message = "it is shut"
  }
}
resource "fake_thing" "gated" {
  name       = "gated"
  depends_on = [check.gate]
}
check "later" {
  assert {
    condition     = fake_thing.gated.uid != ""
    error_message = "it has none"
  }
}
"#;

/// Runs that between them say everything but what only an interruption, or a test that cannot clean up, says.
fn all_events() -> Samples {
    let (mut scenario, fake) = (Scenario::with(SMALL), Fake::default());
    scenario.beside(&fake);
    let apply = ["apply", "--auto-approve", "--json"];
    let mut seen = Samples::new();
    let mut run = |scenario: &Scenario, args: &[&str]| seen.extend(events(scenario, args));
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
    for (name, test) in MORE_TESTS {
        scenario.write(&format!("tests/{name}.meshtest.hcl"), test);
    }
    run(&scenario, &["test", "--json", "--verbose"]);
    for file in ["tests/passes.meshtest.hcl", "tests/nothing.meshtest.hcl", "main.meshtest.hcl"] {
        run(&scenario, &["test", "--json", "--filter", file]);
    }
    fake.fail("create fake_place.p", Fails::Always);
    run(&scenario, &["test", "--json", "--filter", "tests/ends.meshtest.hcl"]);
    fake.fail("create fake_place.p", Fails::Never);
    scenario.write("wrong.mesh.hcl", "locals {\n  a = b\n}\n");
    run(&scenario, &["plan", "--json"]);
    scenario.write("wrong.mesh.hcl", GATE);
    let checked = ["check", "--json", "--timeout", "0s"];
    for args in [&["plan", "--json"][..], &["plan", "--json", "--exclude", "fake_place.p"], &apply, &checked] {
        run(&scenario, args);
    }
    std::fs::remove_file(scenario.path().join("wrong.mesh.hcl")).unwrap();
    run(&scenario, &["destroy", "--auto-approve", "--json"]);
    let peers =
        Scenario::with(&std::fs::read_to_string(project().join("docs/reference/examples/data.istio_reachability.mesh.hcl")).unwrap());
    for args in [&apply[..], &checked] {
        run(&peers, args);
    }
    seen
}

#[test]
fn every_event_is_as_its_schema_says() {
    let described: BTreeSet<String> = closed("event")["$defs"].as_object().unwrap().keys().cloned().collect();
    let seen =
        samples().iter().filter(|(schema, _)| *schema == "event").map(|(_, line)| line["event"].as_str().unwrap().to_owned()).collect();
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

/// What a plan shows, as events and as a document.
fn planned(scenario: &Scenario, args: &[&str], seen: &mut Samples) {
    seen.extend(events(scenario, &[&["plan", "--json"], args].concat()));
    scenario.run(&[&["plan", "--out", "saved"], args].concat()).expect_code(0);
    seen.push(("plan", serde_json::from_str(&scenario.run(&["show", "--json", "saved"]).expect_code(0).stdout).unwrap()));
}

/// Plans of every action and for every reason.
fn of_every_sort() -> Samples {
    let (mut scenario, fake) = (Scenario::with(&things(&[])), Fake::default());
    scenario.beside(&fake);
    fake.meddle("data/a", Some(json_thing("a", "one")));
    let mut seen = Samples::new();
    let apply = |scenario: &Scenario, code: u8| drop(scenario.run(&["apply", "--auto-approve"]).expect_code(code));
    planned(&scenario, &[], &mut seen);
    fake.fail("settle fake_thing.slow", Fails::Always);
    apply(&scenario, 1);
    planned(&scenario, &[], &mut seen);
    seen.push(("state", serde_json::from_str(&scenario.run(&["show", "--json"]).expect_code(0).stdout).unwrap()));
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
    fake.answer_again("fake_place.p");
    seen.extend(left_behind(&mut scenario, &fake));
    seen
}

/// Plans after something did not end, or went on elsewhere, and what the state shows of it.
fn left_behind(scenario: &mut Scenario, fake: &Fake) -> Samples {
    let mut seen = Samples::new();
    let text = |context: &str| {
        let context = format!("data \"fake_context\" \"c\" {{\n  name = \"{context}\"\n}}\n");
        let inner = "resource \"fake_inner\" \"elsewhere\" {\n  cluster = data.fake_context.c\n  name    = \"elsewhere\"\n}\n";
        let set = "resource \"fake_place\" \"p\" {\n  name = \"p3\"\n}\nresource \"fake_set\" \"set\" {\n  cluster = fake_place.p\n  names   = [\"x\"]\n  slow    = true\n}\n";
        context
            + inner
            + set
            + "resource \"fake_thing\" \"kept\" {\n  name = \"kept\"\n}\nresource \"fake_thing\" \"more\" {\n  name = \"more\"\n}\n"
    };
    for (context, uid) in [("old", "u1"), ("new", "u2")] {
        let to = engine::value::Value::object([("to", engine::value::Value::string(uid))]);
        let cluster = engine::value::Value::object([("uid", engine::value::Value::string(uid)), ("connection", to)]);
        fake.meddle(&format!("data/{context}"), Some(cluster));
    }
    scenario.write("main.mesh.hcl", &text("old"));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    fake.meddle("fake_place.p/fake_inner/x", None);
    let mut state = scenario.state();
    let marks = [("fake_thing.kept", "interrupted", Some("create")), ("fake_thing.more", "tainted", None)];
    for resource in state["resources"].as_array_mut().unwrap() {
        if let Some((_, status, operation)) = marks.iter().find(|(address, ..)| resource["address"] == *address) {
            resource["status"] = json!(status);
            if let Some(operation) = operation {
                resource["operation"] = json!(operation);
            }
        }
    }
    scenario.write("meshplan.state.json", &state.to_string());
    scenario.write("main.mesh.hcl", &text("new"));
    planned(scenario, &[], &mut seen);
    seen.push(("state", serde_json::from_str(&scenario.run(&["show", "--json"]).expect_code(0).stdout).unwrap()));
    seen
}

fn json_thing(name: &str, value: &str) -> engine::value::Value {
    let text = |text: &str| engine::value::Value::string(text);
    let slow = engine::value::Value::bool(false);
    engine::value::Value::object([("name", text(name)), ("value", text(value)), ("slow", slow), ("uid", text("u")), ("token", text("t"))])
}

/// Plans and states of the real kinds, and what is explained of them.
fn of_clusters() -> Samples {
    let mut seen = Samples::new();
    let shown = |scenario: &Scenario, args: &[&str]| -> Value { serde_json::from_str(&scenario.run(args).expect_code(0).stdout).unwrap() };
    for scenario in [Scenario::with(CLUSTERS), Scenario::example("quickstart")] {
        scenario.run(&["plan", "--out", "plan.json"]).expect_code(0);
        seen.push(("plan", shown(&scenario, &["show", "--json", "plan.json"])));
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        seen.push(("state", shown(&scenario, &["show", "--json"])));
    }
    let scenario = Scenario::example("quickstart");
    let operator = "module.mesh.istio_operator.primary[\"cluster1\"]";
    let mut explained = |args: &[&str]| seen.push(("explanation", shown(&scenario, &[&["explain", "--json"], args].concat())));
    explained(&[operator]);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.replace("main.mesh.hcl", "mesh1", "mesh9");
    explained(&[operator]);
    explained(&[operator, "--var", "clusters=[\"cluster2\"]"]);
    seen
}

/// What is explained of a thing that somebody changed, and of one whose value comes from somewhere else now.
fn explained() -> Samples {
    let text = |local: &str, value: &str| {
        format!("locals {{\n  {local} = \"{value}\"\n}}\nresource \"fake_thing\" \"a\" {{\n  name  = \"a\"\n  value = local.{local}\n}}\n")
    };
    let (mut scenario, fake) = (Scenario::with(&text("one", "first")), Fake::default());
    scenario.beside(&fake);
    let mut seen = Samples::new();
    let mut explained = || {
        let shown = scenario.run(&["explain", "--json", "fake_thing.a"]).expect_code(0).stdout;
        seen.push(("explanation", serde_json::from_str(&shown).unwrap()));
    };
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    fake.meddle("fake_thing/a", Some(json_thing("a", "meddled")));
    explained();
    scenario.write("main.mesh.hcl", &text("another", "second"));
    explained();
    seen
}

/// What differs in ways that are not those of most values: a secret, what is remembered as its fingerprint, and what moves.
fn differing() -> Samples {
    let text = |secret: &str, kept: &str, list: &str| {
        let inputs = [format!("sensitive(\"{secret}\")"), format!("\"hmac-sha256:{kept}\""), format!("[{list}]")];
        let resource = |(at, input): (usize, &String)| format!("resource \"meshplan_data\" \"r{at}\" {{\n  input = {input}\n}}\n");
        inputs.iter().enumerate().map(resource).collect::<String>()
    };
    let scenario = Scenario::with(&text("one", "1", "\"a\", \"b\", \"c\""));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.write("main.mesh.hcl", &text("two", "2", "\"c\", \"a\", \"b\""));
    scenario.run(&["plan", "--out", "saved"]).expect_code(0);
    vec![("plan", serde_json::from_str(&scenario.run(&["show", "--json", "saved"]).expect_code(0).stdout).unwrap())]
}

/// Everything that is shown to programs here, made once.
fn samples() -> &'static Samples {
    static SAMPLES: OnceLock<Samples> = OnceLock::new();
    SAMPLES.get_or_init(|| [all_events(), of_every_sort(), of_clusters(), explained(), differing()].concat())
}

#[test]
fn all_that_is_shown_is_as_its_schema_says() {
    for schema in ["event", "plan", "state", "explanation"] {
        let validator = validator(schema);
        let of_it: Vec<_> = samples().iter().filter(|(of, _)| *of == schema).collect();
        assert!(of_it.len() >= 3, "{schema}");
        for (_, document) in of_it {
            holds(&validator, document);
        }
    }
}

/// The words of the enumerations of a schema, by where they stand.
fn words(schema: &Value, at: &str, found: &mut Vec<(String, String)>) {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        found.extend(words.iter().map(|word| (at.to_owned(), word.as_str().unwrap().to_owned())));
    }
    let inner = schema.as_object().into_iter().flatten().map(|(key, inner)| (key.clone(), inner));
    let listed = schema.as_array().into_iter().flatten().enumerate().map(|(key, inner)| (key.to_string(), inner));
    inner.chain(listed).for_each(|(key, inner)| words(inner, &format!("{at}/{key}"), found));
}

/// A schema without one of its words.
fn lacking(schema: &Value, (at, word): &(String, String)) -> Value {
    let mut lacking = schema.clone();
    lacking.pointer_mut(at).unwrap()["enum"].as_array_mut().unwrap().retain(|known| known != word);
    lacking
}

#[test]
fn every_word_of_a_schema_is_shown_somewhere() {
    let mut unseen = Vec::new();
    for name in ["common", "event", "plan", "state", "explanation"] {
        let mut all = Vec::new();
        words(&closed(name), "", &mut all);
        for word in all {
            // What holds with the word, and without it does not, shows it.
            let lacking = lacking(&closed(name), &word);
            let mut validators = BTreeMap::new();
            let quoted = json!(word.1).to_string();
            let shown = samples().iter().any(|(schema, document)| {
                let may = name == "common" || name == *schema;
                may && document.to_string().contains(&quoted)
                    && !validators.entry(*schema).or_insert_with(|| validator_with(schema, (name, &lacking))).is_valid(document)
            });
            if !shown {
                unseen.push(format!("{name}{}: {}", word.0, word.1));
            }
        }
    }
    assert_eq!(unseen, Vec::<String>::new());
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
