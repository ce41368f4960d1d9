//! What may differ between two runs that did the same.
//!
//! | where | what | why |
//! |---|---|---|
//! | state | `lineage`, `serial`, `secret_key` | minted per state; a replay makes a serial of its own |
//! | records | `id`, `uid` | minted per record and by the world |
//! | attributes | certificates, keys, tokens, and hashes and serials of them | random by nature |
//! | attributes | uids, generations, resource versions and times in what the world answered | minted by the world |
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
        other => other.clone(),
    }
}
