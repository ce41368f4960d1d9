//! What a plan stands on of each thing that was there when it was made: a plan that is applied later holds only if that is still so.

use crate::schema::{Attribute, Kind, Presence};
use crate::value::{Data, TupleHash, Value, fingerprint, keyed_fingerprint};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Mappings nested deeper than this are told apart as a whole.
const DEEPEST: usize = 4;
/// Digits of a fingerprint that are kept: enough to tell that something was changed.
const DIGITS: usize = 16;

/// The key where nothing is stored.
const IN_MEMORY: &[u8] = b"in memory";

/// What was seen of one thing: which one it is, and fingerprints of the fields that are ours or were read. Never a version: what others
/// do to fields of theirs is none of the plan's business.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Basis {
    /// What the world calls the thing; nothing if the kind has no such name.
    pub uid: Option<Arc<str>>,
    /// By dotted path, the first digits of the field's fingerprint.
    pub fields: BTreeMap<Arc<str>, Arc<str>>,
}

impl Basis {
    /// What a plan stands on of what was observed. Secrets enter as HMACs under the key; without one by their paths alone.
    pub fn of(kind: &dyn Kind, observed: &Value, secret_key: &[u8]) -> Self {
        Self { uid: observed.text("uid").map(Arc::from), fields: fields_of(&kind.stands_on(observed), kind.yielded(observed), secret_key) }
    }

    /// The same of what was found to be imported: the attributes that the configuration speaks of, as far as they are known. It is never
    /// stored, so that no key has to hide what is secret.
    pub(crate) fn of_found(kind: &dyn Kind, found: &Value) -> Self {
        let told = |attribute: &Attribute| {
            let value = found.get("attributes")?.get(attribute.name)?;
            // What leads to another instance tells nothing of the thing.
            let tells = attribute.presence != Presence::Computed && value.instance().is_none();
            tells.then(|| (attribute.name, value.clone()))
        };
        let told = Value::object(kind.schema().attributes.iter().filter_map(told));
        Self { uid: found.text("uid").map(Arc::from), fields: fields_of(&told, Vec::new(), IN_MEMORY) }
    }

    /// How what is observed now, which `now` says, differs, as words that fit after its address; nothing if it does not.
    pub(crate) fn differs(&self, now: &Self, yielded: &[String]) -> Option<String> {
        if let (Some(was), Some(is)) = (&self.uid, &now.uid)
            && was != is
        {
            return Some("was deleted, and another has its name now".to_owned());
        }
        match self.changed(now, yielded).as_slice() {
            [] => None,
            [only] => Some(format!("was changed: `{only}`")),
            [first, second] => Some(format!("was changed: `{first}` and `{second}`")),
            [first, second, more @ ..] => Some(format!("was changed: `{first}`, `{second}` and {} more", more.len())),
        }
    }

    /// The paths that differ from what is observed now, which `now` says.
    pub fn changed(&self, now: &Self, yielded: &[String]) -> Vec<String> {
        let paths = self.fields.keys().chain(now.fields.keys().filter(|path| !self.fields.contains_key(*path)));
        let differs = |path: &&Arc<str>| self.fields.get(*path) != now.fields.get(*path);
        let others = |path: &&Arc<str>| yielded.iter().any(|taken| covers(taken, path) || covers(path, taken));
        paths.filter(differs).filter(|path| !others(path)).map(ToString::to_string).collect()
    }
}

/// Fingerprints of the parts that are known, by their paths.
fn fields_of(value: &Value, taken: Vec<String>, secret_key: &[u8]) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut fields = BTreeMap::new();
    let mut visit = |path: &str, value: &Value| {
        let hash = match (secret_key, value.holds_sensitive()) {
            _ if !value.is_constant() => return,
            ([], true) => "sensitive".to_owned(),
            ([], false) => fingerprint(value),
            (key, _) => keyed_fingerprint(value, key),
        };
        fields.insert(path.into(), hash.get(..DIGITS).unwrap_or(&hash).into());
    };
    Fields { taken, visit: &mut visit }.visit(value, &mut String::new(), 0);
    fields
}

/// One fingerprint of the fields that are ours of what was observed, as far as they are ours still. Secrets enter as HMACs under the key;
/// without one by their paths alone.
pub(super) fn owned(kind: &dyn Kind, observed: &Value, secret_key: &[u8]) -> String {
    hashed(&kind.stands_on(observed), kind.yielded(observed), secret_key)
}

/// The same of what is remembered, where nothing was observed.
pub(super) fn remembered(attributes: &Value, secret_key: &[u8]) -> String {
    hashed(attributes, Vec::new(), secret_key)
}

fn hashed(value: &Value, taken: Vec<String>, secret_key: &[u8]) -> String {
    let mut hash = TupleHash::new();
    let mut visit = |path: &str, value: &Value| {
        hash.text(path);
        match (secret_key, value.holds_sensitive()) {
            ([], true) => hash.text("sensitive"),
            (key, true) => hash.text(&keyed_fingerprint(value, key)),
            (_, false) => hash.add(value),
        }
    };
    Fields { taken, visit: &mut visit }.visit(value, &mut String::new(), 0);
    hash.finish()
}

/// Whether a path is the other or leads to it.
fn covers(path: &str, other: &str) -> bool {
    other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

struct Fields<'a> {
    taken: Vec<String>,
    visit: &'a mut dyn FnMut(&str, &Value),
}

impl Fields<'_> {
    fn visit(&mut self, value: &Value, path: &mut String, depth: usize) {
        if value.is_null() && depth == 0 {
            return;
        }
        if let (Data::Mapping(mapping), true) = (value.data(), depth < DEEPEST)
            && !mapping.entries().is_empty()
        {
            let length = path.len();
            for entry in mapping.entries() {
                if depth == 0 && &*entry.key == "uid" {
                    continue;
                }
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&entry.key);
                self.visit(&entry.value, path, depth + 1);
                path.truncate(length);
            }
            return;
        }
        if self.taken.iter().all(|taken| !covers(taken, path)) {
            (self.visit)(path, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Attribute, Schema};
    use crate::value::Type;

    /// Stands on `object`; gives up what `others` lists.
    struct Object(Schema);

    impl Kind for Object {
        fn schema(&self) -> &Schema {
            &self.0
        }

        fn stands_on(&self, observed: &Value) -> Value {
            observed.get("object").cloned().unwrap_or_else(Value::null)
        }

        fn yielded(&self, observed: &Value) -> Vec<String> {
            let others = observed.get("others").map(Value::items).unwrap_or_default();
            others.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()
        }
    }

    fn object() -> Object {
        let attributes = vec![Attribute::required("name", Type::String, "")];
        Object(Schema { kind: "o", doc: "", version: 1, attributes, classes: &[], place: None, outside: true, settles: false })
    }

    fn observed(replicas: u64, image: &str, others: &[&str]) -> Value {
        let ports = Value::tuple(vec![Value::object([("port", Value::number(80))])]);
        let spec = Value::object([("replicas", Value::number(replicas)), ("image", Value::string(image)), ("ports", ports)]);
        let token = Value::object([("token", Value::string(image).sensitive())]);
        Value::object([
            ("uid", Value::string("u")),
            ("object", Value::object([("spec", spec), ("data", token)])),
            ("others", Value::tuple(others.iter().map(|path| Value::string(*path)).collect())),
            ("heartbeat", Value::number(replicas)),
        ])
    }

    fn changed(before: &Value, now: &Value, key: &[u8]) -> Vec<String> {
        let kind = object();
        Basis::of(&kind, before, key).changed(&Basis::of(&kind, now, key), &kind.yielded(now))
    }

    #[test]
    fn what_changed_is_named_by_its_path_unless_others_own_it_now() {
        let before = observed(1, "a", &[]);
        for (now, key, expected) in [
            (observed(1, "a", &[]), &b"key"[..], &[][..]),
            (observed(2, "a", &[]), b"key", &["spec.replicas"]),
            (observed(2, "a", &["spec.replicas"]), b"key", &[]),
            (observed(2, "b", &["spec"]), b"key", &["data.token"]),
            (observed(1, "b", &[]), b"key", &["data.token", "spec.image"]),
            (observed(1, "b", &[]), b"", &["spec.image"]),
        ] {
            assert_eq!(changed(&before, &now, key), expected);
        }
        let basis = Basis::of(&object(), &before, b"key");
        assert_eq!(basis.uid.as_deref(), Some("u"));
        assert_eq!(
            basis.fields.keys().map(|path| &**path).collect::<Vec<_>>(),
            ["data.token", "spec.image", "spec.ports", "spec.replicas"]
        );
    }

    #[test]
    fn one_fingerprint_tells_whether_anything_of_ours_changed() {
        let kind = object();
        let of = |observed: &Value, key: &[u8]| owned(&kind, observed, key);
        let before = observed(1, "a", &[]);
        assert_eq!(of(&before, b"key"), of(&before, b"key"));
        for (now, key) in [(observed(2, "a", &[]), &b"key"[..]), (observed(1, "b", &["spec"]), b"key"), (before.clone(), b"other")] {
            assert_ne!(of(&now, key), of(&before, b"key"));
        }
        let scaled = |replicas| of(&observed(replicas, "a", &["spec.replicas"]), b"key");
        assert_eq!(scaled(3), scaled(5));
        assert_eq!(of(&observed(1, "b", &["spec"]), b""), of(&observed(1, "a", &["spec"]), b""));
    }

    #[test]
    fn no_secret_can_be_guessed_from_a_basis_without_the_key() {
        let kind = object();
        let [one, other] = ["a", "b"].map(|image| Basis::of(&kind, &observed(1, image, &[]), b"").fields["data.token"].clone());
        assert_eq!(one, other);
        assert_ne!(Basis::of(&kind, &observed(1, "a", &[]), b"k").fields, Basis::of(&kind, &observed(1, "a", &[]), b"l").fields);
    }
}
