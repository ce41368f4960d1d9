//! What every backend promises, held to a bucket of a real S3 server.

use backends::{BucketObjects, bucket_builder};
use meshplan_tests::backends::{contract, renewal};
use meshplan_tests::bucket::{ACCESS_KEY, BUCKET, SECRET_KEY, Server};
use state::{Backend, Objects, Remote};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(2);

/// The objects of a state of its own.
fn objects(server: &Server) -> Arc<dyn Objects> {
    static STATES: AtomicUsize = AtomicUsize::new(0);
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let endpoint = server.endpoint();
    let arguments = [
        ("endpoint", endpoint.as_str()),
        ("region", "us-east-1"),
        ("use_path_style", "true"),
        ("access_key", ACCESS_KEY),
        ("secret_key", SECRET_KEY),
    ];
    let arguments: BTreeMap<_, _> = arguments.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let key = format!("teams/a/{}", STATES.fetch_add(1, Ordering::SeqCst));
    Arc::new(BucketObjects::new(bucket_builder(&arguments, &BTreeMap::new()).unwrap(), BUCKET, &key).unwrap())
}

fn backend(server: &Server) -> Arc<dyn Backend> {
    Arc::new(Remote::new(objects(server)))
}

#[test]
fn a_bucket_remembers_what_was_written() {
    let Some(server) = Server::start() else { return };
    contract::remembers(&backend(&server));
    contract::writes_only_what_is_new(&backend(&server));
    contract::torn(&backend(&server), 37);
    contract::newer(&backend(&server));
    contract::large(&backend(&server), 3_500_000);
}

#[test]
fn one_at_a_time_writes_to_a_bucket() {
    let Some(server) = Server::start() else { return };
    contract::one_at_a_time(&backend(&server));
    renewal::is_renewed(&objects(&server), LEASE);
    renewal::a_dead_holder_is_taken_over(&objects(&server), LEASE);
    renewal::clocks_may_disagree(&objects(&server), LEASE);
}

#[test]
fn a_holder_that_was_taken_over_writes_nothing_more_to_a_bucket() {
    let Some(server) = Server::start() else { return };
    renewal::a_late_holder_is_refused(&objects(&server), LEASE);
}

#[test]
fn a_bucket_keeps_revisions() {
    let Some(server) = Server::start() else { return };
    contract::keeps_revisions(&backend(&server), Path::new("nowhere"), 2_500_000);
    renewal::a_revision_is_whole_or_not_there(&|| objects(&server), 1000);
}

#[test]
fn at_whatever_request_to_a_bucket_a_process_dies_nothing_is_lost() {
    let Some(server) = Server::start() else { return };
    renewal::nothing_is_lost_at_any_request(&|| objects(&server), 1);
}
