//! Mesh lint: what an apply would do without complaint, and what the mesh would then fail at.
//!
//! It looks at the objects that are to be, whoever writes them: a control plane of `istio_operator` and an `IstioOperator` out of somebody's
//! file are held against the same rules.

mod gateways;
mod installations;
mod namespaces;
mod planes;
mod revisions;
pub(crate) mod rules;
mod scene;
mod secrets;
mod subsets;
mod traffic;

use engine::address::Address;
use engine::schema::{Lint, LintInput, LintInstance, Problem, Rule};
use engine::value::Value;
use scene::Scene;
use std::collections::BTreeMap;

pub(crate) use secrets::is_loopback;

/// The lint of the provider `istio`.
pub(crate) struct MeshLint;

impl Lint for MeshLint {
    fn rules(&self) -> &'static [&'static Rule] {
        rules::ALL
    }

    fn look(&self, input: &LintInput<'_>) -> Vec<(Address, Problem)> {
        let operators: Vec<_> = input.instances.iter().filter(|at| at.is_managed() && at.kind == "istio_operator").collect();
        let mut found = planes::between(&operators.iter().map(|at| (at.address, at.arguments)).collect::<Vec<_>>());
        let made_from: BTreeMap<_, _> = operators.iter().filter_map(|at| Some((at.address, made_from(at)?))).collect();
        let scene = Scene::of(input, &made_from);
        // What is rendered here is rendered from a name, whatever `istioctl` makes of it.
        let rendered = operators.iter().filter(|at| at.arguments.text("installer") == Some("istioctl"));
        found.extend(installations::findings(&scene, &rendered.map(|at| at.address).collect()));
        found.extend(namespaces::findings(&scene));
        found.extend(revisions::findings(input));
        found.extend(secrets::findings(&scene));
        found.extend(traffic::findings(&scene));
        found.extend(subsets::findings(&scene));
        found.extend(gateways::findings(&scene));
        found
    }
}

/// The `IstioOperator` of a control plane whose set does not hold it: with the installer `operator` it is a member.
fn made_from(plane: &LintInstance<'_>) -> Option<Value> {
    matches!(plane.arguments.text("installer"), Some("istioctl" | "manifests")).then(|| crate::operator::resource(plane.arguments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{Operator, resource};
    use kubernetes::ObjectKind as _;
    use serde_json::{Value as Json, json};

    /// What is found of objects, each with the name of its cluster: the rule and the name of the resource that it is reported at.
    pub(super) fn found(objects: &[(&str, Json)], complete: bool) -> Vec<String> {
        let addresses: Vec<_> = (0..objects.len()).map(|at| Address::managed("kubernetes_manifest", &format!("o{at}"))).collect();
        let nothing = Value::object::<&str>([]);
        let instances = objects.iter().zip(&addresses).map(|((place, object), address)| LintInstance {
            address,
            kind: "kubernetes_manifest",
            arguments: &nothing,
            attributes: &nothing,
            written: Some(Value::from_json(object)),
            place: Some((*place).into()),
        });
        let input = LintInput { instances: instances.collect(), complete, now: 0 };
        let told = MeshLint.look(&input).into_iter();
        told.map(|(address, problem)| format!("{} {}", problem.rule.unwrap_or("no rule"), address.name)).collect()
    }

    /// An object of a group and kind in a namespace.
    pub(super) fn object(api_version: &str, kind: &str, name: &str, spec: &Json) -> Json {
        json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name, "namespace": "sample" }, "spec": spec })
    }

    #[test]
    fn control_planes_are_looked_at_once_whatever_installs_them() {
        let own = Address::managed("istio_operator", "plane");
        let member = Address::managed("kubernetes_manifest", "member");
        let values = Value::from_json(&json!({ "global": { "meshExpansion": { "enabled": true } } }));
        for (installer, expected) in [("istioctl", "plane"), ("manifests", "plane"), ("operator", "member")] {
            let changes = [("installer", Value::string(installer)), ("tag", Value::string("1.23.6")), ("values", values.clone())];
            let arguments = Operator::default().schema().defaults().with_entries(changes);
            let of = |address, kind, written| LintInstance {
                address,
                kind,
                arguments: &arguments,
                attributes: &arguments,
                written,
                place: Some("c1".into()),
            };
            let mut instances = vec![of(&own, "istio_operator", None)];
            if installer == "operator" {
                instances.push(of(&member, "kubernetes_manifest", Some(resource(&arguments))));
            }
            let told = MeshLint.look(&LintInput { instances, complete: true, now: 0 });
            let told: Vec<_> = told.iter().map(|(address, problem)| (&*address.name, problem.rule)).collect();
            assert_eq!(told, [(expected, Some("removed-feature"))], "{installer}");
        }
    }

    #[test]
    fn rules_have_ids_of_their_own_and_whole_sentences() {
        for (at, rule) in rules::ALL.iter().enumerate() {
            assert!(rules::ALL.iter().skip(at + 1).all(|other| other.id != rule.id), "{}", rule.id);
            assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.id);
            for text in [rule.finds, rule.why, rule.help] {
                assert!(text.ends_with('.') && text.starts_with(|c: char| c.is_uppercase() || c == '`'), "{}: {text}", rule.id);
            }
        }
    }
}
