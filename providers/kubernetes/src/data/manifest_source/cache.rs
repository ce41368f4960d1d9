//! Downloads that were verified once, each in a file named by its SHA-256.

use engine::value::hex;
use sha2::{Digest as _, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

/// The cache in one directory, which is made with the first file. Without a directory nothing is kept.
#[derive(Debug)]
pub(super) struct Cache {
    directory: Option<PathBuf>,
}

/// The SHA-256 of bytes, as 64 lower-case hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

impl Cache {
    /// The cache in a directory.
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self { directory }
    }

    /// The bytes with this digest. A file that somebody changed is not there.
    pub(super) fn get(&self, wanted: &str) -> Option<Vec<u8>> {
        fs::read(self.directory.as_ref()?.join(wanted)).ok().filter(|bytes| digest(bytes) == wanted)
    }

    /// Keeps bytes under their digest: wholly or not at all, for nobody else to read.
    pub(super) fn put(&self, digest: &str, bytes: &[u8]) -> io::Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let fresh = directory.join(format!("{digest}.{}", std::process::id()));
        let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let kept = written.and_then(|()| fs::rename(&fresh, directory.join(digest)));
        if kept.is_err() {
            drop(fs::remove_file(&fresh));
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn files_are_whole_private_and_checked() {
        let directory = tempfile::tempdir().expect("a directory");
        let downloads = directory.path().join("a/downloads");
        let cache = Cache::new(Some(downloads.clone()));
        let name = digest(b"hello");
        assert_eq!(name, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assert_eq!(cache.get(&name), None);
        cache.put(&name, b"hello").expect("a file");
        assert_eq!(cache.get(&name).as_deref(), Some(&b"hello"[..]));
        let mode = |path: PathBuf| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(downloads.clone()), mode(downloads.join(&name))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&downloads).expect("a directory").count(), 1);
        fs::write(downloads.join(&name), "evil").expect("a file");
        assert_eq!(cache.get(&name), None);
        cache.put(&name, b"hello").expect("a file");
        assert!(cache.get(&name).is_some());
    }

    #[test]
    fn a_directory_that_cannot_be_is_an_error_and_none_keeps_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("file"), "").expect("a file");
        assert!(Cache::new(Some(directory.path().join("file/within"))).put("x", b"").is_err());
        let none = Cache::new(None);
        none.put(&digest(b"hello"), b"hello").expect("nothing to do");
        assert_eq!(none.get(&digest(b"hello")), None);
    }
}
