//! Running `kind`, which runs `docker`: with a clean environment, and its progress shown.

use crate::clock::Deadline;
use crate::group::Group;
use crate::lock::Lock;
use docker::Endpoint;
use engine::port::Activity;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// The oldest kind that writes what today's Kubernetes reads.
pub(crate) const OLDEST: (u64, u64) = (0, 32);
/// How many lines of output are kept.
const KEPT: usize = 400;
/// Longest wait for a version, in seconds.
const SOON: u64 = 20;
/// Seconds that what a program ran gets to end by itself, once the program was ended.
const REST: u64 = 5;

/// The program with what it is run in.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The environment of meshplan.
    pub(crate) environment: BTreeMap<String, String>,
    /// Where it is run.
    pub(crate) directory: PathBuf,
}

/// Why a run did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunError {
    /// It could not be run, as a sentence.
    NotRun(String),
    /// It did not end within so many seconds.
    Late(u64),
    /// It failed, and said this.
    Failed(String),
}

/// One run of it.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// What it is told.
    pub(crate) arguments: Vec<&'a str>,
    /// What it reads.
    pub(crate) input: String,
    /// The Engine.
    pub(crate) endpoint: &'a Endpoint,
    /// The docker network for new nodes.
    pub(crate) network: Option<&'a str>,
    /// What it holds as long as it runs, whoever ended meanwhile.
    pub(crate) lock: &'a Lock,
}

impl Program {
    /// A program in `PATH`.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        let path = self.environment.get("PATH")?;
        let files = std::env::split_paths(path).map(|directory| self.directory.join(directory).join(name));
        files.into_iter().find(|file| is_program(file))
    }

    /// Where kind is, if it and what it needs are there and new enough. The error is a sentence with what mends it.
    pub(crate) async fn usable(&self) -> Result<PathBuf, String> {
        let kind = self.find("kind").ok_or_else(|| {
            "`kind` is not in the `PATH`; install 0.32 or newer, as with `go install sigs.k8s.io/kind@latest` or `brew install kind`"
                .to_owned()
        })?;
        if self.find("docker").is_none() {
            return Err("`docker` is not in the `PATH`, and `kind` runs it; install the docker command line, as with `sudo apt install docker-cli` or `brew install docker`".to_owned());
        }
        let shown = kind.display();
        let output = self.output(&kind, &["version", "-q"]).await.map_err(|why| format!("`{shown} version` {why}"))?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match version(&said) {
            Some(version) if version >= OLDEST => Ok(kind),
            Some(_) => Err(format!(
                "`{shown}` is version {said}, and 0.32 or newer is needed: older ones cannot make clusters of today's Kubernetes; install one, as with \
                 `go install sigs.k8s.io/kind@latest` or `brew upgrade kind`"
            )),
            None => Err(format!("`{shown} version -q` prints no version: `{said}`")),
        }
    }

    async fn output(&self, program: &Path, arguments: &[&str]) -> Result<Output, String> {
        let mut command = std::process::Command::new(program);
        command.args(arguments).env_clear().envs(self.variables(None, None)).current_dir(&self.directory).stdin(Stdio::null());
        let output = Command::from(command).kill_on_drop(true).output();
        match tokio::time::timeout(Deadline::after(SOON).left(), output).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(format!("cannot be run: {error}")),
            Err(_) => Err(format!("has not ended within {SOON} s")),
        }
    }

    /// The environment of a run: meshplan's, without what makes kind or docker act otherwise than they are told here.
    fn variables(&self, endpoint: Option<&Endpoint>, network: Option<&str>) -> BTreeMap<String, String> {
        let is_kept = |name: &str| {
            let misleads = name.starts_with("KIND_") || name == "KUBECONFIG";
            let leads = matches!(name, "DOCKER_HOST" | "DOCKER_CONTEXT" | "DOCKER_TLS" | "DOCKER_TLS_VERIFY" | "DOCKER_CERT_PATH");
            !misleads && !leads
        };
        let kept = self.environment.iter().filter(|(name, _)| is_kept(name));
        let mut variables: BTreeMap<String, String> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        set("KIND_EXPERIMENTAL_PROVIDER", "docker");
        if let Some(network) = network.filter(|network| *network != "kind") {
            set("KIND_EXPERIMENTAL_DOCKER_NETWORK", network);
        }
        if let Some(endpoint) = endpoint {
            set("DOCKER_HOST", &endpoint.host);
            if let Some(certificates) = &endpoint.certificates {
                set("DOCKER_TLS_VERIFY", "1");
                set("DOCKER_CERT_PATH", &certificates.display().to_string());
            }
        }
        variables
    }

    /// Runs it to its end, telling each line of progress.
    pub(crate) async fn run(&self, kind: &Path, run: Run<'_>, (deadline, activity): (Deadline, &Activity)) -> Result<(), RunError> {
        let mut command = std::process::Command::new(kind);
        command.args(&run.arguments).env_clear().envs(self.variables(Some(run.endpoint), run.network)).current_dir(&self.directory);
        let held = run.lock.shared().map_err(|error| RunError::NotRun(format!("its lock cannot be handed on: {error}")))?;
        // What it has to say it says on the other stream.
        command.stdin(Stdio::piped()).stdout(held).stderr(Stdio::piped());
        // Ctrl-C is meshplan's: what was begun is ended in order.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let not_run = |error: io::Error| RunError::NotRun(format!("`{}` cannot be run: {error}", kind.display()));
        let mut child = Command::from(command).kill_on_drop(true).spawn().map_err(not_run)?;
        // A second Ctrl-C drops it, with the child and what that runs.
        let group = Group::of(&child);
        let ended = tokio::time::timeout(deadline.left(), talk(&mut child, &run.input, activity)).await;
        match ended {
            Ok(Ok((succeeded, said))) => {
                group.ended();
                if succeeded { Ok(()) } else { Err(RunError::Failed(said)) }
            }
            Ok(Err(error)) => Err(not_run(error)),
            Err(_) => {
                // It goes with its owner if it does not end now.
                drop(child.kill().await);
                // A container that the Engine was asked for comes, also where the `docker` that asked is gone: it could not be removed yet.
                group.rest(Deadline::after(REST)).await;
                Err(RunError::Late(deadline.seconds))
            }
        }
    }
}

/// Gives a program its input and takes its lines until it ends: whether it succeeded, and the last lines it wrote.
async fn talk(child: &mut Child, input: &str, activity: &Activity) -> io::Result<(bool, String)> {
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()).await {
            // What does not read to the end says why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    let mut said: Vec<String> = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).split(b'\n');
        while let Some(line) = lines.next_segment().await? {
            let line = String::from_utf8_lossy(&line).into_owned();
            if let Some(step) = step(&line) {
                activity.waits_for(format!("kind: {step}"));
            }
            if said.len() == KEPT {
                // What fails stands at the end, and its name at the beginning of that.
                said.remove(KEPT / 2);
            }
            said.push(line);
        }
    }
    Ok((child.wait().await?.success(), said.join("\n")))
}

/// The words of a line that tells of progress: ` • Preparing nodes 📦  ...`.
fn step(line: &str) -> Option<&str> {
    let words = line.trim().strip_prefix('•')?.trim().trim_end_matches('.').trim_end();
    let words = words.trim_end_matches(|character: char| !character.is_ascii()).trim_end();
    Some(words).filter(|words| !words.is_empty())
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// The first two numbers of a version such as `0.33.0-alpha+1`.
fn version(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.trim_start_matches('v').split(['.', '-', '+']).map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    /// A program that plays kind, and a docker that does nothing.
    fn played(script: &str) -> (tempfile::TempDir, Program) {
        let directory = tempfile::tempdir().unwrap();
        for (name, script) in [("kind", script), ("docker", "exit 0")] {
            let file = directory.path().join(name);
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", directory.path().display());
        let variables =
            [("PATH", path.as_str()), ("KUBECONFIG", "/mine"), ("KIND_CLUSTER_NAME", "x"), ("DOCKER_CONTEXT", "y"), ("HOME", "/me")];
        let environment = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let program = Program { environment, directory: directory.path().to_owned() };
        (directory, program)
    }

    fn endpoint() -> Endpoint {
        Endpoint { host: "tcp://lab:2376".to_owned(), certificates: Some("/certs".into()) }
    }

    fn run<'a>(endpoint: &'a Endpoint, lock: &'a Lock) -> Run<'a> {
        Run { arguments: vec!["create", "cluster"], input: "told".to_owned(), endpoint, network: Some("mesh"), lock }
    }

    async fn lock(directory: &tempfile::TempDir) -> Lock {
        let path = directory.path().join("running");
        Lock::take(&path, (Deadline::after(30), &Activity::default())).await.unwrap().unwrap()
    }

    #[test]
    fn versions_and_steps_are_read() {
        for (text, expected) in
            [("0.33.0", Some((0, 33))), ("v0.32.1-alpha+1", Some((0, 32))), ("1.0", Some((1, 0))), ("kind", None), ("", None)]
        {
            assert_eq!(version(text), expected, "{text}");
        }
        for (line, expected) in [
            (" • Ensuring node image (kindest/node:v1.37.0) 🖼  ...", Some("Ensuring node image (kindest/node:v1.37.0)")),
            (" ✓ Preparing nodes 📦 📦 ", None),
            ("Creating cluster \"c\" ...", None),
            (" • ", None),
        ] {
            assert_eq!(step(line), expected, "{line}");
        }
    }

    #[tokio::test]
    async fn it_is_used_only_if_it_is_there_and_new_enough() {
        for (script, expected) in [
            ("echo 0.33.0", None),
            ("echo 0.31.0", Some("is version 0.31.0, and 0.32 or newer is needed")),
            ("echo hello", Some("prints no version: `hello`")),
        ] {
            let (_directory, program) = played(script);
            match (program.usable().await, expected) {
                (Ok(_), None) => {}
                (Err(told), Some(words)) => assert!(told.contains(words), "{told}"),
                (other, _) => panic!("{other:?}"),
            }
        }
        for (missing, words) in [("kind", "`kind` is not in the `PATH`"), ("docker", "`docker` is not in the `PATH`")] {
            let (directory, mut program) = played("echo 0.33.0");
            program.environment.insert("PATH".to_owned(), directory.path().display().to_string());
            fs::remove_file(directory.path().join(missing)).unwrap();
            let told = program.usable().await.unwrap_err();
            assert!(told.contains(words), "{told}");
        }
    }

    #[tokio::test]
    async fn it_gets_its_input_and_a_clean_environment() {
        let (directory, program) = played("cat >input; env >environment; echo ' • Preparing nodes 📦  ...' >&2");
        let (kind, endpoint) = (program.find("kind").unwrap(), endpoint());
        let activity = Activity::default();
        let lock = lock(&directory).await;
        program.run(&kind, run(&endpoint, &lock), (Deadline::after(30), &activity)).await.unwrap();
        assert_eq!(fs::read_to_string(directory.path().join("input")).unwrap(), "told");
        let environment = fs::read_to_string(directory.path().join("environment")).unwrap();
        let has = |line: &str| environment.lines().any(|known| known == line);
        for line in [
            "KIND_EXPERIMENTAL_PROVIDER=docker",
            "KIND_EXPERIMENTAL_DOCKER_NETWORK=mesh",
            "DOCKER_HOST=tcp://lab:2376",
            "DOCKER_TLS_VERIFY=1",
            "DOCKER_CERT_PATH=/certs",
            "HOME=/me",
        ] {
            assert!(has(line), "{line} in {environment}");
        }
        for name in ["KUBECONFIG=", "KIND_CLUSTER_NAME=", "DOCKER_CONTEXT="] {
            assert!(!environment.contains(name), "{name} in {environment}");
        }
        assert_eq!(activity.waiting().as_deref(), Some("kind: Preparing nodes"));
    }

    #[tokio::test]
    async fn what_fails_or_lasts_is_told() {
        let (directory, program) = played("echo 'ERROR: no' >&2; exit 1");
        let (kind, endpoint, lock) = (program.find("kind").unwrap(), endpoint(), lock(&directory).await);
        let failed = program.run(&kind, run(&endpoint, &lock), (Deadline::after(30), &Activity::default())).await;
        assert_eq!(failed, Err(RunError::Failed("ERROR: no".to_owned())));
        let (_directory, program) = played("exec sleep 30");
        let kind = program.find("kind").unwrap();
        let late = program.run(&kind, run(&endpoint, &lock), (Deadline::after(0), &Activity::default())).await;
        assert_eq!(late, Err(RunError::Late(0)));
        // What it runs may end what it is at.
        let (directory, program) = played("(sleep 4; touch made) & wait");
        let late = program.run(&program.find("kind").unwrap(), run(&endpoint, &lock), (Deadline::after(2), &Activity::default())).await;
        assert!(late == Err(RunError::Late(2)) && directory.path().join("made").exists());
        // But not for ever.
        let (directory, program) = played("sleep 1000 & echo $! >sleeper; wait");
        let late = program.run(&program.find("kind").unwrap(), run(&endpoint, &lock), (Deadline::after(1), &Activity::default())).await;
        assert_eq!(late, Err(RunError::Late(1)));
        let sleeper = fs::read_to_string(directory.path().join("sleeper")).unwrap();
        let state = || fs::read_to_string(format!("/proc/{}/stat", sleeper.trim())).unwrap_or_default();
        for _ in 0..100 {
            if state().is_empty() || state().contains(") Z ") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("it still runs: {}", state());
    }
}
