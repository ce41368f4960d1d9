//! Runs that are aimed at a part: what they take along, what they leave alone, and what they are told.

use super::{address, context, inner, place, summaries, thing};
use engine::plan::{Action, Aims, Inputs, Plan};
use engine::value::Value;
use meshplan_tests::fake::Fails;
use meshplan_tests::planning::{Bench, actions};

const PART: &str = "only a part is planned";

fn targets(these: &[&str]) -> Inputs {
    let targets = these.iter().map(|text| text.parse().unwrap()).collect();
    Inputs { aims: Aims { targets, ..Aims::default() }, ..Inputs::default() }
}

fn without(these: &[&str]) -> Inputs {
    let excludes = these.iter().map(|text| text.parse().unwrap()).collect();
    Inputs { aims: Aims { excludes, ..Aims::default() }, ..Inputs::default() }
}

fn replacing(these: &[&str]) -> Inputs {
    let replace = these.iter().map(|text| address(text)).collect();
    Inputs { aims: Aims { replace, ..Aims::default() }, ..Inputs::default() }
}

fn destroying(inputs: Inputs) -> Inputs {
    Inputs { destroy: true, ..inputs }
}

/// The addresses of changes, each with its glyph.
fn changed(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().filter(|change| change.action != Action::Keep);
    changes.map(|change| format!("{} {}", change.action.glyph(), change.address)).collect()
}

fn applied(bench: &mut Bench, text: &str, inputs: Inputs) -> Vec<String> {
    let plan = bench.plan_with(text, inputs);
    assert!(!plan.is_errored(), "{:#?}", plan.diagnostics);
    bench.fake.clear_calls();
    let (summary, _) = bench.apply_plan(&plan);
    assert!(summary.is_complete(), "{summary:#?}");
    bench.fake.calls()
}

/// A chain `a <- b <- c` through a local and a map, and `z` by itself.
fn chain(value: u64) -> String {
    thing("a", &format!("value = {value}"))
        + "locals {\n all = { one = fake_thing.a, two = fake_thing.z }\n}\n"
        + &thing("b", "value = local.all[\"one\"].uid")
        + &thing("c", "value = fake_thing.b.uid")
        + &thing("z", &format!("value = {value}"))
}

#[test]
fn a_target_takes_what_it_depends_on_along_and_nothing_else() {
    for (aimed, planned) in [
        ("fake_thing.a", vec!["+ fake_thing.a"]),
        ("fake_thing.b", vec!["+ fake_thing.a", "+ fake_thing.b"]),
        ("fake_thing.c", vec!["+ fake_thing.a", "+ fake_thing.b", "+ fake_thing.c"]),
        ("fake_thing.z", vec!["+ fake_thing.z"]),
    ] {
        let mut bench = Bench::default();
        let plan = bench.plan_with(&chain(1), targets(&[aimed]));
        assert_eq!(changed(&plan), planned);
        assert_eq!((summaries(&plan), plan.partial), (vec![PART], true));
        bench.apply_plan(&plan);
        assert_eq!(bench.state.resources.len(), planned.len());
        bench.apply(&chain(1));
        bench.assert_converged(&chain(1));
    }
}

#[test]
fn what_is_excluded_is_left_out_with_what_depends_on_it() {
    for (aimed, planned) in [
        ("fake_thing.a", vec!["+ fake_thing.z"]),
        ("fake_thing.b", vec!["+ fake_thing.a", "+ fake_thing.z"]),
        ("fake_thing.z", vec!["+ fake_thing.a", "+ fake_thing.b", "+ fake_thing.c"]),
    ] {
        let mut bench = Bench::default();
        let plan = bench.plan_with(&chain(1), without(&[aimed]));
        assert_eq!(changed(&plan), planned);
        assert!(plan.blocked.is_empty() && summaries(&plan) == [PART], "{plan:#?}");
        bench.apply_plan(&plan);
        bench.apply(&chain(1));
        bench.assert_converged(&chain(1));
    }
}

#[test]
fn what_is_not_aimed_at_is_not_asked_about() {
    let mut bench = Bench::default();
    bench.apply(&chain(1));
    let asked = |inputs: Inputs| {
        let before = bench.fake.asked().len();
        bench.plan_with(&chain(2), inputs);
        bench.fake.asked()[before..].concat()
    };
    assert_eq!(asked(targets(&["fake_thing.b"])), ["read fake_thing.a", "read fake_thing.b", "read fake_thing.c", "read fake_thing.z"]);
    assert_eq!(asked(targets(&["fake_thing.z"])), ["read fake_thing.z"]);
    assert_eq!(asked(without(&["fake_thing.a"])), ["read fake_thing.b", "read fake_thing.c", "read fake_thing.z"]);
    assert_eq!(changed(&bench.plan_with(&chain(2), targets(&["fake_thing.b"]))), ["~ fake_thing.a"]);
}

#[test]
fn instances_and_modules_are_aimed_at_by_their_addresses() {
    let text = "resource \"fake_thing\" \"x\" {\n for_each = toset([\"p\", \"q\"])\n name = each.key\n}\n".to_owned()
        + &thing("r", "value = fake_thing.x[\"q\"].uid");
    let bench = Bench::default();
    assert_eq!(changed(&bench.plan_with(&text, targets(&["fake_thing.x[\"p\"]"]))), ["+ fake_thing.x[\"p\"]"]);
    assert_eq!(changed(&bench.plan_with(&text, targets(&["fake_thing.r"]))), ["+ fake_thing.r", "+ fake_thing.x[\"q\"]"]);
    assert_eq!(changed(&bench.plan_with(&text, without(&["fake_thing.x[\"q\"]"]))), ["+ fake_thing.x[\"p\"]"]);
    assert_eq!(changed(&bench.plan_with(&text, without(&["fake_thing.x"]))), [""; 0]);
}

#[test]
fn errors_elsewhere_do_not_hold_a_part_up() {
    let wrong = "resource \"fake_thing\" \"w\" {\n for_each = toset(fake_thing.a.uid == \"\" ? [\"x\"] : [])\n name = \"w\"\n}\n"
        .to_owned()
        + "locals {\n broken = 1 + \"x\"\n}\n"
        + &thing("v", "value = local.broken")
        + &thing("u", "lifecycle {\n precondition {\n condition = path.root == \"\"\n error_message = \"never\"\n}\n}");
    let text = chain(1) + &wrong;
    let mut bench = Bench::default();
    assert!(bench.plan(&text).is_errored());
    let plan = bench.plan_with(&text, targets(&["fake_thing.b"]));
    assert_eq!(summaries(&plan), [PART], "{:#?}", plan.diagnostics);
    assert!(bench.plan_with(&text, targets(&["fake_thing.v"])).is_errored(), "a target's own errors count");
    assert!(bench.plan_with(&text, targets(&["fake_thing.u"])).is_errored());
    // A `for_each` that is not known yet is what `--exclude` is for.
    let keyed = chain(1) + "resource \"fake_thing\" \"w\" {\n for_each = toset([fake_thing.a.uid])\n name = \"w\"\n}\n";
    let plan = bench.plan_with(&keyed, without(&["fake_thing.w"]));
    assert_eq!((summaries(&plan), changed(&plan).len()), (vec![PART], 4), "{:#?}", plan.diagnostics);
    bench.apply_plan(&plan);
    bench.apply(&keyed);
    bench.assert_converged(&keyed);
}

#[test]
fn silent_clusters_hold_only_those_up_that_aim_at_them() {
    let text = context("c", "one") + &context("d", "two") + &inner("x", "data.fake_context.c", "") + &inner("y", "data.fake_context.d", "");
    let mut bench = Bench::default();
    for (name, uid) in [("one", "u1"), ("two", "u2")] {
        bench.fake.meddle(&format!("data/{name}"), Some(super::cluster(uid)));
    }
    bench.apply(&text);
    bench.fake.silence("data/two");
    let changing = text.replace("name = \"x\"", "name = \"x\"\n value = 1").replace("name = \"y\"", "name = \"y\"\n value = 1");
    let before = bench.fake.asked().len();
    let plan = bench.plan_with(&changing, targets(&["fake_inner.x"]));
    assert_eq!((changed(&plan), plan.blocked.len()), (vec!["~ fake_inner.x".to_owned()], 0));
    let asked = bench.fake.asked()[before..].concat();
    assert!(asked.iter().all(|question| !question.contains("fake_inner.y") && !question.contains("fake_context.d")), "{asked:?}");
    let plan = bench.plan_with(&changing, without(&["data.fake_context.d"]));
    assert_eq!((changed(&plan), plan.blocked.len()), (vec!["~ fake_inner.x".to_owned()], 0));
    let plan = bench.plan_with(&changing, targets(&["fake_inner.y"]));
    assert_eq!((changed(&plan).len(), plan.blocked.len()), (0, 1));
}

#[test]
fn what_goes_takes_along_what_depends_on_it() {
    let mut bench = Bench::default();
    bench.apply(&chain(1));
    assert_eq!(changed(&bench.plan_with("", destroying(targets(&["fake_thing.b"])))), ["- fake_thing.b", "- fake_thing.c"]);
    assert_eq!(changed(&bench.plan_with("", destroying(without(&["fake_thing.b"])))), ["- fake_thing.c", "- fake_thing.z"]);
    // What is removed from the configuration goes with what was made from it, and after that has changed.
    let fewer = thing("a", "value = 1") + &thing("c", "") + &thing("z", "value = 2");
    assert_eq!(changed(&bench.plan_with(&fewer, targets(&["fake_thing.b"]))), ["- fake_thing.b", "~ fake_thing.c"]);
    assert_eq!(changed(&bench.plan_with(&fewer, without(&["fake_thing.c"]))), ["~ fake_thing.z"]);
    assert_eq!(applied(&mut bench, &fewer, targets(&["fake_thing.b"])), ["update fake_thing.c", "delete fake_thing.b"]);
    bench.apply(&fewer);
    bench.assert_converged(&fewer);
}

#[test]
fn what_lies_in_a_cluster_is_deleted_there_when_the_cluster_stays() {
    let text = place("p", "") + &inner("x", "fake_place.p", "") + &inner("y", "fake_place.p", "") + &thing("t", "");
    let all = || {
        let mut bench = Bench::default();
        bench.apply(&text);
        bench
    };
    let mut bench = all();
    assert_eq!(applied(&mut bench, "", destroying(targets(&["fake_inner.x"]))), ["delete fake_inner.x"]);
    let mut bench = all();
    assert_eq!(applied(&mut bench, "", destroying(without(&["fake_inner.x"]))), ["delete fake_inner.y", "delete fake_thing.t"]);
    assert!(bench.state.record(&address("fake_inner.x")).is_some() && bench.state.record(&address("fake_place.p")).is_some());
    let mut bench = all();
    assert_eq!(applied(&mut bench, "", destroying(targets(&["fake_place.p"]))), ["delete fake_place.p"]);
    assert_eq!(bench.state.resources.len(), 1);
    let mut bench = all();
    assert_eq!(applied(&mut bench, "", destroying(without(&["fake_thing.t"]))), ["delete fake_place.p"]);
}

#[test]
fn a_cluster_that_is_replaced_takes_all_within_along_and_says_so() {
    let text = |name: &str| {
        format!("resource \"fake_place\" \"p\" {{\n name = \"{name}\"\n}}\n")
            + &inner("x", "fake_place.p", "")
            + &inner("y", "fake_place.p", "")
            + &thing("t", "")
    };
    let mut bench = Bench::default();
    bench.apply(&text("one"));
    let plan = bench.plan_with(&text("two"), targets(&["fake_inner.x"]));
    assert_eq!(
        actions(&plan),
        [
            "-/+ fake_inner.x: `fake_place.p` is replaced",
            "- fake_inner.y: `fake_place.p` is destroyed",
            "-/+ fake_place.p: `name` cannot change in place"
        ]
    );
    let plan = bench.plan_with(&text("two"), without(&["fake_inner.x"]));
    assert_eq!(changed(&plan), [""; 0], "what is excluded must not die with its cluster");
    let guarded = text("two").replace("name = \"y\"", "name = \"y\"\n lifecycle {\n prevent_destroy = true\n }");
    assert_eq!(summaries(&bench.plan_with(&guarded, targets(&["fake_inner.x"]))), ["protected resource", PART]);
    let calls = applied(&mut bench, &text("two"), targets(&["fake_inner.x"]));
    assert_eq!(calls, ["delete fake_place.p", "create fake_place.p", "create fake_inner.x"]);
    bench.apply(&text("two"));
    bench.assert_converged(&text("two"));
}

#[test]
fn what_leaves_a_cluster_leaves_it_together() {
    let text = |name: &str| context("c", name) + &inner("x", "data.fake_context.c", "") + &inner("y", "data.fake_context.c", "");
    let mut bench = Bench::default();
    for (name, uid) in [("old", "u1"), ("new", "u2")] {
        bench.fake.meddle(&format!("data/{name}"), Some(super::cluster(uid)));
    }
    bench.apply(&text("old"));
    assert_eq!(summaries(&bench.plan_with(&text("new"), targets(&["fake_inner.x"]))), [PART, "place not left"]);
    let plan = bench.plan_with(&text("new"), without(&["fake_inner.x"]));
    assert_eq!((changed(&plan), summaries(&plan)), (Vec::new(), vec![PART]));
    bench.apply(&text("new"));
}

#[test]
fn outputs_say_nothing_of_what_is_left_out() {
    let text = |value: u64| {
        chain(value)
            + "output \"of_a\" {\n value = fake_thing.a.value\n}\noutput \"of_z\" {\n value = fake_thing.z.value\n}\noutput \"of_none\" {\n value = 1\n}\n"
            + "check \"of_z\" {\n assert {\n condition = fake_thing.z.value == 1\n error_message = \"z is not 1\"\n}\n}\n"
    };
    let mut bench = Bench::default();
    bench.apply(&text(1));
    for (inputs, expected) in
        [(targets(&["fake_thing.a"]), "of_a"), (without(&["fake_thing.z"]), "of_a"), (without(&["fake_thing.a"]), "of_z")]
    {
        let plan = bench.plan_with(&text(2), inputs);
        let changing: Vec<_> = plan.outputs.iter().map(|output| &*output.name).collect();
        assert_eq!(changing, [expected]);
    }
    let plan = bench.plan_with(&text(2), without(&["fake_thing.z"]));
    let said: Vec<_> = plan.checks.iter().map(|check| (check.status, check.messages.join(""))).collect();
    assert_eq!(said, [(engine::plan::CheckStatus::NotRun, "it looks at what is left out".to_owned())]);
    assert!(bench.plan_with(&text(2), targets(&["fake_thing.a"])).checks.is_empty());
    bench.apply_plan(&plan);
    assert_eq!(bench.state.outputs["of_z"].value, Value::number(1));
    assert_eq!(bench.state.outputs["of_a"].value, Value::number(2));
}

#[test]
fn an_address_that_nothing_has_is_an_error() {
    let mut bench = Bench::default();
    bench.apply(&chain(1));
    for (inputs, help) in [
        (targets(&["fake_thing.aa"]), "Did you mean `fake_thing.a`?"),
        (without(&["fake_thng.z"]), "Did you mean `fake_thing.z`?"),
        (targets(&["module.none"]), "`meshplan state list` lists what is remembered."),
        (destroying(targets(&["fake_thing.y"])), "Did you mean `fake_thing.a`?"),
        (replacing(&["fake_thing.bb"]), "Did you mean `fake_thing.b`?"),
    ] {
        let plan = bench.plan_with(&chain(1), inputs);
        let problem = plan.diagnostics.iter().find(|problem| problem.summary == "address not found");
        assert_eq!(problem.and_then(|problem| problem.help.as_deref()), Some(help));
        assert!(plan.is_errored());
    }
    let plan = bench.plan_with("", targets(&["fake_thing.z"]));
    assert_eq!((changed(&plan), summaries(&plan)), (vec!["- fake_thing.z".to_owned()], vec![PART]), "the state has it");
}

#[test]
fn what_is_to_be_replaced_is_replaced() {
    let mut bench = Bench::default();
    bench.apply(&chain(1));
    let plan = bench.plan_with(&chain(1), replacing(&["fake_thing.z"]));
    assert_eq!(actions(&plan), ["-/+ fake_thing.z: as requested"]);
    assert!(!plan.partial);
    assert_ne!(plan.digest(), bench.plan(&chain(1)).digest());
    assert_eq!(applied(&mut bench, &chain(1), replacing(&["fake_thing.z"])), ["delete fake_thing.z", "create fake_thing.z"]);
    bench.assert_converged(&chain(1));
    // What depends on it follows; what would be changed anyway is replaced instead.
    let plan = bench.plan_with(&chain(2), replacing(&["fake_thing.a"]));
    assert_eq!(actions(&plan)[..2], ["-/+ fake_thing.a: as requested", "~ fake_thing.b: `value` changed in configuration"]);
    let first = chain(1).replace("name = \"z\"", "name = \"z\"\n lifecycle {\n create_before_destroy = true\n }");
    assert_eq!(summaries(&bench.plan_with(&first, replacing(&["fake_thing.z"]))), ["same name twice"]);
    let guarded = first.replace("create_before_destroy", "prevent_destroy");
    assert_eq!(summaries(&bench.plan_with(&guarded, replacing(&["fake_thing.z"]))), ["protected resource"]);
    // What is created anyway is created.
    assert_eq!(changed(&Bench::default().plan_with(&thing("a", ""), replacing(&["fake_thing.a"]))), ["+ fake_thing.a"]);
}

#[test]
fn only_instances_of_the_configuration_are_replaced() {
    let text = "resource \"fake_thing\" \"x\" {\n for_each = toset([\"p\", \"q\"])\n name = each.key\n}\n";
    let mut bench = Bench::default();
    bench.apply(text);
    assert_eq!(changed(&bench.plan_with(text, replacing(&["fake_thing.x[\"q\"]"]))), ["-/+ fake_thing.x[\"q\"]"]);
    let plan = bench.plan_with(text, replacing(&["fake_thing.x"]));
    assert_eq!(summaries(&plan), ["no instance to replace"]);
    assert_eq!(plan.diagnostics[0].detail, "`fake_thing.x` is more than one instance: `fake_thing.x[\"p\"]`, `fake_thing.x[\"q\"]`");
    assert_eq!(summaries(&bench.plan_with("", replacing(&["fake_thing.x[\"q\"]"]))), ["no instance to replace"]);
    let both = Inputs {
        aims: Aims { targets: vec!["fake_thing.x[\"p\"]".parse().unwrap()], ..replacing(&["fake_thing.y"]).aims },
        ..Inputs::default()
    };
    let plan = bench.plan_with(&(text.to_owned() + &thing("y", "")), both);
    assert_eq!(summaries(&plan), ["no instance to replace", PART]);
}

#[test]
fn members_are_aimed_at_and_replaced_one_by_one() {
    let text = place("p", "") + "resource \"fake_set\" \"s\" {\n cluster = fake_place.p\n names = [\"a\", \"b\"]\n}\n";
    let mut bench = Bench::default();
    bench.apply(&text);
    assert_eq!(changed(&bench.plan_with(&text, replacing(&["fake_set.s/Thing/b"])))[..1], ["-/+ fake_set.s/Thing/b"]);
    let plan = bench.plan_with(&text, replacing(&["fake_set.s"]));
    assert_eq!(changed(&plan).iter().filter(|line| line.starts_with("-/+ fake_set.s/Thing/")).count(), 2, "{:?}", changed(&plan));
    let fresh = Bench::default();
    assert_eq!(changed(&fresh.plan_with(&text, targets(&["fake_set.s/Thing/a"]))), ["+ fake_place.p", "+ fake_set.s/Thing/a"]);
    let plan = fresh.plan_with(&text, without(&["fake_set.s/Thing/b"]));
    assert_eq!(changed(&plan), ["+ fake_place.p", "+ fake_set.s", "+ fake_set.s/Thing/a"]);
}

#[test]
fn a_part_that_fails_on_the_way_is_gone_on_with() {
    let mut bench = Bench::default();
    bench.fake.fail("fake_thing.b", Fails::Always);
    let plan = bench.plan_with(&chain(1), targets(&["fake_thing.c"]));
    let (summary, _) = bench.apply_plan(&plan);
    assert!(!summary.is_complete());
    assert_eq!(bench.fake.calls(), ["create fake_thing.a", "create fake_thing.b"]);
    bench.fake.fail("fake_thing.b", Fails::Never);
    assert_eq!(applied(&mut bench, &chain(1), targets(&["fake_thing.c"])), ["create fake_thing.b", "create fake_thing.c"]);
    bench.apply(&chain(1));
    bench.assert_converged(&chain(1));
}
