//! What runs the istiods of a cluster: it takes the pods that the scheduler gave to a node, tells of them as a kubelet does, runs commands in
//! them, and leads to them who asks for the Service before them.

use super::container::{Container, Surroundings};
use crate::apiserver::ApiServer;
use crate::apiserver::egress::{Dialing, Egress};
use crate::apiserver::stand_in::kubelet::{Commands, Ends, Ordered};
use crate::keeper::Keeper;
use crate::required::Missing;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

/// How long it rests between two looks at its pods.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a pod may take until it is ready.
const PATIENCE: Duration = Duration::from_mins(1);
/// The label of its pods.
const PODS: &str = "/api/v1/pods?labelSelector=app%3Distiod";
/// Where API servers ask for kubelets.
const KUBELET: u16 = 10250;

/// What the threads that serve a cluster share.
struct Shared {
    around: Surroundings,
    number: usize,
    containers: Mutex<BTreeMap<String, Container>>,
}

/// The istiods of one cluster, until this is dropped: their processes end with it, and the pods stay.
pub struct Node {
    shared: Arc<Shared>,
    stop: Option<Sender<()>>,
    working: Option<JoinHandle<()>>,
    _egress: Egress,
}

impl Node {
    /// Whether istiods can be run here, as root and with these tools; what is missing is said.
    pub fn can_be_had() -> bool {
        let mut missing = Missing::default();
        missing.any_of(["unshare", "nsenter", "mount", "ip", "chroot", "openssl"]);
        let is_root = Command::new("unshare").args(["--net", "--mount", "true"]).output().is_ok_and(|output| output.status.success());
        if !is_root {
            missing.note(["being root"]);
        }
        let had = missing == Missing::default();
        missing.close();
        had
    }

    /// For each cluster what runs its istiods with this program. The clusters were started with an egress.
    pub fn start(program: &Path, clusters: &[ApiServer]) -> Vec<Self> {
        let ports: Vec<u16> = clusters.iter().map(port).collect();
        clusters.iter().enumerate().map(|(number, cluster)| Self::of((cluster, number), program, &ports)).collect()
    }

    fn of((cluster, number): (&ApiServer, usize), program: &Path, servers: &[u16]) -> Self {
        let around = Surroundings {
            keeper: Keeper::new(&format!("istiod-{}", cluster.admin().name)),
            api: cluster.api().clone(),
            program: program.to_owned(),
            server: port(cluster),
            servers: servers.to_vec(),
        };
        let shared = Arc::new(Shared { around, number, containers: Mutex::default() });
        let commands = Commands::serve({
            let shared = shared.clone();
            move |ordered: &Ordered| shared.execute(ordered)
        });
        let dialing: Dialing = Arc::new({
            let (shared, kubelet) = (shared.clone(), commands.address());
            move |address| Box::pin(dial(shared.clone(), (address, kubelet)))
        });
        let (stop, stopped) = channel();
        let working = std::thread::spawn({
            let shared = shared.clone();
            move || {
                let _commands = commands;
                let mut number = 0;
                while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                    shared.look(&mut number);
                }
            }
        });
        Self { shared, stop: Some(stop), working: Some(working), _egress: Egress::serve(cluster, dialing) }
    }

    /// What its only istiod says of a path, asked from within as [`crate::istiod`] says.
    pub fn ask(&self, path: &str) -> Value {
        let words = ["pilot-discovery", "request", "GET", path].map(str::to_owned);
        let output = self.only(|container| container.beside(&words)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{path}: {error}: {said}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs a program of the machine in the network of its only istiod, in a directory.
    pub fn within(&self, program: &str, arguments: &[&str], directory: &Path) -> Output {
        self.only(|container| container.within(program, directory)).args(arguments).output().unwrap()
    }

    fn only(&self, command: impl Fn(&Container) -> Command) -> Command {
        let containers = self.shared.containers.lock().unwrap();
        command(containers.values().next().unwrap_or_else(|| panic!("no istiod runs")))
    }

    /// What its istiods have said so far.
    pub fn log(&self) -> String {
        let directory = self.shared.around.keeper.directory();
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let logs = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "log"));
        logs.map(|entry| std::fs::read_to_string(entry.path()).unwrap_or_default()).collect()
    }

    /// Deletes the pods of its istiods, and waits until others are ready.
    pub fn restart(&self) {
        let api = &self.shared.around.api;
        let before: Vec<String> = self.shared.containers.lock().unwrap().keys().cloned().collect();
        for name in &before {
            let (namespace, name) = name.split_once('/').unwrap();
            api.delete(&format!("/api/v1/namespaces/{namespace}/pods/{name}"));
        }
        let deadline = Instant::now() + PATIENCE;
        let another_is_ready = || {
            let containers = self.shared.containers.lock().unwrap();
            !containers.is_empty() && containers.iter().all(|(name, container)| !before.contains(name) && container.ready == Some(true))
        };
        while !another_is_ready() {
            assert!(Instant::now() < deadline, "no istiod is ready:\n{}", self.log());
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.working.take().map(JoinHandle::join));
        // Networks end here, where something may wait for them.
        self.shared.containers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if std::thread::panicking() {
            // Its own directory goes with it.
            let kept = std::env::temp_dir().join(format!("meshplan-istiod-{}-{}.log", std::process::id(), self.shared.number));
            drop(std::fs::write(&kept, self.log()));
            drop(io::Write::write_all(&mut io::stderr(), format!("what istiod said: {}\n", kept.display()).as_bytes()));
        }
    }
}

impl Shared {
    /// Brings processes and pods together; what fails is tried again with the next look.
    fn look(&self, number: &mut usize) {
        let Ok(answer) = self.around.api.try_send("GET", PODS, "application/json", String::new()) else { return };
        let none = Vec::new();
        let pods: BTreeMap<String, &Value> = answer.body["items"].as_array().unwrap_or(&none).iter().map(|pod| (name(pod), pod)).collect();
        let stays = |name: &String| pods.get(name).is_some_and(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        let gone: Vec<Container> = {
            let mut containers = self.containers.lock().unwrap();
            let names: Vec<String> = containers.keys().filter(|name| !stays(name)).cloned().collect();
            names.iter().filter_map(|name| containers.remove(name)).collect()
        };
        for container in gone {
            container.stop(&self.around.keeper);
        }
        for (name, pod) in &pods {
            if stays(name) && pod["spec"]["nodeName"].is_string() && !self.containers.lock().unwrap().contains_key(name) {
                *number += 1;
                let address = format!("10.64.{}.{number}", self.number);
                match Container::start(&self.around, pod, address) {
                    Ok(container) => drop(self.containers.lock().unwrap().insert(name.clone(), container)),
                    Err(why) => drop(io::Write::write_all(&mut io::stderr(), format!("{name}: {why}\n").as_bytes())),
                }
            }
        }
        for container in self.containers.lock().unwrap().values_mut() {
            self.attend(container);
        }
    }

    /// Follows what a container's files come from, and tells the cluster how it is.
    fn attend(&self, container: &mut Container) {
        drop(container.follow(&self.around.api));
        let runs = container.runs(&self.around.keeper);
        let ready = runs && container.is_ready();
        if !runs {
            container.start_again(&self.around.keeper);
        }
        if container.ready == Some(ready) && runs {
            return;
        }
        let condition = |kind: &str, is_so: bool| json!({ "type": kind, "status": if is_so { "True" } else { "False" } });
        let specified = &container.pod["spec"]["containers"][0];
        let state = json!({
            "name": specified["name"], "image": specified["image"], "imageID": "", "containerID": format!("process://{}", name(&container.pod)),
            "ready": ready, "started": true, "restartCount": container.restarts, "state": { "running": {} },
        });
        let conditions = [("PodScheduled", true), ("Initialized", true), ("ContainersReady", ready), ("Ready", ready)];
        let status = json!({ "status": {
            "phase": "Running", "podIP": container.address, "podIPs": [{ "ip": container.address }],
            "conditions": conditions.map(|(kind, is_so)| condition(kind, is_so)), "containerStatuses": [state],
        } });
        let path = format!("/api/v1/namespaces/{}/pods/{}/status", part(&container.pod, "namespace"), part(&container.pod, "name"));
        let told = self.around.api.try_send("PATCH", &path, "application/merge-patch+json", status.to_string());
        if told.is_ok_and(|answer| answer.code.is_success()) {
            container.ready = Some(ready);
        }
    }

    /// Runs a command in a container.
    fn execute(&self, ordered: &Ordered) -> Ends {
        let command = self.containers.lock().unwrap().get(&ordered.pod).map(|container| container.beside(&ordered.command));
        let Some(Ok(output)) = command.map(|mut command| command.output()) else {
            return Ends::NotStarted(format!("there is no container `{}` in pod `{}`", ordered.container, ordered.pod));
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output.status.code().and_then(|code| u8::try_from(code).ok()) {
            // So `chroot` tells of programs that are not there.
            Some(126 | 127) | None => Ends::NotStarted(text(&output.stderr)),
            Some(code) => Ends::With(code, text(&output.stdout), text(&output.stderr)),
        }
    }

    /// The address of a pod that is ready, and its port, behind the address and the port of a Service.
    fn behind(&self, host: &str, port: u64) -> Option<(String, u16)> {
        let api = &self.around.api;
        let services = api.get("/api/v1/services")?;
        let service = services["items"].as_array()?.iter().find(|service| service["spec"]["clusterIP"] == host)?;
        let named = service["spec"]["ports"].as_array()?.iter().find(|one| one["port"] == port)?;
        let labels = format!("kubernetes.io%2Fservice-name%3D{}", part(service, "name"));
        let slices =
            api.get(&format!("/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices?labelSelector={labels}", part(service, "namespace")))?;
        slices["items"].as_array()?.iter().find_map(|slice| {
            let port = slice["ports"].as_array()?.iter().find(|one| one["name"] == named["name"])?["port"].as_u64()?;
            let ready = slice["endpoints"].as_array()?.iter().find(|endpoint| endpoint["conditions"]["ready"] == true)?;
            Some((ready["addresses"][0].as_str()?.to_owned(), u16::try_from(port).ok()?))
        })
    }

    /// Who opens connections to a pod.
    fn network(&self, address: &str) -> Option<tokio::runtime::Handle> {
        let containers = self.containers.lock().unwrap();
        containers.values().find(|container| container.address == address).map(Container::network)
    }
}

/// Connects to the kubelet of any node, or to what is behind the address of a Service.
async fn dial(shared: Arc<Shared>, (address, kubelet): (String, SocketAddr)) -> io::Result<TcpStream> {
    let unknown = || io::Error::other(format!("nobody answers at {address}"));
    let (host, port) = address.rsplit_once(':').ok_or_else(unknown)?;
    let port: u16 = port.parse().map_err(|_| unknown())?;
    if port == KUBELET {
        return TcpStream::connect(kubelet).await;
    }
    let host = host.to_owned();
    // Looking takes its time, and may wait for who waits for the threads of this runtime.
    let found = spawn_blocking(move || {
        let (pod, port) = shared.behind(&host, port.into())?;
        Some((shared.network(&pod)?, port))
    });
    let (network, port) = found.await?.ok_or_else(unknown)?;
    network.spawn(TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await?
}

/// The port of a cluster's API server.
fn port(cluster: &ApiServer) -> u16 {
    cluster.admin().server.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap()
}

fn part<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"][key].as_str().unwrap_or_default()
}

/// The name of a pod with its namespace.
fn name(pod: &Value) -> String {
    format!("{}/{}", part(pod, "namespace"), part(pod, "name"))
}
