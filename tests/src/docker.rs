//! A Docker Engine of the tests' own, in namespaces of its own: what it makes, down to the last rule and process, goes with it.

mod program;
mod registry;
mod tls;

pub use registry::Registry;
pub use tls::TlsWay;

use crate::keeper::Keeper;
use crate::namespace::Namespace;
use crate::required::Missing;
use crate::scenario::Scenario;
use serde_json::Value as Json;
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The image that [`Engine::start`] makes: busybox alone, under the names of some of its programs.
pub const IMAGE: &str = "box:1";

/// What runs the Engine: in network, mount and process namespaces of its own, so that nothing of the machine's is touched and its end is the
/// end of everything within.
const RUN: &str =
    r#"busybox ip link set lo up; exec dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --host "unix://$1/socket""#;

/// A running Engine. It ends with its owner.
pub struct Engine {
    keeper: Keeper,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("host", &self.host()).finish_non_exhaustive()
    }
}

/// One Engine for all tests of a process; nothing where it cannot be had, which is said. Names in it have to be a test's own.
pub fn shared() -> Option<&'static Engine> {
    static SHARED: OnceLock<Option<Engine>> = OnceLock::new();
    SHARED.get_or_init(Engine::start).as_ref()
}

impl Engine {
    /// Starts one with an image in it; nothing where its programs are missing, which is said.
    pub fn start() -> Option<Self> {
        Self::start_by(&program("unshare"), &["--net", "--mount"])
    }

    /// Starts one with an image in it in a network that others are in too, and that stays when it ends.
    pub fn start_within(namespace: &Namespace) -> Option<Self> {
        let holder = namespace.holder().to_string();
        Self::start_by(&program("nsenter"), &["--target", &holder, "--net", "--mount", "unshare", "--mount"])
    }

    /// Starts one by a program that makes its namespaces, but for that of its processes.
    fn start_by(first: &Path, arguments: &[&str]) -> Option<Self> {
        let mut missing = Missing::default();
        let lacks = missing.any_of(["dockerd", "docker", "busybox", "unshare", "tar"]);
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if !is_root {
            missing.note(["to be root"]);
        }
        if lacks || !is_root {
            missing.close();
            return None;
        }
        let engine = Self { keeper: Keeper::new("docker") };
        let directory = engine.keeper.directory().display().to_string();
        let own = ["--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", RUN, "engine", &directory];
        let arguments: Vec<_> = arguments.iter().copied().chain(own).map(str::to_owned).collect();
        engine.keeper.start("dockerd", first, &arguments);
        engine.wait();
        engine.make_image();
        Some(engine)
    }

    /// Waits until it answers.
    pub fn wait(&self) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !self.run(&["version"]).status.success() {
            let log = || self.keeper.log("dockerd");
            assert!(Instant::now() < deadline, "the Engine does not answer:\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends it, with all containers that run, as a power cut does.
    pub fn stop(&self) {
        self.keeper.stop("dockerd");
        // What it would write as another process is not there.
        drop(std::fs::remove_file(self.keeper.directory().join("pid")));
        drop(std::fs::remove_dir_all(self.keeper.directory().join("exec")));
    }

    /// Starts it again over what it had.
    pub fn start_again(&self) {
        self.keeper.start_again("dockerd");
        self.wait();
    }

    /// Where it is, as `DOCKER_HOST` says it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// A scenario whose `DOCKER_HOST` is this Engine.
    pub fn scenario(&self, configuration: &str) -> Scenario {
        let mut scenario = Scenario::with(configuration);
        scenario.set("DOCKER_HOST", &self.host());
        scenario
    }

    /// Runs the docker command line, which must succeed; what it prints.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What `docker inspect` says of something; nothing if it is not there.
    pub fn inspect(&self, what: &str, name: &str) -> Option<Json> {
        let output = self.run(&["inspect", "--type", what, name]);
        let found: Json = serde_json::from_slice(&output.stdout).ok()?;
        found.get(0).cloned()
    }

    /// Sends a body to a path of the API, past what the docker command line would check; the status line.
    pub fn post(&self, path: &str, body: &Json) -> String {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Type: application/json");
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// The directory of a root file system with busybox, such as `docker import` takes.
    pub fn root(&self) -> PathBuf {
        self.keeper.directory().join("root")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("docker");
        command.arg("--host").arg(self.host()).args(arguments).env_remove("DOCKER_CONTEXT").env_remove("DOCKER_TLS_VERIFY");
        command.output().unwrap()
    }

    fn socket(&self) -> PathBuf {
        self.keeper.directory().join("socket")
    }

    /// Makes [`IMAGE`].
    fn make_image(&self) {
        let programs = self.root().join("bin");
        std::fs::create_dir_all(&programs).unwrap();
        std::fs::create_dir_all(self.root().join("etc")).unwrap();
        std::fs::copy(program("busybox"), programs.join("busybox")).unwrap();
        for name in ["sh", "sleep", "cat", "false", "true", "nc", "httpd", "mkdir", "echo"] {
            symlink("busybox", programs.join(name)).unwrap();
        }
        let tarball = self.keeper.directory().join("root.tar").display().to_string();
        let packed = Command::new("tar").args(["-C", &self.root().display().to_string(), "-cf", &tarball, "."]).status().unwrap();
        assert!(packed.success());
        self.docker(&["import", &tarball, IMAGE]);
    }

    /// The archive that [`IMAGE`] was made of.
    pub fn tarball(&self) -> PathBuf {
        self.keeper.directory().join("root.tar")
    }
}

/// Where a program is in the `PATH`.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| Path::new(name).to_owned())
}
