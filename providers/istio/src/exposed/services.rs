//! `istio_expose_services`: the Gateway that lets other networks reach all services of a cluster.

use super::{Through, schema, server};
use crate::arguments::{leaf, referring};
use engine::address::Address;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{ObjectKind, Until, Wait};

/// `istio_expose_services`.
pub struct ExposeServices {
    schema: Schema,
}

impl Default for ExposeServices {
    fn default() -> Self {
        let hosts = "Hosts that are reachable from other networks.";
        let port = "The port of the gateway that they are reached at. Istiods of other networks look for 15443 unless `meshNetworks` names another.";
        let own = vec![
            Attribute::optional("name", Type::String, "Name of the Gateway.").default(Value::string("cross-network-gateway")).replaces(),
            Attribute::optional("hosts", Type::list(Type::String), hosts).default(Value::tuple(vec![Value::string("*.local")])),
            Attribute::optional("port", Type::Number, port).default(Value::from_json(&15443.into())),
        ];
        let doc = "Exposes the services of a cluster to other networks of the mesh, for mutual TLS that passes through.";
        Self { schema: schema("istio_expose_services", doc, own) }
    }
}

impl ObjectKind for ExposeServices {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        Through(arguments).place()
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let port = arguments.present("port").filter(|port| port.is_known());
        let problem = port
            .filter(|port| !port.as_u64().is_some_and(|port| (1..=65535).contains(&port)))
            .map(|_| Problem::with("port", "invalid value", "`port` is a port of the gateway: a whole number from 1 to 65535"));
        problem.into_iter().collect()
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        Some(referring(arguments, "gateway").map(|()| {
            let servers = vec![server(("tls", leaf(arguments, &["port"])), "AUTO_PASSTHROUGH", leaf(arguments, &["hosts"]))];
            Through(arguments).gateway(leaf(arguments, &["name"]), servers)
        }))
    }

    fn wait(&self, _: &Value) -> Wait {
        Wait { until: Until::Nothing, seconds: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{gateway, plane};
    use super::*;
    use crate::arguments::tests::reference;
    use serde_json::{Value as Json, json};

    fn object(gateway: Value, changes: &[(&str, Value)]) -> Json {
        let kind = ExposeServices::default();
        let arguments = kind.schema().defaults().with_entries([("gateway", gateway)]).with_entries(changes.iter().cloned());
        assert!(kind.validate(&arguments).is_empty());
        kind.object(&arguments).unwrap().unwrap().to_json().unwrap()
    }

    fn expected(version: &str, name: &str, selector: &str, port: u16) -> Json {
        json!({
            "apiVersion": format!("networking.istio.io/{version}"),
            "kind": "Gateway",
            "metadata": { "name": name, "namespace": "istio-system" },
            "spec": {
                "selector": { "istio": selector },
                "servers": [{
                    "port": { "number": port, "name": "tls", "protocol": "TLS" },
                    "tls": { "mode": "AUTO_PASSTHROUGH" },
                    "hosts": ["*.local"],
                }],
            },
        })
    }

    #[test]
    fn the_gateway_is_the_samples() {
        for (tag, version) in [("1.9.0", "v1alpha3"), ("1.21.6", "v1alpha3"), ("1.22.0", "v1"), ("latest", "v1")] {
            let object = object(gateway(&[("tag", Value::string(tag))]), &[]);
            assert_eq!(object, expected(version, "cross-network-gateway", "eastwestgateway", 15443), "{tag}");
        }
    }

    #[test]
    fn a_control_plane_stands_for_its_ingress_gateway() {
        let plane = reference(&["control_plane", "gateway"], "p", plane(&[("tag", Value::string("1.7.3"))]));
        let object = object(plane, &[("name", Value::string("cluster-aware-gateway")), ("port", Value::from_json(&json!(443)))]);
        assert_eq!(object, expected("v1alpha3", "cluster-aware-gateway", "ingressgateway", 443));
    }

    #[test]
    fn a_port_is_a_port() {
        for port in [json!(0), json!(65536), json!(1.5)] {
            let arguments = Value::object([("port", Value::from_json(&port))]);
            assert_eq!(ExposeServices::default().validate(&arguments).len(), 1, "{port}");
        }
    }
}
