//! One `kind` at a time for each cluster. Who kills meshplan does not end the `kind` that it runs, which would go on making or removing
//! containers between those of the next run: the lock is held by whoever is left of the two.

use crate::clock::Deadline;
use crate::kubeconfig;
use engine::port::Activity;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A lock that is held. It is handed to each `kind` that runs under it, and is free when all that have it have ended.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock in this file once nobody has it; nothing if that was not so in time.
    pub(crate) async fn take(path: &Path, (deadline, activity): (Deadline, &Activity)) -> io::Result<Option<Self>> {
        kubeconfig::make_directory(path)?;
        loop {
            let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => return Ok(Some(Self { file, path: path.to_owned() })),
                // Whoever had it has removed the file since.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    activity.waits_for("the `kind` of an earlier run ends".to_owned());
                    if !deadline.pause().await {
                        return Ok(None);
                    }
                }
                // On such a file system nobody is told apart.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Some(Self { file, path: path.to_owned() }));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// The lock for a program that is about to run.
    pub(crate) fn shared(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Who waits for this file finds out that it is not there any more.
        fs::remove_file(&self.path).ok();
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let number = |found: io::Result<fs::Metadata>| found.map(|found| (found.dev(), found.ino())).ok();
    number(file.metadata()).is_some_and(|ours| number(fs::metadata(path)) == Some(ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    #[tokio::test]
    async fn a_program_that_outlives_its_run_keeps_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/c.running");
        let take = async |seconds| Lock::take(&path, (Deadline::after(seconds), &Activity::default())).await.unwrap();
        let lock = take(1).await.unwrap();
        assert!(take(0).await.is_none());
        let mut program = Command::new("sleep").arg("60").stdin(Stdio::null()).stdout(lock.shared().unwrap()).spawn().unwrap();
        // As when this process is killed: nobody removes the file.
        let left = path.with_extension("left");
        fs::hard_link(&path, &left).unwrap();
        drop(lock);
        fs::rename(&left, &path).unwrap();
        assert!(take(0).await.is_none(), "it is held by the program");
        let waiting = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            program.kill().unwrap();
            program.wait().unwrap();
        };
        let (taken, ()) = tokio::join!(take(30), waiting);
        drop(taken.unwrap());
        assert!(!path.exists(), "nothing is left");
    }
}
