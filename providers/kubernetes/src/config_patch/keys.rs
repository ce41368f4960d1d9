//! Which keys a patch owns, what they held before, and how to give them back.

use crate::document::{Change, at};
use crate::object_kind::Json;
use engine::value::Value;
use serde_json::{Map, json};

/// A key and the value it is to have.
pub(super) type Leaf = (Vec<String>, Json);

/// The leaves of `values` as far as they are known: what is no mapping is one, lists included. A null and an empty mapping own nothing.
pub(super) fn leaves(values: Option<&Value>) -> Vec<Leaf> {
    let mut found = Vec::new();
    if let Some(values) = values {
        walk(values, &mut Vec::new(), &mut found);
    }
    found
}

fn walk(value: &Value, path: &mut Vec<String>, found: &mut Vec<Leaf>) {
    if !value.entries().is_empty() {
        for entry in value.entries() {
            path.push(entry.key.to_string());
            walk(&entry.value, path, found);
            path.pop();
        }
        return;
    }
    match value.to_json() {
        Ok(Json::Null) | Err(_) => {}
        Ok(Json::Object(entries)) if entries.is_empty() => {}
        Ok(leaf) if !path.is_empty() => found.push((path.clone(), leaf)),
        Ok(_) => {}
    }
}

/// The part of a value that these keys cover.
pub(super) fn picked(held: &Json, keys: &[Leaf]) -> Json {
    let mut part = Json::Object(Map::new());
    for (path, _) in keys {
        if let Some(value) = at(held, path) {
            put(&mut part, path, value);
        }
    }
    part
}

fn put(part: &mut Json, path: &[String], value: &Json) {
    let Some((step, rest)) = path.split_first() else {
        *part = value.clone();
        return;
    };
    if let Some(entries) = part.as_object_mut() {
        put(entries.entry(step.clone()).or_insert_with(|| Json::Object(Map::new())), rest, value);
    }
}

/// What one key held before it was first patched.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Earlier {
    path: Vec<String>,
    was: Was,
}

#[derive(Debug, Clone, PartialEq)]
enum Was {
    /// This.
    Value(Json),
    /// Nothing, and of the mappings above it this many were there.
    Missing(usize),
}

impl Earlier {
    /// What a text holds at a key. A mapping that was made for one of the `others` was not there before.
    fn seen(held: &Json, path: &[String], others: &[Self]) -> Self {
        if let Some(value) = at(held, path) {
            return Self { path: path.to_vec(), was: Was::Value(value.clone()) };
        }
        let there = (1..path.len()).take_while(|depth| at(held, &path[..*depth]).is_some_and(Json::is_object)).count();
        let made = others.iter().filter_map(|other| match other.was {
            Was::Missing(within) => (other.path.get(..=within) == path.get(..=within)).then_some(within),
            Was::Value(_) => None,
        });
        Self { path: path.to_vec(), was: Was::Missing(made.chain([there]).min().unwrap_or(there)) }
    }

    /// All that a record remembers; nothing of what it does not.
    pub(super) fn remembered(text: Option<&str>) -> Vec<Self> {
        let parsed: Option<Json> = text.and_then(|text| serde_json::from_str(text).ok());
        let entries = parsed.as_ref().and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        entries.iter().filter_map(Self::from_json).collect()
    }

    fn from_json(entry: &Json) -> Option<Self> {
        let path = entry.get("path")?.as_array()?.iter().map(|step| step.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
        let was = match (entry.get("value"), entry.get("within").and_then(Json::as_u64)) {
            (Some(value), _) => Was::Value(value.clone()),
            (None, within) => Was::Missing(usize::try_from(within?).ok()?),
        };
        Some(Self { path, was })
    }

    /// As a record keeps them.
    pub(super) fn kept(all: &[Self]) -> String {
        let entries = all.iter().map(|earlier| match &earlier.was {
            Was::Value(value) => json!({ "path": earlier.path, "value": value }),
            Was::Missing(within) => json!({ "path": earlier.path, "within": within }),
        });
        Json::Array(entries.collect()).to_string()
    }

    /// The key.
    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    /// What makes the text as it was before, in the text that holds this.
    pub(super) fn restoring(&self, held: &Json) -> Vec<(Vec<String>, Change)> {
        let within = match &self.was {
            Was::Value(value) => return vec![(self.path.clone(), Change::Set(value.clone()))],
            Was::Missing(within) => *within,
        };
        // Mappings that were made for the key go with it, unless somebody else put something in.
        let alone = |depth: &usize| at(held, &self.path[..*depth]).and_then(Json::as_object).is_some_and(|entries| entries.len() == 1);
        let mut depth = self.path.len();
        while depth > within + 1 && alone(&(depth - 1)) {
            depth -= 1;
        }
        vec![(self.path[..depth].to_vec(), Change::Remove)]
    }
}

/// The changes that give these keys to a text, with what they held before; and those that give back what is no longer wanted, where it
/// still holds what we put there.
pub(super) fn changes(
    held: &Json,
    (wanted, before): (&[Leaf], &[Leaf]),
    earlier: &[Earlier],
) -> (Vec<(Vec<String>, Change)>, Vec<Earlier>) {
    let (mut changes, mut kept) = (Vec::new(), Vec::new());
    let mut now = held.clone();
    for (path, ours) in before.iter().filter(|(path, _)| !wanted.iter().any(|(wanted, _)| wanted == path)) {
        let remembered = earlier.iter().find(|earlier| earlier.path() == path);
        if let Some(earlier) = remembered.filter(|_| at(&now, path) == Some(ours)) {
            for (path, change) in earlier.restoring(&now) {
                crate::document::apply(&mut now, &path, &change);
                changes.push((path, change));
            }
        }
    }
    for (path, value) in wanted {
        let remembered = earlier.iter().find(|earlier| earlier.path() == path);
        kept.push(remembered.cloned().unwrap_or_else(|| Earlier::seen(&now, path, earlier)));
        changes.push((path.clone(), Change::Set(value.clone())));
    }
    (changes, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{changed, parse};

    fn given(values: &Json) -> Vec<Leaf> {
        leaves(Some(&Value::from_json(values)))
    }

    /// What becomes of a text when this is wanted where that was before, and what is remembered then.
    fn patched(text: &str, wanted: &Json, before: &Json, earlier: &str) -> (String, String) {
        let (changes, kept) = changes(&parse(text).unwrap(), (&given(wanted), &given(before)), &Earlier::remembered(Some(earlier)));
        (changed(text, &changes).unwrap(), Earlier::kept(&kept))
    }

    #[test]
    fn leaves_are_what_is_no_mapping() {
        let found = given(&json!({ "ipvs": { "strictARP": true, "x": null }, "list": [1], "none": {} }));
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(found, [(path("ipvs.strictARP"), json!(true)), (path("list"), json!([1]))]);
    }

    #[test]
    fn what_was_there_comes_back() {
        for (text, wanted) in [
            ("ipvs:\n  strictARP: false # why\nmode: \"\"\n", json!({ "ipvs": { "strictARP": true }, "mode": "ipvs" })),
            ("a: 1\n", json!({ "b": { "c": { "d": 1 } }, "e": [1, 2] })),
            ("a: {x: 1}\n", json!({ "a": { "y": 2 } })),
            ("b:\n  z: 1\n", json!({ "b": { "c": { "d": 1, "e": 2 } } })),
        ] {
            let (there, earlier) = patched(text, &wanted, &json!({}), "");
            assert_ne!(there, text);
            let (back, left) = patched(&there, &json!({}), &wanted, &earlier);
            assert_eq!((parse(&back), left.as_str()), (parse(text), "[]"), "{text}{there}");
        }
        let text = "ipvs:\n  strictARP: false # why\nmode: \"\"\n";
        let wanted = json!({ "ipvs": { "strictARP": true } });
        let (there, earlier) = patched(text, &wanted, &json!({}), "");
        assert_eq!(patched(&there, &json!({}), &wanted, &earlier).0, text);
    }

    #[test]
    fn what_somebody_else_wrote_stays() {
        let (there, earlier) = patched("a: 1\n", &json!({ "a": 2, "b": { "c": 1 } }), &json!({}), "");
        let edited = there.replace("a: 2", "a: 3").replace("  c: 1", "  c: 1\n  theirs: 1");
        let (back, _) = patched(&edited, &json!({}), &json!({ "a": 2, "b": { "c": 1 } }), &earlier);
        assert_eq!(parse(&back), Ok(json!({ "a": 3, "b": { "theirs": 1 } })));
    }

    #[test]
    fn a_change_of_what_is_wanted_keeps_what_was_first() {
        let (there, earlier) = patched("a: 1\n", &json!({ "a": 2 }), &json!({}), "");
        let (there, earlier) = patched(&there, &json!({ "a": 3, "b": 1 }), &json!({ "a": 2 }), &earlier);
        assert_eq!(parse(&there), Ok(json!({ "a": 3, "b": 1 })));
        let (back, _) = patched(&there, &json!({ "b": 1 }), &json!({ "a": 3, "b": 1 }), &earlier);
        assert_eq!(parse(&back), Ok(json!({ "a": 1, "b": 1 })));
    }

    #[test]
    fn mappings_that_were_made_for_keys_go_with_the_last_of_them() {
        let (there, earlier) = patched("a: 1\n", &json!({ "b": { "c": 1 } }), &json!({}), "");
        let both = json!({ "b": { "c": 1, "d": 2 } });
        let (there, earlier) = patched(&there, &both, &json!({ "b": { "c": 1 } }), &earlier);
        let (there, earlier) = patched(&there, &json!({ "b": { "d": 2 } }), &both, &earlier);
        assert_eq!(there, "a: 1\nb:\n  d: 2\n");
        assert_eq!(patched(&there, &json!({}), &json!({ "b": { "d": 2 } }), &earlier).0, "a: 1\n");
    }

    #[test]
    fn what_is_not_remembered_is_left_as_it_is() {
        assert_eq!(patched("a: 2\n", &json!({}), &json!({ "a": 2 }), "not JSON").0, "a: 2\n");
    }

    #[test]
    fn only_our_keys_are_looked_at() {
        let held = json!({ "a": { "b": 1, "c": 2 }, "d": 3 });
        assert_eq!(picked(&held, &given(&json!({ "a": { "b": 9 }, "x": 1 }))), json!({ "a": { "b": 1 } }));
    }
}
