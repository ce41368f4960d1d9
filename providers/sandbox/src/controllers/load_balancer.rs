//! Gives Services of type `LoadBalancer` an address of the cluster's pool, or of those of a MetalLB, in order; pending when none is left.

use crate::admission::Pool;
use crate::object::{self, Json, items, remove, set, text};
use crate::store::{Event, Transaction};
use serde_json::json;
use std::collections::BTreeSet;

const MANAGER: &str = "sandbox-load-balancer";

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    if &*event.key.resource != "services" {
        return;
    }
    // An address that came free goes to whoever waits for one.
    let freed = event.old.as_ref().is_some_and(|old| address(old).is_some()) && event.new.as_ref().is_none_or(|new| address(new).is_none());
    if freed {
        serve_waiting(transaction);
    } else {
        assign(transaction, &event.key);
    }
}

/// Gives addresses to those that wait for one: some came free, or the pool is another.
pub(super) fn serve_waiting(transaction: &mut Transaction<'_>) {
    for (key, service) in transaction.list("services", None) {
        if wants(&service) && address(&service).is_none() {
            assign(transaction, &key);
        }
    }
}

fn wants(service: &Json) -> bool {
    text(service, &["spec", "type"]) == Some("LoadBalancer") && !object::is_terminating(service)
}

fn address(service: &Json) -> Option<&str> {
    items(service, &["status", "loadBalancer", "ingress"]).first().and_then(|ingress| text(ingress, &["ip"]))
}

fn assign(transaction: &mut Transaction<'_>, key: &crate::resource::Key) {
    let Some(service) = transaction.get(key) else { return };
    if !wants(&service) {
        if address(&service).is_some() {
            transaction.control(key, MANAGER, "status", |service| {
                remove(service, &["status", "loadBalancer", "ingress"]);
            });
        }
        return;
    }
    if address(&service).is_some() {
        return;
    }
    let services = transaction.list("services", None);
    let used: BTreeSet<_> = services.iter().filter_map(|(_, service)| address(service)).map(str::to_owned).collect();
    let own = || Pool::parse(&transaction.facts().load_balancer_pool).into_iter().collect();
    let pools = super::metallb::pools(transaction).unwrap_or_else(own);
    let wished = text(&service, &["spec", "loadBalancerIP"]).filter(|wished| !wished.is_empty());
    let free = pools
        .into_iter()
        .flat_map(Pool::addresses)
        .map(|address| address.to_string())
        .find(|address| !used.contains(address) && wished.is_none_or(|wished| wished == address));
    let Some(free) = free else { return };
    transaction.control(key, MANAGER, "status", |service| {
        set(service, &["status", "loadBalancer", "ingress"], json!([{ "ip": free, "ipMode": "VIP" }]));
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use super::*;

    const SERVICES: &str = "/api/v1/namespaces/default/services";

    fn make(cluster: &Cluster, name: &str) {
        cluster.create(SERVICES, &json!({ "metadata": { "name": name }, "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] } }));
    }

    fn address_of(cluster: &Cluster, name: &str) -> Option<String> {
        address(&cluster.get(&format!("{SERVICES}/{name}")).expect("there")).map(str::to_owned)
    }

    #[test]
    fn addresses_come_from_the_pool_in_order_and_come_free() {
        let cluster = Cluster::new();
        for (name, expected) in
            [("a", Some("198.18.0.0")), ("b", Some("198.18.0.1")), ("c", Some("198.18.0.2")), ("d", Some("198.18.0.3")), ("e", None)]
        {
            make(&cluster, name);
            assert_eq!(address_of(&cluster, name).as_deref(), expected, "{name}");
        }
        cluster.call("DELETE", &format!("{SERVICES}/b"), &json!(null));
        assert_eq!(address_of(&cluster, "e").as_deref(), Some("198.18.0.1"));
    }

    #[test]
    fn a_service_that_is_no_load_balancer_any_more_gives_its_address_back() {
        let cluster = Cluster::new();
        make(&cluster, "a");
        cluster.merge(&format!("{SERVICES}/a"), &json!({ "spec": { "type": "ClusterIP" } }));
        assert_eq!(address_of(&cluster, "a"), None);
        make(&cluster, "b");
        assert_eq!(address_of(&cluster, "b").as_deref(), Some("198.18.0.0"));
    }
}
