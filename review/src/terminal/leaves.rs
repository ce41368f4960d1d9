//! Differences below a change: a line for each leaf, two where what differs does not fit on one.

use super::Layout;
use super::attributes;
use super::waits::Unknowns;
use crate::entry::{Detail, object_path};
use crate::notation::{KNOWN_AFTER_APPLY, SENSITIVE, brief, cut};
use crate::style::{Paint, Style};
use crate::{Difference, Leaf, Mark, Piece, What, fold, pieces};
use engine::value::Value;
use std::fmt::Write;

/// Widest column of paths; a longer path pushes its values to the right.
pub(super) const WIDEST_PATH: usize = 40;
/// Fewest columns that a value gets, however long its path is.
const NARROWEST: usize = 30;
/// Fewest columns that a path is shortened to for what else shall stand on its line.
const SHORTEST_PATH: usize = 24;
/// Stands behind what forces a replacement.
const FORCES: &str = "  forces replacement";
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
    /// Columns that are kept free at the end of the first line, as far as its path can be shortened for that.
    pub(super) kept: usize,
}

/// A leaf on its line: texts within which nothing else differs are part of its path.
struct Line<'a> {
    path: String,
    leaf: &'a Leaf,
}

impl<'a> Line<'a> {
    /// With what is said of each text on the way.
    fn of(mut leaf: &'a Leaf, said: fn(&str, usize) -> String) -> Self {
        let mut path = leaf.path.clone();
        while let What::Within(language, within) = &leaf.what {
            path.push_str(&said(language, within.unchanged));
            let [only] = within.leaves.as_slice() else { break };
            path.extend([" ", &only.path]);
            leaf = only;
        }
        Self { path, leaf }
    }
}

fn language_and_unchanged(language: &str, unchanged: usize) -> String {
    match (unchanged, language) {
        (0, _) => format!(" ({language})"),
        (1, "text") => format!(" ({language}, 1 line unchanged)"),
        (_, "text") => format!(" ({language}, {unchanged} lines unchanged)"),
        _ => format!(" ({language}, {unchanged} unchanged)"),
    }
}

impl<'a> Leaves<'a> {
    /// Behind so many columns; none forces a replacement.
    pub(super) fn of(layout: Layout, indent: usize, unknowns: &'a Unknowns) -> Self {
        Self { layout, indent, replacing: &[], unknowns, kept: 0 }
    }
}

impl Leaves<'_> {
    pub(super) fn write(self, text: &mut String, difference: &Difference) {
        let lines: Vec<Line<'_>> =
            difference.leaves.iter().enumerate().map(|(at, leaf)| self.fitting(leaf, if at == 0 { self.kept } else { 0 })).collect();
        let widths = lines.iter().filter(|line| !matches!(line.leaf.what, What::Within(..) | What::Each(_)));
        let column = widths.map(|line| line.path.chars().count()).filter(|width| *width <= self.widest()).max().unwrap_or(0);
        let mut run = 0;
        for (at, line) in lines.iter().enumerate() {
            let same = |other: Option<&Line<'_>>| other.is_some_and(|other| is_run(other.leaf, line.leaf));
            run = if at > 0 && same(lines.get(at - 1)) { run + 1 } else { 1 };
            let ahead = lines[at..].iter().take_while(|other| is_run(other.leaf, line.leaf)).count();
            match run.cmp(&self.layout.most(LONGEST_RUN)) {
                std::cmp::Ordering::Equal if ahead > 1 => {
                    let more = format!("… {ahead} more lines");
                    let _ = writeln!(text, "{}{more}", self.head(line.leaf.mark, "", column));
                }
                std::cmp::Ordering::Greater => {}
                // The same within several texts stands once, below the last of them.
                _ if lines.get(at + 1).is_some_and(|next| is_same_text(next.leaf, line.leaf)) => {
                    let _ = writeln!(text, "{}", self.head(line.leaf.mark, &line.path, 0).trim_end());
                }
                _ => self.write_leaf(text, line, column),
            }
        }
    }

    /// Widest column of paths, so that values have room behind it.
    fn widest(self) -> usize {
        WIDEST_PATH.min(self.room().saturating_sub(NARROWEST))
    }

    /// Columns for a path and what stands behind it.
    fn room(self) -> usize {
        self.layout.width.saturating_sub(self.indent + 4)
    }

    /// A leaf with as many steps of its path as leave room for the value: those in the middle go first.
    fn fitting(self, leaf: &Leaf, kept: usize) -> Line<'_> {
        let line = Line::of(leaf, language_and_unchanged);
        let value = match &line.leaf.what {
            What::Two(before, after) => before.chars().count() + after.chars().count() + 4,
            What::Within(..) | What::Each(_) => 0,
            What::Moved(from, to) => moved(*from, *to).len(),
            _ => NARROWEST,
        };
        let cause = if self.replaces(&leaf.path) { FORCES.len() } else { 0 };
        let most = self.room().saturating_sub(value.min(NARROWEST) + cause);
        let most = Some(most.saturating_sub(kept)).filter(|most| *most >= SHORTEST_PATH).unwrap_or(most);
        if self.layout.detail == Detail::Full || line.path.chars().count() <= most {
            return line;
        }
        let short = Line::of(leaf, |language, _| format!(" ({language})"));
        if let What::Within(language, within) = &leaf.what
            && short.path.chars().count() > most
        {
            // What is within stands below, rather than that the way there is cut.
            let path = format!("{}{}", leaf.path, language_and_unchanged(language, within.unchanged));
            return Line { path: elided(&path, self.room()), leaf };
        }
        Line { path: elided(&short.path, most), ..short }
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
        let cause = self.cause(leaf);
        let used = self.indent + 4 + column.max(path.chars().count());
        let space = self.layout.width.saturating_sub(used);
        let words = match &leaf.what {
            What::One(value) => return self.write_value(text, line, (value, column)),
            What::Two(before, after) if after == KNOWN_AFTER_APPLY => {
                format!("{} -> {}", cut(before, space), self.unknowns.words(&leaf.path))
            }
            What::Two(before, after) => return self.write_two(text, (&head, &cause, used), (before, after)),
            What::Line(line) => cut(line, space),
            What::Moved(from, to) => moved(*from, *to),
            What::Each(each) => {
                let _ = writeln!(text, "{}{cause}", head.trim_end());
                return self.write_each(text, leaf, each);
            }
            What::Veiled => "(only a fingerprint is kept) changes".to_owned(),
            What::Secret => format!("{SENSITIVE} changes"),
            What::Within(_, within) => {
                let _ = writeln!(text, "{}{cause}", head.trim_end());
                return Self { indent: self.indent + 4, replacing: &[], kept: 0, ..self }.write(text, within);
            }
        };
        let _ = writeln!(text, "{head}{words}{cause}");
    }

    /// What is not the same everywhere, each below the path.
    fn write_each(self, text: &mut String, leaf: &Leaf, each: &[(String, What)]) {
        let below = Self { indent: self.indent + 4, replacing: &[], kept: 0, ..self };
        let column = each.iter().map(|(names, _)| names.chars().count()).filter(|width| *width <= below.widest()).max().unwrap_or(0);
        for (names, what) in each {
            let leaf = Leaf { what: what.clone(), ..leaf.clone() };
            below.write_leaf(text, &Line { path: names.clone(), leaf: &leaf }, column);
        }
    }

    /// A value that comes or goes: one that comes is spread over several lines if it does not fit on one.
    fn write_value(self, text: &mut String, line: &Line<'_>, (value, column): (&Value, usize)) {
        let Line { path, leaf } = line;
        let used = self.indent + 4 + column.max(path.chars().count());
        let space = self.layout.width.saturating_sub(used);
        let cause = self.cause(leaf);
        let words = brief(&leaf.path, value, &|path| self.unknowns.words(path));
        if leaf.mark == Mark::Remove || words.chars().count() <= space {
            let _ = writeln!(text, "{}{}{cause}", self.head(leaf.mark, path, column), cut(&words, space));
            return;
        }
        let room = self.layout.width.saturating_sub(self.indent + 2);
        let lines = attributes::lines(path, value, self.unknowns, (room, self.layout.most(attributes::MOST)));
        let lines: Vec<(String, String)> =
            lines.into_iter().map(|(path, words)| (elided(&path, self.room().saturating_sub(NARROWEST)), words)).collect();
        let widest = lines.iter().map(|(path, _)| path.chars().count()).filter(|width| *width <= self.widest()).max().unwrap_or(0);
        for (path, words) in lines {
            let space = self.room().saturating_sub(widest.max(path.chars().count()));
            let _ = writeln!(text, "{}{}", self.head(leaf.mark, &path, widest), cut(&words, space));
        }
    }

    /// What was and what is: on one line if they fit, below each other otherwise, shorter where nothing differs.
    fn write_two(self, text: &mut String, (head, cause, used): (&str, &str, usize), (before, after): (&str, &str)) {
        let style = self.style();
        let behind = if cause.is_empty() { 0 } else { FORCES.len() };
        let space = self.layout.width.saturating_sub(used + behind);
        if before.chars().count() + after.chars().count() + 4 <= space {
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

    fn cause(self, leaf: &Leaf) -> String {
        if self.replaces(&leaf.path) { self.style().paint(Paint::Remove, FORCES) } else { String::new() }
    }

    fn replaces(self, path: &str) -> bool {
        let within = |cause: &String| {
            object_path(path).strip_prefix(cause.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.replacing.iter().any(within)
    }
}

/// A path in so many columns: its start and as much of its end as there is room for, whole steps of each.
fn elided(path: &str, most: usize) -> String {
    let all: Vec<char> = path.chars().collect();
    if all.len() <= most {
        return path.to_owned();
    }
    let mut depth = 0_usize;
    let mut ends = Vec::new();
    for (at, c) in all.iter().enumerate() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => ends.push(at),
            _ => {}
        }
    }
    let head = ends.iter().rev().find(|end| **end < most / 3).map_or(0, |end| end + 1);
    let start = all.len() - most.saturating_sub(head + 1).min(all.len());
    let tail = ends.iter().copied().find(|end| *end >= start).unwrap_or(start);
    all[..head].iter().chain(&['…']).chain(&all[tail..]).collect()
}

fn moved(from: usize, to: usize) -> String {
    format!("moved from {from} to {to}")
}

/// Whether the same differs within two texts.
fn is_same_text(one: &Leaf, other: &Leaf) -> bool {
    matches!(one.what, What::Within(..)) && one.what == other.what
}

/// Whether two lines of a text come, or go, one after the other.
fn is_run(one: &Leaf, other: &Leaf) -> bool {
    one.mark == other.mark && matches!((&one.what, &other.what), (What::Line(_), What::Line(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_loses_its_middle_first() {
        let path = "spec.versions[name=v1].schema.openAPIV3Schema.properties.spec.properties.idleTimeout.description";
        for (most, expected) in [
            (200, path),
            (60, "spec.….properties.spec.properties.idleTimeout.description"),
            (36, "spec.….idleTimeout.description"),
            (20, "spec.….description"),
            (8, "…ription"),
        ] {
            let shown = elided(path, most);
            assert_eq!(shown, expected);
            assert!(shown.chars().count() <= most, "{shown}");
        }
    }
}
