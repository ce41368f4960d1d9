//! What is waited for: by watching, until a deadline, and on with the next run.

use meshplan_tests::apiserver::{self, ApiServer, Fault, Proxy};
use meshplan_tests::scenario::Scenario;
use serde_json::json;
use std::time::{Duration, Instant};

/// A scenario over one cluster, which it reaches through a proxy as the context `c`.
fn through(proxy: &Proxy, configuration: &str) -> Scenario {
    let mut scenario = Scenario::with(&format!("data \"kubernetes_cluster\" \"c\" {{\n  context = \"c\"\n}}\n{configuration}"));
    scenario.reach(&[proxy.access().named("c")]);
    scenario
}

/// A resource of one object, with more arguments and blocks.
fn manifest(name: &str, object: &serde_json::Value, more: &str) -> String {
    let yaml = object.to_string().replace("${", "$${");
    format!(
        "resource \"kubernetes_manifest\" \"{name}\" {{\n  cluster = data.kubernetes_cluster.c\n  yaml = <<-EOT\n    {yaml}\n  EOT\n{more}\n}}\n"
    )
}

fn config_map(namespace: &str, name: &str) -> serde_json::Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": namespace } })
}

/// Changes a map's data as somebody else would, once the proxy has seen a watch of it begin.
fn fill_when_watched(cluster: &ApiServer, proxy: &Proxy, path: &str, watches: usize) {
    let start = Instant::now();
    while proxy.count("watch") < watches {
        assert!(start.elapsed() < Duration::from_mins(1), "nothing watches: {:#?}", proxy.seen());
        std::thread::sleep(Duration::from_millis(20));
    }
    cluster.api().edit(path, &json!({ "data": { "state": "done" } }));
}

const FOR_DONE: &str = "  wait_for = { field = \"data.state\", equals = \"done\" }";

#[test]
fn stand_in_workloads_services_and_definitions_are_awaited_by_watching() {
    let Some(cluster) = apiserver::shared_with_stand_ins(0) else { return };
    let (proxy, namespace) = (Proxy::of(cluster), cluster.namespace());
    let workload = |kind: &str, more: serde_json::Value| {
        let mut object = json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": "w", "namespace": namespace }, "spec": {
            "selector": { "matchLabels": { "app": kind } }, "template": { "metadata": { "labels": { "app": kind } }, "spec": {
                "containers": [{ "name": "c", "image": "docker.io/library/none:1" }] } } } });
        object["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let group = cluster.name("waits");
    let definition = json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": format!("things.{group}.example.org") },
        "spec": { "group": format!("{group}.example.org"), "scope": "Namespaced", "names": { "plural": "things", "singular": "thing", "kind": "Thing" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": { "type": "object",
                "properties": { "spec": { "type": "object", "properties": { "size": { "type": "integer" } } } } } } }] } });
    let thing = json!({ "apiVersion": format!("{group}.example.org/v1"), "kind": "Thing", "metadata": { "name": "t", "namespace": namespace }, "spec": { "size": 1 } });
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "w", "namespace": namespace }, "spec": { "template": { "spec": {
        "restartPolicy": "Never", "containers": [{ "name": "c", "image": "docker.io/library/none:1" }] } } } });
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "w", "namespace": namespace }, "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] } });
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": { "name": "w", "namespace": namespace, "annotations": { "kubernetes.io/service-account.name": "default" } } });
    let text = [
        manifest("deployment", &workload("Deployment", json!({ "replicas": 2 })), ""),
        manifest("stateful", &workload("StatefulSet", json!({ "replicas": 2, "serviceName": "w" })), ""),
        manifest("daemon", &workload("DaemonSet", json!({})), ""),
        manifest("job", &job, ""),
        manifest("service", &service, ""),
        manifest("secret", &secret, ""),
        manifest("definition", &definition, ""),
        manifest("thing", &thing, "  depends_on = [kubernetes_manifest.definition]"),
    ];
    let scenario = through(&proxy, &text.concat());
    scenario.run(&["apply", "--auto-approve", "--parallelism", "10"]).expect_code(0);
    let api = cluster.api();
    let apps = format!("/apis/apps/v1/namespaces/{namespace}");
    assert_eq!(api.get(&format!("{apps}/deployments/w")).unwrap()["status"]["availableReplicas"], 2);
    assert_eq!(api.get(&format!("{apps}/statefulsets/w")).unwrap()["status"]["readyReplicas"], 2);
    assert_eq!(api.get(&format!("{apps}/daemonsets/w")).unwrap()["status"]["numberAvailable"], 2);
    assert_eq!(api.get(&format!("/apis/batch/v1/namespaces/{namespace}/jobs/w")).unwrap()["status"]["succeeded"], 1);
    let core = format!("/api/v1/namespaces/{namespace}");
    assert!(api.get(&format!("{core}/services/w")).unwrap()["status"]["loadBalancer"]["ingress"][0]["ip"].is_string());
    assert!(api.get(&format!("{core}/secrets/w")).unwrap()["data"]["token"].is_string());
    for collection in ["deployments", "statefulsets", "daemonsets", "jobs", "services", "secrets", "customresourcedefinitions"] {
        let (lists, watches) = (proxy.count(&format!("list /{collection}?fieldSelector")), proxy.count(&format!("watch /{collection}?")));
        assert!(lists == 1 && watches <= 1, "{collection}: {lists} reads, {watches} watches\n{:#?}", proxy.seen());
    }
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
}

#[test]
fn any_condition_is_waited_for() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, namespace) = (Proxy::of(cluster), cluster.namespace());
    let object = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "w", "namespace": namespace }, "spec": {
        "paused": true, "replicas": 0, "selector": { "matchLabels": { "app": "w" } }, "template": { "metadata": { "labels": { "app": "w" } },
        "spec": { "containers": [{ "name": "c", "image": "docker.io/library/none:1" }] } } } });
    let scenario = through(&proxy, &manifest("w", &object, "  wait_for {\n    condition = \"Reviewed\"\n  }"));
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/w");
    let api = cluster.api();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while proxy.count("watch") < 1 {
                assert!(start.elapsed() < Duration::from_mins(1), "nothing watches: {:#?}", proxy.seen());
                std::thread::sleep(Duration::from_millis(20));
            }
            for status in ["False", "True"] {
                let reviewed = json!([{ "type": "Reviewed", "status": status, "reason": "R", "message": "m" }]);
                api.edit(&format!("{path}/status"), &json!({ "status": { "conditions": reviewed } }));
            }
        });
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    });
    let conditions = api.get(&path).unwrap()["status"]["conditions"].to_string();
    assert!(conditions.contains("Reviewed"), "{conditions}");
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn a_wait_ends_at_its_deadline_with_the_last_reason_and_goes_on_with_the_next_run() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, namespace) = (Proxy::of(cluster), cluster.namespace());
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": namespace } });
    let scenario = through(&proxy, &manifest("m", &object, &format!("{FOR_DONE}\n  timeouts {{\n    create = \"2s\"\n  }}")));
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/m");
    let late = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            cluster.api().wait(&path, |map| !map.is_null());
            cluster.api().edit(&path, &json!({ "data": { "state": "half" } }));
        });
        scenario.run(&["apply", "--auto-approve"]).expect_code(1)
    });
    let reason =
        format!("`ConfigMap/{namespace}/m` is not ready after 2 s: `data.state` is `half`, not yet `done`; the next run goes on waiting");
    assert!(late.stderr.contains(&reason), "{}", late.all());

    proxy.forget();
    std::thread::scope(|scope| {
        scope.spawn(|| fill_when_watched(cluster, &proxy, &path, 1));
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    });
    assert_eq!((proxy.count("apply"), proxy.count("watch")), (0, 1), "{:#?}", proxy.seen());
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn a_watch_that_breaks_or_is_too_old_is_taken_up_again() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, namespace) = (Proxy::of(cluster), cluster.namespace());
    proxy.fail(1, "watch", Fault::CutBefore);
    proxy.fail(1, "watch", Fault::Refused(410, None));
    proxy.fail(1, "watch", Fault::Refused(429, Some(1)));
    let object = config_map(&namespace, "m");
    let scenario = through(&proxy, &manifest("m", &object, FOR_DONE));
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/m");
    std::thread::scope(|scope| {
        scope.spawn(|| fill_when_watched(cluster, &proxy, &path, 4));
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    });
    assert_eq!((proxy.count("watch"), proxy.count("list fieldSelector")), (4, 4), "{:#?}", proxy.seen());
}

#[test]
fn where_watching_is_forbidden_what_is_waited_for_is_read_again() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let namespace = cluster.namespace();
    let rules = [
        json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch", "create"] }),
        json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] }),
    ];
    let proxy = Proxy::by(cluster, &cluster.user(&cluster.name("blind"), &rules));
    let scenario = through(&proxy, &manifest("m", &config_map(&namespace, "m"), FOR_DONE));
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/m");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            cluster.api().wait(&path, |map| !map.is_null());
            cluster.api().edit(&path, &json!({ "data": { "state": "done" } }));
        });
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    });
    assert_eq!(proxy.count("watch"), 0);
}

#[test]
fn what_has_failed_for_good_is_not_waited_for_and_what_is_deleted_is_told() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, namespace) = (Proxy::of(cluster), cluster.namespace());
    // Without nodes its pod never starts; a deadline of its own makes the controller give it up.
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "j", "namespace": namespace }, "spec": { "activeDeadlineSeconds": 1,
        "template": { "spec": { "restartPolicy": "Never", "containers": [{ "name": "c", "image": "docker.io/library/none:1" }] } } } });
    let failed = through(&proxy, &manifest("j", &job, "")).run(&["apply", "--auto-approve"]).expect_code(1);
    for words in ["will not be ready", "it has failed: DeadlineExceeded"] {
        assert!(failed.stderr.contains(words), "{}", failed.all());
    }

    proxy.forget();
    let scenario = through(&proxy, &manifest("m", &config_map(&namespace, "gone"), FOR_DONE));
    let deleted = std::thread::scope(|scope| {
        scope.spawn(|| {
            while proxy.count("watch") == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            cluster.api().delete(&format!("/api/v1/namespaces/{namespace}/configmaps/gone"));
        });
        scenario.run(&["apply", "--auto-approve"]).expect_code(1)
    });
    assert!(deleted.stderr.contains("was deleted while it was waited for"), "{}", deleted.all());
}
