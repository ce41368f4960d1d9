//! What the real `istioctl` renders, on a real API server: applied as a set of manifests, left in peace by what runs afterwards, and taken
//! away.

use crate::example::clusters;
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

const SETTINGS: &str = "
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: control-plane, namespace: istio-system }
spec:
  tag: 1.31.0
  values: { global: { meshID: mesh1, multiCluster: { clusterName: cluster1 }, network: network1 } }
";

const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];

/// What `istioctl` renders of settings, as a file of a scenario.
fn rendered(istioctl: &Istioctl, scenario: &Scenario, settings: &str) {
    scenario.write("settings.yaml", settings);
    let path = scenario.path().join("settings.yaml").display().to_string();
    scenario.write("rendered.yaml", &istioctl.tell(&["manifest", "generate", "--filename", &path]));
}

#[test]
fn stand_in_control_planes_of_istioctl_stay_as_istiod_leaves_them() {
    let (Some(istioctl), Some(clusters)) = (Istioctl::find(), clusters()) else { return };
    let cluster = &clusters[0].1;
    let before = inventory(cluster.api());
    let mut scenario = Scenario::with(RENDERED);
    scenario.reach(&[cluster.admin().clone()]);
    rendered(&istioctl, &scenario, SETTINGS);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);

    // What istiod writes once it runs: its authority into the webhooks, and that the validator counts. Then the autoscaler.
    let admission = "/apis/admissionregistration.k8s.io/v1";
    let injector = format!("{admission}/mutatingwebhookconfigurations/istio-sidecar-injector");
    let validator = format!("{admission}/validatingwebhookconfigurations/istio-validator-istio-system");
    for path in [&injector, &validator] {
        let mut webhooks = cluster.api().get(path).unwrap()["webhooks"].take();
        for webhook in webhooks.as_array_mut().unwrap() {
            webhook["clientConfig"]["caBundle"] = json!("QUJD");
            if *path == validator {
                webhook["failurePolicy"] = json!("Fail");
            }
        }
        let body = json!({ "webhooks": webhooks }).to_string();
        cluster.api().send("PATCH", &format!("{path}?fieldManager=pilot-discovery"), "application/merge-patch+json", body).done();
    }
    cluster.api().edit("/apis/apps/v1/namespaces/istio-system/deployments/istiod", &json!({ "spec": { "replicas": 2 } }));
    scenario.run(&SETTLED).expect_code(0);

    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(inventory(cluster.api()), before);
}
