//! What a change of an object brings about beside itself, as far as the object alone tells it.

use crate::difference::{Difference, Mark};
use crate::entry::object_path;
use engine::plan::{Action, Change};
use engine::value::Value;

/// Kinds whose pods are replaced when their template changes.
const WORKLOADS: [&str; 3] = ["DaemonSet", "Deployment", "StatefulSet"];

/// Whole phrases such as `istiod restarts`, of an object as Kubernetes has it: the attribute `manifest` of a change.
pub(crate) fn consequences(change: &Change, difference: Option<&Difference>) -> Vec<String> {
    let manifest = |side: Option<&Value>| side.and_then(|side| side.present("manifest")).cloned();
    let Some(object) = manifest(change.before.as_ref()) else { return of_kind(change, difference) };
    let name = object.present("metadata").and_then(|metadata| metadata.text("name")).unwrap_or("it");
    let within = |path: &str| difference.is_some_and(|found| found.leaves.iter().any(|leaf| object_path(&leaf.path).starts_with(path)));
    let ends = matches!(change.action, Action::Delete | Action::Replace | Action::ReplaceCreateFirst);
    match object.text("kind") {
        Some(kind) if WORKLOADS.contains(&kind) && change.action == Action::Update && within("spec.template.") => {
            vec![format!("{name} restarts")]
        }
        Some(kind) if WORKLOADS.contains(&kind) && matches!(change.action, Action::Replace) => {
            vec![format!("{name} stops and starts again")]
        }
        Some("Service") if ends && is_balanced(&object) => vec!["listeners on its address drop".to_owned()],
        Some("Service") => ports(difference),
        Some("CustomResourceDefinition") if ends => vec!["every object of its kind is deleted with it".to_owned()],
        Some("Namespace") if ends => vec!["all that is in it is deleted with it".to_owned()],
        _ => Vec::new(),
    }
}

/// The same of kinds that are no manifests.
fn of_kind(change: &Change, difference: Option<&Difference>) -> Vec<String> {
    let differs = |name: &str| difference.is_some_and(|found| found.leaves.iter().any(|leaf| leaf.path == name));
    let phrase = match (&*change.kind, change.action) {
        ("istio_eastwest_gateway", Action::Delete | Action::Replace) => "listeners on its address drop",
        ("host_vip", Action::Delete | Action::Replace) => "listeners on this VIP drop",
        ("docker_container", Action::Delete) => "what runs in it stops",
        ("docker_container", Action::Replace) => "what runs in it stops and starts again",
        ("istio_operator", Action::Delete) => "istiod stops",
        ("istio_operator", Action::Replace) => "istiod stops and starts again",
        ("istio_operator", Action::Update) if differs("tag") || differs("hub") => "istiod restarts",
        _ => return Vec::new(),
    };
    vec![phrase.to_owned()]
}

fn is_balanced(service: &Value) -> bool {
    service.present("spec").and_then(|spec| spec.text("type")) == Some("LoadBalancer")
}

/// The ports that are there no more.
fn ports(difference: Option<&Difference>) -> Vec<String> {
    let gone = |path: &str| Some(object_path(path).strip_prefix("spec.ports[port=")?.split([',', ']']).next()?.to_owned());
    let leaves = difference.map(|found| found.leaves.as_slice()).unwrap_or_default();
    let closed = leaves.iter().filter(|leaf| leaf.mark == Mark::Remove && leaf.path.ends_with(']')).filter_map(|leaf| gone(&leaf.path));
    closed.map(|port| format!("listeners on port {port} drop")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Address;
    use engine::plan::Reason;
    use serde_json::json;

    #[test]
    fn what_follows_is_told() {
        let workload = |image: &str, replicas: u32| json!({ "spec": { "replicas": replicas, "template": { "image": image } } });
        let service = |port: u32| json!({ "spec": { "type": "LoadBalancer", "ports": [{ "port": port, "protocol": "TCP" }] } });
        for (kind, action, before, after, expected) in [
            ("Deployment", Action::Update, workload("1", 1), workload("2", 1), vec!["a restarts"]),
            ("DaemonSet", Action::Update, workload("1", 1), workload("2", 1), vec!["a restarts"]),
            ("Deployment", Action::Update, workload("1", 1), workload("1", 2), vec![]),
            ("StatefulSet", Action::Replace, workload("1", 1), workload("2", 1), vec!["a stops and starts again"]),
            ("Job", Action::Update, workload("1", 1), workload("2", 1), vec![]),
            ("Service", Action::Update, service(80), service(81), vec!["listeners on port 80 drop"]),
            ("Service", Action::Delete, service(80), json!({}), vec!["listeners on its address drop"]),
            ("Service", Action::Delete, json!({ "spec": { "type": "ClusterIP" } }), json!({}), vec![]),
            ("CustomResourceDefinition", Action::Delete, json!({}), json!({}), vec!["every object of its kind is deleted with it"]),
            ("Namespace", Action::Replace, json!({}), json!({}), vec!["all that is in it is deleted with it"]),
            ("ConfigMap", Action::Update, json!({ "data": 1 }), json!({ "data": 2 }), vec![]),
        ] {
            let object = |mut object: serde_json::Value| {
                object["kind"] = json!(kind);
                object["metadata"] = json!({ "name": "a" });
                Value::from_json(&object)
            };
            let manifest = |object: Value| Value::object([("manifest", object)]);
            let (before, after) = (object(before), object(after));
            let [difference, whole] = [(before.clone(), after.clone()), (manifest(before.clone()), manifest(after))]
                .map(|(before, after)| Difference::between(&before, &after));
            let before = Some(manifest(before));
            let change = Change { before, ..Change::of(Address::managed("k", "a"), action, Reason::NotInState) };
            for difference in [difference, whole] {
                assert_eq!(consequences(&change, Some(&difference)), expected, "{kind} {action:?}");
            }
        }
    }

    #[test]
    fn what_follows_of_kinds_is_told() {
        for (kind, action, attribute, expected) in [
            ("istio_operator", Action::Update, "tag", vec!["istiod restarts"]),
            ("istio_operator", Action::Update, "hub", vec!["istiod restarts"]),
            ("istio_operator", Action::Update, "mesh_config", vec![]),
            ("istio_operator", Action::Replace, "name", vec!["istiod stops and starts again"]),
            ("istio_operator", Action::Delete, "name", vec!["istiod stops"]),
            ("istio_operator", Action::Create, "name", vec![]),
            ("istio_eastwest_gateway", Action::Replace, "name", vec!["listeners on its address drop"]),
            ("istio_eastwest_gateway", Action::Delete, "name", vec!["listeners on its address drop"]),
            ("istio_eastwest_gateway", Action::Update, "spec", vec![]),
            ("host_vip", Action::Replace, "label", vec!["listeners on this VIP drop"]),
            ("host_vip", Action::Delete, "address", vec!["listeners on this VIP drop"]),
            ("host_vip", Action::Update, "persistent", vec![]),
            ("docker_container", Action::Replace, "image", vec!["what runs in it stops and starts again"]),
            ("docker_container", Action::Delete, "image", vec!["what runs in it stops"]),
            ("docker_container", Action::Update, "restart", vec![]),
        ] {
            let side = |text: &str| Value::object([(attribute, Value::string(text))]);
            let difference = Difference::between(&side("1"), &side("2"));
            let before = Some(side("1")).filter(|_| action != Action::Create);
            let change = Change { kind: kind.into(), before, ..Change::of(Address::managed(kind, "a"), action, Reason::NotInState) };
            assert_eq!(consequences(&change, Some(&difference)), expected, "{kind} {action:?} {attribute}");
        }
    }
}
