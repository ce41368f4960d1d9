//! `data.kubernetes_objects` on a real cluster: what is chosen, in what order, and what is told where that cannot be listed.

use crate::within::Within;
use serde_json::{Value, json};

/// A configuration that lists, by these arguments, and puts out what `of` makes of `objects`.
fn listing(within: &Within, arguments: &str, of: &str) {
    within.configure(&format!(
        "data \"kubernetes_objects\" \"all\" {{\n  cluster = data.kubernetes_cluster.c\n{arguments}\n}}\n\
         locals {{\n  objects = data.kubernetes_objects.all.objects\n}}\noutput \"found\" {{\n  value = {of}\n}}\n"
    ));
}

/// The output after an apply.
fn found(within: &Within) -> Value {
    within.apply();
    serde_json::from_str(&within.scenario.run(&["output", "--json", "found"]).expect_code(0).stdout).unwrap()
}

const MAPS: &str = "  api_version = \"v1\"\n  kind = \"ConfigMap\"\n";
const IDS: &str = "[for object in local.objects : \"${object.metadata.namespace}/${object.metadata.name}\"]";

fn map(within: &Within, namespace: &str, name: &str, labels: &Value) {
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "labels": labels }, "data": { "k": name } });
    within.cluster.api().make(&format!("/api/v1/namespaces/{namespace}/configmaps"), &map);
}

#[test]
fn objects_are_chosen_by_namespace_labels_and_fields_and_come_in_order() {
    let Some(within) = Within::shared() else { return };
    let other = within.cluster.namespace();
    let (first, second) = if within.namespace < other { (&within.namespace, &other) } else { (&other, &within.namespace) };
    let mark = within.cluster.name("listed");
    for (namespace, name, tier) in [(second, "b", "web"), (second, "a", "api"), (first, "c", "web"), (first, "d", "none")] {
        map(&within, namespace, name, &json!({ "mark": mark, "tier": tier }));
    }
    let (all, ours) = (format!("{MAPS}  label_selector = \"mark={mark}"), format!("{MAPS}  namespace = \"{second}\"\n"));
    for (arguments, expected) in [
        (format!("{all}\""), vec![(first, "c"), (first, "d"), (second, "a"), (second, "b")]),
        (format!("{all},tier in (web, api)\""), vec![(first, "c"), (second, "a"), (second, "b")]),
        (format!("{all},!tier\""), vec![]),
        (format!("{all}\"\n  field_selector = \"metadata.name!=a,metadata.namespace={second}\""), vec![(second, "b")]),
        (format!("{ours}  label_selector = \"tier\""), vec![(second, "a"), (second, "b")]),
        (format!("{ours}  field_selector = \"metadata.name=b\""), vec![(second, "b")]),
        (format!("{MAPS}  namespace = \"not-there\""), vec![]),
    ] {
        listing(&within, &arguments, IDS);
        let expected: Vec<_> = expected.iter().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
        assert_eq!(found(&within), json!(expected), "{arguments}");
    }
    listing(&within, &format!("{ours}  label_selector = \"tier=web\""), "local.objects");
    let object = found(&within)[0].clone();
    assert_eq!((&object["apiVersion"], &object["kind"], &object["data"]), (&json!("v1"), &json!("ConfigMap"), &json!({ "k": "b" })));
    assert!(object["metadata"]["uid"].is_string() && object["metadata"]["managedFields"].is_null(), "{object}");
    within.assert_converged();
    map(&within, second, "e", &json!({ "tier": "web" }));
    within.scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2);
}

#[test]
fn many_objects_come_by_pages() {
    let Some(within) = Within::shared() else { return };
    for number in 0..510 {
        map(&within, &within.namespace, &format!("m{number:03}"), &json!({ "odd": (number % 5 == 4).to_string() }));
    }
    let within_ours = format!("{MAPS}  namespace = \"NAMESPACE\"\n  field_selector = \"metadata.name!=kube-root-ca.crt\"\n");
    let ends = "{ count = length(local.objects), last = local.objects[length(local.objects) - 1].data.k }";
    listing(&within, &within_ours, ends);
    assert_eq!(found(&within), json!({ "count": 510, "last": "m509" }));
    listing(&within, &format!("{within_ours}  label_selector = \"odd=false\""), ends);
    assert_eq!(found(&within), json!({ "count": 408, "last": "m508" }));
}

#[test]
fn what_secrets_hold_is_not_shown() {
    let Some(within) = Within::shared() else { return };
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "labels": { "ours": "yes" } }, "stringData": { "k": "hunter2" } });
    within.scenario.write("secret.json", &secret.to_string());
    let file = within.scenario.path().join("secret.json").display().to_string();
    // It keeps a copy in an annotation.
    assert!(within.cluster.kubectl(&["-n", &within.namespace, "apply", "-f", &file]).status.success());
    let arguments = "  api_version = \"v1\"\n  kind = \"Secret\"\n  namespace = \"NAMESPACE\"\n  label_selector = \"ours=yes\"";
    for hidden in ["local.objects[0].data.k", "local.objects[0].metadata.annotations"] {
        listing(&within, arguments, hidden);
        let told = within.scenario.run(&["plan"]).expect_code(1).all();
        assert!(told.contains("sensitive") && !told.contains("hunter2") && !told.contains("aHVudGVyMg"), "{told}");
    }
    listing(&within, arguments, "local.objects[0].metadata.name");
    assert_eq!(found(&within), json!("s"));
    let object = "data \"kubernetes_object\" \"s\" {\n  cluster = data.kubernetes_cluster.c\n  api_version = \"v1\"\n  kind = \"Secret\"\n  \
        namespace = \"NAMESPACE\"\n  name = \"s\"\n}\noutput \"found\" {\n  value = data.kubernetes_object.s.object.metadata.annotations\n}\n";
    within.configure(object);
    let told = within.scenario.run(&["plan"]).expect_code(1).all();
    assert!(told.contains("sensitive") && !told.contains("hunter2"), "{told}");
}

#[test]
fn what_cannot_be_listed_is_told() {
    let Some(within) = Within::shared() else { return };
    let kind = |api_version: &str, kind: &str, more: &str| format!("  api_version = \"{api_version}\"\n  kind = \"{kind}\"\n{more}");
    let problems = |arguments: String| {
        listing(&within, &arguments, IDS);
        within.refused()
    };
    for (arguments, summary, words) in [
        (kind("example.org/v1", "Nothing", ""), "unknown kind of object", "knows no kind `Nothing` of `example.org/v1`"),
        (kind("v1", "Node", "  namespace = \"NAMESPACE\""), "namespace not used", "`Node`"),
        (kind("v1", "ConfigMap", "  label_selector = \"a in b\""), "objects not listed", "unable to parse requirement"),
        (kind("v1", "ConfigMap", "  field_selector = \"data.k=v\""), "objects not listed", "not a known field selector"),
    ] {
        let told = problems(arguments);
        assert!(told.len() == 1 && told[0].0 == summary && told[0].1.contains(words), "{told:?}");
    }
    let name = within.cluster.name("lister");
    let rules = [("namespaces", "get"), ("configmaps", "list")]
        .map(|(what, verb)| json!({ "apiGroups": [""], "resources": [what], "verbs": [verb] }));
    within.reach(&within.cluster.user(&name, &rules));
    let told = problems(kind("v1", "Secret", ""));
    let words = [&name, "cannot list resource \"secrets\""];
    assert!(told.len() == 1 && told[0].0 == "objects not listed" && words.iter().all(|words| told[0].1.contains(*words)), "{told:?}");
    listing(&within, &kind("v1", "ConfigMap", "  namespace = \"NAMESPACE\""), "length(local.objects)");
    assert_eq!(found(&within), json!(1), "the one that every namespace has");
}

#[test]
fn what_the_plan_brings_is_listed_when_it_is_there() {
    let Some(within) = Within::shared() else { return };
    let listed = |size: u8| {
        within.configure(&format!(
            "resource \"kubernetes_manifest\" \"m\" {{\n  cluster = data.kubernetes_cluster.c\n  manifest = {{\n    apiVersion = \"v1\", kind = \"ConfigMap\"\n    \
             metadata = {{ name = \"m\", namespace = \"NAMESPACE\", labels = {{ ours = \"yes\" }} }}\n    data = {{ size = \"{size}\" }}\n  }}\n}}\n\
             data \"kubernetes_objects\" \"all\" {{\n  cluster = data.kubernetes_cluster.c\n{MAPS}  namespace = \"NAMESPACE\"\n  \
             label_selector = \"ours=yes\"\n  depends_on = [kubernetes_manifest.m]\n}}\n\
             output \"found\" {{\n  value = [for object in data.kubernetes_objects.all.objects : object.data.size]\n}}\n"
        ));
        found(&within)
    };
    assert_eq!(listed(1), json!(["1"]));
    within.assert_converged();
    assert_eq!(listed(2), json!(["2"]));
    within.assert_converged();
}
