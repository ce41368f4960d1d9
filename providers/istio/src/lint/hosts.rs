//! Hosts that several `VirtualService`s have.

use super::rules;
use super::scene::{Object, Scene};
use super::traffic::NETWORKING;
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;
use std::collections::BTreeMap;

/// The gateway that stands for all sidecars, and is meant where none is named.
const MESH: &str = "mesh";

/// Rules for a host in a cluster.
type Rules<'a> = BTreeMap<(&'a str, String), Vec<Object<'a>>>;

/// Two rules for sidecars that have a host in common, each pair at the later one. A gateway joins the rules of its hosts, sidecars take one.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<(Address, Problem)> {
    let (mut rules, mut found) = (Rules::new(), Vec::new());
    for rule in scene.of_kind(NETWORKING, "VirtualService").filter(|rule| is_for_sidecars(*rule)) {
        let Some(place) = rule.place else { continue };
        for host in items(rule, "hosts").filter_map(Value::as_str) {
            let host = full(host, rule.namespace());
            let others = rules.entry((place, host.clone())).or_default();
            if let Some(other) = others.iter().find(|other| other.address != rule.address && meet(**other, rule)) {
                let detail = format!("{} and {} both have the host `{host}` for sidecars", other.called(), rule.called());
                found.push((rule.address.clone(), rules::VIRTUAL_SERVICES_SHARE_A_HOST.broken(detail)));
            }
            others.push(rule);
        }
    }
    found
}

fn items<'a>(rule: Object<'a>, name: &str) -> impl Iterator<Item = &'a Value> {
    rule.at(&["spec", name]).map(Value::items).unwrap_or_default().iter()
}

fn is_for_sidecars(rule: Object<'_>) -> bool {
    items(rule, "gateways").next().is_none() && rule.at(&["spec", "gateways"]).is_none_or(Value::is_known)
        || items(rule, "gateways").any(|gateway| gateway.as_str() == Some(MESH))
}

/// A short name is one of the rule's own namespace.
fn full(host: &str, namespace: &str) -> String {
    if host.contains('.') || host.contains('*') { host.to_owned() } else { format!("{host}.{namespace}.svc.cluster.local") }
}

/// Whether there are sidecars that see both rules.
fn meet(one: Object<'_>, other: Object<'_>) -> bool {
    let (Some(seen), Some(also)) = (seen_by(one), seen_by(other)) else { return true };
    seen.iter().any(|namespace| also.contains(namespace))
}

/// The namespaces that a rule is exported to; nothing for all of them. One that is not known yet is none.
fn seen_by(rule: Object<'_>) -> Option<Vec<&str>> {
    if rule.at(&["spec", "exportTo"]).is_some_and(|to| !to.is_known()) {
        return Some(Vec::new());
    }
    let exported = || items(rule, "exportTo").map(|to| to.as_str().unwrap_or("~"));
    if exported().next().is_none() || exported().any(|to| to == "*") {
        return None;
    }
    Some(exported().filter(|to| *to != "~").map(|to| if to == "." { rule.namespace() } else { to }).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use serde_json::{Value as Json, json};

    fn rule(name: &str, namespace: &str, spec: &Json) -> Json {
        json!({ "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": { "name": name, "namespace": namespace }, "spec": spec })
    }

    #[test]
    fn sidecars_take_one_rule_of_a_host() {
        let whole = "hello.sample.svc.cluster.local";
        let base = json!({ "hosts": ["hello"] });
        let rows = [
            (base.clone(), "sample", "c1", true),
            (json!({ "hosts": ["other", whole] }), "other", "c1", true),
            (json!({ "hosts": [whole], "gateways": ["mesh", "istio-system/ingress"] }), "other", "c1", true),
            (json!({ "hosts": [whole], "gateways": ["istio-system/ingress"] }), "sample", "c1", false),
            (json!({ "hosts": ["hello"] }), "other", "c1", false),
            (json!({ "hosts": [whole] }), "other", "c2", false),
            (json!({ "hosts": ["other"] }), "sample", "c1", false),
            (json!({ "hosts": ["*.sample.svc.cluster.local"] }), "sample", "c1", false),
        ];
        for (spec, namespace, place, meets) in rows {
            let told = found(&[("c1", rule("a", "sample", &base)), (place, rule("b", namespace, &spec))], true);
            let expected: &[&str] = if meets { &["virtual-services-share-a-host o1"] } else { &[] };
            assert_eq!(told, expected, "{spec}");
        }
        // One rule may write a host in both ways.
        assert_eq!(found(&[("c1", rule("a", "sample", &json!({ "hosts": ["hello", whole] })))], true), [""; 0]);
    }

    #[test]
    fn rules_of_different_namespaces_that_keep_to_themselves_do_not_meet() {
        let exported = |to: &[&str]| json!({ "hosts": ["hello.example"], "exportTo": to });
        for (one, other, meets) in [
            (&["."][..], &["."][..], false),
            (&["."], &["*"], true),
            (&["."], &["a"], true),
            (&["b"], &["."], true),
            (&["c"], &["d"], false),
            (&["~"], &["~"], false),
            (&[], &["."], true),
        ] {
            let told = found(&[("c1", rule("x", "a", &exported(one))), ("c1", rule("y", "b", &exported(other)))], true);
            assert_eq!(told.len(), usize::from(meets), "{one:?} {other:?}");
        }
    }
}
