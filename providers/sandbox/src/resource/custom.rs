//! Kinds that a `CustomResourceDefinition` adds.

use super::{Resource, Scale, Schema, Scope};
use crate::object::{Json, at, items, text};
use std::sync::Arc;

/// Where definitions are stored.
pub(crate) const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// The kind that one version of an established definition serves.
pub(crate) fn from_definition(definition: &Arc<Json>, version: &str) -> Option<Arc<Resource>> {
    definition_kinds(definition).into_iter().find(|resource| resource.version == version)
}

/// Every kind and version that a definition serves.
pub(crate) fn definition_kinds(definition: &Arc<Json>) -> Vec<Arc<Resource>> {
    if !is_established(definition) {
        return Vec::new();
    }
    let versions = items(definition, &["spec", "versions"]).iter().enumerate().filter(|(_, version)| version["served"] == true);
    versions.filter_map(|(at, version)| resource(definition, at, version).map(Arc::new)).collect()
}

fn is_established(definition: &Json) -> bool {
    let conditions = items(definition, &["status", "conditions"]);
    conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

fn resource(definition: &Arc<Json>, number: usize, version: &Json) -> Option<Resource> {
    let words = |path: &[&str]| items(definition, path).iter().filter_map(Json::as_str).map(str::to_owned).collect();
    let path = |text: &str| text.trim_start_matches('.').split('.').map(str::to_owned).collect();
    let scale = at(version, &["subresources", "scale"]);
    Some(Resource {
        group: text(definition, &["spec", "group"])?.to_owned(),
        version: text(version, &["name"])?.to_owned(),
        kind: text(definition, &["spec", "names", "kind"])?.to_owned(),
        plural: text(definition, &["spec", "names", "plural"])?.to_owned(),
        short_names: words(&["spec", "names", "shortNames"]),
        categories: words(&["spec", "names", "categories"]),
        scope: if text(definition, &["spec", "scope"]) == Some("Namespaced") { Scope::Namespaced } else { Scope::Cluster },
        status: at(version, &["subresources", "status"]).is_some_and(|status| !status.is_null()),
        scale: scale.and_then(|scale| {
            let (wanted, present) = (text(scale, &["specReplicasPath"])?, text(scale, &["statusReplicasPath"])?);
            Some(Scale { wanted: path(wanted), present: path(present) })
        }),
        generations: true,
        schema: Some(Schema { definition: definition.clone(), version: number }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition(established: &str) -> Arc<Json> {
        Arc::new(json!({
            "spec": { "group": "example.io", "scope": "Namespaced", "names": { "kind": "Thing", "plural": "things", "shortNames": ["th"] },
                "versions": [
                    { "name": "v1", "served": true, "subresources": { "status": {}, "scale": { "specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size" } } },
                    { "name": "v0", "served": false },
                ] },
            "status": { "conditions": [{ "type": "Established", "status": established }] },
        }))
    }

    #[test]
    fn an_established_definition_serves_its_served_versions() {
        let kinds = definition_kinds(&definition("True"));
        assert_eq!(kinds.len(), 1);
        assert_eq!((kinds[0].api_version().as_str(), kinds[0].qualified().as_str()), ("example.io/v1", "things.example.io"));
        assert!(kinds[0].status && kinds[0].generations);
        assert_eq!(kinds[0].scale.as_ref().map(|scale| scale.wanted.join("/")), Some("spec/size".into()));
        assert!(from_definition(&definition("True"), "v0").is_none());
    }

    #[test]
    fn a_definition_that_is_not_established_serves_nothing() {
        assert!(definition_kinds(&definition("False")).is_empty());
        assert!(from_definition(&definition("False"), "v1").is_none());
    }
}
