//! Where revisions are kept. What stands in them is the history's business, and their shape that of `format`.

use crate::error::Error;
use crate::paths::{open_private, remove_if_there, sync_directory};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How the name of a revision's file ends.
const ENDING: &str = ".json.gz";

/// A place that keeps the revisions of one history, each by its number: written once, whole or not at all, and never changed.
pub trait Revisions: fmt::Debug + Send + Sync {
    /// How messages name all of them.
    fn place(&self) -> PathBuf;

    /// How messages name one.
    fn name(&self, number: u64) -> PathBuf;

    /// The numbers of all that are kept.
    fn numbers(&self) -> Result<BTreeSet<u64>, Error>;

    /// What one holds, if it is kept.
    fn read(&self, number: u64) -> Result<Option<Vec<u8>>, Error>;

    /// What each holds, at least as much of it as one object can, in the order of their numbers.
    fn each(&self, see: &mut dyn FnMut(u64, Result<Vec<u8>, Error>)) -> Result<(), Error>;

    /// Keeps one, durably; false if there is one of that number.
    fn create(&self, number: u64, text: &[u8]) -> Result<bool, Error>;

    /// Removes some. One that is not there is no error.
    fn remove(&self, numbers: &[u64]) -> Result<(), Error>;
}

/// Revisions in files of a directory.
#[derive(Debug)]
pub(crate) struct RevisionFiles(pub(crate) PathBuf);

impl RevisionFiles {
    fn write(&self, number: u64, text: &[u8]) -> io::Result<()> {
        let staged = self.0.join(format!("{number}{ENDING}.new"));
        remove_if_there(&staged)?;
        let mut file = open_private(OpenOptions::new().write(true).create_new(true), &staged)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&staged, self.name(number))?;
        sync_directory(&self.0)
    }
}

impl Revisions for RevisionFiles {
    fn place(&self) -> PathBuf {
        self.0.clone()
    }

    fn name(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number}{ENDING}"))
    }

    fn numbers(&self) -> Result<BTreeSet<u64>, Error> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => return Err(Error::io("read", &self.0)(error)),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.strip_suffix(ENDING)?.parse().ok()).collect())
    }

    fn read(&self, number: u64) -> Result<Option<Vec<u8>>, Error> {
        crate::file_store::read(&self.name(number))
    }

    fn each(&self, see: &mut dyn FnMut(u64, Result<Vec<u8>, Error>)) -> Result<(), Error> {
        for number in self.numbers()? {
            if let Some(read) = self.read(number).transpose() {
                see(number, read);
            }
        }
        Ok(())
    }

    fn create(&self, number: u64, text: &[u8]) -> Result<bool, Error> {
        let path: &Path = &self.name(number);
        fs::create_dir_all(&self.0).map_err(Error::io("make", &self.0))?;
        if path.exists() {
            return Ok(false);
        }
        self.write(number, text).map_err(Error::io("write", path))?;
        Ok(true)
    }

    fn remove(&self, numbers: &[u64]) -> Result<(), Error> {
        numbers.iter().try_for_each(|number| {
            let path = self.name(*number);
            remove_if_there(&path).map(|_| ()).map_err(Error::io("remove", &path))
        })
    }
}
