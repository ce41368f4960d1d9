//! The kinds that every supported server has: of these nothing is asked.

use super::discover::Served;

/// API version, whether namespaces hold its objects, and kinds with their plural: their name in small letters with an `s` unless it is given.
type Group = (&'static str, bool, &'static [(&'static str, &'static str)]);

/// Kinds that every supported server has.
const BUILTIN: &[Group] = &[
    ("v1", false, &[("Namespace", ""), ("Node", ""), ("PersistentVolume", "")]),
    (
        "v1",
        true,
        &[
            ("ConfigMap", ""),
            ("Endpoints", "endpoints"),
            ("LimitRange", ""),
            ("PersistentVolumeClaim", ""),
            ("Pod", ""),
            ("ResourceQuota", ""),
            ("Secret", ""),
            ("Service", ""),
            ("ServiceAccount", ""),
        ],
    ),
    ("apps/v1", true, &[("DaemonSet", ""), ("Deployment", ""), ("ReplicaSet", ""), ("StatefulSet", "")]),
    ("batch/v1", true, &[("CronJob", ""), ("Job", "")]),
    ("autoscaling/v2", true, &[("HorizontalPodAutoscaler", "")]),
    ("policy/v1", true, &[("PodDisruptionBudget", "")]),
    ("networking.k8s.io/v1", true, &[("Ingress", "ingresses"), ("NetworkPolicy", "networkpolicies")]),
    ("rbac.authorization.k8s.io/v1", true, &[("Role", ""), ("RoleBinding", "")]),
    ("rbac.authorization.k8s.io/v1", false, &[("ClusterRole", ""), ("ClusterRoleBinding", "")]),
    ("apiextensions.k8s.io/v1", false, &[("CustomResourceDefinition", "")]),
    ("apiregistration.k8s.io/v1", false, &[("APIService", "")]),
    ("admissionregistration.k8s.io/v1", false, &[("MutatingWebhookConfiguration", ""), ("ValidatingWebhookConfiguration", "")]),
    ("storage.k8s.io/v1", false, &[("StorageClass", "storageclasses")]),
    ("scheduling.k8s.io/v1", false, &[("PriorityClass", "priorityclasses")]),
];

/// How a kind that every server has is served; nothing for all others.
pub(crate) fn builtin(api_version: &str, kind: &str) -> Option<Served> {
    BUILTIN.iter().filter(|(version, ..)| *version == api_version).find_map(|(_, namespaced, kinds)| {
        let (_, plural) = kinds.iter().find(|(name, _)| *name == kind)?;
        let plural = if plural.is_empty() { format!("{}s", kind.to_lowercase()) } else { (*plural).to_owned() };
        Some(Served { plural, namespaced: *namespaced })
    })
}

/// The API version of a kind that every server has.
pub(crate) fn builtin_version(group: &str, kind: &str) -> Option<&'static str> {
    let of_group = BUILTIN.iter().filter(|(version, ..)| version.rsplit_once('/').map_or("", |(group, _)| group) == group);
    of_group.filter(|(.., kinds)| kinds.iter().any(|(name, _)| *name == kind)).map(|(version, ..)| *version).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_kinds_need_no_question() {
        let paths = [
            ("v1", "Namespace", Some("x"), "/api/v1/namespaces"),
            ("v1", "Secret", Some("x"), "/api/v1/namespaces/x/secrets"),
            ("v1", "Secret", None, "/api/v1/secrets"),
            ("networking.k8s.io/v1", "NetworkPolicy", Some("x"), "/apis/networking.k8s.io/v1/namespaces/x/networkpolicies"),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", None, "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
        ];
        for (api_version, kind, namespace, path) in paths {
            let served = builtin(api_version, kind).expect(kind);
            assert_eq!(served.collection(api_version, namespace), path);
        }
        assert_eq!(builtin("v1", "Deployment"), None);
        assert_eq!(builtin("networking.istio.io/v1", "Gateway"), None);
    }
}
