//! `kubeconfig_merged` with kubeconfigs as kubeadm leaves them: of two real clusters, under the same names.

use meshplan_tests::apiserver::access::kubeconfig;
use meshplan_tests::apiserver::{self, ApiServer};
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

const MERGED: &str = r#"
resource "kubeconfig_merged" "mesh" {
  kubeconfigs = { NAMES }
  path        = "merged"
}
output "kubeconfig" {
  value     = kubeconfig_merged.mesh.kubeconfig
  sensitive = true
}
"#;

const CLUSTERS: &str = r#"
data "kubernetes_cluster" "this" {
  for_each = toset(["one", "two"])
  context  = each.key
}
output "uids" {
  value = { for context, cluster in data.kubernetes_cluster.this : context => cluster.uid }
}
"#;

struct Case {
    scenario: Scenario,
    one: &'static ApiServer,
    two: &'static ApiServer,
}

impl Case {
    /// A directory with the kubeconfigs of two clusters.
    fn new() -> Option<Self> {
        let (one, two) = (apiserver::shared(0)?, apiserver::shared(1)?);
        let case = Self { scenario: Scenario::empty(), one, two };
        for (file, cluster) in [("one.conf", one), ("two.conf", two)] {
            case.scenario.write(file, &kubeconfig(&[cluster.admin().named("kubernetes-admin@kubernetes")]));
        }
        Some(case)
    }

    fn configure(&self, names: &[&str]) {
        let names: Vec<_> = names.iter().map(|name| format!("{name} = file(\"{name}.conf\")")).collect();
        self.scenario.write("main.mesh.hcl", &MERGED.replace("NAMES", &names.join(", ")));
    }

    fn run(&self, args: &[&str], code: u8) -> String {
        self.scenario.run(args).expect_code(code).all()
    }

    fn apply(&self) {
        self.run(&["apply", "--auto-approve"], 0);
    }

    /// The uid of the cluster that a context leads kubectl to; what it says otherwise.
    fn reached(&self, file: &str, context: &str) -> Result<String, String> {
        self.kubectl(file, &["--context", context, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"])
    }

    /// What kubectl prints, with the files of these names, a colon between them, for its kubeconfig.
    fn kubectl(&self, files: &str, arguments: &[&str]) -> Result<String, String> {
        let files: Vec<_> = files.split(':').map(|file| self.scenario.path().join(file)).collect();
        let output = self.one.kubectl_with(&files, arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

#[test]
fn each_context_reaches_its_own_cluster() {
    let Some(case) = Case::new() else { return };
    case.configure(&["one", "two"]);
    case.apply();
    let both = [Ok(case.one.uid()), Ok(case.two.uid())];
    assert_eq!(["one", "two"].map(|context| case.reached("merged", context)), both);
    assert_ne!(both[0], both[1]);
    let mode = std::fs::metadata(case.scenario.path().join("merged")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    case.run(&["plan", "--detailed-exitcode"], 0);

    // The output says the same, and nothing else shows a credential.
    case.scenario.write("output", &case.scenario.run(&["output", "--raw", "kubeconfig"]).expect_code(0).stdout);
    assert_eq!(["one", "two"].map(|context| case.reached("output", context)), both);
    case.scenario.replace("main.mesh.hcl", "path        = \"merged\"", "path        = \"moved\"");
    let plan = case.run(&["plan"], 0);
    assert!(!plan.contains("client-key-data") && !plan.contains("PRIVATE"), "{plan}");
    case.apply();
    assert_eq!(case.reached("moved", "two"), both[1]);
    assert!(!case.scenario.path().join("merged").exists());
}

/// A kubeconfig of somebody who writes by hand.
fn by_hand(case: &Case) -> String {
    let theirs = case.two.admin().named("theirs").kubeconfig();
    let theirs: Value = serde_json::from_str(&theirs).unwrap();
    let part = |list: &str, key: &str| theirs[list][0][key].to_string();
    let (cluster, user) = (part("clusters", "cluster"), part("users", "user"));
    format!(
        "# By hand.\napiVersion: v1\nkind: Config\ncurrent-context: theirs # for now\npreferences: {{}}\nextensions:\n- name: odd\n  extension: {{mine: true}}\n\
         clusters:\n# In the laboratory.\n- name: theirs\n  cluster: {cluster}\ncontexts:\n- name: theirs\n  context: {{cluster: theirs, user: theirs}}\n\
         users:\n- name: theirs\n  user: {user}\n"
    )
}

#[test]
fn entries_of_others_stay_as_they_are_written() {
    let Some(case) = Case::new() else { return };
    let theirs = by_hand(&case);
    case.scenario.write("merged", &theirs);
    case.configure(&["one"]);
    case.apply();
    case.configure(&["one", "two"]);
    case.apply();
    let reached = ["theirs", "one", "two"].map(|context| case.reached("merged", context).unwrap());
    assert_eq!(reached, [case.two.uid(), case.one.uid(), case.two.uid()]);
    assert_eq!(case.reached("merged", ""), Ok(case.two.uid()), "the current context stays");
    let merged = case.scenario.read("merged");
    for line in theirs.lines() {
        assert!(merged.lines().any(|found| found == line), "{line}");
    }
    case.configure(&["two"]);
    case.apply();
    assert!(case.reached("merged", "one").is_err_and(|why| why.contains("context was not found")));
    case.run(&["destroy", "--auto-approve"], 0);
    assert_eq!(case.scenario.read("merged"), theirs);
}

#[test]
fn what_kubectl_writes_beside_stays_and_an_edit_of_ours_shows() {
    let Some(case) = Case::new() else { return };
    case.scenario.write("merged", &case.two.admin().named("theirs").kubeconfig());
    case.configure(&["one"]);
    case.apply();
    let namespace = ["config", "set-context", "theirs", "--namespace=kube-public"];
    // kubectl takes the same lock.
    case.scenario.write("merged.lock", "");
    let told = case.kubectl("merged", &namespace).unwrap_err();
    assert!(told.contains("merged.lock") && told.contains("file exists"), "{told}");
    std::fs::remove_file(case.scenario.path().join("merged.lock")).unwrap();
    case.kubectl("merged", &namespace).unwrap();
    case.kubectl("merged", &["config", "use-context", "theirs"]).unwrap();
    case.run(&["plan", "--detailed-exitcode"], 0);

    for edit in [&["config", "set-cluster", "one", "--server=https://127.0.0.1:1"][..], &["config", "delete-user", "one"]] {
        case.kubectl("merged", edit).unwrap();
        let plan = case.run(&["plan", "--detailed-exitcode"], 2);
        assert!(plan.contains("kubeconfig") && !plan.contains("client-key-data"), "{plan}");
        case.apply();
        assert_eq!(case.reached("merged", "one"), Ok(case.one.uid()));
    }
    // Nobody has to be there any more for it to be made again, and to be destroyed.
    std::fs::remove_file(case.scenario.path().join("merged")).unwrap();
    case.run(&["plan", "--detailed-exitcode"], 2);
    case.apply();
    assert_eq!(case.reached("merged", "one"), Ok(case.one.uid()));
    std::fs::remove_file(case.scenario.path().join("merged")).unwrap();
    case.run(&["destroy", "--auto-approve"], 0);
    assert!(!case.scenario.path().join("merged").exists());
}

#[test]
fn a_merged_file_is_one_of_several() {
    let Some(case) = Case::new() else { return };
    // The first file that has a name counts, for kubectl and for us.
    case.scenario.write("first", &case.two.admin().named("two").kubeconfig());
    case.configure(&["one", "two"]);
    case.apply();
    let both = [Ok(case.one.uid()), Ok(case.two.uid())];
    assert_eq!(["one", "two"].map(|context| case.reached("first:merged", context)), both);
    let names = case.kubectl("first:merged", &["config", "get-contexts", "-o", "name"]).unwrap();
    assert_eq!(names.lines().collect::<Vec<_>>(), ["one", "two"]);

    let mesh = Scenario::with(CLUSTERS);
    let files = ["first", "merged"].map(|file| case.scenario.path().join(file));
    let mut world = mesh.world("");
    world.environment.insert("KUBECONFIG".to_owned(), std::env::join_paths(files).unwrap().into_string().unwrap());
    world.registry = meshplan::registry_maker(mesh.path(), &world.environment);
    Scenario::run_in(world, &["apply", "--auto-approve"]).expect_code(0);
    let uids: Value = serde_json::from_str(&mesh.run(&["output", "--json", "uids"]).expect_code(0).stdout).unwrap();
    assert_eq!(uids, json!({ "one": case.one.uid(), "two": case.two.uid() }));
}

#[test]
fn a_name_that_is_taken_is_not_taken_over() {
    let Some(case) = Case::new() else { return };
    let theirs = kubeconfig(&[case.two.admin().named("one")]);
    case.scenario.write("merged", &theirs);
    case.configure(&["one"]);
    let told = case.run(&["plan"], 1);
    assert!(told.contains("exists, not ours") && told.contains("`one`"), "{told}");
    assert_eq!(case.scenario.read("merged"), theirs);
    // What is no kubeconfig is told by the plan.
    case.scenario.write("one.conf", "token: [secret");
    let told = case.run(&["plan"], 1);
    assert!(told.contains("not mergeable") && !told.contains("secret"), "{told}");
}
