//! Commands in pods over a real API server. No containers run: a kubelet that is played says how each command ends.

use meshplan_tests::apiserver::stand_in::kubelet::{Ends, Kubelet, Ordered};
use meshplan_tests::apiserver::{self, ApiServer};
use meshplan_tests::scenario::Scenario;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const ONCE: [&str; 3] = ["check", "--timeout", "0s"];

fn cluster(name: &str) -> Option<ApiServer> {
    Some(ApiServer::start(&apiserver::required()?, name))
}

/// Checks of these data sources, each with the condition that it holds, over contexts of a kubeconfig.
fn checks(contexts: &[&str], checks: &[(&str, &str, &str, &str)]) -> String {
    let context = |name: &&str| format!("data \"kubernetes_cluster\" \"{name}\" {{\n  context = \"{name}\"\n}}\n");
    let clusters: Vec<_> = contexts.iter().map(|name| format!("{name} = data.kubernetes_cluster.{name}")).collect();
    let check = |(name, kind, arguments, condition): &(&str, &str, &str, &str)| {
        let data = format!("data \"{kind}\" \"d\" {{\n  clusters = {{ {} }}\n  {arguments}\n}}", clusters.join(", "));
        let condition = condition.replace("D.", &format!("data.{kind}.d."));
        format!("check \"{name}\" {{\n{data}\nassert {{\n  condition = {condition}\n  error_message = jsonencode(data.{kind}.d)\n}}\n}}\n")
    };
    contexts.iter().map(context).chain(checks.iter().map(check)).collect()
}

/// What `meshplan check` says of each check, by its name.
fn told(scenario: &Scenario, code: u8) -> impl Fn(&str) -> String {
    let lines = scenario.run(&ONCE).expect_code(code).stdout;
    move |name: &str| {
        let found = lines.lines().find_map(|line| line.strip_prefix(&format!("check.{name} ")));
        assert!(found.is_some(), "{name}: {lines}");
        found.unwrap_or_default().trim().to_owned()
    }
}

/// Checks of commands in a namespace, by name, with what each is to say.
fn commands(namespace: &str) -> Vec<(&'static str, String, &'static str)> {
    let of = |which: &str, more: &str| format!("namespace = \"{namespace}\"\n  timeout = \"10s\"\n  {which}\n  {more}");
    let sleep = |more: &str| of("label_selector = \"app=sleep\"", more);
    let asks = |query: &str| {
        format!("command = [\"curl\", \"-sS\", \"http://a.b:5000/hello?{query}\"]\n  repeat = 10\n  pattern = \"version: (\\\\w+),\"\n")
    };
    vec![
        (
            "shares",
            sleep(&(asks("x=y z&c") + "  expected_shares = { v1 = 0.5, v2 = 0.5 }")),
            "length(D.unexpected) == 0 && D.succeeded.c1 == 20",
        ),
        ("counts", sleep(&asks("counts")), "jsonencode(D.counts) == jsonencode({ c1 = { v1 = 10, v2 = 10 } })"),
        (
            "off",
            sleep(&(asks("off") + "  expected_shares = { v1 = 1 }")),
            "D.unexpected == tolist([\"c1: `v1` came 10 times of 20, and not 20 times\", \"c1: `v2` came 10 times of 20, and not 0 times\"])",
        ),
        (
            "code",
            of("name = \"sleep-1\"", "command = [\"false\"]"),
            "jsonencode(D.runs.c1) == jsonencode([{ code = 7, pod = \"sleep-1\", stderr = \"broken on purpose\\n\", stdout = \"out\" }])",
        ),
        ("long", of("name = \"sleep-1\"", "command = [\"long\"]"), "length(D.runs.c1[0].stdout) == 300000"),
        ("missing", of("name = \"sleep-1\"", "command = [\"curll\"]"), "D.succeeded.c1 == 1"),
        ("still", of("name = \"still\"", "command = [\"curl\"]"), "D.succeeded.c1 == 1"),
        ("waits", of("name = \"waits\"", "command = [\"curl\"]").replace("10s", "1s"), "D.succeeded.c1 == 1"),
        ("nobody", of("name = \"nobody\"", "command = [\"curl\"]").replace("10s", "1s"), "D.succeeded.c1 == 1"),
        ("container", of("name = \"sleep-1\"", "command = [\"curl\"]\n  container = \"istio-proxy\""), "D.succeeded.c1 == 1"),
    ]
}

#[test]
fn stand_in_commands_end_as_they_end_in_the_pod() {
    let Some(cluster) = cluster("c1") else { return };
    let asked: Mutex<BTreeMap<Ordered, u64>> = Mutex::default();
    let kubelet = Kubelet::start(&cluster, "node", move |ordered: &Ordered| match &*ordered.command[0] {
        "curl" => {
            let mut asked = asked.lock().unwrap();
            let times = asked.entry(ordered.clone()).or_default();
            *times += 1;
            let version = if times.is_multiple_of(2) { "v1" } else { "v2" };
            Ends::With(0, format!("Hello version: {version}, instance: helloworld-{version}-x\n"), String::new())
        }
        "false" => Ends::With(7, "out".to_owned(), "broken on purpose\n".to_owned()),
        "long" => Ends::With(0, "x".repeat(300_000), String::new()),
        program => Ends::NotStarted(format!("exec: \"{program}\": executable file not found in $PATH")),
    });
    let namespace = cluster.namespace();
    let pod = |name: &str, app: &str, id: &str| kubelet.pod((&namespace, name), &json!({ "app": app }), ("sleep", id));
    pod("sleep-1", "sleep", "containerd://1");
    pod("sleep-2", "sleep", "containerd://2");
    pod("still", "still", "");
    let unscheduled = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "waits" }, "spec": { "containers": [{ "name": "a", "image": "b" }] } });
    cluster.api().make(&format!("/api/v1/namespaces/{namespace}/pods"), &unscheduled);

    let rows = commands(&namespace);
    let rows: Vec<_> = rows.iter().map(|(name, arguments, condition)| (*name, "pod_exec", &**arguments, *condition)).collect();
    let mut scenario = Scenario::with(&checks(&["c1"], &rows));
    scenario.reach(&[cluster.admin().named("c1")]);
    let says = told(&scenario, 1);
    for name in ["shares", "counts", "off", "code", "long"] {
        assert_eq!(says(name), "passed", "{name}");
    }
    let no_data_plane = |why: &str| format!("not run: no data plane: pod `{namespace}/{why}, in cluster `c1`");
    assert_eq!(says("still"), no_data_plane("still` is said to run, and there is no container `sleep`"));
    for (name, words) in [
        ("missing", format!("`curll` in pod `{namespace}/sleep-1`: ")),
        ("missing", "executable file not found in $PATH".to_owned()),
        // Others run: that this one does not is no want of a data plane.
        ("waits", format!("pod `{namespace}/waits` runs on no node, in cluster `c1`")),
        ("nobody", format!("there is no pod with the name `nobody` in namespace `{namespace}`, in cluster `c1`")),
        ("container", format!("pod `{namespace}/sleep-1` has no container `istio-proxy`; it has `sleep`")),
    ] {
        assert!(says(name).starts_with("failed: ") && says(name).contains(&words), "{name}: {}", says(name));
    }
    let command = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let first = Ordered {
        pod: format!("{namespace}/sleep-1"),
        container: "sleep".to_owned(),
        command: command(&["curl", "-sS", "http://a.b:5000/hello?x=y z&c"]),
    };
    assert!(kubelet.ordered().contains(&first), "{:?}", kubelet.ordered());
}

#[test]
fn stand_in_who_may_not_run_commands_is_told_so() {
    let Some(cluster) = cluster("c1") else { return };
    let kubelet = Kubelet::start(&cluster, "node", |_: &Ordered| Ends::With(0, String::new(), String::new()));
    let namespace = cluster.namespace();
    kubelet.pod((&namespace, "sleep"), &json!({ "app": "sleep" }), ("sleep", "containerd://1"));
    let arguments = format!("namespace = \"{namespace}\"\n  name = \"sleep\"\n  command = [\"true\"]");
    let mut scenario = Scenario::with(&checks(&["c1"], &[("runs", "pod_exec", &arguments, "D.succeeded.c1 == 1")]));
    let looking = json!({ "apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["get", "list"] });
    scenario.reach(&[cluster.user("viewer", &[looking]).named("c1")]);
    let says = told(&scenario, 1)("runs");
    assert!(says.starts_with("failed: ") && says.contains("pods/exec") && says.contains("(403)"), "{says}");
    assert_eq!(kubelet.ordered(), []);
    scenario.reach(&[cluster.admin().named("c1")]);
    assert_eq!(told(&scenario, 0)("runs"), "passed");
    // A kubelet that does not answer is no want of a data plane.
    drop(kubelet);
    let says = told(&scenario, 1)("runs");
    assert!(says.starts_with("failed: ") && says.contains("connection refused"), "{says}");
}

#[test]
fn stand_in_proxies_tell_the_endpoints_that_they_know() {
    let Some(cluster) = cluster("c1") else { return };
    let kubelet = Kubelet::start(&cluster, "node", |ordered: &Ordered| {
        let host = |address: &str, port: u16| json!({ "address": { "socket_address": { "address": address, "port_value": port } }, "health_status": { "eds_health_status": "HEALTHY" }, "weight": 1, "locality": {} });
        let known = json!({ "name": "outbound|5000||helloworld.sample.svc.cluster.local", "host_statuses": [host("10.2.1.41", 15443), host("10.0.0.7", 5000)] });
        match (&*ordered.command.join(" "), &*ordered.container) {
            ("pilot-agent request GET clusters?format=json", "istio-proxy") => {
                Ends::With(0, json!({ "cluster_statuses": [known] }).to_string(), String::new())
            }
            _ => Ends::NotStarted("it is another command".to_owned()),
        }
    });
    let namespace = cluster.namespace();
    kubelet.pod((&namespace, "sleep-1"), &json!({ "app": "sleep" }), ("istio-proxy", "containerd://1"));
    kubelet.pod((&namespace, "bare"), &json!({ "app": "bare" }), ("sleep", "containerd://2"));
    let of = |name: &str, service: &str| {
        format!("namespace = \"{namespace}\"\n  name = \"{name}\"\n  service = \"{service}.sample.svc.cluster.local\"\n  port = 5000")
    };
    let (known, unknown, bare) = (of("sleep-1", "helloworld"), of("sleep-1", "nobody"), of("bare", "helloworld"));
    let kind = "istio_proxy_config";
    let rows = [
        (
            "known",
            kind,
            &*known,
            "[for e in D.endpoints.c1.sleep-1 : \"${e.address}:${e.port} ${e.healthy}\"] == [\"10.0.0.7:5000 true\", \"10.2.1.41:15443 true\"]",
        ),
        ("unknown", kind, &*unknown, "length(D.endpoints.c1.sleep-1) == 0"),
        ("bare", kind, &*bare, "length(D.endpoints.c1.bare) == 0"),
    ];
    let mut scenario = Scenario::with(&checks(&["c1"], &rows));
    scenario.reach(&[cluster.admin().named("c1")]);
    let says = told(&scenario, 1);
    assert_eq!((says("known"), says("unknown")), ("passed".to_owned(), "passed".to_owned()));
    assert!(says("bare").contains(&format!("pod `{namespace}/bare` has no container `istio-proxy`")), "{}", says("bare"));
}

#[test]
fn stand_in_every_istiod_is_asked_which_clusters_it_reads() {
    let (Some(one), Some(other)) = (cluster("c1"), cluster("c2")) else { return };
    let synced = Arc::new(AtomicBool::new(false));
    let clusterz = |status: &str| json!([{ "id": "c1", "secretName": "", "syncStatus": "synced" }, { "id": "c2", "secretName": "istio-system/istio-remote-secret-c2", "syncStatus": status }]);
    let wrong: Arc<Mutex<Vec<Ordered>>> = Arc::default();
    let kubelet = |cluster| {
        let (synced, wrong) = (synced.clone(), wrong.clone());
        let kubelet = Kubelet::start(cluster, "node", move |ordered: &Ordered| {
            if ordered.command != ["pilot-discovery", "request", "GET", "/debug/clusterz"] || ordered.container != "discovery" {
                wrong.lock().unwrap().push(ordered.clone());
            }
            let late = ordered.pod == "istio-system/istiod-2" && !synced.load(Ordering::SeqCst);
            Ends::With(0, clusterz(if late { "syncing" } else { "synced" }).to_string(), String::new())
        });
        cluster
            .api()
            .make("/api/v1/namespaces", &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "istio-system" } }));
        cluster.api().wait("/api/v1/namespaces/istio-system/serviceaccounts/default", |account| !account.is_null());
        kubelet
    };
    let (first, second) = (kubelet(&one), kubelet(&other));
    let istiod = |kubelet: &Kubelet<'_>, name: &str, revision: &str| {
        kubelet.pod(("istio-system", name), &json!({ "app": "istiod", "istio.io/rev": revision }), ("discovery", "containerd://1"));
    };
    istiod(&first, "istiod-1", "default");
    istiod(&first, "istiod-2", "default");
    istiod(&first, "istiod-old", "old");
    istiod(&second, "istiod-1", "default");
    let synced_all = "length(D.unsynced) == 0";
    let rows = [
        ("all", "istio_remote_clusters", "revision = \"default\"", synced_all),
        (
            "old",
            "istio_remote_clusters",
            "revision = \"default\"\n  expected = [\"c1\"]",
            "length(D.unsynced) == 3 && D.remotes.c1.istiod-1.c2 == \"synced\"",
        ),
    ];
    let mut scenario = Scenario::with(&checks(&["c1", "c2"], &rows).replace(
        "error_message = jsonencode(data.istio_remote_clusters.d)",
        "error_message = join(\"; \", data.istio_remote_clusters.d.unsynced)",
    ));
    scenario.reach(&[one.admin().named("c1"), other.admin().named("c2")]);
    let says = told(&scenario, 1);
    assert_eq!(says("all"), "failed: c1: `istiod-2` has not read `c2` (syncing)");
    assert_eq!(says("old"), "passed");
    assert!(first.ordered().iter().all(|ordered| ordered.pod != "istio-system/istiod-old"), "{:?}", first.ordered());

    // What is looked at again passes once it is so.
    let later = synced.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_secs(2));
        later.store(true, Ordering::SeqCst);
    });
    let output = scenario.run(&["check", "--timeout", "1m"]).expect_code(0);
    assert!(output.stdout.ends_with("2 passed, 0 failed, 0 not run.\n"), "{}", output.stdout);
    thread.join().unwrap();
    assert_eq!(*wrong.lock().unwrap(), []);
}
