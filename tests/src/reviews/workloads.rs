//! What runs, and what scales and keeps it.

use super::{Case, Rendering};
use serde_json::{Value as Json, json};

impl Rendering<'_> {
    pub(super) fn workloads(&self) -> Vec<Json> {
        let gateways = ["istio-ingressgateway", "istio-eastwestgateway"];
        let mut all = vec![self.control_plane()];
        all.extend(gateways.map(|name| self.gateway(name)));
        all.extend(["istio-cni-node", "ztunnel"].map(|name| self.node_agent(name)));
        for name in ["istiod", "istio-ingressgateway"] {
            all.push(json!({
                "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": self.metadata(name, "istiod"),
                "spec": {
                    "minReplicas": 1, "maxReplicas": 5, "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": name },
                    "metrics": [{ "type": "Resource", "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 } } }],
                },
            }));
            all.push(json!({
                "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": self.metadata(name, "istiod"),
                "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": name } } },
            }));
        }
        all
    }

    fn image(&self, name: &str) -> String {
        format!("registry.example.org/istio/{name}:{}", self.word(Case::Upgrade, "1.26.3", "1.27.0"))
    }

    fn control_plane(&self) -> Json {
        let variable = |name: &str, value: &str| json!({ "name": name, "value": value });
        let mut environment = vec![
            variable("REVISION", "default"),
            variable("PILOT_CERT_PROVIDER", "istiod"),
            json!({ "name": "POD_NAME", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }),
            json!({ "name": "POD_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }),
            variable("CLUSTER_ID", self.cluster),
            json!({ "name": "PILOT_TRACE_SAMPLING", "value": self.pick(Case::Upgrade, "1", "0.1") }),
        ];
        environment.extend(self.goes(Case::Upgrade, variable("PILOT_ENABLE_ANALYSIS", "false")));
        environment.extend(self.comes(Case::Upgrade, variable("PILOT_ENABLE_AMBIENT", "true")));
        let discovery = json!({
            "name": "discovery", "image": self.image("pilot"), "imagePullPolicy": "IfNotPresent",
            "args": ["discovery", "--monitoringAddr=:15014", "--log_output_level=default:info", "--domain", "cluster.local",
                self.pick(Case::Upgrade, "--keepaliveMaxServerConnectionAge=30m", "--keepaliveMaxServerConnectionAge=15m")],
            "ports": [
                { "containerPort": 8080, "protocol": "TCP", "name": "http-debug" }, { "containerPort": 15010, "protocol": "TCP", "name": "grpc-xds" },
                { "containerPort": 15012, "protocol": "TCP", "name": "tls-xds" }, { "containerPort": 15017, "protocol": "TCP", "name": "webhooks" },
            ],
            "env": environment,
            "readinessProbe": { "httpGet": { "path": "/ready", "port": 8080 }, "initialDelaySeconds": 1, "periodSeconds": 3, "timeoutSeconds": 5 },
            "resources": { "requests": { "cpu": "500m", "memory": "2048Mi" } },
            "securityContext": { "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true },
            "volumeMounts": [
                { "name": "istio-token", "mountPath": "/var/run/secrets/tokens", "readOnly": true },
                { "name": "cacerts", "mountPath": "/etc/cacerts", "readOnly": true },
                { "name": "local-certs", "mountPath": "/var/run/secrets/istio-dns" },
            ],
        });
        let beside = |name: &str| json!({ "name": name, "image": format!("registry.example.org/tools/{name}:2.4"), "args": [format!("--cluster={}", self.cluster)] });
        let mut containers = vec![discovery, beside("audit"), beside("metrics")];
        if self.counts(Case::Reordered, 1) {
            containers.rotate_right(1);
        }
        let volumes = json!([
            { "name": "local-certs", "emptyDir": { "medium": "Memory" } },
            { "name": "istio-token", "projected": { "sources": [{ "serviceAccountToken": { "audience": "istio-ca", "expirationSeconds": 43200, "path": "istio-token" } }] } },
            { "name": "cacerts", "secret": { "secretName": "cacerts", "optional": true } },
        ]);
        self.deployment(
            "istiod",
            &json!({ "app": "istiod" }),
            &json!({ "serviceAccountName": "istiod", "containers": containers, "volumes": volumes }),
        )
    }

    fn gateway(&self, name: &str) -> Json {
        let proxy = json!({
            "name": "istio-proxy", "image": self.image("proxyv2"), "args": ["proxy", "router", "--domain", "$(POD_NAMESPACE).svc.cluster.local"],
            "ports": [{ "containerPort": 15021, "protocol": "TCP", "name": "status-port" }, { "containerPort": 8443, "protocol": "TCP", "name": "https" }],
            "env": [{ "name": "ISTIO_META_NETWORK", "value": format!("network-{}", self.cluster) }],
            "resources": { "requests": { "cpu": "100m", "memory": self.pick(Case::Upgrade, "128Mi", "160Mi") }, "limits": { "memory": "1024Mi" } },
        });
        let mut app = json!({ "app": name });
        if name == "istio-eastwestgateway" {
            // Selectors never change in place. The label stands in the pods as well.
            let renamed = self.counts(Case::Upgrade, 2);
            app["istio"] = json!(if renamed { "eastwestgateway" } else { "eastwest" });
        }
        self.deployment(name, &app, &json!({ "serviceAccountName": "istio-ingressgateway", "containers": [proxy] }))
    }

    fn deployment(&self, name: &str, app: &Json, pods: &Json) -> Json {
        let mut labels = app.clone();
        labels["sidecar.istio.io/inject"] = json!("false");
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": self.metadata(name, "istiod"),
            "spec": {
                "replicas": 1, "selector": { "matchLabels": app },
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "100%", "maxUnavailable": "25%" } },
                "template": { "metadata": { "labels": labels, "annotations": { "prometheus.io/port": "15014", "prometheus.io/scrape": "true" } }, "spec": pods },
            },
        })
    }

    fn node_agent(&self, name: &str) -> Json {
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": self.metadata(name, "cni"),
            "spec": {
                "selector": { "matchLabels": { "k8s-app": name } },
                "template": {
                    "metadata": { "labels": { "k8s-app": name } },
                    "spec": {
                        "hostNetwork": true, "priorityClassName": "system-node-critical",
                        "tolerations": [{ "operator": "Exists", "effect": "NoSchedule" }, { "operator": "Exists", "effect": "NoExecute" }],
                        "containers": [{ "name": "agent", "image": self.image(name), "securityContext": { "privileged": false } }],
                    },
                },
            },
        })
    }
}
