//! What `provider "docker"` blocks may set.

use crate::endpoint::Sources;
use crate::provider::DockerProvider;
use engine::port::{Provider, ProviderMaker};
use engine::schema::{Attribute, Problem, ProviderSchema, Setting};
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
}

/// Makes providers of the Engine that settings or the environment name.
#[derive(Debug, Clone)]
pub struct DockerMaker(pub Surroundings);

impl DockerMaker {
    fn provider(&self, host: Option<&str>, certificates: Option<&str>) -> Arc<dyn Provider> {
        let certificates = certificates.map(|directory| self.0.working_directory.join(directory));
        let sources = Sources { host, certificates: certificates.as_deref(), environment: &self.0.environment };
        Arc::new(DockerProvider::new(sources.endpoint(), self.0.working_directory.clone()))
    }
}

impl ProviderMaker for DockerMaker {
    fn schema(&self) -> ProviderSchema {
        let own = |name, doc| Setting::own(Attribute::optional(name, Type::String, doc));
        let settings = vec![
            own(
                "host",
                "Where the Engine is: `unix:///var/run/docker.sock` or `tcp://host:2376`. Without it that of `DOCKER_HOST`, `DOCKER_CONTEXT`, the \
                 current docker context, or the socket of this machine, in this order.",
            ),
            own("certificates", "The directory with `ca.pem`, `cert.pem` and `key.pem` for a `host` that speaks TLS."),
        ];
        ProviderSchema { name: "docker", doc: "Networks, images and containers of a Docker Engine, 20.10 or newer.", settings }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        vec![self.provider(None, None)]
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        let (host, certificates) = (settings.text("host"), settings.text("certificates"));
        if certificates.is_some() && host.is_none() {
            let detail = "`certificates` belongs to a `host`, which is not given";
            return Err(Problem::with("certificates", "invalid setting", detail));
        }
        Ok(vec![self.provider(host, certificates)])
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
