//! Definitions, and the objects of kinds that a sequence defines for itself.

use super::super::super::sequence::{Step, create, delete, get, merge};
use super::super::super::table::definitions::{DEFINITIONS, definition as whole};
use super::{fields, thing, thing_status};
use meshplan_tests::draws::Draws;
use serde_json::{Value, json};

/// The names of what is defined, by its plural.
pub(super) fn names(plural: &str) -> Value {
    let plural = if plural.is_empty() { "as" } else { plural };
    let kind = plural[..1].to_uppercase();
    json!({ "plural": plural, "kind": kind })
}

/// A definition with a small schema, without names.
pub(super) fn definition(draws: &mut Draws) -> Value {
    let mut versions = vec![version(draws, "v1", true)];
    if draws.one_in(3) {
        versions.push(version(draws, "v2", false));
    }
    let mut spec =
        json!({ "group": "${ns}.example.org", "scope": if draws.one_in(5) { "Cluster" } else { "Namespaced" }, "versions": versions });
    if draws.one_in(5) {
        spec["conversion"] = json!({ "strategy": "None" });
    }
    if draws.one_in(12) {
        spec["preserveUnknownFields"] = draws.pick(&[false, false, true]).into();
    }
    json!({ "spec": spec })
}

fn version(draws: &mut Draws, name: &str, stored: bool) -> Value {
    let properties = [
        ("size", json!({ "type": "integer", "minimum": 1, "maximum": draws.pick(&[9, 99]) })),
        ("mode", json!({ "type": "string", "enum": ["slow", "fast"], "default": draws.pick(&["slow", "fast"]) })),
        ("set", json!({ "type": "array", "items": { "type": "string" }, "x-kubernetes-list-type": "set" })),
        ("free", json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })),
        ("port", json!({ "x-kubernetes-int-or-string": true })),
        ("map", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
        ("old", json!({ "type": "string", "nullable": true, "description": "told" })),
    ];
    let spec = json!({ "type": "object", "properties": fields(draws, &properties) });
    let schema = json!({ "type": "object", "properties": { "spec": spec, "status": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } });
    let columns = json!([{ "name": "Size", "type": "integer", "jsonPath": ".spec.size" }]);
    let mut version = fields(
        draws,
        &[("subresources", json!({ "status": {} })), ("additionalPrinterColumns", columns), ("deprecated", (!stored).into())],
    );
    version["name"] = name.into();
    version["served"] = (!draws.one_in(10)).into();
    version["storage"] = stored.into();
    version["schema"] = json!({ "openAPIV3Schema": schema });
    version
}

/// A thing with a status, which is apart from it where its definition says so.
pub(super) fn whole_thing(draws: &mut Draws) -> Value {
    let mut thing = thing(draws);
    if draws.one_in(3) {
        thing["status"] = thing_status(draws);
    }
    thing
}

/// The definition of what a namespace holds.
pub(super) fn namespaced(draws: &mut Draws) -> [Vec<Step>; 2] {
    defined(draws, "${ns}.example.org/v1:things", "Namespaced")
}

/// The definition of what no namespace holds.
pub(super) fn global(draws: &mut Draws) -> [Vec<Step>; 2] {
    defined(draws, "/apis/${ns}.example.org/v1/things", "Cluster")
}

/// A definition of two versions, which takes what it defines with it.
fn defined(draws: &mut Draws, collection: &str, scope: &str) -> [Vec<Step>; 2] {
    let mut definition = whole();
    let spec = &mut definition["spec"];
    spec["scope"] = scope.into();
    if draws.one_in(2) {
        spec["versions"][0].as_object_mut().unwrap().remove("subresources");
    }
    if draws.one_in(3) {
        spec["versions"][0]["schema"]["openAPIV3Schema"]["x-kubernetes-preserve-unknown-fields"] = true.into();
    }
    let mut second = spec["versions"][0].clone();
    second["name"] = "v2".into();
    second["storage"] = false.into();
    spec["versions"].as_array_mut().unwrap().push(second);
    let path = format!("{DEFINITIONS}/things.${{ns}}.example.org");
    let before = vec![
        create(DEFINITIONS, &definition),
        get(&path).until_settled(),
        get(collection).until(200),
        get(&collection.replacen("/v1", "/v2", 1)).until(200),
    ];
    // What holds its objects would hold it.
    let freed = ["a", "b"].map(|name| {
        let name = if scope == "Cluster" { format!("${{ns}}-{name}") } else { name.to_owned() };
        merge(&format!("{collection}/{name}"), &json!({ "metadata": { "finalizers": null } })).passed()
    });
    let gone = [delete(&path), get(&path).until(404), get(collection).until(404)];
    [before, freed.into_iter().chain(gone).collect()]
}
