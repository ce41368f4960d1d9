//! Transcripts of a shell in a Markdown page, run line by line.
//!
//! Every fenced block marked `console` counts, in order: `$ command` lines with what they print below them. The commands run with `sh`,
//! first in `~/meshplan/examples`, a copy of the project's examples in a home of their own, where `meshplan` is the binary under test.
//!
//! - A line `…` in the expected output stands for any lines, also none. All other lines are compared after [`redact::transcript`].
//! - `$ cd DIRECTORY` changes where the following commands run.
//! - A command that ends with `&` runs on until the page ends; what it prints is awaited.
//! - A command with the comment `# kill -9` is killed half way through the points of its journal and of its effects; see
//!   [`faults`](crate::faults).
//! - A command that needs a tool that is missing is skipped; see [`crate::required`].

use crate::faults::{COUNT_TO, KILL_AT};
use crate::redact;
use crate::required::Missing;
use crate::scenario::{self, Scenario};
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Tools of the transcript that are not ours. Where one is missing its commands are skipped.
const TOOLS: [&str; 2] = ["openssl", "kubectl"];
/// What stands for any lines.
const ANY: &str = "…";
/// How long something that runs on may take to say what it should.
const PATIENCE: Duration = Duration::from_mins(1);

/// One command with what it should print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Line number of the command, from zero.
    line: usize,
    /// The command, without `$ `.
    command: String,
    /// The lines below it.
    expected: Vec<String>,
}

/// The steps of a page's `console` blocks.
pub fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for (line, text) in page.lines().enumerate() {
        if text.starts_with("```") {
            inside = text == "```console";
        } else if let Some(command) = text.strip_prefix("$ ").filter(|_| inside) {
            steps.push(Step { line, command: command.to_owned(), expected: Vec::new() });
        } else if inside {
            let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: output of no command", line + 1));
            step.expected.push(text.to_owned());
        }
    }
    steps
}

/// What the run of a page came to.
#[derive(Debug)]
pub struct Run {
    /// The page with the outputs that there were, where they are not as expected.
    pub page: String,
    /// Tools that were missing; what needs them did not run.
    pub missing: Missing,
}

/// Runs a page. `binary` is the command line that counts its points; `after` sees the directory after each command.
pub fn run(page: &str, binary: &Path, after: &dyn Fn(&Step, &Path)) -> Run {
    let mut shell = Shell::new(binary);
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    let mut missing = Missing::default();
    let mut outputs = Vec::new();
    for step in steps(page) {
        if missing.any_of(TOOLS.into_iter().filter(|tool| step.needs(tool))) {
            continue;
        }
        let output = shell.perform(&step);
        after(&step, &shell.directory);
        outputs.extend((!step.is_matched_by(&output)).then_some((step, output)));
    }
    for (step, output) in outputs.into_iter().rev() {
        let from = step.line + 1;
        lines.splice(from..from + step.expected.len(), step.renewed(&output));
    }
    Run { page: lines.join("\n") + "\n", missing }
}

impl Step {
    /// The command.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Whether it is killed on its way.
    pub fn is_killed(&self) -> bool {
        self.command.contains("# kill -9")
    }

    fn needs(&self, tool: &str) -> bool {
        self.command.split([' ', '|', '(', ';']).any(|word| word == tool)
    }

    /// Whether an output is as expected.
    fn is_matched_by(&self, output: &str) -> bool {
        let printed: Vec<_> = output.lines().collect();
        fitted(&self.expected, &printed, &|line| redact::transcript(line).trim_end().to_owned()).is_some()
    }

    /// What should be expected, given what was printed: what was shown of it before if only columns moved, else all of it.
    fn renewed(&self, output: &str) -> Vec<String> {
        let printed: Vec<_> = output.lines().collect();
        let words = |line: &str| redact::transcript(line).split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = fitted(&self.expected, &printed, &words).unwrap_or(printed);
        shown.into_iter().map(str::to_owned).collect()
    }
}

/// The printed lines that the expected ones stand for, marks for any lines kept; nothing if they do not fit.
fn fitted<'a>(expected: &[String], printed: &[&'a str], comparable: &dyn Fn(&str) -> String) -> Option<Vec<&'a str>> {
    let Some((first, rest)) = expected.split_first() else { return printed.is_empty().then(Vec::new) };
    let (shown, mut others) = if first.trim() == ANY {
        (ANY, (0..=printed.len()).find_map(|skipped| fitted(rest, &printed[skipped..], comparable))?)
    } else {
        let (line, others) = printed.split_first().filter(|(line, _)| comparable(line) == comparable(first))?;
        (*line, fitted(rest, others, comparable)?)
    };
    others.insert(0, shown);
    Some(others)
}

/// Where commands run.
struct Shell {
    scenario: Scenario,
    directory: PathBuf,
    path: String,
    running: Vec<Child>,
}

impl Drop for Shell {
    fn drop(&mut self) {
        for child in &mut self.running {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Shell {
    fn new(binary: &Path) -> Self {
        let scenario = Scenario::empty();
        let directory = scenario.path().join("meshplan").join("examples");
        scenario::copy(&scenario::project().join("examples"), &directory);
        let tools = scenario.path().join("bin");
        std::fs::create_dir_all(&tools).unwrap();
        std::os::unix::fs::symlink(binary, tools.join("meshplan")).unwrap();
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
        Self { scenario, directory, path, running: Vec::new() }
    }

    /// Runs a command and gives all that it printed, as a terminal would show it.
    fn perform(&mut self, step: &Step) -> String {
        if let Some(directory) = step.command.strip_prefix("cd ") {
            self.directory = self.directory.join(directory).canonicalize().unwrap();
            return String::new();
        }
        match step.command.strip_suffix('&') {
            Some(command) => self.start(step, command),
            None if step.is_killed() => self.killed(step),
            None => self.finished(&self.directory, &step.command, None).0,
        }
    }

    /// What a file holds, with the home as a shell would write it.
    fn printed(&self, log: &Path) -> String {
        let home = self.scenario.path().display().to_string();
        String::from_utf8(std::fs::read(log).unwrap()).unwrap().replace(&home, "~")
    }

    /// A command that runs on: what it printed until that is what it should, or it ended, or patience did.
    fn start(&mut self, step: &Step, command: &str) -> String {
        let log = self.scenario.path().join(format!("output-{}", step.line));
        let started = Instant::now();
        let mut child = self.command(&self.directory, &format!("exec {command}"), &log).spawn().unwrap();
        loop {
            let printed = self.printed(&log);
            let over = child.try_wait().unwrap().is_some() || started.elapsed() > PATIENCE;
            if over || step.is_matched_by(&printed) {
                self.running.push(child);
                return printed;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A command that is killed half way. How far that is a run in a copy tells.
    fn killed(&self, step: &Step) -> String {
        let copy = Scenario::copy_of(&self.directory);
        let (printed, status) = self.finished(copy.path(), &step.command, None);
        assert!(status.success(), "{printed}");
        let points: u64 = copy.read("points").parse().unwrap();
        let (printed, status) = self.finished(&self.directory, &step.command, Some(points / 2));
        // The shell ends with the signal of what it became.
        assert_eq!(status.signal(), Some(9), "{printed}");
        printed + "Killed\n"
    }

    fn finished(&self, directory: &Path, command: &str, kill_at: Option<u64>) -> (String, ExitStatus) {
        let log = self.scenario.path().join("output");
        let is_pipe = command.contains(['|', '>', ';']);
        let line = if is_pipe { command.to_owned() } else { format!("exec {command}") };
        let mut shell = self.command(directory, &line, &log);
        shell.env(COUNT_TO, directory.join("points"));
        if let Some(point) = kill_at {
            shell.env(KILL_AT, point.to_string());
        }
        let status = shell.status().unwrap();
        (self.printed(&log), status)
    }

    fn command(&self, directory: &Path, line: &str, log: &Path) -> Command {
        let output = File::options().create(true).write(true).truncate(true).open(log).unwrap();
        drop(output);
        let append = || File::options().append(true).open(log).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(directory).env("PATH", &self.path).env("HOME", self.scenario.path());
        command.env_remove("KUBECONFIG").env_remove(KILL_AT).env_remove(COUNT_TO).env("NO_COLOR", "1");
        command.stdin(std::process::Stdio::null()).stdout(append()).stderr(append());
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_commands_with_what_they_print() {
        let page = "# Page\n```sh\n$ no\n```\n```console\n$ one\na\n…\n$ two\n```\n\n```console\n$ three &\nb\n```\n";
        let step = |line, command: &str, expected: &[&str]| Step {
            line,
            command: command.to_owned(),
            expected: expected.iter().map(|&line| line.to_owned()).collect(),
        };
        assert_eq!(steps(page), [step(5, "one", &["a", "…"]), step(8, "two", &[]), step(12, "three &", &["b"])]);
    }

    #[test]
    fn any_lines_may_stand_for_a_mark() {
        for (expected, printed, same) in [
            ("", "", true),
            ("a", "a\n", true),
            ("a", "a\nb\n", false),
            ("a\n…", "a\nb\nc\n", true),
            ("…\nc", "a\nb\nc\n", true),
            ("…\nc", "a\nc\nb\n", false),
            ("a\n  …\nc\n…\ne", "a\nc\nb\nc\ne\n", true),
            ("…", "", true),
            ("took 1.5s", "took 0.2s\n", true),
            ("took a while", "took 0.2s\n", false),
        ] {
            let step = Step { line: 0, command: "x".to_owned(), expected: expected.lines().map(str::to_owned).collect() };
            assert_eq!(step.is_matched_by(printed), same, "{expected:?} {printed:?}");
        }
    }

    #[test]
    fn what_was_left_out_stays_left_out_where_columns_move() {
        let step = |expected: &str| Step { line: 0, command: "x".to_owned(), expected: expected.lines().map(str::to_owned).collect() };
        assert_eq!(step("a  1\n…\nc 3s").renewed("a    1\nb\nc   4s\n"), ["a    1", "…", "c   4s"]);
        assert_eq!(step("a  1\n…\nc 3s").renewed("a  2\nb\n"), ["a  2", "b"]);
    }

    #[test]
    fn commands_share_a_directory_and_differences_come_into_the_page() {
        let page = "```console\n$ cd quickstart\n$ echo one > two\n$ cat two\none\n$ ls nowhere-$((1 + 1)) || true\nwrong\n```\nend\n";
        let run = run(page, Path::new("/bin/true"), &|_, directory| assert!(directory.is_dir()));
        assert!(run.page.starts_with("```console\n$ cd quickstart\n$ echo one > two\n$ cat two\none\n$ ls"), "{}", run.page);
        assert!(run.page.contains("nowhere-2") && !run.page.contains("wrong") && run.page.ends_with("```\nend\n"), "{}", run.page);
    }

    #[test]
    fn what_runs_on_is_awaited_and_ended() {
        let page = "```console\n$ sh -c 'sleep 0.1; echo ready; sleep 1000' &\nready\n$ echo after\nafter\n```\n";
        let started = Instant::now();
        assert_eq!(run(page, Path::new("/bin/true"), &|_, _| {}).page, page);
        assert!(started.elapsed() < PATIENCE);
    }
}
