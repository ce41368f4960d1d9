//! What is protected, and what is created before it is deleted.

use super::{address, inner, summaries, thing};
use engine::value::Value;
use meshplan_tests::planning::{Bench, Circumstances, actions};

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
