//! What nobody desires any more stays as long as somebody who may still use it cannot be observed.

use super::{address, cluster, context, inner, place, thing};
use engine::plan::{Aims, Inputs, Plan};
use meshplan_tests::cluster::Cluster;
use meshplan_tests::planning::{Bench, Circumstances, actions};
use meshplan_tests::scenario::Scenario;

const WORDS: &str = "`fake_inner.peer` may still use it, and could not be observed: the test says so";

/// What is not planned, each with why and what it waits for.
fn blocked(plan: &Plan) -> Vec<(String, String, Option<String>)> {
    let after = |blocked: &engine::plan::Blocked| blocked.after.as_ref().map(ToString::to_string);
    plan.blocked.iter().map(|blocked| (blocked.address.to_string(), blocked.why.to_string(), after(blocked))).collect()
}

fn stays(name: &str) -> (String, String, Option<String>) {
    (name.to_owned(), WORDS.to_owned(), None)
}

fn silent(name: &str) -> (String, String, Option<String>) {
    (name.to_owned(), "the test says so".to_owned(), None)
}

/// Two places, in the first `w` and `x` that is made from it, in the second a peer that holds something of `x`.
fn both(value: u64) -> String {
    let second = place("b", &format!("value = {value}"));
    let first = inner("w", "fake_place.a", "") + &inner("x", "fake_place.a", "value = fake_inner.w.token");
    place("a", "") + &second + &first + &inner("peer", "fake_place.b", "value = fake_inner.x.token")
}

/// The same without `w` and `x`, of which the peer holds nothing any more.
fn without(value: u64) -> String {
    place("a", "") + &place("b", &format!("value = {value}")) + &inner("peer", "fake_place.b", "")
}

fn applied(text: &str) -> Bench {
    let mut bench = Bench::default();
    bench.apply(text);
    bench.fake.clear_calls();
    bench
}

#[test]
fn what_a_silent_peer_may_still_use_stays_with_all_that_it_was_made_from() {
    // Whether the peer is still desired or not.
    for (text, last) in [(without(1), "update fake_inner.peer"), (place("a", "") + &place("b", "value = 1"), "delete fake_inner.peer")] {
        let mut bench = applied(&both(1));
        bench.fake.silence("fake_place.b");
        let plan = bench.plan(&text);
        assert_eq!(actions(&plan), [""; 0]);
        assert_eq!(blocked(&plan), [silent("fake_inner.peer"), stays("fake_inner.w"), stays("fake_inner.x")]);
        bench.apply_plan(&plan);
        assert_eq!((bench.fake.calls(), bench.state.resources.len()), (Vec::new(), 5));
        // Told to do without them the peer no longer keeps them.
        bench.fake.answer_again("fake_place.b");
        bench.apply(&text);
        assert_eq!(bench.fake.calls(), [last, "delete fake_inner.x", "delete fake_inner.w"]);
        bench.assert_converged(&text);
    }
}

#[test]
fn a_place_stays_with_what_somebody_outside_may_still_use() {
    let other = inner("y", "fake_place.a", "");
    let mut bench = applied(&(both(1) + &other));
    bench.fake.silence("fake_place.b");
    let text = place("b", "value = 1") + &inner("peer", "fake_place.b", "");
    let plan = bench.plan(&text);
    let held = [silent("fake_inner.peer"), stays("fake_inner.w"), stays("fake_inner.x"), stays("fake_place.a")];
    assert_eq!(blocked(&plan), held);
    // What nobody uses goes by itself.
    assert_eq!(actions(&plan), ["- fake_inner.y: not in configuration"]);
    bench.apply_plan(&plan);
    assert_eq!(bench.fake.calls(), ["delete fake_inner.y"]);
    bench.fake.answer_again("fake_place.b");
    bench.fake.clear_calls();
    bench.apply(&text);
    assert_eq!(bench.fake.calls(), ["update fake_inner.peer", "delete fake_place.a"]);
    bench.assert_converged(&text);
}

#[test]
fn a_place_that_goes_takes_nothing_along_that_cannot_be_told() {
    // It moves elsewhere, where nothing can be asked of what it comes from.
    let mut bench =
        applied(&(place("a", "") + &place("b", "") + &inner("x", "fake_place.a", "") + &thing("t", "value = fake_place.b.uid")));
    bench.apply(&(place("a", "") + &place("b", "") + &inner("x", "fake_place.a", "") + &inner("y", "fake_place.b", "")));
    bench.fake.silence("fake_place.b");
    bench.fake.clear_calls();
    let text = place("b", "") + &inner("y", "fake_place.b", "") + &inner("x", "fake_place.b", "value = fake_inner.y.token");
    let plan = bench.plan(&text);
    assert_eq!((actions(&plan), plan.blocked.len()), (Vec::new(), 3), "{:?}", blocked(&plan));
    bench.apply_plan(&plan);
    assert!(bench.fake.calls().is_empty() && bench.state.record(&address("fake_place.a")).is_some());
    bench.fake.answer_again("fake_place.b");
    bench.apply(&text);
    bench.assert_converged(&text);
    assert_eq!(
        bench.fake.things().into_keys().collect::<Vec<_>>(),
        ["fake_place.b/fake_inner/x", "fake_place.b/fake_inner/y", "fake_place/b"]
    );
}

#[test]
fn what_a_peer_uses_is_destroyed_once_the_peer_answers_or_is_given_up() {
    let mut bench = Bench::default();
    bench.fake.meddle("data/b", Some(cluster("u1")));
    let text = both(1).replace(&place("b", "value = 1"), &context("b", "b")).replace("fake_place.b", "data.fake_context.b");
    bench.apply(&text);
    bench.fake.clear_calls();
    bench.fake.silence("data/b");
    let destroy = || Inputs { destroy: true, ..Inputs::default() };
    let plan = bench.plan_with("", destroy());
    assert_eq!(blocked(&plan), [silent("fake_inner.peer"), stays("fake_inner.w"), stays("fake_inner.x"), stays("fake_place.a")]);
    assert_eq!(actions(&plan), [""; 0]);
    let abandon = [address("data.fake_context.b")].into();
    let plan = bench.plan_with("", Inputs { aims: Aims { abandon, ..Aims::default() }, ..destroy() });
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete() && plan.blocked.is_empty(), "{summary:#?}");
    assert_eq!(bench.fake.calls(), ["delete fake_place.a"]);
    assert!(bench.state.is_empty(), "{:?}", bench.state);
}

#[test]
fn what_waits_for_a_silent_peer_is_planned_after_its_repair() {
    let mut bench = applied(&both(1));
    bench.fake.silence("fake_place.b");
    let plan = bench.plan(&without(2));
    let changed = |name: &str| format!("~ {name}: `value` changed in configuration");
    assert_eq!(actions(&plan), [changed("fake_inner.peer"), changed("fake_place.b")]);
    let after: Vec<_> = blocked(&plan).into_iter().map(|(name, _, after)| (name, after)).collect();
    let repair = || Some("fake_place.b".to_owned());
    let expected = ["fake_inner.w", "fake_inner.x"].map(|name| (name.to_owned(), repair()));
    assert_eq!(after, expected);
    bench.apply_plan(&plan);
    bench.apply(&without(2));
    bench.assert_converged(&without(2));
}

#[test]
fn an_object_that_was_replaced_stays_while_a_peer_may_still_use_it() {
    let text = |name: &str| {
        let first = "lifecycle {\n create_before_destroy = true\n }";
        let x = format!("resource \"fake_inner\" \"x\" {{\n cluster = fake_place.a\n name = \"{name}\"\n {first}\n}}\n");
        place("a", "") + &place("b", "") + &x + &inner("peer", "fake_place.b", "value = fake_inner.x.token")
    };
    let mut bench = applied(&text("one"));
    let plan = bench.plan(&text("two"));
    bench.apply_under(&plan, Circumstances { stop_after: Some("fake_inner.x"), ..Circumstances::default() });
    assert_eq!(bench.state.resources[&address("fake_inner.x")].deposed.len(), 1);
    bench.fake.silence("fake_place.b");
    bench.fake.clear_calls();
    let plan = bench.plan(&text("two"));
    assert_eq!((actions(&plan), blocked(&plan)), (Vec::new(), vec![silent("fake_inner.peer"), stays("fake_inner.x")]));
    bench.fake.answer_again("fake_place.b");
    bench.apply(&text("two"));
    assert_eq!(bench.fake.calls(), ["update fake_inner.peer", "delete fake_inner.x"]);
    bench.assert_converged(&text("two"));
}

#[test]
fn what_is_replaced_create_first_stays_while_a_peer_that_may_use_it_is_silent() {
    let first = "lifecycle {\n create_before_destroy = true\n }";
    let named = |label: &str, name: &str, more: &str| {
        format!("resource \"fake_inner\" \"{label}\" {{\n cluster = fake_place.a\n name = \"{label}-{name}\"\n {more}\n}}\n")
    };
    // `x` is made from `w`, whose former object stays with that of `x`; nobody who is silent uses `z`.
    let text = |name: &str| {
        let (w, x) = (named("w", name, ""), named("x", name, &format!("value = fake_inner.w.token\n {first}")));
        place("a", "") + &place("b", "") + &w + &x + &named("z", name, first) + &inner("peer", "fake_place.b", "value = fake_inner.x.token")
    };
    let versions = |bench: &Bench, label: &str| {
        let things = bench.fake.things().into_keys().filter_map(|key| Some(key.split_once(&format!("{label}-"))?.1.to_owned()));
        things.collect::<Vec<_>>().join(" ")
    };
    let mut bench = applied(&text("one"));
    bench.fake.silence("fake_place.b");
    let plan = bench.plan(&text("two"));
    assert_eq!(blocked(&plan), [silent("fake_inner.peer")]);
    let causes: Vec<_> = plan.changes.iter().map(|change| (change.address.to_string(), change.causes.join("; "))).collect();
    let kept = |name: &str| (name.to_owned(), format!("what it replaces stays for now: {WORDS}"));
    assert!(causes.contains(&kept("fake_inner.w")) && causes.contains(&kept("fake_inner.x")), "{causes:?}");
    assert!(causes.contains(&("fake_inner.z".to_owned(), String::new())), "{causes:?}");
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete(), "{summary:#?}");
    let mut calls = bench.fake.calls();
    calls.sort_unstable();
    assert_eq!(calls, ["create fake_inner.w", "create fake_inner.x", "create fake_inner.z", "delete fake_inner.z"]);
    assert_eq!((versions(&bench, "w"), versions(&bench, "x"), versions(&bench, "z")), ("one two".into(), "one two".into(), "two".into()));
    // As long as it is silent both stay, also when there is another successor.
    let plan = bench.plan(&text("two"));
    assert_eq!(
        (actions(&plan), blocked(&plan)),
        (Vec::new(), vec![silent("fake_inner.peer"), stays("fake_inner.w"), stays("fake_inner.x")])
    );
    let (summary, _) = bench.apply_plan(&bench.plan(&text("three")));
    assert!(summary.is_complete(), "{summary:#?}");
    assert_eq!((versions(&bench, "w"), versions(&bench, "x")), ("one three two".into(), "one three two".into()));
    // Nor does what the former objects were made from go when nothing new is made from it.
    let alone = |text: String| text.replace("value = fake_inner.w.token", "").replace(&named("w", "three", ""), "");
    let plan = bench.plan(&alone(text("three")));
    assert!(blocked(&plan).iter().any(|(name, ..)| name == "fake_inner.w"), "{:?}", blocked(&plan));
    assert!(!actions(&plan).iter().any(|action| action.starts_with("- fake_inner.w")), "{:?}", actions(&plan));
    bench.fake.answer_again("fake_place.b");
    bench.fake.clear_calls();
    bench.apply(&text("three"));
    let calls = bench.fake.calls();
    let at = |call: &str| calls.iter().position(|made| made == call).unwrap();
    assert!(at("update fake_inner.peer") < at("delete fake_inner.x") && at("delete fake_inner.x") < at("delete fake_inner.w"), "{calls:?}");
    assert_eq!((versions(&bench, "w"), versions(&bench, "x")), ("three".into(), "three".into()));
    bench.assert_converged(&text("three"));
}

#[test]
fn in_a_cluster_the_former_object_stays_until_the_peer_can_be_changed() {
    let text = |name: &str| {
        let secret = format!(
            "resource \"kubernetes_secret\" \"keys\" {{\n cluster = sandbox_cluster.a\n name = \"keys-{name}\"\n data = {{ k = \"v\" }}\n lifecycle {{\n create_before_destroy = true\n }}\n}}\n"
        );
        let object =
            "apiVersion = \"v1\"\n kind = \"ConfigMap\"\n metadata = { name = \"peer\" }\n data = { uses = kubernetes_secret.keys.name }";
        let clusters = ["a", "b"].map(|name| format!("resource \"sandbox_cluster\" \"{name}\" {{\n name = \"{name}\"\n}}\n")).concat();
        clusters
            + &secret
            + &format!("resource \"kubernetes_manifest\" \"peer\" {{\n cluster = sandbox_cluster.b\n manifest = {{\n {object}\n }}\n}}\n")
    };
    let scenario = Scenario::with(&text("one"));
    let apply = |code: u8| scenario.run(&["apply", "--auto-approve"]).expect_code(code);
    let there = |name: &str| Cluster::of(&scenario, "a").get(&format!("/api/v1/namespaces/default/secrets/keys-{name}")).is_some();
    apply(0);
    let (place, aside) = (scenario.path().join(".meshplan/sandbox/b"), scenario.path().join("aside"));
    std::fs::rename(&place, &aside).unwrap();
    std::fs::write(&place, "").unwrap();
    scenario.write("main.mesh.hcl", &text("two"));
    let said = apply(1);
    assert!(said.stdout.contains("what it replaces stays for now: `kubernetes_manifest.peer` may still use it"), "{}", said.all());
    assert_eq!((there("one"), there("two")), (true, true));
    let said = apply(1);
    assert!(said.stdout.contains("? ") && said.stdout.contains("kubernetes_secret.keys"), "{}", said.all());
    assert_eq!((there("one"), there("two")), (true, true));
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&aside, &place).unwrap();
    apply(0);
    assert_eq!((there("one"), there("two")), (false, true));
    let peer = Cluster::of(&scenario, "b").get("/api/v1/namespaces/default/configmaps/peer").unwrap();
    assert_eq!(peer["data"]["uses"], "keys-two");
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}
