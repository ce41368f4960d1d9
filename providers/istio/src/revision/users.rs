//! Who uses a revision: pods that its control plane injected or serves, tags that name it, and namespaces that choose it.

use super::{DEFAULT, REV, TAG, revision_of};
use crate::operator::ISTIO_OPERATOR;
use engine::schema::{Usage, User};
use engine::value::Value;
use futures::future::join_all;
use kubernetes::{Cluster, Json};
use std::collections::{BTreeMap, BTreeSet};

/// Pods of the mesh have this label, whoever gave it to them: the injector, or the chart of a gateway.
pub(crate) const IN_MESH: &str = "service.istio.io/canonical-revision";
/// What the injector writes down of what it did.
const STATUS: &str = "sidecar.istio.io/status";
/// Pods and objects of an installation name their `IstioOperator` by it.
const OWNER: &str = "install.operator.istio.io/owning-resource";
const TAGS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/// The namespace of that `IstioOperator`.
const OWNER_NAMESPACE: &str = "install.operator.istio.io/owning-resource-namespace";
/// What makes pods, and what makes that: kinds with the paths of their lists below a namespace.
const MAKERS: [(&str, &[&str]); 2] =
    [("ReplicaSet", &["apis/apps/v1/%/replicasets", "apis/apps/v1/%/deployments"]), ("Job", &["apis/batch/v1/%/jobs"])];

/// What makes pods, by uid.
type Makers = BTreeMap<String, Json>;

/// Who uses the revision of an object; why that cannot be told, as a fragment.
pub(super) async fn usage(cluster: &Cluster, manifest: &Value) -> Result<Usage, String> {
    let revision = revision_of(manifest).unwrap_or(DEFAULT);
    let pods = cluster.listed("/api/v1/pods", IN_MESH).await?;
    let pods: Vec<_> = pods.iter().filter(|pod| runs(pod, revision)).collect();
    let makers = makers(cluster, &pods).await?;
    // The pods that an operator's resource stands for go with it.
    let own = (manifest.text("kind") == Some(ISTIO_OPERATOR)).then(|| manifest.get("metadata")).flatten();
    let own = own.and_then(|own| Some(installation(own.text("namespace").unwrap_or("default"), own.text("name")?)));
    let home = home(manifest);
    let users = pods.into_iter().map(|pod| pod_user(pod, &makers, home));
    let mut users: Vec<_> = users.filter(|user| own.as_ref().is_none_or(|own| !user.holders.contains(own))).collect();
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

/// What makes these pods, and what makes that. All of a namespace at once: they are as many as its workloads, and their former versions.
async fn makers(cluster: &Cluster, pods: &[&Json]) -> Result<Makers, String> {
    let mut lists = BTreeSet::new();
    for pod in pods {
        for (kind, _) in owners(pod) {
            let of_kind = MAKERS.iter().filter(|(name, _)| *name == kind).flat_map(|(_, paths)| *paths);
            lists.extend(of_kind.map(|path| format!("/{}", path.replace('%', &format!("namespaces/{}", namespace(pod))))));
        }
    }
    let mut makers = Makers::new();
    for found in join_all(lists.iter().map(|list| cluster.listed(list, ""))).await {
        makers.extend(found?.into_iter().filter_map(|maker| Some((text(&maker, "/metadata/uid")?.to_owned(), maker))));
    }
    Ok(makers)
}

/// The namespace of a control plane: it goes after the control plane, and so do those who go with it.
fn home(manifest: &Value) -> Option<&str> {
    if manifest.text("kind") == Some(ISTIO_OPERATOR) {
        return manifest.get("metadata")?.text("namespace");
    }
    manifest.get("webhooks")?.items().iter().find_map(|webhook| webhook.get("clientConfig")?.get("service")?.text("namespace"))
}

/// The identity of an `IstioOperator`.
fn installation(namespace: &str, name: &str) -> String {
    format!("IstioOperator.install.istio.io/{namespace}/{name}")
}

fn pod_user(pod: &Json, makers: &Makers, home: Option<&str>) -> User {
    let (namespace, name) = (namespace(pod), text(pod, "/metadata/name").unwrap_or_default());
    let mut holders: Vec<_> = text(pod, "/metadata/uid").into_iter().map(str::to_owned).collect();
    let mut open = vec![pod];
    while let Some(object) = open.pop() {
        if let Some(owner) = label(object, OWNER) {
            holders.push(installation(label(object, OWNER_NAMESPACE).unwrap_or(namespace), owner));
        }
        for (_, uid) in owners(object) {
            if !holders.iter().any(|holder| holder == uid) {
                holders.push(uid.to_owned());
                open.extend(makers.get(uid));
            }
        }
    }
    if home != Some(namespace) {
        holders.push(format!("Namespace/{namespace}"));
    }
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

/// Kind and uid of what made an object.
fn owners(object: &Json) -> impl Iterator<Item = (&str, &str)> {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    owners.iter().filter_map(|owner| Some((text(owner, "/kind")?, text(owner, "/uid")?)))
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
        let made_by = |kind: &str, uid: &str| json!({ "ownerReferences": [{ "kind": kind, "name": "x", "uid": uid }] });
        let maker = |uid: &str, metadata: &Json| (uid.to_owned(), json!({ "metadata": metadata }));
        let gateway = json!({ "labels": { OWNER: "eastwest", OWNER_NAMESPACE: "istio-system" }, "ownerReferences": [{ "kind": "Gateway", "name": "g", "uid": "gateway" }] });
        let makers = Makers::from([maker("set", &made_by("Deployment", "deployment")), maker("deployment", &gateway)]);
        let pod = pod(&json!({}), &json!({ OWNER: "unknown" }), &made_by("ReplicaSet", "set"));
        let user = pod_user(&pod, &makers, Some("istio-system"));
        let unknown = "IstioOperator.install.istio.io/n/unknown";
        let made = ["u", unknown, "set", "deployment", "IstioOperator.install.istio.io/istio-system/eastwest", "gateway"];
        assert_eq!(user.holders, made.into_iter().chain(["Namespace/n"]).collect::<Vec<_>>());
        assert_eq!((user.name.as_str(), user.lets_go, user.warns), ("pod `n/p`", false, false));
        assert_eq!(pod_user(&pod, &makers, Some("n")).holders, made, "the control plane's own namespace goes after it");
    }

    #[test]
    fn the_home_of_a_control_plane_is_where_its_istiod_is() {
        let service = json!({ "clientConfig": { "service": { "name": "istiod", "namespace": "istio-system" } } });
        for (manifest, expected) in [
            (json!({ "kind": "MutatingWebhookConfiguration", "webhooks": [{ "name": "a" }, service] }), Some("istio-system")),
            (json!({ "kind": "MutatingWebhookConfiguration" }), None),
            (json!({ "kind": "IstioOperator", "metadata": { "namespace": "mesh" } }), Some("mesh")),
        ] {
            assert_eq!(home(&Value::from_json(&manifest)), expected, "{manifest}");
        }
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
