//! `istio_expose_istiod`: the Gateway and the `VirtualService` by which clusters without an istiod of their own reach one, as Istio's
//! `samples/multicluster/expose-istiod.yaml` and `expose-istiod-rev.yaml.tmpl` write them.

use super::{Through, schema, server};
use crate::arguments::{handed_on, referring};
use engine::address::Address;
use engine::schema::{Member, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{ObjectKind, members};

/// What is served: the name of its port, the gateway's port, and the port of istiod's Service.
const SERVED: [(&str, u16, u16); 2] = [("tls-istiod", 15012, 15012), ("tls-istiodwebhook", 15017, 443)];

/// `istio_expose_istiod`.
pub struct ExposeIstiod {
    schema: Schema,
}

impl Default for ExposeIstiod {
    fn default() -> Self {
        let doc = "Exposes a cluster's istiod to clusters that have none, for TLS that passes through: configuration at port 15012, webhooks at 15017.";
        Self { schema: schema("istio_expose_istiod", doc, Vec::new()) }
    }
}

impl ObjectKind for ExposeIstiod {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        Through(arguments).place()
    }

    fn object(&self, _: &Value) -> Option<Result<Value, Problem>> {
        None
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        Some(referring(arguments, "gateway").and_then(|()| {
            let through = Through(arguments);
            members(&through.of_plane("cluster"), objects(&through)?, &handed_on(arguments))
        }))
    }
}

/// Gateway and `VirtualService`. Of a revision both have its name and ask for its own host, so that those of several stand beside each other.
fn objects(through: &Through<'_>) -> Result<Vec<Value>, Problem> {
    let (revision, namespace) = (through.of_plane("revision"), through.namespace());
    if !revision.is_known() {
        let detail = "the `revision` of the control plane is known only after apply, and what exposes it has names that follow from it";
        return Err(Problem::with("gateway", "revision not known", detail));
    }
    let named = |name: &str| Value::string(revision.as_str().map_or_else(|| name.to_owned(), |revision| format!("{name}-{revision}")));
    // A part that is not known makes the whole unknown.
    let in_namespace = |tail: &str| match (namespace.as_str(), revision.as_str()) {
        (Some(namespace), None) => Value::string(format!("istiod.{namespace}{tail}")),
        (Some(namespace), Some(revision)) => Value::string(format!("istiod-{revision}.{namespace}{tail}")),
        (None, _) => Value::unknown(Type::String),
    };
    let asked_for = if revision.is_null() { Value::string("*") } else { in_namespace(".svc") };
    let list = |value: Value| Value::tuple(vec![value]);
    let number = |port: u16| Value::from_json(&port.into());

    let servers = SERVED.iter().map(|(name, port, _)| server((name, number(*port)), "PASSTHROUGH", list(asked_for.clone()))).collect();
    let routes = SERVED.iter().map(|(_, port, inner)| {
        let matched = Value::object([("port", number(*port)), ("sniHosts", list(asked_for.clone()))]);
        let destination =
            Value::object([("host", in_namespace(".svc.cluster.local")), ("port", Value::object([("number", number(*inner))]))]);
        Value::object([("match", list(matched)), ("route", list(Value::object([("destination", destination)])))])
    });
    let spec = Value::object([
        ("hosts", list(asked_for.clone())),
        ("gateways", list(named("istiod-gateway"))),
        ("tls", Value::tuple(routes.collect())),
    ]);
    Ok(vec![through.gateway(named("istiod-gateway"), servers), through.networking("VirtualService", named("istiod-vs"), spec)])
}

#[cfg(test)]
mod tests {
    use super::super::tests::gateway;
    use super::*;
    use serde_json::{Value as Json, json};

    fn rendered(plane: &[(&str, Value)]) -> Result<Vec<Json>, Problem> {
        let kind = ExposeIstiod::default();
        let arguments = kind.schema().defaults().with_entries([("gateway", gateway(plane))]);
        let members = kind.members(&arguments).unwrap()?;
        Ok(members.iter().map(|member| member.arguments.get("manifest").unwrap().to_json().unwrap()).collect())
    }

    fn expected(suffix: &str, host: &str, service: &str) -> Vec<Json> {
        let head = |kind: &str, name: &str, spec: Json| {
            json!({ "apiVersion": "networking.istio.io/v1", "kind": kind,
                "metadata": { "name": format!("{name}{suffix}"), "namespace": "istio-system" }, "spec": spec })
        };
        let server = |name: &str, number: u16| json!({ "port": { "name": name, "number": number, "protocol": "TLS" }, "tls": { "mode": "PASSTHROUGH" }, "hosts": [host] });
        let route = |port: u16, inner: u16| {
            json!({ "match": [{ "port": port, "sniHosts": [host] }],
                "route": [{ "destination": { "host": format!("{service}.istio-system.svc.cluster.local"), "port": { "number": inner } } }] })
        };
        vec![
            head(
                "Gateway",
                "istiod-gateway",
                json!({ "selector": { "istio": "eastwestgateway" },
                "servers": [server("tls-istiod", 15012), server("tls-istiodwebhook", 15017)] }),
            ),
            head(
                "VirtualService",
                "istiod-vs",
                json!({ "hosts": [host], "gateways": [format!("istiod-gateway{suffix}")],
                "tls": [route(15012, 15012), route(15017, 443)] }),
            ),
        ]
    }

    #[test]
    fn gateway_and_routes_are_the_samples() {
        assert_eq!(rendered(&[]).unwrap(), expected("", "*", "istiod"));
    }

    #[test]
    fn those_of_a_revision_stand_beside_others() {
        let revision = [("revision", Value::string("1-31"))];
        assert_eq!(rendered(&revision).unwrap(), expected("-1-31", "istiod-1-31.istio-system.svc", "istiod-1-31"));
    }

    #[test]
    fn a_revision_has_to_be_known() {
        assert_eq!(rendered(&[("revision", Value::unknown(Type::String))]).unwrap_err().summary, "revision not known");
    }
}
