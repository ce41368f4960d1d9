//! `meshplan fmt`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use engine::config::lay_out;
use engine::diagnostic::{Diagnostic, Problems};
use review::unified_diff;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// What a directory is searched for.
const ENDINGS: [&str; 3] = [".mesh.hcl", ".vars.hcl", ".meshtest.hcl"];

/// Lay configuration files out in the usual style
///
/// Only blanks change: words, comments and line breaks stay. The style is that of `terraform fmt`. Files that change are listed. A
/// directory stands for its files `*.mesh.hcl`, `*.vars.hcl` and `*.meshtest.hcl`; without a path the directory of the configuration is taken.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan fmt --recursive\n  meshplan fmt --check --diff\n  meshplan fmt - < draft.mesh.hcl")]
pub struct Fmt {
    /// Directories and files; `-` reads standard input and prints the result
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write nothing, and exit with 3 if a file would change
    #[arg(long)]
    pub check: bool,
    /// Show what changes
    #[arg(long)]
    pub diff: bool,
    /// Go into the directories below, but for hidden ones
    #[arg(long)]
    pub recursive: bool,
}

/// What became of the files.
#[derive(Default)]
struct Outcome {
    changed: bool,
    problems: Problems,
}

pub(super) fn run(session: &mut Session, args: &Fmt) -> Result<u8, Failure> {
    let mut outcome = Outcome::default();
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        standard_input(session, args, &mut outcome)?;
    } else {
        for (path, shown) in files(session, args)? {
            if let Err(error) = one(session, args, (&path, &shown), &mut outcome) {
                outcome.problems.push(unusable(&shown, &error));
            }
        }
    }
    session.view.diagnostics(&session.sources, &outcome.problems);
    Ok(match outcome {
        Outcome { problems, .. } if !problems.is_empty() => exit::FAILED,
        Outcome { changed: true, .. } if args.check => exit::UNFORMATTED,
        _ => exit::DONE,
    })
}

fn unusable(shown: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error("file not formatted", format!("`{shown}`: {error}"))
}

fn standard_input(session: &mut Session, args: &Fmt, outcome: &mut Outcome) -> Result<(), Failure> {
    if args.paths.len() > 1 {
        return Err(Failure::one("standard input stands alone", "`-` is given together with other paths"));
    }
    let mut text = String::new();
    session.stdin.read_to_string(&mut text).map_err(|error| unusable("-", &error))?;
    let Some(formatted) = formatted(session, "standard input", &text, outcome) else { return Ok(()) };
    match () {
        () if args.diff => session.data(&unified_diff("standard input", &text, &formatted)),
        () if !args.check => session.data(&formatted),
        () => {}
    }
    Ok(())
}

/// The text as it should be. None if it does not parse.
fn formatted(session: &mut Session, shown: &str, text: &str, outcome: &mut Outcome) -> Option<String> {
    let file = session.sources.add(shown, text);
    match lay_out(text, file) {
        Ok(formatted) => {
            outcome.changed |= formatted != text;
            Some(formatted)
        }
        Err(problems) => {
            outcome.problems.extend(problems);
            None
        }
    }
}

fn one(session: &mut Session, args: &Fmt, (path, shown): (&Path, &str), outcome: &mut Outcome) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    let Some(formatted) = formatted(session, shown, &text, outcome) else { return Ok(()) };
    if formatted == text {
        return Ok(());
    }
    session.data(&format!("{shown}\n"));
    if args.diff {
        session.data(&unified_diff(shown, &text, &formatted));
    }
    if args.check { Ok(()) } else { replace(path, &formatted) }
}

/// Puts a new text in the place of a file at once, so that no reader sees half of it. Mode and links stay.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(&path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// The files that the paths stand for, in their order, and each as the user would name it.
fn files(session: &Session, args: &Fmt) -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut found = Vec::new();
    let of_configuration = [PathBuf::from(".")];
    let paths = if args.paths.is_empty() { &of_configuration } else { args.paths.as_slice() };
    for typed in paths {
        let path = session.workplace.directory.join(typed);
        let shown = if typed.as_os_str() == "." { PathBuf::new() } else { typed.clone() };
        let listed = if path.is_dir() { listed(&path, &shown, args.recursive, &mut found) } else { fs::metadata(&path).map(drop) };
        listed.map_err(|error| unusable(&typed.display().to_string(), &error))?;
        if !path.is_dir() {
            found.push((path, typed.display().to_string()));
        }
    }
    Ok(found)
}

fn listed(directory: &Path, shown: &Path, recursive: bool, found: &mut Vec<(PathBuf, String)>) -> io::Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let (path, shown) = (entry.path(), shown.join(&name));
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // What a link to a directory leads to is found where it is, or does not belong here.
        if entry.file_type()?.is_dir() {
            if recursive {
                listed(&path, &shown, recursive, found)?;
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push((path, shown.display().to_string()));
        }
    }
    Ok(())
}
