//! The label by which istiod learns the network of pods that do not say it themselves.

use super::installations::{Plane, planes};
use super::rules;
use super::scene::{Object, Scene};
use engine::address::Address;
use engine::schema::Problem;

const LABEL: &str = "topology.istio.io/network";

pub(super) fn findings(scene: &Scene<'_>) -> Vec<(Address, Problem)> {
    if !scene.complete {
        return Vec::new();
    }
    planes(scene).filter_map(|plane| unlabelled(scene, &plane)).collect()
}

/// The namespace of a control plane without its network, if the configuration makes the namespace.
fn unlabelled(scene: &Scene<'_>, plane: &Plane<'_>) -> Option<(Address, Problem)> {
    let network = plane.network?;
    let of = |object: &Object<'_>| object.place == plane.object.place && object.name() == Some(plane.object.namespace());
    let mut objects = scene.of_kind("", "Namespace").filter(of).peekable();
    let first = *objects.peek()?;
    let mut told = None;
    for object in objects {
        let Some(labels) = object.at(&["metadata", "labels"]) else { continue };
        match labels.get(LABEL) {
            Some(label) if label.is_null() => {}
            Some(label) => told = Some(label.as_str()?),
            // Labels that are not known yet may hold it.
            None if !labels.is_known() => return None,
            None => {}
        }
    }
    let namespace = plane.object.namespace();
    let detail = match told {
        Some(told) if told == network => return None,
        Some(told) => format!(
            "the control plane `{}` is in the network `{network}`, and its namespace `{namespace}` has the label `{LABEL}` with `{told}`",
            plane.object.address
        ),
        None => format!(
            "the control plane `{}` is in the network `{network}`, and its namespace `{namespace}` has no label `{LABEL}`",
            plane.object.address
        ),
    };
    Some((first.address.clone(), rules::NETWORK_LABEL.broken(detail)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use serde_json::{Value as Json, json};

    fn told(network: &Json, namespaces: &[Json]) -> String {
        let values = json!({ "global": { "network": network, "multiCluster": { "clusterName": "c1" } } });
        let operator = json!({ "apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
            "metadata": { "name": "o", "namespace": "istio-system" }, "spec": { "values": values } });
        let namespaces = namespaces.iter().map(|labels| {
            ("c1", json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "istio-system", "labels": labels } }))
        });
        let objects: Vec<_> = std::iter::once(("c1", operator)).chain(namespaces).collect();
        found(&objects, true).join(" ")
    }

    #[test]
    fn the_namespace_says_the_network() {
        let label = |network: &str| json!({ "topology.istio.io/network": network });
        for (network, namespaces, expected) in [
            (json!("n1"), vec![label("n1")], ""),
            (json!("n1"), vec![json!({})], "network-label o1"),
            (json!("n1"), vec![label("n2")], "network-label o1"),
            (json!("n1"), vec![json!({ "a": "b" }), label("n1")], ""),
            (json!("n1"), vec![], ""),
            (json!(null), vec![json!({})], ""),
        ] {
            assert_eq!(told(&network, &namespaces), expected, "{network} {namespaces:?}");
        }
    }
}
