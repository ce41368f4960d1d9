//! Revisions of Istio beside each other on a real API server, as the real `istioctl` renders them: what they share, tags, and what is in use.

use crate::example::{Cluster, clusters};
use meshplan_tests::apiserver::Api;
use meshplan_tests::apiserver::inventory::inventory;
use meshplan_tests::istioctl::Istioctl;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};

const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];
const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.networking.istio.io";

/// What a cluster has once, a control plane for each revision, and tags.
const REVISIONS: &str = r#"
provider "istio" {
  istioctls = { "1.31" = "ISTIOCTL" }
}
variable "versions" {
  type    = map(string)
  default = { old = "1.31.0" }
}
variable "tags" {
  type    = map(string)
  default = { stable = "old" }
}
data "kubernetes_cluster" "this" {
  context = "cluster1"
}
resource "kubernetes_namespace" "system" {
  cluster = data.kubernetes_cluster.this
  name    = "istio-system"
}
resource "istio_operator" "base" {
  cluster     = data.kubernetes_cluster.this
  namespace   = kubernetes_namespace.system.name
  name        = "base"
  tag         = "1.31.0"
  profile     = "empty"
  components  = { base = { enabled = true } }
  definitions = "manage"
  on_exists   = "adopt"
}
resource "istio_operator" "revision" {
  for_each   = var.versions
  cluster    = data.kubernetes_cluster.this
  namespace  = kubernetes_namespace.system.name
  name       = "control-plane-${each.key}"
  revision   = each.key
  tag        = each.value
  components = {
    base            = { enabled = false }
    ingressGateways = [{ name = "istio-ingressgateway", enabled = false }]
  }
  depends_on = [istio_operator.base]
}
resource "istio_revision_tag" "this" {
  for_each      = var.tags
  control_plane = istio_operator.revision[each.value]
  name          = each.key
}
"#;

/// A workload in a namespace of its own, with pods that a revision is said to have injected.
const WORKLOAD: &str = r#"
resource "kubernetes_namespace" "sample" {
  cluster = data.kubernetes_cluster.this
  name    = "sample"
}
resource "kubernetes_manifest" "web" {
  cluster = data.kubernetes_cluster.this
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata   = { name = "web", namespace = kubernetes_namespace.sample.name }
    spec = {
      replicas = 5
      selector = { matchLabels = { app = "web" } }
      template = {
        metadata = {
          labels      = { app = "web", "service.istio.io/canonical-revision" = "latest" }
          annotations = { "sidecar.istio.io/status" = jsonencode({ containers = ["istio-proxy"], revision = "old" }) }
        }
        spec = { containers = [{ name = "c", image = "docker.io/library/none:1" }] }
      }
    }
  }
}
"#;

fn scenario(istioctl: &Istioctl, cluster: &Cluster, more: &str) -> Scenario {
    let program = istioctl.path().display().to_string();
    let mut scenario = Scenario::with(&format!("{}{more}", REVISIONS.replace("ISTIOCTL", &program)));
    scenario.reach(&[cluster.1.admin().clone()]);
    scenario
}

/// The objects of a text of YAML.
fn objects(text: &str) -> Vec<Value> {
    kubernetes::parse_yaml(text).unwrap().iter().map(|object| object.to_json().unwrap()).collect()
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Arguments with versions and tags.
fn with<'a>(verb: &[&'a str], versions: &'a str, tags: &'a str) -> Vec<&'a str> {
    [verb, &["--var", versions, "--var", tags]].concat()
}

const OLD: &str = r#"versions={ old = "1.31.0" }"#;
const BOTH: &str = r#"versions={ old = "1.31.0", new = "1.31.1" }"#;
const NEW: &str = r#"versions={ new = "1.31.1" }"#;

#[test]
fn stand_in_revisions_stand_beside_each_other_and_share_what_a_cluster_has_once() {
    let (Some(istioctl), Some(clusters)) = (Istioctl::find(), clusters()) else { return };
    let api = clusters[0].1.api();
    let before = inventory(api);
    // An earlier installation has left a definition.
    let rendered = istioctl.tell(&["manifest", "generate", "--set", "profile=empty", "--set", "components.base.enabled=true"]);
    let mut left =
        objects(&rendered).into_iter().find(|object| object["metadata"]["name"] == "virtualservices.networking.istio.io").unwrap();
    left["metadata"]["labels"] = json!({ "release": "earlier" });
    let versions = left["spec"]["versions"].as_array_mut().unwrap();
    versions.retain(|version| version["name"] == "v1");
    versions[0]["storage"] = json!(true);
    api.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &left);
    let uid = api.get(DEFINITION).unwrap()["metadata"]["uid"].clone();

    let scenario = scenario(&istioctl, &clusters[0], "");
    let stable = r#"tags={ stable = "old" }"#;
    // What is looked at lies in a namespace that is there.
    scenario.run(&["apply", "--auto-approve", "--target", "kubernetes_namespace.system"]).expect_code(0);
    let plan = scenario.run(&with(&["plan", "--json"], OLD, stable)).expect_code(0).stdout;
    let changes = plan.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|event| event["event"] == "planned_change");
    let adopted: Vec<_> = changes.filter(|change| change["action"] == "import").map(|change| change["address"].clone()).collect();
    assert_eq!(adopted, ["istio_operator.base/CustomResourceDefinition/virtualservices.networking.istio.io"]);
    assert!(!plan.contains("unnamed-istio-operator"), "{plan}");
    scenario.run(&with(&APPLY, OLD, stable)).expect_code(0);
    scenario.run(&with(&SETTLED, OLD, stable)).expect_code(0);
    let adopted = api.get(DEFINITION).unwrap();
    assert_eq!(adopted["metadata"]["uid"], uid);
    assert_eq!(adopted["spec"]["versions"].as_array().unwrap().len(), 3, "it is of the version of the base now");

    // A second one, and the tag moves to it in place.
    let canary = r#"tags={ stable = "old", canary = "new" }"#;
    scenario.run(&with(&APPLY, BOTH, canary)).expect_code(0);
    scenario.run(&with(&SETTLED, BOTH, canary)).expect_code(0);
    for istiod in ["istiod-old", "istiod-new"] {
        assert!(api.get(&format!("/apis/apps/v1/namespaces/istio-system/deployments/{istiod}")).is_some(), "{istiod}");
    }
    let tag = |name: &str| api.get(&format!("{ADMISSION}/mutatingwebhookconfigurations/istio-revision-tag-{name}")).unwrap();
    let made = tag("stable")["metadata"]["uid"].clone();
    let moved = r#"tags={ stable = "new" }"#;
    scenario.run(&with(&APPLY, BOTH, moved)).expect_code(0);
    scenario.run(&with(&SETTLED, BOTH, moved)).expect_code(0);
    assert_eq!((&tag("stable")["metadata"]["uid"], &tag("stable")["metadata"]["labels"]["istio.io/rev"]), (&made, &json!("new")));
    let service = &tag("stable")["webhooks"][0]["clientConfig"]["service"]["name"];
    assert_eq!(service, "istiod-new");

    // Nobody uses the old one.
    scenario.run(&with(&APPLY, NEW, moved)).expect_code(0);
    scenario.run(&with(&SETTLED, NEW, moved)).expect_code(0);
    assert!(api.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod-old").is_none());
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(inventory(api), before);
}

#[test]
fn stand_in_a_revision_that_pods_run_with_stays_until_they_go() {
    let (Some(istioctl), Some(clusters)) = (Istioctl::find(), clusters()) else { return };
    let api = clusters[0].1.api();
    let before = inventory(api);
    let scenario = scenario(&istioctl, &clusters[0], WORKLOAD);
    let (stable, moved) = (r#"tags={ stable = "old" }"#, r#"tags={ stable = "new" }"#);
    scenario.run(&with(&APPLY, BOTH, stable)).expect_code(0);
    let refused = flat(&scenario.run(&with(&["plan"], NEW, moved)).expect_code(1).all());
    assert!(
        refused.contains("error: still in use") && refused.contains("the revision `old` is still used: by pod `sample/web-"),
        "{refused}"
    );
    assert!(refused.contains("and 2 more"), "five pods: {refused}");
    // They move: the same pods by another revision.
    scenario.replace("main.mesh.hcl", "revision = \"old\" })", "revision = \"new\" })");
    scenario.run(&with(&APPLY, BOTH, moved)).expect_code(0);
    scenario.run(&with(&APPLY, NEW, moved)).expect_code(0);
    scenario.run(&with(&SETTLED, NEW, moved)).expect_code(0);
    assert!(api.get(&format!("{ADMISSION}/mutatingwebhookconfigurations/istio-sidecar-injector-old")).is_none());
    // Everything goes in one plan: the workload, its pods, and then what they ran with.
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
    assert_eq!(inventory(api), before);
}

/// An object of what `istioctl tag generate` prints, without what changes from one build to the next or is a server's default.
fn meant(object: &Value) -> Value {
    let mut meant = json!({ "kind": object["kind"], "name": object["metadata"]["name"] });
    let labels = object["metadata"]["labels"].as_object().unwrap();
    let telling = ["app", "istio", "istio.io/rev", "istio.io/tag", "release", "app.kubernetes.io/name", "app.kubernetes.io/part-of"];
    let labels: serde_json::Map<_, _> =
        labels.iter().filter(|(name, _)| telling.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect();
    meant["labels"] = labels.into();
    let mut webhooks = object["webhooks"].clone();
    for webhook in webhooks.as_array_mut().into_iter().flatten() {
        let fields = webhook.as_object_mut().unwrap();
        for (field, usual) in [("matchPolicy", json!("Equivalent")), ("timeoutSeconds", json!(10)), ("reinvocationPolicy", json!("Never"))]
        {
            if fields.get(field) == Some(&usual) {
                fields.remove(field);
            }
        }
        // Both are istiod's to write.
        fields
            .remove("failurePolicy")
            .filter(|_| object["kind"] == "MutatingWebhookConfiguration")
            .map(|policy| fields.insert("failurePolicy".into(), policy));
        fields["clientConfig"].as_object_mut().unwrap().remove("caBundle");
        if fields["clientConfig"]["service"]["port"] == 443 {
            fields["clientConfig"]["service"].as_object_mut().unwrap().remove("port");
        }
        for selector in ["namespaceSelector", "objectSelector"] {
            if fields.get(selector) == Some(&json!({})) {
                fields.remove(selector);
            }
        }
        for rule in fields["rules"].as_array_mut().unwrap() {
            if rule["scope"] == "*" {
                rule.as_object_mut().unwrap().remove("scope");
            }
        }
    }
    meant["webhooks"] = webhooks;
    if object["kind"] == "Service" {
        let ports = object["spec"]["ports"].as_array().unwrap();
        let port = |port: &Value| {
            json!([
                port["name"],
                port["port"],
                port.get("targetPort").filter(|target| **target != 0).unwrap_or(&port["port"]),
                port["protocol"]
            ])
        };
        meant["ports"] = ports.iter().map(port).collect();
        meant["selector"] = object["spec"]["selector"].clone();
    }
    meant
}

fn tags(api: &Api, name: &str) -> Vec<Value> {
    let mut paths = vec![
        format!("/api/v1/namespaces/istio-system/services/istiod-revision-tag-{name}"),
        format!("{ADMISSION}/mutatingwebhookconfigurations/istio-revision-tag-{name}"),
    ];
    if name == "default" {
        paths.push(format!("{ADMISSION}/validatingwebhookconfigurations/istiod-default-validator"));
    }
    let mut objects: Vec<_> = paths
        .iter()
        .zip(["Service", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"])
        .map(|(path, kind)| {
            let mut object = api.get(path).unwrap();
            object["kind"] = json!(kind);
            meant(&object)
        })
        .collect();
    objects.sort_by_key(|object| object["kind"].to_string());
    objects
}

#[test]
fn stand_in_tags_are_what_istioctl_makes_of_the_same_revision() {
    let (Some(istioctl), Some(clusters)) = (Istioctl::find(), clusters()) else { return };
    let cluster = &clusters[0].1;
    let before = inventory(cluster.api());
    let scenario = scenario(&istioctl, &clusters[0], "");
    let both = r#"tags={ stable = "old", default = "old" }"#;
    scenario.run(&with(&APPLY, OLD, both)).expect_code(0);
    scenario.write("kubeconfig", &cluster.admin().kubeconfig());
    let kubeconfig = scenario.path().join("kubeconfig").display().to_string();
    for name in ["stable", "default"] {
        let told = istioctl.tell(&["tag", "generate", name, "--revision", "old", "--overwrite", "--kubeconfig", &kubeconfig]);
        let mut objects: Vec<Value> = objects(&told).iter().map(meant).collect();
        objects.sort_by_key(|object| object["kind"].to_string());
        assert_eq!(tags(cluster.api(), name), objects, "{name}");
    }
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(inventory(cluster.api()), before);
}
