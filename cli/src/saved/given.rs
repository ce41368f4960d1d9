//! The ephemeral variables that a plan leaves open, given again for its apply.

use crate::args::Assignment;
use crate::failure::Failure;
use crate::session::Session;
use crate::variables::{Places, gather};
use engine::config::Variable;
use engine::diagnostic::Diagnostic;
use engine::plan::{Holes, Plan};
use engine::source::{FileId, Span};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Fills what a plan leaves open: from the environment, from the files of values that are read unasked, and from the command line. Only what
/// the plan leaves open may be given.
pub(super) fn supply(session: &mut Session, plan: &mut Plan, (file, assignments): (&Path, &[Assignment])) -> Result<(), Failure> {
    let declared = declared(&plan.holes);
    for assignment in assignments {
        if let Assignment::Value { name, .. } = assignment
            && !declared.contains_key(name.as_str())
        {
            return Err(fixed(file, &declared, &format!("`--var {name}` sets a variable that")));
        }
    }
    let mut given = BTreeMap::new();
    if !declared.is_empty() {
        let places = Places {
            environment: &session.workplace.environment,
            working_directory: &session.workplace.working_directory,
            shown_directory: Some(&session.workplace.shown_directory),
            assignments: &[],
        };
        let (found, problems) = gather(&mut session.sources, &declared, places);
        // They are there for every plan, and may set what this one has.
        session.show_or_fail(problems.into_iter().filter(Diagnostic::is_error).collect())?;
        given.extend(found);
    }
    let none = BTreeMap::new();
    let places = Places { environment: &none, working_directory: &session.workplace.working_directory, shown_directory: None, assignments };
    let (found, problems) = gather(&mut session.sources, &declared, places);
    if problems.iter().any(|problem| !problem.is_error()) {
        return Err(fixed(file, &declared, "a file of values sets a variable that"));
    }
    session.show_or_fail(problems)?;
    given.extend(found);
    let given = given.into_iter().map(|(name, (value, _))| (name, value)).collect();
    let registry = session.registry();
    let problems = plan.supply(&given, registry.catalogue());
    if problems.is_empty() { Ok(()) } else { Err(Failure(problems)) }
}

/// What a plan leaves open, as variables.
fn declared(holes: &Holes) -> BTreeMap<Arc<str>, Variable> {
    let variable = |(name, hole): (&Arc<str>, &engine::plan::Hole)| {
        let variable = Variable {
            ty: hole.ty.clone(),
            default: hole.default.clone(),
            description: None,
            sensitive: hole.sensitive,
            ephemeral: true,
            nullable: hole.nullable,
            validations: Vec::new(),
            span: Span::new(FileId(u32::MAX), 0..0),
        };
        (name.clone(), variable)
    };
    holes.inputs.iter().map(variable).collect()
}

fn fixed(file: &Path, declared: &BTreeMap<Arc<str>, Variable>, what: &str) -> Failure {
    let names: Vec<_> = declared.keys().map(|name| format!("`{name}`")).collect();
    let help = match names.as_slice() {
        [] => "Leave the options of planning out, or plan again with them.".to_owned(),
        names => format!("Only ephemeral variables are given again: {}. For all else plan again.", names.join(", ")),
    };
    let detail = format!("{what} is part of `{}`", file.display());
    Failure::one("options of a saved plan", detail).help(&help)
}
