//! What apply and destroy have in common: lock, plan, ask, drive, say how it ended.

use crate::approval;
use crate::args::Performing;
use crate::beside::beside;
use crate::exit;
use crate::failure::Failure;
use crate::history::{self, MadeFrom, Packing};
use crate::project::{Aim, Project};
use crate::session::Session;
use crate::view::{Applied, Screen, View};
use engine::apply::{Driven, Effects, Event, Summary, drive};
use engine::diagnostic::Diagnostic;
use engine::plan::Plan;
use engine::port::{Guard, Registry};
use state::Loaded;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Said once in the life of a state.
const UNSEALED: &str = "The state holds secrets as they are: keep it where nobody else can read it, or seal them with an `encryption` block in \
                        `meshplan`. This is said once.";

/// The kind of the clusters that run no containers.
const SANDBOX: &str = "sandbox_cluster";

/// Plans, asks and applies under the lock; what this brings into reach is then read, and planned if it differs.
pub(crate) fn perform(session: &mut Session, project: &Project, performing: &Performing, aim: Aim) -> Result<u8, Failure> {
    if performing.json && !performing.auto_approve && performing.approve.is_none() {
        let detail = "with `--json` nobody can be asked".to_owned();
        return Err(Failure::one("approval needed", detail).help("Add `--auto-approve` or `--approve DIGEST`, or apply without `--json`."));
    }
    let runtime = Session::runtime()?;
    let code = carry_out(session, &runtime, project, (performing, aim))?;
    Ok(leave(session, runtime, code))
}

/// Ends a run with this code; after a second interruption without waiting for what is under way.
pub(crate) fn leave(session: &mut Session, runtime: Runtime, code: u8) -> u8 {
    if code == exit::INTERRUPTED {
        runtime.shutdown_background();
        session.view.say("Left at once: what was under way is in the journal, and the next run looks at it.");
    }
    code
}

/// The same on a runtime that is there, with nothing said of a second interruption.
pub(crate) fn carry_out(
    session: &mut Session,
    runtime: &Runtime,
    project: &Project,
    (performing, aim): (&Performing, Aim),
) -> Result<u8, Failure> {
    let (guard, mut state) = session.lock(aim.verb(), performing.lock_timeout)?;
    history::catch_up(session, Some(project), &state);
    let mut waiting = None;
    let code = loop {
        let plan = if waiting.is_none() {
            session.plan(runtime, project, state, aim)
        } else if let Some(plan) = session.plan_unless_interrupted(runtime, project, state, aim) {
            plan
        } else {
            // Something was applied and the lock is held: it ends in order.
            session.stop.store(true, Ordering::SeqCst);
            session.view.say("Interrupted: nothing more was changed.");
            break exit::FAILED;
        };
        let round = Round { runtime, performing, project, verb: aim.verb(), plan: &plan, is_first: waiting.is_none() };
        match round.run(session, &*guard)? {
            Ended::With(code) => break code,
            Ended::AtOnce => return Ok(exit::INTERRUPTED),
            Ended::WithMoreInReach if session.stop.load(Ordering::SeqCst) => break exit::FAILED,
            Ended::WithMoreInReach => {}
        }
        let left = plan.blocked.iter().filter(|blocked| blocked.after.is_some()).count();
        if waiting.is_some_and(|before| left >= before) {
            // What was repaired again and again did not help.
            break exit::FAILED;
        }
        waiting = Some(left);
        state = session.store().read()?.state;
        session.view.say("\nWhat was out of reach is read now.\n");
    };
    runtime.block_on(guard.release())?;
    Ok(code)
}

/// How a round ended.
pub(crate) enum Ended {
    /// With this exit code.
    With(u8),
    /// What it brought into reach is still to be planned.
    WithMoreInReach,
    /// By a second interruption.
    AtOnce,
}

/// One plan, from showing it to the end of its apply.
struct Round<'a> {
    runtime: &'a Runtime,
    performing: &'a Performing,
    project: &'a Project,
    verb: &'static str,
    plan: &'a Plan,
    is_first: bool,
}

impl Round<'_> {
    /// Shows the plan, asks, and applies it.
    fn run(&self, session: &mut Session, guard: &dyn Guard) -> Result<Ended, Failure> {
        let plan = self.plan;
        if !session.show_plan(plan) {
            return Ok(Ended::With(exit::FAILED));
        }
        if let Some(problem) = self.unlike_approved() {
            session.view.diagnostics(&session.sources, &[problem]);
            return Ok(Ended::With(exit::FAILED));
        }
        if !plan.has_changes() && !plan.keeps_books() {
            return Ok(Ended::With(if plan.blocked.is_empty() { exit::DONE } else { exit::FAILED }));
        }
        let unseen = self.performing.auto_approve || self.performing.approve.is_some();
        if plan.has_changes() && !unseen {
            let more = if self.is_first { "" } else { " more" };
            let why = match approval::approved(session, self.runtime, (self.project, plan)) {
                Some(true) => None,
                Some(false) => Some("Not approved"),
                None => Some("Interrupted"),
            };
            if let Some(why) = why {
                session.view.say(&format!("\n{why}: nothing{more} was changed."));
                return Ok(Ended::With(exit::FAILED));
            }
        }
        let driving = Driving { verb: self.verb, made_from: MadeFrom::Project(self.project), parallelism: self.performing.parallelism };
        apply_approved(session, self.runtime, plan, (guard, driving))
    }

    /// Why a digest that was given beforehand does not approve this plan.
    fn unlike_approved(&self) -> Option<Diagnostic> {
        let approved = self.performing.approve.as_deref()?;
        if !self.is_first {
            let detail = "what came into reach differs from the configuration, and the digest is of what was planned before";
            let problem =
                Diagnostic::error("more than approved", detail).help("What was approved is done. Plan again, and approve the rest.");
            return self.plan.has_changes().then_some(problem);
        }
        let digest = self.plan.digest();
        let detail = format!("this plan has the digest `{digest}`, and `{approved}` is approved");
        let problem = Diagnostic::error("another plan than approved", detail);
        (digest != approved).then(|| problem.help("Nothing was done. Review this plan; its own digest approves it."))
    }
}

/// How an approved plan is applied.
pub(crate) struct Driving<'a> {
    /// What the operation is called.
    pub(crate) verb: &'a str,
    /// What was planned.
    pub(crate) made_from: MadeFrom<'a>,
    /// Effects at once.
    pub(crate) parallelism: usize,
}

/// Applies a plan that was approved, and shows what happens.
pub(crate) fn apply_approved(
    session: &mut Session,
    runtime: &Runtime,
    plan: &Plan,
    (guard, driving): (&dyn Guard, Driving<'_>),
) -> Result<Ended, Failure> {
    let registry = session.registry();
    let packing = Packing::of(session, &driving.made_from, plan).transpose();
    let pack = || packing.as_ref().ok()?.as_ref().map(Packing::pack);
    let drive = || runtime.block_on(drive_and_show(session, plan, (&registry, guard), driving.parallelism));
    let (planned, driven) = beside(pack, drive);
    let Some(Driven { summary, state }) = driven else { return Ok(Ended::AtOnce) };
    let remembered = match state {
        Some(state) => session.store().holding(state),
        None => session.store().read()?,
    };
    let planned = packing.map_or_else(|error| Some(Err(error)), |_| planned);
    history::keep_apply(session, driving.verb, (&driving.made_from, plan, planned), (&summary, &remembered.state));
    Ok(finish(session, plan, (&summary, &remembered)))
}

/// Drives the plan and shows what happens. Nothing if a second interruption ended it.
async fn drive_and_show(session: &mut Session, plan: &Plan, edge: (&Registry, &dyn Guard), parallelism: usize) -> Option<Driven> {
    let Session { view, machine, stop, interrupt, .. } = session;
    view.begin(plan);
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
    // What happens at once is shown at once: a write for each line is much of the time of ten thousand.
    let mut work = poll_fn(|context| {
        let screen = |act: fn(&mut Screen)| act(shared.lock().unwrap_or_else(PoisonError::into_inner).screen());
        screen(Screen::hold);
        let polled = work.as_mut().poll(context);
        screen(Screen::release);
        polled
    });
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut interrupted = interrupt();
    loop {
        tokio::select! {
            biased;
            // First, so that it is listened to before anything begins.
            () = &mut interrupted => {
                if stop.swap(true, Ordering::SeqCst) {
                    return None;
                }
                if !told.swap(true, Ordering::Relaxed) {
                    show(&Event::Stopping);
                }
                interrupted = interrupt();
            }
            driven = &mut work => return Some(driven),
            _ = ticks.tick() => shared.lock().unwrap_or_else(PoisonError::into_inner).tick(machine.now()),
        }
    }
}

/// Shows how an apply ended.
fn finish(session: &mut Session, plan: &Plan, (summary, remembered): (&Summary, &Loaded)) -> Ended {
    session.view.applied(Applied { plan, summary, outputs: &remembered.state.outputs });
    session.view.diagnostics(&session.sources, &summary.diagnostics);
    if remembered.says_unsealed && !session.says_unsealed && !session.workplace.is_tested() {
        session.says_unsealed = true;
        session.view.say(UNSEALED);
    }
    if involves_sandbox(plan) && !plan.destroy {
        session.view.say(
            "Sandbox clusters run no containers: what is marked (simulated) was made up, and no traffic flows. To go on for real, point the \
             configuration at clusters of your kubeconfig with `data \"kubernetes_cluster\"`.",
        );
    }
    if plan.partial {
        session.view.say("Only a part was planned, as `--target` or `--exclude` says: `meshplan plan` shows what is left.");
    }
    let waits = || plan.blocked.iter().any(|blocked| blocked.after.is_some());
    if summary.needs_another_plan() || (summary.is_complete() && waits()) {
        return Ended::WithMoreInReach;
    }
    let done = summary.is_complete() && plan.blocked.is_empty();
    Ended::With(if done { exit::DONE } else { exit::FAILED })
}

fn involves_sandbox(plan: &Plan) -> bool {
    plan.changes.iter().any(|change| &*change.kind == SANDBOX) || plan.program.places.values().any(|place| &*place.kind == SANDBOX)
}
