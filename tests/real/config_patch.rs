//! `kubernetes_config_patch` on real API servers: kube-proxy's configuration as kubeadm writes it, with other owners beside.

use meshplan_tests::apiserver::{self, ApiServer};
use meshplan_tests::scenario::Scenario;
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

/// A namespace of its own with a config map `kube-proxy`, and a configuration in it.
struct Case {
    scenario: Scenario,
    cluster: &'static ApiServer,
    namespace: String,
}

impl Case {
    fn new() -> Option<Self> {
        let cluster = apiserver::shared(0)?;
        let mut scenario = Scenario::empty();
        scenario.reach(&[cluster.admin().named("c")]);
        let case = Self { scenario, cluster, namespace: cluster.namespace() };
        let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-proxy" }, "data": Self::data(TEXT) });
        cluster.api().make(&format!("/api/v1/namespaces/{}/configmaps", case.namespace), &object);
        Some(case)
    }

    fn data(text: &str) -> Value {
        json!({ "config.conf": text, "kubeconfig.conf": "apiVersion: v1\nkind: Config\n" })
    }

    fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/configmaps/kube-proxy", self.namespace)
    }

    fn text(&self) -> String {
        let object = self.cluster.api().get(&self.path()).unwrap();
        assert_eq!(object["data"]["kubeconfig.conf"], "apiVersion: v1\nkind: Config\n", "what is beside stays");
        object["data"]["config.conf"].as_str().unwrap().to_owned()
    }

    fn edit(&self, from: &str, to: &str) {
        let text = self.text();
        assert!(text.contains(from), "{text}");
        self.cluster.api().edit(&self.path(), &json!({ "data": Self::data(&text.replace(from, to)) }));
    }

    /// Patches by their labels, each with its values and what else stands in the block.
    fn configure(&self, patches: &[(&str, &str)]) {
        let block = |(label, arguments): &(&str, &str)| {
            format!(
                "resource \"kubernetes_config_patch\" \"{label}\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"{}\"\n  \
                 name = \"kube-proxy\"\n  key = \"config.conf\"\n  {arguments}\n}}\n",
                self.namespace
            )
        };
        let text =
            "data \"kubernetes_cluster\" \"c\" {\n  context = \"c\"\n}\n".to_owned() + &patches.iter().map(block).collect::<String>();
        self.scenario.write("main.mesh.hcl", &text);
    }

    fn run(&self, args: &[&str], code: u8) -> String {
        self.scenario.run(args).expect_code(code).all()
    }

    fn apply(&self) -> String {
        self.run(&["apply", "--auto-approve"], 0)
    }

    fn assert_converged(&self) {
        self.run(&["plan", "--detailed-exitcode"], 0);
    }
}

const STRICT: (&str, &str) = ("strict", "values = { ipvs = { strictARP = true } }");
const MODE: (&str, &str) = ("mode", "values = { mode = \"ipvs\" }");

#[test]
fn keys_of_kube_proxy_are_owned_and_given_back() {
    let Some(case) = Case::new() else { return };
    case.configure(&[STRICT, MODE]);
    case.apply();
    let patched = TEXT.replace("strictARP: false", "strictARP: true").replace("\nmode: \"\"", "\nmode: \"ipvs\"");
    assert_eq!(case.text(), patched);
    case.assert_converged();

    // What is not ours may change; what is ours shows, and only that.
    case.edit("bindAddress: 0.0.0.0", "bindAddress: 127.0.0.1");
    case.assert_converged();
    case.edit("strictARP: true", "strictARP: false");
    let plan = case.run(&["plan", "--detailed-exitcode"], 2);
    assert!(plan.contains("kubernetes_config_patch.strict") && plan.contains("strictARP"), "{plan}");
    assert!(!plan.contains("kubernetes_config_patch.mode") && !plan.contains("bindAddress"), "{plan}");
    case.apply();
    let edited = patched.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(case.text(), edited);

    // One of the two goes, then all.
    case.configure(&[MODE]);
    case.apply();
    assert_eq!(case.text(), edited.replace("strictARP: true", "strictARP: false"));
    case.run(&["destroy", "--auto-approve"], 0);
    assert_eq!(case.text(), TEXT.replace("0.0.0.0", "127.0.0.1"));
}

#[test]
fn keys_that_change_hands_are_left_with_their_new_values() {
    let Some(case) = Case::new() else { return };
    case.configure(&[STRICT]);
    case.apply();
    case.configure(&[("strict", "values = { ipvs = { scheduler = \"rr\" }, winkernel = { networkName = \"l2\" } }")]);
    case.apply();
    assert_eq!(case.text(), format!("{}winkernel:\n  networkName: l2\n", TEXT.replace("layer 2\n", "layer 2\n  scheduler: rr\n")));
    case.assert_converged();
    case.edit("scheduler: rr", "scheduler: wrr");
    case.run(&["destroy", "--auto-approve"], 0);
    assert_eq!(case.text(), TEXT.replace("layer 2\n", "layer 2\n  scheduler: wrr\n"));
}

#[test]
fn many_patches_of_one_text_all_land() {
    let Some(case) = Case::new() else { return };
    let patches: Vec<_> =
        (0..12).map(|number| (format!("p{number}"), format!("values = {{ made = {{ key{number} = {number} }} }}"))).collect();
    let patches: Vec<_> = patches.iter().map(|(label, arguments)| (label.as_str(), arguments.as_str())).collect();
    case.configure(&patches);
    case.apply();
    let text = case.text();
    assert!((0..12).all(|number| text.contains(&format!("  key{number}: {number}\n"))), "{text}");
    case.assert_converged();
    case.run(&["destroy", "--auto-approve"], 0);
    // The mapping went with the last of them, whoever that was.
    assert!(!case.text().contains("key") && case.text().starts_with(TEXT), "{}", case.text());
}

#[test]
fn a_text_that_is_applied_by_somebody_is_not_fought_over() {
    let Some(case) = Case::new() else { return };
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-proxy" }, "data": { "config.conf": TEXT } });
    case.cluster.api().apply(&case.path(), "flux", &object);
    case.configure(&[STRICT]);
    let refused = case.run(&["apply", "--auto-approve"], 1);
    assert!(refused.contains("text kept by another") && refused.contains("`flux`"), "{refused}");
    assert_eq!(case.text(), TEXT);
    case.configure(&[(STRICT.0, &format!("{}\n  force = true", STRICT.1))]);
    case.apply();
    case.assert_converged();
}

#[test]
fn there_has_to_be_a_text_with_keys() {
    let Some(case) = Case::new() else { return };
    case.configure(&[STRICT]);
    case.edit(TEXT, "no keys in here");
    let refused = case.run(&["plan"], 1);
    assert!(refused.contains("text not readable") && refused.contains("holds no mapping"), "{refused}");
    case.cluster.api().delete(&case.path());
    let refused = case.run(&["plan"], 1);
    assert!(refused.contains("nothing to patch"), "{refused}");
    assert!(case.scenario.addresses().iter().all(|address| !address.contains("config_patch")));
}

#[test]
fn a_text_that_came_anew_is_patched_anew() {
    let Some(case) = Case::new() else { return };
    case.configure(&[STRICT]);
    case.apply();
    case.cluster.api().delete(&case.path());
    let anew = TEXT.replace("strictARP: false # of layer 2", "strictARP: false # anew");
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kube-proxy" }, "data": Case::data(&anew) });
    case.cluster.api().make(&format!("/api/v1/namespaces/{}/configmaps", case.namespace), &object);
    case.run(&["plan", "--detailed-exitcode"], 2);
    case.apply();
    assert_eq!(case.text(), anew.replace("strictARP: false", "strictARP: true"));
    case.assert_converged();
    case.run(&["destroy", "--auto-approve"], 0);
    assert_eq!(case.text(), anew);
}
