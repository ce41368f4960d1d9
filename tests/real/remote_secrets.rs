//! Remote secrets between real clusters: what their tokens may do, how long they are good, and how they are rotated.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use meshplan_tests::apiserver::{self, Access, Api, ApiServer, Credential, Fault, Proxy};
use meshplan_tests::istioctl::Istioctl;
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A mesh without workloads: in every cluster a control plane that is a `ConfigMap`, a reader, and the secrets of all others' readers.
const MESH: &str = r#"
variable "namespace" {
  type = string
}
variable "clusters" {
  type    = set(string)
  default = ["c1", "c2", "c3"]
}
variable "generations" {
  type    = map(number)
  default = {}
}
locals {
  pairs = {
    for pair in setproduct(var.clusters, var.clusters) :
    "${pair[0]}-in-${pair[1]}" => { reader = pair[0], peer = pair[1] } if pair[0] != pair[1]
  }
}
data "kubernetes_cluster" "this" {
  for_each = var.clusters
  context  = each.key
}
resource "kubernetes_namespace" "system" {
  for_each = var.clusters
  cluster  = data.kubernetes_cluster.this[each.key]
  name     = var.namespace
  labels   = { "topology.istio.io/network" = "network-${each.key}" }
}
resource "istio_operator" "primary" {
  for_each     = var.clusters
  cluster      = data.kubernetes_cluster.this[each.key]
  namespace    = kubernetes_namespace.system[each.key].name
  installer    = "manifests"
  mesh_id      = "mesh1"
  cluster_name = each.key
  network      = "network-${each.key}"
  content      = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: istio, namespace: ${var.namespace} }\ndata: { mesh: '{}' }\n"
}
resource "istio_remote_reader" "this" {
  for_each         = var.clusters
  control_plane    = istio_operator.primary[each.key]
  token_generation = lookup(var.generations, each.key, null)
}
resource "istio_remote_secret" "this" {
  for_each  = local.pairs
  cluster   = data.kubernetes_cluster.this[each.value.peer]
  namespace = kubernetes_namespace.system[each.value.peer].name
  reader    = istio_remote_reader.this[each.value.reader]
}
"#;

const TOKEN: &str = "istio-reader-service-account-istio-remote-secret-token";

/// A mesh over three shared clusters, in a namespace of its own.
struct Mesh {
    scenario: Scenario,
    namespace: String,
    clusters: [&'static ApiServer; 3],
}

impl Mesh {
    /// The mesh, applied; nothing where the programs are missing.
    fn applied() -> Option<Self> {
        let clusters = [apiserver::shared(0)?, apiserver::shared(1)?, apiserver::shared(2)?];
        let namespace = clusters[0].name("mesh");
        let mut scenario = Scenario::with(MESH);
        scenario.reach(&clusters.map(|cluster| cluster.admin().clone()));
        scenario.write("namespace.auto.vars.hcl", &format!("namespace = \"{namespace}\"\n"));
        let mesh = Self { scenario, namespace, clusters };
        mesh.apply(&[]).expect_code(0);
        mesh.scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
        Some(mesh)
    }

    fn apply(&self, more: &[&str]) -> Output {
        self.scenario.run(&[&["apply", "--auto-approve", "--json"][..], more].concat())
    }

    fn of(&self, name: &str) -> &'static ApiServer {
        self.clusters.into_iter().find(|cluster| cluster.admin().name == name).unwrap()
    }

    /// The token by which one cluster's istiod would read another.
    fn token(&self, reader: &str, peer: &str) -> Option<String> {
        let path = format!("/api/v1/namespaces/{}/secrets/istio-remote-secret-{reader}", self.namespace);
        let secret = self.of(peer).api().get(&path)?;
        let kubeconfig = String::from_utf8(BASE64_STANDARD.decode(secret["data"][reader].as_str()?).ok()?).ok()?;
        assert!(kubeconfig.contains(&self.of(reader).admin().server), "{reader} in {peer}");
        Some(kubeconfig.split_once("token: ")?.1.split_whitespace().next()?.to_owned())
    }

    /// The tokens of all ordered pairs of these clusters.
    fn tokens(&self, names: &[&str]) -> Vec<Option<String>> {
        let pairs = names.iter().flat_map(|reader| names.iter().filter(move |peer| *peer != reader).map(move |peer| (reader, peer)));
        pairs.map(|(reader, peer)| self.token(reader, peer)).collect()
    }

    fn by(&self, cluster: &str, token: &str) -> Api {
        let admin: &Access = self.of(cluster).admin();
        Api::by(&admin.by(Credential::Token(token.to_owned())))
    }

    /// Whether a cluster takes a token, waiting a while for what is expected: servers remember what they answered for some seconds.
    fn takes(&self, cluster: &str, token: &str, expected: bool) -> bool {
        let (api, deadline) = (self.by(cluster, token), Instant::now() + Duration::from_secs(30));
        loop {
            let listed = api.call("GET", &format!("/api/v1/namespaces/{}/secrets", self.namespace), None).code == 200;
            if listed == expected || Instant::now() > deadline {
                return listed;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Waits are left out: they end when they may.
fn finished(output: &Output) -> Vec<String> {
    let events = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let finished = events.filter(|event| event["event"] == "finished" && event["action"] != "settle");
    finished.map(|event| format!("{} {}", event["action"].as_str().unwrap(), event["address"].as_str().unwrap())).collect()
}

/// What istiod does with the token: group, resources, verbs.
const RIGHTS: [(&str, &[&str], &[&str]); 16] = [
    ("authentication.istio.io", &["*"], &["get", "list", "watch"]),
    ("config.istio.io", &["*"], &["get", "list", "watch"]),
    ("extensions.istio.io", &["*"], &["get", "list", "watch"]),
    ("networking.istio.io", &["*"], &["get", "list", "watch"]),
    ("rbac.istio.io", &["*"], &["get", "list", "watch"]),
    ("security.istio.io", &["*"], &["get", "list", "watch"]),
    ("telemetry.istio.io", &["*"], &["get", "list", "watch"]),
    (
        "",
        &["configmaps", "endpoints", "namespaces", "nodes", "pods", "replicationcontrollers", "secrets", "services"],
        &["get", "list", "watch"],
    ),
    ("gateway.networking.k8s.io", &["gateways"], &["get", "list", "watch"]),
    ("networking.x-k8s.io", &["gateways"], &["get", "list", "watch"]),
    ("apiextensions.k8s.io", &["customresourcedefinitions"], &["get", "list", "watch"]),
    ("discovery.k8s.io", &["endpointslices"], &["get", "list", "watch"]),
    ("multicluster.x-k8s.io", &["serviceexports"], &["get", "list", "watch", "create", "delete"]),
    ("multicluster.x-k8s.io", &["serviceimports"], &["get", "list", "watch"]),
    ("apps", &["replicasets"], &["get", "list", "watch"]),
    ("authentication.k8s.io", &["tokenreviews"], &["create"]),
];

/// What it must not be able to do, whatever else it may.
const WRONGS: [(&str, &str, &str); 16] = [
    ("", "configmaps", "create"),
    ("", "secrets", "create"),
    ("", "secrets", "update"),
    ("", "secrets", "delete"),
    ("", "pods", "create"),
    ("", "pods", "delete"),
    ("", "nodes", "update"),
    ("", "namespaces", "create"),
    ("", "serviceaccounts", "impersonate"),
    ("", "users", "impersonate"),
    ("apps", "deployments", "get"),
    ("networking.istio.io", "virtualservices", "create"),
    ("security.istio.io", "authorizationpolicies", "delete"),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "create"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"),
    ("multicluster.x-k8s.io", "serviceimports", "create"),
];

#[test]
fn a_token_may_do_what_istiod_does_with_it_and_nothing_else() {
    let Some(mesh) = Mesh::applied() else { return };
    let token = mesh.token("c1", "c2").unwrap();
    let api = mesh.by("c1", &token);
    let may = |group: &str, resource: &str, verb: &str| {
        let attributes = json!({ "group": group, "resource": resource, "verb": verb });
        let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": { "resourceAttributes": attributes } });
        let answer = api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Some(&review)).done();
        answer["status"]["allowed"] == true
    };
    let mut rights: BTreeSet<(String, String, String)> = BTreeSet::new();
    let reviews: (&str, &[&str], &[&str]) = ("authorization.k8s.io", &["subjectaccessreviews"], &["create"]);
    for (group, resources, verbs) in RIGHTS.into_iter().chain([reviews]) {
        for resource in resources {
            for verb in verbs {
                assert!(may(group, resource, verb), "{verb} {resource}.{group}");
                rights.insert((group.to_owned(), (*resource).to_owned(), (*verb).to_owned()));
            }
        }
    }
    for (group, resource, verb) in WRONGS {
        assert!(!may(group, resource, verb), "{verb} {resource}.{group}");
    }

    // All rights there are, but for those that everybody has: to ask who one is and what one may.
    let review =
        json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": { "namespace": mesh.namespace } });
    let answer = api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", Some(&review)).done();
    let texts = |rule: &Value, part: &str| -> Vec<String> {
        rule[part].as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for rule in answer["status"]["resourceRules"].as_array().unwrap() {
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources").iter().filter(|resource| !resource.starts_with("selfsubject")) {
                all.extend(texts(rule, "verbs").into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
            }
        }
    }
    assert_eq!(all, rights);

    // It is the reader of the one cluster, and nobody in the others.
    assert!(!mesh.takes("c2", &token, false));
    assert_eq!(mesh.by("c2", &token).call("GET", "/api/v1/namespaces", None).code, 401);
}

#[test]
fn a_secret_is_what_istioctl_makes_for_the_same_account() {
    let (Some(istioctl), Some(mesh)) = (Istioctl::find(), Mesh::applied()) else { return };
    let kubeconfig = mesh.of("c1").directory().join("admin.kubeconfig").display().to_string();
    let words = ["create-remote-secret", "--name", "c1", "--kubeconfig", &kubeconfig, "--istioNamespace", &mesh.namespace];
    let told = istioctl.tell(&[&words[..], &["--create-service-account=false"]].concat());
    let made = kubernetes::parse_yaml(&told).unwrap().remove(0).to_json().unwrap();
    let path = format!("/api/v1/namespaces/{}/secrets/istio-remote-secret-c1", mesh.namespace);
    let ours = mesh.of("c2").api().get(&path).unwrap();
    for part in ["name", "namespace", "labels", "annotations"] {
        assert_eq!(made["metadata"][part], ours["metadata"][part], "{part}");
    }
    assert_eq!((&made["kind"], &made["apiVersion"]), (&ours["kind"], &ours["apiVersion"]));
    let text = |secret: &Value| match secret["stringData"]["c1"].as_str() {
        Some(text) => text.to_owned(),
        None => String::from_utf8(BASE64_STANDARD.decode(secret["data"]["c1"].as_str().unwrap()).unwrap()).unwrap(),
    };
    // Its token is that of the account's Secret, which both find by its name.
    assert_eq!(text(&made), text(&ours));
    // Nothing was changed by asking.
    mesh.scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn an_account_that_istioctl_makes_may_do_what_ours_may() {
    let (Some(istioctl), Some(mesh)) = (Istioctl::find(), Mesh::applied()) else { return };
    let (cluster, theirs) = (mesh.of("c1"), mesh.of("c1").namespace());
    let kubeconfig = cluster.directory().join("admin.kubeconfig").display().to_string();
    istioctl.tell(&["create-remote-secret", "--name", "c1", "--kubeconfig", &kubeconfig, "--istioNamespace", &theirs]);
    let rules = |namespace: &str| {
        let name = format!("istio-reader-clusterrole-{namespace}");
        let role = cluster.api().get(&format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}")).unwrap();
        let mut granted = BTreeSet::new();
        for rule in role["rules"].as_array().unwrap() {
            let texts = |part: &str| rule[part].as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned());
            for group in texts("apiGroups") {
                for resource in texts("resources") {
                    granted.extend(texts("verbs").map(|verb| format!("{verb} {resource}.{group}")));
                }
            }
        }
        // One kind of a group says nothing beside all of them.
        let all = granted.clone();
        granted.retain(|right| {
            let (what, group) = right.split_once('.').unwrap();
            let (verb, resource) = what.split_once(' ').unwrap();
            resource == "*" || !all.contains(&format!("{verb} *.{group}"))
        });
        granted
    };
    assert_eq!(rules(&theirs), rules(&mesh.namespace));
}

#[test]
fn tokens_stay_until_they_are_rotated_new_first_peers_next_old_last() {
    let Some(mesh) = Mesh::applied() else { return };
    let all = ["c1", "c2", "c3"];
    let before = mesh.tokens(&all);
    mesh.apply(&[]).expect_code(0);
    // What changes beside the token leaves the token.
    mesh.scenario.replace("main.mesh.hcl", "\"network-${each.key}\" }", "\"other-${each.key}\" }");
    assert_eq!(finished(&mesh.apply(&[]).expect_code(0)).len(), 3);
    assert_eq!(mesh.tokens(&all), before);
    let old = mesh.token("c1", "c2").unwrap();
    assert!(mesh.takes("c1", &old, true));

    let rotated = ["--var", "generations={ c1 = 2 }"];
    let reader = "istio_remote_reader.this[\"c1\"]";
    let secret = format!("{reader}/Secret/{}/{TOKEN}", mesh.namespace);
    let happened = finished(&mesh.apply(&rotated).expect_code(0));
    assert_eq!(happened[..2], [format!("create {secret}-2"), format!("update {reader}")], "{happened:#?}");
    let peers: BTreeSet<_> = happened[2..4].iter().map(String::as_str).collect();
    assert_eq!(peers, BTreeSet::from(["update istio_remote_secret.this[\"c1-in-c2\"]", "update istio_remote_secret.this[\"c1-in-c3\"]"]));
    assert_eq!(happened[4..], [format!("delete {secret}")]);
    let new = mesh.token("c1", "c2").unwrap();
    assert!(new != old && mesh.token("c1", "c3").as_ref() == Some(&new));
    assert!(mesh.takes("c1", &new, true) && !mesh.takes("c1", &old, false));
    // Those of the others are as they were.
    assert_eq!((mesh.token("c2", "c1"), mesh.token("c3", "c2")), (before[2].clone(), before[5].clone()));
    mesh.scenario.run(&[&["plan", "--detailed-exitcode"][..], &rotated].concat()).expect_code(0);
}

#[test]
fn an_old_token_stays_while_a_peer_cannot_be_told() {
    let Some(mut mesh) = Mesh::applied() else { return };
    let old = mesh.token("c1", "c3").unwrap();
    let proxy = Proxy::of(mesh.of("c3"));
    let ways = [mesh.of("c1").admin().clone(), mesh.of("c2").admin().clone(), proxy.access().named("c3")];
    mesh.scenario.reach(&ways);
    mesh.apply(&[]).expect_code(0);
    proxy.fail(usize::MAX, "*", Fault::CutBefore);
    let rotated = ["--var", "generations={ c1 = 2 }"];
    let output = mesh.apply(&rotated).expect_code(1);
    assert!(!finished(&output).iter().any(|step| step.starts_with("delete")), "{:#?}", finished(&output));
    let new = mesh.token("c1", "c2").unwrap();
    assert!(new != old && mesh.takes("c1", &new, true), "the peer that answers has the new one");
    assert_eq!(mesh.token("c1", "c3"), Some(old.clone()));
    assert!(mesh.takes("c1", &old, true), "the one that does not still reads by the old one");
    proxy.mend();
    mesh.apply(&rotated).expect_code(0);
    assert_eq!(mesh.token("c1", "c3"), Some(new));
    assert!(!mesh.takes("c1", &old, false));
    mesh.scenario.run(&[&["plan", "--detailed-exitcode"][..], &rotated].concat()).expect_code(0);
}

#[test]
fn a_peer_that_goes_leaves_the_tokens_of_the_others() {
    let Some(mesh) = Mesh::applied() else { return };
    let (rest, gone) = (["c1", "c2"], mesh.token("c3", "c1").unwrap());
    let before = mesh.tokens(&rest);
    assert!(mesh.takes("c3", &gone, true));
    let two = ["--var", "clusters=[\"c1\", \"c2\"]"];
    let happened = finished(&mesh.apply(&two).expect_code(0));
    assert!(happened.iter().all(|step| step.starts_with("delete ") && step.contains("c3")), "{happened:#?}");
    // Its cluster stays, and only leaves the mesh: no block describes it any more. Peers lose what reads it first, then its own things go.
    let at = |step: &str| happened.iter().position(|done| done.starts_with(step)).unwrap_or_else(|| panic!("{step}: {happened:#?}"));
    let reader = at("delete istio_remote_reader.this[\"c3\"]/");
    for peer in ["c1", "c2"] {
        assert!(at(&format!("delete istio_remote_secret.this[\"c3-in-{peer}\"]")) < reader, "{happened:#?}");
    }
    assert!(reader < at("delete kubernetes_namespace.system[\"c3\"]"), "{happened:#?}");
    assert!(mesh.of("c3").api().get(&format!("/api/v1/namespaces/{}", mesh.namespace)).is_none());
    assert_eq!(mesh.scenario.state()["places"].as_array().unwrap().len(), 2);
    assert_eq!(mesh.tokens(&rest), before);
    for (reader, peer) in [("c1", "c2"), ("c2", "c1")] {
        assert!(mesh.takes(reader, &mesh.token(reader, peer).unwrap(), true), "{reader} in {peer}");
    }
    assert_eq!((mesh.token("c3", "c1"), mesh.token("c1", "c3")), (None, None));
    assert!(!mesh.takes("c3", &gone, false));
    mesh.scenario.run(&[&["plan", "--detailed-exitcode"][..], &two].concat()).expect_code(0);
}
