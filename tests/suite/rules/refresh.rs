//! Runs that change the state alone, and what is said of what was changed outside.

use super::{address, cluster, context, inner, place, summaries, thing};
use engine::plan::{Action, Aims, CheckStatus, Inputs, Plan};
use engine::value::Value;
use meshplan_tests::planning::{Bench, actions};
use serde_json::{Value as Json, json};

fn refreshing() -> Inputs {
    Inputs { aims: Aims { refresh_only: true, ..Aims::default() }, ..Inputs::default() }
}

fn found(name: &str, value: u64, token: &str) -> Value {
    Value::object([
        ("name", Value::string(name)),
        ("value", Value::number(value)),
        ("slow", Value::bool(false)),
        ("uid", Value::string("uid-1")),
        ("token", Value::string(token)),
    ])
}

/// Plans and applies a refresh; nothing may be touched.
fn refreshed(bench: &mut Bench, text: &str) -> Plan {
    let plan = bench.plan_with(text, refreshing());
    assert!(!plan.is_errored() && plan.refresh_only, "{:#?}", plan.diagnostics);
    bench.fake.clear_calls();
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete(), "{summary:#?}");
    assert_eq!(bench.fake.calls(), [""; 0]);
    plan
}

#[test]
fn what_is_there_is_written_down_and_what_is_gone_forgotten() {
    let text = thing("a", "value = 1")
        + &thing("b", "value = 1")
        + &thing("c", "")
        + "output \"value\" {\n value = fake_thing.a.value\n}\noutput \"c\" {\n value = fake_thing.c.uid\n}\n";
    let mut bench = Bench::default();
    bench.apply(&text);
    assert!(!bench.plan_with(&text, refreshing()).has_changes());
    bench.fake.meddle("fake_thing/a", Some(found("a", 7, "token-uid-1")));
    bench.fake.meddle("fake_thing/b", None);
    let plan = refreshed(&mut bench, &text);
    assert_eq!(actions(&plan), ["~ fake_thing.a: `value` changed outside", ". fake_thing.b: deleted outside"]);
    assert_eq!(plan.outputs.iter().map(|output| &*output.name).collect::<Vec<_>>(), ["value"]);
    assert_eq!(bench.state.outputs["value"].value, Value::number(7));
    assert_eq!(bench.state.record(&address("fake_thing.a")).unwrap().attributes.get("value"), Some(&Value::number(7)));
    assert!(bench.state.record(&address("fake_thing.b")).is_none());
    assert!(!bench.plan_with(&text, refreshing()).has_changes(), "it is written down once");
    // What was written down does not make the configuration mean something else.
    let plan = bench.apply(&text);
    assert_eq!(actions(&plan), ["~ fake_thing.a: `value` changed in configuration", "+ fake_thing.b: not in state"]);
    bench.assert_converged(&text);
}

#[test]
fn checks_are_decided_by_what_exists() {
    // One looks at a thing, the other by a data source of its own whose argument comes from it.
    let assertion = |condition: &str| format!("assert {{\n condition = {condition}\n error_message = \"no\"\n }}");
    let data = "data \"fake_data\" \"d\" {\n name = \"of-${fake_thing.a.value}\"\n }";
    let text = |value: u64| {
        let checks = [
            format!("check \"thing\" {{\n {}\n}}\n", assertion("fake_thing.a.value == 1")),
            format!("check \"within\" {{\n {data}\n {}\n}}\n", assertion("data.fake_data.d.value == \"right\"")),
        ];
        thing("a", &format!("value = {value}")) + &checks.concat()
    };
    let mut bench = Bench::default();
    for (name, word) in [("of-1", "right"), ("of-7", "wrong")] {
        bench.fake.meddle(&format!("data/{name}"), Some(Value::object([("value", Value::string(word))])));
    }
    let said = |bench: &Bench, value: u64| {
        let checks = bench.plan_with(&text(value), refreshing()).checks;
        checks.into_iter().map(|check| (check.status, check.messages.join("; "))).collect::<Vec<_>>()
    };
    let both = |status, words: &str| vec![(status, words.to_owned()); 2];
    assert_eq!(said(&bench, 1), both(CheckStatus::NotRun, "it looks at what is not applied"));
    bench.apply(&text(1));
    assert_eq!(said(&bench, 1), both(CheckStatus::Passed, ""));
    // What the configuration would change does not count, what somebody changed does, and nothing is put off.
    assert_eq!(said(&bench, 7), both(CheckStatus::Passed, ""));
    bench.fake.meddle("fake_thing/a", Some(found("a", 7, "token-uid-1")));
    assert_eq!(said(&bench, 1), both(CheckStatus::Failed, "no"));
    // What is gone is not what is remembered of it.
    bench.fake.meddle("fake_thing/a", None);
    for (status, words) in said(&bench, 1) {
        assert!(status == CheckStatus::Failed && words.contains("`fake_thing.a` does not exist any more"), "{status:?} {words}");
    }
}

#[test]
fn what_the_configuration_changes_is_not_part_of_a_refresh() {
    let text = thing("a", "value = 1") + &thing("b", "value = fake_thing.a.token") + &thing("old", "");
    let mut bench = Bench::default();
    bench.apply(&text);
    bench.fake.meddle("fake_thing/a", Some(found("a", 1, "another")));
    let changed = thing("a", "value = 5")
        + &thing("b", "value = fake_thing.a.token")
        + &thing("new", "")
        + &thing("more", "value = fake_thing.new.uid");
    let plan = refreshed(&mut bench, &changed);
    assert_eq!(actions(&plan), ["~ fake_thing.a: `token`, `uid` changed outside"]);
    assert!(bench.state.record(&address("fake_thing.old")).is_some(), "what is not configured any more stays remembered");
    let plan = bench.plan(&changed);
    assert_eq!(plan.counts().add, 2);
    assert_eq!((plan.counts().change, plan.counts().destroy), (2, 1));
}

#[test]
fn a_cluster_that_is_gone_is_forgotten_with_all_within() {
    let text =
        place("p", "") + &inner("x", "fake_place.p", "") + &inner("y", "fake_place.p", "value = fake_inner.x.token") + &thing("t", "");
    let mut bench = Bench::default();
    bench.apply(&text);
    for key in ["fake_place/p", "fake_place.p/fake_inner/x", "fake_place.p/fake_inner/y"] {
        bench.fake.meddle(key, None);
    }
    let plan = refreshed(&mut bench, &text);
    assert_eq!(plan.counts().forget, 3, "{:?}", actions(&plan));
    assert_eq!(bench.state.resources.keys().map(ToString::to_string).collect::<Vec<_>>(), ["fake_thing.t"]);
    assert!(bench.state.places.is_empty());
    bench.apply(&text);
    bench.assert_converged(&text);
}

#[test]
fn what_does_not_answer_is_not_forgotten() {
    let text = context("c", "one") + &inner("x", "data.fake_context.c", "") + &thing("t", "");
    let mut bench = Bench::default();
    bench.fake.meddle("data/one", Some(cluster("u1")));
    bench.apply(&text);
    bench.fake.silence("data/one");
    bench.fake.meddle("fake_thing/t", None);
    let plan = refreshed(&mut bench, &text);
    assert_eq!(actions(&plan), [". fake_thing.t: deleted outside"]);
    assert_eq!(plan.blocked.iter().map(|blocked| blocked.address.to_string()).collect::<Vec<_>>(), ["fake_inner.x", "data.fake_context.c"]);
    assert!(bench.state.record(&address("fake_inner.x")).is_some());
}

#[test]
fn a_refresh_may_be_aimed_at_a_part() {
    let text = thing("a", "") + &thing("b", "");
    let mut bench = Bench::default();
    bench.apply(&text);
    bench.fake.meddle("fake_thing/a", None);
    bench.fake.meddle("fake_thing/b", None);
    for (targets, excludes) in [(vec!["fake_thing.b"], vec![]), (vec![], vec!["fake_thing.a"])] {
        let parsed = |texts: Vec<&str>| texts.into_iter().map(|text| text.parse().unwrap()).collect();
        let aims = Aims { targets: parsed(targets), excludes: parsed(excludes), ..refreshing().aims };
        let plan = bench.plan_with(&text, Inputs { aims, ..refreshing() });
        assert_eq!(actions(&plan), [". fake_thing.b: deleted outside"]);
    }
}

#[test]
fn without_a_look_at_the_world_nothing_is_asked() {
    let text = place("p", "") + &inner("x", "fake_place.p", "") + &thing("t", "value = fake_inner.x.token");
    let mut bench = Bench::default();
    bench.apply(&text);
    bench.fake.meddle("fake_place.p/fake_inner/x", None);
    let asked = bench.fake.asked().len();
    let unseen = || Inputs { skip_refresh: true, ..Inputs::default() };
    let plan = bench.plan_with(&text, unseen());
    assert_eq!((actions(&plan), plan.drift().count()), (Vec::new(), 0));
    let plan = bench.plan_with(&(text.clone() + &thing("u", "")), unseen());
    assert_eq!(actions(&plan), ["+ fake_thing.u: not in state"]);
    let plan = bench.plan_with("", Inputs { destroy: true, ..unseen() });
    assert_eq!((plan.counts().destroy, bench.fake.asked().len()), (3, asked));
    assert_eq!(summaries(&plan), [""; 0]);
}

#[test]
fn what_was_changed_outside_is_told_apart() {
    let text = thing("a", "value = 1") + &thing("b", "") + &thing("c", "value = 1");
    let mut bench = Bench::default();
    bench.apply(&text);
    bench.fake.meddle("fake_thing/a", Some(found("a", 7, "t")));
    bench.fake.meddle("fake_thing/b", None);
    let plan = bench.plan(&text.replace("name = \"c\"\n value = 1", "name = \"c\"\n value = 2"));
    let drift: Vec<_> = plan.drift().map(|change| (change.address.to_string(), change.action)).collect();
    assert_eq!(drift, [("fake_thing.a".to_owned(), Action::Update), ("fake_thing.b".to_owned(), Action::Create)]);
    assert_eq!(plan.counts().change, 2);
}

const MAP: &str = "/api/v1/namespaces/default/configmaps/m";

#[test]
fn who_changed_an_object_and_when_stands_in_a_section_of_its_own() {
    let scenario = meshplan_tests::scenario::Scenario::with(
        r#"
resource "sandbox_cluster" "c" {
  name = "c"
}
resource "kubernetes_manifest" "m" {
  cluster  = sandbox_cluster.c
  manifest = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "m", namespace = "default" }, data = { k = "1" } }
}
resource "kubernetes_namespace" "n" {
  cluster = sandbox_cluster.c
  name    = "n"
}
"#,
    );
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let cluster = meshplan_tests::cluster::Cluster::of(&scenario, "c");
    cluster.edit(MAP, &json!({ "data": { "k": "2" } }));
    cluster.delete("/api/v1/namespaces/n");
    let plan = scenario.run(&["plan"]).expect_code(0);
    let section = plan.stdout.split("\n\n").next().unwrap();
    let lines: Vec<_> = section.lines().collect();
    assert_eq!(lines[0], "Changed outside");
    assert!(lines[1].starts_with("      kubernetes_manifest.m   `data.k` by `kubectl-edit` at 2"), "{}", plan.all());
    assert_eq!(lines[2..], ["      kubernetes_namespace.n  deleted"]);
    let events = scenario.run(&["plan", "--json"]).expect_code(0).stdout;
    let events: Vec<Json> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let drift: Vec<_> = events.iter().filter(|event| event["event"] == "drift").collect();
    assert_eq!((&drift[0]["what"], &drift[0]["paths"], &drift[1]["what"]), (&json!("changed"), &json!(["data.k"]), &json!("deleted")));
    assert!(drift[0]["by"][0].as_str().unwrap().starts_with("by `kubectl-edit` at "), "{drift:?}");

    // The state remembers what was applied: a field is set back by an apply, what is gone is forgotten.
    let plan = scenario.run(&["plan", "--refresh-only", "--detailed-exitcode"]).expect_code(2);
    assert!(plan.stdout.contains("State: 1 to forget; nothing that exists is changed."), "{}", plan.all());
    let applied = scenario.run(&["apply", "--refresh-only", "--auto-approve"]).expect_code(0);
    assert!(applied.stdout.contains("Refresh complete: the state remembers what exists."), "{}", applied.all());
    let plan = scenario.run(&["apply", "--refresh-only"]).expect_code(0);
    assert!(
        plan.stdout.contains("kubernetes_manifest.m") && plan.stdout.contains("No changes: the state remembers what exists."),
        "{}",
        plan.all()
    );
    let plan = scenario.run(&["plan"]).expect_code(0);
    for line in ["`data.k` changed outside by `kubectl-edit`", "+   kubernetes_namespace.n  not in state"] {
        assert!(plan.stdout.contains(line), "{}", plan.all());
    }
    for typed in [["--refresh-only", "--refresh=false"], ["--refresh-only", "--replace=kubernetes_namespace.n"]] {
        scenario.run(&[&["plan"], typed.as_slice()].concat()).expect_code(1);
    }
    let refused = scenario.run(&["plan", "--refresh-only", "--refresh=false"]).expect_code(1);
    assert!(refused.stderr.contains("nothing to refresh"), "{}", refused.all());
}
