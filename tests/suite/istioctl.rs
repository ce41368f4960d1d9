//! The installer `istioctl` over the whole command line, with a program that plays `istioctl`: what is planned while something is not known yet,
//! what an apply takes and what it refuses. `tests/real/istioctl.rs` does it with the real one.

use meshplan_tests::scenario::{Output, Scenario, project};
use serde_json::Value as Json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];
const APPLY: [&str; 2] = ["apply", "--auto-approve"];

/// It prints a control plane with what it is told of the network, and writes down what it was asked.
const ISTIOCTL: &str = r#"#!/bin/sh
set -e
here=$(dirname "$0")
if [ "$1" = version ]; then echo '{"clientVersion":{"version":"1.30.2"}}'; exit; fi
input=$(cat)
echo "$input" >>"$here/asked"
told() { echo "$input" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
network=$(told network)
log=$(told accessLogFile)
. "$here/before"
cat <<END
apiVersion: v1
kind: ServiceAccount
metadata: { name: istiod, namespace: istio-system }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    accessLogFile: "$log"
    network: $network
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: istiod, namespace: istio-system, labels: { app: istiod } }
spec:
  selector: { matchLabels: { app: istiod } }
  template:
    metadata: { labels: { app: istiod } }
    spec:
      containers: [{ name: discovery, image: "docker.io/istio/pilot:1.30.2", env: [{ name: NETWORK, value: "$network" }] }]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: gateways.networking.istio.io }
spec:
  group: networking.istio.io
  scope: Namespaced
  names: { kind: Gateway, plural: gateways, singular: gateway, listKind: GatewayList }
  versions:
  - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: { name: istio-sidecar-injector }
webhooks:
- name: namespace.sidecar-injector.istio.io
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: { service: { name: istiod, namespace: istio-system, path: /inject } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: istio-ingressgateway, namespace: istio-system, labels: { app: istio-ingressgateway } }
spec:
  selector: { matchLabels: { app: istio-ingressgateway } }
  template:
    metadata: { labels: { app: istio-ingressgateway } }
    spec: { containers: [{ name: istio-proxy, image: auto }] }
END
. "$here/after"
"#;

const MESH: &str = r#"
variable "log" {
  type    = string
  default = "/dev/stdout"
}
variable "network" {
  type    = string
  default = "north"
}
resource "sandbox_cluster" "this" {
  name = "cluster1"
}
resource "kubernetes_namespace" "system" {
  cluster = sandbox_cluster.this
  name    = "istio-system"
}
resource "meshplan_data" "network" {
  triggers_replace = var.network
}
locals {
  # Known when the id is.
  network = replace(meshplan_data.network.id, "/.+/", var.network)
}
resource "istio_operator" "primary" {
  cluster     = sandbox_cluster.this
  namespace   = kubernetes_namespace.system.name
  tag         = "1.30.2"
  network     = local.network
  mesh_config = { accessLogFile = var.log }
}
"#;

/// A configuration with a program `istioctl` in the `PATH`.
fn with(configuration: &str) -> Scenario {
    let mut scenario = Scenario::with(configuration);
    scenario.write("bin/istioctl", ISTIOCTL);
    scenario.write("bin/before", "");
    scenario.write("bin/after", "");
    let bin = scenario.path().join("bin");
    fs::set_permissions(bin.join("istioctl"), fs::Permissions::from_mode(0o755)).unwrap();
    scenario.set("PATH", &format!("{}:/usr/bin:/bin", bin.display()));
    scenario
}

fn times_asked(scenario: &Scenario) -> usize {
    let times = scenario.read("bin/asked").lines().count();
    scenario.write("bin/asked", "");
    times
}

/// The manifest in the record of a member of the control plane.
fn manifest(scenario: &Scenario, member: &str) -> Json {
    let state = scenario.state();
    let address = format!("istio_operator.primary/{member}");
    let record = state["resources"].as_array().unwrap().iter().find(|record| record["address"] == address.as_str());
    assert!(record.is_some(), "{address} among {:?}", scenario.addresses());
    record.unwrap()["attributes"]["manifest"].clone()
}

/// What a plan would change, each as action and address.
fn changes(scenario: &Scenario, more: &[&str]) -> Vec<String> {
    let told = scenario.run(&[&["plan", "--json"][..], more].concat()).expect_code(0).stdout;
    let events = told.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let text = |event: &Json, member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let planned = events.filter(|event| event["event"] == "planned_change");
    planned.map(|change| format!("{} {}", text(&change, "action"), text(&change, "address"))).collect()
}

fn assert_says(output: &Output, words: &[&str]) {
    let all = output.all();
    for word in words {
        assert!(all.contains(word), "{word} in\n{all}");
    }
}

#[test]
fn what_is_not_known_yet_is_planned_open_and_filled_when_it_is() {
    let scenario = with(MESH);
    let plan = scenario.run(&["plan", "--detail", "full"]).expect_code(0).all();
    assert!(!plan.contains("unknown-0"), "no placeholder is shown:\n{plan}");
    assert!(plan.contains("{ name = \"NETWORK\", value = (known after apply) }"), "{plan}");
    assert_eq!(times_asked(&scenario), 1);
    let members = changes(&scenario, &[]).into_iter().filter(|change| change.contains("primary/")).collect::<Vec<_>>();
    assert_eq!(members.len(), 6, "{members:?}");
    assert_eq!(times_asked(&scenario), 1);
    scenario.run(&APPLY).expect_code(0);
    assert_eq!(times_asked(&scenario), 2, "for the plan, and once more when the network is known");
    assert_eq!(manifest(&scenario, "ConfigMap/istio-system/istio")["data"]["mesh"], "accessLogFile: \"/dev/stdout\"\nnetwork: north\n");
    let env = &manifest(&scenario, "Deployment/istio-system/istiod")["spec"]["template"]["spec"]["containers"][0]["env"][0];
    assert_eq!(env["value"], "north");
    scenario.run(&SETTLED).expect_code(0);

    // One setting is one member, and a value that changes elsewhere is known only after apply again.
    let changed = changes(&scenario, &["--var", "log=/dev/null"]);
    assert_eq!(changed, ["update istio_operator.primary", "update istio_operator.primary/ConfigMap/istio-system/istio"]);
    scenario.run(&["apply", "--auto-approve", "--var", "network=1"]).expect_code(0);
    assert_eq!(manifest(&scenario, "ConfigMap/istio-system/istio")["data"]["mesh"], "accessLogFile: \"/dev/stdout\"\nnetwork: 1\n");

    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert!(scenario.addresses().is_empty());
}

#[test]
fn a_saved_plan_renders_again_what_it_left_open() {
    let scenario = with(MESH);
    scenario.run(&["plan", "--out", "mesh.plan"]).expect_code(0);
    scenario.run(&["apply", "mesh.plan"]).expect_code(0);
    assert_eq!(manifest(&scenario, "ConfigMap/istio-system/istio")["data"]["mesh"], "accessLogFile: \"/dev/stdout\"\nnetwork: north\n");
    scenario.run(&SETTLED).expect_code(0);
}

#[test]
fn what_is_rendered_otherwise_than_planned_stops_before_its_first_effect() {
    let account = |name: &str| {
        format!("printf 'apiVersion: v1\\nkind: ServiceAccount\\nmetadata: {{ name: {name}, namespace: istio-system }}\\n---\\n'")
    };
    let planned = |does: &str| format!("case $network in unknown-*) {does};; esac\n");
    let applied = |does: &str| format!("case $network in north) {does};; esac\n");
    let rows = [
        (applied(&account("more")), "`istio_operator.primary`: `ServiceAccount/istio-system/more` was not planned"),
        (planned(&account("less")), "`istio_operator.primary`: `ServiceAccount/istio-system/less`, which was planned, is missing"),
        (
            applied("log=/dev/other"),
            "`istio_operator.primary`: `manifest.data.mesh` of `ConfigMap/istio-system/istio` is not what was planned",
        ),
        (applied("echo 'no more charts' >&2; exit 7"), "`istio_operator.primary` could not be rendered: istioctl failed"),
    ];
    for (before, told) in rows {
        let scenario = with(MESH);
        scenario.write("bin/before", &before);
        let output = scenario.run(&APPLY).expect_code(1);
        let summary = if told.contains("could not") { "not rendered" } else { "rendered differently" };
        assert_says(&output, &[summary, told]);
        assert!(!scenario.addresses().iter().any(|address| address.starts_with("istio_operator")), "{:?}", scenario.addresses());
        assert!(scenario.addresses().iter().any(|address| address.starts_with("meshplan_data")));
    }
}

#[test]
fn what_needs_to_be_known_is_told() {
    let rows = [
        ("revision  = local.network", "`revision` is known only after apply, and which objects `istioctl` renders follows from it"),
        ("values = { pilot = { autoscaleMin = tonumber(local.network) } }", "`spec.values.pilot.autoscaleMin` is known only after apply"),
        ("values = { named = local.network }", "name not known when rendering"),
        ("values = { named = local.network }", "is rendered with what is known only after apply in a name or a key"),
    ];
    for (argument, told) in rows {
        let scenario = with(&MESH.replace("  mesh_config ", &format!("  {argument}\n  mesh_config ")));
        scenario.write(
            "bin/before",
            "named=$(told named)\n[ -z \"$named\" ] || printf 'apiVersion: v1\\nkind: ServiceAccount\\nmetadata: { name: %s, namespace: istio-system }\\n---\\n' $named\n",
        );
        let output = scenario.run(&["plan"]).expect_code(1);
        let flat = output.all().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(told), "{told} in {flat}");
    }
}

#[test]
fn one_question_is_asked_once_and_many_at_the_same_time() {
    let several = MESH
        .replace("  name = \"cluster1\"", "  for_each = toset([\"a\", \"b\", \"c\"])\n  name     = each.key")
        .replace("  cluster = sandbox_cluster.this\n", "  for_each = sandbox_cluster.this\n  cluster  = each.value\n")
        .replace("  cluster     = sandbox_cluster.this\n", "  for_each    = sandbox_cluster.this\n  cluster     = each.value\n")
        .replace("kubernetes_namespace.system.name", "kubernetes_namespace.system[each.key].name");
    let scenario = with(&several);
    scenario.run(&["plan"]).expect_code(0);
    assert_eq!(times_asked(&scenario), 1, "three clusters are told the same");
    scenario.replace("main.mesh.hcl", "  network     =", "  cluster_name = each.key\n  network     =");
    scenario.run(&["plan"]).expect_code(0);
    assert_eq!(times_asked(&scenario), 3);
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
}

#[test]
fn a_program_that_does_not_fit_is_told_with_what_to_do() {
    let scenario = with(&MESH.replace("1.30.2", "1.29.4"));
    let output = scenario.run(&["plan"]).expect_code(1);
    assert_says(&output, &["istioctl of another version", "version `1.30.2`", "releases/tag/1.29.4"]);

    let mut scenario = with(MESH);
    scenario.set("PATH", "/usr/bin:/bin");
    assert_says(&scenario.run(&["plan"]).expect_code(1), &["istioctl not found", "releases/tag/1.30.2"]);
    scenario.write("provider.mesh.hcl", "provider \"istio\" {\n  istioctl = \"bin/istioctl\"\n}\n");
    scenario.run(&APPLY).expect_code(0);
    // What is destroyed is not rendered.
    fs::remove_file(scenario.path().join("bin/istioctl")).unwrap();
    assert_says(&scenario.run(&["plan"]).expect_code(1), &["bin/istioctl`, and no program is there"]);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert!(scenario.addresses().is_empty());
}

#[test]
fn what_it_says_is_shown_and_no_secret_in_it() {
    let configuration = MESH.replace("network     = local.network", "network     = sensitive(\"hunter2-net\")");
    let scenario = with(&configuration);
    scenario.write("bin/after", "echo \"deprecated: $network\" >&2\n");
    let output = scenario.run(&APPLY).expect_code(0);
    assert_says(&output, &["remark while rendering", "deprecated: "]);
    assert!(!output.all().contains("hunter2"), "{}", output.all());
    scenario.write("bin/after", "echo \"no network $network\" >&2; exit 1\n");
    let output = scenario.run(&["plan"]).expect_code(1);
    assert_says(&output, &["istioctl failed", "no network "]);
    assert!(!output.all().contains("hunter2"), "{}", output.all());
}

#[test]
fn the_example_of_the_reference_is_applied_and_goes_again() {
    let example = project().join("docs/reference/examples/istio_operator.mesh.hcl");
    let scenario = with(&fs::read_to_string(example).unwrap());
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert!(scenario.addresses().is_empty());
}

#[test]
fn the_module_renders_control_planes_that_no_operator_installs() {
    let scenario = with(
        "resource \"sandbox_cluster\" \"this\" {\n  for_each = toset([\"a\", \"b\"])\n  name = each.key\n}\nmodule \"mesh\" {\n  source = \"builtin:multi-primary\"\n  \
         istio_version = \"1.30.2\"\n  clusters = { for name, cluster in sandbox_cluster.this : name => { cluster = cluster, network = name } }\n}\n",
    );
    // Below 1.24 the operator is there as before.
    scenario.replace("main.mesh.hcl", "1.30.2", "1.23.6");
    let operator = "create module.mesh.istio_operator.primary[\"a\"]/Deployment/istio-operator/istio-operator".to_owned();
    assert!(changes(&scenario, &[]).contains(&operator));
    scenario.replace("main.mesh.hcl", "1.23.6", "1.30.2");
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    let made = |wanted: &str| scenario.addresses().iter().any(|address| address.contains(wanted));
    assert!(made("istio_operator.primary[\"a\"]/Deployment/istio-system/istiod") && !made("Deployment/istio-operator/istio-operator"));
}

#[test]
fn a_remote_is_planned_before_the_address_of_its_control_plane_is_known() {
    let scenario = with(
        "resource \"sandbox_cluster\" \"this\" {\n  for_each = toset([\"a\", \"b\"])\n  name = each.key\n}\nmodule \"mesh\" {\n  source = \"builtin:primary-remote\"\n  \
         istio_version = \"1.30.2\"\n  clusters = {\n    a = { cluster = sandbox_cluster.this[\"a\"], network = \"a\" }\n    \
         b = { cluster = sandbox_cluster.this[\"b\"], network = \"b\", primary = \"a\" }\n  }\n}\n",
    );
    // As the charts do: an address, and nothing else, is an endpoint.
    scenario.write(
        "bin/before",
        r#"define() {
cat <<END
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: $2.networking.istio.io }
spec:
  group: networking.istio.io
  scope: Namespaced
  names: { kind: $1, plural: $2 }
  versions:
  - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }
---
END
}
define VirtualService virtualservices
define DestinationRule destinationrules
address=$(told remotePilotAddress)
case "$address" in [0-9]*) cat <<END
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: istiod, namespace: istio-system }
addressType: IPv4
endpoints: [{ addresses: ["$address"] }]
---
END
esac
"#,
    );
    let planned = changes(&scenario, &[]);
    let slice = "create module.mesh.istio_operator.remote[\"b\"]/EndpointSlice/istio-system/istiod".to_owned();
    assert!(planned.contains(&slice), "{planned:?}");
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    let state = scenario.state().to_string();
    assert!(!state.contains("240.1"), "no placeholder is left");
}
