//! What the types of built-in kinds say about merging: `x-kubernetes-list-type`, `-list-map-keys` and `-map-type` of the published API.

/// How one field of a type merges. Fields without a rule merge by default: maps by field, lists as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// A map of this type, by field.
    Into(&'static str),
    /// As a whole.
    Atomic,
    /// A list of values, each once.
    Set,
    /// A list of items of this type, by these keys.
    Keyed(&'static [&'static str], &'static str),
}

use Rule::{Atomic, Into, Keyed, Set};

/// The type of a kind's objects.
pub(crate) fn root(kind: &str) -> &'static str {
    match kind {
        "Pod" => "Pod",
        "Deployment" | "DaemonSet" | "StatefulSet" | "ReplicaSet" | "Job" => "Workload",
        "ReplicationController" => "ReplicationController",
        "CronJob" => "CronJob",
        "PodTemplate" => "PodTemplateSpec",
        "Service" => "Service",
        "ServiceAccount" => "ServiceAccount",
        "Node" => "Node",
        "RoleBinding" | "ClusterRoleBinding" => "RoleBinding",
        "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => "WebhookConfiguration",
        "NetworkPolicy" | "PodDisruptionBudget" => "Selecting",
        "PersistentVolume" => "PersistentVolume",
        "PersistentVolumeClaim" => "PersistentVolumeClaim",
        "Event" => "Event",
        "Ingress" => "Ingress",
        _ => "Conditioned",
    }
}

/// The rule of a type's field.
pub(crate) fn rule(ty: &str, field: &str) -> Option<Rule> {
    let (_, fields) = TYPES.iter().find(|(name, _)| *name == ty)?;
    fields.iter().find(|(name, _)| *name == field).map(|(_, rule)| *rule)
}

const CONTAINERS: Rule = Keyed(&["name"], "Container");
const BY_NAME: Rule = Keyed(&["name"], "");
const BY_TYPE: Rule = Keyed(&["type"], "");

/// The type of items that merge as a whole.
pub(crate) const ATOMIC: &str = "atomic";

type Type = (&'static str, &'static [(&'static str, Rule)]);

const TYPES: &[Type] = &[
    ("ObjectMeta", &[("finalizers", Set), ("ownerReferences", Keyed(&["uid"], ATOMIC))]),
    ("Conditioned", &[("status", Into("ConditionedStatus"))]),
    ("ConditionedStatus", &[("conditions", BY_TYPE)]),
    ("Workload", &[("spec", Into("WorkloadSpec")), ("status", Into("ConditionedStatus"))]),
    ("WorkloadSpec", &[("selector", Atomic), ("template", Into("PodTemplateSpec"))]),
    ("ReplicationController", &[("spec", Into("WorkloadSpec")), ("status", Into("ConditionedStatus"))]),
    ("CronJob", &[("spec", Into("CronJobSpec")), ("status", Into("CronJobStatus"))]),
    ("CronJobSpec", &[("jobTemplate", Into("Workload"))]),
    ("CronJobStatus", &[("active", Rule::Atomic)]),
    ("PodTemplateSpec", &[("metadata", Into("ObjectMeta")), ("spec", Into("PodSpec")), ("template", Into("PodTemplateSpec"))]),
    ("Pod", &[("spec", Into("PodSpec")), ("status", Into("PodStatus"))]),
    (
        "PodStatus",
        &[("conditions", BY_TYPE), ("hostIPs", Keyed(&["ip"], "")), ("podIPs", Keyed(&["ip"], "")), ("resourceClaimStatuses", BY_NAME)],
    ),
    (
        "PodSpec",
        &[
            ("affinity", Into("Affinity")),
            ("containers", CONTAINERS),
            ("ephemeralContainers", CONTAINERS),
            ("hostAliases", Keyed(&["ip"], "")),
            ("imagePullSecrets", BY_NAME),
            ("initContainers", CONTAINERS),
            ("nodeSelector", Atomic),
            ("resourceClaims", BY_NAME),
            ("schedulingGates", BY_NAME),
            ("topologySpreadConstraints", Keyed(&["topologyKey", "whenUnsatisfiable"], "SpreadConstraint")),
            ("volumes", Keyed(&["name"], "Volume")),
        ],
    ),
    ("SpreadConstraint", &[("labelSelector", Atomic)]),
    ("Affinity", &[("nodeAffinity", Into("NodeAffinity"))]),
    ("NodeAffinity", &[("requiredDuringSchedulingIgnoredDuringExecution", Atomic)]),
    (
        "Container",
        &[
            ("env", Keyed(&["name"], "EnvVar")),
            ("ports", Keyed(&["containerPort", "protocol"], "")),
            ("resources", Into("Resources")),
            ("volumeDevices", Keyed(&["devicePath"], "")),
            ("volumeMounts", Keyed(&["mountPath"], "")),
        ],
    ),
    ("Resources", &[("claims", BY_NAME)]),
    ("EnvVar", &[("valueFrom", Into("EnvVarSource"))]),
    ("EnvVarSource", &[("configMapKeyRef", Atomic), ("fieldRef", Atomic), ("resourceFieldRef", Atomic), ("secretKeyRef", Atomic)]),
    ("Volume", &[("csi", Into("SecretRefSource")), ("iscsi", Into("SecretRefSource"))]),
    ("SecretRefSource", &[("nodePublishSecretRef", Atomic), ("secretRef", Atomic)]),
    ("Service", &[("spec", Into("ServiceSpec")), ("status", Into("ConditionedStatus"))]),
    ("ServiceSpec", &[("ports", Keyed(&["port", "protocol"], "")), ("selector", Atomic)]),
    ("ServiceAccount", &[("secrets", Keyed(&["name"], ATOMIC))]),
    ("Node", &[("spec", Into("NodeSpec")), ("status", Into("NodeStatus"))]),
    ("NodeSpec", &[("podCIDRs", Set)]),
    ("NodeStatus", &[("addresses", BY_TYPE), ("conditions", BY_TYPE)]),
    ("RoleBinding", &[("roleRef", Atomic)]),
    ("WebhookConfiguration", &[("webhooks", Keyed(&["name"], "Webhook"))]),
    ("Webhook", &[("matchConditions", BY_NAME), ("namespaceSelector", Atomic), ("objectSelector", Atomic)]),
    ("Selecting", &[("spec", Into("SelectingSpec")), ("status", Into("ConditionedStatus"))]),
    ("SelectingSpec", &[("podSelector", Atomic), ("selector", Atomic)]),
    ("PersistentVolume", &[("spec", Into("PersistentVolumeSpec"))]),
    ("PersistentVolumeSpec", &[("claimRef", Atomic)]),
    ("PersistentVolumeClaim", &[("spec", Into("PersistentVolumeClaimSpec")), ("status", Into("ConditionedStatus"))]),
    ("PersistentVolumeClaimSpec", &[("dataSource", Atomic), ("selector", Atomic)]),
    ("Ingress", &[("spec", Into("IngressSpec"))]),
    ("IngressSpec", &[("defaultBackend", Into("IngressBackend"))]),
    ("IngressBackend", &[("resource", Atomic), ("service", Into("IngressService"))]),
    ("IngressService", &[("port", Atomic)]),
    ("Event", &[("involvedObject", Atomic), ("regarding", Atomic), ("related", Atomic)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_is_named_has_rows_or_none_on_purpose() {
        for (ty, fields) in TYPES {
            for (field, rule) in *fields {
                let (Into(next) | Keyed(_, next)) = rule else { continue };
                let plain = next.is_empty() || *next == ATOMIC;
                assert!(plain || TYPES.iter().any(|(name, _)| name == next), "{ty}.{field} leads to `{next}`");
            }
        }
    }

    #[test]
    fn rules_are_found_by_type_and_field() {
        assert_eq!(rule("Container", "env"), Some(Keyed(&["name"], "EnvVar")));
        assert_eq!(rule("Container", "args"), None);
        assert_eq!(rule("", "ports"), None);
        assert_eq!(rule(root("Deployment"), "spec"), Some(Into("WorkloadSpec")));
    }
}
