//! `istio_remote_clusters`: which clusters every istiod reads, by its own word.

use engine::config::seconds;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};
use futures::future::join_all;
use kubernetes::{Cluster, Container, DataSource, Json, Running, Source, Unusable, Wanted, worst};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long is waited for pods and for their answers, as the language writes it.
const PATIENCE: &str = "30s";
/// Where istiod tells of the clusters that it reads.
const CLUSTERZ: &str = "/debug/clusterz";
/// The status of a cluster whose resources are all read.
const SYNCED: &str = "synced";

/// `data.istio_remote_clusters`.
pub struct RemoteClusters {
    schema: Schema,
}

impl Default for RemoteClusters {
    fn default() -> Self {
        let attributes = vec![
            Attribute::required(
                "clusters",
                Type::map(Type::Reference("cluster")),
                "The clusters whose control planes are asked, by their names in the mesh (`cluster_name`).",
            ),
            Attribute::optional("namespace", Type::String, "The namespace of the control planes.").default(Value::string("istio-system")),
            Attribute::optional(
                "revision",
                Type::String,
                "The revision whose pods are asked (`istio.io/rev`); without it all pods of istiod.",
            ),
            Attribute::optional(
                "expected",
                Type::set(Type::String),
                "The names of the clusters that every control plane should read; without it those of `clusters`.",
            ),
            Attribute::optional("timeout", Type::String, "How long is waited until the pods run, and for the answer of each.")
                .default(Value::string(PATIENCE)),
            Attribute::computed(
                "remotes",
                Type::map(Type::map(Type::map(Type::String))),
                "By cluster, pod of istiod and name of the cluster that it reads: how far it is, such as `synced`, `syncing` or `timeout`.",
            ),
            Attribute::computed(
                "unsynced",
                Type::list(Type::String),
                "A sentence for each cluster that a pod of istiod does not know, or has not wholly read; and for each that it reads and is not expected.",
            ),
        ];
        let doc = "Which clusters the control planes of a mesh read, as `istioctl remote-clusters` shows it: every pod of every istiod is asked, by a command in it. Where pods do not \
            run, the check that asks is not run.";
        let kind = "istio_remote_clusters";
        let schema = Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl DataSource for RemoteClusters {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn probes(&self) -> bool {
        true
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        kubernetes::arguments::timeout_problem(arguments).into_iter().collect()
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let limit = Duration::from_secs(arguments.text("timeout").and_then(seconds).unwrap_or(30));
            let namespace = arguments.text("namespace").unwrap_or_default();
            let labels = arguments
                .text("revision")
                .map_or_else(|| "app=istiod".to_owned(), |revision| format!("app=istiod,istio.io/rev={revision}"));
            let wanted = Wanted { namespace, name: "", labels: &labels, container: None };
            let clusters = arguments.get("clusters").map(Value::entries).unwrap_or_default();
            let asked = clusters.iter().map(|entry| async {
                let told = match source.cluster(&entry.value).await {
                    Ok(cluster) => told(&cluster, wanted, limit).await.map_err(|why| why.answer(&entry.key)),
                    Err(why) => Err(Answer::Unreachable(format!("cluster `{}`: {why}", entry.key).into())),
                };
                (entry.key.to_string(), told)
            });
            let (mut remotes, mut unanswered) = (BTreeMap::new(), Vec::new());
            for (name, told) in join_all(asked).await {
                match told {
                    Ok(told) => drop(remotes.insert(name, told)),
                    Err(answer) => unanswered.push(answer),
                }
            }
            if let Some(answer) = worst(unanswered) {
                return answer;
            }
            let expected = match arguments.get("expected").filter(|expected| !expected.is_null()) {
                Some(expected) => expected.items().iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
                None => clusters.iter().map(|entry| entry.key.to_string()).collect(),
            };
            let unsynced = unsynced(&remotes, &expected).into_iter().map(Value::string).collect();
            let by_pod = |told: &BTreeMap<String, Remotes>| told.iter().map(of_pod).collect::<Json>();
            let shown: Json = remotes.iter().map(|(name, told)| (name.as_str(), by_pod(told))).collect();
            let shown = Value::from_json(&shown);
            Answer::Present(arguments.with_entries([("remotes", shown), ("unsynced", Value::tuple(unsynced))]))
        })
    }
}

fn of_pod((pod, remotes): (&String, &Remotes)) -> (String, Json) {
    (pod.clone(), remotes.iter().map(|(name, status)| (name.clone(), Json::from(status.as_str()))).collect())
}

/// The clusters that one pod reads, and how far it is with each.
type Remotes = BTreeMap<String, String>;

/// What every pod of a cluster's istiod says.
async fn told(cluster: &Cluster, wanted: Wanted<'_>, limit: Duration) -> Result<BTreeMap<String, Remotes>, Unusable> {
    let pods = cluster.running(wanted, limit).await?;
    let asked = pods.iter().map(|pod| async move { (pod.pod.clone(), clusterz(cluster, wanted.namespace, (pod, limit)).await) });
    let mut told = BTreeMap::new();
    for (pod, text) in join_all(asked).await {
        let remotes = text.and_then(|text| remotes(&text));
        let failed = |why| Unusable::NotRunning(format!("`{CLUSTERZ}` of pod `{}/{pod}`: {why}", wanted.namespace));
        told.insert(pod.clone(), remotes.map_err(failed)?);
    }
    Ok(told)
}

/// What a pod says, asked from within: it answers nobody else without credentials of its own.
async fn clusterz(cluster: &Cluster, namespace: &str, (running, limit): (&Running, Duration)) -> Result<Json, String> {
    let command = ["pilot-discovery", "request", "GET", CLUSTERZ].map(str::to_owned);
    let container = Container { namespace, pod: &running.pod, name: &running.container };
    let executed = cluster.exec(container, &command, limit).await?;
    if executed.code != 0 {
        return Err(executed.stderr.lines().last().unwrap_or("the command failed").to_owned());
    }
    serde_json::from_str(&executed.stdout).map_err(|_| "the answer is no JSON".to_owned())
}

/// The clusters in an answer of istiod.
fn remotes(json: &Json) -> Result<Remotes, String> {
    let list = json.as_array().ok_or("the answer is no list of clusters")?;
    let one = |entry: &Json| {
        let status = entry.get("syncStatus").and_then(Json::as_str).unwrap_or("unknown");
        Some((entry.get("id")?.as_str()?.to_owned(), status.to_owned()))
    };
    list.iter().map(|entry| one(entry).ok_or_else(|| "an entry of the answer has no `id`".to_owned())).collect()
}

/// What is not as it should be.
fn unsynced(remotes: &BTreeMap<String, BTreeMap<String, Remotes>>, expected: &BTreeSet<String>) -> Vec<String> {
    let mut told = Vec::new();
    for (cluster, pods) in remotes {
        for (pod, known) in pods {
            for name in expected {
                match known.get(name).map(String::as_str) {
                    Some(SYNCED) => {}
                    Some(status) => told.push(format!("{cluster}: `{pod}` has not read `{name}` ({status})")),
                    None => told.push(format!("{cluster}: `{pod}` does not know `{name}`")),
                }
            }
            let more = known.keys().filter(|name| !expected.contains(*name));
            told.extend(more.map(|name| format!("{cluster}: `{pod}` reads `{name}`, which is not expected")));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_pod_has_to_have_read_every_cluster() {
        let answer = json!([
            { "id": "c1", "secretName": "", "syncStatus": "synced" },
            { "id": "c2", "secretName": "istio-system/istio-remote-secret-c2", "syncStatus": "timeout" },
            { "id": "old", "secretName": "istio-system/istio-remote-secret-old", "syncStatus": "synced" },
        ]);
        let known = remotes(&answer).unwrap();
        let all = BTreeMap::from([("c1".to_owned(), BTreeMap::from([("istiod-a".to_owned(), known)]))]);
        let expected = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(
            unsynced(&all, &expected(&["c1", "c2", "c3"])),
            [
                "c1: `istiod-a` has not read `c2` (timeout)",
                "c1: `istiod-a` does not know `c3`",
                "c1: `istiod-a` reads `old`, which is not expected"
            ]
        );
        assert!(unsynced(&BTreeMap::new(), &expected(&["c1"])).is_empty());
        for wrong in [json!({}), json!([{ "syncStatus": "synced" }]), json!("x")] {
            assert!(remotes(&wrong).is_err(), "{wrong}");
        }
    }
}
