//! Creating, changing and deleting objects.

use super::ObjectProvider;
use super::conflict::{Conflict, conflicts, listed};
use super::foreign::{BY_FORCE, FOREIGN, HELP, foreign};
use super::masking::masked_with_live;
use super::outcome::{attributes, done};
use super::settle::Patience;
use super::target::{Target, manager_of, nothing, recorded_name, with_uid, without};
use crate::client::{CallError, Cluster, waits_for};
use crate::kind::Adapter;
use crate::object_kind::{Json, ObjectName, Ownership};
use crate::observation::refused_fingerprint_of;
use crate::ownership::{is_applied_by, is_made_by, is_ours, other_record};
use crate::readiness::{usual_seconds_to_go, why_not_gone};
use crate::rules::rewritten;
use engine::port::{Done, Failure, Request};
use engine::value::Value;

/// Seconds that a refused call is tried again when what refuses it may just be starting: a webhook, a definition.
const STARTING: u64 = 60;

impl ObjectProvider {
    pub(super) async fn create_object(&self, request: &Request) -> Result<Done, Failure> {
        let adapter = self.adapter(&request.kind).map_err(|why| Failure::new("unknown kind", why))?;
        if adapter.is_set(&request.arguments) {
            return Ok(Done::new(attributes(adapter, request, &adapter.kind.attributes(&request.arguments, None))));
        }
        let target = self.target(adapter, request).await?;
        let live = match adapter.kind.ownership() {
            Ownership::Fields => label(&target, request).await?,
            Ownership::Object => make(adapter, &target, request).await?,
        };
        Ok(done(adapter, request, &target, &live))
    }

    pub(super) async fn update_object(&self, request: &Request) -> Result<Done, Failure> {
        let adapter = self.adapter(&request.kind).map_err(|why| Failure::new("unknown kind", why))?;
        if adapter.is_set(&request.arguments) {
            return Ok(Done::new(attributes(adapter, request, &adapter.kind.attributes(&request.arguments, None))));
        }
        let target = self.target(adapter, request).await?;
        let live = change(adapter, &target, request).await?;
        Ok(done(adapter, request, &target, &live))
    }

    pub(super) async fn delete_object(&self, request: &Request) -> Result<(), Failure> {
        let adapter = self.adapter(&request.kind).map_err(|why| Failure::new("unknown kind", why))?;
        let Some(name) = request.prior.as_ref().and_then(recorded_name) else { return Ok(()) };
        let cluster = self.cluster(request.place.as_ref()).await?;
        let uid = request.prior.as_ref().and_then(|prior| prior.uid.as_deref());
        let manager = manager_of(&request.id);
        match adapter.kind.ownership() {
            Ownership::Fields => give_back(&cluster, &name, &manager, uid).await,
            Ownership::Object => {
                let seconds = request.timeout.unwrap_or_else(|| usual_seconds_to_go(&name));
                remove(&cluster, &name, (&manager, uid), seconds).await
            }
        }
    }
}

fn forced(request: &Request) -> bool {
    request.arguments.get("force").and_then(Value::as_bool) == Some(true)
}

fn refused(name: &ObjectName, error: &CallError) -> Failure {
    let summary = match error {
        error if error.reason == "NoKindMatch" => "unknown kind of object",
        error if error.is_unreachable() => "API server not reachable",
        error if error.is_webhook() => "admission webhook not available",
        _ => "refused by the API server",
    };
    let hint = match error {
        error if error.reason == "NoKindMatch" => "; its definition (CRD) has to be there first: let `depends_on` name what brings it",
        error if error.is_early() => "; let `depends_on` name what brings it",
        _ => "",
    };
    Failure::new(summary, format!("`{name}`: {error}{hint}"))
}

/// Creates the object: an apply that has to make something new, unless the configuration adopts.
async fn make(adapter: &Adapter, target: &Target, request: &Request) -> Result<Json, Failure> {
    let adopts = request.arguments.text("on_exists") == Some("adopt");
    let force = adopts && forced(request);
    // The apply tells too, but by then the object bears our mark, and a kill right there would leave it.
    if !force && let Ok(Some(live)) = target.live().await {
        if !adopts {
            return Err(exists(target, &live, &[]));
        }
        if other_record(&live, &target.manager).is_some() {
            return Err(Failure::new(FOREIGN, format!("{}. {BY_FORCE}", foreign(&target.name, &target.manager, &live, &[]))));
        }
    }
    let mut patience = Patience::new(STARTING);
    loop {
        let error = match target.apply(&target.body, force).await {
            // A call that is tried again finds what its first try made.
            Ok(reply) if reply.status == 201 || adopts || is_made_by(&reply.body, &target.manager) => return Ok(reply.body),
            Ok(reply) => return Err(returned(target, &reply.body).await),
            Err(error) => error,
        };
        let found = conflicts(&error, None);
        if !found.is_empty() {
            let live = target.live().await.ok().flatten().unwrap_or_default();
            return Err(if adopts { conflicting(target, &conflicts(&error, Some(&live))) } else { exists(target, &live, &found) });
        }
        if error.status.is_none() {
            return lost(adapter, target, request, &error).await;
        }
        if !(is_starting(&error) && patience.wait().await) {
            return Err(refused(&target.name, &error));
        }
    }
}

/// Gives fields back that came to be ours although somebody else made the object, and says so.
async fn returned(target: &Target, live: &Json) -> Failure {
    let uid = live.pointer("/metadata/uid").and_then(Json::as_str);
    let given = target.apply(&nothing(&target.name, uid), false).await;
    let mut failure = exists(target, live, &[]);
    if let Err(error) = given {
        let manager = &target.manager;
        failure.detail = format!("{}. Fields applied to it under `{manager}` could not be given back: {error}", failure.detail);
    }
    failure
}

/// Whether the error may go away by itself soon.
fn is_starting(error: &CallError) -> bool {
    error.is_webhook() || error.is_early() || matches!(error.status, Some(429 | 503))
}

/// No answer came to a create: whether it happened is looked up, and said if that fails too.
async fn lost(adapter: &Adapter, target: &Target, request: &Request, error: &CallError) -> Result<Json, Failure> {
    let failure = refused(&target.name, error);
    match target.live().await {
        Ok(Some(live)) if is_ours(&live, &target.manager) => Ok(live),
        Ok(_) => Err(failure),
        Err(_) => {
            let partial = Done { uid: None, ..done(adapter, request, target, &Json::Null) };
            Err(Failure { partial: Some(Box::new(Done { observed: None, applied: None, ..partial })), ..failure })
        }
    }
}

fn exists(target: &Target, live: &Json, found: &[Conflict]) -> Failure {
    Failure::new(FOREIGN, format!("{}. {HELP}", foreign(&target.name, &target.manager, live, found)))
}

fn conflicting(target: &Target, found: &[Conflict]) -> Failure {
    let detail = format!(
        "`{}`: {}. Leave those fields out of the configuration, or set `force = true` to take them over",
        target.name,
        listed(found)
    );
    Failure::new("fields owned by others", detail)
}

/// Applies labels to an object that has to be there.
async fn label(target: &Target, request: &Request) -> Result<Json, Failure> {
    let live = target.live().await.map_err(|error| refused(&target.name, &error))?;
    let Some(live) = live else {
        return Err(Failure::new(
            "nothing to label",
            format!("`{}` is not there; labels are set on what somebody else makes", target.name),
        ));
    };
    let uid = live.pointer("/metadata/uid").and_then(Json::as_str);
    match target.apply(&with_uid(&target.body, uid), forced(request)).await {
        Ok(reply) => Ok(reply.body),
        Err(error) => {
            let found = conflicts(&error, Some(&live));
            Err(if found.is_empty() { refused(&target.name, &error) } else { conflicting(target, &found) })
        }
    }
}

/// Changes the object that has this uid. Fields that controllers took over stay theirs; what was edited by hand gives way.
async fn change(adapter: &Adapter, target: &Target, request: &Request) -> Result<Json, Failure> {
    let uid = request.prior.as_ref().and_then(|prior| prior.uid.as_deref());
    let gone = || Failure::new("gone", format!("`{}` was deleted or replaced since it was planned; plan again", target.name));
    let live = target.live().await.map_err(|error| refused(&target.name, &error))?.ok_or_else(gone)?;
    let now = live.pointer("/metadata/uid").and_then(Json::as_str);
    // Without a uid it was made by a create that was interrupted, and bears our mark.
    if uid.map_or_else(|| !is_ours(&live, &target.manager), |uid| Some(uid) != now) {
        return Err(gone());
    }
    let mut body = with_uid(&target.body, now);
    for path in rewritten(&target.name, &live, &target.manager) {
        without(&mut body, &path);
    }
    let mut force = forced(request);
    let mut patience = Patience::new(STARTING);
    loop {
        let error = match target.apply(&body, force).await {
            Ok(reply) => return Ok(reply.body),
            Err(error) => error,
        };
        let found = conflicts(&error, Some(&live));
        if !found.is_empty() {
            if force || !found.iter().all(Conflict::is_by_hand) {
                return Err(conflicting(target, &found));
            }
            force = true;
        } else if error.is_immutable() {
            return Err(unchangeable(refused(&target.name, &error), done(adapter, request, target, &live), (target, request)));
        } else if !(is_starting(&error) && patience.wait().await) {
            return Err(refused(&target.name, &error));
        }
    }
}

/// A change that only the server knew to be impossible: the record remembers it, so that the next plan replaces the object.
fn unchangeable(failure: Failure, done: Done, (target, request): (&Target, &Request)) -> Failure {
    let applied = refused_fingerprint_of(&target.desired, &request.secret_key);
    let detail = format!("{}; it cannot change in place: the next plan replaces it", failure.detail);
    Failure { detail, partial: Some(Box::new(Done { observed: None, applied, ..done })), ..failure }
}

/// Gives back the fields that are ours; an object that is gone took them with it.
async fn give_back(cluster: &Cluster, name: &ObjectName, manager: &str, uid: Option<&str>) -> Result<(), Failure> {
    let live = cluster.get(name).await.map_err(|error| refused(name, &error))?;
    let now = live.as_ref().and_then(|live| live.pointer("/metadata/uid")).and_then(Json::as_str);
    let ours = live.as_ref().is_some_and(|live| is_applied_by(live, manager));
    if !ours || (uid.is_some() && uid != now) {
        return Ok(());
    }
    let how = crate::client::Apply { manager, force: false, dry_run: false };
    match cluster.apply(name, &nothing(name, now), how).await {
        Err(error) if !matches!(error.status, Some(404 | 409)) => {
            Err(refused(name, &masked_with_live(error, cluster, (name, &Value::null())).await))
        }
        _ => Ok(()),
    }
}

/// Deletes the object of this uid and waits until it is gone. Without a uid (an interrupted create) only what our manager made counts.
async fn remove(cluster: &Cluster, name: &ObjectName, (manager, uid): (&str, Option<&str>), seconds: u64) -> Result<(), Failure> {
    let found = if let Some(uid) = uid {
        Some(uid.to_owned())
    } else {
        let live = cluster.get(name).await.map_err(|error| refused(name, &error))?;
        let ours = live.filter(|live| is_ours(live, manager));
        ours.and_then(|live| Some(live.pointer("/metadata/uid")?.as_str()?.to_owned()))
    };
    let Some(uid) = found else { return Ok(()) };
    match cluster.delete(name, Some(&uid)).await {
        Ok(None) => return Ok(()),
        Ok(Some(_)) => {}
        Err(error) => return Err(refused(name, &masked_with_live(error, cluster, (name, &Value::null())).await)),
    }
    let mut patience = Patience::new(seconds);
    loop {
        let why = match cluster.get(name).await {
            Ok(None) => return Ok(()),
            Ok(Some(live)) if live.pointer("/metadata/uid").and_then(Json::as_str) != Some(&uid) => return Ok(()),
            Ok(Some(live)) => why_not_gone(&live),
            Err(error) => error.to_string(),
        };
        waits_for(&why);
        if !patience.wait().await {
            return Err(Failure::new("not gone in time", format!("`{name}` is still there after {seconds} s: {why}")));
        }
    }
}
