//! How the parts of an object merge: which lists are keyed, which maps are atomic.

use super::builtin_types::{ATOMIC, Rule, rule};
use crate::object::Json;
use crate::resource::Resource;
use serde_json::Map;

/// One point of an object's type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    relation: Relation<'a>,
    inner: Inner<'a>,
}

/// How what stands at a point merges with what stood there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Relation<'a> {
    /// Maps by field, lists as a whole.
    Default,
    /// As a whole.
    Atomic,
    /// A list, by item: each value once.
    Set,
    /// A list, by the keys of its items.
    Keyed(Keys<'a>),
}

/// The keys of a list's items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Keys<'a> {
    /// Of a built-in kind.
    Names(&'static [&'static str]),
    /// Of a defined kind: the list's schema.
    Schema(&'a Json),
}

#[derive(Debug, Clone, Copy)]
enum Inner<'a> {
    /// A named type of a built-in kind; without a row of its own anything below merges by default.
    Type(&'static str),
    /// A schema of a defined kind.
    Schema(&'a Json),
    /// No schema: maps by field, lists as a whole, and every map on the way is a field of its own.
    Untyped,
}

impl<'a> Shape<'a> {
    /// The type of a kind's objects.
    pub(crate) fn of(resource: &'a Resource) -> Self {
        match &resource.schema {
            Some(schema) => Self { relation: Relation::Default, inner: Inner::Schema(schema.json()) },
            None => Self { relation: Relation::Default, inner: Inner::Type(super::builtin_types::root(&resource.kind)) },
        }
    }

    /// How it merges.
    pub(crate) fn relation(&self) -> Relation<'a> {
        self.relation
    }

    /// Whether it is of a built-in kind.
    pub(crate) fn is_built_in(&self) -> bool {
        matches!(self.inner, Inner::Type(_))
    }

    /// Whether maps on the way are fields of their own.
    pub(crate) fn is_untyped(&self) -> bool {
        matches!(self.inner, Inner::Untyped)
    }

    /// Whether a field of a map has a name in the type; those of built-in kinds have, as far as it makes a difference.
    pub(crate) fn declares(&self, name: &str) -> bool {
        match self.inner {
            Inner::Type(_) => true,
            Inner::Schema(schema) => schema.get("properties").is_some_and(|properties| properties.get(name).is_some()),
            Inner::Untyped => false,
        }
    }

    /// The type of a field of a map. `metadata` at the top is always the same.
    pub(crate) fn field(&self, name: &str) -> Self {
        match self.inner {
            Inner::Untyped => Self { relation: Relation::Default, inner: Inner::Untyped },
            Inner::Type(ty) => rule(ty, name).map_or(Self { relation: Relation::Default, inner: Inner::Type("") }, Self::ruled),
            Inner::Schema(schema) => {
                let property = schema.get("properties").and_then(|properties| properties.get(name));
                match property.or_else(|| schema.get("additionalProperties").filter(|more| more.is_object())) {
                    Some(property) => Self::schema(property),
                    None => Self { relation: Relation::Default, inner: Inner::Untyped },
                }
            }
        }
    }

    /// The type of a field of the whole object.
    pub(crate) fn top(&self, name: &str) -> Self {
        if name == "metadata" { Self { relation: Relation::Default, inner: Inner::Type("ObjectMeta") } } else { self.field(name) }
    }

    /// The type of a list's items.
    pub(crate) fn item(&self) -> Self {
        match self.inner {
            Inner::Schema(schema) => match schema.get("items") {
                Some(items) => Self { relation: Relation::Default, ..Self::schema(items) },
                None => Self { relation: Relation::Default, inner: Inner::Untyped },
            },
            Inner::Type(ATOMIC) => Self { relation: Relation::Atomic, inner: self.inner },
            inner => Self { relation: Relation::Default, inner },
        }
    }

    fn ruled(rule: Rule) -> Self {
        let (relation, ty) = match rule {
            Rule::Into(ty) => (Relation::Default, ty),
            Rule::Atomic => (Relation::Atomic, ""),
            Rule::Set => (Relation::Set, ""),
            Rule::Keyed(keys, ty) => (Relation::Keyed(Keys::Names(keys)), ty),
        };
        Self { relation, inner: Inner::Type(ty) }
    }

    fn schema(schema: &'a Json) -> Self {
        let word = |key: &str| schema.get(key).and_then(Json::as_str);
        let relation = match (word("x-kubernetes-list-type"), word("x-kubernetes-map-type")) {
            (Some("map"), _) => Relation::Keyed(Keys::Schema(schema)),
            (Some("set"), _) => Relation::Set,
            (Some("atomic"), _) | (_, Some("atomic")) => Relation::Atomic,
            _ => Relation::Default,
        };
        let bare = schema.get("properties").is_none()
            && schema.get("items").is_none()
            && schema.get("additionalProperties").is_none()
            && schema.get("type").is_none_or(|ty| ty != "object");
        Self { relation, inner: if bare { Inner::Untyped } else { Inner::Schema(schema) } }
    }
}

impl Keys<'_> {
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Names(names) => names.to_vec(),
            Self::Schema(schema) => {
                let names = schema.get("x-kubernetes-list-map-keys").and_then(Json::as_array);
                names.into_iter().flatten().filter_map(Json::as_str).collect()
            }
        }
    }

    fn default(&self, key: &str) -> Option<Json> {
        match self {
            Self::Names(_) => (key == "protocol").then(|| "TCP".into()),
            Self::Schema(schema) => schema.pointer(&format!("/items/properties/{key}/default")).cloned(),
        }
    }
}

/// The step of a field set that leads to an item of a list; nothing if the list merges as a whole.
pub(crate) fn element(relation: Relation<'_>, item: &Json) -> Option<String> {
    match relation {
        Relation::Default | Relation::Atomic => None,
        Relation::Set => Some(format!("v:{item}")),
        Relation::Keyed(keys) => {
            let values = keys.names().into_iter().filter_map(|key| {
                let value = item.get(key).cloned().or_else(|| keys.default(key))?;
                Some((key.to_owned(), value))
            });
            Some(format!("k:{}", Json::Object(values.collect::<Map<_, _>>())))
        }
    }
}

/// The same by the first key alone, as strategic merge patches find items.
pub(crate) fn by_first_key(relation: Relation<'_>, item: &Json) -> Option<String> {
    match relation {
        Relation::Keyed(keys) => keys.names().first().and_then(|key| item.get(*key)).map(Json::to_string),
        other => element(other, item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Schema;
    use crate::resource::builtin;
    use serde_json::json;

    #[test]
    fn built_in_lists_have_the_keys_of_their_kind() {
        let deployment = builtin("apps", "v1", "deployments").expect("deployments");
        let pod = Shape::of(&deployment).top("spec").field("template").field("spec");
        let containers = pod.field("containers");
        assert_eq!(element(containers.relation(), &json!({ "name": "a", "image": "i" })), Some("k:{\"name\":\"a\"}".into()));
        let ports = containers.item().field("ports");
        assert_eq!(element(ports.relation(), &json!({ "containerPort": 1 })), Some("k:{\"containerPort\":1,\"protocol\":\"TCP\"}".into()));
        assert_eq!(pod.field("nodeSelector").relation(), Relation::Atomic);
        assert_eq!(pod.field("tolerations").relation(), Relation::Default);
        assert_eq!(Shape::of(&deployment).top("metadata").field("finalizers").relation(), Relation::Set);
    }

    #[test]
    fn schemas_say_how_defined_kinds_merge() {
        let schema = json!({ "properties": { "spec": { "properties": {
            "named": { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "kind"], "items": { "properties": { "kind": { "default": "K" } } } },
            "words": { "x-kubernetes-list-type": "set", "items": {} },
            "plain": { "type": "array", "items": {} },
            "whole": { "type": "object", "x-kubernetes-map-type": "atomic" },
            "free": { "x-kubernetes-preserve-unknown-fields": true },
        } } } });
        let resource = Resource { schema: Some(Schema::of(&schema)), ..(*builtin("", "v1", "pods").expect("pods")).clone() };
        let spec = Shape::of(&resource).top("spec");
        assert_eq!(element(spec.field("named").relation(), &json!({ "name": "a" })), Some("k:{\"kind\":\"K\",\"name\":\"a\"}".into()));
        assert_eq!(element(spec.field("words").relation(), &json!("a")), Some("v:\"a\"".into()));
        assert_eq!(spec.field("plain").relation(), Relation::Default);
        assert_eq!(spec.field("whole").relation(), Relation::Atomic);
        assert!(spec.field("free").is_untyped() && spec.field("free").field("x").is_untyped() && !spec.is_untyped());
    }
}
