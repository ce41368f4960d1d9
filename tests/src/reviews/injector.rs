//! The `ConfigMap` of the sidecar injector: YAML that holds templates, and JSON that holds values.

use super::{Case, Rendering};
use serde_json::{Value as Json, json};
use std::fmt::Write;

impl Rendering<'_> {
    pub(super) fn injector(&self) -> Json {
        let mut config = "defaultTemplates:\n- sidecar\npolicy: enabled\ntemplates:\n".to_owned();
        for name in ["sidecar", "gateway", "grpc"] {
            writeln!(config, "  {name}: |").unwrap();
            for line in self.template(name).lines() {
                writeln!(config, "    {line}").unwrap();
            }
        }
        let values = json!({
            "global": {
                "hub": "registry.example.org/istio", "tag": self.word(Case::Upgrade, "1.26.3", "1.27.0"),
                "meshID": "mesh1", "network": format!("network-{}", self.cluster), "multiCluster": { "clusterName": self.cluster, "enabled": true },
                "proxy": { "logLevel": "warning", "resources": { "requests": { "cpu": "100m", "memory": self.word(Case::Upgrade, "128Mi", "160Mi") } } },
            },
            "sidecarInjectorWebhook": { "rewriteAppHTTPProbe": true, "templates": {} },
        });
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "istio-sidecar-injector", "namespace": "istio-system", "labels": self.labels("istiod") },
            "data": { "config": config, "values": format!("{values:#}") },
        })
    }

    /// A template of a hundred lines and more, which is no YAML before it is filled.
    fn template(&self, name: &str) -> String {
        let mut text =
            "{{- $containers := list }}\nmetadata:\n  labels:\n    service.istio.io/canonical-name: {{ .Name | quote }}\nspec:\n"
                .to_owned();
        if name == "sidecar" {
            let line = self.word(
                Case::Upgrade,
                "  shareProcessNamespace: {{ .Values.share }}",
                "  shareProcessNamespace: {{ .Values.share | default false }}",
            );
            writeln!(text, "{line}").unwrap();
        }
        text.push_str("  containers:\n  - name: istio-proxy\n");
        let image = self.word(
            Case::Upgrade,
            "\"{{ .Values.global.hub }}/proxyv2:{{ .Values.global.tag }}\"",
            "{{ annotation .ObjectMeta `image` .Values.image }}",
        );
        writeln!(text, "    image: {image}\n    args:").unwrap();
        for at in 0..12 {
            writeln!(text, "    {{{{- if .Values.option{at} }}}}\n    - --option{at}={{{{ .Values.option{at} }}}}\n    {{{{- end }}}}")
                .unwrap();
        }
        text.push_str("    env:\n");
        for at in 0..16 {
            writeln!(text, "    - name: SETTING_{at}\n      value: {{{{ setting {at} }}}}").unwrap();
        }
        text
    }
}
