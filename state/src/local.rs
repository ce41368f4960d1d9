//! State in files on this machine. The kernel's lock is what a lock elsewhere must be renewed and numbered for: it ends with its holder,
//! and nobody can take it from a living one but by removing the file, which the holder sees before it writes.

use crate::backend::{Backend, Held, Kept, Names};
use crate::error::Error;
use crate::file_store;
use crate::holder::Holder;
use crate::lock::{self, Lock};
use crate::paths::{Paths, open_private, remove_if_there, sync_directory};
use crate::revisions::Revisions;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The backend of the state file with this path. No file is touched yet.
pub fn local(path: &Path) -> Arc<dyn Backend> {
    Arc::new(Local::new(path))
}

/// A state file, with its journal, lock and backup beside it.
#[derive(Debug)]
pub(crate) struct Local {
    paths: Paths,
    names: Names,
}

impl Local {
    /// The files of the state file with this path. None is touched yet.
    pub(crate) fn new(path: &Path) -> Self {
        let paths = Paths::of(path);
        let names = Names { state: paths.state.clone(), journal: paths.journal.clone(), lock: paths.lock.clone() };
        Self { paths, names }
    }
}

impl Backend for Local {
    fn names(&self) -> &Names {
        &self.names
    }

    /// Journal before state: while an apply runs its journal only grows and then becomes part of the state, so that no entry is missed
    /// between the two.
    fn read(&self) -> Result<Kept, Error> {
        let journal = file_store::read(&self.paths.journal)?;
        Ok(Kept { state: file_store::read(&self.paths.state)?, journal })
    }

    fn advice(&self) -> String {
        if self.paths.backup.exists() {
            let backup = self.paths.backup.display();
            format!("`{backup}` holds the state before the last write: compare the two, mend the file, or copy the backup over it")
        } else {
            "mend the file, or bring back a copy of it; without it meshplan forgets what it made".to_owned()
        }
    }

    fn take(&self, holder: &Holder, timeout: Duration) -> Result<(Box<dyn Held>, Option<Holder>), Error> {
        let directory = self.paths.directory();
        std::fs::create_dir_all(directory).map_err(Error::io("make", directory))?;
        let (lock, before) = Lock::take(&self.paths, holder, timeout)?;
        Ok((Box::new(HeldFiles { paths: self.paths.clone(), lock, journal: None }), before))
    }

    fn revisions(&self) -> Result<Option<Arc<dyn Revisions>>, Error> {
        Ok(None)
    }

    fn claimed(&self) -> Result<Option<Holder>, Error> {
        Ok(lock::claimed(&self.paths))
    }

    fn break_lock(&self, id: &str) -> Result<(), Error> {
        lock::break_open(&self.paths, id)
    }
}

/// The files, locked.
struct HeldFiles {
    paths: Paths,
    lock: Lock,
    /// The journal, once it was begun.
    journal: Option<File>,
}

impl HeldFiles {
    fn still_locked(&self) -> Result<(), Error> {
        if self.lock.stands() { Ok(()) } else { Err(Error::Lost { path: self.paths.lock.clone(), holder: self.lock.taken_by() }) }
    }
}

impl Held for HeldFiles {
    fn state(&mut self) -> Result<Option<Vec<u8>>, Error> {
        file_store::read(&self.paths.state)
    }

    fn has_journal(&mut self) -> Result<bool, Error> {
        Ok(self.paths.journal.exists())
    }

    fn begin(&mut self, text: &[u8]) -> Result<(), Error> {
        self.still_locked()?;
        let path = &self.paths.journal;
        let write = || {
            remove_if_there(path)?;
            let mut file = open_private(OpenOptions::new().append(true).create_new(true), path)?;
            file.write_all(text)?;
            file.sync_all()?;
            sync_directory(self.paths.directory())?;
            Ok(file)
        };
        self.journal = Some(write().map_err(Error::io("write", path))?);
        Ok(())
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        self.still_locked()?;
        let not_begun = || io::Error::from(io::ErrorKind::NotFound);
        let append = |file: &mut File| file.write_all(lines).and_then(|()| file.sync_data());
        self.journal.as_mut().ok_or_else(not_begun).and_then(append).map_err(Error::io("write", &self.paths.journal))
    }

    fn replace(&mut self, text: &[u8]) -> Result<(), Error> {
        self.still_locked()?;
        self.journal = None;
        file_store::replace(&self.paths, text)
    }

    fn drop_journal(&mut self) -> Result<(), Error> {
        self.still_locked()?;
        self.journal = None;
        file_store::drop_journal(&self.paths)
    }

    fn release(self: Box<Self>) -> Result<(), Error> {
        drop(self);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn held(path: &Path, operation: &str) -> Box<dyn Held> {
        Local::new(path).take(&Holder::this_process(operation), Duration::ZERO).unwrap().0
    }

    #[test]
    fn a_holder_whose_lock_file_was_removed_writes_nothing_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meshplan.state.json");
        let mut late = held(&path, "apply");
        late.begin(b"one\n").unwrap();
        fs::remove_file(Paths::of(&path).lock).unwrap();
        assert!(matches!(late.append(b"two\n"), Err(Error::Lost { holder: None, .. })));
        let mut other = held(&path, "destroy");
        let refused: [Result<(), Error>; 4] = [late.append(b"two\n"), late.begin(b"two\n"), late.replace(b"{}"), late.drop_journal()];
        for refusal in refused {
            assert!(matches!(&refusal, Err(Error::Lost { holder: Some(holder), .. }) if holder.operation == "destroy"), "{refusal:?}");
        }
        late.release().unwrap();
        assert_eq!(Local::new(&path).read().unwrap().journal.unwrap(), b"one\n");
        other.begin(b"three\n").unwrap();
        other.append(b"four\n").unwrap();
        let kept = Local::new(&path).read().unwrap();
        assert_eq!((kept.state, kept.journal), (None, Some(b"three\nfour\n".to_vec())));
    }
}
