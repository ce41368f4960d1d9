//! Creating and replacing objects, and their parts.

use super::Answer;
use super::call::Call;
use super::read::served;
use super::route::{Place, Subresource};
use crate::admission::{self, Part};
use crate::object::{self, Json, at, set, text};
use crate::ownership::{Owners, Shape, Writer};
use crate::refusal::Refusal;
use crate::resource::{Key, Resource};
use crate::store::Transaction;
use serde_json::json;
use std::sync::Arc;

/// What a write is about.
pub(crate) struct Writing<'a> {
    /// The kind.
    pub(crate) resource: &'a Resource,
    /// Empty for what no namespace holds.
    pub(crate) namespace: String,
    /// Empty for all objects.
    pub(crate) name: String,
    /// The part of the object.
    pub(crate) subresource: Subresource,
    /// Who writes.
    pub(crate) manager: String,
    /// What happens to fields that the kind does not know.
    pub(crate) unknown: Unknown,
    api_version: String,
}

/// What happens to fields that the kind does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They are left out.
    Drop,
    /// The write is refused.
    Refuse,
}

impl<'a> Writing<'a> {
    /// What a call is about.
    pub(crate) fn new(resource: &'a Resource, place: &Place, call: &Call) -> Result<Self, Refusal> {
        let manager = call.manager();
        if manager.chars().count() > 128 {
            return Err(Refusal::bad_request("fieldManager: Too long: may not be more than 128 bytes"));
        }
        Ok(Self {
            resource,
            namespace: place.namespace.clone().unwrap_or_default(),
            name: place.name.clone(),
            subresource: place.subresource,
            manager,
            unknown: if call.query("fieldValidation") == Some("Strict") { Unknown::Refuse } else { Unknown::Drop },
            api_version: resource.api_version(),
        })
    }

    /// Where the object is stored.
    pub(crate) fn key(&self) -> Key {
        self.resource.key(&self.namespace, &self.name)
    }

    /// The object as it is, if it is there, in the version that is written, whichever it was written in before.
    pub(crate) fn live(&self, transaction: &Transaction<'_>) -> Option<Arc<Json>> {
        let live = transaction.get(&self.key())?;
        let same = text(&live, &["apiVersion"]) == Some(&self.api_version) && admission::unread(self.resource, &live).is_empty();
        Some(if same { live } else { Arc::new(served(self.resource, &live)) })
    }

    /// The error if it is not.
    pub(crate) fn missing(&self) -> Refusal {
        Refusal::not_found(self.resource.about(&self.name))
    }

    /// Who writes, and when.
    pub(crate) fn writer<'b>(&'b self, now: &'b str) -> Writer<'b> {
        let subresource = match self.subresource {
            Subresource::Status => "status",
            Subresource::Scale => "scale",
            Subresource::Finalize => "finalize",
            Subresource::None | Subresource::Token | Subresource::Unknown => "",
        };
        // What is written through the scale is written as another kind, which says nothing of when.
        let now = if self.subresource == Subresource::Scale { "" } else { now };
        Writer { manager: &self.manager, api_version: &self.api_version, subresource, now }
    }

    /// The part of the object that is written.
    pub(crate) fn part(&self) -> Part {
        match self.subresource {
            Subresource::Status => Part::Status,
            Subresource::Finalize => Part::Finalizers,
            _ => Part::Object,
        }
    }

    /// Refuses a body without a name.
    pub(crate) fn named(&self, body: &Json) -> Result<(), Refusal> {
        if !object::name(body).is_empty() {
            return Ok(());
        }
        let name = &self.name;
        Err(Refusal::bad_request(format!("the name of the object ({name} based on URL) was undeterminable: name must be provided")))
    }

    /// Makes a body say what the path says, or refuses one that says something else.
    pub(crate) fn agree(&self, body: &mut Json) -> Result<(), Refusal> {
        let expected = [(["apiVersion"], self.api_version.as_str(), "API version"), (["kind"], self.resource.kind.as_str(), "kind")];
        for (path, wanted, word) in expected {
            if let Some(given) = text(body, &path).filter(|given| *given != wanted) {
                return Err(Refusal::bad_request(format!(
                    "the {word} in the data ({given}) does not match the expected {word} ({wanted})"
                )));
            }
            set(body, &path, wanted);
        }
        for (field, wanted) in [("namespace", &self.namespace), ("name", &self.name)] {
            let given = text(body, &["metadata", field]).filter(|given| !given.is_empty());
            if let Some(given) = given.filter(|given| !wanted.is_empty() && given != wanted) {
                return Err(Refusal::bad_request(if field == "name" {
                    format!("the name of the object ({given}) does not match the name on the URL ({wanted})")
                } else {
                    "the namespace of the provided object does not match the namespace sent on the request".to_owned()
                }));
            }
            if !wanted.is_empty() {
                set(body, &["metadata", field], wanted.as_str());
            }
        }
        Ok(())
    }

    /// Takes out what the kind does not know, or refuses it.
    pub(crate) fn known(&self, body: &mut Json) -> Result<(), Refusal> {
        let unknown = admission::unknown_fields(self.resource, body).map_err(Refusal::bad_request)?;
        if self.unknown == Unknown::Drop || unknown.is_empty() {
            return Ok(());
        }
        let fields: Vec<_> = unknown.iter().map(|field| format!("unknown field {field:?}")).collect();
        let words = format!("strict decoding error: {}", fields.join(", "));
        Err(Refusal::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {words}",
            self.resource.kind, self.resource.version, self.resource.kind
        )))
    }
}

/// Stores a new object.
pub(crate) fn create(transaction: &mut Transaction<'_>, writing: &Writing<'_>, mut body: Json) -> Result<Answer, Refusal> {
    writing.agree(&mut body)?;
    if let Some(prefix) = text(&body, &["metadata", "generateName"]).map(str::to_owned)
        && object::name(&body).is_empty()
    {
        let suffix: String = object::fresh_uid().chars().take(5).collect();
        set(&mut body, &["metadata", "name"], format!("{prefix}{suffix}"));
    }
    let name = object::name(&body).to_owned();
    let key = writing.resource.key(&writing.namespace, &name);
    object::remove(&mut body, &["metadata", "managedFields"]);
    writing.known(&mut body)?;
    admission::prepare(transaction, writing.resource, &mut body)?;
    let mut owners = Owners::default();
    owners.created(&body, Shape::of(writing.resource), writing.writer(transaction.now()));
    owners.write(&mut body);
    admission::complete(transaction, writing.resource, &mut body)?;
    if let Some(live) = transaction.get(&key) {
        let refusal = Refusal::already_exists(writing.resource.about(&name));
        let held = if object::is_terminating(&live) { "object is being deleted: " } else { "" };
        return Err(Refusal { message: format!("{held}{}", refusal.message), ..refusal });
    }
    let stored = transaction.put(&key, body);
    Ok(Answer::Object(201, served(writing.resource, &stored)))
}

/// Stores an object in place of what is there.
pub(crate) fn replace(transaction: &mut Transaction<'_>, writing: &Writing<'_>, mut body: Json) -> Result<Answer, Refusal> {
    writing.named(&body)?;
    writing.agree(&mut body)?;
    writing.known(&mut body)?;
    let Some(live) = writing.live(transaction) else {
        return if is_made_by_replacing(writing.resource) { create(transaction, writing, body) } else { Err(writing.missing()) };
    };
    let version = text(&body, &["metadata", "resourceVersion"]).unwrap_or_default();
    if version.is_empty() && names_version(writing.resource) {
        let cause = ("metadata.resourceVersion".to_owned(), "Invalid value: 0: must be specified for an update".to_owned());
        return Err(Refusal::invalid(writing.resource.about(&writing.name), &[cause]));
    }
    update(transaction, writing, &live, body)
}

/// Whether what is not there is made by a replacement of it.
pub(crate) fn is_made_by_replacing(resource: &Resource) -> bool {
    const KINDS: &[&str] =
        &["ClusterRole", "ClusterRoleBinding", "Endpoints", "Event", "Lease", "LimitRange", "Role", "RoleBinding", "Service"];
    resource.schema.is_none() && KINDS.contains(&resource.kind.as_str())
}

/// Whether a replacement must say which version it replaces.
fn names_version(resource: &Resource) -> bool {
    const KINDS: &[&str] =
        &["CustomResourceDefinition", "Lease", "MutatingWebhookConfiguration", "PodDisruptionBudget", "ValidatingWebhookConfiguration"];
    resource.schema.is_some() || KINDS.contains(&resource.kind.as_str())
}

/// Stores a changed object: what a replacement and every patch but an apply come to.
pub(crate) fn update(transaction: &mut Transaction<'_>, writing: &Writing<'_>, live: &Json, mut object: Json) -> Result<Answer, Refusal> {
    check_identity(writing, live, &object)?;
    if writing.subresource == Subresource::Finalize {
        let finalizers = at(&object, &["spec", "finalizers"]).cloned().unwrap_or_else(|| json!([]));
        object = live.clone();
        set(&mut object, &["spec", "finalizers"], finalizers);
    }
    // Who owns what is the server's to say.
    Owners::of(live).write(&mut object);
    admission::prepare_update(writing.resource, live, &mut object, writing.part());
    let mut owners = Owners::of(live);
    // Where nobody owns anything, only an apply begins to keep account.
    if !owners.0.is_empty() {
        owners.updated(live, &object, Shape::of(writing.resource), writing.writer(transaction.now()));
        owners.write(&mut object);
    }
    admission::complete_update(transaction, writing.resource, live, &mut object, writing.part())?;
    Ok(Answer::Object(200, store(transaction, writing, live, object)))
}

/// Stores what an update came to: nothing if nothing changed, a removal if the last finalizer went.
pub(crate) fn store(transaction: &mut Transaction<'_>, writing: &Writing<'_>, live: &Json, object: Json) -> Json {
    let key = writing.key();
    let is_stored = || transaction.get(&key).is_none_or(|stored| admission::unread(writing.resource, &stored).is_empty());
    if object == *live && is_stored() {
        return served(writing.resource, live);
    }
    let is_done =
        object::is_terminating(&object) && object::items(&object, &["metadata", "finalizers"]).is_empty() && &*key.resource != "namespaces";
    if is_done {
        transaction.remove(&key);
        return served(writing.resource, &object);
    }
    served(writing.resource, &transaction.put(&key, object))
}

/// Refuses a body that means another object, or an older version of this one.
pub(crate) fn check_identity(writing: &Writing<'_>, live: &Json, body: &Json) -> Result<(), Refusal> {
    let about = writing.resource.about(&writing.name);
    if let Some(uid) = text(body, &["metadata", "uid"]).filter(|uid| !uid.is_empty() && *uid != object::uid(live)) {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", object::uid(live));
        return Err(Refusal::conflict(about, &why));
    }
    let version = text(body, &["metadata", "resourceVersion"]).filter(|version| !version.is_empty());
    if version.is_some_and(|version| Some(version) != text(live, &["metadata", "resourceVersion"])) {
        return Err(Refusal::conflict(
            about,
            "the object has been modified; please apply your changes to the latest version and try again",
        ));
    }
    Ok(())
}
