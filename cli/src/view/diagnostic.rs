//! Problems with the piece of text they are about.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use engine::diagnostic::{Diagnostic, Severity};
use engine::source::{SourceTree, Span};
use review::style::Style;
use std::ops::Range;

/// Columns of text excerpts where the terminal does not say how many it has.
const WIDTH: usize = 120;
/// Columns before a sentence.
const MARGIN: usize = 14;
/// Fewest columns that a sentence is broken to.
const NARROWEST: usize = 30;

/// All problems, warnings first, then errors, each with its place, then how many errors there were if more than one.
///
/// On a terminal whose `width` in columns is known sentences are broken into lines that fit.
pub fn render(sources: &SourceTree, diagnostics: &[Diagnostic], style: Style, width: Option<usize>) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let renderer = renderer.term_width(width.unwrap_or(WIDTH));
    let of = |severity| diagnostics.iter().filter(move |diagnostic| diagnostic.severity == severity);
    let mut text = String::new();
    for diagnostic in of(Severity::Warning).chain(of(Severity::Error)) {
        text.push_str(renderer.render(&[group(sources, diagnostic, width)]).trim_end());
        text.push_str("\n\n");
    }
    match of(Severity::Error).count() {
        0 | 1 => {}
        errors => text.extend([&errors.to_string(), " errors\n"]),
    }
    text
}

fn group<'a>(sources: &'a SourceTree, diagnostic: &'a Diagnostic, width: Option<usize>) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.summary.as_str());
    let mut group = Group::with_title(match &diagnostic.rule {
        Some(rule) => title.id(&**rule),
        None => title,
    });
    for snippet in snippets(sources, diagnostic) {
        group = group.element(snippet);
    }
    if let Some(address) = &diagnostic.address
        && !diagnostic.detail.contains(&format!("`{address}`"))
    {
        group = group.element(Level::NOTE.message(format!("in `{address}`")));
    }
    if !diagnostic.detail.is_empty() {
        group = group.element(Level::NOTE.no_name().message(lines(&diagnostic.detail, width)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(lines(help, width)));
    }
    group
}

/// A text as it may be printed, broken at spaces into lines that leave room for the margin.
fn lines(text: &str, width: Option<usize>) -> String {
    let text = review::notation::printable(text);
    let Some(columns) = width.map(|width| width.saturating_sub(MARGIN).max(NARROWEST)) else { return text };
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        lines.push(String::new());
        for word in paragraph.split_inclusive(' ') {
            let used = lines.last().map_or(0, |line| line.chars().count());
            if used > 0 && used + word.trim_end().chars().count() > columns {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(word);
            }
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// One snippet per file, the problem's own first.
fn snippets<'a>(sources: &'a SourceTree, diagnostic: &'a Diagnostic) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let Some(at) = diagnostic.at else { return Vec::new() };
    let mut files = vec![at.file];
    for (span, _) in &diagnostic.related {
        if !files.contains(&span.file) {
            files.push(span.file);
        }
    }
    let mut snippets = Vec::new();
    for id in files {
        let Some(file) = sources.file(id) else { continue };
        let mut snippet = Snippet::source(&*file.text).path(&*file.path);
        if at.file == id {
            snippet = snippet.annotation(AnnotationKind::Primary.span(range(at, &file.text)));
        }
        for (span, words) in diagnostic.related.iter().filter(|(span, _)| span.file == id) {
            snippet = snippet.annotation(AnnotationKind::Context.span(range(*span, &file.text)).label(words.as_str()));
        }
        snippets.push(snippet);
    }
    snippets
}

/// The span as it lies within the text, whatever it says.
fn range(span: Span, text: &str) -> Range<usize> {
    let within = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (within(span.start), within(span.end));
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Address;
    use engine::source::FileId;

    const TEXT: &str = "resource \"a\" \"b\" {\n  cluster = sandbox_clsuter.this\n}\n";

    fn tree() -> SourceTree {
        let mut tree = SourceTree::new(".");
        tree.add("main.mesh.hcl", TEXT);
        tree.add("vars.mesh.hcl", "variable \"x\" {}\n");
        tree
    }

    fn check(diagnostics: &[Diagnostic], expected: &str) {
        assert_eq!(render(&tree(), diagnostics, Style::Plain, None), expected);
    }

    #[test]
    fn a_problem_shows_its_place_what_is_wrong_and_what_to_do() {
        let problem = Diagnostic::error("unknown resource", "nothing declares `sandbox_clsuter.this`")
            .at(Span::new(FileId(0), 31..51))
            .about(&Address::managed("a", "b"))
            .help("Did you mean `sandbox_cluster.this`?");
        check(
            &[problem],
            "error: unknown resource
 --> main.mesh.hcl:2:13
  |
2 |   cluster = sandbox_clsuter.this
  |             ^^^^^^^^^^^^^^^^^^^^
  |
  = note: in `a.b`
  = nothing declares `sandbox_clsuter.this`
  = help: Did you mean `sandbox_cluster.this`?

",
        );
    }

    #[test]
    fn other_places_are_shown_with_it_also_in_other_files() {
        let problem = Diagnostic::error("duplicate name", "")
            .at(Span::new(FileId(0), 13..16))
            .related(Span::new(FileId(0), 9..12), "of this kind")
            .related(Span::new(FileId(1), 9..12), "declared here");
        check(
            &[problem],
            "error: duplicate name
 --> main.mesh.hcl:1:14
  |
1 | resource \"a\" \"b\" {
  |          --- ^^^
  |          |
  |          of this kind
  |
 ::: vars.mesh.hcl:1:10
  |
1 | variable \"x\" {}
  |          --- declared here

",
        );
    }

    #[test]
    fn warnings_come_first_and_errors_are_counted_last() {
        let problems = [Diagnostic::error("first", "a"), Diagnostic::warning("odd", "b"), Diagnostic::error("second", "c")];
        check(&problems, "warning: odd\n |\n = b\n\nerror: first\n |\n = a\n\nerror: second\n |\n = c\n\n2 errors\n");
        check(&[], "");
    }

    #[test]
    fn sentences_are_broken_where_the_terminal_ends() {
        let text = "one two three four five six seven eight nine ten";
        assert_eq!(lines(text, None), text);
        assert_eq!(lines(text, Some(44)), "one two three four five six\nseven eight nine ten");
        assert_eq!(lines("a\n  b", Some(0)), "a\n  b");
        let long = "x".repeat(60);
        assert_eq!(lines(&format!("see {long} there"), Some(44)), format!("see\n{long}\nthere"));
    }

    #[test]
    fn a_span_that_does_not_fit_its_text_is_shown_as_far_as_it_does() {
        for (file, range) in [(0, 40..4000), (0, 5000..5001), (7, 0..1)] {
            let problem = Diagnostic::error("odd", "").at(Span::new(FileId(file), range));
            assert!(render(&tree(), &[problem], Style::Plain, None).starts_with("error: odd\n"));
        }
        assert_eq!(range(Span::new(FileId(0), 1..2), "äx"), 0..2);
    }
}
