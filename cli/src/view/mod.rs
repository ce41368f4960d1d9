//! What the user sees. Views are fed with plans, events and problems; they decide nothing and read nothing.

pub mod checks;
pub mod diagnostic;
pub mod graph;
pub mod history;
pub mod human;
pub mod json;
pub mod memory;
pub mod pairs;
pub mod progress;
pub mod test;

use crate::world::Stream;
use engine::apply::{Event, Summary};
use engine::diagnostic::Diagnostic;
use engine::plan::{CheckResult, Plan};
use engine::source::SourceTree;
use engine::state::Output;
use std::collections::BTreeMap;
use std::sync::Arc;
use test::TestEvent;

/// How an apply ended.
#[derive(Debug, Clone, Copy)]
pub struct Applied<'a> {
    /// What was applied.
    pub plan: &'a Plan,
    /// What it came to.
    pub summary: &'a Summary,
    /// The outputs after it.
    pub outputs: &'a BTreeMap<Arc<str>, Output>,
}

/// The two streams.
#[derive(Debug)]
pub struct Screen {
    /// For data.
    pub out: Stream,
    /// For talk.
    pub err: Stream,
}

impl Screen {
    /// Keeps what is written, to write it at once.
    pub fn hold(&mut self) {
        self.out.hold();
        self.err.hold();
    }

    /// Writes what was held.
    pub fn release(&mut self) {
        self.out.release();
        self.err.release();
    }
}

/// One way of showing a run.
pub trait View: Send {
    /// Shows problems.
    fn diagnostics(&mut self, sources: &SourceTree, diagnostics: &[Diagnostic]);

    /// Shows a plan.
    fn plan(&mut self, plan: &Plan);

    /// Shows the order of a plan's apply.
    fn steps(&mut self, plan: &Plan);

    /// The apply of a plan begins.
    fn begin(&mut self, plan: &Plan);

    /// Shows what happens while a plan is applied. `now` is in seconds since the Unix epoch.
    fn event(&mut self, event: &Event, now: u64);

    /// Brings what is on the screen up to date; called about ten times a second.
    fn tick(&mut self, now: u64);

    /// Shows how an apply ended.
    fn applied(&mut self, applied: Applied<'_>);

    /// Shows what checks say that were run by themselves.
    fn checks(&mut self, results: &[CheckResult]);

    /// Shows how a test goes on.
    fn test(&mut self, event: &TestEvent<'_>);

    /// Says one or more sentences to the user.
    fn say(&mut self, sentence: &str);

    /// The streams, for what has a form of its own.
    fn screen(&mut self) -> &mut Screen;
}
