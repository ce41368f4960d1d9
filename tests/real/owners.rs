//! Several who write into one object: two records of ours, and what clouds put beside.

use crate::within::Within;
use meshplan_tests::apiserver::webhook::{Behaviour, Registration, Webhook};
use serde_json::{Value, json};

/// An object, and a part of it that another block owns.
fn shared(label: &str, value: &str, part: bool) -> String {
    let part = if part {
        "resource \"kubernetes_labels\" \"part\" {\n  cluster = data.kubernetes_cluster.c\n  api_version = \"v1\"\n  kind = \"ConfigMap\"\n  \
         namespace = \"NAMESPACE\"\n  name = \"m\"\n  labels = { part = \"theirs\" }\n  depends_on = [kubernetes_manifest.whole]\n}\n"
    } else {
        ""
    };
    format!(
        "resource \"kubernetes_manifest\" \"whole\" {{\n  cluster = data.kubernetes_cluster.c\n  manifest = {{\n    apiVersion = \"v1\"\n    \
         kind = \"ConfigMap\"\n    metadata = {{ name = \"m\", namespace = \"NAMESPACE\", labels = {{ whole = \"{label}\" }} }}\n    \
         data = {{ k = \"{value}\" }}\n  }}\n}}\n{part}"
    )
}

/// The labels of the object, and its managers of ours.
fn seen(within: &Within) -> (Value, Vec<String>) {
    let live = within.cluster.api().get(&within.path("/api/v1 configmaps/m")).unwrap();
    let owners = live["metadata"]["managedFields"].as_array().unwrap().iter().filter_map(|owner| owner["manager"].as_str());
    let mut ours: Vec<_> = owners.filter(|manager| manager.starts_with("meshplan/")).map(str::to_owned).collect();
    ours.sort();
    ours.dedup();
    (live["metadata"]["labels"].clone(), ours)
}

#[test]
fn two_records_own_parts_of_one_object_and_neither_takes_from_the_other() {
    let Some(within) = Within::shared() else { return };
    within.configure(&shared("1", "a", true));
    within.apply();
    within.assert_converged();
    let (labels, managers) = seen(&within);
    assert_eq!((labels, managers.len()), (json!({ "whole": "1", "part": "theirs" }), 2), "{managers:?}");

    within.configure(&shared("2", "b", true));
    let changed = within.plan().reasons();
    assert!(matches!(&changed[..], [(address, _)] if address == "kubernetes_manifest.whole"), "{changed:?}");
    within.apply();
    within.assert_converged();
    assert_eq!(seen(&within), (json!({ "whole": "2", "part": "theirs" }), managers.clone()));

    within.configure(&shared("2", "b", false));
    within.apply();
    within.assert_converged();
    let (labels, left) = seen(&within);
    assert_eq!((labels, left.len()), (json!({ "whole": "2" }), 1));
    within.destroy();
}

#[test]
fn what_clouds_write_into_services_and_namespaces_is_theirs() {
    let Some(within) = Within::shared() else { return };
    let class = json!([{ "op": "add", "path": "/spec/loadBalancerClass", "value": "cloud.test/nlb" }]);
    let webhook = Webhook::start(within.cluster, &Registration::mutating(&within.namespace, "services"), Behaviour::Patch(class));
    let service = |label: &str| {
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s", "namespace": within.namespace, "labels": { "l": label } },
            "spec": { "type": "LoadBalancer", "selector": { "app": "a" }, "ports": [{ "port": 80 }] } })
    };
    let name = within.cluster.name("cloud");
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    within.objects(&[("s", service("1"), ""), ("n", namespace.clone(), "")]);
    within.apply();
    drop(webhook);
    let api = within.cluster.api();
    let path = within.path("/api/v1 services/s");
    assert_eq!(api.get(&path).unwrap()["spec"]["loadBalancerClass"], "cloud.test/nlb");
    within.assert_converged();

    let written = json!({ "metadata": { "labels": { "kubernetes.azure.com/managedby": "aks" }, "annotations": { "cloud.test/ip": "1" } } });
    for path in [&path, &format!("/api/v1/namespaces/{name}")] {
        api.send("PATCH", &format!("{path}?fieldManager=cloud-controller-manager"), "application/merge-patch+json", written.to_string())
            .done();
    }
    within.assert_converged();

    // A change of ours leaves them as they are.
    within.objects(&[("s", service("2"), ""), ("n", namespace, "")]);
    within.apply();
    within.assert_converged();
    let live = api.get(&path).unwrap();
    let expected = json!({ "l": "2", "kubernetes.azure.com/managedby": "aks" });
    assert_eq!((&live["metadata"]["labels"], &live["spec"]["loadBalancerClass"]), (&expected, &json!("cloud.test/nlb")));
    within.destroy();
}
