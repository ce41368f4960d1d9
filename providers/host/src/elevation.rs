//! Effects that another process does, because this one has not the rights: `sudo` starts meshplan once more, and it gets whole batches.

use crate::effect::{Effect, perform_all};
use engine::port::Failure;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::{OnceCell, oneshot};

/// The argument that makes meshplan the other process.
pub const VERB: &str = "host-effects";

/// How one task of a batch ended; nothing is success.
type Ended = Option<Told>;

/// A failure on its way between the processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    summary: String,
    detail: String,
}

impl From<Told> for Failure {
    fn from(told: Told) -> Self {
        Self::new(told.summary, told.detail)
    }
}

/// Effects that wait for the next batch, and who wants to know how they end.
type Waiting = Vec<(Vec<Effect>, oneshot::Sender<Result<(), Failure>>)>;

/// The way to the rights of root.
#[derive(Debug)]
pub(crate) struct Elevation {
    program: PathBuf,
    waiting: Mutex<Queue>,
    turn: tokio::sync::Mutex<()>,
    allowed: OnceCell<Option<String>>,
}

#[derive(Default)]
struct Queue(Waiting);

/// Effects may hold secrets.
impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} waiting", self.0.len())
    }
}

impl Elevation {
    /// Through `sudo`, which starts this program.
    pub(crate) fn sudo(program: PathBuf) -> Arc<Self> {
        Arc::new(Self { program, waiting: Mutex::default(), turn: tokio::sync::Mutex::default(), allowed: OnceCell::new() })
    }

    /// Why `sudo` does not start it, as a fragment; asked once, with nothing to do.
    pub(crate) async fn lacking(&self) -> Option<String> {
        let ask = || async { self.batch(&[]).await.err().map(|failure| failure.detail) };
        self.allowed.get_or_init(ask).await.clone()
    }

    /// Does all of it, in this order, together with what else waits.
    pub(crate) async fn perform(&self, effects: Vec<Effect>) -> Result<(), Failure> {
        let (tell, told) = oneshot::channel();
        self.queue(|waiting| waiting.push((effects, tell)));
        {
            let _turn = self.turn.lock().await;
            let waiting = self.queue(std::mem::take);
            if !waiting.is_empty() {
                self.carry_out(waiting).await;
            }
        }
        told.await.unwrap_or_else(|_| Err(lost("it ended without an answer")))
    }

    fn queue<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    async fn carry_out(&self, waiting: Waiting) {
        let (tasks, tells): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let ended = self.batch(&tasks).await;
        for (at, tell) in tells.into_iter().enumerate() {
            let own = match &ended {
                Err(failure) => Err(failure.clone()),
                Ok(ended) => match ended.get(at) {
                    Some(None) => Ok(()),
                    Some(Some(told)) => Err(told.clone().into()),
                    None => Err(lost("it did not answer for all")),
                },
            };
            // Who went away does not want to know.
            drop(tell.send(own));
        }
    }

    async fn batch(&self, tasks: &[Vec<Effect>]) -> Result<Vec<Ended>, Failure> {
        let mut command = Command::new("sudo");
        command.args(["-n", "--"]).arg(&self.program).arg(VERB);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let unstarted = |error: std::io::Error| Failure::new("missing rights", format!("`sudo` cannot be started: {error}"));
        let mut child = command.spawn().map_err(unstarted)?;
        let text = serde_json::to_vec(tasks).map_err(|error| lost(&error.to_string()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // What does not read it says why it ended.
            drop(stdin.write_all(&text).await);
        }
        let output = child.wait_with_output().await.map_err(|error| lost(&error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = format!("`sudo -n -- {} {VERB}`: {}", self.program.display(), said.trim());
            return Err(Failure::new("missing rights", line));
        }
        serde_json::from_slice(&output.stdout).map_err(|_| lost("it answered what is no answer"))
    }
}

fn lost(why: &str) -> Failure {
    Failure::new("rights lost", format!("what was done with the rights of root is not known: {why}"))
}

/// What the other process does: performs batches of effects, given as text, and tells how each ended.
///
/// Errors: the text is none that meshplan writes.
pub fn serve(text: &str) -> Result<String, String> {
    let tasks: Vec<Vec<Effect>> = serde_json::from_str(text).map_err(|_| "the input is none of meshplan's".to_owned())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let ended: Vec<Ended> = runtime.block_on(async {
        let mut ended = Vec::with_capacity(tasks.len());
        for effects in tasks {
            let done = perform_all(effects).await;
            ended.push(done.err().map(|Failure { summary, detail, .. }| Told { summary, detail }));
        }
        ended
    });
    serde_json::to_string(&ended).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::disk::{Previous, Writing};

    fn writing(path: PathBuf, owner: Option<&str>) -> Effect {
        let owner = owner.map(str::to_owned);
        Effect::Write(Writing { path, text: "x".to_owned(), mode: 0o600, owner, group: None, previous: Previous::Foreign })
    }

    #[test]
    fn each_task_of_a_batch_ends_by_itself() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let tasks = [
            vec![writing(path("a"), Some("no-such-user")), writing(path("b"), None)],
            vec![writing(path("c"), None), writing(path("d"), None)],
        ];
        let answer = serve(&serde_json::to_string(&tasks).unwrap()).unwrap();
        let ended: Vec<Ended> = serde_json::from_str(&answer).unwrap();
        assert_eq!(ended.iter().map(|told| told.as_ref().map(|told| &*told.summary)).collect::<Vec<_>>(), [Some("file not written"), None]);
        assert_eq!(["a", "b", "c", "d"].map(|name| path(name).exists()), [false, false, true, true]);
        assert_eq!(serve("[]").as_deref(), Ok("[]"));
        assert!(serve("{}").is_err());
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_told_to_all_who_wait() {
        let nobody = Elevation::sudo(PathBuf::from("/nowhere/at-all"));
        let lacking = nobody.lacking().await.unwrap();
        assert!(lacking.contains("sudo"), "{lacking}");
        let (one, other) = tokio::join!(nobody.perform(Vec::new()), nobody.perform(Vec::new()));
        assert_eq!([one, other].map(|ended| ended.unwrap_err().summary), ["missing rights", "missing rights"]);
        assert_eq!(lost("x").summary, "rights lost");
    }
}
