//! What is there already, or appears meanwhile, and is not ours: a create takes nothing of it.

use crate::within::Within;
use meshplan_tests::apiserver::webhook::{Behaviour, Registration, Webhook};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A `ConfigMap` of the namespace.
fn map(within: &Within, name: &str, data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": within.namespace }, "data": data })
}

/// A `ConfigMap` of somebody else's.
fn theirs(within: &Within, name: &str, manager: &str, data: &Value) -> Value {
    let path = format!("{}?fieldManager={manager}", within.path("/api/v1 configmaps"));
    within.cluster.api().call("POST", &path, Some(&map(within, name, data))).done()
}

#[test]
fn what_is_there_and_not_ours_is_not_taken() {
    let Some(within) = Within::shared() else { return };
    theirs(&within, "m", "argocd", &json!({ "a": "1" }));
    let ours = map(&within, "m", &json!({ "a": "2" }));
    within.objects(&[("m", ours.clone(), "")]);
    let problems = within.refused();
    assert!(
        matches!(&problems[..], [(summary, detail)] if summary == "exists, not ours" && detail.contains("/m` is there already")),
        "{problems:?}"
    );

    // Taking it over is one thing, taking fields of others away another.
    within.objects(&[("m", ours.clone(), "on_exists = \"adopt\"")]);
    let problems = within.refused();
    let conflict = "manager `argocd` owns `data.a`, last written 20";
    assert!(matches!(&problems[..], [(summary, detail)] if summary == "field conflict" && detail.contains(conflict)), "{problems:?}");
    within.objects(&[("m", ours, "on_exists = \"adopt\"\n  force = true")]);
    within.apply();
    within.assert_converged();
    let path = within.path("/api/v1 configmaps/m");
    assert_eq!(within.cluster.api().get(&path).unwrap()["data"], json!({ "a": "2" }));

    // Another state's object is told as such. Records count from the first in each directory: here ours is the second.
    let other = Within::of(within.cluster);
    let another = map(&other, "x", &json!({}));
    other.objects(&[("a", another.clone(), "")]);
    other.apply();
    other.objects(&[("a", another, ""), ("m", map(&within, "m", &json!({ "a": "2" })), "")]);
    let problems = other.refused();
    assert!(problems[0].1.contains("belongs to another meshplan state, whose manager is `meshplan/r0000000`"), "{problems:?}");
    within.destroy();
}

#[test]
fn who_may_not_read_gives_back_what_a_create_took() {
    let Some(within) = Within::shared() else { return };
    let before = theirs(&within, "m", "argocd", &json!({ "a": "1" }));
    // Who may not read learns of the object by the answer to the create.
    let rules = [
        json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"] }),
        json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] }),
    ];
    let blind = within.cluster.user(&within.cluster.name("blind"), &rules);
    within.reach(&blind);
    within.objects(&[("m", map(&within, "m", &json!({ "b": "2" })), "")]);
    let plan = within.plan();
    assert!(matches!(&plan.not_previewed()[..], [(_, why)] if why.contains("cannot get resource")), "{:?}", plan.not_previewed());
    let said = within.fail();
    assert!(said.contains("exists, not ours"), "{said}");
    assert_eq!(within.scenario.addresses(), Vec::<String>::new());
    let mut after = within.cluster.api().get(&within.path("/api/v1 configmaps/m")).unwrap();
    after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
    assert_eq!(after, before);
}

/// Waits until a webhook has been asked about the create of an object that is meant.
fn wait_for_create(webhook: &Webhook<'_>, name: &str) {
    let start = Instant::now();
    while !webhook.reviews().iter().any(|review| review["name"] == name && review["dryRun"] != true) {
        assert!(start.elapsed() < Duration::from_mins(1), "nothing is created");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_object_that_appears_while_ours_is_created_is_not_taken() {
    let Some(within) = Within::shared() else { return };
    let webhook = Webhook::start(within.cluster, &Registration::validating(&within.namespace, "configmaps"), Behaviour::Allow);
    // The one shares a field with ours, the other does not: the server answers with a conflict, or with 200.
    let rows = [("shared", json!({ "a": "2" }), "manager `argocd` owns `data.a`"), ("other", json!({ "b": "2" }), "")];
    for (name, data, owner) in rows {
        within.objects(&[(name, map(&within, name, &data), "")]);
        assert_eq!(within.plan().not_previewed(), []);
        let admits = Behaviour::Slow(Duration::from_secs(3));
        let (before, said) = std::thread::scope(|scope| {
            webhook.behave(admits);
            let apply = scope.spawn(|| within.fail());
            wait_for_create(&webhook, name);
            webhook.behave(Behaviour::Allow);
            (theirs(&within, name, "argocd", &json!({ "a": "1" })), apply.join().unwrap())
        });
        assert!(said.contains("exists, not ours") && said.contains(owner), "{said}");
        assert_eq!(within.scenario.addresses(), Vec::<String>::new());
        let mut after = within.cluster.api().get(&within.path(&format!("/api/v1 configmaps/{name}"))).unwrap();
        after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
        assert_eq!(after, before);
        // The next plan says the same before anything is done.
        assert!(matches!(&within.refused()[..], [(summary, _)] if summary == "exists, not ours"));
    }
}

#[test]
fn a_name_that_the_server_would_choose_is_refused() {
    let Some(within) = Within::shared() else { return };
    let mut object = map(&within, "m", &json!({}));
    object["metadata"] = json!({ "generateName": "m-", "namespace": within.namespace });
    within.objects(&[("m", object, "")]);
    let told = within.refused();
    assert!(told.iter().any(|(summary, detail)| summary == "incomplete object" && detail.contains("`metadata.generateName`")), "{told:?}");
}
