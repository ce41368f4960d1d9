//! Whether a kind lies in namespaces is for the server to say.

use crate::within::Within;
use serde_json::json;

/// A definition of a kind of this scope, as it is served.
fn defined(within: &Within, scope: &str) -> String {
    let group = format!("{}.example.org", within.cluster.name("scopes"));
    let definition = json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": format!("things.{group}") },
        "spec": { "group": group, "scope": scope, "names": { "plural": "things", "singular": "thing", "kind": "Thing" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": { "type": "object" } } }] } });
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    within.cluster.api().make(definitions, &definition);
    within.cluster.api().wait(&format!("{definitions}/things.{group}"), |live| {
        let conditions = live["status"]["conditions"].as_array().into_iter().flatten();
        conditions.into_iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
    });
    group
}

#[test]
fn the_server_says_whether_a_namespace_holds_a_kind() {
    let Some(within) = Within::shared() else { return };
    for (scope, namespace) in [("Cluster", true), ("Namespaced", false)] {
        let group = defined(&within, scope);
        let metadata = if namespace { json!({ "name": "t", "namespace": within.namespace }) } else { json!({ "name": "t" }) };
        let object = json!({ "apiVersion": format!("{group}/v1"), "kind": "Thing", "metadata": metadata });
        within.objects(&[("t", object, "")]);
        if namespace {
            let told = within.refused();
            assert!(told.len() == 1 && told[0].1.contains("namespace"), "{told:?}");
            continue;
        }
        within.apply();
        within.assert_converged();
        let path = format!("/apis/{group}/v1/namespaces/default/things/t");
        assert!(within.cluster.api().get(&path).is_some());
        within.destroy();
        assert_eq!(within.cluster.api().get(&path), None);
    }
}
