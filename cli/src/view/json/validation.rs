//! What `validate --json` prints: the shape of `terraform validate -json` (format 1.0), which editors read.

use engine::diagnostic::{Diagnostic, Severity};
use engine::source::{SourceFile, SourceTree, Span};
use serde_json::{Value as Json, json};

/// Problems as one JSON object on several lines.
pub fn validation(sources: &SourceTree, problems: &[Diagnostic]) -> String {
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let document = json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": problems.len() - errors,
        "diagnostics": problems.iter().map(|problem| entry(sources, problem)).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn entry(sources: &SourceTree, problem: &Diagnostic) -> Json {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let detail = match &problem.help {
        Some(help) => format!("{}\n\n{help}", problem.detail),
        None => problem.detail.clone(),
    };
    let mut entry = json!({ "severity": severity, "summary": problem.summary, "detail": detail });
    if let Some(rule) = &problem.rule {
        entry["rule"] = json!(&**rule);
    }
    if let Some(address) = &problem.address {
        entry["address"] = json!(address.to_string());
    }
    if let Some((span, file)) = problem.at.and_then(|span| Some((span, sources.file(span.file)?))) {
        entry["range"] = json!({
            "filename": &*file.path,
            "start": place(sources, span, span.start),
            "end": place(sources, span, span.end),
        });
        entry["snippet"] = snippet(sources, span, file);
    }
    entry
}

/// Line and column count from one, the column in characters; bytes count from zero.
fn place(sources: &SourceTree, span: Span, at: u32) -> Json {
    let (line, column) = sources.position(Span { start: at, ..span }).unwrap_or((1, 1));
    json!({ "line": line, "column": column, "byte": at })
}

/// The whole lines that a span touches, and where in them it stands.
fn snippet(sources: &SourceTree, span: Span, file: &SourceFile) -> Json {
    let (start, end) = (span.start as usize, (span.end as usize).min(file.text.len()));
    let first = file.text[..start].rfind('\n').map_or(0, |before| before + 1);
    let last = file.text[end..].find('\n').map_or(file.text.len(), |after| end + after);
    let line = sources.position(span).map_or(1, |(line, _)| line);
    json!({
        "context": context(&file.text[..first], &file.text[first..last]),
        "code": file.text[first..last],
        "start_line": line,
        "highlight_start_offset": start - first,
        "highlight_end_offset": end - first,
        "values": [],
    })
}

/// The head of the top-level block that the lines stand in, as in `resource "istio_operator" "east"`.
fn context<'t>(before: &'t str, lines: &'t str) -> Option<&'t str> {
    let begins = |line: &str| line.starts_with(|of: char| of.is_alphabetic());
    if let Some((head, _)) = lines.split_once('{').filter(|(head, _)| begins(head) && !head.contains(['=', '\n'])) {
        return Some(head.trim_end());
    }
    let line = before.lines().rev().find(|line| line.starts_with(|of: char| of.is_alphabetic() || of == '}'))?;
    line.trim_end().strip_suffix('{').map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_around_is_named() {
        let text = "variable \"a\" { type = strng }\nlocals {\n  b = {\n    c = 1\n  }\n}\nd = 1\n";
        for (line, expected) in [(0, Some("variable \"a\"")), (1, Some("locals")), (2, Some("locals")), (3, Some("locals")), (6, None)] {
            let first = text.split_inclusive('\n').take(line).map(str::len).sum();
            assert_eq!(context(&text[..first], text.lines().nth(line).unwrap()), expected, "{line}");
        }
    }

    #[test]
    fn problems_have_the_shape_that_editors_read() {
        let mut sources = SourceTree::new("");
        let text = "locals {}\nresource \"a\" \"b\" {\n  é = foo(\n  1)\n}\n";
        let file = sources.add("main.mesh.hcl", text);
        let at = text.find("foo").unwrap();
        let error = Diagnostic::error("wrong", "It is wrong.").help("Mend it.").at(Span::new(file, at..at + 9));
        let found: Json = serde_json::from_str(&validation(&sources, &[error, Diagnostic::warning("odd", "It is odd.")])).unwrap();
        let expected = json!({
            "format_version": "1.0", "valid": false, "error_count": 1, "warning_count": 1,
            "diagnostics": [
                {
                    "severity": "error", "summary": "wrong", "detail": "It is wrong.\n\nMend it.",
                    "range": {
                        "filename": "main.mesh.hcl",
                        "start": { "line": 3, "column": 7, "byte": at },
                        "end": { "line": 4, "column": 5, "byte": at + 9 },
                    },
                    "snippet": {
                        "context": "resource \"a\" \"b\"", "code": "  é = foo(\n  1)", "start_line": 3,
                        "highlight_start_offset": 7, "highlight_end_offset": 16, "values": [],
                    },
                },
                { "severity": "warning", "summary": "odd", "detail": "It is odd." },
            ],
        });
        assert_eq!(found, expected);
    }
}
