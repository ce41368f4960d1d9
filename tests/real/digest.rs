//! One digest for who may write, and is told by servers what would become of a change, and for who may only read.

use crate::within::Within;
use meshplan_tests::apiserver::webhook::{Behaviour, Registration, Webhook};
use serde_json::{Value, json};

/// A `ConfigMap` of the namespace.
fn map(within: &Within, name: &str, data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": within.namespace }, "data": data })
}

/// The digest that a plan ends with; nothing if there is nothing to do.
fn digest(within: &Within) -> Option<String> {
    let said = within.scenario.run(&["plan"]).expect_code(0).stdout;
    said.find("sha256:").map(|at| said[at..at + 71].to_owned())
}

#[test]
fn who_may_only_read_plans_what_another_applies() {
    let Some(within) = Within::shared() else { return };
    let service = |port: u64| {
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s", "namespace": within.namespace },
        "spec": { "clusterIP": "", "externalIPs": [], "selector": {}, "ports": [{ "port": port }] } })
    };
    let secret = |text: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "t", "namespace": within.namespace }, "stringData": { "t": text } });
    let webhook = Webhook::start(within.cluster, &Registration::mutating(&within.namespace, "configmaps"), Behaviour::Allow);
    let written = |data: &str| {
        let patch = json!([{ "op": "add", "path": "/data/by", "value": "the server" }]);
        webhook.behave(Behaviour::Patch(patch));
        map(&within, "w", &json!({ "by": data }))
    };
    let objects = |by: &str, port: u64, text: &str, more: &[(&str, Value, &str)]| {
        let first =
            [("w", written(by), ""), ("e", map(&within, "e", &json!({ "a": "1" })), ""), ("s", service(port), ""), ("t", secret(text), "")];
        within.objects(&first.into_iter().chain(more.iter().cloned()).collect::<Vec<_>>());
    };
    objects("us", 80, "one", &[]);
    within.apply();
    let rules = [
        json!({ "apiGroups": ["*"], "resources": ["configmaps", "secrets", "services"], "verbs": ["get", "list", "watch"] }),
        json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] }),
    ];
    let reader = within.cluster.user(&within.cluster.name("digests"), &rules);
    let edit = |manager: &str, changes: &Value| {
        let path = format!("{}?fieldManager={manager}", within.path("/api/v1 configmaps/e"));
        within.cluster.api().call("PATCH", &path, Some(changes)).done();
    };
    let both = || {
        let writer = digest(&within);
        within.reach(&reader);
        let reader = digest(&within);
        within.reach(within.cluster.admin());
        (writer, reader)
    };

    // The server would not change what its webhook writes anyway; nobody who only reads can know.
    objects("you", 80, "one", &[]);
    let (writer, one) = both();
    assert!(writer.is_none() && one.is_some(), "{writer:?} {one:?}");
    let said = within.scenario.run(&["apply", "--approve", &one.clone().unwrap()]).expect_code(0).all();
    assert!(said.contains("No changes"), "{said}");

    edit("kubectl-edit", &json!({ "data": { "a": "2" } }));
    objects("you", 81, "other", &[("n", map(&within, "n", &json!({ "by": "me" })), "")]);
    let (writer, reader) = both();
    assert!(writer.is_some() && writer == reader && reader != one, "{writer:?} {reader:?}");
    // A heartbeat and what others add does not count, another edit of what is ours does.
    edit("heart", &json!({ "metadata": { "annotations": { "beat": "1" }, "labels": { "team": "a" } }, "data": { "theirs": "1" } }));
    assert_eq!(both(), (reader.clone(), reader.clone()));
    edit("kubectl-edit", &json!({ "data": { "a": "3" } }));
    let (writer, last) = both();
    assert!(writer == last && last != reader, "{writer:?} {last:?}");
    within.scenario.run(&["apply", "--approve", &reader.unwrap()]).expect_code(1);
    within.scenario.run(&["apply", "--approve", &last.unwrap()]).expect_code(0);
    within.assert_converged();
    let there = within.cluster.api().get(&within.path("/api/v1 configmaps/e")).unwrap();
    assert_eq!(there["data"], json!({ "a": "1", "by": "the server", "theirs": "1" }));
    webhook.behave(Behaviour::Allow);
    within.destroy();
}
