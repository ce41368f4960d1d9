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
}

#[cfg(test)]
mod tests {
    use super::*;

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
