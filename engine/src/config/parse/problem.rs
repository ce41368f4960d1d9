//! Syntax errors in words of our own.

use super::scanner::{Scanner, Unclosed, first_closed, never_closed, open_bracket};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

const SYNTAX: &str = "syntax error";

/// A file that begins with a byte order mark.
pub(super) fn byte_order_mark(file: FileId) -> Diagnostic {
    Diagnostic::error(SYNTAX, "the file begins with a byte order mark, which is no part of the language")
        .at(Span::new(file, 0..3))
        .help("Save the file as UTF-8 without a byte order mark.")
}

/// Text in double quotes that spans lines.
pub(super) fn several_lines(span: Span) -> Diagnostic {
    Diagnostic::error(SYNTAX, "text in double quotes cannot span several lines")
        .at(span)
        .help("Write `\\n` for a line end, or a heredoc (`<<EOT`) for text of several lines.")
}

/// A parser's error in a piece that begins at `base`.
pub(super) fn syntax(error: &hcl_edit::parser::Error, piece: &str, base: usize, file: FileId) -> Diagnostic {
    let at = floor(piece, error.location().offset());
    let message = error.message();
    // The parser has read the letter already.
    let escape = message.starts_with("invalid escape sequence");
    let at = if escape { floor(piece, at.saturating_sub(1)) } else { at };
    let at = at + (piece[at..].len() - piece[at..].trim_start_matches([' ', '\t']).len());
    let found = piece[at..].chars().next();
    let span = |start: usize, length: usize| Span::new(file, base + start..base + start + length);
    if message.contains("redefined") {
        let what = if message.contains("object") { "key" } else { "argument" };
        let name = key(&piece[at..]);
        return Diagnostic::error("duplicate argument", format!("the {what} `{name}` is given twice in one place"))
            .at(span(at, name.len().max(1)))
            .help("Keep one of the two.");
    }
    if message.contains("heredoc end") {
        let start = piece[..at].rfind("<<").unwrap_or(at);
        return Diagnostic::error(SYNTAX, "this heredoc is never closed")
            .at(span(start, piece[start..].lines().next().map_or(0, str::len)))
            .help("The word after `<<` must stand once more, on a line of its own.");
    }
    if let Some((start, length, detail, help)) = unreadable(message, piece, at) {
        let problem = Diagnostic::error(SYNTAX, detail).at(span(start, length));
        return if help.is_empty() { problem } else { problem.help(help) };
    }
    let mut problem = Diagnostic::error(SYNTAX, detail(message, found)).at(span(at, found.map_or(0, char::len_utf8)));
    if ["`]`", "`)`", "`}`"].iter().any(|closing| message.contains(closing))
        && let Some(open) = open_bracket(piece, at)
    {
        problem = problem.related(span(open, 1), "opened here");
    }
    match hint(found, message, &piece[..at]) {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// The key that a text begins with: a word, a text in quotes, or an expression in parentheses.
fn key(text: &str) -> &str {
    if text.starts_with(['"', '(']) { first_closed(text) } else { word(text) }
}

/// Whether what a parser misses may still follow the text: the end of a heredoc or of a bracket. Nothing else goes on on another line.
pub(super) fn is_at_end(error: &hcl_edit::parser::Error, text: &str) -> bool {
    let open = never_closed(text).is_some_and(|at| text.as_bytes()[at] != b'"');
    open || error.message().contains("heredoc end")
}

/// Where the parser only knows at which statement it gave up: what is wrong in there, its place and length, and what to do.
fn unreadable(message: &str, piece: &str, at: usize) -> Option<(usize, usize, &'static str, &'static str)> {
    let gave_up = message == "unexpected token" || message.contains("block body");
    if !gave_up || !piece[at..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let end = Scanner::new(piece, at, Unclosed::Trusted).next_boundary();
    let statement = &piece[at..end];
    if let Some(open) = never_closed(statement) {
        let (detail, help) = match statement.as_bytes()[open] {
            b'"' => ("this text is never closed", "Close it with `\"` on the same line."),
            b'$' | b'%' => ("this is never closed", "Close it with `}`; write `$${` or `%%{` for the text itself."),
            _ => ("this bracket is never closed", ""),
        };
        return Some((at + open, 1, detail, help));
    }
    let line = statement.trim_end();
    let help = if line.contains("%{") {
        "Each `%{ if … }` needs its `%{ endif }`, each `%{ for … }` its `%{ endfor }`."
    } else if line.ends_with('.') {
        "A name must follow the `.`."
    } else {
        ""
    };
    Some((at, line.lines().next().map_or(0, str::len), "this is neither `name = value` nor a block", help))
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
    let shown = match found {
        None => "the end of the text".to_owned(),
        Some('\n' | '\r') => "the end of the line".to_owned(),
        Some(c) => format!("`{c}`"),
    };
    if message.starts_with("invalid expression") {
        return format!("an expression is missing before {shown}");
    }
    if message.starts_with("invalid escape sequence") {
        let c = found.unwrap_or(' ');
        return format!("`\\{c}` is no escape sequence: there are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`");
    }
    if message.contains("hex code") {
        return "`\\u` needs four hexadecimal digits after it, `\\U` eight".to_owned();
    }
    match message.split("expected ").nth(1).filter(|rest| !message.starts_with("unexpected") && !rest.starts_with("token")) {
        Some(expected) => {
            let expected = expected.split("; ").next().unwrap_or(expected);
            let expected =
                expected.replace("newline or eof", "a new line").replace("newline", "a new line").replace("identifier", "a name");
            format!("{shown} stands where {expected} is expected")
        }
        None => format!("{shown} is not expected here"),
    }
}

fn hint(found: Option<char>, message: &str, before: &str) -> Option<&'static str> {
    match found {
        Some('\'') => Some("Text stands in double quotes."),
        Some('\u{a0}') => Some("This is a no-break space: replace it by a plain one."),
        Some('\u{201c}' | '\u{201d}') => Some("These are typographic quotes: text stands in plain double quotes."),
        Some(';') => Some("Arguments are separated by new lines, elements by commas."),
        _ if message.contains("nested levels") || message.contains("chained") => Some("Name a part of the expression in `locals`."),
        Some(',') if message.contains("block body") => Some("A block on one line holds one argument: give each a line of its own."),
        Some('}') if message.contains("newline or eof") => Some("The `}` of a block of several lines stands on a line of its own."),
        Some('\n') if before.trim_end().ends_with('=') => Some("The value must begin on the line of its `=`."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pieces::each_body;
    use crate::source::FileId;

    /// Detail, place and help of the only problem.
    fn told(text: &str) -> (String, String, String) {
        let problems = each_body(text, FileId(0), &mut |_, _, _| {});
        let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
        let at = problem.at.map(|span| text[span.start as usize..span.end as usize].to_owned());
        (problem.detail.clone(), at.unwrap_or_default(), problem.help.clone().unwrap_or_default())
    }

    #[test]
    fn syntax_errors_say_what_is_wrong_and_where() {
        for (text, detail, at, help) in [
            ("a = 'x'\n", "an expression is missing before `'`", "'", "Text stands in double quotes."),
            ("a = [1, 2\n", "the end of the line stands where `]` is expected", "\n", ""),
            ("a = {\n b = 1 c = 2\n}\n", "`c` stands where `}`, `,` or a new line is expected", "c", ""),
            (
                "a \"b\" {\n  x = \n}\n",
                "an expression is missing before the end of the line",
                "\n",
                "The value must begin on the line of its `=`.",
            ),
            ("a \"b\" {\n  x 1\n}\n", "`1` stands where `{`, `=`, `\"` or a name is expected", "1", ""),
            ("a = f(1,,2)\n", "`,` stands where `)` or expression is expected", ",", ""),
            ("a = 1 2\n", "`2` stands where a new line is expected", "2", ""),
            ("a = [for x in y z]\n", "`z` stands where `:` is expected", "z", ""),
            ("a = \"${a b}\"\n", "`b` stands where `}` is expected", "b", ""),
            ("a = \"%{if x}%{endfo}\"\n", "`e` stands where `endif` is expected", "e", ""),
            ("}\n", "`}` is not expected here", "}", ""),
            ("a \"b\" = 1\n", "`=` stands where `{` is expected", "=", ""),
            ("a = \"\\u12\"\n", "`\\u` needs four hexadecimal digits after it, `\\U` eight", "1", ""),
            (
                "a = { b = 1; }\n",
                "`;` stands where `}`, `,` or a new line is expected",
                ";",
                "Arguments are separated by new lines, elements by commas.",
            ),
            (
                "a = 1\u{a0}\n",
                "`\u{a0}` stands where a new line is expected",
                "\u{a0}",
                "This is a no-break space: replace it by a plain one.",
            ),
        ] {
            assert_eq!(told(text), (detail.to_owned(), at.to_owned(), help.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_never_closed_is_found() {
        for (text, detail, at) in [
            ("a = \"x\n", "this text is never closed", "\""),
            ("a = \"x", "this text is never closed", "\""),
            ("b {\n  a = \"x\n}\n", "this text is never closed", "\""),
            ("a = \"x${\n", "this is never closed", "$"),
            ("a = b[\n", "this bracket is never closed", "["),
            ("a = <<E\nfoo\n", "this heredoc is never closed", "<<E"),
            ("a = b.\n", "this is neither `name = value` nor a block", "a = b."),
            ("a = {b=1, b=2}\n", "the key `b` is given twice in one place", "b"),
            ("a = {\"b c\" = 1, \"b c\" = 2}\n", "the key `\"b c\"` is given twice in one place", "\"b c\""),
            ("a = {(f(b, \")\")) = 1, (f(b, \")\")) = 2}\n", "the key `(f(b, \")\"))` is given twice in one place", "(f(b, \")\"))"),
            ("a = \"%{ if x }\"\n", "this is neither `name = value` nor a block", "a = \"%{ if x }\""),
        ] {
            let (found, place, _) = told(text);
            assert_eq!((found.as_str(), place.as_str()), (detail, at), "{text}");
        }
    }

    #[test]
    fn other_mistakes_that_have_a_help() {
        for (text, help) in [
            ("\u{feff}a = 1\n", "Save the file as UTF-8 without a byte order mark."),
            ("a = \u{201c}x\u{201d}\n", "These are typographic quotes: text stands in plain double quotes."),
            ("a { b = 1, c = 2 }\n", "A block on one line holds one argument: give each a line of its own."),
            ("a {\n  b = 1 }\n", "The `}` of a block of several lines stands on a line of its own."),
            ("a {\n b = 1\n b = 2\n}\n", "Keep one of the two."),
            ("a = {b=1,b=2}\n", "Keep one of the two."),
            ("a = {(b)=1,(b)=2}\n", "Keep one of the two."),
        ] {
            assert_eq!(told(text).2, help, "{text}");
        }
        let deep = format!("a = {}1{}\n", "(".repeat(70), ")".repeat(70));
        assert_eq!(told(&deep).2, "Name a part of the expression in `locals`.");
    }
}
