//! Runs a target over its corpus and over rounds, and keeps what they find.

use meshplan_tests::draws::Draws;
use meshplan_tests::scenario::project;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Rounds that are run whatever the time is.
const AT_LEAST: u64 = 500;
/// What one text may take at most, on the slowest machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Tries at making a finding smaller.
const TRIES: usize = 3000;

/// What is given texts.
pub(super) struct Target {
    /// The name of its corpus.
    pub(super) name: &'static str,
    /// Texts beside those of its corpus.
    pub(super) more: Vec<String>,
    /// Takes a text; panics if something is wrong.
    pub(super) consume: fn(&str),
}

impl Target {
    fn directory(&self) -> PathBuf {
        project().join("tests").join("fixtures").join("fuzz").join(self.name)
    }

    /// The kept corpus, by file.
    fn kept(&self) -> Vec<(PathBuf, String)> {
        let entries = std::fs::read_dir(self.directory()).unwrap().map(|entry| entry.unwrap().path());
        let mut kept: Vec<_> = entries.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect();
        kept.sort();
        kept
    }

    /// The corpus as it is, then what `make` makes of it, round after round.
    pub(super) fn run(&self, mut make: impl FnMut(&[String], &mut Draws) -> String) {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let budget = Duration::from_secs(number("MESHPLAN_FUZZ_SECONDS").unwrap_or(20));
        let from = number("MESHPLAN_FUZZ_FROM").unwrap_or(0);
        let begun = Instant::now();
        let kept = self.kept();
        assert!(kept.len() >= 5, "the corpus is missing");
        for (path, text) in &kept {
            assert!(self.stands(text), "{}", path.display());
        }
        let corpus: Vec<String> = kept.into_iter().map(|(_, text)| text).chain(self.more.iter().cloned()).collect();
        for text in &self.more {
            assert!(self.stands(text), "{text}");
        }
        let mut round = from;
        while round < from + AT_LEAST || begun.elapsed() < budget {
            let text = make(&corpus, &mut Draws::new(round));
            let found = (!self.stands(&text)).then(|| self.keep(&text));
            assert!(found.is_none(), "round {round}: {found:?}");
            round += 1;
        }
        // Past what catches the output of tests, so that it is seen how far the time went.
        let told = format!("fuzz {}: {} texts, rounds {from} to {round}\n", self.name, corpus.len());
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    }

    /// Whether a text is taken, and soon.
    fn stands(&self, text: &str) -> bool {
        let begun = Instant::now();
        catch_unwind(AssertUnwindSafe(|| (self.consume)(text))).is_ok() && begun.elapsed() < PATIENCE
    }

    /// Writes a finding into the corpus, as small as it gets.
    fn keep(&self, text: &str) -> PathBuf {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let small = smaller(text, &|text| !self.stands(text));
        std::panic::set_hook(hook);
        let number = (1..100_000).find(|number| !self.directory().join(format!("found-{number}.txt")).exists()).unwrap();
        let path = self.directory().join(format!("found-{number}.txt"));
        std::fs::write(&path, small).unwrap();
        path
    }
}

/// What is left of a text that fails when all is taken out of it that it fails without.
fn smaller(text: &str, fails: &dyn Fn(&str) -> bool) -> String {
    let mut left: Vec<char> = text.chars().collect();
    let (mut length, mut tries) = (left.len() / 2, 0);
    while length > 0 && tries < TRIES {
        let mut at = 0;
        while at < left.len() && tries < TRIES {
            let without: Vec<char> = left.iter().take(at).chain(left.iter().skip(at + length)).copied().collect();
            tries += 1;
            if fails(&without.iter().collect::<String>()) {
                left = without;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    left.into_iter().collect()
}

#[test]
fn a_finding_is_made_as_small_as_it_gets() {
    let fails = |text: &str| text.contains('x') && text.contains("yé");
    assert_eq!(smaller(&format!("{}x{}yé{}", "a".repeat(400), "é".repeat(300), "b".repeat(99)), &fails), "xyé");
    assert_eq!(smaller("xyé", &fails), "xyé");
}
