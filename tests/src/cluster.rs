//! A scenario's sandbox clusters as others see them: the API, reached as `kubectl` would.

use crate::apiserver::Api;
use crate::scenario::Scenario;
use engine::value::Value;
use kube::Client;
use kubernetes::Connector;
use sandbox::{SandboxConnector, Sandboxes};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

/// One cluster's API.
pub struct Cluster {
    runtime: Runtime,
    client: Client,
}

impl Cluster {
    /// The cluster of this name, which must be there.
    pub fn of(scenario: &Scenario, name: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connector = SandboxConnector::new(sandboxes(scenario));
        let parts = [("type", Value::string("sandbox")), ("name", Value::string(name)), ("directory", Value::string(name))];
        let client = runtime.block_on(async { connector.connect(&Value::object(parts)).await });
        let client = client.unwrap().unwrap_or_else(|why| panic!("`{name}`: {why}"));
        Self { runtime, client }
    }

    /// The object at a path of the API; nothing if it is not there.
    pub fn get(&self, path: &str) -> Option<Json> {
        match self.call("GET", path, None) {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Edits the object at a path as a person would: with a merge patch, under the manager `kubectl-edit`.
    pub fn edit(&self, path: &str, changes: &Json) {
        let edited = self.call("PATCH", &format!("{path}?fieldManager=kubectl-edit"), Some(changes));
        assert!(edited.is_ok(), "{path}: {edited:?}");
    }

    /// Makes an object in the collection at a path.
    pub fn make(&self, path: &str, object: &Json) {
        let made = self.call("POST", &format!("{path}?fieldManager=kubectl-create"), Some(object));
        assert!(made.is_ok(), "{path}: {made:?}");
    }

    /// Deletes the object at a path.
    pub fn delete(&self, path: &str) {
        let deleted = self.call("DELETE", path, None);
        assert!(deleted.is_ok(), "{path}: {deleted:?}");
    }

    fn call(&self, method: &str, path: &str, body: Option<&Json>) -> Result<Json, kube::Error> {
        let body = body.map(ToString::to_string).unwrap_or_default().into_bytes();
        let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = http::Request::builder().method(method).uri(path).header("content-type", content);
        self.runtime.block_on(self.client.request(request.body(body).unwrap()))
    }
}

/// Lets a sandbox cluster of a scenario forget what was: somebody else writes so much that the log begins anew.
pub fn forget(scenario: &Scenario, name: &str) {
    let log = || std::fs::metadata(scenario.path().join(".meshplan/sandbox").join(name).join("log.jsonl")).unwrap().len();
    let other = Api::of_sandbox(sandboxes(scenario), name);
    let object = |text: &str| json!({ "data": { "long": text.repeat(900_000) } });
    let path = "/api/v1/namespaces/default/configmaps";
    other.make(path, &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "long" } }));
    let mut before = 0;
    for text in ["a", "b"].into_iter().cycle() {
        other.edit(&format!("{path}/long"), &object(text));
        if log() < before {
            break;
        }
        before = log();
    }
    other.delete(&format!("{path}/long"));
}

/// The sandbox clusters of a scenario.
pub fn sandboxes(scenario: &Scenario) -> Sandboxes {
    Sandboxes::new(scenario.path().join(".meshplan/sandbox"))
}
