//! Things on the machine, over the whole command line.

use super::laws::{APPLY, COUNTING};
use meshplan_tests::scenario::Scenario;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];
const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];

const FILES: &str = r#"
variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2"
}
resource "host_file" "fresh" {
  path    = "made/conf.d/fresh.conf"
  content = "fresh\n"
  mode    = "0640"
}
resource "host_file" "replaced" {
  path      = "there.conf"
  content   = "ours\n"
  on_exists = "replace"
}
resource "host_file" "secret" {
  path              = "made/secret"
  sensitive_content = var.password
}
"#;

fn files() -> Scenario {
    let scenario = Scenario::with(FILES);
    scenario.write("there.conf", "theirs\n");
    std::fs::set_permissions(scenario.path().join("there.conf"), std::fs::Permissions::from_mode(0o604)).unwrap();
    scenario
}

/// All files below a directory that are none of meshplan's own, with their permissions and texts; directories with none.
fn tree(directory: &Path) -> BTreeMap<String, String> {
    fn visit(directory: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                found.insert(name.clone(), String::new());
                visit(&entry.path(), &format!("{name}/"), found);
            } else {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
                let text = std::fs::read(entry.path()).unwrap();
                found.insert(name, format!("{mode:04o} {}", String::from_utf8_lossy(&text)));
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(directory, "", &mut found);
    let own = ["meshplan.state", ".meshplan", "main.mesh.hcl", "points", "appended-to"];
    found.retain(|name, _| !own.iter().any(|own| name.starts_with(own)));
    found
}

fn there(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn applied() -> BTreeMap<String, String> {
    there(&[
        (".there.conf.before-meshplan", "0604 theirs\n"),
        ("made", ""),
        ("made/conf.d", ""),
        ("made/conf.d/fresh.conf", "0640 fresh\n"),
        ("made/secret", "0600 hunter2"),
        ("there.conf", "0644 ours\n"),
    ])
}

fn before() -> BTreeMap<String, String> {
    there(&[("there.conf", "0604 theirs\n")])
}

#[test]
fn files_come_stay_drift_and_go_and_what_was_there_comes_back() {
    let scenario = files();
    let plan = scenario.run(&["plan"]).expect_code(0);
    assert!(plan.stdout.contains(".there.conf.before-meshplan"), "{}", plan.all());
    for _ in 0..2 {
        scenario.run(&APPLY).expect_code(0);
        assert_eq!(tree(scenario.path()), applied());
        scenario.run(&SETTLED).expect_code(0);
    }
    assert!(!scenario.read("meshplan.state.json").contains("hunter2"));
    scenario.write("made/conf.d/fresh.conf", "edited\n");
    scenario.write("made/secret", "hunter3");
    std::fs::remove_file(scenario.path().join("there.conf")).unwrap();
    let plan = scenario.run(&["plan"]).expect_code(0);
    for said in ["edited", "changed outside", "host_file.replaced", "host_file.secret"] {
        assert!(plan.stdout.contains(said), "no `{said}`: {}", plan.all());
    }
    assert!(!plan.all().contains("hunter"), "{}", plan.all());
    scenario.run(&APPLY).expect_code(0);
    let mended = tree(scenario.path());
    assert_eq!((mended["made/conf.d/fresh.conf"].as_str(), mended["made/secret"].as_str()), ("0640 fresh\n", "0600 hunter2"));
    scenario.replace("main.mesh.hcl", "\"fresh\\n\"", "\"fresher\\n\"");
    scenario.replace("main.mesh.hcl", "0640", "0600");
    scenario.run(&APPLY).expect_code(0);
    assert_eq!(tree(scenario.path())["made/conf.d/fresh.conf"], "0600 fresher\n");
    scenario.run(&SETTLED).expect_code(0);
    scenario.run(&DESTROY).expect_code(0);
    assert_eq!(tree(scenario.path()), before());
}

#[test]
fn a_file_of_somebody_else_stops_the_plan_and_is_not_touched() {
    let scenario = Scenario::with("resource \"host_file\" \"a\" {\n  path = \"there.conf\"\n  content = \"ours\"\n}\n");
    scenario.write("there.conf", "theirs\n");
    let plan = scenario.run(&APPLY).expect_code(1);
    assert!(plan.stderr.contains("exists, not ours") && plan.stderr.contains("on_exists = \"replace\""), "{}", plan.all());
    std::fs::remove_file(scenario.path().join("there.conf")).unwrap();
    std::os::unix::fs::symlink("elsewhere", scenario.path().join("there.conf")).unwrap();
    let plan = scenario.run(&APPLY).expect_code(1);
    assert!(plan.stderr.contains("is a symbolic link to `elsewhere`"), "{}", plan.all());
    assert!(!scenario.path().join("elsewhere").exists());
    // Also where the text is known only once something else is made.
    let later = "resource \"ca_root\" \"r\" {\n  subject = { common_name = \"Root\" }\n}\n\
        resource \"host_file\" \"a\" {\n  path = \"root.pem\"\n  content = ca_root.r.certificate\n}\n";
    let scenario = Scenario::with(later);
    scenario.write("root.pem", "theirs\n");
    let plan = scenario.run(&["plan"]).expect_code(1);
    assert!(plan.stderr.contains("exists, not ours") && plan.stderr.contains("on_exists = \"replace\""), "{}", plan.all());
    std::fs::remove_file(scenario.path().join("root.pem")).unwrap();
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&SETTLED).expect_code(0);
}

#[test]
fn directories_of_a_removal_that_was_cut_short_go_with_the_next() {
    let scenario = files();
    COUNTING.finish(&scenario, &APPLY, None);
    // What is about to be done is written down, and nothing is done yet: the first half is played here.
    assert!(COUNTING.is_killed(&scenario, &DESTROY, 1, 2));
    assert_eq!(tree(scenario.path()), applied());
    std::fs::remove_dir_all(scenario.path().join("made/conf.d")).unwrap();
    std::fs::remove_file(scenario.path().join("made/secret")).unwrap();
    COUNTING.finish(&scenario, &DESTROY, None);
    assert_eq!(tree(scenario.path()), before());
}

#[test]
fn a_kill_at_any_point_leaves_what_the_next_run_completes() {
    let points = COUNTING.finish(&files(), &APPLY, None);
    for point in 0..points {
        let scenario = files();
        if !COUNTING.is_killed(&scenario, &APPLY, point, points) {
            continue;
        }
        COUNTING.finish(&scenario, &APPLY, Some(point));
        assert_eq!(tree(scenario.path()), applied(), "killed at point {point}");
        COUNTING.finish(&scenario, &SETTLED, Some(point));
        let points = COUNTING.finish(&scenario, &DESTROY, Some(point));
        assert_eq!(tree(scenario.path()), before(), "killed at point {point} of {points}");
    }
    let ends = files();
    COUNTING.finish(&ends, &APPLY, None);
    let points = COUNTING.finish(&ends, &DESTROY, None);
    for point in 0..points {
        let scenario = files();
        COUNTING.finish(&scenario, &APPLY, None);
        if COUNTING.is_killed(&scenario, &DESTROY, point, points) {
            COUNTING.finish(&scenario, &DESTROY, Some(point));
        }
        assert_eq!(tree(scenario.path()), before(), "killed at point {point} of a destroy");
    }
}
