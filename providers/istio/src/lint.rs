//! Mesh lint: what an apply would do without complaint, and what the mesh would then fail at.
//!
//! It looks at the objects that are to be, whoever writes them: a control plane of `istio_operator` and an `IstioOperator` out of somebody's
//! file are held against the same rules.

mod gateways;
mod hosts;
mod installations;
mod localities;
mod namespaces;
mod planes;
mod revisions;
pub(crate) mod rules;
mod scene;
mod secrets;
mod subnets;
mod subsets;
mod traffic;

use engine::address::Address;
use engine::schema::{Lint, LintInput, LintInstance, Problem, Rule};
use engine::value::Value;
use scene::Scene;
use std::collections::{BTreeMap, BTreeSet};

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
        found.extend(hosts::findings(&scene));
        found.extend(localities::findings(&scene));
        found.extend(subsets::findings(&scene));
        found.extend(gateways::findings(&scene));
        let mut secrets = BTreeSet::new();
        for object in &scene.objects {
            collect(object.value, false, &mut secrets);
        }
        for plane in &operators {
            for entry in plane.arguments.entries().iter().filter(|entry| entry.value.instance().is_none()) {
                collect(&entry.value, false, &mut secrets);
            }
        }
        for (_, problem) in &mut found {
            problem.detail = without(&problem.detail, &secrets);
        }
        found
    }
}

/// The texts that are sensitive in a value.
fn collect(value: &Value, within: bool, found: &mut BTreeSet<String>) {
    let is_sensitive = within || value.is_marked_sensitive();
    for part in value.parts() {
        collect(part, is_sensitive, found);
    }
    found.extend(value.as_str().filter(|text| is_sensitive && !text.is_empty()).map(str::to_owned));
}

/// What a finding says, with those hidden that it quotes: however short, as names are.
fn without(detail: &str, secrets: &BTreeSet<String>) -> String {
    let quoted = |detail: String, secret: &String| {
        let hidden = ['`', '"'].map(|quote| (format!("{quote}{secret}{quote}"), format!("{quote}(sensitive value){quote}")));
        hidden.iter().fold(detail, |detail, (shown, hidden)| detail.replace(shown, hidden))
    };
    secrets.iter().fold(detail.to_owned(), quoted)
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
    fn names_that_are_secrets_are_not_told() {
        let [first, second] = ["a", "b"].map(|name| Address::managed("istio_operator", name));
        let told = |secret: bool| {
            let name = || Value::string("c1").sensitive_if(secret);
            let changes = [("mesh_id", Value::string("m")), ("cluster_name", name()), ("installer", Value::string("istioctl"))];
            let network = [("network", Value::string("n1").sensitive_if(secret)), ("namespace", Value::string("istio-system"))];
            let arguments = Operator::default().schema().defaults().with_entries(changes.into_iter().chain(network));
            let at = |address, cluster: &str| {
                let cluster = Value::reference(Address::managed("k", cluster), &["cluster"], Value::object::<&str>([]));
                (address, arguments.with_entries([("cluster", cluster)]))
            };
            let both = [at(&first, "east"), at(&second, "west")];
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "istio-system" } });
            let nothing = Value::object::<&str>([]);
            let namespaces = Address::managed("kubernetes_namespace", "n");
            let mut instances: Vec<_> = both
                .iter()
                .map(|(address, arguments)| LintInstance {
                    address,
                    kind: "istio_operator",
                    arguments,
                    attributes: arguments,
                    written: None,
                    place: Some("c1".into()),
                })
                .collect();
            instances.push(LintInstance {
                address: &namespaces,
                kind: "kubernetes_namespace",
                arguments: &nothing,
                attributes: &nothing,
                written: Some(Value::from_json(&namespace)),
                place: Some("c1".into()),
            });
            let told = MeshLint.look(&LintInput { instances, complete: true, now: 0 });
            told.into_iter().map(|(_, problem)| problem.detail).collect::<Vec<_>>().join("\n")
        };
        let (open, hidden) = (told(false), told(true));
        assert!(open.contains("cluster_name = \"c1\"") && open.contains("in the network `n1`"), "{open}");
        assert!(
            hidden.contains("cluster_name = \"(sensitive value)\"") && hidden.contains("in the network `(sensitive value)`"),
            "{hidden}"
        );
        assert!(!hidden.contains("c1") && !hidden.contains("n1"), "{hidden}");
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
