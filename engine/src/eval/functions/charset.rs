//! Text as bytes of other encodings than UTF-8, and compressed.

use super::argument::{Arguments, Fault};
use super::encoding::{base64, bytes};
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::value::Value;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use flate2::{Compression, GzBuilder};
use std::io::Write;

/// What a gzip header says of the system it comes from where that is not told (RFC 1952, 2.3.1).
const UNKNOWN_SYSTEM: u8 = 255;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "base64gzip",
        group: Group::Encoding,
        parameters: &[Parameter::new("text", Takes::Text)],
        gives: Gives::Text,
        doc: "The text's UTF-8 bytes compressed as gzip (RFC 1952), in base64. The same text gives the same bytes.",
        example: Example { call: r#"substr(base64gzip("hello"), 0, 13)"#, result: r#""H4sIAAAAAAAA/""# },
        body: Body::Plain(gzip),
    },
    Function {
        name: "textdecodebase64",
        group: Group::Encoding,
        parameters: &[Parameter::new("source", Takes::Text), Parameter::new("encoding", Takes::Text)],
        gives: Gives::Text,
        doc: "The text whose bytes in an encoding, such as `UTF-16LE` or `windows-1252`, are written in base64.",
        example: Example { call: r#"textdecodebase64("aADpAA==", "UTF-16LE")"#, result: r#""hé""# },
        body: Body::Plain(decoded),
    },
    Function {
        name: "textencodebase64",
        group: Group::Encoding,
        parameters: &[Parameter::new("text", Takes::Text), Parameter::new("encoding", Takes::Text)],
        gives: Gives::Text,
        doc: "The bytes of a text in an encoding, such as `UTF-16LE` or `windows-1252`, in base64.",
        example: Example { call: r#"textencodebase64("hé", "UTF-16LE")"#, result: r#""aADpAA==""# },
        body: Body::Plain(encoded),
    },
];

fn gzip(given: Arguments<'_>) -> Result<Value, Fault> {
    let failed = |error: std::io::Error| Fault::call(format!("cannot compress: {error}"));
    let mut out = GzBuilder::new().operating_system(UNKNOWN_SYSTEM).write(Vec::new(), Compression::default());
    out.write_all(given.text(0).as_bytes()).map_err(failed)?;
    Ok(Value::string(base64(&out.finish().map_err(failed)?)))
}

/// The encoding that an argument names.
fn named(given: Arguments<'_>, at: usize) -> Result<&'static Encoding, Fault> {
    Encoding::for_label(given.text(at).as_bytes()).ok_or_else(|| {
        let detail = format!("must be the name of an encoding such as `UTF-16LE` or `windows-1252`, found {}", given.shown(at));
        Fault::at(at, detail)
    })
}

fn encoded(given: Arguments<'_>) -> Result<Value, Fault> {
    let (text, encoding) = (given.text(0), named(given, 1)?);
    // Those encodings are decoded only, by the standard of the library.
    if encoding == UTF_16LE {
        return Ok(Value::string(base64(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())));
    }
    if encoding == UTF_16BE {
        return Ok(Value::string(base64(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>())));
    }
    let (bytes, _, replaced) = encoding.encode(text);
    if replaced {
        return Err(Fault::at(0, format!("has characters that `{}` does not have", encoding.name())));
    }
    Ok(Value::string(base64(&bytes)))
}

fn decoded(given: Arguments<'_>) -> Result<Value, Fault> {
    let encoding = named(given, 1)?;
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes(given)?).map(String::from);
    text.map(Value::string).ok_or_else(|| Fault::at(0, format!("decodes to bytes that are no text of `{}`", encoding.name())))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use std::io::Read;

    #[test]
    fn text_goes_through_other_encodings() {
        check(&[
            (r#"textencodebase64("é", "ISO-8859-1")"#, r#""6Q==""#),
            (r#"textencodebase64("日", "Shift_JIS")"#, r#""k/o=""#),
            (r#"textencodebase64("é", "utf-8")"#, r#""w6k=""#),
            (r#"textencodebase64("𝄞", "UTF-16BE")"#, r#""2DTdHg==""#),
            (r#"textdecodebase64("2DTdHg==", "UTF-16BE")"#, r#""𝄞""#),
            (r#"textdecodebase64("6Q==", "windows-1252")"#, r#""é""#),
            (
                r#"textencodebase64("日", "ISO-8859-1")"#,
                "unsuitable argument: the `text` of `textencodebase64` has characters that `windows-1252` does not have",
            ),
            (
                r#"textencodebase64("é", "Nope")"#,
                "unsuitable argument: the `encoding` of `textencodebase64` must be the name of an encoding such as `UTF-16LE` or \
                 `windows-1252`, found `Nope`",
            ),
            (
                r#"textdecodebase64("/w==", "UTF-8")"#,
                "unsuitable argument: the `source` of `textdecodebase64` decodes to bytes that are no text of `UTF-8`",
            ),
            (
                r#"textdecodebase64("x", "UTF-8")"#,
                "unsuitable argument: the `source` of `textdecodebase64` must be base64 with padding, found `x`",
            ),
        ]);
    }

    #[test]
    fn what_is_compressed_is_the_text() {
        for text in ["", "hello", &"mesh ".repeat(10_000)] {
            let value = Value::string(text);
            let Ok(given) = gzip(Arguments::new(&[value])) else { panic!("{text}") };
            let bytes = BASE64_STANDARD.decode(given.as_str().unwrap()).unwrap();
            let mut back = String::new();
            flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut back).unwrap();
            assert_eq!(back, text);
        }
    }
}
