//! Things that exist already and are managed from now on.

use super::{address, context, inner, place, summaries, thing};
use engine::state::{Operation, Status};
use engine::value::Value;
use meshplan_tests::cluster::Cluster;
use meshplan_tests::fake::Fails;
use meshplan_tests::planning::{Bench, Circumstances, actions};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value as Json, json};

fn import(to: &str, id: &str) -> String {
    format!("import {{\n to = {to}\n id = {id}\n}}\n")
}

fn found(name: &str, value: u64) -> Value {
    Value::from_json(
        &json!({ "name": name, "value": value, "slow": false, "uid": format!("found-{name}"), "token": format!("token-found-{name}") }),
    )
}

/// A world in which `a` is there, with the value 1.
fn bench() -> Bench {
    let bench = Bench::default();
    bench.fake.meddle("fake_thing/a", Some(found("a", 1)));
    bench
}

#[test]
fn what_is_there_is_taken_over_and_the_block_means_nothing_afterwards() {
    let mut bench = bench();
    let text = thing("a", "value = 1") + &thing("b", "value = fake_thing.a.uid") + &import("fake_thing.a", "\"a\"");
    let plan = bench.plan(&text);
    assert_eq!(actions(&plan), ["<- fake_thing.a: exists as `a`", "+ fake_thing.b: not in state"]);
    let counts = plan.counts();
    assert_eq!((counts.import, counts.add, counts.change), (1, 1, 0));
    assert_eq!(plan.change(&address("fake_thing.b")).unwrap().after.as_ref().unwrap().text("value"), Some("found-a"));
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.imported, summary.added, summary.changed, summary.failed), (1, 1, 0, 0));
    assert_eq!(bench.fake.calls(), ["update fake_thing.a", "create fake_thing.b"]);
    let record = bench.state.record(&address("fake_thing.a")).unwrap();
    assert_eq!((record.uid.as_deref(), record.status), (Some("found-a"), Status::Ready));
    bench.assert_converged(&text);
    // Also where the thing has another id by now, or is gone.
    let text = text.replace("id = \"a\"", "id = \"other\"");
    bench.assert_converged(&text);
    bench.fake.meddle("fake_thing/a", None);
    assert_eq!(actions(&bench.plan(&text))[0], "+ fake_thing.a: deleted outside");
}

#[test]
fn what_is_not_as_configured_changes_with_the_import() {
    let mut bench = bench();
    let text = thing("a", "value = 2\n slow = true") + &import("fake_thing.a", "\"a\"");
    let plan = bench.plan(&text);
    assert_eq!(actions(&plan), ["<- fake_thing.a: exists as `a`, `value`, `slow` changes"]);
    let change = plan.change(&address("fake_thing.a")).unwrap();
    assert_eq!(change.before.as_ref().and_then(|before| before.get("value")).and_then(Value::as_u64), Some(1));
    assert_eq!(change.after.as_ref().and_then(|after| after.get("value")).and_then(Value::as_u64), Some(2));
    assert_eq!((plan.counts().import, plan.counts().change), (1, 1));
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.imported, summary.changed), (1, 1));
    assert_eq!(bench.fake.calls(), ["update fake_thing.a", "settle fake_thing.a"]);
    bench.assert_converged(&text);
}

#[test]
fn a_block_may_name_many_by_key_and_value() {
    let mut bench = Bench::default();
    for name in ["x", "y", "z"] {
        bench.fake.meddle(&format!("fake_thing/{name}"), Some(found(name, 1)));
    }
    let things = "resource \"fake_thing\" \"all\" {\n for_each = local.all\n name = each.value\n value = 1\n}\n";
    let blocks = "locals {\n all = { one = \"x\", two = \"y\", three = \"new\" }\n}\nresource \"fake_thing\" \"first\" {\n count = 1\n name = \"z\"\n value = 1\n}\nimport {\n for_each = { for key, name in local.all : key => name if name != \"new\" }\n to = fake_thing.all[each.key]\n id = each.value\n}\n";
    let text = things.to_owned() + blocks + &import("fake_thing.first[0]", "\"z\"");
    let expected = [
        "<- fake_thing.all[\"one\"]: exists as `x`",
        "+ fake_thing.all[\"three\"]: not in state",
        "<- fake_thing.all[\"two\"]: exists as `y`",
        "<- fake_thing.first[0]: exists as `z`",
    ];
    assert_eq!(actions(&bench.apply(&text)), expected);
    bench.assert_converged(&text);
}

#[test]
fn an_import_that_cannot_be_is_an_error_of_the_plan() {
    let other = "resource \"fake_thing\" \"b\" {\n name = \"b\"\n}\n";
    let placed = place("p", "") + &inner("i", "fake_place.p", "");
    for (more, expected) in [
        (thing("c", "") + &import("fake_thing.c", "\"c\""), "nothing to import"),
        (import("fake_thing.a", "\"b\""), "id of another object"),
        (place("p", "") + &import("fake_place.p", "\"p\""), "not importable"),
        (placed + &import("fake_inner.i", "\"i\""), "nothing to import"),
        (import("fake_thing.a", "\"a\"") + &import("fake_thing.a", "\"a\""), "imported twice"),
        (import("fake_thing.a[\"x\"]", "\"a\""), "target not in configuration"),
        (import("fake_thing.a[true]", "\"a\""), "invalid address"),
        (import("fake_thing.a", "null"), "wrong `id`"),
        (import("fake_thing.a", "\"\""), "wrong `id`"),
        (other.to_owned() + &import("fake_thing.a", "fake_thing.b.uid"), "import not known yet"),
        (import("fake_thing.a", "sensitive(\"a\")"), "sensitive import"),
        (import("fake_thing.a", "fake_thing.a.name"), "circular reference"),
    ] {
        let plan = bench().plan(&(thing("a", "value = 1") + &more));
        assert_eq!(summaries(&plan), [expected], "{more}");
    }
}

#[test]
fn what_the_state_has_under_another_name_is_not_imported() {
    let mut bench = bench();
    bench.apply(&(thing("a", "value = 1") + &import("fake_thing.a", "\"a\"")));
    let renamed = "resource \"fake_thing\" \"new\" {\n name = \"a\"\n value = 1\n}\n".to_owned() + &import("fake_thing.new", "\"a\"");
    let plan = bench.plan(&renamed);
    assert_eq!(summaries(&plan), ["managed already"]);
    assert!(plan.diagnostics[0].help.as_ref().unwrap().contains("moved { from = fake_thing.a, to = fake_thing.new }"));
}

#[test]
fn what_cannot_be_seen_is_neither_imported_nor_created() {
    let mut bench = Bench::default();
    let base = place("p", "");
    bench.apply(&base);
    bench.fake.silence("fake_place.p");
    let text = base + &inner("i", "fake_place.p", "") + &thing("b", "value = fake_inner.i.token") + &import("fake_inner.i", "\"i\"");
    let plan = bench.plan(&text);
    assert!(actions(&plan).is_empty() && plan.diagnostics.is_empty(), "{:#?}", plan.diagnostics);
    let blocked: Vec<_> = plan.blocked.iter().map(|blocked| blocked.address.to_string()).collect();
    assert!(blocked.contains(&"fake_inner.i".to_owned()) && blocked.contains(&"fake_thing.b".to_owned()), "{blocked:?}");
    // An id that cannot be read blocks what it names, and nothing else.
    bench.fake.answer_again("fake_place.p");
    bench.fake.silence("data/ids");
    let ids = "data \"fake_data\" \"ids\" {\n name = \"ids\"\n}\n";
    let text = place("p", "") + &thing("a", "") + &thing("b", "") + ids + &import("fake_thing.a", "data.fake_data.ids.value");
    let plan = bench.plan(&text);
    assert_eq!(actions(&plan), ["+ fake_thing.b: not in state"]);
    assert_eq!(plan.blocked.iter().filter(|blocked| blocked.address.to_string() == "fake_thing.a").count(), 1);
}

#[test]
fn an_id_may_come_from_data_and_a_cluster_from_a_context() {
    let mut bench = Bench::default();
    bench.fake.meddle("data/one", Some(Value::from_json(&json!({ "uid": "u1", "connection": { "to": "u1" } }))));
    bench.fake.meddle("data/ids", Some(Value::from_json(&json!({ "value": "i" }))));
    bench.fake.meddle("u1/fake_inner/i", Some(found("i", 1)));
    let ids = "data \"fake_data\" \"ids\" {\n name = \"ids\"\n}\n";
    let text = context("one", "one")
        + ids
        + &inner("i", "data.fake_context.one", "value = 1")
        + &import("fake_inner.i", "data.fake_data.ids.value");
    // What is not of the arguments of a fake thing is its place, which nobody stores in it.
    let plan = bench.plan(&text);
    assert_eq!(summaries(&plan), ["import would replace"]);
    let mut there = found("i", 1).entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect::<Vec<_>>();
    there.push((
        "cluster".into(),
        plan.prior.places.keys().next().map_or_else(|| Value::string("data.fake_context.one"), |at| Value::string(at.to_string())),
    ));
    bench.fake.meddle("u1/fake_inner/i", Some(Value::object(there)));
    assert_eq!(actions(&bench.apply(&text)), ["<- fake_inner.i: exists as `i`"]);
    bench.assert_converged(&text);
}

#[test]
fn an_import_without_an_outcome_is_done_again() {
    for failing in [0, 1] {
        let mut bench = bench();
        let text = thing("a", "value = 2") + &import("fake_thing.a", "\"a\"");
        let plan = bench.plan(&text);
        let (summary, _) = bench.apply_under(&plan, Circumstances { failing_append: Some(failing), ..Circumstances::default() });
        assert_eq!(summary.failed, 1, "{failing}");
        bench.apply(&text);
        bench.assert_converged(&text);
    }
    let mut bench = bench();
    let text = thing("a", "value = 2") + &import("fake_thing.a", "\"a\"");
    bench.fake.fail("fake_thing.a", Fails::Always);
    let plan = bench.plan(&text);
    assert_eq!(bench.apply_plan(&plan).0.failed, 1);
    let record = bench.state.record(&address("fake_thing.a")).unwrap().clone();
    assert_eq!((record.status, record.uid.as_deref()), (Status::Interrupted(Operation::Import), Some("found-a")));
    bench.fake.fail("fake_thing.a", Fails::Never);
    assert_eq!(actions(&bench.apply(&text)), ["<- fake_thing.a: exists as `a`, `value` changes"]);
    assert_eq!(bench.state.record(&address("fake_thing.a")).unwrap().id, record.id);
    bench.assert_converged(&text);
}

const CLUSTER: &str = "resource \"sandbox_cluster\" \"c\" {\n name = \"c\"\n}\n";

const SHOP: &str = r#"
resource "kubernetes_namespace" "shop" {
  cluster = sandbox_cluster.c
  name    = "shop"
  labels  = { "istio-injection" = "enabled" }
}
module "within" {
  source  = "./within"
  cluster = sandbox_cluster.c
}
import {
  to = kubernetes_namespace.shop
  id = "shop"
}
import {
  for_each = { keys = "shop/keys" }
  to       = module.within.kubernetes_secret.all[each.key]
  id       = each.value
}
import {
  to = module.within.kubernetes_manifest.settings
  id = "apiVersion=v1,kind=ConfigMap,namespace=shop,name=settings"
}
"#;

const WITHIN: &str = r#"
variable "cluster" {
  type = cluster
}
resource "kubernetes_secret" "all" {
  for_each  = { keys = "hunter3" }
  cluster   = var.cluster
  namespace = "shop"
  name      = each.key
  data      = { key = each.value }
}
resource "kubernetes_manifest" "settings" {
  cluster  = var.cluster
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "shop" }
    data       = { same = "1", other = "2" }
  }
}
"#;

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";

/// A cluster with a namespace, a secret and a map that somebody made by hand.
fn shop() -> Scenario {
    let scenario = Scenario::with(CLUSTER);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let cluster = Cluster::of(&scenario, "c");
    let object =
        |kind: &str, name: &str| json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name, "labels": { "by": "hand" } } });
    let with = |mut object: Json, key: &str, value: Json| {
        object[key] = value;
        object
    };
    cluster.make("/api/v1/namespaces", &object("Namespace", "shop"));
    cluster.make("/api/v1/namespaces/shop/secrets", &with(object("Secret", "keys"), "data", json!({ "key": "aHVudGVyMg==" })));
    cluster.make(MAPS, &with(object("ConfigMap", "settings"), "data", json!({ "same": "1", "other": "one", "more": "3" })));
    scenario.write("shop.mesh.hcl", SHOP);
    scenario.write("within/main.mesh.hcl", WITHIN);
    scenario
}

#[test]
fn objects_made_by_hand_become_ours() {
    let scenario = shop();
    let plan = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2);
    for line in [
        "<-  kubernetes_namespace.shop ",
        "exists as `shop`, 1 field changes, 5 unchanged",
        "<-  module.within.kubernetes_secret.all[\"keys\"]  exists as `shop/keys`, `data.key` changes",
        "changes, 9 unchanged\n        ~ manifest.data.other  \"one\" -> \"2\"\n",
        "~ data  (sensitive value) changes",
        "Plan: 3 to import, 0 to add, 3 to change, 0 to replace, 0 to destroy.",
    ] {
        assert!(plan.stdout.contains(line), "`{line}` in {}", plan.all());
    }
    assert!(!plan.all().contains("hunter"), "{}", plan.all());
    let events = scenario.run(&["plan", "--json"]).stdout;
    let lines: Vec<Json> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changes: Vec<_> = lines.iter().filter(|line| line["action"] == "import").collect();
    assert_eq!((changes.len(), &changes[0]["reason"]["code"]), (3, &json!("imported")), "{events}");
    assert_eq!(lines.iter().find(|line| line["event"] == "plan").unwrap()["counts"]["import"], 3);
    let applied = scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert!(applied.stdout.contains("Apply complete: 3 imported, 0 added, 3 changed, 0 destroyed."), "{}", applied.all());
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    let cluster = Cluster::of(&scenario, "c");
    let map = cluster.get(&format!("{MAPS}/settings")).unwrap();
    assert_eq!(map["data"], json!({ "same": "1", "other": "2", "more": "3" }), "what is not configured stays");
    assert_eq!(map["metadata"]["labels"], json!({ "by": "hand" }));
    let keys = cluster.get("/api/v1/namespaces/shop/secrets/keys").unwrap();
    assert_eq!(keys["data"], json!({ "key": "aHVudGVyMw==" }));
    assert!(!scenario.read("meshplan.state.json").contains("hunter"));
    // From now on it is an object like all of ours.
    cluster.edit(&format!("{MAPS}/settings"), &json!({ "data": { "same": "edited" } }));
    let drifted = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2);
    assert!(drifted.stdout.contains("`data.same` changed outside by `kubectl-edit`"), "{}", drifted.all());
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
}

#[test]
fn what_is_not_there_or_is_something_else_is_told() {
    let scenario = shop();
    for (from, to, told) in [
        ("id = \"shop\"", "id = \"shops\"", "`id` names `Namespace/shops`, and the configuration writes `Namespace/shop`"),
        ("name=settings", "name=setting", "`id` names `ConfigMap/shop/setting`, and the configuration writes `ConfigMap/shop/settings`"),
        ("kind=ConfigMap", "kind=Secret", "`id` names `Secret/shop/settings`"),
        ("\"apiVersion=v1,kind=ConfigMap,namespace=shop,name=settings\"", "\"settings\"", "wrong `id`"),
        ("kubernetes_manifest.settings", "kubernetes_manifest.gone", "target not in configuration"),
        ("all[each.key]", "all[\"other\"]", "the configuration has no such instance"),
    ] {
        scenario.write("shop.mesh.hcl", &SHOP.replace(from, to));
        let plan = scenario.run(&["plan"]).expect_code(1);
        assert!(plan.stderr.contains(told), "`{told}` in {}", plan.all());
    }
    scenario.write("shop.mesh.hcl", SHOP);
    let cluster = Cluster::of(&scenario, "c");
    cluster.delete(&format!("{MAPS}/settings"));
    let plan = scenario.run(&["plan"]).expect_code(1);
    let told = "`apiVersion=v1,kind=ConfigMap,namespace=shop,name=settings` does not exist in `sandbox_cluster.c`";
    assert!(plan.stderr.contains(told), "{}", plan.all());
    // A field that cannot change is never a reason to delete what somebody else made.
    cluster.make(
        MAPS,
        &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" }, "immutable": true, "data": { "same": "0" } }),
    );
    let plan = scenario.run(&["plan"]).expect_code(1);
    assert!(plan.stderr.contains("import would replace"), "{}", plan.all());
}

#[test]
fn a_module_below_may_not_import() {
    let scenario = shop();
    scenario.write("within/import.mesh.hcl", &import("kubernetes_manifest.settings", "\"x\""));
    let plan = scenario.run(&["plan"]).expect_code(1);
    assert!(plan.stderr.contains("misplaced block"), "{}", plan.all());
}

#[test]
fn an_interrupted_import_whose_block_goes_leaves_the_object_alone() {
    let scenario = shop();
    let cluster = Cluster::of(&scenario, "c");
    let uid = |path: &str| cluster.get(path).unwrap()["metadata"]["uid"].clone();
    let before = uid(&format!("{MAPS}/settings"));
    let mut state = scenario.state();
    let record = json!({ "address": "module.within.kubernetes_manifest.settings", "id": "r-import", "kind": "kubernetes_manifest",
        "uid": before, "place": "sandbox_cluster.c", "status": "interrupted", "operation": "import", "identity": "ConfigMap/shop/settings",
        "schema_version": 1, "attributes": { "id": "v1/ConfigMap/shop/settings" } });
    state["resources"].as_array_mut().unwrap().push(record);
    scenario.write("meshplan.state.json", &state.to_string());
    std::fs::remove_file(scenario.path().join("shop.mesh.hcl")).unwrap();
    let plan = scenario.run(&["plan"]).expect_code(0);
    assert!(plan.stdout.contains("0 to destroy, 1 to forget"), "{}", plan.all());
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(uid(&format!("{MAPS}/settings")), before);
}

#[test]
fn one_thing_is_imported_at_once_and_nothing_else_changes() {
    let scenario = shop();
    scenario.write("shop.mesh.hcl", SHOP.split("import {").next().unwrap());
    let map = "module.within.kubernetes_manifest.settings";
    for (address, id, told) in [
        ("kubernetes_namespace.shop", "shops", "id of another object"),
        ("kubernetes_namespace.gone", "gone", "target not in configuration"),
        ("module.within.kubernetes_secret.all[\"gone\"]", "shop/gone", "target not in configuration"),
        ("kubernetes_namespace", "shop", "not an address"),
        ("data.kubernetes_cluster.c", "c", "not importable"),
        ("sandbox_cluster.c", "c", "managed already"),
    ] {
        let run = scenario.run(&["import", "--auto-approve", address, id]).expect_code(1);
        assert!(run.stderr.contains(told), "{address}: {}", run.all());
    }
    let run = scenario.run_with(&["import", map, "v1/ConfigMap/shop/settings"], "no\n").expect_code(1);
    assert!(run.stdout.contains("Plan: 1 to import, 0 to add, 1 to change, 0 to replace, 0 to destroy."), "{}", run.all());
    assert_eq!(scenario.addresses(), ["sandbox_cluster.c"]);
    let run = scenario.run_with(&["import", map, "v1/ConfigMap/shop/settings"], "yes\n").expect_code(0);
    assert!(run.stdout.contains("Apply complete: 1 imported, 0 added, 1 changed, 0 destroyed."), "{}", run.all());
    assert_eq!(scenario.addresses(), ["sandbox_cluster.c", map]);
    let run = scenario.run(&["import", "--auto-approve", map, "v1/ConfigMap/shop/settings"]).expect_code(1);
    assert!(run.stderr.contains("managed already"), "{}", run.all());
    scenario.run(&["import", "--auto-approve", "kubernetes_namespace.shop", "shop"]).expect_code(0);
    scenario.run(&["import", "--auto-approve", "module.within.kubernetes_secret.all[\"keys\"]", "shop/keys"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn what_waits_for_other_changes_is_not_imported_by_itself() {
    let scenario = shop();
    let after = SHOP
        .split("import {")
        .next()
        .unwrap()
        .replace("  name    = \"shop\"", "  name    = \"shop\"\n  depends_on = [kubernetes_namespace.other]");
    scenario.write(
        "shop.mesh.hcl",
        &(after + "resource \"kubernetes_namespace\" \"other\" {\n  cluster = sandbox_cluster.c\n  name = \"other\"\n}\n"),
    );
    let run = scenario.run(&["import", "--auto-approve", "kubernetes_namespace.shop", "shop"]).expect_code(1);
    assert!(run.stderr.contains("error: other changes first"), "{}", run.all());
    assert!(run.stderr.contains("`kubernetes_namespace.shop` waits for changes of `kubernetes_namespace.other`"), "{}", run.all());
    assert_eq!(scenario.addresses(), ["sandbox_cluster.c"]);
}

const OTHERS: &str = r#"
resource "kubernetes_labels" "fields" {
  cluster     = sandbox_cluster.c
  api_version = "v1"
  kind        = "Namespace"
  name        = "shop"
  labels      = { x = "y" }
}
resource "kubernetes_manifests" "set" {
  cluster = sandbox_cluster.c
  content = file("map.yaml")
}
resource "ca_root" "mesh" {}
resource "ca_intermediate" "c" {
  issuer  = ca_root.mesh
  subject = { common_name = "c" }
}
resource "istio_cacerts" "ca" {
  cluster      = sandbox_cluster.c
  namespace    = "shop"
  intermediate = ca_intermediate.c
}
resource "meshplan_data" "kept" {
  input = "x"
}
resource "kubernetes_manifest" "gone" {
  cluster  = sandbox_cluster.c
  manifest = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "gone", namespace = "shop" } }
}
"#;

#[test]
fn what_cannot_be_imported_by_itself_says_what_to_do_and_speaks_of_no_block() {
    let scenario = shop();
    scenario.write("shop.mesh.hcl", OTHERS);
    std::fs::remove_dir_all(scenario.path().join("within")).unwrap();
    scenario.write("map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings, namespace: shop }\ndata: { same: '1' }\n");
    let adopt = "Write `on_exists = \"adopt\"` in its block instead: an apply then takes over what is there already.";
    for (address, id, summary, help) in [
        ("kubernetes_manifests.set", "v1/ConfigMap/shop/settings", "not importable", adopt),
        ("istio_cacerts.ca", "shop/cacerts", "not importable", adopt),
        ("kubernetes_labels.fields", "v1/Namespace/shop", "not importable", "an apply takes them over"),
        ("meshplan_data.kept", "x", "not importable", "an apply creates it"),
        ("kubernetes_manifest.gone", "v1/ConfigMap/shop/gone", "nothing to import", "Correct the id, or let `meshplan apply` create it."),
    ] {
        let run = scenario.run(&["import", "--auto-approve", address, id]).expect_code(1);
        assert!(run.stderr.contains(summary) && run.stderr.contains(help), "{address}: {}", run.all());
        assert!(!run.stderr.contains("Remove the `import` block"), "{address}: {}", run.all());
    }
    // As told: the set takes over what is there, and the rest of it stays.
    scenario.replace("shop.mesh.hcl", "  content = file(\"map.yaml\")", "  content   = file(\"map.yaml\")\n  on_exists = \"adopt\"");
    let plan = scenario.run(&["plan", "--target", "kubernetes_manifests.set"]).expect_code(0);
    assert!(plan.stdout.contains("1 to import") && plan.stdout.contains("exists as `v1/ConfigMap/shop/settings`"), "{}", plan.all());
    scenario.run(&["apply", "--auto-approve", "--target", "kubernetes_manifests.set"]).expect_code(0);
    let map = Cluster::of(&scenario, "c").get(&format!("{MAPS}/settings")).unwrap();
    assert_eq!(map["data"], json!({ "same": "1", "other": "one", "more": "3" }));
}
