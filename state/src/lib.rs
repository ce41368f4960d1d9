//! What outlives the process: the state file, its journal and its lock; and sealing what is secret in them.
//!
//! [`Store`] names them all by the path of the state file. Reading takes no lock and writes nothing; only [`Locked`], which is a held
//! lock, can write, and it is the [`engine::port::Guard`] of an apply. What the files look like stands in `docs/formats.md`, and
//! nowhere in the code but in the private module `format`.

mod error;
mod file_store;
mod format;
mod guard;
mod journal;
mod lock;
mod paths;
#[cfg(test)]
mod sample;
pub mod sealing;
mod store;

pub use error::Error;
pub use guard::Locked;
pub use lock::Holder;
pub use store::{Loaded, Notice, Store};
