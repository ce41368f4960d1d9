//! Reading certificates and keys that somebody else may have made. The only file that parses X.509.

use engine::value::hex;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// As PEM, one block with a newline at its end.
    pub(crate) pem: String,
    der: Vec<u8>,
    /// The bits of its public key.
    pub(crate) public_key: Vec<u8>,
    /// Seconds since the Unix epoch.
    pub(crate) not_before: i64,
    /// Seconds since the Unix epoch.
    pub(crate) not_after: i64,
    /// How many authorities may stand below it, if it says so.
    pub(crate) path_length: Option<u32>,
    is_authority: bool,
    algorithm: String,
}

/// SHA-1 with RSA, and with ECDSA.
const SHA1: [&str; 2] = ["1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];
/// Keys of RSA, and of elliptic curves (RFC 3279).
const KEYS: [&str; 2] = ["1.2.840.113549.1.1.1", "1.2.840.10045.2.1"];

impl Certificate {
    /// All certificates of a PEM text, in order, or why there are none: a fragment.
    pub(crate) fn read_all(text: &str) -> Result<Vec<Self>, String> {
        let found = blocks(text, |label| label == "CERTIFICATE")?;
        if found.is_empty() {
            return Err("the text holds no `BEGIN CERTIFICATE` block".to_owned());
        }
        found.into_iter().map(|(pem, der)| Self::read(pem, &der)).collect()
    }

    /// The one certificate of a PEM text.
    pub(crate) fn read_one(text: &str) -> Result<Self, String> {
        let mut all = Self::read_all(text)?;
        match (all.pop(), all.len()) {
            (Some(only), 0) => Ok(only),
            (_, others) => Err(format!("the text holds {} certificates where one is meant", others + 1)),
        }
    }

    fn read(pem: String, der: &[u8]) -> Result<Self, String> {
        let (_, x509) = X509Certificate::from_der(der).map_err(|_| "a `CERTIFICATE` block holds no X.509 certificate".to_owned())?;
        Ok(Self {
            public_key: x509.public_key().subject_public_key.data.to_vec(),
            not_before: x509.validity().not_before.timestamp(),
            not_after: x509.validity().not_after.timestamp(),
            path_length: x509.basic_constraints().ok().flatten().and_then(|constraints| constraints.value.path_len_constraint),
            is_authority: x509.is_ca() && x509.key_usage().ok().flatten().is_none_or(|usage| usage.value.key_cert_sign()),
            algorithm: x509.public_key().algorithm.algorithm.to_id_string(),
            pem,
            der: der.to_vec(),
        })
    }

    /// SHA-256 of its DER form, as 64 hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> String {
        hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der).as_ref())
    }

    /// Why istiod could not use it as an authority, if it could not: a fragment.
    pub(crate) fn unfit(&self) -> Option<String> {
        let (_, x509) = X509Certificate::from_der(&self.der).ok()?;
        if !self.is_authority {
            return Some("it is no authority: basic constraints or key usage do not let it sign certificates".to_owned());
        }
        if !KEYS.contains(&self.algorithm.as_str()) {
            return Some("its key is neither RSA nor ECDSA, and istiod supports no other".to_owned());
        }
        let signed_with = x509.signature_algorithm.algorithm.to_id_string();
        SHA1.contains(&signed_with.as_str()).then(|| "it is signed with SHA-1, which istiod refuses".to_owned())
    }

    /// Whether its subject or its issuer holds a text.
    pub(crate) fn names(&self, text: &str) -> bool {
        let Ok((_, x509)) = X509Certificate::from_der(&self.der) else { return false };
        [x509.subject(), x509.issuer()].iter().any(|name| name.to_string().contains(text))
    }

    /// Whether `issuer` signed it and it says so.
    pub(crate) fn is_issued_by(&self, issuer: &Self) -> bool {
        let (Ok((_, below)), Ok((_, above))) = (X509Certificate::from_der(&self.der), X509Certificate::from_der(&issuer.der)) else {
            return false;
        };
        below.issuer().as_raw() == above.subject().as_raw() && below.verify_signature(Some(above.public_key())).is_ok()
    }
}

/// The first private key of a PEM text, as DER, or why there is none: a fragment that holds nothing of the key.
pub(crate) fn private_key(text: &str) -> Result<Vec<u8>, String> {
    let mut found = blocks(text, |label| label.ends_with("PRIVATE KEY"))?;
    if text.contains("ENCRYPTED") {
        return Err("the key is encrypted with a passphrase, and istiod reads plain keys only".to_owned());
    }
    if found.is_empty() {
        return Err("the text holds no `PRIVATE KEY` block".to_owned());
    }
    Ok(found.swap_remove(0).1)
}

/// What the first block of a PEM text holds, whatever its label.
pub(crate) fn contents(text: &str) -> Option<Vec<u8>> {
    blocks(text, |_| true).ok()?.into_iter().next().map(|(_, contents)| contents)
}

/// A point in time as RFC 3339 has it, in UTC; nothing if it is too far away to be written so.
pub(crate) fn moment(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// The blocks with a fitting label: their text, with a newline at the end, and their content.
fn blocks(text: &str, fits: impl Fn(&str) -> bool) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut found = Vec::new();
    let mut texts = pem_texts(text).into_iter();
    for block in Pem::iter_from_buffer(text.as_bytes()) {
        let block = block.map_err(|_| "the text is no PEM".to_owned())?;
        let text = texts.next().unwrap_or_default();
        if fits(&block.label) {
            found.push((text, block.contents));
        }
    }
    Ok(found)
}

fn pem_texts(text: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut within = false;
    for line in text.lines().map(str::trim_end) {
        if line.starts_with("-----BEGIN ") {
            within = true;
            texts.push(String::new());
        }
        if let (true, Some(last)) = (within, texts.last_mut()) {
            last.push_str(line);
            last.push('\n');
        }
        within &= !line.starts_with("-----END ");
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::{Key, Wanted, root};
    use crate::parameters::Algorithm;

    fn made() -> (String, Key) {
        let key = Key::generate(Algorithm::EcdsaP256).unwrap();
        let wanted = Wanted { subject: Vec::new(), days: 10, dns_names: Vec::new(), now: 1_700_000_000 };
        (root(&wanted, &key).unwrap(), key)
    }

    #[test]
    fn certificates_are_read_with_whatever_stands_around_them() {
        let (first, key) = made();
        let (second, _) = made();
        let dressed = format!("subject=CN = x\r\n{}\n{}\n", first.replace('\n', "\r\n"), second);
        let read = Certificate::read_all(&dressed).unwrap();
        assert_eq!(read.iter().map(|certificate| certificate.pem.as_str()).collect::<Vec<_>>(), [first.as_str(), second.as_str()]);
        assert_eq!(read[0].public_key, key.public());
        assert_eq!(read[0].not_after - read[0].not_before, 10 * 86_400 + 300);
        assert_eq!(read[0].unfit(), None);
        assert!(read[0].is_issued_by(&read[0]) && !read[0].is_issued_by(&read[1]));
        assert_ne!(read[0].fingerprint(), read[1].fingerprint());
    }

    #[test]
    fn what_is_no_certificate_says_so() {
        let (first, key) = made();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (text, expected) in [
            (String::new(), "the text holds no `BEGIN CERTIFICATE` block"),
            (key.pem(), "the text holds no `BEGIN CERTIFICATE` block"),
            (broken.to_owned(), "a `CERTIFICATE` block holds no X.509 certificate"),
            ("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n".to_owned(), "the text is no PEM"),
            (format!("{first}{first}"), "the text holds 2 certificates where one is meant"),
        ] {
            assert_eq!(Certificate::read_one(&text).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_key_is_found_behind_its_parameters() {
        let (first, key) = made();
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        assert_eq!(private_key(&format!("{parameters}{}", key.pem())), private_key(&key.pem()));
        assert_eq!(private_key(&first).unwrap_err(), "the text holds no `PRIVATE KEY` block");
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert_eq!(private_key(encrypted).unwrap_err(), "the key is encrypted with a passphrase, and istiod reads plain keys only");
    }

    #[test]
    fn moments_are_written_in_utc() {
        assert_eq!(moment(1_700_000_000).as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(moment(i64::MAX), None);
    }
}
