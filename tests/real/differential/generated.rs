//! Sequences that nobody thought of, from a seed.

mod content;

use super::sequence::{Sequence, Step, apply, create, delete, delete_with, force, get, merge, operations, replace, sequence, strategic};
use super::table::definitions::{DEFINITIONS, definition};
use content::{Others, SUBJECTS, Subject};
use meshplan_tests::draws::Draws;
use serde_json::{Value, json};

/// The version of the kind that is not built in.
pub(super) use content::THINGS as GROUP_VERSION;

/// Makes what the sequences need: the definition of the kind that is not built in, in a group of its own.
pub(super) fn preparation() -> Sequence {
    let definition = definition().to_string().replace("${ns}", "generated");
    let definition = serde_json::from_str(&definition).unwrap();
    let collection = format!("{}:things", content::THINGS);
    sequence("generated", vec![create(DEFINITIONS, &definition), get(&collection).until(200)])
}

/// The sequence of a seed: what clients do with two objects of one kind, and what they read of them.
pub(super) fn of_seed(seed: u64) -> Sequence {
    let mut draws = Draws::new(seed);
    let kind = draws.pick(SUBJECTS);
    let labelled = format!("{}?labelSelector=l", kind.collection);
    let [mut steps, after] = kind.around.map_or_else(Default::default, |around| around(&mut draws));
    if kind.is_namespaced() {
        steps.push(get(&labelled));
    }
    let count = 6 + draws.below(7);
    steps.extend((0..count).flat_map(|_| settled(&mut draws, &kind)));
    steps.extend(["a", "b"].map(|name| get(&format!("{}/{}", kind.collection, kind.name(name)))));
    if kind.is_namespaced() && kind.others == Others::Nobody && draws.one_in(5) {
        let query = "watch=true&timeoutSeconds=1&resourceVersion=${first-list/metadata/resourceVersion}";
        steps.push(get(&format!("{}?{query}{}", kind.collection, draws.pick(&["", "&labelSelector=l%3D1"]))));
    }
    steps.extend(after);
    let whole = sequence(&format!("generated-{seed}-{}", kind.kind.to_lowercase()), steps);
    Sequence { server: kind.server(), imitated: kind.others == Others::Imitated, ..whole }
}

/// A request, and where others have a part in what becomes of it a look at what they left.
fn settled(draws: &mut Draws, kind: &Subject) -> Vec<Step> {
    let name = kind.name(draws.pick(&["a", "a", "b"]));
    let step = request(draws, kind, &name);
    if kind.others == Others::Nobody || step.only_reads() {
        return vec![step];
    }
    vec![step, get(&format!("{}/{name}", kind.collection)).until_settled()]
}

fn request(draws: &mut Draws, kind: &Subject, name: &str) -> Step {
    let path = format!("{}/{name}", kind.collection);
    let writing = with(&path, &options(draws));
    match draws.below(22) {
        0..=3 => {
            let strictly = if draws.one_in(8) { "&fieldValidation=Strict" } else { "" };
            create(&with(kind.collection, &format!("{}{strictly}", options(draws))), &kind.object(draws, name))
        }
        4..=8 => applied(draws, kind, name),
        9..=11 => merge(&writing, &changes(draws, kind, name)),
        12 | 13 if kind.is_built_in() => strategic(&writing, &changes(draws, kind, name)),
        12..=14 => operations(&writing, &edits(draws, kind, name)),
        15 => replace(&with(&path, draws.pick(&["", "fieldManager=one", "fieldValidation=Strict"])), &replacement(draws, kind, name)),
        16 | 17 => deletion(draws, &writing),
        18 | 19 if kind.is_namespaced() => get(&with(kind.collection, draws.pick(selections(kind)))),
        18..=20 => get(&path),
        _ => status(draws, kind, name).unwrap_or_else(|| get(&path)),
    }
}

/// Which objects of a collection are read, and how. Only a sandbox's controllers have put a `ConfigMap` beside those of a sequence, which
/// pages would tell.
fn selections(kind: &Subject) -> &'static [&'static str] {
    if kind.collection == "configmaps" { &SELECTIONS[..3] } else { SELECTIONS }
}

const SELECTIONS: &[&str] = &[
    "labelSelector=l%3D1",
    "labelSelector=l%20in%20(1,2),%21m",
    "fieldSelector=metadata.name%3Da",
    "labelSelector=l&limit=1",
    "labelSelector=l&limit=1&continue=${last-list/metadata/continue}",
    "labelSelector=l&resourceVersion=${last-list/metadata/resourceVersion}&resourceVersionMatch=Exact",
];

fn with(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// How a write is meant.
fn options(draws: &mut Draws) -> String {
    let mut options = Vec::new();
    if draws.one_in(8) {
        options.push("dryRun=All");
    }
    if draws.one_in(2) {
        options.push(draws.pick(&["fieldManager=one", "fieldManager=three"]));
    }
    options.join("&")
}

fn applied(draws: &mut Draws, kind: &Subject, name: &str) -> Step {
    let path = format!("{}/{name}", kind.collection);
    let path = if draws.one_in(8) { with(&path, "dryRun=All") } else { path };
    let object = kind.object(draws, name);
    let manager = draws.pick(&["one", "one", "two"]);
    if draws.one_in(3) { force(&path, manager, &object) } else { apply(&path, manager, &object) }
}

/// An object's fields without what names it, some of them to be taken out.
fn changes(draws: &mut Draws, kind: &Subject, name: &str) -> Value {
    let mut changes = kind.object(draws, name);
    let fields = changes.as_object_mut().unwrap();
    fields.retain(|name, _| !["apiVersion", "kind"].contains(&name.as_str()));
    fields["metadata"].as_object_mut().unwrap().remove("name");
    take_out(draws, &mut changes);
    changes
}

fn take_out(draws: &mut Draws, value: &mut Value) {
    for below in value.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        if draws.one_in(7) {
            *below = Value::Null;
        } else {
            take_out(draws, below);
        }
    }
}

/// Operations on parts that an object of the kind may have.
fn edits(draws: &mut Draws, kind: &Subject, name: &str) -> Value {
    let mut parts = Vec::new();
    pointers(&kind.object(draws, name), "", &mut parts);
    parts.retain(|(path, _)| !["/apiVersion", "/kind", "/metadata", "/metadata/name"].contains(&path.as_str()));
    let count = 1 + draws.below(2);
    let edit = |draws: &mut Draws| {
        let (path, value) = if parts.is_empty() { ("/metadata/labels".to_owned(), json!({})) } else { draws.pick(&parts) };
        match draws.below(5) {
            0 | 1 => json!({ "op": "add", "path": path, "value": value }),
            2 => json!({ "op": "replace", "path": path, "value": value }),
            3 => json!({ "op": "remove", "path": path }),
            _ => json!({ "op": "test", "path": path, "value": value }),
        }
    };
    (0..count).map(|_| edit(draws)).collect()
}

fn pointers(value: &Value, above: &str, found: &mut Vec<(String, Value)>) {
    let below: Vec<_> = match value {
        Value::Object(fields) => fields.iter().map(|(name, below)| (name.replace('~', "~0").replace('/', "~1"), below)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, below)| (at.to_string(), below)).collect(),
        _ => Vec::new(),
    };
    for (name, below) in below {
        let path = format!("{above}/{name}");
        found.push((path.clone(), below.clone()));
        pointers(below, &path, found);
    }
}

fn replacement(draws: &mut Draws, kind: &Subject, name: &str) -> Value {
    let mut object = kind.object(draws, name);
    match draws.below(4) {
        0 => {}
        1 => object["metadata"]["resourceVersion"] = "${first/metadata/resourceVersion}".into(),
        _ => object["metadata"]["resourceVersion"] = "${last/metadata/resourceVersion}".into(),
    }
    object
}

fn deletion(draws: &mut Draws, path: &str) -> Step {
    match draws.below(5) {
        0 => delete_with(path, &json!({ "preconditions": { "uid": "${first/metadata/uid}" } })),
        1 => delete_with(path, &json!({ "preconditions": { "resourceVersion": "${last/metadata/resourceVersion}" } })),
        _ => delete(path),
    }
}

/// A write of the status, if the kind has one apart.
fn status(draws: &mut Draws, kind: &Subject, name: &str) -> Option<Step> {
    let path = format!("{}/{name}/status", kind.collection);
    let status = kind.status?(draws);
    Some(match draws.below(4) {
        0 => get(&path),
        1 => merge(&path, &json!({ "status": status, "spec": {} })),
        2 => merge(&path, &json!({ "status": status, "metadata": { "labels": { "l": "2" } } })),
        _ => {
            let object = json!({ "apiVersion": kind.api_version, "kind": kind.kind, "metadata": { "name": name }, "status": status });
            apply(&path, "one", &object)
        }
    })
}
