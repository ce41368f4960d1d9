//! The data sources that this crate brings itself.

mod cluster;
mod object;

pub use cluster::ExistingCluster;
pub use object::Object;

use crate::data_source::DataSource;
use std::path::PathBuf;
use std::sync::Arc;

/// All data sources of this crate. `files` are the user's own kubeconfigs: what `KUBECONFIG` lists, or `~/.kube/config`.
pub fn data_sources(files: Vec<PathBuf>) -> Vec<Arc<dyn DataSource>> {
    vec![Arc::new(ExistingCluster::new(files)), Arc::new(Object::default())]
}
