//! Servers that refuse, break, are slow or are not there: what is tried again, what is said, and what is done all the same.

use meshplan_tests::apiserver::authority::Validity;
use meshplan_tests::apiserver::{self, Access, ApiServer, Credential, Fault, Proxy};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A namespace's map in each of these clusters, by context and namespace.
const MAPS: &str = r#"
variable "namespaces" {
  type = map(string)
}
data "kubernetes_cluster" "this" {
  for_each = var.namespaces
  context  = each.key
}
resource "kubernetes_manifest" "map" {
  for_each = var.namespaces
  cluster  = data.kubernetes_cluster.this[each.key]
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "m", namespace = each.value }
    data       = { key = "value" }
  }
}
"#;

/// Applies that are no dry runs: those of records, each under a manager of its own.
const EFFECT: &str = "apply fieldManager=meshplan%2Fr";

fn scenario(ways: &[(Access, &str)]) -> Scenario {
    let mut scenario = Scenario::with(MAPS);
    scenario.reach(&ways.iter().map(|(access, _)| access.clone()).collect::<Vec<_>>());
    let namespaces: Vec<_> = ways.iter().map(|(access, namespace)| format!("{} = \"{namespace}\"", access.name)).collect();
    scenario.write("namespaces.auto.vars.hcl", &format!("namespaces = {{ {} }}\n", namespaces.join(", ")));
    scenario
}

/// A namespace of its own behind a proxy, and a configuration of a map in it.
fn behind(cluster: &ApiServer) -> (Proxy, String, Scenario) {
    let (proxy, namespace) = (Proxy::by(cluster, &cluster.admin().named("c")), cluster.namespace());
    let scenario = scenario(&[(proxy.access().clone(), &namespace)]);
    (proxy, namespace, scenario)
}

fn map(cluster: &ApiServer, namespace: &str) -> Option<Value> {
    cluster.api().get(&format!("/api/v1/namespaces/{namespace}/configmaps/m"))
}

fn uid(map: Option<Value>) -> String {
    map.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
}

#[test]
fn what_passes_is_tried_again() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, namespace, scenario) = behind(cluster);
    let modified = json!({ "kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict",
        "message": "Operation cannot be fulfilled on configmaps \"m\": the object has been modified; please apply your changes to the latest version and try again" });
    proxy.fail(2, "get /namespaces/kube-system", Fault::Refused(503, None));
    proxy.fail(1, "discover /version", Fault::CutBefore);
    proxy.fail(1, "get /configmaps/m", Fault::CutWithin);
    proxy.fail(1, EFFECT, Fault::Refused(429, None));
    proxy.fail(1, EFFECT, Fault::Answered(409, modified));
    proxy.fail(1, EFFECT, Fault::Refused(503, None));
    let applied = scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert!(applied.stderr.contains("asked again, 3 requests: create of kubernetes_manifest."), "{}", applied.stderr);
    assert_eq!(proxy.count(EFFECT), 4, "{:#?}", proxy.seen());
    let made = uid(map(cluster, &namespace));

    proxy.fail(1, "get /configmaps/m", Fault::Slow(Duration::from_secs(2)));
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    scenario.replace("main.mesh.hcl", "\"value\"", "\"other\"");
    // An update names its object, so that it can be sent again although it may have been done.
    proxy.forget();
    proxy.fail(1, EFFECT, Fault::CutAfter);
    proxy.fail(1, EFFECT, Fault::Refused(500, None));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(
        (uid(map(cluster, &namespace)), proxy.count("apply fieldManager")),
        (made, 4),
        "dry run, two that fail, and one: {:#?}",
        proxy.seen()
    );

    proxy.fail(1, "delete /configmaps/m", Fault::CutAfter);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(map(cluster, &namespace), None);
}

#[test]
fn a_create_whose_answer_is_lost_is_looked_for_and_not_repeated() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, namespace, scenario) = behind(cluster);
    proxy.fail(1, EFFECT, Fault::CutAfter);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let first = uid(map(cluster, &namespace));
    assert_eq!(proxy.count(EFFECT), 1, "{:#?}", proxy.seen());
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    assert_eq!(uid(map(cluster, &namespace)), first);

    // Where it did not happen, that is told, and the next run makes it.
    let (proxy, namespace, scenario) = behind(cluster);
    proxy.fail(1, EFFECT, Fault::CutBefore);
    let failed = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert!(failed.stderr.contains("the connection to the API server broke before the answer came"), "{}", failed.all());
    assert_eq!((proxy.count(EFFECT), map(cluster, &namespace)), (1, None));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert!(map(cluster, &namespace).is_some());
}

#[test]
fn retry_after_is_respected() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, _, scenario) = behind(cluster);
    proxy.fail(1, "get /configmaps/m", Fault::Refused(429, Some(2)));
    let start = Instant::now();
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2);
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_eq!(proxy.count("get /configmaps/m"), 2);

    proxy.forget();
    proxy.fail(1, "get /configmaps/m", Fault::Refused(503, Some(3600)));
    let plan = scenario.run(&["plan"]);
    assert!(plan.stdout.contains("it asks to be left alone for 3600 s"), "{}", plan.all());
    assert_eq!(proxy.count("get /configmaps/m"), 1);
}

#[test]
fn tries_end_and_say_what_was_tried() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, _, scenario) = behind(cluster);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    proxy.forget();
    proxy.fail(1, "get /configmaps/m", Fault::CutBefore);
    proxy.fail(9, "get /configmaps/m", Fault::Refused(503, None));
    let plan = scenario.run(&["plan"]);
    for words in
        ["refused by the proxy with 503 (503); tried 6 times in", "before: the connection to the API server broke before the answer came"]
    {
        assert!(plan.stdout.contains(words), "{}", plan.all());
    }
    assert!(plan.stdout.contains("1 could not be observed") && !plan.stdout.contains("deleted outside"), "{}", plan.all());
    assert_eq!(proxy.count("get /configmaps/m"), 6);
}

/// One of two clusters is not there: what lies in it is blocked, all else goes on, and the run says that it is not complete.
#[test]
fn an_unreachable_cluster_blocks_what_lies_in_it_and_nothing_else() {
    let (Some(one), Some(other)) = (apiserver::shared(0), apiserver::shared(1)) else { return };
    let (near, far) = (Proxy::by(one, &one.admin().named("near")), Proxy::by(other, &other.admin().named("far")));
    let (here, there) = (one.namespace(), other.namespace());
    let scenario = scenario(&[(near.access().clone(), &here), (far.access().clone(), &there)]);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    drop(far);
    scenario.replace("main.mesh.hcl", "\"value\"", "\"other\"");
    let plan = scenario.run(&["plan"]).expect_code(0);
    for words in ["? ", "map[\"far\"]", "nothing listens at the API server's address (connection refused)", "tried 3 times"] {
        assert!(plan.stdout.contains(words), "`{words}`: {}", plan.all());
    }
    scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    let value = |cluster, namespace| map(cluster, namespace).unwrap()["data"]["key"].clone();
    assert_eq!((value(one, &here), value(other, &there)), (json!("other"), json!("value")));
}

/// One of two servers takes connections and says nothing on them: it is given up, and all else goes on.
#[test]
fn a_server_that_hangs_is_given_up_and_told() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (admin, namespace) = (cluster.admin(), cluster.namespace());
    // The kernel takes connections that nobody accepts.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hung = Access { server: format!("https://{}", silent.local_addr().unwrap()), ..admin.named("hung") };
    let scenario = scenario(&[(admin.named("near"), &namespace), (hung, "default")]);
    let run = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    for words in ["does not answer (connecting timed out)", "a server that hangs", "tried 3 times"] {
        assert!(run.all().contains(words), "`{words}`: {}", run.all());
    }
    assert!(map(cluster, &namespace).is_some());
}

/// The first plan's words for a way to a cluster, where nothing is known yet.
fn told(access: &Access, namespace: &str) -> String {
    scenario(&[(access.named("c"), namespace)]).run(&["plan"]).all()
}

#[test]
fn what_is_wrong_with_a_way_is_told_each_in_its_own_words() {
    let (Some(cluster), Some(other)) = (apiserver::shared(0), apiserver::shared(1)) else { return };
    let (admin, namespace) = (cluster.admin(), cluster.namespace());
    let by = |credential| admin.by(credential);
    let past = cluster.certificate_user("late", &["system:masters"], Validity::Past);
    let named = Access { server: admin.server.replace("127.0.0.1", "0.0.0.0"), ..admin.clone() };
    let unknown = Access { server: "https://no-such-host.invalid:6443".to_owned(), ..admin.clone() };
    let failing = Credential::Exec {
        command: "sh".to_owned(),
        arguments: ["-c", "echo hunter2; echo 'log in first' >&2; exit 7"].map(Into::into).to_vec(),
    };
    let missing = Credential::Exec { command: "no-such-plugin".to_owned(), arguments: Vec::new() };
    let silent = Credential::Exec { command: "true".to_owned(), arguments: Vec::new() };
    let closed = cluster.user(&cluster.name("closed"), &[]);
    for (access, words) in [
        (Access { authority: other.admin().authority.clone(), ..admin.clone() }, "certificate is not of the CA that the kubeconfig trusts"),
        (named, "certificate is for other names than its address"),
        (unknown, "the API server's host is not known"),
        (
            by(Credential::Token(cluster.default_token(Validity::Past))),
            "does not accept the credentials (401): the token or client certificate is wrong or has expired; log in again",
        ),
        (
            by(Credential::Token("no such token".to_owned())),
            "does not accept the credentials (401): the token or client certificate is wrong or has expired; log in again",
        ),
        (past, "does not accept the credentials (401): the token or client certificate is wrong or has expired; log in again"),
        (by(failing), "its exec plugin `sh` failed (exit status: 7): log in first"),
        (by(missing), "its exec plugin `no-such-plugin` does not start"),
        (by(silent), "its exec plugin `true` printed no `ExecCredential`"),
        (closed, "cannot get resource \"namespaces\""),
    ] {
        let told = told(&access, &namespace);
        assert!(told.contains(words) && !told.contains("hunter2") && !told.contains("tried"), "`{words}`:\n{told}");
    }
}

#[test]
fn a_forbidden_verb_is_named_with_the_user_and_what_would_allow_it() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let namespace = cluster.namespace();
    let rules = [
        json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"] }),
        json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] }),
    ];
    let name = cluster.name("reader");
    let scenario = scenario(&[(cluster.user(&name, &rules).named("c"), &namespace)]);
    let failed = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    for words in [&format!("User \"{name}\" cannot patch resource \"configmaps\""), "a role that allows it has to be bound to that user"] {
        assert!(failed.stderr.contains(words), "{}", failed.all());
    }
}
