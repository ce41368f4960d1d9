//! The arguments of one instance: evaluated, converted, complete.

use super::{Site, Walk};
use crate::address::Address;
use crate::config::{Expr, ResourceBlock, given};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::convert;
use crate::schema::{Attribute, Presence, Schema};
use crate::value::{Data, Flags, Value};

impl Walk<'_> {
    /// The converted arguments of an instance: an object with every attribute that configuration may give.
    pub(super) fn arguments(
        &mut self,
        block: &ResourceBlock,
        schema: &Schema,
        address: &Address,
        site: Site<'_>,
    ) -> Result<Value, Problems> {
        let mut entries = Vec::with_capacity(schema.attributes.len());
        let mut problems = Problems::new();
        for attribute in schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed) {
            let value = given(&block.body, attribute.name, &attribute.ty);
            match value.and_then(|value| self.argument(value.as_deref(), attribute, site)) {
                Ok(value) if value.is_null() => {
                    let supplied = self.providers.supplied(address, attribute.name, self.catalogue);
                    entries.push((attribute.key.clone(), supplied.map_or(value, |value| value.sensitive_if(attribute.sensitive))));
                }
                Ok(value) => entries.push((attribute.key.clone(), value)),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(Value::object(entries)) } else { Err(problems) }
    }

    fn argument(&mut self, argument: Option<&Expr>, attribute: &Attribute, site: Site<'_>) -> Result<Value, Problems> {
        let default = || attribute.default.clone().unwrap_or_else(Value::null);
        let Some(argument) = argument else { return Ok(default()) };
        let value = self.evaluate(argument, site)?;
        if value.is_null() {
            if attribute.presence == Presence::Required {
                let detail = format!("`{}` is null, and it is required", attribute.name);
                return Err(vec![Diagnostic::error("missing argument", detail).at(argument.span)]);
            }
            return Ok(default());
        }
        let converted = convert(value, &attribute.ty, &mut self.arena).map_err(|mismatch| {
            let detail = format!("`{}`: {mismatch}", attribute.name);
            vec![Diagnostic::error("wrong type", detail).at(argument.span)]
        })?;
        super::ephemeral::refuse(&converted, &format!("`{}`", attribute.name), "arguments are stored in the state", argument.span)?;
        Ok(converted.sensitive_if(attribute.sensitive))
    }
}

/// Whether a value still waits for an answer: itself, or in what a reference in it leads to. A reference hides that from the language,
/// but whoever keeps the value must look again.
pub(super) fn waits(value: &Value) -> bool {
    if value.flags().has(Flags::PENDING) {
        return true;
    }
    let mut waits = false;
    if value.flags().has(Flags::OPEN) {
        value.each_reference(&mut |instance| waits |= instance.attributes.holds_pending());
    }
    waits
}

/// Why arguments are blocked, themselves or in what a reference in them leads to as a whole.
pub(super) fn blocked(arguments: &Value) -> Option<std::sync::Arc<str>> {
    let mut found = arguments.blocked_why();
    if arguments.flags().has(Flags::OPEN) {
        arguments.each_reference(&mut |instance| {
            if let (None, Data::Blocked(why)) = (&found, instance.attributes.data()) {
                found = Some(why.clone());
            }
        });
    }
    found
}
