//! `meshplan check`

use crate::args::{Assignments, Planning, Previewer, duration};
use crate::exit;
use crate::failure::Failure;
use crate::project::{Aim, Project};
use crate::session::Session;
use engine::plan::{Aims, CheckResult, CheckStatus, Looking, Plan};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Longest pause between two looks; the first is of one second, and each twice as long as the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Run the checks of a configuration
///
/// Every `check` block is decided by what is remembered and what exists, and by what its own data sources say now. Nothing is changed, and
/// what the configuration would change does not count. What fails is looked at again until the time is up.
///
/// Exits with 0 if every check passed, with 1 if one failed or there was an error, and with 4 if none failed and some were not run: because
/// they look at what is not applied, or need running pods where there are none (`no data plane`).
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan check\n  meshplan check --timeout 5m\n  meshplan check --json | jq 'select(.event == \"check\")'"
)]
pub struct Check {
    /// Values of variables.
    #[command(flatten)]
    pub assignments: Assignments,
    /// Look again for so long at checks that fail, as in `30s` or `5m`; `0s` looks once
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    pub timeout: Duration,
    /// Print one JSON event per line instead of text
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(session: &mut Session, args: &Check) -> Result<u8, Failure> {
    let planning = Planning { assignments: args.assignments.clone(), refresh: true, preview: Previewer::Offline };
    let project = Project::load(session, &planning)?;
    let project = Project { aims: Aims { refresh_only: true, ..Aims::default() }, looking: Looking::Acting, ..project };
    let runtime = Session::runtime()?;
    let looked = look(session, (&runtime, &project), args.timeout)?;
    runtime.shutdown_background();
    let Some(plan) = looked else {
        session.view.say("Interrupted: what the checks say is not known.");
        return Ok(exit::FAILED);
    };
    session.view.diagnostics(&session.sources, &plan.diagnostics);
    if plan.is_errored() {
        return Ok(exit::FAILED);
    }
    let results: Vec<_> = plan.checks.into_iter().map(decided).collect();
    session.view.checks(&results);
    let any = |status| results.iter().any(|result| result.status == status);
    Ok(match (any(CheckStatus::Failed), any(CheckStatus::NotRun)) {
        (true, _) => exit::FAILED,
        (false, true) => exit::NOT_RUN,
        (false, false) => exit::DONE,
    })
}

/// What the checks say once none fails, or when the time is up. Nothing if it is interrupted.
fn look(session: &mut Session, (runtime, project): (&Runtime, &Project), time: Duration) -> Result<Option<Plan>, Failure> {
    let state = session.remembered_to_plan()?;
    let (started, mut pause) = (Instant::now(), Duration::from_secs(1));
    loop {
        let Some(plan) = session.plan_unless_interrupted(runtime, project, state.clone(), Aim::Configuration) else { return Ok(None) };
        let failed = plan.checks.iter().filter(|check| check.status == CheckStatus::Failed).count();
        let left = time.saturating_sub(started.elapsed());
        if failed == 0 || plan.is_errored() || left.is_zero() {
            return Ok(Some(plan));
        }
        if pause == Duration::from_secs(1) {
            let (all, seconds) = (plan.checks.len(), left.as_secs().max(1));
            session.view.say(&format!("{failed} of {all} checks do not pass yet: they are looked at again for {seconds} s at most."));
        }
        if !session.wait(runtime, pause.min(left)) {
            return Ok(None);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A result without what only an apply could tell: none comes.
fn decided(result: CheckResult) -> CheckResult {
    match result.status {
        CheckStatus::Unknown => {
            let messages = vec!["what it looks at is known only after an apply".to_owned()];
            CheckResult { status: CheckStatus::NotRun, messages, ..result }
        }
        _ => result,
    }
}
