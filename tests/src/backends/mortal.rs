//! A store of objects as a process sees it that dies, or stands still, at a point of its requests.

use state::{Claim, Object, Objects, Refusal, Version};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// The request is never sent, nor any after it.
    Before,
    /// The request is carried out, its answer does not come, and no request follows.
    After,
    /// The request is not carried out; all others are.
    Refused,
    /// The request is carried out and its answer does not come; all others are answered.
    Unanswered,
}

/// Objects that are out of reach from one request on, or for one request.
#[derive(Debug)]
pub struct Mortal {
    inner: Arc<dyn Objects>,
    death: Death,
    at: usize,
    requests: AtomicUsize,
    asleep: AtomicBool,
}

impl Mortal {
    /// The objects, failing at the request of this number, from zero.
    pub fn new(inner: Arc<dyn Objects>, death: Death, at: usize) -> Self {
        Self { inner, death, at, requests: AtomicUsize::new(0), asleep: AtomicBool::new(false) }
    }

    /// The objects as they are, until they are put to sleep.
    pub fn immortal(inner: Arc<dyn Objects>) -> Self {
        Self::new(inner, Death::Refused, usize::MAX)
    }

    /// From now on no request gets through, or all do again: as if the process stood still and woke up.
    pub fn sleep(&self, asleep: bool) {
        self.asleep.store(asleep, Ordering::SeqCst);
    }

    /// How many requests were made.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn ask<T>(&self, request: impl FnOnce(&dyn Objects) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let failed = || Refusal::Failed(format!("request {number} failed"));
        let (is_dead, is_here) = (number > self.at, number == self.at);
        match self.death {
            _ if self.asleep.load(Ordering::SeqCst) => Err(failed()),
            Death::Before if is_dead || is_here => Err(failed()),
            Death::After if is_dead => Err(failed()),
            Death::Refused if is_here => Err(failed()),
            Death::After | Death::Unanswered if is_here => request(&*self.inner).and_then(|_| Err(failed())),
            _ => request(&*self.inner),
        }
    }
}

impl Objects for Mortal {
    fn name(&self, object: &str) -> PathBuf {
        self.inner.name(object)
    }

    fn largest(&self) -> usize {
        self.inner.largest()
    }

    fn get(&self, object: &str) -> Result<Option<Object>, Refusal> {
        self.ask(|objects| objects.get(object))
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, Refusal> {
        self.ask(|objects| objects.names(prefix))
    }

    fn all(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
        self.ask(|objects| objects.all(prefix))
    }

    fn create(&self, object: &str, text: &[u8]) -> Result<Version, Refusal> {
        self.ask(|objects| objects.create(object, text))
    }

    fn replace(&self, object: &str, text: &[u8], version: &Version) -> Result<Version, Refusal> {
        self.ask(|objects| objects.replace(object, text, version))
    }

    fn delete(&self, names: &[String]) -> Result<(), Refusal> {
        self.ask(|objects| objects.delete(names))
    }

    fn claim(&self) -> Result<Option<(Claim, Version)>, Refusal> {
        self.ask(|objects| objects.claim())
    }

    fn write_claim(&self, claim: &Claim, version: Option<&Version>) -> Result<Version, Refusal> {
        self.ask(|objects| objects.write_claim(claim, version))
    }
}
