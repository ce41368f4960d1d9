//! What servers and webhooks say about an object, without what is secret in it.

use crate::client::CallError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::value::Value;

/// What stands in place of a secret.
const MASK: &str = "(sensitive value)";
/// Shorter texts are no secrets that could be told from words.
const SHORTEST: usize = 4;
/// Lines of a longer secret, such as a key in PEM, are hidden one by one from this length.
const SHORTEST_LINE: usize = 16;

/// An error about an object, without the object's secrets.
pub(super) fn masked(mut error: CallError, object: &Value) -> CallError {
    if !object.holds_sensitive() {
        return error;
    }
    let mut secrets = Vec::new();
    collect(object, false, &mut secrets);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mask = |text: &mut String| {
        for secret in secrets.iter().filter(|secret| text.contains(secret.as_str())).collect::<Vec<_>>() {
            *text = text.replace(secret.as_str(), MASK);
        }
    };
    mask(&mut error.message);
    for (field, message) in &mut error.causes {
        mask(field);
        mask(message);
    }
    error
}

/// The sensitive texts of a value: as they are, what they are the base64 of, and long lines of either.
fn collect(value: &Value, within: bool, found: &mut Vec<String>) {
    let sensitive = within || value.is_marked_sensitive();
    for part in value.parts() {
        collect(part, sensitive, found);
    }
    let Some(text) = value.as_str().filter(|_| sensitive) else { return };
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    for text in decoded.as_deref().into_iter().chain([text]) {
        found.extend(Some(text).filter(|text| text.len() >= SHORTEST).map(str::to_owned));
        found.extend(text.lines().filter(|line| line.len() >= SHORTEST_LINE).map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_do_not_come_back_in_the_words_of_others() {
        let key = "-----BEGIN KEY-----\nMIIabcdefghijklmn\n-----END KEY-----\n";
        let secret =
            crate::object::canonical(&Value::from_json(&json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "name" },
            "stringData": { "password": "hunter2", "key": key, "short": "no" } })));
        let error = |message: &str| CallError {
            status: Some(403),
            message: message.into(),
            causes: vec![("data.x".into(), message.into())],
            ..CallError::default()
        };
        for (said, shown) in [
            ("name: hunter2 is no good", "name: (sensitive value) is no good"),
            ("\"aHVudGVyMg==\" is no good", "\"(sensitive value)\" is no good"),
            ("line \"MIIabcdefghijklmn\\n\"", "line \"(sensitive value)\\n\""),
            ("no secret", "no secret"),
        ] {
            let masked = masked(error(said), &secret);
            assert_eq!((masked.message.as_str(), masked.causes[0].1.as_str()), (shown, shown));
        }
        let open = Value::object([("a", Value::string("hunter2"))]);
        assert_eq!(masked(error("hunter2"), &open).message, "hunter2");
    }
}
