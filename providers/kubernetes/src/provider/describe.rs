//! How an object is that an id names and no configuration describes yet.

use super::ObjectProvider;
use crate::client::{Apply, Cluster};
use crate::defaults::Sieve;
use crate::describe::{maker, said};
use crate::import::named_by;
use crate::object_kind::{Json, ObjectName};
use crate::observation::value_of;
use crate::ownership::other_record;
use engine::diagnostic::Diagnostic;
use engine::port::Connected;
use engine::question::Answer;
use engine::value::Value;

/// The manager of dry runs.
const MANAGER: &str = "meshplan/plan";
/// How often a server is asked at most what it gives by default.
const ROUNDS: usize = 20;
/// The longest name of a twin, without the part that makes it one: names of Services have 63 letters at most.
const LONGEST: usize = 50;

impl ObjectProvider {
    /// The arguments that would write an object: `attributes`, with `uid` and `notes`.
    pub(super) async fn describe(&self, (kind, id): (&str, &str), place: Option<&Connected>) -> Answer {
        match self.described(kind, id, place).await {
            Ok(answer) => answer,
            Err(why) => Answer::Unreachable(why.into()),
        }
    }

    async fn described(&self, kind: &str, id: &str, place: Option<&Connected>) -> Result<Answer, String> {
        let adapter = self.adapter(kind)?;
        let name = match named_by(&*adapter.kind, id) {
            Ok(name) => name,
            Err(problem) => return Ok(Answer::Refused(diagnosed(problem))),
        };
        let place = place.ok_or("its cluster is not known")?;
        let cluster = self.clusters.cluster(&place.connection).await?;
        let name = placed(&cluster, name).await?;
        let Some(live) = cluster.get(&name).await.map_err(|error| error.to_string())? else { return Ok(Answer::Absent) };
        if let Some(going) = super::import::going(&name, &live) {
            return Ok(Answer::Refused(going));
        }
        let mut notes = Vec::new();
        notes.extend(maker(&live).map(|maker| format!("`{maker}` makes it, and may set it back")));
        notes.extend(other_record(&live, MANAGER).map(|other| format!("another meshplan state has applied it as well, as `{other}`")));
        let (object, unsifted) = sifted(&cluster, &name, (&live, said(&name, &live))).await;
        notes.extend(unsifted.map(|why| format!("defaults of the API server stand here as well: {why}")));
        let attributes = Value::object(adapter.kind.described(&value_of(&object)));
        let uid = live.pointer("/metadata/uid").map_or_else(Value::null, Value::from_json);
        let notes = Value::tuple(notes.into_iter().map(Value::string).collect());
        Ok(Answer::Present(Value::object([("attributes", attributes), ("uid", uid), ("notes", notes)])))
    }
}

fn diagnosed(problem: engine::schema::Problem) -> Diagnostic {
    let said = Diagnostic::error(&*problem.summary, problem.detail);
    problem.help.into_iter().fold(said, Diagnostic::help)
}

/// The name with the namespace that an object of its kind lies in where none is said, and without one where none holds it.
async fn placed(cluster: &Cluster, name: ObjectName) -> Result<ObjectName, String> {
    let served = cluster.served(&name.api_version, &name.kind).await.map_err(|error| error.to_string())?;
    let namespace = match served.map(|served| served.namespaced) {
        Some(true) => Some(name.namespace.unwrap_or_else(|| "default".to_owned())),
        Some(false) => None,
        None => name.namespace,
    };
    Ok(ObjectName { namespace, ..name })
}

/// The object without what its server would give it anyway; or all of it, and why that could not be told.
async fn sifted(cluster: &Cluster, name: &ObjectName, (live, object): (&Json, Json)) -> (Json, Option<String>) {
    let mut sieve = Sieve::new(object);
    if !sieve.is_open() {
        return (sieve.whole(), None);
    }
    let twin = twin(name, live);
    let dry_run = async |mut body: Json| {
        if let Some(metadata) = body.get_mut("metadata").and_then(Json::as_object_mut) {
            metadata.insert("name".to_owned(), twin.name.as_str().into());
        }
        cluster.apply(&twin, &body, Apply { manager: MANAGER, force: false, dry_run: true }).await
    };
    let mut why = "it gives others in each round".to_owned();
    for _ in 0..ROUNDS {
        match dry_run(sieve.rest()).await {
            Ok(reply) if sieve.accepted(&reply.body) => {
                let least = sieve.least();
                let is_enough = dry_run(least.clone()).await.is_ok_and(|reply| sieve.is_whole(&reply.body));
                return (if is_enough { least } else { sieve.rest() }, None);
            }
            Ok(_) => {}
            Err(error) if sieve.refused(&error.causes.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>()) => {}
            Err(error) => {
                why = format!("it does not say what it would make of another like it, {error}");
                break;
            }
        }
    }
    (sieve.whole(), Some(why))
}

/// A name that nothing has: that of the object, with a part of its uid.
fn twin(name: &ObjectName, live: &Json) -> ObjectName {
    let uid = live.pointer("/metadata/uid").and_then(Json::as_str).unwrap_or_default();
    let part: String = uid.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    let kept: String = name.name.chars().take(LONGEST).collect();
    ObjectName { name: format!("{}-{part}", kept.trim_end_matches(['-', '.'])), ..name.clone() }
}
