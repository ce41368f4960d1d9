//! The log file: JSON lines, read from where reading stopped, appended under a lock.

use super::{Count, Event, Facts, StoreError, World, failed};
use crate::object::{Json, fresh_uid};
use crate::resource::Key;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Below this many bytes a log is never written anew.
const SMALL: u64 = 8 * 1024 * 1024;
/// How long a writer waits for others.
const PATIENCE: Duration = Duration::from_secs(10);

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// What the cluster is; the last one counts.
    Cluster(Box<Facts>),
    /// What one transaction did.
    Changes(Vec<Change>),
    /// What a log that was written anew knows of the time before.
    Resume {
        /// The revision.
        revision: u64,
        /// How often each object was made and deleted.
        counts: Vec<(String, String, String, Count)>,
    },
}

/// One change of one object.
#[derive(Serialize, Deserialize)]
pub(super) struct Change {
    /// Revision.
    r: u64,
    /// Resource, namespace and name.
    k: (String, String, String),
    /// The object; null after a deletion.
    o: Option<Json>,
}

impl Line {
    /// The line of what a transaction did.
    pub(super) fn changes(events: &[Event]) -> Self {
        let key = |key: &Key| (key.resource.to_string(), key.namespace.to_string(), key.name.to_string());
        Self::Changes(
            events.iter().map(|event| Change { r: event.revision, k: key(&event.key), o: event.new.as_deref().cloned() }).collect(),
        )
    }

    fn replay(self, world: &mut World) {
        match self {
            Self::Cluster(facts) => world.set_facts(*facts),
            Self::Changes(changes) => {
                for change in changes {
                    let key = Key::new(&change.k.0, &change.k.1, &change.k.2);
                    let old = world.get(&key).cloned();
                    world.apply(vec![Event { revision: change.r, key, old, new: change.o.map(Arc::new) }]);
                }
            }
            Self::Resume { revision, counts } => {
                let counts = counts.into_iter().map(|(resource, namespace, name, count)| (Key::new(&resource, &namespace, &name), count));
                world.resume(revision, counts.collect());
            }
        }
    }
}

/// An open log.
pub(super) struct Log {
    directory: PathBuf,
    file: Arc<File>,
    lock: Arc<File>,
    /// Device and inode: another one means that the log was written anew.
    identity: (u64, u64),
    /// How many bytes were read or written: whole lines.
    read: u64,
    lines: usize,
    /// The size at which it is written anew.
    limit: u64,
}

/// The lock, held until this is dropped.
pub(super) struct Held(Arc<File>);

impl Drop for Held {
    fn drop(&mut self) {
        // Closing the file gives the lock back as well.
        drop(self.0.unlock());
    }
}

/// The log's path within a cluster's directory.
pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("log.jsonl")
}

impl Log {
    /// Opens the log of a directory and reads it.
    pub(super) fn open(directory: &Path) -> Result<(Self, World), StoreError> {
        let path = path(directory);
        let file = OpenOptions::new().read(true).append(true).open(&path).map_err(|error| failed(&path, &error))?;
        let metadata = file.metadata().map_err(|error| failed(&path, &error))?;
        let lock_path = directory.join("lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock_path);
        let lock = lock.map_err(|error| failed(&lock_path, &error))?;
        let mut log = Self {
            directory: directory.to_owned(),
            file: Arc::new(file),
            lock: Arc::new(lock),
            identity: (metadata.dev(), metadata.ino()),
            read: 0,
            lines: 0,
            limit: 0,
        };
        let text = log.unread(metadata.len())?;
        let (first, rest) = text.split_once('\n').ok_or_else(|| log.corrupt(1, "it holds no whole line"))?;
        let Ok(Line::Cluster(facts)) = serde_json::from_str(first) else { return Err(log.corrupt(1, "it does not start with a cluster")) };
        let mut world = World::new(*facts);
        log.took(first);
        log.replay(rest, &mut world)?;
        log.limit = SMALL.max(log.read * 4);
        Ok((log, world))
    }

    /// Writes a log that starts with the world as it is, and puts it in place of the one that is there.
    pub(super) fn write_whole(directory: &Path, world: &World) -> Result<(), StoreError> {
        let (fresh, target) = (directory.join(format!(".log-{}", fresh_uid())), path(directory));
        let events = world.objects().iter().map(|(key, object)| {
            let version = object.pointer("/metadata/resourceVersion").and_then(Json::as_str).and_then(|text| text.parse().ok());
            Event { revision: version.unwrap_or(0), key: key.clone(), old: None, new: Some(object.clone()) }
        });
        let events = events.collect::<Vec<_>>();
        let counts =
            world.counts().iter().map(|(key, count)| (key.resource.to_string(), key.namespace.to_string(), key.name.to_string(), *count));
        let lines = [
            Line::Cluster(Box::new(world.facts().clone())),
            Line::changes(&events),
            Line::Resume { revision: world.revision(), counts: counts.collect() },
        ];
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).and_then(|mut file| {
            file.write_all(encode(&lines).as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &target)
        });
        if let Err(error) = written {
            // The old log is still in place; the attempt is of no use.
            drop(fs::remove_file(&fresh));
            return Err(failed(&target, &error));
        }
        sync_directory(directory)
    }

    /// Reads what others appended.
    pub(super) fn catch_up(&mut self, world: &mut World) -> Result<(), StoreError> {
        let path = path(&self.directory);
        let metadata = fs::metadata(&path).map_err(|error| failed(&path, &error))?;
        if (metadata.dev(), metadata.ino()) != self.identity || metadata.len() < self.read {
            (*self, *world) = Self::open(&self.directory)?;
            return Ok(());
        }
        if metadata.len() == self.read {
            return Ok(());
        }
        let text = self.unread(metadata.len())?;
        self.replay(&text, world)
    }

    /// Takes the lock and catches up. An unfinished line is nobody's any more, and goes.
    pub(super) fn hold_and_catch_up(&mut self, world: &mut World) -> Result<Held, StoreError> {
        let held = loop {
            let held = self.hold()?;
            self.catch_up(world)?;
            // Opening a log anew opens its lock anew; it is that one that counts.
            if Arc::ptr_eq(&held.0, &self.lock) {
                break held;
            }
        };
        let path = path(&self.directory);
        let length = self.file.metadata().map_err(|error| failed(&path, &error))?.len();
        if length > self.read {
            self.file.set_len(self.read).map_err(|error| failed(&path, &error))?;
        }
        Ok(held)
    }

    /// Takes the lock that makes a process the only one that appends.
    fn hold(&self) -> Result<Held, StoreError> {
        let started = Instant::now();
        loop {
            match self.lock.try_lock() {
                Ok(()) => return Ok(Held(self.lock.clone())),
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(2)),
                Err(TryLockError::WouldBlock) => {
                    let path = self.directory.join("lock");
                    return Err(StoreError::Failed(format!(
                        "another process has held `{}` for {} seconds",
                        path.display(),
                        PATIENCE.as_secs()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(failed(&self.directory.join("lock"), &error)),
            }
        }
    }

    /// Appends lines, under the lock.
    pub(super) fn append(&mut self, lines: &[Line]) -> Result<(), StoreError> {
        let text = encode(lines);
        if let Err(error) = (&*self.file).write_all(text.as_bytes()) {
            // What was written of it must not be read as an answer.
            drop(self.file.set_len(self.read));
            return Err(failed(&path(&self.directory), &error));
        }
        self.read += text.len() as u64;
        self.lines += lines.len();
        Ok(())
    }

    /// Writes the log anew if most of it is of the past. Under the lock.
    pub(super) fn compact_if_grown(&mut self, world: &mut World) -> Result<(), StoreError> {
        if self.read < self.limit {
            return Ok(());
        }
        Self::write_whole(&self.directory, world)?;
        let (file, held) = (Self::open(&self.directory)?.0, self.lock.clone());
        *self = Self { lock: held, ..file };
        Ok(())
    }

    /// The file, to be synced.
    pub(super) fn file(&self) -> Arc<File> {
        self.file.clone()
    }

    fn unread(&self, length: u64) -> Result<String, StoreError> {
        let mut bytes = vec![0; usize::try_from(length - self.read).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut bytes, self.read).map_err(|error| failed(&path(&self.directory), &error))?;
        if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
            bytes.truncate(end + 1);
        } else {
            bytes.clear();
        }
        String::from_utf8(bytes).map_err(|_| self.corrupt(self.lines + 1, "it is no UTF-8"))
    }

    fn replay(&mut self, text: &str, world: &mut World) -> Result<(), StoreError> {
        for line in text.lines() {
            let parsed: Line = serde_json::from_str(line).map_err(|error| self.corrupt(self.lines + 1, &error.to_string()))?;
            parsed.replay(world);
            self.took(line);
        }
        Ok(())
    }

    fn took(&mut self, line: &str) {
        self.read += line.len() as u64 + 1;
        self.lines += 1;
    }

    fn corrupt(&self, line: usize, why: &str) -> StoreError {
        StoreError::Failed(format!("`{}` is damaged in line {line}: {why}", path(&self.directory).display()))
    }
}

fn encode(lines: &[Line]) -> String {
    lines.iter().filter_map(|line| serde_json::to_string(line).ok()).fold(String::new(), |text, line| text + &line + "\n")
}

/// Makes what was renamed or removed in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(|error| failed(directory, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_survive_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut world = World::new(Facts::example("c"));
        let key = Key::new("secrets", "ns", "s");
        let event = |revision, old: Option<Json>, new: Option<Json>| Event {
            revision,
            key: key.clone(),
            old: old.map(Arc::new),
            new: new.map(Arc::new),
        };
        let object = json!({ "metadata": { "resourceVersion": "4" } });
        world.apply(vec![event(2, None, Some(json!(1))), event(3, Some(json!(1)), None), event(4, None, Some(object.clone()))]);
        Log::write_whole(directory.path(), &world).expect("written");
        let (log, read) = Log::open(directory.path()).expect("open");
        assert!(read.facts() == world.facts());
        assert_eq!((read.revision(), read.get(&key).map(|object| (**object).clone())), (4, Some(object)));
        assert_eq!(read.counts(), world.counts());
        assert!(read.since(3).is_none());
        assert_eq!(log.lines, 3);
    }

    #[test]
    fn the_log_is_for_its_owner_only() {
        let directory = tempfile::tempdir().expect("a directory");
        Log::write_whole(directory.path(), &World::new(Facts::example("c"))).expect("written");
        let mode = fs::metadata(path(directory.path())).expect("the log").mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
