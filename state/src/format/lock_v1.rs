//! The text inside a lock file, version 1. It is for people: the kernel's lock on the file decides who holds it.

use crate::holder::Holder;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct LockV1 {
    id: String,
    owner: String,
    pid: u32,
    operation: String,
    since: String,
}

/// The text that names a holder.
pub(crate) fn write(holder: &Holder) -> Vec<u8> {
    let Holder { id, owner, pid, operation, since } = holder.clone();
    let mut text = serde_json::to_vec_pretty(&LockV1 { id, owner, pid, operation, since }).unwrap_or_default();
    text.push(b'\n');
    text
}

/// The holder that a text names, if it names one.
pub(crate) fn read(text: &str) -> Option<Holder> {
    let LockV1 { id, owner, pid, operation, since } = serde_json::from_str(text).ok()?;
    Some(Holder { id, owner, pid, operation, since })
}
