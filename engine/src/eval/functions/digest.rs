//! Digests of text.

use super::argument::{Arguments, Fault};
use super::encoding::base64;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::value::{Value, hex};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::{Builder, Uuid};

const TEXT: &[Parameter] = &[Parameter::new("text", Takes::Text)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "base64sha256",
        group: Group::Hashes,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The SHA-256 of the text's UTF-8 bytes, in base64.",
        example: Example { call: r#"base64sha256("hello world")"#, result: r#""uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=""# },
        body: Body::Plain(|given| Ok(encoded::<Sha256>(given.text(0)))),
    },
    Function {
        name: "base64sha512",
        group: Group::Hashes,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The SHA-512 of the text's UTF-8 bytes, in base64.",
        example: Example {
            call: r#"base64sha512("hello world")"#,
            result: r#""MJ7MSJwS1utMxA9QyQLytNDtd+5RGnx6m808qG1M2G+YndNbxf9JlnDaNCVbRbDP2DDoH2Bdz33FVC6TrpzXbw==""#,
        },
        body: Body::Plain(|given| Ok(encoded::<Sha512>(given.text(0)))),
    },
    Function {
        name: "md5",
        group: Group::Hashes,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The MD5 of the text's UTF-8 bytes, as 32 hexadecimal digits. It protects nothing: take `sha256` where that counts.",
        example: Example { call: r#"md5("hello world")"#, result: r#""5eb63bbbe01eeed093cb22bb8f5acdc3""# },
        body: Body::Plain(|given| Ok(written::<Md5>(given.text(0)))),
    },
    Function {
        name: "sha1",
        group: Group::Hashes,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The SHA-1 of the text's UTF-8 bytes, as 40 hexadecimal digits. It protects nothing: take `sha256` where that counts.",
        example: Example { call: r#"sha1("hello world")"#, result: r#""2aae6c35c94fcfb415dbe95f408b9ce91ee846ed""# },
        body: Body::Plain(|given| Ok(written::<Sha1>(given.text(0)))),
    },
    Function {
        name: "sha256",
        group: Group::Hashes,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The SHA-256 of the text's UTF-8 bytes, as 64 hexadecimal digits.",
        example: Example {
            call: r#"sha256("hello world")"#,
            result: r#""b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9""#,
        },
        body: Body::Plain(|given| Ok(written::<Sha256>(given.text(0)))),
    },
    Function {
        name: "sha512",
        group: Group::Hashes,
        parameters: TEXT,
        gives: Gives::Text,
        doc: "The SHA-512 of the text's UTF-8 bytes, as 128 hexadecimal digits.",
        example: Example { call: r#"substr(sha512("hello world"), 0, 16)"#, result: r#""309ecc489c12d6eb""# },
        body: Body::Plain(|given| Ok(written::<Sha512>(given.text(0)))),
    },
    Function {
        name: "uuidv5",
        group: Group::Hashes,
        parameters: &[Parameter::new("namespace", Takes::Text), Parameter::new("name", Takes::Text)],
        gives: Gives::Text,
        doc: "The UUID of version 5 (RFC 9562) of a name in a namespace, which is `dns`, `url`, `oid`, `x500` or itself a UUID.",
        example: Example { call: r#"uuidv5("dns", "example.com")"#, result: r#""cfbff0d1-9375-5685-968c-48ce8b15ae17""# },
        body: Body::Plain(uuid_of_name),
    },
];

fn uuid_of_name(given: Arguments<'_>) -> Result<Value, Fault> {
    let namespace = match given.text(0) {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::try_parse(other)
            .map_err(|_| Fault::at(0, format!("must be `dns`, `url`, `oid`, `x500` or a UUID, found {}", given.shown(0))))?,
    };
    let digest = Sha1::new().chain_update(namespace.as_bytes()).chain_update(given.text(1)).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Ok(Value::string(Builder::from_sha1_bytes(bytes).into_uuid().to_string()))
}

/// The digest of a text as hexadecimal digits.
pub(super) fn written<D: Digest>(text: &str) -> Value {
    Value::string(hex(&D::digest(text.as_bytes())))
}

/// The digest of a text in base64.
pub(super) fn encoded<D: Digest>(text: &str) -> Value {
    Value::string(base64(&D::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn digests_are_those_of_the_standard() {
        check(&[
            (r#"sha256("")"#, r#""e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#),
            ("sha256(1) == sha256(\"1\")", "true"),
            ("sha256(null)", "unsuitable argument: the `text` of `sha256` is null here"),
            ("sha256([])", "unsuitable argument: the `text` of `sha256` does not fit: a string is required, found a tuple"),
            (r#"length(sha512(""))"#, "128"),
            (r#"substr(sha512(""), 0, 8)"#, r#""cf83e135""#),
            (r#"sha512("a") == sha512("b")"#, "false"),
            ("sha512()", "wrong number of arguments: `sha512` takes 1 argument, 0 are given"),
            (r#"base64sha256("")"#, r#""47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=""#),
            (r#"length(base64sha256("x"))"#, "44"),
            (r#"base64sha256("hello\n")"#, r#""WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=""#),
            ("base64sha256({})", "unsuitable argument: the `text` of `base64sha256` does not fit: a string is required, found an object"),
            (r#"length(base64sha512("x"))"#, "88"),
            (r#"base64sha512("a") == base64sha512("a")"#, "true"),
            (r#"substr(base64sha512(""), 0, 8)"#, r#""z4PhNX7v""#),
            (r#"md5("")"#, r#""d41d8cd98f00b204e9800998ecf8427e""#),
            (r#"sha1("")"#, r#""da39a3ee5e6b4b0d3255bfef95601890afd80709""#),
            (r#"uuidv5(uuidv5("dns", "example.com"), "") == uuidv5("cfbff0d193755685968c48ce8b15ae17", "")"#, "true"),
            (
                r#"uuidv5("DNS", "example.com")"#,
                "unsuitable argument: the `namespace` of `uuidv5` must be `dns`, `url`, `oid`, `x500` or a UUID, found `DNS`",
            ),
            ("base64sha512(null)", "unsuitable argument: the `text` of `base64sha512` is null here"),
        ]);
    }
}
