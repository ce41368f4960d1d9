//! Text to configuration: `hcl-edit` parses, what it makes is lowered at once and dropped. Nothing outside this folder knows of it.
//!
//! Parsing never stops at a problem: it returns what it has and every problem, with its place.

mod block;
mod expression;
mod interface;
mod module;
mod pieces;
mod problem;
mod reference;
mod resource;
mod scanner;
mod template;
mod types;
mod values;

pub use module::{ModuleCall, calls, parse};
pub use values::{Values, parse_values, variable_value};

use super::expression::{Expr, Node};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, Span};
use crate::value::{Class, Value};
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
    problems: Problems,
}

impl<'t> Lowering<'t> {
    fn new(text: &'t str, base: usize, file: FileId) -> Self {
        Self { text, base, file, classes: &[], names: Names::References, bound: Vec::new(), problems: Vec::new() }
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

    fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// Reports a problem and stands in for the expression that has it.
    fn refuse(&mut self, problem: Diagnostic, span: Span) -> Expr {
        self.report(problem.at(span));
        Expr::new(Node::Literal(Value::null()), span)
    }
}

/// Parses one expression, as `console` and `--var` take it. References are read as in the root module; whether there is what they name is
/// not looked at.
pub fn parse_expression(text: &str, file: FileId) -> Result<Expr, Problems> {
    let trimmed = text.trim();
    let base = text.len() - text.trim_start().len();
    let expression = hcl_edit::parser::parse_expr(trimmed).map_err(|error| vec![problem::syntax(&error, trimmed, base, file)])?;
    let mut lowering = Lowering::new(trimmed, base, file);
    let lowered = lowering.expression(&expression);
    if lowering.problems.is_empty() { Ok(lowered) } else { Err(lowering.problems) }
}

/// Parses a whole file as a template, as `templatefile` reads it. Names that no `for` in it binds are the template's variables: they come
/// as [`Root::Bound`](super::Root::Bound).
pub fn parse_template(text: &str, file: FileId) -> Result<Expr, Problems> {
    let template = hcl_edit::parser::parse_template(text).map_err(|error| vec![problem::syntax(&error, text, 0, file)])?;
    let mut lowering = Lowering { names: Names::TemplateVariables, ..Lowering::new(text, 0, file) };
    let lowered = lowering.bare_template(&template, Span::new(file, 0..text.len()));
    if lowering.problems.is_empty() { Ok(lowered) } else { Err(lowering.problems) }
}
