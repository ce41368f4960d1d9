//! The clusters that the other topics use are what they are taken for.

use meshplan_tests::apiserver::authority::Validity;
use meshplan_tests::apiserver::webhook::{Behaviour, Registration, Webhook};
use meshplan_tests::apiserver::{self, Access, Api, ApiServer, Credential, Fault, Proxy};
use serde_json::{Value, json};
use std::process::Output;
use std::time::{Duration, Instant};

fn config_map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "key": "value" } })
}

/// What a command printed.
fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_cluster_answers_and_knows_its_version() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let version = cluster.api().get("/version").unwrap();
    assert!(version["gitVersion"].as_str().unwrap().starts_with("v1."), "{version:#}");
    let namespace = cluster.namespace();
    let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    cluster.api().make(&maps, &config_map("a"));
    let seen = cluster.kubectl(&["get", "configmap", "a", "-n", &namespace, "-o", "jsonpath={.data.key}"]);
    assert_eq!(stdout(seen), "value");
}

#[test]
fn two_clusters_are_two() {
    let (Some(one), Some(other)) = (apiserver::shared(0), apiserver::shared(1)) else { return };
    assert_ne!(one.uid(), other.uid());
    // Neither knows the other's users, nor trusts its certificate.
    let stranger = Access { credential: one.admin().credential.clone(), ..other.admin().clone() };
    assert_eq!(Api::by(&stranger).call("GET", "/api/v1/namespaces", None).code, 401);
    let mistaken = Access { authority: one.admin().authority.clone(), ..other.admin().clone() };
    let refused = Api::by(&mistaken).try_send("GET", "/api/v1/namespaces", "application/json", String::new());
    assert!(refused.is_err(), "{refused:?}");
}

#[test]
fn users_may_do_what_their_rules_say() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let namespace = cluster.namespace();
    let rules = [json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"] })];
    let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    let certificate = cluster.user(&cluster.name("viewer"), &rules);
    let token = cluster.token_user(&namespace, "viewer", &rules);
    for viewer in [certificate, token] {
        let api = Api::by(&viewer);
        assert_eq!(api.call("GET", &maps, None).code, 200);
        let refused = api.call("POST", &maps, Some(&config_map("a")));
        assert_eq!((refused.code.as_u16(), refused.reason()), (403, "Forbidden"));
    }
}

#[test]
fn credentials_that_are_wrong_do_not_open() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let past = cluster.certificate_user("late", &["system:masters"], Validity::Past);
    let expired = cluster.admin().by(Credential::Token(cluster.default_token(Validity::Past)));
    let unknown = cluster.admin().by(Credential::Token("no such token".to_owned()));
    for access in [past, expired, unknown] {
        assert_eq!(Api::by(&access).call("GET", "/api/v1/namespaces", None).code, 401);
    }
    let nobody = cluster.admin().by(Credential::Nothing);
    assert_eq!(Api::by(&nobody).call("GET", "/api/v1/namespaces", None).code, 403);
}

#[test]
fn tokens_open_while_they_are_good() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let namespace = cluster.namespace();
    let bound = cluster.token_user(&namespace, "reader", &[]);
    // The same as the one that is refused but for its time: so that is what is wrong with that one.
    let signed = cluster.admin().by(Credential::Token(cluster.default_token(Validity::Current)));
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    for (access, user) in [(bound, format!("{namespace}:reader")), (signed, "default:default".to_owned())] {
        let seen = Api::by(&access).call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", Some(&review)).done();
        assert_eq!(seen["status"]["userInfo"]["username"], format!("system:serviceaccount:{user}"));
    }
}

#[test]
fn controllers_fill_tokens_and_empty_namespaces() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace());
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    let metadata = json!({ "name": "token", "annotations": { "kubernetes.io/service-account.name": "default" } });
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": metadata });
    api.make(&secrets, &secret);
    api.wait(&format!("{secrets}/token"), |secret| secret["data"]["token"].is_string() && secret["data"]["ca.crt"].is_string());
    api.delete(&format!("/api/v1/namespaces/{namespace}"));
    api.wait(&format!("/api/v1/namespaces/{namespace}"), Value::is_null);
    assert_eq!(api.get(&format!("{secrets}/token")), None);
}

#[test]
fn a_server_is_stopped_and_comes_back_as_it_was() {
    let Some(components) = apiserver::required() else { return };
    let cluster = ApiServer::start_without_controllers(&components, "alone");
    let before = cluster.uid();
    let asked = || cluster.api().try_send("GET", "/api/v1/namespaces/default", "application/json", String::new());
    cluster.stop();
    assert!(asked().is_err());
    cluster.start_again();
    assert_eq!(cluster.uid(), before);
}

#[test]
fn a_cluster_that_is_dropped_leaves_nothing() {
    let Some(components) = apiserver::required() else { return };
    let cluster = ApiServer::start_without_controllers(&components, "short");
    let (address, directory) = (cluster.admin().server.replace("https://", ""), cluster.directory().to_owned());
    assert!(std::net::TcpStream::connect(&address).is_ok() && directory.exists());
    drop(cluster);
    assert!(std::net::TcpStream::connect(&address).is_err() && !directory.exists());
}

#[test]
fn a_proxy_counts_delays_and_fails() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, namespace) = (Proxy::of(cluster), cluster.namespace());
    let api = Api::by(proxy.access());
    let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    api.make(&maps, &config_map("a"));
    assert_eq!(api.get(&maps).unwrap()["items"].as_array().unwrap().len(), 2, "kube-root-ca.crt and a");
    assert_eq!((proxy.count("create /configmaps"), proxy.count("list"), proxy.count("* /"), proxy.seen().len()), (1, 1, 2, 2));
    proxy.forget();

    // What is armed later comes after, and is for its pattern only.
    proxy.fail(1, "get /configmaps/a", Fault::Refused(429, Some(7)));
    proxy.fail(1, "get", Fault::Refused(503, None));
    let object = format!("{maps}/a");
    let codes = [(); 3].map(|()| api.call("GET", &object, None));
    assert_eq!(
        codes.each_ref().map(|answer| (answer.code.as_u16(), answer.reason())),
        [(429, "TooManyRequests"), (503, "ServiceUnavailable"), (200, "")]
    );
    assert_eq!(codes[0].body["details"]["retryAfterSeconds"], 7);
    assert_eq!(proxy.count("get"), 3);

    proxy.fail(1, "apply", Fault::Answered(400, json!({ "message": "as told" })));
    let applied = api.send("PATCH", &format!("{object}?fieldManager=m"), "application/apply-patch+yaml", config_map("a").to_string());
    assert_eq!((applied.code.as_u16(), &applied.body["message"]), (400, &json!("as told")));

    let asked = |method: &str, path: &str| api.try_send(method, path, "application/json", String::new());
    proxy.fail(1, "delete", Fault::CutBefore);
    assert!(asked("DELETE", &object).is_err() && cluster.api().get(&object).is_some());
    proxy.fail(1, "list", Fault::CutWithin);
    assert!(asked("GET", &maps).is_err() && asked("GET", &maps).is_ok());
    proxy.fail(1, "delete", Fault::CutAfter);
    assert!(asked("DELETE", &object).is_err() && cluster.api().get(&object).is_none());

    let taken = |wait: &dyn Fn()| {
        wait();
        let start = Instant::now();
        assert!(asked("GET", &maps).is_ok());
        start.elapsed()
    };
    let wait = Duration::from_millis(300);
    assert!(taken(&|| proxy.fail(1, "list", Fault::Slow(wait))) >= wait);
    assert!(taken(&|| proxy.delay(wait)) >= wait);
    proxy.delay(Duration::ZERO);
    proxy.fail(9, "*", Fault::CutBefore);
    proxy.mend();
    assert!(asked("GET", &maps).is_ok());
}

/// Events of a watch come as they happen, and the end of the proxy ends it.
#[test]
fn a_proxy_passes_watches_on() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let (proxy, namespace) = (Proxy::of(cluster), cluster.namespace());
    let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    let watching = std::thread::spawn({
        let (api, path) = (Api::by(proxy.access()), format!("{maps}?watch=true&timeoutSeconds=30"));
        move || api.try_send("GET", &path, "application/json", String::new())
    });
    let start = Instant::now();
    while proxy.count("watch") == 0 {
        assert!(start.elapsed() < Duration::from_secs(10), "no watch came");
        std::thread::sleep(Duration::from_millis(10));
    }
    cluster.api().make(&maps, &config_map("seen"));
    drop(proxy);
    assert!(watching.join().unwrap().is_err(), "a watch through a proxy that is gone goes on");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_webhook_does_as_it_is_told() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let namespace = cluster.namespace();
    let maps = format!("/api/v1/namespaces/{namespace}/configmaps");
    let make = |name: &str, dry: &str| cluster.api().call("POST", &format!("{maps}{dry}"), Some(&config_map(name)));

    let mut webhook = Webhook::start(cluster, &Registration::validating(&namespace, "configmaps"), Behaviour::Allow);
    assert_eq!(make("allowed", "").code, 201);
    assert_eq!(webhook.reviews().iter().map(|review| &review["name"]).collect::<Vec<_>>(), ["allowed"]);
    webhook.behave(Behaviour::Reject("not on Sundays".to_owned()));
    for dry in ["", "?dryRun=All"] {
        let refused = make("refused", dry);
        assert!(refused.code == 403 && refused.body["message"].as_str().unwrap().contains("not on Sundays"), "{refused:?}");
    }
    webhook.behave(Behaviour::Break);
    assert_eq!(make("broken", "").code, 500);
    webhook.behave(Behaviour::Allow);
    webhook.go_down();
    let down = make("down", "");
    assert!(down.code == 500 && down.body["message"].as_str().unwrap().contains("failed calling webhook"), "{down:?}");
    drop(webhook);

    let mutating = Registration::mutating(&namespace, "configmaps");
    let patch = json!([{ "op": "add", "path": "/data/added", "value": "by the webhook" }]);
    let webhook = Webhook::start(cluster, &mutating, Behaviour::Patch(patch));
    assert_eq!(make("patched", "").done()["data"], json!({ "added": "by the webhook", "key": "value" }));
    drop(webhook);

    let real_effects = Registration { side_effects: "NoneOnDryRun", ..Registration::validating(&namespace, "configmaps") };
    let webhook = Webhook::start(cluster, &real_effects, Behaviour::RejectDryRuns("no rehearsals".to_owned()));
    assert_eq!((make("dry", "?dryRun=All").code.as_u16(), make("wet", "").code.as_u16()), (403, 201));
    assert_eq!(webhook.reviews().len(), 2);
}
