//! The program of a plan: slots by number, instances and places by address.

use super::super::words_v1::{Words, is_false};
use super::addresses::Named;
use super::expressions::{Expressions, Listing};
use super::prior::PlaceV1;
use super::secrets::{Opened, secret_slots};
use super::values::{At, Values, Writing, present};
use engine::config::SlotId;
use engine::plan::{Op, Program, Slot, Target};
use engine::schema::Placeholders;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgramV1 {
    slots: Vec<SlotV1>,
    instances: Vec<(Named, u32)>,
    places: Vec<(Named, PlaceV1)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlotV1 {
    #[serde(rename = "do")]
    op: OpV1,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    needs: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetV1 {
    address: Named,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Words>,
    kind: Words,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place_slot: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<Named>,
    #[serde(default, skip_serializing_if = "is_false")]
    create_before_destroy: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    prevent_destroy: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OpV1 {
    Const(At),
    Eval(u32),
    /// An expression that is sealed, by its number among the secrets.
    Sealed(u32),
    Join,
    Render {
        address: Named,
        kind: Words,
        arguments: At,
        members: BTreeMap<Words, At>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        placeholders: BTreeMap<Words, At>,
    },
    Member {
        render: u32,
        key: Words,
    },
    Read {
        target: TargetV1,
        arguments: At,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        known: Option<At>,
    },
    Probe {
        target: TargetV1,
        arguments: At,
    },
    Look {
        target: TargetV1,
        arguments: At,
        planned: At,
        changes: Vec<String>,
    },
    Create {
        target: TargetV1,
        arguments: At,
        planned: At,
    },
    Settle {
        target: TargetV1,
        arguments: At,
    },
    Update {
        target: TargetV1,
        arguments: At,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        observed: Option<At>,
        planned: At,
    },
    Import {
        target: TargetV1,
        arguments: At,
        observed: At,
        planned: At,
    },
    Delete {
        target: TargetV1,
    },
    Forget {
        target: TargetV1,
        place: bool,
    },
    Record {
        target: TargetV1,
        attributes: At,
        uid: Option<Words>,
    },
    Assert {
        condition: At,
        message: At,
        address: Option<Named>,
    },
    Check {
        name: Words,
        assertions: Vec<(At, At)>,
        timeout: u64,
    },
    Output {
        name: Words,
        value: At,
        sensitive: bool,
    },
}

fn target_v1(target: &Target) -> TargetV1 {
    TargetV1 {
        address: Named(target.address.clone()),
        deposed: target.deposed.clone().map(Words),
        kind: Words(target.kind.clone()),
        place: target.place.clone().map(Named),
        place_slot: target.place_slot.map(|slot| slot.0),
        depends_on: target.depends_on.iter().cloned().map(Named).collect(),
        create_before_destroy: target.create_before_destroy,
        prevent_destroy: target.prevent_destroy,
        timeout: target.timeout,
    }
}

fn target(stored: TargetV1) -> Arc<Target> {
    Arc::new(Target {
        address: stored.address.0,
        deposed: stored.deposed.map(|key| key.0),
        kind: stored.kind.0,
        place: stored.place.map(|place| place.0),
        place_slot: stored.place_slot.map(SlotId),
        depends_on: stored.depends_on.into_iter().map(|address| address.0).collect(),
        create_before_destroy: stored.create_before_destroy,
        prevent_destroy: stored.prevent_destroy,
        timeout: stored.timeout,
    })
}

impl ProgramV1 {
    pub(super) fn of(program: &Program, values: &mut Writing<'_>, listing: &mut Listing) -> Self {
        let secret = secret_slots(program);
        let is_secret = |at: usize| u32::try_from(at).is_ok_and(|at| secret.contains(&at));
        let slots = program.slots.iter().enumerate().map(|(at, slot)| {
            let sealed = match &slot.op {
                Op::Eval(expression) if is_secret(at) => values.put_secret(expression).map(OpV1::Sealed),
                _ => None,
            };
            let op = sealed.unwrap_or_else(|| op_v1(&slot.op, values, listing));
            SlotV1 { op, needs: slot.needs.iter().map(|slot| slot.0).collect() }
        });
        Self {
            slots: slots.collect::<Vec<_>>(),
            instances: program.instances.iter().map(|(address, slot)| (Named(address.clone()), slot.0)).collect(),
            places: program.places.iter().map(|(address, place)| (Named(address.clone()), PlaceV1::of(place, values))).collect(),
        }
    }

    pub(super) fn read(self, values: &Values<'_>, expressions: &mut Expressions<'_>, secrets: &Opened) -> Result<Program, String> {
        let count = self.slots.len();
        let known = |slot: u32| if (slot as usize) < count { Ok(SlotId(slot)) } else { Err(format!("there is no slot {slot}")) };
        let slots = self.slots.into_iter().map(|slot| {
            let needs = slot.needs.into_iter().map(known).collect::<Result<_, _>>()?;
            let op = match slot.op {
                OpV1::Sealed(number) => secrets.op(number)?,
                plain => op(plain, values, expressions)?,
            };
            Ok(Slot { op, needs })
        });
        let slots = slots.collect::<Result<_, String>>()?;
        let instances = self.instances.into_iter().map(|(address, slot)| Ok((address.0, known(slot)?)));
        let places = self.places.into_iter().map(|(address, place)| Ok((address.0, place.read(values)?)));
        Ok(Program { slots, instances: instances.collect::<Result<_, String>>()?, places: places.collect::<Result<_, String>>()? })
    }
}

fn op_v1(op: &Op, values: &mut Writing<'_>, listing: &mut Listing) -> OpV1 {
    match op {
        Op::Const(value) => OpV1::Const(values.put(value)),
        Op::Eval(expression) => OpV1::Eval(listing.put(expression, values)),
        Op::Join => OpV1::Join,
        Op::Render { address, kind, arguments, members, placeholders } => OpV1::Render {
            address: Named(address.clone()),
            kind: Words(kind.clone()),
            arguments: values.put(arguments),
            members: members.iter().map(|(key, member)| (Words(key.clone()), values.put(member))).collect(),
            placeholders: placeholders.values().iter().map(|(text, value)| (Words(text.clone()), values.put(value))).collect(),
        },
        Op::Member { render, key } => OpV1::Member { render: render.0, key: Words(key.clone()) },
        Op::Assert { condition, message, address } => {
            OpV1::Assert { condition: values.put(condition), message: values.put(message), address: address.clone().map(Named) }
        }
        Op::Check { name, assertions, timeout } => {
            let assertions = assertions.iter().map(|(condition, message)| (values.put(condition), values.put(message)));
            OpV1::Check { name: Words(name.clone()), assertions: assertions.collect(), timeout: *timeout }
        }
        Op::Output { name, value, sensitive } => {
            OpV1::Output { name: Words(name.clone()), value: values.put(value), sensitive: *sensitive }
        }
        effect => effect_v1(effect, values),
    }
}

/// What has a target.
fn effect_v1(op: &Op, values: &mut Writing<'_>) -> OpV1 {
    match op {
        Op::Read { target, arguments, known } => {
            let (arguments, known) = (values.put(arguments), known.as_ref().map(|known| values.put(known)));
            OpV1::Read { target: target_v1(target), arguments, known }
        }
        Op::Probe { target, arguments } => OpV1::Probe { target: target_v1(target), arguments: values.put(arguments) },
        Op::Look { target, arguments, planned, changes } => OpV1::Look {
            target: target_v1(target),
            arguments: values.put(arguments),
            planned: values.put(planned),
            changes: changes.clone(),
        },
        Op::Create { target, arguments, planned } => {
            OpV1::Create { target: target_v1(target), arguments: values.put(arguments), planned: values.put(planned) }
        }
        Op::Settle { target, arguments } => OpV1::Settle { target: target_v1(target), arguments: values.put(arguments) },
        Op::Update { target, arguments, observed, planned } => OpV1::Update {
            target: target_v1(target),
            arguments: values.put(arguments),
            observed: observed.as_ref().map(|observed| values.put(observed)),
            planned: values.put(planned),
        },
        Op::Import { target, arguments, observed, planned } => OpV1::Import {
            target: target_v1(target),
            arguments: values.put(arguments),
            observed: values.put(observed),
            planned: values.put(planned),
        },
        Op::Delete { target } => OpV1::Delete { target: target_v1(target) },
        Op::Forget { target, place } => OpV1::Forget { target: target_v1(target), place: *place },
        Op::Record { target, attributes, uid } => {
            OpV1::Record { target: target_v1(target), attributes: values.put(attributes), uid: uid.clone().map(Words) }
        }
        _ => OpV1::Join,
    }
}

fn op(op: OpV1, values: &Values<'_>, expressions: &mut Expressions<'_>) -> Result<Op, String> {
    Ok(match op {
        OpV1::Const(at) => Op::Const(values.get(&at)?),
        OpV1::Eval(number) => Op::Eval(expressions.take(number)?),
        OpV1::Join => Op::Join,
        OpV1::Render { address, kind, arguments, members, placeholders } => {
            let read = |named: BTreeMap<Words, At>| {
                named.into_iter().map(|(key, at)| Ok((key.0, values.get(&at)?))).collect::<Result<BTreeMap<_, _>, String>>()
            };
            let (members, placeholders) = (read(members)?, Placeholders::new(read(placeholders)?));
            Op::Render { address: address.0, kind: kind.0, arguments: values.get(&arguments)?, members, placeholders }
        }
        OpV1::Member { render, key } => Op::Member { render: SlotId(render), key: key.0 },
        OpV1::Assert { condition, message, address } => {
            Op::Assert { condition: values.get(&condition)?, message: values.get(&message)?, address: address.map(|address| address.0) }
        }
        OpV1::Check { name, assertions, timeout } => {
            let assertions = assertions.iter().map(|(condition, message)| Ok((values.get(condition)?, values.get(message)?)));
            Op::Check { name: name.0, assertions: assertions.collect::<Result<_, String>>()?, timeout }
        }
        OpV1::Output { name, value, sensitive } => Op::Output { name: name.0, value: values.get(&value)?, sensitive },
        effect => self::effect(effect, values)?,
    })
}

fn effect(op: OpV1, values: &Values<'_>) -> Result<Op, String> {
    let get = |at: &At| values.get(at);
    let maybe = |at: &Option<At>| at.as_ref().map(|at| values.get(at)).transpose();
    Ok(match op {
        OpV1::Read { target: of, arguments, known } => Op::Read { target: target(of), arguments: get(&arguments)?, known: maybe(&known)? },
        OpV1::Probe { target: of, arguments } => Op::Probe { target: target(of), arguments: get(&arguments)? },
        OpV1::Look { target: of, arguments, planned, changes } => {
            Op::Look { target: target(of), arguments: get(&arguments)?, planned: get(&planned)?, changes }
        }
        OpV1::Create { target: of, arguments, planned } => {
            Op::Create { target: target(of), arguments: get(&arguments)?, planned: get(&planned)? }
        }
        OpV1::Settle { target: of, arguments } => Op::Settle { target: target(of), arguments: get(&arguments)? },
        OpV1::Update { target: of, arguments, observed, planned } => {
            Op::Update { target: target(of), arguments: get(&arguments)?, observed: maybe(&observed)?, planned: get(&planned)? }
        }
        OpV1::Import { target: of, arguments, observed, planned } => {
            Op::Import { target: target(of), arguments: get(&arguments)?, observed: get(&observed)?, planned: get(&planned)? }
        }
        OpV1::Delete { target: of } => Op::Delete { target: target(of) },
        OpV1::Forget { target: of, place } => Op::Forget { target: target(of), place },
        OpV1::Record { target: of, attributes, uid } => {
            Op::Record { target: target(of), attributes: get(&attributes)?, uid: uid.map(|uid| uid.0) }
        }
        _ => Op::Join,
    })
}
