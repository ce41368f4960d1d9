//! `istio_remote_clusters`: which clusters every istiod reads, by its own word.

use crate::pods::{Inquiry, PATIENCE, ask};
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{DataSource, Json, Source, Wanted};
use std::collections::{BTreeMap, BTreeSet};

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
            let namespace = arguments.text("namespace").unwrap_or_default();
            let labels = arguments
                .text("revision")
                .map_or_else(|| "app=istiod".to_owned(), |revision| format!("app=istiod,istio.io/rev={revision}"));
            let wanted = Wanted { namespace, name: "", labels: &labels, container: None };
            let inquiry = Inquiry { wanted, program: "pilot-discovery", path: CLUSTERZ };
            let remotes = match ask((arguments, source), inquiry, remotes).await {
                Ok(remotes) => remotes,
                Err(answer) => return answer,
            };
            let clusters = arguments.get("clusters").map(Value::entries).unwrap_or_default();
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
                    // Older istiods list the clusters that secrets tell them of, and not their own.
                    None if name == cluster => {}
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
