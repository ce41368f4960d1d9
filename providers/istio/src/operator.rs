//! `istio_operator`: a control plane, written as the `spec` of an `IstioOperator`, and what installs it.
//!
//! With the installer `istioctl` the set holds what that program renders (`rendering`; [`crate::istioctl`] runs it). With the installer `operator` it holds Istio's definitions, the in-cluster operator and the resource it reads, in that order; deleted
//! in reverse, so that the operator is still there to take its finalizer off. The definitions come along because what uses them (gateways,
//! rules) must be plannable and applicable without waiting for the operator to bring them: see [`crate::Prerequisite`].

mod controller;
mod definitions;
pub(crate) mod rendering;
mod upgrades;

use crate::arguments::{ISTIO_SYSTEM, address, handed_on, label, leaf, merged, object, referring, usual, within};
use crate::gateway::{Balanced, load_balanced, without_address};
use crate::lint::rules;
use crate::prerequisite::prerequisites;
use crate::version::{WITHOUT_OPERATOR, WITHOUT_REMOTE_ISTIOD, below};
use controller::Controller;
use definitions::definitions;
use engine::address::Address;
use engine::port::BoxFuture;
use engine::schema::{Attribute, Member, Problem, Rendering, Schema};
use engine::value::{Type, Value};
use kubernetes::{Json, ObjectKind, ObjectName, Reader, Settled, members, parse_yaml};

pub(crate) use upgrades::{Plane, Upgrading};

/// The kind's name.
pub(crate) const OPERATOR: &str = "istio_operator";
/// API version of the operator's resource.
pub(crate) const INSTALL: &str = "install.istio.io/v1alpha1";
/// Kind of the operator's resource.
pub(crate) const ISTIO_OPERATOR: &str = "IstioOperator";

/// The gateway that profiles bring, and its Service.
const INGRESS_GATEWAY: &str = "istio-ingressgateway";

/// The profile of clusters that another one's istiod serves.
pub(crate) const REMOTE: &str = "remote";

/// `istio_operator`.
pub struct Operator {
    schema: Schema,
}

impl Default for Operator {
    fn default() -> Self {
        let schema = Schema {
            kind: OPERATOR,
            doc: "An Istio control plane: its settings in the terms of an `IstioOperator`, and what installs it.",
            version: 1,
            attributes: attributes(),
            classes: &["control_plane", "gateway"],
            place: Some("cluster"),
            outside: true,
            settles: true,
        };
        Self { schema }
    }
}

fn attributes() -> Vec<Attribute> {
    let text = |name, doc| Attribute::optional(name, Type::String, doc);
    let free = |name, doc| Attribute::optional(name, Type::Any, doc);
    let installer = "`istioctl`: the objects that the program `istioctl` renders, which has to be of the minor version of `tag`. `operator`: the in-cluster \
                     operator, up to 1.23. `manifests`: the objects of `content`.";
    let ingress =
        "The address, or host name, that a load balancer gave `istio-ingressgateway`, the gateway of the profile. Null while it has none.";
    let waits = "Wait until `ingress_address` is known, where there is an `istio-ingressgateway` with a load balancer.";
    let controller = "For the installer `operator`. `managed`: the operator and Istio's definitions come with it. `existing`: both are there already, as for a second revision.";
    let definitions = "For the installer `istioctl`. `ensure`: Istio's definitions are made where they are missing, and somebody else's are left alone. \
                       `manage`: they are objects of this set like others, follow `tag`, and with `on_exists = \"adopt\"` those that are there are taken over.";
    let mut attributes = vec![
        Attribute::required("cluster", Type::Reference("cluster"), "The cluster it runs in."),
        text("name", "Name of the `IstioOperator`. Without a name of its own, installing prunes other installations.")
            .default(Value::string("control-plane")),
        text("namespace", "Namespace of the control plane. It has to be there.").default(Value::string(ISTIO_SYSTEM)),
        Attribute::optional("cacerts", Type::Reference("cacerts"), "The secret with its authority, which istiod needs before it starts."),
        text("installer", installer).default(Value::string("istioctl")),
        text("controller", controller).default(Value::string("managed")),
        text("definitions", definitions).default(Value::string("ensure")),
        text("hub", "`spec.hub`: where images come from.").default(Value::string("docker.io/istio")),
        text("tag", "`spec.tag`: the version, such as `1.9.0`. The installer `operator` needs it."),
        text(
            "revision",
            "`spec.revision`: several stand beside each other in a cluster, and pods choose one. See [Upgrades](../upgrades.md).",
        ),
        text("profile", "`spec.profile`.").default(Value::string("default")),
        text("mesh_id", "`spec.values.global.meshID`: the same in all clusters of a mesh."),
        text("cluster_name", "`spec.values.global.multiCluster.clusterName`: unique in the mesh; peers know the cluster by it."),
        text("network", "`spec.values.global.network`: the same in clusters whose pods reach each other directly."),
        text("trust_domain", "`spec.meshConfig.trustDomain`: the same in all clusters of a mesh."),
        free("mesh_config", "`spec.meshConfig`."),
        free("components", "`spec.components`."),
        free("values", "`spec.values`. What the arguments above say counts before it."),
        free("spec", "Anything else of `spec`. What the arguments above say counts before it."),
        Attribute::optional("wait_for_load_balancer", Type::Bool, waits).default(Value::bool(false)),
        Attribute::computed("ingress_address", Type::String, ingress).volatile(),
        text("content", "YAML text of all objects, for the installer `manifests`. Has to be known when planning."),
    ];
    attributes.extend(usual());
    attributes
}

impl ObjectKind for Operator {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems: Vec<_> = ["cluster_name", "namespace"].into_iter().filter_map(|name| label(arguments, name)).collect();
        problems.extend(match arguments.text("installer") {
            Some("istioctl") => unused_manifests(arguments, "istioctl"),
            Some("operator") => operator_problem(arguments),
            Some("manifests") if arguments.present("content").is_none() => Some(Problem::with(
                "content",
                "missing manifests",
                "the installer `manifests` applies the objects of `content`, and it is missing",
            )),
            Some("manifests") | None => None,
            Some(other) => Some(unknown_installer(other)),
        });
        if let Some(controller) = arguments.text("controller").filter(|word| !matches!(*word, "managed" | "existing")) {
            let detail = format!("`controller` is `{controller}`; it is either `managed` or `existing`");
            problems.push(Problem::with("controller", "invalid value", detail));
        }
        if let Some(word) = arguments.text("definitions").filter(|word| !matches!(*word, "ensure" | "manage")) {
            let detail = format!("`definitions` is `{word}`; it is either `ensure` or `manage`");
            problems.push(Problem::with("definitions", "invalid value", detail));
        }
        problems.extend(authority_problem(arguments));
        problems
    }

    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        upgrades::between(instances)
    }

    fn object(&self, _: &Value) -> Option<Result<Value, Problem>> {
        None
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        Some(match arguments.text("installer") {
            Some("manifests") => manifests(arguments),
            _ => referring(arguments, "cluster").and_then(|()| installation(arguments)),
        })
    }

    fn rendering(&self, arguments: &Value) -> Option<Result<Rendering, Problem>> {
        (arguments.text("installer") == Some("istioctl")).then(|| rendering::rendering(arguments))
    }

    fn rendered(&self, arguments: &Value, rendered: &Value) -> Result<Vec<Member>, Problem> {
        rendering::rendered(arguments, rendered)
    }

    fn settled<'a>(&'a self, arguments: &'a Value, reader: &'a dyn Reader) -> BoxFuture<'a, Result<Settled, String>> {
        Box::pin(async move {
            // Objects are ready each for itself, but for those that an operator makes.
            if arguments.text("installer") == Some("operator") {
                let name = ObjectName::within(INSTALL, ISTIO_OPERATOR, namespace(arguments), arguments.text("name").unwrap_or_default());
                let live = reader.read(&name).await?;
                if let Some(why) = why_unhealthy(&name, live.as_ref()) {
                    return Ok(Settled::NotYet(why));
                }
            }
            let service = ObjectName::within("v1", "Service", namespace(arguments), INGRESS_GATEWAY);
            let waits = arguments.get("wait_for_load_balancer").and_then(Value::as_bool) == Some(true);
            let address = match reader.read(&service).await?.as_ref().map(load_balanced) {
                Some(Balanced::NotYet) if waits => return Ok(Settled::NotYet(without_address(&service))),
                Some(Balanced::At(address)) => Value::string(address),
                Some(Balanced::NotYet | Balanced::Never) | None => Value::null(),
            };
            Ok(Settled::Yes(vec![("ingress_address", address)]))
        })
    }
}

fn namespace(arguments: &Value) -> &str {
    arguments.text("namespace").unwrap_or(ISTIO_SYSTEM)
}

/// Why an installation is not healthy, as the operator says it, if it is not.
pub(crate) fn why_unhealthy(name: &ObjectName, live: Option<&Json>) -> Option<String> {
    let Some(live) = live else { return Some(format!("`{name}` is not there")) };
    let text = |at: Option<&Json>| at.and_then(Json::as_str).map(str::to_owned);
    let status = live.pointer("/status/status");
    match text(status) {
        Some(status) if status == "HEALTHY" => None,
        Some(status) => {
            let message = text(live.pointer("/status/message")).filter(|message| !message.is_empty());
            let components = live.pointer("/status/componentStatus").and_then(Json::as_object);
            let ailing = components.and_then(|all| all.iter().find(|(_, at)| at.get("status").and_then(Json::as_str) != Some("HEALTHY")));
            let ailing = ailing.map(|(component, at)| {
                let why = text(at.get("error")).or_else(|| text(at.get("status"))).unwrap_or_default();
                format!("component `{component}`: {why}")
            });
            let more = message.or(ailing).map(|more| format!(" ({more})")).unwrap_or_default();
            Some(format!("the operator says `{status}` of `{name}`{more}"))
        }
        None => Some(format!("the operator has not looked at `{name}` yet")),
    }
}

fn unused_manifests(arguments: &Value, installer: &str) -> Option<Problem> {
    arguments.present("content")?;
    let detail = format!("`content` is for the installer `manifests`; the installer `{installer}` writes its objects itself");
    Some(Problem::with("content", "manifests not used", detail))
}

fn operator_problem(arguments: &Value) -> Option<Problem> {
    if let Some(problem) = unused_manifests(arguments, "operator") {
        return Some(problem);
    }
    let Some(tag) = arguments.present("tag") else {
        let detail = "the installer `operator` runs the image `<hub>/operator:<tag>`, and `tag` is missing";
        return Some(Problem::with("tag", "missing tag", detail));
    };
    let tag = tag.as_str()?;
    if crate::version::Minor::of(tag).is_none_or(|minor| minor < WITHOUT_OPERATOR) {
        return None;
    }
    let detail = format!("`{tag}` has no in-cluster operator: it came with Istio up to 1.23 and was removed in 1.24, image and definition");
    let help = "Use `installer = \"istioctl\"`, or a tag below 1.24.";
    Some(Problem::with("tag", "no operator in this version", detail).help(help))
}

fn unknown_installer(installer: &str) -> Problem {
    let detail = format!("`{installer}` is no installer known here; there are `istioctl`, `operator` and `manifests`");
    Problem::with("installer", "unknown installer", detail)
}

/// Whether a remote's profile brings an istiod, for certificates and injection.
fn runs_an_istiod(arguments: &Value) -> bool {
    below(arguments.get("tag").and_then(Value::as_str), WITHOUT_REMOTE_ISTIOD)
}

/// What is wrong with where the authority's secret lies, or that there is none.
fn authority_problem(arguments: &Value) -> Option<Problem> {
    if arguments.get("cacerts").is_none_or(Value::is_null) {
        arguments.present("mesh_id")?;
        // Its workloads' certificates are signed where its istiod is; before 1.12 it had one of its own.
        if arguments.text("profile") == Some(REMOTE) && !runs_an_istiod(arguments) {
            return None;
        }
        let detail = "without `cacerts` istiod makes a root of its own, and clusters of one mesh do not trust each other";
        return Some(rules::NO_SHARED_ROOT.broken_by("cacerts", detail));
    }
    let (here, there) = (address(arguments, &["cluster"])?, address(arguments, &["cacerts", "cluster"])?);
    if here != there {
        let detail = format!("`cacerts` is in `{there}`, the control plane in `{here}`: istiod reads it in its own cluster only");
        return Some(Problem::with("cacerts", "authority in another cluster", detail));
    }
    let lies_in = crate::arguments::text(arguments, &["cacerts", "namespace"]).filter(|at| *at != namespace(arguments))?;
    let detail =
        format!("`cacerts` is in namespace `{lies_in}`, the control plane in `{}`: istiod reads it in its own only", namespace(arguments));
    Some(Problem::with("cacerts", "authority in another namespace", detail))
}

fn manifests(arguments: &Value) -> Result<Vec<Member>, Problem> {
    let Some(text) = arguments.text("content") else {
        let detail = "`content` is known only after apply, but which objects there are has to be known when planning";
        return Err(Problem::with("content", "manifests not known", detail));
    };
    let objects = parse_yaml(text).map_err(|problem| Problem { attribute: Some("content".to_owned()), ..problem })?;
    rendering::ordered(arguments, objects)
}

fn installation(arguments: &Value) -> Result<Vec<Member>, Problem> {
    let null = Value::null();
    let mut objects = vec![resource(arguments)];
    if arguments.text("controller") != Some("existing") {
        objects.extend(definitions());
        objects.extend(Controller { image: image(arguments), watched: leaf(arguments, &["namespace"]) }.objects());
    }
    let members = members(arguments.get("cluster").unwrap_or(&null), objects, &handed_on(arguments))?;
    Ok(rendering::revisions(prerequisites(members, |key| key.starts_with("CustomResourceDefinition/")), &[]))
}

fn image(arguments: &Value) -> Value {
    match (arguments.get("hub").and_then(Value::as_str), arguments.get("tag").and_then(Value::as_str)) {
        (Some(hub), Some(tag)) => Value::string(format!("{hub}/operator:{tag}")),
        _ => Value::unknown(Type::String),
    }
}

/// The resource that the operator reads.
pub(crate) fn resource(arguments: &Value) -> Value {
    let metadata = object([("name", leaf(arguments, &["name"])), ("namespace", leaf(arguments, &["namespace"]))]);
    operator_object(metadata, spec(arguments))
}

/// An `IstioOperator`.
pub(crate) fn operator_object(metadata: Value, spec: Value) -> Value {
    Value::object([("apiVersion", Value::string(INSTALL)), ("kind", Value::string(ISTIO_OPERATOR)), ("metadata", metadata), ("spec", spec)])
}

/// `spec`: what is said freely, and the typed arguments over it.
fn spec(arguments: &Value) -> Value {
    let at = |name| leaf(arguments, &[name]);
    let mesh_config = merged(&at("mesh_config"), &object([("trustDomain", at("trust_domain"))]));
    let multi_cluster = within("clusterName", at("cluster_name"));
    let global = object([("meshID", at("mesh_id")), ("multiCluster", multi_cluster), ("network", at("network"))]);
    let values = merged(&at("values"), &within("global", global));
    let mut entries: Vec<_> = ["profile", "hub", "tag", "revision", "components"].into_iter().map(|name| (name, at(name))).collect();
    let empty = |value: &Value| value.is_known() && value.entries().is_empty();
    entries.extend([("meshConfig", mesh_config), ("values", values)].into_iter().filter(|(_, value)| !empty(value)));
    merged(&at("spec"), &object(entries))
}

/// Whether the tag that a control plane runs is below a version.
pub(crate) fn runs_below(plane: &Value, version: crate::version::Minor) -> bool {
    below(plane.referent("tag").and_then(Value::as_str), version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference, settled};
    use serde_json::json;

    fn arguments(changes: &[(&str, Value)]) -> Value {
        let base = Operator::default().schema().defaults().with_entries([
            ("cluster", cluster("c1")),
            ("installer", Value::string("operator")),
            ("hub", Value::string("gcr.io/istio-release")),
            ("tag", Value::string("1.9.0")),
            ("name", Value::string("istiocontrolplane-default")),
        ]);
        base.with_entries(changes.iter().cloned())
    }

    fn text(text: &str) -> Value {
        Value::string(text)
    }

    fn rendered(arguments: &Value) -> Vec<Member> {
        Operator::default().members(arguments).unwrap().unwrap()
    }

    fn member(arguments: &Value, key: &str) -> Value {
        rendered(arguments).into_iter().find(|member| member.key == key).unwrap().arguments.get("manifest").unwrap().clone()
    }

    #[test]
    fn the_resource_says_what_the_guide_says() {
        let metadata =
            json!({ "defaultConfig": { "proxyMetadata": { "ISTIO_META_DNS_CAPTURE": "true", "ISTIO_META_DNS_AUTO_ALLOCATE": "true" } } });
        let arguments = arguments(&[
            ("mesh_id", text("mesh1")),
            ("cluster_name", text("cluster1")),
            ("network", text("network1")),
            ("mesh_config", Value::from_json(&metadata)),
        ]);
        let expected = json!({
            "apiVersion": "install.istio.io/v1alpha1",
            "kind": "IstioOperator",
            "metadata": { "name": "istiocontrolplane-default", "namespace": "istio-system" },
            "spec": {
                "profile": "default",
                "hub": "gcr.io/istio-release",
                "tag": "1.9.0",
                "meshConfig": metadata,
                "values": { "global": { "meshID": "mesh1", "multiCluster": { "clusterName": "cluster1" }, "network": "network1" } },
            },
        });
        assert_eq!(member(&arguments, "IstioOperator/istio-system/istiocontrolplane-default").to_json().unwrap(), expected);
    }

    #[test]
    fn typed_arguments_count_before_free_ones() {
        let rows = [
            (vec![], json!({ "profile": "default", "hub": "gcr.io/istio-release", "tag": "1.9.0" })),
            (
                vec![("spec", json!({ "profile": "demo", "tag": "1.8.0", "namespace": "x" }))],
                json!({ "profile": "default", "hub": "gcr.io/istio-release", "tag": "1.9.0", "namespace": "x" }),
            ),
            (
                vec![
                    ("trust_domain", json!("td")),
                    ("mesh_config", json!({ "trustDomain": "other", "accessLogFile": "/dev/stdout" })),
                    ("revision", json!("1-9-0")),
                ],
                json!({ "profile": "default", "hub": "gcr.io/istio-release", "tag": "1.9.0", "revision": "1-9-0",
                    "meshConfig": { "trustDomain": "td", "accessLogFile": "/dev/stdout" } }),
            ),
            (
                vec![
                    ("network", json!("n1")),
                    ("values", json!({ "global": { "network": "n2", "logging": { "level": "x" } }, "pilot": {} })),
                ],
                json!({ "profile": "default", "hub": "gcr.io/istio-release", "tag": "1.9.0",
                    "values": { "global": { "network": "n1", "logging": { "level": "x" } }, "pilot": {} } }),
            ),
        ];
        for (changes, expected) in rows {
            let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, Value::from_json(value))).collect();
            assert_eq!(spec(&arguments(&changes)).to_json().unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_known_stays_a_leaf() {
        let spec = spec(&arguments(&[("network", Value::unknown(Type::String)), ("mesh_id", text("mesh1"))]));
        let global = spec.get("values").unwrap().get("global").unwrap();
        assert_eq!(global.text("meshID"), Some("mesh1"));
        assert!(!global.get("network").unwrap().is_known());
        assert!(!image(&arguments(&[("tag", Value::unknown(Type::String))])).is_known());
    }

    #[test]
    fn the_resource_comes_after_the_operator_and_the_definitions_before_it() {
        let members = rendered(&arguments(&[]));
        assert_eq!(members.len(), 22);
        let by_key = |key: &str| members.iter().find(|member| member.key == key).unwrap();
        let resource = by_key("IstioOperator/istio-system/istiocontrolplane-default");
        assert_eq!((resource.kind, resource.after.len()), ("istio_revision", 21), "it goes first");
        let definition = by_key("CustomResourceDefinition/gateways.networking.istio.io");
        assert_eq!(
            (definition.kind, definition.after.as_slice()),
            ("istio_prerequisite", ["Namespace/istio-operator".to_owned()].as_slice())
        );
        assert!(by_key("ServiceAccount/istio-operator/istio-operator").after.contains(&definition.key));
        let existing = rendered(&arguments(&[("controller", text("existing"))]));
        assert_eq!(existing.iter().map(|member| member.key.as_str()).collect::<Vec<_>>(), [resource.key.as_str()]);
    }

    #[test]
    fn manifests_are_members_as_they_are() {
        let content = "apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: istiod, namespace: istio-system }\n";
        let given = arguments(&[("installer", text("manifests")), ("content", text(content))]);
        let keys: Vec<_> = rendered(&given).into_iter().map(|member| (member.key, member.kind)).collect();
        assert_eq!(keys, [("ServiceAccount/istio-system/istiod".to_owned(), "kubernetes_manifest")]);
        let unknown = arguments(&[("installer", text("manifests")), ("content", Value::unknown(Type::String))]);
        assert_eq!(Operator::default().members(&unknown).unwrap().unwrap_err().summary, "manifests not known");
    }

    #[test]
    fn what_cannot_be_installed_is_refused_with_the_reason() {
        let secret = |at: &str, namespace: &str| {
            reference(&["cacerts"], "s", Value::object([("cluster", cluster(at)), ("namespace", text(namespace))]))
        };
        let rows = [
            (vec![], None),
            (vec![("tag", text("1.23.4"))], None),
            (vec![("tag", text("latest"))], None),
            (vec![("tag", Value::unknown(Type::String))], None),
            (
                vec![("tag", text("1.24.0"))],
                Some("`1.24.0` has no in-cluster operator: it came with Istio up to 1.23 and was removed in 1.24, image and definition"),
            ),
            (vec![("tag", Value::null())], Some("the installer `operator` runs the image `<hub>/operator:<tag>`, and `tag` is missing")),
            (vec![("installer", text("istioctl")), ("tag", text("1.30.0"))], None),
            (
                vec![("installer", text("istioctl")), ("content", text("x"))],
                Some("`content` is for the installer `manifests`; the installer `istioctl` writes its objects itself"),
            ),
            (
                vec![("installer", text("helm"))],
                Some("`helm` is no installer known here; there are `istioctl`, `operator` and `manifests`"),
            ),
            (vec![("installer", text("manifests"))], Some("the installer `manifests` applies the objects of `content`, and it is missing")),
            (
                vec![("content", text("x"))],
                Some("`content` is for the installer `manifests`; the installer `operator` writes its objects itself"),
            ),
            (vec![("controller", text("none"))], Some("`controller` is `none`; it is either `managed` or `existing`")),
            (
                vec![("cluster_name", text("Cluster_1"))],
                Some(
                    "`cluster_name` is `Cluster_1`: small letters, digits and `-` are allowed, at most 63, starting and ending with a letter or digit",
                ),
            ),
            (vec![("cacerts", secret("c1", "istio-system"))], None),
            (
                vec![("cacerts", secret("c2", "istio-system"))],
                Some("`cacerts` is in `k_cluster.c2`, the control plane in `k_cluster.c1`: istiod reads it in its own cluster only"),
            ),
            (
                vec![("cacerts", secret("c1", "istio"))],
                Some("`cacerts` is in namespace `istio`, the control plane in `istio-system`: istiod reads it in its own only"),
            ),
            (
                vec![("mesh_id", text("mesh1"))],
                Some("without `cacerts` istiod makes a root of its own, and clusters of one mesh do not trust each other"),
            ),
        ];
        for (changes, expected) in rows {
            let problems = Operator::default().validate(&arguments(&changes));
            assert_eq!(problems.first().map(|problem| problem.detail.as_str()), expected, "{changes:?}");
        }
    }

    #[test]
    fn health_is_what_the_operator_says() {
        let name = ObjectName::within(INSTALL, ISTIO_OPERATOR, "istio-system", "a");
        let rows = [
            (None, Some("`IstioOperator/istio-system/a` is not there")),
            (Some(json!({})), Some("the operator has not looked at `IstioOperator/istio-system/a` yet")),
            (
                Some(
                    json!({ "status": { "status": "RECONCILING", "componentStatus": { "Base": { "status": "HEALTHY" }, "Pilot": { "status": "ERROR", "error": "no" } } } }),
                ),
                Some("the operator says `RECONCILING` of `IstioOperator/istio-system/a` (component `Pilot`: no)"),
            ),
            (
                Some(json!({ "status": { "status": "ERROR", "message": "bad spec" } })),
                Some("the operator says `ERROR` of `IstioOperator/istio-system/a` (bad spec)"),
            ),
            (Some(json!({ "status": { "status": "HEALTHY" } })), None),
        ];
        for (live, expected) in rows {
            assert_eq!(why_unhealthy(&name, live.as_ref()).as_deref(), expected);
        }
    }
    #[test]
    fn the_ingress_gateway_has_its_address_before_others_are_told() {
        const RESOURCE: &str = "IstioOperator/istio-system/istiocontrolplane-default";
        const SERVICE: &str = "Service/istio-system/istio-ingressgateway";
        let healthy = json!({ "status": { "status": "HEALTHY" } });
        let service = |ty: &str, ingress: &Json| json!({ "spec": { "type": ty }, "status": { "loadBalancer": { "ingress": ingress } } });
        let (address, none) = (json!([{ "ip": "10.0.0.1" }]), json!(null));
        let pending =
            "`Service/istio-system/istio-ingressgateway` has no load-balancer address: no free pool, or nobody hands out addresses";
        let operated = arguments(&[("wait_for_load_balancer", Value::bool(true))]);
        let made = arguments(&[("installer", text("manifests")), ("content", text("x"))]);
        let rows = [
            (&made, vec![(SERVICE, service("LoadBalancer", &none))], Ok(None)),
            (&operated, vec![], Err("`IstioOperator/istio-system/istiocontrolplane-default` is not there")),
            (&operated, vec![(RESOURCE, healthy.clone())], Ok(None)),
            (&operated, vec![(RESOURCE, healthy.clone()), (SERVICE, service("LoadBalancer", &none))], Err(pending)),
            (&operated, vec![(RESOURCE, healthy.clone()), (SERVICE, service("LoadBalancer", &address))], Ok(Some("10.0.0.1"))),
            (&operated, vec![(RESOURCE, healthy), (SERVICE, service("NodePort", &none))], Ok(None)),
            (&made, vec![], Ok(None)),
            (&made, vec![(SERVICE, service("LoadBalancer", &address))], Ok(Some("10.0.0.1"))),
        ];
        for (arguments, objects, expected) in rows {
            match (settled(&Operator::default(), arguments, &objects), expected) {
                (Settled::Yes(found), Ok(address)) => assert_eq!(Value::object(found).text("ingress_address"), address),
                (Settled::NotYet(why), Err(expected)) => assert_eq!(why, expected),
                (other, expected) => panic!("{other:?} instead of {expected:?}"),
            }
        }
    }
}
