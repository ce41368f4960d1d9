//! Things that have another address than the state knows.

use super::{address, place, summaries, thing};
use meshplan_tests::planning::{Bench, Circumstances, actions};
use meshplan_tests::scenario::Scenario;

fn moved(from: &str, to: &str) -> String {
    format!("moved {{\n from = {from}\n to = {to}\n}}\n")
}

#[test]
fn a_moved_thing_is_not_touched() {
    let mut bench = Bench::default();
    bench.apply(&thing("a", ""));
    let text = "resource \"fake_thing\" \"b\" {\n name = \"a\"\n}\n".to_owned() + &moved("fake_thing.a", "fake_thing.b");
    let plan = bench.plan(&text);
    assert_eq!(actions(&plan), ["-> fake_thing.b: moved from `fake_thing.a`"]);
    bench.fake.clear_calls();
    bench.apply(&text);
    assert!(bench.fake.calls().iter().all(|call| call.starts_with("read")), "{:?}", bench.fake.calls());
    assert!(bench.state.record(&address("fake_thing.a")).is_none() && bench.state.record(&address("fake_thing.b")).is_some());
    bench.assert_converged(&text);
}

#[test]
fn a_moved_thing_that_changes_says_both() {
    let mut bench = Bench::default();
    bench.apply(&thing("a", "value = 1"));
    let text = "resource \"fake_thing\" \"b\" {\n name = \"a\"\n value = 2\n}\n".to_owned() + &moved("fake_thing.a", "fake_thing.b");
    let plan = bench.plan(&text);
    assert_eq!(actions(&plan), ["~ fake_thing.b: `value` changed in configuration"]);
    assert_eq!(plan.change(&address("fake_thing.b")).unwrap().causes, ["moved from `fake_thing.a`"]);
    bench.apply(&text);
    bench.assert_converged(&text);
}

#[test]
fn what_lies_in_a_moved_cluster_goes_on_to_lie_in_it() {
    let text = |label: &str, more: &str| {
        format!(
            "resource \"sandbox_cluster\" \"{label}\" {{\n name = \"c\"\n}}\n\
             resource \"kubernetes_namespace\" \"n\" {{\n cluster = sandbox_cluster.{label}\n name = \"n\"\n}}\n{more}"
        )
    };
    let scenario = Scenario::empty();
    scenario.write("main.mesh.hcl", &text("a", ""));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.write("main.mesh.hcl", &text("b", &moved("sandbox_cluster.a", "sandbox_cluster.b")));
    let planned = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2);
    assert!(
        planned.stdout.contains("sandbox_cluster.b") && planned.stdout.contains("moved from `sandbox_cluster.a`"),
        "{}",
        planned.stdout
    );
    assert!(!planned.stdout.contains("kubernetes_namespace.n"), "{}", planned.stdout);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
}

#[test]
fn a_key_that_is_still_there_cannot_move() {
    let mut bench = Bench::default();
    let text = "resource \"fake_thing\" \"a\" {\n for_each = toset([\"x\", \"y\"])\n name = each.key\n}\n";
    bench.apply(text);
    let plan = bench.plan(&(text.to_owned() + &moved("fake_thing.a[\"x\"]", "fake_thing.a[\"z\"]")));
    assert_eq!(summaries(&plan), ["moved object still exists"]);
}

#[test]
fn what_is_given_up_stays_and_is_forgotten() {
    let mut bench = Bench::default();
    let both = thing("b", "");
    bench.apply(&(thing("a", "lifecycle {\n prevent_destroy = true\n}") + &both));
    let text = both + "removed {\n from = fake_thing.a\n lifecycle {\n destroy = false\n }\n}\n";
    let plan = bench.plan(&text);
    assert_eq!(actions(&plan), [". fake_thing.a: given up by a `removed` block, stays as it is"]);
    bench.apply(&text);
    assert_eq!(bench.state.resources.keys().map(ToString::to_string).collect::<Vec<_>>(), ["fake_thing.b"]);
    assert_eq!(bench.fake.things().into_keys().collect::<Vec<_>>(), ["fake_thing/a", "fake_thing/b"]);
    bench.assert_converged(&text);
}

#[test]
fn a_place_is_given_up_with_what_lies_in_it() {
    let mut bench = Bench::default();
    bench.apply(&(place("p", "") + &super::inner("i", "fake_place.p", "")));
    let things = bench.fake.things().len();
    bench.apply("removed {\n from = fake_place.p\n lifecycle {\n destroy = false\n }\n}\n");
    assert!(bench.state.is_empty());
    assert_eq!(bench.fake.things().len(), things);
}

#[test]
fn an_apply_that_stops_has_moved_what_was_to_move() {
    let mut bench = Bench::default();
    bench.apply(&thing("a", ""));
    let text = "resource \"fake_thing\" \"b\" {\n name = \"a\"\n}\n".to_owned() + &thing("c", "") + &moved("fake_thing.a", "fake_thing.b");
    let plan = bench.plan(&text);
    bench.apply_under(&plan, Circumstances { stop_after: Some("fake_thing.c"), ..Default::default() });
    assert!(bench.state.record(&address("fake_thing.b")).is_some());
    bench.apply(&text);
    bench.assert_converged(&text);
}
