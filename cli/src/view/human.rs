//! Text for people.

use super::plan::Layout;
use super::progress::Progress;
use super::style::{Paint, Style};
use super::value::{cut, inline, key};
use super::{Applied, Screen, View, diagnostic, plan};
use engine::apply::{Event, Summary};
use engine::diagnostic::Diagnostic;
use engine::plan::Plan;
use engine::source::SourceTree;
use engine::state::Output;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// Columns assumed where nothing says how many there are.
const WIDTH: usize = 120;

/// The view for people: data on standard output, talk on standard error.
#[derive(Debug)]
pub struct Human {
    screen: Screen,
    out: Style,
    err: Style,
    progress: Progress,
}

impl Human {
    /// A view that writes here, each stream in its style.
    pub fn new(screen: Screen, out: Style, err: Style) -> Self {
        let progress = Progress::new(&screen.err, err);
        Self { screen, out, err, progress }
    }

    fn layout(&self) -> Layout {
        Layout { style: self.out, width: self.screen.out.width().unwrap_or(WIDTH) }
    }
}

impl View for Human {
    fn diagnostics(&mut self, sources: &SourceTree, diagnostics: &[Diagnostic]) {
        let width = self.screen.err.width();
        let text = diagnostic::render(sources, diagnostics, self.err, width);
        self.progress.above(&mut self.screen.err, &text);
    }

    fn plan(&mut self, plan: &Plan) {
        let text = plan::render(plan, self.layout());
        self.screen.out.write(&text);
    }

    fn event(&mut self, event: &Event, now: u64) {
        self.progress.event(&mut self.screen.err, event, now);
    }

    fn tick(&mut self, now: u64) {
        self.progress.draw(&mut self.screen.err, now);
    }

    fn applied(&mut self, applied: Applied<'_>) {
        self.progress.end(&mut self.screen.err);
        let line = summary(applied.summary, applied.plan.destroy);
        let paint = if applied.summary.is_complete() { Paint::Success } else { Paint::Error };
        self.screen.out.write(&format!("\n{}\n", self.out.paint(paint, &line)));
        let text = outputs(applied.outputs, self.layout());
        if !text.is_empty() {
            self.screen.out.write(&format!("\n{}\n{text}", self.out.paint(Paint::Strong, "Outputs")));
        }
    }

    fn say(&mut self, sentence: &str) {
        self.progress.above(&mut self.screen.err, &format!("{sentence}\n"));
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

/// Outputs, one per line. Sensitive ones are masked.
pub fn outputs(outputs: &BTreeMap<Arc<str>, Output>, layout: Layout) -> String {
    let column = outputs.keys().map(|name| key(name).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, output) in outputs {
        let value = inline(&output.value.clone().sensitive_if(output.sensitive));
        let _ = writeln!(text, "{}", cut(&format!("{:<column$} = {value}", key(name)), layout.width.max(40)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Value;

    #[test]
    fn the_last_line_says_how_it_ended() {
        let complete = Summary { added: 3, changed: 1, destroyed: 2, ..Summary::default() };
        let failed = Summary { added: 1, failed: 1, skipped: 2, ..Summary::default() };
        let interrupted = Summary { skipped: 4, interrupted: true, ..Summary::default() };
        for (of, destroy, line) in [
            (&complete, false, "Apply complete: 3 added, 1 changed, 2 destroyed."),
            (&complete, true, "Destroy complete: 2 destroyed."),
            (&failed, false, "Apply incomplete: 1 added, 0 changed, 0 destroyed, 1 failed, 2 not started."),
            (&interrupted, true, "Destroy interrupted: 0 destroyed, 4 not started."),
        ] {
            assert_eq!(summary(of, destroy), line);
        }
    }

    #[test]
    fn outputs_are_assignments_and_secrets_stay_secret() {
        let all = BTreeMap::from([
            ("gateways".into(), Output { value: Value::object([("c1", Value::string("10.0.0.1"))]), sensitive: false }),
            ("key".into(), Output { value: Value::string("s3cret"), sensitive: true }),
        ]);
        let layout = Layout { style: Style::Plain, width: 80 };
        assert_eq!(outputs(&all, layout), "gateways = { c1 = \"10.0.0.1\" }\nkey      = (sensitive value)\n");
    }
}
