//! What `on_exists` makes of what is there already, and the line that counts what a plan does.

use meshplan_tests::apiserver::Api;
use meshplan_tests::cluster::{Cluster, sandboxes};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const CLUSTER: &str = "resource \"sandbox_cluster\" \"c\" {\n  name = \"c\"\n}\n";

/// Whose the object is before the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// It is not there.
    Nobodys,
    /// This state made it.
    Ours,
    /// A record of another state made it, as far as its fields tell.
    AnotherStates,
    /// A person made it.
    APersons,
}

/// What comes of an apply.
#[derive(Debug)]
enum Ends {
    /// These counts, and the value that the object then holds.
    Well(&'static str, &'static str),
    /// Refused by plan and apply alike, which say these; the object keeps its value.
    Refused(&'static [&'static str]),
}

fn manifest(label: &str, name: &str, value: &str, lines: &str) -> String {
    format!(
        "resource \"kubernetes_manifest\" \"{label}\" {{\n  cluster  = sandbox_cluster.c\n  manifest = {{ apiVersion = \"v1\", kind = \"ConfigMap\", \
         metadata = {{ name = \"{name}\", namespace = \"default\" }}, data = {{ k = \"{value}\" }} }}\n{lines}\n}}\n"
    )
}

fn object(name: &str, value: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "default" }, "data": { "k": value } })
}

/// A cluster in which the object `m` is somebody's, with a value.
fn found(whose: Whose, value: &str) -> Scenario {
    let scenario = Scenario::with(CLUSTER);
    if whose == Whose::Ours {
        scenario.write("map.mesh.hcl", &manifest("m", "m", value, ""));
    }
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let api = Api::of_sandbox(sandboxes(&scenario), "c");
    match whose {
        Whose::Nobodys | Whose::Ours => {}
        Whose::AnotherStates => drop(api.apply(&format!("{MAPS}/m"), "meshplan/r0ther", &object("m", value))),
        Whose::APersons => drop(api.make(MAPS, &object("m", value))),
    }
    scenario
}

fn hold(whose: Whose, there: &str, lines: &str, ends: &Ends) {
    let what = format!("{whose:?} with {there}, {lines}");
    let scenario = found(whose, there);
    let cluster = Cluster::of(&scenario, "c");
    let live = || cluster.get(&format!("{MAPS}/m"));
    let uid = live().map(|live| live["metadata"]["uid"].clone());
    scenario.write("map.mesh.hcl", &manifest("m", "m", "1", lines));
    match ends {
        Ends::Well(counts, value) => {
            let applied = scenario.run(&["apply", "--auto-approve"]);
            assert!(applied.code == 0 && applied.stdout.contains(counts), "{what}: {}", applied.all());
            let made = live().unwrap();
            assert!(made["data"]["k"] == *value && uid.is_none_or(|uid| uid == made["metadata"]["uid"]), "{what}: {made:#}");
            scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
            scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
        }
        Ends::Refused(words) => {
            for args in [&["plan"][..], &["apply", "--auto-approve"]] {
                let refused = scenario.run(args).expect_code(1).all();
                assert!(words.iter().all(|words| refused.contains(words)), "{what}: {refused}");
            }
            assert_eq!(live().unwrap()["data"]["k"], there, "{what}");
            assert_eq!(scenario.addresses(), ["sandbox_cluster.c"], "{what}");
        }
    }
}

#[test]
fn what_is_there_is_refused_or_taken_over_as_on_exists_says() {
    const ERROR: &str = "  on_exists = \"error\"";
    const ADOPT: &str = "  on_exists = \"adopt\"";
    const BY_FORCE: &str = "  on_exists = \"adopt\"\n  force = true";
    const ADDED: Ends = Ends::Well("1 added, 0 changed, 0 destroyed", "1");
    const CHANGED: Ends = Ends::Well("0 added, 1 changed, 0 destroyed", "1");
    const THEIRS: Ends = Ends::Refused(&["exists, not ours", "it belongs to another meshplan state, whose manager is `meshplan/r0ther`"]);
    const WRITTEN: Ends = Ends::Refused(&["exists, not ours", "it was written by `kubectl-create` at 20", "on_exists = \"adopt\""]);
    const IMPORTED: Ends = Ends::Well("1 imported, 0 added, 0 changed, 0 destroyed", "1");
    for (whose, there, lines, ends) in [
        (Whose::Nobodys, "", "", ADDED),
        (Whose::Nobodys, "", ERROR, ADDED),
        (Whose::Nobodys, "", ADOPT, ADDED),
        (Whose::Ours, "2", "", CHANGED),
        (Whose::Ours, "2", ERROR, CHANGED),
        (Whose::Ours, "2", ADOPT, CHANGED),
        (Whose::AnotherStates, "1", "", THEIRS),
        (Whose::AnotherStates, "2", ERROR, THEIRS),
        (Whose::AnotherStates, "1", ADOPT, IMPORTED),
        (Whose::AnotherStates, "2", ADOPT, Ends::Refused(&["meshplan/r0ther", "data.k"])),
        (Whose::AnotherStates, "2", BY_FORCE, Ends::Well("1 imported, 0 added, 1 changed, 0 destroyed", "1")),
        (Whose::APersons, "1", "", WRITTEN),
        (Whose::APersons, "2", ERROR, WRITTEN),
        (Whose::APersons, "1", ADOPT, IMPORTED),
        (Whose::APersons, "2", ADOPT, Ends::Well("1 imported, 0 added, 1 changed, 0 destroyed", "1")),
    ] {
        hold(whose, there, lines, &ends);
    }
    let scenario = found(Whose::Nobodys, "");
    for wrong in ["  on_exists = \"skip\"", "  on_exists = \"Adopt\"", "  on_exists = \"\""] {
        scenario.write("map.mesh.hcl", &manifest("m", "m", "1", wrong));
        let refused = scenario.run(&["plan"]).expect_code(1).all();
        assert!(refused.contains("it is either `error` or `adopt`"), "{wrong}: {refused}");
    }
}

/// Before: of each that is to change one, and one that stays.
fn before() -> String {
    ["updated", "replaced", "moved", "forgotten", "deleted", "kept"].map(|name| manifest(name, name, "1", "")).concat()
}

/// After: one of each action.
fn after() -> String {
    let removed = "removed {\n  from = kubernetes_manifest.forgotten\n  lifecycle {\n    destroy = false\n  }\n}\n";
    let moved = "moved {\n  from = kubernetes_manifest.moved\n  to   = kubernetes_manifest.renamed\n}\n";
    let import = "import {\n  to = kubernetes_manifest.imported\n  id = \"v1/ConfigMap/default/imported\"\n}\n";
    [
        manifest("updated", "updated", "2", ""),
        manifest("replaced", "another", "1", ""),
        manifest("renamed", "moved", "1", ""),
        manifest("kept", "kept", "1", ""),
        manifest("created", "created", "1", ""),
        manifest("imported", "imported", "2", ""),
        removed.to_owned() + moved + import,
    ]
    .concat()
}

#[test]
fn a_plan_of_every_action_counts_them_in_a_line_and_for_programs() {
    let scenario = Scenario::with(CLUSTER);
    scenario.write("maps.mesh.hcl", &before());
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    Api::of_sandbox(sandboxes(&scenario), "c").make(MAPS, &object("imported", "1"));
    scenario.write("maps.mesh.hcl", &after());
    let shown = scenario.run(&["plan", "--out", "plan.json"]).expect_code(0).stdout;
    let line = "Plan: 1 to import, 1 to add, 2 to change, 1 to replace, 1 to destroy, 1 to forget, 1 to move.";
    assert!(shown.contains(line), "{shown}");
    assert!(scenario.run(&["show", "plan.json"]).expect_code(0).stdout.contains(line));
    let counts = json!({ "import": 1, "add": 1, "change": 2, "replace": 1, "destroy": 1, "forget": 1, "move": 1, "read": 0, "keep": 2 });
    let events = scenario.run(&["plan", "--json"]).expect_code(0).stdout;
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().find(|event| event["event"] == "plan").unwrap()["counts"], counts);
    let document: Value = serde_json::from_str(&scenario.run(&["show", "--json", "plan.json"]).expect_code(0).stdout).unwrap();
    assert_eq!(document["counts"], counts);
    let mut actions: Vec<_> = document["changes"].as_array().unwrap().iter().filter_map(|change| change["action"].as_str()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["create", "delete", "forget", "import", "keep", "keep", "move", "replace", "update"]);

    let applied = scenario.run(&["apply", "plan.json"]).expect_code(0).stdout;
    assert!(applied.contains("Apply complete: 1 imported, 2 added, 2 changed, 2 destroyed."), "{applied}");
    let left = ["created", "imported", "kept", "renamed", "replaced", "updated"];
    let here: Vec<String> =
        scenario.addresses().iter().filter_map(|at| Some(at.strip_prefix("kubernetes_manifest.")?.to_owned())).collect();
    assert_eq!(here, left);
    let cluster = Cluster::of(&scenario, "c");
    let value = |name: &str| cluster.get(&format!("{MAPS}/{name}")).map_or(Value::Null, |live| live["data"]["k"].clone());
    for (name, held) in [("deleted", None), ("replaced", None), ("forgotten", Some("1")), ("another", Some("1")), ("imported", Some("2"))] {
        assert_eq!(value(name), json!(held), "{name}");
    }
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}
