//! The API server: a request in, a response out.

mod call;
mod delete;
mod discovery;
mod openapi;
mod patch;
mod protobuf;
mod read;
mod reviews;
mod route;
mod scale;
mod selector;
mod table;
mod watch;
mod write;

pub(crate) use call::Prefix;
pub(crate) use delete::{CLEANUP, FOREGROUND, ORPHAN, remove};
pub use read::Made;
pub(crate) use read::audit;

use crate::controllers;
use crate::object::{Json, items, remove as remove_field, set, text};
use crate::refusal::Refusal;
use crate::resource::Resource;
use crate::store::{Store, Transaction, World};
use axum::body::{Body, HttpBody};
use call::Call;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use route::{Subresource, Target, route};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use write::Writing;

/// Longest body that is taken: what etcd takes by default, and the object around it.
const LONGEST: usize = 3 * 1024 * 1024;

/// The API of one cluster, as a service of requests.
#[derive(Clone)]
pub(crate) struct Api {
    store: Arc<Store>,
}

/// What a call comes to.
pub(crate) enum Answer {
    /// A status and an object.
    Object(u16, Json),
    /// As before, under this content type.
    Typed(&'static str, Json),
    /// Plain text.
    Text(&'static str),
    /// Events as they come.
    Watch(Box<watch::Watching>),
}

impl Api {
    /// The API of the cluster in this store.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Answers one request.
    pub(crate) async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data: Send> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let body = match http_body_util::Limited::new(body, LONGEST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return render_refusal(&Refusal::bad_request(format!("the body could not be read: {error}"))),
        };
        let call = Call::new(&parts, body);
        let store = self.store.clone();
        // The store waits for the disk.
        let answered = tokio::task::spawn_blocking(move || handle(&store, &call)).await;
        match answered {
            Ok(Ok(answer)) => self.render(answer),
            Ok(Err(refusal)) => render_refusal(&refusal),
            Err(_) => render_refusal(&Refusal::unavailable("the call was given up")),
        }
    }

    fn render(&self, answer: Answer) -> Response<Body> {
        match answer {
            Answer::Object(status, object) => respond(status, "application/json", Body::from(object.to_string())),
            Answer::Typed(content, object) => respond(200, content, Body::from(object.to_string())),
            Answer::Text(text) => respond(200, "text/plain; charset=utf-8", Body::from(text)),
            Answer::Watch(watching) => respond(200, "application/json", Body::from_stream(watching.stream(self.store.clone()))),
        }
    }
}

impl<B> tower::Service<Request<B>> for Api
where
    B: HttpBody<Data: Send> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = engine::port::BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let api = self.clone();
        Box::pin(async move { Ok(api.answer(request).await) })
    }
}

fn respond(status: u16, content: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    if let Ok(content) = http::HeaderValue::from_str(content) {
        response.headers_mut().insert(CONTENT_TYPE, content);
    }
    response
}

/// The response to a request that is refused.
pub(crate) fn render_refusal(refusal: &Refusal) -> Response<Body> {
    if refusal.is_page() {
        return respond(refusal.code, "text/plain; charset=utf-8", Body::from(refusal.message.clone()));
    }
    respond(refusal.code, "application/json", Body::from(refusal.status().to_string()))
}

fn handle(store: &Store, call: &Call) -> Result<Answer, Refusal> {
    match route(&call.segments)? {
        Target::Health => Ok(Answer::Text("ok")),
        Target::Version => Ok(Answer::Object(200, store.read(discovery::version)?)),
        Target::OpenApi(rest) => store.read(|world| openapi::answer(world, &rest, call))?,
        Target::Audit => Ok(Answer::Object(200, store.read(|world| serde_json::json!({ "made": read::audit(world) }))?)),
        Target::Discovery(place) => store.read(|world| discovery::answer(world, &place, call))?,
        Target::Review(kind) if call.method == Method::POST => store.read(|world| reviews::answer(world, kind, call))?,
        Target::Review(_) => Err(Refusal::method()),
        Target::Objects(place) => {
            let resource = store.read(|world| served(world, &place))??;
            match (&call.method, place.name.is_empty()) {
                (&Method::GET, true) if call.flag("watch") => {
                    let watching = watch::Watching::new(resource, &place, call)?;
                    Ok(Answer::Watch(Box::new(watching)))
                }
                (&Method::GET, true) => store.read(|world| read::list(world, &resource, &place, call))?,
                (&Method::GET, false) => store.read(|world| read::get(world, &resource, &place, call))?,
                _ => change(store, &resource, &place, call),
            }
        }
    }
}

/// The kind of a place.
fn served(world: &World, place: &route::Place) -> Result<Arc<Resource>, Refusal> {
    let resource = world.resource(&place.group, &place.version, &place.plural);
    let resource = resource.ok_or_else(|| discovery::missing(world, &place.group, &place.version))?;
    let is_there = match place.subresource {
        Subresource::None => true,
        Subresource::Status => resource.status,
        Subresource::Scale => resource.scale.is_some(),
        Subresource::Finalize => resource.kind == "Namespace" && resource.group.is_empty(),
        Subresource::Token => resource.kind == "ServiceAccount" && resource.group.is_empty(),
        Subresource::Unknown => false,
    };
    match resource.schema {
        _ if is_there => Ok(resource),
        Some(_) => Err(Refusal::not_found(resource.about(&place.name))),
        None => Err(Refusal::no_such_path()),
    }
}

fn change(store: &Store, resource: &Arc<Resource>, place: &route::Place, call: &Call) -> Result<Answer, Refusal> {
    let writing = Writing::new(resource, place, call)?;
    let perform = |transaction: &mut Transaction<'_>| {
        let collection = place.name.is_empty();
        match (&call.method, collection, place.subresource) {
            (&Method::POST, true, Subresource::None) => write::create(transaction, &writing, call.object()?),
            (&Method::POST, false, Subresource::Token) => reviews::token(transaction, &writing, call.object()?),
            (&Method::PUT | &Method::PATCH, false, Subresource::Scale) => scale::scale(transaction, &writing, call),
            (&Method::PUT, false, _) => write::replace(transaction, &writing, call.object()?),
            (&Method::PATCH, false, _) => patch::patch(transaction, &writing, call),
            (&Method::DELETE, false, Subresource::None) => delete::one(transaction, &writing, call),
            (&Method::DELETE, true, Subresource::None) => delete::collection(transaction, &writing, place, call),
            (&Method::POST, false, _) if resource.schema.is_some() => Err(Refusal::verb(resource.about(""), "create")),
            _ => Err(Refusal::method()),
        }
    };
    match dry_run(call)?.as_deref() {
        Some("All") => store.rehearse(|transaction| {
            let live = writing.live(transaction);
            perform(transaction).map(|answer| as_rehearsed(answer, live.as_deref()))
        }),
        Some(other) if !other.is_empty() => {
            Err(Refusal::options(options(&call.method), "dryRun", &format!("Unsupported value: [{other:?}]: supported values: \"All\"")))
        }
        _ => store.write(|transaction| {
            let answer = perform(transaction)?;
            controllers::run(transaction);
            Ok(answer)
        }),
    }
}

/// What is to be done for show. The body of a deletion, if there is one, says all of it.
fn dry_run(call: &Call) -> Result<Option<String>, Refusal> {
    if call.method != Method::DELETE || call.body().is_empty() {
        return Ok(call.query("dryRun").map(str::to_owned));
    }
    Ok(items(&call.json()?, &["dryRun"]).first().and_then(Json::as_str).map(str::to_owned))
}

/// The kind of the options of a write.
fn options(method: &Method) -> &'static str {
    match *method {
        Method::POST => "CreateOptions",
        Method::PATCH => "PatchOptions",
        Method::DELETE => "DeleteOptions",
        _ => "UpdateOptions",
    }
}

/// What is not stored has no version of its own.
fn as_rehearsed(mut answer: Answer, live: Option<&Json>) -> Answer {
    if let Answer::Object(_, object) = &mut answer
        && object["kind"] != "Status"
        && object["metadata"].get("uid").is_some()
    {
        match live.and_then(|live| text(live, &["metadata", "resourceVersion"])) {
            Some(version) => set(object, &["metadata", "resourceVersion"], version),
            None => drop(remove_field(object, &["metadata", "resourceVersion"])),
        }
    }
    answer
}

#[cfg(test)]
pub(crate) mod tests;
