//! Waiting for an object by watching it.

use super::Cluster;
use super::call::encode;
use super::error::{CallError, Lost};
use super::list::items;
use super::send::{Call, refusal};
use super::transport::unanswered;
use crate::object_kind::{Json, ObjectName};
use http_body_util::BodyExt as _;
use kube::client::Body;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Seconds after which the server ends a watch, which then goes on where it was: so a connection that broke unheard is noticed.
const WATCH: u64 = 60;
/// How much later than that the end may come.
const GRACE: Duration = Duration::from_secs(10);

/// Why a wait ended without what was waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The time is over; the last reason why not, as a fragment.
    Late(String),
    /// The object cannot be looked at.
    Refused(CallError),
}

/// What a caller that waits makes of the object as it is, nothing if it is not there: what it waited for, or why not yet.
pub(crate) type Look<'a, T> = &'a mut (dyn FnMut(Option<&Json>) -> Result<T, String> + Send);

/// An object as it was, and what to watch from.
struct Seen {
    live: Option<Json>,
    /// Nothing if watching is forbidden.
    version: Option<String>,
}

/// How a watch ended.
enum Ended<T> {
    Found(T),
    /// To be taken up again from this version.
    Closed(String),
    /// The past of this version is not kept any more.
    Expired,
    Failed(CallError),
}

impl Cluster {
    /// Waits until an object is as wanted, and looks at least once. Where watching is forbidden the object is read again and again.
    pub(crate) async fn wait<T: Send>(&self, name: &ObjectName, deadline: Instant, look: Look<'_, T>) -> Result<T, Waited> {
        let mut why = None;
        let mut failures = 0;
        loop {
            let found = match &why {
                None => self.seen(name).await,
                Some(why) => timeout_at(deadline, self.seen(name)).await.map_err(|_| Waited::Late(String::clone(why)))?,
            };
            let pause = match found {
                Ok(seen) => match look(seen.live.as_ref()) {
                    Ok(found) => return Ok(found),
                    Err(not_yet) => {
                        failures = 0;
                        self.follow(name, seen.version, (deadline, why.insert(not_yet)), look).await
                    }
                },
                Err(error) => Err(error),
            };
            let pause = match pause {
                Ok(Some(found)) => return Ok(found),
                // Only a new read tells what to watch from.
                Ok(None) => self.pace.backoff(1),
                Err(error) if error.is_unreachable() || error.is_passing() => {
                    failures += 1;
                    let pause = error.retry_after.unwrap_or_default().max(self.pace.backoff(failures));
                    why = Some(error.to_string());
                    pause
                }
                Err(error) => return Err(Waited::Refused(error)),
            };
            if Instant::now() + pause >= deadline {
                return Err(Waited::Late(why.unwrap_or_default()));
            }
            sleep(pause).await;
        }
    }

    /// Watches from a version on; nothing if the object has to be read again. `why` is kept up to date.
    async fn follow<T: Send>(
        &self,
        name: &ObjectName,
        version: Option<String>,
        (deadline, why): (Instant, &mut String),
        look: Look<'_, T>,
    ) -> Result<Option<T>, CallError> {
        let Some(mut version) = version else {
            sleep(self.pace.backoff(4).min(deadline.saturating_duration_since(Instant::now()))).await;
            return Ok(None);
        };
        while let Ok(ended) = timeout_at(deadline, self.watch(name, version, why, look)).await {
            match ended {
                Ended::Found(found) => return Ok(Some(found)),
                Ended::Closed(last) => {
                    version = last;
                    // Nothing is missed, and a server that ends all watches at once is not asked without end.
                    sleep(self.pace.backoff(1)).await;
                }
                Ended::Expired => return Ok(None),
                Ended::Failed(error) if error.status == Some(403) => {
                    sleep(self.pace.backoff(4)).await;
                    return Ok(None);
                }
                Ended::Failed(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The object, by a consistent list of its own: that says what to watch from, which the object's version, being old, does not.
    async fn seen(&self, name: &ObjectName) -> Result<Seen, CallError> {
        let Some(collection) = self.collection(name).await? else { return Ok(Seen { live: None, version: None }) };
        let mut list = match self.call(Call::get(&format!("{collection}?{}", selector(name)))).await {
            Ok(reply) => reply.body,
            Err(error) if error.status == Some(403) => return Ok(Seen { live: self.get(name).await?, version: None }),
            Err(error) if error.status == Some(404) => return Ok(Seen { live: None, version: None }),
            Err(error) => return Err(error),
        };
        let live = items(&mut list).into_iter().next().map(|mut live| {
            // Items of a list may come without their kind.
            live["apiVersion"] = name.api_version.as_str().into();
            live["kind"] = name.kind.as_str().into();
            live
        });
        Ok(Seen { live, version: version_of(&list) })
    }

    /// One watch.
    async fn watch<T: Send>(&self, name: &ObjectName, from: String, why: &mut String, look: Look<'_, T>) -> Ended<T> {
        let mut events = match self.events(name, &from).await {
            Ok(events) => events,
            Err(error) if error.status == Some(410) => return Ended::Expired,
            Err(error) => return Ended::Failed(error),
        };
        let mut version = from;
        loop {
            let event = match events.next().await {
                Ok(Some(event)) => event,
                Ok(None) => return Ended::Closed(version),
                Err(error) => return Ended::Failed(error),
            };
            let object = event.get("object").unwrap_or(&Json::Null);
            let live = match event.get("type").and_then(Json::as_str) {
                Some("ADDED" | "MODIFIED") => Some(object),
                Some("DELETED") => None,
                Some("ERROR") if object.get("code").and_then(Json::as_u64) == Some(410) => return Ended::Expired,
                Some("ERROR") => {
                    let code = object.get("code").and_then(Json::as_u64).and_then(|code| u16::try_from(code).ok());
                    return Ended::Failed(CallError::refused(code.unwrap_or(500), object));
                }
                // A bookmark says how far the watch is, and nothing of the object.
                _ => {
                    version = version_of(object).unwrap_or(version);
                    continue;
                }
            };
            version = version_of(object).unwrap_or(version);
            match look(live) {
                Ok(found) => return Ended::Found(found),
                Err(not_yet) => *why = not_yet,
            }
        }
    }

    async fn events(&self, name: &ObjectName, from: &str) -> Result<Events, CallError> {
        let collection = self.collection(name).await?.ok_or_else(|| CallError { status: Some(410), ..CallError::default() })?;
        let how = format!("watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH}&resourceVersion={}", encode(from));
        let path = format!("{collection}?{}&{how}", selector(name));
        let opened = timeout(self.pace.deadline, self.open(Call::get(&path))).await;
        let (head, body) = opened.map_err(|_| late())??.into_parts();
        let status = head.status.as_u16();
        if status < 400 {
            return Ok(Events { body, rest: Vec::new(), end: Instant::now() + Duration::from_secs(WATCH) + GRACE });
        }
        let bytes = timeout(self.pace.deadline, body.collect_bytes()).await.map_err(|_| late())?.map_err(|error| unanswered(&error))?;
        Err(refusal(status, &head.headers, serde_json::from_slice(&bytes).ok().as_ref(), &bytes))
    }
}

fn late() -> CallError {
    CallError { lost: Lost::Late, ..CallError::unanswered("a watch of it gives no answer") }
}

fn selector(name: &ObjectName) -> String {
    format!("fieldSelector={}", encode(&format!("metadata.name={}", name.name)))
}

fn version_of(object: &Json) -> Option<String> {
    object.pointer("/metadata/resourceVersion").and_then(Json::as_str).map(str::to_owned)
}

/// The events of a watch, one a line.
struct Events {
    body: Body,
    /// What came after the last whole line.
    rest: Vec<u8>,
    /// When the server should have ended it.
    end: Instant,
}

impl Events {
    /// The next event; nothing at the watch's end.
    async fn next(&mut self) -> Result<Option<Json>, CallError> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return serde_json::from_slice(&line).map(Some).map_err(|_| CallError::unanswered("an event of the watch is no JSON"));
            }
            match timeout_at(self.end, self.body.frame()).await {
                Err(_) => return Err(CallError::unanswered("the watch fell silent")),
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => self.rest.extend(frame.into_data().unwrap_or_default()),
                Ok(Some(Err(error))) => return Err(unanswered(&error)),
            }
        }
    }
}
