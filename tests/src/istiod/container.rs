//! One container of an istiod: its root directory, its network, and the process in it.

use super::volumes::{self, Files};
use crate::apiserver::{Api, runtime};
use crate::keeper::Keeper;
use crate::namespace::Namespace;
use serde_json::Value;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, Runtime};
use tokio::time::timeout;

/// Where images have the program.
const PROGRAM: &str = "/usr/local/bin/pilot-discovery";
/// Where images look for programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where istiod says that it is ready.
const READINESS: u16 = 8080;
/// How long istiod waits for a cluster that cannot be read, in place of half a minute.
const REMOTE_TIMEOUT: &str = "PILOT_REMOTE_CLUSTER_TIMEOUT=8s";

/// What containers of a node have in common.
pub(super) struct Surroundings {
    /// What keeps the processes.
    pub(super) keeper: Keeper,
    /// The client of the one who may do everything.
    pub(super) api: Api,
    /// The program.
    pub(super) program: PathBuf,
    /// The port of the cluster's API server.
    pub(super) server: u16,
    /// The ports of all API servers.
    pub(super) servers: Vec<u16>,
}

/// A container that runs. Its process ends with the keeper, or when it is told to.
pub(super) struct Container {
    /// The pod as it was when its node took it.
    pub(super) pod: Value,
    /// The address of the pod, which only the cluster knows.
    pub(super) address: String,
    /// Whether it was said to be ready; nothing before anything was said.
    pub(super) ready: Option<bool>,
    /// How often it was started again.
    pub(super) restarts: usize,
    name: String,
    root: PathBuf,
    space: Namespace,
    network: Runtime,
}

impl Container {
    /// Starts what a pod says.
    pub(super) fn start(around: &Surroundings, pod: &Value, address: String) -> io::Result<Self> {
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let root = around.keeper.directory().join(format!("{name}.root"));
        let place = format!("{}{PROGRAM}", root.display());
        let setup = format!(
            "ip link set lo up\nmkdir -p '{0}/etc' '{0}/tmp' \"$(dirname '{place}')\"\necho nameserver 127.0.0.1 >'{0}/etc/resolv.conf'\ntouch '{place}'\nmount --bind '{1}' '{place}'",
            root.display(),
            around.program.display()
        );
        let space = Namespace::new(&setup).ok_or_else(|| io::Error::other("no namespaces"))?;
        let network = space.runtime();
        for port in &around.servers {
            pass_on(&network, *port)?;
        }
        let container = Self { pod: pod.clone(), address, ready: None, restarts: 0, name, root, space, network };
        for (at, volume) in container.mounts() {
            volumes::publish(&at, &volumes::files(&around.api, pod, volume))?;
        }
        let arguments: Vec<_> = container.command(around);
        around.keeper.start(&container.name, Path::new("env"), &arguments);
        Ok(container)
    }

    /// Brings the files up to date that come of Secrets and `ConfigMap`s.
    pub(super) fn follow(&self, api: &Api) -> io::Result<()> {
        let followed = self.mounts().into_iter().filter(|(_, volume)| volumes::is_followed(volume));
        followed.into_iter().try_for_each(|(at, volume)| {
            let files: Files = volumes::files(api, &self.pod, volume);
            volumes::publish(&at, &files)
        })
    }

    /// Whether the process runs.
    pub(super) fn runs(&self, keeper: &Keeper) -> bool {
        keeper.runs(&self.name)
    }

    /// Starts the process again, which has ended.
    pub(super) fn start_again(&mut self, keeper: &Keeper) {
        self.restarts += 1;
        keeper.start_again(&self.name);
    }

    /// Ends the process.
    pub(super) fn stop(&self, keeper: &Keeper) {
        keeper.stop(&self.name);
    }

    /// Whether istiod says that it is ready.
    pub(super) fn is_ready(&self) -> bool {
        let asked = self.network.spawn(async { timeout(Duration::from_secs(2), answers(READINESS)).await });
        matches!(self.network.block_on(asked), Ok(Ok(Ok(true))))
    }

    /// What connects within its network, to be called from anywhere.
    pub(super) fn network(&self) -> Handle {
        self.network.handle().clone()
    }

    /// A program of the container that runs beside istiod.
    pub(super) fn beside(&self, words: &[String]) -> Command {
        let mut command = Command::new("nsenter");
        command.env_clear().env("PATH", PATH);
        command.args(["--target", &self.space.holder().to_string(), "--net", "--mount", "chroot"]).arg(&self.root).args(words);
        command
    }

    /// A program of the machine in the network of the container.
    pub(super) fn within(&self, program: &str, directory: &Path) -> Command {
        self.space.command(program, directory)
    }

    /// The one container of the pod.
    fn specified(&self) -> &Value {
        &self.pod["spec"]["containers"][0]
    }

    /// Where each volume is mounted.
    fn mounts(&self) -> Vec<(PathBuf, &Value)> {
        let volumes = || self.pod["spec"]["volumes"].as_array().into_iter().flatten();
        let mounts = self.specified()["volumeMounts"].as_array().into_iter().flatten();
        mounts
            .filter_map(|mount| {
                let at = mount["mountPath"].as_str()?.trim_start_matches('/');
                Some((self.root.join(at), volumes().find(|volume| volume["name"] == mount["name"])?))
            })
            .collect()
    }

    /// The words after `env` that start it.
    fn command(&self, around: &Surroundings) -> Vec<String> {
        let mut words: Vec<String> = ["-i", "KUBERNETES_SERVICE_HOST=127.0.0.1", REMOTE_TIMEOUT].map(str::to_owned).into();
        words.extend([format!("PATH={PATH}"), format!("KUBERNETES_SERVICE_PORT={}", around.server)]);
        let processors = std::thread::available_parallelism().map_or(1, usize::from).to_string();
        for variable in self.specified()["env"].as_array().into_iter().flatten() {
            let source = &variable["valueFrom"];
            let value = match (&source["fieldRef"], &source["resourceFieldRef"]) {
                (Value::Object(_), _) => volumes::field(&self.pod, &source["fieldRef"]),
                (_, Value::Object(_)) => processors.clone(),
                _ => variable["value"].as_str().unwrap_or_default().to_owned(),
            };
            words.push(format!("{}={value}", variable["name"].as_str().unwrap_or_default()));
        }
        let holder = self.space.holder().to_string();
        words.extend(["nsenter", "--target", &holder, "--net", "--mount", "chroot"].map(str::to_owned));
        words.extend([self.root.display().to_string(), PROGRAM.to_owned()]);
        let given = self.specified()["args"].as_array().into_iter().flatten();
        words.extend(given.map(|word| word.as_str().unwrap_or_default().to_owned()));
        words
    }
}

/// Lets a port of the machine's loopback answer in a network of its own.
fn pass_on(network: &Runtime, port: u16) -> io::Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // Sockets belong to the network of the thread that opens them.
    let listener = network.block_on(network.spawn(TcpListener::bind(address)))??;
    drop(network.spawn(async move {
        loop {
            let Ok((mut here, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let there = runtime().spawn(TcpStream::connect(address));
            drop(tokio::spawn(async move {
                if let Ok(Ok(mut there)) = there.await {
                    drop(copy_bidirectional(&mut here, &mut there).await);
                }
            }));
        }
    }));
    Ok(())
}

/// Whether `/ready` at a port is answered with 200.
async fn answers(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"GET /ready HTTP/1.0\r\n\r\n").await?;
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await?;
    Ok(said.starts_with(b"HTTP/1.0 200") || said.starts_with(b"HTTP/1.1 200"))
}
