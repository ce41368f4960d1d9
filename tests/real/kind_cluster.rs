//! `kind_cluster` over the whole command line: the real `kind` on an Engine of the test's own.

use meshplan_tests::killed::Counting;
use meshplan_tests::kind::{DEVICE, IMAGE, Kind, shared};
use meshplan_tests::scenario::Scenario;
use serde_json::Value as Json;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

pub(crate) const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));
pub(crate) const APPLY: [&str; 2] = ["apply", "--auto-approve"];
pub(crate) const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];
pub(crate) const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];

/// A cluster on an address of the host, with something in it.
fn configuration(name: &str, address: &str, more: &str) -> String {
    format!(
        r#"
resource "kind_cluster" "this" {{
  name       = "{name}"
  node_image = "{IMAGE}"
  networking = {{ api_server_address = "{address}", api_server_port = 6443, service_subnet = "10.111.0.0/16" }}
  nodes = [
    {{ role = "control-plane" }},
    {{ role = "worker", labels = {{ zone = "a" }}, extra_mounts = [{{ host_path = "certs", container_path = "/certs", read_only = true }}],
      extra_port_mappings = [{{ container_port = 80, host_port = 80, listen_address = "{address}" }}] }},
  ]
  {more}
}}
resource "kubernetes_namespace" "mesh" {{
  cluster = kind_cluster.this
  name    = "mesh"
}}
output "peer" {{ value = kind_cluster.this.peer_server }}
output "internal" {{ value = kind_cluster.this.internal_server }}
output "address" {{ value = kind_cluster.this.control_plane_address }}
output "nodes" {{ value = {{ for name, node in kind_cluster.this.containers : name => node.role }} }}
"#
    )
}

/// Runs a command line on a machine, which must end with this code; what it says.
pub(crate) fn run(scenario: &Scenario, args: &[&str], code: i32) -> String {
    let output = COUNTING.command(scenario, args).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    said
}

pub(crate) fn outputs(scenario: &Scenario) -> Json {
    let told = run(scenario, &["output", "--json"], 0);
    serde_json::from_str(&told).unwrap()
}

pub(crate) fn text(outputs: &Json, name: &str) -> String {
    let value = &outputs[name];
    value["value"].as_str().or(value.as_str()).unwrap_or_default().to_owned()
}

pub(crate) fn has(said: &str, words: &[&str]) {
    for words in words {
        assert!(said.contains(words), "`{words}` in:\n{said}");
    }
}

#[test]
fn a_cluster_comes_is_used_stands_up_again_and_goes() {
    let Some(kind) = Kind::start() else { return };
    let before = kind.traces();
    let address = |verb: &str| kind.shell(&format!("ip address {verb} 10.2.1.40/32 dev {DEVICE}"));
    address("add");
    let scenario = kind.scenario(&configuration("c1", "10.2.1.40", "timeouts {\n    update = \"20s\"\n  }"));
    let planned = run(&scenario, &["plan"], 0);
    has(&planned, &["kind_cluster.this", "kubernetes_namespace.mesh", "https://10.2.1.40:6443", "image not pinned", "2 to add"]);
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);
    assert!(kind.object("c1", &["namespace", "mesh"]).is_some());
    let made = outputs(&scenario);
    assert_eq!((text(&made, "peer"), text(&made, "internal")), ("https://10.2.1.40:6443".into(), "https://c1-control-plane:6443".into()));
    assert_eq!(text(&made, "address"), kind.address("c1-control-plane"));
    let file = scenario.path().join(".meshplan/kind/c1.kubeconfig");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let seen = |words: &[&str]| kind.tell("kubectl", &[&["--kubeconfig", &file.display().to_string()], words].concat());
    assert!(seen(&["get", "nodes", "--selector=zone=a", "--output=name"]).contains("node/c1-worker"));

    // A node that was stopped is started; what is lost of the kubeconfig is written again.
    kind.stop_node("c1-worker");
    std::fs::write(&file, "").unwrap();
    has(&run(&scenario, &SETTLED, 2), &["~   kind_cluster.this", "`kubeconfig_path`, `running` changed outside", "1 to change"]);
    assert!(!run(&scenario, &["plan"], 0).contains("extra_mounts"), "what is as it was told is not shown");
    run(&scenario, &APPLY, 0);
    seen(&["get", "namespace", "mesh"]);
    run(&scenario, &SETTLED, 0);

    // Without its control plane nothing within can be read, until one approval has started it.
    for node in ["c1-worker", "c1-control-plane"] {
        kind.stop_node(node);
    }
    has(
        &run(&scenario, &SETTLED, 2),
        &["`running` changed outside", "kubernetes_namespace.mesh is read after kind_cluster.this is changed"],
    );
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);
    assert_eq!(text(&outputs(&scenario), "address"), kind.address("c1-control-plane"));

    // An address that is gone keeps the node from starting; an API server that is dead is waited for.
    address("del");
    kind.stop_node("c1-control-plane");
    has(&run(&scenario, &APPLY, 1), &["address missing", "10.2.1.40:6443", "a `host_vip`"]);
    let unseeing = [&APPLY[..], &["--preview=offline"]].concat();
    has(&run(&scenario, &unseeing, 1), &["kind node not started", "cannot assign requested address", "a `host_vip`"]);
    address("add");
    kind.stop_node("c1-worker");
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);

    // A node that is gone makes another cluster, and all within it with it.
    kind.engine().docker(&["rm", "--force", "--volumes", "c1-worker"]);
    has(
        &run(&scenario, &SETTLED, 2),
        &["-/+ kind_cluster.this", "`nodes` cannot change in place", "1 resource within it is created again", "2 to replace"],
    );
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);
    assert!(kind.object("c1", &["namespace", "mesh"]).is_some());
    run(&scenario, &DESTROY, 0);
    assert!(!file.exists());
    address("del");
    kind.tell("docker", &["network", "rm", "kind"]);
    assert_eq!(kind.traces(), before);
}

/// A cluster of one node, reached by whoever is on the machine.
pub(crate) fn lone(name: &str, more: &str) -> String {
    format!("resource \"kind_cluster\" \"this\" {{\n  name = \"{name}\"\n  node_image = \"{IMAGE}\"\n  {more}\n}}\n")
}

#[test]
fn what_is_there_is_not_taken_and_may_be_imported() {
    let Some(kind) = shared() else { return };
    let theirs = kind.home().join("theirs.yaml").display().to_string();
    let create = ["create", "cluster", "--name", "theirs", "--image", IMAGE, "--kubeconfig", &theirs];
    kind.tell("kind", &create);
    let scenario = kind.scenario(&lone("theirs", ""));
    has(&run(&scenario, &["plan"], 1), &["kind cluster exists", "`theirs-control-plane`", "an `import` block"]);
    let import = "import {\n  to = kind_cluster.this\n  id = \"theirs\"\n}\n";
    scenario.write("import.mesh.hcl", import);
    let other = lone("theirs", "networking = { pod_subnet = \"10.99.0.0/16\" }");
    scenario.write("main.mesh.hcl", &other);
    has(&run(&scenario, &["plan"], 1), &["networking"]);
    scenario.write("main.mesh.hcl", &lone("theirs", "networking = { pod_subnet = \"10.244.0.0/16\", kube_proxy_mode = \"iptables\" }"));
    run(&scenario, &APPLY, 0);
    std::fs::remove_file(scenario.path().join("import.mesh.hcl")).unwrap();
    run(&scenario, &SETTLED, 0);

    // One that somebody makes anew under the name is not the one that is meant.
    kind.tell("kind", &["delete", "cluster", "--name", "theirs", "--kubeconfig", &theirs]);
    kind.tell("kind", &create);
    has(&run(&scenario, &["plan"], 1), &["kind cluster exists"]);
    run(&scenario, &DESTROY, 0);
    assert!(kind.clusters().contains(&"theirs".to_owned()));
    kind.tell("kind", &["delete", "cluster", "--name", "theirs", "--kubeconfig", &theirs]);
}

#[test]
fn a_create_that_fails_leaves_nothing_and_says_why() {
    let Some(kind) = shared() else { return };
    let is_left = || kind.engine().docker(&["ps", "--all", "--quiet", "--filter", "label=io.x-k8s.kind.cluster=broken"]);
    let at = |networking: &str| lone("broken", &format!("networking = {networking}"));
    let none = lone("broken", "").replace(IMAGE, "stand-in.test/none:1");
    for (configuration, words) in [
        (at("{ api_server_address = \"10.2.1.77\" }"), "the host does not have the address"),
        (none, "`docker pull` shows whether"),
        (
            format!("{}\n", lone("broken", "feature_gates = { \"No.Such\" = true }\n  timeouts {\n    create = \"1s\"\n  }")),
            "not done within 1 s",
        ),
    ] {
        let scenario = kind.scenario(&configuration);
        let said = run(&scenario, &APPLY, 1);
        has(&said.to_lowercase(), &["kind cluster not created", &words.to_lowercase()]);
        assert_eq!((is_left().as_str(), scenario.addresses()), ("", Vec::<String>::new()), "{said}");
        assert!(!scenario.path().join(".meshplan/kind/broken.kubeconfig").exists());
    }
    let scenario = kind.scenario(&lone("broken", "kubeconfig_path = \"mine.yaml\""));
    scenario.write("mine.yaml", "apiVersion: v1\nkind: Config\ncontexts: [{ name: prod, context: { cluster: a, user: b } }]\n");
    has(&run(&scenario, &["plan"], 1), &["kubeconfig taken", "mine.yaml"]);
    let mut scenario = kind.scenario(&lone("broken", ""));
    scenario.set("PATH", &std::env::var("PATH").unwrap());
    has(&run(&scenario, &["plan"], 1), &["kind not usable", "`kind` is not in the `PATH`"]);
}
