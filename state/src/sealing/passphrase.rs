//! Keys from passphrases.

use super::key::{KEY_BYTES, KeyError, SealingKey};
use aws_lc_rs::{pbkdf2, rand};
use engine::value::hex;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Fewest bytes of a passphrase.
pub(super) const SHORTEST: usize = 16;

/// Bytes of a salt.
const SALT_BYTES: usize = 16;

/// Rounds of a new key: what is recommended for HMAC-SHA-256, of the slower SHA-512.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(599_999);

/// Fewest rounds that are accepted of a file, lest whoever can change it makes the next key cheap to guess.
const FEWEST_ROUNDS: u32 = 210_000;

/// Most rounds that are accepted of a file, lest it keeps the machine busy for hours.
const MOST_ROUNDS: u32 = 10_000_000;

/// How a passphrase becomes a key: PBKDF2 (RFC 8018) with HMAC-SHA-512. Not secret; stands beside what is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretching {
    salt: [u8; SALT_BYTES],
    rounds: NonZeroU32,
}

impl Stretching {
    /// One with a salt of its own.
    pub fn new() -> Result<Self, KeyError> {
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt).map_err(|_| KeyError::Failed)?;
        Ok(Self { salt, rounds: ROUNDS })
    }

    /// One that was stored: 16 bytes of salt in hexadecimal digits, and 210,000 to 10,000,000 rounds.
    pub fn stored(salt: &str, rounds: u32) -> Result<Self, KeyError> {
        let mut bytes = [0; SALT_BYTES];
        let plain = salt.len() == 2 * SALT_BYTES && salt.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !plain || !(FEWEST_ROUNDS..=MOST_ROUNDS).contains(&rounds) {
            return Err(KeyError::Stretching);
        }
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&salt[at..at + 2], 16).map_err(|_| KeyError::Stretching)?;
        }
        let rounds = NonZeroU32::new(rounds).ok_or(KeyError::Stretching)?;
        Ok(Self { salt: bytes, rounds })
    }

    /// The salt in hexadecimal digits.
    pub fn salt(&self) -> String {
        hex(&self.salt)
    }

    /// How often the passphrase is hashed.
    pub fn rounds(&self) -> u32 {
        self.rounds.get()
    }
}

impl SealingKey {
    /// The key that a passphrase of at least 16 bytes becomes. Takes most of a second by intent.
    pub fn from_passphrase(passphrase: &str, stretching: &Stretching) -> Result<Self, KeyError> {
        if passphrase.len() < SHORTEST {
            return Err(KeyError::ShortPassphrase);
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let (algorithm, secret) = (pbkdf2::PBKDF2_HMAC_SHA512, passphrase.as_bytes());
        pbkdf2::derive(algorithm, stretching.rounds, &stretching.salt, secret, bytes.as_mut_slice());
        Self::from_bytes(bytes.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "correct horse battery";

    #[test]
    fn a_passphrase_gives_the_same_key_with_the_same_salt_and_rounds() {
        let stretching = Stretching::stored(&"0a".repeat(SALT_BYTES), FEWEST_ROUNDS).unwrap();
        let id = |passphrase, stretching: &Stretching| SealingKey::from_passphrase(passphrase, stretching).unwrap().id().to_string();
        let written = id(PASSPHRASE, &stretching);
        // Computed by another implementation of PBKDF2; what is sealed with it must stay readable.
        assert_eq!(written, "d5f8242ca815b36b");
        assert_ne!(id("correct horse batterz", &stretching), written);
        let others =
            [Stretching::stored(&"0b".repeat(SALT_BYTES), FEWEST_ROUNDS), Stretching::stored(&stretching.salt(), FEWEST_ROUNDS + 1)];
        for other in others {
            assert_ne!(id(PASSPHRASE, &other.unwrap()), written);
        }
    }

    #[test]
    fn how_it_is_stretched_is_read_again() {
        let new = Stretching::new().unwrap();
        assert_eq!(new.rounds(), 600_000);
        assert_eq!(Stretching::stored(&new.salt(), new.rounds()), Ok(new.clone()));
        assert_ne!(Stretching::new().unwrap().salt(), new.salt());
    }

    #[test]
    fn what_makes_a_weak_key_is_refused() {
        let salt = "00".repeat(SALT_BYTES);
        for (salt, rounds) in [
            (salt.as_str(), 0),
            (&salt, FEWEST_ROUNDS - 1),
            (&salt, MOST_ROUNDS + 1),
            (&salt[2..], FEWEST_ROUNDS),
            ("", FEWEST_ROUNDS),
            (&"+1".repeat(SALT_BYTES), FEWEST_ROUNDS),
        ] {
            assert_eq!(Stretching::stored(salt, rounds), Err(KeyError::Stretching), "{salt} {rounds}");
        }
        let error = SealingKey::from_passphrase("fifteen bytes..", &Stretching::new().unwrap()).unwrap_err();
        assert_eq!(error, KeyError::ShortPassphrase);
    }
}
