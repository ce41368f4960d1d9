//! A mesh whose control planes are real istiods: that they read each other, know each other's gateways, sign under the root of the
//! configuration, leave plans in peace, and that checks tell what is wrong with them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use meshplan::World;
use meshplan_tests::apiserver::{self, Api, ApiServer, Cast, StandIns};
use meshplan_tests::istioctl::Istioctl;
use meshplan_tests::istiod::Node;
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

const MESH: &str = r#"
provider "istio" {
  istioctl = "ISTIOCTL"
}
variable "clusters" {
  type = set(string)
}
variable "ca" {
  type    = object({ generations = list(string), signing = string })
  default = null
}
variable "tokens" {
  type    = map(number)
  default = {}
}
variable "intermediates" {
  type    = map(number)
  default = {}
}
data "kubernetes_cluster" "this" {
  for_each = var.clusters
  context  = each.key
}
module "mesh" {
  source                   = "builtin:multi-primary"
  istio_version            = "1.31.0"
  clusters                 = { for name, cluster in data.kubernetes_cluster.this : name => { cluster = cluster, network = "network-${name}" } }
  ca                       = var.ca
  token_generations        = var.tokens
  intermediate_generations = var.intermediates
}
module "sample" {
  source     = "builtin:helloworld"
  clusters   = { for name, cluster in data.kubernetes_cluster.this : name => { cluster = cluster } }
  depends_on = [module.mesh]
}
check "read" {
  data "istio_remote_clusters" "mesh" {
    clusters = data.kubernetes_cluster.this
  }
  assert {
    condition     = length(data.istio_remote_clusters.mesh.unsynced) == 0
    error_message = join("; ", data.istio_remote_clusters.mesh.unsynced)
  }
}
check "trusted" {
  data "certificate_compare" "mesh" {
    clusters  = data.kubernetes_cluster.this
    from      = "istio-ca-root-cert"
    namespace = "default"
  }
  assert {
    condition     = data.certificate_compare.mesh.equal
    error_message = jsonencode(data.certificate_compare.mesh.roots)
  }
}
output "root" {
  value = module.mesh.root_certificate
}
output "gateways" {
  value = module.mesh.gateways
}
output "intermediates" {
  value = module.mesh.intermediates
}
"#;

/// How long anything may take that istiod does by itself.
const PATIENCE: Duration = Duration::from_secs(90);

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
const SYSTEM: &str = "/api/v1/namespaces/istio-system";

/// Clusters with stand-ins for everything but istiod, which is real, and a mesh over them. What is first ends first.
struct Mesh {
    nodes: Vec<Node>,
    _stand_ins: Vec<StandIns>,
    clusters: Vec<ApiServer>,
    scenario: Scenario,
    istioctl: Istioctl,
}

impl Mesh {
    /// The mesh, applied; nothing where programs are missing.
    fn applied(names: &[&str]) -> Option<Self> {
        let (components, istioctl) = (apiserver::required()?, Istioctl::find()?);
        if !Node::can_be_had() {
            return None;
        }
        let start = |(number, name): (usize, &str)| {
            let cluster = ApiServer::start_with_egress(&components, name);
            let (one, other) = (format!("{name}-a"), format!("{name}-b"));
            let cast = Cast { nodes: &[&one, &other], pool: &format!("198.18.{}.0/28", 200 + number) };
            (StandIns::start_beside_istiods(&cluster, &cast), cluster)
        };
        let (stand_ins, clusters): (Vec<_>, Vec<_>) = std::thread::scope(|scope| {
            let starting: Vec<_> = names.iter().enumerate().map(|(number, name)| scope.spawn(move || start((number, name)))).collect();
            starting.into_iter().map(|started| started.join().unwrap()).unzip()
        });
        let nodes = Node::start(&istioctl.beside("pilot-discovery"), &clusters);
        let mut scenario = Scenario::with(&MESH.replace("ISTIOCTL", &istioctl.path().display().to_string()));
        scenario.reach(&clusters.iter().map(|cluster| cluster.admin().clone()).collect::<Vec<_>>());
        let mesh = Self { nodes, _stand_ins: stand_ins, clusters, scenario, istioctl };
        mesh.of(&format!("clusters = {}", json!(names)));
        mesh.apply();
        Some(mesh)
    }

    /// Writes values of the variables in place of those that were written before.
    fn of(&self, values: &str) {
        self.scenario.write("mesh.auto.vars.hcl", &format!("{values}\n"));
    }

    /// Runs a command line by the clock of the machine, by which istiod judges certificates.
    fn run(&self, words: &[&str], code: u8) -> Output {
        Scenario::run_in(self.world(), words).expect_code(code)
    }

    fn world(&self) -> World {
        World { machine: meshplan::real_world().machine, ..self.scenario.world("") }
    }

    /// Applies, and finds nothing left to do.
    fn apply(&self) {
        self.run(&["apply", "--auto-approve"], 0);
        self.assert_quiet();
    }

    fn assert_quiet(&self) {
        self.run(&["plan", "--detailed-exitcode"], 0);
    }

    /// Checks pass, soon at least.
    fn assert_checked(&self) {
        // The application is asked in pods that no node runs.
        let output = self.run(&["check", "--timeout", "90s"], 4);
        assert!(output.stdout.ends_with("\n2 passed, 0 failed, 1 not run.\n"), "{}", output.all());
    }

    /// Checks fail, soon at least, with these words of the check that asks istiods.
    fn assert_told(&self, words: &str) {
        self.until(words, || {
            let told = Scenario::run_in(self.world(), &["check", "--timeout", "0s"]).stdout;
            let line = told.lines().find(|line| line.starts_with("check.read ")).unwrap_or_default().to_owned();
            (line.contains("failed: ") && line.contains(words)).then_some(()).ok_or(told)
        });
    }

    fn number(&self, name: &str) -> usize {
        self.clusters.iter().position(|cluster| cluster.admin().name == name).unwrap()
    }

    fn api(&self, name: &str) -> &Api {
        self.clusters[self.number(name)].api()
    }

    fn node(&self, name: &str) -> &Node {
        &self.nodes[self.number(name)]
    }

    fn output(&self, name: &str) -> Value {
        let mut outputs: Value = serde_json::from_str(&self.run(&["output", "--json"], 0).stdout).unwrap();
        outputs[name]["value"].take()
    }

    /// Waits until something is as it should be; fails with how it was last.
    fn until<T, E: std::fmt::Debug>(&self, what: &str, mut is_so: impl FnMut() -> Result<T, E>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match is_so() {
                Ok(found) => return found,
                Err(last) => assert!(Instant::now() < deadline, "{what}: {last:#?}\n{}", self.said()),
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// The end of what each istiod said.
    fn said(&self) -> String {
        let end = |node: &Node| {
            let log = node.log();
            let lines: Vec<_> = log.lines().collect();
            lines[lines.len().saturating_sub(15)..].join("\n")
        };
        self.nodes.iter().map(end).collect::<Vec<_>>().join("\n---\n")
    }

    /// The program that asks istiods as sidecars do, in the network of one; what it prints.
    fn workload(&self, name: &str, words: &[&str]) -> Result<String, String> {
        let program = self.istioctl.beside("workload").display().to_string();
        let output = self.node(name).within(&program, words, self.scenario.path());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(said) } else { Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr))) }
    }

    /// The roots that a cluster hands out to the workloads of a namespace.
    fn roots(&self, name: &str, namespace: &str) -> String {
        let map = self.api(name).get(&format!("/api/v1/namespaces/{namespace}/configmaps/istio-ca-root-cert")).unwrap_or_default();
        map["data"]["root-cert.pem"].as_str().unwrap_or_default().trim().to_owned()
    }

    /// Writes the roots that a cluster hands out to its workloads, and a token of the account of one; the paths.
    fn credentials(&self, name: &str) -> (String, String) {
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "audiences": ["istio-ca"] } });
        let token = self.api(name).call("POST", "/api/v1/namespaces/sample/serviceaccounts/default/token", Some(&request)).done();
        let write = |file: &str, text: &str| {
            let file = format!("{file}-{name}");
            self.scenario.write(&file, text);
            self.scenario.path().join(file).display().to_string()
        };
        (write("roots", &self.roots(name, "sample")), write("token", token["status"]["token"].as_str().unwrap()))
    }

    /// A certificate that an istiod gives to a workload, with its chain, as PEM.
    fn certificate(&self, name: &str) -> Result<String, String> {
        let (roots, token) = self.credentials(name);
        let key = self.scenario.path().join("key").display().to_string();
        let identity = "spiffe://cluster.local/ns/sample/sa/default";
        self.workload(name, &["certificate", "127.0.0.1:15012", &roots, &token, name, identity, &key])
    }

    /// What an istiod tells a sidecar of its cluster of the endpoints of the sample application.
    fn endpoints(&self, name: &str) -> Result<BTreeSet<String>, String> {
        let (roots, token) = self.credentials(name);
        let (proxy, network) = ("sidecar~10.0.0.9~asking.sample~sample.svc.cluster.local", format!("network-{name}"));
        let words = ["endpoints", "127.0.0.1:15012", &roots, &token, name, proxy, &network, "helloworld.sample.svc.cluster.local", "5000"];
        Ok(self.workload(name, &words)?.lines().map(str::to_owned).collect())
    }

    /// The gateways that an istiod knows: network, cluster, address and port of each.
    fn gateways(&self, name: &str) -> Vec<(String, String, String, u64)> {
        let text = |gateway: &Value, key: &str| gateway[key].as_str().unwrap_or_default().to_owned();
        let told = self.node(name).ask("/debug/networkz");
        let each = |gateway: &Value| {
            (text(gateway, "Network"), text(gateway, "Cluster"), text(gateway, "Addr"), gateway["Port"].as_u64().unwrap_or_default())
        };
        let mut gateways: Vec<_> = told.as_array().into_iter().flatten().map(each).collect();
        gateways.sort();
        gateways
    }

    /// Every istiod takes part: workloads of each cluster are certified by its intermediate, and all workloads trust all others.
    fn assert_one_trust(&self) {
        let names: Vec<String> = self.clusters.iter().map(|cluster| cluster.admin().name.clone()).collect();
        let intermediates = self.output("intermediates");
        self.until("certificates of every istiod, of its intermediate, taken by all clusters", || {
            for name in &names {
                let chain = self.certificate(name)?;
                let mut parts = chain.split_inclusive("-----END CERTIFICATE-----").map(str::trim);
                if parts.nth(1) != intermediates[name].as_str().map(str::trim) {
                    return Err(format!("{name} signs by another authority: {chain}"));
                }
                for other in &names {
                    let roots = self.roots(other, "sample");
                    if !self.verifies(&chain, &roots) {
                        return Err(format!("{other} does not trust {name}: {chain} {roots}"));
                    }
                }
            }
            Ok(())
        });
    }

    /// Whether `openssl` finds a chain to be of these roots.
    fn verifies(&self, chain: &str, roots: &str) -> bool {
        let file = |name: &str, text: &str| {
            self.scenario.write(name, text);
            self.scenario.path().join(name)
        };
        let (chain, roots) = (file("chain", chain), file("trusted", roots));
        let mut openssl = Command::new("openssl");
        openssl.args(["verify", "-no-CApath", "-no-CAstore", "-CAfile"]).arg(roots).arg("-untrusted").args([&chain, &chain]);
        openssl.output().unwrap().status.success()
    }
}

/// The certificates in a text.
fn certificates(text: &str) -> BTreeSet<String> {
    text.split_inclusive("-----END CERTIFICATE-----").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[test]
fn stand_in_istiods_of_three_clusters_make_one_mesh_and_checks_tell_what_breaks_it() {
    let Some(mesh) = Mesh::applied(&["c1", "c2", "c3"]) else { return };
    mesh.assert_checked();
    knows_gateways_and_endpoints(&mesh);
    signs_under_the_root(&mesh);
    mesh.assert_one_trust();
    // Whatever istiod wrote meanwhile is its own.
    mesh.assert_quiet();

    // A secret that somebody removed.
    mesh.api("c1").delete(&format!("{SYSTEM}/secrets/istio-remote-secret-c2"));
    mesh.assert_told("does not know `c2`");
    let plan = mesh.run(&["plan", "--detailed-exitcode"], 2).stdout;
    assert!(plan.contains("module.mesh.istio_remote_secret.this[\"c2-in-c1\"]"), "{plan}");
    mesh.apply();
    mesh.assert_checked();

    // An address at which nobody answers.
    let path = format!("{SYSTEM}/secrets/istio-remote-secret-c3");
    let secret = mesh.api("c2").get(&path).unwrap();
    let kubeconfig = String::from_utf8(BASE64_STANDARD.decode(secret["data"]["c3"].as_str().unwrap()).unwrap()).unwrap();
    let wrong = kubeconfig.replace(&mesh.clusters[2].admin().server, "https://127.0.0.1:9");
    assert_ne!(wrong, kubeconfig);
    mesh.api("c2").edit(&path, &json!({ "data": { "c3": BASE64_STANDARD.encode(wrong) } }));
    mesh.assert_told("has not read `c3` (timeout)");
    let plan = mesh.run(&["plan", "--detailed-exitcode"], 2).stdout;
    assert!(plan.contains("module.mesh.istio_remote_secret.this[\"c3-in-c2\"]"), "{plan}");
    mesh.apply();
    mesh.assert_checked();

    // A token that was revoked. What an istiod has read it goes on to call read; another one cannot.
    let token = format!("{SYSTEM}/secrets/istio-reader-service-account-istio-remote-secret-token");
    mesh.api("c1").delete(&token);
    mesh.node("c3").restart();
    mesh.assert_told("has not read `c1` (timeout)");
    mesh.apply();
    mesh.assert_checked();

    // A cluster that leaves: its peers do not read it any more.
    mesh.of("clusters = [\"c1\", \"c2\"]");
    mesh.apply();
    mesh.assert_checked();
    assert!(mesh.api("c3").get(SYSTEM).is_none());
}

/// Every istiod knows one gateway of each network, at the address of the Service, and hands it to sidecars in place of the pods behind it.
fn knows_gateways_and_endpoints(mesh: &Mesh) {
    let addresses = mesh.output("gateways");
    let names: Vec<&String> = addresses.as_object().unwrap().keys().collect();
    let gateways: Vec<_> = names
        .iter()
        .map(|name| (format!("network-{name}"), (*name).clone(), addresses[name.as_str()].as_str().unwrap().to_owned(), 15443))
        .collect();
    for name in &names {
        mesh.until("one gateway of each network", || {
            let known = mesh.gateways(name);
            if known == gateways { Ok(()) } else { Err(known) }
        });
        let mut expected: BTreeSet<String> =
            gateways.iter().filter(|gateway| gateway.1 != **name).map(|gateway| format!("{}:15443", gateway.2)).collect();
        let pods = mesh.api(name).get("/api/v1/namespaces/sample/pods?labelSelector=app%3Dhelloworld").unwrap();
        expected.extend(pods["items"].as_array().unwrap().iter().map(|pod| format!("{}:5000", pod["status"]["podIP"].as_str().unwrap())));
        assert_eq!(expected.len(), names.len());
        mesh.until("endpoints of one's own cluster, and a gateway for each other one", || {
            let told = mesh.endpoints(name)?;
            if told == expected { Ok(()) } else { Err(format!("{told:?} {expected:?}")) }
        });
    }
}

/// Every istiod hands out the root of the configuration, to all namespaces and to those who ask its webhooks, and API servers take what it says.
fn signs_under_the_root(mesh: &Mesh) {
    let root = mesh.output("root").as_str().unwrap().trim().to_owned();
    for cluster in &mesh.clusters {
        let (name, api) = (&cluster.admin().name, cluster.api());
        let namespaces = api.get("/api/v1/namespaces").unwrap();
        let namespaces: Vec<&str> =
            namespaces["items"].as_array().unwrap().iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
        // Those of Kubernetes itself have no workloads, as istiod sees it.
        for namespace in namespaces.iter().filter(|namespace| !namespace.starts_with("kube-")) {
            mesh.until("the root in every namespace", || {
                let roots = mesh.roots(name, namespace);
                if roots == root { Ok(()) } else { Err(format!("{name} {namespace}: {roots}")) }
            });
        }
        for path in ["mutatingwebhookconfigurations/istio-sidecar-injector", "validatingwebhookconfigurations/istio-validator-istio-system"]
        {
            mesh.until("the root in webhooks, which count", || {
                let configuration = api.get(&format!("{ADMISSION}/{path}")).unwrap();
                let trusts = |webhook: &Value| {
                    let bundle = BASE64_STANDARD.decode(webhook["clientConfig"]["caBundle"].as_str().unwrap_or_default()).unwrap();
                    String::from_utf8_lossy(&bundle).trim() == root && webhook["failurePolicy"] == "Fail"
                };
                if configuration["webhooks"].as_array().unwrap().iter().all(trusts) { Ok(()) } else { Err(configuration) }
            });
        }
        // What is rendered validates what is of its revision by name.
        let named = json!({ "name": "wrong", "labels": { "istio.io/rev": "default" } });
        let wrong =
            json!({ "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": named, "spec": { "hosts": ["*.*"] } });
        let refused = api.call("POST", "/apis/networking.istio.io/v1/namespaces/sample/virtualservices", Some(&wrong));
        assert!(!refused.code.is_success() && refused.body.to_string().contains("validation.istio.io"), "{refused:?}");
        // It injected the pods of the sample application and of gateways, which have no image before.
        for labels in ["app=helloworld", "app=sleep", "istio=eastwestgateway", "istio=ingressgateway"] {
            let pods = api.get(&format!("/api/v1/pods?labelSelector={}", labels.replace('=', "%3D"))).unwrap();
            let pods = pods["items"].as_array().unwrap();
            let image = |pod: &Value| {
                let all = ["initContainers", "containers"].map(|list| pod["spec"][list].as_array().cloned().unwrap_or_default()).concat();
                all.iter().find(|one| one["name"] == "istio-proxy").map(|proxy| proxy["image"].to_string())
            };
            let injected = |pod: &Value| image(pod).is_some_and(|image| image.ends_with("/proxyv2:1.31.0\""));
            assert!(!pods.is_empty() && pods.iter().all(injected), "{name} {labels}: {pods:#?}");
        }
    }
}

#[test]
fn stand_in_istiods_take_tokens_intermediates_and_roots_that_are_rotated() {
    let Some(mesh) = Mesh::applied(&["c1", "c2"]) else { return };
    let clusters = "clusters = [\"c1\", \"c2\"]\n";
    mesh.assert_checked();
    mesh.assert_one_trust();

    // A token: peers read by the new one before the old one goes, and those who start afterwards have no other.
    mesh.of(&format!("{clusters}tokens = {{ c1 = 2 }}"));
    mesh.apply();
    mesh.assert_checked();
    mesh.node("c2").restart();
    mesh.assert_checked();

    // An intermediate, and then the root, step by step, while istiods run.
    let intermediates = mesh.output("intermediates");
    let rotated = format!("{clusters}tokens = {{ c1 = 2 }}\nintermediates = {{ c1 = 2 }}\n");
    mesh.of(&rotated);
    mesh.apply();
    mesh.assert_one_trust();
    let now = mesh.output("intermediates");
    assert!(now["c1"] != intermediates["c1"] && now["c2"] == intermediates["c2"]);
    let ca = |generations: &str, signing: &str| format!("{rotated}ca = {{ generations = {generations}, signing = \"{signing}\" }}");
    mesh.of(&ca("[\"2024\"]", "2024"));
    mesh.apply();
    mesh.assert_one_trust();
    let old = certificates(mesh.output("root").as_str().unwrap());
    let running = |mesh: &Mesh| {
        ["c1", "c2"].map(|name| {
            mesh.api(name).get(&format!("{SYSTEM}/pods?labelSelector=app%3Distiod")).unwrap()["items"][0]["metadata"]["uid"].clone()
        })
    };
    let before = running(&mesh);
    for (generations, signing, roots) in
        [("[\"2024\", \"2026\"]", "2024", 2), ("[\"2024\", \"2026\"]", "2026", 2), ("[\"2026\"]", "2026", 1)]
    {
        mesh.of(&ca(generations, signing));
        mesh.apply();
        for name in ["c1", "c2"] {
            mesh.until("roots of the step", || {
                let handed_out = certificates(&mesh.roots(name, "default"));
                let is_so = handed_out.len() == roots && (roots == 1) != old.is_subset(&handed_out);
                if is_so { Ok(()) } else { Err((generations, signing, handed_out)) }
            });
        }
        mesh.assert_one_trust();
        mesh.assert_checked();
        mesh.assert_quiet();
    }
    assert_eq!(running(&mesh), before, "no step takes a restart");

    mesh.run(&["destroy", "--auto-approve"], 0);
    for cluster in &mesh.clusters {
        assert!(cluster.api().get(SYSTEM).is_none());
    }
}
