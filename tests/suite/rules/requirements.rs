//! What things require of their place without a reference to who brings it.

use super::{inner, place, summaries, thing};
use meshplan_tests::cluster::Cluster;
use meshplan_tests::planning::{Bench, actions};
use meshplan_tests::scenario::Scenario;

fn requires(what: &str) -> String {
    format!("value = \"requires fake_inner/{what}\"")
}

#[test]
fn what_is_required_comes_first_and_goes_last() {
    let text = place("p", "") + &inner("a", "fake_place.p", &requires("b")) + &inner("b", "fake_place.p", &requires("c"));
    let text = text + &inner("c", "fake_place.p", "");
    let mut bench = Bench::default();
    bench.apply(&text);
    assert_eq!(bench.fake.calls(), ["create fake_place.p", "create fake_inner.c", "create fake_inner.b", "create fake_inner.a"]);
    assert!(!bench.plan(&text).has_changes());

    // It is remembered, and holds without blocks as well.
    bench.fake.clear_calls();
    bench.apply(&place("p", ""));
    assert_eq!(bench.fake.calls(), ["delete fake_inner.a", "delete fake_inner.b", "delete fake_inner.c"]);
}

#[test]
fn what_is_changed_waits_for_a_change_of_what_it_requires() {
    let text = |value: &str| {
        let more = format!("{}\n slow = {value}", requires("b"));
        place("p", "") + &inner("a", "fake_place.p", &more) + &inner("b", "fake_place.p", &format!("slow = {value}"))
    };
    let mut bench = Bench::default();
    bench.apply(&text("false"));
    bench.fake.clear_calls();
    bench.apply(&text("true"));
    assert_eq!(bench.fake.calls(), ["update fake_inner.b", "settle fake_inner.b", "update fake_inner.a", "settle fake_inner.a"]);
}

#[test]
fn what_comes_from_a_thing_brings_nothing_for_it() {
    let after = |address: &str| format!("depends_on = [{address}]");
    let text = place("p", "")
        + &inner("a", "fake_place.p", &requires("c"))
        + &inner("b", "fake_place.p", &after("fake_inner.a"))
        + &inner("c", "fake_place.p", &after("fake_inner.b"));
    let mut bench = Bench::default();
    bench.apply(&text);
    assert_eq!(bench.fake.calls(), ["create fake_place.p", "create fake_inner.a", "create fake_inner.b", "create fake_inner.c"]);
    // Each requires the other.
    let both = place("q", "") + &inner("a", "fake_place.q", &requires("b")) + &inner("b", "fake_place.q", &requires("a"));
    let mut bench = Bench::default();
    bench.apply(&both);
    assert_eq!(bench.fake.calls().len(), 3);
}

#[test]
fn what_another_place_has_is_not_what_is_required() {
    let text = place("p", "") + &place("q", "") + &inner("a", "fake_place.p", &requires("b")) + &inner("b", "fake_place.q", "slow = true");
    let mut bench = Bench::default();
    bench.apply(&text);
    let record = bench.state.record(&super::address("fake_inner.a")).unwrap();
    assert_eq!(record.depends_on.iter().map(ToString::to_string).collect::<Vec<_>>(), ["fake_place.p"]);
}

#[test]
fn who_requires_what_is_replaced_is_replaced_with_it() {
    let text = |value: u64, of_b: &str, of_a: &str| {
        let trigger = "lifecycle {\n replace_triggered_by = [fake_thing.t]\n }";
        place("p", "")
            + &thing("t", &format!("value = {value}"))
            + &inner("c", "fake_place.p", trigger)
            + &inner("b", "fake_place.p", &format!("{}\n {of_b}", requires("c")))
            + &inner("a", "fake_place.p", &format!("{}\n {of_a}", requires("b")))
            + &inner("reader", "fake_place.p", "value = fake_inner.a.token")
            + &inner("other", "fake_place.p", "")
    };
    let mut bench = Bench::default();
    bench.apply(&text(1, "", ""));
    bench.fake.clear_calls();
    // One takes the next along, whatever its name; who reads what is made anew follows.
    let plan = bench.plan(&text(2, "", ""));
    let expected = [
        "-/+ fake_inner.a: `fake_inner.b` is replaced",
        "-/+ fake_inner.b: `fake_inner.c` is replaced",
        "-/+ fake_inner.c: `fake_thing.t` changed",
        "~ fake_inner.reader: `value` changed in configuration",
        "~ fake_thing.t: `value` changed in configuration",
    ];
    assert_eq!(actions(&plan), expected);
    bench.apply_plan(&plan);
    let calls = [["delete", "a"], ["delete", "b"], ["delete", "c"], ["create", "c"], ["create", "b"], ["create", "a"]];
    let calls: Vec<_> = calls.map(|[verb, label]| format!("{verb} fake_inner.{label}")).into();
    let made: Vec<_> = bench.fake.calls().into_iter().filter(|call| !call.starts_with("update")).collect();
    assert_eq!(made, calls);
    bench.assert_converged(&text(2, "", ""));
    // It cannot stand beside its successor, and what is protected goes with nothing.
    let first = "lifecycle {\n create_before_destroy = true\n }";
    bench.apply(&text(2, "", first));
    assert_eq!(actions(&bench.plan(&text(3, "", first)))[0], expected[0]);
    let protected = text(3, "", "lifecycle {\n prevent_destroy = true\n }");
    let plan = bench.plan(&protected);
    assert_eq!(summaries(&plan), ["protected resource"]);
    assert!(plan.diagnostics[0].detail.contains("`fake_inner.a`") && plan.diagnostics[0].detail.ends_with("`fake_inner.b` is replaced"));
}

const NAMESPACES: &str = r#"
resource "sandbox_cluster" "c" {
  name = "c"
}
resource "kubernetes_namespace" "shop" {
  cluster = sandbox_cluster.c
  name    = "shop"
}
resource "kubernetes_manifest" "config" {
  cluster  = sandbox_cluster.c
  manifest = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "m", namespace = "shop" }, data = { k = "v" } }
}
resource "kubernetes_labels" "more" {
  cluster     = sandbox_cluster.c
  api_version = "v1"
  kind        = "ConfigMap"
  namespace   = "shop"
  name        = "m"
  labels      = { team = "mesh" }
}
"#;

#[test]
fn what_lies_in_a_namespace_is_made_again_with_it() {
    let scenario = Scenario::with(NAMESPACES);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let plan = scenario.run(&["plan", "--replace", "kubernetes_namespace.shop"]).expect_code(0);
    assert!(plan.stdout.contains("1 resource within it is created again"), "{}", plan.all());
    assert!(plan.stdout.contains("0 to add, 0 to change, 3 to replace, 0 to destroy"), "{}", plan.all());
    scenario.run(&["apply", "--auto-approve", "--replace", "kubernetes_namespace.shop"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    let map = Cluster::of(&scenario, "c").get("/api/v1/namespaces/shop/configmaps/m").unwrap();
    assert_eq!(map["metadata"]["labels"]["team"], "mesh");
}
