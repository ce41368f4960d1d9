//! The provider `host` as it is configured.

use crate::effect::Hands;
use crate::file::HostFile;
use crate::procedure::Procedure;
use crate::provider::HostProvider;
use crate::resolver::HostResolver;
use crate::vip::HostVip;
use engine::port::{Provider, ProviderMaker};
use engine::schema::{Problem, ProviderSchema};
use engine::value::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// Makes the provider `host`.
pub struct HostMaker {
    working_directory: PathBuf,
}

impl HostMaker {
    /// A maker for this machine, with what paths are relative to.
    pub fn new(working_directory: PathBuf) -> Self {
        Self { working_directory }
    }
}

impl ProviderMaker for HostMaker {
    fn schema(&self) -> ProviderSchema {
        ProviderSchema { name: "host", doc: "The machine that meshplan runs on.", settings: Vec::new() }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        let procedures: Vec<Box<dyn Procedure>> =
            vec![Box::new(HostFile::new(self.working_directory.clone())), Box::new(HostVip::default()), Box::new(HostResolver::default())];
        vec![Arc::new(HostProvider::new(procedures, Hands))]
    }

    fn configured(&self, _: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        Ok(self.usual())
    }
}
