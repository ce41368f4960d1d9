//! Manifest sets, rendered once more with what was not known when they were planned.

use super::super::drive::Effects;
use super::super::run::{Ended, Run};
use super::{Starting, Work, differs};
use crate::address::{Address, Mode};
use crate::config::SlotId;
use crate::plan::Op;
use crate::port::{Asked, BoxFuture, Done, Failure};
use crate::question::{Answer, Ask, Question};
use crate::schema::{Placeholders, Problem};
use crate::value::{Secrets, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is asked of a provider that renders.
pub(super) struct Rendering {
    address: Address,
    kind: Arc<str>,
    provider: Arc<str>,
    input: Value,
}

impl Rendering {
    /// Asks; the value that is answered stands in the outcome's attributes.
    pub(super) fn begin(self, slot: SlotId, effects: Effects<'_>) -> BoxFuture<'_, Ended> {
        Box::pin(async move { Ended { slot, result: self.answered(effects).await.map(Done::new) } })
    }

    async fn answered(self, effects: Effects<'_>) -> Result<Value, Failure> {
        let Self { address, kind, provider: configuration, input } = self;
        let provider = effects.registry.provider(Mode::Managed, &kind, &address).cloned();
        let provider = provider.ok_or_else(|| Failure::new("unknown kind", format!("nobody provides `{kind}`")))?;
        let secrets = Secrets::of([&input]);
        let is_sensitive = input.holds_sensitive();
        let failed = |why: &str| Err(Failure::new("not rendered", format!("`{address}` could not be rendered: {why}")));
        let question = Question::new(Ask::Render { address: address.clone(), kind, provider: configuration, input });
        let answer = provider.answer(vec![Asked { question, place: None }]).await.into_iter().next().map(|(_, answer)| answer);
        match answer.map(|answer| answer.without(&secrets)) {
            Some(Answer::Present(rendered)) => Ok(rendered.sensitive_if(is_sensitive)),
            Some(Answer::Refused(problem)) => failed(&format!("{}: {}", problem.summary, problem.detail)),
            Some(Answer::Unreachable(why)) => failed(&why),
            Some(Answer::Absent | Answer::Conflict(_)) | None => failed("its provider gave no answer"),
        }
    }
}

impl Run<'_> {
    /// Renders a set, or prepares to ask for it.
    pub(super) fn prepare_rendering(&mut self, slot: SlotId) -> Result<Option<Starting>, Failure> {
        let Op::Render { address, kind, arguments, .. } = self.walk.op(slot) else { return Ok(None) };
        let filled = self.filled(arguments);
        let known = self.effects.registry.kind(Mode::Managed, kind).cloned();
        let Some(rendering) = known.and_then(|known| known.rendering(&filled)) else {
            let value = self.members_again(slot, None)?;
            self.walk.finish(slot, value);
            return Ok(None);
        };
        let rendering = rendering.and_then(|rendering| Placeholders::put(&rendering)).map_err(failed)?;
        let provider = self.plan.providers.configuration(address, self.effects.registry.catalogue());
        let rendering = Rendering { address: address.clone(), kind: kind.clone(), provider, input: rendering.0 };
        Ok(Some(Starting { slot, work: Work::Rendering(rendering) }))
    }

    /// A set was rendered once more, or could not be.
    pub(in crate::apply) fn rendered(&mut self, ended: Ended) {
        let value = ended.result.and_then(|done| self.members_again(ended.slot, Some(&done.attributes)));
        match value {
            Ok(value) => self.walk.finish(ended.slot, value),
            Err(failure) => self.failed(ended.slot, &failure),
        }
    }

    /// The members of a set by key, if they are those that were planned.
    fn members_again(&mut self, slot: SlotId, rendered: Option<&Value>) -> Result<Value, Failure> {
        let Op::Render { address, kind, arguments, members: planned, placeholders } = self.walk.op(slot) else {
            return Ok(Value::null());
        };
        let different = |detail: String| Failure::new("rendered differently", format!("`{address}`: {detail}"));
        let arguments = self.filled(arguments);
        let known = self.effects.registry.kind(Mode::Managed, kind).ok_or_else(|| different("its kind is not known".to_owned()))?;
        let members = match rendered {
            Some(rendered) => known.rendered(&arguments, rendered),
            None => known.members(&arguments).ok_or_else(|| different("it renders nothing".to_owned()))?,
        };
        let members = members.map_err(|problem| different(problem.detail))?;
        let filled: BTreeMap<_, _> = placeholders.values().iter().map(|(text, value)| (text.clone(), self.filled(value))).collect();
        let filled = Placeholders::new(filled);
        for member in &members {
            let planned = planned.get(member.key.as_str()).ok_or_else(|| different(format!("`{}` was not planned", member.key)))?;
            if rendered.is_none() && differs(planned, &member.arguments) {
                return Err(different(format!("`{}` is not what was planned", member.key)));
            }
            if let Some(path) = filled.departure(planned, &member.arguments).filter(|_| rendered.is_some()) {
                return Err(different(format!("`{path}` of `{}` is not what was planned", member.key)));
            }
        }
        if members.len() != planned.len() {
            let missing = planned.keys().find(|key| !members.iter().any(|member| member.key == ***key));
            let missing =
                missing.filter(|_| rendered.is_some()).map_or("a planned member".to_owned(), |key| format!("`{key}`, which was planned,"));
            return Err(different(format!("{missing} is missing")));
        }
        Ok(Value::object(members.into_iter().map(|member| (member.key, member.arguments))))
    }
}

fn failed(problem: Problem) -> Failure {
    Failure::new(problem.summary, problem.detail)
}
