//! `MetalLB`'s controller as far as its webhook is concerned: once it runs, the webhook has an authority. Nobody answers there, so that it is told
//! not to be needed.

use super::{Cluster, text};
use crate::apiserver::authority::Authority;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use std::sync::OnceLock;

/// `MetalLB`'s controller.
const MANAGER: &str = "controller";
const WEBHOOK: &str = "metallb-webhook-configuration";
const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const CONTROLLERS: &str = "/apis/apps/v1/namespaces/metallb-system/deployments";

/// Gives the webhook an authority if its controller runs. Until then the API server refuses pools, which it cannot ask the webhook about.
pub(super) fn trust(cluster: &Cluster<'_>) -> Result<(), String> {
    let configurations = cluster.list(CONFIGURATIONS)?;
    let Some(configuration) = configurations.iter().find(|configuration| text(configuration, &["metadata", "name"]) == WEBHOOK) else {
        return Ok(());
    };
    let mut webhooks = configuration["webhooks"].clone();
    let untrusted = |webhook: &serde_json::Value| text(webhook, &["clientConfig", "caBundle"]).is_empty();
    let waits = webhooks.as_array().is_some_and(|webhooks| webhooks.iter().any(untrusted));
    let runs = || Ok::<_, String>(cluster.list(CONTROLLERS)?.iter().any(|controller| controller["status"]["availableReplicas"] == 1));
    if !waits || !runs()? {
        return Ok(());
    }
    for webhook in webhooks.as_array_mut().into_iter().flatten() {
        webhook["clientConfig"]["caBundle"] = json!(authority());
        webhook["failurePolicy"] = json!("Ignore");
        webhook["timeoutSeconds"] = json!(1);
    }
    cluster.merge(&format!("{CONFIGURATIONS}/{WEBHOOK}"), MANAGER, &json!({ "webhooks": webhooks }))
}

/// An authority as such configurations hold it.
pub(super) fn authority() -> &'static str {
    static AUTHORITY: OnceLock<String> = OnceLock::new();
    AUTHORITY.get_or_init(|| BASE64_STANDARD.encode(Authority::new("webhook").certificate()))
}
