//! Keys to seal with.

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// Bytes of what names a key.
const ID_BYTES: usize = 8;

/// What keys of this crate are derived under, so that the same bytes used elsewhere give other keys.
const DOMAIN: &[u8] = b"meshplan sealing v1";

/// Names a key and reveals nothing of it: 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// The id that a text writes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 2 * ID_BYTES && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        digits.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why bytes are no key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Fewer than 32 bytes can be guessed.
    TooShort {
        /// How many there are.
        bytes: usize,
    },
    /// It is not written in base64.
    NotBase64,
    /// A passphrase of fewer than 16 bytes can be guessed.
    ShortPassphrase,
    /// A salt or a number of rounds that no meshplan writes.
    Stretching,
    /// The system gives no randomness or refused to derive.
    Failed,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { bytes } => write!(f, "a key has at least {KEY_BYTES} bytes, this one has {bytes}"),
            Self::NotBase64 => f.write_str("it is not written in base64"),
            Self::ShortPassphrase => write!(f, "a passphrase has at least {} bytes", super::passphrase::SHORTEST),
            Self::Stretching => f.write_str("what is stored of how to derive the key is damaged"),
            Self::Failed => f.write_str("the system could not make a key"),
        }
    }
}

impl std::error::Error for KeyError {}

/// A key to seal and to open with. Cheap to clone.
#[derive(Clone)]
pub struct SealingKey(Arc<Inner>);

struct Inner {
    root: Prk,
    cipher: RandomizedNonceKey,
    id: KeyId,
}

/// Which key it is, and nothing of it.
impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingKey").field(self.id()).finish()
    }
}

impl SealingKey {
    /// The key that these bytes are: at least 32 that nobody can guess, such as a state's own key. Not for passphrases: see
    /// [`SealingKey::from_passphrase`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() < KEY_BYTES {
            return Err(KeyError::TooShort { bytes: bytes.len() });
        }
        let root = Salt::new(HKDF_SHA256, DOMAIN).extract(bytes);
        let cipher = expand::<KEY_BYTES>(&root, &[b"cipher"])?;
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, cipher.as_slice()).map_err(|_| KeyError::Failed)?;
        let id = KeyId(engine::value::hex(expand::<ID_BYTES>(&root, &[b"id"])?.as_slice()));
        Ok(Self(Arc::new(Inner { root, cipher, id })))
    }

    /// The key that a text of base64 holds, with white space around it or between its lines.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let digits = Zeroizing::new(text.split_ascii_whitespace().collect::<String>());
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(digits.as_bytes()).map_err(|_| KeyError::NotBase64)?);
        Self::from_bytes(&bytes)
    }

    /// Another key for one use, such as `plan file`: who has this key has that one, and not the other way round.
    pub fn derived(&self, label: &str) -> Result<Self, KeyError> {
        let bytes = expand::<KEY_BYTES>(&self.0.root, &[b"derived ", label.as_bytes()])?;
        Self::from_bytes(bytes.as_slice())
    }

    /// Names the key.
    pub fn id(&self) -> &KeyId {
        &self.0.id
    }

    pub(super) fn cipher(&self) -> &RandomizedNonceKey {
        &self.0.cipher
    }
}

fn expand<const BYTES: usize>(root: &Prk, info: &[&[u8]]) -> Result<Zeroizing<[u8; BYTES]>, KeyError> {
    struct Length(usize);
    impl aws_lc_rs::hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut bytes = Zeroizing::new([0; BYTES]);
    let filled = root.expand(info, Length(BYTES)).and_then(|key| key.fill(bytes.as_mut_slice()));
    filled.map(|()| bytes).map_err(|_| KeyError::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_the_same_key_and_others_are_not() {
        let key = |byte| SealingKey::from_bytes(&[byte; 32]).unwrap();
        assert_eq!(key(1).id(), key(1).id());
        assert_ne!(key(1).id(), key(2).id());
        assert_ne!(SealingKey::from_bytes(&[1; 33]).unwrap().id(), key(1).id());
        // Computed by another implementation of HKDF; what is sealed with it must stay readable.
        assert_eq!(key(1).id().to_string(), "4ac2644515858268");
        assert_eq!(SealingKey::from_bytes(&[1; 31]).unwrap_err(), KeyError::TooShort { bytes: 31 });
    }

    #[test]
    fn a_derived_key_is_of_its_label_alone() {
        let key = SealingKey::from_bytes(&[1; 32]).unwrap();
        let plan = key.derived("plan").unwrap();
        assert_eq!(plan.id(), key.derived("plan").unwrap().id());
        for other in [&key, &key.derived("plan ").unwrap(), &key.derived("").unwrap(), &plan.derived("plan").unwrap()] {
            assert_ne!(other.id(), plan.id());
            assert!(other.open(&plan.seal(b"x", b"").unwrap(), b"").is_err());
        }
    }

    #[test]
    fn a_key_file_holds_base64() {
        let text = BASE64_STANDARD.encode([1; 48]);
        let (first, second) = text.split_at(20);
        let expected = SealingKey::from_bytes(&[1; 48]).unwrap();
        assert_eq!(SealingKey::from_base64(&format!(" {first}\r\n{second}\n")).unwrap().id(), expected.id());
        for (text, error) in
            [("", KeyError::TooShort { bytes: 0 }), ("AAAA", KeyError::TooShort { bytes: 3 }), ("no key!", KeyError::NotBase64)]
        {
            assert_eq!(SealingKey::from_base64(text).unwrap_err(), error);
        }
    }

    #[test]
    fn no_key_is_shown() {
        let key = SealingKey::from_bytes(&[1; 32]).unwrap();
        assert_eq!(format!("{key:?}"), format!("SealingKey(KeyId(\"{}\"))", key.id()));
    }

    #[test]
    fn an_id_is_sixteen_lower_case_digits() {
        for (text, good) in
            [("0123456789abcdef", true), ("0123456789ABCDEF", false), ("0123", false), ("", false), ("0123456789abcdeg", false)]
        {
            assert_eq!(KeyId::parse(text).map(|id| id.to_string()), good.then(|| text.to_owned()));
        }
    }
}
