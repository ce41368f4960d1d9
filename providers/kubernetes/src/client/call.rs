//! Calls to one API server: verbs over names, JSON in and out.

use super::connect::one_line;
use crate::object_kind::{Json, ObjectName, Reader};
use engine::port::BoxFuture;
use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

/// What every request says of us.
const USER_AGENT: &str = concat!("meshplan/", env!("CARGO_PKG_VERSION"));
/// Objects per page of a list.
const PAGE: usize = 500;

/// One API server.
pub struct Cluster {
    client: Client,
    pub(super) served: Mutex<BTreeMap<String, Arc<super::discover::Kinds>>>,
    uid: OnceCell<String>,
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The object.
    pub(crate) body: Json,
}

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CallError {
    /// The HTTP status; nothing if no answer came.
    pub(crate) status: Option<u16>,
    /// The server's word for it, such as `AlreadyExists`.
    pub(crate) reason: String,
    /// The server's sentence, or what kept the call from it.
    pub(crate) message: String,
    /// Fields and what is wrong with each.
    pub(crate) causes: Vec<(String, String)>,
}

impl CallError {
    /// Whether it says nothing about the object: no answer, wrong credentials, a server that is not well.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self.status, None | Some(401 | 429 | 500..=599)) && !self.is_webhook()
    }

    /// Whether an admission webhook could not be asked.
    pub(crate) fn is_webhook(&self) -> bool {
        self.status == Some(500) && self.message.contains("failed calling webhook")
    }

    fn unreachable(message: String) -> Self {
        Self { message, ..Self::default() }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(401) => f.write_str("the API server does not accept the credentials (401)"),
            Some(status) => write!(f, "{} ({status})", self.message),
            None => f.write_str(&self.message),
        }
    }
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
        Self { client, served: Mutex::default(), uid: OnceCell::new() }
    }

    /// The uid of the namespace `kube-system`, which stands for the cluster, as it is now.
    pub(crate) async fn fresh_uid(&self) -> Result<String, CallError> {
        let reply = self.call(Method::GET, "/api/v1/namespaces/kube-system", None).await?;
        let uid = reply.body.pointer("/metadata/uid").and_then(Json::as_str);
        uid.map(str::to_owned).ok_or_else(|| CallError::unreachable("namespace `kube-system` has no uid".into()))
    }

    /// The uid, asked for once before the first effect.
    pub(crate) async fn uid(&self) -> Result<&str, CallError> {
        self.uid.get_or_try_init(|| self.fresh_uid()).await.map(String::as_str)
    }

    /// The server's version, such as `v1.34.1`.
    pub(crate) async fn version(&self) -> Result<String, CallError> {
        let reply = self.call(Method::GET, "/version", None).await?;
        Ok(reply.body.get("gitVersion").and_then(Json::as_str).unwrap_or_default().to_owned())
    }

    /// The object, or nothing if it is proven not to be there.
    pub(crate) async fn get(&self, name: &ObjectName) -> Result<Option<Json>, CallError> {
        let Some(path) = self.path(name).await? else { return Ok(None) };
        match self.call(Method::GET, &path, None).await {
            Ok(reply) => Ok(Some(reply.body)),
            Err(error) if error.status == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All objects of a kind in a namespace, or in all; empty if the server knows no such kind.
    pub(crate) async fn list(&self, api_version: &str, kind: &str, namespace: Option<&str>) -> Result<Vec<Json>, CallError> {
        let Some(served) = self.served(api_version, kind).await? else { return Ok(Vec::new()) };
        let path = served.collection(api_version, namespace);
        let mut found = Vec::new();
        let mut page = format!("{path}?limit={PAGE}");
        loop {
            let mut list = match self.call(Method::GET, &page, None).await {
                Ok(reply) => reply.body,
                // The rest of the list is too old to go on with: a consistent one starts again, unpaged.
                Err(error) if error.status == Some(410) && !found.is_empty() => {
                    found.clear();
                    self.call(Method::GET, &path, None).await?.body
                }
                Err(error) if error.status == Some(404) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            if let Some(Json::Array(items)) = list.get_mut("items").map(Json::take) {
                found.extend(items);
            }
            match list.pointer("/metadata/continue").and_then(Json::as_str).filter(|more| !more.is_empty()) {
                Some(more) => page = format!("{path}?limit={PAGE}&continue={}", encode(more)),
                None => return Ok(found),
            }
        }
    }

    /// Applies an object on the server's side.
    pub(crate) async fn apply(&self, name: &ObjectName, object: &Json, how: Apply<'_>) -> Result<Reply, CallError> {
        let Some(path) = self.path(name).await? else { return Err(self.unknown_kind(name)) };
        let mut path = format!("{path}?fieldManager={}&fieldValidation=Strict", encode(how.manager));
        if how.force {
            path.push_str("&force=true");
        }
        if how.dry_run {
            path.push_str("&dryRun=All");
        }
        self.call(Method::PATCH, &path, Some(object)).await
    }

    /// Starts the deletion of the object if it has this uid. Nothing is returned if there is none of that uid.
    pub(crate) async fn delete(&self, name: &ObjectName, uid: Option<&str>) -> Result<Option<Json>, CallError> {
        let Some(path) = self.path(name).await? else { return Ok(None) };
        let mut options = serde_json::json!({ "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background" });
        if let Some(uid) = uid {
            options["preconditions"] = serde_json::json!({ "uid": uid });
        }
        match self.call(Method::DELETE, &path, Some(&options)).await {
            Ok(reply) => Ok(Some(reply.body)),
            Err(error) if matches!(error.status, Some(404 | 409)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn path(&self, name: &ObjectName) -> Result<Option<String>, CallError> {
        let Some(served) = self.served(&name.api_version, &name.kind).await? else { return Ok(None) };
        let namespace = served.namespaced.then(|| name.namespace.as_deref().unwrap_or("default"));
        Ok(Some(format!("{}/{}", served.collection(&name.api_version, namespace), encode(&name.name))))
    }

    fn unknown_kind(&self, name: &ObjectName) -> CallError {
        self.forget_served(&name.api_version);
        let message = format!("the API server knows no kind `{}` of `{}`", name.kind, name.api_version);
        CallError { status: Some(404), reason: "NoKindMatch".into(), message, causes: Vec::new() }
    }

    /// One request. `path` has its query with it; a body of a PATCH is an apply.
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Reply, CallError> {
        let content = if method == Method::PATCH { "application/apply-patch+yaml" } else { "application/json" };
        let bytes = body.map(Json::to_string).unwrap_or_default().into_bytes();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::USER_AGENT, USER_AGENT)
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, content)
            .body(Body::from(bytes))
            .map_err(|error| CallError::unreachable(one_line(&error)))?;
        let response = self.client.send(request).await.map_err(|error| CallError::unreachable(one_line(&error)))?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect_bytes().await.map_err(|error| CallError::unreachable(one_line(&error)))?;
        let body: Option<Json> = serde_json::from_slice(&bytes).ok();
        match body {
            Some(body) if status < 400 => Ok(Reply { status, body }),
            Some(body) => Err(refusal(status, &body)),
            None if status < 400 => Err(CallError::unreachable("the answer is no JSON".into())),
            None => {
                Err(CallError { status: Some(status), message: String::from_utf8_lossy(&bytes).trim().to_owned(), ..CallError::default() })
            }
        }
    }
}

impl Reader for Cluster {
    fn read<'a>(&'a self, name: &'a ObjectName) -> BoxFuture<'a, Result<Option<Json>, String>> {
        Box::pin(async move { self.get(name).await.map_err(|error| error.to_string()) })
    }
}

fn refusal(status: u16, body: &Json) -> CallError {
    let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let causes = body.pointer("/details/causes").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    CallError {
        status: Some(status),
        reason: text(body, "reason"),
        message: text(body, "message"),
        causes: causes.iter().map(|cause| (text(cause, "field"), text(cause, "message"))).collect(),
    }
}

/// Text as one segment of a path or value of a query.
fn encode(text: &str) -> String {
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
    use serde_json::json;

    #[test]
    fn what_a_name_holds_stays_one_segment() {
        for (text, encoded) in
            [("cacerts", "cacerts"), ("meshplan/r-1", "meshplan%2Fr-1"), ("system:node", "system%3Anode"), ("é", "%C3%A9")]
        {
            assert_eq!(encode(text), encoded);
        }
    }

    #[test]
    fn a_refusal_says_what_the_server_says() {
        let body = json!({ "kind": "Status", "reason": "Conflict", "message": "Apply failed with 1 conflict",
            "details": { "causes": [{ "reason": "FieldManagerConflict", "message": "conflict with \"hpa\"", "field": ".spec.replicas" }] } });
        let error = refusal(409, &body);
        assert_eq!(error.causes, [(".spec.replicas".to_owned(), "conflict with \"hpa\"".to_owned())]);
        assert_eq!(error.to_string(), "Apply failed with 1 conflict (409)");
    }

    #[test]
    fn only_some_errors_leave_the_world_unknown() {
        let error = |status, message: &str| CallError { status, message: message.into(), ..CallError::default() };
        for (status, message, unreachable) in [
            (None, "connection refused", true),
            (Some(401), "", true),
            (Some(503), "", true),
            (Some(403), "", false),
            (Some(404), "", false),
            (Some(500), "Internal error occurred: failed calling webhook \"v.istio.io\"", false),
        ] {
            assert_eq!(error(status, message).is_unreachable(), unreachable, "{status:?}");
        }
    }
}
