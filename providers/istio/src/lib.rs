//! Istio: control planes, their authorities' secrets, gateways between networks, and the secrets by which clusters read each other.
//!
//! Kinds here are Kubernetes objects or sets of them, written from facts about Istio's own tools; the Kubernetes crate brings them to the
//! clusters. Nothing here runs a foreign tool, and nothing is traffic.

mod arguments;
mod cacerts;
mod certificate_compare;
mod exposed;
mod gateway;
mod lint;
mod operator;
mod prerequisite;
mod provider;
mod remote_clusters;
mod remote_reader;
mod remote_secret;
mod version;

pub use cacerts::CaCerts;
pub use certificate_compare::CertificateCompare;
pub use exposed::{ExposeIstiod, ExposeServices};
pub use gateway::EastWestGateway;
pub use operator::Operator;
pub use prerequisite::Prerequisite;
pub use remote_clusters::RemoteClusters;
pub use remote_reader::RemoteReader;
pub use remote_secret::RemoteSecret;

use engine::port::{Provider, ProviderMaker};
use engine::schema::{Lint, Problem, ProviderSchema};
use engine::value::Value;
use kubernetes::{Clusters, DataSource, ObjectKind, Reaching};
use std::sync::Arc;

/// All kinds of this crate.
pub fn kinds() -> Vec<Arc<dyn ObjectKind>> {
    vec![
        Arc::new(CaCerts::default()),
        Arc::new(EastWestGateway::default()),
        Arc::new(ExposeIstiod::default()),
        Arc::new(ExposeServices::default()),
        Arc::new(Operator::default()),
        Arc::new(Prerequisite::default()),
        Arc::new(RemoteReader::default()),
        Arc::new(RemoteSecret::default()),
    ]
}

/// All data sources of this crate.
pub fn data_sources() -> Vec<Arc<dyn DataSource>> {
    vec![Arc::new(CertificateCompare::default()), Arc::new(RemoteClusters::default())]
}

/// Makes the provider `istio`.
pub struct IstioMaker(pub Reaching);

impl IstioMaker {
    fn made(clusters: Clusters) -> Vec<Arc<dyn Provider>> {
        vec![Arc::new(provider::IstioProvider::new(kinds(), clusters))]
    }
}

impl ProviderMaker for IstioMaker {
    fn schema(&self) -> ProviderSchema {
        let doc = "Istio: control planes, gateways, and what lets the clusters of a mesh read each other.";
        ProviderSchema { name: "istio", doc, settings: Reaching::settings() }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        Self::made(self.0.usual.clone())
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        Ok(Self::made(self.0.configured(settings)?))
    }

    fn lint(&self) -> Option<Arc<dyn Lint>> {
        Some(Arc::new(lint::MeshLint))
    }
}
