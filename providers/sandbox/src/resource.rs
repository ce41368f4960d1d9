//! What the API serves: built-in kinds, and those that definitions add.

mod builtin;
mod custom;

pub(crate) use builtin::{builtin, builtins};
pub(crate) use custom::{DEFINITIONS, definition_kinds, from_definition};

use crate::object::Json;
use crate::refusal::About;
use std::fmt;
use std::sync::Arc;

/// A kind as one version of one group serves it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    /// Empty for the core group.
    pub(crate) group: String,
    /// Such as `v1`.
    pub(crate) version: String,
    /// Such as `Deployment`.
    pub(crate) kind: String,
    /// What stands in URLs, such as `deployments`.
    pub(crate) plural: String,
    /// Such as `deploy`.
    pub(crate) short_names: Vec<String>,
    /// Such as `all`.
    pub(crate) categories: Vec<String>,
    /// Whether a namespace holds its objects.
    pub(crate) scope: Scope,
    /// Whether `status` is written apart from the rest.
    pub(crate) status: bool,
    /// Where the scale subresource finds replicas, if there is one.
    pub(crate) scale: Option<Scale>,
    /// Whether `metadata.generation` counts changes of the specification.
    pub(crate) generations: bool,
    /// The schema of a defined kind.
    pub(crate) schema: Option<Schema>,
}

/// The schema of one version of a definition, shared with the definition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schema {
    definition: Arc<Json>,
    version: usize,
}

impl Schema {
    /// The `OpenAPI` schema; of a version without one null, which knows no field.
    pub(crate) fn json(&self) -> &Json {
        static NOTHING: Json = Json::Null;
        let version = self.definition.pointer("/spec/versions").and_then(|versions| versions.get(self.version));
        version.and_then(|version| version.pointer("/schema/openAPIV3Schema")).unwrap_or(&NOTHING)
    }

    /// A schema for tests.
    #[cfg(test)]
    pub(crate) fn of(schema: &Json) -> Self {
        let definition = serde_json::json!({ "spec": { "versions": [{ "schema": { "openAPIV3Schema": schema } }] } });
        Self { definition: Arc::new(definition), version: 0 }
    }
}

/// Whether a namespace holds the objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One does.
    Namespaced,
    /// None does.
    Cluster,
}

/// Paths of the scale subresource, as lists of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scale {
    /// The wanted number.
    pub(crate) wanted: Vec<String>,
    /// The present number.
    pub(crate) present: Vec<String>,
}

impl Resource {
    /// What stands in `apiVersion`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `plural` or `plural.group`: the same for all versions.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The key of an object of this kind.
    pub(crate) fn key(&self, namespace: &str, name: &str) -> Key {
        let namespace = if self.scope == Scope::Namespaced { namespace } else { "" };
        Key { resource: self.qualified().into(), namespace: namespace.into(), name: name.into() }
    }

    /// What an error about an object says it is about.
    pub(crate) fn about<'a>(&'a self, name: &'a str) -> About<'a> {
        About { group: &self.group, kind: &self.plural, name }
    }

    /// What an error of validation says it is about.
    pub(crate) fn about_kind<'a>(&'a self, name: &'a str) -> About<'a> {
        About { group: &self.group, kind: &self.kind, name }
    }
}

/// What an object is stored under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// `plural` or `plural.group`.
    pub(crate) resource: Arc<str>,
    /// Empty for what no namespace holds.
    pub(crate) namespace: Arc<str>,
    /// Its name.
    pub(crate) name: Arc<str>,
}

impl Key {
    /// The key of an object.
    pub(crate) fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self { resource: resource.into(), namespace: namespace.into(), name: name.into() }
    }

    /// The group that its resource belongs to; empty for the core group.
    pub(crate) fn group(&self) -> &str {
        self.resource.split_once('.').map_or("", |(_, group)| group)
    }

    /// The plural of its kind.
    pub(crate) fn plural(&self) -> &str {
        self.resource.split_once('.').map_or(&self.resource, |(plural, _)| plural)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            return write!(f, "{}/{}", self.resource, self.name);
        }
        write!(f, "{}/{}/{}", self.resource, self.namespace, self.name)
    }
}
