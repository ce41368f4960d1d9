//! `docs/reference` says what the kinds say, and its examples are configurations.

use engine::port::Registry;
use meshplan_tests::scenario::{Scenario, project};
use meshplan_tests::{golden, reference};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn registry() -> Registry {
    let directory = project();
    meshplan::registry_maker(&directory, &BTreeMap::new())(&directory)
}

fn directory() -> PathBuf {
    project().join("docs").join("reference")
}

/// The names of a directory's files with an ending, without it.
fn names(directory: &Path, ending: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect()
}

#[test]
fn pages_are_what_the_schemas_say() {
    let (registry, directory) = (registry(), directory());
    let catalogue = registry.catalogue();
    let mut differences = Vec::from_iter(golden::difference(&directory.join("README.md"), &reference::index(catalogue)));
    differences.extend(golden::difference(&directory.join("functions.md"), &meshplan_tests::functions::page()));
    differences.extend(golden::difference(&directory.join("lint.md"), &meshplan_tests::lint::page(catalogue)));
    let mut pages = BTreeSet::from(["README", "functions", "lint"].map(str::to_owned));
    for (mode, schema) in reference::schemas(catalogue) {
        let name = reference::page_name(mode, schema.kind);
        let example = std::fs::read_to_string(directory.join("examples").join(format!("{name}.mesh.hcl"))).unwrap_or_default();
        let page = reference::page(catalogue, mode, schema, &example);
        differences.extend(golden::difference(&directory.join(format!("{name}.md")), &page));
        pages.insert(name);
    }
    for provider in reference::configurable(catalogue) {
        let name = reference::provider_page_name(provider);
        let example = std::fs::read_to_string(directory.join("examples").join(format!("{name}.mesh.hcl"))).unwrap_or_default();
        let page = reference::provider_page(provider, &example);
        differences.extend(golden::difference(&directory.join(format!("{name}.md")), &page));
        pages.insert(name);
    }
    for backend in backends::kinds() {
        let name = reference::backend_page_name(backend);
        let example = std::fs::read_to_string(directory.join("examples").join(format!("{name}.mesh.hcl"))).unwrap_or_default();
        let page = reference::backend_page(backend, &example);
        differences.extend(golden::difference(&directory.join(format!("{name}.md")), &page));
        pages.insert(name);
    }
    for left in names(&directory, ".md").difference(&pages) {
        if golden::is_blessing() {
            std::fs::remove_file(directory.join(format!("{left}.md"))).unwrap();
        } else {
            differences.push(format!("`docs/reference/{left}.md` is about no kind"));
        }
    }
    golden::expect_none(differences);
}

#[test]
fn every_kind_has_an_example_and_every_example_is_valid() {
    let (registry, directory) = (registry(), directory().join("examples"));
    let mut kinds: BTreeSet<String> =
        reference::schemas(registry.catalogue()).into_iter().map(|(mode, schema)| reference::page_name(mode, schema.kind)).collect();
    kinds.extend(reference::configurable(registry.catalogue()).map(reference::provider_page_name));
    kinds.extend(backends::kinds().map(reference::backend_page_name));
    assert_eq!(names(&directory, ".mesh.hcl"), kinds);
    for name in kinds {
        let example = std::fs::read_to_string(directory.join(format!("{name}.mesh.hcl"))).unwrap();
        let (block, kind) = match name.split_once('.') {
            Some((block, kind)) => (block, kind),
            None => ("resource", &*name),
        };
        assert!(example.contains(&format!("{block} \"{kind}\" ")), "{name}");
        let output = Scenario::with(&example).run(&["validate"]);
        // An example of one control plane says nothing of a root that others share.
        let problems = output.stderr.lines().filter(|line| line.starts_with("error") || line.starts_with("warning"));
        let others: Vec<_> = problems.filter(|line| *line != "warning[no-shared-root]: no shared root").collect();
        assert!(output.code == 0 && others.is_empty(), "{name}: {}", output.all());
    }
}

/// Examples that need what a sandbox does not have: a kubeconfig, a certificate on disk, a real cluster or bucket (`real/remote_state.rs`
/// has those), a Docker Engine (`real/docker_network.rs`, `real/kind_cluster.rs`), a name server (`real/dnsmasq.rs`), a gateway (`checks.rs` has another server), or that change the
/// machine (`host_addresses.rs` and `host_resolver.rs` do), or files of the web (`metallb.rs` has others), or a program (`istioctl.rs` plays it), or
/// pods that run (`real/listener_drain.rs` plays them).
const NOT_ALONE: [&str; 26] = [
    "data.kubernetes_cluster",
    "provider.kubernetes",
    "ca_root",
    "backend.kubernetes",
    "backend.s3",
    "docker_container",
    "data.docker_container",
    "docker_image",
    "docker_network",
    "data.docker_network",
    "provider.docker",
    "kind_cluster",
    "provider.kind",
    "data.dns_lookup",
    "data.http_probe",
    "data.tcp_probe",
    "host_vip",
    "provider.host",
    "host_resolver",
    "istio_operator",
    "istio_listener_drain",
    "data.metallb",
    "data.metallb_manifests",
    "metallb",
    "metallb_pool",
    "provider.metallb",
];

#[test]
fn what_an_example_makes_is_as_planned_and_goes_again() {
    let directory = directory().join("examples");
    for name in names(&directory, ".mesh.hcl").iter().filter(|name| !NOT_ALONE.contains(&&***name)) {
        let scenario = Scenario::with(&std::fs::read_to_string(directory.join(format!("{name}.mesh.hcl"))).unwrap());
        if name == "kubernetes_secret" {
            scenario.write("mesh.vars.hcl", "password = \"hunter2\"\n");
        }
        if name == "data.kubernetes_manifest_source" {
            let object = "{ name: rules, namespace: default, labels: { app: helloworld } }";
            scenario.write("rules/a.yaml", &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {object}\n"));
        }
        let runs: [(&[&str], u8); 4] = [
            (&["apply", "--auto-approve"], 0),
            (&["plan", "--detailed-exitcode"], 0),
            (&["destroy", "--auto-approve"], 0),
            (&["plan", "--detailed-exitcode"], 2),
        ];
        for (args, code) in runs {
            let output = scenario.run(args);
            assert_eq!(output.code, code, "{name}, {}: {}", args.join(" "), output.all());
            assert!(!output.all().contains("hunter2"), "{name}, {}: {}", args.join(" "), output.all());
        }
        assert_eq!(scenario.addresses(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_describes_kinds_is_json_schema() {
    let told = Scenario::empty().run(&["schema"]).expect_code(0).stdout;
    let all: serde_json::Value = serde_json::from_str(&told).unwrap();
    let mut kinds = 0;
    for (part, schemas) in all.as_object().unwrap().iter().filter(|(part, _)| *part != "format_version") {
        for (kind, schema) in schemas.as_object().unwrap() {
            kinds += 1;
            jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{part} {kind}: {error}"));
            assert!(!jsonschema::is_valid(schema, &json!({ "no_such_argument": 1 })), "{part} {kind}");
        }
    }
    assert!(kinds > 40, "{kinds}");
    let namespace = &all["resources"]["kubernetes_namespace"];
    let labelled =
        |labels: serde_json::Value| jsonschema::is_valid(namespace, &json!({ "cluster": "${x}", "name": "a", "labels": labels }));
    assert!(labelled(json!({ "a": "b" })) && !labelled(json!({ "a": 1 })) && !labelled(json!("a")));
}
