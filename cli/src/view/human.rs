//! Text for people.

use super::progress::Progress;
use super::test::{self, TestEvent};
use super::{Applied, Screen, View, checks, diagnostic, memory};
use engine::apply::{Event, Summary};
use engine::diagnostic::Diagnostic;
use engine::plan::{Action, CheckResult, Plan};
use engine::source::SourceTree;
use review::notation::wrapped;
use review::style::{Paint, Style};
use review::terminal;
use review::terminal::Layout;
use std::fmt::Write;

/// Columns assumed where nothing says how many there are.
pub const WIDTH: usize = 120;

/// The view for people: data on standard output, talk on standard error.
#[derive(Debug)]
pub struct Human {
    screen: Screen,
    layout: Layout,
    err: Style,
    progress: Progress,
}

impl Human {
    /// A view that writes here: data in this layout, talk in its style.
    pub fn new(screen: Screen, layout: Layout, err: Style) -> Self {
        let progress = Progress::new(&screen.err, err);
        Self { screen, layout, err, progress }
    }
}

impl View for Human {
    fn diagnostics(&mut self, sources: &SourceTree, diagnostics: &[Diagnostic]) {
        let width = self.screen.err.width();
        let text = diagnostic::render(sources, diagnostics, self.err, width);
        self.progress.above(&mut self.screen.err, &text);
    }

    fn plan(&mut self, plan: &Plan) {
        terminal::render(plan, self.layout, &mut |text| self.screen.out.write(text));
    }

    fn steps(&mut self, plan: &Plan) {
        let layout = self.layout;
        self.screen.out.write(&review::steps::text(plan, layout));
        self.screen.out.write(&terminal::summary(plan, layout.style));
    }

    fn begin(&mut self, plan: &Plan) {
        let told = plan.steps().filter(|step| step.action != Action::Forget).count();
        self.progress.begin(told);
    }

    fn event(&mut self, event: &Event, now: u64) {
        self.progress.event(&mut self.screen.err, event, now);
    }

    fn tick(&mut self, now: u64) {
        self.progress.draw(&mut self.screen.err, now);
    }

    fn applied(&mut self, applied: Applied<'_>) {
        self.progress.end(&mut self.screen.err);
        let line = match (applied.summary.is_complete(), applied.plan.refresh_only) {
            (true, true) => "Refresh complete: the state remembers what exists.".to_owned(),
            _ => summary(applied.summary, applied.plan.destroy),
        };
        let paint = if applied.summary.is_complete() { Paint::Success } else { Paint::Error };
        self.screen.out.write(&format!("\n{}\n", self.layout.style.paint(paint, &line)));
        self.screen.err.write(&self.progress.record().text());
        let text = memory::outputs(applied.outputs);
        if !text.is_empty() {
            self.screen.out.write(&format!("\n{}\n{text}", self.layout.style.paint(Paint::Strong, "Outputs")));
        }
    }

    fn checks(&mut self, results: &[CheckResult]) {
        let text = checks::text(results, self.layout.style, self.layout.width);
        self.screen.out.write(&text);
    }

    fn test(&mut self, event: &TestEvent<'_>) {
        let text = test::render(event, self.layout.style);
        self.screen.out.write(&text);
    }

    fn say(&mut self, sentence: &str) {
        let text = match self.screen.err.width() {
            Some(width) => sentence.lines().flat_map(|line| wrapped(line, width)).collect::<Vec<_>>().join("\n"),
            None => sentence.to_owned(),
        };
        self.progress.above(&mut self.screen.err, &format!("{text}\n"));
    }

    fn screen(&mut self) -> &mut Screen {
        &mut self.screen
    }
}

/// How an apply ended, in one line.
fn summary(summary: &Summary, destroy: bool) -> String {
    let name = if destroy { "Destroy" } else { "Apply" };
    let ending = match (summary.is_complete(), summary.interrupted) {
        (true, _) => "complete",
        (false, true) => "interrupted",
        (false, false) => "incomplete",
    };
    let mut line = format!("{name} {ending}: ");
    if summary.imported > 0 {
        let _ = write!(line, "{} imported, ", summary.imported);
    }
    if !destroy {
        let _ = write!(line, "{} added, {} changed, ", summary.added, summary.changed);
    }
    let _ = write!(line, "{} destroyed", summary.destroyed);
    for (count, words) in [(summary.failed, "failed"), (summary.skipped, "not started")] {
        if count > 0 {
            let _ = write!(line, ", {count} {words}");
        }
    }
    line.push('.');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Kept;
    use crate::world::Stream;

    #[test]
    fn sentences_are_broken_between_words_on_terminals_alone() {
        let kept = Kept::default();
        for (width, expected) in [(Some(20), "one two three four\n  five\nsix\n"), (None, "one two three four five\nsix\n")] {
            let stream = || match width {
                Some(width) => Stream::terminal(Box::new(kept.clone()), Some(width)),
                None => Stream::plain(Box::new(kept.clone())),
            };
            let mut view = Human::new(Screen { out: stream(), err: stream() }, Layout::default(), Style::Plain);
            view.say("one two three four five\nsix");
            assert_eq!(kept.take(), expected);
        }
    }

    #[test]
    fn the_last_line_says_how_it_ended() {
        let complete = Summary { added: 3, changed: 1, destroyed: 2, ..Summary::default() };
        let imported = Summary { imported: 2, changed: 1, ..Summary::default() };
        let failed = Summary { added: 1, failed: 1, skipped: 2, ..Summary::default() };
        let interrupted = Summary { skipped: 4, interrupted: true, ..Summary::default() };
        for (of, destroy, line) in [
            (&complete, false, "Apply complete: 3 added, 1 changed, 2 destroyed."),
            (&imported, false, "Apply complete: 2 imported, 0 added, 1 changed, 0 destroyed."),
            (&complete, true, "Destroy complete: 2 destroyed."),
            (&failed, false, "Apply incomplete: 1 added, 0 changed, 0 destroyed, 1 failed, 2 not started."),
            (&interrupted, true, "Destroy interrupted: 0 destroyed, 4 not started."),
        ] {
            assert_eq!(summary(of, destroy), line);
        }
    }
}
