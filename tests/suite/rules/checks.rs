//! Checks, the data sources within them, and what waits for them.

use super::{summaries, thing};
use engine::apply::Event;
use engine::plan::{Action, Aims, CheckResult, CheckStatus, Inputs, Plan};
use engine::value::Value;
use meshplan_tests::planning::{Bench, actions};

/// A check of one data source of the fake world: its value is 1.
fn check(name: &str, more: &str) -> String {
    format!(
        "check \"gate\" {{\n data \"fake_data\" \"d\" {{\n name = {name}\n {more}\n }}\n assert {{\n condition = data.fake_data.d.value == 1\n error_message = \"it is ${{data.fake_data.d.value}}\"\n }}\n}}\n"
    )
}

fn says(value: u64) -> Value {
    Value::object([("value", Value::number(value))])
}

fn of_plan(plan: &Plan) -> (CheckStatus, Vec<String>) {
    (plan.checks[0].status, plan.checks[0].messages.clone())
}

fn of_apply(events: &[Event]) -> Vec<&CheckResult> {
    events.iter().filter_map(|event| if let Event::Checked(result) = event { Some(result) } else { None }).collect()
}

#[test]
fn a_check_that_fails_holds_back_what_waits_for_it() {
    let mut bench = Bench::default();
    let text = |value: u64| {
        let check = format!("check \"gate\" {{\n assert {{\n condition = {value} == 1\n error_message = \"no\"\n }}\n}}\n");
        check + &thing("a", "depends_on = [check.gate]") + &thing("b", "")
    };
    let plan = bench.plan(&text(2));
    assert_eq!(plan.checks[0].status, CheckStatus::Failed);
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.added, summary.failed, summary.skipped), (1, 1, 1));
    bench.apply(&text(1));
    bench.assert_converged(&text(1));
}

#[test]
fn data_within_a_check_is_read_last_and_never_fails_a_plan() {
    let mut bench = Bench::default();
    let text =
        thing("a", "value = data.fake_data.d.value") + "data \"fake_data\" \"d\" {\n name = \"outer\"\n}\n" + &check("\"inner\"", "");
    bench.fake.meddle("data/outer", Some(says(7)));
    bench.fake.meddle("data/inner", Some(says(1)));
    bench.apply(&text);
    // The check's own data source, and not the one outside of that name.
    let plan = bench.plan(&text);
    assert_eq!(of_plan(&plan), (CheckStatus::Passed, Vec::new()));
    let last = bench.fake.asked().pop().unwrap();
    assert!(last.len() == 1 && last[0].starts_with("data data.fake_data.gate.d "), "{last:?}");
    bench.fake.meddle("data/inner", Some(says(2)));
    assert_eq!(of_plan(&bench.plan(&text)), (CheckStatus::Failed, vec!["it is 2".to_owned()]));
    bench.fake.meddle("data/inner", None);
    let gone = "`data.fake_data.gate.d`: what `data.fake_data.gate.d` reads does not exist";
    assert_eq!(of_plan(&bench.plan(&text)), (CheckStatus::Failed, vec![gone.to_owned()]));
    bench.fake.silence("data/inner");
    let plan = bench.plan(&text);
    let silent = "`data.fake_data.gate.d`: it could not be observed: the test says so";
    assert_eq!(of_plan(&plan), (CheckStatus::Failed, vec![silent.to_owned()]));
    assert!(plan.blocked.is_empty() && plan.diagnostics.is_empty() && !plan.has_changes());
}

#[test]
fn data_within_a_check_is_read_after_all_that_it_came_from() {
    let text = |value: u64| thing("a", &format!("value = {value}")) + &check("fake_thing.a.name", "");
    for (answer, silent, status, message) in [
        (Some(says(1)), false, CheckStatus::Passed, None),
        (Some(says(2)), false, CheckStatus::Failed, Some("it is 2")),
        (None, false, CheckStatus::Failed, Some("it could not be observed: what `data.fake_data.gate.d` reads does not exist")),
        (Some(says(1)), true, CheckStatus::Failed, Some("it could not be observed: the test says so")),
    ] {
        let mut bench = Bench::default();
        bench.fake.meddle("data/a", answer);
        if silent {
            bench.fake.silence("data/a");
        }
        // A create and an update both put it off.
        for value in [1, 2] {
            let plan = bench.plan(&text(value));
            assert_eq!(of_plan(&plan), (CheckStatus::Unknown, Vec::new()));
            assert_eq!(actions(&plan)[1], "<= data.fake_data.gate.d: read after `fake_thing.a` changes");
            let (summary, events) = bench.apply_plan(&plan);
            assert!(summary.is_complete(), "{summary:#?}");
            let checked = of_apply(&events);
            assert_eq!((checked.len(), checked[0].status), (1, status));
            assert_eq!(checked[0].messages.first().map(String::as_str), message);
        }
        bench.assert_converged(&text(2));
    }
}

#[test]
fn data_within_a_check_may_read_another_and_wait_for_what_it_names() {
    let text = |more: &str| {
        let first = "data \"fake_data\" \"first\" {\n name = \"first\"\n}\n";
        thing("a", "") + &check("data.fake_data.first.value", more).replace("check \"gate\" {\n", &format!("check \"gate\" {{\n {first}"))
    };
    let mut bench = Bench::default();
    bench.fake.meddle("data/first", Some(Value::object([("value", Value::string("second"))])));
    bench.fake.meddle("data/second", Some(says(1)));
    assert_eq!(of_plan(&bench.plan(&text(""))).0, CheckStatus::Passed);
    let plan = bench.plan(&text("depends_on = [fake_thing.a]"));
    assert_eq!(of_plan(&plan).0, CheckStatus::Unknown);
    let (_, events) = bench.apply_plan(&plan);
    assert_eq!(of_apply(&events)[0].status, CheckStatus::Passed);
}

#[test]
fn a_gate_that_cannot_be_read_stays_shut() {
    let mut bench = Bench::default();
    let text = thing("a", "") + &check("fake_thing.a.name", "") + &thing("b", "depends_on = [check.gate]");
    let plan = bench.plan(&text);
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.added, summary.failed, summary.skipped), (1, 1, 1), "{summary:#?}");
    assert_eq!(summary.diagnostics[0].summary, "check failed");
    bench.fake.meddle("data/a", Some(says(1)));
    bench.apply(&text);
    bench.assert_converged(&text);
    assert_eq!(bench.fake.calls(), ["create fake_thing.a", "create fake_thing.b"]);
}

#[test]
fn what_waits_for_a_gate_goes_with_what_the_gate_looks_at() {
    // The gate looks at a thing, or at a data source within, which looks at the thing.
    let condition = |compared: &str| {
        let assert = format!("assert {{\n condition = fake_thing.a.uid {compared} \"none\"\n error_message = \"no\"\n }}");
        format!("check \"gate\" {{\n {assert}\n}}\n")
    };
    for gate in [condition("!="), check("fake_thing.a.name", "")] {
        let text = |gate: &str| {
            let waits = thing("b", "depends_on = [check.gate]") + &thing("c", "value = fake_thing.b.uid");
            gate.to_owned() + &thing("a", "value = 1") + &waits + &thing("z", "")
        };
        let aimed = |excludes: &[&str], targets: &[&str]| {
            let named = |these: &[&str]| these.iter().map(|text| text.parse().unwrap()).collect();
            Inputs { aims: Aims { excludes: named(excludes), targets: named(targets), ..Aims::default() }, ..Inputs::default() }
        };
        let changed = |plan: &Plan| {
            let changes = plan.changes.iter().filter(|change| change.action == Action::Create);
            changes.map(|change| change.address.to_string()).collect::<Vec<_>>()
        };
        let mut bench = Bench::default();
        bench.fake.meddle("data/a", Some(says(1)));
        // Excluded, and all that waits for it with it; nothing fails.
        let plan = bench.plan_with(&text(&gate), aimed(&["fake_thing.a"], &[]));
        assert_eq!((changed(&plan), of_plan(&plan).0), (vec!["fake_thing.z".to_owned()], CheckStatus::NotRun));
        let (summary, _) = bench.apply_plan(&plan);
        assert!(summary.is_complete() && summary.added == 1, "{summary:#?}");
        let plan = bench.plan_with(&text(&gate), aimed(&["fake_thing.a"], &["fake_thing.b"]));
        assert_eq!(changed(&plan), [""; 0]);
        // A target takes along what its gate looks at, and goes through.
        let plan = bench.plan_with(&text(&gate), aimed(&[], &["fake_thing.b"]));
        assert_eq!(changed(&plan), ["fake_thing.a", "fake_thing.b"]);
        let (summary, _) = bench.apply_plan(&plan);
        assert!(summary.is_complete(), "{summary:#?}");
        bench.apply(&text(&gate));
        bench.assert_converged(&text(&gate));
        // A gate that is shut stays so, aimed at or not.
        bench.fake.meddle("fake_thing/b", None);
        bench.fake.meddle("data/a", Some(says(2)));
        let shut = if gate == condition("!=") { condition("==") } else { gate.clone() };
        let plan = bench.plan_with(&text(&shut), aimed(&[], &["fake_thing.b"]));
        let (summary, _) = bench.apply_plan(&plan);
        assert_eq!((summary.failed, summary.diagnostics[0].summary.as_str()), (1, "check failed"), "{summary:#?}");
    }
}

#[test]
fn what_is_wrong_with_the_text_of_a_check_is_an_error() {
    let bench = Bench::default();
    assert_eq!(summaries(&bench.plan(&check("\"x\"", "nmae = 1"))), ["unknown argument"]);
    let unknown = check("\"x\"", "").replace("fake_data", "fake_dat");
    assert_eq!(summaries(&bench.plan(&unknown)), ["unknown data source kind"]);
}
