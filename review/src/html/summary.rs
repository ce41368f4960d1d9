//! What stands first on the page: how much changes, of which state, and what is wrong; and what stands last.

use super::Origin;
use super::colour::Colour;
use super::leaves::Leaves;
use super::markup::Markup;
use crate::Difference;
use crate::notation::{inline, key};
use crate::style::Style;
use crate::terminal::{self, Unseen};
use engine::plan::{CheckResult, CheckStatus, OutputChange, Plan};
use engine::value::Value;

/// Writes the head of the page.
pub(super) fn write(markup: &mut Markup, plan: &Plan, origin: Origin<'_>) {
    let sentence = terminal::summary(plan, Style::Plain);
    let sentence = sentence.lines().next().unwrap_or_default();
    markup.within("header", &[], |markup| {
        markup.element("h1", &[], sentence);
        markup.within("ul", &[("class", "tiles"), ("aria-label", "How many of each")], |markup| tiles(markup, plan));
        markup.within("dl", &[("class", "facts")], |markup| facts(markup, plan, origin));
    });
    markup.line();
    notices(markup, plan);
}

fn tiles(markup: &mut Markup, plan: &Plan) {
    let counts = plan.counts();
    let all = [
        (Colour::Blocked, plan.blocked.len()),
        (Colour::Replace, counts.replace),
        (Colour::Delete, counts.destroy),
        (Colour::Forget, counts.forget),
        (Colour::Update, counts.change),
        (Colour::Create, counts.add),
        (Colour::Import, counts.import),
        (Colour::Move, counts.moved),
        (Colour::Read, counts.read),
        (Colour::Keep, counts.keep),
    ];
    for (colour, count) in all.into_iter().filter(|(_, count)| *count > 0) {
        markup.within("li", &[("class", &format!("tile {}", colour.word()))], |markup| {
            markup.element("span", &[("class", "sign"), ("aria-hidden", "true")], colour.sign());
            markup.element("strong", &[], &count.to_string());
            markup.text(" ");
            markup.element("span", &[], colour.word());
        });
    }
}

fn facts(markup: &mut Markup, plan: &Plan, origin: Origin<'_>) {
    let mut fact = |name: &str, value: &str| {
        markup.within("div", &[], |markup| {
            markup.element("dt", &[], name);
            markup.element("dd", &[], value);
        });
    };
    fact("made", origin.made);
    let state = match &*plan.prior.lineage {
        "" => "none yet".to_owned(),
        lineage => format!("serial {} of {lineage}", plan.prior.serial),
    };
    fact("state", &state);
    if plan.has_changes() {
        fact("digest", plan.digest());
    }
    fact("meshplan", origin.version);
}

/// What has to be known before anything else is read.
fn notices(markup: &mut Markup, plan: &Plan) {
    let said = [
        (plan.is_errored(), "The plan is incomplete, because of what is wrong: it cannot be applied."),
        (plan.destroy, "This plan destroys everything that is managed."),
        (plan.partial, "This plan was aimed at a part, and may leave something out."),
        (plan.refresh_only, "This plan writes down what was found; nothing that exists is changed."),
    ];
    for (_, words) in said.into_iter().filter(|(holds, _)| *holds) {
        markup.element("p", &[("class", "notice")], words);
    }
}

/// Writes what stands below the changes: what several of them were not previewed for, outputs and checks.
pub(super) fn write_rest(markup: &mut Markup, plan: &Plan) {
    let unseen: Vec<_> = Unseen::of(plan).shared().collect();
    if !unseen.is_empty() {
        markup.within("section", &[("aria-labelledby", "unseen-title")], |markup| {
            markup.element("h2", &[("id", "unseen-title")], "Not previewed");
            markup.within("ul", &[("class", "plain")], |markup| {
                for reason in unseen {
                    markup.within("li", &[], |markup| markup.prose(&reason));
                }
            });
        });
    }
    if !plan.outputs.is_empty() {
        markup.within("section", &[("aria-labelledby", "outputs-title")], |markup| {
            markup.element("h2", &[("id", "outputs-title")], "Outputs");
            markup.within("ul", &[("class", "plain")], |markup| plan.outputs.iter().for_each(|change| output(markup, change)));
        });
    }
    let checks: Vec<_> = plan.checks.iter().filter(|check| check.status != CheckStatus::Passed).collect();
    if !checks.is_empty() {
        markup.within("section", &[("aria-labelledby", "checks-title")], |markup| {
            markup.element("h2", &[("id", "checks-title")], "Checks");
            markup.within("ul", &[("class", "plain")], |markup| checks.iter().for_each(|result| check(markup, result)));
        });
    }
}

fn output(markup: &mut Markup, change: &OutputChange) {
    let masked = |value: &Option<Value>| value.clone().map(|value| value.sensitive_if(change.sensitive));
    markup.within("li", &[], |markup| {
        markup.element("code", &[], &key(&change.name));
        markup.text(" ");
        match (masked(&change.before), masked(&change.after)) {
            (Some(before), Some(after)) => Leaves::default().write(markup, &Difference::between(&before, &after)),
            (None, Some(after)) => markup.element("ins", &[], &inline(&after)),
            (Some(before), None) => markup.element("del", &[], &inline(&before)),
            (None, None) => {}
        }
    });
}

fn check(markup: &mut Markup, check: &CheckResult) {
    let (class, word) = match check.status {
        CheckStatus::Passed => ("create", "passed"),
        CheckStatus::Failed => ("delete", "failed"),
        CheckStatus::Unknown => ("read", "known after apply"),
        CheckStatus::NotRun => ("forget", "not run"),
    };
    markup.within("li", &[], |markup| {
        markup.element("span", &[("class", &format!("word {class}"))], word);
        markup.text(" ");
        markup.element("code", &[], &format!("check.{}", check.name));
        check.messages.iter().for_each(|message| markup.element("p", &[], message));
    });
}
