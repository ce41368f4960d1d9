//! What a running istiod does to its webhooks: it writes the root that they are called with, and lets validation fail closed.

use crate::object::{Json, items, list_at, set, text};
use crate::resource::Key;
use crate::store::{Event, Transaction};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

const MANAGER: &str = "pilot-discovery";
const MUTATING: &str = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const VALIDATING: &str = "validatingwebhookconfigurations.admissionregistration.k8s.io";

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    let matters = match &*event.key.resource {
        MUTATING | VALIDATING => true,
        "deployments.apps" => event.new.as_ref().is_some_and(|deployment| is_istiod(deployment)),
        "secrets" => &*event.key.name == "cacerts",
        _ => false,
    };
    if !matters {
        return;
    }
    for resource in [MUTATING, VALIDATING] {
        for (key, configuration) in transaction.list(resource, None) {
            if items(&configuration, &["webhooks"]).iter().any(|webhook| backend(webhook).is_some()) {
                patch(transaction, &key);
            }
        }
    }
}

fn is_istiod(deployment: &Json) -> bool {
    text(deployment, &["metadata", "labels", "app"]) == Some("istiod")
}

/// Namespace and name of the istiod that a webhook calls.
fn backend(webhook: &Json) -> Option<(&str, &str)> {
    let service = |field| text(webhook, &["clientConfig", "service", field]);
    Some((service("namespace")?, service("name").filter(|name| name.starts_with("istiod"))?))
}

fn patch(transaction: &mut Transaction<'_>, key: &Key) {
    let Some(configuration) = transaction.get(key) else { return };
    let roots: Vec<_> = items(&configuration, &["webhooks"]).iter().map(|webhook| root(transaction, backend(webhook)?)).collect();
    transaction.control(key, MANAGER, "", |configuration| {
        for (webhook, root) in list_at(configuration, &["webhooks"]).into_iter().flatten().zip(roots) {
            let Some(root) = root else { continue };
            set(webhook, &["clientConfig", "caBundle"], root);
            if &*key.resource == VALIDATING && webhook["failurePolicy"] == "Ignore" {
                set(webhook, &["failurePolicy"], "Fail");
            }
        }
    });
}

/// The root that an istiod signs with, in base 64; nothing if there is no such istiod.
fn root(transaction: &Transaction<'_>, (namespace, name): (&str, &str)) -> Option<String> {
    transaction.get(&Key::new("deployments.apps", namespace, name)).filter(|deployment| is_istiod(deployment))?;
    let given = transaction
        .get(&Key::new("secrets", namespace, "cacerts"))
        .and_then(|secret| text(&secret, &["data", "root-cert.pem"]).map(str::to_owned));
    // Without one, istiod would sign for itself; the cluster's own authority stands in for that.
    Some(given.unwrap_or_else(|| BASE64_STANDARD.encode(&transaction.facts().certificate_authority)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use super::*;
    use serde_json::json;

    const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

    fn webhooks(cluster: &Cluster) -> Json {
        cluster.get(&format!("{WEBHOOKS}/istio-validator")).expect("there")["webhooks"].clone()
    }

    #[test]
    fn webhooks_of_a_running_istiod_get_its_root() {
        let cluster = Cluster::new();
        let service = json!({ "name": "istiod", "namespace": "default", "path": "/validate" });
        let webhook = |name: &str, service: &Json| json!({ "name": name, "failurePolicy": "Ignore", "clientConfig": { "service": service }, "sideEffects": "None", "admissionReviewVersions": ["v1"] });
        let other = json!({ "name": "other", "namespace": "default" });
        cluster.create(WEBHOOKS, &json!({ "metadata": { "name": "istio-validator" }, "webhooks": [webhook("a.istio.io", &service), webhook("b.example.io", &other)] }));
        assert!(webhooks(&cluster)[0]["clientConfig"].get("caBundle").is_none());

        let labels = json!({ "app": "istiod" });
        let deployment = json!({ "metadata": { "name": "istiod", "labels": labels }, "spec": { "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "discovery", "image": "pilot" }] } } } });
        cluster.create("/apis/apps/v1/namespaces/default/deployments", &deployment);
        let found = webhooks(&cluster);
        assert!(found[0]["clientConfig"]["caBundle"].is_string());
        assert_eq!((&found[0]["failurePolicy"], &found[1]["failurePolicy"]), (&json!("Fail"), &json!("Ignore")));
        assert!(found[1]["clientConfig"].get("caBundle").is_none());

        cluster.create(
            "/api/v1/namespaces/default/secrets",
            &json!({ "metadata": { "name": "cacerts" }, "data": { "root-cert.pem": "cm9vdA==" } }),
        );
        assert_eq!(webhooks(&cluster)[0]["clientConfig"]["caBundle"], json!("cm9vdA=="));
    }
}
