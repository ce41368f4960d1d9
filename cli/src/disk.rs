//! The files that functions such as `file` read.

use engine::diagnostic::Diagnostic;
use engine::port::Files;
use engine::question::Answer;
use engine::value::Value;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Files on disk, relative to one directory.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
}

impl Disk {
    /// The files as seen from a directory.
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> Answer {
        let refused = |why: String| Answer::Refused(Diagnostic::error("file not readable", format!("`{path}`: {why}")));
        match std::fs::read(self.directory.join(path)).map(String::from_utf8) {
            Ok(Ok(text)) => Answer::Present(Value::string(text)),
            Ok(Err(_)) => refused("it is not UTF-8 text".to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => Answer::Absent,
            Err(error) => refused(error.to_string()),
        }
    }

    fn list(&self, directory: &str, depth: Option<usize>) -> Answer {
        let refused = |why: String| Answer::Refused(Diagnostic::error("directory not readable", format!("`{directory}`: {why}")));
        let top = self.directory.join(directory);
        if !top.is_dir() {
            return Answer::Absent;
        }
        let mut paths = Vec::new();
        match collect(&top, "", depth.unwrap_or(usize::MAX), &mut paths) {
            Ok(()) if paths.len() > MOST_PATHS => refused(format!("there are more than {MOST_PATHS} files below it")),
            Ok(()) => {
                paths.sort_unstable();
                Answer::Present(Value::tuple(paths.into_iter().map(Value::string).collect()))
            }
            Err(why) => refused(why),
        }
    }
}

/// Files below one directory that are looked at: a pattern that takes in a whole disk is a slip.
const MOST_PATHS: usize = 100_000;

/// Adds the paths of the files within so many directories.
fn collect(directory: &Path, prefix: &str, depth: usize, paths: &mut Vec<String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            return Err(format!("the name of {} is not UTF-8 text", entry.path().display()));
        };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            if depth > 0 && paths.len() <= MOST_PATHS {
                collect(&entry.path(), &format!("{prefix}{name}/"), depth - 1, paths)?;
            }
        } else if kind.is_file() || entry.path().is_file() {
            paths.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_a_directory_are_listed_as_deep_as_wanted() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("d/e")).unwrap();
        for path in ["z", "d/a", "d/e/b"] {
            std::fs::write(directory.path().join(path), "").unwrap();
        }
        std::os::unix::fs::symlink("d", directory.path().join("link")).unwrap();
        std::os::unix::fs::symlink("z", directory.path().join("file")).unwrap();
        std::os::unix::fs::symlink("nowhere", directory.path().join("dangling")).unwrap();
        let disk = Disk::new(directory.path());
        let list = |depth| match disk.list(".", depth) {
            Answer::Present(value) => value.items().iter().map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(list(None), ["d/a", "d/e/b", "file", "z"]);
        assert_eq!(list(Some(1)), ["d/a", "file", "z"]);
        assert_eq!(list(Some(0)), ["file", "z"]);
        assert_eq!(disk.list("missing", None), Answer::Absent);
        assert_eq!(disk.list("z", None), Answer::Absent);
    }

    #[test]
    fn a_directory_with_names_that_are_no_text_is_refused() {
        use std::os::unix::ffi::OsStrExt as _;
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("d")).unwrap();
        std::fs::write(directory.path().join("d").join(std::ffi::OsStr::from_bytes(&[b'a', 0xff])), "").unwrap();
        let disk = Disk::new(directory.path());
        assert!(matches!(disk.list(".", Some(0)), Answer::Present(_)));
        let Answer::Refused(problem) = disk.list(".", None) else { panic!("it was listed") };
        assert_eq!(problem.summary, "directory not readable");
        assert!(problem.detail.starts_with("`.`: the name of ") && problem.detail.ends_with(" is not UTF-8 text"), "{problem}");
    }

    #[test]
    fn a_file_is_there_or_not_or_cannot_be_read() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("text"), "hello").unwrap();
        std::fs::write(directory.path().join("bytes"), [0xff, 0xfe]).unwrap();
        let disk = Disk::new(directory.path());
        assert_eq!(disk.read("text"), Answer::Present(Value::string("hello")));
        assert_eq!(disk.read(&directory.path().join("text").display().to_string()), Answer::Present(Value::string("hello")));
        assert_eq!(disk.read("missing"), Answer::Absent);
        for (path, why) in [("bytes", "`bytes`: it is not UTF-8 text"), (".", "`.`: ")] {
            let Answer::Refused(problem) = disk.read(path) else { panic!("{path} was read") };
            assert!(problem.detail.starts_with(why), "{problem}");
        }
    }
}
