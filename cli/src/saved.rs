//! Plans in files: written by `plan --out`, shown by `show FILE`, performed by `apply FILE`.

mod given;
mod key;

use crate::args::{Assignment, Performing};
use crate::disk::Disk;
use crate::exit;
use crate::failure::Failure;
use crate::history::{self, MadeFrom};
use crate::perform::{Driving, Ended, apply_approved, leave};
use crate::project::Project;
use crate::session::Session;
use engine::diagnostic::Diagnostic;
use engine::observe::{Edge, Moved, look_again};
use engine::plan::Plan;
use engine::port::Guard;
use engine::state::State;
use engine::value::Value;
use state::{NotWritten, PlanFile, PlanKeys, Store};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Said where the history will lack what was planned.
const UNCONFIGURED: &str =
    "note: the configuration of this plan is sealed with a key that is not here: the revision of this apply is kept without it";

/// What a file holds that can be shown.
pub(crate) enum Shown {
    /// A plan.
    Plan(Box<PlanFile>),
    /// A state.
    State(Box<State>),
}

/// Writes a plan to a file, errored or not, and says so. What was written comes back, for those who know when to free it.
pub(crate) fn save(session: &mut Session, project: &Project, plan: Plan, file: &Path) -> Result<PlanFile, Failure> {
    let path = session.workplace.working_directory.join(file);
    let written = PlanFile {
        variables: variables(project),
        sources: session.sources.clone(),
        configuration: Some(history::snapshot(session, project)),
        revision: project.origin.as_ref().map(|origin| origin.number),
        made_at: session.machine.now(),
        plan,
        closed: None,
    };
    let key = || key::to_seal(session, &written.plan.prior);
    written.write(&path, key).map_err(|error| match error {
        NotWritten::NoKey(failure) => failure,
        NotWritten::Sealing(error) => not_written(file, &error.to_string()),
        NotWritten::Io(error) => not_written(file, &error.to_string()),
    })?;
    let shown = file.display();
    session.view.say(&if written.plan.is_errored() {
        format!("The incomplete plan was written to {shown}, to be looked at with `meshplan show {shown}`.")
    } else {
        format!("The plan was written to {shown}, to be applied with `meshplan apply {shown}`.")
    });
    let again: Vec<_> = written.plan.holes.needed().map(|name| format!("`{name}`")).collect();
    if !again.is_empty() && !written.plan.is_errored() {
        session.view.say(&format!("It holds no ephemeral value: give its apply {} again.", again.join(", ")));
    }
    Ok(written)
}

fn not_written(file: &Path, why: &str) -> Failure {
    Failure::one("plan not written", format!("`{}`: {why}", file.display()))
}

/// The values that variables of the root module were given, marked where they are declared sensitive. Ephemeral ones are not kept.
fn variables(project: &Project) -> BTreeMap<Arc<str>, Value> {
    let root = project.config.modules.get(&project.config.root);
    let declared = project.variables.iter().filter_map(|(name, value)| Some((name, value, root?.variables.get(name)?)));
    let kept = declared.filter(|(_, _, variable)| !variable.ephemeral);
    kept.map(|(name, value, variable)| (name.clone(), value.clone().sensitive_if(variable.sensitive))).collect()
}

fn text_of(session: &Session, file: &Path) -> Result<String, Failure> {
    let path = session.workplace.working_directory.join(file);
    let unreadable = |error: std::io::Error| Failure::one("plan not readable", format!("`{}`: {error}", file.display()));
    std::fs::read_to_string(path).map_err(unreadable)
}

fn read(session: &Session, file: &Path, text: &str, keys: &PlanKeys) -> Result<PlanFile, Failure> {
    PlanFile::read(file, text, session.registry().catalogue(), keys).map_err(|error| Diagnostic::from(error).into())
}

/// What a file holds: a plan, or a state.
pub(crate) fn look(session: &mut Session, file: &Path) -> Result<Shown, Failure> {
    let text = text_of(session, file)?;
    if PlanFile::is_one(&text) {
        // Secrets are masked anyway: no key is needed, nor the state that has it.
        return read(session, file, &text, &PlanKeys::default()).map(|plan| Shown::Plan(Box::new(plan)));
    }
    drop(text);
    let loaded = Store::new(session.workplace.working_directory.join(file)).read()?;
    for notice in &loaded.notices {
        session.view.say(&format!("note: {notice}"));
    }
    Ok(Shown::State(Box::new(loaded.state)))
}

/// What there is to say of a file that holds something else.
pub(crate) fn not_a_plan(file: &Path) -> Failure {
    let detail = format!("`{}` is not a file that `meshplan plan --out` has written", file.display());
    Failure::one("not a plan", detail).help("Make one with `meshplan plan --out FILE`.")
}

/// Performs the plan of a file, unless it does not hold any more.
pub(crate) fn apply(session: &mut Session, file: &Path, assignments: &[Assignment], performing: &Performing) -> Result<u8, Failure> {
    let text = text_of(session, file)?;
    if !PlanFile::is_one(&text) {
        return Err(not_a_plan(file));
    }
    let runtime = Session::runtime()?;
    let (guard, state) = session.lock("apply", performing.lock_timeout)?;
    history::catch_up(session, None, &state);
    let mut read = read(session, file, &text, &key::to_open(session, &state))?;
    drop(text);
    let made_from = MadeFrom::File { configuration: read.configuration.take().map(Box::new), revision: read.revision };
    let mut plan = fitting(read, file, state)?;
    given::supply(session, &mut plan, (file, assignments))?;
    let driving = Driving { verb: "apply", made_from, parallelism: performing.parallelism };
    let code = carry_out(session, &runtime, plan, (&*guard, driving))?;
    if code != exit::INTERRUPTED {
        runtime.block_on(guard.release())?;
    }
    Ok(leave(session, runtime, code))
}

fn carry_out(session: &mut Session, runtime: &Runtime, mut plan: Plan, (guard, driving): (&dyn Guard, Driving<'_>)) -> Result<u8, Failure> {
    let (registry, files) = (session.registry(), Disk::new(&session.workplace.working_directory));
    let moved = runtime.block_on(look_again(&mut plan, Edge { registry: &registry, files: &files })).map_err(Failure)?;
    if !moved.is_empty() {
        return Err(stale(&moved));
    }
    if !plan.has_changes() && !plan.keeps_books() {
        session.view.say("The plan has nothing to change.");
        return Ok(if plan.blocked.is_empty() { exit::DONE } else { exit::FAILED });
    }
    if matches!(driving.made_from, MadeFrom::File { configuration: None, .. }) {
        session.view.say(UNCONFIGURED);
    }
    Ok(match apply_approved(session, runtime, &plan, (guard, driving))? {
        Ended::With(code) => code,
        Ended::AtOnce => exit::INTERRUPTED,
        Ended::WithMoreInReach => {
            session.view.say("\nWhat was out of reach can be read now: plan again for the rest.");
            exit::FAILED
        }
    })
}

/// The plan of a file, if it is of the state as it is.
fn fitting(read: PlanFile, file: &Path, state: State) -> Result<Plan, Failure> {
    let (shown, mut plan) = (file.display(), read.plan);
    let (lineage, serial) = (&plan.prior.lineage, plan.prior.serial);
    if plan.is_errored() {
        let detail = format!("`{shown}` was made with errors, and says only a part of what would have to be done");
        return Err(Failure::one("incomplete plan", detail).help(&format!("`meshplan show {shown}` shows them. Plan again.")));
    }
    // Before the first write a state has no lineage of its own: each lock draws one.
    let first = lineage.is_empty() && serial == 0;
    if !first && (state.serial == 0 || *lineage != state.lineage) {
        let here = if state.serial == 0 { "there is none yet".to_owned() } else { format!("that is `{}`", state.lineage) };
        let detail = format!("`{shown}` is of the state with the lineage `{lineage}`, and here {here}");
        return Err(Failure::one("plan of another state", detail).help("Apply it where it was made, or plan again."));
    }
    if serial != state.serial {
        let detail = format!("`{shown}` was made from serial {serial} of the state, which has serial {} by now", state.serial);
        return Err(Failure::one("stale plan", detail).help("Plan again."));
    }
    if let Some(key) = read.closed {
        let detail = format!("what is secret in `{shown}` is sealed with the key `{key}`, which is not here");
        return Err(Failure::one("plan not opened", detail).help(key::WHERE));
    }
    plan.prior.lineage = state.lineage;
    plan.prior.secret_key = state.secret_key;
    let written = plan.pinned.take();
    if written.as_deref() != Some(plan.digest()) {
        let detail = format!("`{shown}` is damaged: what it says is not what its digest is of");
        return Err(Failure::one("corrupt plan", detail).help("Plan again."));
    }
    Ok(plan)
}

/// What differs from what the plan stands on, thing by thing.
fn stale(moved: &[Moved]) -> Failure {
    let problems = moved.iter().map(|moved| {
        let detail = format!("`{}` {}", moved.address, moved.how);
        let problem = Diagnostic::error("stale plan", detail).about(&moved.address);
        problem.help("Nothing was done. Plan again: what was changed since will be part of the plan.")
    });
    Failure(problems.collect())
}
