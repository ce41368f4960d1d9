//! What checks say, as a table.

use super::pairs;
use engine::plan::{CheckResult, CheckStatus};
use review::notation::printable;
use review::style::{Paint, Style};
use std::fmt::Write;

/// How many checks ended in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Every assertion held.
    pub passed: usize,
    /// One did not.
    pub failed: usize,
    /// What they need is not there, or not known.
    pub not_run: usize,
}

impl Tally {
    /// Counts results.
    pub fn of(results: &[CheckResult]) -> Self {
        let mut tally = Self::default();
        for result in results {
            *match result.status {
                CheckStatus::Passed => &mut tally.passed,
                CheckStatus::Failed => &mut tally.failed,
                CheckStatus::Unknown | CheckStatus::NotRun => &mut tally.not_run,
            } += 1;
        }
        tally
    }
}

/// A line a check, with what its failed assertions say or why it was not run, a table below of what it says of pairs, and how many checks there
/// are of each sort.
pub fn text(results: &[CheckResult], style: Style, width: usize) -> String {
    if results.is_empty() {
        return "There is no check: the configuration has no `check` blocks.\n".to_owned();
    }
    let column = results.iter().map(|result| result.name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for result in results {
        let (paint, word) = match result.status {
            CheckStatus::Passed => (Paint::Success, "passed"),
            CheckStatus::Failed => (Paint::Error, "failed"),
            CheckStatus::Unknown | CheckStatus::NotRun => (Paint::Warning, "not run"),
        };
        let _ = write!(text, "check.{:<column$}  {}", result.name, style.paint(paint, word));
        // Messages stand below one another.
        let before = format!("\n{}", " ".repeat("check.".len() + column + 2 + word.len() + 2));
        let messages: Vec<_> = result.messages.iter().flat_map(|message| message.lines()).map(printable).collect();
        if !messages.is_empty() {
            let _ = write!(text, ": {}", messages.join(&before));
        }
        text.push('\n');
        text.push_str(&pairs::text(&result.pairs, 2, width));
    }
    let Tally { passed, failed, not_run } = Tally::of(results);
    let _ = writeln!(text, "\n{}", style.paint(Paint::Strong, &format!("{passed} passed, {failed} failed, {not_run} not run.")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_stand_in_a_table_with_what_they_say() {
        let result = |name: &str, status, messages: &[&str]| CheckResult {
            name: name.into(),
            status,
            messages: messages.iter().map(|message| (*message).to_owned()).collect(),
            pairs: Vec::new(),
        };
        let results = [
            result("roots", CheckStatus::Passed, &[]),
            result("module.mesh.synced", CheckStatus::Failed, &["east is not synced\nwest neither", "and \u{1b}[0m"]),
            result("traffic", CheckStatus::NotRun, &["no data plane: nothing runs"]),
        ];
        assert_eq!(
            text(&results, Style::Plain, 80),
            "check.roots               passed\n\
             check.module.mesh.synced  failed: east is not synced\n\
             \u{20}                                 west neither\n\
             \u{20}                                 and \u{fffd}[0m\n\
             check.traffic             not run: no data plane: nothing runs\n\
             \n\
             1 passed, 1 failed, 1 not run.\n"
        );
        assert_eq!(text(&[], Style::Plain, 80), "There is no check: the configuration has no `check` blocks.\n");
    }
}
