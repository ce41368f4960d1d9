//! Control planes as they are installed: two in one cluster, without a name, or with settings that their version does not know.

use super::rules;
use super::scene::{Object, Scene};
use crate::version::{Minor, WITHOUT_ADDON_COMPONENTS, WITHOUT_MESH_EXPANSION};
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;
use std::collections::BTreeSet;

/// Objects that `istioctl` rendered from an installation without a name have this label with this text.
const OWNER: (&str, &str) = ("install.operator.istio.io/owning-resource", "unknown");

/// `rendered` are the resources whose members meshplan has rendered itself.
pub(super) fn findings(scene: &Scene<'_>, rendered: &BTreeSet<&Address>) -> Vec<(Address, Problem)> {
    let mut found = second_planes(scene);
    found.extend(unnamed(scene, rendered));
    found.extend(scene.operators().filter_map(|operator| Some((operator.address.clone(), removed(operator)?))));
    found
}

/// An `IstioOperator` that makes a control plane.
pub(super) struct Plane<'a> {
    pub(super) object: Object<'a>,
    pub(super) cluster_name: &'a str,
    pub(super) network: Option<&'a str>,
    revision: Option<&'a Value>,
}

/// Every control plane that says which cluster it is of.
pub(super) fn planes<'a>(scene: &Scene<'a>) -> impl Iterator<Item = Plane<'a>> {
    scene.operators().filter_map(|object| {
        let global = |name: &[&str]| object.text(&[&["spec", "values", "global"], name].concat());
        // Gateways of their own name the cluster too, and make no control plane.
        if object.text(&["spec", "profile"]) == Some("empty") {
            return None;
        }
        let cluster_name = global(&["multiCluster", "clusterName"])?;
        Some(Plane { object, cluster_name, network: global(&["network"]), revision: object.at(&["spec", "revision"]) })
    })
}

/// Two clusters' control planes in one cluster: what was meant for another one was given to this one.
fn second_planes(scene: &Scene<'_>) -> Vec<(Address, Problem)> {
    let planes: Vec<_> = planes(scene).filter(|plane| plane.object.place.is_some()).collect();
    let mut found = Vec::new();
    for (at, later) in planes.iter().enumerate() {
        let beside = |earlier: &&Plane<'_>| {
            earlier.object.place == later.object.place
                && earlier.cluster_name != later.cluster_name
                && same_revision(earlier.revision, later.revision)
        };
        if let Some(earlier) = planes.iter().take(at).find(beside) {
            let detail = format!(
                "`{}` and `{}` are in one cluster, and call it `{}` and `{}`: the later takes the place of the other's control plane",
                earlier.object.address, later.object.address, earlier.cluster_name, later.cluster_name
            );
            found.push((later.object.address.clone(), rules::SECOND_CONTROL_PLANE.broken(detail)));
        }
    }
    found
}

fn same_revision(one: Option<&Value>, other: Option<&Value>) -> bool {
    let known = |revision: Option<&Value>| revision.is_none_or(Value::is_known);
    known(one) && known(other) && one.and_then(Value::as_str) == other.and_then(Value::as_str)
}

/// Rendered objects of an installation without a name, told once for each cluster.
fn unnamed(scene: &Scene<'_>, rendered: &BTreeSet<&Address>) -> Vec<(Address, Problem)> {
    let mut told = BTreeSet::new();
    let is_ours = |object: &&Object<'_>| object.address.parent().is_some_and(|set| rendered.contains(&set));
    let of_no_name = |object: &&Object<'_>| object.text(&["metadata", "labels", OWNER.0]) == Some(OWNER.1);
    let nameless = scene.objects.iter().filter(|object| of_no_name(object) && !is_ours(object));
    let first = nameless.filter(|object| told.insert(object.place));
    let problem = |object: &Object<'_>| {
        let detail =
            format!("{} comes from an `IstioOperator` without `metadata.name`: its label `{}` is `{}`", object.called(), OWNER.0, OWNER.1);
        (object.address.clone(), rules::UNNAMED_ISTIO_OPERATOR.broken(detail))
    };
    first.map(problem).collect()
}

/// A setting that the version of an installation does not know any more.
fn removed(operator: Object<'_>) -> Option<Problem> {
    let tag = operator.text(&["spec", "tag"])?;
    let minor = Minor::of(tag)?;
    let gone: [(&[&str], Minor, &str); 2] = [
        (&["spec", "addonComponents"], WITHOUT_ADDON_COMPONENTS, "install Prometheus, Kiali and the like from their own manifests"),
        (&["spec", "values", "global", "meshExpansion"], WITHOUT_MESH_EXPANSION, "expose istiod at an east-west gateway"),
    ];
    let (path, since, instead) = gone.into_iter().find(|(path, since, _)| minor >= *since && operator.at(path).is_some())?;
    let detail = format!("`{}` of {} is of Istio before 1.{}, and this is `{tag}`: {instead}", path.join("."), operator.called(), since.0);
    Some(rules::REMOVED_FEATURE.broken(detail))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, object};
    use serde_json::{Value as Json, json};

    fn plane(name: &str, cluster: &str, more: &Json) -> Json {
        let mut spec = json!({ "values": { "global": { "multiCluster": { "clusterName": cluster } } } });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object("install.istio.io/v1alpha1", "IstioOperator", name, &spec)
    }

    #[test]
    fn a_cluster_is_called_by_one_name() {
        let (one, two) = (plane("a", "cluster1", &json!({})), plane("b", "cluster2", &json!({})));
        let canary = plane("b", "cluster2", &json!({ "revision": "canary" }));
        let gateway = plane("eastwest", "cluster2", &json!({ "profile": "empty" }));
        for (objects, expected) in [
            (vec![("c1", one.clone()), ("c1", two.clone())], "second-control-plane o1"),
            (vec![("c1", one.clone()), ("c2", two)], ""),
            (vec![("c1", one.clone()), ("c1", plane("b", "cluster1", &json!({})))], ""),
            (vec![("c1", one.clone()), ("c1", canary)], ""),
            (vec![("c1", one), ("c1", gateway)], ""),
        ] {
            assert_eq!(found(&objects, false).join(" "), expected);
        }
    }

    #[test]
    fn what_was_rendered_without_a_name_is_told_once_for_each_cluster() {
        let labels = json!({ "install.operator.istio.io/owning-resource": "unknown" });
        let rendered = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "istiod", "namespace": "istio-system", "labels": labels } });
        let named = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "istiod", "labels": { "install.operator.istio.io/owning-resource": "eastwest" } } });
        let objects = [("c1", rendered.clone()), ("c1", rendered.clone()), ("c2", rendered), ("c3", named)];
        assert_eq!(found(&objects, false), ["unnamed-istio-operator o0", "unnamed-istio-operator o2"]);
    }

    #[test]
    fn settings_go_with_versions() {
        for (spec, expected) in [
            (json!({ "tag": "1.7.3", "values": { "global": { "meshExpansion": { "enabled": true } } } }), ""),
            (json!({ "tag": "1.30.1", "values": { "global": { "meshExpansion": { "enabled": true } } } }), "removed-feature o0"),
            (json!({ "tag": "1.8.0", "addonComponents": { "kiali": { "enabled": true } } }), ""),
            (json!({ "tag": "1.9.0", "addonComponents": { "kiali": { "enabled": true } } }), "removed-feature o0"),
            (json!({ "tag": "latest", "addonComponents": {} }), ""),
        ] {
            let operator = object("install.istio.io/v1alpha1", "IstioOperator", "o", &spec);
            assert_eq!(found(&[("c1", operator)], false).join(" "), expected, "{spec}");
        }
    }
}
