//! Cluster addresses and node ports of Services.

use super::Pool;
use crate::object::{Json, at, items, list_at, remove, set, set_default, text};
use crate::refusal::Refusal;
use crate::resource::Resource;
use crate::store::Transaction;
use serde_json::json;
use std::collections::BTreeSet;

/// Where the addresses of Services come from: kubeadm's default.
const ADDRESSES: &str = "10.96.0.0/16";
/// Where node ports come from.
const NODE_PORTS: std::ops::RangeInclusive<u64> = 30000..=32767;

/// Gives a Service the addresses and node ports that it wants and has not.
pub(super) fn allocate(transaction: &Transaction<'_>, resource: &Resource, live: Option<&Json>, object: &mut Json) -> Result<(), Refusal> {
    if resource.kind != "Service" || !resource.group.is_empty() {
        return Ok(());
    }
    let ty = text(object, &["spec", "type"]).unwrap_or_default().to_owned();
    if !["LoadBalancer", "NodePort"].contains(&ty.as_str()) {
        remove(object, &["spec", "externalTrafficPolicy"]);
    }
    if ty != "LoadBalancer" {
        remove(object, &["spec", "allocateLoadBalancerNodePorts"]);
    }
    if ty == "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            remove(object, &["spec", field]);
        }
        return Ok(());
    }
    keep(live, object);
    if text(object, &["spec", "clusterIP"]).unwrap_or_default().is_empty() {
        let used: BTreeSet<String> = transaction
            .list("services", None)
            .iter()
            .filter_map(|(_, service)| text(service, &["spec", "clusterIP"]).map(str::to_owned))
            .collect();
        let pool = Pool::parse(ADDRESSES).map_err(|why| Refusal::unavailable(&why))?;
        // The first addresses belong to the network, the API server and DNS.
        let free = pool.addresses().skip(16).map(|address| address.to_string()).find(|address| !used.contains(address));
        let free = free.ok_or_else(|| Refusal::unavailable("no cluster address is left"))?;
        set(object, &["spec", "clusterIP"], free);
    }
    let address = at(object, &["spec", "clusterIP"]).cloned().unwrap_or_default();
    set_default(object, &["spec", "clusterIPs"], json!([address]));
    // What selects nothing and has no address may point anywhere.
    let anywhere = address == "None" && at(object, &["spec", "selector"]).is_none();
    let (families, policy) = if anywhere { (json!(["IPv4", "IPv6"]), "RequireDualStack") } else { (json!(["IPv4"]), "SingleStack") };
    set_default(object, &["spec", "ipFamilies"], families);
    set_default(object, &["spec", "ipFamilyPolicy"], policy);
    node_ports(transaction, &ty, object)
}

/// What was allocated stays, also if the new object does not name it.
fn keep(live: Option<&Json>, object: &mut Json) {
    let Some(live) = live else { return };
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if let Some(value) = at(live, &["spec", field]) {
            set_default(object, &["spec", field], value.clone());
        }
    }
    let known = items(live, &["spec", "ports"]).to_vec();
    for port in list_at(object, &["spec", "ports"]).into_iter().flatten() {
        let same = |other: &&Json| other["port"] == port["port"] && other["protocol"] == port["protocol"];
        if let Some(node_port) = known.iter().find(same).and_then(|other| other.get("nodePort")).cloned() {
            set_default(port, &["nodePort"], node_port);
        }
    }
}

fn node_ports(transaction: &Transaction<'_>, ty: &str, object: &mut Json) -> Result<(), Refusal> {
    let wanted = match ty {
        "NodePort" => true,
        "LoadBalancer" => at(object, &["spec", "allocateLoadBalancerNodePorts"]) != Some(&Json::Bool(false)),
        _ => {
            for port in list_at(object, &["spec", "ports"]).into_iter().flatten() {
                remove(port, &["nodePort"]);
            }
            return Ok(());
        }
    };
    let services = transaction.list("services", None);
    let mut used: BTreeSet<u64> =
        services.iter().flat_map(|(_, service)| items(service, &["spec", "ports"])).filter_map(|port| port["nodePort"].as_u64()).collect();
    for port in list_at(object, &["spec", "ports"]).into_iter().flatten() {
        if port.get("nodePort").is_some() || !wanted {
            continue;
        }
        let free =
            NODE_PORTS.into_iter().find(|number| !used.contains(number)).ok_or_else(|| Refusal::unavailable("no node port is left"))?;
        used.insert(free);
        set(port, &["nodePort"], free);
    }
    Ok(())
}

/// Refuses another address than the one that was given.
pub(super) fn update(live: &Json, object: &Json, causes: &mut Vec<(String, String)>) {
    let address = |service| text(service, &["spec", "clusterIP"]).unwrap_or_default().to_owned();
    let is_external = |service| text(service, &["spec", "type"]) == Some("ExternalName");
    if !is_external(live) && !is_external(object) && !address(live).is_empty() && address(live) != address(object) {
        causes.push(("spec.clusterIPs[0]".to_owned(), format!("Invalid value: [{:?}]: may not change once set", address(object))));
    }
    let other = items(object, &["spec", "ipFamilies"]).iter().position(|family| family == "IPv6");
    if let Some(other) = other.filter(|_| at(object, &["spec", "selector"]).is_some()) {
        causes.push((format!("spec.ipFamilies[{other}]"), "Invalid value: \"IPv6\": not configured on this cluster".to_owned()));
        let policy = text(object, &["spec", "ipFamilyPolicy"]).unwrap_or_default();
        let why = format!("Invalid value: {policy:?}: this cluster is not configured for dual-stack services");
        causes.push(("spec.ipFamilyPolicy".to_owned(), why));
    }
}

/// Refuses to have ports of nodes lead to no address.
pub(super) fn address(object: &Json, causes: &mut Vec<(String, String)>) {
    let ty = text(object, &["spec", "type"]).unwrap_or_default();
    if ["NodePort", "LoadBalancer"].contains(&ty) && text(object, &["spec", "clusterIP"]) == Some("None") {
        causes.push(("spec.clusterIPs[0]".to_owned(), format!("Invalid value: \"None\": may not be set to 'None' for {ty} services")));
    }
}

/// Refuses ports that are none or cannot be told apart.
pub(super) fn ports(object: &Json, causes: &mut Vec<(String, String)>) {
    let ports = items(object, &["spec", "ports"]);
    let word = |port: &Json, field: &str| text(port, &[field]).unwrap_or_default().to_owned();
    let mut names = BTreeSet::new();
    for (at, port) in ports.iter().enumerate() {
        let name = word(port, "name");
        if name.is_empty() && ports.len() > 1 {
            causes.push((format!("spec.ports[{at}].name"), "Required value".to_owned()));
        } else if !name.is_empty() && !names.insert(name.clone()) {
            causes.push((format!("spec.ports[{at}].name"), format!("Duplicate value: {name:?}")));
        }
        let number = port["port"].as_i64().unwrap_or_default();
        let target = port.get("targetPort").map_or(Some(number), Json::as_i64);
        for (field, number) in [("port", Some(number)), ("targetPort", target)] {
            if let Some(number) = number.filter(|number| !(1..=65_535).contains(number)) {
                let why = format!("Invalid value: {number}: must be between 1 and 65535, inclusive");
                causes.push((format!("spec.ports[{at}].{field}"), why));
            }
        }
    }
    let mut numbers = BTreeSet::new();
    for (at, port) in ports.iter().enumerate() {
        let (protocol, number) = (word(port, "protocol"), port["port"].clone());
        if !numbers.insert((protocol.clone(), number.to_string())) {
            let key = format!(
                "{{\"Name\":\"\",\"Protocol\":{protocol:?},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":0,\"NodePort\":0}}"
            );
            causes.push((format!("spec.ports[{at}]"), format!("Duplicate value: {key}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Key, builtin};
    use crate::store::{Facts, World};

    #[test]
    fn services_get_addresses_and_ports_once() {
        let world = World::new(Facts::example("c"));
        let mut transaction = Transaction::new(&world);
        let resource = builtin("", "v1", "services").expect("services");
        let service = |ty: &str| json!({ "spec": { "type": ty, "ports": [{ "port": 80, "protocol": "TCP" }] } });
        let mut first = service("LoadBalancer");
        allocate(&transaction, &resource, None, &mut first).expect("allocated");
        assert_eq!((&first["spec"]["clusterIP"], &first["spec"]["ports"][0]["nodePort"]), (&json!("10.96.0.16"), &json!(30000)));
        transaction.put(&Key::new("services", "x", "first"), first.clone());
        let mut second = service("NodePort");
        allocate(&transaction, &resource, None, &mut second).expect("allocated");
        assert_eq!((&second["spec"]["clusterIPs"], &second["spec"]["ports"][0]["nodePort"]), (&json!(["10.96.0.17"]), &json!(30001)));

        let mut again = service("LoadBalancer");
        allocate(&transaction, &resource, Some(&first), &mut again).expect("kept");
        assert_eq!(again, first);
        let mut plain = service("ClusterIP");
        allocate(&transaction, &resource, Some(&first), &mut plain).expect("kept");
        assert_eq!((&plain["spec"]["clusterIP"], plain["spec"]["ports"][0].get("nodePort")), (&json!("10.96.0.16"), None));
    }

    #[test]
    fn headless_and_external_services_have_no_address() {
        let world = World::new(Facts::example("c"));
        let transaction = Transaction::new(&world);
        let resource = builtin("", "v1", "services").expect("services");
        let mut headless = json!({ "spec": { "type": "ClusterIP", "clusterIP": "None", "ports": [] } });
        allocate(&transaction, &resource, None, &mut headless).expect("allocated");
        assert_eq!(headless["spec"]["clusterIPs"], json!(["None"]));
        let mut external = json!({ "spec": { "type": "ExternalName", "externalName": "example.org" } });
        allocate(&transaction, &resource, None, &mut external).expect("allocated");
        assert_eq!(external, json!({ "spec": { "type": "ExternalName", "externalName": "example.org" } }));
    }
}
