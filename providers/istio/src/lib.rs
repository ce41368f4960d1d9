//! Istio: control planes, their authorities' secrets, gateways between networks, and the secrets by which clusters read each other.
//!
//! Kinds here are Kubernetes objects or sets of them, written from facts about Istio's own tools; the Kubernetes crate brings them to the
//! clusters. The one foreign tool that runs is `istioctl`, to render what it would install. Nothing is traffic.

mod arguments;
mod cacerts;
mod certificate_compare;
mod exposed;
mod gateway;
mod istioctl;
mod lint;
mod listener_drain;
mod operator;
mod pods;
mod prerequisite;
mod provider;
mod proxy_config;
mod reachability;
mod remote_clusters;
mod remote_reader;
mod remote_secret;
mod revision;
mod revision_tag;
mod version;

pub use cacerts::CaCerts;
pub use certificate_compare::CertificateCompare;
pub use exposed::{ExposeIstiod, ExposeServices};
pub use gateway::EastWestGateway;
pub use istioctl::Surroundings;
pub use operator::Operator;
pub use prerequisite::Prerequisite;
pub use proxy_config::ProxyConfig;
pub use reachability::Reachability;
pub use remote_clusters::RemoteClusters;
pub use remote_reader::RemoteReader;
pub use remote_secret::RemoteSecret;
pub use revision::Revision;
pub use revision_tag::RevisionTag;

use engine::port::{Provider, ProviderMaker};
use engine::schema::{Attribute, Lint, Problem, ProviderSchema, Setting};
use engine::value::{Type, Value};
use istioctl::{Istioctl, Programs};
use kubernetes::{Clusters, DataSource, ObjectKind, ProcedureProvider, Reaching};
use listener_drain::ListenerDrain;
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
        Arc::new(Revision::default()),
        Arc::new(RevisionTag::default()),
    ]
}

/// All data sources of this crate, on a machine with this environment.
pub fn data_sources(surroundings: &Surroundings) -> Vec<Arc<dyn DataSource>> {
    vec![
        Arc::new(CertificateCompare::default()),
        Arc::new(ProxyConfig::default()),
        Arc::new(Reachability::new(surroundings.clone())),
        Arc::new(RemoteClusters::default()),
    ]
}

/// Makes the provider `istio`.
pub struct IstioMaker {
    /// How clusters are reached.
    pub reaching: Reaching,
    /// Where `istioctl` is found.
    pub surroundings: Surroundings,
}

impl IstioMaker {
    fn made(&self, clusters: Clusters, programs: &Programs) -> Vec<Arc<dyn Provider>> {
        let istioctl = Istioctl::new(self.surroundings.clone(), programs);
        let procedures = ProcedureProvider::new(vec![Arc::new(ListenerDrain::new(clusters.clone()))]);
        let offered = (kinds(), data_sources(&self.surroundings));
        vec![Arc::new(provider::IstioProvider::new(offered, clusters, istioctl)), Arc::new(procedures)]
    }
}

impl ProviderMaker for IstioMaker {
    fn schema(&self) -> ProviderSchema {
        let doc = "Istio: control planes, gateways, and what lets the clusters of a mesh read each other.";
        let istioctl = "Path of the program that the installer `istioctl` renders with, relative to the working directory. Without it, of a tag such as \
                        `1.30.2`, `istioctl-1.30` in the `PATH`, else `istioctl` there.";
        let several =
            "By minor version, such as `1.30`, paths of programs for tags of these, as meshes have that go from one version to the next.";
        let mut settings = Reaching::settings();
        settings.push(Setting::own(Attribute::optional("istioctl", Type::String, istioctl)));
        settings.push(Setting::own(Attribute::optional("istioctls", Type::map(Type::String), several)));
        ProviderSchema { name: "istio", doc, settings }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        self.made(self.reaching.usual.clone(), &Programs::default())
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        let programs = Programs::of(settings)?;
        Ok(self.made(self.reaching.configured(settings)?, &programs))
    }

    fn lint(&self) -> Option<Arc<dyn Lint>> {
        Some(Arc::new(lint::MeshLint))
    }
}
