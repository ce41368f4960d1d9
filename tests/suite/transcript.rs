//! The transcript of the README is what a shell shows.

use meshplan_tests::golden;
use meshplan_tests::scenario::project;
use meshplan_tests::transcript::{self, Step};
use sandbox::Sandboxes;
use std::path::Path;

/// After each command, so also after one that followed a kill: the sandbox counts how often it made each object.
fn nothing_is_made_twice(step: &Step, directory: &Path) {
    let sandboxes = Sandboxes::new(directory.join(".meshplan").join("sandbox"));
    for cluster in sandboxes.names() {
        for made in sandboxes.audit(&cluster).unwrap() {
            assert!(made.created <= 1, "after `{}`: {made:?}", step.command());
        }
    }
}

#[test]
fn the_readme_shows_what_happens() {
    let file = project().join("README.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let steps = transcript::steps(&page);
    assert!(steps.iter().any(Step::is_killed), "no apply is killed");
    for command in ["meshplan plan", "meshplan apply", "meshplan sandbox serve", "openssl verify", "kubectl"] {
        assert!(steps.iter().any(|step| step.command().contains(command)), "`{command}` is not shown");
    }
    let run = transcript::run(&page, Path::new(env!("CARGO_BIN_EXE_meshplan-counting")), &nothing_is_made_twice);
    golden::expect_none(golden::difference(&file, &run.page));
    run.missing.close();
}
