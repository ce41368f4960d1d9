//! Models of a mesh other than a control plane and a network for each cluster, in sandboxes: remotes, and networks that clusters share.

use meshplan_tests::cluster::Cluster;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};

const SYSTEM: &str = "/api/v1/namespaces/istio-system";
const OPERATORS: &str = "/apis/install.istio.io/v1alpha1/namespaces/istio-system/istiooperators";
const OLD_NETWORKING: &str = "/apis/networking.istio.io/v1alpha3/namespaces/istio-system";
const NETWORKING: &str = "/apis/networking.istio.io/v1/namespaces/istio-system";

/// A mesh of the module `primary-remote` over clusters that are written as `name = { network = .., primary = .. }`.
fn mesh(clusters: &str) -> String {
    format!(
        r#"
variable "clusters" {{
  type    = map(object({{ network = string, primary = optional(string) }}))
  default = {{ {clusters} }}
}}
resource "sandbox_cluster" "this" {{
  for_each = var.clusters
  name     = each.key
}}
module "mesh" {{
  source   = "builtin:primary-remote"
  clusters = {{ for name, cluster in var.clusters : name => merge(cluster, {{ cluster = sandbox_cluster.this[name] }}) }}
}}
output "gateways" {{
  value = module.mesh.gateways
}}
"#
    )
}

fn applied(configuration: &str) -> Scenario {
    let scenario = Scenario::with(configuration);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    scenario
}

/// The addresses below `module.mesh` of a kind, without the module, sorted.
fn made(scenario: &Scenario, kind: &str) -> Vec<String> {
    let prefix = format!("module.mesh.{kind}.");
    let addresses = scenario.addresses().into_iter().filter(|address| !address.contains("]/"));
    let mut made: Vec<_> = addresses.filter_map(|address| Some(address.strip_prefix(&prefix)?.to_owned())).collect();
    made.sort();
    made
}

fn gone(scenario: &Scenario) {
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
}

#[test]
fn a_remote_is_told_where_its_primary_is() {
    let scenario = applied(&mesh(r#"main0 = { network = "network1" }, remote0 = { network = "network2", primary = "main0" }"#));
    let (main, remote) = (Cluster::of(&scenario, "main0"), Cluster::of(&scenario, "remote0"));
    let service = main.get(&format!("{SYSTEM}/services/istio-eastwestgateway")).unwrap();
    let address = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
    assert!(address.is_string());
    let installed = |cluster: &Cluster| cluster.get(&format!("{OPERATORS}/control-plane")).unwrap()["spec"].clone();
    let spec = installed(&remote);
    assert_eq!((&spec["profile"], &spec["values"]["global"]["remotePilotAddress"]), (&json!("remote"), address));
    assert_eq!(spec["values"]["istiodRemote"]["injectionPath"], "/inject/cluster/remote0/net/network2");
    assert_eq!(installed(&main)["values"]["global"]["externalIstiod"], true);
    let namespace = remote.get(SYSTEM).unwrap();
    assert_eq!(namespace["metadata"]["annotations"]["topology.istio.io/controlPlaneClusters"], "main0");
    assert_eq!(namespace["metadata"]["labels"]["topology.istio.io/network"], "network2");
    for path in ["gateways/istiod-gateway", "virtualservices/istiod-vs", "gateways/cross-network-gateway"] {
        assert!(main.get(&format!("{NETWORKING}/{path}")).is_some(), "{path}");
    }
    assert!(remote.get(&format!("{NETWORKING}/gateways/cross-network-gateway")).is_none(), "a remote takes it from its primary");
    assert!(remote.get(&format!("{SYSTEM}/secrets/cacerts")).is_none() && main.get(&format!("{SYSTEM}/secrets/cacerts")).is_some());
    assert_eq!(made(&scenario, "istio_remote_secret"), [r#"this["remote0-in-main0"]"#]);
    assert_eq!(made(&scenario, "istio_eastwest_gateway"), [r#"primary["main0"]"#, r#"remote["remote0"]"#]);
    gone(&scenario);
}

#[test]
fn on_one_network_only_istiod_needs_a_gateway() {
    let scenario = applied(&mesh(r#"main0 = { network = "n" }, remote0 = { network = "n", primary = "main0" }"#));
    assert_eq!(made(&scenario, "istio_eastwest_gateway"), [r#"primary["main0"]"#]);
    assert_eq!(made(&scenario, "istio_expose_istiod"), [r#"this["main0"]"#]);
    assert_eq!(made(&scenario, "istio_expose_services"), Vec::<String>::new());
    gone(&scenario);
}

#[test]
fn another_remote_is_one_secret_in_every_primary() {
    let two = r#"a = { network = "n1" }, b = { network = "n2" }, r = { network = "n3", primary = "a" }"#;
    let scenario = applied(&mesh(two));
    let secrets = [r#"this["a-in-b"]"#, r#"this["b-in-a"]"#, r#"this["r-in-a"]"#, r#"this["r-in-b"]"#];
    assert_eq!(made(&scenario, "istio_remote_secret"), secrets);
    let values =
        |cluster: &str| Cluster::of(&scenario, cluster).get(&format!("{OPERATORS}/control-plane")).unwrap()["spec"]["values"].clone();
    assert_eq!((&values("a")["global"]["externalIstiod"], &values("b")["global"]["externalIstiod"]), (&json!(true), &Value::Null));

    scenario.write("main.mesh.hcl", &mesh(&format!(r#"{two}, s = {{ network = "n4", primary = "b" }}"#)));
    let told = scenario.run(&["plan"]).expect_code(0).stdout;
    for secret in ["s-in-a", "s-in-b"] {
        assert!(told.contains(secret), "{told}");
    }
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(made(&scenario, "istio_remote_secret").len(), 6);
    // What `b` serves now needs its istiod to be open to others; `a` and its remote stay as they were.
    assert!(!told.contains(r#"istio_operator.primary["a"]"#) && !told.contains(r#"istio_operator.remote["r"]"#), "{told}");

    scenario.write("main.mesh.hcl", &mesh(two));
    let output = scenario.run(&["apply", "--auto-approve", "--json"]).expect_code(0).stdout;
    let events: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let at = |event: &str, address: &str| events.iter().position(|line| line["event"] == event && line["address"] == address).unwrap();
    for peer in ["a", "b"] {
        let secret = format!("module.mesh.istio_remote_secret.this[\"s-in-{peer}\"]");
        assert!(at("finished", &secret) < at("started", r#"sandbox_cluster.this["s"]"#), "{secret}");
    }
    assert_eq!(made(&scenario, "istio_remote_secret"), secrets);
    gone(&scenario);
}

#[test]
fn a_primary_has_to_be_one() {
    for (clusters, expected) in [
        (r#"a = { network = "n", primary = "b" }, b = { network = "n", primary = "a" }"#, "at least one cluster with a control plane"),
        (r#"a = { network = "n" }, b = { network = "n", primary = "c" }"#, "these do not say one: b"),
        (r#"a = { network = "n" }, b = { network = "n", primary = "a" }, c = { network = "n", primary = "b" }"#, "these do not say one: c"),
    ] {
        let told = Scenario::with(&mesh(clusters)).run(&["plan"]).expect_code(1);
        assert!(told.all().contains(expected), "{clusters}: {}", told.all());
    }
}

#[test]
fn primaries_on_one_network_have_no_gateways() {
    let scenario = Scenario::example("quickstart");
    scenario.replace("main.mesh.hcl", "network-${name}", "network1");
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    for kind in ["istio_eastwest_gateway", "istio_expose_services"] {
        assert_eq!(made(&scenario, kind), Vec::<String>::new());
    }
    assert_eq!(made(&scenario, "istio_remote_secret").len(), 2);
    // A cluster beyond the network is reached through gateways, and so are the others then.
    scenario.replace("main.mesh.hcl", "network = \"network1\"", "network = name == \"cluster1\" ? \"network1\" : \"network2\"");
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(made(&scenario, "istio_eastwest_gateway").len(), 2);
    gone(&scenario);
}

#[test]
fn the_examples_converge_and_go() {
    for (example, secrets) in [("primary-remote", 1), ("kubeadm-mesh", 2)] {
        let scenario = Scenario::example(example);
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
        assert_eq!(made(&scenario, "istio_remote_secret").len(), secrets, "{example}");
        gone(&scenario);
    }
}

#[test]
fn the_older_form_is_told_the_address_of_an_ingress_gateway() {
    let scenario = Scenario::example("primary-remote-1.7");
    let told = scenario.run(&["plan", "--detail", "full"]).expect_code(0).stdout;
    assert!(told.contains("remotePilotAddress") && told.contains("known after apply"), "{told}");
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    let (main, remote) = (Cluster::of(&scenario, "main0"), Cluster::of(&scenario, "remote0"));
    let service = main.get(&format!("{SYSTEM}/services/istio-ingressgateway")).unwrap();
    let address = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
    let global = |cluster: &Cluster| cluster.get(&format!("{OPERATORS}/control-plane")).unwrap()["spec"]["values"]["global"].clone();
    assert!(address.is_string() && global(&remote)["remotePilotAddress"] == *address, "{address}");
    let networks = &global(&main)["meshNetworks"];
    assert_eq!(networks["network2"]["endpoints"], json!([{ "fromRegistry": "remote0" }]));
    for cluster in [&main, &remote] {
        let gateway = cluster.get(&format!("{OLD_NETWORKING}/gateways/cluster-aware-gateway")).unwrap();
        assert_eq!(gateway["spec"]["selector"], json!({ "istio": "ingressgateway" }));
        assert_eq!(gateway["spec"]["servers"][0]["port"]["number"], 443);
    }
    gone(&scenario);
}

#[test]
fn the_root_of_primaries_and_remotes_is_rotated_step_by_step() {
    let two = r#"main0 = { network = "network1" }, remote0 = { network = "network2", primary = "main0" }"#;
    let with = |ca: &str| mesh(two).replace("\"builtin:primary-remote\"\n", &format!("\"builtin:primary-remote\"\n  ca = {ca}\n"));
    let scenario = applied(&with(r#"{ generations = ["2024"], signing = "2024" }"#));
    let installed = |cluster: &str| Cluster::of(&scenario, cluster).get(&format!("{OPERATORS}/control-plane")).unwrap()["spec"].clone();
    assert_eq!(installed("main0")["values"]["pilot"]["env"]["ISTIO_MULTIROOT_MESH"], "true");
    assert_eq!(installed("main0")["values"]["global"]["externalIstiod"], true);
    assert_eq!(installed("remote0")["meshConfig"]["defaultConfig"]["proxyMetadata"]["PROXY_CONFIG_XDS_AGENT"], "true");

    scenario.write("main.mesh.hcl", &with(r#"{ generations = ["2026"], signing = "2026" }"#));
    let refused = scenario.run(&["plan"]).expect_code(1);
    assert!(refused.all().contains(r#"["2024", "2026"]"#), "{}", refused.all());
    for step in [
        r#"{ generations = ["2024", "2026"], signing = "2024" }"#,
        r#"{ generations = ["2024", "2026"], signing = "2026" }"#,
        r#"{ generations = ["2026"], signing = "2026" }"#,
    ] {
        scenario.write("main.mesh.hcl", &with(step));
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    }
    gone(&scenario);
}
