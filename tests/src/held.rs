//! A command line in a child that waits at a chosen point (see [`crate::faults`]) while something else happens.

use crate::faults::HOLD_AT;
use crate::killed::Counting;
use crate::scenario::Scenario;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a child may take for anything.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running child. Dropping it ends it.
#[derive(Debug)]
pub struct Held<'a> {
    child: Child,
    stderr: BufReader<ChildStderr>,
    scenario: &'a Scenario,
}

impl<'a> Held<'a> {
    /// Runs a command line up to a point, where it waits; nothing if it ended before.
    pub fn at(counting: Counting, scenario: &'a Scenario, args: &[&str], point: u64) -> Option<Self> {
        Self::typing(counting, scenario, args, (point, ""))
    }

    /// The same, with something typed beforehand; more is never typed, and the terminal stays open.
    pub fn typing(counting: Counting, scenario: &'a Scenario, args: &[&str], (point, typed): (u64, &str)) -> Option<Self> {
        let mut held = Self::start(counting, scenario, args, point);
        held.child.stdin.as_mut().unwrap().write_all(typed.as_bytes()).unwrap();
        held.within(|held| held.scenario.path().join("held").exists() || held.child.try_wait().unwrap().is_some());
        held.scenario.path().join("held").exists().then_some(held)
    }

    /// Runs a command line that asks, and is not answered.
    pub fn asking(counting: Counting, scenario: &'a Scenario, args: &[&str]) -> Self {
        Self::start(counting, scenario, args, u64::MAX)
    }

    fn start(counting: Counting, scenario: &'a Scenario, args: &[&str], point: u64) -> Self {
        for file in ["held", "go"] {
            std::fs::remove_file(scenario.path().join(file)).ok();
        }
        let mut command = counting.command(scenario, args);
        let piped = command.env(HOLD_AT, point.to_string()).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr, scenario }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.id().to_string()]).status().unwrap();
        assert!(status.success(), "{status}");
    }

    /// Waits until it says a line that holds this text.
    pub fn says(&mut self, text: &str) {
        let mut said = String::new();
        while !said.lines().last().is_some_and(|line| line.contains(text)) {
            let read = self.stderr.read_line(&mut said).unwrap();
            assert!(read > 0, "it ended without `{text}`:\n{said}");
        }
    }

    /// Lets it go on.
    pub fn release(&self) {
        self.scenario.write("go", "");
    }

    /// Waits for its end; how it ended, and what it said since.
    pub fn end(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }

    fn within(&mut self, mut happens: impl FnMut(&mut Self) -> bool) {
        let started = Instant::now();
        while !happens(self) {
            assert!(started.elapsed() < PATIENCE, "nothing happened within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
