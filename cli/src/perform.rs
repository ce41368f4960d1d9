//! What apply and destroy have in common: lock, plan, ask, drive, say how it ended.

use crate::args::{Performing, Planning};
use crate::exit;
use crate::failure::Failure;
use crate::project::{Aim, Project};
use crate::session::Session;
use crate::view::{Applied, View};
use engine::apply::{Effects, Event, Summary, drive};
use engine::plan::Plan;
use engine::port::{Guard, Registry};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The kind of the clusters that run no containers.
const SANDBOX: &str = "sandbox_cluster";

/// Plans, asks and applies under the lock.
pub(crate) fn perform(session: &mut Session, planning: &Planning, performing: &Performing, aim: Aim) -> Result<u8, Failure> {
    if performing.json && !performing.auto_approve {
        let detail = "with `--json` nobody can be asked".to_owned();
        return Err(Failure::one("approval needed", detail).help("Add `--auto-approve`, or apply without `--json`."));
    }
    let project = Project::load(session, planning)?;
    let runtime = Session::runtime()?;
    let (guard, state) = session.lock(aim.verb(), performing.lock_timeout)?;
    let plan = session.plan(&runtime, &project, state, aim);
    if !session.show_plan(&plan) {
        runtime.block_on(guard.release())?;
        return Ok(exit::FAILED);
    }
    if !plan.has_changes() && !plan.keeps_books() {
        runtime.block_on(guard.release())?;
        return Ok(if plan.blocked.is_empty() { exit::DONE } else { exit::FAILED });
    }
    if plan.has_changes() && !performing.auto_approve && !session.approved(&plan) {
        runtime.block_on(guard.release())?;
        session.view.say("\nNot approved: nothing was changed.");
        return Ok(exit::FAILED);
    }
    let registry = session.registry();
    let driven = runtime.block_on(drive_and_show(session, &plan, (&registry, &*guard), performing.parallelism));
    let Some(summary) = driven else {
        runtime.shutdown_background();
        session.view.say("Left at once: what was under way is in the journal, and the next run looks at it.");
        return Ok(exit::INTERRUPTED);
    };
    runtime.block_on(guard.release())?;
    finish(session, &plan, &summary)
}

/// Drives the plan and shows what happens. Nothing if a second interruption ended it.
async fn drive_and_show(session: &mut Session, plan: &Plan, edge: (&Registry, &dyn Guard), parallelism: usize) -> Option<Summary> {
    let Session { view, machine, stop, interrupt, .. } = session;
    let told = AtomicBool::new(false);
    let shared: Mutex<&mut dyn View> = Mutex::new(&mut **view);
    let show = |event: &Event| shared.lock().unwrap_or_else(PoisonError::into_inner).event(event, machine.now());
    let mut tell = |event: Event| {
        if event != Event::Stopping || !told.swap(true, Ordering::Relaxed) {
            show(&event);
        }
    };
    let effects = Effects { registry: edge.0, guard: edge.1, machine: &**machine, stop, parallelism };
    let mut work = pin!(drive(plan, effects, &mut tell));
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut interrupted = interrupt();
    loop {
        tokio::select! {
            biased;
            summary = &mut work => return Some(summary),
            () = &mut interrupted => {
                if stop.swap(true, Ordering::SeqCst) {
                    return None;
                }
                if !told.swap(true, Ordering::Relaxed) {
                    show(&Event::Stopping);
                }
                interrupted = interrupt();
            }
            _ = ticks.tick() => shared.lock().unwrap_or_else(PoisonError::into_inner).tick(machine.now()),
        }
    }
}

fn finish(session: &mut Session, plan: &Plan, summary: &Summary) -> Result<u8, Failure> {
    let remembered = session.store().read()?;
    session.view.applied(Applied { plan, summary, outputs: &remembered.state.outputs });
    let Session { view, sources, .. } = session;
    view.diagnostics(sources, &summary.diagnostics);
    if involves_sandbox(plan) && !plan.destroy {
        view.say(
            "Sandbox clusters run no containers: what is marked (simulated) was made up, and no traffic flows. To go on for real, point the \
             configuration at clusters of your kubeconfig with `data \"kubernetes_cluster\"`.",
        );
    }
    let done = summary.is_complete() && plan.blocked.is_empty();
    Ok(if done { exit::DONE } else { exit::FAILED })
}

fn involves_sandbox(plan: &Plan) -> bool {
    plan.changes.iter().any(|change| &*change.kind == SANDBOX) || plan.program.places.values().any(|place| &*place.kind == SANDBOX)
}
