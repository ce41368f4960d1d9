//! Makes workloads ready that no one runs, and says so: `(simulated)`.

use crate::object::{Json, at, items, set};
use crate::store::{Event, Transaction};
use serde_json::json;

/// What stands in every message about readiness.
const SIMULATED: &str = "no containers run in a sandbox (simulated)";

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    let Some(object) = &event.new else { return };
    if crate::object::is_terminating(object) {
        return;
    }
    let status: fn(&Json, &str) -> Json = match &*event.key.resource {
        "deployments.apps" => deployment,
        "statefulsets.apps" | "replicasets.apps" => replicas,
        "daemonsets.apps" => daemon_set,
        "pods" => pod,
        "jobs.batch" => job,
        _ => return,
    };
    let now = transaction.now().to_owned();
    let wanted = status(object, &now);
    if event.key.plural() == "deployments" {
        transaction.control(&event.key, "kube-controller-manager", "", |object| {
            crate::object::set_default(object, &["metadata", "annotations", "deployment.kubernetes.io/revision"], "1");
        });
    }
    transaction.control(&event.key, "kube-controller-manager", "status", |object| {
        for (field, value) in wanted.as_object().into_iter().flatten() {
            if field != "conditions" || differ(items(object, &["status", "conditions"]), value) {
                set(object, &["status", field], value.clone());
            }
        }
    });
}

/// Whether conditions say something else, their times apart.
fn differ(old: &[Json], new: &Json) -> bool {
    let without_times = |condition: &Json| ["type", "status", "reason", "message"].map(|field| condition.get(field).cloned());
    old.iter().map(without_times).collect::<Vec<_>>() != new.as_array().into_iter().flatten().map(without_times).collect::<Vec<_>>()
}

fn generation(object: &Json) -> Json {
    at(object, &["metadata", "generation"]).cloned().unwrap_or_else(|| json!(1))
}

fn wanted(object: &Json) -> Json {
    at(object, &["spec", "replicas"]).cloned().unwrap_or_else(|| json!(1))
}

fn condition(ty: &str, reason: &str, now: &str) -> Json {
    json!({ "type": ty, "status": "True", "reason": reason, "message": SIMULATED, "lastTransitionTime": now, "lastUpdateTime": now })
}

fn deployment(object: &Json, now: &str) -> Json {
    let count = wanted(object);
    json!({
        "observedGeneration": generation(object), "replicas": count, "updatedReplicas": count, "readyReplicas": count, "availableReplicas": count,
        "conditions": [condition("Available", "MinimumReplicasAvailable", now), condition("Progressing", "NewReplicaSetAvailable", now)],
    })
}

fn replicas(object: &Json, now: &str) -> Json {
    let count = wanted(object);
    json!({
        "observedGeneration": generation(object), "replicas": count, "readyReplicas": count, "availableReplicas": count,
        "conditions": [without_update(condition("Available", "MinimumReplicasAvailable", now))],
    })
}

fn daemon_set(object: &Json, now: &str) -> Json {
    json!({
        "observedGeneration": generation(object), "currentNumberScheduled": 1, "desiredNumberScheduled": 1, "numberAvailable": 1,
        "numberMisscheduled": 0, "numberReady": 1, "updatedNumberScheduled": 1,
        "conditions": [without_update(condition("Available", "MinimumReplicasAvailable", now))],
    })
}

fn pod(object: &Json, now: &str) -> Json {
    let containers = items(object, &["spec", "containers"]).iter().map(|container| {
        json!({ "name": container["name"], "image": container["image"], "imageID": "", "ready": true, "restartCount": 0, "started": true,
            "state": { "running": { "startedAt": now } } })
    });
    let started = at(object, &["status", "startTime"]).cloned().unwrap_or_else(|| json!(now));
    // The times of a pod that runs stay as they are.
    let statuses = match at(object, &["status", "containerStatuses"]) {
        Some(known) => known.clone(),
        None => containers.collect(),
    };
    let conditions: Vec<_> = ["PodScheduled", "Initialized", "ContainersReady", "Ready"]
        .iter()
        .map(|ty| without_update(condition(ty, "Simulated", now)))
        .collect();
    json!({ "phase": "Running", "qosClass": "BestEffort", "startTime": started, "containerStatuses": statuses, "conditions": conditions })
}

fn job(object: &Json, now: &str) -> Json {
    if at(object, &["spec", "suspend"]) == Some(&json!(true)) && at(object, &["status", "completionTime"]).is_none() {
        return json!({ "conditions": [without_update(condition("Suspended", "JobSuspended", now))] });
    }
    let time = |field: &str| at(object, &["status", field]).cloned().unwrap_or_else(|| json!(now));
    json!({ "succeeded": 1, "startTime": time("startTime"), "completionTime": time("completionTime"), "conditions": [without_update(condition("Complete", "Simulated", now))] })
}

fn without_update(mut condition: Json) -> Json {
    crate::object::remove(&mut condition, &["lastUpdateTime"]);
    condition
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use super::*;

    fn template() -> Json {
        json!({ "metadata": { "labels": { "app": "a" } }, "spec": { "containers": [{ "name": "c", "image": "i" }] } })
    }

    #[test]
    fn workloads_are_ready_and_say_that_they_are_not_real() {
        let cluster = Cluster::new();
        for (plural, spec) in
            [("deployments", json!({ "replicas": 3 })), ("statefulsets", json!({ "serviceName": "s" })), ("daemonsets", json!({}))]
        {
            let path = format!("/apis/apps/v1/namespaces/default/{plural}");
            let mut object = json!({ "metadata": { "name": "w" }, "spec": spec });
            set(&mut object, &["spec", "selector"], json!({ "matchLabels": { "app": "a" } }));
            set(&mut object, &["spec", "template"], template());
            cluster.create(&path, &object);
            let found = cluster.get(&format!("{path}/w")).expect("there");
            let condition = &found["status"]["conditions"][0];
            assert_eq!((&condition["type"], &condition["status"]), (&json!("Available"), &json!("True")), "{plural}");
            assert!(condition["message"].as_str().is_some_and(|message| message.ends_with("(simulated)")));
        }
        cluster.create("/api/v1/namespaces/default/pods", &json!({ "metadata": { "name": "p" }, "spec": template()["spec"] }));
        assert_eq!(cluster.get("/api/v1/namespaces/default/pods/p").expect("there")["status"]["phase"], json!("Running"));
    }

    #[test]
    fn a_job_that_is_suspended_rests_until_it_is_not() {
        let cluster = Cluster::new();
        let path = "/apis/batch/v1/namespaces/default/jobs";
        let mut job = json!({ "metadata": { "name": "j" }, "spec": { "suspend": true, "template": template() } });
        set(&mut job, &["spec", "template", "spec", "restartPolicy"], json!("Never"));
        cluster.create(path, &job);
        let path = format!("{path}/j");
        let told = || cluster.get(&path).expect("there")["status"]["conditions"][0]["type"].clone();
        assert_eq!(told(), json!("Suspended"));
        cluster.merge(&path, &json!({ "spec": { "suspend": false } }));
        assert_eq!(told(), json!("Complete"));
    }

    #[test]
    fn a_new_generation_is_observed_and_nothing_else_moves() {
        let cluster = Cluster::new();
        let path = "/apis/apps/v1/namespaces/default/deployments";
        let object =
            json!({ "metadata": { "name": "w" }, "spec": { "selector": { "matchLabels": { "app": "a" } }, "template": template() } });
        cluster.create(path, &object);
        let path = format!("{path}/w");
        let before = cluster.get(&path).expect("there");
        cluster.merge(&path, &json!({ "spec": { "replicas": 2 } }));
        let after = cluster.get(&path).expect("there");
        assert_eq!((&after["status"]["observedGeneration"], &after["status"]["readyReplicas"]), (&json!(2), &json!(2)));
        cluster.merge(&path, &json!({ "metadata": { "labels": { "l": "1" } } }));
        let last = cluster.get(&path).expect("there");
        assert_eq!((&last["status"], &last["metadata"]["uid"]), (&after["status"], &before["metadata"]["uid"]));
    }
}
