//! Certificates as people compare them. The only file here that parses X.509.

use engine::value::{Value, hex};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A certificate: what it is called, and what there is to say of it.
pub(crate) struct Certificate {
    /// Its subject: `O=Istio, CN=Root CA`.
    pub(crate) subject: String,
    /// `issuer`, `names`, `serial`, `sha256` (of its DER form, 64 hexadecimal digits), `valid_from` and `valid_to` (to the minute, UTC).
    pub(crate) described: Value,
}

/// Reads one in DER form.
pub(crate) fn read(der: &[u8]) -> Option<Certificate> {
    let (_, x509) = X509Certificate::from_der(der).ok()?;
    let moment = |time: &x509_parser::time::ASN1Time| {
        let time = time.to_datetime();
        let (date, clock) = (time.date(), time.time());
        let text = format!("{:04}-{:02}-{:02} {:02}:{:02}", date.year(), u8::from(date.month()), date.day(), clock.hour(), clock.minute());
        Value::string(text)
    };
    let names = x509.subject_alternative_name().ok().flatten();
    let names: Vec<Value> = names.iter().flat_map(|names| &names.value.general_names).filter_map(name).map(Value::string).collect();
    let (subject, issuer) = (x509.subject().to_string(), x509.issuer().to_string());
    let described = Value::object([
        ("issuer", Value::string(if issuer == subject { "itself".to_owned() } else { issuer })),
        ("names", if names.is_empty() { Value::null() } else { Value::tuple(names) }),
        ("serial", Value::string(hex(x509.raw_serial()))),
        ("sha256", Value::string(hex(&Sha256::digest(der)))),
        ("valid_from", moment(&x509.validity().not_before)),
        ("valid_to", moment(&x509.validity().not_after)),
    ]);
    Some(Certificate { subject, described })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(bytes) => Some(std::net::Ipv4Addr::from(bytes).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    }
}
