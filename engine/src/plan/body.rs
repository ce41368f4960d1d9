//! A block's body held against the schema of its kind.

use crate::config::{ResourceBlock, given};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::schema::{Attribute, Presence, Schema};
use crate::source::Span;

/// Problems of a block's body that no value can cure: what its kind has not, what configuration cannot give, what is missing. They are
/// the same for every instance.
pub fn misnamed(block: &ResourceBlock, schema: &Schema) -> Problems {
    let mut problems = Problems::new();
    for argument in &block.body.arguments {
        problems.extend(unsuited(&argument.name, "argument", argument.name_span, schema));
    }
    for nested in &block.body.blocks {
        problems.extend(unsuited(&nested.name, "block", nested.name_span, schema));
    }
    for attribute in settable(schema) {
        match given(&block.body, attribute.name, &attribute.ty) {
            Ok(None) if attribute.presence == Presence::Required => {
                let name = &block.name;
                let detail = format!("`{}.{}` does not set `{}`, which `{}` requires", name.kind, name.name, attribute.name, schema.kind);
                let help = format!("{}: {}", attribute.name, attribute.doc);
                problems.push(Diagnostic::error("missing argument", detail).at(block.span).help(help));
            }
            Ok(_) => {}
            Err(more) => problems.extend(more),
        }
    }
    problems
}

fn unsuited(name: &str, what: &str, at: Span, schema: &Schema) -> Option<Diagnostic> {
    let problem = match schema.attribute(name) {
        Some(attribute) if attribute.presence == Presence::Computed => {
            let detail = format!("`{name}` of `{}` is given by the kind, not by configuration", schema.kind);
            Diagnostic::error("computed attribute", detail).help("Remove it.")
        }
        Some(_) => return None,
        None => {
            let summary = if what == "block" { "unknown block" } else { "unknown argument" };
            let problem = Diagnostic::error(summary, format!("`{}` has no {what} `{name}`", schema.kind));
            match did_you_mean(name, settable(schema).map(|attribute| attribute.name)) {
                Some(near) => problem.help(format!("Did you mean `{near}`?")),
                None => problem,
            }
        }
    };
    Some(problem.at(at))
}

fn settable(schema: &Schema) -> impl Iterator<Item = &Attribute> {
    schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed)
}
