//! Definitions: their names are accepted and they become established at once; one that goes takes its objects with it.

use crate::api::{CLEANUP, remove};
use crate::object::{is_terminating, items, set, text};
use crate::resource::{DEFINITIONS, Key};
use crate::store::{Event, Transaction};
use serde_json::json;

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    if &*event.key.resource == DEFINITIONS {
        match &event.new {
            Some(definition) if is_terminating(definition) => empty(transaction, &event.key),
            Some(_) => establish(transaction, &event.key),
            None => {}
        }
    } else if event.new.is_none() && event.key.group().contains('.') {
        let definition = Key::new(DEFINITIONS, "", &event.key.resource);
        if transaction.get(&definition).is_some_and(|definition| is_terminating(&definition)) {
            empty(transaction, &definition);
        }
    }
}

fn establish(transaction: &mut Transaction<'_>, key: &Key) {
    let now = transaction.now().to_owned();
    transaction.control(key, "kube-apiserver", "status", |definition| {
        let names = definition["spec"]["names"].clone();
        set(definition, &["status", "acceptedNames"], names);
        let stored = items(definition, &["spec", "versions"]).iter().find(|version| version["storage"] == true).and_then(|version| text(version, &["name"]));
        let mut versions = items(definition, &["status", "storedVersions"]).to_vec();
        versions.extend(stored.map(|stored| json!(stored)).filter(|stored| !versions.contains(stored)));
        set(definition, &["status", "storedVersions"], versions);
        if items(definition, &["status", "conditions"]).is_empty() {
            let condition = |ty: &str, reason: &str, message: &str| json!({ "type": ty, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now });
            let accepted = condition("NamesAccepted", "NoConflicts", "no conflicts found");
            let established = condition("Established", "InitialNamesAccepted", "the initial names have been accepted");
            set(definition, &["status", "conditions"], json!([accepted, established]));
        }
    });
}

fn empty(transaction: &mut Transaction<'_>, key: &Key) {
    let resource = key.name.clone();
    for (object, _) in transaction.list(&resource, None) {
        remove(transaction, &object);
    }
    if !transaction.list(&resource, None).is_empty() {
        return;
    }
    transaction.control(key, "kube-apiserver", "", |definition| {
        let left: Vec<_> =
            items(definition, &["metadata", "finalizers"]).iter().filter(|finalizer| *finalizer != CLEANUP).cloned().collect();
        set(definition, &["metadata", "finalizers"], left);
    });
    if transaction.get(key).is_some_and(|definition| items(&definition, &["metadata", "finalizers"]).is_empty()) {
        transaction.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use super::*;

    const DEFINITIONS_PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    fn things() -> serde_json::Value {
        json!({ "metadata": { "name": "things.example.io" }, "spec": { "group": "example.io", "scope": "Namespaced", "names": { "kind": "Thing", "plural": "things" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }] } })
    }

    #[test]
    fn a_definition_is_established_and_served() {
        let cluster = Cluster::new();
        let path = "/apis/example.io/v1/namespaces/default/things";
        assert_eq!(cluster.call("POST", path, &json!({ "metadata": { "name": "t" } })).0, 404);
        cluster.create(DEFINITIONS_PATH, &things());
        let definition = cluster.get(&format!("{DEFINITIONS_PATH}/things.example.io")).expect("there");
        assert_eq!(definition["status"]["conditions"][1]["type"], json!("Established"));
        assert_eq!(definition["status"]["storedVersions"], json!(["v1"]));
        cluster.create(path, &json!({ "metadata": { "name": "t" }, "spec": { "any": 1 } }));
        assert_eq!(cluster.get(&format!("{path}/t")).map(|thing| thing["spec"].clone()), Some(json!({ "any": 1 })));
    }

    #[test]
    fn a_definition_takes_its_objects_with_it() {
        let cluster = Cluster::new();
        cluster.create(DEFINITIONS_PATH, &things());
        let path = "/apis/example.io/v1/namespaces/default/things";
        cluster.create(path, &json!({ "metadata": { "name": "t" } }));
        cluster.create(path, &json!({ "metadata": { "name": "held", "finalizers": ["example.io/hold"] } }));
        cluster.call("DELETE", &format!("{DEFINITIONS_PATH}/things.example.io"), &json!(null));
        assert!(cluster.get(&format!("{path}/t")).is_none() && cluster.get(&format!("{path}/held")).is_some());
        cluster.merge(&format!("{path}/held"), &json!({ "metadata": { "finalizers": null } }));
        assert!(cluster.get(&format!("{DEFINITIONS_PATH}/things.example.io")).is_none());
        assert_eq!(cluster.call("GET", path, &json!(null)).0, 404);
    }
}
