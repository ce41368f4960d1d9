//! What is done to the machine.

use crate::elevation::Elevation;
use crate::file::disk::{self, Removal, Writing};
use crate::resolver::{self, ServedNames};
use crate::vip::assignment::{self, Assignment, Claim};
use engine::port::Failure;
use serde::{Deserialize, Serialize};
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::Command;
use tokio::task::spawn_blocking;

/// Answer of `systemctl` to the end of what is gone already.
const NO_UNIT: &str = "does not exist";

/// One change of this machine, complete in itself. Done again it finds its work done.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// A file gets a content.
    Write(Writing),
    /// A file goes, and what was there before comes back.
    Remove(Removal),
    /// An interface gets an address.
    Assign(Assignment, Claim),
    /// An interface loses an address.
    Withdraw(Assignment),
    /// A unit of systemd is started with the machine from now on.
    Enable(String),
    /// A unit of systemd is not started with the machine any more.
    Disable(String),
    /// A unit of systemd reads its configuration anew.
    Reload(String),
    /// Programs ask these name servers first, or nobody of that name any more.
    Resolve {
        /// What tells them from others.
        name: String,
        /// The servers.
        served: Option<ServedNames>,
    },
}

/// Whoever does what is to be done.
#[derive(Debug, Clone, Default)]
pub(crate) enum Hands {
    /// This process, with the rights it has.
    #[default]
    Own,
    /// Another one, with the rights of root.
    Elevated(Arc<Elevation>),
}

impl Hands {
    /// Does all of it, in this order; what follows a failure is left undone.
    pub(crate) async fn perform(&self, effects: Vec<Effect>) -> Result<(), Failure> {
        match self {
            Self::Own => perform_all(effects).await,
            Self::Elevated(elevation) => elevation.perform(effects).await,
        }
    }

    /// Why what is to be done cannot be, as a fragment, given whether this process may.
    pub(crate) async fn lacking(&self, own: Result<(), String>) -> Option<String> {
        match self {
            Self::Own => own.err(),
            Self::Elevated(elevation) => elevation.lacking().await,
        }
    }
}

/// Does all of it with the rights of this process, in this order; what follows a failure is left undone.
pub(crate) async fn perform_all(effects: Vec<Effect>) -> Result<(), Failure> {
    for effect in effects {
        perform(effect).await?;
    }
    Ok(())
}

async fn perform(effect: Effect) -> Result<(), Failure> {
    match effect {
        Effect::Write(writing) => on_disk(move || disk::write(&writing)).await,
        Effect::Remove(removal) => on_disk(move || disk::remove(&removal)).await,
        Effect::Assign(wanted, claim) => assignment::assign(&wanted, claim).await,
        Effect::Withdraw(known) => assignment::withdraw(&known).await,
        Effect::Enable(unit) => systemctl(&["enable", "--quiet", &unit]).await,
        Effect::Disable(unit) => match systemctl(&["disable", "--quiet", &unit]).await {
            Err(failure) if failure.detail.contains(NO_UNIT) => Ok(()),
            ended => ended,
        },
        Effect::Reload(unit) => systemctl(&["reload-or-restart", &unit]).await,
        Effect::Resolve { name, served } => on_disk(move || resolver::edit(&name, served.as_ref())).await,
    }
}

async fn on_disk(change: impl FnOnce() -> Result<(), Failure> + Send + 'static) -> Result<(), Failure> {
    spawn_blocking(change).await.unwrap_or_else(|_| Err(Failure::new("file not written", "writing it was cut short")))
}

/// Asks systemd for something, or what it would find when it starts.
async fn systemctl(arguments: &[&str]) -> Result<(), Failure> {
    let failed = |why: &str| Failure::new("systemd refuses", format!("`systemctl {}`: {why}", arguments.join(" ")));
    let mut command = Command::new("systemctl");
    let ended = command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).output().await;
    let output = ended.map_err(|error| failed(&error.to_string()))?;
    if output.status.success() { Ok(()) } else { Err(failed(String::from_utf8_lossy(&output.stderr).trim())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_systemd_refuses_is_told_in_its_words() {
        let failure = systemctl(&["no-such-verb"]).await.unwrap_err();
        assert_eq!(failure.summary, "systemd refuses");
        assert!(failure.detail.starts_with("`systemctl no-such-verb`: ") && failure.detail.len() > 30, "{failure}");
    }

    #[tokio::test]
    async fn what_follows_a_failure_is_left_undone() {
        let directory = tempfile::tempdir().unwrap();
        let writing = |name: &str, owner: Option<&str>| {
            Effect::Write(disk::Writing {
                path: directory.path().join(name),
                text: "x".to_owned(),
                mode: 0o600,
                owner: owner.map(str::to_owned),
                group: None,
                previous: disk::Previous::Foreign,
            })
        };
        let effects = vec![writing("a", None), writing("b", Some("no-such-user")), writing("c", None)];
        let failure = Hands::Own.perform(effects).await.unwrap_err();
        assert_eq!(failure.summary, "file not written");
        let there = ["a", "b", "c"].map(|name| directory.path().join(name).exists());
        assert_eq!(there, [true, false, false]);
    }
}
