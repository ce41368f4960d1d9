//! Plans in files: what an apply of one refuses because it is not as it was, and what is none of its business.

use engine::plan::{Inputs, Plan, When};
use engine::value::Value;
use meshplan_tests::apiserver::Api;
use meshplan_tests::cluster::{Cluster, sandboxes};
use meshplan_tests::fake::Fake;
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

const CLUSTER: &str = "resource \"sandbox_cluster\" \"c\" {\n  name = \"c\"\n}\n";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// A cluster in which somebody has made a map and a Secret, and a saved plan that takes both over.
fn importing(by_blocks: bool) -> Scenario {
    let scenario = Scenario::with(CLUSTER);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let cluster = Cluster::of(&scenario, "c");
    cluster.make(MAPS, &map());
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "stringData": { "token": "planted-before" } });
    cluster.make("/api/v1/namespaces/default/secrets", &secret);
    let lines = if by_blocks { "" } else { "on_exists = \"adopt\"" };
    let manifest =
        "{ apiVersion = \"v1\", kind = \"ConfigMap\", metadata = { name = \"m\", namespace = \"default\" }, data = { k = \"1\" } }";
    let mut text = format!(
        "resource \"kubernetes_manifest\" \"m\" {{\n  cluster = sandbox_cluster.c\n  manifest = {manifest}\n  {lines}\n}}\n\
         resource \"kubernetes_secret\" \"s\" {{\n  cluster = sandbox_cluster.c\n  namespace = \"default\"\n  name = \"s\"\n  data = {{ token = \"planted-after\" }}\n  {lines}\n}}\n"
    );
    if by_blocks {
        text += "import {\n  to = kubernetes_manifest.m\n  id = \"v1/ConfigMap/default/m\"\n}\nimport {\n  to = kubernetes_secret.s\n  id = \"default/s\"\n}\n";
    }
    scenario.write("maps.mesh.hcl", &text);
    scenario.run(&["plan", "--out", "saved"]).expect_code(0);
    scenario
}

fn map() -> serde_json::Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": "default" }, "data": { "k": "0", "theirs": "1" } })
}

#[test]
fn what_is_imported_makes_a_plan_stale_where_it_is_not_as_it_was_shown() {
    type Meddle = fn(&Scenario);
    let rows: [(Meddle, Option<&str>); 7] = [
        (|_| {}, None),
        (
            |it| {
                Cluster::of(it, "c")
                    .edit(&format!("{MAPS}/m"), &json!({ "data": { "theirs": "2" }, "metadata": { "labels": { "a": "b" } } }));
            },
            None,
        ),
        (
            |it| Cluster::of(it, "c").edit(&format!("{MAPS}/m"), &json!({ "data": { "k": "2" } })),
            Some("`kubernetes_manifest.m` was changed: `manifest.data.k`"),
        ),
        (
            |it| Cluster::of(it, "c").edit("/api/v1/namespaces/default/secrets/s", &json!({ "stringData": { "token": "planted-else" } })),
            Some("`kubernetes_secret.s` was changed: `data.token`"),
        ),
        (|it| Cluster::of(it, "c").delete(&format!("{MAPS}/m")), Some("`kubernetes_manifest.m` was to be imported and was deleted")),
        (
            |it| {
                Cluster::of(it, "c").delete(&format!("{MAPS}/m"));
                Cluster::of(it, "c").make(MAPS, &map());
            },
            Some("`kubernetes_manifest.m` was deleted, and another has its name now"),
        ),
        (
            |it| drop(Api::of_sandbox(sandboxes(it), "c").apply(&format!("{MAPS}/m"), "meshplan/r0ther", &map())),
            Some("`kubernetes_manifest.m` is managed by another state now, as `meshplan/r0ther`"),
        ),
    ];
    for (meddle, stale) in rows {
        for by_blocks in [true, false] {
            let scenario = importing(by_blocks);
            let before = scenario.state();
            meddle(&scenario);
            let Some(stale) = stale else {
                let said = scenario.run(&["apply", "saved"]).expect_code(0).all();
                assert!(said.contains("2 imported"), "{said}");
                scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
                continue;
            };
            let said = scenario.run(&["apply", "saved"]).expect_code(1).all();
            assert!(said.contains("error: stale plan") && said.contains(stale) && !said.contains("planted"), "{stale}: {said}");
            assert_eq!(scenario.state(), before, "a plan that was refused did something");
        }
    }
}

#[test]
fn what_data_sources_and_files_said_stands_in_a_plan_as_it_was_reviewed() {
    let scenario = Scenario::with(CLUSTER);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let cluster = Cluster::of(&scenario, "c");
    cluster.make(MAPS, &map());
    scenario.write("motd", "hello");
    let text = "data \"kubernetes_object\" \"m\" {\n  cluster = sandbox_cluster.c\n  api_version = \"v1\"\n  kind = \"ConfigMap\"\n  name = \"m\"\n}\n\
                resource \"meshplan_data\" \"copy\" {\n  input = \"${data.kubernetes_object.m.object.data.k} ${file(\"motd\")}\"\n}\n";
    scenario.write("copy.mesh.hcl", text);
    scenario.run(&["plan", "--out", "saved"]).expect_code(0);
    cluster.edit(&format!("{MAPS}/m"), &json!({ "data": { "k": "1" } }));
    scenario.write("motd", "bye");
    scenario.run(&["apply", "saved"]).expect_code(0);
    assert!(scenario.run(&["state", "show", "meshplan_data.copy"]).stdout.contains("\"0 hello\""));
    // The next plan shows what is otherwise by now.
    let next = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2).stdout;
    assert!(next.contains("\"0 hello\" -> \"1 bye\""), "{next}");
    let ran = scenario.run(&["plan", "--to", "@2", "--detailed-exitcode"]).expect_code(2).stdout;
    assert!(ran.contains("\"0 hello\" -> \"1 hello\""), "files are kept with the configuration, the world is not: {ran}");
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
    let edited = |key: &str, name: &str, value: Value| Some(there[key].with_entries([(name, value)]));
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

fn inner(place: &str, value: u64) -> String {
    format!(
        "resource \"fake_place\" \"{place}\" {{\n name = \"{place}\"\n}}\nresource \"fake_inner\" \"{place}\" {{\n cluster = fake_place.{place}\n name = \"x\"\n value = {value}\n}}\n"
    )
}

#[test]
fn what_is_blocked_in_a_saved_plan_stays_so_and_the_rest_is_done() {
    let (mut scenario, fake) = (Scenario::with(&(inner("p", 1) + &inner("q", 1))), Fake::default());
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.write("main.mesh.hcl", &(inner("p", 2) + &inner("q", 2)));
    fake.silence("fake_place.p");
    fake.clear_calls();
    let digest = |args: &[&str]| {
        let shown: serde_json::Value = serde_json::from_str(&scenario.run(args).expect_code(0).stdout).unwrap();
        shown["digest"].as_str().unwrap().to_owned()
    };
    scenario.run(&["plan", "--out", "saved"]).expect_code(0);
    let shown = scenario.run(&["show", "saved"]).expect_code(0).stdout;
    assert!(
        shown.contains("?   fake_inner.p") && shown.contains("~   fake_inner.q") && shown.contains("1 could not be observed"),
        "{shown}"
    );
    let blocked = digest(&["show", "--json", "saved"]);
    let ran = scenario.run(&["apply", "saved"]).expect_code(1);
    assert_eq!(fake.calls(), ["update fake_inner.q"], "{}", ran.all());
    fake.answer_again("fake_place.p");
    scenario.run(&["plan", "--out", "saved"]).expect_code(0);
    assert_ne!(digest(&["show", "--json", "saved"]), blocked);
    scenario.run(&["apply", "saved"]).expect_code(0);
    assert_eq!(fake.calls(), ["update fake_inner.q", "update fake_inner.p"]);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn a_provider_that_does_not_take_what_it_is_given_again_refuses_the_apply() {
    let scenario = Scenario::with(CONFIGURATION);
    let settings =
        "variable \"tries\" {\n  type = number\n  ephemeral = true\n}\nprovider \"kubernetes\" {\n  request_tries = var.tries\n}\n";
    scenario.write("provider.mesh.hcl", settings);
    scenario.run(&["plan", "--out", "saved", "--var", "tries=3"]).expect_code(0);
    let said = scenario.run(&["apply", "saved", "--var", "tries=99"]).expect_code(1).all();
    assert!(said.contains("error: invalid setting") && said.contains("`request_tries` is a whole number from 1 to 20"), "{said}");
    assert!(!scenario.path().join("meshplan.state.json").exists(), "{said}");
    scenario.run(&["apply", "saved", "--var", "tries=5"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode", "--var", "tries=1"]).expect_code(0);
}

#[test]
fn what_is_left_out_of_a_saved_plan_may_fall_silent_or_change() {
    let (mut scenario, fake) = (Scenario::with(&(inner("p", 1) + &inner("q", 1))), Fake::default());
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    for (round, aim) in [["--exclude", "fake_place.p"], ["--target", "fake_inner.q"]].into_iter().enumerate() {
        let value = 2 + u64::try_from(round).unwrap();
        scenario.write("main.mesh.hcl", &(inner("p", value) + &inner("q", value)));
        fake.clear_calls();
        scenario.run(&[&["plan", "--out", "saved"][..], &aim].concat()).expect_code(0);
        let shown = scenario.run(&["show", "saved"]).expect_code(0).stdout;
        assert!(shown.contains("~   fake_inner.q") && !shown.contains("fake_inner.p"), "{shown}");
        fake.silence("fake_place.p");
        let said = scenario.run(&["apply", "saved"]).expect_code(0).all();
        assert!(fake.calls() == ["update fake_inner.q"] && said.contains("Only a part was planned"), "{said}");
        fake.answer_again("fake_place.p");
    }
    // What is not left out has to answer.
    scenario.run(&["plan", "--out", "saved"]).expect_code(0);
    fake.clear_calls();
    fake.silence("fake_place.p");
    let said = scenario.run(&["apply", "saved"]).expect_code(1).all();
    assert!(said.contains("stale plan") && said.contains("`fake_place.p` cannot be reached") && fake.calls().is_empty(), "{said}");
}

#[test]
fn what_comes_into_reach_behind_a_repair_is_no_part_of_a_saved_plan() {
    let text = |value: u64| inner("p", 1).replace("name = \"p\"", &format!("name = \"p\"\n value = {value}"));
    let (mut scenario, fake) = (Scenario::with(&text(1)), Fake::default());
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.write("main.mesh.hcl", &text(2));
    fake.silence("fake_place.p");
    let key = "fake_place.p/fake_inner/x";
    fake.meddle(key, Some(fake.things()[key].with_entries([("value", Value::number(7))])));
    fake.clear_calls();
    scenario.run(&["plan", "--out", "saved"]).expect_code(0);
    let said = scenario.run(&["apply", "saved"]).expect_code(1).all();
    assert!(said.contains("What was out of reach can be read now: plan again for the rest."), "{said}");
    assert_eq!(fake.calls(), ["update fake_place.p"]);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn plans_of_a_part_of_a_destroy_and_of_the_state_alone_go_through_files() {
    let (mut scenario, fake) = (Scenario::with(&(thing("a", 1) + &thing("b", 1))), Fake::default());
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.write("main.mesh.hcl", &(thing("a", 2) + &thing("b", 2)));
    fake.clear_calls();
    let through_a_file = |args: &[&str]| {
        scenario.run(&[&["plan", "--out", "saved"], args].concat()).expect_code(0);
        let said = scenario.run(&["apply", "saved"]).expect_code(0).all();
        scenario.run(&["apply", "saved"]).expect_code(1);
        said
    };
    let said = through_a_file(&["--target", "fake_thing.a"]);
    assert!(fake.calls() == ["update fake_thing.a"] && said.contains("Only a part was planned"), "{said}");
    through_a_file(&["--replace", "fake_thing.a", "--exclude", "fake_thing.b"]);
    assert_eq!(fake.calls()[1..], ["delete fake_thing.a", "create fake_thing.a"]);
    fake.clear_calls();
    fake.meddle("fake_thing/b", None);
    through_a_file(&["--refresh-only"]);
    assert_eq!((scenario.addresses(), fake.calls()), (vec!["fake_thing.a".to_owned()], Vec::new()));
    through_a_file(&["--destroy"]);
    assert_eq!((scenario.addresses(), fake.calls()), (Vec::new(), vec!["delete fake_thing.a".to_owned()]));
}
