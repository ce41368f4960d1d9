//! Who reaches whom, over real API servers: pods are made there, a node that is played runs their script as a process, and it asks what listens on
//! this machine.

use meshplan_tests::apiserver::stand_in::runner::Runner;
use meshplan_tests::apiserver::{self, ApiServer};
use meshplan_tests::killed::Counting;
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;

const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));
const ONCE: [&str; 3] = ["check", "--timeout", "0s"];
const LABEL: &str = "meshplan/errand=reachability";

/// Two clusters of their own: what nodes do in them is nobody else's business.
fn clusters() -> Option<[ApiServer; 2]> {
    let components = apiserver::required()?;
    let mut missing = Missing::default();
    let without_curl = missing.any_of(["curl"]);
    missing.close();
    (!without_curl).then(|| ["c1", "c2"].map(|name| ApiServer::start(&components, name)))
}

/// The pods of errands in a cluster, wherever they lie.
fn pods(cluster: &ApiServer) -> Vec<Value> {
    let path = format!("/api/v1/pods?labelSelector={}", LABEL.replace('/', "%2F"));
    cluster.api().get(&path).unwrap()["items"].as_array().unwrap().clone()
}

/// How many of them there are.
fn left(cluster: &ApiServer) -> usize {
    pods(cluster).len()
}

/// Contexts, and a check of what they reach, with these peers and arguments.
fn check(peers: &str, more: &str) -> String {
    format!(
        r#"
data "kubernetes_cluster" "this" {{
  for_each = toset(["c1", "c2"])
  context  = each.key
}}
check "reachable" {{
  timeout = "0s"
  data "istio_reachability" "peers" {{
    peers = {{
{peers}
    }}
    {more}
  }}
  assert {{
    condition     = data.istio_reachability.peers.reachable
    error_message = join("\n", data.istio_reachability.peers.unreached)
  }}
}}
"#
    )
}

fn peer(name: &str, cluster: &str, more: &str) -> String {
    format!("      {name} = {{ cluster = data.kubernetes_cluster.this[\"{cluster}\"], {more} }}\n")
}

/// A server that answers nobody: it takes no connection out of its queue, and the queue is full.
struct Silent {
    address: SocketAddr,
    _held: (tokio::net::TcpListener, Vec<TcpStream>),
    _runtime: tokio::runtime::Runtime,
}

impl Silent {
    fn on(address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
            socket.listen(0).unwrap()
        });
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
            queue.push(stream);
            assert!(queue.len() < 10, "{address} takes all that come");
        }
        Self { address, _held: (listener, queue), _runtime: runtime }
    }
}

#[test]
fn stand_in_each_cluster_asks_all_others_from_within() {
    let Some([one, other]) = clusters() else { return };
    let silent = Silent::on("127.0.0.3");
    let port = silent.address.port();
    // The gateway of the one takes connections and says nothing, that of the other is not there.
    let gateway = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let (_, server) = other.admin().server.rsplit_once(':').unwrap();
    let peers = [
        peer("c1", "c1", "network = \"n1\", gateway = \"127.0.0.1\""),
        peer("c2", "c2", "network = \"n2\", gateway = \"127.0.0.2\""),
        peer("c3", "c2", &format!("network = \"n2\", server = \"https://127.0.0.3:{port}\", gateway = \"127.0.0.3\"")),
        peer("c4", "c2", &format!("network = \"n2\", server = \"https://[::ffff:127.0.0.1]:{server}\"")),
        peer("c5", "c2", "network = \"n2\", server = \"https://no.such.invalid:6443\""),
    ];
    let namespace = one.namespace();
    other.api().make("/api/v1/namespaces", &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }));
    other.api().wait(&format!("/api/v1/namespaces/{namespace}/serviceaccounts/default"), |account| !account.is_null());
    let more = format!("gateway_port = {port}\n    namespace = \"{namespace}\"\n    timeout = \"2s\"\n    pod_timeout = \"20s\"");
    let mut scenario = Scenario::with(&check(&peers.concat(), &more));
    scenario.reach(&[one.admin().clone(), other.admin().clone()]);

    let runners = [&one, &other].map(|cluster| Runner::start(cluster, "node", LABEL));
    // Whoever plans looks, and makes nothing.
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(plan.contains("check.reachable  not run\n        a plan makes nothing to look with: `meshplan check` does\n"), "{plan}");
    assert!(runners.iter().all(|runner| runner.ran().is_empty()));

    let told = scenario.run(&ONCE).expect_code(1).stdout;
    let table = "  from \\ to              c1       c2       c3         c4        c5\n  \
        c1         API server  -        reached  timed out  TLS name  name not resolved\n  \
        \u{20}          gateway     -        refused  timed out  -         -\n  \
        c2         API server  reached  -        timed out  TLS name  name not resolved\n  \
        \u{20}          gateway     reached  -        -          -         -\n";
    assert!(told.contains(table), "{told}");
    assert!(told.contains(&format!("c2: API server of c3 at https://127.0.0.3:{port}: timed out\n")), "{told}");
    assert!(
        told.starts_with(&format!("check.reachable  failed: c1: gateway of c2 at 127.0.0.2:{port}: refused\n"))
            && !told.contains("not run:"),
        "{told}"
    );
    assert_eq!(told.lines().last(), Some("0 passed, 1 failed, 0 not run."));
    // One pod for all that a cluster asks, and none of them is left.
    assert_eq!(runners.each_ref().map(|runner| runner.ran().len()), [1, 4]);
    assert_eq!([&one, &other].map(left), [0, 0]);
    let pod = &runners[0].ran()[0];
    assert_eq!(pod["metadata"]["annotations"]["sidecar.istio.io/inject"], "false");
    assert_eq!((&pod["spec"]["automountServiceAccountToken"], &pod["spec"]["restartPolicy"]), (&json!(false), &json!("Never")));
    assert_eq!(pod["spec"]["volumes"], Value::Null, "no token of an account is in it");

    let lines = scenario.run(&["check", "--timeout", "0s", "--json"]).expect_code(1).stdout;
    let event: Value = serde_json::from_str(lines.lines().find(|line| line.contains("\"check\"")).unwrap()).unwrap();
    let pairs = event["pairs"].as_array().unwrap();
    let reached: Vec<_> = pairs.iter().filter(|pair| pair["reached"] == true).collect();
    assert!(pairs.len() > 20 && reached.iter().all(|pair| pair["outcome"] == "reached"), "{event:#}");
    assert!(reached.iter().any(|pair| pair["target"] == "API server" && pair["milliseconds"].is_u64()), "{event:#}");
    drop(gateway);

    // Without what fails it passes; another authority than that of the server is told apart.
    let good = [peer("c1", "c1", "network = \"n1\""), peer("c2", "c2", "network = \"n1\"")].concat();
    scenario.write("main.mesh.hcl", &check(&good, &more));
    assert!(scenario.run(&ONCE).expect_code(0).stdout.contains("c2         API server  reached  -\n"));
    let crossed = format!("network = \"n1\", server = \"{}\"", one.admin().server);
    let good = [peer("c1", "c1", "network = \"n1\""), peer("c2", "c2", &crossed)].concat();
    scenario.write("main.mesh.hcl", &check(&good, &more));
    let told = scenario.run(&ONCE).expect_code(1).stdout;
    assert!(told.contains("TLS authority (the certificate is not of the authority that is known"), "{told}");
}

#[test]
fn a_pod_that_no_node_runs_is_no_answer_and_is_gone() {
    let Some([one, other]) = clusters() else { return };
    let peers = [peer("c1", "c1", ""), peer("c2", "c2", "")].concat();
    let mut scenario = Scenario::with(&check(&peers, "timeout = \"1s\"\n    pod_timeout = \"1s\""));
    scenario.reach(&[one.admin().clone(), other.admin().clone()]);
    let told = scenario.run(&ONCE).expect_code(4).stdout;
    assert!(told.contains("check.reachable  not run: no data plane: pod `default/meshplan-reachability-"), "{told}");
    assert!(told.contains("runs on no node, in cluster `c1`\n") && told.contains("0 passed, 0 failed, 1 not run."), "{told}");
    assert_eq!([&one, &other].map(left), [0, 0]);

    // Who may not make pods is told so, and that is no want of a data plane.
    let looking = json!({ "apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["get", "list"] });
    scenario.reach(&[one.user("viewer", std::slice::from_ref(&looking)).named("c1"), other.admin().clone()]);
    let told = scenario.run(&ONCE).expect_code(1).stdout;
    assert!(told.contains("c1: not run: no pod can be made in namespace `default`: pods is forbidden"), "{told}");
    scenario.reach(&[one.admin().clone(), other.admin().clone()]);

    // A run that is interrupted takes its pods along.
    scenario.replace("main.mesh.hcl", "pod_timeout = \"1s\"", "pod_timeout = \"3s\"");
    let appears = |cluster: &ApiServer| {
        let deadline = Instant::now() + Duration::from_secs(30);
        while pods(cluster).is_empty() {
            assert!(Instant::now() < deadline, "no pod is made");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let mut run = COUNTING.command(&scenario, &ONCE).spawn().unwrap();
    appears(&one);
    appears(&other);
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(1));
    assert_eq!([&one, &other].map(left), [0, 0]);

    // Of one that is killed they stay until nobody can be waiting for them; the next run after that deletes them, and no others.
    let mut run = COUNTING.command(&scenario, &ONCE).spawn().unwrap();
    appears(&one);
    run.kill().unwrap();
    run.wait().unwrap();
    let killed = pods(&one)[0]["metadata"]["name"].clone();
    let names = || pods(&one).iter().map(|pod| pod["metadata"]["name"].clone()).collect::<Vec<_>>();
    scenario.run(&ONCE).expect_code(4);
    assert_eq!(names(), [killed]);
    let bystander = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "bystander", "namespace": "default" }, "spec": { "containers": [{ "name": "a", "image": "b" }] } });
    one.api().make("/api/v1/namespaces/default/pods", &bystander);
    std::thread::sleep(Duration::from_secs(15));
    scenario.run(&ONCE).expect_code(4);
    assert_eq!(names(), Vec::<Value>::new());
    assert!(one.api().get("/api/v1/namespaces/default/pods/bystander").is_some());
}

/// Two clusters that read each other, once each reaches the other.
const GATED: &str = r#"
locals {
  peers = { c1 = "c2", c2 = "c1" }
}
resource "kubernetes_namespace" "system" {
  for_each = local.peers
  cluster  = data.kubernetes_cluster.this[each.key]
  name     = "istio-system"
  labels   = { "topology.istio.io/network" = "network1" }
}
resource "istio_operator" "primary" {
  for_each     = local.peers
  cluster      = data.kubernetes_cluster.this[each.key]
  namespace    = kubernetes_namespace.system[each.key].name
  installer    = "manifests"
  mesh_id      = "mesh1"
  cluster_name = each.key
  network      = "network1"
  content      = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: istio, namespace: istio-system }\ndata: { mesh: '{}' }\n"
}
resource "istio_remote_reader" "this" {
  for_each      = local.peers
  control_plane = istio_operator.primary[each.key]
}
resource "istio_remote_secret" "this" {
  for_each   = local.peers
  cluster    = data.kubernetes_cluster.this[each.value]
  namespace  = kubernetes_namespace.system[each.value].name
  reader     = istio_remote_reader.this[each.key]
  depends_on = [check.reachable]
}
"#;

#[test]
fn stand_in_no_remote_secret_is_written_before_its_cluster_is_reached() {
    let Some([one, other]) = clusters() else { return };
    let _runners = [&one, &other].map(|cluster| Runner::start(cluster, "node", LABEL));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let more = "timeout = \"2s\"\n    pod_timeout = \"20s\"";
    let wrong = [peer("c1", "c1", ""), peer("c2", "c2", &format!("server = \"https://{closed}\""))].concat();
    let mut scenario = Scenario::with(&(check(&wrong, more) + GATED));
    scenario.reach(&[one.admin().clone(), other.admin().clone()]);
    let secrets = || {
        let path = "/api/v1/namespaces/istio-system/secrets?labelSelector=istio%2FmultiCluster%3Dtrue";
        [&one, &other].map(|cluster| cluster.api().get(path).unwrap()["items"].as_array().unwrap().len())
    };
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(plan.contains("read until `check.reachable` passes"), "{plan}");
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains(&format!("`check.reachable`: c1: API server of c2 at https://{closed}: refused")), "{told}");
    assert!(told.contains("c1         API server  -        refused\n"), "{told}");
    assert_eq!(secrets(), [0, 0], "{told}");
    assert_eq!([&one, &other].map(left), [0, 0]);

    let right = [peer("c1", "c1", ""), peer("c2", "c2", "")].concat();
    scenario.write("main.mesh.hcl", &(check(&right, more) + GATED));
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(0).all();
    assert!(told.contains("check.reachable: passed"), "{told}");
    assert_eq!(secrets(), [1, 1]);
    assert_eq!([&one, &other].map(left), [0, 0]);
    // What stays as it is waits for nobody.
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}
