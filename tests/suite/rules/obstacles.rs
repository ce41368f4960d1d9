//! What stands in the way of an instance on its machine: whether the plan clears it away itself depends on what becomes of whose it is.

use super::{summaries, thing};
use engine::schema::{Obstacle, Problem};
use meshplan_tests::planning::Bench;

/// What the machine says against `a`.
fn against(holder: Option<&str>, mended_by: Option<&str>) -> Obstacle {
    let problem = Problem::new("in the way", "it is there");
    Obstacle { holder: holder.map(str::to_owned), mended_by: mended_by.map(str::to_owned), ..problem.into() }
}

fn claiming(name: &str, value: u64, more: &str) -> String {
    format!("resource \"fake_thing\" \"a\" {{\n name = \"{name}\"\n value = \"claims {value}\"\n {more}\n}}\n")
}

#[test]
fn what_stands_in_the_way_is_told_unless_the_plan_clears_it() {
    let first = "lifecycle {\n create_before_destroy = true\n }";
    let (own, own_uid, other, nobody) = (Some("fake_thing/a"), Some("uid-1"), Some("fake_thing/b"), Some("nobody"));
    let a = || claiming("a", 1, "");
    let b = || thing("b", "");
    let given_up = || "removed {\n from = fake_thing.b\n lifecycle {\n destroy = false\n }\n}\n".to_owned();
    let (told, cleared): (&[&str], &[&str]) = (&["in the way"], &[]);
    for (title, before, gone, after, obstacle, expected) in [
        ("what nobody knows", String::new(), "", a(), against(None, None), told),
        ("what is not ours", String::new(), "", a(), against(nobody, None), told),
        ("its own thing, which changes", a(), "", claiming("a", 2, ""), against(own_uid, None), cleared),
        ("its own thing, which is replaced", a(), "", claiming("z", 1, ""), against(own, None), cleared),
        ("its own thing, which goes last", a(), "", claiming("z", 1, first), against(own, None), told),
        // What was made of it is gone: whatever has its name is somebody else's.
        ("another thing of its name", a(), "fake_thing/a", a(), against(own, None), told),
        ("another thing of its uid", a(), "fake_thing/a", a(), against(own_uid, None), told),
        ("what goes", b(), "", a(), against(other, None), cleared),
        ("what stays", b(), "", a() + &b(), against(other, None), told),
        ("what is given up", b(), "", a() + &given_up(), against(other, None), told),
        ("what something else mends", String::new(), "", a() + &b(), against(None, other), cleared),
        ("what nothing mends", String::new(), "", a(), against(None, other), told),
    ] {
        let mut bench = Bench::default();
        bench.apply(&before);
        if !gone.is_empty() {
            bench.fake.meddle(gone, None);
        }
        for name in ["a", "z"] {
            bench.fake.meddle(&format!("obstacles/{name}"), Some(Obstacle::told(std::slice::from_ref(&obstacle))));
        }
        assert_eq!(summaries(&bench.plan(&after)), expected, "{title}");
    }
}

#[test]
fn what_clears_the_way_comes_first() {
    let mut bench = Bench::default();
    bench.apply(&thing("b", ""));
    bench.fake.clear_calls();
    bench.fake.meddle("obstacles/a", Some(Obstacle::told(&[against(Some("fake_thing/b"), None)])));
    bench.apply(&claiming("a", 1, ""));
    assert_eq!(bench.fake.calls(), ["delete fake_thing.b", "create fake_thing.a"]);
    let mut bench = Bench::default();
    bench.fake.meddle("obstacles/a", Some(Obstacle::told(&[against(None, Some("fake_thing/z"))])));
    bench.apply(&(claiming("a", 1, "") + &thing("z", "")));
    assert_eq!(bench.fake.calls(), ["create fake_thing.z", "create fake_thing.a"]);
}
