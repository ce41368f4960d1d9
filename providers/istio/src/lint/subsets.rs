//! Subsets that no pod of the configuration is in.

use super::rules;
use super::scene::{Object, Scene, selects};
use super::traffic::NETWORKING;
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;

/// Labels that endpoints have and templates of pods need not: istiod or the node adds them.
const ADDED: [&str; 8] = [
    "topology.istio.io/cluster",
    "topology.istio.io/network",
    "topology.istio.io/subzone",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "kubernetes.io/hostname",
    "istio.io/rev",
    "security.istio.io/tlsMode",
];

pub(super) fn findings(scene: &Scene<'_>) -> Vec<(Address, Problem)> {
    if !scene.complete {
        return Vec::new();
    }
    let rules = scene.of_kind(NETWORKING, "DestinationRule");
    rules.flat_map(|rule| empty(scene, rule).into_iter().map(move |problem| (rule.address.clone(), problem))).collect()
}

/// The subsets of a rule that no pod is in, if the pods that its host leads to are those of the configuration.
fn empty(scene: &Scene<'_>, rule: Object<'_>) -> Vec<Problem> {
    let Some((service, namespace)) = rule.text(&["spec", "host"]).and_then(|host| host_of(host, rule.namespace())) else {
        return Vec::new();
    };
    let pods = pods(scene, service, namespace);
    if pods.is_empty() || has_other_workloads(scene, namespace) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (nth, subset) in rule.at(&["spec", "subsets"]).map(Value::items).unwrap_or_default().iter().enumerate() {
        let Some(labels) = subset.present("labels") else { continue };
        let own = labels.entries().iter().filter(|label| !is_added(&label.key));
        let labels = Value::object(own.map(|label| (label.key.clone(), label.value.clone())));
        // One whose labels are not known may be in it; without labels all are.
        if pods.iter().any(|pod| selects(&labels, pod.pod_labels()) != Some(false)) {
            continue;
        }
        let name = subset.text("name").unwrap_or("?");
        let words: Vec<_> = labels.entries().iter().map(|label| format!("{}={}", label.key, label.value.as_str().unwrap_or("?"))).collect();
        let detail = format!(
            "the subset `{name}` (`spec.subsets[{nth}]`) of {} wants pods with `{}`, and none that `Service/{namespace}/{service}` selects has these labels",
            rule.called(),
            words.join(",")
        );
        problems.push(rules::SUBSET_WITHOUT_PODS.broken(detail));
    }
    problems
}

fn is_added(label: &str) -> bool {
    ADDED.contains(&label) || label.starts_with("service.istio.io/canonical-")
}

/// Whether workloads of a namespace may be no pods.
fn has_other_workloads(scene: &Scene<'_>, namespace: &str) -> bool {
    let has = |kind| scene.of_kind(NETWORKING, kind).any(|object| object.namespace() == namespace);
    has("WorkloadEntry") || has("WorkloadGroup")
}

/// The workloads whose pods a Service leads to, in all clusters: a Service is the same one in each.
fn pods<'a>(scene: &Scene<'a>, service: &str, namespace: &str) -> Vec<Object<'a>> {
    let services = scene.of_kind("", "Service").filter(|at| at.name() == Some(service) && at.namespace() == namespace);
    let selectors: Vec<_> = services.filter_map(|service| service.at(&["spec", "selector"])).collect();
    let of_service = |workload: &Object<'_>| selectors.iter().any(|selector| selects(selector, workload.pod_labels()) != Some(false));
    scene.workloads().filter(|workload| workload.namespace() == namespace && of_service(workload)).collect()
}

/// The Service and the namespace that a host means; nothing for hosts that are no Service of a cluster.
fn host_of<'a>(host: &'a str, namespace: &'a str) -> Option<(&'a str, &'a str)> {
    let mut parts = host.splitn(3, '.');
    match (parts.next()?, parts.next(), parts.next()) {
        ("*" | "", ..) => None,
        (service, None, None) => Some((service, namespace)),
        (service, Some(namespace), Some(rest)) if rest.starts_with("svc") => Some((service, namespace)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, object};
    use serde_json::{Value as Json, json};

    fn told(host: &str, subsets: &Json, more: &[(&str, Json)]) -> Vec<String> {
        let version = |version: &str| {
            let template = json!({ "metadata": { "labels": { "app": "helloworld", "version": version } } });
            object("apps/v1", "Deployment", &format!("helloworld-{version}"), &json!({ "template": template }))
        };
        let rule = object("networking.istio.io/v1", "DestinationRule", "r", &json!({ "host": host, "subsets": subsets }));
        let service = object("v1", "Service", "helloworld", &json!({ "selector": { "app": "helloworld" } }));
        let mut objects = vec![("c1", rule), ("c1", service), ("c1", version("v1")), ("c2", version("v2"))];
        objects.extend(more.iter().cloned());
        found(&objects, true)
    }

    #[test]
    fn a_subset_has_pods_in_some_cluster() {
        let both = json!([{ "name": "v1", "labels": { "version": "v1" } }, { "name": "v2", "labels": { "version": "v2" } }]);
        let third = json!([{ "name": "v3", "labels": { "version": "v3" } }]);
        let whole = "helloworld.sample.svc.cluster.local";
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "namespace": "sample", "labels": { "app": "helloworld", "version": "v3" } } });
        for (host, subsets, more, expected) in [
            ("helloworld", &both, vec![], ""),
            (whole, &both, vec![], ""),
            ("helloworld", &third, vec![], "subset-without-pods o0"),
            (whole, &third, vec![], "subset-without-pods o0"),
            ("helloworld", &third, vec![("c3", pod)], ""),
            ("other", &third, vec![], ""),
            ("helloworld.elsewhere.svc.cluster.local", &third, vec![], ""),
            ("helloworld.example", &third, vec![], ""),
            ("*.example", &third, vec![], ""),
        ] {
            assert_eq!(told(host, subsets, &more).join(" "), expected, "{host} {subsets}");
        }
    }

    #[test]
    fn labels_that_are_added_to_endpoints_are_no_labels_of_templates() {
        for (labels, expected) in [
            (json!({ "topology.istio.io/cluster": "c1" }), ""),
            (json!({ "topology.kubernetes.io/zone": "z", "security.istio.io/tlsMode": "istio" }), ""),
            (json!({ "version": "v1", "service.istio.io/canonical-name": "hello" }), ""),
            (json!({ "version": "v3", "istio.io/rev": "default" }), "subset-without-pods o0"),
            (json!({ "topology.istio.io/clusters": "c1" }), "subset-without-pods o0"),
        ] {
            assert_eq!(told("helloworld", &json!([{ "name": "s", "labels": labels }]), &[]).join(" "), expected, "{labels}");
        }
    }

    #[test]
    fn workloads_beside_pods_may_be_in_a_subset() {
        let third = json!([{ "name": "v3", "labels": { "version": "v3" } }]);
        let elsewhere =
            json!({ "apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry", "metadata": { "name": "w", "namespace": "x" } });
        let of_kind = |kind: &str| object("networking.istio.io/v1", kind, "w", &json!({}));
        for (more, expected) in [
            (of_kind("WorkloadEntry"), ""),
            (of_kind("WorkloadGroup"), ""),
            (of_kind("ServiceEntry"), "subset-without-pods o0"),
            (elsewhere, "subset-without-pods o0"),
        ] {
            assert_eq!(told("helloworld", &third, &[("c1", more.clone())]).join(" "), expected, "{more}");
        }
    }
}
