//! One hash per value: canonical bytes, SHA-256.

use super::{Data, MappingKind, SequenceKind, Value};
use sha2::{Digest, Sha256};

/// The hash of a value, as 64 hexadecimal digits. Equal values have equal hashes; unknown parts enter as such, references as their
/// addresses, marks and origins not at all.
pub fn fingerprint(value: &Value) -> String {
    let mut hasher = Sha256::new();
    feed(value, &mut hasher);
    hex(&hasher.finalize())
}

/// The HMAC-SHA-256 (RFC 2104) of a value's hash under a key, as 64 hexadecimal digits: says "the same as then" of what is secret.
pub fn keyed_fingerprint(value: &Value, key: &[u8]) -> String {
    const BLOCK: usize = 64;
    let short = if key.len() > BLOCK { Sha256::digest(key).to_vec() } else { key.to_vec() };
    let pad = |with: u8| (0..BLOCK).map(|at| short.get(at).copied().unwrap_or(0) ^ with).collect::<Vec<_>>();
    let mut message = Sha256::new();
    feed(value, &mut message);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message.finalize()).finalize();
    hex(&Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize())
}

/// The hash of a tuple that is fed element by element: the same as [`fingerprint`] of the whole, which need not be in memory.
pub(crate) struct TupleHash(Sha256);

impl TupleHash {
    pub(crate) fn new() -> Self {
        Self(Sha256::new().chain_update(b"["))
    }

    /// The next element.
    pub(crate) fn add(&mut self, value: &Value) {
        feed(value, &mut self.0);
    }

    /// The next element, a tuple of what `elements` adds.
    pub(crate) fn nested(&mut self, elements: impl FnOnce(&mut Self)) {
        self.0.update(b"[");
        elements(self);
        self.0.update(b"]");
    }

    /// The next element, a string.
    pub(crate) fn text(&mut self, string: &str) {
        text(b's', string, &mut self.0);
    }

    /// As [`fingerprint`] writes it.
    pub(crate) fn finish(self) -> String {
        hex(&self.finish_short())
    }

    /// The same as bytes, where many are kept.
    pub(crate) fn finish_short(self) -> [u8; 32] {
        self.0.chain_update(b"]").finalize().into()
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
    text
}

fn feed(value: &Value, hasher: &mut Sha256) {
    match value.data() {
        Data::Null => hasher.update(b"n"),
        Data::Bool(value) => hasher.update(if *value { b"t" } else { b"f" }),
        Data::Number(number) => text(b'd', &number.normalize().to_string(), hasher),
        Data::String(string) => text(b's', string, hasher),
        Data::Sequence(sequence) => {
            hasher.update(match sequence.kind() {
                SequenceKind::Tuple | SequenceKind::List(_) => b"[",
                SequenceKind::Set(_) => b"<",
            });
            sequence.items().iter().for_each(|item| feed(item, hasher));
            hasher.update(b"]");
        }
        Data::Mapping(mapping) => {
            hasher.update(match mapping.kind() {
                MappingKind::Object | MappingKind::Map(_) => b"{",
            });
            for entry in mapping.entries() {
                text(b'k', &entry.key, hasher);
                feed(&entry.value, hasher);
            }
            hasher.update(b"}");
        }
        Data::Instance(instance) => feed(&instance.attributes, hasher),
        Data::Reference(instance) => text(b'r', &instance.address.to_string(), hasher),
        Data::Unknown(..) => hasher.update(b"u"),
        Data::Pending(_) => hasher.update(b"p"),
        Data::Blocked(_) => hasher.update(b"b"),
    }
}

fn text(tag: u8, text: &str, hasher: &mut Sha256) {
    let mut head = [tag; 9];
    head[1..].copy_from_slice(&(text.len() as u64).to_be_bytes());
    hasher.update(head);
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_hash_alike_and_others_do_not() {
        let list = |items: &[&str]| Value::tuple(items.iter().map(|item| Value::string(*item)).collect());
        assert_eq!(fingerprint(&list(&["a", "b"])), fingerprint(&list(&["a", "b"])));
        assert_ne!(fingerprint(&list(&["ab"])), fingerprint(&list(&["a", "b"])));
        assert_ne!(fingerprint(&Value::string("1")), fingerprint(&Value::number(1)));
        assert_eq!(fingerprint(&Value::null()).len(), 64);
    }

    #[test]
    fn a_keyed_hash_depends_on_key_and_value() {
        let secret = Value::string("hunter2");
        let hash = keyed_fingerprint(&secret, b"key");
        assert_eq!(hash, keyed_fingerprint(&secret.clone().sensitive(), b"key"));
        assert_ne!(hash, keyed_fingerprint(&secret, b"other key"));
        assert_ne!(hash, keyed_fingerprint(&Value::string("hunter3"), b"key"));
        assert_ne!(hash, fingerprint(&secret));
        assert_ne!(keyed_fingerprint(&secret, &[7; 65]), keyed_fingerprint(&secret, &[7; 64]));
    }
}
