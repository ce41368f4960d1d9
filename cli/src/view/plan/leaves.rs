//! Differences below a change.

use super::Layout;
use super::waits::Unknowns;
use crate::view::diff::{Difference, Leaf, Mark, TextLine, What};
use crate::view::style::Paint;
use crate::view::value::{KNOWN_AFTER_APPLY, SENSITIVE, brief, cut};
use std::fmt::Write;

/// Widest column of paths; a longer path pushes its values to the right.
pub(super) const WIDEST_PATH: usize = 40;

/// Writes differences, each leaf on a line.
#[derive(Clone, Copy)]
pub(super) struct Leaves<'a> {
    pub(super) layout: Layout,
    /// Columns before a line.
    pub(super) indent: usize,
    /// Paths that force a replacement.
    pub(super) replacing: &'a [String],
    /// What stands for unknown parts.
    pub(super) unknowns: &'a Unknowns,
}

impl Leaves<'_> {
    pub(super) fn write(self, text: &mut String, difference: &Difference) {
        let column = difference.leaves.iter().map(|leaf| leaf.path.chars().count()).filter(|width| *width <= WIDEST_PATH).max();
        for leaf in &difference.leaves {
            self.write_leaf(text, leaf, column.unwrap_or(0));
        }
        if difference.unchanged > 0 && !difference.leaves.is_empty() {
            let words = format!("{} unchanged", difference.unchanged);
            let _ = writeln!(text, "{:indent$}  {}", "", self.layout.style.paint(Paint::Dim, &words), indent = self.indent);
        }
    }

    fn write_leaf(self, text: &mut String, leaf: &Leaf, column: usize) {
        let (glyph, paint) = match leaf.mark {
            Mark::Add => ("+", Paint::Add),
            Mark::Change => ("~", Paint::Change),
            Mark::Remove => ("-", Paint::Remove),
        };
        let glyph = self.layout.style.paint(paint, glyph);
        let head = format!("{:indent$}{glyph} {:<column$}", "", leaf.path, indent = self.indent);
        let cause = if self.replaces(&leaf.path) { self.layout.style.paint(Paint::Remove, "  forces replacement") } else { String::new() };
        let space = self.layout.width.saturating_sub(self.indent + 4 + column.max(leaf.path.chars().count())).max(20);
        match &leaf.what {
            What::One(value) => {
                let _ = writeln!(text, "{head}  {}{cause}", cut(&brief(&leaf.path, value, &|path| self.unknowns.words(path)), space));
            }
            What::Two(before, after) if after == KNOWN_AFTER_APPLY => {
                let _ = writeln!(text, "{head}  {} -> {}{cause}", cut(before, space), self.unknowns.words(&leaf.path));
            }
            What::Two(before, after) if before.chars().count() + after.chars().count() + 4 <= space => {
                let _ = writeln!(text, "{head}  {before} -> {after}{cause}");
            }
            What::Two(before, after) => {
                let _ = writeln!(text, "{}{cause}", head.trim_end());
                self.write_text(text, &[TextLine::Remove(before.clone()), TextLine::Add(after.clone())]);
            }
            What::Veiled => {
                let _ = writeln!(text, "{head}  (only a fingerprint is kept) changes{cause}");
            }
            What::Secret => {
                let _ = writeln!(text, "{head}  {SENSITIVE} changes{cause}");
            }
            What::Text(lines) => {
                let _ = writeln!(text, "{}{cause}", head.trim_end());
                self.write_text(text, lines);
            }
            What::Within(language, within) => {
                let _ = writeln!(text, "{} ({language}){cause}", head.trim_end());
                Self { indent: self.indent + 4, replacing: &[], ..self }.write(text, within);
            }
        }
    }

    fn write_text(self, text: &mut String, lines: &[TextLine]) {
        for line in lines {
            let paint = match line {
                TextLine::Place(_) => Paint::Read,
                TextLine::Same(_) => Paint::Dim,
                TextLine::Add(_) => Paint::Add,
                TextLine::Remove(_) => Paint::Remove,
            };
            let _ = writeln!(text, "{:indent$}{}", "", self.layout.style.paint(paint, &line.to_string()), indent = self.indent + 4);
        }
    }

    fn replaces(self, path: &str) -> bool {
        let within = |cause: &String| path.strip_prefix(cause.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.replacing.iter().any(within)
    }
}
