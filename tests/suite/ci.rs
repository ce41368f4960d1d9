//! The commands of `docs/ci.md`, as they stand there, each block a script of its own.

use meshplan_tests::scenario::{Scenario, project};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// The scripts of the page, by the word behind `sh`.
fn scripts() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(project().join("docs/ci.md")).unwrap();
    let blocks = page.split("\n```sh ").skip(1).map(|block| {
        let (name, text) = block.split_once('\n').unwrap();
        (name.to_owned(), text.split_once("\n```").unwrap().0.to_owned())
    });
    blocks.collect()
}

/// How a script ended: its exit code and all that it said.
fn run(scenario: &Scenario, script: &str, environment: &[(&str, &str)]) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_meshplan-counting");
    let tools = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(program, tools.path().join("meshplan")).unwrap();
    let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-euc", script])
        .current_dir(scenario.path())
        .env("PATH", path)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn what_was_reviewed_is_what_is_merged() {
    let scripts = scripts();
    assert_eq!(scripts.keys().map(String::as_str).collect::<Vec<_>>(), ["apply", "drift", "plan"]);
    let scenario = Scenario::example("quickstart");
    let (code, said) = run(&scenario, &scripts["plan"], &[]);
    assert_eq!(code, 0, "{said}");
    let comment = scenario.read("comment.md");
    let digest = comment.lines().last().unwrap().trim_start_matches("Plan digest: `").trim_end_matches('`').to_owned();
    let document: Value = serde_json::from_str(&scenario.read("plan.json")).unwrap();
    assert_eq!(document["digest"], digest);
    assert!(scenario.read("plan.html").contains(&digest));

    // Something else is merged first.
    let main = scenario.read("main.mesh.hcl");
    scenario.replace("main.mesh.hcl", "mesh1", "mesh2");
    let (code, said) = run(&scenario, &scripts["apply"], &[("APPROVED", &digest)]);
    assert!(code == 1 && said.contains("another plan than approved"), "{said}");
    assert!(!scenario.path().join("meshplan.state.json").exists(), "nothing was done");

    scenario.write("main.mesh.hcl", &main);
    let (code, said) = run(&scenario, &scripts["apply"], &[("APPROVED", &digest)]);
    assert!(code == 0 && said.contains("Apply complete: 71 added"), "{said}");
    let (code, said) = run(&scenario, &scripts["apply"], &[("APPROVED", &digest)]);
    assert!(code == 1 && said.contains("another plan than approved"), "it is done: {said}");
    let (code, said) = run(&scenario, &scripts["drift"], &[]);
    assert_eq!((code, said.as_str()), (0, "No changes: the state remembers what exists.\n"));
}
