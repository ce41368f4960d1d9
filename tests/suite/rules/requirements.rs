//! What things require of their place without a reference to who brings it.

use super::{inner, place};
use meshplan_tests::planning::Bench;

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
