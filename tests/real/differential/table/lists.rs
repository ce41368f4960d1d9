//! Lists, pages and watches.

use super::super::sequence::{Sequence, create, delete, forget, forgetful, get, merge, sequence};
use super::{config_map, labelled};
use serde_json::json;

pub(super) fn sequences() -> Vec<Sequence> {
    vec![selectors(), pages(), forgotten(), watches()]
}

fn selectors() -> Sequence {
    let by = |selector: &str| get(&format!("secrets?labelSelector={selector}"));
    let field = |selector: &str| get(&format!("secrets?fieldSelector={selector}"));
    sequence(
        "selectors",
        vec![
            create("secrets", &labelled("Secret", "a", &json!({ "l": "1", "m": "x" }))),
            create("secrets", &labelled("Secret", "b", &json!({ "l": "2" }))),
            create("secrets", &labelled("Secret", "c", &json!({ "m": "y" }))),
            by("l%3D1"),
            by("l%21%3D1,m"),
            by("l%20in%20(1,2)"),
            by("l%20notin%20(1),%21m"),
            by("%21%21"),
            by("l%20nonsense%20(1)"),
            field("metadata.name%3Da"),
            field("metadata.name%21%3Da,metadata.namespace%3D${ns}"),
            field("data.x%3D1"),
            field("nonsense"),
            get("secrets?fieldSelector=type%3DOpaque"),
        ],
    )
}

fn pages() -> Sequence {
    let mut steps: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|name| create("services", &super::service(name))).collect();
    steps.extend([
        get("services?limit=2"),
        get("services?limit=2&continue=${6/metadata/continue}"),
        delete("services/e"),
        get("services?limit=2&continue=${7/metadata/continue}"),
        get("services?limit=5"),
        get("services?limit=2&continue=nonsense"),
        get("services?limit=nonsense"),
        get("services?limit=2&resourceVersion=${6/metadata/resourceVersion}&resourceVersionMatch=Exact"),
        get("services?resourceVersionMatch=Exact"),
    ]);
    sequence("pages", steps)
}

/// Of what is forgotten a list says how to go on without it.
fn forgotten() -> Sequence {
    let mut steps: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|name| create("services", &super::service(name))).collect();
    steps.extend([
        get("services?limit=2"),
        merge("services/a", &json!({ "metadata": { "labels": { "l": "1" } } })),
        forget(),
        delete("services/d"),
        get("services?limit=1&continue=${6/metadata/continue}"),
        get("services?limit=1&continue=${10/metadata/continue}"),
        get("services?limit=1&continue=${11/metadata/continue}"),
        get("services?labelSelector=l&continue=${10/metadata/continue}"),
        get("services?resourceVersion=${6/metadata/resourceVersion}&resourceVersionMatch=Exact"),
        get("services?limit=1&resourceVersion=${6/metadata/resourceVersion}&resourceVersionMatch=Exact"),
        get("services?resourceVersion=${6/metadata/resourceVersion}&resourceVersionMatch=NotOlderThan"),
        get("services?watch=true&timeoutSeconds=1&resourceVersion=1"),
    ]);
    forgetful("forgotten", steps)
}

fn watches() -> Sequence {
    sequence(
        "watch",
        vec![
            get("configmaps?labelSelector=l"),
            create("configmaps", &labelled("ConfigMap", "a", &json!({ "l": "1" }))),
            create("configmaps", &config_map("b", &json!({}))),
            merge("configmaps/a", &json!({ "data": { "x": "1" } })),
            merge("configmaps/a", &json!({ "metadata": { "labels": { "l": null } } })),
            merge("configmaps/b", &json!({ "metadata": { "labels": { "l": "2" } } })),
            delete("configmaps/b"),
            get("configmaps?watch=true&timeoutSeconds=1&labelSelector=l&resourceVersion=${1/metadata/resourceVersion}"),
            get("configmaps?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Da&resourceVersion=${4/metadata/resourceVersion}"),
            get("configmaps?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Da"),
            get("configmaps?watch=true&timeoutSeconds=nonsense"),
            get(
                "configmaps?watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3Da",
            ),
            get("configmaps?watch=true&timeoutSeconds=1&sendInitialEvents=true"),
        ],
    )
}
