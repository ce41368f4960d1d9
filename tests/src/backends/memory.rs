//! A store of objects in memory.

use state::{Object, Objects, Refusal, Version};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Objects of at most so many bytes, each write with a version of its own.
#[derive(Debug)]
pub struct Memory {
    objects: Mutex<BTreeMap<String, (Vec<u8>, u64)>>,
    versions: AtomicU64,
    largest: usize,
}

impl Memory {
    /// No objects yet.
    pub fn new(largest: usize) -> Self {
        Self { objects: Mutex::default(), versions: AtomicU64::new(1), largest }
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, (Vec<u8>, u64)>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, object: &str, text: &[u8], objects: &mut BTreeMap<String, (Vec<u8>, u64)>) -> Version {
        let version = self.versions.fetch_add(1, Ordering::SeqCst);
        objects.insert(object.to_owned(), (text.to_vec(), version));
        Version(version.to_string())
    }
}

impl Objects for Memory {
    fn name(&self, object: &str) -> PathBuf {
        PathBuf::from(format!("memory/{object}"))
    }

    fn largest(&self) -> usize {
        self.largest
    }

    fn get(&self, object: &str) -> Result<Option<Object>, Refusal> {
        let found = self.objects().get(object).cloned();
        Ok(found.map(|(text, version)| Object { text, version: Version(version.to_string()) }))
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, Refusal> {
        Ok(self.objects().keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    fn all(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
        let objects = self.objects();
        let found = objects.iter().filter(|(name, _)| name.starts_with(prefix));
        Ok(found.map(|(name, (text, _))| (name.clone(), text.clone())).collect())
    }

    fn create(&self, object: &str, text: &[u8]) -> Result<Version, Refusal> {
        let is_bounded = ["journal-", "state-", "revision-", "further-"].iter().any(|part| object.starts_with(part));
        assert!(!is_bounded || text.len() <= self.largest, "`{object}` has {} bytes", text.len());
        let mut objects = self.objects();
        if objects.contains_key(object) { Err(Refusal::Conflict) } else { Ok(self.put(object, text, &mut objects)) }
    }

    fn replace(&self, object: &str, text: &[u8], version: &Version) -> Result<Version, Refusal> {
        let mut objects = self.objects();
        let is_there = objects.get(object).is_some_and(|(_, there)| there.to_string() == version.0);
        if is_there { Ok(self.put(object, text, &mut objects)) } else { Err(Refusal::Conflict) }
    }

    fn delete(&self, names: &[String]) -> Result<(), Refusal> {
        let mut objects = self.objects();
        for name in names {
            objects.remove(name);
        }
        Ok(())
    }
}
