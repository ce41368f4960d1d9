//! What is there before us: it is refused and told whose it is, or taken over as a whole.

use crate::within::Within;
use serde_json::{Value, json};

/// How many files, and how many objects in each.
const FILES: usize = 10;
const EACH: usize = 20;

/// Writes manifests of `ConfigMaps` that hold a value into the directory `rules`.
fn write(within: &Within, value: &str) {
    for file in 0..FILES {
        let object = |at| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: c{file}-{at}, labels: {{ of: us }} }}\ndata: {{ k: {value} }}\n")
        };
        let text: Vec<_> = (0..EACH).map(object).collect();
        within.scenario.write(&format!("rules/{file}.yaml"), &text.join("---\n"));
    }
}

/// A configuration of the directory `rules` as one set.
fn configure(within: &Within, line: &str) {
    within.configure(&format!(
        "data \"kubernetes_manifest_source\" \"s\" {{\n  path = \"rules\"\n}}\nresource \"kubernetes_manifests\" \"m\" {{\n  \
         cluster = data.kubernetes_cluster.c\n  namespace = \"NAMESPACE\"\n  objects = data.kubernetes_manifest_source.s.objects\n  {line}\n}}\n"
    ));
}

/// Applies a file or directory as people do.
fn kubectl_apply(within: &Within, path: &str) {
    let path = within.scenario.path().join(path).display().to_string();
    let output = within.cluster.kubectl(&["apply", "--namespace", &within.namespace, "-f", &path]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The objects of the set: name and uid, and the value that all of them hold.
fn objects(within: &Within) -> (Vec<(String, String)>, Option<String>) {
    let list = within.cluster.api().get(&format!("{}?labelSelector=of", within.path("/api/v1 configmaps"))).unwrap();
    let items = list["items"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let named = items.iter().map(|item| (text(&item["metadata"]["name"]), text(&item["metadata"]["uid"]))).collect();
    let value = items.first().map(|item| text(&item["data"]["k"]));
    assert!(items.iter().all(|item| item["data"]["k"].as_str() == value.as_deref()), "some hold other values");
    (named, value)
}

#[test]
fn two_hundred_objects_that_kubectl_made_are_told_as_such_and_taken_over() {
    let Some(within) = Within::shared() else { return };
    write(&within, "a");
    kubectl_apply(&within, "rules");
    let (before, _) = objects(&within);
    assert_eq!(before.len(), FILES * EACH);

    configure(&within, "");
    let problems = within.refused();
    let told = |(summary, detail): &(String, String)| {
        summary == "exists, not ours"
            && detail.contains("is not managed by this state; it was written by `kubectl-client-side-apply` at 20")
    };
    assert!(problems.iter().all(told), "{:?}", problems.first());
    assert_eq!(problems.len(), FILES * EACH);
    assert_eq!(within.scenario.addresses(), Vec::<String>::new());

    configure(&within, "on_exists = \"adopt\"");
    within.apply();
    within.assert_converged();
    assert_eq!(objects(&within), (before, Some("a".to_owned())));

    // What kubectl owns as well, it may write: that is drift, and given way to what is configured.
    write(&within, "b");
    kubectl_apply(&within, "rules/1.yaml");
    write(&within, "a");
    let reasons = within.plan().reasons();
    let drifted = |(_, reason): &&(String, String)| reason.starts_with("`data.k` changed outside by `kubectl-client-side-apply`");
    assert_eq!(reasons.iter().filter(drifted).count(), EACH, "{:?}", reasons.first());
    within.apply();
    within.assert_converged();
    assert_eq!(objects(&within).1.as_deref(), Some("a"));

    std::fs::remove_file(within.scenario.path().join("rules/0.yaml")).unwrap();
    within.apply();
    assert_eq!(objects(&within).0.len(), (FILES - 1) * EACH, "what leaves the set goes, whoever made it");
    within.destroy();
    assert_eq!(objects(&within).0, []);
}

#[test]
fn what_was_adopted_goes_with_the_resource_or_is_given_up() {
    let Some(within) = Within::shared() else { return };
    let path = within.path("/api/v1 configmaps");
    let map = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": within.namespace }, "data": { "k": "v" } });
    for name in ["gone", "kept"] {
        within.cluster.api().make(&path, &map(name));
    }
    let adopt = "on_exists = \"adopt\"";
    within.objects(&[("gone", map("gone"), adopt), ("kept", map("kept"), adopt)]);
    within.apply();
    within.assert_converged();
    within.configure("removed {\n  from = kubernetes_manifest.kept\n  lifecycle {\n    destroy = false\n  }\n}\n");
    within.apply();
    within.destroy();
    let there = |name: &str| within.cluster.api().get(&format!("{path}/{name}"));
    assert_eq!(there("gone"), None);
    assert_eq!(there("kept").unwrap()["data"], json!({ "k": "v" }));
}

#[test]
fn what_changes_when_something_is_taken_over_is_shown_before() {
    let Some(within) = Within::shared() else { return };
    let namespace = &within.namespace;
    let object = |kind: &str, name: &str, more: Value| {
        let mut object = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name, "namespace": namespace } });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let map = |data: Value| object("ConfigMap", "m", json!({ "data": data }));
    let secret = |text: &str| object("Secret", "s", json!({ "stringData": { "k": text } }));
    let service = |cluster_ip: &str| object("Service", "v", json!({ "spec": { "clusterIP": cluster_ip, "ports": [{ "port": 80 }] } }));
    let there = [map(json!({ "a": "before", "theirs": "x" })), secret("hunter2"), service("None")];
    for (at, object) in there.iter().enumerate() {
        let path = format!("{at}.json");
        within.scenario.write(&path, &object.to_string());
        kubectl_apply(&within, &path);
    }
    let path = within.path("/api/v1 configmaps/m");
    let uid = within.cluster.api().get(&path).unwrap()["metadata"]["uid"].clone();

    let adopt = "on_exists = \"adopt\"";
    let ours = map(json!({ "a": "after", "new": "y" }));
    within.objects(&[("m", ours.clone(), adopt), ("s", secret("hunter3"), adopt)]);
    let shown = within.scenario.run(&["plan"]).expect_code(0).stdout;
    let exists = format!("exists as `v1/ConfigMap/{namespace}/m`, `data.a`, `data.new` changes");
    for words in [&*exists, "\"before\"", "\"after\"", "2 to import"] {
        assert!(shown.contains(words), "no `{words}` in {shown}");
    }
    assert!(!shown.contains("theirs") && !shown.contains("hunter"), "{shown}");
    within.apply();
    within.assert_converged();
    let map = within.cluster.api().get(&path).unwrap();
    assert_eq!((&map["metadata"]["uid"], &map["data"]), (&uid, &json!({ "a": "after", "new": "y", "theirs": "x" })));

    // One record of it is enough, and nothing of others is deleted to be made anew.
    within.objects(&[("n", ours, adopt), ("s", secret("hunter3"), adopt), ("v", service("10.96.77.7"), adopt)]);
    let problems = within.refused();
    let told = |wanted: &str, words: &str| problems.iter().any(|(summary, detail)| summary == wanted && detail.contains(words));
    assert!(told("managed already", "is managed already, as `kubernetes_manifest.m`"), "{problems:?}");
    assert!(told("import would replace", "`spec.clusterIP"), "{problems:?}");
    within.configure("");
    within.destroy();
}

#[test]
fn what_another_state_has_is_taken_over_by_force_alone() {
    let Some(within) = Within::shared() else { return };
    let (api, path) = (within.cluster.api(), within.path("/api/v1 configmaps/m"));
    let map = |value: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": within.namespace }, "data": { "k": value } });
    let other = "meshplan/r0ther";
    for (there, lines, words) in [
        ("1", "", Some("it belongs to another meshplan state, whose manager is `meshplan/r0ther`")),
        ("2", "on_exists = \"adopt\"", Some("names is managed by another state, as `meshplan/r0ther`")),
        ("1", "on_exists = \"adopt\"", Some("names is managed by another state, as `meshplan/r0ther`")),
        ("1", "on_exists = \"adopt\"\n  force = true", None),
        ("2", "on_exists = \"adopt\"\n  force = true", None),
    ] {
        let uid = api.apply(&path, other, &map(there))["metadata"]["uid"].clone();
        within.objects(&[("m", map("1"), lines)]);
        if let Some(words) = words {
            let refused = within.refused();
            assert!(refused.iter().any(|(_, detail)| detail.contains(words)), "{there}, {lines}: {refused:?}");
            let failed = within.fail();
            assert!(failed.contains(words), "{there}, {lines}: {failed}");
            let live = api.get(&path).unwrap();
            assert_eq!((&live["metadata"]["uid"], &live["data"]["k"]), (&uid, &json!(there)), "{lines}");
            api.delete(&path);
            continue;
        }
        let warned = within.apply().stderr;
        assert!(warned.contains("warning: taken from another state") && warned.contains(other), "{warned}");
        within.assert_converged();
        let live = api.get(&path).unwrap();
        assert_eq!((&live["metadata"]["uid"], &live["data"]["k"]), (&uid, &json!("1")), "{lines}");
        within.destroy();
        assert_eq!(api.get(&path), None, "{lines}");
    }
}
