//! What is wrong between containers, told from the arguments of all of them together.

use crate::preflight::claimed;
use engine::address::Address;
use engine::schema::{Claim, Problem};
use engine::value::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

/// Circles of containers that pass requests on to one another, each at the first container of it. What is not known yet is no problem.
pub(super) fn circles(instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
    let published: Vec<BTreeSet<SocketAddr>> = instances.iter().map(|(_, arguments)| published(arguments)).collect();
    let next: Vec<Vec<(usize, SocketAddr)>> = instances.iter().map(|(_, arguments)| onward(arguments, &published)).collect();
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for (at, (address, _)) in instances.iter().enumerate() {
        if told.contains(&at) {
            continue;
        }
        if let Some(circle) = circle(at, &next) {
            told.extend(circle.iter().map(|(of, _)| *of));
            found.push(((*address).clone(), problem(&circle, instances)));
        }
    }
    found
}

/// Where the host hands requests to a container.
fn published(arguments: &Value) -> BTreeSet<SocketAddr> {
    let claims = arguments.get("ports").map(Value::items).unwrap_or_default().iter().filter_map(|port| claimed(port, "host_address"));
    let sockets = claims.filter_map(|claim| match claim {
        Claim::Port { address: Some(address), port, .. } => Some(SocketAddr::new(address, port)),
        _ => None,
    });
    sockets.collect()
}

/// The containers that one passes requests on to, each with the place that leads there.
fn onward(arguments: &Value, published: &[BTreeSet<SocketAddr>]) -> Vec<(usize, SocketAddr)> {
    let told = arguments.get("forwards_to").map(Value::items).unwrap_or_default();
    let sockets = told.iter().filter_map(|socket| crate::thing::plain(socket)?.parse::<SocketAddr>().ok());
    sockets.filter_map(|socket| Some((published.iter().position(|places| places.contains(&socket))?, socket))).collect()
}

/// The shortest way from a container back to it: every container on it, with the place that led there.
fn circle(start: usize, next: &[Vec<(usize, SocketAddr)>]) -> Option<Vec<(usize, SocketAddr)>> {
    let mut came_from: BTreeMap<usize, (usize, SocketAddr)> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for (to, by) in &next[at] {
            if came_from.contains_key(to) {
                continue;
            }
            came_from.insert(*to, (at, *by));
            open.push_back(*to);
        }
    }
    let mut way = vec![(start, came_from.get(&start)?.1)];
    let mut at = came_from.get(&start)?.0;
    while at != start {
        let (before, by) = came_from.get(&at)?;
        way.push((at, *by));
        at = *before;
    }
    way.reverse();
    Some(way)
}

fn problem(circle: &[(usize, SocketAddr)], instances: &[(&Address, &Value)]) -> Problem {
    let steps: Vec<_> = circle.iter().map(|(to, by)| format!("{by}, which is `{}`", instances[*to].0)).collect();
    let first = circle.last().map_or_else(String::new, |(start, _)| instances[*start].0.to_string());
    let detail = format!(
        "`{first}` passes requests on to {}: what none of them answers goes round without end",
        steps.join(", which passes them on to ")
    );
    Problem::with("forwards_to", "forwarding loop", detail).help("Let one of them ask somebody else, or nobody.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::json;

    fn server(address: &str, to: &[&str]) -> Value {
        let ports = json!([
            { "container_port": 53, "host_port": 53, "host_address": address, "protocol": "udp" },
            { "container_port": 53, "host_port": 53, "host_address": address, "protocol": "tcp" },
        ]);
        Value::from_json(&json!({ "ports": ports, "forwards_to": to }))
    }

    fn told(servers: &[Value]) -> Vec<String> {
        let addresses: Vec<Address> = (0..servers.len()).map(|at| Address::managed("docker_container", &format!("c{at}"))).collect();
        let instances: Vec<_> = addresses.iter().zip(servers).collect();
        circles(&instances).into_iter().map(|(_, problem)| problem.detail).collect()
    }

    #[test]
    fn circles_are_told_once_however_long_they_are() {
        let rest = ": what none of them answers goes round without end";
        let two = format!(
            "`docker_container.c0` passes requests on to 10.2.1.2:53, which is `docker_container.c1`, which passes them on to 10.2.1.1:53, which is `docker_container.c0`{rest}"
        );
        let own = format!("`docker_container.c0` passes requests on to [fd00::1]:53, which is `docker_container.c0`{rest}");
        for (servers, expected) in [
            (vec![server("10.2.1.1", &["10.2.1.2:53"]), server("10.2.1.2", &["1.1.1.1:53"])], vec![]),
            (vec![server("10.2.1.1", &["10.2.1.2:54"]), server("10.2.1.2", &["10.2.1.1:53"])], vec![]),
            (vec![server("10.2.1.1", &["9.9.9.9:53", "10.2.1.2:53"]), server("10.2.1.2", &["10.2.1.1:53"])], vec![two]),
            (vec![server("fd00::1", &["[fd00:0::1]:53"])], vec![own]),
            (
                vec![
                    server("10.2.1.9", &["10.2.1.1:53"]),
                    server("10.2.1.1", &["10.2.1.2:53"]),
                    server("10.2.1.2", &["10.2.1.3:53"]),
                    server("10.2.1.3", &["10.2.1.1:53"]),
                ],
                vec![format!(
                    "`docker_container.c1` passes requests on to 10.2.1.2:53, which is `docker_container.c2`, which passes them on to 10.2.1.3:53, which is `docker_container.c3`, which passes them on to 10.2.1.1:53, which is `docker_container.c1`{rest}"
                )],
            ),
        ] {
            assert_eq!(told(&servers), expected);
        }
        let open = Value::object([("forwards_to", Value::unknown(Type::list(Type::String)))]);
        assert_eq!(told(&[open, server("10.2.1.1", &["10.2.1.2:53"])]), Vec::<String>::new());
    }
}
