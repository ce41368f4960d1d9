//! Every message with a configuration that makes it, and the text that it is then.
//!
//! Below `tests/fixtures/messages` stands a directory for each summary, named by its words: a configuration, in `run` the command line if
//! it is not `plan`, and in `expected.txt` what that says. `elsewhere.txt` names for each other summary the test that makes it.

use super::{bare, listed};
use meshplan_tests::golden;
use meshplan_tests::scenario::{Scenario, project};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Stands in `elsewhere.txt` in place of a test for what none names.
const NOTHING: &str = "nothing yet";
/// How many summaries may have neither: this number only gets smaller.
const UNTESTED: usize = 35;

/// Files of a fixture that are no configuration.
const OWN: [&str; 2] = ["run", "expected.txt"];

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

fn copy(from: &Path, within: &str, scenario: &Scenario) {
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        let path = if within.is_empty() { name.clone() } else { format!("{within}/{name}") };
        if entry.path().is_dir() {
            copy(&entry.path(), &path, scenario);
        } else if !OWN.contains(&&*path) {
            scenario.write(&path, &std::fs::read_to_string(entry.path()).unwrap());
        }
    }
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
        let command = std::fs::read_to_string(from.join("run")).unwrap_or_else(|_| "plan".to_owned());
        let output = scenario.run(&command.split_whitespace().collect::<Vec<_>>());
        let said = output.stderr.lines().any(|line| line.split_once(": ").is_some_and(|(_, said)| said.contains(summary)));
        if !said {
            differences.push(format!("`{name}` does not say `{summary}`:\n{}", output.all()));
        }
        let text = output.all().replace(&scenario.path().display().to_string(), "DIRECTORY");
        differences.extend(golden::difference(&from.join("expected.txt"), &text));
    }
    golden::expect_none(differences);
}

#[test]
fn every_summary_has_a_fixture_or_a_test_that_makes_it() {
    let (fixtures, text) = (fixtures(), std::fs::read_to_string(directory().join("elsewhere.txt")).unwrap());
    let elsewhere: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(": ")).collect();
    let (mut problems, mut untested) = (Vec::new(), 0);
    for summary in &listed() {
        let summary = bare(summary);
        match (fixtures.contains(&slug(summary)), elsewhere.get(summary)) {
            (true, None) => {}
            (true, Some(_)) => problems.push(format!("`{summary}` has a fixture, and `elsewhere.txt` names it as well")),
            (false, None | Some(&NOTHING)) => untested += 1,
            (false, Some(path)) => {
                if !std::fs::read_to_string(project().join(path)).is_ok_and(|text| text.contains(summary)) {
                    problems.push(format!("`{path}` does not make `{summary}`"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(untested <= UNTESTED, "{untested} summaries have neither a fixture nor a test in `elsewhere.txt`; at most {UNTESTED} may");
}
