//! MetalLB: its installation, and the pools of addresses that it gives to Services of type `LoadBalancer`.
//!
//! Kinds here are sets of Kubernetes objects; the Kubernetes crate brings them to the clusters. Nothing here runs a foreign tool, and nothing is
//! traffic.

mod existing;
#[cfg(test)]
mod fixtures;
mod installation;
mod lint;
mod manifests;
mod pool;
mod provider;
mod release;
mod version;

pub use existing::Existing;
pub use installation::Installation;
pub use manifests::Manifests;
pub use pool::Pool;
pub use release::{RELEASES, Release, ReleaseFile};

use engine::port::{Provider, ProviderMaker};
use engine::schema::{Lint, Problem, ProviderSchema};
use engine::value::Value;
use kubernetes::{Clusters, Reaching, Surroundings};
use std::sync::Arc;

/// Makes the provider `metallb`.
pub struct MetallbMaker {
    surroundings: Surroundings,
    reaching: Reaching,
}

impl MetallbMaker {
    /// A maker for this machine.
    pub fn new(surroundings: Surroundings, reaching: Reaching) -> Self {
        Self { surroundings, reaching }
    }

    fn made(&self, clusters: Clusters) -> Vec<Arc<dyn Provider>> {
        vec![Arc::new(provider::MetallbProvider::new(&self.surroundings, clusters))]
    }
}

impl ProviderMaker for MetallbMaker {
    fn schema(&self) -> ProviderSchema {
        let doc = "MetalLB, and the pools of addresses that it gives to load balancers.";
        ProviderSchema { name: "metallb", doc, settings: Reaching::settings() }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        self.made(self.reaching.usual.clone())
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        Ok(self.made(self.reaching.configured(settings)?))
    }

    fn lint(&self) -> Option<Arc<dyn Lint>> {
        Some(Arc::new(lint::PoolLint))
    }
}
