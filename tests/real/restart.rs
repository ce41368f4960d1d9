//! `kubernetes_restart` on real API servers with their real controllers; the pods are kwok's.

use meshplan_tests::apiserver::{self, ApiServer};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A namespace of its own with workloads, and a configuration that restarts some.
struct Case {
    scenario: Scenario,
    cluster: &'static ApiServer,
    namespace: String,
}

impl Case {
    fn new() -> Option<Self> {
        let cluster = apiserver::shared_with_stand_ins(0)?;
        let mut scenario = Scenario::empty();
        scenario.reach(&[cluster.admin().named("c")]);
        Some(Self { scenario, cluster, namespace: cluster.namespace() })
    }

    fn path(&self, plural: &str) -> String {
        format!("/apis/apps/v1/namespaces/{}/{plural}", self.namespace)
    }

    /// Makes a workload of a kind, and waits until its pods run.
    fn workload(&self, kind: &str, name: &str, spec: &Value) -> String {
        let labels = json!({ "app": name });
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name, "labels": { "app": name, "tier": "mesh" } },
            "spec": {
                "selector": { "matchLabels": labels },
                "template": { "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "c", "image": "registry.example/c" }] } },
            },
        });
        object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let plural = format!("{}s", kind.to_lowercase());
        self.cluster.api().make(&self.path(&plural), &object);
        let path = format!("{}/{name}", self.path(&plural));
        let ready = if kind == "DaemonSet" { "numberReady" } else { "readyReplicas" };
        self.cluster.api().wait(&path, |live| live["status"][ready].as_u64().is_some_and(|count| count > 0));
        path
    }

    /// The uids of a workload's pods that are not on their way out.
    fn pods(&self, name: &str) -> BTreeSet<String> {
        let pods = self.cluster.api().get(&format!("/api/v1/namespaces/{}/pods?labelSelector=app%3D{name}", self.namespace)).unwrap();
        let there = pods["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        there.map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
    }

    /// Restarts by their labels, each with what stands in its block.
    fn configure(&self, restarts: &[(&str, &str)]) {
        let block = |(label, arguments): &(&str, &str)| {
            format!(
                "resource \"kubernetes_restart\" \"{label}\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"{}\"\n  {arguments}\n}}\n",
                self.namespace
            )
        };
        let text =
            "data \"kubernetes_cluster\" \"c\" {\n  context = \"c\"\n}\n".to_owned() + &restarts.iter().map(block).collect::<String>();
        self.scenario.write("main.mesh.hcl", &text);
    }

    fn run(&self, args: &[&str], code: u8) -> String {
        self.scenario.run(args).expect_code(code).all()
    }

    fn apply(&self) -> String {
        self.run(&["apply", "--auto-approve"], 0)
    }

    fn assert_converged(&self) {
        self.run(&["plan", "--detailed-exitcode"], 0);
    }
}

#[test]
fn stand_in_all_pods_are_new_when_a_restart_is_done() {
    let Some(case) = Case::new() else { return };
    case.workload("Deployment", "web", &json!({ "replicas": 2 }));
    case.workload("DaemonSet", "proxy", &json!({}));
    case.workload("StatefulSet", "store", &json!({ "replicas": 2, "serviceName": "store" }));
    let names = ["web", "proxy", "store"];
    let restarts = |triggers: &str| {
        let of = |kind: &str, name: &str| format!("kind = \"{kind}\"\n  name = \"{name}\"\n  triggers = {triggers}");
        let blocks = [of("Deployment", "web"), of("DaemonSet", "proxy"), of("StatefulSet", "store")];
        let all: Vec<_> = names.into_iter().zip(blocks.iter().map(String::as_str)).collect();
        case.configure(&all);
    };
    let mut before = names.map(|name| case.pods(name));
    for triggers in ["{ strictARP = true }", "{ strictARP = false }"] {
        restarts(triggers);
        case.apply();
        let after = names.map(|name| case.pods(name));
        for (name, (old, new)) in names.iter().zip(before.iter().zip(&after)) {
            assert!(!new.is_empty() && old.is_disjoint(new), "{name}: {old:?} {new:?}");
        }
        case.assert_converged();
        before = after;
    }
    let state = case.scenario.state().to_string();
    assert!(state.contains("\"restarted\""), "{state}");
    case.run(&["destroy", "--auto-approve"], 0);
    assert_eq!(names.map(|name| case.pods(name)), before, "destroying restarts nothing");
}

#[test]
fn stand_in_a_patched_text_restarts_who_reads_it() {
    let Some(case) = Case::new() else { return };
    case.workload("DaemonSet", "kube-proxy", &json!({}));
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-proxy" }, "data": { "config.conf": "mode: \"\"\nipvs:\n  strictARP: false\n" } });
    case.cluster.api().make(&format!("/api/v1/namespaces/{}/configmaps", case.namespace), &map);
    let configure = |strict: bool| {
        let text = format!(
            "data \"kubernetes_cluster\" \"c\" {{\n  context = \"c\"\n}}\n\
             resource \"kubernetes_config_patch\" \"p\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"{0}\"\n  name = \"kube-proxy\"\n  \
             key = \"config.conf\"\n  values = {{ ipvs = {{ strictARP = {strict} }} }}\n}}\n\
             resource \"kubernetes_restart\" \"r\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"{0}\"\n  kind = \"DaemonSet\"\n  \
             name = \"kube-proxy\"\n  triggers = kubernetes_config_patch.p.values\n}}\n",
            case.namespace
        );
        case.scenario.write("main.mesh.hcl", &text);
    };
    configure(true);
    case.apply();
    case.assert_converged();
    let before = case.pods("kube-proxy");
    configure(false);
    case.apply();
    let after = case.pods("kube-proxy");
    assert!(!after.is_empty() && before.is_disjoint(&after), "{before:?} {after:?}");
    case.assert_converged();
}

#[test]
fn stand_in_labels_select_workloads() {
    let Some(case) = Case::new() else { return };
    for name in ["one", "two", "three"] {
        case.workload("Deployment", name, &json!({}));
    }
    case.cluster.api().edit(&format!("{}/three", case.path("deployments")), &json!({ "metadata": { "labels": { "tier": "other" } } }));
    let before = ["one", "two", "three"].map(|name| case.pods(name));
    case.configure(&[
        ("mesh", "selector = { tier = \"mesh\" }\n  triggers = 1"),
        ("none", "selector = { tier = \"nobody\" }\n  triggers = 1"),
    ]);
    case.apply();
    let after = ["one", "two", "three"].map(|name| case.pods(name));
    assert!(before[0].is_disjoint(&after[0]) && before[1].is_disjoint(&after[1]), "{before:?} {after:?}");
    assert_eq!(before[2], after[2]);
    case.assert_converged();
}

#[test]
fn stand_in_what_would_restart_nothing_is_told_before_anything_is_touched() {
    let Some(case) = Case::new() else { return };
    case.workload("DaemonSet", "kept", &json!({ "updateStrategy": { "type": "OnDelete" } }));
    let path = case.workload("Deployment", "paused", &json!({ "paused": false }));
    case.cluster.api().edit(&path, &json!({ "spec": { "paused": true } }));
    for (arguments, expected) in [
        ("kind = \"DaemonSet\"\n  name = \"kept\"", "OnDelete"),
        ("name = \"paused\"", "paused"),
        ("selector = { tier = \"mesh\" }", "paused"),
        ("name = \"missing\"", "is not there"),
    ] {
        case.configure(&[("r", &format!("{arguments}\n  triggers = 1"))]);
        let told = case.run(&["apply", "--auto-approve"], 1);
        assert!(told.contains(expected), "{told}");
    }
    let live = case.cluster.api().get(&path).unwrap();
    assert!(live["spec"]["template"]["metadata"]["annotations"].is_null(), "{live:#}");
}

#[test]
fn stand_in_a_rollout_that_takes_longer_is_waited_for_by_the_next_run() {
    let Some(case) = Case::new() else { return };
    let path = case.workload("Deployment", "slow", &json!({}));
    // New pods find no node.
    case.cluster.api().edit(&path, &json!({ "spec": { "template": { "spec": { "nodeSelector": { "none": "such" } } } } }));
    case.configure(&[("r", "name = \"slow\"\n  triggers = 1\n  timeouts { create = \"2s\" }")]);
    let late = case.run(&["apply", "--auto-approve"], 1);
    assert!(late.contains("is not restarted after 2 s"), "{late}");
    let mark = |live: &Value| live["spec"]["template"]["metadata"]["annotations"]["meshplan/restart"].clone();
    let before = mark(&case.cluster.api().get(&path).unwrap());
    case.cluster.api().edit(&path, &json!({ "spec": { "template": { "spec": { "nodeSelector": null } } } }));
    case.apply();
    case.assert_converged();
    let live = case.cluster.api().get(&path).unwrap();
    assert_eq!((mark(&live), &live["status"]["updatedReplicas"]), (before, &json!(1)));
}
