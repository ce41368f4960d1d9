//! A cluster in memory: its objects, how often each was made, and what happened of late.

use super::Facts;
use crate::object::Json;
use crate::resource::{DEFINITIONS, Key, Resource, builtin, from_definition};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How many changes a watch can go back.
const REMEMBERED: usize = 8192;

/// One change of one object.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// The cluster's revision after it: the object's resource version.
    pub(crate) revision: u64,
    /// Which object.
    pub(crate) key: Key,
    /// What it was.
    pub(crate) old: Option<Arc<Json>>,
    /// What it is; nothing after a deletion.
    pub(crate) new: Option<Arc<Json>>,
}

/// How often an object of one name came and went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Count {
    /// How often it was made.
    pub(crate) created: u64,
    /// How often it was deleted.
    pub(crate) deleted: u64,
}

/// A cluster in memory.
pub(crate) struct World {
    facts: Facts,
    revision: u64,
    objects: BTreeMap<Key, Arc<Json>>,
    counts: BTreeMap<Key, Count>,
    history: VecDeque<Event>,
    /// Nothing at or before this revision can be watched any more.
    forgotten: u64,
}

impl World {
    /// A cluster without objects.
    pub(crate) fn new(facts: Facts) -> Self {
        Self { facts, revision: 1, objects: BTreeMap::new(), counts: BTreeMap::new(), history: VecDeque::new(), forgotten: 1 }
    }

    /// What it is apart from its objects.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn set_facts(&mut self, facts: Facts) {
        self.facts = facts;
    }

    /// The number of the last change.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// An object.
    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Json>> {
        self.objects.get(key)
    }

    /// The objects of a resource, in one namespace or all, in order of their keys.
    pub(crate) fn list<'a>(&'a self, resource: &'a str, namespace: Option<&'a str>) -> impl Iterator<Item = (&'a Key, &'a Arc<Json>)> {
        let first = Key::new(resource, namespace.unwrap_or(""), "");
        self.objects
            .range(first..)
            .take_while(move |(key, _)| &*key.resource == resource && namespace.is_none_or(|namespace| &*key.namespace == namespace))
    }

    /// Every object.
    pub(crate) fn objects(&self) -> &BTreeMap<Key, Arc<Json>> {
        &self.objects
    }

    /// How often each object was made and deleted.
    pub(crate) fn counts(&self) -> &BTreeMap<Key, Count> {
        &self.counts
    }

    /// The same as they were at a revision; nothing if that is forgotten.
    pub(crate) fn list_as_of(&self, resource: &str, namespace: Option<&str>, revision: u64) -> Option<BTreeMap<Key, Arc<Json>>> {
        let mut then: BTreeMap<_, _> = self.list(resource, namespace).map(|(key, object)| (key.clone(), object.clone())).collect();
        let since: Vec<_> = self.since(revision)?.collect();
        let about =
            |event: &&&Event| &*event.key.resource == resource && namespace.is_none_or(|namespace| &*event.key.namespace == namespace);
        for event in since.iter().rev().filter(about) {
            match &event.old {
                Some(old) => then.insert(event.key.clone(), old.clone()),
                None => then.remove(&event.key),
            };
        }
        Some(then)
    }

    /// A kind by what stands in URLs, built in or defined.
    pub(crate) fn resource(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        builtin(group, version, plural).or_else(|| {
            let definition = self.get(&Key::new(DEFINITIONS, "", &format!("{plural}.{group}")))?;
            from_definition(definition, version)
        })
    }

    /// What happened after a revision; nothing if that is forgotten.
    pub(crate) fn since(&self, revision: u64) -> Option<impl Iterator<Item = &Event>> {
        (revision >= self.forgotten).then(|| {
            let first = self.history.partition_point(|event| event.revision <= revision);
            self.history.iter().skip(first)
        })
    }

    /// The earliest revision after which every change is remembered.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Takes over what a transaction did.
    pub(crate) fn apply(&mut self, events: Vec<Event>) {
        for event in events {
            self.revision = self.revision.max(event.revision);
            let count = self.counts.entry(event.key.clone()).or_default();
            if let Some(new) = &event.new {
                count.created += u64::from(event.old.is_none());
                self.objects.insert(event.key.clone(), new.clone());
            } else {
                count.deleted += u64::from(event.old.is_some());
                self.objects.remove(&event.key);
            }
            self.history.push_back(event);
            if self.history.len() > REMEMBERED
                && let Some(first) = self.history.pop_front()
            {
                self.forgotten = first.revision;
            }
        }
    }

    /// Takes over counts and revision of a log that was written anew.
    pub(crate) fn resume(&mut self, revision: u64, counts: BTreeMap<Key, Count>) {
        self.revision = self.revision.max(revision);
        self.counts = counts;
        self.history.clear();
        self.forgotten = self.revision;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(world: &World, revision: u64, name: &str, new: Option<Json>) -> Event {
        let key = Key::new("configmaps", name.split('/').next().unwrap_or(""), name);
        Event { revision, old: world.get(&key).cloned(), key, new: new.map(Arc::new) }
    }

    #[test]
    fn changes_are_counted_listed_and_remembered() {
        let mut world = World::new(Facts::example("c"));
        for (revision, name, new) in [
            (2, "a/1", Some(json!(1))),
            (3, "b/1", Some(json!(2))),
            (4, "a/1", Some(json!(3))),
            (5, "b/1", None),
            (6, "b/1", Some(json!(4))),
        ] {
            let event = event(&world, revision, name, new);
            world.apply(vec![event]);
        }
        assert_eq!(world.list("configmaps", None).count(), 2);
        assert_eq!(world.list("configmaps", Some("a")).map(|(_, object)| (**object).clone()).collect::<Vec<_>>(), [json!(3)]);
        assert_eq!(world.list("config", None).count(), 0);
        assert_eq!(world.counts()[&Key::new("configmaps", "b", "b/1")], Count { created: 2, deleted: 1 });
        let since: Vec<_> = world.since(4).expect("remembered").map(|event| event.revision).collect();
        assert_eq!((since, world.revision()), (vec![5, 6], 6));
        assert!(world.since(0).is_none());
    }

    #[test]
    fn old_changes_are_forgotten() {
        let mut world = World::new(Facts::example("c"));
        for revision in 2..(REMEMBERED as u64 + 12) {
            let event = event(&world, revision, "a/1", Some(json!(revision)));
            world.apply(vec![event]);
        }
        assert!(world.since(2).is_none() && world.since(11).is_some());
    }
}
