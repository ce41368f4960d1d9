//! What brackets, strings, heredocs and comments enclose: enough of the syntax to cut text, also text that does not parse.

use std::ops::Range;

/// What is open at a place in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket,
    Quote,
    Interpolation,
}

/// What a line within brackets that looks like the start of a block means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unclosed {
    /// Nothing: brackets are trusted.
    Trusted,
    /// A bracket before it was never closed.
    Suspected,
}

/// Finds line ends outside all brackets, strings, heredocs and comments.
pub(super) struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    /// What is open, and where it was opened.
    open: Vec<(Open, usize)>,
    unclosed: Unclosed,
    /// The first quote that was not closed on its line.
    broken: Option<usize>,
}

/// The innermost bracket that is open at a place in a text, and where it was opened.
pub(super) fn open_bracket(text: &str, at: usize) -> Option<usize> {
    let mut scanner = Scanner::new(&text[..at], 0, Unclosed::Trusted);
    while scanner.at < at {
        scanner.next_boundary();
    }
    scanner.open.iter().rev().find(|(open, _)| *open == Open::Bracket).map(|(_, place)| *place)
}

/// The first quote of a statement that is not closed on its line, else what was opened last and never closed.
pub(super) fn never_closed(statement: &str) -> Option<usize> {
    let mut scanner = Scanner::new(statement, 0, Unclosed::Trusted);
    scanner.next_boundary();
    scanner.broken.or(scanner.open.last().map(|(_, place)| *place))
}

/// What a text begins with, up to where all is closed that it opens: one text in quotes, one pair of brackets.
pub(super) fn first_closed(text: &str) -> &str {
    let mut scanner = Scanner::new(text, 0, Unclosed::Trusted);
    while scanner.at < text.len() && (scanner.at == 0 || !scanner.open.is_empty()) {
        if scanner.open.last().is_some_and(|(open, _)| *open == Open::Quote) {
            scanner.quoted();
        } else {
            let _line_ended = scanner.code();
        }
    }
    text.get(..scanner.at).unwrap_or(text)
}

/// What of an expression stands between the blanks and comments around it.
pub(super) fn within_comments(text: &str) -> Range<usize> {
    let mut scanner = Scanner::new(text, 0, Unclosed::Trusted);
    let mut code = text.len()..text.len();
    while scanner.at < text.len() {
        let quoted = scanner.open.last().is_some_and(|(open, _)| *open == Open::Quote);
        let start = scanner.at;
        // A comment that nothing closes is left for the parser to see.
        let open = scanner.starts(b"/*") && !text[start + 2..].contains("*/");
        let counts = quoted || open || !(scanner.comment_begins() || scanner.bytes[start].is_ascii_whitespace());
        if quoted {
            scanner.quoted();
        } else {
            let _line_ended = scanner.code();
        }
        if counts {
            code = code.start.min(start)..scanner.at.min(text.len());
        }
    }
    code
}

impl<'t> Scanner<'t> {
    /// A scanner at a place of a text that is outside everything.
    pub(super) fn new(text: &'t str, at: usize, unclosed: Unclosed) -> Self {
        Self { bytes: text.as_bytes(), at, open: Vec::new(), unclosed, broken: None }
    }

    /// The end of the next line that ends outside everything, or of the text.
    pub(super) fn next_boundary(&mut self) -> usize {
        while self.at < self.bytes.len() {
            if self.open.last().is_some_and(|(open, _)| *open == Open::Quote) {
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

    fn comment_begins(&self) -> bool {
        [&b"#"[..], b"//", b"/*"].into_iter().any(|opening| self.starts(opening))
    }

    fn quoted(&mut self) {
        if self.starts(b"$${") || self.starts(b"%%{") {
            self.at += 3;
        } else if self.starts(b"${") || self.starts(b"%{") {
            self.open.push((Open::Interpolation, self.at));
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
                    let quote = self.open.pop().map(|(_, place)| place);
                    self.broken = self.broken.or(quote);
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
                    b'"' => self.open.push((Open::Quote, self.at - 1)),
                    b'(' | b'[' | b'{' => self.open.push((Open::Bracket, self.at - 1)),
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

    #[test]
    fn brackets_and_quotes_that_are_never_closed() {
        for (text, place) in [
            ("a = [1, (2)\n", Some(4)),
            ("a = \"x\n", Some(4)),
            ("a = \"x ${f(\n", Some(10)),
            ("a = f(\"(\")\n", None),
            ("a = [ # ]\n", Some(4)),
            ("a = \"x", Some(4)),
        ] {
            assert_eq!(never_closed(text), place, "{text}");
        }
        assert_eq!(open_bracket("a = [\n(1)\n", 9), Some(4));
        assert_eq!(open_bracket("a = [\n(1)\n", 8), Some(6));
        assert_eq!(open_bracket("a = 1\n", 5), None);
    }

    #[test]
    fn comments_around_an_expression_are_no_part_of_it() {
        for (text, code) in [
            ("1", "1"),
            (" 1\n", "1"),
            ("/* a */ 1 // b", "1"),
            ("# a\n// b\n/* c\n*/ [1, /* d */ 2] # e", "[1, /* d */ 2]"),
            ("/* a /* b */ 1", "1"),
            ("\"# no\"  # yes", "\"# no\""),
            ("\"${1 /* \" */}\"/**/", "\"${1 /* \" */}\""),
            ("<<E\n# no\nE\n# yes", "<<E\n# no\nE"),
            ("1 /* open", "1 /* open"),
            ("\"\\", "\"\\"),
            ("é # ü", "é"),
            ("# only", ""),
            ("", ""),
        ] {
            assert_eq!(&text[within_comments(text)], code, "{text}");
        }
    }
}
