//! Objects that were deleted outside and made again under the same name: they are strangers, which nothing changes or deletes as ours.

use crate::meanwhile::MeanwhileYes;
use crate::within::Within;
use meshplan_tests::apiserver::Api;
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::{Value, json};
use std::sync::mpsc::channel;

fn map(within: &Within, value: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": within.namespace }, "data": { "k": value } })
}

/// An object that is ours, by its path.
fn ours(within: &Within) -> String {
    within.objects(&[("m", map(within, "1"), "")]);
    within.apply();
    within.assert_converged();
    within.path("/api/v1 configmaps/m")
}

/// Deletes what is at a path and makes it again as a person would; its uid.
fn made_again(api: &Api, path: &str, object: &Value) -> Value {
    let before = api.get(path).unwrap()["metadata"]["uid"].clone();
    api.delete(path);
    let (collection, _) = path.rsplit_once('/').unwrap();
    let stranger = api.make(collection, object);
    assert_ne!(stranger["metadata"]["uid"], before);
    stranger["metadata"]["uid"].clone()
}

/// Runs a command line that asks; what is at the path is made again before the answer is yes. Gives what it said, and the stranger's uid.
fn asked(within: &Within, command: &str, path: &str, object: &Value) -> (Output, Value) {
    let (made, told) = channel();
    let (api, path, object) = (within.cluster.api().clone(), path.to_owned(), object.clone());
    let mut first = true;
    let meanwhile = move || {
        if std::mem::take(&mut first) {
            made.send(made_again(&api, &path, &object)).unwrap();
        }
    };
    let mut world = within.scenario.world("");
    world.stdin = Box::new(MeanwhileYes(meanwhile, b"yes\n"));
    let output = Scenario::run_in(world, &[command]);
    (output, told.recv().unwrap())
}

/// Whether the object is still the stranger, which nobody else wrote.
fn assert_untouched(within: &Within, path: &str, uid: &Value, object: &Value) {
    let live = within.cluster.api().get(path).unwrap();
    assert_eq!((&live["metadata"]["uid"], &live["data"]), (uid, &object["data"]));
    let managers: Vec<_> = live["metadata"]["managedFields"].as_array().unwrap().iter().map(|owner| &owner["manager"]).collect();
    assert_eq!(managers, ["kubectl-create"], "{live:#}");
}

#[test]
fn what_was_made_again_after_an_apply_is_neither_changed_nor_deleted() {
    let Some(within) = Within::shared() else { return };
    for value in ["1", "theirs"] {
        let (path, stranger) = (ours(&within), map(&within, value));
        let uid = made_again(within.cluster.api(), &path, &stranger);
        let told = within.refused();
        let why = "is not managed by this state; it was written by `kubectl-create` at 20";
        assert!(matches!(&told[..], [(what, detail)] if what == "exists, not ours" && detail.contains(why)), "{told:?}");
        assert!(within.fail().contains("exists, not ours"));
        let gone = within.scenario.run(&["destroy", "--auto-approve"]).expect_code(0).stdout;
        assert!(gone.contains("deleted outside") && gone.contains("1 to forget"), "{gone}");
        assert_eq!(within.scenario.addresses(), Vec::<String>::new());
        assert_untouched(&within, &path, &uid, &stranger);
        within.cluster.api().delete(&path);
    }
}

#[test]
fn what_was_made_again_may_be_taken_over() {
    let Some(within) = Within::shared() else { return };
    let path = ours(&within);
    let uid = made_again(within.cluster.api(), &path, &map(&within, "1"));
    within.objects(&[("m", map(&within, "1"), "on_exists = \"adopt\"")]);
    within.apply();
    within.assert_converged();
    let live = within.cluster.api().get(&path).unwrap();
    assert_eq!((&live["metadata"]["uid"], &live["data"]["k"]), (&uid, &json!("1")));
    within.destroy();
    assert_eq!(within.cluster.api().get(&path), None);
}

#[test]
fn what_is_made_again_while_a_plan_is_read_is_neither_changed_nor_deleted() {
    let Some(within) = Within::shared() else { return };
    let (path, stranger) = (ours(&within), map(&within, "1"));
    within.objects(&[("m", map(&within, "2"), "")]);
    let (output, uid) = asked(&within, "apply", &path, &stranger);
    let told = output.expect_code(1).all();
    assert!(told.contains("was deleted or replaced since it was planned; plan again"), "{told}");
    assert_untouched(&within, &path, &uid, &stranger);

    within.cluster.api().delete(&path);
    within.apply();
    let (output, uid) = asked(&within, "destroy", &path, &stranger);
    output.expect_code(0);
    assert_eq!(within.scenario.addresses(), Vec::<String>::new());
    assert_untouched(&within, &path, &uid, &stranger);
}

#[test]
fn what_another_state_makes_is_left_to_it_and_its_manager_named() {
    let Some(within) = Within::shared() else { return };
    let (api, path) = (within.cluster.api().clone(), within.path("/api/v1 configmaps/m"));
    let own = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "own", "namespace": within.namespace } });
    // Records count from the first in each directory: here ours is the second, theirs the first.
    within.objects(&[("a", own.clone(), "")]);
    within.apply();
    let other = Within::of(within.cluster);
    other.objects(&[("m", map(&within, "theirs"), "")]);
    within.objects(&[("a", own.clone(), ""), ("m", map(&within, "ours"), "")]);
    // It is made while our plan, which would make it, is read.
    let (first, theirs) = (std::sync::Mutex::new(Some(())), other.scenario.world(""));
    let theirs = std::sync::Mutex::new(Some(theirs));
    let mut world = within.scenario.world("");
    world.stdin = Box::new(MeanwhileYes(
        move || {
            if first.lock().unwrap().take().is_some() {
                Scenario::run_in(theirs.lock().unwrap().take().unwrap(), &["apply", "--auto-approve"]).expect_code(0);
            }
        },
        b"yes\n",
    ));
    let named = "it belongs to another meshplan state, whose manager is `meshplan/r0000000`";
    let output = Scenario::run_in(world, &["apply"]).expect_code(1);
    assert!(output.stderr.contains("exists, not ours") && output.stderr.contains(named), "{}", output.all());
    let refused = within.refused();
    assert!(matches!(&refused[..], [(summary, detail)] if summary == "exists, not ours" && detail.contains(named)), "{refused:?}");
    // Nothing of it was taken, and what is ours goes without it.
    let live = api.get(&path).unwrap();
    let managers: Vec<_> = live["metadata"]["managedFields"].as_array().unwrap().iter().map(|owner| &owner["manager"]).collect();
    assert!(live["data"]["k"] == "theirs" && managers == ["meshplan/r0000000"], "{live:#}");
    within.destroy();
    assert_eq!(api.get(&path).unwrap()["metadata"]["uid"], live["metadata"]["uid"]);
    other.assert_converged();
    other.destroy();
}
