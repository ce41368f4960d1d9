//! The state file: read whole, replaced whole. It is never changed in place.

use crate::error::Error;
use crate::paths::{Paths, make_private, open_private, remove_if_there, sync_directory};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The text of a file, or nothing if there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// One step of replacing the state. After any of them the process may die: what was there before [`Step::Publish`], or what is there
/// after it, is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The new text is durable under another name.
    Stage,
    /// The backup is the old state.
    KeepBackup,
    /// The state is the new one.
    Publish,
    /// The journal, which the new state contains, is gone.
    DropJournal,
}

impl Step {
    /// All, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Stage, Self::KeepBackup, Self::Publish, Self::DropJournal];

    /// Performs it.
    pub(crate) fn perform(self, paths: &Paths, text: &[u8]) -> Result<(), Error> {
        match self {
            Self::Stage => stage(paths, text).map_err(Error::io("write", &paths.staged)),
            Self::KeepBackup => keep_backup(paths).map_err(Error::io("write", &paths.backup)),
            Self::Publish => publish(paths).map_err(Error::io("write", &paths.state)),
            Self::DropJournal => drop_journal(paths),
        }
    }
}

/// Replaces the state by this text and drops the journal.
pub(crate) fn replace(paths: &Paths, text: &[u8]) -> Result<(), Error> {
    Step::ALL.into_iter().try_for_each(|step| step.perform(paths, text))
}

/// Drops the journal because the state contains it.
pub(crate) fn drop_journal(paths: &Paths) -> Result<(), Error> {
    remove_if_there(&paths.journal).map(|_| ()).map_err(Error::io("remove", &paths.journal))
}

fn stage(paths: &Paths, text: &[u8]) -> io::Result<()> {
    remove_if_there(&paths.staged)?;
    let mut file = open_private(OpenOptions::new().write(true).create_new(true), &paths.staged)?;
    file.write_all(text)?;
    file.sync_all()
}

/// The old state keeps its bytes and gets a second name, which costs nothing however large it is.
fn keep_backup(paths: &Paths) -> io::Result<()> {
    remove_if_there(&paths.backup_staged)?;
    match fs::hard_link(&paths.state, &paths.backup_staged) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) => {
            let mut copy = open_private(OpenOptions::new().write(true).create_new(true), &paths.backup_staged)?;
            io::copy(&mut fs::File::open(&paths.state)?, &mut copy)?;
            copy.sync_all()?;
        }
    }
    make_private(&paths.backup_staged)?;
    fs::rename(&paths.backup_staged, &paths.backup)
}

fn publish(paths: &Paths) -> io::Result<()> {
    fs::rename(&paths.staged, &paths.state)?;
    sync_directory(paths.directory())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(directory: &tempfile::TempDir) -> Paths {
        Paths::of(&directory.path().join("meshplan.state.json"))
    }

    #[test]
    fn the_backup_is_always_the_state_before() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        replace(&paths, b"one").unwrap();
        assert!(!paths.backup.exists());
        for (text, before) in [("two", "one"), ("three", "two"), ("three", "three")] {
            replace(&paths, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&paths.state).unwrap(), text);
            assert_eq!(fs::read_to_string(&paths.backup).unwrap(), before);
        }
    }

    #[test]
    fn who_reads_while_it_is_replaced_sees_one_or_the_other() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        let texts = ["a".repeat(100_000), "b".repeat(100_000)];
        replace(&paths, texts[0].as_bytes()).unwrap();
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| (0..40).for_each(|round| replace(&paths, texts[round % 2].as_bytes()).unwrap()));
            while !writing.is_finished() {
                let seen = fs::read_to_string(&paths.state).unwrap();
                assert!(texts.contains(&seen), "{} bytes", seen.len());
            }
        });
    }

    #[test]
    fn leftovers_of_a_killed_write_are_no_obstacle() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        replace(&paths, b"one").unwrap();
        fs::write(&paths.staged, "half").unwrap();
        fs::write(&paths.backup_staged, "half").unwrap();
        replace(&paths, b"two").unwrap();
        assert_eq!((fs::read(&paths.state).unwrap(), fs::read(&paths.backup).unwrap()), (b"two".to_vec(), b"one".to_vec()));
        assert!(!paths.staged.exists() && !paths.backup_staged.exists());
    }
}
