//! What cannot be reached before something is repaired.

use super::{inner, place, summaries, thing};
use engine::plan::Plan;
use engine::value::Value;
use meshplan_tests::fake::{Fails, Fake};
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

/// Lets somebody change a thing within the place `a`: its `value` and, if it is said, whether it is slow.
fn change_outside(fake: &Fake, name: &str, slow: bool) {
    let key = format!("fake_place.a/fake_inner/{name}");
    let becomes = fake.things()[&key].with_entries([("value", Value::number(7)), ("slow", Value::bool(slow))]);
    fake.meddle(&key, Some(becomes));
}

#[test]
fn one_approval_repairs_what_was_only_out_of_reach() {
    let text =
        |value: u64| place("a", &format!("value = {value}")) + &inner("x", "fake_place.a", "value = 1") + &inner("y", "fake_place.a", "");
    let fake = Fake::default();
    let mut scenario = Scenario::with(&text(1));
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    fake.silence("fake_place.a");
    scenario.write("main.mesh.hcl", &text(2));
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
    change_outside(&fake, "x", false);
    scenario.write("main.mesh.hcl", &text(3));
    let ran = scenario.run_with(&["apply"], "yes\nno\n").expect_code(1);
    assert!(ran.stdout.contains("~   fake_inner.x  `value` changed outside"), "{}", ran.stdout);
    assert!(ran.stderr.ends_with("Not approved: nothing more was changed.\n"), "{}", ran.stderr);
    scenario.run_with(&["apply"], "yes\n").expect_code(0);
}

#[test]
fn a_digest_does_not_approve_what_only_comes_into_reach() {
    let text = |value: u64| place("a", &format!("value = {value}")) + &inner("x", "fake_place.a", "value = 1");
    let fake = Fake::default();
    let mut scenario = Scenario::with(&text(1));
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let digest = |scenario: &mut Scenario| {
        let shown = scenario.run(&["plan"]).expect_code(0).stdout;
        shown.lines().find_map(|line| line.strip_prefix("Plan digest: ")).unwrap().to_owned()
    };
    for (value, code) in [(2, 0), (3, 1)] {
        fake.silence("fake_place.a");
        if code == 1 {
            change_outside(&fake, "x", false);
        }
        scenario.write("main.mesh.hcl", &text(value));
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

/// A place that is changed because of what is made anew before it, and in it what follows from that.
fn following(more: &str) -> String {
    thing("vip", "")
        + &place("a", "value = fake_thing.vip.token")
        + &inner("source", "fake_place.a", "value = 1")
        + &inner("x", "fake_place.a", "value = \"${fake_thing.vip.token} ${fake_inner.source.token}\"")
        + &inner("beside", "fake_place.a", "value = 1")
        + more
}

/// That configuration, applied, with the place out of reach until the plan has repaired it.
fn out_of_reach(more: &str) -> (Fake, Scenario) {
    let fake = Fake::default();
    let mut scenario = Scenario::with(&following(more));
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    fake.meddle("fake_thing/vip", None);
    fake.silence("fake_place.a");
    fake.clear_calls();
    (fake, scenario)
}

#[test]
fn what_follows_from_a_repair_is_approved_with_it() {
    let (fake, scenario) = out_of_reach(&thing("peer", "value = fake_inner.x.value"));
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    for line in
        ["+   fake_thing.vip ", "~   fake_place.a ", "~   fake_inner.x ", "~   fake_thing.peer ", "(known after apply of fake_thing.vip)"]
    {
        assert!(plan.contains(line), "{line}: {plan}");
    }
    assert!(plan.contains("Plan: 1 to add, 3 to change, 0 to replace, 0 to destroy. 2 are read and planned afterwards."), "{plan}");
    let ran = scenario.run_with(&["apply"], "yes\n").expect_code(0);
    assert!(ran.stdout.ends_with("No changes: what exists is as configured.\n"), "{}", ran.all());
    assert_eq!(fake.calls(), ["create fake_thing.vip", "update fake_place.a", "update fake_inner.x", "update fake_thing.peer"]);
    // It was read before it was changed, and so was what it takes a value of; the rest was read in bulk.
    let asked = fake.asked();
    let alone = |question: &str| asked.iter().any(|batch| *batch == [question]);
    assert!(alone("read fake_inner.x") && alone("read fake_inner.source") && !alone("read fake_inner.beside"), "{asked:?}");
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn a_change_in_the_configuration_of_what_is_out_of_reach_is_approved_with_the_repair() {
    let text = |value: u64| place("a", &format!("value = {value}")) + &inner("x", "fake_place.a", &format!("value = {value}"));
    let fake = Fake::default();
    let mut scenario = Scenario::with(&text(1));
    scenario.beside(&fake);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    fake.silence("fake_place.a");
    scenario.write("main.mesh.hcl", &text(2));
    let ran = scenario.run_with(&["apply"], "yes\n").expect_code(0);
    assert!(ran.stdout.contains("~   fake_inner.x  `value` changed in configuration"), "{}", ran.stdout);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn what_is_not_as_it_was_remembered_stops_what_was_planned_from_that() {
    // Which thing somebody changed, also in what the plan does not change, or deleted; what is said of it; and how many plans are asked for.
    let (changed, gone) = (|slow: bool| Some(slow), None);
    let rows = [
        ("x", changed(true), "`fake_inner.x` was changed while it could not be reached: `slow`", 2),
        ("x", changed(false), "", 1),
        ("x", gone, "`fake_inner.x` is not there any more", 2),
        ("source", changed(false), "`fake_inner.source` was changed while it could not be reached: `value`", 2),
        ("source", gone, "`fake_inner.source` is not there any more", 2),
        ("beside", changed(false), "", 2),
        ("beside", gone, "", 2),
    ];
    for (name, becomes, said, plans) in rows {
        let (fake, scenario) = out_of_reach("");
        match becomes {
            Some(slow) => change_outside(&fake, name, slow),
            None => fake.meddle(&format!("fake_place.a/fake_inner/{name}"), None),
        }
        let ran = scenario.run_with(&["apply"], &"yes\n".repeat(plans)).expect_code(0);
        assert_eq!(ran.stderr.matches("Enter a value:").count(), plans, "{name}: {}", ran.all());
        assert_eq!(ran.stderr.contains("error: not as remembered\n"), !said.is_empty(), "{name}: {}", ran.all());
        assert!(ran.all().contains(said), "{name}: {}", ran.all());
        let first = fake.calls().into_iter().take_while(|call| !call.ends_with(" fake_inner.x")).collect::<Vec<_>>();
        assert!(first.starts_with(&["create fake_thing.vip".to_owned(), "update fake_place.a".to_owned()]), "{first:?}");
        scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    }
    // Who approves of the first plan alone has that.
    let (fake, scenario) = out_of_reach("");
    change_outside(&fake, "x", true);
    scenario.run_with(&["apply"], "yes\nno\n").expect_code(1);
    assert_eq!(fake.calls(), ["create fake_thing.vip", "update fake_place.a"]);
}

#[test]
fn only_what_is_changed_in_place_is_planned_from_what_is_remembered() {
    let waiting = |more: &str, first: &str| {
        let mut bench = Bench::default();
        bench.apply(&following(first));
        bench.fake.meddle("fake_thing/vip", None);
        bench.fake.silence("fake_place.a");
        let plan = bench.plan(&following(more));
        assert_eq!(summaries(&plan), Vec::<String>::new());
        let mut waiting = waiting(&plan);
        waiting.retain(|line| !line.starts_with("fake_inner.beside") && !line.starts_with("fake_inner.source"));
        assert!(waiting.iter().all(|line| line.ends_with(": fake_place.a")), "{waiting:?}");
        waiting.into_iter().map(|line| line.trim_end_matches(": fake_place.a").to_owned()).collect::<Vec<_>>()
    };
    let named = |name: &str| format!("resource \"fake_inner\" \"y\" {{\n cluster = fake_place.a\n name = \"{name}\"\n}}\n");
    let y = |more: &str| inner("y", "fake_place.a", more);
    let set = |names: &str, value: &str| {
        format!("resource \"fake_set\" \"s\" {{\n cluster = fake_place.a\n names = {names}\n value = {value}\n}}\n")
    };
    let each = |of: &str| format!("resource \"fake_thing\" \"each\" {{\n for_each = toset([{of}])\n name = each.key\n}}\n");
    let guarded = |value: u64| {
        let holds = "precondition {\n condition = fake_inner.source.value == 1\n error_message = \"no\"\n }";
        y(&format!("value = {value}\n lifecycle {{\n {holds}\n }}"))
    };
    let rows: [(String, String, &[&str]); 9] = [
        // Made anew, new, and gone.
        (named("y"), named("z"), &["fake_inner.y"]),
        (String::new(), thing("new", "value = fake_inner.source.token"), &["fake_thing.new"]),
        (y(""), String::new(), &["fake_inner.y"]),
        // A set as a whole: with another member, with one less, and with members that change in place.
        (set("[\"a\"]", "1"), set("[\"a\", \"b\"]", "1"), &["fake_set.s", "fake_set.s/Thing/a", "fake_set.s/Thing/b"]),
        (set("[\"a\", \"b\"]", "1"), set("[\"a\"]", "1"), &["fake_set.s/Thing/a", "fake_set.s/Thing/b"]),
        (set("[\"a\"]", "1"), set("[\"a\"]", "fake_thing.vip.token"), &[]),
        // How many there are, and what must hold, is not decided by what is only remembered.
        (each("tostring(fake_inner.source.value)"), each("tostring(fake_inner.source.value)"), &["fake_thing.each[\"1\"]"]),
        (guarded(1), guarded(2), &["fake_inner.y"]),
        (y("value = 1"), y("value = 1\n lifecycle {\n replace_triggered_by = [fake_thing.vip]\n }"), &["fake_inner.y"]),
    ];
    for (first, more, expected) in rows {
        assert_eq!(waiting(&more, &first), expected, "{more}");
    }
}

#[test]
fn a_plan_in_a_file_looks_before_it_changes_what_was_out_of_reach() {
    for is_slow in [false, true] {
        let (fake, scenario) = out_of_reach("");
        scenario.run(&["plan", "--out", "p"]).expect_code(0);
        change_outside(&fake, "x", is_slow);
        // What else was out of reach is left for another plan.
        let ran = scenario.run(&["apply", "p"]).expect_code(1);
        assert_eq!(fake.calls().contains(&"update fake_inner.x".to_owned()), !is_slow, "{}", ran.all());
        assert!(ran.stderr.contains("plan again for the rest."), "{}", ran.all());
    }
}

#[test]
fn what_a_delete_that_failed_left_is_deleted_whatever_is_wanted_of_it_by_then() {
    let text = |name: &str, value: u64| format!("resource \"fake_thing\" \"x\" {{\n name = \"{name}\"\n value = {value}\n}}\n");
    for value in [1, 2] {
        let mut bench = Bench::default();
        bench.apply(&text("one", 1));
        bench.fake.fail("delete fake_thing.x", Fails::Always);
        let plan = bench.plan(&text("two", 1));
        bench.apply_plan(&plan);
        bench.fake.fail("delete fake_thing.x", Fails::Never);
        let plan = bench.plan(&text("one", value));
        assert_eq!(actions(&plan), ["-/+ fake_thing.x: its last operation was interrupted"], "{value}");
        bench.apply(&text("one", value));
        bench.assert_converged(&text("one", value));
    }
}
