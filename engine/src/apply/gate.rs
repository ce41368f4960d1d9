//! Checks that something waits for: until one passes, what its own data sources read is read again.

use super::Event;
use super::run::Run;
use crate::config::SlotId;
use crate::plan::{CheckResult, CheckStatus};
use crate::port::Failure;
use crate::value::Value;
use std::sync::atomic::Ordering;

/// Longest pause between two looks, in seconds; the first is of one second, and each twice as long as the one before.
const LONGEST_PAUSE: u64 = 10;

/// A check that is waited for.
#[derive(Debug)]
pub(super) struct Gate {
    /// The time of day at the first look, in seconds.
    since: u64,
    /// Seconds of pauses so far: a clock may stand still or go backwards.
    paused: u64,
    next_pause: u64,
    /// What was told of it.
    told: Vec<String>,
    /// What is computed and read again.
    looks_at: Vec<SlotId>,
}

/// The time until a check is looked at again.
pub(super) struct Pause {
    pub(super) slot: SlotId,
    pub(super) seconds: u64,
}

impl Run<'_> {
    /// Takes note of what a check says. An unmet one fails only if something waits for it, and not before its time is up, if it may say
    /// something else by then. One that is not run will not be run a moment later.
    pub(super) fn checked(&mut self, slot: SlotId, result: CheckResult, timeout: u64) -> Result<(), Failure> {
        let shut = result.status != CheckStatus::Passed && self.walk.is_needed(slot);
        let not_run = result.status == CheckStatus::NotRun;
        if shut && !not_run && self.pauses_at(slot, &result, timeout) {
            return Ok(());
        }
        let waited = self.gates.remove(&slot).is_some_and(|gate| gate.paused > 0);
        let (name, detail) = (result.name.clone(), result.messages.join("; "));
        self.say(Event::Checked(result));
        if shut && not_run {
            return Err(Failure::new(
                "check not run",
                format!("`check.{name}` was not run, and something waits until it passes: {detail}"),
            ));
        }
        if shut {
            let within = if waited { format!(" did not pass within {timeout} seconds") } else { String::new() };
            return Err(Failure::new("check failed", format!("`check.{name}`{within}: {detail}")));
        }
        self.walk.finish(slot, Value::null());
        Ok(())
    }

    /// Whether a check is to be looked at again after a pause, which then is among those to begin.
    fn pauses_at(&mut self, slot: SlotId, result: &CheckResult, timeout: u64) -> bool {
        let now = self.effects.machine.now();
        let walk = &self.walk;
        let gate = self.gates.entry(slot).or_insert_with(|| {
            let looks_at = walk.probed_for(slot);
            Gate { since: now, paused: 0, next_pause: 1, told: Vec::new(), looks_at }
        });
        let left = timeout.saturating_sub(gate.paused.max(now.saturating_sub(gate.since)));
        if gate.looks_at.is_empty() || left == 0 {
            return false;
        }
        let seconds = gate.next_pause.min(left);
        gate.paused += seconds;
        gate.next_pause = (gate.next_pause * 2).min(LONGEST_PAUSE);
        let news = gate.told != result.messages;
        gate.told.clone_from(&result.messages);
        self.pauses.push(Pause { slot, seconds });
        if news {
            self.say(Event::Waits { check: result.name.clone(), messages: result.messages.clone(), left });
        }
        true
    }

    /// The pauses that are to begin.
    pub(super) fn take_pauses(&mut self) -> Vec<Pause> {
        std::mem::take(&mut self.pauses)
    }

    /// A pause is over: the check is looked at again, unless the run is to stop.
    pub(super) fn look_again(&mut self, slot: SlotId) {
        if self.effects.stop.load(Ordering::SeqCst) {
            return;
        }
        if let Some(gate) = self.gates.get(&slot) {
            self.walk.again(slot, &gate.looks_at);
        }
    }
}
