//! What others do to objects: who did it and when, a refresh that changes the state alone, and plans that do not look.

use crate::within::Within;
use meshplan_tests::apiserver::Proxy;
use serde_json::{Value, json};

/// One of them is edited, one deleted, one given a label that is none of ours, one left alone.
const NAMES: [&str; 4] = ["edited", "deleted", "labelled", "left"];

fn map(within: &Within, name: &str, value: &str) -> Value {
    let metadata = json!({ "name": name, "namespace": within.namespace, "labels": { "ours": "yes" } });
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "k": value } })
}

/// Objects that were applied, and what others then did to them.
fn meddled() -> Option<Within> {
    let within = Within::shared()?;
    let maps = NAMES.map(|name| (name, map(&within, name, "1"), ""));
    within.objects(&maps);
    within.apply();
    within.assert_converged();
    let (api, path) = (within.cluster.api(), within.path("/api/v1 configmaps"));
    api.edit(&format!("{path}/edited"), &json!({ "data": { "k": "2" } }));
    api.delete(&format!("{path}/deleted"));
    api.edit(&format!("{path}/labelled"), &json!({ "metadata": { "labels": { "theirs": "yes" } } }));
    Some(within)
}

/// The version of each object that is there; null for the others.
fn versions(within: &Within) -> [Value; 4] {
    let path = within.path("/api/v1 configmaps");
    NAMES.map(|name| within.cluster.api().get(&format!("{path}/{name}")).unwrap_or_default()["metadata"]["resourceVersion"].clone())
}

/// When the server says that a field manager last wrote an object.
fn written(within: &Within, name: &str, manager: &str) -> String {
    let live = within.cluster.api().get(&format!("{}/{name}", within.path("/api/v1 configmaps"))).unwrap();
    let owners = live["metadata"]["managedFields"].as_array().unwrap();
    let owner = owners.iter().find(|owner| owner["manager"] == manager).unwrap();
    owner["time"].as_str().unwrap().to_owned()
}

#[test]
fn what_others_change_is_told_with_who_and_when_and_a_foreign_label_is_theirs() {
    let Some(within) = meddled() else { return };
    let at = written(&within, "edited", "kubectl-edit");
    let shown = within.scenario.run(&["plan"]).expect_code(0).stdout;
    let section: Vec<_> =
        shown.split("\n\n").next().unwrap().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let changed = format!("kubernetes_manifest.edited `data.k` by `kubectl-edit` at {at}");
    assert_eq!(section, ["Changed outside", "kubernetes_manifest.deleted deleted", &changed], "{shown}");
    assert!(shown.contains("Plan: 1 to add, 1 to change, 0 to replace, 0 to destroy."), "{shown}");
    assert!(!shown.contains("labelled") && !shown.contains("theirs"), "{shown}");
    let told: Vec<_> =
        within.plan().events("drift").iter().map(|told| json!([told["address"], told["what"], told["paths"], told["by"]])).collect();
    let by = format!("by `kubectl-edit` at {at}");
    let expected =
        [json!(["kubernetes_manifest.deleted", "deleted", [], []]), json!(["kubernetes_manifest.edited", "changed", ["data.k"], [by]])];
    assert_eq!(told, expected);

    within.apply();
    within.assert_converged();
    let live = |name: &str| within.cluster.api().get(&format!("{}/{name}", within.path("/api/v1 configmaps"))).unwrap();
    assert_eq!((&live("edited")["data"], &live("deleted")["data"]), (&json!({ "k": "1" }), &json!({ "k": "1" })));
    assert_eq!(live("labelled")["metadata"]["labels"], json!({ "ours": "yes", "theirs": "yes" }));
    within.destroy();
}

#[test]
fn a_refresh_writes_the_state_alone_and_the_next_plan_mends() {
    let Some(within) = meddled() else { return };
    let before = versions(&within);
    let shown = within.scenario.run(&["plan", "--refresh-only", "--detailed-exitcode"]).expect_code(2).stdout;
    assert!(shown.contains("State: 1 to forget; nothing that exists is changed."), "{shown}");
    assert_eq!(within.scenario.addresses().len(), 4, "a plan writes nothing");
    let proxy = Proxy::of(within.cluster);
    within.reach(proxy.access());
    let applied = within.scenario.run(&["apply", "--refresh-only", "--auto-approve"]).expect_code(0).stdout;
    assert!(applied.contains("Refresh complete: the state remembers what exists."), "{applied}");
    let asked = proxy.seen();
    assert!(asked.iter().all(|seen| matches!(seen.verb, "get" | "list" | "watch" | "discover")), "{asked:?}");
    assert!(!asked.is_empty());
    assert_eq!(versions(&within), before);
    let left = ["kubernetes_manifest.edited", "kubernetes_manifest.labelled", "kubernetes_manifest.left"];
    assert_eq!(within.scenario.addresses(), left);

    // What was forgotten is made again, what was edited is set back: the configuration means what it meant.
    let mut reasons = within.plan().reasons();
    reasons.sort();
    assert_eq!(reasons[0], ("kubernetes_manifest.deleted".to_owned(), "not in state".to_owned()));
    assert!(
        reasons[1].0 == "kubernetes_manifest.edited" && reasons[1].1.starts_with("`data.k` changed outside by `kubectl-edit`"),
        "{reasons:?}"
    );
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    within.apply();
    within.assert_converged();
    within.destroy();
}

#[test]
fn without_a_refresh_nothing_is_asked_and_drift_is_not_seen() {
    let Some(within) = meddled() else { return };
    let proxy = Proxy::of(within.cluster);
    within.reach(proxy.access());
    let shown = within.scenario.run(&["plan", "--refresh=false", "--detailed-exitcode"]).expect_code(0).stdout;
    assert!(shown.contains("No changes") && !shown.contains("Changed outside"), "{shown}");
    let objects = |proxy: &Proxy| proxy.count(&format!("* /namespaces/{}/", within.namespace)) + proxy.count("list /configmaps");
    assert_eq!(objects(&proxy), 0, "{:?}", proxy.seen());

    // The same plan that looks does ask, and sees.
    proxy.forget();
    let shown = within.scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(shown.contains("Changed outside") && objects(&proxy) > 0, "{shown}");

    // What the configuration changes is planned against what the state remembers; the others stay as others left them.
    let maps = NAMES.map(|name| (name, map(&within, name, if name == "left" { "3" } else { "1" }), ""));
    within.objects(&maps);
    proxy.forget();
    let applied = within.scenario.run(&["apply", "--refresh=false", "--auto-approve"]).expect_code(0).stdout;
    assert!(applied.contains("0 added, 1 changed, 0 destroyed"), "{applied}");
    let asked = proxy.seen();
    assert!(asked.iter().filter(|seen| seen.path.contains(&within.namespace)).all(|seen| seen.path.contains("/left")), "{asked:?}");
    let live = |name: &str| within.cluster.api().get(&format!("{}/{name}", within.path("/api/v1 configmaps")));
    assert_eq!(
        (live("deleted"), &live("edited").unwrap()["data"]["k"], &live("left").unwrap()["data"]["k"]),
        (None, &json!("2"), &json!("3"))
    );
    within.apply();
    within.assert_converged();
    within.destroy();
}
