//! The examples `kind-lab` and `kind-metallb` on a machine of the tests: from a docker network to a mesh whose gateways have addresses of `MetalLB`'s
//! pools, in one apply or in one that was killed over and over; clusters that go and come; and nothing left at the end.

use super::kind_mesh::{APPLY, COUNTING, DESTROY, SETTLED, killed_on_the_way, run};
use super::metallb::cached;
use meshplan_tests::apiserver::Api;
use meshplan_tests::kind::{IMAGE, Kind};
use meshplan_tests::scenario::Scenario;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An example as it is, with the image of nodes and a copy of what it would download.
fn example(kind: &Kind, name: &str) -> Option<Scenario> {
    let scenario = cached(kind.furnish(Scenario::example(name)))?;
    scenario.write("machine.auto.vars.hcl", &format!("node_image = \"{IMAGE}\"\n"));
    Some(scenario)
}

fn items(api: &Api, path: &str) -> Vec<Value> {
    api.get(path).unwrap()["items"].as_array().unwrap().clone()
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The load balancers of a cluster by name: the address of each, and what tells it from another one of this name.
fn balancers(api: &Api) -> BTreeMap<String, (String, String)> {
    let of_type = items(api, "/api/v1/services").into_iter().filter(|service| service["spec"]["type"] == "LoadBalancer");
    let each = |service: Value| {
        let address = text(&service, "/status/loadBalancer/ingress/0/ip").to_owned();
        (text(&service, "/metadata/name").to_owned(), (address, text(&service, "/metadata/uid").to_owned()))
    };
    of_type.map(each).collect()
}

/// The peers that a cluster's control plane is told of.
fn peers(api: &Api) -> BTreeSet<String> {
    let secrets = items(api, "/api/v1/namespaces/istio-system/secrets?labelSelector=istio/multiCluster=true");
    secrets.iter().map(|secret| text(secret, "/metadata/name").trim_start_matches("istio-remote-secret-").to_owned()).collect()
}

/// A mesh over clusters of these names stands: each has the others' secrets, its pool has the range of its number, its gateways have addresses
/// of it, and nothing is left to do. What is the same as long as a cluster stays.
fn stands(kind: &Kind, scenario: &Scenario, names: &[&str], ranges: &str) -> BTreeMap<String, BTreeMap<String, (String, String)>> {
    run(scenario, &SETTLED, 0);
    assert_eq!(kind.clusters(), names);
    let told: Value = serde_json::from_str(&run(scenario, &["output", "--json", "gateways"], 0)).unwrap();
    let all: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let cluster = |(at, name): (usize, &&str)| {
        let (api, range) = (kind.api(name), format!("{ranges}{}.", 28 + at));
        let others: BTreeSet<_> = all.iter().filter(|other| *other != name).cloned().collect();
        assert_eq!(peers(&api), others, "{name}");
        let pools = items(&api, "/apis/metallb.io/v1beta1/ipaddresspools");
        let addresses: Vec<_> = pools.iter().map(|pool| &pool["spec"]["addresses"]).collect();
        assert_eq!(addresses, [&serde_json::json!([format!("{range}1-{range}254")])], "{name}");
        let balancers = balancers(&api);
        assert!(balancers.len() > 1 && balancers.values().all(|(address, _)| address.starts_with(&range)), "{name}: {balancers:?}");
        assert_eq!(told[name], balancers["istio-eastwestgateway"].0, "{name}: {told}");
        ((*name).to_owned(), balancers)
    };
    names.iter().enumerate().map(cluster).collect()
}

#[test]
fn stand_in_three_clusters_of_a_short_example_are_one_mesh() {
    let Some(kind) = Kind::start() else { return };
    let Some(scenario) = example(&kind, "kind-lab") else { return };
    let (_attended, before) = (kind.attended(), kind.traces());
    let points = COUNTING.finish(&scenario, &APPLY, None);
    let three = stands(&kind, &scenario, &["cluster1", "cluster2", "cluster3"], "172.30.1");
    let told = run(&scenario, &["check"], 4);
    assert!(told.contains("check.module.sample.answered  not run: no data plane: pod `sample/sleep-"), "{told}");

    scenario.replace("main.mesh.hcl", "clusters   = 3", "clusters   = 2");
    run(&scenario, &APPLY, 0);
    let two = stands(&kind, &scenario, &["cluster1", "cluster2"], "172.30.1");
    assert_eq!(two.iter().collect::<Vec<_>>(), three.iter().take(2).collect::<Vec<_>>());

    let to_destroy = COUNTING.finish(&scenario, &DESTROY, None);
    assert_eq!(kind.traces(), before);
    assert_eq!(scenario.addresses(), Vec::<String>::new());

    // The longer one, killed over and over on its way.
    let Some(scenario) = example(&kind, "kind-metallb") else { return };
    let killed = killed_on_the_way(&scenario, &APPLY, points);
    assert!(killed > 2, "{killed} runs were killed");
    let two = stands(&kind, &scenario, &["cluster1", "cluster2"], "172.18.1");
    // Nodes that are played run no containers: what clients are answered is not known, and never taken to be right.
    let told = run(&scenario, &["check"], 4);
    assert!(told.contains("check.module.sample.answered  not run: no data plane: pod `sample/sleep-"), "{told}");
    for (name, version) in [("cluster1", "v2"), ("cluster2", "v1")] {
        let deployments = items(&kind.api(name), "/apis/apps/v1/namespaces/sample/deployments");
        let names: Vec<_> = deployments.iter().map(|deployment| text(deployment, "/metadata/name")).collect();
        assert_eq!(names, [&format!("helloworld-{version}"), "sleep"], "{name}");
        assert!(deployments.iter().all(|deployment| deployment["status"]["availableReplicas"] == 1), "{name}: {deployments:?}");
    }

    // A node that somebody stopped is started again, and nothing else changes.
    kind.stop_node("cluster1-control-plane");
    let plan = run(&scenario, &SETTLED, 2);
    assert!(plan.contains("kind_cluster.this[\"cluster1\"]") && plan.contains("Plan: 0 to add, 1 to change, 0 to replace"), "{plan}");
    run(&scenario, &APPLY, 0);
    assert_eq!(stands(&kind, &scenario, &["cluster1", "cluster2"], "172.18.1"), two);

    // The first by name goes, and comes again: neither has to do with the range of the other.
    let only = ["--var", r#"clusters=["cluster2"]"#];
    run(&scenario, &[&APPLY[..], &only].concat(), 0);
    let one = kind.api("cluster2");
    assert_eq!((kind.clusters(), balancers(&one), peers(&one)), (vec!["cluster2".to_owned()], two["cluster2"].clone(), BTreeSet::new()));
    run(&scenario, &APPLY, 0);
    assert_eq!(stands(&kind, &scenario, &["cluster1", "cluster2"], "172.18.1")["cluster2"], two["cluster2"]);
    let killed = killed_on_the_way(&scenario, &DESTROY, to_destroy);
    assert!(killed > 1, "{killed} runs were killed");
    assert_eq!(kind.traces(), before);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
}
