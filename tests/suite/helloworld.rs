//! The built-in module `helloworld` in sandboxes: what it makes in each cluster, and what moves when clusters come and go.

use meshplan_tests::scenario::Scenario;

const PLAIN: &str = r#"
variable "names" {
  type    = set(string)
  default = ["cluster1", "cluster2", "cluster3"]
}
resource "sandbox_cluster" "this" {
  for_each = var.names
  name     = each.key
}
module "sample" {
  source   = "builtin:helloworld"
  clusters = { for name, cluster in sandbox_cluster.this : name => { cluster = cluster } }
}
output "url" {
  value = module.sample.url
}
output "versions" {
  value = module.sample.versions
}
output "namespaces" {
  value = module.sample.namespaces
}
"#;

const ZONES: &str = r#"
resource "sandbox_cluster" "c" {
  for_each = toset(["c1", "c2"])
  name     = each.key
}
locals {
  zones = { c1 = ["z1", "z2", "z3"], c2 = ["z1", "z2", "z3", "z4", "z5"] }
  place = { for zone in local.zones.c2 : zone => { "topology.kubernetes.io/zone" = replace(zone, "z", "zone") } }
}
module "sample" {
  source   = "builtin:helloworld"
  name     = "helloworld2"
  revision = "1-9-0-1"
  clusters = {
    for name, zones in local.zones : name => {
      cluster  = sandbox_cluster.c[name]
      versions = { for zone in zones : "${name}${zone}" => { node_selector = local.place[zone], replicas = zone == "z1" ? 2 : null } }
      clients  = { for zone in zones : "sleep${zone}" => { node_selector = local.place[zone] } }
    }
  }
}
"#;

/// The members of a kind in a cluster, by `namespace/name`, sorted.
fn members(scenario: &Scenario, cluster: &str, kind: &str) -> Vec<String> {
    let (key, infix) = (format!("[\"{cluster}\"]"), format!("/{kind}/"));
    let addresses = scenario.addresses().into_iter().filter(|address| address.contains(&key));
    let mut names: Vec<_> = addresses.filter_map(|address| Some(address.split_once(&infix)?.1.to_owned())).collect();
    names.sort();
    names
}

#[test]
fn each_cluster_has_the_service_one_version_and_a_client() {
    let scenario = Scenario::with(PLAIN);
    let applied = scenario.run(&["apply", "--auto-approve"]).expect_code(0).all();
    // Whether anything answers is not known where no pods run.
    let still = "no data plane: a sandbox runs no pods, in cluster `cluster1`";
    assert!(applied.contains(&format!("check.module.sample.answered: not run\n      {still}\n")), "{applied}");
    let told = scenario.run(&["check"]).expect_code(4).stdout;
    assert_eq!(told, format!("check.module.sample.answered  not run: {still}\n\n0 passed, 0 failed, 1 not run.\n"));
    for (cluster, version) in [("cluster1", "v2"), ("cluster2", "v1"), ("cluster3", "v2")] {
        assert_eq!(members(&scenario, cluster, "Deployment"), [format!("sample/helloworld-{version}"), "sample/sleep".to_owned()]);
        assert_eq!(members(&scenario, cluster, "Service"), ["sample/helloworld", "sample/sleep"]);
        assert_eq!(members(&scenario, cluster, "ServiceAccount"), ["sample/sleep"]);
    }
    let outputs: serde_json::Value = serde_json::from_str(&scenario.run(&["output", "--json"]).expect_code(0).stdout).unwrap();
    assert_eq!(outputs["url"]["value"], "http://helloworld.sample:5000/hello");
    assert_eq!(outputs["versions"]["value"].to_string(), r#"{"cluster1":["v2"],"cluster2":["v1"],"cluster3":["v2"]}"#);
    assert_eq!(outputs["namespaces"]["value"]["cluster3"], "sample");
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    // Another cluster changes nothing in those before it; without the first, the order of the others is another one.
    let told = scenario.run(&["plan", "--var", "names=[\"cluster1\", \"cluster2\", \"cluster3\", \"cluster4\"]"]).expect_code(0).stdout;
    assert!(told.contains("0 to change, 0 to destroy") || told.contains("0 to change"), "{told}");
    assert!(!told.contains("[\"cluster1\"]") && told.contains("helloworld-v1"), "{told}");
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert!(scenario.addresses().is_empty());
}

#[test]
fn versions_and_clients_stand_where_they_are_told_to() {
    let scenario = Scenario::with(ZONES);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let versions = |cluster: &str, zones: usize| (1..=zones).map(|zone| format!("sample/helloworld2-{cluster}z{zone}")).collect::<Vec<_>>();
    let clients = |zones: usize| (1..=zones).map(|zone| format!("sample/sleepz{zone}")).collect::<Vec<_>>();
    assert_eq!(members(&scenario, "c1", "Deployment"), [versions("c1", 3), clients(3)].concat());
    assert_eq!(members(&scenario, "c2", "Deployment"), [versions("c2", 5), clients(5)].concat());
    // Each name resolves in each cluster.
    assert_eq!(members(&scenario, "c1", "Service"), [vec!["sample/helloworld2".to_owned()], clients(5)].concat());
    let shown = scenario.run(&["state", "show", "module.sample.kubernetes_manifests.versions[\"c2\"]/Deployment/sample/helloworld2-c2z1"]);
    let shown = shown.expect_code(0).stdout;
    assert!(shown.contains("topology.kubernetes.io/zone") && shown.contains("zone1") && shown.contains("c2z1"), "{shown}");
    let namespace = scenario.run(&["state", "show", "module.sample.kubernetes_namespace.this[\"c1\"]"]).expect_code(0).stdout;
    assert!(namespace.contains("istio.io/rev") && namespace.contains("1-9-0-1") && !namespace.contains("istio-injection"), "{namespace}");
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

#[test]
fn a_client_cannot_be_the_application() {
    let text = PLAIN.replace("{ cluster = cluster }", "{ cluster = cluster, clients = { helloworld = {} } }");
    let told = Scenario::with(&text).run(&["plan"]).expect_code(1).stderr;
    assert!(told.contains("cannot be one of its clients"), "{told}");
}
