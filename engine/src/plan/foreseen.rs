//! What is wrong with the arguments of a block whatever else is known: what a plan would say of them, said before there is one.

use crate::config::{Expr, ResourceBlock, Root, given};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::{Arena, FileAnswer, Scope, Surroundings, convert, evaluate};
use crate::schema::{Attribute, Catalogue, Kind, Presence, Problem};
use crate::source::Span;
use crate::value::{Type, Value};

/// The problems that the kind of a block finds in its arguments. What comes from a name or a file is taken for unknown, which is no problem.
pub fn foreseen(block: &ResourceBlock, catalogue: &Catalogue) -> Problems {
    let name = &block.name;
    let Some(kind) = catalogue.get(name.mode, &name.kind) else { return Problems::new() };
    let supplied = |argument: &str| {
        let settings = catalogue.provider_of(name.mode, &name.kind).map(|provider| provider.settings.as_slice()).unwrap_or_default();
        let gives = |supplies: &[_]| supplies.contains(&(name.mode, kind.schema().kind));
        settings.iter().any(|setting| setting.attribute.name == argument && gives(setting.supplies))
    };
    let (mut arena, mut entries) = (Arena::default(), Vec::new());
    for attribute in kind.schema().attributes.iter().filter(|attribute| attribute.presence != Presence::Computed) {
        // What is given twice is said elsewhere.
        let Ok(argument) = given(&block.body, attribute.name, &attribute.ty) else { return Problems::new() };
        let value = value_of(argument.as_deref(), attribute, &mut arena);
        let value = if value.is_null() && supplied(attribute.name) { open(attribute) } else { value };
        entries.push((attribute.key.clone(), value));
    }
    judged(block, &**kind, &Value::object(entries))
}

/// What the kind says, at the arguments that it names.
fn judged(block: &ResourceBlock, kind: &dyn Kind, arguments: &Value) -> Problems {
    let placed = |problem: Problem| {
        let named = problem.attribute.as_deref();
        let argument = named.and_then(|name| block.body.arguments.iter().find(|argument| *argument.name == *name));
        let diagnostic = if problem.warning {
            Diagnostic::warning(problem.summary, problem.detail)
        } else {
            Diagnostic::error(problem.summary, problem.detail)
        };
        let diagnostic = diagnostic.by_rule(problem.rule).at(argument.map_or(block.span, |argument| argument.value.span));
        problem.help.into_iter().fold(diagnostic, Diagnostic::help)
    };
    kind.validate(arguments).into_iter().map(placed).collect()
}

/// The value of an attribute as far as it is written out. What cannot be computed, or has another type, is told elsewhere.
fn value_of(argument: Option<&Expr>, attribute: &Attribute, arena: &mut Arena) -> Value {
    let default = || attribute.default.clone().unwrap_or_else(Value::null);
    let Some(argument) = argument else { return default() };
    let value = match evaluate(argument, &mut Nothing, arena) {
        Ok(value) if !value.holds_pending() => value,
        _ => return open(attribute),
    };
    if value.is_null() {
        return if attribute.presence == Presence::Required { open(attribute) } else { default() };
    }
    convert(value, &attribute.ty, arena).map_or_else(|_| open(attribute), |value| value.sensitive_if(attribute.sensitive))
}

fn open(attribute: &Attribute) -> Value {
    Value::unknown(attribute.ty.clone()).sensitive_if(attribute.sensitive)
}

/// A place where every name means something, and none is known.
struct Nothing;

impl Scope for Nothing {
    fn resolve(&mut self, _: &Root, _: Span, _: &mut Arena) -> Result<Value, Problems> {
        Ok(Value::unknown(Type::Any))
    }

    fn file(&mut self, _: &str) -> FileAnswer {
        FileAnswer::Pending
    }

    fn files(&mut self, _: &str, _: Option<usize>) -> FileAnswer {
        FileAnswer::Pending
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings::default()
    }
}
