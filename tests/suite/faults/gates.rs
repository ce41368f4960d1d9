//! Gates that real processes wait at.

use super::{CHAIN, JOURNAL};
use crate::laws::{APPLY, COUNTING};
use meshplan_tests::cluster::Cluster;
use meshplan_tests::held::Held;
use meshplan_tests::scenario::Scenario;
use serde_json::json;
use std::time::Instant;

/// A gate that an object of the cluster opens, which this configuration does not make, and what waits for it.
const GATE: &str = r#"
check "open" {
  timeout = "2m"
  data "kubernetes_object" "flag" {
    cluster     = sandbox_cluster.this
    api_version = "v1"
    kind        = "ConfigMap"
    namespace   = kubernetes_namespace.shop.name
    name        = "flag"
  }
  assert {
    condition     = data.kubernetes_object.flag.object.data.open == "yes"
    error_message = "nobody has opened it"
  }
}
resource "kubernetes_secret" "behind" {
  cluster    = sandbox_cluster.this
  namespace  = "shop"
  name       = "behind"
  depends_on = [check.open]
}
"#;

#[test]
fn an_apply_waits_at_a_gate_until_it_opens_and_an_interruption_ends_the_wait_in_order() {
    let scenario = Scenario::with(&(CHAIN.to_owned() + GATE));
    let cluster = || Cluster::of(&scenario, "c");
    let behind = || cluster().get("/api/v1/namespaces/shop/secrets/behind").is_some();
    let started = Instant::now();
    let mut held = Held::asking(COUNTING, &scenario, &APPLY);
    held.says("check.open: waiting until it passes, for 2m00s at most…");
    held.interrupt();
    held.says("Stopping: nothing new starts");
    let (status, said) = held.end();
    assert!(status.code() == Some(1) && started.elapsed().as_secs() < 60, "{status}: {said}");
    assert!(!scenario.path().join(JOURNAL).exists() && !behind(), "{said}");
    assert!(scenario.addresses().contains(&"kubernetes_secret.keys".to_owned()), "what does not wait is made: {said}");
    // Now it opens; what it says until then is told.
    let mut held = Held::asking(COUNTING, &scenario, &APPLY);
    held.says("check.open: waiting until it passes");
    held.says("is null here");
    let flag = |open: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "flag" }, "data": { "open": open } });
    cluster().make("/api/v1/namespaces/shop/configmaps", &flag("no"));
    held.says("nobody has opened it");
    assert!(!behind());
    cluster().edit("/api/v1/namespaces/shop/configmaps/flag", &flag("yes"));
    held.says("check.open: passed");
    let (status, said) = held.end();
    assert!(status.code() == Some(0) && behind(), "{status}: {said}");
    let plan = COUNTING.run(&scenario, &["plan", "--detailed-exitcode"], None);
    assert_eq!(plan.status.code(), Some(0), "{plan:?}");
}
