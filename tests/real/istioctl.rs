//! What the real `istioctl` renders, on a real API server: applied as a set of manifests, left in peace by what runs afterwards, and taken
//! away.

use crate::example::clusters;
use meshplan_tests::apiserver::Api;
use meshplan_tests::apiserver::inventory::inventory;
use meshplan_tests::istioctl::Istioctl;
use meshplan_tests::scenario::Scenario;
use serde_json::json;

const RENDERED: &str = r#"
data "kubernetes_cluster" "this" {
  context = "cluster1"
}
resource "kubernetes_namespace" "system" {
  cluster = data.kubernetes_cluster.this
  name    = "istio-system"
}
resource "istio_operator" "primary" {
  cluster      = data.kubernetes_cluster.this
  namespace    = kubernetes_namespace.system.name
  installer    = "manifests"
  cluster_name = "cluster1"
  content      = file("rendered.yaml")
}
"#;

/// Settings of a release of the images.
fn settings(tag: &str) -> String {
    format!(
        "
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {{ name: control-plane, namespace: istio-system }}
spec:
  tag: {tag}
  # Pods of gateways come up where istiod injects them, and nobody does here.
  profile: minimal
  values: {{ global: {{ meshID: mesh1, multiCluster: {{ clusterName: cluster1 }}, network: network1 }} }}
"
    )
}

const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];

/// What `istioctl` renders of settings.
fn rendered(istioctl: &Istioctl, scenario: &Scenario, settings: &str) -> String {
    scenario.write("settings.yaml", settings);
    let path = scenario.path().join("settings.yaml").display().to_string();
    istioctl.tell(&["manifest", "generate", "--filename", &path])
}

/// What istiod writes once it runs: its authority into the webhooks, and that the validator counts. Then the autoscaler.
fn istiod_runs(api: &Api) {
    let admission = "/apis/admissionregistration.k8s.io/v1";
    let injector = format!("{admission}/mutatingwebhookconfigurations/istio-sidecar-injector");
    let validator = format!("{admission}/validatingwebhookconfigurations/istio-validator-istio-system");
    for path in [&injector, &validator] {
        let mut webhooks = api.get(path).unwrap()["webhooks"].take();
        for webhook in webhooks.as_array_mut().unwrap() {
            webhook["clientConfig"]["caBundle"] = json!("QUJD");
            if *path == validator {
                webhook["failurePolicy"] = json!("Fail");
            }
        }
        let body = json!({ "webhooks": webhooks }).to_string();
        api.send("PATCH", &format!("{path}?fieldManager=pilot-discovery"), "application/merge-patch+json", body).done();
    }
    api.edit("/apis/apps/v1/namespaces/istio-system/deployments/istiod", &json!({ "spec": { "replicas": 2 } }));
}

#[test]
fn stand_in_control_planes_of_istioctl_stay_as_istiod_leaves_them() {
    let (Some(istioctl), Some(clusters)) = (Istioctl::find(), clusters()) else { return };
    let cluster = &clusters[0].1;
    let before = inventory(cluster.api());
    let mut scenario = Scenario::with(RENDERED);
    scenario.reach(&[cluster.admin().clone()]);
    let first = rendered(&istioctl, &scenario, &settings("1.31.0"));
    let objects = first.lines().filter(|line| line.starts_with("kind: ")).count();
    scenario.write("rendered.yaml", &first);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
    istiod_runs(cluster.api());
    scenario.run(&SETTLED).expect_code(0);

    // The next release has other images, and says so in a label of each object.
    let label = "app.kubernetes.io/version: 1.";
    let second = rendered(&istioctl, &scenario, &settings("1.31.1")).replace(&format!("{label}0"), &format!("{label}1"));
    scenario.write("rendered.yaml", &second);
    let plan = scenario.run(&SETTLED).expect_code(2).stdout;
    assert!(plan.contains(&format!("Plan: 0 to add, {} to change, 0 to replace, 0 to destroy.", objects + 1)), "{plan}");
    for line in ["pilot:1.31.0", "pilot:1.31.1", "istio_operator.primary"] {
        assert!(plan.contains(line), "no `{line}` in\n{plan}");
    }
    let applied = scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert!(applied.stdout.contains(&format!("Apply complete: 0 added, {} changed, 0 destroyed.", objects + 1)), "{}", applied.all());
    scenario.run(&SETTLED).expect_code(0);
    // istiod of the new release writes again, and what it wrote before was left to it.
    istiod_runs(cluster.api());
    scenario.run(&SETTLED).expect_code(0);

    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(inventory(cluster.api()), before);
}

/// A control plane by the installer `istioctl`, with a network that is known only after apply.
const INSTALLED: &str = r#"
provider "istio" {
  istioctl = "ISTIOCTL"
}
variable "log" {
  type    = string
  default = "/dev/stdout"
}
variable "tag" {
  type    = string
  default = "1.31.0"
}
data "kubernetes_cluster" "this" {
  context = "cluster1"
}
resource "kubernetes_namespace" "system" {
  cluster = data.kubernetes_cluster.this
  name    = "istio-system"
}
resource "meshplan_data" "network" {}
resource "istio_operator" "primary" {
  cluster      = data.kubernetes_cluster.this
  namespace    = kubernetes_namespace.system.name
  tag          = var.tag
  profile      = "minimal"
  mesh_id      = "mesh1"
  cluster_name = "cluster1"
  network      = replace(meshplan_data.network.id, "/.+/", "network1")
  mesh_config  = { accessLogFile = var.log }
}
"#;

/// The addresses of what a plan changes.
fn planned(scenario: &Scenario, more: &[&str]) -> Vec<String> {
    let told = scenario.run(&[&["plan", "--json"][..], more].concat()).expect_code(0).stdout;
    let events = told.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    events.filter(|event| event["event"] == "planned_change").map(|event| event["address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn stand_in_a_control_plane_is_installed_changed_and_removed() {
    let (Some(istioctl), Some(clusters)) = (Istioctl::find(), clusters()) else { return };
    let cluster = &clusters[0].1;
    let before = inventory(cluster.api());
    let mut scenario = Scenario::with(&INSTALLED.replace("ISTIOCTL", &istioctl.path().display().to_string()));
    scenario.reach(&[cluster.admin().clone()]);
    let planned = self::planned(&scenario, &[]);
    for member in
        ["CustomResourceDefinition/virtualservices.networking.istio.io", "ConfigMap/istio-system/istio", "Deployment/istio-system/istiod"]
    {
        assert!(planned.contains(&format!("istio_operator.primary/{member}")), "{member} in {planned:?}");
    }
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);

    // The very objects that `istioctl` renders of the network as it turned out.
    let config = cluster.api().get("/api/v1/namespaces/istio-system/configmaps/istio").unwrap();
    assert!(config["data"]["mesh"].as_str().unwrap().contains("accessLogFile: /dev/stdout"), "{config}");
    let injector = cluster.api().get("/api/v1/namespaces/istio-system/configmaps/istio-sidecar-injector").unwrap();
    assert!(injector["data"]["values"].as_str().unwrap().contains("\"network\": \"network1\""), "{injector}");
    let admission = "/apis/admissionregistration.k8s.io/v1";
    let injector = cluster.api().get(&format!("{admission}/mutatingwebhookconfigurations/istio-sidecar-injector")).unwrap();
    assert!(injector["webhooks"][0]["clientConfig"]["caBundle"].is_string(), "the apply waited for it");

    // One setting of the mesh is one object.
    let log = ["--var", "log=/dev/null"];
    let changed = self::planned(&scenario, &log);
    assert!(changed.contains(&"istio_operator.primary/ConfigMap/istio-system/istio".to_owned()), "{changed:?}");
    assert!(changed.iter().all(|address| address == "istio_operator.primary" || address.contains("/ConfigMap/")), "{changed:?}");
    scenario.run(&[&["apply", "--auto-approve"][..], &log].concat()).expect_code(0);
    scenario.run(&[&SETTLED[..], &log].concat()).expect_code(0);
    let config = cluster.api().get("/api/v1/namespaces/istio-system/configmaps/istio").unwrap();
    assert!(config["data"]["mesh"].as_str().unwrap().contains("accessLogFile: /dev/null"), "{config}");

    let told = scenario.run(&["plan", "--var", "tag=1.30.2"]).expect_code(1).all();
    assert!(told.contains("istioctl of another version") && told.contains("releases/tag/1.30.2"), "{told}");

    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(inventory(cluster.api()), before);
}
