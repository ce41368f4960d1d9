//! The keys that are at hand, and which of them a file was sealed with.

use super::passphrase::SHORTEST;
use super::{KeyError, KeyId, SealingKey, Stretching};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// Where a key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// A key as it is.
    Key(SealingKey),
    /// A passphrase, which becomes another key with each salt.
    Passphrase(Zeroizing<String>),
}

/// Nothing of it.
impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Passphrase(_) => f.write_str("Passphrase"),
        }
    }
}

impl KeySource {
    /// A passphrase of at least 16 bytes.
    pub fn passphrase(text: &str) -> Result<Self, KeyError> {
        if text.len() < SHORTEST {
            return Err(KeyError::ShortPassphrase);
        }
        Ok(Self::Passphrase(Zeroizing::new(text.to_owned())))
    }
}

/// What a file says of how it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedBy {
    /// The key.
    pub(crate) key: KeyId,
    /// How the key follows from a passphrase, if it does.
    pub(crate) stretching: Option<Stretching>,
}

/// The keys that are at hand. Deriving one from a passphrase takes a while, so each is derived once.
#[derive(Debug, Default)]
pub struct Keyring {
    writes: Option<KeySource>,
    fallbacks: Vec<KeySource>,
    found: Mutex<Found>,
}

/// What was worked out so far.
#[derive(Debug, Default)]
struct Found {
    /// What each header came to.
    keys: Vec<(SealedBy, Option<SealingKey>)>,
    /// What is sealed with from now on.
    writes: Option<(SealingKey, SealedBy)>,
}

impl Keyring {
    /// Seals with the first source, and opens also what was sealed with one of the others.
    pub fn new(writes: KeySource, fallbacks: Vec<KeySource>) -> Self {
        Self { writes: Some(writes), fallbacks, found: Mutex::default() }
    }

    /// Seals with the first source, if there is one, and opens also what was sealed with one of the others.
    pub fn of(writes: Option<KeySource>, fallbacks: Vec<KeySource>) -> Self {
        Self { writes, fallbacks, found: Mutex::default() }
    }

    /// The same keys to open with, and none to seal with.
    #[must_use]
    pub fn opening_only(self) -> Self {
        let fallbacks = self.writes.into_iter().chain(self.fallbacks).collect();
        Self { writes: None, fallbacks, found: Mutex::default() }
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.writes.is_none() && self.fallbacks.is_empty()
    }

    /// Whether what is written is sealed.
    pub fn seals(&self) -> bool {
        self.writes.is_some()
    }

    /// The key that a file was sealed with, if it is at hand.
    pub(crate) fn key_for(&self, sealed_by: &SealedBy) -> Result<Option<SealingKey>, KeyError> {
        let mut found = self.found();
        if let Some((_, key)) = found.keys.iter().find(|(known, _)| known == sealed_by) {
            return Ok(key.clone());
        }
        let mut result = None;
        for (source, is_first) in self.sources() {
            let Some(key) = opens(source, sealed_by)? else { continue };
            if is_first && found.writes.is_none() {
                found.writes = Some((key.clone(), sealed_by.clone()));
            }
            result = Some(key);
            break;
        }
        found.keys.push((sealed_by.clone(), result.clone()));
        Ok(result)
    }

    /// The key to seal with, if what is written shall be sealed. A passphrase keeps the salt of what was read with it.
    pub(crate) fn writing_key(&self) -> Result<Option<(SealingKey, SealedBy)>, KeyError> {
        let Some(source) = &self.writes else { return Ok(None) };
        let mut found = self.found();
        if found.writes.is_none() {
            let (key, stretching) = match source {
                KeySource::Key(key) => (key.clone(), None),
                KeySource::Passphrase(passphrase) => {
                    let stretching = Stretching::new()?;
                    (SealingKey::from_passphrase(passphrase, &stretching)?, Some(stretching))
                }
            };
            let sealed_by = SealedBy { key: key.id().clone(), stretching };
            found.keys.push((sealed_by.clone(), Some(key.clone())));
            found.writes = Some((key, sealed_by));
        }
        Ok(found.writes.clone())
    }

    fn sources(&self) -> impl Iterator<Item = (&KeySource, bool)> {
        let first = self.writes.iter().map(|source| (source, true));
        first.chain(self.fallbacks.iter().map(|source| (source, false)))
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a source, if it is the one that a file was sealed with.
fn opens(source: &KeySource, sealed_by: &SealedBy) -> Result<Option<SealingKey>, KeyError> {
    let key = match (source, &sealed_by.stretching) {
        (KeySource::Key(key), None) => key.clone(),
        (KeySource::Passphrase(passphrase), Some(stretching)) => SealingKey::from_passphrase(passphrase, stretching)?,
        (KeySource::Key(_), Some(_)) | (KeySource::Passphrase(_), None) => return Ok(None),
    };
    Ok((*key.id() == sealed_by.key).then_some(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> KeySource {
        KeySource::Key(SealingKey::from_bytes(&[byte; 32]).unwrap())
    }

    fn passphrase(text: &str) -> KeySource {
        KeySource::Passphrase(Zeroizing::new(text.to_owned()))
    }

    fn id(ring: &Keyring) -> SealedBy {
        ring.writing_key().unwrap().unwrap().1
    }

    #[test]
    fn the_first_source_seals_and_all_open() {
        let ring = Keyring::new(key(1), vec![key(2), passphrase("correct horse battery")]);
        let by_passphrase = id(&Keyring::new(passphrase("correct horse battery"), vec![]));
        let cases = [(id(&Keyring::new(key(1), vec![])), true), (id(&Keyring::new(key(2), vec![])), true), (by_passphrase, true)];
        let unknown = [(id(&Keyring::new(key(3), vec![])), false), (id(&Keyring::new(passphrase("another one, long"), vec![])), false)];
        for (sealed_by, opened) in cases.into_iter().chain(unknown) {
            for _ in 0..2 {
                let found = ring.key_for(&sealed_by).unwrap();
                assert_eq!(found.is_some(), opened);
                assert!(found.is_none_or(|key| *key.id() == sealed_by.key));
            }
        }
        assert_eq!(id(&ring), id(&Keyring::new(key(1), vec![])), "what was read does not change what is written");
    }

    #[test]
    fn a_passphrase_keeps_the_salt_of_what_it_opened() {
        let first = id(&Keyring::new(passphrase("correct horse battery"), vec![]));
        let ring = Keyring::new(passphrase("correct horse battery"), vec![]);
        assert!(ring.key_for(&first).unwrap().is_some());
        assert_eq!(id(&ring), first);
        let rotated = Keyring::new(passphrase("another one, long"), vec![passphrase("correct horse battery")]);
        assert!(rotated.key_for(&first).unwrap().is_some());
        assert_ne!(id(&rotated), first);
        assert_eq!(id(&rotated), id(&rotated));
    }

    #[test]
    fn to_open_only_is_to_seal_no_more() {
        let ring = Keyring::new(key(1), vec![key(2)]).opening_only();
        assert!(!ring.seals() && !ring.is_empty() && ring.writing_key().unwrap().is_none());
        for byte in [1, 2] {
            assert!(ring.key_for(&id(&Keyring::new(key(byte), vec![]))).unwrap().is_some());
        }
        assert!(Keyring::default().is_empty());
    }

    #[test]
    fn no_key_and_no_passphrase_is_shown() {
        let shown = format!("{:?}", Keyring::new(passphrase("correct horse battery"), vec![key(1)]));
        assert!(shown.contains("Passphrase") && !shown.contains("horse"), "{shown}");
    }
}
