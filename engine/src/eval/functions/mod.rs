//! Terraform's functions, by name and semantics.
//!
//! [`table`] says of each what it takes and gives; documentation is generated from it. [`call`] is the one way in: it converts the
//! arguments, and where one is not known leaves the call for later, so that the functions themselves see known values only. Those that
//! move elements about (`merge`, `values`, `concat`, …) ask only for the shape of their arguments: each element keeps its own state,
//! origin and mark.
//!
//! Not here: `try`, `can`, `templatefile` and `templatestring`, which are no functions of values; they stand in the table all the same.

mod argument;
mod charset;
mod conversion;
mod date;
mod digest;
mod encoding;
mod file;
mod fileset;
mod format;
mod json;
mod list;
mod mapping;
mod network;
mod number;
mod pattern;
mod result;
mod search;
mod set;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod verb;
mod yaml;
mod yaml_read;
mod yaml_scalar;

pub use table::{Example, Function, Gives, Group, Need, Parameter, Takes, table};

use super::size::{TEXT_TOO_LARGE, is_too_much};
use super::strict::{Open, first, literal, opened};
use super::{Arena, FileAnswer, Scope};
use crate::config::{Call, Expr, Node};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::source::Span;
use crate::value::{Marks, Origin, Type, Value};
use argument::{Arguments, Fault, Work, prepare};
use table::Body;

/// Where a call stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Called<'a> {
    /// The function's name as written.
    pub(super) name: &'a str,
    /// Where the name stands.
    pub(super) name_span: Span,
    /// Where the whole call stands.
    pub(super) span: Span,
}

/// Calls a function. The result is what it computes, or if an argument is pending, blocked or unknown and counts, a value of that state.
pub(super) fn call(called: Called<'_>, arguments: Vec<(Value, Span)>, scope: &mut dyn Scope, arena: &mut Arena) -> Result<Value, Problems> {
    let Some(function) = table().find(|function| function.name == called.name) else { return Err(unknown_function(called)) };
    function.check_count(&arguments, called)?;
    let (values, open) = prepare(function, &arguments, called, arena)?;
    match function.body {
        Body::File(_) | Body::Files(_) | Body::Planning(_) => return surrounded(function, &values, (called, arguments), (scope, arena)),
        Body::Applying(run) => {
            let now = scope.surroundings().applied_at;
            return Ok(now.map_or_else(|| later(Open::Unknown, function.gives.ty(), called, &arguments, arena), run));
        }
        _ => {}
    }
    apply(function, values, open, (called, &arguments), arena)
}

/// Runs a function on what its parameters made of the arguments, or leaves the call for later.
fn apply(
    function: &'static Function,
    values: Vec<Value>,
    open: Option<Open>,
    call: (Called<'_>, &[(Value, Span)]),
    arena: &mut Arena,
) -> Result<Value, Problems> {
    let (called, arguments) = call;
    if let Some(open) = open {
        return Ok(later(open, function.gives.ty(), called, arguments, arena));
    }
    let fault = |fault: Fault| fault.problems(function, called, arguments);
    match function.body {
        Body::Plain(run) => {
            if function.writes_values_out() && is_too_much(&values) {
                return Err(fault(Fault::call(TEXT_TOO_LARGE)));
            }
            let value = run(Arguments::new(&values)).map_err(fault)?;
            let (origin, marks) = marks(function, &values, arena);
            Ok(value.with_origin(origin).marked(marks))
        }
        Body::Parts(run) => run(&mut Work { values, called, arguments, arena }).map_err(fault),
        _ => {
            let detail = format!("`{}` cannot be called on values alone", called.name);
            Err(vec![Diagnostic::error("unsuitable call", detail).at(called.span)])
        }
    }
}

/// The origin and the marks that a result takes over: of arguments whose shape counts those of the shape, of others all.
fn marks(function: &Function, values: &[Value], arena: &mut Arena) -> (Origin, Marks) {
    let mut origins = Vec::with_capacity(values.len());
    let mut marks = Marks::NONE;
    for (at, value) in values.iter().enumerate() {
        if function.parameter(at).is_some_and(|parameter| parameter.takes.looks_at_shape_alone()) {
            origins.push(value.origin());
            origins.extend(value.entries().iter().map(|entry| entry.key_origin));
            marks |= value.marks();
        } else {
            origins.push(value.deep_origin(&mut arena.origins));
            marks |= value.marks_within();
        }
    }
    (arena.origins.join(&origins), marks)
}

/// The call as a value that is pending, blocked or unknown, with the origins and marks of all arguments.
fn later(open: Open, ty: Type, called: Called<'_>, arguments: &[(Value, Span)], arena: &mut Arena) -> Value {
    opened(open, ty, arguments.iter().map(|(value, _)| value), arena, || {
        let arguments = arguments.iter().map(|(value, at)| literal(value.clone(), *at)).collect();
        let call = Call { name: called.name.into(), name_span: called.name_span, arguments, expand: false };
        Expr::new(Node::Call(Box::new(call)), called.span)
    })
}

/// A function of files, or of where and when the plan is made. Its arguments must be known while planning: the plan holds the result.
fn surrounded(
    function: &'static Function,
    values: &[Value],
    call: (Called<'_>, Vec<(Value, Span)>),
    (scope, arena): (&mut dyn Scope, &mut Arena),
) -> Result<Value, Problems> {
    let (called, arguments) = call;
    let open = values.iter().fold(None, |open, value| first(open, Open::of(value)));
    match open {
        Some(Open::Unknown) => {
            let at = arguments.first().map_or(called.span, |(_, span)| *span);
            let detail = format!("the path given to `{}` is known only after apply, but a plan holds every file it needs", called.name);
            let help = "name the file by what is known now";
            return Err(vec![Diagnostic::error("path not known", detail).help(help).at(at)]);
        }
        Some(open) => return Ok(later(open, function.gives.ty(), called, &arguments, arena)),
        None => {}
    }
    let given = Arguments::new(values);
    let made = match function.body {
        Body::Planning(run) => Some(run(&scope.surroundings(), given)),
        Body::Files(run) => answered(&scope.files(given.text(0), fileset::depth(given.text(1))), given, run),
        Body::File(run) => answered(&scope.file(given.text(0)), given, run),
        _ => None,
    };
    let Some(made) = made else { return Ok(later(Open::Pending, function.gives.ty(), called, &arguments, arena)) };
    let value = made.map_err(|fault| fault.problems(function, called, &arguments))?;
    let (origin, marks) = marks(function, values, arena);
    Ok(value.with_origin(origin).marked(marks))
}

/// What a function makes of what was found at a path, unless that is still asked for.
fn answered<'a>(
    found: &FileAnswer,
    given: Arguments<'a>,
    run: fn(&FileAnswer, Arguments<'a>) -> Result<Value, Fault>,
) -> Option<Result<Value, Fault>> {
    (*found != FileAnswer::Pending).then(|| run(found, given))
}

/// Functions of Terraform that are not here: whoever moves over should not look for a slip of the pen.
const OF_TERRAFORM_ALONE: [&str; 4] = ["bcrypt", "rsadecrypt", "type", "uuid"];

fn unknown_function(called: Called<'_>) -> Problems {
    let name = called.name;
    if OF_TERRAFORM_ALONE.contains(&name) {
        let problem = Diagnostic::error("unknown function", format!("`{name}` is a function of Terraform that meshplan does not have"));
        let help = if name == "type" { "ask `meshplan console` for it" } else { "give its result as the value of a variable" };
        return vec![problem.help(help).at(called.name_span)];
    }
    let problem = Diagnostic::error("unknown function", format!("there is no function `{name}`")).at(called.name_span);
    vec![match did_you_mean(name, table().map(|function| function.name)) {
        Some(meant) => problem.help(format!("Did you mean `{meant}`?")),
        None => problem.help("the reference of functions lists them all"),
    }]
}
