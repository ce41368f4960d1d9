//! What a sandbox cluster is on disk: one append-only log in a directory of its own.
//!
//! Every change is in the log, and synced, before it is answered. Several processes may have one cluster open: each write takes the
//! lock file for as long as it appends, and everybody reads what others appended before looking. A line that a killed process
//! left unfinished was never answered; the next writer takes it out.

mod facts;
mod log;
mod transaction;
mod world;

pub(crate) use facts::Facts;
pub(crate) use transaction::Transaction;
pub(crate) use world::{Count, Event, World};

use crate::object::fresh_uid;
use crate::refusal::Refusal;
use log::{Line, Log};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// After this long nobody is still making a cluster.
const ABANDONED: Duration = Duration::from_mins(10);

/// Why a store cannot be used, as a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// Its directory or log is not there.
    Gone(String),
    /// Anything else.
    Failed(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error.to_string())
    }
}

/// An open cluster.
pub(crate) struct Store {
    open: Mutex<Open>,
    /// Tickets of writes: the last one given, and the last one known to be on disk.
    given: AtomicU64,
    synced: Mutex<u64>,
    changed: watch::Sender<u64>,
}

struct Open {
    world: World,
    log: Log,
}

impl Store {
    /// Makes the directory of a new cluster, all at once: `seed` writes what it holds from the start.
    pub(crate) fn create(
        base: &Path,
        facts: &Facts,
        seed: impl FnOnce(&mut Transaction<'_>) -> Result<(), Refusal>,
    ) -> Result<(), StoreError> {
        make_private(base)?;
        sweep(base);
        let fresh = base.join(format!(".new-{}", fresh_uid()));
        let made = Self::fill(&fresh, facts, seed).and_then(|()| {
            let target = base.join(&facts.name);
            fs::rename(&fresh, &target).map_err(|error| failed(&target, &error))?;
            log::sync_directory(base)
        });
        if made.is_err() {
            // What is left of an attempt is no cluster; nobody misses it.
            drop(fs::remove_dir_all(&fresh));
        }
        made
    }

    fn fill(directory: &Path, facts: &Facts, seed: impl FnOnce(&mut Transaction<'_>) -> Result<(), Refusal>) -> Result<(), StoreError> {
        make_private(directory)?;
        let mut world = World::new(facts.clone());
        let mut transaction = Transaction::new(&world);
        seed(&mut transaction).map_err(|refusal| StoreError::Failed(refusal.message))?;
        let events = transaction.finish();
        world.apply(events);
        Log::write_whole(directory, &world)
    }

    /// Opens the cluster of a directory.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let (log, world) = Log::open(directory)?;
        let (changed, _) = watch::channel(world.revision());
        Ok(Self { open: Mutex::new(Open { world, log }), given: AtomicU64::new(0), synced: Mutex::new(0), changed })
    }

    /// Removes the cluster of a directory; nothing happens if there is none.
    pub(crate) fn remove(base: &Path, name: &str) -> Result<(), StoreError> {
        let (directory, gone) = (base.join(name), base.join(format!(".gone-{}", fresh_uid())));
        match fs::rename(&directory, &gone) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(&directory, &error)),
        }
        log::sync_directory(base)?;
        fs::remove_dir_all(&gone).map_err(|error| failed(&gone, &error))
    }

    /// Looks at the cluster as it is now, whoever wrote last.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&World) -> R) -> Result<R, StoreError> {
        let mut open = self.lock();
        let Open { world, log } = &mut *open;
        log.catch_up(world)?;
        self.changed.send_if_modified(|seen| std::mem::replace(seen, world.revision()) != world.revision());
        Ok(look(world))
    }

    /// Says what a change would do, and does not do it.
    pub(crate) fn rehearse<R>(&self, change: impl FnOnce(&mut Transaction<'_>) -> Result<R, Refusal>) -> Result<R, Refusal> {
        self.read(|world| change(&mut Transaction::new(world)))?
    }

    /// Changes the cluster. When this returns, what it did is on disk; on an error nothing was done.
    pub(crate) fn write<R>(&self, change: impl FnOnce(&mut Transaction<'_>) -> Result<R, Refusal>) -> Result<R, Refusal> {
        let mut open = self.lock();
        let Open { world, log } = &mut *open;
        let held = log.hold_and_catch_up(world)?;
        let mut transaction = Transaction::new(world);
        let result = change(&mut transaction)?;
        let facts = transaction.changed_facts();
        let events = transaction.finish();
        if events.is_empty() && facts.is_none() {
            return Ok(result);
        }
        let mut lines: Vec<Line> = facts.into_iter().map(|facts| Line::Cluster(Box::new(facts))).collect();
        lines.push(Line::changes(&events));
        log.append(&lines)?;
        for line in lines {
            if let Line::Cluster(facts) = line {
                world.set_facts(*facts);
            }
        }
        world.apply(events);
        log.compact_if_grown(world)?;
        let file = log.file();
        let revision = world.revision();
        let ticket = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        drop(held);
        drop(open);
        self.sync(ticket, &file)?;
        self.changed.send_replace(revision);
        Ok(result)
    }

    /// Hears of every change: the revision after it.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Returns when the write with this ticket is on disk; writes that wait together share one sync.
    fn sync(&self, ticket: u64, file: &fs::File) -> Result<(), StoreError> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= ticket {
            return Ok(());
        }
        let covers = self.given.load(Ordering::SeqCst);
        file.sync_data().map_err(|error| StoreError::Failed(format!("its log could not be synced: {error}")))?;
        *synced = covers;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes what killed processes left of clusters that were being made or removed.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_old =
            || entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED));
        if name.starts_with(".gone-") || (name.starts_with(".new-") && is_old()) {
            // What cannot be removed now is tried again with the next cluster.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// The names of the clusters in a directory, sorted.
pub(crate) fn names(base: &Path) -> Vec<String> {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    let names = entries.filter(|entry| log::path(&entry.path()).is_file()).filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

fn make_private(directory: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| failed(directory, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    let text = format!("`{}`: {error}", PathBuf::from(path).display());
    if error.kind() == std::io::ErrorKind::NotFound { StoreError::Gone(text) } else { StoreError::Failed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Key;
    use serde_json::json;
    use std::io::Write;
    use std::sync::Arc;

    fn key(name: &str) -> Key {
        Key::new("configmaps", "default", name)
    }

    fn put(store: &Store, name: &str, value: u64) {
        store.write(|transaction| Ok(transaction.put(&key(name), json!({ "data": { "value": value } })))).expect("written");
    }

    fn value(store: &Store, name: &str) -> Option<u64> {
        let found = store.read(|world| world.get(&key(name)).map(|object| object["data"]["value"].as_u64()));
        found.expect("read").flatten()
    }

    fn made() -> (tempfile::TempDir, PathBuf) {
        let base = tempfile::tempdir().expect("a directory");
        Store::create(base.path(), &Facts::example("c1"), |_| Ok(())).expect("created");
        let directory = base.path().join("c1");
        (base, directory)
    }

    #[test]
    fn what_is_written_is_there_for_the_next_process() {
        let (base, directory) = made();
        put(&Store::open(&directory).expect("open"), "a", 7);
        assert_eq!(value(&Store::open(&directory).expect("open"), "a"), Some(7));
        assert_eq!(names(base.path()), ["c1"]);
        Store::remove(base.path(), "c1").expect("removed");
        Store::remove(base.path(), "c1").expect("removed again");
        assert!(matches!(Store::open(&directory), Err(StoreError::Gone(_))));
        assert_eq!(names(base.path()), Vec::<String>::new());
    }

    #[test]
    fn what_killed_processes_left_is_no_cluster_and_goes() {
        let (base, _) = made();
        for name in [".gone-1", ".new-1"] {
            fs::create_dir(base.path().join(name)).expect("left over");
            fs::write(base.path().join(name).join("log.jsonl"), "").expect("left over");
        }
        assert_eq!(names(base.path()), ["c1"]);
        Store::create(base.path(), &Facts::example("c2"), |_| Ok(())).expect("created");
        let left = |name: &str| base.path().join(name).exists();
        // One that is new may be another process's, at work.
        assert_eq!((left(".gone-1"), left(".new-1")), (false, true));
    }

    #[test]
    fn two_processes_see_each_other_s_writes() {
        let (_base, directory) = made();
        let (one, two) = (Store::open(&directory).expect("open"), Store::open(&directory).expect("open"));
        put(&one, "a", 1);
        put(&two, "b", 2);
        put(&one, "c", 3);
        for store in [&one, &two] {
            assert_eq!((value(store, "a"), value(store, "b"), value(store, "c")), (Some(1), Some(2), Some(3)));
        }
        let revisions = one.read(World::revision).expect("read");
        assert_eq!(revisions, two.read(World::revision).expect("read"));
    }

    #[test]
    fn a_cluster_made_anew_under_its_name_is_another_one() {
        let (base, directory) = made();
        let store = Store::open(&directory).expect("open");
        put(&store, "a", 1);
        Store::remove(base.path(), "c1").expect("removed");
        assert!(matches!(store.read(World::revision), Err(StoreError::Gone(_))));
        Store::create(base.path(), &Facts::example("c1"), |_| Ok(())).expect("created");
        put(&store, "b", 2);
        let other = Store::open(&directory).expect("open");
        assert_eq!((value(&other, "a"), value(&other, "b")), (None, Some(2)));
    }

    #[test]
    fn a_torn_line_was_never_answered_and_the_next_write_takes_it_out() {
        let (_base, directory) = made();
        put(&Store::open(&directory).expect("open"), "a", 1);
        let mut file = fs::OpenOptions::new().append(true).open(log::path(&directory)).expect("the log");
        file.write_all(b"{\"changes\":[{\"r\":9").expect("torn");
        let store = Store::open(&directory).expect("open");
        assert_eq!(value(&store, "a"), Some(1));
        put(&store, "b", 2);
        let again = Store::open(&directory).expect("open");
        assert_eq!((value(&again, "a"), value(&again, "b")), (Some(1), Some(2)));
    }

    #[test]
    fn a_line_that_is_no_line_is_an_error_and_no_loss() {
        let (_base, directory) = made();
        let mut file = fs::OpenOptions::new().append(true).open(log::path(&directory)).expect("the log");
        file.write_all(b"nonsense\n").expect("written");
        let Err(StoreError::Failed(why)) = Store::open(&directory) else { panic!("opened") };
        assert!(why.contains("line 4"), "{why}");
    }

    #[test]
    fn a_refused_change_leaves_nothing_and_a_rehearsed_one_neither() {
        let (_base, directory) = made();
        let store = Store::open(&directory).expect("open");
        let refused = store.write(|transaction| {
            transaction.put(&key("a"), json!({}));
            Err::<(), _>(Refusal::bad_request("no"))
        });
        assert_eq!(refused.map_err(|refusal| refusal.code), Err(400));
        store.rehearse(|transaction| Ok(transaction.put(&key("b"), json!({})))).expect("rehearsed");
        assert!(store.read(|world| world.get(&key("a")).is_none() && world.get(&key("b")).is_none()).expect("read"));
    }

    #[test]
    fn writers_of_many_threads_all_end_on_disk() {
        let (_base, directory) = made();
        let store = Arc::new(Store::open(&directory).expect("open"));
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let store = store.clone();
                std::thread::spawn(move || (0..10).for_each(|at| put(&store, &format!("{thread}-{at}"), at)))
            })
            .collect();
        for thread in threads {
            thread.join().expect("joined");
        }
        let again = Store::open(&directory).expect("open");
        assert_eq!(again.read(|world| world.list("configmaps", None).count()).expect("read"), 80);
    }

    #[test]
    fn a_log_that_grew_is_written_anew_and_counts_stay() {
        let (_base, directory) = made();
        let store = Store::open(&directory).expect("open");
        let other = Store::open(&directory).expect("open");
        let text = "x".repeat(200_000);
        for at in 0..60 {
            store.write(|transaction| Ok(transaction.put(&key("big"), json!({ "data": { "value": at, "text": text } })))).expect("written");
        }
        assert!(fs::metadata(log::path(&directory)).expect("the log").len() < 9_000_000);
        put(&other, "after", 1);
        assert_eq!((value(&other, "big"), value(&store, "after")), (Some(59), Some(1)));
        let counts = Store::open(&directory).expect("open").read(|world| world.counts().clone()).expect("read");
        assert_eq!(counts[&key("big")], Count { created: 1, deleted: 0 });
    }
}
