//! The store of one state: what is remembered, and the way to a lock on it.

use crate::backend::{Backend, Held};
use crate::error::Error;
use crate::guard::{KeyIs, Locked};
use crate::holder::Holder;
use crate::local::local;
use crate::recovery::{Fold, Found, Leftover, find, fold, is_remembered, text_of};
use crate::sealing::{Files, KeyId, Keyring};
use engine::state::State;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a secret key.
const KEY_BYTES: usize = 32;

/// A state with its journal and lock, wherever they are kept.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) backend: Arc<dyn Backend>,
    files: Arc<Files>,
}

/// What a store remembers, and what is worth saying about how it came by it.
pub struct Loaded {
    /// The state, with the journal replayed.
    pub state: State,
    /// What is worth saying.
    pub notices: Vec<Notice>,
    /// The key that it is sealed with, if that is not at hand: what is sealed in it is blocked then, and [`Store::lock`] refuses.
    pub sealed_with: Option<KeyId>,
    /// Whether it says that secrets stand in it as they are.
    pub says_unsealed: bool,
}

/// Which state it is and nothing of what is in it: that may be secret.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, notices, sealed_with, says_unsealed: _ } = self;
        f.debug_struct("Loaded")
            .field("lineage", &state.lineage)
            .field("serial", &state.serial)
            .field("notices", notices)
            .field("sealed_with", sealed_with)
            .finish_non_exhaustive()
    }
}

/// Something that a user should hear of when state is read or locked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The last holder of the lock ended without giving it back.
    TookOver(Holder),
    /// An apply did not end, or is still running, and what it journaled is part of the state that was read.
    Unfinished {
        /// The journal.
        journal: PathBuf,
        /// How many entries it has.
        entries: usize,
    },
    /// An apply did not end; what it journaled is now part of the state file.
    Replayed {
        /// How many entries there were.
        entries: usize,
        /// The serial that the state file has now.
        serial: u64,
    },
    /// A journal was left beside a state that already contains it.
    Superseded {
        /// The journal.
        journal: PathBuf,
        /// The serial it continues.
        journal_serial: u64,
        /// The serial of the state.
        state_serial: u64,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TookOver(holder) => write!(f, "took over the lock: its holder ended without giving it back: {holder}"),
            Self::Unfinished { journal, entries } => {
                write!(f, "an apply is running or did not end: {} of `{}` counted in", lines(*entries), journal.display())
            }
            Self::Replayed { entries, serial } => {
                write!(f, "the last apply did not end: {} of its journal replayed, the state has serial {serial} now", lines(*entries))
            }
            Self::Superseded { journal, journal_serial, state_serial } => write!(
                f,
                "`{}` continues serial {journal_serial} and is not counted: the state has serial {state_serial} and contains it",
                journal.display()
            ),
        }
    }
}

fn lines(count: usize) -> String {
    if count == 1 { "1 line".to_owned() } else { format!("{count} lines") }
}

impl Store {
    /// The store of the state file with this path. No file is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::on(local(&path.into()))
    }

    /// The store of what a backend keeps.
    pub fn on(backend: Arc<dyn Backend>) -> Self {
        Self { backend, files: Arc::default() }
    }

    /// The same store, which opens and seals with these keys.
    #[must_use]
    pub fn with_keys(self, keyring: Keyring) -> Self {
        Self { files: Arc::new(Files::new(keyring)), ..self }
    }

    /// A state that is kept elsewhere, with the same keys.
    #[must_use]
    pub fn kept_on(&self, backend: Arc<dyn Backend>) -> Self {
        Self { backend, files: self.files.clone() }
    }

    /// Whether what is written is sealed.
    pub fn seals(&self) -> bool {
        self.files.seals()
    }

    /// What reading it would give right after this state was written.
    pub fn holding(&self, state: State) -> Loaded {
        Loaded { state, notices: Vec::new(), sealed_with: None, says_unsealed: self.files.says_unsealed() }
    }

    /// The keys to open with, and to seal with.
    pub(crate) fn keyring(&self) -> &Keyring {
        self.files.keyring()
    }

    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// The path of the state file, or what else names the state.
    pub fn path(&self) -> &Path {
        &self.backend.names().state
    }

    /// What is remembered, with the journal replayed in memory: takes no lock, writes nothing. Nothing at all yet is an empty state
    /// of serial 0. A state with a journal has the serial that the next lock gives it.
    pub fn read(&self) -> Result<Loaded, Error> {
        let Found { mut loaded, journal, kept, .. } = find(&*self.backend, &self.files)?;
        let names = self.backend.names();
        match journal {
            Leftover::Replayed(entries) => {
                // Without the key it cannot be written, and so not be compared: it will hardly have come to nothing.
                if loaded.sealed_with.is_some() || !is_remembered(kept.as_deref(), &text_of(names, &self.files, &loaded.state)?) {
                    loaded.state.serial += 1;
                }
                loaded.notices.push(Notice::Unfinished { journal: names.journal.clone(), entries });
            }
            // An apply may have ended between the reading of its journal and of its state.
            Leftover::Superseded if self.backend.read()?.journal.is_none() => loaded.notices.clear(),
            Leftover::Superseded | Leftover::None => {}
        }
        Ok(loaded)
    }

    /// Locks the state for an operation such as `apply`, waiting for the lock at most `timeout`, and reads it. A journal that an
    /// apply left is folded in at once, under the next serial. A state that is new gets its lineage and its key here.
    ///
    /// Blocks the calling thread while it waits; with a timeout of zero it does not wait.
    pub fn lock(&self, operation: &str, timeout: Duration) -> Result<(Locked, Loaded), Error> {
        let (mut held, before) = self.backend.take(&Holder::this_process(operation), timeout)?;
        let begun = self.begin(&mut *held);
        let (mut loaded, key) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                // The first failure is what a user should hear of.
                held.release().ok();
                return Err(error);
            }
        };
        loaded.notices.splice(0..0, before.map(Notice::TookOver));
        let locked = Locked::begin((self.backend.names().clone(), self.files.clone()), held, &loaded.state, key)?;
        Ok((locked, loaded))
    }

    /// Who has the lock, or had it when it ended.
    pub fn claimed(&self) -> Result<Option<Holder>, Error> {
        self.backend.claimed()
    }

    /// Gives the lock with this id back in its holder's place.
    pub fn break_lock(&self, id: &str) -> Result<(), Error> {
        self.backend.break_lock(id)
    }

    /// Reads and mends what is kept, and gives a new state what it needs.
    pub(crate) fn begin(&self, held: &mut dyn Held) -> Result<(Loaded, KeyIs), Error> {
        let Found { mut loaded, journal, mut key, .. } = find(&*self.backend, &self.files)?;
        let names = self.backend.names();
        if let Some(sealed_with) = loaded.sealed_with {
            return Err(Error::sealed(&names.state, sealed_with));
        }
        match journal {
            Leftover::None | Leftover::Superseded => held.drop_journal()?,
            Leftover::Replayed(entries) => {
                let text = text_of(names, &self.files, &loaded.state)?;
                if fold(held, &text)? == Fold::Written {
                    loaded.state.serial += 1;
                }
                loaded.notices.push(Notice::Replayed { entries, serial: loaded.state.serial });
                key = KeyIs::Stored;
            }
        }
        let state = &mut loaded.state;
        if state.lineage.is_empty() {
            state.lineage = uuid::Uuid::new_v4().to_string();
        }
        if state.secret_key.is_empty() {
            state.secret_key = new_key().map_err(Error::io("make a key for", &names.state))?;
            key = KeyIs::New;
        }
        Ok((loaded, key))
    }
}

fn new_key() -> std::io::Result<Vec<u8>> {
    let mut key = vec![0; KEY_BYTES];
    getrandom::fill(&mut key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_store::Step;
    use crate::format::journal_v1::{Header, write_entries, write_header};
    use crate::format::state_v1;
    use crate::paths::Paths;
    use crate::sample::state_of_everything;
    use crate::sealing::{KeySource, SealingKey};
    use engine::address::Address;
    use engine::port::Guard;
    use engine::state::{Entry, Operation, Record, RecordId, Status};
    use engine::value::Value;
    use std::fs;

    const NOW: Duration = Duration::ZERO;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn new_store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path().join("meshplan.state.json"));
        (directory, store)
    }

    fn put(name: &str, size: u64) -> Entry {
        let mut record = Record::new(RecordId::new(name), "thing");
        record.attributes = Value::object([("size", Value::number(size))]);
        Entry::Put { address: Address::managed("thing", name), deposed: None, record }
    }

    /// Locks, appends each batch, folds or not, and gives the lock back.
    fn run(store: &Store, batches: &[Vec<Entry>], ending: Ending) -> State {
        let (locked, loaded) = store.lock("apply", NOW).unwrap();
        let mut state = loaded.state;
        for batch in batches {
            block_on(locked.append(batch)).unwrap();
            for entry in batch {
                state.apply(entry);
            }
        }
        if ending == Ending::Fold {
            state.serial = block_on(locked.fold(&state)).unwrap();
        }
        block_on(Box::new(locked).release()).unwrap();
        state
    }

    #[derive(PartialEq, Clone, Copy)]
    enum Ending {
        Fold,
        Die,
    }

    #[test]
    fn nothing_yet_is_an_empty_state_and_touches_nothing() {
        let (directory, store) = new_store();
        let loaded = store.read().unwrap();
        assert_eq!(loaded.state, State::default());
        assert_eq!(loaded.notices, []);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_folded_is_read_again_with_its_lineage_and_key() {
        let (_directory, store) = new_store();
        let first = run(&store, &[vec![put("a", 1)], vec![put("b", 2)]], Ending::Fold);
        assert_eq!((first.serial, first.lineage.len(), first.secret_key.len()), (1, 36, KEY_BYTES));
        assert_eq!(store.read().unwrap().state, first);
        let second = run(&store, &[vec![put("a", 3)]], Ending::Fold);
        assert_eq!((second.serial, &second.lineage, &second.secret_key), (2, &first.lineage, &first.secret_key));
        let paths = Paths::of(store.path());
        assert!(!paths.journal.exists());
        let backup = fs::read_to_string(&paths.backup).unwrap();
        assert_eq!(state_v1::read(&backup), Ok(first));
    }

    #[test]
    fn an_unchanged_state_keeps_its_serial_and_its_bytes() {
        let (_directory, store) = new_store();
        run(&store, &[vec![put("a", 1)]], Ending::Fold);
        let before = fs::read(store.path()).unwrap();
        let again = run(&store, &[vec![put("a", 2)], vec![put("a", 1)]], Ending::Fold);
        assert_eq!(again.serial, 1);
        assert_eq!(fs::read(store.path()).unwrap(), before);
        assert!(!Paths::of(store.path()).journal.exists());
    }

    #[test]
    fn an_apply_of_nothing_leaves_no_state() {
        let (_directory, store) = new_store();
        assert_eq!(run(&store, &[], Ending::Fold).serial, 0);
        assert!(!store.path().exists());
    }

    #[test]
    fn one_guard_folds_and_goes_on() {
        let (_directory, store) = new_store();
        let (locked, loaded) = store.lock("apply", NOW).unwrap();
        let mut state = loaded.state;
        for round in 1..4 {
            let entry = put("a", round);
            block_on(locked.append(std::slice::from_ref(&entry))).unwrap();
            state.apply(&entry);
            assert_eq!(block_on(locked.fold(&state)), Ok(round));
            assert_eq!(locked.serial(), round);
        }
        drop(locked);
        assert_eq!(store.read().unwrap().state.serial, 3);
    }

    #[test]
    fn what_was_journaled_survives_and_becomes_part_of_the_state_at_the_next_lock() {
        let (_directory, store) = new_store();
        for base in 0..3 {
            let died = run(&store, &[vec![put("a", base), put("b", base)], vec![put("c", base)]], Ending::Die);
            let read = store.read().unwrap();
            assert_eq!((&read.state.resources, read.state.serial), (&died.resources, base + 1));
            assert_eq!((&read.state.lineage, &read.state.secret_key), (&died.lineage, &died.secret_key));
            assert!(matches!(read.notices.as_slice(), [Notice::Unfinished { entries: 3, .. }]), "{:?}", read.notices);
            assert_eq!(store.read().unwrap().state, read.state, "reading writes nothing");
            let (locked, loaded) = store.lock("apply", NOW).unwrap();
            assert_eq!(loaded.state, read.state);
            assert_eq!(loaded.notices, [Notice::Replayed { entries: 3, serial: base + 1 }]);
            drop(locked);
            let after = store.read().unwrap();
            assert_eq!((after.state, after.notices), (loaded.state, Vec::new()));
        }
    }

    #[test]
    fn a_journal_that_came_to_nothing_makes_no_new_serial() {
        let (_directory, store) = new_store();
        run(&store, &[vec![put("a", 1)]], Ending::Fold);
        run(&store, &[vec![put("a", 2)], vec![put("a", 1)]], Ending::Die);
        assert_eq!(store.read().unwrap().state.serial, 1);
        let (_locked, loaded) = store.lock("apply", NOW).unwrap();
        assert_eq!(loaded.notices, [Notice::Replayed { entries: 2, serial: 1 }]);
    }

    #[test]
    fn cut_at_any_byte_a_journal_holds_the_entries_whose_lines_are_whole() {
        let (_directory, store) = new_store();
        let base = run(&store, &[vec![put("a", 1)]], Ending::Fold);
        let entries = [put("a", 2), put("b", 3), Entry::Remove { address: Address::managed("thing", "a"), deposed: None }];
        run(&store, &[entries.to_vec()], Ending::Die);
        let paths = Paths::of(store.path());
        let whole = fs::read(&paths.journal).unwrap();
        for cut in 0..=whole.len() {
            for zeros in [0, 7] {
                let mut bytes = whole[..cut].to_vec();
                bytes.extend(vec![0; zeros]);
                fs::write(&paths.journal, bytes).unwrap();
                let lines = whole[..cut].split(|byte| *byte == b'\n').count() - 1;
                let mut expected = base.clone();
                entries.iter().take(lines.saturating_sub(1)).for_each(|entry| expected.apply(entry));
                let read = store.read().unwrap().state;
                assert_eq!(read.resources, expected.resources, "cut at {cut}");
                assert_eq!(read.serial, if lines > 1 { 2 } else { 1 }, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_first_journal_cut_at_any_byte_is_a_state_or_nothing() {
        let (_directory, store) = new_store();
        run(&store, &[vec![put("a", 1)]], Ending::Die);
        let paths = Paths::of(store.path());
        let whole = fs::read(&paths.journal).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&paths.journal, &whole[..cut]).unwrap();
            let state = store.read().unwrap().state;
            assert_eq!((state.serial, state.resources.len()), if cut == whole.len() { (1, 1) } else { (0, 0) });
        }
    }

    #[test]
    fn killed_after_any_step_of_a_write_the_state_is_the_old_or_the_new_one_and_nothing_is_lost() {
        for performed in 0..=Step::ALL.len() {
            let (_directory, store) = new_store();
            run(&store, &[vec![put("a", 1)]], Ending::Fold);
            run(&store, &[vec![put("a", 2)]], Ending::Fold);
            let died = run(&store, &[vec![put("b", 3)]], Ending::Die);
            let paths = Paths::of(store.path());
            let text = text_of(store.backend.names(), &store.files, &died).unwrap();
            for step in &Step::ALL[..performed] {
                step.perform(&paths, &text).unwrap();
            }
            let read = store.read().unwrap().state;
            assert_eq!((&read.resources, read.serial), (&died.resources, 3), "after {performed} steps");
            let (locked, loaded) = store.lock("apply", NOW).unwrap();
            assert_eq!((&loaded.state.resources, loaded.state.serial), (&died.resources, 3), "after {performed} steps");
            drop(locked);
            assert!(!paths.journal.exists());
            let backup = state_v1::read(&fs::read_to_string(&paths.backup).unwrap()).unwrap();
            assert_eq!(backup.serial, 2);
            run(&store, &[vec![put("b", 4)]], Ending::Fold);
            assert!(!paths.staged.exists() && !paths.backup_staged.exists());
        }
    }

    #[test]
    fn an_interrupted_effect_is_remembered_as_such() {
        let (_directory, store) = new_store();
        let mut record = Record::new(RecordId::new("r"), "thing");
        record.status = Status::Interrupted(Operation::Create);
        let address = Address::managed("thing", "a");
        run(&store, &[vec![Entry::Intent { address: address.clone(), deposed: None, record }]], Ending::Die);
        let state = store.read().unwrap().state;
        assert_eq!(state.record(&address).map(|record| record.status), Some(Status::Interrupted(Operation::Create)));
    }

    fn write_journal(store: &Store, lineage: &str, serial: u64) {
        let header = Header { lineage: lineage.to_owned(), serial, secret_key: None };
        let mut text = write_header(&header).unwrap();
        text.extend(write_entries(&[put("z", 9)]).unwrap());
        fs::write(Paths::of(store.path()).journal, text).unwrap();
    }

    #[test]
    fn a_journal_counts_only_onto_the_very_state_it_continues() {
        let (_directory, store) = new_store();
        run(&store, &[vec![put("a", 1)]], Ending::Fold);
        let state = run(&store, &[vec![put("a", 2)]], Ending::Fold);
        write_journal(&store, &state.lineage, 2);
        assert_eq!(store.read().unwrap().state.resources.len(), 2);

        write_journal(&store, &state.lineage, 1);
        let read = store.read().unwrap();
        assert_eq!(read.state, state);
        assert!(read.notices[0].to_string().contains("continues serial 1 and is not counted: the state has serial 2"));
        assert!(Paths::of(store.path()).journal.exists());

        write_journal(&store, &state.lineage, 3);
        let error = store.read().unwrap_err();
        assert!(matches!(error, Error::StateTooOld { journal_serial: 3, state_serial: Some(2), .. }), "{error}");
        assert!(store.lock("apply", NOW).is_err());

        write_journal(&store, "another", 2);
        let error = store.lock("apply", NOW).unwrap_err();
        assert!(matches!(&error, Error::OtherLineage { journal_lineage, .. } if journal_lineage == "another"), "{error}");

        fs::remove_file(store.path()).unwrap();
        assert!(matches!(store.read().unwrap_err(), Error::StateTooOld { state_serial: None, .. }));
        assert!(Paths::of(store.path()).journal.exists(), "an error removes nothing");
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_nothing_is_written() {
        for (state, journal) in [("{", None), ("{\"version\": 2}", None), ("{\"version\": 1}", None), ("", Some("{}\n"))] {
            let (directory, store) = new_store();
            let paths = Paths::of(store.path());
            if !state.is_empty() {
                fs::write(&paths.state, state).unwrap();
            }
            if let Some(journal) = journal {
                fs::write(&paths.journal, journal).unwrap();
            }
            assert!(store.read().is_err() && store.lock("apply", NOW).is_err());
            let left: Vec<_> =
                fs::read_dir(directory.path()).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
            assert_eq!(left, [journal.unwrap_or(state)]);
        }
    }

    #[test]
    fn a_superseded_journal_is_removed_by_the_next_lock() {
        let (_directory, store) = new_store();
        let state = run(&store, &[vec![put("a", 1)]], Ending::Fold);
        write_journal(&store, &state.lineage, 0);
        let (_locked, loaded) = store.lock("apply", NOW).unwrap();
        assert!(matches!(loaded.notices.as_slice(), [Notice::Superseded { journal_serial: 0, state_serial: 1, .. }]));
        assert_eq!(loaded.state, state);
        assert!(!Paths::of(store.path()).journal.exists());
    }

    #[test]
    fn a_restored_backup_is_a_state_of_its_own_right() {
        let (_directory, store) = new_store();
        let first = run(&store, &[vec![put("a", 1)]], Ending::Fold);
        run(&store, &[vec![put("a", 2)]], Ending::Fold);
        let paths = Paths::of(store.path());
        fs::copy(&paths.backup, &paths.state).unwrap();
        assert_eq!(store.read().unwrap().state, first);
        assert_eq!(run(&store, &[vec![put("a", 5)]], Ending::Fold).serial, 2);
    }

    #[test]
    fn a_state_of_another_lineage_is_not_written() {
        let (_directory, store) = new_store();
        let (locked, loaded) = store.lock("apply", NOW).unwrap();
        let mut other = loaded.state;
        other.apply(&put("a", 1));
        other.lineage = "another".to_owned();
        let error = block_on(locked.fold(&other)).unwrap_err();
        assert!(error.0.contains("the state to be written of `another`"), "{error}");
        assert!(!store.path().exists());
    }

    #[test]
    fn what_is_not_known_is_not_written() {
        let (_directory, store) = new_store();
        let (locked, _) = store.lock("apply", NOW).unwrap();
        let mut record = Record::new(RecordId::new("r"), "thing");
        record.attributes = Value::object([("ip", Value::unknown(engine::value::Type::String))]);
        let entry = Entry::Put { address: Address::managed("thing", "a"), deposed: None, record };
        let error = block_on(locked.append(&[entry])).unwrap_err();
        assert!(error.0.contains("`thing.a` cannot be written"), "{error}");
        assert!(!Paths::of(store.path()).journal.exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_any_of_the_files() {
        use std::os::unix::fs::PermissionsExt;
        let (directory, store) = new_store();
        run(&store, &[vec![put("a", 1)]], Ending::Fold);
        fs::set_permissions(store.path(), fs::Permissions::from_mode(0o644)).unwrap();
        run(&store, &[vec![put("a", 2)]], Ending::Fold);
        run(&store, &[vec![put("a", 3)]], Ending::Die);
        let mut seen = 0;
        for entry in fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
            seen += 1;
        }
        assert_eq!(seen, 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_state_is_the_state() {
        let (directory, store) = new_store();
        run(&store, &[vec![put("a", 1)]], Ending::Fold);
        let link = directory.path().join("link.json");
        std::os::unix::fs::symlink(store.path(), &link).unwrap();
        let linked = Store::new(&link);
        let (held, _) = store.lock("apply", NOW).unwrap();
        assert!(matches!(linked.lock("apply", NOW).unwrap_err(), Error::Held { .. }));
        drop(held);
        run(&linked, &[vec![put("a", 2)]], Ending::Fold);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(store.read().unwrap().state.serial, 2);
    }

    #[test]
    fn everything_at_once_survives() {
        let (_directory, store) = new_store();
        let (locked, loaded) = store.lock("apply", NOW).unwrap();
        let mut state = state_of_everything();
        (state.lineage, state.secret_key) = (loaded.state.lineage, loaded.state.secret_key);
        state.serial = block_on(locked.fold(&state)).unwrap();
        drop(locked);
        assert_eq!(store.read().unwrap().state, state);
    }

    fn sealing(store: &Store, byte: u8, fallbacks: &[u8]) -> Store {
        let key = |byte: &u8| KeySource::Key(SealingKey::from_bytes(&[*byte; 32]).unwrap());
        store.clone().with_keys(Keyring::new(key(&byte), fallbacks.iter().map(key).collect()))
    }

    fn put_secret(name: &str, secret: &str) -> Entry {
        let mut record = Record::new(RecordId::new(name), "thing");
        record.attributes = Value::object([("token", Value::string(secret).sensitive())]);
        Entry::Put { address: Address::managed("thing", name), deposed: None, record }
    }

    fn text(store: &Store) -> String {
        fs::read_to_string(store.path()).unwrap()
    }

    #[test]
    fn what_stood_unsealed_is_sealed_by_the_next_write_and_by_another_key_with_the_one_after() {
        let (_directory, store) = new_store();
        let first = run(&store, &[vec![put_secret("a", "hunter2")]], Ending::Fold);
        assert!(text(&store).contains("hunter2") && store.read().unwrap().says_unsealed);
        let sealed = sealing(&store, 1, &[]);
        assert_eq!(sealed.read().unwrap().state, first);
        let second = run(&sealed, &[], Ending::Fold);
        assert_eq!((second.serial, &second.secret_key), (2, &first.secret_key));
        assert!(!text(&store).contains("hunter2"), "{}", text(&store));
        let before = text(&store);
        assert_eq!(
            run(&sealing(&store, 1, &[]), &[vec![put_secret("a", "other")], vec![put_secret("a", "hunter2")]], Ending::Fold).serial,
            2
        );
        assert_eq!(text(&store), before, "what did not change keeps its sealed text");
        let rotated = sealing(&store, 2, &[1]);
        assert_eq!(run(&rotated, &[], Ending::Fold).serial, 3);
        assert_eq!(sealing(&store, 2, &[]).read().unwrap().state.resources, first.resources);
        assert!(sealing(&store, 1, &[]).read().unwrap().sealed_with.is_some());
    }

    #[test]
    fn a_sealed_journal_is_replayed_with_the_key_and_left_alone_without() {
        let (_directory, store) = new_store();
        for base in 0..2 {
            let sealed = sealing(&store, 1, &[]);
            let died = run(&sealed, &[vec![put_secret("a", "hunter2")], vec![put_secret("b", &format!("secret{base}"))]], Ending::Die);
            let paths = Paths::of(store.path());
            let kept = fs::read_to_string(&paths.journal).unwrap();
            assert!(!kept.contains("hunter2") && !kept.contains("secret0") && kept.contains("sealed:v1:"), "{kept}");
            for other in [store.clone(), sealing(&store, 2, &[])] {
                let loaded = other.read().unwrap();
                assert_eq!((loaded.state.resources.len(), loaded.state.serial), (2, base + 1));
                assert!(loaded.sealed_with.is_some());
                for _ in 0..2 {
                    let error = other.lock("apply", NOW).map(|_| ()).unwrap_err();
                    assert!(matches!(error, Error::Sealed { .. }), "the lock is given back: {error}");
                }
                assert_eq!(fs::read_to_string(&paths.journal).unwrap(), kept);
            }
            let again = sealing(&store, 1, &[]);
            let read = again.read().unwrap().state;
            assert_eq!((&read.resources, &read.secret_key), (&died.resources, &died.secret_key));
            let (locked, loaded) = again.lock("apply", NOW).unwrap();
            assert_eq!(loaded.state, read);
            drop(locked);
            assert!(!text(&store).contains("hunter2"));
            assert_eq!(sealing(&store, 1, &[]).read().unwrap().state, read);
        }
    }

    #[test]
    fn nothing_shows_a_key() {
        let (_directory, store) = new_store();
        let shown = format!("{:?}", sealing(&store, 77, &[78]));
        assert!(shown.contains("SealingKey") && !shown.contains("77") && !shown.contains("[78"), "{shown}");
    }
}
