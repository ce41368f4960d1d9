//! Deletion: at once, or as soon as the last finalizer is gone.

use super::Answer;
use super::call::Call;
use super::read::served;
use super::route::Place;
use super::selector::Selector;
use super::write::Writing;
use crate::object::{self, Json, at, is_terminating, items, set, text};
use crate::refusal::Refusal;
use crate::resource::{DEFINITIONS, Key, Resource};
use crate::store::Transaction;
use serde_json::json;
use std::sync::Arc;

/// Holds an object until those that it owns are nobody's.
pub(crate) const ORPHAN: &str = "orphan";
/// Holds an object until those that it owns are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Holds a definition from its deletion on until its objects are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Kinds whose last state is told when one is deleted, and not that it went well.
const RETURNED: &[&str] =
    &["PersistentVolume", "PersistentVolumeClaim", "Pod", "PodTemplate", "ResourceQuota", "Service", "ServiceAccount"];

/// What a deletion left.
#[derive(Debug)]
pub(crate) enum Removed {
    /// Nothing; the object as it was, under the version of its removal, if there was one.
    Gone(Option<Arc<Json>>),
    /// The object, until its finalizers are gone.
    Terminating(Arc<Json>),
}

/// Deletes an object, or marks it for its finalizers.
pub(crate) fn remove(transaction: &mut Transaction<'_>, key: &Key) -> Removed {
    remove_with(transaction, key, None)
}

/// The same with a finalizer that says what becomes of the objects it owns: `orphan` or `foregroundDeletion`.
fn remove_with(transaction: &mut Transaction<'_>, key: &Key, finalizer: Option<&str>) -> Removed {
    let Some(live) = transaction.get(key) else { return Removed::Gone(None) };
    let is_definition = &*key.resource == DEFINITIONS;
    let mut finalizers = items(&live, &["metadata", "finalizers"]).to_vec();
    let finalizer = if is_definition { Some(CLEANUP) } else { finalizer };
    if let Some(finalizer) = finalizer.filter(|finalizer| !object::has_finalizer(&live, finalizer)) {
        finalizers.push(finalizer.into());
    }
    let is_namespace = &*key.resource == "namespaces";
    if finalizers.is_empty() && !is_namespace {
        return Removed::Gone(transaction.remove(key));
    }
    if is_terminating(&live) {
        return Removed::Terminating(live);
    }
    let mut marked = (*live).clone();
    if !finalizers.is_empty() {
        set(&mut marked, &["metadata", "finalizers"], finalizers);
    }
    set(&mut marked, &["metadata", "deletionTimestamp"], transaction.now());
    // These two have a way of their own to go.
    if !is_namespace && !is_definition {
        set(&mut marked, &["metadata", "deletionGracePeriodSeconds"], 0);
        if let Some(generation) = at(&live, &["metadata", "generation"]).and_then(Json::as_u64) {
            set(&mut marked, &["metadata", "generation"], generation + 1);
        }
    }
    if is_definition {
        let mut conditions = items(&live, &["status", "conditions"]).to_vec();
        let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
        conditions.push(json!({ "type": "Terminating", "status": "True", "reason": "InstanceDeletionPending", "message": message,
            "lastTransitionTime": transaction.now() }));
        set(&mut marked, &["status", "conditions"], conditions);
    }
    if is_namespace {
        set(&mut marked, &["status", "phase"], "Terminating");
    }
    Removed::Terminating(transaction.put(key, marked))
}

/// Deletes one object.
pub(crate) fn one(transaction: &mut Transaction<'_>, writing: &Writing<'_>, call: &Call) -> Result<Answer, Refusal> {
    let options = if call.body().is_empty() { json!({}) } else { call.json()? };
    let finalizer = finalizer(writing.resource, &options, call)?;
    let live = writing.live(transaction).ok_or_else(|| writing.missing())?;
    preconditions(writing, &live, &options)?;
    let about = writing.resource.about(&writing.name);
    if &*writing.key().resource == "namespaces" && ["default", "kube-system", "kube-public"].contains(&writing.name.as_str()) {
        return Err(Refusal::forbidden(about, "this namespace may not be deleted"));
    }
    Ok(match remove_with(transaction, &writing.key(), finalizer) {
        Removed::Terminating(object) => Answer::Object(200, served(writing.resource, &object)),
        Removed::Gone(Some(last)) if RETURNED.contains(&writing.resource.kind.as_str()) => {
            Answer::Object(200, served(writing.resource, &last))
        }
        Removed::Gone(_) => {
            let mut details = json!({ "name": writing.name, "kind": writing.resource.plural, "uid": object::uid(&live) });
            if !writing.resource.group.is_empty() {
                details["group"] = writing.resource.group.as_str().into();
            }
            Answer::Object(200, json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details }))
        }
    })
}

/// Deletes all objects that are meant.
pub(crate) fn collection(transaction: &mut Transaction<'_>, writing: &Writing<'_>, place: &Place, call: &Call) -> Result<Answer, Refusal> {
    let selector = Selector::of(writing.resource, call)?;
    let qualified = writing.resource.qualified();
    if qualified == "namespaces" || qualified == DEFINITIONS {
        return Err(Refusal::method());
    }
    let meant: Vec<_> =
        transaction.list(&qualified, place.namespace.as_deref()).into_iter().filter(|(_, object)| selector.selects(object)).collect();
    for (key, _) in &meant {
        remove(transaction, key);
    }
    let mut found: Vec<_> = meant.iter().map(|(_, object)| served(writing.resource, object)).collect();
    if writing.resource.schema.is_none() {
        for item in &mut found {
            item.as_object_mut().map(|fields| (fields.remove("apiVersion"), fields.remove("kind")));
        }
    }
    let kind = format!("{}List", writing.resource.kind);
    Ok(Answer::Object(
        200,
        json!({ "apiVersion": writing.resource.api_version(), "kind": kind, "metadata": { "resourceVersion": transaction.revision().to_string() }, "items": found }),
    ))
}

/// What holds an object until the objects that it owns are dealt with as the options say.
fn finalizer(resource: &Resource, options: &Json, call: &Call) -> Result<Option<&'static str>, Refusal> {
    let policy = if call.body().is_empty() { call.query("propagationPolicy") } else { text(options, &["propagationPolicy"]) };
    match policy {
        // The oldest of the kinds with pods of their own keeps the way of its time.
        None | Some("") if resource.kind == "Job" && resource.group == "batch" => Ok(Some(ORPHAN)),
        None | Some("" | "Background") => Ok(None),
        Some("Orphan") => Ok(Some(ORPHAN)),
        Some("Foreground") => Ok(Some(FOREGROUND)),
        Some(other) => {
            let why = format!("Unsupported value: {other:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"");
            Err(Refusal::options("DeleteOptions", "propagationPolicy", &why))
        }
    }
}

fn preconditions(writing: &Writing<'_>, live: &Json, options: &Json) -> Result<(), Refusal> {
    for (field, path, word, happened) in [
        ("uid", ["metadata", "uid"], "UID", "deleted and then recreated"),
        ("resourceVersion", ["metadata", "resourceVersion"], "ResourceVersion", "modified"),
    ] {
        let (Some(wanted), Some(is)) = (text(options, &["preconditions", field]), text(live, &path)) else { continue };
        if wanted != is {
            let why = format!(
                "the {word} in the precondition ({wanted}) does not match the {word} in record ({is}). The object might have been {happened}"
            );
            return Err(Refusal::conflict(writing.resource.about_kind(&writing.name), &why));
        }
    }
    Ok(())
}
