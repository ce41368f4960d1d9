//! Waiting until things are ready, and what kinds find out then.

use super::ObjectProvider;
use super::outcome::{attributes, done};
use super::target::Target;
use crate::kind::Adapter;
use crate::object_kind::{Json, Settled};
use crate::readiness::{Readiness, readiness, usual_seconds};
use engine::port::{Done, Failure, Request};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Seconds that anything is waited for that nothing says more about.
const USUAL: u64 = 300;

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
        let live = loop {
            let (why, live) = match target.live().await {
                Ok(Some(live)) => match readiness(&target.name, &live, &wait.until) {
                    Readiness::Ready => break live,
                    Readiness::NotYet(why) => (why, Some(live)),
                },
                Ok(None) => return Err(Failure::new("gone", format!("`{}` was deleted while it was waited for", target.name))),
                Err(error) => (error.to_string(), None),
            };
            if !patience.wait().await {
                return Err(late(adapter, request, &target, (live.as_ref(), &why, seconds)));
            }
        };
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
        loop {
            let why = match adapter.kind.settled(&request.arguments, &*cluster).await {
                Ok(Settled::Yes(computed)) => return Ok(computed),
                Ok(Settled::NotYet(why)) | Err(why) => why,
            };
            if !patience.wait().await {
                let failure = Failure::new("not ready in time", format!("`{}`: {why}", request.address));
                let partial = Done::new(attributes(adapter, request, &[]));
                return Err(Failure { partial: Some(Box::new(partial)), ..failure });
            }
        }
    }
}

/// The failure of a wait: the object, the last reason, and what is there all the same.
fn late(adapter: &Adapter, request: &Request, target: &Target, (live, why, seconds): (Option<&Json>, &str, u64)) -> Failure {
    let failure = Failure::new("not ready in time", format!("`{}` is not ready after {seconds} s: {why}", target.name));
    Failure { partial: live.map(|live| Box::new(done(adapter, request, target, live))), ..failure }
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
