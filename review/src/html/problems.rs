//! What is wrong and what was changed outside: what has to be known before any change is read.

use super::markup::Markup;
use crate::problem::place;
use engine::diagnostic::Diagnostic;
use engine::plan::{Plan, Reason};
use engine::source::SourceTree;

/// Writes both.
pub(super) fn write(markup: &mut Markup, plan: &Plan, sources: &SourceTree) {
    if !plan.diagnostics.is_empty() {
        markup.within("section", &[("aria-labelledby", "problems-title")], |markup| {
            markup.element("h2", &[("id", "problems-title")], "Problems");
            markup.within("ul", &[("class", "problems")], |markup| {
                plan.diagnostics.iter().for_each(|problem| diagnostic(markup, problem, sources));
            });
        });
    }
    outside(markup, plan);
}

/// What was changed or deleted outside.
fn outside(markup: &mut Markup, plan: &Plan) {
    let drift: Vec<_> = plan.drift().collect();
    if !drift.is_empty() {
        markup.within("section", &[("aria-labelledby", "drift-title")], |markup| {
            markup.element("h2", &[("id", "drift-title")], "Changed outside");
            markup.within("ul", &[("class", "plain")], |markup| {
                for change in drift {
                    markup.within("li", &[], |markup| {
                        markup.element("code", &[], &change.address.to_string());
                        let what = if matches!(change.reason, Reason::Drift(_)) {
                            change.reason.to_string()
                        } else {
                            "deleted outside".to_owned()
                        };
                        markup.text(" ");
                        markup.prose(&what);
                    });
                }
            });
        });
    }
}

fn diagnostic(markup: &mut Markup, problem: &Diagnostic, sources: &SourceTree) {
    let (class, word) = if problem.is_error() { ("delete", "error") } else { ("update", "warning") };
    markup.within("li", &[], |markup| {
        markup.element("span", &[("class", &format!("word {class}"))], word);
        markup.text(" ");
        markup.element("strong", &[], &problem.summary);
        let at = problem.at.and_then(|span| place(sources, span));
        for code in at.into_iter().chain(problem.address.as_ref().map(ToString::to_string)) {
            markup.text(" ");
            markup.element("code", &[("class", "at")], &code);
        }
        markup.within("p", &[], |markup| markup.prose(&problem.detail));
        for (span, words) in &problem.related {
            markup.within("p", &[("class", "note")], |markup| {
                markup.prose(words);
                if let Some(at) = place(sources, *span) {
                    markup.text(" ");
                    markup.element("code", &[("class", "at")], &at);
                }
            });
        }
        if let Some(help) = &problem.help {
            markup.within("p", &[("class", "note")], |markup| markup.prose(help));
        }
    });
}
