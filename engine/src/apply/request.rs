//! From slots to requests.

mod rendering;

use super::drive::Effects;
use super::look;
use super::run::{Ended, Run, instance, recorded, stored};
use crate::address::{Address, Mode};
use crate::config::{Root, SlotId};
use crate::eval::{Arena, FileAnswer, Fill, Scope, Surroundings, fill, run};
use crate::plan::{Action, CheckResult, CheckStatus, Op, Target};
use crate::port::{Activity, Asked, BoxFuture, Done, Failure, Request};
use crate::question::{Answer, Ask, Question, wants_data_plane};
use crate::schema::{Comparison, Kind, Pair, Planned};
use crate::state::{Entry, Operation, RecordId, Status};
use crate::value::{Secrets, Thunk, Value};
use rendering::Rendering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An effect under way.
pub(super) struct Task {
    pub(super) target: Arc<Target>,
    pub(super) action: Action,
    /// The record's id.
    pub(super) id: RecordId,
    pub(super) kind: Arc<dyn Kind>,
    pub(super) arguments: Value,
    pub(super) planned: Option<Value>,
    /// Whether it counts against the limit of effects at once.
    counts: bool,
    /// Whether an intent was written before it.
    pub(super) intended: bool,
    /// Where its provider says what it is at.
    pub(super) activity: Activity,
    /// Whether it was done before: a look of a check that is not the first one.
    is_again: bool,
}

impl Task {
    /// What is shown of it. Steps without an effect outside are shown too: they are in the plan. What is read again is shown once.
    pub(super) fn shown(&self) -> Option<(Address, Action)> {
        (self.action != Action::Keep && !self.is_again).then(|| (self.target.address.clone(), self.action))
    }

    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// The path of an attribute that was known at plan and came out as something else.
    pub(super) fn contradiction(&self, attributes: &Value) -> Option<String> {
        let planned = self.planned.as_ref()?;
        planned.entries().iter().find_map(|entry| {
            let actual = attributes.get(&entry.key)?;
            differs(&entry.value, actual).then(|| entry.key.to_string())
        })
    }
}

/// Whether a value contradicts what was known of it. What was null or unknown, and references, do not.
fn differs(planned: &Value, actual: &Value) -> bool {
    if planned.is_null() || planned.instance().is_some() {
        return false;
    }
    if planned.is_known() {
        // Most are equal, and need no JSON to tell.
        return planned != actual && matches!((planned.to_json(), actual.to_json()), (Ok(planned), Ok(actual)) if planned != actual);
    }
    planned.entries().iter().any(|entry| actual.get(&entry.key).is_some_and(|actual| differs(&entry.value, actual)))
}

/// What is about to start: an effect once its intent is durable, or a rendering.
pub(super) struct Starting {
    slot: SlotId,
    work: Work,
}

enum Work {
    Effect(Box<Effect>),
    Rendering(Rendering),
}

struct Effect {
    task: Arc<Task>,
    request: Request,
    /// Whether it reads what there is a record of.
    looks: bool,
}

impl Starting {
    /// The effect, if it is one.
    pub(super) fn task(&self) -> Option<&Arc<Task>> {
        match &self.work {
            Work::Effect(effect) => Some(&effect.task),
            Work::Rendering(_) => None,
        }
    }

    /// Starts it.
    pub(super) fn begin(self, effects: Effects<'_>) -> BoxFuture<'_, Ended> {
        let Self { slot, work } = self;
        let Effect { task, request, looks } = match work {
            Work::Effect(effect) => *effect,
            Work::Rendering(rendering) => return rendering.begin(slot, effects),
        };
        let provider = effects.registry.provider(task.target.address.mode, &task.target.kind, &task.target.address).cloned();
        let secrets = secrets_of(&request);
        Box::pin(async move {
            let Some(provider) = provider else {
                return Ended { slot, result: Err(Failure::new("unknown kind", format!("nobody provides `{}`", task.target.kind))) };
            };
            let result = match task.action {
                Action::Create => provider.create(request).await,
                // Its record, which only the intent has so far, says what is there.
                Action::Update | Action::Import => provider.update(request).await,
                Action::Settle => provider.settle(request).await,
                Action::Delete => provider.delete(request).await.map(|()| Done::new(Value::null())),
                _ if looks => look(&*provider, request).await,
                _ => read(&*provider, request).await,
            };
            Ended { slot, result: result.map_err(|failure| without(failure, &secrets)) }
        })
    }
}

/// What a provider is told and must not tell: whoever it asks may repeat it.
fn secrets_of(request: &Request) -> Vec<Value> {
    let prior = request.prior.as_ref().map(|prior| &prior.attributes);
    [Some(&request.arguments), prior].into_iter().flatten().filter(|value| value.holds_sensitive()).cloned().collect()
}

fn without(failure: Failure, secrets: &[Value]) -> Failure {
    if secrets.is_empty() {
        return failure;
    }
    let detail = Secrets::of(secrets).hidden_in(&failure.detail);
    Failure { detail, ..failure }
}

async fn read(provider: &dyn crate::port::Provider, request: Request) -> Result<Done, Failure> {
    let ask = Ask::Data {
        address: request.address.clone(),
        kind: request.kind.clone(),
        place: request.place.as_ref().map(|place| place.address.clone()),
        arguments: request.arguments.clone(),
    };
    let asked = Asked { question: Question::new(ask), place: request.place };
    let answer = provider.answer(vec![asked]).await.into_iter().next().map(|(_, answer)| answer);
    match answer {
        Some(Answer::Present(value)) => {
            let given = request.arguments.entries().iter().filter(|entry| !entry.value.is_null());
            let answered = value.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone()));
            Ok(Done::new(Value::object(answered.chain(given.map(|entry| (entry.key.clone(), entry.value.clone()))))))
        }
        Some(Answer::Refused(problem)) => Err(Failure::new(problem.summary, problem.detail)),
        Some(Answer::Unreachable(why)) => Err(Failure::new("not read", why.to_string())),
        Some(Answer::Absent | Answer::Conflict(_)) | None => {
            Err(Failure::new("nothing to read", format!("what `{}` reads does not exist", request.address)))
        }
    }
}

async fn look(provider: &dyn crate::port::Provider, request: Request) -> Result<Done, Failure> {
    let address = request.address.clone();
    let answers = provider.answer(vec![look::asked(request)?]).await;
    look::told(&address, answers.into_iter().next().map(|(_, answer)| answer))
}

/// What becomes of a thing that was to change in place at most.
fn in_place(planned: Planned) -> Result<Planned, Failure> {
    match planned {
        Planned::Replace { because, .. } => {
            let detail = format!("`{}` cannot change in place, and the plan did not replace it; plan again", because.join("`, `"));
            Err(Failure::new("another action than planned", detail))
        }
        Planned::Refused(problem) => Err(Failure::new(problem.summary, problem.detail)),
        other => Ok(other),
    }
}

/// A message as people read it: never one that is hidden.
fn shown(message: &Value) -> &str {
    match message.as_str() {
        Some(_) if message.holds_sensitive() => "(the message is sensitive)",
        Some(_) if message.holds_ephemeral() => "(the message is ephemeral)",
        Some(text) => text,
        None => "an assertion does not hold",
    }
}

impl Run<'_> {
    /// Computes a slot, or prepares its effect. A slot that needs no effect is finished on the way.
    pub(super) fn prepare(&mut self, slot: SlotId) -> Result<Option<Starting>, Failure> {
        match self.walk.op(slot) {
            Op::Create { target, arguments, planned } => self.prepare_create(slot, target, arguments, planned).map(Some),
            Op::Update { target, arguments, observed, planned } => {
                self.prepare_update(slot, target, arguments, (observed.as_ref(), planned))
            }
            Op::Import { target, arguments, observed, planned } => {
                self.prepare_import(slot, target, arguments, (observed, planned)).map(Some)
            }
            Op::Settle { target, arguments } => {
                let arguments = self.filled(arguments);
                self.start(slot, (target, Action::Settle), arguments, None).map(Some)
            }
            Op::Look { target, arguments, planned, .. } => {
                let arguments = self.filled(arguments);
                self.start(slot, (target, Action::Read), arguments, Some(planned.clone())).map(Some)
            }
            Op::Delete { target } => self.prepare_delete(slot, target),
            Op::Read { target, arguments, known } => {
                let arguments = self.filled(arguments);
                self.start(slot, (target, Action::Read), arguments, known.clone()).map(Some)
            }
            Op::Probe { target, arguments } => {
                let arguments = self.filled(arguments);
                self.start(slot, (target, Action::Read), arguments, None).map(Some)
            }
            Op::Render { .. } => self.prepare_rendering(slot),
            _ => self.compute(slot).map(|()| None),
        }
    }

    fn compute(&mut self, slot: SlotId) -> Result<(), Failure> {
        let value = match self.walk.op(slot) {
            Op::Const(value) => self.filled(value),
            Op::Eval(expression) => {
                let mut nowhere = Names { now: self.effects.machine.now(), given: &self.plan.supplied };
                run(expression, self, &mut nowhere, &mut Arena::default()).map_err(|problems| said(&problems))?
            }
            Op::Member { render, key } => {
                self.walk.value(*render).and_then(|members| members.get(key)).cloned().unwrap_or_else(Value::null)
            }
            Op::Assert { condition, message, .. } => {
                if self.filled(condition).as_bool() != Some(true) {
                    let message = self.filled(message);
                    return Err(Failure::new("condition failed", shown(&message)));
                }
                Value::null()
            }
            Op::Check { name, assertions, timeout } => {
                let mut result = self.check(name, assertions);
                result.pairs = self.pairs(slot);
                return self.checked(slot, result, *timeout);
            }
            Op::Output { name, value, sensitive } => {
                let value = self.filled(value);
                self.output(name, stored(&value.written_out()), *sensitive);
                value
            }
            Op::Forget { target, place } => {
                if *place {
                    self.write(Entry::RemovePlace { address: target.address.clone() });
                }
                self.write(Entry::Remove { address: target.address.clone(), deposed: target.deposed.clone() });
                Value::null()
            }
            Op::Record { target, attributes, uid } => {
                let attributes = self.filled(attributes);
                self.put_again(target, &attributes, uid.clone())?;
                instance(&target.address, &attributes)
            }
            _ => Value::null(),
        };
        self.walk.finish(slot, value);
        Ok(())
    }

    fn check(&mut self, name: &Arc<str>, assertions: &[(Value, Value)]) -> CheckResult {
        let mut result = CheckResult { name: name.clone(), status: CheckStatus::Passed, messages: Vec::new(), pairs: Vec::new() };
        let mut no_data_plane = None;
        for (condition, message) in assertions {
            let condition = self.filled(condition);
            if let Some(why) = condition.blocked_why() {
                if wants_data_plane(&why) {
                    no_data_plane = Some(why.to_string());
                    continue;
                }
                result.status = CheckStatus::Failed;
                result.messages.push(if self.misread.contains(&why) {
                    why.to_string()
                } else {
                    format!("it could not be observed: {why}")
                });
            } else if condition.as_bool() != Some(true) {
                result.status = CheckStatus::Failed;
                result.messages.push(shown(&self.filled(message)).to_owned());
            }
        }
        // What fails says more than what could not be tried.
        match no_data_plane {
            Some(why) if result.status == CheckStatus::Passed => CheckResult { status: CheckStatus::NotRun, messages: vec![why], ..result },
            _ => result,
        }
    }

    /// What the data sources of a check say of pairs.
    fn pairs(&self, check: SlotId) -> Vec<Pair> {
        let read = self.walk.probed_for(check).into_iter().filter_map(|slot| match self.walk.op(slot) {
            Op::Probe { target, .. } => Some(self.kind(target).ok()?.pairs(&self.walk.value(slot)?.instance()?.attributes)),
            _ => None,
        });
        read.flatten().collect()
    }

    fn prepare_create(&mut self, slot: SlotId, target: &Arc<Target>, arguments: &Value, planned: &Value) -> Result<Starting, Failure> {
        let arguments = self.filled(arguments);
        if let Some(key) = self.deposed_key(&target.address) {
            self.write(Entry::Depose { address: target.address.clone(), key });
        }
        self.put_place(target)?;
        self.start(slot, (target, Action::Create), arguments, Some(planned.clone()))
    }

    fn prepare_update(
        &mut self,
        slot: SlotId,
        target: &Arc<Target>,
        template: &Value,
        (observed, planned): (Option<&Value>, &Value),
    ) -> Result<Option<Starting>, Failure> {
        let arguments = self.filled(template);
        let is_found_now = observed.is_some_and(|observed| !observed.is_constant());
        let observed = observed.map(|observed| self.filled(observed));
        if !template.is_constant() || is_found_now {
            let kind = self.kind(target)?;
            let prior = self.state.record(&target.address).cloned();
            let comparison = Comparison {
                desired: &arguments,
                prior: prior.as_ref(),
                observed: observed.as_ref(),
                preview: None,
                previewable: false,
                secret_key: &self.plan.prior.secret_key,
            };
            // An update may turn out to be nothing; every other difference stops the branch.
            if let Planned::Keep(attributes) = in_place(kind.planned(comparison))? {
                self.put_again(target, &attributes, None)?;
                self.walk.finish(slot, instance(&target.address, &attributes));
                return Ok(None);
            }
        }
        self.put_place(target)?;
        self.start(slot, (target, Action::Update), arguments, Some(planned.clone())).map(Some)
    }

    fn prepare_import(
        &mut self,
        slot: SlotId,
        target: &Arc<Target>,
        template: &Value,
        (observed, planned): (&Value, &Value),
    ) -> Result<Starting, Failure> {
        let arguments = self.filled(template);
        if !template.is_constant() {
            let comparison = Comparison {
                desired: &arguments,
                prior: None,
                observed: Some(observed),
                preview: None,
                previewable: false,
                secret_key: &self.plan.prior.secret_key,
            };
            in_place(self.kind(target)?.planned(comparison))?;
        }
        self.put_place(target)?;
        self.start(slot, (target, Action::Import), arguments, Some(planned.clone()))
    }

    fn prepare_delete(&mut self, slot: SlotId, target: &Arc<Target>) -> Result<Option<Starting>, Failure> {
        let Some(attributes) = recorded(&self.state, target).map(|record| record.attributes.clone()) else {
            self.walk.finish(slot, Value::null());
            return Ok(None);
        };
        self.start(slot, (target, Action::Delete), attributes, None).map(Some)
    }

    /// Prepares an effect and writes its intent.
    fn start(
        &mut self,
        slot: SlotId,
        (target, action): (&Arc<Target>, Action),
        arguments: Value,
        planned: Option<Value>,
    ) -> Result<Starting, Failure> {
        let kind = self.kind(target)?;
        let outside = kind.schema().outside;
        let mut prior = recorded(&self.state, target).cloned().filter(|_| action != Action::Create);
        // What an interrupted create asked for may still come into being, with the mark of its record: it is the same one that is done again.
        let known = recorded(&self.state, target).filter(|known| prior.is_some() || known.status == Status::Interrupted(Operation::Create));
        let id = known.map_or_else(|| self.effects.machine.record_id(), |known| known.id.clone());
        let operation = match action {
            Action::Create => Some(Operation::Create),
            Action::Update => Some(Operation::Update),
            Action::Delete => Some(Operation::Delete),
            Action::Import => Some(Operation::Import),
            _ => None,
        };
        let activity = Activity::default();
        let task = Arc::new(Task {
            target: target.clone(),
            action,
            id: id.clone(),
            kind,
            arguments: arguments.clone(),
            planned,
            counts: action == Action::Read || (outside && operation.is_some()),
            intended: outside && operation.is_some(),
            activity: activity.clone(),
            is_again: self.walk.is_again(slot),
        });
        if let (Some(operation), true) = (operation, outside) {
            let mut record = self.intended(&task, operation, prior.as_ref());
            if let Op::Import { observed, .. } = self.walk.op(slot) {
                record.uid = observed.text("uid").map(Arc::from);
                prior = Some(record.clone());
            }
            self.write(Entry::Intent { address: target.address.clone(), deposed: target.deposed.clone(), record });
        }
        let request = Request {
            address: target.address.clone(),
            kind: target.kind.clone(),
            id,
            place: self.connected(target, action),
            arguments,
            prior,
            timeout: target.timeout,
            now: self.effects.machine.now(),
            secret_key: self.secret_key.clone(),
            activity,
        };
        let looks = matches!(self.walk.op(slot), Op::Look { .. });
        Ok(Starting { slot, work: Work::Effect(Box::new(Effect { task, request, looks })) })
    }

    pub(super) fn kind(&self, target: &Target) -> Result<Arc<dyn Kind>, Failure> {
        let kind = self.effects.registry.kind(target.address.mode, &target.kind);
        // A member's kind is not its address's.
        let kind = kind.or_else(|| self.effects.registry.kind(Mode::Managed, &target.kind));
        kind.cloned().ok_or_else(|| Failure::new("unknown kind", format!("nobody provides `{}`", target.kind)))
    }

    fn filled(&mut self, template: &Value) -> Value {
        fill(template, self)
    }
}

impl Fill for Run<'_> {
    fn thunk(&mut self, thunk: Thunk) -> Value {
        self.walk.value(SlotId(thunk.0)).cloned().unwrap_or_else(Value::null)
    }

    fn instance(&mut self, address: &Address) -> Option<Value> {
        self.walk.instance(address).cloned()
    }
}

fn said(problems: &[crate::diagnostic::Diagnostic]) -> Failure {
    let details: Vec<_> = problems.iter().map(|problem| problem.detail.clone()).collect();
    Failure::new(problems.first().map_or("evaluation failed", |problem| problem.summary.as_str()), details.join("; "))
}

/// A program has no names but those of inputs that are given with it: whatever else it reads stands in its slots.
struct Names<'a> {
    /// The time of day, in seconds since 1970.
    now: u64,
    /// What a plan out of a file left open.
    given: &'a BTreeMap<Arc<str>, Value>,
}

impl Scope for Names<'_> {
    fn resolve(&mut self, root: &Root, span: crate::source::Span, _: &mut Arena) -> Result<Value, crate::diagnostic::Problems> {
        if let Root::Variable(name) = root
            && let Some(value) = self.given.get(name)
        {
            return Ok(value.clone());
        }
        Err(vec![crate::diagnostic::Diagnostic::error("name in a program", "a deferred expression still holds a name").at(span)])
    }

    fn file(&mut self, path: &str) -> FileAnswer {
        FileAnswer::Refused(format!("`{path}` would be read at apply, and a plan must have read every file"))
    }

    fn files(&mut self, directory: &str, _: Option<usize>) -> FileAnswer {
        self.file(directory)
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings { applied_at: Some(self.now), ..Surroundings::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Expr, Node, Root, parse_expression};
    use crate::eval::evaluate;
    use crate::source::{FileId, Span};

    #[test]
    fn at_apply_no_expression_reaches_beyond_the_slots_of_its_program() {
        let at = Span::new(FileId(0), 0..1);
        for (expression, expected) in [
            (Expr::new(Node::Root(Root::Variable("x".into())), at), "name in a program: a deferred expression still holds a name"),
            (Expr::new(Node::Slot(SlotId(0)), at), "not a program: a slot has a value only while a plan is applied"),
            (
                parse_expression("file(\"x\")", FileId(0)).unwrap(),
                "unsuitable argument: the `path` of `file` leads to a file that cannot be read: `x` would be read at apply, and a plan must \
                 have read every file",
            ),
        ] {
            let problems = evaluate(&expression, &mut Names { now: 0, given: &BTreeMap::new() }, &mut Arena::default()).unwrap_err();
            assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
        }
    }
}
