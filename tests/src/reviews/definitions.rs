//! Definitions of custom kinds: fourteen of the usual size and one of three thousand lines.

use super::{Case, Rendering};
use serde_json::{Map, Value as Json, json};

/// Kinds of Istio's, with their groups and plurals.
const KINDS: [(&str, &str, &str); 14] = [
    ("networking.istio.io", "DestinationRule", "destinationrules"),
    ("networking.istio.io", "EnvoyFilter", "envoyfilters"),
    ("networking.istio.io", "Gateway", "gateways"),
    ("networking.istio.io", "ProxyConfig", "proxyconfigs"),
    ("networking.istio.io", "ServiceEntry", "serviceentries"),
    ("networking.istio.io", "Sidecar", "sidecars"),
    ("networking.istio.io", "VirtualService", "virtualservices"),
    ("networking.istio.io", "WorkloadEntry", "workloadentries"),
    ("networking.istio.io", "WorkloadGroup", "workloadgroups"),
    ("security.istio.io", "AuthorizationPolicy", "authorizationpolicies"),
    ("security.istio.io", "PeerAuthentication", "peerauthentications"),
    ("security.istio.io", "RequestAuthentication", "requestauthentications"),
    ("telemetry.istio.io", "Telemetry", "telemetries"),
    ("extensions.istio.io", "WasmPlugin", "wasmplugins"),
];

/// Words that fields are named by.
const WORDS: [&str; 12] =
    ["address", "backoff", "cluster", "domain", "endpoint", "filter", "gateway", "header", "interval", "listener", "match", "network"];

impl Rendering<'_> {
    pub(super) fn definitions(&self) -> Vec<Json> {
        let mut all: Vec<Json> = KINDS.iter().enumerate().map(|(at, kind)| self.definition(at, *kind)).collect();
        all.push(self.long_definition());
        all
    }

    fn definition(&self, at: usize, (group, kind, plural): (&str, &str, &str)) -> Json {
        let mut fields = fields(2 + at % 3, 2);
        if at < 3
            && let Some(field) =
                self.comes(Case::Upgrade, json!({ "description": "How long an idle connection is kept.", "type": "string" }))
        {
            fields.insert("idleTimeout".to_owned(), field);
        }
        let description = match at {
            5 => self.pick(Case::Upgrade, "Which egress is allowed.", "Which egress is allowed, and to where."),
            _ => json!(format!("Configuration of {plural}.")),
        };
        let spec = json!({
            "description": description, "type": "object", "properties": fields, "x-kubernetes-preserve-unknown-fields": true,
        });
        self.custom(group, kind, plural, &spec)
    }

    fn custom(&self, group: &str, kind: &str, plural: &str, spec: &Json) -> Json {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("{plural}.{group}"), "labels": self.labels("base") },
            "spec": {
                "group": group, "scope": "Namespaced",
                "names": { "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase(), "categories": ["istio-io"] },
                "versions": [{
                    "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                    "additionalPrinterColumns": [
                        { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": "When it was made." }
                    ],
                    "schema": { "openAPIV3Schema": { "type": "object", "properties": {
                        "spec": spec,
                        "status": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                    } } },
                }],
            },
        })
    }

    /// Three thousand lines, of which a change is in two places.
    fn long_definition(&self) -> Json {
        let mut fields = fields(11, 3);
        let minimum = fields.pointer_mut("endpoint/properties/gateway/properties/interval", "minimum");
        *minimum = self.pick(Case::Definition, 1, 0);
        let description = fields.pointer_mut("filter/properties/domain/properties/match", "description");
        *description = self.pick(Case::Definition, "Which match counts.", "Which match counts, if there are several.");
        let spec = json!({ "description": "All that a proxy may be told.", "type": "object", "properties": fields });
        self.custom("mesh.example.org", "ProxyProfile", "proxyprofiles", &spec)
    }
}

/// Schemas of so many fields, each with as many below it.
fn fields(count: usize, depth: usize) -> Map<String, Json> {
    let field = |(at, word): (usize, &&str)| {
        let mut field = json!({ "description": format!("Which {word} counts."), "type": if at % 2 == 0 { "integer" } else { "string" } });
        if depth > 1 {
            field = json!({ "description": format!("The {word} and what belongs to it."), "type": "object", "properties": fields(count, depth - 1) });
        } else if at % 2 == 0 {
            field["minimum"] = json!(1);
        }
        ((*word).to_owned(), field)
    };
    WORDS.iter().enumerate().take(count).map(field).collect()
}

trait Pointed {
    /// A member of the schema at a path from the top.
    fn pointer_mut(&mut self, path: &str, member: &str) -> &mut Json;
}

impl Pointed for Map<String, Json> {
    fn pointer_mut(&mut self, path: &str, member: &str) -> &mut Json {
        let (first, rest) = path.split_once('/').unwrap();
        self.get_mut(first).and_then(|field| field.pointer_mut(&format!("/{rest}"))).map(|field| &mut field[member]).unwrap()
    }
}
