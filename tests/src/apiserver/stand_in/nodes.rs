//! Nodes and pods: the real scheduler gives pods to nodes of which kwok says that they are ready, and that their pods run.

use super::super::ApiServer;
use serde_json::json;

/// What becomes of nodes and pods, for kwok: nodes are ready at once, pods run at once, those of Jobs succeed, and what is deleted goes.
///
/// The annotation `meshplan.test/never-ready` keeps a pod running and unready.
const STAGES: &str = include_str!("stages.yaml");

/// What makes pods run that wait to.
const WAITING: &str = "- { key: .status.phase, operator: In, values: [Pending] }";

/// Starts the scheduler and kwok, makes the nodes, and waits until they are ready. Pods of an app that is left out are for somebody else to run.
pub(super) fn start(cluster: &ApiServer, names: &[&str], left_out: Option<&str>) {
    let file = cluster.directory().join("stages.yaml");
    let but = |app: &str| format!("{WAITING}\n      - {{ key: .metadata.labels.app, operator: NotIn, values: [{app}] }}");
    let stages = left_out.map_or_else(|| STAGES.to_owned(), |app| STAGES.replacen(WAITING, &but(app), 1));
    std::fs::write(&file, stages).unwrap();
    let flags = |flags: &[&str]| flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>();
    let scheduler =
        ["--kubeconfig=admin.kubeconfig", "--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000"];
    cluster.run("kube-scheduler", &flags(&scheduler));
    cluster.run("kwok", &flags(&["--kubeconfig=admin.kubeconfig", "--config=stages.yaml", "--manage-all-nodes=true"]));
    for name in names {
        let labels = json!({ "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" });
        cluster.api().make("/api/v1/nodes", &json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels } }));
        // Admission holds new nodes to be unready; the controller that sees that they are ready would want heartbeats from them.
        cluster.api().edit(&format!("/api/v1/nodes/{name}"), &json!({ "spec": { "taints": null } }));
    }
    for name in names {
        cluster.api().wait(&format!("/api/v1/nodes/{name}"), |node| {
            node["status"]["conditions"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
        });
    }
}
