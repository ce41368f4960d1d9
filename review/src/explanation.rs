//! Why something is planned: from what differs back to what is written.

use crate::notation::{cut, inline};
use crate::style::Paint;
use crate::terminal::{Layout, change_line, difference_lines};
use crate::{Difference, Leaf, Mark, What};
use engine::plan::Change;
use engine::value::Value;
use std::fmt::Write;

/// Fewest columns that a value gets behind a name.
const NARROWEST: usize = 24;
/// What stands before a value that stands below its name.
const BELOW: &str = "          ";

/// Why one thing is planned.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What is planned.
    pub change: Change,
    /// Where its block stands, if the configuration has it.
    pub block: Option<String>,
    /// Where its block stood when it was applied last, if the configuration does not have it any more.
    pub gone: Option<String>,
    /// What its being there comes from.
    pub occasions: Vec<Told>,
    /// What differs, each with what it comes from.
    pub parts: Vec<Part>,
    /// The revision whose configuration everything is compared with.
    pub compared: Option<u64>,
}

/// Attributes that come from the same.
#[derive(Debug, Clone)]
pub struct Part {
    /// The path of the first of them; empty for all of a member.
    pub path: String,
    /// What differs.
    pub leaves: Vec<Leaf>,
    /// What they come from.
    pub causes: Vec<Told>,
}

/// Something written, and what it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What it is called from the root module.
    pub name: String,
    /// Where it is written, or given.
    pub place: String,
    /// The line that writes an argument. What it comes to stands in the plan.
    pub line: Option<String>,
    /// What it was when it was applied last.
    pub was: Was,
    /// What it is.
    pub value: Value,
    /// What it comes from.
    pub from: Vec<Self>,
}

/// What a value was.
#[derive(Debug, Clone, PartialEq)]
pub enum Was {
    /// Nothing is known of it.
    Unasked,
    /// What it is.
    Same,
    /// It was not there.
    Missing,
    /// This.
    Other(Value),
}

impl Told {
    /// Whether it, or something that it comes from, is not what it was.
    pub fn differs(&self) -> bool {
        matches!(self.was, Was::Missing | Was::Other(_)) || self.from.iter().any(Self::differs)
    }

    /// Without what is as it was.
    #[must_use]
    pub fn without_same(self) -> Self {
        Self { from: self.from.into_iter().filter(Self::differs).map(Self::without_same).collect(), ..self }
    }
}

/// Explanations as text, one after the other.
pub fn text(explanations: &[Explanation], layout: Layout) -> String {
    let mut text = String::new();
    for (at, explanation) in explanations.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        write_one(&mut text, explanation, layout);
    }
    if let Some(number) = explanations.iter().find_map(|explanation| explanation.compared) {
        let note = format!("Values before `->` are those of the configuration of @{number}, which was applied last.");
        let _ = writeln!(text, "\n{}", layout.style.paint(Paint::Dim, &note));
    }
    text
}

fn write_one(text: &mut String, explanation: &Explanation, layout: Layout) {
    let Explanation { change, block, gone, occasions, parts, .. } = explanation;
    let subject = change.address.parent().unwrap_or_else(|| change.address.clone());
    let subject = format!("{subject}.");
    change_line(text, change, layout);
    if let Some(block) = block {
        let _ = writeln!(text, "      {}", layout.style.paint(Paint::Dim, &format!("written at {block}")));
    }
    if let Some(gone) = gone {
        let _ = writeln!(text, "      {}", layout.style.paint(Paint::Dim, &format!("was written at {gone}")));
    }
    for cause in &change.causes {
        let _ = writeln!(text, "      {cause}");
    }
    write_chain(text, occasions, &subject, layout);
    for part in parts {
        text.push('\n');
        if part.leaves.is_empty() && !part.path.is_empty() {
            let _ = writeln!(text, "      {}", part.path);
        }
        let difference = Difference { leaves: part.leaves.clone(), unchanged: 0 };
        difference_lines(text, &difference, 6, layout);
        if part.causes.is_empty() {
            let _ = writeln!(text, "      {}", layout.style.paint(Paint::Dim, "not written: the kind says what it is"));
        }
        write_chain(text, &part.causes, &subject, layout);
    }
}

/// Causes below each other: where, what, and what it came to. What is explained needs no name.
fn write_chain(text: &mut String, causes: &[Told], subject: &str, layout: Layout) {
    let name = |told: &Told| told.name.strip_prefix(subject).unwrap_or(&told.name).to_owned();
    let mut lines = Vec::new();
    for cause in causes {
        flatten(cause, 0, &mut lines);
    }
    let place = lines.iter().map(|(_, told)| told.place.chars().count()).max().unwrap_or(0);
    let label = |(depth, told): &(usize, &Told)| format!("{:indent$}{}", "", name(told), indent = depth * 2);
    let column = lines.iter().map(|line| label(line).chars().count()).filter(|width| *width <= 48).max().unwrap_or(0);
    for line in &lines {
        let told = line.1;
        let head = format!("      {:<place$}  {:<column$}", told.place, label(line));
        let space = layout.width.saturating_sub(head.chars().count() + 2);
        let shown = told.line.clone().unwrap_or_else(|| values(told));
        // Behind a long name there may be no room for what it comes to.
        let line = if space < shown.chars().count().min(NARROWEST) {
            let space = layout.width.saturating_sub(BELOW.len()).max(NARROWEST);
            format!("{}\n{BELOW}{}", head.trim_end(), cut(&shown, space))
        } else {
            format!("{head}  {}", cut(&shown, space))
        };
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn flatten<'a>(told: &'a Told, depth: usize, lines: &mut Vec<(usize, &'a Told)>) {
    lines.push((depth, told));
    for from in &told.from {
        flatten(from, depth + 1, lines);
    }
}

/// What it was and is. Of what is long, what differs.
fn values(told: &Told) -> String {
    let after = inline(&told.value);
    let before = match &told.was {
        Was::Unasked => return after,
        Was::Same => return format!("{after} (as it was)"),
        Was::Missing => return format!("{after} (new)"),
        Was::Other(before) if before.is_null() => return format!("{after} (new)"),
        Was::Other(before) if told.value.is_null() => return format!("{} (gone)", inline(before)),
        Was::Other(before) => before,
    };
    let whole = format!("{} -> {after}", inline(before));
    let leaves = Difference::between(before, &told.value).leaves;
    if whole.chars().count() <= 60 || leaves.len() > 3 || leaves.iter().any(|leaf| leaf.path.is_empty()) {
        return if inline(before) == after { format!("{after} changes") } else { whole };
    }
    leaves.iter().map(brief).collect::<Vec<_>>().join(", ")
}

fn brief(leaf: &Leaf) -> String {
    let mark = match leaf.mark {
        Mark::Add => '+',
        Mark::Change => '~',
        Mark::Remove => '-',
        Mark::Move => '→',
    };
    match &leaf.what {
        What::One(value) => format!("{mark} {} {}", leaf.path, cut(&inline(value), 24)),
        What::Two(before, after) => format!("{mark} {} {} -> {}", leaf.path, cut(before, 24), cut(after, 24)),
        _ => format!("{mark} {}", leaf.path),
    }
}
