//! Differences below a change: a line for each leaf, two where what differs does not fit on one.

use super::Layout;
use super::attributes;
use super::waits::Unknowns;
use crate::notation::{KNOWN_AFTER_APPLY, SENSITIVE, brief, cut};
use crate::style::{Paint, Style};
use crate::{Difference, Leaf, Mark, Piece, What, fold, pieces};
use engine::value::Value;
use std::fmt::Write;

/// Widest column of paths; a longer path pushes its values to the right.
pub(super) const WIDEST_PATH: usize = 40;
/// Fewest columns that a value gets, however long its path is.
const NARROWEST: usize = 30;
/// Most lines in a row that come, or go, with a text.
const LONGEST_RUN: usize = 12;

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

/// A leaf on its line: texts within which nothing else differs are part of its path.
struct Line<'a> {
    path: String,
    leaf: &'a Leaf,
}

impl<'a> Line<'a> {
    fn of(mut leaf: &'a Leaf) -> Self {
        let mut path = leaf.path.clone();
        while let What::Within(language, within) = &leaf.what {
            path.push_str(&language_of(language, within.unchanged));
            let [only] = within.leaves.as_slice() else { break };
            path.extend([" ", &only.path]);
            leaf = only;
        }
        Self { path, leaf }
    }
}

fn language_of(language: &str, unchanged: usize) -> String {
    match (unchanged, language) {
        (0, _) => format!(" ({language})"),
        (1, "text") => format!(" ({language}, 1 line unchanged)"),
        (_, "text") => format!(" ({language}, {unchanged} lines unchanged)"),
        _ => format!(" ({language}, {unchanged} unchanged)"),
    }
}

impl Leaves<'_> {
    pub(super) fn write(self, text: &mut String, difference: &Difference) {
        let lines: Vec<Line<'_>> = difference.leaves.iter().map(Line::of).collect();
        let widths = lines.iter().filter(|line| !matches!(line.leaf.what, What::Within(..)));
        let column = widths.map(|line| line.path.chars().count()).filter(|width| *width <= WIDEST_PATH).max().unwrap_or(0);
        let mut run = 0;
        for (at, line) in lines.iter().enumerate() {
            let same = |other: Option<&Line<'_>>| other.is_some_and(|other| is_run(other.leaf, line.leaf));
            run = if at > 0 && same(lines.get(at - 1)) { run + 1 } else { 1 };
            let ahead = lines[at..].iter().take_while(|other| is_run(other.leaf, line.leaf)).count();
            match run.cmp(&LONGEST_RUN) {
                std::cmp::Ordering::Equal if ahead > 1 => {
                    let more = format!("… {ahead} more lines");
                    let _ = writeln!(text, "{}{more}", self.head(line.leaf.mark, "", column));
                }
                std::cmp::Ordering::Greater => {}
                _ => self.write_leaf(text, line, column),
            }
        }
    }

    fn head(self, mark: Mark, path: &str, column: usize) -> String {
        let (glyph, paint) = match mark {
            Mark::Add => ("+", Paint::Add),
            Mark::Change => ("~", Paint::Change),
            Mark::Remove => ("-", Paint::Remove),
            Mark::Move => ("→", Paint::Read),
        };
        format!("{:indent$}{} {path:<column$}  ", "", self.style().paint(paint, glyph), indent = self.indent)
    }

    fn style(self) -> Style {
        self.layout.style
    }

    fn write_leaf(self, text: &mut String, line: &Line<'_>, column: usize) {
        let Line { path, leaf } = line;
        let head = self.head(leaf.mark, path, column);
        let cause = if self.replaces(&leaf.path) { self.style().paint(Paint::Remove, "  forces replacement") } else { String::new() };
        let used = self.indent + 4 + column.max(path.chars().count());
        let space = self.layout.width.saturating_sub(used).max(NARROWEST);
        let words = match &leaf.what {
            What::One(value) => return self.write_value(text, line, (value, column)),
            What::Two(before, after) if after == KNOWN_AFTER_APPLY => {
                format!("{} -> {}", cut(before, space), self.unknowns.words(&leaf.path))
            }
            What::Two(before, after) => return self.write_two(text, (&head, &cause, used), (before, after)),
            What::Line(line) => cut(line, space),
            What::Moved(from, to) => format!("moved from position {from} to {to}"),
            What::Veiled => "(only a fingerprint is kept) changes".to_owned(),
            What::Secret => format!("{SENSITIVE} changes"),
            What::Within(_, within) => {
                let _ = writeln!(text, "{}{cause}", head.trim_end());
                return Self { indent: self.indent + 4, replacing: &[], ..self }.write(text, within);
            }
        };
        let _ = writeln!(text, "{head}{words}{cause}");
    }

    /// A value that comes or goes: one that comes is spread over several lines if it does not fit on one.
    fn write_value(self, text: &mut String, line: &Line<'_>, (value, column): (&Value, usize)) {
        let Line { path, leaf } = line;
        let used = self.indent + 4 + column.max(path.chars().count());
        let space = self.layout.width.saturating_sub(used).max(NARROWEST);
        let cause = if self.replaces(&leaf.path) { self.style().paint(Paint::Remove, "  forces replacement") } else { String::new() };
        let words = brief(&leaf.path, value, &|path| self.unknowns.words(path));
        if leaf.mark == Mark::Remove || words.chars().count() <= space {
            let _ = writeln!(text, "{}{}{cause}", self.head(leaf.mark, path, column), cut(&words, space));
            return;
        }
        let room = self.layout.width.saturating_sub(self.indent + 2);
        let lines = attributes::lines(path, value, self.unknowns, room);
        let widest = lines.iter().map(|(path, _)| path.chars().count()).filter(|width| *width <= WIDEST_PATH).max().unwrap_or(0);
        for (path, words) in lines {
            let space = room.saturating_sub(widest.max(path.chars().count()) + 2).max(NARROWEST);
            let _ = writeln!(text, "{}{}", self.head(leaf.mark, &path, widest), cut(&words, space));
        }
    }

    /// What was and what is: on one line if they fit, below each other otherwise, shorter where nothing differs.
    fn write_two(self, text: &mut String, (head, cause, used): (&str, &str, usize), (before, after): (&str, &str)) {
        let style = self.style();
        let space = self.layout.width.saturating_sub(used);
        if before.chars().count() + after.chars().count() + 4 <= space.max(NARROWEST) {
            let _ = writeln!(text, "{head}{} -> {}{cause}", style.paint(Paint::Remove, before), style.paint(Paint::Add, after));
            return;
        }
        let (before, after) = pieces(before, after);
        // Where the path leaves too little room, both stand below it.
        let (below, indent, space) = match space {
            NARROWEST.. => (false, used, space),
            _ => (true, self.indent + 4, self.layout.width.saturating_sub(self.indent + 4).max(NARROWEST)),
        };
        if below {
            let _ = writeln!(text, "{}{cause}", head.trim_end());
        }
        let first = if below { format!("{:indent$}", "") } else { head.to_owned() };
        let cause = if below { "" } else { cause };
        let _ = writeln!(text, "{first}{}{cause}", self.painted(&fold(&before, space), (Paint::Remove, Paint::RemovedWord)));
        let arrow = indent.saturating_sub(3);
        let _ = writeln!(text, "{:arrow$}-> {}", "", self.painted(&fold(&after, space), (Paint::Add, Paint::AddedWord)));
    }

    fn painted(self, pieces: &[Piece], (same, differs): (Paint, Paint)) -> String {
        pieces.iter().map(|piece| self.style().paint(if piece.differs { differs } else { same }, &piece.text)).collect()
    }

    fn replaces(self, path: &str) -> bool {
        let within = |cause: &String| path.strip_prefix(cause.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.replacing.iter().any(within)
    }
}

/// Whether two lines of a text come, or go, one after the other.
fn is_run(one: &Leaf, other: &Leaf) -> bool {
    one.mark == other.mark && matches!((&one.what, &other.what), (What::Line(_), What::Line(_)))
}
