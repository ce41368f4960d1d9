//! What goes wrong with the files, each with what to do about it.

use crate::format::{NotStorable, Unreadable};
use crate::holder::Holder;
use crate::sealing::KeyId;
use engine::diagnostic::Diagnostic;
use engine::port::StoreError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why state could not be read, locked or written. Every text names the file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it was refused.
        source: io::Error,
    },
    /// The state file or the journal is damaged.
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Line, from one; zero if it is about the whole.
        line: usize,
        /// Column, from one; zero if it is about the whole line.
        column: usize,
        /// What is wrong.
        why: String,
        /// What to do.
        help: String,
    },
    /// A newer meshplan wrote the file in a newer version of its format.
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u64,
        /// The newest version that this meshplan knows.
        known: u64,
        /// The meshplan that wrote it; empty if it does not say.
        written_by: String,
    },
    /// The journal belongs to another state.
    OtherLineage {
        /// The journal.
        journal: PathBuf,
        /// The lineage it belongs to.
        journal_lineage: String,
        /// The lineage of the state beside it.
        state_lineage: String,
    },
    /// The journal continues a later state than the one beside it.
    StateTooOld {
        /// The journal.
        journal: PathBuf,
        /// The serial it continues.
        journal_serial: u64,
        /// The serial of the state beside it; nothing if there is no state.
        state_serial: Option<u64>,
    },
    /// Somebody else holds the lock.
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who, if the file says so.
        holder: Option<Box<Holder>>,
    },
    /// The lock that was held is somebody else's now, or anybody's.
    Lost {
        /// The lock.
        path: PathBuf,
        /// Who has it, if that is known.
        holder: Option<Box<Holder>>,
    },
    /// The lock that shall be broken is not held, or not under this id.
    NotThisLock {
        /// The lock.
        path: PathBuf,
        /// The id that was given.
        id: String,
    },
    /// The lock that shall be broken is the kernel's, and its holder lives.
    Alive {
        /// The lock.
        path: PathBuf,
        /// Who has it.
        holder: Option<Box<Holder>>,
    },
    /// What keeps the state cannot be reached, or refuses.
    Unreachable {
        /// The object.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// What is configured to keep the state cannot be used as it is configured.
    Unusable {
        /// The state, or the block that should name it.
        path: PathBuf,
        /// Why not.
        why: String,
        /// What to do.
        help: String,
    },
    /// A state that shall be replaced is not the one that replaces it, at an earlier time.
    WouldBeLost {
        /// The state that would be replaced.
        path: PathBuf,
        /// What it is, and what the other one is.
        why: String,
    },
    /// A state to be written belongs to another lineage than the one that is locked.
    NotThisState {
        /// The state file.
        path: PathBuf,
        /// The lineage that is locked.
        locked: String,
        /// The lineage of the state that was to be written.
        given: String,
    },
    /// A state holds what cannot be stored.
    NotStorable {
        /// The state file.
        path: PathBuf,
        /// The record, place or output.
        what: String,
        /// Why not.
        why: &'static str,
    },
    /// It is sealed with a key that is not at hand.
    Sealed {
        /// The state.
        path: PathBuf,
        /// The key.
        sealed_with: KeyId,
    },
    /// A history has no such revision.
    NoRevision {
        /// Where the history is.
        place: PathBuf,
        /// The number that was asked for.
        number: u64,
        /// The first and the last that are kept, if any is.
        kept: Option<(u64, u64)>,
    },
    /// What is sealed in a revision could not be opened, or not be sealed.
    NotOpened {
        /// The revision.
        path: PathBuf,
        /// What, and why.
        why: String,
    },
    /// The journal failed before, so that nothing more may be appended.
    Broken {
        /// The journal.
        path: PathBuf,
        /// The first failure.
        why: String,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn unreadable(path: &Path, known: u64, help: String) -> impl FnOnce(Unreadable) -> Self {
        let path = path.to_owned();
        move |unreadable| match unreadable {
            Unreadable::Corrupt { line, column, why } => Self::Corrupt { path, line, column, why, help },
            Unreadable::Newer { version, by } => Self::Newer { path, version, known, written_by: by },
        }
    }

    pub(crate) fn not_storable(path: &Path) -> impl FnOnce(NotStorable) -> Self {
        let path = path.to_owned();
        move |NotStorable { what, why }| Self::NotStorable { path, what, why }
    }

    /// That a state is sealed with this key, which is not at hand.
    pub fn sealed(path: &Path, sealed_with: KeyId) -> Self {
        Self::Sealed { path: path.to_owned(), sealed_with }
    }

    /// A few constant words.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Io { .. } => "state file not accessible",
            Self::Corrupt { .. } => "corrupt state",
            Self::Newer { .. } => "newer state",
            Self::OtherLineage { .. } | Self::StateTooOld { .. } => "journal of another state",
            Self::Held { .. } => "state is locked",
            Self::Lost { .. } => "lock lost",
            Self::NotThisLock { .. } => "not this lock",
            Self::Alive { .. } => "holder is alive",
            Self::Unreachable { .. } => "state not reachable",
            Self::Unusable { .. } => "backend not usable",
            Self::WouldBeLost { .. } => "state would be lost",
            Self::NotThisState { .. } => "another state",
            Self::NotStorable { .. } => "value not storable",
            Self::Sealed { .. } => "sealed state",
            Self::NoRevision { .. } => "unknown revision",
            Self::NotOpened { .. } => "revision not opened",
            Self::Broken { .. } => "journal not writable",
        }
    }

    /// What to do, where there is something.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Corrupt { help, .. } | Self::Unusable { help, .. } => Some(help.clone()),
            Self::WouldBeLost { .. } => Some("look which of the two is right; `--force` replaces this one".to_owned()),
            Self::Newer { written_by, .. } if written_by.is_empty() => Some("use a newer meshplan".to_owned()),
            Self::Newer { written_by, .. } => Some(format!("use meshplan {written_by} or a later one")),
            Self::OtherLineage { journal, .. } => Some(format!(
                "if the state was replaced on purpose, what `{}` holds is lost to it: move the journal away; otherwise bring the state back that \
                 it belongs to",
                journal.display()
            )),
            Self::StateTooOld { journal, .. } => Some(format!(
                "an older state was restored: bring the later one back, or move `{}` away if what it holds shall be forgotten",
                journal.display()
            )),
            Self::Held { .. } => Some("wait for it to end, or give `--lock-timeout=5m` to wait here".to_owned()),
            Self::Lost { .. } => Some("nothing more is written by this run: wait for the other one to end, then plan again".to_owned()),
            Self::NotThisLock { .. } => Some("the message that names the holder names the id too: look again who holds it".to_owned()),
            Self::Alive { .. } => Some("end that process: the lock is gone with it".to_owned()),
            Self::Unreachable { .. } => {
                Some("look at the address, the credentials and the network of the backend, then run again".to_owned())
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("state files belong to the user who applies: run as that user".to_owned())
            }
            Self::Broken { .. } => Some("look at the disk, then run again: what was journaled is replayed".to_owned()),
            Self::Sealed { .. } => Some(
                "give that key in `meshplan { encryption { … } }`; one that was used before stands in a `fallback` block within".to_owned(),
            ),
            Self::NoRevision { kept: Some((first, last)), .. } => {
                Some(format!("`meshplan state history` lists those from @{first} to @{last}"))
            }
            Self::NoRevision { kept: None, .. } => Some("every apply writes one; `history = 0` in the configuration keeps none".to_owned()),
            Self::NotOpened { .. } => Some("bring the state back that it belongs to: its key opens what is sealed".to_owned()),
            Self::Io { .. } | Self::NotThisState { .. } | Self::NotStorable { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => write!(f, "cannot {action} `{}`: {source}", path.display()),
            Self::Corrupt { path, line: 0, why, .. } => write!(f, "`{}` cannot be read: {why}", path.display()),
            Self::Corrupt { path, line, column: 0, why, .. } => write!(f, "`{}` cannot be read: line {line}: {why}", path.display()),
            Self::Corrupt { path, line, column, why, .. } => {
                write!(f, "`{}` cannot be read: line {line}, column {column}: {why}", path.display())
            }
            Self::Newer { path, version, known, written_by } => {
                write!(f, "`{}` has version {version} of its format", path.display())?;
                if !written_by.is_empty() {
                    write!(f, ", written by meshplan {written_by}")?;
                }
                write!(f, "; this meshplan knows versions up to {known}")
            }
            Self::OtherLineage { journal, journal_lineage, state_lineage } => {
                write!(f, "`{}` belongs to the lineage `{journal_lineage}`, the state beside it is of `{state_lineage}`", journal.display())
            }
            Self::StateTooOld { journal, journal_serial, state_serial: Some(serial) } => {
                write!(f, "`{}` continues serial {journal_serial}, the state beside it has serial {serial}", journal.display())
            }
            Self::StateTooOld { journal, journal_serial, state_serial: None } => {
                write!(f, "`{}` continues serial {journal_serial}, and there is no state beside it", journal.display())
            }
            Self::Held { path, holder: Some(holder) } => write!(f, "`{}` is held by {holder}", path.display()),
            Self::Held { path, holder: None } => write!(f, "`{}` is held by another process", path.display()),
            Self::Lost { path, holder: Some(holder) } => write!(f, "`{}` was taken over by {holder}", path.display()),
            Self::Lost { path, holder: None } => write!(f, "`{}` is held no more: it was removed, or given back by force", path.display()),
            Self::NotThisLock { path, id } => write!(f, "`{}` is not held under the id `{id}`", path.display()),
            Self::Alive { path, holder: Some(holder) } => write!(f, "`{}` is held on this machine by {holder}", path.display()),
            Self::Alive { path, holder: None } => write!(f, "`{}` is held on this machine by a living process", path.display()),
            Self::Unreachable { path, why } => write!(f, "`{}` cannot be reached: {why}", path.display()),
            Self::Unusable { path, why, .. } => write!(f, "`{}` cannot be used: {why}", path.display()),
            Self::WouldBeLost { path, why } => write!(f, "`{}` {why}", path.display()),
            Self::NotThisState { path, locked, given } => {
                write!(f, "`{}` is of the lineage `{locked}`, the state to be written of `{given}`", path.display())
            }
            Self::Sealed { path, sealed_with } => {
                write!(f, "`{}` is sealed with the key `{sealed_with}`, which is not at hand", path.display())
            }
            Self::NotStorable { path, what, why } => write!(f, "`{what}` cannot be written to `{}`: {why}", path.display()),
            Self::NoRevision { place, number, .. } => write!(f, "`{}` has no revision @{number}", place.display()),
            Self::NotOpened { path, why } => write!(f, "`{}` holds what is sealed: {why}", path.display()),
            Self::Broken { path, why } => write!(f, "nothing more is written to `{}` after a failure: {why}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self(match error.help() {
            Some(help) => format!("{error}; {help}"),
            None => error.to_string(),
        })
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        let diagnostic = Self::error(error.summary(), error.to_string());
        match error.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Error> {
        let path = PathBuf::from("d/meshplan.state.json");
        let corrupt = |line, column| {
            let (path, why, help) = (path.clone(), "bad".to_owned(), "mend it".to_owned());
            Error::Corrupt { path, line, column, why, help }
        };
        let newer = |by: &str| Error::Newer { path: path.clone(), version: 2, known: 1, written_by: by.to_owned() };
        let holder = || {
            let text = |text: &str| text.to_owned();
            Box::new(Holder {
                id: text("i"),
                owner: text("ada@host"),
                pid: 7,
                operation: text("apply"),
                since: text("2026-01-02T03:04:05Z"),
            })
        };
        let journal = PathBuf::from("d/meshplan.state.journal");
        vec![
            Error::Io { action: "read", path: path.clone(), source: io::ErrorKind::PermissionDenied.into() },
            Error::Io { action: "write", path: path.clone(), source: io::ErrorKind::StorageFull.into() },
            corrupt(0, 0),
            corrupt(3, 0),
            corrupt(3, 4),
            newer(""),
            newer("3.1.4"),
            Error::OtherLineage { journal: journal.clone(), journal_lineage: "a".to_owned(), state_lineage: "b".to_owned() },
            Error::StateTooOld { journal: journal.clone(), journal_serial: 3, state_serial: Some(2) },
            Error::StateTooOld { journal: journal.clone(), journal_serial: 3, state_serial: None },
            Error::Held { path: path.clone(), holder: Some(holder()) },
            Error::Held { path: path.clone(), holder: None },
            Error::Lost { path: path.clone(), holder: Some(holder()) },
            Error::Lost { path: path.clone(), holder: None },
            Error::NotThisLock { path: path.clone(), id: "i".to_owned() },
            Error::Alive { path: path.clone(), holder: Some(holder()) },
            Error::Alive { path: path.clone(), holder: None },
            Error::Unreachable { path: path.clone(), why: "connection refused".to_owned() },
            Error::Unusable { path: path.clone(), why: "it is misspelt".to_owned(), help: "spell it".to_owned() },
            Error::WouldBeLost { path: path.clone(), why: "has serial 4, the other one 3".to_owned() },
            Error::NotThisState { path: path.clone(), locked: "a".to_owned(), given: "b".to_owned() },
            Error::sealed(&path, KeyId::parse("0123456789abcdef").unwrap()),
            Error::NotStorable { path: path.clone(), what: "thing.a".to_owned(), why: "it holds a value that is not known" },
            Error::NoRevision { place: PathBuf::from("d/meshplan.state.history"), number: 3, kept: Some((4, 9)) },
            Error::NoRevision { place: PathBuf::from("d/meshplan.state.history"), number: 3, kept: None },
            Error::NotOpened { path: path.clone(), why: "variable `token`: it is no sealed text".to_owned() },
            Error::Broken { path, why: "disk full".to_owned() },
        ]
    }

    #[test]
    fn every_error_names_its_file_and_is_a_diagnostic() {
        for error in all() {
            let (text, help) = (error.to_string(), error.help());
            assert!(text.contains("`d/meshplan.state."), "{text}");
            let diagnostic = Diagnostic::from(error);
            assert!(diagnostic.is_error() && diagnostic.summary.len() < 32, "{}", diagnostic.summary);
            assert_eq!((diagnostic.detail, diagnostic.help), (text, help));
        }
    }

    #[test]
    fn a_store_error_says_what_is_wrong_and_what_to_do() {
        let texts: Vec<_> = all().into_iter().map(|error| StoreError::from(error).0).collect();
        assert!(texts[4].ends_with("cannot be read: line 3, column 4: bad; mend it"), "{}", texts[4]);
        assert!(texts[10].contains("held by `apply` of ada@host, process 7, since 2026-01-02T03:04:05Z (lock i); wait"), "{}", texts[10]);
    }
}
