//! Errands: pods that are made for a moment, do one thing, and whose status says what came of it.
//!
//! What a pod has to say is its container's termination message. So nothing is asked of its node: who may make, read, list and delete pods in a
//! namespace may send one there.

use crate::client::{Answered, Cluster, Plain, Selection};
use crate::object_kind::Json;
use crate::pods::Unusable;
use jiff::Timestamp;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep, timeout};

/// The label of such pods. Its value is the errand's name.
const LABEL: &str = "meshplan/errand";
/// The file whose text becomes the message; the first 4096 bytes of it.
const MESSAGE: &str = "/dev/termination-log";
/// How long it takes until a pod is looked at again.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the deletion of a pod is waited for whose run is interrupted.
const FAREWELL: Duration = Duration::from_secs(5);
/// How much older than its own time a pod is, in seconds, before it counts as left behind.
const GRACE: i64 = 10;

/// What a pod is to do.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// What it is for: the value of a label, and part of the pod's name.
    pub name: &'a str,
    /// Where the pod lies.
    pub namespace: &'a str,
    /// Its image, which has `/bin/sh`.
    pub image: &'a str,
    /// Labels and annotations that it has beside its own.
    pub marks: &'a [(&'a str, &'a str)],
    /// A script of `sh`, which writes what there is to say to the file that the variable `OUT` names.
    pub script: &'a str,
    /// Its arguments.
    pub arguments: &'a [String],
    /// Its variables.
    pub environment: &'a BTreeMap<String, String>,
    /// How long the pod has, from its making to its end.
    pub limit: Duration,
}

impl Errand<'_> {
    /// The pod. It has no rights, no account, and no way to change its node or itself: what the strictest of the pod security standards asks for.
    fn pod(&self, name: &str) -> Json {
        let marks = || self.marks.iter().map(|(name, value)| ((*name).to_owned(), Json::from(*value))).collect::<Map<_, _>>();
        let mut labels = marks();
        labels.insert(LABEL.to_owned(), self.name.into());
        labels.insert("app.kubernetes.io/managed-by".to_owned(), "meshplan".into());
        let given = self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let variables: Vec<_> = given.chain([("OUT", MESSAGE)]).map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let words: Vec<&str> = ["sh"].into_iter().chain(self.arguments.iter().map(String::as_str)).collect();
        let container = json!({
            "name": self.name,
            "image": self.image,
            "command": ["/bin/sh", "-c", self.script],
            "args": words,
            "env": variables,
            "resources": { "requests": { "cpu": "10m", "memory": "32Mi" }, "limits": { "cpu": "500m", "memory": "256Mi" } },
            "terminationMessagePath": MESSAGE,
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
        });
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": name, "namespace": self.namespace, "labels": labels, "annotations": marks() },
            "spec": {
                "containers": [container],
                "restartPolicy": "Never",
                "activeDeadlineSeconds": self.limit.as_secs().max(1),
                "terminationGracePeriodSeconds": 1,
                "automountServiceAccountToken": false,
                "enableServiceLinks": false,
                "nodeSelector": { "kubernetes.io/os": "linux" },
                "securityContext": {
                    "runAsNonRoot": true,
                    "runAsUser": 65532,
                    "runAsGroup": 65532,
                    "seccompProfile": { "type": "RuntimeDefault" },
                },
            },
        })
    }
}

impl Cluster {
    /// Sends a pod on an errand, and gives what it says. It is deleted whatever comes of it, also if this is dropped meanwhile; and so are pods of
    /// such errands in its namespace that a killed run left behind.
    pub async fn send(self: &Arc<Self>, errand: Errand<'_>) -> Result<String, Unusable> {
        if !self.runs_pods() {
            return Err(Unusable::NoDataPlane("a sandbox runs no pods".to_owned()));
        }
        let collection = format!("/api/v1/namespaces/{}/pods", errand.namespace);
        let name = format!("meshplan-{}-{:08x}", errand.name, random());
        let sent = Sent { cluster: self.clone(), path: format!("{collection}/{name}"), is_gone: false };
        let named = |why: &str| format!("pod `{}/{name}` {why}", errand.namespace);
        let said = match self.plain(Plain::Create(&collection, &errand.pod(&name))).await {
            Ok(made) => {
                if let Answered::Done(made) = made {
                    self.clear(&collection, errand.name, &made).await;
                }
                self.heard_of(&sent.path, errand.limit).await.map_err(|why| match why {
                    Unusable::NoDataPlane(why) => Unusable::NoDataPlane(named(&why)),
                    Unusable::NotRunning(why) => Unusable::NotRunning(named(&why)),
                })
            }
            Err(why) => Err(Unusable::NotRunning(format!("no pod can be made in namespace `{}`: {why}", errand.namespace))),
        };
        match (sent.end().await, said) {
            (Err(why), Ok(_)) => Err(Unusable::NotRunning(named(&format!("has done its errand and cannot be deleted: {why}")))),
            (_, said) => said,
        }
    }

    /// What a pod says once it has ended.
    async fn heard_of(&self, path: &str, limit: Duration) -> Result<String, Unusable> {
        // None is further away than a clock can tell.
        let deadline = Instant::now().checked_add(limit);
        loop {
            let standing = match self.plain(Plain::Get(path)).await {
                Ok(Answered::Done(pod)) => standing(&pod),
                Ok(_) => return Err(Unusable::NotRunning("was deleted by somebody else".to_owned())),
                Err(why) => return Err(Unusable::NotRunning(format!("cannot be read: {why}"))),
            };
            match standing {
                Standing::Said(text) => return Ok(text),
                Standing::Never(why) => return Err(why),
                Standing::Waits(why) if deadline.is_some_and(|deadline| Instant::now() + PAUSE >= deadline) => return Err(why),
                Standing::Waits(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Deletes pods of such errands that are so much older than this one that nobody waits for them any more. The clock is the server's.
    async fn clear(&self, collection: &str, name: &str, made: &Json) {
        let Some(now) = created(made) else { return };
        let labels = format!("{LABEL}={name}");
        // Who may not list pods can send one all the same.
        let found = self.selected(collection, Selection { labels: &labels, fields: "" }).await.unwrap_or_default();
        for pod in found.iter().filter(|pod| is_left(pod, now)) {
            if let Some(name) = pod.pointer("/metadata/name").and_then(Json::as_str) {
                drop(self.plain(Plain::Delete(&format!("{collection}/{name}"))).await);
            }
        }
    }
}

fn created(pod: &Json) -> Option<i64> {
    let text = pod.pointer("/metadata/creationTimestamp")?.as_str()?;
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Whether a pod had all its time, and some more.
fn is_left(pod: &Json, now: i64) -> bool {
    let time = pod.pointer("/spec/activeDeadlineSeconds").and_then(Json::as_i64).unwrap_or_default();
    created(pod).is_some_and(|created| created.saturating_add(time).saturating_add(GRACE) < now)
}

/// Names need to differ, and nothing else.
fn random() -> u32 {
    let bytes = RandomState::new().build_hasher().finish().to_le_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// A pod that was sent, until it is gone.
struct Sent {
    cluster: Arc<Cluster>,
    path: String,
    is_gone: bool,
}

impl Sent {
    /// Deletes it. One that was never made is gone as well.
    async fn end(mut self) -> Result<(), String> {
        let ended = self.cluster.plain(Plain::Delete(&self.path)).await;
        // Whoever waited for it has heard why not; a second try would say the same.
        self.is_gone = true;
        ended.map(drop)
    }
}

impl Drop for Sent {
    /// Whoever interrupts a run waits until its pod is deleted: nothing runs any more after that.
    fn drop(&mut self) {
        if self.is_gone {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if runtime.runtime_flavor() == RuntimeFlavor::MultiThread {
            let deleted = async { timeout(FAREWELL, self.cluster.plain(Plain::Delete(&self.path))).await };
            drop(block_in_place(|| runtime.block_on(deleted)));
        }
    }
}

/// How far a pod is with its errand.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// It has ended well, and says this.
    Said(String),
    /// It may end yet; why it did not so far.
    Waits(Unusable),
    /// It will not end well.
    Never(Unusable),
}

fn standing(pod: &Json) -> Standing {
    let text = |at: &str| pod.pointer(at).and_then(Json::as_str).unwrap_or_default();
    let of = |at: &str| text(&format!("/status/containerStatuses/0{at}"));
    let not_running = |why: String| Unusable::NotRunning(why);
    let still = |why: &str| Unusable::NoDataPlane(why.to_owned());
    if let Some(ended) = pod.pointer("/status/containerStatuses/0/state/terminated") {
        let (message, reason) = (of("/state/terminated/message"), of("/state/terminated/reason"));
        if of("/containerID").is_empty() && message.is_empty() {
            return Standing::Never(still("is said to have ended, and there was no container"));
        }
        let code = ended.get("exitCode").and_then(Json::as_i64).unwrap_or_default();
        if code == 0 {
            return Standing::Said(message.to_owned());
        }
        let why = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(reason);
        return Standing::Never(not_running(format!("ended with exit code {code}: {why}")));
    }
    if matches!(text("/status/phase"), "Failed" | "Succeeded") {
        return Standing::Never(not_running(with("was ended", text("/status/reason"), text("/status/message"))));
    }
    if pod.pointer("/status/containerStatuses/0/state/running").is_some() {
        if of("/containerID").is_empty() {
            return Standing::Never(still("is said to run, and there is no container"));
        }
        return Standing::Waits(not_running("did not end in time".to_owned()));
    }
    let (reason, message) = (of("/state/waiting/reason"), of("/state/waiting/message"));
    if !reason.is_empty() {
        let why = not_running(with("did not start in time", reason, message));
        return if reason == "InvalidImageName" { Standing::Never(why) } else { Standing::Waits(why) };
    }
    if !text("/spec/nodeName").is_empty() {
        return Standing::Waits(still("was not started by its node"));
    }
    let conditions = pod.pointer("/status/conditions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let scheduled = conditions.iter().find(|condition| condition.get("type").and_then(Json::as_str) == Some("PodScheduled"));
    let why = scheduled.and_then(|condition| condition.get("message")).and_then(Json::as_str).unwrap_or_default();
    if why.is_empty() { Standing::Waits(still("runs on no node")) } else { Standing::Waits(not_running(format!("runs on no node: {why}"))) }
}

/// Words with a reason and a message, as far as there are some.
fn with(words: &str, reason: &str, message: &str) -> String {
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let message = message.lines().next().unwrap_or_default();
    if message.is_empty() { format!("{words}{reason}") } else { format!("{words}{reason}: {message}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;

    const PODS: &str = "/api/v1/namespaces/probing/pods";

    fn pod(node: &str, phase: &str, state: &Json, id: &str) -> Json {
        let statuses = if state.is_null() { json!([]) } else { json!([{ "name": "x", "state": state, "containerID": id }]) };
        json!({ "spec": { "nodeName": node }, "status": { "phase": phase, "containerStatuses": statuses } })
    }

    #[test]
    fn a_pod_that_says_nothing_is_told_from_one_that_cannot() {
        let not_running = |why: &str| Unusable::NotRunning(why.to_owned());
        let still = |why: &str| Unusable::NoDataPlane(why.to_owned());
        let ended =
            |code: u8, reason: &str, message: &str| json!({ "terminated": { "exitCode": code, "reason": reason, "message": message } });
        let waiting = |reason: &str| json!({ "waiting": { "reason": reason, "message": "it is so\nand more" } });
        let mut unscheduled = pod("", "Pending", &Json::Null, "");
        unscheduled["status"]["conditions"] = json!([{ "type": "PodScheduled", "status": "False", "message": "0/3 nodes are available" }]);
        let mut evicted = pod("n", "Failed", &Json::Null, "");
        evicted["status"]["reason"] = "Evicted".into();
        for (pod, expected) in [
            (pod("n", "Succeeded", &ended(0, "Completed", "0 7\n"), "c://1"), Standing::Said("0 7\n".to_owned())),
            (
                pod("n", "Failed", &ended(3, "Error", "\nthere is no curl\n"), "c://1"),
                Standing::Never(not_running("ended with exit code 3: there is no curl")),
            ),
            (
                pod("n", "Failed", &ended(137, "OOMKilled", ""), "c://1"),
                Standing::Never(not_running("ended with exit code 137: OOMKilled")),
            ),
            (
                pod("n", "Succeeded", &ended(0, "Completed", ""), ""),
                Standing::Never(still("is said to have ended, and there was no container")),
            ),
            (evicted, Standing::Never(not_running("was ended (Evicted)"))),
            (pod("n", "Running", &json!({ "running": {} }), "c://1"), Standing::Waits(not_running("did not end in time"))),
            (pod("n", "Running", &json!({ "running": {} }), ""), Standing::Never(still("is said to run, and there is no container"))),
            (
                pod("n", "Pending", &waiting("ImagePullBackOff"), ""),
                Standing::Waits(not_running("did not start in time (ImagePullBackOff): it is so")),
            ),
            (
                pod("n", "Pending", &waiting("InvalidImageName"), ""),
                Standing::Never(not_running("did not start in time (InvalidImageName): it is so")),
            ),
            (pod("n", "Pending", &Json::Null, ""), Standing::Waits(still("was not started by its node"))),
            (pod("", "Pending", &Json::Null, ""), Standing::Waits(still("runs on no node"))),
            (unscheduled, Standing::Waits(not_running("runs on no node: 0/3 nodes are available"))),
        ] {
            assert_eq!(standing(&pod), expected, "{pod}");
        }
    }

    #[test]
    fn pods_are_left_behind_once_nobody_can_be_waiting() {
        let pod = |created: &str| json!({ "metadata": { "creationTimestamp": created }, "spec": { "activeDeadlineSeconds": 60 } });
        let now = created(&pod("2026-01-01T00:10:00Z")).unwrap();
        for (made, expected) in [
            ("2026-01-01T00:10:00Z", false),
            ("2026-01-01T00:08:50Z", false),
            ("2026-01-01T00:08:49Z", true),
            ("2025-12-31T00:00:00Z", true),
            ("yesterday", false),
        ] {
            assert_eq!(is_left(&pod(made), now), expected, "{made}");
        }
    }

    fn errand(environment: &BTreeMap<String, String>, limit: Duration) -> Errand<'_> {
        let (namespace, image, marks) = ("probing", "curl", &[("sidecar.istio.io/inject", "false")]);
        Errand { name: "x", namespace, image, marks, script: "true", arguments: &[], environment, limit }
    }

    /// What is left of pods in the namespace.
    fn left(fake: &Fake) -> Vec<String> {
        fake.0.lock().unwrap().objects.keys().filter(|path| path.starts_with(PODS)).cloned().collect()
    }

    #[tokio::test]
    async fn a_pod_is_gone_whatever_became_of_its_errand() {
        let environment = BTreeMap::new();
        let ended =
            |code: u8| pod("n", "Succeeded", &json!({ "terminated": { "exitCode": code, "message": "said" } }), "c://1")["status"].take();
        for (status, expected) in [(ended(0), Ok("said".to_owned())), (ended(1), Err(true)), (json!({ "phase": "Pending" }), Err(false))] {
            let fake = Fake::new();
            fake.0.lock().unwrap().made_with = status;
            let old = json!({ "metadata": { "name": "old", "creationTimestamp": "2020-01-01T00:00:00Z" }, "spec": {} });
            fake.put(&format!("{PODS}/old"), old);
            let said = Arc::new(fake.cluster()).send(errand(&environment, Duration::from_millis(20))).await;
            let told = said.map_err(|why| matches!(why, Unusable::NotRunning(why) if why.contains("ended with exit code 1: said")));
            assert_eq!(told, expected);
            assert_eq!(left(&fake), Vec::<String>::new());
        }
        let fake = Fake::new();
        fake.refuse(&format!("POST {PODS}"), 403);
        let said = Arc::new(fake.cluster()).send(errand(&environment, Duration::ZERO)).await.unwrap_err();
        assert_eq!(said, Unusable::NotRunning("no pod can be made in namespace `probing`: Refused (403)".to_owned()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_pod_is_gone_when_its_run_is_interrupted() {
        let (fake, environment) = (Fake::new(), BTreeMap::new());
        fake.0.lock().unwrap().made_with = json!({ "phase": "Pending" });
        let cluster = Arc::new(fake.cluster());
        let ended = timeout(Duration::from_millis(50), cluster.send(errand(&environment, Duration::from_mins(1)))).await;
        assert!(ended.is_err(), "{ended:?}");
        assert!(fake.asked().iter().any(|asked| asked.starts_with("POST ")));
        assert_eq!(left(&fake), Vec::<String>::new());
    }

    #[tokio::test]
    async fn nothing_is_made_where_no_pods_run() {
        let (fake, environment) = (Fake::new(), BTreeMap::new());
        let cluster = Arc::new(fake.cluster().without_pods());
        let said = cluster.send(errand(&environment, Duration::from_mins(1))).await;
        assert_eq!(said, Err(Unusable::NoDataPlane("a sandbox runs no pods".to_owned())));
        assert!(fake.asked().is_empty());
    }

    #[test]
    fn the_pod_is_what_the_strictest_clusters_admit() {
        let environment = BTreeMap::from([("LIMIT".to_owned(), "5".to_owned())]);
        let pod = errand(&environment, Duration::from_mins(1)).pod("p");
        for (at, expected) in [
            ("/spec/securityContext/runAsNonRoot", json!(true)),
            ("/spec/securityContext/seccompProfile/type", json!("RuntimeDefault")),
            ("/spec/containers/0/securityContext/allowPrivilegeEscalation", json!(false)),
            ("/spec/containers/0/securityContext/capabilities/drop", json!(["ALL"])),
            ("/spec/automountServiceAccountToken", json!(false)),
            ("/spec/restartPolicy", json!("Never")),
            ("/spec/activeDeadlineSeconds", json!(60)),
            ("/metadata/labels/sidecar.istio.io~1inject", json!("false")),
            ("/metadata/annotations/sidecar.istio.io~1inject", json!("false")),
            ("/metadata/labels/meshplan~1errand", json!("x")),
            ("/spec/containers/0/args", json!(["sh"])),
        ] {
            assert_eq!(pod.pointer(at), Some(&expected), "{at}");
        }
    }
}
