//! A view that holds back what a run shows: whether it is a problem is for the test to say.

use crate::session::Session;
use crate::view::test::TestEvent;
use crate::view::{Applied, Screen, View, human::Human};
use crate::world::Stream;
use engine::apply::Event;
use engine::diagnostic::{Diagnostic, Problems};
use engine::plan::{CheckResult, Plan};
use engine::source::SourceTree;
use review::style::Style;
use review::terminal::Layout;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// How runs end, and why.
    Results,
    /// Also plans, what happens, and what is remembered.
    Everything,
}

/// What a run would have shown.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) problems: Problems,
    /// What could not be observed, with the reason.
    pub(super) blocked: Vec<String>,
    /// What checks said while it was applied.
    pub(super) checks: Vec<CheckResult>,
}

/// Takes a recording: from [`Recorder::start`] to [`Recorder::stop`] nothing but what [`Detail`] wants is shown.
#[derive(Debug, Clone)]
pub(super) struct Recorder(Arc<Mutex<Option<Recorded>>>);

impl Recorder {
    /// Puts a recorder before the session's view.
    pub(super) fn install(session: &mut Session, detail: Detail) -> Self {
        let recorder = Self(Arc::default());
        let nowhere = || Stream::plain(Box::new(io::sink()));
        let nothing = Human::new(Screen { out: nowhere(), err: nowhere() }, Layout::default(), Style::Plain);
        let view = std::mem::replace(&mut session.view, Box::new(nothing));
        session.view = Box::new(Recording { view, recorded: recorder.clone(), detail });
        recorder
    }

    pub(super) fn start(&self) {
        *self.recorded() = Some(Recorded::default());
    }

    pub(super) fn stop(&self) -> Recorded {
        self.recorded().take().unwrap_or_default()
    }

    fn recorded(&self) -> MutexGuard<'_, Option<Recorded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Recording {
    view: Box<dyn View>,
    recorded: Recorder,
    detail: Detail,
}

impl View for Recording {
    fn diagnostics(&mut self, sources: &SourceTree, diagnostics: &[Diagnostic]) {
        match &mut *self.recorded.recorded() {
            Some(recorded) => recorded.problems.extend(diagnostics.iter().cloned()),
            None => self.view.diagnostics(sources, diagnostics),
        }
    }

    fn plan(&mut self, plan: &Plan) {
        match &mut *self.recorded.recorded() {
            Some(recorded) => {
                recorded.blocked = plan.blocked.iter().map(|blocked| format!("`{}`: {}", blocked.address, blocked.why)).collect();
            }
            None => self.view.plan(plan),
        }
    }

    fn steps(&mut self, _: &Plan) {}

    fn begin(&mut self, plan: &Plan) {
        if self.detail == Detail::Everything {
            self.view.begin(plan);
        }
    }

    fn event(&mut self, event: &Event, now: u64) {
        if let (Some(recorded), Event::Checked(result)) = (&mut *self.recorded.recorded(), event) {
            recorded.checks.push(result.clone());
        }
        if self.detail == Detail::Everything {
            self.view.event(event, now);
        }
    }

    fn tick(&mut self, now: u64) {
        if self.detail == Detail::Everything {
            self.view.tick(now);
        }
    }

    fn applied(&mut self, applied: Applied<'_>) {
        if self.recorded.recorded().is_none() {
            self.view.applied(applied);
        }
    }

    fn checks(&mut self, results: &[CheckResult]) {
        self.view.checks(results);
    }

    fn test(&mut self, event: &TestEvent<'_>) {
        self.view.test(event);
    }

    fn say(&mut self, sentence: &str) {
        if self.recorded.recorded().is_none() {
            self.view.say(sentence);
        }
    }

    fn screen(&mut self) -> &mut Screen {
        self.view.screen()
    }
}
