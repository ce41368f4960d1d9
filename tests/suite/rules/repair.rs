//! What cannot be reached before something is repaired.

use super::{inner, place, summaries, thing};
use engine::plan::Plan;
use engine::value::Value;
use meshplan_tests::fake::Fake;
use meshplan_tests::planning::{Bench, actions};
use meshplan_tests::scenario::Scenario;

/// What is not planned, and what it waits for.
fn waiting(plan: &Plan) -> Vec<String> {
    let after = |after: Option<&engine::address::Address>| after.map_or("never".to_owned(), ToString::to_string);
    plan.blocked.iter().map(|blocked| format!("{}: {}", blocked.address, after(blocked.after.as_ref()))).collect()
}

#[test]
fn what_lies_in_a_place_is_read_after_the_place_is_repaired() {
    let text = |value: u64| {
        place("a", &format!("value = {value}"))
            + &inner("x", "fake_place.a", "")
            + &thing("peer", "value = fake_inner.x.token")
            + &thing("other", &format!("value = {value}"))
    };
    let orphan = inner("gone", "fake_place.a", "");
    let mut bench = Bench::default();
    bench.apply(&(text(1) + &orphan));
    bench.fake.silence("fake_place.a");
    // Nothing of this plan repairs it.
    assert_eq!(waiting(&bench.plan(&text(1))), ["fake_inner.gone: never", "fake_inner.x: never", "fake_thing.peer: never"]);
    let plan = bench.plan(&text(2));
    assert_eq!(
        actions(&plan),
        ["~ fake_place.a: `value` changed in configuration", "~ fake_thing.other: `value` changed in configuration"]
    );
    assert_eq!(waiting(&plan), ["fake_inner.gone: fake_place.a", "fake_inner.x: fake_place.a", "fake_thing.peer: fake_place.a"]);
    assert_eq!(&*plan.blocked[1].why, "cannot be read before `fake_place.a` has changed: the test says so");
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete(), "{summary:#?}");
    let plan = bench.apply(&text(2));
    assert_eq!(actions(&plan), ["- fake_inner.gone: not in configuration"]);
    bench.assert_converged(&text(2));
}

#[test]
fn a_repair_may_stand_far_before_the_place_that_it_brings_back() {
    let text = |value: u64| {
        thing("vip", &format!("value = {value}"))
            + &thing("host", "depends_on = [fake_thing.vip]")
            + "data \"fake_context\" \"c\" {\n name = fake_thing.host.name\n}\n"
            + &inner("x", "data.fake_context.c", "")
            + "data \"fake_data\" \"d\" {\n name = fake_thing.host.name\n}\n"
            + &thing("reader", "value = data.fake_data.d.value")
    };
    let mut bench = Bench::default();
    let connection = Value::object([("to", Value::string("u1"))]);
    let cluster = Value::object([("uid", Value::string("u1")), ("value", Value::number(1)), ("connection", connection)]);
    bench.fake.meddle("data/host", Some(cluster));
    bench.apply(&text(1));
    bench.fake.silence("data/host");
    let expected = ["data.fake_context.c", "data.fake_data.d", "fake_inner.x", "fake_thing.reader"];
    let all = |after: &str| expected.map(|address| format!("{address}: {after}")).to_vec();
    let sorted = |plan: &Plan| {
        let mut waiting = waiting(plan);
        waiting.sort();
        waiting
    };
    assert_eq!(sorted(&bench.plan(&text(1))), all("never"));
    // The thing that changed outside is put right, and all that is behind it waits for that.
    bench.fake.meddle(
        "fake_thing/vip",
        Some(Value::object([("name", Value::string("vip")), ("value", Value::number(7)), ("slow", Value::bool(false))])),
    );
    let plan = bench.plan(&text(1));
    assert_eq!(actions(&plan), ["~ fake_thing.vip: `value` changed outside"]);
    assert_eq!(sorted(&plan), all("fake_thing.vip"));
}

#[test]
fn what_lies_in_a_silent_place_that_is_replaced_is_replaced_with_it() {
    let text = |name: &str| format!("resource \"fake_place\" \"a\" {{\n name = \"{name}\"\n}}\n") + &inner("x", "fake_place.a", "");
    let mut bench = Bench::default();
    bench.apply(&text("one"));
    bench.fake.silence("fake_place.a");
    let plan = bench.plan(&text("two"));
    assert_eq!(actions(&plan), ["-/+ fake_inner.x: `fake_place.a` is replaced", "-/+ fake_place.a: `name` cannot change in place"]);
    assert!(plan.blocked.is_empty() && summaries(&plan).is_empty());
}

#[test]
fn what_moves_into_a_place_that_is_replaced_is_deleted_where_it_was() {
    let text = |name: &str, cluster: &str| {
        format!("resource \"fake_place\" \"a\" {{\n name = \"{name}\"\n}}\n") + &place("b", "") + &inner("x", cluster, "")
    };
    let mut bench = Bench::default();
    bench.apply(&text("one", "fake_place.b"));
    bench.fake.clear_calls();
    bench.apply(&text("two", "fake_place.a"));
    let inner_calls: Vec<_> = bench.fake.calls().into_iter().filter(|call| call.ends_with("fake_inner.x")).collect();
    assert_eq!(inner_calls, ["delete fake_inner.x", "create fake_inner.x"]);
    bench.assert_converged(&text("two", "fake_place.a"));
}

#[test]
fn one_approval_repairs_what_was_only_out_of_reach() {
    let text = |value: u64, inner_value: u64| {
        place("a", &format!("value = {value}"))
            + &inner("x", "fake_place.a", &format!("value = {inner_value}"))
            + &inner("y", "fake_place.a", "")
    };
    let fake = Fake::default();
    let mut scenario = Scenario::with(&text(1, 1));
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    fake.silence("fake_place.a");
    scenario.write("main.mesh.hcl", &text(2, 1));
    let ran = scenario.run_with(&["apply"], "yes\n").expect_code(0);
    let first = "\
Read and planned afterwards, because it cannot be reached before
  ?   2 resources are read after fake_place.a is changed

";
    let last = "Plan: 0 to add, 1 to change, 0 to replace, 0 to destroy. 2 are read and planned afterwards.\n";
    assert!(ran.stdout.starts_with(first) && ran.stdout.contains(last), "{}", ran.stdout);
    assert!(ran.stderr.contains("What was out of reach is read now."), "{}", ran.stderr);
    assert!(ran.stdout.ends_with("No changes: what exists is as configured.\n"), "{}", ran.stdout);
    // What differs is shown and asked for once more.
    fake.silence("fake_place.a");
    scenario.write("main.mesh.hcl", &text(3, 2));
    let ran = scenario.run_with(&["apply"], "yes\nno\n").expect_code(1);
    assert!(ran.stdout.contains("~   fake_inner.x  `value` changed in configuration"), "{}", ran.stdout);
    assert!(ran.stderr.ends_with("Not approved: nothing more was changed.\n"), "{}", ran.stderr);
    scenario.run_with(&["apply"], "yes\n").expect_code(0);
}

#[test]
fn a_digest_does_not_approve_what_only_comes_into_reach() {
    let text = |value: u64, inner_value: u64| {
        place("a", &format!("value = {value}")) + &inner("x", "fake_place.a", &format!("value = {inner_value}"))
    };
    let fake = Fake::default();
    let mut scenario = Scenario::with(&text(1, 1));
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let digest = |scenario: &mut Scenario| {
        let shown = scenario.run(&["plan"]).expect_code(0).stdout;
        shown.lines().find_map(|line| line.strip_prefix("Plan digest: ")).unwrap().to_owned()
    };
    for (value, inner_value, code) in [(2, 1, 0), (3, 2, 1)] {
        fake.silence("fake_place.a");
        scenario.write("main.mesh.hcl", &text(value, inner_value));
        let approved = digest(&mut scenario);
        let ran = scenario.run(&["apply", "--approve", &approved]).expect_code(code);
        assert!(ran.stdout.contains("Apply complete: 0 added, 1 changed") && ran.stderr.contains("is read now."), "{}", ran.all());
        assert_eq!(ran.stderr.contains("error: more than approved\n"), code == 1, "{}", ran.stderr);
    }
    let rest = digest(&mut scenario);
    scenario.run(&["apply", "--approve", &rest]).expect_code(0);
}

#[test]
fn a_repair_that_does_not_help_is_no_success() {
    let text = |value: u64| {
        thing("vip", &format!("value = {value}"))
            + "data \"fake_data\" \"d\" {\n name = fake_thing.vip.name\n}\n"
            + &thing("x", "value = data.fake_data.d.value")
    };
    let fake = Fake::default();
    fake.meddle("data/vip", Some(Value::object([("value", Value::number(1))])));
    let mut scenario = Scenario::with(&text(1));
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    fake.silence("data/vip");
    scenario.write("main.mesh.hcl", &text(2));
    let ran = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert!(ran.stdout.contains("1 to change") && ran.stdout.contains("2 are read and planned afterwards."), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("No changes: what exists is as configured. 2 could not be observed.\n"), "{}", ran.stdout);
}
