//! Revisions beside a state in a store of objects, so that all who share the state see the same.
//!
//! A revision is the object of its number. One that is too large for an object goes on in further ones, which are made before it: a
//! revision that is there is whole.

use super::objects::Reach;
use crate::error::Error;
use crate::format::parts_v1::{self, Parts};
use crate::revisions::Revisions;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What the names of revisions begin with.
pub(crate) const REVISIONS: &str = "revision-";
/// What the names of their further parts begin with.
pub(crate) const FURTHER: &str = "further-";

/// Revisions in a store of objects.
#[derive(Debug)]
pub(crate) struct RevisionObjects(pub(crate) Reach);

fn named(number: u64) -> String {
    format!("{REVISIONS}{number:012}")
}

/// The names of the further parts of a revision.
fn further(number: u64, Parts { id, further }: &Parts) -> impl Iterator<Item = String> {
    (1..=*further).map(move |part| format!("{FURTHER}{number:012}-{id}-{part}"))
}

/// The number of the revision that a further part belongs to.
fn revision_of(part: &str) -> Option<u64> {
    part.strip_prefix(FURTHER)?.split('-').next()?.parse().ok()
}

impl RevisionObjects {
    fn unreadable(&self, number: u64) -> impl FnOnce(crate::format::Unreadable) -> Error {
        let path = self.name(number);
        move |unreadable| Error::unreadable(&path, parts_v1::VERSION, crate::history::ADVICE.to_owned())(unreadable)
    }

    fn missing(&self, part: &str) -> Error {
        let (why, help) = ("it is part of a revision, and is not there".to_owned(), crate::history::ADVICE.to_owned());
        Error::Corrupt { path: self.0.0.name(part), line: 0, column: 0, why, help }
    }
}

impl Revisions for RevisionObjects {
    fn place(&self) -> PathBuf {
        self.0.0.name(REVISIONS.trim_end_matches('-'))
    }

    fn name(&self, number: u64) -> PathBuf {
        self.0.0.name(&named(number))
    }

    fn numbers(&self) -> Result<BTreeSet<u64>, Error> {
        let names = self.0.names(REVISIONS)?;
        Ok(names.iter().filter_map(|name| name.strip_prefix(REVISIONS)?.parse().ok()).collect())
    }

    fn read(&self, number: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(object) = self.0.get(&named(number))? else { return Ok(None) };
        let (parts, first) = parts_v1::read(&object.text).map_err(self.unreadable(number))?;
        let mut text = first.to_vec();
        for name in further(number, &parts) {
            match self.0.get(&name)? {
                Some(part) => text.extend(part.text),
                // Whoever removed it removed the revision first.
                None if self.0.get(&named(number))?.is_none() => return Ok(None),
                None => return Err(self.missing(&name)),
            }
        }
        Ok(Some(text))
    }

    fn each(&self, see: &mut dyn FnMut(u64, Result<Vec<u8>, Error>)) -> Result<(), Error> {
        for (name, text) in self.0.all(REVISIONS)? {
            if let Some(number) = name.strip_prefix(REVISIONS).and_then(|number| number.parse().ok()) {
                see(number, parts_v1::read(&text).map(|(_, first)| first.to_vec()).map_err(self.unreadable(number)));
            }
        }
        Ok(())
    }

    fn create(&self, number: u64, text: &[u8]) -> Result<bool, Error> {
        let largest = self.0.0.largest();
        let id = uuid::Uuid::new_v4().simple().to_string();
        let (first, rest) = text.split_at(largest.saturating_sub(parts_v1::LONGEST).min(text.len()));
        let parts = Parts { further: rest.len().div_ceil(largest), id };
        for (name, part) in further(number, &parts).zip(rest.chunks(largest)) {
            self.0.create(&name, part)?;
        }
        self.0.create(&named(number), &parts_v1::write(&parts, first))
    }

    fn remove(&self, numbers: &[u64]) -> Result<(), Error> {
        let Some(last) = numbers.iter().max() else { return Ok(()) };
        self.0.delete(&numbers.iter().map(|number| named(*number)).collect::<Vec<_>>())?;
        // Those of a write that did not end as well: its number was given to the next.
        let mut parts = self.0.names(FURTHER)?;
        parts.retain(|part| revision_of(part).is_some_and(|number| number <= *last));
        self.0.delete(&parts)
    }
}
