//! What the server does with an object before it stores it: metadata, defaults, unknown fields, validation.

mod access;
mod addresses;
mod decode;
mod defaults;
mod definition;
mod empty;
mod job;
mod namespace;
mod pod;
mod schema;
mod service;
mod validate;
mod workload;

pub(crate) use addresses::Pool;
pub(crate) use decode::unknown_fields;
pub(crate) use empty::{drop_unread, unread};

use crate::object::{self, Json, at, set};
use crate::refusal::Refusal;
use crate::resource::{Key, Resource, Scope};
use crate::store::Transaction;

/// Which part of an object a write is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All but the status.
    Object,
    /// The status alone.
    Status,
    /// What holds a namespace, alone.
    Finalizers,
}

/// Makes a new object ready to be stored. Its metadata names it already.
pub(crate) fn create(transaction: &Transaction<'_>, resource: &Resource, object: &mut Json) -> Result<(), Refusal> {
    prepare(transaction, resource, object)?;
    complete(transaction, resource, object)
}

/// The first part of that: what its writer owns is there afterwards.
pub(crate) fn prepare(transaction: &Transaction<'_>, resource: &Resource, object: &mut Json) -> Result<(), Refusal> {
    let name = object::name(object).to_owned();
    if resource.scope == Scope::Namespaced {
        check_namespace(transaction, resource, object::namespace(object), &name)?;
    } else {
        object::remove(object, &["metadata", "namespace"]);
    }
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion", "selfLink", "generation"] {
        object::remove(object, &["metadata", field]);
    }
    set(object, &["metadata", "uid"], object::fresh_uid());
    set(object, &["metadata", "creationTimestamp"], transaction.now());
    if resource.generations {
        set(object, &["metadata", "generation"], 1);
    }
    if resource.status {
        object.as_object_mut().map(|fields| fields.remove("status"));
    }
    empty::drop(resource, object);
    defaults::fill(resource, object);
    Ok(())
}

/// The second part: what the server gives, and validation.
pub(crate) fn complete(transaction: &Transaction<'_>, resource: &Resource, object: &mut Json) -> Result<(), Refusal> {
    defaults::fill_status(resource, object);
    defaults::settle(resource, object);
    service::allocate(transaction, resource, None, object)?;
    validate::create(resource, object)
}

/// Makes a changed object ready to be stored in place of `live`.
pub(crate) fn update(
    transaction: &Transaction<'_>,
    resource: &Resource,
    live: &Json,
    object: &mut Json,
    part: Part,
) -> Result<(), Refusal> {
    prepare_update(resource, live, object, part);
    complete_update(transaction, resource, live, object, part)
}

/// The first part of that: what its writer owns is there afterwards.
pub(crate) fn prepare_update(resource: &Resource, live: &Json, object: &mut Json, part: Part) {
    keep_metadata(live, object);
    match part {
        Part::Object if resource.status => restore(live, object, "status"),
        Part::Object | Part::Finalizers => {}
        Part::Status => {
            let status = object.get("status").cloned();
            let metadata = object["metadata"].take();
            let managed = at(&metadata, &["managedFields"]).cloned();
            *object = live.clone();
            // Other kinds let metadata through.
            if resource.schema.is_none() && !["APIService", "CustomResourceDefinition"].contains(&resource.kind.as_str()) {
                object["metadata"] = metadata;
            }
            if resource.kind == "Deployment" {
                match at(live, &["metadata", "labels"]) {
                    Some(labels) => set(object, &["metadata", "labels"], labels.clone()),
                    None => drop(object::remove(object, &["metadata", "labels"])),
                }
            }
            if let Some(status) = status {
                set(object, &["status"], status);
            } else {
                object.as_object_mut().map(|fields| fields.remove("status"));
            }
            if let Some(managed) = managed {
                set(object, &["metadata", "managedFields"], managed);
            }
        }
    }
    empty::drop(resource, object);
    defaults::fill(resource, object);
}

/// The second part: what the server gives, and validation.
pub(crate) fn complete_update(
    transaction: &Transaction<'_>,
    resource: &Resource,
    live: &Json,
    object: &mut Json,
    part: Part,
) -> Result<(), Refusal> {
    if resource.group.is_empty() && resource.kind == "Namespace" && part != Part::Finalizers {
        namespace::keep(live, object);
    }
    defaults::settle(resource, object);
    service::allocate(transaction, resource, Some(live), object)?;
    validate::update(resource, live, object)?;
    let labelled = resource.kind == "EndpointSlice" && at(live, &["metadata", "labels"]) != at(object, &["metadata", "labels"]);
    if resource.generations && part == Part::Object && (labelled || differs(live, object)) {
        let generation = at(live, &["metadata", "generation"]).and_then(Json::as_u64).unwrap_or(1);
        set(object, &["metadata", "generation"], generation + 1);
    }
    Ok(())
}

/// Refuses what would lie in a namespace that is not there or is going.
fn check_namespace(transaction: &Transaction<'_>, resource: &Resource, namespace: &str, name: &str) -> Result<(), Refusal> {
    let found = transaction.get(&Key::new("namespaces", "", namespace));
    let about = crate::refusal::About { group: "", kind: "namespaces", name: namespace };
    let found = found.ok_or_else(|| Refusal::not_found(about))?;
    if object::is_terminating(&found) {
        return Err(Refusal::terminating(resource.about(name), namespace));
    }
    Ok(())
}

/// Which field of a defined kind is of another type than its schema has it; nothing if none is.
pub(crate) fn untyped(resource: &Resource, config: &Json) -> Option<String> {
    schema::untyped(config, resource.schema.as_ref()?.json(), "")
}

/// What no writer can change.
fn keep_metadata(live: &Json, object: &mut Json) {
    for field in [
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "name",
        "namespace",
        "resourceVersion",
    ] {
        match at(live, &["metadata", field]) {
            Some(value) => set(object, &["metadata", field], value.clone()),
            None => {
                object::remove(object, &["metadata", field]);
            }
        }
    }
}

fn restore(live: &Json, object: &mut Json, field: &str) {
    match live.get(field) {
        Some(value) => set(object, &[field], value.clone()),
        None => {
            object.as_object_mut().map(|fields| fields.remove(field));
        }
    }
}

/// Whether anything but metadata and status differs.
fn differs(live: &Json, object: &Json) -> bool {
    let rest = |value: &Json| {
        let fields = value.as_object().into_iter().flatten();
        fields
            .filter(|(name, _)| !["metadata", "status", "apiVersion"].contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Vec<_>>()
    };
    rest(live) != rest(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;
    use crate::store::{Facts, World};
    use serde_json::json;

    fn with_namespace(namespace: &Json, check: impl FnOnce(&Transaction<'_>)) {
        let world = World::new(Facts::example("c"));
        let mut transaction = Transaction::new(&world);
        transaction.put(&Key::new("namespaces", "", "x"), namespace.clone());
        check(&transaction);
    }

    #[test]
    fn a_new_object_gets_what_the_server_alone_gives() {
        with_namespace(&json!({ "metadata": { "name": "x" } }), |transaction| {
            let resource = builtin("apps", "v1", "deployments").expect("deployments");
            let mut object = json!({ "metadata": { "name": "d", "namespace": "x", "uid": "mine", "generation": 9 }, "status": { "replicas": 7 },
                "spec": { "selector": { "matchLabels": { "a": "b" } }, "template": { "metadata": { "labels": { "a": "b" } },
                    "spec": { "containers": [{ "name": "c", "image": "i" }] } } } });
            create(transaction, &resource, &mut object).expect("created");
            assert_eq!(at(&object, &["metadata", "generation"]), Some(&json!(1)));
            assert_ne!(object::uid(&object), "mine");
            assert_eq!(object["status"], json!({}));
        });
    }

    #[test]
    fn a_namespace_must_be_there_and_stay() {
        let config_map = builtin("", "v1", "configmaps").expect("configmaps");
        let object = |namespace: &str| json!({ "metadata": { "name": "c", "namespace": namespace } });
        with_namespace(&json!({ "metadata": { "name": "x", "deletionTimestamp": "2024-01-01T00:00:00Z" } }), |transaction| {
            for (namespace, code, message) in [
                ("y", 404, "namespaces \"y\" not found"),
                ("x", 403, "configmaps \"c\" is forbidden: unable to create new content in namespace x because it is being terminated"),
            ] {
                let refusal = create(transaction, &config_map, &mut object(namespace)).expect_err("refused");
                assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
            }
        });
    }

    #[test]
    fn generations_count_changes_of_the_specification() {
        let world = World::new(Facts::example("c"));
        let transaction = Transaction::new(&world);
        let resource = builtin("policy", "v1", "poddisruptionbudgets").expect("budgets");
        let live = json!({ "metadata": { "name": "b", "uid": "u", "generation": 3 }, "spec": { "minAvailable": 1 }, "status": { "x": 1 } });
        for (object, part, generation) in [
            (json!({ "metadata": { "name": "b", "labels": { "l": "1" } }, "spec": { "minAvailable": 1 } }), Part::Object, 3),
            (json!({ "metadata": { "name": "b" }, "spec": { "minAvailable": 2 } }), Part::Object, 4),
            (json!({ "metadata": { "name": "b" }, "spec": { "minAvailable": 2 }, "status": { "x": 2 } }), Part::Status, 3),
        ] {
            let mut changed = object;
            update(&transaction, &resource, &live, &mut changed, part).expect("updated");
            assert_eq!(changed["metadata"]["generation"], json!(generation));
            assert_eq!(
                (changed["status"]["x"].clone(), changed["metadata"]["uid"].clone()),
                (json!(if part == Part::Status { 2 } else { 1 }), json!("u"))
            );
            assert_eq!(changed["spec"]["minAvailable"] == json!(2), generation == 4);
        }
    }
}
