//! What others say, without the secrets that they repeat.

use super::Value;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

/// What stands in place of a secret.
const MASK: &str = "(sensitive value)";
/// Shorter texts are no secrets that could be told from words.
const SHORTEST: usize = 4;
/// So many characters of a longer secret, one after the other, are hidden wherever they stand.
const SHORTEST_PART: usize = 16;

/// The sensitive texts of values, to be hidden in what somebody says who was told them. Nothing shows them.
pub struct Secrets(Vec<String>);

impl Secrets {
    /// All that is sensitive in these values: as it is, what it is the base64 of, and both as JSON, Go and base64 write them.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut found = BTreeSet::new();
        for value in values.into_iter().filter(|value| value.holds_sensitive()) {
            collect(value, false, &mut found);
        }
        let mut found = Vec::from_iter(found);
        // One may be part of another, which is then hidden as a whole.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(found)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with each of them hidden, and each longer part of them.
    pub fn hidden_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASK);
            }
        }
        self.without_parts(&text)
    }

    fn without_parts(&self, text: &str) -> String {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (mut shown, mut rest, mut hidden_to) = (String::new(), 0, 0);
        for window in boundaries.windows(SHORTEST_PART + 1) {
            let (Some(start), Some(end)) = (window.first().copied(), window.last().copied()) else { continue };
            let part = text.get(start..end).unwrap_or_default();
            if !self.0.iter().any(|secret| secret.contains(part)) {
                continue;
            }
            if start > hidden_to || hidden_to == 0 {
                shown.push_str(text.get(rest..start).unwrap_or_default());
                shown.push_str(MASK);
            }
            (hidden_to, rest) = (end, end);
        }
        shown + text.get(rest..).unwrap_or_default()
    }
}

fn collect(value: &Value, within: bool, found: &mut BTreeSet<String>) {
    let sensitive = within || value.is_marked_sensitive();
    for part in value.parts() {
        collect(part, sensitive, found);
    }
    let Some(text) = value.as_str().filter(|_| sensitive) else { return };
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    for text in decoded.as_deref().into_iter().chain([text]).filter(|text| text.len() >= SHORTEST) {
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let quoted = quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default();
        // Go's encoder escapes what would end a script in HTML.
        let of_go = quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        let encoded = [STANDARD.encode(text), STANDARD_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(text)];
        found.extend([text.to_owned(), quoted.to_owned(), of_go].into_iter().chain(encoded).filter(|form| form.len() >= SHORTEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(secret: &str, text: &str) -> String {
        let value = Value::object([("a", Value::tuple(vec![Value::string(secret)]).sensitive()), ("open", Value::string("in the open"))]);
        Secrets::of([&value, &Value::string("in the open as well")]).hidden_in(text)
    }

    #[test]
    fn secrets_are_hidden_in_whatever_way_they_are_written() {
        for (secret, text, shown) in [
            ("hunter2", "name: hunter2 is no good", "name: (sensitive value) is no good"),
            ("hunter2", "hunter2hunter2", "(sensitive value)(sensitive value)"),
            ("hunter2", "\"aHVudGVyMg==\" or aHVudGVyMg", "\"(sensitive value)\" or (sensitive value)"),
            ("aHVudGVyMg==", "it is hunter2", "it is (sensitive value)"),
            ("a\"b\\c\n<d", "%q: \"a\\\"b\\\\c\\n<d\"", "%q: \"(sensitive value)\""),
            ("a\"b\\c\n<d", "json: \"a\\\"b\\\\c\\n\\u003cd\"", "json: \"(sensitive value)\""),
            ("in the open", "in the open", "(sensitive value)"),
            ("other", "in the open, as well", "in the open, as well"),
            ("abc", "abc is too short", "abc is too short"),
            ("\"", "a quote \" stays", "a quote \" stays"),
            ("", "nothing", "nothing"),
        ] {
            assert_eq!(hidden(secret, text), shown, "{secret}");
        }
    }

    #[test]
    fn a_longer_part_of_a_secret_is_hidden_as_well() {
        let key = "-----BEGIN KEY-----\nMIIabcdefghijklmnop\nQRSTUVWXYZ\u{e4}bcdefgh\n-----END KEY-----\n";
        for (text, shown) in [
            ("line 2: MIIabcdefghijklmnop", "line 2: (sensitive value)"),
            ("MIIabcdefghijklm", "(sensitive value)"),
            ("MIIabcdefghijkl", "MIIabcdefghijkl"),
            ("of MIIabcdefghijklmno and QRSTUVWXYZ\u{e4}bcdefgh", "of (sensitive value) and (sensitive value)"),
            ("QRSTUVWXYZ\u{e4}bcdefg\u{e4}", "(sensitive value)\u{e4}"),
            ("MIIabcdefghijklmnop\\nQRSTUVWXYZ\u{e4}bcdefgh\\n", "(sensitive value)"),
        ] {
            assert_eq!(hidden(key, text), shown);
        }
    }

    #[test]
    fn where_nothing_is_sensitive_nothing_is_hidden() {
        let open = Value::object([("a", Value::string("hunter2"))]);
        assert!(Secrets::of([&open, &Value::null()]).is_empty());
        assert_eq!(Secrets::of([&open]).hidden_in("hunter2 \u{e4}"), "hunter2 \u{e4}");
    }
}
