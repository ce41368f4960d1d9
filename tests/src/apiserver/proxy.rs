//! Stands in front of an API server: counts requests, makes them slow, and fails them as told.

use super::access::{Access, Credential};
use super::api::Api;
use super::loopback::{Answering, Body, Cut, Loopback, whole};
use super::request::Seen;
use super::{ApiServer, request};
use futures::StreamExt as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use kube::Client;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a request that is to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Refused with this code and the reason that goes with it; the server never sees it. With `Retry-After` (in seconds) where there is a
    /// number.
    Refused(u16, Option<u64>),
    /// Answered with this code and this body; the server never sees it.
    Answered(u16, Value),
    /// The connection is closed before the server sees the request.
    CutBefore,
    /// The server does what it is asked, and the connection is closed instead of the answer.
    CutAfter,
    /// The connection is closed within the answer.
    CutWithin,
    /// Answered, but this much later.
    Slow(Duration),
}

/// A fault for the next requests of a pattern.
#[derive(Debug)]
struct Armed {
    pattern: String,
    left: usize,
    fault: Fault,
}

#[derive(Default)]
struct Told {
    latency: Duration,
    armed: Vec<Armed>,
    seen: Vec<Seen>,
}

/// A proxy in front of one API server, until it is dropped.
///
/// A pattern is a verb of Kubernetes or `*`, and a text that path and query must hold, such as `list /secrets`, `apply name=c1` or `* /`.
/// Verbs are `get`, `list`, `watch`, `create`, `apply`, `patch`, `update`, `delete`, `deletecollection`, and `discover` for all that is
/// not about objects.
pub struct Proxy {
    access: Access,
    told: Arc<Mutex<Told>>,
    _loopback: Loopback,
}

impl Proxy {
    /// A proxy that goes to a cluster as its admin.
    pub fn of(cluster: &ApiServer) -> Self {
        Self::by(cluster, cluster.admin())
    }

    /// A proxy that goes to a cluster as somebody. Whoever comes through it need not say who they are: they are that somebody.
    pub fn by(cluster: &ApiServer, access: &Access) -> Self {
        let (client, told) = (Api::by(access).client(), Arc::<Mutex<Told>>::default());
        let shared = told.clone();
        let answering: Answering = Arc::new(move |request| Box::pin(answer(request, client.clone(), shared.clone())));
        let loopback = Loopback::serve(&cluster.authority().server(&[]), answering);
        let access = Access { server: format!("https://{}", loopback.address()), credential: Credential::Nothing, ..access.clone() };
        Self { access, told, _loopback: loopback }
    }

    /// A proxy through which a cluster looks like another one, of this name and with a uid of its own, so that one can stand for many.
    pub fn apart(cluster: &ApiServer, name: &str) -> Self {
        let proxy = Self::by(cluster, &cluster.admin().named(name));
        let uid = format!("{}-{name}", cluster.uid());
        let system = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "kube-system", "uid": uid } });
        proxy.fail(usize::MAX, "get /namespaces/kube-system", Fault::Answered(200, system));
        proxy
    }

    /// The way through it.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Makes every request from now on take this much longer.
    pub fn delay(&self, latency: Duration) {
        self.told.lock().unwrap().latency = latency;
    }

    /// Fails the next so many requests of a pattern. Faults are used in the order they were told.
    pub fn fail(&self, times: usize, pattern: &str, fault: Fault) {
        self.told.lock().unwrap().armed.push(Armed { pattern: pattern.to_owned(), left: times, fault });
    }

    /// Fails no more.
    pub fn mend(&self) {
        self.told.lock().unwrap().armed.clear();
    }

    /// The requests that came since the proxy began or forgot, in order of arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.told.lock().unwrap().seen.clone()
    }

    /// How many of them are of a pattern.
    pub fn count(&self, pattern: &str) -> usize {
        self.told.lock().unwrap().seen.iter().filter(|seen| seen.is_of(pattern)).count()
    }

    /// Forgets what came.
    pub fn forget(&self) {
        self.told.lock().unwrap().seen.clear();
    }
}

impl Told {
    /// Notes a request; what is to become of it.
    fn hear(&mut self, seen: Seen) -> Option<Fault> {
        let armed = self.armed.iter_mut().find(|armed| armed.left > 0 && seen.is_of(&armed.pattern));
        let fault = armed.map(|armed| {
            armed.left -= 1;
            armed.fault.clone()
        });
        self.seen.push(seen);
        fault
    }
}

async fn answer(request: Request<Incoming>, client: Client, told: Arc<Mutex<Told>>) -> Result<Response<Body>, Cut> {
    let (fault, latency) = {
        let mut told = told.lock().unwrap();
        (told.hear(Seen::of(&request)), told.latency)
    };
    tokio::time::sleep(latency).await;
    match fault {
        None => forward(request, &client).await,
        Some(Fault::Refused(code, retry_after)) => Ok(refusal(code, retry_after)),
        Some(Fault::Answered(code, body)) => Ok(made_up(code, &body)),
        Some(Fault::CutBefore) => Err(Cut),
        Some(Fault::CutAfter) => {
            // Only when all of the answer is there has the server done all.
            let done = forward(request, &client).await?;
            drop(done.into_body().collect().await);
            Err(Cut)
        }
        Some(Fault::CutWithin) => forward(request, &client).await.map(cut_within),
        Some(Fault::Slow(more)) => {
            tokio::time::sleep(more).await;
            forward(request, &client).await
        }
    }
}

/// The answer of the server itself; where it gives none, the connection ends as if it were the server's.
async fn forward(request: Request<Incoming>, client: &Client) -> Result<Response<Body>, Cut> {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    head.headers.remove(HOST);
    head.headers.remove(AUTHORIZATION);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = path.parse().map_err(|_| Cut)?;
    let answered = client.send(Request::from_parts(head, body.to_vec().into())).await.map_err(|_| Cut)?;
    Ok(answered.map(|body| body.map_err(Into::into).boxed_unsync()))
}

/// The same answer up to half of its first piece.
fn cut_within(response: Response<Body>) -> Response<Body> {
    let (head, body) = response.into_parts();
    let first = body.into_data_stream().take(1).map(|piece| match piece {
        Ok(piece) => Ok(Frame::data(piece.slice(..piece.len() / 2))),
        Err(_) => Err(Box::from(Cut)),
    });
    let cut = first.chain(futures::stream::once(async { Err(Box::from(Cut)) }));
    Response::from_parts(head, StreamBody::new(cut).boxed_unsync())
}

fn refusal(code: u16, retry_after: Option<u64>) -> Response<Body> {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure", "code": code, "reason": request::reason(code),
        "message": format!("refused by the proxy with {code}"), "details": { "retryAfterSeconds": retry_after },
    });
    let mut response = made_up(code, &status);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn made_up(code: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(whole(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
