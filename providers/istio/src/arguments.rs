//! Reading arguments through references, and writing objects that may hold what is not known yet.

use engine::schema::Problem;
use engine::value::{Data, Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use kubernetes::arguments::{address, referring, text, through};
pub(crate) use kubernetes::{handed_on, usual};

/// The namespace of control planes, unless they say another.
pub(crate) const ISTIO_SYSTEM: &str = "istio-system";

/// What stands there as a leaf of an object: null if nothing does, unknown if that is not told yet.
pub(crate) fn leaf(arguments: &Value, path: &[&str]) -> Value {
    match through(arguments, path) {
        Some(value) => value.clone(),
        None if is_opaque(arguments, path) => Value::unknown(Type::String),
        None => Value::null(),
    }
}

/// Whether the path ends at an instance whose attributes are not told yet, not even which are known.
fn is_opaque(arguments: &Value, path: &[&str]) -> bool {
    (1..path.len()).any(|length| {
        let at = through(arguments, path.get(..length).unwrap_or_default());
        at.and_then(Value::instance).is_some_and(|instance| instance.attributes.entries().is_empty() && !instance.attributes.is_known())
    })
}

/// An object of those entries that are not null.
pub(crate) fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::object(entries.into_iter().filter(|(_, value)| !value.is_null()))
}

/// An object with one entry, or null if that is null or empty.
pub(crate) fn within(key: &str, value: Value) -> Value {
    let empty = matches!(value.data(), Data::Mapping(_)) && value.entries().is_empty();
    if value.is_null() || empty { Value::null() } else { Value::object([(key, value)]) }
}

/// `over` laid over `base`: objects are merged entry by entry, everything else of `over` counts unless it is null.
pub(crate) fn merged(base: &Value, over: &Value) -> Value {
    if over.is_null() {
        return base.clone();
    }
    let (Data::Mapping(_), Data::Mapping(_)) = (base.data(), over.data()) else {
        // What is unknown below may bring entries that stand beside these.
        let open = !base.is_known() && base.entries().is_empty();
        return if open { Value::unknown(Type::Any).sensitive_if(over.is_marked_sensitive()) } else { over.clone() };
    };
    let mut entries: BTreeMap<Arc<str>, Value> = base.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
    for entry in over.entries() {
        let value = match entries.get(&entry.key) {
            Some(under) => merged(under, &entry.value),
            None => entry.value.clone(),
        };
        entries.insert(entry.key.clone(), value);
    }
    Value::object(entries).sensitive_if(base.is_marked_sensitive() || over.is_marked_sensitive())
}

/// A problem if a text is no DNS label (RFC 1123).
pub(crate) fn label(arguments: &Value, argument: &str) -> Option<Problem> {
    let name = arguments.text(argument)?;
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = (1..=63).contains(&name.len())
        && name.bytes().all(|byte| small(byte) || byte == b'-')
        && name.bytes().next().is_some_and(small)
        && name.bytes().next_back().is_some_and(small);
    let detail = || {
        format!(
            "`{argument}` is `{name}`: small letters, digits and `-` are allowed, at most 63, starting and ending with a letter or digit"
        )
    };
    (!fits).then(|| Problem::with(argument, "invalid name", detail()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use engine::address::Address;
    use engine::port::BoxFuture;
    use engine::value::Class;
    use kubernetes::{Json, ObjectKind, ObjectName, Reader, Settled};
    use serde_json::json;
    use std::task::{Context, Poll, Waker};

    struct Holding(BTreeMap<String, Json>);

    impl Reader for Holding {
        fn read<'a>(&'a self, name: &'a ObjectName) -> BoxFuture<'a, Result<Option<Json>, String>> {
            Box::pin(std::future::ready(Ok(self.0.get(&name.to_string()).cloned())))
        }
    }

    /// Whether an instance has settled in a cluster that holds these objects and no others, by `Kind/namespace/name`.
    pub(crate) fn settled(kind: &dyn ObjectKind, arguments: &Value, objects: &[(&str, Json)]) -> Settled {
        let reader = Holding(objects.iter().map(|(name, object)| ((*name).to_owned(), object.clone())).collect());
        let mut future = kind.settled(arguments, &reader);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(settled) => settled.unwrap(),
            Poll::Pending => panic!("nothing is waited for"),
        }
    }

    /// A reference to an instance with these attributes.
    pub(crate) fn reference(class: &'static [Class], name: &str, attributes: Value) -> Value {
        Value::reference(Address::managed(&format!("k_{}", class.first().unwrap_or(&"any")), name), class, attributes)
    }

    /// A cluster of this name.
    pub(crate) fn cluster(name: &str) -> Value {
        reference(&["cluster"], name, Value::object([("server", Value::string(format!("https://{name}.example:6443")))]))
    }

    #[test]
    fn paths_follow_references() {
        let plane = reference(&["control_plane"], "p", Value::object([("cluster", cluster("c1")), ("network", Value::null())]));
        let arguments = Value::object([("control_plane", plane)]);
        assert_eq!(text(&arguments, &["control_plane", "cluster", "server"]), Some("https://c1.example:6443"));
        assert_eq!(address(&arguments, &["control_plane", "cluster"]), Some(Address::managed("k_cluster", "c1")));
        assert!(leaf(&arguments, &["control_plane", "network"]).is_null());
        assert!(leaf(&arguments, &["control_plane", "nothing"]).is_null());
        let opaque = Value::object([("control_plane", reference(&["control_plane"], "p", Value::unknown(Type::Any)))]);
        assert!(!leaf(&opaque, &["control_plane", "network"]).is_known());
        assert!(!leaf(&opaque, &["control_plane", "cluster", "server"]).is_known());
    }

    #[test]
    fn what_is_laid_over_wins_and_objects_merge() {
        let rows = [
            (json!({ "a": 1 }), json!({ "a": 2 }), json!({ "a": 2 })),
            (json!({ "a": { "b": 1, "c": 1 } }), json!({ "a": { "b": 2 } }), json!({ "a": { "b": 2, "c": 1 } })),
            (json!({ "a": [1, 2] }), json!({ "a": [3] }), json!({ "a": [3] })),
            (json!({ "a": 1 }), json!({ "a": null }), json!({ "a": 1 })),
            (json!({ "a": 1 }), json!(null), json!({ "a": 1 })),
        ];
        for (base, over, expected) in rows {
            assert_eq!(merged(&Value::from_json(&base), &Value::from_json(&over)).to_json().unwrap(), expected, "{base} {over}");
        }
        let unknown = merged(&Value::from_json(&json!({ "a": 1 })), &Value::object([("b", Value::unknown(Type::String))]));
        assert!(unknown.get("a").is_some_and(Value::is_known) && unknown.get("b").is_some_and(|b| !b.is_known()));
        let open = merged(&Value::unknown(Type::Any), &Value::from_json(&json!({ "a": 1 })));
        assert!(!open.is_known() && open.get("a").is_none(), "entries may stand beside these");
    }

    #[test]
    fn names_that_become_labels_are_looked_at() {
        for (name, fits) in [("cluster1", true), ("c-1", true), ("C1", false), ("-c", false), ("", false), ("a.b", false)] {
            assert_eq!(label(&Value::object([("cluster_name", Value::string(name))]), "cluster_name").is_none(), fits, "{name}");
        }
    }
}
