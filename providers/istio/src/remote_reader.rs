//! `istio_remote_reader`: in the cluster that is read, the account by which other clusters' istiods read it, and its token.

use crate::arguments::{ISTIO_SYSTEM, address, handed_on, leaf, object, referring, text, through, usual};
use crate::lint::{is_loopback, rules};
use crate::operator::REMOTE;
use crate::prerequisite::prerequisites;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::address::Address;
use engine::port::BoxFuture;
use engine::schema::{Attribute, Member, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{Json, ObjectKind, ObjectName, Reader, Settled, members};
use serde_json::json;

const ACCOUNT: &str = "istio-reader-service-account";
const TOKEN_SECRET: &str = "istio-reader-service-account-istio-remote-secret-token";

/// `istio_remote_reader`.
pub struct RemoteReader {
    schema: Schema,
}

impl Default for RemoteReader {
    fn default() -> Self {
        let rbac = "`ensure`: account and rights are made if the installation did not bring them. `chart`: the installation brings them.";
        let generation =
            "Count it up to rotate the token: a new one is made, every peer is told, and the old one is revoked last. 1 without it.";
        let server =
            "URL of the API server as the other clusters reach it. The cluster's `peer_server` without it, or its `server` if it has none.";
        let mut attributes = vec![
            Attribute::required("control_plane", Type::Reference("control_plane"), "The control plane of the cluster that is read."),
            Attribute::optional_computed("server", Type::String, server),
            Attribute::optional("token_generation", Type::Number, generation),
            Attribute::optional("rbac", Type::String, rbac).default(Value::string("ensure")),
            Attribute::computed("cluster_name", Type::String, "The name by which the mesh knows the cluster."),
            Attribute::computed("token", Type::String, "The account's token. It does not expire; with it all Secrets can be read.")
                .sensitive()
                .volatile(),
            Attribute::computed("certificate_authority", Type::String, "The API server's authority, as PEM.").volatile(),
        ];
        attributes.extend(usual());
        let schema = Schema {
            kind: "istio_remote_reader",
            doc: "The account by which other clusters of the mesh read a cluster: one per cluster.",
            version: 1,
            attributes,
            classes: &["reader"],
            place: Some("control_plane"),
            outside: true,
            settles: true,
        };
        Self { schema }
    }
}

impl ObjectKind for RemoteReader {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        address(arguments, &["control_plane", "cluster"])
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(rbac) = arguments.text("rbac").filter(|word| !matches!(*word, "ensure" | "chart")) {
            let detail = format!("`rbac` is `{rbac}`; it is either `ensure` or `chart`");
            problems.push(Problem::with("rbac", "invalid value", detail));
        }
        if arguments.present("token_generation").is_some_and(|given| given.is_known() && given.as_u64().is_none_or(|given| given == 0)) {
            let detail = "`token_generation` counts the tokens made so far: a whole number, 1 or more";
            problems.push(Problem::with("token_generation", "invalid value", detail));
        }
        if through(arguments, &["control_plane", "cluster_name"]).is_some_and(Value::is_null) {
            let detail = "the control plane has no `cluster_name`, and that is the name by which other clusters read this one";
            problems.push(Problem::with("control_plane", "nameless cluster", detail).help("Give the control plane a `cluster_name`."));
        }
        problems.extend(loopback(arguments));
        problems
    }

    fn object(&self, _: &Value) -> Option<Result<Value, Problem>> {
        None
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        Some(referring(arguments, "control_plane").and_then(|()| {
            let mut objects = vec![token_secret(arguments)];
            if arguments.text("rbac") != Some("chart") {
                objects.extend([account(arguments), role(arguments), binding(arguments)]);
            }
            let members = members(&leaf(arguments, &["control_plane", "cluster"]), objects, &handed_on(arguments))?;
            Ok(prerequisites(members, |key| !key.starts_with("Secret/")))
        }))
    }

    fn attributes(&self, arguments: &Value, _: Option<&Json>) -> Vec<(&'static str, Value)> {
        let server = server(arguments);
        let name = leaf(arguments, &["control_plane", "cluster_name"]);
        vec![("server", server), ("cluster_name", name)]
    }

    fn settled<'a>(&'a self, arguments: &'a Value, reader: &'a dyn Reader) -> BoxFuture<'a, Result<Settled, String>> {
        Box::pin(async move {
            let namespace = text(arguments, &["control_plane", "namespace"]).unwrap_or(ISTIO_SYSTEM);
            let secret = secret_name(arguments).ok_or("`token_generation` is not known")?;
            let live = reader.read(&ObjectName::within("v1", "Secret", namespace, &secret)).await?;
            let part = |key: &str| decoded(live.as_ref(), key);
            Ok(match (part("token"), part("ca.crt")) {
                (Some(token), Some(authority)) => {
                    let mut found = self.attributes(arguments, None);
                    found.push(("token", Value::string(token).sensitive()));
                    found.push(("certificate_authority", Value::string(authority)));
                    Settled::Yes(found)
                }
                _ => Settled::NotYet(format!("the token controller has not filled `Secret/{namespace}/{secret}` yet")),
            })
        })
    }
}

/// A text of a Secret's `data`.
fn decoded(secret: Option<&Json>, key: &str) -> Option<String> {
    let bytes = STANDARD.decode(secret?.get("data")?.get(key)?.as_str()?).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// Where peers reach the API server: as given, or as the cluster says for them, or as everybody reaches it.
fn server(arguments: &Value) -> Value {
    if let Some(given) = arguments.present("server") {
        return given.clone();
    }
    let of_cluster = |attribute| leaf(arguments, &["control_plane", "cluster", attribute]);
    let told_to_peers = of_cluster("peer_server");
    if told_to_peers.is_null() { of_cluster("server") } else { told_to_peers }
}

/// A server that peers cannot reach, because it is their own host to them.
fn loopback(arguments: &Value) -> Option<Problem> {
    // Nothing is reached over a network in a sandbox.
    let sandboxed = through(arguments, &["control_plane", "cluster", "connection"]).is_some_and(|at| at.text("type") == Some("sandbox"));
    if sandboxed && arguments.present("server").is_none() {
        return None;
    }
    let server = server(arguments);
    let server = server.as_str()?;
    if !is_loopback(server) {
        return None;
    }
    let detail = format!("the API server's address is `{server}`: to the pods of other clusters that is their own host");
    Some(rules::LOOPBACK_API_SERVER.broken_by("server", detail))
}

fn account(arguments: &Value) -> Value {
    let metadata = object([("name", Value::string(ACCOUNT)), ("namespace", leaf(arguments, &["control_plane", "namespace"]))]);
    Value::object([("apiVersion", Value::string("v1")), ("kind", Value::string("ServiceAccount")), ("metadata", metadata)])
}

/// The name of the token's Secret: of the first generation as `istioctl` calls it, of later ones with their number, so that two stand beside
/// each other while peers change from one to the other. Nothing while the generation is not known.
fn secret_name(arguments: &Value) -> Option<String> {
    match arguments.present("token_generation") {
        None => Some(TOKEN_SECRET.to_owned()),
        Some(given) => given.as_u64().map(|at| if at == 1 { TOKEN_SECRET.to_owned() } else { format!("{TOKEN_SECRET}-{at}") }),
    }
}

fn token_secret(arguments: &Value) -> Value {
    let annotations = Value::from_json(&json!({ "kubernetes.io/service-account.name": ACCOUNT }));
    let name = secret_name(arguments).map_or_else(|| Value::unknown(Type::String), Value::string);
    let metadata = object([("name", name), ("namespace", leaf(arguments, &["control_plane", "namespace"])), ("annotations", annotations)]);
    Value::object([
        ("apiVersion", Value::string("v1")),
        ("kind", Value::string("Secret")),
        ("metadata", metadata),
        ("type", Value::string("kubernetes.io/service-account-token")),
    ])
}

/// The name of role and binding: with the revision, if the control plane has one.
fn role_name(arguments: &Value) -> Value {
    let at = |name| leaf(arguments, &["control_plane", name]);
    let (revision, namespace) = (at("revision"), at("namespace"));
    if !revision.is_known() || !namespace.is_known() {
        return Value::unknown(Type::String);
    }
    let namespace = namespace.as_str().unwrap_or(ISTIO_SYSTEM);
    Value::string(match revision.as_str() {
        Some(revision) => format!("istio-reader-clusterrole-{revision}-{namespace}"),
        None => format!("istio-reader-clusterrole-{namespace}"),
    })
}

/// What an istiod writes in a cluster that has none of its own: the root that workloads trust, and the certificate of its webhooks.
fn served() -> Json {
    let webhooks = "admissionregistration.k8s.io";
    json!([
        { "apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "list", "watch", "update"] },
        { "apiGroups": [webhooks], "resources": ["mutatingwebhookconfigurations"], "verbs": ["get", "list", "watch", "update", "patch"] },
        { "apiGroups": [webhooks], "resources": ["validatingwebhookconfigurations"], "verbs": ["get", "list", "watch", "update"] },
    ])
}

fn role(arguments: &Value) -> Value {
    let read = json!(["get", "list", "watch"]);
    let istio =
        ["authentication", "config", "extensions", "networking", "rbac", "security", "telemetry"].map(|group| format!("{group}.istio.io"));
    let core = ["configmaps", "endpoints", "namespaces", "nodes", "pods", "replicationcontrollers", "secrets", "services"];
    let mut rules = json!([
        { "apiGroups": istio, "resources": ["*"], "verbs": read },
        { "apiGroups": [""], "resources": core, "verbs": read },
        { "apiGroups": ["gateway.networking.k8s.io", "networking.x-k8s.io"], "resources": ["gateways"], "verbs": read },
        { "apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": read },
        { "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": read },
        { "apiGroups": ["multicluster.x-k8s.io"], "resources": ["serviceexports"], "verbs": ["get", "list", "watch", "create", "delete"] },
        { "apiGroups": ["multicluster.x-k8s.io"], "resources": ["serviceimports"], "verbs": read },
        { "apiGroups": ["apps"], "resources": ["replicasets"], "verbs": read },
        { "apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"] },
        { "apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"] },
    ]);
    if let (Some(REMOTE), Json::Array(rules), Json::Array(served)) = (text(arguments, &["control_plane", "profile"]), &mut rules, served())
    {
        rules.extend(served);
    }
    Value::object([
        ("apiVersion", Value::string("rbac.authorization.k8s.io/v1")),
        ("kind", Value::string("ClusterRole")),
        ("metadata", Value::object([("name", role_name(arguments))])),
        ("rules", Value::from_json(&rules)),
    ])
}

fn binding(arguments: &Value) -> Value {
    let account = object([
        ("kind", Value::string("ServiceAccount")),
        ("name", Value::string(ACCOUNT)),
        ("namespace", leaf(arguments, &["control_plane", "namespace"])),
    ]);
    let role = Value::object([
        ("apiGroup", Value::string("rbac.authorization.k8s.io")),
        ("kind", Value::string("ClusterRole")),
        ("name", role_name(arguments)),
    ]);
    Value::object([
        ("apiVersion", Value::string("rbac.authorization.k8s.io/v1")),
        ("kind", Value::string("ClusterRoleBinding")),
        ("metadata", Value::object([("name", role_name(arguments))])),
        ("roleRef", role),
        ("subjects", Value::tuple(vec![account])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference};

    fn arguments(plane: &[(&str, Value)], changes: &[(&str, Value)]) -> Value {
        let base = Value::object([
            ("cluster", cluster("c1")),
            ("namespace", Value::string("istio-system")),
            ("cluster_name", Value::string("cluster1")),
        ]);
        let plane = reference(&["control_plane"], "p", base.with_entries(plane.iter().cloned()));
        RemoteReader::default().schema().defaults().with_entries([("control_plane", plane)]).with_entries(changes.iter().cloned())
    }

    fn manifests(arguments: &Value) -> Vec<(String, &'static str, Json)> {
        let members = RemoteReader::default().members(arguments).unwrap().unwrap();
        members.into_iter().map(|member| (member.key, member.kind, member.arguments.get("manifest").unwrap().to_json().unwrap())).collect()
    }

    #[test]
    fn the_account_its_rights_and_its_token() {
        let made = manifests(&arguments(&[], &[]));
        let names: Vec<_> = made.iter().map(|(key, kind, _)| (key.as_str(), *kind)).collect();
        let expected = [
            ("ServiceAccount/istio-system/istio-reader-service-account", "istio_prerequisite"),
            ("ClusterRole/istio-reader-clusterrole-istio-system", "istio_prerequisite"),
            ("ClusterRoleBinding/istio-reader-clusterrole-istio-system", "istio_prerequisite"),
            ("Secret/istio-system/istio-reader-service-account-istio-remote-secret-token", "kubernetes_manifest"),
        ];
        assert_eq!(names, expected);
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "istio-reader-service-account-istio-remote-secret-token",
                "namespace": "istio-system",
                "annotations": { "kubernetes.io/service-account.name": "istio-reader-service-account" },
            },
            "type": "kubernetes.io/service-account-token",
        });
        assert_eq!(made[3].2, secret);
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": "istio-reader-clusterrole-istio-system" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "istio-reader-clusterrole-istio-system" },
            "subjects": [{ "kind": "ServiceAccount", "name": "istio-reader-service-account", "namespace": "istio-system" }],
        });
        assert_eq!(made[2].2, binding);
    }

    #[test]
    fn the_rights_are_to_read_what_istiod_watches() {
        let own = manifests(&arguments(&[], &[])).remove(1).2;
        let served = manifests(&arguments(&[("profile", Value::string("remote"))], &[])).remove(1).2;
        let may = |role: &Json, group: &str, resource: &str, verb: &str| {
            let holds = |rule: &Json, part: &str, text: &str| rule[part].as_array().unwrap().iter().any(|at| at == text || at == "*");
            role["rules"]
                .as_array()
                .unwrap()
                .iter()
                .any(|rule| holds(rule, "apiGroups", group) && holds(rule, "resources", resource) && holds(rule, "verbs", verb))
        };
        for (group, resource, verb, expected) in [
            ("networking.istio.io", "virtualservices", "watch", true),
            ("", "secrets", "list", true),
            ("", "configmaps", "get", true),
            ("", "configmaps", "create", false),
            ("discovery.k8s.io", "endpointslices", "watch", true),
            ("multicluster.x-k8s.io", "serviceexports", "create", true),
            ("multicluster.x-k8s.io", "serviceimports", "create", false),
            ("authentication.k8s.io", "tokenreviews", "create", true),
            ("apps", "deployments", "get", false),
        ] {
            assert_eq!(may(&own, group, resource, verb), expected, "{verb} {resource}.{group}");
        }
        for (group, resource, verb) in [
            ("", "configmaps", "create"),
            ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"),
            ("admissionregistration.k8s.io", "validatingwebhookconfigurations", "update"),
        ] {
            assert!(may(&served, group, resource, verb) && !may(&own, group, resource, verb), "{verb} {resource}");
        }
    }

    #[test]
    fn a_chart_or_a_revision_changes_what_is_made() {
        let chart = manifests(&arguments(&[], &[("rbac", Value::string("chart"))]));
        assert_eq!(chart.len(), 1);
        let revised = manifests(&arguments(&[("revision", Value::string("1-9-0"))], &[]));
        assert_eq!(revised[1].0, "ClusterRole/istio-reader-clusterrole-1-9-0-istio-system");
    }

    #[test]
    fn each_generation_of_the_token_has_a_secret_of_its_own() {
        for (given, expected) in [
            (Value::null(), "istio-reader-service-account-istio-remote-secret-token"),
            (Value::number(1), "istio-reader-service-account-istio-remote-secret-token"),
            (Value::number(2), "istio-reader-service-account-istio-remote-secret-token-2"),
        ] {
            let made = manifests(&arguments(&[], &[("token_generation", given)]));
            let secrets: Vec<_> = made.iter().filter(|(key, ..)| key.starts_with("Secret/")).map(|(key, ..)| key.clone()).collect();
            assert_eq!(secrets, [format!("Secret/istio-system/{expected}")]);
            assert_eq!(made.len(), 4, "account and rights are of all generations");
        }
    }

    #[test]
    fn arguments_are_looked_at() {
        let here = |address: &str| Value::string(address);
        let looped = reference(&["cluster"], "c1", Value::object([("server", here("https://127.0.0.1:6443"))]));
        let sandbox = Value::object([("server", here("https://127.0.0.1:1")), ("connection", Value::object([("type", here("sandbox"))]))]);
        let rows = [
            (arguments(&[], &[]), None),
            (arguments(&[("cluster_name", Value::null())], &[]), Some("nameless cluster")),
            (arguments(&[("cluster_name", Value::unknown(Type::String))], &[]), None),
            (arguments(&[], &[("rbac", here("no"))]), Some("invalid value")),
            (arguments(&[], &[("token_generation", Value::number(2))]), None),
            (arguments(&[], &[("token_generation", Value::number(0))]), Some("invalid value")),
            (arguments(&[], &[("token_generation", Value::from_json(&json!(1.5)))]), Some("invalid value")),
            (arguments(&[], &[("server", here("https://localhost:6443"))]), Some("server not reachable from peers")),
            (arguments(&[("cluster", looped.clone())], &[]), Some("server not reachable from peers")),
            (arguments(&[("cluster", looped)], &[("server", here("https://10.0.0.1:6443"))]), None),
            (arguments(&[("cluster", reference(&["cluster"], "s", sandbox))], &[]), None),
        ];
        for (arguments, expected) in rows {
            let problems = RemoteReader::default().validate(&arguments);
            assert_eq!(problems.first().map(|problem| problem.summary.as_str()), expected);
        }
    }

    #[test]
    fn place_server_and_name_follow_from_the_control_plane() {
        let kind = RemoteReader::default();
        assert_eq!(kind.place(&arguments(&[], &[])), Some(Address::managed("k_cluster", "c1")));
        let server = |arguments: &Value| kind.attributes(arguments, None);
        assert_eq!(
            server(&arguments(&[], &[])),
            [("server", Value::string("https://c1.example:6443")), ("cluster_name", Value::string("cluster1"))]
        );
        let open = reference(&["cluster"], "c1", Value::object([("server", Value::unknown(Type::String))]));
        let unknown = server(&arguments(&[("cluster", open)], &[]));
        assert_eq!(unknown, [("server", Value::unknown(Type::String)), ("cluster_name", Value::string("cluster1"))]);
        // A cluster that peers reach by another way than its host does.
        let here = Value::string("https://127.0.0.1:6443");
        let inside = || Value::string("https://c1-control-plane:6443");
        for (peer, given, expected) in [
            (inside(), Value::null(), inside()),
            (Value::unknown(Type::String), Value::null(), Value::unknown(Type::String)),
            (Value::null(), Value::null(), here.clone()),
            (inside(), Value::string("https://10.2.1.40:6443"), Value::string("https://10.2.1.40:6443")),
        ] {
            let cluster = reference(&["cluster"], "c1", Value::object([("server", here.clone()), ("peer_server", peer)]));
            let arguments = arguments(&[("cluster", cluster)], &[("server", given)]);
            assert_eq!(server(&arguments)[0], ("server", expected.clone()));
            assert_eq!(kind.validate(&arguments).len(), usize::from(expected == here), "peers cannot reach the loopback");
        }
    }

    fn settled(live: Option<Json>) -> Settled {
        const SECRET: &str = "Secret/istio-system/istio-reader-service-account-istio-remote-secret-token";
        let objects: Vec<_> = live.into_iter().map(|live| (SECRET, live)).collect();
        crate::arguments::tests::settled(&RemoteReader::default(), &arguments(&[], &[]), &objects)
    }

    #[test]
    fn the_token_is_read_once_it_is_there() {
        let Settled::Yes(found) = settled(Some(json!({ "data": { "token": "dDBrM24=", "ca.crt": "Q0EK" } }))) else {
            panic!("not settled")
        };
        let found = Value::object(found);
        assert_eq!(
            (found.text("token"), found.text("certificate_authority"), found.text("cluster_name")),
            (Some("t0k3n"), Some("CA\n"), Some("cluster1"))
        );
        assert!(found.get("token").unwrap().is_marked_sensitive());
        for live in [None, Some(json!({})), Some(json!({ "data": { "token": "", "ca.crt": "Q0EK" } }))] {
            assert!(matches!(settled(live), Settled::NotYet(_)));
        }
    }
}
