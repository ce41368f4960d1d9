//! What is there of an object that is to be imported.

use super::ObjectProvider;
use super::target::{desired, manager_of};
use crate::import::as_found;
use crate::kind::Adapter;
use crate::object::{canonical, id_of};
use crate::object_kind::{Json, ObjectName};
use crate::observation::{observation, value_of};
use crate::ownership::other_records;
use engine::diagnostic::Diagnostic;
use engine::port::Connected;
use engine::question::{Answer, Proposal};
use engine::schema::{Kind as _, Presence};
use engine::value::Value;

impl ObjectProvider {
    /// The object that a proposal describes, as an observation whose `object` is all of it, with `attributes` and who else owns of it.
    pub(super) async fn look_at_import(&self, proposal: &Proposal, place: Option<&Connected>) -> Answer {
        match self.found(proposal, place).await {
            Ok(answer) => answer,
            Err(why) => Answer::Unreachable(why.into()),
        }
    }

    async fn found(&self, proposal: &Proposal, place: Option<&Connected>) -> Result<Answer, String> {
        let adapter = self.adapter(&proposal.kind)?;
        let (name, _) = desired(adapter, &proposal.arguments)?;
        let place = place.ok_or("its cluster is not known")?;
        let cluster = self.clusters.cluster(&place.connection).await?;
        let Some(live) = cluster.get(&name).await.map_err(|error| error.to_string())? else { return Ok(Answer::Absent) };
        if let Some(going) = going(&name, &live) {
            return Ok(Answer::Refused(going));
        }
        let manager = proposal.id.as_ref().map_or_else(|| "meshplan/plan".to_owned(), manager_of);
        Ok(Answer::Present(described(adapter, &proposal.arguments, (&name, &live), &manager)))
    }
}

/// Why an object is not imported that is being deleted.
pub(super) fn going(name: &ObjectName, live: &Json) -> Option<Diagnostic> {
    live.pointer("/metadata/deletionTimestamp")?;
    let detail = format!("`{name}` is being deleted");
    Some(Diagnostic::error("nothing to import", detail).help("Wait until it is gone, and let it be created."))
}

fn described(adapter: &Adapter, arguments: &Value, (name, live): (&ObjectName, &Json), manager: &str) -> Value {
    let seen = observation(&*adapter.kind, arguments, name, live, manager);
    let whole = canonical(&value_of(live));
    let attributes = attributes(adapter, arguments, name, live);
    let owners = Value::object(other_records(live, manager).into_iter().map(|(id, other)| (id, Value::string(other))));
    let forced = Value::bool(arguments.get("force").and_then(Value::as_bool) == Some(true));
    let kept = seen.entries().iter().filter(|entry| &*entry.key != "object").map(|entry| (entry.key.to_string(), entry.value.clone()));
    let more = [("object", whole), ("attributes", attributes), ("owners", owners), ("forced", forced)];
    Value::object(kept.chain(more.map(|(key, value)| (key.to_owned(), value))))
}

/// The kind's attributes as they are there: arguments as far as they speak of the object, else as given.
fn attributes(adapter: &Adapter, arguments: &Value, name: &ObjectName, live: &Json) -> Value {
    let found = as_found(&*adapter.kind, arguments, &value_of(live));
    let mut computed = adapter.kind.attributes(arguments, Some(live));
    computed.push(("id", Value::string(id_of(name))));
    Value::object(adapter.schema().attributes.iter().map(|attribute| {
        let known = |list: &[(&'static str, Value)]| list.iter().find(|(name, _)| *name == attribute.name).map(|(_, value)| value.clone());
        let given = || arguments.get(attribute.name).filter(|_| attribute.presence != Presence::Computed).cloned();
        let value = known(&found).or_else(given).or_else(|| known(&computed)).unwrap_or_else(Value::null);
        (attribute.name, value.sensitive_if(attribute.sensitive))
    }))
}
