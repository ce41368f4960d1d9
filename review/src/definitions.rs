//! What definitions of custom kinds say about lists: which fields tell their elements apart.

use engine::value::Value;
use std::collections::BTreeMap;

/// The schemas of custom kinds, by group and kind.
#[derive(Debug, Clone, Default)]
pub struct Definitions(BTreeMap<(String, String), Value>);

impl Definitions {
    /// Takes in a value if it is a `CustomResourceDefinition`; of several versions the one that is stored counts.
    pub fn learn(&mut self, object: &Value) {
        if object.text("kind") != Some("CustomResourceDefinition") {
            return;
        }
        let Some(spec) = object.present("spec") else { return };
        let (Some(group), Some(kind)) = (spec.text("group"), spec.present("names").and_then(|names| names.text("kind"))) else { return };
        let versions = spec.present("versions").map(Value::items).unwrap_or_default();
        let stored = versions.iter().find(|version| version.get("storage").and_then(Value::as_bool) == Some(true));
        let schema = stored.or(versions.first()).and_then(|version| version.present("schema")?.present("openAPIV3Schema"));
        if let Some(schema) = schema {
            self.0.insert((group.to_owned(), kind.to_owned()), schema.clone());
        }
    }

    /// The shape of an object whose kind is known.
    pub(crate) fn of(&self, object: &Value) -> Option<Shape<'_>> {
        if self.0.is_empty() {
            return None;
        }
        let (group, _) = object.text("apiVersion")?.split_once('/')?;
        self.0.get(&(group.to_owned(), object.text("kind")?.to_owned())).map(Shape)
    }
}

/// The schema of one place within an object.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a>(&'a Value);

impl<'a> Shape<'a> {
    /// The schema of the value under a key.
    pub(crate) fn property(self, key: &str) -> Option<Self> {
        let named = self.0.present("properties").and_then(|properties| properties.present(key));
        named.or_else(|| self.0.present("additionalProperties")).map(Shape)
    }

    /// The schema of a list's elements.
    pub(crate) fn element(self) -> Option<Self> {
        self.0.present("items").map(Shape)
    }

    /// What names the elements of a list: each field with what it is if it is left out. Nothing if the list is no map.
    pub(crate) fn keys(self) -> Option<Vec<(&'a str, Option<String>)>> {
        let keys = self.0.present("x-kubernetes-list-map-keys")?.items();
        let default = |key: &str| {
            let default = self.element()?.property(key)?.0.present("default")?;
            Some(default.as_str().map_or_else(|| crate::notation::inline(default), str::to_owned))
        };
        keys.iter().map(|key| key.as_str().map(|key| (key, default(key)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::difference::tests::lines;
    use super::*;
    use crate::Difference;
    use serde_json::json;

    #[test]
    fn a_definition_says_what_names_the_elements_of_its_lists() {
        let mut definitions = Definitions::default();
        let rules = json!({ "type": "array", "x-kubernetes-list-map-keys": ["path", "method"], "items": { "properties": {
            "method": { "default": "GET" }, "path": {}, "name": {}
        } } });
        let schema = json!({ "properties": { "spec": { "properties": { "sets": { "additionalProperties": { "properties": { "rules": rules } } } } } } });
        definitions.learn(&Value::from_json(&json!({ "kind": "CustomResourceDefinition", "spec": {
            "group": "x.io", "names": { "kind": "Rules" },
            "versions": [{ "name": "v1alpha1" }, { "name": "v1", "storage": true, "schema": { "openAPIV3Schema": schema } }]
        } })));
        let object = |kind: &str, rules: serde_json::Value| {
            Value::from_json(&json!({ "apiVersion": "x.io/v1", "kind": kind, "spec": { "sets": { "a": { "rules": rules } } } }))
        };
        let before = json!([{ "path": "/a", "name": "same", "v": 1 }, { "path": "/a", "method": "PUT", "name": "same", "v": 1 }]);
        let after =
            json!([{ "path": "/a", "method": "PUT", "name": "same", "v": 1 }, { "path": "/a", "method": "GET", "name": "same", "v": 2 }]);
        let differ = |kind: &str| lines(&Difference::of(&definitions, &object(kind, before.clone()), &object(kind, after.clone())));
        assert_eq!(
            differ("Rules"),
            [
                "+ spec.sets.a.rules[path=/a,method=GET].method \"GET\"",
                "~ spec.sets.a.rules[path=/a,method=GET].v 1 -> 2",
                "> spec.sets.a.rules[path=/a,method=PUT] 1 -> 0",
            ]
        );
        assert_eq!(differ("Others").len(), 2, "{:?}", differ("Others"));
    }
}
