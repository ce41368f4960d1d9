//! The example of three clusters on real API servers: the same configuration, only the clusters swapped.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use meshplan_tests::apiserver::inventory::inventory;
use meshplan_tests::apiserver::{self, Api, ApiServer, Cast, Components, Credential, StandIns};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The names of each cluster's nodes.
pub(crate) const NODES: [&[&str]; 3] = [&["c1n1", "c1n2", "c1n3"], &["c2n1", "c2n2", "c2n3", "c2n4", "c2n5"], &["c3n1", "c3n2", "c3n3"]];

/// A cluster of the example, with what plays its nodes and load balancers.
pub(crate) type Cluster = (StandIns, ApiServer);

/// The three clusters of the example, for one test at a time, which leaves them as they were; nothing where the programs are missing. A test that
/// failed fails alone.
pub(crate) fn clusters() -> Option<MutexGuard<'static, Vec<Cluster>>> {
    static CLUSTERS: OnceLock<Mutex<Vec<Cluster>>> = OnceLock::new();
    let components = apiserver::required()?;
    Some(CLUSTERS.get_or_init(|| Mutex::new(started(&components))).lock().unwrap_or_else(PoisonError::into_inner))
}

/// Clusters as the example takes them to be.
pub(crate) fn started(components: &Components) -> Vec<Cluster> {
    let start = |number: usize| {
        let cluster = ApiServer::start(components, &format!("cluster{}", number + 1));
        let pool = format!("198.18.{}.0/28", 100 + number);
        (StandIns::start(&cluster, &Cast { nodes: NODES[number], pool: &pool }), cluster)
    };
    std::thread::scope(|scope| {
        let starting: Vec<_> = (0..3).map(|number| scope.spawn(move || start(number))).collect();
        starting.into_iter().map(|started| started.join().unwrap()).collect()
    })
}

/// The example, with the clusters as what it calls `cluster1` to `cluster3`.
pub(crate) fn example(clusters: &[Cluster]) -> Scenario {
    let mut scenario = Scenario::example("locality");
    scenario.reach(&clusters.iter().map(|(_, cluster)| cluster.admin().clone()).collect::<Vec<_>>());
    scenario.write("real.auto.vars.hcl", "contexts = { cluster1 = \"cluster1\", cluster2 = \"cluster2\", cluster3 = \"cluster3\" }\n");
    scenario
}

/// Who the other cluster takes the holder of a peer's remote secret for.
fn holder(reader: &ApiServer, name: &str, peer: &ApiServer) -> Value {
    let secret = peer.api().get(&format!("/api/v1/namespaces/istio-system/secrets/istio-remote-secret-{name}")).unwrap();
    let kubeconfig = BASE64_STANDARD.decode(secret["data"][name].as_str().unwrap()).unwrap();
    let kubeconfig = String::from_utf8(kubeconfig).unwrap();
    assert!(kubeconfig.contains(&reader.admin().server), "{name}");
    let (_, token) = kubeconfig.split_once("token: ").unwrap();
    let token = token.split_whitespace().next().unwrap().trim_matches('"');
    let api = Api::by(&reader.admin().by(Credential::Token(token.to_owned())));
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let answer = api.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", Some(&review)).done();
    answer["status"]["userInfo"]["username"].clone()
}

#[test]
fn stand_in_three_clusters_become_a_mesh_and_are_left_as_they_were() {
    let Some(clusters) = clusters() else { return };
    let before: Vec<_> = clusters.iter().map(|(_, cluster)| inventory(cluster.api())).collect();
    let scenario = example(&clusters);

    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);

    let gateways: Value = serde_json::from_str(&scenario.run(&["output", "--json"]).expect_code(0).stdout).unwrap();
    for (number, (_, cluster)) in clusters.iter().enumerate() {
        let name = format!("cluster{}", number + 1);
        assert!(gateways.to_string().contains(&format!("198.18.{}.", 100 + number)), "{gateways}");
        for (_, peer) in clusters.iter().filter(|(_, peer)| peer.admin().name != name) {
            let reader = "system:serviceaccount:istio-system:istio-reader-service-account";
            assert_eq!(holder(cluster, &name, peer), reader, "{name}");
        }
    }

    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
    for ((_, cluster), before) in clusters.iter().zip(before) {
        assert_eq!(inventory(cluster.api()), before, "{}", cluster.admin().name);
    }
}
