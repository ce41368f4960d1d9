//! The order of an apply before it starts: which steps can run at once, and which only after others.

use super::program::{Op, Program, Target};
use super::{Action, Plan};
use crate::address::Address;
use crate::graph;

/// A step of an apply: an effect, a wait, or a read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<'a> {
    /// What it is about.
    pub target: &'a Target,
    /// What is done; [`Action::Settle`] for a wait.
    pub action: Action,
}

impl Step<'_> {
    /// How many requests it takes at the least, as far as providers that speak to an API are alike: one for an effect or a read; for a wait
    /// a look and a watch; for a delete the watch as well that tells when it is gone. What is only written down takes none.
    pub fn calls(&self) -> usize {
        match self.action {
            Action::Keep | Action::Forget | Action::Move => 0,
            Action::Create | Action::Update | Action::Import | Action::Read => 1,
            Action::Settle | Action::Delete | Action::Replace | Action::ReplaceCreateFirst => 2,
        }
    }

    /// Where its requests go: the place that it lies in, or is read from.
    pub fn place(&self) -> Option<&Address> {
        self.target.place.as_ref()
    }
}

impl Plan {
    /// The steps of an apply, in no order that counts.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.program.slots.iter().filter_map(|slot| step(&slot.op))
    }

    /// The steps of an apply in waves: each step stands in the first in which nothing that it needs is left to do. An apply does not wait for
    /// a wave to end; a step begins when what it needs is done.
    pub fn waves(&self) -> Vec<Vec<Step<'_>>> {
        waves(&self.program)
    }
}

fn waves(program: &Program) -> Vec<Vec<Step<'_>>> {
    let edges: Vec<(usize, usize)> =
        program.slots.iter().enumerate().flat_map(|(at, slot)| slot.needs.iter().map(move |needed| (at, needed.0 as usize))).collect();
    // A program has no circles: it could not be applied.
    let order = graph::order(program.slots.len(), &edges).unwrap_or_default();
    let mut done = vec![0_usize; program.slots.len()];
    let mut waves: Vec<Vec<Step<'_>>> = Vec::new();
    for at in order {
        let slot = &program.slots[at];
        let before = slot.needs.iter().map(|needed| done[needed.0 as usize]).max().unwrap_or(0);
        let step = step(&slot.op);
        done[at] = before + usize::from(step.is_some());
        if let Some(step) = step {
            if waves.len() <= before {
                waves.resize_with(before + 1, Vec::new);
            }
            waves[before].push(step);
        }
    }
    for wave in &mut waves {
        wave.sort_by(|a, b| (&a.target.address, &a.target.deposed, a.action).cmp(&(&b.target.address, &b.target.deposed, b.action)));
    }
    waves
}

fn step(op: &Op) -> Option<Step<'_>> {
    let action = match op {
        Op::Read { .. } | Op::Probe { .. } => Action::Read,
        Op::Create { .. } => Action::Create,
        Op::Settle { .. } => Action::Settle,
        Op::Update { .. } => Action::Update,
        Op::Import { .. } => Action::Import,
        Op::Delete { .. } => Action::Delete,
        Op::Forget { .. } => Action::Forget,
        _ => return None,
    };
    Some(Step { target: op.target()?, action })
}
