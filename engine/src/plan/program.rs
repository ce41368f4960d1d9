//! The program of a plan: slots, each computed once, each after those it needs.

use crate::address::Address;
use crate::config::{Expr, SlotId};
use crate::schema::Placeholders;
use crate::state::Place;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One node of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// What it does.
    pub op: Op,
    /// The slots that must be finished before it starts. Values it reads are among them.
    pub needs: Vec<SlotId>,
}

/// The instance that an effect is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its address.
    pub address: Address,
    /// The deposed object that is meant, or the current one.
    pub deposed: Option<Arc<str>>,
    /// Its kind.
    pub kind: Arc<str>,
    /// The place it lies in.
    pub place: Option<Address>,
    /// The slot whose value is the place's instance, if the place is part of this plan.
    pub place_slot: Option<SlotId>,
    /// Direct edges to resources, for the record.
    pub depends_on: Vec<Address>,
    /// For the record.
    pub create_before_destroy: bool,
    /// For the record.
    pub prevent_destroy: bool,
    /// Longest wait of an operation in seconds, from `timeouts`.
    pub timeout: Option<u64>,
}

impl Target {
    /// The current object of an address, of which nothing else is said.
    pub fn of(address: Address) -> Self {
        Self {
            kind: address.kind.clone(),
            address,
            deposed: None,
            place: None,
            place_slot: None,
            depends_on: Vec::new(),
            create_before_destroy: false,
            prevent_destroy: false,
            timeout: None,
        }
    }
}

/// What a slot does. The value of an effect's slot is the instance with its attributes.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// A value known at plan.
    Const(Value),
    /// A deferred expression: its literals are templates, whose slots are among this slot's needs.
    Eval(Expr),
    /// A node that only joins others: many edges to many become two bundles.
    Join,
    /// Renders a manifest set; its value is an object of the members' arguments by member key.
    Render {
        /// The set's resource.
        address: Address,
        /// Its kind.
        kind: Arc<str>,
        /// Its arguments: a template, see [`Program`].
        arguments: Value,
        /// The members planned, with what was known of their arguments: only unknown parts may differ.
        members: BTreeMap<Arc<str>, Value>,
        /// What stands in them for what was not known when they were rendered outside, with templates of what it stands for.
        placeholders: Placeholders,
    },
    /// One member's arguments out of a rendering.
    Member {
        /// The rendering.
        render: SlotId,
        /// The member's key.
        key: Arc<str>,
    },
    /// Reads a data source.
    Read {
        /// The instance.
        target: Arc<Target>,
        /// Its arguments: a template, see [`Program`].
        arguments: Value,
        /// What it said while planning, if what it reads changes in place since: it must say so again.
        known: Option<Value>,
    },
    /// Reads a data source for a check. It never fails: what could not be read is a blocked value.
    Probe {
        /// The instance.
        target: Arc<Target>,
        /// Its arguments: a template, see [`Program`].
        arguments: Value,
    },
    /// Makes a thing.
    Create {
        /// The instance.
        target: Arc<Target>,
        /// Its arguments: a template, see [`Program`].
        arguments: Value,
        /// The planned attributes: what is known of them must come true.
        planned: Value,
    },
    /// Reads a thing that could not be reached when the plan was made from what is remembered. Another than that stops what needs it.
    Look {
        /// The instance.
        target: Arc<Target>,
        /// Its arguments: a template, see [`Program`].
        arguments: Value,
        /// The planned attributes: what is known of them must come true.
        planned: Value,
        /// Which parts of it are to change, and so may be other than remembered: the value is what was found, for the update. Without any
        /// it is the instance.
        changes: Vec<String>,
    },
    /// Waits for a thing.
    Settle {
        /// The instance.
        target: Arc<Target>,
        /// Its arguments: a template, see [`Program`].
        arguments: Value,
    },
    /// Changes a thing in place. It may turn out to be nothing.
    Update {
        /// The instance.
        target: Arc<Target>,
        /// Its arguments: a template, see [`Program`].
        arguments: Value,
        /// What was observed of it.
        observed: Option<Value>,
        /// The planned attributes: what is known of them must come true.
        planned: Value,
    },
    /// Takes over a thing that is there, and changes it in place where it is not as configured.
    Import {
        /// The instance.
        target: Arc<Target>,
        /// Its arguments: a template, see [`Program`].
        arguments: Value,
        /// What was found of it.
        observed: Value,
        /// The planned attributes: what is known of them must come true.
        planned: Value,
    },
    /// Deletes a thing through its recorded place.
    Delete {
        /// The instance.
        target: Arc<Target>,
    },
    /// Drops a record, or a place with all that lies within.
    Forget {
        /// The instance.
        target: Arc<Target>,
        /// Whether all within the place that this address describes goes with it.
        place: bool,
    },
    /// Refreshes what is remembered of a kept thing without touching it: new attributes, edges, address.
    Record {
        /// The instance.
        target: Arc<Target>,
        /// Its attributes.
        attributes: Value,
        /// The uid that was observed, if one was.
        uid: Option<Arc<str>>,
    },
    /// Stops what needs it unless the condition holds.
    Assert {
        /// The condition: a template.
        condition: Value,
        /// What is said if it does not hold: a template.
        message: Value,
        /// Whose pre- or postcondition it is.
        address: Option<Address>,
    },
    /// Evaluates a check. Failing is a warning, unless something waits for it.
    Check {
        /// Its name.
        name: Arc<str>,
        /// Conditions and messages: templates.
        assertions: Vec<(Value, Value)>,
        /// How long what needs it waits until it passes, in seconds, while its own data sources are read again.
        timeout: u64,
    },
    /// A root output.
    Output {
        /// Its name.
        name: Arc<str>,
        /// Its value: a template.
        value: Value,
        /// Whether it is sensitive.
        sensitive: bool,
    },
}

/// All slots. What a slot needs stands in it; indexes mean nothing.
///
/// Values in a program are *templates*: an unknown in one holds the slot that computes it (its [`Thunk`](crate::value::Thunk) is the
/// slot's index), an instance or reference stands for the slot of its address. Filling a template puts their values in place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Program {
    /// By [`SlotId`].
    pub slots: Vec<Slot>,
    /// The slot whose value is an instance with its attributes, by the instance's address. Instances that are kept and wholly known
    /// have a constant.
    pub instances: BTreeMap<Address, SlotId>,
    /// What is known of each place that a target lies in. Uid, server and CA of one that this plan makes are taken from its instance.
    pub places: BTreeMap<Address, Place>,
}

impl Op {
    /// The instance that the slot has an effect on or reads, if it has one.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Read { target, .. }
            | Self::Probe { target, .. }
            | Self::Look { target, .. }
            | Self::Create { target, .. }
            | Self::Settle { target, .. }
            | Self::Update { target, .. }
            | Self::Import { target, .. }
            | Self::Delete { target }
            | Self::Forget { target, .. }
            | Self::Record { target, .. } => Some(target),
            _ => None,
        }
    }
}
