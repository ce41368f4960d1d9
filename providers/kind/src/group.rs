//! What a program runs, which would outlive it: `kind` runs `docker`, which goes on by itself when `kind` is killed.

use crate::clock::Deadline;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;

/// The process group that a child leads. Dropping it ends what is left of it.
#[derive(Debug)]
pub(crate) struct Group(Option<Pid>);

impl Group {
    /// The group of a child that was started as the leader of one.
    pub(crate) fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    /// The child was ended, and those that it ran get so long to end by themselves.
    pub(crate) async fn rest(mut self, deadline: Deadline) {
        let Some(group) = self.0 else { return };
        while killpg(group, None::<Signal>).is_ok() {
            if !deadline.pause().await {
                return;
            }
        }
        self.0 = None;
    }

    /// The child has ended by itself, and whoever has its number now is left alone.
    pub(crate) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // An error says that there is nobody in it.
            killpg(group, Signal::SIGKILL).ok();
        }
    }
}
