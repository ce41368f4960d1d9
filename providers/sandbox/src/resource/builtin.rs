//! The kinds that every server has, as far as a mesh needs them.

use super::{Resource, Scale, Scope};
use std::sync::{Arc, LazyLock};

/// Group and version, kind, plural, short names, and letters for what else it is: `n` held by a namespace, `s` with a status subresource,
/// `r` with a scale subresource, `g` with generations, `a` of the category `all`.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    ("v1", "ConfigMap", "configmaps", "cm", "n"),
    ("v1", "Endpoints", "endpoints", "ep", "n"),
    ("v1", "Event", "events", "ev", "n"),
    ("v1", "LimitRange", "limitranges", "limits", "n"),
    ("v1", "Namespace", "namespaces", "ns", "s"),
    ("v1", "Node", "nodes", "no", "s"),
    ("v1", "PersistentVolume", "persistentvolumes", "pv", "s"),
    ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", "ns"),
    ("v1", "Pod", "pods", "po", "nsa"),
    ("v1", "PodTemplate", "podtemplates", "", "n"),
    ("v1", "ReplicationController", "replicationcontrollers", "rc", "nsrga"),
    ("v1", "ResourceQuota", "resourcequotas", "quota", "ns"),
    ("v1", "Secret", "secrets", "", "n"),
    ("v1", "Service", "services", "svc", "nsa"),
    ("v1", "ServiceAccount", "serviceaccounts", "sa", "n"),
    ("apps/v1", "ControllerRevision", "controllerrevisions", "", "n"),
    ("apps/v1", "DaemonSet", "daemonsets", "ds", "nsga"),
    ("apps/v1", "Deployment", "deployments", "deploy", "nsrga"),
    ("apps/v1", "ReplicaSet", "replicasets", "rs", "nsrga"),
    ("apps/v1", "StatefulSet", "statefulsets", "sts", "nsrga"),
    ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "nsa"),
    ("batch/v1", "CronJob", "cronjobs", "cj", "nsga"),
    ("batch/v1", "Job", "jobs", "", "nsga"),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", "nsg"),
    ("networking.k8s.io/v1", "Ingress", "ingresses", "ing", "nsg"),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", "", "g"),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", "netpol", "ng"),
    ("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", "", "ng"),
    ("coordination.k8s.io/v1", "Lease", "leases", "", "n"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", "", ""),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", "", ""),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", "", "n"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", "", "n"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "", "g"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "", "g"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", "crd crds", "sg"),
    ("apiregistration.k8s.io/v1", "APIService", "apiservices", "", "s"),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", "sc", ""),
    ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", "pc", "g"),
    ("events.k8s.io/v1", "Event", "events", "ev", "n"),
];

static ALL: LazyLock<Vec<Arc<Resource>>> = LazyLock::new(|| ROWS.iter().map(|row| Arc::new(resource(row))).collect());

fn resource((api_version, kind, plural, short_names, traits): &Row) -> Resource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let has = |letter| traits.contains(letter);
    let path = |fields: [&str; 2]| fields.map(str::to_owned).to_vec();
    Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: (*kind).to_owned(),
        plural: (*plural).to_owned(),
        short_names: short_names.split_whitespace().map(str::to_owned).collect(),
        categories: if has('a') { vec!["all".to_owned()] } else { Vec::new() },
        scope: if has('n') { Scope::Namespaced } else { Scope::Cluster },
        status: has('s'),
        scale: has('r').then(|| Scale { wanted: path(["spec", "replicas"]), present: path(["status", "replicas"]) }),
        generations: has('g'),
        schema: None,
    }
}

/// Every built-in kind.
pub(crate) fn builtins() -> &'static [Arc<Resource>] {
    &ALL
}

/// A built-in kind by what stands in URLs.
pub(crate) fn builtin(group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
    ALL.iter().find(|known| known.plural == plural && known.group == group && known.version == version).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_url_and_knows_its_traits() {
        let deployment = builtin("apps", "v1", "deployments").expect("deployments");
        assert_eq!((deployment.kind.as_str(), deployment.qualified().as_str()), ("Deployment", "deployments.apps"));
        assert!(deployment.status && deployment.generations && deployment.scale.is_some());
        let namespace = builtin("", "v1", "namespaces").expect("namespaces");
        assert_eq!((namespace.scope, namespace.api_version().as_str()), (Scope::Cluster, "v1"));
        assert_eq!(namespace.key("ignored", "x").to_string(), "namespaces/x");
        assert!(builtin("apps", "v1beta1", "deployments").is_none() && builtin("", "v1", "deployments").is_none());
    }
}
