//! A small API server for this crate's own tests: names, uids, lists, deletion, and just enough server-side apply.

use crate::client::{Cluster, Connector, Pace};
use crate::object_kind::Json;
use engine::port::{BoxFuture, Connected};
use engine::value::Value;
use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// As many tries as ever, without the pauses.
pub(crate) const QUICK: Pace = Pace { first_pause: Duration::from_millis(4), longest_pause: Duration::from_millis(32), ..Pace::USUAL };

/// What the server holds and what it was asked.
#[derive(Default)]
pub(crate) struct World {
    /// By path.
    pub(crate) objects: BTreeMap<String, Json>,
    /// `METHOD path?query`, as they came.
    pub(crate) asked: Vec<String>,
    /// Requests (`METHOD path-prefix`) that are refused, and with what status.
    pub(crate) refuse: BTreeMap<String, u16>,
    /// The status that objects have from the moment they are made in a collection.
    pub(crate) made_with: Json,
    uids: u64,
}

/// The server, and a connector that leads to it.
#[derive(Clone, Default)]
pub(crate) struct Fake(pub(crate) Arc<Mutex<World>>);

impl Fake {
    pub(crate) fn place(uid: Option<&str>) -> Connected {
        let connection = Value::object([("type", Value::string("fake"))]).sensitive();
        Connected { address: engine::address::Address::managed("fake_cluster", "c"), connection, uid: uid.map(Into::into) }
    }

    /// With a namespace `kube-system`.
    pub(crate) fn new() -> Self {
        let fake = Self::default();
        fake.put("/version", json!({ "gitVersion": "v1.34.1" }));
        fake.put(
            "/api/v1/namespaces/kube-system",
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "kube-system", "uid": "cluster-1" } }),
        );
        fake
    }

    pub(crate) fn put(&self, path: &str, object: Json) {
        self.0.lock().unwrap().objects.insert(path.to_owned(), object);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Json> {
        self.0.lock().unwrap().objects.get(path).cloned()
    }

    pub(crate) fn refuse(&self, what: &str, status: u16) {
        self.0.lock().unwrap().refuse.insert(what.to_owned(), status);
    }

    /// A client of it.
    fn client(&self) -> Client {
        let world = self.0.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let world = world.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body: Json = serde_json::from_slice(&body.collect_bytes().await?).unwrap_or_default();
                let (status, answer) = world.lock().unwrap().answer(&parts.method, &parts.uri, &body);
                let response = Response::builder().status(status).body(Body::from(answer.to_string().into_bytes()));
                Ok::<_, tower::BoxError>(response?)
            }
        });
        Client::new(service, "default")
    }

    /// The cluster that it is.
    pub(crate) fn cluster(&self) -> Cluster {
        Cluster::paced(self.client(), QUICK)
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

impl Connector for Fake {
    fn connect<'a>(&'a self, connection: &'a Value) -> BoxFuture<'a, Option<Result<Client, String>>> {
        let client = self.client();
        let known = matches!(connection.text("type"), Some("fake" | "kubeconfig"));
        Box::pin(async move { known.then(|| Ok(client)) })
    }
}

fn failure(status: u16, reason: &str, causes: &Json) -> (u16, Json) {
    (status, json!({ "kind": "Status", "reason": reason, "message": reason, "details": { "causes": causes } }))
}

impl World {
    fn answer(&mut self, method: &Method, uri: &http::Uri, body: &Json) -> (u16, Json) {
        let path = uri.path().to_owned();
        self.asked.push(format!("{method} {uri}"));
        let asked = format!("{method} {path}");
        if let Some((_, status)) = self.refuse.iter().find(|(what, _)| asked == **what) {
            return failure(*status, "Refused", &json!([]));
        }
        let last = path.rsplit('/').next().unwrap_or_default();
        let collection =
            last.ends_with('s') && !self.objects.contains_key(&path) && *method == Method::GET && !path.ends_with("/kube-system");
        if collection {
            return self.list(&path);
        }
        match *method {
            Method::GET => self.objects.get(&path).map_or_else(|| failure(404, "NotFound", &json!([])), |object| (200, object.clone())),
            Method::DELETE => self.delete(&path, body),
            Method::POST => self.create(&path, body),
            Method::PATCH => {
                let query = uri.query().unwrap_or_default();
                let manager = query.split('&').find_map(|part| part.strip_prefix("fieldManager=")).unwrap_or_default().replace("%2F", "/");
                self.apply(&path, body, &manager, query)
            }
            _ => failure(405, "MethodNotAllowed", &json!([])),
        }
    }

    /// Two pages, so that paging is seen. No version to watch from: what is waited for here is read again.
    fn list(&mut self, path: &str) -> (u16, Json) {
        let (root, plural) = path.rsplit_once('/').unwrap_or_default();
        let within = |key: &str| {
            let rest = key.strip_prefix(root)?;
            let steps: Vec<_> = rest.trim_start_matches('/').split('/').collect();
            (steps.len() >= 2 && steps[steps.len() - 2] == plural).then_some(())
        };
        let last = self.asked.last().cloned().unwrap_or_default();
        let name = last.split_once("fieldSelector=metadata.name%3D").map(|(_, name)| format!("/{name}"));
        let wanted = |key: &str| within(key).is_some() && name.as_ref().is_none_or(|name| key.ends_with(name));
        let items: Vec<_> = self.objects.iter().filter(|(key, _)| wanted(key)).map(|(_, object)| object.clone()).collect();
        let half = items.len() / 2;
        if items.len() > 1 && !last.contains("continue=") {
            return (200, json!({ "items": items[..half], "metadata": { "continue": "more/of it" } }));
        }
        let from = if last.contains("continue=") { half } else { 0 };
        (200, json!({ "items": items[from..], "metadata": {} }))
    }

    fn create(&mut self, collection: &str, body: &Json) -> (u16, Json) {
        let mut object = body.clone();
        object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
        object["status"] = self.made_with.clone();
        let name = body.pointer("/metadata/name").and_then(Json::as_str).unwrap_or_default();
        self.objects.insert(format!("{collection}/{name}"), object.clone());
        (201, object)
    }

    fn delete(&mut self, path: &str, options: &Json) -> (u16, Json) {
        let Some(object) = self.objects.get_mut(path) else { return failure(404, "NotFound", &json!([])) };
        if options.pointer("/preconditions/uid") != object.pointer("/metadata/uid") {
            return failure(409, "Conflict", &json!([]));
        }
        if object.pointer("/metadata/finalizers").is_some() {
            object["metadata"]["deletionTimestamp"] = "now".into();
            return (200, object.clone());
        }
        self.objects.remove(path);
        (200, json!({ "kind": "Status", "status": "Success" }))
    }

    fn apply(&mut self, path: &str, body: &Json, manager: &str, query: &str) -> (u16, Json) {
        let there = self.objects.get(path).cloned();
        let uid = body.pointer("/metadata/uid");
        if uid.is_some() && there.as_ref().map(|there| there.pointer("/metadata/uid")) != Some(uid) {
            return failure(if there.is_some() { 422 } else { 409 }, "Conflict", &json!([]));
        }
        let created = there.is_none();
        let mut object = there.unwrap_or_else(|| json!({ "metadata": { "managedFields": [] } }));
        let fields = leaves(body);
        let mut owners = owners(&object);
        let others: Vec<_> = owners.iter().filter(|(name, _)| *name != manager).collect();
        let disputed = |path: &&Vec<String>| {
            others.iter().find(|(_, theirs)| theirs.contains(*path) && at(&object, path) != at(body, path)).map(|(name, _)| (*name).clone())
        };
        let causes: Vec<_> = fields.iter().filter_map(|path| Some((path, disputed(&path)?))).collect();
        if !causes.is_empty() && !query.contains("force=true") {
            let causes = causes.iter().map(|(path, name)| json!({ "field": format!(".{}", path.join(".")), "message": format!("conflict with \"{name}\" using v1 at T") }));
            return failure(409, "Conflict", &causes.collect());
        }
        let taken: Vec<_> = causes.into_iter().map(|(path, name)| (path.clone(), name)).collect();
        for (path, name) in taken {
            owners.get_mut(&name).unwrap().retain(|theirs| *theirs != path);
        }
        let before = owners.insert(manager.to_owned(), fields.clone()).unwrap_or_default();
        for path in before.iter().filter(|path| !owners.values().any(|owned| owned.contains(path))) {
            remove(&mut object, path);
        }
        for path in &fields {
            set(&mut object, path, at(body, path).cloned().unwrap());
        }
        if created {
            self.uids += 1;
            object["metadata"]["uid"] = format!("uid-{}", self.uids).into();
        }
        for key in ["apiVersion", "kind"] {
            object[key] = body[key].clone();
        }
        for key in ["name", "namespace"] {
            if let Some(value) = body["metadata"].get(key) {
                object["metadata"][key] = value.clone();
            }
        }
        object["metadata"]["managedFields"] = owners
            .iter()
            .filter(|(_, fields)| !fields.is_empty())
            .map(|(name, fields)| {
                let mut tree = json!({});
                for path in fields {
                    set(&mut tree, &path.iter().map(|step| format!("f:{step}")).collect::<Vec<_>>(), json!({}));
                }
                let operation = if name.starts_with("meshplan/") { "Apply" } else { "Update" };
                json!({ "manager": name, "operation": operation, "time": "T", "fieldsV1": tree })
            })
            .collect();
        if !query.contains("dryRun") {
            self.objects.insert(path.to_owned(), object.clone());
        }
        (if created { 201 } else { 200 }, object)
    }
}

/// Marks fields of an object as a manager's.
pub(crate) fn managed(mut object: Json, manager: &str, fields: &Json) -> Json {
    object["metadata"]["managedFields"] = json!([{ "manager": manager, "operation": "Update", "time": "T", "fieldsV1": fields }]);
    object
}

fn owners(object: &Json) -> BTreeMap<String, Vec<Vec<String>>> {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let strip = |path: Vec<String>| path.into_iter().map(|step| step.trim_start_matches("f:").to_owned()).collect::<Vec<_>>();
    entries
        .iter()
        .map(|entry| {
            let mut found = Vec::new();
            walk(&entry["fieldsV1"], &mut Vec::new(), &mut found);
            (entry["manager"].as_str().unwrap().to_owned(), found.into_iter().map(strip).collect())
        })
        .collect()
}

fn leaves(body: &Json) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    walk(body, &mut Vec::new(), &mut found);
    let named = |path: &Vec<String>| {
        matches!(
            path.iter().map(String::as_str).collect::<Vec<_>>()[..],
            ["apiVersion" | "kind"] | ["metadata", "name" | "namespace" | "uid"]
        )
    };
    found.retain(|path| !named(path) && !path.is_empty());
    found
}

fn walk(value: &Json, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value.as_object().filter(|entries| !entries.is_empty()) {
        Some(entries) => {
            for (key, value) in entries {
                path.push(key.clone());
                walk(value, path, found);
                path.pop();
            }
        }
        None => found.push(path.clone()),
    }
}

fn at<'a>(value: &'a Json, path: &[String]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, step| value.get(step))
}

fn set(value: &mut Json, path: &[String], leaf: Json) {
    let (step, rest) = path.split_first().unwrap();
    if !value.is_object() {
        *value = json!({});
    }
    let next = value.as_object_mut().unwrap().entry(step.clone()).or_insert(json!({}));
    if rest.is_empty() { *next = leaf } else { set(next, rest, leaf) }
}

fn remove(value: &mut Json, path: &[String]) {
    let (step, rest) = path.split_first().unwrap();
    match value.get_mut(step) {
        Some(next) if !rest.is_empty() => remove(next, rest),
        _ => {
            value.as_object_mut().map(|entries| entries.remove(step));
        }
    }
}
