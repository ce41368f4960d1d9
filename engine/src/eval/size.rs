//! How large a value may become. What is written in a few lines can mean more than any machine holds; that is an error, not the end.

use super::evaluator::{Evaluator, problem_with_help};
use crate::diagnostic::Problems;
use crate::source::Span;
use crate::value::{Data, Extent, Value};
use std::sync::Arc;

/// Bytes of one text: several times what a cluster takes as one object, and more than any rendered control plane.
pub(super) const MOST_TEXT: usize = 16 << 20;

/// Elements of one collection.
pub(super) const MOST_ELEMENTS: usize = 1_000_000;

/// Bytes of one value that is written out, each value within counting as [`Extent::VALUE`]: eight million numbers. Whatever walks over
/// values, to show, compare or store them, walks over no more.
pub(super) const MOST_VALUE: usize = 256 << 20;

/// Collections within each other, as many as JSON and YAML may nest. Whatever walks over values goes no deeper than this and the blocks
/// around, on any stack.
const DEEPEST_VALUE: usize = 128;

/// Bytes that one expression makes in all, whether it keeps them or not.
pub(super) const MOST_MADE: usize = 512 << 20;

/// Rounds of all loops of one expression, splats and directives included: as many as a collection has elements.
pub(super) const MOST_ROUNDS: usize = MOST_ELEMENTS;

/// What is wrong with a text, after "it": constant, so that equal problems are told once.
pub(super) const TEXT_TOO_LARGE: &str = "would make a text of more than 16 MiB";

/// What is wrong with a collection, after "it".
pub(super) const COLLECTION_TOO_LARGE: &str = "would make a collection of more than 1000000 elements";

/// Whether values, written out one after the other, are more than one text may hold. What stands in several places counts each time.
pub(super) fn is_too_much<'a>(values: impl IntoIterator<Item = &'a Value>) -> bool {
    let mut left = MOST_TEXT;
    values.into_iter().any(|value| take(value, &mut left).is_none())
}

/// Takes what a value weighs off what is left.
fn take(value: &Value, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(8)?;
    match value.data() {
        Data::String(text) => *left = left.checked_sub(text.len())?,
        Data::Sequence(sequence) => sequence.items().iter().try_for_each(|item| take(item, left))?,
        Data::Mapping(_) => value.entries().iter().try_for_each(|entry| {
            *left = left.checked_sub(entry.key.len())?;
            take(&entry.value, left)
        })?,
        _ => {}
    }
    Some(())
}

impl Evaluator<'_> {
    /// A value that an expression made, unless it is too much. What it only passes on, and others hold as well, costs nothing.
    pub(super) fn made(&mut self, value: Value, span: Span) -> Result<Value, Problems> {
        let new = match value.data() {
            Data::String(text) if Arc::strong_count(text) == 1 => text.len(),
            Data::Sequence(sequence) if Arc::strong_count(sequence) == 1 => sequence.items().len().saturating_mul(Extent::VALUE),
            Data::Mapping(mapping) if Arc::strong_count(mapping) == 1 => mapping.entries().len().saturating_mul(2 * Extent::VALUE),
            _ => 0,
        };
        self.spend(new, span)?;
        if new > MOST_TEXT && value.as_str().is_some() {
            let detail = format!("this {TEXT_TOO_LARGE}");
            return Err(problem_with_help("text too large", detail, "Make less of it, or put it into a file.", span));
        }
        let extent = value.extent();
        if extent.depth() > DEEPEST_VALUE {
            let detail = format!("this would be nested more than {DEEPEST_VALUE} deep");
            return Err(problem_with_help("value too deep", detail, "Nest it less deep.", span));
        }
        if extent.bytes() > MOST_VALUE {
            return Err(too_large(span));
        }
        Ok(value)
    }

    /// A round of a loop is about to begin.
    pub(super) fn begin_round(&mut self, span: Span) -> Result<(), Problems> {
        if let Some(left) = self.rounds.checked_sub(1) {
            self.rounds = left;
            return Ok(());
        }
        let detail = format!("the loops of this expression take more than {MOST_ROUNDS} rounds");
        Err(problem_with_help("too many rounds", detail, "Walk over less in one expression.", span))
    }

    /// Takes bytes off what this evaluation may still make. Once that is not enough, nothing is.
    fn spend(&mut self, bytes: usize, span: Span) -> Result<(), Problems> {
        if let Some(left) = self.left.checked_sub(bytes) {
            self.left = left;
            return Ok(());
        }
        self.left = 0;
        let detail = format!("what this expression makes on its way comes to more than {} MiB", MOST_MADE >> 20);
        Err(problem_with_help("value too large", detail, "Make less in one expression.", span))
    }
}

/// The problem of a value that is larger than any may be.
pub(super) fn too_large(span: Span) -> Problems {
    let detail =
        format!("written out, this would take more than {} MiB; what it shares counts as often as it stands there", MOST_VALUE >> 20);
    problem_with_help("value too large", detail, "Make less of it.", span)
}

/// Whether a list of arguments makes more than a value may be, each taken alone: `...` gives as many as it likes.
pub(super) fn are_too_many<'a>(mut arguments: impl Iterator<Item = &'a Value>) -> bool {
    let mut left = MOST_VALUE / Extent::VALUE;
    let fits = arguments.try_for_each(|value| {
        left = left.checked_sub(1 + value.items().len() + value.entries().len())?;
        Some(())
    });
    fits.is_none()
}

#[cfg(test)]
mod tests {
    use crate::eval::scene::Scene;

    #[test]
    fn what_grows_without_end_is_an_error() {
        for (first, next, expected) in [
            ("\"0123456789\"", "\"${var.x}${var.x}\"", "text too large"),
            ("\"0123456789\"", "\"%{ for i in [1, 2] }${var.x}%{ endfor }\"", "text too large"),
            ("\"0123456789\"", "join(var.x, [var.x, var.x])", "unsuitable argument"),
            ("\"0123456789\"", "format(\"%s%[1]s\", var.x)", "unsuitable argument"),
            ("\"0123456789\"", "formatlist(\"%s%s\", [var.x], var.x)[0]", "unsuitable argument"),
            ("\"0123456789\"", "replace(\"${var.x}0\", \"0\", var.x)", "unsuitable argument"),
            ("\"0123456789\"", "replace(var.x, \"/.+/\", \"$0$0$0$0\")", "unsuitable argument"),
            ("[1]", "concat(var.x, var.x)", "unsuitable argument"),
            ("[1]", "flatten([var.x, [var.x]])", "unsuitable argument"),
        ] {
            let mut scene = Scene::default();
            let mut value = scene.value(first);
            let ended = (0..64).find_map(|_| {
                scene.names.variables.insert("x".to_owned(), value.clone());
                match scene.evaluate(next) {
                    Ok(more) => {
                        value = more;
                        None
                    }
                    Err(problems) => Some(problems),
                }
            });
            let problems = ended.unwrap_or_else(|| panic!("{next} goes on"));
            assert!(problems[0].summary.starts_with(expected), "{next}: {problems:?}");
            assert!(problems[0].detail.contains("would make a"), "{next}: {problems:?}");
        }
    }

    #[test]
    fn what_is_shared_counts_as_often_as_it_stands_there() {
        let mut scene = Scene::default();
        let mut value = scene.value("[1]");
        for _ in 0..21 {
            scene.names.variables.insert("x".to_owned(), value);
            value = scene.value("{ a = var.x, b = var.x }");
        }
        scene.names.variables.insert("x".to_owned(), value);
        for text in ["jsonencode(var.x)", "yamlencode(var.x)", "format(\"%v\", var.x)"] {
            let problems = scene.evaluate(text).unwrap_err();
            assert!(problems[0].detail.contains("would make a"), "{text}: {problems:?}");
        }
    }
}
