//! The configuration that a plan was made from, for the history of its apply. It is sealed as a whole: in the text of its files may stand
//! what nobody should see.

use super::super::snapshot_v1::SnapshotV1;
use crate::history::{Snapshot, SnapshotError, restored, stored};
use crate::sealing::{SealError, SealingKey};

/// What is sealed of a configuration: nothing within it is sealed once more.
pub(super) fn text(configuration: &Snapshot) -> Result<String, SnapshotError> {
    let plain = stored(configuration, &|_, text| Ok(text.to_owned()))?;
    serde_json::to_string(&plain).map_err(|error| SnapshotError::Value("the configuration".to_owned(), error.to_string()))
}

/// Seals that text for one plan, which `associated` tells from all others.
pub(super) fn seal(text: &str, key: &SealingKey, associated: &[u8]) -> Result<String, SealError> {
    key.seal(text.as_bytes(), &[associated, b" configuration"].concat())
}

/// The configuration that was sealed for this plan.
pub(super) fn open(sealed: &str, key: &SealingKey, associated: &[u8]) -> Result<Snapshot, String> {
    let text = key.open(sealed, &[associated, b" configuration"].concat()).map_err(|error| error.to_string())?;
    let stored: SnapshotV1 = serde_json::from_slice(&text).map_err(|_| "its configuration is damaged".to_owned())?;
    restored(stored, &|_, text| Ok(text)).map_err(|error| error.to_string())
}
