//! Objects whose owners are gone go too.

use crate::api::remove;
use crate::object::{items, text, uid};
use crate::store::{Event, Transaction};

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    let (Some(old), None) = (&event.old, &event.new) else { return };
    let gone = uid(old);
    if gone.is_empty() {
        return;
    }
    let dependents = transaction.select(|_, object| {
        let owners = items(object, &["metadata", "ownerReferences"]);
        owners.iter().any(|owner| text(owner, &["uid"]) == Some(gone))
    });
    for (key, object) in dependents {
        let others = items(&object, &["metadata", "ownerReferences"])
            .iter()
            .filter_map(|owner| text(owner, &["uid"]))
            .filter(|owner| *owner != gone);
        let others: Vec<_> = others.map(str::to_owned).collect();
        let is_owned = !others.is_empty() && !transaction.select(|_, object| others.iter().any(|owner| owner == uid(object))).is_empty();
        if !is_owned {
            remove(transaction, &key);
        }
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
}
