//! What `VirtualService`s and `DestinationRule`s say to the proxies.

use super::rules;
use super::scene::{Object, Scene};
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;
use kubernetes::arguments::entry;

pub(super) const NETWORKING: &str = "networking.istio.io";

pub(super) fn findings(scene: &Scene<'_>) -> Vec<(Address, Problem)> {
    let routes = scene.of_kind(NETWORKING, "VirtualService").flat_map(|rule| at(rule, route_weights(rule)));
    let policies = scene.of_kind(NETWORKING, "DestinationRule").flat_map(|rule| at(rule, policy_problems(rule)));
    routes.chain(policies).collect()
}

fn at(object: Object<'_>, problems: Vec<Problem>) -> impl Iterator<Item = (Address, Problem)> {
    problems.into_iter().map(move |problem| (object.address.clone(), problem))
}

fn route_weights(rule: Object<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for section in ["http", "tls", "tcp"] {
        for (nth, route) in rule.at(&["spec", section]).map(Value::items).unwrap_or_default().iter().enumerate() {
            let destinations = route.get("route").map(Value::items).unwrap_or_default();
            // One destination gets everything, whatever its weight.
            let Some((weights, sum)) = (destinations.len() > 1).then(|| weighed(destinations.iter().map(|to| to.get("weight")))).flatten()
            else {
                continue;
            };
            if sum != 100 {
                let detail = format!("`spec.{section}[{nth}]` of {} has the weights {weights}, together {sum}", rule.called());
                problems.push(rules::ROUTE_WEIGHTS.broken(detail));
            }
        }
    }
    problems
}

/// Weights as words, and their sum, once all are known. One that is missing counts for nothing.
fn weighed<'a>(weights: impl Iterator<Item = Option<&'a Value>>) -> Option<(String, u64)> {
    let numbers: Option<Vec<u64>> =
        weights.map(|weight| weight.filter(|weight| !weight.is_null()).map_or(Some(0), Value::as_u64)).collect();
    let numbers = numbers?;
    let words: Vec<_> = numbers.iter().map(u64::to_string).collect();
    let sum = numbers.iter().fold(0, |sum: u64, weight| sum.saturating_add(*weight));
    Some((words.join(", "), sum))
}

/// The policies of a rule, its own and those of its subsets, each with its path.
pub(super) fn policies(rule: Object<'_>) -> Vec<(String, &Value)> {
    let own = rule.at(&["spec", "trafficPolicy"]).map(|policy| ("spec.trafficPolicy".to_owned(), policy));
    let subsets = rule.at(&["spec", "subsets"]).map(Value::items).unwrap_or_default().iter().enumerate();
    let of_subsets =
        subsets.filter_map(|(nth, subset)| Some((format!("spec.subsets[{nth}].trafficPolicy"), subset.present("trafficPolicy")?)));
    own.into_iter().chain(of_subsets).collect()
}

/// What is wrong with the policies of a rule. Those of its subsets stand on its own.
fn policy_problems(rule: Object<'_>) -> Vec<Problem> {
    let own = rule.at(&["spec", "trafficPolicy"]);
    policies(rule).into_iter().flat_map(|(path, policy)| setting_problems(rule, &path, policy, own)).collect()
}

fn setting_problems(rule: Object<'_>, path: &str, policy: &Value, base: Option<&Value>) -> Vec<Problem> {
    let Some(setting) = entry(policy, &["loadBalancer", "localityLbSetting"]) else { return Vec::new() };
    if setting.get("enabled").and_then(Value::as_bool) == Some(false) {
        return Vec::new();
    }
    let of = rule.called();
    let given = |name: &str| setting.present(name).is_some_and(|list| !list.items().is_empty());
    let mut problems = Vec::new();
    for (nth, share) in setting.get("distribute").map(Value::items).unwrap_or_default().iter().enumerate() {
        let to = share.get("to").map(Value::entries).unwrap_or_default();
        if let Some((weights, sum)) = weighed(to.iter().map(|entry| Some(&entry.value))).filter(|(_, sum)| !to.is_empty() && *sum != 100) {
            let at = format!("{path}.loadBalancer.localityLbSetting.distribute[{nth}].to");
            problems.push(rules::LOCALITY_WEIGHTS.broken(format!("`{at}` of {of} has the weights {weights}, together {sum}")));
        }
    }
    if given("distribute") && given("failover") {
        let detail = format!("`{path}.loadBalancer.localityLbSetting` of {of} has both `distribute` and `failover`");
        problems.push(rules::DISTRIBUTE_AND_FAILOVER.broken(detail));
    }
    let outlier = |policy: &Value| policy.present("outlierDetection").is_some();
    if (given("failover") || given("failoverPriority")) && !outlier(policy) && !base.is_some_and(outlier) {
        let name = if given("failover") { "failover" } else { "failoverPriority" };
        let detail = format!("`{path}` of {of} has `{name}` for localities, and no `outlierDetection`");
        problems.push(rules::FAILOVER_WITHOUT_OUTLIER_DETECTION.broken(detail));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, object};
    use serde_json::{Value as Json, json};

    fn rule(spec: &Json) -> Vec<String> {
        found(&[("c1", object("networking.istio.io/v1", "DestinationRule", "r", spec))], true)
    }

    #[test]
    fn weights_of_routes_sum_to_a_hundred() {
        let service =
            |http: Json| found(&[("c1", object("networking.istio.io/v1alpha3", "VirtualService", "v", &json!({ "http": http })))], true);
        for (weights, is_odd) in [
            (vec![json!({ "weight": 50 }), json!({ "weight": 50 })], false),
            (vec![json!({ "weight": 50 }), json!({ "weight": 60 })], true),
            (vec![json!({ "weight": 90 }), json!({})], true),
            (vec![json!({ "weight": 100 }), json!({})], false),
            (vec![json!({ "weight": 7 })], false),
            (vec![json!({})], false),
        ] {
            let expected: Vec<String> = if is_odd { vec!["route-weights o0".to_owned()] } else { Vec::new() };
            assert_eq!(service(json!([{ "route": weights }])), expected, "{weights:?}");
        }
        assert_eq!(
            found(&[("c1", object("gateway.example/v1", "VirtualService", "v", &json!({ "http": [{ "route": [{}, {}] }] })))], true),
            [""; 0]
        );
    }

    #[test]
    fn localities_are_told_apart_only_by_what_outlier_detection_sees() {
        let setting = |setting: Json, more: Json| {
            let mut policy = json!({ "loadBalancer": { "localityLbSetting": setting } });
            policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            policy
        };
        let failover = json!({ "failover": [{ "from": "region4", "to": "region3" }] });
        let outlier = json!({ "outlierDetection": { "interval": "1s" } });
        for (policy, expected) in [
            (setting(failover.clone(), json!({})), "failover-without-outlier-detection o0"),
            (setting(failover.clone(), outlier.clone()), ""),
            (setting(json!({ "failoverPriority": ["topology.kubernetes.io/region"] }), json!({})), "failover-without-outlier-detection o0"),
            (setting(json!({ "enabled": false, "failover": failover["failover"] }), json!({})), ""),
            (setting(json!({ "distribute": [{ "from": "a", "to": { "a": 50, "b": 50 } }] }), json!({})), ""),
            (setting(json!({ "distribute": [{ "from": "a", "to": { "a": 50, "b": 60 } }] }), json!({})), "locality-weights o0"),
            (
                setting(json!({ "distribute": [{ "from": "a", "to": { "a": 100 } }], "failover": failover["failover"] }), outlier.clone()),
                "distribute-and-failover o0",
            ),
        ] {
            let told = rule(&json!({ "host": "h", "trafficPolicy": policy }));
            assert_eq!(told.join(" "), expected, "{policy}");
        }
        let subset = json!({ "name": "v1", "trafficPolicy": setting(failover, json!({})) });
        assert_eq!(rule(&json!({ "host": "h", "subsets": [subset] })), ["failover-without-outlier-detection o0"]);
        assert_eq!(rule(&json!({ "host": "h", "trafficPolicy": outlier, "subsets": [subset] })), [""; 0]);
    }
}
