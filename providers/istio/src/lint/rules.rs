//! The rules of mesh lint.

use engine::schema::Rule;

/// Two clusters of one name.
pub(crate) static DUPLICATE_CLUSTER_NAME: Rule = Rule {
    id: "duplicate-cluster-name",
    summary: "duplicate cluster name",
    warning: false,
    finds: "Two control planes of one mesh have the same `cluster_name` in different clusters.",
    why: "Peers tell clusters apart by that name: the first remote secret of a name counts, and the other cluster is never read.",
    help: "Give each cluster of the mesh a name of its own.",
};
/// Trust domains that differ.
pub(crate) static DIFFERENT_TRUST_DOMAINS: Rule = Rule {
    id: "different-trust-domains",
    summary: "different trust domains",
    warning: false,
    finds: "Control planes of one mesh have different trust domains.",
    why: "Workloads refuse the identities of another trust domain, unless it is named as an alias.",
    help: "Give all control planes of a mesh the same `trust_domain`.",
};
/// Roots that differ.
pub(crate) static DIFFERENT_ROOTS: Rule = Rule {
    id: "different-roots",
    summary: "different roots",
    warning: false,
    finds: "The authorities of two control planes of one mesh come from different roots, and do not trust each other's.",
    why: "Every connection between the two clusters fails in its TLS handshake.",
    help: "Let every `ca_intermediate` of the mesh have the same `issuer`.",
};
/// Pods of one address.
pub(crate) static POD_SUBNETS_OVERLAP: Rule = Rule {
    id: "pod-subnets-overlap",
    summary: "pods of two clusters with the same addresses",
    warning: false,
    finds: "Clusters of one mesh and one network, made by kind, give their pods addresses of subnets that overlap.",
    why: "On one network pods are reached by their own addresses: requests for a pod of the other cluster stay in the client's.",
    help: "Give each `kind_cluster` a `networking.pod_subnet` of its own, or each cluster a network of its own.",
};
/// A mesh without a root of its own.
pub(crate) static NO_SHARED_ROOT: Rule = Rule {
    id: "no-shared-root",
    summary: "no shared root",
    warning: true,
    finds: "A control plane with a `mesh_id` has no `cacerts`.",
    why: "Its istiod makes a root of its own at its first start, and the clusters of the mesh do not trust each other.",
    help: "Give an `istio_cacerts` whose intermediate the root of the mesh has issued.",
};
/// A server that leads to the reader's own host.
pub(crate) static LOOPBACK_API_SERVER: Rule = Rule {
    id: "loopback-api-server",
    summary: "server not reachable from peers",
    warning: true,
    finds: "A remote secret, or the account that it is made of, names a loopback address as the API server.",
    why: "The istiod of another cluster asks its own host, never reaches the cluster, and hands out no endpoints of it.",
    help: "Give as `server` the address at which other clusters reach it.",
};
/// An authority that istiod does not find.
pub(crate) static CACERTS_MISNAMED: Rule = Rule {
    id: "cacerts-misnamed",
    summary: "authority under another name",
    warning: false,
    finds: "A Secret in a control plane's namespace holds `ca-cert.pem`, `ca-key.pem` and `root-cert.pem`, and is not called `cacerts`.",
    why: "Istiod does not look at it, and signs with a root that it makes itself.",
    help: "Call the Secret `cacerts`, or use `istio_cacerts`.",
};
/// One cluster with the control planes of two.
pub(crate) static SECOND_CONTROL_PLANE: Rule = Rule {
    id: "second-control-plane",
    summary: "two control planes in one cluster",
    warning: false,
    finds: "Two installations of one revision in the same cluster give it different cluster names, as where one cluster's file is applied to another.",
    why: "The later replaces the control plane of the other, and the cluster that it was meant for has none.",
    help: "Give the installation the cluster that it is meant for, or a `revision` of its own.",
};
/// A namespace that does not say its network.
pub(crate) static NETWORK_LABEL: Rule = Rule {
    id: "network-label",
    summary: "network not on the namespace",
    warning: true,
    finds: "A control plane has a network, and its namespace in the configuration has no label `topology.istio.io/network` with it.",
    why: "Pods that do not say their network are taken for ones of none, and peers are told addresses of pods that they cannot reach.",
    help: "Give the namespace the label `topology.istio.io/network` with the control plane's network.",
};
/// Objects that another installation prunes.
pub(crate) static UNNAMED_ISTIO_OPERATOR: Rule = Rule {
    id: "unnamed-istio-operator",
    summary: "installation without a name",
    warning: true,
    finds: "Rendered objects come from an `IstioOperator` without `metadata.name`.",
    why: "An `istioctl install` of that file prunes by labels that hold no name: also what other installations of the cluster made, such as an east-west gateway.",
    help: "Give the `IstioOperator` a `metadata.name`, and render again.",
};
/// Shares that make no whole.
pub(crate) static ROUTE_WEIGHTS: Rule = Rule {
    id: "route-weights",
    summary: "weights do not sum to 100",
    warning: true,
    finds: "The weights of a `VirtualService`'s route with several destinations do not sum to 100.",
    why: "Istio refuses the rule, or, where weights are shares of their sum, sends other percentages than those that are written.",
    help: "Let the weights of a route sum to 100.",
};
/// Shares of localities that make no whole.
pub(crate) static LOCALITY_WEIGHTS: Rule = Rule {
    id: "locality-weights",
    summary: "locality weights do not sum to 100",
    warning: false,
    finds: "The weights of a `distribute` entry of a `DestinationRule` do not sum to 100.",
    why: "Istio's validation refuses the rule.",
    help: "Let the weights of each `to` sum to 100.",
};
/// Failing over from what is never seen to fail.
pub(crate) static FAILOVER_WITHOUT_OUTLIER_DETECTION: Rule = Rule {
    id: "failover-without-outlier-detection",
    summary: "failover without outlier detection",
    warning: true,
    finds: "A `DestinationRule` has `failover` or `failoverPriority` for localities, and its policy has no `outlierDetection`.",
    why: "Without outlier detection proxies keep no priorities of localities, and nothing fails over.",
    help: "Give the policy an `outlierDetection`.",
};
/// Two ways of choosing localities at once.
pub(crate) static DISTRIBUTE_AND_FAILOVER: Rule = Rule {
    id: "distribute-and-failover",
    summary: "distribute and failover",
    warning: false,
    finds: "One `localityLbSetting` has both `distribute` and `failover`.",
    why: "Istio's validation refuses the rule.",
    help: "Keep one of the two.",
};
/// A locality without nodes.
pub(crate) static UNKNOWN_LOCALITY: Rule = Rule {
    id: "unknown-locality",
    summary: "locality without nodes",
    warning: true,
    finds: "A `DestinationRule` names a region or zone that no node has, though the configuration labels nodes of each cluster with a control plane.",
    why: "The entry says nothing about any pod, and requests go where nobody meant them to.",
    help: "Correct the locality, or the labels of the nodes.",
};
/// Rules of which one is left out.
pub(crate) static VIRTUAL_SERVICES_SHARE_A_HOST: Rule = Rule {
    id: "virtual-services-share-a-host",
    summary: "host in two virtual services",
    warning: true,
    finds: "Two `VirtualService`s of a cluster are for sidecars, can be seen by the same of them, and have a host in common.",
    why: "Sidecars take the older one, and nothing tells that the other is left out.",
    help: "Put the routes of a host into one `VirtualService`, or apply one after the other.",
};
/// Settings of older versions.
pub(crate) static REMOVED_FEATURE: Rule = Rule {
    id: "removed-feature",
    summary: "setting of an older version",
    warning: true,
    finds: "An `IstioOperator` has `addonComponents` or `values.global.meshExpansion`, and its `tag` is of a version without them.",
    why: "The installer refuses the file, or leaves the setting out without a word.",
    help: "Remove the setting.",
};
/// A way in without a door.
pub(crate) static GATEWAY_SELECTS_NOTHING: Rule = Rule {
    id: "gateway-selects-nothing",
    summary: "gateway selects nothing",
    warning: true,
    finds: "A `Gateway` with `AUTO_PASSTHROUGH` selects labels that no gateway of the configuration in its cluster has.",
    why: "Nothing listens for other networks, and their requests are refused.",
    help: "Correct the selector, or the labels of the gateway.",
};
/// A subset that nobody is in.
pub(crate) static SUBSET_WITHOUT_PODS: Rule = Rule {
    id: "subset-without-pods",
    summary: "subset without pods",
    warning: true,
    finds: "A subset of a `DestinationRule` has labels that no pod template of the configuration has, though its host's pods are part of it.",
    why: "Requests to the subset are answered with 503.",
    help: "Correct the labels of the subset, or of the pods.",
};
/// Clusters that cannot reach each other.
pub(crate) static SANDBOX_IN_A_REAL_MESH: Rule = Rule {
    id: "sandbox-in-a-real-mesh",
    summary: "sandbox and real clusters in one mesh",
    warning: false,
    finds: "Control planes of one mesh are in clusters of the sandbox and in real ones.",
    why: "A cluster of the sandbox has no network: real clusters would be given an address that leads nowhere.",
    help: "Give the sandbox clusters a mesh of their own.",
};

/// All of them, in the order of the reference.
pub(crate) static ALL: &[&Rule] = &[
    &DUPLICATE_CLUSTER_NAME,
    &DIFFERENT_TRUST_DOMAINS,
    &DIFFERENT_ROOTS,
    &POD_SUBNETS_OVERLAP,
    &NO_SHARED_ROOT,
    &LOOPBACK_API_SERVER,
    &CACERTS_MISNAMED,
    &SECOND_CONTROL_PLANE,
    &NETWORK_LABEL,
    &UNNAMED_ISTIO_OPERATOR,
    &ROUTE_WEIGHTS,
    &LOCALITY_WEIGHTS,
    &FAILOVER_WITHOUT_OUTLIER_DETECTION,
    &DISTRIBUTE_AND_FAILOVER,
    &UNKNOWN_LOCALITY,
    &VIRTUAL_SERVICES_SHARE_A_HOST,
    &REMOVED_FEATURE,
    &GATEWAY_SELECTS_NOTHING,
    &SUBSET_WITHOUT_PODS,
    &SANDBOX_IN_A_REAL_MESH,
];
