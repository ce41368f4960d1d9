//! Checks, the data sources within them, and what waits for them.

use super::{summaries, thing};
use engine::apply::Event;
use engine::plan::{Action, Aims, CheckResult, CheckStatus, Inputs, Plan};
use engine::value::Value;
use meshplan_tests::fake::Fake;
use meshplan_tests::planning::{Bench, Circumstances, Goes, Meanwhile, actions};
use std::time::Duration;

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
        let check = "check \"gate\" {\n assert {\n condition = local.value == 1\n error_message = \"no\"\n }\n}\n";
        format!("locals {{\n value = {value}\n}}\n{check}") + &thing("a", "depends_on = [check.gate]") + &thing("b", "")
    };
    let plan = bench.plan(&text(2));
    assert_eq!(plan.checks[0].status, CheckStatus::Failed);
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.added, summary.failed, summary.skipped), (1, 1, 1));
    bench.apply(&text(1));
    bench.assert_converged(&text(1));
}

#[test]
fn what_holds_a_set_back_holds_its_members_back() {
    let set = |more: &str| format!("resource \"fake_set\" \"s\" {{\n cluster = fake_place.p\n names = [\"m\", \"n\"]\n {more}\n}}\n");
    let shut = "locals {\n value = 2\n}\ncheck \"gate\" {\n assert {\n condition = local.value == 1\n error_message = \"no\"\n }\n}\n";
    let later = "lifecycle {\n precondition {\n condition = fake_thing.a.uid == \"no\"\n error_message = \"no\"\n }\n }";
    for text in [shut.to_owned() + &set("depends_on = [check.gate]"), thing("a", "") + &set(later)] {
        let bench = &mut Bench::default();
        let text = super::place("p", "") + &text;
        let (summary, _) = bench.apply_plan(&bench.plan(&text));
        assert_eq!((summary.failed, summary.skipped), (1, 3), "{summary:#?}");
        assert!(!bench.fake.calls().iter().any(|call| call.contains("fake_set.s")), "{:?}", bench.fake.calls());
    }
    // Also where nothing of the set changes but a member that somebody deleted.
    let bench = &mut Bench::default();
    let open = super::place("p", "") + &shut.replace("value = 2", "value = 1") + &set("depends_on = [check.gate]");
    bench.apply(&open);
    bench.fake.meddle("fake_place.p/fake_inner/m", None);
    let before = bench.fake.calls().len();
    let (summary, _) = bench.apply_plan(&bench.plan(&open.replace("value = 1", "value = 2")));
    assert_eq!((summary.added, summary.failed), (0, 1), "{summary:#?}");
    assert!(!bench.fake.calls()[before..].iter().any(|call| call.starts_with("create")), "{:?}", &bench.fake.calls()[before..]);
    bench.apply(&open);
    bench.assert_converged(&open);
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

#[test]
fn what_needs_a_data_plane_is_not_run_where_there_is_none() {
    let still = "no data plane: the test says so".to_owned();
    let later = |text: &str| thing("a", "") + &check("fake_thing.a.name", "") + text;
    // While planning, and at apply; beside an assertion that fails.
    let bench = Bench::default();
    bench.fake.still("x");
    assert_eq!(of_plan(&bench.plan(&check("\"x\"", ""))), (CheckStatus::NotRun, vec![still.clone()]));
    let fails = "assert {\n condition = fake_thing.a.uid == \"\"\n error_message = \"it has a uid\"\n }\n assert {";
    for (text, status, message) in
        [(later(""), CheckStatus::NotRun, &*still), (later("").replace("assert {", fails), CheckStatus::Failed, "it has a uid")]
    {
        let mut bench = Bench::default();
        bench.fake.still("a");
        let (summary, events) = bench.apply_plan(&bench.plan(&text));
        assert!(summary.is_complete(), "{summary:#?}");
        let checked = of_apply(&events);
        assert_eq!((checked[0].status, &*checked[0].messages), (status, &[message.to_owned()][..]));
    }
    // A gate stays shut, at once, and opens when there is one.
    let mut bench = Bench::default();
    bench.fake.still("a");
    let text = later(&thing("b", "depends_on = [check.gate]"));
    let (summary, events) = bench.apply_plan(&bench.plan(&text));
    assert_eq!((summary.added, summary.failed, summary.skipped), (1, 1, 1), "{summary:#?}");
    let shut = &summary.diagnostics[0];
    assert_eq!(shut.to_string(), format!("check not run: `check.gate` was not run, and something waits until it passes: {still}"));
    assert!(waits(&events).is_empty());
    bench.fake.meddle("data/a", Some(says(1)));
    bench.fake.moving("a");
    bench.apply(&text);
    bench.assert_converged(&text);
}

/// A gate with a data source of its own, and a thing that waits for it.
fn gated(timeout: &str) -> String {
    check("\"x\"", "").replace("check \"gate\" {", &format!("check \"gate\" {{\n {timeout}")) + &thing("b", "depends_on = [check.gate]")
}

/// What is said of a gate that is waited for.
fn waits(events: &[Event]) -> Vec<(String, u64)> {
    let waits = events.iter().filter_map(|event| match event {
        Event::Waits { check, messages, left } => Some((format!("{check}: {}", messages.join("; ")), *left)),
        _ => None,
    });
    waits.collect()
}

fn meddled(fake: &Fake, answer: Option<u64>) -> Goes {
    fake.meddle("data/x", answer.map(says));
    Goes::On
}

const ABSENT: &str = "it could not be observed: what `data.fake_data.gate.d` reads does not exist";

#[test]
fn a_gate_is_looked_at_until_it_passes_or_its_time_is_up() {
    let never: Meanwhile = |_, _| Goes::On;
    let soon: Meanwhile = |fake, waited| if waited >= Duration::from_secs(7) { meddled(fake, Some(1)) } else { Goes::On };
    let changing: Meanwhile = |fake, waited| match waited.as_secs() {
        0 => Goes::On,
        1..=60 => meddled(fake, Some(3)),
        61..=120 => meddled(fake, None),
        _ => meddled(fake, Some(1)),
    };
    let says_of = |words: &str, left| (format!("gate: {words}"), left);
    let shut = |words: &str| Some(format!("`check.gate` {words}"));
    for (timeout, meanwhile, failure, told) in [
        ("", soon, None, vec![says_of("it is 2", 300)]),
        ("timeout = \"10s\"", soon, None, vec![says_of("it is 2", 10)]),
        ("timeout = \"5s\"", soon, shut("did not pass within 5 seconds: it is 2"), vec![says_of("it is 2", 5)]),
        ("timeout = \"1h\"", never, shut("did not pass within 3600 seconds: it is 2"), vec![says_of("it is 2", 3600)]),
        // Whatever it says of itself meanwhile is told once.
        ("timeout = \"1h\"", changing, None, vec![says_of("it is 2", 3600), says_of("it is 3", 3599), says_of(ABSENT, 3535)]),
        // As before there were any waits.
        ("timeout = \"0s\"", soon, Some("`check.gate`: it is 2".to_owned()), Vec::new()),
    ] {
        let mut bench = Bench::default();
        bench.fake.meddle("data/x", Some(says(2)));
        let plan = bench.plan(&gated(timeout));
        assert_eq!(of_plan(&plan), (CheckStatus::Failed, vec!["it is 2".to_owned()]), "{timeout}");
        assert_eq!(actions(&plan), ["+ fake_thing.b: not in state", "<= data.fake_data.gate.d: read until `check.gate` passes"]);
        let (summary, events) = bench.apply_under(&plan, Circumstances { while_waiting: Some(meanwhile), ..Circumstances::default() });
        assert_eq!(summary.diagnostics.first().map(|problem| problem.detail.clone()), failure, "{timeout}");
        assert_eq!(waits(&events), told, "{timeout}");
        let reads = events.iter().filter(|event| matches!(event, Event::Finished { action: Action::Read, .. })).count();
        assert_eq!((reads, of_apply(&events).len()), (1, 1), "{timeout}: what is read again is told once");
        let made = if failure.is_some() { (0, 1, 1) } else { (1, 0, 0) };
        assert_eq!((summary.added, summary.failed, summary.skipped), made, "{timeout}: {summary:#?}");
        bench.fake.meddle("data/x", Some(says(1)));
        bench.apply(&gated(timeout));
        // What is there waits for nothing any more.
        bench.fake.meddle("data/x", Some(says(2)));
        bench.assert_converged(&gated(timeout));
    }
}

#[test]
fn who_stops_an_apply_does_not_wait_for_its_gates() {
    let mut bench = Bench::default();
    let text = gated("timeout = \"1h\"") + &thing("z", "");
    bench.fake.meddle("data/x", Some(says(2)));
    let meanwhile: Meanwhile = |_, waited| if waited >= Duration::from_secs(3) { Goes::NoFurther } else { Goes::On };
    let circumstances = Circumstances { while_waiting: Some(meanwhile), ..Circumstances::default() };
    let (summary, events) = bench.apply_under(&bench.plan(&text), circumstances);
    assert!(summary.interrupted && events.contains(&Event::Stopping), "{summary:#?}");
    assert_eq!((summary.added, summary.failed, summary.skipped), (1, 0, 1), "{summary:#?}");
    bench.fake.meddle("data/x", Some(says(1)));
    bench.apply(&text);
    assert_eq!(bench.fake.calls(), ["create fake_thing.z", "create fake_thing.b"]);
    bench.assert_converged(&text);
}

#[test]
fn what_a_gate_says_counts_when_what_waits_for_it_is_about_to_start() {
    // Open when it was planned and shut when it is applied, also out of a file; and the other way round.
    for (planned, applied, added) in [(1, 2, 0), (2, 1, 1)] {
        let mut bench = Bench::default();
        bench.fake.meddle("data/x", Some(says(planned)));
        let plan = bench.plan(&gated("timeout = \"0s\""));
        bench.fake.meddle("data/x", Some(says(applied)));
        let (summary, _) = bench.apply_plan(&plan);
        assert_eq!((summary.added, summary.failed), (added, 1 - added), "{summary:#?}");
    }
    // And so a plan is the same plan whatever its gates say while it is made.
    let digest = |value: Option<u64>| {
        let bench = Bench::default();
        bench.fake.meddle("data/x", value.map(says));
        bench.plan(&gated("")).digest().to_owned()
    };
    assert!(digest(Some(1)) == digest(Some(2)) && digest(Some(1)) == digest(None));
}

#[test]
fn a_gate_reads_again_what_is_its_own_and_nothing_else() {
    // `second` looks at what waits for `first`, at a data source outside, and at one within that reads another one within.
    let first = check("\"first\"", "").replace("\"gate\"", "\"first\"");
    let outside = "data \"fake_data\" \"outside\" {\n name = fake_thing.a.name\n}\n";
    let within = "data \"fake_data\" \"one\" {\n name = \"${data.fake_data.outside.value}1\"\n }\n data \"fake_data\" \"two\" {\n name = data.fake_data.one.value\n }\n";
    let condition = "fake_thing.a.uid != \"\" && data.fake_data.two.value == 1";
    let second = format!(
        "check \"second\" {{\n {within} assert {{\n condition = {condition}\n error_message = \"it is ${{data.fake_data.two.value}}\"\n }}\n}}\n"
    );
    let text = first + &second + outside + &thing("a", "depends_on = [check.first]") + &thing("b", "depends_on = [check.second]");
    let mut bench = Bench::default();
    let text_of = |value: &str| Value::object([("value", Value::string(value))]);
    for (name, value) in [("first", says(1)), ("a", text_of("o")), ("o1", text_of("x")), ("x", says(2))] {
        bench.fake.meddle(&format!("data/{name}"), Some(value));
    }
    let meanwhile: Meanwhile = |fake, waited| if waited >= Duration::from_secs(3) { meddled(fake, Some(1)) } else { Goes::On };
    let plan = bench.plan(&text);
    let before = bench.fake.asked().len();
    let (summary, _) = bench.apply_under(&plan, Circumstances { while_waiting: Some(meanwhile), ..Circumstances::default() });
    assert!(summary.is_complete(), "{summary:#?}");
    let asked: Vec<String> = bench.fake.asked().split_off(before).concat();
    let of = |address: &str| asked.iter().filter(|question| question.starts_with(&format!("data {address} "))).count();
    let looks = ["first.d", "second.one", "second.two", "outside"].map(|name| of(&format!("data.fake_data.{name}")));
    assert_eq!(looks, [1, 3, 3, 1], "{asked:#?}");
    assert_eq!(bench.fake.calls(), ["create fake_thing.a", "create fake_thing.b"]);
}

#[test]
fn a_gate_within_a_module_is_named_with_it() {
    let inner = gated("timeout = \"2s\"");
    let text = format!("module \"m\" {{\n source = \"./inner\"\n}}\n--- ./inner\n{inner}");
    let mut bench = Bench::default();
    let (summary, events) = bench.apply_plan(&bench.plan(&text));
    let words = ABSENT.replace("data.fake_data", "module.m.data.fake_data");
    assert_eq!(waits(&events), [(format!("module.m.gate: {words}"), 2)]);
    assert_eq!(summary.diagnostics[0].detail, format!("`check.module.m.gate` did not pass within 2 seconds: {words}"));
}

#[test]
fn a_gate_of_which_something_fails_whatever_is_read_is_not_waited_for() {
    let mut bench = Bench::default();
    bench.fake.meddle("data/x", Some(says(1)));
    let text = gated("").replace("assert {", "assert {\n condition = path.root == \"\"\n error_message = \"never\"\n }\n assert {");
    let (summary, events) = bench.apply_plan(&bench.plan(&text));
    assert_eq!((summary.diagnostics[0].detail.as_str(), waits(&events)), ("`check.gate`: never", Vec::new()));
}

#[test]
fn a_check_that_cannot_be_computed_at_apply_has_failed_and_fails_nothing_else() {
    let wrong = |more: &str| check("fake_thing.a.name", "").replace("d.value == 1", "d.value.x == 1") + &thing("a", "") + more;
    let mut bench = Bench::default();
    bench.fake.meddle("data/a", Some(says(1)));
    let (summary, events) = bench.apply_plan(&bench.plan(&wrong("")));
    assert!(summary.is_complete(), "{summary:#?}");
    let checked = of_apply(&events);
    assert_eq!((checked.len(), checked[0].status), (1, CheckStatus::Failed));
    assert!(checked[0].messages[0].starts_with("`d.value` is a number") || checked[0].messages[0].contains("number"), "{checked:?}");
    assert!(!checked[0].messages[0].contains("observed"), "{checked:?}");
    // As a gate it holds back what waits for it, and that alone.
    let gated = wrong(&thing("b", "depends_on = [check.gate]")) + &thing("c", "");
    let (summary, _) = bench.apply_plan(&bench.plan(&gated.replace("check \"gate\" {", "check \"gate\" {\n timeout = \"3s\"")));
    assert_eq!((summary.added, summary.failed, summary.skipped), (1, 1, 1), "{summary:#?}");
    assert!(summary.diagnostics[0].detail.starts_with("`check.gate` did not pass within 3 seconds: "), "{summary:#?}");
}
