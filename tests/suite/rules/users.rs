//! Who uses what a plan deletes: it stays as long as somebody does whom the plan neither deletes nor changes.

use super::{address, summaries, thing};
use engine::plan::Inputs;
use engine::schema::{Usage, User};
use engine::value::Value;
use meshplan_tests::planning::{Bench, actions};

/// `a`, which others may use.
fn used() -> String {
    thing("a", "value = \"used\"")
}

fn user(name: &str, holder: &str) -> User {
    User { name: name.to_owned(), holders: vec!["nobody".to_owned(), holder.to_owned()], ..User::default() }
}

fn told(users: &[User]) -> Value {
    Usage { subject: "the thing `a`".to_owned(), help: Some("Move them.".to_owned()), users: users.to_vec() }.told()
}

#[test]
fn what_is_used_goes_only_with_or_after_its_users() {
    let b = |more: &str| thing("b", more);
    let (lets_go, warns) = (User { lets_go: true, ..user("b", "fake_thing/b") }, User { warns: true, ..user("b", "fake_thing/b") });
    let given_up = || "removed {\n from = fake_thing.b\n lifecycle {\n destroy = false\n }\n}\n".to_owned();
    let b_uses = || user("b", "fake_thing/b");
    for (title, after, user, expected) in [
        ("nobody knows the user", String::new(), user("x", "x"), "still in use"),
        ("the user goes", String::new(), b_uses(), ""),
        ("the user goes, known by its uid", String::new(), user("b", "uid-2"), ""),
        ("the user stays", b(""), b_uses(), "still in use"),
        ("the user changes", b("value = 1"), b_uses(), "still in use"),
        ("the user is given up", given_up(), b_uses(), "still in use"),
        ("the user changes to do without", b("value = 1"), lets_go.clone(), ""),
        ("the user that may change stays", b(""), lets_go, "still in use"),
        ("the user that is only told of stays", b(""), warns, "still named"),
        ("the used stays", used() + &b(""), b_uses(), ""),
    ] {
        let mut bench = Bench::default();
        bench.apply(&(used() + &b("")));
        bench.fake.meddle("users/a", Some(told(&[user])));
        let plan = bench.plan(&after);
        assert_eq!(summaries(&plan).join(" "), expected, "{title}");
        assert_eq!(plan.is_errored(), expected == "still in use", "{title}");
    }
}

#[test]
fn users_are_named_and_counted() {
    let mut bench = Bench::default();
    bench.apply(&used());
    let many: Vec<_> = ["p", "q", "r", "s", "t"].map(|name| user(name, name)).into();
    bench.fake.meddle("users/a", Some(told(&many)));
    let plan = bench.plan("");
    let problem = &plan.diagnostics[0];
    assert_eq!(problem.detail, "`fake_thing.a` goes with this plan, and the thing `a` is still used: by p, q, r and 2 more");
    assert_eq!((problem.help.as_deref(), problem.address.as_ref()), (Some("Move them."), Some(&address("fake_thing.a"))));
    bench.fake.meddle("users/a", Some(told(&[])));
    assert_eq!(actions(&bench.apply("")), ["- fake_thing.a: not in configuration"]);
}

#[test]
fn what_may_be_used_stays_where_nobody_can_tell() {
    let mut bench = Bench::default();
    bench.apply(&used());
    bench.fake.silence("users fake_thing.a");
    let problem = &bench.plan("").diagnostics[0];
    assert_eq!(
        problem.to_string(),
        "use not known: `fake_thing.a` goes with this plan, and who uses it could not be seen: the test says so"
    );
    // Whoever does not look finds nothing out, and leaves it to the delete itself.
    let blind = bench.plan_with("", Inputs { skip_refresh: true, ..Inputs::default() });
    assert!(!blind.is_errored(), "{:?}", blind.diagnostics);
}

#[test]
fn users_that_go_or_change_are_first() {
    for (after, user, expected) in [
        (String::new(), user("b", "fake_thing/b"), ["delete fake_thing.b", "delete fake_thing.a"]),
        (thing("b", "value = 1"), User { lets_go: true, ..user("b", "fake_thing/b") }, ["update fake_thing.b", "delete fake_thing.a"]),
    ] {
        let mut bench = Bench::default();
        bench.apply(&(used() + &thing("b", "")));
        bench.fake.meddle("users/a", Some(told(&[user])));
        bench.fake.clear_calls();
        bench.apply(&after);
        assert_eq!(bench.fake.calls(), expected);
    }
}

#[test]
fn who_uses_it_is_asked_of_what_goes_and_of_nothing_else() {
    let mut bench = Bench::default();
    let both = used() + &thing("b", "");
    bench.apply(&both);
    let asked = |bench: &Bench| bench.fake.asked().concat().iter().filter(|question| question.starts_with("users ")).count();
    bench.plan(&both);
    bench.plan(&used());
    assert_eq!(asked(&bench), 0);
    bench.plan(&thing("b", ""));
    assert_eq!(asked(&bench), 1);
}
