//! What a cluster shows to others through a gateway: its services, and its istiod.

mod istiod;
mod services;

pub use istiod::ExposeIstiod;
pub use services::ExposeServices;

use crate::arguments::{ISTIO_SYSTEM, address, leaf, object, through, usual};
use crate::operator::runs_below;
use crate::version::WITH_NETWORKING_V1;
use engine::address::Address;
use engine::schema::{Attribute, Schema};
use engine::value::{Type, Value};
use serde_json::json;

/// The label `istio` of the gateway that profiles bring.
const INGRESS_GATEWAY: &str = "ingressgateway";

/// The schema of a kind that exposes something through `gateway`, with attributes of its own.
fn schema(kind: &'static str, doc: &'static str, own: Vec<Attribute>) -> Schema {
    let gateway = "The east-west gateway; cluster and namespace follow from it. A control plane stands for the ingress gateway that its profile brings.";
    let mut attributes = vec![Attribute::required("gateway", Type::Reference("gateway"), gateway)];
    attributes.extend(own);
    attributes.extend(usual());
    Schema { kind, doc, version: 1, attributes, classes: &[], place: Some("gateway"), outside: true, settles: true }
}

/// What follows from `gateway`.
struct Through<'a>(&'a Value);

impl Through<'_> {
    /// Whether `gateway` is a control plane.
    fn is_plane(&self) -> bool {
        self.0.get("gateway").and_then(Value::instance).is_some_and(|instance| instance.classes.contains(&"control_plane"))
    }

    fn to_plane(&self) -> &'static [&'static str] {
        if self.is_plane() { &["gateway"] } else { &["gateway", "control_plane"] }
    }

    fn of_plane(&self, attribute: &'static str) -> Value {
        leaf(self.0, &[self.to_plane(), &[attribute]].concat())
    }

    /// The cluster that all of it lies in.
    fn place(&self) -> Option<Address> {
        address(self.0, &[self.to_plane(), &["cluster"]].concat())
    }

    fn namespace(&self) -> Value {
        let namespace = self.of_plane("namespace");
        if namespace.is_null() { Value::string(ISTIO_SYSTEM) } else { namespace }
    }

    /// An object of the group `networking.istio.io`, in the version that the control plane knows.
    fn networking(&self, kind: &str, name: Value, spec: Value) -> Value {
        let old = through(self.0, self.to_plane()).is_some_and(|plane| runs_below(plane, WITH_NETWORKING_V1));
        Value::object([
            ("apiVersion", Value::string(if old { "networking.istio.io/v1alpha3" } else { "networking.istio.io/v1" })),
            ("kind", Value::string(kind)),
            ("metadata", object([("name", name), ("namespace", self.namespace())])),
            ("spec", spec),
        ])
    }

    /// A Gateway of these servers.
    fn gateway(&self, name: Value, servers: Vec<Value>) -> Value {
        let selector = if self.is_plane() { Value::string(INGRESS_GATEWAY) } else { leaf(self.0, &["gateway", "selector"]) };
        let selector = Value::object([("istio", selector)]);
        self.networking("Gateway", name, Value::object([("selector", selector), ("servers", Value::tuple(servers))]))
    }
}

/// One server of a Gateway, which hands on what is encrypted as it is.
fn server((name, number): (&str, Value), mode: &str, hosts: Value) -> Value {
    let port = Value::object([("number", number), ("name", Value::string(name)), ("protocol", Value::string("TLS"))]);
    Value::object([("port", port), ("tls", Value::from_json(&json!({ "mode": mode }))), ("hosts", hosts)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference};

    /// An east-west gateway of a control plane with these attributes beside its cluster and namespace.
    pub(super) fn gateway(plane: &[(&str, Value)]) -> Value {
        let plane = reference(&["control_plane"], "p", self::plane(plane));
        let gateway = Value::object([("control_plane", plane), ("selector", Value::string("eastwestgateway"))]);
        reference(&["gateway"], "g", gateway)
    }

    pub(super) fn plane(changes: &[(&str, Value)]) -> Value {
        let base = Value::object([("cluster", cluster("c1")), ("namespace", Value::string("istio-system")), ("revision", Value::null())]);
        base.with_entries(changes.iter().cloned())
    }

    #[test]
    fn everything_lies_in_the_gateways_cluster() {
        let place = |gateway| Through(&Value::object([("gateway", gateway)])).place();
        let expected = Some(Address::managed("k_cluster", "c1"));
        assert_eq!(place(gateway(&[])), expected);
        assert_eq!(place(reference(&["control_plane", "gateway"], "p", plane(&[]))), expected);
    }
}
