//! Proxies in pods of a kubelet that is played, as far as draining goes: a drained one makes its pod unready, and one that was told to quit is
//! another container a moment later. No Envoy runs, and nothing is handed on.

use super::super::{Api, ApiServer};
use super::kubelet::{Ends, Kubelet, Ordered};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The container of a proxy.
const PROXY: &str = "istio-proxy";
/// How long it takes until the API server hears of it.
const DELAY: Duration = Duration::from_millis(300);

/// What proxies do when they are told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// As they are told.
    Obey,
    /// Nothing, and say that they cannot.
    Refuse,
    /// As they are told, and nobody hears them say so.
    KeepSilent,
    /// They say that they do, and nothing comes of it.
    Ignore,
    /// One that quits comes back, and its pod never is ready again.
    StayUnready,
}

/// All proxies of a cluster.
#[derive(Clone)]
pub struct Proxies {
    api: Api,
    conduct: Arc<Mutex<Conduct>>,
    started: Arc<AtomicU64>,
}

impl Proxies {
    /// Those of a cluster, which obey.
    pub fn of(cluster: &ApiServer) -> Self {
        Self { api: cluster.api().clone(), conduct: Arc::new(Mutex::new(Conduct::Obey)), started: Arc::default() }
    }

    /// From now on they behave so.
    pub fn behave(&self, conduct: Conduct) {
        *self.conduct.lock().unwrap() = conduct;
    }

    /// What a command comes to, if it asks the administration interface of a proxy for something.
    pub fn answer(&self, ordered: &Ordered) -> Option<Ends> {
        let command: Vec<_> = ordered.command.iter().map(String::as_str).collect();
        let ["pilot-agent", "request", "POST", told @ ("drain_listeners" | "quitquitquit")] = command[..] else { return None };
        if ordered.container != PROXY {
            return Some(Ends::NotStarted("no such program".to_owned()));
        }
        let conduct = *self.conduct.lock().unwrap();
        if !matches!(conduct, Conduct::Refuse | Conduct::Ignore) {
            let (proxies, pod, quits) = (self.clone(), ordered.pod.clone(), told == "quitquitquit");
            drop(std::thread::spawn(move || {
                std::thread::sleep(DELAY);
                if quits { proxies.start_again(&pod, conduct != Conduct::StayUnready) } else { proxies.set_ready(&pod, false) }
            }));
        }
        Some(match conduct {
            Conduct::Refuse => Ends::With(1, String::new(), "Error: no proxy answers\n".to_owned()),
            Conduct::KeepSilent => Ends::Unheard,
            _ => Ends::With(0, "OK\n".to_owned(), String::new()),
        })
    }

    /// Makes a pod with an application and a proxy, which is ready.
    pub fn pod(&self, kubelet: &Kubelet<'_>, (namespace, name): (&str, &str), (labels, policy): (&Value, &str)) {
        let containers = json!([{ "name": "app", "image": "none" }, { "name": PROXY, "image": "none" }]);
        let spec = json!({ "nodeName": kubelet.node(), "restartPolicy": policy, "containers": containers });
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": labels }, "spec": spec });
        self.api.make(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
        self.start_again(&format!("{namespace}/{name}"), true);
    }

    /// Starts the proxy of a pod (`namespace/name`) once more, as its node does when it ended.
    pub fn start_again(&self, pod: &str, is_ready: bool) {
        self.change(pod, |status| {
            let id = self.started.fetch_add(1, Ordering::SeqCst) + 1;
            for container in status["containerStatuses"].as_array_mut().unwrap() {
                let is_proxy = container["name"] == PROXY;
                if is_proxy || container["containerID"].is_null() {
                    container["containerID"] = format!("containerd://{id}-{}", container["name"].as_str().unwrap()).into();
                }
            }
        });
        self.set_ready(pod, is_ready);
    }

    /// Whether the API server says that a pod is ready.
    pub fn is_ready(&self, pod: &str) -> bool {
        let pod = self.api.get(&path(pod)).unwrap();
        pod["status"]["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    }

    fn set_ready(&self, pod: &str, is_ready: bool) {
        self.change(pod, |status| {
            let word = if is_ready { "True" } else { "False" };
            status["conditions"] = ["Ready", "ContainersReady"].iter().map(|kind| json!({ "type": kind, "status": word })).collect();
        });
    }

    fn change(&self, pod: &str, change: impl FnOnce(&mut Value)) {
        let Some(live) = self.api.get(&path(pod)) else { return };
        let mut status = live["status"].clone();
        status["phase"] = "Running".into();
        if status["containerStatuses"].as_array().is_none_or(Vec::is_empty) {
            let names = live["spec"]["containers"].as_array().unwrap().iter();
            let running = |container: &Value| json!({ "name": container["name"], "ready": true, "restartCount": 0, "image": "none", "imageID": "", "state": { "running": {} } });
            status["containerStatuses"] = names.map(running).collect();
        }
        change(&mut status);
        // A pod that goes in between is none whose status matters.
        drop(self.api.call("PATCH", &format!("{}/status", path(pod)), Some(&json!({ "status": status }))));
    }
}

/// The path of a pod.
fn path(pod: &str) -> String {
    let (namespace, name) = pod.split_once('/').unwrap();
    format!("/api/v1/namespaces/{namespace}/pods/{name}")
}
