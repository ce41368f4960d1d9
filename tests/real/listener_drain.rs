//! `istio_listener_drain` on a real API server. Kubelet and proxies are played: that Envoy stops its listeners and ends is not shown here.

use meshplan_tests::apiserver::stand_in::kubelet::{Ends, Kubelet, Ordered};
use meshplan_tests::apiserver::stand_in::proxies::{Conduct, Proxies};
use meshplan_tests::apiserver::{self, Access, ApiServer};
use meshplan_tests::killed::Counting;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));
const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];
const CONVERGED: [&str; 2] = ["plan", "--detailed-exitcode"];

fn cluster() -> Option<ApiServer> {
    Some(ApiServer::start(&apiserver::required()?, "c1"))
}

/// A namespace of a cluster with a node whose proxies are played.
struct Lab<'a> {
    cluster: &'a ApiServer,
    kubelet: Kubelet<'a>,
    proxies: Proxies,
    namespace: String,
}

impl<'a> Lab<'a> {
    fn of(cluster: &'a ApiServer) -> Self {
        let proxies = Proxies::of(cluster);
        let answering = proxies.clone();
        let missing = |ordered: &Ordered| Ends::NotStarted(format!("no program `{}`", ordered.command[0]));
        let kubelet =
            Kubelet::start(cluster, "node", move |ordered: &Ordered| answering.answer(ordered).unwrap_or_else(|| missing(ordered)));
        Self { cluster, kubelet, proxies, namespace: cluster.namespace() }
    }

    fn pod(&self, name: &str, app: &str) {
        self.proxies.pod(&self.kubelet, (&self.namespace, name), (&json!({ "app": app }), "Always"));
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.namespace)
    }

    /// A configuration that drains what an argument says.
    fn drains(&self, access: &Access, which: &str) -> Scenario {
        let mut scenario = Scenario::with(&format!(
            "data \"kubernetes_cluster\" \"c\" {{\n  context = \"c1\"\n}}\nresource \"istio_listener_drain\" \"d\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"{}\"\n  {which}\n  timeouts {{\n    create = \"5s\"\n    update = \"5s\"\n    delete = \"8s\"\n  }}\n}}\n",
            self.namespace
        ));
        scenario.reach(&[access.named("c1")]);
        scenario
    }

    fn all(&self) -> Scenario {
        self.drains(self.cluster.admin(), "label_selector = \"app=web\"")
    }

    fn named(&self, name: &str) -> Scenario {
        self.drains(self.cluster.admin(), &format!("name = \"{name}\""))
    }

    fn are_ready(&self, names: &[&str]) -> Vec<bool> {
        names.iter().map(|name| self.proxies.is_ready(&self.path(name))).collect()
    }

    /// Waits until a pod is ready, or is not.
    fn wait(&self, name: &str, is_ready: bool) {
        let word = if is_ready { "True" } else { "False" };
        let path = format!("/api/v1/namespaces/{}/pods/{name}", self.namespace);
        let all = |pod: &Value| pod["status"]["conditions"].as_array().is_some_and(|all| all.iter().all(|one| one["status"] == word));
        self.cluster.api().wait(&path, all);
    }

    /// How often proxies were told something, by pod.
    fn told(&self, what: &str) -> BTreeMap<String, usize> {
        let mut told = BTreeMap::new();
        for ordered in self.kubelet.ordered().into_iter().filter(|ordered| ordered.command.last().is_some_and(|last| last == what)) {
            *told.entry(ordered.pod.rsplit('/').next().unwrap().to_owned()).or_insert(0) += 1;
        }
        told
    }

    fn containers(&self, names: &[&str]) -> Vec<Value> {
        let pod = |name: &&str| self.cluster.api().get(&format!("/api/v1/namespaces/{}/pods/{name}", self.namespace)).unwrap();
        let proxy = |pod: Value| {
            let all = pod["status"]["containerStatuses"].as_array().unwrap().clone();
            all.into_iter().find(|container| container["name"] == "istio-proxy").unwrap()["containerID"].clone()
        };
        names.iter().map(pod).map(proxy).collect()
    }
}

/// Runs a command line that must fail and say these words.
fn failing(scenario: &Scenario, args: &[&str], words: &[&str]) {
    let said = scenario.run(args).expect_code(1).all();
    for word in words {
        assert!(said.contains(word), "no `{word}` in\n{said}");
    }
}

fn counts(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn stand_in_drained_pods_are_unready_until_the_drain_is_destroyed() {
    let Some(cluster) = cluster() else { return };
    let lab = Lab::of(&cluster);
    for (name, app) in [("web-1", "web"), ("web-2", "web"), ("other", "other")] {
        lab.pod(name, app);
    }
    let scenario = lab.all();
    let applied = scenario.run(&APPLY).expect_code(0);
    assert_eq!(lab.are_ready(&["web-1", "web-2", "other"]), [false, false, true], "{}", applied.all());
    assert_eq!(lab.told("drain_listeners"), counts(&[("web-1", 1), ("web-2", 1)]));
    let first = lab.kubelet.ordered().remove(0);
    assert_eq!((first.container.as_str(), first.command.join(" ").as_str()), ("istio-proxy", "pilot-agent request POST drain_listeners"));
    scenario.run(&CONVERGED).expect_code(0);

    // A proxy that its node started anew has its listeners, and so has one of a pod that came since.
    lab.proxies.start_again(&lab.path("web-1"), true);
    lab.pod("web-3", "web");
    let told = scenario.run(&CONVERGED).expect_code(2).stdout;
    assert!(told.contains("istio_listener_drain.d") && told.contains("drained"), "{told}");
    scenario.run(&APPLY).expect_code(0);
    assert_eq!(lab.are_ready(&["web-1", "web-2", "web-3"]), [false, false, false]);
    assert_eq!(lab.told("drain_listeners"), counts(&[("web-1", 2), ("web-2", 1), ("web-3", 1)]), "what is drained is not told again");
    // One that is gone is nobody's business.
    lab.cluster.api().delete(&format!("/api/v1/namespaces/{}/pods/web-3?gracePeriodSeconds=0", lab.namespace));
    scenario.run(&CONVERGED).expect_code(0);

    let before = lab.containers(&["web-1", "web-2", "other"]);
    scenario.run(&DESTROY).expect_code(0);
    assert_eq!(lab.told("quitquitquit"), counts(&[("web-1", 1), ("web-2", 1)]));
    assert_eq!(lab.are_ready(&["web-1", "web-2", "other"]), [true, true, true], "it is waited for");
    let after = lab.containers(&["web-1", "web-2", "other"]);
    assert!(before[0] != after[0] && before[1] != after[1] && before[2] == after[2], "{before:?} {after:?}");
    assert!(scenario.addresses().is_empty());
}

#[test]
fn stand_in_nothing_is_touched_where_not_all_can_be_drained() {
    let Some(cluster) = cluster() else { return };
    let lab = Lab::of(&cluster);
    // Nothing is touched where one of them could not be restored, has no proxy, or runs nowhere.
    lab.proxies.pod(&lab.kubelet, (&lab.namespace, "job"), (&json!({ "app": "job" }), "Never"));
    lab.kubelet.pod((&lab.namespace, "bare"), &json!({ "app": "bare" }), ("app", "containerd://bare"));
    lab.kubelet.pod((&lab.namespace, "still"), &json!({ "app": "still" }), ("istio-proxy", ""));
    let restored = format!("the proxy of pod `{}` would not be started anew", lab.path("job"));
    failing(&lab.named("job"), &APPLY, &["proxy cannot be restored", &restored]);
    failing(&lab.named("bare"), &APPLY, &["nothing to drain", "has no container `istio-proxy`"]);
    failing(&lab.named("nobody"), &APPLY, &["nothing to drain", "there is no pod with the name `nobody`"]);
    failing(&lab.named("still"), &APPLY, &["error: no data plane", "is said to run, and there is no container `istio-proxy`"]);
    assert_eq!(lab.kubelet.ordered(), []);
    let looking = json!({ "apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["get", "list"] });
    lab.pod("web-1", "web");
    let viewer = lab.drains(&cluster.user("viewer", std::slice::from_ref(&looking)), "name = \"web-1\"");
    failing(&viewer, &APPLY, &["proxy not drained", "pods/exec", "(403)"]);
    assert_eq!(viewer.addresses(), Vec::<String>::new());
}

#[test]
fn stand_in_proxies_that_do_not_do_as_they_are_told_are_told_of() {
    let Some(cluster) = cluster() else { return };
    let lab = Lab::of(&cluster);
    lab.pod("web-1", "web");
    // A pod that stays ready is waited for again by the next run, which tells its proxy nothing more.
    let scenario = lab.named("web-1");
    lab.proxies.behave(Conduct::Refuse);
    failing(
        &scenario,
        &APPLY,
        &["proxy not drained", "`pilot-agent request POST drain_listeners` ended with the exit code 1: Error: no proxy answers"],
    );
    lab.proxies.behave(Conduct::Ignore);
    let still = format!("pod `{}` is still ready after 5 s", lab.path("web-1"));
    failing(&scenario, &APPLY, &["not drained in time", &still]);
    let before = lab.told("drain_listeners");
    failing(&scenario, &APPLY, &["not drained in time"]);
    assert_eq!(lab.told("drain_listeners"), before);
    // Whom nobody hears is told again.
    scenario.run(&DESTROY).expect_code(1);
    lab.proxies.behave(Conduct::Refuse);
    failing(&scenario, &DESTROY, &["proxy not restored", "ended with the exit code 1: Error: no proxy answers"]);
    lab.proxies.behave(Conduct::StayUnready);
    let unready = format!("pod `{}` is not ready with its new proxy after 8 s", lab.path("web-1"));
    failing(&scenario, &DESTROY, &["not restored in time", &unready]);
    scenario.run(&DESTROY).expect_code(0);
    assert!(scenario.addresses().is_empty());

    // An answer that was lost: it is known that it is not known.
    lab.proxies.behave(Conduct::Obey);
    lab.proxies.start_again(&lab.path("web-1"), true);
    lab.proxies.behave(Conduct::KeepSilent);
    failing(&scenario, &APPLY, &["proxy not drained", "the command did not end within 30 s"]);
    lab.wait("web-1", false);
    let container = lab.containers(&["web-1"]);
    lab.proxies.behave(Conduct::Obey);
    scenario.run(&DESTROY).expect_code(0);
    assert!(lab.containers(&["web-1"]) != container && lab.are_ready(&["web-1"]) == [true]);

    // Another proxy in the meantime, and a list that nobody may see.
    lab.proxies.behave(Conduct::Ignore);
    let (proxies, path) = (lab.proxies.clone(), lab.path("web-1"));
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(2));
        proxies.start_again(&path, true);
    });
    failing(&scenario, &APPLY, &["proxy started anew", "the next run drains it again"]);
    later.join().unwrap();
    lab.proxies.behave(Conduct::Obey);
    scenario.run(&APPLY).expect_code(0);
    assert_eq!(lab.are_ready(&["web-1"]), [false]);
    let seeing = json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] });
    let mut blind = lab.drains(&cluster.user("blind", &[seeing]), "name = \"web-1\"");
    blind.write("meshplan.state.json", &scenario.read("meshplan.state.json"));
    let told = blind.run(&["plan"]).all();
    assert!(told.contains("the pods cannot be listed: ") && told.contains("(403)"), "{told}");
    blind.reach(&[cluster.admin().named("c1")]);
    blind.run(&DESTROY).expect_code(0);
}

#[test]
fn stand_in_a_killed_drain_is_completed_and_a_killed_restore_too() {
    let Some(cluster) = cluster() else { return };
    let lab = Lab::of(&cluster);
    let names = ["web-1", "web-2"];
    for name in names {
        lab.pod(name, "web");
    }
    let straight = lab.all();
    let (making, removing) = (COUNTING.finish(&straight, &APPLY, None), COUNTING.finish(&straight, &DESTROY, None));
    assert_eq!(lab.are_ready(&names), [true, true]);
    for point in 0..making.max(removing) {
        // What was killed while it drained is drained by the next run, or restored by a destroy.
        for args in [&APPLY, &DESTROY] {
            let scenario = lab.all();
            let killed = COUNTING.is_killed(&scenario, &APPLY, point.min(making - 1), making);
            if killed {
                COUNTING.finish(&scenario, args, Some(point));
            }
            if args == &APPLY {
                assert_eq!(lab.are_ready(&names), [false, false], "after point {point}");
                scenario.run(&CONVERGED).expect_code(0);
                if COUNTING.is_killed(&scenario, &DESTROY, point.min(removing - 1), removing) {
                    COUNTING.finish(&scenario, &DESTROY, Some(point));
                }
            }
            if !killed {
                scenario.run(&DESTROY).expect_code(0);
            }
            assert_eq!(scenario.addresses(), Vec::<String>::new());
            // A run that was killed while a proxy came back does not wait for it.
            for name in names {
                lab.wait(name, true);
            }
        }
    }
}
