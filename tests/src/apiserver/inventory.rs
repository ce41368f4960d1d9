//! All that is in a cluster, to see that it is as it was.

use super::Api;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What comes and goes by itself.
const FLEETING: [&str; 5] = ["events", "leases", "endpointslices", "endpoints", "ipaddresses"];

/// Every object of a cluster, as `resource.group namespace/name` with its labels, but for what comes and goes by itself.
pub fn inventory(api: &Api) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    visit(api, &mut |resource, metadata| {
        all.insert(format!("{resource} {} {}", place(metadata), metadata["labels"]));
    });
    all
}

/// The uid of every object of a cluster, by `resource.group namespace/name`, but for what comes and goes by itself.
pub fn uids(api: &Api) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    visit(api, &mut |resource, metadata| {
        all.insert(format!("{resource} {}", place(metadata)), text(metadata, "uid").to_owned());
    });
    all
}

/// Shows every object, as `resource.group` and its metadata.
fn visit(api: &Api, see: &mut dyn FnMut(&str, &Value)) {
    let mut versions = vec![("/api/v1".to_owned(), String::new())];
    let groups = api.get("/apis").unwrap();
    for group in groups["groups"].as_array().unwrap() {
        let version = group["preferredVersion"]["groupVersion"].as_str().unwrap();
        versions.push((format!("/apis/{version}"), format!(".{}", group["name"].as_str().unwrap())));
    }
    for (path, group) in versions {
        // A definition that goes takes its group with it, at a time of its own.
        let Some(resources) = api.get(&path) else { continue };
        for resource in resources["resources"].as_array().unwrap() {
            let name = resource["name"].as_str().unwrap();
            let lists = resource["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"));
            if !lists || FLEETING.contains(&name) {
                continue;
            }
            let Some(list) = api.get(&format!("{path}/{name}")) else { continue };
            for object in list["items"].as_array().unwrap() {
                see(&format!("{name}{group}"), &object["metadata"]);
            }
        }
    }
}

fn place(metadata: &Value) -> String {
    format!("{}/{}", text(metadata, "namespace"), text(metadata, "name"))
}

fn text<'a>(metadata: &'a Value, key: &str) -> &'a str {
    metadata[key].as_str().unwrap_or_default()
}
