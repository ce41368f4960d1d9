//! Definitions and namespaces, and what lies in them, in one plan and without a word about each other: they come and go in order.

use crate::within::{Plan, Within};
use meshplan_tests::apiserver::{self, ApiServer};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};

/// A definition of the kind `Thing` of a group, whose `spec` has these properties.
fn definition(group: &str, properties: &Value) -> Value {
    let schema = json!({ "type": "object", "properties": { "spec": { "type": "object", "properties": properties } } });
    json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": format!("things.{group}") },
        "spec": { "group": group, "scope": "Namespaced", "names": { "plural": "things", "singular": "thing", "kind": "Thing" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }] } })
}

/// An object of such a kind.
fn thing(within: &Within, group: &str, spec: &Value) -> Value {
    json!({ "apiVersion": format!("{group}/v1"), "kind": "Thing", "metadata": { "name": "t", "namespace": within.namespace }, "spec": spec })
}

/// A group that nobody else has.
fn group(within: &Within) -> String {
    format!("{}.example.org", within.cluster.name("definitions"))
}

/// A configuration of one object each, by label; these are waited for.
fn write(within: &Within, objects: &[(&str, &Value)]) {
    let blocks = objects.iter().map(|(label, object)| {
        let manifest = format!("jsondecode(<<-JSON\n{object}\nJSON\n  )");
        format!("resource \"kubernetes_manifest\" \"{label}\" {{\n  cluster = data.kubernetes_cluster.c\n  manifest = {manifest}\n}}\n")
    });
    within.configure(&blocks.collect::<String>());
}

/// What a run says of each step that has ended: the label, and what was done.
fn steps(within: &Within, command: &[&str]) -> Vec<String> {
    let plan = Plan::of(within.scenario.run(&[command, &["--auto-approve", "--json"]].concat()).expect_code(0));
    let text = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    plan.events("finished")
        .iter()
        .map(|event| format!("{} {}", text(event, "action"), text(event, "address").trim_start_matches("kubernetes_manifest.")))
        .collect()
}

#[test]
fn a_definition_comes_before_what_it_defines_and_goes_after() {
    let Some(within) = Within::shared() else { return };
    let group = group(&within);
    let [old, new] = [json!({ "size": { "type": "integer" } }), json!({ "size": { "type": "integer" }, "hue": { "type": "string" } })];
    let (defines, is) = (definition(&group, &old), thing(&within, &group, &json!({ "size": 1 })));
    write(&within, &[("a", &is)]);
    let problems = within.refused();
    let unknown = |(summary, detail): &(String, String)| summary == "unknown kind of object" && detail.contains("knows no kind `Thing`");
    assert!(problems.len() == 1 && problems.iter().all(unknown), "{problems:?}");

    write(&within, &[("a", &is), ("z", &defines)]);
    let why = "the server refuses it today, and what it requires changes in this plan";
    assert_eq!(within.plan().not_previewed(), [("kubernetes_manifest.a".to_owned(), why.to_owned())]);
    assert_eq!(steps(&within, &["apply"]), ["create z", "settle z", "create a"]);
    within.assert_converged();

    // Both change, and the one is good only with the other.
    let more = thing(&within, &group, &json!({ "size": 1, "hue": "red" }));
    write(&within, &[("a", &more), ("z", &defines)]);
    let problems = within.refused();
    let unfit = |(summary, detail): &(String, String)| summary == "refused by the API server" && detail.contains(".spec.hue");
    assert!(problems.len() == 1 && problems.iter().all(unfit), "{problems:?}");
    let defines = definition(&group, &new);
    write(&within, &[("a", &more), ("z", &defines)]);
    assert_eq!(within.plan().not_previewed(), [("kubernetes_manifest.a".to_owned(), why.to_owned())]);
    assert_eq!(steps(&within, &["apply"]).last().map(String::as_str), Some("update a"));
    within.assert_converged();
    assert_eq!(steps(&within, &["destroy"]), ["delete a", "delete z"]);
}

#[test]
fn what_is_defined_goes_before_its_definition_when_both_blocks_are_gone() {
    let Some(within) = Within::shared() else { return };
    let group = group(&within);
    let (defines, is) = (definition(&group, &json!({})), thing(&within, &group, &json!({})));
    write(&within, &[("a", &is), ("z", &defines)]);
    within.apply();
    write(&within, &[]);
    assert_eq!(steps(&within, &["apply"]), ["delete a", "delete z"]);
    assert_eq!(within.scenario.addresses(), Vec::<String>::new());
}

#[test]
fn a_set_brings_a_definition_and_what_it_defines() {
    let Some(within) = Within::shared() else { return };
    let group = group(&within);
    let (defines, is) = (definition(&group, &json!({})), thing(&within, &group, &json!({})));
    within.scenario.write("all.yaml", &format!("{is}\n---\n{defines}\n"));
    within.configure(
        "resource \"kubernetes_manifests\" \"all\" {\n  cluster = data.kubernetes_cluster.c\n  content = file(\"all.yaml\")\n}\n",
    );
    within.apply();
    within.assert_converged();
    within.destroy();
}

#[test]
fn a_namespace_comes_before_what_lies_in_it_and_goes_after() {
    let Some(within) = Within::shared() else { return };
    let name = within.cluster.name("brought");
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": name } });
    write(&within, &[("a", &map), ("z", &namespace)]);
    let told = within.plan().not_previewed();
    assert!(matches!(&told[..], [(_, why)] if why.starts_with("what it needs is not there yet: namespaces \"")), "{told:?}");
    let made = steps(&within, &["apply"]);
    assert!(made.iter().position(|step| step == "create z") < made.iter().position(|step| step == "create a"), "{made:?}");
    within.assert_converged();
    assert_eq!(steps(&within, &["destroy"]), ["delete a", "delete z"]);
}

#[test]
fn what_goes_with_a_definition_or_a_namespace_that_is_replaced_is_made_again() {
    let Some(within) = Within::shared() else { return };
    let (group, name) = (group(&within), within.cluster.name("replaced"));
    let (defines, is) = (definition(&group, &json!({})), thing(&within, &group, &json!({})));
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": name } });
    write(&within, &[("a", &is), ("b", &map), ("y", &namespace), ("z", &defines)]);
    within.apply();
    let uid = |path: &str| within.cluster.api().get(path).map(|live| live["metadata"]["uid"].clone());
    let paths = [within.path(&format!("/apis/{group}/v1 things/t")), format!("/api/v1/namespaces/{name}/configmaps/m")];
    let before = paths.each_ref().map(|path| uid(path).unwrap());

    let replacing = ["--replace", "kubernetes_manifest.y", "--replace", "kubernetes_manifest.z"];
    let plan = within.scenario.run(&[&["plan"][..], &replacing].concat()).expect_code(0);
    assert!(plan.stdout.contains("4 to replace") && plan.stdout.contains("1 resource within it is created again"), "{}", plan.all());
    let done = steps(&within, &[&["apply"][..], &replacing].concat());
    let at = |step: &str| done.iter().position(|done| done == step).unwrap_or_else(|| panic!("{step}: {done:?}"));
    for (part, whole) in [("a", "z"), ("b", "y")] {
        let order = [format!("delete {part}"), format!("delete {whole}"), format!("create {whole}"), format!("create {part}")];
        assert!(order.each_ref().map(|step| at(step)).is_sorted(), "{done:?}");
    }
    within.assert_converged();
    let after = paths.each_ref().map(|path| uid(path).unwrap());
    assert!(after[0] != before[0] && after[1] != before[1], "they are other objects");
    within.destroy();
}

/// Many definitions, and an object of each.
const MANY: &str = r#"
data "kubernetes_cluster" "c" {
  context = "c"
}
resource "kubernetes_manifest" "definition" {
  count   = 40
  cluster = data.kubernetes_cluster.c
  manifest = {
    apiVersion = "apiextensions.k8s.io/v1"
    kind       = "CustomResourceDefinition"
    metadata   = { name = "things.g${count.index}.example.org" }
    spec = {
      group    = "g${count.index}.example.org"
      scope    = "Cluster"
      names    = { plural = "things", singular = "thing", kind = "Thing" }
      versions = [{ name = "v1", served = true, storage = true, schema = { openAPIV3Schema = { type = "object" } } }]
    }
  }
}
resource "kubernetes_manifest" "thing" {
  count      = 40
  cluster    = data.kubernetes_cluster.c
  manifest   = { apiVersion = "g${count.index}.example.org/v1", kind = "Thing", metadata = { name = "t" } }
  depends_on = [kubernetes_manifest.definition]
}
"#;

#[test]
fn a_server_that_starts_says_of_no_object_that_it_is_gone() {
    let Some(components) = apiserver::required() else { return };
    let cluster = ApiServer::start(&components, "starting");
    let mut scenario = Scenario::with(MANY);
    scenario.reach(&[cluster.admin().named("c")]);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    for _ in 0..4 {
        cluster.stop();
        std::thread::scope(|scope| {
            scope.spawn(|| cluster.start_again());
            // What it cannot say yet is not known; it serves its own kinds before it has read the definitions.
            loop {
                let plan = scenario.run(&["plan", "--detailed-exitcode"]);
                assert_ne!(plan.code, 2, "{}", plan.stdout);
                if plan.code == 0 {
                    break;
                }
            }
        });
    }
}
