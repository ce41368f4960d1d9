//! `kubernetes_restart` on real API servers with their real controllers; the pods are kwok's.

use crate::within::Within;
use meshplan_tests::apiserver;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A namespace of its own in a cluster whose pods run.
fn with_pods() -> Option<Within> {
    Some(Within::of(apiserver::shared_with_stand_ins(0)?))
}

/// Makes a workload of a kind, and waits until its pods run.
fn workload(within: &Within, kind: &str, name: &str, spec: &Value) -> String {
    let labels = json!({ "app": name });
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name, "labels": { "app": name, "tier": "mesh" } },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "c", "image": "registry.example/c" }] } },
        },
    });
    object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let collection = within.path(&format!("/apis/apps/v1 {}s", kind.to_lowercase()));
    within.cluster.api().make(&collection, &object);
    let path = format!("{collection}/{name}");
    let ready = if kind == "DaemonSet" { "numberReady" } else { "readyReplicas" };
    within.cluster.api().wait(&path, |live| live["status"][ready].as_u64().is_some_and(|count| count > 0));
    path
}

/// The uids of a workload's pods that are not on their way out.
fn pods(within: &Within, name: &str) -> BTreeSet<String> {
    let pods = within.cluster.api().get(&within.path(&format!("/api/v1 pods?labelSelector=app%3D{name}"))).unwrap();
    let there = pods["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    there.map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
}

/// A block that restarts, with what stands in it.
fn restart(label: &str, arguments: &str) -> String {
    format!(
        "resource \"kubernetes_restart\" \"{label}\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"NAMESPACE\"\n  {arguments}\n}}\n"
    )
}

#[test]
fn stand_in_all_pods_are_new_when_a_restart_is_done() {
    let Some(within) = with_pods() else { return };
    workload(&within, "Deployment", "web", &json!({ "replicas": 2 }));
    workload(&within, "DaemonSet", "proxy", &json!({}));
    workload(&within, "StatefulSet", "store", &json!({ "replicas": 2, "serviceName": "store" }));
    let names = ["web", "proxy", "store"];
    let restarts = |triggers: &str| {
        let of = |kind: &str, name: &str| format!("kind = \"{kind}\"\n  name = \"{name}\"\n  triggers = {triggers}");
        let blocks = [of("Deployment", "web"), of("DaemonSet", "proxy"), of("StatefulSet", "store")];
        within.configure(&names.into_iter().zip(&blocks).map(|(name, block)| restart(name, block)).collect::<String>());
    };
    let mut before = names.map(|name| pods(&within, name));
    for triggers in ["{ strictARP = true }", "{ strictARP = false }"] {
        restarts(triggers);
        within.apply();
        let after = names.map(|name| pods(&within, name));
        for (name, (old, new)) in names.iter().zip(before.iter().zip(&after)) {
            assert!(!new.is_empty() && old.is_disjoint(new), "{name}: {old:?} {new:?}");
        }
        within.assert_converged();
        before = after;
    }
    let state = within.scenario.state().to_string();
    assert!(state.contains("\"restarted\""), "{state}");
    within.destroy();
    assert_eq!(names.map(|name| pods(&within, name)), before, "destroying restarts nothing");
}

#[test]
fn stand_in_a_patched_text_restarts_who_reads_it() {
    let Some(within) = with_pods() else { return };
    workload(&within, "DaemonSet", "kube-proxy", &json!({}));
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-proxy" }, "data": { "config.conf": "mode: \"\"\nipvs:\n  strictARP: false\n" } });
    within.cluster.api().make(&within.path("/api/v1 configmaps"), &map);
    let configure = |strict: bool| {
        let patch = format!(
            "resource \"kubernetes_config_patch\" \"p\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"NAMESPACE\"\n  \
             name = \"kube-proxy\"\n  key = \"config.conf\"\n  values = {{ ipvs = {{ strictARP = {strict} }} }}\n}}\n"
        );
        let reader = "kind = \"DaemonSet\"\n  name = \"kube-proxy\"\n  triggers = kubernetes_config_patch.p.values";
        within.configure(&(patch + &restart("r", reader)));
    };
    configure(true);
    within.apply();
    within.assert_converged();
    let before = pods(&within, "kube-proxy");
    configure(false);
    within.apply();
    let after = pods(&within, "kube-proxy");
    assert!(!after.is_empty() && before.is_disjoint(&after), "{before:?} {after:?}");
    within.assert_converged();
}

#[test]
fn stand_in_labels_select_workloads() {
    let Some(within) = with_pods() else { return };
    for name in ["one", "two", "three"] {
        workload(&within, "Deployment", name, &json!({}));
    }
    within
        .cluster
        .api()
        .edit(&format!("{}/three", within.path("/apis/apps/v1 deployments")), &json!({ "metadata": { "labels": { "tier": "other" } } }));
    let before = ["one", "two", "three"].map(|name| pods(&within, name));
    let mesh = restart("mesh", "selector = { tier = \"mesh\" }\n  triggers = 1");
    within.configure(&(mesh + &restart("none", "selector = { tier = \"nobody\" }\n  triggers = 1")));
    within.apply();
    let after = ["one", "two", "three"].map(|name| pods(&within, name));
    assert!(before[0].is_disjoint(&after[0]) && before[1].is_disjoint(&after[1]), "{before:?} {after:?}");
    assert_eq!(before[2], after[2]);
    within.assert_converged();
}

#[test]
fn stand_in_what_would_restart_nothing_is_told_before_anything_is_touched() {
    let Some(within) = with_pods() else { return };
    workload(&within, "DaemonSet", "kept", &json!({ "updateStrategy": { "type": "OnDelete" } }));
    let path = workload(&within, "Deployment", "paused", &json!({ "paused": false }));
    within.cluster.api().edit(&path, &json!({ "spec": { "paused": true } }));
    for (arguments, expected) in [
        ("kind = \"DaemonSet\"\n  name = \"kept\"", ["pods do not follow", "OnDelete"]),
        ("name = \"paused\"", ["pods do not follow", "paused"]),
        ("selector = { tier = \"mesh\" }", ["pods do not follow", "paused"]),
        ("name = \"missing\"", ["nothing to restart", "is not there"]),
    ] {
        within.configure(&restart("r", &format!("{arguments}\n  triggers = 1")));
        let told = within.fail();
        assert!(expected.iter().all(|expected| told.contains(expected)), "{told}");
    }
    let live = within.cluster.api().get(&path).unwrap();
    assert!(live["spec"]["template"]["metadata"]["annotations"].is_null(), "{live:#}");
}

#[test]
fn stand_in_a_rollout_that_takes_longer_is_waited_for_by_the_next_run() {
    let Some(within) = with_pods() else { return };
    let path = workload(&within, "Deployment", "slow", &json!({}));
    // New pods find no node.
    within.cluster.api().edit(&path, &json!({ "spec": { "template": { "spec": { "nodeSelector": { "none": "such" } } } } }));
    within.configure(&restart("r", "name = \"slow\"\n  triggers = 1\n  timeouts { create = \"2s\" }"));
    let late = within.fail();
    assert!(late.contains("is not restarted after 2 s"), "{late}");
    let mark = |live: &Value| live["spec"]["template"]["metadata"]["annotations"]["meshplan/restart"].clone();
    let before = mark(&within.cluster.api().get(&path).unwrap());
    within.cluster.api().edit(&path, &json!({ "spec": { "template": { "spec": { "nodeSelector": null } } } }));
    within.apply();
    within.assert_converged();
    let live = within.cluster.api().get(&path).unwrap();
    assert_eq!((mark(&live), &live["status"]["updatedReplicas"]), (before, &json!(1)));
}
