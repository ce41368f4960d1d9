//! A held lock: the only thing that can write.

use crate::error::Error;
use crate::format::journal_v1::{Header, write_entries};
use crate::format::state_v1;
use crate::journal::Writer;
use crate::lock::Lock;
use crate::paths::Paths;
use engine::port::{BoxFuture, Guard, StoreError};
use engine::state::{Entry, State};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// A locked state. Dropping it gives the lock back and leaves the journal for the next run.
#[derive(Debug)]
pub struct Locked {
    writer: Writer,
    state: PathBuf,
    journal: PathBuf,
    lineage: String,
    secret_key: SecretKey,
    serial: AtomicU64,
}

/// The key of the HMACs; nothing shows it.
struct SecretKey(Vec<u8>);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(sensitive)")
    }
}

impl Locked {
    /// Begins to write onto this state. `key_is_new` says that no file holds its key yet.
    pub(crate) fn begin(paths: Paths, lock: Lock, state: &State, key_is_new: KeyIs) -> Result<Self, Error> {
        let secret_key = match key_is_new {
            KeyIs::New => Some(state.secret_key.clone()),
            KeyIs::Stored => None,
        };
        let header = Header { lineage: state.lineage.clone(), serial: state.serial, secret_key };
        Ok(Self {
            state: paths.state.clone(),
            journal: paths.journal.clone(),
            writer: Writer::start(paths, header, lock)?,
            lineage: state.lineage.clone(),
            secret_key: SecretKey(state.secret_key.clone()),
            serial: AtomicU64::new(state.serial),
        })
    }

    /// The serial of the state on disk; 0 before the first write.
    pub fn serial(&self) -> u64 {
        self.serial.load(Ordering::SeqCst)
    }

    fn text_of(&self, state: &State) -> Result<(Vec<u8>, u64), Error> {
        if !state.lineage.is_empty() && state.lineage != self.lineage {
            return Err(Error::NotThisState { path: self.state.clone(), locked: self.lineage.clone(), given: state.lineage.clone() });
        }
        let serial = self.serial() + 1;
        let text = state_v1::write(state, serial, &self.lineage, &self.secret_key.0).map_err(Error::not_storable(&self.state))?;
        Ok((text, serial))
    }
}

/// Whether a file holds the key of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyIs {
    /// None yet.
    New,
    /// The state file.
    Stored,
}

impl Guard for Locked {
    fn append(&self, batch: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>> {
        let lines = write_entries(&batch).map_err(Error::not_storable(&self.journal));
        Box::pin(async move {
            if batch.is_empty() {
                return Ok(());
            }
            self.writer.append(lines?).await
        })
    }

    fn fold<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            if self.serial() == 0 && state.is_empty() && state.outputs.is_empty() && !self.journal.exists() {
                return Ok(0);
            }
            let (text, serial) = self.text_of(state)?;
            let serial = self.writer.fold(text, serial).await?;
            self.serial.store(serial, Ordering::SeqCst);
            Ok(serial)
        })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move {
            drop(self);
            Ok(())
        })
    }
}
