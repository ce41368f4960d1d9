//! What `provider "docker"` blocks may set.

use crate::endpoint::{Endpoint, Sources};
use crate::engines::Engines;
use crate::network::NetworkLint;
use crate::provider::DockerProvider;
use engine::port::{Provider, ProviderMaker};
use engine::schema::{Attribute, Lint, Problem, ProviderSchema, Setting};
use engine::value::{Type, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the Engine is looked for, and files are.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The environment: `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH` and `HOME` count.
    pub environment: BTreeMap<String, String>,
    /// What relative paths are relative to.
    pub working_directory: PathBuf,
    /// The Engines that are spoken to, whichever provider leads to them.
    pub engines: Engines,
}

/// Makes providers of the Engine that settings or the environment name.
#[derive(Debug, Clone)]
pub struct DockerMaker(pub Surroundings);

/// How settings of a provider name an Engine; without any the environment does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineSettings<'a> {
    host: Option<&'a str>,
    certificates: Option<&'a str>,
}

impl<'a> EngineSettings<'a> {
    /// The settings that there are.
    pub fn schema() -> Vec<Setting> {
        let text = |name, doc| Attribute::optional(name, Type::String, doc);
        vec![
            Setting::leading(text(
                "host",
                "Where the Docker Engine is: `unix:///var/run/docker.sock` or `tcp://host:2376`. Without it that of `DOCKER_HOST`, `DOCKER_CONTEXT`, the \
                 current docker context, or the socket of this machine, in this order.",
            )),
            Setting::own(text("certificates", "The directory with `ca.pem`, `cert.pem` and `key.pem` for a `host` that speaks TLS.")),
        ]
    }

    /// Reads them; those that do not go together are an error.
    pub fn read(settings: &'a Value) -> Result<Self, Problem> {
        let (host, certificates) = (settings.text("host"), settings.text("certificates"));
        if certificates.is_some() && host.is_none() {
            let detail = "`certificates` belongs to a `host`, which is not given";
            return Err(Problem::with("certificates", "invalid setting", detail));
        }
        Ok(Self { host, certificates })
    }

    /// Where the Engine is. The error is a sentence.
    pub fn endpoint(self, surroundings: &Surroundings) -> Result<Endpoint, String> {
        let certificates = self.certificates.map(|directory| surroundings.working_directory.join(directory));
        Sources { host: self.host, certificates: certificates.as_deref(), environment: &surroundings.environment }.endpoint()
    }
}

impl DockerMaker {
    fn provider(&self, settings: EngineSettings<'_>) -> Arc<dyn Provider> {
        let engine = self.0.engines.open(settings.endpoint(&self.0));
        Arc::new(DockerProvider::new((engine, self.0.engines.clone()), self.0.working_directory.clone()))
    }
}

impl ProviderMaker for DockerMaker {
    fn schema(&self) -> ProviderSchema {
        let settings = EngineSettings::schema();
        ProviderSchema { name: "docker", doc: "Networks, images and containers of a Docker Engine, 20.10 or newer.", settings }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        vec![self.provider(EngineSettings::default())]
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        Ok(vec![self.provider(EngineSettings::read(settings)?)])
    }

    fn lint(&self) -> Option<Arc<dyn Lint>> {
        Some(Arc::new(NetworkLint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_belong_to_a_host() {
        let configured = |settings: &[(&'static str, &str)]| {
            let settings = Value::object(settings.iter().map(|(name, value)| (*name, Value::string(*value))));
            DockerMaker(Surroundings::default()).configured(&settings).map(|parts| parts.len()).map_err(|problem| problem.summary)
        };
        assert_eq!(configured(&[("certificates", "certs")]), Err("invalid setting".to_owned()));
        assert_eq!(configured(&[("host", "tcp://lab:2376"), ("certificates", "certs")]), Ok(1));
        assert_eq!(configured(&[]), Ok(1));
    }
}
