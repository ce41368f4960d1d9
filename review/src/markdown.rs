//! A plan for the comment of a pull request: a table of clusters, what changes folded away below it, the digest last.

use crate::clusters::{Places, Tally};
use crate::entry::{Detail, Entry};
use crate::notation::printable;
use crate::problem::place;
use crate::review::Review;
use crate::style::Style;
use crate::terminal::{self, Layout, Part, table};
use engine::diagnostic::Diagnostic;
use engine::plan::{Counts, Plan};
use engine::source::SourceTree;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Characters that a comment has room for: forges refuse somewhat more than this.
pub const MOST: usize = 60_000;

/// Columns of what changes: more would be scrolled sideways.
const WIDTH: usize = 110;

/// The plan as Markdown of less than [`MOST`] characters. What does not fit is left out and counted. Its problems lie in `sources`.
pub fn plan(plan: &Plan, sources: &SourceTree) -> String {
    let review = Review::of(plan);
    let entries = review.entries(Detail::Folded);
    let end = end(plan);
    let mut text = heading(plan, &review) + &problems(plan, sources);
    for part in [Part::Everything, Part::Lines] {
        let sections = sections(plan, &review, &entries, part);
        let length: usize = sections.iter().map(|section| section.chars().count()).sum();
        let room = MOST.saturating_sub(text.chars().count() + end.chars().count() + 1);
        if length < room {
            text.extend(sections);
            return text + &end;
        }
        if part == Part::Lines {
            text.push_str(&as_far_as(&sections, room));
        }
    }
    text + &end
}

/// What stands first: how much, and how much where.
fn heading(plan: &Plan, review: &Review<'_>) -> String {
    let sentence = terminal::summary(plan, Style::Plain);
    let mut text = format!("### {}\n\n", escaped(sentence.lines().next().unwrap_or_default()));
    let counts = review.clusters().tallies(plan);
    let columns = table::columns(&counts);
    if !counts.is_empty() && !columns.is_empty() {
        text.push_str("| cluster |");
        for (name, _, _) in &columns {
            let _ = write!(text, " {name} |");
        }
        let _ = writeln!(text, "\n|---|{}", "---:|".repeat(columns.len()));
        for (label, counts) in &counts {
            let label = label.as_deref().map_or_else(|| "in no cluster".to_owned(), escaped);
            let _ = write!(text, "| {label} |");
            for (_, count, _) in &columns {
                let _ = write!(text, " {} |", count(counts));
            }
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

/// What is wrong, each with its place.
fn problems(plan: &Plan, sources: &SourceTree) -> String {
    let mut text = String::new();
    if plan.is_errored() {
        text.push_str("**The plan is incomplete, because of what is wrong: it cannot be applied.**\n\n");
    }
    for problem in &plan.diagnostics {
        text.push_str(&told(problem, sources));
    }
    if !plan.diagnostics.is_empty() {
        text.push('\n');
    }
    text
}

fn told(problem: &Diagnostic, sources: &SourceTree) -> String {
    let word = if problem.is_error() { "error" } else { "warning" };
    let sentence = |text: &str| escaped(&printable(text).lines().collect::<Vec<_>>().join(" "));
    let place = problem.at.and_then(|span| place(sources, span));
    let mut text = format!("- **{word}: {}**", sentence(&problem.summary));
    for about in place.into_iter().chain(problem.address.as_ref().map(ToString::to_string)) {
        let _ = write!(text, " ({})", code(&about));
    }
    let _ = write!(text, ": {}", sentence(&problem.detail));
    if let Some(help) = &problem.help {
        let _ = write!(text, " {}", sentence(help));
    }
    text.push('\n');
    text
}

/// A name as it is.
fn code(text: &str) -> String {
    let text = printable(text).replace('\n', " ");
    if text.contains('`') { escaped(&text) } else { format!("`{text}`") }
}

/// One section for each cluster, and for clusters that change alike one for all of them; before them what is blocked, after them outputs and
/// checks.
fn sections(plan: &Plan, review: &Review<'_>, entries: &[Entry<'_>], part: Part) -> Vec<String> {
    let layout = Layout { style: Style::Plain, width: WIDTH, detail: Detail::Folded };
    let mut by_places: BTreeMap<(bool, &Places<'_>), Vec<&Entry<'_>>> = BTreeMap::new();
    for entry in entries {
        by_places.entry((entry.places.is_empty(), &entry.places)).or_default().push(entry);
    }
    let mut sections = Vec::new();
    let blocked = terminal::blocked_text(plan, layout);
    if !blocked.is_empty() {
        sections.push(folded(&format!("Blocked: {}", plan.blocked.len()), &blocked));
    }
    for ((_, places), entries) in by_places {
        let name = if places.is_empty() { "In no cluster".to_owned() } else { review.clusters().named(places) };
        let changes: Vec<_> =
            entries.iter().flat_map(|entry| entry.changes.iter().chain(entry.below.iter().flat_map(|below| &below.changes))).collect();
        let changes: Vec<_> =
            changes.into_iter().map(|change| engine::plan::Change { before: None, after: None, ..(*change).clone() }).collect();
        let text = terminal::entries_text((plan, review), &entries, layout, part);
        sections.push(folded(&format!("{name}: {}", counted(&Tally { planned: Counts::of(&changes), ..Tally::default() })), &text));
    }
    let rest = terminal::rest_text(plan, layout);
    if !rest.is_empty() {
        sections.push(folded("Outputs and checks", &rest));
    }
    sections
}

fn counted(counts: &Tally) -> String {
    let words = table::COLUMNS.iter().map(|(name, count, _)| (count(counts), *name)).filter(|(count, _)| *count > 0);
    words.map(|(count, name)| format!("{count} to {name}")).collect::<Vec<_>>().join(", ")
}

/// Text under a line that opens it.
fn folded(summary: &str, text: &str) -> String {
    let fence = fence(text);
    format!("<details><summary>{}</summary>\n\n{fence}text\n{}\n{fence}\n\n</details>\n\n", escaped(summary), text.trim_end())
}

/// A fence that nothing in the text ends.
fn fence(text: &str) -> String {
    let mut longest = 0;
    for run in text.split(|letter| letter != '`') {
        longest = longest.max(run.len());
    }
    "`".repeat(longest.max(2) + 1)
}

/// As many sections as there is room for, the last one cut at a line, and how many lines are left out.
fn as_far_as(sections: &[String], room: usize) -> String {
    let room = room.saturating_sub(200);
    let mut text = String::new();
    let mut used = 0;
    let mut left_out = 0;
    for section in sections {
        let length = section.chars().count();
        if left_out == 0 && used + length <= room {
            text.push_str(section);
            used += length;
            continue;
        }
        let ending = section.rfind("\n```").map_or("", |at| &section[at..]);
        let body = &section[..section.len() - ending.len()];
        let mut kept = String::new();
        for line in body.split_inclusive('\n') {
            let length = line.chars().count();
            if left_out == 0 && used + length + ending.len() <= room {
                kept.push_str(line);
                used += length;
            } else {
                left_out += 1;
            }
        }
        // A section of which only its head has room is left out whole.
        if kept.matches('\n').count() > 3 {
            text.push_str(kept.trim_end());
            text.push_str(ending);
        }
    }
    let _ = writeln!(text, "{left_out} lines more are left out: `meshplan show` of the plan shows them.\n");
    text
}

/// What stands last.
fn end(plan: &Plan) -> String {
    if plan.has_changes() { format!("Plan digest: `{}`\n", plan.digest()) } else { String::new() }
}

/// Text that Markdown takes for nothing but text.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '_' | '[' | ']' | '\\' | '`' | '#' | '@' => escaped.extend(['\\', letter]),
            '\n' | '\r' => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_becomes_markup() {
        assert_eq!(escaped("a|b <i> [x](y) @all"), "a\\|b &lt;i&gt; \\[x\\](y) \\@all");
        assert_eq!((fence("a"), fence("```` b ``")), ("```".to_owned(), "`````".to_owned()));
        assert_eq!(folded("a", "```\n</details>"), "<details><summary>a</summary>\n\n````text\n```\n</details>\n````\n\n</details>\n\n");
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let section = |name: &str, lines: usize| folded(name, &"0123456789\n".repeat(lines));
        let sections = [section("a", 10), section("b", 1000), section("c", 5)];
        let text = as_far_as(&sections, 3000);
        assert!(text.chars().count() <= 3000 && text.contains("<summary>a</summary>") && text.contains("<summary>b</summary>"));
        assert!(!text.contains("<summary>c</summary>"));
        assert_eq!((text.matches("<details>").count(), text.matches("</details>").count()), (2, 2), "{text}");
        assert!(text.ends_with("lines more are left out: `meshplan show` of the plan shows them.\n\n"), "{text}");
    }
}
