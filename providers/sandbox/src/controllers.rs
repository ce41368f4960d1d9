//! What other programs do in a cluster that runs: each write is followed by what they make of it, in the same transaction.
//!
//! Nothing here waits and nothing runs by itself, so that the same writes give the same cluster. What is invented is marked `(simulated)`.

mod definition;
mod garbage;
mod istiod;
mod load_balancer;
mod metallb;
mod namespace;
mod operator;
mod token;
mod workload;

pub use operator::operator_makes;
pub(crate) use token::service_account_token;

use crate::admission::{self, Part};
use crate::object::Json;
use crate::ownership::{self, Applying, Conflicts, Owners, Shape, Writer};
use crate::resource::Key;
use crate::store::{Event, Transaction};

/// No cascade is longer than this; a cluster whose controllers quarrel is left as it is.
const ENOUGH: usize = 10_000;

/// Lets every controller see every change of a transaction, and the changes that follow from them.
pub(crate) fn run(transaction: &mut Transaction<'_>) {
    for at in 0..ENOUGH {
        let Some(event) = transaction.event(at) else { return };
        react(transaction, &event);
    }
}

/// Lets the controllers see that the cluster's facts are others, then as [`run`].
pub(crate) fn run_after_new_facts(transaction: &mut Transaction<'_>) {
    load_balancer::serve_waiting(transaction);
    run(transaction);
}

fn react(transaction: &mut Transaction<'_>, event: &Event) {
    namespace::react(transaction, event);
    definition::react(transaction, event);
    token::react(transaction, event);
    metallb::react(transaction, event);
    load_balancer::react(transaction, event);
    workload::react(transaction, event);
    operator::react(transaction, event);
    istiod::react(transaction, event);
    garbage::react(transaction, event);
}

/// Stores an object of a controller's if nothing of its name is there. Nothing happens where its kind or namespace is not.
fn make(transaction: &mut Transaction<'_>, key: &Key, mut object: Json, manager: &str) {
    if transaction.get(key).is_some() {
        return;
    }
    let Some(resource) = transaction.resource_of(key, &object) else { return };
    if admission::create(transaction, &resource, &mut object).is_err() {
        return;
    }
    let (api_version, now) = (resource.api_version(), transaction.now().to_owned());
    let mut owners = Owners::default();
    let writer = Writer { manager, api_version: &api_version, subresource: "", now: &now };
    owners.updated(&Json::Object(serde_json::Map::new()), &object, Shape::of(&resource), writer);
    owners.write(&mut object);
    transaction.put(key, object);
}

/// Applies an object as a controller does: its fields are its own, whoever had them.
pub(crate) fn apply(transaction: &mut Transaction<'_>, key: &Key, config: &Json, manager: &str) {
    let Some(resource) = transaction.resource_of(key, config) else { return };
    let (api_version, now) = (resource.api_version(), transaction.now().to_owned());
    let writer = Writer { manager, api_version: &api_version, subresource: "", now: &now };
    let how = Applying { writer, conflicts: Conflicts::Force, shape: Shape::of(&resource), reset: &["status"] };
    let live = transaction.get(key);
    let Ok(mut object) = ownership::apply(live.as_deref(), config, how) else { return };
    let admitted = match &live {
        Some(live) => admission::update(transaction, &resource, live, &mut object, Part::Object),
        None => admission::create(transaction, &resource, &mut object),
    };
    if admitted.is_ok() && live.is_none_or(|live| *live != object) {
        transaction.put(key, object);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::api::tests::{called, called_as};
    use crate::store::{Facts, Store};

    /// A cluster for tests, called as over HTTP.
    pub(crate) struct Cluster {
        store: Store,
        _base: tempfile::TempDir,
    }

    impl Cluster {
        /// A cluster as it is right after it was made.
        pub(crate) fn new() -> Self {
            let base = tempfile::tempdir().expect("a directory");
            Store::create(base.path(), &Facts::example("c"), |transaction| {
                crate::cluster::seed(transaction, &std::collections::BTreeMap::new())
            })
            .expect("created");
            Self { store: Store::open(&base.path().join("c")).expect("open"), _base: base }
        }

        /// The status and body of a call; a null body is none.
        pub(crate) fn call(&self, method: &str, path: &str, body: &Json) -> (u16, Json) {
            called(&self.store, method, path, body)
        }

        /// The object at a path, if there is one.
        pub(crate) fn get(&self, path: &str) -> Option<Json> {
            let (status, object) = self.call("GET", path, &Json::Null);
            (status == 200).then_some(object)
        }

        /// Creates an object; it must succeed.
        pub(crate) fn create(&self, path: &str, object: &Json) -> Json {
            let (status, answer) = self.call("POST", path, object);
            assert_eq!(status, 201, "{answer}");
            answer
        }

        /// Patches an object by RFC 7396.
        pub(crate) fn merge(&self, path: &str, changes: &Json) -> (u16, Json) {
            called_as(&self.store, "PATCH", path, "application/merge-patch+json", changes)
        }

        /// Applies an object on the server's side.
        pub(crate) fn apply(&self, path: &str, manager: &str, object: &Json) -> (u16, Json) {
            let sign = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{sign}fieldManager={manager}");
            called_as(&self.store, "PATCH", &path, "application/apply-patch+yaml", object)
        }
    }

    #[test]
    fn a_larger_pool_serves_those_that_wait() {
        let cluster = Cluster::new();
        let services = "/api/v1/namespaces/default/services";
        let address = |name: &str| cluster.get(&format!("{services}/{name}")).expect("there")["status"]["loadBalancer"].to_string();
        for name in ["a", "b", "c", "d", "e"] {
            let spec = serde_json::json!({ "type": "LoadBalancer", "ports": [{ "port": 80 }] });
            cluster.create(services, &serde_json::json!({ "metadata": { "name": name }, "spec": spec }));
        }
        let kept = address("a");
        assert!(!address("e").contains("198.18"), "{}", address("e"));
        let grown = cluster.store.write(|transaction| {
            let facts = Facts { load_balancer_pool: "198.18.0.0/29".to_owned(), ..transaction.facts().clone() };
            transaction.set_facts(facts);
            run_after_new_facts(transaction);
            Ok(())
        });
        assert!(grown.is_ok());
        assert!(address("e").contains("198.18.0.4"), "{}", address("e"));
        assert_eq!(address("a"), kept);
    }
}
