//! Sets of fields, as `fieldsV1` writes them.

use crate::object::Json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A set of fields below one point of an object.
///
/// Steps are texts as in `fieldsV1`: `f:name` a field, `k:{"name":"x"}` the item of a list with these keys, `v:"x"` an item of a set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FieldSet {
    /// Whether this point itself is in the set.
    pub(crate) member: bool,
    /// What lies below.
    pub(crate) children: BTreeMap<String, Self>,
}

impl FieldSet {
    /// The set of one point.
    pub(crate) fn leaf() -> Self {
        Self { member: true, children: BTreeMap::new() }
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        !self.member && self.children.values().all(Self::is_empty)
    }

    /// Reads `fieldsV1`.
    pub(crate) fn from_json(json: &Json) -> Self {
        let mut set = Self::default();
        for (step, below) in json.as_object().into_iter().flatten() {
            if step == "." {
                set.member = true;
                continue;
            }
            let mut child = Self::from_json(below);
            if child.children.is_empty() {
                child.member = true;
            }
            set.children.insert(step.clone(), child);
        }
        set
    }

    /// Writes `fieldsV1`.
    pub(crate) fn to_json(&self) -> Json {
        let mut json = serde_json::Map::new();
        if self.member && !self.children.is_empty() {
            json.insert(".".into(), Json::Object(serde_json::Map::new()));
        }
        for (step, child) in &self.children {
            json.insert(step.clone(), child.to_json());
        }
        Json::Object(json)
    }

    /// What is in either.
    #[must_use]
    pub(crate) fn union(mut self, other: &Self) -> Self {
        self.member |= other.member;
        for (step, below) in &other.children {
            let child = self.children.remove(step).unwrap_or_default();
            self.children.insert(step.clone(), child.union(below));
        }
        self
    }

    /// What is in this and not in the other.
    #[must_use]
    pub(crate) fn difference(&self, other: &Self) -> Self {
        let children = self.children.iter().map(|(step, child)| {
            let left = other.children.get(step).map_or_else(|| child.clone(), |below| child.difference(below));
            (step.clone(), left)
        });
        Self { member: self.member && !other.member, children: children.filter(|(_, child)| !child.is_empty()).collect() }
    }

    /// What is in both.
    #[must_use]
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let children = self.children.iter().filter_map(|(step, child)| {
            let both = child.intersection(other.children.get(step)?);
            (!both.is_empty()).then(|| (step.clone(), both))
        });
        Self { member: self.member && other.member, children: children.collect() }
    }

    /// Takes out everything at and below a path.
    pub(crate) fn remove(&mut self, path: &[&str]) {
        let Some((step, rest)) = path.split_first() else { return };
        if rest.is_empty() {
            self.children.remove(*step);
        } else if let Some(child) = self.children.get_mut(*step) {
            child.remove(rest);
            if child.is_empty() {
                self.children.remove(*step);
            }
        }
    }

    /// Every field in it, as errors write them: `.spec.ports[port=80,protocol="TCP"].name`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect_paths("", &mut paths);
        paths
    }

    fn collect_paths(&self, above: &str, paths: &mut Vec<String>) {
        // Fields themselves come before what lies within them.
        for (step, _) in self.children.iter().filter(|(_, child)| child.member) {
            paths.push(format!("{above}{}", readable(step)));
        }
        for (step, child) in &self.children {
            child.collect_paths(&format!("{above}{}", readable(step)), paths);
        }
    }
}

fn readable(step: &str) -> String {
    if let Some(name) = step.strip_prefix("f:") {
        return format!(".{name}");
    }
    if let Some(value) = step.strip_prefix("v:") {
        return format!("[={value}]");
    }
    let keys: BTreeMap<String, Json> = step.strip_prefix("k:").and_then(|keys| serde_json::from_str(keys).ok()).unwrap_or_default();
    let mut text = String::from("[");
    for (at, (key, value)) in keys.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}{key}={value}", if at > 0 { "," } else { "" });
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(json: &Json) -> FieldSet {
        FieldSet::from_json(json)
    }

    #[test]
    fn field_sets_survive_json() {
        let json =
            json!({ "f:metadata": { "f:labels": { ".": {}, "f:a": {} } }, "f:spec": { "k:{\"name\":\"x\"}": { ".": {}, "f:image": {} } } });
        assert_eq!(set(&json).to_json(), json);
    }

    #[test]
    fn sets_are_joined_cut_and_taken_apart() {
        let a = set(&json!({ "f:a": { ".": {}, "f:x": {}, "f:y": {} }, "f:b": {} }));
        let b = set(&json!({ "f:a": { "f:y": {}, "f:z": {} }, "f:c": {} }));
        assert_eq!(a.clone().union(&b).to_json(), json!({ "f:a": { ".": {}, "f:x": {}, "f:y": {}, "f:z": {} }, "f:b": {}, "f:c": {} }));
        assert_eq!(a.intersection(&b).to_json(), json!({ "f:a": { "f:y": {} } }));
        assert_eq!(a.difference(&b).to_json(), json!({ "f:a": { ".": {}, "f:x": {} }, "f:b": {} }));
        assert!(a.difference(&a).is_empty());
    }

    #[test]
    fn a_path_is_removed_with_what_lies_below_and_what_it_leaves_empty() {
        let mut a = set(&json!({ "f:metadata": { "f:name": {} }, "f:spec": { "f:x": {}, "f:y": {} } }));
        a.remove(&["f:metadata", "f:name"]);
        a.remove(&["f:spec", "f:x"]);
        assert_eq!(a.to_json(), json!({ "f:spec": { "f:y": {} } }));
    }

    #[test]
    fn paths_read_as_in_conflicts() {
        let a = set(
            &json!({ "f:spec": { "f:ports": { "k:{\"port\":80,\"protocol\":\"TCP\"}": { "f:name": {} } }, "f:finalizers": { "v:\"x\"": {} } } }),
        );
        assert_eq!(a.paths(), [".spec.finalizers[=\"x\"]", ".spec.ports[port=80,protocol=\"TCP\"].name"]);
    }
}
