//! `kubernetes_restart`: pods made anew when something changed that they read only at their start.

mod kind;
mod rollout;

use crate::client::{Apply, CallError, Cluster, Clusters, Waited};
use crate::object_kind::{Json, ObjectName};
use crate::ownership::manager;
use crate::procedure::Procedure;
use crate::reach::reached;
use crate::readiness::Readiness;
use engine::port::{BoxFuture, Connected, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::Kind;
use engine::state::Record;
use engine::value::{Value, keyed_fingerprint};
use kind::RestartKind;
use rollout::{rollout, stuck};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The annotation of pod templates that makes them other ones: it says which restart they are of. Doing a restart again that was interrupted
/// thereby restarts nothing twice.
const ANNOTATION: &str = "meshplan/restart";
const API: &str = "apps/v1";
/// Seconds for all pods to be new and available, unless the configuration says otherwise.
const USUAL: u64 = 600;

/// The effects of `kubernetes_restart`.
pub(crate) struct Restart {
    kind: Arc<RestartKind>,
    clusters: Clusters,
}

impl Restart {
    /// With a way to clusters.
    pub(crate) fn new(clusters: Clusters) -> Self {
        Self { kind: Arc::default(), clusters }
    }

    async fn begin(&self, request: &Request) -> Result<Done, Failure> {
        let cluster = reached(&self.clusters, request.place.as_ref()).await?;
        let workloads = Workloads::of(request);
        let (mark, manager) = (mark(request), manager(request.id.as_str()));
        let found = workloads.found(&cluster).await?;
        // All are looked at before the first is touched.
        if let Some((name, why)) = found.iter().find_map(|(name, live)| Some((name, stuck(live)?))) {
            return Err(Failure::new("pods do not follow", format!("`{name}` cannot be restarted: {why}")));
        }
        for (name, live) in &found {
            let annotated = json!({
                "apiVersion": API, "kind": name.kind,
                "metadata": { "name": name.name, "namespace": name.namespace, "uid": live.pointer("/metadata/uid") },
                "spec": { "template": { "metadata": { "annotations": { ANNOTATION: mark } } } },
            });
            let how = Apply { manager: &manager, force: true, dry_run: false };
            match cluster.apply(name, &annotated, how).await {
                Ok(_) => {}
                // Deleted since: there are no pods of it.
                Err(error) if workloads.name.is_none() && matches!(error.status, Some(404 | 409)) && is_gone(&cluster, name).await => {}
                Err(error) => return Err(refused(name, &error)),
            }
        }
        Ok(done(request, found.iter().map(|(name, _)| name)))
    }

    async fn wait(&self, request: &Request) -> Result<Done, Failure> {
        let cluster = reached(&self.clusters, request.place.as_ref()).await?;
        let workloads = Workloads::of(request);
        let mark = mark(request);
        let seconds = request.timeout.unwrap_or(USUAL);
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let found = workloads.found(&cluster).await?;
        // What came since has new pods anyway, and what somebody else restarted since is no longer ours to wait for.
        let ours: Vec<_> = found.iter().filter(|(_, live)| marked(live) == Some(&mark)).map(|(name, _)| name).collect();
        let all = || done(request, ours.iter().copied());
        for name in &ours {
            let awaited = rolled_out(&cluster, name, (deadline, seconds)).await;
            awaited.map_err(|failure| Failure { partial: Some(Box::new(all())), ..failure })?;
        }
        Ok(all())
    }
}

async fn rolled_out(cluster: &Cluster, name: &ObjectName, (deadline, seconds): (Instant, u64)) -> Result<(), Failure> {
    let mut look = |live: Option<&Json>| match live.map(|live| rollout(&name.kind, live)) {
        None | Some(Readiness::Ready) => Ok(Ok(())),
        Some(Readiness::Never(why)) => Ok(Err(Failure::new("will not be ready", format!("`{name}`: {why}")))),
        Some(Readiness::NotYet(why)) => Err(why),
    };
    match cluster.wait(name, deadline, &mut look).await {
        Ok(outcome) => outcome,
        Err(Waited::Late(why)) => {
            let detail = format!("`{name}` is not restarted after {seconds} s: {why}; the next run goes on waiting");
            Err(Failure::new("not ready in time", detail))
        }
        Err(Waited::Refused(error)) => Err(Failure::new("refused by the API server", format!("`{name}` cannot be looked at: {error}"))),
    }
}

/// What a restart is of.
struct Workloads {
    kind: String,
    namespace: String,
    name: Option<String>,
    labels: Vec<(String, String)>,
}

impl Workloads {
    fn of(request: &Request) -> Self {
        let text = |name| request.arguments.text(name).map(str::to_owned);
        let selector = request.arguments.get("selector").map(Value::entries).unwrap_or_default();
        let labels = selector.iter().filter_map(|entry| Some((entry.key.to_string(), entry.value.as_str()?.to_owned())));
        Self {
            kind: text("kind").unwrap_or_default(),
            namespace: text("namespace").unwrap_or_default(),
            name: text("name"),
            labels: labels.collect(),
        }
    }

    /// Those that are there, in the order of their names.
    async fn found(&self, cluster: &Cluster) -> Result<Vec<(ObjectName, Json)>, Failure> {
        if let Some(name) = &self.name {
            let name = ObjectName::within(API, &self.kind, &self.namespace, name);
            let live = cluster.get(&name).await.map_err(|error| refused(&name, &error))?;
            let missing = || Failure::new("nothing to restart", format!("`{name}` is not there"));
            return Ok(vec![(name.clone(), live.ok_or_else(missing)?)]);
        }
        let all = ObjectName::within(API, &self.kind, &self.namespace, "*");
        let path = format!("/apis/{API}/namespaces/{}/{}s", self.namespace, self.kind.to_lowercase());
        let found = cluster.list(&path, usize::MAX).await.map_err(|error| refused(&all, &error))?.unwrap_or_default();
        let mut named: Vec<_> =
            found.into_iter().filter(|live| self.selects(live)).filter_map(|live| Some((self.named(&live)?, live))).collect();
        named.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        Ok(named)
    }

    fn selects(&self, live: &Json) -> bool {
        let labels = live.pointer("/metadata/labels");
        self.labels.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)).and_then(Json::as_str) == Some(value))
    }

    fn named(&self, live: &Json) -> Option<ObjectName> {
        Some(ObjectName::within(API, &self.kind, &self.namespace, live.pointer("/metadata/name")?.as_str()?))
    }
}

/// Which restart it is: another one for other triggers, and for another record. It says nothing of the triggers.
fn mark(request: &Request) -> String {
    let triggers = request.arguments.get("triggers").cloned().unwrap_or_else(Value::null);
    let hash = keyed_fingerprint(&triggers, &request.secret_key);
    format!("{}-{}", request.id.as_str(), &hash[..16])
}

fn marked(live: &Json) -> Option<&str> {
    live.pointer("/spec/template/metadata/annotations")?.get(ANNOTATION)?.as_str()
}

async fn is_gone(cluster: &Cluster, name: &ObjectName) -> bool {
    matches!(cluster.get(name).await, Ok(None))
}

fn refused(name: &ObjectName, error: &CallError) -> Failure {
    let summary = if error.is_unreachable() { "API server not reachable" } else { "refused by the API server" };
    Failure::new(summary, format!("`{name}`: {error}"))
}

fn done<'a>(request: &Request, names: impl Iterator<Item = &'a ObjectName>) -> Done {
    let restarted = Value::from_json(&names.map(|name| Json::from(name.name.as_str())).collect::<Json>());
    Done::new(request.arguments.with_entries([("restarted", restarted)]))
}

impl Procedure for Restart {
    fn kind(&self) -> Arc<dyn Kind> {
        self.kind.clone()
    }

    fn read<'a>(&'a self, record: &'a Record, _: Option<&'a Connected>) -> BoxFuture<'a, Answer> {
        Box::pin(async { Answer::Present(record.attributes.clone()) })
    }

    fn preview<'a>(&'a self, _: &'a Proposal, _: Option<&'a Connected>) -> BoxFuture<'a, Answer> {
        Box::pin(async { Answer::Absent })
    }

    fn create<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.begin(request))
    }

    fn settle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.wait(request))
    }

    fn update<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.begin(request))
    }

    fn delete<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }
}
