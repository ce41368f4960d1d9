//! A block's body held against the schema of its kind.

use crate::address::Mode;
use crate::config::{ResourceBlock, given};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::schema::{Attribute, Catalogue, Presence, Schema};
use crate::source::Span;

/// What every block takes beside the arguments of its kind.
const META_ARGUMENTS: [&str; 4] = ["count", "for_each", "depends_on", "provider"];
const META_BLOCKS: [&str; 3] = ["lifecycle", "timeouts", "dynamic"];

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
    for (path, span) in &block.lifecycle().ignore_changes {
        let name = path.first().map_or("", |name| name);
        if name != "all" && schema.attribute(name).is_none() {
            problems.push(unknown(name, "argument", schema).at(*span));
        }
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

/// The problem of a block whose kind nobody has.
pub fn unknown_kind(block: &ResourceBlock, catalogue: &Catalogue) -> Diagnostic {
    let name = &block.name;
    let problem = match name.mode {
        Mode::Managed => Diagnostic::error("unknown resource kind", format!("there is no resource kind `{}`", name.kind)),
        Mode::Data => Diagnostic::error("unknown data source kind", format!("there is no data source kind `{}`", name.kind)),
    };
    let problem = problem.at(block.kind_span);
    match did_you_mean(&name.kind, catalogue.names(name.mode)) {
        Some(near) => problem.help(format!("Did you mean `{near}`?")),
        None => problem,
    }
}

/// The problem of a data source that asks if something works, where a plan would stand on the answer. In tests and checks it may.
pub fn misplaced(block: &ResourceBlock, catalogue: &Catalogue) -> Option<Diagnostic> {
    let name = &block.name;
    catalogue.get(name.mode, &name.kind).filter(|kind| kind.probes())?;
    let detail = format!(
        "`data.{}.{}` asks if something works. Outside of a `check` the first plan would ask it of what no apply has made yet",
        name.kind, name.name
    );
    let help = "Move the block into a `check`, or into a run of a test, beside the condition that uses it.";
    Some(Diagnostic::error("probe outside of a check", detail).at(block.kind_span).help(help))
}

fn unsuited(name: &str, what: &str, at: Span, schema: &Schema) -> Option<Diagnostic> {
    let problem = match schema.attribute(name) {
        Some(attribute) if attribute.presence == Presence::Computed => {
            let detail = format!("`{name}` of `{}` is given by the kind, not by configuration", schema.kind);
            Diagnostic::error("computed attribute", detail).help("Remove it.")
        }
        Some(_) => return None,
        None => unknown(name, what, schema),
    };
    Some(problem.at(at))
}

fn unknown(name: &str, what: &str, schema: &Schema) -> Diagnostic {
    let summary = if what == "block" { "unknown block" } else { "unknown argument" };
    let problem = Diagnostic::error(summary, format!("`{}` has no {what} `{name}`", schema.kind));
    let own = settable(schema).map(|attribute| attribute.name);
    let of_all: &[&str] = if what == "block" { &META_BLOCKS } else { &META_ARGUMENTS };
    match did_you_mean(name, own.chain(of_all.iter().copied())) {
        Some(near) => problem.help(format!("Did you mean `{near}`?")),
        None => problem,
    }
}

fn settable(schema: &Schema) -> impl Iterator<Item = &Attribute> {
    schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed)
}
