//! Running expressions: what is known becomes a value, what is not becomes an unknown with the computation that will tell.
//!
//! Nothing here asks the world: what it needs of names and files comes through [`Scope`], what an apply has made known through [`Fill`].

mod call;
mod choose;
mod convert;
mod evaluator;
mod fill;
mod functions;
mod instance;
#[cfg(test)]
mod laws;
mod operator;
mod order;
#[cfg(test)]
mod recorded;
mod repeat;
#[cfg(test)]
mod scene;
mod size;
mod strict;
mod substitute;
mod template;
mod traverse;
mod unify;

pub use convert::{Mismatch, convert};
pub use fill::{Fill, fill, run};
pub use functions::{Example, Function, Gives, Group, Need, Parameter, Takes, table as function_table};
pub use instance::instance;
pub use substitute::each_literal;
pub use unify::{type_of, unify, words};

use crate::config::{Expr, Root};
use crate::diagnostic::Problems;
use crate::source::Span;
use crate::value::{Flags, Origin, Origins, Thunk, Value};
use evaluator::Evaluator;
use instance::{Looked, instance_origin};
use std::collections::BTreeMap;
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
    /// What was found by looking at attributes of instances, by instance and attribute.
    looked: BTreeMap<(Origin, Arc<str>), Looked>,
    /// The states that operations have come to since somebody last looked: `try` has to know whether what succeeded may still fail.
    made: Flags,
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

    /// How many there are.
    pub fn len(&self) -> usize {
        self.expressions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }
}

/// What a function that looks at files gets.
#[derive(Debug, Clone, PartialEq)]
pub enum FileAnswer {
    /// The text of a file.
    Text(Arc<str>),
    /// The files below a directory: their paths from there, with `/` between.
    Paths(Vec<Arc<str>>),
    /// There is no such file or directory.
    Absent,
    /// It is asked for.
    Pending,
    /// It cannot be had: the detail of an error.
    Refused(String),
}

/// Where and when a run takes place.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The working directory.
    pub working_directory: Arc<str>,
    /// The home directory of whoever runs it, if there is one.
    pub home_directory: Option<Arc<str>>,
    /// When planning began, in seconds since 1970.
    pub planned_at: u64,
    /// The time of day, in seconds since 1970, while applying.
    pub applied_at: Option<u64>,
}

/// What the names in an expression mean.
pub trait Scope {
    /// The value of a reference's head. What no such thing is known by is an error at `span`.
    fn resolve(&mut self, root: &Root, span: Span, arena: &mut Arena) -> Result<Value, Problems>;

    /// The text of a file. `path` is as the expression says; the scope knows what it is relative to.
    fn file(&mut self, path: &str) -> FileAnswer;

    /// The files below a directory, within at most so many directories of it; without a number, within all.
    fn files(&mut self, directory: &str, depth: Option<usize>) -> FileAnswer;

    /// Where and when this runs.
    fn surroundings(&self) -> Surroundings;
}

/// Runs an expression. The value may hold what is pending, blocked or unknown: an operation over such parts takes the first of these
/// that applies, and if that is unknown, leaves its computation in `arena.thunks`. Errors are collected as far as they do not follow
/// from each other.
pub fn evaluate(expression: &Expr, scope: &mut dyn Scope, arena: &mut Arena) -> Result<Value, Problems> {
    Evaluator::new(scope, arena).expression(expression)
}
