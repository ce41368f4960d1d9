//! Events as they come.

use super::call::Call;
use super::read::served;
use super::route::Place;
use super::selector::Selector;
use super::table::{self, Headings};
use crate::object::Json;
use crate::refusal::Refusal;
use crate::resource::Resource;
use crate::store::{Event, Store, World};
use axum::body::Bytes;
use futures::Stream;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often a watch looks for what other processes wrote.
const LOOK: Duration = Duration::from_millis(250);
/// How long a watch lasts unless the caller says otherwise.
const LASTS: u64 = 1800;

/// A watch: what it is about and how far it is.
pub(crate) struct Watching {
    resource: Arc<Resource>,
    namespace: Option<String>,
    selector: Selector,
    /// The revision after which events are told; nothing to tell first of what is there.
    after: Option<u64>,
    /// Whether the end of what is there is told.
    marks: bool,
    /// Whether tables are told, and what of their columns the next one says.
    tables: Option<Headings>,
    deadline: Instant,
    ended: bool,
}

impl Watching {
    /// The watch that a call asks for.
    pub(crate) fn new(resource: Arc<Resource>, place: &Place, call: &Call) -> Result<Self, Refusal> {
        let marks = call.flag("sendInitialEvents");
        if marks && call.query("resourceVersionMatch") != Some("NotOlderThan") {
            let why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return Err(Refusal::options("ListOptions", "resourceVersionMatch", why));
        }
        let version = call.number("resourceVersion")?.filter(|version| *version > 0 && !marks);
        let seconds = call.number("timeoutSeconds")?.filter(|seconds| *seconds > 0).unwrap_or(LASTS);
        let selector = Selector::of(&resource, call)?;
        Ok(Self {
            resource,
            namespace: place.namespace.clone(),
            selector,
            after: version,
            marks,
            tables: table::is_asked(call).then_some(Headings::Told),
            deadline: Instant::now() + Duration::from_secs(seconds),
            ended: false,
        })
    }

    /// The body: one JSON line for each event, until the deadline.
    pub(crate) fn stream(self, store: Arc<Store>) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        let changes = store.watch();
        futures::stream::unfold((self, store, changes), |(mut watching, store, mut changes)| async move {
            loop {
                if watching.ended {
                    return None;
                }
                let lines = match store.read(|world| watching.news(world)) {
                    Ok(lines) => lines,
                    Err(error) => {
                        watching.ended = true;
                        line("ERROR", &Refusal::from(error).status())
                    }
                };
                if !lines.is_empty() {
                    return Some((Ok(Bytes::from(lines)), (watching, store, changes)));
                }
                if Instant::now() >= watching.deadline {
                    return None;
                }
                let until = (Instant::now() + LOOK).min(watching.deadline);
                // Either way it is time to look again.
                drop(tokio::time::timeout_at(until, changes.changed()).await);
            }
        })
    }

    /// What happened since the last look.
    fn news(&mut self, world: &World) -> String {
        let Some(after) = self.after.replace(world.revision()) else { return self.all(world) };
        if after >= world.revision() {
            self.after = Some(after);
            return String::new();
        }
        let Some(events) = world.since(after) else {
            self.ended = true;
            return line("ERROR", &Refusal::missed(after, world.forgotten()).status());
        };
        let qualified = self.resource.qualified();
        let about = events.filter(|event| {
            *event.key.resource == *qualified && self.namespace.as_ref().is_none_or(|namespace| *event.key.namespace == **namespace)
        });
        let told: Vec<_> = about.filter_map(|event| self.tell(event)).collect();
        told.into_iter().map(|(word, object)| self.event(word, object)).collect()
    }

    fn all(&mut self, world: &World) -> String {
        let qualified = self.resource.qualified();
        let there = world.list(&qualified, self.namespace.as_deref()).filter(|(_, object)| self.selector.selects(object));
        let there: Vec<_> = there.map(|(_, object)| served(&self.resource, object)).collect();
        let mut lines: String = there.into_iter().map(|object| self.event("ADDED", object)).collect();
        if self.marks {
            let metadata =
                json!({ "resourceVersion": world.revision().to_string(), "annotations": { "k8s.io/initial-events-end": "true" } });
            let bookmark = json!({ "apiVersion": self.resource.api_version(), "kind": self.resource.kind, "metadata": metadata });
            lines.push_str(&line("BOOKMARK", &bookmark));
        }
        lines
    }

    /// What a change is to those who watch a selection.
    fn tell(&self, event: &Event) -> Option<(&'static str, Json)> {
        let selected = |object: &Option<Arc<Json>>| object.as_ref().filter(|object| self.selector.selects(object)).cloned();
        let (word, object) = match (selected(&event.old), selected(&event.new)) {
            (None, None) => return None,
            (None, Some(new)) => ("ADDED", new),
            (Some(_), Some(new)) => ("MODIFIED", new),
            // What left the selection is told as it was while it was in it.
            (Some(old), None) => ("DELETED", old),
        };
        let mut object = served(&self.resource, &object);
        crate::object::set(&mut object, &["metadata", "resourceVersion"], event.revision.to_string());
        Some((word, object))
    }

    /// The line of an event, its object as a table if that is asked for.
    fn event(&mut self, word: &str, object: Json) -> String {
        let told = match self.tables {
            Some(headings) => table::one(&self.resource, &object, headings),
            None => object,
        };
        self.tables = self.tables.map(|_| Headings::Known);
        line(word, &told)
    }
}

fn line(word: &str, object: &Json) -> String {
    format!("{}\n", json!({ "type": word, "object": object }))
}

#[cfg(test)]
mod tests {
    use super::super::call::tests::call;
    use super::super::route::Subresource;
    use super::*;
    use crate::resource::{Key, builtin};
    use crate::store::Facts;
    use futures::StreamExt;

    fn watching(query: &str) -> Watching {
        let resource = builtin("", "v1", "configmaps").expect("configmaps");
        let place = Place {
            group: String::new(),
            version: "v1".into(),
            plural: "configmaps".into(),
            namespace: Some("x".into()),
            name: String::new(),
            subresource: Subresource::None,
        };
        Watching::new(resource, &place, &call("GET", &format!("/?watch=1&{query}"), "")).expect("a watch")
    }

    fn store() -> (tempfile::TempDir, Arc<Store>) {
        let base = tempfile::tempdir().expect("a directory");
        let seed = |transaction: &mut crate::store::Transaction<'_>| {
            transaction.put(&Key::new("configmaps", "y", "seed"), json!({}));
            Ok(())
        };
        Store::create(base.path(), &Facts::example("c"), seed).expect("created");
        let store = Store::open(&base.path().join("c")).expect("open");
        (base, Arc::new(store))
    }

    fn put(store: &Store, namespace: &str, name: &str, label: &str) {
        let object = json!({ "metadata": { "name": name, "labels": { "l": label } } });
        store.write(|transaction| Ok(transaction.put(&Key::new("configmaps", namespace, name), object))).expect("written");
    }

    async fn next(stream: &mut (impl Stream<Item = Result<Bytes, Infallible>> + Unpin)) -> Vec<(String, String)> {
        let Some(Ok(bytes)) = stream.next().await else { return Vec::new() };
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).expect("a line"));
        lines
            .map(|event| {
                (event["type"].as_str().unwrap_or("").to_owned(), event["object"]["metadata"]["name"].as_str().unwrap_or("").to_owned())
            })
            .collect()
    }

    fn told(word: &str, name: &str) -> Vec<(String, String)> {
        vec![(word.to_owned(), name.to_owned())]
    }

    #[tokio::test]
    async fn a_watch_tells_what_is_there_and_then_what_happens() {
        let (_base, store) = store();
        put(&store, "x", "a", "1");
        let mut stream = Box::pin(watching("").stream(store.clone()));
        assert_eq!(next(&mut stream).await, told("ADDED", "a"));
        put(&store, "y", "elsewhere", "1");
        put(&store, "x", "a", "2");
        assert_eq!(next(&mut stream).await, told("MODIFIED", "a"));
        store.write(|transaction| Ok(transaction.remove(&Key::new("configmaps", "x", "a")))).expect("written");
        assert_eq!(next(&mut stream).await, told("DELETED", "a"));
    }

    #[tokio::test]
    async fn what_comes_into_a_selection_is_added_and_what_leaves_it_deleted() {
        let (_base, store) = store();
        let mut stream = Box::pin(watching("labelSelector=l=1&resourceVersion=2").stream(store.clone()));
        put(&store, "x", "a", "0");
        put(&store, "x", "a", "1");
        assert_eq!(next(&mut stream).await, told("ADDED", "a"));
        put(&store, "x", "a", "0");
        assert_eq!(next(&mut stream).await, told("DELETED", "a"));
    }

    #[tokio::test]
    async fn a_watch_ends_in_time_or_when_its_version_is_forgotten() {
        let (base, store) = store();
        let mut short = Box::pin(watching("timeoutSeconds=1&resourceVersion=2").stream(store.clone()));
        assert_eq!(next(&mut short).await, Vec::new());
        let other = Store::open(&base.path().join("c")).expect("open");
        put(&other, "x", "from-another-process", "1");
        let mut fresh = Box::pin(watching("sendInitialEvents=true&resourceVersionMatch=NotOlderThan").stream(store.clone()));
        assert_eq!(next(&mut fresh).await, [told("ADDED", "from-another-process"), told("BOOKMARK", "")].concat());
        let again = Arc::new(Store::open(&base.path().join("c")).expect("open"));
        let mut old = Box::pin(watching("resourceVersion=1").stream(again));
        assert_eq!(next(&mut old).await, told("ERROR", ""));
        assert_eq!(next(&mut old).await, Vec::new());
    }
}
