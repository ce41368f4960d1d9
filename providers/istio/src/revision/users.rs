//! Who uses a revision: pods that its control plane injected or serves, tags that name it, and namespaces that choose it.

use super::{DEFAULT, REV, TAG, revision_of};
use crate::operator::ISTIO_OPERATOR;
use engine::schema::{Usage, User};
use engine::value::Value;
use futures::future::join_all;
use kubernetes::{Cluster, Json};
use std::collections::BTreeMap;

/// Pods of the mesh have this label, whoever gave it to them: the injector, or the chart of a gateway.
pub(crate) const IN_MESH: &str = "service.istio.io/canonical-revision";
/// What the injector writes down of what it did.
const STATUS: &str = "sidecar.istio.io/status";
/// Pods and objects of an installation name their `IstioOperator` by it.
const OWNER: &str = "install.operator.istio.io/owning-resource";
const TAGS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/// A controller of pods, by namespace and name, with the uids of what made it.
type Sets = BTreeMap<(String, String), Vec<String>>;

/// Who uses the revision of an object; why that cannot be told, as a fragment.
pub(super) async fn usage(cluster: &Cluster, manifest: &Value) -> Result<Usage, String> {
    let revision = revision_of(manifest).unwrap_or(DEFAULT);
    let own = (manifest.text("kind") == Some(ISTIO_OPERATOR)).then(|| manifest.get("metadata")?.text("name")).flatten();
    let pods = cluster.listed("/api/v1/pods", IN_MESH).await?;
    let pods: Vec<_> = pods.iter().filter(|pod| runs(pod, revision) && own.is_none_or(|own| label(pod, OWNER) != Some(own))).collect();
    let sets = sets(cluster, &pods).await?;
    let mut users: Vec<_> = pods.into_iter().map(|pod| pod_user(pod, &sets)).collect();
    users.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let tags = cluster.listed(TAGS, TAG).await?;
    users.extend(tags.iter().filter_map(|tag| tag_user(tag, revision)));
    let mut chosen = cluster.listed("/api/v1/namespaces", &format!("{REV}={revision}")).await?;
    let is_moved = tags.iter().any(|tag| label(tag, TAG) == Some(DEFAULT) && label(tag, REV) != Some(DEFAULT));
    if revision == DEFAULT && !is_moved {
        chosen.extend(cluster.listed("/api/v1/namespaces", "istio-injection=enabled").await?);
    }
    users.extend(chosen.iter().map(namespace_user));
    let help = format!(
        "Give their namespaces another revision (`istio.io/rev`), let their workloads start anew, and let tags name another revision; `kubectl get pods -A \
         -l {IN_MESH} -o yaml` shows the revision of each pod in its annotation `{STATUS}`."
    );
    Ok(Usage { subject: format!("the revision `{revision}`"), help: Some(help), users })
}

/// Whether a pod of the mesh runs, or is to run, with a revision.
fn runs(pod: &Json, revision: &str) -> bool {
    let ended = matches!(text(pod, "/status/phase"), Some("Succeeded" | "Failed"));
    let goes = pod.pointer("/metadata/deletionTimestamp").is_some();
    !ended && !goes && of(pod).as_deref() == Some(revision)
}

/// The revision that a pod was injected by; else the one that it names.
fn of(pod: &Json) -> Option<String> {
    let annotation = |name: &str| pod.pointer("/metadata/annotations")?.get(name)?.as_str();
    let status: Option<Json> = annotation(STATUS).and_then(|status| serde_json::from_str(status).ok());
    let told = status.as_ref().and_then(|status| status.get("revision")).and_then(Json::as_str);
    let told = told.filter(|told| !told.is_empty()).or_else(|| annotation(REV)).or_else(|| label(pod, REV));
    // istiods have the label too, and serve nobody through themselves.
    let is_istiod = label(pod, "app") == Some("istiod");
    told.or_else(|| status.is_some().then_some(DEFAULT)).filter(|_| !is_istiod).map(str::to_owned)
}

/// The `ReplicaSet`s of pods with the Deployments that made them.
async fn sets(cluster: &Cluster, pods: &[&Json]) -> Result<Sets, String> {
    let mut sets = Sets::new();
    for pod in pods {
        for (kind, name, _) in owners(pod) {
            if kind == "ReplicaSet" {
                sets.insert((namespace(pod).to_owned(), name.to_owned()), Vec::new());
            }
        }
    }
    // All of a namespace at once: they are as many as its Deployments, and their former versions.
    let mut namespaces: Vec<_> = sets.keys().map(|(namespace, _)| namespace.clone()).collect();
    namespaces.dedup();
    let listed = namespaces
        .iter()
        .map(|namespace| async move { cluster.listed(&format!("/apis/apps/v1/namespaces/{namespace}/replicasets"), "").await });
    for found in join_all(listed).await {
        for set in found? {
            let key = (namespace(&set).to_owned(), text(&set, "/metadata/name").unwrap_or_default().to_owned());
            if let Some(made_by) = sets.get_mut(&key) {
                made_by.extend(owners(&set).map(|(_, _, uid)| uid.to_owned()));
            }
        }
    }
    Ok(sets)
}

fn pod_user(pod: &Json, sets: &Sets) -> User {
    let (namespace, name) = (namespace(pod), text(pod, "/metadata/name").unwrap_or_default());
    let mut holders: Vec<_> = text(pod, "/metadata/uid").into_iter().map(str::to_owned).collect();
    for (_, name, uid) in owners(pod) {
        holders.push(uid.to_owned());
        holders.extend(sets.get(&(namespace.to_owned(), name.to_owned())).into_iter().flatten().cloned());
    }
    holders.extend(label(pod, OWNER).map(|owner| format!("IstioOperator.install.istio.io/{namespace}/{owner}")));
    holders.push(format!("Namespace/{namespace}"));
    User { name: format!("pod `{namespace}/{name}`"), holders, ..User::default() }
}

/// A tag by which namespaces choose the revision. That of an installation without a revision is a part of it.
fn tag_user(tag: &Json, revision: &str) -> Option<User> {
    let name = label(tag, TAG)?;
    if label(tag, REV) != Some(revision) || (name, revision) == (DEFAULT, DEFAULT) {
        return None;
    }
    let object = text(tag, "/metadata/name").unwrap_or_default();
    let mut holders = vec![format!("MutatingWebhookConfiguration.admissionregistration.k8s.io/{object}")];
    holders.extend(text(tag, "/metadata/uid").map(str::to_owned));
    Some(User { name: format!("tag `{name}`"), holders, lets_go: true, warns: false })
}

fn namespace_user(namespace: &Json) -> User {
    let name = text(namespace, "/metadata/name").unwrap_or_default();
    let mut holders = vec![format!("Namespace/{name}")];
    holders.extend(text(namespace, "/metadata/uid").map(str::to_owned));
    User { name: format!("namespace `{name}`, whose next pods would come without a sidecar"), holders, lets_go: true, warns: true }
}

/// Kind, name and uid of what made an object.
fn owners(object: &Json) -> impl Iterator<Item = (&str, &str, &str)> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    owners.iter().filter_map(|owner| Some((text(owner, "/kind")?, text(owner, "/name")?, text(owner, "/uid")?)))
}

fn namespace(object: &Json) -> &str {
    text(object, "/metadata/namespace").unwrap_or_default()
}

fn label<'a>(object: &'a Json, name: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(name)?.as_str()
}

fn text<'a>(object: &'a Json, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(annotations: &Json, labels: &Json, more: &Json) -> Json {
        let mut pod = json!({ "metadata": { "name": "p", "namespace": "n", "uid": "u", "annotations": annotations, "labels": labels } });
        for (key, value) in more.as_object().unwrap() {
            match key.as_str() {
                "status" => pod["status"] = value.clone(),
                _ => pod["metadata"][key] = value.clone(),
            }
        }
        pod
    }

    #[test]
    fn the_injector_says_the_revision_before_labels_do() {
        let status = |revision: &str| json!({ STATUS: json!({ "containers": ["istio-proxy"], "revision": revision }).to_string() });
        for (annotations, labels, expected) in [
            (status("1-30"), json!({ REV: "stable" }), Some("1-30")),
            (json!({ REV: "1-31" }), json!({ REV: "stable" }), Some("1-31")),
            (json!({}), json!({ REV: "1-29" }), Some("1-29")),
            (json!({ STATUS: "{}" }), json!({}), Some("default")),
            (json!({ STATUS: "no JSON" }), json!({}), None),
            (json!({}), json!({ REV: "1-30", "app": "istiod" }), None),
            (json!({}), json!({}), None),
        ] {
            assert_eq!(of(&pod(&annotations, &labels, &json!({}))).as_deref(), expected, "{annotations} {labels}");
        }
    }

    #[test]
    fn pods_that_end_use_nothing() {
        let of_a = |more: &Json| runs(&pod(&json!({ REV: "a" }), &json!({}), more), "a");
        for (more, expected) in [
            (json!({}), true),
            (json!({ "status": { "phase": "Running" } }), true),
            (json!({ "status": { "phase": "Pending" } }), true),
            (json!({ "status": { "phase": "Succeeded" } }), false),
            (json!({ "status": { "phase": "Failed" } }), false),
            (json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" }), false),
        ] {
            assert_eq!(of_a(&more), expected, "{more}");
        }
    }

    #[test]
    fn a_pod_goes_with_all_that_made_it() {
        let owner = json!({ "ownerReferences": [{ "kind": "ReplicaSet", "name": "s", "uid": "set" }] });
        let sets = Sets::from([(("n".to_owned(), "s".to_owned()), vec!["deployment".to_owned()])]);
        let user = pod_user(&pod(&json!({}), &json!({ OWNER: "eastwest" }), &owner), &sets);
        assert_eq!(user.holders, ["u", "set", "deployment", "IstioOperator.install.istio.io/n/eastwest", "Namespace/n"]);
        assert_eq!((user.name.as_str(), user.lets_go, user.warns), ("pod `n/p`", false, false));
    }

    #[test]
    fn tags_that_name_the_revision_use_it() {
        let tag = |name: &str, revision: &str| json!({ "metadata": { "name": format!("istio-revision-tag-{name}"), "labels": { TAG: name, REV: revision } } });
        let named = |name: &str, revision: &str| tag_user(&tag(name, revision), revision).map(|user| user.name);
        assert_eq!(named("stable", "1-30").as_deref(), Some("tag `stable`"));
        assert_eq!(named("default", "1-30").as_deref(), Some("tag `default`"));
        assert_eq!(named("default", "default"), None);
        assert_eq!(tag_user(&tag("stable", "1-30"), "1-31"), None);
    }
}
