//! From one version of Istio to the next, in sandboxes: revisions beside each other, what is in use, and clusters one after the other. A program plays
//! `istioctl`; `tests/real/revisions.rs` has the real one.

use meshplan_tests::cluster::Cluster;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value as Json, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];
const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/// It prints a control plane of its revision, and what a cluster has once where that is wanted, as far as names go. Its version is in its name.
const ISTIOCTL: &str = r#"#!/bin/sh
set -e
minor=${0##*-}
if [ "$1" = version ]; then echo "{\"clientVersion\":{\"version\":\"$minor.0\"}}"; exit; fi
input=$(cat)
told() { echo "$input" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
revision=$(told revision)
tag=$(told tag)
suffix=${revision:+-$revision}
rev=${revision:-default}
case $input in *'"base":{"enabled":false}'*) base=;; *) base=yes;; esac
if [ -n "$base" ]; then cat <<END
apiVersion: v1
kind: ServiceAccount
metadata: { name: istio-reader-service-account, namespace: istio-system }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: gateways.networking.istio.io, labels: { version: "$minor" } }
spec:
  group: networking.istio.io
  scope: Namespaced
  names: { kind: Gateway, plural: gateways, singular: gateway, listKind: GatewayList }
  versions:
  - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }
---
END
fi
case $input in *'"profile":"empty"'*) exit;; esac
cat <<END
apiVersion: v1
kind: ServiceAccount
metadata: { name: istiod$suffix, namespace: istio-system }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: istiod$suffix, namespace: istio-system, labels: { app: istiod, istio.io/rev: $rev } }
spec:
  selector: { matchLabels: { app: istiod, istio.io/rev: $rev } }
  template:
    metadata: { labels: { app: istiod, istio.io/rev: $rev } }
    spec: { containers: [{ name: discovery, image: "docker.io/istio/pilot:$tag" }] }
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: { name: istio-sidecar-injector$suffix, labels: { istio.io/rev: $rev } }
webhooks:
- name: rev.namespace.sidecar-injector.istio.io
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  namespaceSelector: { matchLabels: { istio.io/rev: $rev } }
  clientConfig: { service: { name: istiod$suffix, namespace: istio-system, path: /inject } }
END
"#;

/// A mesh of two clusters with a namespace for workloads in each.
const MESH: &str = r#"
variable "choice" {
  type    = map(string)
  default = { "istio.io/rev" = "stable" }
}
resource "sandbox_cluster" "this" {
  for_each = toset(["a", "b"])
  name     = each.key
}
module "mesh" {
  source = "builtin:multi-primary"
  clusters = { for name, cluster in sandbox_cluster.this : name => { cluster = cluster, network = name } }
  SETTINGS
}
resource "kubernetes_namespace" "sample" {
  for_each = sandbox_cluster.this
  cluster  = each.value
  name     = "sample"
  labels   = var.choice
}
"#;

fn set(scenario: &Scenario, settings: &str) {
    scenario.write("main.mesh.hcl", &MESH.replace("SETTINGS", settings));
}

/// A mesh with these settings, and `istioctl` of two versions in the `PATH`.
fn mesh(settings: &str) -> Scenario {
    with_programs(&MESH.replace("SETTINGS", settings))
}

fn with_programs(configuration: &str) -> Scenario {
    let mut scenario = Scenario::with(configuration);
    let bin = scenario.path().join("bin");
    for minor in ["1.30", "1.31"] {
        scenario.write(&format!("bin/istioctl-{minor}"), ISTIOCTL);
        fs::set_permissions(bin.join(format!("istioctl-{minor}")), fs::Permissions::from_mode(0o755)).unwrap();
    }
    scenario.set("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    scenario
}

/// What a plan would do, each change as action and address, without what stays as it is.
fn changes(scenario: &Scenario, more: &[&str]) -> Vec<String> {
    let told = scenario.run(&[&["plan", "--json"][..], more].concat()).expect_code(0).stdout;
    let events = told.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let text = |event: &Json, member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let planned = events.filter(|event| event["event"] == "planned_change");
    planned.map(|change| format!("{} {}", text(&change, "action"), text(&change, "address"))).collect()
}

/// Changes of these actions.
fn of<'a>(changes: &'a [String], actions: &[&str]) -> Vec<&'a str> {
    let is_one = |change: &&str| actions.iter().any(|action| change.starts_with(&format!("{action} ")));
    changes.iter().map(String::as_str).filter(is_one).collect()
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A pod that a revision has injected.
fn pod(name: &str, revision: &str) -> Json {
    let status = json!({ "containers": ["istio-proxy"], "revision": revision }).to_string();
    let metadata = json!({ "name": name, "annotations": { "sidecar.istio.io/status": status },
        "labels": { "service.istio.io/canonical-revision": "latest" } });
    let container = json!({ "name": "c", "image": "docker.io/library/none:1" });
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": { "containers": [container] } })
}

const PODS: &str = "/api/v1/namespaces/sample/pods";
const ONE: &str = r#"revisions = { stable = "1-30" }
  versions  = { "1-30" = "1.30.4" }"#;
const CANARY: &str = r#"revisions = { stable = "1-30", canary = "1-31" }
  versions  = { "1-30" = "1.30.4", "1-31" = "1.31.0" }"#;
const MOVED: &str = r#"revisions = { stable = "1-31" }
  versions  = { "1-30" = "1.30.4", "1-31" = "1.31.0" }"#;
const NEXT: &str = r#"revisions = { stable = "1-31" }
  versions  = { "1-31" = "1.31.0" }"#;

#[test]
fn a_canary_is_a_plan_for_each_step_and_none_takes_what_is_used() {
    let scenario = mesh(ONE);
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    let (a, b) = (Cluster::of(&scenario, "a"), Cluster::of(&scenario, "b"));
    let named = |cluster: &Cluster, tag: &str| {
        let webhook = cluster.get(&format!("{WEBHOOKS}/istio-revision-tag-{tag}")).unwrap();
        assert!(webhook["webhooks"][0]["clientConfig"]["caBundle"].is_string(), "{webhook}");
        (webhook["metadata"]["uid"].clone(), webhook["metadata"]["labels"]["istio.io/rev"].clone())
    };
    let (uid, revision) = named(&a, "stable");
    assert_eq!(revision, "1-30");
    for cluster in [&a, &b] {
        cluster.make(PODS, &pod("web", "1-30"));
    }

    // The canary comes, and nothing goes or is made anew. The definitions follow the newest version.
    set(&scenario, CANARY);
    let planned = changes(&scenario, &[]);
    for create in of(&planned, &["create"]) {
        assert!(create.contains("/1-31\"]") || create.contains("/canary\"]"), "{create}");
    }
    for update in of(&planned, &["update"]) {
        assert!(update.contains("istio_operator.primary["), "{update}");
    }
    assert_eq!(of(&planned, &["create", "update", "settle"]).len(), planned.len(), "{planned:?}");
    assert!(planned.contains(&"create module.mesh.istio_operator.revision[\"b/1-31\"]/Deployment/istio-system/istiod-1-31".to_owned()));
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    assert!(a.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod-1-30").is_some());

    // A namespace chooses it.
    let chosen = ["--var", "choice={ \"istio.io/rev\" = \"canary\" }"];
    let planned = changes(&scenario, &chosen);
    assert_eq!(planned, ["update kubernetes_namespace.sample[\"a\"]", "update kubernetes_namespace.sample[\"b\"]"]);

    // The name moves, in place, and the gateways with it.
    set(&scenario, MOVED);
    let planned = changes(&scenario, &[]);
    assert!(planned.iter().any(|change| change.contains("istio_eastwest_gateway.this[\"a\"]/Deployment/")), "{planned:?}");
    for deleted in of(&planned, &["delete", "replace"]) {
        assert!(deleted.contains("/canary\"]"), "{deleted}");
    }
    assert_eq!(of(&planned, &["create"]), Vec::<&str>::new());
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    assert_eq!(named(&a, "stable"), (uid, json!("1-31")));

    // As long as pods run with it, the old one stays.
    set(&scenario, NEXT);
    let refused = flat(&scenario.run(&["plan"]).expect_code(1).all());
    for words in ["error: still in use", "the revision `1-30` is still used: by pod `sample/web`", "istio_operator.revision[\"b/1-30\"]"] {
        assert!(refused.contains(words), "{words} in {refused}");
    }
    for cluster in [&a, &b] {
        cluster.delete(&format!("{PODS}/web"));
        cluster.make(PODS, &pod("web", "1-31"));
    }
    let planned = changes(&scenario, &[]);
    for change in &planned {
        assert!(change.starts_with("delete ") && change.contains("/1-30\"]"), "{change}");
    }
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    assert!(a.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod-1-30").is_none());
    assert!(a.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod-1-31").is_some());

    // With the clusters all of it goes, whoever uses it.
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert!(scenario.addresses().is_empty());
}

#[test]
fn a_mesh_without_revisions_gets_them_step_by_step() {
    let plain = r#"istio_version = "1.30.2""#;
    let beside = format!("{plain}\n  keep_unrevisioned = true\n  {ONE}");
    let choose = |label: &str| format!("choice={{ {label} }}");
    let (before, after) = (choose("\"istio-injection\" = \"enabled\""), choose("\"istio.io/rev\" = \"stable\""));
    let scenario = mesh(plain);
    scenario.run(&[&APPLY[..], &["--var", &before]].concat()).expect_code(0);
    let a = Cluster::of(&scenario, "a");
    a.make(PODS, &pod("web", "default"));
    let definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.networking.istio.io";
    let uid = |path: &str| a.get(path).unwrap()["metadata"]["uid"].clone();
    let token = "/api/v1/namespaces/istio-system/secrets/istio-reader-service-account-istio-remote-secret-token";
    let (kept, read) = (uid(definition), uid(token));

    set(&scenario, &beside);
    let planned = changes(&scenario, &["--var", &before]);
    assert_eq!(of(&planned, &["delete", "replace"]), Vec::<&str>::new());
    scenario.run(&[&APPLY[..], &["--var", &before]].concat()).expect_code(0);
    scenario.run(&[&SETTLED[..], &["--var", &before]].concat()).expect_code(0);

    set(&scenario, ONE);
    let refused = flat(&scenario.run(&["plan", "--var", &after]).expect_code(1).all());
    assert!(refused.contains("the revision `default` is still used: by pod `sample/web`"), "{refused}");
    a.delete(&format!("{PODS}/web"));
    let told = flat(&scenario.run(&["plan", "--var", &before]).expect_code(0).all());
    assert!(told.contains("warning: still named") && told.contains("namespace `sample`"), "{told}");
    let planned = changes(&scenario, &["--var", &after]);
    for deleted in of(&planned, &["delete", "replace"]) {
        assert!(deleted.starts_with("delete module.mesh.istio_operator.primary["), "{deleted}");
        assert!(!deleted.contains("CustomResourceDefinition") && !deleted.contains("reader"), "{deleted}");
    }
    assert_eq!(of(&planned, &["create"]), Vec::<&str>::new());
    scenario.run(&[&APPLY[..], &["--var", &after]].concat()).expect_code(0);
    scenario.run(&[&SETTLED[..], &["--var", &after]].concat()).expect_code(0);
    assert!(a.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod").is_none());
    assert_eq!((uid(definition), uid(token)), (kept, read), "rules and readers live through it");
}

#[test]
fn revisions_have_versions_that_fit() {
    for (settings, told) in [
        (r#"revisions = { stable = "1-30", canary = "1-31" }, versions = { "1-30" = "1.30.4" }"#, "it says none for 1-31"),
        (r#"revisions = { canary = "1-30" }, versions = { "1-30" = "1.30.4" }"#, "one of the names has to be `stable`"),
        (
            r#"revisions = { stable = "1-30" }, versions = { "1-30" = "1.31.0" }"#,
            "a revision that is called by a minor version is of that version",
        ),
        (r#"revisions = { stable = "x" }, versions = { x = "latest" }"#, "these are none: latest"),
        (r#"revisions = { stable = "1-30" }, versions = { "1-30" = "1.30.4" }, installer = "operator""#, "are installed by `istioctl`"),
    ] {
        let scenario = mesh(&settings.replace(", versions", "\n  versions").replace(", installer", "\n  installer"));
        let refused = flat(&scenario.run(&["plan"]).expect_code(1).all());
        assert!(refused.contains(told), "{told} in {refused}");
    }
}

/// A control plane in one cluster, with a workload beside it.
const ALONE: &str = r#"
variable "tag" {
  type    = string
  default = "1.30.2"
}
resource "sandbox_cluster" "this" {
  name = "a"
}
resource "kubernetes_namespace" "system" {
  cluster = sandbox_cluster.this
  name    = "istio-system"
}
resource "kubernetes_namespace" "sample" {
  cluster = sandbox_cluster.this
  name    = "sample"
}
resource "istio_operator" "plane" {
  cluster   = sandbox_cluster.this
  namespace = kubernetes_namespace.system.name
  tag       = var.tag
  revision  = "a"
}
"#;

/// A Deployment whose pods somebody makes.
const WORKLOAD: &str = r#"
resource "kubernetes_manifest" "web" {
  cluster = sandbox_cluster.this
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = kubernetes_namespace.sample.name }
    spec = {
      replicas = 0
      selector = { matchLabels = { app = "web" } }
      template = { metadata = { labels = { app = "web" } }, spec = { containers = [{ name = "c", image = "none:1" }] } }
    }
  }
}
"#;

#[test]
fn what_goes_with_the_same_plan_uses_nothing_and_goes_first() {
    let scenario = with_programs(&format!("{ALONE}{WORKLOAD}"));
    scenario.run(&APPLY).expect_code(0);
    let cluster = Cluster::of(&scenario, "a");
    let deployment = cluster.get("/apis/apps/v1/namespaces/sample/deployments/web").unwrap();
    let owned = |mut object: Json, kind: &str, name: &str, uid: &Json| {
        object["metadata"]["ownerReferences"] =
            json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true }]);
        object
    };
    let set = json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": { "name": "web-1" }, "spec": { "replicas": 0,
        "selector": { "matchLabels": { "app": "web" } }, "template": deployment["spec"]["template"] } });
    let sets = "/apis/apps/v1/namespaces/sample/replicasets";
    cluster.make(sets, &owned(set, "Deployment", "web", &deployment["metadata"]["uid"]));
    let set = cluster.get(&format!("{sets}/web-1")).unwrap();
    cluster.make(PODS, &owned(pod("web-1-x", "a"), "ReplicaSet", "web-1", &set["metadata"]["uid"]));

    // Only the control plane goes: its workload does not.
    let without = |configuration: &str| configuration.split("resource \"istio_operator\"").next().unwrap().to_owned();
    scenario.write("main.mesh.hcl", &format!("{}{WORKLOAD}", without(ALONE)));
    let refused = flat(&scenario.run(&["plan"]).expect_code(1).all());
    assert!(refused.contains("is still used: by pod `sample/web-1-x`"), "{refused}");
    // Another pod, which nobody plans anything about, is no less a user.
    cluster.make(PODS, &pod("other", "a"));
    scenario.write("main.mesh.hcl", &without(ALONE));
    let refused = flat(&scenario.run(&["plan"]).expect_code(1).all());
    assert!(refused.contains("is still used: by pod `sample/other`"), "{refused}");
    cluster.delete(&format!("{PODS}/other"));
    // Both go, the workload first.
    let output = scenario.run(&["apply", "--auto-approve", "--json"]).expect_code(0).stdout;
    let events: Vec<Json> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |event: &str, address: &str| events.iter().position(|line| line["event"] == event && line["address"] == address).unwrap();
    let webhook = "istio_operator.plane/MutatingWebhookConfiguration/istio-sidecar-injector-a";
    assert!(at("finished", "kubernetes_manifest.web") < at("started", webhook));
    let istiod = "istio_operator.plane/Deployment/istio-system/istiod-a";
    assert!(at("finished", webhook) < at("started", istiod));
}

#[test]
fn a_pod_that_comes_after_the_plan_keeps_the_control_plane() {
    let configuration =
        format!("{ALONE}{}", "").replace("  revision  = \"a\"", "  revision  = \"a\"\n  timeouts {\n    delete = \"1s\"\n  }");
    let scenario = with_programs(&configuration);
    scenario.run(&APPLY).expect_code(0);
    let cluster = Cluster::of(&scenario, "a");
    // It shows also where a plan does not look.
    cluster.make(PODS, &pod("late", "a"));
    cluster.make(PODS, &pod("later", "a"));
    let output =
        flat(&scenario.run(&["destroy", "--auto-approve", "--refresh=false", "--target", "istio_operator.plane"]).expect_code(1).all());
    assert!(output.contains("still in use") && output.contains("by pod `sample/late`, pod `sample/later`"), "{output}");
    assert!(cluster.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod-a").is_some(), "nothing of it is gone");
    assert!(cluster.get(&format!("{WEBHOOKS}/istio-sidecar-injector-a")).is_some());
    // Who keeps it after all needs nothing deleted first.
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn a_tag_of_somebody_elses_keeps_its_revision() {
    let scenario = with_programs(ALONE);
    scenario.run(&APPLY).expect_code(0);
    let cluster = Cluster::of(&scenario, "a");
    let tag = json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": "istio-revision-tag-old", "labels": { "istio.io/tag": "old", "istio.io/rev": "a" } }, "webhooks": [] });
    cluster.make(WEBHOOKS, &tag);
    let refused = flat(&scenario.run(&["destroy", "--auto-approve", "--target", "istio_operator.plane"]).expect_code(1).all());
    assert!(refused.contains("the revision `a` is still used: by tag `old`"), "{refused}");
    cluster.delete(&format!("{WEBHOOKS}/istio-revision-tag-old"));
    scenario.run(&["destroy", "--auto-approve", "--target", "istio_operator.plane"]).expect_code(0);
    assert!(cluster.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod-a").is_none());
}

#[test]
fn a_skipped_minor_version_is_refused_with_the_way() {
    let scenario = with_programs(ALONE);
    scenario.run(&APPLY).expect_code(0);
    for (tag, told) in [("1.32.0", "Go to 1.31 first, or let 1.32 stand beside 1.30"), ("1.28.4", "Go to 1.29 first")] {
        let refused = flat(&scenario.run(&["plan", "--var", &format!("tag={tag}")]).expect_code(1).all());
        assert!(refused.contains("error: minor version skipped") && refused.contains(told), "{refused}");
    }
    scenario.run(&[&APPLY[..], &["--var", "tag=1.31.0"]].concat()).expect_code(0);
    let cluster = Cluster::of(&scenario, "a");
    let istiod = cluster.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod-a").unwrap();
    assert_eq!(istiod["spec"]["template"]["spec"]["containers"][0]["image"], "docker.io/istio/pilot:1.31.0");
}

#[test]
fn two_control_planes_that_bring_the_same_are_told_what_to_write() {
    let second = ALONE.rsplit_once("resource").unwrap().1.replace("\"plane\"", "\"second\"").replace("\"a\"", "\"b\"");
    let scenario = with_programs(&format!("{ALONE}resource{second}"));
    let refused = flat(&scenario.run(&["plan"]).expect_code(1).all());
    for words in [
        "error: shared objects twice",
        "`istio_operator.plane` and `istio_operator.second` are in one cluster",
        "`base = { enabled = false }`",
    ] {
        assert!(refused.contains(words), "{words} in {refused}");
    }
}

const OPERATORS: &str = "/apis/install.istio.io/v1alpha1/namespaces/istio-system/istiooperators";

#[test]
fn the_second_cluster_waits_for_the_check_of_the_first() {
    let scenario = Scenario::example("upgrade");
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    let tag = |cluster: &str| Cluster::of(&scenario, cluster).get(&format!("{OPERATORS}/control-plane")).unwrap()["spec"]["tag"].clone();
    assert_eq!((tag("first"), tag("second")), (json!("1.22.8"), json!("1.22.8")));

    // The gate is shut: the first cluster is upgraded, and the second one as it was.
    scenario.replace("main.mesh.hcl", "timeout = \"5m\"", "timeout = \"0s\"");
    scenario.replace("main.mesh.hcl", "availableReplicas, 0) > 0", "availableReplicas, 0) > 99");
    let next = ["--var", "istio_version=1.23.6"];
    let output = flat(&scenario.run(&[&APPLY[..], &next].concat()).expect_code(1).all());
    assert!(output.contains("check failed") && output.contains("istiod of the first cluster is not available"), "{output}");
    assert_eq!((tag("first"), tag("second")), (json!("1.23.6"), json!("1.22.8")));

    // It opens.
    scenario.replace("main.mesh.hcl", "availableReplicas, 0) > 99", "availableReplicas, 0) > 0");
    scenario.run(&[&APPLY[..], &next].concat()).expect_code(0);
    assert_eq!((tag("first"), tag("second")), (json!("1.23.6"), json!("1.23.6")));
    scenario.run(&[&SETTLED[..], &next].concat()).expect_code(0);
    let refused = flat(&scenario.run(&["plan", "--var", "istio_version=1.20.8"]).expect_code(1).all());
    assert!(refused.contains("minor version skipped"), "{refused}");
    scenario.run(&[&["destroy", "--auto-approve"][..], &next].concat()).expect_code(0);
    assert!(scenario.addresses().is_empty());
}
