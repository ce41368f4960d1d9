//! The scenarios of the example `locality` on three real API servers, over a mesh that stands. Which pod answers is decided by a model of what
//! the rules say, and not by proxies: so it shows that rules arrive, that proxies are drained and restored, and what the tests make of answers.

use crate::example::{Cluster, NODES, example, started};
use meshplan_tests::apiserver::stand_in::kubelet::{Ends, Kubelet, Ordered};
use meshplan_tests::apiserver::stand_in::proxies::Proxies;
use meshplan_tests::apiserver::{self, Api};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const STANDING: [&str; 3] = ["test", "--var", "standing=true"];

/// What a cluster's control plane would tell its proxies, and how often each client asked.
#[derive(Default)]
struct Model {
    rules: Vec<Value>,
    entries: usize,
    drained: BTreeSet<String>,
    asked: BTreeMap<String, u64>,
    /// Whether the rules are not followed.
    is_deaf: bool,
}

/// All versions, one a zone.
fn versions() -> Vec<String> {
    NODES.iter().flat_map(|nodes| nodes.iter().map(|node| node.replace('n', "z"))).collect()
}

impl Model {
    /// Which versions answer a client of this zone, such as `c1z2`, and with what shares of a hundred.
    fn shares(&self, own: &str) -> Vec<(String, u64)> {
        let even = |versions: Vec<String>| {
            let share = 100 / versions.len() as u64;
            versions.into_iter().map(|version| (version, share)).collect::<Vec<_>>()
        };
        let with = |start: &str| versions().into_iter().filter(|version| version.starts_with(start)).collect::<Vec<_>>();
        let well = |versions: Vec<String>| versions.into_iter().filter(|version| !self.drained.contains(version)).collect::<Vec<_>>();
        let policy = |path: &str| self.rules.iter().find_map(|rule| rule["spec"]["trafficPolicy"].pointer(path));
        let named = |name: &str, share: u64| (name.to_owned(), share);
        let routes = self.rules.iter().find_map(|rule| rule["spec"]["http"][0]["route"].as_array()).filter(|routes| routes.len() > 1);
        if self.is_deaf {
            return even(versions());
        }
        if let Some(routes) = routes {
            let share = |route: &Value| (route["destination"]["subset"].as_str().unwrap().to_owned(), route["weight"].as_u64().unwrap());
            return routes.iter().map(share).collect();
        }
        if policy("/loadBalancer/localityLbSetting/distribute").is_some() {
            return match own {
                "c2z1" => vec![named("c1z1", 25), named("c1z3", 25), named("c3z1", 50)],
                "c2z2" => vec![named("c2z3", 40), named("c2z1", 40), named("c3z2", 20)],
                _ => vec![named("c2z5", 100)],
            };
        }
        let failover = policy("/loadBalancer/localityLbSetting/failover/0/to").and_then(Value::as_str);
        let next = failover.map_or_else(|| with(&own[..2]), |_| vec!["c2z4".to_owned(), "c2z5".to_owned()]);
        let tiers = [vec![own.to_owned()], next, with("c3")];
        let first = tiers.into_iter().map(well).find(|versions| !versions.is_empty());
        if policy("/outlierDetection").is_some() { even(first.unwrap()) } else { even(well(versions())) }
    }

    fn answered_by(&mut self, own: &str) -> String {
        let count = self.asked.entry(own.to_owned()).or_default();
        *count += 1;
        // All hundredths come up once in a hundred requests, in an order without runs.
        let at = *count * 37 % 100;
        let shares = self.shares(own);
        let mut upto = 0;
        let found = shares.iter().find(|(_, share)| {
            upto += share;
            at < upto
        });
        found.or(shares.last()).unwrap().0.clone()
    }
}

/// How a command in a cluster's pods ends.
fn ends(cluster: usize, model: &Mutex<Model>, proxies: &Proxies, ordered: &Ordered) -> Ends {
    let well = |text: String| Ends::With(0, text, String::new());
    let mut model = model.lock().unwrap();
    let pod = ordered.pod.rsplit('/').next().unwrap();
    if let Some(ends) = proxies.answer(ordered) {
        let version = pod.split('-').nth(1).unwrap_or_default().to_owned();
        if ordered.command.last().is_some_and(|last| last == "quitquitquit") {
            model.drained.remove(&version);
        } else {
            model.drained.insert(version);
        }
        return ends;
    }
    let own = format!("c{}{}", cluster + 1, pod.trim_start_matches("sleep"));
    match (&*ordered.container, ordered.command.last().unwrap().as_str()) {
        ("sleep", "http://helloworld2.sample:5000/hello") => {
            let version = model.answered_by(&own);
            well(format!("Hello version: {version}, instance: helloworld2-{version}-x\n"))
        }
        ("sleep", "https://istio.io") if ordered.command.contains(&"%{remote_ip}".to_owned()) => {
            well(if model.entries == 1 && !model.is_deaf { "240.240.0.1" } else { "198.51.100.7" }.to_owned())
        }
        ("istio-proxy", "listeners?format=json") => {
            let socket = |address: String, port: u16| json!({ "name": address, "local_address": { "socket_address": { "address": address, "port_value": port } } });
            let own = (0..if model.is_deaf { 0 } else { model.entries }).map(|at| socket(format!("240.240.0.{}", at + 2), 3306));
            let others = [socket("0.0.0.0".to_owned(), 3306), json!({ "name": "x", "local_address": { "pipe": {} } })];
            well(json!({ "listener_statuses": own.chain(others).collect::<Vec<_>>() }).to_string())
        }
        _ => Ends::NotStarted(format!("nobody expects {ordered:?}")),
    }
}

/// Lets containers of the sample's pods be there, and the model know the rules, until it is told to end.
fn attend(api: &Api, model: &Mutex<Model>, proxies: &Proxies, is_over: &AtomicBool) {
    while !is_over.load(Ordering::SeqCst) {
        let list = |path: &str| api.get(path).and_then(|list| list["items"].as_array().cloned()).unwrap_or_default();
        for pod in list("/api/v1/namespaces/sample/pods") {
            let statuses = pod["status"]["containerStatuses"].as_array().cloned().unwrap_or_default();
            if !statuses.is_empty() && statuses.iter().any(|status| status["containerID"].is_null()) {
                proxies.start_again(&format!("sample/{}", pod["metadata"]["name"].as_str().unwrap()), true);
            }
        }
        let networking = |plural: &str| list(&format!("/apis/networking.istio.io/v1beta1/namespaces/sample/{plural}"));
        let rules = [networking("destinationrules"), networking("virtualservices")].concat();
        let entries = networking("serviceentries").len();
        {
            let mut model = model.lock().unwrap();
            (model.rules, model.entries) = (rules, entries);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The example, whose pods have the proxy that nobody injects here.
fn with_proxies(clusters: &[Cluster]) -> Scenario {
    let scenario = example(clusters);
    scenario.replace(
        "manifests/zone.yaml.tftpl",
        "      containers:\n",
        "      containers:\n        - { name: istio-proxy, image: none }\n",
    );
    scenario.replace("manifests/zone.yaml.tftpl", "\n  containers:\n", "\n  containers:\n    - { name: istio-proxy, image: none }\n");
    scenario
}

#[test]
fn stand_in_scenarios_pass_where_rules_are_followed_and_fail_where_not() {
    let Some(components) = apiserver::required() else { return };
    let clusters = started(&components);
    let scenario = with_proxies(&clusters);
    let models: Vec<Arc<Mutex<Model>>> = clusters.iter().map(|_| Arc::default()).collect();
    let proxies: Vec<_> = clusters.iter().map(|(_, cluster)| Proxies::of(cluster)).collect();
    let kubelet = |number: usize| {
        let (model, proxies) = (models[number].clone(), proxies[number].clone());
        Kubelet::of(&clusters[number].1, NODES[number], move |ordered: &Ordered| ends(number, &model, &proxies, ordered))
    };
    let kubelets: Vec<_> = (0..clusters.len()).map(kubelet).collect();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (number, (_, cluster)) in clusters.iter().enumerate() {
            let (model, proxies, is_over) = (&models[number], &proxies[number], &is_over);
            scope.spawn(move || attend(cluster.api(), model, proxies, is_over));
        }
        // Whatever fails, those who attend come to their end.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scenarios(&scenario, &clusters, &models)));
        is_over.store(true, Ordering::SeqCst);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    let told = |what: &str| {
        let all = kubelets.iter().flat_map(Kubelet::ordered).filter(|ordered| ordered.command.last().is_some_and(|last| last == what));
        all.map(|ordered| ordered.pod.split('-').nth(1).unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let drained = BTreeSet::from(["c1z2", "c2z4", "c2z5"].map(str::to_owned));
    assert_eq!((told("drain_listeners"), told("quitquitquit")), (drained.clone(), drained));
}

fn scenarios(scenario: &Scenario, clusters: &[Cluster], models: &[Arc<Mutex<Model>>]) {
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let state = scenario.read("meshplan.state.json");
    let output = scenario.run(&STANDING).expect_code(0);
    assert!(output.stdout.ends_with("Success! 15 passed, 0 failed.\n"), "{}", output.all());
    assert_eq!(scenario.read("meshplan.state.json"), state, "the mesh is as it was");
    for (_, cluster) in clusters {
        for plural in ["destinationrules", "virtualservices", "serviceentries"] {
            let left = cluster.api().get(&format!("/apis/networking.istio.io/v1beta1/namespaces/sample/{plural}")).unwrap();
            assert_eq!(left["items"], json!([]), "{plural}");
        }
        let pods = cluster.api().get("/api/v1/namespaces/sample/pods").unwrap();
        let is_ready = |pod: &Value| {
            pod["status"]["conditions"].as_array().unwrap().iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        assert!(pods["items"].as_array().unwrap().iter().all(is_ready), "every proxy is back: {pods}");
    }

    // Where nobody follows them, the same tests fail.
    for model in models {
        model.lock().unwrap().is_deaf = true;
    }
    for (file, told) in [
        ("CC2", "c1z2` came"),
        ("CC3", "from zone3: cluster2: `c1z1` came"),
        ("DNSP1", "curl connected to \"198.51.100.7\""),
        ("DNSP2", "there is not a listener for each of the two databases"),
        ("weights", "came"),
    ] {
        let path = format!("tests/{file}.meshtest.hcl");
        scenario.write(&path, &scenario.read(&path).replace("\"2m\"", "\"2s\"").replace("\"5s\"", "\"1s\""));
        let output = scenario.run(&[&STANDING[..], &["--filter", &path]].concat()).expect_code(1);
        assert!(output.stderr.contains("error: waited in vain") && output.stderr.contains(told), "{file}: {}", output.all());
    }
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
}
