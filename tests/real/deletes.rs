//! What is deleted while others hold it.

use crate::within::Within;
use serde_json::{Value, json};
use std::time::Duration;

fn map(within: &Within, name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": within.namespace }, "data": { "k": "v" } })
}

const TWO_SECONDS: &str = "  timeouts {\n    delete = \"2s\"\n  }";

#[test]
fn a_finalizer_is_named_and_waited_for() {
    let Some(within) = Within::shared() else { return };
    within.objects(&[("m", map(&within, "m"), TWO_SECONDS)]);
    within.apply();
    let path = within.path("/api/v1 configmaps") + "/m";
    let api = within.cluster.api();
    api.edit(&path, &json!({ "metadata": { "finalizers": ["example.org/hold"] } }));
    let told = within.scenario.run(&["destroy", "--auto-approve"]).expect_code(1).all();
    let words = ["not gone in time", "is still there after 2 s", "`example.org/hold`"];
    assert!(words.iter().all(|words| told.contains(words)), "{told}");
    assert!(within.scenario.addresses().contains(&"kubernetes_manifest.m".to_owned()), "what is still there is still known");
    // The next run waits for the same object, and ends as soon as it is gone.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(700));
            api.edit(&path, &json!({ "metadata": { "finalizers": null } }));
        });
        within.destroy();
    });
    assert_eq!(api.get(&path), None);
}
