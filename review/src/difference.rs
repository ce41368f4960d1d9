//! What differs between two values, leaf by leaf: maps by key, lists by what names their elements, text by the structure within it.

use crate::definitions::{Definitions, Shape};
use crate::notation::{KNOWN_AFTER_APPLY, SENSITIVE, inline, step};
use crate::pem::legible;
use crate::{list, text};
use engine::value::{Data, Entry, Value};
use std::cmp::Ordering;
use std::sync::LazyLock;

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
    /// It stands elsewhere in its list.
    Move,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Which way.
    pub mark: Mark,
    /// Where, as a traversal from the top: `spec.ports[name=http].port`; within text `line 12`.
    pub path: String,
    /// What.
    pub what: What,
}

/// What differs at a leaf. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The value that comes or goes. Certificates in it are spelled out.
    One(Value),
    /// The value before and after, on one line each.
    Two(String, String),
    /// A line of text that comes or goes, as it is.
    Line(String),
    /// The position in its list before and after, from 0.
    Moved(usize, usize),
    /// Not the same for all things that are compared at once: what it is, after the names of those it holds for.
    Each(Vec<(String, Self)>),
    /// A secret changes.
    Secret,
    /// Something changes of which only a fingerprint is remembered, because it may hold secrets.
    Veiled,
    /// Text that holds structure: its language (`yaml`, `json`, `pem`, `base64 pem`, `x509` for what
    /// a certificate says, or `text` for lines) and what differs within.
    Within(&'static str, Difference),
}

/// All differences of two values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    /// Maps in order of their keys, lists in their own.
    pub leaves: Vec<Leaf>,
    /// How many entries and elements beside them are the same; what lies within an equal one is not counted again.
    pub unchanged: usize,
}

impl Difference {
    /// What differs between two values. Null and missing are the same.
    pub fn between(before: &Value, after: &Value) -> Self {
        Self::of(&Definitions::default(), before, after)
    }

    /// The same, where definitions say what names the elements of lists within custom objects.
    pub fn of(definitions: &Definitions, before: &Value, after: &Value) -> Self {
        let mut walk = Walk { definitions, found: Self::default() };
        walk.compare(At { path: "", field: "", shape: None }, before, after);
        walk.found
    }

    /// How many single values come, go, change or move. What lies within text counts, and of what comes or goes as a whole each value in it.
    pub fn changed(&self) -> usize {
        self.leaves.iter().map(|leaf| leaf.what.changed()).sum()
    }
}

impl What {
    fn changed(&self) -> usize {
        match self {
            Self::One(value) => scalars(value),
            Self::Within(_, within) => within.changed(),
            Self::Each(each) => each.iter().map(|(_, what)| what.changed()).sum(),
            _ => 1,
        }
    }
}

/// How many single values there are in a value; an empty one counts as one.
fn scalars(value: &Value) -> usize {
    match value.data() {
        _ if value.is_marked_sensitive() => 1,
        Data::Mapping(_) | Data::Sequence(_) => value.parts().map(scalars).sum::<usize>().max(1),
        _ => 1,
    }
}

/// Where a comparison stands.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// The whole path.
    pub(crate) path: &'a str,
    /// The nearest key of a map.
    pub(crate) field: &'a str,
    /// What a definition says of this place.
    pub(crate) shape: Option<Shape<'a>>,
}

/// A comparison under way.
pub(crate) struct Walk<'a> {
    pub(crate) definitions: &'a Definitions,
    pub(crate) found: Difference,
}

/// What is said of a secret: that it changes, that it is not known yet, or why it cannot be seen at all.
fn hidden(before: &Value, after: &Value) -> What {
    let closed = |value: &Value| match value.data() {
        Data::Blocked(why) => Some(format!("(not observed: {why})")),
        _ => None,
    };
    match (closed(before), closed(after)) {
        (None, None) if after.is_known() => What::Secret,
        (None, None) => What::Two(SENSITIVE.to_owned(), KNOWN_AFTER_APPLY.to_owned()),
        (before, after) => What::Two(before.unwrap_or_else(|| SENSITIVE.to_owned()), after.unwrap_or_else(|| SENSITIVE.to_owned())),
    }
}

impl Walk<'_> {
    pub(crate) fn compare(&mut self, at: At<'_>, before: &Value, after: &Value) {
        if same(before, after) {
            self.found.unchanged += 1;
        } else if before.is_null() {
            self.push(Mark::Add, at.path, What::One(legible(after)));
        } else if after.is_null() {
            let veiled = before.as_str().is_some_and(|text| text.starts_with(VEIL));
            self.push(Mark::Remove, at.path, What::One(legible(&before.clone().sensitive_if(veiled))));
        } else if before.is_marked_sensitive() || after.is_marked_sensitive() {
            self.push(Mark::Change, at.path, hidden(before, after));
        } else {
            self.compare_open(at, before, after);
        }
    }

    /// Compares what may be shown.
    fn compare_open(&mut self, at: At<'_>, before: &Value, after: &Value) {
        match (before.data(), after.data()) {
            (Data::String(before), _) if before.starts_with(VEIL) => self.push(Mark::Change, at.path, What::Veiled),
            (Data::Mapping(_), Data::Mapping(_)) => {
                let shape = self.definitions.of(after).or(at.shape);
                self.compare_entries(At { shape, ..at }, before.entries(), after.entries());
            }
            (Data::Sequence(before), Data::Sequence(after)) => list::compare(self, at, before, after),
            (Data::String(before), Data::String(after)) => {
                let what = text::compare(self.definitions, before, after);
                self.push(Mark::Change, at.path, what);
            }
            _ => self.push(Mark::Change, at.path, What::Two(inline(&legible(before)), inline(&legible(after)))),
        }
    }

    fn compare_entries(&mut self, at: At<'_>, before: &[Entry], after: &[Entry]) {
        for (key, before, after) in both(before, after) {
            if !(before.is_null() && after.is_null()) {
                let shape = at.shape.and_then(|shape| shape.property(key));
                self.compare(At { path: &step(at.path, key), field: key, shape }, before, after);
            }
        }
    }

    pub(crate) fn push(&mut self, mark: Mark, path: &str, what: What) {
        self.found.leaves.push(Leaf { mark, path: path.to_owned(), what });
    }
}

/// The keys of two maps in their order, with what each map has there: null where it has none. Each entry comes once.
fn both<'a>(before: &'a [Entry], after: &'a [Entry]) -> impl Iterator<Item = (&'a str, &'a Value, &'a Value)> {
    static NULL: LazyLock<Value> = LazyLock::new(Value::null);
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (before.peek(), after.peek()) {
            (Some(one), Some(other)) => one.key.cmp(&other.key),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let one = if order == Ordering::Greater { None } else { before.next() };
        let other = if order == Ordering::Less { None } else { after.next() };
        let key = one.or(other).map(|entry| &*entry.key)?;
        let value = |entry: Option<&'a Entry>| entry.map_or(&*NULL, |entry| &entry.value);
        Some((key, value(one), value(other)))
    })
}

/// Whether two values are the same to a reader: whatever their marks, whether list or tuple, map or object. A reference is its address.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a.data(), b.data()) {
        (Data::Sequence(a), Data::Sequence(b)) => {
            a.items().len() == b.items().len() && a.items().iter().zip(b.items()).all(|(a, b)| same(a, b))
        }
        (Data::Mapping(_), Data::Mapping(_)) => both(a.entries(), b.entries()).all(|(_, a, b)| same(a, b)),
        (Data::Reference(instance) | Data::Instance(instance), Data::String(text))
        | (Data::String(text), Data::Reference(instance) | Data::Instance(instance)) => instance.address.to_string() == **text,
        (Data::Reference(a) | Data::Instance(a), Data::Reference(b) | Data::Instance(b)) => a.address == b.address,
        (Data::Unknown(..), _) | (_, Data::Unknown(..)) => false,
        (a, b) => a == b,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::json;

    fn words(what: &What) -> String {
        match what {
            What::One(value) => inline(value),
            What::Two(before, after) => format!("{before} -> {after}"),
            What::Secret => "secret".to_owned(),
            What::Veiled => "veiled".to_owned(),
            What::Line(line) => line.clone(),
            What::Moved(from, to) => format!("{from} -> {to}"),
            What::Each(each) => each.iter().map(|(names, what)| format!("{names}: {}", words(what))).collect::<Vec<_>>().join("; "),
            What::Within(language, within) => format!("({language}) {}", lines(within).join("|")),
        }
    }

    /// Every leaf on one line, as the tests of this module and those below it compare them.
    pub(crate) fn lines(difference: &Difference) -> Vec<String> {
        let mut lines = Vec::new();
        for leaf in &difference.leaves {
            let mark = match leaf.mark {
                Mark::Add => '+',
                Mark::Change => '~',
                Mark::Remove => '-',
                Mark::Move => '>',
            };
            lines.push(format!("{mark} {} {}", leaf.path, words(&leaf.what)));
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

    /// Whoever looks at each part twice looks at what lies so deep more often than there is time for.
    #[test]
    fn what_lies_deep_is_looked_at_once() {
        let nested =
            |leaf: u32| (0..100).fold(json!({ "v": leaf, "w": [leaf] }), |inner, _| json!({ "a": inner, "b": 1, "l": [{ "n": 2 }] }));
        check(&nested(1), &nested(1), &[]);
        let [path, other] = ["v", "w[0]"].map(|leaf| "a.".repeat(100) + leaf);
        check(&nested(1), &nested(2), &[&format!("~ {path} 1 -> 2"), &format!("~ {other} 1 -> 2")]);
        let text = |leaf: u32| json!({ "t": serde_json::to_string_pretty(&nested(leaf)).unwrap() });
        check(&text(1), &text(2), &[&format!("~ t (json) ~ {path} 1 -> 2|~ {other} 1 -> 2")]);
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
        let closed = Value::object([("key", Value::blocked("it is sealed").sensitive()), ("uid", Value::string("u"))]);
        assert_eq!(lines(&Difference::between(&before, &closed)), ["~ key (sensitive value) -> (not observed: it is sealed)"]);
        assert_eq!(lines(&Difference::between(&closed, &before)), ["~ key (not observed: it is sealed) -> (sensitive value)"]);
    }
}
