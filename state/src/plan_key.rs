//! The keys of plans: that of the `encryption` block as for everything else, else one that follows from the state's own, else, while there
//! is no state, one in a file.

use crate::paths::open_private;
use crate::sealing::{KeyError, KeyId, SealedBy, SealingKey};
use crate::store::Store;
use engine::state::State;
use engine::value::hex;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// What the keys of plans are derived under.
const LABEL: &str = "plan file";
/// Bytes of a key.
const BYTES: usize = 32;

/// A key to seal the secrets of a plan with.
#[derive(Debug, Clone)]
pub struct PlanSeal {
    pub(crate) key: SealingKey,
    /// How the file says which key it is; nothing where the key is none of the `encryption` block.
    pub(crate) sealed_by: Option<SealedBy>,
}

impl From<SealingKey> for PlanSeal {
    fn from(key: SealingKey) -> Self {
        Self { key, sealed_by: None }
    }
}

impl PlanSeal {
    /// The key that a store seals with, if it seals.
    pub fn of(store: &Store) -> Result<Option<Self>, KeyError> {
        let found = store.keyring().writing_key()?;
        Ok(found.map(|(key, sealed_by)| Self { key, sealed_by: Some(sealed_by) }))
    }
}

/// The keys at hand to open a plan with.
#[derive(Debug, Default)]
pub struct PlanKeys {
    store: Option<Store>,
    keys: Vec<SealingKey>,
}

impl PlanKeys {
    /// Those of a store, and others.
    pub fn new(store: Option<Store>, keys: Vec<SealingKey>) -> Self {
        Self { store, keys }
    }

    /// The key that was sealed with, if it is at hand.
    pub(crate) fn find(&self, sealed_with: &KeyId, sealed_by: Option<&SealedBy>) -> Result<Option<SealingKey>, KeyError> {
        match (sealed_by, &self.store) {
            (Some(sealed_by), Some(store)) => Ok(store.keyring().key_for(sealed_by)?.filter(|key| key.id() == sealed_with)),
            (Some(_), None) => Ok(None),
            (None, _) => Ok(self.keys.iter().find(|key| key.id() == sealed_with).cloned()),
        }
    }
}

/// The key for plans from this state: one that follows from the state's own. Nothing before the first write, where that key is not there, or
/// drawn anew by each lock.
pub fn plan_key_of(state: &State) -> Option<Result<SealingKey, KeyError>> {
    let known = state.serial > 0 && !state.secret_key.is_empty();
    known.then(|| SealingKey::from_bytes(&state.secret_key)?.derived(LABEL))
}

/// The key in a file; nothing if there is no such file.
pub fn plan_key_in(path: &Path) -> io::Result<Option<SealingKey>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let digits = text.trim();
    let byte = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes = (0..digits.len()).step_by(2).map(byte).collect::<Option<Vec<_>>>().map(Zeroizing::new);
    let bytes = bytes.ok_or_else(|| io::Error::other("a key is hexadecimal digits"))?;
    SealingKey::from_bytes(&bytes).and_then(|key| key.derived(LABEL)).map(Some).map_err(io::Error::other)
}

/// Draws a key and keeps it in a file that is not there yet, readable by its owner alone.
pub fn draw_plan_key(path: &Path) -> io::Result<SealingKey> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(bytes.as_mut_slice())?;
    let key = SealingKey::from_bytes(bytes.as_slice()).and_then(|key| key.derived(LABEL)).map_err(io::Error::other)?;
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = open_private(OpenOptions::new().write(true).create_new(true), path)?;
    let text = Zeroizing::new(format!("{}\n", hex(bytes.as_slice())));
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_key_is_found_again_and_never_drawn_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".meshplan/plan-key");
        assert!(plan_key_in(&path).unwrap().is_none());
        let drawn = draw_plan_key(&path).unwrap();
        assert_eq!(plan_key_in(&path).unwrap().map(|key| key.id().clone()).as_ref(), Some(drawn.id()));
        assert_eq!(draw_plan_key(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        for text in ["", "zz", "0", "00ff"] {
            fs::write(&path, text).unwrap();
            assert!(plan_key_in(&path).is_err(), "{text}");
        }
    }

    #[test]
    fn a_states_key_counts_from_its_first_write_on() {
        let state = |serial, byte| State { serial, secret_key: vec![byte; 32], ..State::default() };
        assert!(plan_key_of(&state(0, 1)).is_none() && plan_key_of(&State { serial: 1, ..State::default() }).is_none());
        let id = |state| plan_key_of(&state).unwrap().unwrap().id().clone();
        assert_eq!(id(state(1, 1)), id(state(2, 1)));
        assert_ne!(id(state(1, 1)), id(state(1, 2)));
    }
}
