//! The state file: read whole, replaced whole. It is never changed in place.

use crate::error::Error;
use crate::format::state_v1;
use crate::paths::{Paths, make_private, open_private, remove_if_there, sync_directory};
use engine::state::State;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};

/// The state that the file holds, or nothing if there is none.
pub(crate) fn read(paths: &Paths) -> Result<Option<State>, Error> {
    let text = match fs::read_to_string(&paths.state) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let (path, why, help) = (paths.state.clone(), "it is not UTF-8".to_owned(), advice(paths));
            return Err(Error::Corrupt { path, line: 0, column: 0, why, help });
        }
        Err(error) => return Err(Error::io("read", &paths.state)(error)),
    };
    state_v1::read(&text).map(Some).map_err(Error::unreadable(&paths.state, state_v1::VERSION, advice(paths)))
}

fn advice(paths: &Paths) -> String {
    if paths.backup.exists() {
        format!(
            "`{}` holds the state before the last write: compare the two, mend the file, or copy the backup over it",
            paths.backup.display()
        )
    } else {
        "mend the file, or bring back a copy of it; without it meshplan forgets what it made".to_owned()
    }
}

/// Whether the file already remembers what this text, as [`state_v1::write`] makes it, does.
pub(crate) fn remembers(paths: &Paths, text: &[u8]) -> Result<bool, Error> {
    match fs::read(&paths.state) {
        Ok(there) => Ok(state_v1::content(&there) == state_v1::content(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("read", &paths.state)(error)),
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

    #[test]
    fn what_cannot_be_read_names_the_file_the_place_and_the_backup() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(&directory);
        fs::write(&paths.state, "{\n  \"version\": }").unwrap();
        let error = read(&paths).unwrap_err();
        assert!(error.to_string().ends_with("meshplan.state.json` cannot be read: line 2, column 14: expected value"), "{error}");
        assert_eq!(error.help().unwrap(), "mend the file, or bring back a copy of it; without it meshplan forgets what it made");
        fs::write(&paths.backup, "").unwrap();
        assert!(read(&paths).unwrap_err().help().unwrap().contains("meshplan.state.json.backup` holds the state before the last write"));
        fs::write(&paths.state, b"\xff").unwrap();
        assert!(read(&paths).unwrap_err().to_string().ends_with("cannot be read: it is not UTF-8"));
        fs::write(&paths.state, "{\"version\": 2, \"meshplan_version\": \"3.1.4\"}").unwrap();
        let error = read(&paths).unwrap_err();
        let said = "has version 2 of its format, written by meshplan 3.1.4; this meshplan knows versions up to 1";
        assert!(error.to_string().ends_with(said), "{error}");
        assert_eq!(error.help().unwrap(), "use meshplan 3.1.4 or a later one");
        fs::remove_file(&paths.state).unwrap();
        fs::create_dir(&paths.state).unwrap();
        assert!(matches!(read(&paths), Err(Error::Io { action: "read", .. })));
    }
}
