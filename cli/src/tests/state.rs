//! What is remembered, changed by hand.

use super::fails;
use crate::exit;
use crate::fake::{Fake, Ran};
use state::Store;
use std::time::Duration;

const MAIN: &str = r#"
resource "meshplan_data" "a" {
  input = "one"
}
resource "meshplan_data" "b" {
  for_each = { x = 1, y = 2 }
  input    = meshplan_data.a.output
}
resource "meshplan_data" "c" {
  input = [for b in meshplan_data.b : b.output]
}
"#;

fn applied() -> Fake {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN)]);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    fake
}

fn check(ran: &Ran, out: &str) {
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (exit::DONE, out, ""));
}

fn json(fake: &Fake) -> serde_json::Value {
    serde_json::from_str(&fake.run("state pull").out).unwrap()
}

#[test]
fn a_moved_resource_is_the_same_thing_under_its_new_name() {
    let fake = applied();
    let before = json(&fake);
    let moves = "meshplan_data.a -> meshplan_data.z\n";
    check(&fake.run("state mv --dry-run meshplan_data.a meshplan_data.z"), &format!("{moves}\nWould be moved: 1.\n"));
    assert_eq!(json(&fake), before, "a dry run writes nothing");
    check(&fake.run("state mv meshplan_data.a meshplan_data.z"), &format!("{moves}\nMoved: 1.\n"));
    let moves = "meshplan_data.b[\"x\"] -> meshplan_data.d[\"x\"]\nmeshplan_data.b[\"y\"] -> meshplan_data.d[\"y\"]\n";
    check(&fake.run("state mv meshplan_data.b meshplan_data.d"), &format!("{moves}\nMoved: 2.\n"));
    fake.write(
        "main.mesh.hcl",
        &MAIN.replace("\"a\"", "\"z\"").replace("\"b\"", "\"d\"").replace("data.a", "data.z").replace("data.b", "data.d"),
    );
    assert_eq!(fake.run("plan --detailed-exitcode").code, exit::DONE, "nothing is left to change");
    let after = json(&fake);
    assert_eq!((before["serial"].as_u64(), after["serial"].as_u64()), (Some(1), Some(3)));
    assert_eq!(after["resources"][3]["id"], before["resources"][0]["id"]);
    assert_eq!(after["resources"][1]["depends_on"][0], "meshplan_data.z");
}

#[test]
fn a_resource_moves_into_a_module() {
    let fake = applied();
    assert_eq!(fake.run("state mv meshplan_data.a module.m.meshplan_data.a").code, exit::DONE);
    assert_eq!(fake.run("state mv module.m module.n[0]").out, "module.m.meshplan_data.a -> module.n[0].meshplan_data.a\n\nMoved: 1.\n");
    check(&fake.run("state list module.n"), "module.n[0].meshplan_data.a\n");
}

#[test]
fn moves_that_make_no_sense_are_refused() {
    let fake = applied();
    let before = fake.text("meshplan.state.json");
    for (args, summary) in [
        ("mv meshplan_data.a meshplan_other.a", "invalid move"),
        ("mv meshplan_data.a module.m", "invalid move"),
        ("mv meshplan_data.a meshplan_data.c", "address taken"),
        ("mv meshplan_data.aa meshplan_data.c", "not in state"),
        ("mv meshplan_data meshplan_data.c", "not an address"),
        ("rm meshplan_data.a meshplan_data.b[\"z\"]", "not in state"),
        ("rm x", "not an address"),
    ] {
        let ran = fake.run(&format!("state {args}"));
        assert_eq!((ran.code, ran.out.as_str()), (exit::FAILED, ""), "{args}");
        assert!(ran.err.starts_with(&format!("error: {summary}\n")), "{args}: {ran:?}");
    }
    assert_eq!(fake.text("meshplan.state.json"), before);
    assert_eq!(fake.text("meshplan.state.lock"), None, "the lock is given back");
}

#[test]
fn what_is_forgotten_stays_where_it_is() {
    let fake = applied();
    let lines = "meshplan_data.b[\"x\"]\nmeshplan_data.b[\"y\"]\n";
    let would = format!("{lines}\nWould be forgotten: 2. What they name would stay where it is.\n");
    check(&fake.run("state rm --dry-run meshplan_data.b"), &would);
    let said = format!("{lines}\nForgotten: 2. What they name stays where it is and is not managed any more.\n");
    check(&fake.run("state rm meshplan_data.b"), &said);
    check(&fake.run("state list"), "meshplan_data.a\nmeshplan_data.c\n");
    assert_eq!(json(&fake)["resources"][1]["depends_on"], serde_json::json!(["meshplan_data.a"]), "what is left keeps its order");
}

/// A state of a cluster with two objects in it, and one that only depends on them.
fn with_a_place(fake: &Fake) {
    let mut state = json(fake);
    let record = |address: &str, kind: &str, place: Option<&str>| {
        let mut record = serde_json::json!({ "address": address, "id": address, "kind": kind, "status": "ready", "schema_version": 1, "attributes": {}, "uid": "u" });
        if let Some(place) = place {
            record["place"] = place.into();
        }
        record
    };
    let resources = state["resources"].as_array_mut().unwrap();
    resources.push(record("sandbox_cluster.c", "sandbox_cluster", None));
    resources.push(record("kubernetes_namespace.n", "kubernetes_namespace", Some("sandbox_cluster.c")));
    resources.push(record("kubernetes_secret.s", "kubernetes_secret", Some("data.kubernetes_cluster.k")));
    state["places"] = serde_json::json!([
        { "address": "sandbox_cluster.c", "kind": "sandbox_cluster", "connect": "record" },
        { "address": "data.kubernetes_cluster.k", "kind": "kubernetes_cluster", "connect": { "source": { "kind": "kubernetes_cluster", "arguments": {} } } },
    ]);
    state["serial"] = 7.into();
    fake.write("pushed.json", &state.to_string());
    let ran = fake.run("state push pushed.json");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
}

#[test]
fn a_place_goes_with_all_that_lies_in_it_or_not_at_all() {
    let fake = applied();
    with_a_place(&fake);
    fails(
        &fake.run("state rm sandbox_cluster.c"),
        "error: place not empty
 |
 = `sandbox_cluster.c` holds `kubernetes_namespace.n`, which nobody could reach any more without it
 = help: Name all that lies in it as well, or leave the place.

",
    );
    let ran = fake.run("state rm sandbox_cluster.c kubernetes_namespace.n kubernetes_secret.s");
    assert!(ran.out.starts_with("kubernetes_namespace.n in sandbox_cluster.c, uid u\n"), "{ran:?}");
    check(&fake.run("state list"), "meshplan_data.a\nmeshplan_data.b[\"x\"]\nmeshplan_data.b[\"y\"]\nmeshplan_data.c\n");
    assert_eq!(json(&fake)["places"], serde_json::json!([]), "an empty place is forgotten as well");
}

#[test]
fn a_place_takes_its_name_along() {
    let fake = applied();
    with_a_place(&fake);
    for (from, to) in [("sandbox_cluster.c", "sandbox_cluster.d"), ("data.kubernetes_cluster.k", "data.kubernetes_cluster.l")] {
        assert_eq!(fake.run(&format!("state mv {from} {to}")).code, exit::DONE, "{from}");
    }
    let state = json(&fake);
    let names = |list: &str, field: &str| {
        state[list].as_array().unwrap().iter().filter_map(|item| item[field].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(names("places", "address"), ["sandbox_cluster.d", "data.kubernetes_cluster.l"]);
    assert_eq!(names("resources", "place"), ["sandbox_cluster.d", "data.kubernetes_cluster.l"]);
}

#[test]
fn a_state_that_was_pulled_can_be_pushed() {
    let mut fake = applied();
    let pulled = fake.run("state pull").out;
    assert_eq!(Some(&pulled), fake.text("meshplan.state.json").as_ref());
    check(&fake.input(&pulled).run("state push -"), "The state is the same already.\n");
    let other = Fake::new(&[("pulled.json", pulled.as_str())]);
    check(&other.run("state push --dry-run pulled.json"), "Would be replaced: serial 1, 4 addresses.\n");
    assert_eq!(other.text("meshplan.state.json"), None);
    check(&other.run("state push pulled.json"), "The state has serial 1 now, and 4 addresses.\n");
    assert_eq!(other.text("meshplan.state.json"), Some(pulled));
}

#[test]
fn a_state_that_is_not_the_next_one_is_pushed_only_by_force() {
    let fake = applied();
    let stranger = Fake::new(&[("main.mesh.hcl", MAIN)]);
    assert_eq!(stranger.run("apply --auto-approve").code, exit::DONE);
    let mut older = json(&fake);
    assert_eq!(fake.run("state rm meshplan_data.c").code, exit::DONE);
    let mut unlike = json(&fake);
    unlike["resources"] = serde_json::json!([]);
    let mut newer = json(&fake);
    newer["version"] = 9.into();
    let before = fake.text("meshplan.state.json");
    for (state, why) in [
        (older.to_string(), "it has serial 1, and the state is newer: 2"),
        (unlike.to_string(), "it has serial 2 as the state has, and other content"),
        (stranger.run("state pull").out, "they describe different things"),
        (newer.to_string(), "has version 9 of its format"),
        ("{".to_owned(), "`pushed.json` cannot be read: line 1, column 1"),
    ] {
        fake.write("pushed.json", &state);
        for args in ["state push pushed.json", "state push --dry-run pushed.json"] {
            let ran = fake.run(args);
            assert!(ran.code == exit::FAILED && ran.out.is_empty() && ran.err.contains(why), "{why}: {ran:?}");
        }
        assert_eq!(fake.text("meshplan.state.json"), before);
    }
    fake.write("pushed.json", &older.to_string());
    check(&fake.run("state push --force pushed.json"), "The state has serial 3 now, and 4 addresses.\n");
    assert_eq!(fake.text("meshplan.state.json.backup"), before);
    fake.write("pushed.json", &stranger.run("state pull").out);
    check(&fake.run("state push --force pushed.json"), "The state has serial 4 now, and 4 addresses.\n");
    assert_eq!(json(&fake)["lineage"], json(&stranger)["lineage"]);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE, "the state is one to go on with");
    older["serial"] = 99.into();
    fake.write("pushed.json", &older.to_string());
    assert!(fake.run("state push pushed.json").err.contains("they describe different things"));
    assert!(fake.run("state push missing.json").err.starts_with("error: state not pushed\n"));
}

#[test]
fn who_writes_what_is_remembered_waits_for_the_lock() {
    let fake = applied();
    fake.write("pushed.json", &fake.run("state pull").out);
    let held = Store::new(fake.path().join("meshplan.state.json")).lock("apply", Duration::ZERO).unwrap();
    for args in ["mv meshplan_data.a meshplan_data.z", "rm meshplan_data.a", "push pushed.json"] {
        let ran = fake.run(&format!("state {args}"));
        assert!(ran.code == exit::FAILED && ran.err.starts_with("error: state is locked\n"), "{args}: {ran:?}");
        let dry = args.replacen(' ', " --dry-run ", 1);
        assert_eq!(fake.run(&format!("state {dry}")).code, exit::DONE, "a dry run takes no lock");
    }
    drop(held);
    assert_eq!(fake.run("state rm --lock-timeout 5s meshplan_data.a").code, exit::DONE);
}

#[test]
fn nothing_remembered_is_nothing_to_pull() {
    let fake = Fake::new(&[]);
    let ran = fake.run("state pull");
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (exit::DONE, "", "note: nothing is remembered yet, and nothing is printed\n")
    );
    assert!(fake.run("state mv a.b a.c").err.starts_with("error: not in state\n"));
    assert_eq!(fake.text("meshplan.state.json"), None);
}

#[test]
fn the_directory_of_a_state_file_is_made() {
    let main = "meshplan {\n  backend \"local\" {\n    path = \"states/east/mesh.json\"\n  }\n}\nresource \"meshplan_data\" \"d\" {\n  input = 1\n}\n";
    let fake = Fake::new(&[("main.mesh.hcl", main)]);
    assert_eq!(fake.run("plan").code, exit::DONE);
    let ran = fake.run("apply --auto-approve");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    assert!(fake.text("states/east/mesh.json").is_some() && fake.run("state list").out == "meshplan_data.d\n");
    // What stands in its place is named.
    fake.write("file", "");
    fake.write("main.mesh.hcl", &main.replace("states/east", "file/east"));
    std::fs::remove_dir_all(fake.path().join("states")).unwrap();
    std::fs::remove_dir_all(fake.path().join(".meshplan")).unwrap();
    let ran = fake.run("apply --auto-approve");
    assert_eq!(ran.code, exit::FAILED);
    assert!(ran.err.contains("`$DIR/file/east") && ran.err.contains("ot a directory"), "{ran:?}");
}

#[test]
fn what_is_meant_by_a_slip_a_block_or_nothing_at_all_is_said() {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN)]);
    let ran = fake.run("state list");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (exit::DONE, "", "note: nothing is remembered\n"));
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    let ran = fake.run("state list meshplan_dat meshplan_data.q");
    let said = "note: of what is remembered nothing begins with `meshplan_dat` or `meshplan_data.q`\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (exit::DONE, "", said));
    for (args, summary, words) in [
        ("state show meshplan_data.b", "several are meant", "`meshplan_data.b` is `meshplan_data.b[\"x\"]`, `meshplan_data.b[\"y\"]`"),
        ("state show meshplan_data.b", "several are meant", "Name one of them, such as `meshplan_data.b[\"x\"]`."),
        ("state show meshplan_data.b[\"z\"]", "not in state", "Did you mean `meshplan_data.b[\"x\"]`?"),
        ("state show meshplan_dat.a", "not in state", "Did you mean `meshplan_data.a`?"),
        ("state rm meshplan_dat.a", "not in state", "Did you mean `meshplan_data.a`?"),
        ("state mv meshplan_dat.a meshplan_data.z", "not in state", "Did you mean `meshplan_data.a`?"),
        ("state mv meshplan_data.a meshplan_data.b", "address taken", "Give what is moved a key as well"),
    ] {
        let ran = fake.run(args);
        assert!(
            ran.code == exit::FAILED && ran.err.starts_with(&format!("error: {summary}\n")) && ran.err.contains(words),
            "{args}: {ran:?}"
        );
    }
    // Within a block instances move one by one.
    assert_eq!(fake.run("state mv meshplan_data.b[\"x\"] meshplan_data.b").code, exit::DONE);
}
