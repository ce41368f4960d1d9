//! `istio_expose_services`: the Gateway that lets other networks reach all services of a cluster through its east-west gateway.

use crate::arguments::{ISTIO_SYSTEM, address, leaf, object, referring, through, usual};
use crate::operator::runs_below;
use crate::version::WITH_NETWORKING_V1;
use engine::address::Address;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::Type;
use engine::value::Value;
use kubernetes::{ObjectKind, Until, Wait};
use serde_json::json;

/// `istio_expose_services`.
pub struct ExposeServices {
    schema: Schema,
}

impl Default for ExposeServices {
    fn default() -> Self {
        let hosts = "Hosts that are reachable from other networks.";
        let mut attributes = vec![
            Attribute::required("gateway", Type::Reference("gateway"), "The east-west gateway; cluster and namespace follow from it."),
            Attribute::optional("name", Type::String, "Name of the Gateway.").default(Value::string("cross-network-gateway")).replaces(),
            Attribute::optional("hosts", Type::list(Type::String), hosts).default(Value::tuple(vec![Value::string("*.local")])),
        ];
        attributes.extend(usual());
        let schema = Schema {
            kind: "istio_expose_services",
            doc: "Exposes the services of a cluster to other networks of the mesh, for mutual TLS that passes through.",
            version: 1,
            attributes,
            classes: &[],
            place: Some("gateway"),
            outside: true,
            settles: true,
        };
        Self { schema }
    }
}

impl ObjectKind for ExposeServices {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        address(arguments, &["gateway", "control_plane", "cluster"])
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        Some(referring(arguments, "gateway").map(|()| gateway(arguments)))
    }

    fn wait(&self, _: &Value) -> Wait {
        Wait { until: Until::Nothing, seconds: None }
    }
}

fn gateway(arguments: &Value) -> Value {
    let old = through(arguments, &["gateway", "control_plane"]).is_some_and(|plane| runs_below(plane, WITH_NETWORKING_V1));
    let namespace = leaf(arguments, &["gateway", "control_plane", "namespace"]);
    let namespace = if namespace.is_null() { Value::string(ISTIO_SYSTEM) } else { namespace };
    let server = Value::object([
        ("port", Value::from_json(&json!({ "number": 15443, "name": "tls", "protocol": "TLS" }))),
        ("tls", Value::from_json(&json!({ "mode": "AUTO_PASSTHROUGH" }))),
        ("hosts", leaf(arguments, &["hosts"])),
    ]);
    let selector = Value::object([("istio", leaf(arguments, &["gateway", "selector"]))]);
    Value::object([
        ("apiVersion", Value::string(if old { "networking.istio.io/v1alpha3" } else { "networking.istio.io/v1" })),
        ("kind", Value::string("Gateway")),
        ("metadata", object([("name", leaf(arguments, &["name"])), ("namespace", namespace)])),
        ("spec", Value::object([("selector", selector), ("servers", Value::tuple(vec![server]))])),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference};

    fn arguments(tag: &str) -> Value {
        let plane = [("cluster", cluster("c1")), ("namespace", Value::string("istio-system")), ("tag", Value::string(tag))];
        let plane = reference(&["control_plane"], "p", Value::object(plane));
        let gateway = Value::object([("control_plane", plane), ("selector", Value::string("eastwestgateway"))]);
        ExposeServices::default().schema().defaults().with_entries([("gateway", reference(&["gateway"], "g", gateway))])
    }

    #[test]
    fn the_gateway_is_the_samples() {
        for (tag, version) in [("1.9.0", "v1alpha3"), ("1.21.6", "v1alpha3"), ("1.22.0", "v1"), ("latest", "v1")] {
            let object = ExposeServices::default().object(&arguments(tag)).unwrap().unwrap();
            let expected = json!({
                "apiVersion": format!("networking.istio.io/{version}"),
                "kind": "Gateway",
                "metadata": { "name": "cross-network-gateway", "namespace": "istio-system" },
                "spec": {
                    "selector": { "istio": "eastwestgateway" },
                    "servers": [{
                        "port": { "number": 15443, "name": "tls", "protocol": "TLS" },
                        "tls": { "mode": "AUTO_PASSTHROUGH" },
                        "hosts": ["*.local"],
                    }],
                },
            });
            assert_eq!(object.to_json().unwrap(), expected, "{tag}");
        }
    }

    #[test]
    fn it_lies_in_the_gateways_cluster() {
        assert_eq!(ExposeServices::default().place(&arguments("1.9.0")), Some(Address::managed("k_cluster", "c1")));
    }
}
