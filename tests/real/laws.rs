//! The law *any prefix* on real API servers: an apply or a destroy of the mesh of three, killed anywhere, is completed by the next.

use crate::example::{Cluster, clusters, example};
use meshplan_tests::apiserver::inventory::{inventory, uids};
use meshplan_tests::killed::{Counting, authorities, replayed};
use meshplan_tests::redact;
use meshplan_tests::scenario::Scenario;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));
const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];
/// How many points each of them is killed at: as many as a few minutes allow, in equal distances.
const POINTS: u64 = 8;

/// What a straight run left, and the points it passed.
struct Straight {
    before: Vec<BTreeSet<String>>,
    applied: u64,
    state: Value,
    made: Vec<BTreeSet<String>>,
    destroyed: u64,
}

fn all<T>(clusters: &[Cluster], look: impl Fn(&Cluster) -> T) -> Vec<T> {
    clusters.iter().map(look).collect()
}

fn inventories(clusters: &[Cluster]) -> Vec<BTreeSet<String>> {
    all(clusters, |(_, cluster)| inventory(cluster.api()))
}

fn straight(clusters: &[Cluster]) -> Straight {
    let (scenario, before) = (example(clusters), inventories(clusters));
    let applied = COUNTING.finish(&scenario, &APPLY, None);
    let (state, made) = (redact::state(&scenario.state()), named(inventories(clusters)));
    Straight { before, applied, state, made, destroyed: COUNTING.finish(&scenario, &DESTROY, None) }
}

/// Without the names that are made up anew each time: those of pods.
fn named(inventories: Vec<BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    inventories.into_iter().map(|all| all.into_iter().filter(|object| !object.starts_with("pods ")).collect()).collect()
}

/// An apply that is killed at a point, and the next one.
fn applied(clusters: &[Cluster], scenario: &Scenario, point: u64, expected: &Straight) {
    if COUNTING.is_killed(scenario, &APPLY, point, expected.applied) {
        let (roots, made) = (authorities(&replayed(scenario)), all(clusters, |(_, cluster)| uids(cluster.api())));
        COUNTING.finish(scenario, &APPLY, Some(point));
        assert_kept("the state", point, &roots, &authorities(&scenario.state()));
        for ((_, cluster), made) in clusters.iter().zip(&made) {
            assert_kept(&cluster.admin().name, point, made, &uids(cluster.api()));
        }
    }
    let state = redact::state(&scenario.state());
    assert!(state == expected.state, "killed at point {point}:\n{}", redact::difference(&expected.state, &state));
    assert_eq!(named(inventories(clusters)), expected.made, "killed at point {point}");
    let again = COUNTING.run(scenario, &["plan", "--detailed-exitcode"], None);
    assert_eq!(again.status.code(), Some(0), "killed at point {point}: {}", String::from_utf8_lossy(&again.stdout));
}

/// What was there is there, and the same.
fn assert_kept(place: &str, point: u64, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let lost: Vec<_> = before.iter().filter(|(name, mark)| after.get(*name) != Some(mark)).collect();
    assert!(lost.is_empty(), "killed at point {point}: in {place} made again, or gone: {lost:?}");
}

/// A destroy that is killed at a point, and the next one.
fn destroyed(clusters: &[Cluster], scenario: &Scenario, point: u64, expected: &Straight) {
    if COUNTING.is_killed(scenario, &DESTROY, point, expected.destroyed) {
        COUNTING.finish(scenario, &DESTROY, Some(point));
    }
    assert_eq!(scenario.addresses(), Vec::<String>::new(), "killed at point {point}");
    assert_eq!(inventories(clusters), expected.before, "killed at point {point}");
}

#[test]
fn stand_in_a_mesh_of_three_killed_anywhere_is_completed_by_the_next_run() {
    let Some(clusters) = clusters() else { return };
    let expected = straight(&clusters);
    for sample in 0..POINTS {
        let at = |points: u64| (2 * sample + 1) * points / (2 * POINTS);
        let (apply, destroy) = (at(expected.applied), at(expected.destroyed));
        let scenario = example(&clusters);
        applied(&clusters, &scenario, apply, &expected);
        destroyed(&clusters, &scenario, destroy, &expected);
    }
}
