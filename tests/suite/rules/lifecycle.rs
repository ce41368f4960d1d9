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
fn a_trigger_names_a_group_or_one_of_its_instances() {
    let text = |trigger: &str, p: u64, q: u64| {
        let group = |label: &str, each: &str, name: &str, value: &str| {
            format!("resource \"fake_thing\" \"{label}\" {{\n {each}\n name = {name}\n value = {value}\n}}\n")
        };
        let keyed = group("g", &format!("for_each = {{ p = {p}, q = {q} }}"), "\"g-${each.key}\"", "each.value");
        let counted = group("n", "count = 2", "\"n-${count.index}\"", &format!("[{p}, {q}][count.index]"));
        let of = |key: &str| format!("for_each = toset([\"p\", \"q\"])\n lifecycle {{\n replace_triggered_by = [{key}]\n }}");
        keyed + &counted + &group("a", &of(trigger), "\"a-${each.key}\"", "1")
    };
    for (trigger, replaced) in [
        ("fake_thing.g", vec!["p", "q"]),
        ("fake_thing.g[\"p\"]", vec![]),
        ("fake_thing.g[\"q\"]", vec!["p", "q"]),
        ("fake_thing.g[\"q\"].value", vec!["p", "q"]),
        ("fake_thing.g[\"q\"].name", vec![]),
        ("fake_thing.g[each.key]", vec!["q"]),
        ("fake_thing.g[each.key].value", vec!["q"]),
        ("fake_thing.g[each.key].name", vec![]),
        ("fake_thing.n", vec!["p", "q"]),
        ("fake_thing.n[0]", vec![]),
        ("fake_thing.n[1].value", vec!["p", "q"]),
        ("fake_thing.n[each.key == \"p\" ? 1 : 0]", vec!["p"]),
    ] {
        let mut bench = Bench::default();
        bench.apply(&text(trigger, 1, 1));
        bench.assert_converged(&text(trigger, 1, 1));
        let plan = bench.plan(&text(trigger, 1, 2));
        let told: Vec<_> = actions(&plan).into_iter().filter(|line| line.contains(" fake_thing.a[")).collect();
        assert_eq!(told.len(), replaced.len(), "{trigger}: {told:?}");
        for (line, key) in told.iter().zip(replaced) {
            assert!(
                line.starts_with(&format!("-/+ fake_thing.a[\"{key}\"]: `fake_thing.")) && line.ends_with("` changed"),
                "{trigger}: {line}"
            );
        }
        bench.apply(&text(trigger, 1, 2));
        bench.assert_converged(&text(trigger, 1, 2));
    }
}

#[test]
fn what_is_ignored_replaces_nothing() {
    let text = |name: &str, paths: &str| format!("resource \"fake_thing\" \"a\" {{\n name = \"{name}\"\n {}\n}}\n", ignoring(paths));
    for paths in ["[name]", "all"] {
        let mut bench = Bench::default();
        bench.apply(&text("one", paths));
        bench.assert_converged(&text("two", paths));
        assert_eq!(actions(&bench.plan(&text("two", "[value]"))), ["-/+ fake_thing.a: `name` cannot change in place"]);
    }
}

#[test]
fn what_a_postcondition_refuses_is_there_and_nothing_is_made_from_it() {
    // Known at plan, or only once it is there: of a create, an update, a wait.
    let text = |condition: &str, value: u64, slow: bool| {
        let after = format!("lifecycle {{\n postcondition {{\n condition = {condition}\n error_message = \"it is ${{self.name}}\"\n}}\n}}");
        thing("a", &format!("value = {value}\n slow = {slow}\n {after}"))
            + &thing("b", "value = fake_thing.a.uid")
            + &thing("c", "depends_on = [fake_thing.b]")
            + &thing("z", "")
    };
    let mut bench = Bench::default();
    let plan = bench.plan(&text("self.value == 2", 1, false));
    let told: Vec<_> = plan.diagnostics.iter().map(|problem| (problem.summary.as_str(), problem.detail.as_str())).collect();
    assert_eq!(told, [("postcondition failed", "it is a")]);
    bench.apply(&text("self.value == 1", 1, false));
    for slow in [false, true] {
        let refused = text("self.uid == \"none\"", 1, slow);
        let mut bench = Bench::default();
        let plan = bench.plan(&refused);
        let (summary, _) = bench.apply_plan(&plan);
        assert_eq!((summary.added, summary.failed, summary.skipped), (2, 1, 2), "{summary:#?}");
        assert_eq!((summary.diagnostics[0].summary.as_str(), summary.diagnostics[0].detail.as_str()), ("condition failed", "it is a"));
        assert_eq!(bench.fake.things().into_keys().collect::<Vec<_>>(), ["fake_thing/a", "fake_thing/z"]);
        // It is not made again: the next plan knows it, and says that it does not hold.
        assert_eq!(summaries(&bench.plan(&refused)), ["postcondition failed"]);
        let held = text("self.uid != \"none\"", 1, slow);
        bench.fake.clear_calls();
        bench.apply(&held);
        assert_eq!(bench.fake.calls(), ["create fake_thing.b", "create fake_thing.c"]);
        bench.assert_converged(&held);
    }
}

#[test]
fn a_precondition_holds_back_what_it_guards_and_all_that_comes_from_it() {
    let text = |condition: &str| {
        let before = format!("lifecycle {{\n precondition {{\n condition = {condition}\n error_message = \"not yet\"\n}}\n}}");
        thing("a", "") + &thing("b", &before) + &thing("c", "value = fake_thing.b.uid")
    };
    let mut bench = Bench::default();
    assert_eq!(summaries(&bench.plan(&text("path.root == \"\""))), ["precondition failed"]);
    let plan = bench.plan(&text("fake_thing.a.uid == \"none\""));
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.added, summary.failed, summary.skipped, bench.fake.calls()), (1, 1, 2, vec!["create fake_thing.a".to_owned()]));
    bench.apply(&text("fake_thing.a.uid != \"none\""));
}

#[test]
fn nothing_protected_dies_with_a_place_around_its_place() {
    let text = |outer: &str, protected: &str| {
        let node = "resource \"fake_node\" \"n\" {\n cluster = fake_place.a\n name = \"n\"\n}\n";
        format!("resource \"fake_place\" \"a\" {{\n name = \"{outer}\"\n}}\n")
            + node
            + &inner("x", "fake_node.n", protected)
            + &inner("y", "fake_place.a", "")
    };
    let mut bench = Bench::default();
    bench.apply(&text("one", PROTECTED));
    for (plan, how) in [
        (bench.plan(&text("two", PROTECTED)), "replaced"),
        (bench.plan(""), "removed"),
        (bench.plan(&text("one", PROTECTED).replace("fake_node.n\n", "fake_place.a\n")), "moved out"),
        (bench.plan_destroy(), "destroyed"),
        (bench.plan_with("", Inputs { destroy: true, aims: targeted("fake_place.a"), ..Inputs::default() }), "aimed at"),
    ] {
        let said: Vec<_> = plan.diagnostics.iter().filter(|problem| problem.summary == "protected resource").collect();
        assert_eq!(said.len(), 1, "{how}: {:#?} {:#?}", plan.diagnostics, actions(&plan));
        assert!(said[0].detail.starts_with("`fake_inner.x` has `prevent_destroy`"), "{how}: {}", said[0].detail);
    }
    // Unprotected all goes with one call, inner before outer in nothing but the count.
    bench.apply(&text("one", ""));
    bench.fake.clear_calls();
    let plan = bench.plan_destroy();
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.destroyed, bench.fake.calls()), (4, vec!["delete fake_place.a".to_owned()]));
    assert!(bench.state.is_empty(), "{:?}", bench.state);
}

fn targeted(name: &str) -> engine::plan::Aims {
    engine::plan::Aims { targets: vec![name.parse().unwrap()], ..engine::plan::Aims::default() }
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
    let plan = bench.plan(&output("path.root == \"\""));
    assert_eq!(summaries(&plan), ["precondition failed"]);
    assert_eq!(plan.diagnostics[0].detail, "it does not hold");
    assert_eq!(summaries(&bench.plan(&output("path.root != \"\""))), [""; 0]);
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

#[test]
fn what_the_state_protects_is_let_go_by_its_block_alone() {
    let text = |protects: bool| {
        format!(
            "resource \"sandbox_cluster\" \"c\" {{\n name = \"c\"\n}}\n\
             resource \"kubernetes_secret\" \"s\" {{\n cluster = sandbox_cluster.c\n namespace = \"default\"\n name = \"s\"\n data = {{ k = \"v\" }}\n \
             lifecycle {{\n prevent_destroy = {protects}\n create_before_destroy = true\n }}\n}}\n"
        )
    };
    let scenario = Scenario::with(&text(true));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let refused = |args: &[&str]| {
        let output = scenario.run(args).expect_code(1);
        assert!(output.stderr.contains("error: protected resource") && output.stderr.contains("`kubernetes_secret.s`"), "{}", output.all());
    };
    refused(&["destroy", "--auto-approve"]);
    refused(&["destroy", "--auto-approve", "--target", "sandbox_cluster.c"]);
    refused(&["apply", "--auto-approve", "--replace", "kubernetes_secret.s"]);
    refused(&["apply", "--auto-approve", "--replace", "sandbox_cluster.c"]);
    // Without its block, with and without its place, from the state alone.
    for text in ["resource \"sandbox_cluster\" \"c\" {\n name = \"c\"\n}\n", ""] {
        scenario.write("main.mesh.hcl", text);
        refused(&["plan"]);
        refused(&["apply", "--auto-approve"]);
    }
    // The block takes it back, an apply of that writes it down; a name that stays cannot stand twice.
    scenario.write("main.mesh.hcl", &text(false));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let output = scenario.run(&["plan", "--replace", "kubernetes_secret.s"]).expect_code(1);
    assert!(output.stderr.contains("error: same name twice") && output.stderr.contains("Secret/default/s"), "{}", output.all());
    scenario.write("main.mesh.hcl", "");
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert!(scenario.addresses().is_empty());
}
