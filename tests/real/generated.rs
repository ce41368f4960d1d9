//! Configuration that is written for what exists on a real cluster: what its server gives anyway is not in it, and a plan with it changes nothing.

use crate::within::Within;
use serde_json::{Value, json};

/// An `import` block without a resource.
fn import(to: &str, id: &str) -> String {
    format!("import {{\n  to      = {to}\n  id      = \"{id}\"\n  cluster = data.kubernetes_cluster.c\n}}\n")
}

/// The managers that own something of an object, each with how.
fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    entries.iter().map(|entry| format!("{} {}", text(entry, "manager").split('/').next().unwrap(), text(entry, "operation"))).collect()
}

/// Makes things of many kinds as `kubectl create` would; their paths.
fn make(within: &Within, group: &str) -> Vec<String> {
    let api = within.cluster.api();
    let named = |api_version: &str, kind: &str, name: &str, more: Value| {
        let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name } });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let web = json!({ "spec": { "replicas": 0, "strategy": { "rollingUpdate": { "maxSurge": 3 } }, "selector": { "matchLabels": { "app": "web" } },
        "template": { "metadata": { "labels": { "app": "web" } }, "spec": { "securityContext": { "runAsNonRoot": true }, "containers": [
            { "name": "web", "image": "example.test/web:1", "ports": [{ "containerPort": 80, "protocol": "UDP" }],
              "env": [{ "name": "POD", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }],
              "livenessProbe": { "httpGet": { "path": "/alive", "port": 80 } }, "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }],
            "volumes": [{ "name": "v", "configMap": { "name": "settings" } }] } } } });
    let schema = json!({ "type": "object", "properties": { "spec": { "type": "object", "required": ["size"], "properties": {
        "size": { "type": "integer" }, "mode": { "type": "string", "default": "slow" }, "pace": { "type": "integer", "default": 3 } } } } });
    let definition = json!({ "metadata": { "name": format!("widgets.{group}") }, "spec": { "group": group, "scope": "Namespaced",
        "names": { "kind": "Widget", "plural": "widgets", "singular": "widget" },
        "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }] } });
    let custom = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    api.make(custom, &named("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", definition));
    let is_served = |definition: &Value| {
        let conditions = definition["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
    };
    api.wait(&format!("{custom}/widgets.{group}"), is_served);
    let ports = json!({ "spec": { "type": "NodePort", "selector": { "app": "web" }, "ports": [{ "port": 80, "nodePort": 0 }] } });
    let headless = json!({ "spec": { "clusterIP": "None", "selector": { "app": "web" }, "ports": [{ "port": 80 }] } });
    let job = json!({ "spec": { "suspend": true, "template": { "spec": { "restartPolicy": "Never", "containers": [{ "name": "j", "image": "example.test/j:1" }] } } } });
    let widgets = format!("/apis/{group}/v1 widgets");
    let all = [
        ("/api/v1 configmaps", named("v1", "ConfigMap", "settings", json!({ "data": { "a": "x: 1\ny: ${z}\n" } }))),
        ("/api/v1 secrets", named("v1", "Secret", "keys", json!({ "data": { "key": "aHVudGVyMQ==" } }))),
        ("/api/v1 services", named("v1", "Service", "web", ports)),
        ("/api/v1 services", named("v1", "Service", "headless", headless)),
        ("/apis/apps/v1 deployments", named("apps/v1", "Deployment", "web", web)),
        ("/apis/batch/v1 jobs", named("batch/v1", "Job", "once", job)),
        (widgets.as_str(), named(&format!("{group}/v1"), "Widget", "w", json!({ "spec": { "size": 3, "pace": 5 } }))),
    ];
    let made = |(collection, object): &(&str, Value)| {
        api.make(&within.path(collection), object);
        format!("{}/{}", within.path(collection), object["metadata"]["name"].as_str().unwrap())
    };
    all.iter().map(made).collect()
}

/// The lines of a block below its head, without blanks around them and without what closes it.
fn lines_of(text: &str, head: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| !line.starts_with(head)).skip(1).take_while(|line| *line != "}");
    let told = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !matches!(line.as_str(), "}" | "]" | "}," | "],"));
    told.collect()
}

/// Blocks that import all of them, and their namespace.
fn imports(within: &Within, group: &str) -> String {
    let blocks = [
        ("kubernetes_namespace.n", "NAMESPACE".to_owned()),
        ("kubernetes_secret.keys", "NAMESPACE/keys".to_owned()),
        ("kubernetes_manifest.settings", "v1/ConfigMap/NAMESPACE/settings".to_owned()),
        ("kubernetes_manifest.service", "v1/Service/NAMESPACE/web".to_owned()),
        ("kubernetes_manifest.headless", "v1/Service/NAMESPACE/headless".to_owned()),
        ("kubernetes_manifest.web", "apps/v1/Deployment/NAMESPACE/web".to_owned()),
        ("kubernetes_manifest.once", "batch/v1/Job/NAMESPACE/once".to_owned()),
        ("kubernetes_manifest.widget", format!("apiVersion={group}/v1,kind=Widget,namespace=NAMESPACE,name=w")),
    ];
    blocks.map(|(to, id)| import(to, &id.replace("NAMESPACE", &within.namespace))).concat()
}

/// Checks that a text says what was said of them, and nothing that the server gives.
fn assert_written(text: &str) {
    assert!(!text.contains("hunter") && !text.contains("aHVudGVy") && !text.contains("stand here as well"), "{text}");
    assert!(text.contains("data      = null # sensitive: key"), "{text}");
    let spec = |label: &str| {
        let lines = lines_of(text, &format!("resource \"kubernetes_manifest\" \"{label}\""));
        lines.into_iter().skip_while(|line| line != "spec = {").skip(1).collect::<Vec<_>>()
    };
    assert_eq!(spec("service"), ["ports = [", "{", "port = 80", "selector = {", "app = \"web\"", "type = \"NodePort\""], "{text}");
    assert_eq!(spec("headless"), ["clusterIP = \"None\"", "ports = [", "{", "port = 80", "selector = {", "app = \"web\""], "{text}");
    assert_eq!(spec("widget"), ["pace = 5", "size = 3"], "{text}");
    let containers = ["containers = [", "{", "image = \"example.test/j:1\"", "name = \"j\"", "restartPolicy = \"Never\""];
    assert_eq!(spec("once"), [&["suspend = true", "template = {", "spec = {"][..], &containers].concat(), "{text}");
    let web = spec("web").join("\n");
    for said in [
        "replicas = 0",
        "maxSurge = 3",
        "runAsNonRoot = true",
        "protocol = \"UDP\"",
        "fieldPath = \"metadata.name\"",
        "path = \"/alive\"",
        "mountPath = \"/v\"",
    ] {
        assert!(web.contains(said), "{said}: {web}");
    }
    let given =
        "maxUnavailable RollingUpdate dnsPolicy defaultMode apiVersion scheme periodSeconds terminationMessagePath revisionHistoryLimit";
    for given in given.split(' ') {
        assert!(!web.contains(given), "{given}: {web}");
    }
}

/// Checks that nothing of an object changed but that we own parts of it, as does whoever made it.
fn assert_owned(path: &str, before: &Value, now: &Value) {
    for part in ["/metadata/uid", "/metadata/generation", "/metadata/labels", "/spec", "/data"] {
        assert_eq!(now.pointer(part), before.pointer(part), "{path}{part}");
    }
    let managers = managers(now);
    assert_eq!(managers.iter().filter(|manager| *manager == "meshplan Apply").count(), 1, "{path}: {managers:?}");
    assert!(managers.iter().any(|manager| manager.ends_with("Update")), "{path}: {managers:?}");
}

#[test]
fn blocks_say_what_somebody_said_and_a_plan_with_them_is_quiet() {
    let Some(within) = Within::shared() else { return };
    let (api, scenario) = (within.cluster.api(), &within.scenario);
    let group = format!("{}.example.org", within.cluster.name("written"));
    let paths = make(&within, &group);
    within.configure(&imports(&within, &group));
    let before: Vec<_> = paths.iter().map(|path| api.get(path).unwrap()).collect();
    let plan = scenario.run(&["plan", "--generate-config-out=written.mesh.hcl"]).expect_code(0);
    assert!(plan.stdout.contains("Plan: 8 to import, 0 to add, 0 to change, 0 to replace, 0 to destroy."), "{}", plan.all());
    let after: Vec<_> = paths.iter().map(|path| api.get(path).unwrap()).collect();
    assert_eq!(before, after, "a plan changes nothing");
    assert_written(&scenario.read("written.mesh.hcl"));
    scenario.run(&["validate"]).expect_code(0);
    scenario.run(&["fmt", "--check", "written.mesh.hcl"]).expect_code(0);

    // A Job that is suspended never completes.
    let head = "resource \"kubernetes_manifest\" \"once\" {\n";
    scenario.replace("written.mesh.hcl", head, &format!("{head}  wait    = false\n"));
    let applied = within.apply().all();
    assert!(applied.contains("8 imported, 0 added, 0 changed"), "{applied}");
    within.assert_converged();
    for (path, before) in paths.iter().zip(&before) {
        assert_owned(path, before, &api.get(path).unwrap());
    }
    // The blocks may go; what is written is an object like all of ours.
    within.configure("");
    within.assert_converged();
    scenario.replace("written.mesh.hcl", "pace = 5", "pace = 6");
    assert_eq!(within.plan().reasons(), [("kubernetes_manifest.widget".to_owned(), "`spec.pace` changed in configuration".to_owned())]);
}

#[test]
fn whoever_may_not_create_gets_defaults_as_well_and_is_told() {
    let Some(within) = Within::shared() else { return };
    let api = within.cluster.api();
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" }, "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] } });
    api.make(&within.path("/api/v1 services"), &service);
    let rules = [json!({ "apiGroups": ["", "apps"], "resources": ["services", "namespaces", "deployments"], "verbs": ["get", "list"] })];
    within.reach(&within.cluster.user(&within.cluster.name("reader"), &rules));
    within.configure(&import("kubernetes_manifest.web", &format!("v1/Service/{}/web", within.namespace)));
    let plan = within.scenario.run(&["plan", "--generate-config-out=web.mesh.hcl"]).expect_code(0);
    assert!(plan.stdout.contains("1 to import, 0 to add, 0 to change"), "{}", plan.all());
    let text = within.scenario.read("web.mesh.hcl");
    assert!(text.contains("# defaults of the API server stand here as well: ") && text.contains("sessionAffinity"), "{text}");
    within.reach(within.cluster.admin());
    within.apply();
    within.assert_converged();
    // What may not be read is not written.
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" } });
    api.make(&within.path("/api/v1 secrets"), &secret);
    within.reach(&within.cluster.user(&within.cluster.name("blind"), &rules));
    let block = import("kubernetes_secret.s", &format!("{}/s", within.namespace));
    within.configure(&block);
    let plan = within.scenario.run(&["plan", "--generate-config-out=s.mesh.hcl"]).expect_code(1);
    assert!(plan.stderr.contains("error: not generated") && plan.stderr.contains("cannot get resource"), "{}", plan.all());
    assert!(!within.scenario.path().join("s.mesh.hcl").exists());
}
