//! PEM text, plain or in base64 as `caBundle` has it: certificates by what they say, keys never.

use crate::certificate;
use crate::difference::{Difference, Leaf, Mark, What};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::value::{Data, Entry, Mapping, Sequence, Value, hex};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::Arc;
use x509_parser::pem::Pem;

/// How the base64 of PEM text begins.
const ENCODED: &str = "LS0tLS1CRUdJTi";

/// One block.
struct Block {
    /// What it is and about whom: `certificate[O=Istio, CN=Root CA]`, `private key`.
    name: String,
    /// What may be shown of it.
    described: Value,
    /// Tells it from others.
    print: [u8; 32],
}

/// Whether a text holds a private key, plain or in base64.
pub(crate) fn holds_private_key(text: &str) -> bool {
    let holds = |text: &str| text.contains("PRIVATE KEY-----");
    holds(text) || text.starts_with(ENCODED) && decoded(text).is_some_and(|text| holds(&text))
}

/// What differs between two PEM texts, and the language's name; nothing if one is none, or they differ in nothing but what is around blocks.
pub(crate) fn compare(before: &str, after: &str) -> Option<(&'static str, Difference)> {
    let (before, after) = (Text::read(before)?, Text::read(after)?);
    let language = if before.encoded && after.encoded { "base64 pem" } else { "pem" };
    let difference = blocks(before.blocks, after.blocks);
    (!difference.leaves.is_empty()).then_some((language, difference))
}

/// A value with what is PEM in it spelled out, so that whoever reads it learns something.
pub fn legible(value: &Value) -> Value {
    if !holds_pem(value) {
        return value.clone();
    }
    let spelled = match value.data() {
        Data::String(text) => Text::read(text).map_or_else(|| value.clone(), |text| described(&text.blocks)),
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().map(|entry| Entry { value: legible(&entry.value), ..entry.clone() });
            Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
        }
        Data::Sequence(sequence) => {
            let items = sequence.items().iter().map(legible).collect();
            Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items))))
        }
        _ => value.clone(),
    };
    spelled.sensitive_if(value.is_marked_sensitive())
}

fn holds_pem(value: &Value) -> bool {
    if value.is_marked_sensitive() {
        return false;
    }
    match value.data() {
        Data::String(text) => text.contains("-----BEGIN ") || text.starts_with(ENCODED),
        Data::Mapping(_) | Data::Sequence(_) => value.parts().any(holds_pem),
        _ => false,
    }
}

struct Text {
    encoded: bool,
    blocks: Vec<Block>,
}

impl Text {
    /// A text of PEM blocks, if it is one.
    fn read(text: &str) -> Option<Self> {
        let encoded = text.starts_with(ENCODED);
        let plain = if encoded { Cow::Owned(decoded(text)?) } else { Cow::Borrowed(text) };
        if !plain.trim_start().starts_with(['-', '#']) || !plain.contains("-----BEGIN ") {
            return None;
        }
        let blocks = Pem::iter_from_buffer(plain.as_bytes()).map(|block| Some(Block::of(&block.ok()?))).collect::<Option<Vec<_>>>()?;
        (!blocks.is_empty()).then_some(Self { encoded, blocks })
    }
}

impl Block {
    fn of(block: &Pem) -> Self {
        let print: [u8; 32] = Sha256::digest(&block.contents).into();
        let certificate = if block.label == "CERTIFICATE" { certificate::read(&block.contents) } else { None };
        let (name, described) = match certificate {
            Some(certificate) => (format!("certificate[{}]", certificate.subject), certificate.described),
            None if block.label.ends_with("PRIVATE KEY") => (block.label.to_lowercase(), Value::string("").sensitive()),
            None => (block.label.to_lowercase(), Value::object([("sha256", Value::string(hex(&print)))])),
        };
        Self { name, described, print }
    }
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text.trim_end()).ok()?).ok()
}

/// What blocks say, as one value: that of the only one, or a list.
fn described(blocks: &[Block]) -> Value {
    let of = |block: &Block| match block.name.strip_prefix("certificate[").and_then(|name| name.strip_suffix(']')) {
        Some(subject) => {
            let own = block.described.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone()));
            Value::object(own.chain([("subject".into(), Value::string(subject))]))
        }
        None => block.described.clone(),
    };
    match blocks {
        [only] => of(only),
        several => Value::tuple(several.iter().map(of).collect()),
    }
}

/// Blocks that are the same stay, of the rest those about the same subject are compared with each other, in their order.
fn blocks(mut before: Vec<Block>, mut after: Vec<Block>) -> Difference {
    let mut found = Difference::default();
    before.retain(|block| match after.iter().position(|other| other.print == block.print) {
        Some(at) => {
            after.remove(at);
            found.unchanged += 1;
            false
        }
        None => true,
    });
    let mut push = |mark, name: &str, what| found.leaves.push(Leaf { mark, path: name.to_owned(), what });
    for block in before {
        match after.iter().position(|other| other.name == block.name) {
            Some(at) => {
                let next = after.remove(at);
                if block.described.is_marked_sensitive() {
                    push(Mark::Change, &block.name, What::Secret);
                    continue;
                }
                push(Mark::Change, &block.name, What::Within("x509", Difference::between(&block.described, &next.described)));
            }
            None => push(Mark::Remove, &block.name, What::One(block.described)),
        }
    }
    for block in after {
        push(Mark::Add, &block.name, What::One(block.described));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::difference::tests::lines;
    use super::*;
    use crate::notation::inline;
    use engine::value::Type;
    use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber, date_time_ymd};

    /// A certificate of this name, year of birth and serial, and its key.
    fn issued(name: &str, year: i32, serial: u64) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["istiod.istio-system.svc".to_owned()]).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.serial_number = Some(SerialNumber::from(serial));
        (parameters.not_before, parameters.not_after) = (date_time_ymd(year, 1, 1), date_time_ymd(year + 10, 1, 1));
        (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn differ(before: &str, after: &str) -> Vec<String> {
        let object = |text: &str| Value::object([("t", Value::string(text))]);
        let lines = lines(&Difference::between(&object(before), &object(after)));
        assert!(lines.iter().all(|line| !line.contains("BEGIN") && !line.contains("LS0t")), "{lines:?}");
        lines.join("|").split('|').map(|line| if line.starts_with("~ sha256") { "~ sha256" } else { line }.to_owned()).collect()
    }

    #[test]
    fn certificates_are_compared_by_what_they_say() {
        let ((old, old_key), (new, new_key), (other, _)) = (issued("root", 2025, 1), issued("root", 2026, 2), issued("next", 2026, 3));
        let renewed = [
            "~ certificate[CN=root] (x509) ~ serial \"01\" -> \"02\"",
            "~ sha256",
            "~ valid_from \"2025-01-01 00:00\" -> \"2026-01-01 00:00\"",
            "~ valid_to \"2035-01-01 00:00\" -> \"2036-01-01 00:00\"",
        ];
        let with = |first: &str| {
            [&[&*format!("~ t ({first}) {}", renewed[0])], &renewed[1..]].concat().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(differ(&old, &new), with("pem"));
        assert_eq!(differ(&STANDARD.encode(&old), &STANDARD.encode(&new)), with("base64 pem"));
        // A bundle grows, is reordered, and shrinks.
        let added = differ(&old, &format!("{old}{other}"));
        assert!(
            added.len() == 1
                && added[0].starts_with(
                    "~ t (pem) + certificate[CN=next] { issuer = \"itself\", names = [\"istiod.istio-system.svc\"], serial = \"03\""
                ),
            "{added:?}"
        );
        let removed = differ(&format!("{old}{new}"), &new);
        assert!(removed.len() == 1 && removed[0].starts_with("~ t (pem) - certificate[CN=root] {"), "{removed:?}");
        // Keys say nothing.
        assert_eq!(differ(&format!("{old}{old_key}"), &format!("{old}{new_key}")), ["~ t (pem) ~ private key secret"]);
        // What stands around blocks is text.
        assert_eq!(
            differ(&format!("# a\n{old}").replace("BEGIN", "X"), &format!("# b\n{old}").replace("BEGIN", "X")),
            ["~ t (text) ~ line 1 # a -> # b"]
        );
    }

    #[test]
    fn a_new_value_is_spelled_out() {
        let (certificate, key) = issued("root", 2026, 1);
        let value = Value::object([("ca", Value::string(format!("{certificate}{certificate}"))), ("key", Value::string(key))]);
        let shown = inline(&legible(&value));
        assert_eq!(shown.matches("subject = \"CN=root\"").count(), 2, "{shown}");
        assert!(shown.starts_with("{ ca = [{ issuer = \"itself\"") && shown.ends_with("key = (sensitive value) }"), "{shown}");
        // What is not known yet takes the place of what it says, not of its text.
        let open = Difference::between(&value, &Value::object([("ca", Value::unknown(Type::String))]));
        let told = lines(&open).join("|");
        assert!(told.starts_with("~ ca [{ issuer = \"itself\"") && !told.contains("BEGIN"), "{told}");
        let plain = Value::object([("a", Value::string("x"))]);
        assert_eq!(legible(&plain), plain);
    }
}
