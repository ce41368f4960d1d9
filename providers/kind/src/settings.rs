//! What `provider "kind"` blocks may set.

use crate::lint::ClusterLint;
use crate::program::Program;
use crate::provider::KindProvider;
use docker::EngineSettings;
use engine::port::{Provider, ProviderMaker};
use engine::schema::{Lint, Problem, ProviderSchema};
use engine::value::Value;
use kubernetes::Clusters;
use std::path::PathBuf;
use std::sync::Arc;

/// Where programs, the Engine and files are.
#[derive(Clone)]
pub struct Surroundings {
    /// What the Engine and programs are found by, of which `PATH` counts as well.
    pub machine: docker::Surroundings,
    /// The directory of the configuration, which has the kubeconfigs of clusters whose configuration names no file.
    pub directory: PathBuf,
    /// How clusters are reached once they are made.
    pub clusters: Clusters,
}

/// Makes providers of clusters at the Engine that settings or the environment name.
#[derive(Clone)]
pub struct KindMaker(pub Surroundings);

impl KindMaker {
    fn provider(&self, settings: EngineSettings<'_>) -> Arc<dyn Provider> {
        let Surroundings { machine, directory, clusters } = &self.0;
        let program = Program { environment: machine.environment.clone(), directory: machine.working_directory.clone() };
        let engine = machine.engines.open(settings.endpoint(machine));
        Arc::new(KindProvider::new((engine, machine.engines.clone()), (program, directory.clone()), clusters.clone()))
    }
}

impl ProviderMaker for KindMaker {
    fn schema(&self) -> ProviderSchema {
        let doc = "Clusters in containers of a Docker Engine, made by `kind`, 0.32 or newer.";
        ProviderSchema { name: "kind", doc, settings: EngineSettings::schema() }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        vec![self.provider(EngineSettings::default())]
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        Ok(vec![self.provider(EngineSettings::read(settings)?)])
    }

    fn lint(&self) -> Option<Arc<dyn Lint>> {
        Some(Arc::new(ClusterLint))
    }
}
