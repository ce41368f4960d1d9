//! Gateways between networks that select no pods.

use super::rules;
use super::scene::{Object, Scene, selects};
use super::traffic::NETWORKING;
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;
use serde_json::json;

/// Profiles that bring the gateway `istio-ingressgateway`.
const WITH_INGRESS: [&str; 4] = ["default", "demo", "preview", "openshift"];
/// Profiles that bring none.
const WITHOUT_INGRESS: [&str; 3] = ["minimal", "empty", "ambient"];

pub(super) fn findings(scene: &Scene<'_>) -> Vec<(Address, Problem)> {
    if !scene.complete {
        return Vec::new();
    }
    let gateways = scene.of_kind(NETWORKING, "Gateway").filter(passes_through);
    gateways.filter_map(|gateway| Some((gateway.address.clone(), unselecting(scene, gateway)?))).collect()
}

/// Whether other networks come in through a gateway.
fn passes_through(gateway: &Object<'_>) -> bool {
    let servers = gateway.at(&["spec", "servers"]).map(Value::items).unwrap_or_default();
    servers.iter().any(|server| server.get("tls").and_then(|tls| tls.text("mode")) == Some("AUTO_PASSTHROUGH"))
}

fn unselecting(scene: &Scene<'_>, gateway: Object<'_>) -> Option<Problem> {
    let selector = gateway.at(&["spec", "selector"]).filter(|selector| !selector.entries().is_empty())?;
    let here = |object: &Object<'_>| object.place == gateway.place;
    let mut found = 0;
    for pods in scene.workloads().filter(here).filter_map(|workload| workload.pod_labels()).filter(|pods| !are_of_istiod(pods)) {
        // A gateway's pods say so by this label; others tell nothing of whether gateways are part of the configuration.
        found += usize::from(pods.get("istio").is_some());
        if selects(selector, Some(pods)) != Some(false) {
            return None;
        }
    }
    for operator in scene.operators().filter(here) {
        let brought = brought(operator)?;
        found += brought.len();
        if brought.iter().any(|labels| selects(selector, Some(labels)) != Some(false)) {
            return None;
        }
    }
    let words: Vec<_> = selector.entries().iter().map(|entry| format!("{}={}", entry.key, entry.value.as_str().unwrap_or("?"))).collect();
    let detail = format!(
        "{} lets other networks in at pods with `{}`, and no gateway of the configuration in this cluster has these labels",
        gateway.called(),
        words.join(",")
    );
    (found > 0).then(|| rules::GATEWAY_SELECTS_NOTHING.broken(detail))
}

/// Whether pods are those of a control plane, which have a label `istio` too.
fn are_of_istiod(pods: &Value) -> bool {
    pods.text("app") == Some("istiod") || matches!(pods.text("istio"), Some("pilot" | "istiod"))
}

/// The labels of the gateways that an `IstioOperator` brings; nothing if that cannot be told.
fn brought(operator: Object<'_>) -> Option<Vec<Value>> {
    let profile = match operator.at(&["spec", "profile"]) {
        None => "default",
        Some(profile) => profile.as_str()?,
    };
    let mut labels = Vec::new();
    let mut is_replaced = false;
    for component in ["ingressGateways", "egressGateways"] {
        let Some(gateways) = operator.at(&["spec", "components", component]) else { continue };
        if !gateways.is_known() {
            return None;
        }
        for gateway in gateways.items() {
            is_replaced |= gateway.text("name") == Some("istio-ingressgateway");
            if gateway.get("enabled").and_then(Value::as_bool) == Some(false) {
                continue;
            }
            let usual = gateway.text("name").filter(|name| matches!(*name, "istio-ingressgateway" | "istio-egressgateway"));
            labels.push(match (gateway.present("label"), usual) {
                (Some(own), _) => own.clone(),
                (None, Some(name)) => named(name),
                (None, None) => return None,
            });
        }
    }
    if WITH_INGRESS.contains(&profile) && !is_replaced {
        labels.push(named("istio-ingressgateway"));
    }
    (WITH_INGRESS.contains(&profile) || WITHOUT_INGRESS.contains(&profile)).then_some(labels)
}

/// The labels of a gateway as profiles have it.
fn named(name: &str) -> Value {
    Value::from_json(&json!({ "app": name, "istio": name.trim_start_matches("istio-") }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, object};
    use serde_json::{Value as Json, json};

    fn gateway(selector: &str, mode: &str) -> (&'static str, Json) {
        let server = json!({ "port": { "number": 15443 }, "tls": { "mode": mode } });
        ("c1", object("networking.istio.io/v1", "Gateway", "g", &json!({ "selector": { "istio": selector }, "servers": [server] })))
    }

    fn operator(place: &'static str, spec: &Json) -> (&'static str, Json) {
        (place, object("install.istio.io/v1alpha1", "IstioOperator", "o", spec))
    }

    #[test]
    fn what_lets_networks_in_selects_a_gateway() {
        let eastwest = json!({ "profile": "empty", "components": { "ingressGateways": [{ "name": "istio-eastwestgateway", "label": { "istio": "eastwestgateway" } }] } });
        let off = json!({ "components": { "ingressGateways": [{ "name": "istio-ingressgateway", "enabled": false }] } });
        let deployment = |labels: Json| {
            let template = json!({ "template": { "metadata": { "labels": labels } } });
            ("c1", object("apps/v1", "Deployment", "gw", &template))
        };
        let gw = deployment(json!({ "istio": "eastwestgateway" }));
        let passing = |selector| gateway(selector, "AUTO_PASSTHROUGH");
        for (objects, expected) in [
            (vec![passing("eastwestgateway")], ""),
            (vec![passing("eastwestgateway"), operator("c1", &eastwest)], ""),
            (vec![passing("eastwest"), operator("c1", &eastwest)], "gateway-selects-nothing o0"),
            (vec![gateway("eastwest", "SIMPLE"), operator("c1", &eastwest)], ""),
            (vec![passing("eastwestgateway"), operator("c2", &eastwest)], ""),
            (vec![passing("eastwestgateway"), operator("c1", &json!({}))], "gateway-selects-nothing o0"),
            (vec![passing("ingressgateway"), operator("c1", &json!({}))], ""),
            (vec![passing("ingressgateway"), operator("c1", &off), operator("c1", &eastwest)], "gateway-selects-nothing o0"),
            (vec![passing("ingressgateway"), operator("c1", &json!({ "profile": "/own.yaml" }))], ""),
            (vec![passing("eastwestgateway"), gw.clone()], ""),
            (vec![passing("other"), gw.clone()], "gateway-selects-nothing o0"),
            (vec![passing("other"), deployment(json!({ "app": "istiod", "istio": "x" }))], ""),
            (vec![passing("other"), deployment(json!({ "istio": "pilot" }))], ""),
            (vec![passing("pilot"), gw, deployment(json!({ "istio": "pilot" }))], "gateway-selects-nothing o0"),
        ] {
            assert_eq!(found(&objects, true).join(" "), expected, "{objects:?}");
            assert_eq!(found(&objects, false), [""; 0], "what is left out may select them");
        }
    }
}
