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
    const ANOTHERS: Ends = Ends::Refused(&["managed by another state", "`meshplan/r0ther`", "set `force = true` here"]);
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
        (Whose::AnotherStates, "1", ADOPT, ANOTHERS),
        (Whose::AnotherStates, "2", ADOPT, ANOTHERS),
        (Whose::AnotherStates, "1", BY_FORCE, IMPORTED),
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

/// A set of the object `m` alone.
fn set(value: &str, lines: &str) -> String {
    format!(
        "resource \"kubernetes_manifests\" \"m\" {{\n  cluster = sandbox_cluster.c\n  content = <<-EOT\n    {}\n  EOT\n{lines}\n}}\n",
        object("m", value)
    )
}

#[test]
fn what_another_state_has_is_taken_over_on_no_way_unless_by_force_and_then_told() {
    const IMPORT: &str = "import {\n  to = kubernetes_manifest.m\n  id = \"v1/ConfigMap/default/m\"\n}\n";
    const ADOPT: &str = "  on_exists = \"adopt\"";
    let single = |lines: &str| manifest("m", "m", "1", lines);
    let apply = ["apply", "--auto-approve"];
    for (text, args, member, stopped) in [
        (IMPORT.to_owned() + &single("LINE"), &apply[..], "", "managed by another state"),
        (single("LINE"), &["import", "--auto-approve", "kubernetes_manifest.m", "v1/ConfigMap/default/m"], "", "managed by another state"),
        (single(&format!("{ADOPT}\nLINE")), &apply, "", "managed by another state"),
        // Unseen by the plan, it is met by the apply.
        (single(&format!("{ADOPT}\nLINE")), &["apply", "--auto-approve", "--refresh=false"], "", "exists, not ours"),
        (set("1", &format!("{ADOPT}\nLINE")), &apply, "/ConfigMap/default/m", "managed by another state"),
    ] {
        for there in ["1", "2"] {
            let what = format!("{args:?} of {text} with {there}");
            let scenario = found(Whose::AnotherStates, there);
            let cluster = Cluster::of(&scenario, "c");
            let live = || cluster.get(&format!("{MAPS}/m")).unwrap();
            let before = live();
            scenario.write("map.mesh.hcl", &text.replace("LINE", ""));
            let said = scenario.run(args).expect_code(1).all();
            assert!(said.contains(stopped) && said.contains("`meshplan/r0ther`") && said.contains("`force = true`"), "{what}: {said}");
            assert!(live() == before && scenario.state()["resources"].as_array().unwrap().len() == 1, "{what}");
            scenario.write("map.mesh.hcl", &text.replace("LINE", "  force = true"));
            let said = scenario.run(args).expect_code(0).all();
            let warned = said.contains("warning: taken from another state\n") && said.contains("`meshplan/r0ther`");
            assert!(warned || stopped == "exists, not ours", "{what}: {said}");
            assert_eq!((&live()["data"]["k"], &live()["metadata"]["uid"]), (&json!("1"), &before["metadata"]["uid"]), "{what}");
            assert!(scenario.addresses().iter().any(|address| address.ends_with(&format!(".m{member}"))), "{what}");
            scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
        }
    }
}

#[test]
fn a_part_that_this_state_has_of_an_object_is_no_other_owner() {
    let scenario = Scenario::with(CLUSTER);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let cluster = Cluster::of(&scenario, "c");
    cluster.make("/api/v1/namespaces", &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } }));
    let labels = "resource \"kubernetes_labels\" \"l\" {\n  cluster = sandbox_cluster.c\n  api_version = \"v1\"\n  kind = \"Namespace\"\n  name = \"shop\"\n  labels = { a = \"1\" }\n}\n";
    scenario.write("labels.mesh.hcl", labels);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let space = "import {\n  to = kubernetes_namespace.shop\n  id = \"shop\"\n}\nresource \"kubernetes_namespace\" \"shop\" {\n  cluster = sandbox_cluster.c\n  name = \"shop\"\n}\n";
    scenario.write("space.mesh.hcl", space);
    let said = scenario.run(&["apply", "--auto-approve"]).expect_code(0).all();
    assert!(said.contains("1 imported") && !said.contains("another state"), "{said}");
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
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
