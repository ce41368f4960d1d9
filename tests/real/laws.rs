//! The law *any prefix* on real API servers: whatever makes, changes or destroys the mesh of three, killed anywhere, is completed by the next.

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
/// How many points each run is killed at: as many as a few minutes allow.
const SAMPLES: u64 = 10;

/// Every object of a cluster by name, and what it is known by.
type Uids = BTreeMap<String, String>;

/// What a straight run left, and the points it passed.
struct Straight {
    points: u64,
    state: Value,
    inventories: Vec<BTreeSet<String>>,
}

/// The three runs without a kill.
struct Expected {
    before: Vec<BTreeSet<String>>,
    made: Straight,
    changed: Straight,
    /// What the change leaves as it is.
    stays: Vec<BTreeSet<String>>,
    destroyed: u64,
}

/// Which point of a run is killed in a sample: its first and its last, where all or nothing is done, and others in equal distances, which
/// fall before, between and after intents, effects and outcomes.
fn point(sample: u64, points: u64) -> u64 {
    sample * (points - 1) / (SAMPLES - 1)
}

fn inventories(clusters: &[Cluster]) -> Vec<BTreeSet<String>> {
    clusters.iter().map(|(_, cluster)| inventory(cluster.api())).collect()
}

/// What is in each cluster, without pods, whose names are made up anew each time.
fn named(clusters: &[Cluster]) -> Vec<BTreeSet<String>> {
    inventories(clusters).into_iter().map(|all| all.into_iter().filter(|object| !object.starts_with("pods ")).collect()).collect()
}

fn all_uids(clusters: &[Cluster]) -> Vec<Uids> {
    clusters.iter().map(|(_, cluster)| uids(cluster.api())).collect()
}

/// What has the same name and is the same.
fn same(before: &[Uids], after: &[Uids]) -> Vec<BTreeSet<String>> {
    let both = before.iter().zip(after);
    both.map(|(before, after)| {
        let same = before.iter().filter(|(name, uid)| after.get(*name) == Some(uid) && !name.starts_with("pods "));
        same.map(|(name, _)| name.clone()).collect()
    })
    .collect()
}

/// Changes the configuration: the third cluster leaves the mesh, and a node of the first stands elsewhere.
fn change(scenario: &Scenario) {
    let clusters = "{ cluster1 = { network = \"network1\" }, cluster2 = { network = \"network2\" } }";
    let contexts = "{ cluster1 = \"cluster1\", cluster2 = \"cluster2\" }";
    scenario.write("real.auto.vars.hcl", &format!("contexts = {contexts}\nclusters = {clusters}\n"));
    let node = |zone: &str| format!("c1n1 = {{ cluster = \"cluster1\", region = \"region1\", zone = \"{zone}\" }}");
    scenario.replace("variables.mesh.hcl", &node("zone1"), &node("zone9"));
}

fn straight(clusters: &[Cluster]) -> Expected {
    let (scenario, before) = (example(clusters), inventories(clusters));
    let run = || {
        let points = COUNTING.finish(&scenario, &APPLY, None);
        Straight { points, state: redact::state(&scenario.state()), inventories: named(clusters) }
    };
    let made = run();
    let early = all_uids(clusters);
    change(&scenario);
    let changed = run();
    let stays = same(&early, &all_uids(clusters));
    Expected { before, made, changed, stays, destroyed: COUNTING.finish(&scenario, &DESTROY, None) }
}

/// An apply that is killed at a point, and the next one, which makes nothing again of what was made before.
fn applied(clusters: &[Cluster], scenario: &Scenario, point: u64, expected: &Straight) {
    let before = all_uids(clusters);
    if COUNTING.is_killed(scenario, &APPLY, point, expected.points) {
        let (roots, made) = (authorities(&replayed(scenario)), all_uids(clusters));
        COUNTING.finish(scenario, &APPLY, Some(point));
        assert_kept("the state", point, &roots, &authorities(&scenario.state()));
        for ((_, cluster), (before, made)) in clusters.iter().zip(before.iter().zip(made)) {
            // What was there before may go, or make room for another.
            let made = made.into_iter().filter(|(name, uid)| before.get(name) != Some(uid)).collect();
            assert_kept(&cluster.admin().name, point, &made, &uids(cluster.api()));
        }
    }
    let state = redact::state(&scenario.state());
    assert!(state == expected.state, "killed at point {point}:\n{}", redact::difference(&expected.state, &state));
    assert_eq!(named(clusters), expected.inventories, "killed at point {point}");
    let again = COUNTING.run(scenario, &["plan", "--detailed-exitcode"], None);
    assert_eq!(again.status.code(), Some(0), "killed at point {point}: {}", String::from_utf8_lossy(&again.stdout));
}

/// What was there is there, and the same.
fn assert_kept(place: &str, point: u64, before: &Uids, after: &Uids) {
    let lost: Vec<_> = before.iter().filter(|(name, mark)| after.get(*name) != Some(mark)).collect();
    assert!(lost.is_empty(), "killed at point {point}: in {place} made again, or gone: {lost:?}");
}

/// A change that is killed at a point, and the next run.
fn changed(clusters: &[Cluster], scenario: &Scenario, point: u64, expected: &Expected) {
    let before = all_uids(clusters);
    change(scenario);
    applied(clusters, scenario, point, &expected.changed);
    for (stays, same) in expected.stays.iter().zip(same(&before, &all_uids(clusters))) {
        let lost: Vec<_> = stays.difference(&same).collect();
        assert!(lost.is_empty(), "killed at point {point}: the change has nothing to do with {lost:?}");
    }
}

/// A destroy that is killed at a point, and the next one.
fn destroyed(clusters: &[Cluster], scenario: &Scenario, point: u64, expected: &Expected) {
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
    assert!(expected.stays.iter().all(|stays| !stays.is_empty()) && expected.changed.state != expected.made.state);
    for sample in 0..SAMPLES {
        let at = |points: u64| point(sample, points);
        let scenario = example(&clusters);
        applied(&clusters, &scenario, at(expected.made.points), &expected.made);
        changed(&clusters, &scenario, at(expected.changed.points), &expected);
        destroyed(&clusters, &scenario, at(expected.destroyed), &expected);
    }
}
