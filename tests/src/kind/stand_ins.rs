//! Stand-ins for what runs in clusters of kind: they come with a cluster and go with it.

use crate::apiserver::{Api, StandIns};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Handle;

/// How long a new cluster may be there without them.
const PAUSE: Duration = Duration::from_millis(300);

/// Stand-ins at work in all clusters of a machine, until this is dropped: nodes of their own the clusters have.
pub struct Attended {
    stop: Option<Sender<()>>,
    attending: Option<JoinHandle<()>>,
}

impl Attended {
    pub(super) fn start(host: String, network: Handle) -> Self {
        let (stop, stopped) = channel();
        let attending = std::thread::spawn(move || {
            let mut at_work: BTreeMap<String, StandIns> = BTreeMap::new();
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                // An Engine that does not answer now answers later.
                let Ok(running) = control_planes(&host) else { continue };
                at_work.retain(|run, _| running.contains_key(run));
                for (run, node) in running {
                    if let Entry::Vacant(vacant) = at_work.entry(run)
                        && let Some(api) = ready(&host, &node, &network)
                    {
                        vacant.insert(StandIns::beside_nodes(&api));
                    }
                }
            }
        });
        Self { stop: Some(stop), attending: Some(attending) }
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.attending.take().map(JoinHandle::join));
    }
}

/// The control planes that run, by what is another one after a restart.
fn control_planes(host: &str) -> Result<BTreeMap<String, String>, String> {
    let filters = ["--filter", "label=io.x-k8s.kind.role=control-plane", "--filter", "status=running"];
    let names = docker(host, &[&["ps", "--format", "{{.Names}}"], &filters[..]].concat())?;
    let each = |name: &str| {
        let run = docker(host, &["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", name])?;
        Ok((run, name.to_owned()))
    };
    names.lines().map(each).collect()
}

/// A client of the API server in a node, once it answers.
fn ready(host: &str, node: &str, network: &Handle) -> Option<Api> {
    let api = Api::by_kubeconfig(&way(host, node).ok()?, network);
    let answer = api.try_send("GET", "/readyz", "application/json", String::new());
    answer.is_ok_and(|answer| answer.code.is_success()).then_some(api)
}

/// The kubeconfig of a node's administrator, with the node's address in place of that which is the same within each.
pub(super) fn way(host: &str, node: &str) -> Result<String, String> {
    // It is whole once the node has joined.
    let here = docker(host, &["exec", node, "sh", "-c", "cd /etc/kubernetes && test -e joined && cat here.conf"])?;
    let address = docker(host, &["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", node])?;
    Ok(here.replace("https://127.0.0.1:", &format!("https://{address}:")))
}

fn docker(host: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(["--host", host]).args(arguments).output().map_err(|error| error.to_string())?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
}
