//! The history of one state: what each operation left, by number, written once and never changed.

mod packing;
mod snapshot;

pub use packing::Planned;
pub use snapshot::{FilesRead, Snapshot, SnapshotError};
pub(crate) use snapshot::{restored, stored};

use crate::error::Error;
use crate::format::Unreadable;
use crate::format::revision_v1::{self, HeadV1, ResultV1};
use crate::revisions::{RevisionFiles, Revisions};
use crate::sealing::Opened;
use crate::store::Store;
use engine::state::State;
use flate2::bufread::MultiGzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// What was planned, if anything was.
    pub planned: Option<&'a Planned>,
    /// The state after it.
    pub state: &'a State,
}

/// A plan as it stands in a revision.
pub trait PlanText: fmt::Debug {
    /// Writes it as JSON without secrets and without line breaks.
    fn write(&self, to: &mut dyn Write) -> io::Result<()>;
}

/// JSON that is there already.
impl PlanText for &str {
    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self.as_bytes())
    }
}

/// The revisions of one state.
#[derive(Debug, Clone)]
pub struct History {
    revisions: Arc<dyn Revisions>,
    store: Store,
    is_local: bool,
}

impl History {
    /// The history of the state of a store, whose keys seal and open what is secret: where its backend keeps it, else in a directory, which
    /// need not be there.
    pub fn new(directory: impl Into<PathBuf>, store: Store) -> Result<Self, Error> {
        let elsewhere = store.backend.revisions()?;
        let is_local = elsewhere.is_none();
        let revisions = elsewhere.unwrap_or_else(|| Arc::new(RevisionFiles(directory.into())));
        Ok(Self { revisions, store, is_local })
    }

    /// Where it is.
    pub fn place(&self) -> PathBuf {
        self.revisions.place()
    }

    /// What one revision says of itself.
    pub fn head(&self, number: u64) -> Result<Head, Error> {
        self.head_in(number, &self.packed(number)?)
    }

    /// What every revision says of itself, in order, or why it cannot be read.
    pub fn heads(&self) -> Result<Vec<Result<Head, Error>>, Error> {
        let mut heads = Vec::new();
        self.revisions.each(&mut |number, packed| {
            // What fits into one object may be too little.
            let head = packed.and_then(|packed| self.head_in(number, &packed).or_else(|_| self.head(number)));
            heads.push(head);
        })?;
        Ok(heads)
    }

    fn head_in(&self, number: u64, packed: &[u8]) -> Result<Head, Error> {
        let head = Lines::of(packed).line(&self.path(number))?;
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
        let packed = self.packed(number)?;
        let mut lines = Lines::of(&packed);
        let path = self.path(number);
        for _ in 0..revision_v1::LINES_BEFORE_STATE {
            lines.line(&path)?;
        }
        let text = lines.rest(&path)?;
        self.store.files().read_state(&text).map_err(self.unreadable(number))
    }

    /// The plan of a revision as JSON without secrets, if it had one.
    pub fn plan(&self, number: u64) -> Result<Option<String>, Error> {
        let packed = self.packed(number)?;
        let mut lines = Lines::of(&packed);
        let path = self.path(number);
        lines.line(&path)?;
        lines.line(&path)?;
        revision_v1::read_plan(&lines.line(&path)?).map_err(self.unreadable(number))
    }

    /// The configuration of a revision, if it had one, opened with the key of the state.
    pub fn configuration(&self, number: u64, secret_key: &[u8]) -> Result<Option<Snapshot>, Error> {
        let packed = self.packed(number)?;
        let mut lines = Lines::of(&packed);
        let path = self.path(number);
        let head = revision_v1::read_head(&lines.line(&path)?).map_err(self.unreadable(number))?;
        let stored = revision_v1::read_configuration(&lines.line(&path)?).map_err(self.unreadable(number))?;
        let opened = stored.map(|stored| snapshot::open(stored, secret_key, &head.lineage)).transpose();
        opened.map_err(|error| Error::NotOpened { path, why: error.to_string() })
    }

    /// Writes a revision down and gives it the next number: whole under its name, or not at all. Of all revisions the latest `most` are
    /// kept, or every one.
    pub fn record(&self, account: &Account<'_>, most: Option<usize>) -> Result<u64, Error> {
        let mut numbers = self.numbers()?;
        if most == Some(0) {
            return self.revisions.remove(&Vec::from_iter(numbers)).map(|()| 0);
        }
        let nothing = if account.planned.is_none() { Some(self.pack((None, None), account.state)?) } else { None };
        let planned = account.planned.or(nothing.as_ref()).map_or(&[][..], Planned::packed);
        let state = self.packed_state(account.state)?;
        let mut number = numbers.last().map_or(1, |last| last + 1);
        while !self.revisions.create(number, &[&self.packed_head(account, number)?, planned, &state].concat())? {
            number += 1;
        }
        numbers.insert(number);
        let many = most.map_or(0, |most| numbers.len().saturating_sub(most));
        self.revisions.remove(&numbers.into_iter().take(many).collect::<Vec<_>>())?;
        Ok(number)
    }

    /// Copies every revision to another history, under the same numbers; how many. One that has revisions already is left as it is.
    pub fn copy_to(&self, other: &Self) -> Result<usize, Error> {
        if self.place() == other.place() || !other.numbers()?.is_empty() {
            return Ok(0);
        }
        let numbers = self.numbers()?;
        for number in &numbers {
            if let Some(packed) = self.revisions.read(*number)? {
                other.revisions.create(*number, &packed)?;
            }
        }
        Ok(numbers.len())
    }

    /// The numbers of all revisions.
    pub fn numbers(&self) -> Result<BTreeSet<u64>, Error> {
        self.revisions.numbers()
    }

    fn path(&self, number: u64) -> PathBuf {
        self.revisions.name(number)
    }

    fn packed(&self, number: u64) -> Result<Vec<u8>, Error> {
        if let Some(packed) = self.revisions.read(number)? {
            return Ok(packed);
        }
        let numbers = self.numbers()?;
        let kept = numbers.first().copied().zip(numbers.last().copied());
        Err(Error::NoRevision { place: self.place(), number, kept })
    }

    fn unreadable(&self, number: u64) -> impl FnOnce(Unreadable) -> Error {
        let path = self.path(number);
        move |unreadable| Error::unreadable(&path, revision_v1::VERSION, ADVICE.to_owned())(unreadable)
    }
}

/// What to do about a revision that cannot be read, as a fragment.
pub(crate) const ADVICE: &str = "the other revisions do not depend on it: leave it, or remove the file";

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

/// The lines of a revision, unpacked as they are read.
struct Lines<'a>(BufReader<MultiGzDecoder<&'a [u8]>>);

impl<'a> Lines<'a> {
    fn of(packed: &'a [u8]) -> Self {
        Self(BufReader::new(MultiGzDecoder::new(packed)))
    }

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
