//! Configuration: the text of modules as blocks and expressions of our own, every problem reported.
//!
//! `hcl-edit` is named in [`parse`] only; its trees are lowered at once and dropped.

mod constant;
mod duration;
mod expression;
mod generate;
mod layout;
mod model;
mod nested;
mod parse;
mod runs;
mod selection;
mod subject;
mod validate;
#[cfg(test)]
mod written;

pub use duration::seconds;
pub use expression::{Binary, Call, Expr, For, ForResult, Node, Part, Root, SlotId, Unary};
pub use generate::{Argument as GeneratedArgument, Generated, generate};
pub use layout::lay_out;
pub use model::{
    Argument, Assertion, Backend, BackendArgument, Body, CallBlock, CheckBlock, Config, Dependency, DependencyRoot, Encryption,
    ImportBlock, KeyFrom, KeyPlace, Lifecycle, LintException, Local, Module, Moved, NestedBlock, Output, ProviderBlock, ProviderReference,
    Removed, Repeated, Repetition, ResourceBlock, ResourceName, Settings, Variable,
};
pub use nested::given;
pub use parse::{
    ModuleCall, Values, backend, calls, encryption, is_unfinished, parse, parse_expression, parse_runs, parse_template, parse_values,
    variable_value,
};
pub use runs::{Asked, Checkable, Retry, Run, RunCommand, TestFile};
pub use selection::Selection;
pub use subject::Subject;
pub use validate::is_unwritten_import;
