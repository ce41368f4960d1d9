//! The layout of configuration: where blanks stand. Words, comments and line breaks stay as they are.
//!
//! The rules are those of `terraform fmt`: two blanks for each line with open brackets; `=` of consecutive lines below each other, and
//! their comments; one blank around operators, none within brackets and interpolations.

mod token;

use super::parse;
use crate::diagnostic::Problems;
use crate::source::FileId;
use std::iter;
use std::ops::Range;
use token::{Kind, Step, Token, step, tokens};
use unicode_segmentation::UnicodeSegmentation;

/// Lays a text out. What does not parse is an error, as it is when it is read.
pub fn lay_out(text: &str, file: FileId) -> Result<String, Problems> {
    let problems = parse::check_syntax(text, file);
    if !problems.is_empty() {
        return Err(problems);
    }
    let words = tokens(text);
    let mut lines: Vec<Line<'_>> = words.split_inclusive(|word| word.kind == Kind::End).map(Line::new).collect();
    indent(&mut lines);
    align(&mut lines, |line| line.assign, |line| line.column(line.assign));
    align(&mut lines, |line| line.comment, |line| line.column(line.comment));
    let mut out: String = lines.iter().map(ToString::to_string).collect();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    Ok(out)
}

/// What stands on one line, or on several that a heredoc or a comment joins.
struct Line<'t> {
    words: &'t [Token<'t>],
    end: &'t str,
    /// The words as they are written, and the blanks before each.
    written: Vec<(usize, String)>,
    /// The `=` of an attribute whose value is whole on the line.
    assign: Option<usize>,
    /// The comment that ends the line, after other words.
    comment: Option<usize>,
}

impl<'t> Line<'t> {
    fn new(words: &'t [Token<'t>]) -> Self {
        let (words, end) = match words.split_last() {
            Some((last, words)) if last.kind == Kind::End => (words, last.text),
            _ => (words, ""),
        };
        let comment = words.len().checked_sub(1).filter(|&last| last > 0 && words[last].kind == Kind::Comment);
        let whole = |&at: &usize| words[at..].iter().map(Token::opens).sum::<isize>() == 0;
        let assign = words.iter().position(|word| word.text == "=").filter(|&at| at > 0).filter(whole);
        Self { words, end, written: spaced(words), assign, comment }
    }

    fn opens(&self) -> isize {
        self.words.iter().map(Token::opens).sum()
    }

    /// How many columns stand before a word and its blanks.
    fn column(&self, of: Option<usize>) -> usize {
        let before = &self.written[..of.unwrap_or_default()];
        before.iter().map(|(blanks, word)| blanks + word.lines().last().unwrap_or_default().graphemes(true).count()).sum()
    }
}

impl std::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (blanks, word) in &self.written {
            write!(f, "{:blanks$}{word}", "")?;
        }
        f.write_str(self.end)
    }
}

/// Indents by the lines that have open brackets: a line that opens several counts once.
fn indent(lines: &mut [Line<'_>]) {
    let mut open: Vec<isize> = Vec::new();
    for line in lines {
        let mut opens = line.opens();
        while let Some(last) = open.last_mut().filter(|_| opens < 0) {
            *last += opens;
            opens = (*last).min(0);
            if *last <= 0 {
                open.pop();
            }
        }
        if let Some((blanks, _)) = line.written.first_mut() {
            *blanks = 2 * open.len();
        }
        if opens > 0 {
            open.push(opens);
        }
    }
}

/// Puts the cells of consecutive lines that have one below each other, one blank after the longest of what stands before them.
fn align(lines: &mut [Line<'_>], cell: fn(&Line<'_>) -> Option<usize>, column: fn(&Line<'_>) -> usize) {
    let together = |left: &Line<'_>, right: &Line<'_>| cell(left).is_some() && cell(right).is_some();
    for chain in lines.chunk_by_mut(together) {
        let widest = chain.iter().map(column).max().unwrap_or_default();
        for line in chain {
            if let Some(at) = cell(line) {
                line.written[at].0 = widest + 1 - column(line);
            }
        }
    }
}

/// Words as they are written, and the blanks before each, on a line without indent.
fn spaced(words: &[Token<'_>]) -> Vec<(usize, String)> {
    let blanks = |at: usize| match at {
        0 => 0,
        _ => usize::from(blank_between(at.checked_sub(2).map(|before| &words[before]), &words[at - 1], &words[at])),
    };
    words.iter().enumerate().map(|(at, word)| (blanks(at), written(word))).collect()
}

/// Whether a blank stands between two words; `before` is what stands before them.
fn blank_between(before: Option<&Token<'_>>, left: &Token<'_>, right: &Token<'_>) -> bool {
    let negative = left.text == "-" && !before.is_some_and(Token::ends_value);
    match (left.text, right.text) {
        _ if left.kind == Kind::Comment || right.kind == Kind::Comment => true,
        (_, "," | "..." | "." | "::") | ("." | "::" | "!", _) | ("{", "}") => false,
        ("," | "{", _) | (_, "}") => true,
        _ if left.kind == Kind::Open || right.kind == Kind::Close || negative => false,
        (_, "(") => !(left.kind == Kind::Name && left.ends_value()),
        (_, "[") => !left.ends_value(),
        _ => true,
    }
}

fn written(word: &Token<'_>) -> String {
    match word.kind {
        Kind::Quoted | Kind::Heredoc => template(word.text),
        _ => word.text.to_owned(),
    }
}

/// A template with its interpolations laid out, as far as they stand on one line.
fn template(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let length = match step(rest) {
            Step::Text(length) => {
                out.push_str(&rest[..length]);
                length
            }
            Step::Within(within) => {
                let end = (within.end + 1).min(rest.len());
                out.push_str(&rest[..within.start]);
                out.push_str(&interpolation(rest, within.clone()));
                out.push_str(&rest[within.end..end]);
                end
            }
        };
        rest = &rest[length..];
    }
    out
}

fn interpolation(text: &str, within: Range<usize>) -> String {
    let whole = &text[within];
    if whole.contains('\n') {
        return whole.to_owned();
    }
    let inner = whole.strip_prefix('~').unwrap_or(whole);
    let front = &whole[..whole.len() - inner.len()];
    let (inner, back) = inner.strip_suffix('~').map_or((inner, ""), |inner| (inner, "~"));
    let words = tokens(inner);
    let spaced = spaced(&words).into_iter().flat_map(|(blanks, word)| iter::repeat_n(" ".to_owned(), blanks).chain([word]));
    iter::once(front.to_owned()).chain(spaced).chain([back.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(text: &str) -> String {
        lay_out(text, FileId(0)).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
    }

    #[test]
    fn blanks_stand_where_terraform_puts_them() {
        let (given, expected) = (include_str!("../../recordings/fmt/given.txt"), include_str!("../../recordings/fmt/terraform.txt"));
        let here = laid_out(given);
        for (at, (here, there)) in here.lines().zip(expected.lines()).enumerate() {
            assert_eq!(here, there, "line {}", at + 1);
        }
        assert_eq!(here, expected);
        assert_eq!(laid_out(expected), expected);
    }

    #[test]
    fn what_is_no_blank_stays() {
        for (given, expected) in [
            ("", ""),
            ("\n\n", "\n\n"),
            ("a=1", "a = 1\n"),
            ("a=1\r\nbb=2\r\n", "a  = 1\r\nbb = 2\r\n"),
            ("a = \"${x}\"\n", "a = \"${x}\"\n"),
            ("a = [for x in (y):x]\n", "a = [for x in (y) : x]\n"),
            ("# é\n  été=\"\\\"${ a }\\\\\" # ü\n  n  = 1.5e-3 # v\n", "# é\nété = \"\\\"${a}\\\\\" # ü\nn   = 1.5e-3     # v\n"),
            ("a = <<-E\n  ${ f(\n  1) }\n   $${ x }\n   E\nb=1\n", "a = <<-E\n  ${ f(\n  1) }\n   $${ x }\n   E\nb = 1\n"),
        ] {
            assert_eq!(laid_out(given), expected, "{given}");
            assert_eq!(laid_out(expected), expected, "{given}");
        }
    }

    #[test]
    fn what_does_not_parse_is_left_alone() {
        for text in ["a = [", "a = \"x\n", "a = 1 b = 2\n", "\u{feff}a = 1\n"] {
            assert!(lay_out(text, FileId(0)).is_err(), "{text}");
        }
    }
}
