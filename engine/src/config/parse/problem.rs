//! Syntax errors in words of our own.

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// A file that begins with a byte order mark.
pub(super) fn byte_order_mark(file: FileId) -> Diagnostic {
    Diagnostic::error("syntax error", "the file begins with a byte order mark, which is no part of the language")
        .at(Span::new(file, 0..3))
        .help("Save the file as UTF-8 without a byte order mark.")
}

/// A parser's error in a piece that begins at `base`.
pub(super) fn syntax(error: &hcl_edit::parser::Error, piece: &str, base: usize, file: FileId) -> Diagnostic {
    let at = floor(piece, error.location().offset());
    let found = piece[at..].chars().next();
    let end = at + found.map_or(0, char::len_utf8);
    let span = Span::new(file, base + at..base + end);
    let message = error.message();
    if message.contains("redefined") {
        let (what, name) = if message.contains("object") { ("key", word(&piece[at..])) } else { ("argument", word(&piece[at..])) };
        let span = Span::new(file, base + at..base + at + name.len().max(1));
        return Diagnostic::error("duplicate argument", format!("the {what} `{name}` is given twice in one place"))
            .at(span)
            .help("Keep one of the two.");
    }
    let problem = Diagnostic::error("syntax error", detail(message, found)).at(span);
    match hint(found, message, &piece[..at]) {
        Some(help) => problem.help(help),
        None => problem,
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(text.len());
    &text[..end]
}

fn detail(message: &str, found: Option<char>) -> String {
    let found = match found {
        None => "the end of the text".to_owned(),
        Some('\n' | '\r') => "the end of the line".to_owned(),
        Some(c) => format!("`{c}`"),
    };
    if message.starts_with("invalid expression") {
        return format!("an expression is missing before {found}");
    }
    if message.starts_with("invalid escape sequence") {
        return format!("`\\{}` is no escape sequence: there are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`", {
            found.trim_matches('`')
        });
    }
    let expected = message.split("expected ").nth(1).map(|rest| rest.split("; ").next().unwrap_or(rest).replace('\n', "a new line"));
    match expected {
        Some(expected) => format!("{found} is not expected here, but {}", expected.replace("``", "`")),
        None => format!("{found} is not expected here"),
    }
}

fn hint(found: Option<char>, message: &str, before: &str) -> Option<&'static str> {
    match found {
        Some('\'') => Some("Text stands in double quotes."),
        Some('\u{a0}') => Some("This is a no-break space: replace it by a plain one."),
        Some('\u{201c}' | '\u{201d}') => Some("These are typographic quotes: text stands in plain double quotes."),
        Some(';') => Some("Arguments are separated by new lines, elements by commas."),
        _ if message.contains("heredoc") => Some("The word that opened the heredoc must stand on a line of its own."),
        _ if message.contains("nested levels") || message.contains("chained") => Some("Name a part of the expression in `locals`."),
        Some('\n') if before.trim_end().ends_with('=') => Some("The value must begin on the line of its `=`."),
        _ => None,
    }
}
