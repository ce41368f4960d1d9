//! Validations, preconditions, postconditions and checks.

use super::range::is_left_out;
use super::tables::ModuleInstance;
use super::{Site, Walk};
use crate::config::Assertion;
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::{Arena, convert};
use crate::source::Span;
use crate::value::{Type, Value};
use std::sync::Arc;

/// What an assertion comes to at plan.
pub(super) enum Verdict {
    /// It holds.
    Holds,
    /// It waits for an answer of this run.
    Pending,
    /// It does not hold; the message.
    Fails(String),
    /// It looks at what nobody aims at.
    LeftOut,
    /// It is decided at apply: condition and message.
    Later(Value, Value),
}

impl Walk<'_> {
    /// Decides an assertion as far as it can be.
    pub(super) fn assertion(&mut self, assertion: &Assertion, site: Site<'_>) -> Result<Verdict, Problems> {
        let condition = self.evaluate(&assertion.condition, site)?;
        let span = assertion.condition.span;
        let condition = as_condition(condition, span, &mut self.arena)?;
        if condition.holds_pending() {
            return Ok(Verdict::Pending);
        }
        if condition.as_bool() == Some(true) {
            return Ok(Verdict::Holds);
        }
        let message = self.evaluate(&assertion.error_message, site)?;
        let message = as_message(message, assertion.error_message.span, &mut self.arena)?;
        if condition.as_bool() == Some(false) {
            return Ok(Verdict::Fails(said(&message)));
        }
        if condition.blocked_why().as_ref().is_some_and(is_left_out) {
            return Ok(Verdict::LeftOut);
        }
        if let Some(why) = condition.blocked_why() {
            return Ok(Verdict::Fails(format!("it could not be observed: {why}")));
        }
        Ok(Verdict::Later(condition, message))
    }

    /// The `validation` blocks of a variable. `var.name` is visible to them as the value that is being validated.
    pub(super) fn validate_variable(
        &mut self,
        module: usize,
        name: &Arc<str>,
        instance: &ModuleInstance,
        value: &Value,
    ) -> Result<(), Problems> {
        let block = self.tables.skeleton.modules[module].module.clone();
        let validations = &block.variables[name].validations;
        if validations.is_empty() || value.holds_pending() {
            return Ok(());
        }
        if let Some(node) = self.tables.skeleton.find(module, &super::Item::Variable(name.clone())) {
            self.tables.set_value(node, &instance.path, value.clone());
        }
        let mut problems = Problems::new();
        for validation in validations {
            match self.assertion(validation, Site::of(module, &instance.path))? {
                Verdict::Fails(message) => {
                    problems.push(Diagnostic::error("invalid value", format!("variable `{name}`: {message}")).at(validation.span));
                }
                Verdict::Holds | Verdict::Pending | Verdict::LeftOut | Verdict::Later(..) => {}
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

/// A value as a condition: true or false, or not known yet.
pub(super) fn as_condition(value: Value, span: Span, arena: &mut Arena) -> Result<Value, Problems> {
    let condition = convert(value, &Type::Bool, arena)
        .map_err(|mismatch| vec![Diagnostic::error("wrong condition", format!("a condition is true or false: {mismatch}")).at(span)])?;
    if condition.is_null() {
        return Err(vec![Diagnostic::error("null condition", "a condition is true or false, and this one is null").at(span)]);
    }
    Ok(condition)
}

/// A value as a message: a text, or not known yet.
pub(super) fn as_message(value: Value, span: Span, arena: &mut Arena) -> Result<Value, Problems> {
    let message =
        convert(value, &Type::String, arena).map_err(|mismatch| vec![Diagnostic::error("wrong message", mismatch.to_string()).at(span)])?;
    if message.is_null() {
        return Err(vec![Diagnostic::error("wrong message", "a message is a text, and this one is null").at(span)]);
    }
    Ok(message)
}

/// A message as people read it: never a sensitive one.
pub(super) fn said(message: &Value) -> String {
    match message.as_str() {
        Some(_) if message.holds_sensitive() => "(the message is sensitive)".to_owned(),
        Some(_) if message.holds_ephemeral() => "(the message is ephemeral)".to_owned(),
        Some(text) => text.to_owned(),
        None => "(the message is known only after apply)".to_owned(),
    }
}
