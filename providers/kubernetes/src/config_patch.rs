//! `kubernetes_config_patch`: some keys of a YAML or JSON text that one key of a `ConfigMap` holds.

mod keys;
mod kind;
mod write;

use crate::client::{CallError, Clusters};
use crate::document::parse;
use crate::object_kind::{Json, ObjectName};
use crate::procedure::Procedure;
use engine::diagnostic::Diagnostic;
use engine::port::{BoxFuture, Connected, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::Kind;
use engine::state::Record;
use engine::value::Value;
use kind::ConfigPatchKind;
use std::sync::Arc;

/// The effects of `kubernetes_config_patch`.
pub(crate) struct ConfigPatch {
    kind: Arc<ConfigPatchKind>,
    clusters: Clusters,
}

impl ConfigPatch {
    /// With a way to clusters.
    pub(crate) fn new(clusters: Clusters) -> Self {
        Self { kind: Arc::default(), clusters }
    }

    /// What the keys hold now: the observed shape is `{ values }`.
    async fn observe(&self, attributes: &Value, uid: Option<&str>, place: Option<&Connected>) -> Result<Answer, String> {
        let target = Target::of(attributes);
        let place = place.ok_or("its cluster is not known")?;
        let cluster = self.clusters.cluster(&place.connection).await?;
        let live = cluster.get(&target.name).await.map_err(|error: CallError| error.to_string())?;
        let Some(live) = live.filter(|live| uid.is_none() || uid_of(live) == uid) else { return Ok(Answer::Absent) };
        let Some(text) = target.text(&live) else { return Ok(Answer::Absent) };
        let held = match parse(text) {
            Ok(held) => held,
            Err(why) => {
                let problem = Diagnostic::error("text not readable", format!("`{target}` {why}"));
                return Ok(Answer::Refused(problem.help("Only YAML and JSON with keys can be patched.")));
            }
        };
        let wanted = keys::leaves(attributes.get("values"));
        let values = keys::picked(&held, &wanted);
        let sensitive = attributes.get("values").is_some_and(Value::holds_sensitive);
        Ok(Answer::Present(Value::object([("values", Value::from_json(&values).sensitive_if(sensitive))])))
    }
}

/// One key of a `ConfigMap`.
pub(crate) struct Target {
    name: ObjectName,
    key: String,
}

impl Target {
    fn of(attributes: &Value) -> Self {
        let text = |name| attributes.text(name).unwrap_or_default();
        Self { name: ObjectName::within("v1", "ConfigMap", text("namespace"), text("name")), key: text("key").to_owned() }
    }

    fn text<'a>(&self, live: &'a Json) -> Option<&'a str> {
        live.get("data")?.get(&self.key)?.as_str()
    }

    /// Why there is nothing to patch.
    fn missing(&self, live: Option<&Json>) -> Failure {
        let what = if live.is_some() { format!("has no key `{}`", self.key) } else { "is not there".to_owned() };
        Failure::new("nothing to patch", format!("`{}` {what}; only keys within a text that somebody else makes are patched", self.name))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.key)
    }
}

fn uid_of(live: &Json) -> Option<&str> {
    live.pointer("/metadata/uid").and_then(Json::as_str)
}

impl Procedure for ConfigPatch {
    fn kind(&self) -> Arc<dyn Kind> {
        self.kind.clone()
    }

    fn read<'a>(&'a self, record: &'a Record, place: Option<&'a Connected>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let observed = self.observe(&record.attributes, record.uid.as_deref(), place).await;
            observed.unwrap_or_else(|why| Answer::Unreachable(why.into()))
        })
    }

    fn preview<'a>(&'a self, proposal: &'a Proposal, place: Option<&'a Connected>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            match self.observe(&proposal.arguments, None, place).await {
                Ok(Answer::Absent) => {
                    let target = Target::of(&proposal.arguments);
                    let detail = format!("there is no `{target}`; only keys within a text that somebody else makes are patched");
                    Answer::Refused(Diagnostic::error("nothing to patch", detail).help("Let `depends_on` name what brings it."))
                }
                Ok(answer) => answer,
                Err(why) => Answer::Unreachable(why.into()),
            }
        })
    }

    fn create<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn settle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn update<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn delete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.give_back(request))
    }
}
