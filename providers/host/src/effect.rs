//! What is done to the machine.

use crate::file::disk::{self, Removal, Writing};
use engine::port::Failure;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

/// One change of this machine, complete in itself. Done again it finds its work done.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// A file gets a content.
    Write(Writing),
    /// A file goes, and what was there before comes back.
    Remove(Removal),
}

/// Whoever does what is to be done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hands;

impl Hands {
    /// Does all of it, in this order; what follows a failure is left undone.
    pub(crate) async fn perform(&self, effects: Vec<Effect>) -> Result<(), Failure> {
        for effect in effects {
            perform(effect).await?;
        }
        Ok(())
    }
}

async fn perform(effect: Effect) -> Result<(), Failure> {
    let done = spawn_blocking(move || match effect {
        Effect::Write(writing) => disk::write(&writing),
        Effect::Remove(removal) => disk::remove(&removal),
    });
    done.await.unwrap_or_else(|_| Err(Failure::new("file not written", "writing it was cut short")))
}
