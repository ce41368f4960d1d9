//! The files of one state, all beside each other.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Where the files of one state are.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// `meshplan.state.json`.
    pub(crate) state: PathBuf,
    /// `meshplan.state.json.backup`: the state before the last write.
    pub(crate) backup: PathBuf,
    /// `meshplan.state.json.backup.new`: becomes the backup.
    pub(crate) backup_staged: PathBuf,
    /// `meshplan.state.json.new`: becomes the state.
    pub(crate) staged: PathBuf,
    /// `meshplan.state.journal`.
    pub(crate) journal: PathBuf,
    /// `meshplan.state.lock`.
    pub(crate) lock: PathBuf,
}

impl Paths {
    /// The files beside a state file. A link is followed, so that all who use one state find one lock.
    pub(crate) fn of(state: &Path) -> Self {
        let linked = std::fs::symlink_metadata(state).is_ok_and(|metadata| metadata.is_symlink());
        let state = if linked { std::fs::canonicalize(state).ok() } else { None }.unwrap_or_else(|| state.to_owned());
        let stem = if state.extension().is_some_and(|extension| extension == "json") { state.with_extension("") } else { state.clone() };
        Self {
            backup: with(&state, ".backup"),
            backup_staged: with(&state, ".backup.new"),
            staged: with(&state, ".new"),
            journal: with(&stem, ".journal"),
            lock: with(&stem, ".lock"),
            state,
        }
    }

    /// The directory that they are in.
    pub(crate) fn directory(&self) -> &Path {
        match self.state.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Opens a file that only its owner may read, if it is to be made.
pub(crate) fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes a file readable by its owner alone.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    let _ = path;
    Ok(())
}

/// Removes a file that may not be there; whether it was.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes renames and new names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_state_stand_beside_it() {
        for (state, journal, lock, backup) in [
            ("d/meshplan.state.json", "d/meshplan.state.journal", "d/meshplan.state.lock", "d/meshplan.state.json.backup"),
            ("prod", "prod.journal", "prod.lock", "prod.backup"),
            ("a.lock", "a.lock.journal", "a.lock.lock", "a.lock.backup"),
        ] {
            let paths = Paths::of(Path::new(state));
            assert_eq!(paths.journal, Path::new(journal));
            assert_eq!(paths.lock, Path::new(lock));
            assert_eq!(paths.backup, Path::new(backup));
        }
        assert_eq!(Paths::of(Path::new("prod")).directory(), Path::new("."));
        assert_eq!(Paths::of(Path::new("d/prod")).directory(), Path::new("d"));
    }
}
