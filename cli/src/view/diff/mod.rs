//! What differs between two values, leaf by leaf, as people review it: maps by key, lists of objects by the key that names their
//! elements, text line by line, YAML and JSON within text by their structure.

mod list;
mod text;

pub use text::{TextLine, unified_diff};

use super::value::{KNOWN_AFTER_APPLY, SENSITIVE, inline, step};
use engine::value::{Data, Entry, Value};

/// How the fingerprint begins that records keep in place of what may hold secrets.
const VEIL: &str = "hmac-sha256:";

/// Which way a leaf goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It comes.
    Add,
    /// It changes.
    Change,
    /// It goes.
    Remove,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Which way.
    pub mark: Mark,
    /// Where, as a traversal from the top: `spec.ports[name=http].port`.
    pub path: String,
    /// What.
    pub what: What,
}

/// What differs at a leaf. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The value that comes or goes.
    One(Value),
    /// The value before and after, on one line each.
    Two(String, String),
    /// A secret changes.
    Secret,
    /// Something changes of which only a fingerprint is remembered, because it may hold secrets.
    Veiled,
    /// Text of several lines.
    Text(Vec<TextLine>),
    /// Text that holds structure: its language and what differs within.
    Within(&'static str, Difference),
}

/// All differences of two values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    /// In order of their paths.
    pub leaves: Vec<Leaf>,
    /// How many entries and elements beside them are the same; what lies within an equal one is not counted again.
    pub unchanged: usize,
}

impl Difference {
    /// What differs between two values. Null and missing are the same.
    pub fn between(before: &Value, after: &Value) -> Self {
        let mut difference = Self::default();
        difference.compare("", before, after);
        difference
    }

    fn compare(&mut self, path: &str, before: &Value, after: &Value) {
        if same(before, after) {
            self.unchanged += 1;
        } else if before.is_null() {
            self.push(Mark::Add, path, What::One(after.clone()));
        } else if after.is_null() {
            self.push(Mark::Remove, path, What::One(before.clone()));
        } else if before.is_marked_sensitive() || after.is_marked_sensitive() {
            let what = if after.is_known() { What::Secret } else { What::Two(SENSITIVE.to_owned(), KNOWN_AFTER_APPLY.to_owned()) };
            self.push(Mark::Change, path, what);
        } else {
            self.compare_open(path, before, after);
        }
    }

    /// Compares what may be shown.
    fn compare_open(&mut self, path: &str, before: &Value, after: &Value) {
        match (before.data(), after.data()) {
            (Data::String(before), _) if before.starts_with(VEIL) => self.push(Mark::Change, path, What::Veiled),
            (Data::Mapping(before), Data::Mapping(after)) => self.compare_entries(path, before.entries(), after.entries()),
            (Data::Sequence(before), Data::Sequence(after)) => list::compare(self, path, before, after),
            (Data::String(before), Data::String(after)) if before.contains('\n') || after.contains('\n') => {
                let what = text::compare(before, after);
                self.push(Mark::Change, path, what);
            }
            _ => self.push(Mark::Change, path, What::Two(inline(before), inline(after))),
        }
    }

    fn compare_entries(&mut self, path: &str, before: &[Entry], after: &[Entry]) {
        let null = Value::null();
        let of = |entries: &'_ [Entry], key: &str| {
            entries.binary_search_by(|entry| (*entry.key).cmp(key)).map_or_else(|_| null.clone(), |at| entries[at].value.clone())
        };
        let mut keys: Vec<&str> = before.iter().chain(after).map(|entry| &*entry.key).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let (before, after) = (of(before, key), of(after, key));
            if !(before.is_null() && after.is_null()) {
                self.compare(&step(path, key), &before, &after);
            }
        }
    }

    fn push(&mut self, mark: Mark, path: &str, what: What) {
        self.leaves.push(Leaf { mark, path: path.to_owned(), what });
    }
}

/// Whether two values are the same to a reader: whatever their marks, whether list or tuple, map or object. A reference is its address.
fn same(a: &Value, b: &Value) -> bool {
    match (a.data(), b.data()) {
        (Data::Sequence(a), Data::Sequence(b)) => {
            a.items().len() == b.items().len() && a.items().iter().zip(b.items()).all(|(a, b)| same(a, b))
        }
        (Data::Mapping(_), Data::Mapping(_)) => {
            let covered =
                |a: &Value, b: &Value| a.entries().iter().all(|entry| same(&entry.value, b.get(&entry.key).unwrap_or(&Value::null())));
            covered(a, b) && covered(b, a)
        }
        (Data::Reference(instance) | Data::Instance(instance), Data::String(text))
        | (Data::String(text), Data::Reference(instance) | Data::Instance(instance)) => instance.address.to_string() == **text,
        (Data::Reference(a) | Data::Instance(a), Data::Reference(b) | Data::Instance(b)) => a.address == b.address,
        (Data::Unknown(..), _) | (_, Data::Unknown(..)) => false,
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::json;

    /// Every leaf on one line, as the tests of this module and those below it compare them.
    pub(super) fn lines(difference: &Difference) -> Vec<String> {
        let mut lines = Vec::new();
        for leaf in &difference.leaves {
            let mark = match leaf.mark {
                Mark::Add => '+',
                Mark::Change => '~',
                Mark::Remove => '-',
            };
            let what = match &leaf.what {
                What::One(value) => inline(value),
                What::Two(before, after) => format!("{before} -> {after}"),
                What::Secret => "secret".to_owned(),
                What::Veiled => "veiled".to_owned(),
                What::Text(text) => text.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"),
                What::Within(language, within) => format!("({language}) {}", self::lines(within).join("|")),
            };
            lines.push(format!("{mark} {} {what}", leaf.path));
        }
        lines
    }

    fn check(before: &serde_json::Value, after: &serde_json::Value, expected: &[&str]) {
        let difference = Difference::between(&Value::from_json(before), &Value::from_json(after));
        assert_eq!(lines(&difference), expected, "{before} {after}");
    }

    #[test]
    fn only_what_differs_is_told_with_its_path() {
        check(&json!({"a": 1, "b": {"c": 2, "d": 3}}), &json!({"a": 1, "b": {"c": 5, "d": 3}}), &["~ b.c 2 -> 5"]);
        check(&json!({"a": null}), &json!({"b": null}), &[]);
        check(&json!({"a": 1}), &json!({"b": {"x": 1}}), &["- a 1", "+ b { x = 1 }"]);
        check(&json!({"labels": {"a/b": "x"}}), &json!({"labels": {"a/b": "y"}}), &["~ labels[\"a/b\"] \"x\" -> \"y\""]);
        check(&json!({"a": "1"}), &json!({"a": 1}), &["~ a \"1\" -> 1"]);
    }

    #[test]
    fn what_is_the_same_is_counted_once() {
        let before = Value::from_json(&json!({"a": 1, "b": {"c": 2, "d": {"e": 3, "f": 4}}, "g": [1, 2]}));
        let after = Value::from_json(&json!({"a": 1, "b": {"c": 9, "d": {"e": 3, "f": 4}}, "g": [1, 2]}));
        assert_eq!(Difference::between(&before, &after).unchanged, 3);
    }

    #[test]
    fn a_fingerprint_is_not_shown_as_if_it_were_the_text() {
        let veil = format!("hmac-sha256:{}", "0".repeat(64));
        check(&json!({"content": veil}), &json!({"content": "a: 1\nb: 2\n"}), &["~ content veiled"]);
        check(&json!({"content": veil}), &json!({"content": veil}), &[]);
    }

    #[test]
    fn secrets_never_show_and_unknowns_say_so() {
        let before = Value::object([("key", Value::string("one").sensitive()), ("uid", Value::string("u"))]);
        let after = Value::object([("key", Value::string("two").sensitive()), ("uid", Value::unknown(Type::String))]);
        assert_eq!(lines(&Difference::between(&before, &after)), ["~ key secret", "~ uid \"u\" -> (known after apply)"]);
        let after = Value::object([("key", Value::unknown(Type::String).sensitive()), ("uid", Value::string("u"))]);
        assert_eq!(lines(&Difference::between(&before, &after)), ["~ key (sensitive value) -> (known after apply)"]);
    }
}
