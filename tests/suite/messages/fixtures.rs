//! Every message with a configuration that makes it, and the text that it is then.
//!
//! Below `tests/fixtures/messages` stands a directory for each summary, named by its words: a configuration, in `run` the command line if
//! it is not `plan`, in `input` what it reads, and in `expected.txt` what that says. Of several lines in `run` each is a command in the same
//! directory, and the last one's words count; what is in the directory `2` comes before the second, and so on. `elsewhere.txt` names for each
//! other summary the test that makes it.

use super::{bare, listed};
use meshplan_tests::golden;
use meshplan_tests::scenario::{Scenario, project};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files of a fixture that are no configuration.
const OWN: [&str; 3] = ["run", "input", "expected.txt"];

fn directory() -> PathBuf {
    project().join("tests").join("fixtures").join("messages")
}

/// A summary as the name of its fixture: its words, with `-` between.
fn slug(summary: &str) -> String {
    let words = summary.split(|of: char| !of.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// The names of the fixtures.
fn fixtures() -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap());
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// The tests of a source; a file without such a module has nothing else.
fn tests_of(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(_, tests)| tests)
}

fn copy(from: &Path, within: &str, scenario: &Scenario) {
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        let path = if within.is_empty() { name.clone() } else { format!("{within}/{name}") };
        if within.is_empty() && name.parse::<usize>().is_ok() {
            // A later command's.
        } else if entry.path().is_dir() {
            copy(&entry.path(), &path, scenario);
        } else if !OWN.contains(&&*path) {
            scenario.write(&path, &std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// What is said, without the digest of a plan: uids are in it.
fn without_digest(text: &str) -> String {
    let lines = text.lines().map(|line| if line.starts_with("Plan digest: ") { "Plan digest: DIGEST" } else { line });
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn each_fixture_says_what_is_recorded() {
    let listed = listed();
    let summaries: BTreeMap<String, &str> = listed.iter().map(|summary| (slug(summary), bare(summary))).collect();
    let mut differences = Vec::new();
    for name in fixtures() {
        let from = directory().join(&name);
        let Some(summary) = summaries.get(&name) else {
            differences.push(format!("`{name}` is no summary of docs/messages.md"));
            continue;
        };
        let scenario = Scenario::empty();
        copy(&from, "", &scenario);
        let own = |file: &str| std::fs::read_to_string(from.join(file)).ok();
        let (commands, input) = (own("run").unwrap_or_else(|| "plan".to_owned()), own("input").unwrap_or_default());
        let mut commands: Vec<Vec<_>> = commands.lines().map(|line| line.split_whitespace().collect()).collect();
        let last = commands.pop().unwrap_or_default();
        for (nth, command) in commands.iter().enumerate() {
            scenario.run_with(command, &input).expect_code(0);
            let next = from.join((nth + 2).to_string());
            if next.is_dir() {
                copy(&next, "", &scenario);
            }
        }
        let output = scenario.run_with(&last, &input);
        let said = output.stderr.lines().any(|line| line.split_once(": ").is_some_and(|(_, said)| said.contains(summary)));
        if !said {
            differences.push(format!("`{name}` does not say `{summary}`:\n{}", output.all()));
        }
        let text = without_digest(&output.all().replace(&scenario.path().display().to_string(), "DIRECTORY"));
        differences.extend(golden::difference(&from.join("expected.txt"), &text));
    }
    golden::expect_none(differences);
}

#[test]
fn every_summary_has_a_fixture_or_a_test_that_makes_it() {
    let (fixtures, text) = (fixtures(), std::fs::read_to_string(directory().join("elsewhere.txt")).unwrap());
    let elsewhere: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(": ")).collect();
    let mut problems = Vec::new();
    for summary in &listed() {
        let summary = bare(summary);
        match (fixtures.contains(&slug(summary)), elsewhere.get(summary)) {
            (true, None) => {}
            (true, Some(_)) => problems.push(format!("`{summary}` has a fixture, and `elsewhere.txt` names it as well")),
            (false, None) => problems.push(format!("`{summary}` has neither a fixture nor a test in `elsewhere.txt`")),
            (false, Some(path)) => {
                if !std::fs::read_to_string(project().join(path)).is_ok_and(|text| tests_of(&text).contains(summary)) {
                    problems.push(format!("`{path}` does not make `{summary}`"));
                }
            }
        }
    }
    let listed = listed();
    let listed: BTreeSet<&str> = listed.iter().map(|summary| bare(summary)).collect();
    problems.extend(elsewhere.keys().filter(|summary| !listed.contains(**summary)).map(|summary| format!("`{summary}` is not listed")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
