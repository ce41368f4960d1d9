//! Files that are noted as they are read, and files as they were noted.

use crate::disk::Disk;
use engine::diagnostic::Diagnostic;
use engine::port::Files;
use engine::question::Answer;
use engine::value::Value;
use state::FilesRead;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The files of a disk; what is found is noted.
pub(crate) struct Noting<'a> {
    /// Where files are read.
    pub(crate) disk: Disk,
    /// What was found so far.
    pub(crate) seen: &'a Mutex<FilesRead>,
}

impl Noting<'_> {
    fn seen(&self) -> MutexGuard<'_, FilesRead> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for Noting<'_> {
    fn read(&self, path: &str) -> Answer {
        let answer = self.disk.read(path);
        match &answer {
            Answer::Present(text) => drop(self.seen().texts.insert(path.to_owned(), text.as_str().map(Arc::from))),
            Answer::Absent => drop(self.seen().texts.insert(path.to_owned(), None)),
            _ => {}
        }
        answer
    }

    fn list(&self, directory: &str, depth: Option<usize>) -> Answer {
        let answer = self.disk.list(directory, depth);
        let paths = match &answer {
            Answer::Present(paths) => Some(paths.items().iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()),
            Answer::Absent => None,
            _ => return answer,
        };
        self.seen().listings.insert((directory.to_owned(), depth), paths);
        answer
    }
}

/// Files as they were when a revision was planned.
pub(crate) struct Kept<'a> {
    /// What was found then.
    pub(crate) files: &'a FilesRead,
    /// The number of the revision.
    pub(crate) number: u64,
}

impl Kept<'_> {
    fn unknown(&self, path: &str) -> Answer {
        let detail = format!("`{path}` was not read when @{} was planned, and what was in it then is not known", self.number);
        Answer::Refused(Diagnostic::error("file not in the revision", detail))
    }
}

impl Files for Kept<'_> {
    fn read(&self, path: &str) -> Answer {
        match self.files.texts.get(path) {
            Some(Some(text)) => Answer::Present(Value::string(text.clone())),
            Some(None) => Answer::Absent,
            None => self.unknown(path),
        }
    }

    fn list(&self, directory: &str, depth: Option<usize>) -> Answer {
        match self.files.listings.get(&(directory.to_owned(), depth)) {
            Some(Some(paths)) => Answer::Present(Value::tuple(paths.iter().map(|path| Value::string(path.as_str())).collect())),
            Some(None) => Answer::Absent,
            None => self.unknown(directory),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), "one").unwrap();
        let seen = Mutex::new(FilesRead::default());
        let noting = Noting { disk: Disk::new(directory.path()), seen: &seen };
        let asked = |files: &dyn Files| [files.read("a"), files.read("missing"), files.list(".", Some(0)), files.list("none", None)];
        let answers = asked(&noting);
        assert!(matches!(noting.read("."), Answer::Refused(_)));
        std::fs::write(directory.path().join("a"), "two").unwrap();
        std::fs::write(directory.path().join("b"), "").unwrap();
        let files = seen.lock().unwrap();
        let kept = Kept { files: &files, number: 3 };
        assert_eq!(asked(&kept), answers);
        assert_eq!(answers[0], Answer::Present(Value::string("one")));
        for answer in [kept.read("."), kept.read("b"), kept.list(".", None)] {
            let Answer::Refused(problem) = answer else { panic!("{answer:?}") };
            assert_eq!(problem.summary, "file not in the revision");
            assert!(problem.detail.contains("when @3 was planned"), "{problem}");
        }
    }
}
