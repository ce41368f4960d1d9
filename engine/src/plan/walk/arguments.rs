//! The arguments of one instance: evaluated, converted, complete.

use super::{Site, Walk};
use crate::config::{Argument, ResourceBlock};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::eval::convert;
use crate::schema::{Attribute, Presence, Schema};
use crate::value::{Data, Flags, Value};

impl Walk<'_> {
    /// Problems with the names in a block's body, the same for every instance.
    pub(super) fn misnamed(block: &ResourceBlock, schema: &Schema) -> Problems {
        let mut problems = Problems::new();
        for argument in &block.body.arguments {
            match schema.attribute(&argument.name) {
                None => problems.push(unknown_argument(argument, schema)),
                Some(attribute) if attribute.presence == Presence::Computed => {
                    let detail = format!("`{}` of `{}` is given by the kind, not by configuration", argument.name, schema.kind);
                    problems.push(Diagnostic::error("computed attribute", detail).at(argument.name_span));
                }
                Some(_) => {}
            }
        }
        for (labels, _) in &block.body.blocks {
            let detail = format!("`{}` has no nested block `{}`", schema.kind, labels.name);
            let mut problem = Diagnostic::error("unknown block", detail).at(labels.name_span);
            if schema.attribute(&labels.name).is_some() {
                problem = problem.help(format!("It is an argument: write `{} = {{ … }}`.", labels.name));
            }
            problems.push(problem);
        }
        for attribute in &schema.attributes {
            let given = block.body.arguments.iter().any(|argument| *argument.name == *attribute.name);
            if attribute.presence == Presence::Required && !given {
                let detail = format!("`{}` needs the argument `{}`: {}", schema.kind, attribute.name, attribute.doc);
                problems.push(Diagnostic::error("missing argument", detail).at(block.span));
            }
        }
        problems
    }

    /// The converted arguments of an instance: an object with every attribute that configuration may give.
    pub(super) fn arguments(&mut self, block: &ResourceBlock, schema: &Schema, site: Site<'_>) -> Result<Value, Problems> {
        let mut entries = Vec::with_capacity(schema.attributes.len());
        let mut problems = Problems::new();
        for attribute in schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed) {
            let argument = block.body.arguments.iter().find(|argument| *argument.name == *attribute.name);
            match self.argument(argument, attribute, site) {
                Ok(value) => entries.push((attribute.key.clone(), value)),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(Value::object(entries)) } else { Err(problems) }
    }

    fn argument(&mut self, argument: Option<&Argument>, attribute: &Attribute, site: Site<'_>) -> Result<Value, Problems> {
        let default = || attribute.default.clone().unwrap_or_else(Value::null);
        let Some(argument) = argument else { return Ok(default()) };
        let value = self.evaluate(&argument.value, site)?;
        if value.is_null() {
            if attribute.presence == Presence::Required {
                let detail = format!("`{}` is null, and it is required", attribute.name);
                return Err(vec![Diagnostic::error("missing argument", detail).at(argument.value.span)]);
            }
            return Ok(default());
        }
        let converted = convert(value, &attribute.ty, &mut self.arena).map_err(|mismatch| {
            let detail = format!("`{}`: {mismatch}", attribute.name);
            vec![Diagnostic::error("wrong type", detail).at(argument.value.span)]
        })?;
        Ok(converted.sensitive_if(attribute.sensitive))
    }
}

fn unknown_argument(argument: &Argument, schema: &Schema) -> Diagnostic {
    let detail = format!("`{}` has no argument `{}`", schema.kind, argument.name);
    let known = schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed).map(|attribute| attribute.name);
    let problem = Diagnostic::error("unknown argument", detail).at(argument.name_span);
    match did_you_mean(&argument.name, known) {
        Some(name) => problem.help(format!("Did you mean `{name}`?")),
        None => problem,
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
