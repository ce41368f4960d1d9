//! Places whose descriptions change, vanish or lead elsewhere: what lies within is found again, left in order, or not touched.

use engine::address::Address;
use engine::plan::{Action, Plan};
use engine::state::Connect;
use engine::value::Value;
use meshplan_tests::fake::Fails;
use meshplan_tests::planning::{Bench, Circumstances, actions};

const ONE: &str = "data.fake_context.c";

fn context(name: &str) -> String {
    format!("data \"fake_context\" \"c\" {{\n name = \"{name}\"\n}}\n")
}

fn inner(label: &str, more: &str) -> String {
    format!("resource \"fake_inner\" \"{label}\" {{\n cluster = {ONE}\n name = \"{label}\"\n {more}\n}}\n")
}

fn both(name: &str) -> String {
    context(name) + &inner("x", "") + &inner("y", "value = fake_inner.x.token")
}

fn cluster(uid: &str) -> Value {
    let connection = Value::object([("to", Value::string(uid))]);
    Value::object([("uid", Value::string(uid)), ("connection", connection)])
}

/// A world of two clusters, behind the contexts `old` and `new`, with `x` and `y` made in the former.
fn two_clusters() -> Bench {
    let mut bench = Bench::default();
    bench.fake.meddle("data/old", Some(cluster("u1")));
    bench.fake.meddle("data/new", Some(cluster("u2")));
    bench.apply(&both("old"));
    bench.fake.clear_calls();
    bench
}

/// What exists in clusters, by their uids.
fn within(bench: &Bench) -> Vec<String> {
    bench.fake.things().into_keys().filter(|key| key.starts_with('u')).collect()
}

/// What the state remembers of the place: its uid and the context that it is reached by.
fn remembered(bench: &Bench) -> (String, String) {
    let place = &bench.state.places[&ONE.parse::<Address>().unwrap()];
    let name = match &place.connect {
        Connect::Source { arguments, .. } => arguments.text("name").unwrap().to_owned(),
        Connect::Record => "its record".to_owned(),
    };
    (place.uid.as_ref().unwrap().to_string(), name)
}

fn summaries(plan: &Plan) -> Vec<&str> {
    plan.diagnostics.iter().map(|problem| problem.summary.as_str()).collect()
}

fn blocked(plan: &Plan) -> Vec<String> {
    plan.blocked.iter().map(|blocked| blocked.address.to_string()).collect()
}

#[test]
fn another_way_to_the_same_place_is_only_written_down() {
    let mut bench = two_clusters();
    bench.fake.meddle("data/new", Some(cluster("u1")));
    let plan = bench.plan(&both("new"));
    assert_eq!(actions(&plan), Vec::<String>::new());
    assert!(plan.keeps_books() && !plan.has_changes());
    bench.apply_plan(&plan);
    assert_eq!(remembered(&bench), ("u1".to_owned(), "new".to_owned()));
    assert!(!bench.plan(&both("new")).keeps_books(), "it is written down once");
    assert_eq!(bench.fake.calls(), Vec::<String>::new());
}

#[test]
fn a_place_whose_old_description_leads_nowhere_is_found_where_it_is_described_now() {
    for gone in ["data/old", ""] {
        let mut bench = two_clusters();
        bench.fake.meddle("data/new", Some(cluster("u1")));
        // Either nothing answers at the recorded description, or another cluster does.
        if gone.is_empty() {
            bench.fake.meddle("data/old", Some(cluster("u3")));
        } else {
            bench.fake.silence(gone);
        }
        bench.assert_converged(&both("new"));
        // Also what is not desired any more is found, and deleted there.
        let fewer = context("new") + &inner("x", "");
        let plan = bench.apply(&fewer);
        assert_eq!(actions(&plan), ["- fake_inner.y: not in configuration"]);
        assert_eq!((within(&bench), summaries(&plan)), (vec!["u1/fake_inner/x".to_owned()], Vec::new()));
        assert_eq!(remembered(&bench), ("u1".to_owned(), "new".to_owned()));
        bench.assert_converged(&fewer);
    }
}

#[test]
fn an_address_that_leads_to_another_place_takes_what_lay_within_along() {
    let mut bench = two_clusters();
    let plan = bench.plan(&both("new"));
    let because = "`data.fake_context.c` leads to another place";
    assert_eq!(actions(&plan), [format!("-/+ fake_inner.x: {because}"), format!("-/+ fake_inner.y: {because}")]);
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete(), "{summary:#?}");
    // All is gone from the former before anything is made in the latter.
    assert_eq!(bench.fake.calls(), ["delete fake_inner.y", "delete fake_inner.x", "create fake_inner.x", "create fake_inner.y"]);
    assert_eq!(within(&bench), ["u2/fake_inner/x", "u2/fake_inner/y"]);
    assert_eq!(remembered(&bench), ("u2".to_owned(), "new".to_owned()));
    bench.assert_converged(&both("new"));
}

#[test]
fn a_move_that_stops_anywhere_is_completed_by_the_next_run() {
    for at in 0.. {
        let mut bench = two_clusters();
        let plan = bench.plan(&both("new"));
        let (summary, _) = bench.apply_under(&plan, Circumstances { failing_append: Some(at), ..Circumstances::default() });
        let whole = summary.is_complete();
        bench.apply(&both("new"));
        bench.assert_converged(&both("new"));
        assert_eq!(within(&bench), ["u2/fake_inner/x", "u2/fake_inner/y"], "append {at}");
        if whole {
            assert!(at > 4, "{at}");
            break;
        }
    }
    for failing in ["fake_inner.x", "fake_inner.y"] {
        let mut bench = two_clusters();
        let plan = bench.plan(&both("new"));
        bench.fake.fail(failing, Fails::Always);
        let (summary, _) = bench.apply_plan(&plan);
        assert!(!summary.is_complete());
        assert!(bench.fake.calls().iter().all(|call| call.starts_with("delete")), "nothing is made before the former is left");
        assert_eq!(remembered(&bench).0, "u1");
        bench.fake.fail(failing, Fails::Never);
        bench.apply(&both("new"));
        assert_eq!(within(&bench), ["u2/fake_inner/x", "u2/fake_inner/y"], "{failing}");
    }
}

#[test]
fn a_former_place_that_does_not_answer_is_not_taken_for_gone() {
    let mut bench = two_clusters();
    bench.fake.silence("data/old");
    let more = both("new") + &inner("z", "");
    let plan = bench.plan(&more);
    assert_eq!(actions(&plan), Vec::<String>::new());
    assert_eq!(blocked(&plan), ["fake_inner.x", "fake_inner.y", "fake_inner.z"]);
    assert_eq!(
        &*plan.blocked[2].why,
        "`data.fake_context.c` leads to another place now, and the former one cannot be reached: the test says so"
    );
    bench.apply_plan(&plan);
    assert_eq!((within(&bench), remembered(&bench).0), (vec!["u1/fake_inner/x".to_owned(), "u1/fake_inner/y".to_owned()], "u1".to_owned()));
    bench.fake.answer_again("data/old");
    bench.apply(&more);
    assert_eq!(within(&bench), ["u2/fake_inner/x", "u2/fake_inner/y", "u2/fake_inner/z"]);
}

#[test]
fn another_place_behind_the_same_description_is_entered_with_a_warning() {
    let mut bench = two_clusters();
    bench.fake.meddle("data/old", Some(cluster("u2")));
    let plan = bench.plan(&both("old"));
    let because = "`data.fake_context.c` leads to another place";
    assert_eq!(actions(&plan), [format!("-/+ fake_inner.x: {because}"), format!("-/+ fake_inner.y: {because}")]);
    assert_eq!(summaries(&plan), ["another place"]);
    assert!(plan.diagnostics[0].detail.contains("2 resources in the former will be forgotten"), "{:?}", plan.diagnostics[0]);
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete(), "{summary:#?}");
    assert_eq!(bench.fake.calls(), ["create fake_inner.x", "create fake_inner.y"], "nothing is deleted that cannot be reached");
    assert_eq!(remembered(&bench).0, "u2");
    bench.assert_converged(&both("old"));
    assert!(summaries(&bench.plan(&both("old"))).is_empty());
}

#[test]
fn another_place_behind_a_description_that_is_gone_is_not_touched() {
    let mut bench = two_clusters();
    bench.fake.meddle("data/old", Some(cluster("u2")));
    bench.fake.meddle("u2/fake_inner/x", Some(Value::object([("name", Value::string("x")), ("uid", Value::string("theirs"))])));
    let plan = bench.apply("");
    assert_eq!(summaries(&plan), ["another place"]);
    assert_eq!(actions(&plan), [". fake_inner.x: deleted outside", ". fake_inner.y: deleted outside"]);
    assert_eq!(bench.fake.calls(), Vec::<String>::new());
    assert!(bench.state.is_empty());
}

#[test]
fn a_cluster_swapped_after_the_plan_is_not_touched() {
    let mut bench = two_clusters();
    let changed = both("old").replace("name = \"x\"", "name = \"x\"\n value = 1");
    // Read at apply, because something changes in what it depends on.
    let gate = |value: u64| format!("resource \"fake_thing\" \"gate\" {{\n name = \"gate\"\n value = {value}\n}}\n");
    let later = changed.replace("name = \"old\"", "name = \"old\"\n depends_on = [fake_thing.gate]");
    bench.apply(&(gate(0) + &later));
    bench.fake.clear_calls();
    let plan = bench.plan(&(gate(1) + &later.replace("value = 1", "value = 2")));
    bench.fake.meddle("data/old", Some(cluster("u2")));
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!(summary.diagnostics[0].summary, "another place", "{summary:#?}");
    assert_eq!(bench.fake.calls(), ["update fake_thing.gate"]);
    assert_eq!(remembered(&bench).0, "u1");
}

#[test]
fn nothing_protected_is_left_behind() {
    let mut bench = two_clusters();
    let protected = |name: &str| context(name) + &inner("x", "lifecycle {\n prevent_destroy = true\n }");
    bench.apply(&protected("old"));
    assert_eq!(summaries(&bench.plan(&protected("new"))), ["protected resource"], "left");
    bench.fake.meddle("data/old", Some(cluster("u2")));
    assert_eq!(summaries(&bench.plan(&protected("old"))), ["protected resource", "another place"], "lost");
}

#[test]
fn a_digest_tells_clusters_of_one_address_apart() {
    let bench = Bench::default();
    bench.fake.meddle("data/old", Some(cluster("u1")));
    let first = bench.plan(&both("old"));
    assert!(first.changes.iter().all(|change| change.action == Action::Create));
    bench.fake.meddle("data/old", Some(cluster("u2")));
    assert_ne!(first.digest(), bench.plan(&both("old")).digest());
}
