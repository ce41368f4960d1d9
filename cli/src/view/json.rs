//! One JSON object per line, for programs. Every line has the member `event`; the first line says the version of the format.

mod change;
mod document;
mod entries;
mod explanation;
mod schema;
mod test;
mod validation;
mod value;

pub use document::{Document, plan_file};
pub use entries::entries;
pub use explanation::explanations;
pub use schema::schema;
pub use validation::validation;
pub use value::Masked;

use super::checks::Tally;
use super::test::TestEvent;
use super::{Applied, Screen, View};
use change::Changed;
use engine::apply::Event;
use engine::diagnostic::{Diagnostic, Severity};
use engine::plan::{Action, Blocked, Change, CheckResult, CheckStatus, Counts, OutputChange, Plan, Reason};
use engine::schema::Pair;
use engine::source::{SourceTree, Span};
use engine::state::{Output, State, Status};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Version of the format. It grows when a member goes or changes its meaning; new members and events may come at any time.
pub const FORMAT: u32 = 1;

/// The view for programs.
#[derive(Debug)]
pub struct Lines {
    screen: Screen,
}

impl Lines {
    /// A view that writes to standard output. The first line is written at once.
    pub fn new(mut screen: Screen) -> Self {
        let first = json!({ "event": "version", "format": FORMAT, "meshplan": env!("CARGO_PKG_VERSION") });
        screen.out.write(&format!("{first}\n"));
        Self { screen }
    }

    /// The event that ends a plan.
    fn planned(&mut self, plan: &Plan) {
        let members = json!({
            "counts": counts(&plan.counts()),
            "changes": plan.has_changes(),
            "destroy": plan.destroy,
            "partial": plan.partial,
            "refresh_only": plan.refresh_only,
            "digest": plan.digest(),
        });
        self.line("plan", members);
    }

    fn line(&mut self, event: &str, mut members: Json) {
        if let Json::Object(members) = &mut members {
            members.insert("event".to_owned(), json!(event));
        }
        self.screen.out.write(&format!("{members}\n"));
    }
}

impl View for Lines {
    fn diagnostics(&mut self, sources: &SourceTree, diagnostics: &[Diagnostic]) {
        for problem in diagnostics {
            self.line("diagnostic", diagnostic(sources, problem));
        }
    }

    fn plan(&mut self, plan: &Plan) {
        for change in plan.drift() {
            self.line("drift", drifted(change));
        }
        for planned in plan.changes.iter().filter(|change| change.action.is_change()) {
            self.line("planned_change", json!(Changed::of(planned)));
        }
        for entry in entries(plan) {
            self.line("planned_entry", json!({ "entry": entry }));
        }
        for changed in &plan.outputs {
            self.line("planned_output", output_change(changed));
        }
        for blocked in &plan.blocked {
            self.line("blocked", not_planned(blocked));
        }
        for result in &plan.checks {
            self.line("check", check(result));
        }
        self.planned(plan);
    }

    fn steps(&mut self, plan: &Plan) {
        for (at, wave) in plan.waves().iter().enumerate() {
            for step in wave {
                let members = json!({
                    "wave": at + 1,
                    "address": step.target.address.to_string(),
                    "deposed": step.target.deposed.as_deref(),
                    "action": name(step.action),
                    "place": step.target.place.as_ref().map(ToString::to_string),
                    "requests": step.calls(),
                });
                self.line("planned_step", members);
            }
        }
        self.planned(plan);
    }

    fn begin(&mut self, _: &Plan) {}

    fn event(&mut self, event: &Event, now: u64) {
        match event {
            Event::Started { address, deposed, action, activity: _ } => {
                self.line(
                    "started",
                    json!({ "address": address.to_string(), "deposed": deposed.as_deref(), "action": name(*action), "time": now }),
                );
            }
            Event::Finished { address, deposed, action, notes, retried } => {
                let members = json!({
                    "address": address.to_string(), "deposed": deposed.as_deref(), "action": name(*action), "time": now, "notes": notes, "retried": retried,
                });
                self.line("finished", members);
            }
            Event::Failed { address, action, diagnostic } => {
                let members =
                    json!({ "address": address.to_string(), "action": name(*action), "time": now, "summary": diagnostic.summary });
                self.line("failed", members);
            }
            Event::Skipped { address, action, because } => {
                let because = because.as_ref().map(ToString::to_string);
                self.line("skipped", json!({ "address": address.to_string(), "action": name(*action), "because": because }));
            }
            Event::Waits { check, messages, left } => {
                self.line("waiting", json!({ "check": &**check, "messages": messages, "left": left, "time": now }));
            }
            Event::Checked(result) => self.line("check", check(result)),
            Event::Stopping => self.line("stopping", json!({ "time": now })),
        }
    }

    fn tick(&mut self, _: u64) {}

    fn applied(&mut self, applied: Applied<'_>) {
        let summary = applied.summary;
        let members = json!({
            "added": summary.added,
            "changed": summary.changed,
            "imported": summary.imported,
            "destroyed": summary.destroyed,
            "failed": summary.failed,
            "skipped": summary.skipped,
            "interrupted": summary.interrupted,
            "complete": summary.is_complete(),
            "outputs": outputs(applied.outputs),
        });
        self.line("applied", members);
    }

    fn checks(&mut self, results: &[CheckResult]) {
        for result in results {
            self.line("check", check(result));
        }
        let Tally { passed, failed, not_run } = Tally::of(results);
        self.line("check_summary", json!({ "passed": passed, "failed": failed, "not_run": not_run }));
    }

    fn test(&mut self, event: &TestEvent<'_>) {
        let (name, members) = test::line(event);
        self.line(name, members);
    }

    fn say(&mut self, sentence: &str) {
        self.line("message", json!({ "text": sentence }));
    }

    fn screen(&mut self) -> &mut Screen {
        &mut self.screen
    }
}

/// What happened outside.
fn drifted(change: &Change) -> Json {
    let (paths, by) = match &change.reason {
        Reason::Drift(drift) => (drift.paths.as_slice(), drift.by.as_slice()),
        _ => Default::default(),
    };
    json!({
        "address": change.address.to_string(),
        "deposed": change.deposed.as_deref(),
        "kind": &*change.kind,
        "place": change.place.as_ref().map(ToString::to_string),
        "what": if change.reason == Reason::Gone { "deleted" } else { "changed" },
        "paths": paths,
        "by": by,
    })
}

fn not_planned(blocked: &Blocked) -> Json {
    let mut json = json!({ "address": blocked.address.to_string(), "why": &*blocked.why });
    if let (Some(after), Json::Object(members)) = (&blocked.after, &mut json) {
        members.insert("after".to_owned(), json!(after.to_string()));
    }
    json
}

/// A problem with its place in the text.
pub fn diagnostic(sources: &SourceTree, problem: &Diagnostic) -> Json {
    json!({
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "summary": problem.summary,
        "detail": problem.detail,
        "help": problem.help,
        "rule": problem.rule.as_deref(),
        "address": problem.address.as_ref().map(ToString::to_string),
        "at": problem.at.and_then(|span| place(sources, span)),
        "related": problem.related.iter().map(|(span, words)| json!({ "at": place(sources, *span), "words": words })).collect::<Vec<_>>(),
    })
}

/// The outputs with their values, sensitive ones without.
pub fn outputs(outputs: &BTreeMap<Arc<str>, Output>) -> Json {
    let entries = outputs.iter().map(|(name, output)| {
        let value = if output.sensitive { Json::Null } else { Masked::of(&output.value).json };
        (name.to_string(), json!({ "value": value, "sensitive": output.sensitive }))
    });
    Json::Object(entries.collect::<Map<_, _>>())
}

/// Everything that is remembered, as one document. Its shape is this view's, not the state file's; secrets are not in it.
pub fn state(state: &State) -> Json {
    let resources = state.records().map(|(address, deposed, record)| {
        let attributes = Masked::of(&record.attributes);
        json!({
            "address": address.to_string(),
            "deposed": deposed.map(|key| &**key),
            "kind": &*record.kind,
            "status": status(record.status),
            "place": record.place.as_ref().map(ToString::to_string),
            "attributes": attributes.json,
            "sensitive": attributes.sensitive,
            "depends_on": record.depends_on.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    });
    json!({
        "format": FORMAT,
        "meshplan": env!("CARGO_PKG_VERSION"),
        "lineage": state.lineage,
        "serial": state.serial,
        "outputs": outputs(&state.outputs),
        "resources": resources.collect::<Vec<_>>(),
    })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Ready => "ready",
        Status::Unready => "unready",
        Status::Tainted => "tainted",
        Status::Interrupted(_) => "interrupted",
    }
}

fn place(sources: &SourceTree, span: Span) -> Option<Json> {
    let (line, column) = sources.position(span)?;
    Some(json!({ "file": &*sources.file(span.file)?.path, "line": line, "column": column, "start": span.start, "end": span.end }))
}

fn output_change(output: &OutputChange) -> Json {
    let masked = |value: &engine::value::Value| Masked::of(&value.clone().sensitive_if(output.sensitive));
    let after = output.after.as_ref().map(masked);
    json!({
        "name": &*output.name,
        "sensitive": output.sensitive,
        "before": output.before.as_ref().map(masked).map(|masked| masked.json),
        "after": after.as_ref().map(|masked| &masked.json),
        "after_unknown": after.as_ref().map(|masked| &masked.unknown),
    })
}

fn check(result: &CheckResult) -> Json {
    let status = match result.status {
        CheckStatus::Passed => "passed",
        CheckStatus::Failed => "failed",
        CheckStatus::Unknown => "unknown",
        CheckStatus::NotRun => "not_run",
    };
    let mut json = json!({ "name": &*result.name, "status": status, "messages": result.messages });
    if let (false, Json::Object(members)) = (result.pairs.is_empty(), &mut json) {
        members.insert("pairs".to_owned(), result.pairs.iter().map(pair).collect());
    }
    json
}

fn pair(pair: &Pair) -> Json {
    json!({
        "from": pair.from, "to": pair.to, "target": pair.target, "address": pair.address, "outcome": pair.outcome, "detail": pair.detail,
        "milliseconds": pair.milliseconds, "reached": pair.reached,
    })
}

fn counts(counts: &Counts) -> Json {
    json!({
        "add": counts.add, "change": counts.change, "replace": counts.replace, "destroy": counts.destroy,
        "import": counts.import, "forget": counts.forget, "read": counts.read, "move": counts.moved, "keep": counts.keep,
    })
}

fn name(action: Action) -> &'static str {
    match action {
        Action::Keep => "keep",
        Action::Settle => "settle",
        Action::Read => "read",
        Action::Create => "create",
        Action::Update => "update",
        Action::Import => "import",
        Action::Replace => "replace",
        Action::ReplaceCreateFirst => "replace_create_first",
        Action::Delete => "delete",
        Action::Forget => "forget",
        Action::Move => "move",
    }
}

#[cfg(test)]
mod tests;
