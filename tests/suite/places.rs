//! Places whose descriptions change, vanish or lead elsewhere: what lies within is found again, left in order, or not touched.

use engine::address::Address;
use engine::plan::{Action, Aims, Inputs, Plan};
use engine::state::Connect;
use engine::value::Value;
use meshplan_tests::fake::Fails;
use meshplan_tests::planning::{Bench, Circumstances, actions};
use meshplan_tests::scenario::Scenario;

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

fn abandoning(place: &str) -> Inputs {
    let abandon = [place.parse().unwrap()].into();
    Inputs { aims: Aims { abandon, ..Aims::default() }, ..Inputs::default() }
}

#[test]
fn a_cluster_that_never_comes_back_is_abandoned_with_all_within() {
    let elsewhere = "resource \"fake_thing\" \"t\" {\n name = \"t\"\n}\n";
    // Whether the configuration still has it or not.
    for text in [elsewhere.to_owned(), both("old") + elsewhere] {
        let mut bench = two_clusters();
        bench.apply(&(both("old") + elsewhere));
        bench.fake.silence("data/old");
        let plan = bench.plan(&text);
        assert_eq!((actions(&plan).len(), blocked(&plan).len() >= 2), (0, true), "what does not answer is not taken for gone");
        let plan = bench.plan_with(&text, abandoning(ONE));
        let because = format!("abandoned with `{ONE}`");
        assert_eq!(actions(&plan), [format!(". fake_inner.x: {because}"), format!(". fake_inner.y: {because}")]);
        assert_eq!(summaries(&plan), ["place abandoned"]);
        assert!(plan.diagnostics[0].detail.contains("with 2 resources within"), "{:#?}", plan.diagnostics);
        assert_ne!(plan.digest(), bench.plan(&text).digest());
        bench.fake.clear_calls();
        let (summary, _) = bench.apply_plan(&plan);
        assert!(summary.is_complete(), "{summary:#?}");
        assert_eq!(bench.fake.calls(), [""; 0]);
        assert!(bench.state.places.is_empty());
        assert_eq!(bench.state.resources.keys().map(ToString::to_string).collect::<Vec<_>>(), ["fake_thing.t"]);
        assert_eq!(within(&bench), ["u1/fake_inner/x", "u1/fake_inner/y"], "nothing is deleted");
    }
    // What is still desired is made where the address leads then.
    let mut bench = two_clusters();
    bench.fake.silence("data/old");
    let plan = bench.plan_with(&both("new"), abandoning(ONE));
    bench.apply_plan(&plan);
    bench.apply(&both("new"));
    assert_eq!(remembered(&bench).0, "u2");
    bench.assert_converged(&both("new"));
}

#[test]
fn only_what_cannot_be_reached_is_abandoned() {
    let mut bench = two_clusters();
    assert_eq!(summaries(&bench.plan_with(&both("old"), abandoning(ONE))), ["place answers"]);
    let plan = bench.plan_with(&both("old"), abandoning("data.fake_context.d"));
    assert_eq!(
        (summaries(&plan), plan.diagnostics[0].help.as_deref()),
        (vec!["no place to abandon"], Some("Did you mean `data.fake_context.c`?"))
    );
    bench.fake.meddle("data/old", None);
    assert!(summaries(&bench.plan_with(&inner("x", "").replace(ONE, "null"), abandoning(ONE))).contains(&"place answers"), "it is gone");
    bench.fake.meddle("data/old", Some(cluster("u1")));
    let guarded = context("old") + &inner("x", "lifecycle {\n prevent_destroy = true\n }") + &inner("y", "");
    bench.apply(&guarded);
    bench.fake.silence("data/old");
    for text in [guarded.as_str(), ""] {
        let plan = bench.plan_with(text, abandoning(ONE));
        assert_eq!((summaries(&plan), actions(&plan).len()), (vec!["protected resource"], 0));
        assert!(plan.diagnostics[0].detail.starts_with("`fake_inner.x` has"), "{:#?}", plan.diagnostics);
    }
    let unseen = Inputs { skip_refresh: true, ..abandoning(ONE) };
    assert!(summaries(&bench.plan_with(&both("old"), unseen)).contains(&"place not looked at"));
}

#[test]
fn a_cluster_of_ours_is_abandoned_and_destroyed_the_rest() {
    let place = |name: &str| format!("resource \"fake_place\" \"{name}\" {{\n name = \"{name}\"\n}}\n");
    let within =
        |name: &str, of: &str| format!("resource \"fake_inner\" \"{name}\" {{\n cluster = fake_place.{of}\n name = \"{name}\"\n}}\n");
    let text = place("p") + &place("q") + &within("x", "p") + &within("y", "q");
    let mut bench = Bench::default();
    bench.apply(&text);
    bench.fake.silence("fake_place.p");
    let inputs = Inputs { destroy: true, ..abandoning("fake_place.p") };
    let plan = bench.plan_with("", inputs);
    let because = "abandoned with `fake_place.p`";
    let expected = [
        format!(". fake_inner.x: {because}"),
        "- fake_inner.y: `fake_place.q` is destroyed".to_owned(),
        format!(". fake_place.p: {because}"),
        "- fake_place.q: everything is destroyed".to_owned(),
    ];
    assert_eq!(actions(&plan), expected);
    bench.fake.clear_calls();
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete() && plan.blocked.is_empty(), "{summary:#?}");
    assert_eq!(bench.fake.calls(), ["delete fake_place.q"]);
    assert!(bench.state.is_empty());
}

#[test]
fn a_cluster_that_is_gone_is_made_again_and_one_that_cannot_be_read_is_left_alone() {
    let text = "resource \"sandbox_cluster\" \"c\" {\n name = \"c\"\n}\n\
                resource \"kubernetes_namespace\" \"n\" {\n cluster = sandbox_cluster.c\n name = \"n\"\n}\n";
    let scenario = Scenario::with(text);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let (there, aside) = (scenario.path().join(".meshplan/sandbox/c"), scenario.path().join("aside"));
    std::fs::rename(&there, &aside).unwrap();
    std::fs::write(&there, "not a cluster").unwrap();
    let before = scenario.state();
    // Whether the configuration still has it or not.
    for text in [text, ""] {
        scenario.write("main.mesh.hcl", text);
        let plan = scenario.run(&["plan"]).expect_code(0);
        assert!(plan.stdout.contains("2 could not be observed"), "{}", plan.all());
        scenario.run(&["apply", "--auto-approve"]).expect_code(1);
        assert_eq!(scenario.state(), before);
    }
    scenario.write("main.mesh.hcl", text);
    std::fs::remove_file(&there).unwrap();
    std::fs::rename(&aside, &there).unwrap();
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    std::fs::remove_dir_all(&there).unwrap();
    let plan = scenario.run(&["plan"]).expect_code(0);
    assert!(plan.stdout.contains("deleted outside") && plan.stdout.contains("Plan: 2 to add, 0 to change"), "{}", plan.all());
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}
