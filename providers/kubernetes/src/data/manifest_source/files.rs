//! The files of manifests on disk.

use super::Text;
use engine::schema::Problem;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What files of manifests end in.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// The text of the file at a path, or those of the manifests in the directory there (with `recursive` also below), by name.
pub(super) fn read(directory: &Path, path: &str, recursive: bool) -> Result<Vec<Text>, Problem> {
    let start = directory.join(path);
    let unreadable = |at: &Path, error: &io::Error| {
        let shown = at.strip_prefix(directory).unwrap_or(at).display().to_string();
        refused(match error.kind() {
            ErrorKind::NotFound => format!("`{shown}` does not exist"),
            ErrorKind::InvalidData => format!("`{shown}` is not UTF-8 text"),
            _ => format!("`{shown}`: {error}"),
        })
    };
    if !start.metadata().map_err(|error| unreadable(&start, &error))?.is_dir() {
        let text = std::fs::read_to_string(&start).map_err(|error| unreadable(&start, &error))?;
        let name = start.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(vec![Text { name, text }]);
    }
    let mut found = Vec::new();
    let mut open = vec![start.clone()];
    while let Some(within) = open.pop() {
        for entry in entries(&within).map_err(|error| unreadable(&within, &error))? {
            let kind = entry.metadata().map_err(|error| unreadable(&entry, &error))?;
            if kind.is_dir() {
                // As `kubectl`, it follows no link to a directory: it may lead round in a circle.
                open.extend((recursive && !entry.is_symlink()).then_some(entry));
            } else if entry.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
                found.push(entry);
            }
        }
    }
    if found.is_empty() {
        let what = if recursive { "holds, at any depth," } else { "holds" };
        return Err(refused(format!("`{path}` {what} no file ending in `.yaml`, `.yml` or `.json`")));
    }
    found.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
        Ok(Text { name: file.strip_prefix(&start).unwrap_or(&file).display().to_string(), text })
    };
    found.into_iter().map(read).collect()
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
}

fn refused(detail: String) -> Problem {
    Problem::with("path", "manifests not readable", detail)
}
