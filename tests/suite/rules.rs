//! One test per rule of planning and applying that is easy to get wrong.

mod aims;
mod blocks;
mod checks;
mod ephemeral;
mod exists;
mod generated;
mod imports;
mod lifecycle;
mod moves;
mod obstacles;
mod providers;
mod refresh;
mod repair;
mod requirements;
mod secrets;
mod upgrade;
mod users;
mod uses;
mod variables;

use engine::address::Address;
use engine::apply::Event;
use engine::plan::Plan;
use engine::state::{Operation, Record, Status};
use engine::value::Value;
use meshplan_tests::fake::Fails;
use meshplan_tests::planning::{Bench, Circumstances, actions};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn summaries(plan: &Plan) -> Vec<&str> {
    plan.diagnostics.iter().map(|problem| problem.summary.as_str()).collect()
}

fn thing(name: &str, more: &str) -> String {
    format!("resource \"fake_thing\" \"{name}\" {{\n name = \"{name}\"\n {more}\n}}\n")
}

fn place(label: &str, more: &str) -> String {
    format!("resource \"fake_place\" \"{label}\" {{\n name = \"{label}\"\n {more}\n}}\n")
}

fn inner(label: &str, cluster: &str, more: &str) -> String {
    format!("resource \"fake_inner\" \"{label}\" {{\n cluster = {cluster}\n name = \"{label}\"\n {more}\n}}\n")
}

fn context(label: &str, name: &str) -> String {
    format!("data \"fake_context\" \"{label}\" {{\n name = \"{name}\"\n}}\n")
}

fn cluster(uid: &str) -> Value {
    Value::object([("uid", Value::string(uid)), ("connection", Value::object([("to", Value::string(uid))]))])
}

fn marked(bench: &mut Bench, text: &str, change: impl FnOnce(&mut Record)) {
    change(bench.state.resources.get_mut(&address(text)).unwrap().current.as_mut().unwrap());
}

#[test]
fn a_warning_of_an_expression_is_said_once() {
    let bench = Bench::default();
    let compared = "resource \"fake_thing\" \"x\" {\n for_each = toset([\"a\", \"b\"])\n name = each.key\n value = [1] == tolist([1])\n}\n";
    let plan = bench.plan(compared);
    assert_eq!(plan.diagnostics.len(), 1, "{:#?}", plan.diagnostics);
    assert!(!plan.is_errored());
}

#[test]
fn a_create_knows_which_of_its_values_are_only_defaults() {
    let mut bench = Bench::default();
    let defaults = |plan: &Plan| plan.changes.iter().map(|change| change.defaults.clone()).collect::<Vec<_>>();
    let text = thing("a", "") + &thing("b", "slow = false") + &thing("c", "slow = true");
    assert_eq!(defaults(&bench.plan(&text)), [vec!["slow"], vec!["slow"], vec![]]);
    bench.apply(&text);
    assert_eq!(defaults(&bench.plan(&thing("a", "value = 1"))), [const { Vec::<&str>::new() }; 3]);
}

#[test]
fn data_is_read_again_after_an_update_of_what_it_reads() {
    let text = |value: u64| {
        let data = "data \"fake_data\" \"d\" {\n name = \"d-${fake_thing.a.name}\"\n}\n";
        thing("a", &format!("value = {value}")) + data + &thing("b", "value = data.fake_data.d.value")
    };
    let said = |text: &str| Some(Value::object([("value", Value::string(text))]));
    let mut bench = Bench::default();
    bench.fake.meddle("data/d-a", said("old"));
    bench.apply(&text(1));
    // The same answer after the update: nothing else happens.
    let plan = bench.apply(&text(2));
    assert_eq!(actions(&plan), ["~ fake_thing.a: `value` changed in configuration"]);
    // Another answer stops what was planned from the first.
    bench.fake.meddle("fake_thing/b", None);
    let plan = bench.plan(&text(3));
    bench.fake.meddle("data/d-a", said("new"));
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.changed, summary.added, summary.failed, summary.skipped), (1, 0, 1, 1));
    assert_eq!(summary.diagnostics[0].summary, "unexpected result");
    bench.apply(&text(3));
    bench.assert_converged(&text(3));
}

#[test]
fn identities_are_compared_by_place_and_not_by_its_address() {
    let bench = Bench::default();
    bench.fake.meddle("data/one", Some(cluster("u1")));
    bench.fake.meddle("data/same", Some(cluster("u1")));
    bench.fake.meddle("data/two", Some(cluster("u2")));
    let twice = |other: &str| {
        let second = "resource \"fake_inner\" \"y\" {\n cluster = data.fake_context.b\n name = \"x\"\n}\n";
        context("a", "one") + &context("b", other) + &inner("x", "data.fake_context.a", "") + second
    };
    assert_eq!(summaries(&bench.plan(&twice("same"))), ["duplicate name"]);
    assert!(summaries(&bench.plan(&twice("two"))).is_empty());
}

#[test]
fn what_moves_to_another_place_is_deleted_through_the_recorded_one() {
    let mut bench = Bench::default();
    let text = |cluster: &str| place("a", "") + &place("b", "") + &inner("x", cluster, "");
    bench.apply(&text("fake_place.a"));
    bench.fake.clear_calls();
    let plan = bench.apply(&text("fake_place.b"));
    assert_eq!(actions(&plan), ["-/+ fake_inner.x: `cluster` cannot change in place"]);
    assert_eq!(bench.fake.calls(), ["delete fake_inner.x", "create fake_inner.x"]);
    let things: Vec<_> = bench.fake.things().into_keys().collect();
    assert_eq!(things, ["fake_place.b/fake_inner/x", "fake_place/a", "fake_place/b"]);
    bench.assert_converged(&text("fake_place.b"));
}

#[test]
fn a_place_with_another_address_and_the_same_uid_changes_nothing() {
    let mut bench = Bench::default();
    bench.fake.meddle("data/one", Some(cluster("u1")));
    bench.fake.meddle("data/same", Some(cluster("u1")));
    let text =
        |from: &str, more: &str| context("a", "one") + &context("b", "same") + &inner("x", &format!("data.fake_context.{from}"), more);
    bench.apply(&text("a", ""));
    bench.assert_converged(&text("b", ""));
    bench.fake.clear_calls();
    let plan = bench.apply(&text("b", "value = 1"));
    assert_eq!(actions(&plan), ["~ fake_inner.x: `value` changed in configuration"]);
    assert_eq!(bench.fake.calls(), ["update fake_inner.x"]);
    let places: Vec<_> = bench.state.places.keys().map(ToString::to_string).collect();
    assert_eq!(places, ["data.fake_context.b"]);
}

#[test]
fn what_is_left_of_a_deleted_data_block_is_still_destroyed() {
    let mut bench = Bench::default();
    bench.fake.meddle("data/one", Some(cluster("u1")));
    bench.apply(&(context("a", "one") + &inner("x", "data.fake_context.a", "")));
    assert_eq!(bench.state.places.len(), 1);
    bench.fake.clear_calls();
    let plan = bench.apply("");
    assert_eq!(actions(&plan), ["- fake_inner.x: not in configuration"]);
    assert_eq!(bench.fake.calls(), ["delete fake_inner.x"]);
    assert!(bench.state.is_empty(), "{:?}", bench.state);
}

#[test]
fn a_place_that_cannot_be_observed_takes_nothing_with_it() {
    let mut bench = Bench::default();
    bench.apply(&(place("a", "") + &inner("x", "fake_place.a", "")));
    bench.fake.meddle("fake_place/a", None);
    // Proven to be gone: it is dropped with all within.
    let plan = bench.plan("");
    assert_eq!(actions(&plan), ["- fake_inner.x: `fake_place.a` is destroyed", ". fake_place.a: deleted outside"]);
    bench.fake.clear_calls();
    bench.apply_plan(&plan);
    assert_eq!(bench.fake.calls(), Vec::<String>::new());
    assert!(bench.state.is_empty(), "{:?}", bench.state);
}

#[test]
fn what_a_set_renders_no_more_goes_after_its_readers_have_changed() {
    let text = |names: &str| {
        let set = format!("resource \"fake_set\" \"s\" {{\n cluster = fake_place.a\n names = [{names}]\n slow = true\n}}\n");
        place("a", "") + &place("b", "") + &set + &inner("peer", "fake_place.b", "value = fake_set.s.token")
    };
    let mut bench = Bench::default();
    bench.apply(&text("\"old\""));
    bench.fake.silence("fake_place.b");
    // Its reader cannot be told: the old one stays, and the new one comes all the same.
    let plan = bench.plan(&text("\"new\""));
    let blocked: Vec<_> = plan.blocked.iter().map(|blocked| (blocked.address.to_string(), blocked.why.to_string())).collect();
    assert_eq!(blocked[0].0, "fake_inner.peer");
    assert_eq!(blocked[1].0, "fake_set.s/Thing/old");
    assert_eq!(blocked[1].1, "`fake_inner.peer` may still use it, and could not be observed: the test says so");
    bench.apply_plan(&plan);
    assert!(
        bench.fake.things().contains_key("fake_place.a/fake_inner/old") && bench.fake.things().contains_key("fake_place.a/fake_inner/new")
    );
    bench.fake.answer_again("fake_place.b");
    bench.fake.clear_calls();
    bench.apply(&text("\"new\""));
    assert_eq!(bench.fake.calls(), ["update fake_inner.peer", "delete fake_set.s/Thing/old"]);
    bench.assert_converged(&text("\"new\""));
}

#[test]
fn a_set_that_renders_other_members_at_apply_stops_before_its_first_effect() {
    let text = |names: &str| {
        let set = format!("resource \"fake_set\" \"s\" {{\n cluster = fake_place.a\n names = [{names}]\n}}\n");
        place("a", "") + &thing("t", "") + &set
    };
    let more = "\"one\", fake_thing.t.token";
    // One that nobody could know of, beside one that was planned: neither is made, whether or not another was there before.
    for before in [None, Some("\"zero\"")] {
        let mut bench = Bench::default();
        if let Some(names) = before {
            bench.apply(&text(names));
        }
        bench.fake.meddle("fake_thing/t", None);
        bench.fake.clear_calls();
        let plan = bench.plan(&text(more));
        assert!(!plan.is_errored(), "{:?}", plan.diagnostics);
        let (summary, _) = bench.apply_plan(&plan);
        let [said] = &summary.diagnostics[..] else { panic!("{:?}", summary.diagnostics) };
        assert!(said.summary == "rendered differently" && said.detail.starts_with("`fake_set.s`: `Thing/token-uid-"), "{said:?}");
        assert!(bench.fake.calls().iter().all(|call| !call.contains("fake_set.s")), "{:?}", bench.fake.calls());
        assert_eq!(bench.fake.things().contains_key("fake_place.a/fake_inner/zero"), before.is_some(), "nor is anything deleted");
        // Now that it is known, it is planned.
        bench.apply(&text(more));
        bench.assert_converged(&text(more));
    }
}

#[test]
fn edges_outlive_the_replacement_of_what_they_lead_to() {
    let mut bench = Bench::default();
    let text =
        |name: &str| format!("resource \"fake_thing\" \"a\" {{\n name = \"{name}\"\n}}\n") + &thing("b", "depends_on = [fake_thing.a]");
    bench.apply(&text("one"));
    bench.apply(&text("two"));
    let edges = &bench.state.record(&address("fake_thing.b")).unwrap().depends_on;
    assert_eq!(edges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["fake_thing.a"]);
    bench.fake.clear_calls();
    let plan = bench.plan_destroy();
    bench.apply_plan(&plan);
    assert_eq!(bench.fake.calls(), ["delete fake_thing.b", "delete fake_thing.a"]);
}

#[test]
fn an_interrupted_create_is_made_or_taken_on() {
    let text = thing("a", "");
    let interrupted = |record: &mut Record| record.status = Status::Interrupted(Operation::Create);
    let mut bench = Bench::default();
    bench.apply(&text);
    marked(&mut bench, "fake_thing.a", interrupted);
    let plan = bench.apply(&text);
    assert_eq!(actions(&plan), ["… fake_thing.a: its last operation was interrupted"]);
    // Whoever made it says what is there.
    assert_eq!(bench.fake.calls(), ["create fake_thing.a", "settle fake_thing.a"]);
    bench.assert_converged(&text);
    let id = |bench: &Bench| bench.state.record(&address("fake_thing.a")).unwrap().id.clone();
    for (is_interrupted, keeps_id) in [(true, true), (false, false)] {
        if is_interrupted {
            marked(&mut bench, "fake_thing.a", interrupted);
        }
        bench.fake.meddle("fake_thing/a", None);
        let before = id(&bench);
        let plan = bench.apply(&text);
        assert_eq!(actions(&plan), ["+ fake_thing.a: deleted outside"]);
        // What the interrupted one asked for may come late, and is known by the id of its record.
        assert_eq!(id(&bench) == before, keeps_id);
        bench.assert_converged(&text);
    }
}

#[test]
fn an_interrupted_update_starts_from_what_is_there() {
    let text = |value: u64| thing("a", &format!("value = {value}"));
    for (observed, expected) in
        [(1, "~ fake_thing.a: `value` changed in configuration"), (2, "… fake_thing.a: its last operation was interrupted")]
    {
        let mut bench = Bench::default();
        bench.apply(&text(observed));
        marked(&mut bench, "fake_thing.a", |record| record.status = Status::Interrupted(Operation::Update));
        let plan = bench.apply(&text(2));
        assert_eq!(actions(&plan), [expected]);
        bench.assert_converged(&text(2));
    }
}

#[test]
fn an_interrupted_delete_is_done_again_only_to_the_same_thing() {
    let text = thing("a", "");
    let interrupted = |record: &mut Record| record.status = Status::Interrupted(Operation::Delete);
    let start = || {
        let mut bench = Bench::default();
        bench.apply(&text);
        bench.fake.clear_calls();
        marked(&mut bench, "fake_thing.a", interrupted);
        bench
    };
    // The same thing, still wanted or not.
    let mut bench = start();
    bench.apply(&text);
    assert_eq!(bench.fake.calls(), ["delete fake_thing.a", "create fake_thing.a"]);
    let mut bench = start();
    bench.apply("");
    assert_eq!(bench.fake.calls(), ["delete fake_thing.a"]);
    // Gone.
    let mut bench = start();
    bench.fake.meddle("fake_thing/a", None);
    bench.apply("");
    assert!(bench.fake.calls().is_empty() && bench.state.is_empty());
    // Another one of that name.
    let mut bench = start();
    bench.fake.meddle("fake_thing/a", Some(Value::object([("name", Value::string("a")), ("uid", Value::string("other"))])));
    let plan = bench.apply("");
    assert_eq!(summaries(&plan), ["another of the same name"]);
    assert!(bench.fake.calls().is_empty() && bench.state.is_empty());
    assert_eq!(bench.fake.things().len(), 1);
}

#[test]
fn an_interrupted_delete_in_a_silent_place_is_blocked() {
    let mut bench = Bench::default();
    bench.apply(&(place("a", "") + &inner("x", "fake_place.a", "")));
    marked(&mut bench, "fake_inner.x", |record| record.status = Status::Interrupted(Operation::Delete));
    bench.fake.silence("fake_place.a");
    let plan = bench.plan(&place("a", ""));
    assert_eq!(plan.blocked.iter().map(|blocked| blocked.address.to_string()).collect::<Vec<_>>(), ["fake_inner.x"]);
    assert!(actions(&plan).is_empty());
}

#[test]
fn stopping_finishes_what_runs_and_commits_it() {
    let text: String = (0..6).map(|at| thing(&format!("t{at}"), "")).collect();
    let mut bench = Bench::default();
    let plan = bench.plan(&text);
    let first = plan.program.slots.iter().find_map(|slot| slot.op.target()).unwrap().address.to_string();
    let circumstances = Circumstances { parallelism: Some(2), stop_after: Some(&first), ..Circumstances::default() };
    let (summary, events) = bench.apply_under(&plan, circumstances);
    assert!(summary.interrupted && events.contains(&Event::Stopping));
    assert_eq!((summary.added, summary.skipped), (bench.fake.calls().len(), 6 - bench.fake.calls().len()));
    assert!(summary.skipped >= 3, "{summary:?}");
    assert_eq!(bench.state.resources.len(), summary.added);
    bench.apply(&text);
    bench.assert_converged(&text);
    assert_eq!(bench.fake.calls().len(), 6);
}

#[test]
fn a_journal_that_cannot_be_written_stops_everything_and_loses_nothing() {
    let text = |name: &str| {
        let first = "lifecycle {\n create_before_destroy = true\n }";
        format!("resource \"fake_thing\" \"a\" {{\n name = \"{name}\"\n {first}\n}}\n")
            + &thing("b", "value = fake_thing.a.uid")
            + &thing("c", "")
    };
    for failing in 0..8 {
        let mut bench = Bench::default();
        bench.apply(&text("one"));
        bench.fake.meddle("fake_thing/c", None);
        let plan = bench.plan(&text("two"));
        let circumstances = Circumstances { failing_append: Some(failing), ..Circumstances::default() };
        let (summary, _) = bench.apply_under(&plan, circumstances);
        if failing == 0 {
            assert!(!summary.is_complete(), "{summary:#?}");
            assert_eq!(bench.fake.calls().len(), 3, "nothing may start before its intent is written");
        }
        bench.apply(&text("two"));
        bench.assert_converged(&text("two"));
        let left: Vec<_> = bench.fake.things().into_keys().collect();
        assert_eq!(left, ["fake_thing/b", "fake_thing/c", "fake_thing/two"], "append {failing} failed");
    }
}

#[test]
fn the_limit_holds_for_effects_and_not_for_waits() {
    let text: String = (0..12).map(|at| thing(&format!("t{at}"), "slow = true")).collect();
    let mut bench = Bench::default();
    let plan = bench.plan(&text);
    bench.apply_under(&plan, Circumstances { parallelism: Some(3), ..Circumstances::default() });
    let (effects, waits) = bench.fake.crowds();
    assert_eq!(effects, 3);
    assert!(waits >= 3, "{waits}");
    assert_eq!(bench.state.resources.len(), 12);
}

#[test]
fn a_failure_leaves_an_address_that_the_next_plan_completes() {
    let mut bench = Bench::default();
    let text =
        |name: &str| format!("resource \"fake_thing\" \"a\" {{\n name = \"{name}\"\n}}\n") + &thing("b", "depends_on = [fake_thing.a]");
    bench.apply(&text("one"));
    let plan = bench.plan(&text("two"));
    bench.fake.fail("fake_thing.a", Fails::Always);
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!(summary.failed, 1);
    bench.fake.fail("fake_thing.a", Fails::Never);
    bench.apply(&text("two"));
    bench.assert_converged(&text("two"));
}
