//! Fields that servers let nobody change: the plan says so, and makes the object anew.

use crate::within::Within;
use meshplan_tests::apiserver::webhook::{Behaviour, Registration, Webhook};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An object that is changed where it cannot be.
struct Row {
    label: &'static str,
    before: Value,
    after: Value,
    /// What the plan says cannot change in place.
    paths: &'static str,
}

/// An object with what its kind has beside `metadata`.
fn object(api_version: &str, kind: &str, (namespace, name): (Option<&str>, &str), rest: &Value) -> Value {
    let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name, "namespace": namespace } });
    if namespace.is_none() {
        object["metadata"].as_object_mut().unwrap().remove("namespace");
    }
    object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    object
}

/// A row for an object of the namespace.
fn within(namespace: &str, kind: (&str, &str), label: &'static str, (before, after): (Value, Value), paths: &'static str) -> Row {
    let of = |rest: &Value| object(kind.0, kind.1, (Some(namespace), label), rest);
    Row { label, before: of(&before), after: of(&after), paths }
}

/// What workloads hold.
fn pods(app: &str, image: &str, more: &Value) -> Value {
    let mut template = json!({ "metadata": { "labels": { "app": app } }, "spec": { "containers": [{ "name": "c", "image": image }] } });
    template["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    template
}

fn workloads(namespace: &str) -> Vec<Row> {
    let of = |app: &str| json!({ "spec": { "replicas": 0, "selector": { "matchLabels": { "app": app } }, "template": pods(app, "i", &json!({})) } });
    let mut daemon = [of("a"), of("b")];
    for daemon in &mut daemon {
        daemon["spec"].as_object_mut().unwrap().remove("replicas");
    }
    let [before, after] = daemon;
    let set = |service: &str, more: Value| {
        let mut set = of("a");
        set["spec"]["serviceName"] = json!(service);
        set["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        set
    };
    let claim = |size: &str| {
        let spec = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": size } } });
        json!({ "volumeClaimTemplates": [{ "metadata": { "name": "v" }, "spec": spec }] })
    };
    let job = |image: &str| json!({ "spec": { "suspend": true, "template": pods("a", image, &json!({ "restartPolicy": "Never" })) } });
    let pod = |zone: &str| json!({ "spec": { "nodeSelector": { "zone": zone }, "containers": [{ "name": "c", "image": "i" }] } });
    let rows = [
        ("Deployment", "deployment", (of("a"), of("b")), "`spec.selector.matchLabels.app`"),
        ("ReplicaSet", "replicas", (of("a"), of("b")), "`spec.selector.matchLabels.app`"),
        ("DaemonSet", "daemon", (before, after), "`spec.selector.matchLabels.app`"),
        ("StatefulSet", "named", (set("s", json!({})), set("t", json!({}))), "`spec.serviceName`"),
        ("StatefulSet", "claims", (set("s", claim("1Gi")), set("s", claim("2Gi"))), "`spec.volumeClaimTemplates"),
    ];
    let apps = rows.into_iter().map(|(kind, label, states, paths)| within(namespace, ("apps/v1", kind), label, states, paths));
    let job = within(namespace, ("batch/v1", "Job"), "job", (job("i"), job("j")), "`spec.template.spec.containers.c.image`");
    apps.chain([job, within(namespace, ("v1", "Pod"), "pod", (pod("a"), pod("b")), "`spec.nodeSelector.zone`")]).collect()
}

fn contents(namespace: &str) -> Vec<Row> {
    let service = |more: Value| {
        let mut service = json!({ "spec": { "ports": [{ "port": 80 }] } });
        service["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        service
    };
    let claim = |mode: &str| json!({ "spec": { "storageClassName": "", "accessModes": [mode], "resources": { "requests": { "storage": "1Gi" } } } });
    let bound = |role: &str| json!({ "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role } });
    let fixed = |value: &str| json!({ "immutable": true, "data": { "a": value } });
    let typed = |is: &str| json!({ "type": is, "data": { "a": "" } });
    let slice = |is: &str| json!({ "addressType": is, "endpoints": [] });
    let quota = |scope: &str| json!({ "spec": { "hard": { "pods": "5" }, "scopes": [scope] } });
    let core = [
        ("v1", "Service", "headless", (service(json!({})), service(json!({ "clusterIP": "None" }))), "`spec.clusterIP`"),
        ("v1", "PersistentVolumeClaim", "claim", (claim("ReadWriteOnce"), claim("ReadWriteMany")), "`spec.accessModes"),
        ("v1", "ConfigMap", "map", (fixed("1"), fixed("2")), "`data.a`"),
        ("v1", "Secret", "fixed", (fixed("MQ=="), fixed("Mg==")), "`data.a`"),
        ("v1", "Secret", "typed", (typed("Opaque"), typed("x.io/y")), "`type`"),
        ("v1", "ResourceQuota", "quota", (quota("BestEffort"), quota("NotBestEffort")), "`spec.scopes"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", "bound", (bound("a"), bound("b")), "`roleRef.name`"),
        ("discovery.k8s.io/v1", "EndpointSlice", "slice", (slice("IPv4"), slice("IPv6")), "`addressType`"),
    ];
    core.into_iter().map(|(version, kind, label, states, paths)| within(namespace, (version, kind), label, states, paths)).collect()
}

/// Objects that lie in no namespace; `start` begins their names.
fn globals(start: &str) -> Vec<Row> {
    let bound = |role: &str| json!({ "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role } });
    let storage = |zone: &str| json!({ "provisioner": "x.io/y", "parameters": { "zone": zone } });
    let priority = |value: u64| json!({ "value": value });
    let ingress = |controller: &str| json!({ "spec": { "controller": controller } });
    let runtime = |handler: &str| json!({ "handler": handler });
    let volume = |path: &str| json!({ "spec": { "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"], "hostPath": { "path": path } } });
    let driver = |wants: bool| json!({ "spec": { "attachRequired": wants } });
    let rows = [
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "all", (bound("a"), bound("b")), "`roleRef.name`"),
        ("storage.k8s.io/v1", "StorageClass", "storage", (storage("a"), storage("b")), "`parameters.zone`"),
        ("storage.k8s.io/v1", "CSIDriver", "driver", (driver(true), driver(false)), "`spec.attachRequired`"),
        ("scheduling.k8s.io/v1", "PriorityClass", "priority", (priority(1), priority(2)), "`value`"),
        ("networking.k8s.io/v1", "IngressClass", "ingress", (ingress("x.io/a"), ingress("x.io/b")), "`spec.controller`"),
        ("node.k8s.io/v1", "RuntimeClass", "runtime", (runtime("a"), runtime("b")), "`handler`"),
        ("v1", "PersistentVolume", "volume", (volume("/a"), volume("/b")), "`spec.hostPath.path`"),
    ];
    let row = |(version, kind, label, (before, after), paths): (&str, &str, &'static str, (Value, Value), &'static str)| {
        let name = format!("{start}-{label}");
        let of = |rest: &Value| object(version, kind, (None, &name), rest);
        Row { label, before: of(&before), after: of(&after), paths }
    };
    rows.into_iter().map(row).collect()
}

#[test]
fn what_cannot_change_in_place_is_made_anew() {
    let Some(within) = Within::shared() else { return };
    let mut rows = workloads(&within.namespace);
    rows.extend(contents(&within.namespace));
    rows.extend(globals(&within.cluster.name("immutable")));
    let write = |of: fn(&Row) -> &Value| within.objects(&rows.iter().map(|row| (row.label, of(row).clone(), "")).collect::<Vec<_>>());
    write(|row| &row.before);
    within.apply();
    within.assert_converged();
    let uids = |within: &Within| {
        let state = within.scenario.state();
        let records = state["resources"].as_array().unwrap().iter();
        records.map(|record| (record["address"].to_string(), record["uid"].to_string())).collect::<BTreeMap<_, _>>()
    };
    let before = uids(&within);

    write(|row| &row.after);
    let plan = within.plan();
    let said: BTreeMap<_, _> = plan.reasons().into_iter().collect();
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let reason = said.get(&format!("kubernetes_manifest.{}", row.label)).cloned().unwrap_or_default();
            let told = reason.starts_with(row.paths) && reason.ends_with(" cannot change in place");
            (!told).then(|| format!("{}: {reason}", row.label))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(plan.not_previewed(), []);

    // Most of it is known without the server as well, where it cannot be asked.
    let offline = within.scenario.run(&["plan", "--refresh=false", "--json"]).expect_code(0).stdout;
    let offline: BTreeMap<String, String> = offline
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|event| Some((event["address"].as_str()?.to_owned(), event["reason"]["text"].as_str()?.to_owned())))
        .collect();
    let asked = ["map", "fixed", "volume"];
    for row in rows.iter().filter(|row| !asked.contains(&row.label)) {
        let reason = offline.get(&format!("kubernetes_manifest.{}", row.label)).cloned().unwrap_or_default();
        assert!(reason.starts_with(row.paths) && reason.ends_with("cannot change in place"), "{}: {reason}", row.label);
    }
    within.apply();
    within.assert_converged();
    let after = uids(&within);
    let kept: Vec<_> = before.iter().filter(|(address, uid)| after.get(*address) == Some(uid)).collect();
    assert!(kept.is_empty() && before.len() == rows.len(), "{kept:?}");
    within.destroy();
}

#[test]
fn what_only_an_apply_finds_out_is_replaced_by_the_next_plan_or_taken_back() {
    let Some(within) = Within::shared() else { return };
    let no_dry_runs = Behaviour::RejectDryRuns("no dry run".into());
    let _webhook = Webhook::start(within.cluster, &Registration::mutating(&within.namespace, "configmaps"), no_dry_runs);
    let write = |value: &str| {
        let rest = json!({ "immutable": true, "data": { "a": value } });
        within.objects(&[("m", object("v1", "ConfigMap", (Some(&within.namespace), "m"), &rest), "")]);
    };
    let held = || within.cluster.api().get(&within.path("/api/v1 configmaps/m")).unwrap()["data"]["a"].clone();
    write("1");
    within.apply();
    let fails = |value: &str| {
        write(value);
        let said = within.fail();
        assert!(said.contains("the next plan replaces it"), "{said}");
    };
    fails("2");
    let replaced = ("kubernetes_manifest.m".to_owned(), "`data.a` cannot change in place".to_owned());
    assert_eq!(within.plan().reasons(), [replaced]);
    within.apply();
    within.assert_converged();
    assert_eq!(held(), "2");

    fails("3");
    write("2");
    within.apply();
    within.assert_converged();
    assert_eq!(held(), "2");
    within.destroy();
}
