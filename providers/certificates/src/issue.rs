//! Making keys, certificates and signing requests. The only file that names `rcgen`.
//!
//! Parameters are those of Istio's own `tools/certs`: basic constraints critical, key usage digital signature, content commitment, key
//! encipherment and certificate signing; an intermediate has path length 0 and the name of istiod as subject alternative name.

use crate::parameters::{Algorithm, Part};
use crate::read::{Certificate, private_key};
use rcgen::string::PrintableString;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData,
    RsaKeySize, SerialNumber,
};
use std::fmt;
use time::{Duration, OffsetDateTime};

/// How long before now a certificate starts, for clocks that lag: five minutes.
const HEAD_START: Duration = Duration::minutes(5);

/// A private key. It has no `Debug`, so that it is not shown by accident.
pub(crate) struct Key {
    pair: KeyPair,
    pem: String,
}

/// What a certificate is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The subject's parts, in order.
    pub(crate) subject: Vec<(Part, String)>,
    /// Its validity.
    pub(crate) days: u64,
    /// Subject alternative names.
    pub(crate) dns_names: Vec<String>,
    /// Seconds since the Unix epoch.
    pub(crate) now: u64,
}

impl Key {
    /// A new key. An RSA key of 4096 bits takes about a second.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, String> {
        let pair = match algorithm {
            Algorithm::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            Algorithm::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            Algorithm::Rsa2048 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048),
            Algorithm::Rsa4096 => KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_4096),
        };
        let pair = pair.map_err(|error| said(&error))?;
        let pem = pair.serialize_pem();
        Ok(Self { pair, pem })
    }

    /// The key of a PEM text in PKCS#8, PKCS#1 or SEC1 form. Its text is kept as it is: istiod reads all three.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let pair = KeyPair::try_from(private_key(text)?).map_err(|_| "the key is of no kind that is known here".to_owned())?;
        if pair.algorithm() == &rcgen::PKCS_ED25519 {
            return Err("the key is Ed25519, and istiod supports RSA and ECDSA only".to_owned());
        }
        Ok(Self { pair, pem: format!("{}\n", text.trim()) })
    }

    /// Its PEM text.
    pub(crate) fn pem(&self) -> String {
        self.pem.clone()
    }

    /// The bits of its public key, as in a certificate.
    pub(crate) fn public(&self) -> &[u8] {
        self.pair.der_bytes()
    }
}

/// A self-signed root, as PEM.
pub(crate) fn root(wanted: &Wanted, key: &Key) -> Result<String, String> {
    let params = certificate_params(wanted, BasicConstraints::Unconstrained)?;
    params.self_signed(&key.pair).map(|certificate| certificate.pem()).map_err(|error| said(&error))
}

/// A signing request of an intermediate, as PEM.
pub(crate) fn request(wanted: &Wanted, key: &Key) -> Result<String, String> {
    let params = params(wanted, BasicConstraints::Constrained(0))?;
    params.serialize_request(&key.pair).and_then(|request| request.pem()).map_err(|error| said(&error))
}

/// An intermediate that this root signs, as PEM. It ends no later than the root.
pub(crate) fn intermediate(wanted: &Wanted, key: &Key, (root, root_key): (&Certificate, &Key)) -> Result<String, String> {
    let mut params = certificate_params(wanted, BasicConstraints::Constrained(0))?;
    let end = OffsetDateTime::from_unix_timestamp(root.not_after).map_err(|_| "the root's end cannot be read".to_owned())?;
    if end <= params.not_before {
        return Err(format!("the root has ended at {end}"));
    }
    params.not_after = params.not_after.min(end);
    params.use_authority_key_identifier_extension = true;
    let issuer = Issuer::from_ca_cert_pem(&root.pem, &root_key.pair).map_err(|error| said(&error))?;
    let signed = params.signed_by(&key.pair, &issuer).map_err(|error| said(&error))?.pem();
    // A root made elsewhere may have a subject that is not written back byte by byte; its signature would then lead nowhere.
    if Certificate::read_one(&signed)?.is_issued_by(root) {
        Ok(signed)
    } else {
        Err("what the root signs does not lead back to it; sign the request `csr` with the tool that made the root".to_owned())
    }
}

fn certificate_params(wanted: &Wanted, constraints: BasicConstraints) -> Result<CertificateParams, String> {
    let too_far = || "the validity ends too far away".to_owned();
    let now = i64::try_from(wanted.now).ok().and_then(|now| OffsetDateTime::from_unix_timestamp(now).ok()).ok_or_else(too_far)?;
    let days = i64::try_from(wanted.days).map_err(|_| too_far())?;
    let mut params = params(wanted, constraints)?;
    params.not_before = now - HEAD_START;
    params.not_after = now.checked_add(Duration::days(days)).ok_or_else(too_far)?;
    params.serial_number = Some(serial()?);
    Ok(params)
}

fn params(wanted: &Wanted, constraints: BasicConstraints) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::new(wanted.dns_names.clone()).map_err(|_| "a name in `dns_names` is not ASCII".to_owned())?;
    params.distinguished_name = distinguished_name(&wanted.subject)?;
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::ContentCommitment,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyCertSign,
    ];
    Ok(params)
}

fn distinguished_name(subject: &[(Part, String)]) -> Result<DistinguishedName, String> {
    let mut name = DistinguishedName::new();
    for (part, text) in subject {
        let (ty, value) = match part {
            Part::Country => {
                let printable = PrintableString::try_from(text.as_str()).map_err(|_| "`country` is not ASCII".to_owned())?;
                (DnType::CountryName, DnValue::PrintableString(printable))
            }
            Part::Province => (DnType::StateOrProvinceName, text.as_str().into()),
            Part::Locality => (DnType::LocalityName, text.as_str().into()),
            Part::Organization => (DnType::OrganizationName, text.as_str().into()),
            Part::OrganizationalUnit => (DnType::OrganizationalUnitName, text.as_str().into()),
            Part::CommonName => (DnType::CommonName, text.as_str().into()),
        };
        name.push(ty, value);
    }
    Ok(name)
}

/// 128 random bits.
fn serial() -> Result<SerialNumber, String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "the system gives no randomness".to_owned())?;
    Ok(SerialNumber::from_slice(&bytes))
}

fn said(error: &dyn fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use x509_parser::pem::Pem;
    use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509CertificationRequest};

    const NOW: u64 = 1_700_000_000;

    fn wanted(common_name: &str) -> Wanted {
        let subject = vec![
            (Part::Country, "DE".to_owned()),
            (Part::Locality, "cluster1".to_owned()),
            (Part::Organization, "Istio".to_owned()),
            (Part::CommonName, common_name.to_owned()),
        ];
        Wanted { subject, days: 30, dns_names: vec!["istiod.istio-system.svc".to_owned()], now: NOW }
    }

    fn der(pem: &str) -> Vec<u8> {
        Pem::iter_from_buffer(pem.as_bytes()).next().unwrap().unwrap().contents
    }

    #[test]
    fn every_algorithm_makes_a_root_and_an_intermediate_that_leads_to_it() {
        for algorithm in [Algorithm::EcdsaP256, Algorithm::EcdsaP384, Algorithm::Rsa2048] {
            let (root_key, key) = (Key::generate(algorithm).unwrap(), Key::generate(Algorithm::EcdsaP256).unwrap());
            let root = Certificate::read_one(&root(&wanted("Root CA"), &root_key).unwrap()).unwrap();
            let issued = intermediate(&wanted("Intermediate CA"), &key, (&root, &root_key)).unwrap();
            let issued = Certificate::read_one(&issued).unwrap();
            assert!(issued.is_issued_by(&root), "{algorithm}");
            assert_eq!((issued.unfit(), root.unfit()), (None, None), "{algorithm}");
            assert_eq!(issued.public_key, key.public());
        }
    }

    #[test]
    fn an_intermediate_says_what_istiod_needs() {
        let (root_key, key) = (Key::generate(Algorithm::EcdsaP256).unwrap(), Key::generate(Algorithm::EcdsaP256).unwrap());
        let root = Certificate::read_one(&root(&wanted("Root CA"), &root_key).unwrap()).unwrap();
        let der = der(&intermediate(&wanted("Intermediate CA"), &key, (&root, &root_key)).unwrap());
        let (_, x509) = X509Certificate::from_der(&der).unwrap();
        assert_eq!(x509.subject().to_string(), "C=DE, L=cluster1, O=Istio, CN=Intermediate CA");
        let constraints = x509.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, Some(0));
        let usage = x509.key_usage().unwrap().unwrap();
        assert!(usage.critical);
        assert_eq!(usage.value.to_string(), "Digital Signature, Non Repudiation, Key Encipherment, Key Cert Sign");
        let names = &x509.subject_alternative_name().unwrap().unwrap().value.general_names;
        assert!(matches!(names.as_slice(), [GeneralName::DNSName("istiod.istio-system.svc")]));
        assert_eq!(x509.validity().not_before.timestamp(), 1_700_000_000 - 300);
        assert_eq!(x509.validity().not_after.timestamp(), 1_700_000_000 + 30 * 86_400);
    }

    #[test]
    fn a_root_has_no_path_length() {
        let key = Key::generate(Algorithm::EcdsaP256).unwrap();
        let der = der(&root(&wanted("Root CA"), &key).unwrap());
        let (_, x509) = X509Certificate::from_der(&der).unwrap();
        let constraints = x509.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, None);
    }

    #[test]
    fn an_intermediate_ends_no_later_than_its_root_and_not_after_it() {
        let (root_key, key) = (Key::generate(Algorithm::EcdsaP256).unwrap(), Key::generate(Algorithm::EcdsaP256).unwrap());
        let root = Certificate::read_one(&root(&wanted("Root CA"), &root_key).unwrap()).unwrap();
        let long = Wanted { days: 300, ..wanted("Intermediate CA") };
        let issued = Certificate::read_one(&intermediate(&long, &key, (&root, &root_key)).unwrap()).unwrap();
        assert_eq!(issued.not_after, root.not_after);
        let late = Wanted { now: NOW + 31 * 86_400, ..long };
        let why = intermediate(&late, &key, (&root, &root_key)).unwrap_err();
        assert!(why.starts_with("the root has ended at 2023-12-14"), "{why}");
    }

    #[test]
    fn serials_are_random() {
        let serials: BTreeSet<_> = (0..20).map(|_| serial().unwrap().to_bytes()).collect();
        assert_eq!(serials.len(), 20);
        assert!(serials.iter().all(|serial| serial.len() == 16));
    }

    #[test]
    fn a_request_carries_the_subject_and_verifies() {
        let key = Key::generate(Algorithm::Rsa2048).unwrap();
        let der = der(&request(&wanted("Intermediate CA"), &key).unwrap());
        let (_, request) = X509CertificationRequest::from_der(&der).unwrap();
        request.verify_signature().unwrap();
        assert!(request.certification_request_info.subject.to_string().ends_with("CN=Intermediate CA"));
        assert_eq!(&*request.certification_request_info.subject_pki.subject_public_key.data, key.public());
    }

    #[test]
    fn keys_of_all_forms_are_read_and_ed25519_is_refused() {
        let key = Key::generate(Algorithm::EcdsaP256).unwrap();
        assert_eq!(Key::read(&format!("\n{}\n", key.pem())).map(|key| key.pem()).unwrap(), key.pem());
        let other = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
        assert_eq!(Key::read(&other).err().as_deref(), Some("the key is Ed25519, and istiod supports RSA and ECDSA only"));
        let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(Key::read(nonsense).err().as_deref(), Some("the key is of no kind that is known here"));
    }
}
