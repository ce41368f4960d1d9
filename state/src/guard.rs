//! A held lock: the only thing that can write.

use crate::backend::{Held, Names};
use crate::error::Error;
use crate::format::journal_v1::Header;
use crate::journal::{Worth, Writer};
use crate::sealing::Files;
use engine::port::{BoxFuture, Guard, StoreError};
use engine::state::{Entry, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A locked state. Dropping it gives the lock back and leaves the journal for the next run; how that went [`Guard::release`] says.
#[derive(Debug)]
pub struct Locked {
    writer: Writer,
    names: Names,
    files: Arc<Files>,
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
    /// Begins to write onto this state. `key` says whether its key is kept already.
    pub(crate) fn begin((names, files): (Names, Arc<Files>), held: Box<dyn Held>, state: &State, key: KeyIs) -> Result<Self, Error> {
        let secret_key = match key {
            KeyIs::New => Some(state.secret_key.clone()),
            KeyIs::Stored => None,
        };
        let header = Header { lineage: state.lineage.clone(), serial: state.serial, secret_key };
        Ok(Self {
            writer: Writer::start(held, names.journal.clone(), header, files.clone())?,
            names,
            files,
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
            return Err(Error::NotThisState { path: self.names.state.clone(), locked: self.lineage.clone(), given: state.lineage.clone() });
        }
        let serial = self.serial() + 1;
        let text =
            self.files.write_state(state, serial, &self.lineage, &self.secret_key.0).map_err(Error::not_storable(&self.names.state))?;
        Ok((text, serial))
    }
}

/// Whether the key of a state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyIs {
    /// Not yet.
    New,
    /// With the state.
    Stored,
}

impl Guard for Locked {
    fn append<'a>(&'a self, batch: &'a [Entry]) -> BoxFuture<'a, Result<(), StoreError>> {
        let lines = self.files.write_entries(&self.lineage, batch).map_err(Error::not_storable(&self.names.journal));
        Box::pin(async move {
            if batch.is_empty() {
                return Ok(());
            }
            self.writer.append(lines?).await
        })
    }

    fn fold<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let nothing = self.serial() == 0 && state.is_empty() && state.outputs.is_empty();
            let worth = if nothing { Worth::OverJournal } else { Worth::Always };
            let (text, serial) = self.text_of(state)?;
            let serial = self.writer.fold(text, serial, worth).await?;
            self.serial.store(serial, Ordering::SeqCst);
            Ok(serial)
        })
    }

    fn replace<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let written = self.files.write_state(state, state.serial, &state.lineage, &state.secret_key);
            let text = written.map_err(Error::not_storable(&self.names.state))?;
            self.writer.fold(text, state.serial, Worth::Always).await?;
            Ok(())
        })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move { self.writer.end() })
    }
}
