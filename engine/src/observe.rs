//! Planning with the world: the walk's questions are answered in bulk, per provider, until none is left. And the world once more, for a
//! plan that was made before.

mod again;
mod found;

pub use again::{Moved, look_again};

use crate::address::{Address, Mode};
use crate::config::Config;
use crate::diagnostic::Problems;
use crate::plan::{Described, Inputs, Plan, Undescribed, Walk};
use crate::port::{Asked, BoxFuture, Connected, Files, Provider, Registry};
use crate::question::{Answer, Answers, Ask, Questions};
use crate::state::State;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What planning needs of the edge.
#[derive(Clone, Copy)]
pub struct Edge<'a> {
    /// Every kind.
    pub registry: &'a Registry,
    /// Files that functions read.
    pub files: &'a dyn Files,
}

/// Makes a plan: walks, asks, and walks on until no question is left. Problems stand in [`Plan::diagnostics`].
pub async fn plan(config: &Config, state: State, inputs: Inputs, edge: Edge<'_>) -> Plan {
    let mut walk = Walk::new(config, edge.registry.catalogue(), state, inputs);
    let registry = configured(&mut walk, edge.registry);
    let edge = Edge { registry: &registry, ..edge };
    let mut answers = Answers::new();
    loop {
        let questions = walk.step(&answers);
        if questions.is_empty() {
            return walk.finish();
        }
        answers = answer(questions, &|ask, place| reached(&walk, ask, place), edge).await;
    }
}

/// As [`plan`], asking nothing that is answered in `known`, to which the new answers are added.
pub async fn plan_again(config: &Config, state: State, inputs: Inputs, edge: Edge<'_>, known: &mut Answers) -> Plan {
    finished(config, state, inputs, edge, known).await.finish()
}

/// Walks as [`plan_again`] does, and asks the finished walk instead of making its plan.
pub async fn ask_again<T>(
    (config, state, inputs): (&Config, State, Inputs),
    edge: Edge<'_>,
    known: &mut Answers,
    ask: impl FnOnce(&mut Walk<'_>) -> T,
) -> T {
    ask(&mut finished(config, state, inputs, edge, known).await)
}

async fn finished<'e>(config: &Config, state: State, inputs: Inputs, edge: Edge<'e>, known: &mut Answers) -> Walk<'e> {
    let mut walk = Walk::new(config, edge.registry.catalogue(), state, inputs);
    let registry = configured(&mut walk, edge.registry);
    let edge = Edge { registry: &registry, ..edge };
    loop {
        let questions = walk.step(known);
        if questions.is_empty() {
            return walk;
        }
        known.extend(answer(questions, &|ask, place| reached(&walk, ask, place), edge).await);
    }
}

/// How things are that `import` blocks name and no block of a resource describes, in the order of their addresses; or why that cannot be told. What was asked for it
/// stands in `known` for [`plan_again`].
pub async fn describe(
    config: &Config,
    state: State,
    inputs: Inputs,
    edge: Edge<'_>,
    known: &mut Answers,
) -> Result<Vec<Described>, Problems> {
    let inputs = Inputs { undescribed: Undescribed::Asked, ..inputs };
    let mut walk = Walk::new(config, edge.registry.catalogue(), state, inputs);
    let registry = configured(&mut walk, edge.registry);
    let edge = Edge { registry: &registry, ..edge };
    loop {
        let questions = walk.step(known);
        if questions.is_empty() {
            break;
        }
        known.extend(answer(questions, &|ask, place| reached(&walk, ask, place), edge).await);
    }
    let described = walk.take_described();
    let plan = walk.finish();
    if plan.is_errored() { Err(plan.diagnostics) } else { Ok(described) }
}

/// The providers as the walk's configuration configures them; what they do not take ends the walk.
fn configured(walk: &mut Walk<'_>, registry: &Registry) -> Registry {
    registry.configured(walk.providers()).unwrap_or_else(|problems| {
        walk.refuse(problems);
        registry.clone()
    })
}

/// How a place is reached: the value of its attribute `connection`, and its uid if that is known.
type Reached = (Value, Option<Arc<str>>);

/// How a walk reaches the place that a question goes to: what is recorded is read where it was made.
fn reached(walk: &Walk<'_>, ask: &Ask, place: &Address) -> Option<Reached> {
    if matches!(ask, Ask::Read { .. } | Ask::Users { .. }) { walk.reached_before(place) } else { walk.reached(place) }
}

/// Answers every question: all providers at once, each with all that is its to answer.
async fn answer(questions: Questions, reached: &(dyn Fn(&Ask, &Address) -> Option<Reached> + Sync), edge: Edge<'_>) -> Answers {
    let mut answers = Answers::new();
    let mut batches: BTreeMap<usize, (Arc<dyn Provider>, Vec<Asked>)> = BTreeMap::new();
    for question in questions.into_values() {
        if let Ask::File { path } = &question.ask {
            answers.insert(question.key().clone(), edge.files.read(path));
            continue;
        }
        if let Ask::Files { directory, depth } = &question.ask {
            answers.insert(question.key().clone(), edge.files.list(directory, *depth));
            continue;
        }
        let Some(Addressee { mode, kind, place, about }) = addressee(&question.ask) else { continue };
        let Some(provider) = edge.registry.provider(mode, &kind, about) else {
            let why = format!("nobody provides `{kind}`");
            answers.insert(question.key().clone(), Answer::Unreachable(why.into()));
            continue;
        };
        let place = match place {
            None => None,
            Some(address) => {
                if let Some((connection, uid)) = reached(&question.ask, &address) {
                    Some(Connected { address, connection, uid })
                } else {
                    let why = format!("how to reach `{address}` is not known");
                    answers.insert(question.key().clone(), Answer::Unreachable(why.into()));
                    continue;
                }
            }
        };
        let identity = Arc::as_ptr(provider).cast::<()>() as usize;
        batches.entry(identity).or_insert_with(|| (provider.clone(), Vec::new())).1.push(Asked { question, place });
    }
    let batches: Vec<_> = batches.into_values().collect();
    let asked: Vec<BoxFuture<'_, _>> = batches.iter().map(|(provider, asked)| provider.answer(asked.clone())).collect();
    for batch in futures::future::join_all(asked).await {
        answers.extend(batch.into_iter().map(|(question, answer)| (question.key().clone(), answer)));
    }
    for (_, asked) in batches {
        for asked in asked {
            // A provider that leaves a question out must not make the walk ask for ever.
            let unanswered = || Answer::Unreachable("its provider gave no answer".into());
            answers.entry(asked.question.key().clone()).or_insert_with(unanswered);
        }
    }
    answers
}

/// Whose question it is.
struct Addressee<'q> {
    mode: Mode,
    kind: Arc<str>,
    /// The place that it goes to.
    place: Option<Address>,
    /// What it is about.
    about: &'q Address,
}

/// Whose question it is; nobody's if it is about files.
fn addressee(ask: &Ask) -> Option<Addressee<'_>> {
    let (mode, kind, place, about) = match ask {
        Ask::Place { address, place, .. } => (address.mode, &place.kind, None, address),
        Ask::Read { address, record, .. } | Ask::Users { address, record } => (Mode::Managed, &record.kind, record.place.clone(), address),
        Ask::Exists(proposal) | Ask::Import(proposal) | Ask::Preview(proposal) | Ask::Obstacles(proposal) => {
            (Mode::Managed, &proposal.kind, proposal.place.clone(), &proposal.address)
        }
        Ask::Describe { address, kind, place, .. } => (Mode::Managed, kind, place.clone(), address),
        Ask::Render { address, kind, .. } => (Mode::Managed, kind, None, address),
        Ask::Data { address, kind, place, .. } => (Mode::Data, kind, place.clone(), address),
        Ask::File { .. } | Ask::Files { .. } => return None,
    };
    Some(Addressee { mode, kind: kind.clone(), place, about })
}
