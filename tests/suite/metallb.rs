//! MetalLB and its pools in sandbox clusters, over the whole command line.

use super::laws::APPLY;
use meshplan_tests::scenario::Scenario;

const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];

const LAB: &str = r#"
variable "clusters" {
  type    = set(string)
  default = ["east", "west"]
}
resource "sandbox_cluster" "this" {
  for_each = var.clusters
  name     = each.key
}
data "metallb_manifests" "this" { path = "metallb.yaml" }
resource "metallb" "this" {
  for_each       = var.clusters
  cluster        = sandbox_cluster.this[each.key]
  manifests      = data.metallb_manifests.this
  excluded_nodes = "announce"
}
resource "address_ranges" "pools" {
  subnet = "172.30.0.0/16"
  names  = var.clusters
}
resource "metallb_pool" "this" {
  for_each  = var.clusters
  metallb   = metallb.this[each.key]
  name      = "lab"
  addresses = [address_ranges.pools.ranges[each.key]]
  subnet    = address_ranges.pools.subnet
}
resource "kubernetes_manifest" "gateway" {
  for_each   = var.clusters
  cluster    = sandbox_cluster.this[each.key]
  depends_on = [metallb_pool.this]
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "gateway", namespace = "default" }
    spec       = { type = "LoadBalancer", ports = [{ name = "tls", port = 15443, protocol = "TCP" }] }
  }
}
"#;

/// What a release comes to, as far as the tests look at it: workloads, definitions and a webhook from 0.13 on.
pub(super) fn manifests(version: &str) -> String {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: { name: metallb-system }\n";
    let workload = |kind: &str, name: &str| {
        let labels = format!("{{ app: metallb, component: {name} }}");
        let container = format!("{{ name: {name}, image: 'quay.io/metallb/{name}:v{version}', args: ['--port=7472'] }}");
        format!(
            "---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{ name: {name}, namespace: metallb-system, labels: {labels} }}\nspec:\n  \
             selector: {{ matchLabels: {labels} }}\n  template:\n    metadata: {{ labels: {labels} }}\n    spec: {{ containers: [{container}] }}\n"
        )
    };
    let definition = |kind: &str, plural: &str| {
        let schema = "{ openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }";
        format!(
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{ name: {plural}.metallb.io }}\nspec:\n  \
             group: metallb.io\n  scope: Namespaced\n  names: {{ kind: {kind}, plural: {plural}, singular: {}, listKind: {kind}List }}\n  \
             versions: [{{ name: v1beta1, served: true, storage: true, schema: {schema} }}]\n",
            kind.to_lowercase()
        )
    };
    let webhook = "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: { name: metallb-webhook-configuration }\n\
        webhooks:\n- name: pools.metallb.io\n  clientConfig: { service: { name: metallb-webhook-service, namespace: metallb-system, path: /validate } }\n  \
        sideEffects: None\n  admissionReviewVersions: [v1]\n";
    let mut text = format!("{namespace}{}{}", workload("Deployment", "controller"), workload("DaemonSet", "speaker"));
    if version > "0.13" {
        text.push_str(&definition("IPAddressPool", "ipaddresspools"));
        text.push_str(&definition("L2Advertisement", "l2advertisements"));
        text.push_str(webhook);
    } else {
        // A kind that clusters of today do not have.
        text.push_str("---\napiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: { name: controller }\nspec: {}\n");
    }
    text
}

fn lab(version: &str) -> Scenario {
    let scenario = Scenario::with(LAB);
    scenario.write("metallb.yaml", &manifests(version));
    scenario
}

/// The addresses that load balancers have, by the state.
fn gateway(scenario: &Scenario, cluster: &str) -> String {
    scenario.write(
        "probe.mesh.hcl",
        &format!(
            "data \"kubernetes_object\" \"gateway\" {{\n  cluster = sandbox_cluster.this[\"{cluster}\"]\n  api_version = \"v1\"\n  kind = \"Service\"\n  \
             name = \"gateway\"\n  namespace = \"default\"\n}}\noutput \"address\" {{ value = data.kubernetes_object.gateway.object.status.loadBalancer.ingress[0].ip }}\n"
        ),
    );
    scenario.run(&APPLY).expect_code(0);
    let address = scenario.run(&["output", "--raw", "address"]).expect_code(0).stdout;
    std::fs::remove_file(scenario.path().join("probe.mesh.hcl")).unwrap();
    scenario.run(&APPLY).expect_code(0);
    address.trim().to_owned()
}

#[test]
fn clusters_get_addresses_of_their_own_pools_whatever_the_version() {
    // Before 0.14 no label keeps a node from announcing.
    for (version, member, announces) in [
        ("0.12.1", "ConfigMap metallb-system/config", "--port=7472"),
        ("0.16.2", "L2Advertisement metallb-system/lab", "--ignore-exclude-lb"),
    ] {
        let scenario = lab(version);
        let plan = scenario.run(&["plan", "--detail", "full"]).expect_code(0).stdout;
        for known in ["Deployment metallb-system/controller", member, "172.30.241.1-172.30.241.254", announces] {
            assert!(plan.contains(known), "{version}: no `{known}`: {plan}");
        }
        scenario.run(&APPLY).expect_code(0);
        scenario.run(&SETTLED).expect_code(0);
        assert_eq!(gateway(&scenario, "east"), "172.30.240.1", "{version}");
        assert_eq!(gateway(&scenario, "west"), "172.30.241.1", "{version}");
        scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
        assert_eq!(scenario.addresses(), Vec::<String>::new(), "{version}");
    }
}

#[test]
fn pools_that_share_addresses_are_told_of_before_anything_exists() {
    let scenario = lab("0.16.2");
    scenario.replace("main.mesh.hcl", "[address_ranges.pools.ranges[each.key]]", "[\"172.30.240.0/28\"]");
    let refused = scenario.run(&["plan"]).expect_code(1).stderr;
    assert!(refused.contains("pools share addresses"), "{refused}");
    scenario.replace("main.mesh.hcl", "  name      = \"lab\"", "  name      = \"lab\"\n  network   = each.key");
    scenario.run(&["plan"]).expect_code(0);
    let old = lab("0.12.1");
    let policies = |scenario: &Scenario| scenario.run(&["plan", "--detail", "full"]).expect_code(0).stdout.contains("PodSecurityPolicy");
    assert!(!policies(&old));
    old.replace("main.mesh.hcl", "\"announce\"", "\"announce\"\n  pod_security_policies = true");
    assert!(policies(&old));
    let second = "resource \"metallb_pool\" \"second\" {\n  metallb = metallb.this[\"east\"]\n  name = \"second\"\n  addresses = [\"172.30.0.0/28\"]\n}\n";
    old.write("second.mesh.hcl", second);
    let refused = old.run(&["plan"]).expect_code(1).stderr;
    assert!(refused.contains("several pools in one text"), "{refused}");
}

#[test]
fn a_pool_keeps_what_load_balancers_have() {
    let scenario = lab("0.16.2");
    scenario.run(&APPLY).expect_code(0);
    let ranges = "[address_ranges.pools.ranges[each.key]]";
    scenario.replace("main.mesh.hcl", ranges, "[replace(address_ranges.pools.ranges[each.key], \".1-\", \".9-\")]");
    let refused = scenario.run(&["plan"]).expect_code(1).stderr;
    assert!(refused.contains("pool address in use") && refused.contains("`172.30.240.1` would not be in the pool"), "{refused}");
    scenario.replace("main.mesh.hcl", "\".1-\", \".9-\"", "\".254\", \".99\"");
    let smaller = scenario.run(&["plan", "--detail", "full"]).expect_code(0).stdout;
    assert!(smaller.contains("IPAddressPool metallb-system/lab") && smaller.contains("172.30.240.1-172.30.240.99"), "{smaller}");
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
}

#[test]
fn an_installation_follows_its_manifests_and_may_be_somebody_elses() {
    let scenario = lab("0.15.3");
    scenario.run(&APPLY).expect_code(0);
    scenario.write("metallb.yaml", &manifests("0.16.2"));
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(plan.contains("0.15.3") && plan.contains("0.16.2") && plan.contains("`version` changed"), "{plan}");
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    let found = "data \"metallb\" \"found\" {\n  cluster = sandbox_cluster.this[\"east\"]\n}\nresource \"metallb_pool\" \"more\" {\n  metallb = data.metallb.found\n  \
        name = \"more\"\n  addresses = [\"172.30.200.0/28\"]\n  auto_assign = false\n}\n";
    scenario.write("more.mesh.hcl", found);
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    assert!(scenario.addresses().iter().any(|address| address == "metallb_pool.more/IPAddressPool/metallb-system/more"));
    scenario.replace(
        "more.mesh.hcl",
        "  cluster = sandbox_cluster.this[\"east\"]\n",
        "  cluster = sandbox_cluster.this[\"east\"]\n  controller = \"metallb-controller\"\n",
    );
    let refused = scenario.run(&["plan"]).expect_code(1).stderr;
    assert!(refused.contains("MetalLB not found") && refused.contains("`Deployment/metallb-system/metallb-controller`"), "{refused}");
}
