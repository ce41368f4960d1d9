//! One change of a cluster under way: sees what it wrote, and is taken over whole or not at all.

use super::{Event, Facts, World};
use crate::object::{Json, set};
use crate::ownership::{Owners, Shape, Writer};
use crate::resource::{Key, Resource};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A change under way.
pub(crate) struct Transaction<'a> {
    world: &'a World,
    facts: Option<Facts>,
    changed: BTreeMap<Key, Option<Arc<Json>>>,
    events: Vec<Event>,
    now: String,
}

impl<'a> Transaction<'a> {
    /// A change of nothing yet.
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world, facts: None, changed: BTreeMap::new(), events: Vec::new(), now: crate::object::now() }
    }

    /// When it started.
    pub(crate) fn now(&self) -> &str {
        &self.now
    }

    /// What the cluster is apart from its objects.
    pub(crate) fn facts(&self) -> &Facts {
        self.facts.as_ref().unwrap_or_else(|| self.world.facts())
    }

    /// Changes what the cluster is.
    pub(crate) fn set_facts(&mut self, facts: Facts) {
        self.facts = (facts != *self.world.facts()).then_some(facts);
    }

    /// An object as it is by now.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Json>> {
        match self.changed.get(key) {
            Some(changed) => changed.clone(),
            None => self.world.get(key).cloned(),
        }
    }

    /// The objects of a resource by now, in one namespace or all, in order of their keys.
    pub(crate) fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<(Key, Arc<Json>)> {
        let mut found: BTreeMap<Key, Arc<Json>> =
            self.world.list(resource, namespace).map(|(key, object)| (key.clone(), object.clone())).collect();
        for (key, changed) in &self.changed {
            if &*key.resource == resource && namespace.is_none_or(|namespace| &*key.namespace == namespace) {
                match changed {
                    Some(object) => found.insert(key.clone(), object.clone()),
                    None => found.remove(key),
                };
            }
        }
        found.into_iter().collect()
    }

    /// Every object by now for which `wanted` holds.
    pub(crate) fn select(&self, wanted: impl Fn(&Key, &Json) -> bool) -> Vec<(Key, Arc<Json>)> {
        let old = self.world.objects().iter().filter(|(key, _)| !self.changed.contains_key(*key));
        let new = self.changed.iter().filter_map(|(key, object)| Some((key, object.as_ref()?)));
        old.chain(new).filter(|(key, object)| wanted(key, object)).map(|(key, object)| (key.clone(), object.clone())).collect()
    }

    /// A kind by what stands in URLs, built in or defined.
    pub(crate) fn resource(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        crate::resource::builtin(group, version, plural).or_else(|| {
            let definition = self.get(&Key::new(crate::resource::DEFINITIONS, "", &format!("{plural}.{group}")))?;
            crate::resource::from_definition(&definition, version)
        })
    }

    /// The kind of a stored object.
    pub(crate) fn resource_of(&self, key: &Key, object: &Json) -> Option<Arc<Resource>> {
        let api_version = object.get("apiVersion")?.as_str()?;
        let version = api_version.rsplit('/').next()?;
        self.resource(key.group(), version, key.plural())
    }

    /// Stores an object under a new resource version, and returns it.
    pub(crate) fn put(&mut self, key: &Key, mut object: Json) -> Arc<Json> {
        let revision = self.next();
        set(&mut object, &["metadata", "resourceVersion"], revision.to_string());
        let object = Arc::new(object);
        let old = self.get(key);
        self.events.push(Event { revision, key: key.clone(), old, new: Some(object.clone()) });
        self.changed.insert(key.clone(), Some(object.clone()));
        object
    }

    /// Removes an object, and returns it as it was, under the version of its removal.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Json>> {
        let old = self.get(key)?;
        let revision = self.next();
        self.events.push(Event { revision, key: key.clone(), old: Some(old.clone()), new: None });
        self.changed.insert(key.clone(), None);
        let mut last = (*old).clone();
        set(&mut last, &["metadata", "resourceVersion"], revision.to_string());
        Some(Arc::new(last))
    }

    /// Lets a controller change an object; nothing is stored if it changes nothing. The controller owns what it changed.
    pub(crate) fn control(&mut self, key: &Key, manager: &str, subresource: &str, change: impl FnOnce(&mut Json)) {
        let Some(old) = self.get(key) else { return };
        let Some(resource) = self.resource_of(key, &old) else { return };
        let mut object = (*old).clone();
        change(&mut object);
        if object == *old {
            return;
        }
        let api_version = resource.api_version();
        let mut owners = Owners::of(&old);
        let now = self.now.clone();
        owners.updated(&old, &object, Shape::of(&resource), Writer { manager, api_version: &api_version, subresource, now: &now });
        owners.write(&mut object);
        self.put(key, object);
    }

    /// What it did so far, by position.
    pub(crate) fn event(&self, at: usize) -> Option<Event> {
        self.events.get(at).cloned()
    }

    pub(super) fn changed_facts(&mut self) -> Option<Facts> {
        self.facts.take()
    }

    pub(super) fn finish(self) -> Vec<Event> {
        self.events
    }

    /// The revision so far.
    pub(crate) fn revision(&self) -> u64 {
        self.next() - 1
    }

    fn next(&self) -> u64 {
        self.world.revision() + self.events.len() as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_transaction_sees_what_it_wrote() {
        let world = World::new(Facts::example("c"));
        let mut transaction = Transaction::new(&world);
        let (a, b) = (Key::new("configmaps", "x", "a"), Key::new("configmaps", "y", "b"));
        transaction.put(&a, json!({ "apiVersion": "v1" }));
        transaction.put(&b, json!({ "apiVersion": "v1" }));
        assert_eq!(transaction.list("configmaps", None).len(), 2);
        assert_eq!(transaction.list("configmaps", Some("y")).len(), 1);
        let last = transaction.remove(&a).expect("removed");
        assert_eq!(last["metadata"]["resourceVersion"], json!("4"));
        assert!(transaction.get(&a).is_none() && transaction.remove(&a).is_none());
        assert_eq!(transaction.select(|_, _| true).len(), 1);
        let revisions: Vec<_> = transaction.finish().iter().map(|event| event.revision).collect();
        assert_eq!(revisions, [2, 3, 4]);
    }

    #[test]
    fn a_controller_owns_what_it_changes_and_stores_nothing_otherwise() {
        let world = World::new(Facts::example("c"));
        let mut transaction = Transaction::new(&world);
        let key = Key::new("configmaps", "x", "a");
        transaction.put(&key, json!({ "apiVersion": "v1", "metadata": { "name": "a" } }));
        transaction.control(&key, "controller", "", |_| {});
        transaction.control(&key, "controller", "", |object| set(object, &["data", "k"], "v"));
        assert!(transaction.event(1).is_some() && transaction.event(2).is_none());
        let object = transaction.get(&key).expect("there");
        assert_eq!(object["metadata"]["managedFields"][0]["manager"], json!("controller"));
    }
}
