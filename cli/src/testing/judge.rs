//! How a run went: what failed that should not, what did not that should, and what does not hold.

use super::run::told;
use crate::view::test::Status;
use engine::config::{Asked, Assertion, Checkable, Module, Node, ResourceName, Run};
use engine::diagnostic::{Diagnostic, Problems};
use engine::eval::{Arena, convert};
use engine::plan::{CheckResult, CheckStatus, Plan};
use engine::question::{NO_DATA_PLANE, wants_data_plane};
use engine::value::Type;
use review::notation::{cut, inline};
use std::collections::BTreeSet;

/// Columns that a value may take beside the text it comes from.
const COLUMNS: usize = 60;

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Problems of its values and of its apply.
    pub(super) problems: Problems,
    /// What checks said during the apply.
    pub(super) checks: Vec<CheckResult>,
    /// The plan that answers what the run asks; there unless something failed before.
    pub(super) plan: Option<Plan>,
}

/// How a run ended, and the problems that say why.
pub(super) fn judge(run: &Run, module: &Module, found: &Found) -> (Status, Problems) {
    let mut judge = Judge { run, module, met: BTreeSet::new(), status: Status::Pass, problems: Problems::new(), not_run: None };
    let looked = found.plan.as_ref().map_or(&[][..], |plan| &plan.diagnostics);
    let all = || found.problems.iter().chain(looked);
    all().for_each(|problem| judge.problem(problem));
    let checks = found.plan.as_ref().map_or(&found.checks, |plan| &plan.checks);
    // After an error much else cannot be told, and says so.
    let told = !all().any(Diagnostic::is_error);
    checks.iter().filter(|_| told).for_each(|result| judge.check(result));
    if let Some(plan) = &found.plan {
        judge.waited(plan);
        if told {
            judge.assertions(plan);
        }
    }
    judge.not_met();
    judge.ended()
}

struct Judge<'a> {
    run: &'a Run,
    module: &'a Module,
    /// What failed as expected.
    met: BTreeSet<Checkable>,
    status: Status,
    problems: Problems,
    /// Why something could not be asked for want of running pods.
    not_run: Option<String>,
}

impl Judge<'_> {
    /// A run of which nothing failed and something was not asked has not passed.
    fn ended(mut self) -> (Status, Problems) {
        let Some(why) = self.not_run.take().filter(|_| self.status == Status::Pass) else { return (self.status, self.problems) };
        self.problems.push(Diagnostic::warning("assertions not run", why));
        (Status::Skip, self.problems)
    }

    fn add(&mut self, status: Status, problem: Diagnostic) {
        // The same may be found in a plan and in its apply, or by a condition and by its message.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        self.status = self.status.max(status);
    }

    fn expects(&self, checkable: &Checkable) -> bool {
        self.run.expected.iter().any(|(expected, _)| expected == checkable)
    }

    /// A problem fails the run unless it is what was expected.
    fn problem(&mut self, problem: &Diagnostic) {
        if !problem.is_error() {
            return self.add(Status::Pass, problem.clone());
        }
        if problem.summary == NO_DATA_PLANE {
            let whose = problem.address.as_ref().map(|address| format!("`{address}`: ")).unwrap_or_default();
            self.not_run = Some(format!("{whose}{NO_DATA_PLANE}: {}", problem.detail));
            return;
        }
        match self.failed(problem).filter(|failed| self.expects(failed)) {
            Some(expected) => drop(self.met.insert(expected)),
            None => self.add(Status::Error, problem.clone()),
        }
    }

    /// What failed by a condition of its own.
    fn failed(&self, problem: &Diagnostic) -> Option<Checkable> {
        let at = problem.at;
        if let Some((checkable, _)) = Checkable::conditions(self.module).find(|(_, condition)| at == Some(condition.span)) {
            return Some(checkable);
        }
        let gate = |name: &&std::sync::Arc<str>| problem.detail.starts_with(&format!("`check.{name}`"));
        if problem.summary == "check failed" {
            return self.module.checks.keys().find(gate).cloned().map(Checkable::Check);
        }
        // What only an apply can decide is known by its address.
        let address =
            problem.address.as_ref().filter(|address| address.module.is_root() && problem.summary.ends_with("condition failed"))?;
        let (mode, kind, name) = (address.mode, address.kind.clone(), address.name.clone());
        Some(Checkable::Resource(ResourceName { mode, kind, name }))
    }

    fn check(&mut self, result: &CheckResult) {
        let checkable = Checkable::Check(result.name.clone());
        if result.status == CheckStatus::NotRun && self.expects(&checkable) {
            self.not_run = result.messages.first().cloned();
            self.met.insert(checkable);
            return;
        }
        if result.status != CheckStatus::Failed {
            return;
        }
        if self.expects(&checkable) {
            self.met.insert(checkable);
            return;
        }
        let problem = Diagnostic::error("check failed", format!("`check.{}`: {}", result.name, result.messages.join("; ")));
        let problem = match self.module.checks.get(&result.name) {
            Some(check) => problem.at(check.span),
            None => problem,
        };
        self.add(Status::Fail, problem);
    }

    /// Whether what was waited for came.
    fn waited(&mut self, plan: &Plan) {
        let Some(retry) = &self.run.retry else { return };
        if told(plan, Asked::Retry).is_some_and(|value| value.as_bool() == Some(true)) {
            return;
        }
        if let Some(why) = no_data_plane(plan) {
            self.not_run = Some(why);
            return;
        }
        let detail = format!("what `retry_until` waits for did not come within {} seconds", retry.timeout);
        self.add(Status::Fail, Diagnostic::error("waited in vain", detail).at(retry.condition.span));
    }

    fn assertions(&mut self, plan: &Plan) {
        let run = self.run;
        for (at, assertion) in run.assertions.iter().enumerate() {
            let span = assertion.condition.span;
            let Some(value) = told(plan, Asked::Condition(at)) else {
                if let Some(why) = no_data_plane(plan) {
                    self.not_run = Some(why);
                    continue;
                }
                let why: Vec<_> = plan.blocked.iter().map(|blocked| format!("`{}`: {}", blocked.address, blocked.why)).collect();
                self.add(Status::Error, Diagnostic::error("condition not observed", why.join("; ")).at(span));
                continue;
            };
            if !value.is_known() {
                let problem = Diagnostic::error("condition not known", "the condition hangs on what is known only after an apply");
                let help = "Use `command = apply`, or assert what the plan knows.";
                self.add(Status::Error, problem.at(span).help(help));
                continue;
            }
            // What is neither true nor false is an error of the message, which hangs on it.
            let truth = convert(value.clone(), &Type::Bool, &mut Arena::default()).ok();
            if truth.and_then(|truth| truth.as_bool()) != Some(true) {
                self.add(Status::Fail, violated(plan, at, assertion));
            }
        }
    }

    fn not_met(&mut self) {
        for (expected, span) in &self.run.expected {
            if !self.met.contains(expected) {
                let detail = format!("`{expected}` was expected to fail, and did not");
                self.add(Status::Fail, Diagnostic::error("missing expected failure", detail).at(*span));
            }
        }
    }
}

/// Why something was not asked, if want of a data plane is the only reason for anything.
pub(super) fn no_data_plane(plan: &Plan) -> Option<String> {
    let first = plan.blocked.first()?;
    plan.blocked.iter().all(|blocked| wants_data_plane(&blocked.why)).then(|| first.why.to_string())
}

/// What an assertion says that does not hold, with the two values if it compares two.
fn violated(plan: &Plan, at: usize, assertion: &Assertion) -> Diagnostic {
    let message = match told(plan, Asked::Message(at)) {
        Some(message) if message.holds_sensitive() => "(the message is sensitive)".to_owned(),
        Some(message) if message.holds_ephemeral() => "(the message is ephemeral)".to_owned(),
        Some(message) => message.as_str().map_or_else(|| inline(message), str::to_owned),
        None => "(the message could not be told)".to_owned(),
    };
    let mut problem = Diagnostic::error("test assertion failed", message).at(assertion.condition.span);
    if let Node::Binary(_, left, right) = &assertion.condition.node {
        for (side, asked) in [(left, Asked::Left(at)), (right, Asked::Right(at))] {
            let shown = told(plan, asked).filter(|_| !matches!(side.node, Node::Literal(_)));
            if let Some(value) = shown {
                problem = problem.related(side.span, format!("this is {}", cut(&inline(value), COLUMNS)));
            }
        }
    }
    problem
}
