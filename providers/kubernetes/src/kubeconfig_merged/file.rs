//! A kubeconfig on disk that other programs write as well.

use super::entries::{fresh, is_empty};
use super::layout::rewritten;
use crate::document::{parse, rendered};
use crate::object_kind::Json;
use engine::port::Failure;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a lock of somebody else is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a file holds; nothing if there is none.
///
/// Errors: a fragment that quotes nothing of it.
pub(super) fn read(path: &Path) -> Result<Option<Json>, String> {
    text_of(path)?.as_deref().map(parse).transpose()
}

fn text_of(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// Changes a file under its lock. It is replaced as a whole, for its owner's eyes alone, or removed when nothing is left in it; what others wrote
/// stays as it is written. Without a change it is only closed to others.
///
/// Errors: those of `change`; the file cannot be read, locked or written.
pub(super) fn change(path: &Path, change: impl FnOnce(&mut Json) -> Result<(), Failure>) -> Result<(), Failure> {
    let broken = |why: String| Failure::new("kubeconfig not usable", format!("`{}` {why}", path.display()));
    let failed = |error: io::Error| broken(format!("cannot be written: {error}"));
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let locked = |path: &Path| Lock::take(path, PATIENCE).map_err(|why| Failure::new("kubeconfig locked", why));
    let _lock = locked(path)?;
    // A link stays one: what it leads to is replaced, and may be written by that name as well.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let is_link = fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink()) && target != *path;
    let _lock_of_target = if is_link { Some(locked(&target)?) } else { None };
    let text = text_of(&target).map_err(broken)?;
    let was = text.as_deref().map_or_else(|| Ok(fresh()), parse).map_err(broken)?;
    let mut config = was.clone();
    change(&mut config)?;
    match text {
        None if is_empty(&config) => Ok(()),
        None => rendered("", &config).map_err(broken).and_then(|text| write(&target, &text).map_err(failed)),
        Some(_) if config == was => close(&target).map_err(failed),
        Some(text) => {
            let text = rewritten(&text, &was, &config).map_err(broken)?;
            let is_noted = text.lines().any(|line| line.trim_start().starts_with('#'));
            let ended = if is_empty(&config) && !is_noted { fs::remove_file(&target) } else { write(&target, &text) };
            ended.map_err(failed)
        }
    }
}

/// Takes from a file what others than its owner may do with it.
fn close(path: &Path) -> io::Result<()> {
    let is_open = fs::metadata(path)?.permissions().mode().trailing_zeros() < 6;
    if is_open { fs::set_permissions(path, fs::Permissions::from_mode(0o600)) } else { Ok(()) }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let fresh = beside(path, &format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    let result = written.and_then(|()| fs::rename(&fresh, path));
    if result.is_err() {
        // What is left of the attempt is of no use.
        drop(fs::remove_file(&fresh));
    }
    result
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// The lock file that kubectl and kind take as well: it is there while somebody writes.
struct Lock {
    path: PathBuf,
}

impl Lock {
    fn take(of: &Path, patience: Duration) -> Result<Self, String> {
        let path = beside(of, "lock");
        let deadline = Instant::now() + patience;
        loop {
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(_) => return Ok(Self { path }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && Instant::now() < deadline => sleep(Duration::from_millis(20)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(format!(
                        "`{}` has been there for {} s: remove it if no program runs that made it",
                        path.display(),
                        patience.as_secs()
                    ));
                }
                Err(error) => return Err(format!("`{}` cannot be made: {error}", path.display())),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // One that stays is told to the next who waits for it.
        drop(fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(config: &mut Json, name: &str) {
        let mut list = config["contexts"].as_array().cloned().unwrap_or_default();
        list.push(serde_json::json!({ "name": name, "context": {} }));
        config["contexts"] = list.into();
    }

    #[test]
    fn writers_wait_for_each_other_and_nobody_else_may_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made").join("config");
        std::thread::scope(|scope| {
            for number in 0..16 {
                let path = &path;
                scope.spawn(move || {
                    change(path, |config| {
                        context(config, &number.to_string());
                        Ok(())
                    })
                    .map_err(|failure| failure.detail)
                    .unwrap();
                });
            }
        });
        assert_eq!(read(&path).unwrap().unwrap()["contexts"].as_array().unwrap().len(), 16);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["config"]);
    }

    #[test]
    fn an_open_file_is_closed_a_link_stays_and_an_empty_one_goes() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("target"), directory.path().join("link"));
        fs::write(&target, "apiVersion: v1\n").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        change(&link, |config| {
            context(config, "a");
            Ok(())
        })
        .ok()
        .unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
        change(&link, |_| Ok(())).ok().unwrap();
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        change(&link, |config| {
            *config = fresh();
            Ok(())
        })
        .ok()
        .unwrap();
        assert!(!target.exists());
    }

    #[test]
    fn a_lock_of_somebody_else_is_waited_for_and_then_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let theirs = Lock::take(&path, Duration::ZERO).unwrap();
        let long = directory.path().join("c".repeat(253));
        let failure = change(&long, |_| Ok(())).err().unwrap();
        assert_eq!(failure.summary, "kubeconfig locked", "{}", failure.detail);
        let why = Lock::take(&path, Duration::from_millis(30)).err().unwrap();
        assert!(why.contains("config.lock` has been there for 0 s"), "{why}");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                change(&path, |config| {
                    context(config, "a");
                    Ok(())
                })
                .is_ok()
            });
            sleep(Duration::from_millis(60));
            assert!(!path.exists());
            drop(theirs);
            assert!(waiting.join().unwrap() && path.exists());
        });
    }

    #[test]
    fn a_file_that_is_no_kubeconfig_is_not_touched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        fs::write(&path, "token: [secret\n").unwrap();
        let failure = change(&path, |_| Ok(())).err().unwrap();
        assert!(failure.detail.contains("is no YAML") && !failure.detail.contains("secret"), "{}", failure.detail);
        assert_eq!(fs::read_to_string(&path).unwrap(), "token: [secret\n");
        assert!(!beside(&path, "lock").exists());
    }
}
