//! The lock on a state: the kernel's, on a file of its own that is never renamed. What the file says is for people.

use crate::error::Error;
use crate::format::lock_v1;
use crate::paths::{Paths, open_private};
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The first wait for a lock that is held; each further one is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The id of this lock, unlike any other.
    pub id: String,
    /// The user and the machine, as `user@host`.
    pub owner: String,
    /// The process.
    pub pid: u32,
    /// What it does, such as `apply`.
    pub operation: String,
    /// Since when, in UTC (RFC 3339).
    pub since: String,
}

impl Holder {
    /// This process, from now on.
    pub(crate) fn this_process(operation: &str) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            owner: format!("{}@{}", user(), host()),
            pid: std::process::id(),
            operation: operation.to_owned(),
            since: now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, owner, pid, operation, since } = self;
        write!(f, "`{operation}` of {owner}, process {pid}, since {since} (lock {id})")
    }
}

fn user() -> String {
    let named = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok()).find(|name| !name.is_empty());
    named.unwrap_or_else(|| "unknown".to_owned())
}

fn host() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel.or_else(|| std::env::var("HOSTNAME").ok()).map(|name| name.trim().to_owned());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

/// A held lock. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock, waiting for it at most `timeout`. With it comes the holder who ended without giving it back, if there was one.
    pub(crate) fn take(paths: &Paths, holder: &Holder, timeout: Duration) -> Result<(Self, Option<Holder>), Error> {
        let failed = |action| Error::io(action, &paths.lock);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = open_private(options, &paths.lock).map_err(failed("open"))?;
        let started = Instant::now();
        let mut wait = FIRST_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed("lock")(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(Error::Held { path: paths.lock.clone(), holder: holder_of(paths).map(Box::new) });
            }
            std::thread::sleep(wait.min(left));
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        let before = io::read_to_string(&file).ok().and_then(|text| lock_v1::read(&text));
        let mut lock = Self { file };
        lock.write(&lock_v1::write(holder)).map_err(failed("write"))?;
        Ok((lock, before))
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text)
    }
}

impl Drop for Lock {
    /// Empties the text, so that the next holder knows that this one ended in order. Should that fail, the next one says that it took
    /// the lock over, and no harm is done. Closing the file gives the lock back.
    fn drop(&mut self) {
        self.write(b"").ok();
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
