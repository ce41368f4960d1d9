//! What no namespace holds.

use super::{fields, rules};
use meshplan_tests::draws::Draws;
use serde_json::{Value, json};

/// A namespace. Its own finalizer is the only one that it can be made with.
pub(super) fn namespace(draws: &mut Draws) -> Value {
    let spec = draws.pick(&[json!({}), json!({}), json!({ "spec": {} }), json!({ "spec": { "finalizers": ["kubernetes"] } })]);
    if draws.one_in(12) { json!({ "spec": { "finalizers": draws.pick(&[json!([]), json!(["no-slash"])]) } }) } else { spec }
}

/// What may be written as a namespace's status.
pub(super) fn namespace_status(draws: &mut Draws) -> Value {
    let condition = json!({ "type": "X", "status": draws.pick(&["True", "False"]), "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    fields(draws, &[("phase", "Active".into()), ("conditions", json!([condition]))])
}

/// A role that may also be made of others, which nobody does beside a server that is alone.
pub(super) fn role(draws: &mut Draws) -> Value {
    let rules = rules(draws);
    let urls = json!([{ "nonResourceURLs": ["/healthz", "/metrics/*"], "verbs": ["get"] }]);
    let selectors =
        [json!([{ "matchLabels": { "l": "1" } }]), json!([{ "matchExpressions": [{ "key": "l", "operator": "Exists" }] }]), json!([])];
    let rule = json!({ "clusterRoleSelectors": draws.pick(&selectors) });
    let rules = if draws.one_in(3) { urls } else { rules };
    fields(draws, &[("rules", rules), ("aggregationRule", rule)])
}

/// A binding of a role, which cannot be another later.
pub(super) fn binding(draws: &mut Draws) -> Value {
    let subjects = [
        json!({ "kind": "ServiceAccount", "name": "a", "namespace": "x" }),
        json!({ "kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io" }),
        json!({ "kind": "Group", "name": "g" }),
        json!({ "kind": "ServiceAccount", "name": "b" }),
    ];
    let known = if draws.one_in(5) { 4 } else { 3 };
    let role = if draws.one_in(8) { json!({ "name": "b" }) } else { json!({ "name": "a" }) };
    let mut binding = json!({ "roleRef": role });
    binding["roleRef"]["kind"] = draws.pick(&["ClusterRole", "ClusterRole", "ClusterRole", "ClusterRole", "Role"]).into();
    if !draws.one_in(3) {
        binding["roleRef"]["apiGroup"] = "rbac.authorization.k8s.io".into();
    }
    if !draws.one_in(4) {
        binding["subjects"] = draws.some(&subjects[..known]).into();
    }
    binding
}
