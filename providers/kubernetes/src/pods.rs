//! Pods that a command can run in, and why it cannot in others.

use crate::client::{CallError, Cluster, Selection};
use crate::object_kind::Json;
use engine::question::Answer;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long it takes until pods are looked at again.
const PAUSE: Duration = Duration::from_millis(500);

/// What is said where no pod is meant.
const NOBODY: &str = "neither a name nor labels say which pods are meant";

/// What the scheduler's word about a pod begins with where there is no node at all.
const NO_NODE: &str = "no nodes available";

/// Which pods are meant, and which container of each.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The namespace they lie in.
    pub namespace: &'a str,
    /// The name of the only one; empty for those with the labels.
    pub name: &'a str,
    /// Conditions on labels, as an API server takes them.
    pub labels: &'a str,
    /// The container; the one that `kubectl` takes without it.
    pub container: Option<&'a str>,
}

impl Wanted<'_> {
    /// Whether no pod is meant: without conditions an API server lists all.
    fn is_nobody(&self) -> bool {
        self.name.is_empty() && self.labels.trim().is_empty()
    }
}

/// A pod whose container runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its name.
    pub pod: String,
    /// The container's name.
    pub container: String,
}

/// Why no command can run in a pod, as a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// Pods do not run there.
    NoDataPlane(String),
    /// They do, or should, and this one does not; or it cannot be seen.
    NotRunning(String),
}

impl Unusable {
    /// As the answer to a question, with the cluster that it is about.
    pub fn answer(&self, cluster: &str) -> Answer {
        match self {
            Self::NoDataPlane(why) => Answer::no_data_plane(&format!("{why}, in cluster `{cluster}`")),
            Self::NotRunning(why) => Answer::Unreachable(format!("{why}, in cluster `{cluster}`").into()),
        }
    }
}

impl Cluster {
    /// The pods that are meant, by name, once a container runs in each; waited for at most so long.
    pub async fn running(&self, wanted: Wanted<'_>, limit: Duration) -> Result<Vec<Running>, Unusable> {
        if wanted.is_nobody() {
            return Err(Unusable::NotRunning(NOBODY.to_owned()));
        }
        if !self.runs_pods() {
            return Err(Unusable::NoDataPlane("a sandbox runs no pods".to_owned()));
        }
        // None is further away than a clock can tell.
        let deadline = Instant::now().checked_add(limit);
        let is_over = |now: Instant| deadline.is_some_and(|deadline| now >= deadline);
        loop {
            let not_seen = |error: CallError| Unusable::NotRunning(format!("the pods cannot be listed: {error}"));
            let found = self.meant(wanted).await.map_err(not_seen)?;
            match usable(&found, wanted) {
                Ok(pods) => return Ok(pods),
                Err(Wait { why, may_change: false }) => return Err(why),
                Err(Wait { why, .. }) if is_over(Instant::now() + PAUSE) => return Err(self.judged(why, wanted.namespace).await),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// The pods that are meant and are neither on their way out nor have ended, by name, as they are; or why they cannot be told, as a fragment.
    pub async fn pods(&self, wanted: Wanted<'_>) -> Result<Vec<Json>, String> {
        if wanted.is_nobody() {
            return Err(NOBODY.to_owned());
        }
        let mut found = self.meant(wanted).await.map_err(|error| format!("the pods cannot be listed: {error}"))?;
        found.retain(|pod| pod.pointer("/metadata/deletionTimestamp").is_none() && ended(pod).is_none());
        found.sort_by(|one, other| text(one, "/metadata/name").cmp(text(other, "/metadata/name")));
        Ok(found)
    }

    /// Why a pod has not come to run: where others do, that is a defect of its own.
    async fn judged(&self, why: Unusable, namespace: &str) -> Unusable {
        match why {
            Unusable::NoDataPlane(why) if self.runs_containers(namespace).await => Unusable::NotRunning(why),
            why => why,
        }
    }

    /// Whether a container is seen to run anywhere in the cluster; in the namespace, where not all pods may be listed.
    async fn runs_containers(&self, namespace: &str) -> bool {
        let selection = Selection { labels: "", fields: "status.phase=Running" };
        for path in ["/api/v1/pods".to_owned(), format!("/api/v1/namespaces/{namespace}/pods")] {
            if let Ok(found) = self.selected(&path, selection).await {
                return found.iter().any(runs);
            }
        }
        false
    }

    async fn meant(&self, wanted: Wanted<'_>) -> Result<Vec<Json>, CallError> {
        let fields = if wanted.name.is_empty() { String::new() } else { format!("metadata.name={}", wanted.name) };
        let selection = Selection { labels: wanted.labels, fields: &fields };
        self.selected(&format!("/api/v1/namespaces/{}/pods", wanted.namespace), selection).await
    }
}

/// What is in the way, and whether it may go away by itself.
struct Wait {
    why: Unusable,
    may_change: bool,
}

fn usable(pods: &[Json], wanted: Wanted<'_>) -> Result<Vec<Running>, Wait> {
    let mut running = Vec::new();
    let nodes_run = pods.iter().any(runs);
    // One that is on its way out is none of those that are to be, nor is one that has ended, unless there is no other.
    let staying = pods.iter().filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none());
    let (ended, others): (Vec<&Json>, Vec<&Json>) = staying.partition(|pod| ended(pod).is_some());
    for pod in if others.is_empty() { ended } else { others } {
        let name = text(pod, "/metadata/name");
        let container = standing(pod, wanted.container, nodes_run).map_err(|Wait { why, may_change }| {
            let of = |why: String| format!("pod `{}/{name}` {why}", wanted.namespace);
            let why = match why {
                Unusable::NoDataPlane(why) => Unusable::NoDataPlane(of(why)),
                Unusable::NotRunning(why) => Unusable::NotRunning(of(why)),
            };
            Wait { why, may_change }
        })?;
        running.push(Running { pod: name.to_owned(), container });
    }
    if running.is_empty() {
        let which = if wanted.name.is_empty() { format!("labels `{}`", wanted.labels) } else { format!("name `{}`", wanted.name) };
        let why = format!("there is no pod with the {which} in namespace `{}`", wanted.namespace);
        return Err(Wait { why: Unusable::NotRunning(why), may_change: true });
    }
    running.sort_by(|one, other| one.pod.cmp(&other.pod));
    Ok(running)
}

/// The phase in which a pod has ended, if it has.
fn ended(pod: &Json) -> Option<&str> {
    Some(text(pod, "/status/phase")).filter(|phase| matches!(*phase, "Succeeded" | "Failed"))
}

/// What a node says of the containers of a pod.
fn statuses(pod: &Json) -> impl Iterator<Item = &Json> {
    let lists = ["/status/containerStatuses", "/status/initContainerStatuses"];
    lists.into_iter().filter_map(move |list| pod.pointer(list)?.as_array()).flatten()
}

/// Whether a container of a pod runs, and is there: a node that runs containers says which.
fn runs(pod: &Json) -> bool {
    statuses(pod).any(|status| status.pointer("/state/running").is_some() && !text(status, "/containerID").is_empty())
}

/// The container of a pod that commands run in, if it runs. Where nodes are known to run pods, one that has not come to run is only late.
fn standing(pod: &Json, container: Option<&str>, nodes_run: bool) -> Result<String, Wait> {
    let waits = |why: &str| Wait { why: Unusable::NotRunning(why.to_owned()), may_change: true };
    let still = |why: &str, may_change| Wait { why: Unusable::NoDataPlane(why.to_owned()), may_change };
    // Without a scheduler or a kubelet there is nobody to say why.
    let not_begun = |why: &str| if nodes_run { waits(why) } else { still(why, true) };
    let names = |list: &str| -> Vec<String> {
        let containers = pod.pointer(list).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        containers.iter().map(|container| text(container, "/name").to_owned()).collect()
    };
    let all = [names("/spec/containers"), names("/spec/initContainers")].concat();
    let usual = pod.pointer("/metadata/annotations/kubectl.kubernetes.io~1default-container").and_then(Json::as_str);
    let name = container.or(usual.filter(|name| all.iter().any(|known| known == name))).or(all.first().map(String::as_str));
    let Some(name) = name.filter(|name| all.iter().any(|known| known == name)) else {
        let why = format!("has no container `{}`; it has `{}`", container.unwrap_or_default(), all.join("`, `"));
        return Err(Wait { why: Unusable::NotRunning(why), may_change: false });
    };
    if let Some(phase) = ended(pod) {
        return Err(waits(&format!("has ended ({phase})")));
    }
    if text(pod, "/spec/nodeName").is_empty() {
        return Err(match unschedulable(pod) {
            Some(why) if why.starts_with(NO_NODE) => not_begun(&format!("runs on no node: {why}")),
            Some(why) => waits(&format!("runs on no node: {why}")),
            None => not_begun("runs on no node"),
        });
    }
    let Some(status) = statuses(pod).find(|status| text(status, "/name") == name) else {
        return Err(not_begun("was not started by its node"));
    };
    if status.pointer("/state/running").is_some() {
        if text(status, "/containerID").is_empty() {
            return Err(still(&format!("is said to run, and there is no container `{name}`"), false));
        }
        return Ok(name.to_owned());
    }
    // While one that comes first holds it up, that one tells why.
    let held = text(status, "/state/waiting/reason") == "PodInitializing";
    let first = statuses(pod).filter(|_| held).find(|status| is_in_trouble(status));
    let (status, name) = first.map_or_else(|| (status, name.to_owned()), |first| (first, text(first, "/name").to_owned()));
    for state in ["waiting", "terminated"] {
        let reason = text(status, &format!("/state/{state}/reason"));
        if !reason.is_empty() {
            let message = text(status, &format!("/state/{state}/message")).lines().next().unwrap_or_default();
            let told = if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") };
            return Err(waits(&format!("does not run: container `{name}` is {state} ({told})")));
        }
    }
    Err(waits(&format!("does not run: container `{name}` is not started")))
}

/// Why a scheduler has found no node for a pod, in its words; nothing if it has not said.
fn unschedulable(pod: &Json) -> Option<&str> {
    let conditions = pod.pointer("/status/conditions").and_then(Json::as_array)?;
    let scheduled = conditions.iter().find(|condition| text(condition, "/type") == "PodScheduled")?;
    Some(text(scheduled, "/message")).filter(|message| text(scheduled, "/status") == "False" && !message.is_empty())
}

/// Whether a container waits for something else than its turn, or has ended badly.
fn is_in_trouble(status: &Json) -> bool {
    let waits = text(status, "/state/waiting/reason");
    let code = status.pointer("/state/terminated/exitCode").and_then(Json::as_i64).unwrap_or_default();
    (!waits.is_empty() && waits != "PodInitializing") || code != 0
}

fn text<'a>(json: &'a Json, at: &str) -> &'a str {
    json.pointer(at).and_then(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::slice::from_ref;

    fn pod(node: &str, phase: &str, state: &Json, id: &str) -> Json {
        let spec = json!({ "nodeName": node, "containers": [{ "name": "app" }, { "name": "istio-proxy" }] });
        let statuses = if state.is_null() { json!([]) } else { json!([{ "name": "app", "state": state, "containerID": id }]) };
        json!({ "metadata": { "name": "p" }, "spec": spec, "status": { "phase": phase, "containerStatuses": statuses } })
    }

    fn told(pods: &[Json], container: Option<&str>) -> Result<Vec<Running>, (Unusable, bool)> {
        let wanted = Wanted { namespace: "sample", name: "", labels: "app=sleep", container };
        usable(pods, wanted).map_err(|Wait { why, may_change }| (why, may_change))
    }

    #[test]
    fn only_a_container_that_is_there_can_be_used() {
        let running = json!({ "running": { "startedAt": "T" } });
        let no_data_plane = |why: &str, may_change| (Unusable::NoDataPlane(format!("pod `sample/p` {why}")), may_change);
        let not_running = |why: &str, may_change| (Unusable::NotRunning(format!("pod `sample/p` {why}")), may_change);
        for (pod, expected) in [
            (pod("", "Pending", &Json::Null, ""), no_data_plane("runs on no node", true)),
            (pod("n", "Pending", &Json::Null, ""), no_data_plane("was not started by its node", true)),
            (pod("n", "Running", &running, ""), no_data_plane("is said to run, and there is no container `app`", false)),
            (
                pod("n", "Pending", &json!({ "waiting": { "reason": "ImagePullBackOff" } }), ""),
                not_running("does not run: container `app` is waiting (ImagePullBackOff)", true),
            ),
            (
                pod("n", "Running", &json!({ "terminated": { "reason": "OOMKilled" } }), "c://1"),
                not_running("does not run: container `app` is terminated (OOMKilled)", true),
            ),
            (pod("n", "Running", &json!({}), "c://1"), not_running("does not run: container `app` is not started", true)),
            (pod("n", "Failed", &running, "c://1"), not_running("has ended (Failed)", true)),
        ] {
            assert_eq!(told(&[pod], None), Err(expected));
        }
        let there = pod("n", "Running", &running, "containerd://1");
        let found = |container: &str| Ok(vec![Running { pod: "p".to_owned(), container: container.to_owned() }]);
        assert_eq!(told(from_ref(&there), None), found("app"));
        let missing = not_running("has no container `x`; it has `app`, `istio-proxy`", false);
        assert_eq!(told(from_ref(&there), Some("x")), Err(missing));
        let mut leaving = pod("", "Pending", &Json::Null, "");
        leaving["metadata"]["deletionTimestamp"] = "T".into();
        let ended = pod("n", "Succeeded", &json!({ "terminated": { "reason": "Completed" } }), "c://1");
        assert_eq!(told(&[leaving.clone(), ended.clone(), there.clone()], None), found("app"));
        assert_eq!(told(&[leaving.clone(), ended], None), Err(not_running("has ended (Succeeded)", true)));
        // Where another runs, there is a data plane.
        for (node, why) in [("", "runs on no node"), ("n", "was not started by its node")] {
            let late = pod(node, "Pending", &Json::Null, "");
            assert_eq!(told(&[there.clone(), late], None), Err(not_running(why, true)));
        }
        let none = Unusable::NotRunning("there is no pod with the labels `app=sleep` in namespace `sample`".to_owned());
        assert_eq!(told(&[leaving], None), Err((none, true)));
    }

    #[test]
    fn a_pod_that_does_not_come_to_run_tells_why() {
        let told = |pod: &Json| told(from_ref(pod), None).expect_err("it does not run").0;
        let not_running = |why: &str| Unusable::NotRunning(format!("pod `sample/p` {why}"));
        let mut unbound = pod("", "Pending", &Json::Null, "");
        for (message, expected) in [
            (
                "no nodes available to schedule pods",
                Unusable::NoDataPlane("pod `sample/p` runs on no node: no nodes available to schedule pods".to_owned()),
            ),
            ("0/3 nodes are available: 3 Insufficient cpu.", not_running("runs on no node: 0/3 nodes are available: 3 Insufficient cpu.")),
        ] {
            unbound["status"]["conditions"] =
                json!([{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message }]);
            assert_eq!(told(&unbound), expected);
        }
        let pull = json!({ "waiting": { "reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\"\nmore" } });
        let why = "does not run: container `app` is waiting (ImagePullBackOff: Back-off pulling image \"x\")";
        assert_eq!(told(&pod("n", "Pending", &pull, "")), not_running(why));
        // A container that has to end first holds up the others.
        let mut held = pod("n", "Pending", &json!({ "waiting": { "reason": "PodInitializing" } }), "");
        held["spec"]["initContainers"] = json!([{ "name": "istio-init" }]);
        for (state, why) in [
            (pull, "container `istio-init` is waiting (ImagePullBackOff: Back-off pulling image \"x\")"),
            (json!({ "terminated": { "reason": "Error", "exitCode": 1 } }), "container `istio-init` is terminated (Error)"),
            (json!({ "running": {} }), "container `app` is waiting (PodInitializing)"),
        ] {
            held["status"]["initContainerStatuses"] = json!([{ "name": "istio-init", "state": state }]);
            assert_eq!(told(&held), not_running(&format!("does not run: {why}")));
        }
    }

    #[tokio::test]
    async fn where_other_pods_run_one_that_does_not_is_no_want_of_a_data_plane() {
        let fake = crate::fake::Fake::new();
        let wanted = Wanted { namespace: "sample", name: "", labels: "app=p", container: None };
        let mut waits = pod("", "Pending", &Json::Null, "");
        waits["metadata"]["namespace"] = "sample".into();
        fake.put("/api/v1/namespaces/sample/pods/p", waits);
        let why = "pod `sample/p` runs on no node".to_owned();
        assert_eq!(fake.cluster().running(wanted, Duration::ZERO).await, Err(Unusable::NoDataPlane(why.clone())));
        let mut other = pod("n", "Running", &json!({ "running": {} }), "containerd://1");
        (other["metadata"]["namespace"], other["metadata"]["name"]) = ("kube-system".into(), "other".into());
        fake.put("/api/v1/namespaces/kube-system/pods/other", other);
        assert_eq!(fake.cluster().running(wanted, Duration::ZERO).await, Err(Unusable::NotRunning(why)));
    }

    #[tokio::test]
    async fn without_a_name_and_labels_no_pod_is_meant() {
        let fake = crate::fake::Fake::new();
        let wanted = Wanted { namespace: "sample", name: "", labels: "", container: None };
        let why = Unusable::NotRunning(NOBODY.to_owned());
        assert_eq!(fake.cluster().running(wanted, Duration::MAX).await, Err(why));
        assert_eq!(fake.cluster().pods(wanted).await, Err(NOBODY.to_owned()));
        assert!(fake.asked().is_empty());
    }

    #[tokio::test]
    async fn pods_that_stay_are_told_as_they_are() {
        let fake = crate::fake::Fake::new();
        for (name, more) in [
            ("b", json!({})),
            ("a", json!({ "status": { "phase": "Running" } })),
            ("gone", json!({ "status": { "phase": "Failed" } })),
            ("leaving", json!({ "metadata": { "name": "leaving", "deletionTimestamp": "T" } })),
        ] {
            let mut pod = json!({ "metadata": { "name": name } });
            pod.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            fake.put(&format!("/api/v1/namespaces/sample/pods/{name}"), pod);
        }
        let wanted = Wanted { namespace: "sample", name: "", labels: "app=sleep", container: None };
        let found = fake.cluster().pods(wanted).await.unwrap();
        let names: Vec<_> = found.iter().map(|pod| text(pod, "/metadata/name")).collect();
        assert_eq!(names, ["a", "b"]);
        fake.refuse("GET /api/v1/namespaces/sample/pods", 403);
        let why = fake.cluster().pods(wanted).await.unwrap_err();
        assert!(why.starts_with("the pods cannot be listed: "), "{why}");
    }

    #[test]
    fn the_container_is_the_one_that_kubectl_takes() {
        let mut pod = pod("n", "Running", &json!({ "running": {} }), "c://1");
        pod["metadata"]["annotations"] = json!({ "kubectl.kubernetes.io/default-container": "istio-proxy" });
        pod["status"]["containerStatuses"][0]["name"] = "istio-proxy".into();
        let found = told(&[pod], None).unwrap();
        assert_eq!(found[0].container, "istio-proxy");
    }
}
