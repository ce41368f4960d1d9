//! Objects whose owners are gone go too.

use crate::api::{FOREGROUND, ORPHAN, remove};
use crate::object::{Json, has_finalizer, is_terminating, items, list_at, text, uid};
use crate::resource::Key;
use crate::store::{Event, Transaction};
use std::sync::Arc;

const MANAGER: &str = "kube-controller-manager";

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    match (&event.old, &event.new) {
        (Some(old), None) => {
            let gone = uid(old).to_owned();
            for (key, object) in dependents(transaction, &gone) {
                take_unowned(transaction, &key, &object, &gone);
            }
            release_owners(transaction, old);
        }
        (_, Some(new)) if is_terminating(new) && has_finalizer(new, ORPHAN) => {
            for (key, _) in dependents(transaction, uid(new)) {
                disown(transaction, &key, uid(new));
            }
            release(transaction, &event.key, ORPHAN);
        }
        (_, Some(new)) if is_terminating(new) && has_finalizer(new, FOREGROUND) => {
            for (key, _) in dependents(transaction, uid(new)) {
                remove(transaction, &key);
            }
            if dependents(transaction, uid(new)).is_empty() {
                release(transaction, &event.key, FOREGROUND);
            }
        }
        _ => {}
    }
}

fn owners(object: &Json) -> impl Iterator<Item = &str> {
    items(object, &["metadata", "ownerReferences"]).iter().filter_map(|owner| text(owner, &["uid"]))
}

/// The objects that name this owner.
fn dependents(transaction: &Transaction<'_>, owner: &str) -> Vec<(Key, Arc<Json>)> {
    if owner.is_empty() { Vec::new() } else { transaction.select(|_, object| owners(object).any(|known| known == owner)) }
}

/// Removes a dependent unless another of its owners is there.
fn take_unowned(transaction: &mut Transaction<'_>, key: &Key, object: &Json, gone: &str) {
    let others: Vec<_> = owners(object).filter(|owner| *owner != gone).collect();
    let is_owned = !others.is_empty() && !transaction.select(|_, object| others.contains(&uid(object))).is_empty();
    if !is_owned {
        remove(transaction, key);
    }
}

/// Takes an owner out of a dependent.
fn disown(transaction: &mut Transaction<'_>, key: &Key, owner: &str) {
    transaction.control(key, MANAGER, "", |object| {
        let is_empty = list_at(object, &["metadata", "ownerReferences"]).is_some_and(|owners| {
            owners.retain(|known| text(known, &["uid"]) != Some(owner));
            owners.is_empty()
        });
        if is_empty {
            crate::object::remove(object, &["metadata", "ownerReferences"]);
        }
    });
}

/// Lets owners go that waited for this one, their last dependent.
fn release_owners(transaction: &mut Transaction<'_>, gone: &Json) {
    let waiting = transaction.select(|_, object| has_finalizer(object, FOREGROUND) && owners(gone).any(|owner| owner == uid(object)));
    for (key, object) in waiting {
        if dependents(transaction, uid(&object)).is_empty() {
            release(transaction, &key, FOREGROUND);
        }
    }
}

/// Takes a finalizer from an object, and the object with the last one.
fn release(transaction: &mut Transaction<'_>, key: &Key, finalizer: &str) {
    transaction.control(key, MANAGER, "", |object| {
        if let Some(finalizers) = list_at(object, &["metadata", "finalizers"]) {
            finalizers.retain(|known| known != finalizer);
        }
    });
    if transaction.get(key).is_some_and(|object| items(&object, &["metadata", "finalizers"]).is_empty()) {
        transaction.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use serde_json::json;

    #[test]
    fn the_last_owner_takes_its_dependents_with_it() {
        let cluster = Cluster::new();
        let path = "/api/v1/namespaces/default/configmaps";
        let owners: Vec<_> = ["a", "b"]
            .iter()
            .map(|name| {
                let made = cluster.create(path, &json!({ "metadata": { "name": name } }));
                json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": made["metadata"]["uid"] })
            })
            .collect();
        cluster.create(path, &json!({ "metadata": { "name": "both", "ownerReferences": owners } }));
        cluster.create(path, &json!({ "metadata": { "name": "one", "ownerReferences": [owners[0]] } }));
        cluster.call("DELETE", &format!("{path}/a"), &json!(null));
        assert!(cluster.get(&format!("{path}/one")).is_none() && cluster.get(&format!("{path}/both")).is_some());
        cluster.call("DELETE", &format!("{path}/b"), &json!(null));
        assert!(cluster.get(&format!("{path}/both")).is_none());
    }

    #[test]
    fn dependents_are_left_or_awaited_as_the_deletion_says() {
        let cluster = Cluster::new();
        let path = "/api/v1/namespaces/default/configmaps";
        for (policy, is_left) in [("Orphan", true), ("Foreground", false), ("Background", false)] {
            let made = cluster.create(path, &json!({ "metadata": { "name": "owner" } }));
            let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": made["metadata"]["uid"] });
            cluster.create(path, &json!({ "metadata": { "name": "owned", "ownerReferences": [owner] } }));
            let (status, _) = cluster.call("DELETE", &format!("{path}/owner"), &json!({ "propagationPolicy": policy }));
            assert_eq!((status, cluster.get(&format!("{path}/owner"))), (200, None), "{policy}");
            let dependent = cluster.get(&format!("{path}/owned"));
            assert_eq!(dependent.is_some_and(|dependent| dependent["metadata"].get("ownerReferences").is_none()), is_left, "{policy}");
            cluster.call("DELETE", &format!("{path}/owned"), &json!(null));
        }
    }

    #[test]
    fn an_owner_in_the_foreground_waits_for_what_is_held() {
        let cluster = Cluster::new();
        let path = "/api/v1/namespaces/default/configmaps";
        let made = cluster.create(path, &json!({ "metadata": { "name": "owner" } }));
        let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": made["metadata"]["uid"] });
        cluster.create(path, &json!({ "metadata": { "name": "owned", "ownerReferences": [owner], "finalizers": ["example.org/hold"] } }));
        cluster.call("DELETE", &format!("{path}/owner?propagationPolicy=Foreground"), &json!(null));
        assert!(cluster.get(&format!("{path}/owner")).is_some());
        let dependent = cluster.get(&format!("{path}/owned")).expect("held");
        assert!(dependent["metadata"]["deletionTimestamp"].is_string());
        let mut freed = dependent.clone();
        freed["metadata"]["finalizers"] = json!([]);
        cluster.call("PUT", &format!("{path}/owned"), &freed);
        assert!(cluster.get(&format!("{path}/owned")).is_none() && cluster.get(&format!("{path}/owner")).is_none());
    }
}
