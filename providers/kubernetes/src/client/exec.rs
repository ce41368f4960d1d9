//! Commands in containers of pods, over the API server.

use super::Cluster;
use super::error::CallError;
use super::transport::{one_line, unanswered};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, copy, sink};
use tokio::time::timeout;

/// Most bytes that are kept of what a command writes to one of its streams.
const MOST: u64 = 1 << 20;
/// What is said of a command whose end was not heard of.
const BROKE: &str = "the connection to the container broke before the command ended";
/// How it begins what is said of one that took too long.
const LATE: &str = "the command did not end within";

/// A container that commands run in.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod's name.
    pub pod: &'a str,
    /// The container's name.
    pub name: &'a str,
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Its exit code.
    pub code: i64,
    /// What it wrote to standard output; of more than a mebibyte the start. What is no UTF-8 is replaced.
    pub stdout: String,
    /// The same of standard error.
    pub stderr: String,
}

impl Cluster {
    /// Runs a command in a container to its end, without a shell, a terminal or an input; or says why it could not be run, as a fragment.
    /// The time that it has begins when it is its turn among all requests.
    pub async fn exec(&self, container: Container<'_>, command: &[String], limit: Duration) -> Result<Executed, String> {
        let _permit = self.gate.acquire().await.map_err(|_| "the client is closed".to_owned())?;
        let late = |_| format!("{LATE} {} s", limit.as_secs());
        timeout(limit, self.executed(container, command)).await.map_err(late)?
    }

    async fn executed(&self, container: Container<'_>, command: &[String]) -> Result<Executed, String> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), container.namespace);
        let how = AttachParams::default().container(container.name);
        let mut process = pods.exec(container.pod, command, &how).await.map_err(|error| refused(&error))?;
        let (stdout, stderr, status) = (process.stdout(), process.stderr(), process.take_status());
        let status = async {
            match status {
                Some(status) => status.await,
                None => None,
            }
        };
        let (stdout, stderr, status) = tokio::join!(kept(stdout), kept(stderr), status);
        let code = ended(status.as_ref())?;
        Ok(Executed { code, stdout, stderr })
    }
}

/// The start of a stream, which is read to its end: who writes it waits until it is.
async fn kept(stream: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stream) = stream else { return String::new() };
    let mut bytes = Vec::new();
    // A stream that breaks ends: the status tells.
    drop((&mut stream).take(MOST).read_to_end(&mut bytes).await);
    drop(copy(&mut stream, &mut sink()).await);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a command may have run of which this is said: only its end was not heard of.
pub fn may_have_run(why: &str) -> bool {
    why == BROKE || why.starts_with(LATE)
}

/// The exit code that a status tells, or what it says in its place.
fn ended(status: Option<&Status>) -> Result<i64, String> {
    let Some(status) = status else { return Err(BROKE.to_owned()) };
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let message = status.message.as_deref().unwrap_or("the command could not be run");
    if status.reason.as_deref() != Some("NonZeroExitCode") {
        return Err(message.to_owned());
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_deref()).unwrap_or_default();
    let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode")).and_then(|cause| cause.message.as_deref());
    code.and_then(|code| code.parse().ok()).ok_or_else(|| message.to_owned())
}

/// Why no command was started.
fn refused(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => {
            let message = status.message.trim().to_owned();
            CallError { status: Some(status.code), message, ..CallError::default() }.to_string()
        }
        kube::Error::UpgradeConnection(why) => format!("the API server opens no stream to the container: {}", one_line(why)),
        error => unanswered(error).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_status_tells_the_exit_code_or_why_there_is_none() {
        let code = |message: &str| json!({ "status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated", "details": { "causes": [{ "reason": "ExitCode", "message": message }] } });
        for (status, expected) in [
            (json!({ "status": "Success" }), Ok(0)),
            (code("7"), Ok(7)),
            (code("x"), Err("command terminated")),
            (json!({ "status": "Failure", "reason": "InternalError", "message": "no such file" }), Err("no such file")),
            (json!({ "status": "Failure" }), Err("the command could not be run")),
        ] {
            let status: Status = from_value(status).unwrap();
            assert_eq!(ended(Some(&status)), expected.map_err(str::to_owned), "{status:?}");
        }
        assert_eq!(ended(None), Err(BROKE.to_owned()));
        for (why, may) in [(BROKE, true), ("the command did not end within 5 s", true), ("no such file", false)] {
            assert_eq!(may_have_run(why), may, "{why}");
        }
    }

    #[tokio::test]
    async fn of_a_long_stream_the_start_is_kept_and_the_rest_read() {
        let long = vec![b'x'; usize::try_from(MOST).unwrap() + 10];
        let mut left = &long[..];
        assert_eq!(kept(Some(&mut left)).await.len(), long.len() - 10);
        assert!(left.is_empty());
        assert_eq!(kept(Some(&b"a\xff"[..])).await, "a\u{fffd}");
    }
}
