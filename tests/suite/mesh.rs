//! The main job over the whole command line: a mesh is made, changed a little, mended, made smaller, and taken away.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshplan_tests::cluster::{Cluster, sandboxes};
use meshplan_tests::scenario::{Output, Scenario};
use meshplan_tests::{golden, redact};
use serde_json::{Value, json};
use similar::TextDiff;

const TOKEN: &str = "/api/v1/namespaces/istio-system/secrets/istio-reader-service-account-istio-remote-secret-token";

fn applied(scenario: Scenario) -> Scenario {
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario
}

/// The events of a run with `--json`.
fn events(output: &Output) -> Vec<Value> {
    output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(event: &'a Value, member: &str) -> &'a str {
    event[member].as_str().unwrap_or_default()
}

/// What a plan would change, each as action and address, but for what goes with its cluster.
fn changes(scenario: &Scenario, more: &[&str]) -> Vec<String> {
    let args = [&["plan", "--json"][..], more].concat();
    let planned = events(&scenario.run(&args).expect_code(0)).into_iter().filter(|event| event["event"] == "planned_change");
    let own = planned.filter(|change| change["reason"]["code"] != "place_destroyed");
    own.map(|change| format!("{} {}", text(&change, "action"), text(&change, "address"))).collect()
}

fn assert_converged(scenario: &Scenario, more: &[&str]) {
    let args = [&["plan", "--detailed-exitcode"][..], more].concat();
    scenario.run(&args).expect_code(0);
}

fn assert_same(one: &Value, other: &Value) {
    let (one, other) = (format!("{one:#}\n"), format!("{other:#}\n"));
    assert!(one == other, "{}", TextDiff::from_lines(&one, &other).unified_diff());
}

/// The kubeconfig by which one cluster reads another, and the token that the other's token controller made.
fn kubeconfig_and_token(scenario: &Scenario, reader: &str, peer: &str) -> (String, String) {
    let decoded = |object: &Value, key: &str| {
        let bytes = STANDARD.decode(object["data"][key].as_str().unwrap()).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let path = format!("/api/v1/namespaces/istio-system/secrets/istio-remote-secret-{reader}");
    let secret = Cluster::of(scenario, peer).get(&path).unwrap();
    let token = Cluster::of(scenario, reader).get(TOKEN).unwrap();
    (decoded(&secret, reader), decoded(&token, "token"))
}

#[test]
fn everything_is_made_once_and_taken_away() {
    let scenario = applied(Scenario::example("locality"));
    let addresses = scenario.addresses();
    golden::check("locality/addresses.txt", &format!("{}\n", addresses.join("\n")));
    assert_converged(&scenario, &[]);
    let again = scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert!(again.stdout.contains("No changes"), "{}", again.all());
    let clusters = sandboxes(&scenario);
    assert_eq!(clusters.names(), ["cluster1", "cluster2", "cluster3"]);
    for reader in clusters.names() {
        for peer in clusters.names().iter().filter(|peer| **peer != reader) {
            let (kubeconfig, token) = kubeconfig_and_token(&scenario, &reader, peer);
            assert!(!token.is_empty() && kubeconfig.contains(&token), "`{peer}` has another token of `{reader}`");
        }
    }

    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(clusters.names(), Vec::<String>::new());
    let left: Vec<_> = std::fs::read_dir(scenario.path().join(".meshplan/sandbox")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let state = scenario.state();
    assert_eq!((state.get("resources"), state.get("places")), (Some(&json!([])), Some(&json!([]))));
    assert_eq!(scenario.read("meshplan.state.journal"), "");
}

#[test]
fn a_small_change_is_a_small_plan() {
    let scenario = applied(Scenario::example("locality"));
    let before = redact::state(&scenario.state());
    let values = [
        ("variables.mesh.hcl", "zone = \"zone5\"", "zone = \"zone6\""),
        (
            "mesh.mesh.hcl",
            "ISTIO_META_DNS_AUTO_ALLOCATE = \"true\"",
            "ISTIO_META_DNS_AUTO_ALLOCATE = each.key == \"cluster1\" ? \"false\" : \"true\"",
        ),
    ];
    let expected = [
        vec![
            "update kubernetes_labels.node[\"c2n5\"]",
            "update kubernetes_manifests.zone[\"c2n5\"]",
            "update kubernetes_manifests.zone[\"c2n5\"]/Deployment/sample/helloworld2-c2z5",
            "replace kubernetes_manifests.zone[\"c2n5\"]/Pod/sample/sleepz5",
        ],
        vec![
            "update istio_operator.primary[\"cluster1\"]",
            "update istio_operator.primary[\"cluster1\"]/IstioOperator/istio-system/istiocontrolplane-default",
        ],
    ];
    for ((file, from, to), expected) in values.into_iter().zip(expected) {
        scenario.replace(file, from, to);
        assert_eq!(changes(&scenario, &[]), expected, "{to}");
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        assert_converged(&scenario, &[]);
        scenario.replace(file, to, from);
        assert_eq!(changes(&scenario, &[]), expected, "back to {from}");
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        assert_converged(&scenario, &[]);
    }
    assert_same(&before, &redact::state(&scenario.state()));
}

#[test]
fn a_new_version_changes_the_control_planes_alone() {
    let scenario = applied(Scenario::example("locality"));
    let planned = changes(&scenario, &["--var", "istio_version=1.9.1"]);
    golden::check("locality/new_version.txt", &format!("{}\n", planned.join("\n")));
    scenario.run(&["apply", "--auto-approve", "--var", "istio_version=1.9.1"]).expect_code(0);
    assert_converged(&scenario, &["--var", "istio_version=1.9.1"]);
}

#[test]
fn a_cluster_that_goes_takes_its_secrets_from_the_peers_first() {
    let scenario = applied(Scenario::example("locality"));
    let remaining = [("cluster1", "cluster2"), ("cluster2", "cluster1")];
    let secret = |reader: &str, peer: &str| {
        let path = format!("/api/v1/namespaces/istio-system/secrets/istio-remote-secret-{reader}");
        Cluster::of(&scenario, peer).get(&path)
    };
    let before = remaining.map(|(reader, peer)| (secret(reader, peer), Cluster::of(&scenario, reader).get(TOKEN)));
    scenario.replace("variables.mesh.hcl", "    cluster3 = { network = \"network3\" }\n", "");
    let expected = [
        "delete ca_intermediate.this[\"cluster3\"]",
        "delete istio_remote_secret.this[\"cluster3-in-cluster1\"]",
        "delete istio_remote_secret.this[\"cluster3-in-cluster2\"]",
        "delete sandbox_cluster.this[\"cluster3\"]",
    ];
    assert_eq!(changes(&scenario, &[]), expected);
    let happened = events(&scenario.run(&["apply", "--auto-approve", "--json"]).expect_code(0));
    let at = |event: &str, address: &str| happened.iter().position(|line| line["event"] == event && line["address"] == address).unwrap();
    let gone = at("started", "sandbox_cluster.this[\"cluster3\"]");
    for address in &expected[1..3] {
        assert!(at("finished", address.trim_start_matches("delete ")) < gone, "{address}");
    }
    assert_eq!(sandboxes(&scenario).names(), ["cluster1", "cluster2"]);
    assert_eq!((secret("cluster3", "cluster1"), secret("cluster3", "cluster2")), (None, None));
    for ((reader, peer), before) in remaining.into_iter().zip(before) {
        assert!(before.0.is_some() && before.1.is_some());
        assert_eq!((secret(reader, peer), Cluster::of(&scenario, reader).get(TOKEN)), before, "{reader} in {peer}");
        let (kubeconfig, token) = kubeconfig_and_token(&scenario, reader, peer);
        assert!(kubeconfig.contains(&token), "{reader} in {peer}");
    }
    assert!(scenario.addresses().iter().all(|address| !address.contains("cluster3") && !address.contains("c3n")));
    assert_converged(&scenario, &[]);
}

#[test]
fn a_third_cluster_costs_its_own_objects_and_four_secrets() {
    const THREE: [&str; 2] = ["--var", "clusters=[\"cluster1\", \"cluster2\", \"cluster3\"]"];
    let scenario = applied(Scenario::example("quickstart"));
    let before = scenario.state();
    let planned = changes(&scenario, &THREE);
    golden::check("quickstart/third_cluster.txt", &format!("{}\n", planned.join("\n")));
    assert!(planned.iter().all(|change| change.starts_with("create ") && change.contains("cluster3")), "{planned:#?}");
    assert_eq!(planned.iter().filter(|change| change.contains("istio_remote_secret.")).count(), 4);
    scenario.run(&[&["apply", "--auto-approve"][..], &THREE].concat()).expect_code(0);
    assert_converged(&scenario, &THREE);
    let after = scenario.state();
    let after = after["resources"].as_array().unwrap();
    for resource in before["resources"].as_array().unwrap() {
        assert!(after.contains(resource), "{} is another", resource["address"]);
    }
    assert_eq!(after.len(), before["resources"].as_array().unwrap().len() + planned.len());
}

#[test]
fn two_clusters_of_one_name_are_refused_with_both_places() {
    let scenario = Scenario::example("locality");
    scenario.replace("mesh.mesh.hcl", "cluster_name = each.key", "cluster_name = \"cluster1\"");
    let output = scenario.run(&["plan"]).expect_code(1);
    for word in ["duplicate cluster name", "istio_operator.primary[\"cluster1\"]", "istio_operator.primary[\"cluster2\"]", "mesh.mesh.hcl:"]
    {
        assert!(output.stderr.contains(word), "no `{word}` in {}", output.all());
    }
    let scenario = Scenario::example("quickstart");
    scenario.replace("main.mesh.hcl", "name     = each.key", "name     = \"cluster1\"");
    let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    for word in ["duplicate name", "sandbox_cluster.this[\"cluster1\"]", "sandbox_cluster.this[\"cluster2\"]"] {
        assert!(output.stderr.contains(word), "no `{word}` in {}", output.all());
    }
    assert_eq!(scenario.state(), Value::Null);
}

/// Every text in a JSON value, with the path that leads to it.
fn texts(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, path, found)),
        Value::Object(entries) => entries.iter().for_each(|(key, entry)| texts(entry, &format!("{path}.{key}"), found)),
        _ => {}
    }
}

#[test]
fn secrets_stand_in_their_own_records_and_nowhere_else() {
    let scenario = Scenario::example("quickstart");
    let mut shown = vec![scenario.run(&["plan"]), scenario.run(&["apply", "--auto-approve"]).expect_code(0)];
    let state = scenario.state();
    let mut secrets = Vec::new();
    for resource in state["resources"].as_array().unwrap() {
        let own: &[&str] = match text(resource, "kind") {
            "ca_root" | "ca_intermediate" => &["private_key"],
            "istio_remote_reader" => &["token"],
            _ => &[],
        };
        for name in own {
            secrets.push((format!("{}.{name}", text(resource, "address")), resource["attributes"][*name].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(secrets.len(), 5);
    for resource in state["resources"].as_array().unwrap() {
        let mut found = Vec::new();
        texts(&resource["attributes"], text(resource, "address"), &mut found);
        for (path, value) in found {
            assert_holds_none(&value, secrets.iter().filter(|(own, _)| *own != path), &path);
        }
    }
    assert_holds_none(&state["outputs"].to_string(), secrets.iter(), "outputs");

    let verbs = "plan --json;show;show --json;state list;output;output --json;graph;plan --detailed-exitcode --out plan.json;validate";
    shown.extend(verbs.split(';').map(|verb| scenario.run(&verb.split(' ').collect::<Vec<_>>())));
    let records = state["resources"].as_array().unwrap().iter().map(|resource| text(resource, "address"));
    shown.extend(records.map(|address| scenario.run(&["state", "show", address]).expect_code(0)));
    for root in ["module.mesh.ca_root.mesh.private_key", "module.mesh.ca_root.mesh"] {
        shown.push(scenario.run_with(&["console"], root));
    }
    shown.push(scenario.run(&["destroy", "--auto-approve", "--json"]).expect_code(0));
    for output in &shown {
        assert_holds_none(&output.all(), secrets.iter(), "a run");
    }
    assert_holds_none(&scenario.read("plan.json"), secrets.iter(), "the plan's file");
}

/// Asserts that a text holds none of these secrets, nor the part of a key that tells it.
fn assert_holds_none<'a>(held: &str, secrets: impl Iterator<Item = &'a (String, String)>, place: &str) {
    for (name, secret) in secrets {
        // A line of a key, or the end of a token, is enough to be recognised by, however the text is broken or escaped.
        let telling = secret.lines().map(str::trim).filter(|line| line.len() > 20 && !line.starts_with("-----"));
        for part in telling {
            let part = &part[part.len() - 20..];
            assert!(!held.contains(part), "`{name}` stands in {place}:\n{held}");
            assert!(!held.contains(STANDARD.encode(secret).get(..40).unwrap()), "`{name}` stands encoded in {place}");
        }
    }
}

#[test]
fn what_lies_in_one_cluster_waits_for_no_other() {
    let scenario = applied(Scenario::example("quickstart"));
    let state = scenario.state();
    for resource in state["resources"].as_array().unwrap().iter().filter(|resource| resource["kind"] != "istio_remote_secret") {
        let edges = resource["depends_on"].to_string();
        for (own, other) in [("cluster1", "cluster2"), ("cluster2", "cluster1")] {
            if text(resource, "address").contains(own) {
                assert!(!edges.contains(other), "{} waits for {edges}", resource["address"]);
            }
        }
    }
}

#[test]
fn a_cluster_that_vanished_is_made_again_and_its_peers_learn_of_it() {
    let scenario = applied(Scenario::example("quickstart"));
    std::fs::remove_dir_all(scenario.path().join(".meshplan/sandbox/cluster1")).unwrap();
    let planned = changes(&scenario, &[]);
    let made = |change: &&String| change.starts_with("create ") && change.contains("cluster1");
    let others: Vec<_> = planned.iter().filter(|change| !made(change)).collect();
    assert_eq!(others, ["update module.mesh.istio_remote_secret.this[\"cluster1-in-cluster2\"]"]);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_converged(&scenario, &[]);
    let (kubeconfig, token) = kubeconfig_and_token(&scenario, "cluster1", "cluster2");
    assert!(kubeconfig.contains(&token));
}

#[test]
fn what_others_made_is_taken_over_only_when_asked() {
    let scenario = Scenario::with("resource \"sandbox_cluster\" \"c\" {\n  name = \"c\"\n}\n");
    let scenario = applied(scenario);
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": { "team": "other" } } });
    Cluster::of(&scenario, "c").make("/api/v1/namespaces", &namespace);
    let resource = "resource \"kubernetes_namespace\" \"shop\" {\n  cluster = sandbox_cluster.c\n  name    = \"shop\"\n  labels  = { tier = \"front\" }\n}\n";
    scenario.write("shop.mesh.hcl", resource);
    let refused = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    for words in ["exists, not ours", "shop.mesh.hcl:1", "Namespace/shop", "on_exists"] {
        assert!(refused.stderr.contains(words), "no `{words}` in {}", refused.all());
    }
    scenario.replace("shop.mesh.hcl", "labels", "on_exists = \"adopt\"\n  labels");
    let shown = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(shown.contains("exists as `v1/Namespace/shop`, `metadata.labels.tier` changes"), "{shown}");
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_converged(&scenario, &[]);
    let taken = Cluster::of(&scenario, "c").get("/api/v1/namespaces/shop").unwrap();
    assert_eq!((text(&taken["metadata"]["labels"], "team"), text(&taken["metadata"]["labels"], "tier")), ("other", "front"));
}

#[test]
fn drift_is_told_and_mended() {
    let scenario = applied(Scenario::example("quickstart"));
    let cluster = Cluster::of(&scenario, "cluster1");
    let operator = "/apis/install.istio.io/v1alpha1/namespaces/istio-system/istiooperators/control-plane";
    let gateway = "/apis/networking.istio.io/v1/namespaces/istio-system/gateways/cross-network-gateway";
    // A field that is not ours is nobody's business here.
    cluster.edit("/api/v1/namespaces/istio-system", &json!({ "metadata": { "labels": { "team": "mesh" } } }));
    cluster.edit(operator, &json!({ "metadata": { "annotations": { "seen": "yes" } } }));
    assert_converged(&scenario, &[]);

    cluster.edit(operator, &json!({ "spec": { "tag": "1.9.9" } }));
    cluster.edit("/api/v1/namespaces/istio-system", &json!({ "metadata": { "labels": { "topology.istio.io/network": "elsewhere" } } }));
    cluster.delete("/api/v1/namespaces/istio-system/secrets/istio-remote-secret-cluster2");
    cluster.delete(gateway);
    let expected = [
        "create module.mesh.istio_expose_services.this[\"cluster1\"]",
        "settle module.mesh.istio_operator.primary[\"cluster1\"]",
        "update module.mesh.istio_operator.primary[\"cluster1\"]/IstioOperator/istio-system/control-plane",
        "create module.mesh.istio_remote_secret.this[\"cluster2-in-cluster1\"]",
        "update module.mesh.kubernetes_namespace.istio_system[\"cluster1\"]",
    ];
    assert_eq!(changes(&scenario, &[]), expected);
    let plan = scenario.run(&["plan"]).expect_code(0);
    for words in ["changed outside", "deleted outside"] {
        assert_eq!(plan.stdout.matches(words).count(), 2, "{}", plan.all());
    }
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_converged(&scenario, &[]);
    let namespace = cluster.get("/api/v1/namespaces/istio-system").unwrap();
    let labels = &namespace["metadata"]["labels"];
    assert_eq!((text(labels, "topology.istio.io/network"), text(labels, "team")), ("network-cluster1", "mesh"));
    assert_eq!(cluster.get(operator).unwrap()["spec"]["tag"], "1.23.6");
    assert_eq!(cluster.get(operator).unwrap()["metadata"]["annotations"]["seen"], "yes");
    assert!(cluster.get(gateway).is_some());
    let (kubeconfig, token) = kubeconfig_and_token(&scenario, "cluster2", "cluster1");
    assert!(kubeconfig.contains(&token));
}

#[test]
fn a_token_made_anew_reaches_the_peers() {
    let scenario = applied(Scenario::example("quickstart"));
    let (_, old) = kubeconfig_and_token(&scenario, "cluster1", "cluster2");
    Cluster::of(&scenario, "cluster1").delete(TOKEN);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_converged(&scenario, &[]);
    let (kubeconfig, new) = kubeconfig_and_token(&scenario, "cluster1", "cluster2");
    assert_ne!(old, new);
    assert!(kubeconfig.contains(&new));
}

#[test]
fn a_token_is_rotated_new_first_peers_next_old_last() {
    let scenario = applied(Scenario::example("quickstart"));
    scenario.replace("main.mesh.hcl", "  clusters = {", "  token_generations = { cluster1 = 2 }\n  clusters = {");
    let (_, old) = kubeconfig_and_token(&scenario, "cluster1", "cluster2");
    let applied = events(&scenario.run(&["apply", "--auto-approve", "--json"]).expect_code(0));
    let finished = applied.iter().filter(|event| event["event"] == "finished" && event["action"] != "settle");
    let finished: Vec<_> = finished.map(|event| format!("{} {}", text(event, "action"), text(event, "address"))).collect();
    let token =
        "module.mesh.istio_remote_reader.this[\"cluster1\"]/Secret/istio-system/istio-reader-service-account-istio-remote-secret-token";
    assert_eq!(
        finished,
        [
            format!("create {token}-2"),
            "update module.mesh.istio_remote_reader.this[\"cluster1\"]".to_owned(),
            "update module.mesh.istio_remote_secret.this[\"cluster1-in-cluster2\"]".to_owned(),
            format!("delete {token}"),
        ]
    );
    assert_converged(&scenario, &[]);
    let peer = Cluster::of(&scenario, "cluster2");
    let secret = peer.get("/api/v1/namespaces/istio-system/secrets/istio-remote-secret-cluster1").unwrap();
    let kubeconfig = STANDARD.decode(secret["data"]["cluster1"].as_str().unwrap()).unwrap();
    let new = Cluster::of(&scenario, "cluster1").get(&format!("{TOKEN}-2")).unwrap()["data"]["token"].as_str().unwrap().to_owned();
    let new = String::from_utf8(STANDARD.decode(new).unwrap()).unwrap();
    assert!(String::from_utf8(kubeconfig).unwrap().contains(&new) && new != old);
    assert_eq!(Cluster::of(&scenario, "cluster1").get(TOKEN), None);
}

const TWO_BALANCERS: &str = r#"
variable "pool" {
  type    = string
  default = "198.18.0.1-198.18.0.1"
}
resource "sandbox_cluster" "c" {
  name               = "c"
  load_balancer_pool = var.pool
}
resource "kubernetes_manifest" "service" {
  for_each = { a = 80, b = 81 }
  cluster  = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = each.key, namespace = "default" }
    spec       = { type = "LoadBalancer", ports = [{ port = each.value }] }
  }
  timeouts {
    create = "1s"
  }
}
"#;

#[test]
fn a_wait_that_ends_late_is_taken_up_again() {
    let scenario = Scenario::with(TWO_BALANCERS);
    let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert!(output.stderr.contains("not ready in time"), "{}", output.all());
    let status = || -> Vec<String> {
        let state = scenario.state();
        let services = state["resources"].as_array().unwrap().iter().filter(|resource| resource["kind"] == "kubernetes_manifest");
        let mut found: Vec<_> = services.map(|service| text(service, "status").to_owned()).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(status(), ["ready", "unready"]);
    let waiting = changes(&scenario, &[]);
    assert!(matches!(&waiting[..], [one] if one.starts_with("settle kubernetes_manifest.service")), "{waiting:?}");
    scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert_eq!(status(), ["ready", "unready"]);

    let pool = ["--var", "pool=198.18.0.1-198.18.0.2"];
    let planned = changes(&scenario, &pool);
    assert_eq!(planned.len(), 2, "{planned:?}");
    assert!(planned.contains(&"update sandbox_cluster.c".to_owned()) && planned.contains(&waiting[0]), "{planned:?}");
    scenario.run(&[&["apply", "--auto-approve"][..], &pool].concat()).expect_code(0);
    assert_eq!(status(), ["ready", "ready"]);
    assert_converged(&scenario, &pool);
    let made = sandboxes(&scenario).audit("c").unwrap();
    assert!(made.iter().all(|made| made.created == 1), "{made:?}");
}

#[test]
fn one_at_a_time_or_ten_the_state_is_the_same() {
    let run = |parallelism: &str| {
        let scenario = Scenario::example("quickstart");
        scenario.run(&["apply", "--auto-approve", "--parallelism", parallelism]).expect_code(0);
        redact::state(&scenario.state())
    };
    assert_same(&run("1"), &run("10"));
}
