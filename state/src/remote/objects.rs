//! What a store of objects must be able to do.

use super::claim::Claim;
use crate::error::Error;
use crate::format::claim_v1;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// What the names of journal segments begin with.
pub(crate) const SEGMENTS: &str = "journal-";
/// What the names of parts of a state begin with.
pub(crate) const PARTS: &str = "state-";
/// The lock, where it is an object like others.
pub(crate) const LOCK: &str = "lock";

/// One version of an object: another after each write that changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// An object as it was read. Nothing shows its text: it may be secret.
pub struct Object {
    /// What it holds.
    pub text: Vec<u8>,
    /// Its version.
    pub version: Version,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The condition does not hold: the object is there already, is not there, or has another version.
    Conflict,
    /// The store did not do it, or it is not known whether it did: what was tried and why not, as a fragment without secrets.
    Failed(String),
}

/// A store of objects that replaces and creates under conditions, and in which who reads after a write sees it. All functions block
/// the calling thread, and are called from several.
///
/// Names are of letters, digits and dashes. A request may be repeated by whoever carries it out: the protocol looks whether a conflict
/// is with itself.
pub trait Objects: fmt::Debug + Send + Sync {
    /// How messages name an object.
    fn name(&self, object: &str) -> PathBuf;

    /// How many bytes an object can hold.
    fn largest(&self) -> usize;

    /// The object, if there is one of this name.
    fn get(&self, object: &str) -> Result<Option<Object>, Refusal>;

    /// The names that begin so, in any order.
    fn names(&self, prefix: &str) -> Result<Vec<String>, Refusal>;

    /// The texts of all objects whose names begin so.
    fn all(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, Refusal>;

    /// Makes an object that is not there yet, durably.
    fn create(&self, object: &str, text: &[u8]) -> Result<Version, Refusal>;

    /// Replaces this version of an object, durably.
    fn replace(&self, object: &str, text: &[u8], version: &Version) -> Result<Version, Refusal>;

    /// Deletes objects; one that is not there is no error.
    fn delete(&self, objects: &[String]) -> Result<(), Refusal>;

    /// The lock, if it was ever taken. A text that is none counts as none: the head keeps the number.
    fn claim(&self) -> Result<Option<(Claim, Version)>, Refusal> {
        let found = self.get(LOCK)?;
        Ok(found.map(|object| (claim_v1::read(&object.text).unwrap_or_default(), object.version)))
    }

    /// Writes the lock: makes it, or replaces this version of it.
    fn write_claim(&self, claim: &Claim, version: Option<&Version>) -> Result<Version, Refusal> {
        let text = claim_v1::write(claim);
        match version {
            Some(version) => self.replace(LOCK, &text, version),
            None => self.create(LOCK, &text),
        }
    }
}

/// The objects, with errors that name them and writes that know themselves again.
#[derive(Debug, Clone)]
pub(crate) struct Reach(pub(crate) Arc<dyn Objects>);

impl Reach {
    fn error(&self, object: &str, refusal: Refusal) -> Error {
        let why = match refusal {
            Refusal::Conflict => "somebody else wrote it".to_owned(),
            Refusal::Failed(why) => why,
        };
        Error::Unreachable { path: self.0.name(object), why }
    }

    pub(crate) fn get(&self, object: &str) -> Result<Option<Object>, Error> {
        self.0.get(object).map_err(|refusal| self.error(object, refusal))
    }

    pub(crate) fn names(&self, prefix: &str) -> Result<Vec<String>, Error> {
        self.0.names(prefix).map_err(|refusal| self.error(prefix.trim_end_matches('-'), refusal))
    }

    pub(crate) fn all(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        self.0.all(prefix).map_err(|refusal| self.error(prefix.trim_end_matches('-'), refusal))
    }

    /// Whether the object was made; false if one of another text is there.
    pub(crate) fn create(&self, object: &str, text: &[u8]) -> Result<bool, Error> {
        match self.0.create(object, text) {
            Ok(_) => Ok(true),
            Err(Refusal::Conflict) => Ok(self.get(object)?.is_some_and(|there| there.text == text)),
            Err(refusal) => Err(self.error(object, refusal)),
        }
    }

    /// Makes an object, or replaces a version of it; nothing if somebody else did.
    pub(crate) fn write(&self, object: &str, text: &[u8], version: Option<&Version>) -> Result<Option<Version>, Error> {
        let written = match version {
            Some(version) => self.0.replace(object, text, version),
            None => self.0.create(object, text),
        };
        match written {
            Ok(version) => Ok(Some(version)),
            Err(Refusal::Conflict) => Ok(self.get(object)?.filter(|there| there.text == text).map(|there| there.version)),
            Err(refusal) => Err(self.error(object, refusal)),
        }
    }

    pub(crate) fn delete(&self, objects: &[String]) -> Result<(), Error> {
        let Some(first) = objects.first() else { return Ok(()) };
        self.0.delete(objects).map_err(|refusal| self.error(first, refusal))
    }

    /// Deletes what counts no more. What is left over the next one deletes.
    pub(crate) fn clear(&self, objects: &[String]) {
        if !objects.is_empty() {
            self.0.delete(objects).ok();
        }
    }

    pub(crate) fn claim(&self) -> Result<Option<(Claim, Version)>, Error> {
        self.0.claim().map_err(|refusal| self.error(LOCK, refusal))
    }

    /// Writes the lock; nothing if somebody else did.
    pub(crate) fn write_claim(&self, claim: &Claim, version: Option<&Version>) -> Result<Option<Version>, Error> {
        match self.0.write_claim(claim, version) {
            Ok(version) => Ok(Some(version)),
            Err(Refusal::Conflict) => Ok(self.claim()?.filter(|(there, _)| there == claim).map(|(_, version)| version)),
            Err(refusal) => Err(self.error(LOCK, refusal)),
        }
    }
}
