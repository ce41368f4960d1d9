//! Which kinds a server knows: what stands in URLs for them, and whether a namespace holds them.

use super::Cluster;
use super::builtin::builtin;
use super::error::CallError;
use super::send::{Call, PLAIN};
use crate::object_kind::Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What asks for all groups in one answer. Servers before 1.27 give their list of groups instead.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// How a kind is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    /// What stands in URLs, such as `deployments`.
    pub(crate) plural: String,
    /// Whether a namespace holds its objects.
    pub(crate) namespaced: bool,
}

impl Served {
    /// The path of all objects of the kind, in one namespace or in all.
    pub(crate) fn collection(&self, api_version: &str, namespace: Option<&str>) -> String {
        let root = root(api_version);
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/{api_version}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{api_version}/{}", self.plural),
        }
    }
}

/// The kinds of a server, as far as they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Known {
    /// By API version and kind.
    kinds: BTreeMap<(String, String), Served>,
    /// API versions whose server does not answer the one that was asked: what is missing of these may be there.
    stale: BTreeSet<String>,
    /// Whether the server gives no more than the names of its groups when it is asked for all.
    piecemeal: bool,
}

/// What a server was asked about its kinds: once, and again when something is missing.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    known: Mutex<(u64, Arc<Known>)>,
    asking: tokio::sync::Mutex<()>,
}

impl Discovery {
    /// What is known, and how many times it was asked for.
    fn known(&self) -> (u64, Arc<Known>) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Cluster {
    /// How the server serves a kind; nothing if it does not. What is not known is asked for anew, since definitions arrive: once for
    /// all that miss something at that time.
    pub(crate) async fn served(&self, api_version: &str, kind: &str) -> Result<Option<Served>, CallError> {
        if let Some(served) = builtin(api_version, kind) {
            return Ok(Some(served));
        }
        let key = (api_version.to_owned(), kind.to_owned());
        let (round, known) = self.discovery.known();
        if let Some(served) = known.kinds.get(&key) {
            return Ok(Some(served.clone()));
        }
        let known = self.asked_after(round, api_version).await?;
        match known.kinds.get(&key) {
            Some(served) => Ok(Some(served.clone())),
            None if known.stale.contains(api_version) => {
                let why = format!("the server behind API `{api_version}` does not answer; see its APIService");
                Err(CallError { status: Some(503), reason: "ServiceUnavailable".into(), message: why, ..CallError::default() })
            }
            None => Ok(None),
        }
    }

    /// What the server knows, asked for after that round.
    async fn asked_after(&self, round: u64, api_version: &str) -> Result<Arc<Known>, CallError> {
        let _asking = self.discovery.asking.lock().await;
        let (now, known) = self.discovery.known();
        if now > round {
            return Ok(known);
        }
        self.until_ready().await?;
        let root = root(api_version);
        let mut next = (*known).clone();
        if !next.piecemeal {
            let found = self.call(Call { accept: AGGREGATED, ..Call::get(root) }).await?.body;
            next.piecemeal = text(&found, "kind") != Some("APIGroupDiscoveryList");
            next.forget(|known| self::root(known) == root);
            next.learn_all(&found);
        }
        if next.piecemeal {
            next.forget(|known| known == api_version);
            match self.call(Call::get(&format!("{root}/{api_version}"))).await {
                Ok(reply) => next.learn(api_version, &reply.body),
                Err(error) if error.status == Some(404) => {}
                Err(error) => return Err(error),
            }
        }
        let next = Arc::new(next);
        *self.discovery.known.lock().unwrap_or_else(PoisonError::into_inner) = (round + 1, next.clone());
        Ok(next)
    }
}

impl Cluster {
    /// Waits until the server says that it is ready. One that has just started serves its own kinds before it has read the definitions that it
    /// holds, and says nothing of these: they would count as missing, and their objects as gone.
    async fn until_ready(&self) -> Result<(), CallError> {
        match self.call(Call { accept: PLAIN, ..Call::get("/readyz") }).await {
            // Others are not told.
            Err(error) if matches!(error.status, Some(401 | 403 | 404)) => Ok(()),
            answered => answered.map(drop),
        }
    }
}

impl Known {
    fn forget(&mut self, forgotten: impl Fn(&str) -> bool) {
        self.kinds.retain(|(api_version, _), _| !forgotten(api_version));
        self.stale.retain(|api_version| !forgotten(api_version));
    }

    /// Learns an `APIGroupDiscoveryList`.
    fn learn_all(&mut self, list: &Json) {
        for group in each(list, "items") {
            let name = group.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default();
            for version in each(group, "versions") {
                let Some(number) = text(version, "version") else { continue };
                let api_version = if name.is_empty() { number.to_owned() } else { format!("{name}/{number}") };
                if text(version, "freshness") == Some("Stale") {
                    self.stale.insert(api_version.clone());
                }
                for resource in each(version, "resources") {
                    let kind = resource.pointer("/responseKind/kind").and_then(Json::as_str);
                    let namespaced = text(resource, "scope").map(|scope| scope == "Namespaced");
                    self.serve(&api_version, (kind, text(resource, "resource"), namespaced));
                }
            }
        }
    }

    /// Learns an `APIResourceList`.
    fn learn(&mut self, api_version: &str, list: &Json) {
        for resource in each(list, "resources") {
            let namespaced = resource.get("namespaced").and_then(Json::as_bool);
            let plural = text(resource, "name").filter(|name| !name.contains('/'));
            self.serve(api_version, (text(resource, "kind"), plural, namespaced));
        }
    }

    fn serve(&mut self, api_version: &str, (kind, plural, namespaced): (Option<&str>, Option<&str>, Option<bool>)) {
        if let (Some(kind), Some(plural), Some(namespaced)) = (kind, plural, namespaced) {
            self.kinds.insert((api_version.to_owned(), kind.to_owned()), Served { plural: plural.to_owned(), namespaced });
        }
    }
}

fn root(api_version: &str) -> &'static str {
    if api_version.contains('/') { "/apis" } else { "/api" }
}

fn each<'a>(value: &'a Json, key: &str) -> &'a [Json] {
    value.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Json, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;
    use serde_json::json;

    fn gateways() -> Json {
        json!({ "kind": "APIGroupDiscoveryList", "items": [{ "metadata": { "name": "networking.istio.io" }, "versions": [{ "version": "v1",
            "freshness": "Current", "resources": [{ "resource": "gateways", "responseKind": { "kind": "Gateway" }, "scope": "Namespaced",
            "subresources": [{ "subresource": "status", "responseKind": { "kind": "Gateway" } }] }] }] }] })
    }

    fn served(plural: &str, namespaced: bool) -> Served {
        Served { plural: plural.into(), namespaced }
    }

    #[tokio::test]
    async fn all_groups_are_asked_for_at_once_and_again_for_what_is_missing() {
        let fake = Fake::new();
        let cluster = fake.cluster();
        fake.put("/apis", gateways());
        let istio = "networking.istio.io/v1";
        assert_eq!(cluster.served(istio, "Gateway").await, Ok(Some(served("gateways", true))));
        assert_eq!(cluster.served(istio, "Gateway").await, Ok(Some(served("gateways", true))));
        assert_eq!(fake.asked(), ["GET /readyz", "GET /apis"]);
        assert_eq!(cluster.served(istio, "Sidecar").await, Ok(None));
        fake.put("/apis", json!({ "kind": "APIGroupDiscoveryList", "items": [] }));
        let missing = futures::future::join_all(["Sidecar", "EnvoyFilter", "Telemetry"].map(|kind| cluster.served(istio, kind))).await;
        assert_eq!(missing, [Ok(None), Ok(None), Ok(None)]);
        assert_eq!(
            fake.asked(),
            ["GET /readyz", "GET /apis", "GET /readyz", "GET /apis"],
            "those who miss something at the same time ask once"
        );
        assert_eq!(cluster.served(istio, "Gateway").await, Ok(None), "it went since");
    }

    #[tokio::test]
    async fn what_hangs_on_a_server_that_is_down_is_not_missing() {
        let fake = Fake::new();
        fake.put(
            "/apis",
            json!({ "kind": "APIGroupDiscoveryList", "items": [{ "metadata": { "name": "metrics.k8s.io" },
            "versions": [{ "version": "v1beta1", "freshness": "Stale" }] }] }),
        );
        let error = fake.cluster().served("metrics.k8s.io/v1beta1", "NodeMetrics").await.unwrap_err();
        assert!(error.is_unreachable(), "{error}");
        assert_eq!(fake.cluster().served("other.k8s.io/v1", "NodeMetrics").await, Ok(None));
    }

    #[tokio::test]
    async fn a_server_that_is_not_ready_proves_nothing_missing() {
        let fake = Fake::new();
        fake.put("/apis", json!({ "kind": "APIGroupDiscoveryList", "items": [] }));
        let cluster = fake.cluster();
        fake.refuse("GET /readyz", 500);
        let error = cluster.served("networking.istio.io/v1", "Gateway").await.unwrap_err();
        assert!(error.is_unreachable(), "{error}");
        let asked = fake.asked();
        assert!(asked.len() > 1 && asked.iter().all(|asked| asked == "GET /readyz"), "{asked:?}");
        for told in [403, 404] {
            fake.refuse("GET /readyz", told);
            assert_eq!(cluster.served("networking.istio.io/v1", "Gateway").await, Ok(None), "{told}");
        }
    }

    #[tokio::test]
    async fn servers_that_give_no_more_than_groups_are_asked_for_each() {
        let fake = Fake::new();
        fake.put("/apis", json!({ "kind": "APIGroupList", "groups": [] }));
        let list = json!({ "kind": "APIResourceList", "resources": [
            { "name": "gateways", "kind": "Gateway", "namespaced": true },
            { "name": "gateways/status", "kind": "Gateway", "namespaced": false },
        ] });
        fake.put("/apis/networking.istio.io/v1", list);
        let cluster = fake.cluster();
        assert_eq!(cluster.served("networking.istio.io/v1", "Gateway").await, Ok(Some(served("gateways", true))));
        assert_eq!(cluster.served("security.istio.io/v1", "PeerAuthentication").await, Ok(None));
        let asked = ["GET /readyz", "GET /apis", "GET /apis/networking.istio.io/v1", "GET /readyz", "GET /apis/security.istio.io/v1"];
        assert_eq!(fake.asked(), asked);
    }
}
