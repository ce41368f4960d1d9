//! What is wrong between the control planes of a mesh, told from the arguments of all of them together.

use super::{rules, subnets};
use crate::arguments::{address, text, through};
use crate::cacerts::TRUSTED;
use crate::operator::resource;
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;
use std::collections::BTreeMap;

/// Every problem between control planes, each at the later of the two it is about. What is not known yet is no problem, and a control plane
/// that names no mesh is in none with others.
pub(super) fn between(planes: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
    let mut meshes: BTreeMap<&str, Mesh<'_>> = BTreeMap::new();
    for (address, arguments) in planes {
        if let Some(mesh) = arguments.text("mesh_id") {
            meshes.entry(mesh).or_default().planes.push((address, arguments));
        }
    }
    meshes.iter().flat_map(|(name, mesh)| mesh.problems(name)).collect()
}

/// The control planes of one mesh, in the order given.
#[derive(Default)]
struct Mesh<'a> {
    planes: Vec<(&'a Address, &'a Value)>,
}

impl<'a> Mesh<'a> {
    fn problems(&self, name: &str) -> Vec<(Address, Problem)> {
        let mut found = self.duplicates(name);
        found.extend(self.differing_domains(name));
        found.extend(self.differing_roots(name));
        found.extend(self.mixed(name));
        found.extend(self.overlapping_pods());
        found
    }

    /// Clusters whose pods cannot be told apart on the network that they share.
    fn overlapping_pods(&self) -> Option<(Address, Problem)> {
        self.planes.iter().enumerate().find_map(|(at, (first, one))| {
            self.planes.iter().skip(at + 1).find_map(|(second, other)| {
                let shared = one.text("network").is_some() && one.text("network") == other.text("network");
                if !shared || address(one, &["cluster"]) == address(other, &["cluster"]) {
                    return None;
                }
                let others = subnets::of(other);
                let overlaps = |subnet: &String| Some((subnet.clone(), others.iter().find(|also| subnets::overlap(subnet, also))?.clone()));
                let (subnet, also) = subnets::of(one).iter().find_map(overlaps)?;
                let detail = format!(
                    "the pods of `{first}`'s cluster have addresses of `{subnet}`, those of `{second}`'s of `{also}`, and both are in the network `{}`",
                    one.text("network").unwrap_or_default()
                );
                Some(((*second).clone(), rules::POD_SUBNETS_OVERLAP.broken_by("cluster", detail)))
            })
        })
    }

    /// Clusters that live in this binary, and clusters that others can reach.
    fn mixed(&self, name: &str) -> Option<(Address, Problem)> {
        let sandboxed = |arguments: &'a Value| Some(&*address(arguments, &["cluster"])?.kind == "sandbox_cluster");
        self.differing(sandboxed).map(|[(first, is_sandbox), (second, _)]| {
            let (sandbox, real) = if is_sandbox { (first, second) } else { (second, first) };
            let detail = format!("`{sandbox}` is in a cluster of the sandbox and `{real}` in a real one, both in mesh `{name}`");
            (second.clone(), rules::SANDBOX_IN_A_REAL_MESH.broken_by("cluster", detail))
        })
    }

    /// Two clusters of one name: the first remote secret wins, and the other cluster is never read.
    fn duplicates(&self, name: &str) -> Vec<(Address, Problem)> {
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
                    found.push(((*plane).clone(), rules::DUPLICATE_CLUSTER_NAME.broken_by("cluster_name", detail)));
                }
                None => {
                    seen.insert(cluster_name, (plane, cluster));
                }
            }
        }
        found
    }

    fn differing_domains(&self, name: &str) -> Option<(Address, Problem)> {
        let known: Vec<_> = self.planes.iter().filter_map(|(address, arguments)| Some((*address, Domain::of(arguments)?))).collect();
        known.iter().enumerate().find_map(|(at, (first, one))| {
            let (second, other) = known.iter().skip(at + 1).find(|(_, other)| one.refuses(other))?;
            let detail = format!(
                "`{first}` has the trust domain `{}`, `{second}` has `{}`: clusters of mesh `{name}` would refuse each other's workloads",
                one.own, other.own
            );
            Some(((*second).clone(), rules::DIFFERENT_TRUST_DOMAINS.broken_by("trust_domain", detail)))
        })
    }

    fn differing_roots(&self, name: &str) -> Option<(Address, Problem)> {
        let mut rooted = self.planes.iter().filter_map(|(address, arguments)| Some((*address, Roots::of(arguments)?)));
        let (first, one) = rooted.next()?;
        let (second, _) = rooted.find(|(_, other)| !(one.trust(other) && other.trust(&one)))?;
        let detail = format!(
            "the authorities of `{first}` and `{second}` come from different roots: clusters of mesh `{name}` would not trust each other"
        );
        Some((second.clone(), rules::DIFFERENT_ROOTS.broken_by("cacerts", detail)))
    }

    /// The first two control planes of which something known differs.
    fn differing<T: PartialEq>(&self, of: impl Fn(&'a Value) -> Option<T>) -> Option<[(&'a Address, T); 2]> {
        let mut known = self.planes.iter().filter_map(|(address, arguments)| Some((*address, of(arguments)?)));
        let first = known.next()?;
        let other = known.find(|(_, value)| *value != first.1)?;
        Some([first, other])
    }
}

/// The trust domain of a control plane, and those that it takes for its own.
struct Domain {
    own: String,
    aliases: Vec<String>,
}

impl Domain {
    /// What its `IstioOperator` says, wherever in the arguments that stands; nothing unless all is known.
    fn of(arguments: &Value) -> Option<Self> {
        let object = resource(arguments);
        let spec = object.get("spec")?;
        let mesh_config = spec.present("meshConfig");
        let at = |name| mesh_config.and_then(|mesh_config| mesh_config.present(name));
        let (own, aliases) = (at("trustDomain"), at("trustDomainAliases"));
        // What is not known as a whole may hold both.
        let is_open = |value: &Value| !value.is_known() && value.entries().is_empty();
        if is_open(spec) || mesh_config.is_some_and(is_open) || [own, aliases].into_iter().flatten().any(|value| !value.is_known()) {
            return None;
        }
        let aliases = aliases.map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Self { own: own.and_then(Value::as_str).unwrap_or("cluster.local").to_owned(), aliases })
    }

    fn refuses(&self, other: &Self) -> bool {
        self.own != other.own && !self.aliases.contains(&other.own) && !other.aliases.contains(&self.own)
    }
}

/// The root that a cluster's authority comes from, and those it trusts beside it while the mesh moves from one root to another.
struct Roots<'a> {
    own: &'a str,
    further: Vec<&'a str>,
}

impl<'a> Roots<'a> {
    /// What is known of them; nothing unless all is.
    fn of(arguments: &'a Value) -> Option<Self> {
        let further = through(arguments, &["cacerts", TRUSTED]);
        if further.is_some_and(|further| !further.is_known()) {
            return None;
        }
        let further = further.map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str).map(str::trim).collect();
        Some(Self { own: text(arguments, &["cacerts", "root_certificate"])?.trim(), further })
    }

    fn trust(&self, other: &Self) -> bool {
        self.own == other.own || self.further.contains(&other.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference};
    use engine::value::Type;
    use serde_json::json;

    fn plane(name: &str, changes: &[(&str, Value)]) -> (Address, Value) {
        let base = json!({ "mesh_id": "mesh1", "cluster_name": name, "network": "n1", "trust_domain": null });
        let arguments = Value::from_json(&base).with_entries([("cluster", cluster(name))]).with_entries(changes.iter().cloned());
        (Address::managed("istio_operator", name), arguments)
    }

    fn rooted(name: &str, root: &str, further: &[&str]) -> (Address, Value) {
        let further = Value::tuple(further.iter().map(|root| Value::string(*root)).collect());
        let roots = [("root_certificate", Value::string(root)), (TRUSTED, further)];
        let cacerts = reference(&["cacerts"], name, Value::object(roots));
        plane(name, &[("cacerts", cacerts)])
    }

    fn found(instances: &[(Address, Value)]) -> Vec<(Address, Problem)> {
        between(&instances.iter().map(|(address, arguments)| (address, arguments)).collect::<Vec<_>>())
    }

    fn text(text: &str) -> Value {
        Value::string(text)
    }

    #[test]
    fn clusters_of_the_sandbox_keep_to_themselves() {
        let within = |kind: &str| Value::reference(Address::managed(kind, "x"), &["cluster"], Value::object::<&str>([]));
        let told = |kinds: [&str; 2]| {
            let planes = [plane("a", &[("cluster", within(kinds[0]))]), plane("b", &[("cluster", within(kinds[1]))])];
            found(&planes).first().map(|(at, problem)| (at.name.to_string(), problem.rule))
        };
        assert_eq!(told(["kind_cluster", "sandbox_cluster"]), Some(("b".to_owned(), Some("sandbox-in-a-real-mesh"))));
        assert_eq!(told(["sandbox_cluster", "kind_cluster"]), Some(("b".to_owned(), Some("sandbox-in-a-real-mesh"))));
        assert_eq!(told(["sandbox_cluster", "sandbox_cluster"]), None);
        assert_eq!(told(["kind_cluster", "kubernetes_cluster"]), None);
    }

    #[test]
    fn pods_of_one_network_have_addresses_of_their_own() {
        let made = |name: &str, networking: serde_json::Value| {
            let attributes = Value::object([("networking", Value::from_json(&networking))]);
            ("cluster", Value::reference(Address::managed("kind_cluster", name), &["cluster"], attributes))
        };
        let subnet = |subnet: &str| json!({ "pod_subnet": subnet });
        let (other, null) = (("network", text("n2")), serde_json::Value::Null);
        for (one, two, more, expected) in [
            (null.clone(), null.clone(), None, true),
            (null.clone(), null.clone(), Some(other), false),
            (null.clone(), subnet("10.245.0.0/16"), None, false),
            (null.clone(), subnet("fd00::/64, 10.244.3.0/24"), None, true),
            (null.clone(), json!({ "ip_family": "ipv6", "pod_subnet": null }), None, false),
            (subnet("10.1.0.0/16"), subnet("10.0.0.0/8"), None, true),
        ] {
            let second: Vec<_> = [made("b", two.clone())].into_iter().chain(more).collect();
            let told = found(&[plane("a", &[made("a", one.clone())]), plane("b", &second)]);
            let rules: Vec<_> = told.iter().map(|(at, problem)| (&*at.name, problem.rule)).collect();
            let expected: &[_] = if expected { &[("b", Some("pod-subnets-overlap"))] } else { &[] };
            assert_eq!(rules, expected, "{one} {two}");
        }
        // Two revisions of one cluster have the same pods.
        assert!(found(&[plane("a", &[made("a", null.clone())]), plane("b", &[made("a", null), ("cluster_name", text("a"))])]).is_empty());
        // Of clusters that others made nothing is known.
        assert!(found(&[plane("a", &[]), plane("b", &[])]).is_empty());
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
            (vec![rooted("a", "R\n", &[]), rooted("b", "R", &[]), plane("c", &[])], vec![]),
            (vec![rooted("a", "R", &["S"]), rooted("b", "S", &["R"])], vec![]),
            (
                vec![rooted("a", "R", &["S"]), rooted("b", "S", &[])],
                vec![
                    "the authorities of `istio_operator.a` and `istio_operator.b` come from different roots: clusters of mesh `mesh1` would not trust each other",
                ],
            ),
        ];
        for (instances, expected) in rows {
            let found = found(&instances);
            assert_eq!(found.iter().map(|(_, problem)| problem.detail.as_str()).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn trust_domains_count_wherever_they_stand_unless_they_are_aliases() {
        let typed = |domain: &str| ("trust_domain", text(domain));
        let mesh = |config: serde_json::Value| ("mesh_config", Value::from_json(&config));
        let free = |config: serde_json::Value| ("spec", Value::from_json(&json!({ "meshConfig": config })));
        let (td, aliased) = (json!({ "trustDomain": "td" }), json!({ "trustDomainAliases": ["other", "td"] }));
        let open = Value::unknown(Type::Any);
        let rows = [
            (vec![], vec![mesh(td.clone())], true),
            (vec![], vec![free(td.clone())], true),
            (vec![typed("td")], vec![mesh(td.clone())], false),
            (vec![mesh(td.clone())], vec![free(td.clone())], false),
            (vec![], vec![typed("cluster.local"), mesh(td.clone())], false),
            (vec![], vec![mesh(json!({ "trustDomain": "cluster.local" })), free(td.clone())], false),
            (vec![], vec![typed("td"), mesh(json!({ "accessLogFile": "/dev/stdout" }))], true),
            (vec![mesh(aliased.clone())], vec![typed("td")], false),
            (vec![typed("td")], vec![free(aliased.clone())], false),
            (vec![mesh(aliased)], vec![typed("third")], true),
            (vec![], vec![("trust_domain", Value::unknown(Type::String)), mesh(td)], false),
            (vec![], vec![typed("td"), ("mesh_config", open.clone())], false),
            (vec![], vec![typed("td"), ("spec", open.clone())], false),
            (vec![], vec![typed("td"), ("mesh_config", Value::object([("trustDomainAliases", open)]))], false),
        ];
        for (one, other, differ) in rows {
            assert_eq!(found(&[plane("a", &one), plane("b", &other)]).len(), usize::from(differ), "{one:?} {other:?}");
        }
        let three =
            [plane("a", &[mesh(json!({ "trustDomainAliases": ["b", "c"] }))]), plane("b", &[typed("b")]), plane("c", &[typed("c")])];
        assert_eq!(found(&three).first().map(|(at, _)| at), Some(&three[2].0), "aliases are of a pair");
    }

    #[test]
    fn a_duplicate_is_an_error_about_the_later_one() {
        let instances = [plane("a", &[]), plane("b", &[("cluster_name", text("a"))])];
        let (at, problem) = found(&instances).remove(0);
        assert_eq!((problem.summary.as_str(), problem.warning, at), ("duplicate cluster name", false, instances[1].0.clone()));
    }
}
