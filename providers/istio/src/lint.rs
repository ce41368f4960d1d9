//! What is wrong between the clusters of a mesh, told from the arguments of all control planes and gateways together.

use crate::arguments::{address, text, through};
use engine::address::Address;
use engine::diagnostic::Diagnostic;
use engine::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every problem between instances: their address, kind and converted arguments. What is not known yet is no problem.
pub fn lint<'a>(instances: impl IntoIterator<Item = (&'a Address, &'a str, &'a Value)>) -> Vec<Diagnostic> {
    let mut meshes: BTreeMap<&str, Mesh<'a>> = BTreeMap::new();
    let mut gateways = BTreeSet::new();
    for (address, kind, arguments) in instances {
        match kind {
            "istio_operator" => {
                // What says no mesh is a mesh of its own to istiod, named by its trust domain; two such may share names.
                let Some(mesh) = arguments.text("mesh_id") else { continue };
                meshes.entry(mesh).or_default().planes.push((address, arguments));
            }
            "istio_eastwest_gateway" => {
                gateways.extend(through(arguments, &["control_plane"]).and_then(Value::instance).map(|plane| plane.address.clone()));
            }
            _ => {}
        }
    }
    meshes.iter().flat_map(|(name, mesh)| mesh.problems(name, &gateways)).collect()
}

/// The control planes of one mesh, in the order given.
#[derive(Default)]
struct Mesh<'a> {
    planes: Vec<(&'a Address, &'a Value)>,
}

impl<'a> Mesh<'a> {
    fn problems(&self, name: &str, gateways: &BTreeSet<Address>) -> Vec<Diagnostic> {
        let mut found = self.duplicates(name);
        found.extend(self.differing_domains(name));
        found.extend(self.differing_roots(name));
        found.extend(self.missing_gateways(name, gateways));
        found
    }

    /// Two clusters of one name: the first remote secret wins, and the other cluster is never read.
    fn duplicates(&self, name: &str) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<&str, (&Address, Option<Address>)> = BTreeMap::new();
        let mut found = Vec::new();
        for (plane, arguments) in &self.planes {
            let Some(cluster_name) = arguments.text("cluster_name") else { continue };
            let cluster = address(arguments, &["cluster"]);
            match seen.get(cluster_name) {
                // A second revision in the same cluster has the same name.
                Some((_, there)) if *there == cluster => {}
                Some((first, _)) => {
                    let detail = format!(
                        "`{first}` and `{plane}` both have `cluster_name = \"{cluster_name}\"` in mesh `{name}`: peers tell clusters apart by it, and would \
                         read only one of the two"
                    );
                    found.push(
                        Diagnostic::error("duplicate cluster name", detail)
                            .about(plane)
                            .help("Give each cluster of the mesh a name of its own."),
                    );
                }
                None => {
                    seen.insert(cluster_name, (plane, cluster));
                }
            }
        }
        found
    }

    fn differing_domains(&self, name: &str) -> Option<Diagnostic> {
        let domain = |arguments: &'a Value| {
            arguments.get("trust_domain").filter(|domain| domain.is_known()).map(|domain| domain.as_str().unwrap_or("cluster.local"))
        };
        self.differing(domain).map(|((first, one), (second, other))| {
            let detail = format!("`{first}` has the trust domain `{one}`, `{second}` has `{other}`: clusters of mesh `{name}` would refuse each other's workloads");
            Diagnostic::error("different trust domains", detail).about(second).help("Give all control planes of a mesh the same `trust_domain`.")
        })
    }

    fn differing_roots(&self, name: &str) -> Option<Diagnostic> {
        let root = |arguments: &'a Value| text(arguments, &["cacerts", "root_certificate"]);
        self.differing(root).map(|((first, _), (second, _))| {
            let detail = format!("the authorities of `{first}` and `{second}` come from different roots: clusters of mesh `{name}` would not trust each other");
            Diagnostic::error("different roots", detail).about(second).help("Let every `ca_intermediate` of the mesh have the same `issuer`.")
        })
    }

    /// The first two control planes of which something known differs.
    fn differing<T: PartialEq>(&self, of: impl Fn(&'a Value) -> Option<T>) -> Option<((&'a Address, T), (&'a Address, T))> {
        let mut known = self.planes.iter().filter_map(|(address, arguments)| Some((*address, of(arguments)?)));
        let first = known.next()?;
        let other = known.find(|(_, value)| *value != first.1)?;
        Some((first, other))
    }

    /// Networks that nobody leads into: their pods' own addresses are handed to other networks, which do not reach them.
    fn missing_gateways(&self, name: &str, gateways: &BTreeSet<Address>) -> Vec<Diagnostic> {
        let network = |arguments: &'a Value| arguments.text("network");
        let networks: BTreeSet<_> = self.planes.iter().filter_map(|(_, arguments)| network(arguments)).collect();
        let led_to: BTreeSet<_> =
            self.planes.iter().filter(|(plane, _)| gateways.contains(*plane)).filter_map(|(_, arguments)| network(arguments)).collect();
        if networks.len() < 2 {
            return Vec::new();
        }
        let missing = networks.difference(&led_to).map(|missing| {
            let detail = format!("no gateway leads to `{missing}`, one of {} networks of mesh `{name}`: its pods' own addresses are given to others, which cannot reach them", networks.len());
            Diagnostic::warning("network without a gateway", detail).help("Add an `istio_eastwest_gateway` for a control plane of that network.")
        });
        missing.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference, with};
    use engine::value::Type;
    use serde_json::json;

    fn plane(name: &str, changes: &[(&str, Value)]) -> (Address, &'static str, Value) {
        let base = json!({ "mesh_id": "mesh1", "cluster_name": name, "network": "n1", "trust_domain": null });
        let arguments = with(&with(&Value::from_json(&base), &[("cluster", cluster(name))]), changes);
        (Address::managed("istio_operator", name), "istio_operator", arguments)
    }

    fn gateway(name: &str) -> (Address, &'static str, Value) {
        let plane = plane(name, &[]);
        let instance = engine::value::Instance { address: plane.0, classes: &["control_plane"], attributes: plane.2 };
        let reference = Value::new(engine::value::Data::Reference(std::sync::Arc::new(instance)));
        (Address::managed("istio_eastwest_gateway", name), "istio_eastwest_gateway", Value::object([("control_plane", reference)]))
    }

    fn rooted(name: &str, root: &str) -> (Address, &'static str, Value) {
        let cacerts = reference(&["cacerts"], name, Value::object([("root_certificate", Value::string(root))]));
        plane(name, &[("cacerts", cacerts)])
    }

    fn text(text: &str) -> Value {
        Value::string(text)
    }

    #[test]
    fn what_is_wrong_between_clusters_is_said_of_both() {
        let rows = [
            (vec![plane("a", &[]), plane("b", &[])], vec![]),
            (
                vec![plane("a", &[]), plane("b", &[("cluster_name", text("a"))])],
                vec![
                    "`istio_operator.a` and `istio_operator.b` both have `cluster_name = \"a\"` in mesh `mesh1`: peers tell clusters apart by it, and would read only one of the two",
                ],
            ),
            (vec![plane("a", &[]), plane("b", &[("cluster_name", text("a")), ("mesh_id", text("mesh2"))])], vec![]),
            (vec![plane("a", &[]), plane("b", &[("cluster_name", text("a")), ("cluster", cluster("a"))])], vec![]),
            (vec![plane("a", &[]), plane("b", &[("cluster_name", Value::unknown(Type::String))])], vec![]),
            (
                vec![plane("a", &[]), plane("b", &[("trust_domain", text("td"))])],
                vec![
                    "`istio_operator.a` has the trust domain `cluster.local`, `istio_operator.b` has `td`: clusters of mesh `mesh1` would refuse each other's workloads",
                ],
            ),
            (vec![plane("a", &[]), plane("b", &[("trust_domain", text("cluster.local"))])], vec![]),
            (vec![rooted("a", "R"), rooted("b", "R"), plane("c", &[])], vec![]),
            (
                vec![rooted("a", "R"), rooted("b", "S")],
                vec![
                    "the authorities of `istio_operator.a` and `istio_operator.b` come from different roots: clusters of mesh `mesh1` would not trust each other",
                ],
            ),
            (
                vec![plane("a", &[]), plane("b", &[("network", text("n2"))]), gateway("a")],
                vec![
                    "no gateway leads to `n2`, one of 2 networks of mesh `mesh1`: its pods' own addresses are given to others, which cannot reach them",
                ],
            ),
            (vec![plane("a", &[]), plane("b", &[("network", text("n2"))]), gateway("a"), gateway("b")], vec![]),
        ];
        for (instances, expected) in rows {
            let found = lint(instances.iter().map(|(address, kind, arguments)| (address, *kind, arguments)));
            assert_eq!(found.iter().map(|problem| problem.detail.as_str()).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_duplicate_is_an_error_about_the_later_one() {
        let instances = [plane("a", &[]), plane("b", &[("cluster_name", text("a"))])];
        let found = lint(instances.iter().map(|(address, kind, arguments)| (address, *kind, arguments)));
        assert!(found[0].is_error());
        assert_eq!((found[0].summary.as_str(), found[0].address.as_ref()), ("duplicate cluster name", Some(&instances[1].0)));
    }
}
