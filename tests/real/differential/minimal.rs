//! The smallest sequence that still shows what a sequence showed.

use super::sequence::Sequence;
use std::time::{Duration, Instant};

/// How long is looked for a smaller one.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes out steps and parts of bodies for as long as `shows` holds. Each attempt has a name of its own.
pub(super) fn minimal(sequence: &Sequence, shows: &dyn Fn(&Sequence) -> bool) -> Sequence {
    let deadline = Instant::now() + PATIENCE;
    let mut least = sequence.clone();
    let mut attempts = 0;
    loop {
        let smaller = smaller(&least).into_iter().find_map(|mut smaller| {
            attempts += 1;
            smaller.name = format!("{}-{attempts}", sequence.name);
            (Instant::now() < deadline && shows(&smaller)).then_some(smaller)
        });
        match smaller {
            Some(smaller) => least = smaller,
            None => return least,
        }
    }
}

/// Sequences with something less.
fn smaller(sequence: &Sequence) -> Vec<Sequence> {
    let steps = &sequence.steps;
    let with = |steps| Sequence { steps, ..sequence.clone() };
    let shorter = (0..steps.len()).rev().map(|at| {
        let mut fewer = steps.clone();
        fewer.remove(at);
        with(fewer)
    });
    let leaner = steps.iter().enumerate().flat_map(|(at, step)| {
        step.reduced().into_iter().map(move |step| {
            let mut changed = steps.clone();
            changed[at] = step;
            with(changed)
        })
    });
    shorter.chain(leaner).collect()
}

#[test]
fn what_does_not_matter_goes() {
    use super::sequence::{create, get, sequence};
    use serde_json::json;
    let whole = sequence("s", vec![get("a"), create("b", &json!({ "x": 1, "y": { "z": [1, 2] } })), get("c")]);
    let shows = |sequence: &Sequence| sequence.steps.iter().any(|step| step.row().contains("\"z\""));
    let least = minimal(&whole, &shows);
    assert_eq!(least.steps.iter().map(super::sequence::Step::row).collect::<Vec<_>>(), [create("b", &json!({ "y": { "z": [] } })).row()]);
}
