//! Ways to a cluster that a kubeconfig describes.

use meshplan_tests::apiserver::access::kubeconfig;
use meshplan_tests::apiserver::{self, Access, ApiServer, Credential, Proxy};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Clusters by context, and what each is.
const CLUSTERS: &str = r#"
variable "contexts" {
  type = list(string)
}
data "kubernetes_cluster" "this" {
  for_each = toset(var.contexts)
  context  = each.key
}
output "uids" {
  value = { for context, cluster in data.kubernetes_cluster.this : context => cluster.uid }
}
"#;

fn reading(contexts: &[&str]) -> Scenario {
    let scenario = Scenario::with(CLUSTERS);
    scenario.write("contexts.auto.vars.hcl", &format!("contexts = {}\n", json!(contexts)));
    scenario
}

/// The uids by context, as applied.
fn uids(scenario: &Scenario) -> Value {
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    serde_json::from_str(&scenario.run(&["output", "--json", "uids"]).expect_code(0).stdout).unwrap()
}

/// A plugin that gives this, and counts how often it was run.
fn plugin(scenario: &Scenario, name: &str, status: &Value) -> Credential {
    let said = json!({ "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status });
    scenario.write(&format!("{name}.json"), &said.to_string());
    let script = format!("cd {}; echo {name} >> runs; cat {name}.json", scenario.path().display());
    Credential::Exec { command: "sh".to_owned(), arguments: vec!["-c".to_owned(), script] }
}

/// The token of a user who may read namespaces.
fn token(cluster: &ApiServer) -> String {
    let rules = [json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] })];
    let Credential::Token(token) = cluster.token_user(&cluster.namespace(), "reader", &rules).credential else { return String::new() };
    token
}

/// A proxy that opens ways to the servers it is asked for, and counts them.
fn tunnel() -> (String, Arc<AtomicUsize>) {
    let (listener, opened) = (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(AtomicUsize::new(0)));
    let (url, count) = (format!("http://{}", listener.local_addr().unwrap()), opened.clone());
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut request = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let asked = request.next().unwrap_or_default();
            request.for_each(drop);
            let Some(mut server) = asked.split(' ').nth(1).and_then(|address| TcpStream::connect(address).ok()) else { continue };
            if !asked.starts_with("CONNECT ") || client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_err() {
                continue;
            }
            count.fetch_add(1, Ordering::SeqCst);
            let (mut back, mut forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back, &mut forth));
            std::thread::spawn(move || std::io::copy(&mut client, &mut server));
        }
    });
    (url, opened)
}

/// A proxy that lets nobody through, with a password in its URL. It ends with the test binary.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://me:word@{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").ok();
        }
    });
    url
}

#[test]
fn a_proxy_that_a_kubeconfig_names_is_gone_through() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let mut scenario = reading(&["far"]);
    scenario.reach(&[cluster.admin().named("far")]);
    let (url, opened) = tunnel();
    let mut config: Value = serde_json::from_str(&scenario.read("kubeconfig")).unwrap();
    config["clusters"][0]["cluster"]["proxy-url"] = url.into();
    scenario.write("kubeconfig", &config.to_string());
    assert_eq!(uids(&scenario), json!({ "far": cluster.uid() }));
    assert!(opened.load(Ordering::SeqCst) > 0, "nothing went through the proxy");
    config["clusters"][0]["cluster"]["proxy-url"] = "http://me:word@127.0.0.1:1".into();
    scenario.write("kubeconfig", &config.to_string());
    let refused = scenario.run(&["plan"]).all();
    let told = "nothing listens at the address of the proxy `http://127.0.0.1:1` on the way to the API server (connection refused)";
    assert!(refused.contains(told) && !refused.contains("word"), "{refused}");
    // The name of one that is nowhere; one that says no; one that the environment names is named as well.
    for (proxy, told) in [
        (
            "http://me:word@proxy.invalid:3128",
            "the host of the proxy `http://proxy.invalid:3128` on the way to the API server is not known",
        ),
        (&*refusing(), "on the way to the API server does not lead there"),
    ] {
        config["clusters"][0]["cluster"]["proxy-url"] = proxy.into();
        scenario.write("kubeconfig", &config.to_string());
        let refused = scenario.run(&["plan"]).all();
        assert!(refused.contains(told) && !refused.contains("word"), "{proxy}: {refused}");
    }
    let elsewhere = Access { server: "https://meshplan.invalid:6443".to_owned(), ..cluster.admin().named("far") };
    scenario.reach(&[elsewhere]);
    scenario.set("HTTPS_PROXY", "http://me:word@127.0.0.1:1");
    let refused = scenario.run(&["plan"]).all();
    assert!(refused.contains("the proxy `http://127.0.0.1:1`") && !refused.contains("word"), "{refused}");
}

#[test]
fn tokens_certificates_and_plugins_open() {
    let (Some(one), Some(two), Some(three)) = (apiserver::shared(0), apiserver::shared(1), apiserver::shared(2)) else { return };
    let mut scenario = reading(&["certificate", "plugin", "token"]);
    let given = token(three);
    let by_plugin = plugin(&scenario, "login", &json!({ "token": token(two) }));
    let by_token = Credential::Token(given.clone());
    scenario.reach(&[
        one.admin().named("certificate"),
        two.admin().named("plugin").by(by_plugin),
        three.admin().named("token").by(by_token),
    ]);
    assert_eq!(uids(&scenario), json!({ "certificate": one.uid(), "plugin": two.uid(), "token": three.uid() }));
    assert_eq!(scenario.read("runs"), "login\n");
    let state = scenario.read("meshplan.state.json");
    assert!(!state.contains(&given) && !state.contains("client-key-data"), "{state}");
}

/// Plugins may give certificates, and tokens that expire while a run lasts; each is run as seldom as that allows.
#[test]
fn plugins_are_run_once_unless_what_they_give_expires() {
    let (Some(one), Some(two)) = (apiserver::shared(0), apiserver::shared(1)) else { return };
    let mut scenario = reading(&["certificate", "expiring"]);
    let admin = one.admin();
    let Credential::Certificate(pair) = &admin.credential else { unreachable!("the admin has a certificate") };
    let certificate = plugin(&scenario, "certificate", &json!({ "clientCertificateData": pair.certificate, "clientKeyData": pair.key }));
    let expiring = plugin(&scenario, "expiring", &json!({ "token": token(two), "expirationTimestamp": "2020-01-01T00:00:00Z" }));
    scenario.reach(&[admin.named("certificate").by(certificate), two.admin().named("expiring").by(expiring)]);
    assert_eq!(uids(&scenario), json!({ "certificate": one.uid(), "expiring": two.uid() }));
    let runs = |name: &str| scenario.read("runs").lines().filter(|line| *line == name).count();
    assert_eq!(runs("certificate"), 1);
    assert_eq!(runs("expiring"), 1 + 2, "for the client, and for each of its requests");
}

#[test]
fn several_files_are_one_kubeconfig() {
    let (Some(one), Some(two)) = (apiserver::shared(0), apiserver::shared(1)) else { return };
    let scenario = reading(&["a", "b"]);
    scenario.write("empty", "");
    scenario.write("first", &one.admin().named("a").kubeconfig());
    // The first file that has a name counts.
    scenario.write("second", &kubeconfig(&[two.admin().named("b"), two.admin().named("a")]));
    let files = ["empty", "missing", "first", "second"].map(|name| scenario.path().join(name).display().to_string());
    let mut world = scenario.world("");
    world.environment.insert("KUBECONFIG".to_owned(), files.join(":"));
    world.registry = meshplan::registry_maker(scenario.path(), &world.environment);
    Scenario::run_in(world, &["apply", "--auto-approve"]).expect_code(0);
    let found: Value = serde_json::from_str(&scenario.run(&["output", "--json", "uids"]).expect_code(0).stdout).unwrap();
    assert_eq!(found, json!({ "a": one.uid(), "b": two.uid() }));
}

#[test]
fn files_that_a_kubeconfig_names_lie_beside_it() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let mut scenario = reading(&["beside"]);
    let admin = cluster.admin();
    let Credential::Certificate(pair) = &admin.credential else { unreachable!("the admin has a certificate") };
    scenario.write("ways/ca.crt", admin.authority.as_ref().unwrap());
    scenario.write("ways/admin.crt", &pair.certificate);
    scenario.write("ways/admin.key", &pair.key);
    let config = json!({ "apiVersion": "v1", "kind": "Config",
        "clusters": [{ "name": "c", "cluster": { "server": admin.server, "certificate-authority": "ca.crt" } }],
        "contexts": [{ "name": "beside", "context": { "cluster": "c", "user": "u" } }],
        "users": [{ "name": "u", "user": { "client-certificate": "admin.crt", "client-key": "admin.key" } }] });
    scenario.reach(&[]);
    scenario.write("ways/config", &config.to_string());
    scenario.replace("main.mesh.hcl", "context  = each.key", "context = each.key\n  kubeconfig = \"${path.module}/ways/config\"");
    assert_eq!(uids(&scenario), json!({ "beside": cluster.uid() }));
}

#[test]
fn two_contexts_of_one_cluster_are_an_error_that_names_both() {
    let (Some(cluster), Some(other)) = (apiserver::shared(0), apiserver::shared(1)) else { return };
    let mut scenario = reading(&["a", "b", "c"]);
    let again = cluster.user(&cluster.name("again"), &[json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] })]);
    scenario.reach(&[cluster.admin().named("a"), again.named("b"), other.admin().named("c")]);
    let plan = scenario.run(&["plan"]).expect_code(1);
    for words in ["one cluster twice", "context `a`", "context `b`", &cluster.uid()] {
        assert!(plan.stderr.contains(words), "`{words}`: {}", plan.all());
    }
    assert!(!plan.stderr.contains("context `c`"), "{}", plan.all());
    // Views with uids of their own are clusters of their own, and one context read in two places is one cluster.
    let (one, two) = (Proxy::apart(cluster, "a"), Proxy::apart(cluster, "b"));
    scenario.reach(&[one.access().clone(), two.access().clone(), other.admin().named("c")]);
    let more = scenario.read("main.mesh.hcl") + "data \"kubernetes_cluster\" \"same\" {\n  context = \"a\"\n}\n";
    scenario.write("main.mesh.hcl", &more);
    assert_eq!(uids(&scenario), json!({ "a": format!("{}-a", cluster.uid()), "b": format!("{}-b", cluster.uid()), "c": other.uid() }));
}
