//! Files on the disk: what is there, and writing whole files so that nobody ever meets half of one.

use crate::account::{group_id, own_user, user_id};
use engine::port::Failure;
use nix::unistd::{AccessFlags, eaccess};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// Bytes of a file that are read: one that is longer is never what was written.
const LONGEST: u64 = 16 << 20;

/// What becomes of a file that is there and was not written by the same record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Previous {
    /// There is none: one is somebody else's.
    Foreign,
    /// It is kept beside, as [`backup`] calls it, and put back when the file goes.
    Kept,
    /// The same, unless it says what is to be written: then it was written before the same record was cut short.
    KeptIfOther,
    /// It is an earlier content of ours.
    Ours,
}

/// A file as it is to be.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Writing {
    /// Where; absolute.
    pub(crate) path: PathBuf,
    /// The whole content.
    pub(crate) text: String,
    /// The permission bits.
    pub(crate) mode: u32,
    /// The owner's name or number; without it whoever writes.
    pub(crate) owner: Option<String>,
    /// The group's name or number.
    pub(crate) group: Option<String>,
    /// What becomes of what is there.
    pub(crate) previous: Previous,
}

/// A file that is to go.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Removal {
    /// Where; absolute.
    pub(crate) path: PathBuf,
    /// What is put in its place, if it is there still.
    pub(crate) backup: Option<PathBuf>,
    /// Directories above it go with it once they are empty, as far as they lie below this one.
    pub(crate) within: Option<PathBuf>,
}

/// What stands at a path.
pub(crate) enum There {
    /// Nothing.
    Nothing,
    /// A regular file: its text, which is nothing that was written if it is no UTF-8 or too long, and what the kernel tells of it.
    File(String, Metadata),
    /// Something else, as words such as `a directory`.
    Other(String),
}

/// What stands at a path. A symbolic link is not followed.
///
/// Errors: why that cannot be told.
pub(crate) fn look(path: &Path) -> io::Result<There> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(There::Nothing),
        Err(error) => return Err(error),
    };
    if metadata.is_symlink() {
        let target = fs::read_link(path)?;
        return Ok(There::Other(format!("a symbolic link to `{}`", target.display())));
    }
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "no regular file" };
        return Ok(There::Other(what.to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(There::File(String::from_utf8_lossy(&bytes).into_owned(), metadata))
}

/// Where what stood at a path before is kept.
pub(crate) fn backup(path: &Path) -> PathBuf {
    beside(path, "before-meshplan")
}

/// A hidden name beside a file: programs that read whole directories pass over it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// The directories above a path that are missing, the outermost first.
fn missing_directories(path: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = path.ancestors().skip(1).take_while(|above| !above.exists()).map(Path::to_owned).collect();
    missing.retain(|directory| !directory.as_os_str().is_empty());
    missing.reverse();
    missing
}

/// Why this process may not write a file, as a fragment; nothing if it may.
pub(crate) fn unwritable(path: &Path, owner: Option<&str>) -> Option<String> {
    let above = path.ancestors().skip(1).find(|above| above.exists())?;
    if eaccess(above, AccessFlags::W_OK | AccessFlags::X_OK).is_err() {
        return Some(format!("`{}` is not writable for the user `{}`", above.display(), crate::account::user_name(own_user())));
    }
    let id = owner.and_then(|owner| user_id(owner).ok()).filter(|id| own_user() != 0 && *id != own_user())?;
    Some(format!("only root gives a file to the user `{}`", crate::account::user_name(id)))
}

/// What a foreign file is told with.
pub(crate) fn not_ours(path: &Path) -> String {
    format!("`{}` is there already, and was not written by this resource", path.display())
}

/// Writes a file: it is replaced as a whole, durably, or stays as it is. Done again it finds its work done, also where it was cut short.
///
/// Errors: something that is not ours stands there; an account is unknown; the disk says no. None quotes the content.
pub(crate) fn write(writing: &Writing) -> Result<(), Failure> {
    let path = &writing.path;
    let failed = |error: io::Error| not_written(path, &error);
    for directory in missing_directories(path) {
        match fs::create_dir(&directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
    }
    match look(path).map_err(failed)? {
        There::Other(what) => return Err(Failure::new("not a file", format!("`{}` is {what}", path.display()))),
        There::File(text, metadata) => match (writing.previous, text == writing.text) {
            (Previous::Foreign, false) => return Err(Failure::new("exists, not ours", not_ours(path))),
            (Previous::Kept, true) if backup(path).exists() => {}
            (Previous::Kept, _) | (Previous::KeptIfOther, false) => keep(path, &metadata)?,
            (Previous::Foreign | Previous::KeptIfOther, true) | (Previous::Ours, _) => {}
        },
        There::Nothing => {}
    }
    put(writing).map_err(failed)
}

/// Keeps what stands at a path, with all that it is, under a name beside it.
fn keep(path: &Path, there: &Metadata) -> Result<(), Failure> {
    let backup = backup(path);
    match fs::hard_link(path, &backup) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            // What was cut short before the new file took its place has kept it already.
            let same = fs::symlink_metadata(&backup).is_ok_and(|kept| kept.ino() == there.ino() && kept.dev() == there.dev());
            let detail = format!(
                "`{}` is to be kept as `{}`, where an earlier one is kept; put one of the two back or remove it",
                path.display(),
                backup.display()
            );
            if same { Ok(()) } else { Err(Failure::new("previous file in the way", detail)) }
        }
        Err(error) => Err(not_written(path, &error)),
    }
}

fn put(writing: &Writing) -> io::Result<()> {
    let path = &writing.path;
    let unknown = |why: String| io::Error::new(ErrorKind::NotFound, why);
    let owner = writing.owner.as_deref().map(user_id).transpose().map_err(unknown)?;
    let group = writing.group.as_deref().map(group_id).transpose().map_err(unknown)?;
    let fresh = beside(path, "new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).and_then(|mut file| {
        file.write_all(writing.text.as_bytes())?;
        if owner.is_some() || group.is_some() {
            fchown(&file, owner, group)?;
        }
        file.set_permissions(Permissions::from_mode(writing.mode))?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&fresh, path)) {
        // What is left of the attempt is of no use.
        drop(fs::remove_file(&fresh));
        return Err(error);
    }
    synced(path)
}

/// Writes a file that others write as well: with the permissions and the owner of what is there, or, where it is bound to its place by
/// itself as container engines do, into it. Nothing to say is no file.
///
/// Errors: the disk says no.
pub(crate) fn rewrite(path: &Path, text: &str, there: Option<&Metadata>) -> Result<(), Failure> {
    let writing = Writing {
        path: path.to_owned(),
        text: text.to_owned(),
        mode: there.map_or(0o644, |there| there.permissions().mode() & 0o7777),
        owner: there.map(|there| there.uid().to_string()),
        group: there.map(|there| there.gid().to_string()),
        previous: Previous::Ours,
    };
    let written = if text.is_empty() { fs::remove_file(path) } else { put(&writing) };
    let written = match written {
        Err(error) if error.kind() == ErrorKind::ResourceBusy => overwrite(path, text),
        other => other,
    };
    written.map_err(|error| not_written(path, &error))
}

fn overwrite(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes what was done in the directory of a path durable.
fn synced(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// Takes a file away, or puts back what was there before it.
///
/// Errors: something else stands there by now; the disk says no.
pub(crate) fn remove(removal: &Removal) -> Result<(), Failure> {
    let path = &removal.path;
    let failed = |error: io::Error| not_written(path, &error);
    if let There::Other(what) = look_aside(path).map_err(failed)? {
        return Err(Failure::new("not a file", format!("`{}` is {what}", path.display())));
    }
    drop(fs::remove_file(beside(path, "new")));
    let removed = match &removal.backup {
        // A backup that is gone was put back, by this removal before it was cut short or by somebody.
        Some(backup) => fs::rename(backup, path),
        None => fs::remove_file(path),
    };
    match removed {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Err(failed(error)),
        Err(_) => {}
        Ok(()) => synced(path).map_err(failed)?,
    }
    for directory in path.ancestors().skip(1).skip_while(|above| !above.exists()) {
        // What holds something else stays, with all above it.
        if !removal.within.as_ref().is_some_and(|within| is_below(directory, within)) || fs::remove_dir(directory).is_err() {
            break;
        }
    }
    Ok(())
}

/// Whether a removal that goes up to a directory has an empty one left to take away, the file itself being gone.
pub(crate) fn is_left_empty(path: &Path, within: &Path) -> bool {
    let nearest = path.ancestors().skip(1).find(|above| above.exists());
    let is_empty = |directory: &Path| fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
    nearest.is_some_and(|directory| is_below(directory, within) && is_empty(directory))
}

fn is_below(directory: &Path, within: &Path) -> bool {
    directory != within && directory.starts_with(within)
}

/// What stands at a path, whoever may read it.
fn look_aside(path: &Path) -> io::Result<There> {
    match look(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(There::Nothing),
        other => other,
    }
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    if matches!(error.kind(), ErrorKind::PermissionDenied) {
        let detail = format!("`{}` cannot be written by the user `{}`: {error}", path.display(), crate::account::user_name(own_user()));
        return Failure::new("missing rights", detail);
    }
    Failure::new("file not written", format!("`{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writing(path: &Path, text: &str, previous: Previous) -> Writing {
        Writing { path: path.to_owned(), text: text.to_owned(), mode: 0o640, owner: None, group: None, previous }
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn removal(path: &Path, backup: Option<PathBuf>) -> Removal {
        Removal { path: path.to_owned(), backup, within: None }
    }

    #[test]
    fn what_was_there_is_kept_with_all_that_it_is_and_put_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.conf");
        fs::write(&path, "before\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
        let inode = fs::metadata(&path).unwrap().ino();
        let wanted = writing(&path, "after\n", Previous::Kept);
        // Cut short after the first half, and then done again.
        keep(&path, &fs::metadata(&path).unwrap()).unwrap();
        for _ in 0..2 {
            write(&wanted).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "after\n");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
            assert_eq!(names(directory.path()), [".a.conf.before-meshplan", "a.conf"]);
        }
        write(&writing(&path, "later\n", Previous::Ours)).unwrap();
        for _ in 0..2 {
            remove(&removal(&path, Some(backup(&path)))).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "before\n");
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!((metadata.ino(), metadata.permissions().mode() & 0o7777), (inode, 0o604));
            assert_eq!(names(directory.path()), ["a.conf"]);
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.conf");
        fs::write(&path, "theirs\n").unwrap();
        let failure = write(&writing(&path, "ours\n", Previous::Foreign)).unwrap_err();
        assert_eq!(failure.summary, "exists, not ours");
        fs::write(backup(&path), "older\n").unwrap();
        let failure = write(&writing(&path, "ours\n", Previous::Kept)).unwrap_err();
        assert_eq!(failure.summary, "previous file in the way");
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\n");
        fs::remove_file(backup(&path)).unwrap();
        // One that says the same is as good as ours.
        write(&writing(&path, "theirs\n", Previous::Foreign)).unwrap();
        assert_eq!(names(directory.path()), ["a.conf"]);
    }

    #[test]
    fn links_and_directories_are_neither_written_through_nor_removed() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("target"), directory.path().join("link"));
        fs::write(&target, "theirs\n").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        for (path, expected) in [(&link, "is a symbolic link to"), (&directory.path().to_owned(), "is a directory")] {
            for failure in [write(&writing(path, "x", Previous::Ours)), remove(&removal(path, None))].map(Result::unwrap_err) {
                assert_eq!(failure.summary, "not a file");
                assert!(failure.detail.contains(expected), "{}", failure.detail);
            }
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs\n");
        // A link that somebody puts where the new file is prepared leads nowhere.
        std::os::unix::fs::symlink(&target, directory.path().join(".a.new")).unwrap();
        write(&writing(&directory.path().join("a"), "x", Previous::Foreign)).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs\n");
    }

    #[test]
    fn directories_come_and_go_with_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/c.conf");
        write(&writing(&path, "x", Previous::Foreign)).unwrap();
        fs::write(directory.path().join("a/theirs"), "").unwrap();
        let gone = Removal { path: path.clone(), backup: None, within: Some(directory.path().to_owned()) };
        remove(&gone).unwrap();
        assert_eq!(names(&directory.path().join("a")), ["theirs"]);
        assert!(!is_left_empty(&path, directory.path()));
        fs::remove_file(directory.path().join("a/theirs")).unwrap();
        // Wherever a removal is cut short, the next goes on from there.
        for left in ["a", "a/b"] {
            fs::create_dir_all(directory.path().join(left)).unwrap();
            assert!(is_left_empty(&path, directory.path()), "{left}");
            remove(&gone).unwrap();
            assert_eq!(names(directory.path()), Vec::<String>::new());
            assert!(!is_left_empty(&path, directory.path()), "{left}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_told_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let stranger = Writing { owner: Some("no-such-user".to_owned()), ..writing(&path, "secret", Previous::Foreign) };
        let failure = write(&stranger).unwrap_err();
        assert_eq!((&*failure.summary, failure.detail.contains("no user `no-such-user`")), ("file not written", true));
        fs::write(&path, "x").unwrap();
        let below = path.join("b");
        let failure = write(&writing(&below, "secret", Previous::Foreign)).unwrap_err();
        assert!(failure.summary == "file not written" && !failure.detail.contains("secret"), "{}", failure.detail);
        assert_eq!(names(directory.path()), ["a"]);
        assert!(not_written(&path, &ErrorKind::PermissionDenied.into()).summary == "missing rights");
    }
}
