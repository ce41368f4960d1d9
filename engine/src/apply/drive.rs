//! The loop that performs a plan: the only place where effects happen.

use super::gate::Pause;
use super::run::{Ended, Run};
use super::{Driven, Event, Summary};
use crate::plan::Plan;
use crate::port::{BoxFuture, Done, Guard, Machine, Registry};
use crate::value::Value;
use futures::FutureExt;
use futures::stream::{FuturesUnordered, StreamExt};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a pause looks whether the run is to stop.
const TURN: Duration = Duration::from_millis(200);

/// What an apply needs of the edge.
#[derive(Clone, Copy)]
pub struct Effects<'a> {
    /// Every kind and its provider.
    pub registry: &'a Registry,
    /// The held lock.
    pub guard: &'a dyn Guard,
    /// Clock and randomness.
    pub machine: &'a dyn Machine,
    /// Set from outside to stop: nothing new starts, what runs is finished and committed.
    pub stop: &'a AtomicBool,
    /// How many effects run at once; waits do not count.
    pub parallelism: usize,
}

/// Performs a plan, committing each step, and folds the state at the end. `tell` hears what happens as it happens.
///
/// An effect starts only after the append of its intent has returned; an outcome and the intents of the steps it frees share one append.
pub async fn drive(plan: &Plan, effects: Effects<'_>, tell: &mut (dyn FnMut(Event) + Send)) -> Driven {
    let registry = match effects.registry.configured(&plan.providers) {
        Ok(registry) => registry,
        Err(diagnostics) => {
            return Driven { summary: Summary { failed: 1, diagnostics, ..Summary::default() }, state: None };
        }
    };
    let effects = Effects { registry: &registry, ..effects };
    let mut run = Run::new(plan, effects, tell);
    let mut running: FuturesUnordered<BoxFuture<'_, Ended>> = FuturesUnordered::new();
    loop {
        if effects.stop.load(Ordering::SeqCst) {
            run.interrupt();
        }
        let starting = run.advance();
        let entries = run.take_entries();
        if !entries.is_empty()
            && let Err(error) = effects.guard.append(&entries).await
        {
            // What could not be written down must not be done.
            run.lost(&error);
            run.keep(entries);
            drop(starting);
            break;
        }
        running.extend(starting.into_iter().map(|start| start.begin(effects)));
        running.extend(run.take_pauses().into_iter().map(|pause| pause.begin(effects)));
        let Some(ended) = running.next().await else {
            if run.is_idle() {
                break;
            }
            continue;
        };
        run.end(ended);
        while let Some(Some(ended)) = running.next().now_or_never() {
            run.end(ended);
        }
    }
    while let Some(ended) = running.next().await {
        run.end(ended);
    }
    let entries = run.conclude();
    let appended = effects.guard.append(&entries).await;
    // The state holds all that the journal does and more: written whole, it mends a journal that could not be.
    let folded = effects.guard.fold(run.state()).await;
    if let Err(error) = &folded {
        run.lost(error);
        if let Err(error) = &appended {
            run.lost(error);
        }
    }
    run.driven(folded.ok())
}

impl Pause {
    /// Lets the time go by, as long as the run is not to stop.
    fn begin(self, effects: Effects<'_>) -> BoxFuture<'_, Ended> {
        Box::pin(async move {
            let mut left = Duration::from_secs(self.seconds);
            while !left.is_zero() && !effects.stop.load(Ordering::SeqCst) {
                let turn = left.min(TURN);
                effects.machine.sleep(turn).await;
                left -= turn;
            }
            Ended { slot: self.slot, result: Ok(Done::new(Value::null())) }
        })
    }
}
