//! Cuts text between statements, so that each piece is parsed, lowered and dropped on its own: a syntax tree is many times its text,
//! and the parser stops at its first error.

use super::problem;
use crate::diagnostic::Diagnostic;
use crate::source::FileId;
use hcl_edit::structure::Body;
use std::ops::Range;

/// Statements are parsed together up to about this many bytes.
const TOGETHER: usize = 64 * 1024;

/// What a line within brackets that looks like the start of a block means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unclosed {
    /// Nothing: brackets are trusted.
    Trusted,
    /// A bracket before it was never closed.
    Suspected,
}

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
    let mut scanner = Scanner { bytes: &text.as_bytes()[..within.end], at: within.start, open: Vec::new(), unclosed };
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

/// What is open at a place in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket,
    Quote,
    Interpolation,
}

/// Finds line ends outside all brackets, strings, heredocs and comments.
struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    open: Vec<Open>,
    unclosed: Unclosed,
}

impl Scanner<'_> {
    fn next_boundary(&mut self) -> usize {
        while self.at < self.bytes.len() {
            if self.open.last() == Some(&Open::Quote) {
                self.quoted();
            } else if self.code() {
                return self.at;
            }
        }
        self.bytes.len()
    }

    fn starts(&self, with: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(with)
    }

    fn quoted(&mut self) {
        if self.starts(b"$${") || self.starts(b"%%{") {
            self.at += 3;
        } else if self.starts(b"${") || self.starts(b"%{") {
            self.open.push(Open::Interpolation);
            self.at += 2;
        } else {
            match self.bytes[self.at] {
                b'\\' => self.at += 2,
                b'"' => {
                    self.open.pop();
                    self.at += 1;
                }
                // A string cannot span lines: it was never closed.
                b'\n' => {
                    self.open.pop();
                }
                _ => self.at += 1,
            }
        }
    }

    /// One step outside strings; true after a line end at which the text may be cut.
    fn code(&mut self) -> bool {
        let byte = self.bytes[self.at];
        match byte {
            b'#' => self.skip_line(),
            b'/' if self.starts(b"//") => self.skip_line(),
            b'/' if self.starts(b"/*") => {
                let rest = &self.bytes[self.at + 2..];
                let length = rest.windows(2).position(|two| two == b"*/").map_or(rest.len(), |at| at + 2);
                self.at += 2 + length;
            }
            b'<' if self.starts(b"<<") => self.heredoc(),
            _ => {
                self.at += 1;
                match byte {
                    b'"' => self.open.push(Open::Quote),
                    b'(' | b'[' | b'{' => self.open.push(Open::Bracket),
                    b')' | b']' | b'}' => drop(self.open.pop()),
                    b'\n' => return self.line_end(),
                    _ => {}
                }
            }
        }
        false
    }

    fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    fn heredoc(&mut self) {
        self.at += 2;
        let rest = &self.bytes[self.at..];
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        let length = rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len());
        let (delimiter, after) = rest.split_at(length);
        if delimiter.is_empty() || !(after.starts_with(b"\n") || after.starts_with(b"\r\n")) {
            return;
        }
        let end = self.bytes.len();
        let mut line = end - after.len();
        while let Some(length) = self.bytes[line..].iter().position(|byte| *byte == b'\n') {
            line += length + 1;
            let indent = self.bytes[line..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let text = &self.bytes[line + indent..];
            if text.strip_prefix(delimiter).is_some_and(|after| !after.first().copied().is_some_and(is_name)) {
                self.at = line + indent + delimiter.len();
                return;
            }
        }
        self.at = end;
    }

    fn line_end(&mut self) -> bool {
        if self.unclosed == Unclosed::Suspected && !self.open.is_empty() && self.block_begins() {
            self.open.clear();
        }
        self.open.is_empty()
    }

    /// Whether the line here begins, without indent, as top-level blocks do.
    fn block_begins(&self) -> bool {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(length);
        let after = after.trim_ascii_start();
        let keyword = super::module::BLOCKS.iter().any(|block| block.as_bytes() == name);
        keyword && (after.starts_with(b"\"") || after.starts_with(b"{"))
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte >= 0x80
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
        assert_eq!((problems.len(), pieces, blocks), (0, 4, 4000));
    }
}
