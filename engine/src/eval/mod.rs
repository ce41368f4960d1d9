//! Running expressions: what is known becomes a value, what is not becomes an unknown with the computation that will tell.

use crate::config::{Expr, Root};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::Span;
use crate::value::{Origins, Thunk, Value};
use std::sync::Arc;

/// What a run's values share: where they came from, and how the unknown ones come about.
#[derive(Debug, Default)]
pub struct Arena {
    /// Instances and joins.
    pub origins: Origins,
    /// Deferred computations.
    pub thunks: Thunks,
    /// What is worth a warning and stops nothing; whoever evaluates takes them out and shows them.
    pub warnings: Problems,
}

/// The deferred computations of a run, by [`Thunk`]. Their literals are values that may hold unknowns with thunks of their own.
#[derive(Debug, Default)]
pub struct Thunks {
    expressions: Vec<Expr>,
}

impl Thunks {
    /// Remembers a computation.
    pub fn add(&mut self, expression: Expr) -> Thunk {
        let id = u32::try_from(self.expressions.len()).unwrap_or(u32::MAX - 1);
        self.expressions.push(expression);
        Thunk(id)
    }

    /// The computation behind a thunk, unless it is [`Thunk::NONE`].
    pub fn get(&self, thunk: Thunk) -> Option<&Expr> {
        self.expressions.get(thunk.0 as usize)
    }
}

/// What a function that reads a file gets.
#[derive(Debug, Clone, PartialEq)]
pub enum FileText {
    /// The text.
    Text(Arc<str>),
    /// It is asked for.
    Pending,
    /// It cannot be had: the detail of an error.
    Refused(String),
}

/// What the names in an expression mean.
pub trait Scope {
    /// The value of a reference's head. What no such thing is known by is an error at `span`.
    fn resolve(&mut self, root: &Root, span: Span, arena: &mut Arena) -> Result<Value, Problems>;

    /// The text of a file. `path` is as the expression says; the scope knows what it is relative to.
    fn file(&mut self, path: &str) -> FileText;
}

/// Runs an expression.
pub fn evaluate(expression: &Expr, scope: &mut dyn Scope, arena: &mut Arena) -> Result<Value, Problems> {
    let _ = (scope, arena);
    Err(vec![Diagnostic::error("not there yet", "the evaluator has not landed").at(expression.span)])
}
