//! Where the test files are.

use crate::failure::Failure;
use crate::session::Session;
use crate::validate;
use engine::config::{Config, TestFile, parse_runs};
use engine::diagnostic::{Diagnostic, Problems};
use std::io;
use std::path::{Path, PathBuf};

/// How the names of test files end.
pub(crate) const ENDING: &str = ".meshtest.hcl";
/// The directory that is looked into as well as that of the configuration.
pub(crate) const DIRECTORY: &str = "tests";

/// A test file that was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its path below the directory of the configuration.
    pub(crate) path: PathBuf,
    /// That path as a user would write it.
    pub(crate) shown: String,
    pub(crate) test: TestFile,
}

/// Reads and parses the test files of a configuration that has no error, in order of their names; and every problem of them.
pub(crate) fn load(session: &mut Session, config: &Config, directory: &Path) -> (Vec<Loaded>, Problems) {
    let mut loaded = Vec::new();
    let mut problems = Problems::new();
    let paths = match paths(&session.workplace.directory, directory) {
        Ok(paths) => paths,
        Err(problem) => return (loaded, vec![*problem]),
    };
    for path in paths {
        let whole = session.workplace.directory.join(&path);
        let shown = Path::new(&session.workplace.shown_directory).join(&path);
        let named = shown.strip_prefix(".").unwrap_or(&shown).display().to_string();
        match std::fs::read_to_string(&whole) {
            Ok(text) => {
                let file = session.sources.add(&named, &text);
                let (parsed, mut more) = parse_runs(&text, file, config);
                let registry = session.registry();
                for data in parsed.runs.iter().flat_map(|run| &run.data) {
                    validate::check(data, registry.catalogue(), &mut more);
                }
                problems.append(&mut more);
                loaded.push(Loaded { shown: path.display().to_string(), path, test: parsed });
            }
            Err(error) => problems.push(unreadable(&named, &error)),
        }
    }
    (loaded, problems)
}

/// Those files that are asked for, or all if none is.
pub(crate) fn filtered(mut files: Vec<Loaded>, wanted: &[PathBuf]) -> Result<Vec<Loaded>, Failure> {
    let same = |one: &Path, other: &Path| one.components().eq(other.strip_prefix(".").unwrap_or(other).components());
    if let Some(missing) = wanted.iter().find(|path| !files.iter().any(|file| same(&file.path, path))) {
        let detail = format!("`{}` is no test file of this configuration", missing.display());
        let known: Vec<_> = files.iter().map(|file| format!("`{}`", file.shown)).collect();
        let failure = Failure::one("unknown test file", detail);
        return Err(if known.is_empty() { failure } else { failure.help(&format!("There are {}.", known.join(", "))) });
    }
    files.retain(|file| wanted.is_empty() || wanted.iter().any(|path| same(&file.path, path)));
    Ok(files)
}

/// The paths of the test files below a directory.
fn paths(root: &Path, tests: &Path) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    let mut found = Vec::new();
    for below in [Path::new(""), tests] {
        let directory = root.join(below);
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Box::new(unreadable(&below.display().to_string(), &error))),
        };
        for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            if name.ends_with(ENDING) && !name.starts_with('.') {
                found.push(below.strip_prefix(".").unwrap_or(below).join(name));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn unreadable(shown: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error("file not readable", format!("`{shown}`: {error}"))
}
