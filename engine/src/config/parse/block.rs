//! What all blocks share: headers, constant arguments, unknown names.

use super::Lowering;
use crate::config::Root;
use crate::config::constant::constant;
use crate::config::model::{Argument, Assertion};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::source::Span;
use crate::value::Value;
use hcl_edit::structure::{Attribute, Block, BlockLabel, Structure};
use std::sync::Arc;

impl Lowering<'_> {
    /// From a block's first word to its last label.
    pub(super) fn header(&self, block: &Block) -> Span {
        let start = self.of(&block.ident);
        block.labels.last().map_or(start, |last| start.to(self.label(last)))
    }

    pub(super) fn label(&self, label: &BlockLabel) -> Span {
        match label {
            BlockLabel::Ident(name) => self.of(name),
            BlockLabel::String(name) => self.of(name),
        }
    }

    /// The labels of a block that needs exactly these, each a name.
    pub(super) fn labels<const N: usize>(&mut self, block: &Block, shape: [&str; N]) -> Option<[(Arc<str>, Span); N]> {
        let word = block.ident.as_str();
        if block.labels.len() != N {
            let wanted = shape.map(|label| format!(" \"{label}\"")).concat();
            let detail = match N {
                0 => format!("a `{word}` block takes no label"),
                1 => format!("a `{word}` block takes one label, its name"),
                _ => format!("a `{word}` block takes {N} labels"),
            };
            let at = self.header(block);
            self.report(Diagnostic::error("wrong labels", detail).at(at).help(format!("Write `{word}{wanted} {{ … }}`.")));
            return None;
        }
        let mut names = Vec::with_capacity(N);
        for label in &block.labels {
            let at = self.label(label);
            if !is_name(label.as_str()) {
                let detail =
                    format!("`{}` is no name: a name begins with a letter or `_`, letters, digits, `_` and `-` follow", label.as_str());
                self.report(Diagnostic::error("invalid name", detail).at(at));
            }
            names.push((Arc::from(label.as_str()), at));
        }
        names.try_into().ok()
    }

    /// Reports an argument that such a block does not take.
    pub(super) fn unknown_argument(&mut self, attribute: &Attribute, block: &str, known: &[&str]) {
        let name = attribute.key.as_str();
        let problem = Diagnostic::error("unknown argument", format!("a `{block}` block has no argument `{name}`"));
        let at = self.of(&attribute.key);
        self.report(suggest(problem, name, known).at(at));
    }

    /// Reports a block that cannot stand in such a block.
    pub(super) fn unknown_block(&mut self, inner: &Block, block: &str, known: &[&str]) {
        let name = inner.ident.as_str();
        let problem = Diagnostic::error("unknown block", format!("a `{block}` block cannot hold a block `{name}`"));
        let at = self.header(inner);
        self.report(suggest(problem, name, known).at(at));
    }

    /// Reports what Terraform has and this version has not.
    pub(super) fn unsupported(&mut self, what: &str, at: Span, help: &str) {
        let detail = format!("{what} is known from Terraform, and not supported yet");
        self.report(Diagnostic::error("not supported yet", detail).at(at).help(help));
    }

    /// Keeps a result's value or its problems.
    pub(super) fn keep<T>(&mut self, result: Result<T, Problems>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    /// An argument that must be written out.
    pub(super) fn constant(&mut self, attribute: &Attribute) -> Option<Value> {
        let before = self.problems.len();
        let lowered = self.expression(&attribute.value);
        if self.problems.len() > before {
            return None;
        }
        self.keep(constant(&lowered))
    }

    /// An argument that must be a text that is written out.
    pub(super) fn constant_text(&mut self, attribute: &Attribute) -> Option<Arc<str>> {
        let value = self.constant(attribute)?;
        let text = value.as_str().map(Arc::from);
        if text.is_none() {
            self.wrong_constant(attribute, "text in double quotes");
        }
        text
    }

    /// A text for people, written out: a number and a truth value become one.
    pub(super) fn constant_words(&mut self, attribute: &Attribute) -> Option<Arc<str>> {
        let value = self.constant(attribute)?;
        let other = || value.as_number().map(|number| number.to_string()).or_else(|| value.as_bool().map(|truth| truth.to_string()));
        let text = value.as_str().map(Arc::from).or_else(|| other().map(Arc::from));
        if text.is_none() {
            self.wrong_constant(attribute, "text in double quotes");
        }
        text
    }

    /// An argument that must be `true` or `false`, which may stand in quotes.
    pub(super) fn constant_bool(&mut self, attribute: &Attribute) -> Option<bool> {
        let value = self.constant(attribute)?;
        let truth = value.as_bool().or_else(|| value.as_str()?.parse().ok());
        if truth.is_none() {
            self.wrong_constant(attribute, "`true` or `false`");
        }
        truth
    }

    /// An argument that must be a number of things.
    pub(super) fn constant_count(&mut self, attribute: &Attribute) -> Option<usize> {
        let value = self.constant(attribute)?;
        let count = value.as_number().filter(crate::value::Number::is_integer).and_then(|number| usize::try_from(number).ok());
        if count.is_none() {
            self.wrong_constant(attribute, "a whole number from zero");
        }
        count
    }

    pub(super) fn wrong_constant(&mut self, attribute: &Attribute, wanted: &str) {
        let at = self.of(&attribute.value);
        let detail = format!("`{}` must be {wanted}, written out", attribute.key.as_str());
        self.report(Diagnostic::error("wrong value", detail).at(at));
    }

    /// `name = value` as it stands.
    pub(super) fn argument(&mut self, attribute: &Attribute) -> Argument {
        Argument { name: self.word(attribute.key.as_str()), name_span: self.of(&attribute.key), value: self.expression(&attribute.value) }
    }

    /// Reports an argument that is missing.
    pub(super) fn missing(&mut self, argument: &str, block: &Block) {
        let at = self.header(block);
        let detail = format!("this `{}` block needs the argument `{argument}`", block.ident.as_str());
        self.report(Diagnostic::error("missing argument", detail).at(at));
    }

    /// A block of `condition` and `error_message` that judges something else.
    pub(super) fn assertion(&mut self, block: &Block) -> Option<Assertion> {
        let word = block.ident.as_str();
        self.judging(
            block,
            |_| true,
            || {
                let detail = format!("the condition of this `{word}` refers to nothing, so whether it holds says nothing of what is there");
                Diagnostic::error("nothing checked", detail).help("Refer to what the condition is to judge.")
            },
        )
    }

    /// A block of `condition` and `error_message` whose condition has to look at something; what is said if it does not.
    pub(super) fn judging(
        &mut self,
        block: &Block,
        is_judged: impl Fn(&Root) -> bool,
        blind: impl FnOnce() -> Diagnostic,
    ) -> Option<Assertion> {
        let word = block.ident.as_str();
        self.labels(block, [])?;
        let known = ["condition", "error_message"];
        let (mut condition, mut message) = (None, None);
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "condition" => {
                        let before = self.problems.len();
                        let lowered = self.expression(&attribute.value);
                        let mut looks = self.problems.len() > before;
                        lowered.each_root(&mut |root, _| looks |= is_judged(root));
                        condition = Some((lowered, looks));
                    }
                    "error_message" => message = Some(self.expression(&attribute.value)),
                    _ => self.unknown_argument(attribute, word, &known),
                },
                Structure::Block(inner) => self.unknown_block(inner, word, &[]),
            }
        }
        for (name, found) in [("condition", condition.is_some()), ("error_message", message.is_some())] {
            if !found {
                self.missing(name, block);
            }
        }
        let (condition, looks) = condition?;
        if !looks {
            self.report(blind().at(condition.span));
        }
        Some(Assertion { condition, error_message: message?, span: self.header(block) })
    }
}

/// The nearest known name as help, or all of them.
pub(super) fn suggest(problem: Diagnostic, name: &str, known: &[&str]) -> Diagnostic {
    match did_you_mean(name, known.iter().copied()) {
        Some(near) => problem.help(format!("Did you mean `{near}`?")),
        None if known.is_empty() => problem,
        None => problem.help(format!("There are `{}`.", known.join("`, `"))),
    }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}
