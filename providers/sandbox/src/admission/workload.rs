//! What the API server refuses of what makes pods.

use crate::object::{Json, at, items, text};

/// Refuses pods that their workload does not select, or that nothing could run.
pub(super) fn template(object: &Json, causes: &mut Vec<(String, String)>) {
    let labels = at(object, &["spec", "template", "metadata", "labels"]);
    let selector = at(object, &["spec", "selector"]).filter(|selector| !selector.is_null());
    let wanted = selector.and_then(|selector| selector.get("matchLabels")).and_then(Json::as_object);
    let selected = wanted.into_iter().flatten().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value));
    // Without a selector nothing is selected.
    if selector.is_none() || !selected {
        let labels = labels.cloned().unwrap_or_default();
        let why = format!("Invalid value: {labels}: `selector` does not match template `labels`");
        causes.push(("spec.template.metadata.labels".to_owned(), why));
    }
    containers(object, &["spec", "template", "spec"], causes);
}

/// Refuses containers without a name or an image, and those that mount what is no volume.
pub(super) fn containers(object: &Json, path: &[&str], causes: &mut Vec<(String, String)>) {
    let Some(spec) = at(object, path) else { return };
    let mut volumes = Vec::new();
    for (at, volume) in items(spec, &["volumes"]).iter().enumerate() {
        let found = causes.len();
        source(volume, &format!("{}.volumes[{at}]", path.join(".")), causes);
        // What is no volume nothing can mount.
        volumes.extend(text(volume, &["name"]).filter(|_| causes.len() == found));
    }
    for (at, container) in items(spec, &["containers"]).iter().enumerate() {
        let within = |field: &str| format!("{}.containers[{at}].{field}", path.join("."));
        for field in ["name", "image"] {
            if text(container, &[field]).unwrap_or_default().is_empty() {
                causes.push((within(field), "Required value".to_owned()));
            }
        }
        for (mount, given) in items(container, &["volumeMounts"]).iter().enumerate() {
            let name = text(given, &["name"]).unwrap_or_default();
            if !volumes.contains(&name) {
                causes.push((within(&format!("volumeMounts[{mount}].name")), format!("Not found: {name:?}")));
            }
        }
    }
}

/// What a volume may be, and what must be said of it, in the order in which the server looks.
const SOURCES: [(&str, &str); 5] =
    [("emptyDir", ""), ("hostPath", "path"), ("secret", "secretName"), ("persistentVolumeClaim", "claimName"), ("configMap", "name")];

/// Refuses a volume that is several things, or one that nobody can find.
fn source(volume: &Json, path: &str, causes: &mut Vec<(String, String)>) {
    let given = SOURCES.into_iter().filter(|(source, _)| volume.get(source).is_some_and(|value| !value.is_null()));
    for (at, (source, name)) in given.enumerate() {
        if at > 0 {
            causes.push((format!("{path}.{source}"), "Forbidden: may not specify more than 1 volume type".to_owned()));
        } else if !name.is_empty() && text(volume, &[source, name]).unwrap_or_default().is_empty() {
            causes.push((format!("{path}.{source}.{name}"), "Required value".to_owned()));
        }
    }
}

/// Refuses a selector that selects everything.
pub(super) fn selector(object: &Json, causes: &mut Vec<(String, String)>) {
    let Some(selector) = at(object, &["spec", "selector"]).filter(|selector| !selector.is_null()) else { return };
    let nothing = |field: &str| {
        selector
            .get(field)
            .is_none_or(|part| part.as_object().is_none_or(serde_json::Map::is_empty) && items(selector, &[field]).is_empty())
    };
    if nothing("matchLabels") && nothing("matchExpressions") {
        let why = format!("Invalid value: {selector}: empty selector is invalid for deployment");
        causes.push(("spec.selector".to_owned(), why));
    }
}

/// Refuses a pace for what is not replaced bit by bit.
pub(super) fn strategy(object: &Json, causes: &mut Vec<(String, String)>) {
    let pace = at(object, &["spec", "strategy", "rollingUpdate"]).is_some_and(|pace| !pace.is_null());
    if pace && text(object, &["spec", "strategy", "type"]) == Some("Recreate") {
        let why = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
        causes.push(("spec.strategy.rollingUpdate".to_owned(), why.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_volume_is_one_thing_that_can_be_found() {
        for (volume, expected) in [
            (json!({ "name": "v", "emptyDir": {} }), vec![]),
            (json!({ "name": "v", "secret": { "secretName": "s" } }), vec![]),
            (json!({ "name": "v", "configMap": {} }), vec!["v.configMap.name"]),
            (json!({ "name": "v", "configMap": {}, "emptyDir": {}, "secret": null }), vec!["v.configMap"]),
        ] {
            let mut causes = Vec::new();
            source(&volume, "v", &mut causes);
            assert_eq!(causes.into_iter().map(|(field, _)| field).collect::<Vec<_>>(), expected, "{volume}");
        }
    }

    #[test]
    fn a_workload_selects_pods_that_can_run_and_replaces_them_one_way() {
        let container = json!([{ "name": "c", "image": "i" }]);
        let mounts = json!([{ "name": "c", "image": "i", "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }]);
        let selector = json!({ "matchLabels": { "a": "1" } });
        for (selector, label, containers, strategy, expected) in [
            (selector.clone(), "1", container.clone(), json!({ "type": "Recreate" }), vec![]),
            (selector.clone(), "2", container.clone(), json!({}), vec!["spec.template.metadata.labels"]),
            (Json::Null, "1", container.clone(), json!({}), vec!["spec.template.metadata.labels"]),
            (selector.clone(), "1", json!([{ "name": "c" }]), json!({}), vec!["spec.template.spec.containers[0].image"]),
            (selector.clone(), "1", mounts, json!({}), vec!["spec.template.spec.containers[0].volumeMounts[0].name"]),
            (json!({ "matchLabels": {} }), "1", container.clone(), json!({}), vec!["spec.selector"]),
            (selector.clone(), "1", container.clone(), json!({ "type": "RollingUpdate", "rollingUpdate": {} }), vec![]),
            (selector, "1", container, json!({ "type": "Recreate", "rollingUpdate": {} }), vec!["spec.strategy.rollingUpdate"]),
        ] {
            let pods = json!({ "metadata": { "labels": { "a": label } }, "spec": { "containers": containers } });
            let object = json!({ "spec": { "selector": selector, "template": pods, "strategy": strategy } });
            let mut causes = Vec::new();
            template(&object, &mut causes);
            super::selector(&object, &mut causes);
            super::strategy(&object, &mut causes);
            let fields: Vec<_> = causes.into_iter().map(|(field, _)| field).collect();
            assert_eq!(fields, expected, "{object}");
        }
    }
}
