//! Looking records up in bulk: one list per kind and namespace, single reads for a handful.

use super::target::{manager_of, recorded_name};
use super::{ObjectProvider, target};
use crate::client::{CallError, Cluster};
use crate::kind::Adapter;
use crate::object_kind::{Json, ObjectName};
use crate::observation::observation;
use crate::ownership::is_ours;
use engine::port::BoxFuture;
use engine::question::{Answer, Ask, Question};
use engine::state::{Operation, Status};
use engine::value::Value;
use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use std::collections::BTreeMap;

/// Up to this many objects are read one by one.
const HANDFUL: usize = 2;
/// Single reads at a time in one cluster.
const AT_ONCE: usize = 8;

/// One record to look up, or one identity.
pub(super) struct Look<'a> {
    pub(super) question: Question,
    adapter: &'a Adapter,
    arguments: Value,
    /// Nothing for a set, which is nowhere itself.
    name: Option<ObjectName>,
    manager: String,
    uid: Option<String>,
    /// Whether it is not known if a create happened.
    unsure: bool,
}

impl<'a> Look<'a> {
    /// What a question is about, or why it cannot be asked.
    pub(super) fn new(provider: &'a ObjectProvider, question: Question) -> Result<Self, Box<(Question, Answer)>> {
        let found = match &question.ask {
            Ask::Read { record, .. } => provider.adapter(&record.kind).and_then(|adapter| {
                let name = recorded_name(record);
                if name.is_none() && !adapter.is_set(&record.attributes) {
                    return Err("its record names no object".to_owned());
                }
                let unsure = record.status == Status::Interrupted(Operation::Create);
                let uid = record.uid.as_ref().map(ToString::to_string);
                Ok((adapter, record.attributes.clone(), name, manager_of(&record.id), uid, unsure))
            }),
            Ask::Exists(proposal) => provider.adapter(&proposal.kind).and_then(|adapter| {
                let set = adapter.is_set(&proposal.arguments);
                let name = if set { None } else { Some(target::desired(adapter, &proposal.arguments)?.0) };
                let manager = proposal.id.as_ref().map(manager_of).unwrap_or_default();
                Ok((adapter, proposal.arguments.clone(), name, manager, None, false))
            }),
            _ => Err("it is no question about an object".to_owned()),
        };
        match found {
            Ok((adapter, arguments, name, manager, uid, unsure)) => Ok(Self { question, adapter, arguments, name, manager, uid, unsure }),
            Err(why) => Err(Box::new((question, Answer::Unreachable(why.into())))),
        }
    }

    fn answer(self, found: Result<Option<&Json>, &CallError>) -> (Question, Answer) {
        let answer = match found {
            Err(error) => Answer::Unreachable(error.to_string().into()),
            Ok(None) => Answer::Absent,
            Ok(Some(live)) => self.present(live),
        };
        (self.question, answer)
    }

    fn present(&self, live: &Json) -> Answer {
        let Some(name) = &self.name else { return Answer::Absent };
        let uid = live.pointer("/metadata/uid").and_then(Json::as_str);
        if self.uid.is_some() && self.uid.as_deref() != uid {
            return Answer::Absent;
        }
        // What an interrupted create was to make bears our mark. What does not is somebody else's, and ours is not there.
        if self.unsure && !is_ours(live, &self.manager) {
            return Answer::Absent;
        }
        Answer::Present(observation(&*self.adapter.kind, &self.arguments, name, live, &self.manager))
    }
}

/// Looks up everything of one cluster. The first call decides whether the cluster is there at all.
pub(super) async fn look_up(cluster: &Cluster, looks: Vec<Look<'_>>) -> Vec<(Question, Answer)> {
    let mut groups: BTreeMap<(String, String), Vec<Look<'_>>> = BTreeMap::new();
    let mut sets = Vec::new();
    for look in looks {
        match &look.name {
            Some(name) => groups.entry((name.api_version.clone(), name.kind.clone())).or_default().push(look),
            None => sets.push(look),
        }
    }
    let mut answers = Vec::new();
    let mut groups = groups.into_iter();
    let mut unreachable = None;
    match groups.next() {
        Some((kind, looks)) => answers.extend(look_up_kind(cluster, kind, looks).await.unwrap_or_else(|(error, looks)| {
            unreachable = Some(error);
            blocked(unreachable.as_ref(), looks)
        })),
        None => unreachable = cluster.fresh_uid().await.err().filter(CallError::is_unreachable),
    }
    if unreachable.is_some() {
        answers.extend(groups.flat_map(|(_, looks)| blocked(unreachable.as_ref(), looks)));
        answers.extend(blocked(unreachable.as_ref(), sets));
        return answers;
    }
    let rest: Vec<BoxFuture<'_, Found<'_>>> =
        groups.map(|(kind, looks)| Box::pin(look_up_kind(cluster, kind, looks)) as BoxFuture<'_, Found<'_>>).collect();
    for found in join_all(rest).await {
        answers.extend(found.unwrap_or_else(|(error, looks)| blocked(Some(&error), looks)));
    }
    // A set is nowhere itself: it is as its record says.
    answers.extend(sets.into_iter().map(|look| (look.question, Answer::Present(look.arguments))));
    answers
}

fn blocked(error: Option<&CallError>, looks: Vec<Look<'_>>) -> Vec<(Question, Answer)> {
    let why = error.map(ToString::to_string).unwrap_or_default();
    looks.into_iter().map(|look| (look.question, Answer::Unreachable(why.as_str().into()))).collect()
}

type Found<'a> = Result<Vec<(Question, Answer)>, (CallError, Vec<Look<'a>>)>;

/// Looks up everything of one kind: by one list, or one by one where that is less or lists are forbidden.
async fn look_up_kind<'a>(cluster: &Cluster, (api_version, kind): (String, String), looks: Vec<Look<'a>>) -> Found<'a> {
    if looks.len() > HANDFUL {
        let one = only_namespace(&looks);
        match cluster.list(&api_version, &kind, one.as_deref()).await {
            Ok(objects) => return Ok(matched(&objects, looks)),
            Err(error) if error.is_unreachable() => return Err((error, looks)),
            // Whoever may not list may still read what is known by name.
            Err(_) => {}
        }
    }
    let reads: Vec<BoxFuture<'_, _>> = looks.into_iter().map(|look| Box::pin(read(cluster, look)) as BoxFuture<'_, _>).collect();
    Ok(stream::iter(reads).buffer_unordered(AT_ONCE).collect().await)
}

/// The namespace that holds everything looked for, if one does.
fn only_namespace(looks: &[Look<'_>]) -> Option<String> {
    let namespace = |look: &Look<'_>| look.name.as_ref()?.namespace.clone();
    let first = namespace(looks.first()?)?;
    looks.iter().all(|look| namespace(look).as_ref() == Some(&first)).then_some(first)
}

async fn read(cluster: &Cluster, look: Look<'_>) -> (Question, Answer) {
    let found = match &look.name {
        Some(name) => cluster.get(name).await,
        None => Ok(None),
    };
    look.answer(found.as_ref().map(Option::as_ref))
}

/// Answers by name. What a consistent list does not hold is not there.
fn matched(objects: &[Json], looks: Vec<Look<'_>>) -> Vec<(Question, Answer)> {
    let text = |object: &'_ Json, part: &str| object.pointer(&format!("/metadata/{part}")).and_then(Json::as_str).map(str::to_owned);
    let by_name: BTreeMap<_, _> = objects.iter().map(|object| ((text(object, "namespace"), text(object, "name")), object)).collect();
    let answers = looks.into_iter().map(|look| {
        // Of kinds that only their server knows, a name may lack a namespace it has, or have one that is none.
        let find = |name: &ObjectName| {
            let at = |namespace: Option<String>| by_name.get(&(namespace, Some(name.name.clone()))).copied();
            let other = if name.namespace.is_none() { Some("default".to_owned()) } else { None };
            at(name.namespace.clone()).or_else(|| at(other))
        };
        let found = look.name.as_ref().and_then(find);
        match (found, look.name.clone()) {
            // Items of a list may come without their kind.
            (Some(found), Some(name)) if found.get("kind").is_none() => {
                let mut object = found.clone();
                object["apiVersion"] = name.api_version.into();
                object["kind"] = name.kind.into();
                look.answer(Ok(Some(&object)))
            }
            _ => look.answer(Ok(found)),
        }
    });
    answers.collect()
}
