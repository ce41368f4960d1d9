//! Cuts text between statements, so that each piece is parsed, lowered and dropped on its own: a syntax tree is many times its text,
//! and the parser stops at its first error.

use super::problem;
use super::scanner::{Scanner, Unclosed};
use crate::diagnostic::Diagnostic;
use crate::source::FileId;
use hcl_edit::structure::Body;
use std::ops::Range;

/// Statements are parsed together up to about this many bytes.
const TOGETHER: usize = 16 * 1024;

/// Parses a text in pieces and hands each piece over, with its place in the text. Statements that do not parse are left out and
/// reported, each on its own.
pub(super) fn each_body(text: &str, file: FileId, visit: &mut dyn FnMut(&str, usize, &Body)) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if text.starts_with('\u{feff}') {
        problems.push(problem::byte_order_mark(file));
        return problems;
    }
    let statements = statements(text, 0..text.len(), Unclosed::Trusted);
    let mut open = statements.as_slice();
    while let Some(first) = open.first() {
        let count = open.iter().take_while(|statement| statement.end - first.start <= TOGETHER).count().max(1);
        let (now, later) = open.split_at(count);
        open = later;
        let whole = first.start..now.last().map_or(first.end, |last| last.end);
        match hcl_edit::parser::parse_body(&text[whole.clone()]) {
            Ok(body) => visit(&text[whole.clone()], whole.start, &body),
            Err(_) => {
                for statement in now {
                    alone(text, statement.clone(), file, visit, &mut problems);
                }
            }
        }
    }
    problems
}

/// Parses one statement; if that fails, whatever blocks seem to begin within it.
fn alone(text: &str, statement: Range<usize>, file: FileId, visit: &mut dyn FnMut(&str, usize, &Body), problems: &mut Vec<Diagnostic>) {
    if let Ok(body) = hcl_edit::parser::parse_body(&text[statement.clone()]) {
        visit(&text[statement.clone()], statement.start, &body);
        return;
    }
    for part in statements(text, statement, Unclosed::Suspected) {
        let piece = &text[part.clone()];
        match hcl_edit::parser::parse_body(piece) {
            Ok(body) => visit(piece, part.start, &body),
            Err(error) => problems.push(problem::syntax(&error, piece, part.start, file)),
        }
    }
}

/// The statements of a stretch of text that opens no bracket before it: ranges that cover it, blank lines before their statement.
fn statements(text: &str, within: Range<usize>, unclosed: Unclosed) -> Vec<Range<usize>> {
    let mut scanner = Scanner::new(&text[..within.end], within.start, unclosed);
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = within.start;
    while start < within.end {
        let end = scanner.next_boundary();
        if !text[start..end].trim().is_empty() {
            found.push(start..end);
            start = end;
        } else if end == within.end {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, unclosed: Unclosed) -> Vec<&str> {
        statements(text, 0..text.len(), unclosed).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn text_is_cut_between_statements_only() {
        for (text, pieces) in [
            ("a = 1\nb = 2\n", vec!["a = 1\n", "b = 2\n"]),
            ("\n\na {\n  x = 1\n}\n\n# c\nb {}", vec!["\n\na {\n  x = 1\n}\n", "\n# c\n", "b {}"]),
            ("a = [\n1,\n]\nb = (\n2)\n", vec!["a = [\n1,\n]\n", "b = (\n2)\n"]),
            ("a = \"}\\\"{\"\nb = 1\n", vec!["a = \"}\\\"{\"\n", "b = 1\n"]),
            ("a = \"${ {\n\"}\" = 1} }\"\nb = 1\n", vec!["a = \"${ {\n\"}\" = 1} }\"\n", "b = 1\n"]),
            ("a = \"$${\"\nb = 1\n", vec!["a = \"$${\"\n", "b = 1\n"]),
            ("a = <<-E\n  {\n  EE\n  E\nb = 1\n", vec!["a = <<-E\n  {\n  EE\n  E\n", "b = 1\n"]),
            ("a = 1 // {\nb = 1 # (\n/* [\n*/ c = 1\n", vec!["a = 1 // {\n", "b = 1 # (\n", "/* [\n*/ c = 1\n"]),
            ("a = \"open\nb = 1\n", vec!["a = \"open\n", "b = 1\n"]),
            ("}\nb = 1\n", vec!["}\n", "b = 1\n"]),
            ("", vec![]),
            ("\n \n", vec![]),
        ] {
            assert_eq!(cut(text, Unclosed::Trusted), pieces, "{text}");
        }
    }

    #[test]
    fn an_unclosed_bracket_costs_one_block() {
        let text = "output \"a\" {\n  value = [\n}\nlocals {\n  b = 1\n}\n";
        assert_eq!(cut(text, Unclosed::Trusted), [text]);
        assert_eq!(cut(text, Unclosed::Suspected), ["output \"a\" {\n  value = [\n}\n", "locals {\n  b = 1\n}\n"]);
    }

    #[test]
    fn every_broken_statement_is_reported_and_the_others_are_kept() {
        let text = "a = 1\nb = \nc = 3\nd = ]\ne = 5\n";
        let mut kept = Vec::new();
        let problems = each_body(text, FileId(0), &mut |piece, base, body| {
            assert_eq!(&text[base..base + piece.len()], piece);
            kept.extend(body.attributes().map(|attribute| attribute.key.to_string()));
        });
        assert_eq!(kept, ["a", "c", "e"]);
        assert_eq!(problems.len(), 2);
    }

    #[test]
    fn a_long_text_comes_in_several_pieces() {
        let text = "a { b = \"0123456789012345678901234567890123456789\" }\n".repeat(4000);
        let mut pieces = 0;
        let mut blocks = 0;
        let problems = each_body(&text, FileId(0), &mut |_, _, body| {
            pieces += 1;
            blocks += body.blocks().count();
        });
        assert_eq!((problems.len(), blocks), (0, 4000));
        assert!((10..20).contains(&pieces), "{pieces}");
    }
}
