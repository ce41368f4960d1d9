//! A network and mounts of a test's own: what is changed there changes nothing of the machine.

use crate::required::Missing;
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tokio::runtime::{Builder, Runtime};

/// Namespaces of their own, held by a process that ends with the test.
#[derive(Debug)]
pub struct Namespace {
    holder: Child,
    mapped: bool,
}

impl Namespace {
    /// Makes them and runs a script of `sh` in them; nothing where this user may not. The script has to succeed.
    pub fn new(setup: &str) -> Option<Self> {
        let permitted =
            |arguments: &[&str]| Command::new("unshare").args(arguments).arg("true").output().is_ok_and(|ended| ended.status.success());
        let mapped = !permitted(&["--net", "--mount"]);
        if mapped && !permitted(&["--user", "--map-root-user", "--net", "--mount"]) {
            return None;
        }
        let mut command = Command::new("unshare");
        if mapped {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--net", "--mount"]);
        Some(Self { holder: held(command, setup), mapped })
    }

    /// The same, where these tools are there as well; nothing otherwise, and what was missing is said.
    pub fn needing(tools: impl IntoIterator<Item = &'static str>, setup: &str) -> Option<Self> {
        let mut missing = Missing::default();
        let made = if missing.any_of(tools) { None } else { Self::new(setup) };
        if made.is_none() && missing == Missing::default() {
            missing.note(["namespaces"]);
        }
        missing.close();
        made
    }

    /// Mounts of its own, in the network of another process, and runs a script of `sh` there, which has to succeed.
    pub fn in_network_of(process: u32, setup: &str) -> Self {
        let mut command = Command::new("nsenter");
        command.args(["--target", &process.to_string(), "--net", "unshare", "--mount"]);
        Self { holder: held(command, setup), mapped: false }
    }

    /// The process that holds them.
    pub fn holder(&self) -> u32 {
        self.holder.id()
    }

    /// A program that runs in them, in a directory.
    pub fn command(&self, program: &str, directory: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--net", "--mount"]);
        if self.mapped {
            command.args(["--user", "--preserve-credentials"]);
        }
        // Who enters mounts stands at their root.
        command.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(directory).arg(program);
        command
    }

    /// A runtime of this process whose threads are in the network: what tasks on it connect to is there. Only root may have it.
    pub fn runtime(&self) -> Runtime {
        let network = format!("/proc/{}/ns/net", self.holder.id());
        let enter = move || setns(File::open(&network).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
        Builder::new_multi_thread().worker_threads(1).on_thread_start(enter).enable_all().build().unwrap()
    }

    /// Runs a script of `sh` in them, which must succeed, and gives what it printed.
    pub fn shell(&self, script: &str) -> String {
        let output: Output = self.command("sh", Path::new("/")).args(["-ec", script]).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Lets a command that makes namespaces run a script, and stay. It ends when its standard input does: at the latest when the test binary is gone.
fn held(mut command: Command, setup: &str) -> Child {
    let script = format!("set -e\n{setup}\necho ready\nexec cat >/dev/null");
    command.args(["sh", "-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = command.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "ready\n", "{setup}");
    holder
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}
