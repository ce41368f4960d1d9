//! Definitions: what the API server fills in, and what it refuses.

use crate::object::{self, Json, items, list_at, set_default, text};
use serde_json::json;

/// Fills in what is not set.
pub(super) fn fill(object: &mut Json) {
    let kind = text(object, &["spec", "names", "kind"]).unwrap_or_default().to_owned();
    if !kind.is_empty() {
        set_default(object, &["spec", "names", "singular"], kind.to_lowercase());
        set_default(object, &["spec", "names", "listKind"], format!("{kind}List"));
    }
    set_default(object, &["spec", "conversion"], json!({ "strategy": "None" }));
    if object.pointer("/spec/preserveUnknownFields") == Some(&Json::Bool(false)) {
        object::remove(object, &["spec", "preserveUnknownFields"]);
    }
    for version in list_at(object, &["spec", "versions"]).into_iter().flatten() {
        set_default(version, &["served"], false);
        set_default(version, &["storage"], false);
        if version.get("deprecated") == Some(&Json::Bool(false)) {
            object::remove(version, &["deprecated"]);
        }
    }
}

/// Refuses one that defines nothing, or not what it is called, or no more what is stored.
pub(super) fn check(live: Option<&Json>, object: &Json, causes: &mut Vec<(String, String)>) {
    for field in [&["group"][..], &["scope"], &["names", "plural"], &["names", "singular"], &["names", "kind"], &["names", "listKind"]] {
        let path = [&["spec"], field].concat();
        if text(object, &path).unwrap_or_default().is_empty() {
            causes.push((path.join("."), "Required value".to_owned()));
        }
    }
    if live.is_none() {
        called(object, causes);
    }
    versions(object, causes);
    stored(live.unwrap_or(object), object, causes);
    if object.pointer("/spec/preserveUnknownFields") == Some(&Json::Bool(true)) {
        let why =
            "Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        causes.push(("spec.preserveUnknownFields".to_owned(), why.to_owned()));
    }
}

fn called(object: &Json, causes: &mut Vec<(String, String)>) {
    let part = |path: &[&str]| text(object, path).unwrap_or_default().to_owned();
    let expected = format!("{}.{}", part(&["spec", "names", "plural"]), part(&["spec", "group"]));
    if object::name(object) != expected {
        causes.push((
            "metadata.name".to_owned(),
            format!("Invalid value: {:?}: must be spec.names.plural+\".\"+spec.group", object::name(object)),
        ));
    }
}

fn versions(object: &Json, causes: &mut Vec<(String, String)>) {
    let versions = items(object, &["spec", "versions"]);
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let given = object.pointer("/spec/versions").cloned().unwrap_or_default();
        let why = format!("Invalid value: {given}: must have exactly one version marked as storage version");
        causes.push(("spec.versions".to_owned(), why));
    }
    for (at, version) in versions.iter().enumerate() {
        if version.pointer("/schema/openAPIV3Schema").is_none() {
            causes.push((format!("spec.versions[{at}].schema.openAPIV3Schema"), "Required value".to_owned()));
        }
    }
    if let Some(scope) = text(object, &["spec", "scope"]).filter(|scope| !["Cluster", "Namespaced"].contains(scope)) {
        causes.push(("spec.scope".to_owned(), format!("Unsupported value: {scope:?}: supported values: \"Cluster\", \"Namespaced\"")));
    }
}

/// Refuses to lose a version that something may be stored in.
fn stored(live: &Json, object: &Json, causes: &mut Vec<(String, String)>) {
    let stored = items(live, &["status", "storedVersions"]);
    if stored.is_empty() {
        causes.push(("status.storedVersions".to_owned(), "Invalid value: null: must have at least one stored version".to_owned()));
    }
    let versions = items(object, &["spec", "versions"]);
    for (at, gone) in stored.iter().enumerate().filter(|(_, stored)| !versions.iter().any(|version| version["name"] == **stored)) {
        let name = gone.as_str().unwrap_or_default();
        let why = format!(
            "Invalid value: {name:?}: missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a \
             storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
        );
        causes.push((format!("status.storedVersions[{at}]"), why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_version_does_not_say_is_no() {
        let mut object = json!({ "spec": { "names": { "kind": "Thing" }, "versions": [{ "name": "v1", "deprecated": false }, { "deprecated": true }] } });
        fill(&mut object);
        let expected =
            json!([{ "name": "v1", "served": false, "storage": false }, { "deprecated": true, "served": false, "storage": false }]);
        assert_eq!(object["spec"]["versions"], expected);
        assert_eq!(object["spec"]["names"], json!({ "kind": "Thing", "singular": "thing", "listKind": "ThingList" }));
    }

    #[test]
    fn a_definition_is_called_as_what_it_defines_and_stores_one_version() {
        let version = |stored: bool| json!({ "name": "v", "storage": stored, "schema": { "openAPIV3Schema": {} } });
        for (name, versions, expected) in [
            ("things.io", json!([version(true)]), vec![]),
            ("other.io", json!([version(true)]), vec!["metadata.name"]),
            ("things.io", json!([version(false)]), vec!["spec.versions"]),
            ("things.io", json!([]), vec!["spec.versions", "status.storedVersions[0]"]),
        ] {
            let spec = json!({ "group": "io", "names": { "plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList" }, "scope": "Cluster", "versions": versions });
            let mut causes = Vec::new();
            let status = json!({ "storedVersions": ["v"] });
            check(None, &json!({ "metadata": { "name": name }, "spec": spec, "status": status }), &mut causes);
            assert_eq!(causes.into_iter().map(|(field, _)| field).collect::<Vec<_>>(), expected, "{name}");
        }
    }
}
