//! Istio: control planes, their authorities' secrets, gateways between networks, and the secrets by which clusters read each other.
//!
//! Kinds here are Kubernetes objects or sets of them, written from facts about Istio's own tools; the Kubernetes crate brings them to the
//! clusters. Nothing here runs a foreign tool, and nothing is traffic.

mod arguments;
mod cacerts;
mod exposed_services;
mod gateway;
mod lint;
mod operator;
mod prerequisite;
mod provider;
mod remote_reader;
mod remote_secret;
mod version;

pub use cacerts::CaCerts;
pub use exposed_services::ExposeServices;
pub use gateway::EastWestGateway;
pub use operator::Operator;
pub use prerequisite::Prerequisite;
pub use remote_reader::RemoteReader;
pub use remote_secret::RemoteSecret;

use engine::port::Provider;
use kubernetes::{Clusters, ObjectKind};
use std::sync::Arc;

/// All kinds of this crate.
pub fn kinds() -> Vec<Arc<dyn ObjectKind>> {
    vec![
        Arc::new(CaCerts::default()),
        Arc::new(EastWestGateway::default()),
        Arc::new(ExposeServices::default()),
        Arc::new(Operator::default()),
        Arc::new(Prerequisite::default()),
        Arc::new(RemoteReader::default()),
        Arc::new(RemoteSecret::default()),
    ]
}

/// The provider of all kinds of this crate.
pub fn provider(clusters: Clusters) -> Arc<dyn Provider> {
    Arc::new(provider::IstioProvider::new(kinds(), clusters))
}
