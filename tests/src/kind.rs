//! Clusters that the real `kind` makes on an Engine of the tests' own, of nodes whose control plane is real and nothing else.
//!
//! The Engine, what it publishes, and every command line are in one network of the test's own, in which [`DEVICE`] is the interface for
//! addresses that a test adds. What a test shows here it shows of `kind`, Docker, addresses and objects: no pod runs.

mod stand_ins;

pub use stand_ins::Attended;

use crate::apiserver::Api;
use crate::docker::{Engine, program};
use crate::namespace::Namespace;
use crate::required::Missing;
use crate::scenario::{Scenario, project};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The image of a node, as `node_image` names it.
pub const IMAGE: &str = "stand-in.test/node:1";

/// The interface for addresses of a test's own; it has 10.2.1.5/24.
pub const DEVICE: &str = "lan0";

/// A machine with one interface, whose names no service resolves; its `/etc` and `/run` are in memory.
const NETWORK: &str = "
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc 2>/dev/null || true
mount --bind /mnt/etc /etc
umount /etc/resolv.conf 2>/dev/null || true
rm -f /etc/resolv.conf
printf 'nameserver 10.2.1.14\\n' >/etc/resolv.conf
mount -t tmpfs none /run
ip link set lo up
ip link add lan0 type bridge
ip link set lan0 up
ip address add 10.2.1.5/24 broadcast 10.2.1.255 dev lan0
";

/// The docker command line for `kind`, without a right that the Engine of a test cannot give.
const SHIM: &str = r#"#!/bin/bash
arguments=()
for argument in "$@"; do [ "$argument" = --privileged ] || arguments+=("$argument"); done
"#;

/// A machine with an Engine and `kind`. Everything on it ends with its owner.
pub struct Kind {
    // In this order: the Engine ends before its network does.
    engine: Engine,
    network: Runtime,
    namespace: Arc<Namespace>,
    home: TempDir,
}

/// One machine for all tests of a process that neither stop its Engine nor count what is on it; names on it have to be a test's own.
/// Nothing where it cannot be had, which is said.
pub fn shared() -> Option<&'static Kind> {
    static SHARED: OnceLock<Option<Kind>> = OnceLock::new();
    SHARED.get_or_init(Kind::start).as_ref()
}

impl Kind {
    /// Starts one with [`IMAGE`] in it; nothing where what it needs is missing, which is said.
    pub fn start() -> Option<Self> {
        let Some(made) = made() else {
            let mut missing = Missing::default();
            missing.note(["what tests/real/kind.sh makes"]);
            missing.close();
            return None;
        };
        let namespace = Namespace::needing(["unshare", "nsenter", "ip", "mount", "kubectl"], NETWORK)?;
        let engine = Engine::start_within(&namespace)?;
        let kind = Self { engine, network: namespace.runtime(), namespace: Arc::new(namespace), home: home(&made) };
        let entrypoint = r#"ENTRYPOINT ["/usr/local/bin/entrypoint"]"#;
        kind.engine.docker(&["import", "--change", entrypoint, &made.join("node.tar").display().to_string(), IMAGE]);
        kind.engine.docker(&["tag", IMAGE, std::fs::read_to_string(made.join("balancer")).unwrap().trim()]);
        Some(kind)
    }

    /// The Engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Its network, and its mounts.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The home directory of its user.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A scenario whose children run on this machine ([`crate::killed::Counting`]).
    pub fn scenario(&self, configuration: &str) -> Scenario {
        self.furnish(Scenario::with(configuration))
    }

    /// Lets a scenario's children run on this machine.
    pub fn furnish(&self, mut scenario: Scenario) -> Scenario {
        for (name, value) in self.environment() {
            scenario.set(name, &value);
        }
        scenario.enter(self.namespace.clone());
        scenario
    }

    /// Runs a program on it.
    pub fn run(&self, name: &str, arguments: &[&str]) -> Output {
        let mut command = self.namespace.command(name, self.home());
        command.args(arguments).env_remove("KUBECONFIG").envs(self.environment());
        command.output().unwrap()
    }

    /// Runs a program on it, which must succeed; what it prints.
    pub fn tell(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.run(name, arguments);
        assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs a script of `sh` on it, which must succeed; what it prints.
    pub fn shell(&self, script: &str) -> String {
        self.tell("sh", &["-ec", script])
    }

    /// The names of its clusters, sorted.
    pub fn clusters(&self) -> Vec<String> {
        let mut names: Vec<_> = self.tell("kind", &["get", "clusters"]).lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// A client of a cluster for one who may do everything; good until its control plane has another address.
    pub fn api(&self, cluster: &str) -> Api {
        let way = stand_ins::way(&self.engine.host(), &format!("{cluster}-control-plane"));
        Api::by_kubeconfig(&way.unwrap_or_else(|why| panic!("`{cluster}`: {why}")), self.network.handle())
    }

    /// Lets stand-ins for what runs in clusters attend to each that is there or comes, until this is dropped.
    pub fn attended(&self) -> Attended {
        Attended::start(self.engine.host(), self.network.handle().clone())
    }

    /// Runs `kubectl` as the administrator of a cluster, within its control plane: that needs no way to it.
    pub fn kubectl(&self, cluster: &str, arguments: &[&str]) -> String {
        let node = format!("{cluster}-control-plane");
        let as_administrator = ["exec", &node, "kubectl", "--kubeconfig=/etc/kubernetes/here.conf"];
        self.engine.docker(&[&as_administrator, arguments].concat())
    }

    /// The object that `kubectl get` finds in a cluster by these words; nothing if it is not there.
    pub fn object(&self, cluster: &str, words: &[&str]) -> Option<Json> {
        let found = self.kubectl(cluster, &[&["get", "--ignore-not-found", "--output=json"], words].concat());
        serde_json::from_str(&found).ok()
    }

    /// Stops a node as somebody does who needs its memory.
    pub fn stop_node(&self, name: &str) {
        self.engine.docker(&["stop", "--time", "1", name]);
    }

    /// Starts a node.
    pub fn start_node(&self, name: &str) {
        self.engine.docker(&["start", name]);
    }

    /// The address of a node; empty while it does not run.
    pub fn address(&self, node: &str) -> String {
        self.engine.docker(&["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", node])
    }

    /// Ends the Engine as a power cut does, and starts it again; which nodes run then is its own decision.
    pub fn restart_engine(&self) {
        self.engine.stop();
        self.engine.start_again();
    }

    /// Waits until the API server of a cluster answers.
    pub fn wait_for(&self, cluster: &str) {
        let node = format!("{cluster}-control-plane");
        let words =
            ["--host", &self.engine.host(), "exec", &node, "kubectl", "--kubeconfig=/etc/kubernetes/here.conf", "get", "--raw=/readyz"];
        let deadline = Instant::now() + Duration::from_mins(1);
        while !self.run("docker", &words).status.success() {
            assert!(Instant::now() < deadline, "the API server of `{cluster}` does not answer");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// What a run may leave on it, one a line: containers, networks, volumes, addresses, name servers, and contexts of its user's kubeconfig.
    pub fn traces(&self) -> BTreeSet<String> {
        let listed = |what: &str, arguments: &[&str]| {
            let lines = self.engine.docker(arguments);
            lines.lines().map(|line| format!("{what} {line}")).collect::<Vec<_>>()
        };
        let mut traces = listed("container", &["ps", "--all", "--format", "{{.Names}}"]);
        traces.extend(listed("network", &["network", "ls", "--format", "{{.Name}}"]));
        traces.extend(listed("volume", &["volume", "ls", "--quiet"]));
        let addresses = self.shell(&format!("ip -o -4 address show dev {DEVICE}"));
        let words = addresses.lines().filter_map(|line| line.split_whitespace().nth(3));
        traces.extend(words.map(|address| format!("address {address}")));
        traces.extend(self.shell("cat /etc/resolv.conf").lines().map(str::to_owned));
        let contexts = self.tell("kubectl", &["config", "get-contexts", "--output=name"]);
        traces.extend(contexts.lines().map(|context| format!("context {context}")));
        traces.into_iter().collect()
    }

    fn environment(&self) -> [(&'static str, String); 3] {
        let path = std::env::var("PATH").unwrap_or_default();
        let home = self.home().display().to_string();
        [("PATH", format!("{home}/bin:{path}")), ("HOME", home), ("DOCKER_HOST", self.engine.host())]
    }
}

/// What `tests/real/kind.sh` made, which knows for itself whether it is whole and of today's versions. It makes nothing here.
fn made() -> Option<PathBuf> {
    let told = Command::new("bash").arg(project().join("tests/real/kind.sh")).arg("--made").output().ok()?;
    let path = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    (told.status.success() && !path.is_empty()).then(|| PathBuf::from(path))
}

/// A home directory, with the programs of its user.
fn home(made: &Path) -> TempDir {
    let home = TempDir::new().unwrap();
    let programs = home.path().join("bin");
    std::fs::create_dir(&programs).unwrap();
    let docker = programs.join("docker");
    std::fs::write(&docker, format!("{SHIM}exec {} \"${{arguments[@]}}\"\n", program("docker").display())).unwrap();
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink(made.join("kind"), programs.join("kind")).unwrap();
    home
}
