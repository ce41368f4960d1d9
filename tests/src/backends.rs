//! What every backend must hold to, and stores of objects that fail where a test says.
//!
//! A backend is given as a function that makes stores of one state, each as another process would: [`contract`] holds any to what all
//! promise, [`renewal`] those over [`state::Objects`] to what a lock that expires promises.

pub mod contract;
mod memory;
mod mortal;
pub mod renewal;

pub use memory::Memory;
pub use mortal::{Death, Mortal};

use engine::address::Address;
use engine::port::Guard;
use engine::state::{Entry, Record, RecordId, State};
use engine::value::Value;
use state::{Locked, Store};
use std::time::Duration;

/// Waiting for nothing.
pub const NOW: Duration = Duration::ZERO;

/// The value of a future that a backend's guard gives.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// An entry that makes `thing.<name>` of this size.
pub fn put(name: &str, size: u64) -> Entry {
    let mut record = Record::new(RecordId::new(name), "thing");
    record.attributes = Value::object([("size", Value::number(size))]);
    Entry::Put { address: Address::managed("thing", name), deposed: None, record }
}

/// An entry that makes `thing.<name>` with this text.
pub fn filled(name: &str, text: &str) -> Entry {
    let mut record = Record::new(RecordId::new(name), "thing");
    record.attributes = Value::object([("text", Value::string(text))]);
    Entry::Put { address: Address::managed("thing", name), deposed: None, record }
}

/// The sizes that a state remembers, by name, as `a=1 b=2`.
pub fn sizes(state: &State) -> String {
    let size = |record: &Record| record.attributes.get("size").and_then(engine::value::Value::as_number).map(|size| size.to_string());
    let all = state.records().map(|(address, _, record)| {
        let address = address.to_string();
        let name = address.trim_start_matches("thing.");
        format!("{name}={}", size(record).unwrap_or_default())
    });
    all.collect::<Vec<_>>().join(" ")
}

/// A lock with the state it began with, and what was written since.
pub struct Run {
    /// The lock.
    pub locked: Locked,
    /// The state, with all entries applied that were appended.
    pub state: State,
}

impl Run {
    /// Takes the lock.
    pub fn begin(store: &Store) -> Result<Self, state::Error> {
        let (locked, loaded) = store.lock("apply", NOW)?;
        Ok(Self { locked, state: loaded.state })
    }

    /// Appends an entry; whether that is durable.
    pub fn append(&mut self, entry: &Entry) -> Result<(), String> {
        block_on(self.locked.append(std::slice::from_ref(entry))).map_err(|error| error.0)?;
        self.state.apply(entry);
        Ok(())
    }

    /// Folds the journal.
    pub fn fold(&mut self) -> Result<u64, String> {
        self.state.serial = block_on(self.locked.fold(&self.state)).map_err(|error| error.0)?;
        Ok(self.state.serial)
    }

    /// Gives the lock back.
    pub fn release(self) -> Result<(), String> {
        block_on(Box::new(self.locked).release()).map_err(|error| error.0)
    }
}
