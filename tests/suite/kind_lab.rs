//! The built-in module `kind-lab` and the examples with clusters of kind: what is told of them before anything exists. No Engine answers here,
//! which is a warning.

use super::metallb::manifests;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value as Json, json};

/// A directory where no Engine answers, with a copy of MetalLB's manifests.
fn without_engine(mut scenario: Scenario) -> Scenario {
    let nowhere = format!("unix://{}", scenario.path().join("docker.sock").display());
    scenario.set("DOCKER_HOST", &nowhere);
    scenario.write("metallb.yaml", &manifests("0.16.2"));
    scenario
}

/// The module with these arguments, and a mesh on what it gives.
fn lab(arguments: &str) -> Scenario {
    let example = without_engine(Scenario::example("kind-lab"));
    example.replace("main.mesh.hcl", "  clusters   = 3\n", &format!("  metallb_path = \"metallb.yaml\"\n{arguments}"));
    example
}

fn holds(told: &str, all: &[&str]) {
    for expected in all {
        assert!(told.contains(expected), "no `{expected}`: {told}");
    }
}

#[test]
fn both_examples_are_planned_whole_before_anything_exists() {
    let long = without_engine(Scenario::example("kind-metallb"));
    let copy = ["plan", "--var", "metallb_manifests=metallb.yaml"];
    for (scenario, args, clusters, network, ranges) in [
        (lab("  clusters = 3\n"), &copy[..1], ["cluster1", "cluster2", "cluster3"].as_slice(), "kind-lab", "172.30.1"),
        (long, &copy[..], &["cluster1", "cluster2"], "kind-metallb", "172.18.1"),
    ] {
        let told = scenario.run(args).expect_code(0);
        holds(&told.stderr, &["warning: Docker Engine not reached", "no Docker Engine answers"]);
        assert!(!told.stderr.contains("error"), "{}", told.stderr);
        // What kinds of things there are, and what is known of them.
        holds(&told.stdout, &["docker_network", "kind_cluster.this[*]", "metallb.this[*]", "metallb_pool.this[*]"]);
        holds(&told.stdout, &["controller", "speaker", "IPAddressPool metallb-system/", "L2Advertisement metallb-system/"]);
        holds(&told.stdout, &["ca_root.mesh", "istio_cacerts.this[*]", "istio_operator.primary[*]", "istio_eastwest_gateway.this[*]"]);
        holds(&told.stdout, &["server         \"https://{cluster}-control-plane:6443\"", &format!("network          \"{network}\"")]);
        // What is not known is named with what it waits for, and the changes that wait for a cluster are counted.
        holds(
            &told.stdout,
            &["known after apply: certificate_authority, connection", "known after apply: address", "the place is not there yet"],
        );
        for (at, cluster) in clusters.iter().enumerate() {
            let third = 28 + at;
            holds(&told.stdout, &[&format!("addresses in {cluster}  [\"{ranges}{third}.1-{ranges}{third}.254\"]")]);
            let gateway = format!("module.mesh.istio_eastwest_gateway.this[\"{cluster}\"]");
            holds(&told.stdout, &[&format!(".{cluster}  (known after apply of {gateway}")]);
        }
        assert_eq!(scenario.addresses(), Vec::<String>::new());
    }
}

#[test]
fn the_example_with_a_name_server_is_planned_whole_with_what_it_is_given_by_default() {
    let example = without_engine(Scenario::example("kind-dnsmasq"));
    let told = example.run(&["plan", "--preview=offline", "--var", "device=lo"]).expect_code(0);
    holds(&told.stderr, &["warning: image not pinned", "`jpillora/dnsmasq` is what its registry calls `latest`"]);
    holds(&told.stdout, &["host_resolver.this", "module.dns.docker_container.this", "kind_cluster.this[\"test-cluster02\"]", "9 to add"]);
    holds(&told.stdout, &["image                               (known after apply of module.dns.docker_image.this[0])"]);
    let after = "read after `host_vip.dns`, `module.dns.docker_container.this` changes";
    holds(&told.stdout, &[&format!("data.dns_lookup.names_resolve.www    {after}"), "check.names_resolve  known after apply"]);
}

#[test]
fn names_and_ports_are_told_apart_by_the_engine_that_they_are_at() {
    let engine = |alias: &str, host: &str| format!("provider \"docker\" {{\n  alias = \"{alias}\"\n  host = \"{host}\"\n}}\n");
    let container = |label: &str, provider: &str| {
        format!(
            "resource \"docker_container\" \"{label}\" {{\n  provider = {provider}\n  name = \"web\"\n  image = \"box:1\"\n  ports = [{{ container_port = 80, host_port = 80 }}]\n}}\n"
        )
    };
    let network = "resource \"docker_network\" \"n\" {\n  for_each = toset([\"a\", \"b\"])\n  name = \"mesh\"\n}\n";
    for (second, problems) in
        [("tcp://lab2.example:2376", [].as_slice()), ("tcp://lab1.example:2376", &["duplicate name", "port claimed twice"])]
    {
        let text =
            [engine("one", "tcp://lab1.example:2376"), engine("two", second), container("a", "docker.one"), container("b", "docker.two")];
        let scenario = without_engine(Scenario::with(&text.concat()));
        let told = scenario.run(&["plan", "--preview=offline"]).expect_code(u8::from(!problems.is_empty()));
        holds(&told.stderr, problems);
        assert_eq!(told.stdout.contains("2 to add"), problems.is_empty(), "{}", told.all());
    }
    let told = without_engine(Scenario::with(network)).run(&["plan", "--preview=offline"]).expect_code(1).stderr;
    holds(&told, &["duplicate name", "are both `network/mesh`"]);
    // An image is brought by as many as want it, as by two name servers; one that is made of an archive is another each time.
    let image = |label: &str, more: &str| format!("resource \"docker_image\" \"{label}\" {{\n  name = \"box:1\"\n  {more}\n}}\n");
    let server = |label: &str, address: &str| {
        format!(
            "module \"{label}\" {{\n  source = \"builtin:dnsmasq\"\n  image = \"dns:1\"\n  name = \"{label}\"\n  address = \"{address}\"\n  upstreams = [\"192.0.2.1\"]\n}}\n"
        )
    };
    for (text, problems) in [
        (image("a", "") + &image("b", ""), [].as_slice()),
        (server("first", "10.2.1.38") + &server("second", "10.2.1.39"), &[]),
        (image("a", "") + &image("b", "archive = \"a.tar\""), &["duplicate name", "are both `image/box:1`"]),
    ] {
        let told = without_engine(Scenario::with(&text)).run(&["plan", "--preview=offline"]).expect_code(u8::from(!problems.is_empty()));
        holds(&told.stderr, problems);
    }
    // Whoever becomes root writes the same file.
    let file =
        |label: &str, more: &str| format!("resource \"host_file\" \"{label}\" {{\n  path = \"a\"\n  content = \"{label}\"\n  {more}\n}}\n");
    let text = format!(
        "provider \"host\" {{\n  alias = \"root\"\n  become = \"sudo\"\n}}\n{}{}",
        file("a", ""),
        file("b", "provider = host.root")
    );
    holds(&Scenario::with(&text).run(&["plan", "--preview=offline"]).expect_code(1).stderr, &["duplicate name"]);
}

#[test]
fn each_change_names_the_cluster_that_it_waits_for() {
    let scenario = lab("  clusters = 2\n");
    let told = scenario.run(&["plan", "--json"]).expect_code(0).stdout;
    let changes: Vec<Json> =
        told.lines().map(|line| serde_json::from_str(line).unwrap()).filter(|line: &Json| line["event"] == "planned_change").collect();
    let of = |address: &str| changes.iter().find(|change| change["address"] == address).unwrap_or_else(|| panic!("no `{address}`: {told}"));
    for number in 1..=2 {
        let cluster = format!("module.lab.kind_cluster.this[\"cluster{number}\"]");
        for (within, unknown) in [
            ("lab.metallb.this", json!([])),
            ("lab.metallb_pool.this", json!([])),
            ("mesh.istio_cacerts.this", json!(["fingerprint", "root_certificate", "trusted_certificates"])),
            ("mesh.istio_eastwest_gateway.this", json!(["address"])),
            ("mesh.istio_remote_reader.this", json!(["certificate_authority"])),
        ] {
            let change = of(&format!("module.{within}[\"cluster{number}\"]"));
            assert_eq!((&change["place"], &change["after_unknown"]), (&json!(cluster), &unknown), "{within}");
        }
        assert!(of(&cluster)["after_unknown"].as_array().unwrap().contains(&json!("server")), "kind chooses the port");
        assert_eq!(of(&cluster)["after"]["peer_server"], format!("https://cluster{number}-control-plane:6443"));
    }
    // A gateway waits for the addresses that it gets one of, those of its own cluster.
    let graph = scenario.run(&["graph"]).expect_code(0).stdout;
    let edge =
        |pool: &str| format!(r#""module.mesh.istio_eastwest_gateway.this[\"cluster1\"]" -> "module.lab.metallb_pool.this[\"{pool}\"]""#);
    assert!(graph.contains(&edge("cluster1")) && !graph.contains(&edge("cluster2")), "{graph}");
}

#[test]
fn with_vips_every_url_is_the_same_for_everybody() {
    let scenario = lab("  clusters = 2\n  workers  = 1\n  vips     = { device = \"lo\", addresses = [\"10.2.1.40\", \"10.2.1.41\"] }\n");
    let plan = scenario.run(&["plan", "--detail", "full"]).expect_code(0).stdout;
    for (cluster, address) in [("cluster1", "10.2.1.40"), ("cluster2", "10.2.1.41")] {
        let url = format!("https://{address}:6443");
        holds(&plan, &[&format!("host_vip.api[\"{cluster}\"]"), &format!("api_server_address = \"{address}\", api_server_port = 6443")]);
        // On the host, for peers, and in what peers are told.
        assert_eq!(plan.matches(&format!("\"{url}\"")).count(), 3, "{cluster}: {plan}");
    }
    holds(&plan, &[r#"[{ role = "control-plane" }, { role = "worker" }]"#]);
}

#[test]
fn ranges_follow_the_subnet_and_the_number_of_clusters() {
    for (arguments, last) in [("  clusters = 2\n", 2), ("  clusters = 4\n  subnet = \"10.77.0.0/16\"\n  prefix = \"m\"\n", 4)] {
        let plan = lab(arguments).run(&["plan"]).expect_code(0).stdout;
        let (net, prefix) = if last == 2 { ("172.30", "cluster") } else { ("10.77", "m") };
        for number in 1..=last {
            let third = 127 + number;
            holds(&plan, &[&format!("addresses in {prefix}{number}  [\"{net}.{third}.1-{net}.{third}.254\"")]);
        }
    }
}

#[test]
fn what_the_module_cannot_make_is_refused() {
    for (arguments, expected) in [
        ("  clusters = 0\n", "whole number from 1 to 60"),
        ("  clusters = 1.5\n", "whole number from 1 to 60"),
        ("  clusters = 61\n", "whole number from 1 to 60"),
        ("  clusters = 2\n  vips = { device = \"lo\", addresses = [\"10.2.1.40\"] }\n", "fewer addresses than there are clusters"),
    ] {
        let told = lab(arguments).run(&["plan"]).expect_code(1).stderr;
        holds(&told, &[expected]);
    }
}

#[test]
fn the_short_example_is_under_twenty_lines() {
    assert!(Scenario::example("kind-lab").read("main.mesh.hcl").lines().count() < 20);
}
