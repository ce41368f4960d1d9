//! The data sources that this crate brings itself.

mod cluster;
mod manifest_source;
mod object;
mod objects;

pub(crate) use cluster::ClusterLint;
pub use cluster::ExistingCluster;
pub use manifest_source::ManifestSource;
pub use object::Object;
pub(crate) use objects::Objects;

use crate::client::{KubeconfigConnector, Proxies};
use crate::data_source::DataSource;
use crate::pod_exec::PodExec;
use std::path::PathBuf;
use std::sync::Arc;

/// What data sources know of the machine.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The user's own kubeconfigs: what `KUBECONFIG` lists, or `~/.kube/config`.
    pub kubeconfigs: Vec<PathBuf>,
    /// The proxies on the way to clusters.
    pub proxies: Proxies,
    /// What paths of manifests and of kubeconfigs are relative to.
    pub working_directory: PathBuf,
    /// Where files of the web are kept; made when there is one. Without it none are kept.
    pub downloads: Option<PathBuf>,
}

/// All data sources of this crate.
pub fn data_sources(surroundings: Surroundings) -> Vec<Arc<dyn DataSource>> {
    let Surroundings { kubeconfigs, proxies, working_directory, downloads } = surroundings;
    let connector = KubeconfigConnector::new(kubeconfigs, working_directory.clone(), proxies);
    vec![
        Arc::new(ExistingCluster::new(connector)),
        Arc::new(ManifestSource::new(working_directory, downloads)),
        Arc::new(Object::default()),
        Arc::new(Objects::default()),
        Arc::new(PodExec::default()),
    ]
}
