//! The words of a text, for whoever lays it out: no meaning, only what touches what.

use std::ops::Range;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name,
    Number,
    /// From quote to quote.
    Quoted,
    /// From `<<` to the closing delimiter, over all its lines.
    Heredoc,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// Of any of the three sorts, without its line end.
    Comment,
    Operator,
    /// The end of a line.
    End,
}

/// A word and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
}

impl Token<'_> {
    /// How many more brackets are open after it.
    pub(super) fn opens(&self) -> isize {
        match self.kind {
            Kind::Open => 1,
            Kind::Close => -1,
            _ => 0,
        }
    }

    /// Whether a value ends here, so that what follows belongs to it or joins it to another.
    pub(super) fn ends_value(&self) -> bool {
        match self.kind {
            Kind::Name => !matches!(self.text, "in" | "if" | "else" | "for"),
            Kind::Number | Kind::Quoted | Kind::Close => true,
            _ => false,
        }
    }
}

/// The words of a text that parses. Blanks between them are left out, line ends are not.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(kind) = kind(&text[at..]) {
        let length = length(&text[at..], kind);
        if let Some(kind) = kind {
            found.push(Token { kind, text: &text[at..at + length] });
        }
        at += length;
    }
    found
}

/// What a text begins with: nothing more, a blank, or a word of some kind.
#[expect(clippy::option_option, reason = "the end of the text is another thing than a blank")]
fn kind(rest: &str) -> Option<Option<Kind>> {
    let first = rest.chars().next()?;
    Some(match first {
        '\n' => Some(Kind::End),
        '\r' if rest.starts_with("\r\n") => Some(Kind::End),
        first if first.is_whitespace() || first == '\u{feff}' => None,
        '"' => Some(Kind::Quoted),
        '#' => Some(Kind::Comment),
        '/' if rest.starts_with("//") || rest.starts_with("/*") => Some(Kind::Comment),
        '(' | '[' | '{' => Some(Kind::Open),
        ')' | ']' | '}' => Some(Kind::Close),
        '<' if heredoc(rest).is_some() => Some(Kind::Heredoc),
        '0'..='9' => Some(Kind::Number),
        first if first != '-' && is_of_name(first) => Some(Kind::Name),
        _ => Some(Kind::Operator),
    })
}

fn length(rest: &str, kind: Option<Kind>) -> usize {
    let until = |stop: fn(char) -> bool| rest.find(stop).unwrap_or(rest.len());
    match kind {
        Some(Kind::Name) => until(|of| !is_of_name(of)),
        Some(Kind::Number) => number(rest),
        Some(Kind::Quoted) => quoted(rest),
        Some(Kind::Heredoc) => heredoc(rest).unwrap_or(rest.len()),
        Some(Kind::Comment) if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
        Some(Kind::Comment) => rest[..until(|of| of == '\n')].trim_end().len(),
        Some(Kind::End) => until(|of| of == '\n') + 1,
        Some(Kind::Operator) => {
            let long = ["...", "==", "!=", "<=", ">=", "&&", "||", "=>", "::"];
            long.iter().find(|of| rest.starts_with(**of)).map_or_else(|| rest.chars().next().map_or(0, char::len_utf8), |of| of.len())
        }
        Some(Kind::Open | Kind::Close) | None => rest.chars().next().map_or(0, char::len_utf8),
    }
}

fn number(rest: &str) -> usize {
    let digits = |from: usize| from + rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    if rest[end..].starts_with('.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

/// How long a quoted text is.
fn quoted(rest: &str) -> usize {
    let mut at = 1;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with('"') {
            return at + 1;
        }
        at += match step(here) {
            Step::Text(length) => length,
            Step::Within(range) => range.end + 1,
        };
    }
    rest.len()
}

/// What a template goes on with.
pub(super) enum Step {
    /// Text of this length.
    Text(usize),
    /// An interpolation or a directive, whose inside stands there; one byte follows, which closes it.
    Within(Range<usize>),
}

/// The next step through a template that is not at its end.
pub(super) fn step(rest: &str) -> Step {
    if rest.starts_with("$${") || rest.starts_with("%%{") {
        Step::Text(3)
    } else if rest.starts_with("${") || rest.starts_with("%{") {
        Step::Within(2..inside(rest, 2))
    } else if let Some(escaped) = rest.strip_prefix('\\') {
        Step::Text(1 + escaped.chars().next().map_or(0, char::len_utf8))
    } else {
        Step::Text(rest.chars().next().map_or(0, char::len_utf8))
    }
}

/// Where the bracket closes that was opened before a place.
fn inside(rest: &str, from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(kind) = kind(&rest[at..]) {
        match kind {
            Some(Kind::Open) => depth += 1,
            Some(Kind::Close) if depth == 0 => return at,
            Some(Kind::Close) => depth -= 1,
            _ => {}
        }
        at += length(&rest[at..], kind);
    }
    rest.len().saturating_sub(1)
}

/// How long a heredoc is, if one begins here.
fn heredoc(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("<<")?;
    let after = after.strip_prefix('-').unwrap_or(after);
    let line = &after[..after.find('\n')?];
    let delimiter = line.trim_end_matches('\r');
    if delimiter.is_empty() || !delimiter.chars().all(is_of_name) {
        return None;
    }
    let mut at = rest.len() - after.len() + line.len() + 1;
    for line in rest[at..].split_inclusive('\n') {
        if line.trim() == delimiter {
            return Some(at + line.trim_end().len());
        }
        at += line.len();
    }
    None
}
/// Whether a name may hold it. Beyond ASCII names alone hold anything, such as the accents that follow their letters.
fn is_of_name(of: char) -> bool {
    of.is_ascii_alphanumeric() || of == '_' || of == '-' || !(of.is_ascii() || of.is_whitespace())
}
