//! What kubeadm leaves of kube-proxy in each cluster, for what changes its configuration and restarts it.

use crate::object::Json;
use serde_json::json;

/// The parts of kube-proxy's configuration that people change, with kubeadm's values.
const CONFIGURATION: &str = "apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clusterCIDR: 10.244.0.0/16
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: \"\"
  strictARP: false
  syncPeriod: 0s
kind: KubeProxyConfiguration
metricsBindAddress: \"\"
mode: \"\"
";

/// The `ConfigMap` `kube-system/kube-proxy`.
pub(crate) fn config_map() -> Json {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "kube-proxy", "namespace": "kube-system", "labels": { "app": "kube-proxy" } },
        "data": { "config.conf": CONFIGURATION },
    })
}

/// The `DaemonSet` `kube-system/kube-proxy` of a version of Kubernetes, given as `v1.30.0`.
pub(crate) fn daemon_set(version: &str) -> Json {
    let container = json!({
        "name": "kube-proxy", "image": format!("registry.k8s.io/kube-proxy:{version}"),
        "command": ["/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf"],
        "volumeMounts": [{ "name": "kube-proxy", "mountPath": "/var/lib/kube-proxy" }],
    });
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": "kube-proxy", "namespace": "kube-system", "labels": { "k8s-app": "kube-proxy" } },
        "spec": {
            "selector": { "matchLabels": { "k8s-app": "kube-proxy" } },
            "template": {
                "metadata": { "labels": { "k8s-app": "kube-proxy" } },
                "spec": { "containers": [container], "volumes": [{ "name": "kube-proxy", "configMap": { "name": "kube-proxy" } }] },
            },
        },
    })
}
