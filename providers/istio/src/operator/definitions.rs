//! Definitions of Istio's custom resources, wide enough for any version: what an object may hold is left to the control plane to check.

use engine::value::Value;
use serde_json::{Value as Json, json};

/// A custom resource: API group, kind, plural, short names, versions with the stored one first.
struct Definition(&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const NETWORKING: &str = "networking.istio.io";
const SECURITY: &str = "security.istio.io";
const OLD_AND_NEW: &[&str] = &["v1alpha3", "v1beta1", "v1"];
const SINCE_BETA: &[&str] = &["v1beta1", "v1"];

/// What the default profile of Istio defines.
const DEFINITIONS: &[Definition] = &[
    Definition(NETWORKING, "DestinationRule", "destinationrules", &["dr"], OLD_AND_NEW),
    Definition(NETWORKING, "EnvoyFilter", "envoyfilters", &[], &["v1alpha3"]),
    Definition(NETWORKING, "Gateway", "gateways", &["gw"], OLD_AND_NEW),
    Definition(NETWORKING, "ProxyConfig", "proxyconfigs", &[], &["v1beta1"]),
    Definition(NETWORKING, "ServiceEntry", "serviceentries", &["se"], OLD_AND_NEW),
    Definition(NETWORKING, "Sidecar", "sidecars", &[], OLD_AND_NEW),
    Definition(NETWORKING, "VirtualService", "virtualservices", &["vs"], OLD_AND_NEW),
    Definition(NETWORKING, "WorkloadEntry", "workloadentries", &["we"], OLD_AND_NEW),
    Definition(NETWORKING, "WorkloadGroup", "workloadgroups", &["wg"], OLD_AND_NEW),
    Definition(SECURITY, "AuthorizationPolicy", "authorizationpolicies", &["ap"], SINCE_BETA),
    Definition(SECURITY, "PeerAuthentication", "peerauthentications", &["pa"], SINCE_BETA),
    Definition(SECURITY, "RequestAuthentication", "requestauthentications", &["ra"], SINCE_BETA),
    Definition("telemetry.istio.io", "Telemetry", "telemetries", &["telemetry"], &["v1alpha1", "v1"]),
    Definition("extensions.istio.io", "WasmPlugin", "wasmplugins", &[], &["v1alpha1"]),
];

/// Of the operator's own resource.
const OPERATOR: Definition = Definition("install.istio.io", "IstioOperator", "istiooperators", &["iop", "io"], &["v1alpha1"]);

/// The definitions that an installation by the operator needs, its own first.
pub(crate) fn definitions() -> Vec<Value> {
    std::iter::once(&OPERATOR).chain(DEFINITIONS).map(|definition| Value::from_json(&definition.object())).collect()
}

impl Definition {
    fn object(&self) -> Json {
        let Self(group, kind, plural, short_names, versions) = self;
        let mut names = json!({ "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase() });
        if !short_names.is_empty() {
            names["shortNames"] = json!(short_names);
        }
        let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
        let versions: Vec<_> = versions
            .iter()
            .enumerate()
            .map(|(at, name)| json!({ "name": name, "served": true, "storage": at == 0, "schema": schema, "subresources": { "status": {} } }))
            .collect();
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("{plural}.{group}") },
            "spec": { "group": group, "names": names, "scope": "Namespaced", "versions": versions },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_definition_is_complete() {
        let gateway = definitions()
            .into_iter()
            .map(|object| object.to_json().unwrap())
            .find(|object| object["metadata"]["name"] == "gateways.networking.istio.io");
        let schema = json!({ "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } });
        let version = |name: &str, storage: bool| json!({ "name": name, "served": true, "storage": storage, "schema": schema, "subresources": { "status": {} } });
        let expected = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": { "name": "gateways.networking.istio.io" },
            "spec": {
                "group": "networking.istio.io",
                "names": { "kind": "Gateway", "listKind": "GatewayList", "plural": "gateways", "singular": "gateway", "shortNames": ["gw"] },
                "scope": "Namespaced",
                "versions": [version("v1alpha3", true), version("v1beta1", false), version("v1", false)],
            },
        });
        assert_eq!(gateway, Some(expected));
    }

    #[test]
    fn fourteen_and_the_operators_own() {
        let names: BTreeSet<_> = definitions().iter().filter_map(|object| Some(object.get("metadata")?.text("name")?.to_owned())).collect();
        assert_eq!(names.len(), 15);
        for definition in definitions() {
            let versions = definition.get("spec").and_then(|spec| spec.get("versions")).unwrap().items().to_vec();
            let stored = versions.iter().filter(|version| version.get("storage").and_then(Value::as_bool) == Some(true)).count();
            assert_eq!(stored, 1, "{definition:?}");
        }
    }
}
