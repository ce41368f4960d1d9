//! Admission webhooks that do as they are told.

use super::ApiServer;
use super::authority::Authority;
use super::loopback::{Answering, Body, Cut, Loopback, whole};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The label of what asks whether the server knows of the webhook.
const MARKER: &str = "meshplan.test/marker";

/// The path of what it is registered for.
const OBJECT: &str = "/object";
/// The path of what tells that, and after the registration was changed.
const FIRST: &str = "/marker";
const AGAIN: &str = "/again";

/// What a webhook does with what it is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// Lets it pass.
    Allow,
    /// Refuses it with 403 and this message.
    Reject(String),
    /// Refuses it so if it is a dry run, and lets it pass otherwise.
    RejectDryRuns(String),
    /// Lets it pass with a warning.
    Warn(String),
    /// Changes it by a JSON patch (which only mutating webhooks may).
    Patch(Value),
    /// Lets it pass after so long.
    Slow(Duration),
    /// Answers 500.
    Break,
}

/// Whether a webhook may change what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It may.
    Mutating,
    /// It may not.
    Validating,
}

/// What a webhook is called for.
#[derive(Debug, Clone)]
pub struct Registration<'a> {
    /// Mutating or validating.
    pub phase: Phase,
    /// The one namespace whose objects it is called for.
    pub namespace: &'a str,
    /// The API group.
    pub group: &'a str,
    /// The resource, such as `configmaps`.
    pub resource: &'a str,
    /// `None` or `NoneOnDryRun`; either way it is called for dry runs as well. The server itself refuses dry runs where it is `Some`, which
    /// `admissionregistration.k8s.io/v1` does not allow any more: such a webhook can only have been left by an old server, and is written
    /// into the store.
    pub side_effects: &'a str,
    /// What becomes of an object when the webhook does not answer: `Fail` or `Ignore`.
    pub failure_policy: &'a str,
}

impl<'a> Registration<'a> {
    /// A validating webhook for a resource of the core group, without side effects, that must answer.
    pub fn validating(namespace: &'a str, resource: &'a str) -> Self {
        Self { phase: Phase::Validating, namespace, group: "", resource, side_effects: "None", failure_policy: "Fail" }
    }

    /// A mutating one.
    pub fn mutating(namespace: &'a str, resource: &'a str) -> Self {
        Self { phase: Phase::Mutating, ..Self::validating(namespace, resource) }
    }
}

struct Told {
    behaviour: Behaviour,
    reviews: Vec<Value>,
    marked: bool,
    /// The path that counts as marked.
    marker: &'static str,
}

/// A webhook that is registered in a cluster, until it is dropped.
pub struct Webhook<'a> {
    cluster: &'a ApiServer,
    path: String,
    told: Arc<Mutex<Told>>,
    loopback: Option<Loopback>,
}

impl<'a> Webhook<'a> {
    /// Serves a webhook, registers it, and waits until the server calls it.
    pub fn start(cluster: &'a ApiServer, registration: &Registration<'_>, behaviour: Behaviour) -> Self {
        let told = Arc::new(Mutex::new(Told { behaviour, reviews: Vec::new(), marked: false, marker: FIRST }));
        let authority = Authority::new("webhook authority");
        let shared = told.clone();
        let answering: Answering = Arc::new(move |request| Box::pin(answer(request, shared.clone())));
        let loopback = Loopback::serve(&authority.server(&[]), answering);
        let name = cluster.name("webhook");
        let left = registration.side_effects == "Some";
        let registered = Registration { side_effects: if left { "None" } else { registration.side_effects }, ..registration.clone() };
        let configuration = configuration(&name, &registered, &format!("https://{}", loopback.address()), authority.certificate());
        let resource = configuration["kind"].as_str().unwrap().to_lowercase() + "s";
        let collection = format!("/apis/admissionregistration.k8s.io/v1/{resource}");
        cluster.api().make(&collection, &configuration);
        let webhook = Self { cluster, path: format!("{collection}/{name}"), told, loopback: Some(loopback) };
        webhook.wait_until_called(registration.namespace);
        if left {
            webhook.leave(&format!("/registry/{resource}/{name}"));
            webhook.wait_until_called(registration.namespace);
        }
        webhook
    }

    /// Changes what it does.
    pub fn behave(&self, behaviour: Behaviour) {
        self.told.lock().unwrap().behaviour = behaviour;
    }

    /// What it was asked: the `request` of each review.
    pub fn reviews(&self) -> Vec<Value> {
        self.told.lock().unwrap().reviews.clone()
    }

    /// Answers no more; it stays registered.
    pub fn go_down(&mut self) {
        self.loopback = None;
    }

    /// Makes it one with side effects, and its marker one that tells when the server has learned of that.
    fn leave(&self, key: &str) {
        let mut stored = self.cluster.api().get(&self.path).unwrap();
        stored["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        stored["webhooks"][0]["sideEffects"] = json!("Some");
        let marker = stored["webhooks"][1]["clientConfig"]["url"].as_str().unwrap().replace(FIRST, AGAIN);
        stored["webhooks"][1]["clientConfig"]["url"] = json!(marker);
        let told = &mut *self.told.lock().unwrap();
        (told.marked, told.marker) = (false, AGAIN);
        self.cluster.store(key, &stored.to_string());
    }

    /// The server learns of webhooks when it pleases. A second entry of the same registration tells when it has.
    fn wait_until_called(&self, namespace: &str) {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps?dryRun=All");
        let marker = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "marker", "labels": { MARKER: "true" } } });
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.told.lock().unwrap().marked {
            assert!(Instant::now() < deadline, "the server does not call the webhook");
            self.cluster.api().call("POST", &path, Some(&marker));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Webhook<'_> {
    fn drop(&mut self) {
        // The cluster may be gone already.
        drop(self.cluster.api().try_send("DELETE", &self.path, "application/json", String::new()));
    }
}

fn configuration(name: &str, registration: &Registration<'_>, url: &str, authority: &str) -> Value {
    let Registration { phase, namespace, group, resource, side_effects, failure_policy } = registration;
    let entry = |name: &str, path: &str, group: &str, resource: &str, selector: Value| {
        json!({
            "name": format!("{name}.meshplan.test"), "admissionReviewVersions": ["v1"], "timeoutSeconds": 5,
            "clientConfig": { "url": format!("{url}{path}"), "caBundle": BASE64_STANDARD.encode(authority) },
            "rules": [{ "apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE", "DELETE"], "resources": [resource] }],
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } }, "objectSelector": selector,
        })
    };
    let mut object =
        entry("object", OBJECT, group, resource, json!({ "matchExpressions": [{ "key": MARKER, "operator": "DoesNotExist" }] }));
    (object["sideEffects"], object["failurePolicy"]) = (json!(side_effects), json!(failure_policy));
    let mut marker = entry("marker", FIRST, "", "configmaps", json!({ "matchLabels": { MARKER: "true" } }));
    (marker["sideEffects"], marker["failurePolicy"]) = (json!("None"), json!("Ignore"));
    let kind = match phase {
        Phase::Mutating => "MutatingWebhookConfiguration",
        Phase::Validating => "ValidatingWebhookConfiguration",
    };
    json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": name }, "webhooks": [object, marker] })
}

async fn answer(request: Request<Incoming>, told: Arc<Mutex<Told>>) -> Result<Response<Body>, Cut> {
    let asked_at = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map_err(|_| Cut)?.to_bytes();
    let review: Value = serde_json::from_slice(&body).map_err(|_| Cut)?;
    let behaviour = {
        let mut told = told.lock().unwrap();
        if asked_at == OBJECT {
            told.reviews.push(review["request"].clone());
            told.behaviour.clone()
        } else {
            told.marked |= asked_at == told.marker;
            Behaviour::Allow
        }
    };
    let mut answer = json!({ "uid": review["request"]["uid"], "allowed": true });
    match behaviour {
        Behaviour::Allow => {}
        Behaviour::RejectDryRuns(_) if review["request"]["dryRun"] != true => {}
        Behaviour::Reject(why) | Behaviour::RejectDryRuns(why) => {
            answer["allowed"] = json!(false);
            answer["status"] = json!({ "code": 403, "message": why });
        }
        Behaviour::Warn(what) => answer["warnings"] = json!([what]),
        Behaviour::Patch(patch) => {
            answer["patchType"] = json!("JSONPatch");
            answer["patch"] = json!(BASE64_STANDARD.encode(patch.to_string()));
        }
        Behaviour::Slow(time) => tokio::time::sleep(time).await,
        Behaviour::Break => {
            let mut broken = Response::new(whole(String::new()));
            *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            return Ok(broken);
        }
    }
    let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer });
    Ok(Response::builder().header("content-type", "application/json").body(whole(review.to_string())).unwrap())
}
