//! Calls to one API server: verbs over names, JSON in and out.

use super::connect::Requests;
use super::discover::Discovery;
use super::error::CallError;
use super::pace::Pace;
use super::send::{Call, Repeat, Reply};
use crate::object_kind::{Json, ObjectName, Reader};
use engine::port::BoxFuture;
use http::Method;
use kube::Client;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{OnceCell, Semaphore};

/// One API server.
pub struct Cluster {
    pub(super) client: Client,
    pub(super) pace: Pace,
    pub(super) gate: Semaphore,
    pub(super) discovery: Discovery,
    pub(super) heard: AtomicBool,
    runs_pods: bool,
    uid: OnceCell<String>,
}

/// How an apply is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Apply<'a> {
    /// The field manager.
    pub(crate) manager: &'a str,
    /// Whether fields of other managers are taken over.
    pub(crate) force: bool,
    /// Whether the server only says what it would do.
    pub(crate) dry_run: bool,
}

impl Cluster {
    /// The API server that this client reaches.
    pub fn new(client: Client) -> Self {
        Self::paced(client, Pace::USUAL)
    }

    /// The same at another pace.
    pub(crate) fn paced(client: Client, pace: Pace) -> Self {
        Self::asked(client, pace, Requests::USUAL.at_once)
    }

    /// The same with so many requests at a time.
    pub(crate) fn asked(client: Client, pace: Pace, at_once: usize) -> Self {
        Self {
            client,
            pace,
            gate: Semaphore::new(at_once),
            discovery: Discovery::default(),
            heard: AtomicBool::new(false),
            runs_pods: true,
            uid: OnceCell::new(),
        }
    }

    /// The same where pods are objects and nothing else.
    pub(crate) fn without_pods(self) -> Self {
        Self { runs_pods: false, ..self }
    }

    /// Whether pods run there, once they have a node.
    pub fn runs_pods(&self) -> bool {
        self.runs_pods
    }

    /// Whether it answered anything in this run.
    pub(crate) fn was_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    /// The uid of the namespace `kube-system`, which stands for the cluster, as it is now.
    pub(crate) async fn fresh_uid(&self) -> Result<String, CallError> {
        let reply = self.call(Call::get("/api/v1/namespaces/kube-system")).await?;
        let uid = reply.body.pointer("/metadata/uid").and_then(Json::as_str);
        uid.map(str::to_owned).ok_or_else(|| CallError::unanswered("namespace `kube-system` has no uid"))
    }

    /// The uid, asked for once before the first effect.
    pub(crate) async fn uid(&self) -> Result<&str, CallError> {
        self.uid.get_or_try_init(|| self.fresh_uid()).await.map(String::as_str)
    }

    /// The server's version, such as `v1.34.1`.
    pub(crate) async fn version(&self) -> Result<String, CallError> {
        let reply = self.call(Call::get("/version")).await?;
        Ok(reply.body.get("gitVersion").and_then(Json::as_str).unwrap_or_default().to_owned())
    }

    /// The object, or nothing if it is proven not to be there.
    pub(crate) async fn get(&self, name: &ObjectName) -> Result<Option<Json>, CallError> {
        let Some(path) = self.path(name).await? else { return Ok(None) };
        match self.call(Call::get(&path)).await {
            Ok(reply) => Ok(Some(reply.body)),
            Err(error) if error.status == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Applies an object on the server's side.
    ///
    /// An apply that names the object's uid, and a dry run, may be sent again if its answer was lost. One that may create is not: whether it did
    /// shows in its status, 201 or 200, and only of its first try. An error without a status then leaves the caller to look.
    pub(crate) async fn apply(&self, name: &ObjectName, object: &Json, how: Apply<'_>) -> Result<Reply, CallError> {
        let Some(path) = self.path(name).await? else { return Err(unknown_kind(name)) };
        let mut path = format!("{path}?fieldManager={}&fieldValidation=Strict", encode(how.manager));
        if how.force {
            path.push_str("&force=true");
        }
        if how.dry_run {
            path.push_str("&dryRun=All");
        }
        let named = object.pointer("/metadata/uid").is_some();
        let repeat = if named || how.dry_run { Repeat::Always } else { Repeat::IfUntouched };
        self.call(Call { method: &Method::PATCH, body: Some(object), repeat, ..Call::get(&path) }).await
    }

    /// Starts the deletion of the object if it has this uid. Nothing is returned if there is none of that uid.
    pub(crate) async fn delete(&self, name: &ObjectName, uid: Option<&str>) -> Result<Option<Json>, CallError> {
        let Some(path) = self.path(name).await? else { return Ok(None) };
        let mut options = serde_json::json!({ "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background" });
        if let Some(uid) = uid {
            options["preconditions"] = serde_json::json!({ "uid": uid });
        }
        // Without the uid a second try might meet an object that came after.
        let repeat = if uid.is_some() { Repeat::Always } else { Repeat::IfUntouched };
        match self.call(Call { method: &Method::DELETE, body: Some(&options), repeat, ..Call::get(&path) }).await {
            Ok(reply) => Ok(Some(reply.body)),
            Err(error) if error.status == Some(404) => Ok(None),
            Err(error) if error.status == Some(409) => self.deleting(name, uid).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// What a delete met that was refused as a conflict: nothing of that uid, one that is on its way out already, or one that stays.
    async fn deleting(&self, name: &ObjectName, uid: Option<&str>) -> Result<Option<Option<Json>>, CallError> {
        let live = self.get(name).await?.filter(|live| uid.is_none() || live.pointer("/metadata/uid").and_then(Json::as_str) == uid);
        Ok(match live {
            None => Some(None),
            Some(live) if live.pointer("/metadata/deletionTimestamp").is_some() => Some(Some(live)),
            Some(_) => None,
        })
    }

    /// The path of the collection that holds an object; nothing if the server knows no such kind.
    pub(super) async fn collection(&self, name: &ObjectName) -> Result<Option<String>, CallError> {
        let Some(served) = self.served(&name.api_version, &name.kind).await? else { return Ok(None) };
        let namespace = served.namespaced.then(|| name.namespace.as_deref().unwrap_or("default"));
        Ok(Some(served.collection(&name.api_version, namespace)))
    }

    pub(super) async fn path(&self, name: &ObjectName) -> Result<Option<String>, CallError> {
        Ok(self.collection(name).await?.map(|collection| format!("{collection}/{}", encode(&name.name))))
    }
}

pub(super) fn unknown_kind(name: &ObjectName) -> CallError {
    let message = format!("the API server knows no kind `{}` of `{}`", name.kind, name.api_version);
    CallError { status: Some(404), reason: "NoKindMatch".into(), message, ..CallError::default() }
}

impl Reader for Cluster {
    fn read<'a>(&'a self, name: &'a ObjectName) -> BoxFuture<'a, Result<Option<Json>, String>> {
        Box::pin(async move { self.get(name).await.map_err(|error| error.to_string()) })
    }
}

/// Text as one segment of a path or value of a query.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&engine::value::hex(&[byte]).to_uppercase());
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_holds_stays_one_segment() {
        for (text, encoded) in
            [("cacerts", "cacerts"), ("meshplan/r-1", "meshplan%2Fr-1"), ("system:node", "system%3Anode"), ("é", "%C3%A9")]
        {
            assert_eq!(encode(text), encoded);
        }
    }
}
