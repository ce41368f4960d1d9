//! What becomes of what: plans and applies over the fake world.

use engine::address::Address;
use engine::diagnostic::Diagnostic;
use engine::plan::{Action, Inputs};
use engine::value::Value;
use meshplan_tests::fake::Fails;
use meshplan_tests::planning::{Bench, actions};

const CLUSTERS: &str = r#"
variable "names" {
  type    = set(string)
  default = ["c1", "c2"]
}
resource "fake_place" "this" {
  for_each = var.names
  name     = each.key
}
locals {
  members = { for name, place in fake_place.this : name => { cluster = place, network = "network-${name}" } }
}
resource "fake_inner" "system" {
  for_each = local.members
  cluster  = each.value.cluster
  name     = "system"
  value    = each.value.network
}
resource "fake_inner" "gateway" {
  for_each = local.members
  cluster  = each.value.cluster
  name     = "gateway"
  value    = fake_inner.system[each.key].token
}
"#;

#[test]
fn what_is_new_is_created_and_then_nothing_is_left_to_do() {
    let mut bench = Bench::default();
    let plan = bench.apply(CLUSTERS);
    assert_eq!(plan.counts().add, 6);
    assert_eq!(bench.fake.things().len(), 6);
    let value = bench.fake.things()["fake_place.this[\"c1\"]/fake_inner/gateway"].text("value").map(str::to_owned);
    assert!(value.is_some_and(|value| value.starts_with("token-uid-")));
    bench.assert_converged(CLUSTERS);
}

#[test]
fn edges_come_from_values_and_not_from_the_map_they_went_through() {
    let mut bench = Bench::default();
    bench.fake.fail("fake_place.this[\"c2\"]", Fails::Always);
    let plan = bench.plan(CLUSTERS);
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.added, summary.failed, summary.skipped), (3, 1, 2));
    let left: Vec<_> = bench.state.resources.keys().map(ToString::to_string).collect();
    assert_eq!(left, ["fake_inner.gateway[\"c1\"]", "fake_inner.system[\"c1\"]", "fake_place.this[\"c1\"]"]);
    let gateway: Address = "fake_inner.gateway[\"c1\"]".parse().unwrap();
    let edges: Vec<_> = bench.state.record(&gateway).unwrap().depends_on.iter().map(ToString::to_string).collect();
    assert_eq!(edges, ["fake_inner.system[\"c1\"]", "fake_place.this[\"c1\"]"]);
    bench.fake.fail("fake_place.this[\"c2\"]", Fails::Never);
    bench.apply(CLUSTERS);
    bench.assert_converged(CLUSTERS);
}

#[test]
fn effects_come_after_what_they_need_and_deletes_in_reverse() {
    let mut bench = Bench::default();
    bench.apply(CLUSTERS);
    let calls = bench.fake.calls();
    let at = |call: &str| calls.iter().position(|other| other == call).unwrap();
    for name in ["c1", "c2"] {
        assert!(at(&format!("create fake_place.this[\"{name}\"]")) < at(&format!("create fake_inner.system[\"{name}\"]")));
        assert!(at(&format!("create fake_inner.system[\"{name}\"]")) < at(&format!("create fake_inner.gateway[\"{name}\"]")));
    }
    bench.fake.clear_calls();
    let plan = bench.plan_destroy();
    let (summary, _) = bench.apply_plan(&plan);
    // What lies within dies with its place and is no call of its own.
    assert_eq!(bench.fake.calls(), ["delete fake_place.this[\"c1\"]", "delete fake_place.this[\"c2\"]"]);
    assert_eq!(summary.destroyed, 6);
    assert!(bench.state.is_empty());
    assert!(bench.fake.things().is_empty());
}

#[test]
fn removing_a_key_removes_its_place_with_all_within() {
    let mut bench = Bench::default();
    bench.apply(CLUSTERS);
    let fewer = CLUSTERS.replace(r#"["c1", "c2"]"#, r#"["c1"]"#);
    let plan = bench.plan(&fewer);
    assert_eq!(
        actions(&plan),
        [
            "- fake_inner.gateway[\"c2\"]: `fake_place.this[\"c2\"]` is destroyed",
            "- fake_inner.system[\"c2\"]: `fake_place.this[\"c2\"]` is destroyed",
            "- fake_place.this[\"c2\"]: its key is not in `for_each` or `count` any more",
        ]
    );
    bench.apply(&fewer);
    bench.assert_converged(&fewer);
    assert_eq!(bench.fake.things().len(), 3);
}

#[test]
fn a_replaced_place_takes_what_lies_within_along() {
    let mut bench = Bench::default();
    let text = |name: &str| {
        format!(
            "resource \"fake_place\" \"a\" {{\n name = \"{name}\"\n}}\nresource \"fake_inner\" \"x\" {{\n cluster = fake_place.a\n name = \"x\"\n}}\n"
        )
    };
    bench.apply(&text("one"));
    bench.fake.clear_calls();
    let plan = bench.apply(&text("two"));
    assert_eq!(actions(&plan), ["-/+ fake_inner.x: `fake_place.a` is replaced", "-/+ fake_place.a: `name` cannot change in place"]);
    assert_eq!(bench.fake.calls(), ["delete fake_place.a", "create fake_place.a", "create fake_inner.x"]);
    bench.assert_converged(&text("two"));
}

#[test]
fn what_changed_outside_is_put_back_and_what_went_is_made_again() {
    let mut bench = Bench::default();
    let text = "resource \"fake_thing\" \"a\" {\n name = \"a\"\n value = 1\n}\nresource \"fake_thing\" \"b\" {\n name = \"b\"\n}\n";
    bench.apply(text);
    let changed = Value::object([
        ("name", Value::string("a")),
        ("value", Value::number(2)),
        ("slow", Value::bool(false)),
        ("uid", Value::string("uid-1")),
    ]);
    bench.fake.meddle("fake_thing/a", Some(changed));
    bench.fake.meddle("fake_thing/b", None);
    let plan = bench.apply(text);
    assert_eq!(actions(&plan), ["~ fake_thing.a: `value` changed outside", "+ fake_thing.b: deleted outside"]);
    bench.assert_converged(text);
}

#[test]
fn what_cannot_be_observed_is_blocked_with_all_that_depends_on_it() {
    let mut bench = Bench::default();
    bench.apply(CLUSTERS);
    bench.fake.silence("fake_place.this[\"c2\"]");
    let changed = CLUSTERS.replace("network-${name}", "net-${name}");
    let plan = bench.plan(&changed);
    let blocked: Vec<_> = plan.blocked.iter().map(|blocked| blocked.address.to_string()).collect();
    assert_eq!(blocked, ["fake_inner.gateway[\"c2\"]", "fake_inner.system[\"c2\"]"]);
    assert_eq!(actions(&plan), ["~ fake_inner.system[\"c1\"]: `value` changed in configuration"]);
    let before = bench.state.record(&"fake_inner.system[\"c2\"]".parse().unwrap()).cloned();
    bench.apply_plan(&plan);
    assert_eq!(bench.state.record(&"fake_inner.system[\"c2\"]".parse().unwrap()).cloned(), before);
}

#[test]
fn a_group_that_cannot_expand_has_no_orphans() {
    let mut bench = Bench::default();
    let text = r#"
data "fake_data" "names" {
  name = "names"
}
resource "fake_thing" "x" {
  for_each = toset(data.fake_data.names.value)
  name     = each.key
}
"#;
    let names = Value::object([("value", Value::tuple(vec![Value::string("a"), Value::string("b")]))]);
    bench.fake.meddle("data/names", Some(names));
    bench.apply(text);
    assert_eq!(bench.state.resources.len(), 2);
    bench.fake.meddle("data/names", None);
    let plan = bench.plan(text);
    assert!(plan.is_errored());
    assert!(actions(&plan).is_empty(), "{:?}", actions(&plan));
}

#[test]
fn a_data_source_behind_a_change_is_read_at_apply() {
    let mut bench = Bench::default();
    let text = r#"
resource "fake_thing" "a" {
  name = "a"
}
data "fake_data" "d" {
  name = "x-${fake_thing.a.uid}"
}
resource "fake_thing" "b" {
  name  = "b"
  value = data.fake_data.d.value
}
"#;
    bench.fake.meddle("data/x-uid-1", Some(Value::object([("value", Value::string("found"))])));
    let plan = bench.apply(text);
    assert_eq!(plan.counts().read, 1);
    assert_eq!(bench.fake.things()["fake_thing/b"].text("value"), Some("found"));
    bench.assert_converged(text);
}

#[test]
fn a_data_source_that_finds_nothing_is_told_at_plan_and_at_apply() {
    let told = |problems: &[Diagnostic]| -> Vec<String> { problems.iter().map(ToString::to_string).collect() };
    let expected = ["nothing to read: what `data.fake_data.d` reads does not exist"];
    let mut bench = Bench::default();
    let plan = bench.plan("data \"fake_data\" \"d\" {\n name = \"x\"\n}\noutput \"o\" {\n value = data.fake_data.d.value\n}\n");
    assert_eq!(told(&plan.diagnostics), expected);
    let text = "resource \"fake_thing\" \"a\" {\n name = \"a\"\n}\ndata \"fake_data\" \"d\" {\n name = fake_thing.a.uid\n}\n\
                output \"o\" {\n value = data.fake_data.d.value\n}\n";
    let plan = bench.plan(text);
    assert_eq!(told(&plan.diagnostics), [""; 0]);
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!(told(&summary.diagnostics), expected);
}

#[test]
fn what_turns_out_to_need_replacing_is_left_for_another_plan() {
    let mut bench = Bench::default();
    let thing = |name: &str, more: &str| format!("resource \"fake_thing\" \"{name}\" {{\n name = \"{name}\"\n {more}\n}}\n");
    bench.apply(&thing("b", ""));
    let text = thing("a", "") + &thing("b", "value = fake_thing.a.uid == \"uid-2\" ? \"made anew\" : \"\"");
    let plan = bench.plan(&text);
    assert_eq!(actions(&plan), ["+ fake_thing.a: not in state", "~ fake_thing.b: `value` changed in configuration"]);
    let (summary, _) = bench.apply_plan(&plan);
    let told: Vec<_> = summary.diagnostics.iter().map(|problem| (problem.summary.as_str(), problem.detail.as_str())).collect();
    assert_eq!(told, [("another action than planned", "`value` cannot change in place, and the plan did not replace it; plan again")]);
    let plan = bench.plan(&text);
    assert_eq!(actions(&plan), ["-/+ fake_thing.b: `value` cannot change in place"]);
}

#[test]
fn a_kind_that_never_says_what_will_be_does_not_keep_the_plan_waiting() {
    let text = "resource \"fake_thing\" \"a\" {\n name = \"a\"\n value = \"never said\"\n}\n\
                resource \"fake_thing\" \"b\" {\n name = fake_thing.a.uid\n}\n";
    let plan = Bench::default().plan(text);
    let [problem] = &plan.diagnostics[..] else { panic!("{:?}", plan.diagnostics) };
    assert_eq!(problem.summary, "planning did not finish");
    assert!(problem.detail.contains("`fake_thing.b`"), "{problem}");
}

#[test]
fn members_have_records_of_their_own_in_their_order() {
    let mut bench = Bench::default();
    let text = |names: &str| {
        format!(
            "resource \"fake_place\" \"c\" {{\n name = \"c\"\n}}\nresource \"fake_set\" \"s\" {{\n cluster = fake_place.c\n names = {names}\n}}\n"
        )
    };
    bench.apply(&text("[\"x\", \"y\"]"));
    assert_eq!(bench.fake.calls(), ["create fake_place.c", "create fake_set.s/Thing/x", "create fake_set.s/Thing/y", "create fake_set.s"]);
    bench.assert_converged(&text("[\"x\", \"y\"]"));
    let plan = bench.apply(&text("[\"y\"]"));
    assert_eq!(actions(&plan), ["~ fake_set.s: `names` changed in configuration", "- fake_set.s/Thing/x: not in configuration"]);
    bench.assert_converged(&text("[\"y\"]"));
}

#[test]
fn members_that_cannot_be_planned_are_told() {
    let text = |more: &str| {
        format!(
            "resource \"fake_place\" \"c\" {{\n name = \"c\"\n}}\nresource \"fake_set\" \"s\" {{\n cluster = fake_place.c\n {more}\n}}\n"
        )
    };
    let mut bench = Bench::default();
    bench.apply(&text("names = [\"x\", \"y\"]"));
    for (more, summary, detail) in [
        ("names = [\"x\", \"x\"]", "duplicate member", "`fake_set.s` holds `Thing/x` twice"),
        (
            "names = [\"x\", \"y\"]\n value = \"circular\"",
            "circular members",
            "the members of `fake_set.s` wait for each other in a circle",
        ),
        (
            "names = [\"x\"]\n value = \"strange\"",
            "unknown member kind",
            "`fake_set` renders members of the kind `fake_stranger`, which nobody provides",
        ),
    ] {
        let plan = bench.plan(&text(more));
        let problems: Vec<_> = plan.diagnostics.iter().map(|problem| (problem.summary.as_str(), problem.detail.as_str())).collect();
        assert_eq!(problems, [(summary, detail)]);
    }
    bench.fake.silence("read fake_set.s/Thing/y");
    let plan = bench.plan(&text("names = [\"x\", \"y\"]\n value = \"new\""));
    let told = &plan.diagnostics[..];
    assert!(told.len() == 1 && told[0].summary == "member not observed" && !told[0].is_error(), "{told:?}");
    assert!(told[0].detail.starts_with("`fake_set.s/Thing/y` could not be observed: ") && told[0].detail.ends_with("the test says so"));
    assert!(actions(&plan).iter().any(|action| action.starts_with("~ fake_set.s/Thing/x: ")), "{:?}", actions(&plan));
}

#[test]
fn what_a_set_finds_out_is_read_again_when_a_member_is_made_anew() {
    let mut bench = Bench::default();
    let text = "resource \"fake_place\" \"c\" {\n name = \"c\"\n}\nresource \"fake_set\" \"s\" {\n cluster = fake_place.c\n names = [\"x\"]\n slow = true\n}\n\
        resource \"fake_thing\" \"peer\" {\n name = \"peer\"\n value = fake_set.s.token\n}\n";
    bench.apply(text);
    bench.assert_converged(text);
    let was = bench.fake.things()["fake_thing/peer"].text("value").map(str::to_owned);
    bench.fake.meddle("fake_place.c/fake_inner/x", None);
    let plan = bench.apply(text);
    let expected = [
        "… fake_set.s: its members change",
        "+ fake_set.s/Thing/x: deleted outside",
        "~ fake_thing.peer: `value` changed in configuration",
    ];
    assert_eq!(actions(&plan), expected);
    let now = bench.fake.things()["fake_thing/peer"].text("value").map(str::to_owned);
    assert!(now.is_some() && now != was, "{was:?} {now:?}");
    bench.assert_converged(text);
}

#[test]
fn a_slow_thing_is_created_first_and_waited_for_then() {
    let mut bench = Bench::default();
    let text = "resource \"fake_thing\" \"a\" {\n name = \"a\"\n slow = true\n}\n";
    bench.apply(text);
    assert_eq!(bench.fake.calls(), ["create fake_thing.a", "settle fake_thing.a"]);
    bench.assert_converged(text);
}

#[test]
fn a_replacement_created_first_deletes_the_old_thing_last() {
    let mut bench = Bench::default();
    let text = |name: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n name = \"{name}\"\n lifecycle {{\n create_before_destroy = true\n }}\n}}\nresource \"fake_thing\" \"b\" {{\n name = \"b\"\n value = fake_thing.a.uid\n}}\n"
        )
    };
    bench.apply(&text("one"));
    bench.fake.clear_calls();
    bench.apply(&text("two"));
    assert_eq!(bench.fake.calls(), ["create fake_thing.a", "update fake_thing.b", "delete fake_thing.a"]);
    bench.assert_converged(&text("two"));
    assert_eq!(bench.fake.things().len(), 2);
}

#[test]
fn a_failure_at_any_effect_leaves_what_a_second_run_completes() {
    let mut straight = Bench::default();
    straight.apply(CLUSTERS);
    let all: Vec<String> = straight.state.resources.keys().map(ToString::to_string).collect();
    for address in &all {
        let mut bench = Bench::default();
        bench.fake.fail(address, Fails::Always);
        let plan = bench.plan(CLUSTERS);
        let (summary, _) = bench.apply_plan(&plan);
        assert_eq!(summary.failed, 1, "{address}");
        bench.fake.fail(address, Fails::Never);
        bench.apply(CLUSTERS);
        bench.assert_converged(CLUSTERS);
        let there: Vec<String> = bench.state.resources.keys().map(ToString::to_string).collect();
        assert_eq!(there, all);
    }
}

#[test]
fn what_is_protected_is_not_destroyed_even_without_its_block() {
    let mut bench = Bench::default();
    let protected = "resource \"fake_thing\" \"a\" {\n name = \"a\"\n lifecycle {\n prevent_destroy = true\n }\n}\n";
    bench.apply(protected);
    let plan = bench.plan("locals {\n a = 1\n}\n");
    assert_eq!(plan.diagnostics.iter().map(|problem| problem.summary.as_str()).collect::<Vec<_>>(), ["protected resource"]);
}

#[test]
fn conditions_are_decided_at_plan_or_else_at_apply() {
    let mut bench = Bench::default();
    let text = |condition: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n name = \"a\"\n}}\nresource \"fake_thing\" \"b\" {{\n name = \"b\"\n lifecycle {{\n precondition {{\n condition = {condition}\n error_message = \"no\"\n }}\n }}\n}}\n"
        )
    };
    let plan = bench.plan(&text("path.root == \"\""));
    assert_eq!(plan.diagnostics.iter().map(|problem| problem.detail.as_str()).collect::<Vec<_>>(), ["no"]);
    let plan = bench.plan(&text("fake_thing.a.uid == \"other\""));
    assert!(!plan.is_errored());
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.added, summary.failed), (1, 1));
    bench.apply(&text("fake_thing.a.uid == \"uid-1\""));
}

#[test]
fn a_walk_resumed_answer_by_answer_ends_as_one_that_got_all_at_once() {
    let mut bench = Bench::default();
    bench.apply(CLUSTERS);
    let changed = CLUSTERS.replace("network-${name}", "net-${name}");
    let at_once = bench.plan(&changed);
    let (config, _) = meshplan_tests::planning::configuration(&changed);
    let registry = bench.fake.registry();
    for reversed in [false, true] {
        let mut walk = engine::plan::Walk::new(&config, registry.catalogue(), bench.state.clone(), Inputs::default());
        let mut answers = engine::question::Answers::new();
        loop {
            let questions = walk.step(&answers);
            let next = if reversed { questions.into_values().next_back() } else { questions.into_values().next() };
            let Some(question) = next else { break };
            answers = bench.answer(question, &walk);
        }
        let resumed = walk.finish();
        assert_eq!(resumed.changes, at_once.changes);
        assert_eq!(actions(&resumed), actions(&at_once));
    }
    assert!(at_once.changes.iter().any(|change| change.action == Action::Update));
}

#[test]
fn a_member_that_leaves_a_set_does_not_hold_up_what_it_lay_in() {
    let mut bench = Bench::default();
    let text = |space: &str| {
        format!(
            "resource \"fake_place\" \"c\" {{\n name = \"c\"\n}}\nresource \"fake_inner\" \"space\" {{\n cluster = fake_place.c\n name = \"{space}\"\n}}\nresource \"fake_set\" \"s\" {{\n cluster = fake_place.c\n names = [\"in-${{fake_inner.space.name}}\"]\n}}\n"
        )
    };
    bench.apply(&text("shop"));
    bench.fake.clear_calls();
    bench.apply(&text("market"));
    let calls = bench.fake.calls();
    let at = |call: &str| calls.iter().position(|other| other == call).unwrap();
    assert!(at("delete fake_set.s/Thing/in-shop") < at("delete fake_inner.space"), "{calls:?}");
    assert!(at("create fake_inner.space") < at("create fake_set.s/Thing/in-market"), "{calls:?}");
    bench.assert_converged(&text("market"));
}
