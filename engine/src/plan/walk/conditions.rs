//! Validations, preconditions, postconditions and checks.

use super::tables::{Conditions, ModuleInstance};
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
    /// It looks at what could not be observed, is in error, or is left out: why.
    Unobserved(Arc<str>),
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
        // What is only remembered decides nothing.
        let looks_at = condition.deep_origin(&mut self.arena.origins);
        let is_check = site.scoped.is_some();
        if let Some(why) = self.standing(looks_at).unread.or_else(|| is_check.then(|| self.gone_behind(looks_at)).flatten()) {
            return Ok(Verdict::Unobserved(why));
        }
        if condition.as_bool() == Some(true) {
            return Ok(Verdict::Holds);
        }
        if let Some(why) = condition.blocked_why() {
            return Ok(Verdict::Unobserved(why));
        }
        let message = self.evaluate(&assertion.error_message, site)?;
        let message = as_message(message, assertion.error_message.span, &mut self.arena)?;
        if condition.as_bool() == Some(false) {
            return Ok(Verdict::Fails(said(&message)));
        }
        Ok(Verdict::Later(condition, message))
    }

    /// The `validation` blocks of a variable; false while one waits for an answer. `var.name` is visible to them as the value that is being
    /// validated. What only an apply can tell is held then, unless it looks at what is never stored.
    pub(super) fn validate_variable(
        &mut self,
        module: usize,
        name: &Arc<str>,
        instance: &ModuleInstance,
        value: &Value,
    ) -> Result<bool, Problems> {
        let block = self.tables.skeleton.modules[module].module.clone();
        let validations = &block.variables[name].validations;
        if validations.is_empty() || value.holds_pending() {
            return Ok(true);
        }
        if let Some(node) = self.tables.skeleton.find(module, &super::Item::Variable(name.clone())) {
            self.tables.set_value(node, &instance.path, value.clone());
        }
        let (mut problems, mut later) = (Problems::new(), Conditions::new());
        for validation in validations {
            match self.assertion(validation, Site::of(module, &instance.path))? {
                Verdict::Fails(message) => {
                    problems.push(Diagnostic::error("invalid value", format!("variable `{name}`: {message}")).at(validation.span));
                }
                Verdict::Pending => return Ok(false),
                Verdict::Later(condition, message) if !condition.holds_ephemeral() && !message.holds_ephemeral() => {
                    later.push((condition, message));
                }
                Verdict::Holds | Verdict::Unobserved(_) | Verdict::Later(..) => {}
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if !later.is_empty() {
            self.tables.variable_conditions.insert((instance.path.clone(), name.clone()), later);
        }
        Ok(true)
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
        None if message.blocked_why().is_some() => "(the message looks at what could not be observed)".to_owned(),
        None => "(the message is known only after apply)".to_owned(),
    }
}
