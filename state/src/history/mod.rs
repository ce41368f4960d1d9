//! The history of one state: what each operation left, by number, in files that are written once and never changed.

mod snapshot;

pub use snapshot::{FilesRead, Snapshot, SnapshotError};

use crate::error::Error;
use crate::format::revision_v1::{self, HeadV1, ResultV1};
use crate::format::{MESHPLAN_VERSION, Unreadable};
use crate::holder::Holder;
use crate::paths::{open_private, remove_if_there, sync_directory};
use crate::sealing::Opened;
use crate::store::Store;
use engine::state::State;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// How the name of a revision's file ends.
const ENDING: &str = ".json.gz";

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All of it was done.
    Complete,
    /// Some of it failed, was left out, or could not be planned.
    Incomplete,
    /// It was interrupted.
    Interrupted,
    /// It left a state and no account of itself: it was killed, or another meshplan did it.
    Unknown,
}

impl Ending {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Interrupted => "interrupted",
            Self::Unknown => "unknown",
        }
    }
}

/// What a revision says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its number, from one; no two of one history have the same.
    pub number: u64,
    /// When it was written, in UTC (RFC 3339).
    pub time: String,
    /// The user and the machine, as `user@host`.
    pub by: String,
    /// What was done, such as `apply`.
    pub operation: String,
    /// How it ended.
    pub ending: Ending,
    /// The lineage of the state.
    pub lineage: String,
    /// The serial of the state after it.
    pub serial: u64,
    /// What was done how often, such as `added`; what was not done is left out.
    pub counts: BTreeMap<String, u64>,
    /// The digest of the plan, if there was one.
    pub digest: Option<String>,
}

/// What an operation leaves to be written down.
#[derive(Debug, Clone)]
pub struct Account<'a> {
    /// What was done, such as `apply`.
    pub operation: &'a str,
    /// When, in seconds since the Unix epoch.
    pub now: u64,
    /// How it ended.
    pub ending: Ending,
    /// What was done how often.
    pub counts: BTreeMap<String, u64>,
    /// The digest of the plan, if there was one.
    pub digest: Option<String>,
    /// The plan as JSON without secrets, if there was one.
    pub plan: Option<String>,
    /// The configuration that was planned, if there was one.
    pub configuration: Option<&'a Snapshot>,
    /// The state after it.
    pub state: &'a State,
}

/// The revisions in one directory.
#[derive(Debug, Clone)]
pub struct History {
    directory: PathBuf,
    store: Store,
}

impl History {
    /// The history in a directory, which need not be there, of the state of a store: its keys seal and open what is secret.
    pub fn new(directory: impl Into<PathBuf>, store: Store) -> Self {
        Self { directory: directory.into(), store }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What one revision says of itself.
    pub fn head(&self, number: u64) -> Result<Head, Error> {
        let mut lines = self.open(number)?;
        let head = lines.line(&self.path(number))?;
        Ok(revision_v1::read_head(&head).map_err(self.unreadable(number))?.into())
    }

    /// What the last revision says of itself, if there is one.
    pub fn last(&self) -> Result<Option<Head>, Error> {
        self.numbers()?.last().map(|number| self.head(*number)).transpose()
    }

    /// The state after a revision. It has no key: what it belongs to has one.
    pub fn state(&self, number: u64) -> Result<State, Error> {
        let Opened { content, sealed_with } = self.opened(number)?;
        sealed_with.map_or(Ok(content), |key| Err(Error::sealed(&self.path(number), key)))
    }

    /// The same as far as it can be read: what is sealed with a key that is not at hand is blocked in it.
    pub fn readable_state(&self, number: u64) -> Result<State, Error> {
        self.opened(number).map(|opened| opened.content)
    }

    fn opened(&self, number: u64) -> Result<Opened<State>, Error> {
        let mut lines = self.open(number)?;
        let path = self.path(number);
        for _ in 0..revision_v1::LINES_BEFORE_STATE {
            lines.line(&path)?;
        }
        let text = lines.rest(&path)?;
        self.store.files().read_state(&text).map_err(self.unreadable(number))
    }

    /// The plan of a revision as JSON without secrets, if it had one.
    pub fn plan(&self, number: u64) -> Result<Option<String>, Error> {
        let mut lines = self.open(number)?;
        let path = self.path(number);
        lines.line(&path)?;
        lines.line(&path)?;
        revision_v1::read_plan(&lines.line(&path)?).map_err(self.unreadable(number))
    }

    /// The configuration of a revision, if it had one, opened with the key of the state.
    pub fn configuration(&self, number: u64, secret_key: &[u8]) -> Result<Option<Snapshot>, Error> {
        let mut lines = self.open(number)?;
        let path = self.path(number);
        let head = revision_v1::read_head(&lines.line(&path)?).map_err(self.unreadable(number))?;
        let stored = revision_v1::read_configuration(&lines.line(&path)?).map_err(self.unreadable(number))?;
        let opened = stored.map(|stored| snapshot::open(stored, secret_key, &head.lineage)).transpose();
        opened.map_err(|error| Error::NotOpened { path, why: error.to_string() })
    }

    /// Writes a revision down and gives it the next number: whole under its name, or not at all. Of all revisions the latest `most` are
    /// kept, or every one.
    pub fn record(&self, account: &Account<'_>, most: Option<usize>) -> Result<u64, Error> {
        if most == Some(0) {
            return self.prune(0).map(|()| 0);
        }
        fs::create_dir_all(&self.directory).map_err(Error::io("make", &self.directory))?;
        let number = self.numbers()?.last().map_or(1, |last| last + 1);
        let path = self.path(number);
        let text = self.text_of(account, number, &path)?;
        let staged = self.directory.join(format!("{number}{ENDING}.new"));
        self.write(&staged, &path, &text).map_err(Error::io("write", &path))?;
        most.map_or(Ok(()), |most| self.prune(most))?;
        Ok(number)
    }

    /// The parts of a revision's file, in order.
    fn text_of(&self, account: &Account<'_>, number: u64, path: &Path) -> Result<Vec<Vec<u8>>, Error> {
        let state = account.state;
        let sealed = account.configuration.map(|snapshot| snapshot::seal(snapshot, &state.secret_key, &state.lineage)).transpose();
        let configuration = sealed.map_err(|error| Error::NotOpened { path: path.to_owned(), why: error.to_string() })?;
        let head = HeadV1 {
            version: revision_v1::VERSION,
            meshplan_version: MESHPLAN_VERSION.to_owned(),
            number,
            time: crate::holder::utc(account.now),
            by: Holder::this_process(account.operation).owner,
            operation: account.operation.to_owned(),
            result: account.ending.into(),
            lineage: state.lineage.clone(),
            serial: state.serial,
            counts: account.counts.iter().filter(|(_, count)| **count > 0).map(|(name, count)| (name.clone(), *count)).collect(),
            digest: account.digest.clone(),
        };
        let lines = revision_v1::write(&head, configuration.as_ref(), account.plan.as_deref()).map_err(Error::not_storable(path))?;
        // Without its key: it would open what is sealed above.
        let written = self.store.files().write_state(state, state.serial, &state.lineage, &[]).map_err(Error::not_storable(path))?;
        Ok(vec![lines, written])
    }

    fn write(&self, staged: &Path, path: &Path, text: &[Vec<u8>]) -> io::Result<()> {
        remove_if_there(staged)?;
        let file = open_private(OpenOptions::new().write(true).create_new(true), staged)?;
        let mut packed = GzEncoder::new(file, Compression::fast());
        for part in text {
            packed.write_all(part)?;
        }
        packed.finish()?.sync_all()?;
        fs::rename(staged, path)?;
        sync_directory(&self.directory)
    }

    fn prune(&self, most: usize) -> Result<(), Error> {
        let numbers = self.numbers()?;
        for number in numbers.iter().take(numbers.len().saturating_sub(most)) {
            let path = self.path(*number);
            remove_if_there(&path).map_err(Error::io("remove", &path))?;
        }
        Ok(())
    }

    /// The numbers of all revisions.
    pub fn numbers(&self) -> Result<BTreeSet<u64>, Error> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(Error::io("read", &self.directory)(error)),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.strip_suffix(ENDING)?.parse().ok()).collect())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number}{ENDING}"))
    }

    fn open(&self, number: u64) -> Result<Lines, Error> {
        let path = self.path(number);
        match File::open(&path) {
            Ok(file) => Ok(Lines(BufReader::new(GzDecoder::new(BufReader::new(file))))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let numbers = self.numbers()?;
                let kept = numbers.first().copied().zip(numbers.last().copied());
                Err(Error::NoRevision { directory: self.directory.clone(), number, kept })
            }
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    fn unreadable(&self, number: u64) -> impl FnOnce(Unreadable) -> Error {
        let path = self.path(number);
        move |unreadable| Error::unreadable(&path, revision_v1::VERSION, ADVICE.to_owned())(unreadable)
    }
}

const ADVICE: &str = "the other revisions do not depend on it: leave it, or remove the file";

impl From<Ending> for ResultV1 {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Complete => Self::Complete,
            Ending::Incomplete => Self::Incomplete,
            Ending::Interrupted => Self::Interrupted,
            Ending::Unknown => Self::Unknown,
        }
    }
}

impl From<HeadV1> for Head {
    fn from(head: HeadV1) -> Self {
        let ending = match head.result {
            ResultV1::Complete => Ending::Complete,
            ResultV1::Incomplete => Ending::Incomplete,
            ResultV1::Interrupted => Ending::Interrupted,
            ResultV1::Unknown => Ending::Unknown,
        };
        let HeadV1 { number, time, by, operation, lineage, serial, counts, digest, .. } = head;
        Self { number, time, by, operation, ending, lineage, serial, counts, digest }
    }
}

/// The lines of a revision's file, unpacked as they are read.
struct Lines(BufReader<GzDecoder<BufReader<File>>>);

impl Lines {
    fn line(&mut self, path: &Path) -> Result<String, Error> {
        let mut line = String::new();
        self.0.read_line(&mut line).map_err(damaged(path))?;
        Ok(line)
    }

    fn rest(&mut self, path: &Path) -> Result<String, Error> {
        let mut text = String::new();
        io::Read::read_to_string(&mut self.0, &mut text).map_err(damaged(path))?;
        Ok(text)
    }
}

fn damaged(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            Error::Corrupt { path, line: 0, column: 0, why: error.to_string(), help: ADVICE.to_owned() }
        }
        _ => Error::io("read", &path)(error),
    }
}

#[cfg(test)]
mod tests;
