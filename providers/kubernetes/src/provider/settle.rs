//! Waiting until things are ready, and what kinds find out then.

use super::ObjectProvider;
use super::outcome::{attributes, done};
use super::target::Target;
use crate::client::{Cluster, Waited, waits_for};
use crate::kind::Adapter;
use crate::object_kind::{Json, ObjectName, Reader, Settled, Until};
use crate::readiness::{Readiness, readiness, usual_seconds};
use engine::port::{BoxFuture, Done, Failure, Request};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Seconds that anything is waited for that nothing says more about.
const USUAL: u64 = 300;
/// After this long a kind looks again although what it read last did not change: it may have read more than that.
const AT_ALL: Duration = Duration::from_secs(15);

/// Pauses that grow, until a deadline.
pub(super) struct Patience {
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    /// Until this many seconds from now.
    pub(super) fn new(seconds: u64) -> Self {
        Self { deadline: Instant::now() + Duration::from_secs(seconds), pause: Duration::from_millis(50) }
    }

    /// Pauses and says that there is time for another try, or that there is none.
    pub(super) async fn wait(&mut self) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 3 / 2).min(Duration::from_secs(2));
        true
    }
}

impl ObjectProvider {
    pub(super) async fn settle_object(&self, request: &Request) -> Result<Done, Failure> {
        let adapter = self.adapter(&request.kind).map_err(|why| Failure::new("unknown kind", why))?;
        if adapter.is_set(&request.arguments) {
            let seconds = request.timeout.or(adapter.kind.wait(&request.arguments).seconds).unwrap_or(USUAL);
            let computed = self.find_out(adapter, request, &mut Patience::new(seconds)).await?;
            return Ok(Done::new(attributes(adapter, request, &computed)));
        }
        let target = self.target(adapter, request).await?;
        let wait = adapter.kind.wait(&request.arguments);
        let seconds = request.timeout.or(wait.seconds).or_else(|| usual_seconds(&target.name)).unwrap_or(USUAL);
        let mut patience = Patience::new(seconds);
        let live = ready(&target, &wait.until, (patience.deadline, seconds)).await.map_err(|(failure, live)| {
            let partial = live.map(|live| Box::new(done(adapter, request, &target, &live)));
            Failure { partial, ..failure }
        })?;
        let computed = self.find_out(adapter, request, &mut patience).await?;
        let mut done = done(adapter, request, &target, &live);
        if !computed.is_empty() {
            let mut all = adapter.kind.attributes(&request.arguments, Some(&live));
            all.extend(done.attributes.get("id").map(|id| ("id", id.clone())));
            all.extend(computed);
            done.attributes = attributes(adapter, request, &all);
        }
        Ok(done)
    }

    /// The computed attributes that a kind finds out once it is ready.
    async fn find_out(
        &self,
        adapter: &Adapter,
        request: &Request,
        patience: &mut Patience,
    ) -> Result<Vec<(&'static str, engine::value::Value)>, Failure> {
        let cluster = self.cluster(request.place.as_ref()).await?;
        let witness = Witness { cluster: &cluster, last: Mutex::default() };
        loop {
            let (why, readable) = match adapter.kind.settled(&request.arguments, &witness).await {
                Ok(Settled::Yes(computed)) => return Ok(computed),
                Ok(Settled::NotYet(why)) => (why, true),
                Err(why) => (why, false),
            };
            waits_for(&why);
            let goes_on = if readable { witness.sees_change(patience).await } else { patience.wait().await };
            if !goes_on {
                let failure = Failure::new("not ready in time", format!("`{}`: {why}; the next run goes on waiting", request.address));
                let partial = Done::new(attributes(adapter, request, &[]));
                return Err(Failure { partial: Some(Box::new(partial)), ..failure });
            }
        }
    }
}

/// Reads for a kind that finds something out, and remembers what was read last, and in which version: if it is not yet as it has to be, that
/// is what has to change.
struct Witness<'a> {
    cluster: &'a Cluster,
    last: Mutex<Option<(ObjectName, Option<String>)>>,
}

impl Witness<'_> {
    /// Waits until what was read last changes, or long enough to look again at all, and says whether there is time for another try.
    async fn sees_change(&self, patience: &mut Patience) -> bool {
        let Some((name, version)) = self.last.lock().unwrap_or_else(PoisonError::into_inner).take() else { return patience.wait().await };
        let mut look = |live: Option<&Json>| if version_of(live) == version { Err(String::new()) } else { Ok(()) };
        let until = patience.deadline.min(Instant::now() + AT_ALL);
        match self.cluster.wait(&name, until, &mut look).await {
            Ok(()) => true,
            Err(Waited::Late(_)) => Instant::now() < patience.deadline,
            Err(Waited::Refused(_)) => patience.wait().await,
        }
    }
}

impl Reader for Witness<'_> {
    fn read<'a>(&'a self, name: &'a ObjectName) -> BoxFuture<'a, Result<Option<Json>, String>> {
        Box::pin(async move {
            let live = self.cluster.read(name).await?;
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((name.clone(), version_of(live.as_ref())));
            Ok(live)
        })
    }
}

fn version_of(live: Option<&Json>) -> Option<String> {
    live?.pointer("/metadata/resourceVersion")?.as_str().map(str::to_owned)
}

/// The object once it is ready, or why it is not, with what is there all the same.
async fn ready(target: &Target, until: &Until, (deadline, seconds): (Instant, u64)) -> Result<Json, (Failure, Option<Json>)> {
    let name = &target.name;
    let mut last = None;
    let mut look = |live: Option<&Json>| {
        last = live.cloned();
        match live.map(|live| (live, readiness(name, live, until))) {
            None => Ok(Err(Failure::new("gone", format!("`{name}` was deleted while it was waited for")))),
            Some((live, Readiness::Ready)) => Ok(Ok(live.clone())),
            Some((_, Readiness::Never(why))) => Ok(Err(Failure::new("will not be ready", format!("`{name}`: {why}")))),
            Some((_, Readiness::NotYet(why))) => {
                waits_for(&why);
                Err(why)
            }
        }
    };
    let failure = match target.cluster.wait(name, deadline, &mut look).await {
        Ok(Ok(live)) => return Ok(live),
        Ok(Err(failure)) => failure,
        Err(Waited::Late(why)) => {
            Failure::new("not ready in time", format!("`{name}` is not ready after {seconds} s: {why}; the next run goes on waiting"))
        }
        Err(Waited::Refused(error)) => Failure::new("refused by the API server", format!("`{name}` cannot be looked at: {error}")),
    };
    Err((failure, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn patience_ends() {
        let mut none = Patience::new(0);
        assert!(!none.wait().await);
        let mut some = Patience::new(1);
        let mut pauses = 0;
        while some.wait().await {
            pauses += 1;
        }
        assert!((3..20).contains(&pauses), "{pauses}");
    }
}
