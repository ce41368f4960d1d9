//! `istio_eastwest_gateway`: the gateway through which other networks of the mesh reach a cluster's services.
//!
//! Under the in-cluster operator it is one more `IstioOperator`, which the operator turns into a Deployment and a Service; otherwise these are
//! made here.

mod objects;

use crate::arguments::{ISTIO_SYSTEM, address, label, leaf, merged, object, referring, text, through, usual, within};
use crate::operator::{INSTALL, ISTIO_OPERATOR, operator_object, runs_below, why_unhealthy};
use crate::version::{WITH_GATEWAY_INJECTION, WITHOUT_ROUTER_MODE};
use engine::address::Address;
use engine::port::BoxFuture;
use engine::schema::{Attribute, Member, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{Json, ObjectKind, ObjectName, Reader, Settled, Until, Wait, members};
use serde_json::json;

/// The usual name, which exposing services relies on.
const NAME: &str = "istio-eastwestgateway";

/// `istio_eastwest_gateway`.
pub struct EastWestGateway {
    schema: Schema,
}

impl Default for EastWestGateway {
    fn default() -> Self {
        let spec =
            "Anything else of the gateway's `IstioOperator`, under what is said here. For control planes of the installer `operator`.";
        let mut attributes = vec![
            Attribute::required(
                "control_plane",
                Type::Reference("control_plane"),
                "The control plane; cluster, network and revision follow from it.",
            ),
            Attribute::optional("name", Type::String, "Name of its Deployment and Service.").default(Value::string(NAME)).replaces(),
            Attribute::optional("spec", Type::Any, spec),
            Attribute::computed("network", Type::String, "The network that it leads to."),
            Attribute::computed("selector", Type::String, "The value of its label `istio`, which Gateways select it by."),
            Attribute::computed("address", Type::String, "The address, or host name, that its load balancer gave it.").volatile(),
        ];
        attributes.extend(usual());
        let schema = Schema {
            kind: "istio_eastwest_gateway",
            doc: "The gateway through which other networks of the mesh reach a cluster's services.",
            version: 1,
            attributes,
            classes: &["gateway"],
            place: Some("control_plane"),
            outside: true,
            settles: true,
        };
        Self { schema }
    }
}

impl ObjectKind for EastWestGateway {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        address(arguments, &["control_plane", "cluster"])
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems: Vec<_> = label(arguments, "name").into_iter().collect();
        if through(arguments, &["control_plane", "network"]).is_some_and(Value::is_null) {
            let detail = "the control plane has no `network`, and the gateway leads to one";
            problems.push(Problem::with("control_plane", "no network", detail).help("Give the control plane a `network`."));
        }
        if is_operated(arguments) == Some(false) {
            if arguments.present("spec").is_some() {
                let detail = "`spec` is of an `IstioOperator`, and the control plane's installer uses none";
                problems.push(Problem::with("spec", "spec not used", detail));
            }
            if through(arguments, &["control_plane"]).is_some_and(|plane| runs_below(plane, WITH_GATEWAY_INJECTION)) {
                let detail = "gateway pods are injected from 1.11 on; before that only the operator can make them";
                problems.push(Problem::with("control_plane", "no gateway injection in this version", detail));
            }
        }
        problems
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        if let Err(problem) = referring(arguments, "control_plane") {
            // A record: that of one object says which it is, that of a set does not.
            return arguments.present("id").map(|_| Err(problem));
        }
        (is_operated(arguments) != Some(false)).then(|| Ok(resource(arguments)))
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        if is_operated(arguments) != Some(false) {
            return None;
        }
        let extra = crate::arguments::handed_on(arguments);
        Some(members(&leaf(arguments, &["control_plane", "cluster"]), objects::objects(arguments), &extra))
    }

    fn attributes(&self, arguments: &Value, _: Option<&Json>) -> Vec<(&'static str, Value)> {
        let selector = arguments.text("name").map_or_else(|| Value::unknown(Type::String), |name| Value::string(selector(name)));
        let network = leaf(arguments, &["control_plane", "network"]);
        vec![("network", network), ("selector", selector)]
    }

    fn wait(&self, _: &Value) -> Wait {
        Wait { until: Until::Field { path: "status.status".to_owned(), equals: Some("HEALTHY".to_owned()) }, seconds: Some(300) }
    }

    fn settled<'a>(&'a self, arguments: &'a Value, reader: &'a dyn Reader) -> BoxFuture<'a, Result<Settled, String>> {
        Box::pin(async move {
            if is_operated(arguments) != Some(false) {
                let name = ObjectName::within(INSTALL, ISTIO_OPERATOR, namespace(arguments), resource_name(arguments));
                let live = reader.read(&name).await?;
                if let Some(why) = why_unhealthy(&name, live.as_ref()) {
                    return Ok(Settled::NotYet(why));
                }
            }
            let service = ObjectName::within("v1", "Service", namespace(arguments), arguments.text("name").unwrap_or(NAME));
            let Some(live) = reader.read(&service).await? else {
                return Ok(Settled::NotYet(format!("`{service}` is not there yet")));
            };
            let Some(address) = given_address(&live) else { return Ok(Settled::NotYet(without_address(&service))) };
            let mut found = self.attributes(arguments, None);
            found.push(("address", Value::string(address)));
            Ok(Settled::Yes(found))
        })
    }
}

/// Whether the in-cluster operator makes it; nothing while that is not known.
fn is_operated(arguments: &Value) -> Option<bool> {
    Some(text(arguments, &["control_plane", "installer"])? == "operator")
}

fn namespace(arguments: &Value) -> &str {
    text(arguments, &["control_plane", "namespace"]).unwrap_or(ISTIO_SYSTEM)
}

/// `istio` as a label: the name without its first `istio-`, as Istio's own charts have it.
fn selector(name: &str) -> &str {
    name.strip_prefix("istio-").unwrap_or(name)
}

/// The name of the gateway's `IstioOperator`: the usual one for the usual gateway.
fn resource_name(arguments: &Value) -> &str {
    match arguments.text("name") {
        None | Some(NAME) => "eastwest",
        Some(name) => name,
    }
}

/// What the load balancer gave a Service. Port 15443 is found there by other clusters' istiods.
fn given_address(service: &Json) -> Option<String> {
    let ingress = service.pointer("/status/loadBalancer/ingress")?.as_array()?;
    ingress.iter().find_map(|at| at.get("ip").or(at.get("hostname"))?.as_str().map(str::to_owned)).filter(|address| !address.is_empty())
}

/// Whether a load balancer leads to a Service.
pub(crate) enum Balanced {
    /// There, by address or host name.
    At(String),
    /// It has not answered.
    NotYet,
    /// The Service is not to have one.
    Never,
}

/// What a load balancer did for a Service.
pub(crate) fn load_balanced(service: &Json) -> Balanced {
    match given_address(service) {
        Some(address) => Balanced::At(address),
        None if service.pointer("/spec/type").and_then(Json::as_str) == Some("LoadBalancer") => Balanced::NotYet,
        None => Balanced::Never,
    }
}

/// Why a Service that needs an address is waited for.
pub(crate) fn without_address(service: &ObjectName) -> String {
    format!("`{service}` has no load-balancer address: no free pool, or nobody hands out addresses")
}

/// The ports of an east-west gateway: name and number.
const PORTS: [(&str, u16); 4] = [("status-port", 15021), ("tls", 15443), ("tls-istiod", 15012), ("tls-webhook", 15017)];

fn ports() -> Json {
    PORTS.iter().map(|(name, port)| json!({ "name": name, "port": port, "targetPort": port })).collect()
}

/// The gateway's labels.
fn labels(arguments: &Value) -> Value {
    let name = arguments.text("name").unwrap_or(NAME);
    object([
        ("istio", Value::string(selector(name))),
        ("app", Value::string(name)),
        ("topology.istio.io/network", leaf(arguments, &["control_plane", "network"])),
    ])
}

/// What its proxy is told by environment.
fn environment(arguments: &Value) -> Value {
    let variable = |name: &str, value: Value| Value::object([("name", Value::string(name)), ("value", value)]);
    let mut variables = vec![variable("ISTIO_META_REQUESTED_NETWORK_VIEW", leaf(arguments, &["control_plane", "network"]))];
    if through(arguments, &["control_plane"]).is_some_and(|plane| runs_below(plane, WITHOUT_ROUTER_MODE)) {
        variables.insert(0, variable("ISTIO_META_ROUTER_MODE", Value::string("sni-dnat")));
    }
    Value::tuple(variables)
}

/// The `IstioOperator` of the gateway.
fn resource(arguments: &Value) -> Value {
    let plane = |name: &str| leaf(arguments, &["control_plane", name]);
    let below = |version| through(arguments, &["control_plane"]).is_some_and(|plane| runs_below(plane, version));
    let kubernetes = Value::object([("env", environment(arguments)), ("service", Value::object([("ports", Value::from_json(&ports()))]))]);
    let gateway = Value::object([
        ("name", leaf(arguments, &["name"])),
        ("label", labels(arguments)),
        ("enabled", Value::bool(true)),
        ("k8s", kubernetes),
    ]);
    let mut global = vec![("network", plane("network"))];
    if below(WITHOUT_ROUTER_MODE) {
        global.extend([("meshID", plane("mesh_id")), ("multiCluster", within("clusterName", plane("cluster_name")))]);
    }
    let injected = json!({ "istio-ingressgateway": { "injectionTemplate": "gateway" } });
    let gateways = if below(WITH_GATEWAY_INJECTION) { Value::null() } else { Value::from_json(&injected) };
    let spec = object([
        ("profile", Value::string("empty")),
        ("hub", plane("hub")),
        ("tag", plane("tag")),
        ("revision", plane("revision")),
        ("components", Value::object([("ingressGateways", Value::tuple(vec![gateway]))])),
        ("values", object([("gateways", gateways), ("global", object(global))])),
    ]);
    let metadata = object([("name", Value::string(resource_name(arguments))), ("namespace", plane("namespace"))]);
    operator_object(metadata, merged(&leaf(arguments, &["spec"]), &spec))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference, settled};

    pub(super) fn arguments(plane: &[(&str, Json)], changes: &[(&str, Value)]) -> Value {
        let base = json!({ "installer": "operator", "namespace": "istio-system", "hub": "gcr.io/istio-release", "tag": "1.9.0", "revision": null,
            "mesh_id": "mesh1", "cluster_name": "cluster1", "network": "network1" });
        let plane: Vec<_> =
            plane.iter().map(|(name, value)| (*name, Value::from_json(value))).chain([("cluster", cluster("c1"))]).collect();
        let plane = reference(&["control_plane"], "p", Value::from_json(&base).with_entries(plane));
        EastWestGateway::default().schema().defaults().with_entries([("control_plane", plane)]).with_entries(changes.iter().cloned())
    }

    fn object_of(arguments: &Value) -> Json {
        EastWestGateway::default().object(arguments).unwrap().unwrap().to_json().unwrap()
    }

    #[test]
    fn the_resource_of_an_old_version_says_mode_mesh_and_cluster() {
        let expected = json!({
            "apiVersion": "install.istio.io/v1alpha1",
            "kind": "IstioOperator",
            "metadata": { "name": "eastwest", "namespace": "istio-system" },
            "spec": {
                "profile": "empty",
                "hub": "gcr.io/istio-release",
                "tag": "1.9.0",
                "components": { "ingressGateways": [{
                    "name": "istio-eastwestgateway",
                    "label": { "istio": "eastwestgateway", "app": "istio-eastwestgateway", "topology.istio.io/network": "network1" },
                    "enabled": true,
                    "k8s": {
                        "env": [
                            { "name": "ISTIO_META_ROUTER_MODE", "value": "sni-dnat" },
                            { "name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": "network1" },
                        ],
                        "service": { "ports": [
                            { "name": "status-port", "port": 15021, "targetPort": 15021 },
                            { "name": "tls", "port": 15443, "targetPort": 15443 },
                            { "name": "tls-istiod", "port": 15012, "targetPort": 15012 },
                            { "name": "tls-webhook", "port": 15017, "targetPort": 15017 },
                        ] },
                    },
                }] },
                "values": { "global": { "network": "network1", "meshID": "mesh1", "multiCluster": { "clusterName": "cluster1" } } },
            },
        });
        assert_eq!(object_of(&arguments(&[], &[])), expected);
    }

    #[test]
    fn details_follow_the_version() {
        for (tag, mode, injected, mesh) in
            [("1.9.0", true, false, true), ("1.11.0", true, true, true), ("1.12.0", false, true, false), ("1.20.0", false, true, false)]
        {
            let spec = object_of(&arguments(&[("tag", json!(tag))], &[]))["spec"].clone();
            let first = &spec["components"]["ingressGateways"][0]["k8s"]["env"][0]["name"];
            assert_eq!(first == "ISTIO_META_ROUTER_MODE", mode, "{tag}");
            assert_eq!(spec["values"]["gateways"]["istio-ingressgateway"]["injectionTemplate"] == "gateway", injected, "{tag}");
            assert_eq!(spec["values"]["global"].get("meshID").is_some(), mesh, "{tag}");
        }
    }

    #[test]
    fn name_revision_and_more_follow_from_the_arguments() {
        let given = arguments(
            &[("revision", json!("1-9-0"))],
            &[("name", Value::string("eastwest-two")), ("spec", Value::from_json(&json!({ "namespace": "x", "profile": "demo" })))],
        );
        let object = object_of(&given);
        assert_eq!((&object["metadata"]["name"], &object["spec"]["revision"]), (&json!("eastwest-two"), &json!("1-9-0")));
        assert_eq!((&object["spec"]["namespace"], &object["spec"]["profile"]), (&json!("x"), &json!("empty")));
        let known = EastWestGateway::default().attributes(&given, None);
        assert_eq!(known, [("network", Value::string("network1")), ("selector", Value::string("eastwest-two"))]);
        let usual = EastWestGateway::default().attributes(&arguments(&[], &[]), None);
        assert_eq!(usual[1], ("selector", Value::string("eastwestgateway")));
        assert_eq!(EastWestGateway::default().place(&given), Some(Address::managed("k_cluster", "c1")));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let rows = [
            (arguments(&[], &[]), None),
            (arguments(&[("network", json!(null))], &[]), Some("no network")),
            (arguments(&[], &[("name", Value::string("East"))]), Some("invalid name")),
            (arguments(&[("installer", json!("manifests")), ("tag", json!("1.9.0"))], &[]), Some("no gateway injection in this version")),
            (arguments(&[("installer", json!("manifests")), ("tag", json!("1.25.0"))], &[]), None),
            (
                arguments(&[("installer", json!("manifests")), ("tag", json!("1.25.0"))], &[("spec", Value::from_json(&json!({})))]),
                Some("spec not used"),
            ),
        ];
        for (arguments, expected) in rows {
            let problems = EastWestGateway::default().validate(&arguments);
            assert_eq!(problems.first().map(|problem| problem.summary.as_str()), expected);
        }
    }

    #[test]
    fn a_record_tells_whether_it_is_one_object() {
        let recorded = |id: Value| Value::object([("control_plane", Value::string("istio_operator.x")), ("id", id)]);
        let kind = EastWestGateway::default();
        assert!(kind.object(&recorded(Value::string("install.istio.io/v1alpha1/IstioOperator/istio-system/eastwest"))).is_some());
        assert!(kind.object(&recorded(Value::null())).is_none());
    }

    #[test]
    fn the_address_is_known_once_the_operator_and_the_load_balancer_are_done() {
        const RESOURCE: &str = "IstioOperator/istio-system/eastwest";
        const SERVICE: &str = "Service/istio-system/istio-eastwestgateway";
        let healthy = json!({ "status": { "status": "HEALTHY" } });
        let at = |ingress: Json| json!({ "status": { "loadBalancer": { "ingress": ingress } } });
        let operated = arguments(&[], &[]);
        let made = arguments(&[("installer", json!("manifests")), ("tag", json!("1.25.0"))], &[]);
        let rows = [
            (&operated, vec![], Err("`IstioOperator/istio-system/eastwest` is not there")),
            (&operated, vec![(RESOURCE, healthy.clone())], Err("`Service/istio-system/istio-eastwestgateway` is not there yet")),
            (
                &operated,
                vec![(RESOURCE, healthy.clone()), (SERVICE, json!({}))],
                Err(
                    "`Service/istio-system/istio-eastwestgateway` has no load-balancer address: no free pool, or nobody hands out addresses",
                ),
            ),
            (&operated, vec![(RESOURCE, healthy), (SERVICE, at(json!([{ "ip": "10.0.0.1" }])))], Ok("10.0.0.1")),
            (&made, vec![(SERVICE, at(json!([{ "hostname": "lb.example" }])))], Ok("lb.example")),
        ];
        for (arguments, objects, expected) in rows {
            match (settled(&EastWestGateway::default(), arguments, &objects), expected) {
                (Settled::Yes(found), Ok(address)) => assert_eq!(Value::object(found).text("address"), Some(address)),
                (Settled::NotYet(why), Err(expected)) => assert_eq!(why, expected),
                (other, expected) => panic!("{other:?} instead of {expected:?}"),
            }
        }
    }
}
