//! `meshplan plan --generate-config-out FILE`: blocks for what exists and is to be imported, written and planned in one run.

use super::plan::{Plan as Arguments, aimed};
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;
use engine::config::{Generated, GeneratedArgument, generate};
use engine::plan::{Described, Plan};
use engine::question::Answers;
use engine::source::{SourceTree, Span};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use tokio::runtime::Runtime;

/// How configuration ends that is read.
const ENDING: &str = ".mesh.hcl";

/// Makes a plan of the configuration and of blocks that are written for what it lacks.
pub(super) fn plan(session: &mut Session, runtime: &Runtime, args: &Arguments, file: &Path) -> Result<(Project, Plan), Failure> {
    let path = session.workplace.working_directory.join(file);
    if path.exists() {
        return Err(exists(file));
    }
    let project = Project::load_unwritten(session, &args.planning)?;
    let project = aimed(session, args, project)?;
    let state = session.remembered()?;
    let mut known = Answers::new();
    let described = session.describe(runtime, &project, state.clone(), &mut known).map_err(Failure)?;
    if described.is_empty() {
        session.view.say(&format!("Nothing is to be written to {}: what is to be imported has its blocks.", file.display()));
        let plan = session.plan_again(runtime, &project, state, &mut known);
        return Ok((project, plan));
    }
    let text = written(&described, &session.sources).map_err(Failure)?;
    let project = project.with_file(session, &file.display().to_string(), &text)?;
    write(file, &path, &text)?;
    let plan = session.plan_again(runtime, &project, state, &mut known);
    session.view.say(&told(session, described.len(), file, &path));
    Ok((project, plan))
}

fn exists(file: &Path) -> Failure {
    let detail = format!("`{}` is there already, and nothing is written over it", file.display());
    Failure::one("file exists", detail).help("Name another file, or move this one away.")
}

fn write(file: &Path, path: &Path, text: &str) -> Result<(), Failure> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(file),
        _ => Failure::one("file not written", format!("`{}`: {error}", file.display())),
    })
}

/// Whether a file lies in the directory of the configuration, by whatever way it is named.
fn is_in_place(session: &Session, path: &Path) -> bool {
    let directory = path.parent().and_then(|directory| directory.canonicalize().ok());
    directory.is_some() && directory == session.workplace.directory.canonicalize().ok()
}

/// What was written, and what the user does next.
fn told(session: &Session, count: usize, file: &Path, path: &Path) -> String {
    let what = if count == 1 { "A `resource` block was".to_owned() } else { format!("{count} `resource` blocks were") };
    let is_read = file.to_string_lossy().ends_with(ENDING) && is_in_place(session, path);
    let next = if is_read { "Read it" } else { "Read it, and move it into the configuration as a file `*.mesh.hcl`" };
    format!("{what} written to {}. {next}; the plan below counts it in.", file.display())
}

/// The text of the file.
fn written(described: &[Described], sources: &SourceTree) -> Result<String, Vec<engine::diagnostic::Diagnostic>> {
    let blocks: Vec<_> = described.iter().map(|thing| block(thing, sources)).collect();
    let head = "# Written by `meshplan plan --generate-config-out` from what is there. Read it, and put it where it belongs.\n";
    Ok(format!("{head}{}", generate(&blocks)?))
}

fn block<'a>(thing: &'a Described, sources: &'a SourceTree) -> Generated<'a> {
    let place = thing.place.and_then(|(name, span)| Some((name, GeneratedArgument::Written(text_at(sources, span)?))));
    let arguments = thing.arguments.iter().map(|(name, value)| (*name, GeneratedArgument::Value(value)));
    let first = format!("`{}`", thing.id);
    Generated {
        name: &thing.name,
        comments: std::iter::once(first).chain(thing.notes.iter().cloned()).collect(),
        arguments: place.into_iter().chain(arguments).collect(),
    }
}

/// The text that stands somewhere.
fn text_at(sources: &SourceTree, span: Span) -> Option<&str> {
    sources.file(span.file)?.text.get(usize::try_from(span.start).ok()?..usize::try_from(span.end).ok()?)
}
