//! `kubernetes_config_patch` on real API servers: kube-proxy's configuration as kubeadm writes it, with other owners beside.

use crate::within::Within;
use serde_json::{Value, json};

/// The part of kube-proxy's configuration that kubeadm writes.
const TEXT: &str = "apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
# made by a person
ipvs:
  excludeCIDRs: null
  strictARP: false # of layer 2
kind: KubeProxyConfiguration
metricsBindAddress: \"\"
mode: \"\"
";

/// A namespace of its own with a config map `kube-proxy`.
fn kube_proxy() -> Option<Within> {
    let within = Within::shared()?;
    make(&within, TEXT);
    Some(within)
}

/// Makes the map with this text.
fn make(within: &Within, text: &str) {
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-proxy" }, "data": data(text) });
    within.cluster.api().make(&within.path("/api/v1 configmaps"), &object);
}

fn data(text: &str) -> Value {
    json!({ "config.conf": text, "kubeconfig.conf": "apiVersion: v1\nkind: Config\n" })
}

fn path(within: &Within) -> String {
    within.path("/api/v1 configmaps/kube-proxy")
}

fn text(within: &Within) -> String {
    let object = within.cluster.api().get(&path(within)).unwrap();
    assert_eq!(object["data"]["kubeconfig.conf"], "apiVersion: v1\nkind: Config\n", "what is beside stays");
    object["data"]["config.conf"].as_str().unwrap().to_owned()
}

fn edit(within: &Within, from: &str, to: &str) {
    let text = text(within);
    assert!(text.contains(from), "{text}");
    within.cluster.api().edit(&path(within), &json!({ "data": data(&text.replace(from, to)) }));
}

/// Patches by their labels, each with its values and what else stands in the block.
fn configure(within: &Within, patches: &[(&str, &str)]) {
    let block = |(label, arguments): &(&str, &str)| {
        format!(
            "resource \"kubernetes_config_patch\" \"{label}\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"NAMESPACE\"\n  \
             name = \"kube-proxy\"\n  key = \"config.conf\"\n  {arguments}\n}}\n"
        )
    };
    within.configure(&patches.iter().map(block).collect::<String>());
}

const STRICT: (&str, &str) = ("strict", "values = { ipvs = { strictARP = true } }");
const MODE: (&str, &str) = ("mode", "values = { mode = \"ipvs\" }");

#[test]
fn keys_of_kube_proxy_are_owned_and_given_back() {
    let Some(within) = kube_proxy() else { return };
    configure(&within, &[STRICT, MODE]);
    within.apply();
    let patched = TEXT.replace("strictARP: false", "strictARP: true").replace("\nmode: \"\"", "\nmode: \"ipvs\"");
    assert_eq!(text(&within), patched);
    within.assert_converged();

    // What is not ours may change; what is ours shows, and only that.
    edit(&within, "bindAddress: 0.0.0.0", "bindAddress: 127.0.0.1");
    within.assert_converged();
    edit(&within, "strictARP: true", "strictARP: false");
    let plan = within.scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2).all();
    assert!(plan.contains("kubernetes_config_patch.strict") && plan.contains("strictARP"), "{plan}");
    assert!(!plan.contains("kubernetes_config_patch.mode") && !plan.contains("bindAddress"), "{plan}");
    within.apply();
    let edited = patched.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(text(&within), edited);

    // One of the two goes, then all.
    configure(&within, &[MODE]);
    within.apply();
    assert_eq!(text(&within), edited.replace("strictARP: true", "strictARP: false"));
    within.destroy();
    assert_eq!(text(&within), TEXT.replace("0.0.0.0", "127.0.0.1"));
}

#[test]
fn keys_that_change_hands_are_left_with_their_new_values() {
    let Some(within) = kube_proxy() else { return };
    configure(&within, &[STRICT]);
    within.apply();
    configure(&within, &[("strict", "values = { ipvs = { scheduler = \"rr\" }, winkernel = { networkName = \"l2\" } }")]);
    within.apply();
    assert_eq!(text(&within), format!("{}winkernel:\n  networkName: l2\n", TEXT.replace("layer 2\n", "layer 2\n  scheduler: rr\n")));
    within.assert_converged();
    edit(&within, "scheduler: rr", "scheduler: wrr");
    within.destroy();
    assert_eq!(text(&within), TEXT.replace("layer 2\n", "layer 2\n  scheduler: wrr\n"));
}

#[test]
fn many_patches_of_one_text_all_land() {
    let Some(within) = kube_proxy() else { return };
    let patches: Vec<_> =
        (0..12).map(|number| (format!("p{number}"), format!("values = {{ made = {{ key{number} = {number} }} }}"))).collect();
    let patches: Vec<_> = patches.iter().map(|(label, arguments)| (label.as_str(), arguments.as_str())).collect();
    configure(&within, &patches);
    within.apply();
    let landed = text(&within);
    assert!((0..12).all(|number| landed.contains(&format!("  key{number}: {number}\n"))), "{landed}");
    within.assert_converged();
    within.destroy();
    // The mapping went with the last of them, whoever that was.
    assert!(!text(&within).contains("key") && text(&within).starts_with(TEXT), "{}", text(&within));
}

#[test]
fn a_text_that_is_applied_by_somebody_is_not_fought_over() {
    let Some(within) = kube_proxy() else { return };
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-proxy" }, "data": { "config.conf": TEXT } });
    within.cluster.api().apply(&path(&within), "flux", &object);
    configure(&within, &[STRICT]);
    let refused = within.scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(refused.contains("text kept by another") && refused.contains("`flux`"), "{refused}");
    assert_eq!(text(&within), TEXT);
    configure(&within, &[(STRICT.0, &format!("{}\n  force = true", STRICT.1))]);
    within.apply();
    within.assert_converged();
}

#[test]
fn there_has_to_be_a_text_with_keys() {
    let Some(within) = kube_proxy() else { return };
    configure(&within, &[STRICT]);
    edit(&within, TEXT, "no keys in here");
    let refused = within.scenario.run(&["plan"]).expect_code(1).all();
    assert!(refused.contains("text not readable") && refused.contains("holds no mapping"), "{refused}");
    within.cluster.api().delete(&path(&within));
    let refused = within.scenario.run(&["plan"]).expect_code(1).all();
    assert!(refused.contains("nothing to patch"), "{refused}");
    assert!(within.scenario.addresses().iter().all(|address| !address.contains("config_patch")));
}

#[test]
fn a_text_that_came_anew_is_patched_anew() {
    let Some(within) = kube_proxy() else { return };
    configure(&within, &[STRICT]);
    within.apply();
    within.cluster.api().delete(&path(&within));
    let anew = TEXT.replace("strictARP: false # of layer 2", "strictARP: false # anew");
    make(&within, &anew);
    within.scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2).all();
    within.apply();
    assert_eq!(text(&within), anew.replace("strictARP: false", "strictARP: true"));
    within.assert_converged();
    within.destroy();
    assert_eq!(text(&within), anew);
}
