//! Fields that somebody else took, and controllers that write beside ours.

use crate::assortment::{merge, object, one, plain};
use crate::within::Within;
use serde_json::{Value, json};

/// Applies an object as another manager, and takes what it holds.
fn take(within: &Within, path: &str, manager: &str, object: &Value) {
    let path = format!("{path}?fieldManager={manager}&force=true");
    within.cluster.api().send("PATCH", &path, "application/apply-patch+yaml", object.to_string()).done();
}

#[test]
fn a_field_that_another_applier_took_is_a_conflict_until_it_is_forced() {
    let Some(within) = Within::shared() else { return };
    let map = |data: &Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": within.namespace }, "data": data });
    let ours = map(&json!({ "a": "1", "b": "1" }));
    within.objects(&[("m", ours.clone(), "")]);
    within.apply();
    let path = within.path("/api/v1 configmaps/m");
    take(&within, &path, "argocd", &map(&json!({ "a": "2" })));
    let problems = within.refused();
    let conflict = "manager `argocd` owns `data.a`, last written 20";
    assert!(matches!(&problems[..], [(summary, detail)] if summary == "field conflict" && detail.contains(conflict)), "{problems:?}");
    assert_eq!(within.cluster.api().get(&path).unwrap()["data"], json!({ "a": "2", "b": "1" }), "a plan changes nothing");
    within.objects(&[("m", ours, "force = true")]);
    within.apply();
    within.assert_converged();
    assert_eq!(within.cluster.api().get(&path).unwrap()["data"], json!({ "a": "1", "b": "1" }));
    within.destroy();
}

/// As controllers of load balancers, istiod and operators write into what others apply.
#[test]
fn what_controllers_add_beside_ours_is_theirs() {
    let Some(within) = Within::shared() else { return };
    let place = json!({ "metadata": { "namespace": within.namespace } });
    let mut service = one(plain("s"), "Service");
    merge(&mut service, place.clone());
    let root = object(
        "v1",
        "ConfigMap",
        "istio-ca-root-cert",
        json!({ "metadata": { "namespace": within.namespace }, "data": { "note": "ours" } }),
    );
    let group = format!("{}.example.org", within.cluster.name("theirs"));
    let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
    let versions = json!([{ "name": "v1", "served": true, "storage": true, "schema": schema, "subresources": { "status": {} } }]);
    let names = json!({ "plural": "entries", "singular": "entry", "kind": "Entry" });
    let spec = json!({ "spec": { "group": group, "scope": "Namespaced", "names": names, "versions": versions } });
    let kind = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", &format!("entries.{group}"), spec);
    let entry = json!({ "apiVersion": format!("{group}/v1"), "kind": "Entry",
        "metadata": { "name": "e", "namespace": within.namespace }, "spec": { "profile": "default" } });
    within.objects(&[
        ("service", service, ""),
        ("root", root, ""),
        ("kind", kind, ""),
        ("entry", entry, "depends_on = [kubernetes_manifest.kind]"),
    ]);
    within.apply();
    within.assert_converged();

    let merge_patch = |path: &str, manager: &str, change: Value| {
        let path = format!("{path}?fieldManager={manager}");
        within.cluster.api().send("PATCH", &path, "application/merge-patch+json", change.to_string()).done();
    };
    let finalizers = json!({ "metadata": { "finalizers": ["service.kubernetes.io/load-balancer-cleanup"] } });
    let (service, root) = (within.path("/api/v1 services/s"), within.path("/api/v1 configmaps/istio-ca-root-cert"));
    let entry = within.path(&format!("/apis/{group}/v1 entries/e"));
    merge_patch(&service, "service-controller", finalizers);
    merge_patch(&root, "istiod", json!({ "data": { "root-cert.pem": "PEM" }, "metadata": { "labels": { "istio.io/config": "true" } } }));
    merge_patch(
        &entry,
        "istio-operator",
        json!({ "spec": { "hub": "docker.io/istio", "values": { "global": {} } }, "metadata": { "finalizers": ["istio-finalizer.install.istio.io/x"] } }),
    );
    merge_patch(&format!("{entry}/status"), "pilot-discovery", json!({ "status": { "addresses": [{ "value": "240.240.0.1" }] } }));
    within.assert_converged();

    for path in [&service, &entry] {
        merge_patch(path, "service-controller", json!({ "metadata": { "finalizers": null } }));
    }
    within.destroy();
}
