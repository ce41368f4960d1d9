//! A process that dies after the state was written whole, and before its journal is gone.

use super::{CHAIN, JOURNAL, STATE, Straight, completes, said, straight_of};
use crate::laws::{APPLY, COUNTING};
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;

#[test]
fn a_journal_that_outlived_its_state_is_passed_over() {
    let expected = straight_of(CHAIN);
    let scenario = Scenario::with(CHAIN);
    let killed = COUNTING.run(&scenario, &APPLY, Some(expected.points - 2));
    assert_eq!(killed.status.signal(), Some(9), "{}", said(&killed));
    let journal = scenario.read(JOURNAL);
    assert!(!journal.is_empty());
    COUNTING.finish(&scenario, &APPLY, None);
    let state = scenario.read(STATE);
    // As if it had been killed between the state's new name and the journal's end.
    scenario.write(JOURNAL, &journal);
    let output = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    assert!(output.stderr.contains("is not counted"), "{}", output.all());
    completes(&scenario, &expected, "beside a journal that outlived its state");
    assert_eq!(scenario.read(STATE), state);
    assert!(!scenario.path().join(JOURNAL).exists());
}

/// How often it is tried to hit the moment.
const TRIES: usize = 400;

/// A run that is killed in that very moment; nothing if it was over before the signal came.
fn killed_in_between(scenario: &Scenario) -> bool {
    let (state, journal) = (scenario.path().join(STATE), scenario.path().join(JOURNAL));
    let mut child = COUNTING.command(scenario, &APPLY).stderr(Stdio::null()).spawn().unwrap();
    while !state.exists() && child.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    status.signal() == Some(9) && state.exists() && journal.exists()
}

#[test]
fn a_process_killed_between_its_state_and_the_end_of_its_journal_has_done_all_of_it() {
    // Between the two the directory is made durable, which takes a disk: in memory the moment is hardly to be hit.
    let scenarios = std::iter::repeat_with(|| Scenario::with_in(Path::new(env!("CARGO_TARGET_TMPDIR")), CHAIN)).take(TRIES);
    let Some(scenario) = scenarios.into_iter().find(killed_in_between) else {
        let mut missing = Missing::default();
        missing.note(["a disk that takes its time"]);
        return missing.close();
    };
    let expected: Straight = straight_of(CHAIN);
    let (state, journal) = (scenario.read(STATE), scenario.read(JOURNAL));
    assert!(!journal.is_empty() && scenario.state()["resources"].as_array().unwrap().len() == 3, "{state}");
    let output = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    assert!(output.stderr.contains("is not counted"), "{}", output.all());
    assert_eq!((scenario.read(STATE), scenario.read(JOURNAL)), (state, journal), "a plan writes nothing");
    completes(&scenario, &expected, "killed between the state and the end of its journal");
    assert!(!scenario.path().join(JOURNAL).exists());
    let output = scenario.run(&["plan"]).expect_code(0);
    assert!(!output.stderr.contains("is not counted"), "{}", output.all());
}
