//! Bodies that `kubectl create namespace`, `secret`, `configmap` and their like send: protobuf, in Kubernetes' envelope. Only the kinds that
//! such commands make are read; field numbers are those of the published `generated.proto` files.

use crate::object::Json;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, json};

/// The first bytes of every body.
const MAGIC: &[u8] = b"k8s\0";

/// What a field holds.
#[derive(Debug, Clone, Copy)]
enum Holds {
    Text,
    Texts,
    Number,
    Truth,
    TextMap,
    BytesMap,
    One(&'static str),
    Many(&'static str),
}

use Holds::{BytesMap, Many, Number, One, Text, TextMap, Texts, Truth};

type Message = (&'static str, &'static [(u64, &'static str, Holds)]);

const MESSAGES: &[Message] = &[
    ("Namespace", &[(1, "metadata", One("ObjectMeta")), (2, "spec", One("NamespaceSpec"))]),
    ("NamespaceSpec", &[(1, "finalizers", Texts)]),
    ("ConfigMap", &[(1, "metadata", One("ObjectMeta")), (2, "data", TextMap), (3, "binaryData", BytesMap), (4, "immutable", Truth)]),
    (
        "Secret",
        &[
            (1, "metadata", One("ObjectMeta")),
            (2, "data", BytesMap),
            (3, "type", Text),
            (4, "stringData", TextMap),
            (5, "immutable", Truth),
        ],
    ),
    (
        "ServiceAccount",
        &[
            (1, "metadata", One("ObjectMeta")),
            (2, "secrets", Many("LocalObjectReference")),
            (3, "imagePullSecrets", Many("LocalObjectReference")),
            (4, "automountServiceAccountToken", Truth),
        ],
    ),
    ("LocalObjectReference", &[(1, "name", Text)]),
    (
        "ObjectMeta",
        &[
            (1, "name", Text),
            (2, "generateName", Text),
            (3, "namespace", Text),
            (5, "uid", Text),
            (6, "resourceVersion", Text),
            (11, "labels", TextMap),
            (12, "annotations", TextMap),
            (14, "finalizers", Texts),
        ],
    ),
    ("TokenRequest", &[(1, "metadata", One("ObjectMeta")), (2, "spec", One("TokenRequestSpec"))]),
    ("TokenRequestSpec", &[(1, "audiences", Texts), (4, "expirationSeconds", Number)]),
    ("SelfSubjectAccessReview", &[(2, "spec", One("SelfSubjectAccessReviewSpec"))]),
    (
        "SelfSubjectAccessReviewSpec",
        &[(1, "resourceAttributes", One("ResourceAttributes")), (2, "nonResourceAttributes", One("NonResourceAttributes"))],
    ),
    (
        "ResourceAttributes",
        &[
            (1, "namespace", Text),
            (2, "verb", Text),
            (3, "group", Text),
            (4, "version", Text),
            (5, "resource", Text),
            (6, "subresource", Text),
            (7, "name", Text),
        ],
    ),
    ("NonResourceAttributes", &[(1, "path", Text), (2, "verb", Text)]),
    ("SelfSubjectReview", &[(1, "metadata", One("ObjectMeta"))]),
    ("TypeMeta", &[(1, "apiVersion", Text), (2, "kind", Text)]),
];

/// Reads a body; an error says why it cannot be read.
pub(super) fn read(body: &[u8]) -> Result<Json, String> {
    let envelope = body.strip_prefix(MAGIC).ok_or("the body is no protobuf of Kubernetes")?;
    let (mut meta, mut raw): (_, &[u8]) = (json!({}), &[]);
    for field in Fields(envelope) {
        match field? {
            (1, Wire::Bytes(bytes)) => meta = message("TypeMeta", bytes)?,
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let kind = meta["kind"].as_str().unwrap_or_default().to_owned();
    let read = ["Namespace", "ConfigMap", "Secret", "ServiceAccount", "TokenRequest", "SelfSubjectAccessReview", "SelfSubjectReview"];
    let Some(kind) = read.into_iter().find(|known| *known == kind) else {
        return Err(format!("a sandbox does not read {kind} as protobuf; send JSON, as `kubectl apply` does"));
    };
    let mut object = message(kind, raw)?;
    object["apiVersion"] = meta["apiVersion"].clone();
    object["kind"] = kind.into();
    Ok(object)
}

fn message(name: &str, bytes: &[u8]) -> Result<Json, String> {
    let fields = MESSAGES.iter().find(|(known, _)| *known == name).map(|(_, fields)| *fields).unwrap_or_default();
    let mut object = Map::new();
    for field in Fields(bytes) {
        let (number, wire) = field?;
        let Some((_, name, holds)) = fields.iter().find(|(known, ..)| *known == number) else { continue };
        match (holds, wire) {
            (Text, Wire::Bytes([])) => {}
            (Text, Wire::Bytes(bytes)) => {
                object.insert((*name).to_owned(), text(bytes).into());
            }
            (Number, Wire::Number(number)) => {
                object.insert((*name).to_owned(), number.into());
            }
            (Truth, Wire::Number(number)) => {
                object.insert((*name).to_owned(), (number != 0).into());
            }
            (One(ty), Wire::Bytes(bytes)) => {
                object.insert((*name).to_owned(), message(ty, bytes)?);
            }
            (Many(ty), Wire::Bytes(bytes)) => push(&mut object, name, message(ty, bytes)?),
            (Texts, Wire::Bytes(bytes)) => push(&mut object, name, text(bytes).into()),
            (TextMap | BytesMap, Wire::Bytes(bytes)) => {
                let (key, value) = entry(bytes)?;
                let value = if matches!(holds, BytesMap) { BASE64_STANDARD.encode(value) } else { text(value) };
                let map = object.entry((*name).to_owned()).or_insert_with(|| json!({}));
                map[key] = value.into();
            }
            _ => return Err(format!("the field `{name}` is of another type")),
        }
    }
    Ok(Json::Object(object))
}

fn push(object: &mut Map<String, Json>, name: &str, item: Json) {
    if let Some(items) = object.entry(name.to_owned()).or_insert_with(|| json!([])).as_array_mut() {
        items.push(item);
    }
}

fn entry(bytes: &[u8]) -> Result<(String, &[u8]), String> {
    let (mut key, mut value): (_, &[u8]) = (String::new(), &[]);
    for field in Fields(bytes) {
        match field? {
            (1, Wire::Bytes(bytes)) => key = text(bytes),
            (2, Wire::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((key, value))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The fields of a message, one after another.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let tag = self.number()?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.number()?),
            1 => self.take(8).map(|_| Wire::Other)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Other)?,
            _ => return None,
        };
        Some((tag >> 3, wire))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Wire<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "the body ends within a field".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field with bytes, as it is written.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("short");
        assert!(length < 0x80);
        [&[number << 3 | 2, length], bytes].concat()
    }

    fn body(kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn a_secret_is_read_as_kubectl_writes_it() {
        let metadata = [field(1, b"cacerts"), field(3, b""), field(11, &[field(1, b"a"), field(2, b"b")].concat())].concat();
        let data = [field(1, b"key.pem"), field(2, b"hello")].concat();
        let raw = [field(1, &metadata), field(2, &data), field(3, b"Opaque"), vec![5 << 3, 1]].concat();
        let expected = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "cacerts", "labels": { "a": "b" } },
            "data": { "key.pem": "aGVsbG8=" }, "type": "Opaque", "immutable": true });
        assert_eq!(read(&body("Secret", &raw)), Ok(expected));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (bytes, why) in [
            (b"{}".to_vec(), "the body is no protobuf of Kubernetes"),
            (body("Pod", &[]), "a sandbox does not read Pod as protobuf; send JSON, as `kubectl apply` does"),
            (body("Namespace", &[0x0a, 0x7f]), "the body ends within a field"),
            (body("Namespace", &[0x08, 0x01]), "the field `metadata` is of another type"),
        ] {
            assert_eq!(read(&bytes), Err(why.to_owned()));
        }
    }
}
