//! What outlives the process: the state file, its journal and its lock; plans in files; and sealing what is secret in them.
//!
//! [`Store`] names them all by the path of the state file, or by the [`Backend`] that keeps them elsewhere. Reading takes no lock and writes nothing; only [`Locked`], which is a held
//! lock, can write, and it is the [`engine::port::Guard`] of an apply. What the files look like stands in `docs/formats.md`, and
//! nowhere in the code but in the private module `format`.

mod backend;
mod error;
mod file_store;
mod format;
mod guard;
mod history;
mod holder;
mod journal;
mod local;
mod lock;
mod migrate;
mod paths;
mod plan_file;
mod plan_key;
mod recovery;
mod remote;
mod revisions;
#[cfg(test)]
mod sample;
pub mod sealing;
mod store;
mod text;

pub use backend::{Backend, Held, Kept, Names};
pub use error::Error;
pub use guard::Locked;
pub use history::{Account, Ending, FilesRead, Head, History, PlanText, Planned, Snapshot, SnapshotError};
pub use holder::Holder;
pub use local::local;
pub use migrate::{Migrated, Onto};
pub use plan_file::{NotWritten, PlanError, PlanFile};
pub use plan_key::{PlanKeys, PlanSeal, draw_plan_key, plan_key_in, plan_key_of};
pub use remote::{Claim, Object, Objects, Refusal, Remote, Standing, Version};
pub use revisions::Revisions;
pub use store::{Loaded, Notice, Store};
