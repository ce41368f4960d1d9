//! Looking records up: what is looked for, and what an object that is found, or is not, says of it.

use super::bulk::{Found, look_up_kind};
use super::target::{manager_of, recorded_name};
use super::{ObjectProvider, target};
use crate::client::{CallError, Cluster};
use crate::kind::Adapter;
use crate::object_kind::{Json, ObjectName};
use crate::observation::observation;
use crate::ownership::{is_applied_by, is_ours};
use engine::port::BoxFuture;
use engine::question::{Answer, Ask, Question};
use engine::state::{Operation, Status};
use engine::value::Value;
use futures::future::join_all;
use std::collections::BTreeMap;

/// One record to look up, or one identity.
pub(super) struct Look<'a> {
    pub(super) question: Question,
    adapter: &'a Adapter,
    arguments: Value,
    /// Nothing for a set, which is nowhere itself.
    pub(super) name: Option<ObjectName>,
    manager: String,
    uid: Option<String>,
    /// What its record says of it.
    status: Status,
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
                let uid = record.uid.as_ref().map(ToString::to_string);
                Ok((adapter, record.attributes.clone(), name, manager_of(&record.id), uid, record.status))
            }),
            Ask::Exists(proposal) => provider.adapter(&proposal.kind).and_then(|adapter| {
                let set = adapter.is_set(&proposal.arguments);
                let name = if set { None } else { Some(target::desired(adapter, &proposal.arguments)?.0) };
                let manager = proposal.id.as_ref().map(manager_of).unwrap_or_default();
                Ok((adapter, proposal.arguments.clone(), name, manager, None, Status::Ready))
            }),
            _ => Err("it is no question about an object".to_owned()),
        };
        match found {
            Ok((adapter, arguments, name, manager, uid, status)) => Ok(Self { question, adapter, arguments, name, manager, uid, status }),
            Err(why) => Err(Box::new((question, Answer::Unreachable(why.into())))),
        }
    }

    /// Whether there is a record of it, so that its absence would make it anew, or forget it.
    pub(super) fn is_recorded(&self) -> bool {
        matches!(self.question.ask, Ask::Read { .. })
    }

    /// What it says that this was found, nothing if it is proven not to be there, or why that is not known.
    pub(super) fn answer(self, found: Result<Option<&Json>, &CallError>) -> (Question, Answer) {
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
        // What an interrupted create was to make, or an import to take over, bears our mark. What does not is somebody else's, and ours is
        // not there.
        let ours = match self.status {
            Status::Interrupted(Operation::Create) => is_ours(live, &self.manager),
            Status::Interrupted(Operation::Import) => is_applied_by(live, &self.manager),
            _ => true,
        };
        if !ours {
            return Answer::Absent;
        }
        Answer::Present(observation(&*self.adapter.kind, &self.arguments, name, live, &self.manager))
    }
}

/// Looks up everything of one cluster, all kinds at once. Where nothing was heard of it yet, the first call decides whether it is there at all.
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
    let mut groups: Vec<_> = groups.into_iter().collect();
    // The least goes first, where all others wait for it.
    groups.sort_by_key(|(_, looks)| looks.len());
    let mut groups = groups.into_iter();
    if let Err(error) = first(cluster, &mut groups, &mut answers).await {
        answers.extend(groups.flat_map(|(_, looks)| blocked(Some(&error), looks)));
        answers.extend(blocked(Some(&error), sets));
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

/// Hears of a cluster, by the first kind that is looked up in it if there is any; or why it is not there.
async fn first<'a>(
    cluster: &Cluster,
    groups: &mut impl Iterator<Item = ((String, String), Vec<Look<'a>>)>,
    answers: &mut Vec<(Question, Answer)>,
) -> Result<(), CallError> {
    if cluster.was_heard() {
        return Ok(());
    }
    let Some((kind, looks)) = groups.next() else {
        return cluster.fresh_uid().await.map(drop).or_else(|error| if error.is_unreachable() { Err(error) } else { Ok(()) });
    };
    match look_up_kind(cluster, kind, looks).await {
        Ok(found) => answers.extend(found),
        Err((error, looks)) => {
            answers.extend(blocked(Some(&error), looks));
            return Err(error);
        }
    }
    Ok(())
}

/// The same answer to all.
pub(super) fn blocked(error: Option<&CallError>, looks: Vec<Look<'_>>) -> Vec<(Question, Answer)> {
    let why = error.map(ToString::to_string).unwrap_or_default();
    looks.into_iter().map(|look| (look.question, Answer::Unreachable(why.as_str().into()))).collect()
}
