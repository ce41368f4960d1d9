//! One run: values, apply, a look at what came of it.

use super::bench::{Bench, Stopped};
use super::files::Loaded;
use super::given::{Given, Values, plain};
use super::judge::{Found, judge, no_data_plane};
use super::recorder::Detail;
use crate::disk::Disk;
use crate::exit;
use crate::failure::Failure;
use crate::project::{Aim, Project};
use crate::view::test::{Status, TestEvent};
use engine::config::{Asked, Module, Run, RunCommand};
use engine::diagnostic::{Diagnostic, Problems};
use engine::plan::{Looking, Plan};
use engine::value::Value;
use std::time::{Duration, Instant};

impl Bench<'_> {
    /// Performs a run, shows how it ended, and adds its outputs to those of the runs before.
    pub(super) fn run(&mut self, file: &Loaded, run: &Run, former: &mut Values) -> Status {
        let found = match self.given(file, run, former) {
            Ok(variables) => {
                let project = Project { variables, ..self.project.clone() };
                self.found(&project, run, former)
            }
            Err(problems) => Found { problems, ..Found::default() },
        };
        let nothing = Module::default();
        let config = &self.project.config;
        let module = config.modules.get(&config.root).map_or(&nothing, |module| &**module);
        let (status, problems) = judge(run, module, &found);
        let status = if self.stopped > Stopped::No { Status::Error } else { status };
        if let Some(plan) = &found.plan {
            former.insert(run.name.clone(), outputs(plan, module));
        }
        self.session.view.test(&TestEvent::Run { path: &file.shown, name: &run.name, status });
        self.show_more(run, found.plan);
        let session = &mut *self.session;
        session.view.diagnostics(&session.sources, &problems);
        if self.stopped == Stopped::Gently {
            session.view.say("Interrupted: what was made is destroyed. Interrupt again to leave it.");
        }
        status
    }

    /// The values of variables in a run.
    fn given(&self, file: &Loaded, run: &Run, former: &Values) -> Result<Values, Problems> {
        let config = &self.project.config;
        let declared = config.modules.get(&config.root).into_iter().flat_map(|root| &root.variables);
        let defaults = declared.filter_map(|(name, variable)| Some((name.clone(), variable.default.clone()?))).collect();
        let files = Disk::new(&self.session.workplace.working_directory);
        let inputs = self.project.inputs(self.session, Aim::Configuration);
        let variables = inputs.variables.clone();
        let mut given = Given { variables, defaults: &defaults, former, files: &files, inputs: &inputs };
        given.add(&file.test.variables)?;
        given.add(&run.variables)?;
        Ok(given.variables)
    }

    fn found(&mut self, project: &Project, run: &Run, former: &Values) -> Found {
        let mut found = Found::default();
        if run.command == RunCommand::Apply {
            let (recorded, code) = self.carried_out(project, Aim::Configuration);
            found.problems = recorded.problems;
            found.checks = recorded.checks;
            if code != exit::DONE && self.stopped == Stopped::No && !found.problems.iter().any(Diagnostic::is_error) {
                let detail = format!("some of it could not be observed: {}", recorded.blocked.join("; "));
                found.problems.push(Diagnostic::error("not everything was applied", detail));
            }
        }
        if self.stopped == Stopped::No && !found.problems.iter().any(Diagnostic::is_error) {
            match self.look(project, run, former) {
                Ok(plan) => found.plan = plan,
                Err(failure) => found.problems.extend(failure.0),
            }
        }
        found
    }

    /// A plan that tells what the run asks, made again until its `retry_until` holds or takes too long. Nothing if it is interrupted.
    fn look(&mut self, project: &Project, run: &Run, former: &Values) -> Result<Option<Plan>, Failure> {
        let project = Project { config: run.inspected(&project.config, former), looking: Looking::Acting, ..project.clone() };
        let started = Instant::now();
        loop {
            let state = self.session.store().read()?.state;
            let Some(plan) = self.session.plan_unless_interrupted(self.runtime, &project, state, Aim::Configuration) else { break };
            let Some(retry) = &run.retry else { return Ok(Some(plan)) };
            let left = Duration::from_secs(retry.timeout).saturating_sub(started.elapsed());
            let holds = told(&plan, Asked::Retry).is_some_and(|value| value.as_bool() == Some(true));
            // Where there is no data plane now there is none a moment later.
            if holds || left.is_zero() || no_data_plane(&plan).is_some() {
                return Ok(Some(plan));
            }
            if !self.session.wait(self.runtime, left.min(Duration::from_secs(retry.interval))) {
                break;
            }
        }
        self.stopped = self.stopped.max(Stopped::Gently);
        Ok(None)
    }

    fn show_more(&mut self, run: &Run, plan: Option<Plan>) {
        if self.detail != Detail::Everything {
            return;
        }
        match run.command {
            RunCommand::Plan => {
                if let Some(mut plan) = plan {
                    // What a run asks has names that no output has.
                    plan.outputs.retain(|output| !output.name.contains(' '));
                    self.session.view.plan(&plan);
                }
            }
            RunCommand::Apply => {
                if let Ok(loaded) = self.session.store().read() {
                    self.session.view.test(&TestEvent::Remembered(&loaded.state));
                }
            }
        }
    }
}

/// What a plan says to what a run asks. Nothing if it could not be observed or is in error.
pub(super) fn told<'p>(plan: &'p Plan, asked: Asked<'_>) -> Option<&'p Value> {
    let name = asked.to_string();
    let list = plan.outputs.iter().find(|output| *output.name == *name)?.after.as_ref()?;
    list.items().first().filter(|value| value.blocked_why().is_none())
}

fn outputs(plan: &Plan, module: &Module) -> Value {
    let values = module.outputs.keys().filter_map(|name| Some((name.clone(), plain(told(plan, Asked::Output(name))?))));
    Value::object(values)
}
