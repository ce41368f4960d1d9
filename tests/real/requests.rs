//! How many requests a plan takes.

use meshplan_tests::apiserver::{self, Access, ApiServer, Fault, Proxy};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Namespaces with `ConfigMap`s: in each cluster, for each namespace, so many.
const MAPS: &str = r#"
variable "counts" {
  type = map(map(number))
}
locals {
  namespaces = merge([for cluster, of in var.counts : { for name, count in of : "${cluster}/${name}" => { cluster = cluster, name = name } }]...)
  maps = merge(flatten([for cluster, of in var.counts : [for name, count in of :
    { for number in range(count) : "${cluster}/${name}/${number}" => { within = "${cluster}/${name}", name = "m${number}" } }]])...)
}
data "kubernetes_cluster" "this" {
  for_each = var.counts
  context  = each.key
}
resource "kubernetes_namespace" "this" {
  for_each = local.namespaces
  cluster  = data.kubernetes_cluster.this[each.value.cluster]
  name     = each.value.name
}
resource "kubernetes_manifest" "map" {
  for_each = local.maps
  cluster  = data.kubernetes_cluster.this[local.namespaces[each.value.within].cluster]
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = each.value.name, namespace = kubernetes_namespace.this[each.value.within].name }
    data       = { key = "value" }
  }
}
"#;

/// What a plan asks every cluster of the configuration, beside its objects: its uid and its version.
const OF_THE_CLUSTER: usize = 2;

/// How many maps are in a namespace, by cluster and namespace.
type Counts = BTreeMap<String, BTreeMap<String, usize>>;

/// A configuration of so many maps, which reaches its clusters through proxies.
fn scenario(proxies: &[&Proxy], counts: &Counts) -> Scenario {
    let mut scenario = Scenario::with(MAPS);
    scenario.reach(&proxies.iter().map(|proxy| proxy.access().clone()).collect::<Vec<_>>());
    let hcl: Vec<_> = counts.iter().map(|(cluster, of)| format!("{cluster} = {}", json!(of).to_string().replace(':', " = "))).collect();
    scenario.write("counts.auto.vars.hcl", &format!("counts = {{ {} }}\n", hcl.join(", ")));
    scenario
}

fn rule(resource: &str, verbs: &[&str]) -> Value {
    json!({ "apiGroups": [""], "resources": [resource], "verbs": verbs })
}

/// Ten clusters: five views of each of two servers.
#[test]
fn two_thousand_objects_in_ten_clusters_cost_pages() {
    let (Some(one), Some(other)) = (apiserver::shared(0), apiserver::shared(1)) else { return };
    let views: Vec<_> = (0..10).map(|number| Proxy::apart([one, other][number % 2], &format!("v{number}"))).collect();
    let in_view = |number: usize| BTreeMap::from([(one.name(&format!("pages-v{number}")), if number == 3 { 1010 } else { 110 })]);
    let counts: Counts = (0..10).map(|number| (format!("v{number}"), in_view(number))).collect();
    assert_eq!(counts.values().flat_map(BTreeMap::values).sum::<usize>(), 2000);

    let scenario = scenario(&views.iter().collect::<Vec<_>>(), &counts);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(views.iter().map(|view| view.count("apply /configmaps")).sum::<usize>(), 2000, "one request makes an object");
    views.iter().for_each(Proxy::forget);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    for (number, view) in views.iter().enumerate() {
        let pages = if number == 3 { 3 } else { 1 };
        let seen = (view.count("list /configmaps?limit="), view.count("get /namespaces/pages-"), view.seen().len());
        assert_eq!(seen, (pages, 1, OF_THE_CLUSTER + 1 + pages), "v{number}: {:#?}", view.seen());
    }

    // Pages of a list that has grown too old meanwhile: everything is read at once instead.
    views[3].forget();
    views[3].fail(1, "list continue=", Fault::Refused(410, None));
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    let (all, paged) = (views[3].count("list /configmaps"), views[3].count("list /configmaps?limit="));
    assert_eq!((all, paged), (3, 2), "{:#?}", views[3].seen());
}

/// A shared cluster behind a proxy, with maps that an apply made by one who may do everything, and the scenario for somebody.
fn made(cluster: &'static ApiServer, access: &Access, namespaces: &BTreeMap<String, usize>) -> (Proxy, Scenario) {
    let counts = Counts::from([("by".to_owned(), namespaces.clone())]);
    let admin = Proxy::by(cluster, &cluster.admin().named("by"));
    let mut scenario = scenario(&[&admin], &counts);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let proxy = Proxy::by(cluster, &access.named("by"));
    scenario.reach(&[proxy.access().clone()]);
    (proxy, scenario)
}

#[test]
fn several_namespaces_are_one_list_and_what_is_missing_is_read() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let namespaces: BTreeMap<_, _> = (0..6).map(|_| (cluster.name("several"), 3)).collect();
    let (proxy, scenario) = made(cluster, cluster.admin(), &namespaces);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    // Other tests have maps of their own in this cluster.
    let everywhere = proxy.count("list /api/v1/configmaps?");
    assert!((1..=5).contains(&everywhere), "{:#?}", proxy.seen());
    assert_eq!((proxy.count("get /configmaps"), proxy.count("list /api/v1/namespaces?limit=")), (0, 1));

    let gone = format!("/api/v1/namespaces/{}/configmaps/m1", namespaces.keys().next().unwrap());
    cluster.api().delete(&gone);
    proxy.forget();
    let plan = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2);
    assert!(plan.stdout.contains("1 to add"), "{}", plan.stdout);
    let reads = (proxy.count("get /configmaps"), proxy.count(&format!("get {gone}")));
    assert_eq!(reads, (2, 2), "whether what is recorded is gone, and whether anything is where it is to be made anew");
}

#[test]
fn lists_that_are_forbidden_give_way_to_narrower_ones_and_to_reads() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let namespaces: BTreeMap<_, _> = (0..2).map(|_| (cluster.name("narrow"), 4)).collect();
    let cluster_wide = [rule("namespaces", &["get", "list"]), rule("configmaps", &["get"])];
    let reader = cluster.user(&cluster.name("reader"), &cluster_wide);
    let (proxy, scenario) = made(cluster, &reader, &namespaces);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    assert_eq!((proxy.count("list /configmaps"), proxy.count("get /configmaps")), (3, 8), "{:#?}", proxy.seen());

    let nobody = cluster.user(&cluster.name("nobody"), &cluster_wide[..1]);
    let (_proxy, scenario) = made(cluster, &nobody, &BTreeMap::from([(cluster.name("closed"), 4)]));
    let plan = scenario.run(&["plan"]);
    for words in ["cannot get resource \"configmaps\"", "a role that allows it has to be bound"] {
        assert!(plan.all().contains(words), "{}", plan.all());
    }
}

/// A definition of a kind `Thing` in a group of its own.
fn definition(group: &str) -> Value {
    let schema = json!({ "openAPIV3Schema": { "type": "object", "properties": { "size": { "type": "integer" } } } });
    json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": format!("things.{group}") },
        "spec": { "group": group, "scope": "Namespaced", "names": { "plural": "things", "singular": "thing", "kind": "Thing" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }] } })
}

/// Things of groups that were there before, and of one that comes with them.
const THINGS: &str = r#"
variable "groups" {
  type = map(list(string))
}
variable "definition" {}
data "kubernetes_cluster" "this" {
  context = "c"
}
resource "kubernetes_manifest" "definition" {
  cluster  = data.kubernetes_cluster.this
  manifest = var.definition
}
resource "kubernetes_manifest" "thing" {
  for_each   = toset(flatten([for namespace, groups in var.groups : [for group in groups : ["${namespace}/${group}/a", "${namespace}/${group}/b"]]]))
  cluster    = data.kubernetes_cluster.this
  depends_on = [kubernetes_manifest.definition]
  manifest = {
    apiVersion = "${split("/", each.key)[1]}/v1"
    kind       = "Thing"
    metadata   = { name = split("/", each.key)[2], namespace = split("/", each.key)[0] }
    size       = 1
  }
}
resource "kubernetes_labels" "thing" {
  for_each    = var.groups
  cluster     = data.kubernetes_cluster.this
  api_version = "${each.value[0]}/v1"
  kind        = "Thing"
  name        = "a"
  namespace   = each.key
  labels      = { some = "label" }
  depends_on  = [kubernetes_manifest.thing]
}
"#;

#[test]
fn a_run_asks_once_which_kinds_there_are() {
    let Some(cluster) = apiserver::shared(0) else { return };
    let proxy = Proxy::by(cluster, &cluster.admin().named("c"));
    let groups: Vec<_> = (0..4).map(|_| format!("{}.example.org", cluster.name("kinds"))).collect();
    for group in &groups[1..] {
        cluster.api().make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition(group));
        cluster.api().wait(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}"), |found| {
            found["status"]["conditions"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one["type"] == "Established" && one["status"] == "True"))
        });
    }
    let mut scenario = Scenario::with(THINGS);
    scenario.reach(&[proxy.access().clone()]);
    let namespaces = [cluster.namespace(), cluster.namespace()];
    let hcl = |value: &Value| value.to_string().replace("\":", "\" = ");
    let groups: BTreeMap<_, _> = namespaces.iter().map(|namespace| (namespace, &groups)).collect();
    scenario.write(
        "of.auto.vars.hcl",
        &format!("groups = {}\ndefinition = {}\n", hcl(&json!(groups)), hcl(&definition(&groups[&namespaces[0]][0]))),
    );
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(proxy.count("discover /apis"), 1, "only when the first object is to be previewed, which is after its definition");
    proxy.forget();
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    assert_eq!((proxy.count("discover /apis"), proxy.count("discover /readyz")), (1, 1), "{:#?}", proxy.seen());
    assert_eq!(proxy.count("discover"), 3, "the kinds, whether it knows all of them, and the version: {:#?}", proxy.seen());
}
