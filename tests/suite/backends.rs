//! What every backend promises, held to files and to objects in memory. `real/backends.rs` holds the same to real stores.

use meshplan_tests::backends::{Memory, contract, renewal};
use state::{Backend, Objects, Remote, local};
use std::sync::Arc;
use std::time::Duration;

const LEASE: Duration = Duration::from_millis(150);

/// Objects that hold less than a state.
fn objects() -> Arc<dyn Objects> {
    Arc::new(Memory::new(100))
}

/// Holds a promise to each backend, with a state of its own.
fn each(promise: impl Fn(&Arc<dyn Backend>)) {
    let directory = tempfile::tempdir().unwrap();
    promise(&local(&directory.path().join("meshplan.state.json")));
    promise(&(Arc::new(Remote::new(objects())) as Arc<dyn Backend>));
}

#[test]
fn what_was_written_is_remembered() {
    each(contract::remembers);
    each(contract::writes_only_what_is_new);
}

#[test]
fn one_writes_at_a_time() {
    each(contract::one_at_a_time);
}

#[test]
fn torn_journals_and_newer_states_are_what_they_are() {
    each(|backend| contract::torn(backend, 1));
    each(contract::newer);
    each(|backend| contract::large(backend, 20_000));
}

#[test]
fn revisions_are_numbered_whole_and_bounded() {
    let directory = tempfile::tempdir().unwrap();
    each(|backend| contract::keeps_revisions(backend, directory.path(), 2000));
    renewal::a_revision_is_whole_or_not_there(&objects, 200);
}

#[test]
fn a_lock_holds_while_it_is_renewed_and_not_longer() {
    renewal::is_renewed(&objects(), LEASE);
    renewal::a_dead_holder_is_taken_over(&objects(), LEASE);
    renewal::clocks_may_disagree(&objects(), LEASE);
}

#[test]
fn a_holder_that_was_taken_over_writes_nothing_more() {
    renewal::a_late_holder_is_refused(&objects(), LEASE);
}

#[test]
fn at_whatever_request_a_process_dies_nothing_is_lost() {
    renewal::nothing_is_lost_at_any_request(&objects, 1);
}
