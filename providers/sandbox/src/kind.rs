//! `sandbox_cluster`: what it takes, and what can be told of it before it is made.

use crate::admission::Pool;
use crate::cluster::{Nodes, VERSION};
use engine::schema::{Attribute, Comparison, Kind, Planned, Problem, Schema, compare};
use engine::value::{Data, Origin, Thunk, Type, Value};
use std::collections::BTreeMap;

/// The kind's name.
pub(crate) const NAME: &str = "sandbox_cluster";

/// `sandbox_cluster`: a Kubernetes API inside the binary.
pub(crate) struct SandboxCluster {
    schema: Schema,
}

impl SandboxCluster {
    /// The kind.
    pub(crate) fn new() -> Self {
        let attributes = vec![
            Attribute::required("name", Type::String, "Name of the cluster and of its directory: a DNS label (RFC 1123).").replaces(),
            Attribute::optional_computed(
                "nodes",
                Type::Any,
                "Nodes: a list of names, or a map from names to labels. Without it there is one node, `<name>-control-plane`.",
            ),
            Attribute::optional_computed(
                "load_balancer_pool",
                Type::String,
                "IPv4 addresses for Services of type `LoadBalancer`: `first-last` or a CIDR. Without it 32 addresses of 198.18.0.0/15 that follow from the name.",
            ),
            Attribute::optional("kubernetes_version", Type::String, "The version that the cluster says it has, such as `v1.36.0`.")
                .default(Value::string(VERSION)),
            Attribute::computed("uid", Type::String, "The uid of the namespace `kube-system`, which stands for the cluster."),
            Attribute::computed(
                "server",
                Type::String,
                "A made-up URL of the API server. Nothing listens there; `meshplan sandbox serve` serves the cluster.",
            ),
            Attribute::computed("certificate_authority", Type::String, "The certificate that service account tokens come with, PEM."),
            Attribute::computed("connection", Type::Any, "How other kinds reach the cluster.").sensitive(),
        ];
        let doc = "A Kubernetes API inside the binary, stored in `.meshplan/sandbox/<name>`: for the first minutes, for rehearsals and for tests. \
            It runs no containers, and what it invents is marked `(simulated)`.";
        Self {
            schema: Schema { kind: NAME, doc, version: 1, attributes, classes: &["cluster"], place: None, outside: true, settles: false },
        }
    }
}

impl Kind for SandboxCluster {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(name) = arguments.text("name").filter(|name| !is_label(name)) {
            let detail = format!(
                "`{name}` names a cluster and its directory, so it must be a DNS label: at most 63 small letters, digits and `-`, starting and ending with a letter or digit"
            );
            problems.push(Problem::with("name", "invalid cluster name", detail).help("choose a name such as `cluster1`"));
        }
        if let Some(Err(why)) = arguments.text("load_balancer_pool").map(Pool::parse) {
            problems.push(
                Problem::with("load_balancer_pool", "invalid address pool", why).help("write `198.18.0.1-198.18.0.20` or `198.18.0.0/27`"),
            );
        }
        if let Some(version) = arguments.text("kubernetes_version").filter(|version| !is_version(version)) {
            let detail = format!("`{version}` is no version of Kubernetes");
            problems.push(Problem::with("kubernetes_version", "invalid version", detail).help("write it as in `v1.36.0`"));
        }
        if let Some(nodes) = arguments.present("nodes") {
            problems.extend(node_problem(nodes));
        }
        problems
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        Some(format!("sandbox/{}", arguments.text("name")?))
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        match compare(&self.schema, asked) {
            Planned::Keep(attributes) => Planned::Keep(attributes),
            Planned::Create(attributes) => Planned::Create(derived(&attributes)),
            Planned::Update { attributes, changed, drifted } => Planned::Update { attributes: derived(&attributes), changed, drifted },
            Planned::Replace { attributes, because } => Planned::Replace { attributes: derived(&attributes), because },
            other => other,
        }
    }
}

/// The attributes with what follows from the name filled in.
pub(crate) fn derived(attributes: &Value) -> Value {
    let Some(name) = attributes.text("name") else { return attributes.clone() };
    let name = name.to_owned();
    Value::object(attributes.entries().iter().map(|entry| {
        let value = match &*entry.key {
            "server" if is_unset(&entry.value) => Value::string(server(&name)),
            "load_balancer_pool" if is_unset(&entry.value) => Value::string(Pool::of_name(&name).to_string()),
            "nodes" if is_unset(&entry.value) => nodes_value(&default_nodes(&name), None),
            _ => entry.value.clone(),
        };
        (entry.key.clone(), value)
    }))
}

/// Whether the configuration says nothing: null, or the kind's own to tell. What a configuration's expression left open stays so.
fn is_unset(value: &Value) -> bool {
    let own = matches!(value.data(), Data::Unknown(_, thunk) if thunk.0 == Thunk::NONE.0) && value.origin() == Origin::NONE;
    value.is_null() || own
}

/// The URL that a cluster says it has.
pub(crate) fn server(name: &str) -> String {
    format!("https://{name}.sandbox.invalid:6443")
}

/// The nodes of a cluster that is told none.
pub(crate) fn default_nodes(name: &str) -> Nodes {
    Nodes::from([(format!("{name}-control-plane"), BTreeMap::from([("node-role.kubernetes.io/control-plane".to_owned(), String::new())]))])
}

/// Nodes as a value: a list of names where that is how they were asked for, in that order, else a map from names to labels.
pub(crate) fn nodes_value(nodes: &Nodes, asked: Option<&Value>) -> Value {
    if let Some(asked) = asked.filter(|asked| matches!(asked.data(), Data::Sequence(_))) {
        let asked: Vec<&str> = asked.items().iter().filter_map(Value::as_str).filter(|name| nodes.contains_key(*name)).collect();
        let others = nodes.keys().map(String::as_str).filter(|name| !asked.contains(name));
        return Value::tuple(asked.iter().copied().chain(others).map(Value::string).collect());
    }
    let labels =
        |labels: &BTreeMap<String, String>| Value::object(labels.iter().map(|(key, value)| (key.as_str(), Value::string(value.as_str()))));
    Value::object(nodes.iter().map(|(name, of)| (name.as_str(), labels(of))))
}

/// Nodes of a value; nothing if it is null.
pub(crate) fn nodes(value: &Value) -> Option<Nodes> {
    let labels = |value: &Value| {
        value.entries().iter().map(|entry| (entry.key.to_string(), entry.value.as_str().unwrap_or_default().to_owned())).collect()
    };
    match value.data() {
        Data::Null => None,
        Data::Sequence(_) => Some(value.items().iter().filter_map(Value::as_str).map(|name| (name.to_owned(), BTreeMap::new())).collect()),
        _ => Some(value.entries().iter().map(|entry| (entry.key.to_string(), labels(&entry.value))).collect()),
    }
}

fn node_problem(nodes: &Value) -> Option<Problem> {
    let wrong_shape = || {
        let detail = "`nodes` is neither a list of names nor a map from names to labels, which are texts";
        Problem::with("nodes", "invalid nodes", detail).help("write `[\"node1\", \"node2\"]` or `{ node1 = { zone = \"a\" } }`")
    };
    let is_open = |value: &Value| !value.is_known();
    let names: Vec<&str> = match nodes.data() {
        Data::Sequence(_) if nodes.items().iter().all(|name| is_open(name) || name.as_str().is_some()) => {
            nodes.items().iter().filter_map(Value::as_str).collect()
        }
        Data::Mapping(_) if nodes.entries().iter().all(|entry| is_open(&entry.value) || are_labels(&entry.value)) => {
            nodes.entries().iter().map(|entry| &*entry.key).collect()
        }
        Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => Vec::new(),
        _ => return Some(wrong_shape()),
    };
    let wrong = names.into_iter().find(|name| !name.split('.').all(is_label))?;
    Some(Problem::with("nodes", "invalid node name", format!("`{wrong}` is no DNS name")))
}

fn are_labels(value: &Value) -> bool {
    matches!(value.data(), Data::Mapping(_)) && value.entries().iter().all(|entry| entry.value.as_str().is_some())
}

fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().copied().is_some_and(plain) && bytes.last().copied().is_some_and(plain);
    text.len() <= 63 && ends && bytes.iter().all(|byte| plain(*byte) || *byte == b'-')
}

fn is_version(text: &str) -> bool {
    let parts: Vec<_> = text.strip_prefix('v').unwrap_or_default().split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(entries: &[(&str, Value)]) -> Value {
        let given = |name: &str| entries.iter().find(|(key, _)| *key == name).map_or_else(Value::null, |(_, value)| value.clone());
        Value::object(["name", "nodes", "load_balancer_pool", "kubernetes_version"].map(|name| (name, given(name))))
    }

    #[test]
    fn arguments_are_checked() {
        let kind = SandboxCluster::new();
        for (entries, problem) in [
            (vec![("name", Value::string("cluster1"))], None),
            (vec![("name", Value::string("Cluster"))], Some("invalid cluster name")),
            (vec![("name", Value::string("../x"))], Some("invalid cluster name")),
            (vec![("name", Value::string("c")), ("load_balancer_pool", Value::string("many"))], Some("invalid address pool")),
            (vec![("name", Value::string("c")), ("kubernetes_version", Value::string("1.36"))], Some("invalid version")),
            (vec![("name", Value::string("c")), ("nodes", Value::object([("a b", Value::object::<&str>([]))]))], Some("invalid node name")),
            (vec![("name", Value::string("c")), ("nodes", Value::tuple(vec![Value::string("n1"), Value::unknown(Type::String)]))], None),
            (vec![("name", Value::string("c")), ("nodes", Value::tuple(vec![Value::number(1)]))], Some("invalid nodes")),
            (vec![("name", Value::string("c")), ("nodes", Value::string("n1"))], Some("invalid nodes")),
            (vec![("name", Value::unknown(Type::String))], None),
        ] {
            let problems = kind.validate(&arguments(&entries));
            assert_eq!(problems.first().map(|problem| problem.summary.as_str()), problem, "{entries:?}");
        }
    }

    #[test]
    fn what_follows_from_the_name_is_known_before_it_is_made() {
        let kind = SandboxCluster::new();
        let desired = arguments(&[("name", Value::string("cluster1"))]);
        let planned =
            kind.planned(Comparison { desired: &desired, prior: None, observed: None, preview: None, previewable: false, secret_key: &[] });
        let Planned::Create(attributes) = planned else { panic!("no create") };
        assert_eq!(attributes.text("server"), Some("https://cluster1.sandbox.invalid:6443"));
        assert_eq!(attributes.text("load_balancer_pool").map(str::to_owned), Some(Pool::of_name("cluster1").to_string()));
        assert_eq!(attributes.get("nodes").and_then(nodes), Some(default_nodes("cluster1")));
        assert!(attributes.get("uid").is_some_and(|uid| !uid.is_known()));
        assert_eq!(kind.identity(&desired).as_deref(), Some("sandbox/cluster1"));
    }

    #[test]
    fn nodes_survive_as_values() {
        let nodes_of_c = default_nodes("c");
        assert_eq!(nodes(&nodes_value(&nodes_of_c, None)), Some(nodes_of_c));
        assert_eq!(nodes(&Value::null()), None);
        let list = |names: &[&str]| Value::tuple(names.iter().map(|name| Value::string(*name)).collect());
        let some = nodes(&list(&["b", "a", "c"])).expect("nodes");
        assert_eq!(nodes_value(&some, Some(&list(&["b", "gone", "a"]))), list(&["b", "a", "c"]));
    }
}
