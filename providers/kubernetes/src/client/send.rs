//! One request: within its deadline, within the cluster's limit, and again while that is safe and may help.

use super::Cluster;
use super::activity;
use super::error::{CallError, Lost};
use super::transport::unanswered;
use crate::object_kind::Json;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, Response};
use kube::client::Body;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// What every request says of us.
pub(super) const AGENT: &str = concat!("meshplan/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";
/// Asks for an answer that is no object and of which the status is all.
pub(super) const PLAIN: &str = "text/plain";

/// Whether a request may be sent again although it may have been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Doing it twice is doing it once.
    Always,
    /// Only if nothing was done: the caller looks what became of it.
    IfUntouched,
    /// As [`Repeat::Always`], but what is out of date stays so: the caller has to read again.
    UnlessConflict,
}

impl Repeat {
    fn allows(self, error: &CallError) -> bool {
        match self {
            Self::Always => true,
            Self::IfUntouched => error.is_untouched(),
            Self::UnlessConflict => error.status != Some(409),
        }
    }
}

/// One request. A body of a PATCH is an apply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    /// With its query.
    pub(super) path: &'a str,
    pub(super) body: Option<&'a Json>,
    /// What is asked for, as a content type.
    pub(super) accept: &'a str,
    pub(super) repeat: Repeat,
}

impl<'a> Call<'a> {
    /// A read.
    pub(super) fn get(path: &'a str) -> Self {
        Self { method: &Method::GET, path, body: None, accept: JSON, repeat: Repeat::Always }
    }
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The object.
    pub(crate) body: Json,
}

impl Cluster {
    /// The answer to a request. What passes by itself is waited out: see [`super::pace::Pace`].
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Reply, CallError> {
        let start = Instant::now();
        let (mut tried, mut seen) = (0, BTreeSet::new());
        loop {
            let mut error = match self.once(call).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            tried += 1;
            let again = error.is_passing() && call.repeat.allows(&error);
            let Some(pause) = self.pace.pause(tried, &error).filter(|_| again) else {
                seen.remove(&error.to_string());
                error.tried =
                    history(tried, start.elapsed(), &seen, error.retry_after.filter(|asked| again && *asked > self.pace.patience));
                return Err(error);
            };
            seen.insert(error.to_string());
            activity::retries();
            sleep(pause).await;
        }
    }

    async fn once(&self, call: Call<'_>) -> Result<Reply, CallError> {
        let _permit = self.gate.acquire().await.map_err(|_| CallError::unanswered("the client is closed"))?;
        let late = |_| {
            let message = format!("the API server accepts requests but gave no answer within {} s", self.pace.deadline.as_secs());
            CallError { lost: Lost::Late, ..CallError::unanswered(message) }
        };
        timeout(self.pace.deadline, self.exchange(call)).await.map_err(late)?
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Reply, CallError> {
        let response = self.open(call).await?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let bytes = body.collect_bytes().await.map_err(|error| unanswered(&error))?;
        let parsed: Option<Json> = serde_json::from_slice(&bytes).ok();
        match parsed {
            Some(body) if status < 400 => Ok(Reply { status, body }),
            None if status < 400 && call.accept == PLAIN => Ok(Reply { status, body: Json::Null }),
            None if status < 400 => Err(CallError::unanswered("the answer is no JSON")),
            parsed => Err(refusal(status, &head.headers, parsed.as_ref(), &bytes)),
        }
    }

    /// Sends a request; the answer's body is still to come.
    pub(super) async fn open(&self, call: Call<'_>) -> Result<Response<Body>, CallError> {
        let content = if *call.method == Method::PATCH { "application/apply-patch+yaml" } else { JSON };
        let bytes = call.body.map(Json::to_string).unwrap_or_default().into_bytes();
        let request = Request::builder().method(call.method.clone()).uri(call.path);
        let request = request.header(USER_AGENT, AGENT).header(ACCEPT, call.accept).header(CONTENT_TYPE, content);
        let request = request.body(Body::from(bytes)).map_err(|error| unanswered(&error))?;
        let response = self.client.send(request).await.map_err(|error| unanswered(&error))?;
        self.heard.store(true, Ordering::Relaxed);
        Ok(response)
    }
}

/// What an answer that says no says.
pub(super) fn refusal(status: u16, headers: &HeaderMap, parsed: Option<&Json>, bytes: &[u8]) -> CallError {
    let mut error = match parsed {
        Some(body) => CallError::refused(status, body),
        None => CallError { status: Some(status), message: String::from_utf8_lossy(bytes).trim().to_owned(), ..CallError::default() },
    };
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    error.retry_after = seconds.map(Duration::from_secs).or(error.retry_after);
    error
}

/// What was tried, as a fragment; empty after a single try that nothing more could have followed.
fn history(tried: u32, took: Duration, before: &BTreeSet<String>, asked: Option<Duration>) -> String {
    let mut parts = Vec::new();
    if tried > 1 {
        parts.push(format!("tried {tried} times in {:.1} s", took.as_secs_f32()));
    }
    if !before.is_empty() {
        parts.push(format!("before: {}", before.iter().map(String::as_str).collect::<Vec<_>>().join("; ")));
    }
    if let Some(asked) = asked {
        parts.push(format!("it asks to be left alone for {} s", asked.as_secs()));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Pace;
    use crate::fake::QUICK;
    use kube::Client;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    /// Answers still to be given: a status, and for how many seconds the server asks to be left alone.
    type Rest = Arc<Mutex<VecDeque<(u16, Option<u64>)>>>;

    /// A server that gives these answers, one after the other, and then none. What is left of them tells what was asked.
    fn answering(answers: &[(u16, Option<u64>)], pace: Pace) -> (Cluster, Rest) {
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let left = answers.clone();
        let service = tower::service_fn(move |_: Request<Body>| {
            let next = answers.lock().unwrap().pop_front();
            async move {
                let Some((status, asked)) = next else { return std::future::pending().await };
                let response = asked.into_iter().fold(Response::builder().status(status), |all, seconds| all.header(RETRY_AFTER, seconds));
                Ok::<_, tower::BoxError>(response.body(Body::from(br#"{"message":"so"}"#.to_vec()))?)
            }
        });
        (Cluster::paced(Client::new(service, "default"), pace), left)
    }

    fn get(repeat: Repeat) -> Call<'static> {
        Call { repeat, ..Call::get("/api") }
    }

    #[tokio::test]
    async fn what_may_have_been_done_is_repeated_only_where_that_is_safe() {
        // Answers, how it may be repeated, and the status and the answers left that it ends with.
        for (answers, repeat, status, left) in [
            (&[(503, None), (429, Some(0)), (200, None)][..], Repeat::Always, 200, 0),
            (&[(503, None), (429, Some(0)), (200, None)], Repeat::IfUntouched, 200, 0),
            (&[(500, None), (200, None)], Repeat::Always, 200, 0),
            (&[(500, None), (200, None)], Repeat::IfUntouched, 500, 1),
            (&[(504, None), (200, None)], Repeat::IfUntouched, 504, 1),
            (&[(403, None), (200, None)], Repeat::Always, 403, 1),
            (&[(429, Some(31)), (200, None)], Repeat::Always, 429, 1),
            (&[(503, None); 7], Repeat::Always, 503, 1),
        ] {
            let (cluster, rest) = answering(answers, QUICK);
            let answered = cluster.call(get(repeat)).await;
            let ended = answered.map_or_else(|error| error.status, |reply| Some(reply.status));
            assert_eq!((ended, rest.lock().unwrap().len()), (Some(status), left), "{answers:?} {repeat:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_never_comes_is_not_waited_for_again() {
        let (cluster, _) = answering(&[], Pace { deadline: Duration::from_millis(20), ..QUICK });
        let error = cluster.call(get(Repeat::Always)).await.unwrap_err();
        assert_eq!(error.to_string(), "the API server accepts requests but gave no answer within 0 s");
        assert_eq!(error.lost, Lost::Late);
    }
}
