//! What every backend promises, held to objects of a real API server.

use backends::ClusterObjects;
use engine::value::Value;
use kubernetes::{Clusters, KubeconfigConnector};
use meshplan_tests::apiserver::{self, ApiServer};
use meshplan_tests::backends::{contract, renewal};
use state::{Backend, Objects, Remote};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(2);

/// The objects of a state of its own: the namespace is fresh.
fn objects(cluster: &ApiServer) -> Arc<dyn Objects> {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let kubeconfig = cluster.admin().named("c").kubeconfig();
    let connection = [("type", "kubeconfig"), ("kubeconfig", kubeconfig.as_str()), ("context", "c")];
    let connection = Value::object(connection.map(|(name, text)| (name, Value::string(text))));
    let clusters = Clusters::new(vec![Arc::new(KubeconfigConnector::default())]);
    Arc::new(ClusterObjects::new(clusters, connection, ("c", &cluster.namespace(), "prod")).unwrap())
}

fn backend(cluster: &ApiServer) -> Arc<dyn Backend> {
    Arc::new(Remote::new(objects(cluster)))
}

#[test]
fn a_cluster_remembers_what_was_written() {
    let Some(cluster) = apiserver::shared(0) else { return };
    contract::remembers(&backend(cluster));
    contract::writes_only_what_is_new(&backend(cluster));
    contract::torn(&backend(cluster), 37);
    contract::newer(&backend(cluster));
}

#[test]
fn one_at_a_time_writes_to_a_cluster() {
    let Some(cluster) = apiserver::shared(0) else { return };
    contract::one_at_a_time(&backend(cluster));
    renewal::is_renewed(&objects(cluster), LEASE);
    renewal::a_dead_holder_is_taken_over(&objects(cluster), LEASE);
    renewal::clocks_may_disagree(&objects(cluster), LEASE);
}

#[test]
fn a_holder_that_was_taken_over_writes_nothing_more_to_a_cluster() {
    let Some(cluster) = apiserver::shared(0) else { return };
    renewal::a_late_holder_is_refused(&objects(cluster), LEASE);
}

#[test]
fn at_whatever_request_to_a_cluster_a_process_dies_nothing_is_lost() {
    let Some(cluster) = apiserver::shared(0) else { return };
    renewal::nothing_is_lost_at_any_request(&|| objects(cluster), 3);
}

#[test]
fn a_cluster_keeps_revisions() {
    let Some(cluster) = apiserver::shared(0) else { return };
    contract::keeps_revisions(&backend(cluster), Path::new("nowhere"), 2_500_000);
    renewal::a_revision_is_whole_or_not_there(&|| objects(cluster), 1000);
}

#[test]
fn a_state_larger_than_a_secret_is_kept_in_parts() {
    let Some(cluster) = apiserver::shared(0) else { return };
    contract::large(&backend(cluster), 3_500_000);
}
