//! Maps and lists with nothing in them, which built-in kinds do not tell from none: the server stores neither.

use crate::object::Json;
use crate::resource::Resource;

/// Fields that are maps from names to values. What is empty under another name may be a part that means something by being there.
const MAPS: &[&str] = &["annotations", "binaryData", "data", "labels", "limits", "matchLabels", "nodeSelector", "requests", "stringData"];
/// Lists that are written even where there is nothing in them.
const LISTS: &[&str] = &["containers", "endpoints", "rules"];

/// Takes out of an object what is empty and cannot be told from nothing.
pub(super) fn drop(resource: &Resource, object: &mut Json) {
    // Every kind has the same metadata.
    drop_of_metadata(object);
    if resource.schema.is_some() || resource.kind == "CustomResourceDefinition" {
        return;
    }
    let is_service = resource.kind == "Service";
    if is_service && object.pointer("/spec/selector").and_then(Json::as_object).is_some_and(serde_json::Map::is_empty) {
        crate::object::remove(object, &["spec", "selector"]);
    }
    let Some(fields) = object.as_object_mut() else { return };
    fields.iter_mut().filter(|(name, _)| *name != "metadata").for_each(|(_, value)| within(value));
    fields.retain(|name, value| !is_nothing(name, value));
}

fn drop_of_metadata(object: &mut Json) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Json::as_object_mut) {
        // Owners have their own shape.
        metadata.iter_mut().filter(|(name, _)| *name != "managedFields").for_each(|(_, value)| within(value));
        metadata.retain(|name, value| !is_nothing(name, value));
    }
}

/// What is empty in the metadata of an object of a defined kind, by its names. Of these kinds an API server stores it where an apply says
/// it, and reads it as none: what is written next differs from what is stored.
pub(crate) fn unread(resource: &Resource, object: &Json) -> Vec<(String, Json)> {
    let metadata = object.get("metadata").and_then(Json::as_object).filter(|_| resource.schema.is_some());
    let empty = metadata.into_iter().flatten().filter(|(name, value)| is_nothing(name, value));
    empty.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The object as it is read.
pub(crate) fn drop_unread(resource: &Resource, object: &mut Json) {
    if resource.schema.is_some() {
        drop_of_metadata(object);
    }
}

fn within(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            fields.values_mut().for_each(within);
            fields.retain(|name, value| !is_nothing(name, value));
        }
        Json::Array(items) => items.iter_mut().for_each(within),
        _ => {}
    }
}

fn is_nothing(name: &str, value: &Json) -> bool {
    match value {
        Json::Object(fields) => fields.is_empty() && MAPS.contains(&name),
        Json::Array(items) => items.is_empty() && !LISTS.contains(&name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;
    use serde_json::json;

    #[test]
    fn what_is_empty_goes_and_what_means_something_stays() {
        for (group, plural, object, expected) in [
            ("", "configmaps", json!({ "metadata": { "labels": {}, "finalizers": [] }, "data": {} }), json!({ "metadata": {} })),
            (
                "",
                "pods",
                json!({ "spec": { "containers": [], "volumes": [{ "name": "v", "emptyDir": {} }], "nodeSelector": {} } }),
                json!({ "spec": { "containers": [], "volumes": [{ "name": "v", "emptyDir": {} }] } }),
            ),
            ("networking.k8s.io", "networkpolicies", json!({ "spec": { "podSelector": {} } }), json!({ "spec": { "podSelector": {} } })),
            ("", "services", json!({ "spec": { "selector": {}, "ports": [] } }), json!({ "spec": {} })),
        ] {
            let resource = builtin(group, "v1", plural).expect("a kind");
            let mut object = object;
            drop(&resource, &mut object);
            assert_eq!(object, expected, "{plural}");
        }
    }

    #[test]
    fn what_others_own_is_not_looked_into() {
        let resource = builtin("", "v1", "configmaps").expect("configmaps");
        let object = json!({ "metadata": { "managedFields": [{ "fieldsV1": { "f:data": {}, "data": {} } }] } });
        let mut same = object.clone();
        drop(&resource, &mut same);
        assert_eq!(same, object);
    }
}
