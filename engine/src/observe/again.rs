//! The world once more, for a plan that was made before: how its places are reached now, and whether what it stands on is still so.

use super::{Edge, Reached, answer, found};
use crate::address::{Address, Mode};
use crate::diagnostic::Problems;
use crate::plan::{Basis, Op, Plan, Slot, Target};
use crate::question::{Answer, Answers, Ask, Question, Questions};
use crate::state::{Connect, Place};
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something that is not as it was when a plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The thing.
    pub address: Address,
    /// How it differs, as words that fit after its address, such as "was deleted".
    pub how: String,
}

/// Asks in bulk for the places of a plan that was made before and for all that it stands on. Says what is not as it was; if nothing is
/// said, the plan knows how its places are reached now and may be applied. Fails if a provider does not take its settings.
pub async fn look_again(plan: &mut Plan, edge: Edge<'_>) -> Result<Vec<Moved>, Problems> {
    let registry = edge.registry.configured(&plan.providers)?;
    let edge = Edge { registry: &registry, ..edge };
    let mut moved = Vec::new();
    let places = answer(ask_places(plan), &|_, _| None, edge).await;
    let known = known_places(plan);
    for (address, place) in &known {
        match places.get(format!("place {address}").as_str()) {
            Some(Answer::Present(value)) => match (&place.uid, value.text("uid")) {
                (Some(was), Some(is)) if **was != *is => {
                    moved.push(Moved { address: address.clone(), how: format!("was `{was}` and leads to `{is}` now") });
                }
                _ => {}
            },
            Some(Answer::Absent) if stands_within(plan, address) => {
                moved.push(Moved { address: address.clone(), how: "is not there any more".to_owned() });
            }
            Some(Answer::Unreachable(why)) if stands_within(plan, address) || works_within(plan, address) => {
                moved.push(Moved { address: address.clone(), how: format!("cannot be reached: {why}") });
            }
            _ => {}
        }
    }
    plan.connections = known.keys().filter_map(|address| Some((address.clone(), connection(plan, address, &places)?))).collect();
    let left: Vec<_> = plan.left.keys().cloned().collect();
    plan.left = left.into_iter().filter_map(|address| Some((address.clone(), answered(&address, &places)?))).collect();
    if moved.is_empty() {
        moved = compare(plan, edge).await;
    }
    Ok(moved)
}

/// The places that the state remembers, and those that the plan describes anew as far as that is known.
fn known_places(plan: &Plan) -> BTreeMap<Address, Place> {
    let described = plan.program.places.iter().filter(|(address, place)| {
        let known = matches!(&place.connect, Connect::Source { arguments, .. } if arguments.is_constant());
        address.mode == Mode::Data && known && place.uid.is_some()
    });
    described.chain(&plan.prior.places).map(|(address, place)| (address.clone(), place.clone())).collect()
}

fn ask_places(plan: &Plan) -> Questions {
    let asks = known_places(plan).into_iter().map(|(address, place)| {
        let record = plan.prior.record(&address).cloned().map(Box::new);
        Question::new(Ask::Place { address, place: Box::new(place), record })
    });
    asks.map(|question| (question.key().clone(), question)).collect()
}

/// Whether the plan asks anything of a place as it is now: one that it makes, mends or removes is another by then, and one that it looks
/// into first is known to be out of reach.
fn works_within(plan: &Plan, place: &Address) -> bool {
    let targets = || plan.program.slots.iter().filter_map(|slot| called(&slot.op));
    let lies_within = |target: &Target| target.place.as_ref() == Some(place);
    let looks = |slot: &Slot| matches!(&slot.op, Op::Look { target, .. } if lies_within(target));
    targets().any(lies_within) && targets().all(|target| target.address != *place) && !plan.program.slots.iter().any(looks)
}

/// What a slot calls a provider for; what a check reads fails no apply.
fn called(op: &Op) -> Option<&Target> {
    match op {
        Op::Create { .. } | Op::Update { .. } | Op::Import { .. } | Op::Delete { .. } | Op::Settle { .. } | Op::Read { .. } => op.target(),
        _ => None,
    }
}

/// Whether the plan stands on anything within a place.
fn stands_within(plan: &Plan, place: &Address) -> bool {
    plan.basis.keys().any(|(address, deposed)| {
        let objects = plan.prior.resources.get(address);
        let record = objects.and_then(|objects| match deposed {
            None => objects.current.as_ref(),
            Some(key) => objects.deposed.get(key),
        });
        record.is_some_and(|record| record.place.as_ref() == Some(place))
    })
}

fn usable(value: &Value) -> bool {
    value.is_known() && !value.is_null()
}

fn answered(place: &Address, places: &Answers) -> Option<Value> {
    match places.get(format!("place {place}").as_str()) {
        Some(Answer::Present(value)) => value.get("connection").filter(|value| usable(value)).cloned(),
        _ => None,
    }
}

fn connection(plan: &Plan, place: &Address, places: &Answers) -> Option<Value> {
    answered(place, places).or_else(|| recorded(plan, place))
}

fn recorded(plan: &Plan, place: &Address) -> Option<Value> {
    plan.prior.record(place)?.attributes.get("connection").filter(|value| usable(value)).cloned()
}

/// Reads all that the plan stands on and says what is not as it was.
async fn compare(plan: &Plan, edge: Edge<'_>) -> Vec<Moved> {
    let questions = plan.basis.keys().filter_map(|(address, deposed)| {
        let objects = plan.prior.resources.get(address)?;
        let record = match deposed {
            None => objects.current.as_ref(),
            Some(key) => objects.deposed.get(key),
        };
        let ask = Ask::Read { address: address.clone(), deposed: deposed.clone(), record: Box::new(record?.clone()) };
        let question = Question::new(ask);
        Some((question.key().clone(), question))
    });
    let reached = |_: &Ask, place: &Address| -> Option<Reached> {
        let known = plan.left.get(place).or_else(|| plan.connections.get(place)).cloned();
        // Nothing is remembered in it yet, of which the state would keep how it is reached.
        let connection = known.or_else(|| recorded(plan, place))?;
        Some((connection, plan.prior.places.get(place).and_then(|place| place.uid.clone())))
    };
    let imports = found::imports(plan);
    let asked = imports.iter().map(|import| (import.question.key().clone(), import.question.clone()));
    let answers = answer(questions.chain(asked).collect(), &reached, edge).await;
    let remembered = plan.basis.iter().filter_map(|(thing, basis)| compared(plan, (thing, basis.as_ref()), &answers, edge));
    let imported = imports.iter().filter_map(|import| found::moved(plan, import, &answers, edge));
    remembered.chain(imported).collect()
}

/// How one thing differs from what it was, if it does.
fn compared(
    plan: &Plan,
    ((address, deposed), before): (&(Address, Option<Arc<str>>), Option<&Basis>),
    answers: &Answers,
    edge: Edge<'_>,
) -> Option<Moved> {
    let key = match deposed {
        None => format!("read {address}"),
        Some(deposed) => format!("read {address} deposed {deposed}"),
    };
    let how = match (answers.get(key.as_str())?, before) {
        (Answer::Absent, None) | (Answer::Conflict(_), _) => return None,
        (Answer::Absent, Some(_)) => "was deleted".to_owned(),
        (Answer::Present(_), None) => "was not there and is now".to_owned(),
        (Answer::Present(value), Some(before)) => {
            let objects = plan.prior.resources.get(address)?;
            let record = deposed.as_ref().map_or(objects.current.as_ref(), |key| objects.deposed.get(key))?;
            let kind = edge.registry.kind(Mode::Managed, &record.kind)?;
            before.differs(&Basis::of(&**kind, value, &plan.prior.secret_key), &kind.yielded(value))?
        }
        (Answer::Unreachable(why), _) => format!("cannot be observed: {why}"),
        (Answer::Refused(problem), _) => format!("cannot be observed: {}", problem.detail),
    };
    Some(Moved { address: address.clone(), how })
}
