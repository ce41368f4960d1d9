//! Lets the Kubernetes provider reach sandbox clusters, in process.

use crate::cluster::Sandboxes;
use engine::port::BoxFuture;
use engine::value::Value;
use kube::Client;
use kubernetes::Connector;

/// Knows connections `{ type = "sandbox", name, directory }`; the directory is relative to that of all sandbox clusters.
#[derive(Clone)]
pub struct SandboxConnector {
    sandboxes: Sandboxes,
}

impl SandboxConnector {
    /// A way to the clusters of a directory.
    pub fn new(sandboxes: Sandboxes) -> Self {
        Self { sandboxes }
    }

    fn client(&self, connection: &Value) -> Result<Client, String> {
        let name = connection.text("directory").or_else(|| connection.text("name")).unwrap_or_default();
        let api = self.sandboxes.api(name).map_err(|error| error.to_string())?;
        Ok(Client::new(api, "default"))
    }
}

impl Connector for SandboxConnector {
    fn connect<'a>(&'a self, connection: &'a Value) -> BoxFuture<'a, Option<Result<Client, String>>> {
        Box::pin(async move { (connection.text("type") == Some("sandbox")).then(|| self.client(connection)) })
    }

    fn runs_pods(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Nodes, VERSION, Wanted};
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
    use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
    use kube::core::DynamicObject;
    use serde_json::json;

    fn connection(name: &str) -> Value {
        Value::object([("type", Value::string("sandbox")), ("name", Value::string(name)), ("directory", Value::string(name))])
    }

    async fn client() -> (tempfile::TempDir, Client) {
        let base = tempfile::tempdir().expect("a directory");
        let sandboxes = Sandboxes::new(base.path().to_owned());
        sandboxes.make(&Wanted { name: "c1", owner: "r", nodes: &Nodes::new(), pool: "198.18.0.0/28", version: VERSION }).expect("made");
        let client = SandboxConnector::new(sandboxes).connect(&connection("c1")).await.expect("ours").expect("a client");
        (base, client)
    }

    #[tokio::test]
    async fn other_connections_are_left_to_others_and_missing_clusters_said() {
        let base = tempfile::tempdir().expect("a directory");
        let connector = SandboxConnector::new(Sandboxes::new(base.path().to_owned()));
        assert!(connector.connect(&Value::object([("type", Value::string("kubeconfig"))])).await.is_none());
        assert!(connector.connect(&connection("none")).await.is_some_and(|client| client.is_err()));
    }

    #[tokio::test]
    async fn a_client_lists_creates_watches_and_deletes() {
        let (_base, client) = client().await;
        assert_eq!(client.apiserver_version().await.expect("a version").minor, "36");
        let namespaces: Api<Namespace> = Api::all(client.clone());
        assert_eq!(namespaces.list(&ListParams::default()).await.expect("listed").items.len(), 4);

        let maps: Api<ConfigMap> = Api::default_namespaced(client);
        let version = maps.list(&ListParams::default()).await.expect("listed").metadata.resource_version.expect("a version");
        let map = serde_json::from_value(json!({ "metadata": { "name": "m" }, "data": { "a": "1" } })).expect("a map");
        maps.create(&PostParams::default(), &map).await.expect("created");
        let mut events = Box::pin(maps.watch(&WatchParams::default().timeout(5), &version).await.expect("watched"));
        let event = futures::StreamExt::next(&mut events).await.expect("an event").expect("an event");
        assert!(matches!(event, WatchEvent::Added(map) if map.metadata.name.as_deref() == Some("m")));
        maps.delete("m", &DeleteParams::default()).await.expect("deleted");
        assert!(maps.get_opt("m").await.expect("asked").is_none());
    }

    #[tokio::test]
    async fn server_side_apply_answers_as_a_real_server() {
        let (_base, client) = client().await;
        let maps: Api<ConfigMap> = Api::default_namespaced(client);
        let map = |value: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": { "a": value } });
        let one = PatchParams::apply("meshplan/r-1");
        let rehearsed = maps.patch("m", &one.clone().dry_run(), &Patch::Apply(map("1"))).await.expect("rehearsed");
        assert!(rehearsed.metadata.uid.is_some() && maps.get_opt("m").await.expect("asked").is_none());
        let made = maps.patch("m", &one, &Patch::Apply(map("1"))).await.expect("applied");
        let again = maps.patch("m", &one, &Patch::Apply(map("1"))).await.expect("applied");
        assert_eq!((&made.metadata.uid, &made.metadata.resource_version), (&again.metadata.uid, &again.metadata.resource_version));
        let Err(kube::Error::Api(conflict)) = maps.patch("m", &PatchParams::apply("other"), &Patch::Apply(map("2"))).await else {
            panic!("no conflict")
        };
        assert_eq!(
            (conflict.code, conflict.message.as_str()),
            (409, "Apply failed with 1 conflict: conflict with \"meshplan/r-1\": .data.a")
        );
        let forced = maps.patch("m", &PatchParams::apply("other").force(), &Patch::Apply(map("2"))).await.expect("forced");
        assert_eq!(forced.data.and_then(|data| data.get("a").cloned()).as_deref(), Some("2"));
    }

    #[tokio::test]
    async fn discovery_finds_kinds_that_definitions_add() {
        let (_base, client) = client().await;
        let definition = json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "things.example.io" },
            "spec": { "group": "example.io", "scope": "Namespaced", "names": { "kind": "Thing", "plural": "things" }, "versions": [{ "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } } } }] } });
        let definitions: Api<DynamicObject> = Api::all_with(
            client.clone(),
            &kube::core::ApiResource::erase::<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition>(
                &(),
            ),
        );
        definitions.patch("things.example.io", &PatchParams::apply("t"), &Patch::Apply(definition)).await.expect("applied");
        let discovered = kube::Discovery::new(client.clone()).run().await.expect("discovered");
        let group = discovered.get("example.io").expect("the group");
        let (resource, _) = group.recommended_kind("Thing").expect("the kind");
        let things: Api<DynamicObject> = Api::default_namespaced_with(client, &resource);
        let thing = json!({ "apiVersion": "example.io/v1", "kind": "Thing", "metadata": { "name": "t" }, "spec": { "list": [1, 2] } });
        let made = things.patch("t", &PatchParams::apply("t"), &Patch::Apply(thing)).await.expect("applied");
        assert_eq!(made.data["spec"]["list"], json!([1, 2]));
    }
}
