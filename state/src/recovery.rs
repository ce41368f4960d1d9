//! What state and journal say together: the rules of recovery, for every backend.

use crate::backend::{Backend, Held, Kept, Names};
use crate::error::Error;
use crate::format::journal_v1::{self, Journal};
use crate::format::state_v1;
use crate::guard::KeyIs;
use crate::sealing::{Files, Opened};
use crate::store::{Loaded, Notice};
use engine::state::State;

/// What is kept, taken together.
pub(crate) struct Found {
    pub(crate) loaded: Loaded,
    /// What became of the journal.
    pub(crate) journal: Leftover,
    pub(crate) key: KeyIs,
    /// The text of the state, if a journal was replayed onto it.
    pub(crate) kept: Option<Vec<u8>>,
}

/// A journal that was found.
pub(crate) enum Leftover {
    /// There is none that counts.
    None,
    /// It has this many entries, and the state contains them now.
    Replayed(usize),
    /// It counts no more.
    Superseded,
}

/// What became of a state that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// It is written, under the next serial.
    Written,
    /// What was there remembers it all.
    Unchanged,
}

/// The text of a state under its next serial.
pub(crate) fn text_of(names: &Names, files: &Files, state: &State) -> Result<Vec<u8>, Error> {
    files.write_state(state, state.serial + 1, &state.lineage, &state.secret_key).map_err(Error::not_storable(&names.state))
}

/// Whether the text that is kept remembers what this text, as [`Files::write_state`] makes it, does.
pub(crate) fn is_remembered(kept: Option<&[u8]>, text: &[u8]) -> bool {
    kept.is_some_and(|kept| state_v1::content(kept) == state_v1::content(text))
}

/// Writes a state that contains the journal, unless nothing in it is new; the journal is gone in either case.
pub(crate) fn fold(held: &mut dyn Held, text: &[u8]) -> Result<Fold, Error> {
    if is_remembered(held.state()?.as_deref(), text) {
        held.drop_journal()?;
        return Ok(Fold::Unchanged);
    }
    held.replace(text)?;
    Ok(Fold::Written)
}

/// Reads journal and state, and replays the one onto the other.
pub(crate) fn find(backend: &dyn Backend, files: &Files) -> Result<Found, Error> {
    let names = backend.names();
    let Kept { state: kept, journal } = backend.read()?;
    let journal = journal.map(|text| journal_of(names, files, &text)).transpose()?.flatten();
    let state = kept.as_deref().map(|text| state_of(backend, files, text)).transpose()?;
    let mut sealed_with = None;
    let state = state.map(|opened| opened.content_or_note(&mut sealed_with));
    let key = if state.as_ref().is_some_and(|state| !state.secret_key.is_empty()) { KeyIs::Stored } else { KeyIs::New };
    let Some(journal) = journal.filter(|journal| !journal.content.entries.is_empty()) else {
        let loaded = Loaded { state: state.unwrap_or_default(), notices: Vec::new(), sealed_with, says_unsealed: files.says_unsealed() };
        return Ok(Found { loaded, journal: Leftover::None, key, kept: None });
    };
    let journal = journal.content_or_note(&mut sealed_with);
    let mut state = beside(names, state, &journal)?;
    let loaded = |state, notices| Loaded { state, notices, sealed_with, says_unsealed: files.says_unsealed() };
    if journal.header.serial < state.serial {
        let (journal_serial, state_serial) = (journal.header.serial, state.serial);
        let notices = vec![Notice::Superseded { journal: names.journal.clone(), journal_serial, state_serial }];
        return Ok(Found { loaded: loaded(state, notices), journal: Leftover::Superseded, key, kept: None });
    }
    if let Some(secret_key) = &journal.header.secret_key
        && state.secret_key.is_empty()
    {
        state.secret_key.clone_from(secret_key);
    }
    journal.replay(&mut state);
    let journal = Leftover::Replayed(journal.entries.len());
    Ok(Found { loaded: loaded(state, Vec::new()), journal, key, kept })
}

/// The journal in a text, or nothing if not even its first line is whole.
fn journal_of(names: &Names, files: &Files, text: &[u8]) -> Result<Option<Opened<Journal>>, Error> {
    let help =
        "the lines before it are whole: mend that line, or move the journal away and look at the world with `meshplan plan`".to_owned();
    files.read_journal(text).map_err(Error::unreadable(&names.journal, journal_v1::VERSION, help))
}

fn state_of(backend: &dyn Backend, files: &Files, text: &[u8]) -> Result<Opened<State>, Error> {
    let path = &backend.names().state;
    let Ok(text) = std::str::from_utf8(text) else {
        let (path, why, help) = (path.clone(), "it is not UTF-8".to_owned(), backend.advice());
        return Err(Error::Corrupt { path, line: 0, column: 0, why, help });
    };
    files.read_state(text).map_err(|why| Error::unreadable(path, state_v1::VERSION, backend.advice())(why))
}

/// The state that a journal stands beside, if the journal is its own and not ahead of it.
fn beside(names: &Names, state: Option<State>, journal: &Journal) -> Result<State, Error> {
    let header = &journal.header;
    let too_old = |state_serial| Error::StateTooOld { journal: names.journal.clone(), journal_serial: header.serial, state_serial };
    let Some(state) = state else {
        let new = State { lineage: header.lineage.clone(), ..State::default() };
        return if header.serial == 0 { Ok(new) } else { Err(too_old(None)) };
    };
    if state.lineage != header.lineage {
        let (journal_lineage, state_lineage) = (header.lineage.clone(), state.lineage);
        return Err(Error::OtherLineage { journal: names.journal.clone(), journal_lineage, state_lineage });
    }
    if state.serial < header.serial { Err(too_old(Some(state.serial))) } else { Ok(state) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::Local;
    use crate::paths::Paths;
    use std::fs;

    #[test]
    fn what_cannot_be_read_names_the_file_the_place_and_the_backup() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("meshplan.state.json");
        let (paths, local) = (Paths::of(&path), Local::new(&path));
        let read = || find(&local, &Files::default()).map(|found| found.loaded);
        fs::write(&paths.state, "{\n  \"version\": }").unwrap();
        let error = read().unwrap_err();
        assert!(error.to_string().ends_with("meshplan.state.json` cannot be read: line 2, column 14: expected value"), "{error}");
        assert_eq!(error.help().unwrap(), "mend the file, or bring back a copy of it; without it meshplan forgets what it made");
        fs::write(&paths.backup, "").unwrap();
        assert!(read().unwrap_err().help().unwrap().contains("meshplan.state.json.backup` holds the state before the last write"));
        fs::write(&paths.state, b"\xff").unwrap();
        assert!(read().unwrap_err().to_string().ends_with("cannot be read: it is not UTF-8"));
        fs::write(&paths.state, "{\"version\": 2, \"meshplan_version\": \"3.1.4\"}").unwrap();
        let error = read().unwrap_err();
        let said = "has version 2 of its format, written by meshplan 3.1.4; this meshplan knows versions up to 1";
        assert!(error.to_string().ends_with(said), "{error}");
        assert_eq!(error.help().unwrap(), "use meshplan 3.1.4 or a later one");
        fs::remove_file(&paths.state).unwrap();
        fs::create_dir(&paths.state).unwrap();
        assert!(matches!(read(), Err(Error::Io { action: "read", .. })));
    }
}
