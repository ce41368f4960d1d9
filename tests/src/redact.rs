//! What may differ between two runs that did the same.
//!
//! | where | what | why |
//! |---|---|---|
//! | state | `lineage`, `serial`, `secret_key` | minted per state; a replay makes a serial of its own |
//! | records | `id`, `uid` | minted per record and by the world |
//! | attributes | certificates, keys, tokens, and hashes and serials of them | random by nature |
//! | attributes | uids, generations, resource versions and times in what the world answered | minted by the world |
//! | anywhere | texts that hold a PEM block, or begin an HMAC | random by nature, or under a key minted per state |
//! | records | `applied`, `observed` | fingerprints of the above |

use serde_json::Value;

/// Keys whose values are random or minted, wherever they stand.
const MINTED: [&str; 27] = [
    "lineage",
    "serial",
    "secret_key",
    "meshplan_version",
    "id",
    "uid",
    "applied",
    "observed",
    "certificate",
    "private_key",
    "chain",
    "root_certificate",
    "certificate_authority",
    "ca_fingerprint",
    "fingerprint",
    "csr",
    "not_before",
    "not_after",
    "serial_number",
    "token",
    "kubeconfig",
    "connection",
    "data",
    "stringData",
    "server",
    "creationTimestamp",
    "resourceVersion",
];

/// A state file with everything minted replaced by one word of fixed width.
pub fn state(state: &Value) -> Value {
    match state {
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let minted = MINTED.contains(&key.as_str()) && !value.is_null();
                (key.clone(), if minted { Value::String("<minted>".to_owned()) } else { self::state(value) })
            });
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(self::state).collect()),
        Value::String(text) if text.contains("-----BEGIN ") || text.starts_with("hmac-sha256:") => Value::String("<minted>".to_owned()),
        other => other.clone(),
    }
}

/// A transcript with everything minted replaced: hexadecimal digits of hashes and uids by as many zeros, times, and what something
/// took, by `0s`, ports of the loopback by five zeros.
pub fn transcript(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let punctuation = word.len() - word.trim_end_matches(['.', ':']).len();
        let (word, tail) = word.split_at(word.len() - punctuation);
        redacted.push_str(&self::word(word));
        redacted.push_str(tail);
        rest = after;
    }
    redacted
}

fn word(word: &str) -> String {
    let zeros = |text: &str| text.chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }).collect::<String>();
    let is_hexadecimal = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase());
    let is_uid = || word.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && word.split('-').all(is_hexadecimal);
    let hash = word.strip_prefix("sha256:").unwrap_or(word);
    if hash.len() >= 12 && is_hexadecimal(hash) {
        return format!("{}{}", &word[..word.len() - hash.len()], zeros(hash));
    }
    if is_uid() {
        return zeros(word);
    }
    if is_instant(word) {
        return "0s".to_owned();
    }
    let time = word.trim_end_matches(['m', 's']);
    if time.len() < word.len() && time.chars().all(|c| c.is_ascii_digit() || c == '.') && time.starts_with(|c: char| c.is_ascii_digit()) {
        return "0s".to_owned();
    }
    match word.strip_prefix("127.0.0.1:") {
        Some(port) if port.chars().all(|c| c.is_ascii_digit()) => "127.0.0.1:00000".to_owned(),
        _ => word.to_owned(),
    }
}

/// Whether it is a time as RFC 3339 writes it, in whole seconds of UTC.
fn is_instant(word: &str) -> bool {
    let shape = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
    shape.eq("0000-00-00T00:00:00Z".chars())
}

/// Where two states differ, as lines with a little context.
pub fn difference(expected: &Value, found: &Value) -> String {
    let [expected, found] = [expected, found].map(|state| serde_json::to_string_pretty(state).unwrap_or_default());
    similar::TextDiff::from_lines(&expected, &found).unified_diff().context_radius(12).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_between_runs_is_replaced_and_the_rest_is_not() {
        for (text, expected) in [
            ("Plan: 12 to add, 0 to change.", "Plan: 12 to add, 0 to change."),
            ("Plan digest: sha256:0123456789abcdef", "Plan digest: sha256:0000000000000000"),
            ("uid 6b1f0a3e-1111-4222-8333-123456789abc.", "uid 00000000-0000-0000-0000-000000000000."),
            ("created (1.25s)", "created (0s)"),
            ("cluster1   3s\ncluster2   120ms", "cluster1   0s\ncluster2   0s"),
            ("http://127.0.0.1:43210/cluster1", "http://127.0.0.1:00000/cluster1"),
            ("198.18.0.32 network-cluster1 added deeds", "198.18.0.32 network-cluster1 added deeds"),
            ("at 2026-01-31T23:59:59Z.", "at 0s."),
            ("apps/v1 1.23.6 1m", "apps/v1 1.23.6 0s"),
        ] {
            assert_eq!(transcript(text), expected);
        }
    }

    #[test]
    fn minted_values_of_a_state_become_one_word() {
        for (state, expected) in [
            (json!({ "lineage": "x", "kind": "ca_root" }), json!({ "lineage": "<minted>", "kind": "ca_root" })),
            (json!([{ "attributes": { "token": null, "csr": "y" } }]), json!([{ "attributes": { "token": null, "csr": "<minted>" } }])),
            (json!({ "value": "-----BEGIN CERTIFICATE-----" }), json!({ "value": "<minted>" })),
            (json!(["hmac-sha256:00", "hmac", 1]), json!(["<minted>", "hmac", 1])),
        ] {
            assert_eq!(super::state(&state), expected);
        }
    }
}
