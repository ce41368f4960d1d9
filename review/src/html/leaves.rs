//! Differences as a list: a line for each leaf, texts with what differs within them below.

use super::markup::Markup;
use super::values;
use crate::notation::{KNOWN_AFTER_APPLY, SENSITIVE};
use crate::terminal::Unknowns;
use crate::{Difference, Leaf, Mark, Piece, What, fold, pieces};

/// Longest line of what was and what is; what is the same on both is left out beyond.
const LONGEST: usize = 400;
/// Most leaves of one text that are shown at once; the rest unfolds.
const AT_ONCE: usize = 60;

/// Writes differences.
#[derive(Clone, Copy, Default)]
pub(super) struct Leaves<'a> {
    /// Paths that force a replacement.
    pub(super) replacing: &'a [String],
    /// What stands for unknown parts.
    pub(super) unknowns: Option<&'a Unknowns>,
}

impl Leaves<'_> {
    /// Writes all of a difference.
    pub(super) fn write(self, markup: &mut Markup, difference: &Difference) {
        let (first, rest) = difference.leaves.split_at(difference.leaves.len().min(AT_ONCE));
        self.list(markup, first);
        if !rest.is_empty() {
            markup.within("details", &[], |markup| {
                markup.element("summary", &[], &format!("{} more", rest.len()));
                self.list(markup, rest);
            });
        }
    }

    fn list(self, markup: &mut Markup, leaves: &[Leaf]) {
        markup.within("ul", &[("class", "leaves")], |markup| leaves.iter().for_each(|leaf| self.leaf(markup, leaf)));
    }

    fn leaf(self, markup: &mut Markup, leaf: &Leaf) {
        let (class, sign, word) = match leaf.mark {
            Mark::Add => ("create", "+", "added"),
            Mark::Change => ("update", "~", "changed"),
            Mark::Remove => ("delete", "−", "removed"),
            Mark::Move => ("read", "→", "moved"),
        };
        markup.within("li", &[], |markup| {
            markup.element("span", &[("class", &format!("sign {class}")), ("role", "img"), ("aria-label", word)], sign);
            markup.text(" ");
            markup.element("code", &[("class", "path")], &leaf.path);
            markup.text(" ");
            self.what(markup, leaf);
            if self.replaces(&leaf.path) {
                markup.element("span", &[("class", "word replace")], "forces replacement");
            }
        });
    }

    fn what(self, markup: &mut Markup, leaf: &Leaf) {
        match &leaf.what {
            What::One(value) => {
                let tag = if leaf.mark == Mark::Remove { "del" } else { "ins" };
                values::write(markup, tag, (&leaf.path, value), self.unknowns);
            }
            What::Two(before, after) if after == KNOWN_AFTER_APPLY => {
                markup.element("del", &[], &shortened(before));
                arrow(markup);
                markup.element("ins", &[], &self.unknowns.map_or_else(|| after.clone(), |unknowns| unknowns.words(&leaf.path)));
            }
            What::Two(before, after) => two(markup, before, after),
            What::Line(line) => markup.element(if leaf.mark == Mark::Remove { "del" } else { "ins" }, &[], &shortened(line)),
            What::Moved(from, to) => markup.element("span", &[], &format!("moved from {from} to {to}")),
            What::Each(each) => {
                let of = |(names, what): &(String, What)| Leaf { path: names.clone(), what: what.clone(), mark: leaf.mark };
                self.list(markup, &each.iter().map(of).collect::<Vec<_>>());
            }
            What::Secret => markup.element("span", &[("class", "note")], &format!("{SENSITIVE} changes")),
            What::Veiled => markup.element("span", &[("class", "note")], "(only a fingerprint is kept) changes"),
            What::Within(language, within) => {
                let words = match within.unchanged {
                    0 => format!("({language})"),
                    unchanged => format!("({language}, {unchanged} unchanged)"),
                };
                markup.element("span", &[("class", "note")], &words);
                Self { replacing: &[], ..self }.write(markup, within);
            }
        }
    }

    fn replaces(self, path: &str) -> bool {
        let within = |cause: &String| path.strip_prefix(cause.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.replacing.iter().any(within)
    }
}

/// What was and what is, with the words that differ.
fn two(markup: &mut Markup, before: &str, after: &str) {
    let (before, after) = pieces(before, after);
    side(markup, "del", &before);
    arrow(markup);
    side(markup, "ins", &after);
}

fn arrow(markup: &mut Markup) {
    markup.element("span", &[("class", "arrow-between"), ("role", "img"), ("aria-label", "becomes")], "→");
}

fn side(markup: &mut Markup, tag: &'static str, pieces: &[Piece]) {
    // Where all of it differs, marking it says nothing.
    let some = pieces.iter().any(|piece| !piece.differs);
    markup.within(tag, &[], |markup| {
        for piece in fold(pieces, LONGEST) {
            if piece.differs && some { markup.element("mark", &[], &piece.text) } else { markup.text(&piece.text) }
        }
    });
}

fn shortened(text: &str) -> String {
    crate::notation::cut(text, LONGEST)
}
