//! What reviewers are shown against what servers do: lists in another order, and how long plans are beside `kubectl diff`.

use crate::within::Within;
use meshplan_tests::apiserver::{ApiServer, required};
use meshplan_tests::golden;
use meshplan_tests::reviews::{Case, Rendered, lines_of_changes, name};
use meshplan_tests::scenario::project;
use serde_json::{Value, json};
use std::fmt::Write;

/// A Deployment with two of everything that has an order, in this order or the other way round.
fn deployment(namespace: &str, turn: fn(&mut [Value])) -> Value {
    let turned = |list: Value| {
        let mut list = list.as_array().unwrap().clone();
        turn(&mut list);
        Value::Array(list)
    };
    let container = |name: &str| {
        json!({ "name": name, "image": "example.test/a:1",
            "env": turned(json!([{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }])),
            "ports": turned(json!([{ "containerPort": 80 }, { "containerPort": 81 }])),
            "volumeMounts": turned(json!([{ "name": "v", "mountPath": "/v" }, { "name": "w", "mountPath": "/w" }])) })
    };
    let pods = json!({
        "containers": turned(json!([container("a"), container("b")])),
        "initContainers": turned(json!([{ "name": "i", "image": "example.test/i:1" }, { "name": "j", "image": "example.test/j:1" }])),
        "volumes": turned(json!([{ "name": "v", "emptyDir": {} }, { "name": "w", "emptyDir": {} }])),
        "hostAliases": turned(json!([{ "ip": "192.0.2.1", "hostnames": ["a.test"] }, { "ip": "192.0.2.2", "hostnames": ["b.test"] }])),
        "imagePullSecrets": turned(json!([{ "name": "p" }, { "name": "q" }])),
    });
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": namespace },
        "spec": { "replicas": 0, "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": pods } } })
}

/// Others with lists that servers merge by key.
fn others(within: &Within, turn: fn(&mut [Value])) -> Vec<Value> {
    let turned = |list: Value| {
        let mut list = list.as_array().unwrap().clone();
        turn(&mut list);
        Value::Array(list)
    };
    let namespace = &within.namespace;
    let webhook = |name: &str| {
        json!({ "name": format!("{name}.example.test"), "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
            "clientConfig": { "url": "https://hook.example.test/" }, "rules": [] })
    };
    vec![
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": namespace },
            "spec": { "ports": turned(json!([{ "name": "a", "port": 80 }, { "name": "b", "port": 81 }])) } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "web", "namespace": namespace },
            "secrets": turned(json!([{ "name": "a" }, { "name": "b" }])), "imagePullSecrets": turned(json!([{ "name": "c" }, { "name": "d" }])) }),
        json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": { "name": namespace },
            "webhooks": turned(json!([webhook("a"), webhook("b")])) }),
    ]
}

fn configure(within: &Within, turn: fn(&mut [Value])) {
    let all = others(within, turn);
    let labels = ["service", "account", "hooks"];
    let mut objects = vec![("web", deployment(&within.namespace, turn), "")];
    objects.extend(labels.into_iter().zip(all).map(|(label, object)| (label, object, "")));
    within.objects(&objects);
}

/// The names of the elements of a list.
fn names(object: &Value, list: &str) -> Vec<String> {
    let items = object.pointer(list).and_then(Value::as_array).unwrap();
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn another_order_of_a_list_is_a_change_that_the_server_makes() {
    let Some(within) = Within::shared() else { return };
    let web = format!("{}/web", within.path("/apis/apps/v1 deployments"));
    let rolled_out = |times: u64| {
        within.cluster.api().wait(&web, |web| web["status"]["observedGeneration"] == times && web["metadata"]["generation"] == times);
        let sets = within.cluster.api().get(&within.path("/apis/apps/v1 replicasets")).unwrap();
        assert_eq!(sets["items"].as_array().map(Vec::len), usize::try_from(times).ok(), "{sets:#}");
    };
    configure(&within, |_| {});
    within.apply();
    within.assert_converged();
    rolled_out(1);

    configure(&within, <[Value]>::reverse);
    let shown = within.scenario.run_on_terminal(&["plan", "--no-color"], 120).expect_code(0).stdout;
    for moved in [
        "spec.template.spec.containers[name=b]  ",
        "spec.template.spec.containers[name=a].env[name=B]  ",
        "spec.template.spec.containers[name=a].volumeMounts[mountPath=/w]  ",
        "[name=a].ports[containerPort=81,protocol=TCP]  ",
        "spec.template.spec.initContainers[name=j]  ",
        "spec.template.spec.volumes[name=w]  ",
        "spec.template.spec.hostAliases[ip=192.0.2.2]  ",
        "spec.template.spec.imagePullSecrets[name=q]  ",
        "spec.ports[port=81,protocol=TCP]  ",
        "imagePullSecrets[name=d]  ",
        "secrets[name=b]  ",
        "webhooks[name=b.example.test]  ",
    ] {
        let told = shown.lines().any(|line| line.contains(moved) && line.contains(" moved from 1 to 0"));
        assert!(told, "{moved}: {shown}");
    }
    assert!(shown.contains("\n        web restarts\n"), "{shown}");
    within.apply();
    within.assert_converged();
    rolled_out(2);
    let live = |path: &str| within.cluster.api().get(path).unwrap();
    assert_eq!(names(&live(&web), "/spec/template/spec/containers"), ["b", "a"]);
    assert_eq!(names(&live(&web), "/spec/template/spec/initContainers"), ["j", "i"]);
    assert_eq!(names(&live(&format!("{}/web", within.path("/api/v1 services"))), "/spec/ports"), ["b", "a"]);

    // Whoever turns them round again drifts.
    let turned = deployment(&within.namespace, |_| {});
    within
        .cluster
        .api()
        .edit(&web, &json!({ "spec": { "template": { "spec": { "containers": turned["spec"]["template"]["spec"]["containers"] } } } }));
    assert_eq!(names(&live(&web), "/spec/template/spec/containers"), ["a", "b"]);
    let reasons = within.plan().reasons();
    let told = |why: &str| why.contains("`spec.template.spec.containers.b.env`") && why.contains("changed outside");
    assert!(matches!(&reasons[..], [(address, why)] if address == "kubernetes_manifest.web" && told(why)), "{reasons:?}");
    within.apply();
    within.assert_converged();
    assert_eq!(names(&live(&web), "/spec/template/spec/containers"), ["b", "a"]);
    within.destroy();
}

/// How many lines `kubectl diff` takes for these objects.
fn kubectl_lines(within: &Within, case: Case, objects: &[Value]) -> usize {
    // It shows nothing at all where one object cannot change in place, as the Deployment with another selector.
    let accepted = |object: &&Value| case != Case::Upgrade || name(object) != "Deployment istio-system/istio-eastwestgateway";
    let text: Vec<String> = objects.iter().filter(accepted).map(ToString::to_string).collect();
    within.scenario.write("after.yaml", &text.join("\n---\n"));
    let file = within.scenario.path().join("after.yaml").display().to_string();
    let output = within.cluster.kubectl(&["diff", "--server-side", "--force-conflicts", "-f", &file]);
    assert_eq!(output.status.code(), Some(1), "{case:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().count()
}

const CONFIGURATION: &str = r#"
resource "kubernetes_manifests" "istio" {
  cluster = data.kubernetes_cluster.c
  content = file("istio.yaml")
  wait    = false
}
"#;

#[test]
fn plans_are_shorter_than_kubectl_diff() {
    let Some(components) = required() else { return };
    // It is alone there: its objects are everybody's.
    let cluster = Box::leak(Box::new(ApiServer::start(&components, "c1")));
    let within = Within::of(cluster);
    within.configure(CONFIGURATION);
    within.scenario.write("istio.yaml", &Rendered::of("c1", None).text());
    within.apply();
    within.assert_converged();
    let mut table =
        "| in one cluster | values that change | lines of the plan | lines of `kubectl diff` |\n|---|---:|---:|---:|\n".to_owned();
    for case in Case::ALL {
        let rendered = Rendered::of("c1", Some(case));
        if rendered.changed == 0 {
            continue;
        }
        within.scenario.write("istio.yaml", &rendered.text());
        within.scenario.run(&["plan", "--out", "reviewed.plan"]).expect_code(0);
        let shown = within.scenario.run_on_terminal(&["show", "--no-color", "reviewed.plan"], 120).expect_code(0).stdout;
        let (lines, kubectl) = (lines_of_changes(&shown), kubectl_lines(&within, case, &rendered.objects));
        assert!(lines <= 2 * rendered.changed && lines < kubectl, "{case:?}: {lines}, {kubectl}\n{shown}");
        let words = case.name().replace("-of-three-clusters", "").replace('-', " ");
        writeln!(table, "| {words} | {} | {lines} | {kubectl} |", rendered.changed).unwrap();
    }
    // In which order another manager's lists are merged is not the same each time, so what `kubectl` takes is one run's.
    if golden::is_blessing() {
        golden::expect_none(golden::table("docs/reviewing.md", &table));
    }
    let page = std::fs::read_to_string(project().join("docs/reviewing.md")).unwrap();
    for row in table.lines() {
        let ours = row.rsplitn(3, '|').last().unwrap();
        assert!(page.lines().any(|line| line.starts_with(&format!("{ours}|"))), "{row} is not what docs/reviewing.md says");
    }
}
