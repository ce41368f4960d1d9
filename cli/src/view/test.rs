//! How tests go, in the words of `terraform test`.

use super::memory;
use engine::state::State;
use review::style::{Paint, Style};
use std::fmt;

/// How a run, a file or a whole test ended; of several the last in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Status {
    /// It was not started, or asks what needs pods that run where none do.
    #[default]
    Skip,
    /// Everything holds.
    Pass,
    /// Something does not hold.
    Fail,
    /// It could not be found out.
    Error,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skip => "skip",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        })
    }
}

/// Where a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its first run begins.
    Started,
    /// What its runs made is destroyed.
    TearingDown,
    /// It is over.
    Ended(Status),
}

/// How many runs ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Everything held.
    pub passed: usize,
    /// Something did not hold.
    pub failed: usize,
    /// It could not be found out.
    pub errored: usize,
    /// Not started.
    pub skipped: usize,
    /// How it ended altogether; also what was not destroyed counts.
    pub status: Status,
}

impl Tally {
    /// Counts a run.
    pub fn count(&mut self, status: Status) {
        *match status {
            Status::Skip => &mut self.skipped,
            Status::Pass => &mut self.passed,
            Status::Fail => &mut self.failed,
            Status::Error => &mut self.errored,
        } += 1;
        self.status = self.status.max(status);
    }
}

/// One thing that happens in a test.
#[derive(Debug, Clone, Copy)]
pub enum TestEvent<'a> {
    /// A file begins, or goes on to its next stage.
    File {
        /// As a user would name it.
        path: &'a str,
        /// Where it is.
        stage: Stage,
    },
    /// A run ended.
    Run {
        /// Its file.
        path: &'a str,
        /// Its name.
        name: &'a str,
        /// How.
        status: Status,
    },
    /// What is remembered after a run, if that is wanted.
    Remembered(&'a State),
    /// What a file left, which is told as a problem as well.
    Left {
        /// The file.
        path: &'a str,
        /// The addresses, in their order.
        addresses: &'a [String],
        /// The directory of the state.
        kept: &'a str,
    },
    /// Everything is over.
    Ended(Tally),
}

/// What people see of it.
pub fn render(event: &TestEvent<'_>, style: Style) -> String {
    match event {
        TestEvent::File { path, stage: Stage::Started } => format!("{path}... in progress\n"),
        TestEvent::File { path, stage: Stage::TearingDown } => format!("{path}... tearing down\n"),
        TestEvent::File { path, stage: Stage::Ended(status) } => format!("{path}... {}\n", coloured(*status, style)),
        TestEvent::Run { name, status, .. } => format!("  run {name:?}... {}\n", coloured(*status, style)),
        TestEvent::Remembered(state) => format!("{}\n", memory::state(state)),
        TestEvent::Left { .. } => String::new(),
        TestEvent::Ended(tally) => ending(tally, style),
    }
}

fn coloured(status: Status, style: Style) -> String {
    let paint = match status {
        Status::Skip => Paint::Dim,
        Status::Pass => Paint::Success,
        Status::Fail | Status::Error => Paint::Error,
    };
    style.paint(paint, &status.to_string())
}

fn ending(tally: &Tally, style: Style) -> String {
    let word = if tally.status <= Status::Pass { style.paint(Paint::Success, "Success!") } else { style.paint(Paint::Error, "Failure!") };
    let skipped = if tally.skipped > 0 { format!(", {} skipped", tally.skipped) } else { String::new() };
    format!("\n{word} {} passed, {} failed{skipped}.\n", tally.passed, tally.failed + tally.errored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_terraforms() {
        let of = |statuses: &[Status]| {
            let mut tally = Tally::default();
            for status in statuses {
                tally.count(*status);
            }
            render(&TestEvent::Ended(tally), Style::Plain)
        };
        assert_eq!(of(&[]), "\nSuccess! 0 passed, 0 failed.\n");
        assert_eq!(of(&[Status::Pass, Status::Pass]), "\nSuccess! 2 passed, 0 failed.\n");
        assert_eq!(of(&[Status::Pass, Status::Fail, Status::Error, Status::Skip]), "\nFailure! 1 passed, 2 failed, 1 skipped.\n");
        let path = "tests/a.meshtest.hcl";
        for (event, text) in [
            (TestEvent::File { path, stage: Stage::Started }, "tests/a.meshtest.hcl... in progress\n"),
            (TestEvent::Run { path, name: "first", status: Status::Pass }, "  run \"first\"... pass\n"),
            (TestEvent::File { path, stage: Stage::TearingDown }, "tests/a.meshtest.hcl... tearing down\n"),
            (TestEvent::File { path, stage: Stage::Ended(Status::Fail) }, "tests/a.meshtest.hcl... fail\n"),
        ] {
            assert_eq!(render(&event, Style::Plain), text);
        }
    }
}
