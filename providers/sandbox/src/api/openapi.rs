//! Just enough of `/openapi/v3` for clients that look whether the server validates fields and rehearses writes itself, as `kubectl apply`
//! does. Schemas of kinds are not told.

use super::Answer;
use super::call::Call;
use crate::object::Json;
use crate::refusal::Refusal;
use crate::resource::{DEFINITIONS, Resource, Scope, builtins, definition_kinds};
use crate::store::World;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Answers `/openapi/v3` and `/openapi/v3/<api version>`; `rest` is what follows `/openapi`.
pub(crate) fn answer(world: &World, rest: &[String], call: &Call) -> Result<Answer, Refusal> {
    let kinds = kinds(world);
    match rest {
        [version] if version == "v3" => {
            let paths: BTreeMap<_, _> = kinds
                .keys()
                .map(|root| (root.clone(), json!({ "serverRelativeURL": format!("{}/openapi/v3/{root}", call.prefix()) })))
                .collect();
            Ok(Answer::Object(200, json!({ "paths": paths })))
        }
        [version, root @ ..] if version == "v3" => {
            let resources = kinds.get(&root.join("/")).ok_or_else(Refusal::no_such_path)?;
            let paths: BTreeMap<_, _> = resources.iter().map(|resource| (path(resource), operations(resource))).collect();
            let info = json!({ "title": "meshplan sandbox", "version": world.facts().kubernetes_version });
            Ok(Answer::Object(200, json!({ "openapi": "3.0.0", "info": info, "paths": paths, "components": { "schemas": {} } })))
        }
        _ => Err(Refusal::no_such_path()),
    }
}

fn kinds(world: &World) -> BTreeMap<String, Vec<Arc<Resource>>> {
    let mut kinds: BTreeMap<String, Vec<Arc<Resource>>> = BTreeMap::new();
    let defined = world.list(DEFINITIONS, None).flat_map(|(_, definition)| definition_kinds(definition));
    for resource in builtins().iter().cloned().chain(defined) {
        kinds.entry(root(&resource)).or_default().push(resource);
    }
    kinds
}

fn root(resource: &Resource) -> String {
    format!("{}/{}", if resource.group.is_empty() { "api" } else { "apis" }, resource.api_version())
}

fn path(resource: &Resource) -> String {
    let namespace = if resource.scope == Scope::Namespaced { "namespaces/{namespace}/" } else { "" };
    format!("/{}/{namespace}{}/{{name}}", root(resource), resource.plural)
}

fn operations(resource: &Resource) -> Json {
    let kind = json!({ "group": resource.group, "version": resource.version, "kind": resource.kind });
    let parameters: Json = ["dryRun", "fieldManager", "fieldValidation", "force"]
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string" } }))
        .collect();
    json!({ "patch": { "parameters": parameters, "responses": { "200": { "description": "OK" } }, "x-kubernetes-group-version-kind": kind } })
}

#[cfg(test)]
mod tests {
    use super::super::call::tests::call;
    use super::*;
    use crate::store::Facts;

    fn told(rest: &[&str]) -> Result<Json, u16> {
        let rest: Vec<_> = rest.iter().map(|&segment| segment.to_owned()).collect();
        match answer(&World::new(Facts::example("c")), &rest, &call("GET", "/", "")).map_err(|refusal| refusal.code)? {
            Answer::Object(200, object) => Ok(object),
            _ => panic!("no object"),
        }
    }

    #[test]
    fn every_version_has_a_document_that_says_what_a_patch_takes() {
        let index = told(&["v3"]).expect("an index");
        assert_eq!(index["paths"]["apis/apps/v1"]["serverRelativeURL"], json!("/openapi/v3/apis/apps/v1"));
        let document = told(&["v3", "api", "v1"]).expect("a document");
        let patch = &document["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]["patch"];
        assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], json!("ConfigMap"));
        assert!(
            patch["parameters"]
                .as_array()
                .is_some_and(|parameters| parameters.iter().any(|parameter| parameter["name"] == "fieldValidation"))
        );
        assert_eq!((told(&["v2"]), told(&["v3", "apis", "none", "v1"])), (Err(404), Err(404)));
    }
}
