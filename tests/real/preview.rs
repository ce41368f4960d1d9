//! What servers would make of objects is asked while planning; who may not ask, or gets no answer, is told so.

use crate::within::{Plan, Within};
use meshplan_tests::apiserver::Api;
use meshplan_tests::apiserver::webhook::{Behaviour, Registration, Webhook};
use serde_json::{Value, json};
use std::time::Duration;

/// A `ConfigMap` of the namespace.
fn map(within: &Within, name: &str, data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": within.namespace }, "data": data })
}

/// Rules that allow these verbs on all objects, and what a plan needs beside.
fn verbs(verbs: &[&str]) -> [Value; 2] {
    let namespaces = json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] });
    [json!({ "apiGroups": ["*"], "resources": ["configmaps", "secrets", "services"], "verbs": verbs }), namespaces]
}

#[test]
fn who_may_only_read_gets_a_plan_and_is_told() {
    let Some(within) = Within::shared() else { return };
    let service = |port: u64| {
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s", "namespace": within.namespace },
        "spec": { "clusterIP": "", "externalIPs": [], "selector": {}, "ports": [{ "port": port }] } })
    };
    let kept = map(&within, "kept", &json!({ "empty": "", "a": "1" }));
    within.objects(&[("kept", kept.clone(), ""), ("s", service(80), "")]);
    within.apply();
    let reader = within.cluster.user(&within.cluster.name("reader"), &verbs(&["get", "list", "watch"]));
    within.reach(&reader);
    within.assert_converged();

    let path = format!("{}?fieldManager=kubectl-edit", within.path("/api/v1 configmaps/kept"));
    within.cluster.api().call("PATCH", &path, Some(&json!({ "data": { "a": "2" } }))).done();
    within.objects(&[("kept", kept, ""), ("s", service(81), ""), ("new", map(&within, "new", &json!({})), "")]);
    let plan = within.plan();
    let reasons: Vec<_> =
        plan.reasons().into_iter().map(|(address, why)| (address, why.split(" by `").next().unwrap().to_owned())).collect();
    let expected = [
        ("kept", "`data.a` changed outside"),
        ("new", "not in state"),
        ("s", "`spec.ports[81].port`, `spec.ports[80].port` changed in configuration"),
    ];
    assert_eq!(reasons, expected.map(|(label, why)| (format!("kubernetes_manifest.{label}"), why.to_owned())));
    let told = plan.not_previewed();
    assert!(told.len() == 3 && told.iter().all(|(_, why)| why.contains("cannot patch resource")), "{told:?}");
    let shown = within.scenario.run(&["plan"]).expect_code(0).stdout;
    let (once, each) = ("      2 changes in data.kubernetes_cluster.c: User \"", "        not previewed: User \"");
    assert!(shown.contains(once) && shown.contains(each), "{shown}");
    within.reach(within.cluster.admin());
    within.destroy();
}

#[test]
fn what_the_server_would_refuse_is_told_while_planning() {
    let Some(within) = Within::shared() else { return };
    let quota =
        json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "q" }, "spec": { "hard": { "services": "0" } } });
    within.cluster.api().make(&within.path("/api/v1 resourcequotas"), &quota);
    within.cluster.api().wait(&within.path("/api/v1 resourcequotas/q"), |quota| quota["status"]["hard"].is_object());
    let service = |spec: Value| json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s", "namespace": within.namespace }, "spec": spec });
    let rows = [
        (service(json!({ "ports": [{ "port": 80 }] })), "exceeded quota: q"),
        (service(json!({ "ports": [{ "port": 70000 }] })), "spec.ports[0].port"),
        (service(json!({ "port": 80 })), "field not declared in schema"),
        (service(json!({ "ports": "x" })), "spec.ports"),
        (map(&within, "m", &json!({ "a": 1 })), "data.a"),
    ];
    for (object, words) in rows {
        within.objects(&[("x", object, "")]);
        let problems = within.refused();
        let told = |(summary, detail): &(String, String)| summary == "refused by the API server" && detail.contains(words);
        assert!(problems.len() == 1 && problems.iter().all(told), "{words}: {problems:?}");
    }
}

#[test]
fn no_server_is_asked_where_none_is_to_be() {
    let Some(within) = Within::shared() else { return };
    let wrong = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s", "namespace": within.namespace }, "spec": { "ports": [{ "port": 0 }] } });
    within.objects(&[("s", wrong, "")]);
    assert_eq!(within.refused().len(), 1);
    let offline = Plan::of(within.scenario.run(&["plan", "--json", "--preview=offline"]).expect_code(0));
    assert!(matches!(&offline.not_previewed()[..], [(_, why)] if why == "servers were not to be asked"), "{:?}", offline.not_previewed());
}

#[test]
fn webhooks_refuse_fall_silent_and_come_back() {
    let Some(within) = Within::shared() else { return };
    let registration = Registration::validating(&within.namespace, "configmaps");
    let webhook = Webhook::start(within.cluster, &registration, Behaviour::Reject("not on a Friday".into()));
    within.objects(&[("m", map(&within, "m", &json!({ "a": "1" })), "")]);
    let problems = within.refused();
    let denied = |(summary, detail): &(String, String)| summary == "refused by the API server" && detail.contains("not on a Friday");
    assert!(problems.len() == 1 && problems.iter().all(denied), "{problems:?}");

    let rows = [
        (Behaviour::RejectDryRuns("this webhook does not support dry run".into()), "does not support dry run"),
        (Behaviour::Slow(Duration::from_secs(6)), "failed calling webhook"),
        (Behaviour::Break, "failed calling webhook"),
    ];
    for (behaviour, words) in rows {
        webhook.behave(behaviour);
        let plan = within.plan();
        assert!(matches!(&plan.not_previewed()[..], [(_, why)] if why.contains(words)), "{:?}", plan.not_previewed());
    }
    // An apply waits for a webhook that may just be starting.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(2));
            webhook.behave(Behaviour::Allow);
        });
        within.apply();
    });
    within.assert_converged();
    within.destroy();
}

#[test]
fn a_refusal_by_what_the_plan_changes_is_no_error() {
    let Some(within) = Within::shared() else { return };
    let webhook = Webhook::start(within.cluster, &Registration::validating(&within.namespace, "configmaps"), Behaviour::Allow);
    let backend = |label: &str| {
        let metadata = json!({ "name": "backend", "namespace": within.namespace, "labels": { "rules": label } });
        ("backend", json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }), "")
    };
    let guarded = || ("m", map(&within, "m", &json!({ "a": "1" })), "depends_on = [kubernetes_manifest.backend]");
    within.objects(&[backend("1")]);
    within.apply();
    webhook.behave(Behaviour::Reject("not by these rules".into()));
    within.objects(&[backend("1"), guarded()]);
    assert_eq!(within.refused().len(), 1, "nothing that it comes from changes");
    within.objects(&[backend("2"), guarded()]);
    let told = within.plan().not_previewed();
    let why = "the server refuses it today, and what it comes from changes in this plan";
    assert_eq!(told, [("kubernetes_manifest.m".to_owned(), why.to_owned())]);
    webhook.behave(Behaviour::Allow);
    within.apply();
    within.assert_converged();
    within.destroy();
}

#[test]
fn a_webhook_with_side_effects_is_not_asked_for_previews() {
    let Some(within) = Within::shared() else { return };
    let registration = Registration { side_effects: "Some", ..Registration::validating(&within.namespace, "configmaps") };
    let webhook = Webhook::start(within.cluster, &registration, Behaviour::Allow);
    within.objects(&[("m", map(&within, "m", &json!({ "a": "1" })), "")]);
    let told = within.plan().not_previewed();
    assert!(matches!(&told[..], [(_, why)] if why.contains("does not support dry run (400)")), "{told:?}");
    assert_eq!(webhook.reviews(), Vec::<Value>::new());
    within.apply();
    assert_eq!(webhook.reviews().len(), 1);
    within.assert_converged();
    within.destroy();
}

#[test]
fn a_webhook_that_is_down_keeps_plans_from_previews_if_it_must_answer() {
    let Some(within) = Within::shared() else { return };
    let rows = [("configmaps", "Fail", "connection refused"), ("secrets", "Ignore", "")];
    let mut webhooks = rows.map(|(resource, failure_policy, _)| {
        let registration = Registration { failure_policy, ..Registration::validating(&within.namespace, resource) };
        Webhook::start(within.cluster, &registration, Behaviour::Allow)
    });
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": within.namespace } });
    within.objects(&[("m", map(&within, "m", &json!({})), ""), ("s", secret, "")]);
    assert_eq!(within.plan().not_previewed(), []);
    webhooks.iter_mut().for_each(Webhook::go_down);
    let told = within.plan().not_previewed();
    let down = |why: &str| why.contains("failed calling webhook") && why.contains("connection refused");
    assert!(matches!(&told[..], [(address, why)] if address == "kubernetes_manifest.m" && down(why)), "{told:?}");
    drop(webhooks);
    within.apply();
    within.assert_converged();
    within.destroy();
}

#[test]
fn a_webhook_that_changes_objects_is_no_drift() {
    let Some(within) = Within::shared() else { return };
    let registration = Registration::mutating(&within.namespace, "configmaps");
    let patch = json!([{ "op": "add", "path": "/data/a", "value": "theirs" }, { "op": "add", "path": "/data/b", "value": "more" }]);
    let webhook = Webhook::start(within.cluster, &registration, Behaviour::Patch(patch));
    within.objects(&[("m", map(&within, "m", &json!({ "a": "1" })), "")]);
    within.apply();
    assert_eq!(within.cluster.api().get(&within.path("/api/v1 configmaps/m")).unwrap()["data"], json!({ "a": "theirs", "b": "more" }));
    within.assert_converged();
    within.objects(&[("m", map(&within, "m", &json!({ "a": "1", "c": "2" })), "")]);
    assert_eq!(within.plan().reasons(), [("kubernetes_manifest.m".to_owned(), "`data.c` changed in configuration".to_owned())]);
    within.apply();
    within.assert_converged();
    // A delete cannot be changed.
    webhook.behave(Behaviour::Allow);
    within.destroy();
}

#[test]
fn what_the_plan_brings_is_not_asked_about() {
    let Some(within) = Within::shared() else { return };
    let name = within.cluster.name("brought");
    let held = |label: &str, namespace: &str| {
        format!(
            "resource \"kubernetes_manifest\" \"{label}\" {{\n  cluster = data.kubernetes_cluster.c\n  manifest = {{\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata = {{ name = \"{label}\", namespace = {namespace} }}\n  }}\n}}\n"
        )
    };
    let namespace = format!("resource \"kubernetes_namespace\" \"n\" {{\n  cluster = data.kubernetes_cluster.c\n  name = \"{name}\"\n}}\n");
    within.configure(&[namespace, held("a", "kubernetes_namespace.n.name"), held("b", &format!("\"{name}\""))].concat());
    let told = within.plan().not_previewed();
    let asked = "what it needs is not there yet: namespaces \"";
    let [(a, unasked), (b, why)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((a.as_str(), unasked.as_str()), ("kubernetes_manifest.a", "made from what this plan makes"));
    assert!(b == "kubernetes_manifest.b" && why.starts_with(asked), "{told:?}");
    // One of them says nothing of the namespace, and may come first.
    within.apply();
    within.assert_converged();
    within.destroy();
}

#[test]
fn what_is_secret_stays_so_in_the_words_of_others() {
    let Some(within) = Within::shared() else { return };
    let registration = Registration::validating(&within.namespace, "secrets");
    let words = "hunter2-and-more is weak, aHVudGVyMi1hbmQtbW9yZQ== too";
    let webhook = Webhook::start(within.cluster, &registration, Behaviour::Reject(words.into()));
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "namespace": within.namespace },
        "stringData": { "k": "hunter2-and-more" } });
    within.objects(&[("s", secret, "")]);
    let told = within.scenario.run(&["plan"]).expect_code(1).all();
    webhook.behave(Behaviour::RejectDryRuns(format!("no dry run: {words}")));
    let shown = within.scenario.run(&["plan"]).expect_code(0).all();
    webhook.behave(Behaviour::Reject(words.into()));
    for text in [told, shown] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMi1") && text.contains(" is weak"), "{text}");
    }
    assert!(Api::by(within.cluster.admin()).get(&within.path("/api/v1 secrets/s")).is_none());
}
