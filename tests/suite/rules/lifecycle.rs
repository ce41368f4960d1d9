//! What is protected, and what is created before it is deleted.

use super::{address, inner, summaries, thing};
use engine::plan::Inputs;
use engine::value::Value;
use meshplan_tests::cluster::Cluster;
use meshplan_tests::planning::{Bench, Circumstances, actions};
use meshplan_tests::scenario::Scenario;
use serde_json::json;

const PROTECTED: &str = "lifecycle {\n prevent_destroy = true\n }";

#[test]
fn nothing_protected_dies_with_its_place() {
    let mut bench = Bench::default();
    let text = |name: &str| format!("resource \"fake_place\" \"a\" {{\n name = \"{name}\"\n}}\n") + &inner("x", "fake_place.a", PROTECTED);
    bench.apply(&text("one"));
    assert_eq!(summaries(&bench.plan(&text("two"))), ["protected resource"], "replaced");
    assert_eq!(summaries(&bench.plan("")), ["protected resource"], "removed");
    assert_eq!(summaries(&bench.plan_destroy()), ["protected resource"], "destroyed");
}

#[test]
fn nothing_protected_is_replaced() {
    let mut bench = Bench::default();
    let text = |name: &str| format!("resource \"fake_thing\" \"a\" {{\n name = \"{name}\"\n {PROTECTED}\n}}\n");
    bench.apply(&text("one"));
    assert_eq!(summaries(&bench.plan(&text("two"))), ["protected resource"]);
}

#[test]
fn a_place_replaced_create_first_takes_what_lies_within_along() {
    let mut bench = Bench::default();
    let text = |name: &str| {
        format!("resource \"fake_place\" \"a\" {{\n name = \"{name}\"\n lifecycle {{\n create_before_destroy = true\n }}\n}}\n")
            + &inner("x", "fake_place.a", "")
    };
    bench.apply(&text("one"));
    bench.fake.clear_calls();
    let plan = bench.plan(&text("two"));
    assert_eq!(actions(&plan), ["-/+ fake_inner.x: `fake_place.a` is replaced", "+/- fake_place.a: `name` cannot change in place"]);
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete(), "{summary:#?}");
    assert_eq!(bench.fake.calls(), ["create fake_place.a", "create fake_inner.x", "delete fake_place.a"]);
    assert!(bench.state.record(&address("fake_inner.x")).is_some());
}

#[test]
fn a_successor_made_first_must_not_have_the_name_of_what_it_replaces() {
    let mut bench = Bench::default();
    let first = "lifecycle {\n create_before_destroy = true\n replace_triggered_by = [fake_thing.b]\n }";
    let text = |value: u64| thing("b", &format!("value = {value}")) + &thing("a", first);
    bench.apply(&text(1));
    assert_eq!(summaries(&bench.plan(&text(2))), ["same name twice"]);
}

#[test]
fn a_trigger_that_names_an_attribute_looks_at_that_one_alone() {
    let text = |trigger: &str, value: u64, name: &str| {
        let other = format!("resource \"fake_thing\" \"b\" {{\n name = \"{name}\"\n value = {{ n = {value}, same = 1 }}\n}}\n");
        other + &thing("a", &format!("lifecycle {{\n replace_triggered_by = [{trigger}]\n }}"))
    };
    for (trigger, value, name, replaced) in [
        ("fake_thing.b", 2, "b", Some("fake_thing.b")),
        ("fake_thing.b.value", 2, "b", Some("fake_thing.b.value")),
        ("fake_thing.b.value.n", 2, "b", Some("fake_thing.b.value.n")),
        ("fake_thing.b.value.same", 2, "b", None),
        ("fake_thing.b.name", 2, "b", None),
        ("fake_thing.b.uid", 2, "b", None),
        // Of a successor everything that it finds out is new, and nothing else.
        ("fake_thing.b.uid", 1, "c", Some("fake_thing.b.uid")),
        ("fake_thing.b.value", 1, "c", None),
        ("fake_thing.b.value", 1, "b", None),
    ] {
        let mut bench = Bench::default();
        bench.apply(&text(trigger, 1, "b"));
        let plan = bench.plan(&text(trigger, value, name));
        let told: Vec<_> = actions(&plan).into_iter().filter(|action| action.contains(" fake_thing.a: ")).collect();
        let expected: Vec<_> = replaced.map(|by| format!("-/+ fake_thing.a: `{by}` changed")).into_iter().collect();
        assert!(told.len() == expected.len() && told.iter().all(|it| it.starts_with("-/+ ")), "{trigger}: {told:?}");
        assert!(replaced.is_none_or(|by| told[0].contains(by)), "{trigger}: {told:?}");
    }
}

#[test]
fn what_a_successor_is_made_from_is_there_before_it() {
    let first = "lifecycle {\n create_before_destroy = true\n }";
    let named = |label: &str, name: &str, more: &str| format!("resource \"fake_thing\" \"{label}\" {{\n name = \"{name}\"\n {more}\n}}\n");
    let mut bench = Bench::default();
    // Through a data source, a local and two resources; `d` itself is only updated.
    let text = |name: &str| {
        let between = "data \"fake_data\" \"c\" {\n name = local.n\n}\nlocals {\n n = fake_thing.b.name\n}\n";
        named("a", name, "")
            + &named("b", "b", "value = fake_thing.a.uid")
            + between
            + &named("d", "d", &format!("value = [fake_thing.a.uid, data.fake_data.c.value]\n {first}"))
    };
    bench.fake.meddle("data/b", Some(Value::object([("value", Value::string("v"))])));
    bench.apply(&text("one"));
    for label in ["a", "b", "d"] {
        assert!(bench.state.record(&address(&format!("fake_thing.{label}"))).unwrap().create_before_destroy, "{label}");
    }
    bench.fake.clear_calls();
    let plan = bench.apply(&text("two"));
    assert_eq!(actions(&plan)[0], "+/- fake_thing.a: `name` cannot change in place");
    assert_eq!(bench.fake.calls(), ["create fake_thing.a", "update fake_thing.b", "update fake_thing.d", "delete fake_thing.a"]);
    bench.assert_converged(&text("two"));
    // What has no name of its own to change cannot stand beside its successor.
    let triggered = |value: u64| {
        named("t", "t", &format!("value = {value}"))
            + &named("a", "a", "lifecycle {\n replace_triggered_by = [fake_thing.t]\n }")
            + &named("b", "b", &format!("value = fake_thing.a.uid\n {first}"))
    };
    let mut bench = Bench::default();
    bench.apply(&triggered(1));
    let plan = bench.plan(&triggered(2));
    assert_eq!(summaries(&plan), ["same name twice"]);
    assert!(plan.diagnostics[0].at.is_some() && plan.diagnostics[0].help.as_ref().unwrap().contains("out of `fake_thing.b`"));
}

#[test]
fn what_was_replaced_goes_in_the_order_of_what_depends_on_it() {
    let first = "lifecycle {\n create_before_destroy = true\n }";
    // Neither the names nor the order of creation decide.
    for [base, middle, last] in [["a", "m", "z"], ["z", "m", "a"]] {
        let named =
            |label: &str, name: &str, more: &str| format!("resource \"fake_thing\" \"{label}\" {{\n name = \"{name}\"\n {more}\n}}\n");
        let text = |name: &str| {
            named(base, &format!("{base}-{name}"), "")
                + &named(middle, &format!("{middle}-${{fake_thing.{base}.name}}"), "")
                + &named(last, &format!("{last}-${{fake_thing.{middle}.name}}"), first)
        };
        let creates = [base, middle, last].map(|label| format!("create fake_thing.{label}"));
        let deletes = [last, middle, base].map(|label| format!("delete fake_thing.{label}"));
        let mut bench = Bench::default();
        bench.apply(&text("one"));
        bench.fake.clear_calls();
        bench.apply(&text("two"));
        assert_eq!(bench.fake.calls(), [creates.clone(), deletes.clone()].concat());
        // What an interrupted apply leaves goes in the same order, each before the one that it was made from.
        let plan = bench.plan(&text("three"));
        let last_address = format!("fake_thing.{last}");
        bench.apply_under(&plan, Circumstances { stop_after: Some(&last_address), ..Circumstances::default() });
        bench.fake.clear_calls();
        bench.apply(&text("three"));
        assert_eq!(bench.fake.calls(), deletes);
        bench.assert_converged(&text("three"));
    }
}

#[test]
fn a_place_is_not_created_first_for_what_lies_within() {
    let mut bench = Bench::default();
    let text = |name: &str, other: &str| {
        let first = "lifecycle {\n create_before_destroy = true\n }";
        format!("resource \"fake_place\" \"a\" {{\n name = \"{name}\"\n}}\n") + &inner("x", "fake_place.a", first) + other
    };
    bench.apply(&text("one", ""));
    let plan = bench.plan(&text("two", ""));
    assert_eq!(actions(&plan), ["-/+ fake_inner.x: `fake_place.a` is replaced", "-/+ fake_place.a: `name` cannot change in place"]);
    // One from elsewhere hands it on.
    let peer = thing("peer", "value = fake_place.a.uid\n lifecycle {\n create_before_destroy = true\n }");
    bench.apply(&text("one", &peer));
    assert_eq!(actions(&bench.plan(&text("two", &peer)))[1], "+/- fake_place.a: `name` cannot change in place");
}

#[test]
fn what_is_deposed_is_deleted_by_the_next_plan() {
    let mut bench = Bench::default();
    let text = |name: &str| {
        format!("resource \"fake_thing\" \"a\" {{\n name = \"{name}\"\n lifecycle {{\n create_before_destroy = true\n }}\n}}\n")
    };
    bench.apply(&text("one"));
    let plan = bench.plan(&text("two"));
    bench.apply_under(&plan, Circumstances { stop_after: Some("fake_thing.a"), ..Circumstances::default() });
    assert_eq!(bench.fake.things().len(), 2);
    assert_eq!(bench.state.resources[&address("fake_thing.a")].deposed.len(), 1);
    let plan = bench.apply(&text("two"));
    assert_eq!(actions(&plan), ["- fake_thing.a: replaced before, not deleted yet"]);
    assert_eq!(bench.fake.things().into_keys().collect::<Vec<_>>(), ["fake_thing/two"]);
    bench.assert_converged(&text("two"));
}

#[test]
fn a_precondition_of_an_output_is_held() {
    let output = |condition: &str| {
        thing("a", "")
            + &format!(
                "output \"o\" {{\n value = 1\n precondition {{\n condition = {condition}\n error_message = \"it does not hold\"\n}}\n}}\n"
            )
    };
    let mut bench = Bench::default();
    let plan = bench.plan(&output("1 > 2"));
    assert_eq!(summaries(&plan), ["precondition failed"]);
    assert_eq!(plan.diagnostics[0].detail, "it does not hold");
    assert_eq!(summaries(&bench.plan(&output("1 < 2"))), [""; 0]);
    let later = output("fake_thing.a.uid == \"none\"");
    assert_eq!(summaries(&bench.plan(&later)), [""; 0], "what is not known yet is told by the apply");
    let plan = bench.plan(&later);
    let (summary, _) = bench.apply_plan(&plan);
    let told: Vec<_> = summary.diagnostics.iter().map(|problem| (problem.summary.as_str(), problem.detail.as_str())).collect();
    assert_eq!(told, [("condition failed", "it does not hold")]);
    assert!(!bench.state.outputs.contains_key("o") && bench.state.record(&address("fake_thing.a")).is_some());
    assert_eq!(summaries(&bench.plan(&later)), ["precondition failed"]);
}

fn named(value: &str, more: &str) -> String {
    format!("resource \"fake_thing\" \"a\" {{\n name = \"a\"\n value = {value}\n {more}\n}}\n")
}

fn ignoring(paths: &str) -> String {
    format!("lifecycle {{\n ignore_changes = {paths}\n }}")
}

#[test]
fn what_is_ignored_is_left_as_it_is() {
    let first = "{ a = 1, l = [{ x = 1 }, { x = 2 }], m = { \"k.io/r\" = 1, s = 1 } }";
    for (paths, now, changes) in [
        ("[value]", "{ a = 2 }", false),
        ("all", "{ a = 2 }", false),
        ("[value.a]", "{ a = 2, l = [{ x = 1 }, { x = 2 }], m = { \"k.io/r\" = 1, s = 1 } }", false),
        ("[value.a]", "{ a = 1, l = [{ x = 1 }, { x = 2 }], m = { \"k.io/r\" = 1, s = 2 } }", true),
        ("[value.l[1].x]", "{ a = 1, l = [{ x = 1 }, { x = 7 }], m = { \"k.io/r\" = 1, s = 1 } }", false),
        ("[value.l[1].x]", "{ a = 1, l = [{ x = 7 }, { x = 2 }], m = { \"k.io/r\" = 1, s = 1 } }", true),
        ("[value.m[\"k.io/r\"], slow]", "{ a = 1, l = [{ x = 1 }, { x = 2 }], m = { \"k.io/r\" = 7, s = 1 } }", false),
        ("[value.new]", "{ a = 1, l = [{ x = 1 }, { x = 2 }], m = { \"k.io/r\" = 1, s = 1 }, new = 1 }", false),
        ("[slow]", "{ a = 1 }", true),
    ] {
        let mut bench = Bench::default();
        bench.apply(&named(first, &ignoring(paths)));
        let plan = bench.plan(&named(now, &ignoring(paths)));
        assert_eq!(plan.has_changes(), changes, "{paths} {now}: {:?}", actions(&plan));
        let looked_away = Inputs { skip_refresh: true, ..Inputs::default() };
        assert_eq!(bench.plan_with(&named(now, &ignoring(paths)), looked_away).has_changes(), changes, "{paths} {now}");
        bench.apply(&named(now, &ignoring(paths)));
        bench.assert_converged(&named(now, &ignoring(paths)));
    }
    // What is created is created as configured.
    let mut bench = Bench::default();
    bench.apply(&named("2", &ignoring("[value]")));
    assert_eq!(bench.state.record(&address("fake_thing.a")).unwrap().attributes.get("value"), Some(&Value::number(2)));
}

#[test]
fn what_others_make_of_what_is_ignored_stays() {
    let mut bench = Bench::default();
    let text = |value: u64| named(&format!("{{ a = {value}, b = {value} }}"), &ignoring("[value.a]"));
    bench.apply(&text(1));
    let thing = bench.fake.things()["fake_thing/a"].clone();
    let meddled = thing.entries().iter().map(|entry| match &*entry.key {
        "value" => (entry.key.clone(), Value::object([("a", Value::number(9)), ("b", Value::number(1))])),
        _ => (entry.key.clone(), entry.value.clone()),
    });
    bench.fake.meddle("fake_thing/a", Some(Value::object(meddled)));
    bench.assert_converged(&text(1));
    bench.apply(&text(2));
    let value = bench.fake.things()["fake_thing/a"].get("value").and_then(|value| value.to_json().ok());
    assert_eq!(value, Some(serde_json::json!({ "a": 9, "b": 2 })));
    bench.assert_converged(&text(2));
}

#[test]
fn what_is_ignored_of_an_object_is_left_to_who_took_it() {
    let text = |k: &str, s: &str| {
        format!(
            r#"
resource "sandbox_cluster" "c" {{
  name = "c"
}}
resource "kubernetes_manifest" "m" {{
  cluster  = sandbox_cluster.c
  manifest = {{ apiVersion = "v1", kind = "ConfigMap", metadata = {{ name = "m", namespace = "default" }}, data = {{ "a.b" = "{k}", s = "{s}" }} }}
  lifecycle {{
    ignore_changes = [manifest.data["a.b"]]
  }}
}}
resource "kubernetes_secret" "s" {{
  cluster   = sandbox_cluster.c
  name      = "s"
  namespace = "default"
  data      = {{ key = "hunter{k}" }}
  labels    = {{ l = "{s}" }}
  lifecycle {{
    ignore_changes = [data]
  }}
}}
"#
        )
    };
    let scenario = Scenario::with(&text("1", "1"));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let cluster = Cluster::of(&scenario, "c");
    let (map, secret) = ("/api/v1/namespaces/default/configmaps/m", "/api/v1/namespaces/default/secrets/s");
    cluster.edit(map, &json!({ "data": { "a.b": "theirs" } }));
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    // Both change in the configuration, and only what is not ignored is followed.
    scenario.write("main.mesh.hcl", &text("2", "2"));
    let plan = scenario.run(&["plan"]).expect_code(0);
    for line in
        ["kubernetes_manifest.m  `data.s` changed in configuration", "kubernetes_secret.s    `metadata.labels.l` changed in configuration"]
    {
        assert!(plan.stdout.contains(line), "{}", plan.all());
    }
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(cluster.get(map).unwrap()["data"], json!({ "a.b": "theirs", "s": "2" }));
    let secret = cluster.get(secret).unwrap();
    assert_eq!((&secret["data"], &secret["metadata"]["labels"]), (&json!({ "key": "aHVudGVyMQ==" }), &json!({ "l": "2" })));
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}
