//! Mesh lint: what an apply would do without complaint, and what the mesh would then fail at.
//!
//! It looks at the objects that are to be, whoever writes them: a control plane of `istio_operator` and an `IstioOperator` out of somebody's
//! file are held against the same rules.

mod gateways;
mod installations;
mod namespaces;
mod planes;
pub(crate) mod rules;
mod scene;
mod secrets;
mod subsets;
mod traffic;

use engine::address::Address;
use engine::schema::{Lint, LintInput, Problem, Rule};
use scene::Scene;

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
        let scene = Scene::of(input);
        found.extend(installations::findings(&scene));
        found.extend(namespaces::findings(&scene));
        found.extend(secrets::findings(&scene));
        found.extend(traffic::findings(&scene));
        found.extend(subsets::findings(&scene));
        found.extend(gateways::findings(&scene));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::schema::LintInstance;
    use engine::value::Value;
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
