//! Kubernetes objects by server-side apply: what they should be, what they are, and the way from one to the other.
//!
//! Other crates describe *kinds that are objects* with [`ObjectKind`], and ways to *reach* a cluster with [`Connector`]; the machinery here
//! does the rest. It makes no clusters and knows no mesh.

pub mod arguments;
mod client;
mod config_patch;
mod data;
mod data_source;
mod defaults;
mod describe;
mod difference;
mod document;
mod errand;
#[cfg(test)]
mod fake;
mod held;
mod ignored;
mod import;
mod kind;
mod kinds;
mod kubeconfig_merged;
mod object;
mod object_kind;
mod observation;
mod ownership;
mod planning;
mod pod_exec;
mod pods;
mod procedure;
mod provider;
mod reach;
mod readiness;
mod restart;
mod rules;
mod settings;
mod validation;
mod writers;

pub use client::{
    Answered, Cluster, Clusters, Connector, Container, Executed, KubeconfigConnector, Plain, Proxies, Requests, may_have_run,
};
pub use data::{ExistingCluster, ManifestSource, Object, Surroundings, data_sources};
pub use data_source::{DataSource, Source};
pub use errand::Errand;
pub use kinds::{Labels, Manifest, Manifests, Namespace, Secret, handed_on, kinds, members, parse_yaml, usual};
pub use object_kind::{Json, ObjectKind, ObjectName, Ownership, Reader, Settled, Until, Wait};
pub use pod_exec::worst;
pub use pods::{Running, Unusable, Wanted};
pub use procedure::{Procedure, ProcedureProvider};
pub use provider::ObjectProvider;
pub use reach::reached;
pub use settings::{KubernetesMaker, Reaching};

use engine::port::Provider;
use std::path::PathBuf;
use std::sync::Arc;

/// The provider of this crate's kinds that are no objects of their own. Paths are relative to the working directory.
pub fn procedures(clusters: Clusters, working_directory: PathBuf) -> Arc<dyn Provider> {
    let procedures: Vec<Arc<dyn Procedure>> = vec![
        Arc::new(config_patch::ConfigPatch::new(clusters.clone())),
        Arc::new(restart::Restart::new(clusters)),
        Arc::new(kubeconfig_merged::KubeconfigMerged::new(working_directory)),
    ];
    Arc::new(ProcedureProvider::new(procedures))
}
