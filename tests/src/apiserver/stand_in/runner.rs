//! A node whose pods run: of each the first container, as a process of this machine.
//!
//! Nothing holds such a process together but itself: no image is pulled, no file of the machine is hidden from it, and its network is that of the
//! test. What it writes to the file of its termination message stands in the pod's status once it has ended.

use super::super::{Api, ApiServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

/// How often it looks for pods.
const TURN: Duration = Duration::from_millis(100);

/// A node at work, until it is dropped.
pub struct Runner {
    stop: Arc<AtomicBool>,
    ran: Arc<Mutex<Vec<Value>>>,
    loops: Option<JoinHandle<()>>,
}

impl Runner {
    /// Makes a node, and runs what pods there are with this label, and those to come.
    pub fn start(cluster: &ApiServer, node: &str, label: &str) -> Self {
        let object = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node, "labels": { "kubernetes.io/os": "linux" } } });
        cluster.api().make("/api/v1/nodes", &object);
        let (stop, ran): (Arc<AtomicBool>, Arc<Mutex<Vec<Value>>>) = Default::default();
        let (api, node, path) =
            (cluster.api().clone(), node.to_owned(), format!("/api/v1/pods?labelSelector={}", label.replace('/', "%2F")));
        let loops = spawn({
            let (stop, ran) = (stop.clone(), ran.clone());
            move || {
                let mut seen = BTreeSet::new();
                while !stop.load(Ordering::SeqCst) {
                    let pods = api.call("GET", &path, None).done();
                    for pod in pods["items"].as_array().unwrap() {
                        let uid = pod["metadata"]["uid"].as_str().unwrap().to_owned();
                        if pod["metadata"]["deletionTimestamp"].is_string() {
                            api.call("DELETE", &of(pod), Some(&json!({ "gracePeriodSeconds": 0 })));
                        } else if seen.insert(uid) {
                            ran.lock().unwrap().push(pod.clone());
                            let (api, node, pod) = (api.clone(), node.clone(), pod.clone());
                            drop(spawn(move || run(&api, &node, &pod)));
                        }
                    }
                    sleep(TURN);
                }
            }
        });
        Self { stop, ran, loops: Some(loops) }
    }

    /// The pods that it ran so far, as they were made.
    pub fn ran(&self) -> Vec<Value> {
        self.ran.lock().unwrap().clone()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(self.loops.take().map(JoinHandle::join));
    }
}

fn of(pod: &Value) -> String {
    let part = |name: &str| pod["metadata"][name].as_str().unwrap().to_owned();
    format!("/api/v1/namespaces/{}/pods/{}", part("namespace"), part("name"))
}

/// Takes a pod to the node, runs its container, and tells how that ended. What is deleted meanwhile needs no word any more.
fn run(api: &Api, node: &str, pod: &Value) {
    let path = of(pod);
    let target = json!({ "apiVersion": "v1", "kind": "Node", "name": node });
    let binding = json!({ "apiVersion": "v1", "kind": "Binding", "metadata": { "name": pod["metadata"]["name"] }, "target": target });
    api.call("POST", &format!("{path}/binding"), Some(&binding));
    let container = &pod["spec"]["containers"][0];
    let tell = |phase: &str, state: Value| {
        let status = json!({
            "name": container["name"], "image": container["image"], "imageID": "", "ready": false, "restartCount": 0,
            "containerID": "process://1", "state": state,
        });
        api.call("PATCH", &format!("{path}/status"), Some(&json!({ "status": { "phase": phase, "containerStatuses": [status] } })));
    };
    tell("Running", json!({ "running": {} }));
    let (code, message) = ended(container);
    let (phase, reason) = if code == 0 { ("Succeeded", "Completed") } else { ("Failed", "Error") };
    tell(phase, json!({ "terminated": { "exitCode": code, "reason": reason, "message": message } }));
}

/// The exit code of a container and its message, of which a node keeps 4096 bytes.
fn ended(container: &Value) -> (i32, String) {
    let words = |name: &str| container[name].as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned());
    let line: Vec<String> = words("command").chain(words("args")).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let message = container["terminationMessagePath"].as_str().unwrap();
    let variables = container["env"].as_array().into_iter().flatten().map(|variable| {
        let value = variable["value"].as_str().unwrap().replace(message, file.path().to_str().unwrap());
        (variable["name"].as_str().unwrap().to_owned(), value)
    });
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).envs(variables);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let mut said = std::fs::read(file.path()).unwrap();
    said.truncate(4096);
    (status.code().unwrap_or(137), String::from_utf8_lossy(&said).into_owned())
}
