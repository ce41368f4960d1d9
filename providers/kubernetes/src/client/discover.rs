//! Which kinds a server knows: what stands in URLs for them, and whether a namespace holds them.

use super::{CallError, Cluster};
use crate::object_kind::Json;
use http::Method;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// The kinds of one API version, by name.
pub(super) type Kinds = BTreeMap<String, Served>;

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
        let root = if api_version.contains('/') { "apis" } else { "api" };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("/{root}/{api_version}/namespaces/{namespace}/{}", self.plural),
            None => format!("/{root}/{api_version}/{}", self.plural),
        }
    }
}

impl Cluster {
    /// How the server serves a kind; nothing if it does not. What it did not know is asked for anew each time: definitions arrive.
    pub(crate) async fn served(&self, api_version: &str, kind: &str) -> Result<Option<Served>, CallError> {
        if let Some(served) = builtin(api_version, kind) {
            return Ok(Some(served));
        }
        let known = |cluster: &Self| {
            let kinds = cluster.served.lock().unwrap_or_else(PoisonError::into_inner);
            kinds.get(api_version)?.get(kind).cloned()
        };
        if let Some(served) = known(self) {
            return Ok(Some(served));
        }
        let root = if api_version.contains('/') { "apis" } else { "api" };
        let kinds = match self.call(Method::GET, &format!("/{root}/{api_version}"), None).await {
            Ok(reply) => kinds(&reply.body),
            Err(error) if error.status == Some(404) => Kinds::new(),
            Err(error) => return Err(error),
        };
        self.served.lock().unwrap_or_else(PoisonError::into_inner).insert(api_version.to_owned(), Arc::new(kinds));
        Ok(known(self))
    }

    pub(super) fn forget_served(&self, api_version: &str) {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).remove(api_version);
    }
}

fn kinds(list: &Json) -> Kinds {
    let resources = list.get("resources").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let kinds = resources.iter().filter_map(|resource| {
        let plural = resource.get("name")?.as_str().filter(|name| !name.contains('/'))?;
        let served = Served { plural: plural.to_owned(), namespaced: resource.get("namespaced")?.as_bool()? };
        Some((resource.get("kind")?.as_str()?.to_owned(), served))
    });
    kinds.collect()
}

/// API version, whether namespaces hold its objects, and kinds with their plural: their name in small letters with an `s` unless it is given.
type Group = (&'static str, bool, &'static [(&'static str, &'static str)]);

/// Kinds that every supported server has.
const BUILTIN: &[Group] = &[
    ("v1", false, &[("Namespace", ""), ("Node", ""), ("PersistentVolume", "")]),
    (
        "v1",
        true,
        &[
            ("ConfigMap", ""),
            ("Endpoints", "endpoints"),
            ("LimitRange", ""),
            ("PersistentVolumeClaim", ""),
            ("Pod", ""),
            ("ResourceQuota", ""),
            ("Secret", ""),
            ("Service", ""),
            ("ServiceAccount", ""),
        ],
    ),
    ("apps/v1", true, &[("DaemonSet", ""), ("Deployment", ""), ("ReplicaSet", ""), ("StatefulSet", "")]),
    ("batch/v1", true, &[("CronJob", ""), ("Job", "")]),
    ("autoscaling/v2", true, &[("HorizontalPodAutoscaler", "")]),
    ("policy/v1", true, &[("PodDisruptionBudget", "")]),
    ("networking.k8s.io/v1", true, &[("Ingress", "ingresses"), ("NetworkPolicy", "networkpolicies")]),
    ("rbac.authorization.k8s.io/v1", true, &[("Role", ""), ("RoleBinding", "")]),
    ("rbac.authorization.k8s.io/v1", false, &[("ClusterRole", ""), ("ClusterRoleBinding", "")]),
    ("apiextensions.k8s.io/v1", false, &[("CustomResourceDefinition", "")]),
    ("apiregistration.k8s.io/v1", false, &[("APIService", "")]),
    ("admissionregistration.k8s.io/v1", false, &[("MutatingWebhookConfiguration", ""), ("ValidatingWebhookConfiguration", "")]),
    ("storage.k8s.io/v1", false, &[("StorageClass", "storageclasses")]),
    ("scheduling.k8s.io/v1", false, &[("PriorityClass", "priorityclasses")]),
];

/// How a kind that every server has is served; nothing for all others.
pub(crate) fn builtin(api_version: &str, kind: &str) -> Option<Served> {
    BUILTIN.iter().filter(|(version, ..)| *version == api_version).find_map(|(_, namespaced, kinds)| {
        let (_, plural) = kinds.iter().find(|(name, _)| *name == kind)?;
        let plural = if plural.is_empty() { format!("{}s", kind.to_lowercase()) } else { (*plural).to_owned() };
        Some(Served { plural, namespaced: *namespaced })
    })
}

/// The API version of a kind that every server has.
pub(crate) fn builtin_version(group: &str, kind: &str) -> Option<&'static str> {
    let of_group = BUILTIN.iter().filter(|(version, ..)| version.rsplit_once('/').map_or("", |(group, _)| group) == group);
    of_group.filter(|(.., kinds)| kinds.iter().any(|(name, _)| *name == kind)).map(|(version, ..)| *version).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn builtin_kinds_need_no_question() {
        let paths = [
            ("v1", "Namespace", Some("x"), "/api/v1/namespaces"),
            ("v1", "Secret", Some("x"), "/api/v1/namespaces/x/secrets"),
            ("v1", "Secret", None, "/api/v1/secrets"),
            ("networking.k8s.io/v1", "NetworkPolicy", Some("x"), "/apis/networking.k8s.io/v1/namespaces/x/networkpolicies"),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", None, "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
        ];
        for (api_version, kind, namespace, path) in paths {
            let served = builtin(api_version, kind).expect(kind);
            assert_eq!(served.collection(api_version, namespace), path);
        }
        assert_eq!(builtin("v1", "Deployment"), None);
        assert_eq!(builtin("networking.istio.io/v1", "Gateway"), None);
    }

    #[test]
    fn discovery_leaves_subresources_out() {
        let list = json!({ "kind": "APIResourceList", "resources": [
            { "name": "gateways", "kind": "Gateway", "namespaced": true },
            { "name": "gateways/status", "kind": "Gateway", "namespaced": false },
        ] });
        assert_eq!(kinds(&list).get("Gateway"), Some(&Served { plural: "gateways".into(), namespaced: true }));
        assert_eq!(kinds(&json!({})), Kinds::new());
    }
}
