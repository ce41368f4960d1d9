//! Writing a patched text back, and giving back what the keys held before.

use super::keys::{Earlier, Leaf, changes, leaves};
use super::{ConfigPatch, Target, uid_of};
use crate::client::{CallError, Cluster};
use crate::document::{Change, changed, parse};
use crate::object_kind::Json;
use crate::ownership::{appliers, manager};
use crate::reach::reached;
use engine::port::{Done, Failure, Request};
use engine::value::Value;
use std::time::Duration;
use tokio::time::sleep;

/// Tries of a write that others come before.
const TRIES: u64 = 20;

impl ConfigPatch {
    /// Makes the keys hold what they should. Ends when they do.
    pub(super) async fn write(&self, request: &Request) -> Result<Done, Failure> {
        let target = Target::of(&request.arguments);
        let cluster = reached(&self.clusters, request.place.as_ref()).await?;
        let wanted = leaves(request.arguments.get("values"));
        let prior = request.prior.as_ref();
        let before = leaves(prior.and_then(|prior| prior.attributes.get("values")));
        let remembered = Earlier::remembered(prior.and_then(|prior| prior.attributes.text("earlier")));
        let writer = Writer { target: &target, cluster: &cluster, manager: manager(request.id.as_str()) };
        let force = request.arguments.get("force").and_then(Value::as_bool) == Some(true);
        let mut tries = 0;
        loop {
            let live = cluster.get(&target.name).await.map_err(|error| writer.refused(&error))?;
            let Some(live) = live else { return Err(target.missing(None)) };
            let Some(text) = target.text(&live) else { return Err(target.missing(Some(&live))) };
            let held = parse(text).map_err(|why| unreadable(&target, &why))?;
            // Another ConfigMap of that name holds nothing of ours.
            let same = prior.and_then(|prior| prior.uid.as_deref()).is_none_or(|uid| uid_of(&live) == Some(uid));
            let (before, remembered): (&[Leaf], &[Earlier]) = if same { (&before, &remembered) } else { (&[], &[]) };
            let (changes, earlier) = changes(&held, (&wanted, before), remembered);
            let text = changed(text, &changes).map_err(|why| unreadable(&target, &why))?;
            if target.text(&live) == Some(&text) {
                return Ok(done(request, &live, &earlier));
            }
            writer.allowed(&live, force)?;
            match writer.put(live, text).await {
                Ok(written) => return Ok(done(request, &written, &earlier)),
                Err(error) => writer.again(&error, &mut tries).await?,
            }
        }
    }

    /// Gives back what the keys held before, where they still hold what we put there.
    pub(super) async fn give_back(&self, request: &Request) -> Result<(), Failure> {
        let Some(prior) = &request.prior else { return Ok(()) };
        let target = Target::of(&prior.attributes);
        let cluster = reached(&self.clusters, request.place.as_ref()).await?;
        let ours = leaves(prior.attributes.get("values"));
        let remembered = Earlier::remembered(prior.attributes.text("earlier"));
        let writer = Writer { target: &target, cluster: &cluster, manager: manager(request.id.as_str()) };
        let mut tries = 0;
        loop {
            let live = cluster.get(&target.name).await.map_err(|error| writer.refused(&error))?;
            let live = live.filter(|live| prior.uid.as_deref().is_none_or(|uid| uid_of(live) == Some(uid)));
            let Some((live, text)) = live.and_then(|live| target.text(&live).map(str::to_owned).map(|text| (live, text))) else {
                return Ok(());
            };
            let held = parse(&text).map_err(|why| unreadable(&target, &why))?;
            let (changes, _): (Vec<(Vec<String>, Change)>, _) = changes(&held, (&[], &ours), &remembered);
            let restored = changed(&text, &changes).map_err(|why| unreadable(&target, &why))?;
            if restored == text {
                return Ok(());
            }
            match writer.put(live, restored).await {
                Ok(_) => return Ok(()),
                Err(error) if error.status == Some(404) => return Ok(()),
                Err(error) => writer.again(&error, &mut tries).await?,
            }
        }
    }
}

struct Writer<'a> {
    target: &'a Target,
    cluster: &'a Cluster,
    manager: String,
}

impl Writer<'_> {
    /// Whether the text may be written: nobody keeps it by server-side apply, or the configuration forces.
    fn allowed(&self, live: &Json, force: bool) -> Result<(), Failure> {
        let owners = appliers(live, &["f:data", &format!("f:{}", self.target.key)]);
        let Some(owner) = owners.into_iter().find(|owner| *owner != self.manager).filter(|_| !force) else { return Ok(()) };
        let detail = format!(
            "`{}` is kept by field manager `{owner}`, which would undo a change of it. Change the text where it comes from, or set `force = true` and \
             leave it out there",
            self.target
        );
        Err(Failure::new("text kept by another", detail))
    }

    async fn put(&self, mut live: Json, text: String) -> Result<Json, CallError> {
        live["data"][&self.target.key] = text.into();
        self.cluster.replace(&self.target.name, &live, &self.manager).await
    }

    /// After a write that was refused: a pause if somebody else wrote in between.
    async fn again(&self, error: &CallError, tries: &mut u64) -> Result<(), Failure> {
        *tries += 1;
        if error.status != Some(409) || *tries > TRIES {
            return Err(self.refused(error));
        }
        // Apart for each record, so that those who were refused together do not come together again.
        let apart = self.manager.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))) % 17;
        sleep(Duration::from_millis(*tries * 5 + apart)).await;
        Ok(())
    }

    fn refused(&self, error: &CallError) -> Failure {
        let summary = if error.is_unreachable() { "API server not reachable" } else { "refused by the API server" };
        Failure::new(summary, format!("`{}`: {error}", self.target.name))
    }
}

fn unreadable(target: &Target, why: &str) -> Failure {
    Failure::new("text not readable", format!("`{target}` {why}; only YAML and JSON with keys can be patched"))
}

fn done(request: &Request, live: &Json, earlier: &[Earlier]) -> Done {
    let sensitive = request.arguments.get("values").is_some_and(Value::holds_sensitive);
    let kept = Value::string(Earlier::kept(earlier)).sensitive_if(sensitive);
    let given = request.arguments.entries().iter().filter(|entry| &*entry.key != "earlier");
    let attributes = given.map(|entry| (entry.key.clone(), entry.value.clone())).chain([("earlier".into(), kept)]);
    Done { uid: uid_of(live).map(Into::into), ..Done::new(Value::object(attributes)) }
}
