//! What a place must do that keeps a state. The rules of recovery are not its business: they stand once, in `recovery`, for all of
//! them, and so do the shapes of what is kept, in `format`.
//!
//! A backend keeps two texts, the state and its journal, and a lock. Its promises:
//!
//! - Who reads sees the state before or after a [`Held::replace`], never a part of one, and never misses a line that was durable
//!   when the reading began: it is in the journal that is read or in the state.
//! - What [`Held::begin`], [`Held::append`] and [`Held::replace`] reported done outlives the machine.
//! - Of several who want the lock one gets it. A holder that ended without giving it back keeps nobody waiting for long: at once where
//!   the kernel knows of its end, else after the time for which the lock was last renewed.
//! - Each taking of the lock has a higher number than all before it, or something of that effect. A holder that was taken over is
//!   refused from then on with [`Error::Lost`], whatever it does and however late, and nothing of what it was refused is ever read.

use crate::error::Error;
use crate::holder::Holder;
use crate::revisions::Revisions;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How messages name the parts of a state: paths of files, or of objects in some store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The state.
    pub state: PathBuf,
    /// Its journal.
    pub journal: PathBuf,
    /// Its lock.
    pub lock: PathBuf,
}

/// What is kept. Nothing shows it: it may be secret.
#[derive(Default)]
pub struct Kept {
    /// The text of the state, if there is one.
    pub state: Option<Vec<u8>>,
    /// The text of the journal, if there is one. Its last line may be torn.
    pub journal: Option<Vec<u8>>,
}

/// A place that keeps one state. All its functions block the calling thread.
pub trait Backend: fmt::Debug + Send + Sync {
    /// How messages name what is kept.
    fn names(&self) -> &Names;

    /// What is kept now. Takes no lock and writes nothing.
    fn read(&self) -> Result<Kept, Error>;

    /// What to do about a state that cannot be read, as a fragment.
    fn advice(&self) -> String;

    /// Takes the lock, waiting for it at most `timeout`; [`Error::Held`] if somebody else has it still. With it comes the holder who
    /// ended without giving it back, if there was one.
    fn take(&self, holder: &Holder, timeout: Duration) -> Result<(Box<dyn Held>, Option<Holder>), Error>;

    /// Where the history is kept beside the state; nothing where that is a matter of each directory.
    fn revisions(&self) -> Result<Option<Arc<dyn Revisions>>, Error>;

    /// Who has the lock, or had it when it ended.
    fn claimed(&self) -> Result<Option<Holder>, Error>;

    /// Gives the lock with this id back in its holder's place, which can write nothing from the next taking on;
    /// [`Error::NotThisLock`] if that one does not have it.
    fn break_lock(&self, id: &str) -> Result<(), Error>;
}

/// A held lock on a place. What ends without [`Self::release`] leaves the journal for the next holder.
pub trait Held: Send {
    /// The text of the state, if there is one.
    fn state(&mut self) -> Result<Option<Vec<u8>>, Error>;

    /// Whether there is a journal.
    fn has_journal(&mut self) -> Result<bool, Error>;

    /// Begins a journal, in the place of what there may be of one; returns when it is durable.
    fn begin(&mut self, text: &[u8]) -> Result<(), Error>;

    /// Appends lines to the journal that was begun; returns when they are durable.
    fn append(&mut self, lines: &[u8]) -> Result<(), Error>;

    /// Replaces the state and drops the journal, which the new state contains.
    fn replace(&mut self, text: &[u8]) -> Result<(), Error>;

    /// Drops the journal, which counts no more.
    fn drop_journal(&mut self) -> Result<(), Error>;

    /// Gives the lock back.
    fn release(self: Box<Self>) -> Result<(), Error>;
}
