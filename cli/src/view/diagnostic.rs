//! Problems with the piece of text they are about.

use super::style::Style;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use engine::diagnostic::{Diagnostic, Severity};
use engine::source::{SourceTree, Span};
use std::ops::Range;

/// All problems, warnings first, then errors, each with its place, then how many errors there were if more than one.
pub fn render(sources: &SourceTree, diagnostics: &[Diagnostic], style: Style, width: usize) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let renderer = renderer.term_width(width);
    let of = |severity| diagnostics.iter().filter(move |diagnostic| diagnostic.severity == severity);
    let mut text = String::new();
    for diagnostic in of(Severity::Warning).chain(of(Severity::Error)) {
        text.push_str(renderer.render(&[group(sources, diagnostic)]).trim_end());
        text.push_str("\n\n");
    }
    match of(Severity::Error).count() {
        0 | 1 => {}
        errors => text.extend([&errors.to_string(), " errors\n"]),
    }
    text
}

fn group<'a>(sources: &'a SourceTree, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.summary.as_str()));
    for snippet in snippets(sources, diagnostic) {
        group = group.element(snippet);
    }
    if let Some(address) = &diagnostic.address
        && !diagnostic.detail.contains(&format!("`{address}`"))
    {
        group = group.element(Level::NOTE.message(format!("in `{address}`")));
    }
    if !diagnostic.detail.is_empty() {
        group = group.element(Level::NOTE.no_name().message(super::value::printable(&diagnostic.detail)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(super::value::printable(help)));
    }
    group
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
