//! Sealing: text that only the holder of a key can read or make, and that fits one place only.
//!
//! AES-256-GCM under a random nonce. What is sealed stands as `sealed:v1:KEY:DATA`: `KEY` names the key without revealing it, `DATA` is
//! nonce, ciphertext and tag in base64url. The *associated* bytes are not in the text: who opens must say the same ones as who sealed,
//! so that a sealed text cannot be moved to where something else is expected.

mod files;
mod key;
mod keyring;
mod passphrase;
mod seals;
mod values;
mod within;

pub(crate) use files::{Files, Opened};
pub(crate) use keyring::SealedBy;

pub use key::{KeyError, KeyId, SealingKey};
pub use keyring::{KeySource, Keyring};
pub use passphrase::Stretching;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::fmt;
use zeroize::Zeroizing;

/// What every sealed text begins with.
const PREFIX: &str = "sealed:";

/// The one version of the text there is.
const VERSION: &str = "v1";

/// Why a text was not opened or not sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The text is none that `seal` makes.
    NotSealed,
    /// A newer meshplan sealed it in a way that this one does not know.
    Newer {
        /// The version it names.
        version: String,
    },
    /// It was sealed with another key.
    OtherKey {
        /// The key it was sealed with.
        sealed_with: KeyId,
        /// The key that was given.
        given: KeyId,
    },
    /// The key is right, and the text or the place it stands in is not the one that was sealed.
    Changed,
    /// The system gives no randomness, or the text is longer than 64 GiB.
    Failed,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealed => f.write_str("it is no sealed text"),
            Self::Newer { version } => write!(f, "it is sealed in the form `{version}`, this meshplan knows `{VERSION}`"),
            Self::OtherKey { sealed_with, given } => write!(f, "it is sealed with the key `{sealed_with}`, not with `{given}`"),
            Self::Changed => f.write_str("it was changed after it was sealed, or was sealed for another place"),
            Self::Failed => f.write_str("the system could not seal it"),
        }
    }
}

impl std::error::Error for SealError {}

/// The key that a sealed text names, without opening it.
pub fn sealed_with(text: &str) -> Result<KeyId, SealError> {
    parts(text).map(|(id, _)| id)
}

/// The key and the data of a sealed text.
fn parts(text: &str) -> Result<(KeyId, &str), SealError> {
    let (version, rest) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':')).ok_or(SealError::NotSealed)?;
    if version != VERSION {
        let known_form = version.strip_prefix('v').is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
        return Err(if known_form { SealError::Newer { version: version.to_owned() } } else { SealError::NotSealed });
    }
    let (id, data) = rest.split_once(':').ok_or(SealError::NotSealed)?;
    let id = KeyId::parse(id).ok_or(SealError::NotSealed)?;
    Ok((id, data))
}

impl SealingKey {
    /// Seals bytes for the place that `associated` says. The length of what is sealed can be told from the text. No two calls give
    /// the same text.
    pub fn seal(&self, plain: &[u8], associated: &[u8]) -> Result<String, SealError> {
        let mut bytes = plain.to_vec();
        let nonce = self.cipher().seal_in_place_append_tag(Aad::from(associated), &mut bytes).map_err(|_| SealError::Failed)?;
        bytes.splice(0..0, nonce.as_ref().iter().copied());
        Ok(format!("{PREFIX}{VERSION}:{}:{}", self.id(), BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The bytes that were sealed with this key for the place that `associated` says.
    pub fn open(&self, text: &str, associated: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (sealed_with, data) = parts(text)?;
        if sealed_with != *self.id() {
            return Err(SealError::OtherKey { sealed_with, given: self.id().clone() });
        }
        let mut bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(data).map_err(|_| SealError::Changed)?);
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(SealError::Changed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Changed)?;
        let plain = self.cipher().open_in_place(nonce, Aad::from(associated), sealed).map_err(|_| SealError::Changed)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SealingKey {
        SealingKey::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened_with_the_same_key_for_the_same_place() {
        let key = key(1);
        for plain in [&b""[..], b"s", &[0; 3], "schl\u{fc}ssel".as_bytes(), &vec![255; 70_000]] {
            for associated in [&b""[..], b"a", b"ab"] {
                let text = key.seal(plain, associated).unwrap();
                assert_eq!(key.open(&text, associated).unwrap().as_slice(), plain);
                assert_eq!(sealed_with(&text).as_ref(), Ok(key.id()));
                assert_ne!(key.seal(plain, associated).unwrap(), text, "the nonce is random");
                assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_".contains(&byte)), "{text}");
            }
        }
    }

    #[test]
    fn another_place_is_refused() {
        let key = key(1);
        let text = key.seal(b"secret", b"a.b").unwrap();
        for associated in [&b""[..], b"a.", b"a.b ", b"a.c"] {
            assert_eq!(key.open(&text, associated).unwrap_err(), SealError::Changed);
        }
    }

    #[test]
    fn another_key_is_named() {
        let (right, wrong) = (key(1), key(2));
        let text = right.seal(b"secret", b"").unwrap();
        let error = wrong.open(&text, b"").unwrap_err();
        assert_eq!(error, SealError::OtherKey { sealed_with: right.id().clone(), given: wrong.id().clone() });
        assert_eq!(error.to_string(), format!("it is sealed with the key `{}`, not with `{}`", right.id(), wrong.id()));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let key = key(1);
        let text = key.seal(b"some secret", b"place").unwrap();
        for at in 0..text.len() {
            for by in *b"A0" {
                let mut changed = text.clone().into_bytes();
                if std::mem::replace(&mut changed[at], by) != by {
                    let changed = String::from_utf8(changed).unwrap();
                    assert!(key.open(&changed, b"place").is_err(), "{changed}");
                }
            }
            assert!(key.open(&text[..at], b"place").is_err(), "cut at {at}");
        }
        assert!(key.open(&format!("{text}A"), b"place").is_err());
    }

    #[test]
    fn other_texts_are_told_apart() {
        let key = key(1);
        let newer = |version: &str| SealError::Newer { version: version.to_owned() };
        for (text, error) in [
            ("", SealError::NotSealed),
            ("secret", SealError::NotSealed),
            ("sealed:", SealError::NotSealed),
            ("sealed:v:a:b", SealError::NotSealed),
            ("sealed:x1:a:b", SealError::NotSealed),
            ("sealed:v2:a:b", newer("v2")),
            ("sealed:v12:", newer("v12")),
            ("sealed:v1:nokey", SealError::NotSealed),
            ("sealed:v1:nokey:AAAA", SealError::NotSealed),
        ] {
            assert_eq!(key.open(text, b"").unwrap_err(), error, "{text}");
        }
        let short = format!("sealed:v1:{}:AAAA", key.id());
        assert_eq!(key.open(&short, b"").unwrap_err(), SealError::Changed);
    }
}
