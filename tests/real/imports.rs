//! Objects that exist on a real cluster become ours: what changes is what the server says changes, and nobody else loses anything.

use crate::within::Within;
use serde_json::{Value, json};

const OURS: &str = r#"
resource "kubernetes_namespace" "n" {
  cluster = data.kubernetes_cluster.c
  name    = "NAMESPACE"
  labels  = { "istio-injection" = "enabled" }
}
resource "kubernetes_secret" "keys" {
  cluster   = data.kubernetes_cluster.c
  namespace = "NAMESPACE"
  name      = "keys"
  data      = { key = "hunter2" }
}
resource "kubernetes_manifest" "web" {
  cluster = data.kubernetes_cluster.c
  wait    = false
  yaml    = <<-YAML
    apiVersion: apps/v1
    kind: Deployment
    metadata: { name: web, namespace: NAMESPACE }
    spec:
      replicas: 1
      selector: { matchLabels: { app: web } }
      template:
        metadata: { labels: { app: web } }
        spec:
          containers:
            - name: web
              image: example.test/web:1
              resources: { limits: { cpu: 1000m } }
  YAML
}
resource "kubernetes_manifest" "role" {
  cluster  = data.kubernetes_cluster.c
  manifest = {
    apiVersion = "rbac.authorization.k8s.io/v1"
    kind       = "ClusterRole"
    metadata   = { name = "NAMESPACE-reader" }
    rules      = [{ apiGroups = [""], resources = ["pods"], verbs = ["get", "list"] }]
  }
}
import {
  to = kubernetes_namespace.n
  id = "NAMESPACE"
}
import {
  to = kubernetes_secret.keys
  id = "NAMESPACE/keys"
}
import {
  to = kubernetes_manifest.web
  id = "apiVersion=apps/v1,kind=Deployment,namespace=NAMESPACE,name=web"
}
import {
  to = kubernetes_manifest.role
  id = "rbac.authorization.k8s.io/v1/ClusterRole/NAMESPACE-reader"
}
"#;

/// A map that is imported, with a line more.
fn map(value: &str, line: &str) -> String {
    format!(
        "resource \"kubernetes_manifest\" \"m\" {{\n  cluster = data.kubernetes_cluster.c\n  {line}\n  manifest = {{ apiVersion = \"v1\", kind = \"ConfigMap\", \
         metadata = {{ name = \"m\", namespace = \"NAMESPACE\" }}, data = {{ a = \"{value}\" }} }}\n}}\n\
         import {{\n  to = kubernetes_manifest.m\n  id = \"v1/ConfigMap/NAMESPACE/m\"\n}}\n"
    )
}

fn map_of(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": data })
}

/// The managers that own something of an object.
fn managers(object: &Value) -> Vec<&str> {
    let entries = object["metadata"]["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(|entry| entry["manager"].as_str()).collect()
}

#[test]
fn what_kubectl_made_becomes_ours_and_changes_where_it_is_not_as_configured() {
    let Some(within) = Within::shared() else { return };
    let api = within.cluster.api();
    let template = json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [
        { "name": "web", "image": "example.test/web:1", "resources": { "limits": { "cpu": "1" } } }] } });
    let web = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "annotations": { "by": "hand" } },
        "spec": { "replicas": 1, "selector": { "matchLabels": { "app": "web" } }, "template": template } });
    api.make(&within.path("/apis/apps/v1 deployments"), &web);
    let keys =
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "keys" }, "data": { "key": "aHVudGVyMQ==", "more": "eA==" } });
    api.make(&within.path("/api/v1 secrets"), &keys);
    let rules = json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }]);
    let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": format!("{}-reader", within.namespace) }, "rules": rules });
    api.make("/apis/rbac.authorization.k8s.io/v1/clusterroles", &role);
    let path = within.path("/apis/apps/v1 deployments/web");
    let before = api.get(&path).unwrap();

    within.configure(OURS);
    let plan = within.plan();
    let changes: Vec<_> =
        plan.reasons().into_iter().map(|(address, why)| (address, why.split_once("`, ").map(|(_, rest)| rest.to_owned()))).collect();
    let expected = [
        ("kubernetes_manifest.role", Some("`rules` changes")),
        ("kubernetes_manifest.web", None),
        ("kubernetes_namespace.n", Some("`metadata.labels.istio-injection` changes")),
        ("kubernetes_secret.keys", Some("`data.key` changes")),
    ];
    let expected = expected.map(|(address, why)| (address.to_owned(), why.map(str::to_owned)));
    assert!(
        changes.iter().zip(&expected).all(|(found, expected)| found.0 == expected.0 && found.1.is_some() == expected.1.is_some()),
        "{changes:?}"
    );
    assert_eq!(changes[2..], expected[2..]);
    assert!(changes[0].1.as_deref().unwrap_or_default().starts_with("`rules"), "{changes:?}");
    let counts = &plan.events("plan")[0]["counts"];
    assert_eq!((&counts["import"], &counts["change"], &counts["add"]), (&json!(4), &json!(3), &json!(0)));
    let applied = within.apply().all();
    assert!(applied.contains("4 imported, 0 added, 3 changed") && !applied.contains("hunter"), "{applied}");
    within.assert_converged();

    let after = api.get(&path).unwrap();
    for part in ["/metadata/uid", "/metadata/generation", "/metadata/annotations/by", "/spec"] {
        assert_eq!(after.pointer(part), before.pointer(part), "{part}");
    }
    let secret = api.get(&within.path("/api/v1 secrets/keys")).unwrap();
    assert_eq!(secret["data"], json!({ "key": "aHVudGVyMg==", "more": "eA==" }));
    // The blocks may go, and what is ours can be changed like all that is.
    within.configure(&OURS.split("import {").next().unwrap().replace("replicas: 1", "replicas: 2"));
    assert_eq!(within.plan().reasons(), [("kubernetes_manifest.web".to_owned(), "`spec.replicas` changed in configuration".to_owned())]);
    within.apply();
    within.assert_converged();
}

#[test]
fn what_another_owns_is_not_taken_unless_it_is_said() {
    let Some(within) = Within::shared() else { return };
    let (api, path) = (within.cluster.api(), within.path("/api/v1 configmaps/m"));
    let mut applied = map_of(&json!({ "a": "1", "b": "1" }));
    applied["metadata"]["namespace"] = json!(within.namespace);
    api.apply(&path, "argocd", &applied);
    within.configure(&map("2", ""));
    let refused = within.refused();
    assert_eq!(refused[0].0, "field conflict", "{refused:?}");
    assert!(refused[0].1.contains("manager `argocd` owns `data.a`"), "{refused:?}");
    // The same value is nobody's loss: both own it.
    within.configure(&map("1", ""));
    within.apply();
    within.assert_converged();
    let both = api.get(&path).unwrap();
    assert!(managers(&both).contains(&"argocd") && managers(&both).iter().any(|manager| manager.starts_with("meshplan/")), "{both:#}");
    within.destroy();

    // What bears another state's mark is not taken, also where both say the same; by force it is, and that is told.
    api.apply(&path, "meshplan/other", &applied);
    for value in ["1", "2"] {
        within.configure(&map(value, ""));
        let refused = within.refused();
        assert_eq!(refused[0].0, "managed by another state", "{refused:?}");
        assert!(refused[0].1.ends_with("names is managed by another state, as `meshplan/other`"), "{refused:?}");
    }
    within.configure(&map("2", "force = true"));
    let told = within.plan().events("diagnostic");
    assert!(told.len() == 1 && told[0]["summary"] == "taken from another state", "{told:?}");
    assert!(told[0]["detail"].as_str().unwrap().ends_with("as `meshplan/other`"), "{told:?}");
    within.apply();
    within.assert_converged();
    assert_eq!(api.get(&path).unwrap()["data"], json!({ "a": "2", "b": "1" }));
    within.destroy();
}

#[test]
fn what_is_not_there_going_or_unreadable_is_not_created() {
    let Some(within) = Within::shared() else { return };
    let (api, path) = (within.cluster.api(), within.path("/api/v1 configmaps/m"));
    within.configure(&map("1", ""));
    let refused = within.refused();
    assert_eq!(refused[0].0, "nothing to import", "{refused:?}");
    let mut held = map_of(&json!({ "a": "1" }));
    held["metadata"]["finalizers"] = json!(["example.test/held"]);
    api.make(&within.path("/api/v1 configmaps"), &held);

    let rules = [json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] })];
    within.reach(&within.cluster.user(&within.cluster.name("blind"), &rules));
    let blocked = within.plan().events("blocked");
    assert!(blocked.len() == 1 && blocked[0]["why"].as_str().unwrap().contains("cannot get resource"), "{blocked:?}");
    within.reach(within.cluster.admin());

    api.delete(&path);
    let refused = within.refused();
    assert!(refused[0].0 == "nothing to import" && refused[0].1.ends_with("is being deleted"), "{refused:?}");
    api.edit(&path, &json!({ "metadata": { "finalizers": null } }));
    api.make(&within.path("/api/v1 configmaps"), &map_of(&json!({ "a": "1" })));
    assert_eq!(within.plan().reasons()[0].1, format!("exists as `v1/ConfigMap/{}/m`", within.namespace));
    within.apply();
    within.assert_converged();
    within.destroy();
}
