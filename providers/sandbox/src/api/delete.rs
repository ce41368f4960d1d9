//! Deletion: at once, or as soon as the last finalizer is gone.

use super::Answer;
use super::call::Call;
use super::read::served;
use super::route::Place;
use super::selector::Selector;
use super::write::Writing;
use crate::object::{self, Json, at, is_terminating, items, set, text};
use crate::refusal::Refusal;
use crate::resource::{DEFINITIONS, Key};
use crate::store::Transaction;
use serde_json::json;
use std::sync::Arc;

/// What a deletion left.
#[derive(Debug)]
pub(crate) enum Removed {
    /// Nothing.
    Gone,
    /// The object, until its finalizers are gone.
    Terminating(Arc<Json>),
}

/// Deletes an object, or marks it for its finalizers.
pub(crate) fn remove(transaction: &mut Transaction<'_>, key: &Key) -> Removed {
    let Some(live) = transaction.get(key) else { return Removed::Gone };
    let finalizers = !items(&live, &["metadata", "finalizers"]).is_empty();
    let is_namespace = &*key.resource == "namespaces";
    if !finalizers && !is_namespace {
        transaction.remove(key);
        return Removed::Gone;
    }
    if is_terminating(&live) {
        return Removed::Terminating(live);
    }
    let mut marked = (*live).clone();
    set(&mut marked, &["metadata", "deletionTimestamp"], transaction.now());
    set(&mut marked, &["metadata", "deletionGracePeriodSeconds"], 0);
    if let Some(generation) = at(&live, &["metadata", "generation"]).and_then(Json::as_u64) {
        set(&mut marked, &["metadata", "generation"], generation + 1);
    }
    if is_namespace {
        set(&mut marked, &["status", "phase"], "Terminating");
    }
    Removed::Terminating(transaction.put(key, marked))
}

/// Deletes one object.
pub(crate) fn one(transaction: &mut Transaction<'_>, writing: &Writing<'_>, call: &Call) -> Result<Answer, Refusal> {
    let live = writing.live(transaction).ok_or_else(|| writing.missing())?;
    if !call.body().is_empty() {
        preconditions(writing, &live, &call.json()?)?;
    }
    let about = writing.resource.about(&writing.name);
    if &*writing.key().resource == "namespaces" && ["default", "kube-system", "kube-public"].contains(&writing.name.as_str()) {
        return Err(Refusal::forbidden(about, "this namespace may not be deleted"));
    }
    Ok(match remove(transaction, &writing.key()) {
        Removed::Terminating(object) => Answer::Object(200, served(writing.resource, &object)),
        Removed::Gone if writing.resource.kind == "Pod" => Answer::Object(200, served(writing.resource, &live)),
        Removed::Gone => {
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
    let selector = Selector::of(call)?;
    let qualified = writing.resource.qualified();
    if qualified == "namespaces" || qualified == DEFINITIONS {
        return Err(Refusal::method());
    }
    let meant: Vec<_> =
        transaction.list(&qualified, place.namespace.as_deref()).into_iter().filter(|(_, object)| selector.selects(object)).collect();
    for (key, _) in &meant {
        remove(transaction, key);
    }
    let found: Vec<_> = meant.iter().map(|(_, object)| served(writing.resource, object)).collect();
    let kind = format!("{}List", writing.resource.kind);
    Ok(Answer::Object(200, json!({ "apiVersion": writing.resource.api_version(), "kind": kind, "metadata": {}, "items": found })))
}

fn preconditions(writing: &Writing<'_>, live: &Json, options: &Json) -> Result<(), Refusal> {
    for (field, path, word) in
        [("uid", ["metadata", "uid"], "UID"), ("resourceVersion", ["metadata", "resourceVersion"], "ResourceVersion")]
    {
        let (Some(wanted), Some(is)) = (text(options, &["preconditions", field]), text(live, &path)) else { continue };
        if wanted != is {
            let why = format!("Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {is}");
            return Err(Refusal::conflict(writing.resource.about(&writing.name), &why));
        }
    }
    Ok(())
}
