//! What a control plane consists of beside what runs: rights, settings, services, webhooks, certificates.

use super::{Case, Rendering};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

const OLD_ROOT: &str = include_str!("../../fixtures/reviews/old-root.pem");
const NEW_ROOT: &str = include_str!("../../fixtures/reviews/new-root.pem");
/// What reviewers are told of a certificate, and differs: serial, fingerprint, and both ends of its validity.
const TOLD_OF_A_ROOT: usize = 4;

impl Rendering<'_> {
    pub(super) fn objects(&self) -> Vec<Json> {
        let namespace = |name: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "topology.istio.io/network": format!("network-{}", self.cluster) } } });
        let mut all = vec![namespace("istio-system"), namespace("istio-ingress")];
        all.extend(self.rights());
        all.extend(self.settings());
        all.extend(["istiod", "istio-ingressgateway", "istio-eastwestgateway"].map(|name| self.service(name)));
        all.extend(self.webhooks());
        all.extend(self.custom_objects());
        all
    }

    /// The labels of a chart's objects: two of them are the version.
    pub(super) fn labels(&self, chart: &str) -> Json {
        let version = self.pick(Case::Upgrade, "1.26.3", "1.27.0");
        let chart_version = self.pick(Case::Upgrade, format!("{chart}-1.26.3"), format!("{chart}-1.27.0"));
        json!({ "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/part-of": "istio", "app.kubernetes.io/version": version, "helm.sh/chart": chart_version })
    }

    pub(super) fn metadata(&self, name: &str, chart: &str) -> Json {
        json!({ "name": name, "namespace": "istio-system", "labels": self.labels(chart) })
    }

    fn rights(&self) -> Vec<Json> {
        let mut all = Vec::new();
        for name in ["istiod", "istio-reader-service-account", "istio-ingressgateway"] {
            all.push(json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": self.metadata(name, "base") }));
        }
        let watch = json!(["get", "watch", "list"]);
        for name in ["istiod-clusterrole", "istiod-gateway-controller", "istio-reader-clusterrole", "istio-cni", "istio-cni-repair"] {
            let mut rules = vec![
                json!({ "apiGroups": [""], "resources": ["nodes", "pods", "services", "namespaces", "endpoints"], "verbs": watch }),
                json!({ "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": watch }),
            ];
            if name == "istiod-clusterrole" {
                let classes: Vec<Json> = [Some(json!("gatewayclasses")), self.comes(Case::Upgrade, json!("gatewayclasses/status"))]
                    .into_iter()
                    .flatten()
                    .collect();
                rules.push(json!({ "apiGroups": ["gateway.networking.k8s.io"], "resources": classes, "verbs": ["create", "update"] }));
                rules.extend(self.comes(
                    Case::Upgrade,
                    json!({ "apiGroups": ["inference.networking.k8s.io"], "resources": ["inferencepools"], "verbs": ["get"] }),
                ));
            }
            let metadata = json!({ "name": name, "labels": self.labels("istiod") });
            all.push(json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules }));
            all.push(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": name, "labels": self.labels("istiod") },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
                "subjects": [{ "kind": "ServiceAccount", "name": "istiod", "namespace": "istio-system" }],
            }));
        }
        for name in ["istiod", "istio-ingressgateway-sds"] {
            all.push(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": self.metadata(name, "istiod"),
                "rules": [{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "watch", "list"] }],
            }));
            all.push(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": self.metadata(name, "istiod"),
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
                "subjects": [{ "kind": "ServiceAccount", "name": "istiod", "namespace": "istio-system" }],
            }));
        }
        all
    }

    fn settings(&self) -> Vec<Json> {
        let map = |name: &str, data: Json| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "istio-system" }, "data": data });
        let mesh = format!(
            "accessLogFile: {}\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n  holdApplicationUntilProxyStarts: true\n  \
             proxyMetadata:\n    ISTIO_META_DNS_CAPTURE: \"true\"\n  tracing:\n    sampling: {}\nenablePrometheusMerge: true\nextensionProviders:\n- name: otel\n  \
             opentelemetry:\n    port: 4317\n    service: otel.observability.svc.cluster.local\nrootNamespace: istio-system\ntrustDomain: cluster.local\n",
            self.word(Case::MeshValue, "\"\"", "/dev/stdout"),
            self.word(Case::Upgrade, "1", "0.1"),
        );
        let networks = format!(
            "networks:\n  network-{0}:\n    endpoints:\n    - fromRegistry: {0}\n    gateways:\n    - port: 15443\n      service: istio-eastwestgateway.istio-system.svc.cluster.local\n",
            self.cluster
        );
        let network = json!({ "cniVersion": "0.3.1", "name": "istio-cni", "type": "istio-cni", "log_level": "info", "kubernetes": { "exclude_namespaces": ["kube-system"] } });
        let mut all = vec![
            map("istio", json!({ "mesh": mesh, "meshNetworks": networks })),
            map("istio-ca-root-cert", json!({ "root-cert.pem": self.root() })),
            map("istio-cni-config", json!({ "cni_network_config": format!("{network:#}"), "CNI_NET_DIR": "/etc/cni/net.d" })),
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": { "name": "cacerts", "namespace": "istio-system" },
                "stringData": { "root-cert.pem": self.pick(Case::Rotation, OLD_ROOT, NEW_ROOT), "ca-key.pem": self.pick(Case::Rotation, key("one"), key("two")) },
            }),
        ];
        let moving = |name: &str| map(name, json!({ "revision": "default", "cluster": self.cluster }));
        all.extend(self.goes(Case::Upgrade, moving("istio-leader-hints")));
        all.extend(self.comes(Case::Upgrade, moving("istio-revision-hints")));
        all
    }

    fn root(&self) -> Json {
        json!(if self.counts(Case::Rotation, TOLD_OF_A_ROOT) { NEW_ROOT } else { OLD_ROOT })
    }

    fn service(&self, name: &str) -> Json {
        let port = |name: &str, port: u16| json!({ "name": name, "port": port, "targetPort": port, "protocol": "TCP" });
        let mut ports = vec![port("status-port", 15021), port("tls", 15443), port("tls-istiod", 15012)];
        ports.extend(if name == "istiod" { self.comes(Case::Upgrade, port("http-monitoring", 15014)) } else { None });
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": self.metadata(name, "istiod"),
            "spec": { "type": if name == "istiod" { "ClusterIP" } else { "LoadBalancer" }, "selector": { "app": name }, "ports": ports },
        })
    }

    fn webhooks(&self) -> Vec<Json> {
        let webhook = |name: &str, path: &str| {
            let bundle = self.root();
            json!({
                "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail", "timeoutSeconds": 10,
                "clientConfig": { "caBundle": STANDARD.encode(bundle.as_str().unwrap()), "service": { "name": "istiod", "namespace": "istio-system", "path": path, "port": 443 } },
                "namespaceSelector": { "matchExpressions": [{ "key": "istio-injection", "operator": "In", "values": ["enabled"] }] },
                "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"], "scope": "*" }],
            })
        };
        let all = |kind: &str, name: &str, webhooks: Vec<Json>| json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": name, "labels": self.labels("istiod") }, "webhooks": webhooks });
        let injectors = ["namespace", "object", "rev.namespace", "rev.object"]
            .map(|name| webhook(&format!("{name}.sidecar-injector.istio.io"), "/inject"));
        vec![
            all("MutatingWebhookConfiguration", "istio-sidecar-injector", injectors.to_vec()),
            all("MutatingWebhookConfiguration", "istio-revision-tag-default", vec![webhook("tag.sidecar-injector.istio.io", "/inject")]),
            all("ValidatingWebhookConfiguration", "istio-validator-istio-system", vec![webhook("rev.validation.istio.io", "/validate")]),
        ]
    }

    fn custom_objects(&self) -> Vec<Json> {
        let object = |group: &str, kind: &str, name: &str, spec: Json| json!({ "apiVersion": format!("{group}/v1"), "kind": kind, "metadata": { "name": name, "namespace": "istio-system" }, "spec": spec });
        let route = |name: &str, version: &str| json!({ "name": name, "match": [{ "uri": { "prefix": format!("/{name}") } }], "route": [{ "destination": { "host": "reviews", "subset": version } }] });
        let mut routes = vec![route("beta", "v2"), route("stable", "v1"), route("internal", "v3")];
        if self.counts(Case::Reordered, 1) {
            routes.rotate_right(1);
        }
        vec![
            object("networking.istio.io", "VirtualService", "reviews", json!({ "hosts": ["reviews.example.org"], "http": routes })),
            object("security.istio.io", "PeerAuthentication", "default", json!({ "mtls": { "mode": "STRICT" } })),
            object(
                "telemetry.istio.io",
                "Telemetry",
                "mesh-default",
                json!({ "tracing": [{ "providers": [{ "name": "otel" }], "randomSamplingPercentage": 1 }] }),
            ),
            object(
                "networking.istio.io",
                "Gateway",
                "cross-network-gateway",
                json!({ "selector": { "istio": "eastwestgateway" }, "servers": [{ "port": { "number": 15443, "name": "tls", "protocol": "TLS" }, "tls": { "mode": "AUTO_PASSTHROUGH" }, "hosts": ["*.local"] }] }),
            ),
        ]
    }
}

/// Something in the shape of a key, and none.
fn key(word: &str) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(word.repeat(40)))
}
