//! What the server serves: `/version`, `/api`, `/apis` and below, in both shapes that clients ask for.

use super::Answer;
use super::call::Call;
use super::route::Group;
use crate::object::Json;
use crate::refusal::Refusal;
use crate::resource::{DEFINITIONS, Resource, Scope, builtins, definition_kinds};
use crate::store::World;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What aggregated answers are.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// Kinds of reviews: group, version, kind, plural, whether a namespace holds them.
const REVIEWS: &[(&str, &str, &str)] = &[
    ("authentication.k8s.io", "TokenReview", "tokenreviews"),
    ("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews"),
    ("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews"),
    ("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews"),
];

/// What `/version` says.
pub(crate) fn version(world: &World) -> Json {
    let version = &world.facts().kubernetes_version;
    let mut numbers = version.trim_start_matches('v').split('.');
    json!({
        "major": numbers.next().unwrap_or_default(), "minor": numbers.next().unwrap_or_default(), "gitVersion": format!("{version}+sandbox"),
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none (meshplan sandbox)",
        "compiler": "none", "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

/// What a discovery path says.
pub(crate) fn answer(world: &World, group: &Group, call: &Call) -> Result<Answer, Refusal> {
    let groups = groups(world);
    let aggregated = call.accept().contains("as=APIGroupDiscoveryList");
    match group {
        Group::Core if aggregated => Ok(Answer::Typed(AGGREGATED, aggregate(&groups, str::is_empty))),
        Group::All if aggregated => Ok(Answer::Typed(AGGREGATED, aggregate(&groups, |group| !group.is_empty()))),
        Group::Core => {
            let address = json!([{ "clientCIDR": "0.0.0.0/0", "serverAddress": "" }]);
            Ok(Answer::Object(200, json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": address })))
        }
        Group::All => {
            let listed: Vec<_> =
                groups.iter().filter(|(name, _)| !name.is_empty()).map(|(name, versions)| describe(name, versions)).collect();
            Ok(Answer::Object(200, json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": listed })))
        }
        Group::Named(name) => {
            let versions = groups.get(name).ok_or_else(Refusal::no_such_page)?;
            let mut described = describe(name, versions);
            described["kind"] = "APIGroup".into();
            described["apiVersion"] = "v1".into();
            Ok(Answer::Object(200, described))
        }
        Group::Version(name, version) => {
            let resources = groups.get(name).and_then(|versions| versions.get(version)).ok_or_else(Refusal::no_such_page)?;
            let api_version = if name.is_empty() { version.clone() } else { format!("{name}/{version}") };
            let mut listed: Vec<Json> = resources.iter().flat_map(|resource| resource_rows(resource)).collect();
            listed.extend(REVIEWS.iter().filter(|(group, ..)| group == name).map(|(_, kind, plural)| {
                json!({ "name": plural, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind, "verbs": ["create"] })
            }));
            Ok(Answer::Object(
                200,
                json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": listed }),
            ))
        }
    }
}

/// Why a kind is not there: nobody serves the version, or it has no such resource.
pub(crate) fn missing(world: &World, group: &str, version: &str) -> Refusal {
    let is_served = groups(world).get(group).is_some_and(|versions| versions.contains_key(version));
    if is_served { Refusal::no_such_path() } else { Refusal::no_such_page() }
}

type Groups = BTreeMap<String, BTreeMap<String, Vec<Arc<Resource>>>>;

fn groups(world: &World) -> Groups {
    let mut groups = Groups::new();
    for (group, ..) in REVIEWS {
        groups.entry((*group).to_owned()).or_default().entry("v1".to_owned()).or_default();
    }
    let defined = world.list(DEFINITIONS, None).flat_map(|(_, definition)| definition_kinds(definition));
    for resource in builtins().iter().cloned().chain(defined) {
        groups.entry(resource.group.clone()).or_default().entry(resource.version.clone()).or_default().push(resource);
    }
    groups
}

/// Versions of a group, the preferred one first: the stable ones before betas before alphas, the higher before the lower.
fn in_order(versions: &BTreeMap<String, Vec<Arc<Resource>>>) -> Vec<&String> {
    let mut ordered: Vec<_> = versions.keys().collect();
    ordered.sort_by_key(|version| std::cmp::Reverse(rank(version)));
    ordered
}

fn rank(version: &str) -> (u8, u64, u64) {
    let rest = version.strip_prefix('v').unwrap_or_default();
    let (major, stage, minor) = ["alpha", "beta"]
        .iter()
        .enumerate()
        .find_map(|(at, word)| {
            let (major, minor) = rest.split_once(word)?;
            Some((major, u8::try_from(at).unwrap_or(0) + 1, minor))
        })
        .unwrap_or((rest, 3, "0"));
    match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => (stage, major, minor),
        _ => (0, 0, 0),
    }
}

fn describe(name: &str, versions: &BTreeMap<String, Vec<Arc<Resource>>>) -> Json {
    let listed: Vec<_> =
        in_order(versions).into_iter().map(|version| json!({ "groupVersion": format!("{name}/{version}"), "version": version })).collect();
    json!({ "name": name, "versions": listed, "preferredVersion": listed.first() })
}

/// The verbs of a resource, in the order that the server tells them in: another one for defined kinds.
fn verbs_of(resource: &Resource) -> &'static [&'static str] {
    if resource.schema.is_some() { &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"] } else { VERBS }
}

/// What changes with the version that objects are stored in.
fn storage_hash(resource: &Resource) -> String {
    let named = format!("{}/{}/{}", resource.group, resource.version, resource.kind);
    BASE64_STANDARD.encode(&Sha256::digest(named.as_bytes())[..8])
}

fn resource_rows(resource: &Resource) -> Vec<Json> {
    let namespaced = resource.scope == Scope::Namespaced;
    let mut row = json!({ "name": resource.plural, "singularName": resource.kind.to_lowercase(), "namespaced": namespaced, "kind": resource.kind, "verbs": verbs_of(resource),
        "storageVersionHash": storage_hash(resource) });
    for (field, words) in [("shortNames", &resource.short_names), ("categories", &resource.categories)] {
        if !words.is_empty() {
            row[field] = json!(words);
        }
    }
    let mut rows = vec![row];
    let verbs = ["get", "patch", "update"];
    if resource.status {
        rows.push(json!({ "name": format!("{}/status", resource.plural), "singularName": "", "namespaced": namespaced, "kind": resource.kind, "verbs": verbs }));
    }
    if resource.scale.is_some() {
        rows.push(
            json!({ "name": format!("{}/scale", resource.plural), "singularName": "", "namespaced": namespaced, "group": "autoscaling",
            "version": "v1", "kind": "Scale", "verbs": verbs }),
        );
    }
    rows
}

fn aggregate(groups: &Groups, wanted: impl Fn(&str) -> bool) -> Json {
    let items: Vec<_> = groups
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, versions)| {
            let listed: Vec<_> = in_order(versions)
                .into_iter()
                .map(|version| {
                    let resources: Vec<_> = versions.get(version).into_iter().flatten().map(|resource| aggregated_row(resource)).collect();
                    json!({ "version": version, "freshness": "Current", "resources": resources })
                })
                .collect();
            json!({ "metadata": { "name": name, "creationTimestamp": null }, "versions": listed })
        })
        .collect();
    json!({ "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items })
}

fn aggregated_row(resource: &Resource) -> Json {
    let kind = json!({ "group": resource.group, "version": resource.version, "kind": resource.kind });
    let scope = if resource.scope == Scope::Namespaced { "Namespaced" } else { "Cluster" };
    let verbs = ["get", "patch", "update"];
    let mut subresources = Vec::new();
    if resource.status {
        subresources.push(json!({ "subresource": "status", "responseKind": kind, "verbs": verbs }));
    }
    if resource.scale.is_some() {
        let scale = json!({ "group": "autoscaling", "version": "v1", "kind": "Scale" });
        subresources.push(json!({ "subresource": "scale", "responseKind": scale, "verbs": verbs }));
    }
    json!({ "resource": resource.plural, "responseKind": kind, "scope": scope, "singularResource": resource.kind.to_lowercase(), "verbs": verbs_of(resource),
        "shortNames": resource.short_names, "categories": resource.categories, "subresources": subresources })
}

#[cfg(test)]
mod tests {
    use super::super::call::tests::call;
    use super::*;
    use crate::resource::Key;
    use crate::store::{Event, Facts};

    fn told(world: &World, group: &Group) -> Result<Json, u16> {
        match answer(world, group, &call("GET", "/", "")).map_err(|refusal| refusal.code)? {
            Answer::Object(_, json) => Ok(json),
            _ => panic!("no object"),
        }
    }

    fn kinds(list: &Json) -> Vec<&str> {
        list["resources"].as_array().into_iter().flatten().filter_map(|row| row["name"].as_str()).collect()
    }

    #[test]
    fn groups_and_their_kinds_are_told() {
        let world = World::new(Facts::example("c"));
        let core = told(&world, &Group::Version(String::new(), "v1".into())).expect("told");
        assert_eq!(core["groupVersion"], json!("v1"));
        assert!(kinds(&core).contains(&"namespaces/status") && kinds(&core).contains(&"secrets"));
        let groups = told(&world, &Group::All).expect("told");
        let names: Vec<_> = groups["groups"].as_array().into_iter().flatten().filter_map(|group| group["name"].as_str()).collect();
        assert!(names.contains(&"apps") && names.contains(&"authorization.k8s.io") && !names.contains(&""));
        assert_eq!(told(&world, &Group::Version("none.io".into(), "v1".into())), Err(404));
        assert_eq!(version(&world)["minor"], json!("36"));
    }

    #[test]
    fn a_defined_kind_is_told_once_it_is_established() {
        let mut world = World::new(Facts::example("c"));
        let definition = |status: &str| {
            json!({ "spec": { "group": "e.io", "scope": "Cluster", "names": { "kind": "T", "plural": "ts" },
            "versions": [{ "name": "v1beta1", "served": true }, { "name": "v1", "served": true }] },
            "status": { "conditions": [{ "type": "Established", "status": status }] } })
        };
        for (revision, status, versions) in [(2, "False", None), (3, "True", Some(json!(["v1", "v1beta1"])))] {
            let key = Key::new(DEFINITIONS, "", "ts.e.io");
            world.apply(vec![Event { revision, old: world.get(&key).cloned(), key, new: Some(Arc::new(definition(status))) }]);
            let found = told(&world, &Group::Named("e.io".into())).ok().map(|group| {
                group["versions"].as_array().into_iter().flatten().map(|version| version["version"].clone()).collect::<Json>()
            });
            assert_eq!(found, versions);
        }
    }

    #[test]
    fn stable_versions_come_first() {
        let mut versions = vec!["v1alpha3", "v1beta1", "v2", "v1", "foo", "v2beta2"];
        versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
        assert_eq!(versions, ["v2", "v1", "v2beta2", "v1beta1", "v1alpha3", "foo"]);
    }

    #[test]
    fn aggregated_discovery_is_for_those_who_ask() {
        let world = World::new(Facts::example("c"));
        let request =
            http::Request::builder().header("accept", format!("{AGGREGATED},application/json")).uri("/apis").body(()).expect("a request");
        let asked = Call::new(&request.into_parts().0, axum::body::Bytes::new());
        let Ok(Answer::Typed(content, list)) = answer(&world, &Group::All, &asked) else { panic!("not aggregated") };
        assert_eq!((content, &list["kind"]), (AGGREGATED, &json!("APIGroupDiscoveryList")));
    }
}
