//! What servers and webhooks say about an object, without what is secret in it.

use crate::client::{CallError, Cluster};
use crate::object_kind::{Json, ObjectName};
use engine::value::{Secrets, Value};

/// An error about an object, without the object's secrets.
pub(super) fn masked(error: CallError, object: &Value) -> CallError {
    hiding(error, &Secrets::of([object]))
}

/// An error about what is there, or is to be there, without the secrets of either: a webhook sees both. What a Secret holds is not
/// remembered, and is read for this.
pub(super) async fn masked_with_live(error: CallError, cluster: &Cluster, (name, object): (&ObjectName, &Value)) -> CallError {
    let live = if name.kind == "Secret" && error.status.is_some() { cluster.get(name).await.ok().flatten() } else { None };
    let there = live.as_ref().map_or_else(Value::null, contents);
    hiding(error, &Secrets::of([object, &there]))
}

/// What a Secret holds.
pub(super) fn contents(live: &Json) -> Value {
    live.get("data").map_or_else(Value::null, Value::from_json).sensitive()
}

fn hiding(mut error: CallError, secrets: &Secrets) -> CallError {
    if !secrets.is_empty() {
        error.message = secrets.hidden_in(&error.message);
        for (field, message) in &mut error.causes {
            (*field, *message) = (secrets.hidden_in(field), secrets.hidden_in(message));
        }
    }
    error
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
            ("line \"MIIabcdefghijklmn\\n\"", "line \"(sensitive value)\""),
            ("no secret", "no secret"),
        ] {
            let masked = masked(error(said), &secret);
            assert_eq!((masked.message.as_str(), masked.causes[0].1.as_str()), (shown, shown));
        }
        let open = Value::object([("a", Value::string("hunter2"))]);
        assert_eq!(masked(error("hunter2"), &open).message, "hunter2");
        let live = contents(&json!({ "data": { "old": "aHVudGVyMg==" } }));
        assert_eq!(masked(error("was hunter2"), &live).message, "was (sensitive value)");
    }
}
