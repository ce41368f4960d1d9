//! The clusters that the other topics use are what they are taken for.

use meshplan_tests::apiserver::authority::Validity;
use meshplan_tests::apiserver::{self, Access, Api, ApiServer, Credential};
use serde_json::{Value, json};
use std::process::Output;

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
    assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("36")));
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
