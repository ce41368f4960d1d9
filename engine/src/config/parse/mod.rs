//! Text to configuration: `hcl-edit` parses, what it makes is lowered at once and dropped. Nothing outside this folder knows of it.
//!
//! Parsing never stops at a problem: it returns what it has and every problem, with its place.

mod backend;
mod block;
mod early;
mod encryption;
mod expression;
mod import;
mod interface;
mod lint;
mod module;
mod moved;
mod nested;
mod pieces;
mod problem;
mod provider;
mod reference;
mod resource;
mod runs;
mod scanner;
mod template;
mod types;
mod values;

pub use backend::backend;
pub use encryption::encryption;
pub use module::{ModuleCall, calls, parse};
pub use runs::parse_runs;
pub use values::{Values, parse_values, variable_value};

use super::expression::{Expr, Node};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, Span};
use crate::value::{Class, Type, Value};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// What a name that nothing around it binds is taken for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// The head of a reference, such as `var` or a kind.
    References,
    /// A variable of the template.
    TemplateVariables,
}

/// Lowers one piece of text, and collects its problems.
struct Lowering<'t> {
    /// The piece.
    text: &'t str,
    /// Where the piece begins in its file.
    base: usize,
    file: FileId,
    classes: &'t [Class],
    names: Names,
    /// Names bound by the `for`s around, innermost last.
    bound: Vec<Arc<str>>,
    /// Words that come again and again: each is kept once.
    words: BTreeSet<Arc<str>>,
    /// In a test file, the names of the runs so far: `run.name` and `output.name` mean something there.
    runs: Option<Vec<Arc<str>>>,
    problems: Problems,
}

impl<'t> Lowering<'t> {
    fn new(text: &'t str, base: usize, file: FileId) -> Self {
        Self {
            text,
            base,
            file,
            classes: &[],
            names: Names::References,
            bound: Vec::new(),
            words: BTreeSet::new(),
            runs: None,
            problems: Vec::new(),
        }
    }

    fn span(&self, range: Option<Range<usize>>) -> Span {
        let range = range.unwrap_or(0..0);
        Span::new(self.file, self.base + range.start..self.base + range.end)
    }

    fn of(&self, thing: &impl hcl_edit::Span) -> Span {
        self.span(thing.span())
    }

    fn source(&self, range: Option<Range<usize>>) -> &'t str {
        range.and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    /// A kind or the name of an argument, of which there are few.
    fn word(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.words.get(text) {
            return known.clone();
        }
        let word: Arc<str> = text.into();
        self.words.insert(word.clone());
        word
    }

    fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Reports a problem and stands in for the expression that has it: nothing more is to be said of what it would be.
    fn refuse(&mut self, problem: Diagnostic, span: Span) -> Expr {
        self.report(problem.at(span));
        Expr::new(Node::Literal(Value::pending(Type::Any)), span)
    }
}

/// What of a text does not parse. What it means is not looked at.
pub(super) fn check_syntax(text: &str, file: FileId) -> Problems {
    pieces::each_body(text, file, &mut |_, _, _| {})
}

/// Parses one expression, as `console` and `--var` take it. References are read as in the root module; whether there is what they name is
/// not looked at.
pub fn parse_expression(text: &str, file: FileId) -> Result<Expr, Problems> {
    let Range { start, end } = scanner::within_comments(text);
    let code = &text[start..end];
    let expression = hcl_edit::parser::parse_expr(code).map_err(|error| vec![problem::syntax(&error, code, start, file)])?;
    let mut lowering = Lowering::new(code, start, file);
    let lowered = lowering.expression(&expression);
    if lowering.problems.is_empty() { Ok(lowered) } else { Err(lowering.problems) }
}

/// Whether a text is the beginning of an expression that goes on.
pub fn is_unfinished(text: &str) -> bool {
    // The line that opens a heredoc does so with its end.
    let text = text.trim_start();
    !text.is_empty() && hcl_edit::parser::parse_expr(text).is_err_and(|error| problem::is_at_end(&error, text))
}

/// Parses a whole file as a template, as `templatefile` reads it. Names that no `for` in it binds are the template's variables: they come
/// as [`Root::Bound`](super::Root::Bound).
pub fn parse_template(text: &str, file: FileId) -> Result<Expr, Problems> {
    let template = hcl_edit::parser::parse_template(text).map_err(|error| vec![problem::syntax(&error, text, 0, file)])?;
    let mut lowering = Lowering { names: Names::TemplateVariables, ..Lowering::new(text, 0, file) };
    let lowered = lowering.bare_template(&template, Span::new(file, 0..text.len()));
    if lowering.problems.is_empty() { Ok(lowered) } else { Err(lowering.problems) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_goes_on_is_told_from_what_is_wrong() {
        for text in ["[", "[1,", "{ a = 1", "f(", "f(1,\n", "(1 +", "[1 2", "{", "<<E\nx\n", "<<E\n", "f(<<-E\n", "(1", "[for a in b"] {
            assert!(super::is_unfinished(text), "{text}");
        }
        for text in ["", " ", "1", "1 2", "]", "f)", "[1]", "\"a", "{ a = }", "1 +", "<<E\nx\nE\n"] {
            assert!(!super::is_unfinished(text), "{text}");
        }
        for text in ["<<E\nx\nE\n", "<<E\nx\nE", "\n<<-E\n  x\n  E\n\n# c\n", "f(<<E\nx\nE\n)"] {
            assert!(!super::is_unfinished(text), "{text}");
            assert!(super::parse_expression(text, FileId(0)).is_ok(), "{text}");
        }
    }

    use super::*;
    use crate::source::SourceTree;

    const SAMPLE: &str = r#"# é
variable "v" {
  type    = map(object({ a = optional(list(string), ["x"]), c = cluster }))
  default = { a = -1.5e3 }
}
resource "k" "n" {
  for_each   = toset([for i, x in var.v[*].a : "é-${x}%{ if i > 0 ~} y %{ endif }" if x != null])
  text       = <<-E
      a ${each.key ~}
    %{ for p in [1] }
      $${b} é ${p}
    %{~ endfor }
    E
  depends_on = [k.n["a"], check.c] // é
  lifecycle { ignore_changes = [labels["a"].b, items.0] }
}
"#;

    fn hold(text: &str) {
        let mut tree = SourceTree::new(".");
        let file = tree.add("main.mesh.hcl", text);
        let root = tree.root.clone();
        tree.modules.entry(root).or_default().files.push(file);
        let (_, problems) = parse(&tree, &["cluster"]);
        let (_, more) = parse_values(text, file);
        let mut told: Vec<_> = problems.into_iter().chain(more).collect();
        told.extend(parse_expression(text, file).err().unwrap_or_default());
        told.extend(parse_template(text, file).err().unwrap_or_default());
        for problem in told {
            for span in problem.at.into_iter().chain(problem.related.iter().map(|(span, _)| *span)) {
                assert!(text.get(span.start as usize..span.end as usize).is_some(), "{problem:?} in {text}");
            }
        }
    }

    #[test]
    fn no_slip_of_the_pen_makes_parsing_stop_or_point_nowhere() {
        hold(SAMPLE);
        let slips = ["{", "\"", "<<E\n", "é", "\n}\n", ""];
        for ((at, c), slip) in SAMPLE.char_indices().zip(slips.into_iter().cycle()) {
            let (before, after) = (&SAMPLE[..at], &SAMPLE[at + c.len_utf8()..]);
            hold(before);
            hold(&format!("{before}{slip}{after}"));
        }
    }
}
