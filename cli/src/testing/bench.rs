//! One test file: its temporary home, its runs, and what they leave.

use super::files::Loaded;
use super::given::Values;
use super::recorder::{Detail, Recorded, Recorder};
use crate::args::Performing;
use crate::encryption::named_from_anywhere;
use crate::exit;
use crate::failure::Failure;
use crate::perform::carry_out;
use crate::project::{Aim, Project};
use crate::session::Session;
use crate::view::test::{Stage, Status, Tally, TestEvent};
use engine::diagnostic::{Diagnostic, Problems};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Most addresses that are named in one sentence.
const NAMED: usize = 20;

/// What interruptions came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stopped {
    No,
    /// Nothing new starts, what was made is destroyed.
    Gently,
    /// Left at once.
    AtOnce,
}

/// What runs are performed with.
pub(super) struct Bench<'a> {
    pub(super) session: &'a mut Session,
    pub(super) runtime: &'a Runtime,
    pub(super) project: &'a Project,
    pub(super) performing: &'a Performing,
    pub(super) recorder: Recorder,
    pub(super) detail: Detail,
    pub(super) tally: Tally,
    pub(super) stopped: Stopped,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        session: &'a mut Session,
        runtime: &'a Runtime,
        project: &'a Project,
        performing: &'a Performing,
        recorder: Recorder,
    ) -> Self {
        let (detail, tally, stopped) = (Detail::Results, Tally::default(), Stopped::No);
        Self { session, runtime, project, performing, recorder, detail, tally, stopped }
    }

    /// Performs a file and destroys what it made. An error is one of this machine, and not of the test.
    pub(super) fn file(&mut self, file: &Loaded) -> Result<(), Failure> {
        let home = self.home()?;
        home.path().clone_into(&mut self.session.workplace.home);
        self.show(file, Stage::Started);
        let status = self.runs(file);
        self.show(file, Stage::TearingDown);
        let status = status.max(self.tear_down(file, home));
        self.show(file, Stage::Ended(status));
        self.tally.status = self.tally.status.max(status);
        Ok(())
    }

    fn show(&mut self, file: &Loaded, stage: Stage) {
        self.session.view.test(&TestEvent::File { path: &file.shown, stage });
    }

    /// A directory for the state, which goes with what it remembers.
    fn home(&self) -> Result<TempDir, Failure> {
        let named = self.session.workplace.environment.get("TMPDIR").filter(|named| !named.is_empty());
        let parent = named.map_or_else(std::env::temp_dir, PathBuf::from);
        let made = tempfile::Builder::new().prefix("meshplan-test-").tempdir_in(&parent);
        made.map_err(|error| Failure::one("no temporary directory", format!("`{}`: {error}", parent.display())))
    }

    fn runs(&mut self, file: &Loaded) -> Status {
        let mut former = Values::new();
        let mut status = Status::Skip;
        for run in &file.test.runs {
            let ended = if status == Status::Error || self.stopped > Stopped::No {
                self.session.view.test(&TestEvent::Run { path: &file.shown, name: &run.name, status: Status::Skip });
                Status::Skip
            } else {
                self.run(file, run, &mut former)
            };
            self.tally.count(ended);
            status = status.max(ended);
        }
        status
    }

    /// Plans and applies, and says what the user would have seen of it, and the exit code.
    pub(super) fn carried_out(&mut self, project: &Project, aim: Aim) -> (Recorded, u8) {
        self.session.stop.store(false, Ordering::SeqCst);
        self.recorder.start();
        let result = carry_out(self.session, self.runtime, project, (self.performing, aim));
        let mut recorded = self.recorder.stop();
        let code = result.unwrap_or_else(|failure| {
            recorded.problems.extend(failure.0);
            exit::FAILED
        });
        if code == exit::INTERRUPTED {
            self.stopped = Stopped::AtOnce;
        } else if self.session.stop.load(Ordering::SeqCst) {
            self.stopped = self.stopped.max(Stopped::Gently);
        }
        (recorded, code)
    }

    /// Destroys what the state remembers. What is left is named, and its state is kept.
    fn tear_down(&mut self, file: &Loaded, home: TempDir) -> Status {
        let mut problems = Problems::new();
        let before = self.left();
        if self.stopped < Stopped::AtOnce && before.as_ref().is_ok_and(|left| !left.is_empty()) {
            problems = self.carried_out(self.project, Aim::Nothing).0.problems;
        }
        match self.left() {
            Ok(left) if left.is_empty() => {}
            Ok(left) => problems.push(self.keep(file, &left, home)),
            Err(failure) => {
                problems.extend(failure.0);
                problems.push(self.keep(file, &[], home));
            }
        }
        let failed = problems.iter().any(Diagnostic::is_error);
        let session = &mut *self.session;
        session.view.diagnostics(&session.sources, &problems);
        if failed { Status::Error } else { Status::Skip }
    }

    /// What the state remembers.
    fn left(&self) -> Result<Vec<String>, Failure> {
        let state = self.session.store().read()?.state;
        let named = state.records().map(|(address, deposed, _)| match deposed {
            None => address.to_string(),
            Some(key) => format!("{address} (deposed {key})"),
        });
        Ok(named.collect())
    }

    fn keep(&mut self, file: &Loaded, left: &[String], home: TempDir) -> Diagnostic {
        let kept = home.keep().display().to_string();
        self.session.view.test(&TestEvent::Left { path: &file.shown, addresses: left, kept: &kept });
        // With a configuration beside it the state can be worked with.
        let text = "# Nothing is configured here: a destroy goes by the state beside this file.\n".to_owned();
        let workplace = &self.session.workplace;
        let written = std::fs::write(workplace.home.join("left.mesh.hcl"), text + &named_from_anywhere(workplace));
        let named: Vec<_> = left.iter().take(NAMED).map(|address| format!("`{address}`")).collect();
        let named = match left.len().saturating_sub(NAMED) {
            0 if named.is_empty() => "what its state remembers".to_owned(),
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        };
        let problem =
            Diagnostic::error("not everything was destroyed", format!("`{}` left {named}; its state is kept in `{kept}`", file.shown));
        if written.is_ok() { problem.help(format!("Run `meshplan -C {kept} destroy`.")) } else { problem }
    }
}
