//! Localities that rules name, and that no node is in.

use super::rules;
use super::scene::{Object, Scene};
use super::traffic::{NETWORKING, policies};
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;
use kubernetes::arguments::entry;
use std::collections::BTreeSet;

const REGION: &str = "topology.kubernetes.io/region";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Where nodes stand: regions, and zones by their regions.
type Known<'a> = (BTreeSet<&'a str>, BTreeSet<(&'a str, &'a str)>);

/// What rules say of localities that are none.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<(Address, Problem)> {
    let Some(known) = known(scene) else { return Vec::new() };
    let rules = scene.of_kind(NETWORKING, "DestinationRule");
    rules.flat_map(|rule| unknown(rule, &known).into_iter().map(move |problem| (rule.address.clone(), problem))).collect()
}

/// Where nodes stand, if the configuration says it for each cluster that has a control plane: only then another locality is none.
fn known<'a>(scene: &Scene<'a>) -> Option<Known<'a>> {
    let (mut regions, mut zones, mut told) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for node in scene.of_kind("", "Node") {
        let Some(labels) = node.at(&["metadata", "labels"]) else { continue };
        if !labels.is_known() {
            return None;
        }
        let Some(region) = labels.text(REGION) else { continue };
        regions.insert(region);
        zones.extend(labels.text(ZONE).map(|zone| (region, zone)));
        told.insert(node.place?);
    }
    let mut planes = scene.operators().map(|plane| plane.place).peekable();
    let all = planes.peek().is_some() && planes.all(|place| place.is_some_and(|place| told.contains(place)));
    (scene.complete && all).then_some((regions, zones))
}

fn unknown(rule: Object<'_>, (regions, zones): &Known<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, policy) in policies(rule) {
        let Some(setting) = entry(policy, &["loadBalancer", "localityLbSetting"]) else { continue };
        for (at, locality) in named(setting) {
            let mut parts = locality.split('/');
            let (region, zone) = (parts.next().unwrap_or_default(), parts.next().filter(|zone| *zone != "*"));
            let is_there = region == "*" || regions.contains(region) && zone.is_none_or(|zone| zones.contains(&(region, zone)));
            if !is_there {
                let detail = format!(
                    "`{path}.loadBalancer.localityLbSetting.{at}` of {} names `{locality}`, and no node stands there",
                    rule.called()
                );
                problems.push(rules::UNKNOWN_LOCALITY.broken(detail));
            }
        }
    }
    problems
}

/// The localities of a setting, each with where it stands.
fn named(setting: &Value) -> Vec<(String, &str)> {
    let list = |name: &str| setting.get(name).map(Value::items).unwrap_or_default().iter().enumerate();
    let mut all = Vec::new();
    for (nth, share) in list("distribute") {
        all.extend(share.text("from").map(|from| (format!("distribute[{nth}].from"), from)));
        let to = share.get("to").map(Value::entries).unwrap_or_default();
        all.extend(to.iter().map(|entry| (format!("distribute[{nth}].to"), &*entry.key)));
    }
    for (nth, step) in list("failover") {
        all.extend(["from", "to"].into_iter().filter_map(|name| Some((format!("failover[{nth}].{name}"), step.text(name)?))));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, object};
    use super::{REGION, ZONE};
    use serde_json::{Value as Json, json};

    fn node(name: &str, labels: &Json) -> Json {
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels } })
    }

    fn told(setting: &Json, nodes: &[(&'static str, Json)], complete: bool) -> Vec<String> {
        let policy = json!({ "loadBalancer": { "localityLbSetting": setting }, "outlierDetection": { "interval": "1s" } });
        let rule = object("networking.istio.io/v1", "DestinationRule", "r", &json!({ "host": "h", "trafficPolicy": policy }));
        let plane = |name: &str| json!({ "apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "metadata": { "name": name, "namespace": "istio-system" }, "spec": {} });
        let mut objects = vec![("c1", rule), ("c1", plane("a")), ("c2", plane("b"))];
        objects.extend(nodes.iter().cloned());
        found(&objects, complete)
    }

    #[test]
    fn a_locality_is_one_of_a_node() {
        let all = [
            ("c1", node("n1", &json!({ REGION: "region1", ZONE: "zone1" }))),
            ("c2", node("n2", &json!({ REGION: "region2", ZONE: "zone2" }))),
        ];
        let to = |from: &str, to: &str| json!({ "distribute": [{ "from": from, "to": { to: 100 } }] });
        let over = |from: &str, to: &str| json!({ "failover": [{ "from": from, "to": to }] });
        for (setting, times) in [
            (to("region1/zone1/*", "region2/*"), 0),
            (to("region1/zone1/rack7", "*"), 0),
            (to("region1/zone2/*", "region2/*"), 1),
            (to("region9/*", "region2/zone1/*"), 2),
            (over("region1", "region2"), 0),
            (over("region1", "region3"), 1),
        ] {
            assert_eq!(told(&setting, &all, true), vec!["unknown-locality o0"; times], "{setting}");
            assert_eq!(told(&setting, &all, false), [""; 0], "what is left out may be there: {setting}");
            assert_eq!(told(&setting, &all[..1], true), [""; 0], "the other cluster says nothing of its nodes: {setting}");
        }
    }
}
