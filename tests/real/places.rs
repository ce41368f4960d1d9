//! Real clusters whose descriptions move, vanish or lead to another one: what lies within is found again, left in order, or not touched.

use crate::meanwhile::MeanwhileYes;
use meshplan_tests::apiserver::access::kubeconfig;
use meshplan_tests::apiserver::{self, Access, ApiServer, Fault, Proxy};
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::Value;
use std::sync::Arc;

/// A namespace and an object within, in the cluster that `data.kubernetes_cluster.c` leads to.
const OBJECTS: &str = r#"
resource "kubernetes_namespace" "n" {
  cluster = data.kubernetes_cluster.c
  name    = "NAME"
}
resource "kubernetes_manifest" "m" {
  cluster  = data.kubernetes_cluster.c
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "m", namespace = kubernetes_namespace.n.name }
    data       = { key = "value" }
  }
}
"#;

const CREATED: [&str; 2] = ["create kubernetes_manifest.m", "create kubernetes_namespace.n"];

fn data(label: &str, file: &str, context: &str) -> String {
    format!("data \"kubernetes_cluster\" \"{label}\" {{\n kubeconfig = \"{file}\"\n context = \"{context}\"\n}}\n")
}

/// A directory with a kubeconfig that leads to clusters by the names `one` and `two`, and a name that is free in both.
struct Case {
    scenario: Scenario,
    name: String,
    one: &'static ApiServer,
    two: &'static ApiServer,
}

impl Case {
    /// Two shared clusters, and the objects made in the first; nothing where the programs are missing.
    fn applied(topic: &str) -> Option<Self> {
        let (one, two) = (apiserver::shared(0)?, apiserver::shared(1)?);
        let case = Self { scenario: Scenario::empty(), name: one.name(topic), one, two };
        case.contexts("kubeconfig.old", &[one.admin().named("one"), two.admin().named("two")]);
        case.configure(&(case.data("c", "kubeconfig.old", "one") + &case.objects()));
        assert_eq!(Self::changes(&case.plan(0)), CREATED);
        case.apply();
        case.assert_converged();
        Some(case)
    }

    fn contexts(&self, file: &str, ways: &[Access]) {
        self.scenario.write(file, &kubeconfig(ways));
    }

    fn configure(&self, text: &str) {
        self.scenario.write("main.mesh.hcl", text);
    }

    fn data(&self, label: &str, file: &str, context: &str) -> String {
        data(label, &self.scenario.path().join(file).display().to_string(), context)
    }

    fn objects(&self) -> String {
        OBJECTS.replace("NAME", &self.name)
    }

    fn plan(&self, code: u8) -> Output {
        self.scenario.run(&["plan", "--json"]).expect_code(code)
    }

    fn apply(&self) -> Output {
        self.scenario.run(&["apply", "--auto-approve"]).expect_code(0)
    }

    fn assert_converged(&self) {
        self.scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    }

    fn events(output: &Output, event: &str) -> Vec<Value> {
        let all = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|line| line["event"] == event).collect()
    }

    /// What a plan would change, as action and address.
    fn changes(plan: &Output) -> Vec<String> {
        let planned = Self::events(plan, "planned_change");
        planned.iter().map(|change| format!("{} {}", change["action"].as_str().unwrap(), change["address"].as_str().unwrap())).collect()
    }

    fn summaries(plan: &Output) -> Vec<String> {
        Self::events(plan, "diagnostic").iter().map(|problem| problem["summary"].as_str().unwrap().to_owned()).collect()
    }

    /// The uid of the object in a cluster; nothing if it is not there.
    fn object(&self, cluster: &ApiServer) -> Option<String> {
        let object = cluster.api().get(&format!("/api/v1/namespaces/{}/configmaps/m", self.name))?;
        Some(object["metadata"]["uid"].as_str()?.to_owned())
    }

    /// What the state remembers of the only place.
    fn place(&self) -> Value {
        let state = self.scenario.state();
        let places = state["places"].as_array().unwrap();
        assert_eq!(places.len(), 1, "{places:#?}");
        places[0].clone()
    }
}

#[test]
fn what_is_left_of_a_deleted_block_is_destroyed() {
    let Some(case) = Case::applied("deleted") else { return };
    let place = case.place();
    assert_eq!((place["uid"].as_str(), place["server"].as_str()), (Some(&*case.one.uid()), Some(&*case.one.admin().server)));
    assert!(place["ca_fingerprint"].as_str().unwrap().starts_with("sha256:"), "{place:#}");
    case.configure("");
    assert_eq!(Case::changes(&case.plan(0)), ["delete kubernetes_manifest.m", "delete kubernetes_namespace.n"]);
    case.apply();
    assert_eq!(case.object(case.one), None);
    let state = case.scenario.state();
    assert!(state["places"].as_array().is_none_or(Vec::is_empty) && case.scenario.addresses().is_empty(), "{state:#}");
}

#[test]
fn a_kubeconfig_that_moved_is_found_again() {
    let Some(case) = Case::applied("moved") else { return };
    let before = case.object(case.one);
    std::fs::rename(case.scenario.path().join("kubeconfig.old"), case.scenario.path().join("kubeconfig.new")).unwrap();
    // Where the block still names the old file, nothing is known, and nothing is touched.
    let lost = case.plan(0);
    assert_eq!((Case::changes(&lost), Case::events(&lost, "blocked").len()), (Vec::new(), 3));
    case.configure(&(case.data("c", "kubeconfig.new", "one") + &case.objects()));
    case.assert_converged();
    case.apply();
    assert!(case.place().to_string().contains("kubeconfig.new"), "{:#}", case.place());
    assert_eq!(case.object(case.one), before);
    case.configure("");
    case.apply();
    assert_eq!(case.object(case.one), None);
}

#[test]
fn another_server_of_the_same_cluster_is_only_written_down() {
    let Some(case) = Case::applied("readdressed") else { return };
    let (before, proxy) = (case.object(case.one), Proxy::of(case.one));
    case.contexts("kubeconfig.old", &[proxy.access().named("one")]);
    case.assert_converged();
    case.apply();
    assert_eq!(case.place()["server"].as_str(), Some(&*proxy.access().server));
    let seen = proxy.seen();
    let writes: Vec<_> = seen.iter().filter(|seen| !matches!(seen.verb, "get" | "list" | "watch" | "discover")).collect();
    assert!(writes.is_empty(), "{writes:?}");
    assert_eq!(case.object(case.one), before);
    let serial = case.scenario.state()["serial"].clone();
    case.apply();
    assert_eq!(case.scenario.state()["serial"], serial, "it is written down once");
}

#[test]
fn another_block_of_the_same_cluster_is_only_written_down() {
    let Some(case) = Case::applied("renamed") else { return };
    let before = case.object(case.one);
    let renamed = case.data("d", "kubeconfig.old", "one") + &case.objects().replace("kubernetes_cluster.c", "kubernetes_cluster.d");
    case.configure(&renamed);
    case.assert_converged();
    case.apply();
    assert_eq!((case.place()["address"].as_str(), case.object(case.one)), (Some("data.kubernetes_cluster.d"), before));
    case.configure("");
    case.apply();
    assert_eq!(case.object(case.one), None);
}

#[test]
fn an_object_that_moves_is_deleted_there_and_created_here() {
    let Some(case) = Case::applied("moves") else { return };
    let blocks = case.data("c", "kubeconfig.old", "one") + &case.data("d", "kubeconfig.old", "two");
    case.configure(&(blocks + &case.objects().replace("kubernetes_cluster.c", "kubernetes_cluster.d")));
    assert_eq!(Case::changes(&case.plan(0)), ["replace kubernetes_manifest.m", "replace kubernetes_namespace.n"]);
    case.apply();
    assert!(case.object(case.one).is_none() && case.object(case.two).is_some());
    assert_eq!(case.place()["uid"].as_str(), Some(&*case.two.uid()));
    case.assert_converged();
}

#[test]
fn a_block_that_names_another_context_leaves_the_former_cluster_clean() {
    let Some(case) = Case::applied("left") else { return };
    case.configure(&(case.data("c", "kubeconfig.old", "two") + &case.objects()));
    let plan = case.plan(0);
    assert_eq!(Case::changes(&plan), ["replace kubernetes_manifest.m", "replace kubernetes_namespace.n"]);
    assert_eq!(Case::events(&plan, "planned_change")[0]["reason"]["code"], "another_place");
    case.apply();
    assert!(case.object(case.one).is_none() && case.object(case.two).is_some());
    assert_eq!(case.place()["uid"].as_str(), Some(&*case.two.uid()));
    case.assert_converged();
}

#[test]
fn another_cluster_behind_the_same_context_is_entered_with_a_warning() {
    let Some(case) = Case::applied("swapped") else { return };
    let before = case.object(case.one);
    case.contexts("kubeconfig.old", &[case.two.admin().named("one")]);
    let plan = case.plan(0);
    assert_eq!(Case::changes(&plan), ["replace kubernetes_manifest.m", "replace kubernetes_namespace.n"]);
    assert_eq!(Case::summaries(&plan), ["another place"]);
    case.apply();
    // What cannot be reached is left as it is, and what is there now is made anew.
    assert_eq!(case.object(case.one), before);
    assert!(case.object(case.two).is_some());
    case.assert_converged();
}

#[test]
fn a_cluster_swapped_while_the_plan_is_read_is_not_touched() {
    let Some(case) = Case::applied("meanwhile") else { return };
    case.configure(&(case.data("c", "kubeconfig.old", "one") + &case.objects().replace("\"value\"", "\"other\"")));
    let (file, other) = (case.scenario.path().join("kubeconfig.old"), kubeconfig(&[case.two.admin().named("one")]));
    let mut world = case.scenario.world("");
    world.stdin = Box::new(MeanwhileYes(move || std::fs::write(&file, &other).unwrap(), b"yes\n"));
    let output = Scenario::run_in(world, &["apply"]).expect_code(1);
    assert!(output.stderr.contains("another cluster") && output.stderr.contains("nothing was touched"), "{}", output.all());
    let there = case.one.api().get(&format!("/api/v1/namespaces/{}/configmaps/m", case.name)).unwrap();
    assert_eq!(there["data"]["key"], "value");
    assert_eq!(case.object(case.two), None);
    // The way back leads on from where it stopped.
    case.contexts("kubeconfig.old", &[case.one.admin().named("one")]);
    case.apply();
    case.assert_converged();
}

#[test]
fn a_cluster_that_does_not_answer_is_not_taken_for_gone() {
    let (Some(components), Some(other)) = (apiserver::required(), apiserver::shared(1)) else { return };
    let alone = ApiServer::start(&components, "silent");
    let scenario = Scenario::empty();
    let configuration = |context: &str| data("c", &scenario.path().join("kubeconfig").display().to_string(), context);
    let name = other.name("silent");
    let objects = OBJECTS.replace("NAME", &name);
    scenario.write("kubeconfig", &kubeconfig(&[alone.admin().named("alone"), other.admin().named("other")]));
    scenario.write("main.mesh.hcl", &(configuration("alone") + &objects));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let state = scenario.state();
    alone.stop();
    // Neither where it is, nor where it was, is anything made, changed or forgotten.
    for text in [configuration("alone") + &objects, configuration("other") + &objects, String::new()] {
        scenario.write("main.mesh.hcl", &text);
        let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
        assert!(output.stdout.contains("could not be observed"), "{}", output.all());
        assert_eq!(scenario.state()["resources"], state["resources"]);
    }
    alone.start_again();
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert!(scenario.addresses().is_empty());
    // What somebody says is gone for good is forgotten, and nothing is done to it; while it answers, that is refused.
    scenario.write("main.mesh.hcl", &(configuration("alone") + &objects));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let abandon = ["apply", "--auto-approve", "--abandon", "data.kubernetes_cluster.c"];
    assert!(scenario.run(&abandon).expect_code(1).stderr.contains("error: place answers"));
    alone.stop();
    scenario.write("main.mesh.hcl", "");
    let output = scenario.run(&abandon).expect_code(0);
    assert!(
        output.stderr.contains("`data.kubernetes_cluster.c` at https://") && output.stderr.contains("with 2 resources within"),
        "{}",
        output.all()
    );
    let state = scenario.state();
    assert!(scenario.addresses().is_empty() && state["places"].as_array().is_none_or(Vec::is_empty), "{state:#}");
    alone.start_again();
    assert!(alone.api().get(&format!("/api/v1/namespaces/{name}/configmaps/m")).is_some());
}

#[test]
fn what_a_deleted_block_left_is_looked_for_in_no_other_cluster() {
    let Some(case) = Case::applied("stranger") else { return };
    let before = case.object(case.one);
    // The very objects stand in the other cluster, and are somebody else's.
    let theirs = case.two.api();
    theirs.make("/api/v1/namespaces", &serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": case.name } }));
    let map = serde_json::json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" } });
    theirs.make(&format!("/api/v1/namespaces/{}/configmaps", case.name), &map);
    let stranger = case.object(case.two);
    case.contexts("kubeconfig.old", &[case.two.admin().named("one")]);
    case.configure("");
    let plan = case.plan(0);
    assert_eq!(Case::changes(&plan), ["forget kubernetes_manifest.m", "forget kubernetes_namespace.n"]);
    assert_eq!(Case::summaries(&plan), ["another place"]);
    case.apply();
    assert_eq!((case.object(case.one), case.object(case.two)), (before, stranger));
}

#[test]
fn what_a_repair_brings_back_is_read_by_the_same_apply() {
    let Some(case) = Case::applied("repaired") else { return };
    let proxy = Arc::new(Proxy::of(case.one));
    case.contexts("kubeconfig.old", &[proxy.access().named("one")]);
    let file = case.scenario.path().join("kubeconfig.old");
    let way = |value: u64| {
        let input = format!("{{ file = \"{}\", value = {value} }}", file.display());
        format!("resource \"meshplan_data\" \"way\" {{\n input = {input}\n}}\n")
    };
    let described = "data \"kubernetes_cluster\" \"c\" {\n kubeconfig = meshplan_data.way.output.file\n context = \"one\"\n}\n";
    case.configure(&(way(1) + described + &case.objects()));
    case.apply();
    // Out of reach, with a change before it, which brings it back; then nothing differs, or something does.
    for (value, data, answers, code) in [(2, "value", &b"yes\n"[..], 0), (3, "other", b"yes\nno\n", 1), (4, "other", b"yes\nyes\n", 0)] {
        proxy.fail(usize::MAX, "*", Fault::CutBefore);
        case.configure(&(way(value) + described + &case.objects().replace("\"value\"", &format!("\"{data}\""))));
        let mended = proxy.clone();
        let mut world = case.scenario.world("");
        world.stdin = Box::new(MeanwhileYes(move || mended.mend(), answers));
        let output = Scenario::run_in(world, &["apply"]).expect_code(code);
        assert!(output.stdout.contains("3 resources are read after meshplan_data.way is changed"), "{}", output.all());
        assert!(output.stderr.contains("What was out of reach is read now."), "{}", output.all());
    }
    case.assert_converged();
    let map = case.one.api().get(&format!("/api/v1/namespaces/{}/configmaps/m", case.name)).unwrap();
    assert_eq!(map["data"]["key"], "other");
    case.configure("");
    case.apply();
}
