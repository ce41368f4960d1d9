//! Sets of objects on a real cluster: from a directory, narrowed by labels, and told apart where something is wrong with one.

use meshplan_tests::apiserver::{self, ApiServer};
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::Value;

/// A directory with manifests, and a namespace that is free in the cluster that the configuration leads to.
struct Case {
    scenario: Scenario,
    cluster: &'static ApiServer,
    namespace: String,
}

impl Case {
    fn new() -> Option<Self> {
        let cluster = apiserver::shared(0)?;
        let mut scenario = Scenario::empty();
        scenario.reach(&[cluster.admin().named("one")]);
        let case = Self { scenario, cluster, namespace: cluster.namespace() };
        case.manifest("rules/a.yaml", &[("a1", "web"), ("a2", "api")]);
        case.manifest("rules/more/b.yml", &[("b", "web")]);
        Some(case)
    }

    /// Writes a file of `ConfigMaps`: name and label `app` of each.
    fn manifest(&self, path: &str, objects: &[(&str, &str)]) {
        let documents: Vec<_> = objects
            .iter()
            .map(|(name, app)| {
                format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name}, labels: {{ app: {app} }} }}\ndata: {{ k: v }}\n")
            })
            .collect();
        self.scenario.write(path, &documents.join("---\n"));
    }

    fn configure(&self, source: &str, selector: &str) {
        let namespace = &self.namespace;
        let text = format!(
            "data \"kubernetes_cluster\" \"c\" {{\n  context = \"one\"\n}}\ndata \"kubernetes_manifest_source\" \"s\" {{\n  {source}\n}}\n\
             resource \"kubernetes_manifests\" \"m\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"{namespace}\"\n  \
             objects = data.kubernetes_manifest_source.s.objects\n  {selector}\n}}\n"
        );
        self.scenario.write("main.mesh.hcl", &text);
    }

    fn apply(&self) -> Output {
        let applied = self.scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        self.scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
        applied
    }

    /// The `ConfigMaps` of the namespace that carry the label.
    fn names(&self) -> Vec<String> {
        let list = self.cluster.api().get(&format!("/api/v1/namespaces/{}/configmaps?labelSelector=app", self.namespace)).unwrap();
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(name).collect()
    }
}

#[test]
fn a_directory_is_a_set_and_what_leaves_it_is_deleted() {
    let Some(case) = Case::new() else { return };
    case.configure("path = \"rules\"\n  recursive = true", "");
    case.apply();
    assert_eq!(case.names(), ["a1", "a2", "b"]);
    case.manifest("rules/a.yaml", &[("a1", "web")]);
    case.apply();
    assert_eq!(case.names(), ["a1", "b"]);
    case.configure("path = \"rules\"", "");
    case.apply();
    assert_eq!(case.names(), ["a1"]);
}

#[test]
fn labels_choose_among_the_objects_of_a_file() {
    let Some(case) = Case::new() else { return };
    case.configure("path = \"rules/a.yaml\"", "selector = { app = \"api\" }");
    case.apply();
    assert_eq!(case.names(), ["a2"]);
    case.configure("path = \"rules/a.yaml\"", "selector = { app = \"web\" }");
    case.apply();
    assert_eq!(case.names(), ["a1"]);
}

#[test]
fn a_manifest_that_is_wrong_is_told_with_its_place_and_changes_nothing() {
    let Some(case) = Case::new() else { return };
    case.configure("path = \"rules\"\n  recursive = true", "");
    case.scenario.write("rules/more/c.yaml", "# first\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { labels: { app: web } }\n");
    let told = case.scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("`more/c.yaml`, document 1, line 1: `metadata.name` is missing"), "{told}");
    case.scenario.write("rules/more/c.yaml", "a: 1\n---\nb: 2\nb: 3\n");
    let told = case.scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("`more/c.yaml`, document 2, line 4, column 1: "), "{told}");
    assert!(case.names().is_empty());
}
