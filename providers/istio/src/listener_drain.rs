//! `istio_listener_drain`: sidecars and gateways that take no more connections until they are started anew.
//!
//! Envoy stops its listeners when its administration interface is asked to, and nothing but another Envoy has them again. `pilot-agent`, which
//! is in the container of every proxy, hands both requests on, so that no shell is needed there. Where the last Envoy ends, it ends as well,
//! and the pod's node starts the container anew.

mod kind;
mod proxy;

use engine::port::{BoxFuture, Connected, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::Kind;
use engine::state::{Operation, Record, Status};
use engine::value::Value;
use kind::{Chosen, DRAINED, ListenerDrainKind, remembered};
use kubernetes::{Cluster, Clusters, Container, Procedure, Unusable, may_have_run, reached};
use proxy::{PROXY, Proxy};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Seconds until pods run, are unready, or are ready again, unless the configuration says otherwise.
const USUAL: u64 = 300;
/// How long a proxy may take for an answer.
const ANSWER: Duration = Duration::from_secs(30);
/// How long it takes until pods are looked at again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long it is looked whether a proxy ends all the same that did not say that it would.
const GRACE: Duration = Duration::from_secs(5);

/// The effects of `istio_listener_drain`.
pub(crate) struct ListenerDrain {
    kind: Arc<ListenerDrainKind>,
    clusters: Clusters,
}

/// By pod the container that was drained; an empty text where the answer of the proxy was lost.
type Drained = BTreeMap<String, String>;

impl ListenerDrain {
    /// With a way to clusters.
    pub(crate) fn new(clusters: Clusters) -> Self {
        Self { kind: Arc::default(), clusters }
    }

    /// The proxies as they are: the observed shape is `{ drained }`, with the container of each, drained or not.
    async fn observe(&self, record: &Record, place: Option<&Connected>) -> Result<Answer, String> {
        let place = place.ok_or("its cluster is not known")?;
        let cluster = self.clusters.cluster(&place.connection).await?;
        let found = proxies(&cluster, Chosen::of(&record.attributes)).await?;
        if found.is_empty() {
            return Ok(Answer::Absent);
        }
        let containers = found.into_iter().map(|proxy| (proxy.pod, proxy.container)).collect();
        Ok(Answer::Present(Value::object([(DRAINED, shown(&containers))])))
    }

    /// Drains what is not drained yet.
    async fn drain(&self, request: &Request) -> Result<Done, Failure> {
        let cluster = reached(&self.clusters, request.place.as_ref()).await?;
        let chosen = Chosen::of(&request.arguments);
        let patience = Duration::from_secs(request.timeout.unwrap_or(USUAL));
        let running = cluster.running(chosen.wanted(), patience).await.map_err(unusable)?;
        let mut found = proxies(&cluster, chosen).await.map_err(not_listed)?;
        found.retain(|proxy| running.iter().any(|running| running.pod == proxy.pod));
        // All are looked at before the first is touched.
        if let Some(stays) = found.iter().find(|proxy| !proxy.returns) {
            let detail = format!("the proxy of pod `{}/{}` would not be started anew once it ended", chosen.namespace, stays.pod);
            return Err(Failure::new("proxy cannot be restored", detail));
        }
        let before = remembered(request.prior.as_ref().map(|prior| &prior.attributes));
        let (there, missing): (Vec<_>, Vec<_>) = found.into_iter().partition(|proxy| before.get(&proxy.pod) == Some(&proxy.container));
        let mut drained: Drained = there.into_iter().map(|proxy| (proxy.pod, proxy.container)).collect();
        for Proxy { pod, container, .. } in missing {
            if let Err(said) = post(&cluster, (&chosen, &pod), "drain_listeners").await {
                let failure = Failure::new("proxy not drained", format!("pod `{}/{pod}`: {}", chosen.namespace, said.why));
                if said.may_be_done {
                    drained.insert(pod, String::new());
                }
                let partial = (!drained.is_empty()).then(|| Box::new(done(request, &drained)));
                return Err(Failure { partial, ..failure });
            }
            drained.insert(pod, container);
        }
        Ok(done(request, &drained))
    }

    /// Waits until no drained pod is ready.
    async fn wait(&self, request: &Request) -> Result<Done, Failure> {
        let cluster = reached(&self.clusters, request.place.as_ref()).await?;
        let chosen = Chosen::of(&request.arguments);
        let drained = remembered(request.prior.as_ref().map(|prior| &prior.attributes));
        let seconds = request.timeout.unwrap_or(USUAL);
        let deadline = Instant::now() + Duration::from_secs(seconds);
        loop {
            let found = proxies(&cluster, chosen).await.map_err(not_listed)?;
            // A pod that is gone answers nobody either; the next plan sees what came in its place.
            let ours: Vec<_> = found.iter().filter_map(|proxy| Some((proxy, drained.get(&proxy.pod)?))).collect();
            let pod = |proxy: &Proxy| format!("pod `{}/{}`", chosen.namespace, proxy.pod);
            if let Some((proxy, _)) = ours.iter().find(|(proxy, container)| proxy.container != **container) {
                let detail =
                    format!("the proxy of {} was started anew before the pod was unready; the next run drains it again", pod(proxy));
                return Err(Failure::new("proxy started anew", detail));
            }
            let Some((ready, _)) = ours.iter().find(|(proxy, _)| proxy.is_ready) else { return Ok(done(request, &drained)) };
            let why = format!("{} is still ready", pod(ready));
            if Instant::now() + PAUSE >= deadline {
                let detail = format!(
                    "{why} after {seconds} s: a probe has to tell that its proxy takes no connections; the next run goes on waiting"
                );
                return Err(Failure::new("not drained in time", detail));
            }
            request.activity.waits_for(why);
            sleep(PAUSE).await;
        }
    }

    /// Ends the proxies that are drained, and waits until others are there in their place.
    async fn restore(&self, request: &Request) -> Result<(), Failure> {
        let cluster = reached(&self.clusters, request.place.as_ref()).await?;
        let chosen = Chosen::of(&request.arguments);
        let mut drained = remembered(Some(&request.arguments));
        let unheard = |status| matches!(status, Status::Interrupted(Operation::Create | Operation::Update));
        if request.prior.as_ref().is_some_and(|prior| unheard(prior.status)) {
            // Which ones were drained before the run was killed is not known.
            for proxy in proxies(&cluster, chosen).await.map_err(not_listed)? {
                drained.entry(proxy.pod).or_default();
            }
        }
        let mut ended = Vec::new();
        for (pod, container) in drained {
            let Some(proxy) = one(&cluster, (&chosen, &pod)).await? else { continue };
            if container.is_empty() || container == proxy.container {
                let said = if proxy.runs { post(&cluster, (&chosen, &pod), "quitquitquit").await.err() } else { None };
                ended.push(Ended { pod, container: proxy.container, said });
            }
        }
        let since = Instant::now();
        for ended in ended {
            returned(&cluster, (&chosen, &ended), (since, request)).await?;
        }
        Ok(())
    }
}

/// A proxy that was asked to end.
struct Ended {
    pod: String,
    /// The container that is to be gone.
    container: String,
    /// Why it is not known that it was asked.
    said: Option<Said>,
}

/// Waits until the pod is ready with another container of its proxy, or is gone.
async fn returned(cluster: &Cluster, (chosen, ended): (&Chosen<'_>, &Ended), (since, request): (Instant, &Request)) -> Result<(), Failure> {
    let seconds = request.timeout.unwrap_or(USUAL);
    let pod = format!("pod `{}/{}`", chosen.namespace, ended.pod);
    loop {
        let Some(proxy) = one(cluster, (chosen, &ended.pod)).await? else { return Ok(()) };
        let stays = proxy.container == ended.container;
        if !stays && proxy.runs && proxy.is_ready {
            return Ok(());
        }
        if let Some(said) = ended.said.as_ref().filter(|_| stays && proxy.runs && since.elapsed() >= GRACE) {
            return Err(Failure::new("proxy not restored", format!("the proxy of {pod} does not end: {}", said.why)));
        }
        let why = if stays { format!("the proxy of {pod} has not ended") } else { format!("{pod} is not ready with its new proxy") };
        if since.elapsed() + PAUSE >= Duration::from_secs(seconds) {
            return Err(Failure::new("not restored in time", format!("{why} after {seconds} s")));
        }
        request.activity.waits_for(why);
        sleep(PAUSE).await;
    }
}

/// Why a request was not answered as it should be.
struct Said {
    why: String,
    /// Whether it may have been done all the same.
    may_be_done: bool,
}

/// Posts to the administration interface of a pod's proxy.
async fn post(cluster: &Cluster, (chosen, pod): (&Chosen<'_>, &str), path: &str) -> Result<(), Said> {
    let command = ["pilot-agent", "request", "POST", path].map(str::to_owned);
    let container = Container { namespace: chosen.namespace, pod, name: PROXY };
    let executed = cluster.exec(container, &command, ANSWER).await.map_err(|why| Said { may_be_done: may_have_run(&why), why })?;
    if executed.code == 0 {
        return Ok(());
    }
    let last = executed.stderr.lines().last().unwrap_or_default();
    Err(Said { why: format!("`{}` ended with the exit code {}: {last}", command.join(" "), executed.code), may_be_done: false })
}

/// The proxies of the pods that are meant.
async fn proxies(cluster: &Cluster, chosen: Chosen<'_>) -> Result<Vec<Proxy>, String> {
    Ok(cluster.pods(chosen.wanted()).await?.iter().filter_map(Proxy::of).collect())
}

/// The proxy of one pod; nothing if the pod is gone.
async fn one(cluster: &Cluster, (chosen, pod): (&Chosen<'_>, &str)) -> Result<Option<Proxy>, Failure> {
    let chosen = Chosen { name: pod, labels: "", ..*chosen };
    Ok(proxies(cluster, chosen).await.map_err(not_listed)?.into_iter().next())
}

fn not_listed(why: String) -> Failure {
    Failure::new("objects not listed", why)
}

fn unusable(why: Unusable) -> Failure {
    match why {
        Unusable::NoDataPlane(why) => Failure::new("no data plane", why),
        Unusable::NotRunning(why) => Failure::new("nothing to drain", why),
    }
}

fn shown(drained: &Drained) -> Value {
    Value::object(drained.iter().map(|(pod, container)| (pod.as_str(), Value::string(container.as_str()))))
}

fn done(request: &Request, drained: &Drained) -> Done {
    Done::new(request.arguments.with_entries([(DRAINED, shown(drained))]))
}

impl Procedure for ListenerDrain {
    fn kind(&self) -> Arc<dyn Kind> {
        self.kind.clone()
    }

    fn read<'a>(&'a self, record: &'a Record, place: Option<&'a Connected>) -> BoxFuture<'a, Answer> {
        Box::pin(async move { self.observe(record, place).await.unwrap_or_else(|why| Answer::Unreachable(why.into())) })
    }

    fn preview<'a>(&'a self, _: &'a Proposal, _: Option<&'a Connected>) -> BoxFuture<'a, Answer> {
        Box::pin(async { Answer::Absent })
    }

    fn create<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.drain(request))
    }

    fn settle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.wait(request))
    }

    fn update<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.drain(request))
    }

    fn delete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.restore(request))
    }
}
