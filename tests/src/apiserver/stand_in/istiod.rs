//! What istiod writes once it runs, as far as its webhooks are concerned: its authority, and that what it validates counts.

use super::webhook::authority;
use super::{Cluster, name, text};
use serde_json::{Value, json};

/// Under which istiod writes.
const MANAGER: &str = "pilot-discovery";
const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// Gives the webhooks of every istiod that is available an authority.
pub(super) fn trust(cluster: &Cluster<'_>) -> Result<(), String> {
    for plural in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
        for configuration in cluster.list(&format!("{ADMISSION}/{plural}"))? {
            let mut webhooks = configuration["webhooks"].clone();
            let untrusted = |webhook: &Value| text(webhook, &["clientConfig", "caBundle"]).is_empty();
            let Some(first) = webhooks.as_array().into_iter().flatten().find(|webhook| untrusted(webhook)) else { continue };
            let service = |field: &str| text(first, &["clientConfig", "service", field]).to_owned();
            let (namespace, istiod) = (service("namespace"), service("name"));
            if !istiod.starts_with("istiod") || !is_available(cluster, &namespace, &istiod)? {
                continue;
            }
            for webhook in webhooks.as_array_mut().into_iter().flatten() {
                webhook["clientConfig"]["caBundle"] = json!(authority());
                if plural.starts_with("validating") {
                    webhook["failurePolicy"] = json!("Fail");
                }
            }
            let path = format!("{ADMISSION}/{plural}/{}", name(&configuration).0);
            cluster.merge(&path, MANAGER, &json!({ "webhooks": webhooks }))?;
        }
    }
    Ok(())
}

fn is_available(cluster: &Cluster<'_>, namespace: &str, istiod: &str) -> Result<bool, String> {
    let deployments = cluster.list(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"))?;
    let found = deployments.iter().find(|deployment| name(deployment).0 == istiod);
    Ok(found.is_some_and(|deployment| deployment["status"]["availableReplicas"].as_u64().is_some_and(|available| available > 0)))
}
