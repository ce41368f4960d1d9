//! Namespaces: what each holds from the start, and how one goes.

use crate::api::remove;
use crate::object::{is_terminating, items, set};
use crate::resource::Key;
use crate::store::{Event, Transaction};
use serde_json::json;

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    if &*event.key.resource == "namespaces" {
        match &event.new {
            Some(namespace) if is_terminating(namespace) => empty(transaction, &event.key.name),
            Some(_) => furnish(transaction, &event.key.name),
            None => {}
        }
    } else if !event.key.namespace.is_empty() && event.new.is_none() {
        let namespace = transaction.get(&Key::new("namespaces", "", &event.key.namespace));
        if namespace.is_some_and(|namespace| is_terminating(&namespace)) {
            finish(transaction, &event.key.namespace);
        } else {
            furnish(transaction, &event.key.namespace);
        }
    }
}

/// The service account `default` and the cluster's certificate, as kube-controller-manager gives them.
fn furnish(transaction: &mut Transaction<'_>, namespace: &str) {
    if transaction.get(&Key::new("namespaces", "", namespace)).is_none_or(|found| is_terminating(&found)) {
        return;
    }
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default", "namespace": namespace } });
    super::make(transaction, &Key::new("serviceaccounts", namespace, "default"), account, "kube-controller-manager");
    let authority = transaction.facts().certificate_authority.clone();
    let certificate = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-root-ca.crt", "namespace": namespace }, "data": { "ca.crt": authority } });
    super::make(transaction, &Key::new("configmaps", namespace, "kube-root-ca.crt"), certificate, "kube-controller-manager");
}

fn empty(transaction: &mut Transaction<'_>, namespace: &str) {
    for (key, _) in transaction.select(|key, _| &*key.namespace == namespace) {
        remove(transaction, &key);
    }
    finish(transaction, namespace);
}

/// Removes a namespace that is going and holds nothing any more; else says what still keeps it.
fn finish(transaction: &mut Transaction<'_>, namespace: &str) {
    let key = Key::new("namespaces", "", namespace);
    let left = transaction.select(|key, _| &*key.namespace == namespace);
    if left.is_empty() {
        transaction.control(&key, "kube-controller-manager", "", |object| set(object, &["spec", "finalizers"], json!([])));
        if transaction.get(&key).is_some_and(|object| items(&object, &["metadata", "finalizers"]).is_empty()) {
            transaction.remove(&key);
        }
        return;
    }
    let names: Vec<_> = left.iter().map(|(key, _)| key.to_string()).collect();
    let message = format!("Some content in the namespace has finalizers remaining: {}", names.join(", "));
    let now = transaction.now().to_owned();
    let condition = json!({ "type": "NamespaceFinalizersRemaining", "status": "True", "reason": "SomeFinalizersRemain", "message": message, "lastTransitionTime": now });
    transaction.control(&key, "kube-controller-manager", "status", |object| {
        let same = items(object, &["status", "conditions"]).iter().any(|known| known["message"] == condition["message"]);
        if !same {
            set(object, &["status", "conditions"], json!([condition]));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use super::*;

    #[test]
    fn a_namespace_has_its_account_and_goes_with_all_within() {
        let cluster = Cluster::new();
        cluster.create("/api/v1/namespaces", &json!({ "metadata": { "name": "x" } }));
        assert!(cluster.get("/api/v1/namespaces/x/serviceaccounts/default").is_some());
        assert!(cluster.get("/api/v1/namespaces/x/configmaps/kube-root-ca.crt").is_some());
        cluster.create("/api/v1/namespaces/x/configmaps", &json!({ "metadata": { "name": "c" } }));
        assert_eq!(cluster.call("DELETE", "/api/v1/namespaces/x", &json!(null)).0, 200);
        assert!(cluster.get("/api/v1/namespaces/x").is_none());
        assert!(cluster.get("/api/v1/namespaces/x/configmaps/c").is_none());
    }

    #[test]
    fn a_finalizer_keeps_a_namespace_until_it_is_gone() {
        let cluster = Cluster::new();
        cluster.create("/api/v1/namespaces", &json!({ "metadata": { "name": "x" } }));
        cluster.create("/api/v1/namespaces/x/configmaps", &json!({ "metadata": { "name": "c", "finalizers": ["example.io/hold"] } }));
        let (_, answer) = cluster.call("DELETE", "/api/v1/namespaces/x", &json!(null));
        assert_eq!(answer["status"]["phase"], json!("Terminating"));
        let namespace = cluster.get("/api/v1/namespaces/x").expect("still there");
        assert!(namespace["status"]["conditions"][0]["message"].as_str().is_some_and(|message| message.contains("configmaps/x/c")));
        assert_eq!(cluster.call("POST", "/api/v1/namespaces/x/configmaps", &json!({ "metadata": { "name": "d" } })).0, 403);
        let (status, _) = cluster.merge("/api/v1/namespaces/x/configmaps/c", &json!({ "metadata": { "finalizers": null } }));
        assert_eq!(status, 200);
        assert!(cluster.get("/api/v1/namespaces/x").is_none());
    }

    #[test]
    fn the_default_account_comes_back() {
        let cluster = Cluster::new();
        cluster.call("DELETE", "/api/v1/namespaces/default/serviceaccounts/default", &json!(null));
        assert!(cluster.get("/api/v1/namespaces/default/serviceaccounts/default").is_some());
    }
}
