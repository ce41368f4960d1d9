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
                Type::map(Type::map(Type::String)),
                "Nodes by name, each with its labels. Without it there is one node, `<name>-control-plane`.",
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
        for entry in arguments.get("nodes").map(Value::entries).unwrap_or_default() {
            if !entry.key.split('.').all(is_label) {
                problems.push(Problem::with("nodes", "invalid node name", format!("`{}` is no DNS name", entry.key)));
            }
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
            "nodes" if is_unset(&entry.value) => nodes_value(&default_nodes(&name)),
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

/// Nodes as a value.
pub(crate) fn nodes_value(nodes: &Nodes) -> Value {
    let labels =
        |labels: &BTreeMap<String, String>| Value::object(labels.iter().map(|(key, value)| (key.as_str(), Value::string(value.as_str()))));
    Value::object(nodes.iter().map(|(name, of)| (name.as_str(), labels(of))))
}

/// Nodes of a value; nothing if it is null.
pub(crate) fn nodes(value: &Value) -> Option<Nodes> {
    if value.is_null() {
        return None;
    }
    let labels = |value: &Value| {
        value.entries().iter().map(|entry| (entry.key.to_string(), entry.value.as_str().unwrap_or_default().to_owned())).collect()
    };
    Some(value.entries().iter().map(|entry| (entry.key.to_string(), labels(&entry.value))).collect())
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
        assert_eq!(nodes(&nodes_value(&nodes_of_c)), Some(nodes_of_c));
        assert_eq!(nodes(&Value::null()), None);
    }
}
