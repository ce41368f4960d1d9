//! The lock on a state: the kernel's, on a file of its own. What the file says is for people.
//!
//! The file goes when the lock is given back, while it is still held. Who opened it before and gets the lock on what is no file any more
//! sees that, and begins again.

use crate::error::Error;
use crate::format::lock_v1;
use crate::holder::Holder;
use crate::paths::{Paths, open_private, remove_if_there};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The first wait for a lock that is held; each further one is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A held lock. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock, waiting for it at most `timeout`. With it comes the holder who ended without giving it back, if there was one.
    pub(crate) fn take(paths: &Paths, holder: &Holder, timeout: Duration) -> Result<(Self, Option<Holder>), Error> {
        let started = Instant::now();
        let mut wait = FIRST_WAIT;
        let file = loop {
            if let Some(file) = try_take(&paths.lock)? {
                break file;
            }
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(Error::Held { path: paths.lock.clone(), holder: holder_of(paths).map(Box::new) });
            }
            std::thread::sleep(wait.min(left));
            wait = (wait * 2).min(LONGEST_WAIT);
        };
        let before = io::read_to_string(&file).ok().and_then(|text| lock_v1::read(&text));
        let mut lock = Self { file, path: paths.lock.clone() };
        lock.write(&lock_v1::write(holder)).map_err(Error::io("write", &paths.lock))?;
        Ok((lock, before))
    }

    /// Whether the lock is still what others would have to take. Who removes the file lets another in.
    pub(crate) fn stands(&self) -> bool {
        is_at(&self.file, &self.path)
    }

    /// Who has the lock that others take now, if it says so.
    pub(crate) fn taken_by(&self) -> Option<Box<Holder>> {
        lock_v1::read(&fs::read_to_string(&self.path).ok()?).map(Box::new)
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text)
    }
}

impl Drop for Lock {
    /// Empties and removes the file, so that the next holder knows that this one ended in order. Should that fail, the next one says
    /// that it took the lock over, and no harm is done. Closing the file would give the lock back as well, but only once every child
    /// process that was just being started had closed its copy.
    fn drop(&mut self) {
        self.write(b"").ok();
        if cfg!(unix) && self.stands() {
            remove_if_there(&self.path).ok();
        }
        self.file.unlock().ok();
    }
}

/// The locked file, or nothing if somebody else holds the lock.
fn try_take(path: &Path) -> Result<Option<File>, Error> {
    loop {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = open_private(options, path).map_err(Error::io("open", path))?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => return Ok(Some(file)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
        }
    }
}

/// Who left a name in the lock file: the holder, or one that ended without giving it back.
pub(crate) fn claimed(paths: &Paths) -> Option<Holder> {
    lock_v1::read(&fs::read_to_string(&paths.lock).ok()?)
}

/// Removes the name that a holder of this id left, if that one ended.
pub(crate) fn break_open(paths: &Paths, id: &str) -> Result<(), Error> {
    if claimed(paths).is_none_or(|holder| holder.id != id) {
        return Err(Error::NotThisLock { path: paths.lock.clone(), id: id.to_owned() });
    }
    match try_take(&paths.lock)? {
        Some(file) => {
            drop(Lock { file, path: paths.lock.clone() });
            Ok(())
        }
        None => Err(Error::Alive { path: paths.lock.clone(), holder: claimed(paths).map(Box::new) }),
    }
}

/// Whether a path still leads to an open file.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (open, there) = (file.metadata(), fs::metadata(path));
        open.ok().zip(there.ok()).is_some_and(|(open, there)| (open.dev(), open.ino()) == (there.dev(), there.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// Who the file says holds the lock. A holder that has just taken it may not have written its name yet.
fn holder_of(paths: &Paths) -> Option<Holder> {
    (0..5).find_map(|attempt| {
        if attempt > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        lock_v1::read(&fs::read_to_string(&paths.lock).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    const NOW: Duration = Duration::ZERO;
    /// Names the directory in which a child of these tests takes the lock.
    const DIRECTORY: &str = "MESHPLAN_TEST_LOCK_DIRECTORY";

    fn paths(directory: &std::path::Path) -> Paths {
        Paths::of(&directory.join("meshplan.state.json"))
    }

    fn take(paths: &Paths, operation: &str, timeout: Duration) -> Result<(Lock, Option<Holder>), Error> {
        Lock::take(paths, &Holder::this_process(operation), timeout)
    }

    #[test]
    fn a_second_holder_is_refused_and_told_who_holds_it() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(directory.path());
        let (lock, before) = take(&paths, "apply", NOW).unwrap();
        assert_eq!(before, None);
        let error = take(&paths, "destroy", NOW).unwrap_err();
        let Error::Held { holder: Some(holder), .. } = &error else { panic!("{error}") };
        assert_eq!((holder.operation.as_str(), holder.pid), ("apply", std::process::id()));
        assert!(OffsetDateTime::parse(&holder.since, &Rfc3339).is_ok(), "{}", holder.since);
        assert!(error.to_string().contains("is held by `apply` of "), "{error}");
        drop(lock);
        let (_lock, before) = take(&paths, "destroy", NOW).unwrap();
        assert_eq!(before, None, "given back in order");
    }

    #[test]
    fn a_holder_that_left_its_name_is_taken_over_and_named() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(directory.path());
        let dead = Holder::this_process("apply");
        fs::write(&paths.lock, lock_v1::write(&dead)).unwrap();
        let (lock, before) = take(&paths, "plan", NOW).unwrap();
        assert_eq!(before, Some(dead));
        let text = fs::read_to_string(&paths.lock).unwrap();
        assert_eq!(lock_v1::read(&text).map(|holder| holder.operation), Some("plan".to_owned()));
        drop(lock);
        assert!(!paths.lock.exists());
    }

    #[test]
    fn a_text_that_names_nobody_is_no_obstacle() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(directory.path());
        for text in ["", "{", "{\"id\": 1}", "a".repeat(10_000).as_str()] {
            fs::write(&paths.lock, text).unwrap();
            assert_eq!(take(&paths, "apply", NOW).unwrap().1, None);
        }
    }

    #[test]
    fn who_waits_gets_the_lock_when_it_is_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(directory.path());
        let (lock, _) = take(&paths, "apply", NOW).unwrap();
        let waiting = {
            let paths = paths.clone();
            std::thread::spawn(move || take(&paths, "destroy", Duration::from_mins(1)).map(|_| ()))
        };
        assert!(matches!(take(&paths, "plan", Duration::from_millis(50)), Err(Error::Held { .. })));
        assert!(!waiting.is_finished());
        drop(lock);
        assert!(waiting.join().unwrap().is_ok());
    }

    #[test]
    fn of_many_threads_one_at_a_time_holds_it() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(directory.path());
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let (lock, before) = take(&paths, "apply", Duration::from_mins(1)).unwrap();
                        assert_eq!(before, None);
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
    }

    /// Not a test of its own: what the children of the next one run. Without a directory it has nothing to do.
    #[test]
    fn child_takes_the_lock_and_keeps_it() {
        let Ok(directory) = std::env::var(DIRECTORY) else { return };
        let (_lock, _) = take(&paths(directory.as_ref()), "apply", NOW).unwrap();
        fs::write(std::path::Path::new(&directory).join("taken"), "").unwrap();
        std::thread::sleep(Duration::from_mins(2));
    }

    fn child(directory: &std::path::Path) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "lock::tests::child_takes_the_lock_and_keeps_it"]).env(DIRECTORY, directory);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while !directory.join("taken").exists() {
            assert!(started.elapsed() < Duration::from_mins(1), "the child did not take the lock");
            std::thread::sleep(Duration::from_millis(5));
        }
        child
    }

    #[test]
    fn another_process_holds_it_until_it_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let paths = paths(directory.path());
        let mut child = child(directory.path());
        let error = take(&paths, "destroy", NOW).unwrap_err();
        assert!(matches!(&error, Error::Held { holder: Some(holder), .. } if holder.pid == child.id()), "{error}");
        child.kill().unwrap();
        child.wait().unwrap();
        let (_lock, before) = take(&paths, "destroy", NOW).unwrap();
        assert_eq!(before.map(|holder| holder.pid), Some(child.id()));
    }
}
